/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "similar.h"
#include "unit.h"

static const char *const names[] = { "add", "edit", "delete", "list", "sync", "dry-run", "drain" };

static const char *nearest(const char *word)
{
	const char *best = NULL;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		best = similar_nearer(word, best, names[i]);
	return best;
}

START_TEST(finds_the_name_that_was_meant)
{
	static const char *const slips[][2] = {
		{ "lst", "list" },    { "lsit", "list" },      { "liist", "list" },
		{ "lost", "list" },   { "sinc", "sync" },      { "dleete", "delete" },
		{ "del", "delete" },  { "dryrun", "dry-run" }, { "dry_run", "dry-run" },
		{ "drian", "drain" }, { "ad", "add" },         { "list", "list" },
	};

	for (size_t i = 0; i < ARRAY_LEN(slips); i++) {
		const char *found = nearest(slips[i][0]);

		ck_assert_msg(found && strcmp(found, slips[i][1]) == 0, "%s: %s", slips[i][0],
			      found ? found : "nothing");
	}
}
END_TEST

START_TEST(finds_nothing_for_a_word_that_is_like_none)
{
	static const char *const words[] = { "", "x", "a", "-", "frobnicate", "xyz", "lixx", "container",
					     "list list list list list list list" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		ck_assert_msg(!nearest(words[i]), "%s", words[i]);
}
END_TEST

START_TEST(keeps_the_first_of_equals)
{
	ck_assert_str_eq(similar_nearer("bat", "cat", "hat"), "cat");
	ck_assert_str_eq(similar_nearer("bat", "xyz", "hat"), "hat");
	ck_assert_str_eq(similar_nearer("bat", "cat", NULL), "cat");
	ck_assert_ptr_null(similar_nearer("bat", NULL, NULL));
}
END_TEST

START_TEST(bounds_its_work_on_long_words)
{
	size_t len = 10 << 20;
	char *word = malloc(len + 1);

	memset(word, 'a', len);
	word[len] = '\0';
	ck_assert_ptr_null(similar_nearer(word, "add", word));
	word[32] = '\0';
	ck_assert_ptr_eq(similar_nearer(word, "add", word), word);
	free(word);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, finds_the_name_that_was_meant);
	tcase_add_test(tc, finds_nothing_for_a_word_that_is_like_none);
	tcase_add_test(tc, keeps_the_first_of_equals);
	tcase_add_test(tc, bounds_its_work_on_long_words);
}

int main(void)
{
	return unit_main("similar", add);
}
