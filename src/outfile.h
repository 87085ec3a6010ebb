/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * outfile: a file that is written whole or not at all: until the end its former
 * content stays. Knows nothing of what is written.
 */
#ifndef SONM_OUTFILE_H
#define SONM_OUTFILE_H

#include "err.h"

#include <stdio.h>

struct outfile {
	FILE *stream;
	char *path;      /* where it will be; owned */
	char *temporary; /* its name beside that until then, if the file system knows no files without one; owned */
};

/*
 * Begins a file. One that is there keeps its owner, group and mode; if we may not
 * keep the group, others get less, never more; and nothing is given to somebody else
 * whose file is in a directory that all can write to. A new one has mode 0644 less the umask.
 * If path is a symbolic link, the file that it leads to is written, unless the kernel
 * refuses to follow it. -EINVAL: path is there and is no regular file; else the system's.
 */
int outfile_begin(struct err *e, const char *path, struct outfile *out) MUST_CHECK;

/* Puts what was written to stream in its place, durably. Fails if any write to it did: then all is as before. */
int outfile_end(struct err *e, struct outfile *f) MUST_CHECK;

/* Are these two names of one file, or will they be when there is one? For who must not write over its own. */
bool outfile_is(const char *path, const char *other);

/* Removes a file, durably. */
int outfile_remove(struct err *e, const char *path) MUST_CHECK;

/* Forgets what has begun and not ended; a CLEANUP function, fine for one that is all zero or has ended. */
void outfile_abandon(struct outfile *f);

#endif
