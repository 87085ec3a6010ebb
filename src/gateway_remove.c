/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Removing at once: routes, and single real servers. */
#include "gateway_internal.h"

#include <string.h>

/* So many routes are held back at a time: each hold is a rule that every packet passes. */
#define PORTION 256

static int absent(struct err *e, const struct route_filter *f)
{
	if (!f->container)
		return err_set(e, ERR_ABSENT, "there is nothing to remove: no route is open or closing");
	if (f->cport)
		return err_set(e, ERR_ABSENT, "container %s has no route for port %u/%s; see 'sonm-vs -L %s'",
			       f->container, (unsigned)f->cport, protocol_name(f->protocol), f->container);
	return err_set(e, ERR_ABSENT, "no such container: %s; see 'sonm-vs -L'", f->container);
}

static int find_state(struct err *e, struct gateway *g, const struct route_filter *f, enum route_state state,
		      const struct endpoint *real, struct route_list *out)
{
	CLEANUP(route_list_clear) struct route_list found = { 0 };
	struct route_filter in_state = *f;
	int ret;

	in_state.state = (int)state;
	ret = store_routes(e, g->store, &in_state, &found);
	for (size_t i = 0; ret == 0 && i < found.n; i++)
		if (!real || route_find_server(&found.items[i], real))
			ret = route_list_take(e, out, &found.items[i]);
	return ret;
}

int gateway_find_routes(struct err *e, struct gateway *g, const struct route_filter *f,
			const struct endpoint *real, struct route_list *open, struct route_list *closing)
{
	CLEANUP(route_list_clear) struct route_list others = { 0 };
	char text[ENDPOINT_STRLEN];

	if (find_state(e, g, f, ROUTE_OPEN, real, open) < 0 || find_state(e, g, f, ROUTE_CLOSING, real, closing) < 0)
		return -e->code;
	if (open->n + closing->n > 0)
		return 0;
	if (real && find_state(e, g, f, ROUTE_OPEN, NULL, &others) < 0)
		return -e->code;
	if (others.n == 0)
		return absent(e, f);
	return err_set(e, ERR_ABSENT, "port %u/%s of container %s has no real server %s; see 'sonm-vs -L %s'",
		       (unsigned)others.items[0].cport, protocol_name(others.items[0].protocol),
		       others.items[0].container, endpoint_format(real, text), others.items[0].container);
}

static int take_all(struct err *e, struct route_list *from, struct route_list *to)
{
	for (size_t i = 0; i < from->n; i++)
		if (route_list_take(e, to, &from->items[i]) < 0)
			return -e->code;
	return 0;
}

/* A removal on its way through its routes. */
struct removal {
	struct gateway *g;
	const struct route_filter *f;
	struct route_list found;  /* were open at first; empty before next */
	size_t next;
	struct route_list removed;
};

static void removal_clear(struct removal *rm)
{
	route_list_clear(&rm->found);
	route_list_clear(&rm->removed);
}

static int take_portion(struct err *e, struct removal *rm, struct route_list *portion)
{
	while (rm->next < rm->found.n && portion->n < PORTION)
		if (route_list_take(e, portion, &rm->found.items[rm->next++]) < 0)
			return -e->code;
	return 0;
}

/* Appends those of a container's routes that are open still and among these ids. */
static int take_open(struct err *e, const struct removal *rm, const char *container, const int64_t *sorted,
		     size_t n, struct route_list *out)
{
	CLEANUP(route_list_clear) struct route_list now = { 0 };
	struct route_filter f = *rm->f;
	int ret;

	f.container = container;
	ret = find_state(e, rm->g, &f, ROUTE_OPEN, NULL, &now);
	for (size_t i = 0; ret == 0 && i < now.n; i++)
		if (gateway_has_id(sorted, n, now.items[i].id))
			ret = route_list_take(e, out, &now.items[i]);
	return ret;
}

/* Without the lock they may have changed: the portion as it is now. */
static int read_again(struct err *e, const struct removal *rm, struct route_list *portion)
{
	CLEANUP(route_list_clear) struct route_list now = { 0 }, before = *portion;
	CLEANUP_FREE int64_t *ids = calloc(before.n, sizeof(*ids)), *sorted = NULL;

	*portion = (struct route_list){ 0 };
	for (size_t i = 0; ids && i < before.n; i++)
		ids[i] = before.items[i].id;
	if (!ids || !(sorted = gateway_sort_ids(ids, before.n)))
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < before.n; i++) {
		const char *container = before.items[i].container;

		if (i > 0 && strcmp(before.items[i - 1].container, container) == 0)
			continue;
		if (take_open(e, rm, container, sorted, before.n, &now) < 0)
			return -e->code;
	}
	*portion = now;
	now = (struct route_list){ 0 };
	return 0;
}

/* Under the lock. What is closing already, may have been left by a -D that was killed. */
static int remove_first(struct err *e, struct removal *rm, struct route_list *portion)
{
	CLEANUP(route_list_clear) struct route_list closing = { 0 };

	if (gateway_finish_some_due(e, rm->g) < 0 ||
	    gateway_find_routes(e, rm->g, rm->f, NULL, &rm->found, &closing) < 0 ||
	    gateway_stop_again(e, rm->g, &closing) < 0 || take_all(e, &closing, &rm->removed) < 0 ||
	    take_portion(e, rm, portion) < 0)
		return -e->code;
	return portion->n > 0 ? gateway_close_routes(e, rm->g, portion) : 0;
}

static int remove_next(struct err *e, struct removal *rm, struct route_list *portion)
{
	if (take_portion(e, rm, portion) < 0 || read_again(e, rm, portion) < 0)
		return -e->code;
	return portion->n > 0 ? gateway_close_routes(e, rm->g, portion) : 0;
}

typedef int remove_fn(struct err *e, struct removal *rm, struct route_list *portion);

/* All or none of a portion; then its holds end, without the lock. */
static int remove_portion(struct err *e, struct removal *rm, remove_fn *remove_some)
{
	CLEANUP(route_list_clear) struct route_list portion = { 0 };
	struct gateway *g = rm->g;
	int ret;

	if (store_lock(e, g->store) < 0)
		return -e->code;
	ret = remove_some(e, rm, &portion);
	gateway_unlock(g);
	if (ret == 0)
		ret = gateway_take_done(e, &portion, &rm->removed);
	if (ret == 0 && g->progress)
		g->progress(g->progress_ctx, rm->next, rm->found.n);
	return ret;
}

int gateway_remove(struct err *e, struct gateway *g, const struct route_filter *f, struct route_list *out)
{
	CLEANUP(removal_clear) struct removal rm = { .g = g, .f = f };
	int ret = remove_portion(e, &rm, remove_first);

	while (ret == 0 && rm.next < rm.found.n) {
		ret = remove_portion(e, &rm, remove_next);
		if (ret < 0)
			return err_advise(e, "%zu routes were removed before", rm.removed.n);
	}
	return ret < 0 ? ret : gateway_take_done(e, &rm.removed, out);
}

/* Under the lock; *found is then as it has become. */
static int remove_server_locked(struct err *e, struct gateway *g, const struct route_filter *f,
				const struct endpoint *real, struct route_list *found)
{
	CLEANUP(route_list_clear) struct route_list closing = { 0 };

	if (gateway_finish_some_due(e, g) < 0 || gateway_find_routes(e, g, f, real, found, &closing) < 0)
		return -e->code;
	if (gateway_stop_again(e, g, &closing) < 0 || (found->n > 0 && gateway_leave_now(e, g, found, real) < 0))
		return -e->code;
	return gateway_take_done(e, &closing, found);
}

int gateway_remove_server(struct err *e, struct gateway *g, const struct route_filter *f,
			  const struct endpoint *real, struct route_list *out)
{
	CLEANUP(route_list_clear) struct route_list found = { 0 };
	int ret;

	if (store_lock(e, g->store) < 0)
		return -e->code;
	ret = remove_server_locked(e, g, f, real, &found);
	gateway_unlock(g);
	return ret < 0 ? ret : gateway_take_done(e, &found, out);
}
