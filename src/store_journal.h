/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * store_journal: how changes of the state file are made durable, with SQLite's
 * rollback journal. Only store*.c include it.
 */
#ifndef SONM_STORE_JOURNAL_H
#define SONM_STORE_JOURNAL_H

#include "store_sql.h"

/* Says how the file is written. It may write to it, so the file is known to be ours. Errors as of all in store.h. */
int store_journal_set(struct err *e, struct store *s) MUST_CHECK;

/*
 * To be called when a transaction that may write has begun, before it has
 * written anything: looks whether the journal's name need be synced (see
 * store_journal.c). Cannot fail: if in doubt it is.
 */
void store_journal_begin(const struct store *s);

#endif
