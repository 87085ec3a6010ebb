/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * axis: round numbers and round times for the axes of a chart, and their
 * labels. Pure; knows nothing of what is drawn.
 */
#ifndef SONM_AXIS_H
#define SONM_AXIS_H

#include "base.h"

#define AXIS_LABEL_STRLEN 48

/* The least of 1, 2 and 5 times a power of ten of which at most n cover this length; both > 0. */
double axis_step(double length, unsigned n);

/* "1.25 GB", "20 kbit/s", "0 B": three digits, prefixes of 1000. Returns buf. */
const char *axis_amount(double amount, const char *unit, char buf[static AXIS_LABEL_STRLEN]);

/* The least round number of seconds, from a minute on, of which at most n cover this time. */
int64_t axis_interval(int64_t seconds, unsigned n);

/* "5 minutes", "1 day": of what axis_interval answers. Returns buf. */
const char *axis_duration(int64_t interval, char buf[static AXIS_LABEL_STRLEN]);

/* The steps of a time axis (UTC). */
struct axis_times {
	int64_t seconds; /* 0: months */
	unsigned months;
};

/* The least round ones of which at most n are in this time. */
struct axis_times axis_times(int64_t since, int64_t until, unsigned n);

/* The first tick at or after this time, in seconds since 1970. The next one is that after the tick + 1. */
int64_t axis_tick(const struct axis_times *steps, int64_t at);

/* "15:00", at midnight "22 Nov"; for steps of days "22 Nov", of months "Nov 2026". Returns buf. */
const char *axis_tick_label(const struct axis_times *steps, int64_t tick, char buf[static AXIS_LABEL_STRLEN]);

#endif
