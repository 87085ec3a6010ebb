/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the state file knows of workers, and which routes name them. */
#include "state.h"

static struct worker given_worker(const char *name, enum nat_type nat)
{
	struct worker w = { .nat = nat, .is_public = nat == NAT_NONE, .reported_at = 1000 };

	strcpy(w.name, name);
	return w;
}

static void given_address(struct worker *w, const char *address)
{
	w->addresses[w->n_addresses++] = given_addr(address);
}

static void expect_same(const struct worker *a, const struct worker *b)
{
	ck_assert_str_eq(a->name, b->name);
	ck_assert_int_eq(a->nat, b->nat);
	ck_assert_int_eq(a->is_public, b->is_public);
	ck_assert_int_eq(a->reported_at, b->reported_at);
	ck_assert_uint_eq(a->n_addresses, b->n_addresses);
	for (size_t i = 0; i < a->n_addresses; i++)
		ck_assert(addr_equal(&a->addresses[i], &b->addresses[i]));
}

static void must_set(struct store *s, const struct worker *w)
{
	struct err e;

	ck_assert_msg(store_begin(&e, s) == 0 && store_set_worker(&e, s, w) == 0 && store_commit(&e, s) == 0, "%s",
		      e.msg);
}

static void expect_stored(struct store *s, const struct worker *want)
{
	struct worker found;
	struct err e;

	ck_assert_msg(store_worker(&e, s, want->name, &found) == 1, "%s", want->name);
	expect_same(&found, want);
}

START_TEST(keeps_everything_of_a_worker)
{
	struct worker all[] = { given_worker("a", NAT_NONE), given_worker("b", NAT_SYMMETRIC),
				given_worker("c", NAT_UNKNOWN) };
	struct worker unknown = given_worker("d", NAT_FULL);
	CLEANUP(worker_list_clear) struct worker_list list = { 0 };
	CLEANUP(store_closep) struct store *s = NULL;
	struct state state;
	struct err e;

	for (int i = WORKER_ADDRESSES_MAX; i > 0; i--) { /* their order is not that of the texts */
		char text[32];

		snprintf(text, sizeof(text), i % 2 ? "203.0.113.%d" : "2001:db8::%d", i);
		given_address(&all[0], text);
	}
	given_address(&all[2], "203.0.113.7");
	memset(all[2].name, 'c', CONTAINER_MAX);
	all[2].reported_at = INT64_C(1) << 40;
	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	for (size_t i = ARRAY_LEN(all); i-- > 0;)
		must_set(s, &all[i]);
	store_close(s);
	s = state_open(&state, STORE_READ);
	ck_assert_int_eq(store_workers(&e, s, &list), 0);
	ck_assert_uint_eq(list.n, ARRAY_LEN(all));
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		expect_same(&list.items[i], &all[i]);
		expect_stored(s, &all[i]);
	}
	ck_assert_int_eq(store_worker(&e, s, "d", &unknown), 0);
	ck_assert_str_eq(unknown.name, "d"); /* untouched */
	ck_assert_int_eq(store_workers(&e, s, &list), 0);
	ck_assert_uint_eq(list.n, 2 * ARRAY_LEN(all)); /* appends */
}
END_TEST

START_TEST(stores_every_kind_of_nat)
{
	CLEANUP(store_closep) struct store *s = NULL;
	struct state state;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	for (int nat = NAT_UNKNOWN; nat <= NAT_SYMMETRIC_UDP_FIREWALL; nat++) {
		struct worker w = given_worker("a", (enum nat_type)nat);

		must_set(s, &w);
		expect_stored(s, &w);
	}
	ck_assert_int_eq(state_sql(&state, "SELECT nat = 'symmetric_udp_firewall' FROM worker"), 1);
}
END_TEST

START_TEST(sets_a_worker_anew_and_leaves_the_others)
{
	struct worker before = given_worker("a", NAT_NONE), after = given_worker("a", NAT_FULL);
	struct worker other = given_worker("b", NAT_NONE);
	CLEANUP(store_closep) struct store *s = NULL;
	struct state state;

	given_address(&before, "203.0.113.7");
	given_address(&before, "203.0.113.8");
	given_address(&after, "203.0.113.8");
	given_address(&other, "203.0.113.8");
	after.reported_at = 2000;
	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	must_set(s, &before);
	must_set(s, &other);
	must_set(s, &after);
	expect_stored(s, &after);
	expect_stored(s, &other);
	ck_assert_int_eq(state_sql(&state, "SELECT count(*) FROM worker_address"), 2);
}
END_TEST

START_TEST(deletes_a_worker_with_its_addresses)
{
	struct worker a = given_worker("a", NAT_NONE), b = given_worker("b", NAT_NONE);
	CLEANUP(store_closep) struct store *s = NULL;
	struct state state;
	struct err e;

	given_address(&a, "203.0.113.7");
	given_address(&b, "203.0.113.7");
	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	must_set(s, &a);
	must_set(s, &b);
	ck_assert_int_eq(store_delete_worker(&e, s, "a"), 0);
	ck_assert_int_eq(store_worker(&e, s, "a", &a), 0);
	expect_stored(s, &b);
	ck_assert_int_eq(state_sql(&state, "SELECT count(*) FROM worker_address"), 1);
	ck_assert_int_eq(store_delete_worker(&e, s, "a"), 0); /* it is gone already */
}
END_TEST

START_TEST(finds_the_routes_of_a_worker_in_order)
{
	static const struct {
		const char *container;
		uint16_t cport;
		const char *worker;
		enum route_state state;
	} routes[] = {
		{ "b", 80, "w", ROUTE_OPEN },	{ "a", 443, "w", ROUTE_CLOSING }, { "a", 80, "w", ROUTE_OPEN },
		{ "c", 80, "W", ROUTE_OPEN },	{ "d", 80, "", ROUTE_OPEN },	  { "e", 80, "w2", ROUTE_OPEN },
	};
	static const struct {
		const char *worker, *found;
	} cases[] = { { "w", "a80 a443 b80" }, { "W", "c80" }, { "w2", "e80" }, { "w3", "" }, { "", "" } };
	CLEANUP(store_closep) struct store *s = NULL;
	struct state state;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		CLEANUP(route_clear) struct route r = given_route(routes[i].container, routes[i].cport, VIP);

		r.public.port = (uint16_t)(i + 1);
		r.state = routes[i].state;
		strcpy(r.worker, routes[i].worker);
		given_server(&r, "10.0.0.2:80", 1);
		given_server(&r, "10.0.0.3:80", 1);
		state_add(s, &r);
	}
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(route_list_clear) struct route_list list = { 0 };
		char found[64] = "";
		struct err e;

		ck_assert_int_eq(store_worker_routes(&e, s, cases[i].worker, &list), 0);
		for (size_t k = 0; k < list.n; k++) {
			size_t len = strlen(found);

			snprintf(found + len, sizeof(found) - len, "%s%.1s%u", k ? " " : "",
				 list.items[k].container, (unsigned)list.items[k].cport);
			ck_assert_str_eq(list.items[k].worker, cases[i].worker);
			ck_assert_uint_eq(list.items[k].n_servers, 2);
		}
		ck_assert_str_eq(found, cases[i].found);
	}
	ck_assert_int_eq(state_sql(&state, "SELECT count(*) FROM route WHERE worker IS NULL"), 1);
}
END_TEST

#define SEVENTEEN_ADDRESSES                                                                \
	"WITH RECURSIVE n (i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 115)" \
	" INSERT INTO worker_address SELECT 'a', i, '203.0.113.' || i FROM n"

static const char *const senseless[] = {
	"UPDATE worker SET nat = 'cone'",
	"UPDATE worker SET nat = 'NONE'",
	"UPDATE worker SET nat = ''",
	"UPDATE worker SET nat = 'a name that is longer than any of these names'",
	"PRAGMA ignore_check_constraints = 1; UPDATE worker SET public = 2",
	"PRAGMA ignore_check_constraints = 1; UPDATE worker SET public = 'yes'",
	"UPDATE worker SET reported_at = 'today'",
	"UPDATE worker_address SET address = 'here'",
	"UPDATE worker_address SET address = ''",
	"UPDATE worker_address SET address = '1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20'",
	SEVENTEEN_ADDRESSES,
};

START_TEST(says_that_values_without_sense_are_damage)
{
	CLEANUP(worker_list_clear) struct worker_list list = { 0 };
	CLEANUP(store_closep) struct store *s = NULL;
	struct worker w = given_worker("a", NAT_NONE);
	struct state state;
	struct err e = { 0 };

	given_address(&w, "203.0.113.7");
	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	must_set(s, &w);
	state_sql(&state, senseless[_i]);
	ck_assert_msg(store_workers(&e, s, &list) == -EIO, "%s", senseless[_i]);
	ck_assert_msg(strstr(e.msg, "damaged"), "%s", e.msg);
	ck_assert_uint_eq(list.n, 0);
	ck_assert_int_eq(store_worker(&e, s, "a", &w), -EIO);
}
END_TEST

static bool has_history(struct store *s)
{
	struct err e;
	bool has = false;

	ck_assert_int_eq(store_has_history(&e, s, &has), 0);
	return has;
}

START_TEST(says_whether_a_route_was_ever_stored)
{
	CLEANUP(route_clear) struct route r = given_route("web", 80, VIP);
	struct state state;
	struct store *s;
	struct err e;
	int64_t id;

	given_state(&state);
	s = state_open(&state, STORE_READ); /* there is no file */
	ck_assert(!has_history(s));
	store_close(s);
	s = state_open(&state, STORE_WRITE);
	ck_assert(!has_history(s));
	id = state_add(s, &r);
	ck_assert(has_history(s));
	ck_assert_int_eq(store_forget_route(&e, s, id), 0);
	store_close(s);
	s = state_open(&state, STORE_READ);
	ck_assert_uint_eq(state_n_routes(s), 0);
	ck_assert(has_history(s));
	store_close(s);
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 30);
	tcase_add_unchecked_fixture(tc, state_make_root, state_remove_root);
	tcase_add_test(tc, keeps_everything_of_a_worker);
	tcase_add_test(tc, stores_every_kind_of_nat);
	tcase_add_test(tc, sets_a_worker_anew_and_leaves_the_others);
	tcase_add_test(tc, deletes_a_worker_with_its_addresses);
	tcase_add_test(tc, finds_the_routes_of_a_worker_in_order);
	tcase_add_loop_test(tc, says_that_values_without_sense_are_damage, 0, ARRAY_LEN(senseless));
	tcase_add_test(tc, says_whether_a_route_was_ever_stored);
}

int main(void)
{
	return unit_main("store_worker", add);
}
