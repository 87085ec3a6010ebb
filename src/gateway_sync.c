/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Making the kernel what the state file says. Everything is found out first;
 * then the state file changes (routes that move, epochs that end, closing that
 * begins anew), then the kernel.
 */
#include "gateway_internal.h"

#include "hostnet.h"

#include <string.h>

/* One call of gateway_sync. */
struct sync {
	struct gateway *g;
	bool dry_run;
	struct boottime now;
	struct route_list routes;   /* as they are to be */
	struct service_list actual; /* sorted */
	struct plan plan;
	struct sync_result *out;
	struct mishaps mishaps;
};

static void sync_clear(struct sync *s)
{
	route_list_clear(&s->routes);
	service_list_clear(&s->actual);
	plan_clear(&s->plan);
}

static void drop_drained(struct route *r, const struct service *s, const struct boottime *now)
{
	for (size_t i = r->n_servers; i > 0; i--) {
		const struct real_server rs = r->servers[i - 1];

		if (server_is_draining(&rs) && (strcmp(rs.drain.boot_id, now->boot_id) != 0 ||
						!service_find_destination(s, &rs.real)))
			route_drop_server(r, &rs.real);
	}
}

/*
 * For a dry run: without what gateway_finish_due would end, and the kernel does
 * not have: closing or draining since another boot, or draining and lost.
 */
static void drop_ended(struct sync *s)
{
	struct route_list *routes = &s->routes;
	size_t n = 0;

	for (size_t i = 0; i < routes->n; i++) {
		struct route *r = &routes->items[i];
		const struct service_key key = route_service_key(r);
		bool had_servers = r->n_servers > 0;

		if (r->state == ROUTE_OPEN)
			drop_drained(r, service_find(&s->actual, &key), &s->now);
		if (had_servers && r->n_servers == 0)
			r->state = ROUTE_CLOSING; /* now, in this boot: what is left of its service is ours */
		else if (gateway_is_of_another_boot(r, &s->now))
			route_clear(r);
		if (r->container[0])
			routes->items[n++] = *r;
	}
	routes->n = n;
}

/* Where a service in the pool is ours, or nobody's: nowhere as long as we have made none. */
static int our_vips(struct err *e, struct gateway *g, struct addr *vips, size_t *out)
{
	static const sa_family_t families[] = { AF_INET, AF_INET6 };
	const struct config *c = g->config;
	bool has_history = false;
	struct err absent;
	size_t n = 0;

	*out = 0;
	if (c->is_gateway && store_has_history(e, g->store, &has_history) < 0)
		return -e->code;
	if (!has_history)
		return 0;
	for (size_t i = 0; i < c->n_addresses; i++)
		if (gateway_is_vip(g, &c->addresses[i]))
			vips[n++] = c->addresses[i];
	for (size_t i = 0; c->n_addresses == 0 && i < ARRAY_LEN(families); i++)
		if (hostnet_default_source(&absent, families[i], &vips[n]) == 0)
			n++;
	*out = n;
	return 0;
}

static int find_orphans(struct err *e, struct sync *s)
{
	struct addr vips[CONFIG_ADDRESSES_MAX];
	struct plan_realm realm = {
		.vips = vips,
		.port_first = s->g->config->port_first,
		.port_last = s->g->config->port_last,
	};

	if (our_vips(e, s->g, vips, &realm.n_vips) < 0 ||
	    plan_orphans(e, &realm, &s->routes, &s->actual, &s->out->orphans, &s->out->foreign) < 0)
		return -e->code;
	return plan_delete(e, &s->plan, &s->out->orphans);
}

/* The kernel's service of this route, or NULL. */
static const struct service *service_of(const struct sync *s, const struct route *r)
{
	struct service_key key = route_service_key(r);

	return r->kind == ROUTE_GATEWAY ? service_find(&s->actual, &key) : NULL;
}

/* A new epoch began where somebody has set the counters back, or made the service after a reboot. */
static int find_resets(struct err *e, struct sync *s)
{
	for (size_t i = 0; i < s->routes.n; i++) {
		const struct service *service = service_of(s, &s->routes.items[i]);
		struct account a = s->routes.items[i].account;
		enum uncertain_why why;
		struct service copy;

		if (!service)
			continue;
		copy = *service;
		if (copy.is_narrow)
			account_widen(&a, &copy.counters);
		if (!account_look(&a, s->now.boot_id, &copy.counters, &why))
			continue;
		copy.destinations = NULL;
		copy.n_destinations = 0;
		if (service_list_add(e, &s->out->resets, &copy) < 0)
			return -e->code;
	}
	return 0;
}

/* The list has the order of the routes. */
static int store_resets(struct err *e, struct sync *s)
{
	const struct service_list *resets = &s->out->resets;
	int ret = resets->n > 0 ? store_begin(e, s->g->store) : 0;

	for (size_t i = 0, k = 0; ret == 0 && i < s->routes.n && k < resets->n; i++) {
		struct route *r = &s->routes.items[i];
		const struct service *service = service_of(s, r);
		struct account a = r->account;

		if (!service || !service_key_equal(&service->key, &resets->items[k].key))
			continue;
		ret = gateway_look(e, s->g, s->now.boot_id, service, r, &a);
		if (ret == 0)
			ret = store_set_account(e, s->g->store, r, &a);
		r->account = a;
		k++;
	}
	if (ret == 0 && resets->n > 0)
		ret = store_commit(e, s->g->store);
	store_rollback(s->g->store);
	if (ret < 0)
		service_list_clear(&s->out->resets);
	return ret;
}

/* Closing routes from which the plan takes something. It has the order of the routes. */
static int take_stopped(struct err *e, struct sync *s, struct route_list *stopped)
{
	const struct change_list *changes = &s->plan.changes;
	size_t next = 0;

	for (size_t i = 0; i < s->routes.n; i++) {
		struct route *r = &s->routes.items[i];
		struct service_key key = route_service_key(r);
		size_t first = next;

		if (r->kind != ROUTE_GATEWAY)
			continue;
		while (next < changes->n && service_key_equal(&changes->items[next].key, &key))
			next++;
		if (next > first && r->state == ROUTE_CLOSING && route_list_take(e, stopped, r) < 0)
			return -e->code;
	}
	return 0;
}

/*
 * A closing route that has real servers still, left by a killed -D or just
 * moved, begins to close now. That is written before they are removed.
 */
static int restart_closing(struct err *e, struct gateway *g, struct route_list *stopped)
{
	if (stopped->n == 0)
		return 0;
	if (gateway_set_state(e, g, stopped, ROUTE_CLOSING) < 0)
		return -e->code;
	return gateway_hold_answers(e, g, stopped);
}

static int run_plan(struct err *e, struct sync *s)
{
	CLEANUP(route_list_clear) struct route_list stopped = { 0 };
	struct change_list *changes = &s->plan.changes;
	int refused;

	if (gateway_end_epochs(e, s->g, &s->routes, &s->plan) < 0 || take_stopped(e, s, &stopped) < 0 ||
	    restart_closing(e, s->g, &stopped) < 0)
		return -e->code;
	refused = changes->n > 0 ? gateway_run(e, s->g, changes) : 0;
	if (refused < 0)
		return -e->code;
	gateway_correct_clock(s->g, &stopped);
	if (refused == 0)
		return 0;
	gateway_explain(e, changes);
	return err_advise(e, "%d of %zu changes were refused, the others are made", refused, changes->n);
}

static int find_differences(struct err *e, struct sync *s)
{
	if (plan_make(e, &s->routes, &s->actual, &s->plan) < 0 || find_orphans(e, s) < 0 ||
	    find_resets(e, s) < 0)
		return -e->code;
	for (size_t i = 0; !s->dry_run && i < s->plan.changes.n; i++)
		s->plan.changes.items[i].status = -ECANCELED; /* until it is made */
	return 0;
}

/* The kernel is asked before anything changes: without permission or IPVS it ends there. */
static int sync_locked(struct err *e, struct sync *s)
{
	static const struct route_filter everything = { .state = -1 };

	if (gateway_boottime(e, s->g, &s->now) < 0 || (!s->dry_run && gateway_finish_due(e, s->g) < 0) ||
	    store_routes(e, s->g->store, &everything, &s->routes) < 0 ||
	    gateway_list_services(e, s->g, true, &s->routes, &s->actual) < 0)
		return -e->code;
	if (s->dry_run)
		drop_ended(s);
	if (gateway_move_routes(e, s->g, s->dry_run, &s->routes, s->out, &s->mishaps) < 0 ||
	    find_differences(e, s) < 0)
		return -e->code;
	if (s->dry_run)
		return 0;
	return store_resets(e, s) < 0 ? -e->code : run_plan(e, s);
}

/* Those that were made, or in a dry run would be. */
static int take_changes(struct err *e, const struct plan *plan, struct change_list *out)
{
	for (size_t i = 0; i < plan->changes.n; i++)
		if (plan->changes.items[i].status == 0 &&
		    change_list_add(e, out, &plan->changes.items[i]) < 0)
			return -e->code;
	return 0;
}

static int report_mishaps(struct err *e, const struct sync *s)
{
	err_set(e, s->mishaps.first.code, "%s", s->mishaps.first.msg);
	if (s->mishaps.n > 1)
		err_advise(e, "%zu other%s cannot be moved either", s->mishaps.n - 1,
			   s->mishaps.n == 2 ? "" : "s");
	return s->dry_run ? -e->code : err_advise(e, "everything else is healed");
}

int gateway_sync(struct err *e, struct gateway *g, bool dry_run, struct sync_result *out)
{
	CLEANUP(sync_clear) struct sync s = { .g = g, .dry_run = dry_run, .out = out };
	struct err failed;
	int ret;

	if (store_lock(e, g->store) < 0)
		return -e->code;
	ret = sync_locked(e, &s);
	gateway_unlock(g);
	if (take_changes(&failed, &s.plan, &out->changes) < 0 && ret == 0)
		ret = err_set(e, failed.code, "%s", failed.msg);
	if (ret == 0 && s.mishaps.n > 0)
		ret = report_mishaps(e, &s);
	return ret < 0 ? ret : (int)(out->n_moves + out->changes.n + out->resets.n);
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
