/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table route as who counts reads it. */
#include "store_sql.h"

/* Of few routes a real server drains: that table is not joined. */
#define SELECT_ACCOUNTS                                                                               \
	"SELECT id, container, container_port, protocol, kind, state, address, port, opened_at, closing_boot," \
	" id IN (SELECT route FROM real_server INDEXED BY real_server_draining WHERE drain_boot IS NOT NULL)," \
	" base_conns, base_inpkts, base_outpkts, base_inbytes, base_outbytes,"                        \
	" last_conns, last_inpkts, last_outpkts, last_inbytes, last_outbytes, epoch_boot FROM route"
#define BY_NAME " ORDER BY container, container_port, protocol, id"
enum {
	COL_ID, COL_CONTAINER, COL_CPORT, COL_PROTOCOL, COL_KIND, COL_STATE, COL_PUBLIC, COL_OPENED = COL_PUBLIC + 2,
	COL_CLOSING_BOOT, COL_DRAINS, COL_BASE, COL_LAST = COL_BASE + 5, COL_EPOCH_BOOT = COL_LAST + 5,
};

static int read_name(struct err *e, struct store *s, sqlite3_stmt *q, struct route *r)
{
	int64_t cport, protocol;

	if (sql_int(e, s, q, COL_ID, 1, INT64_MAX, &r->id) < 0 ||
	    sql_text(e, s, q, COL_CONTAINER, r->container, sizeof(r->container)) < 0 ||
	    sql_int(e, s, q, COL_CPORT, 1, 65535, &cport) < 0 ||
	    sql_int(e, s, q, COL_PROTOCOL, 1, 255, &protocol) < 0)
		return -e->code;
	r->cport = (uint16_t)cport;
	r->protocol = (uint8_t)protocol;
	return 0;
}

static int read_account(struct err *e, struct store *s, sqlite3_stmt *q, struct route *r)
{
	if (read_name(e, s, q, r) < 0 || sql_kind(e, s, q, COL_KIND, &r->kind) < 0 ||
	    sql_state(e, s, q, COL_STATE, &r->state) < 0 || sql_endpoint(e, s, q, COL_PUBLIC, &r->public) < 0 ||
	    sql_int(e, s, q, COL_OPENED, INT64_MIN, INT64_MAX, &r->opened_at) < 0 ||
	    sql_text(e, s, q, COL_CLOSING_BOOT, r->closing.boot_id, sizeof(r->closing.boot_id)) < 0 ||
	    sql_counters(e, s, q, COL_BASE, &r->account.base) < 0 ||
	    sql_counters(e, s, q, COL_LAST, &r->account.last) < 0)
		return -e->code;
	return sql_text(e, s, q, COL_EPOCH_BOOT, r->account.boot, sizeof(r->account.boot));
}

static int read_servers(struct err *e, struct store *s, struct route *r)
{
	CLEANUP(sql_end) sqlite3_stmt *q = NULL;
	int ret = sql_query(e, s, "SELECT " SQL_SERVER " FROM real_server s WHERE route = ?",
			    SQL_VALUES(SQL_INT(r->id)), &q);

	while (ret == 0 && (ret = sql_row(e, s, q)) > 0)
		ret = sql_server(e, s, q, 0, r);
	return ret;
}

int store_each_account(struct err *e, struct store *s, const char *container, store_route_fn *fn, void *ctx)
{
	static const char all[] = SELECT_ACCOUNTS BY_NAME, one[] = SELECT_ACCOUNTS " WHERE container = ?" BY_NAME;
	CLEANUP(route_clear) struct route r = { 0 };
	CLEANUP(sql_end) sqlite3_stmt *q = NULL;
	int ret = container ? sql_query(e, s, one, SQL_VALUES(SQL_TEXT(container)), &q)
			    : sql_query(e, s, all, SQL_NONE, &q);

	while (ret == 0 && (ret = sql_row(e, s, q)) > 0) {
		r.n_servers = 0; /* the memory stays, for the next ones */
		ret = read_account(e, s, q, &r);
		if (ret == 0 && sqlite3_column_int(q, COL_DRAINS))
			ret = read_servers(e, s, &r);
		if (ret == 0)
			ret = fn(e, ctx, &r);
	}
	return ret;
}
