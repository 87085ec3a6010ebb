/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a command asks of the state file costs the same, however many routes there are. */
#include "state.h"

#define BOOT "0f0e7f3e-6d8f-4d5e-9f1c-000000000001"

/* --- The statements that the store runs -------------------------------------- */

static struct {
	char *texts[128]; /* those that have run, each once */
	size_t n;
	int64_t steps; /* of SQLite's machine */
	int64_t scanned; /* rows of tables and indexes that were read from end to end */
} seen;

static int take_statement(unsigned type, void *ctx, void *statement, void *text)
{
	const char *sql = sqlite3_sql(statement);
	size_t i = 0;

	(void)type;
	(void)ctx;
	(void)text;
	seen.steps += sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 1);
	seen.scanned += sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_FULLSCAN_STEP, 1);
	while (i < seen.n && strcmp(seen.texts[i], sql) != 0)
		i++;
	ck_assert_uint_lt(i, ARRAY_LEN(seen.texts));
	if (i == seen.n)
		seen.texts[seen.n++] = strdup(sql);
	return 0;
}

static int watch(sqlite3 *db, char **message, const void *api)
{
	(void)message;
	(void)api;
	return sqlite3_trace_v2(db, SQLITE_TRACE_PROFILE, take_statement, NULL);
}

/* Forgets what has run so far. */
static void watch_anew(void)
{
	while (seen.n > 0)
		free(seen.texts[--seen.n]);
	seen.steps = seen.scanned = 0;
}

/* --- A large state file -------------------------------------------------------- */

/* As many open routes as n says, as many that drain, that close, and that are closed; of one worker each. */
static void given_large(const struct state *state, int n)
{
	char sql[4096];

	store_close(state_open(state, STORE_WRITE));
	snprintf(sql, sizeof(sql),
		 "BEGIN;"
		 "CREATE TEMP TABLE n AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
		 " SELECT i FROM n;"
		 "INSERT INTO route (container, container_port, protocol, worker, kind, state, address, port, scheduler,"
		 " persistence, opened_at, closing_ms) SELECT 'open' || i, 80, 6, 'w' || i, 'gateway', 'open',"
		 " '198.51.100.1', i, 'wrr', 0, 1, 0 FROM n;"
		 "INSERT INTO route (container, container_port, protocol, worker, kind, state, address, port, scheduler,"
		 " persistence, opened_at, closing_ms) SELECT 'drain' || i, 80, 17, 'w' || i, 'gateway', 'open',"
		 " '198.51.100.1', i, 'wrr', 0, 1, 0 FROM n;"
		 "INSERT INTO real_server (route, address, port, weight)"
		 " SELECT id, '10.0.0.2', port, 100 FROM route;"
		 "UPDATE real_server SET drain_boot = '" BOOT "', drain_ms = 9999"
		 " WHERE route IN (SELECT id FROM route WHERE protocol = 17);"
		 "INSERT INTO route (container, container_port, protocol, kind, state, address, port, scheduler,"
		 " persistence, opened_at, closing_boot, closing_ms) SELECT 'closing' || i, 80, 132, 'gateway', 'closing',"
		 " '198.51.100.1', i, 'wrr', 0, 1, '" BOOT "', 9999 FROM n;"
		 "INSERT INTO ledger (id, container, container_port, protocol, kind, address, port, opened_at, closed_at)"
		 " SELECT 1000000 + i, 'closed' || i, 80, 6, 'gateway', '198.51.100.1', i, 1, 2 FROM n;"
		 "INSERT INTO worker SELECT 'w' || i, 'none', 1, 1 FROM n;"
		 "INSERT INTO worker_address SELECT 'w' || i, 0, '203.0.113.7' FROM n;"
		 "COMMIT;", n);
	state_sql(state, sql);
}

#define MUST(call) ck_assert_msg((call) >= 0, "%s: %s", #call, e.msg)

/* What everybody who comes does first. */
static void look_for_due(struct store *s)
{
	const struct boottime instant = { .boot_id = BOOT, .ms = 5000 };
	CLEANUP(route_list_clear) struct route_list list = { 0 };
	bool has_leaving;
	struct err e;

	MUST(store_has_leaving(&e, s, &has_leaving));
	ck_assert(has_leaving);
	MUST(store_settled_routes(&e, s, &instant, 64, &list));
	MUST(store_draining_routes(&e, s, &instant, true, 64, &list));
	ck_assert_uint_eq(list.n, 0);
	MUST(store_draining_routes(&e, s, &instant, false, 3, &list));
	ck_assert_uint_eq(list.n, 3);
}

static void look_for_endpoint(struct store *s)
{
	const struct addr vip = given_addr("198.51.100.1");
	const struct service_key key = given_key(IPPROTO_TCP, "198.51.100.1:5"), free = given_key(6, "198.51.100.1:60000");
	const struct endpoint real = given_endpoint("10.0.0.2:5");
	enum store_port state;
	uint16_t former;
	struct worker w;
	uint64_t n;
	bool used;
	struct err e;

	MUST(store_port(&e, s, &key, "new", 1, 10, &state, NULL));
	MUST(store_port(&e, s, &free, "new", 1, 10, &state, NULL));
	MUST(store_former_port(&e, s, "closed5", 80, IPPROTO_TCP, &vip, 1, 10, &former));
	MUST(store_count_ports(&e, s, &vip, 3, 8, &n));
	ck_assert_uint_eq(n, 18);
	MUST(store_server_is_used(&e, s, IPPROTO_TCP, &real, 1, &used));
	MUST(store_worker(&e, s, "w5", &w));
}

static void change_routes(struct store *s)
{
	const struct route_filter f = { .container = "open5", .state = -1 };
	CLEANUP(route_list_clear) struct route_list list = { 0 };
	CLEANUP(route_clear) struct route r = given_route("new", 80, "198.51.100.1:60000");
	struct worker w = { .name = "new", .nat = NAT_NONE, .is_public = true, .n_addresses = 1,
			    .addresses = { given_addr("203.0.113.7") } };
	struct err e;

	MUST(store_routes(&e, s, &f, &list));
	MUST(store_worker_routes(&e, s, "w5", &list));
	ck_assert_uint_eq(list.n, 3);
	given_server(&r, "10.0.0.2:80", 100);
	strcpy(r.worker, "new");
	MUST(store_begin(&e, s));
	MUST(store_set_worker(&e, s, &w));
	MUST(store_add_route(&e, s, &r));
	r.state = ROUTE_CLOSING;
	MUST(store_set_route(&e, s, &r));
	MUST(store_set_account(&e, s, &r, &(struct account){ .last.inbytes = 1 }));
	MUST(store_close_route(&e, s, r.id, 10));
	MUST(store_forget_route(&e, s, list.items[0].id));
	MUST(store_delete_worker(&e, s, "new"));
	store_rollback(s);
}

static void run_commands(const struct state *state)
{
	CLEANUP(store_closep) struct store *s = state_open(state, STORE_WRITE);
	struct err e;

	MUST(store_lock(&e, s));
	watch_anew(); /* opening is looked at elsewhere */
	look_for_due(s);
	look_for_endpoint(s);
	change_routes(s);
}

/* --- Tests -------------------------------------------------------------------- */

static int check_plan(void *sql, int n, char **values, char **names)
{
	(void)n;
	(void)names;
	/* What is not a table: the few that are due, parts of a query, a single row. */
	if (strncmp(values[3], "SCAN ", 5) == 0 && strcmp(values[3], "SCAN due") != 0 &&
	    strncmp(values[3], "SCAN (", 6) != 0 && strcmp(values[3], "SCAN CONSTANT ROW") != 0)
		ck_abort_msg("%s: %s", values[3], (const char *)sql);
	return 0;
}

static void expect_no_scans(const struct state *state)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(state->path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	for (size_t i = 0; i < seen.n; i++) {
		CLEANUP_FREE char *explain = malloc(strlen(seen.texts[i]) + 32);

		sprintf(explain, "EXPLAIN QUERY PLAN %s", seen.texts[i]);
		ck_assert_msg(sqlite3_exec(db, explain, check_plan, seen.texts[i], NULL) == SQLITE_OK, "%s: %s",
			      seen.texts[i], sqlite3_errmsg(db));
	}
	sqlite3_close(db);
}

START_TEST(no_query_of_a_command_goes_through_a_table)
{
	struct state state;

	given_state(&state);
	given_large(&state, 100);
	sqlite3_auto_extension((void (*)(void))watch);
	run_commands(&state);
	sqlite3_cancel_auto_extension((void (*)(void))watch);
	ck_assert_uint_gt(seen.n, 20);
	expect_no_scans(&state);
}
END_TEST

START_TEST(a_command_takes_as_many_steps_in_a_large_file_as_in_a_small_one)
{
	static const int sizes[] = { 10, 5000 };
	int64_t steps[2];

	sqlite3_auto_extension((void (*)(void))watch);
	for (size_t i = 0; i < 2; i++) {
		struct state state;

		given_state(&state);
		given_large(&state, sizes[i]);
		run_commands(&state);
		steps[i] = seen.steps;
		ck_assert_int_eq(seen.scanned, 0);
	}
	ck_assert_int_gt(steps[0], 500);
	ck_assert_msg(steps[1] <= steps[0] + steps[0] / 20, "%d steps, then %d", (int)steps[0], (int)steps[1]);
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 60);
	tcase_add_unchecked_fixture(tc, state_make_root, state_remove_root);
	tcase_add_test(tc, no_query_of_a_command_goes_through_a_table);
	tcase_add_test(tc, a_command_takes_as_many_steps_in_a_large_file_as_in_a_small_one);
}

int main(void)
{
	return unit_main("store_cost", add);
}
