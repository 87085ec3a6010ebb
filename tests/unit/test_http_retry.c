/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is tried again, and when: sleep and chance are the test's own here, and
 * no time passes.
 */
#include "http_server.h"

#include <limits.h>
#include <sys/random.h>
#include <time.h>

#define MS INT64_C(1000000) /* nanoseconds */

static struct http_server server;

/* The kernel's side. */
static struct {
	uint8_t chance;      /* each byte of it */
	bool no_chance;
	int64_t interrupted; /* nanoseconds that the first sleep lacks when a signal ends it; 0: none does */
	int64_t slept[32];   /* as it was asked for, in nanoseconds */
	size_t n_slept;
} kernel;

ssize_t getrandom(void *out, size_t len, unsigned flags)
{
	(void)flags;
	if (kernel.no_chance) {
		errno = ENOSYS;
		return -1;
	}
	memset(out, kernel.chance, len);
	return (ssize_t)len;
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *wanted, struct timespec *left)
{
	ck_assert_int_eq(clock, CLOCK_MONOTONIC);
	ck_assert_int_eq(flags, 0);
	ck_assert_int_lt(wanted->tv_nsec, 1000 * MS);
	ck_assert_uint_lt(kernel.n_slept, ARRAY_LEN(kernel.slept));
	kernel.slept[kernel.n_slept++] = wanted->tv_sec * 1000 * MS + wanted->tv_nsec;
	if (kernel.n_slept > 1 || !kernel.interrupted)
		return 0;
	*left = (struct timespec){ .tv_nsec = kernel.interrupted };
	return EINTR;
}

START_TEST(tries_again_what_may_pass)
{
	static const struct {
		const char *answer;
		long status; /* and what it is if it does not pass */
		int code;
	} cases[] = {
		{ "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3600\r\n\r\n", 429, EPROTO },
		{ "HTTP/1.1 500 Internal Server Error\r\n\r\n", 500, EPROTO },
		{ "HTTP/1.1 502 Bad Gateway\r\n\r\n", 502, EPROTO },
		{ "HTTP/1.1 503 Service Unavailable\r\nSet-Cookie: a=b\r\n\r\n", 503, EPROTO },
		{ "HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 2\r\n\r\nno", 504, EPROTO },
		{ http_reset, 0, EIO },
		{ "", 0, EIO },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *passing[] = { cases[i].answer, cases[i].answer, HTTP_OK, NULL };
		const char *lasting[] = { cases[i].answer, cases[i].answer, cases[i].answer, NULL };
		struct err e;

		ck_assert_int_eq(http_post_to_script(&e, &server, passing, 3, 200), 0);
		ck_assert_uint_eq(server.n, 3);
		for (size_t k = 0; k < 3; k++)
			http_expect_request(&server, k, "POST /workers/w1 HTTP/1.1", "{\"nat\":1}");
		ck_assert_int_eq(http_post_to_script(&e, &server, lasting, 3, cases[i].status), -cases[i].code);
		ck_assert_uint_eq(server.n, 3);
		ck_assert_msg(strstr(e.msg, "tried 3 times"), "%s", e.msg);
	}
}
END_TEST

START_TEST(does_not_try_again_what_is_decided)
{
	static const struct {
		const char *answer;
		long status;
		int code;
		const char *words;
	} cases[] = {
		{ "HTTP/1.1 400 Bad Request\r\n\r\n", 400, EPROTO, "status 400" },
		{ "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n\r\n", 401, EACCES, "token" },
		{ "HTTP/1.1 403 Forbidden\r\n\r\n", 403, EACCES, "token" },
		{ "HTTP/1.1 404 Not Found\r\n\r\n", 404, EPROTO, "check the URL" },
		{ "HTTP/1.1 413 Content Too Large\r\n\r\n", 413, EPROTO, "9 bytes" },
		{ "HTTP/1.1 501 Not Implemented\r\n\r\n", 501, EPROTO, "status 501" },
		{ "HTTP/1.1 304 Not Modified\r\n\r\n", 304, EPROTO, "status 304" },
		{ "SSH-2.0-OpenSSH_9.2\r\n", 0, EPROTO, "not HTTP" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *script[] = { cases[i].answer, NULL };
		struct err e;

		ck_assert_int_eq(http_post_to_script(&e, &server, script, 5, cases[i].status), -cases[i].code);
		ck_assert_uint_eq(server.n, 1);
		ck_assert_msg(strstr(e.msg, cases[i].words), "%s", e.msg);
		ck_assert_msg(strncmp(e.msg, "cannot post to http://127.0.0.1:", 32) == 0, "%s", e.msg);
	}
}
END_TEST

/* Posts to where nobody listens. */
static void try_in_vain(int tries, int backoff)
{
	struct http_post post = http_given_post();
	uint16_t port;
	int unheard = http_bound_socket(&port);
	struct err e;
	long status = -1;
	char url[64], words[64];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", port);
	snprintf(words, sizeof(words), "tried %d times: the connection is refused; ", tries);
	post.url = url;
	post.tries = tries;
	post.backoff = backoff;
	kernel.n_slept = 0;
	ck_assert_int_eq(http_post(&e, &post, &status), -ECONNREFUSED);
	ck_assert_int_eq(status, 0);
	ck_assert_msg(tries == 1 ? !strstr(e.msg, "tried") : strstr(e.msg, words) != NULL, "%s", e.msg);
	close(unheard);
}

START_TEST(waits_twice_as_long_before_each_further_try)
{
	kernel.no_chance = true;
	try_in_vain(1, 8);
	ck_assert_uint_eq(kernel.n_slept, 0);
	try_in_vain(5, 800);
	ck_assert_uint_eq(kernel.n_slept, 4);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(kernel.slept[i], (800 * MS) << i);
}
END_TEST

START_TEST(waits_an_eighth_more_or_less_by_chance)
{
	static const struct {
		uint8_t chance;
		int64_t least, most; /* per mille of the wait */
	} cases[] = {
		{ 0x00, 875, 876 }, { 0x40, 937, 939 }, { 0x80, 999, 1001 }, { 0xc0, 1062, 1064 },
		{ 0xff, 1124, 1125 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		kernel.chance = cases[i].chance;
		try_in_vain(6, 1000);
		ck_assert_uint_eq(kernel.n_slept, 5);
		for (size_t k = 0; k < 5; k++) {
			ck_assert_int_ge(kernel.slept[k], (cases[i].least * MS) << k);
			ck_assert_int_le(kernel.slept[k], (cases[i].most * MS) << k);
		}
	}
}
END_TEST

START_TEST(waits_as_long_as_an_int_can_say_and_no_longer)
{
	static const uint8_t chances[] = { 0x00, 0xff };

	for (size_t i = 0; i < ARRAY_LEN(chances); i++) {
		kernel.chance = chances[i];
		try_in_vain(4, INT_MAX / 2);
		ck_assert_uint_eq(kernel.n_slept, 3);
		for (size_t k = 0; k < 3; k++) {
			int64_t wait = k == 0 ? INT_MAX / 2 : INT_MAX - 1;

			ck_assert_int_ge(kernel.slept[k], wait * MS / 8 * 7);
			ck_assert_int_le(kernel.slept[k], wait * MS / 8 * 9);
		}
	}
}
END_TEST

START_TEST(waits_for_the_rest_when_a_signal_comes)
{
	kernel.no_chance = true;
	kernel.interrupted = 3 * MS;
	try_in_vain(3, 10);
	ck_assert_uint_eq(kernel.n_slept, 3);
	ck_assert_int_eq(kernel.slept[0], 10 * MS);
	ck_assert_int_eq(kernel.slept[1], 3 * MS);
	ck_assert_int_eq(kernel.slept[2], 20 * MS);
}
END_TEST

/* Without a fork of its own each test begins with the same kernel, too. */
static void begin(void)
{
	http_forget_proxies();
	memset(&kernel, 0, sizeof(kernel));
}

static void add(TCase *tc)
{
	tcase_add_checked_fixture(tc, begin, NULL);
	tcase_add_test(tc, tries_again_what_may_pass);
	tcase_add_test(tc, does_not_try_again_what_is_decided);
	tcase_add_test(tc, waits_twice_as_long_before_each_further_try);
	tcase_add_test(tc, waits_an_eighth_more_or_less_by_chance);
	tcase_add_test(tc, waits_as_long_as_an_int_can_say_and_no_longer);
	tcase_add_test(tc, waits_for_the_rest_when_a_signal_comes);
}

int main(void)
{
	return unit_main("http_retry", add);
}
