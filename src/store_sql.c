/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store_sql.h"
#include "store_reads.h"

#include <stdio.h>
#include <string.h>

#define WHEN_DAMAGED "move it away and restore a saved document: 'sonm-vs -R FILE --adopt'"

static int errno_of(struct store *s, int code)
{
	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ETIMEDOUT;
	case SQLITE_NOMEM:
		return ENOMEM;
	case SQLITE_CONSTRAINT:
		return ERR_CONFLICT;
	case SQLITE_FULL:
		return ENOSPC;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return EACCES;
	case SQLITE_READONLY:
		return EROFS;
	case SQLITE_CANTOPEN:
		return s->db && sqlite3_system_errno(s->db) == EACCES ? EACCES : EIO;
	default:
		return EIO;
	}
}

/* Who knows it: SQLite, or, of what it takes for damage, whoever has listened to its reads. */
static int asked_errno(struct store *s, int base)
{
	switch (base) {
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		return s->db ? sqlite3_system_errno(s->db) : 0;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return store_reads_failed();
	default:
		return 0;
	}
}

/* What the system has said to SQLite, which calls it an I/O error or damage, or 0 if that would not be clearer. */
static int system_errno(struct store *s, int base)
{
	int code = asked_errno(s, base);

	switch (code) {
	case EIO:
	case ENXIO:
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
	case ENOMEM:
	case EMFILE:
	case ENFILE:
	case ENOLCK:
		return code;
	default:
		return 0;
	}
}

/* Two reasons that SQLite, too, calls "attempt to write a readonly database"; NULL: another one. */
static const char *text_of(int code)
{
	switch (code) {
	case SQLITE_READONLY_DBMOVED:
		return "it was moved, removed or replaced meanwhile; try again";
	case SQLITE_READONLY_ROLLBACK:
		return "a command was cut off while it wrote; the next one of somebody who may write to it puts that "
		       "right, as 'sonm-gwstat --checkpoint' does";
	default:
		return NULL;
	}
}

static void advise(struct err *e, const struct store *s, int base, int system)
{
	if (base == SQLITE_BUSY)
		err_advise(e, "another program keeps reading it: see 'fuser -v %s'", s->path);
	else if (base == SQLITE_FULL || system == ENOSPC)
		err_advise(e, "make room on the disk and try again");
	else if (system == EIO || system == ENXIO || (base == SQLITE_IOERR && system == 0))
		err_advise(e, "see with df and dmesg what the disk has");
	else if (base == SQLITE_READONLY || base == SQLITE_PERM)
		err_advise(e, "see who may write to it, and to its directory");
	else if (base == SQLITE_CORRUPT || base == SQLITE_NOTADB)
		err_advise(e, "it is damaged: " WHEN_DAMAGED);
}

int sql_fail(struct err *e, struct store *s, int code, const char *what)
{
	int system = system_errno(s, code & 0xff);
	const char *text = text_of(code);

	if (text)
		return err_set(e, errno_of(s, code), "cannot %s state file %s: %s", what, s->path, text);
	if (system)
		err_sys(e, system, "cannot %s state file %s", what, s->path);
	else
		err_set(e, errno_of(s, code), "cannot %s state file %s: %s", what, s->path,
			s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(code));
	advise(e, s, code & 0xff, system);
	return -e->code;
}

int sql_damaged(struct err *e, const struct store *s, const char *what)
{
	return err_set(e, EIO, "state file %s is damaged: %s makes no sense; " WHEN_DAMAGED, s->path, what);
}

int sql_script(struct err *e, struct store *s, const char *script)
{
	int code = sqlite3_exec(s->db, script, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : sql_fail(e, s, code, "set up");
}

static int find_statement(struct err *e, struct store *s, const char *sql, sqlite3_stmt **out)
{
	size_t i = 0;
	int code;

	while (i < STORE_STATEMENTS && s->statements[i].sql && s->statements[i].sql != sql)
		i++;
	if (i == STORE_STATEMENTS)
		return err_set(e, EIO, "more than %d kinds of statements", STORE_STATEMENTS);
	if (!s->statements[i].sql) {
		code = sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->statements[i].stmt,
					  NULL);
		if (code != SQLITE_OK)
			return sql_fail(e, s, code, "read");
		s->statements[i].sql = sql;
	}
	*out = s->statements[i].stmt;
	return 0;
}

int sql_query(struct err *e, struct store *s, const char *sql, const struct sql_value *values,
	      size_t n_values, sqlite3_stmt **out)
{
	sqlite3_stmt *stmt = NULL;

	if (find_statement(e, s, sql, &stmt) < 0)
		return -e->code;
	for (size_t i = 0; i < n_values; i++) {
		int at = (int)i + 1;
		int code = values[i].is_text
				   ? sqlite3_bind_text(stmt, at, values[i].text, -1, SQLITE_STATIC)
				   : sqlite3_bind_int64(stmt, at, values[i].number);

		if (code != SQLITE_OK)
			return sql_fail(e, s, code, "read");
	}
	*out = stmt;
	return 0;
}

int sql_row(struct err *e, struct store *s, sqlite3_stmt *query)
{
	int code = sqlite3_step(query);

	if (code == SQLITE_ROW)
		return 1;
	return code == SQLITE_DONE ? 0 : sql_fail(e, s, code, "read");
}

int sql_sum_row(struct err *e, struct store *s, sqlite3_stmt *query)
{
	int ret = sql_row(e, s, query);

	if (ret < 0 && strcmp(sqlite3_errmsg(s->db), "integer overflow") == 0)
		return err_set(e, EOVERFLOW, "a sum is larger than 2^63-1");
	return ret;
}

int sql_has_row(struct err *e, struct store *s, const char *sql, const struct sql_value *values, size_t n_values)
{
	CLEANUP(sql_end) sqlite3_stmt *q = NULL;
	int ret = sql_query(e, s, sql, values, n_values, &q);

	return ret == 0 ? sql_row(e, s, q) : ret;
}

void sql_end(sqlite3_stmt **query)
{
	if (*query) {
		sqlite3_reset(*query);
		sqlite3_clear_bindings(*query);
	}
}

int sql_run(struct err *e, struct store *s, const char *sql, const struct sql_value *values, size_t n_values)
{
	CLEANUP(sql_end) sqlite3_stmt *stmt = NULL;
	int code;

	if (sql_query(e, s, sql, values, n_values, &stmt) < 0)
		return -e->code;
	code = sqlite3_step(stmt);
	return code == SQLITE_DONE || code == SQLITE_ROW ? 0 : sql_fail(e, s, code, "write");
}

int sql_text(struct err *e, struct store *s, sqlite3_stmt *query, int column, char *buf, size_t size)
{
	const char *text = (const char *)sqlite3_column_text(query, column);

	if (!text)
		text = "";
	if (strlen(text) >= size)
		return sql_damaged(e, s, sqlite3_column_name(query, column));
	strcpy(buf, text);
	return 0;
}

int sql_int(struct err *e, struct store *s, sqlite3_stmt *query, int column, int64_t min, int64_t max,
	    int64_t *out)
{
	sqlite3_value *value = sqlite3_column_value(query, column);
	int64_t n = sqlite3_value_int64(value);

	if (sqlite3_value_type(value) != SQLITE_INTEGER || n < min || n > max)
		return sql_damaged(e, s, sqlite3_column_name(query, column));
	*out = n;
	return 0;
}

int sql_counters(struct err *e, struct store *s, sqlite3_stmt *query, int column, struct counters *out)
{
	int64_t n[5];

	for (int i = 0; i < 5; i++)
		if (sql_int(e, s, query, column + i, 0, INT64_MAX, &n[i]) < 0)
			return -e->code;
	*out = (struct counters){ (uint64_t)n[0], (uint64_t)n[1], (uint64_t)n[2], (uint64_t)n[3],
				  (uint64_t)n[4] };
	return 0;
}

int sql_check_counters(struct err *e, const struct counters *c)
{
	const uint64_t most = INT64_MAX;

	if (c->conns > most || c->inpkts > most || c->outpkts > most || c->inbytes > most ||
	    c->outbytes > most)
		return err_set(e, EOVERFLOW, "a counter is larger than the state file can hold (2^63-1)");
	return 0;
}

/* The place of a text column's value among the words; NULL ends them. */
static int find_word(struct err *e, struct store *s, sqlite3_stmt *query, int column, const char *const words[])
{
	const char *text = (const char *)sqlite3_column_text(query, column);

	for (int i = 0; text && words[i]; i++)
		if (strcmp(words[i], text) == 0)
			return i;
	return sql_damaged(e, s, sqlite3_column_name(query, column));
}

static const char *const kinds[] = { [ROUTE_GATEWAY] = "gateway", [ROUTE_DIRECT] = "direct", NULL };
static const char *const states[] = { [ROUTE_OPEN] = "open", [ROUTE_CLOSING] = "closing", NULL };

const char *sql_kind_name(enum route_kind kind)
{
	return kinds[kind];
}

int sql_kind(struct err *e, struct store *s, sqlite3_stmt *query, int column, enum route_kind *out)
{
	int kind = find_word(e, s, query, column, kinds);

	if (kind < 0)
		return kind;
	*out = (enum route_kind)kind;
	return 0;
}

const char *sql_state_name(enum route_state state)
{
	return states[state];
}

int sql_state(struct err *e, struct store *s, sqlite3_stmt *query, int column, enum route_state *out)
{
	int state = find_word(e, s, query, column, states);

	if (state < 0)
		return state;
	*out = (enum route_state)state;
	return 0;
}

int sql_endpoint(struct err *e, struct store *s, sqlite3_stmt *query, int column, struct endpoint *out)
{
	char text[ADDR_STRLEN];
	struct endpoint ep;
	int64_t port = 0;

	if (sql_text(e, s, query, column, text, sizeof(text)) < 0 ||
	    sql_int(e, s, query, column + 1, 1, 65535, &port) < 0)
		return -e->code;
	if (addr_parse(e, text, &ep.addr) < 0)
		return sql_damaged(e, s, sqlite3_column_name(query, column));
	ep.port = (uint16_t)port;
	*out = ep;
	return 0;
}

int sql_server(struct err *e, struct store *s, sqlite3_stmt *query, int column, struct route *r)
{
	struct real_server rs = { 0 };
	int64_t weight;

	if (sql_endpoint(e, s, query, column, &rs.real) < 0 ||
	    sql_int(e, s, query, column + 2, 0, INT32_MAX, &weight) < 0 ||
	    sql_text(e, s, query, column + 3, rs.drain.boot_id, sizeof(rs.drain.boot_id)) < 0)
		return -e->code;
	if (server_is_draining(&rs) && sql_int(e, s, query, column + 4, 0, INT64_MAX, &rs.drain.ms) < 0)
		return -e->code;
	rs.weight = (uint32_t)weight;
	return route_add_server(e, r, &rs);
}
