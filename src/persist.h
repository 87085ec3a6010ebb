/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * persist: what the files say that make the setup survive a boot: sysctl.d(5),
 * modules-load.d(5) and units for systemd. Pure: texts out, no file is looked at.
 */
#ifndef SONM_PERSIST_H
#define SONM_PERSIST_H

#include "config.h"

#define PERSIST_TEXT_MAX 4096

#define PERSIST_MODULES "/etc/modules-load.d/sonm-gateway.conf"
/*
 * Two files, as of several that set the same the last one by name counts, and
 * replaces what the others say. A list of ports has to be merged, which no file
 * can do: so ours comes first, and gives way. What is on or off comes late.
 */
#define PERSIST_PORTS "/etc/sysctl.d/00-sonm-gateway.conf"
#define PERSIST_SETTINGS "/etc/sysctl.d/90-sonm-gateway.conf"
#define PERSIST_UNITS "/etc/systemd/system/"

struct persist_setting {
	const char *name, *value; /* "net.ipv4.ip_forward", "1" */
};

/* All: -E2BIG when it is longer than PERSIST_TEXT_MAX - 1. */

/* One module a line. */
int persist_modules(struct err *e, const char *const names[], size_t n, char out[static PERSIST_TEXT_MAX]) MUST_CHECK;

/* One setting a line; one that this kernel may not have (yet) is not to be a failure. */
int persist_settings(struct err *e, const struct persist_setting settings[], size_t n,
		     char out[static PERSIST_TEXT_MAX]) MUST_CHECK;

/* The pool as reserved ports. */
int persist_ports(struct err *e, const struct config *c, char out[static PERSIST_TEXT_MAX]) MUST_CHECK;

/*
 * A unit's text (units.h), filled in. config_path: absolute, or NULL for the
 * default. -EINVAL: a path with characters that mean something to systemd, or
 * that the units' sandbox hides, or lays bare all the rest for.
 */
int persist_unit(struct err *e, const char *text, const struct config *c, const char *config_path,
		 char out[static PERSIST_TEXT_MAX]) MUST_CHECK;

/* What an admin would type for such a file, "" if that does not fit: printf '%s\n' 'LINE' ... >PATH. */
void persist_command(const char *text, const char *path, char *out, size_t size);

#endif
