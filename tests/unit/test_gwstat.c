/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The orders in which sonm-gwstat shows what was used, and their names. */
#include "gwstat.h"
#include "unit.h"

static struct reading readings[] = {
	{ .container = (char[]){ "a" }, .cport = 80, .protocol = 6, .total = { 1, 0, 0, 5, 5 }, .rates = { .outbps = 9 } },
	{ .container = (char[]){ "a" }, .cport = 80, .protocol = 17, .total = { 2, 0, 0, 1, 1 } },
	{ .container = (char[]){ "b" }, .cport = 1, .protocol = 6, .total = { 1, 0, 0, 0, 30 }, .rates = { .inbps = 10 } },
	{ .container = (char[]){ "c" }, .cport = 1, .protocol = 6, .total = { 1, 0, 0, 0, 30 } },
};

static struct container_usage containers[3];
static struct usage usage;

static void set_up(void)
{
	containers[0] = (struct container_usage){ .name = "a", .routes = readings, .n_routes = 2 };
	containers[1] = (struct container_usage){ .name = "b", .routes = readings + 2, .n_routes = 1 };
	containers[2] = (struct container_usage){ .name = "c", .routes = readings + 3, .n_routes = 1 };
	usage = (struct usage){ .containers = containers, .n_containers = 3 };
}

static void expect_order(const char *names)
{
	char shown[16] = "";

	for (size_t i = 0; i < usage.n_containers; i++)
		strcat(shown, usage.containers[i].name);
	ck_assert_str_eq(shown, names);
}

START_TEST(sorts_by_each_field)
{
	static const struct {
		const char *field, *order;
	} cases[] = {
		{ "name", "abc" },     { "conns", "abc" }, { "inbytes", "abc" }, { "outbytes", "bca" }, { "bytes", "bca" },
		{ "inpkts", "abc" },   { "inbps", "bac" }, { "outbps", "abc" },  { "bps", "bac" },      { "cps", "abc" },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int field = gwstat_word(&e, "field", gwstat_fields, cases[i].field);

		ck_assert_int_ge(field, 0);
		usage_sort(&usage, (enum gwstat_field)field);
		expect_order(cases[i].order);
	}
}
END_TEST

START_TEST(sorts_a_container_s_routes)
{
	usage_sort(&usage, FIELD_CONNS);
	ck_assert_uint_eq(readings[0].total.conns, 2);
	usage_sort(&usage, FIELD_NAME);
	ck_assert_uint_eq(readings[0].total.conns, 1);
}
END_TEST

START_TEST(says_how_many_the_top_leaves_out)
{
	usage_top(&usage, 3);
	ck_assert_uint_eq(usage.n_more, 0);
	usage_top(&usage, 2);
	expect_order("ab");
	ck_assert_uint_eq(usage.n_more, 1);
}
END_TEST

START_TEST(suggests_the_word_that_is_meant)
{
	struct err e;

	ck_assert_int_eq(gwstat_word(&e, "format", gwstat_formats, "csv"), GWSTAT_CSV);
	ck_assert_int_eq(gwstat_word(&e, "format", gwstat_formats, "jsn"), -EINVAL);
	ck_assert_str_eq(e.msg, "'jsn' is no format; did you mean json?");
	ck_assert_int_eq(gwstat_word(&e, "format", gwstat_formats, "spreadsheet"), -EINVAL);
	ck_assert_str_eq(e.msg, "'spreadsheet' is no format; see 'sonm-gwstat --help'");
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_add_test(tc, sorts_by_each_field);
	tcase_add_test(tc, sorts_a_container_s_routes);
	tcase_add_test(tc, says_how_many_the_top_leaves_out);
	tcase_add_test(tc, suggests_the_word_that_is_meant);
}

int main(void)
{
	return unit_main("gwstat", add_tests);
}
