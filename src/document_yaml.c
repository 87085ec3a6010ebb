/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config_reader.h"
#include "document_internal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define WEIGHT_DEFAULT 100
#define WEIGHT_MAX 65535
#define PERSISTENCE_MAX 3153600 /* seconds */

/* What is being read. */
struct draft {
	struct document *doc;
	struct yamlfile_mark *route_marks, *worker_marks; /* owned; where each one is, in their order */
	uint32_t version;                        /* 0: none */
};

static void draft_clear(struct draft *s)
{
	free(s->route_marks);
	free(s->worker_marks);
}

static int add_mark(struct err *e, struct yamlfile_mark **marks, size_t n, const struct yamlfile_node *node)
{
	if (base_reserve((void **)marks, n, sizeof(**marks)) < 0)
		return err_set(e, ENOMEM, "out of memory");
	(*marks)[n] = node->at;
	return 0;
}

/* Gives the error that r->e has its place, if it is about the text. */
static int locate(const struct reader *r, const struct yamlfile_node *node)
{
	if (r->e->code == ERR_CONFLICT || r->e->code == E2BIG)
		r->e->code = ERR_USAGE;
	return r->e->code == ERR_USAGE ? reader_locate(r, node) : -r->e->code;
}

/* Calls set for each mapping in a list; example begins one. */
static int read_list(const struct reader *r, const struct yamlfile_node *node, const char *example, reader_set *set,
		     void *into)
{
	const struct yamlfile_node *element;
	int ret = 0;

	if (reader_is_null(node))
		return 0;
	if (!reader_is_list(node))
		return reader_refuse(r, node, "this is not a list; write '- %s' for each, below it", example);
	element = yamlfile_first(node);
	for (uint32_t i = 0; ret == 0 && i < node->n; i++, element = yamlfile_next(element)) {
		if (element->kind != YAMLFILE_MAPPING)
			return reader_refuse(r, element, "this is not a mapping; write '- %s' and so on",
					     example);
		ret = set(r, element, into);
	}
	return ret;
}

/* Which of n names the value is. */
static int read_choice(const struct reader *r, const struct yamlfile_node *node, const char *const names[], size_t n,
		       size_t *out)
{
	char list[200] = "";
	const char *text;
	int ret = reader_text(r, node, &text);

	for (size_t i = 0; ret == 0 && i < n; i++) {
		size_t len = strlen(list);

		if (strcmp(text, names[i]) == 0) {
			*out = i;
			return 0;
		}
		snprintf(list + len, sizeof(list) - len, "%s%s",
			 i == 0      ? ""
			 : i + 1 < n ? ", "
				     : " or ",
			 names[i]);
	}
	return ret < 0 ? ret : reader_refuse(r, node, "'%.60s' is unknown; write %s", text, list);
}

/* --- a real server ----------------------------------------------------------- */

/* ADDRESS:PORT of one host. */
static int read_endpoint(const struct reader *r, const struct yamlfile_node *node, struct endpoint *out)
{
	struct endpoint ep;
	const char *text;
	int ret = reader_text(r, node, &text);

	if (ret < 0)
		return ret;
	if (endpoint_parse(r->e, text, &ep) < 0) {
		err_advise(r->e, "write one such as 198.51.100.1:33000 or '[2001:db8::1]:33000'");
		return reader_locate(r, node);
	}
	if (!addr_is_unicast(&ep.addr))
		return reader_refuse(r, node, "%.60s is not the address of one host; give a unicast address",
				     text);
	*out = ep;
	return 0;
}

static int set_server_address(const struct reader *r, const struct yamlfile_node *node, void *into)
{
	struct real_server *rs = into;

	return read_endpoint(r, node, &rs->real);
}

static int set_server_weight(const struct reader *r, const struct yamlfile_node *node, void *into)
{
	struct real_server *rs = into;

	return reader_number(r, node, 0, WEIGHT_MAX, &rs->weight);
}

static const struct reader_key server_keys[] = {
	{ "address", set_server_address },
	{ "weight", set_server_weight },
};

static int add_server(const struct reader *r, const struct yamlfile_node *node, void *into)
{
	struct real_server rs = { .weight = WEIGHT_DEFAULT };
	struct route *route = into;

	if (reader_section(r, node, server_keys, ARRAY_LEN(server_keys), &rs) < 0)
		return -r->e->code;
	if (rs.real.port == 0)
		return reader_refuse(r, node,
				     "the real server has no address; write address: '10.0.0.11:8080'");
	for (size_t i = 0; i < route->n_servers; i++)
		if (route->servers[i].real.addr.family != rs.real.addr.family)
			return reader_refuse(r, node, "real servers are IPv4 and IPv6; choose one family");
	return route_add_server(r->e, route, &rs) < 0 ? locate(r, node) : 0;
}

/* --- a route ----------------------------------------------------------------- */

static int read_name(const struct reader *r, const struct yamlfile_node *node, int check(struct err *, const char *),
		     char out[static CONTAINER_MAX + 1])
{
	const char *text;
	int ret = reader_text(r, node, &text);

	if (ret < 0)
		return ret;
	if (check(r->e, text) < 0)
		return locate(r, node);
	strcpy(out, text); /* container_check: CONTAINER_MAX at most */
	return 0;
}

static int set_container(const struct reader *r, const struct yamlfile_node *node, void *into)
{
	struct route *route = into;

	return read_name(r, node, container_check, route->container);
}

static bool parse_protocol(const char *name, uint8_t *out)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP };

	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		if (strcmp(name, protocol_name(protocols[i])) == 0) {
			*out = protocols[i];
			return true;
		}
	}
	return false;
}

/* "80/tcp" */
static int set_port(const struct reader *r, const struct yamlfile_node *node, void *into)
{
	struct route *route = into;
	char number[8] = "";
	const char *text, *slash;
	struct err ignored;
	int ret = reader_text(r, node, &text);

	if (ret < 0)
		return ret;
	slash = strchr(text, '/');
	if (slash && (size_t)(slash - text) < sizeof(number))
		memcpy(number, text, (size_t)(slash - text));
	if (!slash || addr_parse_port(&ignored, number, &route->cport) < 0 ||
	    !parse_protocol(slash + 1, &route->protocol))
		return reader_refuse(r, node,
				     "'%.60s' is not a container port; write its number from 1 to 65535 with "
				     "/tcp, /udp or /sctp",
				     text);
	return 0;
}

static int set_route_kind(const struct reader *r, const struct yamlfile_node *node, void *into)
{
	static const char *const kinds[] = { [ROUTE_GATEWAY] = "gateway", [ROUTE_DIRECT] = "direct" };
	struct route *route = into;
	size_t kind;
	int ret = read_choice(r, node, kinds, ARRAY_LEN(kinds), &kind);

	if (ret == 0)
		route->kind = (enum route_kind)kind;
	return ret;
}

static int set_endpoint(const struct reader *r, const struct yamlfile_node *node, void *into)
{
	struct route *route = into;

	return read_endpoint(r, node, &route->public);
}

static int set_route_worker(const struct reader *r, const struct yamlfile_node *node, void *into)
{
	struct route *route = into;

	return read_name(r, node, worker_check_name, route->worker);
}

static int set_scheduler(const struct reader *r, const struct yamlfile_node *node, void *into)
{
	struct route *route = into;
	const char *text;
	int ret = reader_text(r, node, &text);

	if (ret < 0)
		return ret;
	if (!scheduler_is_name(text))
		return reader_refuse(r, node, "'%.60s' is not the name of a scheduler; write one such as wrr",
				     text);
	strcpy(route->scheduler, text);
	return 0;
}

static int set_persistence(const struct reader *r, const struct yamlfile_node *node, void *into)
{
	struct route *route = into;

	return reader_number(r, node, 0, PERSISTENCE_MAX, &route->persistence);
}

static int set_real_servers(const struct reader *r, const struct yamlfile_node *node, void *into)
{
	return read_list(r, node, "{address: '10.0.0.11:8080', weight: 100}", add_server, into);
}

static const struct reader_key route_keys[] = {
	{ "container", set_container },     { "port", set_port },
	{ "kind", set_route_kind },         { "endpoint", set_endpoint },
	{ "worker", set_route_worker },     { "scheduler", set_scheduler },
	{ "persistence", set_persistence }, { "real_servers", set_real_servers },
};

/* What the keys together say. */
static int check_route(const struct reader *r, const struct yamlfile_node *node, const struct route *route)
{
	if (route->container[0] == '\0')
		return reader_refuse(r, node, "the route has no container; write container: NAME");
	if (route->cport == 0)
		return reader_refuse(r, node, "the route has no port; write one such as port: 80/tcp");
	if (route->public.port == 0)
		return reader_refuse(
			r, node, "the route has no endpoint; write one such as endpoint: 198.51.100.1:33000");
	if (route->n_servers == 0)
		return reader_refuse(r, node,
				     "the route has no real server; write one below real_servers:, such as "
				     "- {address: '10.0.0.11:8080', weight: 100}");
	if (route->kind == ROUTE_GATEWAY && route->servers[0].real.addr.family != route->public.addr.family)
		return reader_refuse(r, node,
				     "the endpoint is %s and the real servers are %s; choose one family",
				     addr_family_name(route->public.addr.family),
				     addr_family_name(route->servers[0].real.addr.family));
	return 0;
}

static int add_route(const struct reader *r, const struct yamlfile_node *node, void *into)
{
	CLEANUP(route_clear) struct route route = { .kind = ROUTE_GATEWAY, .scheduler = "wrr" };
	struct draft *s = into;

	if (reader_section(r, node, route_keys, ARRAY_LEN(route_keys), &route) < 0 ||
	    check_route(r, node, &route) < 0 || add_mark(r->e, &s->route_marks, s->doc->routes.n, node) < 0)
		return -r->e->code;
	return route_list_take(r->e, &s->doc->routes, &route);
}

/* --- a worker ---------------------------------------------------------------- */

static int set_worker_name(const struct reader *r, const struct yamlfile_node *node, void *into)
{
	struct worker *w = into;

	return read_name(r, node, worker_check_name, w->name);
}

static int set_nat(const struct reader *r, const struct yamlfile_node *node, void *into)
{
	const char *names[NAT_SYMMETRIC_UDP_FIREWALL + 1];
	struct worker *w = into;
	size_t type;
	int ret;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		names[i] = nat_type_name((enum nat_type)i);
	ret = read_choice(r, node, names, ARRAY_LEN(names), &type);
	if (ret == 0)
		w->nat = (enum nat_type)type;
	return ret;
}

static int set_worker_kind(const struct reader *r, const struct yamlfile_node *node, void *into)
{
	static const char *const kinds[] = { "private", "public" };
	struct worker *w = into;
	size_t kind;
	int ret = read_choice(r, node, kinds, ARRAY_LEN(kinds), &kind);

	if (ret == 0)
		w->is_public = kind == 1;
	return ret;
}

static int set_addresses(const struct reader *r, const struct yamlfile_node *node, void *into)
{
	struct worker *w = into;

	return reader_addresses(r, node, w->addresses, ARRAY_LEN(w->addresses), &w->n_addresses);
}

/* RFC 3339, in UTC and whole seconds: the one way in which it is written back. */
static int set_reported_at(const struct reader *r, const struct yamlfile_node *node, void *into)
{
	static const char format[] = "%Y-%m-%dT%H:%M:%SZ";
	struct worker *w = into;
	struct tm tm = { 0 };
	char again[32] = "";
	const char *text, *end;
	time_t at;
	int ret = reader_text(r, node, &text);

	if (ret < 0)
		return ret;
	end = strptime(text, format, &tm);
	at = timegm(&tm);
	if (!end || *end != '\0' || at <= 0 || !gmtime_r(&at, &tm) ||
	    strftime(again, sizeof(again), format, &tm) == 0 || strcmp(again, text) != 0)
		return reader_refuse(r, node,
				     "'%.60s' is not a time in UTC; write it as 2026-11-01T10:00:00Z", text);
	w->reported_at = at;
	return 0;
}

static const struct reader_key worker_keys[] = {
	{ "name", set_worker_name },        { "nat", set_nat },
	{ "kind", set_worker_kind },        { "addresses", set_addresses },
	{ "reported_at", set_reported_at },
};

static int add_worker(const struct reader *r, const struct yamlfile_node *node, void *into)
{
	struct draft *s = into;
	struct worker w = { .nat = NAT_UNKNOWN };

	if (reader_section(r, node, worker_keys, ARRAY_LEN(worker_keys), &w) < 0)
		return -r->e->code;
	if (w.name[0] == '\0')
		return reader_refuse(r, node, "the worker has no name; write name: NAME");
	if (worker_check(r->e, &w) < 0)
		return locate(r, node);
	if (add_mark(r->e, &s->worker_marks, s->doc->workers.n, node) < 0)
		return -r->e->code;
	return worker_list_add(r->e, &s->doc->workers, &w);
}

/* --- the document ------------------------------------------------------------ */

static int set_version(const struct reader *r, const struct yamlfile_node *node, void *into)
{
	struct draft *s = into;
	int ret = reader_number(r, node, 1, 999999999, &s->version);

	if (ret == 0 && s->version != DOCUMENT_VERSION)
		return reader_refuse(r, node,
				     "this document is of version %u, and this program reads version %d; "
				     "upgrade sonm-gateway",
				     s->version, DOCUMENT_VERSION);
	return ret;
}

static int set_workers(const struct reader *r, const struct yamlfile_node *node, void *into)
{
	return read_list(r, node, "name: NAME", add_worker, into);
}

static int set_routes(const struct reader *r, const struct yamlfile_node *node, void *into)
{
	return read_list(r, node, "container: NAME", add_route, into);
}

static const struct reader_key root_keys[] = {
	{ "version", set_version },
	{ "workers", set_workers },
	{ "routes", set_routes },
};

/* First of all the version: what is wrong in a newer document is not to be told. */
static int read_root(const struct reader *r, struct draft *s)
{
	const struct yamlfile_node *root = yamlfile_root(r->doc);

	if (root && root->kind == YAMLFILE_MAPPING && reader_pick(r, root, root_keys, 1, s) < 0)
		return -r->e->code;
	if (reader_root(r, "the document", root_keys, ARRAY_LEN(root_keys), s) < 0)
		return -r->e->code;
	if (s->version != 0)
		return 0;
	return err_set(r->e, ERR_USAGE,
		       "%.300s:1:1: there is no version; write 'version: %d' as the first line", r->path,
		       DOCUMENT_VERSION);
}

/* Refuses what is there twice, at its second place. */
static int check_once(struct err *e, const char *name, const struct draft *s)
{
	struct document_place second;

	if (document_check_once(e, s->doc, &second) == 0)
		return 0;
	if (e->code != ERR_USAGE)
		return -e->code;
	return yamlfile_locate(e, name, (second.is_worker ? s->worker_marks : s->route_marks)[second.index]);
}

int document_yaml_parse(struct err *e, const char *name, const char *text, size_t len, struct document *out)
{
	CLEANUP(yamlfile_clear) struct yamlfile yaml = { 0 };
	CLEANUP(document_clear) struct document doc = { 0 };
	CLEANUP(draft_clear) struct draft s = { .doc = &doc };
	struct reader r = { .e = e, .path = name, .doc = &yaml };

	if (yamlfile_parse(e, name, text, len, YAMLFILE_PLAIN, &yaml) < 0 || read_root(&r, &s) < 0 ||
	    check_once(e, name, &s) < 0)
		return -e->code;
	*out = doc;
	doc = (struct document){ 0 };
	return 0;
}
