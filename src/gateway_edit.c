/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Editing what is published: scheduler, persistence, weights, real servers. */
#include "gateway_internal.h"

#include <stdio.h>
#include <string.h>

/* One call of gateway_edit. */
struct edition {
	struct gateway *g;
	const struct edit_request *rq;
	struct transition t;
	struct boottime now;
};

static void edition_clear(struct edition *ed)
{
	transition_clear(&ed->t);
}

static int check_replace(struct err *e, const struct edit_request *rq)
{
	char text[ENDPOINT_STRLEN];

	endpoint_format(rq->replace, text);
	for (size_t i = 0; i < rq->n_ports; i++) {
		if (!rq->ports[i].has_real)
			return err_set(e, ERR_USAGE, "port %u has no real server to take the place of %s: write %u=ADDRESS:PORT",
				       (unsigned)rq->ports[i].cport, text, (unsigned)rq->ports[i].cport);
		if (endpoint_equal(&rq->ports[i].real, rq->replace))
			return err_set(e, ERR_USAGE, "real server %s cannot take its own place", text);
	}
	if (rq->n_ports > 0)
		return 0;
	return err_set(e, ERR_USAGE,
		       "no real server to take the place of %s; name it with -t, -u or --sctp CPORT=ADDRESS:PORT", text);
}

static int check_request(struct err *e, const struct edit_request *rq)
{
	bool changes = rq->scheduler || rq->weight >= 0 || rq->persistence >= 0;

	if (container_check(e, rq->container) < 0 ||
	    (rq->scheduler && gateway_check_scheduler(e, rq->scheduler) < 0) ||
	    (rq->replace && check_replace(e, rq) < 0))
		return -e->code;
	for (size_t i = 0; i < rq->n_ports; i++)
		changes = changes || rq->ports[i].has_real;
	if (changes)
		return 0;
	return err_set(e, ERR_USAGE,
		       "nothing to edit; give a scheduler (-s), weight (-w), persistence (-p) or real server "
		       "(CPORT=ADDRESS:PORT)");
}

static bool is_meant(const struct edit_request *rq, const struct route *r)
{
	for (size_t i = 0; i < rq->n_ports; i++)
		if (rq->ports[i].cport == r->cport && rq->ports[i].protocol == r->protocol)
			return true;
	return rq->n_ports == 0;
}

static int refuse_direct(struct err *e, const struct route *r)
{
	char text[ROUTE_STRLEN];

	return err_set(e, ERR_USAGE,
		       "%s of container %s is direct: its clients reach the worker without this hub, so there is nothing "
		       "to edit; remove it with 'sonm-vs -D' and add it anew", route_format(r, text), r->container);
}

static int check_found(struct err *e, const struct edit_request *rq, const struct route_list *open)
{
	if (open->n == 0)
		return err_set(e, ERR_ABSENT, "container %s has no open route; see 'sonm-vs -L'", rq->container);
	for (size_t i = 0; i < rq->n_ports; i++)
		if (!route_list_find(open, rq->ports[i].cport, rq->ports[i].protocol))
			return err_set(e, ERR_ABSENT, "container %s has no open route for port %u/%s; see 'sonm-vs -L %s'",
				       rq->container, (unsigned)rq->ports[i].cport,
				       protocol_name(rq->ports[i].protocol), rq->container);
	for (size_t i = 0; i < open->n; i++)
		if (is_meant(rq, &open->items[i]) && open->items[i].kind == ROUTE_DIRECT)
			return refuse_direct(e, &open->items[i]);
	return 0;
}

/* The routes that are meant: as they are, and a copy to be edited. */
static int find_routes(struct err *e, struct edition *ed)
{
	const struct route_filter f = { .container = ed->rq->container, .state = ROUTE_OPEN };
	CLEANUP(route_list_clear) struct route_list open = { 0 };

	if (store_routes(e, ed->g->store, &f, &open) < 0 || check_found(e, ed->rq, &open) < 0)
		return -e->code;
	for (size_t i = 0; i < open.n; i++) {
		CLEANUP(route_clear) struct route copy = { 0 };

		if (!is_meant(ed->rq, &open.items[i]))
			continue;
		if (route_copy(e, &open.items[i], &copy) < 0 || route_list_take(e, &ed->t.wanted, &copy) < 0 ||
		    route_list_take(e, &ed->t.former, &open.items[i]) < 0)
			return -e->code;
	}
	return 0;
}

static int add_server(struct err *e, const struct edition *ed, struct route *r, const struct endpoint *real)
{
	struct real_server rs = { .real = *real };
	char text[ENDPOINT_STRLEN];

	rs.weight = ed->rq->weight < 0 ? ed->g->config->weight : (uint32_t)ed->rq->weight;
	if (real->addr.family != r->public.addr.family)
		return err_set(e, ERR_USAGE,
			       "real server %s is %s but port %u/%s of %s is published with %s: they must be of one family",
			       endpoint_format(real, text), addr_family_name(real->addr.family), (unsigned)r->cport,
			       protocol_name(r->protocol), r->container, addr_family_name(r->public.addr.family));
	if (r->n_servers == REAL_SERVERS_MAX)
		return err_set(e, ERR_USAGE, "port %u/%s has %d real servers already; remove one first",
			       (unsigned)r->cport, protocol_name(r->protocol), REAL_SERVERS_MAX);
	return route_add_server(e, r, &rs);
}

/* A real server that is named is wanted, so it drains no more. */
static int edit_server(struct err *e, const struct edition *ed, struct route *r, const struct endpoint *real)
{
	struct real_server *rs = route_find_server(r, real);

	if (!rs)
		return add_server(e, ed, r, real);
	rs->drain = (struct boottime){ 0 };
	if (ed->rq->weight >= 0)
		rs->weight = (uint32_t)ed->rq->weight;
	return 0;
}

/* It takes no new connections from now on, and leaves when it has none any more, however long that is. */
static int drain_replaced(struct err *e, const struct edition *ed, struct route *r)
{
	struct real_server *rs = route_find_server(r, ed->rq->replace);
	char text[ENDPOINT_STRLEN];

	if (!rs)
		return err_set(e, ERR_ABSENT, "port %u/%s of %s has no real server %s to replace; see 'sonm-vs -L %s'",
			       (unsigned)r->cport, protocol_name(r->protocol), r->container,
			       endpoint_format(ed->rq->replace, text), r->container);
	rs->drain = ed->now;
	rs->drain.ms = BOOTTIME_NEVER;
	return 0;
}

static int edit_port(struct err *e, const struct edition *ed, const struct port_spec *port)
{
	struct route *r = route_list_find(&ed->t.wanted, port->cport, port->protocol);

	if (port->has_real && edit_server(e, ed, r, &port->real) < 0)
		return -e->code;
	for (size_t i = 0; !port->has_real && ed->rq->weight >= 0 && i < r->n_servers; i++)
		r->servers[i].weight = (uint32_t)ed->rq->weight;
	return ed->rq->replace ? drain_replaced(e, ed, r) : 0;
}

static int edit_routes(struct err *e, struct edition *ed)
{
	const struct edit_request *rq = ed->rq;

	for (size_t i = 0; i < ed->t.wanted.n; i++) {
		struct route *r = &ed->t.wanted.items[i];

		if (rq->scheduler)
			snprintf(r->scheduler, sizeof(r->scheduler), "%s", rq->scheduler);
		if (rq->persistence >= 0)
			r->persistence = (uint32_t)rq->persistence;
		for (size_t k = 0; rq->n_ports == 0 && rq->weight >= 0 && k < r->n_servers; k++)
			r->servers[k].weight = (uint32_t)rq->weight;
	}
	for (size_t i = 0; i < rq->n_ports; i++)
		if (edit_port(e, ed, &rq->ports[i]) < 0)
			return -e->code;
	return 0;
}

/* The routes as they are now; if they cannot be read, as they were made. */
static void read_again(struct edition *ed)
{
	CLEANUP(route_list_clear) struct route_list now = { 0 };
	struct route_list made = ed->t.wanted;
	struct err why;

	for (size_t i = 0; i < ed->t.former.n; i++) {
		const struct route *r = &ed->t.former.items[i];
		const struct route_filter f = { .container = r->container, .cport = r->cport,
						.protocol = r->protocol, .state = ROUTE_OPEN };

		if (store_routes(&why, ed->g->store, &f, &now) < 0) {
			gateway_leave_undone(ed->g, &why);
			return;
		}
	}
	ed->t.wanted = now;
	now = made;
}

static int edit_locked(struct err *e, struct edition *ed)
{
	struct err why;

	if (gateway_boottime(e, ed->g, &ed->now) < 0 || gateway_finish_some_due(e, ed->g) < 0 ||
	    find_routes(e, ed) < 0 || edit_routes(e, ed) < 0 || gateway_make(e, ed->g, &ed->t) < 0)
		return -e->code;
	/* What was replaced and is idle leaves at once. */
	if (ed->rq->replace && gateway_finish_some_due(&why, ed->g) < 0)
		gateway_leave_undone(ed->g, &why);
	return 0;
}

int gateway_edit(struct err *e, struct gateway *g, const struct edit_request *rq, struct route_list *out)
{
	CLEANUP(edition_clear) struct edition ed = { .g = g, .rq = rq };
	int ret;

	if (check_request(e, rq) < 0 || store_lock(e, g->store) < 0)
		return -e->code;
	ret = edit_locked(e, &ed);
	gateway_unlock(g);
	if (ret == 0 && rq->replace)
		read_again(&ed);
	return ret < 0 ? ret : gateway_take_done(e, &ed.t.wanted, out);
}
