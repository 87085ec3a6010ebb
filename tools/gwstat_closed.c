/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --closed and --prune: the ledger, shown, and handed out for good. */
#include "gwstat.h"
#include "moment.h"
#include "view.h"

#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* --- shown --------------------------------------------------------------------- */

/* Those of a container in the period; none at all is its name's fault, not the period's. */
static int add_named(struct err *e, struct store *s, const char *container, const struct period *p,
		     struct ledger_list *ledger)
{
	const struct ledger_filter f = { container, p->since, p->until };
	struct counters sum;
	uint64_t n;

	if (container_check(e, container) < 0 || store_ledger(e, s, &f, ledger) < 0 ||
	    store_ledger_sum(e, s, container, &sum, &n) < 0)
		return -e->code;
	if (n == 0)
		return err_set(e, ERR_ABSENT, "container %s has no closed route; see 'sonm-gwstat %s'",
			       container, container);
	return 0;
}

int closed_show(struct err *e, struct gateway *g, const struct cmd_line *line, int64_t now,
		const struct gwstat_out *out)
{
	CLEANUP(ledger_list_clear) struct ledger_list ledger = { 0 };
	CLEANUP(uncertain_list_clear) struct uncertain_list uncertain = { 0 };
	struct period p = { INT64_MIN, INT64_MAX };
	int ret = gwstat_period(e, line, now, &p);

	if (ret == 0 && line->n_args == 0)
		ret = store_ledger(e, gateway_store(g), &(struct ledger_filter){ NULL, p.since, p.until },
				   &ledger);
	for (size_t i = 0; ret == 0 && i < line->n_args; i++)
		if (!tool_is_repeated(line, i))
			ret = add_named(e, gateway_store(g), line->args[i], &p, &ledger);
	if (ret == 0)
		ret = uncertain_of_closed(e, gateway_store(g), &ledger, &uncertain);
	if (ret < 0)
		return ret;
	if (out->format != GWSTAT_CSV)
		return view_ledger(e, out->stream, &ledger, &uncertain, out->format == GWSTAT_JSON,
				   cmd_has(line, OPT_EXACT));
	ledger_print_csv(out->stream, &ledger);
	gwstat_warn_csv(&uncertain);
	return 0;
}

/* --- handed out ---------------------------------------------------------------- */

/* Where the pruned entries go: a new file, a device or pipe that has a name, or stdout. */
struct archive {
	const char *path; /* NULL: stdout */
	FILE *stream;
	bool is_new; /* made here: to be removed if all fails */
};

/* A CLEANUP function: what is not kept was for nothing. */
static void archive_discard(struct archive *a)
{
	if (a->is_new)
		unlink(a->path);
	if (a->stream)
		fclose(a->stream);
}

static int open_path(struct err *e, struct archive *a, int *fd)
{
	struct stat st;

	*fd = open(a->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	a->is_new = *fd >= 0;
	if (*fd < 0 && errno == EEXIST)
		*fd = open(a->path, O_WRONLY | O_CLOEXEC);
	if (*fd < 0 || fstat(*fd, &st) < 0) {
		err_sys(e, errno, "cannot write %s", a->path);
		return tool_blame_file(e);
	}
	if (!a->is_new && S_ISREG(st.st_mode))
		return err_set(e, ERR_CONFLICT,
			       "%s is there already, and may have what was pruned before; name another file",
			       a->path);
	return 0;
}

/* path NULL: stdout. */
static int archive_open(struct err *e, const char *path, struct archive *out)
{
	CLEANUP(archive_discard) struct archive a = { .path = path };
	CLEANUP_CLOSE int fd = -1;

	if (path && open_path(e, &a, &fd) < 0)
		return -e->code;
	if (!path)
		fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	a.stream = fdopen(fd, "w");
	if (!a.stream)
		return err_sys(e, errno, "cannot write the output");
	steal_fd(&fd);
	*out = a;
	a = (struct archive){ 0 };
	return 0;
}

/* A file's name is on the disk when its directory is. */
static int sync_directory(const char *path)
{
	CLEANUP_FREE char *copy = strdup(path);
	CLEANUP_CLOSE int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	return fd < 0 ? -1 : fsync(fd);
}

/* Pipes and terminals have nothing to sync, and say so with EINVAL. */
static int archive_sync(struct err *e, const struct archive *a)
{
	const char *name = a->path ? a->path : "the output";

	if (fflush(a->stream) != 0 || ferror(a->stream) ||
	    (fsync(fileno(a->stream)) < 0 && errno != EINVAL) || (a->is_new && sync_directory(a->path) < 0))
		return err_sys(e, errno, "cannot write %s", name);
	return 0;
}

static bool are_same(const struct ledger_list *a, const struct ledger_list *b)
{
	for (size_t i = 0; i < a->n && i < b->n; i++)
		if (a->items[i].id != b->items[i].id)
			return false;
	return a->n == b->n;
}

/* In a transaction: what is there now must be what was written. */
static int delete_written(struct err *e, struct store *s, const struct ledger_filter *f,
			  const struct ledger_list *written)
{
	CLEANUP(ledger_list_clear) struct ledger_list present = { 0 };
	uint64_t n;

	if (store_ledger(e, s, f, &present) < 0)
		return -e->code;
	if (!are_same(&present, written))
		return err_set(e, EAGAIN, "the ledger changed meanwhile; nothing was deleted: try again");
	if (store_prune(e, s, f->before, &n) < 0)
		return -e->code;
	return store_commit(e, s);
}

static int delete_locked(struct err *e, struct store *s, const struct ledger_filter *f,
			 const struct ledger_list *written)
{
	int ret;

	if (store_lock(e, s) < 0)
		return -e->code;
	ret = store_begin(e, s);
	if (ret == 0)
		ret = delete_written(e, s, f, written);
	store_rollback(s);
	store_unlock(s);
	return ret;
}

/*
 * Written without the lock: who reads it may take their time, and the hub is to go on. What is in the
 * ledger does not change; that nothing came or went is seen to under the lock.
 */
static int prune(struct err *e, struct store *s, const struct ledger_filter *f, struct archive *a)
{
	CLEANUP(ledger_list_clear) struct ledger_list entries = { 0 };
	CLEANUP(uncertain_list_clear) struct uncertain_list uncertain = { 0 };

	if (store_ledger(e, s, f, &entries) < 0 || uncertain_of_closed(e, s, &entries, &uncertain) < 0 ||
	    view_ledger(e, a->stream, &entries, &uncertain, true, true) < 0 ||
	    archive_sync(e, a) < 0 || delete_locked(e, s, f, &entries) < 0)
		return -e->code;
	a->is_new = false;
	return 0;
}

static int report_quarantined(struct err *e, struct store *s, int64_t since, int64_t before)
{
	CLEANUP(ledger_list_clear) struct ledger_list kept = { 0 };

	if (store_ledger(e, s, &(struct ledger_filter){ NULL, since, before }, &kept) < 0)
		return -e->code;
	if (kept.n > 0)
		fprintf(stderr,
			"sonm-gwstat: %zu closed routes stay until the quarantine of their ports is over\n",
			kept.n);
	return 0;
}

int closed_prune(struct err *e, struct gateway *g, const struct config *c, const struct cmd_line *line,
		 int64_t now)
{
	CLEANUP(archive_discard) struct archive a = { 0 };
	struct ledger_filter f = LEDGER_ALL;
	int64_t before, quarantined = now - c->quarantine;
	const char *path = cmd_get(line, OPT_OUTPUT, NULL);

	if (line->n_args > 0)
		return err_set(e, ERR_USAGE, "--prune takes no container; leave out '%s'", line->args[0]);
	if (moment_parse(e, "--prune", cmd_get(line, OPT_PRUNE, ""), now, &before) < 0 ||
	    (path && gwstat_spare_own(e, c, line, path) < 0) || archive_open(e, path, &a) < 0)
		return -e->code;
	f.before = before < quarantined ? before : quarantined;
	if (prune(e, gateway_store(g), &f, &a) < 0)
		return -e->code;
	return before > quarantined ? report_quarantined(e, gateway_store(g), quarantined, before) : 0;
}
