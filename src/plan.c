/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plan.h"

#include <linux/ip_vs.h>
#include <string.h>

static struct change change_of(enum change_op op, const struct route *r)
{
	struct change c = { .op = op, .key = route_service_key(r), .persistence = r->persistence };

	memcpy(c.scheduler, r->scheduler, sizeof(c.scheduler));
	return c;
}

static int add_destination_change(struct err *e, struct plan *p, enum change_op op, const struct route *r,
				  const struct endpoint *real, uint32_t weight)
{
	struct change c = change_of(op, r);

	c.destination = (struct destination){ .real = *real,
					      .weight = weight,
					      .method = IP_VS_CONN_F_MASQ };
	return change_list_add(e, &p->changes, &c);
}

static bool wants_server(const struct route *r, const struct endpoint *real)
{
	if (r->state == ROUTE_CLOSING)
		return false;
	return route_find_server(r, real) != NULL;
}

static int plan_missing(struct err *e, const struct route *r, struct plan *p)
{
	struct change c = change_of(CHANGE_ADD_SERVICE, r);

	if (base_reserve((void **)&p->restarted, p->n_restarted, sizeof(*p->restarted)) < 0)
		return err_set(e, ENOMEM, "out of memory");
	p->restarted[p->n_restarted++] = r->id;
	if (change_list_add(e, &p->changes, &c) < 0)
		return -e->code;
	for (size_t i = 0; i < r->n_servers; i++)
		if (add_destination_change(e, p, CHANGE_ADD_DESTINATION, r, &r->servers[i].real,
					   server_weight(&r->servers[i])) < 0)
			return -e->code;
	return 0;
}

static int plan_wanted_servers(struct err *e, const struct route *r, const struct service *s, struct plan *p)
{
	for (size_t i = 0; i < r->n_servers; i++) {
		const struct real_server *want = &r->servers[i];
		const struct destination *have = service_find_destination(s, &want->real);
		enum change_op op = have ? CHANGE_EDIT_DESTINATION : CHANGE_ADD_DESTINATION;
		uint32_t weight = server_weight(want);

		if (have && have->weight == weight &&
		    (have->method & IP_VS_CONN_F_FWD_MASK) == IP_VS_CONN_F_MASQ)
			continue;
		if (add_destination_change(e, p, op, r, &want->real, weight) < 0)
			return -e->code;
	}
	return 0;
}

static int plan_present(struct err *e, const struct route *r, const struct service *s, struct plan *p)
{
	bool open = r->state == ROUTE_OPEN;

	if (open && (strcmp(s->scheduler, r->scheduler) != 0 || s->persistence != r->persistence || s->flags != 0)) {
		struct change c = change_of(CHANGE_EDIT_SERVICE, r);

		if (change_list_add(e, &p->changes, &c) < 0)
			return -e->code;
	}
	if (open && plan_wanted_servers(e, r, s, p) < 0)
		return -e->code;
	for (size_t i = 0; i < s->n_destinations; i++)
		if (!wants_server(r, &s->destinations[i].real) &&
		    add_destination_change(e, p, CHANGE_DELETE_DESTINATION, r, &s->destinations[i].real,
					   0) < 0)
			return -e->code;
	return 0;
}

int plan_route(struct err *e, struct plan *p, const struct route *r, const struct service *s)
{
	if (r->kind != ROUTE_GATEWAY)
		return 0;
	if (s)
		return plan_present(e, r, s, p);
	return r->state == ROUTE_OPEN ? plan_missing(e, r, p) : 0;
}

int plan_make(struct err *e, const struct route_list *desired, const struct service_list *actual,
	      struct plan *out)
{
	CLEANUP(plan_clear) struct plan p = { 0 };

	for (size_t i = 0; i < desired->n; i++) {
		struct service_key key = route_service_key(&desired->items[i]);

		if (plan_route(e, &p, &desired->items[i], service_find(actual, &key)) < 0)
			return -e->code;
	}
	*out = p;
	p = (struct plan){ 0 };
	return 0;
}

static int compare_keys(const void *a, const void *b)
{
	const struct service sa = { .key = *(const struct service_key *)a };
	const struct service sb = { .key = *(const struct service_key *)b };

	return service_compare(&sa, &sb);
}

/* The keys of all routes that have a service, sorted; *out is the caller's. */
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

static bool is_on_vip(const struct plan_realm *realm, const struct addr *a)
{
	for (size_t i = 0; i < realm->n_vips; i++)
		if (addr_equal(&realm->vips[i], a))
			return true;
	return false;
}

static int add_copy(struct err *e, struct service_list *list, const struct service *s)
{
	struct service copy = *s;

	copy.destinations = NULL;
	copy.n_destinations = 0;
	return service_list_add(e, list, &copy);
}

int plan_orphans(struct err *e, const struct plan_realm *realm, const struct route_list *desired,
		 const struct service_list *actual, struct service_list *orphans,
		 struct service_list *foreign)
{
	CLEANUP_FREE struct service_key *keys = NULL;
	size_t n = 0;

	if (route_keys(e, desired, &keys, &n) < 0)
		return -e->code;
	for (size_t i = 0; i < actual->n; i++) {
		const struct service *s = &actual->items[i];
		uint16_t port = s->key.vip.port;

		if (s->fwmark || port < realm->port_first || port > realm->port_last ||
		    bsearch(&s->key, keys, n, sizeof(*keys), compare_keys))
			continue;
		if (add_copy(e, is_on_vip(realm, &s->key.vip.addr) ? orphans : foreign, s) < 0)
			return -e->code;
	}
	return 0;
}

int plan_delete(struct err *e, struct plan *p, const struct service_list *orphans)
{
	for (size_t i = 0; i < orphans->n; i++) {
		const struct change c = { .op = CHANGE_DELETE_SERVICE, .key = orphans->items[i].key };

		if (change_list_add(e, &p->changes, &c) < 0)
			return -e->code;
	}
	return 0;
}

void plan_clear(struct plan *p)
{
	change_list_clear(&p->changes);
	free(p->restarted);
	*p = (struct plan){ 0 };
}
