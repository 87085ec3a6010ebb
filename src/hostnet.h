/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hostnet: what this host's own sockets and routes say. Asks by binding and
 * connecting, or reads what /proc/net has of them; sends no packet.
 */
#ifndef SONM_HOSTNET_H
#define SONM_HOSTNET_H

#include "addr.h"
#include "portset.h"

enum hostnet_port {
	HOSTNET_FREE,      /* a local program could listen there: none does */
	HOSTNET_IN_USE,    /* a local socket has it: a listener or an outgoing connection */
	HOSTNET_NOT_LOCAL, /* the address is not this host's */
};

/*
 * Binds a socket of its own to the endpoint for a moment. Wildcard listeners
 * count. Loads no kernel module: with a protocol that this kernel does not have
 * now, nobody listens. -EACCES: a port below ip_unprivileged_port_start without
 * CAP_NET_BIND_SERVICE.
 */
int hostnet_probe(struct err *e, uint8_t protocol, const struct endpoint *at,
		  enum hostnet_port *out) MUST_CHECK;

/* The ports that sockets of this network namespace had, at whatever address. */
struct hostnet_survey {
	struct portset tcp, udp;
};

/*
 * For who would have to probe thousands of ports: what hostnet_is_unused says
 * of one needs no probe. Loads no kernel module.
 */
int hostnet_survey(struct err *e, struct hostnet_survey *out) MUST_CHECK;

/*
 * No socket had this port; false when that is not known, as of SCTP. A TCP
 * socket that is bound, and has neither begun to listen nor to connect, is not
 * seen (/proc/net/tcp has none of them): no packet reaches it, and it might as
 * well have been bound a moment later. hostnet_probe does see it.
 */
bool hostnet_is_unused(const struct hostnet_survey *s, uint8_t protocol, uint16_t port);

/* The ports at which somebody of this network namespace listens, or waits for datagrams, at whatever address. */
struct hostnet_listeners {
	struct portset tcp, udp, sctp;
};

/* Loads no kernel module. */
int hostnet_listeners(struct err *e, struct hostnet_listeners *out) MUST_CHECK;

/* The source address of the default route of a family. -ENETUNREACH when there is none. */
int hostnet_default_source(struct err *e, sa_family_t family, struct addr *out) MUST_CHECK;

#endif
