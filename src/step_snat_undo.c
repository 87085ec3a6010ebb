/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the steps of step_snat.c are taken back, with what came into being with them. */
#include "step_firewall.h"

#include "module.h"

#include <stdio.h>
#include <string.h>

/* Words in a record's former value. */
#define NO_TABLE ", no table nat"
#define NO_CHAIN ", no chain " SNAT_CHAIN
#define NO_MODULE ", no module "

static const char *legacy_module(sa_family_t family)
{
	return family == AF_INET6 ? "ip6table_nat" : "iptable_nat";
}

int step_before_snat(struct err *e, const struct firewall *fw, char former[static 1024])
{
	CLEANUP(ruleset_clear) struct ruleset rules = { 0 };
	const char *ip = snat_family(fw->family), *module = legacy_module(fw->family);
	struct nft nft;
	int ret;

	strcpy(former, NONE_OF_OURS);
	if (fw->legacy) {
		ret = module_present(e, module);
		if (ret == 0 && !firewall_has_table(fw, "nat"))
			snprintf(former, 1024, NONE_OF_OURS NO_MODULE "%s", module);
		return ret < 0 ? ret : 0;
	}
	ret = step_list_ruleset(e, &nft, &rules);
	if (ret < 0 || nft_find(e, &nft) < 0)
		return 0; /* without nft it cannot be taken back either */
	if (!ruleset_table(&rules, ip, "nat"))
		strcpy(former, NONE_OF_OURS NO_TABLE);
	else if (!ruleset_chain(&rules, ip, "nat", SNAT_CHAIN))
		strcpy(former, NONE_OF_OURS NO_CHAIN);
	return 0;
}

/* Nothing in it, and it does nothing. */
static bool is_idle(const struct ruleset_chain *c)
{
	return c->n_rules == 0 && !c->drops;
}

/* Idle base chains, as older iptables make all at once, and nothing else. */
static bool is_idle_table(const struct ruleset *r, const struct ruleset_table *t)
{
	size_t idle = 0;

	for (size_t i = 0; i < r->n_chains; i++) {
		const struct ruleset_chain *c = &r->chains[i];

		if (strcmp(c->table, t->name) == 0 && strcmp(c->family, t->family) == 0)
			idle += is_idle(c) && c->hook[0] != '\0';
	}
	return idle == t->n_objects;
}

static int remove_from_nft(struct err *e, const struct setup_record *rec, sa_family_t family,
			   struct step_report *r)
{
	CLEANUP(ruleset_clear) struct ruleset rules = { 0 };
	const char *ip = snat_family(family);
	const struct ruleset_table *table;
	const struct ruleset_chain *chain;
	char command[64];
	struct nft nft;
	int ret = step_list_ruleset(e, &nft, &rules);

	if (ret <= 0)
		return ret;
	table = ruleset_table(&rules, ip, "nat");
	chain = ruleset_chain(&rules, ip, "nat", SNAT_CHAIN);
	if (table && strstr(rec->former, NO_TABLE) && is_idle_table(&rules, table))
		step_text(command, "delete table %s nat", ip);
	else if (table && chain && is_idle(chain))
		step_text(command, "delete chain %s nat " SNAT_CHAIN, ip);
	else {
		strcpy(r->why, "others have rules in table nat by now: it stays");
		return 0;
	}
	return nft_run(e, &nft, "take back what came with our rule", command);
}

/* A module of a table is in use while any network namespace has a rule in it. */
static int remove_from_legacy(struct err *e, const struct firewall *fw, struct step_report *r)
{
	CLEANUP(rule_list_clear) struct rule_list rules = { 0 };
	const char *module = legacy_module(fw->family);
	int ret = firewall_list(e, fw, "nat", NULL, &rules);

	if (ret < 0)
		return ret;
	ret = rules_do_anything(&rules) ? -EBUSY : module_unload(e, module);
	if (ret == -EBUSY || ret == -ENOENT) {
		step_text(r->why, "others use table nat by now: it stays");
		return 0;
	}
	return ret;
}

/* What came with our rule goes with it, unless it is of use to others. */
static int remove_what_came(struct err *e, const struct setup_record *rec, const struct firewall *fw,
			    struct step_report *r)
{
	if (fw->legacy)
		return strstr(rec->former, NO_MODULE) ? remove_from_legacy(e, fw, r) : 0;
	if (!strstr(rec->former, NO_TABLE) && !strstr(rec->former, NO_CHAIN))
		return 0;
	return remove_from_nft(e, rec, fw->family, r);
}

/* --- taking it back ------------------------------------------------------------------ */

int step_delete_snat_table(struct err *e, const struct nft *nft, sa_family_t family)
{
	char command[64];

	step_text(command, "delete table %s " SNAT_TABLE, snat_family(family));
	return nft_run(e, nft, "delete our table", command);
}

bool step_snat_has_others(const struct ruleset *r, sa_family_t family)
{
	for (size_t i = 0; i < r->n_rules; i++) {
		const struct ruleset_rule *rule = &r->rules[i];

		if (strcmp(rule->table, SNAT_TABLE) == 0 && strcmp(rule->family, snat_family(family)) == 0 &&
		    strcmp(rule->comment, SNAT_TAG) != 0)
			return true;
	}
	return false;
}

#define SINCE " since: it stays"

/* Is the table, which is there, as one of the modes makes it? */
static int is_table_as_made(struct err *e, const struct nft *nft, sa_family_t family)
{
	CLEANUP(ruleset_clear) struct ruleset table = { 0 };
	char text[SNAT_TEXT_MAX];
	int ret = nft_list_table(e, nft, snat_family(family), SNAT_TABLE, &table);

	if (ret < 0)
		return ret;
	snat_describe(&table, family, text);
	return snat_is_made(text, family);
}

static int restore_by_nft(struct err *e, const struct setup_record *rec, bool dry_run, struct step_report *r)
{
	CLEANUP(ruleset_clear) struct ruleset rules = { 0 };
	sa_family_t family = step_family(rec->step);
	struct nft nft;
	int ret = step_list_ruleset(e, &nft, &rules);
	bool found = ret > 0 && ruleset_table(&rules, snat_family(family), SNAT_TABLE);

	strcpy(r->present, found ? ONE_OF_OURS : NONE_OF_OURS);
	if (found && step_snat_has_others(&rules, family)) {
		strcpy(r->why, "somebody has added rules to table " SNAT_TABLE "; remove them and repeat --undo");
		r->pending = true;
		return 0;
	}
	if (ret == 0)
		ret = nft_find(e, &nft);
	if (ret >= 0 && found)
		ret = is_table_as_made(e, &nft, family);
	if (found && ret == 0) {
		strcpy(r->why, "somebody has changed table " SNAT_TABLE SINCE);
		return 0;
	}
	if (ret >= 0 && found && !dry_run)
		ret = step_delete_snat_table(e, &nft, family);
	r->outcome = found && ret >= 0 ? STEP_CHANGED : STEP_LEFT;
	return ret < 0 ? ret : 0;
}

/* The address in "--to-source ADDRESS", or false. */
static bool source_of(const struct rule *r, struct addr *out)
{
	struct err ignored;

	for (size_t i = 0; i + 1 < r->n_words; i++)
		if (strcmp(r->words[i], "--to-source") == 0)
			return addr_parse(&ignored, r->words[i + 1], out) == 0;
	return false;
}

/* Is the listed rule as one of the modes makes it, whatever the address? */
static bool is_as_made(const struct rule *listed, sa_family_t family)
{
	static const enum snat_mode modes[] = { SNAT_IPVS, SNAT_MASQUERADE, SNAT_ADDRESS };
	bool same = false;

	for (size_t i = 0; !same && i < ARRAY_LEN(modes); i++) {
		CLEANUP(rule_clear) struct rule made = { 0 };
		struct config c = { .snat = modes[i] };
		char text[SNAT_TEXT_MAX];
		struct err ignored;

		if (modes[i] == SNAT_ADDRESS && !source_of(listed, &c.snat_address))
			continue;
		snat_rule(&c, family, text);
		same = rule_parse(&ignored, text, &made) == 0 && rule_same(&made, listed);
	}
	return same;
}

/*
 * Deletes those of the listed rules that are ours, and as we made them. Returns
 * how many, or would with dry_run; *left: there are others of ours.
 */
static int delete_tagged(struct err *e, const struct firewall *fw, const struct rule_list *rules, bool dry_run,
			 bool *left)
{
	int ret = 0, deleted = 0;

	for (size_t i = 0; ret == 0 && i < rules->n; i++) {
		if (!rule_is_tagged(&rules->items[i], SNAT_CHAIN, SNAT_TAG))
			continue;
		if (!is_as_made(&rules->items[i], fw->family)) {
			*left = true;
			continue;
		}
		ret = dry_run ? 0 : firewall_delete(e, fw, "nat", &rules->items[i]);
		deleted++;
	}
	return ret < 0 ? ret : deleted;
}

static int restore_by_iptables(struct err *e, const struct setup_record *rec, const char *name, bool dry_run,
			       struct step_report *r)
{
	CLEANUP(rule_list_clear) struct rule_list rules = { 0 };
	struct firewall fw;
	bool left = false;
	int ret = firewall_named(e, name, &fw), deleted;

	if (ret == 0)
		ret = firewall_list(e, &fw, "nat", SNAT_CHAIN, &rules);
	if (ret < 0)
		return ret;
	deleted = delete_tagged(e, &fw, &rules, dry_run, &left);
	strcpy(r->present, deleted > 0 || left ? ONE_OF_OURS : NONE_OF_OURS);
	r->outcome = deleted > 0 ? STEP_CHANGED : STEP_LEFT;
	if ((deleted > 0 || strstr(rec->applied, NONE_OF_OURS)) && deleted >= 0 && !dry_run)
		ret = remove_what_came(e, rec, &fw, r);
	if (left)
		strcpy(r->why, "somebody has changed a rule of ours" SINCE);
	return deleted < 0 ? deleted : ret;
}

int step_restore_snat(struct err *e, const struct setup_record *rec, bool dry_run, struct step_report *r)
{
	int ret;

	step_text(r->via, "%.*s", (int)strcspn(rec->applied, " "), rec->applied);
	strcpy(r->wanted, NONE_OF_OURS);
	if (strcmp(r->via, "nft") == 0)
		ret = restore_by_nft(e, rec, dry_run, r);
	else
		ret = restore_by_iptables(e, rec, r->via, dry_run, r);
	return step_put_off(e, ret, r);
}
