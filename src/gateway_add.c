/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Publishing ports: what a request asks for, and what it finds there already. */
#include "gateway_internal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define PROTOCOLS_MAX 3 /* of one container port: TCP, UDP, SCTP */

/* One call of gateway_add. */
struct addition {
	struct gateway *g;
	const struct add_request *rq;
	struct transition t;
	struct worker worker;     /* if the request names one */
	struct route_list stored; /* what the container has already */
	struct boottime now;
	int64_t time;             /* seconds since 1970 */
};

static void addition_clear(struct addition *a)
{
	transition_clear(&a->t);
	route_list_clear(&a->stored);
}

int gateway_check_scheduler(struct err *e, const char *name)
{
	if (scheduler_is_name(name))
		return 0;
	return err_set(e, ERR_USAGE, "'%.30s' is not the name of a scheduler; give one such as wrr", name);
}

static int add_wanted_route(struct err *e, struct addition *a, const struct port_spec *port,
			    struct route **out)
{
	const struct add_request *rq = a->rq;
	struct route r = {
		.cport = port->cport,
		.protocol = port->protocol,
		.persistence = rq->persistence > 0 ? (uint32_t)rq->persistence : 0,
		.opened_at = a->time,
	};

	snprintf(r.container, sizeof(r.container), "%s", rq->container);
	snprintf(r.worker, sizeof(r.worker), "%s", rq->worker ? rq->worker : "");
	snprintf(r.scheduler, sizeof(r.scheduler), "%s",
		 rq->scheduler ? rq->scheduler : a->g->config->scheduler);
	if (route_list_take(e, &a->t.wanted, &r) < 0)
		return -e->code;
	*out = &a->t.wanted.items[a->t.wanted.n - 1];
	return 0;
}

static int add_wanted_server(struct err *e, struct addition *a, const struct port_spec *port)
{
	struct route *r = route_list_find(&a->t.wanted, port->cport, port->protocol);
	struct real_server rs = { .real = port->real };

	rs.weight = a->rq->weight < 0 ? a->g->config->weight : (uint32_t)a->rq->weight;
	if (!r && add_wanted_route(e, a, port, &r) < 0)
		return -e->code;
	if (r->n_servers > 0 && r->servers[0].real.addr.family != rs.real.addr.family)
		return err_set(e, ERR_USAGE, "the real servers of port %u/%s are IPv4 and IPv6; choose one family",
			       (unsigned)r->cport, protocol_name(r->protocol));
	if (route_add_server(e, r, &rs) == 0)
		return 0;
	if (e->code == ERR_CONFLICT || e->code == E2BIG)
		e->code = ERR_USAGE; /* the request has it twice, or too many */
	return -e->code;
}

/* A number that is asked for can be had once for each protocol. */
static int check_vport(struct err *e, const struct addition *a)
{
	bool seen[256] = { 0 };

	for (size_t i = 0; a->rq->vport && i < a->t.wanted.n; i++) {
		uint8_t protocol = a->t.wanted.items[i].protocol;

		if (seen[protocol])
			return err_set(e, ERR_USAGE, "--vport is for one port of a protocol, but several are given");
		seen[protocol] = true;
	}
	return 0;
}

int gateway_check_add(struct err *e, const struct add_request *rq)
{
	if (container_check(e, rq->container) < 0 || (rq->worker && worker_check_name(e, rq->worker) < 0))
		return -e->code;
	if (rq->n_ports == 0)
		return err_set(e, ERR_USAGE,
			       "no port to publish; name one with -t, -u or --sctp CPORT=ADDRESS:PORT");
	for (size_t i = 0; i < rq->n_ports; i++)
		if (!rq->ports[i].has_real)
			return err_set(e, ERR_USAGE, "port %u has no real server: write %u=ADDRESS:PORT (the worker's)",
				       (unsigned)rq->ports[i].cport, (unsigned)rq->ports[i].cport);
	return rq->scheduler ? gateway_check_scheduler(e, rq->scheduler) : 0;
}

/* What the request asks for, before anything is looked up. */
static int read_request(struct err *e, struct addition *a)
{
	const struct add_request *rq = a->rq;

	if (gateway_check_add(e, rq) < 0)
		return -e->code;
	for (size_t i = 0; i < rq->n_ports; i++)
		if (add_wanted_server(e, a, &rq->ports[i]) < 0)
			return -e->code;
	return a->g->config->is_gateway ? check_vport(e, a) : 0;
}

/* A worker that is not known may be anybody's; one that both name must be the same. */
static int join_worker(struct err *e, struct route *wanted, const struct route *have)
{
	if (wanted->worker[0] == '\0')
		memcpy(wanted->worker, have->worker, sizeof(wanted->worker));
	if (have->worker[0] == '\0' || strcmp(wanted->worker, have->worker) == 0)
		return 0;
	return err_set(e, ERR_CONFLICT,
		       "port %u/%s of %s is published on worker %s, not on %s; remove it first with 'sonm-vs -D %s'",
		       (unsigned)have->cport, protocol_name(have->protocol), have->container, have->worker,
		       wanted->worker, have->container);
}

static int conflict(struct err *e, const struct route *have)
{
	char text[ROUTE_STRLEN];

	return err_set(e, ERR_CONFLICT,
		       "port %u/%s is already published as %s with other settings; see 'sonm-vs -L %s', change it "
		       "with 'sonm-vs -E', or remove it first with 'sonm-vs -D'", (unsigned)have->cport,
		       protocol_name(have->protocol), route_format(have, text), have->container);
}

/* Those that are on their way out go on leaving, beside the ones that are wanted. */
static int keep_leaving(struct err *e, struct route *wanted, const struct route *have)
{
	for (size_t i = 0; i < have->n_servers; i++)
		if (server_is_draining(&have->servers[i]) &&
		    !route_find_server(wanted, &have->servers[i].real) &&
		    route_add_server(e, wanted, &have->servers[i]) < 0)
			return -e->code;
	return 0;
}

int gateway_join(struct err *e, struct route *wanted, const struct route *have)
{
	bool fits = wanted->kind == have->kind;

	if (fits && have->kind == ROUTE_GATEWAY)
		fits = wanted->servers[0].real.addr.family == have->public.addr.family;
	if (!fits)
		return conflict(e, have);
	if (join_worker(e, wanted, have) < 0 || keep_leaving(e, wanted, have) < 0)
		return -e->code;
	if (!route_is_draining(have) && !route_same_target(wanted, have))
		return conflict(e, have);
	wanted->id = have->id;
	wanted->public = have->public;
	wanted->account = have->account;
	wanted->opened_at = have->opened_at;
	return 0;
}

/* What the request leaves open stays as it is. */
static int join_open(struct err *e, const struct addition *a, struct route *wanted, const struct route *have)
{
	const struct add_request *rq = a->rq;

	if (!rq->scheduler)
		memcpy(wanted->scheduler, have->scheduler, sizeof(wanted->scheduler));
	if (rq->persistence < 0)
		wanted->persistence = have->persistence;
	for (size_t i = 0; rq->weight < 0 && i < wanted->n_servers; i++) {
		const struct real_server *same = route_find_server(have, &wanted->servers[i].real);

		if (same)
			wanted->servers[i].weight = same->weight;
	}
	if (have->kind == ROUTE_GATEWAY && ((rq->vip && !addr_equal(rq->vip, &have->public.addr)) ||
					    (rq->vport && rq->vport != have->public.port)))
		return conflict(e, have);
	return gateway_join(e, wanted, have);
}

bool gateway_can_reopen(struct gateway *g, const struct route *have, const struct boottime *now)
{
	return have->state == ROUTE_CLOSING && have->kind == ROUTE_GATEWAY &&
	       !gateway_is_of_another_boot(have, now) && gateway_in_pool(g->config, have->public.port) &&
	       gateway_is_vip(g, &have->public.addr);
}

/* A closing route of the same name can open again where it was, with its account. */
static bool can_reopen(const struct addition *a, const struct route *wanted, const struct route *have)
{
	return wanted->kind == ROUTE_GATEWAY &&
	       have->public.addr.family == wanted->servers[0].real.addr.family &&
	       (!a->rq->vip || addr_equal(a->rq->vip, &have->public.addr)) &&
	       (!a->rq->vport || a->rq->vport == have->public.port) && gateway_can_reopen(a->g, have, &a->now);
}

/* What is stored under the wanted route's name in this state, and of closing ones, can reopen. NULL: none. */
static struct route *stored_route(struct addition *a, const struct route *wanted, enum route_state state)
{
	for (size_t i = 0; i < a->stored.n; i++) {
		struct route *have = &a->stored.items[i];

		if (have->cport == wanted->cport && have->protocol == wanted->protocol && have->state == state &&
		    (state == ROUTE_OPEN || can_reopen(a, wanted, have)))
			return have;
	}
	return NULL;
}

static int make_direct(struct err *e, const struct addition *a, struct route *wanted)
{
	if (wanted->n_servers > 1)
		return err_set(e, ERR_USAGE, "port %u/%s has two real servers, but %s: a direct route has one endpoint",
			       (unsigned)wanted->cport, protocol_name(wanted->protocol),
			       a->rq->worker || a->g->config->is_gateway ? "its worker is public"
									 : "this hub is not a gateway");
	if (a->rq->worker)
		return gateway_direct_endpoint(e, &a->worker, wanted, &wanted->public);
	wanted->public = wanted->servers[0].real;
	return 0;
}

/* Through this hub, or at the worker's own address? */
static int choose_kind(struct err *e, const struct addition *a, struct route *wanted, const struct route *open)
{
	bool is_gateway = a->g->config->is_gateway;

	if (a->rq->worker && !a->worker.is_public && !is_gateway)
		return err_set(e, ERR_USAGE,
			       "worker %s is reached through a gateway only, and this hub is none: the configuration "
			       "has no 'gateway:' section", a->rq->worker);
	if (a->rq->worker)
		wanted->kind = a->worker.is_public ? ROUTE_DIRECT : ROUTE_GATEWAY;
	else if (open && open->worker[0])
		wanted->kind = open->kind;
	else
		wanted->kind = is_gateway ? ROUTE_GATEWAY : ROUTE_DIRECT;
	return wanted->kind == ROUTE_DIRECT ? make_direct(e, a, wanted) : 0;
}

/* Finds what the route was; a->t.former then says so. */
static int find_former(struct err *e, struct addition *a, struct route *wanted)
{
	struct route none = { 0 };
	struct route *have = stored_route(a, wanted, ROUTE_OPEN);

	if (choose_kind(e, a, wanted, have) < 0 || (have && join_open(e, a, wanted, have) < 0))
		return -e->code;
	if (!have && (have = stored_route(a, wanted, ROUTE_CLOSING))) {
		wanted->id = have->id;
		wanted->public = have->public;
		wanted->account = have->account;
		wanted->opened_at = have->opened_at;
	}
	if (!have && wanted->kind == ROUTE_GATEWAY)
		account_begin_epoch(&wanted->account, a->now.boot_id);
	return route_list_take(e, &a->t.former, have ? have : &none);
}

/* Where the same container port is published for another protocol. */
static const struct endpoint *find_like(const struct addition *a, const struct route *r)
{
	const struct route_list *lists[] = { &a->t.wanted, &a->stored };

	for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
		for (size_t i = 0; i < lists[k]->n; i++) {
			const struct route *other = &lists[k]->items[i];

			if (other->id != 0 && other->cport == r->cport && other->kind == ROUTE_GATEWAY &&
			    other->state == ROUTE_OPEN &&
			    other->public.addr.family == r->servers[0].real.addr.family)
				return &other->public;
		}
	}
	return NULL;
}

/* Stores this new route, and the same container port's for other protocols, which is to have the same endpoint. */
static int store_group(struct err *e, struct addition *a, size_t first)
{
	struct route *group[PROTOCOLS_MAX], *wanted = a->t.wanted.items;
	const struct endpoint_wish wish = { .vip = a->rq->vip,
					    .vport = a->rq->vport,
					    .like = find_like(a, &wanted[first]),
					    .now = a->time };
	size_t n = 0;

	for (size_t i = first; i < a->t.wanted.n && n < ARRAY_LEN(group); i++)
		if (wanted[i].id == 0 && wanted[i].kind == ROUTE_GATEWAY && wanted[i].cport == wanted[first].cport &&
		    wanted[i].servers[0].real.addr.family == wanted[first].servers[0].real.addr.family)
			group[n++] = &wanted[i];
	if (gateway_choose_endpoints(e, a->g, &wish, group, n) < 0)
		return -e->code;
	for (size_t i = 0; i < n; i++)
		if (store_add_route(e, a->g->store, group[i]) < 0)
			return -e->code;
	return 0;
}

/* Group by group, so that the next choice sees the last. */
static int store_all(struct err *e, struct addition *a)
{
	for (size_t i = 0; i < a->t.wanted.n; i++)
		if (a->t.wanted.items[i].id == 0 && a->t.wanted.items[i].kind == ROUTE_GATEWAY &&
		    store_group(e, a, i) < 0)
			return -e->code;
	return gateway_store_wanted(e, a->g, &a->t);
}

/* What is due is done first. Hardly ever is there anything, and then one transaction serves for the whole addition. */
static int begin(struct err *e, struct gateway *g)
{
	bool has_leaving = false;

	if (store_begin(e, g->store) < 0 || store_has_leaving(e, g->store, &has_leaving) < 0)
		return -e->code;
	if (!has_leaving)
		return 0;
	store_rollback(g->store);
	return gateway_finish_some_due(e, g) < 0 ? -e->code : store_begin(e, g->store);
}

/* What there is already, and which kind each of the routes is to be. */
static int look_up(struct err *e, struct addition *a)
{
	const struct route_filter mine = { .container = a->rq->container, .state = -1 };
	bool needs_kernel = false;

	if (gateway_boottime(e, a->g, &a->now) < 0 || store_routes(e, a->g->store, &mine, &a->stored) < 0 ||
	    (a->rq->worker && gateway_worker(e, a->g, a->rq->worker, &a->worker) < 0))
		return -e->code;
	for (size_t i = 0; i < a->t.wanted.n; i++) {
		if (find_former(e, a, &a->t.wanted.items[i]) < 0)
			return -e->code;
		needs_kernel = needs_kernel || a->t.wanted.items[i].kind == ROUTE_GATEWAY;
	}
	return needs_kernel ? gateway_need_kernel(e, a->g) : 0;
}

static int add_locked(struct err *e, struct addition *a)
{
	struct gateway *g = a->g;
	int ret = begin(e, g);

	if (ret == 0)
		ret = look_up(e, a);
	if (ret == 0)
		ret = store_all(e, a);
	if (ret == 0)
		ret = store_commit(e, g->store);
	store_rollback(g->store);
	return ret == 0 ? gateway_make_stored(e, g, &a->t) : ret;
}

int gateway_add(struct err *e, struct gateway *g, const struct add_request *rq, struct route_list *out)
{
	CLEANUP(addition_clear) struct addition a = { .g = g, .rq = rq, .time = time(NULL) };
	int ret = read_request(e, &a);

	/* Others need not wait for it; a worker's routes may do without. */
	if (ret == 0 && g->config->is_gateway && !rq->worker)
		ret = gateway_need_kernel(e, g);
	if (ret == 0)
		ret = store_lock(e, g->store);
	if (ret < 0)
		return ret;
	ret = add_locked(e, &a);
	gateway_unlock(g);
	return ret < 0 ? ret : gateway_take_done(e, &a.t.wanted, out);
}
