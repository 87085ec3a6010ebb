/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Closing a route, exactly. Deleting a service destroys what its counters hold
 * since the estimator last read them, so: the real servers go first, which
 * stops the traffic and freezes the counters; once the estimator has passed,
 * whoever comes next reads the service, stores the account, deletes the
 * service, and moves the route into the ledger.
 */
#include "gateway_internal.h"

#include "sysctl.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* How late the kernel may be with a removal before we write down when it really was. */
#define LATE_MS 200

/* Somebody else may have removed the service or the real server first: that is what we want. */
static void accept_gone(struct change_list *changes)
{
	for (size_t i = 0; i < changes->n; i++)
		if (changes->items[i].status == -ESRCH || changes->items[i].status == -ENOENT)
			changes->items[i].status = 0;
}

int gateway_run_removals(struct err *e, struct gateway *g, struct change_list *changes)
{
	if (changes->n == 0)
		return 0;
	if (ipvs_run(e, g->kernel, changes) < 0)
		return -e->code;
	accept_gone(changes);
	for (size_t i = 0; i < changes->n; i++)
		if (changes->items[i].status < 0)
			return gateway_explain(e, changes);
	return 0;
}

typedef int store_fn(struct err *e, struct store *s, const struct route *r);

/* One transaction over a list: all or none. */
static int store_each(struct err *e, struct gateway *g, const struct route_list *routes, store_fn *store_one)
{
	int ret;

	if (routes->n == 0)
		return 0;
	ret = store_begin(e, g->store);
	for (size_t i = 0; ret == 0 && i < routes->n; i++)
		ret = store_one(e, g->store, &routes->items[i]);
	if (ret == 0)
		ret = store_commit(e, g->store);
	store_rollback(g->store);
	return ret;
}

static int set_account(struct err *e, struct store *s, const struct route *r)
{
	return store_set_account(e, s, r->id, &r->account);
}

static int close_route(struct err *e, struct store *s, const struct route *r)
{
	return store_close_route(e, s, r->id, time(NULL));
}

/*
 * Does the kernel's estimator run? It can be switched off, and from 6.2 on left
 * without processors; a kernel that has neither switch always counts.
 */
static bool counters_run(void)
{
	char value[SYSCTL_VALUE_MAX];
	struct err ignored;

	if (sysctl_read(&ignored, "net/ipv4/vs/est_cpulist", value) == 0 && value[0] == '\0')
		return false;
	return sysctl_read(&ignored, "net/ipv4/vs/run_estimation", value) < 0 || strcmp(value, "0") != 0;
}

int gateway_closing_begins(struct err *e, struct boottime *out)
{
	if (gateway_boottime(e, out) < 0)
		return -e->code;
	if (!counters_run())
		out->ms = BOOTTIME_NEVER;
	return 0;
}

bool gateway_is_of_another_boot(const struct route *r, const struct boottime *now)
{
	return r->state == ROUTE_CLOSING && strcmp(r->closing.boot_id, now->boot_id) != 0;
}

/* A direct route has no service and nothing to wait for: no boot, so it is settled at once. */
int gateway_set_state(struct err *e, struct gateway *g, struct route_list *routes, enum route_state state)
{
	struct boottime now;

	if (gateway_closing_begins(e, &now) < 0)
		return -e->code;
	for (size_t i = 0; i < routes->n; i++) {
		routes->items[i].state = state;
		if (routes->items[i].kind == ROUTE_GATEWAY)
			routes->items[i].closing = now;
	}
	return store_each(e, g, routes, store_set_route);
}

/*
 * The estimator's clock starts when the real servers are gone, not when we
 * wrote that they will be.
 */
static int correct_clock(struct err *e, struct gateway *g, struct route_list *routes)
{
	bool direct = false, late = false;
	struct boottime now;

	if (gateway_boottime(e, &now) < 0)
		return -e->code;
	for (size_t i = 0; i < routes->n; i++) {
		const struct route *r = &routes->items[i];

		direct = direct || r->kind == ROUTE_DIRECT;
		late = late || (r->kind == ROUTE_GATEWAY && now.ms - r->closing.ms >= LATE_MS);
	}
	if (late && gateway_set_state(e, g, routes, ROUTE_CLOSING) < 0)
		return -e->code;
	return direct ? gateway_finish_due(e, g) : 0;
}

/* Takes the real servers of closing routes out of the kernel. */
static int stop_traffic(struct err *e, struct gateway *g, const struct route_list *routes,
			const struct service_list *actual)
{
	CLEANUP(plan_clear) struct plan plan = { 0 };

	if (plan_make(e, routes, actual, &plan) < 0)
		return -e->code;
	return gateway_run_removals(e, g, &plan.changes);
}

/*
 * For a clock tick or two after its real server is gone, the kernel forwards
 * what the worker sends on its own in a connection, and counts it no more
 * (ip_vs_out_stats in ip_vs_core.c; expire_nodest_conn is done by a timer). So
 * its answers are held back first: what is not forwarded needs no count.
 */
static int64_t hold_ms(void)
{
	struct timespec tick;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) < 0)
		return 50;
	return 5 + 3 * (tick.tv_nsec / 1000000 + 1);
}

/* Another container may be published from the same real server: its answers go on. */
static int hold_server(struct err *e, struct gateway *g, uint8_t protocol, const struct endpoint *real)
{
	bool used;

	if (store_server_is_used(e, g->store, protocol, real, &used) < 0)
		return -e->code;
	if (used)
		return 0;
	return gateway_need_routing(e, g) < 0 ? -e->code : routing_hold(e, g->routing, protocol, real);
}

/* After the routes are stored as closing. */
int gateway_hold_answers(struct err *e, struct gateway *g, const struct route_list *routes)
{
	for (size_t i = 0; i < routes->n; i++) {
		const struct route *r = &routes->items[i];

		for (size_t k = 0; r->kind == ROUTE_GATEWAY && k < r->n_servers; k++)
			if (hold_server(e, g, r->protocol, &r->servers[k].real) < 0)
				return -e->code;
	}
	return 0;
}

int gateway_release_answers(struct err *e, struct gateway *g, const struct route_list *routes)
{
	for (size_t i = 0; i < routes->n; i++) {
		const struct route *r = &routes->items[i];

		for (size_t k = 0; r->kind == ROUTE_GATEWAY && k < r->n_servers; k++)
			if (gateway_need_routing(e, g) < 0 ||
			    routing_release(e, g->routing, r->protocol, &r->servers[k].real) < 0)
				return -e->code;
	}
	return 0;
}

/* Others need not wait meanwhile. */
static int end_hold(struct err *e, struct gateway *g, const struct route_list *routes)
{
	const struct timespec pause = { .tv_nsec = hold_ms() * 1000000 };

	if (!g->routing)
		return 0; /* nothing is held */
	nanosleep(&pause, NULL);
	return gateway_release_answers(e, g, routes);
}

/* After a failure: everything as it was, as far as the kernel lets us. */
static void put_back(struct gateway *g, struct route_list *routes)
{
	CLEANUP(service_list_clear) struct service_list actual = { 0 };
	CLEANUP(plan_clear) struct plan plan = { 0 };
	struct err ignored;

	(void)!gateway_release_answers(&ignored, g, routes);
	if (gateway_set_state(&ignored, g, routes, ROUTE_OPEN) == 0 &&
	    gateway_get_services(&ignored, g, routes, &actual) == 0 &&
	    plan_make(&ignored, routes, &actual, &plan) == 0 &&
	    gateway_end_epochs(&ignored, g, routes, &plan) == 0)
		(void)!ipvs_run(&ignored, g->kernel, &plan.changes);
}

/* Reads the last counts and lists the services to delete. */
static int take_last_count(struct err *e, struct route_list *due, const struct service_list *actual,
			   struct change_list *deletions)
{
	for (size_t i = 0; i < due->n; i++) {
		struct change deletion = { .op = CHANGE_DELETE_SERVICE,
					   .key = route_service_key(&due->items[i]) };
		const struct service *s = service_find(actual, &deletion.key);

		if (due->items[i].kind != ROUTE_GATEWAY || !s)
			continue;
		account_read(&due->items[i].account, &s->counters);
		if (change_list_add(e, deletions, &deletion) < 0)
			return -e->code;
	}
	return 0;
}

/*
 * Count first, then delete, then write the ledger: after a crash in between,
 * the next one reads the same frozen counters again, or finds no service and
 * nothing to add.
 */
static int finish(struct err *e, struct gateway *g, struct route_list *due, const struct service_list *actual)
{
	CLEANUP(change_list_clear) struct change_list deletions = { 0 };

	if (take_last_count(e, due, actual, &deletions) < 0)
		return -e->code;
	if (deletions.n > 0 && store_each(e, g, due, set_account) < 0)
		return -e->code;
	/* A killed -D may have left its hold. */
	if (gateway_run_removals(e, g, &deletions) < 0 || gateway_release_answers(e, g, due) < 0)
		return -e->code;
	return store_each(e, g, due, close_route);
}

/* What a closing route waits for. */
struct closing {
	struct route_list settled; /* nothing: its service has stood still for long enough */
	struct route_list frozen;  /* the counters to run again */
	/*
	 * Nothing: it is direct, or of another boot; the kernel that counted is
	 * gone, and what has its port in this one is not ours.
	 */
	struct route_list uncounted;
};

static void closing_clear(struct closing *c)
{
	route_list_clear(&c->settled);
	route_list_clear(&c->frozen);
	route_list_clear(&c->uncounted);
}

static int find_closing(struct err *e, struct gateway *g, struct closing *out)
{
	CLEANUP(route_list_clear) struct route_list found = { 0 };
	struct boottime settled;
	int ret = gateway_boottime(e, &settled);

	settled.ms -= GATEWAY_SETTLE_MS;
	if (ret == 0)
		ret = store_settled_routes(e, g->store, &settled, 0, &found);
	for (size_t i = 0; ret == 0 && i < found.n; i++) {
		struct route *r = &found.items[i];

		if (gateway_is_of_another_boot(r, &settled))
			ret = route_list_take(e, &out->uncounted, r);
		else
			ret = route_list_take(e, r->closing.ms == BOOTTIME_NEVER ? &out->frozen : &out->settled, r);
	}
	return ret;
}

/*
 * Removes what a killed -D left. The wait begins anew, and that is written
 * first; the answers are held back until the routes are finished. Returns how
 * many real servers there were.
 */
static int stop_left(struct err *e, struct gateway *g, struct route_list *closing,
		     const struct service_list *actual)
{
	CLEANUP(plan_clear) struct plan plan = { 0 };

	if (plan_make(e, closing, actual, &plan) < 0)
		return -e->code;
	if (plan.changes.n > 0 && (gateway_set_state(e, g, closing, ROUTE_CLOSING) < 0 ||
				   gateway_hold_answers(e, g, closing) < 0 ||
				   gateway_run_removals(e, g, &plan.changes) < 0))
		return -e->code;
	return (int)plan.changes.n;
}

static int finish_settled(struct err *e, struct gateway *g, struct route_list *settled)
{
	CLEANUP(service_list_clear) struct service_list actual = { 0 };
	int left;

	if (gateway_get_services(e, g, settled, &actual) < 0)
		return -e->code;
	left = stop_left(e, g, settled, &actual);
	if (left != 0)
		return left < 0 ? left : 0;
	if (actual.n > 0 && !counters_run()) /* they stand still: the wait begins when they do not */
		return gateway_set_state(e, g, settled, ROUTE_CLOSING);
	return finish(e, g, settled, &actual);
}

/* They were to be stopped already, but the one who was at it may have been killed. */
static int stop_again(struct err *e, struct gateway *g, struct route_list *closing)
{
	CLEANUP(service_list_clear) struct service_list actual = { 0 };
	int left;

	if (gateway_get_services(e, g, closing, &actual) < 0)
		return -e->code;
	left = stop_left(e, g, closing, &actual);
	return left < 0 ? left : 0;
}

int gateway_finish_due(struct err *e, struct gateway *g)
{
	CLEANUP(closing_clear) struct closing c = { 0 };

	if (find_closing(e, g, &c) < 0)
		return -e->code;
	if (store_each(e, g, &c.uncounted, close_route) < 0)
		return -e->code;
	if (c.frozen.n > 0 && (stop_again(e, g, &c.frozen) < 0 ||
			       (counters_run() && gateway_set_state(e, g, &c.frozen, ROUTE_CLOSING) < 0)))
		return -e->code;
	return c.settled.n > 0 ? finish_settled(e, g, &c.settled) : 0;
}

static int close_routes(struct err *e, struct gateway *g, struct route_list *routes)
{
	CLEANUP(service_list_clear) struct service_list actual = { 0 };

	/* Asked before anything changes: without permission or IPVS it ends here. */
	if (gateway_get_services(e, g, routes, &actual) < 0 || gateway_set_state(e, g, routes, ROUTE_CLOSING) < 0)
		return -e->code;
	if (gateway_hold_answers(e, g, routes) < 0 || stop_traffic(e, g, routes, &actual) < 0) {
		put_back(g, routes);
		return -e->code;
	}
	return correct_clock(e, g, routes);
}

static int absent(struct err *e, const struct route_filter *f)
{
	if (f->cport)
		return err_set(e, ERR_ABSENT, "container %s has no route for port %u/%s; see 'sonm-vs -L %s'",
			       f->container, (unsigned)f->cport, protocol_name(f->protocol), f->container);
	return err_set(e, ERR_ABSENT, "no such container: %s; see 'sonm-vs -L'", f->container);
}

static int remove_locked(struct err *e, struct gateway *g, const struct route_filter *f,
			 struct route_list *open, struct route_list *closing)
{
	struct route_filter is_open = *f, is_closing = *f;

	is_open.state = ROUTE_OPEN;
	is_closing.state = ROUTE_CLOSING;
	if (gateway_finish_due(e, g) < 0 || store_routes(e, g->store, &is_closing, closing) < 0 ||
	    store_routes(e, g->store, &is_open, open) < 0)
		return -e->code;
	if (open->n + closing->n == 0)
		return absent(e, f);
	if (open->n > 0 && close_routes(e, g, open) < 0)
		return -e->code;
	return closing->n > 0 ? stop_again(e, g, closing) : 0;
}

int gateway_remove(struct err *e, struct gateway *g, const struct route_filter *f, struct route_list *out)
{
	CLEANUP(route_list_clear) struct route_list open = { 0 }, closing = { 0 };
	struct err failed;
	int ret, held;

	if (store_lock(e, g->store) < 0)
		return -e->code;
	ret = remove_locked(e, g, f, &open, &closing);
	store_unlock(g->store);
	held = open.n > 0 ? end_hold(&failed, g, &open) : 0;
	if (ret == 0 && held < 0)
		ret = err_set(e, failed.code, "%s", failed.msg);
	for (size_t i = 0; ret == 0 && i < closing.n; i++)
		ret = route_list_take(e, out, &closing.items[i]);
	for (size_t i = 0; ret == 0 && i < open.n; i++)
		ret = route_list_take(e, out, &open.items[i]);
	return ret;
}

static bool is_one_of(int64_t id, const int64_t *ids, size_t n_ids)
{
	for (size_t i = 0; i < n_ids; i++)
		if (ids[i] == id)
			return true;
	return false;
}

/* How long until the last of these routes is settled, in ms; 0: none is closing any more. */
static int64_t time_to_wait(struct err *e, struct gateway *g, const int64_t *ids, size_t n_ids)
{
	static const struct route_filter all_closing = { .state = ROUTE_CLOSING };
	CLEANUP(route_list_clear) struct route_list closing = { 0 };
	struct boottime now;
	int64_t wait = 0;

	if (gateway_boottime(e, &now) < 0 || store_routes(e, g->store, &all_closing, &closing) < 0)
		return -e->code;
	for (size_t i = 0; i < closing.n; i++) {
		int64_t left = closing.items[i].closing.ms + GATEWAY_SETTLE_MS - now.ms;

		if (!is_one_of(closing.items[i].id, ids, n_ids))
			continue;
		left = left < 1 ? 1 : left > GATEWAY_SETTLE_MS ? GATEWAY_SETTLE_MS : left;
		wait = left > wait ? left : wait;
	}
	return wait;
}

static int64_t settle_once(struct err *e, struct gateway *g, const int64_t *ids, size_t n_ids)
{
	int64_t ret;

	if (store_lock(e, g->store) < 0)
		return -e->code;
	ret = gateway_finish_due(e, g);
	if (ret == 0)
		ret = time_to_wait(e, g, ids, n_ids);
	store_unlock(g->store);
	return ret;
}

int gateway_settle(struct err *e, struct gateway *g, const int64_t *ids, size_t n_ids)
{
	int64_t wait;

	while ((wait = settle_once(e, g, ids, n_ids)) > 0) {
		struct timespec pause = { .tv_sec = wait / 1000, .tv_nsec = wait % 1000 * 1000000 };

		if (!counters_run())
			return err_set(e, EAGAIN,
				       "the kernel's counters stand still: net.ipv4.vs.run_estimation is 0, or est_cpulist is "
				       "empty; run 'sonm-gw-setup --apply', then 'sonm-gwstat --checkpoint'");
		nanosleep(&pause, NULL);
	}
	return (int)wait;
}
