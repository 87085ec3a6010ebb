/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"
#include "verdict.h"

#define A MATCH_ALWAYS
#define M MATCH_MAYBE
#define N MATCH_NEVER

/* Rules of a table, of chains that are named by a letter; the first is where the walk begins. */
struct given {
	const char *chain;
	enum match match;
	enum effect effect;
	const char *target, *text;
};

#define RULES_MAX 8

struct table {
	struct given rules[RULES_MAX];
	bool drops;
	enum verdict verdict;
	const char *decider;
};

static bool next(const void *rules, const char *chain, const struct packet *p, size_t *at,
		 struct judgement *out)
{
	const struct given *given = rules;

	(void)p;
	while (*at < RULES_MAX && given[*at].chain) {
		const struct given *g = &given[(*at)++];

		if (strcmp(g->chain, chain) != 0)
			continue;
		*out = (struct judgement){
		    .match = g->match, .effect = g->effect, .target = g->target, .text = g->text};
		return true;
	}
	return false;
}

static const struct table tables[] = {
    {{{0}}, false, VERDICT_PASS, "policy ACCEPT"},
    {{{0}}, true, VERDICT_STOP, "policy DROP"},
    {{{"b", A, EFFECT_PASS, NULL, "1"}}, true, VERDICT_PASS, "1"},
    {{{"b", N, EFFECT_PASS, NULL, "1"}}, true, VERDICT_STOP, "policy DROP"},
    {{{"b", M, EFFECT_PASS, NULL, "1"}}, true, VERDICT_UNKNOWN, "1"},
    {{{"b", M, EFFECT_STOP, NULL, "1"}}, true, VERDICT_STOP, "policy DROP"},
    {{{"b", M, EFFECT_PASS, NULL, "1"}, {"b", A, EFFECT_PASS, NULL, "2"}}, true, VERDICT_PASS, "2"},
    {{{"b", A, EFFECT_UNKNOWN, NULL, "1"}, {"b", A, EFFECT_PASS, NULL, "2"}}, true, VERDICT_UNKNOWN, "1"},
    /* There and back, and decided there. */
    {{{"b", A, EFFECT_JUMP, "u", "1"}, {"u", A, EFFECT_RETURN, NULL, "2"}, {"u", A, EFFECT_STOP, NULL, "3"}},
     false,
     VERDICT_PASS,
     "policy ACCEPT"},
    {{{"b", A, EFFECT_JUMP, "u", "1"}, {"u", A, EFFECT_STOP, NULL, "2"}}, false, VERDICT_STOP, "2"},
    {{{"b", A, EFFECT_JUMP, "none", "1"}, {"b", A, EFFECT_STOP, NULL, "2"}}, false, VERDICT_STOP, "2"},
    {{{"b", M, EFFECT_JUMP, "u", "1"}, {"u", A, EFFECT_STOP, NULL, "2"}}, false, VERDICT_UNKNOWN, "1"},
    {{{"b", A, EFFECT_JUMP, "u", "1"}, {"u", M, EFFECT_STOP, NULL, "2"}}, false, VERDICT_UNKNOWN, "2"},
    {{{"b", M, EFFECT_JUMP, "u", "1"}, {"u", A, EFFECT_PASS, NULL, "2"}, {"u", A, EFFECT_STOP, NULL, "3"}},
     false,
     VERDICT_PASS,
     "policy ACCEPT"}, /* 3 is never reached */
    /* Goto does not come back here. */
    {{{"b", A, EFFECT_GOTO, "u", "1"}, {"b", A, EFFECT_PASS, NULL, "2"}, {"u", N, EFFECT_PASS, NULL, "3"}},
     true,
     VERDICT_STOP,
     "policy DROP"},
    {{{"b", M, EFFECT_GOTO, "u", "1"}, {"b", A, EFFECT_PASS, NULL, "2"}}, true, VERDICT_UNKNOWN, "2"},
    {{{"b", M, EFFECT_RETURN, NULL, "1"}, {"b", A, EFFECT_PASS, NULL, "2"}}, true, VERDICT_UNKNOWN, "2"},
    {{{"b", A, EFFECT_RETURN, NULL, "1"}, {"b", A, EFFECT_PASS, NULL, "2"}},
     true,
     VERDICT_STOP,
     "policy DROP"},
    /* Back from a chain that may have been left, what follows is certain again. */
    {{{"b", A, EFFECT_JUMP, "u", "1"}, {"b", A, EFFECT_PASS, NULL, "2"}, {"u", M, EFFECT_RETURN, NULL, "3"}},
     true,
     VERDICT_PASS,
     "2"},
};

START_TEST(walks_to_the_rule_that_decides)
{
	const struct table *t = &tables[_i];
	const struct packet p = { .protocol = "tcp", .state = "NEW" };
	const char *decider;

	ck_assert_int_eq(verdict_walk(next, t->rules, "b", t->drops, &p, &decider), t->verdict);
	ck_assert_str_eq(decider, t->decider);
}
END_TEST

START_TEST(ends_where_chains_call_one_another)
{
	static const struct given loop[RULES_MAX] = {{"b", A, EFFECT_JUMP, "u", "1"},
						     {"u", A, EFFECT_JUMP, "b", "2"},
						     {"u", A, EFFECT_JUMP, "b", "3"}};
	const struct packet p = { .protocol = "tcp", .state = "NEW" };
	const char *decider;

	ck_assert_int_eq(verdict_walk(next, loop, "b", true, &p, &decider), VERDICT_UNKNOWN);
}
END_TEST

START_TEST(compares_ports)
{
	struct portset condition = { 0 }, ports = { 0 };

	portset_add_range(&condition, 10, 20);
	portset_add_range(&ports, 12, 20);
	ck_assert_int_eq(verdict_match_ports(&condition, &ports), MATCH_ALWAYS);
	portset_add_range(&ports, 21, 21);
	ck_assert_int_eq(verdict_match_ports(&condition, &ports), MATCH_MAYBE);
	ck_assert_int_eq(verdict_match_ports(&condition, NULL), MATCH_MAYBE);
	portset_remove(&ports, &condition);
	ck_assert_int_eq(verdict_match_ports(&condition, &ports), MATCH_NEVER);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, walks_to_the_rule_that_decides, 0, ARRAY_LEN(tables));
	tcase_add_test(tc, ends_where_chains_call_one_another);
	tcase_add_test(tc, compares_ports);
}

int main(void)
{
	return unit_main("verdict", add);
}
