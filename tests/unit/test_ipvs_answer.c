/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the kernel answers, and everything else that may arrive in its place. */
#include "given.h"
#include "ipvs_msg.h"
#include "ipvs_samples.h"

#include <linux/ip_vs.h>

/* A copy in memory of exactly its size, so that a read past its end is noticed. */
static struct nlmsghdr *copy_of(const uint8_t *bytes, size_t len)
{
	struct nlmsghdr *copy = malloc(len);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, bytes, len);
	copy->nlmsg_len = (uint32_t)len;
	return copy;
}

static int read_service(const uint8_t *bytes, size_t len, struct service *out)
{
	CLEANUP_FREE struct nlmsghdr *copy = copy_of(bytes, len);

	return ipvs_msg_read_service(copy, out);
}

static int read_destination(const uint8_t *bytes, size_t len, sa_family_t vip_family, struct destination *out)
{
	CLEANUP_FREE struct nlmsghdr *copy = copy_of(bytes, len);

	return ipvs_msg_read_destination(copy, vip_family, out);
}

START_TEST(reads_a_service_of_a_real_kernel)
{
	struct service_key key = given_key(IPPROTO_TCP, "198.51.100.1:32898");
	struct service s;

	ck_assert_int_eq(read_service(tcp_service, sizeof(tcp_service), &s), 0);
	ck_assert(service_key_equal(&s.key, &key));
	ck_assert_uint_eq(s.fwmark, 0);
	ck_assert_str_eq(s.scheduler, "wrr");
	ck_assert_uint_eq(s.persistence, 0);
	ck_assert_ptr_null(s.destinations);
	ck_assert_uint_eq(s.n_destinations, 0);
}
END_TEST

START_TEST(prefers_counters_of_64_bits)
{
	struct service s;

	ck_assert_int_eq(read_service(tcp_service, sizeof(tcp_service), &s), 0);
	ck_assert_uint_eq(s.counters.conns, 0x1000000001);
	ck_assert_uint_eq(s.counters.inpkts, 0x1000000002);
	ck_assert_uint_eq(s.counters.outpkts, 0x1000000003);
	ck_assert_uint_eq(s.counters.inbytes, 0x1000000004);
	ck_assert_uint_eq(s.counters.outbytes, 0xfffffffffffffffe);
	ck_assert_uint_eq(s.rates.cps, 0x1000000006);
	ck_assert_uint_eq(s.rates.inpps, 0x1000000007);
	ck_assert_uint_eq(s.rates.outpps, 0x1000000008);
	ck_assert_uint_eq(s.rates.inbps, 0x1000000009);
	ck_assert_uint_eq(s.rates.outbps, 0x100000000a);
}
END_TEST

START_TEST(reads_counters_of_32_bits_where_there_are_no_others)
{
	struct service s;

	ck_assert_int_eq(read_service(mark_service, sizeof(mark_service), &s), 0);
	ck_assert_uint_eq(s.counters.conns, 1);
	ck_assert_uint_eq(s.counters.inpkts, 2);
	ck_assert_uint_eq(s.counters.outpkts, 3);
	ck_assert_uint_eq(s.counters.inbytes, 4);
	ck_assert_uint_eq(s.counters.outbytes, 5);
	ck_assert_uint_eq(s.rates.cps, 6);
	ck_assert_uint_eq(s.rates.outbps, 10);
}
END_TEST

START_TEST(reads_a_service_with_a_firewall_mark)
{
	struct service s;

	ck_assert_int_eq(read_service(mark_service, sizeof(mark_service), &s), 0);
	ck_assert_uint_eq(s.fwmark, 7);
	ck_assert_int_eq(s.key.vip.addr.family, AF_INET6);
	ck_assert_uint_eq(s.key.vip.port, 0);
	ck_assert_str_eq(s.scheduler, "rr");
	ck_assert_uint_eq(s.persistence, 300);
}
END_TEST

START_TEST(reads_a_destination_of_a_real_kernel)
{
	struct endpoint real = given_endpoint("10.0.0.2:80");
	struct destination d;

	ck_assert_int_eq(read_destination(destination, sizeof(destination), AF_INET6, &d), 0);
	ck_assert(endpoint_equal(&d.real, &real));
	ck_assert_uint_eq(d.weight, 100);
	ck_assert_uint_eq(d.method, 0x80);
	ck_assert_uint_eq(d.active, 11);
	ck_assert_uint_eq(d.inactive, 12);
}
END_TEST

/* An attribute of an answer, found by its offset; its type may be changed to hide it. */
#define SERVICE_AT 24 /* the first attribute within the nest */
#define HIDDEN 100    /* a type that no kernel has */
#define ATTR_HEADER sizeof(struct nlattr)
#define ALIGNED(n) (((n) + 3) & ~(size_t)3)

static size_t find_attribute(const uint8_t *bytes, size_t from, size_t end, uint16_t type)
{
	struct nlattr attr;

	while (from + sizeof(attr) <= end) {
		memcpy(&attr, bytes + from, sizeof(attr));
		if (attr.nla_type == type)
			return from;
		from += ALIGNED(attr.nla_len);
	}
	ck_abort_msg("no attribute %u", type);
}

static void set_type(uint8_t *bytes, size_t at, uint16_t type)
{
	memcpy(bytes + at + offsetof(struct nlattr, nla_type), &type, sizeof(type));
}

static void set_len(uint8_t *bytes, size_t at, uint16_t len)
{
	memcpy(bytes + at + offsetof(struct nlattr, nla_len), &len, sizeof(len));
}

/* Leaves this much payload; what is cut off becomes an attribute of its own that nobody knows. */
static void shorten(uint8_t *bytes, size_t at, size_t payload)
{
	struct nlattr attr;
	size_t used = ALIGNED(ATTR_HEADER + payload);

	memcpy(&attr, bytes + at, sizeof(attr));
	if (used < ALIGNED(attr.nla_len)) {
		set_len(bytes, at + used, (uint16_t)(ALIGNED(attr.nla_len) - used));
		set_type(bytes, at + used, HIDDEN);
	}
	set_len(bytes, at, (uint16_t)(ATTR_HEADER + payload));
}

static const struct {
	uint16_t type;
	size_t needs; /* bytes of payload */
} service_needs[] = {
	{ IPVS_SVC_ATTR_AF, 2 },	 { IPVS_SVC_ATTR_PROTOCOL, 2 },	 { IPVS_SVC_ATTR_ADDR, 4 },
	{ IPVS_SVC_ATTR_PORT, 2 },	 { IPVS_SVC_ATTR_SCHED_NAME, 0 }, { IPVS_SVC_ATTR_FLAGS, 8 },
	{ IPVS_SVC_ATTR_TIMEOUT, 4 },
};

START_TEST(rejects_a_service_without_a_needed_attribute)
{
	for (size_t i = 0; i < ARRAY_LEN(service_needs); i++) {
		uint8_t bytes[sizeof(tcp_service)];
		struct service s = { .fwmark = 77 };

		memcpy(bytes, tcp_service, sizeof(bytes));
		set_type(bytes, find_attribute(bytes, SERVICE_AT, sizeof(bytes), service_needs[i].type), HIDDEN);
		ck_assert_msg(read_service(bytes, sizeof(bytes), &s) == -EBADMSG, "without %u",
			      service_needs[i].type);
		ck_assert_uint_eq(s.fwmark, 77);
	}
}
END_TEST

START_TEST(rejects_a_service_with_an_attribute_that_is_too_short)
{
	for (size_t i = 0; i < ARRAY_LEN(service_needs); i++) {
		for (size_t len = 0; len < service_needs[i].needs; len++) {
			uint8_t bytes[sizeof(tcp_service)];
			struct service s = { .fwmark = 77 };

			memcpy(bytes, tcp_service, sizeof(bytes));
			shorten(bytes, find_attribute(bytes, SERVICE_AT, sizeof(bytes), service_needs[i].type),
				len);
			ck_assert_msg(read_service(bytes, sizeof(bytes), &s) == -EBADMSG, "%u with %zu bytes",
				      service_needs[i].type, len);
			ck_assert_uint_eq(s.fwmark, 77);
		}
	}
}
END_TEST

START_TEST(rejects_a_service_without_any_counters)
{
	uint8_t bytes[sizeof(tcp_service)];
	struct service s;

	memcpy(bytes, tcp_service, sizeof(bytes));
	ck_assert_int_eq(read_service(bytes, sizeof(bytes), &s), 0);
	ck_assert(!s.is_narrow);
	set_type(bytes, find_attribute(bytes, SERVICE_AT, sizeof(bytes), IPVS_SVC_ATTR_STATS64), HIDDEN);
	ck_assert_int_eq(read_service(bytes, sizeof(bytes), &s), 0);
	ck_assert_uint_eq(s.counters.conns, 1);
	ck_assert(s.is_narrow);
	set_type(bytes, find_attribute(bytes, SERVICE_AT, sizeof(bytes), IPVS_SVC_ATTR_STATS), HIDDEN);
	ck_assert_int_eq(read_service(bytes, sizeof(bytes), &s), -EBADMSG);
}
END_TEST

/* A counter that reads as 0 because it is not there would look like a new epoch, and be billed twice. */
START_TEST(rejects_a_service_with_a_counter_missing_or_cut_short)
{
	for (uint16_t type = IPVS_STATS_ATTR_CONNS; type <= IPVS_STATS_ATTR_OUTBYTES; type++) {
		for (int len = -1; len < 4; len++) {
			uint8_t bytes[sizeof(tcp_service)];
			struct service s = { .fwmark = 77 };
			size_t at;

			memcpy(bytes, tcp_service, sizeof(bytes));
			at = find_attribute(bytes, SERVICE_AT, sizeof(bytes), IPVS_SVC_ATTR_STATS64);
			at = find_attribute(bytes, at + ATTR_HEADER, sizeof(bytes), type);
			if (len < 0)
				set_type(bytes, at, HIDDEN);
			else
				shorten(bytes, at, (size_t)len);
			ck_assert_msg(read_service(bytes, sizeof(bytes), &s) == -EBADMSG,
				      "counter %u with %d bytes", type, len);
			ck_assert_uint_eq(s.fwmark, 77);
		}
	}
}
END_TEST

START_TEST(rejects_a_family_that_is_neither)
{
	static const uint16_t families[] = { 0, 1, 3, 9, 11, 0x102, 0xffff };
	static const struct {
		const uint8_t *bytes;
		size_t len;
	} services[] = { { tcp_service, sizeof(tcp_service) }, { mark_service, sizeof(mark_service) } };

	for (size_t k = 0; k < ARRAY_LEN(services); k++) {
		for (size_t i = 0; i < ARRAY_LEN(families); i++) {
			uint8_t bytes[sizeof(tcp_service)];
			struct service s;
			size_t at;

			memcpy(bytes, services[k].bytes, services[k].len);
			at = find_attribute(bytes, SERVICE_AT, services[k].len, IPVS_SVC_ATTR_AF);
			memcpy(bytes + at + ATTR_HEADER, &families[i], sizeof(families[i]));
			ck_assert_msg(read_service(bytes, services[k].len, &s) == -EBADMSG, "service %zu, family %u",
				      k, families[i]);
		}
	}
}
END_TEST

START_TEST(rejects_an_ipv6_address_that_is_too_short)
{
	const uint16_t family = AF_INET6;

	for (size_t len = 4; len <= 16; len++) {
		uint8_t bytes[sizeof(tcp_service)];
		struct service s;
		size_t at;

		memcpy(bytes, tcp_service, sizeof(bytes));
		memcpy(bytes + SERVICE_AT + ATTR_HEADER, &family, sizeof(family));
		at = find_attribute(bytes, SERVICE_AT, sizeof(bytes), IPVS_SVC_ATTR_ADDR);
		shorten(bytes, at, len);
		ck_assert_int_eq(read_service(bytes, sizeof(bytes), &s), len < 16 ? -EBADMSG : 0);
	}
}
END_TEST

static const struct {
	uint16_t type;
	size_t needs;
} destination_needs[] = {
	{ IPVS_DEST_ATTR_ADDR, 4 },
	{ IPVS_DEST_ATTR_PORT, 2 },
	{ IPVS_DEST_ATTR_FWD_METHOD, 4 },
	{ IPVS_DEST_ATTR_WEIGHT, 4 },
};

START_TEST(rejects_a_destination_without_a_needed_attribute)
{
	for (size_t i = 0; i < ARRAY_LEN(destination_needs); i++) {
		for (int len = -1; len < (int)destination_needs[i].needs; len++) {
			uint8_t bytes[sizeof(destination)];
			struct destination d = { .weight = 77 };
			size_t at;

			memcpy(bytes, destination, sizeof(bytes));
			at = find_attribute(bytes, SERVICE_AT, sizeof(bytes), destination_needs[i].type);
			if (len < 0)
				set_type(bytes, at, HIDDEN);
			else
				shorten(bytes, at, (size_t)len);
			ck_assert_msg(read_destination(bytes, sizeof(bytes), AF_INET, &d) == -EBADMSG,
				      "%u with %d bytes", destination_needs[i].type, len);
			ck_assert_uint_eq(d.weight, 77);
		}
	}
}
END_TEST

START_TEST(a_destination_without_a_family_has_its_services)
{
	uint8_t bytes[sizeof(destination)];
	struct endpoint real4 = given_endpoint("10.0.0.2:80"), real6 = given_endpoint("[a00:2::]:80");
	struct destination d;

	memcpy(bytes, destination, sizeof(bytes));
	set_type(bytes, find_attribute(bytes, SERVICE_AT, sizeof(bytes), IPVS_DEST_ATTR_ADDR_FAMILY), HIDDEN);
	ck_assert_int_eq(read_destination(bytes, sizeof(bytes), AF_INET, &d), 0);
	ck_assert(endpoint_equal(&d.real, &real4));
	ck_assert_int_eq(read_destination(bytes, sizeof(bytes), AF_INET6, &d), 0);
	ck_assert(endpoint_equal(&d.real, &real6));
	ck_assert_int_eq(read_destination(bytes, sizeof(bytes), AF_UNSPEC, &d), -EBADMSG);
}
END_TEST

START_TEST(rejects_a_destination_of_a_family_that_is_neither)
{
	static const uint16_t families[] = { 0, 1, 11, 0x102 };

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		uint8_t bytes[sizeof(destination)];
		struct destination d;
		size_t at;

		memcpy(bytes, destination, sizeof(bytes));
		at = find_attribute(bytes, SERVICE_AT, sizeof(bytes), IPVS_DEST_ATTR_ADDR_FAMILY);
		memcpy(bytes + at + ATTR_HEADER, &families[i], sizeof(families[i]));
		ck_assert_int_eq(read_destination(bytes, sizeof(bytes), AF_INET, &d), -EBADMSG);
	}
}
END_TEST

START_TEST(does_not_take_one_for_the_other)
{
	struct service s;
	struct destination d;

	ck_assert_int_eq(read_service(destination, sizeof(destination), &s), -EBADMSG);
	ck_assert_int_eq(read_destination(tcp_service, sizeof(tcp_service), AF_INET, &d), -EBADMSG);
}
END_TEST

START_TEST(rejects_a_truncated_message_at_every_length)
{
	struct service s;
	struct destination d;

	for (size_t len = NLMSG_HDRLEN; len < sizeof(tcp_service); len++)
		ck_assert_msg(read_service(tcp_service, len, &s) == -EBADMSG, "%zu bytes", len);
	for (size_t len = NLMSG_HDRLEN; len < sizeof(destination) - 2; len++) /* 2: padding */
		ck_assert_msg(read_destination(destination, len, AF_INET, &d) == -EBADMSG, "%zu bytes", len);
}
END_TEST

/* The nest ends where the message does, so that only what is inside is cut. */
START_TEST(rejects_a_truncated_nest_at_every_length)
{
	/* mark_service: its counters come last, its five counters end before the five rates. */
	const size_t enough = sizeof(mark_service) - 5 * 8;

	for (size_t len = SERVICE_AT; len < enough; len++) {
		uint8_t bytes[sizeof(mark_service)];
		struct service s;
		size_t stats;

		memcpy(bytes, mark_service, sizeof(bytes));
		stats = find_attribute(bytes, SERVICE_AT, sizeof(bytes), IPVS_SVC_ATTR_STATS);
		set_len(bytes, NLMSG_HDRLEN + GENL_HDRLEN, (uint16_t)(len - NLMSG_HDRLEN - GENL_HDRLEN));
		if (len >= stats + ATTR_HEADER)
			set_len(bytes, stats, (uint16_t)(len - stats));
		ck_assert_msg(read_service(bytes, len, &s) == -EBADMSG, "%zu bytes", len);
	}
}
END_TEST

START_TEST(a_scheduler_name_without_an_end_is_bounded)
{
	uint8_t bytes[sizeof(tcp_service)];
	struct service s;
	size_t at;

	memcpy(bytes, tcp_service, sizeof(bytes));
	at = find_attribute(bytes, SERVICE_AT, sizeof(bytes), IPVS_SVC_ATTR_SCHED_NAME);
	memcpy(bytes + at + ATTR_HEADER, "abcd", 4);
	ck_assert_int_eq(read_service(bytes, sizeof(bytes), &s), 0);
	ck_assert_str_eq(s.scheduler, "abcd");
	/* The whole counters of 32 bits as a name. */
	set_type(bytes, at, HIDDEN);
	at = find_attribute(bytes, SERVICE_AT, sizeof(bytes), IPVS_SVC_ATTR_STATS);
	set_type(bytes, at, IPVS_SVC_ATTR_SCHED_NAME);
	memset(bytes + at + ATTR_HEADER, 'z', 92);
	ck_assert_int_eq(read_service(bytes, sizeof(bytes), &s), 0);
	ck_assert_str_eq(s.scheduler, "zzzzzzzzzzzzzzz");
}
END_TEST

START_TEST(survives_random_damage)
{
	for (int run = 0; run < 20000; run++) {
		uint8_t bytes[sizeof(tcp_service)];
		uint64_t seed = (uint64_t)run;
		bool of_service = run & 1;
		size_t len = of_service ? sizeof(tcp_service) : sizeof(destination);
		struct service s;
		struct destination d;
		int ret;

		memcpy(bytes, of_service ? tcp_service : destination, len);
		for (uint32_t n = 1 + given_below(&seed, 4); n > 0; n--)
			bytes[NLMSG_HDRLEN + given_below(&seed, (uint32_t)len - NLMSG_HDRLEN)] =
				(uint8_t)given_random(&seed);
		if (given_below(&seed, 4) == 0)
			len = NLMSG_HDRLEN + given_below(&seed, (uint32_t)len - NLMSG_HDRLEN);
		ret = of_service ? read_service(bytes, len, &s) : read_destination(bytes, len, AF_INET, &d);
		if (ret != 0 && ret != -EBADMSG)
			ck_abort_msg("seed %d: %d", run, ret);
	}
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, reads_a_service_of_a_real_kernel);
	tcase_add_test(tc, prefers_counters_of_64_bits);
	tcase_add_test(tc, reads_counters_of_32_bits_where_there_are_no_others);
	tcase_add_test(tc, reads_a_service_with_a_firewall_mark);
	tcase_add_test(tc, reads_a_destination_of_a_real_kernel);
	tcase_add_test(tc, rejects_a_service_without_a_needed_attribute);
	tcase_add_test(tc, rejects_a_service_with_an_attribute_that_is_too_short);
	tcase_add_test(tc, rejects_a_service_without_any_counters);
	tcase_add_test(tc, rejects_a_service_with_a_counter_missing_or_cut_short);
	tcase_add_test(tc, rejects_a_family_that_is_neither);
	tcase_add_test(tc, rejects_an_ipv6_address_that_is_too_short);
	tcase_add_test(tc, rejects_a_destination_without_a_needed_attribute);
	tcase_add_test(tc, a_destination_without_a_family_has_its_services);
	tcase_add_test(tc, rejects_a_destination_of_a_family_that_is_neither);
	tcase_add_test(tc, does_not_take_one_for_the_other);
	tcase_add_test(tc, rejects_a_truncated_message_at_every_length);
	tcase_add_test(tc, rejects_a_truncated_nest_at_every_length);
	tcase_add_test(tc, a_scheduler_name_without_an_end_is_bounded);
	tcase_add_test(tc, survives_random_damage);
}

int main(void)
{
	return unit_main("ipvs_answer", add);
}
