/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sysctl.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define SYSCTL_PATH_MAX 256

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

int sysctl_read(struct err *e, const char *key, char value[static SYSCTL_VALUE_MAX])
{
	char path[SYSCTL_PATH_MAX], text[SYSCTL_VALUE_MAX + 1];
	CLEANUP_CLOSE int fd = -1;
	ssize_t n;
	int ret = path_of(e, key, path);

	if (ret < 0)
		return ret;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -errno : read_all(fd, text, sizeof(text));
	if (n == -ENOENT)
		return err_set(e, ENOENT, "this kernel has no %s", path);
	if (n < 0)
		return err_sys(e, (int)-n, "cannot read %s", path);
	while (n > 0 && text[n - 1] == '\n')
		n--;
	if (n >= SYSCTL_VALUE_MAX)
		return err_set(e, E2BIG, "%s holds more than %d characters", path, SYSCTL_VALUE_MAX - 1);
	for (ssize_t i = 0; i < n; i++)
		value[i] = text[i] == '\t' ? ' ' : text[i];
	value[n] = '\0';
	return 0;
}

/* The kernel parses each write(2) on its own, so a value must go out in one. */
int sysctl_write(struct err *e, const char *key, const char *value)
{
	char path[SYSCTL_PATH_MAX], line[SYSCTL_VALUE_MAX + 1];
	CLEANUP_CLOSE int fd = -1;
	int ret = path_of(e, key, path);
	int len;

	if (ret < 0)
		return ret;
	len = snprintf(line, sizeof(line), "%s\n", value);
	if (len >= (int)sizeof(line))
		return err_set(e, E2BIG, "the value for %s is longer than %d characters", path,
			       SYSCTL_VALUE_MAX - 1);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return err_set(e, ENOENT, "this kernel has no %s", path);
	if (fd < 0 || write(fd, line, (size_t)len) < 0) {
		err_sys(e, errno, "cannot write '%s' to %s", value, path);
		if (e->code == EROFS || e->code == EACCES || e->code == EPERM)
			err_advise(e, "in a container, set it on the host");
		return -e->code;
	}
	return 0;
}

int sysctl_may_write(const char *key)
{
	char path[SYSCTL_PATH_MAX];
	struct err e;

	if (path_of(&e, key, path) < 0)
		return -e.code;
	return access(path, W_OK) == 0 ? 0 : -errno;
}
