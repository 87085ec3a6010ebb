/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store_schema.h"

#define APPLICATION_ID 0x534f4e4d /* "SONM": PRAGMA application_id */

#define COUNTER_COLUMNS(prefix)                                                       \
	prefix "conns INTEGER NOT NULL DEFAULT 0," prefix "inpkts INTEGER NOT NULL DEFAULT 0,"   \
	prefix "outpkts INTEGER NOT NULL DEFAULT 0," prefix "inbytes INTEGER NOT NULL DEFAULT 0," \
	prefix "outbytes INTEGER NOT NULL DEFAULT 0"

/*
 * What each version adds to the one before. A new file is made by all of them
 * in turn, so that it cannot differ from one that has grown older with us; what
 * a release has shipped is not edited any more. sonm-gateway-state(5) tells
 * readers what it all means.
 */
static const char *const versions[] = {
	/* 1 */
	"CREATE TABLE route ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" container TEXT NOT NULL,"
	" container_port INTEGER NOT NULL,"
	" protocol INTEGER NOT NULL,"
	" kind TEXT NOT NULL CHECK (kind IN ('gateway', 'direct')),"
	" state TEXT NOT NULL CHECK (state IN ('open', 'closing')),"
	" address TEXT NOT NULL,"
	" port INTEGER NOT NULL,"
	" scheduler TEXT NOT NULL,"
	" persistence INTEGER NOT NULL,"
	" opened_at INTEGER NOT NULL,"
	" closing_boot TEXT,"
	" closing_ms INTEGER,"
	COUNTER_COLUMNS(" base_") "," COUNTER_COLUMNS(" last_") ");"
	"CREATE UNIQUE INDEX route_endpoint ON route (address, port, protocol) WHERE kind = 'gateway';"
	"CREATE UNIQUE INDEX route_name ON route (container, container_port, protocol) WHERE state = 'open';"
	"CREATE INDEX route_container ON route (container, container_port, protocol);"
	"CREATE INDEX route_closing ON route (closing_boot, closing_ms) WHERE state = 'closing';"
	"CREATE TABLE real_server ("
	" route INTEGER NOT NULL REFERENCES route (id) ON DELETE CASCADE,"
	" address TEXT NOT NULL,"
	" port INTEGER NOT NULL,"
	" weight INTEGER NOT NULL,"
	" PRIMARY KEY (route, address, port)) WITHOUT ROWID;"
	"CREATE INDEX real_server_endpoint ON real_server (address, port);"
	"CREATE TABLE ledger ("
	" id INTEGER PRIMARY KEY,"
	" container TEXT NOT NULL,"
	" container_port INTEGER NOT NULL,"
	" protocol INTEGER NOT NULL,"
	" kind TEXT NOT NULL,"
	" address TEXT NOT NULL,"
	" port INTEGER NOT NULL,"
	" opened_at INTEGER NOT NULL,"
	" closed_at INTEGER NOT NULL,"
	COUNTER_COLUMNS(" ") ");"
	"CREATE INDEX ledger_endpoint ON ledger (address, port, protocol, closed_at);"
	"CREATE INDEX ledger_container ON ledger (container, container_port, protocol, closed_at);"
	"CREATE TABLE setup ("
	" seq INTEGER PRIMARY KEY,"
	" step TEXT NOT NULL UNIQUE,"
	" boot TEXT NOT NULL,"
	" former TEXT NOT NULL,"
	" applied TEXT NOT NULL);"
	"PRAGMA application_id = 1397706317;"
	"PRAGMA user_version = 1;",

	/* 2 */
	"ALTER TABLE route ADD COLUMN worker TEXT;"
	"CREATE INDEX route_worker ON route (worker, container, container_port, protocol)"
	" WHERE worker IS NOT NULL;"
	"ALTER TABLE real_server ADD COLUMN drain_boot TEXT;"
	"ALTER TABLE real_server ADD COLUMN drain_ms INTEGER;"
	"CREATE INDEX real_server_draining ON real_server (drain_boot, drain_ms)"
	" WHERE drain_boot IS NOT NULL;"
	"CREATE TABLE worker ("
	" name TEXT NOT NULL PRIMARY KEY,"
	" nat TEXT NOT NULL,"
	" public INTEGER NOT NULL CHECK (public IN (0, 1)),"
	" reported_at INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE worker_address ("
	" worker TEXT NOT NULL REFERENCES worker (name) ON DELETE CASCADE,"
	" place INTEGER NOT NULL,"
	" address TEXT NOT NULL,"
	" PRIMARY KEY (worker, place)) WITHOUT ROWID;"
	"PRAGMA user_version = 2;",

	/* 3; every command reads all of this, so it is short */
	"ALTER TABLE route ADD COLUMN epoch_boot TEXT;"
	"CREATE TABLE traffic (span INT, at INT, container TEXT,"
	" conns INT, inpkts INT, outpkts INT, inbytes INT, outbytes INT,"
	" PRIMARY KEY (span, at, container)) WITHOUT ROWID;"
	"CREATE TABLE uncertain (route INT, container TEXT, container_port INT, protocol INT,"
	" since INT, until INT, why TEXT, PRIMARY KEY (container, since, route, until)) WITHOUT ROWID;"
	"CREATE TABLE checkpoint (at INT);"
	"PRAGMA user_version = 3;",
};

_Static_assert(APPLICATION_ID == 1397706317, "the schema sets the application id in decimal");
_Static_assert(ARRAY_LEN(versions) == STORE_VERSION, "every version up to the present one");

static int query_number(struct err *e, struct store *s, const char *sql, int64_t *out)
{
	sqlite3_stmt *query;
	int code = sqlite3_prepare_v2(s->db, sql, -1, &query, NULL);

	if (code == SQLITE_OK && (code = sqlite3_step(query)) == SQLITE_ROW) {
		*out = sqlite3_column_int64(query, 0);
		code = SQLITE_OK;
	}
	if (code != SQLITE_OK)
		sql_fail(e, s, code, "read");
	sqlite3_finalize(query);
	return code == SQLITE_OK ? 0 : -e->code;
}

/* In a transaction: another process may be about to change it. */
static int read_version(struct err *e, struct store *s, int *out)
{
	int64_t id = 0, version = 0, objects = 0;

	if (query_number(e, s, "PRAGMA application_id", &id) < 0 ||
	    query_number(e, s, "PRAGMA user_version", &version) < 0 ||
	    (id == 0 && query_number(e, s, "SELECT count(*) FROM sqlite_master", &objects) < 0))
		return -e->code;
	if (id == APPLICATION_ID && version > STORE_VERSION)
		return err_set(e, ERR_USAGE,
			       "state file %s has version %lld, made by a newer sonm-gateway; this one knows "
			       "version %d: upgrade it", s->path, (long long)version, STORE_VERSION);
	if ((id != APPLICATION_ID || version < 1) && (id != 0 || version != 0 || objects != 0))
		return err_set(e, ERR_USAGE, "%s is not a state file of sonm-gateway; name another with 'state:'",
			       s->path);
	*out = (int)version;
	return 0;
}

int store_schema_version(struct err *e, struct store *s, int *out)
{
	int ret = sql_run(e, s, "BEGIN", SQL_NONE);

	if (ret == 0)
		ret = read_version(e, s, out);
	/* Its tables have to be read anyway; on its own, that would lock the file once more. */
	if (ret == 0 && *out == STORE_VERSION)
		ret = sql_script(e, s, "PRAGMA journal_mode");
	store_rollback(s);
	return ret;
}

int store_schema_upgrade(struct err *e, struct store *s)
{
	int version = STORE_VERSION;
	int ret = store_begin(e, s);

	if (ret == 0)
		ret = read_version(e, s, &version);
	while (ret == 0 && version < STORE_VERSION)
		ret = sql_script(e, s, versions[version++]);
	if (ret == 0)
		ret = store_commit(e, s);
	store_rollback(s);
	return ret;
}

int store_schema_touch(struct err *e, struct store *s)
{
	return sql_script(e, s, "PRAGMA application_id = 1397706317");
}
