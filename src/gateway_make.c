/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Making what is to be: the rows are committed, then the kernel follows; if it
 * refuses, both are put back. New routes' services are added before anything
 * reaches them, so nothing of ours goes to one that somebody else made; what
 * exists already is compared, and only the difference is changed.
 */
#include "gateway_internal.h"

#include <string.h>

#define PORTION 1024 /* changes between two calls of gateway_progress */

/* What the kernel is asked for, in this order. */
struct work {
	struct change_list changes;
	size_t n_fresh;    /* services of new routes: taken back by deleting them */
	size_t n_services; /* these and other missing ones; the rest waits until they are made */
};

static void work_clear(struct work *w)
{
	change_list_clear(&w->changes);
	*w = (struct work){ 0 };
}

void transition_clear(struct transition *t)
{
	route_list_clear(&t->wanted);
	route_list_clear(&t->former);
	free(t->is_adopted);
	*t = (struct transition){ 0 };
}

/* Appends a route that its own list goes on owning. */
static int borrow(struct err *e, struct route_list *list, const struct route *r)
{
	struct route copy = *r;

	return route_list_take(e, list, &copy);
}

static void borrowed_clear(struct route_list *list)
{
	free(list->items);
	*list = (struct route_list){ 0 };
}

/* Makes first..last-1 of the changes; returns how many were refused. */
static int run_part(struct err *e, struct gateway *g, struct change_list *changes, size_t first, size_t last)
{
	int n_refused = 0;

	for (size_t i = first; i < last; i++)
		changes->items[i].status = -ECANCELED;
	while (first < last) {
		struct change_list portion = { .items = &changes->items[first],
					       .n = last - first < PORTION ? last - first : PORTION };
		int ret = ipvs_run(e, g->kernel, &portion);

		if (ret < 0)
			return ret;
		n_refused += ret;
		first += portion.n;
		if (g->progress && changes->n > PORTION) /* less is a part of a longer work, or over at once */
			g->progress(g->progress_ctx, first, changes->n);
	}
	return n_refused;
}

int gateway_run(struct err *e, struct gateway *g, struct change_list *changes)
{
	return run_part(e, g, changes, 0, changes->n);
}

static bool same_servers(const struct route *a, const struct route *b)
{
	if (a->n_servers != b->n_servers)
		return false;
	for (size_t i = 0; i < a->n_servers; i++)
		if (strcmp(a->servers[i].drain.boot_id, b->servers[i].drain.boot_id) != 0 ||
		    (server_is_draining(&a->servers[i]) && a->servers[i].drain.ms != b->servers[i].drain.ms))
			return false;
	return true;
}

/* Would it be the same row in the state file? Accounts apart. */
static bool same_row(const struct route *a, const struct route *b)
{
	return a->state == b->state && route_same_target(a, b) && same_servers(a, b) &&
	       endpoint_equal(&a->public, &b->public) && strcmp(a->worker, b->worker) == 0;
}

int gateway_store_wanted(struct err *e, struct gateway *g, struct transition *t)
{
	for (size_t i = 0; i < t->wanted.n; i++) {
		struct route *r = &t->wanted.items[i];
		const struct route *former = &t->former.items[i];
		int ret = 0;

		if (r->id == 0)
			ret = store_add_route(e, g->store, r);
		else if (former->id != 0 && !same_row(r, former))
			ret = store_set_route(e, g->store, r);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* Which routes have to be compared with what the kernel has: not the new ones, which have nothing of theirs. */
static int find_services(struct err *e, struct gateway *g, const struct transition *t,
			 struct service_list *actual)
{
	CLEANUP(borrowed_clear) struct route_list asked = { 0 };

	for (size_t i = 0; i < t->wanted.n; i++)
		if ((t->former.items[i].id != 0 || (t->is_adopted && t->is_adopted[i])) &&
		    borrow(e, &asked, &t->wanted.items[i]) < 0)
			return -e->code;
	return gateway_get_services(e, g, &asked, actual);
}

/* An adopted service that has vanished meanwhile is made, and taken back, like a new one. */
static int plan_apart(struct err *e, const struct transition *t, const struct service_list *actual,
		      struct plan *for_known, struct plan *for_fresh)
{
	for (size_t i = 0; i < t->wanted.n; i++) {
		const struct route *r = &t->wanted.items[i];
		struct service_key key = route_service_key(r);
		const struct service *s = service_find(actual, &key);
		bool is_known = t->former.items[i].id != 0 || s;

		if (plan_route(e, is_known ? for_known : for_fresh, r, s) < 0)
			return -e->code;
	}
	return 0;
}

static int collect(struct err *e, const struct plan *plan, bool services, struct change_list *out)
{
	for (size_t i = 0; i < plan->changes.n; i++)
		if ((plan->changes.items[i].op == CHANGE_ADD_SERVICE) == services &&
		    change_list_add(e, out, &plan->changes.items[i]) < 0)
			return -e->code;
	return 0;
}

static int arrange(struct err *e, const struct plan *known, const struct plan *fresh, struct work *w)
{
	if (collect(e, fresh, true, &w->changes) < 0)
		return -e->code;
	w->n_fresh = w->changes.n;
	if (collect(e, known, true, &w->changes) < 0)
		return -e->code;
	w->n_services = w->changes.n;
	return collect(e, known, false, &w->changes) < 0 ? -e->code : collect(e, fresh, false, &w->changes);
}

/* As gateway_end_epochs has stored it: what was counted is not to be taken for the new service's. */
static int end_epochs(struct err *e, struct gateway *g, struct transition *t, const struct plan *plan)
{
	struct boottime now;
	size_t next = 0;

	if (plan->n_restarted == 0)
		return 0;
	if (gateway_boottime(e, g, &now) < 0)
		return -e->code;
	for (size_t i = 0; i < t->wanted.n && next < plan->n_restarted; i++) {
		if (t->wanted.items[i].id != plan->restarted[next])
			continue;
		next++;
		account_begin_epoch(&t->wanted.items[i].account, now.boot_id);
		account_begin_epoch(&t->former.items[i].account, now.boot_id);
	}
	return 0;
}

/* What the kernel lacks for the routes, and the end of the epochs that this means. */
static int plan_work(struct err *e, struct gateway *g, struct transition *t, struct work *out)
{
	CLEANUP(service_list_clear) struct service_list actual = { 0 };
	CLEANUP(plan_clear) struct plan for_known = { 0 };
	CLEANUP(plan_clear) struct plan for_fresh = { 0 };
	CLEANUP(work_clear) struct work w = { 0 };

	if (find_services(e, g, t, &actual) < 0 || plan_apart(e, t, &actual, &for_known, &for_fresh) < 0 ||
	    arrange(e, &for_known, &for_fresh, &w) < 0 ||
	    gateway_end_epochs(e, g, &t->wanted, &for_known) < 0 || end_epochs(e, g, t, &for_known) < 0 ||
	    gateway_release_answers(e, g, &t->wanted) < 0 || gateway_release_answers(e, g, &t->former) < 0)
		return -e->code;
	*out = w;
	w = (struct work){ 0 };
	return 0;
}

static int run_work(struct err *e, struct gateway *g, struct work *w)
{
	int ret = run_part(e, g, &w->changes, 0, w->n_services);

	if (ret == 0)
		ret = run_part(e, g, &w->changes, w->n_services, w->changes.n);
	return ret > 0 ? gateway_explain(e, &w->changes) : ret;
}

/* What was made for new routes, or may have been: -EIO is a request that was not answered. */
static int delete_fresh(struct err *e, struct gateway *g, const struct work *w)
{
	CLEANUP(change_list_clear) struct change_list deletions = { 0 };

	for (size_t i = 0; i < w->n_fresh; i++) {
		struct change c = w->changes.items[i];

		if (c.status < 0 && c.status != -EIO)
			continue;
		c.op = CHANGE_DELETE_SERVICE;
		if (change_list_add(e, &deletions, &c) < 0)
			return -e->code;
	}
	return gateway_run_removals(e, g, &deletions);
}

static int restore_row(struct err *e, struct gateway *g, struct route *wanted, struct route *former,
		       const struct boottime *now)
{
	if (former->id == 0)
		return store_forget_route(e, g->store, wanted->id);
	if (same_row(wanted, former))
		return 0;
	if (former->state == ROUTE_CLOSING)
		former->closing = *now;
	return store_set_route(e, g->store, former);
}

/* The routes as they were; a closing one was open for a moment, so its wait begins anew. */
static int restore_rows(struct err *e, struct gateway *g, struct transition *t)
{
	struct boottime now;
	int ret = gateway_closing_begins(e, g, &now);

	if (ret == 0)
		ret = store_begin(e, g->store);
	for (size_t i = 0; ret == 0 && i < t->former.n; i++)
		ret = restore_row(e, g, &t->wanted.items[i], &t->former.items[i], &now);
	if (ret == 0)
		ret = store_commit(e, g->store);
	store_rollback(g->store);
	return ret;
}

/* Brings the services of routes that were here before back to what the rows say again. */
static int restore_services(struct err *e, struct gateway *g, const struct transition *t)
{
	CLEANUP(borrowed_clear) struct route_list former = { 0 };
	CLEANUP(borrowed_clear) struct route_list closing = { 0 };
	CLEANUP(service_list_clear) struct service_list actual = { 0 };
	CLEANUP(plan_clear) struct plan plan = { 0 };
	int ret;

	for (size_t i = 0; i < t->former.n; i++) {
		const struct route *r = &t->former.items[i];

		if (r->id == 0)
			continue;
		if (borrow(e, &former, r) < 0 || (r->state == ROUTE_CLOSING && borrow(e, &closing, r) < 0))
			return -e->code;
	}
	if (gateway_get_services(e, g, &former, &actual) < 0 || plan_make(e, &former, &actual, &plan) < 0 ||
	    gateway_end_epochs(e, g, &former, &plan) < 0 || gateway_hold_answers(e, g, &closing) < 0)
		return -e->code;
	ret = ipvs_run(e, g->kernel, &plan.changes);
	if (ret != 0)
		return ret > 0 ? gateway_explain(e, &plan.changes) : ret;
	gateway_correct_clock(g, &closing);
	return 0;
}

/* Everything as it was, in the kernel and in the file. What has lost its service first loses its row last. */
static int take_back(struct err *e, struct gateway *g, struct transition *t, const struct work *w)
{
	if (delete_fresh(e, g, w) < 0 || restore_rows(e, g, t) < 0)
		return -e->code;
	for (size_t i = 0; i < t->wanted.n; i++)
		t->wanted.items[i].id = t->former.items[i].id;
	return w->changes.n > 0 ? restore_services(e, g, t) : 0;
}

/* Is this route's row as it is to be again? */
static int is_stored(struct err *e, struct gateway *g, const struct route *former, bool *out)
{
	const struct route_filter f = { .container = former->container, .cport = former->cport,
					.protocol = former->protocol, .state = -1 };
	CLEANUP(route_list_clear) struct route_list found = { 0 };

	*out = false;
	if (store_routes(e, g->store, &f, &found) < 0)
		return -e->code;
	for (size_t i = 0; i < found.n; i++)
		*out = *out || (found.items[i].id == former->id && same_row(&found.items[i], former));
	return 0;
}

/* Where nothing was written, a disk that is full is no obstacle. */
static int put_rows_back(struct err *e, struct gateway *g, const struct route_list *former)
{
	CLEANUP(borrowed_clear) struct route_list changed = { 0 };
	bool is_there;

	for (size_t i = 0; i < former->n; i++)
		if (is_stored(e, g, &former->items[i], &is_there) < 0 ||
		    (!is_there && borrow(e, &changed, &former->items[i]) < 0))
			return -e->code;
	return gateway_store_each(e, g, &changed, store_set_route);
}

/* What is held still must not be open: the rows come after the answers. */
static int put_back(struct err *e, struct gateway *g, const struct route_list *former)
{
	CLEANUP(service_list_clear) struct service_list actual = { 0 };
	CLEANUP(plan_clear) struct plan plan = { 0 };
	int ret;

	if (gateway_release_answers(e, g, former) < 0 || put_rows_back(e, g, former) < 0 ||
	    gateway_get_services(e, g, former, &actual) < 0 || plan_make(e, former, &actual, &plan) < 0 ||
	    gateway_end_epochs(e, g, former, &plan) < 0)
		return -e->code;
	ret = plan.changes.n > 0 ? ipvs_run(e, g->kernel, &plan.changes) : 0;
	return ret > 0 ? gateway_explain(e, &plan.changes) : ret;
}

int gateway_put_back(struct err *e, struct gateway *g, const struct route_list *former)
{
	struct err failed;

	if (put_back(&failed, g, former) < 0)
		err_advise(e, "and it could not be taken back (%s): run 'sonm-vs --sync'", failed.msg);
	return -e->code;
}

static bool uses_kernel(const struct transition *t)
{
	for (size_t i = 0; i < t->wanted.n; i++)
		if (t->wanted.items[i].kind == ROUTE_GATEWAY)
			return true;
	return false;
}

int gateway_make_stored(struct err *e, struct gateway *g, struct transition *t)
{
	CLEANUP(work_clear) struct work w = { 0 };
	struct err failed;
	int ret;

	if (!uses_kernel(t))
		return 0;
	ret = gateway_need_kernel(e, g);
	if (ret == 0)
		ret = plan_work(e, g, t, &w);
	if (ret == 0)
		ret = run_work(e, g, &w);
	if (ret < 0 && take_back(&failed, g, t, &w) < 0)
		err_advise(e, "and it could not be taken back (%s): run 'sonm-vs --sync'", failed.msg);
	return ret < 0 ? -e->code : 0;
}

int gateway_make(struct err *e, struct gateway *g, struct transition *t)
{
	int ret = store_begin(e, g->store);

	if (ret == 0)
		ret = gateway_store_wanted(e, g, t);
	if (ret == 0)
		ret = store_commit(e, g->store);
	store_rollback(g->store);
	return ret < 0 ? ret : gateway_make_stored(e, g, t);
}
