/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rules: what iptables -S prints, as rules made of words, and what one does to
 * a packet, as far as one can tell from its text. Pure.
 */
#ifndef SONM_RULES_H
#define SONM_RULES_H

#include "err.h"
#include "verdict.h"

#define RULE_WORDS_MAX 128
#define RULES_MAX 100000

/* "-P CHAIN POLICY", "-N CHAIN" or "-A CHAIN ...". */
struct rule {
	char *text;   /* owned; the line */
	char **words; /* owned; n_words and a NULL; point into storage; without quotes */
	size_t n_words;
	char *storage; /* owned */
};

struct rule_list {
	struct rule *items;
	size_t n;
};

/* One line. -EINVAL: an open quote, no words or more than RULE_WORDS_MAX; -ENOMEM. */
int rule_parse(struct err *e, const char *line, struct rule *out) MUST_CHECK;

/* A whole listing; empty lines are skipped. -EINVAL with the line, -E2BIG past RULES_MAX, -ENOMEM. */
int rules_parse(struct err *e, const char *text, struct rule_list *out) MUST_CHECK;

/* Is it a rule of this chain with exactly this comment? */
bool rule_is_tagged(const struct rule *r, const char *chain, const char *comment);

/* The same conditions and target, in the same order, comments aside? */
bool rule_same(const struct rule *a, const struct rule *b);

/* Is there any rule, or a policy other than ACCEPT? */
bool rules_do_anything(const struct rule_list *rules);

/*
 * What a chain of these does to a packet (verdict_walk); those that it jumps to
 * have to be in the list, too. *decider points into the list or to a literal.
 * The packet never comes from or leaves by lo.
 */
enum verdict rules_verdict(const struct rule_list *rules, const char *chain, const struct packet *p,
			   const char **decider);

/*
 * Does such a packet get as far as this rule of a base chain of table nat?
 * VERDICT_STOP: one before takes it, *decider; VERDICT_UNKNOWN: *decider may. One
 * that puts the same source in as goal does no harm.
 */
enum verdict rules_reach(const struct rule_list *rules, const char *chain, const struct rule *goal,
			 const struct packet *p, const char **decider);

/* CLEANUP functions. */
void rule_clear(struct rule *r);
void rule_list_clear(struct rule_list *list);

#endif
