/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Adding many routes whose endpoints are known, all or none: everything is
 * looked at before anything changes, with few questions for each route.
 */
#include "gateway_internal.h"

#include <linux/ip_vs.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/*
 * So many containers are looked up by name, and their ports probed one by one;
 * for more, the state file, and the kernel's lists of sockets, are read from end
 * to end.
 */
#define MANY 64

/* One call of gateway_restore. */
struct restoration {
	struct gateway *g;
	bool adopt;
	struct transition t;
	struct worker_list workers;        /* those that are new or different */
	struct worker_list former_workers; /* in the same order; without a name: there was none */
	struct boottime now;
	int64_t time; /* seconds since 1970 */
};

static void restoration_clear(struct restoration *r)
{
	transition_clear(&r->t);
	worker_list_clear(&r->workers);
	worker_list_clear(&r->former_workers);
}

/* As the state file orders them. */
static int compare_names(const void *a, const void *b)
{
	const struct route *ra = a, *rb = b;
	int order = strcmp(ra->container, rb->container);

	if (order == 0)
		order = (ra->cport > rb->cport) - (ra->cport < rb->cport);
	if (order == 0)
		order = (ra->protocol > rb->protocol) - (ra->protocol < rb->protocol);
	return order;
}

static int name_route(struct err *e, const struct route *r)
{
	return err_wrap(e, "container %s, port %u/%s", r->container, (unsigned)r->cport,
			protocol_name(r->protocol));
}

static int check_servers(struct err *e, const struct route *r)
{
	if (r->n_servers == 0)
		return err_set(e, ERR_USAGE, "it has no real server");
	if (r->kind == ROUTE_DIRECT && r->n_servers > 1)
		return err_set(e, ERR_USAGE, "it has two real servers: a direct route has one endpoint");
	for (size_t i = 0; i < r->n_servers; i++)
		if (r->servers[i].real.addr.family != r->servers[0].real.addr.family)
			return err_set(e, ERR_USAGE, "its real servers are IPv4 and IPv6; choose one family");
	return 0;
}

static int check_route(struct err *e, const struct config *c, const struct route *r)
{
	if (container_check(e, r->container) < 0 || (r->worker[0] && worker_check_name(e, r->worker) < 0))
		return -e->code;
	if (check_servers(e, r) < 0 ||
	    (r->kind == ROUTE_GATEWAY && gateway_check_scheduler(e, r->scheduler) < 0))
		return name_route(e, r);
	if (r->kind == ROUTE_GATEWAY && !c->is_gateway) {
		err_set(e, ERR_USAGE, "this hub is not a gateway: the configuration has no 'gateway:' section");
		return name_route(e, r);
	}
	return 0;
}

/* What can be said of the routes, which are sorted, and the workers by themselves. */
static int check_input(struct err *e, const struct config *c, const struct route_list *routes,
		       const struct worker_list *workers)
{
	for (size_t i = 0; i < routes->n; i++) {
		const struct route *r = &routes->items[i];

		if (check_route(e, c, r) < 0)
			return -e->code;
		if (i > 0 && compare_names(r - 1, r) == 0) {
			err_set(e, ERR_USAGE, "it is there twice");
			return name_route(e, r);
		}
	}
	for (size_t i = 0; i < workers->n; i++)
		if (worker_check(e, &workers->items[i]) < 0)
			return -e->code;
	return 0;
}

/* What is stored for the containers of the routes, in their order. */
static int read_stored(struct err *e, struct store *s, const struct route_list *routes, struct route_list *out)
{
	struct route_filter f = { .state = -1 };

	if (routes->n > MANY)
		return store_routes(e, s, &f, out);
	for (size_t i = 0; i < routes->n; i++) {
		f.container = routes->items[i].container;
		if (i > 0 && strcmp(routes->items[i - 1].container, f.container) == 0)
			continue;
		if (store_routes(e, s, &f, out) < 0)
			return -e->code;
	}
	return 0;
}

static int join_open(struct err *e, struct route *wanted, const struct route *have)
{
	char text[ROUTE_STRLEN];

	if (!endpoint_equal(&wanted->public, &have->public)) {
		err_set(e, ERR_CONFLICT, "it is published as %s already; remove it first with 'sonm-vs -D %s'",
			route_format(have, text), have->container);
		return name_route(e, wanted);
	}
	if (gateway_join(e, wanted, have) < 0)
		return err_wrap(e, "container %s", wanted->container);
	return 0;
}

/* Its endpoint is its own still, until it is closed: it opens again. */
static void reopen(struct route *wanted, const struct route *have)
{
	wanted->id = have->id;
	wanted->account = have->account;
	wanted->opened_at = have->opened_at;
}

static bool can_reopen(const struct restoration *r, const struct route *wanted, const struct route *have)
{
	return wanted->kind == ROUTE_GATEWAY && endpoint_equal(&wanted->public, &have->public) &&
	       gateway_can_reopen(r->g, have, &r->now);
}

/* Of those that are stored under its name, what this route was before. */
static int find_former(struct err *e, struct restoration *r, struct route *wanted, struct route *stored,
		       size_t n)
{
	struct route *former = NULL;
	struct route none = { 0 };

	for (size_t i = 0; i < n && !(former && former->state == ROUTE_OPEN); i++)
		if (stored[i].state == ROUTE_OPEN || can_reopen(r, wanted, &stored[i]))
			former = &stored[i];
	if (former && former->state == ROUTE_OPEN && join_open(e, wanted, former) < 0)
		return -e->code;
	if (former && former->state == ROUTE_CLOSING)
		reopen(wanted, former);
	if (!former)
		wanted->opened_at = r->time;
	if (!former && wanted->kind == ROUTE_GATEWAY)
		account_begin_epoch(&wanted->account, r->now.boot_id);
	return route_list_take(e, &r->t.former, former ? former : &none);
}

/* Both lists are in one order, so one walk finds them all. */
static int find_all_former(struct err *e, struct restoration *r)
{
	CLEANUP(route_list_clear) struct route_list stored = { 0 };
	size_t at = 0, n;

	if (read_stored(e, r->g->store, &r->t.wanted, &stored) < 0)
		return -e->code;
	for (size_t i = 0; i < r->t.wanted.n; i++) {
		struct route *wanted = &r->t.wanted.items[i];

		while (at < stored.n && compare_names(&stored.items[at], wanted) < 0)
			at++;
		for (n = 0; at + n < stored.n && compare_names(&stored.items[at + n], wanted) == 0;)
			n++;
		if (find_former(e, r, wanted, n > 0 ? &stored.items[at] : NULL, n) < 0)
			return -e->code;
		at += n;
	}
	return 0;
}

static bool same_worker(const struct worker *a, const struct worker *b)
{
	bool same = a->nat == b->nat && a->is_public == b->is_public && a->n_addresses == b->n_addresses;

	for (size_t i = 0; same && i < a->n_addresses; i++)
		same = addr_equal(&a->addresses[i], &b->addresses[i]);
	return same;
}

static int find_workers(struct err *e, struct restoration *r, const struct worker_list *workers)
{
	for (size_t i = 0; i < workers->n; i++) {
		struct worker have = { 0 };
		int found = store_worker(e, r->g->store, workers->items[i].name, &have);

		if (found < 0)
			return found;
		if (found > 0 && same_worker(&workers->items[i], &have))
			continue;
		if (worker_list_add(e, &r->workers, &workers->items[i]) < 0 ||
		    worker_list_add(e, &r->former_workers, &have) < 0)
			return -e->code;
	}
	return 0;
}

static bool is_new(const struct restoration *r, size_t i)
{
	return r->t.former.items[i].id == 0 && r->t.wanted.items[i].kind == ROUTE_GATEWAY;
}

/* The endpoints of new routes; returns how many there are. */
static int check_endpoints(struct err *e, const struct restoration *r)
{
	bool many = r->t.wanted.n > MANY;
	struct hostnet_survey survey;
	int n = 0;

	if (many && hostnet_survey(e, &survey) < 0)
		return -e->code;
	for (size_t i = 0; i < r->t.wanted.n; i++) {
		if (!is_new(r, i))
			continue;
		n++;
		if (gateway_check_endpoint(e, r->g, &r->t.wanted.items[i], many ? &survey : NULL, r->time) < 0)
			return name_route(e, &r->t.wanted.items[i]);
	}
	return n;
}

static int differs_in_server(struct err *e, const struct real_server *rs, const struct service *s,
			     const char *key)
{
	const struct destination *d = service_find_destination(s, &rs->real);
	char real[ENDPOINT_STRLEN];

	endpoint_format(&rs->real, real);
	if (!d)
		return err_set(e, ERR_CONFLICT, "%s has real server %s in the document and not in the kernel", key, real);
	if ((d->method & IP_VS_CONN_F_FWD_MASK) != IP_VS_CONN_F_MASQ)
		return err_set(e, ERR_CONFLICT, "%s does not masquerade to real server %s in the kernel", key, real);
	if (d->weight != rs->weight)
		return err_set(e, ERR_CONFLICT, "%s has real server %s with weight %u in the kernel and %u in the document",
			       key, real, d->weight, rs->weight);
	return 0;
}

/* Is the kernel's service exactly what the route wants? -EEXIST names the first difference. */
static int compare_service(struct err *e, const struct route *r, const struct service *s)
{
	char key[SERVICE_KEY_STRLEN], real[ENDPOINT_STRLEN];

	service_key_format(&s->key, key);
	if (strcmp(s->scheduler, r->scheduler) != 0)
		return err_set(e, ERR_CONFLICT, "%s has scheduler %s in the kernel and %s in the document", key,
			       s->scheduler, r->scheduler);
	if (s->persistence != r->persistence)
		return err_set(e, ERR_CONFLICT, "%s has persistence %u in the kernel and %u in the document", key,
			       s->persistence, r->persistence);
	if (s->flags != 0)
		return err_set(e, ERR_CONFLICT,
			       "%s has flags in the kernel that a route cannot have, such as one-packet scheduling; take "
			       "them away with 'ipvsadm -E'", key);
	for (size_t i = 0; i < r->n_servers; i++)
		if (differs_in_server(e, &r->servers[i], s, key) < 0)
			return -e->code;
	for (size_t i = 0; i < s->n_destinations; i++)
		if (!route_find_server(r, &s->destinations[i].real))
			return err_set(e, ERR_CONFLICT, "%s has real server %s in the kernel and not in the document", key,
				       endpoint_format(&s->destinations[i].real, real));
	return 0;
}

static int adopt(struct err *e, struct restoration *r, size_t i, const struct service *s)
{
	const struct route *wanted = &r->t.wanted.items[i];
	CLEANUP(service_clear) struct service copy = *s;
	char key[SERVICE_KEY_STRLEN];

	if (!r->adopt) {
		err_set(e, ERR_CONFLICT,
			"the kernel has a service %s already; take it over with --adopt, or remove it with ipvsadm",
			service_key_format(&s->key, key));
		return name_route(e, wanted);
	}
	if (ipvs_get_destinations(e, r->g->kernel, &copy) < 0)
		return -e->code;
	if (compare_service(e, wanted, &copy) < 0) {
		err_advise(e, "make them the same; 'ipvsadm -Sn' shows the kernel's");
		return name_route(e, wanted);
	}
	r->t.is_adopted[i] = true;
	return 0;
}

/* Has the kernel services where new routes are to be? One dump for all of them. */
static int look_in_kernel(struct err *e, struct restoration *r)
{
	static const struct route_list none = { 0 };
	CLEANUP(service_list_clear) struct service_list actual = { 0 };

	if (gateway_list_services(e, r->g, false, &none, &actual) < 0)
		return -e->code;
	for (size_t i = 0; i < r->t.wanted.n; i++) {
		struct service_key key = route_service_key(&r->t.wanted.items[i]);
		const struct service *s = is_new(r, i) ? service_find(&actual, &key) : NULL;

		if (s && adopt(e, r, i, s) < 0)
			return -e->code;
	}
	return 0;
}

/* Everything that can stand against it. Changes nothing. */
static int check_all(struct err *e, struct restoration *r, const struct worker_list *workers)
{
	int n_new;

	if (find_all_former(e, r) < 0 || find_workers(e, r, workers) < 0)
		return -e->code;
	n_new = check_endpoints(e, r);
	if (n_new <= 0)
		return n_new;
	r->t.is_adopted = calloc(r->t.wanted.n, sizeof(*r->t.is_adopted));
	return r->t.is_adopted ? look_in_kernel(e, r) : err_set(e, ENOMEM, "out of memory");
}

/* Writes what is new, in the transaction that is open. */
static int store_all(struct err *e, struct restoration *r)
{
	struct store *s = r->g->store;

	for (size_t i = 0; i < r->workers.n; i++)
		if (store_set_worker(e, s, &r->workers.items[i]) < 0)
			return -e->code;
	return gateway_store_wanted(e, r->g, &r->t);
}

/* In one transaction, as each question outside of one would lock the file anew. */
static int check_and_commit(struct err *e, struct restoration *r, const struct worker_list *workers)
{
	struct store *s = r->g->store;
	int ret = store_begin(e, s);

	if (ret == 0)
		ret = check_all(e, r, workers);
	if (ret == 0)
		ret = store_all(e, r);
	if (ret == 0)
		ret = store_commit(e, s);
	store_rollback(s);
	return ret;
}

static int put_workers_back(struct err *e, struct restoration *r)
{
	struct store *s = r->g->store;
	int ret = store_begin(e, s);

	for (size_t i = 0; ret == 0 && i < r->workers.n; i++) {
		const struct worker *former = &r->former_workers.items[i];

		ret = former->name[0] ? store_set_worker(e, s, former)
				      : store_delete_worker(e, s, r->workers.items[i].name);
	}
	if (ret == 0)
		ret = store_commit(e, s);
	store_rollback(s);
	return ret;
}

static int restore_locked(struct err *e, struct restoration *r, const struct worker_list *workers)
{
	struct err failed;

	if (gateway_boottime(e, r->g, &r->now) < 0 || gateway_finish_due(e, r->g) < 0 ||
	    check_and_commit(e, r, workers) < 0)
		return -e->code;
	if (gateway_make_stored(e, r->g, &r->t) == 0)
		return 0;
	if (r->workers.n > 0 && put_workers_back(&failed, r) < 0)
		err_advise(e, "and the workers could not be taken back (%s)", failed.msg);
	return -e->code;
}

static void count(const struct restoration *r, struct restored *out)
{
	*out = (struct restored){ .workers = r->workers.n };
	for (size_t i = 0; i < r->t.wanted.n; i++) {
		if (r->t.is_adopted && r->t.is_adopted[i])
			out->adopted++;
		else if (r->t.former.items[i].id != 0 && r->t.former.items[i].state == ROUTE_OPEN)
			out->kept++;
		else
			out->added++;
	}
}

int gateway_restore(struct err *e, struct gateway *g, struct route_list *routes,
		    const struct worker_list *workers, bool adopt, struct restored *out)
{
	CLEANUP(restoration_clear) struct restoration r = { .g = g, .adopt = adopt, .time = time(NULL) };
	int ret;

	if (routes->n > 0)
		qsort(routes->items, routes->n, sizeof(*routes->items), compare_names);
	if (check_input(e, g->config, routes, workers) < 0 || store_lock(e, g->store) < 0)
		return -e->code;
	r.t.wanted = *routes;
	ret = restore_locked(e, &r, workers);
	gateway_unlock(g);
	if (ret == 0)
		count(&r, out);
	r.t.wanted = (struct route_list){ 0 }; /* the caller's */
	return ret;
}
