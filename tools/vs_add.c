/* SPDX-License-Identifier: GPL-3.0-or-later */
/* -A: publishes ports of a container. */
#include "vs.h"

static int read_vip(struct err *e, const struct cmd_line *line, struct addr *vip, struct add_request *rq)
{
	if (!cmd_has(line, OPT_VIP))
		return 0;
	if (addr_parse(e, cmd_get(line, OPT_VIP, NULL), vip) < 0)
		return err_wrap(e, "--vip");
	rq->vip = vip;
	return 0;
}

static int read_options(struct err *e, const struct cmd_line *line, struct addr *vip, struct add_request *rq)
{
	rq->scheduler = cmd_get(line, 's', NULL);
	rq->worker = cmd_get(line, OPT_WORKER, NULL);
	if (rq->worker && worker_check_name(e, rq->worker) < 0)
		return -e->code;
	if (cmd_has(line, OPT_VPORT) && addr_parse_port(e, cmd_get(line, OPT_VPORT, NULL), &rq->vport) < 0)
		return err_wrap(e, "--vport");
	if (vs_ports(e, line, &rq->ports, &rq->n_ports) < 0 || read_vip(e, line, vip, rq) < 0 ||
	    vs_number(e, line, 'w', "weight", 65535, &rq->weight) < 0)
		return -e->code;
	return vs_number(e, line, 'p', "persistence", VS_PERSISTENCE_MAX, &rq->persistence);
}

static void free_ports(struct add_request *rq)
{
	free(rq->ports);
}

int vs_add(struct err *e, const struct config *c, const struct cmd_line *line)
{
	CLEANUP(free_ports) struct add_request rq = { .container = line->args[0] };
	CLEANUP(gateway_closep) struct gateway *g = NULL;
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	struct addr vip;

	if (read_options(e, line, &vip, &rq) < 0 || gateway_check_add(e, &rq) < 0 || gateway_open(e, c, STORE_WRITE, &g) < 0 ||
	    gateway_add(e, g, &rq, &routes) < 0)
		return err_wrap(e, "cannot add %.*s", CONTAINER_MAX, rq.container);
	tool_warn_undone(vs_table.prog, gateway_undone(g));
	vs_warn_of_routes(&routes);
	return vs_print_routes(e, &routes, cmd_has(line, 'j'));
}
