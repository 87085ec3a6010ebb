/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dns: DNS messages for tests (RFC 1035 4), without compression.
 */
#ifndef SONM_DNS_H
#define SONM_DNS_H

#include "unit.h"

#include <arpa/nameser.h>

struct dns_message {
	uint8_t bytes[4096];
	size_t len;
};

static inline void dns_put16(struct dns_message *m, unsigned number)
{
	ck_assert_uint_le(m->len + 2, sizeof(m->bytes));
	m->bytes[m->len++] = (uint8_t)(number >> 8);
	m->bytes[m->len++] = (uint8_t)number;
}

static inline void dns_put_name(struct dns_message *m, const char *name)
{
	while (*name && strcmp(name, ".") != 0) {
		size_t n = strcspn(name, ".");

		ck_assert_uint_le(m->len + n + 2, sizeof(m->bytes));
		m->bytes[m->len++] = (uint8_t)n;
		memcpy(m->bytes + m->len, name, n);
		m->len += n;
		name += n + (name[n] == '.');
	}
	m->bytes[m->len++] = 0;
}

/* A response without error to the question for SRV records of that name; no records yet. */
static inline void dns_begin(struct dns_message *m, const char *name)
{
	m->len = 0;
	dns_put16(m, 0x1234);
	dns_put16(m, 0x8180); /* a response, recursion desired and available */
	dns_put16(m, 1);
	dns_put16(m, 0); /* answers: dns_add counts */
	dns_put16(m, 0);
	dns_put16(m, 0);
	dns_put_name(m, name);
	dns_put16(m, ns_t_srv);
	dns_put16(m, ns_c_in);
}

/* Begins an answer record; returns where its length stands. */
static inline size_t dns_begin_record(struct dns_message *m, const char *owner, unsigned type)
{
	m->bytes[7]++;
	dns_put_name(m, owner);
	dns_put16(m, type);
	dns_put16(m, ns_c_in);
	dns_put16(m, 0);
	dns_put16(m, 3600);
	dns_put16(m, 0);
	return m->len - 2;
}

static inline void dns_end_record(struct dns_message *m, size_t at)
{
	ns_put16((unsigned)(m->len - at - 2), m->bytes + at);
}

static inline void dns_add_cname(struct dns_message *m, const char *owner, const char *target)
{
	size_t at = dns_begin_record(m, owner, ns_t_cname);

	dns_put_name(m, target);
	dns_end_record(m, at);
}

static inline void dns_add_srv(struct dns_message *m, const char *owner, unsigned priority, unsigned weight,
			       unsigned port, const char *target)
{
	size_t at = dns_begin_record(m, owner, ns_t_srv);

	dns_put16(m, priority);
	dns_put16(m, weight);
	dns_put16(m, port);
	dns_put_name(m, target);
	dns_end_record(m, at);
}

#endif
