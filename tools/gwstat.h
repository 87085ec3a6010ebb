/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * gwstat: what the files of sonm-gwstat share: its options, the usage of
 * containers as one model, and one function for each way to show it. Only
 * tools/sonm-gwstat.c and tools/gwstat*.c include it.
 */
#ifndef SONM_GWSTAT_H
#define SONM_GWSTAT_H

#include "gateway.h"
#include "gwstat_field.h"
#include "json.h"
#include "outfile.h"
#include "post.h"
#include "tool.h"
#include "uncertain.h"

/* Ids without a letter. */
enum {
	OPT_RATE = TOOL_OPT_FIRST,
	OPT_TOTAL,
	OPT_CLOSED,
	OPT_SINCE,
	OPT_UNTIL,
	OPT_PRUNE,
	OPT_REPORT,
	OPT_EXACT,
	OPT_FORMAT,
	OPT_SORT,
	OPT_TOP,
	OPT_OUTPUT,
	OPT_PUSH,
	OPT_TOKEN_FILE,
	OPT_CA_FILE,
	OPT_WATCH,
	CMD_SHOW,
	CMD_CHECKPOINT,
};

#define GWSTAT_PROG "sonm-gwstat"

/* The only list of options. */
extern const struct cmd_table gwstat_table;

/* What a container's closed routes have transferred. */
struct closed_usage {
	struct counters sum;
	uint64_t n; /* routes */
};

/* One container: its routes, and those that are closed. */
struct container_usage {
	const char *name;             /* the reading's, or the query's */
	struct reading *routes;       /* of the usage's readings */
	size_t n_routes;
	struct closed_usage *closed;  /* owned; NULL: none is */
};

/* What containers have transferred, all of one moment. */
struct usage {
	struct reading_list readings;
	struct container_usage *containers; /* ordered by name; those without a route come last */
	size_t n_containers;
	size_t n_more; /* containers that usage_top has left out; they are in the total */
	struct counters total; /* of the containers, or with whole_ledger of all there ever were */
	struct rates rates;
	struct uncertain_list uncertain; /* of the same containers */
	bool counting;      /* false: the kernel's numbers stand still */
	int64_t checkpoint; /* the last complete one, seconds since 1970; 0: none */
};

/* Whose usage is meant. */
struct usage_query {
	const char *const *names; /* containers; a name twice counts once */
	size_t n_names;     /* 0: all that have a route */
	bool whole_ledger;  /* in the total, containers that have no route any more count as well */
};

/* Reads it from state file and kernel; changes nothing. -ESRCH: a name that never was. names outlive it. */
int usage_read(struct err *e, struct gateway *g, const struct usage_query *q, struct usage *out) MUST_CHECK;
void usage_clear(struct usage *u); /* a CLEANUP function */

/* What a field says of these; a name: 0. */
uint64_t usage_field(enum gwstat_field field, const struct counters *c, const struct rates *r);

/* Orders containers, and each one's routes, by a field: names as they are, numbers descending. */
void usage_sort(struct usage *u, enum gwstat_field by);

/* What all routes of a container have transferred, closed ones too, and their rates. */
struct container_sum {
	struct counters total;
	struct rates rates;
};
struct container_sum container_sum(const struct container_usage *c);
void container_sum_add(struct container_sum *sum, const struct reading *r);

/* Adds a container, or all of its own, to the usage's total and rates. */
void usage_add(struct usage *u, const struct container_sum *sum);
void usage_sum_up(struct usage *u);

/* Leaves the n first containers. */
void usage_top(struct usage *u, size_t n);

/* A route's state as a word: "direct", "missing" in the kernel, or route_state_name's. */
const char *usage_state(const struct reading *r);

/* How much is shown of a usage. */
struct usage_look {
	bool rate;       /* rates instead of totals */
	bool total_only;
	bool exact;      /* text only */
};

/* -ENOMEM. */
int usage_print_text(struct err *e, FILE *out, const struct usage *u, const struct usage_look *look) MUST_CHECK;
int usage_print_json(struct err *e, FILE *out, const struct usage *u, const struct usage_look *look) MUST_CHECK;

/*
 * The same document while it is read: of all containers, in the order of names. Nothing of it is kept, but the
 * state file's readers' lock is, and so all who want to write wait for as long as out's reader does. On failure
 * some is printed.
 */
int usage_stream_json(struct err *e, struct gateway *g, FILE *out, const struct usage_look *look) MUST_CHECK;

/* Its parts, in this order; u: what is not of one container, as it is known by then. */
void usage_json_begin(struct json *j, const struct usage_look *look);
void usage_json_container(struct json *j, const char *name);
void usage_json_route(struct json *j, const struct usage_look *look, const struct reading *r);
void usage_json_container_end(struct json *j, const struct usage_look *look, const struct closed_usage *closed,
			      const struct container_sum *sum);
void usage_json_end(struct json *j, const struct usage_look *look, const struct usage *u);

void usage_print_csv(FILE *out, const struct usage *u, const struct usage_look *look);
void usage_print_metrics(FILE *out, const struct usage *u); /* totals only */

/* Entries of the ledger, a line each. */
void ledger_print_csv(FILE *out, const struct ledger_list *ledger);

/* Where what is shown goes: stdout, the file of --output or the server of --push. */
struct gwstat_out {
	FILE *stream;
	enum gwstat_format format;
	struct outfile file; /* path NULL: none */
	struct post post;    /* url NULL: none */
	bool may_wait;       /* for who reads it: a terminal's or a pipe's other end */
	char *text;          /* owned; what is to be pushed */
	size_t len;
};

/*
 * Reads --format, -j, --output and --push; everything in them that can be wrong
 * is found here. What is written to stream then becomes the file, or is pushed,
 * by gwstat_out_end; without that, nothing does.
 */
int gwstat_out_begin(struct err *e, const struct config *c, const struct cmd_line *line,
		     struct gwstat_out *out) MUST_CHECK;
int gwstat_out_end(struct err *e, struct gwstat_out *out) MUST_CHECK;
void gwstat_out_clear(struct gwstat_out *out); /* a CLEANUP function */

/* -EINVAL: this file, by whatever name, is the state file, its journal or the configuration. */
int gwstat_spare_own(struct err *e, const struct config *c, const struct cmd_line *line, const char *path) MUST_CHECK;

/* From since on and before until, in seconds since 1970. */
struct period {
	int64_t since, until;
};

/* --since and --until, where they are given. -EINVAL: they are no times, or nothing that has passed is between. */
int gwstat_period(struct err *e, const struct cmd_line *line, int64_t now, struct period *inout) MUST_CHECK;

/* Widens it to whole rows of the history. */
int gwstat_cover(struct err *e, struct store *s, struct period *inout) MUST_CHECK;

/* Has it, or had it, any route? One that had no traffic may have. -ESRCH. */
int gwstat_check_container(struct err *e, struct store *s, const char *container) MUST_CHECK;

/* What is not known of the line's containers, or of all, in a period. */
int uncertain_read(struct err *e, struct store *s, const struct cmd_line *line, const struct period *p,
		   struct uncertain_list *out) MUST_CHECK;

/* CSV has no place for them. */
void gwstat_warn_csv(const struct uncertain_list *list);

struct span_row {
	char container[CONTAINER_MAX + 1];
	struct counters sum;
};

/*
 * What containers have transferred in a period, from the history. Its minutes, hours or days
 * count whole: covered is what they are of, at least what was asked for, and not after now.
 */
struct span {
	struct period covered;
	struct span_row *rows; /* one for each container, ordered by name */
	size_t n;
	struct counters total;
	struct uncertain_list uncertain;
	bool counting; /* as a usage's */
};

/*
 * Reads it, of the line's containers or of all. Up to now: the kernel is asked for what is not in
 * the state file yet. -ESRCH: a name that never was.
 */
int span_read(struct err *e, struct gateway *g, const struct cmd_line *line, const struct period *p, int64_t now,
	      struct span *out) MUST_CHECK;
void span_clear(struct span *s); /* a CLEANUP function */

/* look: total_only, exact. -ENOMEM. */
int span_print_text(struct err *e, FILE *out, const struct span *s, const struct usage_look *look) MUST_CHECK;
int span_print_json(struct err *e, FILE *out, const struct span *s, const struct usage_look *look) MUST_CHECK;
void span_print_csv(FILE *out, const struct span *s, const struct usage_look *look);

/* --closed: prints the ledger, or what was closed in the line's period. */
int closed_show(struct err *e, struct gateway *g, const struct cmd_line *line, int64_t now,
		const struct gwstat_out *out) MUST_CHECK;

/* --prune: writes out what was closed before, to the disk if it is a file, and only then deletes it. */
int closed_prune(struct err *e, struct gateway *g, const struct config *c, const struct cmd_line *line,
		 int64_t now) MUST_CHECK;

/* --report: a picture of the containers' traffic in the line's period (the last day) into a file. */
int report_write(struct err *e, struct gateway *g, const struct config *c, const struct cmd_line *line,
		 int64_t now) MUST_CHECK;

#define WATCH_SECONDS_MAX 3600

struct watch_options {
	unsigned seconds;       /* between two readings */
	enum gwstat_field sort; /* to begin with; a total shows totals, everything else rates */
	size_t top;             /* no more routes than these; 0: all */
};

/*
 * Shows the usage on the terminal, drawn anew as it changes, until a key or a
 * signal ends it; a signal then ends the process as well, once the terminal is
 * as it was. -EINVAL: standard input or output is no terminal.
 */
int usage_watch(struct err *e, const struct config *c, const struct usage_query *q,
		const struct watch_options *o) MUST_CHECK;

#endif
