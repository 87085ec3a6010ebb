/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "err.h"
#include "unit.h"

START_TEST(returns_the_negative_code_and_keeps_both)
{
	struct err e;

	ck_assert_int_eq(err_set(&e, ESRCH, "no such container %s", "755fe2a8"), -ESRCH);
	ck_assert_int_eq(e.code, ESRCH);
	ck_assert_str_eq(e.msg, "no such container 755fe2a8");
}
END_TEST

START_TEST(appends_the_systems_text_for_the_code)
{
	struct err e;

	ck_assert_int_eq(err_sys(&e, ENOENT, "cannot open %s", "/x"), -ENOENT);
	ck_assert_int_eq(e.code, ENOENT);
	ck_assert_str_eq(e.msg, "cannot open /x: No such file or directory");
}
END_TEST

START_TEST(puts_context_before_and_advice_after)
{
	struct err e;

	err_set(&e, EEXIST, "port %d is taken", 32768);
	ck_assert_int_eq(err_wrap(&e, "cannot add %s", "755fe2a8"), -EEXIST);
	ck_assert_int_eq(err_advise(&e, "pick another with %s", "--vport"), -EEXIST);
	ck_assert_int_eq(e.code, EEXIST);
	ck_assert_str_eq(e.msg, "cannot add 755fe2a8: port 32768 is taken; pick another with --vport");
}
END_TEST

START_TEST(stays_one_line_whatever_the_arguments_hold)
{
	struct err e;

	err_set(&e, EINVAL, "%s", "a\nb\r\tc\x1b[31m\x7f");
	ck_assert_str_eq(e.msg, "a?b??c?[31m?");
	err_wrap(&e, "%s", "x\ny");
	err_advise(&e, "%s", "\n");
	ck_assert_str_eq(e.msg, "x?y: a?b??c?[31m?; ?");
	err_sys(&e, EIO, "%s", "a\nb");
	ck_assert_str_eq(e.msg, "a?b: Input/output error");
}
END_TEST

START_TEST(keeps_utf8_text)
{
	struct err e;

	err_set(&e, EINVAL, "%s", "a\xc2\x9b[2J \xc2\xa7");
	ck_assert_str_eq(e.msg, "a??[2J \xc2\xa7");
	err_set(&e, EINVAL, "%s", "na\xc3\xafve");
	ck_assert_str_eq(e.msg, "na\xc3\xafve");
}
END_TEST

/* 9b alone begins an order to a terminal that does not expect UTF-8; what is cut off is none either. */
START_TEST(keeps_no_byte_that_is_not_utf8)
{
	struct err e;

	err_set(&e, EINVAL, "%s", "a\x9b[2J \xff");
	ck_assert_str_eq(e.msg, "a?[2J ?");
	err_set(&e, EINVAL, "'%.3s' is long", "na\xc3\xafve");
	ck_assert_str_eq(e.msg, "'na?' is long");
	err_set(&e, EINVAL, "%s", "\xc0\x9b \xed\xa0\x80");
	ck_assert_str_eq(e.msg, "?? ???");
}
END_TEST

START_TEST(cuts_a_message_that_does_not_fit)
{
	char longer[5000];
	struct err e;

	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	ck_assert_int_eq(err_set(&e, EIO, "%s", longer), -EIO);
	ck_assert_uint_eq(strlen(e.msg), sizeof(e.msg) - 1);
	ck_assert_int_eq(err_sys(&e, EIO, "%s", longer), -EIO);
	ck_assert_uint_eq(strlen(e.msg), sizeof(e.msg) - 1);
	ck_assert_int_eq(err_wrap(&e, "%s", longer), -EIO);
	ck_assert_uint_eq(strlen(e.msg), sizeof(e.msg) - 1);
	ck_assert_int_eq(err_advise(&e, "do this"), -EIO);
	ck_assert_uint_eq(strlen(e.msg), sizeof(e.msg) - 1);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, returns_the_negative_code_and_keeps_both);
	tcase_add_test(tc, appends_the_systems_text_for_the_code);
	tcase_add_test(tc, puts_context_before_and_advice_after);
	tcase_add_test(tc, stays_one_line_whatever_the_arguments_hold);
	tcase_add_test(tc, keeps_utf8_text);
	tcase_add_test(tc, keeps_no_byte_that_is_not_utf8);
	tcase_add_test(tc, cuts_a_message_that_does_not_fit);
}

int main(void)
{
	return unit_main("err", add);
}
