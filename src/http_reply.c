/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http_reply.h"

#include <string.h>

/* The reason is known by libcurl's words only; if it finds others, the advice is for the most frequent. */
static const char *advise_certificate(const char *reason)
{
	if (strstr(reason, "subject name"))
		return "use a name that is in the certificate";
	if (strstr(reason, "expired") || strstr(reason, "not yet valid"))
		return "renew it, or correct this machine's clock";
	return "name a file with its CA's certificate";
}

static int refuse_certificate(struct err *e, const struct transfer *t)
{
	err_set(e, EKEYREJECTED, "the server's certificate cannot be verified (%.200s)", t->detail);
	return err_advise(e, "%s", advise_certificate(t->detail));
}

static int no_connection(struct err *e, const struct transfer *t)
{
	long reason = 0;

	t->curl.easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &reason);
	switch (reason) {
	case ECONNREFUSED:
		err_set(e, ECONNREFUSED, "the connection is refused");
		return err_advise(e, "see that the server runs, and check the port");
	case ETIMEDOUT:
		err_set(e, ETIMEDOUT, "there is no connection in time");
		break;
	case EHOSTUNREACH:
	case ENETUNREACH:
		err_set(e, EHOSTUNREACH, "the host cannot be reached");
		break;
	default:
		err_set(e, EIO, "there is no connection (%.200s)", t->detail);
	}
	return err_advise(e, "check the URL and this machine's network");
}

static int refuse_ca_file(struct err *e, const struct transfer *t)
{
	if (!t->post->ca_file)
		return err_set(e, EBADF,
			       "the system's CA certificates cannot be used (%.200s); install them "
			       "(Debian: ca-certificates)",
			       t->detail);
	return err_set(e, EBADF,
		       "the CA file %.300s cannot be used; name a readable PEM file with certificates",
		       t->post->ca_file);
}

int http_transfer_failed(struct err *e, const struct transfer *t, CURLcode code)
{
	switch (code) {
	case CURLE_OUT_OF_MEMORY:
		return err_set(e, ENOMEM, "out of memory");
	case CURLE_COULDNT_CONNECT:
		return no_connection(e, t);
	case CURLE_PEER_FAILED_VERIFICATION:
		return refuse_certificate(e, t);
	case CURLE_SSL_CACERT_BADFILE:
		return refuse_ca_file(e, t);
	case CURLE_OPERATION_TIMEDOUT:
		return err_set(e, ETIMEDOUT,
			       "it takes too long (%.200s); check the URL and this machine's network",
			       t->detail);
	case CURLE_COULDNT_RESOLVE_HOST:
		return err_set(e, EHOSTUNREACH,
			       "the host's name is not found; check the URL and this machine's DNS");
	case CURLE_COULDNT_RESOLVE_PROXY:
		return err_set(e, EHOSTUNREACH,
			       "the proxy's name is not found; check %s_proxy in the environment",
			       http_url_scheme(t->post->url));
	case CURLE_UNSUPPORTED_PROTOCOL: /* an answer without a status line */
	case CURLE_WEIRD_SERVER_REPLY:
		return err_set(e, EPROTO, "what answers is not HTTP (%.200s); check the port", t->detail);
	case CURLE_SSL_CONNECT_ERROR:
		return err_set(e, EIO,
			       "no TLS connection (%.200s); see that HTTPS is served there, with TLS 1.2 "
			       "or later",
			       t->detail);
	default:
		return err_set(e, EIO, "the transfer failed (%.200s); try again later",
			       t->detail[0] ? t->detail : t->curl.easy_strerror(code));
	}
}

static const char *token_advice(const struct transfer *t)
{
	return t->post->token ? "give the token that it expects"
			      : "it wants a token: name a file that has it";
}

bool http_is_passing_status(long status)
{
	return status == 429 || status == 500 || (status >= 502 && status <= 504);
}

int http_judge_status(struct err *e, const struct transfer *t, long status)
{
	if (status >= 200 && status <= 299)
		return 0;
	switch (status) {
	case 401:
	case 403:
		return err_set(e, EACCES, "the server refuses with status %ld; %s", status, token_advice(t));
	case 404:
	case 405:
	case 410:
		return err_set(e, EPROTO,
			       "the server has nothing there that takes a post (status %ld); check the URL",
			       status);
	case 413:
		return err_set(e, EPROTO,
			       "%zu bytes are too many for the server (status 413); let it take more",
			       t->post->len);
	default:
		return err_set(e, EPROTO, "the server answers with status %ld; %s", status,
			       http_is_passing_status(status) ? "try again later" : "see its log");
	}
}

int http_refuse_redirect(struct err *e, const struct transfer *t, long status, const char *target)
{
	if (!target)
		return err_set(e, EPROTO, "the server answers with status %ld and no URL that one may follow; "
			       "see its log", status);
	err_set(e, EPROTO, "the server sends us elsewhere (status %ld, to %.*s), where %s did not go", status,
		http_url_shown(target), target, t->post->token ? "the token" : "the post");
	return err_advise(e, "correct the server, or give that URL if you trust it");
}
