/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * gwstat: what the files of sonm-gwstat share: its options, the usage of
 * containers as one model, and one function for each way to show it. Only
 * tools/sonm-gwstat.c and tools/gwstat*.c include it.
 */
#ifndef SONM_GWSTAT_H
#define SONM_GWSTAT_H

#include "gateway.h"
#include "tool.h"

/* Ids without a letter. */
enum {
	OPT_RATE = TOOL_OPT_FIRST,
	OPT_TOTAL,
	OPT_CLOSED,
	OPT_EXACT,
	CMD_SHOW,
	CMD_CHECKPOINT,
};

/* One container: its routes, and the sum of those that are closed. */
struct container_usage {
	const char *name;             /* the reading's, or the query's */
	const struct reading *routes; /* of the usage's readings */
	size_t n_routes;
	struct counters closed;
	uint64_t n_closed;
	struct counters total;        /* routes and closed */
	struct rates rates;
};

/* What containers have transferred, all of one moment. */
struct usage {
	struct reading_list readings;
	struct container_usage *containers; /* ordered by name; those without a route come last */
	size_t n_containers;
	struct counters total; /* of the containers, or with whole_ledger of all there ever were */
	struct rates rates;
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

/* How much is shown of a usage. */
struct usage_look {
	bool rate;       /* rates instead of totals */
	bool total_only;
	bool exact;      /* text only */
};

/* -ENOMEM. */
int usage_print_text(struct err *e, FILE *out, const struct usage *u, const struct usage_look *look) MUST_CHECK;
int usage_print_json(struct err *e, FILE *out, const struct usage *u, const struct usage_look *look) MUST_CHECK;

#endif
