/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * gateway_internal: what the gateway's own files share. Only gateway*.c
 * include it.
 */
#ifndef SONM_GATEWAY_INTERNAL_H
#define SONM_GATEWAY_INTERNAL_H

#include "gateway.h"
#include "hostnet.h"
#include "ipvs.h"
#include "routing.h"

/* VIPs that were found to be this host's, at this time (seconds since 1970). */
struct local_vips {
	int64_t at;
	struct addr addrs[CONFIG_ADDRESSES_MAX];
	size_t n;
};

/* A real server whose answers this process holds back. */
struct held {
	uint8_t protocol;
	struct endpoint real;
};

struct gateway {
	const struct config *config;
	struct store *store;
	struct ipvs *kernel; /* NULL until it is needed */
	struct routing *routing; /* likewise */
	gateway_progress *progress; /* NULL: nobody is told */
	void *progress_ctx;
	struct local_vips local_vips;
	struct held *held; /* owned */
	size_t n_held;
	char boot_id[BOOT_ID_MAX + 1]; /* "" until it is asked for */
	struct err undone; /* gateway_undone; code 0: nothing */
	bool has_left; /* among them are real servers of open routes, whose rows remember them */
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
 * and for local programs? Does not ask IPVS. survey: NULL, or what spares most of many
 * routes their probes. -EEXIST: taken; -EINVAL.
 */
int gateway_check_endpoint(struct err *e, struct gateway *g, const struct route *r,
			   const struct hostnet_survey *survey, int64_t now) MUST_CHECK;

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

/* In a transaction: stores what of the wanted routes is new, not stored yet, or differs from the former. */
int gateway_store_wanted(struct err *e, struct gateway *g, struct transition *t) MUST_CHECK;

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

/*
 * Is this route wrong for its worker? 1: yes, and *out has what kind and endpoint
 * it is to be (from is not written; port 0 for a gateway route); 0: no, or it
 * drains or closes; -EINVAL: yes, but it cannot be moved.
 */
int gateway_misplaced(struct err *e, const struct gateway *g, const struct worker *w, const struct route *r,
		      struct move *out) MUST_CHECK;

/* What went wrong with some routes while the others were healed. */
struct mishaps {
	struct err first;
	size_t n;
};

/*
 * Under the lock, after gateway_list_services: moves those of all routes that
 * are wrong for their workers, in the state file only: the kernel is to follow.
 * *routes, which must be ordered as store_routes does, is then as it is to be.
 * dry_run: changes *routes only.
 */
int gateway_move_routes(struct err *e, struct gateway *g, bool dry_run, struct route_list *routes,
			struct sync_result *out, struct mishaps *mishaps) MUST_CHECK;

/*
 * Fits a wanted route to the open one of the same name, which it is then to
 * replace: takes over what it leaves open (a worker that is not named, real
 * servers that drain and are not asked for) and what is the route's own (id,
 * endpoint, account). A route that drains takes any real servers of its family,
 * and opens. -EEXIST: something different is asked for.
 */
int gateway_join(struct err *e, struct route *wanted, const struct route *have) MUST_CHECK;

/* Can this closing route open again where it was, with its account? now: this boot. */
bool gateway_can_reopen(struct gateway *g, const struct route *have, const struct boottime *now);

/* Could this be the name of a scheduler? -EINVAL. */
int gateway_check_scheduler(struct err *e, const char *name) MUST_CHECK;

/* ipvs_run in portions, with gateway_on_progress. */
int gateway_run(struct err *e, struct gateway *g, struct change_list *changes) MUST_CHECK;

/* Likewise to its routing. */
int gateway_need_routing(struct err *e, struct gateway *g) MUST_CHECK;

/*
 * Holds back what the real servers of routes stored as closing send, except one
 * that an open route has. See gateway_hold.c.
 */
int gateway_hold_answers(struct err *e, struct gateway *g, const struct route_list *routes) MUST_CHECK;

/* The same for one that leaves this open route. 1: held; 0: not, others need it or the kernel cannot. */
int gateway_hold_server(struct err *e, struct gateway *g, const struct route *r,
			const struct endpoint *real) MUST_CHECK;

/* How long a hold lasts, in ms, from when the real server is out of the kernel. */
int64_t gateway_hold_ms(void);
void gateway_pause(int64_t ms);

/* Ends what the removal of such a real server may have begun and, killed, not ended. */
int gateway_release_answers(struct err *e, struct gateway *g, const struct route_list *routes) MUST_CHECK;
int gateway_release_server(struct err *e, struct gateway *g, uint8_t protocol,
			   const struct endpoint *real) MUST_CHECK;

/*
 * Without the lock: when their time is over, ends the holds that this process
 * began; what cannot be ended, is left undone. gateway_close does it for who did not.
 * Nothing held: returns at once.
 */
void gateway_end_holds(struct gateway *g);

/* Unlocks, and ends the holds: how a verb that may have removed a real server, and be it in gateway_finish_due, ends. */
void gateway_unlock(struct gateway *g);

/* What the verb was for is done, but this failed after it: see gateway_undone. The first one is kept. */
void gateway_leave_undone(struct gateway *g, const struct err *why);

/* Moves the routes that a verb has changed to the caller's list. -ENOMEM, and e says that it is done all the same. */
int gateway_take_done(struct err *e, struct route_list *from, struct route_list *to) MUST_CHECK;

/*
 * Adds to *actual, which stays sorted, the services of these routes that exist,
 * with their real servers. A few are asked for by name, so that the cost grows
 * with the routes asked for only; before many, one dump says which exist.
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

/* The present instant of this boot. Once it has succeeded, it cannot fail: which boot it is, is asked only then. */
int gateway_boottime(struct err *e, struct gateway *g, struct boottime *out) MUST_CHECK;

/*
 * Under the lock, no transaction open: what whoever comes next does. Removes
 * real servers that have drained, and finishes closing routes whose last count
 * is in. GATEWAY_FINISH_SOME: so many of each at most, that no small command has to
 * wait for the end of a large one.
 */
#define GATEWAY_FINISH_SOME 64
int gateway_finish_due(struct err *e, struct gateway *g) MUST_CHECK;      /* all */
int gateway_finish_some_due(struct err *e, struct gateway *g) MUST_CHECK;

/*
 * The second half of that: real servers that have drained leave. limit: so many
 * routes, those past their deadline first; 0: all, and it waits under the lock for
 * the end of the holds.
 */
int gateway_finish_drained(struct err *e, struct gateway *g, size_t limit) MUST_CHECK;

/* Without the lock: forgets those that have left and are not held back any more. */
int gateway_forget_left(struct err *e, struct gateway *g) MUST_CHECK;

/*
 * Under the lock: lets open routes close: stores that, holds answers back, stops
 * the traffic. If the kernel refuses, they are open as before. Direct ones are
 * in the ledger then.
 */
int gateway_close_routes(struct err *e, struct gateway *g, struct route_list *routes) MUST_CHECK;

/* Under the lock: stops closing routes whose -D may have been killed before it did. */
int gateway_stop_again(struct err *e, struct gateway *g, struct route_list *closing) MUST_CHECK;

/*
 * Under the lock: after a failure, e, these rows again, and the kernel as they say. Returns
 * -e->code; e says it if that fails too.
 */
int gateway_put_back(struct err *e, struct gateway *g, const struct route_list *former) MUST_CHECK;

/*
 * Appends what f means, and has this real server (NULL: any). -ESRCH: nothing
 * does, neither open nor closing.
 */
int gateway_find_routes(struct err *e, struct gateway *g, const struct route_filter *f,
			const struct endpoint *real, struct route_list *open,
			struct route_list *closing) MUST_CHECK;

/*
 * Under the lock: this real server leaves these open routes at once. Refused: as
 * before. The routes are as they become then.
 */
int gateway_leave_now(struct err *e, struct gateway *g, struct route_list *routes,
		      const struct endpoint *real) MUST_CHECK;

/*
 * Under the lock: lets those draining real servers leave whose time has come.
 * Routes whose last one does are closed and moved to *closing.
 */
int gateway_leave(struct err *e, struct gateway *g, struct route_list *routes,
		  struct route_list *closing) MUST_CHECK;

/* Appends the open routes with real servers that drain. limit: as in gateway_finish_drained. */
int gateway_find_draining(struct err *e, struct gateway *g, size_t limit, struct route_list *out) MUST_CHECK;

/* Appends deep copies. */
int gateway_copy_routes(struct err *e, const struct route_list *from, struct route_list *to) MUST_CHECK;

/* One transaction over a list: all or none. */
typedef int gateway_store_fn(struct err *e, struct store *s, const struct route *r);
int gateway_store_each(struct err *e, struct gateway *g, const struct route_list *routes,
		       gateway_store_fn *store_one) MUST_CHECK;

/* A sorted copy of route ids, freed by the caller; NULL: out of memory. And is one among them? */
int64_t *gateway_sort_ids(const int64_t *ids, size_t n);
bool gateway_has_id(const int64_t *sorted, size_t n, int64_t id);

/* Removes services and real servers; what is gone already is no failure. */
int gateway_run_removals(struct err *e, struct gateway *g, struct change_list *changes) MUST_CHECK;

/* Closing begins now, or BOOTTIME_NEVER while the kernel's counters stand still. */
int gateway_closing_begins(struct err *e, struct gateway *g, struct boottime *out) MUST_CHECK;

/* Stores the routes with this state; those that close begin to do so now. */
int gateway_set_state(struct err *e, struct gateway *g, struct route_list *routes,
		      enum route_state state) MUST_CHECK;

/*
 * After the real servers of closing routes are gone: if the kernel was slow, stores
 * that they begin to close now. The estimator's clock starts then, and not when it
 * was written that they will be gone. If that fails, it is left undone.
 */
void gateway_correct_clock(struct gateway *g, struct route_list *closing);

/* Is this route closing since another boot? What has its port in this one is not ours. */
bool gateway_is_of_another_boot(const struct route *r, const struct boottime *now);

/* The first change that the kernel refused, as an error. */
int gateway_explain(struct err *e, const struct change_list *changes);

/*
 * In a transaction: what the service of this route, which may be closing, shows in
 * this boot (NULL: it is missing) goes into *a, the route's account, which the caller
 * stores. If something can have passed that nobody knows, that is noted: once, as
 * whoever finds the same again, finds an account that says so.
 */
int gateway_look(struct err *e, struct gateway *g, const char *boot, const struct service *s,
		 const struct route *r, struct account *a) MUST_CHECK;

/*
 * Under the lock: stores that a new epoch begins for those of the routes whose
 * services the plan makes, before it does, and notes what of the former ones is not known.
 */
int gateway_end_epochs(struct err *e, struct gateway *g, const struct route_list *routes,
		       const struct plan *plan) MUST_CHECK;

#endif
