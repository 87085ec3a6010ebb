/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * unit: what every unit test program has in common: running its tests with
 * check, and a stream in memory for what the code under test prints.
 */
#ifndef SONM_UNIT_H
#define SONM_UNIT_H

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Runs the tests that add puts into the case; the exit status for main. */
static inline int unit_main(const char *name, void (*add)(TCase *tc))
{
	Suite *suite = suite_create(name);
	TCase *tc = tcase_create(name);
	SRunner *runner;
	int failed;

	add(tc);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Does valgrind run this (tests/unit/valgrind says so)? */
static inline bool unit_in_valgrind(void)
{
	return getenv("UNIT_VALGRIND") != NULL;
}

/*
 * How often to do what is done n times: so often, but in valgrind, which takes fifty times as long, one time in a
 * hundred. It looks at how memory is used; what chance or size bring beyond that is tested without it.
 */
static inline unsigned unit_many(unsigned n)
{
	return unit_in_valgrind() ? n / 100 : n;
}

/* A stream whose text is kept: struct unit_out o = { 0 }; print to unit_open(&o). */
struct unit_out {
	FILE *stream;
	char *text;
	size_t len;
};

static inline FILE *unit_open(struct unit_out *o)
{
	o->stream = open_memstream(&o->text, &o->len);
	ck_assert_ptr_nonnull(o->stream);
	return o->stream;
}

/* Closes the stream, checks that it took exactly this text, and frees it. */
static inline void unit_expect(struct unit_out *o, const char *text)
{
	fclose(o->stream);
	ck_assert_str_eq(o->text, text);
	ck_assert_uint_eq(o->len, strlen(text));
	free(o->text);
}

#endif
