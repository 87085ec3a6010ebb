/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opening the packet filter with the commands that step_filter.c advises, and
 * closing it again by what a record has of them. Which are needed, and why, it
 * does not know.
 */
#include "step_firewall.h"

#include "module.h"

#include <stdio.h>
#include <string.h>

/* Takes the next command off *at; "": there is none left. */
static void next_command(const char **at, char command[static 1024])
{
	const char *end = strstr(*at, STEP_AND);
	size_t len = end ? (size_t)(end - *at) : strlen(*at);

	snprintf(command, 1024, "%.*s", (int)len, *at);
	*at += len + (end ? strlen(STEP_AND) : 0);
}

/* The match of iptables that a rule of ours may bring along, and which keeps ip_vs loaded; in a record's former value. */
#define MATCH "xt_ipvs"
#define NO_MATCH ", no module " MATCH

static int record_match(struct err *e, const struct step_report *r, struct setup_record *rec)
{
	size_t len = strlen(rec->former);
	int present = strstr(r->command, "-m ipvs ") ? module_present(e, MATCH) : 1;

	if (present == 0 && !strstr(rec->former, NO_MATCH))
		snprintf(rec->former + len, sizeof(rec->former) - len, NO_MATCH);
	return present < 0 ? present : 0;
}

/* Unless others use it by now. */
static int unload_match(struct err *e, const struct setup_record *rec)
{
	int ret = strstr(rec->former, NO_MATCH) && step_is_of_this_boot(rec) ? module_present(e, MATCH) : 0;

	if (ret == MODULE_LOADED)
		ret = module_unload(e, MATCH);
	return ret < 0 && ret != -EBUSY ? ret : 0;
}

/* The commands that opened the filter, all that ever did: what undo has to look for. */
int step_record_opening(struct err *e, const struct step_report *r, struct setup_record *rec)
{
	const char *at = r->command;
	char command[1024];

	if (!rec->applied[0])
		step_text(rec->former, "%.1000s", r->present);
	for (next_command(&at, command); command[0]; next_command(&at, command)) {
		size_t len = strlen(rec->applied);

		if (strstr(rec->applied, command))
			continue;
		if (len + strlen(STEP_AND) + strlen(command) >= sizeof(rec->applied))
			return err_set(e, E2BIG, "too many rules for one step; take back the former ones "
				       "with --undo");
		snprintf(rec->applied + len, sizeof(rec->applied) - len, "%s%s", len > 0 ? STEP_AND : "", command);
	}
	return record_match(e, r, rec);
}

static bool is_for_nft(const char *command)
{
	return strncmp(command, "nft ", 4) == 0;
}

/* "-I CHAIN ..." as the rule that it makes is listed: "-A CHAIN ...". */
static int parse_insert(struct err *e, const char *insert, struct rule *rule)
{
	int ret = rule_parse(e, insert, rule);

	if (ret == 0)
		rule->words[0][1] = 'A';
	return ret;
}

/* A command of iptables as step_filter.c advises it: its program, and the rule that it inserts. */
static int read_command(struct err *e, const char *command, struct firewall *fw, struct rule *rule)
{
	const char *insert = strstr(command, "-I ");
	char name[32];

	step_text(name, "%.*s", (int)strcspn(command, " "), command);
	if (firewall_named(e, name, fw) < 0)
		return -e->code;
	if (!insert)
		return err_set(e, ERR_CONFLICT, "'%.200s' is no command that this version knows", command);
	return parse_insert(e, insert, rule);
}

/* Is the listed rule one that the recorded commands made, as they made it? */
static bool is_recorded(const char *commands, const struct rule *listed)
{
	const char *at = commands;
	char command[1024];
	bool found = false;

	for (next_command(&at, command); !found && command[0]; next_command(&at, command)) {
		CLEANUP(rule_clear) struct rule made = { 0 };
		const char *insert = strstr(command, "-I ");
		struct err ignored;

		found = insert && parse_insert(&ignored, insert, &made) == 0 && rule_same(&made, listed);
	}
	return found;
}

static int close_in(struct err *e, const struct firewall *fw, const char *chain, const char *recorded, bool dry_run,
		    bool *left)
{
	CLEANUP(rule_list_clear) struct rule_list rules = { 0 };
	int ret = firewall_list(e, fw, "filter", chain, &rules), deleted = 0;

	for (size_t i = 0; ret == 0 && i < rules.n; i++) {
		const struct rule *r = &rules.items[i];

		if (!rule_is_tagged(r, chain, SNAT_TAG))
			continue;
		if (recorded && !is_recorded(recorded, r)) {
			*left = true;
			continue;
		}
		ret = dry_run ? 0 : firewall_delete(e, fw, "filter", r);
		deleted++;
	}
	return ret < 0 ? ret : deleted;
}

/* With recorded commands, *left tells whether there are rules of ours that somebody has changed: they stay. */
static int close_by_iptables(struct err *e, const char *command, const char *recorded, bool dry_run,
			     bool *left)
{
	CLEANUP(rule_clear) struct rule rule = { 0 };
	struct firewall fw, variants[2];
	int ret = read_command(e, command, &fw, &rule), deleted = 0;
	size_t n = ret == 0 ? step_variants(&fw, "filter", variants) : 0;

	for (size_t i = 0; ret >= 0 && i < n; i++) {
		ret = close_in(e, &variants[i], rule.words[1], recorded, dry_run, left);
		deleted += ret > 0 ? ret : 0;
	}
	return ret < 0 ? ret : deleted;
}

static int delete_rule(struct err *e, const struct nft *nft, const struct ruleset_rule *rule)
{
	char command[512];

	step_text(command, "delete rule %.20s %.200s %.200s handle %.20s", rule->family, rule->table,
		  rule->chain, rule->handle);
	return nft_run(e, nft, "delete a rule", command);
}

/* A command of nft as step_filter.c advises it: the chain, and what the rule says without its comment. */
struct nft_insert {
	struct rule words; /* owned: the others point into it */
	struct ruleset_chain chain;
	const char *says;
};

static void nft_insert_clear(struct nft_insert *i)
{
	rule_clear(&i->words);
}

/* "nft insert rule FAMILY TABLE CHAIN ... comment "TAG"" */
static int read_nft_insert(struct err *e, const char *command, struct nft_insert *out)
{
	int ret = rule_parse(e, command, &out->words);
	char **words = out->words.words, *at = out->words.text, *comment;

	if (ret < 0)
		return ret;
	comment = strstr(at, " comment \"");
	if (out->words.n_words < 7 || !comment)
		return err_set(e, ERR_CONFLICT, "'%.200s' is no command that this version knows", command);
	out->chain = (struct ruleset_chain){ .family = words[3], .table = words[4], .name = words[5] };
	*comment = '\0';
	for (size_t i = 0; i < 6; i++)
		at += strcspn(at, " ") + 1;
	out->says = at;
	return 0;
}

/* As is_recorded(), for a rule that nft lists. */
static bool is_recorded_nft(const char *commands, const struct ruleset_rule *listed)
{
	const char *at = commands;
	char command[1024];
	bool found = false;

	for (next_command(&at, command); !found && command[0]; next_command(&at, command)) {
		CLEANUP(nft_insert_clear) struct nft_insert made = { 0 };
		struct err ignored;

		found = is_for_nft(command) && read_nft_insert(&ignored, command, &made) == 0 &&
			ruleset_is_in(listed, &made.chain) && ruleset_says(listed, made.says);
	}
	return found;
}

static int close_by_nft(struct err *e, const char *command, const char *recorded, bool dry_run, bool *left)
{
	CLEANUP(ruleset_clear) struct ruleset rules = { 0 };
	CLEANUP(nft_insert_clear) struct nft_insert insert = { 0 };
	struct nft nft;
	int ret = read_nft_insert(e, command, &insert), deleted = 0;

	if (ret == 0)
		ret = nft_find(e, &nft);
	if (ret == 0)
		ret = step_list_ruleset(e, &nft, &rules);
	for (size_t i = 0; ret >= 0 && i < rules.n_rules; i++) {
		const struct ruleset_rule *r = &rules.rules[i];

		if (strcmp(r->comment, SNAT_TAG) != 0 || !ruleset_is_in(r, &insert.chain))
			continue;
		if (recorded && !is_recorded_nft(recorded, r)) {
			*left = true;
			continue;
		}
		ret = dry_run ? 0 : delete_rule(e, &nft, r);
		deleted++;
	}
	return ret < 0 ? ret : deleted;
}

/*
 * Deletes our rules of the chain that the command is about: with recorded, see
 * close_by_iptables(). Returns how many, or would with dry_run.
 */
static int close_chain(struct err *e, const char *command, const char *recorded, bool dry_run, bool *left)
{
	return is_for_nft(command) ? close_by_nft(e, command, recorded, dry_run, left)
				   : close_by_iptables(e, command, recorded, dry_run, left);
}

static int open_chain(struct err *e, const char *command)
{
	CLEANUP(rule_clear) struct rule rule = { 0 };
	struct firewall fw;
	struct nft nft;
	int ret;

	if (is_for_nft(command)) {
		ret = nft_find(e, &nft);
		return ret < 0 ? ret : nft_run(e, &nft, "add a rule", command + strlen("nft "));
	}
	ret = read_command(e, command, &fw, &rule);
	return ret < 0 ? ret : firewall_insert(e, &fw, "filter", &rule);
}

/*
 * Ours that do not suffice any more, as those for another pool, go first: the
 * traffic is stopped by now in any case.
 */
int step_set_opening(struct err *e, const struct step_report *r)
{
	char command[1024];
	const char *at = r->command;
	bool left;
	int ret = 0;

	for (next_command(&at, command); ret >= 0 && command[0]; next_command(&at, command))
		ret = close_chain(e, command, NULL, false, &left);
	at = r->command;
	for (next_command(&at, command); ret >= 0 && command[0]; next_command(&at, command))
		ret = open_chain(e, command);
	return ret < 0 ? ret : 0;
}

/* A chain that several commands were about is closed by the first of them. */
int step_restore_opening(struct err *e, const struct setup_record *rec, bool dry_run, struct step_report *r)
{
	const char *at = rec->applied;
	char command[1024];
	bool left = false;
	int ret = 0, deleted = 0;

	strcpy(r->wanted, "no rule of ours");
	step_text(r->via, "%.*s", (int)strcspn(rec->applied, " "), rec->applied);
	for (next_command(&at, command); ret >= 0 && command[0]; next_command(&at, command)) {
		ret = close_chain(e, command, rec->applied, dry_run, &left);
		deleted += ret > 0 ? ret : 0;
	}
	strcpy(r->present, deleted > 0 ? "a rule of ours" : "no rule of ours");
	if (left)
		strcpy(r->why, "somebody has changed a rule of ours since: it stays");
	r->outcome = deleted > 0 ? STEP_CHANGED : STEP_LEFT;
	if (ret >= 0 && !dry_run)
		ret = unload_match(e, rec);
	return step_put_off(e, ret < 0 ? ret : 0, r);
}
