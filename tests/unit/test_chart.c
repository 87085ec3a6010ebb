/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "axis.h"
#include "chart.h"
#include "unit.h"

#define NOON 1793534400 /* 2026-11-01T12:00:00Z */

/* Two series in four intervals of a minute. */
static const double a_up[] = { 1, 2, 2, 0 }, a_down[] = { 0, 0, 4, 0 };
static const double b_up[] = { 1, 0, 2, 0 }, b_down[] = { 0, 0, 0, 0 };

static struct chart given_chart(const struct chart_series *series, size_t n)
{
	return (struct chart){ .title = "Traffic", .subtitle = "of a day", .note = "in above", .up = "In", .down = "Out",
			       .unit = "bit/s", .sum_unit = "B", .begin = NOON, .interval = 60, .n_intervals = 4,
			       .series = series, .n_series = n, .if_empty = "nothing" };
}

/* The caller frees it. */
static char *drawn(const struct chart *c)
{
	struct unit_out o = { 0 };
	struct err e;

	ck_assert_int_eq(chart_print(&e, unit_open(&o), c), 0);
	fclose(o.stream);
	ck_assert_msg(!strstr(o.text, "nan") && !strstr(o.text, "inf") && !strstr(o.text, "-0.0"), "%s", o.text);
	return o.text;
}

static void expect_in(const char *svg, const char *part)
{
	ck_assert_msg(strstr(svg, part), "'%s' is not in %s", part, svg);
}

static void expect_not_in(const char *svg, const char *part)
{
	ck_assert_msg(!strstr(svg, part), "'%s' is in %s", part, svg);
}

START_TEST(stacks_both_ways)
{
	const struct chart_series series[] = { { "a", a_up, a_down, 300, 240, false },
					       { "b", b_up, b_down, 180, 0, false } };
	const struct chart c = given_chart(series, 2);
	char *svg = drawn(&c);

	/* 4 up and 4 down, 8 steps in 320 pixels: one is 40, the zero at 256; an interval is 210 wide. */
	expect_in(svg, "<path fill=\"#332288\" d=\"M96.0 216.0H306.0V176.0H726.0V256.0H936.0V256.0H96.0Z\">"
		       "<title>a</title></path>");
	expect_in(svg, "<path fill=\"#88ccee\" d=\"M96.0 176.0H516.0V96.0H726.0V256.0H936.0V256.0H726.0V176.0H306.0V216.0"
		       "H96.0Z\"><title>b</title></path>");
	expect_in(svg, "<path fill=\"#332288\" d=\"M96.0 256.0H516.0V416.0H726.0V256.0H936.0V256.0H96.0Z\">");
	free(svg);
}
END_TEST

START_TEST(does_not_draw_what_is_nothing)
{
	const struct chart_series series[] = { { "a", a_up, a_down, 300, 240, false },
					       { "b", b_up, b_down, 180, 0, false } };
	const struct chart c = given_chart(series, 2);
	char *svg = drawn(&c), *at = svg;
	size_t n = 0;

	while ((at = strstr(at, "<path fill")) != NULL) {
		at++;
		n++;
	}
	ck_assert_uint_eq(n, 3); /* b has nothing below */
	free(svg);
}
END_TEST

START_TEST(labels_axes_and_legend)
{
	const struct chart_series series[] = { { "a", a_up, a_down, 1500, 2e6, false },
					       { "7 others", b_up, b_down, 500, 0, true } };
	const struct chart c = given_chart(series, 2);
	static const char *const parts[] = { ">Traffic<", ">of a day<", ">in above<", ">4 bit/s<", ">0 bit/s<", ">12:00<",
					     ">12:04<", ">In<", ">Out<", ">Sum<", ">a<", ">1.5 kB<", ">2 MB<",
					     ">7 others<", "#bbbbbb", ">500 B<", ">total<", ">2 kB<" };
	char *svg = drawn(&c);

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		expect_in(svg, parts[i]);
	expect_not_in(svg, "-4 bit/s");
	expect_not_in(svg, "nothing");
	free(svg);
}
END_TEST

START_TEST(says_that_it_is_empty)
{
	static const double none[4];
	const struct chart_series series = { "a", none, none, 0, 0, false };
	const struct chart with = given_chart(&series, 1), without = given_chart(NULL, 0);
	char *svg = drawn(&with);

	expect_in(svg, ">nothing<");
	expect_not_in(svg, "bit/s");
	free(svg);
	svg = drawn(&without);
	expect_in(svg, ">nothing<");
	expect_in(svg, ">12:00<");
	free(svg);
}
END_TEST

START_TEST(text_stays_text)
{
	const struct chart_series series = { "</title><script>&'\"\x01\xff", a_up, a_down, 1, 1, false };
	struct chart c = given_chart(&series, 1);
	char *svg;

	c.title = c.subtitle = c.note = "<img src=\"x\">";
	svg = drawn(&c);
	expect_not_in(svg, "<script");
	expect_not_in(svg, "<img");
	expect_in(svg, "&lt;/title&gt;&lt;script&gt;&amp;&#39;&quot;\xef\xbf\xbd\xef\xbf\xbd");
	expect_in(svg, "&lt;img src=&quot;x&quot;&gt;");
	free(svg);
}
END_TEST

START_TEST(long_names_stay_in_their_column)
{
	static const char name[] = "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW"; /* 37 */
	struct chart_series series = { name, a_up, a_down, 1, 1, false };
	const struct chart c = given_chart(&series, 1);
	char *svg = drawn(&c);

	expect_in(svg, "font-size=\"10\" text-anchor=\"start\" fill=\"#222222\">WWW");
	free(svg);
	series.name = name + 1;
	svg = drawn(&c);
	expect_in(svg, "font-size=\"13\" text-anchor=\"start\" fill=\"#222222\">WWW");
	free(svg);
}
END_TEST

START_TEST(shows_any_size_of_numbers)
{
	static const double sizes[] = { 1e-9, 0.3, 1, 999.9, 1e6, 3.7e12, 1.8e19, 1.5e20 };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		double up[] = { 0, sizes[i], 0, 0 }, down[] = { sizes[i] / 1e6, 0, 0, 0 };
		const struct chart_series series = { "a", up, down, sizes[i], 0, false };
		const struct chart c = given_chart(&series, 1);
		char label[AXIS_LABEL_STRLEN], *svg = drawn(&c);

		expect_in(svg, axis_amount(sizes[i], "B", label));
		free(svg);
	}
}
END_TEST

START_TEST(one_interval_is_enough)
{
	const struct chart_series series = { "a", a_up, a_up, 1, 1, false };
	struct chart c = given_chart(&series, 1);
	char *svg;

	c.n_intervals = 1;
	svg = drawn(&c);
	expect_in(svg, "d=\"M96.0 96.0H936.0V256.0H96.0Z\"");
	free(svg);
}
END_TEST

START_TEST(needs_nothing_from_elsewhere)
{
	const struct chart_series series = { "a", a_up, a_down, 1, 1, false };
	const struct chart c = given_chart(&series, 1);
	static const char *const parts[] = { "href", "url(", "<script", "<style", "<image", "@import", "<!" };
	char *svg = drawn(&c);

	ck_assert_int_eq(strncmp(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" ", 40), 0);
	ck_assert_ptr_null(strstr(strstr(svg, "http") + 1, "http"));
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		expect_not_in(svg, parts[i]);
	free(svg);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, stacks_both_ways);
	tcase_add_test(tc, does_not_draw_what_is_nothing);
	tcase_add_test(tc, labels_axes_and_legend);
	tcase_add_test(tc, says_that_it_is_empty);
	tcase_add_test(tc, text_stays_text);
	tcase_add_test(tc, long_names_stay_in_their_column);
	tcase_add_test(tc, shows_any_size_of_numbers);
	tcase_add_test(tc, one_interval_is_enough);
	tcase_add_test(tc, needs_nothing_from_elsewhere);
}

int main(void)
{
	return unit_main("chart", add);
}
