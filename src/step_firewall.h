/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * step_firewall: what the steps about the packet filter share (step_snat.c,
 * step_snat_undo.c, step_filter.c, step_filter_open.c). For these only.
 */
#ifndef SONM_STEP_FIREWALL_H
#define SONM_STEP_FIREWALL_H

#include "nft.h"
#include "snat.h"
#include "step.h"

/* Such steps' names end in "ipv4" or "ipv6". */
sa_family_t step_family(const char *name);

/* iptables for a family, and whether its legacy variant counts as well; ret < 0: there is none that works. */
const struct step_firewall *step_find_firewall(struct step_host *h, sa_family_t family);

/*
 * What nft says that there is. 1: that is *out; 0: nft is not installed, or this
 * kernel has no nf_tables: then out is empty.
 */
int step_list_ruleset(struct err *e, struct nft *nft, struct ruleset *out) MUST_CHECK;

/* The same, once in a run until step_host_refresh(); the rules are h's. */
const struct step_ruleset *step_ruleset(struct step_host *h);

/* Does nft work here for a family? -ERR_NO_KERNEL: no. */
int step_find_nft(struct err *e, struct step_host *h, sa_family_t family, struct nft *out) MUST_CHECK;

/*
 * For a restore that failed with ret: a program that is gone is no reason to
 * leave the other steps as they are, so that what it would undo is put off. 0,
 * or ret.
 */
int step_put_off(const struct err *e, int ret, struct step_report *r) MUST_CHECK;

/*
 * A program by whose name rules were made in a table, and the one for the other kind
 * of tables, if it is installed and lists that: the name may have meant that one then
 * (update-alternatives(1)). Returns how many they are.
 */
size_t step_variants(const struct firewall *fw, const char *table, struct firewall out[static 2]);

/* Was it made, or made again, since this host was booted? */
bool step_is_of_this_boot(const struct setup_record *rec);

/* What steps about SNAT report, and a record's former value begins with. */
#define NONE_OF_OURS "no rule of ours"
#define ONE_OF_OURS "a rule of ours"

/* step_snat_undo.c: before a rule of iptables is added, what else comes with it, for the record. */
int step_before_snat(struct err *e, const struct firewall *fw, char former[static 1024]) MUST_CHECK;

/* Deletes our table of nft, which is there. */
int step_delete_snat_table(struct err *e, const struct nft *nft, sa_family_t family) MUST_CHECK;

/* Has somebody put rules, which lack our comment, into our table of nft? */
bool step_snat_has_others(const struct ruleset *r, sa_family_t family);

/* As step_kind.restore. */
int step_restore_snat(struct err *e, const struct setup_record *rec, bool dry_run,
		      struct step_report *r) MUST_CHECK;

/* Between the commands of a step about the filter, in a report and in a record, as a shell has it. */
#define STEP_AND " && "

/* step_filter_open.c: as those of step_kind. */
int step_record_opening(struct err *e, const struct step_report *r, struct setup_record *rec) MUST_CHECK;
int step_set_opening(struct err *e, const struct step_report *r) MUST_CHECK;
int step_restore_opening(struct err *e, const struct setup_record *rec, bool dry_run,
			 struct step_report *r) MUST_CHECK;

#endif
