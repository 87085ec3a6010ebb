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

/* VIPs that were found to be this host's, at this time (seconds since 1970). */
struct local_vips {
	int64_t at;
	struct addr addrs[CONFIG_ADDRESSES_MAX];
	size_t n;
};

struct gateway {
	const struct config *config;
	struct store *store;
	struct ipvs *kernel; /* NULL until it is needed */
	struct routing *routing; /* likewise */
	gateway_progress *progress; /* NULL: nobody is told */
	void *progress_ctx;
	struct local_vips local_vips;
};

/* Connects to the kernel's IPVS if that has not been done. */
int gateway_need_kernel(struct err *e, struct gateway *g) MUST_CHECK;

/* Is it one of the configuration's ports? */
bool gateway_in_pool(const struct config *c, uint16_t port);

/* May this address be a VIP: of the configuration, if that names any, and this host's? */
bool gateway_is_vip(struct gateway *g, const struct addr *a);

/* What is asked for of new endpoints. */
struct endpoint_wish {
	const struct addr *vip;       /* NULL: any */
	uint16_t vport;               /* 0: any of the pool */
	const struct endpoint *like;  /* NULL, or what the same container port has for another protocol */
	int64_t now;                  /* seconds since 1970 */
};

/*
 * Chooses VIP and virtual port, r->public, of new routes whose real servers are
 * known. They are the same container port of one container for different
 * protocols, and get the same endpoint if any is free for all of them, else
 * each its own. Former ports first; else the VIP with the fewest routes. Under
 * the lock. -EADDRNOTAVAIL: the pool is full; -EEXIST: vport is taken.
 */
int gateway_choose_endpoints(struct err *e, struct gateway *g, const struct endpoint_wish *wish,
			     struct route *const routes[], size_t n) MUST_CHECK;

/*
 * May this new route have r->public: a VIP, in the pool, free in the state file
 * and for local programs? Does not ask IPVS. -EEXIST: taken; -EINVAL.
 */
int gateway_check_endpoint(struct err *e, struct gateway *g, const struct route *r, int64_t now) MUST_CHECK;

/*
 * What routes are to be, and what they were: the same order, and in former the
 * id 0 for a new one. is_adopted (or NULL) says of each whether its service
 * exists already.
 */
struct transition {
	struct route_list wanted, former;
	bool *is_adopted;
};

void transition_clear(struct transition *t); /* a CLEANUP function; also frees is_adopted */

/*
 * Under the lock, no transaction open: commits the wanted routes (new ones get
 * their id), then makes the kernel so; if it refuses, state file and kernel are
 * as before. gateway_make_stored: they are committed already.
 */
int gateway_make(struct err *e, struct gateway *g, struct transition *t) MUST_CHECK;
int gateway_make_stored(struct err *e, struct gateway *g, struct transition *t) MUST_CHECK;

/* The worker of this name. -ESRCH. */
int gateway_worker(struct err *e, struct gateway *g, const char *name, struct worker *out) MUST_CHECK;

/* Which endpoint a direct route of this worker has. -EINVAL: the worker has no address of that family. */
int gateway_direct_endpoint(struct err *e, const struct worker *w, const struct route *r,
			    struct endpoint *out) MUST_CHECK;

/* ipvs_run in portions, with gateway_on_progress. */
int gateway_run(struct err *e, struct gateway *g, struct change_list *changes) MUST_CHECK;

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

/*
 * Under the lock, no transaction open: what whoever comes next does. Removes
 * real servers that have drained, and finishes closing routes whose last count
 * is in. GATEWAY_FINISH_SOME: so many of each at most, that no small command has to
 * wait for the end of a large one.
 */
#define GATEWAY_FINISH_SOME 64
int gateway_finish_due(struct err *e, struct gateway *g) MUST_CHECK;      /* all */
int gateway_finish_some_due(struct err *e, struct gateway *g) MUST_CHECK;

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
