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

/* nft knows no such match. */
static bool matches_ipvs(const struct config *c)
{
	return (c->snat == SNAT_IPVS || c->snat == SNAT_ADDRESS) && firewall_is_installed();
}

/* What holds for both families. */
#define FORWARD_REASON "the workers' answers pass through this host"
#define SNAT_REASON "the workers answer by way of this host"
#define SNAT_DETAIL                                                                                      \
	"A worker sees a client's own address and would answer it directly, from an address that the "   \
	"client has never heard of. This rule of the packet filter puts the hub's address in its place, so " \
	"that the answer comes back here and leaves with the public address. Without it only workers "   \
	"whose default route is this host can answer. It also hides the clients' addresses from the "    \
	"containers. Which packets it takes, the configuration's 'snat' says; 'none' wants no rule of "  \
	"ours. A rule of somebody else that does the same is good enough, and no second one is added."
#define SNAT_MANUAL(iptables) "iptables-extensions(8), MASQUERADE, SNAT and ipvs; " iptables "; sonm-gateway.yaml(5), snat"
#define INPUT_REASON "clients reach the ports of the pool"
#define INPUT_DETAIL                                                                                    \
	"IPVS works behind the chain INPUT of the table filter: what that drops, never reaches it. "    \
	"Without a rule that accepts new connections to the ports of the pool, or a policy that does, " \
	"clients time out or are refused. The rules are read and judged as they are written; one "      \
	"that cannot be judged from its text alone is named."
#define OUTPUT_REASON "IPVS sends what it forwards as this host's own"
#define OUTPUT_DETAIL                                                                                 \
	"What IPVS forwards to a worker leaves by the chain OUTPUT, not FORWARD: for the kernel it is " \
	"this host that sends it. Without a rule or policy that lets it pass, requests do not get to " \
	"the workers. The match 'ipvs' takes IPVS's packets and no others."
#define FORWARD_FILTER_DETAIL                                                                         \
	"A worker's answer crosses the chain FORWARD on its way to IPVS, as a packet of a connection " \
	"that exists. Without a rule or policy that lets it pass, requests arrive and answers do not. " \
	"Docker, for one, sets this chain's policy to DROP."
#define FILTER_MANUAL(iptables) iptables "; iptables-extensions(8), conntrack and ipvs"

/* In the order in which they are made: settings under vs/ come with the module. */
static const struct row {
	const char *name;   /* %s: the configured scheduler, or what names fills in */
	const char *wanted; /* for kernel settings with one right value */
	bool (*needed)(const struct config *c); /* NULL: always */
	bool persist;       /* only if it is to survive a boot */
	size_t (*names)(const struct config *c, char names[][64], size_t max); /* NULL: one, by name */
	const char *reason;
	const char *detail; /* how it works; what happens "Without" it; what it "also" does */
	const char *manual;
} rows[] = {
	{ .name = "module ip_vs",
	  .reason = "IPVS forwards the containers' ports to the workers",
	  .detail = "IPVS is the kernel's own load balancer. sonm-vs tells it which public port belongs to "
		    "which worker, and from then on the kernel forwards every packet by itself. Without it "
		    "no port can be published. Loading it also loads nf_conntrack, and brings the settings "
		    "net.ipv4.vs.*. It forwards nothing until it is told to.",
	  .manual = "modprobe(8), ipvsadm(8)" },
	{ .name = "module ip_vs_%s",
	  .reason = "the scheduler that the configuration names",
	  .detail = "A scheduler chooses the real server for each new connection. Most routes have one "
		    "real server; the choice matters to those with several. Without the module "
		    "no service can be made that names it. It changes nothing else.",
	  .manual = "ipvsadm(8), --scheduler; modprobe(8); sonm-gateway.yaml(5), scheduler" },
	{ .name = "module xt_ipvs",
	  .needed = matches_ipvs,
	  .reason = "lets the SNAT rule take only what IPVS forwards",
	  .detail = "It is the match 'ipvs' of iptables. With it the SNAT rule leaves all traffic alone that "
		    "has nothing to do with the gateway. Without it that rule cannot be made, and the only way "
		    "is 'snat: masquerade', which takes every packet. It changes nothing by itself.",
	  .manual = "iptables-extensions(8), ipvs; modprobe(8)" },
	{ .name = "net.ipv4.ip_forward",
	  .wanted = "1",
	  .reason = FORWARD_REASON,
	  .detail = "A host passes on packets between its interfaces only if this is set. Without it the "
		    "workers' answers are dropped here. It makes this host a router for everybody who uses it as "
		    "one: what may pass, the packet filter's chain FORWARD decides. It also sets every "
		    "interface's own forwarding, and clears conf/all/accept_redirects.",
	  .manual = "Documentation/networking/ip-sysctl.rst, ip_forward; sysctl(8)" },
	{ .name = "net.ipv6.conf.all.forwarding",
	  .wanted = "1",
	  .needed = uses_ipv6,
	  .reason = FORWARD_REASON,
	  .detail = "The same for IPv6. Without it the answers of workers with IPv6 addresses are dropped here. "
		    "It also sets every interface's own forwarding, and a router ignores router "
		    "advertisements: if this host has its own address or default route from one, set "
		    "accept_ra to 2 on that interface first.",
	  .manual = "Documentation/networking/ip-sysctl.rst, conf/all/forwarding and accept_ra; sysctl(8)" },
	{ .name = "net.ipv4.vs.conntrack",
	  .wanted = "1",
	  .reason = "SNAT sees IPVS traffic only if it is tracked",
	  .detail = "By default IPVS hides its connections from connection tracking, which is faster, and "
		    "which SNAT rests on. Without it the SNAT rule has no effect on them, and a worker "
		    "without a route to the clients cannot answer. It also lets stateful rules of the packet "
		    "filter see them, and each takes an entry of the conntrack table. It is for both families.",
	  .manual = "Documentation/networking/ipvs-sysctl.rst, conntrack; sysctl(8)" },
	{ .name = "net.ipv4.vs.expire_nodest_conn",
	  .wanted = "1",
	  .reason = "connections of a removed container end at once, not in another's container",
	  .detail = "When a real server is taken away, packets of its connections either end them (1) or are "
		    "dropped silently in case that it comes back (0). Without it clients of a removed container "
		    "hang, and their connections could go on in the container that gets the port next. It "
		    "also holds for all other services of IPVS on this host.",
	  .manual = "Documentation/networking/ipvs-sysctl.rst, expire_nodest_conn; sysctl(8)" },
	{ .name = "net.ipv4.vs.expire_quiescent_template",
	  .wanted = "1",
	  .reason = "a real server that drains gets no new connections from persistent clients",
	  .detail = "A persistent service (sonm-vs -p) remembers for each client which real server it had. "
		    "Without it new connections of such clients still go to a real server that drains, so "
		    "that it never becomes empty. It also holds for all other services of IPVS on this host.",
	  .manual = "Documentation/networking/ipvs-sysctl.rst, expire_quiescent_template; sysctl(8)" },
	{ .name = "net.ipv4.vs.run_estimation",
	  .wanted = "1",
	  .reason = "without it the traffic counters stand still",
	  .detail = "Every 2 s the kernel adds up what each service has forwarded; this switches that on. "
		    "Without it sonm-gwstat and every bill see no traffic, though the packets flow. It costs a "
		    "little time of one processor, more with thousands of services. It is on by default.",
	  .manual = "Documentation/networking/ipvs-sysctl.rst, run_estimation; sysctl(8)" },
	{ .name = "net.ipv4.ip_local_reserved_ports",
	  .reason = "keeps this host's own connections off the ports of the pool",
	  .detail = "For its own outgoing connections the kernel chooses a free local port, of a range that "
		    "mostly contains the pool. Without it such a connection can get a port that IPVS serves, and "
		    "its answers go to a worker. The pool is added to what is reserved already. Programs "
		    "that ask for a port of the pool by number still get it. It is for both families.",
	  .manual = "Documentation/networking/ip-sysctl.rst, ip_local_reserved_ports; sysctl(8)" },
	{ .name = "net.netfilter.nf_conntrack_max",
	  .reason = "room for 4 connections to each port of the pool on each address",
	  .detail = "Every connection that is tracked takes an entry of some 300 bytes, and this is how many "
		    "there may be. Without room the kernel drops the packets of new connections, of this "
		    "host's own as well, and says 'table full' in its log. It is raised, never lowered; 0 is "
		    "no limit. With far more entries than nf_conntrack_buckets, looking one up takes longer.",
	  .manual = "Documentation/networking/nf_conntrack-sysctl.rst, nf_conntrack_max and nf_conntrack_buckets; "
		    "sysctl(8)" },
	{ .name = "snat ipv4",
	  .reason = SNAT_REASON,
	  .detail = SNAT_DETAIL,
	  .manual = SNAT_MANUAL("iptables(8)") },
	{ .name = "snat ipv6",
	  .needed = uses_ipv6,
	  .reason = SNAT_REASON,
	  .detail = SNAT_DETAIL,
	  .manual = SNAT_MANUAL("ip6tables(8)") },
	{ .name = "filter INPUT ipv4",
	  .reason = INPUT_REASON,
	  .detail = INPUT_DETAIL,
	  .manual = FILTER_MANUAL("iptables(8)") },
	{ .name = "filter OUTPUT ipv4",
	  .reason = OUTPUT_REASON,
	  .detail = OUTPUT_DETAIL,
	  .manual = FILTER_MANUAL("iptables(8)") },
	{ .name = "filter FORWARD ipv4",
	  .reason = FORWARD_REASON,
	  .detail = FORWARD_FILTER_DETAIL,
	  .manual = FILTER_MANUAL("iptables(8)") },
	{ .name = "filter INPUT ipv6",
	  .needed = uses_ipv6,
	  .reason = INPUT_REASON,
	  .detail = INPUT_DETAIL,
	  .manual = FILTER_MANUAL("ip6tables(8)") },
	{ .name = "filter OUTPUT ipv6",
	  .needed = uses_ipv6,
	  .reason = OUTPUT_REASON,
	  .detail = OUTPUT_DETAIL,
	  .manual = FILTER_MANUAL("ip6tables(8)") },
	{ .name = "filter FORWARD ipv6",
	  .needed = uses_ipv6,
	  .reason = FORWARD_REASON,
	  .detail = FORWARD_FILTER_DETAIL,
	  .manual = FILTER_MANUAL("ip6tables(8)") },
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
