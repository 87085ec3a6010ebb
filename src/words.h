/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * words: splits a line into words as a shell does: blanks, '...', "...", \,
 * and # for a comment. No variables, no globbing. Pure.
 */
#ifndef SONM_WORDS_H
#define SONM_WORDS_H

#include "err.h"

struct words {
	char **items; /* n of them and NULL behind: an argv */
	size_t n;
};

/* -EINVAL: a quote that is not closed, a backslash at the end. No words: n is 0. */
int words_split(struct err *e, const char *line, struct words *out) MUST_CHECK;

void words_clear(struct words *w); /* also a CLEANUP function */

#endif
