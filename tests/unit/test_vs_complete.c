/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"
#include "vs_shell.h"
#include "words.h"

static const struct config config;

/* In the place of the state file: a value that says what was asked for. */
void vs_values(const struct config *c, const char *name, void (*add)(void *to, const char *value), void *to)
{
	char value[32];

	ck_assert_ptr_eq(c, &config);
	snprintf(value, sizeof(value), "<%s>", name);
	if (*name)
		add(to, value);
}

static void put(void *to, const char *candidate)
{
	struct unit_out *o = to;

	fprintf(o->stream, " %s", candidate);
}

/* What can follow the words of this line; " FILE" at the end if a file can. The caller frees. */
static char *candidates(const char *line)
{
	CLEANUP(words_clear) struct words w = { 0 };
	struct unit_out o = { 0 };
	struct err e;

	ck_assert_int_eq(words_split(&e, line, &w), 0);
	unit_open(&o);
	if (vs_complete((void *)&config, (const char *const *)w.items, w.n, put, &o))
		put(&o, "FILE");
	put(&o, "");
	fclose(o.stream);
	return o.text;
}

/* Are all of these words among them, if wanted, or none? */
static void check(const char *line, const char *list, bool wanted)
{
	CLEANUP_FREE char *found = candidates(line);
	CLEANUP(words_clear) struct words w = { 0 };
	struct err e;

	ck_assert_int_eq(words_split(&e, list, &w), 0);
	for (size_t i = 0; i < w.n; i++) {
		char word[64];

		snprintf(word, sizeof(word), " %s ", w.items[i]);
		ck_assert_msg((strstr(found, word) != NULL) == wanted, "'%s': '%s'%s is among%s", line,
			      w.items[i], wanted ? " not" : "", found);
	}
}

static void expect_exactly(const char *line, const char *words)
{
	CLEANUP_FREE char *found = candidates(line);

	ck_assert_msg(strcmp(found, words) == 0, "'%s': '%s' instead of '%s'", line, found, words);
}

START_TEST(begins_with_a_command)
{
	check("", "add edit delete clear list save restore sync set-worker delete-worker help quit exit", true);
	check("", "interactive complete-values --help <CONTAINER>", false);
	check("help", "add delete-worker", true);
	check("help", "help quit interactive", false);
	expect_exactly("help add", " ");
	check("sonm-vs", "add quit", true); /* which may be left out */
	check("sonm-vs delete", "--wait <CONTAINER>", true);
	expect_exactly("quit", " ");
	expect_exactly("frob", " ");
	expect_exactly("-n", " ");
}
END_TEST

START_TEST(goes_on_with_the_options_of_the_command)
{
	check("list", "--workers --numeric --json --help", true);
	check("list", "--tcp --wait --config --version --complete-words", false);
	check("delete web", "--tcp --drain --wait", true);
	check("delete web", "--vip --scheduler", false);
	expect_exactly("save", " --help ");
}
END_TEST

START_TEST(knows_a_command_by_its_letter_and_its_name)
{
	static const char *const lines[] = { "delete", "-D", "--delete", "web -D", "-t 80 --delete" };

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		check(lines[i], "--wait --drain <CONTAINER>", true);
		check(lines[i], "--vip", false);
	}
	check("delete add", "--wait", true); /* a container by that name */
	check("delete add", "--vip", false);
}
END_TEST

START_TEST(leaves_out_what_is_there_already)
{
	check("delete web --wait -t 80", "--wait", false);
	check("delete web --wait -t 80", "--tcp --drain", true);
	check("add web -s rr", "--scheduler", false);
}
END_TEST

START_TEST(names_containers_workers_and_files_as_arguments)
{
	check("delete", "<CONTAINER>", true);
	check("delete web", "<CONTAINER>", true);
	check("list web --json", "<CONTAINER>", true);
	check("edit", "<CONTAINER>", true);
	check("edit web", "<CONTAINER>", false); /* it takes one */
	check("edit web -t 80", "<CONTAINER>", false);
	check("edit -t 80", "<CONTAINER>", true);
	check("list --workers", "<WORKER>", true);
	check("list --workers", "<CONTAINER>", false);
	check("set-worker", "<WORKER>", true);
	check("set-worker w1", "<WORKER>", false);
	check("delete-worker", "<WORKER>", true);
	check("restore", "FILE --adopt", true);
	check("restore /tmp/saved", "FILE", false);
	check("sync", "<CONTAINER> FILE", false);
}
END_TEST

START_TEST(names_what_an_option_is_about)
{
	expect_exactly("add web --worker", " <WORKER> ");
	expect_exactly("add web -s", " <SCHEDULER> ");
	expect_exactly("add web --scheduler", " <SCHEDULER> ");
	expect_exactly("set-worker w1 --nat", " <TYPE> ");
	expect_exactly("set-worker w1 --report", " <FILE> FILE ");
	check("set-worker w1 --report", "--nat", false);
	check("set-worker w1 --report /tmp/r", "--nat --address", true);
	check("add web -s rr", "--worker", true);
	check("add web --worker -s", "--vip", true); /* a worker by that name */
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, begins_with_a_command);
	tcase_add_test(tc, goes_on_with_the_options_of_the_command);
	tcase_add_test(tc, knows_a_command_by_its_letter_and_its_name);
	tcase_add_test(tc, leaves_out_what_is_there_already);
	tcase_add_test(tc, names_containers_workers_and_files_as_arguments);
	tcase_add_test(tc, names_what_an_option_is_about);
}

int main(void)
{
	return unit_main("vs_complete", add);
}
