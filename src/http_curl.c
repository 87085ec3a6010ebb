/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http_curl.h"

#include <dlfcn.h>
#include <string.h>
#include <strings.h>

/* The soname is libcurl's promise that what we compile against is what we load. */
#define LIBCURL "libcurl.so.4"

#define SHOWN_MAX 300 /* bytes of an URL in a message */

/*
 * RTLD_NODELETE: it stays mapped when we are done. A thread of it that waits for
 * a resolver may outlive the time-out (CURLOPT_QUICK_EXIT), and the next call
 * finds it loaded.
 */
int http_curl_load(struct err *e, struct http_curl *curl)
{
#define ROW(name) { "curl_" #name, offsetof(struct http_curl, name) },
	static const struct {
		const char *name;
		size_t offset;
	} functions[] = { HTTP_CURL_FUNCTIONS(ROW) };
#undef ROW

	curl->handle = dlopen(LIBCURL, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!curl->handle) {
		err_set(e, ELIBACC, "HTTP needs libcurl, which cannot be loaded (%.300s)", dlerror());
		return err_advise(e, "install it (Debian: libcurl4)");
	}
	for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
		void *address = dlsym(curl->handle, functions[i].name);

		if (!address)
			return err_set(e, ELIBACC, LIBCURL " has no %s; install libcurl 7.65 or later",
				       functions[i].name);
		memcpy((char *)curl + functions[i].offset, &address, sizeof(address));
	}
	return 0;
}

void http_curl_unload(struct http_curl *curl)
{
	if (curl->handle)
		dlclose(curl->handle);
}

/* libcurl reads "https:/HOST" and "https:///HOST", too; others would not. */
static bool begins_with_scheme(const char *text, const char *scheme)
{
	size_t len = strlen(scheme);

	return strncasecmp(text, scheme, len) == 0 && strncmp(text + len, "://", 3) == 0 &&
	       text[len + 3] != '/';
}

const char *http_url_scheme(const char *text)
{
	if (begins_with_scheme(text, "https"))
		return "https";
	return begins_with_scheme(text, "http") ? "http" : NULL;
}

CURLU *http_url_parse(const struct http_curl *curl, const char *text)
{
	CURLU *url = curl->url();

	if (url && curl->url_set(url, CURLUPART_URL, text, CURLU_DISALLOW_USER) != CURLUE_OK) {
		curl->url_cleanup(url);
		url = NULL;
	}
	return url;
}

/* An URL that could not be taken apart may have a password anywhere before an '@'. */
static int refuse_url(struct err *e, const char *text)
{
	if (strchr(text, '@'))
		return err_set(e, ERR_USAGE,
			       "the URL is not valid, or has a user or password in it, "
			       "which others could see; write https://HOST[:PORT]/PATH");
	return err_set(e, ERR_USAGE, "'%.*s' is not an URL to post to; write https://HOST[:PORT]/PATH",
		       http_url_shown(text), text);
}

int http_url_parse_ours(struct err *e, const struct http_curl *curl, const char *text, CURLU **out)
{
	CURLU *url = http_url_scheme(text) ? http_url_parse(curl, text) : NULL;

	if (!url)
		return refuse_url(e, text);
	*out = url;
	return 0;
}

static bool same_part(const struct http_curl *curl, CURLU *a, CURLU *b, CURLUPart part)
{
	char *of_a = NULL, *of_b = NULL;
	bool same;

	curl->url_get(a, part, &of_a, CURLU_DEFAULT_PORT);
	curl->url_get(b, part, &of_b, CURLU_DEFAULT_PORT);
	same = of_a && of_b ? strcasecmp(of_a, of_b) == 0 : of_a == of_b;
	curl->free(of_a);
	curl->free(of_b);
	return same;
}

bool http_url_same_origin(const struct http_curl *curl, CURLU *a, CURLU *b)
{
	static const CURLUPart parts[] = { CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_ZONEID,
					   CURLUPART_PORT };

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (!same_part(curl, a, b, parts[i]))
			return false;
	return true;
}

int http_url_shown(const char *url)
{
	size_t len = strcspn(url, "?#");

	return (int)(len < SHOWN_MAX ? len : SHOWN_MAX);
}
