/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * gwstat_line: one line of a screen, as wide as that and never wider, with a
 * little colour. Pure; knows no domain.
 */
#ifndef SONM_GWSTAT_LINE_H
#define SONM_GWSTAT_LINE_H

#include "base.h"

struct line {
	char *text;  /* owned, and long enough for what there is room for */
	size_t len;
	size_t left; /* columns */
	bool utf8, colour;
};

enum line_style { LINE_PLAIN, LINE_REVERSE, LINE_ALARM, LINE_NOTICE, LINE_GRAPH };

/* An empty line of so many columns. Without colour there are no styles. -ENOMEM. */
int line_begin(struct line *line, size_t columns, bool utf8, bool colour) MUST_CHECK;

/* Blanks until the end; the whole text, for the caller to free. */
char *line_end(struct line *line);

void line_style(struct line *line, enum line_style style);

/* Each takes what there is room for. What is not printable ASCII becomes '?'. */
void line_put(struct line *line, const char *text);
void line_gap(struct line *line, size_t columns);

/* Just so wide: filled with blanks, or cut, with a '+' at its end. */
void line_cell(struct line *line, const char *text, size_t width, bool right);

/* One column, filled to n of max: U+2581 to U+2588, or ASCII; blank for 0. */
void line_bar(struct line *line, uint64_t n, uint64_t max);

#define COUNT_STRLEN 8

/* At most 5 columns: 999, 1.23K, 12.3K, 123K, 1.23M ...: powers of 1000, truncated. Returns buf. */
const char *count_short(uint64_t n, char buf[static COUNT_STRLEN]);

#endif
