/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker_config.h"
#include "config_reader.h"

#include <string.h>
#include <strings.h>

#define SERVER_EXAMPLE "stun.example.net:3478"
#define URL_EXAMPLE "https://hub.example/workers/w1"

static int add_server(const struct reader *r, const struct yamlfile_node *node, void *config)
{
	struct worker_config *c = config;
	const char *text;
	char buf[SERVER_STRLEN];
	struct server s;
	int ret = reader_text(r, node, &text);

	if (ret < 0)
		return ret;
	if (server_parse(r->e, text, &s) < 0)
		return reader_locate(r, node);
	for (size_t i = 0; i < c->n_servers; i++)
		if (c->servers[i].port == s.port && strcasecmp(c->servers[i].host, s.host) == 0)
			return reader_refuse(r, node, "%s is given twice; give it once",
					     server_format(&s, buf));
	if (c->n_servers == ARRAY_LEN(c->servers))
		return reader_refuse(r, node, "there are more than %zu servers; give fewer",
				     ARRAY_LEN(c->servers));
	c->servers[c->n_servers++] = s;
	return 0;
}

static int set_server(const struct reader *r, const struct yamlfile_node *node, void *config)
{
	return reader_is_list(node) ? reader_each(r, node, add_server, config) : add_server(r, node, config);
}

static const struct reader_key firewall_keys[] = { { "server", set_server } };

static int set_firewall(const struct reader *r, const struct yamlfile_node *node, void *config)
{
	struct worker_config *c = config;
	int ret;

	if (reader_is_null(node)) /* as for those whose file it is: no settings */
		return 0;
	ret = reader_section(r, node, firewall_keys, ARRAY_LEN(firewall_keys), c);
	if (ret < 0)
		return ret;
	if (c->n_servers == 0)
		return reader_refuse(r, node,
				     "there is no server; write server: \"" SERVER_EXAMPLE
				     "\" below it, indented, or remove the section");
	c->has_firewall = true;
	return 0;
}

static int set_addresses(const struct reader *r, const struct yamlfile_node *node, void *config)
{
	struct worker_config *c = config;

	return reader_addresses(r, node, c->addresses, ARRAY_LEN(c->addresses), &c->n_addresses);
}

/* What follows "https://" or "http://"; "" if the URL begins in another way. */
static const char *after_scheme(const char *url)
{
	static const char *const schemes[] = { "https://", "http://" };

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0)
			return url + strlen(schemes[i]);
	return "";
}

/* What is wrong with a hub's URL, or NULL. Not a word of it: there may be a password in it. */
static const char *url_fault(const char *url)
{
	const char *authority = after_scheme(url);
	size_t len = strcspn(authority, "/?#"); /* RFC 3986, 3.2 */

	if (len == 0 || authority[0] == ':')
		return "this is not the URL of a hub; write one such as " URL_EXAMPLE;
	if (memchr(authority, '@', len))
		return "there is a user in the URL; remove it, and put a token into token_file";
	for (; *url; url++)
		if ((unsigned char)*url <= ' ' || *url == 0x7f)
			return "there is a blank or a control character in the URL; remove it";
	return NULL;
}

static int set_url(const struct reader *r, const struct yamlfile_node *node, void *config)
{
	struct worker_config *c = config;
	const char *url, *fault;
	int ret = reader_text(r, node, &url);

	if (ret < 0)
		return ret;
	fault = url_fault(url);
	if (fault)
		return reader_refuse(r, node, "%s", fault);
	if (strlen(url) >= sizeof(c->report_url))
		return reader_refuse(r, node, "the URL is longer than %zu bytes; choose a shorter one",
				     sizeof(c->report_url) - 1);
	strcpy(c->report_url, url);
	return 0;
}

static int set_token_file(const struct reader *r, const struct yamlfile_node *node, void *config)
{
	struct worker_config *c = config;

	return reader_path(r, node, "/etc/sonm/token", c->token_file, sizeof(c->token_file));
}

static int set_ca_file(const struct reader *r, const struct yamlfile_node *node, void *config)
{
	struct worker_config *c = config;

	return reader_path(r, node, "/etc/sonm/hub.pem", c->ca_file, sizeof(c->ca_file));
}

static const struct reader_key report_keys[] = {
	{ "url", set_url },
	{ "token_file", set_token_file },
	{ "ca_file", set_ca_file },
};

/* The URL alone, or a mapping. */
static int set_report(const struct reader *r, const struct yamlfile_node *node, void *config)
{
	struct worker_config *c = config;
	int ret;

	if (node->kind != YAMLFILE_MAPPING)
		return set_url(r, node, c);
	ret = reader_section(r, node, report_keys, ARRAY_LEN(report_keys), c);
	if (ret == 0 && c->report_url[0] == '\0')
		return reader_refuse(r, node,
				     "there is no url; write url: " URL_EXAMPLE " below it, indented");
	return ret;
}

/* Who misses one of the first two takes a worker behind a firewall for a public one. */
#define GUARDED 2

static const struct reader_key sections[] = {
	{ "firewall", set_firewall },
	{ "public_ip_addrs", set_addresses },
	{ "report", set_report },
};

int worker_config_load(struct err *e, const char *path, bool must_exist, struct worker_config *out)
{
	struct worker_config c = { 0 };
	int ret = reader_load(e, path, must_exist, sections, ARRAY_LEN(sections), GUARDED, &c);

	if (ret < 0)
		return ret;
	*out = c;
	return 0;
}
