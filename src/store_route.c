/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables route and real_server. */
#include "store_sql.h"

#include <string.h>

#define ROUTE_COLUMNS                                                                                 \
	"r.id, r.container, r.container_port, r.protocol, r.kind, r.state, r.address, r.port,"        \
	" r.scheduler, r.persistence, r.opened_at, r.closing_boot, r.closing_ms,"                     \
	" r.base_conns, r.base_inpkts, r.base_outpkts, r.base_inbytes, r.base_outbytes,"              \
	" r.last_conns, r.last_inpkts, r.last_outpkts, r.last_inbytes, r.last_outbytes,"              \
	" s.address, s.port, s.weight"
enum {
	COL_ID, COL_CONTAINER, COL_CPORT, COL_PROTOCOL, COL_KIND, COL_STATE, COL_PUBLIC, COL_PUBLIC_PORT,
	COL_SCHEDULER, COL_PERSISTENCE, COL_OPENED, COL_CLOSING_BOOT, COL_CLOSING_MS,
	COL_BASE, COL_LAST = COL_BASE + 5, COL_SERVER = COL_LAST + 5, COL_WEIGHT = COL_SERVER + 2,
};

static const char *state_name(enum route_state state)
{
	return state == ROUTE_CLOSING ? "closing" : "open";
}

static int read_names(struct err *e, struct store *s, sqlite3_stmt *q, struct route *r)
{
	char state[16];

	if (sql_text(e, s, q, COL_CONTAINER, r->container, sizeof(r->container)) < 0 ||
	    sql_text(e, s, q, COL_SCHEDULER, r->scheduler, sizeof(r->scheduler)) < 0 ||
	    sql_text(e, s, q, COL_CLOSING_BOOT, r->closing.boot_id, sizeof(r->closing.boot_id)) < 0 ||
	    sql_text(e, s, q, COL_STATE, state, sizeof(state)) < 0 ||
	    sql_kind(e, s, q, COL_KIND, &r->kind) < 0)
		return -e->code;
	r->state = strcmp(state, "closing") == 0 ? ROUTE_CLOSING : ROUTE_OPEN;
	if (strcmp(state, state_name(r->state)) != 0)
		return sql_damaged(e, s, "state");
	return 0;
}

static int read_numbers(struct err *e, struct store *s, sqlite3_stmt *q, struct route *r)
{
	int64_t cport, protocol, persistence;

	if (sql_int(e, s, q, COL_ID, 1, INT64_MAX, &r->id) < 0 ||
	    sql_int(e, s, q, COL_CPORT, 1, 65535, &cport) < 0 ||
	    sql_int(e, s, q, COL_PROTOCOL, 1, 255, &protocol) < 0 ||
	    sql_int(e, s, q, COL_PERSISTENCE, 0, UINT32_MAX, &persistence) < 0 ||
	    sql_int(e, s, q, COL_OPENED, INT64_MIN, INT64_MAX, &r->opened_at) < 0 ||
	    sql_int(e, s, q, COL_CLOSING_MS, 0, INT64_MAX, &r->closing.ms) < 0 ||
	    sql_endpoint(e, s, q, COL_PUBLIC, &r->public) < 0 ||
	    sql_counters(e, s, q, COL_BASE, &r->account.base) < 0 ||
	    sql_counters(e, s, q, COL_LAST, &r->account.last) < 0)
		return -e->code;
	r->cport = (uint16_t)cport;
	r->protocol = (uint8_t)protocol;
	r->persistence = (uint32_t)persistence;
	return 0;
}

static int read_server(struct err *e, struct store *s, sqlite3_stmt *q, struct route *r)
{
	struct real_server rs;
	int64_t weight;

	if (sqlite3_column_type(q, COL_SERVER) == SQLITE_NULL)
		return 0; /* a route without real servers */
	if (sql_endpoint(e, s, q, COL_SERVER, &rs.real) < 0 ||
	    sql_int(e, s, q, COL_WEIGHT, 0, INT32_MAX, &weight) < 0)
		return -e->code;
	rs.weight = (uint32_t)weight;
	return route_add_server(e, r, &rs);
}

/* A route comes as one row for each of its real servers. */
static int read_row(struct err *e, struct store *s, sqlite3_stmt *q, struct route_list *list)
{
	CLEANUP(route_clear) struct route r = { 0 };

	if (list->n == 0 || list->items[list->n - 1].id != sqlite3_column_int64(q, COL_ID)) {
		if (read_names(e, s, q, &r) < 0 || read_numbers(e, s, q, &r) < 0 ||
		    route_list_take(e, list, &r) < 0)
			return -e->code;
	}
	return read_server(e, s, q, &list->items[list->n - 1]);
}

/* The texts differ so that SQLite uses the index for each: the closing ones are few. */
static const char *query_text(const struct route_filter *f)
{
#define SELECT_ROUTES(from, where)                                                          \
	"SELECT " ROUTE_COLUMNS " FROM route r " from " LEFT JOIN real_server s ON s.route = r.id" \
	" WHERE " where " AND (?2 = 0 OR r.container_port = ?2) AND (?3 = 0 OR r.protocol = ?3)" \
	" AND (?4 IS NULL OR r.state = ?4)"                                           \
	" ORDER BY r.container, r.container_port, r.protocol, r.id"
	if (f->container)
		return SELECT_ROUTES("", "r.container = ?1");
	if (f->state == ROUTE_CLOSING)
		return SELECT_ROUTES("INDEXED BY route_closing", "?1 IS NULL AND r.state = 'closing'");
	return SELECT_ROUTES("", "?1 IS NULL");
#undef SELECT_ROUTES
}

static int read_rows(struct err *e, struct store *s, sqlite3_stmt *q, struct route_list *out)
{
	CLEANUP(route_list_clear) struct route_list found = { 0 };
	int ret;

	while ((ret = sql_row(e, s, q)) > 0)
		if (read_row(e, s, q, &found) < 0)
			return -e->code;
	for (size_t i = 0; ret == 0 && i < found.n; i++)
		ret = route_list_take(e, out, &found.items[i]);
	return ret;
}

int store_routes(struct err *e, struct store *s, const struct route_filter *f, struct route_list *out)
{
	CLEANUP(sql_end) sqlite3_stmt *q = NULL;
	const char *state = f->state < 0 ? NULL : state_name((enum route_state)f->state);

	if (sql_query(e, s, query_text(f),
		      SQL_VALUES(SQL_TEXT(f->container), SQL_INT(f->cport), SQL_INT(f->protocol),
				 SQL_TEXT(state)),
		      &q) < 0)
		return -e->code;
	return read_rows(e, s, q, out);
}

int store_settled_routes(struct err *e, struct store *s, const struct boottime *instant, size_t limit,
			 struct route_list *out)
{
	CLEANUP(sql_end) sqlite3_stmt *q = NULL;

	(void)limit;
	if (sql_query(e, s,
		      "SELECT " ROUTE_COLUMNS " FROM route r INDEXED BY route_closing"
		      " LEFT JOIN real_server s ON s.route = r.id WHERE r.state = 'closing' AND (r.closing_boot <> ? OR r.closing_ms <= ?"
		      " OR r.closing_ms = ?) ORDER BY r.id",
		      SQL_VALUES(SQL_TEXT(instant->boot_id), SQL_INT(instant->ms),
				 SQL_INT(BOOTTIME_NEVER)), &q) < 0)
		return -e->code;
	return read_rows(e, s, q, out);
}

static int add_servers(struct err *e, struct store *s, const struct route *r, int64_t id)
{
	for (size_t i = 0; i < r->n_servers; i++) {
		const struct real_server *rs = &r->servers[i];
		char text[ADDR_STRLEN];

		if (sql_run(e, s, "INSERT INTO real_server (route, address, port, weight) VALUES (?, ?, ?, ?)",
			    SQL_VALUES(SQL_INT(id), SQL_TEXT(addr_format(&rs->real.addr, text)),
				       SQL_INT(rs->real.port), SQL_INT(rs->weight))) < 0)
			return -e->code;
	}
	return 0;
}

static const char *closing_boot(const struct route *r)
{
	return r->state == ROUTE_CLOSING ? r->closing.boot_id : NULL;
}

int store_add_route(struct err *e, struct store *s, struct route *r)
{
	char public[ADDR_STRLEN];
	int64_t id;

	if (sql_run(e, s,
		    "INSERT INTO route (container, container_port, protocol, kind, state, address, port,"
		    " scheduler, persistence, opened_at, closing_boot, closing_ms)"
		    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		    SQL_VALUES(SQL_TEXT(r->container), SQL_INT(r->cport), SQL_INT(r->protocol),
			       SQL_TEXT(sql_kind_name(r->kind)), SQL_TEXT(state_name(r->state)),
			       SQL_TEXT(addr_format(&r->public.addr, public)), SQL_INT(r->public.port),
			       SQL_TEXT(r->scheduler), SQL_INT(r->persistence), SQL_INT(r->opened_at),
			       SQL_TEXT(closing_boot(r)), SQL_INT(r->closing.ms))) < 0)
		return -e->code;
	id = sqlite3_last_insert_rowid(s->db);
	if (add_servers(e, s, r, id) < 0 || store_set_account(e, s, id, &r->account) < 0)
		return -e->code;
	r->id = id;
	return 0;
}

int store_set_route(struct err *e, struct store *s, const struct route *r)
{
	char public[ADDR_STRLEN];

	if (sql_run(e, s,
		    "UPDATE route SET container = ?, container_port = ?, protocol = ?, kind = ?, state = ?,"
		    " address = ?, port = ?, scheduler = ?, persistence = ?, opened_at = ?,"
		    " closing_boot = ?, closing_ms = ? WHERE id = ?",
		    SQL_VALUES(SQL_TEXT(r->container), SQL_INT(r->cport), SQL_INT(r->protocol),
			       SQL_TEXT(sql_kind_name(r->kind)), SQL_TEXT(state_name(r->state)),
			       SQL_TEXT(addr_format(&r->public.addr, public)), SQL_INT(r->public.port),
			       SQL_TEXT(r->scheduler), SQL_INT(r->persistence), SQL_INT(r->opened_at),
			       SQL_TEXT(closing_boot(r)), SQL_INT(r->closing.ms), SQL_INT(r->id))) < 0 ||
	    sql_run(e, s, "DELETE FROM real_server WHERE route = ?", SQL_VALUES(SQL_INT(r->id))) < 0 ||
	    add_servers(e, s, r, r->id) < 0)
		return -e->code;
	return store_set_account(e, s, r->id, &r->account);
}

int store_set_account(struct err *e, struct store *s, int64_t id, const struct account *a)
{
	struct counters total = account_total(a);

	if (sql_check_counters(e, &a->base) < 0 || sql_check_counters(e, &a->last) < 0 ||
	    sql_check_counters(e, &total) < 0)
		return -e->code;
	return sql_run(e, s,
		       "UPDATE route SET base_conns = ?, base_inpkts = ?, base_outpkts = ?,"
		       " base_inbytes = ?, base_outbytes = ?, last_conns = ?, last_inpkts = ?,"
		       " last_outpkts = ?, last_inbytes = ?, last_outbytes = ? WHERE id = ?",
		       SQL_VALUES(SQL_COUNTERS(a->base), SQL_COUNTERS(a->last), SQL_INT(id)));
}

int store_forget_route(struct err *e, struct store *s, int64_t id)
{
	return sql_run(e, s, "DELETE FROM route WHERE id = ?", SQL_VALUES(SQL_INT(id)));
}

int store_server_is_used(struct err *e, struct store *s, uint8_t protocol, const struct endpoint *real,
			 bool *out)
{
	CLEANUP(sql_end) sqlite3_stmt *q = NULL;
	char text[ADDR_STRLEN];
	int ret = sql_query(e, s,
			    "SELECT 1 FROM real_server s JOIN route r ON r.id = s.route"
			    " WHERE s.address = ? AND s.port = ? AND r.protocol = ? AND r.state = 'open'",
			    SQL_VALUES(SQL_TEXT(addr_format(&real->addr, text)), SQL_INT(real->port),
				       SQL_INT(protocol)), &q);

	if (ret == 0)
		ret = sql_row(e, s, q);
	if (ret < 0)
		return ret;
	*out = ret > 0;
	return 0;
}
