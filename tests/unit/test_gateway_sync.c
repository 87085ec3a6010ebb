/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Healing: each difference between state file and kernel, alone and with
 * others; what a dry run says is what is done, and twice there is nothing.
 */
#include "synced.h"

#include "hostnet.h"

#define TCP "tcp 127.0.0.1:33000"
#define UDP "udp 127.0.0.1:33001"

static struct service *tcp_service(struct hub *h)
{
	return synced_service(h, IPPROTO_TCP, "127.0.0.1:33000");
}

static void nothing(struct hub *h)
{
	(void)h;
}

static void service_missing(struct hub *h)
{
	hub_lose_service(h, IPPROTO_TCP, "127.0.0.1:33000");
}

static void all_services_missing(struct hub *h)
{
	service_list_clear(&h->kernel.services);
}

static void server_missing(struct hub *h)
{
	tcp_service(h)->n_destinations = 1;
}

static void server_extra(struct hub *h)
{
	struct service *s = synced_service(h, IPPROTO_UDP, "127.0.0.1:33001");

	ck_assert_int_eq(base_reserve((void **)&s->destinations, 1, sizeof(*s->destinations)), 0);
	s->destinations[s->n_destinations++] =
		(struct destination){ .real = given_endpoint("10.9.9.9:53"), .weight = 1, .method = IP_VS_CONN_F_MASQ };
}

static void wrong_weight(struct hub *h)
{
	tcp_service(h)->destinations[1].weight = 7;
}

static void wrong_method(struct hub *h)
{
	tcp_service(h)->destinations[0].method = IP_VS_CONN_F_DROUTE;
}

static void wrong_scheduler(struct hub *h)
{
	strcpy(tcp_service(h)->scheduler, "sh");
}

static void wrong_persistence(struct hub *h)
{
	tcp_service(h)->persistence = 60;
}

static void orphans(struct hub *h)
{
	hub_add_service(h, IPPROTO_TCP, "127.0.0.1:33001");
	hub_add_service(h, IPPROTO_SCTP, "127.0.0.1:32768");
}

static void of_others(struct hub *h)
{
	hub_add_service(h, IPPROTO_TCP, "127.0.0.2:33000"); /* on an address that is none of our VIPs */
	hub_add_service(h, IPPROTO_TCP, "127.0.0.1:80");    /* not in the pool */
	hub_add_service(h, IPPROTO_TCP, "127.0.0.1:33005"); /* by firewall mark */
	h->kernel.services.items[h->kernel.services.n - 1].fwmark = 9;
}

static void counters_back(struct hub *h)
{
	struct err e;

	transfer(h, 1000);
	ck_assert_int_eq(gateway_checkpoint(&e, h->g), 2);
	tcp_service(h)->counters.inbytes = 10;
}

static void everything(struct hub *h)
{
	counters_back(h);
	wrong_weight(h);
	hub_lose_service(h, IPPROTO_UDP, "127.0.0.1:33001");
	orphans(h);
	of_others(h);
}

#define ADD_TCP                                                  \
	"add service " TCP " (wrr)\n"                            \
	"add real server 10.0.0.11:80 to " TCP " (weight 100)\n" \
	"add real server 10.0.0.12:80 to " TCP " (weight 50)\n"
#define ADD_UDP                       \
	"add service " UDP " (wrr)\n" \
	"add real server 10.0.0.11:53 to " UDP " (weight 100)\n"
#define DELETE_ORPHANS "delete service sctp 127.0.0.1:32768\ndelete service tcp 127.0.0.1:33001\n"
#define ORPHANS "orphan sctp 127.0.0.1:32768\norphan tcp 127.0.0.1:33001\n"

static const struct {
	void (*change)(struct hub *h);
	int n;
	const char *text;
} cases[] = {
	{ nothing, 0, "" },
	{ service_missing, 3, ADD_TCP },
	{ all_services_missing, 5, ADD_UDP ADD_TCP },
	{ server_missing, 1, "add real server 10.0.0.12:80 to " TCP " (weight 50)\n" },
	{ server_extra, 1, "delete real server 10.9.9.9:53 from " UDP "\n" },
	{ wrong_weight, 1, "edit real server 10.0.0.12:80 of " TCP " (weight 50)\n" },
	{ wrong_method, 1, "edit real server 10.0.0.11:80 of " TCP " (weight 100)\n" },
	{ wrong_scheduler, 1, "edit service " TCP " (wrr)\n" },
	{ wrong_persistence, 1, "edit service " TCP " (wrr)\n" },
	{ orphans, 2, DELETE_ORPHANS ORPHANS },
	{ of_others, 0, "foreign tcp 127.0.0.2:33000\n" },
	{ counters_back, 1, "reset " TCP "\n" },
	{ everything, 6,
	  "reset " TCP "\n" ADD_UDP "edit real server 10.0.0.12:80 of " TCP
	  " (weight 50)\n" DELETE_ORPHANS ORPHANS "foreign tcp 127.0.0.2:33000\n" },
};

START_TEST(heals_each_difference_as_the_dry_run_said_and_twice_nothing)
{
	CLEANUP_FREE char *before = NULL, *after = NULL, *at_last = NULL;
	const char *left = strstr(cases[_i].text, "foreign");
	struct hub h;

	hub_open_synced(&h);
	cases[_i].change(&h);
	before = kernel_text(&h);
	expect_sync(&h, true, cases[_i].n, cases[_i].text);
	after = kernel_text(&h);
	ck_assert_str_eq(before, after);
	expect_sync(&h, false, cases[_i].n, cases[_i].text);
	at_last = kernel_text(&h);
	ck_assert(strcmp(before, at_last) == 0 || cases[_i].n > 0);
	expect_sync(&h, false, 0, left ? left : "");
	expect_sync(&h, true, 0, left ? left : "");
	hub_close(&h);
}
END_TEST

/* How many requests such a sync makes when nothing fails. */
static size_t requests_of_healing(void)
{
	struct hub h;
	size_t n;

	hub_open_synced(&h);
	everything(&h);
	mend(&h.kernel);
	must_sync(&h);
	n = h.kernel.n_requests;
	hub_close(&h);
	return n;
}

START_TEST(what_the_kernel_refuses_leaves_the_rest_healed_and_is_told)
{
	size_t n = requests_of_healing(), n_changes = 5;

	for (size_t at = 1; at <= n; at++) {
		CLEANUP(sync_result_clear) struct sync_result done = { 0 };
		struct err e = { 0 };
		struct hub h;

		hub_open_synced(&h);
		everything(&h);
		mend(&h.kernel);
		h.kernel.refuse = ENOMEM;
		h.kernel.refuse_at = at;
		ck_assert_msg(gateway_sync(&e, h.g, false, &done) == -ENOMEM, "request %zu: %s", at, e.msg);
		if (at > n - n_changes) {
			/* A service that is not there can have no real server. */
			size_t refused = at == n - n_changes + 1 ? 2 : 1;

			ck_assert_msg(done.changes.n == n_changes - refused, "request %zu: %zu changes", at,
				      done.changes.n);
			ck_assert_msg(strstr(e.msg, "of 5 changes were refused, the others are made"), "%s", e.msg);
		} else {
			ck_assert_msg(done.changes.n + done.resets.n + done.n_moves == 0, "request %zu: it has said too much",
				      at);
		}
		mend(&h.kernel);
		must_sync(&h);
		expect_sync(&h, true, 0, "foreign tcp 127.0.0.2:33000\n");
		ck_assert_uint_eq(all_bytes(&h, "web"), 2010);
		hub_close(&h);
	}
}
END_TEST

START_TEST(a_sync_that_hears_no_answer_is_healed_by_the_next)
{
	for (size_t at = 0; at < requests_of_healing(); at++) {
		CLEANUP(sync_result_clear) struct sync_result done = { 0 };
		struct err e = { 0 };
		struct hub h;

		hub_open_synced(&h);
		everything(&h);
		mend(&h.kernel);
		h.kernel.recv_error = ENOBUFS;
		h.kernel.recv_error_at = at;
		(void)!gateway_sync(&e, h.g, false, &done); /* perhaps that many datagrams never came */
		mend(&h.kernel);
		must_sync(&h);
		expect_sync(&h, true, 0, "foreign tcp 127.0.0.2:33000\n");
		ck_assert_uint_eq(all_bytes(&h, "web"), 2010);
		hub_close(&h);
	}
}
END_TEST

START_TEST(what_was_counted_before_a_reset_stays_in_the_account)
{
	uint64_t entries;
	struct hub h;
	struct err e;

	hub_open_synced(&h);
	transfer(&h, 1000);
	ck_assert_int_eq(gateway_checkpoint(&e, h.g), 2);
	for (size_t i = 0; i < 2; i++)
		h.kernel.services.items[i].counters.inbytes = 10;
	expect_sync(&h, false, 2, "reset " UDP "\nreset " TCP "\n");
	ck_assert_uint_eq(all_bytes(&h, "web"), 2 * 1010);
	transfer(&h, 5);
	ck_assert_uint_eq(all_bytes(&h, "web"), 2 * 1015);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	let_settle(&h);
	ck_assert_int_eq(finish(&e, &h), 0);
	ck_assert_uint_eq(ledger_bytes(&h, &entries), 2 * 1015);
	hub_close(&h);
}
END_TEST

START_TEST(a_reset_is_counted_even_if_the_route_begins_to_close_anew)
{
	uint64_t entries;
	struct hub h;
	struct err e;

	hub_open_synced(&h);
	transfer(&h, 1000);
	ck_assert_int_eq(gateway_checkpoint(&e, h.g), 2);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	server_extra(&h); /* as if the removal had been killed */
	synced_service(&h, IPPROTO_UDP, "127.0.0.1:33001")->counters.inbytes = 10;
	expect_sync(&h, false, 2, "reset " UDP "\ndelete real server 10.9.9.9:53 from " UDP "\n");
	let_settle(&h);
	ck_assert_int_eq(finish(&e, &h), 0);
	ck_assert_uint_eq(ledger_bytes(&h, &entries), 2010);
	hub_close(&h);
}
END_TEST

/* When 53/udp, which closes, began to, in ms. */
static int64_t closing_since(struct hub *h)
{
	const struct route_filter udp = { .cport = 53, .state = ROUTE_CLOSING };
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	struct err e;

	ck_assert_int_eq(store_routes(&e, h->g->store, &udp, &routes), 0);
	ck_assert_uint_eq(routes.n, 1);
	return routes.items[0].closing.ms;
}

START_TEST(a_route_begins_to_close_anew_before_the_kernel_is_changed_and_no_other_does)
{
	CLEANUP(sync_result_clear) struct sync_result done = { 0 };
	int64_t before;
	struct hub h;
	struct err e;

	hub_open_synced(&h);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	let_time_pass(&h, 1000);
	before = closing_since(&h);
	expect_sync(&h, false, 0, "");
	ck_assert_int_eq(closing_since(&h), before);

	server_extra(&h); /* as if the removal had been killed, and so is this sync */
	mend(&h.kernel);
	must_sync(&h);
	let_time_pass(&h, 1000);
	before = closing_since(&h);
	server_extra(&h);
	h.kernel.recv_error = ENOBUFS;
	h.kernel.recv_error_at = h.kernel.n_received - 1; /* the answer to its last request */
	h.kernel.n_received = 0;
	ck_assert_int_eq(gateway_sync(&e, h.g, false, &done), -ENOBUFS);
	ck_assert_uint_eq(done.changes.n, 0);
	ck_assert_int_ge(closing_since(&h), before + 1000);
	hub_close(&h);
}
END_TEST

START_TEST(a_route_begins_to_close_when_a_slow_kernel_has_stopped_it)
{
	struct boottime stopped = { 0 };
	struct hub h;
	struct err e;

	hub_open_synced(&h);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	server_extra(&h);
	mend(&h.kernel);
	must_sync(&h);
	server_extra(&h);
	h.kernel.spoil = hub_be_slow;
	h.kernel.spoil_ctx = &stopped;
	h.kernel.spoil_at = h.kernel.n_received - 1; /* as many again, the last one slow */
	h.kernel.n_received = 0;
	must_sync(&h);
	ck_assert_int_gt(stopped.ms, 0);
	ck_assert_int_ge(closing_since(&h), stopped.ms);
	hub_close(&h);
}
END_TEST

START_TEST(what_the_state_file_refuses_is_not_said_to_be_done)
{
	CLEANUP(sync_result_clear) struct sync_result done = { 0 };
	CLEANUP_FREE char *before = NULL, *after = NULL;
	struct hub h;
	struct err e;

	hub_open_synced(&h);
	tcp_service(&h)->counters.inbytes = INT64_MAX; /* and a byte more is more than it can hold */
	ck_assert_int_eq(gateway_checkpoint(&e, h.g), 2);
	tcp_service(&h)->counters.inbytes = 10;
	wrong_weight(&h);
	before = kernel_text(&h);
	ck_assert_int_eq(gateway_sync(&e, h.g, false, &done), -EOVERFLOW);
	after = kernel_text(&h);
	ck_assert_str_eq(before, after);
	ck_assert_uint_eq(done.changes.n + done.resets.n, 0);
	hub_close(&h);
}
END_TEST

/* As after a reboot, in which somebody else made services where ours had been. */
static void given_another_boot(struct hub *h)
{
	const struct route_filter closing = { .state = ROUTE_CLOSING };
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	struct err e;

	ck_assert_int_eq(store_routes(&e, h->g->store, &closing, &routes), 0);
	for (size_t i = 0; i < routes.n; i++) {
		strcpy(routes.items[i].closing.boot_id, "00000000-0000-0000-0000-000000000000");
		ck_assert_int_eq(store_set_route(&e, h->g->store, &routes.items[i]), 0);
	}
}

START_TEST(what_has_the_port_of_a_route_that_closed_in_another_boot_is_an_orphan)
{
	static const char both[] = "delete service " TCP "\ndelete service " UDP "\norphan " TCP "\norphan " UDP "\n";
	uint64_t entries;
	struct hub h;
	struct err e;

	hub_open_synced(&h);
	transfer(&h, 500);
	ck_assert_int_eq(gateway_checkpoint(&e, h.g), 2);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	given_another_boot(&h);
	transfer(&h, 77);
	expect_sync(&h, true, 2, both);
	ck_assert_uint_eq(h.kernel.services.n, 2);
	ck_assert_uint_eq(count_routes(&h, ROUTE_CLOSING), 2);
	expect_sync(&h, false, 2, both);
	ck_assert_uint_eq(h.kernel.services.n, 0);
	ck_assert_uint_eq(ledger_bytes(&h, &entries), 1000);
	expect_sync(&h, false, 0, "");
	hub_close(&h);
}
END_TEST

START_TEST(a_dry_run_leaves_out_what_has_drained_since_another_boot)
{
	struct route tcp = given_route("web", 80, "127.0.0.1:33000");
	struct route udp = given_route("web", 53, "127.0.0.1:33001");
	struct hub h;

	hub_open(&h);
	udp.protocol = IPPROTO_UDP;
	given_server(&tcp, "10.0.0.11:80", 100);
	given_server(&tcp, "10.0.0.12:80", 50);
	given_server(&udp, "10.0.0.11:53", 100);
	strcpy(tcp.servers[0].drain.boot_id, "00000000-0000-0000-0000-000000000000");
	strcpy(udp.servers[0].drain.boot_id, "00000000-0000-0000-0000-000000000000");
	hub_store(&h, &tcp);
	hub_store(&h, &udp);
	expect_sync(&h, true, 2, "add service " TCP " (wrr)\nadd real server 10.0.0.12:80 to " TCP " (weight 50)\n");
	hub_close(&h);
}
END_TEST

START_TEST(without_a_state_file_every_service_is_somebody_elses)
{
	static const char text[] = "foreign sctp 127.0.0.1:32768\nforeign tcp 127.0.0.1:33001\n";
	struct ipvs_peer peer;
	struct hub h;
	struct err e;

	hub_open(&h);
	orphans(&h);
	gateway_close(h.g);
	ck_assert_int_eq(unlink(h.config.state), 0);
	ck_assert_int_eq(gateway_open(&e, &h.config, STORE_UPDATE, &h.g), 0);
	peer = fake_kernel_peer(&h.kernel);
	ck_assert_int_eq(ipvs_open_peer(&e, &peer, &h.g->kernel), 0);
	ck_assert_int_eq(routing_open_blind(&e, &h.g->routing), 0);
	expect_sync(&h, true, 0, text);
	expect_sync(&h, false, 0, text);
	ck_assert_uint_eq(h.kernel.services.n, 2);
	hub_close(&h);
}
END_TEST

START_TEST(a_hub_that_is_no_gateway_any_more_deletes_nothing)
{
	struct hub h;

	hub_open_synced(&h);
	orphans(&h);
	h.config.is_gateway = false;
	expect_sync(&h, false, 0, "foreign sctp 127.0.0.1:32768\nforeign tcp 127.0.0.1:33001\n");
	ck_assert_uint_eq(h.kernel.services.n, 4);
	hub_close(&h);
}
END_TEST

START_TEST(the_default_routes_address_is_a_vip_if_none_is_configured)
{
	char vip[ENDPOINT_STRLEN], text[256];
	struct endpoint own = { .port = 32768 };
	struct hub h;
	struct err e;

	hub_open_synced(&h);
	if (hostnet_default_source(&e, AF_INET, &own.addr) < 0) { /* this machine has none: then no address is */
		hub_add_service(&h, IPPROTO_TCP, "127.0.0.1:32768");
		h.config.n_addresses = 0;
		expect_sync(&h, false, 0, "foreign tcp 127.0.0.1:32768\n");
	} else {
		hub_add_service(&h, IPPROTO_TCP, endpoint_format(&own, vip));
		snprintf(text, sizeof(text), "foreign tcp %s\n", vip);
		expect_sync(&h, false, 0, text);
		h.config.n_addresses = 0;
		snprintf(text, sizeof(text), "delete service tcp %s\norphan tcp %s\n", vip, vip);
		expect_sync(&h, false, 1, text);
	}
	hub_close(&h);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, heals_each_difference_as_the_dry_run_said_and_twice_nothing, 0, ARRAY_LEN(cases));
	tcase_add_test(tc, what_the_kernel_refuses_leaves_the_rest_healed_and_is_told);
	tcase_add_test(tc, a_sync_that_hears_no_answer_is_healed_by_the_next);
	tcase_add_test(tc, what_was_counted_before_a_reset_stays_in_the_account);
	tcase_add_test(tc, a_reset_is_counted_even_if_the_route_begins_to_close_anew);
	tcase_add_test(tc, a_route_begins_to_close_anew_before_the_kernel_is_changed_and_no_other_does);
	tcase_add_test(tc, a_route_begins_to_close_when_a_slow_kernel_has_stopped_it);
	tcase_add_test(tc, what_the_state_file_refuses_is_not_said_to_be_done);
	tcase_add_test(tc, what_has_the_port_of_a_route_that_closed_in_another_boot_is_an_orphan);
	tcase_add_test(tc, a_dry_run_leaves_out_what_has_drained_since_another_boot);
	tcase_add_test(tc, without_a_state_file_every_service_is_somebody_elses);
	tcase_add_test(tc, a_hub_that_is_no_gateway_any_more_deletes_nothing);
	tcase_add_test(tc, the_default_routes_address_is_a_vip_if_none_is_configured);
}

int main(void)
{
	return unit_main("gateway_sync", add_tests);
}
