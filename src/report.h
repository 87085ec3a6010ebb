/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * report: reads what a worker says of itself: the JSON of 'sonm-stun -j'. It
 * comes from another machine and is trusted in nothing. Knows neither state
 * file nor routes.
 */
#ifndef SONM_REPORT_H
#define SONM_REPORT_H

#include "worker.h"

#include <stdio.h>

#define REPORT_SIZE_MAX (256 << 10) /* bytes */

/*
 * Reads a report to its end into *out; source is what errors call it. Wanted are
 * "nat", "gateway" and "addresses"; members that are not known are skipped. Of
 * the addresses the global ones (addr_scope, ours: what the report calls their
 * scope is not believed) are kept, at most WORKER_ADDRESSES_MAX, and only of a
 * worker that is public. Fills all but name and reported_at.
 * -EINVAL with the place: not JSON, no object, a member missing, twice, of the
 * wrong type or impossible; "gateway" false behind a NAT or without a global
 * address. -EFBIG.
 */
int report_read(struct err *e, FILE *in, const char *source, struct worker *out) MUST_CHECK;

#endif
