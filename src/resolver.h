/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * resolver: names of STUN servers into endpoints: the system's resolver for
 * addresses, DNS SRV records (RFC 8489 8, RFC 5780 3) for names without a port.
 * Knows nothing of STUN's messages.
 */
#ifndef SONM_RESOLVER_H
#define SONM_RESOLVER_H

#include "server.h"

#define RESOLVER_ENDPOINTS_MAX 64

#define RESOLVER_PATIENCE 1000

struct resolver_endpoint {
	struct endpoint endpoint;
	size_t server; /* index of the server that it belongs to */
};

struct resolver_list {
	struct resolver_endpoint items[RESOLVER_ENDPOINTS_MAX];
	size_t n;
};

/*
 * Looks up all n > 0 servers at the same time, for at most that many milliseconds;
 * once one is known, for the others at most RESOLVER_PATIENCE more.
 * family: AF_INET, AF_INET6, or AF_UNSPEC for both. The result is in the order
 * of the servers; of one server: SRV targets by priority and weight
 * (_stun-behavior._udp, else _stun._udp, only for names without a port), their
 * addresses in the resolver's order; each of its endpoints once; 64 in all. A name
 * never yields an address that is not unicast, or a loopback address.
 *
 * Succeeds with n > 0 when at least one server has an endpoint. What went
 * wrong with others is in failures, unless it is NULL: one struct err for each
 * server, code 0 where nothing did. Otherwise the first server's error:
 * -ENOENT no such name, or no address of that family; -ETIMEDOUT; -EAGAIN the
 * resolver failed for now; -ENOMEM.
 */
int resolver_lookup(struct err *e, const struct server servers[], size_t n, sa_family_t family, int timeout,
		    struct resolver_list *out, struct err failures[]) MUST_CHECK;

#endif
