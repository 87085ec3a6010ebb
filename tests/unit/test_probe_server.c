/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A probe against servers that are old, odd, broken, slow or hostile. What they cannot tell is unknown. */
#include "stun_world.h"

/* Every type of gateway, and what a server without a second address lets us know of it. */
static void expect_no_more_than_the_address(struct stun_world *w, uint32_t reason)
{
	bool translated = w->gateway.mapping != NAT_BEHAVIOUR_NONE;

	stun_world_run(w);
	stun_world_expect(w, NAT_UNKNOWN, translated ? NAT_BEHAVIOUR_UNKNOWN : NAT_BEHAVIOUR_NONE,
			  NAT_BEHAVIOUR_UNKNOWN);
	ck_assert_msg(w->verdict.reasons & reason, "reasons are %#x", w->verdict.reasons);
	ck_assert_uint_eq(w->verdict.n_public, 1);
	for (size_t i = 0; i < w->n_sent; i++) {
		struct endpoint server = stun_world_site(w, NAT_A1P1);

		ck_assert(endpoint_equal(&w->sent[i].to, &server));
	}
}

/* What silence of the second address or of CHANGE-REQUEST leaves: a mapping by destination, if it is seen. */
static void expect_unknown_unless_symmetric(const struct stun_world *w, enum nat_type type)
{
	ck_assert_int_eq(w->verdict.type, type == NAT_SYMMETRIC ? NAT_SYMMETRIC : NAT_UNKNOWN);
}

/* --- the other address --- */

START_TEST(without_another_address_the_public_one_is_all_that_is_known)
{
	for (size_t i = 0; i < 2 * STUN_ANSWERING; i++) {
		struct stun_world w = stun_world_behind(stun_answering[i / 2]);

		w.server.no_other = true;
		w.server.rfc3489 = i % 2;
		expect_no_more_than_the_address(&w, NAT_REASON_NO_OTHER);
		ck_assert_int_le(w.took, 2 * STUN_RTT);
	}
}
END_TEST

START_TEST(another_address_that_cannot_be_used_is_none)
{
	static const char *const others[] = {
		"198.51.100.1:3479", "198.51.100.2:3478", "198.51.100.1:3478", "192.168.1.1:3479",
		"10.0.0.1:3479",     "172.16.3.4:3479",   "0.0.0.0:3479",      "127.0.0.1:3479",
		"169.254.7.7:3479",  "224.0.0.1:3479",    "255.255.255.255:3479", "[2001:db8::2]:3479",
	};

	for (size_t i = 0; i < ARRAY_LEN(others) * STUN_ANSWERING; i++) {
		struct stun_world w = stun_world_behind(stun_answering[i % STUN_ANSWERING]);

		w.server.other = given_endpoint(others[i / STUN_ANSWERING]);
		w.server.rfc3489 = i / STUN_ANSWERING % 2;
		expect_no_more_than_the_address(&w, NAT_REASON_BAD_OTHER);
	}
}
END_TEST

START_TEST(another_address_without_a_port_is_none)
{
	struct stun_world w = stun_world_behind(NAT_FULL);

	w.server.other = stun_world_site(&w, NAT_A2P2);
	w.server.other.port = 0;
	expect_no_more_than_the_address(&w, NAT_REASON_BAD_OTHER);
}
END_TEST

/* II may come through in these, and yet the mapping is not known to be independent. */
START_TEST(a_second_address_that_does_not_answer_proves_nothing)
{
	static const enum stun_site_state states[] = { STUN_SITE_SILENT, STUN_SITE_DEAF, STUN_SITE_DOWN };

	for (size_t i = 0; i < ARRAY_LEN(states) * STUN_ANSWERING; i++) {
		enum stun_site_state state = states[i / STUN_ANSWERING];
		enum nat_type type = stun_answering[i % STUN_ANSWERING];
		struct stun_world w = stun_world_behind(type);

		w.server.site[NAT_A2P1] = w.server.site[NAT_A2P2] = state;
		stun_world_run(&w);
		if (type == NAT_NONE && state == STUN_SITE_DEAF)
			stun_world_expect_truth(&w, NAT_NONE); /* an untranslated address needs no second view */
		else if (type == NAT_SYMMETRIC_UDP_FIREWALL)
			stun_world_expect_truth(&w, type); /* that A1:P2 is kept out says enough */
		else
			expect_unknown_unless_symmetric(&w, type);
		ck_assert_int_ne(w.verdict.mapping, NAT_ENDPOINT_INDEPENDENT);
		ck_assert_int_le(w.took, 1500 * STUN_MS);
	}
}
END_TEST

/* A2:P2 alone is what II needs; the other sites answer. */
START_TEST(a_single_silent_site_never_makes_a_wrong_class)
{
	for (size_t i = 0; i < 3 * STUN_ANSWERING; i++) {
		enum nat_type type = stun_answering[i % STUN_ANSWERING];
		struct stun_world w = stun_world_behind(type);

		w.server.site[NAT_A1P2 + i / STUN_ANSWERING] = STUN_SITE_SILENT;
		stun_world_run(&w);
		if (w.verdict.type != NAT_UNKNOWN)
			ck_assert_int_eq(w.verdict.type, type);
		if (w.verdict.mapping != NAT_BEHAVIOUR_UNKNOWN)
			ck_assert_int_eq(w.verdict.mapping, w.gateway.mapping);
		if (w.verdict.filtering != NAT_BEHAVIOUR_UNKNOWN)
			ck_assert_int_eq(w.verdict.filtering, w.gateway.filtering);
	}
}
END_TEST

/* --- CHANGE-REQUEST --- */

START_TEST(error_420_to_change_request_is_no_answer)
{
	for (size_t i = 0; i < STUN_ANSWERING; i++) {
		struct stun_world w = stun_world_behind(stun_answering[i]);

		w.server.change = STUN_REFUSES;
		stun_world_run(&w);
		expect_unknown_unless_symmetric(&w, stun_answering[i]);
		ck_assert_int_eq(w.verdict.filtering, NAT_BEHAVIOUR_UNKNOWN);
		ck_assert_int_eq(w.evidence.change_both, NAT_REFUSED);
		ck_assert(w.verdict.reasons & NAT_REASON_CHANGE_REFUSED);
	}
}
END_TEST

START_TEST(an_answer_from_the_wrong_address_is_the_servers_fault)
{
	static const enum stun_obedience ways[] = { STUN_IGNORES, STUN_PORT_ONLY };

	for (size_t i = 0; i < ARRAY_LEN(ways) * STUN_ANSWERING; i++) {
		enum nat_type type = stun_answering[i % STUN_ANSWERING];
		struct stun_world w = stun_world_behind(type);

		w.server.change = ways[i / STUN_ANSWERING];
		stun_world_run(&w);
		expect_unknown_unless_symmetric(&w, type);
		ck_assert_int_ne(w.evidence.change_both, NAT_ANSWERED);
		if (type != NAT_SYMMETRIC)
			ck_assert(w.verdict.reasons & NAT_REASON_CHANGE_IGNORED);
	}
}
END_TEST

START_TEST(a_server_that_never_answers_change_request_does_not_look_like_a_filter)
{
	for (size_t i = 0; i < STUN_ANSWERING; i++) {
		struct stun_world w = stun_world_behind(stun_answering[i]);

		w.server.change = STUN_CHANGE_LOST;
		stun_world_run(&w);
		expect_unknown_unless_symmetric(&w, stun_answering[i]);
		ck_assert(w.verdict.reasons & NAT_REASON_CHANGE_UNPROVEN);
		ck_assert_int_le(w.took, 1500 * STUN_MS);
	}
}
END_TEST

/* --- formats --- */

START_TEST(an_rfc_3489_server_tells_every_class)
{
	for (size_t i = 0; i < STUN_ANSWERING; i++) {
		struct stun_world w = stun_world_behind(stun_answering[i]);

		w.server.rfc3489 = true;
		stun_world_run(&w);
		stun_world_expect_truth(&w, stun_answering[i]);
		ck_assert(!w.evidence.rewritten);
	}
}
END_TEST

START_TEST(the_older_xor_mapped_address_is_preferred_to_mapped_address_too)
{
	struct stun_world w = stun_world_behind(NAT_PORT_RESTRICTED);

	w.server.old_xor = w.gateway.rewrites = true;
	stun_world_run(&w);
	stun_world_expect_truth(&w, NAT_PORT_RESTRICTED);
	ck_assert(w.evidence.rewritten);
}
END_TEST

START_TEST(an_unknown_attribute_that_is_optional_is_ignored)
{
	for (size_t i = 0; i < STUN_ANSWERING; i++) {
		struct stun_world w = stun_world_behind(stun_answering[i]);

		w.server.optional = true;
		stun_world_run(&w);
		stun_world_expect_truth(&w, stun_answering[i]);
	}
}
END_TEST

START_TEST(responses_with_an_unknown_attribute_that_is_required_are_discarded)
{
	for (size_t i = 0; i < STUN_ANSWERING; i++) {
		struct stun_world once = stun_world_behind(stun_answering[i]);
		struct stun_world always = once;

		once.server.required = always.server.required = true;
		once.server.n_required = 4; /* all of the first round */
		stun_world_run(&once);
		stun_world_expect_truth(&once, stun_answering[i]);
		stun_world_run(&always);
		stun_world_expect(&always, NAT_UNKNOWN, NAT_BEHAVIOUR_UNKNOWN, NAT_BEHAVIOUR_UNKNOWN);
		ck_assert_uint_eq(always.evidence.received, 0);
	}
}
END_TEST

START_TEST(garbage_and_repetitions_change_nothing)
{
	for (uint64_t run = 0; run < 50 * STUN_ANSWERING; run++) {
		enum nat_type type = stun_answering[run % STUN_ANSWERING];
		struct stun_world w = stun_world_behind(type);

		w.seed = run;
		w.server.floods = true;
		stun_world_run(&w);
		stun_world_expect_truth(&w, type);
		ck_assert_int_le(w.took, 350 * STUN_MS);
		ck_assert_uint_gt(w.n_arrived, 5 * w.n_counted);
		ck_assert_uint_le(w.n_counted, w.n_sent);
	}
}
END_TEST

START_TEST(a_server_that_wants_change_request_gets_an_empty_one)
{
	for (size_t i = 0; i < STUN_ANSWERING; i++) {
		struct stun_world w = stun_world_behind(stun_answering[i]);

		w.server.wants_change = true;
		stun_world_run(&w);
		stun_world_expect_truth(&w, stun_answering[i]);
		ck_assert_int_le(w.took, 1000 * STUN_MS);
	}
}
END_TEST

START_TEST(a_mapped_address_that_is_none_is_not_believed)
{
	static const char *const none[] = { "0.0.0.0:4000",	    "224.0.0.1:4000", "255.255.255.255:4000",
					    "[2001:db8::1]:4000", "127.0.0.1:4000", "169.254.7.7:4000" };

	for (size_t i = 0; i <= ARRAY_LEN(none); i++) {
		struct stun_world w = stun_world_behind(NAT_FULL);

		w.server.mapped = given_endpoint(i < ARRAY_LEN(none) ? none[i] : "203.0.113.7:1");
		if (i == ARRAY_LEN(none))
			w.server.mapped.port = 0;
		stun_world_run(&w);
		stun_world_expect(&w, NAT_UNKNOWN, NAT_BEHAVIOUR_UNKNOWN, NAT_BEHAVIOUR_UNKNOWN);
		ck_assert(w.verdict.reasons & NAT_REASON_ODD_MAPPED);
		ck_assert_uint_eq(w.verdict.n_public, 0);
		ck_assert_int_eq(w.evidence.bar, NAT_BAR_ERROR);
		ck_assert_int_le(w.took, 3 * STUN_RTT);
	}
}
END_TEST

/* Where the filter is examined for long enough, it is found out. */
START_TEST(invented_mapped_addresses_never_look_open)
{
	for (uint64_t run = 0; run < 100 * STUN_ANSWERING; run++) {
		enum nat_type type = stun_answering[run % STUN_ANSWERING];
		struct stun_world w = stun_world_behind(type);

		w.seed = run;
		w.server.random_mapped = true;
		stun_world_run(&w);
		if (type == NAT_NONE || type == NAT_FULL)
			ck_assert(w.verdict.type == NAT_SYMMETRIC || w.verdict.type == NAT_UNKNOWN);
		else
			ck_assert_int_eq(w.verdict.type, NAT_UNKNOWN);
		ck_assert_uint_le(w.verdict.n_public, NAT_PUBLIC_MAX);
	}
}
END_TEST

/* Where it gets through, it is not believed; but it is not blocked either. */
START_TEST(a_server_that_sends_from_a_third_address_is_never_believed)
{
	static const char *const sources[] = { "192.0.2.99:3478", "198.51.100.1:9", "198.51.100.2:3478" };

	for (size_t i = 0; i < 2 * ARRAY_LEN(sources) * STUN_ANSWERING; i++) {
		enum nat_type type = stun_answering[i % STUN_ANSWERING];
		struct stun_world w = stun_world_behind(type);

		w.server.source = given_endpoint(sources[i / STUN_ANSWERING % ARRAY_LEN(sources)]);
		w.server.change = i / STUN_ANSWERING / ARRAY_LEN(sources) ? STUN_CHANGE_LOST : STUN_OBEYS;
		stun_world_run(&w);
		ck_assert_int_ne(w.evidence.plain.reply, NAT_ANSWERED);
		if (type == NAT_NONE || type == NAT_FULL)
			ck_assert_int_eq(w.verdict.type, NAT_UNKNOWN);
		else
			ck_assert(w.verdict.type == NAT_UNKNOWN || w.verdict.type == NAT_BLOCKED);
	}
}
END_TEST

/* --- errors --- */

START_TEST(a_server_that_answers_with_errors_only_is_given_up)
{
	static const unsigned codes[] = { 300, 400, 401, 403, 420, 438, 486, 500, 508, 699 };

	for (size_t i = 0; i < ARRAY_LEN(codes) * STUN_ANSWERING; i++) {
		struct stun_world w = stun_world_behind(stun_answering[i % STUN_ANSWERING]);

		w.server.error = codes[i / STUN_ANSWERING];
		stun_world_run(&w);
		stun_world_expect(&w, NAT_UNKNOWN, NAT_BEHAVIOUR_UNKNOWN, NAT_BEHAVIOUR_UNKNOWN);
		ck_assert(w.verdict.reasons & NAT_REASON_SERVER_ERROR);
		ck_assert_int_eq(w.evidence.bar, NAT_BAR_ERROR);
		ck_assert_uint_eq(w.evidence.error, w.server.error);
		ck_assert_int_le(w.took, 500 * STUN_MS);
	}
}
END_TEST

START_TEST(an_error_that_passes_is_got_over)
{
	for (size_t i = 0; i < 2 * STUN_ANSWERING; i++) {
		struct stun_world w = stun_world_behind(stun_answering[i / 2]);

		w.server.error = i % 2 ? 500 : 300;
		w.server.n_errors = 4; /* all of the first round */
		stun_world_run(&w);
		stun_world_expect_truth(&w, stun_answering[i / 2]);
	}
}
END_TEST

/* --- slow --- */

START_TEST(a_slow_server_is_waited_for)
{
	static const int64_t times[] = { 20 * STUN_MS, 200 * STUN_MS, 600 * STUN_MS, 1500 * STUN_MS };

	for (size_t i = 0; i < ARRAY_LEN(times) * STUN_ANSWERING; i++) {
		struct stun_world w = stun_world_behind(stun_answering[i % STUN_ANSWERING]);

		w.server.slow = times[i / STUN_ANSWERING];
		w.tcp = NAT_TCP_SILENT;
		stun_world_run(&w);
		stun_world_expect_truth(&w, stun_answering[i % STUN_ANSWERING]);
	}
}
END_TEST

/* Outages hit rounds and first answers at any time. */
START_TEST(an_outage_of_a_tenth_of_a_second_makes_no_wrong_verdict)
{
	for (size_t i = 0; i < STUN_ANSWERING; i++) {
		for (int64_t stop = 0; stop < 300 * STUN_MS; stop += 3 * STUN_MS) {
			struct stun_world w = stun_world_behind(stun_answering[i]);

			w.link.outage = stop;
			w.link.outage_length = 100 * STUN_MS;
			stun_world_run(&w);
			if (w.verdict.type != NAT_UNKNOWN)
				ck_assert_int_eq(w.verdict.type, stun_answering[i]);
		}
	}
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, without_another_address_the_public_one_is_all_that_is_known);
	tcase_add_test(tc, another_address_that_cannot_be_used_is_none);
	tcase_add_test(tc, another_address_without_a_port_is_none);
	tcase_add_test(tc, a_second_address_that_does_not_answer_proves_nothing);
	tcase_add_test(tc, a_single_silent_site_never_makes_a_wrong_class);
	tcase_add_test(tc, error_420_to_change_request_is_no_answer);
	tcase_add_test(tc, an_answer_from_the_wrong_address_is_the_servers_fault);
	tcase_add_test(tc, a_server_that_never_answers_change_request_does_not_look_like_a_filter);
	tcase_add_test(tc, an_rfc_3489_server_tells_every_class);
	tcase_add_test(tc, the_older_xor_mapped_address_is_preferred_to_mapped_address_too);
	tcase_add_test(tc, an_unknown_attribute_that_is_optional_is_ignored);
	tcase_add_test(tc, responses_with_an_unknown_attribute_that_is_required_are_discarded);
	tcase_add_test(tc, garbage_and_repetitions_change_nothing);
	tcase_add_test(tc, a_server_that_wants_change_request_gets_an_empty_one);
	tcase_add_test(tc, a_mapped_address_that_is_none_is_not_believed);
	tcase_add_test(tc, invented_mapped_addresses_never_look_open);
	tcase_add_test(tc, a_server_that_sends_from_a_third_address_is_never_believed);
	tcase_add_test(tc, a_server_that_answers_with_errors_only_is_given_up);
	tcase_add_test(tc, an_error_that_passes_is_got_over);
	tcase_add_test(tc, a_slow_server_is_waited_for);
	tcase_add_test(tc, an_outage_of_a_tenth_of_a_second_makes_no_wrong_verdict);
}

int main(void)
{
	return unit_main("probe_server", add);
}
