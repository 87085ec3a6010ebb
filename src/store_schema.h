/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * store_schema: the tables of the state file, version by version, and how a
 * file of an older version gets those of the present one. Only store*.c
 * include it.
 */
#ifndef SONM_STORE_SCHEMA_H
#define SONM_STORE_SCHEMA_H

#include "store_sql.h"

/* Whose database is it? *out: its version, at most ours; 0: it is empty. -EINVAL: not ours, or newer. */
int store_schema_version(struct err *e, struct store *s, int *out) MUST_CHECK;

/*
 * Brings an empty database, or one of an older version, to STORE_VERSION, in
 * one transaction; one that somebody else has brought there stays as it is.
 * A file is to be locked.
 */
int store_schema_upgrade(struct err *e, struct store *s) MUST_CHECK;

/* In a transaction: writes something that the file has already. */
int store_schema_touch(struct err *e, struct store *s) MUST_CHECK;

#endif
