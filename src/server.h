/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * server: a STUN server as it is configured: a name or an address, perhaps a
 * port. Pure: asks no resolver.
 */
#ifndef SONM_SERVER_H
#define SONM_SERVER_H

#include "addr.h"

#define SERVER_HOST_MAX 253 /* RFC 1035: 255 octets on the wire */

struct server {
	char host[SERVER_HOST_MAX + 1]; /* a name as given, or the canonical text of the address */
	struct addr addr; /* if host is a literal; else AF_UNSPEC */
	uint16_t port;    /* host order; 0: not given (a name's SRV records, else 3478) */
};

/*
 * "stun.example.net", "stun.example.net:3478", "192.0.2.1:3478", "2001:db8::1",
 * "[2001:db8::1]", "[2001:db8::1]:3478". A literal must be a unicast address. A
 * name whose last label is a number is refused as a mistyped address. -EINVAL:
 * "'...' is not a STUN server; write HOST, HOST:PORT or [IPV6]:PORT", or more to
 * the point.
 */
int server_parse(struct err *e, const char *text, struct server *out) MUST_CHECK;

/* Writes it as it would be parsed again; returns buf. */
#define SERVER_STRLEN (SERVER_HOST_MAX + 9)
const char *server_format(const struct server *s, char buf[static SERVER_STRLEN]);

#endif
