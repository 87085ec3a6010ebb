/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "portset.h"
#include "unit.h"

static struct portset parsed(const char *text)
{
	struct portset s;
	struct err e;

	ck_assert_msg(portset_parse(&e, text, &s) == 0, "%s", text);
	return s;
}

static void expect_text(const struct portset *s, const char *text)
{
	char buf[128];
	struct err e;

	ck_assert_int_eq(portset_format(&e, s, buf, sizeof(buf)), 0);
	ck_assert_str_eq(buf, text);
}

START_TEST(prints_as_the_kernel_does)
{
	static const char *const lists[][2] = {
		{ "", "" },
		{ "0", "0" },
		{ "65535", "65535" },
		{ "8080", "8080" },
		{ "1-65535", "1-65535" },
		{ "0-65535", "0-65535" },
		{ "8080,9148", "8080,9148" },
		{ "9148,8080", "8080,9148" },
		{ "1,2", "1-2" },
		{ "1-5,3-9", "1-9" },
		{ "1-5,6-9,11", "1-9,11" },
		{ "7,7", "7" },
		{ "63-64,127-128", "63-64,127-128" },
	};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		struct portset s = parsed(lists[i][0]);

		expect_text(&s, lists[i][1]);
	}
}
END_TEST

START_TEST(rejects_what_is_no_list)
{
	static const char *const lists[] = {
		",",   "1,",  ",1", "1,,2",  "-",       "1-",  "-1",    "2-1",
		"a",   "1 2", " ",  "65536", "1-65536", "1:2", "1-2-3", "000001",
	};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		struct portset s = { { 42 } };
		struct err e;

		ck_assert_msg(portset_parse(&e, lists[i], &s) == -EINVAL, "%s", lists[i]);
		ck_assert_uint_eq(s.bits[0], 42);
	}
}
END_TEST

START_TEST(says_when_the_text_does_not_fit)
{
	struct portset s = parsed("8080,9148");
	char buf[9];
	struct err e;

	for (size_t size = 1; size < 9; size++)
		ck_assert_int_eq(portset_format(&e, &s, buf, size), -E2BIG);
	s = parsed("1000-2000");
	ck_assert_int_eq(portset_format(&e, &s, buf, 9), -E2BIG);
	s = parsed("100-2000");
	ck_assert_int_eq(portset_format(&e, &s, buf, 9), 0);
	ck_assert_str_eq(buf, "100-2000");
}
END_TEST

START_TEST(adds_a_pool_and_takes_it_out_again)
{
	struct portset s = parsed("8080,33000-40000"), pool = { 0 };
	struct portset former = s, ours;

	portset_add_range(&pool, 32768, 33768);
	ck_assert(!portset_includes(&s, &pool));
	ck_assert(portset_overlaps(&s, &pool));
	portset_add(&s, &pool);
	expect_text(&s, "8080,32768-40000");
	ck_assert(portset_includes(&s, &pool));
	ours = s;
	portset_remove(&ours, &former);
	expect_text(&ours, "32768-32999");
	portset_remove(&s, &ours);
	ck_assert(portset_equal(&s, &former));
}
END_TEST

START_TEST(compares_sets_not_texts)
{
	struct portset a = parsed("1,2,3"), b = parsed("2-3,1"), c = parsed("1-4"), none = { 0 };

	ck_assert(portset_equal(&a, &b));
	ck_assert(!portset_equal(&a, &c));
	ck_assert(portset_includes(&c, &a));
	ck_assert(!portset_includes(&a, &c));
	ck_assert(portset_includes(&a, &none));
	ck_assert(!portset_overlaps(&a, &none));
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, prints_as_the_kernel_does);
	tcase_add_test(tc, rejects_what_is_no_list);
	tcase_add_test(tc, says_when_the_text_does_not_fit);
	tcase_add_test(tc, adds_a_pool_and_takes_it_out_again);
	tcase_add_test(tc, compares_sets_not_texts);
}

int main(void)
{
	return unit_main("portset", add);
}
