/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nft.h"

#include <stdio.h>
#include <string.h>

#define TRIAL "table %s sonm_gateway { chain postrouting { type nat hook postrouting priority 100; }; }"

static int explain(struct err *e, const char *what, const struct program_result *r)
{
	const char *said = r->errors;
	int code = EIO;

	if (strstr(said, "Operation not permitted") || strstr(said, "Permission denied"))
		code = EPERM;
	else if (strstr(said, "No such file or directory") || strstr(said, "Operation not supported") ||
		 strstr(said, "Protocol not supported") || strstr(said, "cache initialization failed"))
		code = ERR_NO_KERNEL;
	return err_set(e, code, "nft cannot %s: %.*s", what, (int)strcspn(said, "\n"), said);
}

/* Runs it and fails unless it exits with 0. *text, unless NULL: what it printed. */
static int run(struct err *e, const char *what, const char *const argv[], char **text)
{
	CLEANUP(program_result_clear) struct program_result result = { 0 };
	int ret = program_run(e, argv, &result);

	if (ret < 0)
		return ret;
	if (result.status != 0)
		return explain(e, what, &result);
	if (text)
		*text = steal_ptr(result.out);
	return 0;
}

int nft_find(struct err *e, struct nft *out)
{
	if (program_find(e, "nft", out->path) < 0)
		return err_set(e, ERR_NO_KERNEL, "nft is not installed");
	return 0;
}

int nft_takes_rules(struct err *e, const struct nft *n, sa_family_t family)
{
	CLEANUP(program_result_clear) struct program_result result = { 0 };
	char unshare[PROGRAM_PATH_MAX], trial[sizeof(TRIAL) + 8];
	const char *const argv[] = { unshare, "-n", "--", n->path, trial, NULL };
	int ret;

	if (program_find(e, "unshare", unshare) < 0)
		return 0; /* there is no telling */
	snprintf(trial, sizeof(trial), TRIAL, family == AF_INET6 ? "ip6" : "ip");
	ret = program_run(e, argv, &result);
	if (ret < 0 || result.status == 0 || strstr(result.errors, "unshare:"))
		return ret;
	explain(e, "make rules", &result);
	e->code = ERR_NO_KERNEL;
	return -e->code;
}

static int list(struct err *e, const char *const argv[], struct ruleset *out)
{
	CLEANUP_FREE char *text = NULL;
	int ret = run(e, "list rules", argv, &text);

	return ret < 0 ? ret : ruleset_parse(e, text, out);
}

int nft_list(struct err *e, const struct nft *n, struct ruleset *out)
{
	const char *const argv[] = { n->path, "-j", "-t", "list", "ruleset", NULL };

	return list(e, argv, out);
}

int nft_list_table(struct err *e, const struct nft *n, const char *family, const char *table,
		   struct ruleset *out)
{
	const char *const argv[] = { n->path, "-j", "list", "table", family, table, NULL };

	return list(e, argv, out);
}

int nft_run(struct err *e, const struct nft *n, const char *what, const char *commands)
{
	const char *const argv[] = { n->path, commands, NULL };

	return run(e, what, argv, NULL);
}
