/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rules.h"
#include "unit.h"

#define TAG "sonm-gateway"
#define IPVS "-m ipvs --vdir ORIGINAL --vmethod MASQ"
#define OURS "-A POSTROUTING " IPVS " --ipvs -m comment --comment " TAG " -j MASQUERADE"

static struct rule parsed(const char *line)
{
	struct rule r;
	struct err e;

	ck_assert_msg(rule_parse(&e, line, &r) == 0, "%s", line);
	return r;
}

START_TEST(takes_quotes_off_words)
{
	struct rule r = parsed("-A X -m comment --comment \"it\\'s \\\"so\\\" \\\\ now\" -j  ACCEPT");

	ck_assert_uint_eq(r.n_words, 8);
	ck_assert_str_eq(r.words[0], "-A");
	ck_assert_str_eq(r.words[5], "it's \"so\" \\ now");
	ck_assert_str_eq(r.words[7], "ACCEPT");
	ck_assert_ptr_null(r.words[8]);
	rule_clear(&r);
	r = parsed("-A X --comment \"\" -j Y");
	ck_assert_uint_eq(r.n_words, 6);
	ck_assert_str_eq(r.words[3], "");
	rule_clear(&r);
}
END_TEST

START_TEST(rejects_what_is_no_rule)
{
	static const char *const lines[] = { "", "  ", "\"", "-A X --comment \"open", "-A X \"open\\" };
	char many[2 * RULE_WORDS_MAX + 3] = "";
	struct rule r;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		ck_assert_msg(rule_parse(&e, lines[i], &r) == -EINVAL, "%s", lines[i]);
	for (size_t i = 0; i < RULE_WORDS_MAX; i++)
		strcat(many, "a ");
	r = parsed(many);
	ck_assert_uint_eq(r.n_words, RULE_WORDS_MAX);
	rule_clear(&r);
	strcat(many, "a");
	ck_assert_int_eq(rule_parse(&e, many, &r), -EINVAL);
}
END_TEST

START_TEST(reads_a_listing)
{
	struct rule_list list;
	struct err e;

	ck_assert_int_eq(rules_parse(&e, "-P FORWARD DROP\n\n-A FORWARD -j ACCEPT\n-N Z", &list), 0);
	ck_assert_uint_eq(list.n, 3);
	ck_assert_str_eq(list.items[1].text, "-A FORWARD -j ACCEPT");
	ck_assert_str_eq(list.items[2].words[1], "Z");
	rule_list_clear(&list);
	ck_assert_int_eq(rules_parse(&e, "", &list), 0);
	ck_assert_uint_eq(list.n, 0);
	ck_assert_int_eq(rules_parse(&e, "-P FORWARD DROP\n-A FORWARD --comment \"x", &list), -EINVAL);
}
END_TEST

START_TEST(knows_its_own_rules_by_their_tag)
{
	static const struct {
		const char *line;
		bool ours;
	} rules[] = {
		{ OURS, true },
		{ "-A POSTROUTING -m comment --comment \"" TAG "\" -j SNAT --to-source 10.0.0.1", true },
		{ "-A PREROUTING -m comment --comment " TAG " -j MASQUERADE", false },
		{ "-A POSTROUTING -m comment --comment \"" TAG " of another\" -j MASQUERADE", false },
		{ "-A POSTROUTING -m comment --comment --comment -j " TAG, false },
		{ "-A POSTROUTING -j MASQUERADE", false },
		{ "-P POSTROUTING ACCEPT", false },
		{ "-N " TAG, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		struct rule r = parsed(rules[i].line);

		ck_assert_msg(rule_is_tagged(&r, "POSTROUTING", TAG) == rules[i].ours, "%s", rules[i].line);
		rule_clear(&r);
	}
}
END_TEST

START_TEST(compares_rules_without_their_comments)
{
	static const struct {
		const char *line;
		bool same;
	} rules[] = {
		{ OURS, true },
		{ "-A POSTROUTING " IPVS " -j MASQUERADE", true },
		{ "-A POSTROUTING -m comment --comment \"by hand\" " IPVS " -j MASQUERADE", true },
		{ "-A POSTROUTING " IPVS " -j MASQUERADE -m comment --comment x", true },
		{ "-A POSTROUTING " IPVS " -j MASQUERADE --random", false },
		{ "-A POSTROUTING -o eth0 " IPVS " -j MASQUERADE", false },
		{ "-A POSTROUTING -m ipvs --vdir REPLY --vmethod MASQ -j MASQUERADE", false },
		{ "-A POSTROUTING -m ipvs --vdir ORIGINAL -j MASQUERADE", false },
		{ "-A POSTROUTING -j MASQUERADE", false },
		{ "-P POSTROUTING ACCEPT", false },
	};
	struct rule ours = parsed(OURS);

	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		struct rule r = parsed(rules[i].line);

		ck_assert_msg(rule_same(&r, &ours) == rules[i].same, "%s", rules[i].line);
		ck_assert_msg(rule_same(&ours, &r) == rules[i].same, "%s", rules[i].line);
		rule_clear(&r);
	}
	rule_clear(&ours);
}
END_TEST

enum { REACHED = VERDICT_PASS, TAKEN = VERDICT_STOP, MAYBE = VERDICT_UNKNOWN };

START_TEST(compares_rules_without_the_match_of_their_protocol)
{
	struct rule given = parsed("-A INPUT -p tcp --dport 7 -j ACCEPT");
	struct rule listed = parsed("-A INPUT -p tcp -m tcp --dport 7 -j ACCEPT");
	struct rule narrowed = parsed("-A INPUT -s 192.0.2.1/32 -p tcp -m tcp --dport 7 -j ACCEPT");

	ck_assert(rule_same(&given, &listed) && rule_same(&listed, &given));
	ck_assert(!rule_same(&given, &narrowed) && !rule_same(&narrowed, &given));
	rule_clear(&given);
	rule_clear(&listed);
	rule_clear(&narrowed);
}
END_TEST

START_TEST(tells_whether_rules_before_it_take_the_packets_of_a_rule_for_snat)
{
	static const struct {
		const char *before;
		int masquerade, snat; /* for a goal that masquerades, and one that does SNAT */
	} rules[] = {
		{ "-P POSTROUTING ACCEPT\n", REACHED, REACHED },
		{ "-A POSTROUTING -j ACCEPT\n", TAKEN, TAKEN },
		{ "-A POSTROUTING -d 10.0.0.0/8 -j ACCEPT\n", MAYBE, MAYBE },
		{ "-A POSTROUTING -j MASQUERADE\n", REACHED, TAKEN },
		{ "-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE\n", REACHED, MAYBE },
		{ "-A POSTROUTING -j SNAT --to-source 10.0.0.1\n", TAKEN, REACHED },
		{ "-A POSTROUTING -j SNAT --to-source 10.0.0.9\n", TAKEN, TAKEN },
		{ "-A POSTROUTING -p icmp -j ACCEPT\n", REACHED, REACHED },
		{ "-A POSTROUTING -j LOG\n", REACHED, REACHED },
		{ "-A POSTROUTING -j RETURN\n", TAKEN, TAKEN },
		{ "-N OTHERS\n-A OTHERS -j RETURN\n-A OTHERS -j ACCEPT\n-A POSTROUTING -j OTHERS\n",
		  REACHED, REACHED },
		{ "-N OTHERS\n-A OTHERS -j ACCEPT\n-A POSTROUTING -j OTHERS\n", TAKEN, TAKEN },
		{ "-A POSTROUTING -j NOSUCH\n", MAYBE, MAYBE },
		{ "-N OTHERS\n-A POSTROUTING -g OTHERS\n", MAYBE, MAYBE },
	};
	static const char *const goals[] = { OURS, "-A POSTROUTING " IPVS " -j SNAT --to-source 10.0.0.1" };
	const struct packet p = { .family = AF_INET, .protocol = "tcp", .state = "NEW", .ipvs = true };

	for (size_t i = 0; i < 2 * ARRAY_LEN(rules); i++) {
		int expected = i % 2 ? rules[i / 2].snat : rules[i / 2].masquerade;
		struct rule_list list;
		const char *decider;
		char text[512];
		struct err e;

		snprintf(text, sizeof(text), "%s%s\n-A POSTROUTING -j DROP\n", rules[i / 2].before, goals[i % 2]);
		ck_assert_int_eq(rules_parse(&e, text, &list), 0);
		ck_assert_msg((int)rules_reach(&list, "POSTROUTING", &list.items[list.n - 2], &p, &decider) ==
				  expected,
			      "%s%s", rules[i / 2].before, goals[i % 2]);
		ck_assert(expected == REACHED || strstr(rules[i / 2].before, decider));
		rule_list_clear(&list);
	}
}
END_TEST

enum { PASS = VERDICT_PASS, STOP = VERDICT_STOP, UNKNOWN = VERDICT_UNKNOWN };

static const struct {
	const char *chain; /* what -S printed */
	int tcp, udp; /* for new connections to ports 32768-33768 */
} inputs[] = {
	{ "", PASS, PASS },
	{ "-P INPUT ACCEPT\n", PASS, PASS },
	{ "-P INPUT DROP\n", STOP, STOP },
	{ "-P FORWARD DROP\n-A FORWARD -j DROP\n", PASS, PASS },
	{ "-P INPUT ACCEPT\n-A INPUT -j DROP\n", STOP, STOP },
	{ "-P INPUT ACCEPT\n-A INPUT -j REJECT --reject-with icmp-port-unreachable\n", STOP, STOP },
	{ "-P INPUT DROP\n-A INPUT -j LOG\n-A INPUT -j ACCEPT\n", PASS, PASS },
	{ "-P INPUT DROP\n-A INPUT -m comment --comment \"all of it\" -j ACCEPT\n", PASS, PASS },
	{ "-P INPUT DROP\n-A INPUT -p tcp -m tcp --dport 32768:33768 -j ACCEPT\n", PASS, STOP },
	{ "-P INPUT DROP\n-A INPUT -p udp -m multiport --dports 53,32000:34000 -j ACCEPT\n", STOP,
	  PASS },
	{ "-P INPUT DROP\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n", STOP, STOP },
	{ "-P INPUT DROP\n-A INPUT -p tcp -m tcp --dport 33000 -j ACCEPT\n", UNKNOWN, STOP },
	{ "-P INPUT DROP\n-A INPUT -i lo -j ACCEPT\n"
	  "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n-A INPUT -p icmp -j ACCEPT\n",
	  STOP, STOP },
	{ "-P INPUT DROP\n-A INPUT -m state --state NEW -j ACCEPT\n", PASS, PASS },
	{ "-P INPUT DROP\n-A INPUT -m conntrack --ctstate UNTRACKED,NEWER -j ACCEPT\n", STOP, STOP },
	{ "-P INPUT DROP\n-A INPUT -m ipvs --ipvs -j ACCEPT\n", STOP, STOP },
	{ "-P INPUT DROP\n-A INPUT ! -i lo -j ACCEPT\n", UNKNOWN, UNKNOWN },
	{ "-P INPUT DROP\n-A INPUT -s 10.0.0.0/8 -j ACCEPT\n", UNKNOWN, UNKNOWN },
	{ "-P INPUT ACCEPT\n-A INPUT -s 10.0.0.0/8 -j ACCEPT\n", PASS, PASS },
	{ "-P INPUT ACCEPT\n-A INPUT -s 10.0.0.0/8 -j DROP\n", UNKNOWN, UNKNOWN },
	{ "-P INPUT DROP\n-A INPUT -s 10.0.0.0/8 -j DROP\n", STOP, STOP },
	{ "-P INPUT ACCEPT\n-A INPUT -j ufw-before-input\n", UNKNOWN, UNKNOWN },
	{ "-P INPUT DROP\n-A INPUT -j ACCEPT\n-A INPUT -j other\n", PASS, PASS },
	{ "-P INPUT ACCEPT\n-A INPUT -p sctp -g other\n", PASS, PASS },
	{ "-P INPUT DROP\n-N other\n-A INPUT -j other\n-A other -p tcp -j ACCEPT\n", PASS, STOP },
	{ "-P INPUT DROP\n-N other\n-A INPUT -g other\n-A INPUT -j ACCEPT\n", STOP, STOP },
	{ "-P INPUT ACCEPT\n-N other\n-A INPUT -j other\n-A other -p udp -j RETURN\n-A other -j DROP\n", STOP, PASS },
};

START_TEST(judges_what_a_chain_does_to_new_connections)
{
	struct portset pool = { 0 };
	struct packet p = { .state = "NEW", .dports = &pool };
	struct rule_list list;
	const char *decider;
	struct err e;

	portset_add_range(&pool, 32768, 33768);
	ck_assert_int_eq(rules_parse(&e, inputs[_i].chain, &list), 0);
	p.protocol = "tcp";
	ck_assert_int_eq(rules_verdict(&list, "INPUT", &p, &decider), inputs[_i].tcp);
	p.protocol = "udp";
	ck_assert_int_eq(rules_verdict(&list, "INPUT", &p, &decider), inputs[_i].udp);
	rule_list_clear(&list);
}
END_TEST

START_TEST(knows_when_there_is_nothing_that_does_anything)
{
	static const struct {
		const char *listing;
		bool anything;
	} listings[] = {
		{ "", false },
		{ "-P INPUT ACCEPT\n-P OUTPUT ACCEPT\n-N DOCKER\n", false },
		{ "-P INPUT ACCEPT\n-P OUTPUT DROP\n", true },
		{ "-P INPUT ACCEPT\n-A INPUT -j ACCEPT\n", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(listings); i++) {
		struct rule_list list;
		struct err e;

		ck_assert_int_eq(rules_parse(&e, listings[i].listing, &list), 0);
		ck_assert_msg(rules_do_anything(&list) == listings[i].anything, "%s", listings[i].listing);
		rule_list_clear(&list);
	}
}
END_TEST

START_TEST(names_the_rule_that_decides)
{
	struct packet p = { .protocol = "tcp", .state = "ESTABLISHED" };
	struct rule_list list;
	const char *decider;
	struct err e;

	ck_assert_int_eq(rules_parse(&e, "-P FORWARD DROP\n-A FORWARD -j DOCKER\n", &list), 0);
	ck_assert_int_eq(rules_verdict(&list, "FORWARD", &p, &decider), VERDICT_UNKNOWN);
	ck_assert_str_eq(decider, "-A FORWARD -j DOCKER");
	ck_assert_int_eq(rules_verdict(&list, "OUTPUT", &p, &decider), VERDICT_PASS);
	ck_assert_str_eq(decider, "policy ACCEPT");
	rule_list_clear(&list);
}
END_TEST

START_TEST(sees_ipvs_only_where_it_has_been)
{
	struct packet p = { .protocol = "tcp", .state = "NEW", .ipvs = true };
	struct rule_list list;
	const char *decider;
	struct err e;

	ck_assert_int_eq(rules_parse(&e, "-P OUTPUT DROP\n-A OUTPUT " IPVS " -j ACCEPT\n", &list), 0);
	ck_assert_int_eq(rules_verdict(&list, "OUTPUT", &p, &decider), VERDICT_PASS);
	p.ipvs = false;
	ck_assert_int_eq(rules_verdict(&list, "OUTPUT", &p, &decider), VERDICT_STOP);
	ck_assert_str_eq(decider, "policy DROP");
	rule_list_clear(&list);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, takes_quotes_off_words);
	tcase_add_test(tc, rejects_what_is_no_rule);
	tcase_add_test(tc, reads_a_listing);
	tcase_add_test(tc, knows_its_own_rules_by_their_tag);
	tcase_add_test(tc, compares_rules_without_their_comments);
	tcase_add_test(tc, compares_rules_without_the_match_of_their_protocol);
	tcase_add_test(tc, tells_whether_rules_before_it_take_the_packets_of_a_rule_for_snat);
	tcase_add_loop_test(tc, judges_what_a_chain_does_to_new_connections, 0, ARRAY_LEN(inputs));
	tcase_add_test(tc, knows_when_there_is_nothing_that_does_anything);
	tcase_add_test(tc, names_the_rule_that_decides);
	tcase_add_test(tc, sees_ipvs_only_where_it_has_been);
}

int main(void)
{
	return unit_main("rules", add);
}
