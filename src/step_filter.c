/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The steps that look whether the packet filter lets the traffic through, and
 * say which commands open it. step_filter_open.c carries them out, and takes
 * them back.
 */
#include "step_firewall.h"

#include <stdio.h>
#include <string.h>

/*
 * How IPVS's packets cross the packet filter: requests come in through INPUT as
 * new connections to the pool's ports and, once IPVS has them, leave through
 * OUTPUT to the workers' ports; the answers pass FORWARD, before IPVS, as
 * packets of a connection that conntrack knows.
 */
static const struct passage {
	const char *chain, *hook; /* as iptables and nft call it */
	struct packet packet;     /* family, protocol and ports to be filled in */
	bool to_pool;             /* the packet's own port is one of the pool */
	/* Conditions of the rules that help: {p} is each protocol in turn, {:} and {-} the pool's ends with that
	 * between them, or its only port: as they are listed. */
	const char *iptables, *nft;
} passages[] = {
	{ "INPUT", "input", { .state = "NEW" }, true,
	  "-p {p} --dport {:}", "meta l4proto { tcp, udp } th dport {-}" },
	{ "OUTPUT", "output", { .state = "NEW", .ipvs = true }, false,
	  "-m ipvs --ipvs", "fib saddr type != local meta l4proto {p} ct original proto-dst {-}" },
	{ "FORWARD", "forward", { .state = "ESTABLISHED" }, false,
	  "-m conntrack --ctstate RELATED,ESTABLISHED", "ct state established,related" },
};

static const char *const protocols[] = { "tcp", "udp" };

/* At this priority and later IPVS has taken requests off their way through input already. */
#define IPVS_PRIORITY 98

static const struct passage *passage_of(const char *step)
{
	for (size_t i = 0; i < ARRAY_LEN(passages); i++)
		if (strstr(step, passages[i].chain))
			return &passages[i];
	return NULL;
}

/* What a look at a step is about, and what it has come to. */
struct look {
	const struct config *config;
	const struct passage *way;
	sa_family_t family;
	struct portset pool;
	struct step_report *r;
};

static void format_ports(const struct config *c, char between, char out[static 16])
{
	if (c->port_first == c->port_last)
		snprintf(out, 16, "%u", c->port_first);
	else
		snprintf(out, 16, "%u%c%u", c->port_first, between, c->port_last);
}

static void fill_in(const struct config *c, const char *conditions, const char *protocol,
		    char out[static 256])
{
	size_t n = 0;
	char ports[16];

	for (const char *at = conditions; *at && n < 200; at++) {
		if (strncmp(at, "{p}", 3) == 0)
			n += (size_t)snprintf(out + n, 256 - n, "%s", protocol);
		else if (strncmp(at, "{:}", 3) == 0 || strncmp(at, "{-}", 3) == 0) {
			format_ports(c, at[1], ports);
			n += (size_t)snprintf(out + n, 256 - n, "%s", ports);
		} else {
			out[n++] = *at;
			continue;
		}
		at += 2;
	}
	out[n] = '\0';
}

/* Appends the commands that open a chain: how is their text before the conditions, end that after. */
static void advise(struct look *l, const char *how, const char *conditions, const char *end)
{
	struct step_report *r = l->r;
	char filled[256];

	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		size_t len = strlen(r->command);

		if (i > 0 && !strstr(conditions, "{p}"))
			break;
		fill_in(l->config, conditions, protocols[i], filled);
		snprintf(r->command + len, sizeof(r->command) - len, "%s%s %s %s", len > 0 ? STEP_AND : "", how,
			 filled, end);
	}
}

/* rules_verdict() and ruleset_verdict() as one. */
typedef enum verdict judge_packet(const void *rules, const void *chain, const struct packet *p,
				  const char **decider);

/* What one chain does to TCP and to UDP, the worst. *protocol: which of them. */
static enum verdict judge(const struct look *l, judge_packet *fn, const void *rules, const void *chain,
			  const char **protocol, const char **decider)
{
	enum verdict worst = VERDICT_PASS;

	for (size_t i = 0; i < ARRAY_LEN(protocols) && worst != VERDICT_STOP; i++) {
		struct packet p = l->way->packet;
		const char *by;
		enum verdict v;

		p.family = l->family;
		p.protocol = protocols[i];
		p.pool = &l->pool;
		p.dports = l->way->to_pool ? &l->pool : NULL;
		v = fn(rules, chain, &p, &by);
		if (v == VERDICT_PASS || (v == VERDICT_UNKNOWN && worst == v))
			continue;
		worst = v;
		*protocol = protocols[i];
		*decider = by;
	}
	return worst;
}

/*
 * Enters a chain's verdict into the report: what stops outweighs what is not
 * known. True if it is to be opened.
 */
static bool enter(struct look *l, enum verdict v, const char *protocol, const char *where,
		  const char *decider)
{
	struct step_report *r = l->r;
	enum step_status status = v == VERDICT_STOP ? STEP_DIFFERS : STEP_UNKNOWN;

	if (v == VERDICT_PASS || (r->status == STEP_DIFFERS && status == STEP_UNKNOWN))
		return false;
	if (r->status == status)
		return true;
	r->command[0] = '\0';
	r->why[0] = '\0';
	r->status = status;
	step_text(r->present, "%s %s: %s%.900s", protocol, v == VERDICT_STOP ? "stopped" : "unclear", where,
		  decider);
	if (v == VERDICT_UNKNOWN)
		step_text(r->why, "it depends on this rule: %s%.400s", where, decider);
	return true;
}

static enum verdict judge_iptables(const void *rules, const void *chain, const struct packet *p,
				   const char **decider)
{
	return rules_verdict(rules, chain, p, decider);
}

static int look_with_iptables(struct err *e, struct look *l, const struct firewall *fw)
{
	CLEANUP(rule_list_clear) struct rule_list rules = { 0 };
	const char *protocol = "", *decider = "";
	int ret = firewall_list(e, fw, "filter", NULL, &rules);
	enum verdict v;
	char how[64];

	if (ret < 0)
		return ret;
	v = judge(l, judge_iptables, &rules, l->way->chain, &protocol, &decider);
	if (!enter(l, v, protocol, "", decider))
		return 0;
	strcpy(l->r->via, fw->name);
	step_text(how, "%s -w -I %s", fw->name, l->way->chain);
	advise(l, how, l->way->iptables, "-m comment --comment " SNAT_TAG " -j ACCEPT");
	return 0;
}

static enum verdict judge_nft(const void *rules, const void *chain, const struct packet *p,
			      const char **decider)
{
	return ruleset_verdict(rules, chain, p, decider);
}

/* Names that need no quotes, neither in a shell nor for nft. */
static bool is_plain(const char *name)
{
	return name[0] &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./")] ==
		   '\0';
}

static void look_at_chain(struct look *l, const struct ruleset *rules, const struct ruleset_chain *c)
{
	const char *protocol = "", *decider = "";
	char where[256], how[320];
	enum verdict v = judge(l, judge_nft, rules, c, &protocol, &decider);

	step_text(where, "%.20s %.100s %.100s: ", c->family, c->table, c->name);
	if (!enter(l, v, protocol, where, decider))
		return;
	strcpy(l->r->via, "nft");
	if (!is_plain(c->table) || !is_plain(c->name)) {
		l->r->report_only = true;
		step_text(l->r->why, "its chain cannot be named to nft; open it by hand");
		return;
	}
	step_text(how, "nft insert rule %.20s %.100s %.100s", c->family, c->table, c->name);
	advise(l, how, l->way->nft, "accept comment \"" SNAT_TAG "\"");
}

/* Those that iptables makes are judged as it prints them. */
static bool is_of_iptables(const struct look *l, const struct ruleset_chain *c)
{
	return strcmp(c->table, "filter") == 0 && strcmp(c->name, l->way->chain) == 0 &&
	       strcmp(c->family, "inet") != 0;
}

/* A packet has to get through all the base chains at a hook: what one accepts another may drop. */
static void look_with_nft(struct look *l, const struct ruleset *rules, bool iptables_too)
{
	for (size_t i = 0; i < rules->n_chains; i++) {
		const struct ruleset_chain *c = &rules->chains[i];

		if (strcmp(c->hook, l->way->hook) != 0 || !ruleset_sees(c, l->family) ||
		    (l->way->to_pool && c->priority > IPVS_PRIORITY) ||
		    (iptables_too && is_of_iptables(l, c)))
			continue;
		look_at_chain(l, rules, c);
	}
}

/* What passes as far as one sees may be stopped where one does not. */
static void admit_blindness(const struct step_firewall *found, const struct step_ruleset *listed,
			    struct step_report *r)
{
	if (r->status != STEP_OK || (listed->ret >= 0 && (found->ret == 0 || listed->ret > 0)))
		return;
	r->status = STEP_UNKNOWN;
	r->present[0] = '\0';
	step_text(r->why, "%.500s", listed->ret < 0 ? listed->err.msg : found->err.msg);
}

static int look_at_filter(struct err *e, struct step_host *h, const struct step *step, struct step_report *r)
{
	struct look l = {
	    .config = h->config, .way = passage_of(step->name), .family = step_family(step->name), .r = r};
	const struct step_firewall *found = step_find_firewall(h, l.family);
	const struct step_ruleset *listed = step_ruleset(h);
	int ret = 0;

	strcpy(r->wanted, "passes");
	strcpy(r->present, "passes");
	r->status = STEP_OK;
	portset_add_range(&l.pool, h->config->port_first, h->config->port_last);
	if (found->ret == 0 || listed->ret > 0)
		strcpy(r->via, found->ret == 0 ? found->firewall.name : "nft");
	if (found->ret == 0)
		ret = look_with_iptables(e, &l, &found->firewall);
	if (ret == 0 && found->has_legacy)
		ret = look_with_iptables(e, &l, &found->legacy);
	if (ret == 0)
		look_with_nft(&l, &listed->rules, found->ret == 0 && !found->firewall.legacy);
	if (ret == 0)
		admit_blindness(found, listed, r);
	return ret;
}

const struct step_kind step_filter = {
	.prefix = "filter ",
	.root_looks = true,
	.undo = "A rule that --open-firewall added is deleted again, unless somebody has changed it since; without "
		"that option nothing is ever changed.",
	.makes = STEP_MAKES_IF_OPEN,
	.look = look_at_filter,
	.record = step_record_opening,
	.set = step_set_opening,
	.restore = step_restore_opening,
};
