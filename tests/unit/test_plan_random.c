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
		return -EPERM; /* a plan never destroys counters */
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

static bool has_server(const struct service *s, const struct real_server *want)
{
	for (size_t i = 0; i < s->n_destinations; i++)
		if (endpoint_equal(&s->destinations[i].real, &want->real))
			return s->destinations[i].weight == want->weight &&
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

static void check_result(const struct world *before, const struct service_list *after, int seed)
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
		ck_assert_msg(was && same_service(s, was), "seed %d: a foreign service was touched", seed);
	}
	for (size_t i = 0; i < before->actual.n; i++)
		n_foreign -= !owner(&before->desired, &before->actual.items[i]);
	ck_assert_msg(n_foreign == 0, "seed %d: a foreign service is gone", seed);
}

START_TEST(a_plan_that_is_carried_out_leaves_nothing_to_plan)
{
	for (int run = 0; run < 500; run++) {
		CLEANUP(world_clear) struct world w;
		CLEANUP(plan_clear) struct plan p = { 0 }, again = { 0 };
		CLEANUP(service_list_clear) struct service_list after = { 0 };
		uint64_t seed = (uint64_t)run;
		struct err e;

		random_world(&seed, &w);
		after = copy_services(&w.actual);
		ck_assert_int_eq(plan_make(&e, &w.desired, &w.actual, &p), 0);
		for (size_t i = 0; i < p.changes.n; i++) {
			int ret = apply(&after, &p.changes.items[i]);
			char buf[CHANGE_STRLEN];

			ck_assert_msg(ret == 0, "seed %d: cannot %s: %s", run,
				      change_format(&p.changes.items[i], buf), strerror(-ret));
		}
		check_result(&w, &after, run);
		ck_assert_int_eq(plan_make(&e, &w.desired, &after, &again), 0);
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
