/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sonm-gwstat: what the gateway's routes have transferred, per container and in sum. */
#include "gwstat.h"
#include "view.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* By which field, or fallback if none is asked for, and how many: *top 0: all. */
static int read_order(struct err *e, const struct cmd_line *line, enum gwstat_field fallback, enum gwstat_field *by,
		      size_t *top)
{
	const char *sort = cmd_get(line, OPT_SORT, NULL);
	int field = sort ? gwstat_word(e, "field", gwstat_fields, sort) : (int)fallback;
	uint64_t n = 0;

	if (field < 0 ||
	    (cmd_has(line, OPT_TOP) && cmd_number(e, "--top", cmd_get(line, OPT_TOP, ""), 1, INT32_MAX, &n) < 0))
		return -e->code;
	*by = (enum gwstat_field)field;
	*top = (size_t)n;
	return 0;
}

static int arrange(struct err *e, const struct cmd_line *line, struct usage *u)
{
	enum gwstat_field by;
	size_t top;

	if (read_order(e, line, cmd_has(line, OPT_TOP) ? FIELD_BYTES : FIELD_NAME, &by, &top) < 0)
		return -e->code;
	if (cmd_has(line, OPT_SORT) || by != FIELD_NAME)
		usage_sort(u, by);
	if (top > 0)
		usage_top(u, top);
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
		gwstat_warn_csv(&u->uncertain);
		return 0;
	case GWSTAT_METRICS:
		usage_print_metrics(out->stream, u);
		return 0;
	default:
		return usage_print_text(e, out->stream, u, look);
	}
}

/* Is all shown as it comes, in a document that needs not be known before it is begun? */
static bool is_streamed(const struct cmd_line *line, const struct gwstat_out *out)
{
	return out->format == GWSTAT_JSON && !out->may_wait && line->n_args == 0 && !cmd_has(line, OPT_TOTAL) &&
	       !cmd_has(line, OPT_SORT) && !cmd_has(line, OPT_TOP);
}

static int run_show(struct err *e, struct gateway *g, const struct cmd_line *line, const struct gwstat_out *out)
{
	const struct usage_query query = { .names = line->args, .n_names = line->n_args,
					   .whole_ledger = cmd_has(line, OPT_TOTAL) && line->n_args == 0 };
	const struct usage_look look = { .rate = cmd_has(line, OPT_RATE), .total_only = cmd_has(line, OPT_TOTAL),
					 .exact = cmd_has(line, OPT_EXACT) };
	CLEANUP(usage_clear) struct usage u = { 0 };

	if (is_streamed(line, out))
		return usage_stream_json(e, g, out->stream, &look);
	if (usage_read(e, g, &query, &u) < 0 || arrange(e, line, &u) < 0)
		return -e->code;
	return print_usage(e, out, &u, &look);
}

static int run_watch(struct err *e, const struct config *c, const struct cmd_line *line)
{
	const struct usage_query query = { .names = line->args, .n_names = line->n_args };
	const char *seconds = cmd_get(line, OPT_WATCH, NULL);
	struct watch_options o = { 0 };
	uint64_t n = 1;

	if ((seconds && cmd_number(e, "the number of seconds", seconds, 1, WATCH_SECONDS_MAX, &n) < 0) ||
	    read_order(e, line, FIELD_BPS, &o.sort, &o.top) < 0)
		return -e->code;
	o.seconds = (unsigned)n;
	return usage_watch(e, c, &query, &o);
}

static int run_span(struct err *e, struct gateway *g, const struct cmd_line *line, int64_t now,
		    const struct gwstat_out *out)
{
	const struct usage_look look = { .total_only = cmd_has(line, OPT_TOTAL), .exact = cmd_has(line, OPT_EXACT) };
	CLEANUP(span_clear) struct span s = { 0 };
	struct period p = { 0, now };

	if (gwstat_period(e, line, now, &p) < 0)
		return -e->code;
	if (!cmd_has(line, OPT_UNTIL)) /* what came in while we were waiting, or before the clock was set back, too */
		p.until = INT64_MAX;
	if (span_read(e, g, line, &p, now, &s) < 0)
		return -e->code;
	if (out->format == GWSTAT_JSON)
		return span_print_json(e, out->stream, &s, &look);
	if (out->format == GWSTAT_TEXT)
		return span_print_text(e, out->stream, &s, &look);
	span_print_csv(out->stream, &s, &look);
	gwstat_warn_csv(&s.uncertain);
	return 0;
}

static int run_checkpoint(struct err *e, struct gateway *g, const struct cmd_line *line)
{
	int n = gateway_checkpoint(e, g);
	struct json *j;

	if (n < 0)
		return n;
	tool_warn_undone(GWSTAT_PROG, gateway_undone(g));
	if (!cmd_has(line, 'j'))
		return n;
	j = json_new(stdout);
	if (!j)
		return err_set(e, ENOMEM, "cannot write the output: out of memory");
	json_begin_object(j, NULL);
	json_int(j, "routes", n);
	json_end_object(j);
	json_free(j);
	return 0;
}

/* What does not make sense together, in either order. */
static const struct {
	int id;
	int others[12]; /* 0 ends */
} conflicts[] = {
	{ OPT_RATE, { OPT_TOTAL, OPT_CLOSED, OPT_PRUNE, OPT_REPORT, OPT_SINCE, OPT_UNTIL } },
	{ OPT_TOTAL, { OPT_CLOSED, OPT_PRUNE, OPT_REPORT, OPT_SORT, OPT_TOP } },
	{ OPT_CLOSED, { OPT_PRUNE, OPT_REPORT, OPT_SORT, OPT_TOP } },
	{ OPT_PRUNE, { OPT_REPORT, OPT_SINCE, OPT_UNTIL, OPT_EXACT, OPT_SORT, OPT_TOP, OPT_FORMAT, OPT_PUSH } },
	{ OPT_REPORT, { OPT_EXACT, OPT_SORT, OPT_FORMAT, 'j', OPT_OUTPUT, OPT_PUSH } },
	{ OPT_WATCH, { OPT_TOTAL, OPT_CLOSED, OPT_PRUNE, OPT_REPORT, OPT_SINCE, OPT_UNTIL, OPT_EXACT,
			OPT_FORMAT, 'j', OPT_OUTPUT, OPT_PUSH } },
	{ OPT_SINCE, { OPT_SORT } },
	{ OPT_UNTIL, { OPT_SORT } },
};

static const char *option_name(int id)
{
	for (const struct cmd_option *o = gwstat_table.options; o->id; o++)
		if (o->id == id)
			return o->name;
	return "";
}

static bool is_of_span(const struct cmd_line *line)
{
	return cmd_has(line, OPT_SINCE) || cmd_has(line, OPT_UNTIL);
}

static int check_views(struct err *e, const struct cmd_line *line)
{
	for (size_t i = 0; i < ARRAY_LEN(conflicts); i++)
		for (const int *other = conflicts[i].others; cmd_has(line, conflicts[i].id) && *other; other++)
			if (cmd_has(line, *other))
				return err_set(e, ERR_USAGE, "--%s and --%s do not go together; choose one",
					       option_name(conflicts[i].id), option_name(*other));
	if (is_of_span(line) && cmd_has(line, OPT_TOP) && !cmd_has(line, OPT_REPORT))
		return err_set(e, ERR_USAGE, "with --since and --until, --top is for --report; leave it out");
	if ((cmd_has(line, OPT_TOKEN_FILE) || cmd_has(line, OPT_CA_FILE)) && !cmd_has(line, OPT_PUSH))
		return err_set(e, ERR_USAGE, "--token-file and --ca-file are for --push; add it, or leave them out");
	return 0;
}

/* What is wrong with the line is said before anything is opened. */
static int check_line(struct err *e, const struct cmd_line *line)
{
	enum gwstat_field by;
	size_t top;

	return check_views(e, line) < 0 ? -e->code : read_order(e, line, FIELD_NAME, &by, &top);
}

static int check_metrics(struct err *e, const struct cmd_line *line)
{
	if (cmd_has(line, OPT_RATE) || cmd_has(line, OPT_CLOSED) || cmd_has(line, OPT_TOTAL) || is_of_span(line))
		return err_set(e, ERR_USAGE, "openmetrics has the totals of routes and containers up to now; "
					     "leave out --rate, --closed, --total, --since and --until");
	return 0;
}

/* Who looks at numbers must know that they stand still; the ledger's do not change. */
static int warn(struct err *e)
{
	bool counting;

	if (gateway_is_counting(e, &counting) < 0)
		return -e->code;
	if (!counting)
		fprintf(stderr, GWSTAT_PROG ": warning: the kernel does not count, all numbers stand still: "
					    "net.ipv4.vs.run_estimation is 0, or est_cpulist is empty; "
					    "run 'sonm-gw-setup --apply'\n");
	return 0;
}

static int show(struct err *e, struct gateway *g, const struct config *c, const struct cmd_line *line, int64_t now)
{
	CLEANUP(gwstat_out_clear) struct gwstat_out out = { 0 };
	int ret;

	if (gwstat_out_begin(e, c, line, &out) < 0 || (out.format == GWSTAT_METRICS && check_metrics(e, line) < 0) ||
	    (!cmd_has(line, OPT_CLOSED) && warn(e) < 0))
		return -e->code;
	if (cmd_has(line, OPT_CLOSED))
		ret = closed_show(e, g, line, now, &out);
	else
		ret = is_of_span(line) ? run_span(e, g, line, now, &out) : run_show(e, g, line, &out);
	return ret == 0 ? gwstat_out_end(e, &out) : ret;
}

static int run(struct err *e, const struct cmd_line *line)
{
	CLEANUP(gateway_closep) struct gateway *g = NULL;
	bool checkpoint = line->command->id == CMD_CHECKPOINT, prune = cmd_has(line, OPT_PRUNE);
	int64_t now = time(NULL);
	struct config c;

	if (check_line(e, line) < 0 || tool_config(e, line, &c) < 0)
		return -e->code;
	if (cmd_has(line, OPT_WATCH))
		return run_watch(e, &c, line);
	if (gateway_open(e, &c, checkpoint || prune ? STORE_UPDATE : STORE_READ, &g) < 0)
		return -e->code;
	if (checkpoint)
		return run_checkpoint(e, g, line);
	if (prune)
		return closed_prune(e, g, &c, line, now);
	if (cmd_has(line, OPT_REPORT))
		return warn(e) < 0 ? -e->code : report_write(e, g, &c, line, now);
	return show(e, g, &c, line, now);
}

/* Where a name is a container's, and commands are not, a command is easily taken for one. */
static void advise_name(struct err *e, const struct cmd_line *line)
{
	for (size_t i = 0; i < line->n_args; i++) {
		const char *name = line->args[i];

		for (const struct cmd_command *c = gwstat_table.commands; c->name; c++)
			if (strcmp(name, c->name) == 0)
				err_advise(e, "did you mean --%s?", name);
		for (const struct cmd_option *o = gwstat_table.options; o->id; o++)
			if (strcmp(name, o->name) == 0 && !o->hidden)
				err_advise(e, "did you mean --%s?", name);
		if (cmd_has(line, OPT_WATCH) && name[strspn(name, "0123456789")] == '\0')
			err_advise(e, "did you mean --watch=%s?", name);
	}
}

static const char *purpose(const struct cmd_line *line)
{
	if (line->command->id == CMD_CHECKPOINT)
		return "take a checkpoint";
	if (cmd_has(line, OPT_REPORT))
		return "draw the report";
	if (cmd_has(line, OPT_PUSH))
		return "push";
	return cmd_has(line, OPT_PRUNE) ? "prune" : "show";
}

int main(int argc, char **argv)
{
	CLEANUP(cmd_line_free) struct cmd_line line = { 0 };
	struct err e;
	int status = tool_start(&gwstat_table, argc, argv, &line);

	if (status >= 0)
		return status;
	if (run(&e, &line) < 0) {
		if (e.code == ERR_ABSENT)
			advise_name(&e, &line);
		err_wrap(&e, "cannot %s", purpose(&line));
		return tool_end(gwstat_table.prog, tool_fail(gwstat_table.prog, &e));
	}
	return tool_end(gwstat_table.prog, EXIT_DONE);
}
