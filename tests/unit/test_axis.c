/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "axis.h"
#include "unit.h"

#define MINUTE 60
#define HOUR 3600
#define DAY 86400
#define NOON 1793534400 /* 2026-11-01T12:00:00Z */

START_TEST(steps_are_1_2_or_5)
{
	static const struct {
		double length;
		unsigned n;
		double step;
	} steps[] = {
		{ 1, 10, 0.1 },	  { 10, 10, 1 },   { 10.1, 10, 2 },	   { 20, 10, 2 },
		{ 21, 10, 5 },	  { 50, 10, 5 },   { 51, 10, 10 },	   { 163e6, 10, 20e6 },
		{ 163e6, 8, 50e6 }, { 1e19, 10, 1e18 }, { 1e-9, 10, 1e-3 },
	};

	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		ck_assert_double_eq_tol(axis_step(steps[i].length, steps[i].n) / steps[i].step, 1, 1e-9);
}
END_TEST

START_TEST(steps_always_cover)
{
	for (double length = 1; length < 1e20; length *= 1.37) {
		double step = axis_step(length, 10);

		ck_assert(step * 10 >= length);
		ck_assert(step * 10 / 2.5 < length * 1.000001);
	}
}
END_TEST

START_TEST(amounts_have_three_digits_and_a_prefix)
{
	static const struct {
		double amount;
		const char *text;
	} amounts[] = {
		{ 0, "0 B" },	       { 1, "1 B" },	       { 999, "999 B" },     { 999.4, "999 B" },
		{ 999.6, "1 kB" },     { 1000, "1 kB" },       { 1250, "1.25 kB" },  { 20e6, "20 MB" },
		{ 999499, "999 kB" },  { 999500, "1 MB" },     { 1.5e9, "1.5 GB" },  { 2e12, "2 TB" },
		{ 3e15, "3 PB" },      { 18.4e18, "18.4 EB" }, { 5e21, "5000 EB" },
	};
	char buf[AXIS_LABEL_STRLEN];

	for (size_t i = 0; i < ARRAY_LEN(amounts); i++)
		ck_assert_str_eq(axis_amount(amounts[i].amount, "B", buf), amounts[i].text);
}
END_TEST

START_TEST(intervals_are_round)
{
	static const struct {
		int64_t seconds;
		unsigned n;
		int64_t interval;
		const char *text;
	} intervals[] = {
		{ 1, 400, MINUTE, "1 minute" },
		{ 400 * MINUTE, 400, MINUTE, "1 minute" },
		{ 400 * MINUTE + 1, 400, 2 * MINUTE, "2 minutes" },
		{ DAY, 400, 5 * MINUTE, "5 minutes" },
		{ 7 * DAY, 400, 30 * MINUTE, "30 minutes" },
		{ 30 * DAY, 400, 2 * HOUR, "2 hours" },
		{ 365 * DAY, 400, DAY, "1 day" },
		{ 500 * INT64_C(86400), 400, 2 * DAY, "2 days" },
		{ NOON, 400, 56 * DAY, "56 days" },
	};
	char buf[AXIS_LABEL_STRLEN];

	for (size_t i = 0; i < ARRAY_LEN(intervals); i++) {
		int64_t interval = axis_interval(intervals[i].seconds, intervals[i].n);

		ck_assert_int_eq(interval, intervals[i].interval);
		ck_assert_str_eq(axis_duration(interval, buf), intervals[i].text);
	}
}
END_TEST

/* The labels of all ticks, with a comma between. */
static void expect_ticks(int64_t since, int64_t until, const char *expected)
{
	struct axis_times steps = axis_times(since, until, 8);
	char all[512] = "", label[AXIS_LABEL_STRLEN];

	for (int64_t at = axis_tick(&steps, since); at <= until; at = axis_tick(&steps, at + 1)) {
		strcat(all, all[0] ? "," : "");
		strcat(all, axis_tick_label(&steps, at, label));
		ck_assert_uint_lt(strlen(all), sizeof(all) - AXIS_LABEL_STRLEN);
	}
	ck_assert_str_eq(all, expected);
}

START_TEST(times_are_round_in_utc)
{
	expect_ticks(NOON, NOON + 5 * MINUTE, "12:00,12:01,12:02,12:03,12:04,12:05");
	expect_ticks(NOON + 1, NOON + HOUR, "12:10,12:20,12:30,12:40,12:50,13:00");
	expect_ticks(NOON, NOON + DAY, "12:00,15:00,18:00,21:00,2 Nov,03:00,06:00,09:00,12:00");
	expect_ticks(NOON, NOON + 7 * DAY, "2 Nov,3 Nov,4 Nov,5 Nov,6 Nov,7 Nov,8 Nov");
	expect_ticks(NOON, NOON + 200 * DAY, "Dec 2026,Jan 2027,Feb 2027,Mar 2027,Apr 2027,May 2027");
	expect_ticks(NOON, NOON + 365 * DAY, "Jan 2027,Mar 2027,May 2027,Jul 2027,Sep 2027,Nov 2027");
	expect_ticks(0, NOON, "Jan 1970,Jan 1980,Jan 1990,Jan 2000,Jan 2010,Jan 2020");
}
END_TEST

START_TEST(a_tick_is_its_own_next)
{
	for (int64_t length = 60; length < 3 * INT64_C(1000000000); length = length * 5 / 3) {
		struct axis_times steps = axis_times(NOON, NOON + length, 8);
		int64_t tick = axis_tick(&steps, NOON + 1);

		ck_assert_int_gt(tick, NOON);
		ck_assert_int_eq(axis_tick(&steps, tick), tick);
		ck_assert_int_gt(axis_tick(&steps, tick + 1), tick);
	}
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, steps_are_1_2_or_5);
	tcase_add_test(tc, steps_always_cover);
	tcase_add_test(tc, amounts_have_three_digits_and_a_prefix);
	tcase_add_test(tc, intervals_are_round);
	tcase_add_test(tc, times_are_round_in_utc);
	tcase_add_test(tc, a_tick_is_its_own_next);
}

int main(void)
{
	return unit_main("axis", add);
}
