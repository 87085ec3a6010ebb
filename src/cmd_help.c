/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd.h"

#include <string.h>

#define LINE_WIDTH 79
#define HELP_INDENT 26 /* where an option's explanation stands */

/* Text that is broken into lines between words; lines after the first begin at indent. */
struct wrap {
	FILE *out;
	size_t column, indent;
	bool in_line; /* a word stands before the next one */
};

/* The length of the next piece that is better not torn: a word or a group in brackets. */
static size_t piece_length(const char *text, size_t max)
{
	size_t len = 0;

	for (int depth = 0; text[len] && (text[len] != ' ' || depth > 0); len++) {
		if (text[len] == '(' || text[len] == '[')
			depth++;
		else if (text[len] == ')' || text[len] == ']')
			depth--;
	}
	return len <= max ? len : strcspn(text, " ");
}

static void wrap_put(struct wrap *w, const char *text)
{
	for (size_t len; *(text += strspn(text, " ")); text += len) {
		len = piece_length(text, LINE_WIDTH - w->indent);
		if (w->in_line && w->column + 1 + len > LINE_WIDTH) {
			fprintf(w->out, "\n%*s", (int)w->indent, "");
			w->column = w->indent;
			w->in_line = false;
		}
		fprintf(w->out, "%s%.*s", w->in_line ? " " : "", (int)len, text);
		w->column += w->in_line + len;
		w->in_line = true;
	}
}

/* "  sonm-vs -A|--add CONTAINER ..."; the default command's name is in brackets: it can be left out. */
static void put_usage(const struct cmd_table *table, const struct cmd_command *c, FILE *out)
{
	struct wrap w = { .out = out, .column = 2, .indent = 10 };
	bool optional = c->id == table->default_command;
	char letter[] = { '-', c->letter, '|', '\0' }, name[64];

	fputs("  ", out);
	wrap_put(&w, table->prog);
	if (c->name) {
		snprintf(name, sizeof(name), "%s%s--%s%s", optional ? "[" : "", c->letter ? letter : "",
			 c->name, optional ? "]" : "");
		wrap_put(&w, name);
	}
	wrap_put(&w, c->synopsis);
	fputc('\n', out);
}

/* "  -w, --weight WEIGHT      the share of ..."; "      --report[=URL]". */
static void put_item(FILE *out, char letter, const char *name, const char *arg, const char *help)
{
	struct wrap w = { .out = out, .column = HELP_INDENT, .indent = HELP_INDENT };
	char left[64];
	int len;

	len = snprintf(left, sizeof(left), "  %c%c%s%s%s%s%s", letter ? '-' : ' ', letter ? letter : ' ',
		       !name ? "" : letter ? ", " : "  ", name ? "--" : "", name ? name : "",
		       arg && arg[0] != '[' ? " " : "", arg ? arg : "");
	if (len > HELP_INDENT - 2)
		fprintf(out, "%s\n%*s", left, HELP_INDENT, "");
	else
		fprintf(out, "%-*s", HELP_INDENT, left);
	wrap_put(&w, help);
	fputc('\n', out);
}

static void put_commands(const struct cmd_table *table, FILE *out)
{
	fprintf(out, "\nCommands%s:\n", table->options_only ? "" : ", also as a first word without dashes");
	for (const struct cmd_command *c = table->commands; c->name; c++)
		if (c->help)
			put_item(out, c->letter, c->name, NULL, c->help);
}

void cmd_help(const struct cmd_table *table, FILE *out)
{
	struct wrap w = { .out = out };

	wrap_put(&w, table->prog);
	wrap_put(&w, "-");
	wrap_put(&w, table->summary);
	fputs("\n\nUsage:\n", out);
	for (const struct cmd_command *c = table->commands; c->name; c++)
		if (c->help)
			put_usage(table, c, out);
	if (table->commands->name)
		put_commands(table, out);
	else
		put_usage(table, table->commands, out);
	fputs("\nOptions:\n", out);
	for (const struct cmd_option *o = table->options; o->id; o++)
		if (!o->hidden)
			put_item(out, o->letter, o->name, o->arg, o->help);
	fprintf(out, "\nSee %s(%s).\n", table->prog, table->section);
}

void cmd_help_command(const struct cmd_table *table, const struct cmd_command *command, FILE *out)
{
	struct wrap w = { .out = out, .column = 6, .indent = 6 };

	put_usage(table, command, out);
	fputs("      ", out);
	wrap_put(&w, command->help);
	fputc('\n', out);
	for (const struct cmd_option *o = table->options; o->id; o++) {
		const int *id = command->options;

		while (id && *id && *id != o->id)
			id++;
		if (id && *id && !o->hidden)
			put_item(out, o->letter, o->name, o->arg, o->help);
	}
}

void cmd_words(const struct cmd_table *table, FILE *out)
{
	for (const struct cmd_command *c = table->commands; c->name && !table->options_only; c++)
		if (c->help)
			fprintf(out, "%s\t%s\n", c->name, c->help);
	for (const struct cmd_command *c = table->commands; c->name; c++)
		if (c->help)
			fprintf(out, "--%s\t%s\n", c->name, c->help);
	for (const struct cmd_option *o = table->options; o->id; o++) {
		if (o->hidden)
			continue;
		if (o->name)
			fprintf(out, "--%s\t%s\n", o->name, o->help);
		else
			fprintf(out, "-%c\t%s\n", o->letter, o->help);
	}
}
