/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"
#include "similar.h"
#include "yamlfile.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void config_default(struct config *out)
{
	*out = (struct config){
		.is_gateway = true,
		.port_first = 32768,
		.port_last = 33768,
		.snat = SNAT_IPVS,
		.scheduler = "wrr",
		.weight = 100,
		.quarantine = 300,
		.state = "/var/lib/sonm/gateway.db",
	};
}

struct reader {
	struct err *e;
	const char *path;
	yaml_document_t doc;
	const char *key; /* the one of the gateway section whose value is being read, or NULL */
};

static void reader_clear(struct reader *r)
{
	yaml_document_delete(&r->doc); /* an empty one is fine */
}

PRINTF_LIKE(3, 4)
static int refuse(struct reader *r, yaml_mark_t at, const char *fmt, ...)
{
	char what[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	err_set(r->e, ERR_USAGE, "%s", what);
	if (r->key)
		err_wrap(r->e, "gateway.%s", r->key);
	return yamlfile_locate(r->e, r->path, at);
}

static yaml_node_t *node_at(struct reader *r, int index)
{
	return yaml_document_get_node(&r->doc, index);
}

static bool is_plain(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static bool is_null(const yaml_node_t *node)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL" };

	for (size_t i = 0; is_plain(node) && i < ARRAY_LEN(nulls); i++)
		if (strcmp((const char *)node->data.scalar.value, nulls[i]) == 0)
			return true;
	return false;
}

/* A text, quoted or not; NULL: the node is none, and the error is set. */
static const char *read_text(struct reader *r, const yaml_node_t *node)
{
	const char *text = (const char *)node->data.scalar.value;

	if (node->type != YAML_SCALAR_NODE)
		refuse(r, node->start_mark, "this is a %s; give one value",
		       node->type == YAML_SEQUENCE_NODE ? "list" : "mapping");
	else if (strlen(text) != node->data.scalar.length)
		refuse(r, node->start_mark, "there is a NUL character in the value; remove it");
	else
		return text;
	return NULL;
}

/*
 * A number in plain decimal. Quotes make a string of it, and a leading zero is
 * octal in YAML 1.1 but not in 1.2: neither is taken for what it may not be.
 */
static int read_number(struct reader *r, const yaml_node_t *node, uint32_t min, uint32_t max, uint32_t *out)
{
	const char *text = read_text(r, node);
	size_t digits;
	long n;

	if (!text)
		return -r->e->code;
	digits = strspn(text, "0123456789");
	if (digits > 0 && text[digits] == '\0' && !is_plain(node))
		return refuse(r, node->start_mark, "'%.60s' is in quotes; write it without", text);
	if (digits > 1 && text[0] == '0')
		return refuse(r, node->start_mark, "'%.60s' begins with 0; write it in decimal without",
			      text);
	n = digits > 0 && digits < 10 && text[digits] == '\0' ? atol(text) : -1;
	if (n < (long)min || n > (long)max)
		return refuse(r, node->start_mark,
			      "'%.60s' is not a number; write a whole one from %u to %u in decimal", text,
			      min, max);
	*out = (uint32_t)n;
	return 0;
}

static int read_address(struct reader *r, const yaml_node_t *node, struct addr *out)
{
	const char *text = read_text(r, node);

	if (!text)
		return -r->e->code;
	if (addr_parse(r->e, text, out) < 0)
		return refuse(r, node->start_mark,
			      "'%.60s' is not an IPv4 or IPv6 address; write one such as 198.51.100.1", text);
	if (!addr_is_unicast(out))
		return refuse(r, node->start_mark,
			      "%.60s is not the address of one host; give a unicast address", text);
	return 0;
}

static int set_ports(struct reader *r, const yaml_node_t *node, struct config *c)
{
	const yaml_node_item_t *items;
	uint32_t first, last;
	int ret;

	if (node->type != YAML_SEQUENCE_NODE ||
	    node->data.sequence.items.top - node->data.sequence.items.start != 2)
		return refuse(r, node->start_mark, "the pool is a list of two ports; write [FIRST, LAST]");
	items = node->data.sequence.items.start;
	ret = read_number(r, node_at(r, items[0]), 1, 65535, &first);
	if (ret == 0)
		ret = read_number(r, node_at(r, items[1]), 1, 65535, &last);
	if (ret < 0)
		return ret;
	if (first > last)
		return refuse(r, node->start_mark, "the first port, %u, is above the last, %u; swap them",
			      first, last);
	c->port_first = (uint16_t)first;
	c->port_last = (uint16_t)last;
	return 0;
}

static int add_address(struct reader *r, const yaml_node_t *node, struct config *c)
{
	char text[ADDR_STRLEN];
	struct addr a;
	int ret = read_address(r, node, &a);

	if (ret < 0)
		return ret;
	for (size_t i = 0; i < c->n_addresses; i++)
		if (addr_equal(&c->addresses[i], &a))
			return refuse(r, node->start_mark, "%s is given twice; give it once",
				      addr_format(&a, text));
	if (c->n_addresses == CONFIG_ADDRESSES_MAX)
		return refuse(r, node->start_mark, "there are more than %d addresses; give fewer",
			      CONFIG_ADDRESSES_MAX);
	c->addresses[c->n_addresses++] = a;
	return 0;
}

static int set_addresses(struct reader *r, const yaml_node_t *node, struct config *c)
{
	if (node->type != YAML_SEQUENCE_NODE)
		return refuse(r, node->start_mark, "this is not a list; write [ADDRESS, ...]");
	for (const yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top;
	     i++) {
		int ret = add_address(r, node_at(r, *i), c);

		if (ret < 0)
			return ret;
	}
	return 0;
}

static int set_snat(struct reader *r, const yaml_node_t *node, struct config *c)
{
	static const struct {
		const char *name;
		enum snat_mode mode;
	} modes[] = { { "ipvs", SNAT_IPVS }, { "masquerade", SNAT_MASQUERADE }, { "none", SNAT_NONE } };
	const char *text = read_text(r, node);

	if (!text)
		return -r->e->code;
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		if (strcmp(text, modes[i].name) == 0) {
			c->snat = modes[i].mode;
			return 0;
		}
	}
	if (addr_parse(r->e, text, &c->snat_address) < 0)
		return refuse(r, node->start_mark,
			      "'%.60s' is unknown; write ipvs, masquerade, none or an address", text);
	c->snat = SNAT_ADDRESS;
	return read_address(r, node, &c->snat_address);
}

static int set_scheduler(struct reader *r, const yaml_node_t *node, struct config *c)
{
	const char *text = read_text(r, node);
	size_t len;

	if (!text)
		return -r->e->code;
	len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
	if (len == 0 || len > SCHEDULER_MAX || text[len] != '\0')
		return refuse(r, node->start_mark,
			      "'%.60s' is not the name of a scheduler; write one such as wrr", text);
	strcpy(c->scheduler, text);
	return 0;
}

static int set_weight(struct reader *r, const yaml_node_t *node, struct config *c)
{
	return read_number(r, node, 0, 65535, &c->weight);
}

static int set_quarantine(struct reader *r, const yaml_node_t *node, struct config *c)
{
	return read_number(r, node, 0, 365 * 24 * 3600, &c->quarantine);
}

static int set_state(struct reader *r, const yaml_node_t *node, struct config *c)
{
	const char *text = read_text(r, node);
	size_t len;

	if (!text)
		return -r->e->code;
	len = strlen(text);
	if (len == 0 || text[0] != '/' || text[len - 1] == '/')
		return refuse(r, node->start_mark,
			      "'%.60s' is not the absolute path of a file; write one such as %s", text,
			      c->state);
	if (len >= sizeof(c->state))
		return refuse(r, node->start_mark, "the path is longer than %zu bytes; choose a shorter one",
			      sizeof(c->state) - 1);
	strcpy(c->state, text);
	return 0;
}

static const struct key {
	const char *name;
	int (*set)(struct reader *r, const yaml_node_t *node, struct config *c);
} keys[] = {
	{ "ports", set_ports },
	{ "addresses", set_addresses },
	{ "snat", set_snat },
	{ "scheduler", set_scheduler },
	{ "weight", set_weight },
	{ "quarantine", set_quarantine },
	{ "state", set_state },
};

static int find_key(struct reader *r, const yaml_node_t *node, const struct key **out)
{
	const char *text = read_text(r, node), *nearest = NULL;

	if (!text)
		return -r->e->code;
	for (const struct key *k = keys; k < keys + ARRAY_LEN(keys); k++) {
		if (strcmp(text, k->name) == 0) {
			*out = k;
			return 0;
		}
		nearest = similar_nearer(text, nearest, k->name);
	}
	refuse(r, node->start_mark, "gateway has no key '%.60s'", text);
	return nearest ? err_advise(r->e, "did you mean %s?", nearest)
		       : err_advise(r->e, "remove it, or move it out of this section");
}

static int read_pair(struct reader *r, const yaml_node_pair_t *pair, bool seen[], struct config *c)
{
	const yaml_node_t *key = node_at(r, pair->key), *value = node_at(r, pair->value);
	const struct key *k = NULL;
	int ret;

	ret = find_key(r, key, &k);
	if (ret < 0)
		return ret;
	if (seen[k - keys])
		return refuse(r, key->start_mark, "gateway.%s is given twice; give it once", k->name);
	seen[k - keys] = true;
	r->key = k->name;
	if (is_null(value))
		return refuse(r, value->start_mark, "there is no value; give one, or remove the key");
	ret = k->set(r, value, c);
	r->key = NULL;
	return ret;
}

static int read_gateway(struct reader *r, const yaml_node_t *node, struct config *c)
{
	bool seen[ARRAY_LEN(keys)] = { false };
	int ret = 0;

	c->is_gateway = true;
	if (is_null(node))
		return 0;
	if (node->type != YAML_MAPPING_NODE)
		return refuse(r, node->start_mark,
			      "gateway is not a mapping; write its keys below it, indented");
	for (const yaml_node_pair_t *p = node->data.mapping.pairs.start;
	     ret == 0 && p < node->data.mapping.pairs.top; p++)
		ret = read_pair(r, p, seen, c);
	return ret;
}

/* Reads our section of the document; other tools' keys may be anything. */
static int read_document(struct reader *r, struct config *c)
{
	const yaml_node_t *root = yaml_document_get_root_node(&r->doc);
	int ret = 0;

	c->is_gateway = false;
	if (!root || is_null(root))
		return 0;
	if (root->type != YAML_MAPPING_NODE)
		return refuse(r, root->start_mark,
			      "the file is not a mapping; write 'gateway:' and its keys below");
	for (const yaml_node_pair_t *p = root->data.mapping.pairs.start;
	     ret == 0 && p < root->data.mapping.pairs.top; p++) {
		const yaml_node_t *key = node_at(r, p->key);

		if (key->type != YAML_SCALAR_NODE ||
		    strcmp((const char *)key->data.scalar.value, "gateway") != 0)
			continue;
		if (c->is_gateway)
			return refuse(r, key->start_mark, "there are two gateway sections; keep one");
		ret = read_gateway(r, node_at(r, p->value), c);
	}
	return ret;
}

int config_load(struct err *e, const char *path, bool must_exist, struct config *out)
{
	CLEANUP(reader_clear) struct reader r = { .e = e, .path = path };
	struct config c;
	int ret = yamlfile_load(e, path, &r.doc);

	config_default(&c);
	if (ret == -ENOENT && !must_exist)
		ret = 0;
	else if (ret == 0)
		ret = read_document(&r, &c);
	if (ret == 0)
		*out = c;
	return ret;
}
