/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Choosing where clients will connect: the VIP and the virtual port. */
#include "gateway_internal.h"

#include "hostnet.h"
#include "pool.h"

#include <stdio.h>
#include <sys/random.h>

struct port_search {
	struct gateway *g;
	const struct add_request *rq;
	const struct route *r;
	int64_t now;   /* seconds since 1970 */
	struct addr vip;
	char why[256]; /* the last port that was taken: by whom */
};

static int check_vip(struct err *e, struct gateway *g, const struct addr *vip, sa_family_t family)
{
	char text[ADDR_STRLEN];
	bool is_local;

	addr_format(vip, text);
	if (vip->family != family)
		return err_set(e, ERR_USAGE, "VIP %s is %s but the real server is %s: they must be of one family",
			       text, addr_family_name(vip->family), addr_family_name(family));
	if (!addr_is_unicast(vip))
		return err_set(e, ERR_USAGE, "VIP %s is not a unicast address", text);
	if (gateway_need_routing(e, g) < 0 || routing_is_local(e, g->routing, vip, &is_local) < 0)
		return -e->code;
	if (!is_local)
		return err_set(e, ERR_USAGE,
			       "VIP %s is not an address of this host; see 'ip addr' and choose one with --vip or "
			       "'addresses:' in the configuration", text);
	return 0;
}

/* sonm-gw-setup prepares the kernel for the VIPs of the configuration, and for no others. */
static int check_listed(struct err *e, const struct config *c, const struct addr *vip)
{
	char text[ADDR_STRLEN];

	for (size_t i = 0; i < c->n_addresses; i++)
		if (addr_equal(&c->addresses[i], vip))
			return 0;
	if (c->n_addresses == 0)
		return 0;
	return err_set(e, ERR_USAGE,
		       "VIP %s is not among the 'addresses:' of the configuration; add it there and run "
		       "'sonm-gw-setup --apply'", addr_format(vip, text));
}

bool gateway_is_vip(struct gateway *g, const struct addr *a)
{
	struct err ignored;

	return check_listed(&ignored, g->config, a) == 0 && check_vip(&ignored, g, a, a->family) == 0;
}

/* The VIPs that may serve a family: what was asked for, what is configured, or the default route's. */
static int candidate_vips(struct err *e, const struct port_search *ps, sa_family_t family, struct addr *vips,
			  size_t *n)
{
	const struct config *c = ps->g->config;

	*n = 0;
	if (ps->rq->vip && check_listed(e, c, ps->rq->vip) < 0)
		return -e->code;
	if (ps->rq->vip)
		vips[(*n)++] = *ps->rq->vip;
	for (size_t i = 0; !ps->rq->vip && i < c->n_addresses; i++)
		if (c->addresses[i].family == family)
			vips[(*n)++] = c->addresses[i];
	if (*n > 0)
		return 0;
	if (c->n_addresses == 0 && hostnet_default_source(e, family, &vips[0]) == 0) {
		*n = 1;
		return 0;
	}
	return err_set(e, ERR_USAGE,
		       "the real server is %s but no VIP of that family is known%s; name one with --vip or "
		       "'addresses:' in the configuration", addr_family_name(family),
		       c->n_addresses == 0 ? " and there is no default route" : "");
}

/* Those of them that are this host's, in front; at least one, or an error. */
static int usable_vips(struct err *e, const struct port_search *ps, sa_family_t family, struct addr *vips,
		       size_t *n)
{
	size_t usable = 0;

	if (candidate_vips(e, ps, family, vips, n) < 0)
		return -e->code;
	for (size_t i = 0; i < *n; i++)
		if (check_vip(e, ps->g, &vips[i], family) == 0)
			vips[usable++] = vips[i];
	if (usable == 0)
		return -e->code;
	*n = usable;
	return 0;
}

/* Who has the port according to the state file. */
static int port_in_store(struct err *e, struct port_search *ps, const struct service_key *key)
{
	char holder[CONTAINER_MAX + 1] = "", text[SERVICE_KEY_STRLEN];
	enum store_port state;
	int64_t since = ps->now - ps->g->config->quarantine;

	if (store_port(e, ps->g->store, key, ps->r->container, since, ps->now, &state, holder) < 0)
		return -e->code;
	if (state != STORE_PORT_FREE)
		snprintf(ps->why, sizeof(ps->why), "%s %s %s", service_key_format(key, text),
			 state == STORE_PORT_ROUTED ? "belongs to container" : "is in quarantine after container",
			 holder);
	return state == STORE_PORT_FREE;
}

/* Who has the port on this host: a local program, or a service that is not ours. */
static int port_on_host(struct err *e, struct port_search *ps, const struct service_key *key)
{
	CLEANUP(service_clear) struct service foreign = { 0 };
	char text[SERVICE_KEY_STRLEN];
	enum hostnet_port state;
	int found;

	service_key_format(key, text);
	if (hostnet_probe(e, key->protocol, &key->vip, &state) < 0)
		return -e->code;
	if (state != HOSTNET_FREE) {
		snprintf(ps->why, sizeof(ps->why), "%s is in use by a local program", text);
		return 0;
	}
	found = ipvs_get(e, ps->g->kernel, key, &foreign);
	if (found > 0)
		snprintf(ps->why, sizeof(ps->why), "%s is an IPVS service that is not ours", text);
	return found < 0 ? found : !found;
}

static int port_is_free(struct err *e, void *ctx, uint16_t port)
{
	struct port_search *ps = ctx;
	struct service_key key = { .protocol = ps->r->protocol, .vip = { .addr = ps->vip, .port = port } };
	int ret = port_in_store(e, ps, &key);

	return ret > 0 ? port_on_host(e, ps, &key) : ret;
}

bool gateway_in_pool(const struct config *c, uint16_t port)
{
	return port >= c->port_first && port <= c->port_last;
}

/* 0 and *out, 1: the pool of this VIP is full. */
static int pick_port(struct err *e, struct port_search *ps, uint16_t *out)
{
	const struct config *c = ps->g->config;
	const struct route *r = ps->r;
	uint32_t random[2];
	uint16_t former;
	int ret = store_former_port(e, ps->g->store, r->container, r->cport, r->protocol, &ps->vip,
				    ps->now - c->quarantine, ps->now, &former);

	if (ret > 0 && gateway_in_pool(c, former) && (ret = port_is_free(e, ps, former)) > 0) {
		*out = former;
		return 0;
	}
	if (ret < 0)
		return ret;
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return err_sys(e, errno, "cannot get random numbers");
	return pool_pick(e, c->port_first, c->port_last, random, port_is_free, ps, out);
}

static int check_vport(struct err *e, const struct config *c, uint16_t vport)
{
	if (gateway_in_pool(c, vport))
		return 0;
	return err_set(e, ERR_USAGE, "port %u is outside the pool %u-%u; choose one inside, or change "
		       "'ports:' in the configuration and run 'sonm-gw-setup --apply'",
		       (unsigned)vport, (unsigned)c->port_first, (unsigned)c->port_last);
}

/* 0 and *out, 1: this VIP has not the port that is asked for, or none at all. */
static int find_port(struct err *e, struct port_search *ps, uint16_t *out)
{
	uint16_t vport = ps->rq->vport;
	int ret;

	if (!vport)
		return pick_port(e, ps, out);
	ret = port_is_free(e, ps, vport);
	if (ret > 0)
		*out = vport;
	return ret < 0 ? ret : !ret;
}

static int no_port(struct err *e, const struct port_search *ps)
{
	const struct config *c = ps->g->config;

	if (ps->rq->vport)
		return err_set(e, ERR_CONFLICT, "%s; choose another with --vport, or leave the choice to us", ps->why);
	return err_set(e, ERR_POOL_FULL,
		       "no %s port is free in the pool %u-%u of any %s VIP; remove containers, wait for the "
		       "quarantine (%u s), or widen 'ports:' in the configuration",
		       protocol_name(ps->r->protocol), (unsigned)c->port_first, (unsigned)c->port_last,
		       addr_family_name(ps->vip.family), (unsigned)c->quarantine);
}

int gateway_choose_endpoint(struct err *e, struct gateway *g, const struct add_request *rq, int64_t now,
			    struct route *r)
{
	struct addr vips[CONFIG_ADDRESSES_MAX];
	struct port_search ps = { .g = g, .rq = rq, .r = r, .now = now };
	uint16_t port;
	size_t n;

	if ((rq->vport && check_vport(e, g->config, rq->vport) < 0) ||
	    usable_vips(e, &ps, r->servers[0].real.addr.family, vips, &n) < 0)
		return -e->code;
	for (size_t i = 0; i < n; i++) {
		int ret;

		ps.vip = vips[i];
		ret = find_port(e, &ps, &port);
		if (ret < 0)
			return ret;
		if (ret == 0) {
			r->public = (struct endpoint){ .addr = vips[i], .port = port };
			return 0;
		}
	}
	return no_port(e, &ps);
}

