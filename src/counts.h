/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * counts: what the kernel's services have counted, found by their keys. As
 * small as can be, for there are thousands. Pure; knows nothing of routes.
 */
#ifndef SONM_COUNTS_H
#define SONM_COUNTS_H

#include "service.h"

/* What one has counted. */
struct count {
	struct counters counters;
	struct rates rates;
	bool is_narrow; /* as in struct service */
};

/* Zero is empty. */
struct counts {
	struct counted *items; /* in the order in which they came */
	size_t n;
	struct rates *rates; /* of those that have any: most stand still at any time */
	size_t n_rates;
	uint32_t *places; /* where items are, from 1, by the hash of their key; 0: nowhere */
	size_t n_places;  /* a power of two */
	bool are_narrow;  /* all are of one kernel */
};

/*
 * Takes a service's counters. If its key is there, the larger reading stays: a dump that
 * raced with changes may show a service twice. One of a firewall mark has no key: it is left out. -ENOMEM.
 */
int counts_add(struct err *e, struct counts *c, const struct service *s) MUST_CHECK;

/* false: no service has this key. */
bool counts_find(const struct counts *c, const struct service_key *key, struct count *out) MUST_CHECK;

void counts_clear(struct counts *c); /* a CLEANUP function */

#endif
