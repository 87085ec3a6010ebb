/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz_netlink: takes libFuzzer's bytes for what a kernel answers to each of
 * ipvs's questions, and aborts where a promise of ipvs.h is broken. The first
 * byte says what is asked, and how the bytes are meant:
 *
 * - as changes to what the tests' kernel answers: some of its bytes are
 *   others, and it ends early;
 * - or as the answer itself: datagrams, each with its length before it. Their
 *   messages get the numbers of the requests, which chance would seldom hit.
 */
#include "fuzz.h"
#include "fake_kernel.h"

#include <linux/ip_vs.h>
#include <linux/netlink.h>

#define CHANGES 3

enum question { ASK_LIST, ASK_LIST_BARE, ASK_GET, ASK_COUNT, ASK_RUN, ASK_GET_EACH, QUESTIONS };

#define IS_RAW 0x80

struct world {
	struct fake_kernel kernel;
	struct ipvs_peer honest;
	bool is_raw;
	const uint8_t *bytes;
	size_t len;
	uint32_t seq; /* of the last datagram's first request */
};

static void take(struct world *w, void *to, size_t n)
{
	memset(to, 0, n);
	if (n > w->len)
		n = w->len;
	memcpy(to, w->bytes, n);
	w->bytes += n;
	w->len -= n;
}

static int hear(void *ctx, const void *buf, size_t len)
{
	struct world *w = ctx;

	require(len >= sizeof(struct nlmsghdr));
	memcpy(&w->seq, (const char *)buf + offsetof(struct nlmsghdr, nlmsg_seq), sizeof(w->seq));
	return w->is_raw ? 0 : w->honest.send(w->honest.ctx, buf, len);
}

/* Their numbers are relative to the first request's. */
static void number_messages(unsigned char *buf, size_t len, uint32_t seq)
{
	struct nlmsghdr header;

	for (size_t at = 0, step; at + sizeof(header) <= len; at += step) {
		memcpy(&header, buf + at, sizeof(header));
		header.nlmsg_seq += seq;
		memcpy(buf + at, &header, sizeof(header));
		step = NLMSG_ALIGN((size_t)header.nlmsg_len);
		step = step ? step : len;
	}
}

static int invent(struct world *w, unsigned char **buf)
{
	uint16_t len;

	if (w->len == 0)
		return -ETIMEDOUT;
	take(w, &len, sizeof(len));
	len = (uint16_t)(len < w->len ? len : w->len);
	*buf = malloc(len ? len : 1);
	require(*buf != NULL);
	take(w, *buf, len);
	number_messages(*buf, len, w->seq);
	return len;
}

/* Up to four bytes of it are others, and it is shorter, if the next of ours say so. */
static int spoil(struct world *w, unsigned char **buf)
{
	int len = w->honest.recv(w->honest.ctx, buf);
	uint16_t how, at;
	uint8_t mask;

	if (len <= 0)
		return len;
	take(w, &how, sizeof(how));
	for (int i = how & 3; i >= 0 && w->len > 0; i--) {
		take(w, &at, sizeof(at));
		take(w, &mask, sizeof(mask));
		(*buf)[at % len] ^= mask;
	}
	if (how & 4) {
		len = (how >> 3) % len;
		*buf = realloc(*buf, len ? (size_t)len : 1);
		require(*buf != NULL);
	}
	return len;
}

static int answer(void *ctx, unsigned char **buf)
{
	struct world *w = ctx;

	return w->is_raw ? invent(w, buf) : spoil(w, buf);
}

static struct endpoint endpoint_at(const char *text)
{
	struct endpoint ep;
	struct err e;

	require(endpoint_parse(&e, text, &ep) == 0);
	return ep;
}

static void add_service(struct fake_kernel *k, uint8_t protocol, const char *vip, const char *real)
{
	struct service s = { .key = { protocol, endpoint_at(vip) }, .scheduler = "wrr", .persistence = 300,
			     .counters = { 1, 2, 3, 4, UINT64_C(5) << 32 }, .rates.outbps = 10 };
	struct destination d = { .real = endpoint_at(real), .weight = 100, .method = IP_VS_CONN_F_MASQ };
	struct err e;

	for (size_t i = 0; i < 2; i++, d.real.port++) {
		require(base_reserve((void **)&s.destinations, i, sizeof(d)) == 0);
		s.destinations[s.n_destinations++] = d;
	}
	require(service_list_add(&e, &k->services, &s) == 0);
}

static void add_mark(struct fake_kernel *k)
{
	struct service s = { .fwmark = 7, .key.vip.addr.family = AF_INET, .scheduler = "rr" };
	struct err e;

	require(service_list_add(&e, &k->services, &s) == 0);
}

static void check_service(const struct service *s)
{
	sa_family_t family = s->key.vip.addr.family;

	require(family == AF_INET || family == AF_INET6);
	require(strnlen(s->scheduler, sizeof(s->scheduler)) < sizeof(s->scheduler));
	for (size_t i = 0; i < s->n_destinations; i++) {
		family = s->destinations[i].real.addr.family;
		require(family == AF_INET || family == AF_INET6);
	}
}

static int list(struct err *e, struct ipvs *k, bool with_destinations)
{
	CLEANUP(service_list_clear) struct service_list services = { 0 };
	int ret = ipvs_list(e, k, with_destinations, &services);

	require(ret <= 0 && (ret == 0 || services.items == NULL));
	for (size_t i = 0; i < services.n; i++) {
		check_service(&services.items[i]);
		require(i == 0 || service_compare(&services.items[i - 1], &services.items[i]) < 0);
		require(with_destinations || services.items[i].n_destinations == 0);
	}
	return ret;
}

static int get(struct err *e, struct ipvs *k)
{
	const struct service_key key = { IPPROTO_TCP, endpoint_at("198.51.100.1:80") };
	CLEANUP(service_clear) struct service s = { 0 };
	int ret = ipvs_get(e, k, &key, &s);

	require(ret <= 1 && (ret == 1 || s.destinations == NULL));
	if (ret == 1) {
		check_service(&s);
		require(service_key_equal(&s.key, &key));
	}
	return ret;
}

static int get_each(struct err *e, struct ipvs *k)
{
	const struct service_key keys[] = { { IPPROTO_TCP, endpoint_at("198.51.100.1:80") },
					    { IPPROTO_TCP, endpoint_at("198.51.100.1:81") },
					    { IPPROTO_UDP, endpoint_at("[2001:db8::1]:53") } };
	CLEANUP(service_list_clear) struct service_list found = { 0 };
	int ret = ipvs_get_each(e, k, keys, ARRAY_LEN(keys), &found);

	require(ret <= 0 && (ret < 0 || found.n <= ARRAY_LEN(keys)));
	for (size_t i = 0, at = 0; ret == 0 && i < found.n; i++, at++) {
		check_service(&found.items[i]);
		while (at < ARRAY_LEN(keys) && !service_key_equal(&found.items[i].key, &keys[at]))
			at++;
		require(at < ARRAY_LEN(keys));
	}
	return ret;
}

static int count(struct err *e, struct ipvs *k)
{
	CLEANUP(counts_clear) struct counts counts = { 0 };
	int ret = ipvs_count(e, k, &counts);

	require(ret <= 0);
	return ret;
}

static int run(struct err *e, struct ipvs *k)
{
	CLEANUP(change_list_clear) struct change_list changes = { 0 };
	struct change c = { .key = { IPPROTO_TCP, endpoint_at("198.51.100.2:80") }, .scheduler = "rr",
			    .destination = { .real = endpoint_at("10.0.0.2:80"), .weight = 1 } };
	int ret, n = 0;

	for (int i = 0; i < CHANGES; i++) {
		c.op = i == 1 ? CHANGE_ADD_DESTINATION : CHANGE_ADD_SERVICE;
		require(change_list_add(e, &changes, &c) == 0);
	}
	ret = ipvs_run(e, k, &changes);
	for (size_t i = 0; i < changes.n; i++) {
		struct err why;

		require(changes.items[i].status <= 0);
		n += changes.items[i].status < 0;
		if (changes.items[i].status < 0)
			require_error(&why, ipvs_explain(&why, &changes.items[i]));
	}
	require(ret < 0 || ret == n);
	return ret;
}

static int ask(struct err *e, struct ipvs *k, enum question what)
{
	switch (what) {
	case ASK_GET:
		return get(e, k);
	case ASK_GET_EACH:
		return get_each(e, k);
	case ASK_COUNT:
		return count(e, k);
	case ASK_RUN:
		return run(e, k);
	default:
		return list(e, k, what == ASK_LIST);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct world w = { .is_raw = len > 0 && bytes[0] & IS_RAW, .bytes = bytes + 1, .len = len - 1 };
	const struct ipvs_peer peer = { .send = hear, .recv = answer, .ctx = &w };
	CLEANUP(ipvs_closep) struct ipvs *ipvs = NULL;
	struct err e;
	int ret;

	if (len == 0)
		return 0;
	if (!w.is_raw) {
		add_service(&w.kernel, IPPROTO_TCP, "198.51.100.1:80", "10.0.0.2:8080");
		add_service(&w.kernel, IPPROTO_UDP, "[2001:db8::1]:53", "[fd00::2]:53");
		add_mark(&w.kernel);
	}
	w.honest = fake_kernel_peer(&w.kernel);
	require(ipvs_open_peer(&e, &peer, &ipvs) == 0);
	ret = ask(&e, ipvs, (enum question)((bytes[0] & ~IS_RAW) % QUESTIONS));
	if (ret < 0)
		require_error(&e, ret);
	fake_kernel_clear(&w.kernel);
	return 0;
}
