/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "step.h"

#include "hostnet.h"
#include "persist.h"

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
	const char *name;   /* %s: the configured scheduler, or what names fills in */
	const char *wanted; /* for kernel settings with one right value */
	bool (*needed)(const struct config *c); /* NULL: always */
	bool persist;       /* only if it is to survive a boot */
	size_t (*names)(const struct config *c, char names[][64], size_t max); /* NULL: one, by name */
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
	{ .name = "net/ipv4/conf/%s/rp_filter",
	  .names = step_reverse_names,
	  .reason = "clients' packets are taken in although the way back to them is another interface's",
	  .detail = "In its strict mode (1) the reverse path filter drops a packet that comes in by an interface by which "
		    "this host would not answer it: clients then get no answer, and nothing says why. The larger one of "
		    "conf/all and the interface's own value counts. 2 takes in what can be answered at all.",
	  .manual = "Documentation/networking/ip-sysctl.rst, rp_filter" },
	{ .name = "file " PERSIST_MODULES,
	  .persist = true,
	  .reason = "the modules are loaded at boot",
	  .detail = "systemd-modules-load.service reads it early at boot, before the settings are made: those of "
		    "IPVS are there only once its module is.",
	  .manual = "modules-load.d(5)" },
	{ .name = "file " PERSIST_PORTS,
	  .persist = true,
	  .reason = "the pool is kept free from the first moments of a boot",
	  .detail = "Of several files that set the same the last one by name counts and replaces what the others say. "
		    "This one comes early, so that the ports that others reserve are never lost; at boot "
		    "sonm-gateway.service adds the pool to theirs.",
	  .manual = "sysctl.d(5)" },
	{ .name = "file " PERSIST_SETTINGS,
	  .persist = true,
	  .reason = "the settings are made at boot",
	  .detail = "systemd-sysctl.service reads it early at boot. A line that begins with - is no failure where the "
		    "kernel does not have the setting. Room in the conntrack table is made by sonm-gateway.service, "
		    "as a file could not see whether there is more already.",
	  .manual = "sysctl.d(5)" },
	{ .name = "file " PERSIST_UNITS "sonm-gateway.service",
	  .persist = true,
	  .reason = "at boot it sets up what is missing, and makes the routes' services again",
	  .detail = "It runs sonm-gw-setup --apply and then sonm-vs --sync, once, after the host's own firewall and "
		    "when the network is up, in a sandbox that lets it change the network's settings, load modules "
		    "and write the state file, and nothing else.",
	  .manual = "systemd.service(5), systemd.exec(5)" },
	{ .name = "file " PERSIST_UNITS "sonm-gateway-checkpoint.service",
	  .persist = true,
	  .reason = "takes a checkpoint of the traffic",
	  .detail = "It runs sonm-gwstat --checkpoint, in a sandbox.",
	  .manual = "systemd.service(5), systemd.exec(5)" },
	{ .name = "file " PERSIST_UNITS "sonm-gateway-checkpoint.timer",
	  .persist = true,
	  .reason = "has a checkpoint taken every minute, so that a power cut costs no more of the account",
	  .detail = "What IPVS has counted is lost with the kernel; what is in the state file is not.",
	  .manual = "systemd.timer(5)" },
	{ .name = "unit sonm-gateway.service",
	  .persist = true,
	  .reason = "it is started at boot",
	  .detail = "A link below /etc/systemd/system/multi-user.target.wants. It is not started now: it would find "
		    "nothing to do.",
	  .manual = "systemctl(1)" },
	{ .name = "unit sonm-gateway-checkpoint.timer",
	  .persist = true,
	  .reason = "it is started at boot, and now",
	  .detail = "A link below /etc/systemd/system/timers.target.wants.",
	  .manual = "systemctl(1)" },
	{ .name = "missing addresses",
	  .reason = "the gateway's addresses have to be this host's",
	  .detail = "IPVS accepts a service at whatever address, but no packet gets there that the kernel does not take "
		    "for its own. Addresses on any interface count, also on lo.",
	  .manual = "ip-address(8)" },
	{ .name = "foreign services",
	  .reason = "a service of IPVS in the pool, at one of the gateway's addresses, that no route owns keeps its port",
	  .detail = "Somebody made it with ipvsadm, or an older state file was brought back. The pool is reserved for the "
		    "routes of sonm-vs.",
	  .manual = "ipvsadm(8), sonm-vs(8)" },
	{ .name = "local listeners",
	  .reason = "a program of this host that listens in the pool hears nothing once its port is published",
	  .detail = "IPVS takes the packets before any socket sees them. Ports in use are not given to containers, so "
		    "there are fewer.",
	  .manual = "ss(8)" },
	{ .name = "conntrack usage",
	  .reason = "a full conntrack table drops new connections",
	  .detail = "The kernel says nf_conntrack: table full, dropping packet. Each connection through the gateway is an "
		    "entry, until some time after it has ended.",
	  .manual = "Documentation/networking/nf_conntrack-sysctl.rst, conntrack(8)" },
};
_Static_assert(ARRAY_LEN(rows) + CONFIG_ADDRESSES_MAX <= STEPS_MAX, "room for every row and interface");

const struct step_kind *step_kind_of(const char *name)
{
	/* The first that fits: the general kind of kernel settings comes last. */
	static const struct step_kind *const kinds[] = {
		&step_module, &step_snat, &step_filter, &step_ports, &step_at_least,
		&step_forwarding, &step_forwarding6, &step_sysctl, &step_reverse, &step_file, &step_unit,
		&step_addresses, &step_strangers, &step_listeners, &step_usage,
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strncmp(name, kinds[i]->prefix, strlen(kinds[i]->prefix)) == 0)
			return kinds[i];
	return NULL;
}

/* The names of the steps of a row: one, or as many as there are interfaces. */
static size_t list_names(const struct row *row, const struct config *c, char names[CONFIG_ADDRESSES_MAX][64])
{
	const char *variable = strstr(row->name, "%s");

	if (row->names)
		return row->names(c, names, CONFIG_ADDRESSES_MAX);
	step_text(names[0], "%.*s%s", variable ? (int)(variable - row->name) : -1, row->name,
		  variable ? c->scheduler : "");
	return 1;
}

size_t step_list(const struct config *c, bool persist, struct step steps[static STEPS_MAX])
{
	char names[CONFIG_ADDRESSES_MAX][64];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		size_t n_names;

		if ((row->needed && !row->needed(c)) || (row->persist && !persist))
			continue;
		n_names = list_names(row, c, names);
		for (size_t k = 0; k < n_names; k++) {
			struct step *s = &steps[n++];

			strcpy(s->name, names[k]);
			s->reason = row->reason;
			s->detail = row->detail;
			s->manual = row->manual;
			s->wanted = row->wanted;
			s->kind = step_kind_of(s->name);
		}
	}
	return n;
}
