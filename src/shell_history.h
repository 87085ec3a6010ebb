/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * shell_history: lines that were typed, in a file. Knows no readline.
 *
 * The file is its owner's alone (0600), and used only if it is a regular file
 * of ours with one name: never through a symbolic link, and no link to another
 * file of ours. Nobody is told that it cannot be used: it is a convenience.
 *
 * A line is written as soon as it is typed, so that none is lost when the
 * process is killed, and several shells do not overwrite one another's.
 */
#ifndef SONM_SHELL_HISTORY_H
#define SONM_SHELL_HISTORY_H

#include "base.h"

#define SHELL_HISTORY_LINES 1000
#define SHELL_HISTORY_LINE_MAX 4096 /* bytes; a longer one is not kept */

/* Calls each with the last lines of the file, the oldest first. */
void shell_history_read(const char *path, void (*each)(void *ctx, const char *line), void *ctx);

/* Adds a line without a newline in it. */
void shell_history_add(const char *path, const char *line);

/* Leaves the last SHELL_HISTORY_LINES. A crash leaves the file as it was. */
void shell_history_shorten(const char *path);

#endif
