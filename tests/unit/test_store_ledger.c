/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Closed routes: their account, and who may have their ports. */
#include "state.h"

/* Stores a route and closes it at a time; its id. */
static int64_t closed(struct store *s, const struct route *r, int64_t at)
{
	int64_t id = state_add(s, r);
	struct err e = { 0 };

	ck_assert_msg(store_begin(&e, s) == 0 && store_close_route(&e, s, id, at) == 0 && store_commit(&e, s) == 0,
		      "%s", e.msg);
	return id;
}

START_TEST(closing_moves_a_route_into_the_ledger)
{
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(route_clear) struct route r = given_route("a", 80, "[2001:db8::1]:32768");
	CLEANUP(ledger_list_clear) struct ledger_list ledger = { 0 };
	const struct ledger_entry *entry;
	struct state state;
	int64_t id;
	struct err e;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	given_server(&r, "[fd00::2]:80", 1);
	r.protocol = IPPROTO_UDP;
	r.state = ROUTE_CLOSING;
	r.account = (struct account){ .base = { 1, 2, 3, 4, INT64_MAX - 50 }, .last = { 10, 20, 30, 40, 50 } };
	id = closed(s, &r, 2000);
	ck_assert_uint_eq(state_n_routes(s), 0);
	ck_assert_int_eq(state_sql(&state, "SELECT count(*) FROM real_server"), 0);
	ck_assert_int_eq(store_ledger(&e, s, &(struct ledger_filter){ "a", INT64_MIN, INT64_MAX }, &ledger), 0);
	ck_assert_uint_eq(ledger.n, 1);
	entry = &ledger.items[0];
	ck_assert_int_eq(entry->id, id);
	ck_assert_str_eq(entry->container, "a");
	ck_assert_uint_eq(entry->cport, 80);
	ck_assert_uint_eq(entry->protocol, IPPROTO_UDP);
	ck_assert_int_eq(entry->kind, ROUTE_GATEWAY);
	ck_assert(endpoint_equal(&entry->public, &r.public));
	ck_assert_int_eq(entry->opened_at, 1000);
	ck_assert_int_eq(entry->closed_at, 2000);
	ck_assert(counters_equal(&entry->total, &(struct counters){ 11, 22, 33, 44, INT64_MAX }));
}
END_TEST

START_TEST(lists_the_ledger_oldest_first_by_container)
{
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(ledger_list_clear) struct ledger_list all = { 0 }, of_b = { 0 }, of_nobody = { 0 };
	struct state state;
	struct err e;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	for (uint16_t i = 1; i <= 9; i++) {
		struct route r = given_route(i % 3 ? "a" : "b", i, VIP);

		closed(s, &r, 1000);
	}
	ck_assert_int_eq(store_ledger(&e, s, &LEDGER_ALL, &all), 0);
	ck_assert_uint_eq(all.n, 9);
	for (uint16_t i = 1; i <= 9; i++)
		ck_assert_uint_eq(all.items[i - 1].cport, i);
	ck_assert_int_eq(store_ledger(&e, s, &(struct ledger_filter){ "b", INT64_MIN, INT64_MAX }, &of_b), 0);
	ck_assert_uint_eq(of_b.n, 3);
	for (size_t i = 0; i < 3; i++)
		ck_assert_uint_eq(of_b.items[i].cport, 3 * (i + 1));
	ck_assert_int_eq(store_ledger(&e, s, &(struct ledger_filter){ "c", INT64_MIN, INT64_MAX }, &of_nobody), 0);
	ck_assert_uint_eq(of_nobody.n, 0);
}
END_TEST

START_TEST(sums_the_ledger)
{
	CLEANUP(store_closep) struct store *s = NULL;
	struct route a = given_route("a", 80, VIP), b = given_route("b", 80, VIP);
	struct counters sum = { 9, 9, 9, 9, 9 };
	struct state state;
	uint64_t n = 77;
	struct err e;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	ck_assert_int_eq(store_ledger_sum(&e, s, NULL, &sum, &n), 0);
	ck_assert_uint_eq(n, 0);
	ck_assert(counters_equal(&sum, &(struct counters){ 0 }));
	a.account.last = (struct counters){ 1, 2, 3, 4, 5 };
	b.account.base = (struct counters){ 100, 200, 300, 400, INT64_MAX - 10 };
	closed(s, &a, 1000);
	closed(s, &a, 1001);
	closed(s, &b, 1002);
	ck_assert_int_eq(store_ledger_sum(&e, s, "a", &sum, &n), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert(counters_equal(&sum, &(struct counters){ 2, 4, 6, 8, 10 }));
	ck_assert_int_eq(store_ledger_sum(&e, s, NULL, &sum, &n), 0);
	ck_assert_uint_eq(n, 3);
	ck_assert(counters_equal(&sum, &(struct counters){ 102, 204, 306, 408, INT64_MAX }));
}
END_TEST

START_TEST(lists_what_was_closed_in_a_time)
{
	CLEANUP(store_closep) struct store *s = NULL;
	static const struct {
		struct ledger_filter f;
		size_t n;
	} cases[] = {
		{ { NULL, 1000, 1004 }, 4 }, { { NULL, 1001, 1003 }, 2 }, { { NULL, 1003, INT64_MAX }, 1 },
		{ { "a", 1001, 1003 }, 1 },  { { "b", 1000, 1001 }, 0 },  { { NULL, 1002, 1002 }, 0 },
	};
	struct state state;
	struct err e;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	for (uint16_t i = 0; i < 4; i++) {
		struct route r = given_route(i % 2 ? "b" : "a", 80, VIP);

		closed(s, &r, 1000 + i);
	}
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(ledger_list_clear) struct ledger_list found = { 0 };

		ck_assert_int_eq(store_ledger(&e, s, &cases[i].f, &found), 0);
		ck_assert_msg(found.n == cases[i].n, "case %zu: %zu", i, found.n);
	}
}
END_TEST

START_TEST(sums_the_ledger_by_container)
{
	static const struct {
		const char *name;
		int found;
		uint64_t inbytes, entries;
	} cases[] = { { "A", 0, 0, 0 }, { "a", 1, 6, 2 }, { "aa", 0, 0, 0 }, { "c", 1, 9, 3 }, { "c", 1, 9, 3 }, { "d", 0, 0, 0 } };
	CLEANUP(store_closep) struct store *s = NULL;
	struct closed_walk *w;
	struct state state;
	struct err e;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	for (uint16_t i = 1; i <= 5; i++) {
		struct route r = given_route(i % 2 ? "c" : "a", 80, VIP), other = given_route("b", 80, VIP);

		r.account.last.inbytes = i;
		closed(s, &r, 1000);
		closed(s, &other, 1000);
	}
	for (int twice = 0; twice < 2; twice++) {
		ck_assert_int_eq(store_walk_closed(&e, s, &w), 0);
		for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
			struct counters sum = { 0 };
			uint64_t entries = 0;

			ck_assert_int_eq(closed_walk_find(&e, w, cases[i].name, &sum, &entries), cases[i].found);
			ck_assert_uint_eq(sum.inbytes, cases[i].inbytes);
			ck_assert_uint_eq(entries, cases[i].entries);
		}
		closed_walk_free(w);
	}
	closed_walk_free(NULL);
}
END_TEST

START_TEST(walks_through_an_empty_ledger)
{
	CLEANUP(store_closep) struct store *s = NULL;
	struct closed_walk *w;
	struct counters sum;
	uint64_t entries;
	struct state state;
	struct err e;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	ck_assert_int_eq(store_walk_closed(&e, s, &w), 0);
	ck_assert_int_eq(closed_walk_find(&e, w, "a", &sum, &entries), 0);
	ck_assert_int_eq(closed_walk_find(&e, w, "b", &sum, &entries), 0);
	closed_walk_free(w);
}
END_TEST

START_TEST(prunes_what_was_closed_before_and_keeps_its_history)
{
	CLEANUP(store_closep) struct store *s = NULL;
	struct uncertain u = { .route = 1, .container = "a", .cport = 80, .protocol = IPPROTO_TCP, .since = 1,
			       .until = 1001 };
	struct state state;
	uint64_t n = 77;
	struct counters sum;
	struct err e;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	for (uint16_t i = 0; i < 3; i++) {
		struct route r = given_route("a", 80, VIP);

		r.account.last.inbytes = 1;
		closed(s, &r, 1000 + i);
		ck_assert_int_eq(store_add_uncertain(&e, s, &u), 0);
		u.until++;
	}
	ck_assert_int_eq(store_prune(&e, s, 1000, &n), 0);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(store_prune(&e, s, 1002, &n), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(store_ledger_sum(&e, s, NULL, &sum, &n), 0);
	ck_assert_uint_eq(sum.inbytes, 1);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(state_sql(&state, "SELECT count(*) FROM uncertain"), 3);
	ck_assert_int_eq(state_sql(&state, "SELECT sum(inbytes) FROM traffic"), 3);
}
END_TEST

START_TEST(a_sum_beyond_the_files_range_is_an_error)
{
	CLEANUP(store_closep) struct store *s = NULL;
	struct route a = given_route("a", 80, VIP);
	struct counters sum = { .conns = 77 };
	struct state state;
	uint64_t n = 77;
	struct err e = { 0 };

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	a.account.last.outbytes = INT64_MAX;
	store_set_time(s, 1000);
	closed(s, &a, 1000);
	a.account.last.outbytes = 1;
	store_set_time(s, 2000); /* one minute cannot hold both */
	closed(s, &a, 1001);
	ck_assert_int_eq(store_ledger_sum(&e, s, NULL, &sum, &n), -EOVERFLOW);
	ck_assert_int_eq(e.code, EOVERFLOW);
	ck_assert_uint_eq(sum.conns, 77);
	ck_assert_uint_eq(n, 77);
}
END_TEST

START_TEST(a_port_belongs_to_its_route_open_or_closing)
{
	static const struct {
		enum route_kind kind;
		enum route_state state;
		const char *vip;
		uint8_t protocol;
		enum store_port port;
	} cases[] = {
		{ ROUTE_GATEWAY, ROUTE_OPEN, VIP, IPPROTO_TCP, STORE_PORT_ROUTED },
		{ ROUTE_GATEWAY, ROUTE_CLOSING, VIP, IPPROTO_TCP, STORE_PORT_ROUTED },
		{ ROUTE_GATEWAY, ROUTE_OPEN, VIP, IPPROTO_UDP, STORE_PORT_FREE },
		{ ROUTE_GATEWAY, ROUTE_OPEN, "198.51.100.1:32769", IPPROTO_TCP, STORE_PORT_FREE },
		{ ROUTE_GATEWAY, ROUTE_OPEN, "198.51.100.2:32768", IPPROTO_TCP, STORE_PORT_FREE },
		{ ROUTE_GATEWAY, ROUTE_OPEN, "[2001:db8::1]:32768", IPPROTO_TCP, STORE_PORT_FREE },
		{ ROUTE_DIRECT, ROUTE_OPEN, VIP, IPPROTO_TCP, STORE_PORT_FREE },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(store_closep) struct store *s = NULL;
		struct service_key key = given_key(IPPROTO_TCP, VIP);
		struct route r = given_route("a", 80, cases[i].vip);
		char holder[CONTAINER_MAX + 1] = "nobody";
		struct state state;
		enum store_port port;
		struct err e;

		given_state(&state);
		s = state_open(&state, STORE_WRITE);
		r.kind = cases[i].kind;
		r.state = cases[i].state;
		r.protocol = cases[i].protocol;
		state_add(s, &r);
		/* Even for the container itself: a route that is there is not asked for again. */
		ck_assert_int_eq(store_port(&e, s, &key, i % 2 ? "a" : "b", 0, 5000, &port, holder), 0);
		ck_assert_msg(port == cases[i].port, "case %zu: %d", i, (int)port);
		ck_assert_str_eq(holder, port == STORE_PORT_ROUTED ? "a" : "nobody");
		ck_assert_int_eq(store_port(&e, s, &key, "b", 0, 5000, &port, NULL), 0);
		ck_assert_int_eq(port, cases[i].port);
	}
}
END_TEST

/* A quarantine of 300 seconds, at `now`, after a route was closed at 10000. */
static const struct {
	int64_t now;
	bool kept;
} quarantine[] = {
	{ 10000, true }, { 10001, true }, { 10299, true }, { 10300, false }, { 10301, false },
	{ 9999, false }, /* the clock was set back: no port is kept for longer than the quarantine */
	{ 0, false },
};

START_TEST(a_port_is_kept_from_others_during_its_quarantine)
{
	CLEANUP(store_closep) struct store *s = NULL;
	struct service_key key = given_key(IPPROTO_TCP, VIP);
	struct route r = given_route("a", 80, VIP);
	struct state state;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	closed(s, &r, 10000);
	for (size_t i = 0; i < ARRAY_LEN(quarantine); i++) {
		int64_t now = quarantine[i].now;
		char holder[CONTAINER_MAX + 1] = "nobody";
		enum store_port port = STORE_PORT_ROUTED;
		struct err e;

		ck_assert_int_eq(store_port(&e, s, &key, "b", now - 300, now, &port, holder), 0);
		ck_assert_msg(port == (quarantine[i].kept ? STORE_PORT_QUARANTINED : STORE_PORT_FREE),
			      "at %d: %d", (int)now, (int)port);
		ck_assert_str_eq(holder, quarantine[i].kept ? "a" : "nobody");
		ck_assert_int_eq(store_port(&e, s, &key, "a", now - 300, now, &port, NULL), 0);
		ck_assert_int_eq(port, STORE_PORT_FREE);
	}
}
END_TEST

START_TEST(a_container_may_have_its_former_port_during_the_quarantine)
{
	CLEANUP(store_closep) struct store *s = NULL;
	struct route r = given_route("a", 80, VIP);
	struct addr vip = given_addr("198.51.100.1");
	struct state state;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	closed(s, &r, 10000);
	for (size_t i = 0; i < ARRAY_LEN(quarantine); i++) {
		int64_t now = quarantine[i].now;
		uint16_t port = 77;
		struct err e;
		int ret = store_former_port(&e, s, "a", 80, IPPROTO_TCP, &vip, now - 300, now, &port);

		ck_assert_msg(ret == quarantine[i].kept, "at %d: %d", (int)now, ret);
		ck_assert_uint_eq(port, ret ? 32768 : 77);
	}
}
END_TEST

START_TEST(a_former_port_is_of_the_same_name_protocol_and_address)
{
	static const struct {
		const char *container;
		uint16_t cport;
		uint8_t protocol;
		const char *vip;
		int ret;
	} cases[] = {
		{ "a", 80, IPPROTO_TCP, "198.51.100.1", 1 },
		{ "b", 80, IPPROTO_TCP, "198.51.100.1", 0 },
		{ "a", 81, IPPROTO_TCP, "198.51.100.1", 0 },
		{ "a", 80, IPPROTO_UDP, "198.51.100.1", 0 },
		{ "a", 80, IPPROTO_TCP, "198.51.100.2", 0 },
		{ "a", 80, IPPROTO_TCP, "2001:db8::1", 0 },
		{ "d", 80, IPPROTO_TCP, "198.51.100.1", 0 }, /* a direct route had no port of ours */
	};
	CLEANUP(store_closep) struct store *s = NULL;
	struct route r = given_route("a", 80, VIP), direct = given_route("d", 80, VIP);
	struct state state;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	closed(s, &r, 10000);
	direct.kind = ROUTE_DIRECT;
	closed(s, &direct, 10000);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct addr vip = given_addr(cases[i].vip);
		uint16_t port = 77;
		struct err e;

		ck_assert_msg(store_former_port(&e, s, cases[i].container, cases[i].cport, cases[i].protocol, &vip,
						9900, 10200, &port) == cases[i].ret,
			      "case %zu", i);
		ck_assert_uint_eq(port, cases[i].ret ? 32768 : 77);
	}
}
END_TEST

START_TEST(the_last_former_port_counts)
{
	CLEANUP(store_closep) struct store *s = NULL;
	struct addr vip = given_addr("198.51.100.1");
	static const struct {
		uint16_t port;
		int64_t closed_at;
	} lives[] = { { 1, 10000 }, { 2, 10050 }, { 3, 10050 }, { 4, 10020 } };
	struct state state;
	uint16_t port = 0;
	struct err e;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	for (size_t i = 0; i < ARRAY_LEN(lives); i++) {
		struct route r = given_route("a", 80, VIP);

		r.public.port = lives[i].port;
		closed(s, &r, lives[i].closed_at);
	}
	ck_assert_int_eq(store_former_port(&e, s, "a", 80, IPPROTO_TCP, &vip, 9900, 10200, &port), 1);
	ck_assert_uint_eq(port, 3); /* of two in the same second, the one that was made later */
	ck_assert_int_eq(store_former_port(&e, s, "a", 80, IPPROTO_TCP, &vip, 9900, 10049, &port), 1);
	ck_assert_uint_eq(port, 4);
}
END_TEST

START_TEST(a_direct_route_leaves_no_quarantine)
{
	CLEANUP(store_closep) struct store *s = NULL;
	struct service_key key = given_key(IPPROTO_TCP, VIP);
	struct route r = given_route("a", 80, VIP);
	enum store_port port = STORE_PORT_ROUTED;
	struct state state;
	struct err e;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	r.kind = ROUTE_DIRECT;
	closed(s, &r, 10000);
	ck_assert_int_eq(store_port(&e, s, &key, "b", 9900, 10200, &port, NULL), 0);
	ck_assert_int_eq(port, STORE_PORT_FREE);
}
END_TEST

START_TEST(a_failed_question_leaves_the_answer_alone)
{
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(ledger_list_clear) struct ledger_list ledger = { 0 };
	struct service_key key = given_key(IPPROTO_TCP, VIP);
	struct addr vip = given_addr("198.51.100.1");
	struct route r = given_route("a", 80, VIP);
	enum store_port port = STORE_PORT_ROUTED;
	struct state state;
	uint16_t number = 77;
	struct err e;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	closed(s, &r, 10000);
	closed(s, &r, 10001);
	state_sql(&state, "UPDATE ledger SET outbytes = -1 WHERE id = 2");
	ck_assert_int_eq(store_ledger(&e, s, &LEDGER_ALL, &ledger), -EIO);
	ck_assert_uint_eq(ledger.n, 0);
	state_sql(&state, "ALTER TABLE ledger RENAME TO gone");
	ck_assert_int_lt(store_port(&e, s, &key, "b", 9900, 10200, &port, NULL), 0);
	ck_assert_int_eq(port, STORE_PORT_ROUTED);
	ck_assert_int_lt(store_former_port(&e, s, "a", 80, IPPROTO_TCP, &vip, 9900, 10200, &number), 0);
	ck_assert_uint_eq(number, 77);
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 30);
	tcase_add_unchecked_fixture(tc, state_make_root, state_remove_root);
	tcase_add_test(tc, closing_moves_a_route_into_the_ledger);
	tcase_add_test(tc, lists_the_ledger_oldest_first_by_container);
	tcase_add_test(tc, sums_the_ledger);
	tcase_add_test(tc, lists_what_was_closed_in_a_time);
	tcase_add_test(tc, sums_the_ledger_by_container);
	tcase_add_test(tc, walks_through_an_empty_ledger);
	tcase_add_test(tc, prunes_what_was_closed_before_and_keeps_its_history);
	tcase_add_test(tc, a_sum_beyond_the_files_range_is_an_error);
	tcase_add_test(tc, a_port_belongs_to_its_route_open_or_closing);
	tcase_add_test(tc, a_port_is_kept_from_others_during_its_quarantine);
	tcase_add_test(tc, a_container_may_have_its_former_port_during_the_quarantine);
	tcase_add_test(tc, a_former_port_is_of_the_same_name_protocol_and_address);
	tcase_add_test(tc, the_last_former_port_counts);
	tcase_add_test(tc, a_direct_route_leaves_no_quarantine);
	tcase_add_test(tc, a_failed_question_leaves_the_answer_alone);
}

int main(void)
{
	return unit_main("store_ledger", add);
}
