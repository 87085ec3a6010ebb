/* SPDX-License-Identifier: GPL-3.0-or-later */
/* In which order things are written, and whether they are there once only. */
#include "document_internal.h"

#include <string.h>

int document_order_workers(const void *a, const void *b)
{
	return strcmp(((const struct worker *)a)->name, ((const struct worker *)b)->name);
}

int document_order_routes(const void *a, const void *b)
{
	const struct route *ra = a, *rb = b;
	int order = strcmp(ra->container, rb->container);

	if (order == 0)
		order = (ra->cport > rb->cport) - (ra->cport < rb->cport);
	return order ? order : (ra->protocol > rb->protocol) - (ra->protocol < rb->protocol);
}

static int order_endpoints(const void *a, const void *b)
{
	struct service sa = { .key = route_service_key(a) }, sb = { .key = route_service_key(b) };

	return service_compare(&sa, &sb);
}

typedef int item_order(const void *a, const void *b);

struct located {
	const void *item;
	size_t index; /* in its list */
};

static int compare_located(const void *a, const void *b, void *order)
{
	const struct located *la = a, *lb = b;
	int by_item = (*(item_order **)order)(la->item, lb->item);

	return by_item ? by_item : (la->index > lb->index) - (la->index < lb->index);
}

/* Sorts, and returns one that is there for the second time, or NULL. */
static const struct located *find_second(struct located *items, size_t n, item_order *order)
{
	if (n > 0)
		qsort_r(items, n, sizeof(*items), compare_located, &order);
	for (size_t i = 1; i < n; i++)
		if (order(items[i - 1].item, items[i].item) == 0)
			return &items[i];
	return NULL;
}

static int check_workers(struct err *e, const struct worker_list *workers, struct located *items,
			 struct document_place *second)
{
	const struct located *found;

	for (size_t i = 0; i < workers->n; i++)
		items[i] = (struct located){ &workers->items[i], i };
	found = find_second(items, workers->n, document_order_workers);
	if (!found)
		return 0;
	*second = (struct document_place){ .is_worker = true, .index = found->index };
	return err_set(e, ERR_USAGE, "worker %s is there twice; give it once",
		       workers->items[found->index].name);
}

static int check_ports(struct err *e, const struct route_list *routes, struct located *items,
		       struct document_place *second)
{
	const struct located *found;
	char port[ROUTE_STRLEN];
	const struct route *r;

	for (size_t i = 0; i < routes->n; i++)
		items[i] = (struct located){ &routes->items[i], i };
	found = find_second(items, routes->n, document_order_routes);
	if (!found)
		return 0;
	*second = (struct document_place){ .index = found->index };
	r = found->item;
	return err_set(e, ERR_USAGE,
		       "port %s of container %s is there twice; give it once, with all its real servers",
		       route_port_format(r->cport, r->protocol, port), r->container);
}

/* A direct route's endpoint is the worker's own affair. */
static int check_endpoints(struct err *e, const struct route_list *routes, struct located *items,
			   struct document_place *second)
{
	const struct located *found;
	char key[SERVICE_KEY_STRLEN];
	struct service_key endpoint;
	size_t n = 0;

	for (size_t i = 0; i < routes->n; i++)
		if (routes->items[i].kind == ROUTE_GATEWAY)
			items[n++] = (struct located){ &routes->items[i], i };
	found = find_second(items, n, order_endpoints);
	if (!found)
		return 0;
	*second = (struct document_place){ .index = found->index };
	endpoint = route_service_key(found->item);
	return err_set(e, ERR_USAGE, "the endpoint %s is there twice; give container %s another one",
		       service_key_format(&endpoint, key), ((const struct route *)found->item)->container);
}

int document_check_once(struct err *e, const struct document *d, struct document_place *second)
{
	size_t n = d->workers.n > d->routes.n ? d->workers.n : d->routes.n;
	CLEANUP_FREE struct located *items = calloc(n + 1, sizeof(*items));
	int ret;

	if (!items)
		return err_set(e, ENOMEM, "out of memory");
	ret = check_workers(e, &d->workers, items, second);
	if (ret == 0)
		ret = check_ports(e, &d->routes, items, second);
	if (ret == 0)
		ret = check_endpoints(e, &d->routes, items, second);
	return ret;
}
