/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sonm-gw-setup: prepares this host's kernel for the gateway, checks it, takes it back. */
#include "setup.h"

#include <string.h>

static void setup_clear(struct setup *s)
{
	json_free(s->json);
	free(s->config_path);
}

static void show_step(void *ctx, const struct step_report *r)
{
	struct setup *s = ctx;

	s->failed |= r->outcome == STEP_FAILED;
	if (s->json)
		setup_write_step(s, r);
	else
		setup_print_step(s, r);
}

static const char *foreign_format(const struct service *s, char text[static SERVICE_KEY_STRLEN])
{
	if (!s->fwmark)
		return service_key_format(&s->key, text);
	snprintf(text, SERVICE_KEY_STRLEN, "fwmark %u", s->fwmark);
	return text;
}

static void show_foreign(struct setup *s, const struct service_list *foreign)
{
	char text[SERVICE_KEY_STRLEN];

	for (size_t i = 0; !s->json && i < foreign->n; i++)
		printf("foreign     %s: an IPVS service of someone else, left alone\n",
		       foreign_format(&foreign->items[i], text));
	if (!s->json)
		return;
	setup_begin_json(s);
	json_end_array(s->json);
	json_begin_array(s->json, "foreign");
	for (size_t i = 0; i < foreign->n; i++)
		json_string(s->json, NULL, foreign_format(&foreign->items[i], text));
}

/* Routes stay as they are, but lose what they rest on. */
static int warn_of_routes(struct err *e, struct store *store)
{
	static const struct route_filter open = { .state = ROUTE_OPEN };
	CLEANUP(route_list_clear) struct route_list routes = { 0 };

	if (store_routes(e, store, &open, &routes) < 0)
		return -e->code;
	if (routes.n > 0)
		fprintf(stderr, SETUP_PROG ": warning: %zu %s still published and may stop working; "
			"remove with 'sonm-vs -D'\n", routes.n, routes.n == 1 ? "route is" : "routes are");
	return 0;
}

/* What somebody wants to know who sees that only a part is done. */
static void say_what_now(const struct setup *s)
{
	if (s->failed && !s->json && !s->dry_run)
		printf("What is %s stays so; to go on, repeat --%s.\n",
		       s->command == SETUP_UNDO ? "restored" : "set", s->command == SETUP_UNDO ? "undo" : "apply");
}

/* All is printed when the lock is free again: a terminal that is stopped must not keep sonm-vs waiting. */
static void hold_output(void)
{
	static char text[2 << 20]; /* no step says more than 16 KiB */

	setvbuf(stdout, text, _IOFBF, sizeof(text));
}

static int apply(struct err *e, struct setup *s, struct store *store)
{
	CLEANUP(service_list_clear) struct service_list foreign = { 0 };
	const struct host_options how = setup_options(s, show_step, s);
	int ret;

	if (s->command != SETUP_INTERACTIVE && !s->dry_run)
		hold_output();
	if (s->command == SETUP_INTERACTIVE)
		ret = setup_interactive(e, s, store);
	else
		ret = host_apply(e, &s->config, store, &how);
	if (ret >= 0)
		ret = host_foreign(e, store, &foreign);
	if (ret >= 0)
		show_foreign(s, &foreign);
	return ret;
}

static int undo(struct err *e, struct setup *s, struct store *store)
{
	const struct host_options how = setup_options(s, show_step, s);

	if (warn_of_routes(e, store) < 0)
		return -e->code;
	if (!s->dry_run)
		hold_output();
	return host_undo(e, &s->config, store, &how);
}

/* A dry run must not create the state file. */
static int change(struct err *e, struct setup *s)
{
	CLEANUP(store_closep) struct store *store = NULL;
	enum store_mode mode = s->command == SETUP_UNDO ? STORE_UPDATE : STORE_WRITE;
	int ret = s->command == SETUP_INTERACTIVE ? setup_need_terminal(e, s) : 0;

	if (ret == 0)
		ret = store_open(e, s->config.state, s->dry_run ? STORE_READ : mode, &store);
	if (ret < 0)
		return ret;
	ret = s->command == SETUP_UNDO ? undo(e, s, store) : apply(e, s, store);
	if (ret < 0)
		say_what_now(s);
	return ret < 0 ? ret : EXIT_DONE;
}

static int check(struct err *e, struct setup *s)
{
	CLEANUP(store_closep) struct store *store = NULL;
	const struct host_options how = setup_options(s, show_step, s);
	int ret = setup_open_to_look(e, s, &store);

	if (ret == 0)
		ret = host_check(e, &s->config, store, &how);
	return ret > 0 ? EXIT_DIFFERS : ret;
}

static int run(struct err *e, struct setup *s, const struct cmd_line *line)
{
	if (s->command == SETUP_STEPS)
		return setup_print_words(e, s);
	/* What was set up while it was one can be undone all the same. */
	if (!s->config.is_gateway && s->command != SETUP_UNDO) {
		if (!s->json)
			puts("The configuration has no gateway section: this hub is not a gateway, "
			     "there is nothing to set up.");
		return EXIT_DONE;
	}
	switch (s->command) {
	case SETUP_CHECK:
		return check(e, s);
	case SETUP_EXPLAIN:
		return setup_explain(e, s, line);
	default:
		return change(e, s);
	}
}

/* What is started at boot reads the same file, wherever we are now. */
static int find_config(struct err *e, const struct cmd_line *line, char **out)
{
	const char *path = cmd_get(line, 'c', CONFIG_DEFAULT_PATH);

	if (strcmp(path, CONFIG_DEFAULT_PATH) == 0)
		return 0;
	*out = realpath(path, NULL);
	if (!*out)
		return err_sys(e, errno, "cannot find %s", path);
	if (strcmp(*out, CONFIG_DEFAULT_PATH) == 0) {
		free(*out);
		*out = NULL;
	}
	return 0;
}

/* Returns the exit status, or a negative errno. */
static int setup_main(struct err *e, const struct cmd_line *line)
{
	CLEANUP(setup_clear) struct setup s = {
		.command = line->command->id,
		.dry_run = cmd_has(line, OPT_DRY_RUN),
		.look = setup_look_at_stdout(),
		.open_firewall = cmd_has(line, OPT_OPEN_FIREWALL),
		.persist = cmd_has(line, OPT_PERSIST),
	};
	int ret = tool_config(e, line, &s.config);

	if (ret == 0)
		ret = find_config(e, line, &s.config_path);
	if (ret < 0)
		return ret;
	if (cmd_has(line, 'j') && !(s.json = json_new(stdout)))
		return err_set(e, ENOMEM, "out of memory");
	ret = run(e, &s, line);
	if (s.json && ret >= 0)
		setup_begin_json(&s);
	if (s.json_begun) {
		json_end_array(s.json);
		json_end_object(s.json);
	}
	return ret;
}

int main(int argc, char **argv)
{
	CLEANUP(cmd_line_free) struct cmd_line line = { 0 };
	struct err e;
	int ret = tool_start(&setup_table, argc, argv, &line);

	if (ret >= 0)
		return ret;
	ret = setup_main(&e, &line);
	if (ret < 0)
		return tool_fail(SETUP_PROG, &e);
	return tool_end(SETUP_PROG, ret);
}
