/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Publishing, with a kernel that refuses, or falls silent, at every request in
 * turn: what fails leaves everything as it was, and what was interrupted is
 * healed by what comes next.
 */
#include "hub.h"

/* How many requests a call makes when nothing fails. */
static size_t requests_of_add(void)
{
	struct hub h;
	size_t n;

	hub_open(&h);
	must_add_two(&h);
	n = h.kernel.n_requests;
	hub_close(&h);
	return n;
}

START_TEST(an_add_that_the_kernel_refuses_leaves_nothing_behind)
{
	size_t n = requests_of_add();

	ck_assert_uint_ge(n, 6); /* is each port free, and a service and a real server for each */
	for (size_t at = 1; at <= n; at++) {
		CLEANUP(route_list_clear) struct route_list out = { 0 };
		struct err e = { 0 };
		struct hub h;

		hub_open(&h);
		h.kernel.refuse = ENOMEM;
		h.kernel.refuse_at = at;
		ck_assert_msg(add_two(&e, &h, &out) == -ENOMEM, "request %zu of %zu: %s", at, n, e.msg);
		ck_assert_uint_eq(out.n, 0);
		ck_assert_uint_eq(count_routes(&h, -1), 0);
		ck_assert_msg(h.kernel.services.n == 0, "request %zu: %zu services", at, h.kernel.services.n);
		mend(&h.kernel);
		must_add_two(&h);
		check_published(&h);
		hub_close(&h);
	}
}
END_TEST

START_TEST(an_add_that_hears_no_answer_is_healed_by_its_repetition)
{
	for (size_t at = 0; at < requests_of_add(); at++) {
		CLEANUP(route_list_clear) struct route_list out = { 0 };
		struct err e = { 0 };
		struct hub h;

		hub_open(&h);
		h.kernel.recv_error = ENOBUFS;
		h.kernel.recv_error_at = at;
		if (add_two(&e, &h, &out) == 0) { /* that many datagrams never came */
			hub_close(&h);
			continue;
		}
		mend(&h.kernel);
		route_list_clear(&out);
		must_add_two(&h);
		check_published(&h);
		hub_close(&h);
	}
}
END_TEST

START_TEST(an_add_repeated_changes_nothing_and_heals_what_is_missing)
{
	struct hub h;

	hub_open(&h);
	must_add_two(&h);
	must_add_two(&h);
	check_published(&h);
	service_list_clear(&h.kernel.services);
	must_add_two(&h);
	check_published(&h);
	hub_close(&h);
}
END_TEST

START_TEST(a_foreign_service_is_neither_taken_over_nor_touched)
{
	struct port_spec port = { 80, IPPROTO_TCP, given_endpoint("10.0.0.11:80"), true };
	struct add_request rq = { .container = "web", .ports = &port, .n_ports = 1, .weight = -1,
				  .persistence = -1 };
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	struct service foreign = { .scheduler = "rr" };
	struct hub h;
	struct err e;

	hub_open(&h);
	/* The pool has two ports; the first is somebody's. */
	h.config.port_first = 40000;
	h.config.port_last = 40001;
	foreign.key = given_key(IPPROTO_TCP, "127.0.0.1:40000");
	ck_assert_int_eq(service_list_add(&e, &h.kernel.services, &foreign), 0);

	rq.vport = 40000;
	ck_assert_int_eq(gateway_add(&e, h.g, &rq, &out), -EEXIST);
	rq.vport = 0;
	ck_assert_msg(gateway_add(&e, h.g, &rq, &out) == 0, "%s", e.msg);
	ck_assert_uint_eq(out.items[0].public.port, 40001);
	port.cport = 81;
	ck_assert_int_eq(gateway_add(&e, h.g, &rq, &out), -EADDRNOTAVAIL);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	let_settle(&h);
	ck_assert_int_eq(finish(&e, &h), 0);
	ck_assert_uint_eq(h.kernel.services.n, 1);
	ck_assert_str_eq(h.kernel.services.items[0].scheduler, "rr");
	hub_close(&h);
}
END_TEST

START_TEST(an_add_soon_after_a_removal_opens_the_same_route_with_its_account)
{
	CLEANUP(route_list_clear) struct route_list before = { 0 }, after = { 0 };
	CLEANUP(reading_list_clear) struct reading_list readings = { 0 };
	struct err e;
	struct hub h;

	hub_open(&h);
	ck_assert_int_eq(add_two(&e, &h, &before), 0);
	transfer(&h, 10);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	ck_assert_msg(add_two(&e, &h, &after) == 0, "%s", e.msg);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(after.items[i].id, before.items[i].id);
		ck_assert(endpoint_equal(&after.items[i].public, &before.items[i].public));
	}
	check_published(&h);
	ck_assert_int_eq(gateway_read(&e, h.g, NULL, &readings), 0);
	ck_assert_uint_eq(readings.items[0].total.inbytes, 10);
	hub_close(&h);
}
END_TEST

START_TEST(a_reading_asks_by_name_for_what_a_dump_left_out)
{
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	struct err e;
	struct hub h;

	hub_open(&h);
	ck_assert_int_eq(add_two(&e, &h, &routes), 0);
	transfer(&h, 10);
	for (size_t omit = 0; omit <= 2; omit++) {
		CLEANUP(reading_list_clear) struct reading_list readings = { 0 };

		h.kernel.omit = omit;
		h.kernel.n_requests = 0;
		ck_assert_int_eq(gateway_read(&e, h.g, NULL, &readings), 0);
		ck_assert_uint_eq(readings.n, 2);
		for (size_t i = 0; i < 2; i++) {
			ck_assert(readings.items[i].in_kernel);
			ck_assert_uint_eq(readings.items[i].total.inbytes, 10);
		}
		ck_assert_int_eq(h.kernel.n_requests > 1, omit > 0);
	}
	hub_close(&h);
}
END_TEST

static int add_one(struct err *e, struct hub *h, const char *container, struct route_list *out)
{
	struct port_spec port = { 80, IPPROTO_TCP, given_endpoint("10.0.0.11:80"), true };
	const struct add_request rq = { .container = container, .ports = &port, .n_ports = 1, .weight = -1,
					.persistence = -1 };

	return gateway_add(e, h->g, &rq, out);
}

START_TEST(a_released_port_is_kept_for_the_container_that_had_it)
{
	CLEANUP(route_list_clear) struct route_list first = { 0 }, out = { 0 };
	struct err e;
	struct hub h;

	hub_open(&h);
	h.config.port_first = 40010;
	h.config.port_last = 40011;
	ck_assert_int_eq(add_one(&e, &h, "web", &first), 0);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	let_settle(&h);
	ck_assert_int_eq(finish(&e, &h), 0);

	ck_assert_int_eq(add_one(&e, &h, "other", &out), 0);
	ck_assert_uint_ne(out.items[0].public.port, first.items[0].public.port);
	ck_assert_int_eq(add_one(&e, &h, "third", &out), -EADDRNOTAVAIL);
	ck_assert_int_eq(add_one(&e, &h, "web", &out), 0);
	ck_assert_uint_eq(out.items[1].public.port, first.items[0].public.port);
	hub_close(&h);
}
END_TEST

START_TEST(without_quarantine_a_released_port_is_free_at_once)
{
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	struct err e;
	struct hub h;

	hub_open(&h);
	h.config.port_first = h.config.port_last = 40012;
	h.config.quarantine = 0;
	ck_assert_int_eq(add_one(&e, &h, "web", &out), 0);
	ck_assert_int_eq(add_one(&e, &h, "other", &out), -EADDRNOTAVAIL);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	ck_assert_int_eq(add_one(&e, &h, "other", &out), -EADDRNOTAVAIL); /* it is closing still */
	let_settle(&h);
	ck_assert_int_eq(add_one(&e, &h, "other", &out), 0);
	hub_close(&h);
}
END_TEST

START_TEST(a_dry_run_says_what_a_sync_does_and_changes_nothing)
{
	CLEANUP(sync_result_clear) struct sync_result said = { 0 }, done = { 0 };
	struct err e;
	struct hub h;

	hub_open(&h);
	must_add_two(&h);
	service_list_clear(&h.kernel.services);
	ck_assert_int_eq(gateway_sync(&e, h.g, true, &said), 4);
	ck_assert_uint_eq(h.kernel.services.n, 0);
	ck_assert_int_eq(gateway_sync(&e, h.g, false, &done), 4);
	for (size_t i = 0; i < 4; i++) {
		char a[CHANGE_STRLEN], b[CHANGE_STRLEN];

		ck_assert_str_eq(change_format(&said.changes.items[i], a),
				 change_format(&done.changes.items[i], b));
	}
	check_published(&h);
	hub_close(&h);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, an_add_that_the_kernel_refuses_leaves_nothing_behind);
	tcase_add_test(tc, an_add_that_hears_no_answer_is_healed_by_its_repetition);
	tcase_add_test(tc, an_add_repeated_changes_nothing_and_heals_what_is_missing);
	tcase_add_test(tc, a_foreign_service_is_neither_taken_over_nor_touched);
	tcase_add_test(tc, an_add_soon_after_a_removal_opens_the_same_route_with_its_account);
	tcase_add_test(tc, a_reading_asks_by_name_for_what_a_dump_left_out);
	tcase_add_test(tc, a_released_port_is_kept_for_the_container_that_had_it);
	tcase_add_test(tc, without_quarantine_a_released_port_is_free_at_once);
	tcase_add_test(tc, a_dry_run_says_what_a_sync_does_and_changes_nothing);
}

int main(void)
{
	return unit_main("gateway", add_tests);
}
