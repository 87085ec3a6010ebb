/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Steps that are rules of the packet filter: SNAT, and what would stop the traffic. */
#include "firewall.h"
#include "step.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* Marks our rules: nothing without it is ever removed. */
#define TAG "sonm-gateway"
#define SNAT_CHAIN "POSTROUTING"
#define ONLY_IPVS "-m ipvs --ipvs --vdir ORIGINAL --vmethod MASQ "

/* Steps' names end in "ipv4" or "ipv6". */
static sa_family_t family_of(const char *name)
{
	return name[strlen(name) - 1] == '6' ? AF_INET6 : AF_INET;
}

/* The program for a family, named in r. NULL when there is none; then r->why says so. */
static const struct firewall *find_firewall(struct step_host *h, sa_family_t family, struct step_report *r)
{
	struct step_firewall *found = &h->found[family == AF_INET6];

	if (found->ret > 0)
		found->ret = firewall_find(&found->err, family, &found->firewall);
	if (found->ret < 0) {
		step_text(r->why, "%.500s", found->err.msg);
		return NULL;
	}
	strcpy(r->via, found->firewall.name);
	return &found->firewall;
}

/* "MASQUERADE", or "SNAT --to-source ADDRESS" for the family of that address. */
static void snat_target(const struct config *c, sa_family_t family, char target[static 96])
{
	char text[ADDR_STRLEN];

	strcpy(target, "MASQUERADE");
	if (c->snat == SNAT_ADDRESS && c->snat_address.family == family)
		snprintf(target, 96, "SNAT --to-source %s", addr_format(&c->snat_address, text));
}

/*
 * What does as well: a rule that is the same but for our mark, or another's
 * that gives every packet the same new source. (Ours of that sort is left from
 * another mode, and to be replaced.)
 */
static int does_the_same(struct err *e, const struct rule *r, const struct rule *ours, const char *target)
{
	CLEANUP(rule_clear) struct rule whole = { 0 };
	char text[128];
	int ret;

	if (rule_same(r, ours) || rule_is_tagged(r, SNAT_CHAIN, TAG))
		return rule_same(r, ours);
	step_text(text, "-A " SNAT_CHAIN " -j %s", target);
	ret = rule_parse(e, text, &whole);
	return ret < 0 ? ret : rule_same(r, &whole);
}

/* 1: a rule of the list does what is wanted; 0: none. present is that rule, or one of ours that does not. */
static int search(struct err *e, const struct rule_list *rules, const struct step_report *wanted,
		  const char *target, char present[static 1024])
{
	CLEANUP(rule_clear) struct rule ours = { 0 };
	int ret = rule_parse(e, wanted->wanted, &ours);

	strcpy(present, "no rule");
	for (size_t i = 0; ret == 0 && i < rules->n; i++) {
		const struct rule *r = &rules->items[i];

		ret = does_the_same(e, r, &ours, target);
		if (ret > 0 || rule_is_tagged(r, SNAT_CHAIN, TAG))
			snprintf(present, 1024, "%s", r->text);
	}
	return ret;
}

static bool has_tagged(const struct rule_list *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		if (rule_is_tagged(&rules->items[i], SNAT_CHAIN, TAG))
			return true;
	return false;
}

/* The mode none wants no rule of ours, whatever others have. */
static int look_at_none(struct err *e, const struct rule_list *rules, struct step_report *r)
{
	(void)e;
	strcpy(r->wanted, "no rule of ours");
	strcpy(r->present, has_tagged(rules) ? "a rule of ours" : r->wanted);
	r->status = has_tagged(rules) ? STEP_DIFFERS : STEP_OK;
	r->command[0] = '\0';
	return 0;
}

static int look_at_snat(struct err *e, struct step_host *h, const struct step *step, struct step_report *r)
{
	CLEANUP(rule_list_clear) struct rule_list rules = { 0 };
	sa_family_t family = family_of(step->name);
	const struct firewall *fw = find_firewall(h, family, r);
	const struct config *c = h->config;
	char target[96];
	int ret = fw ? firewall_list(e, fw, "nat", SNAT_CHAIN, &rules) : 0;

	if (ret < 0)
		return ret;
	if (c->snat == SNAT_NONE)
		return look_at_none(e, &rules, r);
	snat_target(c, family, target);
	step_text(r->wanted, "-A " SNAT_CHAIN " %s-m comment --comment " TAG " -j %s",
		  c->snat == SNAT_MASQUERADE ? "" : ONLY_IPVS, target);
	step_text(r->command, "%s -w -t nat %.450s", fw ? fw->name : "iptables", r->wanted);
	ret = search(e, &rules, r, target, r->present);
	if (ret < 0)
		return ret;
	r->status = ret > 0 ? STEP_OK : has_tagged(&rules) ? STEP_DIFFERS : STEP_MISSING;
	return 0;
}

/* The program comes first, so that the rule is taken back where it was put. */
static int record_snat(struct err *e, const struct step_report *r, struct setup_record *rec)
{
	(void)e;
	if (!rec->applied[0])
		strcpy(rec->former, "no rule of ours");
	step_text(rec->applied, "%s %.960s", r->via, r->wanted);
	return 0;
}

/* Deletes those of the listed rules that are ours. Returns how many, or would with dry_run. */
static int delete_tagged(struct err *e, const struct firewall *fw, const struct rule_list *rules,
			 bool dry_run)
{
	int ret = 0, deleted = 0;

	for (size_t i = 0; ret == 0 && i < rules->n; i++) {
		if (!rule_is_tagged(&rules->items[i], SNAT_CHAIN, TAG))
			continue;
		ret = dry_run ? 0 : firewall_delete(e, fw, "nat", &rules->items[i]);
		deleted++;
	}
	return ret < 0 ? ret : deleted;
}

static int add_snat(struct err *e, const struct firewall *fw, const char *text)
{
	CLEANUP(rule_clear) struct rule rule = { 0 };
	int ret = rule_parse(e, text, &rule);

	return ret < 0 ? ret : firewall_add(e, fw, "nat", &rule);
}

/* The new rule comes before those of ours that it replaces go: the workers are never without one. */
static int set_snat(struct err *e, const struct step_report *r)
{
	CLEANUP(rule_list_clear) struct rule_list before = { 0 };
	struct firewall fw;
	int ret;

	if (!r->via[0])
		return err_set(e, ERR_NO_KERNEL, "cannot set up SNAT: %s", r->why);
	ret = firewall_named(e, r->via, &fw);
	if (ret == 0)
		ret = firewall_list(e, &fw, "nat", SNAT_CHAIN, &before);
	if (ret == 0 && strncmp(r->wanted, "-A ", 3) == 0)
		ret = add_snat(e, &fw, r->wanted);
	if (ret == 0)
		ret = delete_tagged(e, &fw, &before, false);
	return ret < 0 ? ret : 0;
}

static int restore_snat(struct err *e, const struct setup_record *rec, bool dry_run, struct step_report *r)
{
	CLEANUP(rule_list_clear) struct rule_list rules = { 0 };
	struct firewall fw;
	char name[32];
	int ret;

	step_text(name, "%.*s", (int)strcspn(rec->applied, " "), rec->applied);
	strcpy(r->wanted, "no rule of ours");
	ret = firewall_named(e, name, &fw);
	if (ret == 0)
		ret = firewall_list(e, &fw, "nat", SNAT_CHAIN, &rules);
	if (ret < 0)
		return ret;
	strcpy(r->via, fw.name);
	ret = delete_tagged(e, &fw, &rules, dry_run);
	strcpy(r->present, ret > 0 ? "a rule of ours" : "no rule of ours");
	r->outcome = ret > 0 ? STEP_CHANGED : STEP_LEFT;
	return ret < 0 ? ret : 0;
}

const struct step_kind step_snat = {
	.prefix = "snat ",
	.root_looks = true,
	.undo = "Our rule, which has the comment '" TAG "', is deleted; no other is.",
	.look = look_at_snat,
	.record = record_snat,
	.set = set_snat,
	.restore = restore_snat,
};

/*
 * How IPVS's packets cross the filter table: requests come in through INPUT as
 * new connections to the pool's ports and, once IPVS has them, leave through
 * OUTPUT to the workers' ports; the answers pass FORWARD, before IPVS, as
 * packets of a connection that conntrack knows.
 */
static const struct passage {
	const char *chain;
	struct packet packet; /* dports and protocol to be filled in */
	const char *help;     /* the rule that would help; NULL: one for each protocol and the pool's ports */
} passages[] = {
	{ "INPUT", { .state = "NEW" }, NULL },
	{ "OUTPUT", { .state = "NEW", .ipvs = true }, "-m ipvs --ipvs" },
	{ "FORWARD", { .state = "ESTABLISHED" }, "-m conntrack --ctstate RELATED,ESTABLISHED" },
};

static const struct passage *passage_of(const struct step *step)
{
	for (size_t i = 0; i < ARRAY_LEN(passages); i++)
		if (strstr(step->name, passages[i].chain))
			return &passages[i];
	return NULL;
}

static void advise(const struct config *c, const struct passage *way, struct step_report *r)
{
	const char *program = r->via;

	if (way->help)
		step_text(r->command, "%s -w -I %s %s -j ACCEPT", program, way->chain, way->help);
	else
		step_text(r->command,
			  "%s -w -I %s -p tcp --dport %u:%u -j ACCEPT && "
			  "%s -w -I %s -p udp --dport %u:%u -j ACCEPT",
			  program, way->chain, c->port_first, c->port_last,
			  program, way->chain, c->port_first, c->port_last);
}

/* The worst of what happens to TCP and to UDP. */
static void judge(const struct config *c, const struct rule_list *rules, const struct passage *way,
		  struct step_report *r)
{
	static const char *const protocols[] = { "tcp", "udp" };
	struct portset pool = { 0 };

	portset_add_range(&pool, c->port_first, c->port_last);
	strcpy(r->present, "passes");
	r->status = STEP_OK;
	for (size_t i = 0; i < ARRAY_LEN(protocols) && r->status != STEP_DIFFERS; i++) {
		struct packet p = way->packet;
		const char *decider;
		enum verdict v;

		p.protocol = protocols[i];
		p.dports = way->help ? NULL : &pool;
		v = rules_verdict(rules, way->chain, &p, &decider);
		if (v == VERDICT_PASS)
			continue;
		r->status = v == VERDICT_STOP ? STEP_DIFFERS : STEP_UNKNOWN;
		step_text(r->present, "%s %s: %.900s", protocols[i],
			  v == VERDICT_STOP ? "stopped" : "unclear", decider);
		r->why[0] = '\0';
		if (v == VERDICT_UNKNOWN)
			step_text(r->why, "it depends on this rule: %.400s", decider);
	}
	if (r->status != STEP_OK)
		advise(c, way, r);
}

static int look_at_filter(struct err *e, struct step_host *h, const struct step *step, struct step_report *r)
{
	CLEANUP(rule_list_clear) struct rule_list rules = { 0 };
	const struct firewall *fw = find_firewall(h, family_of(step->name), r);
	const struct passage *way = passage_of(step);
	int ret;

	strcpy(r->wanted, "passes");
	if (!fw || !way) {
		r->status = STEP_UNKNOWN;
		return 0;
	}
	ret = firewall_list(e, fw, "filter", way->chain, &rules);
	if (ret == 0)
		judge(h->config, &rules, way, r);
	return ret;
}

const struct step_kind step_filter = {
	.prefix = "filter ",
	.root_looks = true,
	.report_only = true,
	.look = look_at_filter,
};
