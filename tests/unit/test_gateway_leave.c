/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Real servers that leave, refused by the kernel at every request in turn and
 * killed between any two steps: whoever comes next ends it, nothing stays held
 * back, and no byte is lost.
 */
#include "leaving.h"

#include "store_sql.h"

START_TEST(who_comes_next_does_not_wait_for_the_end_of_a_hold_but_ends_it)
{
	struct err e;
	struct hub h;

	hub_open(&h);
	given_port(&h, "web", IPPROTO_TCP, ONE, TWO);
	must_drain(&h, ONE, 60);
	ck_assert_int_eq(come_next(&e, &h), 0);
	ck_assert_ptr_null(in_kernel(&h, ONE));
	check_servers(&h, ONE "* " TWO); /* remembers the hold */
	ck_assert(is_held(&h));
	be_killed(&h);
	gateway_pause(gateway_hold_ms());
	ck_assert_int_eq(come_next(&e, &h), 0);
	check_servers(&h, TWO);
	check_settled(&h);
	hub_close(&h);
}
END_TEST

START_TEST(who_finishes_everything_waits_for_the_end_of_a_hold)
{
	struct err e;
	struct hub h;

	hub_open(&h);
	given_port(&h, "web", IPPROTO_TCP, ONE, TWO);
	must_drain(&h, ONE, 60);
	ck_assert_int_eq(finish(&e, &h), 0);
	check_servers(&h, TWO);
	check_settled(&h);
	hub_close(&h);
}
END_TEST

START_TEST(a_real_server_that_others_use_is_not_held)
{
	struct err e;
	struct hub h;

	hub_open(&h);
	given_port(&h, "web", IPPROTO_TCP, ONE, TWO);
	given_port(&h, "xeb", IPPROTO_TCP, ONE, NULL);
	must_drain(&h, ONE, 60);
	ck_assert_int_eq(come_next(&e, &h), 0);
	ck_assert(!is_held(&h));
	check_servers(&h, TWO);
	ck_assert_uint_eq(count_destinations(&h), 2);
	check_settled(&h);
	hub_close(&h);
}
END_TEST

START_TEST(one_of_two_is_removed_at_once)
{
	uint64_t entries;
	struct err e;
	struct hub h;

	hub_open(&h);
	given_port(&h, "web", IPPROTO_TCP, ONE, TWO);
	connect_clients(&h, ONE, 9);
	transfer(&h, 1000);
	ck_assert_int_eq(remove_server(&e, &h, ONE), 1);
	check_servers(&h, TWO);
	ck_assert_ptr_null(in_kernel(&h, ONE));
	check_settled(&h);
	ck_assert_int_eq(remove_server(&e, &h, TWO), 1);
	ck_assert_uint_eq(count_routes(&h, ROUTE_CLOSING), 1);
	ck_assert_int_eq(remove_server(&e, &h, TWO), 1); /* closing: found */
	let_settle(&h);
	ck_assert_int_eq(finish(&e, &h), 0);
	ck_assert_uint_eq(ledger_bytes(&h, &entries), 1000);
	hub_close(&h);
}
END_TEST

START_TEST(a_real_server_that_the_kernel_lost_is_removed_too)
{
	struct err e;
	struct hub h;

	hub_open(&h);
	given_port(&h, "web", IPPROTO_TCP, ONE, TWO);
	h.kernel.services.items[0].destinations[0] = h.kernel.services.items[0].destinations[1];
	h.kernel.services.items[0].n_destinations = 1;
	ck_assert_int_eq(remove_server(&e, &h, ONE), 1);
	check_servers(&h, TWO);
	check_settled(&h);
	hub_close(&h);
}
END_TEST

START_TEST(an_unknown_real_server_is_not_removed)
{
	struct err e;
	struct hub h;

	hub_open(&h);
	ck_assert_int_eq(remove_server(&e, &h, ONE), -ESRCH);
	given_port(&h, "web", IPPROTO_TCP, ONE, NULL);
	ck_assert_int_eq(remove_server(&e, &h, TWO), -ESRCH);
	ck_assert_str_eq(e.msg, "port 80/tcp of container web has no real server " TWO "; see 'sonm-vs -L web'");
	hub_close(&h);
}
END_TEST

/* With the last that does not drain, a route does not close: others have connections. */
START_TEST(a_route_whose_others_drain_waits_for_them)
{
	struct err e;
	struct hub h;

	hub_open(&h);
	given_port(&h, "web", IPPROTO_TCP, ONE, TWO);
	connect_clients(&h, ONE, 1);
	must_drain(&h, ONE, 60);
	ck_assert_int_eq(remove_server(&e, &h, TWO), 1);
	check_servers(&h, ONE "*");
	ck_assert_uint_eq(count_routes(&h, ROUTE_OPEN), 1);
	hub_close(&h);
}
END_TEST

typedef int verb_fn(struct err *e, struct hub *h);

static int remove_one(struct err *e, struct hub *h)
{
	return remove_server(e, h, ONE);
}

static int remove_last(struct err *e, struct hub *h)
{
	return remove_server(e, h, TWO);
}

static int let_one_leave(struct err *e, struct hub *h)
{
	let_drain(h, 3600000);
	return finish(e, h);
}

static const struct {
	verb_fn *verb;
	const char *drains; /* before; or NULL */
	const char *servers_before, *servers_after;
	bool is_ours; /* to be put back when it fails; else whoever comes next ends it */
} cases[] = {
	{ remove_one, NULL, ONE " " TWO, TWO, true },
	{ remove_one, ONE, ONE "* " TWO, TWO, true },
	{ let_one_leave, ONE, ONE "* " TWO, TWO, false },
};

/* false: so many requests were not made */
static bool refused_leaving(int i, size_t at, int refuse, int recv_error)
{
	struct err e = { 0 };
	struct hub h;
	bool is_late;
	int ret;

	hub_open(&h);
	given_port(&h, "web", IPPROTO_TCP, ONE, TWO);
	connect_clients(&h, ONE, 1);
	if (cases[i].drains)
		must_drain(&h, cases[i].drains, 3600);
	mend(&h.kernel);
	h.kernel.refuse = refuse;
	h.kernel.refuse_at = at;
	h.kernel.recv_error = recv_error;
	h.kernel.recv_error_at = at - 1;
	ret = cases[i].verb(&e, &h);
	is_late = refuse ? h.kernel.n_requests < at : h.kernel.n_received < at;
	mend(&h.kernel);
	if (ret < 0 && cases[i].is_ours) {
		check_servers(&h, cases[i].servers_before);
		ck_assert_ptr_nonnull(in_kernel(&h, ONE));
		ck_assert(!is_held(&h));
	}
	if (ret < 0) {
		be_killed(&h);
		ck_assert_msg(cases[i].verb(&e, &h) >= 0, "request %zu: %s", at, e.msg);
	}
	ck_assert_int_eq(finish(&e, &h), 0); /* a row may remember a hold that is over */
	check_servers(&h, cases[i].servers_after);
	ck_assert_ptr_null(in_kernel(&h, ONE));
	ck_assert_ptr_nonnull(in_kernel(&h, TWO));
	check_settled(&h);
	hub_close(&h);
	return !is_late;
}

START_TEST(what_the_kernel_refuses_is_as_before_or_ended_by_the_next)
{
	size_t at = 1;

	while (refused_leaving(_i, at, ENOMEM, 0))
		at++;
	ck_assert_uint_gt(at, 3);
}
END_TEST

START_TEST(what_the_kernel_does_not_answer_is_as_before_or_ended_by_the_next)
{
	size_t at = 1;

	while (refused_leaving(_i, at, 0, ENOBUFS))
		at++;
	ck_assert_uint_gt(at, 3);
}
END_TEST

START_TEST(the_last_that_the_kernel_does_not_let_go_stays)
{
	for (size_t at = 1; at <= 3; at++) {
		struct err e = { 0 };
		struct hub h;

		hub_open(&h);
		given_port(&h, "web", IPPROTO_TCP, TWO, NULL);
		mend(&h.kernel);
		h.kernel.refuse = ENOMEM;
		h.kernel.refuse_at = at;
		ck_assert_msg(remove_last(&e, &h) == -ENOMEM, "request %zu: %s", at, e.msg);
		mend(&h.kernel);
		check_servers(&h, TWO);
		ck_assert_uint_eq(count_routes(&h, ROUTE_OPEN), 1);
		check_settled(&h);
		hub_close(&h);
	}
}
END_TEST

/* What can be left by one who is killed on the way: marked, held, taken out. */
static void given_killed(struct hub *h, int steps)
{
	const struct route_filter all = { .state = -1 };
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	struct real_server *rs;
	struct err e;

	given_port(h, "web", IPPROTO_TCP, ONE, TWO);
	connect_clients(h, ONE, 1);
	ck_assert_int_eq(store_routes(&e, h->g->store, &all, &routes), 0);
	rs = &routes.items[0].servers[0];
	ck_assert_int_eq(gateway_boottime(&e, h->g, &rs->drain), 0);
	ck_assert_int_eq(gateway_store_each(&e, h->g, &routes, store_set_route), 0);
	if (steps > 0)
		ck_assert_int_eq(gateway_hold_server(&e, h->g, &routes.items[0], &rs->real), 1);
	if (steps > 1) {
		struct service *s = &h->kernel.services.items[0];

		*in_kernel(h, ONE) = s->destinations[--s->n_destinations];
	}
	be_killed(h);
}

START_TEST(whoever_comes_next_ends_what_a_killed_one_began)
{
	struct hub h;

	hub_open(&h);
	given_killed(&h, _i);
	gateway_pause(gateway_hold_ms());
	must_come_next(&h);
	check_servers(&h, TWO);
	ck_assert_ptr_null(in_kernel(&h, ONE));
	check_settled(&h);
	hub_close(&h);
}
END_TEST

/* Is out of the kernel since right now, and looked at before its hold is over; false: this machine was too slow. */
static bool looked_in_time(struct hub *h)
{
	const struct route_filter all = { .state = -1 };
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	struct boottime out, now;
	struct err e;

	ck_assert_int_eq(store_routes(&e, h->g->store, &all, &routes), 0);
	ck_assert_int_eq(gateway_boottime(&e, h->g, &out), 0);
	out.ms += 100; /* until the file is written */
	routes.items[0].servers[0].drain = out;
	ck_assert_int_eq(gateway_store_each(&e, h->g, &routes, store_set_route), 0);
	do
		ck_assert_int_eq(gateway_boottime(&e, h->g, &now), 0);
	while (now.ms < out.ms);
	ck_assert_int_eq(come_next(&e, h), 0);
	ck_assert_int_eq(gateway_boottime(&e, h->g, &now), 0);
	return now.ms - out.ms < gateway_hold_ms();
}

START_TEST(whoever_comes_next_and_finds_its_hold_running_leaves_it)
{
	struct err e;
	struct hub h;
	bool in_time;

	do {
		hub_open(&h);
		given_killed(&h, 2);
		in_time = looked_in_time(&h);
		if (in_time)
			check_servers(&h, ONE "* " TWO);
		ck_assert_int_eq(finish(&e, &h), 0);
		check_servers(&h, TWO);
		check_settled(&h);
		hub_close(&h);
	} while (!in_time);
}
END_TEST

START_TEST(who_was_to_leave_leaves_though_connections_come_meanwhile)
{
	struct err e;
	struct hub h;

	hub_open(&h);
	given_port(&h, "web", IPPROTO_TCP, ONE, TWO);
	must_drain(&h, ONE, 3600);
	mend(&h.kernel);
	h.kernel.refuse = ENOMEM;
	h.kernel.refuse_at = 3; /* after the service and its real servers are shown */
	ck_assert_int_eq(come_next(&e, &h), -ENOMEM);
	ck_assert(!is_held(&h));
	mend(&h.kernel);
	connect_clients(&h, ONE, 1); /* it may have been held back already, and so cut off */
	must_come_next(&h);
	check_servers(&h, TWO);
	hub_close(&h);
}
END_TEST

START_TEST(a_command_looks_after_some_only_and_first_after_those_past_their_deadline)
{
	const struct route_filter all = { .state = -1 };
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	struct boottime now;
	struct err e;
	struct hub h;

	hub_open(&h);
	given_many(&h, GATEWAY_FINISH_SOME + 6);
	ck_assert_int_eq(gateway_boottime(&e, h.g, &now), 0);
	ck_assert_int_eq(store_routes(&e, h.g->store, &all, &routes), 0);
	for (size_t i = 0; i < routes.n; i++) {
		routes.items[i].servers[0].drain = now;
		if (i < GATEWAY_FINISH_SOME)
			routes.items[i].servers[0].drain.ms += 3600000; /* idle, but with time left */
	}
	ck_assert_int_eq(gateway_store_each(&e, h.g, &routes, store_set_route), 0);
	route_list_clear(&routes);
	ck_assert_int_eq(come_next(&e, &h), 0);
	ck_assert_uint_eq(count_routes(&h, ROUTE_CLOSING), GATEWAY_FINISH_SOME);
	ck_assert_int_eq(store_routes(&e, h.g->store, &all, &routes), 0);
	for (size_t i = GATEWAY_FINISH_SOME; i < routes.n; i++)
		ck_assert_int_eq(routes.items[i].state, ROUTE_CLOSING);
	ck_assert_int_eq(come_next(&e, &h), 0);
	ck_assert_uint_eq(count_routes(&h, ROUTE_CLOSING), GATEWAY_FINISH_SOME + 6);
	gateway_end_holds(h.g);
	ck_assert(!is_held(&h));
	hub_close(&h);
}
END_TEST

/* Rows of the state file that were written so far. */
static int64_t count_written(struct hub *h)
{
	return sqlite3_total_changes(h->g->store->db);
}

START_TEST(who_goes_on_draining_is_not_written_again)
{
	const struct route_filter all = { .state = -1 };
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	int64_t before;
	struct err e;
	struct hub h;

	hub_open(&h);
	given_port(&h, "web", IPPROTO_TCP, ONE, TWO);
	connect_clients(&h, ONE, 1);
	given_many(&h, 50);
	ck_assert_int_eq(store_routes(&e, h.g->store, &all, &routes), 0);
	for (size_t i = 0; i < routes.n; i++) {
		struct real_server *rs = &routes.items[i].servers[0];

		ck_assert_int_eq(gateway_boottime(&e, h.g, &rs->drain), 0);
		rs->drain.ms += 3600000;
		hub_service(&h, &routes.items[i])->destinations[0].active = 1;
	}
	ck_assert_int_eq(gateway_store_each(&e, h.g, &routes, store_set_route), 0);
	connect_clients(&h, ONE, 0);
	before = count_written(&h);
	must_come_next(&h);
	ck_assert_ptr_null(in_kernel(&h, ONE));
	/* Marked, taken out, forgotten: each time the route and its real servers, anew. */
	ck_assert_int_le(count_written(&h) - before, 3 * 5);
	hub_close(&h);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, who_comes_next_does_not_wait_for_the_end_of_a_hold_but_ends_it);
	tcase_add_test(tc, who_finishes_everything_waits_for_the_end_of_a_hold);
	tcase_add_test(tc, a_real_server_that_others_use_is_not_held);
	tcase_add_test(tc, one_of_two_is_removed_at_once);
	tcase_add_test(tc, a_real_server_that_the_kernel_lost_is_removed_too);
	tcase_add_test(tc, an_unknown_real_server_is_not_removed);
	tcase_add_test(tc, a_route_whose_others_drain_waits_for_them);
	tcase_add_loop_test(tc, what_the_kernel_refuses_is_as_before_or_ended_by_the_next, 0, ARRAY_LEN(cases));
	tcase_add_loop_test(tc, what_the_kernel_does_not_answer_is_as_before_or_ended_by_the_next, 0,
			    ARRAY_LEN(cases));
	tcase_add_test(tc, the_last_that_the_kernel_does_not_let_go_stays);
	tcase_add_loop_test(tc, whoever_comes_next_ends_what_a_killed_one_began, 0, 3);
	tcase_add_test(tc, whoever_comes_next_and_finds_its_hold_running_leaves_it);
	tcase_add_test(tc, who_was_to_leave_leaves_though_connections_come_meanwhile);
	tcase_add_test(tc, a_command_looks_after_some_only_and_first_after_those_past_their_deadline);
	tcase_add_test(tc, who_goes_on_draining_is_not_written_again);
}

int main(void)
{
	return unit_main("gateway_leave", add_tests);
}
