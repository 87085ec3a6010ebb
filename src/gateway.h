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

/* The kernel's estimator has read every counter by then (period 2 s, ip_vs_est.c). */
#define GATEWAY_SETTLE_MS 3000

struct gateway;

/* Opens the state file; the kernel is asked for when it is first needed. c must outlive the gateway. */
int gateway_open(struct err *e, const struct config *c, enum store_mode mode, struct gateway **out) MUST_CHECK;
void gateway_close(struct gateway *g); /* NULL is fine */
void gateway_closep(struct gateway **g); /* a CLEANUP function */

/* The same container port twice: a second real server. */
struct port_request {
	uint16_t cport;
	uint8_t protocol;
	struct endpoint real;
};

struct add_request {
	const char *container;
	struct port_request *ports;
	size_t n_ports;
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
 * the same name is -EEXIST. -EADDRNOTAVAIL: the pool is full.
 */
int gateway_add(struct err *e, struct gateway *g, const struct add_request *rq,
		struct route_list *out) MUST_CHECK;

/*
 * Stops the traffic of the routes that match, at once, and marks them
 * closing. Appends them to *out. -ESRCH: there are none, open or closing.
 */
int gateway_remove(struct err *e, struct gateway *g, const struct route_filter *f,
		   struct route_list *out) MUST_CHECK;

/*
 * Finishes closing routes whose last count is in: writes the ledger, deletes
 * the service. Waits until none of those with these ids is closing any more.
 * -EAGAIN: the kernel's counters stand still (net.ipv4.vs.run_estimation is 0,
 * or est_cpulist is empty).
 */
int gateway_settle(struct err *e, struct gateway *g, const int64_t *ids, size_t n_ids) MUST_CHECK;

/*
 * Makes the kernel match the state file, or with dry_run only says what would
 * change. Appends every change to *done and the foreign services inside the
 * pool to *foreign; when it fails too, what was done before that. Returns the
 * number of changes.
 */
int gateway_sync(struct err *e, struct gateway *g, bool dry_run, struct change_list *done,
		 struct service_list *foreign) MUST_CHECK;

/* Folds the kernel's counters into the account, in one dump and one transaction. Returns the routes read. */
int gateway_checkpoint(struct err *e, struct gateway *g) MUST_CHECK;

/* A route with what it has transferred up to now. */
struct reading {
	struct route route;
	struct counters total;
	struct rates rates;
	bool in_kernel; /* false: the service is missing, total is the last known */
};

struct reading_list {
	struct reading *items;
	size_t n;
};

/* Reads routes and the kernel's counters; changes nothing. */
int gateway_read(struct err *e, struct gateway *g, const struct route_filter *f,
		 struct reading_list *out) MUST_CHECK;
void reading_list_clear(struct reading_list *list); /* a CLEANUP function */

/* The gateway's state file, for listing without the kernel. */
struct store *gateway_store(struct gateway *g);

#endif
