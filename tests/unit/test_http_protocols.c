/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libcurl speaks HTTP only, by its own limit: here our look at URLs and at where a redirect leads lets
 * everything pass.
 */
#undef http_url_parse_ours /* Makefile.am has another name for the real one */
#undef http_url_same_origin
#include "http_curl.h"
#include "http_server.h"

#include <fcntl.h>
#include <sys/socket.h>

int http_url_parse_ours(struct err *e, const struct http_curl *curl, const char *text, CURLU **out)
{
	(void)e;
	*out = http_url_parse(curl, text);
	ck_assert_msg(*out, "%s", text);
	return 0;
}

bool http_url_same_origin(const struct http_curl *curl, CURLU *a, CURLU *b)
{
	(void)curl, (void)a, (void)b;
	return true;
}

/* All that libcurl of Debian 12 can speak besides. */
static const char *const schemes[] = { "dict",   "ftp",   "ftps", "gopher", "gophers", "imap", "imaps", "ldap",
				       "ldaps",  "mqtt",  "pop3", "pop3s",  "rtmp",    "rtsp", "scp",   "sftp",
				       "smb",    "smbs",  "smtp", "smtps",  "telnet",  "tftp" };

/* Where nobody should come. */
static int given_listener(char *url, size_t size, const char *scheme)
{
	uint16_t port;
	int fd = http_bound_socket(&port);

	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_ge(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	snprintf(url, size, "%s://127.0.0.1:%u/x", scheme, port);
	return fd;
}

static void expect_refusal(const struct err *e, int ret, int listener, const char *url)
{
	ck_assert_msg(ret == -EPROTO && strstr(e->msg, "is not HTTP"), "%s: %s", url, e->msg);
	ck_assert_msg(accept(listener, NULL, NULL) < 0 && errno == EAGAIN, "it connects to %s", url);
	close(listener);
}

static struct http_post given_short_post(void)
{
	struct http_post post = http_given_post();

	post.token = NULL;
	post.timeout = 2000;
	return post;
}

START_TEST(speaks_no_other_protocol)
{
	struct http_post post = given_short_post();
	struct err e = {0};
	long status = -1;
	char url[64];
	int listener = given_listener(url, sizeof(url), schemes[_i]);

	post.url = url;
	expect_refusal(&e, http_post(&e, &post, &status), listener, url);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(reads_no_file)
{
	struct http_post post = given_short_post();
	struct err e = {0};
	long status;

	post.url = "file:///etc/passwd";
	ck_assert_int_eq(http_post(&e, &post, &status), -EPROTO);
	ck_assert_msg(strstr(e.msg, "is not HTTP"), "%s", e.msg);
}
END_TEST

START_TEST(is_not_led_to_another_protocol)
{
	static struct http_server server;
	char url[64], redirect[128];
	const char *const script[] = {redirect, NULL};
	struct http_post post = given_short_post();
	struct err e = {0};
	int listener = given_listener(url, sizeof(url), schemes[_i]);
	long status;

	snprintf(redirect, sizeof(redirect), "HTTP/1.1 307 Elsewhere\r\nLocation: %s\r\n\r\n", url);
	http_server_start(&server, script);
	expect_refusal(&e, http_post_to(&e, &server, &post, &status), listener, url);
	ck_assert_uint_eq(server.n, 1);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_checked_fixture(tc, http_forget_proxies, NULL);
	tcase_add_loop_test(tc, speaks_no_other_protocol, 0, ARRAY_LEN(schemes));
	tcase_add_test(tc, reads_no_file);
	tcase_add_loop_test(tc, is_not_led_to_another_protocol, 0, ARRAY_LEN(schemes));
}

int main(void)
{
	return unit_main("http_protocols", add);
}
