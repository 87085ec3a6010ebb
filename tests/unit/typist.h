/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * typist: a program at a pseudo-terminal, and somebody who types to it and
 * reads what appears.
 */
#ifndef SONM_TYPIST_H
#define SONM_TYPIST_H

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define TYPIST_MS 20000 /* for anything to appear */

struct typist {
	pid_t pid;
	int terminal; /* our side */
	struct termios before;
	char seen[1 << 16];
	size_t n, looked; /* what has appeared; where the next look begins */
};

static inline void typist_take_terminal(const char *name)
{
	int fd;

	ck_assert_int_ge(setsid(), 0);
	fd = open(name, O_RDWR);
	ck_assert_int_eq(ioctl(fd, TIOCSCTTY, 0), 0);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(dup2(fd, i), i);
	if (fd > 2)
		close(fd);
}

/* Runs play(ctx) in a process of its own at a terminal of 80 columns; its result is the exit status. */
static inline void typist_begin(struct typist *t, int (*play)(void *ctx), void *ctx)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	char name[64];

	memset(t, 0, sizeof(*t));
	t->terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(t->terminal, 0);
	ck_assert_int_eq(grantpt(t->terminal), 0);
	ck_assert_int_eq(unlockpt(t->terminal), 0);
	ck_assert_int_eq(ptsname_r(t->terminal, name, sizeof(name)), 0);
	ck_assert_int_eq(ioctl(t->terminal, TIOCSWINSZ, &size), 0);
	ck_assert_int_eq(tcgetattr(t->terminal, &t->before), 0);
	t->pid = fork();
	ck_assert_int_ge(t->pid, 0);
	if (t->pid == 0) {
		close(t->terminal);
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* it does not outlive a test that fails */
		signal(SIGTERM, SIG_DFL); /* check's own handler ends the test */
		signal(SIGINT, SIG_DFL);
		signal(SIGHUP, SIG_DFL); /* ignored under nohup(1) */
		typist_take_terminal(name);
		exit(play(ctx));
	}
}

static inline void typist_types(struct typist *t, const char *keys)
{
	size_t len = strlen(keys);

	ck_assert_int_eq(write(t->terminal, keys, len), (ssize_t)len);
}

/* Reads what has come within so many ms; false: nothing came, or the other side is closed. */
static inline bool typist_reads(struct typist *t, int ms)
{
	struct pollfd in = { .fd = t->terminal, .events = POLLIN };
	ssize_t n;

	if (poll(&in, 1, ms) != 1)
		return false;
	n = read(t->terminal, t->seen + t->n, sizeof(t->seen) - 1 - t->n);
	if (n <= 0)
		return false;
	t->n += (size_t)n;
	t->seen[t->n] = '\0';
	return true;
}

/* Waits until the text appears; the next look begins behind it. */
static inline void typist_sees(struct typist *t, const char *text)
{
	char *found;

	t->seen[t->n] = '\0';
	while (!(found = strstr(t->seen + t->looked, text)))
		ck_assert_msg(typist_reads(t, TYPIST_MS), "'%s' does not appear in: %s", text,
			      t->seen + t->looked);
	t->looked = (size_t)(found - t->seen) + strlen(text);
}

/* Waits for the end; the wait status. What is left to be seen stays. */
static inline int typist_ends(struct typist *t)
{
	int status;

	while (typist_reads(t, TYPIST_MS))
		;
	ck_assert_int_eq(waitpid(t->pid, &status, 0), t->pid);
	close(t->terminal);
	return status;
}

#endif
