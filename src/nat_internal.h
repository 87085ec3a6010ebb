/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * nat_internal: public addresses and their votes, for nat.c, where every
 * reply has a vote, and nat_combine.c, where every server has.
 */
#ifndef SONM_NAT_INTERNAL_H
#define SONM_NAT_INTERNAL_H

#include "nat.h"

#define NAT_TALLY_MAX 64 /* 8 servers of 8 addresses */

/* All zero: empty. */
struct nat_tally {
	struct {
		struct endpoint seen; /* the first one with its address */
		unsigned votes;
	} items[NAT_TALLY_MAX];
	size_t n;
};

/* A vote for the address. When the tally is full an address that is new has none. */
void nat_tally_add(struct nat_tally *t, const struct endpoint *seen);

/* Has no address more votes than this one? False if it has none. */
bool nat_tally_leads(const struct nat_tally *t, const struct addr *a);

/* Writes v's public addresses: by votes; of those with as many, the one that was added first comes first. */
void nat_tally_list(const struct nat_tally *t, struct nat_verdict *v);

#endif
