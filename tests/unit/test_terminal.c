/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "terminal.h"
#include "typist.h"

#define ENTERED "\033[?1049h\033[H\033[2J\033[?25l"
#define LEFT "\033[0m\033[?25h\033[?1049l"

static const int ending[] = { SIGHUP, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM,
			      SIGPROF, SIGPIPE, SIGIO, SIGPWR, SIGXCPU };

/* The program: shows the last event and how often it has drawn. Its exit status is the signal's number; q: 0. *ctx: a signal that is ignored. */
static int show_events(void *ctx)
{
	struct terminal *t;
	struct terminal_event event = { 0 };
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(ending); i++)
		signal(ending[i], SIG_DFL); /* whatever those are ignored that started us */
	if (ctx)
		signal(*(int *)ctx, SIG_IGN);
	if (terminal_open(&e, 0, 1, &t) < 0)
		return 100;
	while (event.kind != TERMINAL_ENDED && event.key != 'q') {
		struct terminal_size size = terminal_size(t);
		char last[64], geometry[64];
		char *const lines[] = { geometry, last, (char[]){ "constant" } };

		snprintf(last, sizeof(last), "kind %d key %d.", event.kind, event.key);
		snprintf(geometry, sizeof(geometry), "%zux%zu.", size.columns, size.rows);
		if (terminal_draw(&e, t, lines, event.key == '2' ? 2 : 3) < 0 ||
		    terminal_wait(&e, t, terminal_now() + (event.key == 't' ? 10 : TYPIST_MS), &event) < 0)
			return 101;
	}
	terminal_close(t);
	puts("afterwards");
	return event.kind == TERMINAL_ENDED ? event.signal : 0;
}

static void given_screen(struct typist *t)
{
	typist_begin(t, show_events, NULL);
	typist_sees(t, ENTERED);
	typist_sees(t, "constant");
}

static void check_mode(const struct typist *t, bool raw)
{
	struct termios now = { 0 };

	ck_assert_int_eq(tcgetattr(t->terminal, &now), 0);
	if (raw)
		ck_assert_uint_eq(now.c_lflag & (ICANON | ECHO), 0);
	else
		ck_assert_mem_eq(&now, &t->before, sizeof(now));
}

/* In the mode and on the screen that there were before. */
static int ends_as_it_began(struct typist *t)
{
	typist_sees(t, LEFT);
	typist_sees(t, "afterwards");
	check_mode(t, false);
	return typist_ends(t);
}

START_TEST(takes_the_terminal_and_gives_it_back)
{
	struct typist t;

	given_screen(&t);
	check_mode(&t, true);
	typist_types(&t, "q");
	ck_assert_int_eq(ends_as_it_began(&t), 0);
}
END_TEST

static const struct {
	const char *typed;
	int key;
} keys[] = {
	{ "a", 'a' },
	{ "\033[A", TERMINAL_UP },
	{ "\033OB", TERMINAL_DOWN },
	{ "\033[5~", TERMINAL_PAGE_UP },
	{ "\033[6~", TERMINAL_PAGE_DOWN },
	{ "\033[H", TERMINAL_HOME },
	{ "\033[1~", TERMINAL_HOME },
	{ "\033OF", TERMINAL_END },
	{ "\033[8~", TERMINAL_END },
	{ "\033[1;5A", TERMINAL_UP },         /* with Ctrl */
	{ "\033[99999999999999~x", 'x' },     /* unknown ones are skipped as a whole */
	{ "\033[15~\033[C\033[[\033Oqx", 'x' },
	{ "\033\033[A", TERMINAL_UP },        /* behind an ESC */
	{ "\033[<0;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1Mx", 'x' }, /* too long */
};

START_TEST(knows_keys)
{
	char expected[64];
	struct typist t;

	given_screen(&t);
	typist_types(&t, keys[_i].typed);
	snprintf(expected, sizeof(expected), "kind %d key %d.", TERMINAL_KEY, keys[_i].key);
	typist_sees(&t, expected);
	typist_types(&t, "q");
	ck_assert_int_eq(ends_as_it_began(&t), 0);
}
END_TEST

START_TEST(a_single_escape_is_no_key_and_keeps_none_from_coming)
{
	struct typist t;

	given_screen(&t);
	typist_types(&t, "\033");
	usleep(300000);
	typist_types(&t, "[A"); /* not the rest of it any more */
	typist_sees(&t, "key 91.");
	typist_sees(&t, "key 65.");
	typist_types(&t, "q");
	ck_assert_int_eq(ends_as_it_began(&t), 0);
}
END_TEST

START_TEST(a_key_may_come_in_pieces)
{
	struct typist t;

	given_screen(&t);
	for (const char *piece = "\033[6~"; *piece; piece++)
		typist_types(&t, (char[]){ *piece, '\0' });
	typist_sees(&t, "key 259.");
	typist_types(&t, "q");
	ck_assert_int_eq(ends_as_it_began(&t), 0);
}
END_TEST

START_TEST(says_when_it_is_time)
{
	char expected[64];
	struct typist t;

	given_screen(&t);
	snprintf(expected, sizeof(expected), "kind %d", TERMINAL_TIME);
	typist_types(&t, "t");
	typist_sees(&t, expected);
	typist_types(&t, "q");
	ck_assert_int_eq(ends_as_it_began(&t), 0);
}
END_TEST

START_TEST(draws_what_has_changed_only)
{
	struct typist t;

	given_screen(&t);
	typist_types(&t, "2");
	typist_sees(&t, "\033[2;1Hkind 1 key 50.\033[3;1H\033[J"); /* two lines, and no more */
	typist_types(&t, "3");
	typist_sees(&t, "\033[2;1Hkind 1 key 51.\033[3;1H");
	typist_types(&t, "4q");
	typist_sees(&t, "constant\033[2;1Hkind 1 key 52." LEFT);
	ck_assert_int_eq(typist_ends(&t), 0);
}
END_TEST

START_TEST(follows_the_size_and_draws_all)
{
	struct winsize size = { .ws_row = 3, .ws_col = 20 };
	struct typist t;

	given_screen(&t);
	ck_assert_int_eq(ioctl(t.terminal, TIOCSWINSZ, &size), 0);
	typist_sees(&t, "\033[2J\033[1;1H20x3.");
	typist_sees(&t, "constant");
	size = (struct winsize){ 0 }; /* it does not know */
	ck_assert_int_eq(ioctl(t.terminal, TIOCSWINSZ, &size), 0);
	typist_sees(&t, "80x24.");
	typist_types(&t, "q");
	ck_assert_int_eq(ends_as_it_began(&t), 0);
}
END_TEST

START_TEST(ctrl_c_ends_it)
{
	struct typist t;

	given_screen(&t);
	typist_types(&t, "\x03");
	ck_assert_int_eq(WEXITSTATUS(ends_as_it_began(&t)), SIGINT);
}
END_TEST


START_TEST(signals_end_it)
{
	struct typist t;

	given_screen(&t);
	ck_assert_int_eq(kill(t.pid, ending[_i]), 0);
	ck_assert_int_eq(WEXITSTATUS(ends_as_it_began(&t)), ending[_i]);
}
END_TEST

START_TEST(what_is_ignored_does_not_end_it)
{
	struct typist t;
	int ignored = ending[_i];

	typist_begin(&t, show_events, &ignored);
	typist_sees(&t, ENTERED);
	typist_sees(&t, "constant");
	ck_assert_int_eq(kill(t.pid, ignored), 0);
	typist_types(&t, "a");
	typist_sees(&t, "key 97.");
	typist_types(&t, "q");
	ck_assert_int_eq(ends_as_it_began(&t), 0);
}
END_TEST

/* It is in a session of its own, whose only process group is an orphan: ^Z does not stop it. Its parent does. */
START_TEST(continues_after_a_stop)
{
	struct typist t;
	int status;

	given_screen(&t);
	ck_assert_int_eq(kill(t.pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(t.pid, &status, WUNTRACED), t.pid);
	ck_assert_int_eq(tcsetattr(t.terminal, TCSANOW, &t.before), 0); /* as a shell does */
	ck_assert_int_eq(kill(t.pid, SIGCONT), 0);
	typist_sees(&t, ENTERED);
	typist_sees(&t, "constant");
	check_mode(&t, true);
	typist_types(&t, "q");
	ck_assert_int_eq(ends_as_it_began(&t), 0);
}
END_TEST

START_TEST(leaves_the_terminal_before_it_stops)
{
	struct typist t;

	given_screen(&t);
	typist_types(&t, "\x1a");
	typist_sees(&t, LEFT);
	typist_sees(&t, ENTERED);
	typist_sees(&t, "constant");
	typist_types(&t, "q");
	ck_assert_int_eq(ends_as_it_began(&t), 0);
}
END_TEST

START_TEST(ends_when_the_terminal_is_gone)
{
	struct typist t;
	int status;

	given_screen(&t);
	close(t.terminal);
	ck_assert_int_eq(waitpid(t.pid, &status, 0), t.pid);
	/* It sees the end at its input, or is told by the signal, which may come when it waits for none any more. */
	ck_assert_int_eq(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), SIGHUP);
}
END_TEST

START_TEST(wants_a_terminal)
{
	struct terminal *t;
	struct err e;
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(terminal_open(&e, ends[0], ends[1], &t), -ENOTTY);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, takes_the_terminal_and_gives_it_back);
	tcase_add_loop_test(tc, knows_keys, 0, ARRAY_LEN(keys));
	tcase_add_test(tc, a_single_escape_is_no_key_and_keeps_none_from_coming);
	tcase_add_test(tc, a_key_may_come_in_pieces);
	tcase_add_test(tc, says_when_it_is_time);
	tcase_add_test(tc, draws_what_has_changed_only);
	tcase_add_test(tc, follows_the_size_and_draws_all);
	tcase_add_test(tc, ctrl_c_ends_it);
	tcase_add_loop_test(tc, signals_end_it, 0, ARRAY_LEN(ending));
	tcase_add_loop_test(tc, what_is_ignored_does_not_end_it, 0, ARRAY_LEN(ending));
	tcase_add_test(tc, continues_after_a_stop);
	tcase_add_test(tc, leaves_the_terminal_before_it_stops);
	tcase_add_test(tc, ends_when_the_terminal_is_gone);
	tcase_add_test(tc, wants_a_terminal);
}

int main(void)
{
	return unit_main("terminal", add);
}
