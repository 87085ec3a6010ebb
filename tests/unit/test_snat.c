/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "snat.h"
#include "unit.h"

#define IPVS                                                                                                 \
	"-A POSTROUTING -m ipvs --ipvs --vdir ORIGINAL --vmethod MASQ -m comment --comment sonm-gateway -j "
#define PORTS "ct original proto-dst 32768-33768 "
#define TABLE                                                                                                \
	"vips { 192.0.2.1, 192.0.2.10, 192.0.2.9 }; ct original ip daddr != @vips return; ip daddr @vips "   \
	"return; "                                                                                           \
	"ct status dnat return; meta l4proto tcp " PORTS "masquerade; meta l4proto udp " PORTS               \
	"masquerade; meta l4proto sctp " PORTS "masquerade"

static struct addr address(const char *text)
{
	struct addr a;
	struct err e;

	ck_assert_int_eq(addr_parse(&e, text, &a), 0);
	return a;
}

static struct config config(enum snat_mode mode, const char *to)
{
	struct config c;

	config_default(&c);
	c.snat = mode;
	if (to)
		c.snat_address = address(to);
	return c;
}

START_TEST(writes_the_rule_of_iptables_for_each_mode)
{
	char text[SNAT_TEXT_MAX];
	struct config c = config(SNAT_IPVS, NULL);

	snat_rule(&c, AF_INET, text);
	ck_assert_str_eq(text, IPVS "MASQUERADE");
	c = config(SNAT_MASQUERADE, NULL);
	snat_rule(&c, AF_INET6, text);
	ck_assert_str_eq(text, "-A POSTROUTING -m comment --comment sonm-gateway -j MASQUERADE");
	c = config(SNAT_ADDRESS, "10.0.0.1");
	snat_rule(&c, AF_INET, text);
	ck_assert_str_eq(text, IPVS "SNAT --to-source 10.0.0.1");
	snat_rule(&c, AF_INET6, text);
	ck_assert_str_eq(text, IPVS "MASQUERADE");
}
END_TEST

START_TEST(writes_the_table_of_nft_for_each_mode)
{
	struct addr vips[] = { address("192.0.2.9"), address("192.0.2.10"), address("192.0.2.1") };
	struct addr vip6 = address("2001:db8::1");
	char text[SNAT_TEXT_MAX];
	struct config c = config(SNAT_IPVS, NULL);
	struct err e;

	ck_assert_int_eq(snat_table(&e, &c, AF_INET, vips, 3, text), 0);
	ck_assert_str_eq(text, TABLE);
	c.port_last = c.port_first;
	ck_assert_int_eq(snat_table(&e, &c, AF_INET6, &vip6, 1, text), 0);
	ck_assert(strstr(
	    text, "vips { 2001:db8::1 }; ct original ip6 daddr != @vips return; ip6 daddr @vips return;"));
	ck_assert(strstr(text, "meta l4proto sctp ct original proto-dst 32768 masquerade"));
	c = config(SNAT_ADDRESS, "10.0.0.1");
	ck_assert_int_eq(snat_table(&e, &c, AF_INET, vips, 1, text), 0);
	ck_assert(strstr(text, "meta l4proto udp " PORTS "snat to 10.0.0.1;"));
	ck_assert_int_eq(snat_table(&e, &c, AF_INET6, &vip6, 1, text), 0);
	ck_assert(strstr(text, PORTS "masquerade"));
	c = config(SNAT_MASQUERADE, NULL);
	ck_assert_int_eq(snat_table(&e, &c, AF_INET, NULL, 0, text), 0);
	ck_assert_str_eq(text, "masquerade");
}
END_TEST

START_TEST(refuses_more_vips_than_it_has_room_for)
{
	struct addr vips[CONFIG_ADDRESSES_MAX];
	char text[SNAT_TEXT_MAX] = "unchanged", commands[SNAT_COMMAND_MAX];
	struct config c = config(SNAT_IPVS, NULL);
	struct err e;
	size_t n = 0;

	for (size_t i = 0; i < CONFIG_ADDRESSES_MAX; i++) {
		char name[ADDR_STRLEN];

		snprintf(name, sizeof(name), "2001:db8:1111:2222:3333:4444:5555:%zx", 0x1000 + i);
		vips[i] = address(name);
	}
	ck_assert_int_eq(snat_table(&e, &c, AF_INET6, vips, CONFIG_ADDRESSES_MAX, text), -E2BIG);
	ck_assert_str_eq(text, "unchanged");
	while (snat_table(&e, &c, AF_INET6, vips, n + 1, text) == 0)
		n++;
	ck_assert_uint_gt(n, 10);
	ck_assert_int_eq(snat_table(&e, &c, AF_INET6, vips, n, text), 0);
	ck_assert_int_eq(snat_commands(&e, AF_INET6, text, commands), 0);
}
END_TEST

START_TEST(makes_the_table_anew_in_one_transaction)
{
	char commands[SNAT_COMMAND_MAX];
	struct err e;

	ck_assert_int_eq(snat_commands(&e, AF_INET6, "vips { ::2, ::3 }; a return; b", commands), 0);
	ck_assert_str_eq(
	    commands, "add table ip6 sonm_gateway; delete table ip6 sonm_gateway; table ip6 sonm_gateway { "
		      "set vips { type ipv6_addr; elements = { ::2, ::3 }; }; "
		      "chain postrouting { type nat hook postrouting priority 100; "
		      "a return comment \"sonm-gateway\"; b comment \"sonm-gateway\"; }; }");
	ck_assert_int_eq(snat_commands(&e, AF_INET, "masquerade", commands), 0);
	ck_assert_str_eq(commands,
			 "add table ip sonm_gateway; delete table ip sonm_gateway; table ip sonm_gateway { "
			 "chain postrouting { type nat hook postrouting priority 100; "
			 "masquerade comment \"sonm-gateway\"; }; }");
}
END_TEST

/* What nft 1.0.6 on Linux 6.1 printed of such a table. */
#define HEAD "{\"nftables\": [{\"metainfo\": {\"version\": \"1.0.6\"}}, " \
	"{\"table\": {\"family\": \"ip\", \"name\": \"sonm_gateway\", \"handle\": 6}}, "
#define SET                                                                                                  \
	"{\"set\": {\"family\": \"ip\", \"name\": \"vips\", \"table\": \"sonm_gateway\", \"type\": "         \
	"\"ipv4_addr\", "                                                                                    \
	"\"handle\": 1, \"elem\": [\"192.0.2.1\", \"192.0.2.9\", \"192.0.2.10\"]}}, "
#define CHAIN(prio)                                                                                          \
	"{\"chain\": {\"family\": \"ip\", \"table\": \"sonm_gateway\", \"name\": \"postrouting\", "          \
	"\"handle\": 2, "                                                                                    \
	"\"type\": \"nat\", \"hook\": \"postrouting\", \"prio\": " prio ", \"policy\": \"accept\"}}"
#define RULE(expr)                                                                                           \
	", {\"rule\": {\"family\": \"ip\", \"table\": \"sonm_gateway\", \"chain\": \"postrouting\", "        \
	"\"handle\": 3, \"comment\": \"sonm-gateway\", \"expr\": [" expr "]}}"
#define MATCH(op, left, right)                                                                               \
	"{\"match\": {\"op\": \"" op "\", \"left\": {" left "}, \"right\": " right "}}, "
#define TO_POOL(protocol)                                                                                    \
	RULE(MATCH("==", "\"meta\": {\"key\": \"l4proto\"}", "\"" protocol "\"")                             \
		 MATCH("==", "\"ct\": {\"key\": \"proto-dst\", \"dir\": \"original\"}",                      \
		       "{\"range\": [32768, 33768]}") "{\"masquerade\": null}")
#define RULES                                                                                                \
	RULE(MATCH("!=", "\"ct\": {\"key\": \"ip daddr\", \"dir\": \"original\"}",                           \
		   "\"@vips\"") "{\"return\": null}")                                                        \
	RULE(MATCH("==", "\"payload\": {\"protocol\": \"ip\", \"field\": \"daddr\"}",                        \
		   "\"@vips\"") "{\"return\": null}")                                                        \
	RULE(MATCH("in", "\"ct\": {\"key\": \"status\"}", "\"dnat\"") "{\"return\": null}")                  \
	TO_POOL("tcp") TO_POOL("udp") TO_POOL("sctp")

static void described(const char *json, char text[static SNAT_TEXT_MAX])
{
	struct ruleset r;
	struct err e;

	ck_assert_int_eq(ruleset_parse(&e, json, &r), 0);
	snat_describe(&r, AF_INET, text);
	ruleset_clear(&r);
}

START_TEST(recognizes_whatever_table_a_mode_makes)
{
	static const char *const others[] = {
	    "", "masquerade random", "no rule of ours", "vips { 192.0.2.1 }; masquerade",
	    "vips { 192.0.2.1 }; meta l4proto tcp " PORTS "masquerade"};
	static const struct {
		enum snat_mode mode;
		const char *to;
	} modes[] = {{SNAT_IPVS, NULL}, {SNAT_MASQUERADE, NULL}, {SNAT_ADDRESS, "10.0.0.1"}};
	struct addr vips[] = { address("192.0.2.9"), address("192.0.2.10") };
	char text[SNAT_TEXT_MAX];
	struct err e;

	for (size_t i = 0; i < 2 * ARRAY_LEN(modes); i++) {
		struct config c = config(modes[i / 2].mode, modes[i / 2].to);

		if (i % 2)
			c.port_last = c.port_first;
		ck_assert_int_eq(snat_table(&e, &c, AF_INET, vips, 2, text), 0);
		ck_assert_msg(snat_is_made(text, AF_INET), "%s", text);
		if (modes[i / 2].mode != SNAT_MASQUERADE)
			ck_assert(!snat_is_made(text, AF_INET6));
		strcat(text, " random");
		ck_assert_msg(!snat_is_made(text, AF_INET), "%s", text);
		strcat(text, "; accept");
		ck_assert_msg(!snat_is_made(text, AF_INET), "%s", text);
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		ck_assert_msg(!snat_is_made(others[i], AF_INET), "%s", others[i]);
}
END_TEST

START_TEST(recognizes_its_table_and_what_differs_in_it)
{
	char text[SNAT_TEXT_MAX];

	described(HEAD SET CHAIN("100") RULES "]}", text);
	ck_assert_str_eq(text, TABLE);
	described(HEAD SET CHAIN("100") RULES RULE("{\"accept\": null}") "]}", text);
	ck_assert_str_ne(text, TABLE);
	described(HEAD SET CHAIN("300") RULES "]}", text);
	ck_assert_str_ne(text, TABLE);
	described(HEAD CHAIN("100") RULES "]}", text);
	ck_assert_str_ne(text, TABLE);
	described("{\"nftables\": []}", text);
	ck_assert_str_eq(text, "no rule of ours");
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, writes_the_rule_of_iptables_for_each_mode);
	tcase_add_test(tc, writes_the_table_of_nft_for_each_mode);
	tcase_add_test(tc, refuses_more_vips_than_it_has_room_for);
	tcase_add_test(tc, makes_the_table_anew_in_one_transaction);
	tcase_add_test(tc, recognizes_whatever_table_a_mode_makes);
	tcase_add_test(tc, recognizes_its_table_and_what_differs_in_it);
}

int main(void)
{
	return unit_main("snat", add);
}
