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

static const struct destination *destination_of(const struct service *s, const struct endpoint *real)
{
	for (size_t i = 0; i < s->n_destinations; i++)
		if (endpoint_equal(&s->destinations[i].real, real))
			return &s->destinations[i];
	return NULL;
}

static bool wants_server(const struct route *r, const struct endpoint *real)
{
	if (r->state == ROUTE_CLOSING)
		return false;
	for (size_t i = 0; i < r->n_servers; i++)
		if (endpoint_equal(&r->servers[i].real, real))
			return true;
	return false;
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
		const struct destination *have = destination_of(s, &want->real);
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

	if (open && (strcmp(s->scheduler, r->scheduler) != 0 || s->persistence != r->persistence)) {
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

int plan_make(struct err *e, const struct route_list *desired, const struct service_list *actual,
	      struct plan *out)
{
	CLEANUP(plan_clear) struct plan p = { 0 };

	for (size_t i = 0; i < desired->n; i++) {
		const struct route *r = &desired->items[i];
		struct service_key key = route_service_key(r);
		const struct service *s = service_find(actual, &key);
		int ret = 0;

		if (r->kind != ROUTE_GATEWAY)
			continue;
		if (s)
			ret = plan_present(e, r, s, &p);
		else if (r->state == ROUTE_OPEN)
			ret = plan_missing(e, r, &p);
		if (ret < 0)
			return ret;
	}
	*out = p;
	p = (struct plan){ 0 };
	return 0;
}

void plan_clear(struct plan *p)
{
	change_list_clear(&p->changes);
	free(p->restarted);
	*p = (struct plan){ 0 };
}
