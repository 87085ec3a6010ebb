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

/* As /proc/sys/kernel/random/boot_id has it. */
#define BOOT_ID_MAX 36

struct account {
	struct counters base; /* earlier epochs */
	struct counters last; /* latest reading of this epoch */
	/*
	 * The boot in which this epoch began; "": nothing can have passed that is not
	 * known, as the service is missing, which has been noted, or its last count
	 * has been read.
	 */
	char boot[BOOT_ID_MAX + 1];
};

/* Why it is not known what passed after an epoch's latest reading. */
enum uncertain_why {
	UNCERTAIN_REMOVED, /* the service vanished in this boot */
	UNCERTAIN_RESET,   /* its counters went back */
	UNCERTAIN_REBOOT,
};

bool account_equal(const struct account *a, const struct account *b);

/* base + last. */
struct counters account_total(const struct account *a);

/*
 * A new reading of the present epoch. false: a counter went back; the epoch it
 * belonged to is over, and what it counted after its latest reading is not known.
 */
bool account_read(struct account *a, const struct counters *reading);

/* The kernel's service is gone: the next reading starts at zero. */
void account_end_epoch(struct account *a);

/* The service is about to be made, in this boot; an earlier epoch ends. */
void account_begin_epoch(struct account *a, const char *boot);

/*
 * What the kernel of this boot says: a reading, or NULL: the service is missing.
 * Reads it, or ends the epoch. true: *why what passed in it after its latest
 * reading is not known; that is said once.
 */
bool account_look(struct account *a, const char *boot, const struct counters *reading, enum uncertain_why *why);

/*
 * Kernels before 4.1 count connections and packets in 32 bits, and bytes in 64: makes a
 * reading of theirs one that has gone on since the account's latest. Where the bytes
 * went back it is another epoch's, and stays as it is.
 */
void account_widen(const struct account *a, struct counters *reading);

void counters_add(struct counters *sum, const struct counters *more);

/* What b has more than a; a must not have more. */
struct counters counters_minus(const struct counters *b, const struct counters *a);
bool counters_equal(const struct counters *a, const struct counters *b);

/* "removed", "reset", "reboot". */
const char *uncertain_why_name(enum uncertain_why why);

#endif
