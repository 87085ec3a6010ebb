/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "given.h"
#include "gwstat_trend.h"

#include <math.h>

static struct trends trends;

static void teardown(void)
{
	trends_clear(&trends);
}

/* A reading of one route, which has transferred as many bytes to the client. */
static const struct trend *read_at(int64_t ms, uint64_t outbytes)
{
	struct reading r = { .route = 7, .total = { .outbytes = outbytes },
			     .rates = { .outbps = 4711 } };
	const struct reading_list list = { .items = &r, .n = 1 };
	struct err e;

	ck_assert_int_eq(trends_add(&e, &trends, &list, ms), 0);
	return trends_find(&trends, 7);
}

START_TEST(has_the_kernels_rates_until_it_has_its_own)
{
	ck_assert_uint_eq(read_at(500000, 9000)->rates.outbps, 4711);
	ck_assert_uint_eq(read_at(501000, 9000)->rates.outbps, 4711);
	ck_assert_uint_eq(read_at(503999, 9000)->rates.outbps, 4711);
	ck_assert_uint_eq(read_at(504000, 9000)->rates.outbps, 0);
}
END_TEST

START_TEST(counts_every_kind)
{
	struct reading r = { .route = 7, .total = { 10, 20, 30, 40, 50 } };
	const struct reading_list list = { .items = &r, .n = 1 };
	const struct trend *t;
	struct err e;

	ck_assert_int_eq(trends_add(&e, &trends, &list, 0), 0);
	r.total = (struct counters){ 14, 28, 42, 56, 70 };
	ck_assert_int_eq(trends_add(&e, &trends, &list, 4000), 0);
	t = trends_find(&trends, 7);
	ck_assert_uint_eq(t->rates.cps, 1);
	ck_assert_uint_eq(t->rates.inpps, 2);
	ck_assert_uint_eq(t->rates.outpps, 3);
	ck_assert_uint_eq(t->rates.inbps, 4);
	ck_assert_uint_eq(t->rates.outbps, 5);
	ck_assert_uint_eq(t->marks[0], 9);
}
END_TEST

/* What the kernel shows at this time of a stream of 1000 bytes a second. */
static uint64_t shown_by_kernel(int64_t ms, int64_t phase, int64_t period)
{
	return (uint64_t)((ms - phase) / period * period);
}

static const struct {
	int64_t every, period; /* ms: between readings, and between the kernel's */
	double error;          /* allowed */
} paces[] = {
	{ 1000, 2000, 0.0 }, { 1000, 2004, 0.01 },  { 2000, 2000, 0.0 }, { 2000, 2004, 0.01 },
	{ 3000, 2000, 0.01 }, { 5000, 2000, 0.01 }, { 7000, 2000, 0.01 },
	{ 15000, 2000, 0.07 }, /* one period more or less */
	{ 60000, 2000, 0.04 },
};

START_TEST(a_steady_stream_has_a_steady_rate)
{
	for (int64_t phase = 1; phase < 2000; phase += unit_in_valgrind() ? 1110 : 111) {
		int64_t every = paces[_i].every;

		trends_clear(&trends);
		for (int64_t at = 1000000; at < 1000000 + 1000 * every; at += every) {
			double rate = (double)read_at(at, shown_by_kernel(at, phase, paces[_i].period))->rates.outbps;

			if (at >= 1010000 + 2 * every)
				ck_assert_msg(fabs(rate - 1000) <= 1000 * paces[_i].error,
					      "%.0f at %lld, phase %lld", rate, (long long)at, (long long)phase);
		}
	}
}
END_TEST

/* The machine is busy: readings are late, by up to 90 ms. */
START_TEST(a_steady_rate_does_not_depend_on_punctual_readings)
{
	uint64_t seed = 1;

	for (int64_t phase = 0; phase < 2000; phase += unit_in_valgrind() ? 1000 : 100) {
		trends_clear(&trends);
		for (int64_t at = 1000000; at < 2000000; at += 1000) {
			int64_t late = at + given_below(&seed, 90);
			uint64_t rate = read_at(late, shown_by_kernel(late, phase, 2000))->rates.outbps;

			if (at >= 1010000) {
				ck_assert_uint_ge(rate, 990);
				ck_assert_uint_le(rate, 1010);
			}
		}
	}
}
END_TEST

START_TEST(a_stream_that_ends_is_gone_after_the_window)
{
	for (int64_t at = 0; at <= 20000; at += 1000)
		read_at(at, shown_by_kernel(at, 0, 2000));
	ck_assert_uint_eq(read_at(22000, 20000)->rates.outbps, 1000); /* nobody can know yet */
	ck_assert_uint_eq(read_at(23000, 20000)->rates.outbps, 500);
	ck_assert_uint_eq(read_at(24000, 20000)->rates.outbps, 500);
	ck_assert_uint_eq(read_at(25000, 20000)->rates.outbps, 0);
}
END_TEST

START_TEST(a_single_transfer_is_seen)
{
	for (int64_t at = 0; at <= 10000; at += 1000)
		read_at(at, 0);
	for (int64_t at = 11000; at < 16000; at += 1000)
		ck_assert_uint_eq(read_at(at, 4000)->rates.outbps, 1000);
	ck_assert_uint_eq(read_at(16000, 4000)->rates.outbps, 0);
}
END_TEST

START_TEST(a_counter_that_falls_back_has_gained_nothing)
{
	for (int64_t at = 0; at <= 8000; at += 1000)
		read_at(at, 1000000);
	ck_assert_uint_eq(read_at(9000, 400000)->rates.outbps, 0);
	ck_assert_uint_eq(read_at(10000, 404000)->rates.outbps, 1000);
}
END_TEST

START_TEST(a_pause_between_readings_is_averaged)
{
	read_at(0, 0);
	ck_assert_uint_eq(read_at(300000, 300000)->rates.outbps, 1000);
	for (size_t i = 0; i < TREND_MARKS; i++)
		ck_assert_uint_eq(trends_find(&trends, 7)->marks[i], 1000);
}
END_TEST

START_TEST(marks_the_last_minute)
{
	const struct trend *t;

	for (int64_t at = 0; at <= 100000; at += 1000)
		t = read_at(at, at < 90000 ? 0 : shown_by_kernel(at, 90000, 2000));
	ck_assert_uint_eq(t->marks[0], 1000);
	ck_assert_uint_gt(t->marks[3], 0);
	for (size_t i = 6; i < TREND_MARKS; i++)
		ck_assert_uint_eq(t->marks[i], 0);
	for (int64_t at = 101000; at <= 165000; at += 1000)
		t = read_at(at, 10000);
	for (size_t i = 0; i < TREND_MARKS; i++)
		ck_assert_uint_eq(t->marks[i], 0);
}
END_TEST

START_TEST(routes_come_and_go)
{
	struct reading readings[] = { { .route = 9 }, { .route = 2 }, { .route = 5 } };
	struct reading_list list = { .items = readings, .n = 3 };
	struct err e;

	ck_assert_int_eq(trends_add(&e, &trends, &list, 0), 0);
	readings[1].total.inbytes = 4000;
	readings[2].route = 11;
	ck_assert_int_eq(trends_add(&e, &trends, &list, 5000), 0);
	ck_assert_uint_eq(trends_find(&trends, 2)->rates.inbps, 800);
	ck_assert_int_eq(trends_find(&trends, 9)->since, 0);
	ck_assert_int_eq(trends_find(&trends, 11)->since, 5000);
	ck_assert_ptr_null(trends_find(&trends, 5));
	list.n = 0;
	ck_assert_int_eq(trends_add(&e, &trends, &list, 6000), 0);
	ck_assert_ptr_null(trends_find(&trends, 2));
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_test(tc, has_the_kernels_rates_until_it_has_its_own);
	tcase_add_test(tc, counts_every_kind);
	tcase_add_loop_test(tc, a_steady_stream_has_a_steady_rate, 0, ARRAY_LEN(paces));
	tcase_add_test(tc, a_steady_rate_does_not_depend_on_punctual_readings);
	tcase_add_test(tc, a_stream_that_ends_is_gone_after_the_window);
	tcase_add_test(tc, a_single_transfer_is_seen);
	tcase_add_test(tc, a_counter_that_falls_back_has_gained_nothing);
	tcase_add_test(tc, a_pause_between_readings_is_averaged);
	tcase_add_test(tc, marks_the_last_minute);
	tcase_add_test(tc, routes_come_and_go);
}

int main(void)
{
	return unit_main("gwstat_trend", add);
}
