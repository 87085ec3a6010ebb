/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http_server.h"

#include <arpa/inet.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

const char http_endless[] = "an endless body";
const char http_headers[] = "HTTP/1.1 200 OK\r\n";
const char http_continue[] = "";
const char http_drops[] = "HTTP/1.1 200 OK\r\n\r\n";
const char http_silent[] = "nothing, until the client goes";
const char http_half[] = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
const char http_reset[] = "a reset";

const char *const http_script_ok[] = { HTTP_OK, NULL };

/* Reads headers and as much body as they promise, or what a TLS client begins with. */
static bool read_request(int fd, char text[static HTTP_REQUEST_MAX])
{
	size_t len = 0, wanted = SIZE_MAX;

	while (len < wanted) {
		ssize_t got = recv(fd, text + len, HTTP_REQUEST_MAX - 1 - len, 0);
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
		perror("http_server: send");
}

/* What begins an answer, and what then comes again and again until the client has gone. */
static const struct {
	const char *how, *again;
	long pause; /* milliseconds */
} floods[] = {
	{ http_headers, "X-Header: 0123456789012345678901234567890123456789012345678901234567890123456789\r\n", 0 },
	{ http_continue, "HTTP/1.1 100 Continue\r\n\r\n", 0 },
	{ http_drops, ".", 10 },
};

static void flood(int fd, const char *how)
{
	for (size_t i = 0; i < ARRAY_LEN(floods); i++) {
		const struct timespec pause = { .tv_nsec = floods[i].pause * 1000000 };
		size_t len = strlen(floods[i].again);

		if (how != floods[i].how)
			continue;
		send_all(fd, how);
		while (send(fd, floods[i].again, len, MSG_NOSIGNAL) > 0)
			nanosleep(&pause, NULL);
	}
}

static bool is_flood(const char *how)
{
	return how == http_headers || how == http_continue || how == http_drops;
}

static void answer(int fd, const char *how)
{
	static char zeros[65536];
	struct linger at_once = { .l_onoff = 1 };

	if (how == http_endless) {
		send_all(fd, HTTP_OK);
		while (send(fd, zeros, sizeof(zeros), MSG_NOSIGNAL) > 0)
			;
	} else if (is_flood(how)) {
		flood(fd, how);
	} else if (how == http_reset) {
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	} else {
		if (how != http_silent)
			send_all(fd, how);
		if (how == http_silent || how == http_half)
			recv(fd, zeros, 1, 0);
	}
	close(fd);
}

static void *serve(void *ctx)
{
	struct http_server *s = ctx;
	int fd;

	while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
		if (s->n < HTTP_REQUESTS_MAX && read_request(fd, s->requests[s->n])) {
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

int http_bound_socket(uint16_t *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, len), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

void http_server_start(struct http_server *s, const char *const *script)
{
	memset(s, 0, sizeof(*s));
	s->script = script;
	s->listener = http_bound_socket(&s->port);
	snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%u/workers/w1", s->port);
	ck_assert_int_eq(listen(s->listener, 16), 0);
	ck_assert_int_eq(pthread_create(&s->thread, NULL, serve, s), 0);
}

void http_server_stop(struct http_server *s)
{
	shutdown(s->listener, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->listener);
}

struct http_post http_given_post(void)
{
	return (struct http_post){ .content_type = "application/json",
				   .body = "{\"nat\":1} and what is not meant",
				   .len = 9,
				   .token = "s3cret",
				   .connect_timeout = 30000,
				   .timeout = 30000,
				   .tries = 1,
				   .backoff = 1,
				   .user_agent = "sonm-test/1.0" };
}

int http_post_to(struct err *e, struct http_server *s, const struct http_post *post, long *status)
{
	struct http_post at_server = *post;
	int ret;

	if (!post->url)
		at_server.url = s->url;
	ret = http_post(e, &at_server, status);
	http_server_stop(s);
	return ret;
}

int http_post_to_script(struct err *e, struct http_server *s, const char *const *script, int tries,
			long wanted_status)
{
	struct http_post post = http_given_post();
	long status = -1;
	int ret;

	post.tries = tries;
	e->code = 0;
	http_server_start(s, script);
	ret = http_post_to(e, s, &post, &status);
	ck_assert_int_eq(ret, ret < 0 ? -e->code : 0);
	ck_assert_int_eq(status, wanted_status);
	ck_assert_ptr_null(ret < 0 ? strstr(e->msg, "s3cret") : NULL);
	return ret;
}

const char *http_header(const char *request, const char *name)
{
	static char value[HTTP_REQUEST_MAX];
	size_t len = strlen(name);
	const char *found = NULL;

	for (const char *line = strstr(request, "\r\n"); strncmp(line, "\r\n\r\n", 4) != 0;) {
		const char *begin = line + 2, *end = strstr(begin, "\r\n");

		if (strncasecmp(begin, name, len) == 0 && begin[len] == ':') {
			ck_assert_msg(!found, "%s is there twice", name);
			begin += len + 1;
			snprintf(value, sizeof(value), "%.*s", (int)(end - begin), begin);
			found = value;
		}
		line = end;
	}
	return found;
}

void http_expect_first_line(const struct http_server *s, size_t i, const char *line)
{
	size_t len = strlen(line);

	ck_assert_uint_lt(i, s->n);
	ck_assert_msg(strncmp(s->requests[i], line, len) == 0, "%s", s->requests[i]);
	ck_assert_msg(strncmp(s->requests[i] + len, "\r\n", 2) == 0, "%s", s->requests[i]);
}

void http_expect_request(const struct http_server *s, size_t i, const char *first_line, const char *body)
{
	const char *request = s->requests[i];
	char host[64];

	http_expect_first_line(s, i, first_line);
	snprintf(host, sizeof(host), " 127.0.0.1:%u", s->port);
	ck_assert_str_eq(http_header(request, "Host"), host);
	ck_assert_str_eq(http_header(request, "Content-Type"), " application/json");
	ck_assert_str_eq(http_header(request, "User-Agent"), " sonm-test/1.0");
	ck_assert_str_eq(http_header(request, "Authorization"), " Bearer s3cret");
	ck_assert_ptr_null(http_header(request, "Cookie"));
	ck_assert_str_eq(strstr(request, "\r\n\r\n") + 4, body);
}

void http_given_proxy(const char *variable, const struct http_server *s)
{
	char proxy[64];

	snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", s->port);
	setenv(variable, proxy, 1);
}

void http_forget_proxies(void)
{
	static const char *const variables[] = { "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
						 "ALL_PROXY",  "no_proxy",    "NO_PROXY" };

	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		unsetenv(variables[i]);
}
