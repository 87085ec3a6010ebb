/* SPDX-License-Identifier: GPL-3.0-or-later */
/* -S and -R: routes and workers as a text that people keep. */
#include "vs.h"

#include "document.h"
#include "json.h"
#include "progress.h"

#include <malloc.h>

/* --- save ---------------------------------------------------------------------- */

/* Routes and workers of one moment. */
static int load(struct err *e, const struct config *c, struct document *out)
{
	static const struct route_filter open_ones = { .state = ROUTE_OPEN };
	CLEANUP(store_closep) struct store *s = NULL;

	if (store_open(e, c->state, STORE_READ, &s) < 0 || store_begin_read(e, s) < 0)
		return -e->code;
	if (store_routes(e, s, &open_ones, &out->routes) < 0 || store_workers(e, s, &out->workers) < 0)
		return -e->code;
	store_rollback(s);
	return 0;
}

/* A failed stdout is reported at the end, as for every command. */
static int print_document(struct err *e, const struct document *d)
{
	if (document_write(e, d, stdout) < 0 && !ferror(stdout))
		return -e->code;
	return 0;
}

int vs_save(struct err *e, const struct config *c, const struct cmd_line *line)
{
	CLEANUP(document_clear) struct document d = { 0 };

	(void)line;
	if (load(e, c, &d) < 0 || print_document(e, &d) < 0)
		return err_wrap(e, "cannot save");
	return 0;
}

/* --- restore -------------------------------------------------------------------- */

static int read_document(struct err *e, const struct cmd_line *line, struct document *out)
{
	CLEANUP(vs_closep) FILE *in = NULL;
	const char *name;

	if (vs_open(e, line->n_args > 0 ? line->args[0] : "-", &in, &name) < 0)
		return -e->code;
	return document_read(e, in, name, out) < 0 ? tool_blame_file(e) : 0;
}

static int restore(struct err *e, const struct config *c, struct document *d, bool adopt,
		   struct restored *out)
{
	CLEANUP(gateway_closep) struct gateway *g = NULL;
	CLEANUP(progress_end) struct progress bar = progress_start();

	if (gateway_open(e, c, STORE_WRITE, &g) < 0)
		return -e->code;
	gateway_on_progress(g, progress_tell, &bar);
	if (gateway_restore(e, g, &d->routes, &d->workers, adopt, out) < 0)
		return -e->code;
	tool_warn_undone(vs_table.prog, gateway_undone(g));
	return 0;
}

static int print_restored_json(struct err *e, const struct restored *r)
{
	struct json *j = json_new(stdout);

	if (!j)
		return err_set(e, ENOMEM, "cannot write the output: out of memory");
	json_begin_object(j, NULL);
	json_uint(j, "added", r->added);
	json_uint(j, "kept", r->kept);
	json_uint(j, "adopted", r->adopted);
	json_uint(j, "workers", r->workers);
	json_end_object(j);
	json_free(j);
	return 0;
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static int print_restored(struct err *e, const struct restored *r, bool as_json)
{
	size_t n = r->added + r->kept + r->adopted;

	if (as_json)
		return print_restored_json(e, r);
	printf("restored %zu route%s: %zu added, %zu kept, %zu adopted; %zu worker%s\n", n, plural(n),
	       r->added, r->kept, r->adopted, r->workers, plural(r->workers));
	return 0;
}

/*
 * A large restore makes several lists of megabytes, one after the other. What one
 * leaves is to be the next one's room: to give each back to the kernel and fetch the
 * next is a fifth of all page faults.
 */
static void keep_memory(void)
{
	enum { LARGEST = 32 << 20 }; /* the most that glibc takes */

	(void)!mallopt(M_MMAP_THRESHOLD, LARGEST);
	(void)!mallopt(M_TRIM_THRESHOLD, LARGEST);
}

int vs_restore(struct err *e, const struct config *c, const struct cmd_line *line)
{
	CLEANUP(document_clear) struct document d = { 0 };
	struct restored done = { 0 };
	bool dry_run = cmd_has(line, OPT_DRY_RUN);

	if (dry_run && cmd_has(line, 'j'))
		return err_set(e, ERR_USAGE, "--dry-run prints YAML, not JSON; leave out one of them");
	keep_memory();
	if (read_document(e, line, &d) < 0)
		return err_wrap(e, "cannot restore");
	if (dry_run)
		return print_document(e, &d);
	if (restore(e, c, &d, cmd_has(line, OPT_ADOPT), &done) < 0)
		return err_wrap(e, "cannot restore");
	vs_warn_of_routes(&d.routes);
	return print_restored(e, &done, cmd_has(line, 'j'));
}
