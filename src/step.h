/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * step: one thing that the gateway needs of this host's kernel: how to look at
 * it, make it and put it back. For host only. A step's kind follows from its
 * name, so that a record in the state file is enough to undo it.
 */
#ifndef SONM_STEP_H
#define SONM_STEP_H

#include "firewall.h"
#include "host.h"
#include "ruleset.h"

/* What firewall_find and others said, which takes several programs to find out. */
struct step_firewall {
	int ret; /* its result; 1: not asked yet */
	struct err err;
	struct firewall firewall;
	bool has_legacy; /* packets pass these tables, too */
	struct firewall legacy;
	int nft_ret; /* does the kernel take rules from nft? 1: not asked yet */
	struct err nft_err;
};

/* What nft listed. */
struct step_ruleset {
	bool is_known;
	int ret; /* see step_list_ruleset() */
	struct err err;
	struct ruleset rules;
};

/* What the steps of one run share. */
struct step_host {
	const struct config *config;
	struct store *store;     /* what is ours; NULL: not known */
	const char *config_path; /* as in struct host_options */
	bool privileged;         /* has CAP_NET_ADMIN */
	bool opens;              /* as host_options.open_firewall */
	bool making;             /* what stands in the way is an error, not a finding */
	char content[4096];      /* of the file that was looked at last */
	struct step_firewall found[2]; /* IPv4, IPv6 */
	struct step_ruleset ruleset;
};

/* Others may have changed what was read for an earlier step, or we have: it is to be read again. */
void step_host_refresh(struct step_host *h);

struct step {
	char name[64];
	const char *reason, *detail, *manual; /* as in struct step_report */
	const char *wanted; /* for kernel settings with one right value; else NULL */
	const struct step_kind *kind;
};

/* Whether host_apply makes a step, or only reports it. */
enum step_makes {
	STEP_MAKES_ALWAYS,
	STEP_MAKES_IF_OPEN, /* only if the firewall may be opened (host_options.open_firewall) */
	STEP_MAKES_NEVER,
};

struct step_kind {
	bool lost_at_boot; /* what was set is gone after a boot, and so is what was there before */
	bool persists;     /* unless what --persist writes sets it again: then the record outlives the boot */
	const char *prefix; /* of the names of steps of this kind */
	enum step_makes makes;
	bool root_looks;    /* rules, which others may not read: some programs then say that there are none */
	const char *undo;   /* what `restore` does, for people; NULL: nothing is ever changed */

	/* Fills present, wanted, note, command, via and status; why for STEP_UNKNOWN. */
	int (*look)(struct err *e, struct step_host *h, const struct step *step, struct step_report *r);

	/*
	 * Fills in the record of what `look` found, to be stored before `set`;
	 * a record of an earlier run comes in filled and keeps its former value.
	 */
	int (*record)(struct err *e, const struct step_report *r, struct setup_record *rec);

	int (*set)(struct err *e, const struct step_report *r);

	/*
	 * Puts back what the record says, unless someone else changed it since
	 * (then why says so). Fills present, wanted and outcome; dry_run
	 * changes nothing.
	 */
	int (*restore)(struct err *e, const struct setup_record *rec, bool dry_run, struct step_report *r);
};

extern const struct step_kind step_module, step_sysctl, step_forwarding, step_forwarding6, step_ports,
	step_at_least, step_snat, step_filter, step_file, step_unit,
	step_reverse, step_addresses, step_strangers, step_listeners, step_usage;

#define STEPS_MAX 104

/*
 * The steps that this configuration needs, in the order in which they are made;
 * with persist those that make it survive a boot, too. Returns their number.
 */
size_t step_list(const struct config *c, bool persist, struct step steps[static STEPS_MAX]);

/* The kind of a recorded step; NULL: a later version's. */
const struct step_kind *step_kind_of(const char *name);

/* Does a configured address make this family's traffic pass through here? IPv4 always. */
bool step_uses_family(const struct config *c, sa_family_t family);

/* What step_sysctl does, for others whose name is that of a kernel setting. */
int step_record_once(struct err *e, const struct step_report *r, struct setup_record *rec) MUST_CHECK;
int step_look_at_sysctl(struct err *e, struct step_host *h, const struct step *step, struct step_report *r) MUST_CHECK;
/* A setting that is not there has no former value, and cannot be made. */
int step_record_sysctl(struct err *e, const struct step_report *r, struct setup_record *rec) MUST_CHECK;
int step_write_sysctl(struct err *e, const struct step_report *r) MUST_CHECK;
int step_restore_sysctl(struct err *e, const struct setup_record *rec, bool dry_run, struct step_report *r) MUST_CHECK;

/*
 * 1: the setting still has the value that we gave it and is to be put back; 0:
 * there is nothing to do, r->why says so if somebody changed it since. The
 * first word of a record's former value is the setting's own.
 */
int step_is_still_ours(struct err *e, const struct setup_record *rec, struct step_report *r) MUST_CHECK;

/* The names of the steps of step_reverse: one for each interface with an IPv4 address of the configuration. */
size_t step_reverse_names(const struct config *c, char names[][64], size_t max);

/* Is the reverse path filter strict with these values of conf/all and the interface? */
bool step_is_strict(const char *all, const char *own);

/* Does the pool overlap the value of ip_local_port_range? Then note says so, else it is "". */
bool step_overlap(const struct config *c, const char *range, char note[static 256]);

/* Of that many connections, is hardly any left? */
bool step_is_nearly_full(unsigned long count, unsigned long max);

/* What the restore of a setting does, for people. */
#define STEP_UNDO_SETTING "The value from before --apply is written back, unless somebody has changed it since."

/* Writes a text field of a struct; what does not fit is cut. */
#define step_text(field, ...) snprintf((field), sizeof(field), __VA_ARGS__)

#endif
