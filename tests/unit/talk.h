/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * talk: an ipvs connection to a fake kernel, and what is in that kernel and
 * asked of it.
 */
#ifndef SONM_TALK_H
#define SONM_TALK_H

#include "fake_kernel.h"
#include "given.h"

#include <linux/ip_vs.h>

struct talk {
	struct fake_kernel kernel;
	struct ipvs *ipvs;
};

static inline void talk_clear(struct talk *t)
{
	ipvs_close(t->ipvs);
	fake_kernel_clear(&t->kernel);
}

static inline void given_talk(struct talk *t)
{
	struct ipvs_peer peer = fake_kernel_peer(&t->kernel);
	struct err e;

	*t = (struct talk){ 0 };
	ck_assert_int_eq(ipvs_open_peer(&e, &peer, &t->ipvs), 0);
}

/* What the kernel has already: a service with counters and n destinations. */
static inline struct service *talk_service(struct talk *t, uint8_t protocol, const char *vip, uint32_t n_destinations)
{
	struct service s = { .key = given_key(protocol, vip), .scheduler = "wrr" };
	struct err e;

	s.counters = (struct counters){ 1, 2, 3, 4, UINT64_C(5) << 32 };
	s.rates.outbps = 10;
	for (uint32_t i = 0; i < n_destinations; i++) {
		struct destination d = { .real = given_endpoint(vip[0] == '[' ? "[fd00::2]:80" : "10.0.0.2:80"),
					 .weight = 100 + i, .active = i };

		d.real.port = (uint16_t)(d.real.port + i);
		ck_assert_int_eq(base_reserve((void **)&s.destinations, i, sizeof(d)), 0);
		s.destinations[s.n_destinations++] = d;
	}
	ck_assert_int_eq(service_list_add(&e, &t->kernel.services, &s), 0);
	return &t->kernel.services.items[t->kernel.services.n - 1];
}

static inline void talk_change(struct change_list *list, enum change_op op, const char *vip, const char *real)
{
	struct change c = { .op = op, .key = given_key(IPPROTO_TCP, vip), .scheduler = "wrr" };
	struct err e;

	if (real)
		c.destination = (struct destination){ .real = given_endpoint(real), .weight = 100,
						      .method = IP_VS_CONN_F_MASQ };
	ck_assert_int_eq(change_list_add(&e, list, &c), 0);
}

#endif
