/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell_history.h"
#include "state.h"

static void collect(void *ctx, const char *line)
{
	struct unit_out *o = ctx;

	fprintf(o->stream, "%s,", line);
}

static void expect_history(const char *path, const char *lines)
{
	struct unit_out o = { 0 };

	unit_open(&o);
	shell_history_read(path, collect, &o);
	unit_expect(&o, lines);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_mode & 07777;
}

/* A file with lines 1..n. */
static void given_lines(const char *path, int n)
{
	FILE *f = fopen(path, "w");

	for (int i = 1; i <= n; i++)
		fprintf(f, "%d\n", i);
	ck_assert_int_eq(fclose(f), 0);
}

struct numbers {
	int first, last, n;
};

static void note(void *ctx, const char *line)
{
	struct numbers *seen = ctx;

	seen->last = atoi(line);
	seen->first = seen->n++ ? seen->first : seen->last;
}

static void expect_numbers(const char *path, int first, int last)
{
	struct numbers seen = { 0 };

	shell_history_read(path, note, &seen);
	ck_assert_int_eq(seen.first, first);
	ck_assert_int_eq(seen.last, last);
	ck_assert_int_eq(seen.n, last - first + 1);
}

START_TEST(reads_what_was_added)
{
	struct state s;

	given_state(&s);
	expect_history(s.path, "");
	shell_history_add(s.path, "one");
	shell_history_add(s.path, "two words");
	expect_history(s.path, "one,two words,");
	ck_assert_int_eq(mode_of(s.path), 0600);
}
END_TEST

START_TEST(reads_a_file_without_a_newline_at_the_end)
{
	struct state s;

	given_state(&s);
	state_write(s.path, "one\n\ntwo", 8);
	expect_history(s.path, "one,two,");
	state_write(s.path, "\n", 1);
	expect_history(s.path, "");
	state_write(s.path, "", 0);
	expect_history(s.path, "");
}
END_TEST

START_TEST(takes_the_file_from_others)
{
	struct state s;

	given_state(&s);
	state_write(s.path, "one\n", 4);
	ck_assert_int_eq(chmod(s.path, 0644), 0);
	expect_history(s.path, "one,");
	ck_assert_int_eq(mode_of(s.path), 0600);
}
END_TEST

START_TEST(leaves_the_last_thousand_lines)
{
	struct state s;

	given_state(&s);
	given_lines(s.path, 1000);
	shell_history_shorten(s.path);
	expect_numbers(s.path, 1, 1000);
	given_lines(s.path, 1001);
	expect_numbers(s.path, 2, 1001);
	ck_assert_int_eq(chmod(s.path, 0644), 0);
	shell_history_shorten(s.path);
	expect_numbers(s.path, 2, 1001);
	ck_assert_int_eq(mode_of(s.path), 0600);
	given_lines(s.path, 5000);
	shell_history_shorten(s.path);
	expect_numbers(s.path, 4001, 5000);
	ck_assert_uint_eq(state_n_files(s.dir), 1);
}
END_TEST

START_TEST(reads_the_end_of_a_huge_file)
{
	struct state s;

	given_state(&s);
	given_lines(s.path, 1000000);
	expect_numbers(s.path, 999001, 1000000);
	shell_history_shorten(s.path);
	expect_numbers(s.path, 999001, 1000000);
}
END_TEST

START_TEST(keeps_no_line_that_is_too_long)
{
	char line[SHELL_HISTORY_LINE_MAX + 2];
	struct state s;
	struct stat st;

	given_state(&s);
	memset(line, 'x', sizeof(line));
	line[SHELL_HISTORY_LINE_MAX + 1] = '\0';
	shell_history_add(s.path, line);
	ck_assert_int_ne(stat(s.path, &st), 0);
	line[SHELL_HISTORY_LINE_MAX] = '\0';
	shell_history_add(s.path, line);
	ck_assert_int_eq(stat(s.path, &st), 0);
	ck_assert_int_eq(st.st_size, SHELL_HISTORY_LINE_MAX + 1);
}
END_TEST

/* What stands at s->path leads to other, which must stay as it is and is not read. */
static void expect_other_untouched(const struct state *s, const char *other)
{
	struct stat before, after;

	ck_assert_int_eq(stat(other, &before), 0);
	shell_history_add(s->path, "line");
	expect_history(s->path, "");
	shell_history_shorten(s->path);
	ck_assert_int_eq(stat(other, &after), 0);
	ck_assert_int_eq(after.st_size, before.st_size);
	ck_assert_int_eq(after.st_mode, before.st_mode);
}

START_TEST(touches_nothing_through_a_link)
{
	char other[256];
	struct state s;

	given_state(&s);
	snprintf(other, sizeof(other), "%s/other", s.dir);
	given_lines(other, 2000);
	ck_assert_int_eq(chmod(other, 0644), 0);
	ck_assert_int_eq(symlink(other, s.path), 0);
	expect_other_untouched(&s, other);
	ck_assert_int_eq(unlink(s.path), 0);
	ck_assert_int_eq(link(other, s.path), 0);
	expect_other_untouched(&s, other);
	ck_assert_uint_eq(state_n_files(s.dir), 2);
}
END_TEST

START_TEST(makes_no_file_through_a_symbolic_link)
{
	char other[256];
	struct state s;

	given_state(&s);
	snprintf(other, sizeof(other), "%s/other", s.dir);
	ck_assert_int_eq(symlink(other, s.path), 0);
	shell_history_add(s.path, "line");
	shell_history_shorten(s.path);
	ck_assert_int_ne(access(other, F_OK), 0);
}
END_TEST

START_TEST(does_without_a_file_where_there_can_be_none)
{
	char path[256], byte;
	struct state s;
	int reader;

	given_state(&s);
	snprintf(path, sizeof(path), "%s/no/history", s.dir);
	shell_history_add(path, "line");
	expect_history(path, "");
	shell_history_shorten(path);

	shell_history_add(s.dir, "line");
	expect_history(s.dir, "");
	shell_history_shorten(s.dir);

	ck_assert_int_eq(mkfifo(s.path, 0600), 0);
	reader = open(s.path, O_RDONLY | O_NONBLOCK);
	shell_history_add(s.path, "line");
	expect_history(s.path, "");
	shell_history_shorten(s.path);
	ck_assert_int_le(read(reader, &byte, 1), 0);
	close(reader);
	expect_history(s.path, "");
	ck_assert_uint_eq(state_n_files(s.dir), 1);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_unchecked_fixture(tc, state_make_root, state_remove_root);
	tcase_add_test(tc, reads_what_was_added);
	tcase_add_test(tc, reads_a_file_without_a_newline_at_the_end);
	tcase_add_test(tc, takes_the_file_from_others);
	tcase_add_test(tc, leaves_the_last_thousand_lines);
	tcase_add_test(tc, reads_the_end_of_a_huge_file);
	tcase_add_test(tc, keeps_no_line_that_is_too_long);
	tcase_add_test(tc, touches_nothing_through_a_link);
	tcase_add_test(tc, makes_no_file_through_a_symbolic_link);
	tcase_add_test(tc, does_without_a_file_where_there_can_be_none);
}

int main(void)
{
	return unit_main("shell_history", add);
}
