/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hub: a gateway over a real state file and a fake kernel, for its tests.
 */
#ifndef SONM_HUB_H
#define SONM_HUB_H

#include "fake_kernel.h"
#include "gateway_internal.h"
#include "given.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/ip_vs.h>
#include <time.h>

/* A hub with an empty state file, whose VIP is this machine's loopback address. */
struct hub {
	char dir[32];
	struct config config;
	struct fake_kernel kernel;
	struct gateway *g;
};

static inline void hub_open(struct hub *h)
{
	struct ipvs_peer peer;
	struct err e;

	memset(h, 0, sizeof(*h));
	strcpy(h->dir, "/tmp/test_gateway.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(h->dir));
	config_default(&h->config);
	h->config.addresses[0] = given_addr("127.0.0.1");
	h->config.n_addresses = 1;
	snprintf(h->config.state, sizeof(h->config.state), "%s/gateway.db", h->dir);
	ck_assert_msg(gateway_open(&e, &h->config, STORE_WRITE, &h->g) == 0, "%s", e.msg);
	peer = fake_kernel_peer(&h->kernel);
	ck_assert_int_eq(ipvs_open_peer(&e, &peer, &h->g->kernel), 0);
	ck_assert_int_eq(routing_open_blind(&e, &h->g->routing), 0);
}

static inline int hub_add_up(struct err *e, void *ctx, const struct traffic *t)
{
	(void)e;
	counters_add(ctx, &t->sum);
	return 0;
}

/* Whatever has happened: the history has what the accounts of open and closed routes have. */
static inline void hub_check_history(struct hub *h)
{
	static const struct route_filter all = { .state = -1 };
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	struct counters sum, history = { 0 };
	uint64_t entries;
	struct err e;

	ck_assert_int_eq(store_routes(&e, h->g->store, &all, &routes), 0);
	ck_assert_int_eq(store_ledger_sum(&e, h->g->store, NULL, &sum, &entries), 0);
	for (size_t i = 0; i < routes.n; i++) {
		const struct counters total = account_total(&routes.items[i].account);

		counters_add(&sum, &total);
	}
	ck_assert_int_eq(store_each_traffic_sum(&e, h->g->store, NULL, 0, INT64_MAX, hub_add_up, &history), 0);
	ck_assert(counters_equal(&sum, &history));
}

static inline void hub_close(struct hub *h)
{
	char path[64];

	hub_check_history(h);
	gateway_close(h->g);
	fake_kernel_clear(&h->kernel);
	unlink(h->config.state);
	snprintf(path, sizeof(path), "%s/gateway.db-journal", h->dir);
	unlink(path);
	ck_assert_int_eq(rmdir(h->dir), 0);
}

/* The kernel works again, and numbers its requests from 1. */
static inline void mend(struct fake_kernel *k)
{
	k->refuse = k->recv_error = 0;
	k->refuse_at = k->recv_error_at = 0;
	k->n_requests = k->n_sent = k->n_received = 0;
}

/* A kernel that takes its time over an answer; ctx: a struct boottime, when it had given it. */
static inline int hub_be_slow(unsigned char *bytes, int len, void *ctx)
{
	(void)bytes;
	nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
	return gateway_boottime(&(struct err){ 0 }, &(struct gateway){ 0 }, ctx) == 0 ? len : 0;
}

static inline int add_two(struct err *e, struct hub *h, struct route_list *out)
{
	struct port_spec ports[] = {
		{ 80, IPPROTO_TCP, given_endpoint("10.0.0.11:80"), true },
		{ 53, IPPROTO_UDP, given_endpoint("10.0.0.11:53"), true },
	};
	const struct add_request rq = {
		.container = "web", .ports = ports, .n_ports = 2, .weight = -1, .persistence = -1
	};

	return gateway_add(e, h->g, &rq, out);
}

static inline void must_add_two(struct hub *h)
{
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	struct err e;

	ck_assert_msg(add_two(&e, h, &out) == 0, "%s", e.msg);
	ck_assert_uint_eq(out.n, 2);
}

static inline int remove_web(struct err *e, struct hub *h)
{
	const struct route_filter f = { .container = "web", .state = -1 };
	CLEANUP(route_list_clear) struct route_list out = { 0 };

	return gateway_remove(e, h->g, &f, &out);
}

static inline size_t count_routes(struct hub *h, int state)
{
	const struct route_filter f = { .state = state };
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	struct err e;

	ck_assert_int_eq(store_routes(&e, h->g->store, &f, &routes), 0);
	return routes.n;
}

static inline size_t count_destinations(const struct hub *h)
{
	size_t n = 0;

	for (size_t i = 0; i < h->kernel.services.n; i++)
		n += h->kernel.services.items[i].n_destinations;
	return n;
}

static inline void check_published(struct hub *h)
{
	CLEANUP(sync_result_clear) struct sync_result found = { 0 };
	struct err e;

	ck_assert_uint_eq(count_routes(h, ROUTE_OPEN), 2);
	ck_assert_uint_eq(count_routes(h, ROUTE_CLOSING), 0);
	ck_assert_uint_eq(h->kernel.services.n, 2);
	ck_assert_uint_eq(count_destinations(h), 2);
	ck_assert_int_eq(gateway_sync(&e, h->g, true, &found), 0);
	ck_assert_uint_eq(found.foreign.n, 0);
}

/* An instant that much earlier, but not before the boot: this machine may be up for less. */
static inline int64_t earlier(int64_t instant, int64_t ms)
{
	return instant > ms ? instant - ms : 0;
}

static inline void let_time_pass(struct hub *h, int64_t ms)
{
	const struct route_filter f = { .state = ROUTE_CLOSING };
	CLEANUP(route_list_clear) struct route_list closing = { 0 };
	struct err e;

	ck_assert_int_eq(store_routes(&e, h->g->store, &f, &closing), 0);
	for (size_t i = 0; i < closing.n; i++) {
		closing.items[i].closing.ms = earlier(closing.items[i].closing.ms, ms);
		ck_assert_int_eq(store_set_route(&e, h->g->store, &closing.items[i]), 0);
	}
}

/* As if the estimator's time had passed. */
static inline void let_settle(struct hub *h)
{
	let_time_pass(h, GATEWAY_SETTLE_MS);
}

static inline void let_nearly_settle(struct hub *h)
{
	let_time_pass(h, GATEWAY_SETTLE_MS - 150);
}

static inline int finish(struct err *e, struct hub *h)
{
	int ret;

	ck_assert_int_eq(store_lock(e, h->g->store), 0);
	ret = gateway_finish_due(e, h->g);
	store_unlock(h->g->store);
	return ret;
}

static inline void transfer(struct hub *h, uint64_t bytes)
{
	for (size_t i = 0; i < h->kernel.services.n; i++)
		h->kernel.services.items[i].counters.inbytes += bytes;
}

static inline uint64_t ledger_bytes(struct hub *h, uint64_t *entries)
{
	struct counters sum;
	struct err e;

	ck_assert_int_eq(store_ledger_sum(&e, h->g->store, "web", &sum, entries), 0);
	return sum.inbytes;
}

static inline void hub_add(struct hub *h, struct add_request *rq, struct route_list *out)
{
	struct err e;

	ck_assert_msg(gateway_add(&e, h->g, rq, out) == 0, "%s", e.msg);
}

/* Publishes a container's TCP port 80, with the configuration's weight and scheduler. */
static inline void hub_publish(struct hub *h, const char *container, const char *real)
{
	struct port_spec port = { 80, IPPROTO_TCP, given_endpoint(real), true };
	CLEANUP(route_list_clear) struct route_list out = { 0 };

	hub_add(h, &(struct add_request){ .container = container, .ports = &port, .n_ports = 1, .weight = -1,
					  .persistence = -1 }, &out);
}

static inline void hub_set_worker(struct hub *h, const char *name, const char *public_address)
{
	struct worker w = { .nat = public_address ? NAT_NONE : NAT_SYMMETRIC, .is_public = public_address };
	struct err e;

	strcpy(w.name, name);
	if (public_address)
		w.addresses[w.n_addresses++] = given_addr(public_address);
	ck_assert_int_eq(store_lock(&e, h->g->store), 0);
	ck_assert_int_eq(store_begin(&e, h->g->store), 0);
	ck_assert_msg(store_set_worker(&e, h->g->store, &w) == 0, "%s", e.msg);
	ck_assert_int_eq(store_commit(&e, h->g->store), 0);
	store_unlock(h->g->store);
}

/* The one route of this container, or its route for this TCP port. Cleared by the caller. */
static inline struct route hub_route(struct hub *h, const char *container, uint16_t cport)
{
	const struct route_filter f = { .container = container, .cport = cport, .state = -1 };
	CLEANUP(route_list_clear) struct route_list found = { 0 };
	struct route r;
	struct err e;

	ck_assert_int_eq(store_routes(&e, h->g->store, &f, &found), 0);
	ck_assert_uint_eq(found.n, 1);
	r = found.items[0];
	found.items[0] = (struct route){ 0 };
	return r;
}

static inline struct service *hub_service(struct hub *h, const struct route *r)
{
	struct service_key key = route_service_key(r);

	return fake_kernel_find(&h->kernel, &key);
}

/* Stores the route with this drain mark on its real server, or on all of them. */
static inline void hub_drain(struct hub *h, const char *container, const char *real)
{
	CLEANUP(route_clear) struct route r = hub_route(h, container, 0);
	struct service *s = hub_service(h, &r);
	struct boottime now;
	struct err e;

	ck_assert_int_eq(gateway_boottime(&e, h->g, &now), 0);
	now.ms = BOOTTIME_NEVER;
	for (size_t i = 0; i < r.n_servers; i++) {
		struct endpoint only = real ? given_endpoint(real) : r.servers[i].real;

		if (!endpoint_equal(&only, &r.servers[i].real))
			continue;
		r.servers[i].drain = now;
		for (size_t k = 0; k < s->n_destinations; k++)
			if (endpoint_equal(&only, &s->destinations[k].real)) {
				s->destinations[k].weight = 0;
				s->destinations[k].active = 1; /* so that it stays */
			}
	}
	ck_assert_int_eq(store_set_route(&e, h->g->store, &r), 0);
}

static inline int compare_destinations(const void *a, const void *b)
{
	const struct destination *da = a, *db = b;
	int order = addr_compare(&da->real.addr, &db->real.addr);

	return order ? order : (int)da->real.port - (int)db->real.port;
}

static inline void print_routes(struct hub *h, FILE *out)
{
	const struct route_filter all = { .state = -1 };
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	struct err e;

	ck_assert_int_eq(store_routes(&e, h->g->store, &all, &routes), 0);
	for (size_t i = 0; i < routes.n; i++) {
		const struct route *r = &routes.items[i];
		char text[ROUTE_STRLEN], real[ENDPOINT_STRLEN];

		fprintf(out, "%" PRIi64 " %s %s %s kind %d worker '%s' %s %u %" PRIu64 "\n", r->id, r->container,
			route_format(r, text), route_state_name(r), (int)r->kind, r->worker, r->scheduler,
			r->persistence, account_total(&r->account).inbytes);
		for (size_t k = 0; k < r->n_servers; k++)
			fprintf(out, "  %s %u%s\n", endpoint_format(&r->servers[k].real, real), r->servers[k].weight,
				server_is_draining(&r->servers[k]) ? " drains" : "");
	}
}

static inline void print_workers(struct hub *h, FILE *out)
{
	CLEANUP(worker_list_clear) struct worker_list workers = { 0 };
	struct err e;

	ck_assert_int_eq(store_workers(&e, h->g->store, &workers), 0);
	for (size_t i = 0; i < workers.n; i++)
		fprintf(out, "worker %s %s %zu addresses\n", workers.items[i].name,
			nat_type_name(workers.items[i].nat), workers.items[i].n_addresses);
}

static inline void print_kernel(struct hub *h, FILE *out)
{
	struct service_list *services = &h->kernel.services;

	if (services->n > 0)
		qsort(services->items, services->n, sizeof(*services->items), service_compare);
	for (size_t i = 0; i < services->n; i++) {
		struct service *s = &services->items[i];
		char text[SERVICE_KEY_STRLEN], real[ENDPOINT_STRLEN];

		fprintf(out, "%s %s %u\n", service_key_format(&s->key, text), s->scheduler, s->persistence);
		if (s->n_destinations > 0)
			qsort(s->destinations, s->n_destinations, sizeof(*s->destinations), compare_destinations);
		for (size_t k = 0; k < s->n_destinations; k++)
			fprintf(out, "  %s %u\n", endpoint_format(&s->destinations[k].real, real),
				s->destinations[k].weight);
	}
}

/* All that state file and kernel hold, as text that is freed by the caller. */
static inline char *hub_picture(struct hub *h)
{
	struct unit_out o = { 0 };
	FILE *out = unit_open(&o);

	print_routes(h, out);
	print_workers(h, out);
	print_kernel(h, out);
	fclose(out);
	return o.text;
}

static inline int count_differences(struct hub *h)
{
	CLEANUP(sync_result_clear) struct sync_result found = { 0 };
	struct err e = { 0 };
	int n = gateway_sync(&e, h->g, true, &found);

	ck_assert_msg(n >= 0, "%s", e.msg);
	return n;
}

static inline void check_in_sync(struct hub *h)
{
	ck_assert_int_eq(count_differences(h), 0);
}

typedef void hub_setup_fn(struct hub *h);
typedef int hub_act_fn(struct err *e, struct hub *h);

/* The requests that act makes when nothing fails. */
static inline size_t hub_count_requests(hub_setup_fn *setup, hub_act_fn *act)
{
	struct err e = { 0 };
	struct hub h;
	size_t n;

	hub_open(&h);
	setup(&h);
	mend(&h.kernel);
	ck_assert_msg(act(&e, &h) == 0, "%s", e.msg);
	n = h.kernel.n_requests;
	check_in_sync(&h);
	hub_close(&h);
	return n;
}

/*
 * Refuses every request of act in turn: state file and kernel are as before, and
 * once the kernel works again, so does act. Returns the number of requests.
 */
static inline size_t hub_refuse_each(hub_setup_fn *setup, hub_act_fn *act)
{
	size_t n = hub_count_requests(setup, act);

	for (size_t at = 1; at <= n; at++) {
		CLEANUP_FREE char *before = NULL;
		CLEANUP_FREE char *after = NULL;
		struct err e = { 0 };
		int differences;
		struct hub h;

		hub_open(&h);
		setup(&h);
		before = hub_picture(&h);
		differences = count_differences(&h);
		mend(&h.kernel);
		h.kernel.refuse = ENOMEM;
		h.kernel.refuse_at = at;
		ck_assert_msg(act(&e, &h) == -ENOMEM, "request %zu of %zu: '%s'", at, n, e.msg);
		ck_assert_ptr_null(strstr(e.msg, "taken back"));
		after = hub_picture(&h);
		ck_assert_msg(strcmp(before, after) == 0, "request %zu of %zu: before:\n%safter:\n%s", at, n, before,
			      after);
		mend(&h.kernel);
		ck_assert_int_eq(count_differences(&h), differences);
		ck_assert_msg(act(&e, &h) == 0, "after request %zu of %zu: %s", at, n, e.msg);
		check_in_sync(&h);
		hub_close(&h);
	}
	return n;
}

/* Keeps every answer to act back in turn: what was begun is healed by a sync, and act works after it. */
static inline void hub_silence_each(hub_setup_fn *setup, hub_act_fn *act)
{
	size_t n = hub_count_requests(setup, act);

	for (size_t at = 0; at < n; at++) {
		CLEANUP(sync_result_clear) struct sync_result found = { 0 };
		struct err e = { 0 };
		struct hub h;

		hub_open(&h);
		setup(&h);
		mend(&h.kernel);
		h.kernel.recv_error = ENOBUFS;
		h.kernel.recv_error_at = at;
		(void)!act(&e, &h);
		mend(&h.kernel);
		ck_assert_msg(gateway_sync(&e, h.g, false, &found) >= 0, "answer %zu: %s", at, e.msg);
		check_in_sync(&h);
		ck_assert_msg(act(&e, &h) == 0, "after answer %zu: %s", at, e.msg);
		check_in_sync(&h);
		hub_close(&h);
	}
}

#endif
