/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * systemd: what it starts at boot, with its own systemctl(1); also where it is
 * installed and does not run (yet). Knows nothing of what a unit does.
 */
#ifndef SONM_SYSTEMD_H
#define SONM_SYSTEMD_H

#include "err.h"

/* 1: there is a systemctl, 0: there is none. */
bool systemd_is_there(void);

/*
 * Is the unit started at boot: is it linked to the target whose name follows
 * WantedBy= in its text? Asks no program: this works where systemd cannot be reached.
 */
bool systemd_is_enabled(const char *unit, const char *text);

/* From the next boot on; a timer at once, if systemd runs. */
int systemd_enable(struct err *e, const char *unit) MUST_CHECK;

/* The reverse; if systemd runs it also stops the unit. */
int systemd_disable(struct err *e, const char *unit) MUST_CHECK;

/* To be called when files of units have changed. Where systemd does not run this does nothing. */
int systemd_reload(struct err *e) MUST_CHECK;

#endif
