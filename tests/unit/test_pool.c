/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "given.h"
#include "pool.h"

/* What a pool's owner knows, and which ports it was asked for. */
struct owner {
	uint16_t first, last;
	uint16_t free;   /* the only free port; 0: none */
	uint16_t broken; /* asking for this one is an error; 0: none */
	uint32_t n_asked;
	uint8_t asked[65536];
	uint16_t outside, twice; /* a port that should not have been asked for (again); 0: none */
};

static int is_free(struct err *e, void *ctx, uint16_t port)
{
	struct owner *o = ctx;

	if (port < o->first || port > o->last)
		o->outside = port;
	if (o->asked[port]++)
		o->twice = port;
	o->n_asked++;
	if (port == o->broken)
		return err_set(e, EACCES, "port %u is broken", port);
	return port == o->free;
}

static int pick(struct owner *o, uint32_t r0, uint32_t r1, uint16_t *out)
{
	const uint32_t random[2] = { r0, r1 };
	struct err e = { 0 };
	int ret;

	o->n_asked = 0;
	memset(o->asked, 0, sizeof(o->asked));
	ret = pool_pick(&e, o->first, o->last, random, is_free, o, out);
	ck_assert_int_eq(e.code, ret < 0 ? -ret : 0);
	ck_assert_msg(!o->outside, "%u is not in %u-%u", o->outside, o->first, o->last);
	ck_assert_msg(!o->twice, "%u was asked for twice", o->twice);
	return ret;
}

/* Nothing is free: every port is asked for, once. */
static void expect_full_visit(uint16_t first, uint16_t last, uint32_t r0, uint32_t r1)
{
	static struct owner o;
	uint16_t out = 7;

	o = (struct owner){ .first = first, .last = last };
	ck_assert_int_eq(pick(&o, r0, r1, &out), 1);
	ck_assert_msg(o.n_asked == (uint32_t)last - first + 1, "%u-%u with %u, %u: asked for %u", first, last,
		      r0, r1, o.n_asked);
	ck_assert_uint_eq(out, 7);
}

START_TEST(asks_for_every_port_once_when_all_are_taken)
{
	static const uint16_t ranges[][2] = {
		{ 1, 1 }, { 65535, 65535 }, { 32768, 32769 }, { 1, 65535 }, { 2, 65535 }, { 32768, 33768 },
		{ 1024, 2047 }, { 10, 39 }, { 60000, 60210 },
	};
	static const uint32_t randoms[] = { 0, 1, 29, 65534, 0xffffffff };

	for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
		for (size_t k = 0; k < ARRAY_LEN(randoms) * ARRAY_LEN(randoms); k++)
			expect_full_visit(ranges[i][0], ranges[i][1], randoms[k / ARRAY_LEN(randoms)],
					  randoms[k % ARRAY_LEN(randoms)]);
}
END_TEST

START_TEST(asks_for_every_port_once_in_any_range)
{
	for (uint64_t run = 0; run < 500; run++) {
		uint64_t seed = run;
		uint32_t size = 1 + given_below(&seed, run % 10 ? 2000 : 65535);
		uint16_t first = (uint16_t)(1 + given_below(&seed, 65535 - size + 1));

		expect_full_visit(first, (uint16_t)(first + size - 1), (uint32_t)given_random(&seed),
				  (uint32_t)given_random(&seed));
	}
}
END_TEST

START_TEST(finds_the_only_free_port)
{
	static struct owner o;

	for (uint64_t run = 0; run < 1000; run++) {
		uint64_t seed = run;
		uint16_t out = 0;

		o = (struct owner){ .first = 32768, .last = 33768 };
		o.free = (uint16_t)(o.first + given_below(&seed, 1001));
		ck_assert_int_eq(pick(&o, (uint32_t)given_random(&seed), (uint32_t)given_random(&seed), &out), 0);
		ck_assert_msg(out == o.free, "seed %d: %u is not %u", (int)run, out, o.free);
	}
}
END_TEST

static int first_is_free(struct err *e, void *ctx, uint16_t port)
{
	(void)e;
	(void)ctx;
	return port > 0;
}

START_TEST(chance_may_choose_any_port_first)
{
	uint32_t chosen[11] = { 0 };
	struct err e;

	for (uint32_t i = 0; i < 1100; i++) {
		const uint32_t random[2] = { 0xfffff000 + i, i };
		uint16_t out;

		ck_assert_int_eq(pool_pick(&e, 100, 110, random, first_is_free, NULL, &out), 0);
		ck_assert_uint_ge(out, 100);
		ck_assert_uint_le(out, 110);
		chosen[out - 100]++;
	}
	for (size_t i = 0; i < ARRAY_LEN(chosen); i++)
		ck_assert_uint_eq(chosen[i], 100);
}
END_TEST

START_TEST(an_error_ends_the_search)
{
	static struct owner o;

	for (uint64_t run = 0; run < 100; run++) {
		uint64_t seed = run;
		uint32_t r0 = (uint32_t)given_random(&seed), r1 = (uint32_t)given_random(&seed);
		uint32_t n_before;
		uint16_t out = 7;

		o = (struct owner){ .first = 500, .last = 600, .free = 555 };
		ck_assert_int_eq(pick(&o, r0, r1, &out), 0);
		n_before = o.n_asked;
		o.broken = 555;
		out = 7;
		ck_assert_int_eq(pick(&o, r0, r1, &out), -EACCES);
		ck_assert_uint_eq(out, 7);
		ck_assert_uint_eq(o.n_asked, n_before);
	}
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, asks_for_every_port_once_when_all_are_taken);
	tcase_add_test(tc, asks_for_every_port_once_in_any_range);
	tcase_add_test(tc, finds_the_only_free_port);
	tcase_add_test(tc, chance_may_choose_any_port_first);
	tcase_add_test(tc, an_error_ends_the_search);
}

int main(void)
{
	return unit_main("pool", add);
}
