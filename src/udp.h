/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * udp: UDP sockets that know their own address and hear ICMP errors without
 * being connected (Linux: IP_RECVERR). Knows nothing of STUN.
 */
#ifndef SONM_UDP_H
#define SONM_UDP_H

#include "addr.h"

#include <net/if.h>

/* Where a socket shall send from. All zero: wherever the route leads. */
struct udp_from {
	struct addr address;       /* AF_UNSPEC: the source address of the route */
	char device[IF_NAMESIZE];  /* "": any */
};

/* Ports, both ends included, host order. */
struct udp_ports {
	uint16_t first, last;
};

/*
 * The address from which a datagram to there would be sent. Sends nothing.
 * -ENETUNREACH: no route, or no address of that family; -EADDRNOTAVAIL: from is
 * not this host's; -ENODEV: no such interface; -EPERM; else the kernel's.
 */
int udp_source(struct err *e, const struct endpoint *to, const struct udp_from *from, struct addr *out) MUST_CHECK;

/*
 * Opens a socket that does not block, bound to that source address and to a
 * port at random from the range. *out is closed by the caller; *local is what
 * it is bound to. The errors of udp_source, and -EADDRINUSE when no port of the
 * range is free.
 */
int udp_open(struct err *e, const struct endpoint *to, const struct udp_from *from, const struct udp_ports *ports,
	     int *out, struct endpoint *local) MUST_CHECK;

enum udp_event {
	UDP_NOTHING,          /* nothing (more) for now */
	UDP_DATAGRAM,
	UDP_PORT_UNREACHABLE, /* ICMP 3/3, ICMPv6 1/4, by the peer's own word */
	UDP_PROHIBITED,       /* ICMP 3/9, 3/10, 3/13; ICMPv6 1/1, 1/5, 1/6; or the former, said by somebody else */
	UDP_UNREACHABLE,      /* other ICMP "unreachable", hints only: 3/0, 3/1, 3/11, 3/12; 1/0, 1/3; not 3/4 */
};

/*
 * Sends one datagram. A full buffer counts as sent: what is lost is repeated.
 * UDP_NOTHING: sent; UDP_PROHIBITED: this host's own firewall refused (EPERM,
 * EACCES); UDP_UNREACHABLE: no route any more. Errors of former datagrams that
 * the kernel reports here are left to udp_receive.
 */
enum udp_event udp_send(int fd, const struct endpoint *to, const void *bytes, size_t len);

/*
 * Takes the next datagram or ICMP error, without waiting. peer: who sent it, or
 * for an ICMP error to whom the datagram was addressed. *len: in, the buffer's
 * size; out, the datagram's length; one that is longer than the buffer is cut off.
 */
enum udp_event udp_receive(int fd, struct endpoint *peer, void *buf, size_t *len);

#endif
