/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store_sql.h"

#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#define APPLICATION_ID 0x534f4e4d /* "SONM": PRAGMA application_id */
#define BUSY_MS (STORE_LOCK_SECONDS * 1000)

#define COUNTER_COLUMNS(prefix)                                                       \
	prefix "conns INTEGER NOT NULL DEFAULT 0," prefix "inpkts INTEGER NOT NULL DEFAULT 0,"   \
	prefix "outpkts INTEGER NOT NULL DEFAULT 0," prefix "inbytes INTEGER NOT NULL DEFAULT 0," \
	prefix "outbytes INTEGER NOT NULL DEFAULT 0"

/* The schema of version 1. sonm-gateway-state(5) tells readers what it means. */
static const char schema[] =
	"CREATE TABLE route ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" container TEXT NOT NULL,"
	" container_port INTEGER NOT NULL,"
	" protocol INTEGER NOT NULL,"
	" kind TEXT NOT NULL CHECK (kind IN ('gateway', 'direct')),"
	" state TEXT NOT NULL CHECK (state IN ('open', 'closing')),"
	" address TEXT NOT NULL,"
	" port INTEGER NOT NULL,"
	" scheduler TEXT NOT NULL,"
	" persistence INTEGER NOT NULL,"
	" opened_at INTEGER NOT NULL,"
	" closing_boot TEXT,"
	" closing_ms INTEGER,"
	COUNTER_COLUMNS(" base_") "," COUNTER_COLUMNS(" last_") ");"
	"CREATE UNIQUE INDEX route_endpoint ON route (address, port, protocol) WHERE kind = 'gateway';"
	"CREATE UNIQUE INDEX route_name ON route (container, container_port, protocol) WHERE state = 'open';"
	"CREATE INDEX route_container ON route (container, container_port, protocol);"
	"CREATE INDEX route_closing ON route (closing_boot, closing_ms) WHERE state = 'closing';"
	"CREATE TABLE real_server ("
	" route INTEGER NOT NULL REFERENCES route (id) ON DELETE CASCADE,"
	" address TEXT NOT NULL,"
	" port INTEGER NOT NULL,"
	" weight INTEGER NOT NULL,"
	" PRIMARY KEY (route, address, port)) WITHOUT ROWID;"
	"CREATE INDEX real_server_endpoint ON real_server (address, port);"
	"CREATE TABLE ledger ("
	" id INTEGER PRIMARY KEY,"
	" container TEXT NOT NULL,"
	" container_port INTEGER NOT NULL,"
	" protocol INTEGER NOT NULL,"
	" kind TEXT NOT NULL,"
	" address TEXT NOT NULL,"
	" port INTEGER NOT NULL,"
	" opened_at INTEGER NOT NULL,"
	" closed_at INTEGER NOT NULL,"
	COUNTER_COLUMNS(" ") ");"
	"CREATE INDEX ledger_endpoint ON ledger (address, port, protocol, closed_at);"
	"CREATE INDEX ledger_container ON ledger (container, container_port, protocol, closed_at);"
	"CREATE TABLE setup ("
	" seq INTEGER PRIMARY KEY,"
	" step TEXT NOT NULL UNIQUE,"
	" boot TEXT NOT NULL,"
	" former TEXT NOT NULL,"
	" applied TEXT NOT NULL);"
	"PRAGMA application_id = 1397706317;"
	"PRAGMA user_version = 1;";

_Static_assert(APPLICATION_ID == 1397706317, "the schema sets the application id in decimal");
_Static_assert(STORE_VERSION == 1, "the schema sets the version");

static int run_script(struct err *e, struct store *s, const char *script)
{
	int code = sqlite3_exec(s->db, script, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : sql_fail(e, s, code, "set up");
}

/* Whoever can write to the file or to its directory decides about traffic and bills. */
static int check_owner(struct err *e, const struct stat *st, const char *what, const char *path)
{
	if ((st->st_uid != 0 && st->st_uid != geteuid()) || (st->st_mode & (S_IWGRP | S_IWOTH)))
		return err_set(e, ERR_USAGE,
			       "%s %s can be written to by others; give it to root and take their permission away",
			       what, path);
	return 0;
}

/* errno as an error; that one is not root is the usual reason. */
static int refused_by_system(struct err *e, const char *what, const char *path)
{
	err_sys(e, errno, "cannot %s %s", what, path);
	if (e->code == EACCES || e->code == EPERM)
		err_advise(e, "run as root");
	return -e->code;
}

static int check_directory(struct err *e, const char *path, enum store_mode mode, char dir[static 4096])
{
	char copy[4096];
	struct stat st;

	snprintf(copy, sizeof(copy), "%s", path);
	snprintf(dir, 4096, "%s", dirname(copy)); /* "." is not in its buffer */
	if (mode == STORE_WRITE && mkdir(dir, 0700) < 0 && errno != EEXIST)
		return refused_by_system(e, "make the state file's directory", dir);
	if (stat(dir, &st) < 0)
		return errno == ENOENT && mode != STORE_WRITE ? -ENOENT : refused_by_system(e, "look at", dir);
	return check_owner(e, &st, "the state file's directory", dir);
}

static int open_file(struct err *e, struct store *s, enum store_mode mode)
{
	static const int flags[] = {
		[STORE_READ] = O_RDONLY,
		[STORE_UPDATE] = O_RDWR,
		[STORE_WRITE] = O_RDWR | O_CREAT,
	};
	struct stat st;

	s->fd = open(s->path, flags[mode] | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
	if (s->fd < 0 && errno == ENOENT && mode != STORE_WRITE)
		return -ENOENT;
	if (s->fd < 0 && errno == ELOOP)
		return err_set(e, ERR_USAGE, "state file %s is a symbolic link; name the file itself", s->path);
	if (s->fd < 0 || fstat(s->fd, &st) < 0)
		return refused_by_system(e, "open state file", s->path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_USAGE, "state file %s is not a regular file", s->path);
	return check_owner(e, &st, "state file", s->path);
}

static int open_database(struct err *e, struct store *s, const char *name, int flags)
{
	int code = sqlite3_open_v2(name, &s->db, flags | SQLITE_OPEN_NOMUTEX, NULL);

	if (code != SQLITE_OK)
		return sql_fail(e, s, code, "open");
	sqlite3_busy_timeout(s->db, BUSY_MS);
	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	return run_script(e, s, "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
				"PRAGMA trusted_schema = OFF;");
}

/*
 * A process lives for one command: a write-ahead log would be read by each
 * (recovery at every first open), and a rollback journal made and removed by
 * each. One that stays costs least. Only once the file is known to be ours:
 * this may write to it.
 */
static int set_journal(struct err *e, struct store *s)
{
	return run_script(e, s, "PRAGMA journal_mode = PERSIST; PRAGMA journal_size_limit = 1048576;");
}

static int query_number(struct err *e, struct store *s, const char *sql, int64_t *out)
{
	sqlite3_stmt *query;
	int code = sqlite3_prepare_v2(s->db, sql, -1, &query, NULL);

	if (code == SQLITE_OK && (code = sqlite3_step(query)) == SQLITE_ROW) {
		*out = sqlite3_column_int64(query, 0);
		code = SQLITE_OK;
	}
	if (code != SQLITE_OK)
		sql_fail(e, s, code, "read");
	sqlite3_finalize(query);
	return code == SQLITE_OK ? 0 : -e->code;
}

static int query_version(struct err *e, struct store *s, int64_t *id, int64_t *version, int64_t *objects)
{
	int ret = store_begin_read(e, s); /* another process may be about to create the schema */

	if (ret == 0)
		ret = query_number(e, s, "PRAGMA application_id", id);
	if (ret == 0)
		ret = query_number(e, s, "PRAGMA user_version", version);
	if (ret == 0)
		ret = query_number(e, s, "SELECT count(*) FROM sqlite_master", objects);
	store_rollback(s);
	return ret;
}

/* 0: our file, of our version; 1: an empty file. */
static int check_version(struct err *e, struct store *s)
{
	int64_t id = 0, version = 0, objects = 0;

	if (query_version(e, s, &id, &version, &objects) < 0)
		return -e->code;
	if (id == APPLICATION_ID && version == STORE_VERSION)
		return 0;
	if (id == APPLICATION_ID && version > STORE_VERSION)
		return err_set(e, ERR_USAGE,
			       "state file %s has version %lld, made by a newer sonm-gateway; this one knows "
			       "version %d: upgrade it", s->path, (long long)version, STORE_VERSION);
	if (id == 0 && version == 0 && objects == 0)
		return 1;
	return err_set(e, ERR_USAGE, "%s is not a state file of sonm-gateway; name another with 'state:'",
		       s->path);
}

static int create_schema(struct err *e, struct store *s)
{
	int ret;

	if (store_lock(e, s) < 0)
		return -e->code;
	ret = check_version(e, s);
	if (ret == 1) { /* no other process was faster */
		ret = set_journal(e, s);
		if (ret == 0)
			ret = store_begin(e, s);
		if (ret == 0)
			ret = run_script(e, s, schema);
		if (ret == 0)
			ret = store_commit(e, s);
		store_rollback(s);
	}
	store_unlock(s);
	return ret;
}

static void close_database(struct store *s)
{
	for (size_t i = 0; i < STORE_STATEMENTS; i++)
		sqlite3_finalize(s->statements[i].stmt);
	memset(s->statements, 0, sizeof(s->statements));
	sqlite3_close(s->db);
}

/* A state file that is not there yet reads as an empty one. */
static int open_empty(struct err *e, struct store *s)
{
	close_database(s);
	s->db = NULL;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	if (open_database(e, s, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) < 0)
		return -e->code;
	return run_script(e, s, schema);
}

static int open_either(struct err *e, struct store *s, enum store_mode mode)
{
	char dir[4096];
	int ret = check_directory(e, s->path, mode, dir);

	if (ret == 0)
		ret = open_file(e, s, mode);
	if (ret == 0)
		ret = open_database(e, s, s->path, SQLITE_OPEN_READWRITE);
	if (ret == 0)
		ret = check_version(e, s);
	if (ret == 0 && mode != STORE_READ)
		ret = set_journal(e, s);
	if (ret == -ENOENT && mode != STORE_WRITE)
		ret = 1;
	if (ret == 1)
		ret = mode == STORE_WRITE ? create_schema(e, s) : open_empty(e, s);
	if (ret == 0 && mode == STORE_READ)
		ret = run_script(e, s, "PRAGMA query_only = ON");
	return ret;
}

int store_open(struct err *e, const char *path, enum store_mode mode, struct store **out)
{
	CLEANUP(store_closep) struct store *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(e, ENOMEM, "out of memory");
	s->fd = -1;
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
	close_database(s);
	/* After SQLite: closing any descriptor of a file drops the process's POSIX locks on it. */
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

void store_closep(struct store **s)
{
	store_close(*s);
}

/*
 * flock(2), not SQLite's own lock, because it has to be held across a commit
 * and the change in the kernel after it.
 */
int store_lock(struct err *e, struct store *s)
{
	struct timespec now, pause = { 0 };
	time_t deadline;
	long most_us = 500;

	clock_gettime(CLOCK_MONOTONIC, &now);
	deadline = now.tv_sec + STORE_LOCK_SECONDS;
	while (s->fd >= 0 && flock(s->fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_sys(e, errno, "cannot lock state file %s", s->path);
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec >= deadline)
			return err_set(e, ETIMEDOUT,
				       "state file %s has been in use by another program for %d seconds; "
				       "see who holds it with 'fuser -v %s'", s->path, STORE_LOCK_SECONDS, s->path);
		pause.tv_nsec = 1000 * (100 + now.tv_nsec / 1000 % most_us);
		nanosleep(&pause, NULL);
		most_us = most_us < 10000 ? most_us * 2 : most_us;
	}
	return 0;
}

void store_unlock(struct store *s)
{
	if (s->fd >= 0)
		flock(s->fd, LOCK_UN);
}

int store_begin(struct err *e, struct store *s)
{
	return sql_run(e, s, "BEGIN IMMEDIATE", SQL_NONE);
}

int store_begin_read(struct err *e, struct store *s)
{
	/* BEGIN alone takes no lock before the first statement reads. */
	if (sql_run(e, s, "BEGIN", SQL_NONE) < 0)
		return -e->code;
	return sql_run(e, s, "SELECT count(*) FROM sqlite_master", SQL_NONE);
}

int store_commit(struct err *e, struct store *s)
{
	return sql_run(e, s, "COMMIT", SQL_NONE);
}

void store_rollback(struct store *s)
{
	struct err ignored;

	if (!sqlite3_get_autocommit(s->db))
		(void)!sql_run(&ignored, s, "ROLLBACK", SQL_NONE);
}
