/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * units: the units for systemd, as the build has found them in contrib/systemd
 * (units.c is made from these). Knows nothing of what is to be filled in.
 */
#ifndef SONM_UNITS_H
#define SONM_UNITS_H

struct unit {
	const char *name;
	const char *text; /* @config@: options for our programs; @state@: the state file's directory */
};

extern const struct unit units[]; /* the last one's name is NULL */
extern const char units_directory[]; /* where 'make install' puts them, filled in for the defaults */

#endif
