/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * interfaces: the addresses of this host's network interfaces.
 */
#ifndef SONM_INTERFACES_H
#define SONM_INTERFACES_H

#include "addr.h"

#include <net/if.h>

#define INTERFACES_ADDRESSES_MAX 64

/*
 * The addresses of the interfaces that are up, for one family or both
 * (AF_UNSPEC): the global ones; if there are none, the shared (100.64.0.0/10)
 * and private ones. Never loopback, link-local, multicast or unspecified ones.
 * In the kernel's order, each once. *n may be 0. addr_scope() tells which.
 */
int interfaces_addresses(struct err *e, sa_family_t family, struct addr out[static INTERFACES_ADDRESSES_MAX],
			 size_t *n) MUST_CHECK;

/*
 * The interface that has this address and takes packets from others: up, not
 * loopback, and not one on which nothing can arrive (a dummy). 1: its name is
 * in out; 0: there is none.
 */
int interfaces_holding(struct err *e, const struct addr *a, char out[static IF_NAMESIZE]) MUST_CHECK;

#endif
