/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vs: what the files of sonm-vs share: its tables, one function a command, and
 * how they read options and show routes. Only tools/sonm-vs.c and tools/vs*.c
 * include it.
 */
#ifndef SONM_VS_H
#define SONM_VS_H

#include "gateway.h"
#include "tool.h"

/* Ids without a letter. */
enum {
	OPT_SCTP = TOOL_OPT_FIRST,
	OPT_WORKER,
	OPT_VIP,
	OPT_VPORT,
	OPT_REPLACE,
	OPT_DRAIN,
	OPT_WAIT,
	OPT_YES,
	OPT_WORKERS,
	OPT_STATS,
	OPT_RATE,
	OPT_ADOPT,
	OPT_DRY_RUN,
	OPT_REPORT,
	OPT_NAT,
	OPT_ADDRESS,
	CMD_SYNC,
	CMD_SET_WORKER,
	CMD_DELETE_WORKER,
	CMD_VALUES,
};

/* The only list of commands and options. Which kind of value an option takes, its argument's name says. */
extern const struct cmd_table vs_table;

/*
 * Runs one parsed line of that table; the result goes to stdout, warnings to
 * stderr. Returns a negative errno or an exit status (enum tool_exit).
 */
int vs_run(struct err *e, const struct config *c, const struct cmd_line *line) MUST_CHECK;

/* One command each; as vs_run. */
int vs_add(struct err *e, const struct config *c, const struct cmd_line *line) MUST_CHECK;
int vs_edit(struct err *e, const struct config *c, const struct cmd_line *line) MUST_CHECK;
int vs_delete(struct err *e, const struct config *c, const struct cmd_line *line) MUST_CHECK;
int vs_clear(struct err *e, const struct config *c, const struct cmd_line *line) MUST_CHECK;
int vs_list(struct err *e, const struct config *c, const struct cmd_line *line) MUST_CHECK;
int vs_save(struct err *e, const struct config *c, const struct cmd_line *line) MUST_CHECK;
int vs_restore(struct err *e, const struct config *c, const struct cmd_line *line) MUST_CHECK;
int vs_sync(struct err *e, const struct config *c, const struct cmd_line *line) MUST_CHECK;
int vs_set_worker(struct err *e, const struct config *c, const struct cmd_line *line) MUST_CHECK;
int vs_delete_worker(struct err *e, const struct config *c, const struct cmd_line *line) MUST_CHECK;
int vs_list_workers(struct err *e, const struct config *c, const struct cmd_line *line) MUST_CHECK;
int vs_shell(struct err *e, const struct config *c, const struct cmd_line *line) MUST_CHECK;

/* Prints the values that vs_values finds for the names given, a line each. */
int vs_print_values(struct err *e, const struct config *c, const struct cmd_line *line) MUST_CHECK;

/*
 * For completion: calls add for everything that can stand for an argument of
 * this name: "CONTAINER", "WORKER", "SCHEDULER", "TYPE". Nothing for any other,
 * nor where the state file cannot be read.
 */
void vs_values(const struct config *c, const char *name, void (*add)(void *to, const char *value), void *to);

/* --- reading the line --- */

/* The values of -t, -u and --sctp in the order given; *out is freed by the caller. */
int vs_ports(struct err *e, const struct cmd_line *line, struct port_spec **out, size_t *n) MUST_CHECK;

/* An option's whole number, or -1 when it was not given. */
int vs_number(struct err *e, const struct cmd_line *line, int option, const char *what, uint64_t max,
	      int64_t *out) MUST_CHECK;

/* Seconds of -p: the kernel keeps them in clock ticks, 32 bits of them. */
#define VS_PERSISTENCE_MAX (31536000 / 10)

/* A file, or standard input for "-"; *name is what errors call it. A file that is not there is -EINVAL, and so is a FIFO. */
int vs_open(struct err *e, const char *path, FILE **out, const char **name) MUST_CHECK;
void vs_closep(FILE **in); /* a CLEANUP function */

/* --- showing --- */

/* A line for each endpoint, or {"routes": [...]}. */
int vs_print_routes(struct err *e, const struct route_list *routes, bool as_json) MUST_CHECK;

/* {"routes": [...]} */
int vs_print_routes_json(struct err *e, const struct route_list *routes) MUST_CHECK;

/* "sonm-vs: warning: ..." on stderr, once, if this kernel does not forward what such services receive. */
void vs_warn_of_setup(bool has_ipv4, bool has_ipv6);
void vs_warn_of_routes(const struct route_list *routes);

#endif
