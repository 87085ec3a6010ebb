/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a machine without libcurl is told: http.c again, with a library that we choose. */
static const char *soname;
#define HTTP_LIBCURL soname
#include "../../src/http.c"
#include "unit.h"

static void expect_absence(const char *words)
{
	struct http_post post = { .url = "https://hub.example/", .content_type = "text/plain", .tries = 3 };
	struct err e = { 0 };
	long status = -1;

	ck_assert_int_eq(http_post(&e, &post, &status), -ELIBACC);
	ck_assert_int_eq(e.code, ELIBACC);
	ck_assert_int_eq(status, 0);
	ck_assert_msg(strstr(e.msg, words) && strstr(e.msg, soname) && strstr(e.msg, "install"), "%s", e.msg);
	ck_assert_int_eq(http_check_url(&e, post.url), -ELIBACC);
	ck_assert_msg(strstr(e.msg, words) && strstr(e.msg, soname) && strstr(e.msg, "install"), "%s", e.msg);
}

START_TEST(says_that_libcurl_is_not_installed)
{
	soname = "libcurl-that-nobody-has.so.4";
	expect_absence("cannot be loaded");
}
END_TEST

START_TEST(says_that_a_library_lacks_what_is_needed)
{
	soname = "libc.so.6";
	expect_absence("has no curl_");
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, says_that_libcurl_is_not_installed);
	tcase_add_test(tc, says_that_a_library_lacks_what_is_needed);
}

int main(void)
{
	return unit_main("http_absent", add);
}
