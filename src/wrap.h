/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * wrap: breaks a text into lines of a width. Knows no domain, no terminal;
 * prints only to streams that it is given.
 */
#ifndef SONM_WRAP_H
#define SONM_WRAP_H

#include "base.h"

#include <stdio.h>

struct wrap {
	size_t width;     /* columns of a line; a word that is longer is broken behind a '/', or not at all */
	size_t indent;    /* columns that the second line and those that follow begin with */
	size_t column;    /* where the text begins: what stands before it on its first line */
	const char *more; /* ends each line but the last: " \\" for a shell's command; NULL: nothing */
};

/*
 * Writes the words of a text, one blank between two, and a newline behind the
 * last. With more, lines end between words only, and blanks inside quotes belong
 * to their word: what comes out is the same command for a shell. A UTF-8 character counts as one column.
 */
void wrap_text(FILE *out, const struct wrap *how, const char *text);

#endif
