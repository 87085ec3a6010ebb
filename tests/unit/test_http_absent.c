/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a machine without libcurl is told: the dynamic linker finds what we
 * choose in its place.
 */
#include "http.h"
#include "unit.h"

#include <dlfcn.h>

static const char *found;

void *dlopen(const char *name, int flags)
{
	ck_assert_str_eq(name, "libcurl.so.4");
	return dlmopen(LM_ID_BASE, found, flags);
}

static void expect_absence(const char *library, const char *words)
{
	struct http_post post = { .url = "https://hub.example/", .content_type = "text/plain", .tries = 3 };
	struct err errors[2] = { 0 };
	long status = -1;

	found = library;
	ck_assert_int_eq(http_post(&errors[0], &post, &status), -ELIBACC);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(http_check_url(&errors[1], post.url), -ELIBACC);
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		ck_assert_int_eq(errors[i].code, ELIBACC);
		ck_assert_msg(strstr(errors[i].msg, words) && strstr(errors[i].msg, "install"), "%s",
			      errors[i].msg);
	}
}

START_TEST(says_that_libcurl_is_not_installed)
{
	expect_absence("libcurl-that-nobody-has.so.4",
		       "libcurl, which cannot be loaded (libcurl-that-nobody-has.so.4");
}
END_TEST

START_TEST(says_that_a_library_lacks_what_is_needed)
{
	expect_absence("libc.so.6", "libcurl.so.4 has no curl_");
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
