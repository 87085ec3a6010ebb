/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sonm-gwstat: what the gateway's routes have transferred, per container and in sum. */
#include "gateway.h"
#include "table.h"
#include "tool.h"
#include "view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	OPT_RATE = TOOL_OPT_FIRST,
	OPT_TOTAL,
	OPT_CLOSED,
	OPT_EXACT,
	CMD_SHOW,
	CMD_CHECKPOINT,
};

static const int show_options[] = { OPT_RATE, OPT_TOTAL, OPT_CLOSED, OPT_EXACT, 'n', 0 };
static const int common_options[] = { 'j', 'c', 'h', TOOL_OPT_VERSION, TOOL_OPT_COMPLETE, 0 };

static const struct cmd_command commands[] = {
	{ CMD_SHOW, 0, "show", "[CONTAINER...] [--rate | --closed | --total] [--exact] [-j]",
	  "show what the routes have transferred (default)", 0, -1, show_options },
	{ CMD_CHECKPOINT, 0, "checkpoint", "",
	  "fold the kernel's counters into the account and finish closing routes", 0, 0, NULL },
	{ 0 },
};

static const struct cmd_option options[] = {
	{ OPT_RATE, 0, "rate", NULL, "show rates per second instead of totals", false, false },
	{ OPT_TOTAL, 0, "total", NULL, "show the sum only; without CONTAINER: of all there ever was", false, false },
	{ OPT_CLOSED, 0, "closed", NULL, "show the ledger: closed routes, one by one", false, false },
	{ OPT_EXACT, 0, "exact", NULL, "show exact numbers instead of K, M, G, T", false, false },
	{ 'n', 'n', "numeric", NULL, "as for ipvsadm: the output always is numeric", false, false },
	{ 'j', 'j', "json", NULL, "print JSON (always exact)", false, false },
	TOOL_COMMON_OPTIONS,
	{ 0 },
};

static const struct cmd_table table = {
	.prog = "sonm-gwstat",
	.summary = "shows what the gateway's routes have transferred",
	.section = "8",
	.commands = commands,
	.options = options,
	.common = common_options,
	.default_command = CMD_SHOW,
	.options_only = true, /* a container may be called "show" */
};

/* One container: its routes, and the sum of those that are closed. */
struct container_view {
	const char *name;
	const struct reading *readings;
	size_t n_readings;
	struct counters closed;
	uint64_t n_closed;
};

static struct counters sum_of(const struct container_view *v)
{
	struct counters sum = v->closed;

	for (size_t i = 0; i < v->n_readings; i++)
		counters_add(&sum, &v->readings[i].total);
	return sum;
}

static void rates_add(struct rates *sum, const struct rates *more)
{
	sum->cps += more->cps;
	sum->inpps += more->inpps;
	sum->outpps += more->outpps;
	sum->inbps += more->inbps;
	sum->outbps += more->outbps;
}

static struct rates rates_of(const struct container_view *v)
{
	struct rates sum = { 0 };

	for (size_t i = 0; i < v->n_readings; i++)
		rates_add(&sum, &v->readings[i].rates);
	return sum;
}

/* --- text -------------------------------------------------------------------- */

#define NAME_COLUMNS                                                                         \
	{ "Container", NULL, COLUMN_TEXT }, { "Port", NULL, COLUMN_TEXT },                   \
		{ "Endpoint", NULL, COLUMN_TEXT }, { "State", NULL, COLUMN_TEXT }

static const struct column total_columns[] = {
	NAME_COLUMNS,
	{ "Conns", NULL, COLUMN_COUNT },   { "InPkts", NULL, COLUMN_COUNT },   { "OutPkts", NULL, COLUMN_COUNT },
	{ "InBytes", NULL, COLUMN_COUNT }, { "OutBytes", NULL, COLUMN_COUNT },
};

static const struct column rate_columns[] = {
	NAME_COLUMNS,
	{ "CPS", NULL, COLUMN_COUNT },   { "InPPS", NULL, COLUMN_COUNT },  { "OutPPS", NULL, COLUMN_COUNT },
	{ "InBPS", NULL, COLUMN_COUNT }, { "OutBPS", NULL, COLUMN_COUNT },
};

/* How the containers are shown. */
struct output {
	struct table *table; /* NULL: JSON */
	struct json *json;
	bool rate;
};

static int add_counters(struct err *e, struct output *o, const char *name, const char *port,
			const char *endpoint, const char *state, const struct counters *c)
{
	return table_add(e, o->table,
			 (const union cell[]){ { .text = name }, { .text = port }, { .text = endpoint },
					       { .text = state }, { .count = c->conns }, { .count = c->inpkts },
					       { .count = c->outpkts }, { .count = c->inbytes },
					       { .count = c->outbytes } });
}

static int add_row(struct err *e, struct output *o, const char *const names[4], const struct counters *c,
		   const struct rates *r)
{
	/* Rates stand in the same places as the counters that they belong to. */
	const struct counters shown = { r->cps, r->inpps, r->outpps, r->inbps, r->outbps };

	return add_counters(e, o, names[0], names[1], names[2], names[3], o->rate ? &shown : c);
}

static const char *shown_state(const struct reading *r)
{
	if (r->route.kind == ROUTE_DIRECT)
		return "direct";
	return r->in_kernel ? route_state_name(&r->route) : "missing";
}

static int add_reading(struct err *e, struct output *o, const struct reading *r)
{
	char port[ROUTE_STRLEN], endpoint[ENDPOINT_STRLEN];

	return add_row(e, o,
		       (const char *const[]){ r->route.container,
					      route_port_format(r->route.cport, r->route.protocol, port),
					      endpoint_format(&r->route.public, endpoint), shown_state(r) },
		       &r->total, &r->rates);
}

/* The routes, the closed ones in one row, and their sum if there is something to add. */
static int add_container(struct err *e, struct output *o, const struct container_view *v)
{
	struct counters sum = sum_of(v);
	struct rates rates = rates_of(v);
	bool has_closed = v->n_closed > 0 && !o->rate;
	char n_closed[32];

	for (size_t i = 0; i < v->n_readings; i++)
		if (add_reading(e, o, &v->readings[i]) < 0)
			return -e->code;
	snprintf(n_closed, sizeof(n_closed), "%" PRIu64, v->n_closed);
	if (has_closed &&
	    add_row(e, o, (const char *const[]){ v->name, n_closed, "", "closed" }, &v->closed, &rates) < 0)
		return -e->code;
	if (v->n_readings + has_closed < 2)
		return 0;
	return add_row(e, o, (const char *const[]){ v->name, "sum", "", "" }, &sum, &rates);
}

/* --- JSON -------------------------------------------------------------------- */

static void json_amounts(struct output *o, const struct counters *c, const struct rates *r)
{
	if (o->rate)
		view_json_rates(o->json, r);
	else
		view_json_counters(o->json, c);
}

static void json_container(struct output *o, const struct container_view *v)
{
	struct counters sum = sum_of(v);
	struct rates rates = rates_of(v);
	struct json *j = o->json;

	json_begin_object(j, NULL);
	json_string(j, "container", v->name);
	json_begin_array(j, "routes");
	for (size_t i = 0; i < v->n_readings; i++) {
		const struct route *r = &v->readings[i].route;

		json_begin_object(j, NULL);
		view_json_name(j, r->container, r->cport, r->protocol, r->kind, &r->public);
		json_string(j, "state", route_state_name(r));
		json_bool(j, "in_kernel", v->readings[i].in_kernel);
		json_int(j, "opened_at", r->opened_at);
		json_amounts(o, &v->readings[i].total, &v->readings[i].rates);
		json_end_object(j);
	}
	json_end_array(j);
	if (!o->rate) {
		json_begin_object(j, "closed");
		json_uint(j, "routes", v->n_closed);
		view_json_counters(j, &v->closed);
		json_end_object(j);
	}
	json_begin_object(j, "total");
	json_amounts(o, &sum, &rates);
	json_end_object(j);
	json_end_object(j);
}

/* --- reading ----------------------------------------------------------------- */

static int find_closed(struct err *e, struct gateway *g, struct container_view *v)
{
	return store_ledger_sum(e, gateway_store(g), v->name, &v->closed, &v->n_closed);
}

/* The readings of the containers that are named, or of all. -ESRCH: one that never was. */
static int read_all(struct err *e, struct gateway *g, const struct cmd_line *line, struct reading_list *out)
{
	struct route_filter f = { .state = -1 };

	if (line->n_args == 0)
		return gateway_read(e, g, &f, out);
	for (size_t i = 0; i < line->n_args; i++) {
		struct container_view v = { .name = line->args[i] };
		size_t n = out->n;

		if (tool_is_repeated(line, i))
			continue;
		f.container = v.name;
		if (container_check(e, v.name) < 0 || gateway_read(e, g, &f, out) < 0 || find_closed(e, g, &v) < 0)
			return -e->code;
		if (out->n == n && v.n_closed == 0)
			return err_set(e, ERR_ABSENT, "no such container: %s; see 'sonm-gwstat --closed'", v.name);
	}
	return 0;
}

/* The readings from `first` on that are of the same container. */
static size_t same_container(const struct reading_list *list, size_t first)
{
	size_t n = 1;

	while (first + n < list->n &&
	       strcmp(list->items[first].route.container, list->items[first + n].route.container) == 0)
		n++;
	return n;
}

static int add_view(struct err *e, struct gateway *g, struct container_view *v, struct container_view **views,
		    size_t *n)
{
	if (find_closed(e, g, v) < 0)
		return -e->code;
	if (base_reserve((void **)views, *n, sizeof(*v)) < 0)
		return err_set(e, ENOMEM, "out of memory");
	(*views)[(*n)++] = *v;
	return 0;
}

/* Readings by container; those named that have no route any more come with what is closed. */
static int make_views(struct err *e, struct gateway *g, const struct cmd_line *line,
		      const struct reading_list *list, struct container_view **views, size_t *n)
{
	for (size_t i = 0, len; i < list->n; i += len) {
		struct container_view v = { .name = list->items[i].route.container, .readings = &list->items[i] };

		v.n_readings = len = same_container(list, i);
		if (add_view(e, g, &v, views, n) < 0)
			return -e->code;
	}
	for (size_t i = 0; i < line->n_args; i++) {
		struct container_view v = { .name = line->args[i] };
		bool shown = false;

		for (size_t k = 0; k < *n; k++)
			shown = shown || strcmp((*views)[k].name, v.name) == 0;
		if (!shown && add_view(e, g, &v, views, n) < 0)
			return -e->code;
	}
	return 0;
}

static int print_text(struct err *e, const struct cmd_line *line, const struct container_view *views, size_t n,
		      const struct counters *total, const struct rates *rates)
{
	struct output o = { .rate = cmd_has(line, OPT_RATE) };
	int ret = 0;

	o.table = o.rate ? table_new(rate_columns, ARRAY_LEN(rate_columns))
			 : table_new(total_columns, ARRAY_LEN(total_columns));
	if (!o.table)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; ret == 0 && i < n && !cmd_has(line, OPT_TOTAL); i++)
		ret = add_container(e, &o, &views[i]);
	if (ret == 0 && (n > 1 || cmd_has(line, OPT_TOTAL)))
		ret = add_row(e, &o, (const char *const[]){ "total", "", "", "" }, total, rates);
	if (ret == 0)
		table_print(o.table, stdout, cmd_has(line, OPT_EXACT));
	table_free(o.table);
	return ret;
}

static int print_json(struct err *e, const struct cmd_line *line, const struct container_view *views, size_t n,
		      const struct counters *total, const struct rates *rates)
{
	struct output o = { .json = json_new(stdout), .rate = cmd_has(line, OPT_RATE) };

	if (!o.json)
		return err_set(e, ENOMEM, "out of memory");
	json_begin_object(o.json, NULL);
	if (!cmd_has(line, OPT_TOTAL)) {
		json_begin_array(o.json, "containers");
		for (size_t i = 0; i < n; i++)
			json_container(&o, &views[i]);
		json_end_array(o.json);
	}
	json_begin_object(o.json, "total");
	json_amounts(&o, total, rates);
	json_end_object(o.json);
	json_end_object(o.json);
	json_free(o.json);
	return 0;
}

/* --total without names: containers that have no route any more count as well. */
static int add_whole_ledger(struct err *e, struct gateway *g, const struct reading_list *list,
			    struct counters *total)
{
	uint64_t n;

	if (store_ledger_sum(e, gateway_store(g), NULL, total, &n) < 0)
		return -e->code;
	for (size_t i = 0; i < list->n; i++)
		counters_add(total, &list->items[i].total);
	return 0;
}

static int run_show(struct err *e, struct gateway *g, const struct cmd_line *line)
{
	CLEANUP(reading_list_clear) struct reading_list list = { 0 };
	CLEANUP_FREE struct container_view *views = NULL;
	struct counters total = { 0 };
	struct rates rates = { 0 };
	size_t n = 0;

	/* A route that closes while we read is either still open or in the ledger, never both. */
	if (store_begin_read(e, gateway_store(g)) < 0 || read_all(e, g, line, &list) < 0 ||
	    make_views(e, g, line, &list, &views, &n) < 0)
		return -e->code;
	for (size_t i = 0; i < n; i++) {
		struct counters sum = sum_of(&views[i]);
		struct rates rate = rates_of(&views[i]);

		counters_add(&total, &sum);
		rates_add(&rates, &rate);
	}
	if (cmd_has(line, OPT_TOTAL) && line->n_args == 0 && add_whole_ledger(e, g, &list, &total) < 0)
		return -e->code;
	store_rollback(gateway_store(g)); /* who reads slowly must not keep others waiting */
	return cmd_has(line, 'j') ? print_json(e, line, views, n, &total, &rates)
				  : print_text(e, line, views, n, &total, &rates);
}

/* --- the ledger ---------------------------------------------------------------- */

static int run_closed(struct err *e, struct store *s, const struct cmd_line *line)
{
	CLEANUP(ledger_list_clear) struct ledger_list ledger = { 0 };

	if (line->n_args == 0 && store_ledger(e, s, NULL, &ledger) < 0)
		return -e->code;
	for (size_t i = 0; i < line->n_args; i++) {
		size_t n = ledger.n;

		if (tool_is_repeated(line, i))
			continue;
		if (container_check(e, line->args[i]) < 0 || store_ledger(e, s, line->args[i], &ledger) < 0)
			return -e->code;
		if (ledger.n == n)
			return err_set(e, ERR_ABSENT, "container %s has no closed route; see 'sonm-gwstat %s'",
				       line->args[i], line->args[i]);
	}
	return view_ledger(e, stdout, &ledger, cmd_has(line, 'j'), cmd_has(line, OPT_EXACT));
}

/* --- main ---------------------------------------------------------------------- */

static int check_views(struct err *e, const struct cmd_line *line)
{
	if (cmd_has(line, OPT_RATE) + cmd_has(line, OPT_CLOSED) + cmd_has(line, OPT_TOTAL) > 1)
		return err_set(e, ERR_USAGE, "--rate, --closed and --total are three views; choose one");
	return 0;
}

static int run_checkpoint(struct err *e, struct gateway *g, const struct cmd_line *line)
{
	int n = gateway_checkpoint(e, g);
	struct json *j;

	if (n < 0 || !cmd_has(line, 'j'))
		return n;
	j = json_new(stdout);
	if (!j)
		return err_set(e, ENOMEM, "out of memory");
	json_begin_object(j, NULL);
	json_int(j, "routes", n);
	json_end_object(j);
	json_free(j);
	return 0;
}

static int run(struct err *e, const struct cmd_line *line)
{
	CLEANUP(gateway_closep) struct gateway *g = NULL;
	bool checkpoint = line->command->id == CMD_CHECKPOINT;
	struct config c;

	if (check_views(e, line) < 0 || tool_config(e, line, &c) < 0 ||
	    gateway_open(e, &c, checkpoint ? STORE_UPDATE : STORE_READ, &g) < 0)
		return -e->code;
	if (checkpoint)
		return run_checkpoint(e, g, line);
	if (cmd_has(line, OPT_CLOSED))
		return run_closed(e, gateway_store(g), line);
	return run_show(e, g, line);
}

int main(int argc, char **argv)
{
	CLEANUP(cmd_line_free) struct cmd_line line = { 0 };
	struct err e;
	int status = tool_start(&table, argc, argv, &line);

	if (status >= 0)
		return status;
	if (run(&e, &line) < 0) {
		err_wrap(&e, "cannot %s", line.command->id == CMD_CHECKPOINT ? "take a checkpoint" : "show");
		return tool_end(table.prog, tool_fail(table.prog, &e));
	}
	return tool_end(table.prog, EXIT_DONE);
}
