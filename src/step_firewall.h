/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * step_firewall: what the steps about the packet filter share (step_snat.c,
 * step_filter.c). For these only.
 */
#ifndef SONM_STEP_FIREWALL_H
#define SONM_STEP_FIREWALL_H

#include "step.h"

/* Marks our rules, as their comment: nothing without it is ever removed. */
#define STEP_TAG "sonm-gateway"

/* Such steps' names end in "ipv4" or "ipv6". */
sa_family_t step_family(const char *name);

/* The program for a family, named in r. NULL when there is none; then r->why says so. */
const struct firewall *step_find_firewall(struct step_host *h, sa_family_t family, struct step_report *r);

/* Deletes those of the listed rules of a chain that are ours. Returns how many, or would with dry_run. */
int step_delete_tagged(struct err *e, const struct firewall *fw, const char *table, const char *chain,
		       const struct rule_list *rules, bool dry_run) MUST_CHECK;

#endif
