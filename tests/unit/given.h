/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * given: values for tests, made from short text, and random numbers that are
 * the same in every run.
 */
#ifndef SONM_GIVEN_H
#define SONM_GIVEN_H

#include "route.h"
#include "unit.h"

static inline struct addr given_addr(const char *text)
{
	struct addr a;
	struct err e;

	ck_assert_msg(addr_parse(&e, text, &a) == 0, "%s", text);
	return a;
}

static inline struct endpoint given_endpoint(const char *text)
{
	struct endpoint ep;
	struct err e;

	ck_assert_msg(endpoint_parse(&e, text, &ep) == 0, "%s", text);
	return ep;
}

static inline struct service_key given_key(uint8_t protocol, const char *vip)
{
	return (struct service_key){ .protocol = protocol, .vip = given_endpoint(vip) };
}

/* An open gateway route over TCP with scheduler wrr and no real servers. */
static inline struct route given_route(const char *container, uint16_t cport, const char *public)
{
	struct route r = { .cport = cport, .protocol = IPPROTO_TCP, .scheduler = "wrr", .opened_at = 1000 };

	ck_assert_uint_le(strlen(container), CONTAINER_MAX);
	strcpy(r.container, container);
	r.public = given_endpoint(public);
	return r;
}

static inline void given_server(struct route *r, const char *real, uint32_t weight)
{
	struct real_server rs = { .real = given_endpoint(real), .weight = weight };
	struct err e;

	ck_assert_int_eq(route_add_server(&e, r, &rs), 0);
}

/* splitmix64: the next random number of a seed. */
static inline uint64_t given_random(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* 0..n-1. */
static inline uint32_t given_below(uint64_t *seed, uint32_t n)
{
	return (uint32_t)(given_random(seed) % n);
}

/* Bytes in a block of exactly their size, so that the sanitizer sees who reads beyond. The caller frees it. */
static inline uint8_t *given_block(const uint8_t *bytes, size_t len)
{
	uint8_t *block = malloc(len ? len : 1);

	ck_assert_ptr_nonnull(block);
	memcpy(block, bytes, len);
	return block;
}

#endif
