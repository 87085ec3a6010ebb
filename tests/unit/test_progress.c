/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "progress.h"
#include "unit.h"

static const struct {
	size_t done, total, columns;
	const char *text;
} bars[] = {
	{ 0, 1000, 27, "[..........]   0%    0/1000" },
	{ 500, 1000, 27, "[#####.....]  50%  500/1000" },
	{ 999, 1000, 27, "[#########.]  99%  999/1000" },
	{ 1000, 1000, 27, "[##########] 100% 1000/1000" },
	{ 1000, 1000, 37, "[####################] 100% 1000/1000" },
	{ 999999, 1000000, 80,
	  "[########################################################.]  99%  999999/1000000" },
	/* Less room: no bar, then no figures, then nothing. */
	{ 500, 1000, 26, " 50%  500/1000" },
	{ 500, 1000, 14, " 50%  500/1000" },
	{ 500, 1000, 13, " 50%" },
	{ 500, 1000, 4, " 50%" },
	{ 500, 1000, 3, "" },
	{ 500, 1000, 0, "" },
	/* What should not be. */
	{ 0, 0, 80, "" },
	{ 7, 0, 80, "" },
	{ 11, 10, 23, "[##########] 100% 10/10" },
};

START_TEST(fits_into_the_columns_that_there_are)
{
	char buf[PROGRESS_WIDTH_MAX + 1];

	memset(buf, 'x', sizeof(buf));
	ck_assert_str_eq(progress_text(bars[_i].done, bars[_i].total, bars[_i].columns, buf), bars[_i].text);
	ck_assert_uint_le(strlen(buf), bars[_i].columns);
}
END_TEST

START_TEST(uses_all_columns_but_no_more_than_it_has_room_for)
{
	char buf[PROGRESS_WIDTH_MAX + 1];

	for (size_t columns = 30; columns <= 1000; columns++)
		ck_assert_uint_eq(strlen(progress_text(333, 1000, columns, buf)),
				  columns < PROGRESS_WIDTH_MAX ? columns : PROGRESS_WIDTH_MAX);
	ck_assert_uint_le(strlen(progress_text(SIZE_MAX, SIZE_MAX, 1000, buf)), PROGRESS_WIDTH_MAX);
	ck_assert_ptr_nonnull(strstr(buf, "] 100% "));
}
END_TEST

START_TEST(never_goes_back)
{
	char buf[PROGRESS_WIDTH_MAX + 1];
	size_t last = 0;

	for (size_t done = 0; done <= 777; done++) {
		size_t filled = strspn(progress_text(done, 777, 60, buf) + 1, "#");

		ck_assert_uint_ge(filled, last);
		last = filled;
	}
	ck_assert_uint_eq(last, strcspn(buf, "]") - 1);
}
END_TEST

static const struct {
	struct progress p;
	int64_t now;
	bool is_due;
} moments[] = {
	{ { .on_terminal = true, .started = 5000 }, 5999, false }, /* not a second yet */
	{ { .on_terminal = true, .started = 5000 }, 6000, true },
	{ { .on_terminal = true, .started = 5000, .drawn = 6000 }, 6099, false },
	{ { .on_terminal = true, .started = 5000, .drawn = 6000 }, 6100, true },
	{ { .on_terminal = false, .started = 5000 }, 60000, false },
};

START_TEST(waits_a_second_and_draws_ten_times_a_second)
{
	ck_assert(progress_is_due(&moments[_i].p, moments[_i].now) == moments[_i].is_due);
}
END_TEST

/* Standard error becomes a pipe, on which there is nothing to be seen. */
START_TEST(says_nothing_where_there_is_no_terminal)
{
	struct progress p;
	char buf[16];
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	p = progress_start();
	p.started -= 3600000;
	progress_tell(&p, 1, 2);
	progress_end(&p);
	ck_assert(!p.on_terminal);
	close(STDERR_FILENO);
	close(ends[1]);
	ck_assert_int_eq(read(ends[0], buf, sizeof(buf)), 0);
	close(ends[0]);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, fits_into_the_columns_that_there_are, 0, ARRAY_LEN(bars));
	tcase_add_test(tc, uses_all_columns_but_no_more_than_it_has_room_for);
	tcase_add_test(tc, never_goes_back);
	tcase_add_loop_test(tc, waits_a_second_and_draws_ten_times_a_second, 0, ARRAY_LEN(moments));
	tcase_add_test(tc, says_nothing_where_there_is_no_terminal);
}

int main(void)
{
	return unit_main("progress", add);
}
