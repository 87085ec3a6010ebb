/* SPDX-License-Identifier: GPL-3.0-or-later */
/* State files that are not ours, not of our time, or not whole. */
#include "state.h"

#include <sys/syscall.h>

static int fails_at, n_reads; /* this read, from 1, fails; 0: none */

/* In the place of the C library's. */
ssize_t pread64(int fd, void *buf, size_t count, off_t offset)
{
	if (++n_reads == fails_at) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_pread64, fd, buf, count, offset);
}

START_TEST(refuses_a_newer_version_and_leaves_it_alone)
{
	struct state state;

	given_state_file(&state);
	state_sql(&state, "PRAGMA user_version = 4");
	state_refused_all(&state, EINVAL, "version 4, made by a newer sonm-gateway");
	ck_assert_int_eq(state_sql(&state, "PRAGMA user_version"), 4);
	ck_assert_int_eq(state_sql(&state, "SELECT count(*) FROM route"), 1);
}
END_TEST

START_TEST(refuses_somebody_elses_database_and_leaves_it_alone)
{
	static const char *const scripts[] = {
		"CREATE TABLE x (y); INSERT INTO x VALUES (7)",
		"CREATE TABLE x (y); INSERT INTO x VALUES (7); PRAGMA user_version = 1",
		"CREATE TABLE x (y); INSERT INTO x VALUES (7); PRAGMA application_id = 252006674",
		"CREATE TABLE x (y); INSERT INTO x VALUES (7); PRAGMA application_id = 1397706317",
		"CREATE TABLE x (y); INSERT INTO x VALUES (7); PRAGMA application_id = 252006674; PRAGMA user_version = 1",
	};

	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		struct state state;

		umask(077);
		given_state(&state);
		state_sql(&state, scripts[i]);
		state_refused_all(&state, EINVAL, "is not a state file of sonm-gateway");
		ck_assert_int_eq(state_sql(&state, "SELECT y FROM x"), 7);
		ck_assert_int_eq(state_sql(&state, "SELECT count(*) FROM sqlite_master"), 1);
		ck_assert_uint_eq(state_n_files(state.dir), 1); /* no journal beside it */
	}
}
END_TEST

START_TEST(leaves_the_journal_of_somebody_elses_database_as_it_is)
{
	struct state state;
	unsigned char before[100], after[100];
	FILE *f;

	umask(077);
	given_state(&state);
	state_sql(&state, "PRAGMA journal_mode = WAL; CREATE TABLE x (y)");
	f = fopen(state.path, "r");
	ck_assert_uint_eq(fread(before, 1, sizeof(before), f), sizeof(before));
	fclose(f);
	state_refused_all(&state, EINVAL, "is not a state file of sonm-gateway");
	f = fopen(state.path, "r");
	ck_assert_uint_eq(fread(after, 1, sizeof(after), f), sizeof(after));
	fclose(f);
	ck_assert_mem_eq(after, before, sizeof(before)); /* bytes 18 and 19 tell the journal's kind */
}
END_TEST

START_TEST(says_that_a_garbage_file_is_damaged)
{
	static const size_t sizes[] = { 2, 15, 16, 99, 100, 511, 512, 4096, 10000 };
	static char garbage[10000];
	uint64_t seed = 1;

	for (size_t i = 0; i < sizeof(garbage); i++)
		garbage[i] = (char)given_random(&seed);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct state state;

		given_state(&state);
		state_write(state.path, garbage, sizes[i]);
		state_refused_all(&state, EIO, "damaged");
	}
}
END_TEST

START_TEST(says_that_a_file_cut_short_is_damaged)
{
	struct state state;
	struct stat st;

	given_state_file(&state);
	ck_assert_int_eq(stat(state.path, &st), 0);
	for (off_t size = st.st_size - 4096; size > 4096; size -= 4096) {
		const struct route_filter all = { .state = -1 };
		CLEANUP(route_list_clear) struct route_list list = { 0 };
		CLEANUP(store_closep) struct store *s = NULL;
		struct err e = { 0 };
		int ret;

		ck_assert_int_eq(truncate(state.path, size), 0);
		ret = store_open(&e, state.path, STORE_READ, &s);
		if (ret == 0)
			ret = store_routes(&e, s, &all, &list);
		ck_assert_msg(ret == -EIO, "%d bytes: %d", (int)size, ret);
		ck_assert_msg(strstr(e.msg, "damaged"), "%s", e.msg);
	}
}
END_TEST

static const char *const senseless[] = {
	"UPDATE route SET container_port = 0",
	"UPDATE route SET container_port = 65536",
	"UPDATE route SET container_port = 'http'",
	"UPDATE route SET protocol = 0",
	"UPDATE route SET protocol = 256",
	"UPDATE route SET port = 0",
	"UPDATE route SET port = -1",
	"UPDATE route SET address = 'here'",
	"UPDATE route SET address = ''",
	"UPDATE route SET address = '1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20'",
	"UPDATE route SET scheduler = 'sixteen__letters'",
	"UPDATE route SET persistence = -1",
	"UPDATE route SET persistence = 4294967296",
	"UPDATE route SET persistence = 'long'",
	"UPDATE route SET closing_ms = -1",
	"UPDATE route SET closing_boot = '0123456789012345678901234567890123456'",
	"UPDATE route SET container = printf('%129d', 1)",
	"UPDATE route SET base_conns = -1",
	"UPDATE route SET last_outbytes = -9223372036854775808",
	"UPDATE route SET last_outbytes = 'many'",
	"UPDATE route SET last_outbytes = 1.5",
	"UPDATE route SET last_outbytes = x'01'",
	"PRAGMA ignore_check_constraints = 1; UPDATE route SET kind = 'other'",
	"PRAGMA ignore_check_constraints = 1; UPDATE route SET state = 'other'",
	"UPDATE route SET worker = printf('%129d', 1)",
	"UPDATE real_server SET drain_boot = 'b'",
	"UPDATE real_server SET drain_boot = 'b', drain_ms = -1",
	"UPDATE real_server SET drain_boot = 'b', drain_ms = 'soon'",
	"UPDATE real_server SET drain_boot = '0123456789012345678901234567890123456', drain_ms = 1",
	"UPDATE real_server SET weight = -1",
	"UPDATE real_server SET weight = 2147483648",
	"UPDATE real_server SET weight = 'heavy'",
	"UPDATE real_server SET port = 0",
	"UPDATE real_server SET address = 'there'",
};

START_TEST(says_that_values_without_sense_are_damage)
{
	const struct route_filter all = { .state = -1 };
	CLEANUP(route_list_clear) struct route_list list = { 0 };
	CLEANUP(store_closep) struct store *s = NULL;
	struct state state;
	struct err e = { 0 };

	given_state_file(&state);
	state_sql(&state, senseless[_i]);
	s = state_open(&state, STORE_READ);
	ck_assert_msg(store_routes(&e, s, &all, &list) == -EIO, "%s", senseless[_i]);
	ck_assert_msg(strstr(e.msg, "damaged"), "%s", e.msg);
	ck_assert_uint_eq(list.n, 0);
}
END_TEST
/* Reads all there is, while the disk refuses one page. */
static int read_routes(struct err *e, const struct state *state)
{
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(route_list_clear) struct route_list list = { 0 };
	const struct route_filter all = { .state = -1 };
	int ret = store_open(e, state->path, STORE_READ, &s);

	return ret == 0 ? store_routes(e, s, &all, &list) : ret;
}

/* Who is told "damaged" moves the account away. */
START_TEST(a_page_that_cannot_be_read_is_no_damage)
{
	struct state state;
	int n_failed = 0;

	given_state_file(&state);
	fails_at = 0;
	do {
		struct err e = { 0 };

		fails_at++;
		n_reads = 0;
		if (read_routes(&e, &state) == 0)
			continue; /* nobody misses that page, or there was none left to fail */
		n_failed++;
		ck_assert_msg(strstr(e.msg, "Input/output error; see with df and dmesg"), "%d: %s", fails_at, e.msg);
		ck_assert_msg(!strstr(e.msg, "damaged"), "%d: %s", fails_at, e.msg);
	} while (n_reads >= fails_at);
	fails_at = 0;
	ck_assert_int_ge(n_failed, 4);
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 60);
	tcase_add_unchecked_fixture(tc, state_make_root, state_remove_root);
	tcase_add_test(tc, refuses_a_newer_version_and_leaves_it_alone);
	tcase_add_test(tc, refuses_somebody_elses_database_and_leaves_it_alone);
	tcase_add_test(tc, leaves_the_journal_of_somebody_elses_database_as_it_is);
	tcase_add_test(tc, a_page_that_cannot_be_read_is_no_damage);
	tcase_add_test(tc, says_that_a_garbage_file_is_damaged);
	tcase_add_test(tc, says_that_a_file_cut_short_is_damaged);
	tcase_add_loop_test(tc, says_that_values_without_sense_are_damage, 0, ARRAY_LEN(senseless));
}

int main(void)
{
	return unit_main("store_damage", add);
}
