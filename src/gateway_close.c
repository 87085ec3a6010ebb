/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Closing a route, exactly. Deleting a service destroys what its counters hold
 * since the estimator last read them, so: the real servers go first, which
 * stops the traffic and freezes the counters; once the estimator has passed,
 * whoever comes next reads the service, stores the account, deletes the
 * service, and moves the route into the ledger.
 */
#include "gateway_internal.h"

#include "sysctl.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* How late the kernel may be with a removal before we write down when it really was. */
#define LATE_MS 200

/* Somebody else may have removed the service or the real server first: that is what we want. */
static void accept_gone(struct change_list *changes)
{
	for (size_t i = 0; i < changes->n; i++)
		if (changes->items[i].status == -ESRCH || changes->items[i].status == -ENOENT)
			changes->items[i].status = 0;
}

int gateway_run_removals(struct err *e, struct gateway *g, struct change_list *changes)
{
	if (changes->n == 0)
		return 0;
	if (ipvs_run(e, g->kernel, changes) < 0)
		return -e->code;
	accept_gone(changes);
	for (size_t i = 0; i < changes->n; i++)
		if (changes->items[i].status < 0)
			return gateway_explain(e, changes);
	return 0;
}

int gateway_store_each(struct err *e, struct gateway *g, const struct route_list *routes,
		       gateway_store_fn *store_one)
{
	int ret;

	if (routes->n == 0)
		return 0;
	ret = store_begin(e, g->store);
	for (size_t i = 0; ret == 0 && i < routes->n; i++)
		ret = store_one(e, g->store, &routes->items[i]);
	if (ret == 0)
		ret = store_commit(e, g->store);
	store_rollback(g->store);
	return ret;
}

static int close_route(struct err *e, struct store *s, const struct route *r)
{
	return store_close_route(e, s, r->id, time(NULL));
}

static int close_if_direct(struct err *e, struct store *s, const struct route *r)
{
	return r->kind == ROUTE_DIRECT ? close_route(e, s, r) : 0;
}

static bool any_is(enum route_kind kind, const struct route_list *routes)
{
	for (size_t i = 0; i < routes->n; i++)
		if (routes->items[i].kind == kind)
			return true;
	return false;
}

/*
 * The estimator can be switched off, and from 6.2 on left without processors; a
 * kernel that has neither switch always counts.
 */
int gateway_is_counting(struct err *e, bool *out)
{
	char value[SYSCTL_VALUE_MAX];
	int ret = sysctl_read(e, "net/ipv4/vs/est_cpulist", value);
	bool has_processors = ret < 0 || value[0] != '\0';

	if (ret == 0 || ret == -ENOENT)
		ret = sysctl_read(e, "net/ipv4/vs/run_estimation", value);
	if (ret < 0 && ret != -ENOENT)
		return ret;
	*out = has_processors && (ret < 0 || strcmp(value, "0") != 0);
	return 0;
}

int gateway_closing_begins(struct err *e, struct gateway *g, struct boottime *out)
{
	bool is_counting;

	if (gateway_boottime(e, g, out) < 0 || gateway_is_counting(e, &is_counting) < 0)
		return -e->code;
	if (!is_counting)
		out->ms = BOOTTIME_NEVER;
	return 0;
}

bool gateway_is_of_another_boot(const struct route *r, const struct boottime *now)
{
	return r->state == ROUTE_CLOSING && strcmp(r->closing.boot_id, now->boot_id) != 0;
}

/* A direct route has no service and nothing to wait for: no boot, so it is settled at once. */
int gateway_set_state(struct err *e, struct gateway *g, struct route_list *routes, enum route_state state)
{
	struct boottime now;

	if (gateway_closing_begins(e, g, &now) < 0)
		return -e->code;
	for (size_t i = 0; i < routes->n; i++) {
		routes->items[i].state = state;
		if (routes->items[i].kind == ROUTE_GATEWAY)
			routes->items[i].closing = now;
	}
	return gateway_store_each(e, g, routes, store_set_route);
}

void gateway_correct_clock(struct gateway *g, struct route_list *closing)
{
	struct boottime now;
	bool late = false;
	struct err why;

	if (closing->n == 0)
		return;
	if (gateway_boottime(&why, g, &now) < 0) {
		gateway_leave_undone(g, &why);
		return;
	}
	for (size_t i = 0; i < closing->n; i++) {
		const struct route *r = &closing->items[i];

		late = late || (r->kind == ROUTE_GATEWAY && now.ms - r->closing.ms >= LATE_MS);
	}
	for (size_t i = 0; late && i < closing->n; i++) {
		struct route *r = &closing->items[i];

		if (r->kind == ROUTE_GATEWAY && r->closing.ms != BOOTTIME_NEVER)
			r->closing = now;
	}
	if (late && gateway_store_each(&why, g, closing, store_set_route) < 0) {
		err_wrap(&why, "the account may lack what passed last");
		g->undone = why; /* whatever was left before: the next command cannot know of this */
	}
}

/* Takes the real servers of closing routes out of the kernel. */
static int stop_traffic(struct err *e, struct gateway *g, const struct route_list *routes,
			const struct service_list *actual)
{
	CLEANUP(plan_clear) struct plan plan = { 0 };

	if (plan_make(e, routes, actual, &plan) < 0)
		return -e->code;
	return gateway_run_removals(e, g, &plan.changes);
}

/* A direct route has nothing to wait for: what fails here, whoever comes next does. */
static void close_direct(struct gateway *g, const struct route_list *routes)
{
	struct err why;

	if (any_is(ROUTE_DIRECT, routes) && gateway_store_each(&why, g, routes, close_if_direct) < 0)
		gateway_leave_undone(g, &why);
}

int gateway_close_routes(struct err *e, struct gateway *g, struct route_list *routes)
{
	CLEANUP(service_list_clear) struct service_list actual = { 0 };

	/* Asked before anything changes: without permission or IPVS it ends here. */
	if (gateway_get_services(e, g, routes, &actual) < 0 ||
	    (any_is(ROUTE_GATEWAY, routes) && gateway_need_routing(e, g) < 0) ||
	    gateway_set_state(e, g, routes, ROUTE_CLOSING) < 0)
		return -e->code;
	if (gateway_hold_answers(e, g, routes) < 0 || stop_traffic(e, g, routes, &actual) < 0) {
		for (size_t i = 0; i < routes->n; i++)
			routes->items[i].state = ROUTE_OPEN;
		return gateway_put_back(e, g, routes);
	}
	gateway_correct_clock(g, routes);
	close_direct(g, routes);
	return 0;
}

static int list_deletions(struct err *e, const struct route_list *due, const struct service_list *actual,
			  struct change_list *deletions)
{
	for (size_t i = 0; i < due->n; i++) {
		struct change deletion = { .op = CHANGE_DELETE_SERVICE,
					   .key = route_service_key(&due->items[i]) };

		if (service_find(actual, &deletion.key) && change_list_add(e, deletions, &deletion) < 0)
			return -e->code;
	}
	return 0;
}

/* Once it is stored, a missing service is no loss: it is we who delete it. */
static int take_last_count(struct err *e, struct gateway *g, const char *boot, const struct service *s,
			   const struct route *r)
{
	struct account a = r->account;

	if (gateway_look(e, g, boot, s, r, &a) < 0)
		return -e->code;
	a.boot[0] = '\0';
	return store_set_account(e, g->store, r, &a);
}

static int take_last_counts(struct err *e, struct gateway *g, const struct route_list *due,
			    const struct service_list *actual)
{
	struct boottime now;
	int ret = gateway_boottime(e, g, &now);

	if (ret == 0)
		ret = store_begin(e, g->store);
	for (size_t i = 0; ret == 0 && i < due->n; i++) {
		const struct service_key key = route_service_key(&due->items[i]);

		ret = take_last_count(e, g, now.boot_id, service_find(actual, &key), &due->items[i]);
	}
	if (ret == 0)
		ret = store_commit(e, g->store);
	store_rollback(g->store);
	return ret;
}

/*
 * Count first, then delete, then write the ledger: after a crash in between,
 * the next one reads the same frozen counters again, or finds no service and
 * nothing to add.
 */
static int finish(struct err *e, struct gateway *g, struct route_list *due, const struct service_list *actual)
{
	CLEANUP(change_list_clear) struct change_list deletions = { 0 };
	bool is_counting = true;

	if (due->n == 0)
		return 0;
	if (list_deletions(e, due, actual, &deletions) < 0 ||
	    (deletions.n > 0 && gateway_is_counting(e, &is_counting) < 0))
		return -e->code;
	if (!is_counting) /* they stand still: the wait begins when they do not */
		return gateway_set_state(e, g, due, ROUTE_CLOSING);
	/* A killed -D may have left its hold. */
	if (take_last_counts(e, g, due, actual) < 0 || gateway_run_removals(e, g, &deletions) < 0 ||
	    gateway_release_answers(e, g, due) < 0)
		return -e->code;
	return gateway_store_each(e, g, due, close_route);
}

/* What a closing route waits for. */
struct closing {
	struct route_list settled; /* nothing: its service has stood still for long enough */
	struct route_list frozen;  /* the counters to run again */
	/*
	 * Nothing: it is direct, or of another boot; the kernel that counted is
	 * gone, and what has its port in this one is not ours.
	 */
	struct route_list uncounted;
};

static void closing_clear(struct closing *c)
{
	route_list_clear(&c->settled);
	route_list_clear(&c->frozen);
	route_list_clear(&c->uncounted);
}

static int find_closing(struct err *e, struct gateway *g, size_t limit, struct closing *out)
{
	CLEANUP(route_list_clear) struct route_list found = { 0 };
	struct boottime settled;
	int ret = gateway_boottime(e, g, &settled);

	settled.ms -= GATEWAY_SETTLE_MS;
	if (ret == 0)
		ret = store_settled_routes(e, g->store, &settled, limit, &found);
	for (size_t i = 0; ret == 0 && i < found.n; i++) {
		struct route *r = &found.items[i];

		if (gateway_is_of_another_boot(r, &settled))
			ret = route_list_take(e, &out->uncounted, r);
		else
			ret = route_list_take(e, r->closing.ms == BOOTTIME_NEVER ? &out->frozen : &out->settled, r);
	}
	return ret;
}

/*
 * Removes what a killed -D left, and moves the routes that it was left of to
 * *left. Their wait begins anew, and that is written first.
 */
static int stop_left(struct err *e, struct gateway *g, struct route_list *closing,
		     const struct service_list *actual, struct route_list *left)
{
	size_t n = 0;

	for (size_t i = 0; i < closing->n; i++) {
		const struct service_key key = route_service_key(&closing->items[i]);
		const struct service *s = service_find(actual, &key);

		if (closing->items[i].kind != ROUTE_GATEWAY || !s || s->n_destinations == 0) {
			struct route kept = closing->items[i];

			closing->items[i] = (struct route){ 0 };
			closing->items[n++] = kept;
		} else if (route_list_take(e, left, &closing->items[i]) < 0) {
			return -e->code;
		}
	}
	closing->n = n;
	if (left->n == 0)
		return 0;
	if (gateway_set_state(e, g, left, ROUTE_CLOSING) < 0 || gateway_hold_answers(e, g, left) < 0 ||
	    stop_traffic(e, g, left, actual) < 0)
		return -e->code;
	gateway_correct_clock(g, left);
	return 0;
}

static int finish_settled(struct err *e, struct gateway *g, struct route_list *settled)
{
	CLEANUP(service_list_clear) struct service_list actual = { 0 };
	CLEANUP(route_list_clear) struct route_list left = { 0 };

	if (settled->n == 0)
		return 0;
	if (gateway_get_services(e, g, settled, &actual) < 0 || stop_left(e, g, settled, &actual, &left) < 0)
		return -e->code;
	return finish(e, g, settled, &actual);
}

int gateway_stop_again(struct err *e, struct gateway *g, struct route_list *closing)
{
	CLEANUP(service_list_clear) struct service_list actual = { 0 };
	CLEANUP(route_list_clear) struct route_list left = { 0 };
	int ret = 0;

	if (closing->n == 0)
		return 0;
	if (gateway_get_services(e, g, closing, &actual) < 0 || stop_left(e, g, closing, &actual, &left) < 0)
		return -e->code;
	for (size_t i = 0; ret == 0 && i < left.n; i++)
		ret = route_list_take(e, closing, &left.items[i]);
	return ret;
}

/* Their service is gone, if they had one. */
static int close_uncounted(struct err *e, struct gateway *g, const struct route_list *routes)
{
	struct boottime now;
	int ret = 0;

	if (routes->n == 0)
		return 0;
	if (gateway_boottime(e, g, &now) < 0 || store_begin(e, g->store) < 0)
		return -e->code;
	for (size_t i = 0; ret == 0 && i < routes->n; i++) {
		const struct route *r = &routes->items[i];
		struct account a = r->account;

		if (r->kind == ROUTE_GATEWAY)
			ret = gateway_look(e, g, now.boot_id, NULL, r, &a);
		if (ret == 0)
			ret = close_route(e, g->store, r);
	}
	if (ret == 0)
		ret = store_commit(e, g->store);
	store_rollback(g->store);
	return ret;
}

/* Their wait begins when the counters run again. */
static int start_frozen(struct err *e, struct gateway *g, struct route_list *frozen)
{
	bool is_counting;

	if (frozen->n == 0)
		return 0;
	if (gateway_stop_again(e, g, frozen) < 0 || gateway_is_counting(e, &is_counting) < 0)
		return -e->code;
	return is_counting ? gateway_set_state(e, g, frozen, ROUTE_CLOSING) : 0;
}

static int finish_closing(struct err *e, struct gateway *g, size_t limit)
{
	CLEANUP(closing_clear) struct closing c = { 0 };

	if (find_closing(e, g, limit, &c) < 0 || close_uncounted(e, g, &c.uncounted) < 0 ||
	    start_frozen(e, g, &c.frozen) < 0)
		return -e->code;
	return finish_settled(e, g, &c.settled);
}

int gateway_finish_due(struct err *e, struct gateway *g)
{
	return finish_closing(e, g, 0) < 0 ? -e->code : gateway_finish_drained(e, g, 0);
}

int gateway_finish_some_due(struct err *e, struct gateway *g)
{
	if (finish_closing(e, g, GATEWAY_FINISH_SOME) < 0)
		return -e->code;
	return gateway_finish_drained(e, g, GATEWAY_FINISH_SOME);
}

static int compare_ids(const void *a, const void *b)
{
	const int64_t *ia = a, *ib = b;

	return (*ia > *ib) - (*ia < *ib);
}

int64_t *gateway_sort_ids(const int64_t *ids, size_t n)
{
	int64_t *sorted = calloc(n ? n : 1, sizeof(*sorted));

	if (!sorted)
		return NULL;
	if (n > 0)
		memcpy(sorted, ids, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), compare_ids);
	return sorted;
}

bool gateway_has_id(const int64_t *sorted, size_t n, int64_t id)
{
	return bsearch(&id, sorted, n, sizeof(*sorted), compare_ids) != NULL;
}

/* How long until the last of these routes is settled, in ms; 0: none is closing any more. */
static int64_t time_to_wait(struct err *e, struct gateway *g, const int64_t *sorted, size_t n)
{
	static const struct route_filter all_closing = { .state = ROUTE_CLOSING };
	CLEANUP(route_list_clear) struct route_list closing = { 0 };
	struct boottime now;
	int64_t wait = 0;

	if (gateway_boottime(e, g, &now) < 0 || store_routes(e, g->store, &all_closing, &closing) < 0)
		return -e->code;
	for (size_t i = 0; i < closing.n; i++) {
		int64_t left = closing.items[i].closing.ms + GATEWAY_SETTLE_MS - now.ms;

		if (!gateway_has_id(sorted, n, closing.items[i].id))
			continue;
		left = left < 1 ? 1 : left > GATEWAY_SETTLE_MS ? GATEWAY_SETTLE_MS : left;
		wait = left > wait ? left : wait;
	}
	return wait;
}

static int64_t settle_once(struct err *e, struct gateway *g, const int64_t *sorted, size_t n)
{
	int64_t ret;

	if (store_lock(e, g->store) < 0)
		return -e->code;
	ret = gateway_finish_due(e, g);
	if (ret == 0)
		ret = time_to_wait(e, g, sorted, n);
	gateway_unlock(g);
	return ret;
}

int gateway_settle(struct err *e, struct gateway *g, const int64_t *ids, size_t n_ids)
{
	CLEANUP_FREE int64_t *sorted = gateway_sort_ids(ids, n_ids);
	bool is_counting;
	int64_t wait;

	if (!sorted)
		return err_set(e, ENOMEM, "out of memory");
	while ((wait = settle_once(e, g, sorted, n_ids)) > 0) {
		if (gateway_is_counting(e, &is_counting) < 0)
			return -e->code;
		if (!is_counting)
			return err_set(e, EAGAIN,
				       "the kernel's counters stand still: net.ipv4.vs.run_estimation is 0, or est_cpulist is "
				       "empty; run 'sonm-gw-setup --apply', then 'sonm-gwstat --checkpoint'");
		gateway_pause(wait);
	}
	return (int)wait;
}
