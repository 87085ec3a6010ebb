/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Services that belong to no route: which are ours to delete, and which are somebody else's. */
#include "plan.h"
#include "world.h"

#define FIRST 32768
#define LAST 32770

/* One route has 198.51.100.1:32768, and these services are there. */
static const struct {
	uint8_t protocol;
	const char *vip;
	uint32_t fwmark;
	enum { NOT_NAMED, ORPHAN, FOREIGN } what;
} services[] = {
	{ IPPROTO_TCP, "198.51.100.1:32768", 0, NOT_NAMED }, /* the route's */
	{ IPPROTO_UDP, "198.51.100.1:32768", 0, ORPHAN },    /* another protocol is another port */
	{ IPPROTO_SCTP, "198.51.100.1:32768", 0, ORPHAN },
	{ IPPROTO_TCP, "198.51.100.1:32767", 0, NOT_NAMED }, /* just before the pool */
	{ IPPROTO_TCP, "198.51.100.1:32769", 0, ORPHAN },
	{ IPPROTO_TCP, "198.51.100.1:32770", 0, ORPHAN },    /* the pool's last */
	{ IPPROTO_TCP, "198.51.100.1:32771", 0, NOT_NAMED },
	{ IPPROTO_TCP, "198.51.100.2:32768", 0, FOREIGN },
	{ IPPROTO_TCP, "198.51.100.2:80", 0, NOT_NAMED },
	{ IPPROTO_UDP, "[2001:db8::1]:32768", 0, ORPHAN },
	{ IPPROTO_UDP, "[2001:db8::2]:32768", 0, FOREIGN },
	{ IPPROTO_TCP, "198.51.100.1:32769", 7, NOT_NAMED }, /* a firewall mark, whatever its key says */
};

static const char *const vips[] = { "198.51.100.1", "2001:db8::1" };

static void given_services(struct world *w)
{
	struct route r = given_route("c", 80, services[0].vip);
	struct err e;

	*w = (struct world){ 0 };
	ck_assert_int_eq(route_list_take(&e, &w->desired, &r), 0);
	for (size_t i = 0; i < ARRAY_LEN(services); i++) {
		struct service s = given_service(services[i].vip);

		s.key.protocol = services[i].protocol;
		s.fwmark = services[i].fwmark;
		given_destination(&s, s.key.vip.addr.family == AF_INET6 ? "[fd00::2]:80" : "10.0.0.2:80", 1,
				  IP_VS_CONN_F_MASQ);
		world_add_service(w, s);
	}
}

static struct plan_realm given_realm(struct addr out[static 2], size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = given_addr(vips[i]);
	return (struct plan_realm){ .vips = out, .n_vips = n, .port_first = FIRST, .port_last = LAST };
}

static size_t count(const struct service_list *list, const struct service_key *key)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++) {
		ck_assert_uint_eq(list->items[i].fwmark, 0);
		ck_assert_ptr_null(list->items[i].destinations);
		n += service_key_equal(&list->items[i].key, key);
	}
	return n;
}

START_TEST(tells_orphans_from_what_is_foreign)
{
	CLEANUP(world_clear) struct world w;
	CLEANUP(service_list_clear) struct service_list orphans = { 0 }, foreign = { 0 };
	size_t n_orphans = 0, n_foreign = 0;
	struct addr addrs[2];
	const struct plan_realm realm = given_realm(addrs, 2);
	struct err e;

	given_services(&w);
	ck_assert_int_eq(plan_orphans(&e, &realm, &w.desired, &w.actual, &orphans, &foreign), 0);
	for (size_t i = 0; i < ARRAY_LEN(services); i++) {
		struct service_key key = given_key(services[i].protocol, services[i].vip);

		n_orphans += services[i].what == ORPHAN;
		n_foreign += services[i].what == FOREIGN;
		if (services[i].fwmark)
			continue;
		ck_assert_msg(count(&orphans, &key) == (services[i].what == ORPHAN), "service %zu", i);
		ck_assert_msg(count(&foreign, &key) == (services[i].what == FOREIGN), "service %zu", i);
	}
	ck_assert_uint_eq(orphans.n, n_orphans);
	ck_assert_uint_eq(foreign.n, n_foreign);
}
END_TEST

START_TEST(without_a_vip_nothing_is_an_orphan)
{
	CLEANUP(world_clear) struct world w;
	CLEANUP(service_list_clear) struct service_list orphans = { 0 }, foreign = { 0 };
	struct addr addrs[2];
	const struct plan_realm realm = given_realm(addrs, 0);
	struct err e;

	given_services(&w);
	ck_assert_int_eq(plan_orphans(&e, &realm, &w.desired, &w.actual, &orphans, &foreign), 0);
	ck_assert_uint_eq(orphans.n, 0);
	ck_assert_uint_eq(foreign.n, 7);
}
END_TEST

START_TEST(a_closing_route_has_its_service_and_a_direct_one_has_none)
{
	static const struct {
		enum route_kind kind;
		enum route_state state;
		size_t n_orphans;
	} cases[] = {
		{ ROUTE_GATEWAY, ROUTE_OPEN, 0 },
		{ ROUTE_GATEWAY, ROUTE_CLOSING, 0 },
		{ ROUTE_DIRECT, ROUTE_OPEN, 1 },
	};
	struct addr addrs[2];
	const struct plan_realm realm = given_realm(addrs, 1);
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(service_list_clear) struct service_list orphans = { 0 }, foreign = { 0 };
		CLEANUP(world_clear) struct world w = { 0 };
		struct route r = given_route("c", 80, services[0].vip);

		r.kind = cases[i].kind;
		r.state = cases[i].state;
		ck_assert_int_eq(route_list_take(&e, &w.desired, &r), 0);
		world_add_service(&w, given_service(services[0].vip));
		ck_assert_int_eq(plan_orphans(&e, &realm, &w.desired, &w.actual, &orphans, &foreign), 0);
		ck_assert_msg(orphans.n == cases[i].n_orphans && foreign.n == 0, "case %zu", i);
	}
}
END_TEST

START_TEST(orphans_are_deleted_after_everything_else)
{
	CLEANUP(world_clear) struct world w;
	CLEANUP(service_list_clear) struct service_list orphans = { 0 }, foreign = { 0 };
	CLEANUP(plan_clear) struct plan p = { 0 };
	struct addr addrs[2];
	const struct plan_realm realm = given_realm(addrs, 1);
	char text[CHANGE_STRLEN];
	struct err e;

	given_services(&w);
	w.desired.items[0].persistence = 5;
	ck_assert_int_eq(plan_make(&e, &w.desired, &w.actual, &p), 0);
	ck_assert_uint_eq(p.changes.n, 2); /* the service is edited, its real server is not wanted */
	ck_assert_int_eq(plan_orphans(&e, &realm, &w.desired, &w.actual, &orphans, &foreign), 0);
	ck_assert_int_eq(plan_delete(&e, &p, &orphans), 0);
	ck_assert_uint_eq(orphans.n, 4);
	ck_assert_uint_eq(p.changes.n, 2 + 4);
	ck_assert_uint_eq(p.n_restarted, 0);
	ck_assert_str_eq(change_format(&p.changes.items[2], text), "delete service udp 198.51.100.1:32768");
	for (size_t i = 0; i < orphans.n; i++) {
		ck_assert_int_eq(p.changes.items[2 + i].op, CHANGE_DELETE_SERVICE);
		ck_assert(service_key_equal(&p.changes.items[2 + i].key, &orphans.items[i].key));
	}
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, tells_orphans_from_what_is_foreign);
	tcase_add_test(tc, without_a_vip_nothing_is_an_orphan);
	tcase_add_test(tc, a_closing_route_has_its_service_and_a_direct_one_has_none);
	tcase_add_test(tc, orphans_are_deleted_after_everything_else);
}

int main(void)
{
	return unit_main("plan_orphans", add);
}
