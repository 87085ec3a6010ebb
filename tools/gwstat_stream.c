/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Usage as JSON, printed while it is read: three walks by name, through routes, ledger and what is uncertain. */
#include "gwstat.h"

#include <string.h>

struct stream {
	struct json *json;
	const struct usage_look *look;
	char container[CONTAINER_MAX + 1]; /* whose routes come; "": nobody's yet */
	struct container_sum sum;          /* its, up to now */
	struct closed_walk *closed;
	struct uncertain_list uncertain; /* of all there ever were */
	size_t n_looked_at, n_kept;      /* of these */
	struct usage usage; /* what is not of one container; its uncertain ones are the first of these */
};

/* Keeps what is uncertain of a container that is shown; each one's name comes after the former's. */
static void keep_uncertain(struct stream *s)
{
	struct uncertain_list *list = &s->uncertain;

	for (int order = -1; s->n_looked_at < list->n && order <= 0; ) {
		order = strcmp(list->items[s->n_looked_at].container, s->container);
		if (order == 0)
			list->items[s->n_kept++] = list->items[s->n_looked_at];
		s->n_looked_at += order <= 0;
	}
}

static int end_container(struct err *e, struct stream *s)
{
	struct closed_usage closed = { 0 };

	if (s->container[0] == '\0')
		return 0;
	if (closed_walk_find(e, s->closed, s->container, &closed.sum, &closed.n) < 0)
		return -e->code;
	counters_add(&s->sum.total, &closed.sum);
	usage_json_container_end(s->json, s->look, &closed, &s->sum);
	usage_add(&s->usage, &s->sum);
	keep_uncertain(s);
	return 0;
}

/* A gateway_reading_fn */
static int put_reading(struct err *e, void *ctx, const struct reading *r)
{
	struct stream *s = ctx;

	if (strcmp(s->container, r->container) != 0) {
		if (end_container(e, s) < 0)
			return -e->code;
		strcpy(s->container, r->container);
		s->sum = (struct container_sum){ 0 };
		usage_json_container(s->json, s->container);
	}
	usage_json_route(s->json, s->look, r);
	container_sum_add(&s->sum, r);
	return 0;
}

static int put_all(struct err *e, struct gateway *g, struct stream *s)
{
	struct store *store = gateway_store(g);

	/* What can fail for all comes before anything is printed. */
	if (store_begin_read(e, store) < 0 || gateway_is_counting(e, &s->usage.counting) < 0 ||
	    store_uncertain(e, store, NULL, INT64_MIN, &s->uncertain) < 0 ||
	    store_walk_closed(e, store, &s->closed) < 0)
		return -e->code;
	usage_json_begin(s->json, s->look);
	if (gateway_each_reading(e, g, NULL, put_reading, s) < 0 || end_container(e, s) < 0)
		return -e->code;
	s->uncertain.n = s->n_kept;
	s->usage.uncertain = s->uncertain;
	usage_json_end(s->json, s->look, &s->usage);
	return 0;
}

int usage_stream_json(struct err *e, struct gateway *g, FILE *out, const struct usage_look *look)
{
	struct stream s = { .json = json_new(out), .look = look };
	int ret = s.json ? put_all(e, g, &s) : err_set(e, ENOMEM, "out of memory");

	(ret < 0 ? json_abandon : json_free)(s.json);
	closed_walk_free(s.closed);
	uncertain_list_clear(&s.uncertain);
	store_rollback(gateway_store(g));
	return ret;
}
