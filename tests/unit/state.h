/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * state: state files for tests, each in a directory of its own, and SQLite
 * behind the store's back.
 */
#ifndef SONM_STATE_H
#define SONM_STATE_H

#include "given.h"
#include "store.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define VIP "198.51.100.1:32768"

struct state {
	char dir[160];  /* exists, 0700 */
	char path[192]; /* dir/gateway.db; does not exist */
};

static char state_root[128]; /* holds all of them; removed at the end, whatever happened */

static inline void state_make_root(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(state_root, sizeof(state_root), "%.80s/sonm-test-XXXXXX", tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(state_root));
}

static inline int state_remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static inline void state_remove_root(void)
{
	nftw(state_root, state_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void given_state(struct state *s)
{
	snprintf(s->dir, sizeof(s->dir), "%s/XXXXXX", state_root);
	ck_assert_ptr_nonnull(mkdtemp(s->dir));
	snprintf(s->path, sizeof(s->path), "%s/gateway.db", s->dir);
}

static inline struct store *state_open(const struct state *state, enum store_mode mode)
{
	struct store *s = NULL;
	struct err e = { 0 };

	ck_assert_msg(store_open(&e, state->path, mode, &s) == 0, "%s", e.msg);
	ck_assert_ptr_nonnull(s);
	return s;
}

static inline int state_row(void *out, int n, char **values, char **names)
{
	(void)n;
	(void)names;
	*(int64_t *)out = values[0] ? atoll(values[0]) : 0;
	return 0;
}

/* Runs SQL on a file without the store; the first number of the last row. */
static inline int64_t state_sql(const struct state *state, const char *sql)
{
	sqlite3 *db;
	int64_t number = 0;

	ck_assert_int_eq(sqlite3_open(state->path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	ck_assert_msg(sqlite3_exec(db, sql, state_row, &number, NULL) == SQLITE_OK, "%s: %s", sql,
		      sqlite3_errmsg(db));
	sqlite3_close(db);
	return number;
}

/* Stores a copy of a route in a transaction of its own; its id. */
static inline int64_t state_add(struct store *s, const struct route *r)
{
	CLEANUP(route_clear) struct route copy = { 0 };
	struct err e = { 0 };

	ck_assert_int_eq(route_copy(&e, r, &copy), 0);
	ck_assert_msg(store_begin(&e, s) == 0 && store_add_route(&e, s, &copy) == 0 && store_commit(&e, s) == 0,
		      "%s", e.msg);
	ck_assert_int_gt(copy.id, 0);
	return copy.id;
}

/* All routes. */
static inline struct route_list state_routes(struct store *s)
{
	const struct route_filter all = { .state = -1 };
	struct route_list list = { 0 };
	struct err e = { 0 };

	ck_assert_msg(store_routes(&e, s, &all, &list) == 0, "%s", e.msg);
	return list;
}

static inline size_t state_n_routes(struct store *s)
{
	CLEANUP(route_list_clear) struct route_list list = state_routes(s);

	return list.n;
}

/* Opens, which must fail with this code and a message that has this text. */
static inline void state_refused(const struct state *state, enum store_mode mode, int code, const char *text)
{
	struct store *s = NULL;
	struct err e = { 0 };
	int ret = store_open(&e, state->path, mode, &s);

	ck_assert_msg(ret == -code, "mode %d: %d instead of %d: %s", (int)mode, ret, -code, e.msg);
	ck_assert_int_eq(e.code, code);
	ck_assert_msg(strstr(e.msg, text), "'%s' is not in '%s'", text, e.msg);
	ck_assert_ptr_null(s);
}

static inline void state_refused_all(const struct state *state, int code, const char *text)
{
	state_refused(state, STORE_READ, code, text);
	state_refused(state, STORE_UPDATE, code, text);
	state_refused(state, STORE_WRITE, code, text);
}

static inline size_t state_n_files(const char *dir)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	ck_assert_ptr_nonnull(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2; /* . and .. */
}

static inline void state_write(const char *path, const void *bytes, size_t len)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(bytes, 1, len, f), len);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path, 0600), 0);
}

/* A file with one route. */
static inline void given_state_file(struct state *state)
{
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(route_clear) struct route r = given_route("a", 80, VIP);

	given_state(state);
	s = state_open(state, STORE_WRITE);
	given_server(&r, "10.0.0.2:80", 100);
	state_add(s, &r);
}

#endif
