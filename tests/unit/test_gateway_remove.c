/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Removing everything: in portions, with others at work between them. */
#include "leaving.h"

#include <sys/syscall.h>

#define PORTION 256 /* of gateway_remove.c */
#define N (2 * PORTION + 40)

static int remove_all(struct err *e, struct hub *h, size_t *n)
{
	const struct route_filter all = { .state = -1 };
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	int ret = gateway_remove(e, h->g, &all, &out);

	*n = out.n;
	return ret;
}

START_TEST(everything_is_removed_and_counted)
{
	struct counters sum;
	uint64_t entries;
	struct err e = { 0 };
	struct hub h;
	size_t n;

	hub_open(&h);
	ck_assert_int_eq(remove_all(&e, &h, &n), -ESRCH);
	ck_assert_msg(strstr(e.msg, "nothing to remove"), "%s", e.msg);
	given_many(&h, N);
	ck_assert_msg(remove_all(&e, &h, &n) == 0, "%s", e.msg);
	ck_assert_uint_eq(n, N);
	ck_assert_uint_eq(count_destinations(&h), 0);
	ck_assert_uint_eq(count_routes(&h, ROUTE_CLOSING), N);
	ck_assert(!is_held(&h));
	let_many_settle(&h);
	mend(&h.kernel);
	ck_assert_int_eq(finish(&e, &h), 0);
	ck_assert_uint_eq(h.kernel.services.n, 0);
	ck_assert_uint_gt(h.kernel.most_requests, 50); /* deleted in batches */
	ck_assert_int_eq(store_ledger_sum(&e, h.g->store, NULL, &sum, &entries), 0);
	ck_assert_uint_eq(entries, N);
	ck_assert_uint_eq(sum.inbytes, (uint64_t)N * (N + 1) / 2);
	hub_close(&h);
}
END_TEST

START_TEST(a_small_command_does_not_finish_a_large_one)
{
	struct err e = { 0 };
	struct hub h;
	size_t n;

	hub_open(&h);
	given_many(&h, N);
	ck_assert_int_eq(remove_all(&e, &h, &n), 0);
	let_many_settle(&h);
	mend(&h.kernel);
	must_come_next(&h);
	ck_assert_uint_eq(count_routes(&h, -1), N - GATEWAY_FINISH_SOME);
	ck_assert_uint_le(h.kernel.n_requests, 3 * GATEWAY_FINISH_SOME);
	hub_close(&h);
}
END_TEST

START_TEST(settling_waits_for_these_routes_only)
{
	const int64_t ids[] = { 3, 1 };
	struct err e = { 0 };
	struct hub h;
	size_t n;

	hub_open(&h);
	given_many(&h, 3);
	ck_assert_int_eq(remove_all(&e, &h, &n), 0);
	let_time_pass(&h, GATEWAY_SETTLE_MS - 500);
	given_port(&h, "later", IPPROTO_TCP, TWO, NULL);
	ck_assert_int_eq(remove_all(&e, &h, &n), 0);
	ck_assert_msg(gateway_settle(&e, h.g, ids, 2) == 0, "%s", e.msg);
	ck_assert_uint_eq(count_routes(&h, ROUTE_CLOSING), 1);
	ck_assert_int_eq(gateway_settle(&e, h.g, NULL, 0), 0);
	hub_close(&h);
}
END_TEST

struct others {
	struct hub *h;
	size_t calls;
	bool is_held;
};

/* Between two portions: one route goes, one is added. */
static void meddle(void *ctx, size_t done, size_t total)
{
	struct others *o = ctx;
	const struct route_filter last = { .container = "c0400", .state = -1 };
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	struct err e = { 0 };

	o->is_held = o->is_held || is_held(o->h);
	if (o->calls++ > 0)
		return;
	ck_assert_uint_eq(done, PORTION);
	ck_assert_uint_eq(total, N);
	ck_assert_uint_eq(count_routes(o->h, ROUTE_CLOSING), PORTION);
	o->h->g->progress = NULL;
	ck_assert_msg(gateway_remove(&e, o->h->g, &last, &out) == 0, "%s", e.msg);
	given_port(o->h, "c0450", IPPROTO_UDP, TWO, NULL);
	o->h->g->progress = meddle;
}

START_TEST(others_may_work_between_the_portions)
{
	struct err e = { 0 };
	struct hub h;
	struct others o = { .h = &h };
	size_t n;

	hub_open(&h);
	given_many(&h, N);
	h.g->progress = meddle;
	h.g->progress_ctx = &o;
	ck_assert_msg(remove_all(&e, &h, &n) == 0, "%s", e.msg);
	ck_assert_uint_eq(n, N - 1);
	ck_assert_uint_eq(o.calls, 3);
	ck_assert(!o.is_held);
	ck_assert_uint_eq(count_routes(&h, ROUTE_CLOSING), N);
	ck_assert_uint_eq(count_routes(&h, ROUTE_OPEN), 1); /* came later */
	check_servers(&h, "10.0.0.11:1");
	check_settled(&h);
	hub_close(&h);
}
END_TEST

static void refuse_from_now(void *ctx, size_t done, size_t total)
{
	struct fake_kernel *k = ctx;

	(void)done;
	(void)total;
	k->refuse = ENOMEM;
}

START_TEST(a_portion_that_the_kernel_refuses_stays_open_with_what_follows)
{
	struct counters sum;
	uint64_t finished;
	struct err e = { 0 };
	struct hub h;
	size_t n;

	hub_open(&h);
	given_many(&h, N);
	h.g->progress = refuse_from_now;
	h.g->progress_ctx = &h.kernel;
	ck_assert_int_eq(remove_all(&e, &h, &n), -ENOMEM);
	ck_assert_msg(strstr(e.msg, "256 routes were removed before"), "%s", e.msg);
	ck_assert_uint_eq(n, 0);
	mend(&h.kernel);
	h.g->progress = NULL;
	ck_assert_uint_eq(count_routes(&h, ROUTE_CLOSING), PORTION);
	ck_assert_uint_eq(count_destinations(&h), N - PORTION);
	check_settled(&h);
	ck_assert_int_eq(remove_all(&e, &h, &n), 0);
	ck_assert_int_eq(store_ledger_sum(&e, h.g->store, NULL, &sum, &finished), 0); /* on a slow machine, some are */
	ck_assert_uint_eq(n + finished, N);
	hub_close(&h);
}
END_TEST

static bool is_full; /* the disk */

/* In the place of the C library's, for SQLite. */
ssize_t pwrite64(int fd, const void *buf, size_t count, off_t offset)
{
	if (!is_full)
		return syscall(SYS_pwrite64, fd, buf, count, offset);
	errno = ENOSPC;
	return -1;
}

/* The disk is full from this answer on, which is late. */
static int be_slow_and_fill_the_disk(unsigned char *bytes, int len, void *ctx)
{
	is_full = true;
	return hub_be_slow(bytes, len, ctx);
}

static void mend_disk(struct hub *h)
{
	h->kernel.spoil = NULL;
	is_full = false;
}

/* A hub whose next removal meets a full disk when the kernel answers for the last time. */
static void given_full_disk(struct hub *h, struct boottime *stopped)
{
	struct err e = { 0 };

	hub_open(h);
	must_add_two(h);
	mend(&h->kernel);
	ck_assert_msg(remove_web(&e, h) == 0, "%s", e.msg);
	ck_assert_ptr_null(gateway_undone(h->g));
	h->kernel.spoil_at = h->kernel.n_received - 1;
	h->kernel.refuse_at = h->kernel.n_requests;
	must_add_two(h);
	h->kernel.n_requests = h->kernel.n_received = 0;
	h->kernel.spoil = be_slow_and_fill_the_disk;
	h->kernel.spoil_ctx = stopped;
}

START_TEST(a_removal_that_cannot_write_how_late_the_kernel_was_is_done)
{
	struct boottime stopped = { 0 };
	struct err e = { 0 };
	struct hub h;

	given_full_disk(&h, &stopped);
	ck_assert_msg(remove_web(&e, &h) == 0, "%s", e.msg);
	mend_disk(&h);
	ck_assert_int_gt(stopped.ms, 0);
	ck_assert_ptr_nonnull(gateway_undone(h.g));
	ck_assert_msg(strstr(gateway_undone(h.g), "may lack"), "%s", gateway_undone(h.g));
	ck_assert_uint_eq(count_routes(&h, ROUTE_CLOSING), 2);
	ck_assert_uint_eq(count_destinations(&h), 0);
	check_in_sync(&h);
	hub_close(&h);
}
END_TEST

START_TEST(a_removal_that_cannot_be_taken_back_says_so)
{
	CLEANUP(sync_result_clear) struct sync_result found = { 0 };
	struct boottime stopped = { 0 };
	struct err e = { 0 };
	struct hub h;

	given_full_disk(&h, &stopped);
	h.kernel.refuse = ENOMEM;
	ck_assert_int_eq(remove_web(&e, &h), -ENOMEM);
	mend_disk(&h);
	ck_assert_int_gt(stopped.ms, 0);
	ck_assert_msg(strstr(e.msg, "could not be taken back"), "%s", e.msg);
	mend(&h.kernel);
	ck_assert_msg(gateway_sync(&e, h.g, false, &found) >= 0, "%s", e.msg);
	check_in_sync(&h);
	hub_close(&h);
}
END_TEST

START_TEST(what_a_full_disk_did_not_take_need_not_be_taken_back)
{
	const struct route_filter f = { .container = "web", .cport = 80, .protocol = IPPROTO_TCP, .state = -1 };
	const struct endpoint one = given_endpoint(ONE);
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	CLEANUP_FREE char *before = NULL;
	CLEANUP_FREE char *after = NULL;
	struct err e = { 0 };
	struct hub h;

	hub_open(&h);
	given_port(&h, "web", IPPROTO_TCP, ONE, TWO);
	before = hub_picture(&h);
	is_full = true;
	ck_assert_int_lt(gateway_remove_server(&e, h.g, &f, &one, &out), 0);
	mend_disk(&h);
	ck_assert_msg(strstr(e.msg, "write") && !strstr(e.msg, "taken back"), "%s", e.msg);
	after = hub_picture(&h);
	ck_assert_str_eq(before, after);
	hub_close(&h);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, everything_is_removed_and_counted);
	tcase_add_test(tc, a_small_command_does_not_finish_a_large_one);
	tcase_add_test(tc, settling_waits_for_these_routes_only);
	tcase_add_test(tc, others_may_work_between_the_portions);
	tcase_add_test(tc, a_portion_that_the_kernel_refuses_stays_open_with_what_follows);
	tcase_add_test(tc, a_removal_that_cannot_write_how_late_the_kernel_was_is_done);
	tcase_add_test(tc, a_removal_that_cannot_be_taken_back_says_so);
	tcase_add_test(tc, what_a_full_disk_did_not_take_need_not_be_taken_back);
}

int main(void)
{
	return unit_main("gateway_remove", add_tests);
}
