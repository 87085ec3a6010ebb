/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Draining: real servers take no new connections, and leave when they have none
 * any more (gateway_leave.c).
 */
#include "gateway_internal.h"

#include <linux/ip_vs.h>

#define POLL_MS 250 /* also lets a handshake under way become a connection, which is waited for */

/* Which routes wait for the end of their connections, and which have none that could be waited for. */
struct drain {
	struct route_list waiting, at_once, closing;
};

static void drain_clear(struct drain *d)
{
	route_list_clear(&d->waiting);
	route_list_clear(&d->at_once);
	route_list_clear(&d->closing);
}

/*
 * A UDP client that keeps its source port stays with its real server for as long
 * as it sends.
 */
static bool has_connections(const struct route *r)
{
	return r->kind == ROUTE_GATEWAY && r->protocol != IPPROTO_UDP;
}

static int find_drain(struct err *e, struct gateway *g, const struct route_filter *f,
		      const struct endpoint *real, struct drain *d)
{
	CLEANUP(route_list_clear) struct route_list open = { 0 };
	int ret = gateway_find_routes(e, g, f, real, &open, &d->closing);

	for (size_t i = 0; ret == 0 && i < open.n; i++)
		ret = route_list_take(e, has_connections(&open.items[i]) ? &d->waiting : &d->at_once,
				      &open.items[i]);
	return ret;
}

static int mark_draining(struct err *e, struct gateway *g, struct route_list *routes, const struct endpoint *real,
			 uint32_t seconds)
{
	struct boottime until;

	if (gateway_boottime(e, g, &until) < 0)
		return -e->code;
	until.ms += (int64_t)seconds * 1000;
	for (size_t i = 0; i < routes->n; i++)
		for (size_t k = 0; k < routes->items[i].n_servers; k++)
			if (!real || endpoint_equal(&routes->items[i].servers[k].real, real))
				routes->items[i].servers[k].drain = until;
	return 0;
}

/* No new connections for those that drain; one that is not there has none. */
static int stop_new(struct err *e, struct gateway *g, const struct route_list *routes)
{
	CLEANUP(change_list_clear) struct change_list edits = { 0 };

	for (size_t i = 0; i < routes->n; i++) {
		const struct route *r = &routes->items[i];
		struct change c = { .op = CHANGE_EDIT_DESTINATION, .key = route_service_key(r) };

		for (size_t k = 0; k < r->n_servers; k++) {
			if (!server_is_draining(&r->servers[k]))
				continue;
			c.destination = (struct destination){ .real = r->servers[k].real, .method = IP_VS_CONN_F_MASQ };
			if (change_list_add(e, &edits, &c) < 0)
				return -e->code;
		}
	}
	return edits.n > 0 && gateway_need_kernel(e, g) < 0 ? -e->code : gateway_run_removals(e, g, &edits);
}

static int mark_and_stop(struct err *e, struct gateway *g, struct route_list *routes, const struct endpoint *real,
			 uint32_t seconds)
{
	if (mark_draining(e, g, routes, real, seconds) < 0 ||
	    gateway_store_each(e, g, routes, store_set_route) < 0)
		return -e->code;
	return stop_new(e, g, routes);
}

static int drain_at_once(struct err *e, struct gateway *g, struct route_list *routes, const struct endpoint *real)
{
	if (routes->n == 0)
		return 0;
	return real ? gateway_leave_now(e, g, routes, real) : gateway_close_routes(e, g, routes);
}

static int drain_locked(struct err *e, struct gateway *g, const struct route_filter *f,
			const struct endpoint *real, uint32_t seconds, struct drain *d)
{
	CLEANUP(route_list_clear) struct route_list former = { 0 };

	if (gateway_finish_some_due(e, g) < 0 || find_drain(e, g, f, real, d) < 0 ||
	    gateway_stop_again(e, g, &d->closing) < 0 || gateway_copy_routes(e, &d->waiting, &former) < 0)
		return -e->code;
	if (mark_and_stop(e, g, &d->waiting, real, seconds) < 0 || drain_at_once(e, g, &d->at_once, real) < 0)
		return gateway_put_back(e, g, &former);
	return 0;
}

int gateway_drain(struct err *e, struct gateway *g, const struct route_filter *f, const struct endpoint *real,
		  uint32_t seconds, struct route_list *out)
{
	CLEANUP(drain_clear) struct drain d = { 0 };
	struct route_list *const parts[] = { &d.waiting, &d.at_once, &d.closing };
	int ret;

	if (store_lock(e, g->store) < 0)
		return -e->code;
	ret = drain_locked(e, g, f, real, seconds, &d);
	gateway_unlock(g);
	for (size_t p = 0; p < ARRAY_LEN(parts); p++)
		if (ret == 0)
			ret = gateway_take_done(e, parts[p], out);
	return ret;
}

/* Those of the routes with these ids that drain. */
static int find_these(struct err *e, struct gateway *g, const int64_t *sorted, size_t n, struct route_list *out)
{
	CLEANUP(route_list_clear) struct route_list all = { 0 };
	int ret = gateway_find_draining(e, g, 0, &all);

	for (size_t i = 0; ret == 0 && i < all.n; i++)
		if (gateway_has_id(sorted, n, all.items[i].id))
			ret = route_list_take(e, out, &all.items[i]);
	return ret;
}

/* How many of these routes drain still; also what ends meanwhile, ends. */
static int wait_once(struct err *e, struct gateway *g, const int64_t *sorted, size_t n)
{
	CLEANUP(route_list_clear) struct route_list draining = { 0 }, closing = { 0 };
	int ret;

	if (store_lock(e, g->store) < 0)
		return -e->code;
	ret = find_these(e, g, sorted, n, &draining);
	if (ret == 0 && draining.n > 0)
		ret = gateway_leave(e, g, &draining, &closing);
	gateway_unlock(g);
	return ret;
}

int gateway_wait_drained(struct err *e, struct gateway *g, const int64_t *ids, size_t n_ids)
{
	CLEANUP_FREE int64_t *sorted = gateway_sort_ids(ids, n_ids);

	if (!sorted)
		return err_set(e, ENOMEM, "out of memory");
	for (;;) {
		CLEANUP(route_list_clear) struct route_list draining = { 0 };

		if (find_these(e, g, sorted, n_ids, &draining) < 0)
			return -e->code;
		if (draining.n == 0)
			return 0;
		gateway_pause(POLL_MS);
		if (wait_once(e, g, sorted, n_ids) < 0)
			return -e->code;
	}
}
