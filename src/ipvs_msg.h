/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ipvs_msg: IPVS requests and answers as netlink attributes (linux/ip_vs.h,
 * net/netfilter/ipvs/ip_vs_ctl.c). Builds and reads messages; sends none.
 */
#ifndef SONM_IPVS_MSG_H
#define SONM_IPVS_MSG_H

#include "service.h"

#include <netlink/msg.h>

/*
 * Each of these fills an empty message for the generic netlink family with
 * this number. -ENOMEM: the message is too small (IPVS_MSG_SIZE is enough).
 */
#define IPVS_MSG_SIZE 512

int ipvs_msg_change(struct nl_msg *msg, int family, const struct change *c) MUST_CHECK;
int ipvs_msg_get_service(struct nl_msg *msg, int family, const struct service_key *key) MUST_CHECK;
int ipvs_msg_dump_services(struct nl_msg *msg, int family) MUST_CHECK;
int ipvs_msg_dump_destinations(struct nl_msg *msg, int family, const struct service_key *key) MUST_CHECK;

/*
 * Read an answer; *out owns nothing yet. -EBADMSG: an attribute is missing,
 * too short, or of a family that is neither IPv4 nor IPv6.
 */
int ipvs_msg_read_service(struct nlmsghdr *answer, struct service *out) MUST_CHECK;

/* vip_family: for kernels before 3.18, which do not name a destination's family. */
int ipvs_msg_read_destination(struct nlmsghdr *answer, sa_family_t vip_family,
			      struct destination *out) MUST_CHECK;

#endif
