/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading what the kernel counts: into the account, and for who asks. */
#include "gateway_internal.h"

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

	if (gateway_boottime(e, &now) < 0)
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
	if (store_lock(e, g->store) < 0)
		return -e->code;
	return gateway_unlock(e, g, checkpoint_locked(e, g));
}

static int add_reading(struct err *e, struct reading_list *list, struct route *r,
		       const struct service_list *actual, const struct boottime *now)
{
	bool has_service = r->kind == ROUTE_GATEWAY && !gateway_is_of_another_boot(r, now);
	struct service_key key = route_service_key(r);
	const struct service *s = has_service ? service_find(actual, &key) : NULL;
	const struct counters stored = account_total(&r->account);
	struct reading reading = { .in_kernel = s != NULL };
	enum uncertain_why why;

	if (base_reserve((void **)&list->items, list->n, sizeof(reading)) < 0)
		return err_set(e, ENOMEM, "out of memory");
	if (s) {
		account_look(&r->account, now->boot_id, &s->counters, &why);
		reading.rates = s->rates;
	}
	reading.total = account_total(&r->account);
	reading.recent = counters_minus(&reading.total, &stored);
	reading.route = *r;
	*r = (struct route){ 0 };
	list->items[list->n++] = reading;
	return 0;
}

int gateway_read(struct err *e, struct gateway *g, const struct route_filter *f, struct reading_list *out)
{
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	CLEANUP(service_list_clear) struct service_list actual = { 0 };
	struct boottime now;
	int ret;

	if (gateway_boottime(e, &now) < 0 || store_routes(e, g->store, f, &routes) < 0)
		return -e->code;
	/* One container is asked for by name, all of them with one dump. */
	ret = f->container ? gateway_get_services(e, g, &routes, &actual)
			   : gateway_list_services(e, g, false, &routes, &actual);
	for (size_t i = 0; ret == 0 && i < routes.n; i++)
		ret = add_reading(e, out, &routes.items[i], &actual, &now);
	return ret;
}

void reading_list_clear(struct reading_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		route_clear(&list->items[i].route);
	free(list->items);
	*list = (struct reading_list){ 0 };
}
