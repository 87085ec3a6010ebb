/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The state file as a file: where it is made, and who may touch it. */
#include "state.h"

static mode_t mode_of(const char *path)
{
	struct stat st;

	ck_assert_msg(lstat(path, &st) == 0, "%s: %s", path, strerror(errno));
	return st.st_mode & 07777;
}

START_TEST(makes_a_file_that_only_its_owner_can_use)
{
	struct state state, below;

	umask(0);
	given_state(&state);
	snprintf(below.path, sizeof(below.path), "%.150s/new/gateway.db", state.dir);
	snprintf(below.dir, sizeof(below.dir), "%.150s/new", state.dir);
	store_close(state_open(&below, STORE_WRITE));
	ck_assert_uint_eq(mode_of(below.path), 0600);
	ck_assert_uint_eq(mode_of(below.dir), 0700);
}
END_TEST

START_TEST(makes_no_directory_above_the_last)
{
	struct state state;

	given_state(&state);
	snprintf(state.path, sizeof(state.path), "%.150s/a/b/gateway.db", state.dir);
	state_refused(&state, STORE_WRITE, ENOENT, "/a/b");
	ck_assert_uint_eq(state_n_files(state.dir), 0);
}
END_TEST

START_TEST(a_missing_file_reads_as_empty_and_is_not_made)
{
	static const char *const paths[] = { "/gateway.db", "/a/gateway.db", "/a/b/gateway.db" };
	struct state state;

	given_state(&state);
	for (size_t i = 0; i < 2 * ARRAY_LEN(paths); i++) {
		CLEANUP(store_closep) struct store *s = NULL;
		struct counters sum;
		uint64_t n = 77;
		struct err e;

		snprintf(state.path, sizeof(state.path), "%.150s%s", state.dir, paths[i / 2]);
		s = state_open(&state, i % 2 ? STORE_READ : STORE_UPDATE);
		ck_assert_uint_eq(state_n_routes(s), 0);
		ck_assert_int_eq(store_ledger_sum(&e, s, NULL, &sum, &n), 0);
		ck_assert_uint_eq(n, 0);
		ck_assert_int_eq(store_lock(&e, s), 0); /* there is nothing to wait for */
		store_unlock(s);
		ck_assert_uint_eq(state_n_files(state.dir), 0);
	}
}
END_TEST

START_TEST(changes_what_exists_without_making_it)
{
	CLEANUP(store_closep) struct store *s = NULL;
	struct route r = given_route("b", 80, "198.51.100.1:2");
	struct state state;

	given_state_file(&state);
	s = state_open(&state, STORE_UPDATE);
	state_add(s, &r);
	ck_assert_uint_eq(state_n_routes(s), 2);
	ck_assert_int_eq(state_sql(&state, "SELECT count(*) FROM route"), 2);
}
END_TEST

START_TEST(an_empty_file_is_like_a_missing_one)
{
	struct state state;
	struct store *s;

	given_state(&state);
	state_write(state.path, "", 0);
	for (int mode = STORE_READ; mode <= STORE_WRITE; mode++) {
		s = state_open(&state, (enum store_mode)mode);
		ck_assert_uint_eq(state_n_routes(s), 0);
		store_close(s);
	}
	ck_assert_int_eq(state_sql(&state, "PRAGMA user_version"), STORE_VERSION);
}
END_TEST

START_TEST(a_reader_cannot_write)
{
	for (int present = 0; present <= 1; present++) {
		CLEANUP(store_closep) struct store *s = NULL;
		struct setup_record record = { .step = "step" };
		struct state state;
		struct err e;

		if (present)
			given_state_file(&state);
		else
			given_state(&state);
		s = state_open(&state, STORE_READ);
		ck_assert_msg(store_setup_put(&e, s, &record) < 0, "file present: %d", present);
	}
}
END_TEST

START_TEST(takes_a_path_without_a_directory)
{
	struct state state;
	struct stat st;

	given_state(&state);
	ck_assert_int_eq(chdir(state.dir), 0);
	snprintf(state.path, sizeof(state.path), "gateway.db");
	store_close(state_open(&state, STORE_WRITE));
	ck_assert_int_eq(stat("gateway.db", &st), 0);
	ck_assert(S_ISREG(st.st_mode));
}
END_TEST

START_TEST(refuses_a_directory_that_leads_nowhere)
{
	struct state state;
	char link[192];

	given_state(&state);
	snprintf(link, sizeof(link), "%.150s/link", state.dir);
	ck_assert_int_eq(symlink("nowhere", link), 0);
	snprintf(state.path, sizeof(state.path), "%.150s/link/gateway.db", state.dir);
	state_refused_all(&state, EINVAL, "symbolic link");
}
END_TEST

START_TEST(refuses_a_file_that_others_can_write_to)
{
	static const mode_t modes[] = { 0620, 0602, 0666, 0660 };
	struct state state;

	given_state_file(&state);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		ck_assert_int_eq(chmod(state.path, modes[i]), 0);
		state_refused_all(&state, EINVAL, state.path);
	}
	ck_assert_int_eq(chmod(state.path, 0644), 0); /* whoever may read it decides nothing */
	store_close(state_open(&state, STORE_WRITE));
}
END_TEST

START_TEST(refuses_a_directory_that_others_can_write_to)
{
	static const mode_t modes[] = { 0720, 0702, 0777, 01777 };
	struct state state;

	given_state_file(&state);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		ck_assert_int_eq(chmod(state.dir, modes[i]), 0);
		state_refused_all(&state, EINVAL, state.dir);
	}
	ck_assert_int_eq(chmod(state.dir, 0755), 0);
	store_close(state_open(&state, STORE_WRITE));
}
END_TEST

START_TEST(refuses_a_file_or_directory_of_somebody_else)
{
	struct state state;

	if (geteuid() != 0)
		return; /* only root can give a file away */
	given_state_file(&state);
	ck_assert_int_eq(chown(state.path, 12345, 12345), 0);
	state_refused_all(&state, EINVAL, state.path);
	ck_assert_int_eq(chown(state.path, 0, 0), 0);
	ck_assert_int_eq(chown(state.dir, 12345, 12345), 0);
	state_refused_all(&state, EINVAL, state.dir);
}
END_TEST

static void given_journal(const struct state *state, char journal[static 256])
{
	snprintf(journal, 256, "%s-journal", state->path);
	ck_assert_int_eq(access(journal, F_OK), 0);
}

/* What is in it gets into the file. */
START_TEST(refuses_a_journal_that_others_can_write_to)
{
	static const mode_t modes[] = { 0620, 0602, 0666, 0660 };
	struct state state;
	char journal[256];

	given_state_file(&state);
	given_journal(&state, journal);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		ck_assert_int_eq(chmod(journal, modes[i]), 0);
		state_refused_all(&state, EINVAL, journal);
	}
	ck_assert_int_eq(chmod(journal, 0640), 0);
	store_close(state_open(&state, STORE_WRITE));
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chown(journal, 12345, 12345), 0);
	state_refused_all(&state, EINVAL, journal);
}
END_TEST

START_TEST(refuses_a_journal_that_is_no_regular_file)
{
	struct state state;
	char journal[256], target[256];

	given_state_file(&state);
	given_journal(&state, journal);
	snprintf(target, sizeof(target), "%.150s/target", state.dir);
	ck_assert_int_eq(rename(journal, target), 0);
	ck_assert_int_eq(symlink(target, journal), 0);
	state_refused_all(&state, EINVAL, "not a regular file");
	ck_assert_int_eq(unlink(journal), 0);
	ck_assert_int_eq(mkfifo(journal, 0600), 0);
	state_refused_all(&state, EINVAL, "not a regular file");
	ck_assert_int_eq(unlink(journal), 0);
	ck_assert_int_eq(mkdir(journal, 0700), 0);
	state_refused_all(&state, EINVAL, "not a regular file");
	ck_assert_int_eq(rmdir(journal), 0);
	store_close(state_open(&state, STORE_WRITE)); /* none at all is as it should be */
}
END_TEST

START_TEST(refuses_a_link_to_a_directory)
{
	struct state state;
	char target[192], moved[256];

	given_state_file(&state);
	snprintf(target, sizeof(target), "%.150s.target", state.dir);
	ck_assert_int_eq(rename(state.dir, target), 0);
	ck_assert_int_eq(symlink(target, state.dir), 0);
	state_refused_all(&state, EINVAL, "symbolic link");
	snprintf(moved, sizeof(moved), "%s%s", target, strrchr(state.path, '/'));
	ck_assert_int_eq(unlink(moved), 0); /* nor is a file made behind it */
	state_refused_all(&state, EINVAL, "symbolic link");
	ck_assert_int_eq(access(moved, F_OK), -1);
	ck_assert_int_eq(unlink(state.dir), 0);
	ck_assert_int_eq(rename(target, state.dir), 0);
}
END_TEST

START_TEST(makes_the_same_modes_whatever_the_umask)
{
	mode_t before = umask(0);
	struct state state;
	struct stat st;

	given_state_file(&state);
	umask(before);
	ck_assert_int_eq(stat(state.path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(stat(state.dir, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
}
END_TEST

START_TEST(refuses_what_is_no_regular_file)
{
	struct state state;
	char target[192];
	struct store *s = NULL;
	struct err e = { 0 };

	given_state_file(&state);
	snprintf(target, sizeof(target), "%.150s/target.db", state.dir);
	ck_assert_int_eq(rename(state.path, target), 0);
	ck_assert_int_eq(symlink("target.db", state.path), 0);
	state_refused_all(&state, EINVAL, "symbolic link");
	ck_assert_int_eq(unlink(target), 0); /* the link leads nowhere */
	state_refused_all(&state, EINVAL, "symbolic link");
	ck_assert_int_eq(access(target, F_OK), -1);
	ck_assert_int_eq(unlink(state.path), 0);
	ck_assert_int_eq(mkdir(state.path, 0700), 0);
	state_refused(&state, STORE_READ, EINVAL, "not a regular file");
	ck_assert_int_lt(store_open(&e, state.path, STORE_WRITE, &s), 0);
	ck_assert_ptr_null(s);
}
END_TEST

/* Runs in a process of its own, that is not root; its exit status is 0 when all is well. */
static int try_as_nobody(const struct state *state)
{
	pid_t child = fork();
	int status = -1;

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		struct store *s;
		struct err e = { 0 };

		if (geteuid() == 0 && seteuid(65534) < 0)
			_exit(2);
		if (store_open(&e, state->path, STORE_READ, &s) != -EACCES || e.code != EACCES)
			_exit(3);
		_exit(strstr(e.msg, "run as root") ? 0 : 4);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

START_TEST(says_that_it_is_not_permitted)
{
	struct state state;

	given_state_file(&state);
	ck_assert_int_eq(chmod(state_root, 0755), 0);
	ck_assert_int_eq(chmod(state.dir, geteuid() == 0 ? 0711 : 0700), 0);
	ck_assert_int_eq(chmod(state.path, geteuid() == 0 ? 0600 : 0), 0);
	ck_assert_int_eq(try_as_nobody(&state), 0);
}
END_TEST

START_TEST(refuses_a_path_that_is_too_long)
{
	static char path[5000];
	struct store *s = NULL;
	struct err e = { 0 };

	memset(path, 'a', sizeof(path) - 1);
	path[0] = '/';
	ck_assert_int_eq(store_open(&e, path, STORE_WRITE, &s), -EINVAL);
	ck_assert_int_eq(e.code, EINVAL);
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 60);
	tcase_add_unchecked_fixture(tc, state_make_root, state_remove_root);
	tcase_add_test(tc, makes_a_file_that_only_its_owner_can_use);
	tcase_add_test(tc, makes_no_directory_above_the_last);
	tcase_add_test(tc, a_missing_file_reads_as_empty_and_is_not_made);
	tcase_add_test(tc, changes_what_exists_without_making_it);
	tcase_add_test(tc, an_empty_file_is_like_a_missing_one);
	tcase_add_test(tc, a_reader_cannot_write);
	tcase_add_test(tc, takes_a_path_without_a_directory);
	tcase_add_test(tc, refuses_a_directory_that_leads_nowhere);
	tcase_add_test(tc, refuses_a_file_that_others_can_write_to);
	tcase_add_test(tc, refuses_a_directory_that_others_can_write_to);
	tcase_add_test(tc, refuses_a_file_or_directory_of_somebody_else);
	tcase_add_test(tc, refuses_a_journal_that_others_can_write_to);
	tcase_add_test(tc, refuses_a_journal_that_is_no_regular_file);
	tcase_add_test(tc, refuses_a_link_to_a_directory);
	tcase_add_test(tc, makes_the_same_modes_whatever_the_umask);
	tcase_add_test(tc, refuses_what_is_no_regular_file);
	tcase_add_test(tc, says_that_it_is_not_permitted);
	tcase_add_test(tc, refuses_a_path_that_is_too_long);
}

int main(void)
{
	return unit_main("store_file", add);
}
