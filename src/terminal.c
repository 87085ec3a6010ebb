/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "terminal.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <time.h>

/* The alternate screen, emptied; no cursor. And back: the cursor, plain text, the screen as it was. */
#define ENTER "\033[?1049h\033[H\033[2J\033[?25l"
#define LEAVE "\033[0m\033[?25h\033[?1049l"

#define ESCAPE '\033'
#define ESCAPE_MS 50 /* the rest of a key's sequence has come by then; a single ESC is none */

struct terminal {
	int in, out, signals;
	struct termios before;
	sigset_t mask;       /* as it was before */
	char **shown;        /* what is on the screen */
	size_t n_shown;
	unsigned char typed[64];
	size_t n_typed;
};

int64_t terminal_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- The screen ---------------------------------------------------------------- */

static int write_all(struct err *e, const struct terminal *t, const char *text, size_t len)
{
	while (len > 0) {
		struct pollfd out = { .fd = t->out, .events = POLLOUT };
		ssize_t n = write(t->out, text, len);

		if (n < 0 && errno == EAGAIN)
			poll(&out, 1, -1);
		else if (n < 0 && errno != EINTR)
			return err_sys(e, errno, "cannot write to the terminal");
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static void forget_shown(struct terminal *t)
{
	for (size_t i = 0; i < t->n_shown; i++)
		free(t->shown[i]);
	free(t->shown);
	t->shown = NULL;
	t->n_shown = 0;
}

static int enter(struct err *e, struct terminal *t)
{
	struct termios raw = t->before;

	/* ISIG stays: ^C and ^Z are for whoever else is in the foreground as well. */
	raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	forget_shown(t);
	if (tcsetattr(t->in, TCSADRAIN, &raw) < 0)
		return err_sys(e, errno, "cannot set the terminal's mode");
	return write_all(e, t, ENTER, strlen(ENTER));
}

/* Each does what it can: the terminal may be gone. */
static void leave(struct terminal *t)
{
	struct err ignored;

	write_all(&ignored, t, LEAVE, strlen(LEAVE));
	tcsetattr(t->in, TCSADRAIN, &t->before);
}

struct terminal_size terminal_size(const struct terminal *t)
{
	struct winsize size;

	if (ioctl(t->out, TIOCGWINSZ, &size) < 0 || size.ws_col == 0 || size.ws_row == 0)
		return (struct terminal_size){ .columns = 80, .rows = 24 };
	return (struct terminal_size){ .columns = size.ws_col, .rows = size.ws_row };
}

static void put_changes(const struct terminal *t, FILE *out, char *const lines[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (i >= t->n_shown || strcmp(lines[i], t->shown[i]) != 0)
			fprintf(out, "\033[%zu;1H%s", i + 1, lines[i]);
	if (n < t->n_shown)
		fprintf(out, "\033[%zu;1H\033[J", n + 1);
}

static int remember_shown(struct terminal *t, char *const lines[], size_t n)
{
	forget_shown(t);
	t->shown = calloc(n + 1, sizeof(*t->shown));
	if (!t->shown)
		return -1;
	for (; t->n_shown < n; t->n_shown++)
		if (!(t->shown[t->n_shown] = strdup(lines[t->n_shown])))
			return -1;
	return 0;
}

int terminal_draw(struct err *e, struct terminal *t, char *const lines[], size_t n)
{
	CLEANUP_FREE char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return err_set(e, ENOMEM, "out of memory");
	put_changes(t, out, lines, n);
	if (fclose(out) != 0 || remember_shown(t, lines, n) < 0)
		return err_set(e, ENOMEM, "out of memory");
	return write_all(e, t, text, len);
}

/* --- Keys ---------------------------------------------------------------------- */

/* A control sequence's last byte, and the number before it. */
static int key_of_sequence(unsigned char last, int number)
{
	static const int numbered[] = { [1] = TERMINAL_HOME, [4] = TERMINAL_END, [5] = TERMINAL_PAGE_UP,
					[6] = TERMINAL_PAGE_DOWN, [7] = TERMINAL_HOME, [8] = TERMINAL_END };

	switch (last) {
	case 'A':
		return TERMINAL_UP;
	case 'B':
		return TERMINAL_DOWN;
	case 'H':
		return TERMINAL_HOME;
	case 'F':
		return TERMINAL_END;
	case '~':
		return number < (int)ARRAY_LEN(numbered) ? numbered[number] : 0;
	}
	return 0;
}

/*
 * The first key of these bytes, 0 if it is none that we know. Returns how many
 * bytes it has, 0 if there are more to come. CSI (ECMA-48, 5.4), or SS3 and a byte.
 */
static size_t parse_key(const unsigned char *bytes, size_t n, int *key)
{
	int number = 0;
	size_t i = 2;

	*key = bytes[0];
	if (bytes[0] != ESCAPE)
		return 1;
	*key = 0;
	if (n < 2 || (bytes[1] != '[' && bytes[1] != 'O'))
		return n < 2 ? 0 : 1;
	for (; i < n && bytes[i] >= 0x20 && bytes[i] < 0x40; i++)
		if (bytes[i] >= '0' && bytes[i] <= '9' && number < 100)
			number = number * 10 + bytes[i] - '0';
	if (i == n)
		return 0;
	*key = key_of_sequence(bytes[i], number);
	return i + 1;
}

/* Takes the next key that is typed; false: there is none yet. complete: nothing more belongs to it. */
static bool take_key(struct terminal *t, bool complete, int *key)
{
	while (t->n_typed > 0) {
		size_t len = parse_key(t->typed, t->n_typed, key);

		if (len == 0 && !complete && t->n_typed < sizeof(t->typed))
			return false;
		if (len == 0)
			len = t->n_typed;
		t->n_typed -= len;
		memmove(t->typed, t->typed + len, t->n_typed);
		if (*key)
			return true;
	}
	return false;
}

/* --- Events -------------------------------------------------------------------- */

/* The shell has the terminal until it continues us. */
static int suspend(struct err *e, struct terminal *t)
{
	sigset_t stop, before;

	leave(t);
	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &stop, &before);
	raise(SIGTSTP);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return enter(e, t);
}

/* 1: it is an event, 0: it is none. */
static int take_signal(struct err *e, struct terminal *t, struct terminal_event *out)
{
	struct signalfd_siginfo info;

	if (read(t->signals, &info, sizeof(info)) != sizeof(info))
		return 0;
	*out = (struct terminal_event){ .kind = TERMINAL_SIZE };
	switch (info.ssi_signo) {
	case SIGTSTP:
		return suspend(e, t) < 0 ? -e->code : 1;
	case SIGCONT: /* who was stopped otherwise has left nothing */
		return enter(e, t) < 0 ? -e->code : 1;
	case SIGWINCH: /* terminals move lines about, each in its own way */
		forget_shown(t);
		return write_all(e, t, "\033[2J", 4) < 0 ? -e->code : 1;
	}
	*out = (struct terminal_event){ .kind = TERMINAL_ENDED, .signal = (int)info.ssi_signo };
	return 1;
}

/* false: the terminal is gone. */
static bool read_keys(struct terminal *t)
{
	ssize_t n = read(t->in, t->typed + t->n_typed, sizeof(t->typed) - t->n_typed);

	if (n > 0)
		t->n_typed += (size_t)n;
	return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

static int timeout_ms(int64_t until)
{
	int64_t left = until - terminal_now();

	if (left < 0)
		return 0;
	return left > 3600000 ? 3600000 : (int)left;
}

int terminal_wait(struct err *e, struct terminal *t, int64_t until, struct terminal_event *out)
{
	bool complete = false;

	for (;;) {
		struct pollfd ready[] = { { .fd = t->signals, .events = POLLIN }, { .fd = t->in, .events = POLLIN } };
		int timeout = timeout_ms(until), ret = 0;

		*out = (struct terminal_event){ .kind = TERMINAL_KEY };
		if (take_key(t, complete, &out->key))
			return 0;
		if (t->n_typed > 0 && timeout > ESCAPE_MS)
			timeout = ESCAPE_MS;
		complete = poll(ready, ARRAY_LEN(ready), timeout) == 0;
		if (ready[0].revents)
			ret = take_signal(e, t, out);
		if (ret != 0)
			return ret < 0 ? ret : 0;
		if (ready[1].revents && !read_keys(t)) {
			*out = (struct terminal_event){ .kind = TERMINAL_ENDED, .signal = SIGHUP };
			return 0;
		}
		if (complete && t->n_typed == 0 && terminal_now() >= until) {
			*out = (struct terminal_event){ .kind = TERMINAL_TIME };
			return 0;
		}
	}
}

/* --- The terminal -------------------------------------------------------------- */

/* What whoever started us wants to be ignored is not waited for: a signal that is blocked comes all the same. */
static bool is_ignored(int signal)
{
	struct sigaction action;

	return sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static int take_signals(struct err *e, struct terminal *t)
{
	static const int events[] = { SIGTSTP, SIGCONT, SIGWINCH };
	/* Whatever somebody sends that would end us. Those from SIGRTMIN on are for timers. */
	static const int ends[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM,
				    SIGPROF, SIGPIPE, SIGIO, SIGPWR, SIGXCPU };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		sigaddset(&set, events[i]);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (!is_ignored(ends[i]))
			sigaddset(&set, ends[i]);
	t->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (t->signals < 0)
		return err_sys(e, errno, "cannot wait for signals");
	sigprocmask(SIG_BLOCK, &set, &t->mask);
	return 0;
}

int terminal_open(struct err *e, int in, int out, struct terminal **to)
{
	CLEANUP_FREE struct terminal *t = calloc(1, sizeof(*t));

	if (!t)
		return err_set(e, ENOMEM, "out of memory");
	t->in = in;
	t->out = out;
	if (!isatty(in) || !isatty(out) || tcgetattr(in, &t->before) < 0)
		return err_set(e, ENOTTY, "this is no terminal");
	if (take_signals(e, t) < 0)
		return -e->code;
	if (enter(e, t) < 0) {
		terminal_close(steal_ptr(t));
		return -e->code;
	}
	*to = steal_ptr(t);
	return 0;
}

void terminal_close(struct terminal *t)
{
	if (!t)
		return;
	leave(t);
	forget_shown(t);
	close(t->signals);
	sigprocmask(SIG_SETMASK, &t->mask, NULL);
	free(t);
}

void terminal_closep(struct terminal **t)
{
	terminal_close(*t);
}
