/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fake_kernel: a small IPVS in memory, behind struct ipvs_peer. Reads requests
 * of generic netlink, keeps services, and answers as net/netfilter/ipvs/
 * ip_vs_ctl.c does: acknowledgements with its errnos, dumps in several
 * messages. Can be told to fail.
 */
#ifndef SONM_FAKE_KERNEL_H
#define SONM_FAKE_KERNEL_H

#include "ipvs.h"

/* A datagram on its way to the program. */
struct fake_datagram {
	unsigned char *bytes;
	size_t len;
	size_t n_messages;
};

/* Zero is a kernel that has no services and that works. */
struct fake_kernel {
	struct service_list services; /* in the order in which they were made; tests may change them */

	/* What goes wrong; 0: nothing. */
	int refuse;            /* the errno that every request is refused with */
	size_t refuse_at;      /* with refuse: only the request of this number, from 1 */
	int send_error;        /* the errno of sending */
	int recv_error;        /* the errno of receiving ... */
	size_t recv_error_at;  /* ... once, in place of the datagram of this number, from 0 */
	int dump_error;        /* the errno that ends a dump */
	size_t omit;           /* a dump that raced with changes leaves out the service of this number, from 1 */
	bool repeat;           /* a dump shows its first entry again, at its end, after 1000 bytes more */
	/* Damages the datagram of this number, from 0; returns its new length. */
	int (*spoil)(unsigned char *bytes, int len, void *ctx);
	size_t spoil_at;
	void *spoil_ctx;

	/* What was seen. */
	size_t n_requests, n_sent, n_received; /* n_sent, n_received: datagrams */
	size_t most_requests; /* in one datagram */

	struct fake_datagram *queue; /* answers that wait */
	size_t n_queued, n_taken;
};

/* The other end of the conversation; k must outlive it. */
struct ipvs_peer fake_kernel_peer(struct fake_kernel *k);

/* The service with this key, or NULL. */
struct service *fake_kernel_find(struct fake_kernel *k, const struct service_key *key);

void fake_kernel_clear(struct fake_kernel *k); /* also a CLEANUP function */

#endif
