/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell.h"
#include "shell_history.h"
#include "words.h"

#include <dlfcn.h>
#include <poll.h>
#include <readline/history.h>
#include <readline/readline.h>
#include <signal.h>
#include <string.h>

/* The soname is readline's promise that what we compile against is what we load. */
#define LIBREADLINE "libreadline.so.8"

extern int rl_eof_found; /* older headers lack it */

#define SYMBOLS(F)                            \
	F(readline)                           \
	F(rl_check_signals)                   \
	F(rl_pending_signal)                  \
	F(rl_forced_update_display)           \
	F(rl_completion_matches)              \
	F(rl_deprep_terminal)                 \
	F(rl_deprep_term_function)            \
	F(rl_eof_found)                       \
	F(rl_variable_bind)                   \
	F(rl_instream)                        \
	F(rl_outstream)                       \
	F(rl_line_buffer)                     \
	F(rl_change_environment)              \
	F(rl_getc_function)                   \
	F(rl_attempted_completion_function)   \
	F(rl_attempted_completion_over)       \
	F(rl_completer_word_break_characters) \
	F(rl_completer_quote_characters)      \
	F(rl_completion_quote_character)      \
	F(rl_filename_quote_characters)       \
	F(add_history)                        \
	F(clear_history)                      \
	F(stifle_history)

/* Where readline's functions and variables are, under their own names. All NULL: not loaded. */
struct readline {
	void *handle;
#define MEMBER(name) __typeof__(name) *(name);
	SYMBOLS(MEMBER)
#undef MEMBER
};

struct shell {
	struct readline rl;
	char *prompt, *history;
	shell_complete *complete;
	void *ctx;
	FILE *out;

	char *typed;      /* what is not returned yet */
	char *remembered; /* the last line of the history */

	const char *begun; /* what candidates have to begin with */
	char **candidates; /* owned from next on */
	size_t n_candidates, next;
};

/* readline calls back without a context; and it is one per process itself. */
static struct shell *current;
static volatile sig_atomic_t interrupted;

/* --- Loading ------------------------------------------------------------------- */

/* RTLD_NODELETE: readline keeps memory and pointers to itself that outlive a shell. */
static int load(struct err *e, struct readline *rl)
{
#define ROW(name) { #name, offsetof(struct readline, name) },
	static const struct {
		const char *name;
		size_t offset;
	} symbols[] = { SYMBOLS(ROW) };
#undef ROW

	rl->handle = dlopen(LIBREADLINE, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!rl->handle) {
		err_set(e, ENOSYS, "readline is not installed (%.300s)", dlerror());
		return err_advise(e, "install it (Debian: libreadline8), or pipe the commands in");
	}
	for (size_t i = 0; i < ARRAY_LEN(symbols); i++) {
		void *address = dlsym(rl->handle, symbols[i].name);

		if (!address)
			return err_set(e, ENOSYS, LIBREADLINE " has no %s; install readline 8.0 or later, "
				       "or pipe the commands in", symbols[i].name);
		memcpy((char *)rl + symbols[i].offset, &address, sizeof(address));
	}
	return 0;
}

/* --- Completion ---------------------------------------------------------------- */

static void add_candidate(void *to, const char *candidate)
{
	struct shell *s = to;
	char *copy;

	if (strncmp(candidate, s->begun, strlen(s->begun)) != 0 ||
	    base_reserve((void **)&s->candidates, s->n_candidates, sizeof(*s->candidates)) < 0)
		return;
	copy = strdup(candidate);
	if (copy)
		s->candidates[s->n_candidates++] = copy;
}

/* readline frees what it is given. */
static char *next_candidate(const char *text, int state)
{
	struct shell *s = current;

	(void)text;
	(void)state;
	return s->next < s->n_candidates ? s->candidates[s->next++] : NULL;
}

static void forget_candidates(struct shell *s)
{
	while (s->next < s->n_candidates)
		free(s->candidates[s->next++]);
	free(s->candidates);
	s->candidates = NULL;
	s->n_candidates = s->next = 0;
}

/* The words before the one that begins at start. None if they cannot be told. */
static int words_before(const struct readline *rl, int start, struct words *out)
{
	/* A quote that the last word begins with is not part of it. */
	size_t len = (size_t)start - (start > 0 && *rl->rl_completion_quote_character ? 1 : 0);
	CLEANUP_FREE char *before = strndup(*rl->rl_line_buffer, len);
	struct err ignored;

	return before ? words_split(&ignored, before, out) : -ENOMEM;
}

static char **complete(const char *text, int start, int end)
{
	struct shell *s = current;
	CLEANUP(words_clear) struct words before = { 0 };
	char **matches = NULL;
	bool file = false;

	(void)end;
	*s->rl.rl_attempted_completion_over = 1;
	if (!s->complete || words_before(&s->rl, start, &before) < 0)
		return NULL;
	s->begun = text;
	file = s->complete(s->ctx, (const char *const *)before.items, before.n, add_candidate, s);
	matches = s->rl.rl_completion_matches(text, next_candidate);
	forget_candidates(s);
	*s->rl.rl_attempted_completion_over = !file;
	return matches;
}

/* --- History ------------------------------------------------------------------- */

static void remember(void *ctx, const char *line)
{
	struct shell *s = ctx;

	s->rl.add_history(line);
	free(s->remembered);
	s->remembered = strdup(line);
}

static void remember_new(struct shell *s, const char *line)
{
	if (!line[strspn(line, " \t\r")] || (s->remembered && strcmp(s->remembered, line) == 0))
		return;
	remember(s, line);
	if (s->history)
		shell_history_add(s->history, line);
}

/* --- Lines --------------------------------------------------------------------- */

static void interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

/* At the end readline begins a new line on some terminals and not on others: we do it, on all. */
static void restore_terminal(void)
{
	*current->rl.rl_eof_found = 0;
	current->rl.rl_deprep_terminal();
}

/*
 * Waits for input, unless a signal has come: from the look for it until the wait
 * all signals are held back, so that none is overslept.
 */
static bool wait_for_input(int fd)
{
	struct pollfd in = { .fd = fd, .events = POLLIN };
	sigset_t all, before;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	if (!current->rl.rl_pending_signal())
		ppoll(&in, 1, NULL, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return in.revents != 0;
}

/* readline acts on signals when it is told to: for most it puts the terminal back and sends them again. */
static void act_on_signals(const struct readline *rl)
{
	bool stopped = rl->rl_pending_signal() == SIGTSTP;

	rl->rl_check_signals();
	if (stopped)
		rl->rl_forced_update_display();
}

/* In the place of readline's own, which would go on reading after ^C. */
static int get_key(FILE *in)
{
	unsigned char key;
	ssize_t n;

	while (!interrupted) {
		bool ready = wait_for_input(fileno(in));

		act_on_signals(&current->rl);
		if (!ready || interrupted)
			continue;
		n = read(fileno(in), &key, 1);
		if (n == 1)
			return key;
		if (n == 0 || (errno != EINTR && errno != EAGAIN))
			return EOF;
	}
	return READERR;
}

/* As shell_line, into s->typed. */
static int read_typed(struct shell *s)
{
	const struct sigaction act = { .sa_handler = interrupt };
	struct sigaction before;

	interrupted = 0;
	sigaction(SIGINT, &act, &before);
	s->typed = s->rl.readline(s->prompt);
	sigaction(SIGINT, &before, NULL);
	if (interrupted) {
		free(s->typed);
		s->typed = NULL;
	}
	if (!s->typed) /* the cursor still stands behind the prompt */
		fputc('\n', s->out);
	fflush(s->out);
	return interrupted ? 2 : s->typed != NULL;
}

int shell_line(struct err *e, struct shell *s, char **out)
{
	CLEANUP_FREE char *line = NULL;
	char *end;
	int ret = s->typed ? 1 : read_typed(s);

	if (ret != 1)
		return ret;
	line = steal_ptr(s->typed);
	end = strchr(line, '\n');
	if (end) {
		*end = '\0';
		s->typed = strdup(end + 1);
		if (!s->typed)
			return err_set(e, ENOMEM, "out of memory");
	}
	remember_new(s, line);
	*out = steal_ptr(line);
	return 1;
}

/* --- The shell ----------------------------------------------------------------- */

/* What stands between \001 and \002 has no width. */
static char *make_prompt(const struct shell_options *o)
{
	char *prompt;

	if (!o->colour)
		return strdup(o->prompt);
	return asprintf(&prompt, "\001\033[1;32m\002%s\001\033[0m\002", o->prompt) < 0 ? NULL : prompt;
}

static void set_up(const struct readline *rl, const struct shell_options *o)
{
	*rl->rl_instream = o->in;
	*rl->rl_outstream = o->out;
	*rl->rl_change_environment = 0; /* LINES and COLUMNS are not ours to set */
	*rl->rl_getc_function = get_key;
	*rl->rl_deprep_term_function = restore_terminal;
	*rl->rl_attempted_completion_function = complete;
	*rl->rl_completer_word_break_characters = " \t\n";
	*rl->rl_completer_quote_characters = "'\"";
	*rl->rl_filename_quote_characters = " \t\n\\\"'#";
	rl->rl_variable_bind("expand-tilde", "on"); /* nobody else would */
	rl->stifle_history(SHELL_HISTORY_LINES);
}

int shell_open(struct err *e, const struct shell_options *o, struct shell **out)
{
	CLEANUP(shell_closep) struct shell *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(e, ENOMEM, "out of memory");
	if (load(e, &s->rl) < 0)
		return -e->code;
	s->prompt = make_prompt(o);
	s->history = o->history ? strdup(o->history) : NULL;
	if (!s->prompt || (o->history && !s->history))
		return err_set(e, ENOMEM, "out of memory");
	s->complete = o->complete;
	s->ctx = o->ctx;
	s->out = o->out;
	set_up(&s->rl, o);
	if (s->history)
		shell_history_read(s->history, remember, s);
	current = s;
	*out = steal_ptr(s);
	return 0;
}

void shell_close(struct shell *s)
{
	if (!s)
		return;
	if (s->history)
		shell_history_shorten(s->history);
	if (s->rl.clear_history)
		s->rl.clear_history();
	if (s->rl.handle)
		dlclose(s->rl.handle);
	free(s->prompt);
	free(s->history);
	free(s->typed);
	free(s->remembered);
	free(s);
	current = NULL;
}

void shell_closep(struct shell **s)
{
	shell_close(*s);
}
