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

static bool matches_ipvs(const struct config *c)
{
	return c->snat == SNAT_IPVS || c->snat == SNAT_ADDRESS;
}

/* In the order in which they are made: settings under vs/ come with the module. */
static const struct row {
	const char *name; /* %s: the configured scheduler */
	const char *wanted;
	bool (*needed)(const struct config *c); /* NULL: always */
	const char *reason;
} rows[] = {
	{ "module ip_vs", NULL, NULL, "IPVS forwards the containers' ports to the workers" },
	{ "module ip_vs_%s", NULL, NULL, "the scheduler that the configuration names" },
	{ "module xt_ipvs", NULL, matches_ipvs, "lets the SNAT rule take only what IPVS forwards" },
	{ "net.ipv4.ip_forward", "1", NULL, "the workers' answers pass through this host" },
	{ "net.ipv6.conf.all.forwarding", "1", uses_ipv6, "the workers' answers pass through this host" },
	{ "net.ipv4.vs.conntrack", "1", NULL, "SNAT sees IPVS traffic only if it is tracked" },
	{ "net.ipv4.vs.expire_nodest_conn", "1", NULL,
	  "connections of a removed container end at once, not in another's container" },
	{ "net.ipv4.vs.expire_quiescent_template", "1", NULL,
	  "a real server that drains gets no new connections from persistent clients" },
	{ "net.ipv4.vs.run_estimation", "1", NULL, "without it the traffic counters stand still" },
	{ "net.ipv4.ip_local_reserved_ports", NULL, NULL,
	  "keeps this host's own connections off the ports of the pool" },
	{ "net.netfilter.nf_conntrack_max", NULL, NULL,
	  "room for 4 connections to each port of the pool on each address" },
	{ "snat ipv4", NULL, NULL, "the workers answer by way of this host" },
	{ "snat ipv6", NULL, uses_ipv6, "the workers answer by way of this host" },
	{ "filter INPUT ipv4", NULL, NULL, "clients reach the ports of the pool" },
	{ "filter OUTPUT ipv4", NULL, NULL, "IPVS sends what it forwards as this host's own" },
	{ "filter FORWARD ipv4", NULL, NULL, "the workers' answers pass through this host" },
	{ "filter INPUT ipv6", NULL, uses_ipv6, "clients reach the ports of the pool" },
	{ "filter OUTPUT ipv6", NULL, uses_ipv6, "IPVS sends what it forwards as this host's own" },
	{ "filter FORWARD ipv6", NULL, uses_ipv6, "the workers' answers pass through this host" },
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
		s->wanted = rows[i].wanted;
		s->kind = step_kind_of(s->name);
		n++;
	}
	return n;
}
