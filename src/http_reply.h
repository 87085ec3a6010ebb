/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * http_reply: a post under way, and what its end means to who posts: from libcurl's
 * code, or from the status of a reply. Sends nothing. For http.c only.
 */
#ifndef SONM_HTTP_REPLY_H
#define SONM_HTTP_REPLY_H

#include "http.h"
#include "http_curl.h"

struct transfer {
	struct http_curl curl;
	const struct http_post *post;
	CURLU *origin; /* the post's URL: nobody else gets the token */
	bool initialised;
	CURL *easy;
	struct curl_slist *headers;
	size_t received;              /* bytes of the reply's body */
	size_t headed;                /* of its headers */
	char detail[CURL_ERROR_SIZE]; /* libcurl's words for what went wrong */
};

/* For a code other than CURLE_OK: -EIO, or which of the errors of http_post it is, and what to do. */
int http_transfer_failed(struct err *e, const struct transfer *t, CURLcode code);

/* 0 for 2xx; for any other status what it means to who posts: -EACCES, -EPROTO. */
int http_judge_status(struct err *e, const struct transfer *t, long status) MUST_CHECK;

/* -EPROTO: to that URL (NULL: to none that one may follow) the post does not go. */
int http_refuse_redirect(struct err *e, const struct transfer *t, long status, const char *target);

/* May the same request end otherwise a moment later? */
bool http_is_passing_status(long status);

#endif
