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

#define DISCOVERY_SERVERS_MAX 8     /* asked in one run, at most */
#define DISCOVERY_SERVERS_LISTED 64 /* to choose them from */

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

struct discovery_candidate {
	struct endpoint endpoint;
	size_t group; /* those with the same number are addresses of one server */
};

struct discovery_plan {
	const struct discovery_candidate *servers; /* by preference, all of one family */
	size_t n_servers; /* 1 to DISCOVERY_SERVERS_LISTED */
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
	struct discovery_server servers[DISCOVERY_SERVERS_MAX]; /* those that were asked, as they were */
	size_t n_servers;
	size_t chosen;   /* whose verdict it is */
	struct addr local; /* the source address towards it */
	int64_t took;    /* microseconds */
};

/*
 * Two servers are examined at a time; the next one takes the place of one that is
 * down or cannot tell, gives a third opinion where two disagree, or joins where
 * all are silent for half a second. Ends when all that have answered have been
 * examined, one with a verdict, and there is a second one's public address to
 * compare it with, if that comes about as fast; at most a second after the
 * verdict.
 *
 * "UDP is blocked" and "unknown" are results. Errors: those of udp_open for the
 * first server if it was so for all; -EHOSTUNREACH: no server can be reached or
 * is up, by ICMP's word; -EPROTO: all that answered did so with an error (401
 * and the like); -EINTR: a signal's handler ran; -ENOMEM.
 */
int discovery_run(struct err *e, const struct discovery_plan *plan, struct discovery *out) MUST_CHECK;

#endif
