/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rules.h"

#include <string.h>

void rule_clear(struct rule *r)
{
	free(r->text);
	free(r->words);
	free(r->storage);
	*r = (struct rule){ 0 };
}

void rule_list_clear(struct rule_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		rule_clear(&list->items[i]);
	free(list->items);
	*list = (struct rule_list){ 0 };
}

/*
 * Takes the next word off *at and writes it, NUL-terminated, at *to. iptables
 * quotes with '"' and puts a backslash before '"', '\'' and '\\' (xtables.c,
 * xtables_save_string). 1: a word, 0: the end, -EINVAL: an open quote.
 */
static int take_word(const char **at, char **to)
{
	const char *s = *at + strspn(*at, " \t");
	bool quoted = false;
	char *w = *to;

	if (*s == '\0')
		return 0;
	for (; *s && (quoted || (*s != ' ' && *s != '\t')); s++) {
		if (*s == '"') {
			quoted = !quoted;
			continue;
		}
		if (*s == '\\' && quoted && s[1])
			s++;
		*w++ = *s;
	}
	*w++ = '\0';
	*at = s;
	*to = w;
	return quoted ? -EINVAL : 1;
}

static int split(struct err *e, struct rule *r)
{
	const char *at = r->text;
	char *to = r->storage;
	int ret;

	for (;;) {
		char *word = to;

		ret = take_word(&at, &to);
		if (ret <= 0)
			break;
		if (r->n_words == RULE_WORDS_MAX)
			return err_set(e, EINVAL, "rule '%.80s...' has too many words", r->text);
		r->words[r->n_words++] = word;
	}
	if (ret < 0 || r->n_words == 0)
		return err_set(e, EINVAL, "'%.80s' is not a rule as iptables -S prints them", r->text);
	return 0;
}

int rule_parse(struct err *e, const char *line, struct rule *out)
{
	size_t len = strlen(line), most = len / 2 + 1; /* words of one letter */
	CLEANUP(rule_clear) struct rule r = {
		.text = strdup(line),
		.words = calloc((most < RULE_WORDS_MAX ? most : RULE_WORDS_MAX) + 1, sizeof(*r.words)),
		.storage = malloc(len + 2),
	};
	int ret;

	if (!r.text || !r.words || !r.storage)
		return err_set(e, ENOMEM, "out of memory");
	ret = split(e, &r);
	if (ret < 0)
		return ret;
	*out = r;
	r = (struct rule){ 0 };
	return 0;
}

static int list_add(struct err *e, struct rule_list *list, const char *line)
{
	int ret;

	if (list->n == RULES_MAX)
		return err_set(e, E2BIG, "there are more than %d rules", RULES_MAX);
	if (base_reserve((void **)&list->items, list->n, sizeof(*list->items)) < 0)
		return err_set(e, ENOMEM, "out of memory");
	ret = rule_parse(e, line, &list->items[list->n]);
	if (ret == 0)
		list->n++;
	return ret;
}

int rules_parse(struct err *e, const char *text, struct rule_list *out)
{
	CLEANUP(rule_list_clear) struct rule_list list = { 0 };
	CLEANUP_FREE char *copy = strdup(text);
	char *rest = copy, *line;

	if (!copy)
		return err_set(e, ENOMEM, "out of memory");
	while ((line = strsep(&rest, "\n"))) {
		int ret = line[strspn(line, " \t")] ? list_add(e, &list, line) : 0;

		if (ret < 0)
			return ret;
	}
	*out = list;
	list = (struct rule_list){ 0 };
	return 0;
}

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static bool is_appended_to(const struct rule *r, const char *chain)
{
	return r->n_words >= 2 && is(r->words[0], "-A") && is(r->words[1], chain);
}

bool rule_is_tagged(const struct rule *r, const char *chain, const char *comment)
{
	if (!is_appended_to(r, chain))
		return false;
	for (size_t i = 2; i + 1 < r->n_words; i++)
		if (is(r->words[i], "--comment") && is(r->words[i + 1], comment))
			return true;
	return false;
}

bool rules_do_anything(const struct rule_list *rules)
{
	for (size_t i = 0; i < rules->n; i++) {
		const struct rule *r = &rules->items[i];

		if (is(r->words[0], "-A") || (is(r->words[0], "-P") && r->n_words >= 3 && !is(r->words[2], "ACCEPT")))
			return true;
	}
	return false;
}

/* The match of a protocol, "-m tcp", says no more than the "-p tcp" that it needs: iptables -S adds it. */
static bool is_protocol(const char *match)
{
	return is(match, "tcp") || is(match, "udp") || is(match, "sctp");
}

/*
 * The index of the first word from i on that tells rules apart. Comments do
 * not; nor does --ipvs, which every other condition of that match implies:
 * iptables -S leaves it out beside one (libxt_ipvs.c).
 */
static size_t skip(const struct rule *r, size_t i)
{
	for (;;) {
		bool two = i + 1 < r->n_words;

		if (two && is(r->words[i], "-m") &&
		    (is(r->words[i + 1], "comment") || is_protocol(r->words[i + 1])))
			i += 2;
		else if (two && is(r->words[i], "--comment"))
			i += 2;
		else if (i < r->n_words && is(r->words[i], "--ipvs"))
			i++;
		else
			return i;
	}
}

bool rule_same(const struct rule *a, const struct rule *b)
{
	size_t i = skip(a, 0), j = skip(b, 0);

	while (i < a->n_words && j < b->n_words && is(a->words[i], b->words[j])) {
		i = skip(a, i + 1);
		j = skip(b, j + 1);
	}
	return i >= a->n_words && j >= b->n_words;
}

static enum match match_ports(const char *text, const struct packet *p)
{
	CLEANUP_FREE char *ranges = strdup(text);
	struct portset ports;
	struct err e;

	if (!ranges || !p->dports)
		return MATCH_MAYBE;
	for (char *c = ranges; *c; c++)
		if (*c == ':')
			*c = '-';
	if (portset_parse(&e, ranges, &ports) < 0)
		return MATCH_MAYBE;
	return verdict_match_ports(&ports, p->dports);
}

static enum match match_state(const char *list, const struct packet *p)
{
	size_t len = strlen(p->state);

	for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
		if (strncmp(at, p->state, len) == 0 && (at[len] == ',' || at[len] == '\0'))
			return MATCH_ALWAYS;
	return MATCH_NEVER;
}

static enum match match_protocol(const char *name, const struct packet *p)
{
	return is(name, p->protocol) || is(name, "all") ? MATCH_ALWAYS : MATCH_NEVER;
}

static enum match match_interface(const char *name, const struct packet *p)
{
	(void)p;
	return is(name, "lo") ? MATCH_NEVER : MATCH_MAYBE;
}

static enum match match_ipvs(const char *value, const struct packet *p)
{
	if (!p->ipvs)
		return MATCH_NEVER;
	if (is(value, "ORIGINAL") || is(value, "MASQ") || is(value, p->protocol))
		return MATCH_ALWAYS;
	return MATCH_MAYBE;
}

static enum match match_nothing(const char *value, const struct packet *p)
{
	(void)value;
	(void)p;
	return MATCH_ALWAYS;
}

/* The conditions that one can judge; each takes a value. */
static const struct condition {
	const char *option;
	enum match (*judge)(const char *value, const struct packet *p);
} conditions[] = {
	{ "-p", match_protocol },
	{ "-i", match_interface },
	{ "-o", match_interface },
	{ "--dport", match_ports },
	{ "--dports", match_ports },
	{ "--ctstate", match_state },
	{ "--state", match_state },
	{ "--vdir", match_ipvs },
	{ "--vmethod", match_ipvs },
	{ "--vproto", match_ipvs },
	{ "--vaddr", match_ipvs },
	{ "--vport", match_ipvs },
	{ "-m", match_nothing }, /* its options are judged on their own */
	{ "--comment", match_nothing },
};

/* Judges the option at words[*i] and moves past it and its value. */
static enum match match_option(const struct rule *r, size_t *i, const struct packet *p)
{
	const char *option = r->words[(*i)++];

	if (is(option, "--ipvs"))
		return p->ipvs ? MATCH_ALWAYS : MATCH_NEVER;
	for (size_t k = 0; k < ARRAY_LEN(conditions) && *i < r->n_words; k++)
		if (is(option, conditions[k].option))
			return conditions[k].judge(r->words[(*i)++], p);
	if (is(option, "!") && *i < r->n_words)
		++*i; /* what follows is a value, which is judged as unknown */
	return MATCH_MAYBE;
}

/* How well the rule matches; *target is the word after -j or -g, or NULL. */
static enum match match_rule(const struct rule *r, const struct packet *p, const char **target, bool *is_goto)
{
	enum match worst = MATCH_ALWAYS;
	size_t i = 2;

	*target = NULL;
	*is_goto = false;
	while (i < r->n_words) {
		enum match m;

		if ((is(r->words[i], "-j") || is(r->words[i], "-g")) && i + 1 < r->n_words) {
			*target = r->words[i + 1];
			*is_goto = is(r->words[i], "-g");
			break;
		}
		m = match_option(r, &i, p);
		if (m < worst)
			worst = m;
	}
	return worst;
}

static bool is_chain(const struct rule_list *rules, const char *name)
{
	for (size_t i = 0; i < rules->n; i++) {
		const struct rule *r = &rules->items[i];

		if (r->n_words == 2 && is(r->words[0], "-N") && is(r->words[1], name))
			return true;
	}
	return false;
}

static enum effect effect_of(const struct rule_list *rules, const char *target, bool is_goto)
{
	static const char *const going_on[] = { "LOG", "NFLOG", "ULOG", "MARK", "CONNMARK", "TCPMSS",
						"CHECKSUM", "DSCP", "TRACE", "AUDIT", "SET", "CLASSIFY" };

	if (!target)
		return EFFECT_NONE;
	if (is(target, "ACCEPT"))
		return EFFECT_PASS;
	if (is(target, "DROP") || is(target, "REJECT"))
		return EFFECT_STOP;
	if (is(target, "RETURN"))
		return EFFECT_RETURN;
	for (size_t i = 0; i < ARRAY_LEN(going_on); i++)
		if (is(target, going_on[i]))
			return EFFECT_NONE;
	if (!is_chain(rules, target))
		return EFFECT_UNKNOWN;
	return is_goto ? EFFECT_GOTO : EFFECT_JUMP;
}

static const char *policy_of(const struct rule_list *rules, const char *chain)
{
	for (size_t i = 0; i < rules->n; i++) {
		const struct rule *r = &rules->items[i];

		if (r->n_words >= 3 && is(r->words[0], "-P") && is(r->words[1], chain))
			return r->words[2];
	}
	return "ACCEPT";
}

static bool next_rule(const void *list, const char *chain, const struct packet *p, size_t *at,
		      struct judgement *out)
{
	const struct rule_list *rules = list;
	bool is_goto;

	while (*at < rules->n && !is_appended_to(&rules->items[*at], chain))
		++*at;
	if (*at == rules->n)
		return false;
	out->text = rules->items[*at].text;
	out->match = match_rule(&rules->items[*at], p, &out->target, &is_goto);
	out->effect = effect_of(rules, out->target, is_goto);
	++*at;
	return true;
}

enum verdict rules_verdict(const struct rule_list *rules, const char *chain, const struct packet *p,
			   const char **decider)
{
	return verdict_walk(next_rule, rules, chain, is(policy_of(rules, chain), "DROP"), p, decider);
}

/* The index of -j, or n_words. */
static size_t find_target(const struct rule *r)
{
	size_t i = 2;

	while (i < r->n_words && !is(r->words[i], "-j"))
		i++;
	return i;
}

/* Whatever ports and flags masquerading is told besides, the source is the same. */
static bool same_source(const struct rule *a, const struct rule *b)
{
	size_t i = find_target(a) + 1, j = find_target(b) + 1;

	if (i >= a->n_words || j >= b->n_words || !is(a->words[i], b->words[j]))
		return false;
	if (is(a->words[i], "MASQUERADE"))
		return true;
	while (i < a->n_words && j < b->n_words && is(a->words[i], b->words[j])) {
		i++;
		j++;
	}
	return i == a->n_words && j == b->n_words;
}

/* The rules on the way to one of them. */
struct way {
	const struct rule_list *rules;
	const char *base;
	const struct rule *goal;
};

/* In table nat what is accepted gets no new source any more, nor does it when another rule gave it one. */
static enum effect effect_on_way(const struct way *w, const struct rule *r, const char *chain,
				 const struct judgement *j)
{
	static const char *const others[] = { "MASQUERADE", "SNAT", "NETMAP" };

	if (same_source(r, w->goal))
		return EFFECT_NONE;
	for (size_t i = 0; j->target && i < ARRAY_LEN(others); i++)
		if (is(j->target, others[i]))
			return EFFECT_STOP;
	if (j->effect == EFFECT_PASS || (j->effect == EFFECT_RETURN && is(chain, w->base)))
		return EFFECT_STOP;
	return j->effect == EFFECT_GOTO ? EFFECT_UNKNOWN : j->effect;
}

static bool next_on_way(const void *way, const char *chain, const struct packet *p, size_t *at,
			struct judgement *out)
{
	const struct way *w = way;
	const struct rule *r;

	if (!next_rule(w->rules, chain, p, at, out))
		return false;
	r = &w->rules->items[*at - 1];
	if (r == w->goal)
		*out = (struct judgement){ .match = MATCH_ALWAYS, .effect = EFFECT_PASS, .text = r->text };
	else
		out->effect = effect_on_way(w, r, chain, out);
	return true;
}

enum verdict rules_reach(const struct rule_list *rules, const char *chain, const struct rule *goal,
			 const struct packet *p, const char **decider)
{
	const struct way w = { .rules = rules, .base = chain, .goal = goal };

	return verdict_walk(next_on_way, &w, chain, false, p, decider);
}
