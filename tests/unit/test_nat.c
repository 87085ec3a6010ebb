/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What mapping and filtering lead to. Mapped endpoints and replies have letters: nat_given.h. */
#include "nat_given.h"

START_TEST(judges_every_row_of_the_table)
{
	static const struct row rows[] = {
		{ "L LLLL AA AA", "none none none" },
		{ "L LLLL -A AA", "symmetric_udp_firewall none " AD },
		{ "L LLLL -- AA", "symmetric_udp_firewall none " APD },
		{ "f aaaa AA AA", "full " EI " " EI },
		{ "f aaaa -A AA", "restricted " EI " " AD },
		{ "f aaaa -- AA", "port_restricted " EI " " APD },
		{ "f abcd -- --", "symmetric " APD " " APD " change_request_unproven" },
		{ "f aabb -A --", "symmetric " AD " " AD " change_request_unproven" },
		{ "- ---- -- ..", "blocked unknown unknown all_silent" },
		{ "? ???? ?? ..", "unknown unknown unknown loss" },
	};

	EXPECT_ROWS(rows);
}
END_TEST

START_TEST(knows_nothing_at_first)
{
	struct nat_evidence e = { 0 };

	expect(&e, "unknown unknown unknown");
}
END_TEST

START_TEST(mapping_is_independent_only_if_the_other_address_and_port_show_it)
{
	static const struct row rows[] = {
		{ "f a??a AA AA", "full " EI " " EI },
		{ "f a--a AA AA", "full " EI " " EI },
		{ "f aa?a AA AA", "full " EI " " EI },
		{ "f aaa? AA AA", "unknown unknown " EI " loss" },
		{ "f aa-? AA AA", "unknown unknown " EI " loss" },
		{ "f aaa. AA A.", "unknown unknown " EI " loss" },
		{ "f ?aaa AA AA", "unknown unknown " EI " loss" },
		{ "f -??a AA AA", "unknown unknown " EI " loss" },
		{ "f aaaw AA AA", "unknown unknown " EI " change_request_ignored" },
		{ "f aaar AA AA", "unknown unknown " EI " server_error" },
		{ "f naaa AA AA", "unknown unknown " EI " server_down" },
		{ "f aban AA AA", "symmetric " APD " " EI },
		{ "f abaa AA AA", "symmetric " APD " " EI },
		{ "f aaba AA AA", "symmetric " APD " " EI },
	};

	EXPECT_ROWS(rows);
}
END_TEST

/* A2 silent towards M: nobody knows, whatever the rest says. */
START_TEST(a_silent_other_address_is_never_taken_for_an_independent_mapping)
{
	static const struct row rows[] = {
		{ "f aa-- AA ..", "unknown unknown " EI " other_address_silent" },
		{ "f aaa- -A ..", "unknown unknown unknown change_request_unproven other_address_silent" },
		{ "f aann -- .-", "unknown unknown unknown change_request_unproven other_address_silent" },
		{ "f aa-- -- .A", "unknown unknown " APD " other_address_silent" },
		{ "f ab-- -- .-", "symmetric " APD " " APD " change_request_unproven" },
	};

	EXPECT_ROWS(rows);
}
END_TEST

START_TEST(says_on_what_a_mapping_depends_only_as_far_as_it_is_proven)
{
	static const struct row rows[] = {
		{ "f aabb AA AA", "symmetric " AD " " EI },      { "f abab AA AA", "symmetric " APD " " EI },
		{ "f aabc AA AA", "symmetric " APD " " EI },     { "f abcc AA AA", "symmetric " APD " " EI },
		{ "f ab?? AA AA", "symmetric " APD " " EI },     { "f ??ab AA AA", "symmetric " APD " " EI },
		{ "f a??b AA AA", "symmetric " AD " " EI " loss" },
		{ "f a?b? AA AA", "symmetric " AD " " EI " loss" },
		{ "f ?ab? AA AA", "symmetric " AD " " EI " loss" },
		{ "f ?a?b AA AA", "symmetric " AD " " EI " loss" },
		{ "f aa?b AA AA", "symmetric " AD " " EI " loss" },
		{ "f aab- AA AA", "symmetric " AD " " EI " loss" },
		{ "f a?bb AA AA", "symmetric " AD " " EI " loss" },
		{ "f ?abb AA AA", "symmetric " AD " " EI " loss" },
	};

	EXPECT_ROWS(rows);
}
END_TEST

START_TEST(a_filter_is_dependent_only_if_the_server_is_proven_to_do_what_it_is_asked)
{
	static const struct row rows[] = {
		{ "f aaaa -A A-", "restricted " EI " " AD },
		{ "f aaaa -A A.", "restricted " EI " " AD },
		{ "f aaaa -A -A", "unknown " EI " unknown change_request_unproven" },
		{ "f aaaa -A .A", "unknown " EI " unknown change_request_unproven" },
		{ "f aaaa -A ?A", "unknown " EI " unknown change_request_unproven loss" },
		{ "f aaaa -A wA", "unknown " EI " unknown change_request_ignored" },
		{ "f aaaa -A rA", "unknown " EI " unknown change_request_refused" },
		{ "f aaaa -A nA", "unknown " EI " unknown server_down" },
		{ "f aaaa -- --", "unknown " EI " unknown change_request_unproven" },
		{ "f aaaa -- ..", "unknown " EI " unknown change_request_unproven" },
		{ "f aaaa -- rr", "unknown " EI " unknown change_request_refused" },
		{ "f aaaa -- ww", "unknown " EI " unknown change_request_ignored" },
		{ "f aaaa -- wA", "unknown " EI " unknown change_request_ignored" },
		{ "f aaaa -- Aw", "unknown " EI " unknown change_request_ignored" },
		{ "f aaaa -? AA", "unknown " EI " unknown loss" },
		{ "f aaaa -. AA", "unknown " EI " unknown loss" },
		{ "f aaaa ?A AA", "unknown " EI " unknown loss" },
		{ "f aaaa ?? AA", "unknown " EI " unknown loss" },
		{ "f aaaa nn AA", "unknown " EI " unknown server_down" },
	};

	EXPECT_ROWS(rows);
}
END_TEST

/* At least the address matters, and perhaps the port: not known which. */
START_TEST(a_filter_of_which_only_half_is_proven_is_unknown_behind_a_nat)
{
	static const struct row rows[] = {
		{ "f aaaa -- A-", "unknown " EI " unknown change_request_unproven" },
		{ "f aaaa -- A.", "unknown " EI " unknown change_request_unproven" },
		{ "f aaaa -- A?", "unknown " EI " unknown change_request_unproven loss" },
		/* What keeps out another port keeps out another address: this half is enough. */
		{ "f aaaa -- -A", "port_restricted " EI " " APD },
		{ "f aaaa -- ?A", "port_restricted " EI " " APD },
	};

	EXPECT_ROWS(rows);
}
END_TEST

START_TEST(any_proven_filter_before_a_host_that_is_not_translated_is_a_firewall)
{
	static const struct row rows[] = {
		{ "L LLLL -- A-", "symmetric_udp_firewall none unknown change_request_unproven" },
		{ "L LLLL -? A.", "symmetric_udp_firewall none unknown loss" },
		{ "L LLLL -r Ar", "symmetric_udp_firewall none unknown change_request_refused" },
		{ "L LL-- -- .A", "symmetric_udp_firewall none " APD },
		{ "L LLLL -- --", "unknown none unknown change_request_unproven" },
		{ "L LLLL -A -A", "unknown none unknown change_request_unproven" },
		{ "L LL-- -- ..", "unknown none unknown change_request_unproven other_address_silent" },
		{ "L LLLL ?? AA", "unknown none unknown loss" },
		{ "L LLLL rr rr", "unknown none unknown change_request_refused" },
	};

	EXPECT_ROWS(rows);
}
END_TEST

START_TEST(accepts_silence_behind_a_mapping_by_destination_and_says_so)
{
	static const struct row rows[] = {
		{ "f abcd -- --", "symmetric " APD " " APD " change_request_unproven" },
		{ "f abcd -- ??", "symmetric " APD " " APD " change_request_unproven" },
		{ "f abcd -- AA", "symmetric " APD " " APD },
		{ "f aabb -- -A", "symmetric " AD " " APD },
		{ "f aabb -A A-", "symmetric " AD " " AD },
		{ "f aabb -A .-", "symmetric " AD " " AD " change_request_unproven" },
		{ "f abcd -- rr", "symmetric " APD " unknown change_request_refused" },
		{ "f abcd -- -w", "symmetric " APD " unknown change_request_ignored change_request_unproven" },
		{ "f abcd -- w-", "symmetric " APD " unknown change_request_ignored change_request_unproven" },
		{ "f abcd ?? --", "symmetric " APD " unknown loss" },
	};

	EXPECT_ROWS(rows);
}
END_TEST

START_TEST(silence_says_nothing_where_the_control_is_not_answered)
{
	static const struct row rows[] = {
		{ "? aaaa -- AA", "unknown " EI " unknown loss" },
		{ "- aaaa -A AA", "unknown " EI " unknown loss" },
		{ "w LLLL -- AA", "unknown none unknown change_request_ignored" },
		{ "r LLLL -- AA", "unknown none unknown server_error" },
		{ "? LLLL AA AA", "none none none" },
		{ "? aaaa A- AA", "full " EI " " EI },
	};

	EXPECT_ROWS(rows);
}
END_TEST

START_TEST(each_socket_is_compared_with_its_own_address)
{
	struct nat_evidence e = given_evidence("L LLLL AA AA");

	expect(&e, "none none none");
	/* F's mapped endpoint is M's local one, and the other way round: both translated. */
	e.plain.mapped = e.local_m;
	for (size_t i = 0; i < NAT_SITES; i++)
		e.mapping[i].mapped = e.local_f;
	expect(&e, "full " EI " " EI);
	e = given_evidence("L LLLL AA AA");
	e.local_m = e.local_f = given_endpoint("0.0.0.0:40000");
	expect(&e, "full " EI " " EI);
}
END_TEST

START_TEST(the_same_address_with_another_port_is_a_nat)
{
	static const struct row rows[] = {
		{ "l llll AA AA", "full " EI " " EI },
		{ "L llll -- AA", "port_restricted " EI " " APD },
		{ "l LLLL -A AA", "restricted " EI " " AD },
		{ "L LLLl AA AA", "symmetric " APD " " EI },
		{ "l .... AA ..", "unknown unknown " EI " loss" },
	};

	EXPECT_ROWS(rows);
}
END_TEST

START_TEST(a_mapping_by_destination_with_an_open_filter_is_symmetric_and_both_are_told)
{
	static const struct row rows[] = {
		{ "f abcd AA AA", "symmetric " APD " " EI },
		{ "f aabb AA --", "symmetric " AD " " EI },
	};

	EXPECT_ROWS(rows);
}
END_TEST

START_TEST(a_pool_lists_all_its_addresses_the_likeliest_first)
{
	struct nat_evidence e = given_evidence("x abyy AA AA");
	struct nat_verdict v;

	nat_judge(&e, &v);
	expect_verdict("pool", &v, "symmetric " APD " " EI " address_pool");
	expect_public(&v, "203.0.113.7:1001 203.0.113.9:1002 203.0.113.8:1001");
	e = given_evidence("x aaaa AA AA");
	nat_judge(&e, &v);
	expect_verdict("pool", &v, "full " EI " " EI " address_pool");
	expect_public(&v, "203.0.113.7:1001 203.0.113.8:1001");
	e = given_evidence("f yyxa AA AA");
	nat_judge(&e, &v);
	expect_public(&v, "203.0.113.7:999 203.0.113.9:1002 203.0.113.8:1001");
	e = given_evidence("f abcd AA AA");
	nat_judge(&e, &v);
	expect_verdict("no pool", &v, "symmetric " APD " " EI);
	expect_public(&v, "203.0.113.7:999");
}
END_TEST

static struct nat_evidence untranslated(const char *local)
{
	struct nat_evidence e = given_evidence("L LLLL AA AA");

	e.local_f = e.local_m = e.plain.mapped = given_endpoint(local);
	for (size_t i = 0; i < NAT_SITES; i++)
		e.mapping[i].mapped = e.local_m;
	return e;
}

START_TEST(judges_ipv6_as_ipv4_and_a_private_mapped_address_is_told)
{
	struct nat_evidence e = untranslated("[2001:db8::2]:40000");

	expect(&e, "none none none");
	e.change_both = e.change_port = NAT_SILENT;
	expect(&e, "symmetric_udp_firewall none " APD);
	e.mapping[NAT_A2P2].mapped = given_endpoint("[2001:db8::3]:40000");
	expect(&e, "symmetric " APD " " APD " address_pool");
	e = untranslated("[fd00::2]:40000");
	expect(&e, "none none none private_address");
	e = untranslated("[fe80::2]:40000");
	expect(&e, "none none none private_address");
}
END_TEST

START_TEST(a_shared_address_is_a_carriers_nat_and_a_private_one_another)
{
	static const struct row rows[] = {
		{ "s ssss AA AA", "full " EI " " EI " carrier_grade_nat" },
		{ "p pppp AA AA", "full " EI " " EI " private_address" },
		{ "p psss AA AA", "symmetric " APD " " EI " address_pool carrier_grade_nat private_address" },
	};

	EXPECT_ROWS(rows);
}
END_TEST

START_TEST(finds_a_type_by_its_name_and_by_nothing_else)
{
	static const char *const others[] = { "", "Full", "full ", "fully", "ful", "Full cone NAT", "1" };
	enum nat_type type = NAT_BLOCKED;
	struct err e;

	for (int t = NAT_UNKNOWN; t <= NAT_SYMMETRIC_UDP_FIREWALL; t++) {
		ck_assert_int_eq(nat_type_parse(&e, nat_type_name((enum nat_type)t), &type), 0);
		ck_assert_int_eq(type, t);
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		ck_assert_int_eq(nat_type_parse(&e, others[i], &type), -EINVAL);
		ck_assert_ptr_nonnull(strstr(e.msg, "is no kind of NAT"));
	}
	ck_assert_int_eq(type, NAT_SYMMETRIC_UDP_FIREWALL); /* untouched */
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, judges_every_row_of_the_table);
	tcase_add_test(tc, knows_nothing_at_first);
	tcase_add_test(tc, mapping_is_independent_only_if_the_other_address_and_port_show_it);
	tcase_add_test(tc, a_silent_other_address_is_never_taken_for_an_independent_mapping);
	tcase_add_test(tc, says_on_what_a_mapping_depends_only_as_far_as_it_is_proven);
	tcase_add_test(tc, a_filter_is_dependent_only_if_the_server_is_proven_to_do_what_it_is_asked);
	tcase_add_test(tc, a_filter_of_which_only_half_is_proven_is_unknown_behind_a_nat);
	tcase_add_test(tc, any_proven_filter_before_a_host_that_is_not_translated_is_a_firewall);
	tcase_add_test(tc, accepts_silence_behind_a_mapping_by_destination_and_says_so);
	tcase_add_test(tc, silence_says_nothing_where_the_control_is_not_answered);
	tcase_add_test(tc, each_socket_is_compared_with_its_own_address);
	tcase_add_test(tc, the_same_address_with_another_port_is_a_nat);
	tcase_add_test(tc, a_mapping_by_destination_with_an_open_filter_is_symmetric_and_both_are_told);
	tcase_add_test(tc, a_pool_lists_all_its_addresses_the_likeliest_first);
	tcase_add_test(tc, judges_ipv6_as_ipv4_and_a_private_mapped_address_is_told);
	tcase_add_test(tc, a_shared_address_is_a_carriers_nat_and_a_private_one_another);
	tcase_add_test(tc, finds_a_type_by_its_name_and_by_nothing_else);
}

int main(void)
{
	return unit_main("nat", add);
}
