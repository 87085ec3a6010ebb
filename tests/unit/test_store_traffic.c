/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What containers transferred, and when: every byte of an account once, however long ago. */
#include "state.h"

#include <inttypes.h>

#define DAY 86400
#define NOON (INT64_C(20000) * DAY + 43200)

/* --- Rows as text ------------------------------------------------------------ */

/* Appends "SPAN AT CONTAINER INBYTES\n", at in minutes from noon on. */
static int print_row(struct err *e, void *out, const struct traffic *t)
{
	(void)e;
	fprintf(out, "%u %" PRIi64 " %s %" PRIu64 "\n", t->span, (t->at - NOON) / 60, t->container, t->sum.inbytes);
	return 0;
}

typedef int each_fn(struct err *e, struct store *s, const char *container, int64_t since, int64_t until,
		    store_traffic_fn *fn, void *ctx);

static void expect(struct store *s, each_fn *each, const char *container, int64_t since, int64_t until,
		   const char *want)
{
	struct unit_out o = { 0 };
	struct err e = { 0 };

	ck_assert_msg(each(&e, s, container, since, until, print_row, unit_open(&o)) == 0, "%s", e.msg);
	fclose(o.stream);
	ck_assert_str_eq(o.text, want);
	free(o.text);
}

static void expect_rows(struct store *s, const char *want)
{
	expect(s, store_each_traffic, NULL, INT64_MIN, INT64_MAX, want);
}

/* --- Accounts that grow ------------------------------------------------------- */

static void grow(struct store *s, struct route *r, int64_t at, uint64_t bytes)
{
	struct account a = r->account;
	struct err e = { 0 };

	store_set_time(s, at);
	a.last.inbytes += bytes;
	ck_assert_msg(store_begin(&e, s) == 0 && store_set_account(&e, s, r, &a) == 0 && store_commit(&e, s) == 0,
		      "%s", e.msg);
	r->account = a;
}

static void thin(struct store *s, int64_t at)
{
	struct err e = { 0 };

	store_set_time(s, at);
	ck_assert_msg(store_begin(&e, s) == 0 && store_thin_traffic(&e, s) == 0 && store_commit(&e, s) == 0, "%s",
		      e.msg);
}

/* Routes of a, a and b. */
static struct store *given_routes(struct route routes[static 3])
{
	struct store *s;
	struct state state;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	for (uint16_t i = 0; i < 3; i++) {
		routes[i] = given_route(i < 2 ? "a" : "b", (uint16_t)(i + 1), VIP);
		routes[i].public.port = (uint16_t)(i + 1);
		routes[i].id = state_add(s, &routes[i]);
	}
	return s;
}

START_TEST(what_an_account_grows_by_is_traffic_of_that_minute)
{
	struct route r[3];
	CLEANUP(store_closep) struct store *s = given_routes(r);

	expect_rows(s, "");
	grow(s, &r[0], NOON, 5);
	grow(s, &r[0], NOON + 59, 5);
	grow(s, &r[1], NOON + 30, 100);
	grow(s, &r[2], NOON + 30, 7);
	grow(s, &r[0], NOON + 60, 1);
	grow(s, &r[2], NOON + 61, 0);
	expect_rows(s, "60 0 a 110\n60 0 b 7\n60 1 a 1\n");
}
END_TEST

START_TEST(so_is_what_is_stored_with_a_route_and_nothing_twice_when_it_ends)
{
	struct route r[3], late = given_route("c", 80, VIP);
	CLEANUP(store_closep) struct store *s = given_routes(r);
	struct err e;

	store_set_time(s, NOON);
	r[0].account.last.inbytes = 10;
	ck_assert_int_eq(store_set_route(&e, s, &r[0]), 0);
	account_end_epoch(&r[0].account);
	ck_assert_int_eq(store_set_route(&e, s, &r[0]), 0);
	late.account.base.inbytes = 3;
	late.id = state_add(s, &late);
	store_set_time(s, NOON + 60);
	ck_assert_int_eq(store_close_route(&e, s, r[0].id, NOON), 0);
	ck_assert_int_eq(store_forget_route(&e, s, late.id), 0);
	expect_rows(s, "60 0 a 10\n60 0 c 3\n");
}
END_TEST

START_TEST(an_account_that_would_shrink_is_refused)
{
	struct route r[3];
	CLEANUP(store_closep) struct store *s = given_routes(r);
	struct err e;

	grow(s, &r[0], NOON, 5);
	ck_assert_int_eq(store_set_account(&e, s, &r[0], &(struct account){ .base.inbytes = 4 }), -EIO);
	ck_assert_ptr_nonnull(strstr(e.msg, "less than"));
	r[0].account.last.inbytes = 4;
	ck_assert_int_eq(store_set_route(&e, s, &r[0]), -EIO);
	expect_rows(s, "60 0 a 5\n");
}
END_TEST

START_TEST(more_than_the_file_can_hold_is_refused_and_leaves_what_is_there)
{
	struct account most = { .last.inbytes = INT64_MAX };
	struct route r[3];
	CLEANUP(store_closep) struct store *s = given_routes(r);
	struct err e;

	grow(s, &r[0], NOON, 1);
	ck_assert_int_eq(store_set_account(&e, s, &r[1], &most), -EOVERFLOW);
	expect_rows(s, "60 0 a 1\n");
	grow(s, &r[1], NOON + 60, INT64_MAX);
	expect_rows(s, "60 0 a 1\n60 1 a 9223372036854775807\n");
	store_set_time(s, NOON + 2 * DAY);
	ck_assert_int_eq(store_begin(&e, s), 0);
	ck_assert_int_eq(store_thin_traffic(&e, s), -EOVERFLOW);
	store_rollback(s);
	expect_rows(s, "60 0 a 1\n60 1 a 9223372036854775807\n");
}
END_TEST

START_TEST(a_rollback_takes_the_traffic_back_too)
{
	struct route r[3];
	CLEANUP(store_closep) struct store *s = given_routes(r);
	struct err e;

	store_set_time(s, NOON);
	ck_assert_int_eq(store_begin(&e, s), 0);
	ck_assert_int_eq(store_set_account(&e, s, &r[0], &(struct account){ .last.inbytes = 10 }), 0);
	store_rollback(s);
	expect_rows(s, "");
}
END_TEST

START_TEST(minutes_become_hours_after_a_day_and_days_after_a_month)
{
	struct route r[3];
	CLEANUP(store_closep) struct store *s = given_routes(r);

	grow(s, &r[0], NOON, 1);
	grow(s, &r[0], NOON + 60, 2);
	grow(s, &r[2], NOON + 60, 4);
	grow(s, &r[0], NOON + 3600, 8);
	thin(s, NOON + DAY + 59);
	expect_rows(s, "60 0 a 1\n60 1 a 2\n60 1 b 4\n60 60 a 8\n");
	thin(s, NOON + DAY + 60);
	expect_rows(s, "3600 0 a 1\n60 1 a 2\n60 1 b 4\n60 60 a 8\n");
	thin(s, NOON + DAY + 120);
	expect_rows(s, "3600 0 a 3\n3600 0 b 4\n60 60 a 8\n");
	thin(s, NOON + 31 * DAY + 3599);
	expect_rows(s, "3600 0 a 3\n3600 0 b 4\n3600 60 a 8\n");
	thin(s, NOON + 31 * DAY + 3600);
	expect_rows(s, "86400 -720 a 3\n86400 -720 b 4\n3600 60 a 8\n");
	thin(s, NOON + 1000 * DAY);
	thin(s, NOON + 1000 * DAY);
	expect_rows(s, "86400 -720 a 11\n86400 -720 b 4\n");
}
END_TEST

START_TEST(shows_what_lies_in_a_time_of_one_or_all)
{
	struct route r[3];
	CLEANUP(store_closep) struct store *s = given_routes(r);

	grow(s, &r[0], NOON - 40 * DAY, 1);
	grow(s, &r[2], NOON - 2 * DAY, 2);
	thin(s, NOON);
	grow(s, &r[2], NOON, 4);
	grow(s, &r[1], NOON, 8);
	grow(s, &r[0], NOON + 60, 16);
	expect_rows(s, "86400 -58320 a 1\n3600 -2880 b 2\n60 0 a 8\n60 0 b 4\n60 1 a 16\n");
	expect(s, store_each_traffic, "b", INT64_MIN, INT64_MAX, "3600 -2880 b 2\n60 0 b 4\n");
	expect(s, store_each_traffic, "c", INT64_MIN, INT64_MAX, "");
	expect(s, store_each_traffic, NULL, NOON - 2 * DAY + 3599, NOON, "3600 -2880 b 2\n");
	expect(s, store_each_traffic, NULL, NOON - 2 * DAY + 3600, NOON + 1, "60 0 a 8\n60 0 b 4\n");
	expect(s, store_each_traffic, NULL, NOON + 60, INT64_MAX, "60 1 a 16\n");
	expect(s, store_each_traffic_sum, NULL, INT64_MIN, INT64_MAX, "0 -58320 a 25\n0 -2880 b 6\n");
	expect(s, store_each_traffic_sum, "a", NOON, INT64_MAX, "0 0 a 24\n");
	expect(s, store_each_traffic_sum, NULL, NOON + 3600, INT64_MAX, "");
}
END_TEST

static int fail_at_second(struct err *e, void *n, const struct traffic *t)
{
	(void)t;
	return ++*(int *)n == 2 ? err_set(e, ENOSPC, "full") : 0;
}

START_TEST(ends_with_what_the_caller_fails_with)
{
	struct route r[3];
	CLEANUP(store_closep) struct store *s = given_routes(r);
	struct err e;
	int n = 0;

	for (size_t i = 0; i < 3; i++)
		grow(s, &r[i], NOON + 60 * (int64_t)i, 1);
	ck_assert_int_eq(store_each_traffic(&e, s, NULL, 0, INT64_MAX, fail_at_second, &n), -ENOSPC);
	ck_assert_int_eq(n, 2);
}
END_TEST

/* --- At random ------------------------------------------------------------------ */

#define N_ROUTES 6
#define N_CONTAINERS 3

/* What should be there. */
struct truth {
	struct store *s;
	struct route routes[N_ROUTES];
	struct counters sums[N_CONTAINERS];
	int64_t now;
	uint64_t seed;
};

static const char *const names[N_CONTAINERS] = { "a", "b", "c" };

static struct counters random_growth(uint64_t *seed)
{
	return (struct counters){ given_below(seed, 3), given_below(seed, 100), given_below(seed, 100),
				  given_below(seed, 100000), given_below(seed, 2) };
}

static void add_route(struct truth *t, size_t i)
{
	t->routes[i] = given_route(names[i % N_CONTAINERS], (uint16_t)(i + 1), VIP);
	t->routes[i].public.port = (uint16_t)(i + 1);
	t->routes[i].id = state_add(t->s, &t->routes[i]);
}

static void change_route(struct truth *t, size_t i)
{
	struct counters growth = random_growth(&t->seed);
	struct route *r = &t->routes[i];
	struct account a = r->account;
	struct err e = { 0 };

	counters_add(&a.last, &growth);
	counters_add(&t->sums[i % N_CONTAINERS], &growth);
	if (given_below(&t->seed, 4) == 0)
		account_end_epoch(&a);
	if (given_below(&t->seed, 2))
		ck_assert_msg(store_set_account(&e, t->s, r, &a) == 0, "%s", e.msg);
	r->account = a;
	ck_assert_msg(store_set_route(&e, t->s, r) == 0, "%s", e.msg);
	if (given_below(&t->seed, 8) > 0)
		return;
	ck_assert_int_eq(store_close_route(&e, t->s, r->id, t->now), 0);
	add_route(t, i);
}

/* Seconds, days, and now and then a clock that is set back. */
static void pass_time(struct truth *t)
{
	static const int64_t most[] = { 30, 120, 7200, 3 * DAY, 40 * DAY };

	t->now += given_below(&t->seed, (uint32_t)most[given_below(&t->seed, ARRAY_LEN(most))]);
	if (given_below(&t->seed, 16) == 0)
		t->now -= given_below(&t->seed, 50 * DAY);
	store_set_time(t->s, t->now);
	if (given_below(&t->seed, 4) == 0)
		thin(t->s, t->now);
}

struct seen {
	struct counters sums[N_CONTAINERS];
	struct traffic last;
};

static int see_row(struct err *e, void *ctx, const struct traffic *t)
{
	struct seen *seen = ctx;
	int order = strcmp(seen->last.container, t->container);

	(void)e;
	ck_assert(t->span == 60 || t->span == 3600 || t->span == DAY);
	ck_assert_int_eq(t->at % t->span, 0);
	ck_assert(seen->last.at < t->at || (seen->last.at == t->at && (order < 0 || (order == 0 && seen->last.span != t->span))));
	seen->last = *t;
	counters_add(&seen->sums[t->container[0] - 'a'], &t->sum);
	return 0;
}

static int see_sum(struct err *e, void *ctx, const struct traffic *t)
{
	struct counters *sums = ctx;

	(void)e;
	sums[t->container[0] - 'a'] = t->sum;
	return 0;
}

static void expect_truth(const struct truth *t)
{
	struct counters sums[N_CONTAINERS] = { 0 };
	struct seen seen = { 0 };
	struct err e;

	ck_assert_int_eq(store_each_traffic(&e, t->s, NULL, INT64_MIN, INT64_MAX, see_row, &seen), 0);
	ck_assert_int_eq(store_each_traffic_sum(&e, t->s, NULL, INT64_MIN, INT64_MAX, see_sum, sums), 0);
	for (size_t i = 0; i < N_CONTAINERS; i++)
		ck_assert_msg(counters_equal(&seen.sums[i], &t->sums[i]) && counters_equal(&sums[i], &t->sums[i]),
			      "container %s", names[i]);
}

START_TEST(the_rows_always_sum_up_to_what_the_accounts_grew_by)
{
	struct state state;

	given_state(&state);
	for (int run = 0; run < 20; run++) {
		struct truth t = { .seed = (uint64_t)run, .now = NOON };

		unlink(state.path);
		t.s = state_open(&state, STORE_WRITE);
		for (size_t i = 0; i < N_ROUTES; i++)
			add_route(&t, i);
		for (int step = 0; step < 100; step++) {
			pass_time(&t);
			change_route(&t, given_below(&t.seed, N_ROUTES));
			if (step % 10 == 9)
				expect_truth(&t);
		}
		thin(t.s, t.now + 1000 * DAY);
		expect_truth(&t);
		store_close(t.s);
	}
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 60);
	tcase_add_unchecked_fixture(tc, state_make_root, state_remove_root);
	tcase_add_test(tc, what_an_account_grows_by_is_traffic_of_that_minute);
	tcase_add_test(tc, so_is_what_is_stored_with_a_route_and_nothing_twice_when_it_ends);
	tcase_add_test(tc, an_account_that_would_shrink_is_refused);
	tcase_add_test(tc, more_than_the_file_can_hold_is_refused_and_leaves_what_is_there);
	tcase_add_test(tc, a_rollback_takes_the_traffic_back_too);
	tcase_add_test(tc, minutes_become_hours_after_a_day_and_days_after_a_month);
	tcase_add_test(tc, shows_what_lies_in_a_time_of_one_or_all);
	tcase_add_test(tc, ends_with_what_the_caller_fails_with);
	tcase_add_test(tc, the_rows_always_sum_up_to_what_the_accounts_grew_by);
}

int main(void)
{
	return unit_main("store_traffic", add);
}
