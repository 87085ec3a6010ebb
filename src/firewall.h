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
 * from it, else iptables-legacy. -ERR_NO_KERNEL: none of them works here.
 */
int firewall_find(struct err *e, sa_family_t family, struct firewall *out) MUST_CHECK;

/* One of these programs by name, whether it is the one that firewall_find prefers or not. -ERR_NO_KERNEL. */
int firewall_named(struct err *e, const char *name, struct firewall *out) MUST_CHECK;

/*
 * The policy and rules of one chain. A table that was never used is empty; it
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
