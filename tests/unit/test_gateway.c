/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The gateway over a real state file and a kernel that refuses, or falls
 * silent, at every request in turn: what fails leaves everything as it was,
 * and what was interrupted is healed by what comes next.
 */
#include "fake_kernel.h"
#include "gateway_internal.h"
#include "given.h"

#include <errno.h>
#include <linux/ip_vs.h>
#include <time.h>

/* A hub with an empty state file, whose VIP is this machine's loopback address. */
struct hub {
	char dir[32];
	struct config config;
	struct fake_kernel kernel;
	struct gateway *g;
};

static void hub_open(struct hub *h)
{
	struct ipvs_peer peer;
	struct err e;

	memset(h, 0, sizeof(*h));
	strcpy(h->dir, "/tmp/test_gateway.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(h->dir));
	config_default(&h->config);
	h->config.addresses[0] = given_addr("127.0.0.1");
	h->config.n_addresses = 1;
	snprintf(h->config.state, sizeof(h->config.state), "%s/gateway.db", h->dir);
	ck_assert_msg(gateway_open(&e, &h->config, STORE_WRITE, &h->g) == 0, "%s", e.msg);
	peer = fake_kernel_peer(&h->kernel);
	ck_assert_int_eq(ipvs_open_peer(&e, &peer, &h->g->kernel), 0);
	ck_assert_int_eq(routing_open_blind(&e, &h->g->routing), 0);
}

static void hub_close(struct hub *h)
{
	char path[64];

	gateway_close(h->g);
	fake_kernel_clear(&h->kernel);
	unlink(h->config.state);
	snprintf(path, sizeof(path), "%s/gateway.db-journal", h->dir);
	unlink(path);
	ck_assert_int_eq(rmdir(h->dir), 0);
}

/* The kernel works again, and numbers its requests from 1. */
static void mend(struct fake_kernel *k)
{
	k->refuse = k->recv_error = 0;
	k->refuse_at = k->recv_error_at = 0;
	k->n_requests = k->n_sent = k->n_received = 0;
}

static int add_two(struct err *e, struct hub *h, struct route_list *out)
{
	struct port_request ports[] = {
		{ 80, IPPROTO_TCP, given_endpoint("10.0.0.11:80") },
		{ 53, IPPROTO_UDP, given_endpoint("10.0.0.11:53") },
	};
	const struct add_request rq = {
		.container = "web", .ports = ports, .n_ports = 2, .weight = -1, .persistence = -1
	};

	return gateway_add(e, h->g, &rq, out);
}

static void must_add_two(struct hub *h)
{
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	struct err e;

	ck_assert_msg(add_two(&e, h, &out) == 0, "%s", e.msg);
	ck_assert_uint_eq(out.n, 2);
}

static int remove_web(struct err *e, struct hub *h)
{
	const struct route_filter f = { .container = "web", .state = -1 };
	CLEANUP(route_list_clear) struct route_list out = { 0 };

	return gateway_remove(e, h->g, &f, &out);
}

static size_t count_routes(struct hub *h, int state)
{
	const struct route_filter f = { .state = state };
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	struct err e;

	ck_assert_int_eq(store_routes(&e, h->g->store, &f, &routes), 0);
	return routes.n;
}

static size_t count_destinations(const struct hub *h)
{
	size_t n = 0;

	for (size_t i = 0; i < h->kernel.services.n; i++)
		n += h->kernel.services.items[i].n_destinations;
	return n;
}

static void check_published(struct hub *h)
{
	CLEANUP(change_list_clear) struct change_list changes = { 0 };
	CLEANUP(service_list_clear) struct service_list foreign = { 0 };
	struct err e;

	ck_assert_uint_eq(count_routes(h, ROUTE_OPEN), 2);
	ck_assert_uint_eq(count_routes(h, ROUTE_CLOSING), 0);
	ck_assert_uint_eq(h->kernel.services.n, 2);
	ck_assert_uint_eq(count_destinations(h), 2);
	ck_assert_int_eq(gateway_sync(&e, h->g, true, &changes, &foreign), 0);
	ck_assert_uint_eq(foreign.n, 0);
}

static void let_time_pass(struct hub *h, int64_t ms)
{
	const struct route_filter f = { .state = ROUTE_CLOSING };
	CLEANUP(route_list_clear) struct route_list closing = { 0 };
	struct err e;

	ck_assert_int_eq(store_routes(&e, h->g->store, &f, &closing), 0);
	for (size_t i = 0; i < closing.n; i++) {
		closing.items[i].closing.ms -= ms;
		ck_assert_int_eq(store_set_route(&e, h->g->store, &closing.items[i]), 0);
	}
}

/* As if the estimator's time had passed. */
static void let_settle(struct hub *h)
{
	let_time_pass(h, GATEWAY_SETTLE_MS);
}

static void let_nearly_settle(struct hub *h)
{
	let_time_pass(h, GATEWAY_SETTLE_MS - 150);
}

static int finish(struct err *e, struct hub *h)
{
	int ret;

	ck_assert_int_eq(store_lock(e, h->g->store), 0);
	ret = gateway_finish_due(e, h->g);
	store_unlock(h->g->store);
	return ret;
}

static void transfer(struct hub *h, uint64_t bytes)
{
	for (size_t i = 0; i < h->kernel.services.n; i++)
		h->kernel.services.items[i].counters.inbytes += bytes;
}

static uint64_t ledger_bytes(struct hub *h, uint64_t *entries)
{
	struct counters sum;
	struct err e;

	ck_assert_int_eq(store_ledger_sum(&e, h->g->store, "web", &sum, entries), 0);
	return sum.inbytes;
}

/* How many requests a call makes when nothing fails. */
static size_t requests_of_add(void)
{
	struct hub h;
	size_t n;

	hub_open(&h);
	must_add_two(&h);
	n = h.kernel.n_requests;
	hub_close(&h);
	return n;
}

START_TEST(an_add_that_the_kernel_refuses_leaves_nothing_behind)
{
	size_t n = requests_of_add();

	ck_assert_uint_ge(n, 6); /* is each port free, and a service and a real server for each */
	for (size_t at = 1; at <= n; at++) {
		CLEANUP(route_list_clear) struct route_list out = { 0 };
		struct err e = { 0 };
		struct hub h;

		hub_open(&h);
		h.kernel.refuse = ENOMEM;
		h.kernel.refuse_at = at;
		ck_assert_msg(add_two(&e, &h, &out) == -ENOMEM, "request %zu of %zu: %s", at, n, e.msg);
		ck_assert_uint_eq(out.n, 0);
		ck_assert_uint_eq(count_routes(&h, -1), 0);
		ck_assert_msg(h.kernel.services.n == 0, "request %zu: %zu services", at, h.kernel.services.n);
		mend(&h.kernel);
		must_add_two(&h);
		check_published(&h);
		hub_close(&h);
	}
}
END_TEST

START_TEST(an_add_that_hears_no_answer_is_healed_by_its_repetition)
{
	for (size_t at = 0; at < requests_of_add(); at++) {
		CLEANUP(route_list_clear) struct route_list out = { 0 };
		struct err e = { 0 };
		struct hub h;

		hub_open(&h);
		h.kernel.recv_error = ENOBUFS;
		h.kernel.recv_error_at = at;
		if (add_two(&e, &h, &out) == 0) { /* that many datagrams never came */
			hub_close(&h);
			continue;
		}
		mend(&h.kernel);
		route_list_clear(&out);
		must_add_two(&h);
		check_published(&h);
		hub_close(&h);
	}
}
END_TEST

START_TEST(an_add_repeated_changes_nothing_and_heals_what_is_missing)
{
	struct hub h;

	hub_open(&h);
	must_add_two(&h);
	must_add_two(&h);
	check_published(&h);
	service_list_clear(&h.kernel.services);
	must_add_two(&h);
	check_published(&h);
	hub_close(&h);
}
END_TEST

START_TEST(a_foreign_service_is_neither_taken_over_nor_touched)
{
	struct port_request port = { 80, IPPROTO_TCP, given_endpoint("10.0.0.11:80") };
	struct add_request rq = { .container = "web", .ports = &port, .n_ports = 1, .weight = -1,
				  .persistence = -1 };
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	struct service foreign = { .scheduler = "rr" };
	struct hub h;
	struct err e;

	hub_open(&h);
	/* The pool has two ports; the first is somebody's. */
	h.config.port_first = 40000;
	h.config.port_last = 40001;
	foreign.key = given_key(IPPROTO_TCP, "127.0.0.1:40000");
	ck_assert_int_eq(service_list_add(&e, &h.kernel.services, &foreign), 0);

	rq.vport = 40000;
	ck_assert_int_eq(gateway_add(&e, h.g, &rq, &out), -EEXIST);
	rq.vport = 0;
	ck_assert_msg(gateway_add(&e, h.g, &rq, &out) == 0, "%s", e.msg);
	ck_assert_uint_eq(out.items[0].public.port, 40001);
	port.cport = 81;
	ck_assert_int_eq(gateway_add(&e, h.g, &rq, &out), -EADDRNOTAVAIL);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	let_settle(&h);
	ck_assert_int_eq(finish(&e, &h), 0);
	ck_assert_uint_eq(h.kernel.services.n, 1);
	ck_assert_str_eq(h.kernel.services.items[0].scheduler, "rr");
	hub_close(&h);
}
END_TEST

START_TEST(a_removal_that_the_kernel_refuses_leaves_the_routes_open)
{
	for (size_t at = 1; at <= 6; at++) {
		struct err e = { 0 };
		struct hub h;

		hub_open(&h);
		must_add_two(&h);
		mend(&h.kernel);
		h.kernel.refuse = ENOMEM;
		h.kernel.refuse_at = at;
		ck_assert_msg(remove_web(&e, &h) == -ENOMEM, "request %zu: %s", at, e.msg);
		mend(&h.kernel);
		check_published(&h);
		hub_close(&h);
	}
}
END_TEST

START_TEST(closing_is_counted_once_whatever_the_kernel_refuses)
{
	for (size_t at = 1; at <= 6; at++) {
		struct err e = { 0 };
		uint64_t entries;
		struct hub h;

		hub_open(&h);
		must_add_two(&h);
		transfer(&h, 1000);
		ck_assert_int_eq(remove_web(&e, &h), 0);
		ck_assert_uint_eq(count_destinations(&h), 0);
		transfer(&h, 234); /* what the estimator had not read yet */
		let_settle(&h);
		mend(&h.kernel);
		h.kernel.refuse = ENOMEM;
		h.kernel.refuse_at = at;
		ck_assert_msg(finish(&e, &h) == -ENOMEM, "request %zu: %s", at, e.msg);
		mend(&h.kernel);
		ck_assert_int_eq(finish(&e, &h), 0);
		ck_assert_uint_eq(ledger_bytes(&h, &entries), 2 * 1234);
		ck_assert_uint_eq(entries, 2);
		ck_assert_uint_eq(count_routes(&h, -1), 0);
		ck_assert_uint_eq(h.kernel.services.n, 0);
		hub_close(&h);
	}
}
END_TEST

START_TEST(a_closing_route_is_not_counted_before_its_time)
{
	struct err e;
	uint64_t entries;
	struct hub h;

	hub_open(&h);
	must_add_two(&h);
	transfer(&h, 1000);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	ck_assert_int_eq(finish(&e, &h), 0);
	ck_assert_uint_eq(ledger_bytes(&h, &entries), 0);
	ck_assert_uint_eq(entries, 0);
	ck_assert_uint_eq(count_routes(&h, ROUTE_CLOSING), 2);
	hub_close(&h);
}
END_TEST

/* As if the removal had died before the kernel's change. */
static void leave_real_servers(struct hub *h)
{
	for (size_t i = 0; i < h->kernel.services.n; i++) {
		struct service *s = &h->kernel.services.items[i];

		ck_assert_int_eq(base_reserve((void **)&s->destinations, 0, sizeof(*s->destinations)), 0);
		s->destinations[s->n_destinations++] =
			(struct destination){ .real = given_endpoint("10.0.0.11:80"),
					      .method = IP_VS_CONN_F_MASQ };
	}
}

START_TEST(a_removal_repeated_removes_what_a_killed_one_left)
{
	struct err e;
	uint64_t entries;
	struct hub h;

	hub_open(&h);
	must_add_two(&h);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	leave_real_servers(&h);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	ck_assert_uint_eq(count_destinations(&h), 0);
	ck_assert_int_eq(finish(&e, &h), 0);
	ledger_bytes(&h, &entries);
	ck_assert_uint_eq(entries, 0);
	hub_close(&h);
}
END_TEST

START_TEST(a_sync_that_removes_what_a_killed_removal_left_makes_the_route_wait_anew)
{
	CLEANUP(change_list_clear) struct change_list changes = { 0 };
	CLEANUP(service_list_clear) struct service_list foreign = { 0 };
	struct err e;
	uint64_t entries;
	struct hub h;

	hub_open(&h);
	must_add_two(&h);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	leave_real_servers(&h);
	let_nearly_settle(&h);
	ck_assert_int_eq(gateway_sync(&e, h.g, false, &changes, &foreign), 2);
	ck_assert_uint_eq(count_destinations(&h), 0);
	nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL); /* past the first wait's end */
	ck_assert_int_eq(finish(&e, &h), 0);
	ledger_bytes(&h, &entries);
	ck_assert_uint_eq(entries, 0);
	hub_close(&h);
}
END_TEST

START_TEST(real_servers_that_a_killed_removal_left_are_removed_and_waited_for)
{
	struct err e;
	uint64_t entries;
	struct hub h;

	hub_open(&h);
	must_add_two(&h);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	leave_real_servers(&h);
	let_settle(&h);
	ck_assert_int_eq(finish(&e, &h), 0);
	ck_assert_uint_eq(count_destinations(&h), 0);
	ck_assert_uint_eq(count_routes(&h, ROUTE_CLOSING), 2);
	transfer(&h, 77);
	let_settle(&h);
	ck_assert_int_eq(finish(&e, &h), 0);
	ck_assert_uint_eq(ledger_bytes(&h, &entries), 2 * 77);
	hub_close(&h);
}
END_TEST

START_TEST(a_closing_route_of_another_boot_is_closed_without_touching_the_kernel)
{
	const struct route_filter closing = { .state = ROUTE_CLOSING };
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	struct err e;
	uint64_t entries;
	struct hub h;

	hub_open(&h);
	must_add_two(&h);
	transfer(&h, 500);
	ck_assert_int_eq(gateway_checkpoint(&e, h.g), 2);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	ck_assert_int_eq(store_routes(&e, h.g->store, &closing, &routes), 0);
	for (size_t i = 0; i < routes.n; i++) {
		strcpy(routes.items[i].closing.boot_id, "00000000-0000-0000-0000-000000000000");
		ck_assert_int_eq(store_set_route(&e, h.g->store, &routes.items[i]), 0);
	}
	transfer(&h, 999); /* somebody else's service by now */
	ck_assert_int_eq(finish(&e, &h), 0);
	ck_assert_uint_eq(ledger_bytes(&h, &entries), 2 * 500);
	ck_assert_uint_eq(h.kernel.services.n, 2);
	hub_close(&h);
}
END_TEST

START_TEST(an_add_soon_after_a_removal_opens_the_same_route_with_its_account)
{
	CLEANUP(route_list_clear) struct route_list before = { 0 }, after = { 0 };
	const struct route_filter all = { .state = -1 };
	CLEANUP(reading_list_clear) struct reading_list readings = { 0 };
	struct err e;
	struct hub h;

	hub_open(&h);
	ck_assert_int_eq(add_two(&e, &h, &before), 0);
	transfer(&h, 10);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	ck_assert_msg(add_two(&e, &h, &after) == 0, "%s", e.msg);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(after.items[i].id, before.items[i].id);
		ck_assert(endpoint_equal(&after.items[i].public, &before.items[i].public));
	}
	check_published(&h);
	ck_assert_int_eq(gateway_read(&e, h.g, &all, &readings), 0);
	ck_assert_uint_eq(readings.items[0].total.inbytes, 10);
	hub_close(&h);
}
END_TEST

START_TEST(a_service_that_the_kernel_lost_begins_a_new_epoch)
{
	CLEANUP(change_list_clear) struct change_list changes = { 0 };
	CLEANUP(service_list_clear) struct service_list foreign = { 0 };
	CLEANUP(reading_list_clear) struct reading_list readings = { 0 };
	const struct route_filter all = { .state = -1 };
	struct err e;
	struct hub h;

	hub_open(&h);
	must_add_two(&h);
	transfer(&h, 100);
	ck_assert_int_eq(gateway_checkpoint(&e, h.g), 2);
	service_list_clear(&h.kernel.services);
	ck_assert_int_eq(gateway_sync(&e, h.g, false, &changes, &foreign), 4);
	transfer(&h, 150); /* more than before: only the sync can have told that it is a new service */
	ck_assert_int_eq(gateway_checkpoint(&e, h.g), 2);
	ck_assert_int_eq(gateway_checkpoint(&e, h.g), 2);
	ck_assert_int_eq(gateway_read(&e, h.g, &all, &readings), 0);
	for (size_t i = 0; i < 2; i++)
		ck_assert_uint_eq(readings.items[i].total.inbytes, 250);
	hub_close(&h);
}
END_TEST

static int add_one(struct err *e, struct hub *h, const char *container, struct route_list *out)
{
	struct port_request port = { 80, IPPROTO_TCP, given_endpoint("10.0.0.11:80") };
	const struct add_request rq = { .container = container, .ports = &port, .n_ports = 1, .weight = -1,
					.persistence = -1 };

	return gateway_add(e, h->g, &rq, out);
}

START_TEST(a_released_port_is_kept_for_the_container_that_had_it)
{
	CLEANUP(route_list_clear) struct route_list first = { 0 }, out = { 0 };
	struct err e;
	struct hub h;

	hub_open(&h);
	h.config.port_first = 40010;
	h.config.port_last = 40011;
	ck_assert_int_eq(add_one(&e, &h, "web", &first), 0);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	let_settle(&h);
	ck_assert_int_eq(finish(&e, &h), 0);

	ck_assert_int_eq(add_one(&e, &h, "other", &out), 0);
	ck_assert_uint_ne(out.items[0].public.port, first.items[0].public.port);
	ck_assert_int_eq(add_one(&e, &h, "third", &out), -EADDRNOTAVAIL);
	ck_assert_int_eq(add_one(&e, &h, "web", &out), 0);
	ck_assert_uint_eq(out.items[1].public.port, first.items[0].public.port);
	hub_close(&h);
}
END_TEST

START_TEST(without_quarantine_a_released_port_is_free_at_once)
{
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	struct err e;
	struct hub h;

	hub_open(&h);
	h.config.port_first = h.config.port_last = 40012;
	h.config.quarantine = 0;
	ck_assert_int_eq(add_one(&e, &h, "web", &out), 0);
	ck_assert_int_eq(add_one(&e, &h, "other", &out), -EADDRNOTAVAIL);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	ck_assert_int_eq(add_one(&e, &h, "other", &out), -EADDRNOTAVAIL); /* it is closing still */
	let_settle(&h);
	ck_assert_int_eq(add_one(&e, &h, "other", &out), 0);
	hub_close(&h);
}
END_TEST

START_TEST(a_dry_run_says_what_a_sync_does_and_changes_nothing)
{
	CLEANUP(change_list_clear) struct change_list said = { 0 }, done = { 0 };
	CLEANUP(service_list_clear) struct service_list foreign = { 0 };
	struct err e;
	struct hub h;

	hub_open(&h);
	must_add_two(&h);
	service_list_clear(&h.kernel.services);
	ck_assert_int_eq(gateway_sync(&e, h.g, true, &said, &foreign), 4);
	ck_assert_uint_eq(h.kernel.services.n, 0);
	ck_assert_int_eq(gateway_sync(&e, h.g, false, &done, &foreign), 4);
	for (size_t i = 0; i < 4; i++) {
		char a[CHANGE_STRLEN], b[CHANGE_STRLEN];

		ck_assert_str_eq(change_format(&said.items[i], a), change_format(&done.items[i], b));
	}
	check_published(&h);
	hub_close(&h);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, a_released_port_is_kept_for_the_container_that_had_it);
	tcase_add_test(tc, without_quarantine_a_released_port_is_free_at_once);
	tcase_add_test(tc, a_dry_run_says_what_a_sync_does_and_changes_nothing);
	tcase_add_test(tc, an_add_that_the_kernel_refuses_leaves_nothing_behind);
	tcase_add_test(tc, an_add_that_hears_no_answer_is_healed_by_its_repetition);
	tcase_add_test(tc, an_add_repeated_changes_nothing_and_heals_what_is_missing);
	tcase_add_test(tc, a_foreign_service_is_neither_taken_over_nor_touched);
	tcase_add_test(tc, a_removal_that_the_kernel_refuses_leaves_the_routes_open);
	tcase_add_test(tc, closing_is_counted_once_whatever_the_kernel_refuses);
	tcase_add_test(tc, a_closing_route_is_not_counted_before_its_time);
	tcase_add_test(tc, a_removal_repeated_removes_what_a_killed_one_left);
	tcase_add_test(tc, a_sync_that_removes_what_a_killed_removal_left_makes_the_route_wait_anew);
	tcase_add_test(tc, real_servers_that_a_killed_removal_left_are_removed_and_waited_for);
	tcase_add_test(tc, a_closing_route_of_another_boot_is_closed_without_touching_the_kernel);
	tcase_add_test(tc, an_add_soon_after_a_removal_opens_the_same_route_with_its_account);
	tcase_add_test(tc, a_service_that_the_kernel_lost_begins_a_new_epoch);
}

int main(void)
{
	return unit_main("gateway", add_tests);
}
