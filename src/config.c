/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"
#include "config_reader.h"

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

static int set_ports(const struct reader *r, const struct yamlfile_node *node, void *config)
{
	struct config *c = config;
	const struct yamlfile_node *element;
	uint32_t first, last;
	int ret;

	if (!reader_is_list(node) || node->n != 2)
		return reader_refuse(r, node, "the pool is a list of two ports; write [FIRST, LAST]");
	element = yamlfile_first(node);
	ret = reader_number(r, yamlfile_target(element), 1, 65535, &first);
	if (ret == 0)
		ret = reader_number(r, yamlfile_target(yamlfile_next(element)), 1, 65535, &last);
	if (ret < 0)
		return ret;
	if (first > last)
		return reader_refuse(r, node, "the first port, %u, is above the last, %u; swap them", first,
				     last);
	c->port_first = (uint16_t)first;
	c->port_last = (uint16_t)last;
	return 0;
}

static int set_addresses(const struct reader *r, const struct yamlfile_node *node, void *config)
{
	struct config *c = config;

	return reader_addresses(r, node, c->addresses, ARRAY_LEN(c->addresses), &c->n_addresses);
}

static int set_snat(const struct reader *r, const struct yamlfile_node *node, void *config)
{
	static const struct {
		const char *name;
		enum snat_mode mode;
	} modes[] = { { "ipvs", SNAT_IPVS }, { "masquerade", SNAT_MASQUERADE }, { "none", SNAT_NONE } };
	struct config *c = config;
	const char *text;
	int ret = reader_text(r, node, &text);

	if (ret < 0)
		return ret;
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		if (strcmp(text, modes[i].name) == 0) {
			c->snat = modes[i].mode;
			return 0;
		}
	}
	if (addr_parse(r->e, text, &c->snat_address) < 0)
		return reader_refuse(r, node,
				     "'%.60s' is unknown; write ipvs, masquerade, none or an address", text);
	c->snat = SNAT_ADDRESS;
	return reader_address(r, node, &c->snat_address);
}

static int set_scheduler(const struct reader *r, const struct yamlfile_node *node, void *config)
{
	struct config *c = config;
	const char *text;
	size_t len;
	int ret = reader_text(r, node, &text);

	if (ret < 0)
		return ret;
	len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
	if (len == 0 || len > SCHEDULER_MAX || text[len] != '\0')
		return reader_refuse(r, node, "'%.60s' is not the name of a scheduler; write one such as wrr",
				     text);
	strcpy(c->scheduler, text);
	return 0;
}

static int set_weight(const struct reader *r, const struct yamlfile_node *node, void *config)
{
	struct config *c = config;

	return reader_number(r, node, 0, 65535, &c->weight);
}

static int set_quarantine(const struct reader *r, const struct yamlfile_node *node, void *config)
{
	struct config *c = config;

	return reader_number(r, node, 0, 365 * 24 * 3600, &c->quarantine);
}

static int set_state(const struct reader *r, const struct yamlfile_node *node, void *config)
{
	struct config *c = config;

	return reader_path(r, node, c->state, c->state, sizeof(c->state));
}

static const struct reader_key gateway_keys[] = {
	{ "ports", set_ports },         { "addresses", set_addresses }, { "snat", set_snat },
	{ "scheduler", set_scheduler }, { "weight", set_weight },       { "quarantine", set_quarantine },
	{ "state", set_state },
};

static int set_gateway(const struct reader *r, const struct yamlfile_node *node, void *config)
{
	struct config *c = config;

	c->is_gateway = true;
	return reader_section(r, node, gateway_keys, ARRAY_LEN(gateway_keys), c);
}

static const struct reader_key sections[] = { { "gateway", set_gateway } };

int config_load(struct err *e, const char *path, bool must_exist, struct config *out)
{
	struct config c;
	int ret;

	config_default(&c);
	c.is_gateway = false; /* until the section is found */
	ret = reader_load(e, path, must_exist, sections, ARRAY_LEN(sections), ARRAY_LEN(sections), &c);
	if (ret < 0)
		return ret;
	if (ret == 0)
		c.is_gateway = true;
	*out = c;
	return 0;
}
