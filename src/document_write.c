/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "document_internal.h"
#include "yamlwriter.h"

#include <time.h>

#define YEAR_10000 INT64_C(253402300800) /* seconds since 1970 */

/* 0: not known. What has no four digits for the year has no place in RFC 3339. */
static void put_time(struct yamlwriter *w, const char *key, int64_t seconds)
{
	char text[32];
	time_t at = seconds;
	struct tm tm;

	if (seconds > 0 && seconds < YEAR_10000 && gmtime_r(&at, &tm) &&
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0)
		yamlwriter_text(w, key, text);
}

static void put_worker(struct yamlwriter *w, const struct worker *worker)
{
	char text[ADDR_STRLEN];

	yamlwriter_begin_mapping(w, NULL, YAMLWRITER_BLOCK);
	yamlwriter_text(w, "name", worker->name);
	yamlwriter_text(w, "nat", nat_type_name(worker->nat));
	yamlwriter_text(w, "kind", worker->is_public ? "public" : "private");
	if (worker->n_addresses > 0) {
		yamlwriter_begin_list(w, "addresses", YAMLWRITER_LINE);
		for (size_t i = 0; i < worker->n_addresses; i++)
			yamlwriter_text(w, NULL, addr_format(&worker->addresses[i], text));
		yamlwriter_end_list(w);
	}
	put_time(w, "reported_at", worker->reported_at);
	yamlwriter_end_mapping(w);
}

static void put_servers(struct yamlwriter *w, const struct route *r)
{
	char text[ENDPOINT_STRLEN];

	yamlwriter_begin_list(w, "real_servers", YAMLWRITER_BLOCK);
	for (size_t i = 0; i < r->n_servers; i++) {
		if (server_is_draining(&r->servers[i]))
			continue;
		yamlwriter_begin_mapping(w, NULL, YAMLWRITER_LINE);
		yamlwriter_text(w, "address", endpoint_format(&r->servers[i].real, text));
		yamlwriter_uint(w, "weight", r->servers[i].weight);
		yamlwriter_end_mapping(w);
	}
	yamlwriter_end_list(w);
}

static void put_route(struct yamlwriter *w, const struct route *r)
{
	char endpoint[ENDPOINT_STRLEN], port[ROUTE_STRLEN];

	yamlwriter_begin_mapping(w, NULL, YAMLWRITER_BLOCK);
	yamlwriter_text(w, "container", r->container);
	yamlwriter_text(w, "port", route_port_format(r->cport, r->protocol, port));
	yamlwriter_text(w, "kind", r->kind == ROUTE_DIRECT ? "direct" : "gateway");
	yamlwriter_text(w, "endpoint", endpoint_format(&r->public, endpoint));
	if (r->worker[0] != '\0')
		yamlwriter_text(w, "worker", r->worker);
	yamlwriter_text(w, "scheduler", r->scheduler);
	if (r->persistence > 0)
		yamlwriter_uint(w, "persistence", r->persistence);
	put_servers(w, r);
	yamlwriter_end_mapping(w);
}

/* A route all of whose real servers drain is about to close. */
static bool is_kept(const struct route *r)
{
	return r->state == ROUTE_OPEN && r->n_servers > 0 && !route_is_draining(r);
}

static int compare_routes(const void *a, const void *b)
{
	return document_order_routes(*(const void *const *)a, *(const void *const *)b);
}

static int compare_workers(const void *a, const void *b)
{
	return document_order_workers(*(const void *const *)a, *(const void *const *)b);
}

static int put_workers(struct err *e, struct yamlwriter *w, const struct worker_list *list)
{
	CLEANUP_FREE const struct worker **sorted = calloc(list->n + 1, sizeof(*sorted));

	if (!sorted)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < list->n; i++)
		sorted[i] = &list->items[i];
	qsort(sorted, list->n, sizeof(*sorted), compare_workers);
	yamlwriter_begin_list(w, "workers", YAMLWRITER_BLOCK);
	for (size_t i = 0; i < list->n; i++)
		put_worker(w, sorted[i]);
	yamlwriter_end_list(w);
	return 0;
}

static int put_routes(struct err *e, struct yamlwriter *w, const struct route_list *list)
{
	CLEANUP_FREE const struct route **sorted = calloc(list->n + 1, sizeof(*sorted));
	size_t n = 0;

	if (!sorted)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < list->n; i++)
		if (is_kept(&list->items[i]))
			sorted[n++] = &list->items[i];
	qsort(sorted, n, sizeof(*sorted), compare_routes);
	yamlwriter_begin_list(w, "routes", YAMLWRITER_BLOCK);
	for (size_t i = 0; i < n; i++)
		put_route(w, sorted[i]);
	yamlwriter_end_list(w);
	return 0;
}

int document_write(struct err *e, const struct document *d, FILE *out)
{
	CLEANUP(yamlwriter_freep) struct yamlwriter *w = yamlwriter_new(out);

	if (!w)
		return err_set(e, ENOMEM, "out of memory");
	fputs("# sonm-vs --save\n", out);
	yamlwriter_begin_mapping(w, NULL, YAMLWRITER_BLOCK);
	yamlwriter_uint(w, "version", DOCUMENT_VERSION);
	if (put_workers(e, w, &d->workers) < 0 || put_routes(e, w, &d->routes) < 0)
		return -e->code;
	yamlwriter_end_mapping(w);
	return yamlwriter_end(e, w);
}
