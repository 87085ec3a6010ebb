/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables uncertain and checkpoint: when accounts were complete, and of which time they are not. */
#include "store_sql.h"

#include <string.h>

int store_add_uncertain(struct err *e, struct store *s, const struct uncertain *u)
{
	return sql_run(e, s,
		       "INSERT OR IGNORE INTO uncertain (route, container, container_port, protocol, since, until, why)"
		       " VALUES (?, ?, ?, ?, ?, ?, ?)",
		       SQL_VALUES(SQL_INT(u->route), SQL_TEXT(u->container), SQL_INT(u->cport), SQL_INT(u->protocol),
				  SQL_INT(u->since), SQL_INT(u->until), SQL_TEXT(uncertain_why_name(u->why))));
}

static int read_why(struct err *e, struct store *s, sqlite3_stmt *q, int column, enum uncertain_why *out)
{
	char name[16];

	if (sql_text(e, s, q, column, name, sizeof(name)) < 0)
		return -e->code;
	for (int why = UNCERTAIN_REMOVED; why <= UNCERTAIN_REBOOT; why++) {
		if (strcmp(name, uncertain_why_name((enum uncertain_why)why)) == 0) {
			*out = (enum uncertain_why)why;
			return 0;
		}
	}
	return sql_damaged(e, s, "why");
}

static int read_uncertain(struct err *e, struct store *s, sqlite3_stmt *q, struct uncertain *u)
{
	int64_t cport, protocol;

	if (sql_int(e, s, q, 0, 1, INT64_MAX, &u->route) < 0 ||
	    sql_text(e, s, q, 1, u->container, sizeof(u->container)) < 0 ||
	    sql_int(e, s, q, 2, 1, 65535, &cport) < 0 || sql_int(e, s, q, 3, 1, 255, &protocol) < 0 ||
	    sql_int(e, s, q, 4, INT64_MIN, INT64_MAX, &u->since) < 0 ||
	    sql_int(e, s, q, 5, INT64_MIN, INT64_MAX, &u->until) < 0 || read_why(e, s, q, 6, &u->why) < 0)
		return -e->code;
	u->cport = (uint16_t)cport;
	u->protocol = (uint8_t)protocol;
	return 0;
}

static int add_to_list(struct err *e, struct uncertain_list *list, const struct uncertain *u)
{
	if (base_reserve((void **)&list->items, list->n, sizeof(*u)) < 0)
		return err_set(e, ENOMEM, "out of memory");
	list->items[list->n++] = *u;
	return 0;
}

static int query_uncertain(struct err *e, struct store *s, const char *container, int64_t since, sqlite3_stmt **out)
{
#define SELECT_UNCERTAIN(where)                                                                       \
	"SELECT route, container, container_port, protocol, since, until, why FROM uncertain WHERE until >= ?1" \
	where " ORDER BY container, since"
	if (!container)
		return sql_query(e, s, SELECT_UNCERTAIN(""), SQL_VALUES(SQL_INT(since)), out);
	return sql_query(e, s, SELECT_UNCERTAIN(" AND container = ?2"),
			 SQL_VALUES(SQL_INT(since), SQL_TEXT(container)), out);
#undef SELECT_UNCERTAIN
}

int store_uncertain(struct err *e, struct store *s, const char *container, int64_t since, struct uncertain_list *out)
{
	CLEANUP(uncertain_list_clear) struct uncertain_list found = { 0 };
	CLEANUP(sql_end) sqlite3_stmt *q = NULL;
	struct uncertain u;
	int ret = query_uncertain(e, s, container, since, &q);

	while (ret == 0 && (ret = sql_row(e, s, q)) > 0)
		ret = read_uncertain(e, s, q, &u) < 0 ? -e->code : add_to_list(e, &found, &u);
	for (size_t i = 0; ret == 0 && i < found.n; i++)
		ret = add_to_list(e, out, &found.items[i]);
	return ret;
}

void uncertain_list_clear(struct uncertain_list *list)
{
	free(list->items);
	*list = (struct uncertain_list){ 0 };
}

int store_last_checkpoint(struct err *e, struct store *s, int64_t *out)
{
	CLEANUP(sql_end) sqlite3_stmt *q = NULL;
	int ret = sql_query(e, s, "SELECT at FROM checkpoint", SQL_NONE, &q);

	if (ret == 0)
		ret = sql_row(e, s, q);
	if (ret > 0 && sql_int(e, s, q, 0, INT64_MIN, INT64_MAX, out) < 0)
		return -e->code;
	return ret;
}

int store_set_checkpoint(struct err *e, struct store *s, int64_t at)
{
	return sql_run(e, s, "INSERT OR REPLACE INTO checkpoint (rowid, at) VALUES (1, ?)", SQL_VALUES(SQL_INT(at)));
}
