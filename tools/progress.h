/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * progress: a bar on the standard error while a long work goes on: only on a
 * terminal, only once it has taken a second, at most 10 times a second. It is
 * gone when the work is. Knows nothing of the work.
 */
#ifndef SONM_PROGRESS_H
#define SONM_PROGRESS_H

#include "base.h"

struct progress {
	bool on_terminal;
	int64_t started, drawn; /* milliseconds of a clock that nobody sets; drawn 0: never */
	size_t width;           /* columns that the bar on the screen has */
};

/* The work begins now. */
struct progress progress_start(void);

/* A gateway_progress: done of total are; ctx is the struct progress. */
void progress_tell(void *ctx, size_t done, size_t total);

/* Erases the bar; a CLEANUP function. */
void progress_end(struct progress *p);

#define PROGRESS_WIDTH_MAX 200

/*
 * The bar for so many columns: "[#####.....]  50%  500/1000"; less of it where
 * there is less room, "" where there is none or nothing to do. Pure. Returns buf.
 */
const char *progress_text(size_t done, size_t total, size_t columns, char buf[static PROGRESS_WIDTH_MAX + 1]);

/* Is it time to draw at this instant? Pure. */
bool progress_is_due(const struct progress *p, int64_t now);

#endif
