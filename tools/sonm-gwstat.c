/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sonm-gwstat: what the gateway's routes have transferred, per container and in sum. */
#include "gwstat.h"
#include "view.h"

#include <stdio.h>

static const int show_options[] = { OPT_RATE,   OPT_TOTAL, OPT_CLOSED, OPT_EXACT,      'n',         OPT_SORT, OPT_TOP,
				    OPT_FORMAT, OPT_OUTPUT, OPT_PUSH,  OPT_TOKEN_FILE, OPT_CA_FILE, 0 };
static const int common_options[] = { 'j', 'c', 'h', TOOL_OPT_VERSION, TOOL_OPT_COMPLETE, 0 };

static const struct cmd_command commands[] = {
	{ CMD_SHOW, 0, "show",
	  "[CONTAINER...] [--rate | --closed | --total] [--exact] [--sort FIELD] [--top N] [--format FORMAT | -j] "
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

static const struct cmd_table table = {
	.prog = GWSTAT_PROG,
	.summary = "shows what the gateway's routes have transferred",
	.section = "8",
	.commands = commands,
	.options = options,
	.common = common_options,
	.default_command = CMD_SHOW,
	.options_only = true, /* a container may be called "show" */
};

/* By which field, if any. */
static int arrange(struct err *e, const struct cmd_line *line, struct usage *u)
{
	const char *sort = cmd_get(line, OPT_SORT, cmd_has(line, OPT_TOP) ? "bytes" : NULL);
	uint64_t top = SIZE_MAX;
	int field = sort ? gwstat_word(e, "field", gwstat_fields, sort) : FIELD_NAME;

	if (field < 0 ||
	    (cmd_has(line, OPT_TOP) && cmd_number(e, "--top", cmd_get(line, OPT_TOP, ""), 1, INT32_MAX, &top) < 0))
		return -e->code;
	if (sort)
		usage_sort(u, (enum gwstat_field)field);
	usage_top(u, (size_t)top);
	return 0;
}

static int print_usage(struct err *e, const struct gwstat_out *out, const struct usage *u,
		       const struct usage_look *look)
{
	switch (out->format) {
	case GWSTAT_JSON:
		return usage_print_json(e, out->stream, u, look);
	case GWSTAT_CSV:
		usage_print_csv(out->stream, u, look);
		return 0;
	case GWSTAT_METRICS:
		usage_print_metrics(out->stream, u);
		return 0;
	default:
		return usage_print_text(e, out->stream, u, look);
	}
}

static int run_show(struct err *e, struct gateway *g, const struct cmd_line *line, const struct gwstat_out *out)
{
	const struct usage_query query = { .names = line->args, .n_names = line->n_args,
					   .whole_ledger = cmd_has(line, OPT_TOTAL) && line->n_args == 0 };
	const struct usage_look look = { .rate = cmd_has(line, OPT_RATE), .total_only = cmd_has(line, OPT_TOTAL),
					 .exact = cmd_has(line, OPT_EXACT) };
	CLEANUP(usage_clear) struct usage u = { 0 };

	if (usage_read(e, g, &query, &u) < 0 || arrange(e, line, &u) < 0)
		return -e->code;
	if (!u.counting)
		fprintf(stderr, GWSTAT_PROG ": warning: the kernel does not count, all numbers stand still: "
					    "net.ipv4.vs.run_estimation is 0; run 'sonm-gw-setup --apply'\n");
	return print_usage(e, out, &u, &look);
}

/* --- the ledger ---------------------------------------------------------------- */

static int run_closed(struct err *e, struct store *s, const struct cmd_line *line, const struct gwstat_out *out)
{
	CLEANUP(ledger_list_clear) struct ledger_list ledger = { 0 };
	struct ledger_filter f = LEDGER_ALL;

	if (line->n_args == 0 && store_ledger(e, s, &f, &ledger) < 0)
		return -e->code;
	for (size_t i = 0; i < line->n_args; i++) {
		size_t n = ledger.n;

		if (tool_is_repeated(line, i))
			continue;
		f.container = line->args[i];
		if (container_check(e, f.container) < 0 || store_ledger(e, s, &f, &ledger) < 0)
			return -e->code;
		if (ledger.n == n)
			return err_set(e, ERR_ABSENT, "container %s has no closed route; see 'sonm-gwstat %s'",
				       line->args[i], line->args[i]);
	}
	if (out->format != GWSTAT_CSV)
		return view_ledger(e, out->stream, &ledger, out->format == GWSTAT_JSON, cmd_has(line, OPT_EXACT));
	ledger_print_csv(out->stream, &ledger);
	return 0;
}

/* --- main ---------------------------------------------------------------------- */

static int check_views(struct err *e, const struct cmd_line *line)
{
	if (cmd_has(line, OPT_RATE) + cmd_has(line, OPT_CLOSED) + cmd_has(line, OPT_TOTAL) > 1)
		return err_set(e, ERR_USAGE, "--rate, --closed and --total are three views; choose one");
	if (cmd_has(line, OPT_CLOSED) && (cmd_has(line, OPT_SORT) || cmd_has(line, OPT_TOP)))
		return err_set(e, ERR_USAGE, "--closed shows the ledger in its order; leave out --sort and --top");
	return 0;
}

static int run_checkpoint(struct err *e, struct gateway *g, const struct cmd_line *line)
{
	int n = gateway_checkpoint(e, g);
	struct json *j;

	if (n < 0 || !cmd_has(line, 'j'))
		return n;
	j = json_new(stdout);
	if (!j)
		return err_set(e, ENOMEM, "out of memory");
	json_begin_object(j, NULL);
	json_int(j, "routes", n);
	json_end_object(j);
	json_free(j);
	return 0;
}

static int show(struct err *e, struct gateway *g, const struct cmd_line *line)
{
	CLEANUP(gwstat_out_clear) struct gwstat_out out = { 0 };
	int ret;

	if (gwstat_out_begin(e, line, &out) < 0)
		return -e->code;
	if (out.format == GWSTAT_METRICS &&
	    (cmd_has(line, OPT_RATE) || cmd_has(line, OPT_CLOSED) || cmd_has(line, OPT_TOTAL)))
		return err_set(e, ERR_USAGE, "openmetrics has the totals of routes and containers; "
					     "leave out --rate, --closed and --total");
	ret = cmd_has(line, OPT_CLOSED) ? run_closed(e, gateway_store(g), line, &out) : run_show(e, g, line, &out);
	return ret == 0 ? gwstat_out_end(e, &out) : ret;
}

static int run(struct err *e, const struct cmd_line *line)
{
	CLEANUP(gateway_closep) struct gateway *g = NULL;
	bool checkpoint = line->command->id == CMD_CHECKPOINT;
	struct config c;

	if (check_views(e, line) < 0 || tool_config(e, line, &c) < 0 ||
	    gateway_open(e, &c, checkpoint ? STORE_UPDATE : STORE_READ, &g) < 0)
		return -e->code;
	return checkpoint ? run_checkpoint(e, g, line) : show(e, g, line);
}

int main(int argc, char **argv)
{
	CLEANUP(cmd_line_free) struct cmd_line line = { 0 };
	struct err e;
	int status = tool_start(&table, argc, argv, &line);

	if (status >= 0)
		return status;
	if (run(&e, &line) < 0) {
		err_wrap(&e, "cannot %s", line.command->id == CMD_CHECKPOINT ? "take a checkpoint" : "show");
		return tool_end(table.prog, tool_fail(table.prog, &e));
	}
	return tool_end(table.prog, EXIT_DONE);
}
