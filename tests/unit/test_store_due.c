/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which closing routes, and which draining real servers, are due; and the ports that a VIP has given away. */
#include "state.h"

#define BOOT "0f0e7f3e-6d8f-4d5e-9f1c-00000000000"

static const struct boottime instant = { .boot_id = BOOT "1", .ms = 5000 };

/* The container ports of what was found, "3 1 2", which also says in what order. */
static void expect_ports(const struct route_list *list, const char *ports)
{
	char found[256] = "";

	for (size_t i = 0; i < list->n; i++) {
		size_t len = strlen(found);

		snprintf(found + len, sizeof(found) - len, "%s%u", i ? " " : "", (unsigned)list->items[i].cport);
		ck_assert_uint_eq(list->items[i].n_servers, 2);
	}
	ck_assert_str_eq(found, ports);
}

static struct route due_route(uint16_t cport)
{
	struct route r = given_route("a", cport, VIP);

	r.public.port = cport;
	given_server(&r, "10.0.0.2:80", 1);
	given_server(&r, "10.0.0.3:80", 1);
	return r;
}

static void expect_settled(struct store *s, size_t limit, const char *ports)
{
	CLEANUP(route_list_clear) struct route_list list = { 0 };
	struct err e;

	ck_assert_msg(store_settled_routes(&e, s, &instant, limit, &list) == 0, "%s", e.msg);
	expect_ports(&list, ports);
}

START_TEST(settled_are_those_that_closed_long_enough_ago_or_in_another_boot_or_never)
{
	static const struct {
		enum route_state state;
		const char *boot;
		int64_t ms;
	} cases[] = {
		/* 1 */ { ROUTE_CLOSING, BOOT "1", 5001 }, /* not yet */
		/* 2 */ { ROUTE_CLOSING, BOOT "1", 5000 },
		/* 3 */ { ROUTE_CLOSING, BOOT "1", BOOTTIME_NEVER },
		/* 4 */ { ROUTE_CLOSING, BOOT "1", 0 },
		/* 5 */ { ROUTE_CLOSING, BOOT "2", 5001 },
		/* 6 */ { ROUTE_CLOSING, BOOT "0", 999999 },
		/* 7 */ { ROUTE_OPEN, BOOT "1", 0 }, /* not closing */
		/* 8 */ { ROUTE_OPEN, BOOT "2", 0 },
		/* 9 */ { ROUTE_CLOSING, BOOT "1", BOOTTIME_NEVER - 1 }, /* not yet */
		/* 10 */ { ROUTE_CLOSING, BOOT "1", 4999 },
	};
	CLEANUP(store_closep) struct store *s = NULL;
	struct state state;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(route_clear) struct route r = due_route((uint16_t)(i + 1));

		r.state = cases[i].state;
		strcpy(r.closing.boot_id, cases[i].boot);
		r.closing.ms = cases[i].ms;
		state_add(s, &r);
	}
	expect_settled(s, 0, "6 5 4 10 2 3");
	expect_settled(s, 100, "6 5 4 10 2 3");
	expect_settled(s, SIZE_MAX, "6 5 4 10 2 3");
	expect_settled(s, 5, "6 5 4 10 2");
	expect_settled(s, 3, "6 5 4");
	expect_settled(s, 1, "6");
}
END_TEST

static void expect_draining(struct store *s, bool due_only, size_t limit, const char *ports)
{
	CLEANUP(route_list_clear) struct route_list list = { 0 };
	struct err e;

	ck_assert_msg(store_draining_routes(&e, s, &instant, due_only, limit, &list) == 0, "%s", e.msg);
	expect_ports(&list, ports);
}

START_TEST(draining_are_open_routes_and_due_those_whose_time_is_over)
{
	static const struct boottime late = { BOOT "1", 5000 }, soon = { BOOT "1", 5001 }, before = { BOOT "0", 9999 },
				     after = { BOOT "2", 9999 }, never = { BOOT "1", BOOTTIME_NEVER }, no = { "", 0 };
	const struct {
		enum route_state state;
		struct boottime drain[2];
	} cases[] = {
		/* 1 */ { ROUTE_OPEN, { no, no } },
		/* 2 */ { ROUTE_OPEN, { no, late } },
		/* 3 */ { ROUTE_OPEN, { soon, no } },
		/* 4 */ { ROUTE_CLOSING, { late, late } },
		/* 5 */ { ROUTE_OPEN, { late, late } }, /* comes once, with both */
		/* 6 */ { ROUTE_OPEN, { never, no } },
		/* 7 */ { ROUTE_OPEN, { before, late } },
		/* 8 */ { ROUTE_OPEN, { soon, after } },
		/* 9 */ { ROUTE_CLOSING, { before, after } },
		/* 10 */ { ROUTE_OPEN, { soon, late } },
	};
	CLEANUP(store_closep) struct store *s = NULL;
	struct state state;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(route_clear) struct route r = due_route((uint16_t)(i + 1));

		r.state = cases[i].state;
		for (size_t k = 0; k < 2; k++)
			r.servers[k].drain = cases[i].drain[k];
		state_add(s, &r);
	}
	expect_draining(s, true, 0, "2 5 7 8 10");
	expect_draining(s, true, 5, "2 5 7 8 10");
	expect_draining(s, true, 2, "7 8"); /* what is of other boots first */
	expect_draining(s, false, 0, "2 3 5 6 7 8 10");
	expect_draining(s, false, 7, "2 3 5 6 7 8 10");
	expect_draining(s, false, 1, "7");
}
END_TEST

START_TEST(what_is_due_is_found_alone_and_behind_what_is_not_due_yet)
{
	static const struct {
		struct boottime since;
		bool settled, drained;
	} cases[] = {
		{ { BOOT "1", 0 }, true, true },
		{ { BOOT "1", 5000 }, true, true },
		{ { BOOT "1", 5001 }, false, false },
		{ { BOOT "1", BOOTTIME_NEVER - 1 }, false, false },
		{ { BOOT "1", BOOTTIME_NEVER }, true, false }, /* closing since never, draining without an end */
		{ { BOOT "0", 9999 }, true, true },
		{ { BOOT "2", 9999 }, true, true },
	};

	for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
		CLEANUP(store_closep) struct store *s = NULL;
		CLEANUP(route_clear) struct route closing = due_route(1), draining = due_route(2), not_yet = due_route(3);
		struct state state;

		given_state(&state);
		s = state_open(&state, STORE_WRITE);
		closing.state = ROUTE_CLOSING;
		closing.closing = draining.servers[1].drain = cases[i / 2].since;
		state_add(s, &closing);
		state_add(s, &draining);
		not_yet.servers[0].drain = not_yet.closing = (struct boottime){ BOOT "1", 6000 };
		if (i % 2) {
			state_add(s, &not_yet);
			not_yet.public.port = 4;
			not_yet.state = ROUTE_CLOSING;
			state_add(s, &not_yet);
		}
		expect_settled(s, 10, cases[i / 2].settled ? "1" : "");
		expect_draining(s, true, 10, cases[i / 2].drained ? "2" : "");
		expect_draining(s, false, 10, i % 2 ? "2 3" : "2");
	}
}
END_TEST

START_TEST(a_route_whose_servers_fill_the_limit_counts_once)
{
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(route_list_clear) struct route_list list = { 0 };
	CLEANUP(route_clear) struct route many = given_route("a", 1, "198.51.100.1:1");
	CLEANUP(route_clear) struct route other = given_route("a", 2, "198.51.100.1:2");
	struct state state;
	struct err e;

	given_state(&state);
	for (int i = 0; i < REAL_SERVERS_MAX; i++) {
		char real[32];

		snprintf(real, sizeof(real), "10.0.0.2:%d", i + 1);
		given_server(&many, real, 1);
		many.servers[i].drain = (struct boottime){ BOOT "1", i };
	}
	given_server(&other, "10.0.0.2:80", 1);
	other.servers[0].drain = (struct boottime){ BOOT "1", 4000 };
	s = state_open(&state, STORE_WRITE);
	state_add(s, &many);
	state_add(s, &other);
	ck_assert_int_eq(store_draining_routes(&e, s, &instant, true, 2, &list), 0);
	ck_assert_uint_eq(list.n, 2);
	ck_assert_uint_eq(list.items[0].n_servers, REAL_SERVERS_MAX);
	ck_assert_uint_eq(list.items[1].n_servers, 1);
}
END_TEST

START_TEST(a_server_that_drains_no_more_is_not_found)
{
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(route_clear) struct route r = due_route(1);
	struct state state;
	struct err e;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	r.servers[0].drain = (struct boottime){ BOOT "1", 1 };
	r.id = state_add(s, &r);
	expect_draining(s, true, 0, "1");
	r.servers[0].drain = (struct boottime){ 0 };
	ck_assert_int_eq(store_set_route(&e, s, &r), 0);
	expect_draining(s, true, 0, "");
	expect_draining(s, false, 0, "");
}
END_TEST

/* What may be due: nothing can be without it. */
START_TEST(knows_whether_anything_closes_or_drains)
{
	static const struct {
		enum route_state state;
		const char *closing_boot, *drain_boot;
		bool expected;
	} cases[] = {
		{ ROUTE_OPEN, "", "", false },
		{ ROUTE_OPEN, "", BOOT "1", true },
		{ ROUTE_CLOSING, BOOT "1", "", true },
		{ ROUTE_CLOSING, "", "", true },
		{ ROUTE_OPEN, "", "-", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(store_closep) struct store *s = NULL;
		CLEANUP(route_clear) struct route r = due_route(1);
		bool found = !cases[i].expected;
		struct state state;
		struct err e;

		given_state(&state);
		s = state_open(&state, STORE_WRITE);
		r.state = cases[i].state;
		strcpy(r.closing.boot_id, cases[i].closing_boot);
		strcpy(r.servers[1].drain.boot_id, cases[i].drain_boot);
		state_add(s, &r);
		ck_assert_msg(store_has_leaving(&e, s, &found) == 0, "%s", e.msg);
		ck_assert_msg(found == cases[i].expected, "case %zu", i);
	}
}
END_TEST

START_TEST(counts_the_ports_that_a_vip_has_given_away)
{
	static const struct {
		const char *vip;
		uint16_t first, last;
		uint64_t n;
	} cases[] = {
		{ "198.51.100.1", 1, 65535, 5 }, { "198.51.100.1", 100, 102, 4 }, { "198.51.100.1", 100, 100, 2 },
		{ "198.51.100.1", 101, 101, 1 }, { "198.51.100.1", 103, 199, 0 }, { "198.51.100.2", 1, 65535, 1 },
		{ "2001:db8::1", 100, 100, 1 },	 { "2001:db8::2", 100, 100, 0 },  { "203.0.113.7", 1, 65535, 0 },
	};
	static const struct {
		const char *public;
		uint8_t protocol;
		enum route_kind kind;
		enum route_state state;
	} routes[] = {
		{ "198.51.100.1:100", IPPROTO_TCP, ROUTE_GATEWAY, ROUTE_OPEN },
		{ "198.51.100.1:100", IPPROTO_UDP, ROUTE_GATEWAY, ROUTE_CLOSING },
		{ "198.51.100.1:101", IPPROTO_SCTP, ROUTE_GATEWAY, ROUTE_OPEN },
		{ "198.51.100.1:102", IPPROTO_TCP, ROUTE_GATEWAY, ROUTE_OPEN },
		{ "198.51.100.1:200", IPPROTO_TCP, ROUTE_GATEWAY, ROUTE_OPEN },
		{ "198.51.100.2:100", IPPROTO_TCP, ROUTE_GATEWAY, ROUTE_OPEN },
		{ "[2001:db8::1]:100", IPPROTO_TCP, ROUTE_GATEWAY, ROUTE_OPEN },
		{ "203.0.113.7:100", IPPROTO_TCP, ROUTE_DIRECT, ROUTE_OPEN },
	};
	CLEANUP(store_closep) struct store *s = NULL;
	struct state state;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		struct route r = given_route("a", (uint16_t)(i + 1), routes[i].public);

		r.protocol = routes[i].protocol;
		r.kind = routes[i].kind;
		r.state = routes[i].state;
		state_add(s, &r);
	}
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct addr vip = given_addr(cases[i].vip);
		uint64_t n = 77;
		struct err e;

		ck_assert_int_eq(store_count_ports(&e, s, &vip, cases[i].first, cases[i].last, &n), 0);
		ck_assert_msg(n == cases[i].n, "case %zu: %d", i, (int)n);
	}
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 30);
	tcase_add_unchecked_fixture(tc, state_make_root, state_remove_root);
	tcase_add_test(tc, settled_are_those_that_closed_long_enough_ago_or_in_another_boot_or_never);
	tcase_add_test(tc, draining_are_open_routes_and_due_those_whose_time_is_over);
	tcase_add_test(tc, what_is_due_is_found_alone_and_behind_what_is_not_due_yet);
	tcase_add_test(tc, a_route_whose_servers_fill_the_limit_counts_once);
	tcase_add_test(tc, a_server_that_drains_no_more_is_not_found);
	tcase_add_test(tc, knows_whether_anything_closes_or_drains);
	tcase_add_test(tc, counts_the_ports_that_a_vip_has_given_away);
}

int main(void)
{
	return unit_main("store_due", add);
}
