/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The interactive command: the same commands at a prompt, or from a pipe or
 * file, where the first that fails ends it.
 */
#include "vs_shell.h"

#include "shell.h"
#include "words.h"

#include <stdio_ext.h>
#include <string.h>

#define PROMPT "sonm-vs> "
#define HISTORY ".sonm_vs_history" /* at home */
#define SCRIPT_LINE_MAX (64 << 10) /* bytes */

struct session {
	const struct config *config;
	bool over;    /* it was told to end, or cannot go on */
	bool is_lost; /* what is printed arrives nowhere */
};

/* --- Running a line -------------------------------------------------------------- */

static int help(struct err *e, const char *word)
{
	const struct cmd_command *command = word ? vs_find_command(word) : NULL;

	if (command) {
		cmd_help_command(&vs_table, command, tool_columns(), stdout);
		return EXIT_DONE;
	}
	if (word)
		return err_set(e, ERR_USAGE, "'%.60s' is not a command; see 'help'", word);
	for (const struct cmd_command *c = vs_table.commands; c->name; c++)
		if (vs_is_for_prompt(c))
			printf("%-15s %s\n", c->name, c->help);
	printf("%-15s this list; with a command's name, its usage and options\n"
	       "%-15s leave, as ^D does\n", "help", "quit");
	return EXIT_DONE;
}

/* The word that asks for help, wherever it stands: what else is wrong with the line does not matter. */
static bool asks_for_help(const struct words *w)
{
	for (size_t i = 0; i < w->n && strcmp(w->items[i], "--") != 0; i++)
		if (strcmp(w->items[i], "--help") == 0 || strcmp(w->items[i], "-h") == 0)
			return true;
	return false;
}

/* Whoever would read standard input would read the commands. */
static bool reads_standard_input(const struct cmd_line *line)
{
	bool named = line->n_args > 0;

	for (size_t i = 0; i < line->n_args; i++)
		if (strcmp(line->args[i], "-") == 0)
			return true;
	for (size_t i = 0; i < line->n_values; i++)
		if (line->values[i].value && strcmp(line->values[i].value, "-") == 0)
			return true;
	return line->command->id == 'R' && !named;
}

static int check_line(struct err *e, const struct cmd_line *line)
{
	if (!vs_is_for_prompt(line->command))
		return err_set(e, ERR_USAGE, "--%s cannot be given here; see 'help'", line->command->name);
	for (const int *id = vs_table.common; *id; id++)
		if (*id != 'h' && cmd_has(line, *id))
			return err_set(e, ERR_USAGE, "%s is for the start of %s, together with -i, and not for "
				       "one of its lines", *id == 'c' ? "-c" : "this option", vs_table.prog);
	if (reads_standard_input(line))
		return err_set(e, ERR_USAGE, "standard input is where the commands come from; name a file");
	return 0;
}

static int run_command(struct err *e, const struct config *c, const struct words *w)
{
	CLEANUP(cmd_line_free) struct cmd_line line = { 0 };
	CLEANUP_FREE const char **argv = calloc(w->n + 2, sizeof(*argv));

	if (!argv)
		return err_set(e, ENOMEM, "out of memory");
	argv[0] = vs_table.prog;
	memcpy(argv + 1, w->items, w->n * sizeof(*argv));
	if (cmd_parse(e, &vs_table, (int)w->n + 1, (char *const *)argv, &line) < 0 || check_line(e, &line) < 0)
		return -e->code;
	if (cmd_has(&line, 'h'))
		return help(e, line.command->name);
	return vs_run(e, c, &line);
}

static int run_words(struct err *e, struct session *s, const struct words *w)
{
	const char *first = w->items[0];

	if (strcmp(first, "help") == 0)
		return help(e, w->n > 1 ? w->items[1] : NULL);
	if (asks_for_help(w))
		return help(e, vs_find_command(first) ? first : NULL);
	if (strcmp(first, "quit") != 0 && strcmp(first, "exit") != 0)
		return run_command(e, s->config, w);
	s->over = true;
	return EXIT_DONE;
}

/* What a command prints is seen before the next is read; when nobody sees it, none is run. */
static int flush(struct err *e, struct session *s, int status)
{
	int code;

	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	code = errno;
	__fpurge(stdout); /* it is told here, and once */
	clearerr(stdout);
	s->over = s->is_lost = true;
	return err_sys(e, code, "cannot write the output");
}

/* A negative errno, or an exit status. */
static int run_line(struct err *e, struct session *s, const char *text)
{
	CLEANUP(words_clear) struct words w = { 0 };

	if (words_split(e, text, &w) < 0)
		return -e->code;
	/* So that a line of another shell's can be given as it is. */
	while (w.n > 0 && strcmp(w.items[0], vs_table.prog) == 0)
		memmove(w.items, w.items + 1, w.n-- * sizeof(*w.items));
	return w.n == 0 ? EXIT_DONE : flush(e, s, run_words(e, s, &w));
}

/* --- At a terminal --------------------------------------------------------------- */

static void complain(const struct err *e, bool colour)
{
	bool red = colour && isatty(STDERR_FILENO);

	fprintf(stderr, "%s%s:%s %s\n", red ? "\033[1;31m" : "", vs_table.prog, red ? "\033[0m" : "", e->msg);
}

/* "" if there is no home. */
static const char *history_path(char buf[static 4096])
{
	const char *home = getenv("HOME");
	int len = home && home[0] == '/' ? snprintf(buf, 4096, "%s/" HISTORY, home) : -1;

	if (len < 0 || len >= 4096)
		buf[0] = '\0';
	return buf;
}

static int from_terminal(struct err *e, struct session *s)
{
	CLEANUP(shell_closep) struct shell *shell = NULL;
	char history[4096];
	struct shell_options o = {
		.in = stdin, .out = isatty(STDOUT_FILENO) ? stdout : stderr,
		.prompt = PROMPT, .colour = tool_wants_colour(),
		.history = *history_path(history) ? history : NULL,
		.complete = vs_complete, .ctx = (void *)s->config,
	};
	int ret = shell_open(e, &o, &shell);

	while (ret >= 0 && !s->over) {
		CLEANUP_FREE char *text = NULL;

		ret = shell_line(e, shell, &text);
		if (ret == 0)
			break;
		if (ret == 1 && run_line(e, s, text) < 0)
			complain(e, o.colour);
	}
	return ret < 0 ? ret : s->is_lost ? EXIT_FAILED : EXIT_DONE;
}

/* --- From a pipe or file --------------------------------------------------------- */

/* 1: a line, of at most SCRIPT_LINE_MAX bytes; 0: the end. */
static int read_line(struct err *e, FILE *in, char line[static SCRIPT_LINE_MAX + 1])
{
	size_t len = 0;
	int c;

	while ((c = getc(in)) != EOF && c != '\n') {
		if (c == '\0')
			return err_set(e, ERR_USAGE, "a NUL byte: this is no text");
		if (len == SCRIPT_LINE_MAX)
			return err_set(e, ERR_USAGE, "longer than %d bytes; write several lines",
				       SCRIPT_LINE_MAX);
		line[len++] = (char)c;
	}
	if (ferror(in))
		return err_sys(e, errno, "cannot read the commands");
	line[len] = '\0';
	return c != EOF || len > 0;
}

static int from_script(struct err *e, struct session *s)
{
	CLEANUP_FREE char *text = malloc(SCRIPT_LINE_MAX + 1);
	int status = text ? EXIT_DONE : err_set(e, ENOMEM, "out of memory");

	for (size_t n = 1; status == EXIT_DONE && !s->over; n++) {
		int ret = read_line(e, stdin, text);

		if (ret == 0)
			break;
		status = ret < 0 ? ret : run_line(e, s, text);
		if (status < 0)
			return err_wrap(e, "line %zu", n);
		if (status > 0)
			fprintf(stderr, "%s: line %zu: ended with exit status %d; what follows it is not run\n",
				vs_table.prog, n, status);
	}
	return status;
}

int vs_shell(struct err *e, const struct config *c, const struct cmd_line *line)
{
	struct session s = { .config = c };

	(void)line;
	return isatty(STDIN_FILENO) ? from_terminal(e, &s) : from_script(e, &s);
}
