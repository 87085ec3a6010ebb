/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * gwstat_trend: what routes have passed lately, from readings that follow one
 * another. Pure: no clock, no kernel.
 *
 * The kernel's own rates fade for half a minute. Here a rate is what a counter
 * gained over a window of two readings, or of two of the kernel's periods. It
 * moves once a period, and nobody can see when: so a gain counts for at least
 * that long, and the window ends where the counter moved last. A steady stream
 * has a steady rate, however often it is read.
 */
#ifndef SONM_GWSTAT_TREND_H
#define SONM_GWSTAT_TREND_H

#include "gateway.h"

#define TREND_PERIOD_MS 2000 /* of the kernel's estimator */
#define TREND_WINDOW_MS (2 * TREND_PERIOD_MS)
#define TREND_WINDOW_MAX_MS 20000 /* one reading that took longer stands for itself */
#define TREND_PAUSE_MS 3000 /* a counter that has not moved for so long stands still */
#define TREND_GAINS 6       /* more than a window has, read once a second */
#define TREND_MARKS 30      /* a minute, a mark for each period */

/* What a counter had gained when it was read at this time. */
struct gain {
	int64_t at;       /* ms */
	int64_t took;     /* ms since the reading before, at least a period */
	struct counters more;
};

struct trend {
	int64_t route;    /* its id */
	int64_t since;    /* ms: the first reading */
	struct counters total; /* at the latest */
	struct gain gains[TREND_GAINS]; /* the latest first; at 0: none */
	struct rates rates;
	uint64_t marks[TREND_MARKS]; /* bytes a second, in and out, the latest first */
};

/* All routes that the latest reading has, by id. Zero: none was read. */
struct trends {
	struct trend *items;
	size_t n;
	int64_t at; /* ms: the latest reading */
};

/*
 * Takes a reading of all routes at this time (ms, later than the one before, by a
 * clock that nobody sets). A route's rates are the kernel's until it is known
 * for a window. -ENOMEM.
 */
int trends_add(struct err *e, struct trends *t, const struct reading_list *readings, int64_t at) MUST_CHECK;

/* The route's with this id, or NULL. */
const struct trend *trends_find(const struct trends *t, int64_t route);

void trends_clear(struct trends *t); /* a CLEANUP function */

#endif
