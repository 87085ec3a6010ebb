/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Steps that are kernel modules and settings. */
#include "module.h"
#include "portset.h"
#include "step.h"
#include "sysctl.h"

#include <stdio.h>
#include <string.h>

static const char *module_of(const char *name)
{
	return name + strlen(step_module.prefix);
}

static int look_at_module(struct err *e, struct step_host *h, const struct step *step, struct step_report *r)
{
	int present = module_present(e, module_of(step->name));

	(void)h;
	if (present < 0)
		return present;
	r->status = present ? STEP_OK : STEP_MISSING;
	strcpy(r->present, present == MODULE_BUILT_IN ? "built in" : present ? "loaded" : "not loaded");
	strcpy(r->wanted, "loaded");
	step_text(r->command, "modprobe %s", module_of(step->name));
	return 0;
}

/* The former value is the one before our first change, whatever happened since. */
int step_record_once(struct err *e, const struct step_report *r, struct setup_record *rec)
{
	(void)e;
	if (!rec->applied[0])
		strcpy(rec->former, r->present);
	strcpy(rec->applied, r->wanted);
	return 0;
}

static int load_module(struct err *e, const struct step_report *r)
{
	const char *name = module_of(r->name);
	int ret = module_load(e, name);

	/* The one module whose name somebody has written. */
	if (ret == -ERR_NO_KERNEL && strncmp(name, "ip_vs_", 6) == 0)
		return err_advise(e, "or name another scheduler in the configuration");
	return ret;
}

static int unload_module(struct err *e, const struct setup_record *rec, bool dry_run, struct step_report *r)
{
	const char *name = module_of(rec->step);
	int present = module_present(e, name);
	int ret;

	if (present < 0)
		return present;
	strcpy(r->present, present == MODULE_BUILT_IN ? "built in" : present ? "loaded" : "not loaded");
	strcpy(r->wanted, "not loaded");
	if (present != MODULE_LOADED) /* another kernel than then may have it built in */
		return 0;
	ret = dry_run ? 0 : module_unload(e, name);
	if (ret == -EBUSY) {
		strcpy(r->why, "it is in use; run --undo again when it is not");
		r->pending = true;
		return 0;
	}
	r->outcome = ret == 0 ? STEP_CHANGED : STEP_LEFT;
	return ret;
}

const struct step_kind step_module = {
	.lost_at_boot = true,
	.persists = true,
	.prefix = "module ",
	.undo = "It is unloaded, unless it was loaded before --apply, or somebody uses it: then it stays, and a "
		"later --undo tries again. Modules that the kernel loaded along with it stay.",
	.look = look_at_module,
	.record = step_record_once,
	.set = load_module,
	.restore = unload_module,
};

/* "net.ipv4.ip_forward" is the file net/ipv4/ip_forward; a name with slashes may have dots that stay. */
static const char *key_of(const char *name, char key[static 64])
{
	char separator = strchr(name, '/') ? '/' : '.';
	size_t n = 0;

	for (; n < 63 && name[n]; n++)
		key[n] = name[n] == separator ? '/' : name[n];
	key[n] = '\0';
	return key;
}

/* Reads the present value. 1: it is in r->present; 0: this kernel has none (yet), r says so. */
static int read_present(struct err *e, const char *name, struct step_report *r)
{
	char key[64];
	int ret = sysctl_read(e, key_of(name, key), r->present);

	if (ret == -ENOENT) {
		strcpy(r->present, "not there");
		r->status = STEP_MISSING;
		return 0;
	}
	return ret < 0 ? ret : 1;
}

/* Some settings come with a module. */
static int explain_absence(struct err *e, const char *name)
{
	static const struct {
		const char *begins, *advice;
	} known[] = {
		{ "net.ipv4.vs.", "it comes with the module ip_vs: modprobe ip_vs" },
		{ "net.netfilter.", "it comes with the module nf_conntrack: modprobe nf_conntrack" },
		{ "net.ipv6.", "boot without ipv6.disable=1, or configure no IPv6 address" },
		{ "", "boot one that has it" },
	};
	size_t i = 0;

	while (strncmp(name, known[i].begins, strlen(known[i].begins)) != 0)
		i++;
	err_set(e, ERR_NO_KERNEL, "this kernel has no setting %s", name);
	return err_advise(e, "%s", known[i].advice);
}

int step_record_sysctl(struct err *e, const struct step_report *r, struct setup_record *rec)
{
	return r->status == STEP_MISSING ? explain_absence(e, r->name) : step_record_once(e, r, rec);
}

int step_look_at_sysctl(struct err *e, struct step_host *h, const struct step *step, struct step_report *r)
{
	int ret = read_present(e, step->name, r);

	(void)h;
	if (ret < 0)
		return ret;
	strcpy(r->wanted, step->wanted);
	step_text(r->command, "sysctl -w %s=%s", step->name, step->wanted);
	if (ret > 0)
		r->status = strcmp(r->present, r->wanted) == 0 ? STEP_OK : STEP_DIFFERS;
	return 0;
}

int step_write_sysctl(struct err *e, const struct step_report *r)
{
	char key[64];
	int ret = sysctl_write(e, key_of(r->name, key), r->wanted);

	return ret == -ENOENT ? explain_absence(e, r->name) : ret;
}

int step_is_still_ours(struct err *e, const struct setup_record *rec, struct step_report *r)
{
	int ret = read_present(e, rec->step, r);

	step_text(r->wanted, "%.*s", (int)strcspn(rec->former, " "), rec->former);
	if (ret <= 0 || strcmp(r->present, r->wanted) == 0)
		return ret < 0 ? ret : 0;
	if (strcmp(r->present, rec->applied) == 0)
		return 1;
	step_text(r->why, "someone changed it since to %.200s (we had set %.200s)", r->present, rec->applied);
	return 0;
}

int step_restore_sysctl(struct err *e, const struct setup_record *rec, bool dry_run, struct step_report *r)
{
	int ret = step_is_still_ours(e, rec, r);

	if (ret <= 0)
		return ret;
	ret = dry_run ? 0 : step_write_sysctl(e, r);
	r->outcome = ret == 0 ? STEP_CHANGED : STEP_LEFT;
	return ret;
}

const struct step_kind step_sysctl = {
	.lost_at_boot = true,
	.persists = true,
	.prefix = "net.",
	.undo = STEP_UNDO_SETTING,
	.look = step_look_at_sysctl,
	.record = step_record_sysctl,
	.set = step_write_sysctl,
	.restore = step_restore_sysctl,
};

#define CONNECTIONS_PER_PORT 4UL
#define CONNTRACK_LEAST 65536UL

static unsigned long count_ports(const struct config *c)
{
	return c->port_last - c->port_first + 1UL;
}

static unsigned long count_addresses(const struct config *c)
{
	return c->n_addresses ? c->n_addresses : 1;
}

static unsigned long conntrack_needed(const struct config *c)
{
	unsigned long needed = CONNECTIONS_PER_PORT * count_ports(c) * count_addresses(c);

	return needed > CONNTRACK_LEAST ? needed : CONNTRACK_LEAST;
}

/* "4 connections x 1001 ports x 2 addresses = 8008, but at least 65536" */
static void explain_conntrack(const struct config *c, struct step_report *r)
{
	unsigned long product = CONNECTIONS_PER_PORT * count_ports(c) * count_addresses(c);
	char least[32] = "";

	if (product < CONNTRACK_LEAST)
		step_text(least, ", but at least %lu", CONNTRACK_LEAST);
	step_text(r->note, "%lu connections x %lu port%s x %lu address%s = %lu%s", CONNECTIONS_PER_PORT,
		  count_ports(c), count_ports(c) == 1 ? "" : "s", count_addresses(c),
		  count_addresses(c) == 1 ? "" : "es", product, least);
}

/* Only ever raised; 0 is no limit (nf_conntrack_core.c). */
static int look_at_conntrack(struct err *e, struct step_host *h, const struct step *step,
			     struct step_report *r)
{
	unsigned long needed = conntrack_needed(h->config), present;
	int ret = read_present(e, step->name, r);
	char key[64];

	if (ret < 0)
		return ret;
	step_text(r->wanted, "%lu", needed);
	step_text(r->command, "sysctl -w %s=%lu", step->name, needed);
	explain_conntrack(h->config, r);
	if (ret == 0)
		return 0;
	present = strtoul(r->present, NULL, 10);
	r->status = present == 0 || present >= needed ? STEP_OK : STEP_DIFFERS;
	if (r->status == STEP_OK) /* it would make it smaller */
		r->command[0] = '\0';
	if (r->status == STEP_OK || !h->privileged)
		return 0;
	ret = sysctl_may_write(key_of(step->name, key));
	if (ret < 0) {
		r->status = STEP_UNKNOWN;
		step_text(r->why, "too small, but %s", ret == -EROFS ? "/proc/sys is read-only here; set it on the host"
				  : "only the host's initial network namespace can change it");
	}
	return 0;
}

const struct step_kind step_at_least = {
	.lost_at_boot = true,
	.prefix = "net.netfilter.nf_conntrack_max",
	.undo = STEP_UNDO_SETTING,
	.look = look_at_conntrack,
	.record = step_record_sysctl,
	.set = step_write_sysctl,
	.restore = step_restore_sysctl,
};

bool step_overlap(const struct config *c, const char *range, char note[static 256])
{
	unsigned first, last, from = c->port_first, to = c->port_last;

	note[0] = '\0';
	if (sscanf(range, "%u %u", &first, &last) != 2 || from > last || to < first)
		return false;
	from = from > first ? from : first;
	to = to < last ? to : last;
	snprintf(note, 256, "this host's own connections get ports of %u-%u (ip_local_port_range), "
		 "among them %u-%u of the pool", first, last, from, to);
	return true;
}

/* How the wanted value comes about, and what is at stake: the pool unreserved among this host's own ports. */
static void explain_ports(const struct config *c, struct step_report *r)
{
	char range[SYSCTL_VALUE_MAX], overlap[256] = "";
	struct err none;

	if (r->status != STEP_OK && sysctl_read(&none, "net/ipv4/ip_local_port_range", range) == 0 &&
	    !step_overlap(c, range, overlap))
		strcpy(overlap, "ip_local_port_range does not overlap the pool now");
	step_text(r->note, "the pool, %u-%u, and what is there%s%.200s", c->port_first, c->port_last,
		  overlap[0] ? "; " : "", overlap);
}

#define FEWER_PORTS "reserve ranges such as 1000-1100 instead of single ports"

#define LONG_LIST "a long list"

/* That list cannot be written at once; the steps that follow do not need it. */
static int too_many_ports(struct step_report *r)
{
	r->status = STEP_UNKNOWN;
	strcpy(r->present, LONG_LIST);
	step_text(r->why, "the list is longer than the %d characters that are written at once; " FEWER_PORTS,
		  SYSCTL_VALUE_MAX - 1);
	return 0;
}

/* read_present() for a list that may be longer than what is reported of it. */
static int read_ports(struct err *e, const char *name, struct portset *ports, struct step_report *r)
{
	CLEANUP_FREE char *list = NULL;
	char key[64];
	int ret = sysctl_read_list(e, key_of(name, key), &list);

	if (ret == -ENOENT) {
		strcpy(r->present, "not there");
		r->status = STEP_MISSING;
		return 0;
	}
	if (ret == 0)
		ret = portset_parse(e, list, ports);
	if (ret < 0)
		return err_wrap(e, "%s", name);
	strcpy(r->present, strlen(list) < SYSCTL_VALUE_MAX ? list : LONG_LIST);
	return 1;
}

static int look_at_ports(struct err *e, struct step_host *h, const struct step *step, struct step_report *r)
{
	struct portset ports = { 0 }, pool = { 0 };
	int ret = read_ports(e, step->name, &ports, r);

	if (ret < 0)
		return ret;
	portset_add_range(&pool, h->config->port_first, h->config->port_last);
	if (r->status != STEP_MISSING)
		r->status = portset_includes(&ports, &pool) ? STEP_OK : STEP_DIFFERS;
	explain_ports(h->config, r);
	portset_add(&ports, &pool);
	if (portset_format(e, &ports, r->wanted, SYSCTL_VALUE_MAX) < 0) {
		strcpy(r->wanted, LONG_LIST);
		return r->status == STEP_OK ? 0 : too_many_ports(r);
	}
	step_text(r->command, "sysctl -w %s=%s", step->name, r->wanted);
	return 0;
}

/* What others added since our last change is none of ours: it counts as there before. */
static int record_ports(struct err *e, const struct step_report *r, struct setup_record *rec)
{
	struct portset former, others, applied;

	if (!rec->applied[0])
		return step_record_once(e, r, rec);
	if (portset_parse(e, rec->former, &former) < 0 || portset_parse(e, rec->applied, &applied) < 0 ||
	    portset_parse(e, r->present, &others) < 0)
		return err_wrap(e, "%s", r->name);
	portset_remove(&others, &applied);
	portset_add(&former, &others);
	strcpy(rec->applied, r->wanted);
	return portset_format(e, &former, rec->former, sizeof(rec->former));
}

/* Writes the list without some ports, in as many parts as that takes; dry_run: only reports of it. */
static int write_without(struct err *e, struct portset *ports, const struct portset *less, bool dry_run,
			 struct step_report *r)
{
	CLEANUP_FREE char *list = malloc(PORTSET_TEXT_MAX);
	char key[64];
	int ret;

	if (!list)
		return err_set(e, ENOMEM, "out of memory");
	ret = portset_format(e, less, list, PORTSET_TEXT_MAX);
	if (ret < 0)
		return ret;
	step_text(r->wanted, LONG_LIST " without %.4000s", list);
	portset_remove(ports, less);
	ret = portset_format(e, ports, list, PORTSET_TEXT_MAX);
	if (ret < 0)
		return ret;
	if (strlen(list) < SYSCTL_VALUE_MAX)
		strcpy(r->wanted, list);
	return dry_run ? 0 : sysctl_write_list(e, key_of(r->name, key), list);
}

/* Takes out the ports that we added, and only those: what others added since stays. */
static int restore_ports(struct err *e, const struct setup_record *rec, bool dry_run, struct step_report *r)
{
	struct portset present, ours, former, applied;
	int ret = read_ports(e, rec->step, &present, r);

	if (ret <= 0)
		return ret;
	if (portset_parse(e, rec->applied, &applied) < 0 || portset_parse(e, rec->former, &former) < 0)
		return err_wrap(e, "%s", rec->step);
	if (!portset_equal(&present, &applied) && !portset_equal(&present, &former))
		step_text(r->why, "someone changed it since: only the ports that we added are taken out");
	ours = applied;
	portset_remove(&ours, &former);
	if (portset_overlaps(&present, &ours))
		r->outcome = STEP_CHANGED;
	return write_without(e, &present, &ours, dry_run || r->outcome != STEP_CHANGED, r);
}

const struct step_kind step_ports = {
	.lost_at_boot = true,
	.persists = true,
	.prefix = "net.ipv4.ip_local_reserved_ports",
	.undo = "The ports that --apply added are taken out again. What was reserved before stays, and what "
		"somebody has added since.",
	.look = look_at_ports,
	.record = record_ports,
	.set = step_write_sysctl,
	.restore = restore_ports,
};
