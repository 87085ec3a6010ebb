/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The words for a verdict. */
#include "nat_given.h"

/* Words that are there, are no line of their own, and differ. */
static void expect_words(const char *const words[], size_t n, bool names)
{
	for (size_t i = 0; i < n; i++) {
		ck_assert_msg(words[i] && *words[i], "%d has no words", (int)i);
		ck_assert_msg(!strpbrk(words[i], "\n\t\"\\"), "%s", words[i]);
		ck_assert_msg(words[i][strlen(words[i]) - 1] != '.', "%s", words[i]);
		if (names)
			ck_assert_msg(!words[i][strspn(words[i], "abcdefghijklmnopqrstuvwxyz_")], "%s",
				      words[i]);
		for (size_t k = 0; k < i; k++)
			ck_assert_msg(strcmp(words[i], words[k]) != 0, "%s twice", words[i]);
	}
}

START_TEST(every_reason_has_a_name_and_a_text_of_its_own)
{
	const char *names[NAT_REASONS], *texts[NAT_REASONS];

	for (unsigned bit = 0; bit < NAT_REASONS; bit++) {
		names[bit] = nat_reason_name((enum nat_reason)(1U << bit));
		texts[bit] = nat_reason_text((enum nat_reason)(1U << bit));
	}
	expect_words(names, NAT_REASONS, true);
	expect_words(texts, NAT_REASONS, false);
	ck_assert_str_eq(nat_reason_name(NAT_REASON_NO_OTHER), "no_other_address");
	ck_assert_str_eq(nat_reason_name(NAT_REASON_SHARED), "carrier_grade_nat");
	ck_assert_str_eq(nat_reason_name(NAT_REASON_CONFIGURED), "configured");
}
END_TEST

START_TEST(every_type_and_behaviour_has_its_name_and_text)
{
	static const char *const types[][2] = {
		{ "unknown", "Unknown" },
		{ "none", "Not behind a NAT" },
		{ "blocked", "UDP is blocked" },
		{ "full", "Full cone NAT" },
		{ "restricted", "Restricted NAT" },
		{ "port_restricted", "Port restricted NAT" },
		{ "symmetric", "Symmetric NAT" },
		{ "symmetric_udp_firewall", "Symmetric UDP firewall" },
	};
	static const char *const behaviours[][2] = {
		{ "unknown", "unknown" },
		{ "none", "none" },
		{ EI, "endpoint independent" },
		{ AD, "address dependent" },
		{ APD, "address and port dependent" },
	};

	for (enum nat_type t = NAT_UNKNOWN; t <= NAT_SYMMETRIC_UDP_FIREWALL; t++) {
		ck_assert_str_eq(nat_type_name(t), types[t][0]);
		ck_assert_str_eq(nat_type_text(t), types[t][1]);
	}
	for (enum nat_behaviour b = NAT_BEHAVIOUR_UNKNOWN; b <= NAT_ADDRESS_AND_PORT_DEPENDENT; b++) {
		ck_assert_str_eq(nat_behaviour_name(b), behaviours[b][0]);
		ck_assert_str_eq(nat_behaviour_text(b), behaviours[b][1]);
	}
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, every_reason_has_a_name_and_a_text_of_its_own);
	tcase_add_test(tc, every_type_and_behaviour_has_its_name_and_text);
}

int main(void)
{
	return unit_main("nat_text", add);
}
