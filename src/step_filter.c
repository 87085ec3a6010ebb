/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The steps that look whether the packet filter lets the traffic through, and open it if that is wanted. */
#include "step_firewall.h"

#include <stdio.h>
#include <string.h>

/* Between commands, as a shell has it. */
#define AND " && "

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

static const char *const protocols[] = { "tcp", "udp" };

static const struct passage *passage_of(const char *step)
{
	for (size_t i = 0; i < ARRAY_LEN(passages); i++)
		if (strstr(step, passages[i].chain))
			return &passages[i];
	return NULL;
}

static void add_command(struct step_report *r, const struct passage *way, const char *conditions)
{
	size_t len = strlen(r->command);

	snprintf(r->command + len, sizeof(r->command) - len,
		 "%s%s -w -I %s %s -m comment --comment " STEP_TAG " -j ACCEPT", len > 0 ? AND : "", r->via,
		 way->chain, conditions);
}

static void advise(const struct config *c, const struct passage *way, struct step_report *r)
{
	char conditions[64];

	if (way->help)
		add_command(r, way, way->help);
	for (size_t i = 0; !way->help && i < ARRAY_LEN(protocols); i++) {
		step_text(conditions, "-p %s --dport %u:%u", protocols[i], c->port_first, c->port_last);
		add_command(r, way, conditions);
	}
}

/* The worst of what happens to TCP and to UDP. */
static void judge(const struct config *c, const struct rule_list *rules, const struct passage *way,
		  struct step_report *r)
{
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
	const struct firewall *fw = step_find_firewall(h, step_family(step->name), r);
	const struct passage *way = passage_of(step->name);
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

/* Takes the next command off *at; "": there is none left. */
static void next_command(const char **at, char command[static 1024])
{
	const char *end = strstr(*at, AND);
	size_t len = end ? (size_t)(end - *at) : strlen(*at);

	snprintf(command, 1024, "%.*s", (int)len, *at);
	*at += len + (end ? strlen(AND) : 0);
}

/* The commands that opened the filter, all that ever did: what undo has to look for. */
static int record_opening(struct err *e, const struct step_report *r, struct setup_record *rec)
{
	const char *at = r->command;
	char command[1024];

	if (!rec->applied[0])
		step_text(rec->former, "%.1000s", r->present);
	for (next_command(&at, command); command[0]; next_command(&at, command)) {
		size_t len = strlen(rec->applied);

		if (strstr(rec->applied, command))
			continue;
		if (len + strlen(AND) + strlen(command) >= sizeof(rec->applied))
			return err_set(e, E2BIG, "too many rules for one step; take back the former ones "
				       "with --undo");
		snprintf(rec->applied + len, sizeof(rec->applied) - len, "%s%s", len > 0 ? AND : "", command);
	}
	return 0;
}

/* A command as advise() writes it: its program, and the rule that it inserts. */
static int read_command(struct err *e, const char *command, struct firewall *fw, struct rule *rule)
{
	const char *insert = strstr(command, "-I ");
	char name[32];

	step_text(name, "%.*s", (int)strcspn(command, " "), command);
	if (firewall_named(e, name, fw) < 0)
		return -e->code;
	if (!insert)
		return err_set(e, ERR_CONFLICT, "'%.200s' is no command that this version knows", command);
	return rule_parse(e, insert, rule);
}

/* Deletes our rules of the chain that the command is about. Returns how many, or would with dry_run. */
static int close_chain(struct err *e, const char *command, bool dry_run)
{
	CLEANUP(rule_list_clear) struct rule_list rules = { 0 };
	CLEANUP(rule_clear) struct rule rule = { 0 };
	struct firewall fw;
	int ret = read_command(e, command, &fw, &rule);

	if (ret == 0)
		ret = firewall_list(e, &fw, "filter", rule.words[1], &rules);
	if (ret == 0)
		ret = step_delete_tagged(e, &fw, "filter", rule.words[1], &rules, dry_run);
	return ret;
}

static int open_chain(struct err *e, const char *command)
{
	CLEANUP(rule_clear) struct rule rule = { 0 };
	struct firewall fw;
	int ret = read_command(e, command, &fw, &rule);

	return ret < 0 ? ret : firewall_insert(e, &fw, "filter", &rule);
}

/*
 * Ours that do not suffice any more, as those for another pool, go first: the
 * traffic is stopped by now in any case.
 */
static int set_opening(struct err *e, const struct step_report *r)
{
	char command[1024];
	const char *at = r->command;
	int ret = 0;

	for (next_command(&at, command); ret >= 0 && command[0]; next_command(&at, command))
		ret = close_chain(e, command, false);
	at = r->command;
	for (next_command(&at, command); ret >= 0 && command[0]; next_command(&at, command))
		ret = open_chain(e, command);
	return ret < 0 ? ret : 0;
}

/* A chain that several commands were about is closed by the first of them. */
static int restore_opening(struct err *e, const struct setup_record *rec, bool dry_run, struct step_report *r)
{
	const char *at = rec->applied;
	char command[1024];
	int ret = 0, deleted = 0;

	strcpy(r->wanted, "no rule of ours");
	step_text(r->via, "%.*s", (int)strcspn(rec->applied, " "), rec->applied);
	for (next_command(&at, command); ret >= 0 && command[0]; next_command(&at, command)) {
		ret = close_chain(e, command, dry_run);
		deleted += ret > 0 ? ret : 0;
	}
	strcpy(r->present, deleted > 0 ? "a rule of ours" : "no rule of ours");
	r->outcome = deleted > 0 ? STEP_CHANGED : STEP_LEFT;
	return ret < 0 ? ret : 0;
}

const struct step_kind step_filter = {
	.prefix = "filter ",
	.makes = STEP_MAKES_IF_OPEN,
	.look = look_at_filter,
	.record = record_opening,
	.set = set_opening,
	.restore = restore_opening,
};
