/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The steps that give what IPVS forwards this host's own address. */
#include "step_firewall.h"

#include "hostnet.h"

#include <stdio.h>
#include <string.h>

/* What a look at a step is about. */
struct snat {
	const struct config *config;
	sa_family_t family;
	struct nft nft;
	const struct ruleset *ruleset; /* what it lists */
};

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

	if (rule_same(r, ours) || rule_is_tagged(r, SNAT_CHAIN, SNAT_TAG))
		return rule_same(r, ours);
	step_text(text, "-A " SNAT_CHAIN " -j %s", target);
	ret = rule_parse(e, text, &whole);
	return ret < 0 ? ret : rule_same(r, &whole);
}

/*
 * *found: the first rule of the list that does what is wanted; NULL: none. present
 * is that rule, or one of ours that does not.
 */
static int search(struct err *e, const struct rule_list *rules, const struct step_report *wanted,
		  const char *target, char present[static 1024], const struct rule **found)
{
	CLEANUP(rule_clear) struct rule ours = { 0 };
	int ret = rule_parse(e, wanted->wanted, &ours);

	strcpy(present, "no rule");
	*found = NULL;
	for (size_t i = 0; ret == 0 && i < rules->n; i++) {
		const struct rule *r = &rules->items[i];

		ret = does_the_same(e, r, &ours, target);
		if (ret > 0)
			*found = r;
		if (ret > 0 || (!*found && rule_is_tagged(r, SNAT_CHAIN, SNAT_TAG)))
			snprintf(present, 1024, "%s", r->text);
	}
	return ret < 0 ? ret : 0;
}

/*
 * Ours comes before the rules of others if it takes only what IPVS forwards:
 * there it is in nobody's way. One that masquerades everything would be.
 */
static bool comes_first(const char *rule)
{
	return strstr(rule, " -m ipvs ") != NULL;
}

/* Rules before the one that was found may take the packets. */
static void judge_way(const struct rule_list *rules, const struct rule *found, sa_family_t family,
		      struct step_report *r)
{
	static const char *const protocols[] = { "tcp", "udp", "sctp" };
	enum verdict worst = VERDICT_PASS;
	const char *by = "";

	for (size_t i = 0; i < ARRAY_LEN(protocols) && worst != VERDICT_STOP; i++) {
		const struct packet p = {
		    .family = family, .protocol = protocols[i], .state = "NEW", .ipvs = true};
		const char *decider;
		enum verdict v = rules_reach(rules, SNAT_CHAIN, found, &p, &decider);

		if (v == VERDICT_PASS || (v == VERDICT_UNKNOWN && worst == v))
			continue;
		worst = v;
		by = decider;
	}
	if (worst == VERDICT_PASS)
		return;
	if (worst == VERDICT_STOP && comes_first(r->wanted)) {
		r->status = STEP_DIFFERS;
		step_text(r->present, "%.480s, behind %.480s", found->text, by);
		return;
	}
	r->status = STEP_UNKNOWN;
	step_text(r->why, "this rule comes before it%s: %.400s",
		  worst == VERDICT_STOP ? " and takes the packets" : ", and may take the packets", by);
}

static bool has_tagged(const struct rule_list *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		if (rule_is_tagged(&rules->items[i], SNAT_CHAIN, SNAT_TAG))
			return true;
	return false;
}

/* Beside what is wanted one of ours that another mode has made, as an interrupted change leaves it. */
static int look_for_stray(struct err *e, const struct rule_list *rules, struct step_report *r)
{
	CLEANUP(rule_clear) struct rule wanted = { 0 };
	int ret = rule_parse(e, r->wanted, &wanted);

	for (size_t i = 0; ret == 0 && i < rules->n; i++) {
		const struct rule *one = &rules->items[i];
		size_t len = strlen(r->present);

		if (!rule_is_tagged(one, SNAT_CHAIN, SNAT_TAG) || rule_same(one, &wanted))
			continue;
		if (r->status != STEP_DIFFERS)
			step_text(r->command, "%s -w -t nat -D %.3800s", r->via, one->text + strlen("-A "));
		r->status = STEP_DIFFERS;
		snprintf(r->present + len, sizeof(r->present) - len, ", and still %.480s", one->text);
		break;
	}
	return ret;
}

/* Where the mode none, or a family without VIPs, wants no rule of ours, whatever others have. */
static void want_none(bool has_ours, struct step_report *r)
{
	strcpy(r->wanted, NONE_OF_OURS);
	strcpy(r->present, has_ours ? ONE_OF_OURS : NONE_OF_OURS);
	r->status = has_ours ? STEP_DIFFERS : STEP_OK;
	r->command[0] = '\0';
}

/* Looks at the rules of one program. */
static int look_with(struct err *e, const struct snat *s, const struct firewall *fw, struct step_report *r)
{
	CLEANUP(rule_list_clear) struct rule_list rules = { 0 };
	char target[96];
	const struct rule *found;
	int ret = firewall_list(e, fw, "nat", NULL, &rules);

	if (ret < 0)
		return ret;
	strcpy(r->via, fw->name);
	if (s->config->snat == SNAT_NONE) {
		want_none(has_tagged(&rules), r);
		return 0;
	}
	snat_rule(s->config, s->family, r->wanted);
	snat_target(s->config, s->family, target);
	step_text(r->command, "%s -w -t nat -%c %s", fw->name, comes_first(r->wanted) ? 'I' : 'A',
		  r->wanted + strlen("-A "));
	ret = search(e, &rules, r, target, r->present, &found);
	if (ret < 0)
		return ret;
	r->status = found ? STEP_OK : has_tagged(&rules) ? STEP_DIFFERS : STEP_MISSING;
	if (found)
		judge_way(&rules, found, s->family, r);
	return found && rule_is_tagged(found, SNAT_CHAIN, SNAT_TAG) ? look_for_stray(e, &rules, r) : 0;
}

/* A rule of nft that others have made, and that does as well. */
static void look_for_others(const struct snat *s, struct step_report *r)
{
	const struct config *c = s->config;
	bool to_address = c->snat == SNAT_ADDRESS && c->snat_address.family == s->family;
	char address[ADDR_STRLEN];
	const struct ruleset_rule *rule;

	rule = ruleset_find_snat(s->ruleset, s->family,
				 to_address ? addr_format(&c->snat_address, address) : NULL);
	if (!rule || strcmp(rule->table, SNAT_TABLE) == 0)
		return;
	r->status = STEP_OK;
	strcpy(r->via, "nft");
	step_text(r->present, "%s %s %s: %.800s", rule->family, rule->table, rule->chain, rule->text);
}

/* Packets may pass the tables of both iptables: ours is where it is, and else belongs into the main ones. */
static int look_by_iptables(struct err *e, const struct snat *s, const struct step_firewall *found,
			    struct step_report *r)
{
	int ret;

	if (found->has_legacy) {
		ret = look_with(e, s, &found->legacy, r);
		if (ret < 0 || (r->status != STEP_MISSING && strcmp(r->present, NONE_OF_OURS) != 0))
			return ret;
	}
	ret = look_with(e, s, &found->firewall, r);
	if (ret == 0 && r->status == STEP_MISSING)
		look_for_others(s, r);
	return ret;
}

/*
 * The VIPs of a family, as sonm-vs chooses them: those of the configuration, or the default route's address.
 */
static size_t find_vips(const struct snat *s, struct addr vips[static CONFIG_ADDRESSES_MAX])
{
	const struct config *c = s->config;
	struct err ignored;
	size_t n = 0;

	for (size_t i = 0; i < c->n_addresses; i++)
		if (c->addresses[i].family == s->family)
			vips[n++] = c->addresses[i];
	if (c->n_addresses == 0 && hostnet_default_source(&ignored, s->family, &vips[0]) == 0)
		n = 1;
	return n;
}

/* What our table is to be; it is asked for only if there is a VIP. */
static int want_table(struct err *e, const struct snat *s, const struct addr vips[], size_t n,
		      struct step_report *r)
{
	char commands[SNAT_COMMAND_MAX];
	int ret = snat_table(e, s->config, s->family, vips, n, r->wanted);

	if (ret == 0)
		ret = snat_commands(e, s->family, r->wanted, commands);
	if (ret == 0)
		step_text(r->command, "nft '%.2000s'", commands);
	return ret;
}

static int look_by_nft(struct err *e, struct snat *s, struct step_report *r)
{
	CLEANUP(ruleset_clear) struct ruleset table = { 0 };
	struct addr vips[CONFIG_ADDRESSES_MAX];
	size_t n = s->config->snat == SNAT_NONE ? 0 : find_vips(s, vips);
	bool has_ours = ruleset_table(s->ruleset, snat_family(s->family), SNAT_TABLE) != NULL;
	int ret = 0;

	strcpy(r->via, "nft");
	if (has_ours)
		ret = nft_list_table(e, &s->nft, snat_family(s->family), SNAT_TABLE, &table);
	if (ret < 0)
		return ret;
	if (n == 0 && (s->config->snat == SNAT_NONE || s->config->n_addresses > 0)) {
		want_none(has_ours, r);
		return 0;
	}
	snat_describe(&table, s->family, r->present);
	r->status = has_ours ? STEP_DIFFERS : STEP_MISSING;
	if (n == 0 && s->config->snat != SNAT_MASQUERADE) {
		step_text(r->why,
			  "there is no default route whose address would be the VIP; name the VIPs with "
			  "'addresses:' in the configuration");
		return 0;
	}
	ret = want_table(e, s, vips, n, r);
	if (ret == 0 && strcmp(r->present, r->wanted) == 0)
		r->status = STEP_OK;
	if (ret == 0 && r->status == STEP_MISSING)
		look_for_others(s, r);
	return ret;
}

/* No program for it: iptables is what most hosts would install. */
static void look_at_nothing(const struct snat *s, const struct step_firewall *found, const struct err *nft,
			    struct step_report *r)
{
	snat_rule(s->config, s->family, r->wanted);
	if (s->config->snat == SNAT_NONE)
		strcpy(r->wanted, NONE_OF_OURS);
	strcpy(r->present, "no rule");
	step_text(r->why, "neither iptables nor nft works here: %.200s; %.150s; install iptables or nftables",
		  found->err.msg, nft->msg);
	r->status = s->config->snat == SNAT_NONE ? STEP_OK : STEP_MISSING;
}

/*
 * The host's iptables is asked first, as others' rules are most often made with
 * it; nft if there is none, and where our table is already.
 */
static int look_at_snat(struct err *e, struct step_host *h, const struct step *step, struct step_report *r)
{
	struct snat s = {
	    .config = h->config, .family = step_family(step->name), .ruleset = &step_ruleset(h)->rules};
	const struct step_firewall *found = step_find_firewall(h, s.family);
	bool is_there = ruleset_table(s.ruleset, snat_family(s.family), SNAT_TABLE) != NULL;
	struct err why;
	int ret;

	if (!is_there && found->ret == 0)
		return look_by_iptables(e, &s, found, r);
	ret = is_there ? nft_find(e, &s.nft) : step_find_nft(&why, h, s.family, &s.nft);
	if (ret == 0)
		return look_by_nft(e, &s, r);
	if (is_there)
		return ret;
	look_at_nothing(&s, found, &why, r);
	return 0;
}

/* --- making it ------------------------------------------------------------------------- */

/*
 * The program comes first, so that the rule is taken back where it was put. What
 * came with it once stays on record, whatever became of it since.
 */
static int record_snat(struct err *e, const struct step_report *r, struct setup_record *rec)
{
	char before[1024] = NONE_OF_OURS;
	struct firewall fw;
	int ret = 0;

	if (r->via[0] && strcmp(r->via, "nft") != 0) {
		ret = firewall_named(e, r->via, &fw);
		if (ret == 0)
			ret = step_before_snat(e, &fw, before);
	}
	if (!rec->applied[0] || strcmp(before, NONE_OF_OURS) != 0)
		strcpy(rec->former, before);
	step_text(rec->applied, "%s %.960s", r->via, r->wanted);
	return ret;
}

/* Deletes those of the listed rules that are ours and the same as this one, or those that are not. */
static int delete_ours(struct err *e, const struct firewall *fw, const struct rule_list *rules,
		       const struct rule *as, bool same)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < rules->n; i++) {
		const struct rule *r = &rules->items[i];

		if (rule_is_tagged(r, SNAT_CHAIN, SNAT_TAG) && rule_same(r, as) == same)
			ret = firewall_delete(e, fw, "nat", r);
	}
	return ret;
}

/*
 * The new rule comes before those of ours that it replaces go: the workers are
 * never without one. Only where the same one moves to the front it goes first,
 * as iptables deletes the first that has the same words.
 */
static int set_by_iptables(struct err *e, const struct step_report *r)
{
	CLEANUP(rule_list_clear) struct rule_list before = { 0 };
	CLEANUP(rule_clear) struct rule rule = { 0 };
	bool wants_rule = strncmp(r->wanted, "-A ", 3) == 0;
	struct firewall fw;
	int ret = firewall_named(e, r->via, &fw);

	if (ret == 0)
		ret = firewall_list(e, &fw, "nat", SNAT_CHAIN, &before);
	if (ret == 0 && wants_rule)
		ret = rule_parse(e, r->wanted, &rule);
	if (ret == 0)
		ret = delete_ours(e, &fw, &before, &rule, true);
	if (ret == 0 && wants_rule)
		ret = comes_first(r->wanted) ? firewall_insert(e, &fw, "nat", &rule) :
					       firewall_add(e, &fw, "nat", &rule);
	if (ret == 0)
		ret = delete_ours(e, &fw, &before, &rule, false);
	return ret;
}

static int set_by_nft(struct err *e, const struct step_report *r)
{
	CLEANUP(ruleset_clear) struct ruleset rules = { 0 };
	sa_family_t family = step_family(r->name);
	char commands[SNAT_COMMAND_MAX];
	struct nft nft;
	int ret = nft_find(e, &nft);

	if (ret == 0)
		ret = step_list_ruleset(e, &nft, &rules);
	if (ret < 0)
		return ret;
	if (step_snat_has_others(&rules, family))
		return err_set(e, ERR_CONFLICT,
			       "somebody has added rules to table " SNAT_TABLE ", which is made and removed as a "
			       "whole; put them into a table of their own");
	if (strcmp(r->wanted, NONE_OF_OURS) == 0)
		return step_delete_snat_table(e, &nft, family);
	ret = snat_commands(e, family, r->wanted, commands);
	return ret < 0 ? ret : nft_run(e, &nft, "make our table for SNAT", commands);
}

static int set_snat(struct err *e, const struct step_report *r)
{
	if (!r->via[0])
		return err_set(e, ERR_NO_KERNEL, "cannot set up SNAT: %s", r->why);
	if (!r->wanted[0])
		return err_set(e, ERR_USAGE, "cannot set up SNAT: %s", r->why);
	return strcmp(r->via, "nft") == 0 ? set_by_nft(e, r) : set_by_iptables(e, r);
}

const struct step_kind step_snat = {
	.prefix = "snat ",
	.root_looks = true,
	.undo = "Our rule, which has the comment '" SNAT_TAG "', or our table of nft is deleted, and with it a table or "
		"chain that came into being with it. No other rule is, nor one of ours that somebody has changed since.",
	.look = look_at_snat,
	.record = record_snat,
	.set = set_snat,
	.restore = step_restore_snat,
};
