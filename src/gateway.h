/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * gateway: the product's verbs: add, remove, settle, sync, read. Composes the
 * state file (store) and the kernel (ipvs), and owns the order in which they
 * change. Prints nothing.
 *
 * The order: what is to be is committed first, then the kernel is changed, all
 * under the writer's lock; if the kernel refuses, both are put back. So every
 * service that we ever made has a route in the state file, a service without
 * one is foreign, and a crash in between is healed by gateway_sync.
 */
#ifndef SONM_GATEWAY_H
#define SONM_GATEWAY_H

#include "config.h"
#include "plan.h"
#include "store.h"
#include "worker.h"

/* The kernel's estimator has read every counter by then (period 2 s, ip_vs_est.c). */
#define GATEWAY_SETTLE_MS 3000

struct gateway;

/* Opens the state file; the kernel is asked for when it is first needed. c must outlive the gateway. */
int gateway_open(struct err *e, const struct config *c, enum store_mode mode, struct gateway **out) MUST_CHECK;
void gateway_close(struct gateway *g); /* NULL is fine */
void gateway_closep(struct gateway **g); /* a CLEANUP function */

/*
 * A verb that succeeds has done what it is for. What then failed, of what only comes
 * after it (real servers held back a moment longer, a note in the state file), whoever
 * comes next does: why, or NULL. It is g's.
 */
const char *gateway_undone(const struct gateway *g);

struct add_request {
	const char *container;
	struct port_spec *ports;  /* with real servers; the same port twice: a second real server */
	size_t n_ports;
	const char *worker;       /* NULL: not known, or as it is */
	const struct addr *vip;   /* NULL: from the configuration */
	uint16_t vport;           /* 0: from the pool */
	const char *scheduler;    /* NULL: the configuration's */
	int64_t weight;           /* -1: the configuration's */
	int64_t persistence;      /* seconds, 0: none, -1: none, or as it is */
};

/*
 * Publishes ports of one container, all or none, and appends the routes to
 * *out in the order asked for. What is there already, the same, is kept (and
 * put back into the kernel if it is missing there); something different under
 * the same name is -EEXIST. What drains or closes opens again. On a public
 * worker a route is direct: its endpoint is the worker's address of the real
 * server's family and the real server's port. -EADDRNOTAVAIL: the pool is
 * full; -ESRCH: no such worker.
 */
int gateway_add(struct err *e, struct gateway *g, const struct add_request *rq,
		struct route_list *out) MUST_CHECK;

/* Whether such a request can be right, before there is a gateway to ask: -EINVAL. */
int gateway_check_add(struct err *e, const struct add_request *rq) MUST_CHECK;

/* Which routes of a container to edit, and what: NULL and -1 leave it as it is. */
struct edit_request {
	const char *container;
	const struct port_spec *ports; /* one with a real server edits that one, or adds it */
	size_t n_ports;                /* 0: all of the container's */
	const char *scheduler;
	int64_t weight;                /* of the real servers named, or of all; of a new one: -1 is the configuration's */
	int64_t persistence;           /* seconds; 0: none */
	const struct endpoint *replace; /* this real server drains, without a deadline, for the one that is named */
};

/*
 * Edits open gateway routes, all that are meant or none, and appends them to
 * *out as they are then. Established connections and the account go on.
 * -ESRCH: no such route, or no real server to replace; -EINVAL: nothing to
 * edit, or a direct route.
 */
int gateway_edit(struct err *e, struct gateway *g, const struct edit_request *rq,
		 struct route_list *out) MUST_CHECK;

/*
 * Stops the traffic of the routes that match, at once, and marks them
 * closing. Appends them to *out. -ESRCH: there are none, open or closing.
 */
int gateway_remove(struct err *e, struct gateway *g, const struct route_filter *f,
		   struct route_list *out) MUST_CHECK;

/*
 * The same for one real server of a route (container, port and protocol are in
 * f); with the last one its route closes. -ESRCH: no such route or real server.
 */
int gateway_remove_server(struct err *e, struct gateway *g, const struct route_filter *f,
			  const struct endpoint *real, struct route_list *out) MUST_CHECK;

/* What is left to a connection that has begun to close: lost segments are sent again. */
#define GATEWAY_DRAIN_GRACE_MS 5000

/*
 * Lets the routes that match, or one real server of a route (real not NULL),
 * take no new connections, and returns. Each real server leaves once the kernel
 * shows no active connection to it (and GATEWAY_DRAIN_GRACE_MS later, if any is
 * closing still), or these seconds are over: whoever comes
 * next sees to it, and closes the route whose last one leaves. UDP has no
 * connections to wait for and direct routes none that are known: these are
 * removed at once. Appends all to *out: draining, closing, or, where other real
 * servers are left, open.
 */
int gateway_drain(struct err *e, struct gateway *g, const struct route_filter *f, const struct endpoint *real,
		  uint32_t seconds, struct route_list *out) MUST_CHECK;

/* Waits until no real server of the routes with these ids drains any more. */
int gateway_wait_drained(struct err *e, struct gateway *g, const int64_t *ids, size_t n_ids) MUST_CHECK;

/*
 * Adds routes with their endpoints (a saved document's, or an IPVS table's),
 * and sets workers, all or none. Checked before anything changes: names,
 * endpoints (of this host, inside the pool, free) and conflicts with what is
 * there; the same is kept. adopt: a service that the kernel has already, with
 * the same scheduler, persistence, real servers and weights, is taken over as
 * it is: the route's account begins with nothing, so what the service has counted
 * from its own beginning belongs to the route. Writes what became of the routes to
 * *out on success. routes get ids; they may be reordered.
 */
struct restored {
	size_t added, kept, adopted; /* routes */
	size_t workers;              /* new or changed */
};

int gateway_restore(struct err *e, struct gateway *g, struct route_list *routes,
		    const struct worker_list *workers, bool adopt, struct restored *out) MUST_CHECK;

/*
 * Stores what is known of a worker. Appends the open routes that it is wrong
 * for to *out (a gateway route of a worker that is public now, and the like):
 * gateway_sync moves them. Returns how many routes name it, these or others.
 */
int gateway_set_worker(struct err *e, struct gateway *g, const struct worker *w,
		       struct route_list *out) MUST_CHECK;

/* -ESRCH: no such worker; -EEXIST: routes name it. */
int gateway_delete_worker(struct err *e, struct gateway *g, const char *name) MUST_CHECK;

/*
 * Finishes closing routes whose last count is in: writes the ledger, deletes
 * the service. Waits until none of those with these ids is closing any more.
 * -EAGAIN: the kernel's counters stand still (net.ipv4.vs.run_estimation is 0,
 * or est_cpulist is empty).
 */
int gateway_settle(struct err *e, struct gateway *g, const int64_t *ids, size_t n_ids) MUST_CHECK;

/*
 * A route whose worker is reached in another way now: it closes, and opens as
 * another. One whose every real server drains is left to leave.
 */
struct move {
	struct route from; /* as it was */
	enum route_kind kind;
	struct endpoint public; /* a gateway route's is chosen when it is made: port 0 in a dry run */
};

/* What gateway_sync found and changed, or with dry_run would change. */
struct sync_result {
	struct move *moves; /* owned */
	size_t n_moves;
	/*
	 * In the kernel, deletions of orphans too. A dry run does not have the new
	 * service of a route that moves: its endpoint is not chosen.
	 */
	struct change_list changes;
	struct service_list orphans;  /* on a VIP and in the pool, of no route: deleted */
	struct service_list foreign;  /* in the pool of another address, or no route was ever stored: left alone */
	struct service_list resets;   /* of a route, set back or made by others after a reboot: a new epoch begins */
};

void sync_result_clear(struct sync_result *r); /* a CLEANUP function */

/*
 * Makes the kernel match the state file, or with dry_run only says what would
 * change. *out is written when it fails too: what was done before that. A route
 * that cannot be moved fails it after everything else is healed.
 * Returns the number of differences; run again, there are none.
 */
int gateway_sync(struct err *e, struct gateway *g, bool dry_run, struct sync_result *out) MUST_CHECK;

/* Is told how far a long work is: done of total changes in the kernel. */
typedef void gateway_progress(void *ctx, size_t done, size_t total);
void gateway_on_progress(struct gateway *g, gateway_progress *fn, void *ctx);

/* Does the kernel count? false: all numbers stand still (net.ipv4.vs.run_estimation is 0, or est_cpulist is empty). */
int gateway_is_counting(struct err *e, bool *out) MUST_CHECK;

/*
 * Finishes what is due, then folds the kernel's counters into accounts and
 * history, notes what is uncertain and when this was, and thins the history out;
 * in one dump and one transaction. Returns the routes read.
 */
int gateway_checkpoint(struct err *e, struct gateway *g) MUST_CHECK;

/* What a route has transferred up to now. As small as can be: there are thousands. */
struct reading {
	int64_t route;       /* its id */
	const char *container; /* a list's own, or the route's while it is read */
	const char *state;   /* route_state_name's */
	int64_t opened_at;   /* seconds since 1970 */
	struct endpoint public;
	uint16_t cport;
	uint8_t protocol;    /* IPPROTO_ */
	bool in_kernel;      /* false: the service is missing, total is the last known */
	enum route_kind kind;
	struct counters total;
	struct counters recent; /* of total: what is not in the state file yet */
	struct rates rates;
};

struct reading_list {
	struct reading *items;
	size_t n;
};

/*
 * Calls fn with the reading of each route, open or closing, of a container (NULL: all), ordered
 * by container, container port, protocol, id; changes nothing. In a transaction of the state
 * file they are of one moment with what else is read there. All take one dump. The reading
 * is fn's until it returns. What fn fails with ends it.
 */
typedef int gateway_reading_fn(struct err *e, void *ctx, const struct reading *r);
int gateway_each_reading(struct err *e, struct gateway *g, const char *container, gateway_reading_fn *fn,
			 void *ctx) MUST_CHECK;

/* Appends them all. */
int gateway_read(struct err *e, struct gateway *g, const char *container, struct reading_list *out) MUST_CHECK;
void reading_list_clear(struct reading_list *list); /* a CLEANUP function */

/* The gateway's state file, for listing without the kernel. */
struct store *gateway_store(struct gateway *g);

#endif
