/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading what the kernel counts: into the account, and for who asks. */
#include "gateway_internal.h"

#include <string.h>

static const struct route_filter everything = { .state = -1 };

static int take_reading(struct err *e, struct gateway *g, const char *boot, const struct service *s,
			const struct route *r)
{
	struct account a = r->account;

	if (gateway_look(e, g, boot, s, r, &a) < 0)
		return -e->code;
	return account_equal(&a, &r->account) ? 0 : store_set_account(e, g->store, r, &a);
}

static int take_readings(struct err *e, struct gateway *g, const struct route_list *routes,
			 const struct service_list *actual)
{
	struct boottime now;
	int n = 0;

	if (gateway_boottime(e, g, &now) < 0)
		return -e->code;
	for (size_t i = 0; i < routes->n; i++) {
		const struct route *r = &routes->items[i];
		struct service_key key = route_service_key(r);
		const struct service *s;

		if (r->kind != ROUTE_GATEWAY)
			continue;
		s = service_find(actual, &key);
		n += s != NULL;
		if (take_reading(e, g, now.boot_id, s, r) < 0)
			return -e->code;
	}
	return n;
}

/* While the counters stand still, accounts are complete up to when they did not. */
static int end_checkpoint(struct err *e, struct gateway *g, int64_t at)
{
	bool is_counting;

	if (store_thin_traffic(e, g->store) < 0 || gateway_is_counting(e, &is_counting) < 0 ||
	    (is_counting && store_set_checkpoint(e, g->store, at) < 0))
		return -e->code;
	return store_commit(e, g->store);
}

static int checkpoint_locked(struct err *e, struct gateway *g)
{
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	CLEANUP(service_list_clear) struct service_list actual = { 0 };
	int64_t at;
	int n;

	if (gateway_finish_due(e, g) < 0 || store_routes(e, g->store, &everything, &routes) < 0)
		return -e->code;
	at = store_time(g->store);
	if (gateway_list_services(e, g, false, &routes, &actual) < 0 || store_begin(e, g->store) < 0)
		return -e->code;
	n = take_readings(e, g, &routes, &actual);
	if (n >= 0 && end_checkpoint(e, g, at) < 0)
		n = -e->code;
	store_rollback(g->store);
	return n;
}

int gateway_checkpoint(struct err *e, struct gateway *g)
{
	int n;

	if (store_lock(e, g->store) < 0)
		return -e->code;
	n = checkpoint_locked(e, g);
	gateway_unlock(g);
	return n;
}

/* A reading in progress. */
struct reader {
	struct gateway *g;
	struct boottime now;
	bool is_dumped; /* or need not be */
	struct counts dump;
	gateway_reading_fn *fn;
	void *ctx;
};

/* Routes are looked up in one dump; it is taken for the first that needs it. */
static int need_dump(struct err *e, struct reader *rd)
{
	if (rd->is_dumped)
		return 0;
	rd->is_dumped = true;
	if (gateway_need_kernel(e, rd->g) < 0)
		return -e->code;
	return ipvs_count(e, rd->g->kernel, &rd->dump);
}

/* 1: what the route's service shows, 0: it is missing. What is not in the dump is asked for by name. */
static int read_service(struct err *e, struct reader *rd, const struct route *r, struct count *out)
{
	CLEANUP(service_clear) struct service named = { 0 };
	const struct service_key key = route_service_key(r);
	int found;

	if (need_dump(e, rd) < 0)
		return -e->code;
	if (counts_find(&rd->dump, &key, out))
		return 1;
	if (gateway_need_kernel(e, rd->g) < 0 || (found = ipvs_get(e, rd->g->kernel, &key, &named)) < 0)
		return -e->code;
	*out = (struct count){ .counters = named.counters, .rates = named.rates };
	return found;
}

/* A store_route_fn */
static int read_route(struct err *e, void *ctx, const struct route *r)
{
	struct reader *rd = ctx;
	struct reading reading = {
		.route = r->id, .container = r->container, .state = route_state_name(r), .opened_at = r->opened_at, .public = r->public,
		.cport = r->cport, .protocol = r->protocol, .kind = r->kind,
	};
	const struct counters stored = account_total(&r->account);
	struct account a = r->account;
	struct count count = { 0 };
	enum uncertain_why why;
	int found = 0;

	if (r->kind == ROUTE_GATEWAY && !gateway_is_of_another_boot(r, &rd->now))
		found = read_service(e, rd, r, &count);
	if (found < 0)
		return found;
	if (count.is_narrow)
		account_widen(&a, &count.counters);
	if (found)
		account_look(&a, rd->now.boot_id, &count.counters, &why);
	reading.rates = count.rates;
	reading.in_kernel = found;
	reading.total = account_total(&a);
	reading.recent = counters_minus(&reading.total, &stored);
	return rd->fn(e, rd->ctx, &reading);
}

int gateway_each_reading(struct err *e, struct gateway *g, const char *container, gateway_reading_fn *fn, void *ctx)
{
	/* The services of one container are few. */
	struct reader rd = { .g = g, .is_dumped = container, .fn = fn, .ctx = ctx };
	int ret = gateway_boottime(e, g, &rd.now);

	/* A hub that is a gateway needs IPVS even if it has no routes. */
	if (ret == 0 && g->config->is_gateway && !container)
		ret = need_dump(e, &rd);
	if (ret == 0)
		ret = store_each_account(e, g->store, container, read_route, &rd);
	counts_clear(&rd.dump);
	return ret;
}

/* A gateway_reading_fn */
static int append(struct err *e, void *ctx, const struct reading *r)
{
	struct reading_list *list = ctx;
	char *name = strdup(r->container);

	if (!name || base_reserve((void **)&list->items, list->n, sizeof(*r)) < 0) {
		free(name);
		return err_set(e, ENOMEM, "out of memory");
	}
	list->items[list->n] = *r;
	list->items[list->n++].container = name;
	return 0;
}

int gateway_read(struct err *e, struct gateway *g, const char *container, struct reading_list *out)
{
	return gateway_each_reading(e, g, container, append, out);
}

void reading_list_clear(struct reading_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free((char *)list->items[i].container);
	free(list->items);
	*list = (struct reading_list){ 0 };
}
