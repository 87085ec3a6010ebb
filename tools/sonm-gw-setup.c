/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sonm-gw-setup: prepares this host's kernel for the gateway, checks it, takes it back. */
#include "config.h"
#include "host.h"
#include "json.h"
#include "tool.h"

#define PROG "sonm-gw-setup"

enum { COMMAND_CHECK = 1, COMMAND_APPLY, COMMAND_UNDO };
enum { OPT_DRY_RUN = TOOL_OPT_FIRST, OPT_OPEN_FIREWALL };

static const int common_options[] = { OPT_DRY_RUN, 'c', 'j', 'h', TOOL_OPT_VERSION, TOOL_OPT_COMPLETE, 0 };

static const int apply_options[] = { OPT_OPEN_FIREWALL, 0 };

static const struct cmd_command commands[] = {
	{ .id = COMMAND_CHECK, .name = "check", .synopsis = "",
	  .help = "say what is as it should be and what is not; change nothing (default)" },
	{ .id = COMMAND_APPLY, .name = "apply", .synopsis = "[--dry-run] [--open-firewall]",
	  .options = apply_options,
	  .help = "change what is not as it should be, and remember how it was" },
	{ .id = COMMAND_UNDO, .name = "undo", .synopsis = "[--dry-run]",
	  .help = "put back what --apply changed" },
	{ .name = NULL },
};

static const struct cmd_option options[] = {
	{ OPT_DRY_RUN, 0, "dry-run", NULL, "say what would be changed and change nothing", false, false },
	{ OPT_OPEN_FIREWALL, 0, "open-firewall", NULL,
	  "add the rules, too, that let the traffic through the packet filter", false, false },
	{ 'j', 'j', "json", NULL, "print JSON", false, false },
	TOOL_COMMON_OPTIONS,
	{ .id = 0 },
};

static const struct cmd_table table = {
	.prog = PROG,
	.summary = "prepare this host's kernel for the gateway",
	.section = "8",
	.commands = commands,
	.options = options,
	.common = common_options,
	.default_command = COMMAND_CHECK,
};

/* What is to be done and how it is shown. */
struct setup {
	int command;
	bool dry_run, open_firewall;
	struct json *json; /* NULL: text */
	bool json_begun;   /* an early failure prints no document */
	struct config config;
};

static void setup_clear(struct setup *s)
{
	json_free(s->json);
}

static const char *status_name(enum step_status status)
{
	static const char *const names[] = {
		[STEP_OK] = "ok",
		[STEP_DIFFERS] = "differs",
		[STEP_MISSING] = "missing",
		[STEP_UNKNOWN] = "unknown",
	};

	return names[status];
}

static void print_advice(const struct step_report *r)
{
	if (r->reason[0])
		printf("         why: %s\n", r->reason);
	if (r->why[0])
		printf("         but: %s\n", r->why);
	if (r->command[0])
		printf("         do:  %s\n", r->command);
}

static void print_name(const char *word, const struct step_report *r)
{
	printf("%-8s %s", word, r->name);
	if (r->via[0])
		printf(" (%s)", r->via);
}

/* "differs  net.ipv4.ip_forward: 0, wanted 1", and for what is not ok the reason and what to do. */
static void print_state(const struct step_report *r)
{
	print_name(status_name(r->status), r);
	printf(": %s", r->present[0] ? r->present : "empty");
	if (r->status != STEP_OK && r->wanted[0])
		printf(", wanted %s", r->wanted);
	putchar('\n');
	if (r->status != STEP_OK)
		print_advice(r);
}

static void print_change(const struct setup *s, const struct step_report *r)
{
	bool apply = s->command == COMMAND_APPLY;

	if (s->dry_run)
		print_name(apply ? "would set" : "would restore", r);
	else
		print_name(apply ? "set" : "restored", r);
	printf(": %s -> %s\n", r->present[0] ? r->present : "empty", r->wanted[0] ? r->wanted : "empty");
	if (r->why[0])
		printf("         but: %s\n", r->why);
}

/* What --undo found otherwise than --apply had left it. */
static void print_left(const struct step_report *r)
{
	print_name("left", r);
	printf(": %s%s%s\n", r->present[0] ? r->present : "empty", r->why[0] ? ": " : ", as before", r->why);
}

static void begin_json(struct setup *s)
{
	if (s->json_begun)
		return;
	s->json_begun = true;
	json_begin_object(s->json, NULL);
	json_bool(s->json, "gateway", s->config.is_gateway);
	json_begin_array(s->json, "steps");
}

static void write_json(struct setup *s, const struct step_report *r)
{
	struct json *j = s->json;

	begin_json(s);
	json_begin_object(j, NULL);
	json_string(j, "name", r->name);
	if (s->command != COMMAND_UNDO)
		json_string(j, "status", status_name(r->status));
	json_string(j, "present", r->present);
	json_string(j, "wanted", r->wanted);
	json_bool(j, "changed", r->outcome == STEP_CHANGED);
	json_bool(j, "report_only", r->report_only);
	json_string(j, "reason", r->reason);
	json_string(j, "command", r->command[0] ? r->command : NULL);
	json_string(j, "via", r->via[0] ? r->via : NULL);
	json_string(j, "why", r->why[0] ? r->why : NULL);
	json_end_object(j);
}

static void show_step(void *ctx, const struct step_report *r)
{
	struct setup *s = ctx;

	if (r->outcome == STEP_FAILED || r->outcome == STEP_NOT_REACHED)
		return;
	if (s->json)
		write_json(s, r);
	else if (r->outcome == STEP_CHANGED)
		print_change(s, r);
	else if (s->command == COMMAND_UNDO)
		print_left(r);
	else
		print_state(r);
}

static struct host_options setup_options(struct setup *s)
{
	return (struct host_options){
		.dry_run = s->dry_run,
		.open_firewall = s->open_firewall,
		.report = show_step,
		.ctx = s,
	};
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
		printf("foreign  %s: an IPVS service of someone else, left alone\n",
		       foreign_format(&foreign->items[i], text));
	if (!s->json)
		return;
	begin_json(s);
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
		fprintf(stderr, PROG ": warning: %zu routes are still published and may stop working; "
			"remove them with 'sonm-vs -D'\n", routes.n);
	return 0;
}

/* A dry run must not create the state file. */
static int change(struct err *e, struct setup *s)
{
	CLEANUP(store_closep) struct store *store = NULL;
	CLEANUP(service_list_clear) struct service_list foreign = { 0 };
	enum store_mode mode = s->command == COMMAND_APPLY ? STORE_WRITE : STORE_UPDATE;
	const struct host_options how = setup_options(s);
	int ret = store_open(e, s->config.state, s->dry_run ? STORE_READ : mode, &store);

	if (ret < 0)
		return ret;
	if (s->command == COMMAND_UNDO && warn_of_routes(e, store) < 0)
		return -e->code;
	if (s->command == COMMAND_UNDO)
		return host_undo(e, &s->config, store, &how);
	ret = host_apply(e, &s->config, store, &how);
	if (ret >= 0)
		ret = host_foreign(e, store, &foreign);
	if (ret >= 0)
		show_foreign(s, &foreign);
	return ret;
}

static int run(struct err *e, struct setup *s)
{
	struct host_options how;
	int ret;

	/* What was set up while it was one can be undone all the same. */
	if (!s->config.is_gateway && s->command != COMMAND_UNDO) {
		if (!s->json)
			puts("The configuration has no gateway section: this hub is not a gateway, "
			     "there is nothing to set up.");
		return EXIT_DONE;
	}
	if (s->command != COMMAND_CHECK) {
		ret = change(e, s);
		return ret < 0 ? ret : EXIT_DONE;
	}
	how = setup_options(s);
	ret = host_check(e, &s->config, &how);
	return ret > 0 ? EXIT_DIFFERS : ret;
}

/* Returns the exit status, or a negative errno. */
static int setup_main(struct err *e, const struct cmd_line *line)
{
	CLEANUP(setup_clear) struct setup s = {
		.command = line->command->id,
		.dry_run = cmd_has(line, OPT_DRY_RUN),
		.open_firewall = cmd_has(line, OPT_OPEN_FIREWALL),
	};
	int ret = tool_config(e, line, &s.config);

	if (ret < 0)
		return ret;
	if (cmd_has(line, 'j') && !(s.json = json_new(stdout)))
		return err_set(e, ENOMEM, "out of memory");
	ret = run(e, &s);
	if (s.json && ret >= 0)
		begin_json(&s);
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
	int ret = tool_start(&table, argc, argv, &line);

	if (ret >= 0)
		return ret;
	ret = setup_main(&e, &line);
	if (ret < 0)
		return tool_fail(PROG, &e);
	return tool_end(PROG, ret);
}
