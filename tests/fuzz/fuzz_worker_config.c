/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz_worker_config: gives libFuzzer's bytes to what reads a worker's
 * configuration, and aborts where a promise of worker_config.h is broken.
 */
#include "memory_file.h"
#include "worker_config.h"

static void check_server(const struct server *s)
{
	char text[SERVER_STRLEN];
	struct server again;
	struct err e;

	require(s->host[0] != '\0' && is_line(s->host, sizeof(s->host)));
	require(s->addr.family == AF_UNSPEC || addr_is_unicast(&s->addr));
	require(server_parse(&e, server_format(s, text), &again) == 0);
	require(strcmp(again.host, s->host) == 0 && again.port == s->port && addr_equal(&again.addr, &s->addr));
}

static bool is_path(const char path[static WORKER_PATH_MAX + 1])
{
	return strnlen(path, WORKER_PATH_MAX + 1) <= WORKER_PATH_MAX && (path[0] == '\0' || path[0] == '/');
}

static void check(const struct worker_config *c)
{
	require(c->n_servers <= WORKER_SERVERS_MAX && c->n_addresses <= WORKER_ADDRESSES_MAX);
	require(c->has_firewall == (c->n_servers > 0));
	for (size_t i = 0; i < c->n_servers; i++)
		check_server(&c->servers[i]);
	for (size_t i = 0; i < c->n_addresses; i++)
		require(addr_is_unicast(&c->addresses[i]));
	require(strnlen(c->report_url, sizeof(c->report_url)) < sizeof(c->report_url));
	require(is_path(c->token_file) && is_path(c->ca_file));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *path = memory_file(bytes, len);
	struct worker_config c;
	struct err e;
	int ret = worker_config_load(&e, path, true, &c);

	if (ret == 0)
		check(&c);
	else
		require_blame(path, &e, ret);
	return 0;
}
