/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "outfile.h"
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char dir[] = "/tmp/outfile.XXXXXX", file[64], lnk[64];

static void set_up(void)
{
	ck_assert_ptr_nonnull(mkdtemp(strcpy(dir, "/tmp/outfile.XXXXXX")));
	snprintf(file, sizeof(file), "%s/file", dir);
	snprintf(lnk, sizeof(lnk), "%s/link", dir);
}

static void tear_down(void)
{
	unlink(file);
	unlink(lnk);
	ck_assert_int_eq(rmdir(dir), 0); /* nothing else is left */
}

static void expect_content(const char *text)
{
	char buf[64] = "";
	FILE *f = fopen(file, "r");

	ck_assert_ptr_nonnull(f);
	buf[fread(buf, 1, sizeof(buf) - 1, f)] = '\0';
	fclose(f);
	ck_assert_str_eq(buf, text);
}

static void write_file(const char *path, const char *text)
{
	struct outfile f;
	struct err e;

	ck_assert_int_eq(outfile_begin(&e, path, &f), 0);
	fputs(text, f.stream);
	ck_assert_int_eq(outfile_end(&e, &f), 0);
}

/* The mode that a file has when it was written under this umask. */
static mode_t write_with_umask(mode_t mask, const char *text)
{
	mode_t before = umask(mask);
	struct stat st;

	write_file(file, text);
	umask(before);
	expect_content(text);
	ck_assert_int_eq(stat(file, &st), 0);
	return st.st_mode & 07777;
}

START_TEST(makes_a_file_for_whom_the_umask_says)
{
	static const mode_t masks[] = { 022, 077, 027, 0 };

	for (size_t i = 0; i < ARRAY_LEN(masks); i++) {
		ck_assert_uint_eq(write_with_umask(masks[i], "one\n"), 0644 & ~masks[i]);
		unlink(file);
	}
}
END_TEST

START_TEST(leaves_a_file_to_whom_it_was_for)
{
	static const mode_t modes[] = { 0600, 0640, 0644, 0666, 0604 };

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		write_file(file, "one\n");
		ck_assert_int_eq(chmod(file, modes[i]), 0);
		ck_assert_uint_eq(write_with_umask(022, "two\n"), modes[i]);
		ck_assert_uint_eq(write_with_umask(077, "three\n"), modes[i]);
	}
}
END_TEST

/* Writes the file as somebody else, who may write beside it. */
static void write_as(uid_t uid, gid_t gid)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
			_exit(1);
		write_file(file, "two\n");
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

START_TEST(leaves_owner_and_group_as_far_as_it_may)
{
	static const struct {
		uid_t uid;
		gid_t gid;
		mode_t directory, before;
		uid_t owner;
		gid_t group;
		mode_t after;
	} cases[] = {
		{ 0, 0, 0775, 0640, 1001, 2001, 0640 },          /* who may do all */
		{ 0, 0, 01777, 0640, 0, 0, 0600 },               /* and finds what anybody may have put there */
		{ 0, 0, 01777, 0666, 0, 0, 0644 },
		{ 1002, 2001, 0777, 0640, 1002, 2001, 0640 },    /* is in the group */
		{ 1002, 2002, 0777, 0640, 1002, 2002, 0600 },    /* is not */
		{ 1002, 2002, 0777, 0664, 1002, 2002, 0644 },
		{ 1002, 2002, 0777, 0604, 1002, 2002, 0600 },    /* that group was not to read it */
	};
	struct stat st;

	if (geteuid() != 0)
		return; /* nobody else gives files away */
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ck_assert_int_eq(chmod(dir, cases[i].directory), 0);
		write_file(file, "one\n");
		ck_assert_int_eq(chown(file, 1001, 2001), 0);
		ck_assert_int_eq(chmod(file, cases[i].before), 0);
		write_as(cases[i].uid, cases[i].gid);
		expect_content("two\n");
		ck_assert_int_eq(stat(file, &st), 0);
		ck_assert_uint_eq(st.st_uid, cases[i].owner);
		ck_assert_uint_eq(st.st_gid, cases[i].group);
		ck_assert_uint_eq(st.st_mode & 07777, cases[i].after);
	}
}
END_TEST

START_TEST(knows_two_names_of_one_file)
{
	char other[sizeof(dir) + 16], in_two_ways[sizeof(dir) + 16];

	snprintf(other, sizeof(other), "%s/other", dir);
	snprintf(in_two_ways, sizeof(in_two_ways), "%s/./file", dir);
	ck_assert(outfile_is(file, in_two_ways)); /* before there is one */
	ck_assert(!outfile_is(file, other));
	ck_assert(!outfile_is("/nowhere/file", file));
	write_file(file, "one\n");
	ck_assert(outfile_is(file, in_two_ways));
	ck_assert(!outfile_is(other, file));
	ck_assert_int_eq(symlink("file", lnk), 0);
	ck_assert(outfile_is(lnk, file));
	ck_assert_int_eq(link(file, other), 0);
	ck_assert(outfile_is(file, other));
	unlink(other);
	write_file(other, "two\n");
	ck_assert(!outfile_is(other, file));
	ck_assert(!outfile_is(lnk, other));
	unlink(other);
}
END_TEST

START_TEST(replaces_a_file_only_at_the_end)
{
	struct outfile f;
	struct err e;

	write_file(file, "one\n");
	ck_assert_int_eq(outfile_begin(&e, file, &f), 0);
	fputs("two\n", f.stream);
	fflush(f.stream);
	expect_content("one\n");
	ck_assert_int_eq(outfile_end(&e, &f), 0);
	expect_content("two\n");
}
END_TEST

START_TEST(leaves_nothing_of_what_is_abandoned)
{
	struct outfile f;
	struct err e;

	write_file(file, "one\n");
	ck_assert_int_eq(outfile_begin(&e, file, &f), 0);
	fputs("two\n", f.stream);
	outfile_abandon(&f);
	outfile_abandon(&f);
	expect_content("one\n");
}
END_TEST

START_TEST(fails_if_any_write_did)
{
	struct outfile f;
	struct err e;
	int full = open("/dev/full", O_WRONLY);

	write_file(file, "one\n");
	ck_assert_int_eq(outfile_begin(&e, file, &f), 0);
	ck_assert_int_ge(dup2(full, fileno(f.stream)), 0);
	close(full);
	fputs("two\n", f.stream);
	ck_assert_int_eq(outfile_end(&e, &f), -ENOSPC);
	expect_content("one\n");
}
END_TEST

START_TEST(leaves_nothing_when_its_process_is_killed)
{
	struct outfile f;
	struct err e;
	int status, fd = open(dir, O_TMPFILE | O_WRONLY, 0600);
	pid_t pid;

	if (fd < 0)
		return; /* this file system has no files without a name */
	close(fd);
	pid = fork();
	if (pid == 0) {
		if (outfile_begin(&e, file, &f) == 0) {
			fputs("one\n", f.stream);
			fflush(f.stream);
			raise(SIGKILL);
		}
		_exit(1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(rmdir(dir), 0);
	ck_assert_int_eq(mkdir(dir, 0700), 0);
}
END_TEST

START_TEST(follows_symbolic_links)
{
	struct stat st;

	write_file(file, "one\n");
	ck_assert_int_eq(symlink("file", lnk), 0);
	write_file(lnk, "two\n");
	expect_content("two\n");
	ck_assert_int_eq(lstat(lnk, &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
}
END_TEST

START_TEST(refuses_a_pipe_by_any_name)
{
	char name[32];
	struct outfile f;
	struct stat st;
	struct err e;
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", ends[1]);
	ck_assert_int_eq(symlink(name, lnk), 0); /* as /dev/stdout is */
	ck_assert_int_eq(outfile_begin(&e, lnk, &f), -EINVAL);
	ck_assert_int_eq(outfile_begin(&e, name, &f), -EINVAL);
	ck_assert_int_eq(lstat(lnk, &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(refuses_a_file_that_has_no_name_any_more)
{
	char name[32];
	struct outfile f;
	struct err e;
	int fd;

	write_file(file, "one\n");
	fd = open(file, O_WRONLY);
	ck_assert_int_eq(unlink(file), 0);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	ck_assert_int_eq(outfile_begin(&e, name, &f), -ENOENT);
	close(fd);
}
END_TEST

START_TEST(refuses_what_is_no_file)
{
	struct outfile f;
	struct err e;

	ck_assert_int_eq(outfile_begin(&e, dir, &f), -EINVAL);
	ck_assert_int_eq(outfile_begin(&e, "/dev/null", &f), -EINVAL);
	ck_assert_int_eq(outfile_begin(&e, "/nowhere/file", &f), -ENOENT);
	ck_assert_int_eq(outfile_begin(&e, "", &f), -ERR_USAGE);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, makes_a_file_for_whom_the_umask_says);
	tcase_add_test(tc, leaves_a_file_to_whom_it_was_for);
	tcase_add_test(tc, leaves_owner_and_group_as_far_as_it_may);
	tcase_add_test(tc, knows_two_names_of_one_file);
	tcase_add_test(tc, replaces_a_file_only_at_the_end);
	tcase_add_test(tc, leaves_nothing_of_what_is_abandoned);
	tcase_add_test(tc, fails_if_any_write_did);
	tcase_add_test(tc, leaves_nothing_when_its_process_is_killed);
	tcase_add_test(tc, follows_symbolic_links);
	tcase_add_test(tc, refuses_a_pipe_by_any_name);
	tcase_add_test(tc, refuses_a_file_that_has_no_name_any_more);
	tcase_add_test(tc, refuses_what_is_no_file);
}

int main(void)
{
	return unit_main("outfile", add_tests);
}
