/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * asked: what is published and closed already, and routes that ask for an
 * endpoint: for the tests of choosing one.
 */
#ifndef SONM_ASKED_H
#define SONM_ASKED_H

#include "hub.h"

#define NOW 100000
#define MOST 3 /* protocols of one container port */

static const uint8_t protocols[MOST] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP };

/* --- given ------------------------------------------------------------------- */

/* A hub with two VIPs of IPv4 and one of IPv6, and ports outside the range of other programs' connections. */
static inline void given_hub(struct hub *h, uint16_t first, uint16_t last)
{
	hub_open(h);
	h->config.addresses[1] = given_addr("127.0.0.2");
	h->config.addresses[2] = given_addr("::1");
	h->config.n_addresses = 3;
	h->config.port_first = first;
	h->config.port_last = last;
}

static inline void given_stored(struct hub *h, const char *container, uint8_t protocol, const char *public)
{
	static uint16_t cport = 1000;
	struct route r = given_route(container, ++cport, public);
	struct err e;

	r.protocol = protocol;
	ck_assert_msg(store_add_route(&e, h->g->store, &r) == 0, "%s", e.msg);
}

/* A route of container port 80 that has closed so many seconds ago. */
static inline void given_closed(struct hub *h, const char *container, uint8_t protocol, const char *public, int ago)
{
	struct route r = given_route(container, 80, public);
	struct err e;

	r.protocol = protocol;
	ck_assert_int_eq(store_add_route(&e, h->g->store, &r), 0);
	ck_assert_int_eq(store_close_route(&e, h->g->store, r.id, NOW - ago), 0);
}

/* A service that is not ours. */
static inline void given_foreign(struct hub *h, uint8_t protocol, const char *vip)
{
	struct service s = { .scheduler = "rr", .key = given_key(protocol, vip) };
	struct err e;

	ck_assert_int_eq(service_list_add(&e, &h->kernel.services, &s), 0);
}

static inline int given_program(const char *at)
{
	struct endpoint ep = given_endpoint(at);
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&ep, &ss);
	int fd = socket(ep.addr.family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&ss, len), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	return fd;
}

/* --- asked for ----------------------------------------------------------------- */

struct asked {
	struct route routes[MOST];
	struct route *pointers[MOST];
	size_t n;
	struct endpoint_wish wish;
};

/* Container port 80 of "web" for the first n protocols. */
static inline void ask(struct asked *a, size_t n)
{
	memset(a, 0, sizeof(*a));
	a->wish.now = NOW;
	for (size_t i = 0; i < n; i++) {
		a->routes[i] = (struct route){ .container = "web", .cport = 80, .protocol = protocols[i] };
		given_server(&a->routes[i], "10.0.0.11:80", 100);
		a->pointers[i] = &a->routes[i];
	}
	a->n = n;
}

static inline void asked_clear(struct asked *a)
{
	for (size_t i = 0; i < a->n; i++)
		route_clear(&a->routes[i]);
}

static inline int choose(struct err *e, struct hub *h, struct asked *a)
{
	int ret;

	ck_assert_int_eq(store_lock(e, h->g->store), 0);
	ret = gateway_choose_endpoints(e, h->g, &a->wish, a->pointers, a->n);
	store_unlock(h->g->store);
	return ret;
}

/* Chooses, and checks what: "127.0.0.1:20000 127.0.0.1:20001" in the order of the protocols. */
static inline void expect_choice(struct hub *h, struct asked *a, const char *want)
{
	char got[200] = "", text[ENDPOINT_STRLEN];
	struct err e;

	ck_assert_msg(choose(&e, h, a) == 0, "%s", e.msg);
	for (size_t i = 0; i < a->n; i++) {
		endpoint_format(&a->routes[i].public, text);
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s", i ? " " : "", text);
	}
	ck_assert_str_eq(got, want);
}

static inline void expect_refusal(struct hub *h, struct asked *a, int code, const char *text)
{
	struct err e = { 0 };
	int ret = choose(&e, h, a);

	ck_assert_msg(ret == -code && e.code == code, "%d: %s", ret, e.msg);
	ck_assert_msg(strstr(e.msg, text), "'%s' is not in '%s'", text, e.msg);
}

#endif
