/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * store_traffic: how what accounts grow by becomes traffic. Only store*.c
 * include it.
 */
#ifndef SONM_STORE_TRAFFIC_H
#define SONM_STORE_TRAFFIC_H

#include "store_sql.h"

/* Adds it to what this container transfers in this minute. */
int traffic_add(struct err *e, struct store *s, const char *container, const struct counters *growth) MUST_CHECK;

/* The same with what this total has more than the stored account of a route. */
int traffic_add_growth(struct err *e, struct store *s, int64_t id, const struct counters *total) MUST_CHECK;

#endif
