/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * infile: opens a file to read it, and waits for nobody to write one. Knows
 * nothing of what is read.
 */
#ifndef SONM_INFILE_H
#define SONM_INFILE_H

#include "err.h"

#include <stdio.h>

/*
 * Opens whatever can be read, with one exception: a FIFO that has a name, as
 * nobody may ever write to it (-EINVAL; what to name instead, the caller knows). A
 * pipe that has none somebody has opened for us: /dev/stdin, or what the shell
 * makes of <(COMMAND). Else the system's error. The caller closes *out.
 */
int infile_open(struct err *e, const char *path, FILE **out) MUST_CHECK;

#endif
