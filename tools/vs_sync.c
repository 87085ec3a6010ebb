/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --sync: makes the kernel match the state file. */
#include "vs_sync.h"

#include "json.h"
#include "progress.h"
#include "vs.h"

static void put_json(void *to, const char *text)
{
	json_string(to, NULL, text);
}

static int print_json(struct err *e, struct sync_result *found, bool dry_run)
{
	struct json *j = json_new(stdout);

	if (!j)
		return err_set(e, ENOMEM, "cannot write the output: out of memory");
	json_begin_object(j, NULL);
	json_bool(j, "dry_run", dry_run);
	json_begin_array(j, "changes");
	vs_sync_texts(found, put_json, j);
	json_end_array(j);
	json_begin_array(j, "foreign");
	for (size_t i = 0; i < found->foreign.n; i++) {
		char text[SERVICE_KEY_STRLEN];

		json_string(j, NULL, service_key_format(&found->foreign.items[i].key, text));
	}
	json_end_array(j);
	json_end_object(j);
	json_free(j);
	return 0;
}

static void put_done(void *to, const char *text)
{
	(void)to;
	puts(text);
}

static void put_planned(void *to, const char *text)
{
	(void)to;
	printf("would %s\n", text);
}

static void print_text(struct sync_result *found, bool dry_run)
{
	vs_sync_texts(found, dry_run ? put_planned : put_done, NULL);
	for (size_t i = 0; i < found->foreign.n; i++) {
		char text[SERVICE_KEY_STRLEN];

		printf("leave alone %s: inside the pool, but not ours\n",
		       service_key_format(&found->foreign.items[i].key, text));
	}
}

static int print_found(struct err *e, struct sync_result *found, bool dry_run, bool as_json)
{
	if (as_json)
		return print_json(e, found, dry_run);
	print_text(found, dry_run);
	return 0;
}

/* Services that have been made again are no use to clients if nothing is forwarded. */
static void warn_of_made(const struct change_list *changes)
{
	bool has_ipv4 = false, has_ipv6 = false;

	for (size_t i = 0; i < changes->n; i++)
		if (changes->items[i].op == CHANGE_ADD_SERVICE)
			*(changes->items[i].key.vip.addr.family == AF_INET6 ? &has_ipv6 : &has_ipv4) = true;
	vs_warn_of_setup(has_ipv4, has_ipv6);
}

static bool has_none(const struct sync_result *found)
{
	return found->n_moves == 0 && found->resets.n == 0 && found->changes.n == 0;
}

static int sync_with_bar(struct err *e, struct gateway *g, bool dry_run, struct sync_result *out)
{
	CLEANUP(progress_end) struct progress bar = progress_start();

	gateway_on_progress(g, progress_tell, &bar);
	return gateway_sync(e, g, dry_run, out);
}

int vs_sync(struct err *e, const struct config *c, const struct cmd_line *line)
{
	CLEANUP(gateway_closep) struct gateway *g = NULL;
	CLEANUP(sync_result_clear) struct sync_result found = { 0 };
	bool dry_run = cmd_has(line, OPT_DRY_RUN);
	struct err ignored;
	int n, printed;

	if (gateway_open(e, c, dry_run ? STORE_READ : STORE_UPDATE, &g) < 0)
		return err_wrap(e, "cannot sync");
	n = sync_with_bar(e, g, dry_run, &found);
	tool_warn_undone(vs_table.prog, gateway_undone(g));
	/* What was done is said even if something failed after it; that nothing was is not known then. */
	if (n < 0 && has_none(&found))
		return err_wrap(e, "cannot sync");
	printed = print_found(n < 0 ? &ignored : e, &found, dry_run, cmd_has(line, 'j'));
	if (!dry_run)
		warn_of_made(&found.changes);
	if (n < 0)
		return err_wrap(e, "cannot sync");
	if (printed < 0)
		return printed;
	return dry_run && n > 0 ? EXIT_DIFFERS : EXIT_DONE;
}
