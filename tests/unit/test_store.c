/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "state.h"

static const struct counters some = { 1, 2, 3, 4, 5 };

/* A route of every kind of field. */
static struct route full_route(const char *container, uint16_t cport, const char *public)
{
	struct route r = given_route(container, cport, public);

	r.protocol = IPPROTO_UDP;
	r.state = ROUTE_CLOSING;
	memset(r.worker, 'w', CONTAINER_MAX);
	strcpy(r.scheduler, "fifteen_letters");
	r.persistence = UINT32_MAX;
	r.opened_at = INT64_C(1) << 40;
	strcpy(r.closing.boot_id, "0f0e7f3e-6d8f-4d5e-9f1c-000000000001");
	r.closing.ms = INT64_C(1) << 41;
	r.account.base = (struct counters){ 1, 2, 3, 4, INT64_MAX - 1000 };
	r.account.last = (struct counters){ 10, 20, 30, 40, 1000 };
	strcpy(r.account.boot, "0f0e7f3e-6d8f-4d5e-9f1c-000000000002");
	return r;
}

static void expect_same(const struct route *a, const struct route *b)
{
	ck_assert_str_eq(a->container, b->container);
	ck_assert_uint_eq(a->cport, b->cport);
	ck_assert_uint_eq(a->protocol, b->protocol);
	ck_assert_int_eq(a->state, b->state);
	ck_assert(endpoint_equal(&a->public, &b->public));
	ck_assert_int_eq(a->opened_at, b->opened_at);
	ck_assert_str_eq(a->closing.boot_id, b->closing.boot_id);
	ck_assert_int_eq(a->closing.ms, b->closing.ms);
	ck_assert(counters_equal(&a->account.base, &b->account.base));
	ck_assert(counters_equal(&a->account.last, &b->account.last));
	ck_assert_str_eq(a->account.boot, b->account.boot);
	ck_assert_str_eq(a->worker, b->worker);
	ck_assert(route_same_target(a, b)); /* kind, scheduler, persistence, real servers */
	for (size_t i = 0; i < a->n_servers; i++) {
		ck_assert_str_eq(a->servers[i].drain.boot_id, b->servers[i].drain.boot_id);
		ck_assert_int_eq(a->servers[i].drain.ms, b->servers[i].drain.ms);
	}
}

START_TEST(keeps_everything_of_a_route)
{
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(route_list_clear) struct route_list list = { 0 };
	CLEANUP(route_clear) struct route a = full_route("c", 65535, "198.51.100.1:1");
	CLEANUP(route_clear) struct route b = full_route("d", 1, "[2001:db8::1]:65535");
	CLEANUP(route_clear) struct route c = given_route("e", 80, "203.0.113.7:80");
	struct state state;

	given_state(&state);
	for (int i = 0; i < REAL_SERVERS_MAX; i++) {
		char real[32];

		snprintf(real, sizeof(real), "10.0.%d.1:%d", 64 - i, 65535 - i);
		given_server(&a, real, (uint32_t)i);
	}
	given_server(&b, "[fd00::2]:80", INT32_MAX);
	given_server(&b, "[fd00::2]:81", 0);
	a.servers[1].drain = (struct boottime){ .boot_id = "b", .ms = 0 };
	a.servers[5].drain = (struct boottime){ .boot_id = "0f0e7f3e-6d8f-4d5e-9f1c-000000000001", .ms = BOOTTIME_NEVER };
	b.servers[0].drain = (struct boottime){ .boot_id = "b", .ms = 1 };
	c.kind = ROUTE_DIRECT;
	s = state_open(&state, STORE_WRITE);
	a.id = state_add(s, &a);
	b.id = state_add(s, &b);
	c.id = state_add(s, &c);
	store_close(s);
	s = state_open(&state, STORE_READ);
	list = state_routes(s);
	ck_assert_uint_eq(list.n, 3);
	expect_same(&list.items[0], &a);
	ck_assert_int_eq(list.items[0].id, a.id);
	expect_same(&list.items[1], &b);
	ck_assert_int_eq(list.items[1].id, b.id);
	expect_same(&list.items[2], &c);
	ck_assert_int_eq(list.items[2].id, c.id);
}
END_TEST

START_TEST(sets_everything_of_a_route_again)
{
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(route_list_clear) struct route_list list = { 0 };
	CLEANUP(route_clear) struct route before = full_route("c", 80, "198.51.100.1:1");
	CLEANUP(route_clear) struct route after = given_route("d", 81, "[2001:db8::1]:2");
	struct state state;
	struct err e;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	given_server(&before, "10.0.0.2:80", 1);
	given_server(&before, "10.0.0.3:80", 1);
	given_server(&after, "[fd00::3]:80", 7);
	before.servers[0].drain = after.servers[0].drain = (struct boottime){ .boot_id = "b", .ms = 5 };
	after.account.base = before.account.base;
	after.account.last = (struct counters){ 11, 20, 31, 40, 1000 };
	after.id = state_add(s, &before);
	ck_assert_int_eq(store_set_route(&e, s, &after), 0);
	list = state_routes(s);
	ck_assert_uint_eq(list.n, 1);
	expect_same(&list.items[0], &after);
	ck_assert_int_eq(state_sql(&state, "SELECT count(*) FROM real_server"), 1);
}
END_TEST

START_TEST(sets_an_account_and_nothing_else)
{
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(route_list_clear) struct route_list list = { 0 };
	CLEANUP(route_clear) struct route r = full_route("c", 80, "198.51.100.1:1");
	struct account a;
	struct state state;
	int64_t other;
	struct err e;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	given_server(&r, "10.0.0.2:80", 1);
	store_set_time(s, 1000);
	r.id = state_add(s, &r);
	r.public.port = 2;
	store_set_time(s, 2000); /* one minute cannot hold both */
	other = state_add(s, &r);
	r.public.port = 1;
	a = r.account;
	account_begin_epoch(&a, "b");
	a.last = (struct counters){ 6, 7, 8, 9, 0 };
	ck_assert_int_eq(store_set_account(&e, s, &r, &a), 0);
	r.account = a;
	list = state_routes(s);
	ck_assert_uint_eq(list.n, 2);
	expect_same(&list.items[0], &r);
	ck_assert_int_eq(list.items[1].id, other);
	ck_assert_uint_eq(list.items[1].account.last.conns, 10);
}
END_TEST

START_TEST(finds_routes_by_every_filter_in_order)
{
	static const struct {
		const char *container;
		uint16_t cport;
		uint8_t protocol;
		int state;
		const char *found;
	} cases[] = {
		{ NULL, 0, 0, -1, "a80t a80u a443t a443T b80t" },
		{ "a", 0, 0, -1, "a80t a80u a443t a443T" },
		{ "b", 0, 0, -1, "b80t" },
		{ "c", 0, 0, -1, "" },
		{ "A", 0, 0, -1, "" },
		{ "a", 80, 0, -1, "a80t a80u" },
		{ "a", 80, IPPROTO_UDP, -1, "a80u" },
		{ NULL, 80, 0, -1, "a80t a80u b80t" },
		{ NULL, 0, IPPROTO_UDP, -1, "a80u" },
		{ NULL, 0, 0, ROUTE_OPEN, "a80t a80u a443T b80t" },
		{ NULL, 0, 0, ROUTE_CLOSING, "a443t" },
		{ "a", 0, 0, ROUTE_CLOSING, "a443t" },
		{ "a", 443, IPPROTO_TCP, ROUTE_OPEN, "a443T" },
		{ "b", 0, 0, ROUTE_CLOSING, "" },
	};
	CLEANUP(store_closep) struct store *s = NULL;
	struct state state;
	/* Not stored in the order in which they are listed; T: of the same name as a closing one. */
	struct route routes[] = { given_route("b", 80, "198.51.100.1:1"), given_route("a", 443, "198.51.100.1:2"),
				  given_route("a", 80, "198.51.100.1:3"), given_route("a", 443, "198.51.100.1:4"),
				  given_route("a", 80, "198.51.100.1:5") };

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	routes[1].state = ROUTE_CLOSING;
	routes[2].protocol = IPPROTO_UDP;
	for (size_t i = 0; i < ARRAY_LEN(routes); i++)
		state_add(s, &routes[i]);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(route_list_clear) struct route_list list = { 0 };
		const struct route_filter f = { cases[i].container, cases[i].cport, cases[i].protocol,
						cases[i].state };
		char found[64] = "";
		struct err e;

		ck_assert_int_eq(store_routes(&e, s, &f, &list), 0);
		for (size_t k = 0; k < list.n; k++) {
			const struct route *r = &list.items[k];
			size_t len = strlen(found);

			snprintf(found + len, sizeof(found) - len, "%s%.1s%u%s", k ? " " : "", r->container, r->cport,
				 r->protocol == IPPROTO_UDP ? "u" : r->public.port == 4 ? "T" : "t");
		}
		ck_assert_msg(strcmp(found, cases[i].found) == 0, "case %zu: '%s'", i, found);
	}
}
END_TEST

START_TEST(appends_to_the_list_that_it_is_given)
{
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(route_list_clear) struct route_list list = { 0 };
	const struct route_filter all = { .state = -1 };
	struct route r = given_route("a", 80, VIP);
	struct state state;
	struct err e;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	state_add(s, &r);
	ck_assert_int_eq(store_routes(&e, s, &all, &list), 0);
	ck_assert_int_eq(store_routes(&e, s, &all, &list), 0);
	ck_assert_uint_eq(list.n, 2);
	ck_assert_int_eq(list.items[0].id, list.items[1].id);
}
END_TEST

START_TEST(refuses_a_taken_endpoint_or_name)
{
	static const struct {
		const char *container;
		uint16_t cport;
		uint8_t protocol;
		enum route_kind kind;
		enum route_state state;
		const char *public;
		bool accepted;
	} cases[] = {
		{ "x", 1, IPPROTO_TCP, ROUTE_GATEWAY, ROUTE_OPEN, VIP, false }, /* the endpoint */
		{ "x", 1, IPPROTO_TCP, ROUTE_GATEWAY, ROUTE_CLOSING, VIP, false },
		{ "x", 1, IPPROTO_TCP, ROUTE_GATEWAY, ROUTE_OPEN, "198.51.100.1:32770", false }, /* of a closing one */
		{ "x", 1, IPPROTO_UDP, ROUTE_GATEWAY, ROUTE_OPEN, VIP, true },
		{ "x", 1, IPPROTO_TCP, ROUTE_GATEWAY, ROUTE_OPEN, "198.51.100.1:2", true },
		{ "x", 1, IPPROTO_TCP, ROUTE_GATEWAY, ROUTE_OPEN, "198.51.100.2:32768", true },
		{ "x", 1, IPPROTO_TCP, ROUTE_DIRECT, ROUTE_OPEN, VIP, true },
		{ "a", 80, IPPROTO_TCP, ROUTE_GATEWAY, ROUTE_OPEN, "198.51.100.1:2", false }, /* the name */
		{ "a", 80, IPPROTO_TCP, ROUTE_DIRECT, ROUTE_OPEN, "203.0.113.7:80", false },
		{ "a", 80, IPPROTO_UDP, ROUTE_GATEWAY, ROUTE_OPEN, "198.51.100.1:2", true },
		{ "a", 81, IPPROTO_TCP, ROUTE_GATEWAY, ROUTE_OPEN, "198.51.100.1:2", true },
		{ "a", 80, IPPROTO_TCP, ROUTE_GATEWAY, ROUTE_CLOSING, "198.51.100.1:2", true },
		{ "b", 80, IPPROTO_TCP, ROUTE_GATEWAY, ROUTE_OPEN, "198.51.100.1:2", true }, /* b is closing */
	};
	struct route taken = given_route("a", 80, VIP), closing = given_route("b", 80, "198.51.100.1:32770");
	CLEANUP(store_closep) struct store *s = NULL;
	struct state state;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	closing.state = ROUTE_CLOSING;
	state_add(s, &taken);
	state_add(s, &closing);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct route r = given_route(cases[i].container, cases[i].cport, cases[i].public);
		struct err e = { 0 };

		r.protocol = cases[i].protocol;
		r.kind = cases[i].kind;
		r.state = cases[i].state;
		ck_assert_int_eq(store_begin(&e, s), 0);
		ck_assert_msg(store_add_route(&e, s, &r) == (cases[i].accepted ? 0 : -EEXIST), "case %zu: %s", i,
			      e.msg);
		ck_assert_int_eq(r.id > 0, cases[i].accepted);
		store_rollback(s);
	}
	ck_assert_uint_eq(state_n_routes(s), 2);
}
END_TEST

START_TEST(direct_routes_may_share_an_endpoint)
{
	struct route a = given_route("a", 80, "203.0.113.7:80"), b = given_route("b", 80, "203.0.113.7:80");
	CLEANUP(store_closep) struct store *s = NULL;
	struct state state;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	a.kind = b.kind = ROUTE_DIRECT;
	state_add(s, &a);
	state_add(s, &b);
	ck_assert_uint_eq(state_n_routes(s), 2);
}
END_TEST

START_TEST(forgets_a_route_without_a_trace)
{
	CLEANUP(route_clear) struct route r = given_route("a", 80, VIP);
	CLEANUP(ledger_list_clear) struct ledger_list ledger = { 0 };
	CLEANUP(store_closep) struct store *s = NULL;
	struct state state;
	int64_t id;
	struct err e;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	given_server(&r, "10.0.0.2:80", 1);
	id = state_add(s, &r);
	ck_assert_int_eq(store_forget_route(&e, s, id), 0);
	ck_assert_uint_eq(state_n_routes(s), 0);
	ck_assert_int_eq(store_ledger(&e, s, &LEDGER_ALL, &ledger), 0);
	ck_assert_uint_eq(ledger.n, 0);
	ck_assert_int_eq(state_sql(&state, "SELECT count(*) FROM real_server"), 0);
	ck_assert_int_gt(state_add(s, &r), id); /* ids are not used again */
}
END_TEST

START_TEST(a_counter_beyond_the_files_range_is_an_error)
{
	static const uint64_t most = INT64_MAX;
	static const struct {
		uint64_t base, last;
		int ret;
	} cases[] = {
		{ INT64_MAX, 0, 0 },
		{ 0, INT64_MAX, 0 },
		{ INT64_MAX - 1, 1, 0 },
		{ (uint64_t)INT64_MAX + 1, 0, -EOVERFLOW },
		{ 0, (uint64_t)INT64_MAX + 1, -EOVERFLOW },
		{ 0, UINT64_MAX, -EOVERFLOW },
		{ INT64_MAX, 1, -EOVERFLOW },
		{ INT64_MAX, INT64_MAX, -EOVERFLOW },
		{ UINT64_MAX, 1, -EOVERFLOW },
	};
	CLEANUP(store_closep) struct store *s = NULL;
	struct route r = given_route("a", 80, VIP);
	struct state state;

	ck_assert_uint_eq(most, UINT64_C(9223372036854775807));
	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	r.id = state_add(s, &r);
	for (size_t i = 0; i < ARRAY_LEN(cases) * 5; i++) {
		struct account a = { 0 };
		uint64_t *base[] = { &a.base.conns, &a.base.inpkts, &a.base.outpkts, &a.base.inbytes, &a.base.outbytes };
		uint64_t *last[] = { &a.last.conns, &a.last.inpkts, &a.last.outpkts, &a.last.inbytes, &a.last.outbytes };
		CLEANUP(route_list_clear) struct route_list list = { 0 };
		struct err e = { 0 };

		*base[i % 5] = cases[i / 5].base;
		*last[i % 5] = cases[i / 5].last;
		ck_assert_int_eq(store_begin(&e, s), 0);
		ck_assert_msg(store_set_account(&e, s, &r, &a) == cases[i / 5].ret, "case %zu", i);
		list = state_routes(s);
		if (cases[i / 5].ret)
			a = r.account; /* as it was */
		ck_assert(counters_equal(&list.items[0].account.base, &a.base));
		ck_assert(counters_equal(&list.items[0].account.last, &a.last));
		store_rollback(s);
	}
}
END_TEST

START_TEST(a_rollback_leaves_everything_as_it_was)
{
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(route_list_clear) struct route_list list = { 0 };
	CLEANUP(route_clear) struct route r = given_route("a", 80, VIP), other = given_route("b", 80, "198.51.100.1:2");
	struct setup_record record = { .step = "step" };
	struct state state;
	struct err e;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	store_rollback(s); /* without a transaction */
	given_server(&r, "10.0.0.2:80", 1);
	r.id = state_add(s, &r);
	store_rollback(s); /* after a commit */
	ck_assert_int_eq(store_begin(&e, s), 0);
	ck_assert_int_eq(store_add_route(&e, s, &other), 0);
	ck_assert_int_eq(store_set_account(&e, s, &r, &(struct account){ .last = some }), 0);
	ck_assert_int_eq(store_close_route(&e, s, r.id, 2000), 0);
	ck_assert_int_eq(store_setup_put(&e, s, &record), 0);
	ck_assert_uint_eq(state_n_routes(s), 1);
	store_rollback(s);
	list = state_routes(s);
	ck_assert_uint_eq(list.n, 1);
	expect_same(&list.items[0], &r);
	ck_assert_int_eq(state_sql(&state, "SELECT (SELECT count(*) FROM ledger) + (SELECT count(*) FROM setup)"), 0);
	ck_assert_int_eq(store_begin(&e, s), 0); /* and another may begin */
	ck_assert_int_eq(store_commit(&e, s), 0);
}
END_TEST

START_TEST(a_reader_sees_what_is_committed_and_nothing_else)
{
	CLEANUP(store_closep) struct store *writer = NULL, *reader = NULL;
	struct route a = given_route("a", 80, VIP), b = given_route("b", 80, "198.51.100.1:2");
	struct state state;
	struct err e;

	given_state(&state);
	writer = state_open(&state, STORE_WRITE);
	state_add(writer, &a);
	reader = state_open(&state, STORE_READ);
	ck_assert_int_eq(store_lock(&e, writer), 0);
	ck_assert_int_eq(store_begin(&e, writer), 0);
	ck_assert_int_eq(store_add_route(&e, writer, &b), 0);
	ck_assert_uint_eq(state_n_routes(writer), 2);
	ck_assert_uint_eq(state_n_routes(reader), 1);
	ck_assert_int_eq(store_commit(&e, writer), 0);
	ck_assert_uint_eq(state_n_routes(reader), 2);
}
END_TEST

START_TEST(closing_without_a_commit_forgets)
{
	CLEANUP(store_closep) struct store *s = NULL;
	struct route a = given_route("a", 80, VIP);
	struct state state;
	struct err e;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	ck_assert_int_eq(store_begin(&e, s), 0);
	ck_assert_int_eq(store_add_route(&e, s, &a), 0);
	store_close(s);
	s = state_open(&state, STORE_WRITE);
	ck_assert_uint_eq(state_n_routes(s), 0);
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 30);
	tcase_add_unchecked_fixture(tc, state_make_root, state_remove_root);
	tcase_add_test(tc, keeps_everything_of_a_route);
	tcase_add_test(tc, sets_everything_of_a_route_again);
	tcase_add_test(tc, sets_an_account_and_nothing_else);
	tcase_add_test(tc, finds_routes_by_every_filter_in_order);
	tcase_add_test(tc, appends_to_the_list_that_it_is_given);
	tcase_add_test(tc, refuses_a_taken_endpoint_or_name);
	tcase_add_test(tc, direct_routes_may_share_an_endpoint);
	tcase_add_test(tc, forgets_a_route_without_a_trace);
	tcase_add_test(tc, a_counter_beyond_the_files_range_is_an_error);
	tcase_add_test(tc, a_rollback_leaves_everything_as_it_was);
	tcase_add_test(tc, a_reader_sees_what_is_committed_and_nothing_else);
	tcase_add_test(tc, closing_without_a_commit_forgets);
}

int main(void)
{
	return unit_main("store", add);
}
