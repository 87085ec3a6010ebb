/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Closing and counting, with a kernel that refuses every request in turn and
 * removals that died: every byte is in the ledger once.
 */
#include "leaving.h"

START_TEST(a_removal_that_the_kernel_refuses_leaves_the_routes_open)
{
	for (size_t at = 1; at <= 6; at++) {
		struct err e = { 0 };
		struct hub h;

		hub_open(&h);
		must_add_two(&h);
		mend(&h.kernel);
		h.kernel.refuse = ENOMEM;
		h.kernel.refuse_at = at;
		ck_assert_msg(remove_web(&e, &h) == -ENOMEM, "request %zu: %s", at, e.msg);
		mend(&h.kernel);
		check_published(&h);
		hub_close(&h);
	}
}
END_TEST

START_TEST(closing_is_counted_once_whatever_the_kernel_refuses)
{
	for (size_t at = 1; at <= 6; at++) {
		struct err e = { 0 };
		uint64_t entries;
		struct hub h;

		hub_open(&h);
		must_add_two(&h);
		transfer(&h, 1000);
		ck_assert_int_eq(remove_web(&e, &h), 0);
		ck_assert_uint_eq(count_destinations(&h), 0);
		transfer(&h, 234); /* what the estimator had not read yet */
		let_settle(&h);
		mend(&h.kernel);
		h.kernel.refuse = ENOMEM;
		h.kernel.refuse_at = at;
		ck_assert_msg(finish(&e, &h) == -ENOMEM, "request %zu: %s", at, e.msg);
		mend(&h.kernel);
		ck_assert_int_eq(finish(&e, &h), 0);
		ck_assert_uint_eq(ledger_bytes(&h, &entries), 2 * 1234);
		ck_assert_uint_eq(entries, 2);
		ck_assert_uint_eq(count_routes(&h, -1), 0);
		ck_assert_uint_eq(h.kernel.services.n, 0);
		hub_close(&h);
	}
}
END_TEST

START_TEST(a_closing_route_is_not_counted_before_its_time)
{
	struct err e;
	uint64_t entries;
	struct hub h;

	hub_open(&h);
	must_add_two(&h);
	transfer(&h, 1000);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	ck_assert_int_eq(finish(&e, &h), 0);
	ck_assert_uint_eq(ledger_bytes(&h, &entries), 0);
	ck_assert_uint_eq(entries, 0);
	ck_assert_uint_eq(count_routes(&h, ROUTE_CLOSING), 2);
	hub_close(&h);
}
END_TEST

/* As if the removal had died before the kernel's change. */
static void leave_real_servers(struct hub *h)
{
	for (size_t i = 0; i < h->kernel.services.n; i++) {
		struct service *s = &h->kernel.services.items[i];

		ck_assert_int_eq(base_reserve((void **)&s->destinations, 0, sizeof(*s->destinations)), 0);
		s->destinations[s->n_destinations++] =
			(struct destination){ .real = given_endpoint("10.0.0.11:80"),
					      .method = IP_VS_CONN_F_MASQ };
	}
}

START_TEST(a_removal_repeated_removes_what_a_killed_one_left)
{
	struct err e;
	uint64_t entries;
	struct hub h;

	hub_open(&h);
	must_add_two(&h);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	leave_real_servers(&h);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	ck_assert_uint_eq(count_destinations(&h), 0);
	ck_assert_int_eq(finish(&e, &h), 0);
	ledger_bytes(&h, &entries);
	ck_assert_uint_eq(entries, 0);
	hub_close(&h);
}
END_TEST

START_TEST(a_sync_that_removes_what_a_killed_removal_left_makes_the_route_wait_anew)
{
	CLEANUP(sync_result_clear) struct sync_result found = { 0 };
	struct err e;
	uint64_t entries;
	struct hub h;

	hub_open(&h);
	must_add_two(&h);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	leave_real_servers(&h);
	let_time_pass(&h, GATEWAY_SETTLE_MS - 2000);
	ck_assert_int_eq(gateway_sync(&e, h.g, false, &found), 2);
	ck_assert_uint_eq(count_destinations(&h), 0);
	let_time_pass(&h, 2000); /* past the first wait's end */
	ck_assert_int_eq(finish(&e, &h), 0);
	ledger_bytes(&h, &entries);
	ck_assert_uint_eq(entries, 0);
	hub_close(&h);
}
END_TEST

START_TEST(real_servers_that_a_killed_removal_left_are_removed_and_waited_for)
{
	struct err e;
	uint64_t entries;
	struct hub h;

	hub_open(&h);
	must_add_two(&h);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	leave_real_servers(&h);
	let_settle(&h);
	ck_assert_int_eq(finish(&e, &h), 0);
	ck_assert_uint_eq(count_destinations(&h), 0);
	ck_assert_int_eq(finish(&e, &h), 0); /* not yet */
	ck_assert_uint_eq(count_routes(&h, ROUTE_CLOSING), 2);
	transfer(&h, 77);
	let_settle(&h);
	ck_assert_int_eq(finish(&e, &h), 0);
	ck_assert_uint_eq(ledger_bytes(&h, &entries), 2 * 77);
	hub_close(&h);
}
END_TEST

START_TEST(who_stops_again_what_a_killed_removal_left_counts_the_wait_from_when_it_is_stopped)
{
	const struct route_filter all = { .state = -1 };
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	struct boottime stopped = { 0 };
	struct err e;
	struct hub h;

	hub_open(&h);
	must_add_two(&h);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	leave_real_servers(&h);
	let_settle(&h);
	mend(&h.kernel);
	ck_assert_int_eq(finish(&e, &h), 0);
	leave_real_servers(&h);
	let_settle(&h);
	h.kernel.spoil = hub_be_slow;
	h.kernel.spoil_ctx = &stopped;
	h.kernel.spoil_at = h.kernel.n_received - 1; /* as many again, the last one slow */
	h.kernel.n_received = 0;
	ck_assert_int_eq(finish(&e, &h), 0);
	ck_assert_int_gt(stopped.ms, 0);
	ck_assert_int_eq(store_routes(&e, h.g->store, &all, &routes), 0);
	ck_assert_uint_eq(routes.n, 2);
	for (size_t i = 0; i < routes.n; i++)
		ck_assert_int_ge(routes.items[i].closing.ms, stopped.ms);
	hub_close(&h);
}
END_TEST

/* The kernel takes one of its real servers, and refuses the other. */
static void open_again_in_vain(struct hub *h)
{
	struct port_spec ports[] = { { 80, IPPROTO_TCP, given_endpoint(ONE), true },
				     { 80, IPPROTO_TCP, given_endpoint(TWO), true } };
	const struct add_request rq = {
		.container = "web", .ports = ports, .n_ports = 2, .weight = -1, .persistence = -1
	};
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	struct err e;

	mend(&h->kernel);
	h->kernel.refuse = ENOMEM;
	h->kernel.refuse_at = 4; /* the service and its real servers are shown, one is added */
	ck_assert_int_eq(gateway_add(&e, h->g, &rq, &out), -ENOMEM);
	ck_assert_uint_eq(count_routes(h, ROUTE_CLOSING), 1);
	ck_assert_uint_eq(count_destinations(h), 0);
}

START_TEST(a_route_that_could_not_open_again_waits_from_when_it_is_stopped)
{
	struct boottime stopped = { 0 };
	struct err e;
	struct hub h;

	hub_open(&h);
	given_port(&h, "web", IPPROTO_TCP, ONE, TWO);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	open_again_in_vain(&h);
	h.kernel.spoil = hub_be_slow;
	h.kernel.spoil_ctx = &stopped;
	h.kernel.spoil_at = h.kernel.n_received - 1; /* as many again, the last one slow */
	open_again_in_vain(&h);
	ck_assert_int_gt(stopped.ms, 0);
	{
		CLEANUP(route_clear) struct route r = hub_route(&h, "web", 80);

		ck_assert_int_ge(r.closing.ms, stopped.ms);
	}
	hub_close(&h);
}
END_TEST

START_TEST(what_a_killed_removal_left_of_one_route_does_not_delay_the_others)
{
	struct err e;
	uint64_t entries;
	struct hub h;

	hub_open(&h);
	must_add_two(&h);
	transfer(&h, 10);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	leave_real_servers(&h);
	h.kernel.services.items[0].n_destinations = 0;
	let_settle(&h);
	ck_assert_int_eq(finish(&e, &h), 0);
	ck_assert_uint_eq(ledger_bytes(&h, &entries), 10);
	ck_assert_uint_eq(entries, 1);
	ck_assert_uint_eq(count_destinations(&h), 0);
	ck_assert_uint_eq(count_routes(&h, ROUTE_CLOSING), 1);
	hub_close(&h);
}
END_TEST

START_TEST(a_closing_route_of_another_boot_is_closed_without_touching_the_kernel)
{
	const struct route_filter closing = { .state = ROUTE_CLOSING };
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	struct err e;
	uint64_t entries;
	struct hub h;

	hub_open(&h);
	must_add_two(&h);
	transfer(&h, 500);
	ck_assert_int_eq(gateway_checkpoint(&e, h.g), 2);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	ck_assert_int_eq(store_routes(&e, h.g->store, &closing, &routes), 0);
	for (size_t i = 0; i < routes.n; i++) {
		strcpy(routes.items[i].closing.boot_id, "00000000-0000-0000-0000-000000000000");
		ck_assert_int_eq(store_set_route(&e, h.g->store, &routes.items[i]), 0);
	}
	transfer(&h, 999); /* somebody else's service by now */
	ck_assert_int_eq(finish(&e, &h), 0);
	ck_assert_uint_eq(ledger_bytes(&h, &entries), 2 * 500);
	ck_assert_uint_eq(h.kernel.services.n, 2);
	hub_close(&h);
}
END_TEST

START_TEST(a_service_that_the_kernel_lost_begins_a_new_epoch)
{
	CLEANUP(sync_result_clear) struct sync_result found = { 0 };
	CLEANUP(reading_list_clear) struct reading_list readings = { 0 };
	struct err e;
	struct hub h;

	hub_open(&h);
	must_add_two(&h);
	transfer(&h, 100);
	ck_assert_int_eq(gateway_checkpoint(&e, h.g), 2);
	service_list_clear(&h.kernel.services);
	ck_assert_int_eq(gateway_sync(&e, h.g, false, &found), 4);
	transfer(&h, 150); /* more than before: only the sync can have told that it is a new service */
	ck_assert_int_eq(gateway_checkpoint(&e, h.g), 2);
	ck_assert_int_eq(gateway_checkpoint(&e, h.g), 2);
	ck_assert_int_eq(gateway_read(&e, h.g, NULL, &readings), 0);
	for (size_t i = 0; i < 2; i++)
		ck_assert_uint_eq(readings.items[i].total.inbytes, 250);
	hub_close(&h);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, a_removal_that_the_kernel_refuses_leaves_the_routes_open);
	tcase_add_test(tc, closing_is_counted_once_whatever_the_kernel_refuses);
	tcase_add_test(tc, a_closing_route_is_not_counted_before_its_time);
	tcase_add_test(tc, a_removal_repeated_removes_what_a_killed_one_left);
	tcase_add_test(tc, a_sync_that_removes_what_a_killed_removal_left_makes_the_route_wait_anew);
	tcase_add_test(tc, real_servers_that_a_killed_removal_left_are_removed_and_waited_for);
	tcase_add_test(tc, who_stops_again_what_a_killed_removal_left_counts_the_wait_from_when_it_is_stopped);
	tcase_add_test(tc, a_route_that_could_not_open_again_waits_from_when_it_is_stopped);
	tcase_add_test(tc, what_a_killed_removal_left_of_one_route_does_not_delay_the_others);
	tcase_add_test(tc, a_closing_route_of_another_boot_is_closed_without_touching_the_kernel);
	tcase_add_test(tc, a_service_that_the_kernel_lost_begins_a_new_epoch);
}

int main(void)
{
	return unit_main("gateway_close", add_tests);
}
