/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * program: runs another program and collects what it says: by absolute path,
 * without a shell, with a clean environment, closed descriptors, and signals as
 * they are by default; an ignored SIGHUP, SIGINT or SIGQUIT stays ignored.
 */
#ifndef SONM_PROGRAM_H
#define SONM_PROGRAM_H

#include "err.h"

#define PROGRAM_OUTPUT_MAX (4U << 20) /* bytes of stdout, and of stderr; more is -EFBIG */
#define PROGRAM_PATH_MAX 256

struct program_result {
	int status;   /* exit status; 128 + signal when killed */
	char *out;    /* stdout, NUL-terminated; owned */
	char *errors; /* stderr, NUL-terminated, or which signal has killed it in silence; owned */
};

/* Finds name in /usr/sbin, /usr/bin, /sbin, /bin (not $PATH). -ENOENT. */
int program_find(struct err *e, const char *name, char path[static PROGRAM_PATH_MAX]) MUST_CHECK;

/* argv[0] is the absolute path; NULL ends. Returns 0 whatever the exit status is. */
int program_run(struct err *e, const char *const argv[], struct program_result *out) MUST_CHECK;

void program_result_clear(struct program_result *r); /* also a CLEANUP function */

#endif
