/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * nft: reads and changes the host's packet filter with nft(8). Knows how to ask
 * it; not what a rule is for.
 */
#ifndef SONM_NFT_H
#define SONM_NFT_H

#include "program.h"
#include "ruleset.h"

struct nft {
	char path[PROGRAM_PATH_MAX];
};

/* -ERR_NO_KERNEL: it is not installed. */
int nft_find(struct err *e, struct nft *out) MUST_CHECK;

/* Does this kernel take rules for NAT from it? -ERR_NO_KERNEL: no. Tried in a network namespace that is gone
 * at once. */
int nft_takes_rules(struct err *e, const struct nft *n, sa_family_t family) MUST_CHECK;

/* All that there is in this network namespace, but for the elements of sets that have a name. */
int nft_list(struct err *e, const struct nft *n, struct ruleset *out) MUST_CHECK;

/* One table, whole. */
int nft_list_table(struct err *e, const struct nft *n, const char *family, const char *table,
		   struct ruleset *out) MUST_CHECK;

/*
 * Runs commands, separated by ';', in one transaction. what: for errors, as in
 * "nft cannot ...". -ERR_NO_KERNEL: the kernel lacks something; -EPERM; -EIO.
 */
int nft_run(struct err *e, const struct nft *n, const char *what, const char *commands) MUST_CHECK;

#endif
