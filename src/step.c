/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "step.h"

#include "hostnet.h"

#include <stdio.h>
#include <string.h>

bool step_uses_family(const struct config *c, sa_family_t family)
{
	struct addr source;
	struct err ignored;

	for (size_t i = 0; i < c->n_addresses; i++)
		if (c->addresses[i].family == family)
			return true;
	/* Without addresses the VIPs are the source addresses of the default routes. */
	return family == AF_INET ||
	       (c->n_addresses == 0 && hostnet_default_source(&ignored, family, &source) == 0);
}

static bool uses_ipv6(const struct config *c)
{
	return step_uses_family(c, AF_INET6);
}

/* nft knows no such match. */
static bool matches_ipvs(const struct config *c)
{
	return (c->snat == SNAT_IPVS || c->snat == SNAT_ADDRESS) && firewall_is_installed();
}

/* In the order in which they are made: settings under vs/ come with the module. */
static const struct row {
	const char *name;   /* %s: the configured scheduler */
	const char *wanted; /* for kernel settings with one right value */
	bool (*needed)(const struct config *c); /* NULL: always */
	const char *reason, *detail, *manual;
} rows[] = {
	{ .name = "module ip_vs",
	  .reason = "IPVS forwards the containers' ports to the workers",
	  .detail = "",
	  .manual = "" },
	{ .name = "module ip_vs_%s",
	  .reason = "the scheduler that the configuration names",
	  .detail = "",
	  .manual = "" },
	{ .name = "module xt_ipvs",
	  .needed = matches_ipvs,
	  .reason = "lets the SNAT rule take only what IPVS forwards",
	  .detail = "",
	  .manual = "" },
	{ .name = "net.ipv4.ip_forward",
	  .wanted = "1",
	  .reason = "the workers' answers pass through this host",
	  .detail = "",
	  .manual = "" },
	{ .name = "net.ipv6.conf.all.forwarding",
	  .wanted = "1",
	  .needed = uses_ipv6,
	  .reason = "the workers' answers pass through this host",
	  .detail = "",
	  .manual = "" },
	{ .name = "net.ipv4.vs.conntrack",
	  .wanted = "1",
	  .reason = "SNAT sees IPVS traffic only if it is tracked",
	  .detail = "",
	  .manual = "" },
	{ .name = "net.ipv4.vs.expire_nodest_conn",
	  .wanted = "1",
	  .reason = "connections of a removed container end at once, not in another's container",
	  .detail = "",
	  .manual = "" },
	{ .name = "net.ipv4.vs.expire_quiescent_template",
	  .wanted = "1",
	  .reason = "a real server that drains gets no new connections from persistent clients",
	  .detail = "",
	  .manual = "" },
	{ .name = "net.ipv4.vs.run_estimation",
	  .wanted = "1",
	  .reason = "without it the traffic counters stand still",
	  .detail = "",
	  .manual = "" },
	{ .name = "net.ipv4.ip_local_reserved_ports",
	  .reason = "keeps this host's own connections off the ports of the pool",
	  .detail = "",
	  .manual = "" },
	{ .name = "net.netfilter.nf_conntrack_max",
	  .reason = "room for 4 connections to each port of the pool on each address",
	  .detail = "",
	  .manual = "" },
	{ .name = "snat ipv4",
	  .reason = "the workers answer by way of this host",
	  .detail = "",
	  .manual = "" },
	{ .name = "snat ipv6",
	  .needed = uses_ipv6,
	  .reason = "the workers answer by way of this host",
	  .detail = "",
	  .manual = "" },
	{ .name = "filter INPUT ipv4",
	  .reason = "clients reach the ports of the pool",
	  .detail = "",
	  .manual = "" },
	{ .name = "filter OUTPUT ipv4",
	  .reason = "IPVS sends what it forwards as this host's own",
	  .detail = "",
	  .manual = "" },
	{ .name = "filter FORWARD ipv4",
	  .reason = "the workers' answers pass through this host",
	  .detail = "",
	  .manual = "" },
	{ .name = "filter INPUT ipv6",
	  .needed = uses_ipv6,
	  .reason = "clients reach the ports of the pool",
	  .detail = "",
	  .manual = "" },
	{ .name = "filter OUTPUT ipv6",
	  .needed = uses_ipv6,
	  .reason = "IPVS sends what it forwards as this host's own",
	  .detail = "",
	  .manual = "" },
	{ .name = "filter FORWARD ipv6",
	  .needed = uses_ipv6,
	  .reason = "the workers' answers pass through this host",
	  .detail = "",
	  .manual = "" },
};
_Static_assert(ARRAY_LEN(rows) <= STEPS_MAX, "room for every row");

const struct step_kind *step_kind_of(const char *name)
{
	/* The first that fits: the general kind of kernel settings comes last. */
	static const struct step_kind *const kinds[] = {
		&step_module, &step_snat, &step_filter, &step_ports, &step_at_least,
		&step_forwarding, &step_forwarding6, &step_sysctl,
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strncmp(name, kinds[i]->prefix, strlen(kinds[i]->prefix)) == 0)
			return kinds[i];
	return NULL;
}

size_t step_list(const struct config *c, struct step steps[static STEPS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *variable = strstr(rows[i].name, "%s");
		struct step *s = &steps[n];

		if (rows[i].needed && !rows[i].needed(c))
			continue;
		step_text(s->name, "%.*s%s", variable ? (int)(variable - rows[i].name) : -1, rows[i].name,
			  variable ? c->scheduler : "");
		s->reason = rows[i].reason;
		s->detail = rows[i].detail;
		s->manual = rows[i].manual;
		s->wanted = rows[i].wanted;
		s->kind = step_kind_of(s->name);
		n++;
	}
	return n;
}
