/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * table: rows under one list of columns, printed as aligned text or as JSON
 * objects. Knows no domain and opens no stream.
 */
#ifndef SONM_TABLE_H
#define SONM_TABLE_H

#include "err.h"
#include "json.h"

#include <stdio.h>

enum column_type {
	COLUMN_TEXT,  /* left aligned, "-" when NULL or empty; JSON string, null when NULL */
	COLUMN_COUNT, /* right aligned uint64; JSON number */
};

struct column {
	const char *title; /* the text's heading; NULL: not in the text */
	const char *key;   /* the JSON member's name; NULL: not in the JSON */
	enum column_type type;
};

union cell {
	const char *text; /* copied by table_add */
	uint64_t count;
};

struct table;

/* columns must outlive the table. NULL when out of memory. */
struct table *table_new(const struct column *columns, size_t n_columns);
void table_free(struct table *t); /* NULL is fine */

/* Appends a row of n_columns cells. -ENOMEM. */
int table_add(struct err *e, struct table *t, const union cell *cells) MUST_CHECK;

size_t table_rows(const struct table *t);

/*
 * Writes a heading and the rows, every column as wide as its widest cell, two
 * spaces between, none at the end of a line. Counts print whole when exact;
 * otherwise as ipvsadm does, at most 8 digits and a K, M, G, T for 10^3, 10^6,
 * 10^9, 10^12 (see table_human). Control characters print as '?'. No rows:
 * writes the heading only.
 */
void table_print(const struct table *t, FILE *out, bool exact);

/* Writes each row as one JSON object into the array that j is in. */
void table_json(const struct table *t, struct json *j);

#define TABLE_HUMAN_STRLEN 24

/* 12345678 -> "12345678"; 123456789 -> "123456K" (truncated, not rounded, like ipvsadm). Returns buf. */
const char *table_human(uint64_t n, char buf[static TABLE_HUMAN_STRLEN]);

#endif
