/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gateway_internal.h"

#include "sysctl.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* From here on a dump of all services costs less than asking for each by name. */
#define MANY 64

int gateway_open(struct err *e, const struct config *c, enum store_mode mode, struct gateway **out)
{
	CLEANUP(gateway_closep) struct gateway *g = calloc(1, sizeof(*g));

	if (!g)
		return err_set(e, ENOMEM, "out of memory");
	g->config = c;
	if (store_open(e, c->state, mode, &g->store) < 0)
		return -e->code;
	*out = steal_ptr(g);
	return 0;
}

void gateway_close(struct gateway *g)
{
	if (!g)
		return;
	gateway_end_holds(g);
	free(g->held);
	ipvs_close(g->kernel);
	routing_close(g->routing);
	store_close(g->store);
	free(g);
}

void gateway_closep(struct gateway **g)
{
	gateway_close(*g);
}

struct store *gateway_store(struct gateway *g)
{
	return g->store;
}

void gateway_on_progress(struct gateway *g, gateway_progress *fn, void *ctx)
{
	g->progress = fn;
	g->progress_ctx = ctx;
}

void gateway_leave_undone(struct gateway *g, const struct err *why)
{
	if (g->undone.code)
		return;
	g->undone = *why;
	err_wrap(&g->undone, "something is left for the next command to do");
}

const char *gateway_undone(const struct gateway *g)
{
	return g->undone.code ? g->undone.msg : NULL;
}

int gateway_take_done(struct err *e, struct route_list *from, struct route_list *to)
{
	for (size_t i = 0; i < from->n; i++)
		if (route_list_take(e, to, &from->items[i]) < 0)
			return err_advise(e, "it is done all the same");
	return 0;
}

int gateway_need_kernel(struct err *e, struct gateway *g)
{
	return g->kernel ? 0 : ipvs_open(e, &g->kernel);
}

int gateway_need_routing(struct err *e, struct gateway *g)
{
	return g->routing ? 0 : routing_open(e, &g->routing);
}

/* Those of the routes' services that the list does not have; *out is the caller's, with room for all. */
static size_t find_missing(const struct route_list *routes, const struct service_list *actual, struct service_key *out)
{
	size_t n = 0;

	for (size_t i = 0; i < routes->n; i++) {
		out[n] = route_service_key(&routes->items[i]);
		n += routes->items[i].kind == ROUTE_GATEWAY && !service_find(actual, &out[n]);
	}
	return n;
}

/* Asks for them by name. */
static int get_missing(struct err *e, struct gateway *g, const struct route_list *routes,
		       struct service_list *actual)
{
	CLEANUP_FREE struct service_key *missing = calloc(routes->n + 1, sizeof(*missing));
	size_t n, n_before = actual->n;

	if (!missing)
		return err_set(e, ENOMEM, "out of memory");
	n = find_missing(routes, actual, missing);
	if (n > 0 && (gateway_need_kernel(e, g) < 0 || ipvs_get_each(e, g->kernel, missing, n, actual) < 0))
		return -e->code;
	if (actual->n > n_before)
		qsort(actual->items, actual->n, sizeof(*actual->items), service_compare);
	return 0;
}

/* Takes those of the routes' services that a dump has; only for them real servers are asked for. */
static int get_dumped(struct err *e, struct gateway *g, const struct route_list *routes,
		      struct service_list *actual)
{
	CLEANUP(service_list_clear) struct service_list dump = { 0 };
	struct service_list before = { .items = actual->items, .n = actual->n };

	if (gateway_need_kernel(e, g) < 0 || ipvs_list(e, g->kernel, false, &dump) < 0)
		return -e->code;
	for (size_t i = 0; i < routes->n; i++) {
		CLEANUP(service_clear) struct service found = { 0 };
		struct service_key key = route_service_key(&routes->items[i]);
		const struct service *s = service_find(&dump, &key);

		if (!s || routes->items[i].kind != ROUTE_GATEWAY || service_find(&before, &key))
			continue;
		found = *s;
		if (ipvs_get_destinations(e, g->kernel, &found) < 0 || service_list_add(e, actual, &found) < 0)
			return -e->code;
		found = (struct service){ 0 };
		before.items = actual->items; /* it may have moved */
	}
	if (actual->n > before.n)
		qsort(actual->items, actual->n, sizeof(*actual->items), service_compare);
	return 0;
}

int gateway_get_services(struct err *e, struct gateway *g, const struct route_list *routes,
			 struct service_list *actual)
{
	if (routes->n > MANY && get_dumped(e, g, routes, actual) < 0)
		return -e->code;
	return get_missing(e, g, routes, actual);
}

/* A hub that is no gateway needs no IPVS, unless it was one when its routes were made. */
static bool uses_kernel(const struct gateway *g, const struct route_list *routes)
{
	for (size_t i = 0; i < routes->n; i++)
		if (routes->items[i].kind == ROUTE_GATEWAY)
			return true;
	return g->config->is_gateway;
}

int gateway_list_services(struct err *e, struct gateway *g, bool with_destinations,
			  const struct route_list *routes, struct service_list *actual)
{
	if (!uses_kernel(g, routes))
		return 0;
	if (gateway_need_kernel(e, g) < 0 || ipvs_list(e, g->kernel, with_destinations, actual) < 0)
		return -e->code;
	return get_missing(e, g, routes, actual);
}

int gateway_boottime(struct err *e, struct gateway *g, struct boottime *out)
{
	char value[SYSCTL_VALUE_MAX];
	struct timespec now;

	if (!g->boot_id[0]) {
		if (sysctl_read(e, "kernel/random/boot_id", value) < 0)
			return -e->code;
		snprintf(g->boot_id, sizeof(g->boot_id), "%.36s", value);
	}
	memcpy(out->boot_id, g->boot_id, sizeof(out->boot_id));
	clock_gettime(CLOCK_BOOTTIME, &now);
	out->ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	return 0;
}

int gateway_explain(struct err *e, const struct change_list *changes)
{
	for (size_t i = 0; i < changes->n; i++)
		if (changes->items[i].status < 0)
			return ipvs_explain(e, &changes->items[i]);
	return err_set(e, EIO, "the kernel refused a change and did not say which");
}

/*
 * What is noted may have begun as much earlier as the estimator had not read then. A
 * checkpoint that is yet to come says that the clock was set back: it was between the two.
 */
static int note_uncertain(struct err *e, struct gateway *g, const struct route *r, enum uncertain_why why)
{
	struct uncertain u = { .route = r->id, .cport = r->cport, .protocol = r->protocol, .why = why };
	int64_t checkpoint = 0, now = store_time(g->store);

	if (store_last_checkpoint(e, g->store, &checkpoint) < 0)
		return -e->code;
	memcpy(u.container, r->container, sizeof(u.container));
	u.since = (checkpoint < now ? checkpoint : now) - GATEWAY_SETTLE_MS / 1000;
	if (u.since < r->opened_at)
		u.since = r->opened_at;
	u.until = checkpoint > now ? checkpoint : now;
	if (u.until < u.since)
		u.until = u.since;
	return store_add_uncertain(e, g->store, &u);
}

int gateway_look(struct err *e, struct gateway *g, const char *boot, const struct service *s,
		 const struct route *r, struct account *a)
{
	struct counters reading = s ? s->counters : (struct counters){ 0 };
	enum uncertain_why why;

	if (s && s->is_narrow)
		account_widen(a, &reading);
	if (!account_look(a, boot, s ? &reading : NULL, &why) || r->n_servers == 0)
		return 0;
	return note_uncertain(e, g, r, why);
}

static int restart(struct err *e, struct gateway *g, const char *boot, const struct route *r)
{
	struct account a = r->account;

	if (gateway_look(e, g, boot, NULL, r, &a) < 0)
		return -e->code;
	account_begin_epoch(&a, boot);
	return store_set_account(e, g->store, r, &a);
}

/* The plan names routes in the order of the list, so one walk through the list finds them all. */
int gateway_end_epochs(struct err *e, struct gateway *g, const struct route_list *routes,
		       const struct plan *plan)
{
	struct boottime now;
	size_t next = 0;
	int ret;

	if (plan->n_restarted == 0)
		return 0;
	ret = gateway_boottime(e, g, &now);
	if (ret == 0)
		ret = store_begin(e, g->store);
	for (size_t i = 0; ret == 0 && i < routes->n && next < plan->n_restarted; i++) {
		if (routes->items[i].id != plan->restarted[next])
			continue;
		next++;
		ret = restart(e, g, now.boot_id, &routes->items[i]);
	}
	if (ret == 0)
		ret = store_commit(e, g->store);
	store_rollback(g->store);
	return ret;
}
