/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * world: routes that should be and services that are, for tests of plans.
 */
#ifndef SONM_WORLD_H
#define SONM_WORLD_H

#include "given.h"

#include <linux/ip_vs.h>

struct world {
	struct route_list desired;
	struct service_list actual;
};

static inline void world_clear(struct world *w)
{
	route_list_clear(&w->desired);
	service_list_clear(&w->actual);
}

/* The world then owns its destinations, and stays sorted. */
static inline void world_add_service(struct world *w, struct service s)
{
	struct err e;

	ck_assert_int_eq(service_list_add(&e, &w->actual, &s), 0);
	qsort(w->actual.items, w->actual.n, sizeof(s), service_compare);
}

static inline void given_destination(struct service *s, const char *real, uint32_t weight, uint32_t method)
{
	ck_assert_int_eq(base_reserve((void **)&s->destinations, s->n_destinations, sizeof(*s->destinations)), 0);
	s->destinations[s->n_destinations++] =
		(struct destination){ .real = given_endpoint(real), .weight = weight, .method = method };
}

static inline struct service given_service(const char *vip)
{
	return (struct service){ .key = given_key(IPPROTO_TCP, vip), .scheduler = "wrr" };
}

#endif
