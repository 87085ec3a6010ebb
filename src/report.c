/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report.h"
#include "config_reader.h"

#include <string.h>

#define SHOWN_MAX 60
#define ADVICE "give what 'sonm-stun -j' prints"

/* What the report says. */
struct said {
	bool has_nat, has_gateway, has_addresses;
	bool needs_gateway;
	enum nat_type nat;
	struct addr global[WORKER_ADDRESSES_MAX]; /* each once */
	size_t n_global;
};

/* The beginning of a text that comes from elsewhere, harmless to a terminal. Returns buf. */
static const char *shown(const char *text, char buf[static SHOWN_MAX + 4])
{
	size_t len = strnlen(text, SHOWN_MAX);

	for (size_t i = 0; i < len; i++)
		buf[i] = (char)(text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?');
	strcpy(buf + len, text[len] == '\0' ? "" : "...");
	return buf;
}

static int set_nat(const struct reader *r, const struct yamlfile_node *node, void *into)
{
	struct said *said = into;
	char buf[SHOWN_MAX + 4];
	struct err unknown;
	const char *text;
	int ret = reader_string(r, node, &text);

	if (ret < 0)
		return ret;
	if (nat_type_parse(&unknown, text, &said->nat) < 0)
		return reader_refuse(r, node, "'%s' is not a type of NAT; " ADVICE, shown(text, buf));
	said->has_nat = true;
	return 0;
}

static int set_gateway(const struct reader *r, const struct yamlfile_node *node, void *into)
{
	struct said *said = into;

	said->has_gateway = true;
	return reader_bool(r, node, &said->needs_gateway);
}

static int set_address(const struct reader *r, const struct yamlfile_node *node, void *into)
{
	struct addr *a = into;
	char buf[SHOWN_MAX + 4];
	struct err ignored;
	const char *text;
	int ret = reader_string(r, node, &text);

	if (ret == 0 && addr_parse(&ignored, text, a) < 0)
		ret = reader_refuse(r, node, "'%s' is not an IPv4 or IPv6 address; " ADVICE,
				    shown(text, buf));
	return ret;
}

static void keep_address(struct said *said, const struct addr *a)
{
	if (addr_scope(a) != ADDR_GLOBAL || said->n_global == ARRAY_LEN(said->global))
		return;
	for (size_t i = 0; i < said->n_global; i++)
		if (addr_equal(&said->global[i], a))
			return;
	said->global[said->n_global++] = *a;
}

static int add_address(const struct reader *r, const struct yamlfile_node *node, void *into)
{
	static const struct reader_key keys[] = { { "address", set_address } };
	struct addr a = { 0 };

	if (reader_pick(r, node, keys, ARRAY_LEN(keys), &a) < 0)
		return -r->e->code;
	if (a.family == AF_UNSPEC)
		return reader_refuse(r, node, "there is no \"address\" in this object; " ADVICE);
	keep_address(into, &a);
	return 0;
}

static int set_addresses(const struct reader *r, const struct yamlfile_node *node, void *into)
{
	struct said *said = into;

	if (!reader_is_list(node))
		return reader_refuse(r, node, "this is not a list; " ADVICE);
	said->has_addresses = true;
	return reader_each(r, node, add_address, said);
}

static const struct reader_key members[] = {
	{ "nat", set_nat },
	{ "gateway", set_gateway },
	{ "addresses", set_addresses },
};

static int check(struct err *e, const struct said *said)
{
	const char *missing = !said->has_nat ? "nat" : !said->has_gateway ? "gateway" : "addresses";

	if (!said->has_nat || !said->has_gateway || !said->has_addresses)
		return err_set(e, ERR_USAGE, "there is no \"%s\"; " ADVICE, missing);
	if (said->needs_gateway)
		return 0;
	if (said->nat != NAT_NONE)
		return err_set(
			e, ERR_USAGE,
			"it says that the worker needs no gateway, but is behind a NAT or firewall (%s); " ADVICE,
			nat_type_name(said->nat));
	if (said->n_global == 0)
		return err_set(e, ERR_USAGE,
			       "it says that the worker needs no gateway, but has no public address for it; " ADVICE);
	return 0;
}

static int read_object(struct err *e, const char *source, const char *text, size_t len, struct said *said)
{
	CLEANUP(yamlfile_clear) struct yamlfile json = { 0 };
	struct reader r = { .e = e, .path = source, .doc = &json };
	const struct yamlfile_node *root;

	if (yamlfile_parse(e, source, text, len, YAMLFILE_JSON, &json) < 0)
		return -e->code;
	root = yamlfile_root(&json);
	if (!root)
		return err_set(e, ERR_USAGE, "%.300s: is empty; " ADVICE, source);
	if (reader_pick(&r, root, members, ARRAY_LEN(members), said) < 0)
		return -e->code;
	return check(e, said) < 0 ? err_wrap(e, "%.300s", source) : 0;
}

int report_read(struct err *e, FILE *in, const char *source, struct worker *out)
{
	CLEANUP_FREE char *text = NULL;
	struct said said = { 0 };
	struct worker w = { 0 };
	size_t len;

	if (yamlfile_read(e, in, source, REPORT_SIZE_MAX, &text, &len) < 0)
		return e->code == EFBIG ? err_advise(e, ADVICE) : -e->code;
	if (read_object(e, source, text, len, &said) < 0)
		return -e->code;
	w.nat = said.nat;
	w.is_public = !said.needs_gateway;
	if (w.is_public) {
		memcpy(w.addresses, said.global, sizeof(w.addresses));
		w.n_addresses = said.n_global;
	}
	*out = w;
	return 0;
}
