/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd.h"

#include <string.h>

#define LINE_WIDTH 79
#define LINE_WIDTH_MIN 20
#define HELP_INDENT 26        /* where an option's explanation stands */
#define HELP_INDENT_NARROW 10 /* and where in a narrow window, in a line of its own */
#define NARROW 60

/* Text that is broken into lines between words; lines after the first begin at indent. */
struct wrap {
	FILE *out;
	size_t width, column, indent;
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
		len = piece_length(text, w->width - w->indent);
		if (w->in_line && w->column + 1 + len > w->width) {
			fprintf(w->out, "\n%*s", (int)w->indent, "");
			w->column = w->indent;
			w->in_line = false;
		}
		fprintf(w->out, "%s%.*s", w->in_line ? " " : "", (int)len, text);
		w->column += w->in_line + len;
		w->in_line = true;
	}
}

static size_t line_width(size_t width)
{
	if (width == 0 || width > LINE_WIDTH)
		return LINE_WIDTH;
	return width <= LINE_WIDTH_MIN ? LINE_WIDTH_MIN : width - 1;
}

/* "  sonm-vs -A|--add CONTAINER ..."; the default command's name is in brackets: it can be left out. */
static void put_usage(const struct cmd_table *table, const struct cmd_command *c, size_t width, FILE *out)
{
	struct wrap w = { .out = out, .width = width, .column = 2, .indent = width < NARROW ? 4 : 10 };
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
static void put_item(FILE *out, size_t width, char letter, const char *name, const char *arg, const char *help)
{
	const size_t indent = width < NARROW ? HELP_INDENT_NARROW : HELP_INDENT;
	struct wrap w = { .out = out, .width = width, .column = indent, .indent = indent };
	char left[64];
	int len;

	len = snprintf(left, sizeof(left), "  %c%c%s%s%s%s%s", letter ? '-' : ' ', letter ? letter : ' ',
		       !name ? "" : letter ? ", " : "  ", name ? "--" : "", name ? name : "",
		       arg && arg[0] != '[' ? " " : "", arg ? arg : "");
	if (len > (int)indent - 2)
		fprintf(out, "%s\n%*s", left, (int)indent, "");
	else
		fprintf(out, "%-*s", (int)indent, left);
	wrap_put(&w, help);
	fputc('\n', out);
}

static void put_commands(const struct cmd_table *table, size_t width, FILE *out)
{
	struct wrap w = { .out = out, .width = width };

	fputc('\n', out);
	wrap_put(&w, table->options_only ? "Commands:" : "Commands, also as a first word without dashes:");
	fputc('\n', out);
	for (const struct cmd_command *c = table->commands; c->name; c++)
		if (c->help)
			put_item(out, width, c->letter, c->name, NULL, c->help);
}

void cmd_help(const struct cmd_table *table, size_t columns, FILE *out)
{
	const size_t width = line_width(columns);
	struct wrap w = { .out = out, .width = width };

	wrap_put(&w, table->prog);
	wrap_put(&w, "-");
	wrap_put(&w, table->summary);
	fputs("\n\nUsage:\n", out);
	for (const struct cmd_command *c = table->commands; c->name; c++)
		if (c->help)
			put_usage(table, c, width, out);
	if (table->commands->name)
		put_commands(table, width, out);
	else
		put_usage(table, table->commands, width, out);
	fputs("\nOptions:\n", out);
	for (const struct cmd_option *o = table->options; o->id; o++)
		if (!o->hidden)
			put_item(out, width, o->letter, o->name, o->arg, o->help);
	fprintf(out, "\nSee %s(%s).\n", table->prog, table->section);
}

void cmd_help_command(const struct cmd_table *table, const struct cmd_command *command, size_t columns, FILE *out)
{
	const size_t width = line_width(columns);
	struct wrap w = { .out = out, .width = width, .column = 6, .indent = 6 };

	put_usage(table, command, width, out);
	fputs("      ", out);
	wrap_put(&w, command->help);
	fputc('\n', out);
	for (const struct cmd_option *o = table->options; o->id; o++) {
		const int *id = command->options;

		while (id && *id && *id != o->id)
			id++;
		if (id && *id && !o->hidden)
			put_item(out, width, o->letter, o->name, o->arg, o->help);
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

/* "-A" or "--add"; of a first word: "add". */
static bool is_name(const struct cmd_command *c, const char *word, bool first)
{
	if (word[0] != '-')
		return first && strcmp(word, c->name) == 0;
	if (word[1] == '-')
		return strcmp(word + 2, c->name) == 0;
	return c->letter && word[1] == c->letter && word[2] == '\0';
}

const struct cmd_command *cmd_named(const struct cmd_table *table, int argc, char *const argv[])
{
	for (int i = 1; i < argc && !table->options_only && strcmp(argv[i], "--") != 0; i++)
		for (const struct cmd_command *c = table->commands; c->name; c++)
			if (c->help && is_name(c, argv[i], i == 1))
				return c;
	return NULL;
}
