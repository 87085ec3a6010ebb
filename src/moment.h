/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * moment: points in time as people write and read them, in UTC. Pure: what
 * time it is now is given.
 */
#ifndef SONM_MOMENT_H
#define SONM_MOMENT_H

#include "err.h"

#define MOMENT_MAX INT64_C(253402300799) /* the end of the year 9999, in seconds since 1970 */
#define MOMENT_STRLEN 32

/*
 * Reads a point in time into seconds since 1970 (0..MOMENT_MAX):
 *   2026-11-01, 2026-11-01T10:00:00Z, 2026-11-01T10:00:00   UTC in any case
 *   @1793527200                                             seconds since 1970
 *   -30s, -90m, -24h, -7d, -2w                              so long before now
 * -EINVAL names what: "--since".
 */
int moment_parse(struct err *e, const char *what, const char *text, int64_t now, int64_t *out) MUST_CHECK;

/* As RFC 3339: "2026-11-22T10:00:00Z"; "-" if it has no such form. Returns buf. */
const char *moment_format(int64_t at, char buf[static MOMENT_STRLEN]);

#endif
