/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * worker: the model of a machine that runs containers: what it is behind, and
 * at which addresses it can be reached without this hub. Pure. Knows nothing of
 * routes, nor of where the knowledge comes from.
 */
#ifndef SONM_WORKER_H
#define SONM_WORKER_H

#include "addr.h"
#include "nat.h"
#include "route.h"

#define WORKER_ADDRESSES_MAX 16

struct worker {
	char name[CONTAINER_MAX + 1];
	enum nat_type nat;
	bool is_public; /* reached at its own addresses; false: through this hub */
	struct addr addresses[WORKER_ADDRESSES_MAX]; /* public ones, the likeliest first */
	size_t n_addresses;
	int64_t reported_at; /* seconds since 1970 */
};

struct worker_list {
	struct worker *items;
	size_t n;
};

/* A worker's name is made like a container's ID. -EINVAL. */
int worker_check_name(struct err *e, const char *name) MUST_CHECK;

/* A public worker has no NAT and an address; every address is unicast and there once. -EINVAL. */
int worker_check(struct err *e, const struct worker *w) MUST_CHECK;

/* Its first address of this family, or NULL. */
const struct addr *worker_address(const struct worker *w, sa_family_t family);

/* Is it reached in the same way: public or not, and if so at the same addresses? */
bool worker_same_place(const struct worker *a, const struct worker *b);

/* Appends a copy. -ENOMEM. */
int worker_list_add(struct err *e, struct worker_list *list, const struct worker *w) MUST_CHECK;

const struct worker *worker_find(const struct worker_list *list, const char *name); /* NULL: none */

void worker_list_clear(struct worker_list *list); /* a CLEANUP function */

#endif
