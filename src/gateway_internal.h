/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * gateway_internal: what the gateway's own files share. Only gateway*.c
 * include it.
 */
#ifndef SONM_GATEWAY_INTERNAL_H
#define SONM_GATEWAY_INTERNAL_H

#include "gateway.h"
#include "ipvs.h"
#include "routing.h"

struct gateway {
	const struct config *config;
	struct store *store;
	struct ipvs *kernel; /* NULL until it is needed */
	struct routing *routing; /* likewise */
};

/* Connects to the kernel's IPVS if that has not been done. */
int gateway_need_kernel(struct err *e, struct gateway *g) MUST_CHECK;

/* Is it one of the configuration's ports? */
bool gateway_in_pool(const struct config *c, uint16_t port);

/* May this address be a VIP: of the configuration, if that names any, and this host's? */
bool gateway_is_vip(struct gateway *g, const struct addr *a);

/*
 * Chooses VIP and virtual port of a new route, whose real servers are known:
 * r->public. Under the lock. -EADDRNOTAVAIL: the pool is full.
 */
int gateway_choose_endpoint(struct err *e, struct gateway *g, const struct add_request *rq, int64_t now,
			    struct route *r) MUST_CHECK;

/* Likewise to its routing. */
int gateway_need_routing(struct err *e, struct gateway *g) MUST_CHECK;

/* Holds back what the real servers of routes stored as closing send: see gateway_remove.c. */
int gateway_hold_answers(struct err *e, struct gateway *g, const struct route_list *routes) MUST_CHECK;

/* Ends what gateway_remove may have begun and, killed, not ended: see gateway_remove.c. */
int gateway_release_answers(struct err *e, struct gateway *g, const struct route_list *routes) MUST_CHECK;

/*
 * Adds to *actual, which stays sorted, the services of these routes that exist.
 * Point queries: their cost grows with the routes asked for only.
 */
int gateway_get_services(struct err *e, struct gateway *g, const struct route_list *routes,
			 struct service_list *actual) MUST_CHECK;

/*
 * All services, sorted; none when neither the configuration nor a route
 * makes this hub a gateway. A dump that races with changes can miss one, so those
 * of the routes given that are not in it are asked for by name.
 */
int gateway_list_services(struct err *e, struct gateway *g, bool with_destinations,
			  const struct route_list *routes, struct service_list *actual) MUST_CHECK;

/* The present instant of this boot. */
int gateway_boottime(struct err *e, struct boottime *out) MUST_CHECK;

/* Under the lock, no transaction open: finishes every closing route whose last count is in. */
int gateway_finish_due(struct err *e, struct gateway *g) MUST_CHECK;

/* Removes services and real servers; what is gone already is no failure. */
int gateway_run_removals(struct err *e, struct gateway *g, struct change_list *changes) MUST_CHECK;

/* Closing begins now, or BOOTTIME_NEVER while the kernel's counters stand still. */
int gateway_closing_begins(struct err *e, struct boottime *out) MUST_CHECK;

/* Stores the routes with this state; those that close begin to do so now. */
int gateway_set_state(struct err *e, struct gateway *g, struct route_list *routes,
		      enum route_state state) MUST_CHECK;

/* Is this route closing since another boot? What has its port in this one is not ours. */
bool gateway_is_of_another_boot(const struct route *r, const struct boottime *now);

/* The first change that the kernel refused, as an error. */
int gateway_explain(struct err *e, const struct change_list *changes);

/* Under the lock: stores that a new epoch begins for these routes, before their services are made. */
int gateway_end_epochs(struct err *e, struct gateway *g, const struct route_list *routes,
		       const struct plan *plan) MUST_CHECK;

#endif
