/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is found at run time in the way of the gateway's traffic. Reported only:
 * whose it is, and what it is for, nobody but the admin knows.
 */
#include "hostnet.h"
#include "ipvs.h"
#include "module.h"
#include "plan.h"
#include "routing.h"
#include "step.h"
#include "sysctl.h"

#include <stdio.h>
#include <string.h>

#define SHOWN 3 /* how many are named */

/* Counts and names what is found, in r->present. */
struct findings {
	struct step_report *report;
	size_t n;
};

static void found(struct findings *f, const char *what)
{
	char *present = f->report->present;
	size_t len = strlen(present);

	if (f->n++ < SHOWN)
		snprintf(present + len, sizeof(f->report->present) - len, "%s%s", len ? ", " : "", what);
}

static void end_findings(struct findings *f, enum step_status if_any)
{
	char *present = f->report->present;
	size_t len = strlen(present);

	f->report->status = f->n > 0 ? if_any : STEP_OK;
	if (f->n == 0)
		strcpy(present, "none");
	else if (f->n > SHOWN)
		snprintf(present + len, sizeof(f->report->present) - len, " and %zu more", f->n - SHOWN);
}

/* Those that the configuration lists, or else those of the default routes. */
static size_t list_vips(const struct config *c, struct addr vips[static CONFIG_ADDRESSES_MAX])
{
	static const sa_family_t families[] = { AF_INET, AF_INET6 };
	struct err none;
	size_t n = 0;

	for (size_t i = 0; i < c->n_addresses; i++)
		vips[n++] = c->addresses[i];
	for (size_t i = 0; c->n_addresses == 0 && i < ARRAY_LEN(families); i++)
		if (hostnet_default_source(&none, families[i], &vips[n]) == 0)
			n++;
	return n;
}

static int look_at_addresses(struct err *e, struct step_host *h, const struct step *step, struct step_report *r)
{
	CLEANUP(routing_closep) struct routing *routing = NULL;
	struct addr vips[CONFIG_ADDRESSES_MAX];
	struct findings missing = { .report = r };
	size_t n = list_vips(h->config, vips);

	(void)step;
	if (routing_open(e, &routing) < 0)
		return -e->code;
	for (size_t i = 0; i < n; i++) {
		char text[ADDR_STRLEN];
		bool local = true;

		if (routing_is_local(e, routing, &vips[i], &local) < 0)
			return -e->code;
		if (local)
			continue;
		if (missing.n == 0)
			step_text(r->command, "ip address add %s/%zu dev INTERFACE", addr_format(&vips[i], text),
				  8 * addr_size(&vips[i]));
		found(&missing, addr_format(&vips[i], text));
	}
	if (n == 0)
		found(&missing, "all: none is configured, and there is no default route");
	end_findings(&missing, STEP_MISSING);
	strcpy(r->wanted, "none");
	return 0;
}

const struct step_kind step_addresses = {
	.prefix = "missing addresses",
	.makes = STEP_MAKES_NEVER,
	.look = look_at_addresses,
};

/* What is in the pool of the kernel's services and belongs to no route. */
static int list_strangers(struct err *e, struct step_host *h, struct service_list *out)
{
	static const struct route_filter every = { .state = -1 };
	CLEANUP(ipvs_closep) struct ipvs *k = NULL;
	CLEANUP(service_list_clear) struct service_list all = { 0 }, elsewhere = { 0 };
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	struct addr vips[CONFIG_ADDRESSES_MAX];
	const struct plan_realm realm = {
		.vips = vips,
		.n_vips = list_vips(h->config, vips),
		.port_first = h->config->port_first,
		.port_last = h->config->port_last,
	};
	int ret = module_present(e, "ip_vs");

	if (ret <= 0) /* asking for IPVS would load it */
		return ret;
	ret = ipvs_open(e, &k);
	if (ret == 0)
		ret = ipvs_list(e, k, false, &all);
	if (ret == 0 && h->store)
		ret = store_routes(e, h->store, &every, &routes);
	return ret < 0 ? ret : plan_orphans(e, &realm, &routes, &all, out, &elsewhere);
}

/* As long as no route has ever been stored, they count as another's; from then on they are to go. */
static int advise_on_strangers(struct err *e, struct step_host *h, struct step_report *r)
{
	bool has_history = false;

	if (h->store && store_has_history(e, h->store, &has_history) < 0)
		return -e->code;
	strcpy(r->command, has_history ? "sonm-vs --sync" : "ipvsadm -Sn | sonm-vs -R --adopt");
	strcpy(r->why, has_history ? "sonm-vs --sync deletes them"
				   : "sonm-vs --sync deletes them once there is a route; adopt or remove them before");
	return 0;
}

static int look_at_strangers(struct err *e, struct step_host *h, const struct step *step, struct step_report *r)
{
	CLEANUP(service_list_clear) struct service_list strangers = { 0 };
	struct findings f = { .report = r };
	int ret = list_strangers(e, h, &strangers);

	(void)step;
	for (size_t i = 0; ret == 0 && i < strangers.n; i++) {
		char text[SERVICE_KEY_STRLEN];

		found(&f, service_key_format(&strangers.items[i].key, text));
	}
	end_findings(&f, STEP_DIFFERS);
	strcpy(r->wanted, "none");
	return ret == 0 && f.n > 0 ? advise_on_strangers(e, h, r) : ret;
}

const struct step_kind step_strangers = {
	.prefix = "foreign services",
	.makes = STEP_MAKES_NEVER,
	.look = look_at_strangers,
};

/* Of the ports of one protocol that somebody listens on: those at which it is the traffic of the pool's. */
static int search_listeners(struct err *e, const struct config *c, uint8_t protocol, const struct portset *ports,
			    struct findings *f)
{
	struct service_key key = { .protocol = protocol };
	struct addr vips[CONFIG_ADDRESSES_MAX];
	size_t n = list_vips(c, vips);
	char text[SERVICE_KEY_STRLEN];
	enum hostnet_port state;

	for (unsigned port = c->port_first; port <= c->port_last; port++) {
		key.vip.port = (uint16_t)port;
		for (size_t i = 0; portset_has(ports, key.vip.port) && i < n; i++) {
			key.vip.addr = vips[i];
			if (hostnet_probe(e, protocol, &key.vip, &state) < 0)
				return -e->code;
			if (state != HOSTNET_IN_USE)
				continue;
			if (f->n == 0)
				step_text(f->report->command, "ss -Hlnp%s 'sport = :%u'",
					  protocol == IPPROTO_TCP ? "t" : protocol == IPPROTO_UDP ? "u" : "S", port);
			found(f, service_key_format(&key, text));
		}
	}
	return 0;
}

static int look_at_listeners(struct err *e, struct step_host *h, const struct step *step, struct step_report *r)
{
	struct hostnet_listeners l;
	struct findings f = { .report = r };

	(void)step;
	strcpy(r->wanted, "none");
	if (hostnet_listeners(e, &l) < 0 || search_listeners(e, h->config, IPPROTO_TCP, &l.tcp, &f) < 0 ||
	    search_listeners(e, h->config, IPPROTO_UDP, &l.udp, &f) < 0 ||
	    search_listeners(e, h->config, IPPROTO_SCTP, &l.sctp, &f) < 0)
		return -e->code;
	end_findings(&f, STEP_DIFFERS);
	return 0;
}

const struct step_kind step_listeners = {
	.prefix = "local listeners",
	.makes = STEP_MAKES_NEVER,
	.look = look_at_listeners,
};

bool step_is_nearly_full(unsigned long count, unsigned long max)
{
	return max > 0 && 10 * count > 9 * max; /* 0 is no limit */
}

/* 1: there; 0: connections are not tracked. */
static int read_number(struct err *e, const char *key, unsigned long *out)
{
	char value[SYSCTL_VALUE_MAX];
	int ret = sysctl_read(e, key, value);

	if (ret == -ENOENT)
		return 0;
	if (ret == 0)
		*out = strtoul(value, NULL, 10);
	return ret < 0 ? ret : 1;
}

static int look_at_usage(struct err *e, struct step_host *h, const struct step *step, struct step_report *r)
{
	unsigned long count = 0, max = 0;
	int ret = read_number(e, "net/netfilter/nf_conntrack_count", &count);

	(void)h;
	(void)step;
	if (ret > 0)
		ret = read_number(e, "net/netfilter/nf_conntrack_max", &max);
	if (ret < 0)
		return ret;
	if (ret == 0)
		strcpy(r->present, "connections are not tracked");
	else
		step_text(r->present, max > 0 ? "%lu of %lu" : "%lu", count, max);
	strcpy(r->wanted, "90 % at most");
	r->status = step_is_nearly_full(count, max) ? STEP_DIFFERS : STEP_OK;
	if (r->status == STEP_DIFFERS)
		step_text(r->command, "sysctl -w net.netfilter.nf_conntrack_max=%lu", 2 * max);
	return 0;
}

const struct step_kind step_usage = {
	.prefix = "conntrack usage",
	.makes = STEP_MAKES_NEVER,
	.look = look_at_usage,
};
