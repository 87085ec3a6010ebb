/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the kernel lost with a service is noted, once, whoever finds it out, with
 * the time in which it can have passed; and nothing else is.
 */
#include "synced.h"

#define TCP80 IPPROTO_TCP, "127.0.0.1:33000"
#define NOON INT64_C(1000000)

/* As "PORT WHY SINCE-UNTIL\n", the times from noon on; "opened" is when the routes were. */
static void expect_uncertain(struct hub *h, const char *want)
{
	CLEANUP(uncertain_list_clear) struct uncertain_list list = { 0 };
	struct unit_out o = { 0 };
	FILE *out = unit_open(&o);
	struct err e;

	ck_assert_int_eq(store_uncertain(&e, h->g->store, "web", INT64_MIN, &list), 0);
	for (size_t i = 0; i < list.n; i++) {
		const struct uncertain *u = &list.items[i];

		fprintf(out, "%u %s ", (unsigned)u->cport, uncertain_why_name(u->why));
		if (u->since == 1000)
			fprintf(out, "opened-%d\n", (int)(u->until - NOON));
		else
			fprintf(out, "%d-%d\n", (int)(u->since - NOON), (int)(u->until - NOON));
	}
	fclose(out);
	ck_assert_str_eq(o.text, want);
	free(o.text);
}

static void checkpoint(struct hub *h, int64_t at, int n)
{
	struct err e = { 0 };

	store_set_time(h->g->store, NOON + at);
	ck_assert_msg(gateway_checkpoint(&e, h->g) == n, "%s", e.msg);
}

static void sync_at(struct hub *h, int64_t at)
{
	store_set_time(h->g->store, NOON + at);
	must_sync(h);
	check_in_sync(h);
}

/* As if the routes had been counted in another boot. */
static void reboot(struct hub *h)
{
	const struct route_filter all = { .state = -1 };
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	struct err e;

	service_list_clear(&h->kernel.services);
	ck_assert_int_eq(store_routes(&e, h->g->store, &all, &routes), 0);
	for (size_t i = 0; i < routes.n; i++) {
		if (routes.items[i].account.boot[0])
			strcpy(routes.items[i].account.boot, "before");
		if (routes.items[i].state == ROUTE_CLOSING)
			strcpy(routes.items[i].closing.boot_id, "before");
		ck_assert_int_eq(store_set_route(&e, h->g->store, &routes.items[i]), 0);
	}
}

static int add_web(struct err *e, struct hub *h)
{
	struct port_spec port = { 80, IPPROTO_TCP, given_endpoint("10.0.0.11:80"), true };
	const struct add_request rq = { .container = "web", .ports = &port, .n_ports = 1, .weight = -1,
					.persistence = -1 };
	CLEANUP(route_list_clear) struct route_list out = { 0 };

	return gateway_add(e, h->g, &rq, &out);
}

START_TEST(a_service_that_vanished_is_noted_once_by_the_checkpoint)
{
	struct hub h;

	hub_open_synced(&h);
	checkpoint(&h, 0, 2);
	expect_uncertain(&h, "");
	hub_lose_service(&h, TCP80);
	checkpoint(&h, 60, 1);
	checkpoint(&h, 120, 1);
	expect_uncertain(&h, "80 removed -3-60\n");
	sync_at(&h, 150); /* makes it */
	checkpoint(&h, 180, 2);
	expect_uncertain(&h, "80 removed -3-60\n");
	hub_lose_service(&h, TCP80);
	checkpoint(&h, 240, 1);
	expect_uncertain(&h, "80 removed -3-60\n80 removed 177-240\n");
	hub_close(&h);
}
END_TEST

START_TEST(so_is_one_that_a_sync_finds_missing)
{
	struct hub h;

	hub_open_synced(&h);
	hub_lose_service(&h, TCP80);
	sync_at(&h, 10);
	sync_at(&h, 20);
	checkpoint(&h, 30, 2);
	expect_uncertain(&h, "80 removed opened-10\n");
	hub_close(&h);
}
END_TEST

START_TEST(what_is_lost_while_the_clock_is_set_back_lies_between_its_times)
{
	struct hub h;

	hub_open_synced(&h);
	transfer(&h, 100);
	checkpoint(&h, 3600, 2);
	hub_lose_service(&h, TCP80);
	checkpoint(&h, 30, 1);
	expect_uncertain(&h, "80 removed 27-3600\n");
	hub_close(&h);
}
END_TEST

START_TEST(so_is_one_whose_counters_went_back)
{
	struct hub h;

	hub_open_synced(&h);
	transfer(&h, 100);
	checkpoint(&h, 0, 2);
	synced_service(&h, TCP80)->counters.inbytes = 5;
	checkpoint(&h, 60, 2);
	checkpoint(&h, 120, 2);
	expect_uncertain(&h, "80 reset -3-60\n");
	synced_service(&h, TCP80)->counters.inbytes = 4;
	sync_at(&h, 130);
	checkpoint(&h, 180, 2);
	expect_uncertain(&h, "80 reset -3-60\n80 reset 117-130\n");
	ck_assert_uint_eq(all_bytes(&h, "web"), 100 + 100 + 5 + 4);
	hub_close(&h);
}
END_TEST

START_TEST(a_reboot_is_noted_once_for_every_route)
{
	struct hub h;

	hub_open_synced(&h);
	transfer(&h, 100);
	checkpoint(&h, 0, 2);
	transfer(&h, 77);
	reboot(&h);
	sync_at(&h, 60);
	transfer(&h, 500); /* more than before */
	checkpoint(&h, 120, 2);
	checkpoint(&h, 180, 2);
	expect_uncertain(&h, "80 reboot -3-60\n53 reboot -3-60\n");
	ck_assert_uint_eq(all_bytes(&h, "web"), 2 * 600);
	hub_close(&h);
}
END_TEST

START_TEST(so_it_is_when_others_make_the_services_and_they_count_further_than_before)
{
	for (int by_sync = 0; by_sync < 2; by_sync++) {
		CLEANUP(reading_list_clear) struct reading_list readings = { 0 };
		struct err e;
		struct hub h;

		hub_open_synced(&h);
		transfer(&h, 100);
		checkpoint(&h, 0, 2);
		reboot(&h);
		hub_add_service(&h, TCP80);
		transfer(&h, 500);
		ck_assert_int_eq(gateway_read(&e, h.g, NULL, &readings), 0);
		ck_assert_uint_eq(readings.items[1].total.inbytes, 600);
		ck_assert_uint_eq(readings.items[1].recent.inbytes, 500);
		if (by_sync)
			sync_at(&h, 30);
		else
			checkpoint(&h, 30, 1);
		sync_at(&h, 60);
		expect_uncertain(&h, "80 reboot -3-30\n53 reboot -3-30\n");
		ck_assert_uint_eq(all_bytes(&h, "web"), 100 + 600);
		hub_close(&h);
	}
}
END_TEST

START_TEST(an_addition_or_an_edit_that_finds_a_service_missing_notes_it)
{
	const struct edit_request edit = { .container = "web", .weight = 7, .persistence = -1 };

	for (int by_edit = 0; by_edit < 2; by_edit++) {
		CLEANUP(route_list_clear) struct route_list out = { 0 };
		CLEANUP(route_clear) struct route r = given_route("web", 80, "127.0.0.1:33000");
		struct err e = { 0 };
		struct hub h;

		hub_open(&h);
		given_server(&r, "10.0.0.11:80", 100);
		hub_store(&h, &r);
		must_sync(&h);
		hub_lose_service(&h, TCP80);
		store_set_time(h.g->store, NOON + 10);
		ck_assert_msg((by_edit ? gateway_edit(&e, h.g, &edit, &out) : add_web(&e, &h)) == 0, "%s", e.msg);
		checkpoint(&h, 60, 1);
		expect_uncertain(&h, "80 removed opened-10\n");
		hub_close(&h);
	}
}
END_TEST

START_TEST(one_that_the_kernel_refuses_to_make_again_is_noted_once)
{
	struct err e;
	struct hub h;

	hub_open_synced(&h);
	checkpoint(&h, 0, 2);
	hub_lose_service(&h, TCP80);
	store_set_time(h.g->store, NOON + 10);
	for (size_t at = 1; at <= 6; at++) {
		CLEANUP(sync_result_clear) struct sync_result found = { 0 };

		mend(&h.kernel);
		h.kernel.refuse = ENOMEM;
		h.kernel.refuse_at = at;
		(void)!gateway_sync(&e, h.g, false, &found);
	}
	mend(&h.kernel);
	sync_at(&h, 10);
	expect_uncertain(&h, "80 removed -3-10\n");
	hub_close(&h);
}
END_TEST

START_TEST(a_removal_notes_nothing_wherever_it_is_interrupted)
{
	for (size_t at = 1; at <= 8; at++) {
		struct err e = { 0 };
		uint64_t entries;
		struct hub h;

		hub_open_synced(&h);
		transfer(&h, 1000);
		checkpoint(&h, 0, 2);
		ck_assert_int_eq(remove_web(&e, &h), 0);
		checkpoint(&h, 1, 2);
		transfer(&h, 234);
		let_settle(&h);
		mend(&h.kernel);
		h.kernel.refuse = ENOMEM;
		h.kernel.refuse_at = at;
		(void)!finish(&e, &h);
		mend(&h.kernel);
		checkpoint(&h, 60, 0);
		ck_assert_uint_eq(ledger_bytes(&h, &entries), 2 * 1234);
		ck_assert_uint_eq(entries, 2);
		expect_uncertain(&h, "");
		hub_close(&h);
	}
}
END_TEST

/* The last count is stored and the service deleted; killed before the ledger is written. */
static void delete_counted(struct hub *h)
{
	struct err e;

	let_settle(h);
	mend(&h->kernel);
	h->kernel.refuse = ENOMEM;
	h->kernel.refuse_at = 2 * h->kernel.services.n + 1; /* they and their real servers are shown */
	ck_assert_int_eq(finish(&e, h), -ENOMEM);
	mend(&h->kernel);
	ck_assert_uint_eq(h->kernel.services.n, 1); /* of two, one is deleted */
}

START_TEST(a_service_that_a_killed_removal_has_counted_and_deleted_is_not_missed)
{
	for (int with_reboot = 0; with_reboot < 2; with_reboot++) {
		uint64_t entries;
		struct err e;
		struct hub h;

		hub_open_synced(&h);
		transfer(&h, 1000);
		ck_assert_int_eq(remove_web(&e, &h), 0);
		delete_counted(&h);
		if (with_reboot)
			reboot(&h);
		checkpoint(&h, 60, 0);
		ck_assert_uint_eq(ledger_bytes(&h, &entries), 2 * 1000);
		ck_assert_uint_eq(entries, 2);
		expect_uncertain(&h, "");
		hub_close(&h);
	}
}
END_TEST

START_TEST(closing_a_route_whose_service_is_missing_notes_it)
{
	uint64_t entries;
	struct err e;
	struct hub h;

	hub_open_synced(&h);
	transfer(&h, 100);
	checkpoint(&h, 0, 2);
	hub_lose_service(&h, TCP80);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	let_settle(&h);
	store_set_time(h.g->store, NOON + 10);
	ck_assert_int_eq(finish(&e, &h), 0);
	ck_assert_uint_eq(ledger_bytes(&h, &entries), 200);
	expect_uncertain(&h, "80 removed -3-10\n");
	hub_close(&h);
}
END_TEST

START_TEST(so_does_a_reboot_while_a_route_closes)
{
	uint64_t entries;
	struct err e;
	struct hub h;

	hub_open_synced(&h);
	transfer(&h, 100);
	checkpoint(&h, 0, 2);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	reboot(&h);
	hub_add_service(&h, TCP80); /* somebody else's */
	transfer(&h, 999);
	checkpoint(&h, 10, 0);
	ck_assert_uint_eq(ledger_bytes(&h, &entries), 200);
	expect_uncertain(&h, "80 reboot -3-10\n53 reboot -3-10\n");
	hub_close(&h);
}
END_TEST

START_TEST(a_route_that_moves_without_its_service_leaves_a_note)
{
	const struct worker private = given_worker("w", NULL), public = given_worker("w", "203.0.113.7");
	struct route r = given_route("web", 80, "127.0.0.1:33000");
	struct hub h;

	hub_open(&h);
	synced_set_worker(&h, &private);
	strcpy(r.worker, "w");
	given_server(&r, "10.0.0.11:80", 100);
	hub_store(&h, &r);
	must_sync(&h);
	checkpoint(&h, 0, 1);
	hub_lose_service(&h, TCP80);
	ck_assert_uint_eq(synced_set_worker(&h, &public), 1);
	must_sync(&h);
	let_settle(&h);
	checkpoint(&h, 60, 0);
	checkpoint(&h, 120, 0);
	expect_uncertain(&h, "80 removed -3-60\n");
	hub_close(&h);
}
END_TEST

START_TEST(what_cannot_pass_anything_is_certain)
{
	struct route direct = given_route("web", 80, "203.0.113.7:80"), empty = given_route("web", 81, "127.0.0.1:33002");
	struct hub h;

	hub_open(&h);
	direct.kind = ROUTE_DIRECT;
	given_server(&direct, "203.0.113.7:80", 100);
	hub_store(&h, &direct);
	hub_store(&h, &empty);
	must_sync(&h);
	checkpoint(&h, 0, 1);
	service_list_clear(&h.kernel.services);
	checkpoint(&h, 60, 0);
	reboot(&h);
	sync_at(&h, 90);
	expect_uncertain(&h, "");
	hub_close(&h);
}
END_TEST

START_TEST(readings_are_recent_until_a_checkpoint_has_them_in_the_file)
{
	static const uint64_t recent[] = { 70, 0 };
	struct hub h;

	hub_open_synced(&h);
	transfer(&h, 100);
	checkpoint(&h, 0, 2);
	transfer(&h, 70);
	for (size_t i = 0; i < 2; i++) {
		CLEANUP(reading_list_clear) struct reading_list readings = { 0 };
		struct err e;

		ck_assert_int_eq(gateway_read(&e, h.g, NULL, &readings), 0);
		ck_assert_uint_eq(readings.items[0].recent.inbytes, recent[i]);
		ck_assert_uint_eq(readings.items[0].total.inbytes, 170);
		checkpoint(&h, 60, 2);
	}
	hub_close(&h);
}
END_TEST

static int add_up(struct err *e, void *ctx, const struct traffic *t)
{
	(void)e;
	*(uint64_t *)ctx += t->sum.inbytes;
	return 0;
}

START_TEST(a_checkpoint_keeps_history_and_its_time)
{
	uint64_t first = 0, all = 0;
	struct hub h;
	int64_t at = 0;
	struct err e;

	hub_open_synced(&h);
	transfer(&h, 100);
	checkpoint(&h, 0, 2);
	transfer(&h, 70);
	checkpoint(&h, 86400 + 60, 2);
	ck_assert_int_eq(store_last_checkpoint(&e, h.g->store, &at), 1);
	ck_assert_int_eq(at, NOON + 86400 + 60);
	ck_assert_int_eq(store_each_traffic(&e, h.g->store, "web", 0, NOON + 3600, add_up, &first), 0);
	ck_assert_int_eq(store_each_traffic(&e, h.g->store, "web", 0, INT64_MAX, add_up, &all), 0);
	ck_assert_uint_eq(first, 200);
	ck_assert_uint_eq(all, 340);
	hub_close(&h);
}
END_TEST

START_TEST(an_unknown_switch_of_the_estimator_is_no_standstill)
{
	bool is_counting = false;
	struct err e;

	if (access("/proc/sys/net/ipv4/vs/run_estimation", F_OK) == 0)
		return;
	ck_assert_int_eq(gateway_is_counting(&e, &is_counting), 0);
	ck_assert(is_counting);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, a_service_that_vanished_is_noted_once_by_the_checkpoint);
	tcase_add_test(tc, so_is_one_that_a_sync_finds_missing);
	tcase_add_test(tc, what_is_lost_while_the_clock_is_set_back_lies_between_its_times);
	tcase_add_test(tc, so_is_one_whose_counters_went_back);
	tcase_add_test(tc, a_reboot_is_noted_once_for_every_route);
	tcase_add_test(tc, so_it_is_when_others_make_the_services_and_they_count_further_than_before);
	tcase_add_test(tc, an_addition_or_an_edit_that_finds_a_service_missing_notes_it);
	tcase_add_test(tc, one_that_the_kernel_refuses_to_make_again_is_noted_once);
	tcase_add_test(tc, a_removal_notes_nothing_wherever_it_is_interrupted);
	tcase_add_test(tc, a_service_that_a_killed_removal_has_counted_and_deleted_is_not_missed);
	tcase_add_test(tc, closing_a_route_whose_service_is_missing_notes_it);
	tcase_add_test(tc, so_does_a_reboot_while_a_route_closes);
	tcase_add_test(tc, a_route_that_moves_without_its_service_leaves_a_note);
	tcase_add_test(tc, what_cannot_pass_anything_is_certain);
	tcase_add_test(tc, readings_are_recent_until_a_checkpoint_has_them_in_the_file);
	tcase_add_test(tc, a_checkpoint_keeps_history_and_its_time);
	tcase_add_test(tc, an_unknown_switch_of_the_estimator_is_no_standstill);
}

int main(void)
{
	return unit_main("gateway_uncertain", add_tests);
}
