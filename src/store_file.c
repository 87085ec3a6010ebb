/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store_file.h"

#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

/* --- Whose it is ---------------------------------------------------------------- */

bool store_only_reads(enum store_mode mode)
{
	return mode == STORE_READ || mode == STORE_GLANCE;
}

/*
 * Whoever can write to the file or to its directory decides about traffic and bills, and what is recorded there of the
 * setup is undone by root: who is not root may read what another user keeps, nobody else relies on it.
 */
static int check_owner(struct err *e, const struct stat *st, enum store_mode mode, const char *what, const char *path)
{
	bool is_reader = store_only_reads(mode) && geteuid() != 0;

	if (st->st_uid != 0 && st->st_uid != geteuid() && !is_reader)
		return err_set(e, ERR_USAGE, "%s %s belongs to another user; run as that one, or give it to root", what,
			       path);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return err_set(e, ERR_USAGE, "%s %s can be written to by others; take their permission away", what, path);
	return 0;
}

/* errno as an error; that one is not root is the usual reason. */
static int refused_by_system(struct err *e, const char *what, const char *path)
{
	err_sys(e, errno, "cannot %s %s", what, path);
	if (e->code == EACCES || e->code == EPERM)
		err_advise(e, "run as root");
	return -e->code;
}

/* Its name is on the disk when it returns; what cannot be synced is not, as in SQLite. -1: errno. */
static int make_directory(const char *dir)
{
	CLEANUP_CLOSE int parent = -1;
	char copy[4096];

	if (mkdir(dir, 0700) < 0)
		return errno == EEXIST ? 0 : -1;
	snprintf(copy, sizeof(copy), "%s", dir);
	parent = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent >= 0)
		(void)!fsync(parent);
	return 0;
}

static int check_directory(struct err *e, const char *path, enum store_mode mode)
{
	char copy[4096];
	const char *dir;
	struct stat st;

	snprintf(copy, sizeof(copy), "%s", path);
	dir = dirname(copy);
	if (mode == STORE_WRITE && make_directory(dir) < 0)
		return refused_by_system(e, "make the state file's directory", dir);
	if (lstat(dir, &st) < 0)
		return errno == ENOENT && mode != STORE_WRITE ? -ENOENT : refused_by_system(e, "look at", dir);
	/* Whose link it is says nothing about who owns what it leads to. */
	if (S_ISLNK(st.st_mode))
		return err_set(e, ERR_USAGE, "the state file's directory %s is a symbolic link; name the directory itself",
			       dir);
	return check_owner(e, &st, mode, "the state file's directory", dir);
}

/*
 * What SQLite finds in a journal it writes back into the file: it is to be trusted like that. Only who can write to
 * the directory can replace it after this look.
 */
static int check_journal(struct err *e, const struct store *s, enum store_mode mode)
{
	char journal[sizeof(s->path) + sizeof("-journal")];
	struct stat st;

	snprintf(journal, sizeof(journal), "%s-journal", s->path);
	if (lstat(journal, &st) < 0)
		return errno == ENOENT ? 0 : refused_by_system(e, "look at", journal);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_USAGE, "the state file's journal %s is not a regular file; see who has "
			       "put it there, and remove it", journal);
	return check_owner(e, &st, mode, "the state file's journal", journal);
}

static int open_file(struct err *e, struct store *s, enum store_mode mode)
{
	static const int flags[] = {
		[STORE_READ] = O_RDONLY,
		[STORE_GLANCE] = O_RDONLY,
		[STORE_UPDATE] = O_RDWR,
		[STORE_WRITE] = O_RDWR | O_CREAT,
	};
	struct stat st;

	s->fd = open(s->path, flags[mode] | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
	if (s->fd < 0 && errno == ENOENT && mode != STORE_WRITE)
		return -ENOENT;
	if (s->fd < 0 && errno == ELOOP)
		return err_set(e, ERR_USAGE, "state file %s is a symbolic link; name the file itself", s->path);
	if (s->fd < 0 || fstat(s->fd, &st) < 0)
		return refused_by_system(e, "open state file", s->path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_USAGE, "state file %s is not a regular file; name another one", s->path);
	return check_owner(e, &st, mode, "state file", s->path);
}

int store_file_open(struct err *e, struct store *s, enum store_mode mode)
{
	int ret = check_directory(e, s->path, mode);

	if (ret == 0)
		ret = open_file(e, s, mode);
	return ret == 0 ? check_journal(e, s, mode) : ret;
}

/* --- The writer's lock ---------------------------------------------------------- */

static void wake_up(int signal)
{
	(void)signal;
}

/* Waits in flock(2) until then; -1, with errno. */
static int wait_in_queue(int fd, time_t deadline)
{
	struct timespec now;
	int ret;

	do {
		ret = flock(fd, LOCK_EX);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (ret < 0 && errno == EINTR && now.tv_sec < deadline);
	if (ret < 0 && errno == EINTR)
		errno = ETIMEDOUT;
	return ret;
}

/* Where there is no timer to be had (RLIMIT_SIGPENDING); as wait_in_queue, but for who is first. */
static int ask_again(int fd, time_t deadline)
{
	const struct timespec pause = { 0, 50 * 1000 * 1000 };
	struct timespec now;
	int ret;

	do {
		nanosleep(&pause, NULL);
		ret = flock(fd, LOCK_EX | LOCK_NB);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (ret < 0 && errno == EWOULDBLOCK && now.tv_sec < deadline);
	if (ret < 0 && errno == EWOULDBLOCK)
		errno = ETIMEDOUT;
	return ret;
}

/* The timer repeats itself, as its first signal may come before the call that it is to interrupt. */
static int wait_with_timer(int fd)
{
	const struct itimerspec at = { { 0, 200 * 1000 * 1000 }, { STORE_LOCK_SECONDS, 0 } };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	struct timespec now;
	timer_t timer;
	int ret, code;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) < 0)
		return ask_again(fd, now.tv_sec + STORE_LOCK_SECONDS);
	timer_settime(timer, 0, &at, NULL);
	ret = wait_in_queue(fd, now.tv_sec + STORE_LOCK_SECONDS);
	code = errno;
	timer_delete(timer);
	errno = code;
	return ret;
}

/*
 * The kernel wakes those who wait when the lock is free, the first of them first; one who comes just then may get in
 * before. Whoever tried again and again instead could be passed by others for ever. The timer is one of our own and
 * its signal let through, as whoever started us may have set an alarm(2) for us, and may block signals.
 */
static int queue_for_lock(int fd)
{
	const struct sigaction awake = { .sa_handler = wake_up };
	struct sigaction action;
	sigset_t timers, mask;
	int ret, code;

	sigemptyset(&timers);
	sigaddset(&timers, SIGRTMIN);
	sigaction(SIGRTMIN, &awake, &action);
	sigprocmask(SIG_UNBLOCK, &timers, &mask);
	ret = wait_with_timer(fd);
	code = errno;
	sigprocmask(SIG_SETMASK, &mask, NULL);
	sigaction(SIGRTMIN, &action, NULL);
	errno = code;
	return ret;
}

/* While one waits it may have been moved, or another one put there. */
static int check_place(struct err *e, struct store *s)
{
	struct stat held, there;
	int code = fstat(s->fd, &held) < 0 || stat(s->path, &there) < 0 ? errno : 0;

	if (code == 0 && held.st_dev == there.st_dev && held.st_ino == there.st_ino)
		return 0;
	store_unlock(s);
	if (code != 0 && code != ENOENT && code != ENOTDIR)
		return err_sys(e, code, "cannot look at state file %s", s->path);
	return err_set(e, EBUSY, "state file %s was moved, removed or replaced meanwhile; try again", s->path);
}

/*
 * flock(2), not SQLite's own lock, because it has to be held across a commit
 * and the change in the kernel after it.
 */
int store_lock(struct err *e, struct store *s)
{
	if (s->fd < 0)
		return 0;
	if (flock(s->fd, LOCK_EX | LOCK_NB) == 0 || (errno == EWOULDBLOCK && queue_for_lock(s->fd) == 0))
		return check_place(e, s);
	if (errno == ETIMEDOUT)
		return err_set(e, ETIMEDOUT,
			       "state file %s has been in use by another program for %d seconds; "
			       "see who holds it with 'fuser -v %s'", s->path, STORE_LOCK_SECONDS, s->path);
	return err_sys(e, errno, "cannot lock state file %s", s->path);
}

void store_unlock(struct store *s)
{
	if (s->fd >= 0)
		flock(s->fd, LOCK_UN);
}
