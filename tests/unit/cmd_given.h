/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_given: the tables of commands that the tests of cmd read lines with. */
#ifndef SONM_CMD_GIVEN_H
#define SONM_CMD_GIVEN_H

#include "cmd.h"

enum { OPT_VIP = 256, OPT_DRY_RUN, OPT_SCTP, OPT_HIDDEN, CMD_SYNC = 300, CMD_VALUES };

static const struct cmd_option options[] = {
	{ 't', 't', "tcp", "PORT", "publish a TCP port", true, false },
	{ 'w', 'w', "weight", "WEIGHT", "the real server's share of new connections, 0 to 1000; 0: none",
	  false, false },
	{ 'n', 'n', "numeric", NULL, "no names", false, false },
	{ '4', '4', NULL, NULL, "IPv4 only", false, false },
	{ OPT_VIP, 0, "vip", "ADDRESS", "the public address", false, false },
	{ OPT_DRY_RUN, 0, "dry-run", NULL, "change nothing", false, false },
	{ OPT_SCTP, 0, "publish-sctp-port", "CPORT", "publish an SCTP port", true, false },
	{ 'c', 'c', "config", "FILE", "read FILE", false, false },
	{ OPT_HIDDEN, 0, "complete-words", NULL, "for completion", false, true },
	{ 0 },
};

static const int add_options[] = { 't', 'w', OPT_VIP, OPT_SCTP, 0 };
static const int list_options[] = { 'n', '4', 0 };
static const int sync_options[] = { OPT_DRY_RUN, 0 };
static const int common[] = { 'c', OPT_HIDDEN, 0 };

static const struct cmd_command commands[] = {
	{ 'A', 'A', "add", "CONTAINER (-t|-u|--sctp) CPORT=ADDR:PORT ... [--vip ADDRESS] [-w WEIGHT]",
	  "publish ports of a container", 1, 1, add_options },
	{ 'L', 'L', "list", "[CONTAINER...] [-n]", "list routes", 0, -1, list_options },
	{ CMD_SYNC, 0, "sync", "[--dry-run]", "make the kernel match the state file", 0, 0, sync_options },
	{ 'D', 'D', "delete", "CONTAINER", "remove routes", 2, 3, NULL },
	{ CMD_VALUES, 0, "complete-values", "NAME", NULL, 1, 1, NULL },
	{ 0 },
};

static const struct cmd_table strict = {
	.prog = "sonm-vs", .summary = "publishes ports", .section = "8",
	.commands = commands, .options = options, .common = common,
};

static const struct cmd_table lenient = {
	.prog = "sonm-vs", .summary = "publishes ports", .section = "8",
	.commands = commands, .options = options, .common = common, .default_command = 'L',
};

static const struct cmd_table fixed = {
	.prog = "sonm-vs", .summary = "publishes ports", .section = "8",
	.commands = commands, .options = options, .common = common, .default_command = CMD_SYNC,
};

/* Its command takes nothing at all. */
static const struct cmd_command bare_commands[] = {
	{ .id = 1, .letter = 'S', .name = "save", .synopsis = "", .help = "save" },
	{ 0 },
};

static const struct cmd_table bare = {
	.prog = "sonm-vs", .summary = "saves", .section = "8",
	.commands = bare_commands, .options = options, .common = common,
};

/* Two options that are taken for one another. */
static const struct cmd_option similar_options[] = {
	{ 1, 0, "worker", "WORKER", "of this worker", false, false },
	{ 2, 0, "workers", NULL, "list workers", false, false },
	{ 0 },
};

static const int similar_list_options[] = { 2, 0 };

static const struct cmd_command similar_commands[] = {
	{ 'L', 'L', "list", "", "list routes", 0, -1, similar_list_options },
	{ 0 },
};

static const struct cmd_table similar = {
	.prog = "sonm-vs", .summary = "lists", .section = "8",
	.commands = similar_commands, .options = similar_options, .common = NULL,
};

/* A program that does one thing. */
enum { OPT_REPORT = 256 };

static const struct cmd_option plain_options[] = {
	{ 's', 's', "server", "HOST[:PORT]", "ask HOST", true, false },
	{ 'v', 'v', "verbose", NULL, "say more; twice: much more", true, false },
	{ 'l', 'l', "level", "[=LEVEL]", "compress", false, false },
	{ OPT_REPORT, 0, "report", "[=URL]", "post the result", false, false },
	{ OPT_REPORT + 1, 0, "report-header-in-full", "[=NAME]", "post a header", false, false },
	{ 0 },
};

static const int plain_common[] = { 's', 'v', 'l', OPT_REPORT, OPT_REPORT + 1, 0 };

static const struct cmd_command whole_program[] = {
	{ .id = 1, .synopsis = "[-s HOST[:PORT]]... [-v] [--report[=URL]]" },
};

static const struct cmd_table plain = {
	.prog = "sonm-stun", .summary = "finds the NAT", .section = "1",
	.commands = whole_program, .options = plain_options, .common = plain_common,
};

#endif
