/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * csv: writes comma-separated values (RFC 4180: quotes where they are needed,
 * lines end with CR LF) to a stream as it goes. Knows no domain.
 */
#ifndef SONM_CSV_H
#define SONM_CSV_H

#include "base.h"

#include <stdio.h>

struct csv {
	FILE *out;
	bool in_line; /* a value stands before the next one */
};

/* The next value of the line. NULL: empty. What a terminal obeys becomes '?', but for line breaks. */
void csv_text(struct csv *c, const char *value);
void csv_uint(struct csv *c, uint64_t value);
void csv_end_line(struct csv *c);

/* A whole line of texts, such as the header. */
void csv_line(struct csv *c, const char *const values[], size_t n);

#endif
