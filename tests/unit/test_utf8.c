/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"
#include "utf8.h"

#include <string.h>

static void expect(const char *text, const char *clean)
{
	CLEANUP_FREE char *copy = strdup(text);
	struct unit_out o = { 0 };

	utf8_write(unit_open(&o), text, strlen(text));
	unit_expect(&o, clean);
	ck_assert_uint_eq(utf8_width(text), utf8_width(clean));
	utf8_clean(copy);
	ck_assert_str_eq(copy, clean);
}

START_TEST(reads_one_character_at_a_time)
{
	static const struct {
		const char *text;
		size_t len;
		uint32_t code;
	} cases[] = {
		{ "a", 1, 'a' },          { "\xc2\x80", 2, 0x80 },          { "\xdf\xbf", 2, 0x7ff },
		{ "\xe0\xa0\x80", 3, 0x800 }, { "\xef\xbf\xbf", 3, 0xffff }, { "\xf0\x90\x80\x80", 4, 0x10000 },
		{ "\xf4\x8f\xbf\xbf", 4, 0x10ffff },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint32_t code = 0;

		ck_assert_uint_eq(utf8_decode(cases[i].text, &code), cases[i].len);
		ck_assert_uint_eq(code, cases[i].code);
	}
}
END_TEST

START_TEST(refuses_what_is_none)
{
	/* A trailing byte alone; cut short; longer than needed; a surrogate; too large; bytes that never occur. */
	static const char *const cases[] = { "\x80", "\xc2", "\xe2\x82", "\xc0\x80", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf",
					     "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "\xf8\x88\x80\x80\x80" };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint32_t code = 77;

		ck_assert_uint_eq(utf8_decode(cases[i], &code), 0);
		ck_assert_uint_eq(code, 77);
	}
}
END_TEST

START_TEST(leaves_nothing_that_a_terminal_obeys)
{
	expect("", "");
	expect("plain: ~ \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "plain: ~ \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80");
	expect("\x1b]0;t\a\n\r\t\x7f", "?]0;t?????");
	expect("\xc2\x9b[2J \xc2\xa0", "??[2J \xc2\xa0");
	expect("\x9b[2J", "?[2J");
	expect("\xe2\x82", "??");
	expect("\xc3(\xc3", "?(?");
	ck_assert_uint_eq(utf8_width("a\xc3\xa4\033"), 3);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, reads_one_character_at_a_time);
	tcase_add_test(tc, refuses_what_is_none);
	tcase_add_test(tc, leaves_nothing_that_a_terminal_obeys);
}

int main(void)
{
	return unit_main("utf8", add);
}
