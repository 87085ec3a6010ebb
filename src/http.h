/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * http: posts a document over HTTP or HTTPS with libcurl, which is loaded at
 * the first call: who does not report does not pay for it (8 ms against 1 ms to
 * start). Knows nothing of what is posted. One thread at a time may call it.
 *
 * libcurl itself heeds http_proxy, https_proxy, all_proxy and no_proxy in the
 * environment; workers behind a proxy want that. Over https:// the proxy does
 * not see the token; over http:// it would, so none is used for a token.
 */
#ifndef SONM_HTTP_H
#define SONM_HTTP_H

#include "err.h"

struct http_post {
	const char *url;          /* https:// or http:// */
	const char *content_type;
	bool put;                 /* with PUT instead of POST: the document replaces what is there */
	const char *body;
	size_t len;               /* bytes of the body */
	const char *token;        /* for "Authorization: Bearer TOKEN"; NULL: none */
	const char *ca_file;      /* PEM; whom to trust instead of the system's; NULL: the system's */
	int connect_timeout;      /* milliseconds, of each try */
	int timeout;              /* milliseconds, of each try in all */
	int tries;                /* at least 1 */
	int backoff;              /* milliseconds before the second try; doubles; an eighth of it more or less by chance */
	const char *user_agent;
};

/*
 * What is wrong with an URL, without any network: -EINVAL unless it is
 * http(s)://HOST..., without user and password; -ELIBACC libcurl is not there.
 */
int http_check_url(struct err *e, const char *url) MUST_CHECK;

/*
 * Posts it; 2xx is success. Tried again: no connection or a broken one, a
 * time-out, 429, 500, 502, 503, 504, whatever Retry-After says. Not tried again:
 * other statuses, a certificate that cannot be verified, a bad URL. A redirect
 * (307, 308) is followed, at most 5, only to the same scheme, host and port: the
 * token goes nowhere else. The reply's body is dropped, at most 1 MiB of it
 * read. Peer and host are always verified, with TLS 1.2 or later. *status: the
 * last request's HTTP status, 0 if none; written always.
 *
 * -EINVAL bad URL; -EACCES 401 or 403; -EPROTO another status, or no HTTP;
 * -ETIMEDOUT; -ECONNREFUSED; -EHOSTUNREACH name or host not found; -EKEYREJECTED
 * certificate not verified; -ELIBACC libcurl is not there, or cannot do this;
 * -EIO other failures (no TLS, say); -EBADF ca_file cannot be used. The error
 * says what to do; of the URL it shows neither query nor fragment.
 */
int http_post(struct err *e, const struct http_post *post, long *status) MUST_CHECK;

#endif
