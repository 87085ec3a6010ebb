/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What follows from a usage. It is not kept: it would be much memory, of thousands of containers. */
#include "gwstat.h"

static void rates_add(struct rates *sum, const struct rates *more)
{
	sum->cps += more->cps;
	sum->inpps += more->inpps;
	sum->outpps += more->outpps;
	sum->inbps += more->inbps;
	sum->outbps += more->outbps;
}

void container_sum_add(struct container_sum *sum, const struct reading *r)
{
	counters_add(&sum->total, &r->total);
	rates_add(&sum->rates, &r->rates);
}

struct container_sum container_sum(const struct container_usage *c)
{
	struct container_sum sum = { 0 };

	if (c->closed)
		sum.total = c->closed->sum;
	for (size_t i = 0; i < c->n_routes; i++)
		container_sum_add(&sum, &c->routes[i]);
	return sum;
}

void usage_add(struct usage *u, const struct container_sum *sum)
{
	counters_add(&u->total, &sum->total);
	rates_add(&u->rates, &sum->rates);
}

void usage_sum_up(struct usage *u)
{
	for (size_t i = 0; i < u->n_containers; i++) {
		const struct container_sum sum = container_sum(&u->containers[i]);

		usage_add(u, &sum);
	}
}

const char *usage_state(const struct reading *r)
{
	if (r->kind == ROUTE_DIRECT)
		return "direct";
	return r->in_kernel ? r->state : "missing";
}
