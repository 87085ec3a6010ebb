/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host.h"
#include "ipvs.h"
#include "module.h"
#include "step.h"
#include "sysctl.h"

#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

static bool is_privileged(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	return syscall(SYS_capget, &header, data) == 0 &&
	       data[CAP_TO_INDEX(CAP_NET_ADMIN)].effective & CAP_TO_MASK(CAP_NET_ADMIN);
}

/* Asked for first, so that nothing is half done, or half known, for want of it. */
static int need_privilege(struct err *e)
{
	if (is_privileged())
		return 0;
	err_set(e, EPERM, "reading and changing the kernel's network settings needs CAP_NET_ADMIN");
	if (geteuid() == 0)
		return err_advise(e, "this root lacks it, as in a container: run it as root of the host, "
				  "or grant it");
	return err_advise(e, "run it as root");
}

/* The lock of a store, dropped at the end of the scope. */
static void unlockp(struct store **s)
{
	if (*s)
		store_unlock(*s);
}

static bool is_report_only(const struct step_kind *kind, bool opens)
{
	return kind->makes == STEP_MAKES_NEVER || (kind->makes == STEP_MAKES_IF_OPEN && !opens);
}

static void begin_report(const struct step *step, bool opens, struct step_report *r)
{
	*r = (struct step_report){
		.reason = step->reason,
		.detail = step->detail,
		.manual = step->manual,
		.undo = step->kind->undo ? step->kind->undo : "",
		.status = STEP_UNKNOWN,
		.report_only = is_report_only(step->kind, opens),
	};
	strcpy(r->name, step->name);
}

static struct step_host begin(const struct config *c, struct store *s, const struct host_options *o)
{
	const struct step_firewall unknown = { .ret = 1, .nft_ret = 1 };

	return (struct step_host){
		.config = c,
		.store = s,
		.config_path = o->config_path,
		.privileged = is_privileged(),
		.found = { unknown, unknown },
	};
}

/* Looks at a step. What went wrong is in the report as well. */
static int look(struct err *e, struct step_host *h, const struct step *step, struct step_report *r)
{
	int ret;

	begin_report(step, h->opens, r);
	if (step->kind->root_looks && !h->privileged) {
		strcpy(r->why, "only root can read the rules of the packet filter");
		return 0;
	}
	ret = step->kind->look(e, h, step, r);
	if (ret < 0) {
		r->status = STEP_UNKNOWN;
		step_text(r->why, "%.500s", e->msg);
	}
	return ret;
}

/* What was wanted once, as the records say, is wanted until it is undone. */
struct wishes {
	bool persist; /* the setup is to survive a boot */
	bool open;    /* others' filters are to be opened */
};

static int read_wishes(struct err *e, struct store *s, struct wishes *out)
{
	CLEANUP_FREE struct setup_record *records = NULL;
	size_t n = 0;

	if (s && store_setup_list(e, s, &records, &n) < 0)
		return -e->code;
	*out = (struct wishes){ 0 };
	for (size_t i = 0; i < n; i++) {
		const struct step_kind *kind = step_kind_of(records[i].step);

		out->persist |= kind == &step_file;
		out->open |= kind && kind->makes == STEP_MAKES_IF_OPEN;
	}
	return 0;
}

/* The steps in question, and how they are to be taken. *recorded, what was wanted before, may be NULL. */
static int list_steps(struct err *e, struct step_host *h, const struct host_options *o,
		      struct step steps[static STEPS_MAX], size_t *n, struct wishes *recorded)
{
	struct wishes found = { 0 };

	if (read_wishes(e, h->store, &found) < 0)
		return -e->code;
	*n = step_list(h->config, found.persist || o->persist, steps);
	h->opens = found.open || o->open_firewall;
	if (recorded)
		*recorded = found;
	return 0;
}

int host_list(struct err *e, const struct config *c, struct store *s, const struct host_options *o)
{
	struct step_host h = begin(c, s, o);
	struct step steps[STEPS_MAX];
	size_t n = 0;
	int ret = list_steps(e, &h, o, steps, &n, NULL);

	for (size_t i = 0; ret == 0 && i < n; i++) {
		struct step_report r;

		begin_report(&steps[i], h.opens, &r);
		o->report(o->ctx, &r);
	}
	return ret < 0 ? ret : (int)n;
}

int host_check(struct err *e, const struct config *c, struct store *s, const struct host_options *o)
{
	CLEANUP(step_host_refresh) struct step_host h = begin(c, s, o);
	struct step steps[STEPS_MAX];
	int differences = 0;
	size_t n = 0;
	int ret = o->unprivileged ? 0 : need_privilege(e);

	if (ret == 0)
		ret = list_steps(e, &h, o, steps, &n, NULL);
	for (size_t i = 0; ret == 0 && i < n; i++) {
		struct err told; /* in the report */
		struct step_report r;

		if (o->only && !o->only[i])
			continue;
		if (look(&told, &h, &steps[i], &r) == 0)
			differences += r.status == STEP_DIFFERS || r.status == STEP_MISSING;
		o->report(o->ctx, &r);
	}
	return ret < 0 ? ret : differences;
}

static int read_boot_id(struct err *e, char boot_id[static 37])
{
	char value[SYSCTL_VALUE_MAX];

	if (sysctl_read(e, "kernel/random/boot_id", value) < 0)
		return -e->code;
	snprintf(boot_id, 37, "%.36s", value);
	return 0;
}

/* The record is about another boot, and what it says was lost with that. */
static bool is_lost(const struct step_kind *kind, const struct setup_record *rec, const char *boot_id)
{
	return kind->lost_at_boot && rec->boot_id[0] && strcmp(rec->boot_id, boot_id) != 0;
}

/* A run of host_apply. */
struct run {
	struct step_host host;
	struct store *store;
	const struct host_options *options;
	struct wishes recorded; /* persist: files set again at boot what has been set */
	bool alone; /* the writer's lock is held over all steps */
	int changes;
	bool over; /* whoever was asked had enough */
};

static int put_record(struct err *e, struct store *s, const struct setup_record *rec)
{
	int ret = store_begin(e, s);

	if (ret == 0)
		ret = store_setup_put(e, s, rec);
	if (ret == 0)
		ret = store_commit(e, s);
	store_rollback(s);
	return ret;
}

static int forget(struct err *e, struct store *s, const char *step)
{
	int ret = store_begin(e, s);

	if (ret == 0)
		ret = store_setup_delete(e, s, step);
	if (ret == 0)
		ret = store_commit(e, s);
	store_rollback(s);
	return ret;
}

static int record(struct err *e, struct run *run, const struct step *step, const struct step_report *r)
{
	struct setup_record rec = { 0 };
	char boot_id[37];
	int ret = store_setup_get(e, run->store, step->name, &rec);

	if (ret < 0 || read_boot_id(e, boot_id) < 0)
		return -e->code;
	if (is_lost(step->kind, &rec, boot_id))
		rec = (struct setup_record){ 0 };
	strcpy(rec.step, step->name);
	strcpy(rec.boot_id, run->recorded.persist && step->kind->persists ? "" : boot_id);
	ret = step->kind->record(e, r, &rec);
	return ret < 0 ? ret : put_record(e, run->store, &rec);
}

/*
 * From the first file on, what has been set in this boot is there in later ones
 * as well, before we look: so its former value must outlive this boot.
 */
static int keep_records(struct err *e, struct run *run)
{
	CLEANUP_FREE struct setup_record *records = NULL;
	char boot_id[37];
	size_t n = 0;
	int ret = store_setup_list(e, run->store, &records, &n);

	if (ret == 0)
		ret = read_boot_id(e, boot_id);
	for (size_t i = 0; ret == 0 && i < n; i++) {
		const struct step_kind *kind = step_kind_of(records[i].step);

		if (!kind || !kind->persists || strcmp(records[i].boot_id, boot_id) != 0)
			continue;
		records[i].boot_id[0] = '\0';
		ret = put_record(e, run->store, &records[i]);
	}
	return ret;
}

static bool is_to_be_made(const struct step_report *r)
{
	return !r->report_only && (r->status == STEP_DIFFERS || r->status == STEP_MISSING);
}

/*
 * set() has failed. If it has changed nothing, nothing is ours: what somebody then
 * makes by hand, as the error may advise, is his, and undo is to leave it alone.
 */
static void forget_failure(struct run *run, const struct step *step, const struct step_report *before,
			   const struct setup_record *former, bool was_recorded)
{
	struct step_report now;
	struct err ignored;

	if (look(&ignored, &run->host, step, &now) < 0 || now.status != before->status ||
	    strcmp(now.present, before->present) != 0 || strcmp(now.command, before->command) != 0)
		return;
	if ((was_recorded ? put_record(&ignored, run->store, former)
			  : forget(&ignored, run->store, step->name)) < 0)
		return; /* it stays on record, which costs no more than before */
}

static int record_and_set(struct err *e, struct run *run, const struct step *step, const struct step_report *r)
{
	struct setup_record former = { 0 };
	int was_recorded = store_setup_get(e, run->store, step->name, &former), ret;

	if (was_recorded < 0)
		return was_recorded;
	ret = record(e, run, step, r);
	if (ret < 0)
		return ret;
	ret = step->kind->set(e, r);
	step_host_refresh(&run->host);
	if (ret < 0)
		forget_failure(run, step, r, &former, was_recorded > 0);
	return ret;
}

/*
 * Looks once more, as others may have come in between. Recorded before it is
 * changed: after a crash in between, undo finds the former value and does nothing.
 */
static int make_locked(struct err *e, struct run *run, const struct step *step, struct step_report *r)
{
	CLEANUP(unlockp) struct store *locked = NULL;
	int ret = run->alone ? 0 : store_lock(e, run->store);

	locked = ret == 0 && !run->alone ? run->store : NULL;
	step_host_refresh(&run->host);
	if (ret == 0)
		ret = look(e, &run->host, step, r);
	if (ret < 0 || !is_to_be_made(r))
		return ret;
	if (step->kind == &step_file)
		ret = keep_records(e, run);
	if (ret == 0)
		ret = record_and_set(e, run, step, r);
	if (ret == 0)
		r->outcome = STEP_CHANGED;
	return ret;
}

static int make(struct err *e, struct run *run, const struct step *step, struct step_report *r)
{
	const struct host_options *o = run->options;
	enum host_answer answer = HOST_MAKE;
	int ret = look(e, &run->host, step, r);

	if (ret < 0 && r->report_only) /* nothing that follows rests on it */
		return 0;
	if (ret < 0 || !is_to_be_made(r))
		return ret;
	if (o->ask)
		answer = o->ask(o->ctx, r);
	run->over = answer == HOST_QUIT;
	if (answer != HOST_MAKE)
		r->outcome = answer == HOST_SKIP ? STEP_SKIPPED : STEP_NOT_REACHED;
	else if (o->dry_run)
		r->outcome = STEP_CHANGED;
	else
		ret = make_locked(e, run, step, r);
	return ret;
}

static void say_failed(const struct err *e, struct step_report *r)
{
	r->outcome = STEP_FAILED;
	step_text(r->why, "%.500s", e->msg);
}

static int report_step(struct err *e, struct run *run, const struct step *step, bool reached)
{
	struct step_report r;
	int ret = 0;

	begin_report(step, run->host.opens, &r);
	if (!reached)
		r.outcome = STEP_NOT_REACHED;
	else
		ret = make(e, run, step, &r);
	if (ret < 0)
		say_failed(e, &r);
	run->changes += r.outcome == STEP_CHANGED;
	run->options->report(run->options->ctx, &r);
	return ret;
}

int host_apply(struct err *e, const struct config *c, struct store *s, const struct host_options *o)
{
	struct run run = { .host = begin(c, s, o), .store = s, .options = o };
	CLEANUP(unlockp) struct store *locked = NULL;
	struct step steps[STEPS_MAX];
	int ret = need_privilege(e);
	size_t n;

	/* What one step finds in its place, host_undo must not take away before the next one rests on it. */
	if (ret == 0 && !o->ask && !o->dry_run) {
		ret = store_lock(e, s);
		run.alone = ret == 0;
		locked = run.alone ? s : NULL;
	}
	if (ret < 0 || list_steps(e, &run.host, o, steps, &n, &run.recorded) < 0)
		return -e->code;
	run.host.making = true;
	for (size_t i = 0; i < n; i++) {
		bool reached = ret == 0 && !run.over;

		if (report_step(e, &run, &steps[i], reached) < 0)
			ret = -e->code;
	}
	step_host_refresh(&run.host);
	return ret < 0 ? ret : run.changes;
}

/* Of a step that is not among those of this configuration only the name is known. */
static void begin_record(const struct step steps[], size_t n, const char *name, struct step_report *r)
{
	*r = (struct step_report){ .reason = "", .detail = "", .manual = "", .undo = "" };
	for (size_t i = 0; i < n; i++)
		if (strcmp(steps[i].name, name) == 0)
			begin_report(&steps[i], true, r);
	strcpy(r->name, name);
}

static int take_back(struct err *e, struct store *s, const struct setup_record *rec, bool dry_run,
		     struct step_report *r)
{
	const struct step_kind *kind = step_kind_of(rec->step);
	char boot_id[37];
	int ret;

	if (!kind || !kind->restore)
		return err_set(e, ERR_CONFLICT,
			       "the state file records step '%s', which this version does not know; "
			       "undo it with the version that made it", rec->step);
	if (read_boot_id(e, boot_id) < 0)
		return -e->code;
	if (is_lost(kind, rec, boot_id))
		step_text(r->why, "what we had set was lost at a boot since");
	ret = r->why[0] ? 0 : kind->restore(e, rec, dry_run, r);
	if (ret == 0 && !dry_run && !r->pending)
		ret = forget(e, s, rec->step);
	return ret;
}

int host_undo(struct err *e, const struct config *c, struct store *s, const struct host_options *o)
{
	CLEANUP(unlockp) struct store *locked = NULL;
	CLEANUP_FREE struct setup_record *records = NULL;
	struct step steps[STEPS_MAX];
	size_t n_steps = step_list(c, true, steps), n = 0;
	int changes = 0;
	int ret = need_privilege(e);

	if (ret == 0 && !o->dry_run) {
		ret = store_lock(e, s);
		locked = ret == 0 ? s : NULL;
	}
	if (ret == 0)
		ret = store_setup_list(e, s, &records, &n);
	for (size_t i = 0; i < n; i++) {
		struct step_report r;

		begin_record(steps, n_steps, records[i].step, &r);
		if (ret < 0)
			r.outcome = STEP_NOT_REACHED;
		else
			ret = take_back(e, s, &records[i], o->dry_run, &r);
		if (ret < 0 && r.outcome != STEP_NOT_REACHED)
			say_failed(e, &r);
		changes += r.outcome == STEP_CHANGED;
		o->report(o->ctx, &r);
	}
	return ret < 0 ? ret : changes;
}

/* Appends those of all that are not marked in owned. */
static int add_unowned(struct err *e, const struct service_list *all, const bool *owned,
		       struct service_list *out)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < all->n; i++)
		if (!owned[i])
			ret = service_list_add(e, out, &all->items[i]);
	return ret;
}

int host_foreign(struct err *e, struct store *s, struct service_list *out)
{
	static const struct route_filter every = { .state = -1 };
	CLEANUP(ipvs_closep) struct ipvs *k = NULL;
	CLEANUP(service_list_clear) struct service_list all = { 0 };
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	CLEANUP_FREE bool *owned = NULL;
	int ret = module_present(e, "ip_vs");

	if (ret <= 0) /* asking for IPVS would load it */
		return ret;
	ret = ipvs_open(e, &k);
	if (ret == 0)
		ret = ipvs_list(e, k, false, &all);
	if (ret == 0)
		ret = store_routes(e, s, &every, &routes);
	if (ret < 0)
		return ret;
	owned = calloc(all.n + 1, sizeof(*owned));
	if (!owned)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < routes.n; i++) {
		struct service_key key = route_service_key(&routes.items[i]);
		const struct service *own = service_find(&all, &key);

		if (own)
			owned[own - all.items] = true;
	}
	return add_unowned(e, &all, owned, out);
}
