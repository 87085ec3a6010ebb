/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a machine without readline is told: the dynamic linker finds what we
 * choose in its place.
 */
#include "shell.h"
#include "unit.h"

#include <dlfcn.h>

static const char *found;

void *dlopen(const char *name, int flags)
{
	ck_assert_str_eq(name, "libreadline.so.8");
	return dlmopen(LM_ID_BASE, found, flags);
}

static void expect_absence(const char *library, const char *words)
{
	struct shell_options o = { .prompt = "> ", .in = stdin, .out = stdout, .history = "/nowhere/history" };
	struct shell *s = NULL;
	struct err e;

	found = library;
	ck_assert_int_eq(shell_open(&e, &o, &s), -ENOSYS);
	ck_assert_int_eq(e.code, ENOSYS);
	ck_assert_msg(strstr(e.msg, words) && strstr(e.msg, "install") && strstr(e.msg, "pipe"), "%s", e.msg);
	ck_assert_ptr_null(s);
}

START_TEST(says_that_readline_is_not_installed)
{
	expect_absence("libreadline-that-nobody-has.so.8",
		       "readline is not installed (libreadline-that-nobody-has.so.8");
}
END_TEST

START_TEST(says_that_a_library_lacks_what_is_needed)
{
	expect_absence("libc.so.6", "libreadline.so.8 has no readline;");
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, says_that_readline_is_not_installed);
	tcase_add_test(tc, says_that_a_library_lacks_what_is_needed);
}

int main(void)
{
	return unit_main("shell_absent", add);
}
