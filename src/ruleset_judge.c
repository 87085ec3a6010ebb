/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What chains of nft do to a packet: conditions and statements, one by one. */
#include "ruleset.h"

#include <string.h>
#include <strings.h>

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static const char *string_of(const struct yamlfile_node *object, const char *key)
{
	return ruleset_string(ruleset_get(object, key));
}

static enum match not(enum match m)
{
	return m == MATCH_MAYBE ? m : m == MATCH_ALWAYS ? MATCH_NEVER : MATCH_ALWAYS;
}

/* The list of a condition's values: {"set": [...]} or [...]; NULL: it is one value. */
static const struct yamlfile_node *list_of(const struct yamlfile_node *right)
{
	const struct yamlfile_node *set = ruleset_get(right, "set");

	if (set)
		right = set;
	return right && right->kind == YAMLFILE_LIST ? right : NULL;
}

/* Is this text the value, or among the values? A set with a name may contain anything. */
static enum match match_text(const struct yamlfile_node *right, const char *text)
{
	const struct yamlfile_node *list = list_of(right), *item;
	enum match best = MATCH_NEVER;

	if (!list && (!right || right->kind != YAMLFILE_SCALAR || right->text[0] == '@'))
		return MATCH_MAYBE;
	if (!list)
		return strcasecmp(right->text, text) == 0 ? MATCH_ALWAYS : MATCH_NEVER;
	item = list->n > 0 ? yamlfile_first(list) : NULL;
	for (size_t i = 0; i < list->n && best != MATCH_ALWAYS; i++) {
		enum match m = item->kind == YAMLFILE_SCALAR ? match_text(item, text) : MATCH_MAYBE;

		if (m > best)
			best = m;
		if (i + 1 < list->n)
			item = yamlfile_next(item);
	}
	return best;
}

/* Is this protocol the value, or among the values, by name or number? */
static enum match match_protocol(const struct yamlfile_node *right, const char *protocol)
{
	static const char *const numbers[] = { "6", "17", "132" };
	enum match m = match_text(right, protocol);

	for (size_t i = 0; i < ARRAY_LEN(numbers) && m == MATCH_NEVER; i++)
		if (is(ruleset_protocol(numbers[i]), protocol))
			m = match_text(right, numbers[i]);
	return m;
}

static int port_of(const struct yamlfile_node *node, uint16_t *out)
{
	struct err ignored;

	return addr_parse_port(&ignored, ruleset_string(node), out);
}

/* A port or {"range": [first, last]}. */
static bool add_ports(const struct yamlfile_node *node, struct portset *out)
{
	const struct yamlfile_node *range = ruleset_get(node, "range");
	uint16_t first, last;

	if (!range) {
		if (port_of(node, &first) < 0)
			return false;
		portset_add_range(out, first, first);
		return true;
	}
	if (range->kind != YAMLFILE_LIST || range->n != 2 || port_of(yamlfile_first(range), &first) < 0 ||
	    port_of(yamlfile_next(yamlfile_first(range)), &last) < 0 || first > last)
		return false;
	portset_add_range(out, first, last);
	return true;
}

static enum match match_ports(const struct yamlfile_node *right, const struct portset *ports)
{
	const struct yamlfile_node *list = list_of(right), *item;
	struct portset condition = { 0 };

	if (!list)
		return add_ports(right, &condition) ? verdict_match_ports(&condition, ports) : MATCH_MAYBE;
	item = list->n > 0 ? yamlfile_first(list) : NULL;
	for (size_t i = 0; i < list->n; i++) {
		if (!add_ports(item, &condition))
			return MATCH_MAYBE;
		if (i + 1 < list->n)
			item = yamlfile_next(item);
	}
	return verdict_match_ports(&condition, ports);
}

/* Everything is what matches, as if the operator were "==". */
static enum match match_payload(const struct yamlfile_node *left, const struct yamlfile_node *right,
				const struct packet *p)
{
	const char *protocol = string_of(left, "protocol"), *field = string_of(left, "field");

	if (is(protocol, "ip") && is(field, "protocol"))
		return match_protocol(right, p->protocol);
	if (is(protocol, "ip6") && is(field, "nexthdr"))
		return match_protocol(right, p->protocol);
	if (is(field, "dport"))
		return match_ports(right, p->dports);
	return MATCH_MAYBE;
}

/* A condition on a header that the packet does not have never matches, whatever the operator. */
static bool lacks_header(const struct yamlfile_node *payload, const struct packet *p)
{
	static const char *const transports[] = { "tcp", "udp", "sctp", "udplite", "dccp", "icmp", "icmpv6",
						  "igmp", "ah", "esp", "comp" };
	const char *protocol = string_of(payload, "protocol");

	for (size_t i = 0; i < ARRAY_LEN(transports); i++)
		if (is(protocol, transports[i]))
			return !is(protocol, p->protocol);
	return is(protocol, p->family == AF_INET6 ? "ip" : "ip6") || is(protocol, "arp");
}

static enum match match_interface(const struct yamlfile_node *right)
{
	enum match m = match_text(right, "lo");

	/* It is not lo; of others nothing is known. */
	if (m == MATCH_ALWAYS && !list_of(right))
		return MATCH_NEVER;
	return MATCH_MAYBE;
}

static enum match match_meta(const struct yamlfile_node *left, const struct yamlfile_node *right,
			     const struct packet *p)
{
	const char *key = string_of(left, "key");

	if (is(key, "l4proto"))
		return match_protocol(right, p->protocol);
	if (is(key, "nfproto"))
		return match_text(right, p->family == AF_INET6 ? "ipv6" : "ipv4");
	if (is(key, "protocol"))
		return match_text(right, p->family == AF_INET6 ? "ip6" : "ip");
	if (is(key, "iifname") || is(key, "oifname") || is(key, "iif") || is(key, "oif"))
		return match_interface(right);
	return MATCH_MAYBE;
}

/* IPVS is no DNAT to conntrack: it does not mark its connections so. */
static enum match match_ct(const struct yamlfile_node *left, const struct yamlfile_node *right,
			   const struct packet *p)
{
	const char *key = string_of(left, "key");

	if (is(key, "state"))
		return match_text(right, p->state);
	if (is(key, "status") && is(ruleset_string(right), "dnat"))
		return MATCH_NEVER;
	if (is(key, "protocol"))
		return match_protocol(right, p->protocol);
	if (is(key, "proto-dst") && is(string_of(left, "dir"), "original"))
		return match_ports(right, p->pool);
	return MATCH_MAYBE;
}

/* The only flag of a fib expression, which nft 1.1.2 prints without a list; "": there are several. */
static const char *flag_of(const struct yamlfile_node *fib)
{
	const struct yamlfile_node *flags = ruleset_get(fib, "flags");

	if (flags && flags->kind == YAMLFILE_LIST && flags->n == 1)
		flags = yamlfile_first(flags);
	return ruleset_string(flags);
}

/* Who sends through IPVS is another host: this one's own addresses are not the source. */
static enum match match_fib(const struct yamlfile_node *left, const struct yamlfile_node *right,
			    const struct packet *p)
{
	if (p->ipvs && is(string_of(left, "result"), "type") && is(ruleset_string(right), "local") &&
	    is(flag_of(left), "saddr"))
		return MATCH_NEVER;
	return MATCH_MAYBE;
}

static enum match match_condition(const struct yamlfile_node *condition, const struct packet *p)
{
	const struct yamlfile_node *left = ruleset_get(condition, "left"),
				   *right = ruleset_get(condition, "right");
	const struct yamlfile_node *payload = ruleset_get(left, "payload"), *meta = ruleset_get(left, "meta"),
				   *ct = ruleset_get(left, "ct"), *fib = ruleset_get(left, "fib");
	const char *op = string_of(condition, "op");
	enum match m = MATCH_MAYBE;

	if (payload && lacks_header(payload, p))
		return MATCH_NEVER;
	if (payload)
		m = match_payload(payload, right, p);
	else if (meta)
		m = match_meta(meta, right, p);
	else if (ct)
		m = match_ct(ct, right, p);
	else if (fib)
		m = match_fib(fib, right, p);
	if (is(op, "==") || is(op, "in"))
		return m;
	return is(op, "!=") || is(op, "!") ? not(m) : MATCH_MAYBE;
}

/* What does nothing to the packet's way. */
static bool goes_on(const char *statement)
{
	static const char *const statements[] = {"counter", "log",       "mangle",     "notrack", "set",
						 "map",     "ct helper", "ct timeout", "secmark", "last"};

	for (size_t i = 0; i < ARRAY_LEN(statements); i++)
		if (is(statement, statements[i]))
			return true;
	return false;
}

static bool is_condition(const char *statement)
{
	return is(statement, "limit") || is(statement, "quota") || is(statement, "meter") ||
	       is(statement, "ct count");
}

static void take_verdict(const char *name, const struct yamlfile_node *value, struct judgement *out)
{
	static const struct {
		const char *name;
		enum effect effect;
	} verdicts[] = {
		{ "accept", EFFECT_PASS },   { "drop", EFFECT_STOP },  { "reject", EFFECT_STOP },
		{ "return", EFFECT_RETURN }, { "jump", EFFECT_JUMP }, { "goto", EFFECT_GOTO },
		{ "continue", EFFECT_NONE },
	};

	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++) {
		if (is(name, verdicts[i].name)) {
			out->effect = verdicts[i].effect;
			out->target = string_of(value, "target");
			return;
		}
	}
	/* An extension of iptables, and what is not known here, may be a condition or a verdict. */
	out->effect = goes_on(name) || is_condition(name) ? out->effect : EFFECT_UNKNOWN;
}

/* A map from conntrack's states to verdicts: the one of this packet's state, if it is there. */
static void take_map(const struct yamlfile_node *vmap, const struct packet *p, struct judgement *out)
{
	const struct yamlfile_node *ct = ruleset_get(ruleset_get(vmap, "key"), "ct");
	const struct yamlfile_node *set = ruleset_get(ruleset_get(vmap, "data"), "set"), *pair;

	out->effect = EFFECT_UNKNOWN;
	if (!ct || !is(string_of(ct, "key"), "state") || !set || set->kind != YAMLFILE_LIST || set->n == 0)
		return;
	pair = yamlfile_first(set);
	for (size_t i = 0; i < set->n; i++) {
		const struct yamlfile_node *state, *verdict;

		if (pair->kind != YAMLFILE_LIST || pair->n != 2)
			return;
		state = yamlfile_first(pair);
		verdict = yamlfile_next(state);
		if (strcasecmp(ruleset_string(state), p->state) == 0 && verdict->kind == YAMLFILE_MAPPING &&
		    verdict->n == 2) {
			out->effect = EFFECT_NONE;
			take_verdict(ruleset_string(yamlfile_first(verdict)),
				     yamlfile_next(yamlfile_first(verdict)), out);
			return;
		}
		if (i + 1 < set->n)
			pair = yamlfile_next(pair);
	}
	out->match = MATCH_NEVER;
	out->effect = EFFECT_NONE;
}

static void take_statement(const struct yamlfile_node *s, const struct packet *p, struct judgement *out)
{
	const char *name = s->kind == YAMLFILE_MAPPING && s->n == 2 ? ruleset_string(yamlfile_first(s)) :
								     ruleset_string(s);
	const struct yamlfile_node *value = s->kind == YAMLFILE_MAPPING && s->n == 2 ?
						    yamlfile_next(yamlfile_first(s)) : NULL;
	enum match m = MATCH_ALWAYS;

	if (is(name, "match"))
		m = match_condition(value, p);
	else if (is(name, "vmap"))
		take_map(value, p, out);
	else
		take_verdict(name, value, out);
	if (is_condition(name) || out->effect == EFFECT_UNKNOWN)
		m = MATCH_MAYBE;
	if (m < out->match)
		out->match = m;
}

static void judge(const struct ruleset_rule *rule, const struct packet *p, struct judgement *out)
{
	const struct yamlfile_node *list = rule->expr, *s;

	*out = (struct judgement){ .match = MATCH_ALWAYS, .effect = EFFECT_NONE, .text = rule->text };
	s = list && list->kind == YAMLFILE_LIST && list->n > 0 ? yamlfile_first(list) : NULL;
	for (size_t i = 0; s && i < list->n && out->match != MATCH_NEVER; i++) {
		take_statement(s, p, out);
		if (i + 1 < list->n)
			s = yamlfile_next(s);
	}
}

/* A base chain and what it jumps to, which is in the same table. */
struct scope {
	const struct ruleset *rules;
	const struct ruleset_chain *base;
};

static bool next_rule(const void *scope, const char *chain, const struct packet *p, size_t *at,
		      struct judgement *out)
{
	const struct scope *in = scope;

	for (; *at < in->rules->n_rules; ++*at) {
		const struct ruleset_rule *r = &in->rules->rules[*at];

		if (is(r->chain, chain) && is(r->table, in->base->table) && is(r->family, in->base->family)) {
			judge(r, p, out);
			++*at;
			return true;
		}
	}
	return false;
}

enum verdict ruleset_verdict(const struct ruleset *r, const struct ruleset_chain *chain,
			     const struct packet *p, const char **decider)
{
	struct scope scope = { .rules = r, .base = chain };

	return verdict_walk(next_rule, &scope, chain->name, chain->drops, p, decider);
}
