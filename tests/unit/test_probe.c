/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A probe against a server that works: every gateway, and how long it takes. */
#include "stun_world.h"

static struct stun_world behind_nat(enum nat_behaviour mapping, enum nat_behaviour filtering)
{
	struct stun_world w = stun_world_behind(NAT_NONE);

	w.gateway.mapping = mapping;
	w.gateway.filtering = filtering;
	return w;
}

static void expect_public(const struct stun_world *w, size_t i, const char *address)
{
	struct addr a = given_addr(address);

	ck_assert_uint_lt(i, w->verdict.n_public);
	ck_assert(addr_equal(&w->verdict.public[i].addr, &a));
}

/* --- classes --- */

START_TEST(knows_every_class)
{
	for (size_t i = 0; i < STUN_ANSWERING; i++) {
		struct stun_world w = stun_world_behind(stun_answering[i]);

		stun_world_run(&w);
		stun_world_expect_truth(&w, stun_answering[i]);
		ck_assert_uint_eq(w.verdict.n_public, 1);
		expect_public(&w, 0, w.gateway.mapping != NAT_BEHAVIOUR_NONE ? "203.0.113.7" : "192.0.2.10");
		ck_assert_int_eq(w.evidence.rtt, STUN_RTT);
		ck_assert_msg(!w.tried_tcp, "TCP is a control for silence only");
	}
}
END_TEST

START_TEST(knows_every_class_over_ipv6)
{
	for (size_t i = 0; i < STUN_ANSWERING; i++) {
		struct stun_world w = stun_world_behind(stun_answering[i]);
		bool translated = w.gateway.mapping != NAT_BEHAVIOUR_NONE;

		w.ipv6 = true;
		stun_world_run(&w);
		stun_world_expect_truth(&w, stun_answering[i]);
		expect_public(&w, 0, translated ? "2001:db8:7::7" : "2001:db8:6::10");
	}
}
END_TEST

START_TEST(knows_every_class_at_any_rtt)
{
	static const int64_t rtts[] = { 2,      200,    1000,   5000,   20000,   100000,
				       150000, 300000, 600000, 900000, 1200000, 2000000 };
	static const enum nat_tcp outcomes[] = { NAT_TCP_NOT_TRIED, NAT_TCP_SILENT, NAT_TCP_REFUSED,
						 NAT_TCP_ANSWERED };

	for (size_t i = 0; i < STUN_ANSWERING * ARRAY_LEN(rtts) * ARRAY_LEN(outcomes); i++) {
		size_t k = i / STUN_ANSWERING % ARRAY_LEN(rtts);
		enum nat_type type = stun_answering[i % STUN_ANSWERING];
		struct stun_world w = stun_world_behind_at(type, rtts[k]);

		w.tcp = outcomes[i / STUN_ANSWERING / ARRAY_LEN(rtts)];
		stun_world_run(&w);
		stun_world_expect_truth(&w, type);
	}
}
END_TEST

START_TEST(knows_every_class_when_one_way_takes_longer)
{
	for (size_t i = 0; i < STUN_ANSWERING; i++) {
		struct stun_world slow_out = stun_world_behind(stun_answering[i]);
		struct stun_world slow_in = slow_out;

		slow_out.link.delay[STUN_OUTWARDS] = slow_in.link.delay[STUN_INWARDS] = 140 * STUN_MS;
		stun_world_run(&slow_out);
		stun_world_expect_truth(&slow_out, stun_answering[i]);
		stun_world_run(&slow_in);
		stun_world_expect_truth(&slow_in, stun_answering[i]);
	}
}
END_TEST

/* Satellite links have such proxies. What goes out before TCP is tried is lost: so TCP is first to answer. */
START_TEST(is_not_taken_in_by_a_proxy_that_shakes_hands_at_once)
{
	for (size_t i = 0; i < 2 * STUN_ANSWERING; i++) {
		int64_t rtt = (i % 2 ? 600 : 1200) * STUN_MS;
		struct stun_world w = stun_world_behind_at(stun_answering[i / 2], rtt);

		w.link.outage_length = 250 * STUN_MS;
		w.tcp = NAT_TCP_ANSWERED;
		w.handshake = 2 * STUN_MS;
		stun_world_run(&w);
		ck_assert_int_eq(w.evidence.tcp, NAT_TCP_ANSWERED);
		ck_assert_int_eq(w.evidence.mapping[NAT_A1P1].reply, NAT_ANSWERED);
		if (w.verdict.type != NAT_UNKNOWN) /* too few rounds are left to be sure of a filter */
			ck_assert_int_eq(w.verdict.type, stun_answering[i / 2]);
	}
}
END_TEST

/* Every mapping with every filtering, RFC 4787's terms. Those that map by destination are symmetric. */
START_TEST(reports_mapping_and_filtering_each_by_itself)
{
	static const enum nat_behaviour all[] = { NAT_ENDPOINT_INDEPENDENT, NAT_ADDRESS_DEPENDENT,
						  NAT_ADDRESS_AND_PORT_DEPENDENT };
	static const enum nat_type by_filtering[] = { NAT_FULL, NAT_RESTRICTED, NAT_PORT_RESTRICTED };

	for (size_t i = 0; i < 4 * ARRAY_LEN(all) * ARRAY_LEN(all); i++) {
		size_t mapping = i % ARRAY_LEN(all), filtering = i / ARRAY_LEN(all) % ARRAY_LEN(all);
		struct stun_world w = behind_nat(all[mapping], all[filtering]);

		w.gateway.keeps_port = i / 9 % 2;
		w.gateway.filters_by_inside = i / 18;
		stun_world_run(&w);
		stun_world_expect_truth(&w, mapping ? NAT_SYMMETRIC : by_filtering[filtering]);
	}
}
END_TEST

START_TEST(a_firewall_that_filters_by_address_is_a_firewall)
{
	struct stun_world w = behind_nat(NAT_BEHAVIOUR_NONE, NAT_ADDRESS_DEPENDENT);

	stun_world_run(&w);
	stun_world_expect_truth(&w, NAT_SYMMETRIC_UDP_FIREWALL);
}
END_TEST

START_TEST(a_nat_that_keeps_ports_is_no_open_host)
{
	for (size_t i = 2; i < STUN_ANSWERING - 1; i++) {
		struct stun_world w = stun_world_behind(stun_answering[i]);

		w.gateway.keeps_port = true;
		stun_world_run(&w);
		stun_world_expect_truth(&w, stun_answering[i]);
	}
}
END_TEST

/* Its replies to II would take the public ports of later conversations, were they F's. */
START_TEST(a_gateway_that_accepts_strangers_is_port_restricted)
{
	struct stun_world w = stun_world_behind(NAT_PORT_RESTRICTED);

	w.gateway.keeps_port = w.gateway.accepts_strangers = true;
	stun_world_run(&w);
	stun_world_expect_truth(&w, NAT_PORT_RESTRICTED);
}
END_TEST

START_TEST(the_same_address_with_another_port_is_a_nat)
{
	struct stun_world w = stun_world_behind(NAT_FULL);

	w.gateway.public[0] = given_addr("192.168.1.10");
	w.gateway.n_public = 1;
	stun_world_run(&w);
	stun_world_expect_truth(&w, NAT_FULL);
	ck_assert(w.verdict.reasons & NAT_REASON_PRIVATE);
}
END_TEST

START_TEST(a_pool_of_addresses_by_destination_is_symmetric)
{
	struct stun_world w = stun_world_behind(NAT_SYMMETRIC);

	w.gateway.public[0] = given_addr("203.0.113.7");
	w.gateway.public[1] = given_addr("203.0.113.8");
	w.gateway.n_public = 2;
	w.gateway.keeps_port = true;
	stun_world_run(&w);
	stun_world_expect_truth(&w, NAT_SYMMETRIC);
	ck_assert(w.verdict.reasons & NAT_REASON_POOL);
	ck_assert_uint_eq(w.verdict.n_public, 2);
}
END_TEST

START_TEST(a_pool_of_addresses_by_socket_does_not_map_by_destination)
{
	for (size_t i = 2; i < STUN_ANSWERING - 1; i++) {
		struct stun_world w = stun_world_behind(stun_answering[i]);

		w.gateway.public[0] = given_addr("203.0.113.7");
		w.gateway.public[1] = given_addr("203.0.113.8");
		w.gateway.n_public = 2;
		stun_world_run(&w);
		stun_world_expect_truth(&w, stun_answering[i]);
		ck_assert_uint_eq(w.verdict.n_public, 2);
	}
}
END_TEST

START_TEST(a_carriers_nat_is_flagged)
{
	struct stun_world w = stun_world_behind(NAT_PORT_RESTRICTED);

	w.gateway.public[0] = given_addr("100.64.3.9");
	w.gateway.n_public = 1;
	stun_world_run(&w);
	stun_world_expect_truth(&w, NAT_PORT_RESTRICTED);
	ck_assert(w.verdict.reasons & NAT_REASON_SHARED);
}
END_TEST

START_TEST(a_helper_that_rewrites_addresses_is_flagged_and_not_believed)
{
	for (size_t i = 2; i < STUN_ANSWERING; i++) {
		struct stun_world w = stun_world_behind(stun_answering[i]);

		w.gateway.rewrites = true;
		stun_world_run(&w);
		stun_world_expect_truth(&w, stun_answering[i]);
		ck_assert(w.evidence.rewritten);
		ck_assert(w.verdict.reasons & NAT_REASON_REWRITTEN);
		expect_public(&w, 0, "203.0.113.7");
	}
}
END_TEST

/* --- blocked --- */

static void expect_blocked(const struct stun_world *w)
{
	stun_world_expect(w, NAT_BLOCKED, NAT_BEHAVIOUR_UNKNOWN, NAT_BEHAVIOUR_UNKNOWN);
	ck_assert_uint_eq(w->evidence.received, 0);
}

START_TEST(silence_is_blocked_and_says_what_tcp_said)
{
	static const struct {
		enum nat_tcp tcp;
		uint32_t reason;
		int64_t at_most;
	} rows[] = {
		{ NAT_TCP_ANSWERED, NAT_REASON_TCP_ANSWERS, 1000 * STUN_MS },
		{ NAT_TCP_REFUSED, NAT_REASON_TCP_REFUSED, 3000 * STUN_MS },
		{ NAT_TCP_SILENT, NAT_REASON_ALL_SILENT, 3000 * STUN_MS },
		{ NAT_TCP_NOT_TRIED, NAT_REASON_ALL_SILENT, 3000 * STUN_MS }, /* nobody ever tells */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct stun_world w = stun_world_behind(NAT_BLOCKED);

		w.tcp = rows[i].tcp;
		stun_world_run(&w);
		expect_blocked(&w);
		ck_assert(w.tried_tcp);
		ck_assert_msg(w.verdict.reasons & rows[i].reason, "row %zu: %#x", i, w.verdict.reasons);
		ck_assert_int_le(w.took, rows[i].at_most);
		ck_assert_int_eq(w.evidence.tcp,
				 rows[i].tcp == NAT_TCP_NOT_TRIED ? NAT_TCP_SILENT : rows[i].tcp);
		ck_assert_int_eq(w.evidence.tcp_mapped.port, rows[i].tcp == NAT_TCP_ANSWERED ? 43210 : 0);
	}
}
END_TEST

START_TEST(what_icmp_prohibits_is_blocked_at_once)
{
	struct stun_world w = stun_world_behind(NAT_BLOCKED);

	w.gateway.block = STUN_PROHIBIT;
	stun_world_run(&w);
	expect_blocked(&w);
	ck_assert(w.verdict.reasons & NAT_REASON_PROHIBITED);
	ck_assert_int_le(w.took, 100 * STUN_MS);
}
END_TEST

/* In the second round: the first refusal may be a full table's. */
START_TEST(what_the_host_itself_refuses_to_send_is_blocked_at_once)
{
	struct stun_world w = stun_world_behind(NAT_BLOCKED);

	w.gateway.block = STUN_NOT_SENT;
	stun_world_run(&w);
	expect_blocked(&w);
	ck_assert(w.verdict.reasons & NAT_REASON_LOCAL_FIREWALL);
	ck_assert_int_le(w.took, 50 * STUN_MS);
}
END_TEST

START_TEST(a_server_that_cannot_be_reached_is_not_blocked)
{
	struct stun_world w = stun_world_behind(NAT_BLOCKED);

	w.gateway.block = STUN_NO_ROUTE;
	stun_world_run(&w);
	stun_world_expect(&w, NAT_UNKNOWN, NAT_BEHAVIOUR_UNKNOWN, NAT_BEHAVIOUR_UNKNOWN);
	ck_assert_int_eq(w.evidence.bar, NAT_BAR_UNREACHABLE);
	ck_assert_int_le(w.took, 100 * STUN_MS);
}
END_TEST

START_TEST(a_server_that_is_down_is_not_blocked)
{
	struct stun_world w = stun_world_behind(NAT_PORT_RESTRICTED);

	for (enum nat_site site = 0; site < NAT_SITES; site++)
		w.server.site[site] = STUN_SITE_DOWN;
	stun_world_run(&w);
	stun_world_expect(&w, NAT_UNKNOWN, NAT_BEHAVIOUR_UNKNOWN, NAT_BEHAVIOUR_UNKNOWN);
	ck_assert_int_eq(w.evidence.bar, NAT_BAR_DOWN);
	ck_assert(w.verdict.reasons & NAT_REASON_DOWN);
	ck_assert_int_le(w.took, STUN_RTT + 10 * STUN_MS);
}
END_TEST

/* --- time --- */

START_TEST(takes_no_longer_than_it_must)
{
	static const struct {
		enum nat_type type;
		int64_t at_most;
	} rows[] = {
		{ NAT_NONE, 11 * STUN_RTT / 10 },
		{ NAT_FULL, 21 * STUN_RTT / 10 },
		{ NAT_RESTRICTED, 350 * STUN_MS },
		{ NAT_PORT_RESTRICTED, 350 * STUN_MS },
		{ NAT_SYMMETRIC, 350 * STUN_MS },
		{ NAT_SYMMETRIC_UDP_FIREWALL, 350 * STUN_MS },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct stun_world w = stun_world_behind_at(rows[i].type, STUN_RTT);

		stun_world_run(&w);
		stun_world_expect_truth(&w, rows[i].type);
		ck_assert_msg(w.took <= rows[i].at_most, "%s took %d us", nat_type_name(rows[i].type),
			      (int)w.took);
	}
}
END_TEST

START_TEST(a_client_that_wakes_up_late_loses_time_only)
{
	for (uint64_t run = 0; run < 100 * STUN_ANSWERING; run++) {
		enum nat_type type = stun_answering[run % STUN_ANSWERING];
		struct stun_world w = stun_world_behind(type);

		w.seed = run;
		w.late = 30 * STUN_MS;
		stun_world_run(&w);
		stun_world_expect_truth(&w, type);
	}
}
END_TEST

/* What came meanwhile waits in the sockets. */
START_TEST(a_client_that_was_stopped_judges_no_sooner_than_it_has_looked)
{
	static const int64_t lengths[] = { 60 * STUN_MS, 400 * STUN_MS, 2000 * STUN_MS, 20000 * STUN_MS };

	for (size_t i = 0; i < STUN_ANSWERING * ARRAY_LEN(lengths); i++) {
		enum nat_type type = stun_answering[i % STUN_ANSWERING];

		for (int64_t stop = 1; stop < 250 * STUN_MS; stop += 7 * STUN_MS) {
			struct stun_world w = stun_world_behind(type);

			w.stop = stop;
			w.stopped = lengths[i / STUN_ANSWERING];
			stun_world_run(&w);
			if (w.verdict.type != NAT_UNKNOWN)
				stun_world_expect_truth(&w, type);
		}
	}
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, knows_every_class);
	tcase_add_test(tc, knows_every_class_over_ipv6);
	tcase_add_test(tc, knows_every_class_at_any_rtt);
	tcase_add_test(tc, knows_every_class_when_one_way_takes_longer);
	tcase_add_test(tc, is_not_taken_in_by_a_proxy_that_shakes_hands_at_once);
	tcase_add_test(tc, reports_mapping_and_filtering_each_by_itself);
	tcase_add_test(tc, a_firewall_that_filters_by_address_is_a_firewall);
	tcase_add_test(tc, a_nat_that_keeps_ports_is_no_open_host);
	tcase_add_test(tc, a_gateway_that_accepts_strangers_is_port_restricted);
	tcase_add_test(tc, the_same_address_with_another_port_is_a_nat);
	tcase_add_test(tc, a_pool_of_addresses_by_destination_is_symmetric);
	tcase_add_test(tc, a_pool_of_addresses_by_socket_does_not_map_by_destination);
	tcase_add_test(tc, a_carriers_nat_is_flagged);
	tcase_add_test(tc, a_helper_that_rewrites_addresses_is_flagged_and_not_believed);
	tcase_add_test(tc, silence_is_blocked_and_says_what_tcp_said);
	tcase_add_test(tc, what_icmp_prohibits_is_blocked_at_once);
	tcase_add_test(tc, what_the_host_itself_refuses_to_send_is_blocked_at_once);
	tcase_add_test(tc, a_server_that_cannot_be_reached_is_not_blocked);
	tcase_add_test(tc, a_server_that_is_down_is_not_blocked);
	tcase_add_test(tc, takes_no_longer_than_it_must);
	tcase_add_test(tc, a_client_that_wakes_up_late_loses_time_only);
	tcase_add_test(tc, a_client_that_was_stopped_judges_no_sooner_than_it_has_looked);
}

int main(void)
{
	return unit_main("probe", add);
}
