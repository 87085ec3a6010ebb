/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Moving routes whose worker is reached in another way now. A route closes and
 * another of the same name opens, in one transaction; the kernel follows as it
 * does after a crash between the two, by the plan. So what the former one
 * transferred is counted like that of any route that closes.
 */
#include "gateway_internal.h"

#include <string.h>
#include <time.h>

/* Of one container port, for different protocols, to be chosen an endpoint together. */
#define GROUP_MAX 4

/* Moves under way. */
struct moving {
	struct gateway *g;
	const struct route_list *routes; /* all, ordered by container, container port, protocol */
	size_t at;                       /* the one that moves; moves come in the same order */
	struct boottime closing;         /* for those that close */
	int64_t now;                     /* seconds since 1970 */
};

static int compare_name(const void *name, const void *worker)
{
	return strcmp(name, ((const struct worker *)worker)->name);
}

/* The store orders workers by name. */
static const struct worker *worker_of(const struct worker_list *workers, const struct route *r)
{
	if (workers->n == 0 || r->worker[0] == '\0')
		return NULL;
	return bsearch(r->worker, workers->items, workers->n, sizeof(*workers->items), compare_name);
}

static void stays(struct mishaps *mishaps, struct err *why, const struct route *r)
{
	char port[ROUTE_STRLEN];

	err_wrap(why, "cannot move port %s of container %s", route_port_format(r->cport, r->protocol, port),
		 r->container);
	if (mishaps->n++ == 0)
		mishaps->first = *why;
}

static int add_move(struct err *e, struct sync_result *list, struct move *move)
{
	if (base_reserve((void **)&list->moves, list->n_moves, sizeof(*move)) < 0)
		return err_set(e, ENOMEM, "out of memory");
	list->moves[list->n_moves++] = *move;
	*move = (struct move){ 0 };
	return 0;
}

static int find_moves(struct err *e, struct gateway *g, const struct route_list *routes,
		      struct sync_result *found, struct mishaps *mishaps)
{
	CLEANUP(worker_list_clear) struct worker_list workers = { 0 };

	if (store_workers(e, g->store, &workers) < 0)
		return -e->code;
	for (size_t i = 0; i < routes->n; i++) {
		const struct worker *w = worker_of(&workers, &routes->items[i]);
		struct move move = { 0 };
		int is_wrong = w ? gateway_misplaced(e, g, w, &routes->items[i], &move) : 0;

		if (is_wrong < 0)
			stays(mishaps, e, &routes->items[i]);
		if (is_wrong > 0 &&
		    (route_copy(e, &routes->items[i], &move.from) < 0 || add_move(e, found, &move) < 0)) {
			route_clear(&move.from);
			return -e->code;
		}
	}
	return 0;
}

static bool same_container_port(const struct route *a, const struct route *b)
{
	return a->cport == b->cport && strcmp(a->container, b->container) == 0;
}

/* How many moves from here on are to be gateway routes of one container port and family. */
static size_t group_size(const struct move *moves, size_t n)
{
	size_t size = 1;

	while (size < n && size < GROUP_MAX && moves[size].kind == ROUTE_GATEWAY &&
	       moves[0].kind == ROUTE_GATEWAY &&
	       same_container_port(&moves[size].from, &moves[0].from) &&
	       moves[size].from.servers[0].real.addr.family == moves[0].from.servers[0].real.addr.family)
		size++;
	return size;
}

/* What the same container port has for another protocol, and keeps; NULL: nothing. */
static const struct endpoint *sibling(const struct moving *m, const struct route *r)
{
	const struct route_list *all = m->routes;
	size_t i = m->at;

	while (i > 0 && same_container_port(&all->items[i - 1], r))
		i--;
	for (; i < all->n && same_container_port(&all->items[i], r); i++)
		if (all->items[i].kind == ROUTE_GATEWAY && all->items[i].state == ROUTE_OPEN &&
		    all->items[i].public.addr.family == r->servers[0].real.addr.family)
			return &all->items[i].public;
	return NULL;
}

/* The route that takes over: the same, with an account of its own. */
static int make_successor(struct err *e, const struct moving *m, const struct move *move, struct route *out)
{
	if (route_copy(e, &move->from, out) < 0)
		return -e->code;
	out->id = 0;
	out->kind = move->kind;
	out->public = move->public;
	out->account = (struct account){ 0 };
	if (out->kind == ROUTE_GATEWAY)
		account_begin_epoch(&out->account, m->closing.boot_id);
	out->opened_at = m->now;
	for (size_t i = 0; i < move->from.n_servers; i++)
		if (server_is_draining(&move->from.servers[i]))
			route_drop_server(out, &move->from.servers[i].real);
	return 0;
}

static int close_former(struct err *e, const struct moving *m, const struct route *from)
{
	struct route closing = *from;

	if (from->kind == ROUTE_DIRECT) /* nothing was counted and nothing waits for a count */
		return store_close_route(e, m->g->store, from->id, m->now);
	closing.state = ROUTE_CLOSING;
	closing.closing = m->closing;
	return store_set_route(e, m->g->store, &closing);
}

/* Before anything of the group is stored: 0, 1 and e: these have to stay, or a failure. */
static int choose_endpoints(struct err *e, const struct moving *m, struct route_list *group)
{
	const struct endpoint_wish wish = { .like = sibling(m, &group->items[0]), .now = m->now };
	struct route *routes[GROUP_MAX];
	int ret;

	for (size_t i = 0; i < group->n; i++)
		routes[i] = &group->items[i];
	if (group->items[0].kind != ROUTE_GATEWAY)
		return 0;
	ret = gateway_choose_endpoints(e, m->g, &wish, routes, group->n);
	return ret == -ERR_USAGE || ret == -ERR_POOL_FULL || ret == -ERR_CONFLICT ? 1 : ret;
}

/* Within a transaction. 1 and e: they stay as they are. */
static int move_group(struct err *e, const struct moving *m, struct move *moves, size_t n)
{
	CLEANUP(route_list_clear) struct route_list group = { 0 };
	int ret;

	for (size_t i = 0; i < n; i++) {
		CLEANUP(route_clear) struct route r = { 0 };

		if (make_successor(e, m, &moves[i], &r) < 0 || route_list_take(e, &group, &r) < 0)
			return -e->code;
	}
	ret = choose_endpoints(e, m, &group);
	for (size_t i = 0; ret == 0 && i < n; i++) {
		ret = close_former(e, m, &moves[i].from);
		if (ret == 0)
			ret = store_add_route(e, m->g->store, &group.items[i]);
		moves[i].public = group.items[i].public;
	}
	return ret;
}

/* Takes the moves that succeed over to *done. */
static int move_all(struct err *e, struct moving *m, struct sync_result *found, struct sync_result *done,
		    struct mishaps *mishaps)
{
	for (size_t i = 0, n; i < found->n_moves; i += n) {
		struct move *group = &found->moves[i];
		int ret;

		while (m->routes->items[m->at].id != group->from.id)
			m->at++;
		n = group_size(group, found->n_moves - i);
		ret = move_group(e, m, group, n);
		if (ret < 0)
			return ret;
		if (ret > 0)
			stays(mishaps, e, &group->from);
		for (size_t k = 0; ret == 0 && k < n; k++)
			if (add_move(e, done, &group[k]) < 0)
				return -e->code;
	}
	return 0;
}

static int store_moves(struct err *e, struct moving *m, struct sync_result *found, struct sync_result *out,
		       struct mishaps *mishaps)
{
	CLEANUP(sync_result_clear) struct sync_result done = { 0 };
	int ret = gateway_closing_begins(e, m->g, &m->closing);

	if (ret == 0)
		ret = store_begin(e, m->g->store);
	if (ret == 0)
		ret = move_all(e, m, found, &done, mishaps);
	if (ret == 0)
		ret = store_commit(e, m->g->store);
	store_rollback(m->g->store);
	for (size_t i = 0; ret == 0 && i < done.n_moves; i++)
		ret = add_move(e, out, &done.moves[i]);
	return ret;
}

/* In a dry run the former routes close in memory, so that the plan has what follows. */
static int pretend(struct err *e, struct gateway *g, struct route_list *routes, struct sync_result *found,
		   struct sync_result *out)
{
	for (size_t i = 0, k = 0; i < routes->n && k < found->n_moves; i++) {
		if (routes->items[i].id != found->moves[k].from.id)
			continue;
		if (gateway_boottime(e, g, &routes->items[i].closing) < 0 ||
		    add_move(e, out, &found->moves[k]) < 0)
			return -e->code;
		routes->items[i].state = ROUTE_CLOSING;
		k++;
	}
	return 0;
}

int gateway_move_routes(struct err *e, struct gateway *g, bool dry_run, struct route_list *routes,
			struct sync_result *out, struct mishaps *mishaps)
{
	static const struct route_filter everything = { .state = -1 };
	CLEANUP(sync_result_clear) struct sync_result found = { 0 };
	struct moving m = { .g = g, .routes = routes, .now = time(NULL) };

	if (find_moves(e, g, routes, &found, mishaps) < 0)
		return -e->code;
	if (found.n_moves == 0)
		return 0;
	if (dry_run)
		return pretend(e, g, routes, &found, out);
	if (store_moves(e, &m, &found, out, mishaps) < 0)
		return -e->code;
	route_list_clear(routes);
	return store_routes(e, g->store, &everything, routes);
}
