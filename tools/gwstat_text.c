/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Usage as a table, with ipvsadm's columns. */
#include "gwstat.h"
#include "table.h"
#include "view.h"

#include <stdio.h>

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

struct output {
	struct table *table;
	const struct usage_look *look;
};

static int add_row(struct err *e, struct output *o, const char *const names[4], const struct counters *c,
		   const struct rates *r)
{
	/* Rates stand in the same places as the counters that they belong to. */
	const struct counters rates = { r->cps, r->inpps, r->outpps, r->inbps, r->outbps };
	const struct counters *shown = o->look->rate ? &rates : c;

	return table_add(e, o->table,
			 (const union cell[]){ { .text = names[0] }, { .text = names[1] }, { .text = names[2] },
					       { .text = names[3] }, { .count = shown->conns },
					       { .count = shown->inpkts }, { .count = shown->outpkts },
					       { .count = shown->inbytes }, { .count = shown->outbytes } });
}

static int add_reading(struct err *e, struct output *o, const struct reading *r)
{
	char port[ROUTE_STRLEN], endpoint[ENDPOINT_STRLEN];

	return add_row(e, o,
		       (const char *const[]){ r->container,
					      route_port_format(r->cport, r->protocol, port),
					      endpoint_format(&r->public, endpoint), usage_state(r) },
		       &r->total, &r->rates);
}

/* The routes, the closed ones in one row, and their sum if there is something to add. */
static int add_container(struct err *e, struct output *o, const struct container_usage *c)
{
	bool has_closed = c->closed && !o->look->rate;
	const struct container_sum sum = container_sum(c);
	char n_closed[BASE_NUMBER_STRLEN];

	for (size_t i = 0; i < c->n_routes; i++)
		if (add_reading(e, o, &c->routes[i]) < 0)
			return -e->code;
	if (has_closed) {
		base_put_number(n_closed, c->closed->n);
		if (add_row(e, o, (const char *const[]){ c->name, n_closed, "", "closed" }, &c->closed->sum,
			    &sum.rates) < 0)
			return -e->code;
	}
	if (c->n_routes + has_closed < 2)
		return 0;
	return add_row(e, o, (const char *const[]){ c->name, "sum", "", "" }, &sum.total, &sum.rates);
}

int usage_print_text(struct err *e, FILE *out, const struct usage *u, const struct usage_look *look)
{
	struct output o = { .look = look };
	int ret = 0;

	o.table = look->rate ? table_new(rate_columns, ARRAY_LEN(rate_columns))
			     : table_new(total_columns, ARRAY_LEN(total_columns));
	if (!o.table)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; ret == 0 && i < u->n_containers && !look->total_only; i++)
		ret = add_container(e, &o, &u->containers[i]);
	if (ret == 0 && (u->n_containers + u->n_more > 1 || look->total_only))
		ret = add_row(e, &o, (const char *const[]){ "total", "", "", "" }, &u->total, &u->rates);
	if (ret == 0) {
		table_print(o.table, out, look->exact);
		if (u->n_more > 0 && !look->total_only)
			fprintf(out, "... and %zu more\n", u->n_more);
		uncertain_text(out, &u->uncertain);
	}
	table_free(o.table);
	return ret;
}
