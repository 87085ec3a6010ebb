/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Real servers that leave their routes: those that have drained, and those that
 * are to leave at once.
 *
 * One of several leaves in two steps, so that nobody waits under the lock for the
 * end of its hold, and the row remembers the hold if its owner is killed:
 *   1. commit that its wait is over; hold its answers back; take it out of the
 *      kernel; commit when that was. Killed before it is out: it is out of time,
 *      and the next who comes begins anew.
 *   2. the hold's time later: release its answers; commit the row without it. This
 *      is gateway_end_holds, or else whoever comes next.
 * What it has transferred, the route's service has counted and keeps. With the
 * last one the route closes, and nothing of it matters any more.
 */
#include "gateway_internal.h"

#include <string.h>

enum fate {
	STAYS,
	GOES,    /* it is in the kernel, and its time has come */
	IS_OUT,  /* of the kernel; its answers are held back still */
	IS_GONE, /* and nothing of it is left but the row */
};

static bool is_over(const struct real_server *rs, const struct boottime *now)
{
	return server_is_draining(rs) &&
	       (strcmp(rs->drain.boot_id, now->boot_id) != 0 || rs->drain.ms <= now->ms);
}

/* s: the route's service as it is, or NULL. */
static enum fate fate_of(const struct real_server *rs, const struct service *s, const struct boottime *now)
{
	const struct destination *d = service_find_destination(s, &rs->real);

	if (!server_is_draining(rs))
		return STAYS;
	if (d)
		return is_over(rs, now) || d->active + d->inactive == 0 ? GOES : STAYS;
	if (strcmp(rs->drain.boot_id, now->boot_id) == 0 && rs->drain.ms <= now->ms &&
	    now->ms - rs->drain.ms < gateway_hold_ms())
		return IS_OUT;
	return IS_GONE;
}

static const struct service *service_of(const struct route *r, const struct service_list *actual)
{
	const struct service_key key = route_service_key(r);

	return service_find(actual, &key);
}

static size_t count_fate(const struct route *r, enum fate fate, const struct service_list *actual,
			 const struct boottime *now)
{
	const struct service *s = service_of(r, actual);
	size_t n = 0;

	for (size_t i = 0; i < r->n_servers; i++)
		n += fate_of(&r->servers[i], s, now) == fate;
	return n;
}

/*
 * Moves the routes of which some real server has this fate to the front, and
 * returns them: only their rows are written, however many others drain.
 */
static struct route_list bring_forward(struct route_list *routes, enum fate fate,
				       const struct service_list *actual, const struct boottime *now)
{
	struct route_list some = { .items = routes->items };

	for (size_t i = 0; i < routes->n; i++) {
		struct route r = routes->items[i];

		if (count_fate(&r, fate, actual, now) == 0)
			continue;
		routes->items[i] = routes->items[some.n];
		routes->items[some.n++] = r;
	}
	return some;
}

/* The second step. */
static int forget_gone(struct err *e, struct gateway *g, struct route_list *routes,
		       const struct service_list *actual, const struct boottime *now)
{
	struct route_list some = bring_forward(routes, IS_GONE, actual, now);

	for (size_t i = 0; i < some.n; i++) {
		struct route *r = &some.items[i];
		const struct service *s = service_of(r, actual);

		for (size_t k = r->n_servers; k-- > 0;) {
			if (fate_of(&r->servers[k], s, now) != IS_GONE)
				continue;
			if (gateway_release_server(e, g, r->protocol, &r->servers[k].real) < 0)
				return -e->code;
			route_drop_server(r, &r->servers[k].real);
		}
	}
	return gateway_store_each(e, g, &some, store_set_route);
}

/* What the first step is about: real servers of these routes, all marked with this instant. */
struct leaving {
	struct route_list *routes;
	struct boottime at;
	struct change_list deletions;
	bool is_held; /* any of them */
};

static void leaving_clear(struct leaving *l)
{
	change_list_clear(&l->deletions);
}

static bool leaves(const struct leaving *l, const struct real_server *rs)
{
	return rs->drain.ms == l->at.ms && strcmp(rs->drain.boot_id, l->at.boot_id) == 0;
}

static int mark_leaving(struct err *e, struct leaving *l, const struct service_list *actual)
{
	for (size_t i = 0; i < l->routes->n; i++) {
		struct route *r = &l->routes->items[i];
		const struct service *s = service_of(r, actual);

		for (size_t k = 0; k < r->n_servers; k++) {
			struct change c = { .op = CHANGE_DELETE_DESTINATION, .key = route_service_key(r) };

			if (fate_of(&r->servers[k], s, &l->at) != GOES)
				continue;
			r->servers[k].drain = l->at;
			c.destination.real = r->servers[k].real;
			if (change_list_add(e, &l->deletions, &c) < 0)
				return -e->code;
		}
	}
	return 0;
}

typedef int server_fn(struct err *e, struct gateway *g, struct leaving *l, struct route *r, size_t k);

static int each_leaving(struct err *e, struct gateway *g, struct leaving *l, server_fn *fn)
{
	for (size_t i = 0; i < l->routes->n; i++) {
		struct route *r = &l->routes->items[i];

		for (size_t k = r->n_servers; k-- > 0;)
			if (leaves(l, &r->servers[k]) && fn(e, g, l, r, k) < 0)
				return -e->code;
	}
	return 0;
}

static int hold(struct err *e, struct gateway *g, struct leaving *l, struct route *r, size_t k)
{
	int ret = gateway_hold_server(e, g, r, &r->servers[k].real);

	l->is_held = l->is_held || ret > 0;
	return ret;
}

static int release(struct err *e, struct gateway *g, struct leaving *l, struct route *r, size_t k)
{
	(void)l;
	return gateway_release_server(e, g, r->protocol, &r->servers[k].real);
}

static int drop(struct err *e, struct gateway *g, struct leaving *l, struct route *r, size_t k)
{
	(void)e;
	(void)g;
	(void)l;
	route_drop_server(r, &r->servers[k].real);
	return 0;
}

/* Its hold lasts from now on, as it is out now. */
static int mark_out(struct err *e, struct gateway *g, struct leaving *l)
{
	struct boottime now;

	if (gateway_boottime(e, g, &now) < 0)
		return -e->code;
	for (size_t i = 0; i < l->routes->n; i++)
		for (size_t k = 0; k < l->routes->items[i].n_servers; k++)
			if (leaves(l, &l->routes->items[i].servers[k]))
				l->routes->items[i].servers[k].drain = now;
	g->has_left = true;
	return 0;
}

/* The first step; where nothing was to be held back, both. */
static int take_out(struct err *e, struct gateway *g, struct route_list *routes,
		    const struct service_list *actual, const struct boottime *now)
{
	struct route_list some = bring_forward(routes, GOES, actual, now);
	CLEANUP(leaving_clear) struct leaving l = { .routes = &some, .at = *now };
	struct err ignored, why;

	if (mark_leaving(e, &l, actual) < 0)
		return -e->code;
	if (l.deletions.n == 0)
		return 0;
	if (gateway_store_each(e, g, &some, store_set_route) < 0)
		return -e->code;
	if (each_leaving(e, g, &l, hold) < 0 || gateway_run_removals(e, g, &l.deletions) < 0) {
		(void)!each_leaving(&ignored, g, &l, release);
		return -e->code;
	}
	if ((l.is_held ? mark_out(e, g, &l) : each_leaving(e, g, &l, drop)) < 0)
		return -e->code;
	/* It is gone, and its row says that it goes. */
	if (gateway_store_each(&why, g, &some, store_set_route) < 0)
		gateway_leave_undone(g, &why);
	return 0;
}

/*
 * A connection counts as inactive from its first FIN on, for minutes. What was
 * sent before that may have to be sent again, so a moment is left for it: the
 * deadline comes nearer. Nobody can connect any more, so none becomes active.
 */
static bool shorten_wait(struct route *r, const struct service *s, const struct boottime *now)
{
	const int64_t soon = now->ms + GATEWAY_DRAIN_GRACE_MS;
	bool any = false;

	for (size_t i = 0; i < r->n_servers; i++) {
		struct real_server *rs = &r->servers[i];
		const struct destination *d = service_find_destination(s, &rs->real);

		if (!server_is_draining(rs) || is_over(rs, now) || !d || d->active > 0 || d->inactive == 0 ||
		    rs->drain.ms <= soon)
			continue;
		rs->drain.ms = soon;
		any = true;
	}
	return any;
}

static int shorten_waits(struct err *e, struct gateway *g, struct route_list *routes,
			 const struct service_list *actual, const struct boottime *now)
{
	struct route_list some = { .items = routes->items }; /* those to write come first */

	for (size_t i = 0; i < routes->n; i++) {
		struct route r = routes->items[i];

		if (!shorten_wait(&r, service_of(&r, actual), now))
			continue;
		routes->items[i] = some.items[some.n];
		some.items[some.n++] = r;
	}
	return gateway_store_each(e, g, &some, store_set_route);
}

int gateway_leave(struct err *e, struct gateway *g, struct route_list *routes, struct route_list *closing)
{
	CLEANUP(service_list_clear) struct service_list actual = { 0 };
	struct boottime now;
	size_t n = 0;

	if (gateway_get_services(e, g, routes, &actual) < 0 || gateway_boottime(e, g, &now) < 0)
		return -e->code;
	for (size_t i = 0; i < routes->n; i++) {
		struct route r = routes->items[i];

		routes->items[i] = (struct route){ 0 };
		if (count_fate(&r, STAYS, &actual, &now) > 0)
			routes->items[n++] = r;
		else if (route_list_take(e, closing, &r) < 0) {
			route_clear(&r);
			return -e->code;
		}
	}
	routes->n = n;
	if (shorten_waits(e, g, routes, &actual, &now) < 0)
		return -e->code;
	if ((closing->n > 0 && gateway_close_routes(e, g, closing) < 0) ||
	    forget_gone(e, g, routes, &actual, &now) < 0)
		return -e->code;
	return take_out(e, g, routes, &actual, &now);
}

static bool is_in(const struct route_list *list, int64_t id)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].id == id)
			return true;
	return false;
}

int gateway_find_draining(struct err *e, struct gateway *g, size_t limit, struct route_list *out)
{
	CLEANUP(route_list_clear) struct route_list all = { 0 };
	struct boottime now;

	if (gateway_boottime(e, g, &now) < 0 ||
	    (limit > 0 && store_draining_routes(e, g->store, &now, true, limit, out) < 0))
		return -e->code;
	if (limit > 0 && out->n >= limit)
		return 0;
	if (store_draining_routes(e, g->store, &now, false, limit, &all) < 0)
		return -e->code;
	for (size_t i = 0; i < all.n && (limit == 0 || out->n < limit); i++)
		if ((limit == 0 || !is_in(out, all.items[i].id)) && route_list_take(e, out, &all.items[i]) < 0)
			return -e->code;
	return 0;
}

static bool any_is_over(const struct route_list *routes, const struct boottime *now)
{
	for (size_t i = 0; i < routes->n; i++)
		for (size_t k = 0; k < routes->items[i].n_servers; k++)
			if (is_over(&routes->items[i].servers[k], now))
				return true;
	return false;
}

static int forget_left(struct err *e, struct gateway *g)
{
	CLEANUP(service_list_clear) struct service_list actual = { 0 };
	CLEANUP(route_list_clear) struct route_list due = { 0 };
	struct boottime now;

	g->has_left = false;
	if (gateway_boottime(e, g, &now) < 0 || store_draining_routes(e, g->store, &now, true, 0, &due) < 0 ||
	    gateway_get_services(e, g, &due, &actual) < 0)
		return -e->code;
	return forget_gone(e, g, &due, &actual, &now);
}

int gateway_forget_left(struct err *e, struct gateway *g)
{
	int ret;

	if (store_lock(e, g->store) < 0)
		return -e->code;
	ret = forget_left(e, g);
	store_unlock(g->store);
	return ret;
}

int gateway_finish_drained(struct err *e, struct gateway *g, size_t limit)
{
	CLEANUP(route_list_clear) struct route_list draining = { 0 }, closing = { 0 };
	struct boottime now;

	if (gateway_find_draining(e, g, limit, &draining) < 0)
		return -e->code;
	if (draining.n == 0)
		return 0;
	if (gateway_leave(e, g, &draining, &closing) < 0 || gateway_boottime(e, g, &now) < 0)
		return -e->code;
	if (limit > 0 || !any_is_over(&draining, &now))
		return 0;
	gateway_pause(gateway_hold_ms());
	return forget_left(e, g);
}

int gateway_copy_routes(struct err *e, const struct route_list *from, struct route_list *to)
{
	for (size_t i = 0; i < from->n; i++) {
		CLEANUP(route_clear) struct route copy = { 0 };

		if (route_copy(e, &from->items[i], &copy) < 0 || route_list_take(e, to, &copy) < 0)
			return -e->code;
	}
	return 0;
}

int gateway_leave_now(struct err *e, struct gateway *g, struct route_list *routes, const struct endpoint *real)
{
	CLEANUP(route_list_clear) struct route_list former = { 0 }, closing = { 0 };
	struct boottime now;

	if (gateway_boottime(e, g, &now) < 0 || gateway_copy_routes(e, routes, &former) < 0)
		return -e->code;
	for (size_t i = 0; i < routes->n; i++) {
		struct real_server *rs = route_find_server(&routes->items[i], real);

		if (rs && !is_over(rs, &now))
			rs->drain = (struct boottime){ .boot_id = "-" }; /* of no boot: over */
	}
	if (gateway_leave(e, g, routes, &closing) < 0)
		return gateway_put_back(e, g, &former);
	for (size_t i = 0; i < routes->n; i++)
		route_drop_server(&routes->items[i], real);
	return gateway_take_done(e, &closing, routes);
}
