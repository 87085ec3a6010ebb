/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Usage: readings, put together by container. */
#include "gwstat.h"

#include <string.h>

static int set_closed(struct err *e, struct container_usage *c, const struct closed_usage *closed)
{
	c->closed = malloc(sizeof(*closed));
	if (!c->closed)
		return err_set(e, ENOMEM, "out of memory");
	*c->closed = *closed;
	return 0;
}

static int find_closed(struct err *e, struct gateway *g, struct container_usage *c)
{
	struct closed_usage closed;

	if (store_ledger_sum(e, gateway_store(g), c->name, &closed.sum, &closed.n) < 0)
		return -e->code;
	return closed.n > 0 ? set_closed(e, c, &closed) : 0;
}

/* The ledger comes in the order of the containers, so one walk through both finds them all. */
static int walk_closed(struct err *e, struct gateway *g, struct usage *u)
{
	struct closed_walk *w;
	int ret = store_walk_closed(e, gateway_store(g), &w);

	if (ret < 0)
		return ret;
	for (size_t i = 0; ret >= 0 && i < u->n_containers; i++) {
		struct container_usage *c = &u->containers[i];
		struct closed_usage closed;

		ret = closed_walk_find(e, w, c->name, &closed.sum, &closed.n);
		if (ret > 0)
			ret = set_closed(e, c, &closed);
	}
	closed_walk_free(w);
	return ret < 0 ? ret : 0;
}

static bool is_repeated(const struct usage_query *q, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(q->names[k], q->names[i]) == 0)
			return true;
	return false;
}

/* The readings of the containers that are named, or of all. */
static int read_all(struct err *e, struct gateway *g, const struct usage_query *q, struct reading_list *out)
{
	if (q->n_names == 0)
		return gateway_read(e, g, NULL, out);
	for (size_t i = 0; i < q->n_names; i++) {
		const char *name = q->names[i];
		size_t n = out->n;

		if (is_repeated(q, i))
			continue;
		if (container_check(e, name) < 0 || gateway_read(e, g, name, out) < 0 ||
		    (out->n == n && gwstat_check_container(e, gateway_store(g), name) < 0))
			return -e->code;
	}
	return 0;
}

/* The readings from `first` on that are of the same container. */
static size_t same_container(const struct reading_list *list, size_t first)
{
	size_t n = 1;

	while (first + n < list->n &&
	       strcmp(list->items[first].container, list->items[first + n].container) == 0)
		n++;
	return n;
}

static int add_container(struct err *e, struct usage *u, const struct container_usage *c)
{
	if (base_reserve((void **)&u->containers, u->n_containers, sizeof(*c)) < 0)
		return err_set(e, ENOMEM, "out of memory");
	u->containers[u->n_containers++] = *c;
	return 0;
}

static bool has_container(const struct usage *u, const char *name)
{
	for (size_t i = 0; i < u->n_containers; i++)
		if (strcmp(u->containers[i].name, name) == 0)
			return true;
	return false;
}

/* Those named that have no route any more come with what is closed. */
static int group(struct err *e, const struct usage_query *q, struct usage *u)
{
	for (size_t i = 0, len; i < u->readings.n; i += len) {
		struct reading *first = &u->readings.items[i];
		struct container_usage c = { .name = first->container, .routes = first };

		c.n_routes = len = same_container(&u->readings, i);
		if (add_container(e, u, &c) < 0)
			return -e->code;
	}
	for (size_t i = 0; i < q->n_names; i++) {
		struct container_usage c = { .name = q->names[i] };

		if (!has_container(u, c.name) && add_container(e, u, &c) < 0)
			return -e->code;
	}
	return 0;
}

/* One query for all of them, or one for each that is named. */
static int find_all_closed(struct err *e, struct gateway *g, const struct usage_query *q, struct usage *u)
{
	if (q->n_names == 0)
		return walk_closed(e, g, u);
	for (size_t i = 0; i < u->n_containers; i++)
		if (find_closed(e, g, &u->containers[i]) < 0)
			return -e->code;
	return 0;
}

static int compare_name(const void *name, const void *container)
{
	return strcmp(name, ((const struct container_usage *)container)->name);
}

/* Is what is uncertain of this container shown? With no names they are all there, in order. */
static bool is_meant(const struct usage *u, const struct usage_query *q, const char *name)
{
	if (q->n_names > 0)
		return has_container(u, name);
	return q->whole_ledger || (u->n_containers > 0 && bsearch(name, u->containers, u->n_containers,
								  sizeof(*u->containers), compare_name));
}

static int find_uncertain(struct err *e, struct gateway *g, const struct usage_query *q, struct usage *u)
{
	size_t kept = 0;

	if (store_uncertain(e, gateway_store(g), NULL, INT64_MIN, &u->uncertain) < 0)
		return -e->code;
	for (size_t i = 0; i < u->uncertain.n; i++)
		if (is_meant(u, q, u->uncertain.items[i].container))
			u->uncertain.items[kept++] = u->uncertain.items[i];
	u->uncertain.n = kept;
	return 0;
}

static int total_of_all(struct err *e, struct gateway *g, struct usage *u)
{
	uint64_t n;

	if (store_ledger_sum(e, gateway_store(g), NULL, &u->total, &n) < 0)
		return -e->code;
	for (size_t i = 0; i < u->readings.n; i++)
		counters_add(&u->total, &u->readings.items[i].total);
	return 0;
}

static int read_stored(struct err *e, struct gateway *g, const struct usage_query *q, struct usage *u)
{
	if (read_all(e, g, q, &u->readings) < 0 || group(e, q, u) < 0 || find_all_closed(e, g, q, u) < 0)
		return -e->code;
	usage_sum_up(u);
	if (q->whole_ledger && total_of_all(e, g, u) < 0)
		return -e->code;
	if (find_uncertain(e, g, q, u) < 0 || store_last_checkpoint(e, gateway_store(g), &u->checkpoint) < 0)
		return -e->code;
	return gateway_is_counting(e, &u->counting);
}

int usage_read(struct err *e, struct gateway *g, const struct usage_query *q, struct usage *out)
{
	CLEANUP(usage_clear) struct usage u = { 0 };

	/* A route that closes while we read is either still open or in the ledger, never both. */
	if (store_begin_read(e, gateway_store(g)) < 0 || read_stored(e, g, q, &u) < 0) {
		store_rollback(gateway_store(g));
		return -e->code;
	}
	store_rollback(gateway_store(g)); /* who reads slowly must not keep others waiting */
	*out = u;
	u = (struct usage){ 0 };
	return 0;
}

void usage_clear(struct usage *u)
{
	for (size_t i = 0; i < u->n_containers + u->n_more; i++)
		free(u->containers[i].closed);
	reading_list_clear(&u->readings);
	uncertain_list_clear(&u->uncertain);
	free(u->containers);
	*u = (struct usage){ 0 };
}
