/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config_reader.h"
#include "similar.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int reader_locate(const struct reader *r, const struct yamlfile_node *node)
{
	if (r->key)
		err_wrap(r->e, "%s%s%s", r->section ? r->section : "", r->section ? "." : "", r->key);
	return yamlfile_locate(r->e, r->path, node->at);
}

int reader_refuse(const struct reader *r, const struct yamlfile_node *node, const char *fmt, ...)
{
	char what[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	err_set(r->e, ERR_USAGE, "%s", what);
	return reader_locate(r, node);
}

bool reader_is_null(const struct yamlfile_node *node)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL" };

	for (size_t i = 0; node->is_plain && i < ARRAY_LEN(nulls); i++)
		if (strcmp(node->text, nulls[i]) == 0)
			return true;
	return false;
}

int reader_text(const struct reader *r, const struct yamlfile_node *node, const char **out)
{
	const char *text = node->text;

	if (node->kind != YAMLFILE_SCALAR)
		return reader_refuse(r, node, "this is a %s; give one value",
				     reader_is_list(node) ? "list" : "mapping");
	if (strlen(text) != node->n)
		return reader_refuse(r, node, "there is a NUL character in the value; remove it");
	*out = text;
	return 0;
}

int reader_string(const struct reader *r, const struct yamlfile_node *node, const char **out)
{
	if (node->is_plain)
		return reader_refuse(r, node, "this is no text; write one, in quotes");
	return reader_text(r, node, out);
}

int reader_bool(const struct reader *r, const struct yamlfile_node *node, bool *out)
{
	const char *text = node->is_plain ? node->text : "";
	bool is_true = strcmp(text, "true") == 0;

	if (!is_true && strcmp(text, "false") != 0)
		return reader_refuse(r, node,
				     "this is neither true nor false; write one of them, without quotes");
	*out = is_true;
	return 0;
}

/*
 * Quotes make a string of a number, and a leading zero is octal in YAML 1.1 but
 * not in 1.2: neither is taken for what it may not be.
 */
int reader_number(const struct reader *r, const struct yamlfile_node *node, uint32_t min, uint32_t max, uint32_t *out)
{
	const char *text;
	size_t digits;
	long n;
	int ret = reader_text(r, node, &text);

	if (ret < 0)
		return ret;
	digits = strspn(text, "0123456789");
	if (digits > 0 && text[digits] == '\0' && !node->is_plain)
		return reader_refuse(r, node, "'%.60s' is in quotes; write it without", text);
	if (digits > 1 && text[0] == '0')
		return reader_refuse(r, node, "'%.60s' begins with 0; write it in decimal without", text);
	n = digits > 0 && digits < 10 && text[digits] == '\0' ? atol(text) : -1;
	if (n < (long)min || n > (long)max)
		return reader_refuse(r, node,
				     "'%.60s' is not a number; write a whole one from %u to %u in decimal",
				     text, min, max);
	*out = (uint32_t)n;
	return 0;
}

int reader_path(const struct reader *r, const struct yamlfile_node *node, const char *example, char *buf, size_t size)
{
	const char *text;
	size_t len;
	int ret = reader_text(r, node, &text);

	if (ret < 0)
		return ret;
	len = strlen(text);
	if (len == 0 || text[0] != '/' || text[len - 1] == '/')
		return reader_refuse(r, node,
				     "'%.60s' is not the absolute path of a file; write one such as %s", text,
				     example);
	if (len >= size)
		return reader_refuse(r, node, "the path is longer than %zu bytes; choose a shorter one",
				     size - 1);
	strcpy(buf, text);
	return 0;
}

int reader_address(const struct reader *r, const struct yamlfile_node *node, struct addr *out)
{
	const char *text;
	struct addr a;
	int ret = reader_text(r, node, &text);

	if (ret < 0)
		return ret;
	if (addr_parse(r->e, text, &a) < 0) {
		err_advise(r->e, "write one such as 198.51.100.1");
		return reader_locate(r, node);
	}
	if (!addr_is_unicast(&a))
		return reader_refuse(r, node, "%.60s is not the address of one host; give a unicast address",
				     text);
	*out = a;
	return 0;
}

/* Appends to a list of n addresses. */
static int add_address(const struct reader *r, const struct yamlfile_node *node, struct addr list[], size_t max,
		       size_t *n)
{
	char text[ADDR_STRLEN];
	struct addr a;
	int ret = reader_address(r, node, &a);

	if (ret < 0)
		return ret;
	for (size_t i = 0; i < *n; i++)
		if (addr_equal(&list[i], &a))
			return reader_refuse(r, node, "%s is given twice; give it once",
					     addr_format(&a, text));
	if (*n == max)
		return reader_refuse(r, node, "there are more than %zu addresses; give fewer", max);
	list[(*n)++] = a;
	return 0;
}

int reader_addresses(const struct reader *r, const struct yamlfile_node *node, struct addr out[], size_t max,
		     size_t *n)
{
	const struct yamlfile_node *element;
	size_t found = 0;
	int ret = 0;

	if (!reader_is_list(node))
		return reader_refuse(r, node, "this is not a list; write [ADDRESS, ...]");
	element = yamlfile_first(node);
	for (uint32_t i = 0; ret == 0 && i < node->n; i++, element = yamlfile_next(element))
		ret = add_address(r, yamlfile_target(element), out, max, &found);
	if (ret == 0)
		*n = found;
	return ret;
}

bool reader_is_list(const struct yamlfile_node *node)
{
	return node->kind == YAMLFILE_LIST;
}

int reader_each(const struct reader *r, const struct yamlfile_node *list, reader_set *set, void *into)
{
	const struct yamlfile_node *element = yamlfile_first(list);
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < list->n; i++, element = yamlfile_next(element))
		ret = set(r, yamlfile_target(element), into);
	return ret;
}

/* A table of keys, and which of them the file has had. */
struct keys {
	const char *owner; /* whose keys they are, for errors */
	const struct reader_key *table;
	size_t n;
	size_t n_guarded;
	uint32_t seen; /* a bit for each */
};

static const struct reader_key *find_key(const struct keys *k, const char *name)
{
	for (size_t i = 0; i < k->n; i++)
		if (strcmp(k->table[i].name, name) == 0)
			return &k->table[i];
	return NULL;
}

/* False: it was there before. */
static bool is_first(struct keys *k, const struct reader_key *key)
{
	uint32_t bit = UINT32_C(1) << (key - k->table);
	bool first = !(k->seen & bit);

	k->seen |= bit;
	return first;
}

static int set_value(const struct reader *r, const struct reader_key *key, const struct yamlfile_node *value,
		     void *config)
{
	struct reader inner = *r;

	inner.key = key->name;
	if (r->section && reader_is_null(value))
		return reader_refuse(&inner, value, "there is no value; give one, or remove the key");
	return key->set(&inner, value, config);
}

static int refuse_unknown(const struct reader *r, const struct keys *k, const struct yamlfile_node *node,
			  const char *name)
{
	const char *nearest = NULL;

	for (size_t i = 0; i < k->n; i++)
		nearest = similar_nearer(name, nearest, k->table[i].name);
	reader_refuse(r, node, "%s has no key '%.60s'", k->owner, name);
	if (nearest)
		return err_advise(r->e, "did you mean %s?", nearest);
	return err_advise(r->e, r->section ? "remove it, or move it out of this section" : "remove it");
}

static int refuse_second(const struct reader *r, const struct yamlfile_node *node, const char *name)
{
	return reader_refuse(r, node, "%s%s%s is given twice; give it once", r->section ? r->section : "",
			     r->section ? "." : "", name);
}

static int read_pair(const struct reader *r, struct keys *k, const struct yamlfile_node *node,
		     const struct yamlfile_node *value, void *config)
{
	const struct reader_key *key;
	const char *name;
	int ret = reader_text(r, node, &name);

	if (ret < 0)
		return ret;
	key = find_key(k, name);
	if (!key)
		return refuse_unknown(r, k, node, name);
	if (!is_first(k, key))
		return refuse_second(r, node, name);
	return set_value(r, key, value, config);
}

typedef int pair_fn(const struct reader *r, struct keys *k, const struct yamlfile_node *node,
		    const struct yamlfile_node *value, void *config);

/* Calls read for each key and value of a mapping, until one fails. */
static int each_pair(const struct reader *r, struct keys *k, const struct yamlfile_node *mapping, pair_fn *read,
		     void *config)
{
	const struct yamlfile_node *key = yamlfile_first(mapping), *value;
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < mapping->n; i += 2, key = yamlfile_next(value)) {
		value = yamlfile_next(key);
		ret = read(r, k, yamlfile_target(key), yamlfile_target(value), config);
	}
	return ret;
}

int reader_section(const struct reader *r, const struct yamlfile_node *node, const struct reader_key keys[], size_t n,
		   void *config)
{
	struct reader inner = *r;
	struct keys k = { .owner = r->key, .table = keys, .n = n };

	inner.section = r->key;
	inner.key = NULL;
	if (reader_is_null(node))
		return 0;
	if (node->kind != YAMLFILE_MAPPING)
		return reader_refuse(&inner, node, "%s is not a mapping; write its keys below it, indented",
				     inner.section);
	return each_pair(&inner, &k, node, read_pair, config);
}

int reader_root(const struct reader *r, const char *what, const struct reader_key keys[], size_t n,
		void *config)
{
	const struct yamlfile_node *root = yamlfile_root(r->doc);
	struct keys k = { .owner = what, .table = keys, .n = n };

	if (!root || reader_is_null(root))
		return 0;
	if (root->kind != YAMLFILE_MAPPING)
		return reader_refuse(r, root, "%s is not a mapping; write '%s:' and its other keys", what,
				     keys[0].name);
	return each_pair(r, &k, root, read_pair, config);
}

/* One that may be none of the keys. */
static int pick_pair(const struct reader *r, struct keys *k, const struct yamlfile_node *node,
		     const struct yamlfile_node *value, void *config)
{
	const struct reader_key *key = node->kind == YAMLFILE_SCALAR ? find_key(k, node->text) : NULL;

	if (!key)
		return 0;
	return is_first(k, key) ? set_value(r, key, value, config) : refuse_second(r, node, key->name);
}

int reader_pick(const struct reader *r, const struct yamlfile_node *node, const struct reader_key keys[], size_t n,
		void *config)
{
	struct keys k = { .table = keys, .n = n };

	if (node->kind != YAMLFILE_MAPPING)
		return reader_refuse(r, node, "this is not a mapping; write its keys and values");
	return each_pair(r, &k, node, pick_pair, config);
}

/* 0 unless this key, which is not ours, looks like one that must not be missed. */
static int refuse_misspelt(const struct reader *r, const struct keys *k, const struct yamlfile_node *node)
{
	const char *text = node->text, *meant = NULL;
	char name[32];
	size_t len = strlen(text);

	if (len >= sizeof(name))
		return 0;
	for (size_t i = 0; i <= len; i++)
		name[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + ('a' - 'A') : text[i]);
	for (size_t i = 0; i < k->n_guarded; i++)
		meant = similar_nearer(name, meant, k->table[i].name);
	if (!meant)
		return 0;
	return reader_refuse(r, node, "'%s' is like %s, but is not; correct it, or rename it", text, meant);
}

/* One of the document's pairs, which may be anything. */
static int read_if_ours(const struct reader *r, struct keys *k, const struct yamlfile_node *node,
			const struct yamlfile_node *value, void *config)
{
	const struct reader_key *key = node->kind == YAMLFILE_SCALAR ? find_key(k, node->text) : NULL;

	if (!key)
		return node->kind == YAMLFILE_SCALAR ? refuse_misspelt(r, k, node) : 0;
	if (!is_first(k, key))
		return reader_refuse(r, node, "there are two %s sections; keep one", key->name);
	return set_value(r, key, value, config);
}

static int read_document(const struct reader *r, struct keys *k, void *config)
{
	const struct yamlfile_node *root = yamlfile_root(r->doc);

	if (!root || reader_is_null(root))
		return 0;
	if (root->kind != YAMLFILE_MAPPING)
		return reader_refuse(r, root, "the file is not a mapping; write '%s:' and its keys below",
				     k->table[0].name);
	return each_pair(r, k, root, read_if_ours, config);
}

int reader_load(struct err *e, const char *path, bool must_exist, const struct reader_key keys[], size_t n,
		size_t n_guarded, void *config)
{
	CLEANUP(yamlfile_clear) struct yamlfile doc = { 0 };
	struct reader r = { .e = e, .path = path, .doc = &doc };
	struct keys k = { .table = keys, .n = n, .n_guarded = n_guarded };
	int ret = yamlfile_load(e, path, &doc);

	if (ret == -ENOENT && !must_exist)
		return 0;
	if (ret == 0)
		ret = read_document(&r, &k, config);
	return ret < 0 ? ret : 1;
}
