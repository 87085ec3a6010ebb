/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Steps as lines of text. */
#include "setup.h"
#include "utf8.h"
#include "wrap.h"

#include <sys/ioctl.h>

#define COLUMNS 80
#define COLUMNS_MAX 100 /* longer lines are hard to read */
#define COLUMNS_MIN 20
#define WORD_WIDTH 11

struct setup_look setup_look_at_stdout(void)
{
	struct setup_look l = { .out = stdout, .columns = COLUMNS, .colour = tool_wants_colour() };
	struct winsize size;

	l.wraps = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
	if (l.wraps)
		l.columns = size.ws_col;
	if (l.columns > COLUMNS_MAX)
		l.columns = COLUMNS_MAX;
	if (l.columns < COLUMNS_MIN)
		l.columns = COLUMNS_MIN;
	return l;
}

const char *setup_status_text(enum step_status status)
{
	static const char *const names[] = {
		[STEP_OK] = "ok",
		[STEP_DIFFERS] = "differs",
		[STEP_MISSING] = "missing",
		[STEP_UNKNOWN] = "cannot tell",
	};

	return names[status];
}

void setup_put_status(const struct setup_look *l, enum step_status status, const char *word, int width)
{
	static const char *const colours[] = {
		[STEP_OK] = "\033[32m",      /* green */
		[STEP_DIFFERS] = "\033[31m", /* red */
		[STEP_MISSING] = "\033[31m",
		[STEP_UNKNOWN] = "\033[33m", /* yellow */
	};

	fprintf(l->out, "%s%-*s%s", l->colour ? colours[status] : "", width, word, l->colour ? "\033[0m" : "");
}

static const char *or_empty(const char *value)
{
	return value[0] ? value : "empty";
}

static void put_name(const struct setup_look *l, enum step_status status, const char *word,
		     const struct step_report *r)
{
	setup_put_status(l, status, word, WORD_WIDTH);
	fprintf(l->out, " %s", r->name);
	if (r->via[0])
		fprintf(l->out, " (%s)", r->via);
}

/* "            why: ...", if there is anything to say; in a window it keeps to its column. */
static void put_line(const struct setup_look *l, const char *label, const char *text)
{
	const struct wrap how = { .width = l->columns, .indent = WORD_WIDTH + 6, .column = WORD_WIDTH + 6 };

	if (!text[0])
		return;
	fprintf(l->out, "%*s %-4s ", WORD_WIDTH, "", label);
	if (l->wraps)
		wrap_text(l->out, &how, text);
	else
		fprintf(l->out, "%s\n", text);
}

/* A command is one line, to be copied. */
static void put_command(const struct setup_look *l, const char *command)
{
	if (command[0])
		fprintf(l->out, "%*s do:  %s\n", WORD_WIDTH, "", command);
}

/* "differs     net.ipv4.ip_forward: 0, wanted 1", and for what is not ok the reason and what to do. */
static void print_state(const struct setup_look *l, const struct step_report *r, const char *word)
{
	put_name(l, r->status, word, r);
	fprintf(l->out, ": %s", or_empty(r->present));
	if (r->status != STEP_OK && r->wanted[0])
		fprintf(l->out, ", wanted %s", r->wanted);
	putc('\n', l->out);
	if (r->status == STEP_OK)
		return;
	put_line(l, "why:", r->reason);
	put_line(l, "but:", r->why);
	put_line(l, "how:", r->note);
	put_command(l, r->command);
}

static void print_change(const struct setup *s, const struct step_report *r)
{
	bool undo = s->command == SETUP_UNDO;
	const char *done = undo ? "restored" : "set", *would = undo ? "would restore" : "would set";

	put_name(&s->look, STEP_OK, s->dry_run ? would : done, r);
	fprintf(s->look.out, ": %s -> %s\n", or_empty(r->present), or_empty(r->wanted));
	put_line(&s->look, "but:", r->why);
	put_line(&s->look, "how:", r->note);
}

/* What --undo found otherwise than --apply had left it. */
static void print_left(const struct setup_look *l, const struct step_report *r)
{
	put_name(l, STEP_UNKNOWN, "left", r);
	fprintf(l->out, ": %s%s%s\n", or_empty(r->present), r->why[0] ? ": " : ", as before", r->why);
}

/* Why is on the standard error, in the end. */
static void print_failed(const struct setup_look *l, const struct step_report *r)
{
	put_name(l, STEP_DIFFERS, "failed", r);
	if (r->wanted[0])
		fprintf(l->out, ": %s, wanted %s", or_empty(r->present), r->wanted);
	putc('\n', l->out);
}

struct step_report setup_clean_step(const struct step_report *r)
{
	struct step_report clean = *r;
	char *const texts[] = { clean.name, clean.command, clean.via, clean.present, clean.wanted, clean.note,
				clean.why };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		utf8_clean(texts[i]);
	return clean;
}

void setup_print_step(const struct setup *s, const struct step_report *report)
{
	const struct step_report clean = setup_clean_step(report), *r = &clean;
	const struct setup_look *l = &s->look;

	switch (r->outcome) {
	case STEP_CHANGED:
		print_change(s, r);
		return;
	case STEP_FAILED:
		print_failed(l, r);
		return;
	case STEP_NOT_REACHED:
		put_name(l, STEP_UNKNOWN, "not reached", r);
		putc('\n', l->out);
		return;
	case STEP_SKIPPED:
		put_name(l, STEP_UNKNOWN, "skipped", r);
		fprintf(l->out, ": %s\n", or_empty(r->present));
		return;
	case STEP_LEFT:
		if (s->command == SETUP_UNDO)
			print_left(l, r);
		else
			print_state(l, r, setup_status_text(r->status));
	}
}
