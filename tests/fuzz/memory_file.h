/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * memory_file: a file that is in memory only, for what reads a file by its
 * name: no disk is waited for, and nothing is left behind.
 */
#ifndef SONM_MEMORY_FILE_H
#define SONM_MEMORY_FILE_H

#include "fuzz.h"

#include <sys/mman.h>

/* The path of a file with these bytes, until the next call. */
static inline const char *memory_file(const uint8_t *bytes, size_t len)
{
	static char path[64];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("fuzz", MFD_CLOEXEC);
		require(fd >= 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	require(ftruncate(fd, 0) == 0 && pwrite(fd, bytes, len, 0) == (ssize_t)len);
	return path;
}

/* What was read of the file is refused, with the file's name first. */
static inline void require_blame(const char *path, const struct err *e, int ret)
{
	require_error(e, ret);
	require(ret == -EINVAL && strncmp(e->msg, path, strlen(path)) == 0);
}

#endif
