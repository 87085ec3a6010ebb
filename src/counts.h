/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * counts: what the kernel's services have counted, found by their keys. As
 * small as can be, for there are thousands. Pure; knows nothing of routes.
 */
#ifndef SONM_COUNTS_H
#define SONM_COUNTS_H

#include "service.h"

struct count {
	struct service_key key;
	struct counters counters;
	struct rates rates;
};

/* Zero is empty. */
struct counts {
	struct count *items; /* in the order in which they came */
	size_t n;
	uint32_t *places; /* where items are, from 1, by the hash of their key; 0: nowhere */
	size_t n_places;  /* a power of two */
};

/*
 * Takes a service's counters. If its key is there, the larger reading stays: a dump that
 * raced with changes may show a service twice. One of a firewall mark has no key: it is left out. -ENOMEM.
 */
int counts_add(struct err *e, struct counts *c, const struct service *s) MUST_CHECK;

/* The service's with this key, or NULL; until the next counts_add. */
const struct count *counts_find(const struct counts *c, const struct service_key *key);

void counts_clear(struct counts *c); /* a CLEANUP function */

#endif
