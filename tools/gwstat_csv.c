/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Usage and ledger as comma-separated values. */
#include "csv.h"
#include "gwstat.h"
#include "moment.h"
#include "view.h"

#define NAME_COLUMNS "container", "container_port", "protocol", "kind", "address", "port"
#define COUNTER_COLUMNS "conns", "inpkts", "outpkts", "inbytes", "outbytes"
#define RATE_COLUMNS "cps", "inpps", "outpps", "inbps", "outbps"

static void put_name(struct csv *c, const char *container, uint16_t cport, uint8_t protocol, enum route_kind kind,
		     const struct endpoint *public)
{
	char address[ADDR_STRLEN];

	csv_text(c, container);
	csv_uint(c, cport);
	csv_text(c, protocol_name(protocol));
	csv_text(c, view_kind(kind));
	csv_text(c, addr_format(&public->addr, address));
	csv_uint(c, public->port);
}

static void put_time(struct csv *c, int64_t at)
{
	char text[MOMENT_STRLEN];

	csv_text(c, moment_format(at, text));
}

static void put_counters(struct csv *c, const struct counters *n)
{
	csv_uint(c, n->conns);
	csv_uint(c, n->inpkts);
	csv_uint(c, n->outpkts);
	csv_uint(c, n->inbytes);
	csv_uint(c, n->outbytes);
}

/* The end of a line. */
static void put_amounts(struct csv *c, const struct usage_look *look, const struct counters *n, const struct rates *r)
{
	/* Rates stand in the same places as the counters that they belong to. */
	const struct counters rates = { r->cps, r->inpps, r->outpps, r->inbps, r->outbps };

	put_counters(c, look->rate ? &rates : n);
	csv_end_line(c);
}

static void put_header(struct csv *c, const struct usage_look *look)
{
	static const char *const names[] = { NAME_COLUMNS, "state", "routes", "opened_at" };
	static const char *const counters[] = { COUNTER_COLUMNS }, *const rates[] = { RATE_COLUMNS };

	for (size_t i = 0; i < ARRAY_LEN(names) && !look->total_only; i++)
		csv_text(c, names[i]);
	csv_line(c, look->rate ? rates : counters, ARRAY_LEN(counters));
}

static void put_route(struct csv *c, const struct usage_look *look, const struct reading *r)
{
	put_name(c, r->container, r->cport, r->protocol, r->kind, &r->public);
	csv_text(c, usage_state(r));
	csv_uint(c, 1);
	put_time(c, r->opened_at);
	put_amounts(c, look, &r->total, &r->rates);
}

/* All that are closed of a container in one line. */
static void put_closed(struct csv *c, const struct container_usage *u)
{
	csv_text(c, u->name);
	for (int i = 0; i < 5; i++)
		csv_text(c, NULL);
	csv_text(c, "closed");
	csv_uint(c, u->closed->n);
	csv_text(c, NULL);
	put_counters(c, &u->closed->sum);
	csv_end_line(c);
}

void usage_print_csv(FILE *out, const struct usage *u, const struct usage_look *look)
{
	struct csv c = { .out = out };

	put_header(&c, look);
	if (look->total_only)
		put_amounts(&c, look, &u->total, &u->rates);
	for (size_t i = 0; i < u->n_containers && !look->total_only; i++) {
		const struct container_usage *container = &u->containers[i];

		for (size_t k = 0; k < container->n_routes; k++)
			put_route(&c, look, &container->routes[k]);
		if (container->closed && !look->rate)
			put_closed(&c, container);
	}
}

void span_print_csv(FILE *out, const struct span *s, const struct usage_look *look)
{
	static const char *const header[] = { "container", "since", "until", COUNTER_COLUMNS };
	const struct span_row total = { .sum = s->total };
	const struct span_row *rows = look->total_only ? &total : s->rows;
	size_t n = look->total_only ? 1 : s->n, first = look->total_only; /* a total is no container's */
	struct csv c = { .out = out };

	csv_line(&c, header + first, ARRAY_LEN(header) - first);
	for (size_t i = 0; i < n; i++) {
		if (!look->total_only)
			csv_text(&c, rows[i].container);
		put_time(&c, s->covered.since);
		put_time(&c, s->covered.until);
		put_counters(&c, &rows[i].sum);
		csv_end_line(&c);
	}
}

void ledger_print_csv(FILE *out, const struct ledger_list *ledger)
{
	static const char *const header[] = { NAME_COLUMNS, "opened_at", "closed_at", COUNTER_COLUMNS };
	struct csv c = { .out = out };

	csv_line(&c, header, ARRAY_LEN(header));
	for (size_t i = 0; i < ledger->n; i++) {
		const struct ledger_entry *entry = &ledger->items[i];

		put_name(&c, entry->container, entry->cport, entry->protocol, entry->kind, &entry->public);
		put_time(&c, entry->opened_at);
		put_time(&c, entry->closed_at);
		put_counters(&c, &entry->total);
		csv_end_line(&c);
	}
}
