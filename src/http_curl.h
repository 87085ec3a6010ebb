/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * http_curl: libcurl, loaded when it is asked for, and the questions about URLs
 * that it answers. Sends nothing; knows neither posts nor replies. Only http*.c
 * include it.
 */
#ifndef SONM_HTTP_CURL_H
#define SONM_HTTP_CURL_H

#include "err.h"

#include <curl/curl.h>

#define HTTP_CURL_FUNCTIONS(F)                                                                               \
	F(global_init)                                                                                       \
	F(global_cleanup)                                                                                    \
	F(easy_init)                                                                                         \
	F(easy_setopt)                                                                                       \
	F(easy_perform)                                                                                      \
	F(easy_getinfo)                                                                                      \
	F(easy_strerror)                                                                                     \
	F(easy_cleanup)                                                                                      \
	F(slist_append)                                                                                      \
	F(slist_free_all)                                                                                    \
	F(url)                                                                                               \
	F(url_set)                                                                                           \
	F(url_get)                                                                                           \
	F(url_cleanup)                                                                                       \
	F(free)

/* libcurl's functions under their own names, less "curl_". All zero: not loaded. */
struct http_curl {
	void *handle;
#define HTTP_CURL_MEMBER(name) __typeof__(curl_##name) *name;
	HTTP_CURL_FUNCTIONS(HTTP_CURL_MEMBER)
#undef HTTP_CURL_MEMBER
};

/* -ELIBACC: it is not there, or lacks a function. To be unloaded in either case. */
int http_curl_load(struct err *e, struct http_curl *curl) MUST_CHECK;

/* For CLEANUP; one that is not loaded is fine. */
void http_curl_unload(struct http_curl *curl);

/* "http", "https", or NULL for any other; looks no further than to where the host should begin. */
const char *http_url_scheme(const char *text);

/*
 * Takes apart an URL of any scheme; the caller frees with curl->url_cleanup.
 * NULL when it is none, has a user or password in it, or memory is short.
 */
CURLU *http_url_parse(const struct http_curl *curl, const char *text);

/* The same for an URL that we may post to. -EINVAL for any other; the error shows no password. */
int http_url_parse_ours(struct err *e, const struct http_curl *curl, const char *text,
			CURLU **out) MUST_CHECK;

/* Have they the same scheme, host (with its zone) and port? */
bool http_url_same_origin(const struct http_curl *curl, CURLU *a, CURLU *b);

/* How many bytes of an URL without user and password may be shown: a query can hold a secret, too. */
int http_url_shown(const char *url);

#endif
