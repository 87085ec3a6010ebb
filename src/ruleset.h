/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ruleset: what nft -j list says, as chains and rules, and what a chain does to
 * a packet, as far as one can tell (ruleset_judge.c). Runs nothing: nft.h does.
 */
#ifndef SONM_RULESET_H
#define SONM_RULESET_H

#include "addr.h"
#include "verdict.h"
#include "yamlfile.h"

#define RULESET_OBJECTS_MAX 200000

/* Texts point into the ruleset's document. */
struct ruleset_table {
	const char *family, *name; /* "ip", "ip6", "inet", ... */
	size_t n_objects;          /* chains, sets and whatever else is in it; not rules */
};

struct ruleset_chain {
	const char *family, *table, *name;
	const char *type, *hook; /* "filter", "forward"; "": not a base chain */
	int priority;
	bool drops;              /* its policy */
	size_t n_rules;
};

struct ruleset_rule {
	const char *family, *table, *chain;
	const char *comment; /* "": none */
	const char *handle;  /* decimal */
	const struct yamlfile_node *expr;
	char *text;          /* owned; about as nft prints it, without its comment */
};

struct ruleset_set {
	const char *family, *table, *name;
	char *text; /* owned; its elements: "192.0.2.1, 192.0.2.2", sorted as texts; "" as well if they were
		       left out */
};

/* { 0 } is an empty one. */
struct ruleset {
	struct yamlfile document;
	struct ruleset_table *tables;
	struct ruleset_chain *chains;
	struct ruleset_rule *rules;
	struct ruleset_set *sets;
	size_t n_tables, n_chains, n_rules, n_sets;
};

/* -EINVAL: not what nft -j prints; -E2BIG past RULESET_OBJECTS_MAX; -ENOMEM. */
int ruleset_parse(struct err *e, const char *json, struct ruleset *out) MUST_CHECK;
void ruleset_clear(struct ruleset *r); /* a CLEANUP function */

/* NULL: there is none. */
const struct ruleset_table *ruleset_table(const struct ruleset *r, const char *family, const char *name);
const struct ruleset_chain *ruleset_chain(const struct ruleset *r, const char *family, const char *table,
					  const char *name);

bool ruleset_is_in(const struct ruleset_rule *rule, const struct ruleset_chain *chain);

/* Is it the rule that nft makes of this text, without a comment? What it has counted is no difference. */
bool ruleset_says(const struct ruleset_rule *rule, const char *text);

/* Do packets of this family pass the chain? Those of inet see both. */
bool ruleset_sees(const struct ruleset_chain *chain, sa_family_t family);

/* What a base chain does to a packet. *decider points into the ruleset or to a literal. */
enum verdict ruleset_verdict(const struct ruleset *r, const struct ruleset_chain *chain,
			     const struct packet *p, const char **decider);

/*
 * The first rule of a source NAT chain that, whatever the packet, puts another
 * source in: to (an address), or with NULL masquerades. NULL: none.
 */
const struct ruleset_rule *ruleset_find_snat(const struct ruleset *r, sa_family_t family, const char *to);

/* For ruleset.c and its parts: a key's value, or NULL. */
const struct yamlfile_node *ruleset_get(const struct yamlfile_node *mapping, const char *key);

/* The text of a scalar; "" for anything else and for NULL. */
const char *ruleset_string(const struct yamlfile_node *node);

/*
 * The name of a protocol that nft, without /etc/protocols, prints as a number; any
 * other text as it is.
 */
const char *ruleset_protocol(const char *text);

/* About as nft would print it; the caller frees. NULL: out of memory. */
char *ruleset_format(const struct yamlfile_node *expr);
char *ruleset_format_elements(const struct yamlfile_node *list);

#endif
