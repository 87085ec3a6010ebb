/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd: a program's commands and options as one table, and everything that is
 * read from it: parsing, --help, the words for completion. Knows no domain;
 * prints only to streams that it is given; never exits.
 *
 * A command can be given as an option (-A, --add), anywhere in the line, or,
 * when no option names one, as the first word that is not an option (add; not
 * behind "--"). Without one the default command is meant, if the table has one.
 * A program that does one thing has no commands, only options.
 */
#ifndef SONM_CMD_H
#define SONM_CMD_H

#include "err.h"

#include <stdio.h>

struct cmd_option {
	int id;            /* unique and > 0; the letter itself where there is one, else >= 256 */
	char letter;       /* 0: no short form */
	const char *name;  /* long name, without dashes; NULL: none */
	const char *arg;   /* the argument's name in capitals; NULL: takes none; "[=URL]": may be left out */
	const char *help;  /* one line */
	bool many;         /* may be given more than once */
	bool hidden;       /* not in --help (what only completion asks for) */
};

struct cmd_command {
	int id;            /* unique and > 0 */
	char letter;       /* 0: no short form */
	const char *name;  /* the word, and --name */
	const char *synopsis; /* what follows: "CONTAINER (-t|-u) CPORT=ADDR:PORT..." or "" */
	const char *help;  /* one line; NULL: not in --help (what only completion asks for) */
	int min_args, max_args; /* positional arguments; max -1: any number */
	const int *options;     /* ids of the options that it takes, 0 ends; NULL: none but the common */
};

struct cmd_table {
	const char *prog;     /* "sonm-vs" */
	const char *summary;  /* one line for --help */
	const char *section;  /* "8": for "see sonm-vs(8)" */
	const struct cmd_command *commands; /* name NULL ends; if it is the first: what a program without takes */
	const struct cmd_option *options;   /* id 0 ends */
	const int *common;    /* ids of the options that every command takes, 0 ends */
	int default_command;  /* id; 0: a command is required */
	bool options_only;    /* a first word is an argument, whatever it is; commands are --name only */
};

struct cmd_value {
	int id;            /* the option */
	const char *value; /* points into argv; NULL: takes none, or it was left out */
};

struct cmd_line {
	const struct cmd_command *command;
	struct cmd_value *values; /* in the order given */
	size_t n_values;
	const char **args;        /* positional; point into argv */
	size_t n_args;
};

/*
 * Parses argv (argv[0] is skipped) without changing it. Options and arguments
 * may mix; "--" ends the options; long names may be shortened while unique. An
 * argument that may be left out is one only in the same word: --report=URL.
 * -EINVAL with a line that names the wrong word and suggests the nearest
 * ("did you mean --list?") when: unknown option, option not for this command,
 * argument missing or superfluous, given twice without many, no command, two
 * commands, too few or too many positional arguments. The caller frees with
 * cmd_line_free.
 */
int cmd_parse(struct err *e, const struct cmd_table *table, int argc, char *const argv[],
	      struct cmd_line *out) MUST_CHECK;
void cmd_line_free(struct cmd_line *line); /* also a CLEANUP function */

/* Was the option given? */
bool cmd_has(const struct cmd_line *line, int id);

/* How often? */
size_t cmd_count(const struct cmd_line *line, int id);

/* Its last value, or fallback when it was not given. */
const char *cmd_get(const struct cmd_line *line, int id, const char *fallback);

/*
 * Whole help: usage lines, commands, options, "See PROG(SECTION)". width: how many
 * columns the reader has; 0, or more than the 79 that are used: 79.
 */
void cmd_help(const struct cmd_table *table, size_t width, FILE *out);

/* The help of one of its commands: usage, what it does, its options. */
void cmd_help_command(const struct cmd_table *table, const struct cmd_command *command, size_t width, FILE *out);

/*
 * The command that a line names, whatever else is right or wrong with it; for help.
 * NULL: none that can be told, or the program's commands are not for the user to choose.
 */
const struct cmd_command *cmd_named(const struct cmd_table *table, int argc, char *const argv[]);

/*
 * The candidates for completion, one a line: "word<TAB>help": the commands'
 * words, the commands as --options, the options; what is hidden is not among them.
 */
void cmd_words(const struct cmd_table *table, FILE *out);

/* A whole number min..max in decimal and nothing else. -EINVAL names what: "weight". */
int cmd_number(struct err *e, const char *what, const char *text, uint64_t min, uint64_t max,
	       uint64_t *out) MUST_CHECK;

#endif
