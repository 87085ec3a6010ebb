/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Draining: who takes no new connections, who leaves and when, and what is refused. */
#include "leaving.h"

START_TEST(what_drains_takes_no_new_connections_and_keeps_those_it_has)
{
	struct hub h;

	hub_open(&h);
	given_port(&h, "web", IPPROTO_TCP, ONE, TWO);
	connect_clients(&h, ONE, 3);
	connect_clients(&h, TWO, 1);
	must_drain(&h, NULL, 60);
	ck_assert_uint_eq(in_kernel(&h, ONE)->weight, 0);
	ck_assert_uint_eq(in_kernel(&h, TWO)->weight, 0);
	check_servers(&h, ONE "* " TWO "*");
	must_come_next(&h);
	check_servers(&h, ONE "* " TWO "*");
	ck_assert_uint_eq(count_destinations(&h), 2);
	check_settled(&h);
	hub_close(&h);
}
END_TEST

START_TEST(a_route_closes_when_its_last_connection_ends)
{
	uint64_t entries;
	struct hub h;

	hub_open(&h);
	given_port(&h, "web", IPPROTO_SCTP, ONE, TWO);
	connect_clients(&h, ONE, 1);
	connect_clients(&h, TWO, 1);
	{
		const struct route_filter f = port_80("web", IPPROTO_SCTP);
		CLEANUP(route_list_clear) struct route_list out = { 0 };
		struct err e;

		ck_assert_int_eq(gateway_drain(&e, h.g, &f, NULL, 60, &out), 0);
		ck_assert_str_eq(route_state_name(&out.items[0]), "draining");
	}
	transfer(&h, 1000);
	connect_clients(&h, ONE, 0);
	must_come_next(&h);
	check_servers(&h, TWO "*");
	ck_assert_ptr_null(in_kernel(&h, ONE));
	transfer(&h, 234);
	connect_clients(&h, TWO, 0);
	must_come_next(&h);
	ck_assert_uint_eq(count_routes(&h, ROUTE_CLOSING), 1);
	ck_assert_uint_eq(count_destinations(&h), 0);
	ck_assert_uint_eq(ledger_bytes(&h, &entries), 0);
	let_settle(&h);
	must_come_next(&h);
	ck_assert_uint_eq(ledger_bytes(&h, &entries), 1234);
	ck_assert_uint_eq(entries, 1);
	check_settled(&h);
	hub_close(&h);
}
END_TEST

START_TEST(a_connection_that_is_closing_gets_a_moment_more)
{
	struct hub h;

	hub_open(&h);
	given_port(&h, "web", IPPROTO_TCP, ONE, TWO);
	connect_clients(&h, ONE, 1);
	must_drain(&h, ONE, 60);
	in_kernel(&h, ONE)->active = 0;
	in_kernel(&h, ONE)->inactive = 1;
	must_come_next(&h);
	check_servers(&h, ONE "* " TWO);
	let_drain(&h, GATEWAY_DRAIN_GRACE_MS / 2);
	must_come_next(&h); /* does not begin anew */
	check_servers(&h, ONE "* " TWO);
	let_drain(&h, GATEWAY_DRAIN_GRACE_MS / 2);
	must_come_next(&h);
	check_servers(&h, TWO);
	check_settled(&h);
	hub_close(&h);
}
END_TEST

START_TEST(who_does_not_end_is_cut_off_at_the_deadline)
{
	struct hub h;

	hub_open(&h);
	given_port(&h, "web", IPPROTO_TCP, ONE, TWO);
	connect_clients(&h, ONE, 1);
	connect_clients(&h, TWO, 1);
	must_drain(&h, ONE, 60);
	ck_assert_uint_eq(in_kernel(&h, TWO)->weight, 7);
	let_drain(&h, 59000);
	must_come_next(&h);
	check_servers(&h, ONE "* " TWO);
	let_drain(&h, 1000);
	must_come_next(&h);
	check_servers(&h, TWO);
	ck_assert_ptr_null(in_kernel(&h, ONE));
	ck_assert_uint_eq(count_routes(&h, ROUTE_OPEN), 1);
	check_settled(&h);
	hub_close(&h);
}
END_TEST

START_TEST(draining_again_sets_a_new_deadline)
{
	struct hub h;

	hub_open(&h);
	given_port(&h, "web", IPPROTO_TCP, ONE, NULL);
	connect_clients(&h, ONE, 1);
	must_drain(&h, NULL, 60);
	must_drain(&h, NULL, 600);
	let_drain(&h, 500000);
	must_come_next(&h);
	check_servers(&h, ONE "*");
	must_drain(&h, NULL, 0);
	must_come_next(&h);
	ck_assert_uint_eq(count_routes(&h, ROUTE_CLOSING), 1);
	hub_close(&h);
}
END_TEST

START_TEST(after_another_boot_nothing_is_waited_for)
{
	const struct route_filter all = { .state = -1 };
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	struct err e;
	struct hub h;

	hub_open(&h);
	given_port(&h, "web", IPPROTO_TCP, ONE, TWO);
	connect_clients(&h, ONE, 1);
	must_drain(&h, ONE, 3600);
	ck_assert_int_eq(store_routes(&e, h.g->store, &all, &routes), 0);
	strcpy(routes.items[0].servers[0].drain.boot_id, "00000000-0000-0000-0000-000000000000");
	ck_assert_int_eq(gateway_store_each(&e, h.g, &routes, store_set_route), 0);
	must_come_next(&h);
	check_servers(&h, TWO);
	ck_assert_ptr_null(in_kernel(&h, ONE));
	check_settled(&h);
	hub_close(&h);
}
END_TEST

START_TEST(who_is_not_in_the_kernel_has_nothing_to_wait_for)
{
	struct err e;
	struct hub h;

	hub_open(&h);
	given_port(&h, "web", IPPROTO_TCP, ONE, TWO);
	connect_clients(&h, ONE, 1);
	must_drain(&h, ONE, 3600);
	service_list_clear(&h.kernel.services);
	ck_assert_int_eq(come_next(&e, &h), 0);
	check_servers(&h, TWO);
	hub_close(&h);
}
END_TEST

/* A sync lets it leave, and does not make it again; so a dry run is not to say that it would. */
START_TEST(a_dry_run_leaves_out_what_drains_and_the_kernel_has_lost)
{
	CLEANUP(sync_result_clear) struct sync_result done = { 0 };
	struct destination *lost;
	struct service *s;
	struct err e;
	struct hub h;

	hub_open(&h);
	given_port(&h, "web", IPPROTO_TCP, ONE, _i == 0 ? TWO : NULL);
	connect_clients(&h, ONE, 1);
	must_drain(&h, ONE, 3600);
	s = &h.kernel.services.items[0];
	lost = in_kernel(&h, ONE);
	*lost = s->destinations[--s->n_destinations];
	if (_i == 2)
		service_list_clear(&h.kernel.services);
	check_in_sync(&h);
	ck_assert_int_eq(gateway_sync(&e, h.g, false, &done), 0);
	check_servers(&h, _i == 0 ? TWO : ONE "*");
	ck_assert_uint_eq(count_routes(&h, ROUTE_OPEN), _i == 0);
	hub_close(&h);
}
END_TEST

START_TEST(udp_and_direct_routes_are_removed_at_once)
{
	const struct route_filter web = { .container = "web", .state = -1 };
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	struct err e = { 0 };
	struct hub h;

	hub_open(&h);
	must_add_two(&h); /* TCP and UDP */
	connect_clients(&h, "10.0.0.11:80", 1);
	connect_clients(&h, "10.0.0.11:53", 1);
	ck_assert_msg(gateway_drain(&e, h.g, &web, NULL, 60, &out) == 0, "%s", e.msg);
	ck_assert_uint_eq(out.n, 2);
	ck_assert_ptr_nonnull(in_kernel(&h, "10.0.0.11:80"));
	ck_assert_ptr_null(in_kernel(&h, "10.0.0.11:53"));
	ck_assert_uint_eq(count_routes(&h, ROUTE_CLOSING), 1);
	ck_assert(!is_held(&h));
	hub_close(&h);

	hub_open(&h);
	h.config.is_gateway = false;
	given_port(&h, "web", IPPROTO_TCP, ONE, NULL);
	must_drain(&h, NULL, 60);
	ck_assert_uint_eq(count_routes(&h, -1), 0);
	hub_close(&h);
}
END_TEST

START_TEST(a_udp_real_server_of_several_is_removed_at_once)
{
	const struct route_filter f = port_80("web", IPPROTO_UDP);
	const struct endpoint one = given_endpoint(ONE);
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	struct err e = { 0 };
	struct hub h;

	hub_open(&h);
	given_port(&h, "web", IPPROTO_UDP, ONE, TWO);
	connect_clients(&h, ONE, 1);
	ck_assert_msg(gateway_drain(&e, h.g, &f, &one, 60, &out) == 0, "%s", e.msg);
	ck_assert_str_eq(route_state_name(&out.items[0]), "open");
	ck_assert_uint_eq(out.items[0].n_servers, 1);
	check_servers(&h, TWO);
	ck_assert_ptr_null(in_kernel(&h, ONE));
	check_settled(&h);
	hub_close(&h);
}
END_TEST

START_TEST(a_closing_route_is_found_and_an_absent_one_is_not)
{
	struct err e;
	struct hub h;

	hub_open(&h);
	ck_assert_int_eq(drain(&e, &h, NULL, 60), -ESRCH);
	given_port(&h, "web", IPPROTO_TCP, ONE, NULL);
	ck_assert_int_eq(drain(&e, &h, TWO, 60), -ESRCH);
	ck_assert_msg(strstr(e.msg, TWO) && strstr(e.msg, "see 'sonm-vs -L web'"), "%s", e.msg);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	ck_assert_int_eq(drain(&e, &h, NULL, 60), 1);
	ck_assert_uint_eq(count_routes(&h, ROUTE_CLOSING), 1);
	hub_close(&h);
}
END_TEST

/* Drains a TCP and a UDP port, refused at this request; false: that many were not made. */
static bool refused_drain(size_t at)
{
	const struct route_filter web = { .container = "web", .state = -1 };
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	struct err e = { 0 };
	struct hub h;
	int ret;

	hub_open(&h);
	must_add_two(&h);
	mend(&h.kernel);
	h.kernel.refuse = ENOMEM;
	h.kernel.refuse_at = at;
	ret = gateway_drain(&e, h.g, &web, NULL, 60, &out);
	ck_assert_msg(ret == (h.kernel.n_requests < at ? 0 : -ENOMEM), "request %zu: %d", at, ret);
	mend(&h.kernel);
	if (ret < 0) {
		ck_assert_uint_eq(out.n, 0);
		check_published(&h);
		check_servers(&h, "10.0.0.11:53");
		ck_assert_uint_eq(in_kernel(&h, "10.0.0.11:80")->weight, h.config.weight);
		check_settled(&h);
	}
	hub_close(&h);
	return ret < 0;
}

START_TEST(a_drain_that_the_kernel_refuses_leaves_everything_as_it_was)
{
	size_t at = 1;

	while (refused_drain(at))
		at++;
	ck_assert_uint_gt(at, 3);
}
END_TEST

START_TEST(a_drain_that_hears_no_answer_is_undone)
{
	struct err e;
	struct hub h;

	hub_open(&h);
	given_port(&h, "web", IPPROTO_TCP, ONE, TWO);
	mend(&h.kernel);
	h.kernel.recv_error = ENOBUFS;
	ck_assert_int_lt(drain(&e, &h, NULL, 60), 0);
	mend(&h.kernel);
	check_servers(&h, ONE " " TWO);
	ck_assert_uint_eq(in_kernel(&h, ONE)->weight, 7);
	check_settled(&h);
	hub_close(&h);
}
END_TEST

START_TEST(waiting_ends_when_no_real_server_of_these_routes_drains)
{
	const int64_t ids[] = { 99, 1 };
	struct err e = { 0 };
	struct hub h;

	hub_open(&h);
	given_port(&h, "web", IPPROTO_TCP, ONE, TWO);
	given_port(&h, "other", IPPROTO_TCP, "10.0.0.13:80", NULL);
	connect_clients(&h, ONE, 1);
	must_drain(&h, ONE, 1);
	{
		const struct route_filter f = port_80("other", IPPROTO_TCP);
		CLEANUP(route_list_clear) struct route_list out = { 0 };

		connect_clients(&h, "10.0.0.13:80", 1);
		ck_assert_int_eq(gateway_drain(&e, h.g, &f, NULL, 3600, &out), 0);
	}
	ck_assert_msg(gateway_wait_drained(&e, h.g, ids, 2) == 0, "%s", e.msg);
	ck_assert_ptr_null(in_kernel(&h, ONE));
	ck_assert_uint_eq(count_destinations(&h), 2);
	check_settled(&h);
	ck_assert_int_eq(gateway_wait_drained(&e, h.g, ids, 2), 0);
	ck_assert_int_eq(gateway_wait_drained(&e, h.g, NULL, 0), 0);
	hub_close(&h);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, what_drains_takes_no_new_connections_and_keeps_those_it_has);
	tcase_add_test(tc, a_route_closes_when_its_last_connection_ends);
	tcase_add_test(tc, a_connection_that_is_closing_gets_a_moment_more);
	tcase_add_test(tc, who_does_not_end_is_cut_off_at_the_deadline);
	tcase_add_test(tc, draining_again_sets_a_new_deadline);
	tcase_add_test(tc, after_another_boot_nothing_is_waited_for);
	tcase_add_test(tc, who_is_not_in_the_kernel_has_nothing_to_wait_for);
	tcase_add_loop_test(tc, a_dry_run_leaves_out_what_drains_and_the_kernel_has_lost, 0, 3);
	tcase_add_test(tc, udp_and_direct_routes_are_removed_at_once);
	tcase_add_test(tc, a_udp_real_server_of_several_is_removed_at_once);
	tcase_add_test(tc, a_closing_route_is_found_and_an_absent_one_is_not);
	tcase_add_test(tc, a_drain_that_the_kernel_refuses_leaves_everything_as_it_was);
	tcase_add_test(tc, a_drain_that_hears_no_answer_is_undone);
	tcase_add_test(tc, waiting_ends_when_no_real_server_of_these_routes_drains);
}

int main(void)
{
	return unit_main("gateway_drain", add_tests);
}
