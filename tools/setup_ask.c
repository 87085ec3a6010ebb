/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Applying step by step, with somebody at a terminal who is asked about each. */
#include "setup.h"
#include "shell.h"
#include "similar.h"

#include <ctype.h>
#include <string.h>

#define PROMPT "apply, skip, explain, quit, help? "

static const struct {
	const char *word, *help;
} answers[] = {
	[SETUP_ANSWER_APPLY] = { "apply", "a, make this change" },
	[SETUP_ANSWER_SKIP] = { "skip", "s, leave it as it is, and go on" },
	[SETUP_ANSWER_EXPLAIN] = { "explain", "e, say more about it" },
	[SETUP_ANSWER_ALL] = { "all", "make this change and all that follow" },
	[SETUP_ANSWER_QUIT] = { "quit", "q or ^D, leave this and all that follow" },
	[SETUP_ANSWER_HELP] = { "help", "h or ?, this list" },
};

/* The line without the blanks around it. Returns its length. */
static size_t trim(const char **line)
{
	size_t len;

	*line += strspn(*line, " \t");
	len = strlen(*line);
	while (len > 0 && isspace((unsigned char)(*line)[len - 1]))
		len--;
	return len;
}

enum setup_answer setup_answer_of(const char *line)
{
	size_t len = trim(&line);

	if (len == 1 && line[0] == '?')
		return SETUP_ANSWER_HELP;
	/* The first that fits: "a" is apply. */
	for (size_t i = 0; i < ARRAY_LEN(answers); i++)
		if ((len == 1 || len == strlen(answers[i].word)) && strncasecmp(line, answers[i].word, len) == 0)
			return (enum setup_answer)i;
	return SETUP_ANSWER_NONE;
}

const char *setup_answer_meant(const char *line)
{
	const char *best = NULL;

	for (size_t i = 0; i < ARRAY_LEN(answers); i++)
		best = similar_nearer(line, best, answers[i].word);
	return best;
}

int setup_need_terminal(struct err *e, const struct setup *s)
{
	bool asks = isatty(STDIN_FILENO);

	if (s->json)
		return err_set(e, ERR_USAGE, "--interactive is a conversation and prints no JSON; give --apply -j");
	if (asks && isatty(STDOUT_FILENO))
		return 0;
	return err_set(e, ERR_USAGE, "--interactive asks at a terminal, and standard %s is none; --apply makes all "
		       "changes, --apply --dry-run says which", asks ? "output" : "input");
}

/* --- what became of the steps ----------------------------------------------------- */

enum fate { FATE_SET, FATE_SKIPPED, FATE_FAILED, FATE_NOT_REACHED, FATE_BY_HAND, FATE_CANNOT_TELL, N_FATES };

static const char *const fates[] = {
	[FATE_SET] = "set",
	[FATE_SKIPPED] = "skipped",
	[FATE_FAILED] = "failed",
	[FATE_NOT_REACHED] = "not reached",
	[FATE_BY_HAND] = "by hand",
	[FATE_CANNOT_TELL] = "cannot tell",
};

struct names {
	char (*items)[sizeof(((struct step_report *)0)->name)];
	size_t n;
};

struct walk {
	struct setup *setup;
	struct shell *shell;
	bool asked;
	bool all;    /* no more questions */
	struct err err;
	int ret;     /* of the conversation itself */
	struct names of[N_FATES];
};

static void walk_clear(struct walk *w)
{
	shell_close(w->shell);
	for (size_t i = 0; i < N_FATES; i++)
		free(w->of[i].items);
}

/* N_FATES: there is nothing to be told in the end. */
static enum fate fate_of(const struct step_report *r)
{
	bool wrong = r->status == STEP_DIFFERS || r->status == STEP_MISSING;

	switch (r->outcome) {
	case STEP_CHANGED:
		return FATE_SET;
	case STEP_SKIPPED:
		return FATE_SKIPPED;
	case STEP_FAILED:
		return FATE_FAILED;
	case STEP_NOT_REACHED:
		return FATE_NOT_REACHED;
	case STEP_LEFT:
		break;
	}
	if (r->status == STEP_UNKNOWN)
		return FATE_CANNOT_TELL;
	return wrong ? FATE_BY_HAND : N_FATES;
}

static void remember(struct walk *w, const struct step_report *r)
{
	enum fate fate = fate_of(r);
	struct names *names = fate < N_FATES ? &w->of[fate] : NULL;

	if (!names)
		return;
	if (base_reserve((void **)&names->items, names->n, sizeof(*names->items)) < 0) {
		w->ret = err_set(&w->err, ENOMEM, "out of memory");
		return;
	}
	strcpy(names->items[names->n++], r->name);
}

/* The rest is named in the summary. */
static void report(void *ctx, const struct step_report *r)
{
	struct walk *w = ctx;

	remember(w, r);
	if (r->outcome != STEP_NOT_REACHED)
		setup_print_step(w->setup, r);
}

/* "skipped:     snat ipv4, snat ipv6", broken between names. */
static void print_names(const struct setup_look *l, const char *label, const struct names *names)
{
	size_t indent = strlen("not reached: "), column = indent;

	fprintf(l->out, "%s:%*s", label, (int)(indent - strlen(label) - 1), "");
	for (size_t i = 0; i < names->n; i++) {
		const char *comma = i + 1 < names->n ? "," : "";
		size_t len = strlen(names->items[i]) + strlen(comma);

		if (i > 0 && column + 1 + len > l->columns) {
			fprintf(l->out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (i > 0) {
			putc(' ', l->out);
			column++;
		}
		fprintf(l->out, "%s%s", names->items[i], comma);
		column += len;
	}
	putc('\n', l->out);
}

static void print_summary(const struct walk *w)
{
	const struct setup_look *l = &w->setup->look;
	bool dry = w->setup->dry_run;

	putc('\n', l->out);
	for (size_t i = 0; i < N_FATES; i++)
		if (w->of[i].n > 0)
			print_names(l, i == FATE_SET && dry ? "would set" : fates[i], &w->of[i]);
	if (w->of[FATE_SET].n + w->of[FATE_SKIPPED].n + w->of[FATE_FAILED].n + w->of[FATE_NOT_REACHED].n == 0)
		fputs(w->asked ? "There is nothing left to do.\n" : "There was nothing to ask about.\n", l->out);
	else if (dry)
		fputs("Nothing was changed.\n", l->out);
	else if (w->of[FATE_SET].n > 0)
		fputs("To take back what is set: " SETUP_PROG " --undo\n", l->out);
	if (w->of[FATE_SKIPPED].n + w->of[FATE_FAILED].n + w->of[FATE_NOT_REACHED].n > 0)
		fputs("To go on: " SETUP_PROG " --interactive\n", l->out);
}

/* --- the conversation -------------------------------------------------------------- */

static bool complete(void *ctx, const char *const words[], size_t n_words,
		     void (*add)(void *to, const char *candidate), void *to)
{
	(void)ctx;
	(void)words;
	for (size_t i = 0; n_words == 0 && i < ARRAY_LEN(answers); i++)
		add(to, answers[i].word);
	return false;
}

static void print_help(const struct setup_look *l)
{
	for (size_t i = 0; i < ARRAY_LEN(answers); i++)
		fprintf(l->out, "%-8s %s\n", answers[i].word, answers[i].help);
}

static void print_unknown(const struct setup_look *l, const char *line)
{
	size_t len = trim(&line);
	const char *meant = setup_answer_meant(line);

	if (len == 0)
		fputs("Nothing is changed unless you say so: ", l->out);
	else
		fprintf(l->out, "'%.*s' is not an answer; ", (int)(len > 60 ? 60 : len), line);
	if (meant)
		fprintf(l->out, "did you mean %s?\n", meant);
	else
		fputs("type apply, skip, explain, quit or help\n", l->out);
}

/* ^C and ^D are quit, and so is a terminal that fails. */
static enum setup_answer read_answer(struct walk *w)
{
	CLEANUP_FREE char *line = NULL;
	enum setup_answer answer;
	int ret;

	fflush(w->setup->look.out);
	ret = shell_line(&w->err, w->shell, &line);
	if (ret < 0)
		w->ret = ret;
	if (ret != 1)
		return SETUP_ANSWER_QUIT;
	answer = setup_answer_of(line);
	if (answer == SETUP_ANSWER_NONE)
		print_unknown(&w->setup->look, line);
	return answer;
}

static enum host_answer ask(void *ctx, const struct step_report *r)
{
	struct walk *w = ctx;
	const struct setup_look *l = &w->setup->look;

	if (w->all)
		return HOST_MAKE;
	w->asked = true;
	putc('\n', l->out);
	setup_explain_step(l, r, true);
	for (;;) {
		switch (read_answer(w)) {
		case SETUP_ANSWER_ALL:
			w->all = true;
			return HOST_MAKE;
		case SETUP_ANSWER_APPLY:
			return HOST_MAKE;
		case SETUP_ANSWER_SKIP:
			return HOST_SKIP;
		case SETUP_ANSWER_QUIT:
			return HOST_QUIT;
		case SETUP_ANSWER_EXPLAIN:
			setup_explain_step(l, r, false);
			break;
		case SETUP_ANSWER_HELP:
			print_help(l);
			break;
		case SETUP_ANSWER_NONE:
			break;
		}
	}
}

int setup_interactive(struct err *e, struct setup *s, struct store *store)
{
	CLEANUP(walk_clear) struct walk w = { .setup = s };
	const struct shell_options talk = {
		.in = stdin, .out = stdout, .prompt = PROMPT, .colour = s->look.colour, .complete = complete,
	};
	const struct host_options how = { .dry_run = s->dry_run, .report = report, .ask = ask, .ctx = &w };
	int ret = shell_open(e, &talk, &w.shell);

	if (ret == 0)
		ret = host_apply(e, &s->config, store, &how);
	if (ret >= 0 || w.of[FATE_FAILED].n > 0)
		print_summary(&w);
	if (ret >= 0 && w.ret < 0) {
		*e = w.err;
		ret = w.ret;
	}
	return ret;
}
