/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What can stand for an argument: for completion, in the shells and at our own prompt. */
#include "gwstat_field.h"
#include "vs.h"

#include <string.h>

/* Where values go. */
struct sink {
	void (*add)(void *to, const char *value);
	void *to;
};

/* net/netfilter/ipvs/ of Linux 6.1. */
static const char *const schedulers[] = { "dh",  "fo", "lblc", "lblcr", "lc",   "mh",  "nq",
					  "ovf", "rr", "sed",  "sh",    "twos", "wlc", "wrr" };

static void add_schedulers(const struct config *c, const struct sink *out)
{
	(void)c;
	for (size_t i = 0; i < ARRAY_LEN(schedulers); i++)
		out->add(out->to, schedulers[i]);
}

static void add_types(const struct config *c, const struct sink *out)
{
	(void)c;
	for (int type = NAT_UNKNOWN; type <= NAT_SYMMETRIC_UDP_FIREWALL; type++)
		out->add(out->to, nat_type_name((enum nat_type)type));
}

static void add_words(const char *const words[], const struct sink *out)
{
	for (size_t i = 0; words[i]; i++)
		out->add(out->to, words[i]);
}

static void add_fields(const struct config *c, const struct sink *out)
{
	(void)c;
	add_words(gwstat_fields, out);
}

static void add_formats(const struct config *c, const struct sink *out)
{
	(void)c;
	add_words(gwstat_formats, out);
}

/* Each once; the routes of a container follow one another. */
static void add_containers(const struct config *c, const struct sink *out)
{
	static const struct route_filter everything = { .state = -1 };
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	struct err ignored;

	if (store_open(&ignored, c->state, STORE_READ, &s) < 0 ||
	    store_routes(&ignored, s, &everything, &routes) < 0)
		return;
	for (size_t i = 0; i < routes.n; i++)
		if (i == 0 || strcmp(routes.items[i].container, routes.items[i - 1].container) != 0)
			out->add(out->to, routes.items[i].container);
}

static void add_workers(const struct config *c, const struct sink *out)
{
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(worker_list_clear) struct worker_list workers = { 0 };
	struct err ignored;

	if (store_open(&ignored, c->state, STORE_READ, &s) < 0 || store_workers(&ignored, s, &workers) < 0)
		return;
	for (size_t i = 0; i < workers.n; i++)
		out->add(out->to, workers.items[i].name);
}

static const struct {
	const char *name;
	void (*add)(const struct config *c, const struct sink *out);
} kinds[] = {
	{ "CONTAINER", add_containers },
	{ "WORKER", add_workers },
	{ "SCHEDULER", add_schedulers },
	{ "TYPE", add_types },
	{ "FIELD", add_fields },
	{ "FORMAT", add_formats },
};

void vs_values(const struct config *c, const char *name, void (*add)(void *to, const char *value), void *to)
{
	const struct sink out = { add, to };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			kinds[i].add(c, &out);
}

static void print_value(void *to, const char *value)
{
	(void)to;
	puts(value);
}

int vs_print_values(struct err *e, const struct config *c, const struct cmd_line *line)
{
	(void)e;
	for (size_t i = 0; i < line->n_args; i++)
		vs_values(c, line->args[i], print_value, NULL);
	return 0;
}
