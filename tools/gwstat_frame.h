/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * gwstat_frame: what --watch shows, as lines of text for a screen of a given
 * size. Pure: usage and trends in, lines out; knows no terminal and no clock.
 */
#ifndef SONM_GWSTAT_FRAME_H
#define SONM_GWSTAT_FRAME_H

#include "gwstat.h"
#include "gwstat_trend.h"

struct frame_facts {
	const struct usage *usage;
	const struct trends *trends; /* of the usage's readings */
	int64_t at;          /* of the reading, seconds since 1970 */
	const char *trouble; /* why there is no newer one; NULL: there is no trouble */
};

struct frame_look {
	size_t columns, rows;
	bool utf8;
	bool colour;
	bool help;    /* a line about the keys */
	bool rate;    /* rates instead of totals */
	enum gwstat_field sort; /* names as they are, numbers descending; equals stand as in the usage */
	size_t top;   /* no more routes than these; 0: all */
	size_t first; /* the place in the order of the first route that is shown; too great: the last page's */
};

struct frame {
	char **lines;     /* each as wide as the screen */
	size_t n_lines;   /* no more than it has rows */
	size_t first;     /* the place that the first route really has */
	size_t page;      /* how many routes there is room for */
};

/* -ENOMEM. */
int frame_make(struct err *e, const struct frame_facts *facts, const struct frame_look *look,
	       struct frame *out) MUST_CHECK;
void frame_clear(struct frame *f); /* a CLEANUP function */

/* The order that follows among those of the same view: by the next column. */
enum gwstat_field frame_next_sort(const struct frame_look *look);

/* From rates to totals, or back; the order is that of the same column. */
void frame_turn(struct frame_look *look);

#endif
