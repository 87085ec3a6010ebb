/* SPDX-License-Identifier: GPL-3.0-or-later */
/* State files of older versions: nothing of them is lost, whoever opens them, and whatever comes in between. */
#include "state.h"

#include <signal.h>

#define ACCOUNT(prefix)                                                                                     \
	prefix "conns INTEGER NOT NULL DEFAULT 0," prefix "inpkts INTEGER NOT NULL DEFAULT 0,"              \
	prefix "outpkts INTEGER NOT NULL DEFAULT 0," prefix "inbytes INTEGER NOT NULL DEFAULT 0,"           \
	prefix "outbytes INTEGER NOT NULL DEFAULT 0"

/* As that version made it; never to be edited. */
static const char version_1[] =
	"PRAGMA journal_mode = PERSIST;"
	"BEGIN;"
	"CREATE TABLE route (id INTEGER PRIMARY KEY AUTOINCREMENT, container TEXT NOT NULL,"
	" container_port INTEGER NOT NULL, protocol INTEGER NOT NULL,"
	" kind TEXT NOT NULL CHECK (kind IN ('gateway', 'direct')),"
	" state TEXT NOT NULL CHECK (state IN ('open', 'closing')),"
	" address TEXT NOT NULL, port INTEGER NOT NULL, scheduler TEXT NOT NULL, persistence INTEGER NOT NULL,"
	" opened_at INTEGER NOT NULL, closing_boot TEXT, closing_ms INTEGER," ACCOUNT(" base_") "," ACCOUNT(" last_") ");"
	"CREATE UNIQUE INDEX route_endpoint ON route (address, port, protocol) WHERE kind = 'gateway';"
	"CREATE UNIQUE INDEX route_name ON route (container, container_port, protocol) WHERE state = 'open';"
	"CREATE INDEX route_container ON route (container, container_port, protocol);"
	"CREATE INDEX route_closing ON route (closing_boot, closing_ms) WHERE state = 'closing';"
	"CREATE TABLE real_server (route INTEGER NOT NULL REFERENCES route (id) ON DELETE CASCADE,"
	" address TEXT NOT NULL, port INTEGER NOT NULL, weight INTEGER NOT NULL,"
	" PRIMARY KEY (route, address, port)) WITHOUT ROWID;"
	"CREATE INDEX real_server_endpoint ON real_server (address, port);"
	"CREATE TABLE ledger (id INTEGER PRIMARY KEY, container TEXT NOT NULL, container_port INTEGER NOT NULL,"
	" protocol INTEGER NOT NULL, kind TEXT NOT NULL, address TEXT NOT NULL, port INTEGER NOT NULL,"
	" opened_at INTEGER NOT NULL, closed_at INTEGER NOT NULL," ACCOUNT(" ") ");"
	"CREATE INDEX ledger_endpoint ON ledger (address, port, protocol, closed_at);"
	"CREATE INDEX ledger_container ON ledger (container, container_port, protocol, closed_at);"
	"CREATE TABLE setup (seq INTEGER PRIMARY KEY, step TEXT NOT NULL UNIQUE, boot TEXT NOT NULL,"
	" former TEXT NOT NULL, applied TEXT NOT NULL);"
	"PRAGMA application_id = 1397706317;"
	"PRAGMA user_version = 1;"
	"COMMIT;";

#define ROUTE_1 "INSERT INTO route VALUES "
static const char rows_1[] =
	ROUTE_1 "(5, 'a', 80, 6, 'gateway', 'open', '198.51.100.1', 32768, 'wrr', 300, 1000, NULL, 0,"
	" 1, 2, 3, 4, 5, 6, 7, 8, 9, 9000000000000000000);"
	ROUTE_1 "(6, 'a', 53, 17, 'gateway', 'closing', '2001:db8::1', 33768, 'rr', 0, 1001, 'b', 77,"
	" 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);"
	ROUTE_1 "(9, 'b', 80, 6, 'direct', 'open', '203.0.113.7', 80, 'wrr', 0, 1002, NULL, 0,"
	" 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);"
	ROUTE_1 "(12, 'c', 80, 6, 'gateway', 'open', '198.51.100.1', 40000, 'wrr', 0, 1, NULL, 0,"
	" 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);"
	"DELETE FROM route WHERE id = 12;" /* closed, as the ledger says */
	"INSERT INTO real_server VALUES (5, '10.0.0.2', 80, 100), (5, '10.0.0.3', 80, 0), (6, 'fd00::2', 53, 1),"
	" (9, '203.0.113.7', 80, 100);"
	"INSERT INTO ledger VALUES (3, 'a', 80, 6, 'gateway', '198.51.100.1', 32769, 1, 2, 3, 4, 5, 6, 7),"
	" (12, 'c', 80, 6, 'gateway', '198.51.100.1', 40000, 1, 3000, 1, 1, 1, 1, 1);"
	"INSERT INTO setup VALUES (1, 'net.ipv4.ip_forward', '', '0', '1'), (4, 'snat', 'b', '', 'x');";

/* What the next version added; never to be edited either. */
static const char version_2[] =
	"BEGIN;"
	"ALTER TABLE route ADD COLUMN worker TEXT;"
	"CREATE INDEX route_worker ON route (worker, container, container_port, protocol)"
	" WHERE worker IS NOT NULL;"
	"ALTER TABLE real_server ADD COLUMN drain_boot TEXT;"
	"ALTER TABLE real_server ADD COLUMN drain_ms INTEGER;"
	"CREATE INDEX real_server_draining ON real_server (drain_boot, drain_ms) WHERE drain_boot IS NOT NULL;"
	"CREATE TABLE worker (name TEXT NOT NULL PRIMARY KEY, nat TEXT NOT NULL,"
	" public INTEGER NOT NULL CHECK (public IN (0, 1)), reported_at INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE worker_address (worker TEXT NOT NULL REFERENCES worker (name) ON DELETE CASCADE,"
	" place INTEGER NOT NULL, address TEXT NOT NULL, PRIMARY KEY (worker, place)) WITHOUT ROWID;"
	"PRAGMA user_version = 2;"
	"COMMIT;"
	"UPDATE route SET worker = 'w' WHERE id = 5;"
	"UPDATE real_server SET drain_boot = 'b', drain_ms = 77 WHERE port = 80 AND address = '10.0.0.3';"
	"INSERT INTO worker VALUES ('w', 'none', 1, 7);"
	"INSERT INTO worker_address VALUES ('w', 0, '203.0.113.7');";

static void given_old_file(struct state *state)
{
	umask(077);
	given_state(state);
	state_sql(state, version_1);
	state_sql(state, rows_1);
}

static int append_row(void *out, int n, char **values, char **names)
{
	(void)names;
	for (int i = 0; i < n; i++)
		fprintf((FILE *)out, "%s%s", values[i] ? values[i] : "NULL", i + 1 < n ? "|" : "\n");
	return 0;
}

/* All that a query answers; to be freed. */
static char *text_of(const struct state *state, const char *sql)
{
	struct unit_out o = { 0 };
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open_v2(state->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	ck_assert_msg(sqlite3_exec(db, sql, append_row, unit_open(&o), NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
	fclose(o.stream);
	sqlite3_close(db);
	return o.text;
}

static void expect_text(const struct state *state, const char *sql, const char *want)
{
	CLEANUP_FREE char *text = text_of(state, sql);

	ck_assert_str_eq(text, want);
}

#define ROUTES                                                                                               \
	"SELECT id, container, container_port, protocol, kind, state, address, port, scheduler, persistence," \
	" opened_at, closing_boot, closing_ms, base_conns, base_inpkts, base_outpkts, base_inbytes, base_outbytes," \
	" last_conns, last_inpkts, last_outpkts, last_inbytes, last_outbytes FROM route ORDER BY id"

static const char *const contents[] = {
	ROUTES,
	"SELECT route, address, port, weight FROM real_server ORDER BY 1, 2, 3",
	"SELECT * FROM ledger ORDER BY id",
	"SELECT * FROM setup ORDER BY seq",
	"SELECT * FROM sqlite_sequence",
};

static void expect_same_contents(const struct state *state, const struct state *old)
{
	for (size_t i = 0; i < ARRAY_LEN(contents); i++) {
		CLEANUP_FREE char *want = text_of(old, contents[i]);

		ck_assert_uint_gt(strlen(want), 0);
		expect_text(state, contents[i], want);
	}
}

#define INDEXES                                                                                              \
	"SELECT m.name, i.name, i.\"unique\", i.origin, i.partial, c.* FROM sqlite_master m,"                \
	" pragma_index_list(m.name) i, pragma_index_xinfo(i.name) c WHERE m.type = 'table' ORDER BY 1, 2, c.seqno"

static const char *const shape[] = {
	"SELECT m.type, m.name, m.tbl_name, t.* FROM sqlite_master m, pragma_table_info(m.name) t ORDER BY 2, t.cid",
	INDEXES,
	"SELECT m.name, f.* FROM sqlite_master m, pragma_foreign_key_list(m.name) f ORDER BY 1, 2, 3",
	"SELECT name, sql FROM sqlite_master WHERE type = 'index' ORDER BY name",
	"PRAGMA application_id",
	"PRAGMA user_version",
};

static void expect_new_shape(const struct state *state)
{
	struct state new;

	given_state_file(&new);
	for (size_t i = 0; i < ARRAY_LEN(shape); i++) {
		CLEANUP_FREE char *want = text_of(&new, shape[i]);

		ck_assert_uint_gt(strlen(want), 0);
		expect_text(state, shape[i], want);
	}
	expect_text(state, "PRAGMA integrity_check", "ok\n");
	expect_text(state, "PRAGMA foreign_key_check", "");
}

/* What the store makes of the old rows. */
static void expect_old_routes(struct store *s)
{
	const struct boottime instant = { .boot_id = "b", .ms = 77 };
	CLEANUP(route_list_clear) struct route_list list = state_routes(s), due = { 0 };
	CLEANUP(worker_list_clear) struct worker_list workers = { 0 };
	struct counters sum;
	uint64_t n;
	struct err e;

	ck_assert_uint_eq(list.n, 3);
	ck_assert_int_eq(list.items[1].id, 5);
	ck_assert_uint_eq(list.items[1].n_servers, 2);
	ck_assert_uint_eq(list.items[1].account.last.outbytes, 9000000000000000000);
	for (size_t i = 0; i < list.n; i++) {
		ck_assert_str_eq(list.items[i].worker, "");
		for (size_t k = 0; k < list.items[i].n_servers; k++)
			ck_assert(!server_is_draining(&list.items[i].servers[k]));
	}
	ck_assert_int_eq(store_settled_routes(&e, s, &instant, 0, &due), 0);
	ck_assert_uint_eq(due.n, 1);
	ck_assert_int_eq(store_draining_routes(&e, s, &instant, false, 0, &due), 0);
	ck_assert_uint_eq(due.n, 1);
	ck_assert_int_eq(store_workers(&e, s, &workers), 0);
	ck_assert_uint_eq(workers.n, 0);
	ck_assert_int_eq(store_ledger_sum(&e, s, NULL, &sum, &n), 0);
	ck_assert_uint_eq(n, 2);
}

START_TEST(a_writer_brings_an_old_file_up_to_date_and_loses_nothing)
{
	struct state state, old;

	given_old_file(&old);
	for (int mode = STORE_UPDATE; mode <= STORE_WRITE; mode++) {
		CLEANUP(store_closep) struct store *s = NULL;
		struct route r = given_route("new", 80, "198.51.100.1:2");

		given_old_file(&state);
		s = state_open(&state, (enum store_mode)mode);
		expect_old_routes(s);
		expect_same_contents(&state, &old);
		expect_new_shape(&state);
		strcpy(r.worker, "w");
		ck_assert_int_eq(state_add(s, &r), 13); /* 12 is in the ledger */
		store_close(s);
		s = state_open(&state, (enum store_mode)mode); /* and again */
		ck_assert_uint_eq(state_n_routes(s), 4);
	}
}
END_TEST

START_TEST(a_file_of_the_second_version_keeps_its_workers)
{
	static const char *const texts[] = {
		"SELECT id, worker FROM route ORDER BY id", "SELECT * FROM real_server ORDER BY 1, 2, 3",
		"SELECT * FROM worker", "SELECT * FROM worker_address",
	};
	CLEANUP(route_list_clear) struct route_list list = { 0 };
	CLEANUP(store_closep) struct store *s = NULL;
	struct state state, old;

	given_old_file(&old);
	state_sql(&old, version_2);
	given_old_file(&state);
	state_sql(&state, version_2);
	s = state_open(&state, STORE_WRITE);
	expect_same_contents(&state, &old);
	expect_new_shape(&state);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		CLEANUP_FREE char *want = text_of(&old, texts[i]);

		expect_text(&state, texts[i], want);
	}
	list = state_routes(s);
	ck_assert_uint_eq(list.n, 3);
	for (size_t i = 0; i < list.n; i++)
		ck_assert_str_eq(list.items[i].account.boot, "");
	expect_text(&state, "SELECT count(*) FROM traffic", "0\n");
}
END_TEST

static void read_whole(const char *path, char **bytes, size_t *len)
{
	struct unit_out o = { 0 };
	FILE *f = fopen(path, "r"), *to = unit_open(&o);

	ck_assert_ptr_nonnull(f);
	for (int c; (c = getc(f)) != EOF;)
		putc(c, to);
	fclose(f);
	fclose(to);
	*bytes = o.text;
	*len = o.len;
}

START_TEST(a_reader_reads_an_old_file_and_leaves_it_as_it_is)
{
	CLEANUP_FREE char *before = NULL, *after = NULL;
	CLEANUP(store_closep) struct store *s = NULL;
	struct setup_record record = { .step = "step" };
	struct state state;
	size_t n_before, n_after, n_files;
	struct err e;

	given_old_file(&state);
	n_files = state_n_files(state.dir);
	read_whole(state.path, &before, &n_before);
	s = state_open(&state, STORE_READ);
	expect_old_routes(s);
	ck_assert_int_lt(store_setup_put(&e, s, &record), 0);
	store_close(steal_ptr(s));
	read_whole(state.path, &after, &n_after);
	ck_assert_uint_eq(n_after, n_before);
	ck_assert_mem_eq(after, before, n_before);
	ck_assert_uint_eq(state_n_files(state.dir), n_files);
}
END_TEST

static void expect_success(pid_t child)
{
	int status = -1;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
}

/* 0: all is well. */
static int read_as_nobody(const struct state *state)
{
	CLEANUP(store_closep) struct store *s = NULL;
	struct err e;

	if (geteuid() == 0 && seteuid(65534) < 0)
		return 2;
	if (store_open(&e, state->path, STORE_READ, &s) < 0)
		return 3;
	return state_n_routes(s) == 3 ? 0 : 4;
}

START_TEST(whoever_may_not_write_can_read_an_old_file)
{
	struct state state;
	pid_t child;

	given_old_file(&state);
	ck_assert_int_eq(chmod(state_root, 0755) | chmod(state.dir, 0755) | chmod(state.path, 0444), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		_exit(read_as_nobody(&state));
	expect_success(child);
}
END_TEST

START_TEST(a_reader_stays_with_what_it_has_read_while_a_writer_goes_on)
{
	CLEANUP(store_closep) struct store *reader = NULL, *writer = NULL;
	struct route r = given_route("new", 80, "198.51.100.1:2");
	struct state state;

	given_old_file(&state);
	reader = state_open(&state, STORE_READ);
	writer = state_open(&state, STORE_UPDATE);
	state_add(writer, &r);
	expect_old_routes(reader);
	store_close(reader);
	reader = state_open(&state, STORE_READ);
	ck_assert_uint_eq(state_n_routes(reader), 4);
}
END_TEST

/* --- Killed in between ------------------------------------------------------ */

static int statements_left;

static int count_statement(unsigned type, void *ctx, void *statement, void *text)
{
	(void)type;
	(void)ctx;
	(void)statement;
	(void)text;
	if (statements_left-- == 0)
		raise(SIGKILL);
	return 0;
}

static int watch(sqlite3 *db, char **message, const void *api)
{
	(void)message;
	(void)api;
	return sqlite3_trace_v2(db, SQLITE_TRACE_STMT, count_statement, NULL);
}

/* Opens in a process that dies before so many statements more have begun; true: it lived. */
static bool open_and_die(const struct state *state, int statements)
{
	pid_t child = fork();
	int status = -1;

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		struct store *s = NULL;
		struct err e;

		statements_left = statements;
		sqlite3_auto_extension((void (*)(void))watch);
		if (store_open(&e, state->path, STORE_UPDATE, &s) < 0)
			_exit(1);
		store_close(s);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status) ? WEXITSTATUS(status) == 0 : WTERMSIG(status) == SIGKILL);
	return WIFEXITED(status);
}

START_TEST(killed_at_any_statement_it_leaves_the_old_version_or_the_new_one)
{
	struct state state, old;
	int64_t version = 1;
	int n = 0;

	given_old_file(&old);
	given_old_file(&state);
	while (!open_and_die(&state, n)) {
		CLEANUP_FREE char *want = text_of(&old, shape[3]);

		version = state_sql(&state, "PRAGMA user_version");
		if (version == STORE_VERSION)
			break; /* it was killed after the commit */
		ck_assert_int_eq(version, 1);
		expect_text(&state, shape[3], want);
		expect_same_contents(&state, &old);
		n++;
	}
	ck_assert_int_gt(n, 10);
	expect_same_contents(&state, &old);
	expect_new_shape(&state);
}
END_TEST

START_TEST(many_who_come_at_once_all_find_it_up_to_date)
{
	struct state state, old;
	pid_t children[12];

	given_old_file(&state);
	given_old_file(&old);
	for (int i = 0; i < (int)ARRAY_LEN(children); i++) {
		children[i] = fork();
		ck_assert_int_ge(children[i], 0);
		if (children[i] == 0) {
			struct store *s = state_open(&state, (enum store_mode)(i % 3));

			expect_old_routes(s);
			store_close(s);
			_exit(0);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(children); i++)
		expect_success(children[i]);
	expect_same_contents(&state, &old);
	expect_new_shape(&state);
}
END_TEST

START_TEST(a_failed_migration_leaves_the_old_version)
{
	struct state state;
	struct store *s = NULL;
	struct err e;

	given_old_file(&state);
	state_sql(&state, "CREATE TABLE worker (x)"); /* in the way */
	for (int mode = STORE_READ; mode <= STORE_WRITE; mode++)
		ck_assert_int_lt(store_open(&e, state.path, (enum store_mode)mode, &s), 0);
	ck_assert_int_eq(state_sql(&state, "PRAGMA user_version"), 1);
	ck_assert_int_eq(state_sql(&state, "SELECT count(*) FROM pragma_table_info('route') WHERE name = 'worker'"), 0);
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 60);
	tcase_add_unchecked_fixture(tc, state_make_root, state_remove_root);
	tcase_add_test(tc, a_writer_brings_an_old_file_up_to_date_and_loses_nothing);
	tcase_add_test(tc, a_file_of_the_second_version_keeps_its_workers);
	tcase_add_test(tc, a_reader_reads_an_old_file_and_leaves_it_as_it_is);
	tcase_add_test(tc, whoever_may_not_write_can_read_an_old_file);
	tcase_add_test(tc, a_reader_stays_with_what_it_has_read_while_a_writer_goes_on);
	tcase_add_test(tc, killed_at_any_statement_it_leaves_the_old_version_or_the_new_one);
	tcase_add_test(tc, many_who_come_at_once_all_find_it_up_to_date);
	tcase_add_test(tc, a_failed_migration_leaves_the_old_version);
}

int main(void)
{
	return unit_main("store_migrate", add);
}
