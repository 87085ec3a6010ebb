/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Steps as a page to read. */
#include "setup.h"
#include "wrap.h"

#include <string.h>

#define LABEL_WIDTH 10 /* with the blanks around it */

static void put_text(const struct setup_look *l, const char *text)
{
	const struct wrap how = { .width = l->columns };

	wrap_text(l->out, &how, text);
}

/* "  Why      what it is for", if there is anything to say. */
static void put_item(const struct setup_look *l, const char *label, const char *text, const char *more)
{
	const struct wrap how = { .width = l->columns, .indent = LABEL_WIDTH, .column = LABEL_WIDTH, .more = more };

	if (!text[0])
		return;
	fprintf(l->out, "  %-*s", LABEL_WIDTH - 2, label);
	wrap_text(l->out, &how, text);
}

static void put_title(const struct setup_look *l, const struct step_report *r)
{
	fprintf(l->out, "%s%s%s", l->colour ? "\033[1m" : "", r->name, l->colour ? "\033[0m" : "");
	if (r->via[0])
		fprintf(l->out, " (%s)", r->via);
	fputs(": ", l->out);
	setup_put_status(l, r->status, setup_status_text(r->status), 0);
	putc('\n', l->out);
}

static void put_present(const struct setup_look *l, const struct step_report *r)
{
	bool as_wanted = r->status == STEP_OK || !r->wanted[0];
	char text[sizeof(r->present) + sizeof(r->wanted) + 16];

	if (!r->present[0] && r->status == STEP_UNKNOWN) /* why follows */
		return;
	snprintf(text, sizeof(text), "%s%s%s", r->present[0] ? r->present : "empty", as_wanted ? "" : ", wanted ",
		 as_wanted ? "" : r->wanted);
	put_item(l, "Now", text, NULL);
}

void setup_explain_step(const struct setup_look *l, const struct step_report *report, bool brief)
{
	const struct step_report clean = setup_clean_step(report), *r = &clean;

	put_title(l, r);
	put_present(l, r);
	put_item(l, "But", r->why, NULL);
	put_item(l, "Why", r->reason, NULL);
	if (!brief)
		put_item(l, "More", r->detail, NULL);
	put_item(l, "Value", r->note, NULL);
	put_item(l, "Command", r->command, " \\");
	if (brief)
		return;
	if (r->report_only && !r->undo[0])
		put_item(l, "Undo", "Nothing to put back: this is reported, and never changed.", NULL);
	else
		put_item(l, "Undo", r->undo, NULL);
	put_item(l, "Read", r->manual, NULL);
}

/* --- the page ---------------------------------------------------------------------- */

/* The steps of this configuration and which of them are meant. */
struct choice {
	char **names;
	bool *only;
	size_t n;
	bool failed; /* out of memory */
};

static void choice_clear(struct choice *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->names[i]);
	free(c->names);
	free(c->only);
}

static void add_name(void *ctx, const struct step_report *r)
{
	struct choice *c = ctx;
	char *name = strdup(r->name);

	if (!name || base_reserve((void **)&c->names, c->n, sizeof(*c->names)) < 0) {
		free(name);
		c->failed = true;
		return;
	}
	c->names[c->n++] = name;
}

static int choice_init(struct err *e, const struct setup *s, struct store *store, struct choice *c)
{
	const struct host_options how = setup_options(s, add_name, c);
	int n = host_list(e, &s->config, store, &how);

	if (n < 0)
		return n;
	c->only = calloc((size_t)n + 1, sizeof(*c->only));
	return c->failed || !c->only ? err_set(e, ENOMEM, "out of memory") : 0;
}

/* A page that is being written. */
struct page {
	struct setup *setup;
	size_t n, to_do;
};

static void add_step(void *ctx, const struct step_report *r)
{
	struct page *p = ctx;
	struct setup *s = p->setup;

	if (s->json) {
		setup_write_step(s, r);
		return;
	}
	if (p->n++ > 0)
		putc('\n', s->look.out);
	p->to_do += r->status == STEP_DIFFERS || r->status == STEP_MISSING;
	setup_explain_step(&s->look, r, false);
}

static void begin_page(const struct setup_look *l)
{
	put_text(l, "What the gateway needs of this host's kernel, step by step. Do not trust us: read what each "
		    "step's manual says about it. Documentation/ is part of the kernel's source, and at "
		    "https://docs.kernel.org/. This page changes nothing.");
	putc('\n', l->out);
}

static void end_page(const struct page *p)
{
	char text[256];

	if (p->to_do == 0)
		snprintf(text, sizeof(text), "All %zu steps are as they should be, or cannot be told.", p->n);
	else
		snprintf(text, sizeof(text), "%zu of %zu steps %s not as %s should be. " SETUP_PROG " --interactive asks about "
		 "each, --apply makes what it can, --undo takes back what they did.", p->to_do, p->n,
		 p->to_do == 1 ? "is" : "are", p->to_do == 1 ? "it" : "they");
	putc('\n', p->setup->look.out);
	put_text(&p->setup->look, text);
}

int setup_explain(struct err *e, struct setup *s, const struct cmd_line *line)
{
	CLEANUP(store_closep) struct store *store = NULL;
	CLEANUP(choice_clear) struct choice c = { 0 };
	struct page page = { .setup = s };
	struct host_options how;
	bool whole = line->n_args == 0;
	int ret = setup_open_to_look(e, s, &store);

	s->persist |= !whole; /* whoever names one, has heard of it */
	if (ret == 0)
		ret = choice_init(e, s, store, &c);
	if (ret == 0)
		ret = setup_select(e, (const char *const *)c.names, c.n, line->args, line->n_args, c.only);
	if (ret < 0)
		return ret;
	how = setup_options(s, add_step, &page);
	how.unprivileged = true;
	how.only = whole ? NULL : c.only;
	if (whole && !s->json)
		begin_page(&s->look);
	ret = host_check(e, &s->config, store, &how);
	if (ret >= 0 && whole && !s->json)
		end_page(&page);
	return ret < 0 ? ret : EXIT_DONE;
}

/* --- for completion ------------------------------------------------------------------ */

/* Has one of the first n names this word? */
static bool is_told(const struct choice *c, size_t n, const char *word, size_t len)
{
	for (size_t i = 0; i < n; i++)
		for (const char *w = c->names[i]; *w; w += strcspn(w, " "), w += strspn(w, " "))
			if (strcspn(w, " ") == len && strncmp(w, word, len) == 0)
				return true;
	return false;
}

int setup_print_words(struct err *e, const struct setup *s)
{
	CLEANUP(choice_clear) struct choice c = { 0 };
	struct setup all = *s;
	int ret;

	all.persist = true;
	ret = choice_init(e, &all, NULL, &c);
	for (size_t i = 0; ret == 0 && i < c.n; i++) {
		for (const char *w = c.names[i]; *w; w += strcspn(w, " "), w += strspn(w, " "))
			if (!is_told(&c, i, w, strcspn(w, " ")))
				printf("%.*s\n", (int)strcspn(w, " "), w);
	}
	return ret < 0 ? ret : EXIT_DONE;
}
