/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "view.h"

#include "moment.h"
#include "table.h"

#include <string.h>

const char *view_kind(enum route_kind kind)
{
	return kind == ROUTE_DIRECT ? "direct" : "gateway";
}

static void json_endpoint(struct json *j, const struct endpoint *ep)
{
	char text[ADDR_STRLEN];

	json_string(j, "address", addr_format(&ep->addr, text));
	json_uint(j, "port", ep->port);
}

void view_json_name(struct json *j, const char *container, uint16_t cport, uint8_t protocol,
		    enum route_kind kind, const struct endpoint *public)
{
	json_string(j, "container", container);
	json_uint(j, "container_port", cport);
	json_string(j, "protocol", protocol_name(protocol));
	json_string(j, "kind", view_kind(kind));
	json_endpoint(j, public);
}

static void json_route(struct json *j, const struct route *r)
{
	json_begin_object(j, NULL);
	view_json_name(j, r->container, r->cport, r->protocol, r->kind, &r->public);
	json_string(j, "worker", r->worker[0] ? r->worker : NULL);
	json_string(j, "state", route_state_name(r));
	json_string(j, "scheduler", r->scheduler);
	json_uint(j, "persistence", r->persistence);
	json_begin_array(j, "real_servers");
	for (size_t i = 0; i < r->n_servers; i++) {
		json_begin_object(j, NULL);
		json_endpoint(j, &r->servers[i].real);
		json_uint(j, "weight", r->servers[i].weight);
		json_bool(j, "draining", server_is_draining(&r->servers[i]));
		json_end_object(j);
	}
	json_end_array(j);
	json_end_object(j);
}

void view_json_routes(struct json *j, const struct route_list *routes)
{
	json_begin_array(j, "routes");
	for (size_t i = 0; i < routes->n; i++)
		json_route(j, &routes->items[i]);
	json_end_array(j);
}

void view_json_counters(struct json *j, const struct counters *c)
{
	json_uint(j, "conns", c->conns);
	json_uint(j, "inpkts", c->inpkts);
	json_uint(j, "outpkts", c->outpkts);
	json_uint(j, "inbytes", c->inbytes);
	json_uint(j, "outbytes", c->outbytes);
}

void view_json_rates(struct json *j, const struct rates *r)
{
	json_uint(j, "cps", r->cps);
	json_uint(j, "inpps", r->inpps);
	json_uint(j, "outpps", r->outpps);
	json_uint(j, "inbps", r->inbps);
	json_uint(j, "outbps", r->outbps);
}

static void json_ledger(struct json *j, const struct ledger_list *ledger, const struct counters *total,
			const struct uncertain_list *uncertain)
{
	json_begin_object(j, NULL);
	json_begin_array(j, "closed");
	for (size_t i = 0; i < ledger->n; i++) {
		const struct ledger_entry *entry = &ledger->items[i];

		json_begin_object(j, NULL);
		view_json_name(j, entry->container, entry->cport, entry->protocol, entry->kind, &entry->public);
		json_int(j, "opened_at", entry->opened_at);
		json_int(j, "closed_at", entry->closed_at);
		view_json_counters(j, &entry->total);
		json_end_object(j);
	}
	json_end_array(j);
	json_begin_object(j, "total");
	view_json_counters(j, total);
	json_end_object(j);
	uncertain_json(j, uncertain);
	json_end_object(j);
}

static const struct column ledger_columns[] = {
	{ "Container", NULL, COLUMN_TEXT }, { "Port", NULL, COLUMN_TEXT },     { "Endpoint", NULL, COLUMN_TEXT },
	{ "Opened", NULL, COLUMN_TEXT },    { "Closed", NULL, COLUMN_TEXT },   { "Conns", NULL, COLUMN_COUNT },
	{ "InPkts", NULL, COLUMN_COUNT },   { "OutPkts", NULL, COLUMN_COUNT }, { "InBytes", NULL, COLUMN_COUNT },
	{ "OutBytes", NULL, COLUMN_COUNT },
};

static int add_line(struct err *e, struct table *t, const char *const names[5], const struct counters *c)
{
	return table_add(e, t,
			 (const union cell[]){ { .text = names[0] }, { .text = names[1] }, { .text = names[2] },
					       { .text = names[3] }, { .text = names[4] }, { .count = c->conns },
					       { .count = c->inpkts }, { .count = c->outpkts },
					       { .count = c->inbytes }, { .count = c->outbytes } });
}

static int add_entry(struct err *e, struct table *t, const struct ledger_entry *entry)
{
	char port[ROUTE_STRLEN], endpoint[ENDPOINT_STRLEN], opened[MOMENT_STRLEN], closed[MOMENT_STRLEN];

	return add_line(e, t,
			(const char *const[]){ entry->container,
					       route_port_format(entry->cport, entry->protocol, port),
					       endpoint_format(&entry->public, endpoint),
					       moment_format(entry->opened_at, opened),
					       moment_format(entry->closed_at, closed) },
			&entry->total);
}

static int fill_table(struct err *e, struct table *t, const struct ledger_list *ledger,
		      const struct counters *total)
{
	for (size_t i = 0; i < ledger->n; i++)
		if (add_entry(e, t, &ledger->items[i]) < 0)
			return -e->code;
	if (ledger->n < 2)
		return 0;
	return add_line(e, t, (const char *const[]){ "total", "", "", "", "" }, total);
}

int view_ledger(struct err *e, FILE *out, const struct ledger_list *ledger, const struct uncertain_list *uncertain,
		bool as_json, bool exact)
{
	struct table *t = as_json ? NULL : table_new(ledger_columns, ARRAY_LEN(ledger_columns));
	struct json *j = as_json ? json_new(out) : NULL;
	struct counters total = { 0 };
	int ret = t || j ? 0 : err_set(e, ENOMEM, "out of memory");

	for (size_t i = 0; i < ledger->n; i++)
		counters_add(&total, &ledger->items[i].total);
	if (j)
		json_ledger(j, ledger, &total, uncertain);
	if (t && (ret = fill_table(e, t, ledger, &total)) == 0) {
		table_print(t, out, exact);
		uncertain_text(out, uncertain);
	}
	table_free(t);
	json_free(j);
	return ret;
}
