/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * host: prepares this host's kernel for the gateway, checks it, and takes it
 * back: a table of steps (step.h). Composes the adapters sysctl, module,
 * firewall, ipvs and store. Prints nothing.
 */
#ifndef SONM_HOST_H
#define SONM_HOST_H

#include "config.h"
#include "store.h"

enum step_status {
	STEP_OK,      /* as it should be */
	STEP_DIFFERS, /* present, another value */
	STEP_MISSING, /* a module, a rule or a kernel part is not there */
	STEP_UNKNOWN, /* cannot tell; why is in `why` */
};

struct step_report {
	char name[64];       /* stable: "net.ipv4.ip_forward", "module ip_vs", "snat ipv4" */
	const char *reason;  /* one line: what it is for; "" when only a record of it is left */
	char command[512];   /* what an admin would type; "": nothing */
	char via[32];        /* the program that it is done with: "iptables-legacy"; else "" */
	char present[1024];  /* the present value */
	char wanted[1024];   /* the value that it should have; for host_undo the former one */
	enum step_status status;
	bool report_only;    /* never changed by us */
	bool changed;        /* by this call; with dry_run: would be */
	bool pending;        /* by host_undo: cannot be put back yet, a later call will try again */
	char why[512];       /* for STEP_UNKNOWN, or what was left alone; else empty */
};

typedef void host_report(void *ctx, const struct step_report *r);

/*
 * All need CAP_NET_ADMIN (-EPERM). The reports are valid during the call only.
 *
 * Reports every step in order. Returns the number of steps that are not
 * STEP_OK (STEP_UNKNOWN not counted).
 */
int host_check(struct err *e, const struct config *c, host_report *report, void *ctx) MUST_CHECK;

/*
 * Makes every step that differs, records each former value before it changes
 * anything (unless dry_run, which changes nothing), and reports every step.
 * Takes the writer's lock; with dry_run s may be NULL. Stops at the first
 * failure: what was done stays and is recorded. Returns the number of changes.
 */
int host_apply(struct err *e, const struct config *c, struct store *s, bool dry_run,
	       host_report *report, void *ctx) MUST_CHECK;

/*
 * Puts back what host_apply recorded, newest first; what someone else changed
 * since is left alone (reported with `why`). Returns the number of changes.
 */
int host_undo(struct err *e, const struct config *c, struct store *s, bool dry_run,
	      host_report *report, void *ctx) MUST_CHECK;

/*
 * The kernel's services that no route of the state file owns, which nothing
 * here touches. None when IPVS is not in the kernel.
 */
int host_foreign(struct err *e, struct store *s, struct service_list *out) MUST_CHECK;

#endif
