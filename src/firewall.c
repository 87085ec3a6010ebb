/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "firewall.h"

#include <stdio.h>
#include <string.h>

/* Others hold the lock of the rules for moments only; who waits longer should hear why. */
#define LOCK_SECONDS "30"

/* -w SECONDS -t TABLE and NULL come on top of a rule's words. */
#define ARGS_MAX (RULE_WORDS_MAX + 8)

static const struct candidate {
	const char *name;
	sa_family_t family;
} candidates[] = {
	{ "iptables", AF_INET },
	{ "iptables-legacy", AF_INET },
	{ "iptables-nft", AF_INET },
	{ "ip6tables", AF_INET6 },
	{ "ip6tables-legacy", AF_INET6 },
	{ "ip6tables-nft", AF_INET6 },
};

/*
 * What a failed program meant. Exit status 3: the kernel's part is missing or
 * of another version; 4: no permission or no resources (iptables, xshared.h).
 */
static int explain(struct err *e, const struct firewall *f, const char *what, const struct program_result *r)
{
	const char *said = r->errors + strspn(r->errors, "\n");
	int code = EIO;

	if (strstr(said, "Permission denied") || strstr(said, "Operation not permitted"))
		code = EPERM;
	else if (r->status == 3 || strstr(said, "No chain/target/match by that name") ||
		 strstr(said, "Operation not supported"))
		code = ERR_NO_KERNEL;
	return err_set(e, code, "%s cannot %s: %.*s", f->name, what, (int)strcspn(said, "\n"), said);
}

/* Runs the program with NULL-ended arguments and fails unless it exits with 0. *text: what it printed. */
static int run(struct err *e, const struct firewall *f, const char *what, const char *const args[],
	       char **text)
{
	CLEANUP(program_result_clear) struct program_result result = { 0 };
	const char *argv[ARGS_MAX + 1] = { f->path };
	size_t n = 1;
	int ret;

	for (size_t i = 0; args[i] && n < ARGS_MAX; i++)
		argv[n++] = args[i];
	ret = program_run(e, argv, &result);
	if (ret < 0)
		return ret;
	if (result.status != 0)
		return explain(e, f, what, &result);
	if (text)
		*text = steal_ptr(result.out);
	return 0;
}

/* "iptables v1.8.9 (nf_tables)", "iptables v1.8.9 (legacy)"; before 1.8 there was legacy only. */
static int open_candidate(struct err *e, const struct candidate *c, struct firewall *out)
{
	static const char *const version[] = { "-V", NULL };
	struct firewall f = { .family = c->family };
	CLEANUP_FREE char *text = NULL;
	int ret;

	if (program_find(e, c->name, f.path) < 0)
		return err_set(e, ERR_NO_KERNEL, "%s is not installed", c->name);
	strcpy(f.name, c->name);
	ret = run(e, &f, "tell its version", version, &text);
	if (ret < 0)
		return ret;
	f.legacy = !strstr(text, "(nf_tables)");
	*out = f;
	return 0;
}

bool firewall_is_installed(void)
{
	char path[PROGRAM_PATH_MAX];
	struct err ignored;

	for (size_t i = 0; i < ARRAY_LEN(candidates); i++)
		if (program_find(&ignored, candidates[i].name, path) == 0)
			return true;
	return false;
}

int firewall_named(struct err *e, const char *name, struct firewall *out)
{
	for (size_t i = 0; i < ARRAY_LEN(candidates); i++)
		if (strcmp(candidates[i].name, name) == 0)
			return open_candidate(e, &candidates[i], out);
	return err_set(e, ERR_NO_KERNEL, "'%.60s' is not a program for rules that this version knows", name);
}

/*
 * Tells whether this kernel takes rules from the program. A kernel that has
 * nf_tables without the IP families lists rules, none, and refuses only to
 * make some; so a chain is made, in a network namespace that is gone again at
 * once. Without unshare(1) or the right to use it there is no telling: 1. The
 * legacy program needs no trial: it is the last to be asked.
 */
static int takes_rules(struct err *e, const struct firewall *f)
{
	CLEANUP(program_result_clear) struct program_result result = { 0 };
	char unshare[PROGRAM_PATH_MAX];
	const char *const argv[] = { unshare, "-n", "--", f->path, "-t", "nat", "-N", "sonm-gateway", NULL };
	int ret;

	if (f->legacy)
		return 0;
	if (program_find(e, "unshare", unshare) < 0)
		return 1;
	ret = program_run(e, argv, &result);
	if (ret < 0 || result.status == 0 || strstr(result.errors, "unshare:"))
		return ret < 0 ? ret : result.status != 0;
	return explain(e, f, "make rules", &result);
}

/* The names of the tables in use: x_tables lists them. NULL: none, or no x_tables. */
static FILE *open_tables(sa_family_t family)
{
	return fopen(family == AF_INET6 ? "/proc/net/ip6_tables_names" : "/proc/net/ip_tables_names", "re");
}

bool firewall_has_table(const struct firewall *f, const char *table)
{
	FILE *names = f->legacy ? open_tables(f->family) : NULL;
	bool found = !f->legacy;
	char line[64];

	while (names && !found && fgets(line, sizeof(line), names)) {
		line[strcspn(line, "\n")] = '\0';
		found = strcmp(line, table) == 0;
	}
	if (names)
		fclose(names);
	return found;
}

/* What is more than a policy that accepts, in one of the tables that rules of hosts are in. */
static bool has_rules(const struct firewall *f)
{
	static const char *const tables[] = { "filter", "nat", "mangle", "raw" };

	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		CLEANUP(rule_list_clear) struct rule_list rules = { 0 };
		struct err ignored;

		if (firewall_list(&ignored, f, tables[i], NULL, &rules) == 0 && rules_do_anything(&rules))
			return true;
	}
	return false;
}

static int open_legacy(struct err *e, sa_family_t family, struct firewall *out)
{
	return firewall_named(e, family == AF_INET6 ? "ip6tables-legacy" : "iptables-legacy", out);
}

bool firewall_has_legacy_too(const struct firewall *f, struct firewall *out)
{
	FILE *names = f->legacy ? NULL : open_tables(f->family);
	char line[64];
	struct err ignored;
	bool any = names && fgets(line, sizeof(line), names);

	if (names)
		fclose(names);
	return any && open_legacy(&ignored, f->family, out) == 0;
}

int firewall_find(struct err *e, sa_family_t family, const char *hint, struct firewall *out)
{
	struct err first, last;
	struct firewall f, legacy;
	int ret = firewall_named(&first, family == AF_INET6 ? "ip6tables" : "iptables", &f);

	if (ret == 0)
		ret = takes_rules(&first, &f);
	if (ret > 0 && hint[0] && firewall_named(&last, hint, out) == 0)
		return 0;
	if (ret >= 0) {
		bool is_other = firewall_has_legacy_too(&f, &legacy) && has_rules(&legacy) && !has_rules(&f);

		*out = is_other ? legacy : f;
		return 0;
	}
	if (open_legacy(&last, family, out) == 0)
		return 0;
	return err_set(e, last.code == EPERM ? EPERM : ERR_NO_KERNEL, "%s; %s", first.msg, last.msg);
}

int firewall_list(struct err *e, const struct firewall *f, const char *table, const char *chain,
		  struct rule_list *out)
{
	const char *const args[] = { "-w", LOCK_SECONDS, "-t", table, "-S", chain, NULL };
	CLEANUP_FREE char *text = NULL;
	int ret;

	if (!firewall_has_table(f, table)) { /* asking would load its module and hook it into the packets' way */
		*out = (struct rule_list){ 0 };
		return 0;
	}
	ret = run(e, f, "read rules", args, &text);
	if (ret == 0)
		ret = rules_parse(e, text, out);
	return ret;
}

/* Runs a rule's words with another first one. */
static int change(struct err *e, const struct firewall *f, const char *what, const char *table,
		  const char *op, const struct rule *r)
{
	const char *args[ARGS_MAX] = { "-w", LOCK_SECONDS, "-t", table, op };
	size_t n = 5;

	for (size_t i = 1; i < r->n_words; i++)
		args[n++] = r->words[i];
	return run(e, f, what, args, NULL);
}

int firewall_add(struct err *e, const struct firewall *f, const char *table, const struct rule *r)
{
	return change(e, f, "add a rule", table, "-A", r);
}

int firewall_insert(struct err *e, const struct firewall *f, const char *table, const struct rule *r)
{
	return change(e, f, "add a rule", table, "-I", r);
}

int firewall_delete(struct err *e, const struct firewall *f, const char *table, const struct rule *r)
{
	return change(e, f, "delete a rule", table, "-D", r);
}
