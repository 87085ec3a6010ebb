/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ten thousand routes at once: few questions for each, and all or none. */
#include "hub.h"
#include "hostnet.h"

#define MANY 10000

static const struct worker_list no_workers;

static void give(struct route_list *routes, struct route r)
{
	struct err e;

	ck_assert_int_eq(route_list_take(&e, routes, &r), 0);
}

/* So many routes on endpoints that are free on this machine. */
static struct route_list many_routes(struct hub *h)
{
	struct route_list routes = { 0 };
	uint16_t port = 20000;

	h->config.port_first = port;
	h->config.port_last = 32767;
	while (routes.n < MANY) {
		struct route r = given_route("c", (uint16_t)(routes.n + 1), "127.0.0.1:1");
		enum hostnet_port state;
		struct err e;

		snprintf(r.container, sizeof(r.container), "c%zu", routes.n * 7919 % MANY);
		r.public.port = port++;
		given_server(&r, "10.0.0.11:80", 100);
		r.servers[0].real.port = r.cport;
		ck_assert_int_eq(hostnet_probe(&e, IPPROTO_TCP, &r.public, &state), 0);
		if (state == HOSTNET_FREE)
			give(&routes, r);
		else
			route_clear(&r);
	}
	return routes;
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

static void add_tests(TCase *tc)
{
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, ten_thousand_routes_cost_one_dump_and_two_requests_each);
	tcase_add_test(tc, ten_thousand_routes_are_taken_back_if_the_last_is_refused);
}

int main(void)
{
	return unit_main("gateway_many", add_tests);
}
