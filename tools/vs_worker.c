/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --set-worker, --delete-worker and -L --workers: what is known of the workers. */
#include "vs.h"

#include "json.h"
#include "moment.h"
#include "report.h"
#include "similar.h"
#include "table.h"
#include "view.h"

#include <string.h>
#include <time.h>

#define ADDRESSES_STRLEN (WORKER_ADDRESSES_MAX * (ADDR_STRLEN + 2))

static const char *kind_of(const struct worker *w)
{
	return w->is_public ? "public" : "private";
}

/* "203.0.113.7, 2001:db8::7"; "" for none. Returns buf. */
static const char *format_addresses(const struct worker *w, char buf[static ADDRESSES_STRLEN])
{
	char text[ADDR_STRLEN], *end = buf;

	*end = '\0';
	for (size_t i = 0; i < w->n_addresses; i++)
		end += sprintf(end, "%s%s", i ? ", " : "", addr_format(&w->addresses[i], text));
	return buf;
}

static void json_worker(struct json *j, const char *key, const struct worker *w, size_t n_routes)
{
	json_begin_object(j, key);
	json_string(j, "name", w->name);
	json_string(j, "nat", nat_type_name(w->nat));
	json_string(j, "kind", kind_of(w));
	json_begin_array(j, "addresses");
	for (size_t i = 0; i < w->n_addresses; i++) {
		char text[ADDR_STRLEN];

		json_string(j, NULL, addr_format(&w->addresses[i], text));
	}
	json_end_array(j);
	if (w->reported_at > 0)
		json_int(j, "reported_at", w->reported_at);
	else
		json_null(j, "reported_at");
	json_uint(j, "routes", n_routes);
	json_end_object(j);
}

static int count_routes(struct err *e, struct store *s, const char *worker, size_t *out)
{
	CLEANUP(route_list_clear) struct route_list routes = { 0 };

	if (store_worker_routes(e, s, worker, &routes) < 0)
		return -e->code;
	*out = routes.n;
	return 0;
}

/* --- list ---------------------------------------------------------------------- */

static const struct column columns[] = {
	{ "Worker", NULL, COLUMN_TEXT },   { "NAT", NULL, COLUMN_TEXT },
	{ "Kind", NULL, COLUMN_TEXT },     { "Addresses", NULL, COLUMN_TEXT },
	{ "Reported", NULL, COLUMN_TEXT }, { "Routes", NULL, COLUMN_COUNT },
};

/* Where workers are listed: a table, or JSON. */
struct listing {
	struct store *store;
	struct table *table;
	struct json *json;
};

static int list_worker(struct err *e, const struct listing *l, const struct worker *w)
{
	char addresses[ADDRESSES_STRLEN], reported[MOMENT_STRLEN];
	size_t n = 0;

	if (count_routes(e, l->store, w->name, &n) < 0)
		return -e->code;
	if (l->json) {
		json_worker(l->json, NULL, w, n);
		return 0;
	}
	return table_add(e, l->table,
			 (const union cell[]){ { .text = w->name },
					       { .text = nat_type_text(w->nat) },
					       { .text = kind_of(w) },
					       { .text = format_addresses(w, addresses) },
					       { .text = w->reported_at > 0 ? moment_format(w->reported_at, reported) : "" },
					       { .count = n } });
}

static int list_workers(struct err *e, const struct listing *l, const struct worker_list *workers)
{
	for (size_t i = 0; i < workers->n; i++)
		if (list_worker(e, l, &workers->items[i]) < 0)
			return -e->code;
	return 0;
}

static int find_listed(struct err *e, struct store *s, const struct cmd_line *line, struct worker_list *out)
{
	if (line->n_args == 0)
		return store_workers(e, s, out);
	for (size_t i = 0; i < line->n_args; i++) {
		struct worker w;
		int found;

		if (tool_is_repeated(line, i))
			continue;
		if (worker_check_name(e, line->args[i]) < 0)
			return -e->code;
		found = store_worker(e, s, line->args[i], &w);
		if (found == 0)
			err_set(e, ERR_ABSENT, "no such worker: %s; see 'sonm-vs -L --workers'",
				line->args[i]);
		if (found <= 0 || worker_list_add(e, out, &w) < 0)
			return -e->code;
	}
	return 0;
}

static int print_workers(struct err *e, struct store *s, const struct worker_list *workers, bool as_json)
{
	struct listing l = { .store = s };
	int ret;

	l.table = as_json ? NULL : table_new(columns, ARRAY_LEN(columns));
	l.json = as_json ? json_new(stdout) : NULL;
	if (l.json) {
		json_begin_object(l.json, NULL);
		json_begin_array(l.json, "workers");
	}
	ret = l.table || l.json ? list_workers(e, &l, workers) : err_set(e, ENOMEM, "out of memory");
	if (l.json) {
		json_end_array(l.json);
		json_end_object(l.json);
	}
	if (l.table && ret == 0)
		table_print(l.table, stdout, true);
	table_free(l.table);
	json_free(l.json);
	return ret;
}

int vs_list_workers(struct err *e, const struct config *c, const struct cmd_line *line)
{
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(worker_list_clear) struct worker_list workers = { 0 };

	if (store_open(e, c->state, STORE_READ, &s) < 0 || find_listed(e, s, line, &workers) < 0 ||
	    print_workers(e, s, &workers, cmd_has(line, 'j')) < 0)
		return err_wrap(e, "cannot list");
	return 0;
}

/* --- set ------------------------------------------------------------------------ */

static int read_type(struct err *e, const char *word, enum nat_type *out)
{
	const char *nearest = NULL;

	if (nat_type_parse(e, word, out) == 0)
		return 0;
	for (int type = NAT_UNKNOWN; type <= NAT_SYMMETRIC_UDP_FIREWALL; type++)
		nearest = similar_nearer(word, nearest, nat_type_name((enum nat_type)type));
	err_wrap(e, "--nat");
	return nearest ? err_advise(e, "did you mean %s?", nearest) : -e->code;
}

static int read_addresses(struct err *e, const struct cmd_line *line, struct worker *w)
{
	for (size_t i = 0; i < line->n_values; i++) {
		if (line->values[i].id != OPT_ADDRESS)
			continue;
		if (w->n_addresses == WORKER_ADDRESSES_MAX)
			return err_set(e, ERR_USAGE, "a worker can have %d addresses at most; name fewer",
				       WORKER_ADDRESSES_MAX);
		if (addr_parse(e, line->values[i].value, &w->addresses[w->n_addresses]) < 0)
			return err_wrap(e, "--address");
		w->n_addresses++;
	}
	return 0;
}

static int read_options(struct err *e, const struct cmd_line *line, struct worker *w)
{
	if (read_type(e, cmd_get(line, OPT_NAT, NULL), &w->nat) < 0 || read_addresses(e, line, w) < 0)
		return -e->code;
	w->is_public = w->nat == NAT_NONE;
	if (w->is_public && w->n_addresses == 0)
		return err_set(e, ERR_USAGE,
			       "a worker without NAT is reached at its own address; add --address");
	if (!w->is_public && w->n_addresses > 0)
		return err_set(
			e, ERR_USAGE,
			"a worker behind a NAT or firewall is reached through this hub; leave out --address");
	return 0;
}

static int read_report(struct err *e, const struct cmd_line *line, struct worker *w)
{
	CLEANUP(vs_closep) FILE *in = NULL;
	const char *source;

	if (cmd_has(line, OPT_ADDRESS))
		return err_set(e, ERR_USAGE, "the report says the addresses; leave out --address");
	if (vs_open(e, cmd_get(line, OPT_REPORT, NULL), &in, &source) < 0)
		return -e->code;
	return report_read(e, in, source, w) < 0 ? tool_blame_file(e) : 0;
}

static int read_worker(struct err *e, const struct cmd_line *line, struct worker *w)
{
	const char *name = line->args[0];

	if (worker_check_name(e, name) < 0)
		return -e->code;
	if (cmd_has(line, OPT_REPORT) == cmd_has(line, OPT_NAT))
		return err_set(e, ERR_USAGE,
			       "say what the worker is behind: --report FILE or --nat TYPE, one of them");
	if ((cmd_has(line, OPT_REPORT) ? read_report(e, line, w) : read_options(e, line, w)) < 0)
		return -e->code;
	strcpy(w->name, name);
	w->reported_at = time(NULL);
	return worker_check(e, w);
}

static int print_set_json(struct err *e, const struct worker *w, const struct route_list *wrong,
			  size_t n_routes)
{
	struct json *j = json_new(stdout);

	if (!j)
		return err_set(e, ENOMEM, "cannot write the output: out of memory");
	json_begin_object(j, NULL);
	json_worker(j, "worker", w, n_routes);
	view_json_routes(j, wrong);
	json_end_object(j);
	json_free(j);
	return 0;
}

static void print_set(const struct worker *w, const struct route_list *wrong)
{
	char addresses[ADDRESSES_STRLEN];

	if (w->is_public)
		printf("%s: public, %s\n", w->name, format_addresses(w, addresses));
	else
		printf("%s: private (%s)\n", w->name, nat_type_text(w->nat));
	for (size_t i = 0; i < wrong->n; i++) {
		const struct route *r = &wrong->items[i];
		char port[ROUTE_STRLEN], endpoint[ENDPOINT_STRLEN];

		printf("%s %s at %s has to move\n", r->container,
		       route_port_format(r->cport, r->protocol, port), endpoint_format(&r->public, endpoint));
	}
	if (wrong->n > 0)
		printf("run 'sonm-vs --sync' to move %s\n", wrong->n == 1 ? "it" : "them");
}

int vs_set_worker(struct err *e, const struct config *c, const struct cmd_line *line)
{
	CLEANUP(gateway_closep) struct gateway *g = NULL;
	CLEANUP(route_list_clear) struct route_list wrong = { 0 };
	struct worker w = { 0 };
	int n_routes;

	if (read_worker(e, line, &w) < 0 || gateway_open(e, c, STORE_WRITE, &g) < 0 ||
	    (n_routes = gateway_set_worker(e, g, &w, &wrong)) < 0)
		return err_wrap(e, "cannot set worker");
	if (cmd_has(line, 'j'))
		return print_set_json(e, &w, &wrong, (size_t)n_routes);
	print_set(&w, &wrong);
	return 0;
}

int vs_delete_worker(struct err *e, const struct config *c, const struct cmd_line *line)
{
	CLEANUP(gateway_closep) struct gateway *g = NULL;

	if (worker_check_name(e, line->args[0]) < 0 || gateway_open(e, c, STORE_UPDATE, &g) < 0 ||
	    gateway_delete_worker(e, g, line->args[0]) < 0)
		return err_wrap(e, "cannot delete worker");
	return 0;
}
