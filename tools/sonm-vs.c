/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sonm-vs: adds, lists and removes virtual services; makes the kernel match the state file. */
#include "gateway.h"
#include "sysctl.h"
#include "table.h"
#include "tool.h"
#include "view.h"

#include <string.h>

enum {
	OPT_VIP = TOOL_OPT_FIRST,
	OPT_VPORT,
	OPT_WAIT,
	OPT_DRY_RUN,
	CMD_SYNC,
};

static const int add_options[] = { 't', 'u', OPT_VIP, OPT_VPORT, 's', 'w', 'p', 0 };
static const int delete_options[] = { 't', 'u', OPT_WAIT, 0 };
static const int list_options[] = { 'n', 0 };
static const int sync_options[] = { OPT_DRY_RUN, 0 };
static const int common_options[] = { 'j', 'c', 'h', TOOL_OPT_VERSION, TOOL_OPT_COMPLETE, 0 };

static const struct cmd_command commands[] = {
	{ 'A', 'A', "add", "CONTAINER (-t|-u) CPORT=ADDRESS:PORT... [--vip ADDRESS] [--vport PORT] "
	  "[-s SCHEDULER] [-w WEIGHT] [-p SECONDS]",
	  "publish ports of a container, all or none, and print their endpoints", 1, 1, add_options },
	{ 'D', 'D', "delete", "CONTAINER... [(-t|-u) CPORT...] [--wait]",
	  "stop a container's traffic and close its account", 1, -1, delete_options },
	{ 'L', 'L', "list", "[CONTAINER...] [-n]", "list the routes", 0, -1, list_options },
	{ CMD_SYNC, 0, "sync", "[--dry-run]", "make the kernel match the state file, and say what changes", 0, 0,
	  sync_options },
	{ 0 },
};

static const struct cmd_option options[] = {
	{ 't', 't', "tcp", "PORT", "a TCP port: CPORT=ADDRESS:PORT to add, CPORT to delete", true, false },
	{ 'u', 'u', "udp", "PORT", "a UDP port, likewise", true, false },
	{ OPT_VIP, 0, "vip", "ADDRESS", "the public address (default: from the configuration)", false, false },
	{ OPT_VPORT, 0, "vport", "PORT", "the public port (default: at random from the pool)", false, false },
	{ 's', 's', "scheduler", "NAME", "IPVS scheduler (default: from the configuration, wrr)", false, false },
	{ 'w', 'w', "weight", "WEIGHT", "weight of the real servers, 0-65535 (default: from the configuration, 100)",
	  false, false },
	{ 'p', 'p', "persistent", "SECONDS", "keep a client on its real server for so long", false, false },
	{ OPT_WAIT, 0, "wait", NULL, "wait for the last count and print the final totals", false, false },
	{ OPT_DRY_RUN, 0, "dry-run", NULL, "change nothing; exit 6 when there is a difference", false, false },
	{ 'n', 'n', "numeric", NULL, "as for ipvsadm: the output always is numeric", false, false },
	{ 'j', 'j', "json", NULL, "print JSON", false, false },
	TOOL_COMMON_OPTIONS,
	{ 0 },
};

static const struct cmd_table table = {
	.prog = "sonm-vs",
	.summary = "publishes ports of containers as IPVS virtual services on this hub",
	.section = "8",
	.commands = commands,
	.options = options,
	.common = common_options,
};

static uint8_t protocol_of(int option)
{
	return option == 'u' ? IPPROTO_UDP : IPPROTO_TCP;
}

static bool is_port_option(int option)
{
	return option == 't' || option == 'u';
}

static int print_routes_json(struct err *e, const struct route_list *routes)
{
	struct json *j = json_new(stdout);

	if (!j)
		return err_set(e, ENOMEM, "out of memory");
	json_begin_object(j, NULL);
	json_begin_array(j, "routes");
	for (size_t i = 0; i < routes->n; i++) {
		json_begin_object(j, NULL);
		view_json_route(j, &routes->items[i]);
		json_end_object(j);
	}
	json_end_array(j);
	json_end_object(j);
	json_free(j);
	return 0;
}

/* --- add -------------------------------------------------------------------- */

static int read_ports(struct err *e, const struct cmd_line *line, struct add_request *rq)
{
	for (size_t i = 0; i < line->n_values; i++) {
		struct port_spec *port = &rq->ports[rq->n_ports];

		if (!is_port_option(line->values[i].id))
			continue;
		port->protocol = protocol_of(line->values[i].id);
		if (port_spec_parse(e, line->values[i].value, port) < 0)
			return -e->code;
		rq->n_ports++;
	}
	return 0;
}

static int read_add_options(struct err *e, const struct cmd_line *line, struct add_request *rq,
			    struct addr *vip)
{
	uint64_t n;

	rq->weight = rq->persistence = -1;
	rq->scheduler = cmd_get(line, 's', NULL);
	if (cmd_has(line, OPT_VIP)) {
		if (addr_parse(e, cmd_get(line, OPT_VIP, NULL), vip) < 0)
			return err_wrap(e, "--vip");
		rq->vip = vip;
	}
	if (cmd_has(line, OPT_VPORT) && addr_parse_port(e, cmd_get(line, OPT_VPORT, NULL), &rq->vport) < 0)
		return err_wrap(e, "--vport");
	if (cmd_has(line, 'w')) {
		if (cmd_number(e, "weight", cmd_get(line, 'w', NULL), 0, 65535, &n) < 0)
			return -e->code;
		rq->weight = (int64_t)n;
	}
	if (cmd_has(line, 'p')) {
		/* The kernel keeps it in clock ticks, 32 bits of them. */
		if (cmd_number(e, "persistence", cmd_get(line, 'p', NULL), 1, 31536000 / 10, &n) < 0)
			return -e->code;
		rq->persistence = (int64_t)n;
	}
	return 0;
}

static bool is_off(const char *key)
{
	char value[SYSCTL_VALUE_MAX];
	struct err ignored;

	return sysctl_read(&ignored, key, value) == 0 && strcmp(value, "0") == 0;
}

/* The service is there, but without these no answer comes back through it. */
static void warn_of_setup(const struct route_list *routes)
{
	bool lacking = false;

	for (size_t i = 0; i < routes->n; i++) {
		const struct route *r = &routes->items[i];

		if (r->kind == ROUTE_GATEWAY)
			lacking = lacking || is_off("net/ipv4/vs/conntrack") ||
				  is_off(r->public.addr.family == AF_INET6 ? "net/ipv6/conf/all/forwarding"
									   : "net/ipv4/ip_forward");
	}
	if (lacking)
		fprintf(stderr, "%s: warning: this hub is not set up, clients may not get through; "
			"run 'sonm-gw-setup --apply'\n", table.prog);
}

static int run_add(struct err *e, const struct config *c, const struct cmd_line *line)
{
	CLEANUP_FREE struct port_spec *ports = calloc(line->n_values + 1, sizeof(*ports));
	CLEANUP(gateway_closep) struct gateway *g = NULL;
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	struct add_request rq = { .container = line->args[0], .ports = ports };
	struct addr vip;

	if (!ports)
		return err_set(e, ENOMEM, "out of memory");
	if (read_ports(e, line, &rq) < 0 || read_add_options(e, line, &rq, &vip) < 0 ||
	    gateway_open(e, c, STORE_WRITE, &g) < 0 || gateway_add(e, g, &rq, &routes) < 0)
		return err_wrap(e, "cannot add %.*s", CONTAINER_MAX, rq.container);
	warn_of_setup(&routes);
	if (cmd_has(line, 'j'))
		return print_routes_json(e, &routes);
	for (size_t i = 0; i < routes.n; i++) {
		char text[ROUTE_STRLEN];

		puts(route_format(&routes.items[i], text));
	}
	return EXIT_DONE;
}

/* --- delete ------------------------------------------------------------------ */

static int read_cport(struct err *e, const char *text, uint16_t *out)
{
	if (addr_parse_port(e, text, out) < 0)
		return err_advise(e, "to delete, name the container port alone: -t 80");
	return 0;
}

/* One container: all its routes, or those of the ports that are named. */
static int delete_container(struct err *e, struct gateway *g, const struct cmd_line *line,
			    const char *container, struct route_list *removed)
{
	struct route_filter f = { .container = container, .state = -1 };
	bool named = false;

	for (size_t i = 0; i < line->n_values; i++) {
		if (!is_port_option(line->values[i].id))
			continue;
		named = true;
		f.protocol = protocol_of(line->values[i].id);
		if (read_cport(e, line->values[i].value, &f.cport) < 0 || gateway_remove(e, g, &f, removed) < 0)
			return -e->code;
	}
	return named ? 0 : gateway_remove(e, g, &f, removed);
}

static int check_delete(struct err *e, const struct cmd_line *line)
{
	uint16_t cport;

	for (size_t i = 0; i < line->n_args; i++)
		if (container_check(e, line->args[i]) < 0)
			return -e->code;
	for (size_t i = 0; i < line->n_values; i++)
		if (is_port_option(line->values[i].id) && read_cport(e, line->values[i].value, &cport) < 0)
			return -e->code;
	return 0;
}

/* Moves the entry of this route to the list. */
static int take_entry(struct err *e, struct store *s, const struct route *r, struct ledger_list *out)
{
	CLEANUP(ledger_list_clear) struct ledger_list ledger = { 0 };

	if (store_ledger(e, s, r->container, &ledger) < 0)
		return -e->code;
	for (size_t i = 0; i < ledger.n; i++) {
		if (ledger.items[i].id != r->id)
			continue;
		if (base_reserve((void **)&out->items, out->n, sizeof(*out->items)) < 0)
			return err_set(e, ENOMEM, "out of memory");
		out->items[out->n++] = ledger.items[i];
	}
	return 0;
}

static int print_totals(struct err *e, struct store *s, const struct route_list *removed, bool as_json)
{
	CLEANUP(ledger_list_clear) struct ledger_list closed = { 0 };

	for (size_t i = 0; i < removed->n; i++)
		if (take_entry(e, s, &removed->items[i], &closed) < 0)
			return -e->code;
	return view_ledger(e, stdout, &closed, as_json, true);
}

static int wait_for_totals(struct err *e, struct gateway *g, const struct route_list *removed, bool as_json)
{
	CLEANUP_FREE int64_t *ids = calloc(removed->n + 1, sizeof(*ids));

	if (!ids)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < removed->n; i++)
		ids[i] = removed->items[i].id;
	if (gateway_settle(e, g, ids, removed->n) < 0)
		return -e->code;
	return print_totals(e, gateway_store(g), removed, as_json);
}

/* -t 80 -t 80 removes once and finds it closing the second time. */
static void drop_repeated(struct route_list *routes)
{
	size_t n = 0;

	for (size_t i = 0; i < routes->n; i++) {
		size_t k = 0;

		while (k < n && routes->items[k].id != routes->items[i].id)
			k++;
		if (k < n)
			route_clear(&routes->items[i]);
		else
			routes->items[n++] = routes->items[i];
	}
	routes->n = n;
}

/* Like rm: what is there goes, what is not is named, and the first failure is the exit status. */
static int run_delete(struct err *e, const struct config *c, const struct cmd_line *line)
{
	CLEANUP(gateway_closep) struct gateway *g = NULL;
	CLEANUP(route_list_clear) struct route_list removed = { 0 };
	struct err first = { 0 };

	if (check_delete(e, line) < 0 || gateway_open(e, c, STORE_UPDATE, &g) < 0)
		return err_wrap(e, "cannot delete");
	for (size_t i = 0; i < line->n_args; i++) {
		if (tool_is_repeated(line, i) || delete_container(e, g, line, line->args[i], &removed) == 0)
			continue;
		err_wrap(e, "cannot delete");
		if (first.code)
			tool_fail(table.prog, &first);
		first = *e;
	}
	drop_repeated(&removed);
	if (cmd_has(line, OPT_WAIT) && removed.n > 0) {
		if (wait_for_totals(e, g, &removed, cmd_has(line, 'j')) < 0) {
			if (first.code)
				tool_fail(table.prog, &first);
			return err_wrap(e, "deleted, but the final totals are not known yet");
		}
	} else if (cmd_has(line, 'j') && print_routes_json(e, &removed) < 0) {
		return -e->code;
	}
	*e = first;
	return -e->code;
}

/* --- list ---------------------------------------------------------------------- */

static const struct column list_columns[] = {
	{ "Container", NULL, COLUMN_TEXT },    { "Port", NULL, COLUMN_TEXT },
	{ "Endpoint", NULL, COLUMN_TEXT },     { "State", NULL, COLUMN_TEXT },
	{ "Scheduler", NULL, COLUMN_TEXT },    { "Real server", NULL, COLUMN_TEXT },
	{ "Weight", NULL, COLUMN_COUNT },
};

/* A line for each real server. */
static int list_route(struct err *e, struct table *t, const struct route *r)
{
	char port[ROUTE_STRLEN], endpoint[ENDPOINT_STRLEN], real[ENDPOINT_STRLEN];

	for (size_t i = 0; i < r->n_servers; i++) {
		union cell cells[] = {
			{ .text = r->container },
			{ .text = route_port_format(r->cport, r->protocol, port) },
			{ .text = endpoint_format(&r->public, endpoint) },
			{ .text = r->kind == ROUTE_DIRECT ? "direct" : route_state_name(r) },
			{ .text = r->scheduler },
			{ .text = endpoint_format(&r->servers[i].real, real) },
			{ .count = r->servers[i].weight },
		};

		if (table_add(e, t, cells) < 0)
			return -e->code;
	}
	return 0;
}

static int print_list(struct err *e, const struct route_list *routes)
{
	struct table *t = table_new(list_columns, ARRAY_LEN(list_columns));
	int ret = t ? 0 : err_set(e, ENOMEM, "out of memory");

	for (size_t i = 0; ret == 0 && i < routes->n; i++)
		ret = list_route(e, t, &routes->items[i]);
	if (ret == 0)
		table_print(t, stdout, true);
	table_free(t);
	return ret;
}

static int find_listed(struct err *e, struct store *s, const struct cmd_line *line, struct route_list *routes)
{
	struct route_filter f = { .state = -1 };

	if (line->n_args == 0)
		return store_routes(e, s, &f, routes);
	for (size_t i = 0; i < line->n_args; i++) {
		size_t n = routes->n;

		if (tool_is_repeated(line, i))
			continue;
		f.container = line->args[i];
		if (container_check(e, f.container) < 0 || store_routes(e, s, &f, routes) < 0)
			return -e->code;
		if (routes->n == n)
			return err_set(e, ERR_ABSENT, "no such container: %s; see 'sonm-vs -L'", f.container);
	}
	return 0;
}

static int run_list(struct err *e, const struct config *c, const struct cmd_line *line)
{
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(route_list_clear) struct route_list routes = { 0 };

	if (store_open(e, c->state, STORE_READ, &s) < 0 || find_listed(e, s, line, &routes) < 0)
		return err_wrap(e, "cannot list");
	return cmd_has(line, 'j') ? print_routes_json(e, &routes) : print_list(e, &routes);
}

/* --- sync ---------------------------------------------------------------------- */

static int print_sync_json(struct err *e, const struct change_list *changes,
			   const struct service_list *foreign, bool dry_run)
{
	struct json *j = json_new(stdout);

	if (!j)
		return err_set(e, ENOMEM, "out of memory");
	json_begin_object(j, NULL);
	json_bool(j, "dry_run", dry_run);
	json_begin_array(j, "changes");
	for (size_t i = 0; i < changes->n; i++) {
		char text[CHANGE_STRLEN];

		json_string(j, NULL, change_format(&changes->items[i], text));
	}
	json_end_array(j);
	json_begin_array(j, "foreign");
	for (size_t i = 0; i < foreign->n; i++) {
		char text[SERVICE_KEY_STRLEN];

		json_string(j, NULL, service_key_format(&foreign->items[i].key, text));
	}
	json_end_array(j);
	json_end_object(j);
	json_free(j);
	return 0;
}

static int print_sync(const struct change_list *changes, const struct service_list *foreign, bool dry_run)
{
	for (size_t i = 0; i < changes->n; i++) {
		char text[CHANGE_STRLEN];

		printf("%s%s\n", dry_run ? "would " : "", change_format(&changes->items[i], text));
	}
	for (size_t i = 0; i < foreign->n; i++) {
		char text[SERVICE_KEY_STRLEN];

		printf("leave alone %s: inside the pool, but not ours\n",
		       service_key_format(&foreign->items[i].key, text));
	}
	return 0;
}

static int run_sync(struct err *e, const struct config *c, const struct cmd_line *line)
{
	CLEANUP(gateway_closep) struct gateway *g = NULL;
	CLEANUP(sync_result_clear) struct sync_result found = { 0 };
	bool dry_run = cmd_has(line, OPT_DRY_RUN);
	struct err ignored;
	int n, printed;

	if (gateway_open(e, c, dry_run ? STORE_READ : STORE_UPDATE, &g) < 0)
		return err_wrap(e, "cannot sync");
	n = gateway_sync(e, g, dry_run, &found);
	/* What was done is said even if something failed after it. */
	printed = cmd_has(line, 'j') ? print_sync_json(n < 0 ? &ignored : e, &found.changes, &found.foreign, dry_run)
				     : print_sync(&found.changes, &found.foreign, dry_run);
	if (n < 0)
		return err_wrap(e, "cannot sync");
	if (printed < 0)
		return printed;
	return dry_run && n > 0 ? EXIT_DIFFERS : EXIT_DONE;
}

/* A negative errno, or an exit status. */
static int run(struct err *e, const struct cmd_line *line)
{
	struct config c;

	if (tool_config(e, line, &c) < 0)
		return -e->code;
	switch (line->command->id) {
	case 'A':
		return run_add(e, &c, line);
	case 'D':
		return run_delete(e, &c, line);
	case 'L':
		return run_list(e, &c, line);
	default:
		return run_sync(e, &c, line);
	}
}

int main(int argc, char **argv)
{
	CLEANUP(cmd_line_free) struct cmd_line line = { 0 };
	struct err e;
	int status = tool_start(&table, argc, argv, &line);

	if (status >= 0)
		return status;
	status = run(&e, &line);
	return tool_end(table.prog, status < 0 ? tool_fail(table.prog, &e) : status);
}
