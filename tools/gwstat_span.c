/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --since, --until: what containers have transferred in a span of time. */
#include "gwstat.h"
#include "moment.h"
#include "table.h"
#include "view.h"

#include <stdio.h>
#include <string.h>

int gwstat_period(struct err *e, const struct cmd_line *line, int64_t now, struct period *inout)
{
	const char *since = cmd_get(line, OPT_SINCE, NULL), *until = cmd_get(line, OPT_UNTIL, NULL);
	struct period p = *inout;
	char from[MOMENT_STRLEN], to[MOMENT_STRLEN];

	if ((since && moment_parse(e, "--since", since, now, &p.since) < 0) ||
	    (until && moment_parse(e, "--until", until, now, &p.until) < 0))
		return -e->code;
	if (p.since >= p.until || p.since >= now)
		return err_set(e, ERR_USAGE,
			       "no time that has passed is between %s and %s; see --since and --until",
			       moment_format(p.since, from), moment_format(p.until, to));
	*inout = p;
	return 0;
}

static int cover_row(struct err *e, void *ctx, const struct traffic *t)
{
	struct period *p = ctx;

	(void)e;
	if (t->at < p->since)
		p->since = t->at;
	if (t->at + t->span > p->until)
		p->until = t->at + t->span;
	return 0;
}

int gwstat_cover(struct err *e, struct store *s, struct period *inout)
{
	struct period p = *inout;

	if (store_each_traffic(e, s, NULL, p.since, p.since + 1, cover_row, &p) < 0 ||
	    store_each_traffic(e, s, NULL, p.until - 1, p.until, cover_row, &p) < 0)
		return -e->code;
	*inout = p;
	return 0;
}

/* --- what there is ------------------------------------------------------------- */

static int add_row(struct err *e, struct span *s, const char *container, const struct counters *sum)
{
	struct span_row row = { .sum = *sum };

	snprintf(row.container, sizeof(row.container), "%s", container);
	if (base_reserve((void **)&s->rows, s->n, sizeof(row)) < 0)
		return err_set(e, ENOMEM, "out of memory");
	s->rows[s->n++] = row;
	return 0;
}

static int add_traffic(struct err *e, void *ctx, const struct traffic *t)
{
	return add_row(e, ctx, t->container, &t->sum);
}

/* What the state file does not have yet, and since when that may have passed. */
struct recent {
	struct span *span;
	int64_t checkpoint; /* the last one */
};

/* A gateway_reading_fn */
static int add_reading(struct err *e, void *ctx, const struct reading *r)
{
	const struct recent *recent = ctx;
	struct span *s = recent->span;
	int64_t since = r->opened_at > recent->checkpoint ? r->opened_at : recent->checkpoint;

	if (counters_equal(&r->recent, &(struct counters){ 0 }))
		return 0;
	if (since < s->covered.since)
		s->covered.since = since;
	return add_row(e, s, r->container, &r->recent);
}

static int add_recent(struct err *e, struct gateway *g, const char *container, struct span *s)
{
	struct recent recent = { .span = s };

	if (store_last_checkpoint(e, gateway_store(g), &recent.checkpoint) < 0)
		return -e->code;
	return gateway_each_reading(e, g, container, add_reading, &recent);
}

static int add_stored(struct err *e, struct gateway *g, const char *container, struct span *s)
{
	return store_each_traffic_sum(e, gateway_store(g), container, s->covered.since, s->covered.until, add_traffic,
				      s);
}

int gwstat_check_container(struct err *e, struct store *s, const char *container)
{
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	const struct route_filter f = { .container = container, .state = -1 };
	struct counters sum;
	uint64_t n_closed;

	if (store_routes(e, s, &f, &routes) < 0 || store_ledger_sum(e, s, container, &sum, &n_closed) < 0)
		return -e->code;
	if (routes.n == 0 && n_closed == 0)
		return err_set(e, ERR_ABSENT, "no such container: %s; see 'sonm-vs -L' and 'sonm-gwstat --closed'",
			       container);
	return 0;
}

static bool has_row(const struct span *s, const char *container)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->rows[i].container, container) == 0)
			return true;
	return false;
}

/* Who is named is shown, if there ever was such a one. */
static int add_quiet(struct err *e, struct gateway *g, const char *container, struct span *s)
{
	if (!container || has_row(s, container))
		return 0;
	if (container_check(e, container) < 0 || gwstat_check_container(e, gateway_store(g), container) < 0)
		return -e->code;
	return add_row(e, s, container, &(struct counters){ 0 });
}

/* Adds rows of a container (NULL: all). One that was busy at several times gets several. */
typedef int add_fn(struct err *e, struct gateway *g, const char *container, struct span *s);

static int add_each(struct err *e, struct gateway *g, const struct cmd_line *line, add_fn *add, struct span *s)
{
	int ret = line->n_args == 0 ? add(e, g, NULL, s) : 0;

	for (size_t i = 0; ret == 0 && i < line->n_args; i++)
		if (!tool_is_repeated(line, i))
			ret = add(e, g, line->args[i], s);
	return ret;
}

static int compare_rows(const void *a, const void *b)
{
	return strcmp(((const struct span_row *)a)->container, ((const struct span_row *)b)->container);
}

/* One row for each container, and the total. */
static void fold_rows(struct span *s)
{
	size_t n = 0;

	if (s->n > 0)
		qsort(s->rows, s->n, sizeof(*s->rows), compare_rows);
	for (size_t i = 0; i < s->n; i++) {
		counters_add(&s->total, &s->rows[i].sum);
		if (n > 0 && compare_rows(&s->rows[n - 1], &s->rows[i]) == 0)
			counters_add(&s->rows[n - 1].sum, &s->rows[i].sum);
		else
			s->rows[n++] = s->rows[i];
	}
	s->n = n;
}

/* What is recent may reach back further than what was asked for: what is covered is known first. */
static int read_span(struct err *e, struct gateway *g, const struct cmd_line *line, int64_t now,
		     struct span *s)
{
	struct store *store = gateway_store(g);

	if (gwstat_cover(e, store, &s->covered) < 0)
		return -e->code;
	if (s->covered.until > now &&
	    (add_each(e, g, line, add_recent, s) < 0 || gwstat_cover(e, store, &s->covered) < 0))
		return -e->code;
	if (add_each(e, g, line, add_stored, s) < 0 || add_each(e, g, line, add_quiet, s) < 0 ||
	    uncertain_read(e, store, line, &s->covered, &s->uncertain) < 0)
		return -e->code;
	return gateway_is_counting(e, &s->counting);
}

int span_read(struct err *e, struct gateway *g, const struct cmd_line *line, const struct period *p,
	      int64_t now, struct span *out)
{
	CLEANUP(span_clear) struct span s = { .covered = *p };
	int ret = store_begin_read(e, gateway_store(g));

	if (ret == 0)
		ret = read_span(e, g, line, now, &s);
	store_rollback(gateway_store(g)); /* who reads slowly must not keep others waiting */
	if (ret < 0)
		return ret;
	if (s.covered.until > now)
		s.covered.until = now;
	fold_rows(&s);
	*out = s;
	s = (struct span){ 0 };
	return 0;
}

void span_clear(struct span *s)
{
	uncertain_list_clear(&s->uncertain);
	free(s->rows);
	*s = (struct span){ 0 };
}

/* --- how it is shown ----------------------------------------------------------- */

static const struct column columns[] = {
	{ "Container", NULL, COLUMN_TEXT }, { "Conns", NULL, COLUMN_COUNT },
	{ "InPkts", NULL, COLUMN_COUNT },   { "OutPkts", NULL, COLUMN_COUNT },
	{ "InBytes", NULL, COLUMN_COUNT },  { "OutBytes", NULL, COLUMN_COUNT },
};

static int add_line(struct err *e, struct table *t, const char *name, const struct counters *c)
{
	return table_add(e, t,
			 (const union cell[]){ { .text = name }, { .count = c->conns }, { .count = c->inpkts },
					       { .count = c->outpkts }, { .count = c->inbytes },
					       { .count = c->outbytes } });
}

int span_print_text(struct err *e, FILE *out, const struct span *s, const struct usage_look *look)
{
	struct table *t = table_new(columns, ARRAY_LEN(columns));
	int ret = t ? 0 : err_set(e, ENOMEM, "out of memory");
	char from[MOMENT_STRLEN], to[MOMENT_STRLEN];

	for (size_t i = 0; ret == 0 && i < s->n && !look->total_only; i++)
		ret = add_line(e, t, s->rows[i].container, &s->rows[i].sum);
	if (ret == 0 && (s->n != 1 || look->total_only))
		ret = add_line(e, t, "total", &s->total);
	if (ret == 0) {
		fprintf(out, "From %s until %s\n", moment_format(s->covered.since, from),
			moment_format(s->covered.until, to));
		table_print(t, out, look->exact);
		uncertain_text(out, &s->uncertain);
	}
	table_free(t);
	return ret;
}

static void put_counters(struct json *j, const struct counters *c)
{
	json_begin_object(j, "total");
	view_json_counters(j, c);
	json_end_object(j);
}

int span_print_json(struct err *e, FILE *out, const struct span *s, const struct usage_look *look)
{
	struct json *j = json_new(out);

	if (!j)
		return err_set(e, ENOMEM, "out of memory");
	json_begin_object(j, NULL);
	json_int(j, "since", s->covered.since);
	json_int(j, "until", s->covered.until);
	if (!look->total_only) {
		json_begin_array(j, "containers");
		for (size_t i = 0; i < s->n; i++) {
			json_begin_object(j, NULL);
			json_string(j, "container", s->rows[i].container);
			put_counters(j, &s->rows[i].sum);
			json_end_object(j);
		}
		json_end_array(j);
	}
	put_counters(j, &s->total);
	json_bool(j, "counting", s->counting);
	uncertain_json(j, &s->uncertain);
	json_end_object(j);
	json_free(j);
	return 0;
}
