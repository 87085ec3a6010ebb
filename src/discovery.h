/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * discovery: finds out what stands before this host: runs probes against
 * several STUN servers at a time, in one event loop, and joins what they say.
 * Owns sockets and clock; the tests are probe's, the judgement is nat's. Asks no
 * resolver, prints nothing.
 */
#ifndef SONM_DISCOVERY_H
#define SONM_DISCOVERY_H

#include "nat.h"
#include "udp.h"

#define DISCOVERY_SERVERS_MAX 8 /* asked in one run, at most */

enum discovery_what {
	DISCOVERY_SENT,
	DISCOVERY_RECEIVED,
	DISCOVERY_ICMP,  /* an ICMP error, or this host refused to send; note says which */
	DISCOVERY_TCP,   /* a step of the control over TCP: note says which; bytes if any */
};

/* One datagram, for who wants to watch. */
struct discovery_event {
	enum discovery_what what;
	int64_t time;         /* microseconds since the start */
	char socket;          /* 'F', 'M' or 'T' (TCP) */
	struct endpoint local, peer;
	const uint8_t *bytes; /* NULL: none; valid during the call */
	size_t len;
	const char *note;     /* which test it is, or why it was ignored */
	bool ignored;
};

struct discovery_plan {
	const struct endpoint *servers; /* by preference, all of one family */
	size_t n_servers;               /* > 0; no more than DISCOVERY_SERVERS_MAX are asked */
	struct udp_from from;
	int64_t limit;                  /* microseconds for the whole run */
	void (*watch)(void *context, const struct discovery_event *event); /* NULL: nobody does */
	void *context;
};

struct discovery_server {
	struct endpoint server;
	struct nat_evidence evidence;
	struct nat_verdict verdict;
};

struct discovery {
	struct nat_verdict verdict;
	struct discovery_server servers[DISCOVERY_SERVERS_MAX]; /* those that were asked, by preference */
	size_t n_servers;
	size_t chosen;   /* whose verdict it is */
	struct addr local; /* the source address towards it */
	int64_t took;    /* microseconds */
};

/*
 * Two servers are examined at a time; the next one takes the place of one that is
 * down or cannot tell, or gives a third opinion where two disagree. Ends when
 * there is a verdict and a second server's public address to compare it with,
 * if there is a second server that answers about as fast.
 *
 * "UDP is blocked" and "unknown" are results. Errors: those of udp_open for the
 * first server if it was so for all; -EHOSTUNREACH: no server can be reached or
 * is up, by ICMP's word; -EPROTO: all that answered did so with an error (401
 * and the like); -EINTR: a signal's handler ran; -ENOMEM.
 */
int discovery_run(struct err *e, const struct discovery_plan *plan, struct discovery *out) MUST_CHECK;

#endif
