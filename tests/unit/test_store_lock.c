/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The writer's lock, between processes. */
#include "state.h"

#include <signal.h>
#include <sys/mman.h>
#include <time.h>

/*
 * A child that has the lock. It is started before the parent opens the file:
 * SQLite's connections must not be taken through a fork.
 */
struct child {
	pid_t pid;
	int go; /* a pipe: a byte lets it go on */
};

#define CROWD 8 /* of them, each wants it all the time */

typedef int work(struct store *s); /* 0: done */

static int run_child(const struct state *state, work *before, work *after, int ready, int go)
{
	struct store *s = NULL;
	struct err e;
	char byte;

	if (store_open(&e, state->path, STORE_WRITE, &s) < 0 || store_lock(&e, s) < 0 || before(s) != 0)
		return 2;
	if (write(ready, "x", 1) != 1 || read(go, &byte, 1) != 1)
		return 3;
	if (after(s) != 0)
		return 4;
	store_close(s);
	return 0;
}

/* Returns when the child has the lock and has done what comes before. */
static struct child given_child(const struct state *state, work *before, work *after)
{
	int ready[2], go[2];
	struct child child;
	char byte;

	ck_assert_int_eq(pipe(ready), 0);
	ck_assert_int_eq(pipe(go), 0);
	child.pid = fork();
	ck_assert_int_ge(child.pid, 0);
	if (child.pid == 0)
		_exit(run_child(state, before, after, ready[1], go[0]));
	close(ready[1]);
	close(go[0]);
	child.go = go[1];
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return child;
}

static void let_go(const struct child *child)
{
	ck_assert_int_eq(write(child->go, "x", 1), 1);
	close(child->go);
}

static void expect_exit(pid_t child, int want)
{
	int status = -1;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == want, "status %x", (unsigned)status);
}

static int nothing(struct store *s)
{
	(void)s;
	return 0;
}

static int begin_and_add(struct store *s)
{
	struct route r = given_route("a", 80, VIP);
	struct err e;

	return store_begin(&e, s) < 0 || store_add_route(&e, s, &r) < 0;
}

static int add_after_a_while(struct store *s)
{
	struct err e;

	usleep(300 * 1000);
	return begin_and_add(s) != 0 || store_commit(&e, s) < 0;
}

START_TEST(a_writer_waits_for_the_lock)
{
	CLEANUP(store_closep) struct store *s = NULL;
	struct state state;
	struct child child;
	struct err e;

	given_state(&state);
	child = given_child(&state, nothing, add_after_a_while);
	s = state_open(&state, STORE_WRITE);
	ck_assert_uint_eq(state_n_routes(s), 0); /* reading does not wait */
	let_go(&child);
	ck_assert_int_eq(store_lock(&e, s), 0);
	ck_assert_uint_eq(state_n_routes(s), 1); /* the child is done */
	store_unlock(s);
	expect_exit(child.pid, 0);
}
END_TEST

static const char *moved_from;

static int move_after_a_while(struct store *s)
{
	char to[256];

	(void)s;
	usleep(200 * 1000);
	snprintf(to, sizeof(to), "%.200s.moved", moved_from);
	return rename(moved_from, to);
}

/* Nobody would read what is written there. */
START_TEST(who_waited_for_a_file_that_was_moved_is_told)
{
	CLEANUP(store_closep) struct store *s = NULL;
	struct state state;
	struct child child;
	struct err e = { 0 };

	given_state(&state);
	moved_from = state.path;
	child = given_child(&state, nothing, move_after_a_while);
	s = state_open(&state, STORE_WRITE);
	let_go(&child);
	ck_assert_int_eq(store_lock(&e, s), -EBUSY);
	ck_assert_msg(strstr(e.msg, "was moved, removed or replaced meanwhile; try again"), "%s", e.msg);
	expect_exit(child.pid, 0);
	store_close(state_open(&state, STORE_WRITE));
	ck_assert_int_eq(store_lock(&e, s), -EBUSY); /* another one is there now */
}
END_TEST

/* What a crowd of processes shares: how often one of them had the lock, and how often after too many others. */
struct turns {
	_Atomic unsigned n, n_late;
};

/* Holds it for 2 ms again and again, with pauses in which others can have it. */
static void want_lock(const struct state *state, struct turns *turns)
{
	struct store *s = NULL;
	struct err e;

	if (store_open(&e, state->path, STORE_WRITE, &s) < 0)
		_exit(2);
	for (;;) {
		unsigned came = turns->n, before;

		if (store_lock(&e, s) < 0)
			_exit(3);
		before = turns->n++ - came;
		turns->n_late += before > 2 * CROWD;
		usleep(2 * 1000);
		store_unlock(s);
		usleep(100);
	}
}

START_TEST(who_comes_first_is_let_in_first)
{
	struct turns *turns = mmap(NULL, sizeof(*turns), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t crowd[CROWD];
	struct state state;

	ck_assert_ptr_ne((void *)turns, MAP_FAILED);
	given_state(&state);
	store_close(state_open(&state, STORE_WRITE));
	for (int i = 0; i < CROWD; i++) {
		crowd[i] = fork();
		ck_assert_int_ge(crowd[i], 0);
		if (crowd[i] == 0)
			want_lock(&state, turns);
	}
	while (turns->n < 100 * CROWD)
		usleep(1000);
	for (int i = 0; i < CROWD; i++) {
		kill(crowd[i], SIGKILL);
		waitpid(crowd[i], NULL, 0);
	}
	/* Not 0: on a busy machine somebody may be slow to queue. */
	ck_assert_msg(turns->n_late <= 4 * CROWD, "%u of %u waited for too many others", turns->n_late, turns->n);
	munmap(turns, sizeof(*turns));
}
END_TEST

START_TEST(a_glance_does_not_wait)
{
	struct store *s = NULL;
	struct timespec before, after;
	struct state state;
	sqlite3 *other;
	struct err e;

	given_state(&state);
	store_close(state_open(&state, STORE_WRITE));
	ck_assert_int_eq(sqlite3_open(state.path, &other), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	clock_gettime(CLOCK_MONOTONIC, &before);
	ck_assert_int_eq(store_open(&e, state.path, STORE_GLANCE, &s), -ETIMEDOUT);
	clock_gettime(CLOCK_MONOTONIC, &after);
	ck_assert_int_le(after.tv_sec - before.tv_sec, 2);
	sqlite3_close(other);
	s = state_open(&state, STORE_GLANCE);
	ck_assert_uint_eq(state_n_routes(s), 0);
	ck_assert_int_lt(store_begin(&e, s), 0); /* it only reads */
	store_close(s);
}
END_TEST

/* A commit waits for a reader, and a reader's view does not move. */
START_TEST(what_is_read_together_is_of_one_moment)
{
	CLEANUP(store_closep) struct store *s = NULL;
	struct state state;
	struct child child;
	struct err e;

	given_state(&state);
	child = given_child(&state, nothing, add_after_a_while);
	s = state_open(&state, STORE_READ);
	ck_assert_int_eq(store_begin_read(&e, s), 0);
	ck_assert_uint_eq(state_n_routes(s), 0);
	let_go(&child);
	for (int i = 0; i < 10; i++) {
		usleep(100 * 1000);
		ck_assert_uint_eq(state_n_routes(s), 0);
	}
	store_rollback(s);
	expect_exit(child.pid, 0);
	ck_assert_uint_eq(state_n_routes(s), 1);
}
END_TEST

START_TEST(a_killed_writer_leaves_neither_lock_nor_half_a_change)
{
	CLEANUP(store_closep) struct store *s = NULL;
	struct route r = given_route("b", 80, VIP);
	struct timespec before, after;
	struct state state;
	struct child child;
	struct err e;

	given_state(&state);
	child = given_child(&state, begin_and_add, nothing);
	ck_assert_int_eq(kill(child.pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child.pid, NULL, 0), child.pid);
	close(child.go);
	s = state_open(&state, STORE_WRITE);
	clock_gettime(CLOCK_MONOTONIC, &before);
	ck_assert_int_eq(store_lock(&e, s), 0);
	ck_assert_uint_eq(state_n_routes(s), 0);
	state_add(s, &r);
	clock_gettime(CLOCK_MONOTONIC, &after);
	ck_assert_int_le(after.tv_sec - before.tv_sec, 5);
	ck_assert_uint_eq(state_n_routes(s), 1);
}
END_TEST

START_TEST(unlocking_and_closing_let_the_next_one_in)
{
	struct state state;
	struct store *a, *b;
	struct err e;

	given_state(&state);
	a = state_open(&state, STORE_WRITE);
	b = state_open(&state, STORE_WRITE);
	ck_assert_int_eq(store_lock(&e, a), 0);
	store_unlock(a);
	ck_assert_int_eq(store_lock(&e, b), 0);
	store_unlock(b);
	ck_assert_int_eq(store_lock(&e, a), 0);
	store_close(a);
	ck_assert_int_eq(store_lock(&e, b), 0);
	store_close(b);
	store_close(NULL);
}
END_TEST

/* One of several that start at once, on a file that is not there yet. */
static void write_many(const struct state *state, int number)
{
	struct store *s = NULL;
	struct err e;

	for (uint16_t i = 0; i < 10; i++) {
		struct route r = given_route("a", (uint16_t)(100 * number + i + 1), VIP);

		r.public.port = r.cport;
		if (store_open(&e, state->path, STORE_WRITE, &s) < 0 || store_lock(&e, s) < 0 ||
		    store_begin(&e, s) < 0 || store_add_route(&e, s, &r) < 0 || store_commit(&e, s) < 0) {
			fprintf(stderr, "%s\n", e.msg);
			_exit(2);
		}
		store_close(s);
	}
	_exit(0);
}

START_TEST(many_writers_queue_and_none_fails)
{
	CLEANUP(store_closep) struct store *s = NULL;
	struct state state;
	pid_t children[8];

	given_state(&state);
	for (int i = 0; i < (int)ARRAY_LEN(children); i++) {
		children[i] = fork();
		ck_assert_int_ge(children[i], 0);
		if (children[i] == 0)
			write_many(&state, i);
	}
	for (size_t i = 0; i < ARRAY_LEN(children); i++)
		expect_exit(children[i], 0);
	s = state_open(&state, STORE_READ);
	ck_assert_uint_eq(state_n_routes(s), 80);
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 60);
	tcase_add_unchecked_fixture(tc, state_make_root, state_remove_root);
	tcase_add_test(tc, a_writer_waits_for_the_lock);
	tcase_add_test(tc, who_waited_for_a_file_that_was_moved_is_told);
	tcase_add_test(tc, who_comes_first_is_let_in_first);
	tcase_add_test(tc, a_glance_does_not_wait);
	tcase_add_test(tc, what_is_read_together_is_of_one_moment);
	tcase_add_test(tc, a_killed_writer_leaves_neither_lock_nor_half_a_change);
	tcase_add_test(tc, unlocking_and_closing_let_the_next_one_in);
	tcase_add_test(tc, many_writers_queue_and_none_fails);
}

int main(void)
{
	return unit_main("store_lock", add);
}
