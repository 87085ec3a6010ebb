/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Holding answers back. For a clock tick or two after its real server is gone,
 * the kernel forwards what the worker sends on its own in a connection, and
 * counts it no more (ip_vs_out_stats in ip_vs_core.c; expire_nodest_conn is done
 * by a timer). So its answers are held back before it is taken out: what is not
 * forwarded needs no count.
 *
 * Each hold is a routing rule, which every packet passes; so they end some ticks
 * later. That needs no lock, and others need not wait meanwhile. The one who
 * began a hold may be killed; the state file tells the next one of it: a closing
 * route has its real servers until it is in the ledger, and an open route has one
 * that leaves until its hold is over (gateway_drain.c).
 */
#include "gateway_internal.h"

#include <time.h>

/* From so many real servers on, the kernel is asked first whether anything is held at all. */
#define MANY 8

int64_t gateway_hold_ms(void)
{
	struct timespec tick;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) < 0)
		return 50;
	return 5 + 3 * (tick.tv_nsec / 1000000 + 1);
}

void gateway_pause(int64_t ms)
{
	struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

/* Another container may be published from the same real server: its answers go on. */
int gateway_hold_server(struct err *e, struct gateway *g, const struct route *r, const struct endpoint *real)
{
	bool used;
	int ret;

	if (store_server_is_used(e, g->store, r->protocol, real, r->id, &used) < 0)
		return -e->code;
	if (used)
		return 0;
	if (base_reserve((void **)&g->held, g->n_held, sizeof(*g->held)) < 0)
		return err_set(e, ENOMEM, "out of memory");
	if (gateway_need_routing(e, g) < 0)
		return -e->code;
	ret = routing_hold(e, g->routing, r->protocol, real);
	if (ret > 0)
		g->held[g->n_held++] = (struct held){ .protocol = r->protocol, .real = *real };
	return ret;
}

int gateway_hold_answers(struct err *e, struct gateway *g, const struct route_list *routes)
{
	for (size_t i = 0; i < routes->n; i++) {
		const struct route *r = &routes->items[i];

		for (size_t k = 0; r->kind == ROUTE_GATEWAY && k < r->n_servers; k++)
			if (gateway_hold_server(e, g, r, &r->servers[k].real) < 0)
				return -e->code;
	}
	return 0;
}

static void forget_held(struct gateway *g, uint8_t protocol, const struct endpoint *real)
{
	for (size_t i = 0; i < g->n_held; i++) {
		if (g->held[i].protocol != protocol || !endpoint_equal(&g->held[i].real, real))
			continue;
		g->held[i] = g->held[--g->n_held];
		return;
	}
}

int gateway_release_server(struct err *e, struct gateway *g, uint8_t protocol, const struct endpoint *real)
{
	if (gateway_need_routing(e, g) < 0 || routing_release(e, g->routing, protocol, real) < 0)
		return -e->code;
	forget_held(g, protocol, real);
	return 0;
}

static size_t count_servers(const struct route_list *routes)
{
	size_t n = 0;

	for (size_t i = 0; i < routes->n; i++)
		if (routes->items[i].kind == ROUTE_GATEWAY)
			n += routes->items[i].n_servers;
	return n;
}

int gateway_release_answers(struct err *e, struct gateway *g, const struct route_list *routes)
{
	size_t n = count_servers(routes);
	bool any = n > 0;

	if (n >= MANY && (gateway_need_routing(e, g) < 0 || routing_holds_any(e, g->routing, &any) < 0))
		return -e->code;
	for (size_t i = 0; any && i < routes->n; i++) {
		const struct route *r = &routes->items[i];

		for (size_t k = 0; r->kind == ROUTE_GATEWAY && k < r->n_servers; k++)
			if (gateway_release_server(e, g, r->protocol, &r->servers[k].real) < 0)
				return -e->code;
	}
	return 0;
}

void gateway_end_holds(struct gateway *g)
{
	struct err why;

	if (g->n_held > 0)
		gateway_pause(gateway_hold_ms());
	while (g->n_held > 0) {
		struct held last = g->held[--g->n_held];

		if (routing_release(&why, g->routing, last.protocol, &last.real) < 0)
			gateway_leave_undone(g, &why);
	}
	if (g->has_left && gateway_forget_left(&why, g) < 0)
		gateway_leave_undone(g, &why);
}

void gateway_unlock(struct gateway *g)
{
	store_unlock(g->store);
	gateway_end_holds(g);
}
