/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "program.h"
#include "unit.h"

#include <fcntl.h>
#include <signal.h>

static struct program_result ran(const char *script)
{
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };
	struct program_result r = { 0 };
	struct err e = { 0 };

	ck_assert_msg(program_run(&e, argv, &r) == 0, "%s", e.msg);
	return r;
}

START_TEST(collects_both_outputs_and_the_status)
{
	struct program_result r = ran("echo out; echo err >&2; exit 3");

	ck_assert_int_eq(r.status, 3);
	ck_assert_str_eq(r.out, "out\n");
	ck_assert_str_eq(r.errors, "err\n");
	program_result_clear(&r);
	ck_assert_ptr_null(r.out);
}
END_TEST

START_TEST(returns_empty_strings_for_silence)
{
	struct program_result r = ran("");

	ck_assert_int_eq(r.status, 0);
	ck_assert_str_eq(r.out, "");
	ck_assert_str_eq(r.errors, "");
	program_result_clear(&r);
}
END_TEST

START_TEST(tells_a_signal_from_an_exit)
{
	struct program_result r = ran("kill -TERM $$");

	ck_assert_int_eq(r.status, 128 + 15);
	ck_assert_str_eq(r.errors, "killed by signal 15");
	program_result_clear(&r);
}
END_TEST

START_TEST(gives_no_input_no_environment_and_no_descriptors)
{
	struct program_result r;
	int open_one = open("/dev/null", O_RDONLY);

	ck_assert_int_ge(open_one, 3);
	setenv("SECRET", "1", 1);
	r = ran("cat; echo \"$SECRET$LC_ALL\"; cd /proc/self/fd && for n in *; do [ $n -lt 3 ] || "
		"[ ! -e $n ] || readlink $n; done | grep /dev/null");
	ck_assert_str_eq(r.out, "C\n");
	program_result_clear(&r);
	close(open_one);
}
END_TEST

/* As of a program that a daemon starts which ignores SIGCHLD, and others, and blocks all. */
START_TEST(leaves_no_trace_of_whoever_ignores_and_blocks_signals)
{
	struct program_result r;
	sigset_t all, now;

	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN); /* nohup(1) means children, too */
	signal(SIGINT, SIG_DFL); /* which a shell has ignored that has put us into the background */
	signal(SIGQUIT, SIG_DFL);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	r = ran("while read -r name signals; do case $name in SigBlk: | SigIgn:) echo $((0x$signals & 0x7fffffff));; "
		"esac; done </proc/self/status; exit 7"); /* glibc keeps 32 and 33 for itself */
	ck_assert_int_eq(r.status, 7);
	ck_assert_str_eq(r.out, "0\n1\n");
	program_result_clear(&r);
	ck_assert_ptr_eq((void *)signal(SIGCHLD, SIG_DFL), (void *)SIG_IGN);
	sigprocmask(SIG_SETMASK, NULL, &now);
	ck_assert_int_eq(sigismember(&now, SIGTERM), 1);
}
END_TEST

START_TEST(reads_much_on_both_streams_at_a_time)
{
	struct program_result r = ran("i=0; while [ $i -lt 2000 ]; do "
				      "printf '%0100d' $i; printf '%0100d' $i >&2; i=$((i + 1)); done");

	ck_assert_uint_eq(strlen(r.out), 200000);
	ck_assert_uint_eq(strlen(r.errors), 200000);
	program_result_clear(&r);
}
END_TEST

START_TEST(ends_a_program_that_never_stops_talking)
{
	const char *const argv[] = { "/bin/sh", "-c", "exec cat /dev/zero", NULL };
	struct program_result r = { 0 };
	struct err e;

	ck_assert_int_eq(program_run(&e, argv, &r), -EFBIG);
	ck_assert_ptr_null(r.out);
}
END_TEST

START_TEST(says_that_it_cannot_start)
{
	const char *const argv[] = { "/nonexistent/program", NULL };
	struct program_result r = { 0 };
	struct err e;

	if (unit_in_valgrind()) { /* whose posix_spawn(3) shares no memory with the child, and so never fails */
		ck_assert_int_eq(program_run(&e, argv, &r), 0);
		ck_assert_int_eq(r.status, 127);
		program_result_clear(&r);
		return;
	}
	ck_assert_int_eq(program_run(&e, argv, &r), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.msg, "/nonexistent/program"));
}
END_TEST

START_TEST(finds_programs_in_system_directories_only)
{
	char path[PROGRAM_PATH_MAX] = "unchanged";
	char name[2 * PROGRAM_PATH_MAX];
	struct err e;

	ck_assert_int_eq(program_find(&e, "no-such-program", path), -ENOENT);
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	ck_assert_int_eq(program_find(&e, name, path), -ENOENT);
	ck_assert_str_eq(path, "unchanged");
	ck_assert_int_eq(program_find(&e, "sh", path), 0);
	ck_assert_int_eq(path[0], '/');
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, collects_both_outputs_and_the_status);
	tcase_add_test(tc, returns_empty_strings_for_silence);
	tcase_add_test(tc, tells_a_signal_from_an_exit);
	tcase_add_test(tc, gives_no_input_no_environment_and_no_descriptors);
	tcase_add_test(tc, leaves_no_trace_of_whoever_ignores_and_blocks_signals);
	tcase_add_test(tc, reads_much_on_both_streams_at_a_time);
	tcase_add_test(tc, ends_a_program_that_never_stops_talking);
	tcase_add_test(tc, says_that_it_cannot_start);
	tcase_add_test(tc, finds_programs_in_system_directories_only);
}

int main(void)
{
	return unit_main("program", add);
}
