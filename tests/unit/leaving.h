/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * leaving: a hub whose real servers drain and leave: what the kernel has of
 * them, what the state file says, what is held back.
 */
#ifndef SONM_LEAVING_H
#define SONM_LEAVING_H

#include "hub.h"

#define ONE "10.0.0.11:80"
#define TWO "10.0.0.12:80"

/* A container's port 80 with this real server, and with a second one if there is one. */
static inline void given_port(struct hub *h, const char *container, uint8_t protocol, const char *one,
			      const char *two)
{
	struct port_spec ports[] = {
		{ 80, protocol, given_endpoint(one), true },
		{ 80, protocol, given_endpoint(two ? two : one), true },
	};
	const struct add_request rq = {
		.container = container, .ports = ports, .n_ports = two ? 2 : 1, .weight = 7, .persistence = -1
	};
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	struct err e;

	ck_assert_msg(gateway_add(&e, h->g, &rq, &out) == 0, "%s", e.msg);
}

/* c0000, c0001, ... with a route each, its service and its real server; behind the gateway's back. */
static inline void given_many(struct hub *h, size_t n)
{
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	struct err e = { 0 };

	for (size_t i = 0; i < n; i++) {
		struct route r = given_route("c", 80, "127.0.0.1:1");
		struct service s = { .scheduler = "wrr", .counters = { .inbytes = i + 1 } };

		snprintf(r.container, sizeof(r.container), "c%04zu", i);
		r.public.port = (uint16_t)(20000 + i); /* not of the pool, from which given_port() draws */
		given_server(&r, ONE, 100);
		r.servers[0].real.port = (uint16_t)(1 + i);
		s.key = route_service_key(&r);
		s.destinations = calloc(1, sizeof(*s.destinations));
		ck_assert_ptr_nonnull(s.destinations);
		s.n_destinations = 1;
		s.destinations[0] = (struct destination){ .real = r.servers[0].real, .weight = 100,
							  .method = IP_VS_CONN_F_MASQ };
		ck_assert_int_eq(service_list_add(&e, &h->kernel.services, &s), 0);
		ck_assert_int_eq(route_list_take(&e, &routes, &r), 0);
	}
	ck_assert_int_eq(store_begin(&e, h->g->store), 0);
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(store_add_route(&e, h->g->store, &routes.items[i]) == 0, "%s", e.msg);
	ck_assert_int_eq(store_commit(&e, h->g->store), 0);
}

/* The first service with this real server, which is *d; else NULL. */
static inline struct destination *in_kernel(struct hub *h, const char *real)
{
	const struct endpoint ep = given_endpoint(real);

	for (size_t i = 0; i < h->kernel.services.n; i++)
		for (size_t k = 0; k < h->kernel.services.items[i].n_destinations; k++)
			if (endpoint_equal(&h->kernel.services.items[i].destinations[k].real, &ep))
				return &h->kernel.services.items[i].destinations[k];
	return NULL;
}

static inline void connect_clients(struct hub *h, const char *real, uint32_t active)
{
	struct destination *d = in_kernel(h, real);

	ck_assert_ptr_nonnull(d);
	d->active = active;
	d->inactive = 0;
}

static inline struct route_filter port_80(const char *container, uint8_t protocol)
{
	return (struct route_filter){ .container = container, .cport = 80, .protocol = protocol, .state = -1 };
}

/* Drains TCP port 80 of web, or one real server of it; the number of routes, or an error. */
static inline int drain(struct err *e, struct hub *h, const char *real, uint32_t seconds)
{
	const struct route_filter f = port_80("web", IPPROTO_TCP);
	const struct endpoint ep = given_endpoint(real ? real : ONE);
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	int ret = gateway_drain(e, h->g, &f, real ? &ep : NULL, seconds, &out);

	return ret < 0 ? ret : (int)out.n;
}

static inline void must_drain(struct hub *h, const char *real, uint32_t seconds)
{
	struct err e = { 0 };

	ck_assert_msg(drain(&e, h, real, seconds) == 1, "%s", e.msg);
}

static inline int remove_server(struct err *e, struct hub *h, const char *real)
{
	const struct route_filter f = port_80("web", IPPROTO_TCP);
	const struct endpoint ep = given_endpoint(real);
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	int ret = gateway_remove_server(e, h->g, &f, &ep, &out);

	return ret < 0 ? ret : (int)out.n;
}

/* What the next verb does first. */
static inline int come_next(struct err *e, struct hub *h)
{
	int ret;

	ck_assert_int_eq(store_lock(e, h->g->store), 0);
	ret = gateway_finish_some_due(e, h->g);
	store_unlock(h->g->store);
	return ret;
}

/* And what it does last. */
static inline void must_come_next(struct hub *h)
{
	struct err e = { 0 };

	ck_assert_msg(come_next(&e, h) == 0, "%s", e.msg);
	gateway_end_holds(h->g);
	ck_assert_msg(!gateway_undone(h->g), "%s", gateway_undone(h->g));
}

static inline bool is_held(struct hub *h)
{
	struct err e;
	bool any;

	ck_assert_int_eq(routing_holds_any(&e, h->g->routing, &any), 0);
	return any;
}

/* The process ends as it is, and another one comes. */
static inline void be_killed(struct hub *h)
{
	h->g->n_held = 0;
	h->g->has_left = false;
}

/* As if this time had passed for those that drain. */
static inline void let_drain(struct hub *h, int64_t ms)
{
	const struct route_filter f = { .state = ROUTE_OPEN };
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	struct err e;

	ck_assert_int_eq(store_routes(&e, h->g->store, &f, &routes), 0);
	for (size_t i = 0; i < routes.n; i++)
		for (size_t k = 0; k < routes.items[i].n_servers; k++) {
			struct boottime *deadline = &routes.items[i].servers[k].drain;

			deadline->ms = earlier(deadline->ms, ms);
		}
	ck_assert_int_eq(gateway_store_each(&e, h->g, &routes, store_set_route), 0);
}

/* let_settle in one transaction. */
static inline void let_many_settle(struct hub *h)
{
	const struct route_filter f = { .state = ROUTE_CLOSING };
	CLEANUP(route_list_clear) struct route_list closing = { 0 };
	struct err e;

	ck_assert_int_eq(store_routes(&e, h->g->store, &f, &closing), 0);
	for (size_t i = 0; i < closing.n; i++)
		closing.items[i].closing.ms = earlier(closing.items[i].closing.ms, GATEWAY_SETTLE_MS);
	ck_assert_int_eq(gateway_store_each(&e, h->g, &closing, store_set_route), 0);
}

/* "10.0.0.11:80 10.0.0.12:80*": the real servers of the first route, those that drain with a star. */
static inline void check_servers(struct hub *h, const char *expected)
{
	const struct route_filter all = { .state = -1 };
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	char text[256] = "", ep[ENDPOINT_STRLEN];
	struct err e;

	ck_assert_int_eq(store_routes(&e, h->g->store, &all, &routes), 0);
	for (size_t i = 0; routes.n > 0 && i < routes.items[0].n_servers; i++) {
		const struct real_server *rs = &routes.items[0].servers[i];

		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s%s", i ? " " : "",
			 endpoint_format(&rs->real, ep), server_is_draining(rs) ? "*" : "");
	}
	ck_assert_str_eq(text, expected);
}

/* Nothing is left to do, and nothing held. */
static inline void check_settled(struct hub *h)
{
	CLEANUP(sync_result_clear) struct sync_result found = { 0 };
	struct err e = { 0 };
	int n = gateway_sync(&e, h->g, true, &found);

	ck_assert_msg(n == 0, "%d differences: %s", n, e.msg);
	ck_assert(!is_held(h));
}

#endif
