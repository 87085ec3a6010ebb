/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ipvs_talk: requests to the kernel's IPVS and how each of them went: the
 * socket, datagrams, numbers, acknowledgements. Knows neither services nor what
 * a message says. For ipvs.c only.
 */
#ifndef SONM_IPVS_TALK_H
#define SONM_IPVS_TALK_H

#include "ipvs.h"

#include <netlink/msg.h>

/*
 * Requests in one datagram. All may be refused, and what the kernel says to each
 * must fit into the socket's receive buffer, 64 KiB with libnl; what does not
 * repeat the request (NETLINK_CAP_ACK) takes less than 800 bytes.
 */
#define IPVS_BATCH 64

/* Takes a message with content: 0, -ENOMEM, or another negative errno if it makes no sense. */
typedef int ipvs_answer_fn(struct nlmsghdr *answer, void *ctx);

/*
 * A conversation: requests that were sent, and where their answers go. The kernel
 * takes the requests of a datagram in order, goes on after one that fails, and
 * answers that one in any case, the others only if they ask for an ACK
 * (netlink_rcv_skb in af_netlink.c). So an answer says of all before it that they
 * have succeeded, and the last one alone has to ask. An answer that is lost is
 * ENOBUFS at the next recv(2), before any other.
 */
struct ipvs_talk {
	uint32_t first_seq; /* requests are numbered from here */
	size_t n_requests, n_answered;
	int statuses[IPVS_BATCH]; /* of those answered: 0 or the kernel's negative errno */
	ipvs_answer_fn *on_answer; /* for messages with content; NULL: none expected */
	void *ctx;
};

/* The number of IPVS's generic netlink family, for messages. */
int ipvs_talk_family(const struct ipvs *k);

/*
 * Numbers a finished request and appends it to a datagram of *len bytes, which must have room for it and its
 * padding. Only the last one asks for an ACK.
 */
void ipvs_talk_add(struct ipvs *k, struct nl_msg *msg, bool is_last, struct ipvs_talk *t,
		   unsigned char *datagram, size_t *len);

/* Sends a datagram of requests, in host byte order as all of netlink. Else the system's error. */
int ipvs_talk_send(struct err *e, struct ipvs *k, void *buf, size_t len) MUST_CHECK;

/*
 * Reads until it is known of every request of the talk how it went: t->statuses. -EBADMSG: what came makes no
 * sense; what on_answer returned; or the system's error, -ENOBUFS for an answer that was lost.
 */
int ipvs_talk_hear(struct err *e, struct ipvs *k, struct ipvs_talk *t) MUST_CHECK;

/* Errors that all of them have: -ENOMEM, -EBADMSG. */
int ipvs_talk_no_memory(struct err *e);
int ipvs_talk_garbled(struct err *e);

#endif
