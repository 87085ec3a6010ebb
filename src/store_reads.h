/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * store_reads: whether the system let SQLite read the state file and its journal.
 * For some errors of the disk SQLite itself says "malformed", as it may be the
 * file system that is (unixRead in its os_unix.c). Only store*.c include it.
 */
#ifndef SONM_STORE_READS_H
#define SONM_STORE_READS_H

#include "store_sql.h"

/* From now on, in this process, which has one store at a time. Where SQLite cannot be listened to, nothing is known to fail. */
void store_reads_watch(void);

/* errno of the last read that has failed since then, whatever SQLite made of it; 0: none has. */
int store_reads_failed(void);

#endif
