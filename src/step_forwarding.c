/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Steps that switch forwarding on, and with it what else the kernel changes then. */
#include "step.h"
#include "sysctl.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

/*
 * Writing ip_forward also writes every interface's own setting and
 * conf/all/accept_redirects, which becomes its contrary (devinet.c,
 * inet_forward_change); IPv6's writes every interface's (addrconf.c). So what
 * would not come back with it is remembered behind the former value: "0
 * net/ipv4/conf/eth0/forwarding=1".
 */
#define REDIRECTS "net/ipv4/conf/all/accept_redirects"

static bool is_ipv6(const char *name)
{
	return strncmp(name, "net.ipv6.", 9) == 0;
}

/* What the kernel makes of such an item when forwarding is set to that value. */
static const char *follows(const char *key, const char *forwarding)
{
	if (strcmp(key, REDIRECTS) != 0)
		return forwarding;
	return strcmp(forwarding, "0") == 0 ? "1" : "0";
}

static int add_item(struct err *e, char items[static SETUP_RECORD_MAX], const char *key, const char *value)
{
	size_t len = strlen(items), room = SETUP_RECORD_MAX - len;

	if (snprintf(items + len, room, " %s=%s", key, value) >= (int)room)
		return err_set(e, E2BIG, "too many interfaces have a forwarding setting of their own; "
			       "switch forwarding on for all by hand");
	return 0;
}

/* Remembers key if its value is not what restoring forwarding will make of it. */
static int remember(struct err *e, const char *key, struct setup_record *rec, const char *former)
{
	char value[SYSCTL_VALUE_MAX];
	int ret = sysctl_read(e, key, value);

	if (ret == -ENOENT) /* the interface has just gone */
		return 0;
	if (ret < 0 || strcmp(value, follows(key, former)) == 0)
		return ret;
	return add_item(e, rec->former, key, value);
}

static int record_forwarding(struct err *e, const struct step_report *r, struct setup_record *rec)
{
	const char *pattern = is_ipv6(r->name) ? "/proc/sys/net/ipv6/conf/*/forwarding"
					       : "/proc/sys/net/ipv4/conf/*/forwarding";
	glob_t found;
	int ret = 0;

	if (rec->applied[0] || r->status == STEP_MISSING)
		return step_record_sysctl(e, r, rec);
	ret = step_record_once(e, r, rec);
	if (ret == 0 && !is_ipv6(r->name))
		ret = remember(e, REDIRECTS, rec, r->present);
	if (ret < 0 || glob(pattern, GLOB_NOSORT, NULL, &found) != 0)
		return ret;
	for (size_t i = 0; ret == 0 && i < found.gl_pathc; i++)
		ret = remember(e, found.gl_pathv[i] + strlen("/proc/sys/"), rec, r->present);
	globfree(&found);
	return ret;
}

/* Adds the value that the item is to have in the end: the former one, or what somebody has made it since. */
static int choose_item(struct err *e, const char *key, const char *former, const char *forwarding,
		       char items[static SETUP_RECORD_MAX], struct step_report *r)
{
	char present[SYSCTL_VALUE_MAX];
	size_t len = strlen(r->why);
	int ret = sysctl_read(e, key, present);

	if (ret < 0) /* the interface may be gone */
		return ret == -ENOENT ? 0 : ret;
	if (strcmp(present, former) == 0 || strcmp(present, follows(key, forwarding)) == 0)
		return add_item(e, items, key, former);
	snprintf(r->why + len, sizeof(r->why) - len, "%s%s=%.20s",
		 len ? ", " : "left, as someone changed it since: ", key, present);
	return add_item(e, items, key, present);
}

/* The same for all that are remembered behind the former value; they are read before forwarding changes them. */
static int choose_items(struct err *e, const struct setup_record *rec, const char *forwarding,
			char items[static SETUP_RECORD_MAX], struct step_report *r)
{
	char former[SETUP_RECORD_MAX], *rest = former, *item;
	int ret = 0;

	strcpy(former, rec->former);
	strsep(&rest, " ");
	while (ret == 0 && (item = strsep(&rest, " "))) {
		char *value = strrchr(item, '=');

		if (!value)
			continue;
		*value++ = '\0';
		ret = choose_item(e, item, value, forwarding, items, r);
	}
	return ret;
}

static int write_items(struct err *e, char *items)
{
	char *item;
	int ret = 0;

	while (ret == 0 && (item = strsep(&items, " "))) {
		char *value = strrchr(item, '=');

		if (!value)
			continue;
		*value++ = '\0';
		ret = sysctl_write(e, item, value);
		if (ret == -ENOENT)
			ret = 0;
	}
	return ret;
}

/* Also when the setting is back already: an earlier call may have died right after it. */
static int restore_forwarding(struct err *e, const struct setup_record *rec, bool dry_run,
			      struct step_report *r)
{
	char items[SETUP_RECORD_MAX] = "";
	int ours = step_is_still_ours(e, rec, r), ret;

	if (ours < 0 || r->why[0])
		return ours;
	ret = choose_items(e, rec, ours ? rec->applied : r->wanted, items, r);
	if (ret == 0 && ours)
		ret = step_restore_sysctl(e, rec, dry_run, r);
	return ret < 0 || dry_run ? ret : write_items(e, items);
}

const struct step_kind step_forwarding = {
	.lost_at_boot = true,
	.persists = true,
	.prefix = "net.ipv4.ip_forward",
	.undo = STEP_UNDO_SETTING " So are each interface's own forwarding and conf/all/accept_redirects.",
	.look = step_look_at_sysctl,
	.record = record_forwarding,
	.set = step_write_sysctl,
	.restore = restore_forwarding,
};

const struct step_kind step_forwarding6 = {
	.lost_at_boot = true,
	.persists = true,
	.prefix = "net.ipv6.conf.all.forwarding",
	.undo = STEP_UNDO_SETTING " So is each interface's own forwarding.",
	.look = step_look_at_sysctl,
	.record = record_forwarding,
	.set = step_write_sysctl,
	.restore = restore_forwarding,
};
