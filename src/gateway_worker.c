/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is known of workers, and what it means for their routes. */
#include "gateway_internal.h"

#include <stdio.h>

int gateway_worker(struct err *e, struct gateway *g, const char *name, struct worker *out)
{
	int found = store_worker(e, g->store, name, out);

	if (found < 0)
		return found;
	return found ? 0 : err_set(e, ERR_ABSENT, "no such worker: %s; see 'sonm-vs -L --workers'", name);
}

/* A real server that drains leaves soon, and its connections are not moved. */
static const struct real_server *lasting_server(const struct route *r, size_t *n)
{
	const struct real_server *first = NULL;

	*n = 0;
	for (size_t i = 0; i < r->n_servers; i++) {
		if (server_is_draining(&r->servers[i]))
			continue;
		first = first ? first : &r->servers[i];
		(*n)++;
	}
	return first;
}

int gateway_direct_endpoint(struct err *e, const struct worker *w, const struct route *r,
			    struct endpoint *out)
{
	char port[ROUTE_STRLEN], real[ENDPOINT_STRLEN];
	size_t n;
	const struct real_server *rs = lasting_server(r, &n);
	const struct addr *a;

	route_port_format(r->cport, r->protocol, port);
	if (n != 1)
		return err_set(e, ERR_USAGE,
			       "worker %s is public, so port %s gets a direct route, which has one real "
			       "server, not %zu", w->name, port, n);
	a = worker_address(w, rs->real.addr.family);
	if (!a)
		return err_set(e, ERR_USAGE,
			       "worker %s is public but has no %s address for port %s (real server %s); "
			       "name one with 'sonm-vs --set-worker %s --address'", w->name,
			       addr_family_name(rs->real.addr.family), port, endpoint_format(&rs->real, real),
			       w->name);
	*out = (struct endpoint){ .addr = *a, .port = rs->real.port };
	return 0;
}

int gateway_misplaced(struct err *e, const struct gateway *g, const struct worker *w, const struct route *r,
		      struct move *out)
{
	struct endpoint public = { 0 };

	if (r->state != ROUTE_OPEN || route_is_draining(r))
		return 0;
	if (w->is_public) {
		if (gateway_direct_endpoint(e, w, r, &public) < 0)
			return -e->code;
		if (r->kind == ROUTE_DIRECT && endpoint_equal(&public, &r->public))
			return 0;
	} else if (r->kind == ROUTE_GATEWAY || !g->config->is_gateway) {
		return 0;
	}
	out->kind = w->is_public ? ROUTE_DIRECT : ROUTE_GATEWAY;
	out->public = public;
	return 1;
}

/*
 * Appends those of the worker's routes that are wrong for it; what cannot be moved is wrong too. Returns
 * how many it has.
 */
static int list_misplaced(struct err *e, struct gateway *g, const struct worker *w, struct route_list *out)
{
	CLEANUP(route_list_clear) struct route_list routes = { 0 };

	if (store_worker_routes(e, g->store, w->name, &routes) < 0)
		return -e->code;
	for (size_t i = 0; i < routes.n; i++) {
		struct move move;
		struct err immovable;

		if (gateway_misplaced(&immovable, g, w, &routes.items[i], &move) != 0 &&
		    route_list_take(e, out, &routes.items[i]) < 0)
			return -e->code;
	}
	return (int)routes.n;
}

/* What is to be said of it is asked before: after the commit nothing is left that can fail. */
static int store_known(struct err *e, struct gateway *g, const struct worker *w, struct route_list *wrong)
{
	int n = 0, ret = store_begin(e, g->store);

	if (ret == 0)
		ret = n = list_misplaced(e, g, w, wrong);
	if (ret >= 0)
		ret = store_set_worker(e, g->store, w);
	if (ret == 0)
		ret = store_commit(e, g->store);
	store_rollback(g->store);
	return ret == 0 ? n : ret;
}

int gateway_set_worker(struct err *e, struct gateway *g, const struct worker *w, struct route_list *out)
{
	CLEANUP(route_list_clear) struct route_list wrong = { 0 };
	int n, ret = worker_check(e, w);

	if (ret == 0)
		ret = store_lock(e, g->store);
	if (ret < 0)
		return ret;
	n = store_known(e, g, w, &wrong);
	store_unlock(g->store);
	if (n >= 0)
		ret = gateway_take_done(e, &wrong, out);
	return ret < 0 ? ret : n;
}

static int check_unused(struct err *e, struct gateway *g, const char *name)
{
	CLEANUP(route_list_clear) struct route_list routes = { 0 };

	if (store_worker_routes(e, g->store, name, &routes) < 0)
		return -e->code;
	if (routes.n == 0)
		return 0;
	return err_set(e, ERR_CONFLICT,
		       "worker %s is named by %zu of the routes, one of container %s; remove them "
		       "with 'sonm-vs -D --wait'", name, routes.n, routes.items[0].container);
}

static int delete_locked(struct err *e, struct gateway *g, const char *name)
{
	struct worker known;
	int ret = gateway_worker(e, g, name, &known);

	if (ret == 0)
		ret = check_unused(e, g, name);
	if (ret == 0)
		ret = store_begin(e, g->store);
	if (ret == 0)
		ret = store_delete_worker(e, g->store, name);
	if (ret == 0)
		ret = store_commit(e, g->store);
	store_rollback(g->store);
	return ret;
}

int gateway_delete_worker(struct err *e, struct gateway *g, const char *name)
{
	int ret = store_lock(e, g->store);

	if (ret < 0)
		return ret;
	ret = delete_locked(e, g, name);
	store_unlock(g->store);
	return ret;
}
