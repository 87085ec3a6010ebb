/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ruleset.h"

#include <string.h>

void ruleset_clear(struct ruleset *r)
{
	for (size_t i = 0; i < r->n_rules; i++)
		free(r->rules[i].text);
	for (size_t i = 0; i < r->n_sets; i++)
		free(r->sets[i].text);
	free(r->tables);
	free(r->chains);
	free(r->rules);
	free(r->sets);
	yamlfile_clear(&r->document);
	*r = (struct ruleset){ 0 };
}

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

const struct yamlfile_node *ruleset_get(const struct yamlfile_node *mapping, const char *key)
{
	const struct yamlfile_node *node;

	if (!mapping || mapping->kind != YAMLFILE_MAPPING || mapping->n == 0)
		return NULL;
	node = yamlfile_first(mapping);
	for (size_t i = 0; i < mapping->n; i += 2) {
		const struct yamlfile_node *value = yamlfile_next(node);

		if (node->kind == YAMLFILE_SCALAR && is(node->text, key))
			return value;
		if (i + 2 < mapping->n)
			node = yamlfile_next(value);
	}
	return NULL;
}

const char *ruleset_string(const struct yamlfile_node *node)
{
	return node && node->kind == YAMLFILE_SCALAR ? node->text : "";
}

static const char *string_of(const struct yamlfile_node *object, const char *key)
{
	return ruleset_string(ruleset_get(object, key));
}

static int reserve(struct err *e, void *items, size_t n, size_t size)
{
	if (n >= RULESET_OBJECTS_MAX)
		return err_set(e, E2BIG, "nft lists more than %d objects", RULESET_OBJECTS_MAX);
	return base_reserve(items, n, size) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int add_table(struct err *e, struct ruleset *r, const struct yamlfile_node *object)
{
	if (reserve(e, &r->tables, r->n_tables, sizeof(*r->tables)) < 0)
		return -e->code;
	r->tables[r->n_tables++] = (struct ruleset_table){
		.family = string_of(object, "family"),
		.name = string_of(object, "name"),
	};
	return 0;
}

static int add_chain(struct err *e, struct ruleset *r, const struct yamlfile_node *object)
{
	if (reserve(e, &r->chains, r->n_chains, sizeof(*r->chains)) < 0)
		return -e->code;
	r->chains[r->n_chains++] = (struct ruleset_chain){
		.family = string_of(object, "family"),
		.table = string_of(object, "table"),
		.name = string_of(object, "name"),
		.type = string_of(object, "type"),
		.hook = string_of(object, "hook"),
		.priority = (int)strtol(string_of(object, "prio"), NULL, 10),
		.drops = is(string_of(object, "policy"), "drop"),
	};
	return 0;
}

static int add_rule(struct err *e, struct ruleset *r, const struct yamlfile_node *object)
{
	const struct yamlfile_node *expr = ruleset_get(object, "expr");
	char *text;

	if (reserve(e, &r->rules, r->n_rules, sizeof(*r->rules)) < 0)
		return -e->code;
	text = ruleset_format(expr);
	if (!text)
		return err_set(e, ENOMEM, "out of memory");
	r->rules[r->n_rules++] = (struct ruleset_rule){
		.family = string_of(object, "family"),
		.table = string_of(object, "table"),
		.chain = string_of(object, "chain"),
		.comment = string_of(object, "comment"),
		.handle = string_of(object, "handle"),
		.expr = expr,
		.text = text,
	};
	return 0;
}

static int add_set(struct err *e, struct ruleset *r, const struct yamlfile_node *object)
{
	char *text;

	if (reserve(e, &r->sets, r->n_sets, sizeof(*r->sets)) < 0)
		return -e->code;
	text = ruleset_format_elements(ruleset_get(object, "elem"));
	if (!text)
		return err_set(e, ENOMEM, "out of memory");
	r->sets[r->n_sets++] = (struct ruleset_set){
		.family = string_of(object, "family"),
		.table = string_of(object, "table"),
		.name = string_of(object, "name"),
		.text = text,
	};
	return 0;
}

/* Element of the list: one object under the name of its kind. Kinds that are not known here count in their
 * table. */
static int add_object(struct err *e, struct ruleset *r, const struct yamlfile_node *item)
{
	static const struct {
		const char *kind;
		int (*add)(struct err *e, struct ruleset *r, const struct yamlfile_node *object);
	} kinds[] = {
		{ "table", add_table },
		{ "chain", add_chain },
		{ "rule", add_rule },
		{ "set", add_set },
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct yamlfile_node *object = ruleset_get(item, kinds[i].kind);

		if (object)
			return kinds[i].add(e, r, object);
	}
	return 0;
}

static struct ruleset_table *table_of(struct ruleset *r, const char *family, const char *name)
{
	for (size_t i = 0; i < r->n_tables; i++)
		if (is(r->tables[i].family, family) && is(r->tables[i].name, name))
			return &r->tables[i];
	return NULL;
}

static void count_object(struct ruleset *r, const struct yamlfile_node *item)
{
	const struct yamlfile_node *object = item->n == 2 ? yamlfile_next(yamlfile_first(item)) : NULL;
	struct ruleset_table *t = table_of(r, string_of(object, "family"), string_of(object, "table"));

	if (t && !ruleset_get(item, "rule"))
		t->n_objects++;
}

static void count_rules(struct ruleset *r)
{
	for (size_t i = 0, k = 0; i < r->n_rules; i++) {
		/* A chain's rules come one after the other. */
		for (size_t tried = 0; tried < r->n_chains && !ruleset_is_in(&r->rules[i], &r->chains[k]);
		     tried++)
			k = (k + 1) % r->n_chains;
		if (r->n_chains > 0 && ruleset_is_in(&r->rules[i], &r->chains[k]))
			r->chains[k].n_rules++;
	}
}

static int read_list(struct err *e, struct ruleset *r)
{
	const struct yamlfile_node *list = ruleset_get(yamlfile_root(&r->document), "nftables"), *item;
	int ret = 0;

	if (!list || list->kind != YAMLFILE_LIST)
		return err_set(e, EINVAL, "this is not what nft -j prints: there is no list 'nftables'");
	item = list->n > 0 ? yamlfile_first(list) : NULL;
	for (size_t i = 0; ret == 0 && i < list->n; i++) {
		if (item->kind == YAMLFILE_MAPPING) {
			ret = add_object(e, r, item);
			count_object(r, item);
		}
		if (i + 1 < list->n)
			item = yamlfile_next(item);
	}
	count_rules(r);
	return ret;
}

int ruleset_parse(struct err *e, const char *json, struct ruleset *out)
{
	CLEANUP(ruleset_clear) struct ruleset r = { 0 };
	int ret = yamlfile_parse(e, "nft", json, strlen(json), YAMLFILE_JSON, &r.document);

	if (ret == 0)
		ret = read_list(e, &r);
	if (ret < 0)
		return ret;
	*out = r;
	r = (struct ruleset){ 0 };
	return 0;
}

const struct ruleset_table *ruleset_table(const struct ruleset *r, const char *family, const char *name)
{
	for (size_t i = 0; i < r->n_tables; i++)
		if (is(r->tables[i].family, family) && is(r->tables[i].name, name))
			return &r->tables[i];
	return NULL;
}

const struct ruleset_chain *ruleset_chain(const struct ruleset *r, const char *family, const char *table,
					  const char *name)
{
	for (size_t i = 0; i < r->n_chains; i++) {
		const struct ruleset_chain *c = &r->chains[i];

		if (is(c->name, name) && is(c->table, table) && is(c->family, family))
			return c;
	}
	return NULL;
}

bool ruleset_is_in(const struct ruleset_rule *rule, const struct ruleset_chain *chain)
{
	return is(rule->chain, chain->name) && is(rule->table, chain->table) &&
	       is(rule->family, chain->family);
}

/* Takes the next word that is no counter off *at; its length is 0 at the end. */
static size_t take_word(const char **at)
{
	size_t len;

	do {
		*at += strspn(*at, " ");
		len = strcspn(*at, " ");
		*at += len;
	} while (len == strlen("counter") && strncmp(*at - len, "counter", len) == 0);
	return len;
}

bool ruleset_says(const struct ruleset_rule *rule, const char *text)
{
	const char *said = rule->text;
	size_t len;

	do {
		len = take_word(&said);
		if (take_word(&text) != len || strncmp(said - len, text - len, len) != 0)
			return false;
	} while (len > 0);
	return true;
}

bool ruleset_sees(const struct ruleset_chain *chain, sa_family_t family)
{
	return is(chain->family, "inet") || is(chain->family, family == AF_INET6 ? "ip6" : "ip");
}

/* Nothing but counting before it, and nothing else at all. */
static bool is_unconditional_snat(const struct ruleset_rule *rule, const char *to)
{
	const struct yamlfile_node *list = rule->expr, *s;
	bool found = false;

	s = list && list->kind == YAMLFILE_LIST && list->n > 0 ? yamlfile_first(list) : NULL;
	for (size_t i = 0; s && i < list->n; i++) {
		const struct yamlfile_node *snat = ruleset_get(s, "snat");

		if (to ? snat && is(string_of(snat, "addr"), to) : ruleset_get(s, "masquerade") != NULL)
			found = true;
		else if (!ruleset_get(s, "counter"))
			return false;
		if (i + 1 < list->n)
			s = yamlfile_next(s);
	}
	return found;
}

const struct ruleset_rule *ruleset_find_snat(const struct ruleset *r, sa_family_t family, const char *to)
{
	for (size_t i = 0; i < r->n_rules; i++) {
		const struct ruleset_rule *rule = &r->rules[i];
		const struct ruleset_chain *c = ruleset_chain(r, rule->family, rule->table, rule->chain);

		if (c && is(c->type, "nat") && is(c->hook, "postrouting") && ruleset_sees(c, family) &&
		    is_unconditional_snat(rule, to))
			return rule;
	}
	return NULL;
}
