/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables route and real_server. */
#include "store_traffic.h"

#include <string.h>

/* The account comes last, as whoever shows a list leaves it out. */
#define LISTED_COLUMNS                                                                                \
	"r.id, r.container, r.container_port, r.protocol, r.worker, r.kind, r.state, r.address, r.port," \
	" r.scheduler, r.persistence, r.opened_at, r.closing_boot, r.closing_ms,"                     \
	" " SQL_SERVER
#define ROUTE_COLUMNS                                                                                 \
	LISTED_COLUMNS ", r.base_conns, r.base_inpkts, r.base_outpkts, r.base_inbytes, r.base_outbytes,"   \
	" r.last_conns, r.last_inpkts, r.last_outpkts, r.last_inbytes, r.last_outbytes, r.epoch_boot"
enum {
	COL_ID, COL_CONTAINER, COL_CPORT, COL_PROTOCOL, COL_WORKER, COL_KIND, COL_STATE, COL_PUBLIC,
	COL_PUBLIC_PORT, COL_SCHEDULER, COL_PERSISTENCE, COL_OPENED, COL_CLOSING_BOOT, COL_CLOSING_MS,
	COL_SERVER, COL_BASE = COL_SERVER + 5, COL_LAST = COL_BASE + 5,
	COL_EPOCH_BOOT = COL_LAST + 5,
};

static int read_names(struct err *e, struct store *s, sqlite3_stmt *q, struct route *r)
{
	if (sql_text(e, s, q, COL_CONTAINER, r->container, sizeof(r->container)) < 0 ||
	    sql_text(e, s, q, COL_WORKER, r->worker, sizeof(r->worker)) < 0 ||
	    sql_text(e, s, q, COL_SCHEDULER, r->scheduler, sizeof(r->scheduler)) < 0 ||
	    sql_text(e, s, q, COL_CLOSING_BOOT, r->closing.boot_id, sizeof(r->closing.boot_id)) < 0 ||
	    sql_state(e, s, q, COL_STATE, &r->state) < 0)
		return -e->code;
	return sql_kind(e, s, q, COL_KIND, &r->kind);
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
	    sql_endpoint(e, s, q, COL_PUBLIC, &r->public) < 0)
		return -e->code;
	r->cport = (uint16_t)cport;
	r->protocol = (uint8_t)protocol;
	r->persistence = (uint32_t)persistence;
	return 0;
}

static int read_account(struct err *e, struct store *s, sqlite3_stmt *q, struct account *a)
{
	if (sql_counters(e, s, q, COL_BASE, &a->base) < 0 || sql_counters(e, s, q, COL_LAST, &a->last) < 0)
		return -e->code;
	return sql_text(e, s, q, COL_EPOCH_BOOT, a->boot, sizeof(a->boot));
}

static int read_server(struct err *e, struct store *s, sqlite3_stmt *q, struct route *r)
{
	if (sqlite3_column_type(q, COL_SERVER) == SQLITE_NULL)
		return 0; /* a route without real servers */
	return sql_server(e, s, q, COL_SERVER, r);
}

/* A route comes as one row for each of its real servers. */
static int read_row(struct err *e, struct store *s, sqlite3_stmt *q, struct route_list *list)
{
	CLEANUP(route_clear) struct route r = { 0 };

	if (list->n == 0 || list->items[list->n - 1].id != sqlite3_column_int64(q, COL_ID)) {
		if (read_names(e, s, q, &r) < 0 || read_numbers(e, s, q, &r) < 0 ||
		    read_account(e, s, q, &r.account) < 0 || route_list_take(e, list, &r) < 0)
			return -e->code;
	}
	return read_server(e, s, q, &list->items[list->n - 1]);
}

#define SELECT_COLUMNS(columns, from) "SELECT " columns " FROM " from " LEFT JOIN real_server s ON s.route = r.id"
#define SELECT_ROUTES(from) SELECT_COLUMNS(ROUTE_COLUMNS, from)
#define BY_NAME " ORDER BY r.container, r.container_port, r.protocol, r.id"

/* The texts differ so that SQLite uses the index for each: the closing ones are few. */
static const char *query_text(const struct route_filter *f)
{
#define SELECT_FILTERED(from, where)                                                       \
	SELECT_ROUTES(from) " WHERE " where " AND (?2 = 0 OR r.container_port = ?2)"        \
	" AND (?3 = 0 OR r.protocol = ?3) AND (?4 IS NULL OR r.state = ?4)" BY_NAME
	if (f->container)
		return SELECT_FILTERED("route r", "r.container = ?1");
	if (f->state == ROUTE_CLOSING)
		return SELECT_FILTERED("route r INDEXED BY route_closing", "?1 IS NULL AND r.state = 'closing'");
	return SELECT_FILTERED("route r", "?1 IS NULL");
#undef SELECT_FILTERED
}

static int read_rows(struct err *e, struct store *s, sqlite3_stmt *q, struct route_list *out)
{
	CLEANUP(route_list_clear) struct route_list found = { 0 };
	int ret;

	while ((ret = sql_row(e, s, q)) > 0)
		if (read_row(e, s, q, &found) < 0)
			return -e->code;
	if (ret == 0 && !out->items) { /* as a rule; then many need not be moved */
		*out = found;
		found = (struct route_list){ 0 };
	}
	for (size_t i = 0; ret == 0 && i < found.n; i++)
		ret = route_list_take(e, out, &found.items[i]);
	return ret;
}

int store_routes(struct err *e, struct store *s, const struct route_filter *f, struct route_list *out)
{
	CLEANUP(sql_end) sqlite3_stmt *q = NULL;
	const char *state = f->state < 0 ? NULL : sql_state_name((enum route_state)f->state);
	int ret = 1;

	/* A new container has none, and the whole query takes SQLite ten times as long to prepare. */
	if (f->container)
		ret = sql_has_row(e, s, "SELECT 1 FROM route WHERE container = ?",
				  SQL_VALUES(SQL_TEXT(f->container)));
	if (ret <= 0)
		return ret;
	if (sql_query(e, s, query_text(f),
		      SQL_VALUES(SQL_TEXT(f->container), SQL_INT(f->cport), SQL_INT(f->protocol),
				 SQL_TEXT(state)),
		      &q) < 0)
		return -e->code;
	return read_rows(e, s, q, out);
}

/* The next route, with all its rows, of which q stands at the first: 1, or 0 if there is none after it. */
static int read_listed(struct err *e, struct store *s, sqlite3_stmt *q, struct route *r)
{
	int ret;

	r->n_servers = 0; /* the memory stays, for the next ones */
	if (read_names(e, s, q, r) < 0 || read_numbers(e, s, q, r) < 0)
		return -e->code;
	do
		ret = read_server(e, s, q, r) < 0 ? -e->code : sql_row(e, s, q);
	while (ret > 0 && sqlite3_column_int64(q, COL_ID) == r->id);
	return ret;
}

int store_each_route(struct err *e, struct store *s, const char *container, store_route_fn *fn, void *ctx)
{
	static const char all[] = SELECT_COLUMNS(LISTED_COLUMNS, "route r") BY_NAME;
	static const char one[] = SELECT_COLUMNS(LISTED_COLUMNS, "route r") " WHERE r.container = ?" BY_NAME;
	CLEANUP(route_clear) struct route r = { 0 };
	CLEANUP(sql_end) sqlite3_stmt *q = NULL;
	int ret = container ? sql_query(e, s, one, SQL_VALUES(SQL_TEXT(container)), &q)
			    : sql_query(e, s, all, SQL_NONE, &q);

	if (ret == 0)
		ret = sql_row(e, s, q);
	while (ret > 0) {
		ret = read_listed(e, s, q, &r);
		if (ret >= 0 && fn(e, ctx, &r) < 0)
			return -e->code;
	}
	return ret;
}

int store_worker_routes(struct err *e, struct store *s, const char *name, struct route_list *out)
{
	CLEANUP(sql_end) sqlite3_stmt *q = NULL;

	if (sql_query(e, s, SELECT_ROUTES("route r") " WHERE r.worker = ?" BY_NAME, SQL_VALUES(SQL_TEXT(name)),
		      &q) < 0)
		return -e->code;
	return read_rows(e, s, q, out);
}

/* 1: the first instant in an index after this one, 0: there is none. */
static int first_instant(struct err *e, struct store *s, const char *sql, const char *boot, int64_t ms,
			 struct boottime *out)
{
	CLEANUP(sql_end) sqlite3_stmt *q = NULL;
	int ret = sql_query(e, s, sql, SQL_VALUES(SQL_TEXT(boot), SQL_INT(ms)), &q);

	if (ret == 0)
		ret = sql_row(e, s, q);
	if (ret > 0 && (sql_text(e, s, q, 0, out->boot_id, sizeof(out->boot_id)) < 0 ||
			sql_int(e, s, q, 1, 0, INT64_MAX, &out->ms) < 0))
		return -e->code;
	return ret;
}

/*
 * Is any instant of another boot than now's, or not after now, or after
 * skipped? Everybody who comes asks, and hardly ever is there anything: the
 * query that finds it all takes SQLite ten times as long to prepare.
 */
static int is_any_due(struct err *e, struct store *s, const char *sql, const struct boottime *now, int64_t skipped)
{
	struct boottime first = { 0 };
	int ret = first_instant(e, s, sql, "", -1, &first);

	if (ret <= 0 || strcmp(first.boot_id, now->boot_id) != 0 || first.ms <= now->ms)
		return ret;
	return first_instant(e, s, sql, now->boot_id, skipped, &first);
}

/*
 * Which of many are due. Each part is one stretch of an index, and ends where
 * the limit does: what is not due yet costs nothing.
 */
#define DUE_ROUTES(parts, order)                                                             \
	SELECT_ROUTES("(SELECT DISTINCT id FROM (" parts ") LIMIT ?3) due CROSS JOIN route r ON r.id = due.id") order
#define LIMITED(part) "SELECT * FROM (" part " LIMIT ?3)"

static int64_t sql_limit(size_t limit)
{
	return limit == 0 || limit > INT64_MAX ? -1 : (int64_t)limit; /* -1: none */
}

int store_settled_routes(struct err *e, struct store *s, const struct boottime *instant, size_t limit,
			 struct route_list *out)
{
#define CLOSING(condition)                                                                     \
	LIMITED("SELECT id FROM route INDEXED BY route_closing WHERE state = 'closing' AND " condition \
		" ORDER BY closing_boot, closing_ms, id")
	static const char instants[] = "SELECT closing_boot, closing_ms FROM route INDEXED BY route_closing"
				       " WHERE state = 'closing' AND (closing_boot, closing_ms) > (?, ?)"
				       " ORDER BY closing_boot, closing_ms LIMIT 1";
	CLEANUP(sql_end) sqlite3_stmt *q = NULL;
	int ret = is_any_due(e, s, instants, instant, BOOTTIME_NEVER - 1);

	if (ret <= 0)
		return ret;
	if (sql_query(e, s,
		      DUE_ROUTES(CLOSING("closing_boot < ?1") " UNION ALL " CLOSING("closing_boot > ?1") " UNION ALL "
				 CLOSING("closing_boot = ?1 AND closing_ms <= ?2") " UNION ALL "
				 CLOSING("closing_boot = ?1 AND closing_ms = ?4"),
				 " ORDER BY r.closing_boot = ?1, r.closing_boot, r.closing_ms, r.id"),
		      SQL_VALUES(SQL_TEXT(instant->boot_id), SQL_INT(instant->ms), SQL_INT(sql_limit(limit)),
				 SQL_INT(BOOTTIME_NEVER)),
		      &q) < 0)
		return -e->code;
	return read_rows(e, s, q, out);
#undef CLOSING
}

int store_draining_routes(struct err *e, struct store *s, const struct boottime *instant, bool due_only,
			  size_t limit, struct route_list *out)
{
/* CROSS JOIN: SQLite is not to begin with the open routes. */
#define DRAINING(condition)                                                                    \
	LIMITED("SELECT DISTINCT r.id AS id FROM real_server d INDEXED BY real_server_draining" \
		" CROSS JOIN route r ON r.id = d.route WHERE d.drain_boot " condition " AND r.state = 'open'")
	static const char due[] = DUE_ROUTES(DRAINING("< ?1") " UNION ALL " DRAINING("> ?1") " UNION ALL "
					     DRAINING("= ?1 AND d.drain_ms <= ?2"), " ORDER BY r.id");
	static const char all[] = DUE_ROUTES(DRAINING("IS NOT NULL"), " ORDER BY r.id");
	static const char instants[] = "SELECT drain_boot, drain_ms FROM real_server INDEXED BY real_server_draining"
				       " WHERE drain_boot IS NOT NULL AND (drain_boot, drain_ms) > (?, ?)"
				       " ORDER BY drain_boot, drain_ms LIMIT 1";
	static const struct boottime end = { .ms = INT64_MAX };
	CLEANUP(sql_end) sqlite3_stmt *q = NULL;
	int ret = is_any_due(e, s, instants, due_only ? instant : &end, INT64_MAX);

	if (ret <= 0)
		return ret;
	if (sql_query(e, s, due_only ? due : all,
		      SQL_VALUES(SQL_TEXT(instant->boot_id), SQL_INT(instant->ms), SQL_INT(sql_limit(limit))), &q) < 0)
		return -e->code;
	return read_rows(e, s, q, out);
#undef DRAINING
}

/* What is written of a route, in the order of stored_values(). */
#define STORED_COLUMNS                                                                          \
	"container, container_port, protocol, worker, kind, state, address, port, scheduler, persistence," \
	" opened_at, closing_boot, closing_ms,"                                                 \
	" base_conns, base_inpkts, base_outpkts, base_inbytes, base_outbytes,"                  \
	" last_conns, last_inpkts, last_outpkts, last_inbytes, last_outbytes, epoch_boot"
#define STORED_VALUES                                                                           \
	"?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24"
#define STORED 24

/* Text or, where it says nothing, NULL. */
static struct sql_value text_or_null(const char *text)
{
	return SQL_TEXT(text[0] ? text : NULL);
}

/* public: room for the text of an address that is among the values. */
static void stored_values(const struct route *r, char public[static ADDR_STRLEN],
			  struct sql_value out[static STORED])
{
	const struct sql_value values[] = {
		SQL_TEXT(r->container), SQL_INT(r->cport), SQL_INT(r->protocol), text_or_null(r->worker),
		SQL_TEXT(sql_kind_name(r->kind)), SQL_TEXT(sql_state_name(r->state)),
		SQL_TEXT(addr_format(&r->public.addr, public)), SQL_INT(r->public.port),
		SQL_TEXT(r->scheduler), SQL_INT(r->persistence), SQL_INT(r->opened_at),
		SQL_TEXT(r->state == ROUTE_CLOSING ? r->closing.boot_id : NULL), SQL_INT(r->closing.ms),
		SQL_COUNTERS(r->account.base), SQL_COUNTERS(r->account.last), text_or_null(r->account.boot),
	};

	_Static_assert(ARRAY_LEN(values) == STORED, "a value for each column");
	memcpy(out, values, sizeof(values));
}

static int check_account(struct err *e, const struct account *a, struct counters *total)
{
	*total = account_total(a);
	if (sql_check_counters(e, &a->base) < 0 || sql_check_counters(e, &a->last) < 0)
		return -e->code;
	return sql_check_counters(e, total);
}

static int add_server(struct err *e, struct store *s, int64_t id, const struct real_server *rs)
{
	char text[ADDR_STRLEN];
	struct sql_value until = server_is_draining(rs) ? SQL_INT(rs->drain.ms) : SQL_TEXT(NULL);

	return sql_run(e, s,
		       "INSERT INTO real_server (route, address, port, weight, drain_boot, drain_ms)"
		       " VALUES (?, ?, ?, ?, ?, ?)",
		       SQL_VALUES(SQL_INT(id), SQL_TEXT(addr_format(&rs->real.addr, text)), SQL_INT(rs->real.port),
				  SQL_INT(rs->weight), text_or_null(rs->drain.boot_id), until));
}

static int add_servers(struct err *e, struct store *s, const struct route *r, int64_t id)
{
	for (size_t i = 0; i < r->n_servers; i++)
		if (add_server(e, s, id, &r->servers[i]) < 0)
			return -e->code;
	return 0;
}

int store_add_route(struct err *e, struct store *s, struct route *r)
{
	static const struct counters nothing = { 0 };
	struct sql_value values[STORED];
	char public[ADDR_STRLEN];
	struct counters total;
	int64_t id;

	stored_values(r, public, values);
	if (check_account(e, &r->account, &total) < 0 ||
	    sql_run(e, s, "INSERT INTO route (" STORED_COLUMNS ") VALUES (" STORED_VALUES ")", values, STORED) < 0)
		return -e->code;
	id = sqlite3_last_insert_rowid(s->db);
	if (traffic_add_growth(e, s, r->container, &nothing, &total) < 0 || add_servers(e, s, r, id) < 0)
		return -e->code;
	r->id = id;
	return 0;
}

/* The file says what it was, and under which name. */
static int add_growth(struct err *e, struct store *s, const struct route *r, const struct counters *total)
{
	CLEANUP(sql_end) sqlite3_stmt *q = NULL;
	char container[CONTAINER_MAX + 1];
	struct counters before;
	int ret = sql_query(e, s,
			    "SELECT container, base_conns + last_conns, base_inpkts + last_inpkts,"
			    " base_outpkts + last_outpkts, base_inbytes + last_inbytes,"
			    " base_outbytes + last_outbytes FROM route WHERE id = ?",
			    SQL_VALUES(SQL_INT(r->id)), &q);

	if (ret == 0)
		ret = sql_row(e, s, q);
	if (ret <= 0)
		return ret;
	if (sql_text(e, s, q, 0, container, sizeof(container)) < 0 || sql_counters(e, s, q, 1, &before) < 0)
		return -e->code;
	return traffic_add_growth(e, s, container, &before, total);
}

int store_set_route(struct err *e, struct store *s, const struct route *r)
{
	struct sql_value values[STORED + 1];
	char public[ADDR_STRLEN];
	struct counters total;

	stored_values(r, public, values);
	values[STORED] = SQL_INT(r->id);
	if (check_account(e, &r->account, &total) < 0 || add_growth(e, s, r, &total) < 0 ||
	    sql_run(e, s, "UPDATE route SET (" STORED_COLUMNS ") = (" STORED_VALUES ") WHERE id = ?25", values,
		    ARRAY_LEN(values)) < 0 ||
	    sql_run(e, s, "DELETE FROM real_server WHERE route = ?", SQL_VALUES(SQL_INT(r->id))) < 0)
		return -e->code;
	return add_servers(e, s, r, r->id);
}

int store_set_account(struct err *e, struct store *s, const struct route *r, const struct account *a)
{
	struct counters before = account_total(&r->account), total;

	if (check_account(e, a, &total) < 0 || traffic_add_growth(e, s, r->container, &before, &total) < 0)
		return -e->code;
	return sql_run(e, s,
		       "UPDATE route SET base_conns = ?, base_inpkts = ?, base_outpkts = ?,"
		       " base_inbytes = ?, base_outbytes = ?, last_conns = ?, last_inpkts = ?,"
		       " last_outpkts = ?, last_inbytes = ?, last_outbytes = ?, epoch_boot = ? WHERE id = ?",
		       SQL_VALUES(SQL_COUNTERS(a->base), SQL_COUNTERS(a->last), text_or_null(a->boot),
				  SQL_INT(r->id)));
}

int store_forget_route(struct err *e, struct store *s, int64_t id)
{
	return sql_run(e, s, "DELETE FROM route WHERE id = ?", SQL_VALUES(SQL_INT(id)));
}

int store_server_is_used(struct err *e, struct store *s, uint8_t protocol, const struct endpoint *real,
			 int64_t but, bool *out)
{
	char text[ADDR_STRLEN];
	int ret = sql_has_row(e, s,
			      "SELECT 1 FROM real_server s JOIN route r ON r.id = s.route"
			      " WHERE s.address = ? AND s.port = ? AND r.protocol = ? AND r.state = 'open'"
			      " AND r.kind = 'gateway' AND r.id <> ?",
			      SQL_VALUES(SQL_TEXT(addr_format(&real->addr, text)), SQL_INT(real->port),
					 SQL_INT(protocol), SQL_INT(but)));

	if (ret < 0)
		return ret;
	*out = ret > 0;
	return 0;
}

/* AUTOINCREMENT remembers the largest id. */
int store_has_history(struct err *e, struct store *s, bool *out)
{
	int ret = sql_has_row(e, s, "SELECT 1 FROM sqlite_sequence WHERE name = 'route' AND seq > 0", SQL_NONE);

	if (ret < 0)
		return ret;
	*out = ret > 0;
	return 0;
}

int store_has_leaving(struct err *e, struct store *s, bool *out)
{
	int ret = sql_has_row(e, s,
			      "SELECT 1 FROM route INDEXED BY route_closing WHERE state = 'closing'"
			      " AND closing_boot >= '' UNION ALL"
			      " SELECT 1 FROM real_server INDEXED BY real_server_draining WHERE drain_boot >= ''",
			      SQL_NONE);

	if (ret < 0)
		return ret;
	*out = ret > 0;
	return 0;
}
