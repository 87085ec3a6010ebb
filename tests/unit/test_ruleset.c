/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ruleset.h"
#include "unit.h"

#define HEAD "{\"nftables\": [{\"metainfo\": {\"version\": \"1.0.6\", \"json_schema_version\": 1}}"
#define TABLE(family, name)                                                                                  \
	", {\"table\": {\"family\": \"" family "\", \"name\": \"" name "\", \"handle\": 1}}"
#define BASE(family, table, name, type, hook, prio, policy)                                                  \
	", {\"chain\": {\"family\": \"" family "\", \"table\": \"" table "\", \"name\": \"" name             \
	"\", \"handle\": 1, "                                                                                \
	"\"type\": \"" type "\", \"hook\": \"" hook "\", \"prio\": " prio ", \"policy\": \"" policy "\"}}"
#define CHAIN(family, table, name)                                                                           \
	", {\"chain\": {\"family\": \"" family "\", \"table\": \"" table "\", \"name\": \"" name             \
	"\", \"handle\": 2}}"
#define RULE(family, table, chain, expr)                                                                     \
	", {\"rule\": {\"family\": \"" family "\", \"table\": \"" table "\", \"chain\": \"" chain            \
	"\", \"handle\": 7, "                                                                                \
	"\"comment\": \"mine\", \"expr\": [" expr "]}}"
#define TAIL "]}"

/* Expressions as nft 1.0.6 prints them. */
#define MATCH(op, left, right) "{\"match\": {\"op\": \"" op "\", \"left\": " left ", \"right\": " right "}}"
#define STATE "{\"ct\": {\"key\": \"state\"}}"
#define STATUS "{\"ct\": {\"key\": \"status\"}}"
#define META(key) "{\"meta\": {\"key\": \"" key "\"}}"
#define FIELD(protocol, field) "{\"payload\": {\"protocol\": \"" protocol "\", \"field\": \"" field "\"}}"
#define ORIGINAL_PORT "{\"ct\": {\"key\": \"proto-dst\", \"dir\": \"original\"}}"
#define SOURCE_TYPE "{\"fib\": {\"result\": \"type\", \"flags\": [\"saddr\"]}}"
#define ACCEPT "{\"accept\": null}"
#define DROP "{\"drop\": null}"
#define COUNTER "{\"counter\": {\"packets\": 3, \"bytes\": 180}}"

static struct ruleset parsed(const char *json)
{
	struct ruleset r;
	struct err e;

	ck_assert_msg(ruleset_parse(&e, json, &r) == 0, "%s: %s", json, e.msg);
	return r;
}

START_TEST(reads_tables_chains_sets_and_rules)
{
	struct ruleset r = parsed(
	    HEAD TABLE("inet", "fw")
		BASE("inet", "fw", "in", "filter", "input", "-10",
		     "drop") ", {\"set\": {\"family\": \"inet\", \"name\": \"s\", \"table\": \"fw\", "
			     "\"type\": \"ipv4_addr\", \"handle\": 1, "
			     "\"elem\": [\"192.0.2.2\", {\"prefix\": {\"addr\": \"10.0.0.0\", \"len\": 8}}, "
			     "\"192.0.2.1\"]}}" CHAIN("inet", "fw", "sub")
				 RULE("inet", "fw", "in", MATCH("==", META("l4proto"), "\"tcp\"") ", " ACCEPT)
				     RULE("inet", "fw", "in", DROP) TABLE("ip", "fw") TAIL);
	const struct ruleset_chain *c = ruleset_chain(&r, "inet", "fw", "in");

	ck_assert_uint_eq(r.n_tables, 2);
	ck_assert_uint_eq(ruleset_table(&r, "inet", "fw")->n_objects, 3);
	ck_assert_uint_eq(ruleset_table(&r, "ip", "fw")->n_objects, 0);
	ck_assert_ptr_null(ruleset_table(&r, "ip6", "fw"));
	ck_assert_str_eq(c->type, "filter");
	ck_assert_str_eq(c->hook, "input");
	ck_assert_int_eq(c->priority, -10);
	ck_assert(c->drops);
	ck_assert_uint_eq(c->n_rules, 2);
	ck_assert_str_eq(ruleset_chain(&r, "inet", "fw", "sub")->hook, "");
	ck_assert_uint_eq(ruleset_chain(&r, "inet", "fw", "sub")->n_rules, 0);
	ck_assert_str_eq(r.rules[0].text, "meta l4proto tcp accept");
	ck_assert_str_eq(r.rules[0].comment, "mine");
	ck_assert_str_eq(r.rules[0].handle, "7");
	ck_assert_str_eq(r.sets[0].text, "10.0.0.0/8, 192.0.2.1, 192.0.2.2");
	ck_assert(ruleset_sees(c, AF_INET) && ruleset_sees(c, AF_INET6));
	ruleset_clear(&r);
}
END_TEST

START_TEST(rejects_what_nft_does_not_print)
{
	static const char *const texts[] = {
	    "", "{}", "[]", "{\"nftables\": 1}", "{\"nftables\": [", "nftables:\n- 1\n"};
	struct ruleset r;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		ck_assert_msg(ruleset_parse(&e, texts[i], &r) < 0, "%s", texts[i]);
	r = parsed(HEAD
		   ", 1, [], {}, {\"chain\": 3}, {\"rule\": {\"expr\": {\"match\": []}}}, {\"set\": null}, "
		   "{\"rule\": {\"expr\": [null, [], {}, {\"match\": null}, {\"vmap\": 1}]}}" TAIL);
	ck_assert_uint_eq(r.n_rules, 2);
	ruleset_clear(&r);
}
END_TEST

START_TEST(says_a_rule_as_nft_does)
{
	static const struct {
		const char *expr, *text;
	} rules[] = {
	    {MATCH("in", STATE, "[\"established\", \"related\"]") ", " ACCEPT,
	     "ct state established,related accept"},
	    {MATCH("==", META("l4proto"), "6") ", " ACCEPT, "meta l4proto tcp accept"},
	    {MATCH("==", META("l4proto"), "132") ", " ACCEPT, "meta l4proto sctp accept"},
	    {MATCH("==", META("l4proto"), "{\"set\": [6, \"udp\", 47]}"), "meta l4proto { tcp, udp, 47 }"},
	    {MATCH("!=", "{\"fib\": {\"result\": \"type\", \"flags\": \"saddr\"}}", "\"local\""),
	     "fib saddr type != local"},
	    {MATCH("==", META("l4proto"), "47") ", " ACCEPT, "meta l4proto 47 accept"},
	    {MATCH("==", FIELD("tcp", "dport"), "{\"set\": [22, {\"range\": [80, 90]}]}") ", " COUNTER
											  ", " DROP,
	     "tcp dport { 22, 80-90 } counter drop"},
	    {MATCH("!=", META("iifname"), "\"lo\"") ", {\"jump\": {\"target\": \"sub\"}}",
	     "iifname != lo jump sub"},
	    {MATCH("!=", SOURCE_TYPE, "\"local\"") ", " MATCH("==", ORIGINAL_PORT, "{\"range\": [1, 2]}"),
	     "fib saddr type != local ct original proto-dst 1-2"},
	    {MATCH("==", FIELD("ip", "saddr"), "{\"prefix\": {\"addr\": \"10.0.0.0\", \"len\": 8}}"),
	     "ip saddr 10.0.0.0/8"},
	    {"{\"xt\": {\"type\": \"match\", \"name\": \"ipvs\"}}, {\"snat\": {\"addr\": \"10.0.0.1\"}}",
	     "xt ipvs snat to 10.0.0.1"},
	    {"{\"reject\": {\"type\": \"icmpx\", \"expr\": \"admin-prohibited\"}}", "reject"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		char json[1024];
		struct ruleset r;

		snprintf(json, sizeof(json), HEAD RULE("ip", "t", "c", "%s") TAIL, rules[i].expr);
		r = parsed(json);
		ck_assert_str_eq(r.rules[0].text, rules[i].text);
		ruleset_clear(&r);
	}
}
END_TEST

START_TEST(recognizes_a_rule_by_its_text)
{
	static const char pool[] = MATCH("==", META("l4proto"), "{\"set\": [6, 17]}") ", "
	    MATCH("==", FIELD("th", "dport"), "{\"range\": [1, 2]}");
	static const char source[] = MATCH("==", FIELD("ip", "saddr"), "\"192.0.2.1\"");
	static const struct {
		const char *expr, *end;
		bool same;
	} rules[] = {
	    {pool, ", " ACCEPT, true},
	    {pool, ", " COUNTER ", " ACCEPT, true},
	    {pool, ", " ACCEPT ", " COUNTER, true},
	    {pool, ", " DROP, false},
	    {pool, ", " COUNTER, false},
	    {pool, ", {\"limit\": {\"rate\": 5}}, " ACCEPT, false},
	    {source, ", " ACCEPT, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		char json[1024];
		struct ruleset r;

		snprintf(json, sizeof(json), HEAD RULE("ip", "t", "c", "%s%s") TAIL, rules[i].expr,
			 rules[i].end);
		r = parsed(json);
		ck_assert_msg(ruleset_says(&r.rules[0], "meta l4proto { tcp, udp } th dport 1-2 accept") ==
				  rules[i].same, "%s", r.rules[0].text);
		ck_assert(!ruleset_says(&r.rules[0], "meta l4proto { tcp, udp } th dport 1-2 accept more"));
		ck_assert(!ruleset_says(&r.rules[0], ""));
		ruleset_clear(&r);
	}
}
END_TEST

/* A packet to the pool, 1000-1010, or one that IPVS sends on. */
static struct portset pool;

static struct packet packet(const char *state, bool ipvs)
{
	pool = (struct portset){ 0 };
	portset_add_range(&pool, 1000, 1010);
	return (struct packet){ .family = AF_INET, .protocol = "tcp", .state = state, .ipvs = ipvs,
				.dports = ipvs || strcmp(state, "NEW") != 0 ? NULL : &pool, .pool = &pool };
}

/* What a chain of one rule with policy drop does. */
static enum verdict verdict_of(const char *expr, const struct packet *p)
{
	struct ruleset r;
	char json[2048];
	const char *decider;
	enum verdict v;

	snprintf(json, sizeof(json),
		 HEAD TABLE("inet", "f") BASE("inet", "f", "c", "filter", "input", "0", "drop")
		     RULE("inet", "f", "c", "%s") TAIL,
		 expr);
	r = parsed(json);
	v = ruleset_verdict(&r, &r.chains[0], p, &decider);
	ruleset_clear(&r);
	return v;
}

START_TEST(judges_conditions)
{
	const enum verdict P = VERDICT_PASS, S = VERDICT_STOP, U = VERDICT_UNKNOWN;
	const struct {
		const char *condition;
		enum verdict request, forwarded, answer;
	} rules[] = {
		{ COUNTER, P, P, P },
		{ MATCH("in", STATE, "[\"established\", \"related\"]"), S, S, P },
		{ MATCH("==", STATE, "{\"set\": [\"established\", \"new\"]}"), P, P, P },
		{ MATCH("in", STATE, "\"new\""), P, P, S },
		{ MATCH("!=", STATE, "\"new\""), S, S, P },
		{ MATCH("in", STATUS, "\"dnat\""), S, S, S },
		{ MATCH("!", STATUS, "\"dnat\""), P, P, P },
		{ MATCH("==", FIELD("tcp", "dport"), "{\"range\": [1000, 1010]}"), P, U, U },
		{ MATCH("==", FIELD("tcp", "dport"), "{\"range\": [900, 1005]}"), U, U, U },
		{ MATCH("==", FIELD("tcp", "dport"), "22"), S, U, U },
		{ MATCH("!=", FIELD("tcp", "dport"), "22"), P, U, U },
		{ MATCH("==", FIELD("tcp", "dport"), "{\"set\": [22, {\"range\": [1000, 1010]}]}"), P, U, U },
		{ MATCH("==", FIELD("tcp", "dport"), "\"@ports\""), U, U, U },
		{ MATCH("==", FIELD("th", "dport"), "{\"range\": [1, 65535]}"), P, U, U },
		{ MATCH("!=", FIELD("udp", "dport"), "22"), S, S, S },
		{ MATCH("==", META("l4proto"), "{\"set\": [\"tcp\", \"udp\"]}"), P, P, P },
		{ MATCH("==", META("l4proto"), "\"icmp\""), S, S, S },
		/* Without /etc/protocols. */
		{ MATCH("==", META("l4proto"), "{\"set\": [6, 17]}"), P, P, P },
		{ MATCH("==", META("l4proto"), "1"), S, S, S },
		{ MATCH("==", FIELD("ip", "protocol"), "\"tcp\""), P, P, P },
		{ MATCH("==", META("nfproto"), "\"ipv6\""), S, S, S },
		{ MATCH("==", FIELD("ip6", "saddr"), "\"::1\""), S, S, S },
		{ MATCH("==", FIELD("ip", "saddr"), "\"192.0.2.1\""), U, U, U },
		{ MATCH("==", META("iifname"), "\"lo\""), S, S, S },
		{ MATCH("!=", META("iifname"), "\"lo\""), P, P, P },
		{ MATCH("==", META("iifname"), "\"eth0\""), U, U, U },
		{ MATCH("==", META("iifname"), "{\"set\": [\"lo\", \"eth0\"]}"), U, U, U },
		{ MATCH("==", ORIGINAL_PORT, "{\"range\": [1000, 2000]}"), P, P, P },
		{ MATCH("==", ORIGINAL_PORT, "80"), S, S, S },
		{ MATCH("!=", SOURCE_TYPE, "\"local\""), U, P, U },
		{ MATCH("==", SOURCE_TYPE, "\"local\""), U, S, U },
		{ MATCH("!=", "{\"fib\": {\"result\": \"type\", \"flags\": \"saddr\"}}", "\"local\""), U, P, U },
		{ MATCH("<", META("mark"), "5"), U, U, U },
		{ "{\"limit\": {\"rate\": 3, \"burst\": 5, \"per\": \"second\"}}", U, U, U },
		{ "{\"log\": {\"prefix\": \"x\"}}", P, P, P },
		{ "{\"mangle\": {\"key\": {\"meta\": {\"key\": \"mark\"}}, \"value\": 1}}", P, P, P },
		{ "{\"xt\": {\"type\": \"match\", \"name\": \"conntrack\"}}", U, U, U },
		{ "{\"something of a later version\": null}", U, U, U },
	};
	struct packet request = packet("NEW", false), forwarded = packet("NEW", true),
		      answer = packet("ESTABLISHED", false);

	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		char expr[1024];

		snprintf(expr, sizeof(expr), "%s, " ACCEPT, rules[i].condition);
		ck_assert_msg(verdict_of(expr, &request) == rules[i].request, "request: %s", expr);
		ck_assert_msg(verdict_of(expr, &forwarded) == rules[i].forwarded, "forwarded: %s", expr);
		ck_assert_msg(verdict_of(expr, &answer) == rules[i].answer, "answer: %s", expr);
	}
}
END_TEST

START_TEST(judges_verdicts_and_maps_of_states)
{
#define MAP                                                                                                  \
	"{\"vmap\": {\"key\": " STATE ", \"data\": {\"set\": [[\"invalid\", " DROP                           \
	"], [\"established\", " ACCEPT "]]}}}"
	struct packet request = packet("NEW", false), answer = packet("ESTABLISHED", false);

	ck_assert_int_eq(verdict_of(MAP, &answer), VERDICT_PASS);
	ck_assert_int_eq(verdict_of(MAP, &request), VERDICT_STOP);
	ck_assert_int_eq(verdict_of(MAP ", " ACCEPT, &request), VERDICT_STOP);
	ck_assert_int_eq(verdict_of(ACCEPT, &request), VERDICT_PASS);
	ck_assert_int_eq(verdict_of("{\"return\": null}", &request), VERDICT_STOP);
	ck_assert_int_eq(verdict_of("{\"queue\": {\"num\": 1}}", &request), VERDICT_UNKNOWN);
	ck_assert_int_eq(verdict_of("{\"vmap\": {\"key\": " FIELD(
					"tcp", "dport") ", \"data\": {\"set\": [[22, " ACCEPT "]]}}}",
				    &request),
			 VERDICT_UNKNOWN);
	ck_assert_int_eq(verdict_of("{\"xt\": {\"type\": \"target\", \"name\": \"DROP\"}}", &request),
			 VERDICT_UNKNOWN);
}
END_TEST

START_TEST(follows_jumps_within_the_table)
{
	struct packet request = packet("NEW", false);
	struct ruleset r = parsed(
	    HEAD TABLE("inet", "f") BASE("inet", "f", "c", "filter", "input", "0", "accept")
		CHAIN("inet", "f", "zone") TABLE("inet", "g") CHAIN("inet", "g", "zone") RULE(
		    "inet", "g", "zone", ACCEPT) RULE("inet", "f", "c", "{\"jump\": {\"target\": \"zone\"}}")
		    RULE("inet", "f", "c", "{\"reject\": null}")
			RULE("inet", "f", "zone", MATCH("==", FIELD("tcp", "dport"), "22") ", " ACCEPT) TAIL);
	const char *decider;

	ck_assert_int_eq(ruleset_verdict(&r, &r.chains[0], &request, &decider), VERDICT_STOP);
	ck_assert_str_eq(decider, "reject");
	ruleset_clear(&r);
	r = parsed(HEAD TABLE("inet", "f") BASE("inet", "f", "c", "filter", "input", "0",
						"drop") CHAIN("inet", "f", "zone")
		       RULE("inet", "f", "c",
			    MATCH("==", META("iifname"), "\"eth0\"") ", {\"goto\": {\"target\": \"zone\"}}")
			   RULE("inet", "f", "zone", ACCEPT) TAIL);
	ck_assert_int_eq(ruleset_verdict(&r, &r.chains[0], &request, &decider), VERDICT_UNKNOWN);
	ck_assert_str_eq(decider, "iifname eth0 goto zone");
	ruleset_clear(&r);
}
END_TEST

START_TEST(finds_unconditional_source_nat_of_others)
{
#define NAT BASE("inet", "n", "post", "nat", "postrouting", "100", "accept")
	static const struct {
		const char *expr;
		bool masquerades, to_address;
	} rules[] = {
	    {"{\"masquerade\": null}", true, false},
	    {COUNTER ", {\"masquerade\": null}", true, false},
	    {"{\"snat\": {\"addr\": \"10.0.0.1\"}}", false, true},
	    {"{\"snat\": {\"addr\": \"10.0.0.2\"}}", false, false},
	    {MATCH("==", META("oifname"), "\"eth0\"") ", {\"masquerade\": null}", false, false},
	    {"{\"xt\": {\"type\": \"match\", \"name\": \"ipvs\"}}, {\"masquerade\": null}", false, false},
	    {ACCEPT, false, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		struct ruleset r;
		char json[1024];

		snprintf(json, sizeof(json), HEAD TABLE("inet", "n") NAT RULE("inet", "n", "post", "%s") TAIL,
			 rules[i].expr);
		r = parsed(json);
		ck_assert_int_eq(ruleset_find_snat(&r, AF_INET6, NULL) != NULL, rules[i].masquerades);
		ck_assert_int_eq(ruleset_find_snat(&r, AF_INET, "10.0.0.1") != NULL, rules[i].to_address);
		ruleset_clear(&r);
	}
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, reads_tables_chains_sets_and_rules);
	tcase_add_test(tc, rejects_what_nft_does_not_print);
	tcase_add_test(tc, says_a_rule_as_nft_does);
	tcase_add_test(tc, recognizes_a_rule_by_its_text);
	tcase_add_test(tc, judges_conditions);
	tcase_add_test(tc, judges_verdicts_and_maps_of_states);
	tcase_add_test(tc, follows_jumps_within_the_table);
	tcase_add_test(tc, finds_unconditional_source_nat_of_others);
}

int main(void)
{
	return unit_main("ruleset", add);
}
