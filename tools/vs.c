/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vs.h"

#include "infile.h"
#include "sysctl.h"
#include "view.h"

#include <string.h>

/* --- reading the line ---------------------------------------------------------- */

/* 0: the option names no port. */
static uint8_t protocol_of(int option)
{
	switch (option) {
	case 't':
		return IPPROTO_TCP;
	case 'u':
		return IPPROTO_UDP;
	case OPT_SCTP:
		return IPPROTO_SCTP;
	default:
		return 0;
	}
}

int vs_ports(struct err *e, const struct cmd_line *line, struct port_spec **out, size_t *n)
{
	CLEANUP_FREE struct port_spec *ports = calloc(line->n_values + 1, sizeof(*ports));
	size_t found = 0;

	if (!ports)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < line->n_values; i++) {
		uint8_t protocol = protocol_of(line->values[i].id);

		if (!protocol)
			continue;
		ports[found].protocol = protocol;
		if (port_spec_parse(e, line->values[i].value, &ports[found]) < 0)
			return -e->code;
		found++;
	}
	*out = steal_ptr(ports);
	*n = found;
	return 0;
}

int vs_number(struct err *e, const struct cmd_line *line, int option, const char *what, uint64_t max,
	      int64_t *out)
{
	uint64_t n;

	if (cmd_has(line, option)) {
		if (cmd_number(e, what, cmd_get(line, option, NULL), 0, max, &n) < 0)
			return -e->code;
		*out = (int64_t)n;
	} else {
		*out = -1;
	}
	return 0;
}

int vs_open(struct err *e, const char *path, FILE **out, const char **name)
{
	FILE *in = stdin;

	if (strcmp(path, "-") != 0 && infile_open(e, path, &in) < 0) {
		if (e->code == ERR_USAGE)
			err_advise(e, "pipe what is written to it into '-'");
		return tool_blame_file(e);
	}
	*out = in;
	*name = in == stdin ? "standard input" : path;
	return 0;
}

void vs_closep(FILE **in)
{
	if (*in && *in != stdin)
		fclose(*in);
}

/* --- showing ------------------------------------------------------------------- */

int vs_print_routes_json(struct err *e, const struct route_list *routes)
{
	struct json *j = json_new(stdout);

	if (!j)
		return err_set(e, ENOMEM, "cannot write the output: out of memory");
	json_begin_object(j, NULL);
	view_json_routes(j, routes);
	json_end_object(j);
	json_free(j);
	return 0;
}

int vs_print_routes(struct err *e, const struct route_list *routes, bool as_json)
{
	if (as_json)
		return vs_print_routes_json(e, routes);
	for (size_t i = 0; i < routes->n; i++) {
		char text[ROUTE_STRLEN];

		puts(route_format(&routes->items[i], text));
	}
	return 0;
}

static bool is_off(const char *key)
{
	char value[SYSCTL_VALUE_MAX];
	struct err ignored;

	return sysctl_read(&ignored, key, value) == 0 && strcmp(value, "0") == 0;
}

/* The services are there, but without these no answer comes back through them. A script of many commands hears it once. */
void vs_warn_of_setup(bool has_ipv4, bool has_ipv6)
{
	static bool is_said;

	if (is_said)
		return;
	if (((has_ipv4 || has_ipv6) && is_off("net/ipv4/vs/conntrack")) ||
	    (has_ipv4 && is_off("net/ipv4/ip_forward")) ||
	    (has_ipv6 && is_off("net/ipv6/conf/all/forwarding"))) {
		is_said = true;
		fprintf(stderr,
			"%s: warning: this hub is not set up, clients may not get through; "
			"run 'sonm-gw-setup --apply'\n",
			vs_table.prog);
	}
}

void vs_warn_of_routes(const struct route_list *routes)
{
	bool has_ipv4 = false, has_ipv6 = false;

	for (size_t i = 0; i < routes->n; i++) {
		const struct route *r = &routes->items[i];

		if (r->kind == ROUTE_GATEWAY)
			*(r->public.addr.family == AF_INET6 ? &has_ipv6 : &has_ipv4) = true;
	}
	vs_warn_of_setup(has_ipv4, has_ipv6);
}
