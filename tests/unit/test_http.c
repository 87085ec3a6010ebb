/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http_server.h"

#include <signal.h>
#include <sys/resource.h>

static struct http_server server, other;

START_TEST(posts_the_document_with_type_token_and_agent)
{
	static const char *const answers[] = { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
					       "HTTP/1.1 204 No Content\r\n\r\n",
					       "HTTP/1.1 201 Created\r\n\r\n" };
	static const long statuses[] = { 200, 204, 201 };

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		const char *script[] = { answers[i], NULL };
		struct err e;

		ck_assert_int_eq(http_post_to_script(&e, &server, script, 3, statuses[i]), 0);
		ck_assert_uint_eq(server.n, 1);
		http_expect_request(&server, 0, "POST /workers/w1 HTTP/1.1", "{\"nat\":1}");
	}
}
END_TEST

START_TEST(puts_instead_of_posting)
{
	struct http_post post = http_given_post();
	struct err e;
	long status;

	http_server_start(&server, http_script_ok);
	post.put = true;
	ck_assert_int_eq(http_post_to(&e, &server, &post, &status), 0);
	http_expect_request(&server, 0, "PUT /workers/w1 HTTP/1.1", "{\"nat\":1}");
}
END_TEST

START_TEST(sends_no_more_than_it_was_given)
{
	struct http_post post = http_given_post();
	struct err e;
	long status;

	http_server_start(&server, http_script_ok);
	post.token = NULL;
	post.body = NULL;
	post.len = 0;
	ck_assert_int_eq(http_post_to(&e, &server, &post, &status), 0);
	ck_assert_ptr_null(http_header(server.requests[0], "Authorization"));
	ck_assert_str_eq(http_header(server.requests[0], "Content-Length"), " 0");
	ck_assert_str_eq(strstr(server.requests[0], "\r\n\r\n"), "\r\n\r\n");
}
END_TEST

START_TEST(sends_every_byte_of_a_longer_body)
{
	static char body[6001];
	struct http_post post = http_given_post();
	struct err e;
	long status;

	for (size_t i = 0; i < sizeof(body) - 1; i++)
		body[i] = (char)('!' + i % 90);
	http_server_start(&server, http_script_ok);
	post.body = body;
	post.len = 6000;
	ck_assert_int_eq(http_post_to(&e, &server, &post, &status), 0);
	http_expect_request(&server, 0, "POST /workers/w1 HTTP/1.1", body);
	ck_assert_str_eq(http_header(server.requests[0], "Content-Length"), " 6000");
}
END_TEST

/* Gives up on the same answer twice; returns the status. */
static long post_to_slow(const char *answer, int timeout)
{
	const char *script[] = { answer, answer, NULL };
	struct http_post post = http_given_post();
	struct err e;
	long status = -1;

	http_server_start(&server, script);
	post.timeout = timeout;
	post.tries = 2;
	ck_assert_int_eq(http_post_to(&e, &server, &post, &status), -ETIMEDOUT);
	ck_assert_msg(strstr(e.msg, "tried 2 times: it takes too long"), "%s", e.msg);
	return status;
}

START_TEST(gives_up_when_an_answer_takes_too_long)
{
	static const char *const slow[] = { http_silent, http_half };
	static const long statuses[] = { 0, 200 };

	for (size_t i = 0; i < ARRAY_LEN(slow); i++) {
		long status;
		int timeout = 100;

		/* On a busy machine the time may be over before the server has heard anything. */
		do {
			timeout *= 2;
			status = post_to_slow(slow[i], timeout);
		} while (timeout < 5000 && (server.n < 2 || status != statuses[i]));
		ck_assert_int_eq(status, statuses[i]);
		ck_assert_uint_eq(server.n, 2);
	}
}
END_TEST

START_TEST(reads_no_more_than_a_little_of_the_reply)
{
	static const char *const script[] = { http_endless, NULL };
	struct err e;

	ck_assert_int_eq(http_post_to_script(&e, &server, script, 1, 200), 0);
}
END_TEST

/* Kilobytes that this process has ever had at once. */
static long most_memory(void)
{
	struct rusage usage;

	ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_maxrss;
}

START_TEST(takes_little_memory_and_no_time_for_headers_without_end)
{
	static const char *const floods[] = { http_headers, http_continue };
	static const long statuses[] = { 200, 100 };
	struct err e;
	long before;

	ck_assert_int_eq(http_post_to_script(&e, &server, http_script_ok, 1, 200), 0); /* libcurl is loaded */
	before = most_memory();
	for (size_t i = 0; i < ARRAY_LEN(floods); i++) {
		const char *const script[] = { floods[i], NULL };

		ck_assert_int_eq(http_post_to_script(&e, &server, script, 3, statuses[i]), -EPROTO);
		ck_assert_msg(strstr(e.msg, ": the server sends headers without end"), "%s", e.msg);
		ck_assert_uint_eq(server.n, 1);
	}
	ck_assert_int_lt(most_memory() - before, 8192);
}
END_TEST

START_TEST(gives_up_when_a_reply_never_ends)
{
	static const char *const script[] = { http_drops, NULL };
	struct http_post post = http_given_post();
	struct err e;
	long status;

	http_server_start(&server, script);
	post.timeout = 1000;
	ck_assert_int_eq(http_post_to(&e, &server, &post, &status), -ETIMEDOUT);
}
END_TEST

START_TEST(shows_no_proxy_a_token_in_clear)
{
	struct err e;

	http_server_start(&other, http_script_ok);
	http_given_proxy("http_proxy", &other);
	http_given_proxy("all_proxy", &other);
	ck_assert_int_eq(http_post_to_script(&e, &server, http_script_ok, 1, 200), 0);
	http_server_stop(&other);
	http_expect_request(&server, 0, "POST /workers/w1 HTTP/1.1", "{\"nat\":1}");
	ck_assert_uint_eq(other.n, 0);
}
END_TEST

START_TEST(uses_the_proxy_of_the_environment_without_a_token)
{
	static const char *const variables[] = { "http_proxy", "all_proxy", "ALL_PROXY" };

	for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
		struct http_post post = http_given_post();
		struct err e;
		long status;

		http_forget_proxies();
		http_server_start(&server, http_script_ok);
		http_given_proxy(variables[i], &server);
		post.url = "http://hub.example/a";
		post.token = NULL;
		ck_assert_int_eq(http_post_to(&e, &server, &post, &status), 0);
		ck_assert_uint_eq(server.n, 1);
		http_expect_first_line(&server, 0, "POST http://hub.example/a HTTP/1.1");
	}
}
END_TEST

START_TEST(goes_past_the_proxy_where_the_environment_says_so)
{
	struct http_post post = http_given_post();
	struct err e;
	long status;

	http_server_start(&server, http_script_ok);
	http_server_start(&other, http_script_ok);
	http_given_proxy("http_proxy", &other);
	setenv("no_proxy", "hub.example,127.0.0.1", 1);
	post.token = NULL;
	ck_assert_int_eq(http_post_to(&e, &server, &post, &status), 0);
	http_server_stop(&other);
	ck_assert_uint_eq(server.n, 1);
	ck_assert_uint_eq(other.n, 0);
}
END_TEST

START_TEST(asks_a_proxy_for_a_tunnel_and_shows_it_no_token)
{
	static const char *const script[] = { "HTTP/1.1 403 Forbidden\r\n\r\n", NULL };
	struct http_post post = http_given_post();
	struct err e;
	long status = -1;

	http_server_start(&server, script);
	http_given_proxy("https_proxy", &server);
	post.url = "https://hub.example/a";
	ck_assert_int_eq(http_post_to(&e, &server, &post, &status), -EIO);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_eq(server.n, 1);
	http_expect_first_line(&server, 0, "CONNECT hub.example:443 HTTP/1.1");
	ck_assert_ptr_null(strstr(server.requests[0], "s3cret"));
}
END_TEST

START_TEST(takes_no_password_from_netrc)
{
	char home[] = "/tmp/test_http.XXXXXX", netrc[64];
	struct http_post post = http_given_post();
	struct err e;
	long status;
	FILE *f;

	ck_assert_ptr_nonnull(mkdtemp(home));
	snprintf(netrc, sizeof(netrc), "%s/.netrc", home);
	f = fopen(netrc, "w");
	fputs("default login me password s3cret\n", f);
	fclose(f);
	setenv("HOME", home, 1);
	http_server_start(&server, http_script_ok);
	post.token = NULL;
	ck_assert_int_eq(http_post_to(&e, &server, &post, &status), 0);
	unlink(netrc);
	rmdir(home);
	ck_assert_ptr_null(http_header(server.requests[0], "Authorization"));
}
END_TEST

START_TEST(refuses_line_breaks_in_headers)
{
	struct http_post posts[] = { http_given_post(), http_given_post(), http_given_post() };
	static const char *const names[] = { "Authorization", "User-Agent", "Content-Type" };

	posts[0].token = "s3cret\r\nX-More: 1";
	posts[1].user_agent = "agent\n";
	posts[2].content_type = "\rtype";
	for (size_t i = 0; i < ARRAY_LEN(posts); i++) {
		struct err e;
		long status = -1;

		posts[i].url = "http://127.0.0.1:1/";
		ck_assert_int_eq(http_post(&e, &posts[i], &status), -EINVAL);
		ck_assert_int_eq(status, 0);
		ck_assert_msg(strstr(e.msg, names[i]) && !strstr(e.msg, "s3cret"), "%s", e.msg);
	}
}
END_TEST

START_TEST(says_that_a_name_is_not_found)
{
	char name[128]; /* a label of more than 63 characters: no resolver is asked */
	struct http_post post = http_given_post();
	struct err e;
	long status = -1;

	snprintf(name, sizeof(name), "http://%070d.example/", 0);
	post.url = name;
	ck_assert_int_eq(http_post(&e, &post, &status), -EHOSTUNREACH);
	ck_assert_int_eq(status, 0);
	ck_assert_msg(strstr(e.msg, "name is not found"), "%s", e.msg);
}
END_TEST

/* An authority that signs nothing: the system's may not be installed. */
static const char authority[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBkDCCATWgAwIBAgIUe1xzhep4Acx2eqDHWSWk7c0lvBwwCgYIKoZIzj0EAwIw\n"
	"HDEaMBgGA1UEAwwRYXV0aG9yaXR5LmV4YW1wbGUwIBcNMjYxMTIyMjA1MzU4WhgP\n"
	"MjEyNjEwMjkyMDUzNThaMBwxGjAYBgNVBAMMEWF1dGhvcml0eS5leGFtcGxlMFkw\n"
	"EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEN/HPsK8EALBuUiyXD9BK/r9zCVLetvHq\n"
	"xBOug4RLm+5rHbJFeC/QMKZlvQJ1VaS+b+bXO9AoJiOAtXJOiSKz2qNTMFEwHQYD\n"
	"VR0OBBYEFHinCWHXaRW402e/aCFRoU1v9tATMB8GA1UdIwQYMBaAFHinCWHXaRW4\n"
	"02e/aCFRoU1v9tATMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIh\n"
	"AMwJqbbvZW616i8DRbY+/gfR5FXHKNcKws0kZGf2dkTNAiEAys3GUTGglrOwItat\n"
	"LlFs7Lc82G5sVA82C2wvLQwztfU=\n"
	"-----END CERTIFICATE-----\n";

START_TEST(says_that_there_is_no_tls)
{
	char ca_file[] = "/tmp/test_http.XXXXXX";
	int fd = mkstemp(ca_file);
	static const char *const script[] = { "HTTP/1.1 400 Bad Request\r\n\r\n", NULL };
	struct http_post post = http_given_post();
	struct err e;
	long status = -1;
	char url[64];

	ck_assert_int_eq(write(fd, authority, strlen(authority)), (ssize_t)strlen(authority));
	close(fd);
	http_server_start(&server, script);
	post.url = url;
	post.ca_file = ca_file;
	snprintf(url, sizeof(url), "https://127.0.0.1:%u/", server.port);
	ck_assert_msg(http_post_to(&e, &server, &post, &status) == -EIO, "%s", e.msg);
	unlink(ca_file);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_eq(server.n, 1);
	ck_assert_ptr_null(strstr(server.requests[0], "s3cret"));
	ck_assert_msg(strstr(e.msg, "no TLS connection"), "%s", e.msg);
}
END_TEST

START_TEST(says_that_a_ca_file_cannot_be_used)
{
	char empty[] = "/tmp/test_http.XXXXXX";
	const char *const files[] = { "/nonexistent/ca.pem", empty };
	int fd = mkstemp(empty);

	ck_assert_int_ge(fd, 0);
	close(fd);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct http_post post = http_given_post();
		struct err e;
		long status;
		char url[64];

		http_server_start(&server, http_script_ok);
		post.url = url;
		snprintf(url, sizeof(url), "https://127.0.0.1:%u/", server.port);
		post.ca_file = files[i];
		ck_assert_int_eq(http_post_to(&e, &server, &post, &status), -EBADF);
		ck_assert_msg(strstr(e.msg, files[i]), "%s", e.msg);
	}
	unlink(empty);
}
END_TEST

static void on_sigpipe(int signal)
{
	(void)signal;
}

START_TEST(leaves_sigpipe_as_it_was)
{
	struct sigaction after;
	struct err e;

	signal(SIGPIPE, on_sigpipe);
	ck_assert_int_eq(http_post_to_script(&e, &server, http_script_ok, 1, 200), 0);
	sigaction(SIGPIPE, NULL, &after);
	ck_assert(after.sa_handler == on_sigpipe);
}
END_TEST

static const char *const good_urls[] = {
	"https://hub.example:8443/workers/w1",
	"http://hub.example",
	"https://192.0.2.1/",
	"HTTPS://hub.example/",
	"https://[2001:db8::1]:8443/a?b=c",
	"https://hub.example/@me",
};

static const char *const bad_urls[] = {
	"",
	"hub.example",
	"hub.example:8443/x",
	"ftp://hub.example/",
	"file:///etc/passwd",
	"https:/hub.example/",
	"https:///hub.example/",
	"https://",
	"https:",
	"http",
	"https://:8443/",
	"https://hub.example:99999/",
	"https://hub.example:x/",
	"https://hub example/",
	"https://hub.example/a b",
	" https://hub.example/",
	"https://hub.example/\n",
	"https://[2001:db8::1/",
	"httpsx://hub.example/",
	"https://me:s3cret@hub.example/",
	"https://s3cret@hub.example/",
	"https://me:s3cret@hub example/",
	"https://:s3cret@hub.example/",
	"ftp://me:s3cret@hub.example/",
	"me:s3cret@hub.example",
	"hub.example/?s3cret",
};

START_TEST(knows_an_url_to_post_to)
{
	for (size_t i = 0; i < ARRAY_LEN(good_urls); i++) {
		struct err e;

		ck_assert_msg(http_check_url(&e, good_urls[i]) == 0, "%s: %s", good_urls[i], e.msg);
	}
}
END_TEST

START_TEST(refuses_other_urls_without_showing_a_password)
{
	for (size_t i = 0; i < ARRAY_LEN(bad_urls); i++) {
		struct http_post post = http_given_post();
		struct err e = { 0 };
		long status = -1;

		ck_assert_msg(http_check_url(&e, bad_urls[i]) == -EINVAL, "%s", bad_urls[i]);
		ck_assert_int_eq(e.code, EINVAL);
		ck_assert_msg(strstr(e.msg, "write https://") && !strstr(e.msg, "s3cret"), "%s", e.msg);
		post.url = bad_urls[i];
		ck_assert_int_eq(http_post(&e, &post, &status), -EINVAL);
		ck_assert_int_eq(status, 0);
		ck_assert_msg(!strstr(e.msg, "s3cret"), "%s", e.msg);
	}
}
END_TEST

START_TEST(shows_neither_a_query_nor_more_than_a_part_of_an_url)
{
	uint16_t port;
	int unheard = http_bound_socket(&port);
	struct http_post post = http_given_post();
	char long_url[2048];
	struct err e;
	long status;

	snprintf(long_url, sizeof(long_url), "http://127.0.0.1:%u/%01500d", port, 0);
	post.url = long_url;
	ck_assert_int_eq(http_post(&e, &post, &status), -ECONNREFUSED);
	ck_assert_msg(strstr(e.msg, "refused"), "%s", e.msg);
	snprintf(long_url, sizeof(long_url), "http://127.0.0.1:%u/here?s3cret", port);
	ck_assert_int_eq(http_post(&e, &post, &status), -ECONNREFUSED);
	ck_assert_msg(strstr(e.msg, "/here:") && !strstr(e.msg, "s3cret"), "%s", e.msg);
	close(unheard);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_checked_fixture(tc, http_forget_proxies, NULL);
	tcase_add_test(tc, posts_the_document_with_type_token_and_agent);
	tcase_add_test(tc, puts_instead_of_posting);
	tcase_add_test(tc, sends_no_more_than_it_was_given);
	tcase_add_test(tc, sends_every_byte_of_a_longer_body);
	tcase_add_test(tc, gives_up_when_an_answer_takes_too_long);
	tcase_add_test(tc, reads_no_more_than_a_little_of_the_reply);
	tcase_add_test(tc, takes_little_memory_and_no_time_for_headers_without_end);
	tcase_add_test(tc, gives_up_when_a_reply_never_ends);
	tcase_add_test(tc, shows_no_proxy_a_token_in_clear);
	tcase_add_test(tc, uses_the_proxy_of_the_environment_without_a_token);
	tcase_add_test(tc, goes_past_the_proxy_where_the_environment_says_so);
	tcase_add_test(tc, asks_a_proxy_for_a_tunnel_and_shows_it_no_token);
	tcase_add_test(tc, takes_no_password_from_netrc);
	tcase_add_test(tc, refuses_line_breaks_in_headers);
	tcase_add_test(tc, says_that_a_name_is_not_found);
	tcase_add_test(tc, says_that_there_is_no_tls);
	tcase_add_test(tc, says_that_a_ca_file_cannot_be_used);
	tcase_add_test(tc, leaves_sigpipe_as_it_was);
	tcase_add_test(tc, knows_an_url_to_post_to);
	tcase_add_test(tc, refuses_other_urls_without_showing_a_password);
	tcase_add_test(tc, shows_neither_a_query_nor_more_than_a_part_of_an_url);
}

int main(void)
{
	return unit_main("http", add);
}
