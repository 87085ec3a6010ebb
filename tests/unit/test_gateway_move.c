/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Workers that are reached in another way than before: their routes move, and
 * not a byte of what they had transferred is lost or counted twice.
 */
#include "synced.h"

#define TCP "tcp 127.0.0.1:33000"
#define UDP "udp 127.0.0.1:33001"

static void know_worker(struct hub *h, const char *name, const char *address)
{
	const struct worker w = given_worker(name, address);

	synced_set_worker(h, &w);
}

static void store_route_of(struct hub *h, const char *worker, struct route *r, const char *real)
{
	strcpy(r->worker, worker);
	given_server(r, real, 100);
	hub_store(h, r);
}

/* A container of worker w1, which is behind a NAT: 80/tcp and 53/udp, with their services. */
static void hub_open_private(struct hub *h)
{
	struct route tcp = given_route("web", 80, "127.0.0.1:33000");
	struct route udp = given_route("web", 53, "127.0.0.1:33001");

	hub_open(h);
	udp.protocol = IPPROTO_UDP;
	know_worker(h, "w1", NULL);
	store_route_of(h, "w1", &tcp, "10.0.0.11:80");
	store_route_of(h, "w1", &udp, "10.0.0.11:53");
	must_sync(h);
	ck_assert_uint_eq(h->kernel.services.n, 2);
}

/* The open routes as text, a line each. */
static void expect_open(struct hub *h, const char *text)
{
	const struct route_filter open = { .state = ROUTE_OPEN };
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	struct unit_out o = { 0 };
	FILE *out = unit_open(&o);
	struct err e;

	ck_assert_int_eq(store_routes(&e, h->g->store, &open, &routes), 0);
	for (size_t i = 0; i < routes.n; i++) {
		const struct route *r = &routes.items[i];
		char buf[ROUTE_STRLEN];

		fprintf(out, "%s %s %s %s %zu %u\n", r->container,
			r->kind == ROUTE_DIRECT ? "direct" : "gateway", r->worker, route_format(r, buf),
			r->n_servers, r->servers[0].weight);
	}
	unit_expect(&o, text);
}

#define MOVES_TO_DIRECT                                              \
	"move web [53/udp->127.0.0.1:33001] direct 203.0.113.7:53\n" \
	"move web [80/tcp->127.0.0.1:33000] direct 203.0.113.7:80\n"
#define STOPS                                          \
	"delete real server 10.0.0.11:53 from " UDP "\n" \
	"delete real server 10.0.0.11:80 from " TCP "\n"
#define OPEN_DIRECT                                     \
	"web direct w1 [53/udp->203.0.113.7:53] 1 100\n" \
	"web direct w1 [80/tcp->203.0.113.7:80] 1 100\n"

START_TEST(routes_of_a_worker_that_became_public_are_direct_and_their_bytes_in_the_ledger)
{
	uint64_t entries;
	struct hub h;
	struct err e;

	hub_open_private(&h);
	transfer(&h, 1000);
	ck_assert_int_eq(gateway_checkpoint(&e, h.g), 2);
	transfer(&h, 200);
	expect_sync(&h, true, 0, "");
	know_worker(&h, "w1", "203.0.113.7");
	expect_sync(&h, true, 4, MOVES_TO_DIRECT STOPS);
	ck_assert_uint_eq(count_routes(&h, ROUTE_CLOSING), 0);
	ck_assert_uint_eq(count_destinations(&h), 2);

	expect_sync(&h, false, 4, MOVES_TO_DIRECT STOPS);
	expect_open(&h, OPEN_DIRECT);
	ck_assert_uint_eq(count_routes(&h, ROUTE_CLOSING), 2);
	ck_assert_uint_eq(count_destinations(&h), 0);
	expect_sync(&h, true, 0, "");
	expect_sync(&h, false, 0, "");

	transfer(&h, 34); /* what the estimator had not read yet */
	ck_assert_uint_eq(all_bytes(&h, "web"), 2 * 1234);
	let_settle(&h);
	ck_assert_int_eq(finish(&e, &h), 0);
	ck_assert_uint_eq(ledger_bytes(&h, &entries), 2 * 1234);
	ck_assert_uint_eq(entries, 2);
	ck_assert_uint_eq(h.kernel.services.n, 0);
	expect_open(&h, OPEN_DIRECT);
	expect_sync(&h, false, 0, "");
	hub_close(&h);
}
END_TEST

/* As above, but back. */
static void hub_open_public(struct hub *h)
{
	struct route tcp = given_route("web", 80, "203.0.113.7:80");
	struct route udp = given_route("web", 80, "203.0.113.7:80");

	hub_open(h);
	udp.protocol = IPPROTO_UDP;
	tcp.kind = udp.kind = ROUTE_DIRECT;
	tcp.persistence = 60;
	strcpy(tcp.scheduler, "wlc");
	know_worker(h, "w1", "203.0.113.7");
	store_route_of(h, "w1", &tcp, "10.0.0.11:80");
	store_route_of(h, "w1", &udp, "10.0.0.11:80");
	expect_sync(h, false, 0, "");
}

START_TEST(routes_of_a_worker_that_is_behind_a_nat_now_go_through_the_hub)
{
	static const char moves[] = "move web [80/tcp->203.0.113.7:80] gateway \n"
				    "move web [80/udp->203.0.113.7:80] gateway \n";
	CLEANUP(sync_result_clear) struct sync_result done = { 0 };
	uint64_t entries;
	struct hub h;
	struct err e;

	hub_open_public(&h);
	know_worker(&h, "w1", NULL);
	expect_sync(&h, true, 2, moves);
	ck_assert_uint_eq(h.kernel.services.n, 0);
	ck_assert_msg(gateway_sync(&e, h.g, false, &done) == 2 + 4, "%s", e.msg);
	ck_assert_uint_eq(done.n_moves, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct service_key key = { done.moves[i].from.protocol, done.moves[i].public };
		const struct service *s = fake_kernel_find(&h.kernel, &key);

		ck_assert_ptr_nonnull(s);
		ck_assert_str_eq(s->scheduler, i == 0 ? "wlc" : "wrr");
		ck_assert_uint_eq(s->persistence, i == 0 ? 60 : 0);
		ck_assert_uint_eq(s->n_destinations, 1);
		ck_assert(endpoint_equal(&s->destinations[0].real, &(struct endpoint){
			.addr = given_addr("10.0.0.11"), .port = 80 }));
		ck_assert_uint_eq(s->destinations[0].weight, 100);
	}
	/* The same container port for both protocols: one number. */
	ck_assert(endpoint_equal(&done.moves[0].public, &done.moves[1].public));
	ck_assert_uint_eq(count_routes(&h, ROUTE_OPEN), 2);
	ck_assert_uint_eq(count_routes(&h, ROUTE_CLOSING), 0);
	ck_assert_uint_eq(ledger_bytes(&h, &entries), 0);
	ck_assert_uint_eq(entries, 2);
	expect_sync(&h, false, 0, "");
	hub_close(&h);
}
END_TEST

START_TEST(a_move_to_the_hub_takes_the_number_that_the_port_has_for_another_protocol)
{
	CLEANUP(sync_result_clear) struct sync_result done = { 0 };
	struct route udp = given_route("web", 80, "203.0.113.7:80");
	struct route tcp = given_route("web", 80, "127.0.0.1:33017");
	struct hub h;
	struct err e;

	hub_open(&h);
	udp.protocol = IPPROTO_UDP;
	udp.kind = ROUTE_DIRECT;
	know_worker(&h, "w1", NULL);
	store_route_of(&h, "w1", &udp, "10.0.0.11:80");
	store_route_of(&h, "w1", &tcp, "10.0.0.11:80");
	ck_assert_msg(gateway_sync(&e, h.g, false, &done) == 1 + 4, "%s", e.msg);
	ck_assert_uint_eq(done.n_moves, 1);
	ck_assert(endpoint_equal(&done.moves[0].public, &(struct endpoint){
		.addr = given_addr("127.0.0.1"), .port = 33017 }));
	hub_close(&h);
}
END_TEST

START_TEST(a_direct_route_follows_its_workers_address)
{
	struct hub h;

	hub_open_public(&h);
	know_worker(&h, "w1", "203.0.113.8");
	expect_sync(&h, false, 2, "move web [80/tcp->203.0.113.7:80] direct 203.0.113.8:80\n"
				  "move web [80/udp->203.0.113.7:80] direct 203.0.113.8:80\n");
	expect_open(&h, "web direct w1 [80/tcp->203.0.113.8:80] 1 100\n"
			"web direct w1 [80/udp->203.0.113.8:80] 1 100\n");
	expect_sync(&h, false, 0, "");
	ck_assert_uint_eq(h.kernel.n_requests, 3); /* its list, once each time */
	hub_close(&h);
}
END_TEST

START_TEST(a_hub_that_is_no_gateway_leaves_direct_routes_as_they_are)
{
	struct hub h;

	hub_open_public(&h);
	h.config.is_gateway = false;
	know_worker(&h, "w1", NULL);
	expect_sync(&h, true, 0, "");
	expect_sync(&h, false, 0, "");
	expect_open(&h, "web direct w1 [80/tcp->203.0.113.7:80] 1 100\n"
			"web direct w1 [80/udp->203.0.113.7:80] 1 100\n");
	know_worker(&h, "w1", "203.0.113.8"); /* but they follow, without IPVS */
	h.kernel.send_error = EPERM;
	expect_sync(&h, false, 2, "move web [80/tcp->203.0.113.7:80] direct 203.0.113.8:80\n"
				  "move web [80/udp->203.0.113.7:80] direct 203.0.113.8:80\n");
	hub_close(&h);
}
END_TEST

/* What a sync that is killed between its commit and the kernel leaves. */
static void move_without_the_kernel(struct hub *h)
{
	const struct route_filter everything = { .state = -1 };
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	CLEANUP(service_list_clear) struct service_list actual = { 0 };
	CLEANUP(sync_result_clear) struct sync_result done = { 0 };
	struct mishaps mishaps = { 0 };
	struct err e = { 0 };

	ck_assert_msg(store_lock(&e, h->g->store) == 0 &&
		      store_routes(&e, h->g->store, &everything, &routes) == 0 &&
		      gateway_list_services(&e, h->g, true, &routes, &actual) == 0 &&
		      gateway_move_routes(&e, h->g, false, &routes, &done, &mishaps) == 0, "%s", e.msg);
	store_unlock(h->g->store);
	ck_assert_uint_eq(done.n_moves, 2);
	ck_assert_uint_eq(mishaps.n, 0);
}

START_TEST(a_move_that_died_before_the_kernel_is_finished_by_the_next)
{
	uint64_t entries;
	struct hub h;
	struct err e;

	hub_open_private(&h);
	transfer(&h, 1000);
	know_worker(&h, "w1", "203.0.113.7");
	move_without_the_kernel(&h);
	ck_assert_uint_eq(count_destinations(&h), 2);
	let_settle(&h); /* by the time that was written; but traffic goes on */
	transfer(&h, 50);
	expect_sync(&h, false, 0, ""); /* it stops them as it finishes what is due */
	ck_assert_uint_eq(count_destinations(&h), 0);
	transfer(&h, 7);
	ck_assert_uint_eq(ledger_bytes(&h, &entries), 0);
	let_settle(&h);
	ck_assert_int_eq(finish(&e, &h), 0);
	ck_assert_uint_eq(ledger_bytes(&h, &entries), 2 * 1057);
	hub_close(&h);
}
END_TEST

START_TEST(a_move_that_died_just_now_is_finished_and_waits_anew)
{
	struct hub h;

	hub_open_private(&h);
	know_worker(&h, "w1", "203.0.113.7");
	move_without_the_kernel(&h);
	expect_sync(&h, true, 2, STOPS);
	expect_sync(&h, false, 2, STOPS);
	expect_sync(&h, false, 0, "");
	expect_open(&h, OPEN_DIRECT);
	hub_close(&h);
}
END_TEST

START_TEST(a_move_to_the_hub_that_died_before_the_kernel_is_finished_by_the_next)
{
	CLEANUP(sync_result_clear) struct sync_result done = { 0 };
	struct hub h;
	struct err e;

	hub_open_public(&h);
	know_worker(&h, "w1", NULL);
	move_without_the_kernel(&h);
	ck_assert_uint_eq(h.kernel.services.n, 0);
	ck_assert_msg(gateway_sync(&e, h.g, false, &done) == 4, "%s", e.msg);
	ck_assert_uint_eq(done.n_moves, 0);
	ck_assert_uint_eq(count_destinations(&h), 2);
	expect_sync(&h, false, 0, "");
	hub_close(&h);
}
END_TEST

/* refuse_at: 0: none. */
static int sync_refused_at(struct hub *h, size_t refuse_at, struct sync_result *done)
{
	struct err e;
	int ret;

	mend(&h->kernel);
	h->kernel.refuse = refuse_at ? ENOMEM : 0;
	h->kernel.refuse_at = refuse_at;
	ret = gateway_sync(&e, h->g, false, done);
	h->kernel.refuse = 0;
	return ret;
}

START_TEST(whatever_the_kernel_refuses_amid_a_move_the_next_sync_heals)
{
	int ret = -1;

	for (size_t at = 1; ret < 0; at++) {
		CLEANUP(sync_result_clear) struct sync_result done = { 0 };
		uint64_t entries;
		struct hub h;
		struct err e;

		hub_open_private(&h);
		transfer(&h, 1000);
		know_worker(&h, "w1", "203.0.113.7");
		ret = sync_refused_at(&h, at, &done);
		must_sync(&h);
		expect_sync(&h, true, 0, "");
		expect_open(&h, OPEN_DIRECT);
		transfer(&h, 34);
		let_settle(&h);
		ck_assert_int_eq(finish(&e, &h), 0);
		ck_assert_uint_eq(ledger_bytes(&h, &entries), 2 * 1034);
		hub_close(&h);
		ck_assert_uint_lt(at, 50);
	}
}
END_TEST

START_TEST(what_cannot_be_moved_stays_is_told_and_keeps_nothing_else)
{
	CLEANUP(sync_result_clear) struct sync_result said = { 0 }, done = { 0 };
	struct route six = given_route("six", 80, "[::1]:33000");
	struct route two = given_route("two", 80, "127.0.0.1:33002");
	struct hub h;
	struct err e;

	hub_open_private(&h);
	h.config.addresses[h.config.n_addresses++] = given_addr("::1");
	store_route_of(&h, "w1", &six, "[fd00::11]:80");
	given_server(&two, "10.0.0.12:80", 1);
	store_route_of(&h, "w1", &two, "10.0.0.11:80");
	hub_add_service(&h, IPPROTO_TCP, "127.0.0.1:33010");
	know_worker(&h, "w1", "203.0.113.7");
	ck_assert_int_eq(gateway_sync(&e, h.g, true, &said), -EINVAL);
	ck_assert_uint_eq(said.n_moves, 2);
	ck_assert_uint_eq(said.changes.n, 2 + 2 + 3 + 1);
	ck_assert_int_eq(gateway_sync(&e, h.g, false, &done), -EINVAL);
	ck_assert_msg(strstr(e.msg, "cannot move port 80/tcp of container six: worker w1 is public but has no IPv6"),
		      "%s", e.msg);
	ck_assert_msg(strstr(e.msg, "1 other cannot be moved either"), "%s", e.msg);
	ck_assert_uint_eq(done.n_moves, 2);
	ck_assert_uint_eq(done.changes.n, said.changes.n);
	ck_assert_uint_eq(count_destinations(&h), 3); /* of the two that stay */
	expect_open(&h, "six gateway w1 [80/tcp->[::1]:33000] 1 100\n"
			"two gateway w1 [80/tcp->127.0.0.1:33002] 2 100\n" OPEN_DIRECT);
	hub_close(&h);
}
END_TEST

START_TEST(a_full_pool_lets_some_move_and_tells_of_the_others)
{
	CLEANUP(sync_result_clear) struct sync_result done = { 0 };
	struct route other = given_route("yet", 80, "203.0.113.7:80");
	struct hub h;
	struct err e;

	hub_open_public(&h);
	h.config.port_first = h.config.port_last = 40020;
	other.kind = ROUTE_DIRECT;
	store_route_of(&h, "w1", &other, "203.0.113.7:80");
	know_worker(&h, "w1", NULL);
	ck_assert_int_eq(gateway_sync(&e, h.g, false, &done), -EADDRNOTAVAIL);
	ck_assert_msg(strstr(e.msg, "cannot move port 80/tcp of container yet: "), "%s", e.msg);
	expect_open(&h, "web gateway w1 [80/tcp->127.0.0.1:40020] 1 100\n"
			"web gateway w1 [80/udp->127.0.0.1:40020] 1 100\n"
			"yet direct w1 [80/tcp->203.0.113.7:80] 1 100\n");
	ck_assert_uint_eq(count_destinations(&h), 2);
	hub_close(&h);
}
END_TEST

/* For an hour. */
static void drain(struct hub *h, struct real_server *rs)
{
	struct err e;

	ck_assert_int_eq(gateway_boottime(&e, h->g, &rs->drain), 0);
	rs->drain.ms += 3600000;
}

START_TEST(a_route_that_drains_is_left_to_leave)
{
	struct route r = given_route("web", 80, "127.0.0.1:33000");
	struct hub h;

	hub_open(&h);
	given_server(&r, "10.0.0.11:80", 100);
	strcpy(r.worker, "w1");
	hub_store(&h, &r);
	must_sync(&h);
	hub_drain(&h, "web", NULL);
	know_worker(&h, "w1", "203.0.113.7");
	expect_sync(&h, true, 0, "");
	expect_sync(&h, false, 0, "");
	expect_open(&h, "web gateway w1 [80/tcp->127.0.0.1:33000] 1 100\n");
	hub_close(&h);
}
END_TEST

START_TEST(a_real_server_that_drains_does_not_move)
{
	struct route r = given_route("web", 80, "127.0.0.1:33000");
	struct hub h;

	hub_open(&h);
	given_server(&r, "10.0.0.11:80", 100);
	given_server(&r, "10.0.0.12:81", 50);
	strcpy(r.worker, "w1");
	drain(&h, &r.servers[0]);
	hub_store(&h, &r);
	know_worker(&h, "w1", "203.0.113.7");
	expect_sync(&h, false, 1, "move web [80/tcp->127.0.0.1:33000] direct 203.0.113.7:81\n");
	expect_open(&h, "web direct w1 [80/tcp->203.0.113.7:81] 1 50\n");
	expect_sync(&h, false, 0, "");
	hub_close(&h);
}
END_TEST

/* Workers change as they like, syncs may fail: the sum is right all the time. */
START_TEST(not_a_byte_is_lost_over_many_moves)
{
	static const char *const addresses[] = { NULL, "203.0.113.7", "203.0.113.8" };
	uint64_t seed = 4, sent = 0, entries;
	struct counters sum;
	struct hub h;
	struct err e;

	hub_open_private(&h);
	h.config.quarantine = 0;
	for (int turn = 0; turn < 60; turn++) {
		CLEANUP(sync_result_clear) struct sync_result done = { 0 };
		uint64_t bytes = 1 + given_below(&seed, 1000);

		transfer(&h, bytes);
		sent += bytes * h.kernel.services.n;
		know_worker(&h, "w1", addresses[given_below(&seed, ARRAY_LEN(addresses))]);
		if (given_below(&seed, 2)) /* and if that fails, the next goes on */
			(void)!sync_refused_at(&h, 1 + given_below(&seed, 12), &done);
		if (given_below(&seed, 2))
			must_sync(&h);
		ck_assert_msg(all_bytes(&h, "web") == sent, "turn %d: %llu of %llu", turn,
			      (unsigned long long)all_bytes(&h, "web"), (unsigned long long)sent);
		if (given_below(&seed, 2))
			let_settle(&h);
	}
	know_worker(&h, "w1", NULL);
	must_sync(&h);
	know_worker(&h, "w1", "203.0.113.9");
	must_sync(&h);
	expect_sync(&h, false, 0, "");
	let_settle(&h);
	ck_assert_int_eq(finish(&e, &h), 0);
	ck_assert_int_eq(store_ledger_sum(&e, h.g->store, "web", &sum, &entries), 0);
	ck_assert_uint_eq(sum.inbytes, sent);
	ck_assert_uint_eq(h.kernel.services.n, 0);
	hub_close(&h);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, routes_of_a_worker_that_became_public_are_direct_and_their_bytes_in_the_ledger);
	tcase_add_test(tc, routes_of_a_worker_that_is_behind_a_nat_now_go_through_the_hub);
	tcase_add_test(tc, a_move_to_the_hub_takes_the_number_that_the_port_has_for_another_protocol);
	tcase_add_test(tc, a_direct_route_follows_its_workers_address);
	tcase_add_test(tc, a_hub_that_is_no_gateway_leaves_direct_routes_as_they_are);
	tcase_add_test(tc, a_move_that_died_before_the_kernel_is_finished_by_the_next);
	tcase_add_test(tc, a_move_that_died_just_now_is_finished_and_waits_anew);
	tcase_add_test(tc, a_move_to_the_hub_that_died_before_the_kernel_is_finished_by_the_next);
	tcase_add_test(tc, whatever_the_kernel_refuses_amid_a_move_the_next_sync_heals);
	tcase_add_test(tc, what_cannot_be_moved_stays_is_told_and_keeps_nothing_else);
	tcase_add_test(tc, a_full_pool_lets_some_move_and_tells_of_the_others);
	tcase_add_test(tc, a_route_that_drains_is_left_to_leave);
	tcase_add_test(tc, a_real_server_that_drains_does_not_move);
	tcase_add_test(tc, not_a_byte_is_lost_over_many_moves);
}

int main(void)
{
	return unit_main("gateway_move", add_tests);
}
