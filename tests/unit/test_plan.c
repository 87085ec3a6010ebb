/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plan.h"
#include "world.h"

#define VIP "198.51.100.1:32768"

/* One open route with two real servers and exactly its service, and a foreign one next to it. */
static void given_world(struct world *w)
{
	struct route r = given_route("c", 80, VIP);
	struct service s = given_service(VIP), foreign = given_service("198.51.100.1:32769");
	struct err e;

	*w = (struct world){ 0 };
	r.id = 7;
	given_server(&r, "10.0.0.2:80", 100);
	given_server(&r, "10.0.0.3:80", 50);
	ck_assert_int_eq(route_list_take(&e, &w->desired, &r), 0);
	/* The kernel lists destinations in its own order and with flags of its own. */
	given_destination(&s, "10.0.0.3:80", 50, IP_VS_CONN_F_MASQ | IP_VS_CONN_F_NOOUTPUT);
	given_destination(&s, "10.0.0.2:80", 100, IP_VS_CONN_F_MASQ);
	world_add_service(w, s);
	given_destination(&foreign, "10.9.9.9:9", 9, IP_VS_CONN_F_DROUTE);
	world_add_service(w, foreign);
}

/* The plan's changes as text, a line each. */
static char *plan_text(const struct world *w, struct plan *p)
{
	struct unit_out o = { 0 };
	char buf[CHANGE_STRLEN];
	FILE *stream = unit_open(&o);
	struct err e;

	ck_assert_int_eq(plan_make(&e, &w->desired, &w->actual, p), 0);
	for (size_t i = 0; i < p->changes.n; i++)
		fprintf(stream, "%s\n", change_format(&p->changes.items[i], buf));
	fclose(stream);
	return o.text;
}

static void none(struct world *w)
{
	(void)w;
}

static void service_missing(struct world *w)
{
	service_clear(&w->actual.items[0]);
	w->actual.items[0] = w->actual.items[--w->actual.n];
}

static void everything_missing(struct world *w)
{
	service_list_clear(&w->actual);
}

static void server_missing(struct world *w)
{
	w->actual.items[0].n_destinations = 1;
}

static void server_extra(struct world *w)
{
	given_destination(&w->actual.items[0], "10.0.0.2:81", 100, IP_VS_CONN_F_MASQ);
}

static void server_moved(struct world *w)
{
	w->actual.items[0].destinations[1].real = given_endpoint("10.0.0.4:80");
}

static void wrong_weight(struct world *w)
{
	w->actual.items[0].destinations[1].weight = 0;
}

static void weight_zero_is_wanted(struct world *w)
{
	w->desired.items[0].servers[0].weight = 0;
}

static void draining(struct world *w)
{
	strcpy(w->desired.items[0].servers[0].drain.boot_id, "this");
}

static void draining_as_told(struct world *w)
{
	draining(w);
	wrong_weight(w);
}

static void draining_and_missing(struct world *w)
{
	draining(w);
	service_missing(w);
}

static void draining_and_closing(struct world *w)
{
	draining(w);
	w->desired.items[0].state = ROUTE_CLOSING;
}

static void wrong_method(struct world *w)
{
	w->actual.items[0].destinations[1].method = IP_VS_CONN_F_TUNNEL;
}

static void wrong_scheduler(struct world *w)
{
	strcpy(w->actual.items[0].scheduler, "wr");
}

static void wrong_persistence(struct world *w)
{
	w->actual.items[0].persistence = 300;
}

static void one_packet(struct world *w)
{
	w->actual.items[0].flags = IP_VS_SVC_F_ONEPACKET;
}

static void persistence_is_wanted(struct world *w)
{
	w->desired.items[0].persistence = 300;
}

static void wrong_protocol(struct world *w)
{
	w->desired.items[0].protocol = IPPROTO_UDP;
}

static void closing(struct world *w)
{
	w->desired.items[0].state = ROUTE_CLOSING;
}

static void closing_and_different(struct world *w)
{
	closing(w);
	wrong_scheduler(w);
	wrong_persistence(w);
	wrong_weight(w);
}

static void closing_and_empty(struct world *w)
{
	closing(w);
	w->actual.items[0].n_destinations = 0;
}

static void closing_and_missing(struct world *w)
{
	closing(w);
	service_missing(w);
}

static void direct(struct world *w)
{
	w->desired.items[0].kind = ROUTE_DIRECT;
}

static void direct_and_missing(struct world *w)
{
	direct(w);
	service_missing(w);
}

static void firewall_mark_instead(struct world *w)
{
	w->actual.items[0].fwmark = 1;
	qsort(w->actual.items, w->actual.n, sizeof(*w->actual.items), service_compare);
}

static void no_routes(struct world *w)
{
	route_list_clear(&w->desired);
}

#define ADD_ALL                                         \
	"add service tcp " VIP " (wrr)\n"               \
	"add real server 10.0.0.2:80 to tcp " VIP " (weight 100)\n" \
	"add real server 10.0.0.3:80 to tcp " VIP " (weight 50)\n"
#define DELETE_BOTH                                       \
	"delete real server 10.0.0.3:80 from tcp " VIP "\n" \
	"delete real server 10.0.0.2:80 from tcp " VIP "\n"

static const struct {
	void (*change)(struct world *w);
	const char *plan;
	size_t n_restarted;
} cases[] = {
	{ none, "", 0 },
	{ service_missing, ADD_ALL, 1 },
	{ everything_missing, ADD_ALL, 1 },
	{ firewall_mark_instead, ADD_ALL, 1 },
	{ server_missing, "add real server 10.0.0.2:80 to tcp " VIP " (weight 100)\n", 0 },
	{ server_extra, "delete real server 10.0.0.2:81 from tcp " VIP "\n", 0 },
	{ server_moved,
	  "add real server 10.0.0.2:80 to tcp " VIP " (weight 100)\n"
	  "delete real server 10.0.0.4:80 from tcp " VIP "\n",
	  0 },
	{ wrong_weight, "edit real server 10.0.0.2:80 of tcp " VIP " (weight 100)\n", 0 },
	{ weight_zero_is_wanted, "edit real server 10.0.0.2:80 of tcp " VIP " (weight 0)\n", 0 },
	{ draining, "edit real server 10.0.0.2:80 of tcp " VIP " (weight 0)\n", 0 },
	{ draining_as_told, "", 0 },
	{ draining_and_missing,
	  "add service tcp " VIP " (wrr)\n"
	  "add real server 10.0.0.2:80 to tcp " VIP " (weight 0)\n"
	  "add real server 10.0.0.3:80 to tcp " VIP " (weight 50)\n",
	  1 },
	{ draining_and_closing, DELETE_BOTH, 0 },
	{ wrong_method, "edit real server 10.0.0.2:80 of tcp " VIP " (weight 100)\n", 0 },
	{ wrong_scheduler, "edit service tcp " VIP " (wrr)\n", 0 },
	{ wrong_persistence, "edit service tcp " VIP " (wrr)\n", 0 },
	{ one_packet, "edit service tcp " VIP " (wrr)\n", 0 },
	{ persistence_is_wanted, "edit service tcp " VIP " (wrr, persistent 300)\n", 0 },
	{ wrong_protocol,
	  "add service udp " VIP " (wrr)\n"
	  "add real server 10.0.0.2:80 to udp " VIP " (weight 100)\n"
	  "add real server 10.0.0.3:80 to udp " VIP " (weight 50)\n",
	  1 },
	{ closing, DELETE_BOTH, 0 },
	{ closing_and_different, DELETE_BOTH, 0 },
	{ closing_and_empty, "", 0 },
	{ closing_and_missing, "", 0 },
	{ direct, "", 0 },
	{ direct_and_missing, "", 0 },
	{ no_routes, "", 0 },
};

START_TEST(heals_each_difference_and_nothing_else)
{
	CLEANUP(world_clear) struct world w;
	CLEANUP(plan_clear) struct plan p = { 0 };
	CLEANUP_FREE char *text = NULL;

	given_world(&w);
	cases[_i].change(&w);
	text = plan_text(&w, &p);
	ck_assert_str_eq(text, cases[_i].plan);
	ck_assert_uint_eq(p.n_restarted, cases[_i].n_restarted);
	if (p.n_restarted)
		ck_assert_int_eq(p.restarted[0], 7);
	for (size_t i = 0; i < p.changes.n; i++)
		ck_assert_uint_eq(p.changes.items[i].destination.method, IP_VS_CONN_F_MASQ);
}
END_TEST

START_TEST(names_every_route_that_restarts_and_only_those)
{
	CLEANUP(world_clear) struct world w = { 0 };
	CLEANUP(plan_clear) struct plan p = { 0 };
	struct err e;

	for (uint16_t i = 0; i < 20; i++) {
		struct route r = given_route("c", (uint16_t)(i + 1), VIP);

		r.id = 100 + i;
		r.public.port = (uint16_t)(1000 + i);
		if (i % 3 == 0) {
			struct service s = given_service(VIP);

			s.key.vip.port = r.public.port;
			world_add_service(&w, s);
		}
		ck_assert_int_eq(route_list_take(&e, &w.desired, &r), 0);
	}
	ck_assert_int_eq(plan_make(&e, &w.desired, &w.actual, &p), 0);
	ck_assert_uint_eq(p.n_restarted, 13);
	for (size_t i = 0, k = 0; i < 20; i++)
		if (i % 3)
			ck_assert_int_eq(p.restarted[k++], 100 + (int64_t)i);
}
END_TEST

START_TEST(clearing_a_plan_makes_it_empty)
{
	CLEANUP(world_clear) struct world w;
	struct plan p = { 0 };

	given_world(&w);
	service_missing(&w);
	free(plan_text(&w, &p));
	plan_clear(&p);
	plan_clear(&p);
	ck_assert_ptr_null(p.restarted);
	ck_assert_ptr_null(p.changes.items);
	ck_assert_uint_eq(p.changes.n + p.n_restarted, 0);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, heals_each_difference_and_nothing_else, 0, ARRAY_LEN(cases));
	tcase_add_test(tc, names_every_route_that_restarts_and_only_those);
	tcase_add_test(tc, clearing_a_plan_makes_it_empty);
}

int main(void)
{
	return unit_main("plan", add);
}
