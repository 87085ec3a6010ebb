/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sonm-gwstat: what the gateway's routes have transferred, per container and in sum. */
#include "gwstat.h"
#include "view.h"

#include <stdio.h>

static const int show_options[] = { OPT_RATE, OPT_TOTAL, OPT_CLOSED, OPT_EXACT, 'n', 0 };
static const int common_options[] = { 'j', 'c', 'h', TOOL_OPT_VERSION, TOOL_OPT_COMPLETE, 0 };

static const struct cmd_command commands[] = {
	{ CMD_SHOW, 0, "show", "[CONTAINER...] [--rate | --closed | --total] [--exact] [-j]",
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
	{ 'j', 'j', "json", NULL, "print JSON (always exact)", false, false },
	TOOL_COMMON_OPTIONS,
	{ 0 },
};

static const struct cmd_table table = {
	.prog = "sonm-gwstat",
	.summary = "shows what the gateway's routes have transferred",
	.section = "8",
	.commands = commands,
	.options = options,
	.common = common_options,
	.default_command = CMD_SHOW,
	.options_only = true, /* a container may be called "show" */
};

static int run_show(struct err *e, struct gateway *g, const struct cmd_line *line)
{
	const struct usage_query query = { .names = line->args, .n_names = line->n_args,
					   .whole_ledger = cmd_has(line, OPT_TOTAL) && line->n_args == 0 };
	const struct usage_look look = { .rate = cmd_has(line, OPT_RATE), .total_only = cmd_has(line, OPT_TOTAL),
					 .exact = cmd_has(line, OPT_EXACT) };
	CLEANUP(usage_clear) struct usage u = { 0 };

	if (usage_read(e, g, &query, &u) < 0)
		return -e->code;
	return cmd_has(line, 'j') ? usage_print_json(e, stdout, &u, &look) : usage_print_text(e, stdout, &u, &look);
}

/* --- the ledger ---------------------------------------------------------------- */

static int run_closed(struct err *e, struct store *s, const struct cmd_line *line)
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
	return view_ledger(e, stdout, &ledger, cmd_has(line, 'j'), cmd_has(line, OPT_EXACT));
}

/* --- main ---------------------------------------------------------------------- */

static int check_views(struct err *e, const struct cmd_line *line)
{
	if (cmd_has(line, OPT_RATE) + cmd_has(line, OPT_CLOSED) + cmd_has(line, OPT_TOTAL) > 1)
		return err_set(e, ERR_USAGE, "--rate, --closed and --total are three views; choose one");
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

static int run(struct err *e, const struct cmd_line *line)
{
	CLEANUP(gateway_closep) struct gateway *g = NULL;
	bool checkpoint = line->command->id == CMD_CHECKPOINT;
	struct config c;

	if (check_views(e, line) < 0 || tool_config(e, line, &c) < 0 ||
	    gateway_open(e, &c, checkpoint ? STORE_UPDATE : STORE_READ, &g) < 0)
		return -e->code;
	if (checkpoint)
		return run_checkpoint(e, g, line);
	if (cmd_has(line, OPT_CLOSED))
		return run_closed(e, gateway_store(g), line);
	return run_show(e, g, line);
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
