/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The steps that give what IPVS forwards this host's own address. */
#include "step_firewall.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define SNAT_CHAIN "POSTROUTING"
#define ONLY_IPVS "-m ipvs --ipvs --vdir ORIGINAL --vmethod MASQ "

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

	if (rule_same(r, ours) || rule_is_tagged(r, SNAT_CHAIN, STEP_TAG))
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
		if (ret > 0 || rule_is_tagged(r, SNAT_CHAIN, STEP_TAG))
			snprintf(present, 1024, "%s", r->text);
	}
	return ret;
}

static bool has_tagged(const struct rule_list *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		if (rule_is_tagged(&rules->items[i], SNAT_CHAIN, STEP_TAG))
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
	sa_family_t family = step_family(step->name);
	const struct firewall *fw = step_find_firewall(h, family, r);
	const struct config *c = h->config;
	char target[96];
	int ret = fw ? firewall_list(e, fw, "nat", SNAT_CHAIN, &rules) : 0;

	if (ret < 0)
		return ret;
	if (c->snat == SNAT_NONE)
		return look_at_none(e, &rules, r);
	snat_target(c, family, target);
	step_text(r->wanted, "-A " SNAT_CHAIN " %s-m comment --comment " STEP_TAG " -j %s",
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
		ret = step_delete_tagged(e, &fw, "nat", SNAT_CHAIN, &before, false);
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
	ret = step_delete_tagged(e, &fw, "nat", SNAT_CHAIN, &rules, dry_run);
	strcpy(r->present, ret > 0 ? "a rule of ours" : "no rule of ours");
	r->outcome = ret > 0 ? STEP_CHANGED : STEP_LEFT;
	return ret < 0 ? ret : 0;
}

const struct step_kind step_snat = {
	.prefix = "snat ",
	.look = look_at_snat,
	.record = record_snat,
	.set = set_snat,
	.restore = restore_snat,
};
