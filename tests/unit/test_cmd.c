/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd_given.h"
#include "unit.h"

#define WORDS_MAX 12

/* Parses words, NULL ends, and checks that argv is as before. */
static int parse(struct err *e, const struct cmd_table *table, const char *const words[],
		 struct cmd_line *line)
{
	char *argv[WORDS_MAX + 2] = { (char *)"sonm-vs" };
	char *before[WORDS_MAX + 2];
	int argc = 1, ret;

	while (words[argc - 1]) {
		argv[argc] = (char *)words[argc - 1];
		argc++;
	}
	memcpy(before, argv, sizeof(argv));
	ret = cmd_parse(e, table, argc, argv, line);
	ck_assert_mem_eq(before, argv, sizeof(argv));
	return ret;
}

/* What a line means, in one text: "command|id=value ...|args". */
static void describe(const struct cmd_line *line, char *buf, size_t size)
{
	size_t n = (size_t)snprintf(buf, size, "%s|", line->command->name ? line->command->name : "");

	for (size_t i = 0; i < line->n_values; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%d=%s", i ? " " : "", line->values[i].id,
				      line->values[i].value ? line->values[i].value : "");
	n += (size_t)snprintf(buf + n, size - n, "|");
	for (size_t i = 0; i < line->n_args; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s", i ? " " : "", line->args[i]);
}

static const struct {
	const struct cmd_table *table;
	const char *const words[WORDS_MAX];
	const char *meaning;
} good[] = {
	{ &strict, { "-A", "c1" }, "add||c1" },
	{ &strict, { "--add", "c1" }, "add||c1" },
	{ &strict, { "add", "c1" }, "add||c1" },
	{ &strict, { "c1", "-A" }, "add||c1" },
	{ &strict, { "-Ac", "f", "c1" }, "add|99=f|c1" },
	{ &strict,
	  { "add", "-t", "80=a:1", "c1", "--tcp=81=a:2", "-t82=a:3" },
	  "add|116=80=a:1 116=81=a:2 116=82=a:3|c1" },
	{ &strict, { "-t", "80=a:1", "add", "c1" }, "add|116=80=a:1|c1" },
	{ &strict, { "add", "c1", "-w", "-5", "--vip", "--list" }, "add|119=-5 256=--list|c1" },
	{ &strict, { "add", "c1", "--vip=", "-w", "" }, "add|256= 119=|c1" },
	{ &strict, { "add", "c1", "--vi", "x", "--wei=7", "--publish", "9" }, "add|256=x 119=7 258=9|c1" },
	{ &strict, { "list", "add", "list" }, "list||add list" },
	{ &strict, { "-L", "add" }, "list||add" },
	{ &strict, { "add", "-L" }, "list||add" },
	{ &strict, { "-4nL" }, "list|52= 110=|" },
	{ &strict, { "-L", "--", "-n", "--", "-" }, "list||-n -- -" },
	{ &strict, { "-L", "" }, "list||" },
	{ &strict, { "list", "-" }, "list||-" },
	{ &strict, { "--sync", "--dry-run", "-c", "f" }, "sync|257= 99=f|" },
	{ &strict, { "-D", "a", "b", "c" }, "delete||a b c" },
	{ &strict, { "--complete-values", "x" }, "complete-values||x" },
	{ &lenient, { NULL }, "list||" },
	{ &lenient, { "c1", "add" }, "list||c1 add" },
	{ &lenient, { "-n", "c1" }, "list|110=|c1" },
	{ &lenient, { "add", "c1" }, "add||c1" },
	{ &lenient, { "--", "add", "c1" }, "list||add c1" },
	{ &lenient, { "--complete-words" }, "list|259=|" },
	{ &fixed, { "--dry" }, "sync|257=|" },
	{ &fixed, { "-L", "x" }, "list||x" },
	{ &plain, { NULL }, "||" },
	{ &plain, { "--" }, "||" },
	{ &plain, { "-vv", "-s", "a", "-vsb" }, "|118= 118= 115=a 118= 115=b|" },
	{ &plain, { "--report" }, "|256=|" },
	{ &plain, { "--report=http://a/", "-v" }, "|256=http://a/ 118=|" },
	{ &plain, { "--report=" }, "|256=|" },
	{ &plain, { "--report", "-v" }, "|256= 118=|" },
	{ &plain, { "-l9v" }, "|108=9v|" },
	{ &plain, { "-vl" }, "|118= 108=|" },
};

START_TEST(understands_lines)
{
	struct cmd_line line;
	struct err e;
	char meaning[256];

	ck_assert_msg(parse(&e, good[_i].table, good[_i].words, &line) == 0, "%s", e.msg);
	describe(&line, meaning, sizeof(meaning));
	ck_assert_str_eq(meaning, good[_i].meaning);
	cmd_line_free(&line);
}
END_TEST

static const struct {
	const struct cmd_table *table;
	const char *const words[WORDS_MAX];
	const char *message;
} bad[] = {
	{ &strict, { NULL }, "no command is given; see sonm-vs --help" },
	{ &strict, { "-n" }, "no command is given; see sonm-vs --help" },
	{ &strict, { "--" }, "no command is given; see sonm-vs --help" },
	{ &strict, { "ad", "c1" }, "'ad' is not a command; did you mean add?" },
	{ &strict, { "complete-value" }, "'complete-value' is not a command; see sonm-vs --help" },
	{ &strict, { "--complete-valuse" }, "unknown option '--complete-valuse'; see sonm-vs --help" },
	{ &strict, { "lst" }, "'lst' is not a command; did you mean list?" },
	{ &strict, { "config" }, "'config' is not a command; did you mean --config?" },
	{ &strict, { "complete-words" }, "'complete-words' is not a command; see sonm-vs --help" },
	{ &strict, { "" }, "'' is not a command; see sonm-vs --help" },
	{ &strict, { "-" }, "'-' is not a command; see sonm-vs --help" },
	{ &strict, { "frobnicate" }, "'frobnicate' is not a command; see sonm-vs --help" },
	{ &strict, { "--", "list" }, "no command is given; see sonm-vs --help" },
	{ &strict, { "a\nb\x1b[0m" }, "'a?b?[0m' is not a command; see sonm-vs --help" },
	{ &fixed,
	  { "--", "sync" },
	  "argument 'sync' is one too many for --sync; write sonm-vs --sync [--dry-run]" },
	{ &fixed, { "sinc" }, "'sinc' is not a command; did you mean sync?" },
	{ &strict, { "--lsit" }, "unknown option '--lsit'; did you mean --list?" },
	{ &strict, { "add", "--wieght=4" }, "unknown option '--wieght=4'; did you mean --weight?" },
	{ &strict, { "--frobnicate" }, "unknown option '--frobnicate'; see sonm-vs --help" },
	{ &strict, { "--=x" }, "unknown option '--=x'; see sonm-vs --help" },
	{ &strict, { "---" }, "unknown option '---'; see sonm-vs --help" },
	{ &strict, { "--d" }, "'--d' can mean --delete or --dry-run; write more of it" },
	{ &strict, { "-a", "c1" }, "unknown option '-a'; did you mean -A?" },
	{ &strict, { "-x" }, "unknown option '-x'; see sonm-vs --help" },
	{ &strict, { "-nxL" }, "unknown option '-x' in '-nxL'; see sonm-vs --help" },
	{ &strict, { "-L", "-nx" }, "unknown option '-x' in '-nx'; see sonm-vs --help" },
	{ &strict, { "-list" }, "unknown option '-l' in '-list'; did you mean --list?" },
	{ &strict, { "-A-A" }, "unknown option '--' in '-A-A'; see sonm-vs --help" },
	{ &strict, { "-A:", "c" }, "unknown option '-:' in '-A:'; see sonm-vs --help" },
	{ &strict, { "-A?", "c" }, "unknown option '-?' in '-A?'; see sonm-vs --help" },
	{ &strict, { "-\xc3\xa9" }, "unknown option '-\xc3\xa9'; see sonm-vs --help" },
	{ &strict, { "-\x01" }, "unknown option '-?'; see sonm-vs --help" },
	{ &strict, { "-L", "-w" }, "'-w' lacks its argument; write -w|--weight WEIGHT" },
	{ &strict, { "-L", "-nw" }, "'-nw' lacks its argument; write -w|--weight WEIGHT" },
	{ &strict, { "-L", "--vi" }, "'--vi' lacks its argument; write --vip ADDRESS" },
	{ &strict,
	  { "--sync", "--dry-run=yes" },
	  "'--dry-run=yes' has an argument, but --dry-run takes none; leave it out" },
	{ &strict, { "--list=c1" }, "'--list=c1' has an argument, but --list takes none; leave it out" },
	{ &strict, { "-A", "c1", "-w", "1", "--weight=2" }, "-w|--weight is given twice; give it once" },
	{ &strict, { "-L", "-44" }, "-4 is given twice; give it once" },
	{ &strict, { "-A", "c1", "-A" }, "-A|--add is given twice; give it once" },
	{ &strict, { "-A", "c1", "--sync" }, "-A|--add and --sync are two commands; give one" },
	{ &strict, { "-L", "--vip", "x" }, "-L|--list does not take --vip; see sonm-vs --help" },
	{ &lenient, { "--sync", "--publish-sctp-port", "1" },
	  "--sync does not take --publish-sctp-port; see sonm-vs --help" },
	{ &similar, { "-L", "--worker", "w1" }, "-L|--list does not take --worker; did you mean --workers?" },
	{ &strict, { "sync", "-4" }, "--sync does not take -4; see sonm-vs --help" },
	{ &strict, { "-D", "a", "b", "-n" }, "-D|--delete does not take -n|--numeric; see sonm-vs --help" },
	{ &lenient, { "--dry-run" }, "-L|--list does not take --dry-run; see sonm-vs --help" },
	{ &strict,
	  { "sync", "now" },
	  "argument 'now' is one too many for --sync; write sonm-vs --sync [--dry-run]" },
	{ &strict,
	  { "-D", "a", "b", "c", "d" },
	  "argument 'd' is one too many for -D|--delete; "
	  "write sonm-vs -D|--delete CONTAINER" },
	{ &strict, { "-D", "a" }, "-D|--delete lacks an argument; write sonm-vs -D|--delete CONTAINER" },
	{ &bare, { "save", "x" }, "argument 'x' is one too many for -S|--save; write sonm-vs -S|--save" },
	{ &plain, { "x" }, "argument 'x' is one too many for sonm-stun; see sonm-stun --help" },
	{ &plain, { "--", "-v" }, "argument '-v' is one too many for sonm-stun; see sonm-stun --help" },
	{ &plain, { "--report", "http://a/" },
	  "argument 'http://a/' is one too many for sonm-stun; see sonm-stun --help" },
	{ &plain, { "--report", "--report=x" }, "--report is given twice; give it once" },
	{ &plain, { "--verbose=2" }, "'--verbose=2' has an argument, but --verbose takes none; leave it out" },
	{ &plain, { "-s" }, "'-s' lacks its argument; write -s|--server HOST[:PORT]" },
	{ &strict, { "delete" }, "-D|--delete lacks an argument; write sonm-vs -D|--delete CONTAINER" },
};

START_TEST(refuses_lines_and_says_what_to_do)
{
	struct cmd_line line = { .n_args = 77 };
	struct err e = { 0 };

	ck_assert_int_eq(parse(&e, bad[_i].table, bad[_i].words, &line), -EINVAL);
	ck_assert_int_eq(e.code, EINVAL);
	ck_assert_str_eq(e.msg, bad[_i].message);
	ck_assert_uint_eq(line.n_args, 77);
}
END_TEST

START_TEST(does_not_ask_the_environment_for_the_order)
{
	static const char *const words[] = { "list", "c1", "-n", NULL };
	struct cmd_line line;
	struct err e;

	setenv("POSIXLY_CORRECT", "1", 1);
	ck_assert_int_eq(parse(&e, &strict, words, &line), 0);
	ck_assert(cmd_has(&line, 'n'));
	ck_assert_uint_eq(line.n_args, 1);
	cmd_line_free(&line);
}
END_TEST

START_TEST(starts_afresh_after_a_line_that_failed_in_the_middle)
{
	static const char *const wrong[] = { "-LxnA", "c1", NULL };
	static const char *const right[] = { "-L", "c2", NULL };
	struct cmd_line line;
	struct err e;

	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(parse(&e, &strict, wrong, &line), -EINVAL);
		ck_assert_int_eq(parse(&e, &strict, right, &line), 0);
		ck_assert_uint_eq(line.n_args, 1);
		ck_assert_str_eq(line.args[0], "c2");
		cmd_line_free(&line);
	}
}
END_TEST

START_TEST(an_empty_argv_is_an_empty_line)
{
	char *argv[] = { NULL };
	struct cmd_line line;
	struct err e;

	ck_assert_int_eq(cmd_parse(&e, &strict, 0, argv, &line), -EINVAL);
	ck_assert_str_eq(e.msg, "no command is given; see sonm-vs --help");
	ck_assert_int_eq(cmd_parse(&e, &lenient, 0, argv, &line), 0);
	ck_assert_str_eq(line.command->name, "list");
	cmd_line_free(&line);
	cmd_line_free(&line);
}
END_TEST

START_TEST(survives_words_of_10_megabytes)
{
	static const char *const starts[] = { "", "-", "--", "-w", "--weight", "--weight=", "--vip", "-L" };
	size_t len = 10 << 20;
	char *word = malloc(len + 1);
	struct cmd_line line;
	struct err e;

	ck_assert_ptr_nonnull(word);
	for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
		memset(word, 'x', len);
		word[len] = '\0';
		memcpy(word, starts[i], strlen(starts[i]));
		ck_assert_int_eq(parse(&e, &strict, (const char *[]){ word, NULL }, &line), -EINVAL);
		ck_assert_uint_lt(strlen(e.msg), 200);
	}
	memset(word, 'x', len);
	ck_assert_int_eq(parse(&e, &lenient, (const char *[]){ word, NULL }, &line), 0);
	ck_assert_ptr_eq(line.args[0], word);
	cmd_line_free(&line);
	free(word);
}
END_TEST

START_TEST(finds_the_last_value_of_an_option)
{
	static const char *const words[] = { "-A", "c1", "-t", "1", "-t", "2", NULL };
	struct cmd_line line;
	struct err e;

	ck_assert_int_eq(parse(&e, &strict, words, &line), 0);
	ck_assert(cmd_has(&line, 't'));
	ck_assert(!cmd_has(&line, 'w'));
	ck_assert_str_eq(cmd_get(&line, 't', "none"), "2");
	ck_assert_str_eq(cmd_get(&line, 'w', "none"), "none");
	ck_assert_ptr_null(cmd_get(&line, 'w', NULL));
	cmd_line_free(&line);
}
END_TEST

START_TEST(counts_how_often_an_option_is_given)
{
	static const char *const words[] = { "-vv", "-s", "v", "--verbose", NULL };
	struct cmd_line line;
	struct err e;

	ck_assert_int_eq(parse(&e, &plain, words, &line), 0);
	ck_assert_uint_eq(cmd_count(&line, 'v'), 3);
	ck_assert_uint_eq(cmd_count(&line, 's'), 1);
	ck_assert_uint_eq(cmd_count(&line, 'l'), 0);
	cmd_line_free(&line);
}
END_TEST

START_TEST(tells_an_argument_that_was_left_out_from_an_empty_one)
{
	struct cmd_line line;
	struct err e;

	ck_assert_int_eq(parse(&e, &plain, (const char *[]){ "--report", NULL }, &line), 0);
	ck_assert(cmd_has(&line, OPT_REPORT));
	ck_assert_ptr_null(cmd_get(&line, OPT_REPORT, "fallback"));
	cmd_line_free(&line);
	ck_assert_int_eq(parse(&e, &plain, (const char *[]){ "--report=", NULL }, &line), 0);
	ck_assert_str_eq(cmd_get(&line, OPT_REPORT, "fallback"), "");
	cmd_line_free(&line);
}
END_TEST

/* The longest form of a letter for getopt; a sanitizer sees it if there is no room. */
START_TEST(has_room_for_a_single_option_whose_argument_may_be_left_out)
{
	static const struct cmd_option level[] = { { 'l', 'l', NULL, "[LEVEL]", "compress", false, false }, { 0 } };
	static const int ids[] = { 'l', 0 };
	struct cmd_table table = plain;
	struct cmd_line line;
	struct err e;

	table.options = level;
	table.common = ids;
	ck_assert_int_eq(parse(&e, &table, (const char *[]){ "-l9", NULL }, &line), 0);
	ck_assert_str_eq(cmd_get(&line, 'l', NULL), "9");
	cmd_line_free(&line);
}
END_TEST

START_TEST(accepts_whole_numbers_within_the_limits)
{
	static const struct {
		const char *text;
		uint64_t min, max, n;
	} numbers[] = {
		{ "0", 0, 0, 0 },
		{ "1", 1, 65535, 1 },
		{ "65535", 1, 65535, 65535 },
		{ "0000000000000000000000000000000008", 0, 10, 8 },
		{ "18446744073709551615", 0, UINT64_MAX, UINT64_MAX },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		uint64_t n = 77;

		ck_assert_int_eq(
		    cmd_number(&e, "weight", numbers[i].text, numbers[i].min, numbers[i].max, &n), 0);
		ck_assert_uint_eq(n, numbers[i].n);
	}
}
END_TEST

START_TEST(rejects_what_is_no_number_or_beyond_the_limits)
{
	static const char *const texts[] = { "",
					     "0",
					     "65536",
					     "-1",
					     "+1",
					     " 1",
					     "1 ",
					     "1.0",
					     "0x10",
					     "1e3",
					     "a",
					     "18446744073709551616",
					     "99999999999999999999999999999",
					     "1\n" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct err e = { 0 };
		uint64_t n = 77;

		ck_assert_msg(cmd_number(&e, "weight", texts[i], 1, 65535, &n) == -EINVAL, "%s", texts[i]);
		ck_assert_uint_eq(n, 77);
		ck_assert_ptr_nonnull(strstr(e.msg, "' is not a whole number from 1 to 65535"));
		ck_assert_int_eq(strncmp(e.msg, "weight '", 8), 0);
	}
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, understands_lines, 0, ARRAY_LEN(good));
	tcase_add_loop_test(tc, refuses_lines_and_says_what_to_do, 0, ARRAY_LEN(bad));
	tcase_add_test(tc, does_not_ask_the_environment_for_the_order);
	tcase_add_test(tc, starts_afresh_after_a_line_that_failed_in_the_middle);
	tcase_add_test(tc, an_empty_argv_is_an_empty_line);
	tcase_add_test(tc, survives_words_of_10_megabytes);
	tcase_add_test(tc, finds_the_last_value_of_an_option);
	tcase_add_test(tc, counts_how_often_an_option_is_given);
	tcase_add_test(tc, tells_an_argument_that_was_left_out_from_an_empty_one);
	tcase_add_test(tc, has_room_for_a_single_option_whose_argument_may_be_left_out);
	tcase_add_test(tc, accepts_whole_numbers_within_the_limits);
	tcase_add_test(tc, rejects_what_is_no_number_or_beyond_the_limits);
}

int main(void)
{
	return unit_main("cmd", add);
}
