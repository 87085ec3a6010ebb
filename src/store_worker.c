/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables worker and worker_address. */
#include "store_sql.h"

#include <string.h>

#define SELECT_WORKERS                                                               \
	"SELECT w.name, w.nat, w.public, w.reported_at, a.address FROM worker w"     \
	" LEFT JOIN worker_address a ON a.worker = w.name"
enum { COL_NAME, COL_NAT, COL_PUBLIC, COL_REPORTED, COL_ADDRESS };

static int read_worker(struct err *e, struct store *s, sqlite3_stmt *q, struct worker *w)
{
	struct err unknown;
	int64_t is_public;
	char nat[32];

	if (sql_text(e, s, q, COL_NAME, w->name, sizeof(w->name)) < 0 ||
	    sql_text(e, s, q, COL_NAT, nat, sizeof(nat)) < 0 ||
	    sql_int(e, s, q, COL_PUBLIC, 0, 1, &is_public) < 0 ||
	    sql_int(e, s, q, COL_REPORTED, INT64_MIN, INT64_MAX, &w->reported_at) < 0)
		return -e->code;
	if (nat_type_parse(&unknown, nat, &w->nat) < 0)
		return sql_damaged(e, s, "nat");
	w->is_public = is_public != 0;
	return 0;
}

static int read_address(struct err *e, struct store *s, sqlite3_stmt *q, struct worker *w)
{
	char text[ADDR_STRLEN];
	struct err unknown;

	if (sqlite3_column_type(q, COL_ADDRESS) == SQLITE_NULL)
		return 0; /* a worker without addresses */
	if (sql_text(e, s, q, COL_ADDRESS, text, sizeof(text)) < 0)
		return -e->code;
	if (w->n_addresses == WORKER_ADDRESSES_MAX ||
	    addr_parse(&unknown, text, &w->addresses[w->n_addresses]) < 0)
		return sql_damaged(e, s, "worker_address");
	w->n_addresses++;
	return 0;
}

/* A worker comes as one row for each of its addresses. */
static int read_workers(struct err *e, struct store *s, sqlite3_stmt *q, struct worker_list *found)
{
	int ret;

	while ((ret = sql_row(e, s, q)) > 0) {
		struct worker w = { 0 };
		bool is_next;

		if (read_worker(e, s, q, &w) < 0)
			return -e->code;
		is_next = found->n == 0 || strcmp(found->items[found->n - 1].name, w.name) != 0;
		if ((is_next && worker_list_add(e, found, &w) < 0) ||
		    read_address(e, s, q, &found->items[found->n - 1]) < 0)
			return -e->code;
	}
	return ret;
}

int store_workers(struct err *e, struct store *s, struct worker_list *out)
{
	CLEANUP(worker_list_clear) struct worker_list found = { 0 };
	CLEANUP(sql_end) sqlite3_stmt *q = NULL;
	int ret = sql_query(e, s, SELECT_WORKERS " ORDER BY w.name, a.place", SQL_NONE, &q);

	if (ret == 0)
		ret = read_workers(e, s, q, &found);
	for (size_t i = 0; ret == 0 && i < found.n; i++)
		ret = worker_list_add(e, out, &found.items[i]);
	return ret;
}

int store_worker(struct err *e, struct store *s, const char *name, struct worker *out)
{
	CLEANUP(worker_list_clear) struct worker_list found = { 0 };
	CLEANUP(sql_end) sqlite3_stmt *q = NULL;
	int ret = sql_query(e, s, SELECT_WORKERS " WHERE w.name = ? ORDER BY a.place", SQL_VALUES(SQL_TEXT(name)),
			    &q);

	if (ret == 0)
		ret = read_workers(e, s, q, &found);
	if (ret < 0 || found.n == 0)
		return ret;
	*out = found.items[0];
	return 1;
}

int store_set_worker(struct err *e, struct store *s, const struct worker *w)
{
	char text[ADDR_STRLEN];

	if (sql_run(e, s,
		    "INSERT INTO worker (name, nat, public, reported_at) VALUES (?, ?, ?, ?)"
		    " ON CONFLICT (name) DO UPDATE SET nat = excluded.nat, public = excluded.public,"
		    " reported_at = excluded.reported_at",
		    SQL_VALUES(SQL_TEXT(w->name), SQL_TEXT(nat_type_name(w->nat)), SQL_INT(w->is_public),
			       SQL_INT(w->reported_at))) < 0 ||
	    sql_run(e, s, "DELETE FROM worker_address WHERE worker = ?", SQL_VALUES(SQL_TEXT(w->name))) < 0)
		return -e->code;
	for (size_t i = 0; i < w->n_addresses; i++)
		if (sql_run(e, s, "INSERT INTO worker_address (worker, place, address) VALUES (?, ?, ?)",
			    SQL_VALUES(SQL_TEXT(w->name), SQL_INT(i),
				       SQL_TEXT(addr_format(&w->addresses[i], text)))) < 0)
			return -e->code;
	return 0;
}

int store_delete_worker(struct err *e, struct store *s, const char *name)
{
	return sql_run(e, s, "DELETE FROM worker WHERE name = ?", SQL_VALUES(SQL_TEXT(name)));
}
