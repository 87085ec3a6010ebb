/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell.h"
#include "state.h"
#include "typist.h"

static struct state place; /* for the history and other files */

/* What there is to complete: commands; behind "file" names of files; behind a word with a blank, "quoted". */
static bool complete(void *ctx, const char *const words[], size_t n, void (*add)(void *, const char *),
		     void *to)
{
	static const char *const commands[] = { "list", "delete", "drain", "a'b", NULL };
	static const char *const others[] = { "web1", "web2", "db", NULL };
	bool quoted = n > 0 && strchr(words[n - 1], ' ');

	ck_assert_ptr_eq(ctx, &place);
	ck_assert_ptr_null(words[n]);
	if (n > 0 && strcmp(words[n - 1], "file") == 0)
		return true;
	if (quoted)
		add(to, "quoted");
	for (const char *const *each = n == 0 ? commands : others; *each && !quoted; each++)
		add(to, *each);
	return false;
}

/* The program: repeats every line. It fails if the terminal is not as it was. */
static int repeat(void *ctx)
{
	struct shell_options *o = ctx;
	struct termios before = { 0 }, now = { 0 };
	struct shell *s;
	struct err e;
	int ret;

	o->in = stdin;
	o->out = stdout;
	tcgetattr(0, &before);
	if (shell_open(&e, o, &s) < 0) {
		puts(e.msg);
		return 3;
	}
	for (;;) {
		char *line;

		ret = shell_line(&e, s, &line);
		tcgetattr(0, &now);
		if (memcmp(&before, &now, sizeof(now)) != 0)
			return 4;
		if (ret <= 0)
			break;
		printf("%s<%s>\n", ret == 1 ? "line" : "abandoned", ret == 1 ? line : "");
		if (ret == 1)
			free(line);
	}
	shell_close(s);
	printf("end\n");
	return ret == 0 ? 0 : 5;
}

static struct shell_options with_completion(void)
{
	return (struct shell_options){ .prompt = "ask> ", .complete = complete, .ctx = &place };
}

/* Begins, and waits until it asks. */
static void given_prompt(struct typist *t, struct shell_options *o)
{
	typist_begin(t, repeat, o);
	typist_sees(t, "ask> ");
}

static void expect_line(struct typist *t, const char *keys, const char *line)
{
	char text[256];

	snprintf(text, sizeof(text), "line<%s>\r\n", line);
	typist_types(t, keys);
	typist_sees(t, text);
	typist_sees(t, "ask> ");
}

static void expect_end(struct typist *t)
{
	typist_types(t, "\x04");
	typist_sees(t, "end");
	ck_assert_int_eq(typist_ends(t), 0);
}

START_TEST(returns_lines_until_the_end)
{
	struct shell_options o = { .prompt = "ask> " };
	const char *asked;
	struct typist t;

	given_prompt(&t, &o);
	expect_line(&t, "list\r", "list");
	expect_line(&t, "\r", "");
	expect_line(&t, "  two words\r", "  two words");
	asked = t.seen + t.looked;
	typist_types(&t, "\x04");
	typist_sees(&t, "\r\nend\r\n"); /* on the next line, and not the one behind it */
	ck_assert_ptr_eq(strchr(strchr(asked, '\n') + 1, '\n') + 1, t.seen + t.looked);
	ck_assert_int_eq(typist_ends(&t), 0);
}
END_TEST

START_TEST(lets_one_edit)
{
	struct shell_options o = { .prompt = "ask> " };
	struct typist t;

	given_prompt(&t, &o);
	expect_line(&t, "xlist\x01\x04\r", "list");     /* ^A, ^D */
	expect_line(&t, "lit\x02s\r", "list");          /* ^B */
	expect_line(&t, "list web\x17\r", "list ");     /* ^W */
	expect_line(&t, "lisx\x7ft\r", "list");         /* backspace */
	expect_line(&t, "one\r", "one");
	expect_line(&t, "two\r", "two");
	expect_line(&t, "\x10\x10\r", "one");           /* ^P: the line before */
	expect_line(&t, "\033[A\r", "one");             /* the arrow that means the same */
	expect_line(&t, "\x12tw\r", "two");             /* ^R: searches */
	expect_end(&t);
}
END_TEST

START_TEST(completes_a_word_that_can_mean_one_thing)
{
	struct shell_options o = with_completion();
	struct typist t;

	given_prompt(&t, &o);
	expect_line(&t, "l\t\r", "list ");
	expect_line(&t, "list d\t\r", "list db ");
	expect_line(&t, "x\t\r", "x");
	expect_line(&t, "list w\t1\r", "list web1");
	expect_line(&t, "list  web1 x d\t\r", "list  web1 x db ");
	expect_line(&t, "list\x16\td\t\r", "list\tdb "); /* ^V: a TAB itself */
	expect_end(&t);
}
END_TEST

START_TEST(shows_what_a_word_can_mean)
{
	struct shell_options o = with_completion();
	struct typist t;

	given_prompt(&t, &o);
	typist_types(&t, "d\t\t");
	typist_sees(&t, "delete  drain");
	typist_sees(&t, "ask> d");
	expect_line(&t, "r\t\r", "drain ");
	expect_end(&t);
}
END_TEST

START_TEST(completes_behind_quotes_and_within_them)
{
	struct shell_options o = with_completion();
	struct typist t;

	given_prompt(&t, &o);
	expect_line(&t, "list 'a b' \t\r", "list 'a b' quoted ");
	expect_line(&t, "list \"d\t\r", "list \"db\" ");
	expect_line(&t, "list 'd\t\r", "list 'db' ");
	expect_line(&t, "'l\t\r", "'list' ");
	expect_line(&t, "list it\\'s d\t\r", "list it\\'s db ");
	expect_end(&t);
}
END_TEST

START_TEST(completes_names_of_files_only_where_they_are_meant)
{
	struct shell_options o = with_completion();
	struct state files;
	char keys[256], line[256];
	struct typist t;

	given_state(&files);
	state_write(files.path, "", 0);
	given_prompt(&t, &o);
	snprintf(keys, sizeof(keys), "file %s/gat\t\r", files.dir);
	snprintf(line, sizeof(line), "file %s ", files.path);
	expect_line(&t, keys, line);
	snprintf(keys, sizeof(keys), "list %s/gat\t\r", files.dir);
	snprintf(line, sizeof(line), "list %s/gat", files.dir);
	expect_line(&t, keys, line);
	expect_end(&t);
}
END_TEST

START_TEST(completes_nothing_without_being_told_what)
{
	struct shell_options o = { .prompt = "ask> " };
	struct typist t;

	given_prompt(&t, &o);
	expect_line(&t, "/et\t\r", "/et");
	expect_end(&t);
}
END_TEST

START_TEST(abandons_a_line_and_asks_again)
{
	struct shell_options o = with_completion();
	struct typist t;

	given_prompt(&t, &o);
	typist_types(&t, "list web\x03");
	typist_sees(&t, "abandoned<>");
	typist_sees(&t, "ask> ");
	expect_line(&t, "db\r", "db");
	typist_types(&t, "\x03");
	typist_sees(&t, "abandoned<>");
	typist_sees(&t, "ask> ");
	typist_types(&t, "\x12li"); /* amid a search */
	typist_sees(&t, "search");
	typist_types(&t, "\x03");
	typist_sees(&t, "abandoned<>");
	typist_sees(&t, "ask> ");
	expect_line(&t, "\x10\r", "db"); /* what was abandoned is not in the history */
	expect_end(&t);
}
END_TEST

START_TEST(takes_lines_that_are_pasted_at_once_one_by_one)
{
	struct shell_options o = { .prompt = "ask> " };
	struct typist t;

	given_prompt(&t, &o);
	typist_types(&t, "\033[200~one\rtwo\rthree\033[201~");
	typist_sees(&t, "three");
	typist_types(&t, " more\r");
	typist_sees(&t, "line<one>\r\nline<two>\r\nline<three more>\r\n");
	typist_sees(&t, "ask> ");
	expect_line(&t, "\x10\x10\r", "two");
	expect_end(&t);
}
END_TEST

/* Killed by a signal while it asks; the terminal is as it was. */
static void expect_death(int signal)
{
	struct shell_options o = { .prompt = "ask> " };
	struct termios now = { 0 };
	struct typist t;
	int status;

	given_prompt(&t, &o);
	typist_types(&t, "some");
	typist_sees(&t, "some");
	ck_assert_int_eq(tcgetattr(t.terminal, &now), 0);
	ck_assert_uint_eq(now.c_lflag & ICANON, 0); /* it is changed now */
	kill(t.pid, signal);
	while (typist_reads(&t, TYPIST_MS))
		;
	ck_assert_int_eq(tcgetattr(t.terminal, &now), 0);
	ck_assert_mem_eq(&now, &t.before, sizeof(now));
	status = typist_ends(&t);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == signal);
}

START_TEST(leaves_the_terminal_as_it_was_when_killed)
{
	expect_death(SIGTERM);
	expect_death(SIGHUP);
}
END_TEST

/* Like nohup: it has to see for itself that there is nobody any more. */
static int survive_hangup(void *ctx)
{
	struct shell_options *o = ctx;
	struct shell *s;
	struct err e;
	char *line;

	signal(SIGHUP, SIG_IGN);
	o->in = stdin;
	o->out = stdout;
	return shell_open(&e, o, &s) < 0 ? 3 : shell_line(&e, s, &line) == 0 ? 0 : 4;
}

START_TEST(ends_when_the_terminal_goes_away)
{
	struct shell_options o = { .prompt = "ask> " };
	struct typist t;
	int status;

	given_prompt(&t, &o);
	close(t.terminal);
	ck_assert_int_eq(waitpid(t.pid, &status, 0), t.pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP);

	typist_begin(&t, survive_hangup, &o);
	typist_sees(&t, "ask> ");
	close(t.terminal);
	ck_assert_int_eq(waitpid(t.pid, &status, 0), t.pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(follows_the_width_of_the_terminal)
{
	struct shell_options o = { .prompt = "ask> " };
	struct winsize narrow = { .ws_row = 24, .ws_col = 20 };
	struct typist t;

	given_prompt(&t, &o);
	ck_assert_int_eq(ioctl(t.terminal, TIOCSWINSZ, &narrow), 0);
	expect_line(&t, "123456789012345678901234567890\r", "123456789012345678901234567890");
	expect_end(&t);
}
END_TEST

START_TEST(colours_the_prompt_if_asked)
{
	struct shell_options o = { .prompt = "ask> ", .colour = true };
	struct typist t;

	typist_begin(&t, repeat, &o);
	typist_sees(&t, "\033[1;32mask> \033[0m");
	typist_types(&t, "\x04");
	ck_assert_int_eq(typist_ends(&t), 0);

	o.colour = false;
	given_prompt(&t, &o);
	expect_end(&t);
	ck_assert_ptr_null(strstr(t.seen, "\033[1;32m"));
}
END_TEST

/* The history's file. The caller frees. */
static char *read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	ck_assert_ptr_nonnull(f);
	if (getdelim(&text, &size, '\0', f) < 0)
		ck_abort_msg("%s is empty", path);
	fclose(f);
	return text;
}

START_TEST(keeps_a_history_and_reads_it_again)
{
	struct shell_options o = { .prompt = "ask> " };
	struct typist t;
	struct stat st;
	struct state s;
	char *text;

	given_state(&s);
	o.history = s.path;
	given_prompt(&t, &o);
	expect_line(&t, "one\r", "one");
	expect_line(&t, "two\r", "two");
	expect_line(&t, "two\r", "two");
	expect_line(&t, " \r", " ");
	expect_line(&t, "one\r", "one");
	expect_end(&t);
	text = read_file(s.path);
	ck_assert_str_eq(text, "one\ntwo\none\n");
	free(text);
	ck_assert_int_eq(stat(s.path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);

	given_prompt(&t, &o);
	expect_line(&t, "\x10\x10\r", "two");
	expect_line(&t, "\x10\x10\x10\x10\r", "one");
	expect_end(&t);
	ck_assert_uint_eq(state_n_files(s.dir), 1);
}
END_TEST

START_TEST(keeps_the_history_of_one_that_is_killed)
{
	struct shell_options o = { .prompt = "ask> " };
	struct typist t;
	struct state s;
	char *text;

	given_state(&s);
	o.history = s.path;
	given_prompt(&t, &o);
	expect_line(&t, "one\r", "one");
	kill(t.pid, SIGKILL);
	typist_ends(&t);
	text = read_file(s.path);
	ck_assert_str_eq(text, "one\n");
	free(text);
}
END_TEST

START_TEST(opens_again_after_it_was_closed)
{
	struct shell_options o = { .prompt = "ask> ", .in = stdin, .out = stdout };

	for (int i = 0; i < 3; i++) {
		struct shell *s = NULL;
		struct err e;

		ck_assert_int_eq(shell_open(&e, &o, &s), 0);
		shell_close(s);
	}
	shell_close(NULL);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_unchecked_fixture(tc, state_make_root, state_remove_root);
	tcase_add_test(tc, returns_lines_until_the_end);
	tcase_add_test(tc, lets_one_edit);
	tcase_add_test(tc, completes_a_word_that_can_mean_one_thing);
	tcase_add_test(tc, shows_what_a_word_can_mean);
	tcase_add_test(tc, completes_behind_quotes_and_within_them);
	tcase_add_test(tc, completes_names_of_files_only_where_they_are_meant);
	tcase_add_test(tc, completes_nothing_without_being_told_what);
	tcase_add_test(tc, abandons_a_line_and_asks_again);
	tcase_add_test(tc, takes_lines_that_are_pasted_at_once_one_by_one);
	tcase_add_test(tc, leaves_the_terminal_as_it_was_when_killed);
	tcase_add_test(tc, ends_when_the_terminal_goes_away);
	tcase_add_test(tc, follows_the_width_of_the_terminal);
	tcase_add_test(tc, colours_the_prompt_if_asked);
	tcase_add_test(tc, keeps_a_history_and_reads_it_again);
	tcase_add_test(tc, keeps_the_history_of_one_that_is_killed);
	tcase_add_test(tc, opens_again_after_it_was_closed);
}

int main(void)
{
	/* The keys of readline itself, whoever runs this. */
	setenv("INPUTRC", "/dev/null", 1);
	setenv("TERM", "xterm", 1);
	return unit_main("shell", add);
}
