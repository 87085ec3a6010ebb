/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * gwstat_field: the words that sonm-gwstat's --format and --sort take; sonm-vs
 * completes them. Knows nothing of what they mean.
 */
#ifndef SONM_GWSTAT_FIELD_H
#define SONM_GWSTAT_FIELD_H

#include "err.h"

enum gwstat_format { GWSTAT_TEXT, GWSTAT_JSON, GWSTAT_CSV, GWSTAT_METRICS };

enum gwstat_field {
	FIELD_NAME,
	FIELD_CONNS, FIELD_INPKTS, FIELD_OUTPKTS, FIELD_INBYTES, FIELD_OUTBYTES,
	FIELD_BYTES, /* in and out */
	FIELD_CPS, FIELD_INPPS, FIELD_OUTPPS, FIELD_INBPS, FIELD_OUTBPS,
	FIELD_BPS,   /* in and out */
};

/* By the values of these; NULL ends. */
extern const char *const gwstat_formats[];
extern const char *const gwstat_fields[];

/* Which of these words is it? -EINVAL names what: "format", and the one that may be meant. */
int gwstat_word(struct err *e, const char *what, const char *const words[], const char *text) MUST_CHECK;

#endif
