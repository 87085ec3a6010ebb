/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands of sonm-gw-setup and their options. */
#include "setup.h"

static const int common_options[] = { OPT_DRY_RUN, 'c', 'j', 'h', TOOL_OPT_VERSION, TOOL_OPT_COMPLETE, 0 };

static const int persist_options[] = { OPT_PERSIST, 0 };
static const int apply_options[] = { OPT_OPEN_FIREWALL, OPT_PERSIST, 0 };

static const struct cmd_command commands[] = {
	{ .id = SETUP_CHECK, .name = "check", .synopsis = "[--persist] [-j]",
	  .options = persist_options,
	  .help = "say what is as it should be and what is not; change nothing (default)" },
	{ .id = SETUP_EXPLAIN, .name = "explain", .synopsis = "[STEP...] [--persist] [-j]", .max_args = -1,
	  .options = persist_options,
	  .help = "say of each step what it is, why, what happens without it, and where to read more" },
	{ .id = SETUP_INTERACTIVE, .letter = 'i', .name = "interactive",
	  .synopsis = "[--open-firewall] [--persist] [--dry-run]",
	  .options = apply_options,
	  .help = "go through what is not as it should be, and ask before each change" },
	{ .id = SETUP_APPLY, .name = "apply", .synopsis = "[--open-firewall] [--persist] [--dry-run] [-j]",
	  .options = apply_options,
	  .help = "change what is not as it should be, and remember how it was" },
	{ .id = SETUP_UNDO, .name = "undo", .synopsis = "[--dry-run] [-j]",
	  .help = "put back what --apply changed" },
	{ .id = SETUP_STEPS, .name = "complete-steps", .synopsis = "" },
	{ .name = NULL },
};

static const struct cmd_option options[] = {
	{ OPT_DRY_RUN, 0, "dry-run", NULL, "say what would be changed and change nothing", false, false },
	{ OPT_OPEN_FIREWALL, 0, "open-firewall", NULL,
	  "add the rules, too, that let the traffic through the packet filter", false, false },
	{ OPT_PERSIST, 0, "persist", NULL, "write files and units for systemd, so that it survives a boot", false, false },
	{ 'j', 'j', "json", NULL, "print JSON", false, false },
	TOOL_COMMON_OPTIONS,
	{ .id = 0 },
};

const struct cmd_table setup_table = {
	.prog = SETUP_PROG,
	.summary = "prepare this host's kernel for the gateway",
	.section = "8",
	.commands = commands,
	.options = options,
	.common = common_options,
	.default_command = SETUP_CHECK,
};
