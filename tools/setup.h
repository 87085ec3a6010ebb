/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * setup: what the files of sonm-gw-setup share: how a step is shown, as a line,
 * as JSON and as a page, and the conversation about them. Only
 * tools/sonm-gw-setup.c and tools/setup_*.c include it.
 */
#ifndef SONM_SETUP_H
#define SONM_SETUP_H

#include "host.h"
#include "json.h"
#include "tool.h"

#define SETUP_PROG "sonm-gw-setup"

/* Commands. */
enum {
	SETUP_CHECK = 1,
	SETUP_APPLY,
	SETUP_UNDO,
	SETUP_EXPLAIN,
	SETUP_STEPS, /* for completion */
	SETUP_INTERACTIVE = 'i',
};

/* Options without a letter. */
enum { OPT_DRY_RUN = TOOL_OPT_FIRST, OPT_OPEN_FIREWALL, OPT_PERSIST };

/* The only list of both. */
extern const struct cmd_table setup_table;

/* Where text is written to. */
struct setup_look {
	FILE *out;
	size_t columns;
	bool wraps; /* it is a window of so many columns */
	bool colour;
};

/* What is to be done and how it is shown. */
struct setup {
	int command;
	bool dry_run;
	bool open_firewall;
	bool persist;
	char *config_path; /* absolute; NULL: the default */
	struct json *json; /* NULL: text */
	bool json_begun;   /* an early failure prints no document */
	struct setup_look look;
	bool failed;       /* a step did */
	struct config config;
};

/* What the command line asks of host; ctx is for report. */
struct host_options setup_options(const struct setup *s, host_report *report, void *ctx);

/* For who changes nothing; NULL if this user may not read the state file: much can be said without. */
int setup_open_to_look(struct err *e, const struct setup *s, struct store **out) MUST_CHECK;

/* --- as lines (setup_view.c) --- */

/* stdout: the terminal's width, at most 100 columns; 80 when it is none. */
struct setup_look setup_look_at_stdout(void);

/* "ok", "cannot tell" */
const char *setup_status_text(enum step_status status);

/* A word in the colour of this status. */
void setup_put_status(const struct setup_look *l, enum step_status status, const char *word, int width);

/* A step as it is, but for what a terminal obeys: others may have written what was found. */
struct step_report setup_clean_step(const struct step_report *r);

/* What a step is, and what became of it. */
void setup_print_step(const struct setup *s, const struct step_report *r);

/* --- as JSON (setup_json.c) --- */

/* Opens the document, once. */
void setup_begin_json(struct setup *s);

void setup_write_step(struct setup *s, const struct step_report *r);

/* --- as a page (setup_explain.c) --- */

/* All that there is to say about a step; in brief: what is to be done and why. */
void setup_explain_step(const struct setup_look *l, const struct step_report *r, bool brief);

/* The page, or with JSON the document, of the steps that the arguments name; of all without. */
int setup_explain(struct err *e, struct setup *s, const struct cmd_line *line) MUST_CHECK;

/* Prints the words of the steps' names, a line each. */
int setup_print_words(struct err *e, const struct setup *s) MUST_CHECK;

/* --- which steps (setup_select.c) --- */

/*
 * Marks the steps that the arguments name: each by its name ("snat ipv4", in
 * one argument or two), by the words that it begins with ("snat"), or by what
 * follows its last point ("ip_forward"). -EINVAL: there is none like that.
 */
int setup_select(struct err *e, const char *const names[], size_t n_names, const char *const args[], size_t n_args,
		 bool marks[]) MUST_CHECK;

/* --- the conversation (setup_ask.c) --- */

enum setup_answer {
	SETUP_ANSWER_APPLY,
	SETUP_ANSWER_SKIP,
	SETUP_ANSWER_EXPLAIN,
	SETUP_ANSWER_ALL,
	SETUP_ANSWER_QUIT,
	SETUP_ANSWER_HELP,
	SETUP_ANSWER_NONE, /* not one of these */
};

/* A line that was typed: a word, or its first letter where that is enough. Blanks around it do not matter. */
enum setup_answer setup_answer_of(const char *line);

/* The word that was meant; NULL: none is near. */
const char *setup_answer_meant(const char *line);

/* host_apply, asking before each change. -EINVAL: there is no terminal to ask at. */
int setup_interactive(struct err *e, struct setup *s, struct store *store) MUST_CHECK;

/* Can somebody be asked? */
int setup_need_terminal(struct err *e, const struct setup *s) MUST_CHECK;

#endif
