/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * srv: DNS SRV records (RFC 2782) out of a DNS answer's bytes, in the order in
 * which to try them. Pure: asks nobody; chance is given.
 */
#ifndef SONM_SRV_H
#define SONM_SRV_H

#include "server.h"

#define SRV_RECORDS_MAX 16 /* of one answer; more are dropped */

struct srv_record {
	uint16_t priority, weight;
	uint16_t port; /* host order, not 0 */
	char target[SERVER_HOST_MAX + 1]; /* without the dot at its end */
};

struct srv_list {
	struct srv_record items[SRV_RECORDS_MAX];
	size_t n;
	bool refused; /* n is 0, and a record with the target "." says: decidedly no such service */
};

/*
 * Reads the answer section of a DNS message (RFC 1035 4) of exactly len bytes,
 * in the order of the message. Records of other types (CNAME) are passed over,
 * and so are SRV records that name no host, or port 0. -EBADMSG when it is
 * malformed or no answer without error.
 */
int srv_parse(struct err *e, const uint8_t *answer, size_t len, struct srv_list *out) MUST_CHECK;

/* A number from 0 to max, both included, each as likely. */
typedef uint32_t srv_random(void *context, uint32_t max);

/* Lowest priority first; within one priority at random by weight, as RFC 2782 has it ("Weight"). */
void srv_order(struct srv_list *list, srv_random *random, void *context);

#endif
