/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What several servers' verdicts lead to. Addresses have letters: nat_given.h. */
#include "nat_given.h"

/* A verdict that saw the addresses of these letters. */
static struct nat_verdict saw(enum nat_type type, const char *letters, uint32_t reasons)
{
	struct nat_verdict v = { .type = type, .reasons = reasons };

	for (; *letters; letters++)
		v.public[v.n_public++] = given_endpoint(given_mapped(*letters));
	if (type == NAT_SYMMETRIC)
		v.mapping = NAT_ADDRESS_AND_PORT_DEPENDENT;
	return v;
}

static struct nat_verdict typed(enum nat_type type, const char *letters)
{
	return saw(type, letters, 0);
}

/* chosen: its index; type and reasons are those of out. */
static void expect_combined(const struct nat_verdict verdicts[], size_t n, size_t chosen, uint32_t reasons,
			    const char *public)
{
	struct nat_verdict v;

	memset(&v, 0xff, sizeof(v));
	ck_assert_uint_eq(nat_combine(verdicts, n, &v), chosen);
	ck_assert_int_eq(v.type, verdicts[chosen].type);
	ck_assert_int_eq(v.mapping, verdicts[chosen].mapping);
	ck_assert_int_eq(v.filtering, verdicts[chosen].filtering);
	ck_assert_uint_eq(v.reasons, reasons);
	expect_public(&v, public);
}

#define EXPECT_COMBINED(verdicts, chosen, reasons, public) \
	expect_combined(verdicts, ARRAY_LEN(verdicts), chosen, reasons, public)

#define A "203.0.113.7:1001"
#define B "203.0.113.7:1002"
#define S "100.64.0.9:1001"
#define X "203.0.113.8:1001"
#define Y "203.0.113.9:1002"

START_TEST(one_server_is_right)
{
	struct nat_verdict one = saw(NAT_SYMMETRIC, "ax", NAT_REASON_POOL);

	expect_combined(&one, 1, 0, NAT_REASON_POOL, A " " X);
	one = typed(NAT_UNKNOWN, "");
	expect_combined(&one, 1, 0, 0, "");
}
END_TEST

START_TEST(the_first_server_with_a_type_is_preferred)
{
	struct nat_verdict same[] = { typed(NAT_FULL, "a"), typed(NAT_FULL, "b") };
	struct nat_verdict later[] = { saw(NAT_UNKNOWN, "a", NAT_REASON_NO_OTHER), typed(NAT_RESTRICTED, "b"),
				       typed(NAT_RESTRICTED, "c") };

	EXPECT_COMBINED(same, 0, 0, A);
	EXPECT_COMBINED(later, 1, 0, B);
}
END_TEST

START_TEST(of_two_that_differ_in_type_the_preferred_one_is_taken_and_it_is_told)
{
	struct nat_verdict v[] = { typed(NAT_RESTRICTED, "a"), typed(NAT_PORT_RESTRICTED, "a") };

	EXPECT_COMBINED(v, 0, NAT_REASON_CONTRADICT, A);
}
END_TEST

START_TEST(two_servers_that_see_different_addresses_disagree)
{
	struct nat_verdict v[] = { typed(NAT_FULL, "x"), typed(NAT_FULL, "a") };
	struct nat_verdict only_second_knows[] = { typed(NAT_UNKNOWN, "x"), typed(NAT_FULL, "a") };
	struct nat_verdict neither[] = { typed(NAT_UNKNOWN, "x"), typed(NAT_UNKNOWN, "a") };

	EXPECT_COMBINED(v, 0, NAT_REASON_DISAGREE, X " " A);
	EXPECT_COMBINED(only_second_knows, 1, NAT_REASON_DISAGREE, A " " X);
	EXPECT_COMBINED(neither, 0, NAT_REASON_DISAGREE, X " " A);
}
END_TEST

START_TEST(a_third_opinion_outvotes_the_first)
{
	struct nat_verdict v[] = { typed(NAT_FULL, "x"), typed(NAT_RESTRICTED, "a"),
				   typed(NAT_RESTRICTED, "b") };

	EXPECT_COMBINED(v, 1, NAT_REASON_DISAGREE | NAT_REASON_CONTRADICT, A " " X);
}
END_TEST

/* The type is that of the way that most servers see, or unknown. */
START_TEST(a_type_does_not_outvote_an_address)
{
	struct nat_verdict v[] = { typed(NAT_NONE, "x"), saw(NAT_UNKNOWN, "a", NAT_REASON_NO_OTHER),
				   saw(NAT_UNKNOWN, "b", NAT_REASON_NO_OTHER) };

	EXPECT_COMBINED(v, 1, NAT_REASON_NO_OTHER | NAT_REASON_DISAGREE, A " " X);
}
END_TEST

START_TEST(different_addresses_through_a_mapping_by_destination_are_a_pool)
{
	struct nat_verdict v[] = { typed(NAT_SYMMETRIC, "a"), typed(NAT_SYMMETRIC, "x") };
	struct nat_verdict one_knows[] = { typed(NAT_UNKNOWN, "a"), typed(NAT_SYMMETRIC, "x") };
	struct nat_verdict outvoted[] = { typed(NAT_UNKNOWN, "a"), typed(NAT_UNKNOWN, "b"),
					  typed(NAT_SYMMETRIC, "x") };
	struct nat_verdict outvoted_but_typed[] = { typed(NAT_UNKNOWN, "a"), typed(NAT_UNKNOWN, "b"),
						    saw(NAT_FULL, "xy", NAT_REASON_POOL) };
	struct nat_verdict seen_by_one[] = { saw(NAT_FULL, "ax", NAT_REASON_POOL), typed(NAT_FULL, "y") };

	EXPECT_COMBINED(v, 0, NAT_REASON_POOL, A " " X);
	EXPECT_COMBINED(one_knows, 1, NAT_REASON_POOL, X " " A);
	EXPECT_COMBINED(outvoted, 2, NAT_REASON_POOL, A " " X);
	EXPECT_COMBINED(outvoted_but_typed, 2, NAT_REASON_POOL, A " " X " " Y);
	EXPECT_COMBINED(seen_by_one, 0, NAT_REASON_POOL, A " " X " " Y);
}
END_TEST

START_TEST(servers_that_share_an_address_of_the_pool_agree)
{
	struct nat_verdict v[] = { typed(NAT_FULL, "ax"), typed(NAT_FULL, "yx") };

	EXPECT_COMBINED(v, 0, 0, X " " A " " Y);
	ck_assert(!nat_disagree(&v[0], &v[1]));
}
END_TEST

START_TEST(each_address_is_listed_once_and_at_most_eight)
{
	struct nat_verdict v[12];

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		v[i] = typed(NAT_SYMMETRIC, "a");
		v[i].public[0].addr.bytes[3] = (uint8_t)(i < 10 ? i : 9);
	}
	expect_combined(v, 12, 9, NAT_REASON_POOL,
			"203.0.113.9:1001 203.0.113.0:1001 203.0.113.1:1001 203.0.113.2:1001 "
			"203.0.113.3:1001 203.0.113.4:1001 203.0.113.5:1001 203.0.113.6:1001");
}
END_TEST

START_TEST(more_addresses_than_can_be_counted_are_left_out)
{
	static struct nat_verdict v[30];

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		v[i] = saw(NAT_SYMMETRIC, "aaaaaaaa", NAT_REASON_POOL);
		for (size_t k = 0; k < NAT_PUBLIC_MAX; k++)
			v[i].public[k].addr.bytes[3] = (uint8_t)(i * NAT_PUBLIC_MAX + k);
	}
	v[29].public[0] = v[7].public[7]; /* the last one that is counted */
	expect_combined(v, 30, 7, NAT_REASON_POOL,
			"203.0.113.63:1001 203.0.113.56:1001 203.0.113.57:1001 203.0.113.58:1001 "
			"203.0.113.59:1001 203.0.113.60:1001 203.0.113.61:1001 203.0.113.62:1001");
}
END_TEST

START_TEST(udp_is_blocked_only_if_no_server_answered)
{
	struct nat_verdict known[] = { saw(NAT_BLOCKED, "", NAT_REASON_ALL_SILENT), typed(NAT_FULL, "a") };
	struct nat_verdict untyped[] = { saw(NAT_BLOCKED, "", NAT_REASON_PROHIBITED),
					 saw(NAT_UNKNOWN, "a", NAT_REASON_NO_OTHER) };
	struct nat_verdict error[] = { saw(NAT_BLOCKED, "", NAT_REASON_ALL_SILENT),
				       saw(NAT_UNKNOWN, "", NAT_REASON_SERVER_ERROR) };
	struct nat_verdict down[] = { saw(NAT_UNKNOWN, "", NAT_REASON_DOWN),
				      saw(NAT_UNKNOWN, "", NAT_REASON_LOSS),
				      saw(NAT_BLOCKED, "", NAT_REASON_ALL_SILENT) };

	EXPECT_COMBINED(known, 1, 0, A);
	EXPECT_COMBINED(untyped, 1, NAT_REASON_NO_OTHER, A);
	EXPECT_COMBINED(error, 1, NAT_REASON_SERVER_ERROR, "");
	error[1] = (struct nat_verdict){ .filtering = NAT_ENDPOINT_INDEPENDENT, .reasons = NAT_REASON_LOSS };
	EXPECT_COMBINED(error, 1, NAT_REASON_LOSS, "");
	EXPECT_COMBINED(down, 0, NAT_REASON_DOWN, ""); /* by ICMP: something comes back */
}
END_TEST

START_TEST(of_several_that_are_blocked_the_most_certain_is_taken)
{
	static const uint32_t certain[] = { NAT_REASON_PROHIBITED, NAT_REASON_LOCAL_FIREWALL,
					    NAT_REASON_TCP_ANSWERS };

	for (size_t i = 0; i < ARRAY_LEN(certain); i++) {
		struct nat_verdict v[] = { saw(NAT_BLOCKED, "", NAT_REASON_ALL_SILENT),
					   saw(NAT_BLOCKED, "", NAT_REASON_TCP_REFUSED),
					   saw(NAT_BLOCKED, "", certain[i]) };

		EXPECT_COMBINED(v, 2, certain[i], "");
		expect_combined(v, 2, 1, NAT_REASON_TCP_REFUSED, "");
	}
}
END_TEST

/* It sees us as its network does, without the NAT that follows. */
START_TEST(a_server_on_this_side_of_a_nat_has_no_vote)
{
	struct nat_verdict v[] = { typed(NAT_NONE, "p"), typed(NAT_PORT_RESTRICTED, "a") };
	struct nat_verdict carrier[] = { typed(NAT_FULL, "s"), typed(NAT_FULL, "s"),
					 typed(NAT_RESTRICTED, "a") };
	struct nat_verdict inside[] = { typed(NAT_NONE, "p"), typed(NAT_NONE, "p") };

	EXPECT_COMBINED(v, 1, NAT_REASON_DISAGREE | NAT_REASON_CONTRADICT, A " 192.168.1.5:1001");
	EXPECT_COMBINED(carrier, 2, NAT_REASON_DISAGREE | NAT_REASON_CONTRADICT, A " 100.64.0.9:1001");
	EXPECT_COMBINED(inside, 0, 0, "192.168.1.5:1001");
}
END_TEST

/* The one that sees no firewall may be on this side of it. */
START_TEST(of_two_opinions_the_open_one_loses)
{
	struct nat_verdict v[] = { typed(NAT_NONE, "a"), typed(NAT_SYMMETRIC_UDP_FIREWALL, "a") };
	struct nat_verdict turned[] = { v[1], v[0] };
	struct nat_verdict three[] = { v[0], v[1], v[0] };

	EXPECT_COMBINED(v, 1, NAT_REASON_CONTRADICT, A);
	EXPECT_COMBINED(turned, 0, NAT_REASON_CONTRADICT, A);
	EXPECT_COMBINED(three, 0, NAT_REASON_CONTRADICT, A);
}
END_TEST

START_TEST(the_type_that_most_servers_find_is_taken)
{
	struct nat_verdict v[] = { typed(NAT_PORT_RESTRICTED, "a"), typed(NAT_FULL, "a"), typed(NAT_FULL, "b") };

	EXPECT_COMBINED(v, 1, NAT_REASON_CONTRADICT, A);
}
END_TEST

/* Of a pool, one server may be asked through one address only, and another through several. */
START_TEST(a_mapping_by_destination_that_one_has_seen_disproves_the_others_in_any_order)
{
	static const size_t orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
					    { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
	const struct nat_verdict found[] = { typed(NAT_FULL, "a"), typed(NAT_FULL, "b"),
					     typed(NAT_SYMMETRIC, "x") };
	const struct nat_verdict whole[] = { saw(NAT_PORT_RESTRICTED, "ax", NAT_REASON_POOL),
					     typed(NAT_FULL, "a"), typed(NAT_SYMMETRIC, "a") };

	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		struct nat_verdict v[3], joined;
		size_t at = 0;

		for (size_t k = 0; k < 3; k++) {
			v[k] = found[orders[i][k]];
			v[k].filtering = NAT_ENDPOINT_INDEPENDENT;
			if (orders[i][k] == 2)
				at = k;
		}
		v[at].filtering = NAT_BEHAVIOUR_UNKNOWN;
		ck_assert_uint_eq(nat_combine(v, 3, &joined), at);
		ck_assert_int_eq(joined.type, NAT_SYMMETRIC);
		ck_assert_uint_eq(joined.reasons, NAT_REASON_POOL | NAT_REASON_CONTRADICT);
		for (size_t k = 0; k < 3; k++)
			v[k] = whole[orders[i][k]];
		ck_assert_uint_eq(nat_combine(v, 3, &joined), at);
		ck_assert_int_eq(joined.type, NAT_SYMMETRIC);
	}
}
END_TEST

START_TEST(addresses_that_others_can_use_are_listed_first)
{
	struct nat_verdict one[] = { typed(NAT_SYMMETRIC, "psxa") };
	struct nat_verdict outvoted[] = { typed(NAT_SYMMETRIC, "p"), typed(NAT_SYMMETRIC, "p"),
					  typed(NAT_SYMMETRIC, "s"), typed(NAT_SYMMETRIC, "xa"),
					  typed(NAT_SYMMETRIC, "a") };

	EXPECT_COMBINED(one, 0, 0, X " " A " 192.168.1.5:1001 100.64.0.9:1001");
	EXPECT_COMBINED(outvoted, 3, NAT_REASON_POOL, A " " X " 192.168.1.5:1001 100.64.0.9:1001");
}
END_TEST

START_TEST(who_knows_the_filtering_too_is_preferred)
{
	struct nat_verdict v[] = { typed(NAT_SYMMETRIC, "a"), typed(NAT_SYMMETRIC, "b") };

	v[0].filtering = NAT_BEHAVIOUR_UNKNOWN;
	v[1].filtering = NAT_ADDRESS_DEPENDENT;
	EXPECT_COMBINED(v, 1, 0, B);
}
END_TEST

START_TEST(a_server_that_is_down_counts_for_nothing)
{
	struct nat_verdict v[] = { saw(NAT_UNKNOWN, "", NAT_REASON_DOWN),
				   saw(NAT_UNKNOWN, "", NAT_REASON_LOSS) };
	struct nat_verdict good[] = { saw(NAT_UNKNOWN, "", NAT_REASON_DOWN), typed(NAT_SYMMETRIC, "a") };
	struct nat_verdict all[] = { saw(NAT_UNKNOWN, "", NAT_REASON_DOWN),
				     saw(NAT_UNKNOWN, "", NAT_REASON_DOWN) };
	struct nat_verdict unasked[] = { typed(NAT_UNKNOWN, ""), saw(NAT_UNKNOWN, "", NAT_REASON_LOSS) };

	EXPECT_COMBINED(v, 0, NAT_REASON_DOWN, "");
	EXPECT_COMBINED(good, 1, 0, A);
	EXPECT_COMBINED(all, 0, NAT_REASON_DOWN, "");
	EXPECT_COMBINED(unasked, 1, NAT_REASON_LOSS, "");
}
END_TEST

/* Something between may send TCP another way. */
START_TEST(an_address_seen_over_tcp_counts_only_if_there_is_no_other)
{
	struct nat_verdict v[] = { saw(NAT_BLOCKED, "x", NAT_REASON_TCP_ANSWERS),
				   saw(NAT_BLOCKED, "x", NAT_REASON_TCP_ANSWERS), typed(NAT_FULL, "a") };
	struct nat_verdict tcp[] = { saw(NAT_BLOCKED, "", NAT_REASON_TCP_REFUSED),
				     saw(NAT_BLOCKED, "x", NAT_REASON_TCP_ANSWERS),
				     saw(NAT_BLOCKED, "ya", NAT_REASON_TCP_ANSWERS),
				     saw(NAT_BLOCKED, "b", NAT_REASON_TCP_ANSWERS) };

	EXPECT_COMBINED(v, 2, 0, A);
	EXPECT_COMBINED(tcp, 1, NAT_REASON_TCP_ANSWERS, A " " X " " Y);
}
END_TEST

START_TEST(writes_over_a_verdict_that_it_reads)
{
	struct nat_verdict v[] = { typed(NAT_UNKNOWN, "s"), typed(NAT_FULL, "s") };

	ck_assert_uint_eq(nat_combine(v, 2, &v[0]), 1);
	ck_assert_int_eq(v[0].type, NAT_FULL);
	expect_public(&v[0], S);
}
END_TEST

START_TEST(knows_when_a_third_opinion_is_needed)
{
	static const struct {
		enum nat_type type_a, type_b;
		const char *saw_a, *saw_b;
		bool disagree;
	} rows[] = {
		{ NAT_FULL, NAT_FULL, "a", "b", false },
		{ NAT_FULL, NAT_FULL, "a", "x", true },
		{ NAT_UNKNOWN, NAT_FULL, "a", "x", true },
		{ NAT_UNKNOWN, NAT_UNKNOWN, "a", "x", true },
		{ NAT_UNKNOWN, NAT_UNKNOWN, "a", "b", false },
		{ NAT_UNKNOWN, NAT_UNKNOWN, "a", "", false },
		{ NAT_UNKNOWN, NAT_FULL, "", "x", false },
		{ NAT_UNKNOWN, NAT_FULL, "a", "b", false },
		{ NAT_FULL, NAT_RESTRICTED, "a", "b", true },
		{ NAT_NONE, NAT_SYMMETRIC_UDP_FIREWALL, "a", "a", true },
		{ NAT_SYMMETRIC, NAT_SYMMETRIC, "a", "x", false },
		{ NAT_SYMMETRIC, NAT_UNKNOWN, "a", "x", false },
		{ NAT_SYMMETRIC, NAT_FULL, "a", "a", true },
		{ NAT_SYMMETRIC, NAT_FULL, "a", "x", true },
		{ NAT_BLOCKED, NAT_FULL, "", "a", false },
		{ NAT_BLOCKED, NAT_UNKNOWN, "", "", false },
		{ NAT_BLOCKED, NAT_BLOCKED, "", "", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct nat_verdict a = typed(rows[i].type_a, rows[i].saw_a);
		struct nat_verdict b = typed(rows[i].type_b, rows[i].saw_b);

		ck_assert_msg(nat_disagree(&a, &b) == rows[i].disagree, "row %d", (int)i);
		ck_assert_msg(nat_disagree(&b, &a) == rows[i].disagree, "row %d, turned round", (int)i);
	}
}
END_TEST

START_TEST(an_address_seen_over_tcp_needs_no_third_opinion)
{
	struct nat_verdict a = saw(NAT_BLOCKED, "x", NAT_REASON_TCP_ANSWERS), b = typed(NAT_FULL, "a");

	ck_assert(!nat_disagree(&a, &b));
	ck_assert(!nat_disagree(&b, &a));
}
END_TEST

START_TEST(only_a_host_with_an_address_for_everyone_needs_no_gateway)
{
	for (enum nat_type type = NAT_UNKNOWN; type <= NAT_SYMMETRIC_UDP_FIREWALL; type++) {
		struct nat_verdict v = typed(type, "a");

		ck_assert_msg(nat_needs_gateway(&v) == (type != NAT_NONE), "%s", nat_type_name(type));
	}
}
END_TEST

START_TEST(a_host_without_nat_needs_a_gateway_if_its_address_is_not_for_everyone)
{
	static const char *const inside[] = { "10.1.2.3:1", "100.64.0.9:1", "169.254.1.1:1", "127.0.0.1:1",
					      "[fd00::1]:1", "[fe80::1]:1", "[::1]:1" };
	struct nat_verdict v = typed(NAT_NONE, "");

	ck_assert(nat_needs_gateway(&v));
	for (size_t i = 0; i < ARRAY_LEN(inside); i++) {
		v = typed(NAT_NONE, "a");
		v.public[0] = given_endpoint(inside[i]);
		ck_assert_msg(nat_needs_gateway(&v), "%s", inside[i]);
	}
	v = typed(NAT_NONE, "a");
	v.public[0] = given_endpoint("[2001:db8::1]:1");
	ck_assert(!nat_needs_gateway(&v));
	v = typed(NAT_NONE, "pa");
	ck_assert(nat_needs_gateway(&v));
	v = typed(NAT_NONE, "ap");
	ck_assert(!nat_needs_gateway(&v));
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, one_server_is_right);
	tcase_add_test(tc, the_first_server_with_a_type_is_preferred);
	tcase_add_test(tc, of_two_that_differ_in_type_the_preferred_one_is_taken_and_it_is_told);
	tcase_add_test(tc, two_servers_that_see_different_addresses_disagree);
	tcase_add_test(tc, a_third_opinion_outvotes_the_first);
	tcase_add_test(tc, a_type_does_not_outvote_an_address);
	tcase_add_test(tc, different_addresses_through_a_mapping_by_destination_are_a_pool);
	tcase_add_test(tc, servers_that_share_an_address_of_the_pool_agree);
	tcase_add_test(tc, each_address_is_listed_once_and_at_most_eight);
	tcase_add_test(tc, more_addresses_than_can_be_counted_are_left_out);
	tcase_add_test(tc, udp_is_blocked_only_if_no_server_answered);
	tcase_add_test(tc, of_several_that_are_blocked_the_most_certain_is_taken);
	tcase_add_test(tc, a_server_on_this_side_of_a_nat_has_no_vote);
	tcase_add_test(tc, of_two_opinions_the_open_one_loses);
	tcase_add_test(tc, the_type_that_most_servers_find_is_taken);
	tcase_add_test(tc, a_mapping_by_destination_that_one_has_seen_disproves_the_others_in_any_order);
	tcase_add_test(tc, addresses_that_others_can_use_are_listed_first);
	tcase_add_test(tc, who_knows_the_filtering_too_is_preferred);
	tcase_add_test(tc, a_server_that_is_down_counts_for_nothing);
	tcase_add_test(tc, an_address_seen_over_tcp_counts_only_if_there_is_no_other);
	tcase_add_test(tc, writes_over_a_verdict_that_it_reads);
	tcase_add_test(tc, knows_when_a_third_opinion_is_needed);
	tcase_add_test(tc, an_address_seen_over_tcp_needs_no_third_opinion);
	tcase_add_test(tc, only_a_host_with_an_address_for_everyone_needs_no_gateway);
	tcase_add_test(tc, a_host_without_nat_needs_a_gateway_if_its_address_is_not_for_everyone);
}

int main(void)
{
	return unit_main("nat_combine", add);
}
