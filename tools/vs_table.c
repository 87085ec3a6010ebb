/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands of sonm-vs and their options. */
#include "vs.h"

static const int add_options[] = {
	't', 'u', OPT_SCTP, OPT_WORKER, OPT_VIP, OPT_VPORT, 's', 'w', 'p', 'j', 0
};
static const int edit_options[] = { 't', 'u', OPT_SCTP, 's', 'w', 'p', OPT_REPLACE, 'j', 0 };
static const int delete_options[] = { 't', 'u', OPT_SCTP, OPT_DRAIN, OPT_WAIT, 'j', 0 };
static const int clear_options[] = { OPT_YES, OPT_WAIT, 'j', 0 };
static const int list_options[] = { OPT_WORKERS, 'n', 'j', OPT_STATS, OPT_RATE, 0 };
static const int restore_options[] = { OPT_ADOPT, OPT_DRY_RUN, 'j', 0 };
static const int sync_options[] = { OPT_DRY_RUN, 'j', 0 };
static const int set_worker_options[] = { OPT_REPORT, OPT_NAT, OPT_ADDRESS, 'j', 0 };
static const int common_options[] = { 'c', 'h', TOOL_OPT_VERSION, TOOL_OPT_COMPLETE, 0 };

static const struct cmd_command commands[] = {
	{ 'A', 'A', "add",
	  "CONTAINER (-t|-u|--sctp) CPORT=ADDRESS:PORT... [--worker WORKER] [--vip ADDRESS] [--vport PORT] "
	  "[-s SCHEDULER] [-w WEIGHT] [-p SECONDS]",
	  "publish ports of a container, all or none, and print their endpoints", 1, 1, add_options },
	{ 'E', 'E', "edit",
	  "CONTAINER [(-t|-u|--sctp) CPORT[=ADDRESS:PORT]]... [-s SCHEDULER] [-w WEIGHT] [-p SECONDS] "
	  "[--replace ADDRESS:PORT]",
	  "change what is published; established connections go on", 1, 1, edit_options },
	{ 'D', 'D', "delete",
	  "CONTAINER... [(-t|-u|--sctp) CPORT[=ADDRESS:PORT]]... [--drain SECONDS] [--wait]",
	  "stop a container's traffic and close its account", 1, -1, delete_options },
	{ 'C', 'C', "clear", "--yes [--wait]", "delete all routes", 0, 0, clear_options },
	{ 'L', 'L', "list", "[CONTAINER...] [-n] | --workers [WORKER...]", "list the routes, or the workers",
	  0, -1, list_options },
	{ 'S', 'S', "save", "", "print all routes and workers as YAML", 0, 0, NULL },
	{ 'R', 'R', "restore", "[FILE] [--adopt] [--dry-run]",
	  "add the routes and workers of a saved file, or of 'ipvsadm -Sn', all or none", 0, 1,
	  restore_options },
	{ CMD_SYNC, 0, "sync", "[--dry-run]", "make the kernel match the state file, and say what changes", 0,
	  0, sync_options },
	{ CMD_SET_WORKER, 0, "set-worker", "WORKER (--report FILE | --nat TYPE [--address ADDRESS]...)",
	  "say what a worker is behind", 1, 1, set_worker_options },
	{ CMD_DELETE_WORKER, 0, "delete-worker", "WORKER", "forget a worker", 1, 1, NULL },
	{ 'i', 'i', "interactive", "", "ask for commands, or read them from a pipe", 0, 0, NULL },
	{ CMD_VALUES, 0, "complete-values", "NAME...", NULL, 1, -1, NULL },
	{ 0 },
};

static const struct cmd_option options[] = {
	{ 't', 't', "tcp", "PORT", "a TCP port: CPORT=ADDRESS:PORT with its real server, or CPORT", true,
	  false },
	{ 'u', 'u', "udp", "PORT", "a UDP port, likewise", true, false },
	{ OPT_SCTP, 0, "sctp", "PORT", "an SCTP port, likewise", true, false },
	{ OPT_WORKER, 0, "worker", "WORKER", "the worker that the container runs on", false, false },
	{ OPT_VIP, 0, "vip", "ADDRESS", "the public address (default: from the configuration)", false,
	  false },
	{ OPT_VPORT, 0, "vport", "PORT", "the public port (default: at random from the pool)", false, false },
	{ 's', 's', "scheduler", "SCHEDULER", "IPVS scheduler (default: from the configuration, wrr)", false,
	  false },
	{ 'w', 'w', "weight", "WEIGHT",
	  "weight of the real servers, 0-65535 (default: from the configuration, 100)", false, false },
	{ 'p', 'p', "persistent", "SECONDS", "keep a client on its real server for so long; 0: do not", false,
	  false },
	{ OPT_REPLACE, 0, "replace", "ADDRESS:PORT", "let this real server drain for the one that -t names",
	  false, false },
	{ OPT_DRAIN, 0, "drain", "SECONDS", "take no new connections and wait so long for the others to end",
	  false, false },
	{ OPT_WAIT, 0, "wait", NULL, "wait for the last count and print the final totals", false, false },
	{ OPT_YES, 0, "yes", NULL, "really delete them all", false, false },
	{ OPT_WORKERS, 0, "workers", NULL, "list workers", false, false },
	{ OPT_STATS, 0, "stats", NULL, "ipvsadm's", false, true }, /* to tell who is used to it where to look */
	{ OPT_RATE, 0, "rate", NULL, "likewise", false, true },
	{ OPT_ADOPT, 0, "adopt", NULL, "take over services that the kernel has already", false, false },
	{ OPT_DRY_RUN, 0, "dry-run", NULL, "change nothing; --sync exits 6 when there is a difference", false,
	  false },
	{ OPT_REPORT, 0, "report", "FILE", "what 'sonm-stun -j' printed on the worker; -: standard input",
	  false, false },
	{ OPT_NAT, 0, "nat", "TYPE", "the worker's NAT: none, full, symmetric, ...", false, false },
	{ OPT_ADDRESS, 0, "address", "ADDRESS", "a public address of a worker without NAT", true, false },
	{ 'n', 'n', "numeric", NULL, "as for ipvsadm: the output always is numeric", false, false },
	{ 'j', 'j', "json", NULL, "print JSON", false, false },
	TOOL_COMMON_OPTIONS,
	{ 0 },
};

const struct cmd_table vs_table = {
	.prog = "sonm-vs",
	.summary = "publishes ports of containers as IPVS virtual services on this hub",
	.section = "8",
	.commands = commands,
	.options = options,
	.common = common_options,
};
