/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LABEL_MAX 63 /* RFC 1035 2.3.4 */

#define DIGITS "0123456789"
#define HEX_DIGITS DIGITS "abcdefABCDEF"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Where host and port are in the text; an empty port begins with NUL. */
struct parts {
	const char *host;
	size_t host_len;
	bool bracketed;
	const char *port; /* NULL: not given */
};

/* The end of an address in brackets and what follows. False unless that is a port or nothing. */
static bool split_bracketed(const char *text, struct parts *out)
{
	const char *end = strchr(text, ']');

	if (!end || (end[1] != '\0' && end[1] != ':'))
		return false;
	*out = (struct parts){
		.host = text + 1,
		.host_len = (size_t)(end - text - 1),
		.bracketed = true,
		.port = end[1] ? end + 2 : NULL,
	};
	return true;
}

/* Without brackets a second colon means that all of it is an IPv6 address. */
static bool split(const char *text, struct parts *out)
{
	const char *colon = strchr(text, ':');

	if (text[0] == '[')
		return split_bracketed(text, out);
	if (colon && strchr(colon + 1, ':'))
		colon = NULL;
	*out = (struct parts){
		.host = text,
		.host_len = colon ? (size_t)(colon - text) : strlen(text),
		.port = colon ? colon + 1 : NULL,
	};
	return true;
}

/* RFC 1123 2.1, and the underscore that some hosts have all the same. */
static bool is_label(const char *label, size_t len)
{
	return len > 0 && len <= LABEL_MAX && strspn(label, LETTERS DIGITS "-_") >= len && label[0] != '-' &&
	       label[len - 1] != '-';
}

/* What the system's resolver takes for a part of an IPv4 address: "7", "0x7f". */
static bool is_number(const char *label, size_t len)
{
	bool hex = len > 2 && label[0] == '0' && (label[1] == 'x' || label[1] == 'X');

	return hex ? strspn(label + 2, HEX_DIGITS) >= len - 2 : strspn(label, DIGITS) >= len;
}

/* A name whose last label is a number would be a mistyped address: 192.0.2 or 192.0.2.256. */
static bool is_name(const char *host)
{
	const char *label = host;
	size_t len = strcspn(label, ".");

	while (is_label(label, len)) {
		const char *next = label + len + (label[len] == '.');

		if (*next == '\0')
			return !is_number(label, len);
		label = next;
		len = strcspn(label, ".");
	}
	return false;
}

/* A scheme as in RFC 7064's stun:host; without "//" it cannot be told from HOST:PORT by its form. */
static bool is_uri(const char *text)
{
	static const char *const schemes[] = { "stun:", "stuns:", "turn:", "turns:" };

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (strncasecmp(text, schemes[i], strlen(schemes[i])) == 0)
			return true;
	return strstr(text, "://") != NULL;
}

static int refuse(struct err *e, const char *text)
{
	return err_set(e, ERR_USAGE, "'%.80s' is not a STUN server; write HOST, HOST:PORT or [IPV6]:PORT%s",
		       text, is_uri(text) ? ", not a URI" : "");
}

/* Fills host and addr. False when host is neither name nor literal, or stands in brackets without need. */
static bool read_host(const struct parts *parts, struct server *s)
{
	struct err ignored;

	if (parts->host_len >= sizeof(s->host))
		return false;
	memcpy(s->host, parts->host, parts->host_len);
	s->host[parts->host_len] = '\0';
	if (addr_parse(&ignored, s->host, &s->addr) < 0)
		return !parts->bracketed && is_name(s->host);
	addr_format(&s->addr, s->host);
	return s->addr.family == AF_INET6 || !parts->bracketed;
}

int server_parse(struct err *e, const char *text, struct server *out)
{
	struct parts parts;
	struct server s;

	memset(&s, 0, sizeof(s));
	if (!split(text, &parts) || !read_host(&parts, &s))
		return refuse(e, text);
	if (parts.port && addr_parse_port(e, parts.port, &s.port) < 0)
		return refuse(e, text);
	if (s.addr.family != AF_UNSPEC && !addr_is_unicast(&s.addr))
		return err_set(e, ERR_USAGE, "'%.80s' is not a STUN server; name a unicast address", text);
	*out = s;
	return 0;
}

const char *server_format(const struct server *s, char buf[static SERVER_STRLEN])
{
	if (s->port == 0)
		snprintf(buf, SERVER_STRLEN, "%s", s->host);
	else
		snprintf(buf, SERVER_STRLEN, s->addr.family == AF_INET6 ? "[%s]:%u" : "%s:%u", s->host,
			 (unsigned)s->port);
	return buf;
}
