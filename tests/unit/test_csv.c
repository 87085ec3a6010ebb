/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "csv.h"
#include "unit.h"

START_TEST(writes_values_and_lines)
{
	struct unit_out out = { 0 };
	struct csv c = { .out = unit_open(&out) };

	csv_line(&c, (const char *const[]){ "name", "bytes" }, 2);
	csv_text(&c, "web");
	csv_uint(&c, UINT64_MAX);
	csv_end_line(&c);
	csv_text(&c, NULL);
	csv_uint(&c, 0);
	csv_end_line(&c);
	unit_expect(&out, "name,bytes\r\nweb,18446744073709551615\r\n,0\r\n");
}
END_TEST

/* RFC 4180, section 2, rules 6 and 7. */
START_TEST(quotes_what_must_be_quoted)
{
	static const struct {
		const char *value, *text;
	} cases[] = {
		{ "", "" },          { "a b", "a b" },     { "a,b", "\"a,b\"" },     { "\"", "\"\"\"\"" },
		{ "a\"b\"", "\"a\"\"b\"\"\"" }, { "a\nb", "\"a\nb\"" }, { "a\rb", "\"a\rb\"" }, { "-", "-" },
		{ "a\033[2J\x9b\xc2\x9b", "a?[2J???" }, { "\033,\xc3\xa4", "\"?,\xc3\xa4\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct unit_out out = { 0 };
		struct csv c = { .out = unit_open(&out) };

		csv_text(&c, cases[i].value);
		unit_expect(&out, cases[i].text);
	}
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, writes_values_and_lines);
	tcase_add_test(tc, quotes_what_must_be_quoted);
}

int main(void)
{
	return unit_main("csv", add_tests);
}
