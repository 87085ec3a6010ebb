/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "given.h"
#include "words.h"

/* The words of a line as <one><two>. The caller frees. */
static char *split(const char *line)
{
	CLEANUP(words_clear) struct words w = { 0 };
	struct err e = { 0 };
	struct unit_out o = { 0 };

	ck_assert_msg(words_split(&e, line, &w) == 0, "%s: %s", line, e.msg);
	unit_open(&o);
	for (size_t i = 0; i < w.n; i++)
		fprintf(o.stream, "<%s>", w.items[i]);
	ck_assert_ptr_null(w.items[w.n]);
	fclose(o.stream);
	return o.text;
}

static void expect_words(const char *line, const char *words)
{
	char *found = split(line);

	ck_assert_msg(strcmp(found, words) == 0, "%s: %s instead of %s", line, found, words);
	free(found);
}

START_TEST(splits_at_blanks)
{
	expect_words("", "");
	expect_words(" \t ", "");
	expect_words("list", "<list>");
	expect_words("  list\tweb  -n ", "<list><web><-n>");
	expect_words("add web -t 80=10.0.0.11:8080", "<add><web><-t><80=10.0.0.11:8080>");
	expect_words("a b c d e f g", "<a><b><c><d><e><f><g>");
	expect_words("list\r", "<list>");
	expect_words("list\r\n", "<list>");
}
END_TEST

START_TEST(takes_quotes_away_and_what_is_between_as_it_is)
{
	static const char *const lines[][2] = {
		{ "'a b' c", "<a b><c>" },
		{ "\"a b\" c", "<a b><c>" },
		{ "a'b c'd", "<ab cd>" },
		{ "'a'\"b\"c", "<abc>" },
		{ "''", "<>" },
		{ "a '' \"\" b", "<a><><><b>" },
		{ "'a\"b'", "<a\"b>" },
		{ "\"a'b\"", "<a'b>" },
		{ "'a\\'", "<a\\>" },
		{ "'a\\\\b'", "<a\\\\b>" },
		{ "'#' \"#\"", "<#><#>" },
		{ "'$x' \"*\" `y`", "<$x><*><`y`>" },
	};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		expect_words(lines[i][0], lines[i][1]);
}
END_TEST

START_TEST(takes_what_follows_a_backslash_as_it_is)
{
	static const char *const lines[][2] = {
		{ "a\\ b", "<a b>" },
		{ "\\a", "<a>" },
		{ "\\\\", "<\\>" },
		{ "\\'", "<'>" },
		{ "\\\"a", "<\"a>" },
		{ "\\#a", "<#a>" },
		{ "\"a\\\"b\"", "<a\"b>" },
		{ "\"a\\\\\"", "<a\\>" },
		{ "\"\\$a\\`\"", "<$a`>" },
		{ "\"a\\b\"", "<a\\b>" },
	};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		expect_words(lines[i][0], lines[i][1]);
}
END_TEST

START_TEST(ends_at_a_comment)
{
	expect_words("# list", "");
	expect_words("  #list", "");
	expect_words("list # all 'of them", "<list>");
	expect_words("list #", "<list>");
	expect_words("a#b", "<a#b>");
	expect_words("''#b", "<#b>");
}
END_TEST

START_TEST(refuses_what_is_not_closed)
{
	static const char *const lines[][2] = {
		{ "'", "another '" },		 { "\"", "another \"" },
		{ "list 'web", "another '" },	 { "list \"web", "another \"" },
		{ "\"a\\\"", "another \"" },	 { "'a'b'", "another '" },
		{ "'a\"", "another '" },	 { "\\", "backslash" },
		{ "list web\\", "backslash" },	 { "\"a\"\\", "backslash" },
		{ "\"\\", "another \"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct words w = { 0 };
		struct err e = { 0 };

		ck_assert_int_eq(words_split(&e, lines[i][0], &w), -EINVAL);
		ck_assert_int_eq(e.code, EINVAL);
		ck_assert_msg(strstr(e.msg, lines[i][1]), "%s: %s", lines[i][0], e.msg);
		ck_assert_uint_eq(w.n, 0);
		ck_assert_ptr_null(w.items);
	}
}
END_TEST

START_TEST(clears_to_empty)
{
	struct words w = { 0 };
	struct err e;

	words_clear(&w);
	ck_assert_int_eq(words_split(&e, "a b", &w), 0);
	words_clear(&w);
	ck_assert_uint_eq(w.n, 0);
	ck_assert_ptr_null(w.items);
}
END_TEST

/* A word as it is written for a shell between single quotes. */
static void put_quoted(FILE *out, const char *word)
{
	fputc('\'', out);
	for (; *word; word++)
		fputs(*word == '\'' ? "'\\''" : (char[]){ *word, '\0' }, out);
	fputs("' ", out);
}

START_TEST(reads_back_any_words_that_are_quoted)
{
	uint64_t seed = 1;

	for (int round = 0; round < 2000; round++) {
		char words[4][8] = { 0 };
		size_t n = given_below(&seed, 5);
		CLEANUP(words_clear) struct words w = { 0 };
		struct unit_out o = { 0 };
		struct err e;

		unit_open(&o);
		for (size_t i = 0; i < n; i++) {
			for (size_t k = given_below(&seed, 8); k-- > 0;)
				words[i][k] = (char)(1 + given_below(&seed, 255));
			put_quoted(o.stream, words[i]);
		}
		fclose(o.stream);
		ck_assert_int_eq(words_split(&e, o.text, &w), 0);
		ck_assert_uint_eq(w.n, n);
		for (size_t i = 0; i < n; i++)
			ck_assert_str_eq(w.items[i], words[i]);
		free(o.text);
	}
}
END_TEST

START_TEST(keeps_within_bounds_whatever_the_line)
{
	static const char likely[] = "'\"\\# \t\r\nab$`";
	uint64_t seed = 2;

	for (int round = 0; round < (int)unit_many(50000); round++) {
		size_t len = given_below(&seed, 24);
		CLEANUP_FREE char *line = calloc(len + 1, 1); /* exactly: a sanitizer sees what is beyond */
		CLEANUP(words_clear) struct words w = { 0 };
		struct err e = { 0 };
		size_t sum = 0;
		int ret;

		for (size_t i = 0; i < len; i++)
			line[i] = given_below(&seed, 4) ? likely[given_below(&seed, sizeof(likely) - 1)]
							: (char)(1 + given_below(&seed, 255));
		ret = words_split(&e, line, &w);
		ck_assert_msg(ret == 0 || ret == -EINVAL, "%s: %d", line, ret);
		ck_assert_int_eq(ret, -e.code);
		for (size_t i = 0; i < w.n; i++)
			sum += strlen(w.items[i]) + 1;
		ck_assert_uint_le(sum, len + 1);
	}
}
END_TEST

START_TEST(splits_a_long_line)
{
	size_t len = 64 << 10;
	CLEANUP_FREE char *line = malloc(len + 1);
	CLEANUP(words_clear) struct words w = { 0 };
	struct err e;

	for (size_t i = 0; i < len; i++)
		line[i] = i % 2 ? ' ' : 'a';
	line[len] = '\0';
	ck_assert_int_eq(words_split(&e, line, &w), 0);
	ck_assert_uint_eq(w.n, len / 2);
	ck_assert_str_eq(w.items[w.n - 1], "a");
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, splits_at_blanks);
	tcase_add_test(tc, takes_quotes_away_and_what_is_between_as_it_is);
	tcase_add_test(tc, takes_what_follows_a_backslash_as_it_is);
	tcase_add_test(tc, ends_at_a_comment);
	tcase_add_test(tc, refuses_what_is_not_closed);
	tcase_add_test(tc, clears_to_empty);
	tcase_add_test(tc, reads_back_any_words_that_are_quoted);
	tcase_add_test(tc, keeps_within_bounds_whatever_the_line);
	tcase_add_test(tc, splits_a_long_line);
}

int main(void)
{
	return unit_main("words", add);
}
