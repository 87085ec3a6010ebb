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
 * (masquerade; of weight 0 while they drain); closing ones want theirs, if it is
 * still there, without any. Direct routes want nothing. Services that belong to
 * no route are not looked at. actual must be sorted with service_compare. -ENOMEM.
 */
int plan_make(struct err *e, const struct route_list *desired, const struct service_list *actual,
	      struct plan *out) MUST_CHECK;

/* Adds what one route wants. actual: its service, or NULL if there is none. -ENOMEM. */
int plan_route(struct err *e, struct plan *p, const struct route *r, const struct service *actual) MUST_CHECK;

/* What plan_orphans takes for ours: services of these addresses with these ports. */
struct plan_realm {
	const struct addr *vips;
	size_t n_vips;
	uint16_t port_first, port_last;
};

/*
 * The services in the port range that belong to no route: those on one of the
 * VIPs are orphans, the others foreign. Firewall marks are neither. Appends
 * copies, without their real servers. -ENOMEM.
 */
int plan_orphans(struct err *e, const struct plan_realm *realm, const struct route_list *desired,
		 const struct service_list *actual, struct service_list *orphans,
		 struct service_list *foreign) MUST_CHECK;

/* Adds the deletion of these services. -ENOMEM. */
int plan_delete(struct err *e, struct plan *p, const struct service_list *orphans) MUST_CHECK;

void plan_clear(struct plan *p); /* also a CLEANUP function */

#endif
