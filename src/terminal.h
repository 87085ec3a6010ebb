/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * terminal: a terminal as a screen of lines and the keys that are typed. The
 * only module that changes a terminal's mode, and it puts everything back:
 * mode, cursor and what was on the screen. Writes ECMA-48's control sequences,
 * and xterm's for the alternate screen. Knows nothing of what is shown.
 */
#ifndef SONM_TERMINAL_H
#define SONM_TERMINAL_H

#include "err.h"

struct terminal;

struct terminal_size {
	size_t columns, rows; /* at least 1 */
};

/* Keys that are more than a byte. */
enum terminal_key {
	TERMINAL_UP = 256,
	TERMINAL_DOWN,
	TERMINAL_PAGE_UP,
	TERMINAL_PAGE_DOWN,
	TERMINAL_HOME,
	TERMINAL_END,
};

enum terminal_event_kind {
	TERMINAL_TIME,  /* it is time */
	TERMINAL_KEY,
	TERMINAL_SIZE,  /* it has changed, or somebody else has written on the screen: draw */
	TERMINAL_ENDED, /* by a signal; when the terminal is gone, by SIGHUP */
};

struct terminal_event {
	enum terminal_event_kind kind;
	int key;    /* a byte, or an enum terminal_key */
	int signal; /* the one that has ended it */
};

/*
 * Takes the terminal that in and out are: an empty screen, and keys that come
 * at once and are not shown. Until it is closed signals that would end the process
 * (but SIGKILL, what a fault of its own sends, and those that are ignored) are
 * events, and ^Z stops the process with the terminal as it was before. -ENOTTY: one
 * of the two is no terminal. One at a time.
 */
int terminal_open(struct err *e, int in, int out, struct terminal **t) MUST_CHECK;
void terminal_close(struct terminal *t);   /* puts everything back; NULL is fine */
void terminal_closep(struct terminal **t); /* a CLEANUP function */

struct terminal_size terminal_size(const struct terminal *t);

/*
 * Shows the lines from the top; what is below is empty. A line is as wide as
 * the screen, and may have sequences for colour. Sends what has changed, in one write(2).
 */
int terminal_draw(struct err *e, struct terminal *t, char *const lines[], size_t n) MUST_CHECK;

/* Waits for something, or until this time (milliseconds of CLOCK_MONOTONIC). */
int terminal_wait(struct err *e, struct terminal *t, int64_t until, struct terminal_event *out) MUST_CHECK;

/* The time by that clock. */
int64_t terminal_now(void);

#endif
