/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http_reply.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define REPLY_MAX (1U << 20)
#define HEADERS_MAX (64U << 10) /* of all replies of a request, those of status 100 too */
#define REDIRECTS_MAX 5

int http_check_url(struct err *e, const char *url)
{
	CLEANUP(http_curl_unload) struct http_curl curl = { 0 };
	CURLU *parsed;
	int ret = http_curl_load(e, &curl);

	if (ret == 0)
		ret = http_url_parse_ours(e, &curl, url, &parsed);
	if (ret < 0)
		return ret;
	curl.url_cleanup(parsed);
	return 0;
}

/* --- one post --- */

static void transfer_end(struct transfer *t)
{
	if (t->easy)
		t->curl.easy_cleanup(t->easy);
	if (t->headers)
		t->curl.slist_free_all(t->headers);
	if (t->origin)
		t->curl.url_cleanup(t->origin);
	if (t->initialised)
		t->curl.global_cleanup();
	http_curl_unload(&t->curl);
}

/* 0 for CURLE_OK; else an error of libcurl itself, before anything was sent. */
static int check_libcurl(struct err *e, const struct transfer *t, CURLcode code)
{
	if (code == CURLE_OK)
		return 0;
	if (code == CURLE_OUT_OF_MEMORY)
		return err_set(e, ENOMEM, "out of memory");
	return err_set(e, ELIBACC, "libcurl cannot do what is needed (%s); install a newer one, with TLS",
		       t->curl.easy_strerror(code));
}

static int add_header(struct err *e, struct transfer *t, const char *name, const char *value)
{
	CLEANUP_FREE char *line = NULL;
	struct curl_slist *longer;

	if (value[strcspn(value, "\r\n")])
		return err_set(e, ERR_USAGE, "there is a line break in what is to be sent as %s; remove it",
			       name);
	if (asprintf(&line, "%s%s", name, value) < 0)
		line = NULL;
	longer = line ? t->curl.slist_append(t->headers, line) : NULL;
	if (!longer)
		return err_set(e, ENOMEM, "out of memory");
	t->headers = longer;
	return 0;
}

static int add_headers(struct err *e, struct transfer *t)
{
	int ret = add_header(e, t, "Content-Type: ", t->post->content_type);

	if (ret == 0)
		ret = add_header(e, t, "User-Agent: ", t->post->user_agent);
	if (ret == 0 && t->post->token)
		ret = add_header(e, t, "Authorization: Bearer ", t->post->token);
	return ret;
}

/* Drops the reply's body; ends the transfer when there is too much of it. */
static size_t drop_body(const char *data, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;

	(void)data;
	t->received += size * n;
	return t->received > REPLY_MAX ? 0 : size * n;
}

/* Some libcurls keep headers without end. */
static size_t count_header(const char *data, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;

	(void)data;
	t->headed += size * n;
	return t->headed > HEADERS_MAX ? 0 : size * n;
}

/* All that libcurl is to speak. Never NULL, which to some of its versions means whatever they can. */
static const char *protocol(const struct http_post *post)
{
	const char *scheme = http_url_scheme(post->url);

	return scheme ? scheme : "https";
}

static int set_strings(struct err *e, struct transfer *t)
{
	const struct {
		CURLoption option;
		const void *value;
	} options[] = {
#if LIBCURL_VERSION_NUM >= 0x075500
		{ CURLOPT_PROTOCOLS_STR, protocol(t->post) },
#endif
		{ CURLOPT_HTTPHEADER, t->headers },
		{ CURLOPT_POSTFIELDS, t->post->len ? t->post->body : "" }, /* not copied */
		{ CURLOPT_CUSTOMREQUEST, t->post->put ? "PUT" : NULL },
		{ CURLOPT_WRITEDATA, t },
		{ CURLOPT_HEADERDATA, t },
		{ CURLOPT_ERRORBUFFER, t->detail },
	};
	CURLcode code = t->curl.easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, drop_body);

	if (code == CURLE_OK)
		code = t->curl.easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, count_header);
	for (size_t i = 0; i < ARRAY_LEN(options) && code == CURLE_OK; i++)
		code = t->curl.easy_setopt(t->easy, options[i].option, options[i].value);
	return check_libcurl(e, t, code);
}

/* Without CAPATH: it is the system's, which would be trusted besides the file. */
static int set_ca(struct err *e, struct transfer *t)
{
	CURLcode code = CURLE_OK;

	if (t->post->ca_file)
		code = t->curl.easy_setopt(t->easy, CURLOPT_CAPATH, NULL);
	if (code == CURLE_OK && t->post->ca_file)
		code = t->curl.easy_setopt(t->easy, CURLOPT_CAINFO, t->post->ca_file);
	return check_libcurl(e, t, code);
}

/* In clear, a token goes to its server and to nobody else on purpose. */
static int set_proxy(struct err *e, struct transfer *t)
{
	CURLcode code = CURLE_OK;

	if (t->post->token && strcmp(http_url_scheme(t->post->url), "http") == 0)
		code = t->curl.easy_setopt(t->easy, CURLOPT_PROXY, "");
	return check_libcurl(e, t, code);
}

static int set_numbers(struct err *e, struct transfer *t)
{
	const struct {
		CURLoption option;
		long value;
	} options[] = {
#if LIBCURL_VERSION_NUM < 0x075500
		{ CURLOPT_PROTOCOLS, protocol(t->post)[4] ? CURLPROTO_HTTPS : CURLPROTO_HTTP },
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
		{ CURLOPT_QUICK_EXIT, 1 }, /* else a time-out waits for the resolver's, 10 s and more */
#endif
		{ CURLOPT_SSL_VERIFYPEER, 1 },
		{ CURLOPT_SSL_VERIFYHOST, 2 },
		{ CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 }, /* or later */
		{ CURLOPT_FOLLOWLOCATION, 0 },
		{ CURLOPT_NETRC, CURL_NETRC_IGNORED },
		{ CURLOPT_NOSIGNAL, 1 },
		{ CURLOPT_CONNECTTIMEOUT_MS, t->post->connect_timeout },
		{ CURLOPT_POST, 1 },
	};
	CURLcode code = t->curl.easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->post->len);

	for (size_t i = 0; i < ARRAY_LEN(options) && code == CURLE_OK; i++)
		code = t->curl.easy_setopt(t->easy, options[i].option, options[i].value);
	return check_libcurl(e, t, code);
}

static int transfer_begin(struct err *e, struct transfer *t)
{
	CURLcode code = t->curl.global_init(CURL_GLOBAL_DEFAULT);
	int ret;

	if (code != CURLE_OK)
		return check_libcurl(e, t, code);
	t->initialised = true;
	t->easy = t->curl.easy_init();
	if (!t->easy)
		return check_libcurl(e, t, CURLE_FAILED_INIT);
	ret = add_headers(e, t);
	if (ret == 0)
		ret = set_strings(e, t);
	if (ret == 0)
		ret = set_ca(e, t);
	if (ret == 0)
		ret = set_proxy(e, t);
	if (ret == 0)
		ret = set_numbers(e, t);
	return ret;
}

/*
 * Makes the URL of a 307 or 308 the next one, if it is of the same origin; the
 * others would make a GET of the post, or want a decision.
 */
static int follow(struct err *e, struct transfer *t, long status)
{
	CURLU *parsed = NULL;
	char *target = NULL;
	bool same;
	CURLcode code;

	t->curl.easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &target);
	if (target)
		parsed = http_url_parse(&t->curl, target);
	if (!parsed)
		return http_refuse_redirect(e, t, status, NULL);
	same = http_url_same_origin(&t->curl, t->origin, parsed);
	t->curl.url_cleanup(parsed);
	if (!same || (status != 307 && status != 308))
		return http_refuse_redirect(e, t, status, target);
	code = t->curl.easy_setopt(t->easy, CURLOPT_URL, target); /* which copies it */
	return check_libcurl(e, t, code);
}

/* --- tries --- */

/* One request and its reply. *left, milliseconds, shrinks by what it took. */
static int request(struct err *e, struct transfer *t, long *left, long *status)
{
	curl_off_t took = 0;
	CURLcode code;

	t->received = t->headed = 0;
	t->detail[0] = '\0';
	code = t->curl.easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, *left);
	if (code != CURLE_OK)
		return check_libcurl(e, t, code);
	code = t->curl.easy_perform(t->easy);
	t->curl.easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, status);
	t->curl.easy_getinfo(t->easy, CURLINFO_TOTAL_TIME_T, &took);
	took /= 1000;
	*left = took < *left ? *left - (long)took : 1;
	if (code == CURLE_WRITE_ERROR && t->headed > HEADERS_MAX)
		return err_set(e, EPROTO, "the server sends headers without end; check the URL");
	if (code == CURLE_WRITE_ERROR && t->received > REPLY_MAX)
		return 0; /* the status has said what we want to know */
	return code == CURLE_OK ? 0 : http_transfer_failed(e, t, code);
}

/* One try: the request, and again where redirects lead. */
static int try_once(struct err *e, struct transfer *t, long *status)
{
	CURLcode code = t->curl.easy_setopt(t->easy, CURLOPT_URL, t->post->url);
	long left = t->post->timeout;

	if (code != CURLE_OK)
		return check_libcurl(e, t, code);
	for (int redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
		int ret = request(e, t, &left, status);

		if (ret < 0)
			return ret;
		if (*status < 300 || *status > 399)
			return http_judge_status(e, t, *status);
		ret = follow(e, t, *status);
		if (ret < 0)
			return ret;
	}
	return err_set(e, EPROTO, "more than %d redirects; correct them at the server", REDIRECTS_MAX);
}

/* Whether a moment later it may end otherwise. */
static bool is_passing(const struct err *e, long status)
{
	switch (e->code) {
	case ECONNREFUSED:
	case EHOSTUNREACH:
	case EIO:
	case ETIMEDOUT:
		return true;
	case EPROTO:
		return http_is_passing_status(status);
	default:
		return false;
	}
}

/* An eighth more or less: many workers that failed together do not come back together. */
static void wait_about(int64_t ms)
{
	int64_t ns = ms * 1000000;
	struct timespec left;
	uint16_t chance; /* with more bits the product would not fit for every int of milliseconds */

	if (getrandom(&chance, sizeof(chance), 0) == (ssize_t)sizeof(chance))
		ns += ns / 8 * (chance - (INT16_MAX + 1)) / (INT16_MAX + 1);
	left = (struct timespec){ .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };
	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
		;
}

static int try_all(struct err *e, struct transfer *t, long *status)
{
	int64_t backoff = t->post->backoff;
	int ret, n = 1;

	while ((ret = try_once(e, t, status)) < 0 && n < t->post->tries && is_passing(e, *status)) {
		wait_about(backoff);
		if (backoff <= INT_MAX / 2)
			backoff *= 2;
		n++;
	}
	if (ret < 0 && n > 1)
		return err_wrap(e, "tried %d times", n);
	return ret;
}

/* With CURLOPT_NOSIGNAL libcurl leaves it to us that a lost connection must not kill the process. */
static int try_without_sigpipe(struct err *e, struct transfer *t, long *status)
{
	const struct sigaction ignored = { .sa_handler = SIG_IGN };
	struct sigaction before;
	int ret;

	if (sigaction(SIGPIPE, &ignored, &before) < 0)
		return err_sys(e, errno, "cannot ignore SIGPIPE");
	ret = try_all(e, t, status);
	sigaction(SIGPIPE, &before, NULL);
	return ret;
}

int http_post(struct err *e, const struct http_post *post, long *status)
{
	CLEANUP(transfer_end) struct transfer t = { .post = post };
	int ret;

	*status = 0;
	ret = http_curl_load(e, &t.curl);
	if (ret == 0)
		ret = http_url_parse_ours(e, &t.curl, post->url, &t.origin);
	if (ret < 0)
		return ret;
	ret = transfer_begin(e, &t);
	if (ret == 0)
		ret = try_without_sigpipe(e, &t, status);
	if (ret < 0)
		return err_wrap(e, "cannot post to %.*s", http_url_shown(post->url), post->url);
	return 0;
}
