/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tool: what the programs have in common: the line for an error, the exit
 * status, the options that every one takes.
 */
#ifndef SONM_TOOL_H
#define SONM_TOOL_H

#include "cmd.h"
#include "config.h"

/* Exit statuses; sonm-vs(8), sonm-stun(1). */
enum tool_exit {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_ABSENT = 3,
	EXIT_CONFLICT = 4,
	EXIT_POOL_FULL = 5,
	EXIT_DIFFERS = 6,
	EXIT_NOT_PERMITTED = 7,
	EXIT_NO_KERNEL = 8,
};

/* Option ids above the letters. */
enum {
	TOOL_OPT_VERSION = 256,
	TOOL_OPT_COMPLETE, /* --complete-words: for the shells' completions */
	TOOL_OPT_FIRST,    /* a program's own ids start here */
};

/* Rows of a program's option table: -c, -h, --version, --complete-words. */
#define TOOL_COMMON_OPTIONS                                                                       \
	{ 'c', 'c', "config", "FILE", "read FILE instead of " CONFIG_DEFAULT_PATH, false, false }, \
	{ 'h', 'h', "help", NULL, "show this help", false, false },                               \
	{ TOOL_OPT_VERSION, 0, "version", NULL, "show the version", false, false },               \
	{ TOOL_OPT_COMPLETE, 0, "complete-words", NULL, "list commands and options", false, true }

/* How many columns the terminal has that stdout is; 0: none, or not known. */
size_t tool_columns(void);

/* Prints "PROG: MESSAGE" and returns the exit status for the error's code. */
int tool_fail(const char *prog, const struct err *e);

/* "PROG: warning: WHY" on stderr, of gateway_undone's; NULL: nothing. Before the error, if the command has one, too. */
void tool_warn_undone(const char *prog, const char *why);

/*
 * Parses the command line and answers --help, --version and --complete-words.
 * Returns -1 when the program is to go on, else the exit status.
 */
int tool_start(const struct cmd_table *table, int argc, char **argv, struct cmd_line *line);

/* Reads the hub's configuration that -c names, or the default one if there is any. */
int tool_config(struct err *e, const struct cmd_line *line, struct config *out) MUST_CHECK;

/* The configuration file's path; only one that -c names *must_exist. */
const char *tool_config_path(const struct cmd_line *line, bool *must_exist);

/* When a file that somebody named could not be read: whose fault is it? Sets the code; returns -e->code. */
int tool_blame_file(struct err *e);

/* Is argument i the same as one before it? */
bool tool_is_repeated(const struct cmd_line *line, size_t i);

/* Is stdout a terminal that shows colours, and does nobody mind (NO_COLOR)? */
bool tool_wants_colour(void);

/* Flushes stdout: a failed write is a failure. Returns status, or EXIT_FAILED. */
int tool_end(const char *prog, int status);

#endif
