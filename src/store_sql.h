/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * store_sql: what the store's own files share: statements with values, rows,
 * errors. Only store*.c include it.
 */
#ifndef SONM_STORE_SQL_H
#define SONM_STORE_SQL_H

#include "store.h"

#include <sqlite3.h>

#define STORE_STATEMENTS 96

struct store {
	sqlite3 *db;
	int fd; /* the state file, for the writer's lock; -1: there is none */
	int busy_ms; /* how long SQLite's own locks are waited for */
	char path[4096];
	int64_t time; /* store_set_time; 0: the system's */
	int64_t changes; /* how often the file had been changed when the transaction began; -1: not known */
	/* Prepared once, found by the address of their text. */
	struct {
		const char *sql;
		sqlite3_stmt *stmt;
	} statements[STORE_STATEMENTS];
};

struct sql_value {
	bool is_text;
	int64_t number;
	const char *text; /* NULL: SQL's NULL; not copied: must live until the statement has ended */
};

#define SQL_INT(x) ((struct sql_value){ .number = (int64_t)(x) })
#define SQL_TEXT(x) ((struct sql_value){ .is_text = true, .text = (x) })
#define SQL_VALUES(...)                                                   \
	(const struct sql_value[]){ __VA_ARGS__ },                        \
		sizeof((const struct sql_value[]){ __VA_ARGS__ }) /       \
			sizeof(struct sql_value)
#define SQL_NONE NULL, 0

/* A SQLite code as an error: what failed, and SQLite's own words. */
int sql_fail(struct err *e, struct store *s, int code, const char *what);

/* Runs several statements that take no values. */
int sql_script(struct err *e, struct store *s, const char *script) MUST_CHECK;

/* Runs a statement that answers no rows. sql must be a literal. */
int sql_run(struct err *e, struct store *s, const char *sql, const struct sql_value *values,
	    size_t n_values) MUST_CHECK;

/* Starts a query; sql must be a literal. It is ended with sql_end, a CLEANUP function. */
int sql_query(struct err *e, struct store *s, const char *sql, const struct sql_value *values,
	      size_t n_values, sqlite3_stmt **out) MUST_CHECK;
int sql_row(struct err *e, struct store *s, sqlite3_stmt *query) MUST_CHECK; /* 1: a row, 0: no more */
void sql_end(sqlite3_stmt **query);

/* 1: the query has a row, 0: it has none. sql must be a literal. */
int sql_has_row(struct err *e, struct store *s, const char *sql, const struct sql_value *values,
		size_t n_values) MUST_CHECK;

/* sql_row for a query of sums. -EOVERFLOW: one does not fit into SQLite's signed 64 bits. */
int sql_sum_row(struct err *e, struct store *s, sqlite3_stmt *query) MUST_CHECK;

/* A text column that fits into buf; NULL reads as "". -EIO: it does not fit: the file is damaged. */
int sql_text(struct err *e, struct store *s, sqlite3_stmt *query, int column, char *buf, size_t size) MUST_CHECK;

/* An integer column within min..max. -EIO: it is not: the file is damaged. */
int sql_int(struct err *e, struct store *s, sqlite3_stmt *query, int column, int64_t min, int64_t max,
	    int64_t *out) MUST_CHECK;

/* Five counters from this column on. */
int sql_counters(struct err *e, struct store *s, sqlite3_stmt *query, int column,
		 struct counters *out) MUST_CHECK;

/* Five columns that add up. */
#define SQL_SUMS "sum(conns), sum(inpkts), sum(outpkts), sum(inbytes), sum(outbytes)"

/* -EOVERFLOW when a counter does not fit into SQLite's signed 64 bits. */
int sql_check_counters(struct err *e, const struct counters *c) MUST_CHECK;

/* The five values of a struct counters, for SQL_VALUES. */
#define SQL_COUNTERS(c) \
	SQL_INT((c).conns), SQL_INT((c).inpkts), SQL_INT((c).outpkts), SQL_INT((c).inbytes), SQL_INT((c).outbytes)

/* "gateway", "direct" and back; "open", "closing" and back: the file's spelling. -EIO. */
const char *sql_kind_name(enum route_kind kind);
int sql_kind(struct err *e, struct store *s, sqlite3_stmt *query, int column, enum route_kind *out) MUST_CHECK;
const char *sql_state_name(enum route_state state);
int sql_state(struct err *e, struct store *s, sqlite3_stmt *query, int column, enum route_state *out) MUST_CHECK;

/* Address and port columns, in this order, as an endpoint. */
int sql_endpoint(struct err *e, struct store *s, sqlite3_stmt *query, int column,
		 struct endpoint *out) MUST_CHECK;

/* A row of real_server s; sql_server adds what is from this column on to a route. */
#define SQL_SERVER "s.address, s.port, s.weight, s.drain_boot, s.drain_ms"
int sql_server(struct err *e, struct store *s, sqlite3_stmt *query, int column, struct route *r) MUST_CHECK;

int sql_damaged(struct err *e, const struct store *s, const char *what);

#endif
