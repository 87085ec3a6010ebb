/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * err: an error that the caller owns: an errno and one line for a person.
 * Knows nothing of streams, exit statuses or any library.
 *
 * A function that can fail takes a struct err first and returns 0 (or a
 * non-negative result) or a negative errno that equals -err->code. Its out
 * parameters are written on success only.
 */
#ifndef SONM_ERR_H
#define SONM_ERR_H

#include "base.h"

#include <errno.h>

/*
 * Codes with a meaning of their own; tools map them to exit statuses. Every
 * other errno says that the system refused or failed.
 */
#define ERR_USAGE EINVAL            /* usage or configuration is wrong */
#define ERR_ABSENT ESRCH            /* no such container, worker or service */
#define ERR_CONFLICT EEXIST         /* taken, or already there and different */
#define ERR_POOL_FULL EADDRNOTAVAIL /* no port is free */
#define ERR_NO_KERNEL EPROTONOSUPPORT /* IPVS or another kernel part is missing */
/* EPERM and EACCES: not permitted. */

struct err {
	int code; /* a positive errno; 0: no error */
	char msg[1024]; /* one line, no newline, no trailing full stop */
};

/* Sets code and message. Control characters, and what is no UTF-8, become '?': it stays one line. Returns -code. */
int err_set(struct err *e, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Like err_set, and appends ": " and the system's text for the code. */
int err_sys(struct err *e, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Puts context before the message: "context: message". Returns -e->code. */
int err_wrap(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Appends what to do: "message; advice". Returns -e->code. */
int err_advise(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
