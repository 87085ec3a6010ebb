/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ten thousand routes at once (in valgrind one thousand): few questions for each, and all or none. */
#include "hub.h"
#include "hostnet.h"

#include <sys/socket.h>

#define MANY (unit_in_valgrind() ? 1000u : 10000u)
#define SOME 100 /* enough for their ports not to be probed one by one */

static const struct worker_list no_workers;

static void give(struct route_list *routes, struct route r)
{
	struct err e;

	ck_assert_int_eq(route_list_take(&e, routes, &r), 0);
}

/* n routes on endpoints of this address that are free on this machine. */
static struct route_list routes_at(struct hub *h, size_t n, uint8_t protocol, const char *vip)
{
	struct route_list routes = { 0 };
	struct addr addr = given_addr(vip);
	uint16_t port = 20000;

	h->config.port_first = port;
	h->config.port_last = 32767;
	while (routes.n < n) {
		struct route r = given_route("c", (uint16_t)(routes.n + 1), "127.0.0.1:1");
		enum hostnet_port state;
		struct err e;

		snprintf(r.container, sizeof(r.container), "c%zu", routes.n * 7919 % MANY);
		r.protocol = protocol;
		r.public = (struct endpoint){ .addr = addr, .port = port++ };
		given_server(&r, addr.family == AF_INET6 ? "[fd00::11]:80" : "10.0.0.11:80", 100);
		r.servers[0].real.port = r.cport;
		ck_assert_int_eq(hostnet_probe(&e, protocol, &r.public, &state), 0);
		if (state == HOSTNET_FREE)
			give(&routes, r);
		else
			route_clear(&r);
	}
	return routes;
}

static struct route_list many_routes(struct hub *h)
{
	return routes_at(h, MANY, IPPROTO_TCP, "127.0.0.1");
}

START_TEST(ten_thousand_routes_cost_one_dump_and_two_requests_each)
{
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	struct restored out = { 0 };
	struct err e = { 0 };
	struct hub h;

	hub_open(&h);
	routes = many_routes(&h);
	ck_assert_msg(gateway_restore(&e, h.g, &routes, &no_workers, false, &out) == 0, "%s", e.msg);
	ck_assert_uint_eq(out.added, MANY);
	ck_assert_uint_eq(h.kernel.services.n, MANY);
	ck_assert_uint_eq(h.kernel.n_requests, 2 * MANY + 1);
	ck_assert_uint_le(h.kernel.n_sent, 2 * MANY / 50);
	mend(&h.kernel);
	ck_assert_msg(gateway_restore(&e, h.g, &routes, &no_workers, false, &out) == 0, "%s", e.msg);
	ck_assert_uint_eq(out.kept, MANY);
	ck_assert_uint_eq(h.kernel.n_requests, MANY + 1);
	hub_close(&h);
}
END_TEST

START_TEST(ten_thousand_routes_are_taken_back_if_the_last_is_refused)
{
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	struct restored out = { 0 };
	struct err e = { 0 };
	struct hub h;

	hub_open(&h);
	routes = many_routes(&h);
	h.kernel.refuse = ENOMEM;
	h.kernel.refuse_at = 2 * MANY + 1;
	ck_assert_int_eq(gateway_restore(&e, h.g, &routes, &no_workers, false, &out), -ENOMEM);
	ck_assert_uint_eq(h.kernel.services.n, 0);
	ck_assert_uint_eq(count_routes(&h, -1), 0);
	hub_close(&h);
}
END_TEST

/* A program that listens, or hears datagrams, at this address on the route's port. */
static int given_listener(const struct route *r, const char *addr)
{
	struct endpoint at = { .addr = given_addr(addr), .port = r->public.port };
	int type = r->protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
	int fd = socket(at.addr.family, type | SOCK_CLOEXEC, r->protocol);
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&at, &ss);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&ss, len), 0);
	ck_assert(r->protocol == IPPROTO_UDP || listen(fd, 1) == 0);
	return fd;
}

START_TEST(one_port_of_many_that_a_program_has_is_found)
{
	static const struct {
		uint8_t protocol;
		const char *vip, *listener;
		int code;
	} cases[] = {
		{ IPPROTO_TCP, "127.0.0.1", "127.0.0.1", EEXIST }, { IPPROTO_UDP, "127.0.0.1", "127.0.0.1", EEXIST },
		{ IPPROTO_TCP, "127.0.0.1", "0.0.0.0", EEXIST },   { IPPROTO_UDP, "127.0.0.1", "0.0.0.0", EEXIST },
		{ IPPROTO_TCP, "127.0.0.1", "::", EEXIST },	   { IPPROTO_UDP, "127.0.0.1", "::", EEXIST },
		{ IPPROTO_TCP, "::1", "::1", EEXIST },		   { IPPROTO_UDP, "::1", "::1", EEXIST },
		{ IPPROTO_TCP, "::1", "::", EEXIST },		   { IPPROTO_UDP, "::1", "::", EEXIST },
		{ IPPROTO_TCP, "127.0.0.1", "127.0.0.2", 0 },	   { IPPROTO_UDP, "::1", "127.0.0.1", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(route_list_clear) struct route_list routes = { 0 };
		struct restored out = { 0 };
		struct err e = { .msg = "" };
		struct hub h;
		int fd;

		hub_open(&h);
		h.config.n_addresses = 0; /* all of this host's may be VIPs */
		routes = routes_at(&h, SOME, cases[i].protocol, cases[i].vip);
		fd = given_listener(&routes.items[SOME / 2], cases[i].listener);
		ck_assert_msg(gateway_restore(&e, h.g, &routes, &no_workers, false, &out) == -cases[i].code,
			      "case %zu: %s", i, e.msg);
		ck_assert_msg(cases[i].code == 0 || strstr(e.msg, "is in use by a local program"), "%s", e.msg);
		ck_assert_uint_eq(h.kernel.services.n, cases[i].code ? 0 : SOME);
		close(fd);
		hub_close(&h);
	}
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, ten_thousand_routes_cost_one_dump_and_two_requests_each);
	tcase_add_test(tc, ten_thousand_routes_are_taken_back_if_the_last_is_refused);
	tcase_add_test(tc, one_port_of_many_that_a_program_has_is_found);
}

int main(void)
{
	return unit_main("gateway_many", add_tests);
}
