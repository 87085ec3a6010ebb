/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "addr.h"

#include <arpa/inet.h>
#include <string.h>

int addr_parse(struct err *e, const char *text, struct addr *out)
{
	struct addr a;

	memset(&a, 0, sizeof(a)); /* the whole union */
	if (inet_pton(AF_INET, text, &a.v4) == 1)
		a.family = AF_INET;
	else if (inet_pton(AF_INET6, text, &a.v6) == 1)
		a.family = AF_INET6;
	else
		return err_set(e, ERR_USAGE, "'%.60s' is not an IPv4 or IPv6 address", text);
	*out = a;
	return 0;
}

/* Returns where the text ends, and ends it with a NUL. By hand for IPv4: inet_ntop(3) goes through sprintf. */
static char *put_addr(const struct addr *a, char *at)
{
	if (a->family != AF_INET) {
		if (!inet_ntop(a->family, a->bytes, at, ADDR_STRLEN))
			strcpy(at, "-");
		return at + strlen(at);
	}
	for (size_t i = 0; i < 4; i++) {
		at = base_put_number(at, a->bytes[i]);
		*at++ = '.';
	}
	*--at = '\0';
	return at;
}

const char *addr_format(const struct addr *a, char buf[static ADDR_STRLEN])
{
	put_addr(a, buf);
	return buf;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return addr_compare(a, b) == 0;
}

int addr_compare(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, addr_size(a));
}

bool addr_is_unicast(const struct addr *a)
{
	if (a->family == AF_INET6)
		return !IN6_IS_ADDR_UNSPECIFIED(&a->v6) && !IN6_IS_ADDR_MULTICAST(&a->v6) &&
		       !IN6_IS_ADDR_V4MAPPED(&a->v6);
	return a->family == AF_INET && a->v4.s_addr != htonl(INADDR_ANY) &&
	       a->v4.s_addr != htonl(INADDR_BROADCAST) && !IN_MULTICAST(ntohl(a->v4.s_addr));
}

static enum addr_scope scope_v4(uint32_t bits)
{
	static const struct {
		uint32_t net, mask;
		enum addr_scope scope;
	} nets[] = {
		{ 0x00000000, 0xff000000, ADDR_SPECIAL },    /* 0.0.0.0/8 */
		{ 0x0a000000, 0xff000000, ADDR_PRIVATE },    /* 10.0.0.0/8 */
		{ 0x64400000, 0xffc00000, ADDR_SHARED },     /* 100.64.0.0/10 */
		{ 0x7f000000, 0xff000000, ADDR_LOOPBACK },   /* 127.0.0.0/8 */
		{ 0xa9fe0000, 0xffff0000, ADDR_LINK_LOCAL }, /* 169.254.0.0/16 */
		{ 0xac100000, 0xfff00000, ADDR_PRIVATE },    /* 172.16.0.0/12 */
		{ 0xc0a80000, 0xffff0000, ADDR_PRIVATE },    /* 192.168.0.0/16 */
		{ 0xe0000000, 0xe0000000, ADDR_SPECIAL },    /* 224.0.0.0/4 and 240.0.0.0/4 */
	};

	for (size_t i = 0; i < ARRAY_LEN(nets); i++)
		if ((bits & nets[i].mask) == nets[i].net)
			return nets[i].scope;
	return ADDR_GLOBAL;
}

enum addr_scope addr_scope(const struct addr *a)
{
	if (a->family == AF_INET)
		return scope_v4(ntohl(a->v4.s_addr));
	if (!addr_is_unicast(a))
		return ADDR_SPECIAL;
	if (IN6_IS_ADDR_LOOPBACK(&a->v6))
		return ADDR_LOOPBACK;
	if (IN6_IS_ADDR_LINKLOCAL(&a->v6))
		return ADDR_LINK_LOCAL;
	return (a->bytes[0] & 0xfe) == 0xfc ? ADDR_PRIVATE : ADDR_GLOBAL;
}

const char *addr_scope_name(enum addr_scope scope)
{
	static const char *const names[] = {
		[ADDR_GLOBAL] = "global",         [ADDR_PRIVATE] = "private",   [ADDR_SHARED] = "shared",
		[ADDR_LINK_LOCAL] = "link_local", [ADDR_LOOPBACK] = "loopback", [ADDR_SPECIAL] = "special",
	};

	return names[scope];
}

size_t addr_size(const struct addr *a)
{
	return a->family == AF_INET6 ? sizeof(a->v6) : sizeof(a->v4);
}

const char *addr_family_name(sa_family_t family)
{
	return family == AF_INET6 ? "IPv6" : "IPv4";
}

int addr_parse_port(struct err *e, const char *text, uint16_t *out)
{
	size_t digits = strspn(text, "0123456789");
	long n;

	if (digits == 0 || digits > 5 || text[digits] != '\0' || (n = atol(text)) < 1 || n > 65535)
		return err_set(e, ERR_USAGE, "'%.60s' is not a port number from 1 to 65535", text);
	*out = (uint16_t)n;
	return 0;
}

/* Splits at the colon before the port. NULL unless a bracketed or colon-free host precedes it. */
static const char *port_part(const char *text, const char **host, size_t *host_len)
{
	const char *end;

	if (text[0] == '[') {
		end = strchr(text, ']');
		if (!end || end[1] != ':')
			return NULL;
		*host = text + 1;
		*host_len = (size_t)(end - text - 1);
		return end + 2;
	}
	end = strchr(text, ':');
	if (!end || strchr(end + 1, ':'))
		return NULL;
	*host = text;
	*host_len = (size_t)(end - text);
	return end + 1;
}

int endpoint_parse(struct err *e, const char *text, struct endpoint *out)
{
	struct endpoint ep;
	char literal[ADDR_STRLEN];
	const char *host, *port;
	size_t len;
	int ret;

	port = port_part(text, &host, &len);
	if (!port || len == 0 || len >= sizeof(literal))
		return err_set(e, ERR_USAGE, "'%.80s' is not ADDRESS:PORT or [IPV6-ADDRESS]:PORT", text);
	memcpy(literal, host, len);
	literal[len] = '\0';
	ret = addr_parse(e, literal, &ep.addr);
	if (ret == 0 && (ep.addr.family == AF_INET6) != (text[0] == '['))
		ret = err_set(e, ERR_USAGE, "'%.80s': brackets are for IPv6 addresses", text);
	if (ret == 0)
		ret = addr_parse_port(e, port, &ep.port);
	if (ret == 0)
		*out = ep;
	return ret;
}

const char *endpoint_format(const struct endpoint *ep, char buf[static ENDPOINT_STRLEN])
{
	bool is_bracketed = ep->addr.family == AF_INET6;
	char *at = buf;

	if (is_bracketed)
		*at++ = '[';
	at = put_addr(&ep->addr, at);
	if (is_bracketed)
		*at++ = ']';
	*at++ = ':';
	base_put_number(at, ep->port);
	return buf;
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_equal(&a->addr, &b->addr);
}

socklen_t endpoint_to_sockaddr(const struct endpoint *ep, struct sockaddr_storage *ss)
{
	memset(ss, 0, sizeof(*ss));
	if (ep->addr.family == AF_INET6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

		in6->sin6_family = AF_INET6;
		in6->sin6_addr = ep->addr.v6;
		in6->sin6_port = htons(ep->port);
		return sizeof(*in6);
	}
	struct sockaddr_in *in = (struct sockaddr_in *)ss;

	in->sin_family = AF_INET;
	in->sin_addr = ep->addr.v4;
	in->sin_port = htons(ep->port);
	return sizeof(*in);
}

int endpoint_from_sockaddr(const struct sockaddr_storage *ss, struct endpoint *out)
{
	struct endpoint ep;

	memset(&ep, 0, sizeof(ep)); /* the whole union */
	ep.addr.family = ss->ss_family;
	if (ss->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;

		ep.addr.v6 = in6->sin6_addr;
		ep.port = ntohs(in6->sin6_port);
	} else if (ss->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)ss;

		ep.addr.v4 = in->sin_addr;
		ep.port = ntohs(in->sin_port);
	} else {
		return -EAFNOSUPPORT;
	}
	*out = ep;
	return 0;
}
