/* SPDX-License-Identifier: GPL-3.0-or-later */
/* -D and -C: removes routes, at once or when their connections have ended, and shows their final account. */
#include "vs.h"

#include "progress.h"
#include "view.h"

#include <string.h>

#define DRAIN_MAX 86400 /* seconds */

struct deletion {
	struct port_spec *ports; /* none: all of a container's */
	size_t n_ports;
	int64_t drain; /* seconds, -1: at once */
	bool wait, as_json;
	struct gateway *g;
	struct route_list removed;
	struct err failed; /* with the code of the first failure and the message of the last */
};

static void deletion_clear(struct deletion *d)
{
	free(d->ports);
	gateway_close(d->g);
	route_list_clear(&d->removed);
}

static int read_line(struct err *e, const struct cmd_line *line, struct deletion *d)
{
	d->wait = cmd_has(line, OPT_WAIT);
	d->as_json = cmd_has(line, 'j');
	for (size_t i = 0; i < line->n_args; i++)
		if (container_check(e, line->args[i]) < 0)
			return -e->code;
	if (vs_ports(e, line, &d->ports, &d->n_ports) < 0)
		return -e->code;
	return vs_number(e, line, OPT_DRAIN, "--drain", DRAIN_MAX, &d->drain);
}

/* Keeps a failure until it is known whether it is the last one: that one the caller prints. */
static void keep_failure(struct deletion *d, const struct err *e)
{
	int code = d->failed.code ? d->failed.code : e->code;

	if (d->failed.code)
		tool_fail(vs_table.prog, &d->failed);
	d->failed = *e;
	d->failed.code = code;
}

/* --- the final account ----------------------------------------------------------- */

/* Of routes of one container: moves their entries to the list. One that stays open has none. */
static int take_entries(struct err *e, struct store *s, const struct route *routes, size_t n,
			struct ledger_list *out)
{
	CLEANUP(ledger_list_clear) struct ledger_list ledger = { 0 };
	struct ledger_filter f = LEDGER_ALL;

	f.container = routes[0].container;
	if (store_ledger(e, s, &f, &ledger) < 0)
		return -e->code;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < ledger.n; k++) {
			if (ledger.items[k].id != routes[i].id)
				continue;
			if (base_reserve((void **)&out->items, out->n, sizeof(*out->items)) < 0)
				return err_set(e, ENOMEM, "out of memory");
			out->items[out->n++] = ledger.items[k];
		}
	}
	return 0;
}

static int show_totals(struct err *e, struct deletion *d)
{
	CLEANUP(ledger_list_clear) struct ledger_list closed = { 0 };
	CLEANUP(uncertain_list_clear) struct uncertain_list uncertain = { 0 };
	const struct route *routes = d->removed.items;

	for (size_t first = 0, n; first < d->removed.n; first += n) {
		n = 1;
		while (first + n < d->removed.n &&
		       strcmp(routes[first].container, routes[first + n].container) == 0)
			n++;
		if (take_entries(e, gateway_store(d->g), &routes[first], n, &closed) < 0)
			return -e->code;
	}
	if (uncertain_of_closed(e, gateway_store(d->g), &closed, &uncertain) < 0)
		return -e->code;
	return view_ledger(e, stdout, &closed, &uncertain, d->as_json, true);
}

static int print_totals(struct err *e, struct deletion *d)
{
	return show_totals(e, d) < 0 ? err_wrap(e, "deleted, but the final totals cannot be shown") : 0;
}

/* The ids of what was removed; freed by the caller. */
static int64_t *removed_ids(struct err *e, const struct deletion *d)
{
	int64_t *ids = calloc(d->removed.n + 1, sizeof(*ids));

	if (!ids) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < d->removed.n; i++)
		ids[i] = d->removed.items[i].id;
	return ids;
}

static int wait_for_totals(struct err *e, struct deletion *d)
{
	CLEANUP_FREE int64_t *ids = removed_ids(e, d);

	if (!ids || gateway_settle(e, d->g, ids, d->removed.n) < 0)
		return err_wrap(e, "deleted, but the final totals are not known yet");
	return 0;
}

/* --- draining --------------------------------------------------------------------- */

/* It was to drain, and did not. */
static void say_why_at_once(const struct route *r)
{
	const char *done = r->state == ROUTE_CLOSING ? "closed" : "removed from it";
	const char *why = NULL;
	char port[ROUTE_STRLEN];

	if (r->kind == ROUTE_DIRECT)
		why = "the connections of a direct route are not known here";
	else if (r->protocol == IPPROTO_UDP)
		why = "UDP has no connections to wait for";
	if (why)
		fprintf(stderr, "%s: %s %s: %s, %s at once\n", vs_table.prog, r->container,
			route_port_format(r->cport, r->protocol, port), why, done);
}

static int wait_until_drained(struct err *e, struct deletion *d)
{
	CLEANUP_FREE int64_t *ids = removed_ids(e, d);

	if (!ids || gateway_wait_drained(e, d->g, ids, d->removed.n) < 0)
		return err_wrap(e, "draining goes on, but cannot be waited for");
	return 0;
}

/* What became of a route meanwhile. */
static int read_again(struct err *e, struct store *s, struct route *r)
{
	const struct route_filter f = {
		.container = r->container, .cport = r->cport, .protocol = r->protocol, .state = -1
	};
	CLEANUP(route_list_clear) struct route_list found = { 0 };

	if (store_routes(e, s, &f, &found) < 0)
		return -e->code;
	for (size_t i = 0; i < found.n; i++) {
		if (found.items[i].id != r->id)
			continue;
		route_clear(r);
		*r = found.items[i];
		found.items[i] = (struct route){ 0 };
		return 0;
	}
	r->state = ROUTE_CLOSING; /* closed, even */
	return 0;
}

static int read_all_again(struct err *e, struct deletion *d)
{
	for (size_t i = 0; i < d->removed.n; i++)
		if (read_again(e, gateway_store(d->g), &d->removed.items[i]) < 0)
			return -e->code;
	return 0;
}

/* --- what is removed ---------------------------------------------------------------- */

static int remove_matching(struct err *e, struct deletion *d, const struct route_filter *f,
			   const struct endpoint *real)
{
	if (d->drain >= 0)
		return gateway_drain(e, d->g, f, real, (uint32_t)d->drain, &d->removed);
	return real ? gateway_remove_server(e, d->g, f, real, &d->removed)
		    : gateway_remove(e, d->g, f, &d->removed);
}

/* These routes, or one real server of one of them. */
static int delete_matching(struct err *e, struct deletion *d, const struct route_filter *f,
			   const struct endpoint *real)
{
	size_t before = d->removed.n;

	if (remove_matching(e, d, f, real) < 0)
		return err_wrap(e, "cannot delete");
	for (size_t i = before; i < d->removed.n && d->drain >= 0; i++)
		say_why_at_once(&d->removed.items[i]);
	return 0;
}

static bool is_repeated_port(const struct deletion *d, size_t i)
{
	const struct port_spec *port = &d->ports[i];

	for (size_t k = 0; k < i; k++)
		if (d->ports[k].cport == port->cport && d->ports[k].protocol == port->protocol &&
		    d->ports[k].has_real == port->has_real && endpoint_equal(&d->ports[k].real, &port->real))
			return true;
	return false;
}

/* One container: all its routes, or what is named of them. */
static void delete_container(struct err *e, struct deletion *d, const char *container)
{
	struct route_filter f = { .container = container, .state = -1 };

	if (d->n_ports == 0 && delete_matching(e, d, &f, NULL) < 0)
		keep_failure(d, e);
	for (size_t i = 0; i < d->n_ports; i++) {
		const struct port_spec *port = &d->ports[i];

		f.cport = port->cport;
		f.protocol = port->protocol;
		if (!is_repeated_port(d, i) &&
		    delete_matching(e, d, &f, port->has_real ? &port->real : NULL) < 0)
			keep_failure(d, e);
	}
}

/* Two real servers are of one route; and it may have been closing already. */
static void drop_repeated(struct route_list *routes)
{
	size_t n = 0;

	for (size_t i = 0; i < routes->n; i++) {
		size_t k = 0;

		while (k < n && routes->items[k].id != routes->items[i].id)
			k++;
		if (k < n) /* what was said of it last is true */
			route_clear(&routes->items[k]);
		else
			n++;
		if (k < i) {
			routes->items[k] = routes->items[i];
			routes->items[i] = (struct route){ 0 };
		}
	}
	routes->n = n;
}

/* Waits as asked for, and prints. */
static int finish(struct err *e, struct deletion *d)
{
	drop_repeated(&d->removed);
	if (d->drain >= 0 && d->removed.n > 0 && wait_until_drained(e, d) < 0)
		return -e->code;
	if (d->wait && d->removed.n > 0)
		return wait_for_totals(e, d) < 0 ? -e->code : print_totals(e, d);
	if (!d->as_json)
		return 0;
	if (d->drain >= 0 && read_all_again(e, d) < 0)
		return err_wrap(e, "deleted, but what became of it is not known");
	return vs_print_routes_json(e, &d->removed);
}

/* Like rm: what is there goes, what is not is named, and the first failure is the exit status. */
int vs_delete(struct err *e, const struct config *c, const struct cmd_line *line)
{
	CLEANUP(deletion_clear) struct deletion d = { 0 };

	if (read_line(e, line, &d) < 0 || gateway_open(e, c, STORE_UPDATE, &d.g) < 0)
		return err_wrap(e, "cannot delete");
	for (size_t i = 0; i < line->n_args; i++)
		if (!tool_is_repeated(line, i))
			delete_container(e, &d, line->args[i]);
	if (finish(e, &d) < 0)
		keep_failure(&d, e);
	tool_warn_undone(vs_table.prog, gateway_undone(d.g));
	*e = d.failed;
	return -e->code;
}

/* --- clear ----------------------------------------------------------------------------- */

static const struct route_filter everything = { .state = -1 };

static int refuse_to_clear(struct err *e, const struct config *c)
{
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(route_list_clear) struct route_list routes = { 0 };

	if (store_open(e, c->state, STORE_READ, &s) < 0 || store_routes(e, s, &everything, &routes) < 0)
		return -e->code;
	return err_set(e, ERR_USAGE, "this would delete %zu route%s; to do it, add --yes", routes.n,
		       routes.n == 1 ? "" : "s");
}

/* Nothing being there is what was asked for. */
static int clear_all(struct err *e, struct deletion *d)
{
	CLEANUP(progress_end) struct progress bar = progress_start();

	gateway_on_progress(d->g, progress_tell, &bar);
	if (gateway_remove(e, d->g, &everything, &d->removed) < 0 && e->code != ERR_ABSENT)
		return -e->code;
	return d->wait && d->removed.n > 0 ? wait_for_totals(e, d) : 0;
}

int vs_clear(struct err *e, const struct config *c, const struct cmd_line *line)
{
	CLEANUP(deletion_clear) struct deletion d = { .drain = -1 };
	int ret;

	d.wait = cmd_has(line, OPT_WAIT);
	d.as_json = cmd_has(line, 'j');
	if (!cmd_has(line, OPT_YES))
		return refuse_to_clear(e, c) < 0 ? err_wrap(e, "cannot clear") : 0;
	if (gateway_open(e, c, STORE_UPDATE, &d.g) < 0)
		return err_wrap(e, "cannot clear");
	ret = clear_all(e, &d);
	tool_warn_undone(vs_table.prog, gateway_undone(d.g));
	if (ret < 0)
		return err_wrap(e, "cannot clear");
	if (d.wait)
		return print_totals(e, &d);
	if (d.as_json)
		return vs_print_routes_json(e, &d.removed);
	printf("deleted %zu route%s\n", d.removed.n, d.removed.n == 1 ? "" : "s");
	return 0;
}
