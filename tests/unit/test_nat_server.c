/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Servers that lack something, refuse, lie or are silent. What the letters mean: nat_given.h. */
#include "nat_given.h"

START_TEST(a_server_without_other_address_tells_the_address_and_not_the_type)
{
	struct nat_evidence e = given_evidence("f a... .. ..");
	struct nat_verdict v;

	e.other_state = NAT_OTHER_ABSENT;
	expect(&e, "unknown unknown unknown no_other_address");
	nat_judge(&e, &v);
	expect_public(&v, given_mapped('f'));
	e = given_evidence("L L... .. ..");
	e.other_state = NAT_OTHER_ABSENT;
	expect(&e, "unknown none unknown no_other_address");
	e = given_evidence("f .... .. ..");
	e.other_state = NAT_OTHER_ABSENT;
	expect(&e, "unknown unknown unknown no_other_address");
	/* Whatever else it claims. */
	e = given_evidence("f aaaa -- AA");
	e.other_state = NAT_OTHER_ABSENT;
	expect(&e, "unknown unknown unknown no_other_address");
}
END_TEST

START_TEST(an_other_address_that_cannot_be_used_is_as_none)
{
	struct nat_evidence e = given_evidence("f aa.. AA ..");

	e.other_state = NAT_OTHER_UNUSABLE;
	expect(&e, "unknown unknown unknown bad_other_address");
	e = given_evidence("L LL.. AA ..");
	e.other_state = NAT_OTHER_UNUSABLE;
	expect(&e, "unknown none unknown bad_other_address");
}
END_TEST

/* Error 420. */
START_TEST(a_refused_change_request_is_no_answer)
{
	static const struct row rows[] = {
		{ "f aaaa rr rr", "unknown " EI " unknown change_request_refused" },
		{ "L LLLL rr rr", "unknown none unknown change_request_refused" },
		{ "f aaaa rA r.", "unknown " EI " unknown change_request_refused" },
		{ "f aaaa -r Ar", "unknown " EI " unknown change_request_refused" },
		{ "f abcd rr ..", "symmetric " APD " unknown change_request_refused" },
	};

	EXPECT_ROWS(rows);
}
END_TEST

START_TEST(a_reply_from_the_wrong_source_is_the_servers_fault_and_not_an_open_filter)
{
	static const struct row rows[] = {
		{ "f aaaa ww ww", "unknown " EI " unknown change_request_ignored" },
		{ "L LLLL ww ww", "unknown none unknown change_request_ignored" },
		{ "f aaaa wA AA", "unknown " EI " unknown change_request_ignored" },
		{ "f aaaa -w AA", "unknown " EI " unknown change_request_ignored" },
		{ "w wwww ww ww", "unknown unknown unknown change_request_ignored" },
	};

	EXPECT_ROWS(rows);
}
END_TEST

START_TEST(a_helper_that_rewrites_addresses_is_told)
{
	struct nat_evidence e = given_evidence("f aaaa -- AA");

	e.rewritten = true;
	expect(&e, "port_restricted " EI " " APD " rewritten");
	e = (struct nat_evidence){ .rewritten = true };
	e.plain.reply = NAT_SILENT;
	expect(&e, "unknown unknown unknown loss rewritten");
}
END_TEST

/* Otherwise a server that makes addresses up would make a symmetric NAT of any. */
START_TEST(who_contradicts_himself_tells_nothing_of_the_mapping)
{
	static const struct row rows[] = {
		{ "f abcd -- ..", "unknown unknown unknown change_request_unproven unstable_address" },
		{ "f abcd AA ..", "unknown unknown " EI " unstable_address" },
		{ "f aaaa -- AA", "unknown unknown " APD " unstable_address" },
		{ "L LLLL AA ..", "unknown unknown " EI " unstable_address" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct nat_evidence e = given_evidence(rows[i].evidence);

		e.unstable = true;
		expect(&e, rows[i].want);
	}
	expect(&(struct nat_evidence){ .unstable = true }, "unknown unknown unknown loss");
}
END_TEST

START_TEST(only_answers_have_a_mapped_address)
{
	struct nat_evidence e = given_evidence("a ---- ?? ..");
	struct nat_verdict v;

	e.plain.reply = NAT_REFUSED;
	for (size_t i = 0; i < NAT_SITES; i++)
		e.mapping[i] = (struct nat_observation){ NAT_WRONG_SOURCE, e.local_f };
	nat_judge(&e, &v);
	ck_assert_uint_eq(v.n_public, 0);
	ck_assert_int_eq(v.type, NAT_UNKNOWN);
}
END_TEST

/* 401 and the like; an error that may pass, or a redirection, leaves a request without a reply. */
START_TEST(a_server_that_answers_with_an_error_is_no_blocked_udp)
{
	struct nat_evidence e = { .bar = NAT_BAR_ERROR, .error = 401, .received = 1 };

	expect(&e, "unknown unknown unknown server_error");
	e.plain.reply = NAT_SILENT;
	e.tcp = NAT_TCP_ANSWERED;
	expect(&e, "unknown unknown unknown server_error");
	e = given_evidence("r rrrr rr ..");
	e.other_state = NAT_OTHER_UNASKED;
	expect(&e, "unknown unknown unknown server_error");
	e = given_evidence("? ???? ?? ..");
	expect(&e, "unknown unknown unknown loss");
}
END_TEST

START_TEST(icmp_tells_a_server_that_is_down_from_blocked_udp)
{
	static const struct {
		enum nat_bar bar;
		const char *want;
	} rows[] = {
		{ NAT_BAR_DOWN, "unknown unknown unknown server_down" },
		{ NAT_BAR_UNREACHABLE, "unknown unknown unknown server_down" },
		{ NAT_BAR_PROHIBITED, "blocked unknown unknown prohibited" },
		{ NAT_BAR_LOCAL, "blocked unknown unknown local_firewall" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (enum nat_reply reply = NAT_NOT_ASKED; reply <= NAT_UNDECIDED; reply++) {
			struct nat_evidence e = { .bar = rows[i].bar, .plain.reply = reply };

			expect(&e, rows[i].want);
		}
	expect(&(struct nat_evidence){ .plain.reply = NAT_NO_ENTRY }, "unknown unknown unknown server_down");
}
END_TEST

START_TEST(an_icmp_error_does_not_undo_what_was_answered)
{
	struct nat_evidence e = given_evidence("f aaaa AA AA");

	e.bar = NAT_BAR_PROHIBITED;
	expect(&e, "full " EI " " EI " prohibited");
}
END_TEST

START_TEST(silence_is_blocked_udp_and_tcp_tells_how_certain)
{
	static const struct {
		enum nat_tcp tcp;
		const char *want;
	} rows[] = {
		{ NAT_TCP_NOT_TRIED, "blocked unknown unknown all_silent" },
		{ NAT_TCP_SILENT, "blocked unknown unknown all_silent" },
		{ NAT_TCP_REFUSED, "blocked unknown unknown tcp_refused" },
		{ NAT_TCP_ANSWERED, "blocked unknown unknown tcp_answers" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct nat_evidence e = { .plain.reply = NAT_SILENT, .tcp = rows[i].tcp };

		expect(&e, rows[i].want);
	}
	expect(&(struct nat_evidence){ .plain.reply = NAT_UNDECIDED, .tcp = NAT_TCP_ANSWERED },
	       "unknown unknown unknown loss tcp_answers");
	expect(&(struct nat_evidence){ .bar = NAT_BAR_PROHIBITED, .tcp = NAT_TCP_ANSWERED },
	       "blocked unknown unknown prohibited tcp_answers");
}
END_TEST

START_TEST(udp_is_not_blocked_when_anything_came_over_it)
{
	struct nat_evidence heard[] = {
		{ .received = 1 },
		{ .odd_mapped = true },
		{ .rewritten = true },
		{ .bar = NAT_BAR_ERROR },
		{ .other_state = NAT_OTHER_ABSENT },
		{ .change_both = NAT_ANSWERED },
		{ .change_port = NAT_WRONG_SOURCE },
		{ .proof_both = NAT_REFUSED },
		{ .proof_port = NAT_ANSWERED },
		{ .mapping[NAT_A1P1].reply = NAT_REFUSED },
		{ .mapping[NAT_A2P2].reply = NAT_WRONG_SOURCE },
	};

	for (size_t i = 0; i < ARRAY_LEN(heard); i++) {
		struct nat_verdict v;

		heard[i].plain.reply = NAT_SILENT;
		nat_judge(&heard[i], &v);
		ck_assert_msg(v.type == NAT_UNKNOWN && v.reasons, "row %d", (int)i);
	}
}
END_TEST

START_TEST(an_address_seen_over_tcp_is_told_only_without_an_answer_over_udp)
{
	struct nat_evidence e = { .plain.reply = NAT_SILENT, .tcp = NAT_TCP_ANSWERED };
	struct nat_verdict v;

	nat_judge(&e, &v);
	ck_assert_uint_eq(v.n_public, 0);
	e.tcp_mapped = given_endpoint(given_mapped('x'));
	nat_judge(&e, &v);
	expect_public(&v, given_mapped('x'));
	e.tcp = NAT_TCP_REFUSED;
	nat_judge(&e, &v);
	ck_assert_uint_eq(v.n_public, 0);
	e = given_evidence("f aaaa AA AA");
	e.tcp = NAT_TCP_ANSWERED;
	e.tcp_mapped = given_endpoint(given_mapped('x'));
	nat_judge(&e, &v);
	expect_public(&v, given_mapped('f'));
}
END_TEST

START_TEST(a_mapped_address_that_is_none_is_suspect)
{
	struct nat_evidence e = { .odd_mapped = true, .plain.reply = NAT_UNDECIDED };

	expect(&e, "unknown unknown unknown odd_mapped_address");
	e = given_evidence("f aaaa AA AA");
	e.odd_mapped = true;
	expect(&e, "full " EI " " EI " odd_mapped_address");
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, a_server_without_other_address_tells_the_address_and_not_the_type);
	tcase_add_test(tc, an_other_address_that_cannot_be_used_is_as_none);
	tcase_add_test(tc, a_refused_change_request_is_no_answer);
	tcase_add_test(tc, a_reply_from_the_wrong_source_is_the_servers_fault_and_not_an_open_filter);
	tcase_add_test(tc, a_helper_that_rewrites_addresses_is_told);
	tcase_add_test(tc, who_contradicts_himself_tells_nothing_of_the_mapping);
	tcase_add_test(tc, only_answers_have_a_mapped_address);
	tcase_add_test(tc, a_server_that_answers_with_an_error_is_no_blocked_udp);
	tcase_add_test(tc, icmp_tells_a_server_that_is_down_from_blocked_udp);
	tcase_add_test(tc, an_icmp_error_does_not_undo_what_was_answered);
	tcase_add_test(tc, silence_is_blocked_udp_and_tcp_tells_how_certain);
	tcase_add_test(tc, udp_is_not_blocked_when_anything_came_over_it);
	tcase_add_test(tc, an_address_seen_over_tcp_is_told_only_without_an_answer_over_udp);
	tcase_add_test(tc, a_mapped_address_that_is_none_is_suspect);
}

int main(void)
{
	return unit_main("nat_server", add);
}
