/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "moment.h"
#include "unit.h"

#define NOW 1793527200 /* 2026-11-01T10:00:00Z */

START_TEST(reads_what_people_write)
{
	static const struct {
		const char *text;
		int64_t at;
	} times[] = {
		{ "1970-01-01", 0 },
		{ "1970-01-01T00:00:01Z", 1 },
		{ "2026-11-01", NOW - 36000 },
		{ "2026-11-01T10:00:00Z", NOW },
		{ "2026-11-01T10:00:00", NOW },
		{ "2026-11-01T23:59:59Z", NOW + 50399 },
		{ "2024-02-29", 1709164800 },
		{ "2000-02-29", 951782400 },
		{ "9999-12-31T23:59:59Z", MOMENT_MAX },
		{ "@0", 0 },
		{ "@1793527200", NOW },
		{ "@253402300799", MOMENT_MAX },
		{ "-0s", NOW },
		{ "-30s", NOW - 30 },
		{ "-90m", NOW - 5400 },
		{ "-24h", NOW - 86400 },
		{ "-7d", NOW - 604800 },
		{ "-2w", NOW - 1209600 },
		{ "-1793527200s", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		int64_t at = -1;
		struct err e = { 0 };

		ck_assert_msg(moment_parse(&e, "--since", times[i].text, NOW, &at) == 0, "%s", e.msg);
		ck_assert_msg(at == times[i].at, "%s is %lld", times[i].text, (long long)at);
	}
}
END_TEST

START_TEST(rejects_what_is_no_time)
{
	static const char *const texts[] = {
		"", " ", "now", "today", "-", "--24h", "-24", "-24H", "-24hh", "-h", "- 24h", "+24h", "24h", "-1.5h",
		"-1793527201s", "-99999999999w", "-9999999999999999999s", "@", "@-1", "@1x", "@ 1", "@253402300800",
		"@99999999999999999999", "2026", "2026-11", "2026-11-1", "26-11-01", "2026-11-01 ", "2026/11/01",
		"2026-00-01", "2026-13-01", "2026-11-00", "2026-11-31", "2026-02-29", "1900-02-29", "1969-12-31",
		"2026-11-01Z", "2026-11-01T", "2026-11-01T10", "2026-11-01T10:00", "2026-11-01T24:00:00Z",
		"2026-11-01T10:60:00Z", "2026-11-01T10:00:60Z", "2026-11-01t10:00:00z", "2026-11-01T10:00:00ZZ",
		"2026-11-01T10:00:00+01:00", "2026-11-01 10:00:00", "-026-11-01", "2026--1-01", "2026-11-01T-1:00:00Z",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		int64_t at = -1;
		struct err e = { 0 };

		ck_assert_msg(moment_parse(&e, "--since", texts[i], NOW, &at) == -EINVAL, "%s", texts[i]);
		ck_assert_int_eq(at, -1);
		ck_assert_msg(strstr(e.msg, "--since '") && strstr(e.msg, "-24h"), "%s", e.msg);
	}
}
END_TEST

START_TEST(writes_what_it_reads)
{
	static const int64_t times[] = { 0, 1, 951782399, 951782400, NOW, 4102444800, MOMENT_MAX };

	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		char text[MOMENT_STRLEN];
		int64_t at = -1;
		struct err e = { 0 };

		ck_assert_uint_eq(strlen(moment_format(times[i], text)), 20);
		ck_assert_msg(moment_parse(&e, "--since", text, 0, &at) == 0, "%s", e.msg);
		ck_assert_int_eq(at, times[i]);
	}
}
END_TEST

START_TEST(has_no_text_for_what_no_calendar_has)
{
	char text[MOMENT_STRLEN];

	ck_assert_str_eq(moment_format(INT64_MAX, text), "-");
	ck_assert_str_eq(moment_format(INT64_MIN, text), "-");
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, reads_what_people_write);
	tcase_add_test(tc, rejects_what_is_no_time);
	tcase_add_test(tc, writes_what_it_reads);
	tcase_add_test(tc, has_no_text_for_what_no_calendar_has);
}

int main(void)
{
	return unit_main("moment", add);
}
