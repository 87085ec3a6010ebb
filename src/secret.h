/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * secret: a token from a file that others cannot read.
 */
#ifndef SONM_SECRET_H
#define SONM_SECRET_H

#include "err.h"

#define SECRET_MAX 4096

/*
 * Reads the first line of a regular file (it must be the only one) without the
 * blanks at its ends: 1 to SECRET_MAX printable ASCII characters without blanks
 * (RFC 6750: b64token is a subset). -EINVAL: empty, longer, several lines, other
 * characters, not a regular file; -EACCES with advice (chmod): group or others may
 * read or write it, or it is owned by neither root nor the caller; else the system's. The file that
 * was checked is the file that is read.
 */
int secret_read(struct err *e, const char *path, char out[static SECRET_MAX + 1]) MUST_CHECK;

#endif
