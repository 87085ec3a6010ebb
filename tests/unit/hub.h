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

static inline void hub_close(struct hub *h)
{
	char path[64];

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

static inline void let_time_pass(struct hub *h, int64_t ms)
{
	const struct route_filter f = { .state = ROUTE_CLOSING };
	CLEANUP(route_list_clear) struct route_list closing = { 0 };
	struct err e;

	ck_assert_int_eq(store_routes(&e, h->g->store, &f, &closing), 0);
	for (size_t i = 0; i < closing.n; i++) {
		closing.items[i].closing.ms -= ms;
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

#endif
