/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a redirect may lead the post, and its token. */
#include "http_server.h"

static struct http_server server, other;

static const char again[] = "HTTP/1.1 307 Again\r\nLocation: /next\r\n\r\n";

START_TEST(counts_redirects_into_the_time_of_a_try)
{
	static const char *const script[] = { again, again, again, again, again, HTTP_OK, NULL };
	struct http_post post = http_given_post();
	struct err e;
	long status;

	http_server_start(&server, script);
	server.delay = 100;
	post.timeout = 250;
	ck_assert_int_eq(http_post_to(&e, &server, &post, &status), -ETIMEDOUT);
	ck_assert_uint_le(server.n, 3);
}
END_TEST

START_TEST(leaves_a_redirect_the_rest_of_the_time)
{
	static const char *const script[] = { again, HTTP_OK, NULL };
	struct http_post post = http_given_post();
	struct err e;
	long status;

	http_server_start(&server, script);
	server.delay = 100;
	ck_assert_int_eq(http_post_to(&e, &server, &post, &status), 0);
	ck_assert_uint_eq(server.n, 2);
}
END_TEST

/* The answer to a post: that it should go there, with PORT as the port. */
static void given_redirect(char *text, size_t size, int status, const char *location, uint16_t port)
{
	size_t len = (size_t)snprintf(text, size, "HTTP/1.1 %d Elsewhere\r\nLocation: ", status);
	const char *mark = strstr(location, "PORT");

	if (mark)
		snprintf(text + len, size - len, "%.*s%u%s\r\n\r\n", (int)(mark - location), location, port,
			 mark + 4);
	else
		snprintf(text + len, size - len, "%s\r\n\r\n", location);
}

START_TEST(follows_a_redirect_within_the_same_origin)
{
	static const char *const locations[] = { "http://127.0.0.1:PORT/next?a=b", "/next?a=b", "../next?a=b",
						 "HTTP://127.0.0.1:PORT/next?a=b#there" };

	for (size_t i = 0; i < 2 * ARRAY_LEN(locations); i++) {
		char redirect[256];
		const char *script[] = { redirect, HTTP_OK, NULL };
		struct http_post post = http_given_post();
		struct err e = { 0 };
		long status;

		http_server_start(&server, script);
		given_redirect(redirect, sizeof(redirect), i % 2 ? 307 : 308, locations[i / 2], server.port);
		ck_assert_msg(http_post_to(&e, &server, &post, &status) == 0, "%s", e.msg);
		ck_assert_int_eq(status, 200);
		ck_assert_uint_eq(server.n, 2);
		http_expect_request(&server, 1, "POST /next?a=b HTTP/1.1", "{\"nat\":1}");
	}
}
END_TEST

/* Neither to the other server nor to the same again. */
static void expect_not_followed(int redirect_status, const char *location, bool other_port, const char *words)
{
	char redirect[256];
	const char *script[] = { redirect, HTTP_OK, NULL };
	struct http_post post = http_given_post();
	struct err e = { 0 };
	long status;

	http_server_start(&server, script);
	http_server_start(&other, http_script_ok);
	given_redirect(redirect, sizeof(redirect), redirect_status, location,
		       other_port ? other.port : server.port);
	post.tries = 2;
	ck_assert_msg(http_post_to(&e, &server, &post, &status) == -EPROTO, "%s: %s", location, e.msg);
	http_server_stop(&other);
	ck_assert_int_eq(status, redirect_status);
	ck_assert_uint_eq(server.n, 1);
	ck_assert_uint_eq(other.n, 0);
	ck_assert_msg(strstr(e.msg, words), "%s", e.msg);
	ck_assert_msg(strstr(e.msg, "where the token did not go") || strstr(e.msg, "no URL"), "%s", e.msg);
	ck_assert_msg(!strstr(e.msg, "hidden"), "%s", e.msg);
}

START_TEST(takes_the_token_nowhere_else)
{
	static const struct {
		const char *location;
		bool other_port;
		const char *words;
	} cases[] = {
		{ "http://127.0.0.1:PORT/next", true, "to http://127.0.0.1:" },
		{ "http://127.0.0.1:PORT/?key=hidden", true, "to http://127.0.0.1:" },
		{ "//localhost:PORT/next", true, "to http://localhost:" },
		{ "http://localhost:PORT/next", false, "to http://localhost:" },
		{ "https://127.0.0.1:PORT/next", false, "to https://127.0.0.1:" },
		{ "ftp://127.0.0.1:PORT/next", false, "to ftp://127.0.0.1:" },
		{ "http://[::1]:PORT/next", false, "to http://[::1]:" },
		{ "http://hidden:hidden@127.0.0.1:PORT/", false, "no URL that one may follow" },
		{ "http://127.0.0.1/next", false, "to http://127.0.0.1/next" },
		{ "file:///etc/passwd", false, "to " },
		{ "http://", false, "to " },
		{ "", false, "to " },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		expect_not_followed(307, cases[i].location, cases[i].other_port, cases[i].words);
		expect_not_followed(308, cases[i].location, cases[i].other_port, cases[i].words);
	}
}
END_TEST

START_TEST(does_not_follow_what_would_turn_the_post_into_something_else)
{
	static const int statuses[] = { 300, 301, 302, 303, 305 };

	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		expect_not_followed(statuses[i], "/next", false, "/next");
}
END_TEST

/* As a proxy the server stands for hosts and ports that are not there. */
START_TEST(knows_the_default_port_the_case_of_a_host_and_its_zone)
{
	static const struct {
		const char *url, *location;
		bool followed;
	} cases[] = {
		{ "http://hub.example/a", "http://hub.example:80/b", true },
		{ "http://hub.example/a", "http://HUB.example/b", true },
		{ "http://hub.example/a", "http://hub.example:443/b", false },
		{ "http://hub.example/a", "http://hub.example.org/b", false },
		{ "http://hub.example/a", "http://hub.exampl/b", false },
		{ "http://[fe80::1%251]/a", "http://[fe80::1%251]/b", true },
		{ "http://[fe80::1%251]/a", "http://[fe80::1%252]/b", false },
		{ "http://[fe80::1%251]/a", "http://[fe80::1]/b", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char redirect[256];
		const char *script[] = { redirect, HTTP_OK, NULL };
		struct http_post post = http_given_post();
		struct err e;
		long status;
		int ret;

		given_redirect(redirect, sizeof(redirect), 308, cases[i].location, 0);
		http_server_start(&server, script);
		http_given_proxy("http_proxy", &server);
		post.url = cases[i].url;
		post.token = NULL; /* or there would be no proxy */
		ret = http_post_to(&e, &server, &post, &status);
		ck_assert_int_eq(ret, cases[i].followed ? 0 : -EPROTO);
		ck_assert_uint_eq(server.n, cases[i].followed ? 2 : 1);
		ck_assert_ptr_nonnull(strstr(server.requests[0], "/a HTTP/1.1\r\n"));
		if (cases[i].followed)
			ck_assert_ptr_nonnull(strstr(server.requests[1], "/b HTTP/1.1\r\n"));
	}
}
END_TEST

START_TEST(follows_five_redirects_and_no_more)
{
	static const char *const five[] = { again, again, again, again, again, HTTP_OK, NULL };
	static const char *const six[] = { again, again, again, again, again, again, NULL };
	struct err e;

	ck_assert_int_eq(http_post_to_script(&e, &server, five, 1, 200), 0);
	ck_assert_uint_eq(server.n, 6);
	ck_assert_int_eq(http_post_to_script(&e, &server, six, 3, 307), -EPROTO);
	ck_assert_uint_eq(server.n, 6);
	ck_assert_msg(strstr(e.msg, "more than 5 redirects"), "%s", e.msg);
}
END_TEST

START_TEST(begins_where_it_began_when_it_tries_again)
{
	static const char *const script[] = { "HTTP/1.1 307 Next\r\nLocation: /next\r\n\r\n",
					      "HTTP/1.1 503 Not Now\r\n\r\n", HTTP_OK, NULL };
	struct err e;

	ck_assert_int_eq(http_post_to_script(&e, &server, script, 2, 200), 0);
	ck_assert_uint_eq(server.n, 3);
	http_expect_request(&server, 1, "POST /next HTTP/1.1", "{\"nat\":1}");
	http_expect_request(&server, 2, "POST /workers/w1 HTTP/1.1", "{\"nat\":1}");
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_checked_fixture(tc, http_forget_proxies, NULL);
	tcase_add_test(tc, counts_redirects_into_the_time_of_a_try);
	tcase_add_test(tc, leaves_a_redirect_the_rest_of_the_time);
	tcase_add_test(tc, follows_a_redirect_within_the_same_origin);
	tcase_add_test(tc, takes_the_token_nowhere_else);
	tcase_add_test(tc, does_not_follow_what_would_turn_the_post_into_something_else);
	tcase_add_test(tc, knows_the_default_port_the_case_of_a_host_and_its_zone);
	tcase_add_test(tc, follows_five_redirects_and_no_more);
	tcase_add_test(tc, begins_where_it_began_when_it_tries_again);
}

int main(void)
{
	return unit_main("http_redirect", add);
}
