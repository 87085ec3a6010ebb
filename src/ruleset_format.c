/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules of nft as text, from what nft -j says of them: what is not known here is named only. */
#include "ruleset.h"

#include <stdio.h>
#include <string.h>

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static void write_value(FILE *out, const struct yamlfile_node *node);

/* Elements between separators. */
static void write_list(FILE *out, const struct yamlfile_node *list, const char *separator)
{
	const struct yamlfile_node *item;

	if (!list || list->kind != YAMLFILE_LIST || list->n == 0)
		return;
	item = yamlfile_first(list);
	for (size_t i = 0; i < list->n; i++) {
		fputs(i > 0 ? separator : "", out);
		write_value(out, item);
		if (i + 1 < list->n)
			item = yamlfile_next(item);
	}
}

static void write_meta(FILE *out, const struct yamlfile_node *v)
{
	const char *key = ruleset_string(ruleset_get(v, "key"));
	bool bare = strncmp(key, "iif", 3) == 0 || strncmp(key, "oif", 3) == 0;

	fprintf(out, "%s%s", bare ? "" : "meta ", key);
}

static void write_ct(FILE *out, const struct yamlfile_node *v)
{
	const char *direction = ruleset_string(ruleset_get(v, "dir"));

	fprintf(out, "ct %s%s%s", direction, direction[0] ? " " : "", ruleset_string(ruleset_get(v, "key")));
}

static void write_payload(FILE *out, const struct yamlfile_node *v)
{
	fprintf(out, "%s %s", ruleset_string(ruleset_get(v, "protocol")),
		ruleset_string(ruleset_get(v, "field")));
}

static void write_fib(FILE *out, const struct yamlfile_node *v)
{
	const struct yamlfile_node *flags = ruleset_get(v, "flags");

	fputs("fib ", out);
	if (flags && flags->kind == YAMLFILE_SCALAR) /* as nft 1.1.2 prints a single one */
		fputs(flags->text, out);
	write_list(out, flags, " . ");
	fprintf(out, " %s", ruleset_string(ruleset_get(v, "result")));
}

static void write_range(FILE *out, const struct yamlfile_node *v)
{
	write_list(out, v, "-");
}

static void write_prefix(FILE *out, const struct yamlfile_node *v)
{
	fprintf(out, "%s/%s", ruleset_string(ruleset_get(v, "addr")), ruleset_string(ruleset_get(v, "len")));
}

static void write_set(FILE *out, const struct yamlfile_node *v)
{
	fputs("{ ", out);
	write_list(out, v, ", ");
	fputs(" }", out);
}

const char *ruleset_protocol(const char *text)
{
	static const struct {
		const char *number, *name;
	} protocols[] = {{"6", "tcp"}, {"17", "udp"}, {"132", "sctp"}};

	for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
		if (is(text, protocols[i].number))
			return protocols[i].name;
	return text;
}

/* One, or a set of them. */
static void write_protocols(FILE *out, const struct yamlfile_node *right)
{
	const struct yamlfile_node *set = ruleset_get(right, "set"), *item;

	if (!set || set->kind != YAMLFILE_LIST || set->n == 0) {
		if (right && right->kind == YAMLFILE_SCALAR)
			fputs(ruleset_protocol(right->text), out);
		else
			write_value(out, right);
		return;
	}
	item = yamlfile_first(set);
	for (size_t i = 0; i < set->n; i++) {
		fputs(i > 0 ? ", " : "{ ", out);
		write_protocols(out, item);
		if (i + 1 < set->n)
			item = yamlfile_next(item);
	}
	fputs(" }", out);
}

static void write_match(FILE *out, const struct yamlfile_node *v)
{
	const char *op = ruleset_string(ruleset_get(v, "op"));
	const struct yamlfile_node *left = ruleset_get(v, "left"), *right = ruleset_get(v, "right");

	write_value(out, left);
	if (!is(op, "==") && !is(op, "in"))
		fprintf(out, " %s", op);
	putc(' ', out);
	if (is(ruleset_string(ruleset_get(ruleset_get(left, "meta"), "key")), "l4proto"))
		write_protocols(out, right);
	else
		write_value(out, right);
}

static void write_vmap(FILE *out, const struct yamlfile_node *v)
{
	write_value(out, ruleset_get(v, "key"));
	fputs(" vmap ", out);
	write_value(out, ruleset_get(v, "data"));
}

static void write_jump(FILE *out, const char *how, const struct yamlfile_node *v)
{
	fprintf(out, "%s %s", how, ruleset_string(ruleset_get(v, "target")));
}

/* {"snat": {"addr": "10.0.0.1"}} */
static void write_snat(FILE *out, const struct yamlfile_node *v)
{
	fprintf(out, "snat to %s", ruleset_string(ruleset_get(v, "addr")));
}

static void write_named(FILE *out, const char *key, const struct yamlfile_node *v)
{
	static const struct {
		const char *key;
		void (*write)(FILE *out, const struct yamlfile_node *v);
	} writers[] = {
	    {"match", write_match},   {"payload", write_payload}, {"meta", write_meta}, {"ct", write_ct},
	    {"set", write_set},       {"range", write_range},     {"fib", write_fib},   {"snat", write_snat},
	    {"prefix", write_prefix}, {"vmap", write_vmap},
	};

	if (is(key, "jump") || is(key, "goto")) {
		write_jump(out, key, v);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(writers); i++) {
		if (is(key, writers[i].key)) {
			writers[i].write(out, v);
			return;
		}
	}
	fputs(key, out);
	if (is(key, "xt"))
		fprintf(out, " %s", ruleset_string(ruleset_get(v, "name")));
}

static void write_value(FILE *out, const struct yamlfile_node *node)
{
	if (!node)
		return;
	if (node->kind == YAMLFILE_SCALAR)
		fputs(node->text, out);
	else if (node->kind == YAMLFILE_LIST)
		write_list(out, node, ",");
	else if (node->kind == YAMLFILE_MAPPING && node->n >= 2)
		write_named(out, ruleset_string(yamlfile_first(node)), yamlfile_next(yamlfile_first(node)));
}

char *ruleset_format(const struct yamlfile_node *expr)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	write_list(out, expr, " ");
	if (fclose(out) == EOF) {
		free(text);
		return NULL;
	}
	return text;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Texts of the elements, joined in order. */
static char *join_sorted(char **texts, size_t n)
{
	char *joined = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&joined, &size);

	if (!out)
		return NULL;
	qsort(texts, n, sizeof(*texts), compare_texts);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%s%s", i > 0 ? ", " : "", texts[i]);
	if (fclose(out) == EOF) {
		free(joined);
		return NULL;
	}
	return joined;
}

static char *format_value(const struct yamlfile_node *node)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	write_value(out, node);
	if (fclose(out) == EOF) {
		free(text);
		return NULL;
	}
	return text;
}

char *ruleset_format_elements(const struct yamlfile_node *list)
{
	size_t n = list && list->kind == YAMLFILE_LIST ? list->n : 0, made = 0;
	CLEANUP_FREE char **texts = calloc(n + 1, sizeof(*texts));
	const struct yamlfile_node *item = n > 0 ? yamlfile_first(list) : NULL;
	char *joined = NULL;

	for (; texts && made < n; made++) {
		texts[made] = format_value(item);
		if (!texts[made])
			break;
		if (made + 1 < n)
			item = yamlfile_next(item);
	}
	if (texts && made == n)
		joined = join_sorted(texts, n);
	for (size_t i = 0; i < made; i++)
		free(texts[i]);
	return joined;
}
