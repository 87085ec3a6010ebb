/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Usage in another order, or the first of it. */
#include "gwstat.h"

#include <string.h>

uint64_t usage_field(enum gwstat_field field, const struct counters *c, const struct rates *r)
{
	switch (field) {
	case FIELD_CONNS:
		return c->conns;
	case FIELD_INPKTS:
		return c->inpkts;
	case FIELD_OUTPKTS:
		return c->outpkts;
	case FIELD_INBYTES:
		return c->inbytes;
	case FIELD_OUTBYTES:
		return c->outbytes;
	case FIELD_BYTES:
		return c->inbytes + c->outbytes;
	case FIELD_CPS:
		return r->cps;
	case FIELD_INPPS:
		return r->inpps;
	case FIELD_OUTPPS:
		return r->outpps;
	case FIELD_INBPS:
		return r->inbps;
	case FIELD_OUTBPS:
		return r->outbps;
	case FIELD_BPS:
		return r->inbps + r->outbps;
	default:
		return 0;
	}
}

/* The larger first. */
static int compare(enum gwstat_field field, const struct counters *ca, const struct rates *ra,
		   const struct counters *cb, const struct rates *rb)
{
	uint64_t a = usage_field(field, ca, ra), b = usage_field(field, cb, rb);

	return (a < b) - (a > b);
}

static int compare_containers(const void *a, const void *b, void *by)
{
	const struct container_usage *ca = a, *cb = b;
	const struct container_sum sa = container_sum(ca), sb = container_sum(cb);
	int order = compare(*(enum gwstat_field *)by, &sa.total, &sa.rates, &sb.total, &sb.rates);

	return order ? order : strcmp(ca->name, cb->name);
}

static int compare_routes(const void *a, const void *b, void *by)
{
	const struct reading *ra = a, *rb = b;
	int order = compare(*(enum gwstat_field *)by, &ra->total, &ra->rates, &rb->total, &rb->rates);

	if (order == 0)
		order = ra->cport - rb->cport;
	return order ? order : ra->protocol - rb->protocol;
}

void usage_sort(struct usage *u, enum gwstat_field by)
{
	if (u->n_containers == 0)
		return;
	qsort_r(u->containers, u->n_containers, sizeof(*u->containers), compare_containers, &by);
	for (size_t i = 0; i < u->n_containers; i++) {
		struct container_usage *c = &u->containers[i];

		if (c->n_routes > 1)
			qsort_r(c->routes, c->n_routes, sizeof(*c->routes), compare_routes, &by);
	}
}

void usage_top(struct usage *u, size_t n)
{
	if (n >= u->n_containers)
		return;
	u->n_more += u->n_containers - n;
	u->n_containers = n;
}
