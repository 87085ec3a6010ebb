/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pool: picks a port from a range at random. Pure: randomness and knowledge of
 * what is free come from the caller.
 */
#ifndef SONM_POOL_H
#define SONM_POOL_H

#include "err.h"

/* 1: free, 0: taken, negative: an error, which ends the search. */
typedef int pool_is_free(struct err *e, void *ctx, uint16_t port);

/*
 * Tries every port of first..last at most once, in an order that the two
 * random numbers choose, until one is free. Returns 0 and *out, 1 when all are
 * taken, or is_free's error.
 */
int pool_pick(struct err *e, uint16_t first, uint16_t last, const uint32_t random[static 2],
	      pool_is_free *is_free, void *ctx, uint16_t *out) MUST_CHECK;

#endif
