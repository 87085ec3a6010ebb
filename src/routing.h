/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * routing: the kernel's routing over rtnetlink (libnl): which addresses are
 * this host's, and holding back what a real server sends. Knows nothing of
 * IPVS or of routes to containers.
 */
#ifndef SONM_ROUTING_H
#define SONM_ROUTING_H

#include "addr.h"

struct routing;

int routing_open(struct err *e, struct routing **out) MUST_CHECK;

/* For tests: takes every address for this host's, only remembers what it is to hold, asks no kernel. */
int routing_open_blind(struct err *e, struct routing **out) MUST_CHECK;

void routing_close(struct routing *r); /* NULL is fine */
void routing_closep(struct routing **r); /* a CLEANUP function */

/* Does the kernel deliver packets to this unicast address to itself (RTN_LOCAL)? */
int routing_is_local(struct err *e, struct routing *r, const struct addr *a, bool *out) MUST_CHECK;

#define ROUTING_WAYS_MAX 16

/*
 * The interfaces by which packets of this host's from one address may leave to
 * another, as numbers (if_nametoindex(3)); rules and several next hops count.
 * *n is 0 when there is no way, or this is blind.
 */
int routing_ways(struct err *e, struct routing *r, const struct addr *from, const struct addr *to,
		 unsigned ways[static ROUTING_WAYS_MAX], size_t *n) MUST_CHECK;

/*
 * Drops what arrives from this endpoint and is to be forwarded, from now on
 * until it is released: a policy routing rule (ip-rule(8)). What is sent to
 * this host itself still arrives. 1: held; 0: this kernel cannot (before
 * 4.17, or built without policy routing). Needs CAP_NET_ADMIN.
 */
int routing_hold(struct err *e, struct routing *r, uint8_t protocol, const struct endpoint *from) MUST_CHECK;

/* Is anything held, by whomever? One question, where to release each of many would be one each. */
int routing_holds_any(struct err *e, struct routing *r, bool *out) MUST_CHECK;

/* Ends a hold; there may be none. */
int routing_release(struct err *e, struct routing *r, uint8_t protocol, const struct endpoint *from) MUST_CHECK;

#endif
