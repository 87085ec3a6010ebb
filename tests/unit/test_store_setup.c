/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What sonm-gw-setup changed, as the store keeps it. */
#include "state.h"

static struct setup_record record_of(const char *step, const char *former, const char *applied)
{
	struct setup_record r = { 0 };

	snprintf(r.step, sizeof(r.step), "%s", step);
	snprintf(r.former, sizeof(r.former), "%s", former);
	snprintf(r.applied, sizeof(r.applied), "%s", applied);
	return r;
}

START_TEST(keeps_what_setup_changed_newest_first)
{
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP_FREE struct setup_record *list = NULL;
	struct setup_record records[] = { record_of("ip_forward", "0", "1"), record_of("modules", "", "ip_vs"),
					  record_of("snat", "", "'; DROP TABLE setup; --") };
	struct setup_record again = record_of("ip_forward", "2", "3"), got;
	struct state state;
	size_t n = 77;
	struct err e;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	ck_assert_int_eq(store_setup_list(&e, s, &list, &n), 0);
	ck_assert_uint_eq(n, 0);
	for (size_t i = 0; i < ARRAY_LEN(records); i++)
		ck_assert_int_eq(store_setup_put(&e, s, &records[i]), 0);
	ck_assert_int_eq(store_setup_put(&e, s, &again), 0);
	ck_assert_int_eq(store_setup_get(&e, s, "ip_forward", &got), 1);
	ck_assert_str_eq(got.former, "2");
	ck_assert_str_eq(got.applied, "3");
	free(list);
	ck_assert_int_eq(store_setup_list(&e, s, &list, &n), 0);
	ck_assert_uint_eq(n, 3);
	ck_assert_str_eq(list[0].step, "snat");
	ck_assert_str_eq(list[0].applied, "'; DROP TABLE setup; --");
	ck_assert_str_eq(list[1].step, "modules");
	ck_assert_str_eq(list[1].former, "");
	ck_assert_str_eq(list[2].step, "ip_forward"); /* replaced where it was */
	ck_assert_str_eq(list[2].applied, "3");
}
END_TEST

START_TEST(deletes_what_setup_has_undone)
{
	CLEANUP(store_closep) struct store *s = NULL;
	struct setup_record r = record_of("snat", "a", "b"), got = { .step = "untouched" };
	struct state state;
	struct err e;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	ck_assert_int_eq(store_setup_get(&e, s, "snat", &got), 0);
	ck_assert_str_eq(got.step, "untouched");
	ck_assert_int_eq(store_setup_put(&e, s, &r), 0);
	ck_assert_int_eq(store_setup_delete(&e, s, "other"), 0);
	ck_assert_int_eq(store_setup_get(&e, s, "snat", &got), 1);
	ck_assert_int_eq(store_setup_delete(&e, s, "snat"), 0);
	ck_assert_int_eq(store_setup_get(&e, s, "snat", &got), 0);
}
END_TEST

START_TEST(keeps_the_longest_setup_values)
{
	CLEANUP(store_closep) struct store *s = NULL;
	struct setup_record r = { .step = "" }, got;
	struct state state;
	struct err e;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	memset(r.step, 's', sizeof(r.step) - 1);
	memset(r.former, '\n', sizeof(r.former) - 1);
	memset(r.applied, 'a', sizeof(r.applied) - 1);
	ck_assert_int_eq(store_setup_put(&e, s, &r), 0);
	ck_assert_int_eq(store_setup_get(&e, s, r.step, &got), 1);
	ck_assert_str_eq(got.former, r.former);
	ck_assert_str_eq(got.applied, r.applied);
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 30);
	tcase_add_unchecked_fixture(tc, state_make_root, state_remove_root);
	tcase_add_test(tc, keeps_what_setup_changed_newest_first);
	tcase_add_test(tc, deletes_what_setup_has_undone);
	tcase_add_test(tc, keeps_the_longest_setup_values);
}

int main(void)
{
	return unit_main("store_setup", add);
}
