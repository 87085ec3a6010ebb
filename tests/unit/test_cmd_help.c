/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd_given.h"
#include "unit.h"

START_TEST(prints_help)
{
	struct unit_out out = { 0 };

	cmd_help(&lenient, 0, unit_open(&out));
	fflush(out.stream);
	for (const char *line = out.text; *line; line += strcspn(line, "\n") + 1)
		ck_assert_uint_lt(strcspn(line, "\n"), 80);
	unit_expect(&out,
		    "sonm-vs - publishes ports\n"
		    "\n"
		    "Usage:\n"
		    "  sonm-vs -A|--add CONTAINER (-t|-u|--sctp) CPORT=ADDR:PORT ... [--vip ADDRESS]\n"
		    "          [-w WEIGHT]\n"
		    "  sonm-vs [-L|--list] [CONTAINER...] [-n]\n"
		    "  sonm-vs --sync [--dry-run]\n"
		    "  sonm-vs -D|--delete CONTAINER\n"
		    "\n"
		    "Commands, also as a first word without dashes:\n"
		    "  -A, --add               publish ports of a container\n"
		    "  -L, --list              list routes\n"
		    "      --sync              make the kernel match the state file\n"
		    "  -D, --delete            remove routes\n"
		    "\n"
		    "Options:\n"
		    "  -t, --tcp PORT          publish a TCP port\n"
		    "  -w, --weight WEIGHT     the real server's share of new connections, 0 to\n"
		    "                          1000; 0: none\n"
		    "  -n, --numeric           no names\n"
		    "  -4                      IPv4 only\n"
		    "      --vip ADDRESS       the public address\n"
		    "      --dry-run           change nothing\n"
		    "      --publish-sctp-port CPORT\n"
		    "                          publish an SCTP port\n"
		    "  -c, --config FILE       read FILE\n"
		    "\n"
		    "See sonm-vs(8).\n");
}
END_TEST

START_TEST(prints_help_of_a_program_without_commands)
{
	struct unit_out out = { 0 };

	cmd_help(&plain, 0, unit_open(&out));
	unit_expect(&out, "sonm-stun - finds the NAT\n"
			  "\n"
			  "Usage:\n"
			  "  sonm-stun [-s HOST[:PORT]]... [-v] [--report[=URL]]\n"
			  "\n"
			  "Options:\n"
			  "  -s, --server HOST[:PORT]\n"
			  "                          ask HOST\n"
			  "  -v, --verbose           say more; twice: much more\n"
			  "  -l, --level[=LEVEL]     compress\n"
			  "      --report[=URL]      post the result\n"
			  "      --report-header-in-full[=NAME]\n"
			  "                          post a header\n"
			  "\n"
			  "See sonm-stun(1).\n");
}
END_TEST

START_TEST(help_does_not_tear_what_is_in_brackets)
{
	static const struct cmd_command wide[] = {
		{ 'A', 'A', "add",
		  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA [BBBBBBBBBBBBBBB (CCCCCCCC [DDD EEEE])] F G ("
		  "an unended bracket is no reason to write lines that go on and on and on and on",
		  "publish", 0, 0, NULL },
		{ 0 },
	};
	struct cmd_table table = strict;
	struct unit_out out = { 0 };
	char *end;

	table.commands = wide;
	cmd_help(&table, 0, unit_open(&out));
	fflush(out.stream);
	end = strstr(out.text, "\n\nCommands");
	ck_assert_ptr_nonnull(end);
	*end = '\0';
	ck_assert_str_eq(strstr(out.text, "  sonm-vs"),
			 "  sonm-vs -A|--add AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
			 "          [BBBBBBBBBBBBBBB (CCCCCCCC [DDD EEEE])] F G (an unended bracket is no\n"
			 "          reason to write lines that go on and on and on and on");
	fclose(out.stream);
	free(out.text);
}
END_TEST

START_TEST(prints_help_of_one_command)
{
	struct unit_out add = { 0 }, sync = { 0 };

	cmd_help_command(&strict, &strict.commands[0], 0, unit_open(&add));
	unit_expect(&add,
		    "  sonm-vs -A|--add CONTAINER (-t|-u|--sctp) CPORT=ADDR:PORT ... [--vip ADDRESS]\n"
		    "          [-w WEIGHT]\n"
		    "      publish ports of a container\n"
		    "  -t, --tcp PORT          publish a TCP port\n"
		    "  -w, --weight WEIGHT     the real server's share of new connections, 0 to\n"
		    "                          1000; 0: none\n"
		    "      --vip ADDRESS       the public address\n"
		    "      --publish-sctp-port CPORT\n"
		    "                          publish an SCTP port\n");
	cmd_help_command(&strict, &strict.commands[2], 0, unit_open(&sync));
	unit_expect(&sync, "  sonm-vs --sync [--dry-run]\n"
			   "      make the kernel match the state file\n"
			   "      --dry-run           change nothing\n");
}
END_TEST

static void expect_width(struct unit_out *out, size_t width)
{
	fflush(out->stream);
	for (const char *line = out->text; *line; line += strcspn(line, "\n") + 1)
		ck_assert_uint_lt(strcspn(line, "\n"), width);
}

START_TEST(prints_help_in_a_narrow_window)
{
	struct unit_out whole = { 0 }, one = { 0 };

	cmd_help(&strict, 40, unit_open(&whole));
	expect_width(&whole, 40);
	fclose(whole.stream);
	free(whole.text);
	cmd_help_command(&strict, &strict.commands[0], 40, unit_open(&one));
	expect_width(&one, 40);
	unit_expect(&one, "  sonm-vs -A|--add CONTAINER\n"
			  "    (-t|-u|--sctp) CPORT=ADDR:PORT ...\n"
			  "    [--vip ADDRESS] [-w WEIGHT]\n"
			  "      publish ports of a container\n"
			  "  -t, --tcp PORT\n"
			  "          publish a TCP port\n"
			  "  -w, --weight WEIGHT\n"
			  "          the real server's share of\n"
			  "          new connections, 0 to 1000;\n"
			  "          0: none\n"
			  "      --vip ADDRESS\n"
			  "          the public address\n"
			  "      --publish-sctp-port CPORT\n"
			  "          publish an SCTP port\n");
}
END_TEST

START_TEST(a_wide_window_has_the_same_help_as_none)
{
	struct unit_out none = { 0 }, wide = { 0 };

	cmd_help(&strict, 0, unit_open(&none));
	fflush(none.stream);
	cmd_help(&strict, 200, unit_open(&wide));
	unit_expect(&wide, none.text);
	fclose(none.stream);
	free(none.text);
}
END_TEST

/* A window can have one column, or say so. */
START_TEST(prints_help_in_a_window_that_is_hardly_one)
{
	struct unit_out out = { 0 };

	cmd_help(&lenient, 1, unit_open(&out));
	fflush(out.stream);
	ck_assert_ptr_nonnull(strstr(out.text, "server's\n          share"));
	fclose(out.stream);
	free(out.text);
}
END_TEST

static const struct {
	const struct cmd_table *table;
	const char *const words[4];
	const char *command;
} named[] = {
	{ &strict, { "-A", "--help" }, "add" },
	{ &strict, { "-h", "--sync" }, "sync" },
	{ &strict, { "list", "-h" }, "list" },
	{ &strict, { "--frobnicate", "-D" }, "delete" },
	{ &strict, { "-h" }, NULL },
	{ &strict, { "-h", "list" }, NULL }, /* "list" may be any option's argument */
	{ &strict, { "--", "-A" }, NULL },
	{ &strict, { "--complete-values" }, NULL },
	{ &plain, { "-h" }, NULL },
};

START_TEST(finds_the_command_that_help_is_asked_of)
{
	char *argv[5] = { (char *)"sonm-vs" };
	const struct cmd_command *c;
	int argc = 1;

	for (; named[_i].words[argc - 1]; argc++)
		argv[argc] = (char *)named[_i].words[argc - 1];
	c = cmd_named(named[_i].table, argc, argv);
	ck_assert_pstr_eq(c ? c->name : NULL, named[_i].command);
}
END_TEST

START_TEST(lists_the_words_for_completion)
{
	struct unit_out out = { 0 };

	cmd_words(&strict, unit_open(&out));
	ck_assert(!ferror(out.stream));
	unit_expect(&out, "add\tpublish ports of a container\n"
			  "list\tlist routes\n"
			  "sync\tmake the kernel match the state file\n"
			  "delete\tremove routes\n"
			  "--add\tpublish ports of a container\n"
			  "--list\tlist routes\n"
			  "--sync\tmake the kernel match the state file\n"
			  "--delete\tremove routes\n"
			  "--tcp\tpublish a TCP port\n"
			  "--weight\tthe real server's share of new connections, 0 to 1000; 0: none\n"
			  "--numeric\tno names\n"
			  "-4\tIPv4 only\n"
			  "--vip\tthe public address\n"
			  "--dry-run\tchange nothing\n"
			  "--publish-sctp-port\tpublish an SCTP port\n"
			  "--config\tread FILE\n");
}
END_TEST

START_TEST(lists_the_words_of_a_program_without_commands)
{
	struct unit_out out = { 0 };

	cmd_words(&plain, unit_open(&out));
	unit_expect(&out, "--server\task HOST\n"
			  "--verbose\tsay more; twice: much more\n"
			  "--level\tcompress\n"
			  "--report\tpost the result\n"
			  "--report-header-in-full\tpost a header\n");
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, prints_help);
	tcase_add_test(tc, prints_help_of_a_program_without_commands);
	tcase_add_test(tc, help_does_not_tear_what_is_in_brackets);
	tcase_add_test(tc, prints_help_of_one_command);
	tcase_add_test(tc, prints_help_in_a_narrow_window);
	tcase_add_test(tc, a_wide_window_has_the_same_help_as_none);
	tcase_add_test(tc, prints_help_in_a_window_that_is_hardly_one);
	tcase_add_loop_test(tc, finds_the_command_that_help_is_asked_of, 0, ARRAY_LEN(named));
	tcase_add_test(tc, lists_the_words_for_completion);
	tcase_add_test(tc, lists_the_words_of_a_program_without_commands);
}

int main(void)
{
	return unit_main("cmd_help", add);
}
