/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "post.h"
#include "addr.h"
#include "server.h"
#include "tool.h"

#include <string.h>
#include <strings.h>

/* Is this URL, which has been checked, of http and not of this very host? */
static bool is_open_to_listeners(const char *url)
{
	static const char scheme[] = "http://";
	const char *start = url + strlen(scheme);
	char host[SERVER_HOST_MAX + 1];
	struct addr a;
	struct err e;
	size_t len;

	if (strncasecmp(url, scheme, strlen(scheme)) != 0)
		return false;
	start += *start == '[';
	len = strcspn(start, start[-1] == '[' ? "]" : ":/?#");
	if (len >= sizeof(host))
		return true;
	memcpy(host, start, len);
	host[len] = '\0';
	if (strcasecmp(host, "localhost") == 0)
		return false;
	return addr_parse(&e, host, &a) < 0 || addr_scope(&a) != ADDR_LOOPBACK;
}

int post_prepare(struct err *e, struct post *p)
{
	if (http_check_url(e, p->url) < 0)
		return -e->code;
	p->token_in_clear = p->token_file && is_open_to_listeners(p->url);
	if (p->token_file && secret_read(e, p->token_file, p->token) < 0)
		return tool_blame_file(e);
	if (p->ca_file && access(p->ca_file, R_OK) < 0) {
		err_sys(e, errno, "cannot read %s", p->ca_file);
		err_advise(e, "name a readable PEM file with certificates");
		return tool_blame_file(e);
	}
	return 0;
}

int post_send(struct err *e, const struct post *p, struct http_post http, long *status)
{
	http.url = p->url;
	http.token = p->token[0] != '\0' ? p->token : NULL;
	http.ca_file = p->ca_file;
	http.connect_timeout = 5000;
	http.timeout = 15000;
	http.tries = 3;
	http.backoff = 1000;
	if (http_post(e, &http, status) == 0)
		return 0;
	/* The server's "unauthorized" says nothing of what this system permits. */
	e->code = e->code == EINVAL || e->code == EBADF ? ERR_USAGE : EIO;
	return -e->code;
}
