/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * addr: IPv4 and IPv6 addresses, and an address with a port, as text and as
 * socket addresses. Literals only: never asks a resolver. No I/O.
 */
#ifndef SONM_ADDR_H
#define SONM_ADDR_H

#include "err.h"

#include <netinet/in.h>
#include <sys/socket.h>

#define ADDR_STRLEN INET6_ADDRSTRLEN
#define ENDPOINT_STRLEN (INET6_ADDRSTRLEN + 8) /* "[...]:65535" */

struct addr {
	sa_family_t family; /* AF_INET or AF_INET6; AF_UNSPEC (0): none */
	union {
		struct in_addr v4;
		struct in6_addr v6;
		uint8_t bytes[16]; /* network order; bytes after an IPv4 address are 0 */
	};
};

struct endpoint {
	struct addr addr;
	uint16_t port; /* host order */
};

/* Parses a literal, without brackets or zone. -EINVAL when it is none. */
int addr_parse(struct err *e, const char *text, struct addr *out) MUST_CHECK;

/* Writes the canonical text (RFC 5952 for IPv6) into buf and returns buf. */
const char *addr_format(const struct addr *a, char buf[static ADDR_STRLEN]);

bool addr_equal(const struct addr *a, const struct addr *b);

/* Total order: family, then bytes. <0, 0, >0. */
int addr_compare(const struct addr *a, const struct addr *b);

/* A unicast host address: not unspecified, multicast or limited broadcast. */
bool addr_is_unicast(const struct addr *a);

/* Where an address can be used (IANA's special-purpose registries, RFC 6890). */
enum addr_scope {
	ADDR_GLOBAL,     /* none of the others; documentation's addresses too */
	ADDR_PRIVATE,    /* RFC 1918, fc00::/7 */
	ADDR_SHARED,     /* 100.64.0.0/10, behind a carrier's NAT (RFC 6598) */
	ADDR_LINK_LOCAL, /* 169.254.0.0/16, fe80::/10 */
	ADDR_LOOPBACK,   /* 127.0.0.0/8, ::1 */
	ADDR_SPECIAL,    /* not unicast: unspecified, 0.0.0.0/8, multicast, 240.0.0.0/4; IPv4-mapped IPv6 */
};
enum addr_scope addr_scope(const struct addr *a);

/* "global", "private", "shared", "link_local", "loopback", "special". */
const char *addr_scope_name(enum addr_scope scope);

/* 4 or 16, by family. */
size_t addr_size(const struct addr *a);

/* "IPv4" or "IPv6". */
const char *addr_family_name(sa_family_t family);

/* A decimal number 1..65535 and nothing else. -EINVAL otherwise. */
int addr_parse_port(struct err *e, const char *text, uint16_t *out) MUST_CHECK;

/* Parses "192.0.2.1:80" and "[2001:db8::1]:80"; the port is required. -EINVAL. */
int endpoint_parse(struct err *e, const char *text, struct endpoint *out) MUST_CHECK;

/* Writes "192.0.2.1:80" or "[2001:db8::1]:80" into buf and returns buf. */
const char *endpoint_format(const struct endpoint *ep, char buf[static ENDPOINT_STRLEN]);

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);

/* Fills ss; returns its length for bind(2) or connect(2). */
socklen_t endpoint_to_sockaddr(const struct endpoint *ep, struct sockaddr_storage *ss);

/* The reverse. -EAFNOSUPPORT unless ss is AF_INET or AF_INET6. An IPv6 scope is dropped. */
int endpoint_from_sockaddr(const struct sockaddr_storage *ss, struct endpoint *out) MUST_CHECK;

#endif
