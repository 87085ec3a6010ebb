/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Publishing ports: storing the routes, making their services. */
#include "gateway_internal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* One call of gateway_add. */
struct addition {
	struct gateway *g;
	const struct add_request *rq;
	struct route_list routes; /* as they are to be */
	struct route_list former; /* same order; id 0: the route is new */
	int64_t now;              /* seconds since 1970 */
};

static void addition_clear(struct addition *a)
{
	route_list_clear(&a->routes);
	route_list_clear(&a->former);
}

static struct route *route_of_port(struct route_list *routes, uint16_t cport, uint8_t protocol)
{
	for (size_t i = 0; i < routes->n; i++)
		if (routes->items[i].cport == cport && routes->items[i].protocol == protocol)
			return &routes->items[i];
	return NULL;
}

static int add_wanted_route(struct err *e, struct addition *a, const struct port_spec *port,
			    struct route **out)
{
	const struct config *c = a->g->config;
	struct route r = {
		.cport = port->cport,
		.protocol = port->protocol,
		.kind = c->is_gateway ? ROUTE_GATEWAY : ROUTE_DIRECT,
		.persistence = a->rq->persistence > 0 ? (uint32_t)a->rq->persistence : 0,
		.opened_at = a->now,
	};

	snprintf(r.container, sizeof(r.container), "%s", a->rq->container);
	snprintf(r.scheduler, sizeof(r.scheduler), "%s", a->rq->scheduler ? a->rq->scheduler : c->scheduler);
	if (route_list_take(e, &a->routes, &r) < 0)
		return -e->code;
	*out = &a->routes.items[a->routes.n - 1];
	return 0;
}

static int add_wanted_server(struct err *e, struct addition *a, const struct port_spec *port)
{
	struct route *r = route_of_port(&a->routes, port->cport, port->protocol);
	struct real_server rs = { .real = port->real };

	rs.weight = a->rq->weight < 0 ? a->g->config->weight : (uint32_t)a->rq->weight;
	if (!r && add_wanted_route(e, a, port, &r) < 0)
		return -e->code;
	if (r->n_servers > 0 && r->kind == ROUTE_DIRECT)
		return err_set(e, ERR_USAGE,
			       "port %u/%s has two real servers, but this hub is not a gateway: "
			       "a direct route has one endpoint", (unsigned)r->cport, protocol_name(r->protocol));
	if (r->n_servers > 0 && r->servers[0].real.addr.family != rs.real.addr.family)
		return err_set(e, ERR_USAGE, "the real servers of port %u/%s are IPv4 and IPv6; choose one family",
			       (unsigned)r->cport, protocol_name(r->protocol));
	if (route_add_server(e, r, &rs) < 0)
		return e->code == ERR_CONFLICT ? err_set(e, ERR_USAGE, "%s", e->msg) : -e->code;
	if (r->kind == ROUTE_DIRECT)
		r->public = rs.real;
	return 0;
}

/* What the request asks for, before anything is looked up. */
static int read_request(struct err *e, struct addition *a)
{
	const struct add_request *rq = a->rq;

	if (container_check(e, rq->container) < 0)
		return -e->code;
	if (rq->n_ports == 0)
		return err_set(e, ERR_USAGE, "no port to publish; name one with -t or -u CPORT=ADDRESS:PORT");
	for (size_t i = 0; i < rq->n_ports; i++)
		if (!rq->ports[i].has_real)
			return err_set(e, ERR_USAGE, "port %u has no real server: write %u=ADDRESS:PORT (the worker's)",
				       (unsigned)rq->ports[i].cport, (unsigned)rq->ports[i].cport);
	if (rq->scheduler && (strlen(rq->scheduler) > SCHEDULER_MAX || rq->scheduler[0] == '\0'))
		return err_set(e, ERR_USAGE, "'%.30s' is not the name of a scheduler", rq->scheduler);
	for (size_t i = 0; i < rq->n_ports; i++)
		if (add_wanted_server(e, a, &rq->ports[i]) < 0)
			return -e->code;
	if (rq->vport && a->routes.n > 1 && a->g->config->is_gateway)
		for (size_t i = 1; i < a->routes.n; i++)
			if (a->routes.items[i].protocol == a->routes.items[0].protocol)
				return err_set(e, ERR_USAGE,
					       "--vport is for one port of a protocol, but several are given");
	return 0;
}

/* Does what is published under this name already fit the request? What it leaves open, fits. */
static int check_same(struct err *e, const struct addition *a, struct route *wanted, const struct route *have)
{
	char text[ROUTE_STRLEN];

	if (!a->rq->scheduler)
		memcpy(wanted->scheduler, have->scheduler, sizeof(wanted->scheduler));
	if (a->rq->persistence < 0)
		wanted->persistence = have->persistence;
	for (size_t i = 0; a->rq->weight < 0 && i < wanted->n_servers && i < have->n_servers; i++)
		wanted->servers[i].weight = have->servers[i].weight;
	if (route_same_target(wanted, have) &&
	    (!a->rq->vip || wanted->kind == ROUTE_DIRECT || addr_equal(a->rq->vip, &have->public.addr)) &&
	    (!a->rq->vport || wanted->kind == ROUTE_DIRECT || a->rq->vport == have->public.port))
		return 0;
	return err_set(e, ERR_CONFLICT,
		       "port %u/%s is already published as %s with other settings; see 'sonm-vs -L %s', and "
		       "remove it first with 'sonm-vs -D'", (unsigned)have->cport, protocol_name(have->protocol),
		       route_format(have, text), have->container);
}

/* A closing route of the same name can open again where it was, with its account. */
static bool can_reopen(const struct addition *a, const struct route *wanted, const struct route *have)
{
	return have->kind == ROUTE_GATEWAY && wanted->kind == ROUTE_GATEWAY &&
	       have->public.addr.family == wanted->servers[0].real.addr.family &&
	       (!a->rq->vip || addr_equal(a->rq->vip, &have->public.addr)) &&
	       (!a->rq->vport || a->rq->vport == have->public.port) &&
	       gateway_in_pool(a->g->config, have->public.port) && gateway_is_vip(a->g, &have->public.addr);
}

/* What is stored under the wanted route's name: an open route, else one that can reopen. NULL: none. */
static struct route *stored_route(const struct addition *a, const struct route *wanted, struct route_list *stored)
{
	struct route *closing = NULL;

	for (size_t i = 0; i < stored->n; i++) {
		struct route *have = &stored->items[i];

		if (have->cport != wanted->cport || have->protocol != wanted->protocol)
			continue;
		if (have->state == ROUTE_OPEN)
			return have;
		if (can_reopen(a, wanted, have))
			closing = have;
	}
	return closing;
}

static int store_one(struct err *e, struct addition *a, struct route *wanted, const struct route *have)
{
	const struct endpoint_wish wish = { .vip = a->rq->vip, .vport = a->rq->vport, .now = a->now };

	if (have->id == 0) {
		if (wanted->kind == ROUTE_GATEWAY && gateway_choose_endpoints(e, a->g, &wish, &wanted, 1) < 0)
			return -e->code;
		return store_add_route(e, a->g->store, wanted);
	}
	wanted->id = have->id;
	wanted->public = have->public;
	wanted->account = have->account;
	wanted->opened_at = have->opened_at;
	if (have->state == ROUTE_OPEN)
		return check_same(e, a, wanted, have);
	return store_set_route(e, a->g->store, wanted);
}

/* Stores what is to be, all or nothing; a->former says what was. */
static int store_routes_wanted(struct err *e, struct addition *a)
{
	const struct route_filter mine = { .container = a->rq->container, .state = -1 };
	CLEANUP(route_list_clear) struct route_list stored = { 0 };
	int ret;

	if (store_routes(e, a->g->store, &mine, &stored) < 0 || store_begin(e, a->g->store) < 0)
		return -e->code;
	for (size_t i = 0; i < a->routes.n; i++) {
		struct route none = { 0 };
		struct route *have = stored_route(a, &a->routes.items[i], &stored);

		ret = route_list_take(e, &a->former, have ? have : &none);
		if (ret == 0)
			ret = store_one(e, a, &a->routes.items[i], &a->former.items[i]);
		if (ret < 0) {
			store_rollback(a->g->store);
			return ret;
		}
	}
	ret = store_commit(e, a->g->store);
	store_rollback(a->g->store);
	return ret;
}

/* The deletion of what this call made, or may have made: -EIO is a request that was not answered. */
static int plan_undo(struct err *e, const struct change_list *done, struct change_list *undo)
{
	for (size_t i = 0; i < done->n; i++) {
		struct change c = done->items[i];

		if ((c.status < 0 && c.status != -EIO) ||
		    (c.op != CHANGE_ADD_SERVICE && c.op != CHANGE_ADD_DESTINATION))
			continue;
		c.op = c.op == CHANGE_ADD_SERVICE ? CHANGE_DELETE_SERVICE : CHANGE_DELETE_DESTINATION;
		if (change_list_add(e, undo, &c) < 0)
			return -e->code;
	}
	return 0;
}

/* The routes as they were; a closing one was open for a moment, so its wait begins anew. */
static int restore_routes(struct err *e, struct addition *a)
{
	struct boottime now;
	int ret = gateway_closing_begins(e, &now);

	if (ret == 0)
		ret = store_begin(e, a->g->store);
	for (size_t i = 0; ret == 0 && i < a->former.n; i++) {
		a->former.items[i].closing = now;
		ret = a->former.items[i].id == 0
			      ? store_forget_route(e, a->g->store, a->routes.items[i].id)
			      : store_set_route(e, a->g->store, &a->former.items[i]);
	}
	if (ret == 0)
		ret = store_commit(e, a->g->store);
	store_rollback(a->g->store);
	return ret;
}

/* Takes back out of the kernel and the file what this call put there. */
static int take_back(struct err *e, struct addition *a, const struct change_list *services,
		     const struct change_list *others)
{
	CLEANUP(change_list_clear) struct change_list undo = { 0 };

	if (plan_undo(e, others, &undo) < 0 || plan_undo(e, services, &undo) < 0 ||
	    gateway_run_removals(e, a->g, &undo) < 0)
		return -e->code;
	return restore_routes(e, a);
}

/* The services of routes that were here before; a new route has none, or it is somebody else's. */
static int get_former_services(struct err *e, struct addition *a, struct service_list *actual)
{
	for (size_t i = 0; i < a->routes.n; i++) {
		const struct route_list one = { .items = &a->routes.items[i], .n = 1 };

		if (a->former.items[i].id != 0 && gateway_get_services(e, a->g, &one, actual) < 0)
			return -e->code;
	}
	return 0;
}

/* Splits off what begins with a new service: changes of ours must not reach one that somebody else made. */
static int split_services(struct err *e, const struct change_list *changes, struct change_list *services,
			  struct change_list *others)
{
	for (size_t i = 0; i < changes->n; i++) {
		bool adds = changes->items[i].op == CHANGE_ADD_SERVICE;

		if (change_list_add(e, adds ? services : others, &changes->items[i]) < 0)
			return -e->code;
	}
	return 0;
}

static int run_all(struct err *e, struct gateway *g, struct change_list *changes)
{
	int ret = changes->n > 0 ? ipvs_run(e, g->kernel, changes) : 0;

	return ret > 0 ? gateway_explain(e, changes) : ret;
}

/* What the kernel lacks for the routes, and the end of the epochs that this means. */
static int plan_services(struct err *e, struct addition *a, struct change_list *services,
			 struct change_list *others)
{
	CLEANUP(service_list_clear) struct service_list actual = { 0 };
	CLEANUP(plan_clear) struct plan plan = { 0 };

	if (get_former_services(e, a, &actual) < 0 || plan_make(e, &a->routes, &actual, &plan) < 0 ||
	    gateway_end_epochs(e, a->g, &a->routes, &plan) < 0 ||
	    gateway_release_answers(e, a->g, &a->routes) < 0 ||
	    gateway_release_answers(e, a->g, &a->former) < 0)
		return -e->code;
	return split_services(e, &plan.changes, services, others);
}

/* Services first; if one is refused, its real servers are not asked for. */
static int make_services(struct err *e, struct addition *a)
{
	CLEANUP(change_list_clear) struct change_list services = { 0 }, others = { 0 };
	struct change_list tried = { 0 };
	struct err failed;
	int ret;

	if (!a->g->kernel)
		return 0; /* direct routes */
	ret = plan_services(e, a, &services, &others);
	if (ret < 0)
		services.n = 0;
	if (ret == 0)
		ret = run_all(e, a->g, &services);
	if (ret == 0) {
		tried = others;
		ret = run_all(e, a->g, &others);
	}
	if (ret < 0 && take_back(&failed, a, &services, &tried) < 0)
		err_advise(e, "and it could not be taken back (%s): run 'sonm-vs --sync'", failed.msg);
	return ret < 0 ? -e->code : 0;
}

static int add_locked(struct err *e, struct addition *a)
{
	if (gateway_finish_due(e, a->g) < 0 || store_routes_wanted(e, a) < 0)
		return -e->code;
	return make_services(e, a);
}

int gateway_add(struct err *e, struct gateway *g, const struct add_request *rq, struct route_list *out)
{
	CLEANUP(addition_clear) struct addition a = { .g = g, .rq = rq, .now = time(NULL) };
	int ret = read_request(e, &a);

	if (ret == 0 && g->config->is_gateway)
		ret = gateway_need_kernel(e, g);
	if (ret == 0)
		ret = store_lock(e, g->store);
	if (ret < 0)
		return ret;
	ret = add_locked(e, &a);
	store_unlock(g->store);
	for (size_t i = 0; ret == 0 && i < a.routes.n; i++)
		ret = route_list_take(e, out, &a.routes.items[i]);
	return ret;
}
