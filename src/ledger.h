/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ledger: the arithmetic of the account. Pure: readings in, totals out.
 *
 * An epoch is the life of one kernel service object, whose counters start at
 * zero and only grow. A route's total is what its earlier epochs transferred
 * plus the latest reading of the present one.
 */
#ifndef SONM_LEDGER_H
#define SONM_LEDGER_H

#include "base.h"

/* As IPVS counts: bytes are IP packet lengths; "in" is from the client. */
struct counters {
	uint64_t conns, inpkts, outpkts, inbytes, outbytes;
};

/* Per second, decaying averages (net/netfilter/ipvs/ip_vs_est.c). */
struct rates {
	uint64_t cps, inpps, outpps, inbps, outbps;
};

struct account {
	struct counters base; /* earlier epochs */
	struct counters last; /* latest reading of this epoch */
};

/* base + last. */
struct counters account_total(const struct account *a);

/* A new reading of the present epoch. If any counter went back, the epoch it belonged to is over. */
void account_read(struct account *a, const struct counters *reading);

/* The kernel's service is gone or about to be made anew: the next reading starts at zero. */
void account_end_epoch(struct account *a);

void counters_add(struct counters *sum, const struct counters *more);
bool counters_equal(const struct counters *a, const struct counters *b);

#endif
