/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * firewall: reads and changes the host's packet filter rules with the system's
 * own iptables programs. Knows which program this host uses and how to ask it;
 * not what a rule is for.
 */
#ifndef SONM_FIREWALL_H
#define SONM_FIREWALL_H

#include "program.h"
#include "rules.h"

#include <sys/socket.h>

struct firewall {
	sa_family_t family;
	char name[32]; /* "iptables", "ip6tables-legacy" */
	char path[PROGRAM_PATH_MAX];
	bool legacy;   /* the kernel's x_tables; else nf_tables behind the same commands */
};

/*
 * Finds the program for a family: plain iptables if this kernel takes rules
 * from it, else iptables-legacy; and that, too, if this host has rules in the
 * legacy tables and none of the plain one's. Where trying that is not allowed, as
 * in the sandbox of a service, the program with the name hint, if it is not "".
 * -ERR_NO_KERNEL: none of them works here.
 */
int firewall_find(struct err *e, sa_family_t family, const char *hint, struct firewall *out) MUST_CHECK;

/* Are legacy tables in use beside those of f, so that packets pass both? Then *out is their program. */
bool firewall_has_legacy_too(const struct firewall *f, struct firewall *out);

/* Has x_tables a table of this name? Does not bring it into being. Others than legacy: true. */
bool firewall_has_table(const struct firewall *f, const char *table);

/* Is any of these programs installed, whether it works or not? */
bool firewall_is_installed(void);

/* One of these programs by name, whether it is the one that firewall_find prefers or not. -ERR_NO_KERNEL. */
int firewall_named(struct err *e, const char *name, struct firewall *out) MUST_CHECK;

/*
 * The policy and rules of one chain, or with NULL of all. A table that was never used is empty; it
 * is not brought into being by asking.
 */
int firewall_list(struct err *e, const struct firewall *f, const char *table, const char *chain,
		  struct rule_list *out) MUST_CHECK;

/* Appends a rule ("-A CHAIN ..."). -ERR_NO_KERNEL: the kernel lacks the table, match or target. */
int firewall_add(struct err *e, const struct firewall *f, const char *table, const struct rule *r) MUST_CHECK;

/* The same as the first rule of its chain. */
int firewall_insert(struct err *e, const struct firewall *f, const char *table,
		    const struct rule *r) MUST_CHECK;

/* Deletes the first rule with exactly these words ("-A CHAIN ..." as listed). */
int firewall_delete(struct err *e, const struct firewall *f, const char *table,
		    const struct rule *r) MUST_CHECK;

#endif
