/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table ledger, and who may have which port. */
#include "store_sql.h"

#include <string.h>

int store_close_route(struct err *e, struct store *s, int64_t id, int64_t closed_at)
{
	/* store_set_account has seen to it that the sums fit. */
	if (sql_run(e, s,
		    "INSERT INTO ledger (id, container, container_port, protocol, kind, address, port, opened_at,"
		    " closed_at, conns, inpkts, outpkts, inbytes, outbytes)"
		    " SELECT id, container, container_port, protocol, kind, address, port, opened_at, ?2,"
		    " base_conns + last_conns, base_inpkts + last_inpkts, base_outpkts + last_outpkts,"
		    " base_inbytes + last_inbytes, base_outbytes + last_outbytes FROM route WHERE id = ?1",
		    SQL_VALUES(SQL_INT(id), SQL_INT(closed_at))) < 0)
		return -e->code;
	return store_forget_route(e, s, id);
}

int store_count_ports(struct err *e, struct store *s, const struct addr *vip, uint16_t first, uint16_t last,
		      uint64_t *out)
{
	CLEANUP(sql_end) sqlite3_stmt *q = NULL;
	char text[ADDR_STRLEN];
	int64_t n;
	int ret = sql_query(e, s,
			    "SELECT count(*) FROM route WHERE kind = 'gateway' AND address = ?"
			    " AND port BETWEEN ? AND ?",
			    SQL_VALUES(SQL_TEXT(addr_format(vip, text)), SQL_INT(first), SQL_INT(last)), &q);

	if (ret == 0)
		ret = sql_row(e, s, q);
	if (ret < 0 || sql_int(e, s, q, 0, 0, INT64_MAX, &n) < 0)
		return -e->code;
	*out = (uint64_t)n;
	return 0;
}

/* 1 and the holder's name when the query answers a row. */
static int find_holder(struct err *e, struct store *s, const char *sql, const struct sql_value *values,
		       size_t n_values, char holder[CONTAINER_MAX + 1])
{
	CLEANUP(sql_end) sqlite3_stmt *q = NULL;
	char name[CONTAINER_MAX + 1];
	int ret = sql_query(e, s, sql, values, n_values, &q);

	if (ret == 0)
		ret = sql_row(e, s, q);
	if (ret > 0 && sql_text(e, s, q, 0, name, sizeof(name)) < 0)
		return -e->code;
	if (ret > 0 && holder)
		strcpy(holder, name);
	return ret;
}

/* Whose the port was, if it is in quarantine. Most never were anybody's, and the whole query takes longer to prepare. */
static int find_former_holder(struct err *e, struct store *s, const struct service_key *key, const char *vip,
			      const char *container, int64_t since, int64_t now, char holder[CONTAINER_MAX + 1])
{
	int ret = sql_has_row(e, s, "SELECT 1 FROM ledger WHERE address = ? AND port = ?",
			      SQL_VALUES(SQL_TEXT(vip), SQL_INT(key->vip.port)));

	if (ret <= 0)
		return ret;
	return find_holder(e, s,
			   "SELECT container FROM ledger WHERE address = ? AND port = ? AND protocol = ?"
			   " AND closed_at > ? AND closed_at <= ? AND kind = 'gateway' AND container <> ?",
			   SQL_VALUES(SQL_TEXT(vip), SQL_INT(key->vip.port), SQL_INT(key->protocol),
				      SQL_INT(since), SQL_INT(now), SQL_TEXT(container)),
			   holder);
}

int store_port(struct err *e, struct store *s, const struct service_key *key, const char *container,
	       int64_t since, int64_t now, enum store_port *out, char holder[CONTAINER_MAX + 1])
{
	char vip[ADDR_STRLEN];
	int found;

	addr_format(&key->vip.addr, vip);
	found = find_holder(e, s,
			    "SELECT container FROM route INDEXED BY route_endpoint WHERE kind = 'gateway'"
			    " AND address = ? AND port = ? AND protocol = ?",
			    SQL_VALUES(SQL_TEXT(vip), SQL_INT(key->vip.port), SQL_INT(key->protocol)), holder);
	if (found < 0)
		return found;
	if (found > 0) {
		*out = STORE_PORT_ROUTED;
		return 0;
	}
	found = find_former_holder(e, s, key, vip, container, since, now, holder);
	if (found < 0)
		return found;
	*out = found ? STORE_PORT_QUARANTINED : STORE_PORT_FREE;
	return 0;
}

int store_former_port(struct err *e, struct store *s, const char *container, uint16_t cport,
		      uint8_t protocol, const struct addr *vip, int64_t since, int64_t now, uint16_t *out)
{
	CLEANUP(sql_end) sqlite3_stmt *q = NULL;
	char text[ADDR_STRLEN];
	int64_t port;
	/* A new container has none: likewise. */
	int ret = sql_has_row(e, s, "SELECT 1 FROM ledger WHERE container = ?", SQL_VALUES(SQL_TEXT(container)));

	if (ret <= 0)
		return ret;
	ret = sql_query(e, s,
			"SELECT port FROM ledger WHERE container = ? AND container_port = ? AND protocol = ?"
			" AND closed_at > ? AND closed_at <= ? AND kind = 'gateway' AND address = ?"
			" ORDER BY closed_at DESC, id DESC LIMIT 1",
			SQL_VALUES(SQL_TEXT(container), SQL_INT(cport), SQL_INT(protocol), SQL_INT(since),
				   SQL_INT(now), SQL_TEXT(addr_format(vip, text))),
			&q);
	if (ret == 0)
		ret = sql_row(e, s, q);
	if (ret <= 0)
		return ret;
	if (sql_int(e, s, q, 0, 1, 65535, &port) < 0)
		return -e->code;
	*out = (uint16_t)port;
	return 1;
}

static int read_entry(struct err *e, struct store *s, sqlite3_stmt *q, struct ledger_entry *entry)
{
	int64_t cport, protocol;

	if (sql_int(e, s, q, 0, 1, INT64_MAX, &entry->id) < 0 ||
	    sql_text(e, s, q, 1, entry->container, sizeof(entry->container)) < 0 ||
	    sql_int(e, s, q, 2, 1, 65535, &cport) < 0 || sql_int(e, s, q, 3, 1, 255, &protocol) < 0 ||
	    sql_kind(e, s, q, 4, &entry->kind) < 0 || sql_endpoint(e, s, q, 5, &entry->public) < 0 ||
	    sql_int(e, s, q, 7, INT64_MIN, INT64_MAX, &entry->opened_at) < 0 ||
	    sql_int(e, s, q, 8, INT64_MIN, INT64_MAX, &entry->closed_at) < 0 ||
	    sql_counters(e, s, q, 9, &entry->total) < 0)
		return -e->code;
	entry->cport = (uint16_t)cport;
	entry->protocol = (uint8_t)protocol;
	return 0;
}

static int query_ledger(struct err *e, struct store *s, const struct ledger_filter *f, sqlite3_stmt **out)
{
#define SELECT_LEDGER(where)                                                                   \
	"SELECT id, container, container_port, protocol, kind, address, port, opened_at, closed_at," \
	" conns, inpkts, outpkts, inbytes, outbytes FROM ledger WHERE closed_at >= ?1 AND closed_at < ?2" \
	where " ORDER BY id"
	if (!f->container)
		return sql_query(e, s, SELECT_LEDGER(""), SQL_VALUES(SQL_INT(f->since), SQL_INT(f->before)), out);
	return sql_query(e, s, SELECT_LEDGER(" AND container = ?3"),
			 SQL_VALUES(SQL_INT(f->since), SQL_INT(f->before), SQL_TEXT(f->container)), out);
#undef SELECT_LEDGER
}

int store_ledger(struct err *e, struct store *s, const struct ledger_filter *f, struct ledger_list *out)
{
	CLEANUP(ledger_list_clear) struct ledger_list found = { 0 };
	CLEANUP(sql_end) sqlite3_stmt *q = NULL;
	struct ledger_entry entry;
	int ret = query_ledger(e, s, f, &q);

	while (ret == 0 && (ret = sql_row(e, s, q)) > 0) {
		if (read_entry(e, s, q, &entry) < 0)
			return -e->code;
		if (base_reserve((void **)&found.items, found.n, sizeof(entry)) < 0)
			return err_set(e, ENOMEM, "out of memory");
		found.items[found.n++] = entry;
		ret = 0;
	}
	for (size_t i = 0; ret == 0 && i < found.n; i++) {
		if (base_reserve((void **)&out->items, out->n, sizeof(entry)) < 0)
			return err_set(e, ENOMEM, "out of memory");
		out->items[out->n++] = found.items[i];
	}
	return ret;
}

int store_ledger_sum(struct err *e, struct store *s, const char *container, struct counters *sum,
		     uint64_t *entries)
{
	CLEANUP(sql_end) sqlite3_stmt *q = NULL;
	int64_t n;
	int ret;

#define SELECT_SUM(where)                                                                      \
	"SELECT count(*), coalesce(sum(conns), 0), coalesce(sum(inpkts), 0), coalesce(sum(outpkts), 0)," \
	" coalesce(sum(inbytes), 0), coalesce(sum(outbytes), 0) FROM ledger" where
	if (container)
		ret = sql_query(e, s, SELECT_SUM(" WHERE container = ?"), SQL_VALUES(SQL_TEXT(container)), &q);
	else
		ret = sql_query(e, s, SELECT_SUM(""), SQL_NONE, &q);
#undef SELECT_SUM
	if (ret == 0)
		ret = sql_sum_row(e, s, q);
	if (ret < 0)
		return ret;
	if (sql_int(e, s, q, 0, 0, INT64_MAX, &n) < 0 || sql_counters(e, s, q, 1, sum) < 0)
		return -e->code;
	*entries = (uint64_t)n;
	return 0;
}

struct closed_walk {
	struct store *store;
	sqlite3_stmt *query;
	char container[CONTAINER_MAX + 1]; /* where it stands; "": not yet anywhere */
	struct counters sum;
	uint64_t entries;
	bool is_over;
};

int store_walk_closed(struct err *e, struct store *s, struct closed_walk **out)
{
	struct closed_walk *w = calloc(1, sizeof(*w));

	if (!w)
		return err_set(e, ENOMEM, "out of memory");
	w->store = s;
	if (sql_query(e, s, "SELECT container, count(*), " SQL_SUMS " FROM ledger GROUP BY container ORDER BY container",
		      SQL_NONE, &w->query) < 0) {
		closed_walk_free(w);
		return -e->code;
	}
	*out = w;
	return 0;
}

static int next_closed(struct err *e, struct closed_walk *w)
{
	int ret = sql_sum_row(e, w->store, w->query);
	int64_t n;

	w->is_over = ret <= 0;
	if (ret <= 0)
		return ret;
	if (sql_text(e, w->store, w->query, 0, w->container, sizeof(w->container)) < 0 ||
	    sql_int(e, w->store, w->query, 1, 0, INT64_MAX, &n) < 0 ||
	    sql_counters(e, w->store, w->query, 2, &w->sum) < 0)
		return -e->code;
	w->entries = (uint64_t)n;
	return 0;
}

int closed_walk_find(struct err *e, struct closed_walk *w, const char *container, struct counters *sum,
		     uint64_t *entries)
{
	while (!w->is_over && strcmp(w->container, container) < 0)
		if (next_closed(e, w) < 0)
			return -e->code;
	if (w->is_over || strcmp(w->container, container) != 0)
		return 0;
	*sum = w->sum;
	*entries = w->entries;
	return 1;
}

void closed_walk_free(struct closed_walk *w)
{
	if (!w)
		return;
	sql_end(&w->query);
	free(w);
}

int store_prune(struct err *e, struct store *s, int64_t before, uint64_t *n)
{
	if (sql_run(e, s, "DELETE FROM ledger WHERE closed_at < ?", SQL_VALUES(SQL_INT(before))) < 0)
		return -e->code;
	*n = (uint64_t)sqlite3_changes(s->db);
	return 0;
}
