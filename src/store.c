/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store_file.h"
#include "store_journal.h"
#include "store_reads.h"
#include "store_schema.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define BUSY_MS (STORE_LOCK_SECONDS * 1000)
#define GLANCE_BUSY_MS 500 /* a commit takes less */

/*
 * A store is used by one thread, so SQLite need not lock, nor count its memory,
 * nor take room for twenty pages before it reads one: in a short command that is a
 * good part of the work. Only the first call in a process has an effect, and
 * SQLite refuses the others.
 */
static void configure_library(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	(void)sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
}

static int open_database(struct err *e, struct store *s, const char *name, int flags)
{
	int code;

	configure_library();
	store_reads_watch();
	code = sqlite3_open_v2(name, &s->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
	if (code != SQLITE_OK)
		return sql_fail(e, s, code, "open");
	sqlite3_busy_timeout(s->db, s->busy_ms);
	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
#ifdef SQLITE_DBCONFIG_TRUSTED_SCHEMA /* since 3.31 */
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
#endif
	return 0;
}

/*
 * The rows are not in the order of the names by which they are read and changed:
 * all of a large file is to have room. KiB; no more is taken than is used.
 */
#define LARGE_CACHE "PRAGMA cache_size = -65536;"

/* Ends what was prepared, and hands the database over. */
static sqlite3 *release_database(struct store *s)
{
	for (size_t i = 0; i < STORE_STATEMENTS; i++)
		sqlite3_finalize(s->statements[i].stmt);
	memset(s->statements, 0, sizeof(s->statements));
	return steal_ptr(s->db);
}

static void close_database(sqlite3 **db)
{
	sqlite3_close(*db);
}

static int open_in_memory(struct err *e, struct store *s)
{
	return open_database(e, s, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
}

/* A state file that is not there yet reads as an empty one. */
static int open_empty(struct err *e, struct store *s)
{
	sqlite3_close(release_database(s));
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	if (open_in_memory(e, s) < 0)
		return -e->code;
	return store_schema_upgrade(e, s);
}

/* An older file that is not to be written to: a copy of it is brought up to date. */
static int open_copy(struct err *e, struct store *s)
{
	CLEANUP(close_database) sqlite3 *file = release_database(s);
	sqlite3_backup *backup;
	int code;

	if (open_in_memory(e, s) < 0)
		return -e->code;
	backup = sqlite3_backup_init(s->db, "main", file, "main");
	code = backup ? sqlite3_backup_step(backup, -1) : sqlite3_errcode(s->db);
	sqlite3_backup_finish(backup);
	if (code != SQLITE_DONE)
		return sql_fail(e, s, code, "read");
	return store_schema_upgrade(e, s);
}

static int upgrade_file(struct err *e, struct store *s)
{
	int ret = store_lock(e, s);

	if (ret < 0)
		return ret;
	ret = store_journal_set(e, s);
	if (ret == 0)
		ret = store_schema_upgrade(e, s);
	store_unlock(s);
	return ret;
}

/* version: what there is; 0: nothing. */
static int open_version(struct err *e, struct store *s, enum store_mode mode, int version)
{
	if (version == 0 && mode != STORE_WRITE)
		return open_empty(e, s);
	if (version < STORE_VERSION)
		return store_only_reads(mode) ? open_copy(e, s) : upgrade_file(e, s);
	return store_only_reads(mode) ? 0 : store_journal_set(e, s);
}

static int open_either(struct err *e, struct store *s, enum store_mode mode)
{
	int version = 0;
	int ret = store_file_open(e, s, mode);

	if (ret == 0)
		ret = open_database(e, s, s->path, SQLITE_OPEN_READWRITE);
	if (ret == 0)
		ret = store_schema_version(e, s, &version);
	if (ret == -ENOENT && mode != STORE_WRITE)
		ret = 0;
	if (ret == 0)
		ret = open_version(e, s, mode, version);
	if (ret == 0)
		ret = sql_script(e, s, store_only_reads(mode) ? LARGE_CACHE "PRAGMA query_only = ON;" : LARGE_CACHE);
	return ret;
}

int store_open(struct err *e, const char *path, enum store_mode mode, struct store **out)
{
	CLEANUP(store_closep) struct store *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(e, ENOMEM, "out of memory");
	s->fd = -1;
	s->busy_ms = mode == STORE_GLANCE ? GLANCE_BUSY_MS : BUSY_MS;
	if (snprintf(s->path, sizeof(s->path), "%s", path) >= (int)sizeof(s->path))
		return err_set(e, ERR_USAGE, "the state file's path is too long");
	if (open_either(e, s, mode) < 0)
		return -e->code;
	*out = steal_ptr(s);
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	sqlite3_close(release_database(s));
	/* After SQLite: closing any descriptor of a file drops the process's POSIX locks on it. */
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

void store_closep(struct store **s)
{
	store_close(*s);
}

int64_t store_time(const struct store *s)
{
	return s->time ? s->time : time(NULL);
}

void store_set_time(struct store *s, int64_t now)
{
	s->time = now;
}

/* What SQLite counts in the file (fileformat2.html, 1.3.7); in a transaction it stands still. */
static int64_t count_changes(const struct store *s)
{
	unsigned char count[4];
	ssize_t got = s->fd < 0 ? -1 : pread(s->fd, count, sizeof(count), 24);

	if (got != sizeof(count))
		return got == 0 ? 0 : -1; /* 0: a new file */
	return (int64_t)count[0] << 24 | count[1] << 16 | count[2] << 8 | count[3];
}

int store_begin(struct err *e, struct store *s)
{
	if (sql_run(e, s, "BEGIN IMMEDIATE", SQL_NONE) < 0)
		return -e->code;
	store_journal_begin(s);
	s->changes = count_changes(s);
	return 0;
}

int store_begin_read(struct err *e, struct store *s)
{
	/* BEGIN alone takes no lock before the first statement reads. */
	if (sql_run(e, s, "BEGIN", SQL_NONE) < 0)
		return -e->code;
	return sql_run(e, s, "SELECT count(*) FROM sqlite_master", SQL_NONE);
}

/* Writes what is there already, so that all of it stays. */
static int commit_again(struct err *e, struct store *s)
{
	int ret = store_schema_touch(e, s);

	if (ret == 0)
		ret = sql_run(e, s, "COMMIT", SQL_NONE);
	store_rollback(s);
	return ret;
}

/*
 * At the end of a commit the journal is ended and locks are given back. If that
 * fails, SQLite says that the commit did, but the file has all of it: whoever is told
 * "failed" would find it done.
 */
static int complete_commit(struct err *e, struct store *s)
{
	int64_t before = s->changes;
	struct err ignored;
	int ret;

	if (!sqlite3_get_autocommit(s->db))
		return -e->code; /* a reader was in the way: the caller takes it back */
	ret = store_begin(&ignored, s);
	if (ret == 0 && before >= 0 && s->changes == before) {
		store_rollback(s);
		return -e->code;
	}
	if (ret == 0 && before >= 0 && s->changes >= 0 && commit_again(&ignored, s) == 0)
		return 0;
	store_rollback(s);
	return err_advise(e, "it may have been written all the same");
}

int store_commit(struct err *e, struct store *s)
{
	return sql_run(e, s, "COMMIT", SQL_NONE) == 0 ? 0 : complete_commit(e, s);
}

void store_rollback(struct store *s)
{
	struct err ignored;

	if (!sqlite3_get_autocommit(s->db))
		(void)!sql_run(&ignored, s, "ROLLBACK", SQL_NONE);
}
