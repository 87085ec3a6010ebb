/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --watch: reads the usage again and again, draws it, obeys keys. What it looks like: gwstat_frame. */
#include "gwstat_frame.h"
#include "terminal.h"

#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <time.h>

struct watch {
	const struct config *config;
	const struct usage_query *query;
	struct terminal *terminal;
	struct usage usage; /* the latest that could be read */
	struct trends trends;
	struct frame_facts facts;
	struct frame_look look;
	struct err trouble; /* why the last reading failed */
	size_t page;        /* how many routes were on the screen */
};

static void watch_clear(struct watch *w)
{
	terminal_close(w->terminal);
	usage_clear(&w->usage);
	trends_clear(&w->trends);
}

/* --- Reading ------------------------------------------------------------------- */

/* Opens the state file each time: it may have been put in place, or in another's, since the last. */
static int read_usage(struct err *e, struct watch *w, enum store_mode mode)
{
	CLEANUP(gateway_closep) struct gateway *g = NULL;
	CLEANUP(usage_clear) struct usage u = { 0 };

	if (gateway_open(e, w->config, mode, &g) < 0 || usage_read(e, g, w->query, &u) < 0 ||
	    trends_add(e, &w->trends, &u.readings, terminal_now()) < 0)
		return -e->code;
	usage_clear(&w->usage);
	w->usage = u;
	u = (struct usage){ 0 };
	w->facts = (struct frame_facts){ .usage = &w->usage, .trends = &w->trends, .at = time(NULL) };
	return 0;
}

/* What cannot be read now may be read later; until then the screen says why. */
static void read_again(struct watch *w)
{
	if (read_usage(&w->trouble, w, STORE_GLANCE) < 0)
		w->facts.trouble = w->trouble.msg;
}

/* --- Drawing ------------------------------------------------------------------- */

static int draw(struct err *e, struct watch *w)
{
	struct terminal_size size = terminal_size(w->terminal);
	CLEANUP(frame_clear) struct frame f = { 0 };

	w->look.columns = size.columns;
	w->look.rows = size.rows;
	if (frame_make(e, &w->facts, &w->look, &f) < 0)
		return -e->code;
	w->look.first = f.first;
	w->page = f.page;
	return terminal_draw(e, w->terminal, f.lines, f.n_lines);
}

/* --- Keys ---------------------------------------------------------------------- */

static void scroll_up(struct watch *w, size_t n)
{
	w->look.first = w->look.first > n ? w->look.first - n : 0;
}

/* false: that was enough. */
static bool obey(struct watch *w, int key)
{
	switch (key) {
	case 'q':
		return false;
	case 's':
		w->look.sort = frame_next_sort(&w->look);
		break;
	case 'r':
		frame_turn(&w->look);
		break;
	case 'h':
	case '?':
		w->look.help = !w->look.help;
		break;
	case TERMINAL_UP:
		scroll_up(w, 1);
		break;
	case TERMINAL_DOWN:
		w->look.first++;
		break;
	case TERMINAL_PAGE_UP:
		scroll_up(w, w->page);
		break;
	case TERMINAL_PAGE_DOWN:
		w->look.first += w->page;
		break;
	case TERMINAL_HOME:
		w->look.first = 0;
		break;
	case TERMINAL_END:
		w->look.first = SIZE_MAX / 2;
		break;
	}
	return true;
}

/* --- The loop ------------------------------------------------------------------ */

/* Returns the signal that ended it, 0 for a key, or a negative errno. */
static int watch(struct err *e, struct watch *w, int64_t interval)
{
	int64_t next = w->trends.at + interval;
	struct terminal_event event;

	for (;;) {
		if (draw(e, w) < 0 || terminal_wait(e, w->terminal, next, &event) < 0)
			return -e->code;
		if (event.kind == TERMINAL_ENDED)
			return event.signal;
		if (event.kind == TERMINAL_KEY && !obey(w, event.key))
			return 0;
		if (terminal_now() < next)
			continue;
		read_again(w);
		/* At regular times, unless one was missed. */
		next = next + interval > terminal_now() ? next + interval : terminal_now() + interval;
	}
}

static bool has_text(const char *variable)
{
	const char *value = getenv(variable);

	return value && value[0];
}

static int check_terminal(struct err *e)
{
	const char *type = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		err_set(e, ERR_USAGE, "--watch wants a terminal");
		return err_advise(e, "for a file or a pipe there are --format and --output");
	}
	if (!type || !type[0] || strcmp(type, "dumb") == 0) {
		err_set(e, ERR_USAGE, "--watch wants a terminal on which text can be placed; TERM says that this is none");
		return err_advise(e, "set TERM, or use --format");
	}
	return 0;
}

static int open_and_watch(struct err *e, struct watch *w, int64_t interval)
{
	int ended;

	if (read_usage(e, w, STORE_READ) < 0 || terminal_open(e, STDIN_FILENO, STDOUT_FILENO, &w->terminal) < 0)
		return -e->code;
	ended = watch(e, w, interval);
	terminal_close(steal_ptr(w->terminal));
	return ended;
}

int usage_watch(struct err *e, const struct config *c, const struct usage_query *q, const struct watch_options *o)
{
	CLEANUP(watch_clear) struct watch w = { .config = c, .query = q };
	int ended;

	if (check_terminal(e) < 0)
		return -e->code;
	setlocale(LC_CTYPE, "");
	w.look.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	w.look.colour = !has_text("NO_COLOR");
	w.look.sort = o->sort;
	w.look.rate = o->sort == FIELD_NAME || o->sort >= FIELD_CPS;
	w.look.top = o->top;
	ended = open_and_watch(e, &w, (int64_t)o->seconds * 1000);
	if (ended > 0)
		raise(ended); /* whoever waits for us is to know */
	return ended < 0 ? ended : 0;
}
