/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The options of sonm-gwstat. */
#include "gwstat.h"

static const int show_options[] = { OPT_RATE, OPT_TOTAL, OPT_CLOSED, OPT_SINCE, OPT_UNTIL, OPT_PRUNE, OPT_REPORT,
				    OPT_WATCH, OPT_EXACT, 'n', OPT_SORT, OPT_TOP, OPT_FORMAT, OPT_OUTPUT, OPT_PUSH,
				    OPT_TOKEN_FILE, OPT_CA_FILE, 0 };
static const int common_options[] = { 'j', 'c', 'h', TOOL_OPT_VERSION, TOOL_OPT_COMPLETE, 0 };

static const struct cmd_command commands[] = {
	{ CMD_SHOW, 0, "show",
	  "[CONTAINER...] [--rate | --closed | --total | --watch[=SECONDS]] [--report FILE | --prune TIME] "
	  "[--since TIME] [--until TIME] [--exact] [-n] "
	  "[--sort FIELD] [--top N] [--format FORMAT | -j] "
	  "[--output FILE | --push URL [--token-file FILE] [--ca-file FILE]]",
	  "show what the routes have transferred (default)", 0, -1, show_options },
	{ CMD_CHECKPOINT, 0, "checkpoint", "",
	  "fold the kernel's counters into the account and finish closing routes", 0, 0, NULL },
	{ 0 },
};

static const struct cmd_option options[] = {
	{ OPT_RATE, 0, "rate", NULL, "show rates per second instead of totals", false, false },
	{ OPT_TOTAL, 0, "total", NULL, "show the sum only; without CONTAINER: of all there ever was", false, false },
	{ OPT_CLOSED, 0, "closed", NULL, "show the ledger: closed routes, one by one", false, false },
	{ OPT_SINCE, 0, "since", "TIME", "show what came through since then: 2026-11-01, -24h", false, false },
	{ OPT_UNTIL, 0, "until", "TIME", "and before then", false, false },
	{ OPT_PRUNE, 0, "prune", "TIME", "write out what was closed before, then delete it", false, false },
	{ OPT_REPORT, 0, "report", "FILE", "draw what came through the last day: FILE.svg or FILE.html", false, false },
	{ OPT_WATCH, 0, "watch", "[=SECONDS]", "show it like top(1), read anew every second, or every so many", false,
	  false },
	{ OPT_EXACT, 0, "exact", NULL, "show exact numbers instead of K, M, G, T", false, false },
	{ 'n', 'n', "numeric", NULL, "as for ipvsadm: the output always is numeric", false, false },
	{ OPT_SORT, 0, "sort", "FIELD",
	  "sort by name, conns, inpkts, outpkts, inbytes, outbytes, bytes, cps, inpps, outpps, inbps, outbps or bps",
	  false, false },
	{ OPT_TOP, 0, "top", "N", "show the N first containers only (by bytes, unless sorted otherwise)", false, false },
	{ OPT_FORMAT, 0, "format", "FORMAT", "print text, json, csv or openmetrics", false, false },
	{ 'j', 'j', "json", NULL, "print JSON (always exact)", false, false },
	{ OPT_OUTPUT, 0, "output", "FILE", "write FILE, all at once, instead of the output", false, false },
	{ OPT_PUSH, 0, "push", "URL", "post JSON to URL, or openmetrics to a Pushgateway", false, false },
	{ OPT_TOKEN_FILE, 0, "token-file", "FILE", "push with the token in FILE", false, false },
	{ OPT_CA_FILE, 0, "ca-file", "FILE", "trust the authorities in FILE (PEM) instead of the system's", false, false },
	TOOL_COMMON_OPTIONS,
	{ 0 },
};

const struct cmd_table gwstat_table = {
	.prog = GWSTAT_PROG,
	.summary = "shows what the gateway's routes have transferred",
	.section = "8",
	.commands = commands,
	.options = options,
	.common = common_options,
	.default_command = CMD_SHOW,
	.options_only = true, /* a container may be called "show" */
};
