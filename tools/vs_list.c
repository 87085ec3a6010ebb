/* SPDX-License-Identifier: GPL-3.0-or-later */
/* -L: the routes as the state file has them. */
#include "vs.h"

#include "table.h"
#include "view.h"

static const struct column columns[] = {
	{ "Container", NULL, COLUMN_TEXT }, { "Port", NULL, COLUMN_TEXT },
	{ "Endpoint", NULL, COLUMN_TEXT },  { "State", NULL, COLUMN_TEXT },
	{ "Scheduler", NULL, COLUMN_TEXT }, { "Real server", NULL, COLUMN_TEXT },
	{ "Weight", NULL, COLUMN_COUNT },   { "Worker", NULL, COLUMN_TEXT },
};

/* Of one real server: one can drain while another one goes on. */
static const char *state_of(const struct route *r, const struct real_server *rs)
{
	if (r->state == ROUTE_OPEN && server_is_draining(rs))
		return "draining";
	return r->kind == ROUTE_DIRECT ? view_kind(r->kind) : route_state_name(r);
}

/* A store_route_fn: a line for each real server. */
static int add_lines(struct err *e, void *ctx, const struct route *r)
{
	char port[ROUTE_STRLEN], endpoint[ENDPOINT_STRLEN], real[ENDPOINT_STRLEN];
	struct table *t = ctx;

	route_port_format(r->cport, r->protocol, port);
	endpoint_format(&r->public, endpoint);
	for (size_t i = 0; i < r->n_servers; i++) {
		union cell cells[] = {
			{ .text = r->container },
			{ .text = port },
			{ .text = endpoint },
			{ .text = state_of(r, &r->servers[i]) },
			{ .text = r->scheduler },
			{ .text = endpoint_format(&r->servers[i].real, real) },
			{ .count = r->servers[i].weight },
			{ .text = r->worker },
		};

		if (table_add(e, t, cells) < 0)
			return -e->code;
	}
	return 0;
}

/* A store_route_fn */
static int add_route(struct err *e, void *ctx, const struct route *r)
{
	CLEANUP(route_clear) struct route copy = { 0 };

	return route_copy(e, r, &copy) < 0 ? -e->code : route_list_take(e, ctx, &copy);
}

/* Notes that there is a route, and passes it on. */
struct finder {
	store_route_fn *fn;
	void *ctx;
	bool any;
};

static int find_one(struct err *e, void *ctx, const struct route *r)
{
	struct finder *f = ctx;

	f->any = true;
	return f->fn(e, f->ctx, r);
}

/* Calls fn for each route that is asked for. */
static int find_listed(struct err *e, struct store *s, const struct cmd_line *line, store_route_fn *fn, void *ctx)
{
	if (line->n_args == 0)
		return store_each_route(e, s, NULL, fn, ctx);
	for (size_t i = 0; i < line->n_args; i++) {
		struct finder f = { .fn = fn, .ctx = ctx };
		const char *container = line->args[i];

		if (tool_is_repeated(line, i))
			continue;
		if (container_check(e, container) < 0 || store_each_route(e, s, container, find_one, &f) < 0)
			return -e->code;
		if (!f.any)
			return err_set(e, ERR_ABSENT, "no such container: %s; see 'sonm-vs -L'", container);
	}
	return 0;
}

static int print_json(struct err *e, struct store *s, const struct cmd_line *line)
{
	CLEANUP(route_list_clear) struct route_list routes = { 0 };

	if (find_listed(e, s, line, add_route, &routes) < 0)
		return -e->code;
	return vs_print_routes_json(e, &routes);
}

static int print_table(struct err *e, struct store *s, const struct cmd_line *line)
{
	struct table *t = table_new(columns, ARRAY_LEN(columns));
	int ret = t ? find_listed(e, s, line, add_lines, t) : err_set(e, ENOMEM, "out of memory");

	if (ret == 0)
		table_print(t, stdout, true);
	table_free(t);
	return ret;
}

int vs_list(struct err *e, const struct config *c, const struct cmd_line *line)
{
	CLEANUP(store_closep) struct store *s = NULL;
	int ret;

	if (cmd_has(line, OPT_STATS) || cmd_has(line, OPT_RATE))
		return err_set(e, ERR_USAGE, "what goes through is shown by sonm-gwstat; run 'sonm-gwstat%s'",
			       cmd_has(line, OPT_RATE) ? " --rate" : "");
	ret = store_open(e, c->state, STORE_READ, &s);
	if (ret == 0)
		ret = cmd_has(line, 'j') ? print_json(e, s, line) : print_table(e, s, line);
	return ret < 0 ? err_wrap(e, "cannot list") : 0;
}
