/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ipvs: the conversation with the kernel's IPVS over generic netlink (libnl).
 * Knows services and destinations; knows nothing of routes or containers.
 * Kernel source: net/netfilter/ipvs/ip_vs_ctl.c. IPVS state is per network
 * namespace: the one in which ipvs_open was called.
 */
#ifndef SONM_IPVS_H
#define SONM_IPVS_H

#include "counts.h"

struct ipvs;

/* -EPROTONOSUPPORT: no IPVS in this kernel (module ip_vs not loaded). */
int ipvs_open(struct err *e, struct ipvs **out) MUST_CHECK;

/*
 * Something else that answers for the kernel, in tests. send: one datagram of
 * requests; 0 or a negative errno. recv: one datagram of answers in *buf
 * (malloc'ed, freed by the caller), returns its length or a negative errno.
 */
struct ipvs_peer {
	int (*send)(void *ctx, const void *buf, size_t len);
	int (*recv)(void *ctx, unsigned char **buf);
	void *ctx;
};

#define IPVS_PEER_FAMILY 0x1c /* the generic netlink family number that a peer sees */

int ipvs_open_peer(struct err *e, const struct ipvs_peer *peer, struct ipvs **out) MUST_CHECK;
void ipvs_close(struct ipvs *k); /* NULL is fine */

/* A CLEANUP function. */
void ipvs_closep(struct ipvs **k);

/*
 * One service with its destinations. 1: found, *out is owned by the caller;
 * 0: no such service. -EPERM without CAP_NET_ADMIN, as for all that follow.
 */
int ipvs_get(struct err *e, struct ipvs *k, const struct service_key *key, struct service *out) MUST_CHECK;

/*
 * The same of many, many requests in a datagram: those that exist are appended
 * to *out, in the order of their keys. On failure some may be there.
 */
int ipvs_get_each(struct err *e, struct ipvs *k, const struct service_key *keys, size_t n, struct service_list *out)
	MUST_CHECK;

/* Appends the destinations of a service that came without; one that does not exist has none. */
int ipvs_get_destinations(struct err *e, struct ipvs *k, struct service *s) MUST_CHECK;

/*
 * All services with their counters, sorted with service_compare, each key
 * once; firewall-mark services included, last. One dump; with destinations,
 * one more for each service. A dump that raced with changes can miss an entry
 * (see KERNEL in HACKING).
 */
int ipvs_list(struct err *e, struct ipvs *k, bool with_destinations, struct service_list *out) MUST_CHECK;

/*
 * The same dump for who counts only: adds what each service has counted to *out, which keeps the larger of
 * two. On failure some may be there.
 */
int ipvs_count(struct err *e, struct ipvs *k, struct counts *out) MUST_CHECK;

/*
 * Makes all changes in order, many requests in a datagram, and stores the
 * kernel's answer in each one's status; a refused change does not stop the
 * others. Returns the number of refused ones, or a negative errno when the
 * conversation itself failed: then a change has the status -EIO if it was
 * sent and not answered, -ECANCELED if it was not sent.
 */
int ipvs_run(struct err *e, struct ipvs *k, struct change_list *changes) MUST_CHECK;

/* Puts into e what a refused change means for a person; the code is the kernel's or an ERR_ code. */
int ipvs_explain(struct err *e, const struct change *refused);

#endif
