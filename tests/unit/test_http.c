/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http.h"
#include "unit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#define REQUESTS_MAX 16
#define REQUEST_MAX 8192

/* Answers that are more than bytes; the others are sent as they are, and the connection ends. */
static const char ENDLESS[] = "an endless body";
static const char SILENT[] = "nothing, until the client goes";
static const char HALF[] = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
static const char RESET[] = "a reset";

/* A server on loopback that gives the answers of a script in turn, and keeps the requests. */
struct server {
	const char *const *script; /* ends with NULL */
	long delay;                /* milliseconds before each answer */
	int listener;
	uint16_t port;
	pthread_t thread;
	size_t n; /* requests so far; to be looked at when it has been stopped */
	char requests[REQUESTS_MAX][REQUEST_MAX];
};

/* Reads headers and as much body as they promise, or what a TLS client begins with. */
static bool read_request(int fd, char text[static REQUEST_MAX])
{
	size_t len = 0, wanted = SIZE_MAX;

	while (len < wanted) {
		ssize_t got = recv(fd, text + len, REQUEST_MAX - 1 - len, 0);
		const char *body, *promise;

		if (got <= 0)
			return false;
		len += (size_t)got;
		text[len] = '\0';
		if (text[0] == 0x16)
			return true;
		body = strstr(text, "\r\n\r\n");
		promise = strstr(text, "\r\nContent-Length: ");
		if (body)
			wanted = (size_t)(body + 4 - text) + (promise ? strtoul(promise + 18, NULL, 10) : 0);
	}
	return true;
}

static void send_all(int fd, const char *text)
{
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		perror("test_http: send");
}

static void answer(int fd, const char *how)
{
	static char zeros[65536];
	struct linger at_once = { .l_onoff = 1 };

	if (how == ENDLESS) {
		send_all(fd, "HTTP/1.1 200 OK\r\n\r\n");
		while (send(fd, zeros, sizeof(zeros), MSG_NOSIGNAL) > 0)
			;
	} else if (how == RESET) {
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	} else {
		if (how != SILENT)
			send_all(fd, how);
		if (how == SILENT || how == HALF)
			recv(fd, zeros, 1, 0);
	}
	close(fd);
}

static void *serve(void *ctx)
{
	struct server *s = ctx;
	int fd;

	while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
		if (s->n < REQUESTS_MAX && read_request(fd, s->requests[s->n])) {
			const struct timespec delay = { .tv_nsec = s->delay * 1000000 };
			bool more = *s->script != NULL;

			s->n++;
			nanosleep(&delay, NULL);
			answer(fd, more ? *s->script : "HTTP/1.1 418 Not In The Script\r\n\r\n");
			s->script += more;
		} else {
			close(fd);
		}
	}
	return NULL;
}

static int bound_socket(uint16_t *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, len), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

static void given_server(struct server *s, const char *const *script)
{
	memset(s, 0, sizeof(*s));
	s->script = script;
	s->listener = bound_socket(&s->port);
	ck_assert_int_eq(listen(s->listener, 16), 0);
	ck_assert_int_eq(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void stop(struct server *s)
{
	shutdown(s->listener, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->listener);
}

static struct server server, other;
static char url[256];

/* A post to /workers/w1 at that port. */
static struct http_post given_post(uint16_t port)
{
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/workers/w1", port);
	return (struct http_post){ .url = url,
				   .content_type = "application/json",
				   .body = "{\"nat\":1} and what is not meant",
				   .len = 9,
				   .token = "s3cret",
				   .connect_timeout = 30000,
				   .timeout = 30000,
				   .tries = 1,
				   .backoff = 1,
				   .user_agent = "sonm-test/1.0" };
}

/* Posts to a server with this script; tries as often as it may. Returns the code, checks error and status. */
static int post_to_script(const char *const *script, int tries, long wanted_status, struct err *e)
{
	struct http_post post;
	long status = -1;
	int ret;

	given_server(&server, script);
	post = given_post(server.port);
	post.tries = tries;
	e->code = 0;
	ret = http_post(e, &post, &status);
	stop(&server);
	ck_assert_int_eq(ret, ret < 0 ? -e->code : 0);
	ck_assert_int_eq(status, wanted_status);
	ck_assert_ptr_null(ret < 0 ? strstr(e->msg, "s3cret") : NULL);
	return ret;
}

/* The value of a header, which must be there once; NULL if it is not. */
static const char *header(const char *request, const char *name)
{
	static char value[REQUEST_MAX];
	const char *found = NULL;

	for (const char *line = strstr(request, "\r\n"); strncmp(line, "\r\n\r\n", 4) != 0;) {
		const char *end = strstr(line + 2, "\r\n");
		size_t len = strlen(name);

		if (strncasecmp(line + 2, name, len) == 0 && line[2 + len] == ':') {
			ck_assert_msg(!found, "%s is there twice", name);
			snprintf(value, sizeof(value), "%.*s", (int)(end - line - 2 - (long)len),
				 line + 3 + len);
			value[end - line - 3 - (long)len] = '\0';
			found = value;
		}
		line = end;
	}
	return found;
}

static void expect_request(const char *request, const char *first_line, const char *body)
{
	char host[64];

	ck_assert_msg(strncmp(request, first_line, strlen(first_line)) == 0, "%s", request);
	ck_assert_msg(strncmp(request + strlen(first_line), "\r\n", 2) == 0, "%s", request);
	snprintf(host, sizeof(host), " 127.0.0.1:%u", server.port);
	ck_assert_str_eq(header(request, "Host"), host);
	ck_assert_str_eq(header(request, "Content-Type"), " application/json");
	ck_assert_str_eq(header(request, "User-Agent"), " sonm-test/1.0");
	ck_assert_str_eq(header(request, "Authorization"), " Bearer s3cret");
	ck_assert_ptr_null(header(request, "Cookie"));
	ck_assert_str_eq(strstr(request, "\r\n\r\n") + 4, body);
}

START_TEST(posts_the_document_with_type_token_and_agent)
{
	static const char *const answers[] = { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
					       "HTTP/1.1 204 No Content\r\n\r\n",
					       "HTTP/1.1 201 Created\r\n\r\n" };
	static const long statuses[] = { 200, 204, 201 };

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		const char *script[] = { answers[i], NULL };
		struct err e;

		ck_assert_int_eq(post_to_script(script, 3, statuses[i], &e), 0);
		ck_assert_uint_eq(server.n, 1);
		expect_request(server.requests[0], "POST /workers/w1 HTTP/1.1", "{\"nat\":1}");
	}
}
END_TEST

START_TEST(sends_no_more_than_it_was_given)
{
	static const char *const script[] = { "HTTP/1.1 200 OK\r\n\r\n", NULL };
	struct http_post post;
	struct err e;
	long status;

	given_server(&server, script);
	post = given_post(server.port);
	post.token = NULL;
	post.body = NULL;
	post.len = 0;
	ck_assert_int_eq(http_post(&e, &post, &status), 0);
	stop(&server);
	ck_assert_ptr_null(header(server.requests[0], "Authorization"));
	ck_assert_str_eq(header(server.requests[0], "Content-Length"), " 0");
	ck_assert_str_eq(strstr(server.requests[0], "\r\n\r\n"), "\r\n\r\n");
}
END_TEST

START_TEST(sends_every_byte_of_a_longer_body)
{
	static const char *const script[] = { "HTTP/1.1 200 OK\r\n\r\n", NULL };
	static char body[6001];
	struct http_post post;
	struct err e;
	long status;

	for (size_t i = 0; i < sizeof(body) - 1; i++)
		body[i] = (char)('!' + i % 90);
	given_server(&server, script);
	post = given_post(server.port);
	post.body = body;
	post.len = 6000;
	ck_assert_int_eq(http_post(&e, &post, &status), 0);
	stop(&server);
	expect_request(server.requests[0], "POST /workers/w1 HTTP/1.1", body);
	ck_assert_str_eq(header(server.requests[0], "Content-Length"), " 6000");
}
END_TEST

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
		{ RESET, 0, EIO },
		{ "", 0, EIO },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *passing[] = { cases[i].answer, cases[i].answer, "HTTP/1.1 200 OK\r\n\r\n", NULL };
		const char *lasting[] = { cases[i].answer, cases[i].answer, cases[i].answer, NULL };
		struct err e;

		ck_assert_int_eq(post_to_script(passing, 3, 200, &e), 0);
		ck_assert_uint_eq(server.n, 3);
		for (size_t k = 0; k < 3; k++)
			expect_request(server.requests[k], "POST /workers/w1 HTTP/1.1", "{\"nat\":1}");
		ck_assert_int_eq(post_to_script(lasting, 3, cases[i].status, &e), -cases[i].code);
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

		ck_assert_int_eq(post_to_script(script, 5, cases[i].status, &e), -cases[i].code);
		ck_assert_uint_eq(server.n, 1);
		ck_assert_msg(strstr(e.msg, cases[i].words), "%s", e.msg);
		ck_assert_msg(strncmp(e.msg, "cannot post to http://127.0.0.1:", 32) == 0, "%s", e.msg);
	}
}
END_TEST

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

START_TEST(waits_twice_as_long_before_each_further_try)
{
	uint16_t port;
	int unheard = bound_socket(&port); /* nobody listens */
	struct http_post post = given_post(port);
	int64_t start = now_ms();
	struct err e;
	long status = -1;

	post.tries = 4;
	post.backoff = 8;
	ck_assert_int_eq(http_post(&e, &post, &status), -ECONNREFUSED);
	ck_assert_int_eq(status, 0);
	ck_assert_msg(strstr(e.msg, "tried 4 times: the connection is refused; "), "%s", e.msg);
	ck_assert_int_ge(now_ms() - start, (8 + 16 + 32) * 7 / 8 - 1);
	close(unheard);
}
END_TEST

START_TEST(gives_up_when_an_answer_takes_too_long)
{
	static const char *const slow[] = { SILENT, HALF };
	static const long statuses[] = { 0, 200 };

	for (size_t i = 0; i < ARRAY_LEN(slow); i++) {
		const char *script[] = { slow[i], slow[i], NULL };
		struct http_post post;
		struct err e;
		long status = -1;

		given_server(&server, script);
		post = given_post(server.port);
		post.timeout = 200;
		post.tries = 2;
		ck_assert_int_eq(http_post(&e, &post, &status), -ETIMEDOUT);
		stop(&server);
		ck_assert_int_eq(status, statuses[i]);
		ck_assert_uint_eq(server.n, 2);
	}
}
END_TEST

static const char again[] = "HTTP/1.1 307 Again\r\nLocation: /next\r\n\r\n";

START_TEST(counts_redirects_into_the_time_of_a_try)
{
	static const char *const script[] = { again, again, again, again, again, "HTTP/1.1 200 OK\r\n\r\n",
					      NULL };
	struct http_post post;
	struct err e;
	long status;

	given_server(&server, script);
	server.delay = 100;
	post = given_post(server.port);
	post.timeout = 250;
	ck_assert_int_eq(http_post(&e, &post, &status), -ETIMEDOUT);
	stop(&server);
	ck_assert_uint_le(server.n, 3);
}
END_TEST

START_TEST(reads_no_more_than_a_little_of_the_reply)
{
	static const char *const script[] = { ENDLESS, NULL };
	struct err e;

	ck_assert_int_eq(post_to_script(script, 1, 200, &e), 0);
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
		const char *script[] = { redirect, "HTTP/1.1 200 OK\r\n\r\n", NULL };
		struct http_post post;
		struct err e = { 0 };
		long status;

		given_server(&server, script);
		given_redirect(redirect, sizeof(redirect), i % 2 ? 307 : 308, locations[i / 2], server.port);
		post = given_post(server.port);
		ck_assert_msg(http_post(&e, &post, &status) == 0, "%s", e.msg);
		stop(&server);
		ck_assert_int_eq(status, 200);
		ck_assert_uint_eq(server.n, 2);
		expect_request(server.requests[1], "POST /next?a=b HTTP/1.1", "{\"nat\":1}");
	}
}
END_TEST

/* Neither to the other server nor to the same again. */
static void expect_not_followed(int redirect_status, const char *location, bool other_port, const char *words)
{
	static const char *const hears[] = { "HTTP/1.1 200 OK\r\n\r\n", NULL };
	char redirect[256];
	const char *script[] = { redirect, "HTTP/1.1 200 OK\r\n\r\n", NULL };
	struct http_post post;
	struct err e = { 0 };
	long status;

	given_server(&server, script);
	given_server(&other, hears);
	given_redirect(redirect, sizeof(redirect), redirect_status, location,
		       other_port ? other.port : server.port);
	post = given_post(server.port);
	post.tries = 2;
	ck_assert_msg(http_post(&e, &post, &status) == -EPROTO, "%s: %s", location, e.msg);
	stop(&other);
	stop(&server);
	ck_assert_int_eq(status, redirect_status);
	ck_assert_uint_eq(server.n, 1);
	ck_assert_uint_eq(other.n, 0);
	ck_assert_msg(strstr(e.msg, words) && strstr(e.msg, "where the token did not go"), "%s", e.msg);
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
		{ "http://hidden:hidden@127.0.0.1:PORT/", false, "to no valid URL" },
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
START_TEST(knows_the_default_port_and_the_case_of_a_host)
{
	static const struct {
		const char *location;
		bool followed;
	} cases[] = {
		{ "http://hub.example:80/b", true },   { "http://HUB.example/b", true },
		{ "http://hub.example:443/b", false }, { "http://hub.example.org/b", false },
		{ "http://hub.exampl/b", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char redirect[256], proxy[64];
		const char *script[] = { redirect, "HTTP/1.1 200 OK\r\n\r\n", NULL };
		struct http_post post;
		struct err e;
		long status;
		int ret;

		given_redirect(redirect, sizeof(redirect), 308, cases[i].location, 0);
		given_server(&server, script);
		snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", server.port);
		setenv("http_proxy", proxy, 1);
		post = given_post(0);
		post.url = "http://hub.example/a";
		post.token = NULL; /* or there would be no proxy */
		ret = http_post(&e, &post, &status);
		stop(&server);
		ck_assert_int_eq(strncmp(server.requests[0], "POST http://hub.example/a HTTP/1.1\r\n", 36),
				 0);
		ck_assert_int_eq(ret, cases[i].followed ? 0 : -EPROTO);
		ck_assert_uint_eq(server.n, cases[i].followed ? 2 : 1);
		if (cases[i].followed)
			ck_assert_ptr_nonnull(strstr(server.requests[1], "/b HTTP/1.1\r\n"));
	}
}
END_TEST

START_TEST(shows_no_proxy_a_token_in_clear)
{
	static const char *const script[] = { "HTTP/1.1 200 OK\r\n\r\n", NULL };
	struct http_post post;
	char proxy[64];
	struct err e;
	long status;

	given_server(&server, script);
	given_server(&other, script);
	snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", other.port);
	setenv("http_proxy", proxy, 1);
	post = given_post(server.port);
	ck_assert_ptr_nonnull(post.token);
	ck_assert_int_eq(http_post(&e, &post, &status), 0);
	post.token = NULL;
	ck_assert_int_eq(http_post(&e, &post, &status), 0);
	stop(&server);
	stop(&other);
	ck_assert_uint_eq(server.n, 1);
	ck_assert_uint_eq(other.n, 1);
}
END_TEST

START_TEST(follows_five_redirects_and_no_more)
{
	static const char *const five[] = {
		again, again, again, again, again, "HTTP/1.1 200 OK\r\n\r\n", NULL
	};
	static const char *const six[] = { again, again, again, again, again, again, NULL };
	struct err e;

	ck_assert_int_eq(post_to_script(five, 1, 200, &e), 0);
	ck_assert_uint_eq(server.n, 6);
	ck_assert_int_eq(post_to_script(six, 3, 307, &e), -EPROTO);
	ck_assert_uint_eq(server.n, 6);
	ck_assert_msg(strstr(e.msg, "more than 5 redirects"), "%s", e.msg);
}
END_TEST

START_TEST(begins_where_it_began_when_it_tries_again)
{
	static const char *const script[] = { "HTTP/1.1 307 Next\r\nLocation: /next\r\n\r\n",
					      "HTTP/1.1 503 Not Now\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n",
					      NULL };
	struct err e;

	ck_assert_int_eq(post_to_script(script, 2, 200, &e), 0);
	ck_assert_uint_eq(server.n, 3);
	expect_request(server.requests[1], "POST /next HTTP/1.1", "{\"nat\":1}");
	expect_request(server.requests[2], "POST /workers/w1 HTTP/1.1", "{\"nat\":1}");
}
END_TEST

START_TEST(takes_no_password_from_netrc)
{
	static const char *const script[] = { "HTTP/1.1 200 OK\r\n\r\n", NULL };
	char home[] = "/tmp/test_http.XXXXXX", netrc[64];
	struct http_post post;
	struct err e;
	long status;
	FILE *f;

	ck_assert_ptr_nonnull(mkdtemp(home));
	snprintf(netrc, sizeof(netrc), "%s/.netrc", home);
	f = fopen(netrc, "w");
	fputs("default login me password s3cret\n", f);
	fclose(f);
	setenv("HOME", home, 1);
	given_server(&server, script);
	post = given_post(server.port);
	post.token = NULL;
	ck_assert_int_eq(http_post(&e, &post, &status), 0);
	stop(&server);
	unlink(netrc);
	rmdir(home);
	ck_assert_ptr_null(header(server.requests[0], "Authorization"));
}
END_TEST

START_TEST(refuses_line_breaks_in_headers)
{
	struct http_post post = given_post(1);
	struct err e;
	long status = -1;

	post.token = "s3cret\r\nX-More: 1";
	ck_assert_int_eq(http_post(&e, &post, &status), -EINVAL);
	ck_assert_int_eq(status, 0);
	ck_assert_msg(strstr(e.msg, "Authorization") && !strstr(e.msg, "s3cret"), "%s", e.msg);
	post = given_post(1);
	post.user_agent = "agent\n";
	ck_assert_int_eq(http_post(&e, &post, &status), -EINVAL);
	post = given_post(1);
	post.content_type = "\rtype";
	ck_assert_int_eq(http_post(&e, &post, &status), -EINVAL);
}
END_TEST

START_TEST(says_that_a_name_is_not_found)
{
	char name[128]; /* a label of more than 63 characters: no resolver is asked */
	struct http_post post = given_post(1);
	struct err e;
	long status = -1;

	snprintf(name, sizeof(name), "http://%070d.example/", 0);
	post.url = name;
	ck_assert_int_eq(http_post(&e, &post, &status), -EHOSTUNREACH);
	ck_assert_int_eq(status, 0);
	ck_assert_msg(strstr(e.msg, "name is not found"), "%s", e.msg);
}
END_TEST

START_TEST(says_that_there_is_no_tls)
{
	static const char *const script[] = { "HTTP/1.1 400 Bad Request\r\n\r\n", NULL };
	struct http_post post;
	struct err e;
	long status = -1;

	given_server(&server, script);
	post = given_post(server.port);
	snprintf(url, sizeof(url), "https://127.0.0.1:%u/", server.port);
	ck_assert_int_eq(http_post(&e, &post, &status), -EIO);
	stop(&server);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_eq(server.n, 1);
	ck_assert_ptr_null(strstr(server.requests[0], "s3cret"));
	ck_assert_msg(strstr(e.msg, "no TLS connection"), "%s", e.msg);
}
END_TEST

START_TEST(says_that_a_ca_file_cannot_be_used)
{
	struct http_post post = given_post(1);
	char empty[] = "/tmp/test_http.XXXXXX";
	int fd = mkstemp(empty);
	static const char *const script[] = { NULL };
	struct err e;
	long status;

	ck_assert_int_ge(fd, 0);
	close(fd);
	given_server(&server, script);
	snprintf(url, sizeof(url), "https://127.0.0.1:%u/", server.port);
	post.ca_file = "/nonexistent/ca.pem";
	ck_assert_int_eq(http_post(&e, &post, &status), -EBADF);
	ck_assert_msg(strstr(e.msg, "/nonexistent/ca.pem"), "%s", e.msg);
	post.ca_file = empty;
	ck_assert_int_eq(http_post(&e, &post, &status), -EBADF);
	stop(&server);
	unlink(empty);
}
END_TEST

static void on_sigpipe(int signal)
{
	(void)signal;
}

START_TEST(leaves_sigpipe_as_it_was)
{
	static const char *const script[] = { "HTTP/1.1 200 OK\r\n\r\n", NULL };
	struct sigaction after;
	struct err e;

	signal(SIGPIPE, on_sigpipe);
	ck_assert_int_eq(post_to_script(script, 1, 200, &e), 0);
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
		struct http_post post = given_post(1);
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
	int unheard = bound_socket(&port);
	struct http_post post = given_post(port);
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

/* The tests' connections stay on this machine. */
static void forget_proxies(void)
{
	unsetenv("http_proxy");
	unsetenv("https_proxy");
	unsetenv("HTTPS_PROXY");
	unsetenv("all_proxy");
	unsetenv("ALL_PROXY");
	unsetenv("no_proxy");
	unsetenv("NO_PROXY");
}

static void add(TCase *tc)
{
	tcase_add_checked_fixture(tc, forget_proxies, NULL);
	tcase_add_test(tc, posts_the_document_with_type_token_and_agent);
	tcase_add_test(tc, sends_no_more_than_it_was_given);
	tcase_add_test(tc, sends_every_byte_of_a_longer_body);
	tcase_add_test(tc, tries_again_what_may_pass);
	tcase_add_test(tc, does_not_try_again_what_is_decided);
	tcase_add_test(tc, waits_twice_as_long_before_each_further_try);
	tcase_add_test(tc, gives_up_when_an_answer_takes_too_long);
	tcase_add_test(tc, counts_redirects_into_the_time_of_a_try);
	tcase_add_test(tc, reads_no_more_than_a_little_of_the_reply);
	tcase_add_test(tc, follows_a_redirect_within_the_same_origin);
	tcase_add_test(tc, takes_the_token_nowhere_else);
	tcase_add_test(tc, does_not_follow_what_would_turn_the_post_into_something_else);
	tcase_add_test(tc, knows_the_default_port_and_the_case_of_a_host);
	tcase_add_test(tc, shows_no_proxy_a_token_in_clear);
	tcase_add_test(tc, follows_five_redirects_and_no_more);
	tcase_add_test(tc, begins_where_it_began_when_it_tries_again);
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
