/* SPDX-License-Identifier: GPL-3.0-or-later */
/* -E: changes what is published. */
#include "vs.h"

static bool names_real_server(const struct port_spec *ports, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ports[i].has_real)
			return true;
	return false;
}

static int read_replaced(struct err *e, const struct cmd_line *line, struct endpoint *replaced,
			 struct edit_request *rq)
{
	if (!cmd_has(line, OPT_REPLACE))
		return 0;
	if (endpoint_parse(e, cmd_get(line, OPT_REPLACE, NULL), replaced) < 0)
		return err_wrap(e, "--replace");
	if (!names_real_server(rq->ports, rq->n_ports))
		return err_set(
			e, ERR_USAGE,
			"--replace needs the real server that takes over; name it: -t CPORT=ADDRESS:PORT");
	rq->replace = replaced;
	return 0;
}

int vs_edit(struct err *e, const struct config *c, const struct cmd_line *line)
{
	CLEANUP_FREE struct port_spec *ports = NULL;
	CLEANUP(gateway_closep) struct gateway *g = NULL;
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	struct edit_request rq = { .container = line->args[0], .scheduler = cmd_get(line, 's', NULL) };
	struct endpoint replaced;
	int ret = container_check(e, rq.container);

	if (ret == 0)
		ret = vs_ports(e, line, &ports, &rq.n_ports);
	rq.ports = ports;
	if (ret < 0 || vs_number(e, line, 'w', "weight", 65535, &rq.weight) < 0 ||
	    vs_number(e, line, 'p', "persistence", VS_PERSISTENCE_MAX, &rq.persistence) < 0 ||
	    read_replaced(e, line, &replaced, &rq) < 0 || gateway_open(e, c, STORE_UPDATE, &g) < 0 ||
	    gateway_edit(e, g, &rq, &routes) < 0)
		return err_wrap(e, "cannot edit %.*s", CONTAINER_MAX, rq.container);
	tool_warn_undone(vs_table.prog, gateway_undone(g));
	vs_warn_of_routes(&routes);
	return vs_print_routes(e, &routes, cmd_has(line, 'j'));
}
