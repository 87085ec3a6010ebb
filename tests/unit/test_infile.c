/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "infile.h"
#include "unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static char dir[] = "/tmp/infile.XXXXXX", path[64];
static struct err e;

static void set_up(void)
{
	ck_assert_ptr_nonnull(mkdtemp(strcpy(dir, "/tmp/infile.XXXXXX")));
	snprintf(path, sizeof(path), "%s/it", dir);
	alarm(20); /* what waits for somebody fails */
}

static void tear_down(void)
{
	alarm(0);
	unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
}

static void expect_text(const char *name, const char *text)
{
	char got[64] = "";
	FILE *in;

	ck_assert_int_eq(infile_open(&e, name, &in), 0);
	got[fread(got, 1, sizeof(got) - 1, in)] = '\0';
	ck_assert_int_eq(ferror(in), 0);
	fclose(in);
	ck_assert_str_eq(got, text);
}

START_TEST(opens_a_file_and_a_device)
{
	FILE *out = fopen(path, "w");

	fputs("one\n", out);
	fclose(out);
	expect_text(path, "one\n");
	expect_text("/dev/null", "");
}
END_TEST

START_TEST(refuses_a_fifo_that_nobody_writes_to)
{
	char message[128];
	FILE *in = NULL;

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(infile_open(&e, path, &in), -ERR_USAGE);
	snprintf(message, sizeof(message), "%s is a FIFO, and nobody may ever write to it", path);
	ck_assert_str_eq(e.msg, message);
	ck_assert_ptr_null(in);
}
END_TEST

START_TEST(waits_for_the_writer_of_a_pipe_that_the_shell_has_made)
{
	char name[32];
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	if (fork() == 0) {
		usleep(100000);
		_exit(write(ends[1], "two\n", 4) == 4 ? 0 : 1);
	}
	close(ends[1]);
	snprintf(name, sizeof(name), "/dev/fd/%d", ends[0]);
	expect_text(name, "two\n");
	close(ends[0]);
}
END_TEST

START_TEST(says_what_the_system_says)
{
	FILE *in;

	ck_assert_int_eq(infile_open(&e, "/nowhere/file", &in), -ENOENT);
	ck_assert_str_eq(e.msg, "cannot read /nowhere/file: No such file or directory");
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, opens_a_file_and_a_device);
	tcase_add_test(tc, refuses_a_fifo_that_nobody_writes_to);
	tcase_add_test(tc, waits_for_the_writer_of_a_pipe_that_the_shell_has_made);
	tcase_add_test(tc, says_what_the_system_says);
}

int main(void)
{
	return unit_main("infile", add_tests);
}
