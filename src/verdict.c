/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "verdict.h"

/* Kernels allow fewer; what is listed may be anything. */
#define DEPTH_MAX 64

/* Chains that call one another in many ways are walked as often. */
#define RULES_WALKED_MAX 1000000

struct walk {
	verdict_rule *next;
	const void *rules;
	const struct packet *packet;
	const char *may_pass, *may_stop; /* the first rules that may do so, or NULL */
	unsigned depth, walked;
};

static void note(struct walk *w, enum effect effect, const char *text)
{
	if ((effect == EFFECT_PASS || effect == EFFECT_UNKNOWN) && !w->may_pass)
		w->may_pass = text;
	if ((effect == EFFECT_STOP || effect == EFFECT_UNKNOWN) && !w->may_stop)
		w->may_stop = text;
}

/*
 * What the chain does to every such packet that comes into it: EFFECT_PASS or
 * EFFECT_STOP, by the rule in *by; else EFFECT_NONE, and what it may do is noted.
 */
static enum effect walk(struct walk *w, const char *chain, const char **by)
{
	bool may_have_left = false;
	struct judgement r;
	size_t at = 0;

	while (w->next(w->rules, chain, w->packet, &at, &r)) {
		enum effect effect = r.match == MATCH_NEVER ? EFFECT_NONE : r.effect;
		bool leaves = effect == EFFECT_RETURN || effect == EFFECT_GOTO, decides;
		const char *text = r.text;

		if (++w->walked > RULES_WALKED_MAX || (w->depth == DEPTH_MAX && r.target)) {
			note(w, EFFECT_UNKNOWN, r.text);
			return EFFECT_NONE;
		}
		w->depth++;
		if (effect == EFFECT_JUMP || effect == EFFECT_GOTO)
			effect = walk(w, r.target, &text);
		w->depth--;
		decides = effect == EFFECT_PASS || effect == EFFECT_STOP;
		if (decides && r.match == MATCH_ALWAYS && !may_have_left) {
			*by = text;
			return effect;
		}
		note(w, effect, decides && r.match == MATCH_MAYBE ? r.text : text);
		if (r.match == MATCH_ALWAYS && (decides || leaves))
			return EFFECT_NONE;
		may_have_left |= leaves;
	}
	return EFFECT_NONE;
}

enum verdict verdict_walk(verdict_rule *next, const void *rules, const char *chain, bool policy_stops,
			  const struct packet *p, const char **decider)
{
	struct walk w = { .next = next, .rules = rules, .packet = p };
	const char *by = policy_stops ? "policy DROP" : "policy ACCEPT", *doubt;
	enum effect effect = walk(&w, chain, &by);
	bool stops = effect == EFFECT_NONE ? policy_stops : effect == EFFECT_STOP;

	doubt = stops ? w.may_pass : w.may_stop;
	*decider = doubt ? doubt : by;
	if (doubt)
		return VERDICT_UNKNOWN;
	return stops ? VERDICT_STOP : VERDICT_PASS;
}

enum match verdict_match_ports(const struct portset *condition, const struct portset *ports)
{
	if (!ports)
		return MATCH_MAYBE;
	if (portset_includes(condition, ports))
		return MATCH_ALWAYS;
	return portset_overlaps(condition, ports) ? MATCH_MAYBE : MATCH_NEVER;
}
