/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When the journal's name is synced: whenever it may not have been, and only then. */
#include "state.h"

/* --- SQLite's own way to sync a directory, counted ------------------------------ */

static int n_synced;
static int (*really_open)(const char *file, int *fd);

static int open_counted(const char *file, int *fd)
{
	n_synced++;
	return really_open(file, fd);
}

static void count_syncs(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

	if (really_open) /* by a test before, in the same process */
		return;
	really_open = (int (*)(const char *, int *))vfs->xGetSystemCall(vfs, "openDirectory");
	ck_assert_ptr_nonnull(really_open);
	ck_assert_int_eq(vfs->xSetSystemCall(vfs, "openDirectory", (sqlite3_syscall_ptr)open_counted), SQLITE_OK);
}

/* --- State files, and commits --------------------------------------------------- */

static void given_file(struct state *state, char journal[static 256])
{
	given_state(state);
	store_close(state_open(state, STORE_WRITE));
	snprintf(journal, 256, "%s-journal", state->path);
	n_synced = 0;
}

/* One more change; returns how many directories were synced for it. */
static int commit(struct store *s)
{
	struct err e = { 0 };
	int before = n_synced;
	static int64_t at = 1790000000;

	ck_assert_msg(store_begin(&e, s) == 0, "%s", e.msg);
	ck_assert_msg(store_set_checkpoint(&e, s, ++at) == 0, "%s", e.msg);
	ck_assert_msg(store_commit(&e, s) == 0, "%s", e.msg);
	return n_synced - before;
}

static int commit_anew(const struct state *state)
{
	CLEANUP(store_closep) struct store *s = state_open(state, STORE_WRITE);

	return commit(s);
}

static off_t size_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_size;
}

/* --- The tests ------------------------------------------------------------------- */

START_TEST(a_new_file_s_journal_is_synced)
{
	struct state state;

	count_syncs();
	given_state(&state);
	store_close(state_open(&state, STORE_WRITE));
	ck_assert_int_eq(n_synced, 1);
}
END_TEST

START_TEST(one_that_has_been_through_a_commit_is_not)
{
	struct state state;
	char journal[256];

	count_syncs();
	given_file(&state, journal);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(commit_anew(&state), 0);
	ck_assert_int_gt(size_of(journal), 512);
}
END_TEST

START_TEST(one_that_was_removed_is_again)
{
	struct state state;
	char journal[256];

	count_syncs();
	given_file(&state, journal);
	ck_assert_int_eq(unlink(journal), 0);
	ck_assert_int_eq(commit_anew(&state), 1);
	ck_assert_int_eq(commit_anew(&state), 0);
}
END_TEST

/* While the store is open, too: by a program that keeps no journal. */
START_TEST(one_that_another_program_removes_meanwhile_is_again)
{
	struct state state;
	char journal[256];
	struct store *s;

	count_syncs();
	given_file(&state, journal);
	s = state_open(&state, STORE_WRITE);
	ck_assert_int_eq(commit(s), 0);
	state_sql(&state, "PRAGMA journal_mode = DELETE; DELETE FROM checkpoint");
	ck_assert_int_eq(access(journal, F_OK), -1);
	n_synced = 0;
	ck_assert_int_eq(commit(s), 1);
	ck_assert_int_eq(commit(s), 0);
	store_close(s);
}
END_TEST

/* Whoever was killed as soon as it had made one has written its header, but not synced it. */
START_TEST(one_that_was_only_begun_is_again)
{
	static const unsigned char begun[512] = { [12] = 1, 2, 3, 4, [19] = 1, [22] = 2, [26] = 16 };
	struct state state;
	char journal[256];
	int fd;

	count_syncs();
	given_file(&state, journal);
	fd = open(journal, O_WRONLY | O_TRUNC | O_CLOEXEC);
	ck_assert_int_eq(write(fd, begun, sizeof(begun)), sizeof(begun));
	close(fd);
	ck_assert_int_eq(commit_anew(&state), 1);
	ck_assert_int_eq(commit_anew(&state), 0);
}
END_TEST

START_TEST(one_that_is_too_short_is_again)
{
	static const char zeros[27];
	struct state state;
	char journal[256];
	int fd;

	count_syncs();
	given_file(&state, journal);
	for (size_t i = 0; i < 2; i++) {
		fd = open(journal, O_WRONLY | O_TRUNC | O_CLOEXEC);
		ck_assert_int_eq(write(fd, zeros, i * sizeof(zeros)), (ssize_t)(i * sizeof(zeros)));
		close(fd);
		ck_assert_int_eq(commit_anew(&state), 1);
	}
}
END_TEST

/* One file's journal says nothing of another's. */
START_TEST(each_file_is_looked_at)
{
	struct state state, other;
	char journal[256], others[256];
	struct store *s, *o;

	count_syncs();
	given_file(&state, journal);
	given_file(&other, others);
	s = state_open(&state, STORE_WRITE);
	o = state_open(&other, STORE_WRITE);
	ck_assert_int_eq(unlink(others), 0);
	ck_assert_int_eq(commit(s), 0);
	ck_assert_int_eq(commit(o), 1);
	ck_assert_int_eq(commit(s), 0);
	store_close(s);
	store_close(o);
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 60);
	tcase_add_unchecked_fixture(tc, state_make_root, state_remove_root);
	tcase_add_test(tc, a_new_file_s_journal_is_synced);
	tcase_add_test(tc, one_that_has_been_through_a_commit_is_not);
	tcase_add_test(tc, one_that_was_removed_is_again);
	tcase_add_test(tc, one_that_another_program_removes_meanwhile_is_again);
	tcase_add_test(tc, one_that_was_only_begun_is_again);
	tcase_add_test(tc, one_that_is_too_short_is_again);
	tcase_add_test(tc, each_file_is_looked_at);
}

int main(void)
{
	return unit_main("store_journal", add);
}
