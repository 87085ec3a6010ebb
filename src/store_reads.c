/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store_reads.h"

typedef ssize_t read_fn(int fd, void *buf, size_t count, off_t offset);

static read_fn *really_read; /* SQLite's own */
static int failed; /* errno */

static ssize_t read_and_note(int fd, void *buf, size_t count, off_t offset)
{
	ssize_t n = really_read(fd, buf, count, offset);

	if (n < 0 && errno != EINTR)
		failed = errno;
	return n;
}

/* Which of these SQLite has been built to use, it says by having one. */
void store_reads_watch(void)
{
	static const char *const names[] = { "pread64", "pread" };
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

	_Static_assert(sizeof(off_t) == 8, "SQLite's pread64 takes 64 bits");
	failed = 0;
	if (!vfs || vfs->iVersion < 3 || !vfs->xGetSystemCall || !vfs->xSetSystemCall)
		return;
	for (size_t i = 0; i < ARRAY_LEN(names) && !really_read; i++) {
		really_read = (read_fn *)vfs->xGetSystemCall(vfs, names[i]);
		if (really_read)
			vfs->xSetSystemCall(vfs, names[i], (sqlite3_syscall_ptr)read_and_note);
	}
}

int store_reads_failed(void)
{
	return failed;
}
