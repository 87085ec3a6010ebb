/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table setup: what sonm-gw-setup changed. */
#include "store_sql.h"

static int read_record(struct err *e, struct store *s, sqlite3_stmt *q, struct setup_record *r)
{
	if (sql_text(e, s, q, 0, r->step, sizeof(r->step)) < 0 ||
	    sql_text(e, s, q, 1, r->former, sizeof(r->former)) < 0 ||
	    sql_text(e, s, q, 2, r->applied, sizeof(r->applied)) < 0 ||
	    sql_text(e, s, q, 3, r->boot_id, sizeof(r->boot_id)) < 0)
		return -e->code;
	return 0;
}

int store_setup_get(struct err *e, struct store *s, const char *step, struct setup_record *out)
{
	CLEANUP(sql_end) sqlite3_stmt *q = NULL;
	struct setup_record found;
	int ret = sql_query(e, s, "SELECT step, former, applied, boot FROM setup WHERE step = ?",
			    SQL_VALUES(SQL_TEXT(step)), &q);

	if (ret == 0)
		ret = sql_row(e, s, q);
	if (ret <= 0)
		return ret;
	if (read_record(e, s, q, &found) < 0)
		return -e->code;
	*out = found;
	return 1;
}

int store_setup_put(struct err *e, struct store *s, const struct setup_record *r)
{
	return sql_run(e, s,
		       "INSERT INTO setup (step, former, applied, boot) VALUES (?, ?, ?, ?)"
		       " ON CONFLICT (step) DO UPDATE SET former = excluded.former, applied = excluded.applied, boot = excluded.boot",
		       SQL_VALUES(SQL_TEXT(r->step), SQL_TEXT(r->former), SQL_TEXT(r->applied), SQL_TEXT(r->boot_id)));
}

int store_setup_delete(struct err *e, struct store *s, const char *step)
{
	return sql_run(e, s, "DELETE FROM setup WHERE step = ?", SQL_VALUES(SQL_TEXT(step)));
}

int store_setup_list(struct err *e, struct store *s, struct setup_record **out, size_t *n)
{
	CLEANUP(sql_end) sqlite3_stmt *q = NULL;
	CLEANUP_FREE struct setup_record *list = NULL;
	size_t found = 0;
	int ret = sql_query(e, s, "SELECT step, former, applied, boot FROM setup ORDER BY seq DESC", SQL_NONE, &q);

	while (ret == 0 && (ret = sql_row(e, s, q)) > 0) {
		if (base_reserve((void **)&list, found, sizeof(*list)) < 0)
			return err_set(e, ENOMEM, "out of memory");
		if (read_record(e, s, q, &list[found]) < 0)
			return -e->code;
		found++;
		ret = 0;
	}
	if (ret < 0)
		return ret;
	*out = steal_ptr(list);
	*n = found;
	return 0;
}
