/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vs_shell: what the files of the interactive command share. Lines are read in
 * vs_shell.c, from a terminal or a pipe; here is what one can ask about them.
 * Only tools/vs_*.c include it.
 */
#ifndef SONM_VS_SHELL_H
#define SONM_VS_SHELL_H

#include "vs.h"

/* The command that a word names: "add", "-A" or "--add"; NULL: none. */
const struct cmd_command *vs_find_command(const char *word);

/* May it be given at the prompt? Not what only completion asks for, nor -i itself. */
bool vs_is_for_prompt(const struct cmd_command *command);

/* A shell_complete (shell.h) for lines of sonm-vs. ctx: a const struct config. */
bool vs_complete(void *ctx, const char *const words[], size_t n_words,
		 void (*add)(void *to, const char *candidate), void *to);

#endif
