/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * store_traffic: how what accounts grow by becomes traffic. Only store*.c
 * include it.
 */
#ifndef SONM_STORE_TRAFFIC_H
#define SONM_STORE_TRAFFIC_H

#include "store_sql.h"

/*
 * Adds what a route's total has grown by to what its container transfers in this minute.
 * -EIO: it has shrunk; -EOVERFLOW: that is more than the file can hold.
 */
int traffic_add_growth(struct err *e, struct store *s, const char *container, const struct counters *before,
		       const struct counters *total) MUST_CHECK;

#endif
