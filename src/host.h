/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * host: prepares this host's kernel for the gateway, checks it, and takes it
 * back: a table of steps (step.h). Composes the adapters sysctl, module,
 * firewall, systemd, outfile, hostnet, routing, interfaces, ipvs and store.
 * Prints nothing.
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

/* What a call did about a step. */
enum step_outcome {
	STEP_LEFT,        /* looked at; there was nothing to do, or nothing that we do */
	STEP_CHANGED,     /* with dry_run: would be */
	STEP_SKIPPED,     /* whoever was asked did not want it */
	STEP_FAILED,      /* the call ends with its error */
	STEP_NOT_REACHED, /* an earlier one failed, or whoever was asked had enough; not looked at */
};

struct step_report {
	char name[64];       /* stable: "net.ipv4.ip_forward", "module ip_vs", "snat ipv4" */
	const char *reason;  /* one line: what it is for; "" when only a record of it is left */
	const char *detail;  /* a paragraph for who wants to know more, one line; "" as above */
	const char *manual;  /* where others have written about it: "iptables-extensions(8), ipvs"; "" as above */
	const char *undo;    /* how host_undo puts it back; "" as above, or when there is nothing to put back */
	char command[4352];  /* what an admin would type; "": nothing */
	char via[32];        /* the program that it is done with: "iptables-legacy"; else "" */
	char present[4096];  /* the present value */
	char wanted[4096];   /* the value that it should have; for host_undo the former one */
	const char *content; /* of a file: the text that it should have; else NULL */
	char note[256];      /* how the wanted value comes about: "4 x 1001 ports x 2 addresses"; else "" */
	enum step_status status; /* as it was found; STEP_UNKNOWN for what was not looked at */
	enum step_outcome outcome;
	bool report_only;    /* not changed by this call, whatever it is */
	bool pending;        /* by host_undo: cannot be put back yet, a later call will try again */
	char why[512];       /* for STEP_UNKNOWN and STEP_FAILED, or what was left alone; else empty */
};

enum host_answer {
	HOST_MAKE,
	HOST_SKIP,
	HOST_QUIT, /* this one and all that follow are left */
};

/* Both: the report is valid during the call only. host_report may be called with the lock held: it must not wait. */
typedef void host_report(void *ctx, const struct step_report *r);
typedef enum host_answer host_ask(void *ctx, const struct step_report *r);

struct host_options {
	bool persist;       /* also what makes it survive a boot; without, if a record says that it does */
	const char *config_path; /* for what is started at boot, absolute; NULL: the default */
	bool dry_run;       /* change nothing, the state file neither */
	bool open_firewall; /* add the rules, too, that let the traffic through others' filters; without, if a record says so */
	bool unprivileged;  /* for host_check: who has no CAP_NET_ADMIN learns what can be learned without */
	const bool *only;   /* for host_check: a flag for each step of host_list; NULL: all */
	host_report *report;
	host_ask *ask;      /* for host_apply: before each change, without the lock; NULL: make all */
	void *ctx;          /* for both */
};

/*
 * Reports every step in question with its name and texts, in order, without
 * looking at any. s may be NULL. Returns their number.
 */
int host_list(struct err *e, const struct config *c, struct store *s, const struct host_options *o) MUST_CHECK;

/*
 * All that follow need CAP_NET_ADMIN (-EPERM), host_check unless unprivileged.
 *
 * Reports every step in order. Returns the number of steps that are not
 * STEP_OK (STEP_UNKNOWN not counted). s only knows what is ours; it may be NULL.
 */
int host_check(struct err *e, const struct config *c, struct store *s, const struct host_options *o) MUST_CHECK;

/*
 * Makes every step that differs, records each former value before it changes
 * anything, and reports every step. Holds the writer's lock from beginning to
 * end, as host_undo does; with ask only for each change, as somebody may think
 * for an hour, and with dry_run not at all: s may be NULL then. Stops at the first
 * failure: what was done stays and is recorded, the rest is reported as not
 * reached. Returns the number of changes.
 */
int host_apply(struct err *e, const struct config *c, struct store *s, const struct host_options *o) MUST_CHECK;

/*
 * Puts back what host_apply recorded, newest first; what someone else changed
 * since is left alone (reported with `why`). Stops at the first failure, as
 * host_apply does. Returns the number of changes.
 */
int host_undo(struct err *e, const struct config *c, struct store *s, const struct host_options *o) MUST_CHECK;

/*
 * The kernel's services that no route of the state file owns, which nothing
 * here touches. None when IPVS is not in the kernel.
 */
int host_foreign(struct err *e, struct store *s, struct service_list *out) MUST_CHECK;

#endif
