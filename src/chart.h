/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * chart: series over time as a picture: areas on top of one another, what
 * goes one way above the axis, what goes the other way below, and a legend.
 * SVG 1.1 that needs nothing from elsewhere: no script, style sheet, font or
 * link; on a ground of its own, so that it can be read wherever it is shown.
 * Pure but for the stream that it is given; knows no domain.
 */
#ifndef SONM_CHART_H
#define SONM_CHART_H

#include "err.h"

#include <stdio.h>

#define CHART_COLOURS 9 /* that people can tell apart, whatever colours they see */

struct chart_series {
	const char *name;        /* any text */
	const double *up, *down; /* one for each interval; finite, not below 0 */
	double up_sum, down_sum; /* for the legend */
	bool is_rest;            /* grey: all those that have no colour of their own */
};

struct chart {
	const char *title, *subtitle;
	const char *note;        /* what goes up, and what goes down */
	const char *up, *down;   /* that in a word each */
	const char *unit;        /* of the series: "bit/s" */
	const char *sum_unit;    /* of their sums: "B" */
	int64_t begin, interval; /* seconds since 1970; seconds, more than 0 */
	size_t n_intervals;      /* more than 0 */
	const struct chart_series *series; /* the first one is next to the axis */
	size_t n_series;         /* at most CHART_COLOURS, and one that is the rest */
	const char *if_empty;    /* said in the middle when there is nothing but zeros */
};

/* Writes the element svg and a newline, without an XML declaration: fit for HTML too. -ENOMEM. */
int chart_print(struct err *e, FILE *out, const struct chart *c) MUST_CHECK;

#endif
