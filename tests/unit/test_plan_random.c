/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random routes and services: what every plan must do, whatever the difference. */
#include "plan.h"
#include "world.h"

#define VIP "198.51.100.1:32768"
#define KEYS 12

/* A kernel without a kernel: makes a change in a list of services. 0, or what IPVS would answer. */
static int apply(struct service_list *list, const struct change *c)
{
	struct service *s = (struct service *)(uintptr_t)service_find(list, &c->key);
	struct destination *d = NULL;

	for (size_t i = 0; s && i < s->n_destinations; i++)
		if (endpoint_equal(&s->destinations[i].real, &c->destination.real))
			d = &s->destinations[i];
	switch (c->op) {
	case CHANGE_ADD_SERVICE: {
		struct world w = { .actual = *list };
		struct service fresh = { .key = c->key, .persistence = c->persistence };

		if (s)
			return -EEXIST;
		memcpy(fresh.scheduler, c->scheduler, sizeof(fresh.scheduler));
		world_add_service(&w, fresh);
		*list = w.actual;
		return 0;
	}
	case CHANGE_EDIT_SERVICE:
		if (!s)
			return -ESRCH;
		memcpy(s->scheduler, c->scheduler, sizeof(s->scheduler));
		s->persistence = c->persistence;
		return 0;
	case CHANGE_DELETE_SERVICE:
		if (!s)
			return -ESRCH;
		service_clear(s);
		memmove(s, s + 1, (size_t)(&list->items[--list->n] - s) * sizeof(*s));
		return 0;
	case CHANGE_ADD_DESTINATION:
		if (!s || d)
			return s ? -EEXIST : -ESRCH;
		ck_assert_int_eq(base_reserve((void **)&s->destinations, s->n_destinations, sizeof(*d)), 0);
		s->destinations[s->n_destinations++] = c->destination;
		return 0;
	case CHANGE_EDIT_DESTINATION:
		if (!s || !d)
			return s ? -ENOENT : -ESRCH;
		*d = c->destination;
		return 0;
	case CHANGE_DELETE_DESTINATION:
		if (!s || !d)
			return s ? -ENOENT : -ESRCH;
		*d = s->destinations[--s->n_destinations];
		return 0;
	}
	return -EINVAL;
}

static struct endpoint random_real(uint64_t *seed, bool v6)
{
	struct endpoint ep = given_endpoint(v6 ? "[fd00::2]:80" : "10.0.0.2:80");

	ep.port = (uint16_t)(80 + given_below(seed, 6));
	return ep;
}

static void random_scheduler(uint64_t *seed, char *out)
{
	strcpy(out, given_below(seed, 3) ? "wrr" : "rr");
}

/* Few keys, so that routes and services meet; each differs from another in one part only. */
static struct service_key nth_key(uint32_t i)
{
	struct service_key key = given_key(i & 1 ? IPPROTO_TCP : IPPROTO_UDP, i & 2 ? VIP : "[2001:db8::1]:32768");

	key.vip.port = (uint16_t)(32768 + i / 4);
	return key;
}

static struct route random_route(uint64_t *seed, uint32_t i)
{
	struct service_key key = nth_key(i);
	struct route r = given_route("c", (uint16_t)(i + 1), VIP);

	r.id = i + 1;
	r.public = key.vip;
	r.protocol = key.protocol;
	r.kind = given_below(seed, 5) ? ROUTE_GATEWAY : ROUTE_DIRECT;
	r.state = given_below(seed, 3) ? ROUTE_OPEN : ROUTE_CLOSING;
	r.persistence = given_below(seed, 3) ? 0 : 300;
	random_scheduler(seed, r.scheduler);
	for (uint32_t n = given_below(seed, 4); n > 0; n--) {
		struct real_server rs = { .real = random_real(seed, key.vip.addr.family == AF_INET6),
					  .weight = given_below(seed, 3) };
		struct err e;

		if (given_below(seed, 4) == 0)
			strcpy(rs.drain.boot_id, "this");

		(void)!route_add_server(&e, &r, &rs); /* the same one again is left out */
	}
	return r;
}

static struct service random_service(uint64_t *seed, uint32_t i)
{
	struct service s = { .key = nth_key(i), .persistence = given_below(seed, 3) ? 0 : 300 };
	static const uint32_t methods[] = { IP_VS_CONN_F_MASQ, IP_VS_CONN_F_MASQ, IP_VS_CONN_F_TUNNEL,
					    IP_VS_CONN_F_DROUTE };

	random_scheduler(seed, s.scheduler);
	for (uint32_t port = 80, n = 0; port < 86 && n < 4; port++) {
		char real[32];

		if (given_below(seed, 2))
			continue;
		snprintf(real, sizeof(real), s.key.vip.addr.family == AF_INET6 ? "[fd00::2]:%u" : "10.0.0.2:%u", port);
		given_destination(&s, real, given_below(seed, 3), methods[given_below(seed, ARRAY_LEN(methods))]);
	}
	return s;
}

static void random_world(uint64_t *seed, struct world *w)
{
	struct err e;

	*w = (struct world){ 0 };
	for (uint32_t i = 0; i < KEYS; i++) {
		if (given_below(seed, 3)) {
			struct route r = random_route(seed, i);

			ck_assert_int_eq(route_list_take(&e, &w->desired, &r), 0);
		}
		if (given_below(seed, 3))
			world_add_service(w, random_service(seed, i));
	}
	if (given_below(seed, 2)) {
		struct service mark = random_service(seed, 0);

		mark.fwmark = 5;
		world_add_service(w, mark);
	}
}

static struct service_list copy_services(const struct service_list *from)
{
	struct service_list to = { 0 };
	struct err e;

	for (size_t i = 0; i < from->n; i++) {
		struct service s = from->items[i];

		s.destinations = NULL;
		s.n_destinations = 0;
		for (size_t k = 0; k < from->items[i].n_destinations; k++) {
			ck_assert_int_eq(base_reserve((void **)&s.destinations, k, sizeof(*s.destinations)), 0);
			s.destinations[s.n_destinations++] = from->items[i].destinations[k];
		}
		ck_assert_int_eq(service_list_add(&e, &to, &s), 0);
	}
	return to;
}

static bool same_service(const struct service *a, const struct service *b)
{
	if (service_compare(a, b) != 0 || strcmp(a->scheduler, b->scheduler) != 0 ||
	    a->persistence != b->persistence || a->n_destinations != b->n_destinations)
		return false;
	for (size_t i = 0; i < a->n_destinations; i++)
		if (!endpoint_equal(&a->destinations[i].real, &b->destinations[i].real) ||
		    a->destinations[i].weight != b->destinations[i].weight ||
		    a->destinations[i].method != b->destinations[i].method)
			return false;
	return true;
}

static bool same_key(const struct service *a, const struct service *b)
{
	return service_compare(a, b) == 0 && b->destinations == NULL;
}

static bool has_server(const struct service *s, const struct real_server *want)
{
	for (size_t i = 0; i < s->n_destinations; i++)
		if (endpoint_equal(&s->destinations[i].real, &want->real))
			return s->destinations[i].weight == (want->drain.boot_id[0] ? 0 : want->weight) &&
			       s->destinations[i].method == IP_VS_CONN_F_MASQ;
	return false;
}

/* Is this what the route wants of the kernel? had: its service was there before the plan. */
static bool fulfilled(const struct route *r, bool had, const struct service *s)
{
	if (r->state == ROUTE_CLOSING)
		return had ? s && s->n_destinations == 0 : !s;
	if (!s || strcmp(s->scheduler, r->scheduler) != 0 || s->persistence != r->persistence ||
	    s->n_destinations != r->n_servers)
		return false;
	for (size_t i = 0; i < r->n_servers; i++)
		if (!has_server(s, &r->servers[i]))
			return false;
	return true;
}

static const struct route *owner(const struct route_list *routes, const struct service *s)
{
	for (size_t i = 0; i < routes->n && !s->fwmark; i++) {
		struct service_key key = route_service_key(&routes->items[i]);

		if (routes->items[i].kind == ROUTE_GATEWAY && service_key_equal(&key, &s->key))
			return &routes->items[i];
	}
	return NULL;
}

/* Which addresses and ports are ours, by chance: none, one or both of the addresses of the keys. */
struct realm {
	struct addr vips[2];
	struct plan_realm plan;
};

static void random_realm(uint64_t *seed, struct realm *r)
{
	*r = (struct realm){ .plan = { .vips = r->vips } };
	for (uint32_t i = 0; i < 2; i++)
		if (given_below(seed, 2))
			r->vips[r->plan.n_vips++] = nth_key(i * 2).vip.addr;
	r->plan.port_first = (uint16_t)(32768 + given_below(seed, 3));
	r->plan.port_last = (uint16_t)(r->plan.port_first + given_below(seed, 3));
}

static bool is_in_pool(const struct realm *r, const struct service *s)
{
	return !s->fwmark && s->key.vip.port >= r->plan.port_first && s->key.vip.port <= r->plan.port_last;
}

static bool is_on_vip(const struct realm *r, const struct service *s)
{
	return (r->plan.n_vips > 0 && addr_equal(&s->key.vip.addr, &r->vips[0])) ||
	       (r->plan.n_vips > 1 && addr_equal(&s->key.vip.addr, &r->vips[1]));
}

static bool is_orphan(const struct world *w, const struct realm *r, const struct service *s)
{
	return is_in_pool(r, s) && is_on_vip(r, s) && !owner(&w->desired, s);
}

/* Every service that is not a route's is an orphan, foreign, or of no interest. */
static void check_orphans(const struct world *w, const struct realm *r, const struct service_list *orphans,
			  const struct service_list *foreign, int seed)
{
	size_t n_orphans = 0, n_foreign = 0;

	for (size_t i = 0; i < w->actual.n; i++) {
		const struct service *s = &w->actual.items[i];
		bool unowned = is_in_pool(r, s) && !owner(&w->desired, s);

		if (unowned && is_on_vip(r, s))
			ck_assert_msg(n_orphans < orphans->n && same_key(s, &orphans->items[n_orphans++]),
				      "seed %d: service %zu is not said to be an orphan", seed, i);
		else if (unowned)
			ck_assert_msg(n_foreign < foreign->n && same_key(s, &foreign->items[n_foreign++]),
				      "seed %d: service %zu is not said to be foreign", seed, i);
	}
	ck_assert_msg(n_orphans == orphans->n && n_foreign == foreign->n, "seed %d: too many are named", seed);
}

/* What may be changed: services of routes, as long as they are not deleted, and orphans, to be deleted. */
static void check_change(const struct world *w, const struct realm *r, const struct change *c, int seed)
{
	const struct service s = { .key = c->key };

	ck_assert_msg(c->op == CHANGE_DELETE_SERVICE ? is_orphan(w, r, &s) : owner(&w->desired, &s) != NULL,
		      "seed %d: a service that is not ours is to be changed, or one that is, deleted", seed);
}

static void check_result(const struct world *before, const struct realm *realm, const struct service_list *after,
			 int seed)
{
	size_t n_foreign = 0;

	for (size_t i = 0; i < before->desired.n; i++) {
		const struct route *r = &before->desired.items[i];
		struct service_key key = route_service_key(r);

		if (r->kind == ROUTE_GATEWAY)
			ck_assert_msg(fulfilled(r, service_find(&before->actual, &key), service_find(after, &key)),
				      "seed %d: route %d is not as desired", seed, (int)r->id);
	}
	for (size_t i = 0; i < after->n; i++) {
		const struct service *s = &after->items[i];
		const struct service *was = bsearch(s, before->actual.items, before->actual.n, sizeof(*s),
						    service_compare);

		if (owner(&before->desired, s))
			continue;
		n_foreign++;
		ck_assert_msg(!is_orphan(before, realm, s), "seed %d: an orphan is left", seed);
		ck_assert_msg(was && same_service(s, was), "seed %d: a foreign service was touched", seed);
	}
	for (size_t i = 0; i < before->actual.n; i++)
		n_foreign -= !owner(&before->desired, &before->actual.items[i]) &&
			     !is_orphan(before, realm, &before->actual.items[i]);
	ck_assert_msg(n_foreign == 0, "seed %d: a foreign service is gone", seed);
}

/* As a sync does. */
static void make_plan(const struct world *w, const struct realm *realm, struct plan *p, int seed)
{
	CLEANUP(service_list_clear) struct service_list orphans = { 0 }, foreign = { 0 };
	struct err e;

	ck_assert_int_eq(plan_make(&e, &w->desired, &w->actual, p), 0);
	ck_assert_int_eq(plan_orphans(&e, &realm->plan, &w->desired, &w->actual, &orphans, &foreign), 0);
	ck_assert_int_eq(plan_delete(&e, p, &orphans), 0);
	check_orphans(w, realm, &orphans, &foreign, seed);
}

START_TEST(a_plan_that_is_carried_out_leaves_nothing_to_plan)
{
	for (int run = 0; run < (int)unit_many(2000); run++) {
		CLEANUP(world_clear) struct world w;
		CLEANUP(plan_clear) struct plan p = { 0 }, again = { 0 };
		CLEANUP(service_list_clear) struct service_list after = { 0 };
		uint64_t seed = (uint64_t)run;
		struct realm realm;

		random_world(&seed, &w);
		random_realm(&seed, &realm);
		after = copy_services(&w.actual);
		make_plan(&w, &realm, &p, run);
		for (size_t i = 0; i < p.changes.n; i++) {
			int ret = apply(&after, &p.changes.items[i]);
			char buf[CHANGE_STRLEN];

			check_change(&w, &realm, &p.changes.items[i], run);
			ck_assert_msg(ret == 0, "seed %d: cannot %s: %s", run,
				      change_format(&p.changes.items[i], buf), strerror(-ret));
		}
		check_result(&w, &realm, &after, run);
		make_plan(&(struct world){ .desired = w.desired, .actual = after }, &realm, &again, run);
		ck_assert_msg(again.changes.n == 0 && again.n_restarted == 0, "seed %d: still to do", run);
	}
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, a_plan_that_is_carried_out_leaves_nothing_to_plan);
}

int main(void)
{
	return unit_main("plan_random", add);
}
