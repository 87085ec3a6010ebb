/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tool.h"

#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>

static int exit_status(int code)
{
	switch (code) {
	case ERR_USAGE:
		return EXIT_USAGE;
	case ERR_ABSENT:
		return EXIT_ABSENT;
	case ERR_CONFLICT:
		return EXIT_CONFLICT;
	case ERR_POOL_FULL:
		return EXIT_POOL_FULL;
	case EPERM:
	case EACCES:
		return EXIT_NOT_PERMITTED;
	case ERR_NO_KERNEL:
		return EXIT_NO_KERNEL;
	default:
		return EXIT_FAILED;
	}
}

int tool_fail(const char *prog, const struct err *e)
{
	fflush(stdout);
	fprintf(stderr, "%s: %s\n", prog, e->msg);
	return exit_status(e->code);
}

void tool_warn_undone(const char *prog, const char *why)
{
	if (why)
		fprintf(stderr, "%s: warning: %s\n", prog, why);
}

/* --help and --version win over whatever else is wrong with the line. */
static bool asks_for(int argc, char **argv, char letter, const char *name)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strncmp(argv[i], "--", 2) == 0 ? strcmp(argv[i] + 2, name) == 0
						   : letter && argv[i][0] == '-' && argv[i][1] == letter &&
							     argv[i][2] == '\0')
			return true;
	}
	return false;
}

struct questions {
	bool help, version, words;
};

/*
 * Who has been given rights that his caller does not have (setcap, setuid) takes nothing from him that names
 * files, hosts or libraries: readline's INPUTRC, HOME, a proxy. What the terminal is called is harmless.
 */
static void forget_environment(void)
{
	CLEANUP_FREE char *term = NULL;
	const char *given = getenv("TERM");

	if (!getauxval(AT_SECURE))
		return;
	term = given ? strdup(given) : NULL;
	clearenv();
	if (term)
		setenv("TERM", term, 1);
}

/* Nothing else may get the number of a stream: what is meant for stderr would go into the state file. */
static void fill_standard_streams(void)
{
	/* Writing to it fails, as to a closed one. The lowest number that is free is the one that is closed. */
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
			_exit(EXIT_FAILED);
}

size_t tool_columns(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* Of the command that the line names, if it does, or the whole. */
static void help(const struct cmd_table *table, int argc, char **argv)
{
	const struct cmd_command *command = cmd_named(table, argc, argv);

	if (!command) {
		cmd_help(table, tool_columns(), stdout);
		return;
	}
	cmd_help_command(table, command, tool_columns(), stdout);
	printf("\nSee '%s --help' for all options, and %s(%s).\n", table->prog, table->prog, table->section);
}

/* The exit status if it is one of these questions, else -1. */
static int answer(const struct cmd_table *table, int argc, char **argv, const struct questions *asked)
{
	if (asked->help)
		help(table, argc, argv);
	else if (asked->version)
		printf("%s (%s) %s\n", table->prog, PACKAGE_NAME, PACKAGE_VERSION);
	else if (asked->words)
		cmd_words(table, stdout);
	else
		return -1;
	return tool_end(table->prog, EXIT_DONE);
}

int tool_start(const struct cmd_table *table, int argc, char **argv, struct cmd_line *line)
{
	struct err e;
	int status;

	fill_standard_streams();
	forget_environment();
	status = answer(table, argc, argv,
			&(struct questions){ asks_for(argc, argv, 'h', "help"), asks_for(argc, argv, 0, "version"),
					     asks_for(argc, argv, 0, "complete-words") });
	if (status >= 0)
		return status;
	if (cmd_parse(&e, table, argc, argv, line) < 0)
		return tool_fail(table->prog, &e);
	/* Grouped with others, or shortened. */
	return answer(table, argc, argv,
		      &(struct questions){ cmd_has(line, 'h'), cmd_has(line, TOOL_OPT_VERSION),
					   cmd_has(line, TOOL_OPT_COMPLETE) });
}

int tool_config(struct err *e, const struct cmd_line *line, struct config *out)
{
	bool must_exist;
	const char *path = tool_config_path(line, &must_exist);

	return config_load(e, path, must_exist, out) < 0 ? tool_blame_file(e) : 0;
}

const char *tool_config_path(const struct cmd_line *line, bool *must_exist)
{
	*must_exist = cmd_has(line, 'c');
	return cmd_get(line, 'c', CONFIG_DEFAULT_PATH);
}

int tool_blame_file(struct err *e)
{
	int code = e->code;

	if (code == ENOENT || code == ENOTDIR || code == EISDIR || code == EFBIG)
		e->code = ERR_USAGE; /* the wrong file was named, the system did not fail */
	return -e->code;
}

bool tool_is_repeated(const struct cmd_line *line, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(line->args[k], line->args[i]) == 0)
			return true;
	return false;
}

bool tool_wants_colour(void)
{
	const char *term = getenv("TERM"), *unwanted = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0 && (!unwanted || !*unwanted);
}

int tool_end(const char *prog, int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "%s: cannot write the output: %s\n", prog, strerror(errno));
	return EXIT_FAILED;
}
