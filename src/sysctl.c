/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sysctl.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define SYSCTL_PATH_MAX 256
#define LIST_MAX (512 * 1024) /* more than a list of all ports may take */

static int path_of(struct err *e, const char *key, char path[static SYSCTL_PATH_MAX])
{
	int n = snprintf(path, SYSCTL_PATH_MAX, "/proc/sys/%s", key);

	if (n >= SYSCTL_PATH_MAX)
		return err_set(e, ENAMETOOLONG, "the kernel setting's name '%.60s...' is too long", key);
	return 0;
}

/* Reads until the end of the file or until the buffer is full. */
static ssize_t read_all(int fd, char *buf, size_t size)
{
	size_t got = 0;
	ssize_t n = 0;

	while (got < size && ((n = read(fd, buf + got, size - got)) > 0 || (n < 0 && errno == EINTR)))
		got += n > 0 ? (size_t)n : 0;
	return n < 0 ? -errno : (ssize_t)got;
}

/* The file's text without its newline; most is the longest that is taken, text one longer. Returns its length. */
static ssize_t read_text(struct err *e, const char *key, char *text, ssize_t most)
{
	char path[SYSCTL_PATH_MAX];
	CLEANUP_CLOSE int fd = -1;
	ssize_t n;
	int ret = path_of(e, key, path);

	if (ret < 0)
		return ret;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -errno : read_all(fd, text, (size_t)most + 1);
	if (n == -ENOENT)
		return err_set(e, ENOENT, "this kernel has no %s", path);
	if (n < 0)
		return err_sys(e, (int)-n, "cannot read %s", path);
	while (n > 0 && text[n - 1] == '\n')
		n--;
	if (n >= most)
		return err_set(e, E2BIG, "%s holds more than %zd characters", path, most - 1);
	text[n] = '\0';
	return n;
}

int sysctl_read(struct err *e, const char *key, char value[static SYSCTL_VALUE_MAX])
{
	char text[SYSCTL_VALUE_MAX + 1];
	ssize_t n = read_text(e, key, text, SYSCTL_VALUE_MAX);

	if (n < 0)
		return (int)n;
	for (ssize_t i = 0; i <= n; i++)
		value[i] = text[i] == '\t' ? ' ' : text[i];
	return 0;
}

int sysctl_read_list(struct err *e, const char *key, char **value)
{
	CLEANUP_FREE char *text = malloc(LIST_MAX + 1);
	ssize_t n;

	if (!text)
		return err_set(e, ENOMEM, "out of memory");
	n = read_text(e, key, text, LIST_MAX);
	if (n < 0)
		return (int)n;
	*value = steal_ptr(text);
	return 0;
}

/* How much of a list goes into one write, a newline after it. */
static size_t part_of(const char *list)
{
	size_t n = strlen(list);

	if (n < SYSCTL_VALUE_MAX)
		return n;
	for (n = SYSCTL_VALUE_MAX - 1; n > 0 && list[n] != ',';)
		n--;
	return n;
}

/*
 * The kernel parses each write(2) on its own, so that a number must go out in
 * one. What is not at the beginning of the file it adds to a list (kernel/sysctl.c,
 * proc_do_large_bitmap).
 */
static int write_parts(int fd, const char *value)
{
	do {
		char line[SYSCTL_VALUE_MAX + 1];
		size_t n = part_of(value);
		int len = snprintf(line, sizeof(line), "%.*s\n", (int)n, value);

		if (write(fd, line, (size_t)len) < 0)
			return -errno;
		value += n + (value[n] == ',');
	} while (*value);
	return 0;
}

int sysctl_write_list(struct err *e, const char *key, const char *value)
{
	char path[SYSCTL_PATH_MAX];
	CLEANUP_CLOSE int fd = -1;
	int ret = path_of(e, key, path);

	if (ret < 0)
		return ret;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return err_set(e, ENOENT, "this kernel has no %s", path);
	ret = fd < 0 ? -errno : write_parts(fd, value);
	if (ret == 0)
		return 0;
	err_sys(e, -ret, "cannot write '%.200s' to %s", value, path);
	if (e->code == EROFS || e->code == EACCES || e->code == EPERM)
		err_advise(e, "in a container, set it on the host");
	return -e->code;
}

int sysctl_write(struct err *e, const char *key, const char *value)
{
	if (strlen(value) >= SYSCTL_VALUE_MAX)
		return err_set(e, E2BIG, "the value for /proc/sys/%s is longer than %d characters", key,
			       SYSCTL_VALUE_MAX - 1);
	return sysctl_write_list(e, key, value);
}

int sysctl_may_write(const char *key)
{
	char path[SYSCTL_PATH_MAX];
	struct err e;

	if (path_of(&e, key, path) < 0)
		return -e.code;
	return access(path, W_OK) == 0 ? 0 : -errno;
}
