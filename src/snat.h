/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * snat: the rules that give what IPVS forwards this host's own address: as a
 * rule of iptables, and as a table of our own of nft. Pure.
 */
#ifndef SONM_SNAT_H
#define SONM_SNAT_H

#include "config.h"
#include "ruleset.h"

/* Our rules' comment, for whoever makes them: nothing without it is ever removed. */
#define SNAT_TAG "sonm-gateway"

#define SNAT_CHAIN "POSTROUTING"
#define SNAT_TABLE "sonm_gateway" /* of nft */
#define SNAT_TEXT_MAX 1024
#define SNAT_COMMAND_MAX 2048

/* "ip" or "ip6", as nft calls it. */
const char *snat_family(sa_family_t family);

/* "MASQUERADE", or "SNAT --to-source ADDRESS" for the family of that address. */
void snat_target(const struct config *c, sa_family_t family, char target[static 96]);

/* "-A POSTROUTING ...". */
void snat_rule(const struct config *c, sa_family_t family, char text[static SNAT_TEXT_MAX]);

/*
 * What is to be in our table, as snat_describe says what there is. nft has no
 * match for IPVS; but what IPVS has forwarded is the traffic whose connection
 * was made to a VIP and a port of the pool, that leaves for another address all
 * the same, and that no DNAT has sent there. -E2BIG: too many VIPs.
 */
int snat_table(struct err *e, const struct config *c, sa_family_t family, const struct addr vips[], size_t n,
	       char text[static SNAT_TEXT_MAX]) MUST_CHECK;

/* Is this text of a table one that snat_table makes, for whichever VIPs, ports and address? */
bool snat_is_made(const char *text, sa_family_t family);

/* nft's commands, in one transaction, that make the table what that text says. */
int snat_commands(struct err *e, sa_family_t family, const char *text,
		  char commands[static SNAT_COMMAND_MAX]) MUST_CHECK;

/* What is in our table: the VIPs, and the rules. "no rule of ours" when it is not there. */
void snat_describe(const struct ruleset *r, sa_family_t family, char text[static SNAT_TEXT_MAX]);

#endif
