/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "counts.h"
#include "given.h"

/* The i-th of many keys that differ in every part. */
static struct service_key nth_key(uint32_t i)
{
	struct service_key key = given_key(i & 1 ? IPPROTO_UDP : IPPROTO_TCP,
					   i & 2 ? "[2001:db8::1]:1" : "198.51.100.1:1");

	key.vip.addr.bytes[i & 2 ? 15 : 3] = (uint8_t)(i >> 2 & 7);
	key.vip.port = (uint16_t)(1 + (i >> 5));
	return key;
}

START_TEST(finds_what_each_of_many_has_counted_and_no_other)
{
	CLEANUP(counts_clear) struct counts c = { 0 };
	const uint32_t many = unit_many(20000);
	struct err e;

	for (uint32_t i = 0; i < many; i++) {
		const struct service s = { .key = nth_key(i), .counters.inbytes = i, .rates.cps = i % 3 };

		ck_assert_int_eq(counts_add(&e, &c, &s), 0);
	}
	ck_assert_uint_eq(c.n, many);
	for (uint32_t i = 0; i < many + 1000; i++) {
		const struct service_key key = nth_key(i);
		struct count found = { .counters.inbytes = i, .rates.cps = i % 3 };

		ck_assert_int_eq(counts_find(&c, &key, &found), i < many);
		ck_assert_uint_eq(found.counters.inbytes, i);
		ck_assert_uint_eq(found.rates.cps, i % 3);
	}
}
END_TEST

START_TEST(keeps_the_larger_of_two_readings)
{
	static const uint64_t readings[] = { 5, 3, 7, 7, 8 }, kept[] = { 5, 5, 7, 7, 8 };
	static const uint64_t rates[] = { 0, 2, 1, 3, 0 }, kept_rates[] = { 0, 0, 1, 3, 0 };
	CLEANUP(counts_clear) struct counts c = { 0 };
	struct service s = { .key = nth_key(0) };
	struct count found;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(readings); i++) {
		s.counters.inbytes = readings[i];
		s.rates.outbps = rates[i];
		ck_assert_int_eq(counts_add(&e, &c, &s), 0);
		ck_assert(counts_find(&c, &s.key, &found));
		ck_assert_uint_eq(found.counters.inbytes, kept[i]);
		ck_assert_uint_eq(found.rates.outbps, kept_rates[i]);
	}
	ck_assert_uint_eq(c.n, 1);
}
END_TEST

START_TEST(leaves_out_firewall_marks)
{
	CLEANUP(counts_clear) struct counts c = { 0 };
	const struct service s = { .fwmark = 1, .key.vip.addr.family = AF_INET };
	struct count found;
	struct err e;

	ck_assert(!counts_find(&c, &s.key, &found));
	ck_assert_int_eq(counts_add(&e, &c, &s), 0);
	ck_assert(!counts_find(&c, &s.key, &found));
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, finds_what_each_of_many_has_counted_and_no_other);
	tcase_add_test(tc, keeps_the_larger_of_two_readings);
	tcase_add_test(tc, leaves_out_firewall_marks);
}

int main(void)
{
	return unit_main("counts", add);
}
