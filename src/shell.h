/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * shell: asks for lines at a terminal, with editing, history and completion.
 * The only module that knows readline, and loads it when it is needed: who does
 * not ask for lines does not pay for it. Knows no command.
 */
#ifndef SONM_SHELL_H
#define SONM_SHELL_H

#include "err.h"

#include <stdio.h>

/*
 * What can stand at the place of the last word. words: those before it. Calls
 * add for every candidate; what does not begin as the last word does is
 * dropped. True: if nothing is left, a file's name is meant.
 */
typedef bool shell_complete(void *ctx, const char *const words[], size_t n_words,
			    void (*add)(void *to, const char *candidate), void *to);

struct shell_options {
	FILE *in, *out;       /* the terminal */
	const char *prompt;
	bool colour;          /* of the prompt */
	const char *history;  /* file, made 0600; NULL: none. See shell_history.h */
	shell_complete *complete; /* NULL: none */
	void *ctx;
};

struct shell;

/* -ENOSYS: readline is not installed. One shell at a time. Copies what it needs of the options. */
int shell_open(struct err *e, const struct shell_options *o, struct shell **out) MUST_CHECK;

/*
 * 1 and a line (malloc'ed, without newline), 0 at the end of the input, 2 when
 * ^C was typed: no line. Of several lines that were pasted at once, one at a
 * time. A line that is not blank and not the one before goes into the history.
 */
int shell_line(struct err *e, struct shell *s, char **out) MUST_CHECK;

void shell_close(struct shell *s); /* shortens the history; NULL is fine */
void shell_closep(struct shell **s); /* a CLEANUP function */

#endif
