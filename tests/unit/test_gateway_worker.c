/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is known of workers, and which of their routes it makes wrong. */
#include "synced.h"

START_TEST(a_worker_is_known_once_it_is_set_and_forgotten_when_deleted)
{
	struct worker w = given_worker("w1", "203.0.113.7"), found;
	struct hub h;
	struct err e;

	hub_open(&h);
	ck_assert_int_eq(gateway_worker(&e, h.g, "w1", &found), -ESRCH);
	ck_assert_msg(strstr(e.msg, "no such worker: w1"), "%s", e.msg);
	ck_assert_uint_eq(synced_set_worker(&h, &w), 0);
	ck_assert_int_eq(gateway_worker(&e, h.g, "w1", &found), 0);
	ck_assert(worker_same_place(&w, &found));
	ck_assert_int_eq(found.nat, NAT_NONE);

	w.reported_at = 2;
	ck_assert_uint_eq(synced_set_worker(&h, &w), 0);
	ck_assert_int_eq(gateway_worker(&e, h.g, "w1", &found), 0);
	ck_assert_int_eq(found.reported_at, 2);

	ck_assert_int_eq(gateway_delete_worker(&e, h.g, "w2"), -ESRCH);
	ck_assert_int_eq(gateway_delete_worker(&e, h.g, "w1"), 0);
	ck_assert_int_eq(gateway_worker(&e, h.g, "w1", &found), -ESRCH);
	ck_assert_int_eq(gateway_delete_worker(&e, h.g, "w1"), -ESRCH);
	hub_close(&h);
}
END_TEST

START_TEST(what_is_no_worker_is_refused_and_changes_nothing)
{
	CLEANUP(route_list_clear) struct route_list wrong = { 0 };
	struct worker w = given_worker("w1", "203.0.113.7"), bad = w, found;
	struct hub h;
	struct err e;

	hub_open(&h);
	synced_set_worker(&h, &w);
	bad.nat = NAT_FULL;
	ck_assert_int_eq(gateway_set_worker(&e, h.g, &bad, &wrong), -EINVAL);
	bad = given_worker("w 2", NULL);
	ck_assert_int_eq(gateway_set_worker(&e, h.g, &bad, &wrong), -EINVAL);
	ck_assert_int_eq(gateway_worker(&e, h.g, "w1", &found), 0);
	ck_assert_int_eq(found.nat, NAT_NONE);
	ck_assert_int_eq(gateway_worker(&e, h.g, "w 2", &found), -ESRCH);
	hub_close(&h);
}
END_TEST

/* A worker asks for no permission: its report is stored without the kernel. */
START_TEST(setting_a_worker_does_not_ask_the_kernel)
{
	const struct worker w = given_worker("w1", "203.0.113.7");
	struct hub h;

	hub_open(&h);
	h.kernel.send_error = EPERM;
	synced_set_worker(&h, &w);
	ck_assert_uint_eq(h.kernel.n_requests, 0);
	hub_close(&h);
}
END_TEST

static void store_route_of(struct hub *h, const char *container, const char *worker, enum route_kind kind,
			   const char *public, const char *real)
{
	struct route r = given_route(container, 80, public);

	strcpy(r.worker, worker);
	r.kind = kind;
	given_server(&r, real, 100);
	hub_store(h, &r);
}

START_TEST(routes_that_are_wrong_for_a_worker_are_listed_when_it_is_set)
{
	static const struct {
		const char *address; /* NULL: behind a NAT */
		const char *wrong;
	} cases[] = {
		{ NULL, " direct other" },
		{ "203.0.113.7", " gateway other six" }, /* what cannot be moved is wrong all the same */
		{ "203.0.113.8", " direct gateway other six" }, /* other: its port is another one */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(route_list_clear) struct route_list wrong = { 0 };
		const struct worker w = given_worker("w1", cases[i].address);
		char names[64] = "";
		struct hub h;
		struct err e;

		hub_open(&h);
		store_route_of(&h, "gateway", "w1", ROUTE_GATEWAY, "127.0.0.1:33000", "10.0.0.11:80");
		store_route_of(&h, "six", "w1", ROUTE_GATEWAY, "[::1]:33000", "[fd00::11]:80");
		store_route_of(&h, "direct", "w1", ROUTE_DIRECT, "203.0.113.7:80", "203.0.113.7:80");
		store_route_of(&h, "other", "w1", ROUTE_DIRECT, "203.0.113.8:81", "203.0.113.8:80");
		store_route_of(&h, "w2s", "w2", ROUTE_DIRECT, "203.0.113.9:80", "203.0.113.9:80");
		store_route_of(&h, "nobodys", "", ROUTE_GATEWAY, "127.0.0.1:33001", "10.0.0.12:80");
		ck_assert_msg(gateway_set_worker(&e, h.g, &w, &wrong) == 4, "%s", e.msg);
		for (size_t k = 0; k < wrong.n; k++) {
			strcat(names, " ");
			strcat(names, wrong.items[k].container);
		}
		ck_assert_str_eq(names, cases[i].wrong);
		hub_close(&h);
	}
}
END_TEST

START_TEST(a_worker_that_routes_name_is_not_deleted)
{
	const struct worker w = given_worker("w1", NULL);
	struct worker found;
	struct hub h;
	struct err e;

	hub_open(&h);
	synced_set_worker(&h, &w);
	store_route_of(&h, "web", "w1", ROUTE_GATEWAY, "127.0.0.1:33000", "10.0.0.11:80");
	store_route_of(&h, "dns", "w1", ROUTE_GATEWAY, "127.0.0.1:33001", "10.0.0.11:53");
	store_route_of(&h, "other", "w2", ROUTE_GATEWAY, "127.0.0.1:33002", "10.0.0.11:54");
	ck_assert_int_eq(gateway_delete_worker(&e, h.g, "w1"), -EEXIST);
	ck_assert_msg(strstr(e.msg, "worker w1 is named by 2 of the routes, one of container dns"), "%s", e.msg);
	ck_assert_msg(strstr(e.msg, "sonm-vs -D"), "%s", e.msg);
	ck_assert_int_eq(gateway_worker(&e, h.g, "w1", &found), 0);
	hub_close(&h);
}
END_TEST

START_TEST(a_direct_route_has_the_workers_address_and_the_real_servers_port)
{
	struct worker w = given_worker("w1", "203.0.113.7");
	struct route r = given_route("web", 80, "127.0.0.1:33000");
	struct route six = given_route("web", 80, "[::1]:33000");
	struct endpoint ep;
	struct err e;

	given_server(&r, "10.0.0.11:8080", 100);
	given_server(&six, "[fd00::11]:8081", 100);
	ck_assert_int_eq(gateway_direct_endpoint(&e, &w, &r, &ep), 0);
	ck_assert(endpoint_equal(&ep, &(struct endpoint){ .addr = w.addresses[0], .port = 8080 }));

	ck_assert_int_eq(gateway_direct_endpoint(&e, &w, &six, &ep), -EINVAL);
	ck_assert_msg(strstr(e.msg, "worker w1 is public but has no IPv6 address"), "%s", e.msg);
	w.addresses[w.n_addresses++] = given_addr("2001:db8::7");
	ck_assert_int_eq(gateway_direct_endpoint(&e, &w, &six, &ep), 0);
	ck_assert(endpoint_equal(&ep, &(struct endpoint){ .addr = w.addresses[1], .port = 8081 }));

	given_server(&r, "10.0.0.12:9090", 100);
	ck_assert_int_eq(gateway_direct_endpoint(&e, &w, &r, &ep), -EINVAL);
	ck_assert_msg(strstr(e.msg, "one real server, not 2"), "%s", e.msg);
	strcpy(r.servers[0].drain.boot_id, "this"); /* it leaves */
	ck_assert_int_eq(gateway_direct_endpoint(&e, &w, &r, &ep), 0);
	ck_assert_uint_eq(ep.port, 9090);
	route_clear(&r);
	route_clear(&six);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, a_worker_is_known_once_it_is_set_and_forgotten_when_deleted);
	tcase_add_test(tc, what_is_no_worker_is_refused_and_changes_nothing);
	tcase_add_test(tc, setting_a_worker_does_not_ask_the_kernel);
	tcase_add_test(tc, routes_that_are_wrong_for_a_worker_are_listed_when_it_is_set);
	tcase_add_test(tc, a_worker_that_routes_name_is_not_deleted);
	tcase_add_test(tc, a_direct_route_has_the_workers_address_and_the_real_servers_port);
}

int main(void)
{
	return unit_main("gateway_worker", add_tests);
}
