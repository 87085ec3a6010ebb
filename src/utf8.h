/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * utf8: reads UTF-8 that nobody has vouched for, and makes it fit to be shown.
 * Knows no domain.
 */
#ifndef SONM_UTF8_H
#define SONM_UTF8_H

#include "base.h"

#include <stdio.h>

#define UTF8_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD, for what is none */

/*
 * The length in bytes of the UTF-8 sequence at s and its code point; 0 when
 * there is none (Unicode 15, table 3-7). Never looks beyond a NUL.
 */
size_t utf8_decode(const char *s, uint32_t *code);

/*
 * Puts '?' in the place of each byte that a terminal may obey: those of control
 * characters (C0, DEL, C1), and those that are no UTF-8, which some take for C1.
 */
void utf8_clean(char *text);

/* Writes len bytes of a text so; the character behind them is plain, or the text ends there. */
void utf8_write(FILE *out, const char *text, size_t len);

/* How many characters it writes of a whole text. */
size_t utf8_width(const char *text);

#endif
