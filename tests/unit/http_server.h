/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * http_server: a server on loopback that gives the answers of a script and
 * keeps the requests, posts to it, and questions about what it was sent. Reads
 * and writes HTTP by itself, without libcurl.
 */
#ifndef SONM_HTTP_SERVER_H
#define SONM_HTTP_SERVER_H

#include "http.h"
#include "unit.h"

#include <pthread.h>

#define HTTP_REQUESTS_MAX 16
#define HTTP_REQUEST_MAX 8192

/* Answers that are more than bytes; the others are sent as they are, and the connection ends. */
extern const char http_endless[]; /* a body without end */
extern const char http_headers[]; /* headers without end */
extern const char http_continue[]; /* status 100 without end */
extern const char http_drops[];   /* a byte of the body each 10 ms, without end */
extern const char http_silent[];  /* nothing, until the client goes */
extern const char http_half[];    /* half of the body, until the client goes */
extern const char http_reset[];   /* a reset */

#define HTTP_OK "HTTP/1.1 200 OK\r\n\r\n"

/* A script: the answer to each connection's request in turn, then NULL; 418 to what comes after that. */
extern const char *const http_script_ok[]; /* HTTP_OK, once */

struct http_server {
	const char *const *script; /* what is left of it */
	long delay;                /* milliseconds before each answer */
	int listener;
	uint16_t port;
	char url[64]; /* of /workers/w1 there */
	pthread_t thread;
	size_t n; /* requests so far; to be looked at when it has been stopped */
	char requests[HTTP_REQUESTS_MAX][HTTP_REQUEST_MAX];
};

/* A TCP socket on a port of 127.0.0.1 where nobody listens. */
int http_bound_socket(uint16_t *port);

void http_server_start(struct http_server *s, const char *const *script);
void http_server_stop(struct http_server *s);

/* The sample of a post: {"nat":1} with the token "s3cret", one try of half a minute; without an URL. */
struct http_post http_given_post(void);

/* Posts it to the server, which then stops; at its url unless the post has one of its own. */
int http_post_to(struct err *e, struct http_server *s, const struct http_post *post, long *status);

/* The sample to a server with this script, tried so often; checks error and status, returns the code. */
int http_post_to_script(struct err *e, struct http_server *s, const char *const *script, int tries,
			long wanted_status);

/* What follows a header's colon, until the next call; NULL: none does. Fails the test if there are two. */
const char *http_header(const char *request, const char *name);

/* Fails the test unless that request, counted from 0, begins with this line. */
void http_expect_first_line(const struct http_server *s, size_t i, const char *line);

/* Fails the test unless it is the sample with this first line and body. */
void http_expect_request(const struct http_server *s, size_t i, const char *first_line, const char *body);

/* From here on the server is what this variable of the environment names as a proxy. */
void http_given_proxy(const char *variable, const struct http_server *s);

/* A fixture: no proxies in the environment, so that a test's connections stay on this machine. */
void http_forget_proxies(void);

#endif
