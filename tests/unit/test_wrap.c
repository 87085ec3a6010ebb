/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"
#include "wrap.h"

static void expect(struct wrap how, const char *text, const char *written)
{
	struct unit_out o = { 0 };

	wrap_text(unit_open(&o), &how, text);
	unit_expect(&o, written);
}

START_TEST(breaks_between_words_where_the_width_ends)
{
	expect((struct wrap){ .width = 10 }, "one two three four", "one two\nthree four\n");
	expect((struct wrap){ .width = 9 }, "one two three four", "one two\nthree\nfour\n");
	expect((struct wrap){ .width = 80 }, "  one   two ", "one two\n");
	expect((struct wrap){ .width = 80 }, "", "\n");
}
END_TEST

START_TEST(begins_behind_what_stands_there_and_indents_the_rest)
{
	struct wrap how = { .width = 12, .column = 4, .indent = 4 };

	expect(how, "one two three", "one two\n    three\n");
	how.column = 9;
	expect(how, "one two three", "one\n    two\n    three\n");
}
END_TEST

START_TEST(counts_characters_and_not_bytes)
{
	expect((struct wrap){ .width = 7 }, "öäü öäü x", "öäü öäü\nx\n");
}
END_TEST

START_TEST(leaves_a_long_word_whole_unless_it_is_a_path)
{
	expect((struct wrap){ .width = 8 }, "a incomprehensibly b", "a\nincomprehensibly\nb\n");
	expect((struct wrap){ .width = 20, .indent = 2 }, "see Documentation/networking/x.rst, y",
	       "see\n  Documentation/\n  networking/x.rst,\n  y\n");
	expect((struct wrap){ .width = 4, .column = 10 }, "a/b/c d", "a/b/c\nd\n");
}
END_TEST

START_TEST(writes_a_command_that_a_shell_reads_as_the_same)
{
	struct wrap how = { .width = 16, .indent = 2, .more = " \\" };

	expect(how, "iptables -w -I INPUT -j ACCEPT", "iptables -w -I \\\n  INPUT -j \\\n  ACCEPT\n");
	expect(how, "add '{ a b c; }' \"d e\" f", "add \\\n  '{ a b c; }' \\\n  \"d e\" f\n");
	expect(how, "cat /a/path/that/is/long", "cat \\\n  /a/path/that/is/long\n");
	expect(how, "tell \"it's a b\" c", "tell \\\n  \"it's a b\" c\n");
	/* The last line needs no room for what the others end with. */
	expect(how, "1234567 12345678", "1234567 12345678\n");
	expect(how, "1234567 12345678 9", "1234567 \\\n  12345678 9\n");
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, breaks_between_words_where_the_width_ends);
	tcase_add_test(tc, begins_behind_what_stands_there_and_indents_the_rest);
	tcase_add_test(tc, counts_characters_and_not_bytes);
	tcase_add_test(tc, leaves_a_long_word_whole_unless_it_is_a_path);
	tcase_add_test(tc, writes_a_command_that_a_shell_reads_as_the_same);
}

int main(void)
{
	return unit_main("wrap", add);
}
