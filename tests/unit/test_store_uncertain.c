/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Times of which an account is not complete, and checkpoints, of which it is. */
#include "state.h"

static void add_uncertain(struct store *s, const char *container, int64_t route, int64_t since, int64_t until)
{
	struct uncertain u = { .route = route, .cport = 80, .protocol = IPPROTO_TCP, .since = since, .until = until,
			       .why = UNCERTAIN_RESET };
	struct err e = { 0 };

	strcpy(u.container, container);
	ck_assert_msg(store_add_uncertain(&e, s, &u) == 0, "%s", e.msg);
}

/* As "CONTAINER ROUTE SINCE-UNTIL ", one after the other. */
static void expect(struct store *s, const char *container, int64_t since, const char *want)
{
	CLEANUP(uncertain_list_clear) struct uncertain_list list = { 0 };
	struct unit_out o = { 0 };
	FILE *out = unit_open(&o);
	struct err e = { 0 };

	ck_assert_msg(store_uncertain(&e, s, container, since, &list) == 0, "%s", e.msg);
	for (size_t i = 0; i < list.n; i++) {
		const struct uncertain *u = &list.items[i];

		fprintf(out, "%s %d %d-%d ", u->container, (int)u->route, (int)u->since, (int)u->until);
	}
	fclose(out);
	ck_assert_str_eq(o.text, want);
	free(o.text);
}

START_TEST(keeps_everything_of_an_uncertain_time)
{
	CLEANUP(uncertain_list_clear) struct uncertain_list list = { 0 };
	CLEANUP(store_closep) struct store *s = NULL;
	struct uncertain u = { .route = INT64_MAX, .cport = 65535, .protocol = IPPROTO_SCTP, .since = -5,
			       .until = INT64_C(1) << 40 };
	struct state state;
	struct err e;

	given_state(&state);
	memset(u.container, 'c', CONTAINER_MAX);
	for (int why = UNCERTAIN_REMOVED; why <= UNCERTAIN_REBOOT; why++) {
		s = state_open(&state, STORE_WRITE);
		u.why = (enum uncertain_why)why;
		u.route--;
		ck_assert_int_eq(store_add_uncertain(&e, s, &u), 0);
		store_close(steal_ptr(s));
	}
	s = state_open(&state, STORE_READ);
	ck_assert_int_eq(store_uncertain(&e, s, u.container, INT64_MIN, &list), 0);
	ck_assert_uint_eq(list.n, 3);
	for (int i = 0; i < 3; i++) {
		const struct uncertain *found = &list.items[i];

		ck_assert_int_eq(found->route, u.route + i);
		ck_assert_str_eq(found->container, u.container);
		ck_assert_uint_eq(found->cport, u.cport);
		ck_assert_uint_eq(found->protocol, u.protocol);
		ck_assert_int_eq(found->since, u.since);
		ck_assert_int_eq(found->until, u.until);
		ck_assert_int_eq(found->why, UNCERTAIN_REBOOT - i);
	}
}
END_TEST

START_TEST(lists_them_by_container_and_time)
{
	CLEANUP(store_closep) struct store *s = NULL;
	struct state state;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	add_uncertain(s, "b", 1, 10, 20);
	add_uncertain(s, "a", 3, 15, 16);
	add_uncertain(s, "a", 3, 15, 16); /* once more */
	add_uncertain(s, "a", 2, 15, 30);
	add_uncertain(s, "a", 9, 14, 15);
	expect(s, NULL, 0, "a 9 14-15 a 2 15-30 a 3 15-16 b 1 10-20 ");
	expect(s, "a", 0, "a 9 14-15 a 2 15-30 a 3 15-16 ");
	expect(s, "a", 15, "a 9 14-15 a 2 15-30 a 3 15-16 ");
	expect(s, "a", 16, "a 2 15-30 a 3 15-16 ");
	expect(s, NULL, 17, "a 2 15-30 b 1 10-20 ");
	expect(s, NULL, 31, "");
	expect(s, "c", 0, "");
}
END_TEST

START_TEST(a_time_without_sense_is_damage)
{
	static const char *const senseless[] = {
		"UPDATE uncertain SET why = 'other'", "UPDATE uncertain SET why = NULL",
		"UPDATE uncertain SET container_port = 0", "UPDATE uncertain SET protocol = 256",
		"UPDATE uncertain SET until = 'soon'", "UPDATE uncertain SET route = 0",
	};

	for (size_t i = 0; i < ARRAY_LEN(senseless); i++) {
		CLEANUP(uncertain_list_clear) struct uncertain_list list = { 0 };
		CLEANUP(store_closep) struct store *s = NULL;
		struct state state;
		struct err e;

		given_state(&state);
		s = state_open(&state, STORE_WRITE);
		add_uncertain(s, "a", 1, 10, 20);
		state_sql(&state, senseless[i]);
		ck_assert_msg(store_uncertain(&e, s, NULL, 0, &list) == -EIO, "%s", senseless[i]);
		ck_assert_uint_eq(list.n, 0);
	}
}
END_TEST

START_TEST(remembers_the_last_checkpoint)
{
	CLEANUP(store_closep) struct store *s = NULL;
	struct state state;
	int64_t at = 77;
	struct err e;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	ck_assert_int_eq(store_last_checkpoint(&e, s, &at), 0);
	ck_assert_int_eq(at, 77);
	for (int64_t now = 1000; now <= 3000; now += 1000) {
		ck_assert_int_eq(store_set_checkpoint(&e, s, now), 0);
		ck_assert_int_eq(store_last_checkpoint(&e, s, &at), 1);
		ck_assert_int_eq(at, now);
	}
	ck_assert_int_eq(state_sql(&state, "SELECT count(*) FROM checkpoint"), 1);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_unchecked_fixture(tc, state_make_root, state_remove_root);
	tcase_add_test(tc, keeps_everything_of_an_uncertain_time);
	tcase_add_test(tc, lists_them_by_container_and_time);
	tcase_add_test(tc, a_time_without_sense_is_damage);
	tcase_add_test(tc, remembers_the_last_checkpoint);
}

int main(void)
{
	return unit_main("store_uncertain", add);
}
