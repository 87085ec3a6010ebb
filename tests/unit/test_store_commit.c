/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a commit says while the disk fails is what is in the file afterwards. */
#include "state.h"

#include <sys/syscall.h>

static int fail_at, fail_with; /* this flush from now on, from 1, fails once; 0: none */
static bool goes_on; /* and so do all that follow */
static int n_flushes;

static int read_fails_at; /* this one, from 1; 0: none */
static int n_reads = -1; /* since the transaction began; -1: it has not */

/* In the place of the C library's. */
int fdatasync(int fd)
{
	n_flushes++;
	if (fail_at && (goes_on ? n_flushes >= fail_at : n_flushes == fail_at)) {
		errno = fail_with;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

static ssize_t read_or_fail(int fd, void *buf, size_t count, off_t offset)
{
	if (n_reads >= 0 && ++n_reads == read_fails_at) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_pread64, fd, buf, count, offset);
}

ssize_t pread64(int fd, void *buf, size_t count, off_t offset) /* SQLite's */
{
	return read_or_fail(fd, buf, count, offset);
}

ssize_t pread(int fd, void *buf, size_t count, off_t offset) /* ours */
{
	return read_or_fail(fd, buf, count, offset);
}

static int n_asked; /* reads by the last add_route */

static void given_failure(int at, int error, bool and_on)
{
	n_flushes = 0;
	n_reads = 0;
	fail_at = at;
	fail_with = error;
	goes_on = and_on;
}

/* Adds a second route while a flush fails. 0, or the code of the failure, with its message in e. */
static int add_route(struct err *e, const struct state *state, int at, int error, bool and_on)
{
	CLEANUP(store_closep) struct store *s = state_open(state, STORE_WRITE);
	CLEANUP(route_clear) struct route r = given_route("b", 80, "198.51.100.1:2");
	int ret;

	ck_assert_int_eq(store_lock(e, s), 0);
	given_failure(at, error, and_on);
	ret = store_begin(e, s);
	if (ret == 0)
		ret = store_add_route(e, s, &r);
	if (ret == 0)
		ret = store_commit(e, s);
	store_rollback(s);
	fail_at = 0;
	n_asked = n_reads;
	n_reads = -1;
	return ret;
}

START_TEST(what_one_failed_flush_leaves_is_what_was_said)
{
	int said_no = 0, said_yes = 0, at = 1;

	for (; n_flushes >= at - 1; at++) {
		struct state state;
		struct err e = { 0 };
		int ret;

		given_state_file(&state);
		ret = add_route(&e, &state, at, at % 2 ? EIO : ENOSPC, false);
		ck_assert_int_eq(state_sql(&state, "SELECT count(*) FROM route"), ret == 0 ? 2 : 1);
		ck_assert_msg(ret == 0 || !strstr(e.msg, "may have been written"), "%s", e.msg);
		said_no += ret < 0;
		said_yes += ret == 0;
	}
	ck_assert_int_ge(said_no, 3);
	ck_assert_int_ge(said_yes, 2); /* the last flush, and none */
}
END_TEST

START_TEST(who_cannot_know_says_so)
{
	for (int at = 1; at <= 4; at++) {
		struct state state;
		struct err e = { 0 };

		given_state_file(&state);
		ck_assert_int_eq(add_route(&e, &state, at, EIO, true), -EIO);
		if (!strstr(e.msg, "it may have been written all the same"))
			ck_assert_int_eq(state_sql(&state, "SELECT count(*) FROM route"), 1);
		ck_assert_int_eq(state_sql(&state, "PRAGMA quick_check; SELECT count(*) FROM route WHERE container = 'a'"), 1);
	}
}
END_TEST

/* Where the second reading of the disk fails, too: one knows, or says that one does not. */
START_TEST(two_failures_make_nobody_lie)
{
	int n_pairs = 0;

	for (int at = 1; at <= 5; at++) {
		read_fails_at = 0;
		do {
			struct state state;
			struct err e = { 0 };
			int64_t n;
			int ret;

			read_fails_at++;
			given_state_file(&state);
			ret = add_route(&e, &state, at, EIO, false);
			n = state_sql(&state, "SELECT count(*) FROM route");
			ck_assert_msg(n == (ret == 0 ? 2 : 1) || (ret < 0 && strstr(e.msg, "may have been written")),
				      "flush %d, read %d: %d, %d routes: %s", at, read_fails_at, ret, (int)n, e.msg);
			n_pairs++;
		} while (n_asked >= read_fails_at);
	}
	read_fails_at = 0;
	ck_assert_int_ge(n_pairs, 5 + 8);
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 60);
	tcase_add_unchecked_fixture(tc, state_make_root, state_remove_root);
	tcase_add_test(tc, what_one_failed_flush_leaves_is_what_was_said);
	tcase_add_test(tc, who_cannot_know_says_so);
	tcase_add_test(tc, two_failures_make_nobody_lie);
}

int main(void)
{
	return unit_main("store_commit", add);
}
