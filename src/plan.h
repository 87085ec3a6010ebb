/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * plan: what must change in the kernel so that it does what the routes say.
 * Pure: desired routes and actual services in, changes out.
 */
#ifndef SONM_PLAN_H
#define SONM_PLAN_H

#include "route.h"

struct plan {
	struct change_list changes; /* in an order in which they can be made */
	int64_t *restarted; /* owned; ids of routes whose service is missing: a new epoch begins */
	size_t n_restarted;
};

/*
 * Open gateway routes want their service with exactly their real servers
 * (masquerade); closing ones want theirs, if it is still there, without any.
 * Direct routes want nothing. Services that belong to no route are not looked
 * at. actual must be sorted with service_compare. -ENOMEM.
 */
int plan_make(struct err *e, const struct route_list *desired, const struct service_list *actual,
	      struct plan *out) MUST_CHECK;

void plan_clear(struct plan *p); /* also a CLEANUP function */

#endif
