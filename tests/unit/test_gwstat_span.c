/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What came through in a span of time: spans that follow one another have all of
 * the account between them, whenever checkpoints come and whatever the clock does.
 */
#include "gwstat.h"
#include "synced.h"

#define NOON INT64_C(1200000) /* the first second of a minute */

static void checkpoint(struct hub *h, int64_t at)
{
	struct err e = { 0 };

	store_set_time(h->g->store, NOON + at);
	ck_assert_msg(gateway_checkpoint(&e, h->g) == 2, "%s", e.msg);
}

/* The bytes of a period, from noon on, as they are seen at this time; *covered, if not NULL: of which. */
static uint64_t bytes(struct hub *h, struct period p, int64_t now, struct period *covered)
{
	CLEANUP(span_clear) struct span s = { 0 };
	const struct cmd_line line = { 0 };
	struct err e = { 0 };

	p.since += NOON;
	if (p.until != INT64_MAX)
		p.until += NOON;
	ck_assert_msg(span_read(&e, h->g, &line, &p, NOON + now, &s) == 0, "%s", e.msg);
	if (covered)
		*covered = (struct period){ s.covered.since - NOON, s.covered.until - NOON };
	return s.total.inbytes;
}

static uint64_t all(struct hub *h, int64_t now)
{
	return bytes(h, (struct period){ -NOON, INT64_MAX }, now, NULL);
}

START_TEST(what_was_read_in_this_second_is_there)
{
	struct hub h;

	hub_open_synced(&h);
	transfer(&h, 100);
	for (int64_t at = 58; at <= 62; at++) {
		checkpoint(&h, at);
		ck_assert_uint_eq(all(&h, at), all_bytes(&h, "web"));
		transfer(&h, 10);
		ck_assert_uint_eq(all(&h, at), all_bytes(&h, "web"));
	}
	hub_close(&h);
}
END_TEST

START_TEST(so_is_what_was_read_before_the_clock_was_set_back)
{
	struct hub h;

	hub_open_synced(&h);
	transfer(&h, 100);
	checkpoint(&h, 3600);
	transfer(&h, 10);
	checkpoint(&h, 30);
	ck_assert_uint_eq(all(&h, 31), all_bytes(&h, "web"));
	ck_assert_uint_eq(bytes(&h, (struct period){ 0, INT64_MAX }, 31, NULL), all_bytes(&h, "web"));
	hub_close(&h);
}
END_TEST

START_TEST(spans_that_meet_share_nothing)
{
	uint64_t first, second;
	struct hub h;

	hub_open_synced(&h);
	transfer(&h, 100);
	checkpoint(&h, 0);
	transfer(&h, 10); /* not read yet when the first span ends */
	first = bytes(&h, (struct period){ -NOON, 60 }, 60, NULL);
	checkpoint(&h, 60);
	second = bytes(&h, (struct period){ 60, INT64_MAX }, 60, NULL);
	ck_assert_uint_eq(first, 200);
	ck_assert_uint_eq(second, 20);
	hub_close(&h);
}
END_TEST

/* What is recent may have come since the last checkpoint; all since then is shown. */
START_TEST(what_is_covered_has_all_that_came_then)
{
	struct period covered;
	struct hub h;
	struct err e;

	hub_open_synced(&h);
	transfer(&h, 100);
	checkpoint(&h, 30);
	store_set_time(h.g->store, NOON + 90);
	ck_assert_msg(remove_web(&e, &h) == 0, "%s", e.msg);
	let_settle(&h);
	transfer(&h, 10);
	ck_assert_uint_eq(bytes(&h, (struct period){ 180, INT64_MAX }, 200, &covered), all_bytes(&h, "web"));
	ck_assert_int_eq(covered.since, 0);
	ck_assert_int_eq(covered.until, 200);
	hub_close(&h);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, what_was_read_in_this_second_is_there);
	tcase_add_test(tc, so_is_what_was_read_before_the_clock_was_set_back);
	tcase_add_test(tc, spans_that_meet_share_nothing);
	tcase_add_test(tc, what_is_covered_has_all_that_came_then);
}

int main(void)
{
	return unit_main("gwstat_span", add);
}
