/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "infile.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

/* In a file system that people see, not in that of pipe(2). */
static bool is_named_fifo(int fd)
{
	struct statfs fs;
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && (fstatfs(fd, &fs) < 0 || fs.f_type != PIPEFS_MAGIC);
}

int infile_open(struct err *e, const char *path, FILE **out)
{
	/* O_NONBLOCK: a FIFO must not hold us up before we see that it is one. */
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);
	FILE *in;

	if (fd >= 0 && is_named_fifo(fd))
		return err_set(e, ERR_USAGE, "%.200s is a FIFO, and nobody may ever write to it", path);
	if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0 || !(in = fdopen(fd, "r")))
		return err_sys(e, errno, "cannot read %.200s", path);
	(void)steal_fd(&fd);
	*out = in;
	return 0;
}
