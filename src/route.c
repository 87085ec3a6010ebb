/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "route.h"

#include <stdio.h>
#include <string.h>

#define ID_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

int container_check(struct err *e, const char *id)
{
	size_t len = strlen(id);

	if (len == 0)
		return err_set(e, ERR_USAGE, "the container ID is empty");
	if (len > CONTAINER_MAX)
		return err_set(e, ERR_USAGE, "the container ID '%.20s...' is longer than %d characters", id,
			       CONTAINER_MAX);
	if (id[0] == '-' || strspn(id, ID_LETTERS "._:-") != len)
		return err_set(e, ERR_USAGE,
			       "'%s' is not a container ID: use letters, digits and . _ : -, no '-' first", id);
	return 0;
}

int port_spec_parse(struct err *e, const char *text, struct port_spec *out)
{
	size_t len = strcspn(text, "=");
	struct endpoint parsed = { 0 };
	char number[8];
	uint16_t port;

	if (len == 0 || len >= sizeof(number))
		return err_set(e, ERR_USAGE,
			       "'%.80s' is not CPORT=ADDRESS:PORT (container port, worker's address and port)",
			       text);
	memcpy(number, text, len);
	number[len] = '\0';
	if (addr_parse_port(e, number, &port) < 0)
		return -e->code;
	if (text[len] == '=' && endpoint_parse(e, text + len + 1, &parsed) < 0)
		return -e->code;
	if (text[len] == '=' && !addr_is_unicast(&parsed.addr))
		return err_set(e, ERR_USAGE, "'%.80s': a real server needs a unicast address", text + len + 1);
	out->cport = port;
	out->has_real = text[len] == '=';
	out->real = parsed;
	return 0;
}

struct service_key route_service_key(const struct route *r)
{
	return (struct service_key){ .protocol = r->protocol, .vip = r->public };
}

const char *route_port_format(uint16_t cport, uint8_t protocol, char buf[static ROUTE_STRLEN])
{
	char *at = base_put_number(buf, cport);

	*at++ = '/';
	strcpy(at, protocol_name(protocol));
	return buf;
}

const char *route_format(const struct route *r, char buf[static ROUTE_STRLEN])
{
	char public[ENDPOINT_STRLEN];

	snprintf(buf, ROUTE_STRLEN, "[%u/%s->%s]", (unsigned)r->cport, protocol_name(r->protocol),
		 endpoint_format(&r->public, public));
	return buf;
}

bool route_same_target(const struct route *a, const struct route *b)
{
	if (a->kind != b->kind || a->n_servers != b->n_servers || a->persistence != b->persistence ||
	    strcmp(a->scheduler, b->scheduler) != 0)
		return false;
	for (size_t i = 0; i < a->n_servers; i++)
		if (!endpoint_equal(&a->servers[i].real, &b->servers[i].real) ||
		    a->servers[i].weight != b->servers[i].weight)
			return false;
	return true;
}

static int server_compare(const struct real_server *a, const struct real_server *b)
{
	int order = addr_compare(&a->real.addr, &b->real.addr);

	return order ? order : (a->real.port > b->real.port) - (a->real.port < b->real.port);
}

int route_add_server(struct err *e, struct route *r, const struct real_server *rs)
{
	char text[ENDPOINT_STRLEN];
	size_t at = 0;

	while (at < r->n_servers && server_compare(&r->servers[at], rs) < 0)
		at++;
	if (at < r->n_servers && server_compare(&r->servers[at], rs) == 0)
		return err_set(e, ERR_CONFLICT, "real server %s is given twice for port %u/%s",
			       endpoint_format(&rs->real, text), (unsigned)r->cport,
			       protocol_name(r->protocol));
	if (r->n_servers == REAL_SERVERS_MAX)
		return err_set(e, E2BIG, "port %u/%s has more than %d real servers", (unsigned)r->cport,
			       protocol_name(r->protocol), REAL_SERVERS_MAX);
	if (base_reserve((void **)&r->servers, r->n_servers, sizeof(*rs)) < 0)
		return err_set(e, ENOMEM, "out of memory");
	memmove(&r->servers[at + 1], &r->servers[at], (r->n_servers - at) * sizeof(*rs));
	r->servers[at] = *rs;
	r->n_servers++;
	return 0;
}

struct real_server *route_find_server(const struct route *r, const struct endpoint *real)
{
	for (size_t i = 0; i < r->n_servers; i++)
		if (endpoint_equal(&r->servers[i].real, real))
			return &r->servers[i];
	return NULL;
}

void route_drop_server(struct route *r, const struct endpoint *real)
{
	struct real_server *rs = route_find_server(r, real);

	if (!rs)
		return;
	r->n_servers--;
	memmove(rs, rs + 1, (size_t)(&r->servers[r->n_servers] - rs) * sizeof(*rs));
}

bool server_is_draining(const struct real_server *rs)
{
	return rs->drain.boot_id[0] != '\0';
}

uint32_t server_weight(const struct real_server *rs)
{
	return server_is_draining(rs) ? 0 : rs->weight;
}

bool route_is_draining(const struct route *r)
{
	for (size_t i = 0; i < r->n_servers; i++)
		if (!server_is_draining(&r->servers[i]))
			return false;
	return r->state == ROUTE_OPEN && r->n_servers > 0;
}

const char *route_state_name(const struct route *r)
{
	if (r->state == ROUTE_CLOSING)
		return "closing";
	return route_is_draining(r) ? "draining" : "open";
}

int route_copy(struct err *e, const struct route *from, struct route *to)
{
	struct route copy = *from;

	copy.servers = NULL;
	copy.n_servers = 0;
	for (size_t i = 0; i < from->n_servers; i++) {
		if (route_add_server(e, &copy, &from->servers[i]) < 0) {
			route_clear(&copy);
			return -e->code;
		}
	}
	*to = copy;
	return 0;
}

int route_list_take(struct err *e, struct route_list *list, struct route *r)
{
	if (base_reserve((void **)&list->items, list->n, sizeof(*r)) < 0)
		return err_set(e, ENOMEM, "out of memory");
	list->items[list->n++] = *r;
	*r = (struct route){ 0 };
	return 0;
}

struct route *route_list_find(const struct route_list *list, uint16_t cport, uint8_t protocol)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].cport == cport && list->items[i].protocol == protocol)
			return &list->items[i];
	return NULL;
}

void route_clear(struct route *r)
{
	free(r->servers);
	*r = (struct route){ 0 };
}

void route_list_clear(struct route_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i].servers);
	free(list->items);
	*list = (struct route_list){ 0 };
}

void ledger_list_clear(struct ledger_list *list)
{
	free(list->items);
	*list = (struct ledger_list){ 0 };
}
