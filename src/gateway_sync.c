/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Making the kernel what the state file says. */
#include "gateway_internal.h"

static const struct route_filter everything = { .state = -1 };

static int compare_keys(const void *a, const void *b)
{
	struct service sa = { .key = *(const struct service_key *)a };
	struct service sb = { .key = *(const struct service_key *)b };

	return service_compare(&sa, &sb);
}

/* The keys of all routes that have a service, sorted. */
static int route_keys(struct err *e, const struct route_list *routes, struct service_key **out, size_t *n)
{
	struct service_key *keys = calloc(routes->n ? routes->n : 1, sizeof(*keys));
	size_t found = 0;

	if (!keys)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < routes->n; i++)
		if (routes->items[i].kind == ROUTE_GATEWAY)
			keys[found++] = route_service_key(&routes->items[i]);
	qsort(keys, found, sizeof(*keys), compare_keys);
	*out = keys;
	*n = found;
	return 0;
}

/* Services inside the pool that belong to no route. Moves them to *foreign. */
static int take_foreign(struct err *e, const struct config *c, const struct route_list *routes,
			struct service_list *actual, struct service_list *foreign)
{
	CLEANUP_FREE struct service_key *keys = NULL;
	size_t n = 0;

	if (route_keys(e, routes, &keys, &n) < 0)
		return -e->code;
	for (size_t i = 0; i < actual->n; i++) {
		struct service *s = &actual->items[i];
		uint16_t port = s->key.vip.port;

		if (s->fwmark || port < c->port_first || port > c->port_last ||
		    bsearch(&s->key, keys, n, sizeof(*keys), compare_keys))
			continue;
		if (service_list_add(e, foreign, s) < 0)
			return -e->code;
		s->destinations = NULL;
		s->n_destinations = 0;
	}
	return 0;
}

static bool is_changed(const struct plan *plan, const struct route *r)
{
	struct service_key key = route_service_key(r);

	for (size_t i = 0; i < plan->changes.n; i++)
		if (service_key_equal(&plan->changes.items[i].key, &key))
			return true;
	return false;
}

/*
 * A closing route that has real servers still, left by a killed -D, begins to
 * close now. That is written before they are removed.
 */
static int restart_closing(struct err *e, struct gateway *g, struct route_list *routes, const struct plan *plan)
{
	CLEANUP(route_list_clear) struct route_list stopped = { 0 };

	for (size_t i = 0; i < routes->n; i++)
		if (routes->items[i].state == ROUTE_CLOSING && is_changed(plan, &routes->items[i]) &&
		    route_list_take(e, &stopped, &routes->items[i]) < 0)
			return -e->code;
	if (stopped.n == 0)
		return 0;
	if (gateway_set_state(e, g, &stopped, ROUTE_CLOSING) < 0)
		return -e->code;
	return gateway_hold_answers(e, g, &stopped);
}

static int run_plan(struct err *e, struct gateway *g, struct route_list *routes, struct plan *plan)
{
	int refused;

	if (plan->changes.n == 0)
		return 0;
	for (size_t i = 0; i < plan->changes.n; i++)
		plan->changes.items[i].status = -ECANCELED; /* until it is made */
	if (gateway_end_epochs(e, g, routes, plan) < 0 || restart_closing(e, g, routes, plan) < 0)
		return -e->code;
	refused = ipvs_run(e, g->kernel, &plan->changes);
	if (refused <= 0)
		return refused;
	gateway_explain(e, &plan->changes);
	return err_advise(e, "%d of %zu changes were refused, the others are made", refused, plan->changes.n);
}

/* They will be closed without the kernel: in a dry run they are still here. */
static int drop_of_other_boots(struct err *e, struct route_list *routes)
{
	struct boottime now;
	size_t n = 0;

	if (gateway_boottime(e, &now) < 0)
		return -e->code;
	for (size_t i = 0; i < routes->n; i++) {
		if (gateway_is_of_another_boot(&routes->items[i], &now))
			route_clear(&routes->items[i]);
		else
			routes->items[n++] = routes->items[i];
	}
	routes->n = n;
	return 0;
}

static int sync_locked(struct err *e, struct gateway *g, bool dry_run, struct plan *plan,
		       struct service_list *foreign)
{
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	CLEANUP(service_list_clear) struct service_list actual = { 0 };

	if (!dry_run && gateway_finish_due(e, g) < 0)
		return -e->code;
	if (store_routes(e, g->store, &everything, &routes) < 0 || drop_of_other_boots(e, &routes) < 0 ||
	    gateway_list_services(e, g, true, &routes, &actual) < 0 ||
	    plan_make(e, &routes, &actual, plan) < 0 ||
	    take_foreign(e, g->config, &routes, &actual, foreign) < 0)
		return -e->code;
	return dry_run ? 0 : run_plan(e, g, &routes, plan);
}

int gateway_sync(struct err *e, struct gateway *g, bool dry_run, struct sync_result *out)
{
	CLEANUP(plan_clear) struct plan plan = { 0 };
	int ret;

	if (store_lock(e, g->store) < 0)
		return -e->code;
	ret = sync_locked(e, g, dry_run, &plan, &out->foreign);
	store_unlock(g->store);
	for (size_t i = 0; i < plan.changes.n; i++) {
		struct err oom;

		if (plan.changes.items[i].status == 0 &&
		    change_list_add(&oom, &out->changes, &plan.changes.items[i]) < 0)
			return err_set(e, ENOMEM, "out of memory");
	}
	return ret < 0 ? ret : (int)out->changes.n;
}

void sync_result_clear(struct sync_result *r)
{
	for (size_t i = 0; i < r->n_moves; i++)
		route_clear(&r->moves[i].from);
	free(r->moves);
	change_list_clear(&r->changes);
	service_list_clear(&r->orphans);
	service_list_clear(&r->foreign);
	service_list_clear(&r->resets);
	*r = (struct sync_result){ 0 };
}
