/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "given.h"
#include "ledger.h"

#define N_COUNTERS 5

static const struct counters ones = { 1, 1, 1, 1, 1 };
static const struct counters some = { 10, 20, 30, 40, 50 };

/* The counter of this number, in the order of the struct. */
static uint64_t *counter(struct counters *c, size_t i)
{
	uint64_t *all[N_COUNTERS] = { &c->conns, &c->inpkts, &c->outpkts, &c->inbytes, &c->outbytes };

	return all[i];
}

static void expect(const struct counters *c, uint64_t conns, uint64_t inpkts, uint64_t outpkts,
		   uint64_t inbytes, uint64_t outbytes)
{
	ck_assert_uint_eq(c->conns, conns);
	ck_assert_uint_eq(c->inpkts, inpkts);
	ck_assert_uint_eq(c->outpkts, outpkts);
	ck_assert_uint_eq(c->inbytes, inbytes);
	ck_assert_uint_eq(c->outbytes, outbytes);
}

static void expect_total(const struct account *a, uint64_t conns, uint64_t inpkts, uint64_t outpkts,
			 uint64_t inbytes, uint64_t outbytes)
{
	struct counters total = account_total(a);

	expect(&total, conns, inpkts, outpkts, inbytes, outbytes);
}

START_TEST(adds_every_counter)
{
	struct counters sum = some;
	const struct counters more = { 1, 2, 3, 4, UINT64_C(1) << 40 };

	counters_add(&sum, &more);
	expect(&sum, 11, 22, 33, 44, 50 + (UINT64_C(1) << 40));
}
END_TEST

START_TEST(subtracts_every_counter)
{
	struct counters left = counters_minus(&(struct counters){ 11, 22, 33, 44, UINT64_MAX }, &some);

	expect(&left, 1, 2, 3, 4, UINT64_MAX - 50);
}
END_TEST

START_TEST(counters_are_equal_when_all_five_are)
{
	ck_assert(counters_equal(&some, &some));
	for (size_t i = 0; i < N_COUNTERS; i++) {
		struct counters other = some;

		++*counter(&other, i);
		ck_assert_msg(!counters_equal(&some, &other), "counter %zu", i);
	}
}
END_TEST

START_TEST(total_is_earlier_epochs_and_the_latest_reading)
{
	const struct account a = { .base = { 1, 2, 3, 4, 5 }, .last = { 10, 20, 30, 40, 50 } };
	const struct account fresh = { 0 };

	expect_total(&a, 11, 22, 33, 44, 55);
	expect_total(&fresh, 0, 0, 0, 0, 0);
}
END_TEST

START_TEST(a_reading_replaces_the_one_before_it)
{
	struct account a = { .base = ones };

	ck_assert(account_read(&a, &some));
	expect_total(&a, 11, 21, 31, 41, 51);
	ck_assert(account_read(&a, &(struct counters){ 10, 25, 30, 45, 50 }));
	expect_total(&a, 11, 26, 31, 46, 51);
	expect(&a.base, 1, 1, 1, 1, 1);
}
END_TEST

START_TEST(the_same_reading_again_counts_once)
{
	struct account a = { 0 };

	account_read(&a, &some);
	account_read(&a, &some);
	expect_total(&a, 10, 20, 30, 40, 50);
	ck_assert(counters_equal(&a.base, &(struct counters){ 0 }));
}
END_TEST

START_TEST(any_counter_that_went_back_begins_a_new_epoch)
{
	for (size_t i = 0; i < N_COUNTERS; i++) {
		struct account a = { .base = ones, .last = some };
		struct counters reading = { 100, 100, 100, 100, 100 }, want = { 11, 21, 31, 41, 51 };

		*counter(&reading, i) = *counter(&a.last, i) - 1;
		ck_assert(!account_read(&a, &reading));
		ck_assert_msg(counters_equal(&a.base, &want), "counter %zu", i);
		ck_assert_msg(counters_equal(&a.last, &reading), "counter %zu", i);
	}
}
END_TEST

START_TEST(what_an_old_kernel_counts_in_32_bits_goes_on_beyond_them)
{
	struct account a = { .last = { 7, 0xfffffff0, UINT64_C(0x2fffffff0), UINT64_C(5000000000000), 500 } };
	struct counters reading = { 8, 0x10, 0x5, UINT64_C(5000000001000), 600 }, back = { 1, 2, 3, 4, 5 };

	account_widen(&a, &reading);
	ck_assert(account_read(&a, &reading));
	expect_total(&a, 8, UINT64_C(0x100000010), UINT64_C(0x300000005), UINT64_C(5000000001000), 600);
	account_widen(&a, &back);
	expect(&back, 1, 2, 3, 4, 5);
}
END_TEST

START_TEST(ending_an_epoch_keeps_the_total)
{
	struct account a = { .base = ones, .last = some };

	account_end_epoch(&a);
	expect_total(&a, 11, 21, 31, 41, 51);
	account_end_epoch(&a);
	expect_total(&a, 11, 21, 31, 41, 51);
}
END_TEST

START_TEST(after_an_end_a_reading_counts_whole_even_if_it_is_larger)
{
	struct account a = { .last = some };

	account_end_epoch(&a);
	account_read(&a, &(struct counters){ 100, 200, 300, 400, 500 });
	expect_total(&a, 110, 220, 330, 440, 550);
}
END_TEST

/* What a look at an account of this boot, or of another, says, and leaves. */
START_TEST(a_look_says_once_what_is_not_known)
{
	static const struct counters more = { 11, 22, 33, 44, 55 }, less = { 1, 0, 0, 0, 0 };
	static const struct {
		const char *boot;
		const struct counters *reading;
		int why; /* -1: nothing */
		uint64_t conns;
		const char *then;
	} cases[] = {
		{ "now", &more, -1, 11, "now" },
		{ "now", &some, -1, 10, "now" },
		{ "now", &less, UNCERTAIN_RESET, 11, "now" },
		{ "now", NULL, UNCERTAIN_REMOVED, 10, "" },
		{ "before", &more, UNCERTAIN_REBOOT, 21, "now" },
		{ "before", &less, UNCERTAIN_REBOOT, 11, "now" },
		{ "before", NULL, UNCERTAIN_REBOOT, 10, "" },
		{ "", &more, -1, 11, "now" },
		{ "", &less, UNCERTAIN_RESET, 11, "now" },
		{ "", NULL, -1, 10, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct account a = { .last = some };
		enum uncertain_why why;
		bool is_uncertain;

		strcpy(a.boot, cases[i].boot);
		is_uncertain = account_look(&a, "now", cases[i].reading, &why);
		ck_assert_msg(is_uncertain == (cases[i].why >= 0), "case %zu", i);
		ck_assert_msg(!is_uncertain || (int)why == cases[i].why, "case %zu: %s", i, uncertain_why_name(why));
		ck_assert_msg(account_total(&a).conns == cases[i].conns, "case %zu", i);
		ck_assert_str_eq(a.boot, cases[i].then);
		ck_assert_msg(!account_look(&a, "now", cases[i].reading, &why), "case %zu", i);
		ck_assert_msg(account_total(&a).conns == cases[i].conns, "case %zu, once more", i);
	}
}
END_TEST

START_TEST(an_epoch_begins_with_nothing_in_its_boot)
{
	struct account a = { .base = ones, .last = some };
	enum uncertain_why why;

	account_begin_epoch(&a, "now");
	expect_total(&a, 11, 21, 31, 41, 51);
	ck_assert_str_eq(a.boot, "now");
	ck_assert(!account_look(&a, "now", &(struct counters){ 100, 200, 300, 400, 500 }, &why));
	expect_total(&a, 111, 221, 331, 441, 551);
	account_end_epoch(&a);
	ck_assert_str_eq(a.boot, "");
}
END_TEST

START_TEST(names_what_makes_an_account_uncertain)
{
	ck_assert_str_eq(uncertain_why_name(UNCERTAIN_REMOVED), "removed");
	ck_assert_str_eq(uncertain_why_name(UNCERTAIN_RESET), "reset");
	ck_assert_str_eq(uncertain_why_name(UNCERTAIN_REBOOT), "reboot");
}
END_TEST

/* A service that counts, is read now and then, and is made anew after its last count was read. */
START_TEST(loses_and_doubles_nothing_over_many_epochs)
{
	for (uint64_t run = 0; run < 200; run++) {
		struct counters kernel = { 0 }, truth = { 0 }, total;
		struct account a = { 0 };
		uint64_t seed = run;

		for (int step = 0; step < 300; step++) {
			uint32_t dice = given_below(&seed, 10);
			uint64_t amount = given_below(&seed, 100000);
			size_t which = given_below(&seed, N_COUNTERS);

			*counter(&kernel, which) += amount;
			*counter(&truth, which) += amount;
			if (dice < 6)
				continue;
			account_read(&a, &kernel);
			total = account_total(&a);
			ck_assert_msg(counters_equal(&total, &truth), "seed %d, step %d", (int)run, step);
			if (dice < 9)
				continue;
			account_end_epoch(&a);
			kernel = (struct counters){ 0 };
		}
	}
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, adds_every_counter);
	tcase_add_test(tc, subtracts_every_counter);
	tcase_add_test(tc, counters_are_equal_when_all_five_are);
	tcase_add_test(tc, total_is_earlier_epochs_and_the_latest_reading);
	tcase_add_test(tc, a_reading_replaces_the_one_before_it);
	tcase_add_test(tc, the_same_reading_again_counts_once);
	tcase_add_test(tc, any_counter_that_went_back_begins_a_new_epoch);
	tcase_add_test(tc, what_an_old_kernel_counts_in_32_bits_goes_on_beyond_them);
	tcase_add_test(tc, ending_an_epoch_keeps_the_total);
	tcase_add_test(tc, after_an_end_a_reading_counts_whole_even_if_it_is_larger);
	tcase_add_test(tc, a_look_says_once_what_is_not_known);
	tcase_add_test(tc, an_epoch_begins_with_nothing_in_its_boot);
	tcase_add_test(tc, names_what_makes_an_account_uncertain);
	tcase_add_test(tc, loses_and_doubles_nothing_over_many_epochs);
}

int main(void)
{
	return unit_main("ledger", add);
}
