/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Choosing where clients will connect: the VIP and the virtual port. */
#include "gateway_internal.h"

#include "pool.h"

#include <stdio.h>
#include <sys/random.h>

/* Of a large pool only a part is looked at to compare VIPs: the cost must not grow with the routes. */
#define WHOLE_POOL 1024
#define SAMPLE_PORTS 256

struct vip {
	struct addr addr;
	uint64_t n_routes; /* in the sample */
	uint32_t chance;   /* decides between equals */
};

/* One call; routes without an endpoint have port 0. */
struct search {
	struct gateway *g;
	const struct endpoint_wish *wish;
	struct route *const *routes;
	size_t n_routes;
	struct vip vips[CONFIG_ADDRESSES_MAX]; /* the best first */
	size_t n_vips;
	const struct addr *vip; /* the one whose pool is searched */
	char why[256];          /* the last port that was taken: by whom */
};

/* --- which addresses may be VIPs --------------------------------------------- */

static int check_local(struct err *e, struct gateway *g, const struct addr *vip)
{
	char text[ADDR_STRLEN];
	bool is_local;

	if (gateway_need_routing(e, g) < 0 || routing_is_local(e, g->routing, vip, &is_local) < 0)
		return -e->code;
	if (is_local)
		return 0;
	return err_set(e, ERR_USAGE,
		       "VIP %s is not an address of this host; see 'ip addr' and choose one with --vip or "
		       "'addresses:' in the configuration", addr_format(vip, text));
}

static int check_kind(struct err *e, const struct addr *vip, sa_family_t family)
{
	char text[ADDR_STRLEN];

	addr_format(vip, text);
	if (vip->family != family)
		return err_set(e, ERR_USAGE, "VIP %s is %s but the real server is %s: they must be of one family",
			       text, addr_family_name(vip->family), addr_family_name(family));
	if (!addr_is_unicast(vip))
		return err_set(e, ERR_USAGE, "VIP %s is not a unicast address", text);
	return 0;
}

static int check_vip(struct err *e, struct gateway *g, const struct addr *vip, sa_family_t family)
{
	return check_kind(e, vip, family) < 0 ? -e->code : check_local(e, g, vip);
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
static int candidate_vips(struct err *e, struct search *s, sa_family_t family)
{
	const struct config *c = s->g->config;
	const struct addr *wanted = s->wish->vip;

	if (wanted && check_listed(e, c, wanted) < 0)
		return -e->code;
	if (wanted)
		s->vips[s->n_vips++].addr = *wanted;
	for (size_t i = 0; !wanted && i < c->n_addresses; i++)
		if (c->addresses[i].family == family)
			s->vips[s->n_vips++].addr = c->addresses[i];
	if (s->n_vips > 0)
		return 0;
	if (c->n_addresses == 0 && hostnet_default_source(e, family, &s->vips[0].addr) == 0) {
		s->n_vips = 1;
		return 0;
	}
	return err_set(e, ERR_USAGE,
		       "the real server is %s but no VIP of that family is known%s; name one with --vip or "
		       "'addresses:' in the configuration", addr_family_name(family),
		       c->n_addresses == 0 ? " and there is no default route" : "");
}

/* Those of them that are this host's; at least one, or an error. */
static int usable_vips(struct err *e, struct search *s, sa_family_t family)
{
	size_t usable = 0;

	if (candidate_vips(e, s, family) < 0)
		return -e->code;
	for (size_t i = 0; i < s->n_vips; i++)
		if (check_vip(e, s->g, &s->vips[i].addr, family) == 0)
			s->vips[usable++] = s->vips[i];
	if (usable == 0)
		return -e->code;
	s->n_vips = usable;
	return 0;
}

static int random_numbers(struct err *e, uint32_t *out, size_t n)
{
	ssize_t got;

	do {
		got = getrandom(out, n * sizeof(*out), 0);
	} while (got < 0 && errno == EINTR);
	return got == (ssize_t)(n * sizeof(*out)) ? 0 : err_sys(e, errno, "cannot get random numbers");
}

static int vip_compare(const void *a, const void *b)
{
	const struct vip *x = a, *y = b;

	if (x->n_routes != y->n_routes)
		return x->n_routes < y->n_routes ? -1 : 1;
	return (x->chance > y->chance) - (x->chance < y->chance);
}

/* The VIP with the fewest routes in the sample, the same for all, comes first. */
static int sort_by_load(struct err *e, struct search *s)
{
	uint32_t size = (uint32_t)s->g->config->port_last - s->g->config->port_first + 1;
	uint32_t sample = size <= WHOLE_POOL ? size : SAMPLE_PORTS;
	uint32_t random[2];
	uint16_t first;

	if (s->n_vips < 2)
		return 0;
	if (random_numbers(e, random, 1) < 0)
		return -e->code;
	first = (uint16_t)(s->g->config->port_first + random[0] % (size - sample + 1));
	for (size_t i = 0; i < s->n_vips; i++) {
		struct vip *v = &s->vips[i];

		if (random_numbers(e, &v->chance, 1) < 0 ||
		    store_count_ports(e, s->g->store, &v->addr, first, (uint16_t)(first + sample - 1),
				      &v->n_routes) < 0)
			return -e->code;
	}
	qsort(s->vips, s->n_vips, sizeof(*s->vips), vip_compare);
	return 0;
}

/* --- which ports are free ------------------------------------------------------ */

/* Who has the port according to the state file. */
static int is_free_in_store(struct err *e, struct search *s, const struct route *r,
			    const struct service_key *key)
{
	char holder[CONTAINER_MAX + 1] = "", text[SERVICE_KEY_STRLEN];
	int64_t since = s->wish->now - s->g->config->quarantine;
	enum store_port state;

	if (store_port(e, s->g->store, key, r->container, since, s->wish->now, &state, holder) < 0)
		return -e->code;
	if (state != STORE_PORT_FREE)
		snprintf(s->why, sizeof(s->why), "%s %s %s", service_key_format(key, text),
			 state == STORE_PORT_ROUTED ? "belongs to container" : "is in quarantine after container",
			 holder);
	return state == STORE_PORT_FREE;
}

static int is_free_for_programs(struct err *e, struct search *s, const struct service_key *key)
{
	char text[SERVICE_KEY_STRLEN];
	enum hostnet_port state;

	if (hostnet_probe(e, key->protocol, &key->vip, &state) < 0)
		return -e->code;
	if (state != HOSTNET_FREE)
		snprintf(s->why, sizeof(s->why), "%s %s", service_key_format(key, text),
			 state == HOSTNET_IN_USE ? "is in use by a local program"
						 : "is at an address that this host cannot use now");
	return state == HOSTNET_FREE;
}

static int is_free_in_kernel(struct err *e, struct search *s, const struct service_key *key)
{
	CLEANUP(service_clear) struct service foreign = { 0 };
	char text[SERVICE_KEY_STRLEN];
	int found = gateway_need_kernel(e, s->g);

	if (found == 0)
		found = ipvs_get(e, s->g->kernel, key, &foreign);
	if (found > 0)
		snprintf(s->why, sizeof(s->why), "%s is an IPVS service that is not ours",
			 service_key_format(key, text));
	return found < 0 ? found : !found;
}

static int is_free(struct err *e, struct search *s, const struct route *r, const struct endpoint *at)
{
	struct service_key key = { .protocol = r->protocol, .vip = *at };
	int ret = is_free_in_store(e, s, r, &key);

	if (ret > 0)
		ret = is_free_for_programs(e, s, &key);
	return ret > 0 ? is_free_in_kernel(e, s, &key) : ret;
}

/* For all routes that have no endpoint yet? */
static int is_free_for_all(struct err *e, struct search *s, const struct endpoint *at)
{
	int ret = 1;

	for (size_t i = 0; ret > 0 && i < s->n_routes; i++)
		if (s->routes[i]->public.port == 0)
			ret = is_free(e, s, s->routes[i], at);
	return ret;
}

static int pool_port_is_free(struct err *e, void *ctx, uint16_t port)
{
	struct search *s = ctx;
	const struct endpoint at = { .addr = *s->vip, .port = port };

	return is_free_for_all(e, s, &at);
}

bool gateway_in_pool(const struct config *c, uint16_t port)
{
	return port >= c->port_first && port <= c->port_last;
}

static bool may_have(const struct search *s, const struct endpoint *at)
{
	for (size_t i = 0; i < s->n_vips; i++)
		if (addr_equal(&s->vips[i].addr, &at->addr))
			return gateway_in_pool(s->g->config, at->port);
	return false;
}

/* --- choosing -------------------------------------------------------------------- */

static size_t count_without(const struct search *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_routes; i++)
		n += s->routes[i]->public.port == 0;
	return n;
}

static void give(const struct search *s, const struct endpoint *at)
{
	for (size_t i = 0; i < s->n_routes; i++)
		if (s->routes[i]->public.port == 0)
			s->routes[i]->public = *at;
}

/* 1: all routes without an endpoint have this one now, 0: it is not to be had. */
static int try_endpoint(struct err *e, struct search *s, const struct endpoint *at)
{
	int ret = may_have(s, at) ? is_free_for_all(e, s, at) : 0;

	if (ret > 0)
		give(s, at);
	return ret;
}

/* Gives the route what it had on one of the VIPs, if that is still kept for it. */
static int try_former(struct err *e, struct search *s, struct route *r)
{
	for (size_t i = 0; i < s->n_vips; i++) {
		struct endpoint at = { .addr = s->vips[i].addr };
		int ret = store_former_port(e, s->g->store, r->container, r->cport, r->protocol, &at.addr,
					    s->wish->now - s->g->config->quarantine, s->wish->now, &at.port);

		if (ret > 0 && gateway_in_pool(s->g->config, at.port))
			ret = is_free(e, s, r, &at);
		else if (ret > 0)
			ret = 0;
		if (ret > 0)
			r->public = at;
		if (ret != 0)
			return ret;
	}
	return 0;
}

/* A port of any VIP's pool that is free for all; 1: found, 0: there is none. */
static int try_pools(struct err *e, struct search *s)
{
	uint32_t random[2];

	for (size_t i = 0; i < s->n_vips; i++) {
		struct endpoint at = { .addr = s->vips[i].addr };
		int ret = random_numbers(e, random, 2);

		s->vip = &s->vips[i].addr;
		if (ret == 0)
			ret = pool_pick(e, s->g->config->port_first, s->g->config->port_last, random,
					pool_port_is_free, s, &at.port);
		if (ret == 0)
			give(s, &at);
		if (ret <= 0)
			return ret < 0 ? ret : 1;
	}
	return 0;
}

/* The same endpoint for all that have none; rather one that the container port has, or had, already. */
static int choose_together(struct err *e, struct search *s, struct route *const siblings[], size_t n_siblings)
{
	int ret = s->wish->like ? try_endpoint(e, s, s->wish->like) : 0;

	for (size_t i = 0; ret == 0 && i < n_siblings; i++)
		if (siblings[i]->public.port != 0)
			ret = try_endpoint(e, s, &siblings[i]->public);
	return ret == 0 ? try_pools(e, s) : ret;
}

static int no_port(struct err *e, const struct search *s)
{
	const struct config *c = s->g->config;

	return err_set(e, ERR_POOL_FULL,
		       "no %s port is free in the pool %u-%u of %s %s VIP; remove containers, wait for the "
		       "quarantine (%u s), or widen 'ports:' in the configuration",
		       protocol_name(s->routes[0]->protocol), (unsigned)c->port_first, (unsigned)c->port_last,
		       s->wish->vip ? "this" : "any", addr_family_name(s->vips[0].addr.family),
		       (unsigned)c->quarantine);
}

/* Each one its own. */
static int choose_apart(struct err *e, struct search *s)
{
	for (size_t i = 0; i < s->n_routes; i++) {
		struct search one = *s;
		int ret;

		if (s->routes[i]->public.port != 0)
			continue;
		one.routes = &s->routes[i];
		one.n_routes = 1;
		ret = choose_together(e, &one, s->routes, s->n_routes);
		if (ret <= 0)
			return ret < 0 ? ret : no_port(e, &one);
	}
	return 0;
}

static int choose_from_pool(struct err *e, struct search *s)
{
	int ret = 0;

	for (size_t i = 0; ret >= 0 && i < s->n_routes; i++)
		ret = try_former(e, s, s->routes[i]);
	if (ret >= 0 && count_without(s) > 1)
		ret = choose_together(e, s, s->routes, s->n_routes);
	return ret < 0 ? ret : choose_apart(e, s);
}

static int check_vport(struct err *e, const struct config *c, uint16_t vport)
{
	if (gateway_in_pool(c, vport))
		return 0;
	return err_set(e, ERR_USAGE, "port %u is outside the pool %u-%u; choose one inside, or change "
		       "'ports:' in the configuration and run 'sonm-gw-setup --apply'",
		       (unsigned)vport, (unsigned)c->port_first, (unsigned)c->port_last);
}

/* The port that is asked for, for all of them. */
static int choose_vport(struct err *e, struct search *s)
{
	const struct endpoint *like = s->wish->like;
	int ret = like && like->port == s->wish->vport ? try_endpoint(e, s, like) : 0;

	for (size_t i = 0; ret == 0 && i < s->n_vips; i++) {
		const struct endpoint at = { .addr = s->vips[i].addr, .port = s->wish->vport };

		ret = try_endpoint(e, s, &at);
	}
	if (ret != 0)
		return ret < 0 ? ret : 0;
	return err_set(e, ERR_CONFLICT, "%s; choose another with --vport, or leave the choice to us", s->why);
}

static bool are_of_one_family(struct route *const routes[], size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (routes[i]->servers[0].real.addr.family != routes[0]->servers[0].real.addr.family)
			return false;
	return true;
}

int gateway_choose_endpoints(struct err *e, struct gateway *g, const struct endpoint_wish *wish,
			     struct route *const routes[], size_t n)
{
	struct search s = { .g = g, .wish = wish, .routes = routes, .n_routes = n };
	int ret = 0;

	if (!are_of_one_family(routes, n)) { /* so they share no VIP */
		for (size_t i = 0; ret == 0 && i < n; i++)
			ret = gateway_choose_endpoints(e, g, wish, &routes[i], 1);
		return ret;
	}
	for (size_t i = 0; i < n; i++)
		routes[i]->public = (struct endpoint){ 0 };
	if ((wish->vport && check_vport(e, g->config, wish->vport) < 0) ||
	    usable_vips(e, &s, routes[0]->servers[0].real.addr.family) < 0 || sort_by_load(e, &s) < 0)
		return -e->code;
	return wish->vport ? choose_vport(e, &s) : choose_from_pool(e, &s);
}

/* --- checking an endpoint that is given -------------------------------------------- */

/* Thousands of routes are checked in one call, for a few VIPs: the kernel is asked once for each. */
static bool is_known_local(const struct gateway *g, const struct addr *vip, int64_t now)
{
	const struct local_vips *known = &g->local_vips;

	for (size_t i = 0; known->at == now && i < known->n; i++)
		if (addr_equal(&known->addrs[i], vip))
			return true;
	return false;
}

static int learn_local(struct err *e, struct gateway *g, const struct addr *vip, int64_t now)
{
	struct local_vips *known = &g->local_vips;

	if (check_local(e, g, vip) < 0)
		return -e->code;
	if (known->at != now)
		*known = (struct local_vips){ .at = now };
	if (known->n < ARRAY_LEN(known->addrs))
		known->addrs[known->n++] = *vip;
	return 0;
}

int gateway_check_endpoint(struct err *e, struct gateway *g, const struct route *r,
			   const struct hostnet_survey *survey, int64_t now)
{
	bool is_known = is_known_local(g, &r->public.addr, now);
	const struct endpoint_wish wish = { .now = now };
	struct service_key key = route_service_key(r);
	struct search s = { .g = g, .wish = &wish };
	int ret;

	for (size_t i = 0; i < r->n_servers; i++)
		if (check_kind(e, &r->public.addr, r->servers[i].real.addr.family) < 0)
			return -e->code;
	if (check_kind(e, &r->public.addr, r->public.addr.family) < 0 ||
	    check_listed(e, g->config, &r->public.addr) < 0 || check_vport(e, g->config, r->public.port) < 0 ||
	    (!is_known && learn_local(e, g, &r->public.addr, now) < 0))
		return -e->code;
	ret = is_free_in_store(e, &s, r, &key);
	/* The first at each VIP is probed in any case: an address of ours may yet be none to bind to. */
	if (ret > 0 && !(is_known && survey && hostnet_is_unused(survey, key.protocol, key.vip.port)))
		ret = is_free_for_programs(e, &s, &key);
	if (ret == 0)
		return err_set(e, ERR_CONFLICT, "%s; free it, or choose another endpoint", s.why);
	return ret < 0 ? ret : 0;
}
