/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * store_file: the state file as a file: whose it, its directory and its journal
 * are, and the writer's lock (store_lock, store_unlock of store.h). Only store*.c
 * include it.
 */
#ifndef SONM_STORE_FILE_H
#define SONM_STORE_FILE_H

#include "store_sql.h"

/* Whether that mode leaves the file as it is. */
bool store_only_reads(enum store_mode mode);

/*
 * Opens s->path as s->fd; STORE_WRITE makes directory and file. Refuses what
 * others could write to, links, and what is no regular file, with ERR_USAGE; the
 * journal, too, if there is one. -ENOENT without a message: there is no
 * file, and mode does not make one.
 */
int store_file_open(struct err *e, struct store *s, enum store_mode mode) MUST_CHECK;

#endif
