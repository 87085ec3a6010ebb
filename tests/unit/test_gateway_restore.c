/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Restoring routes and workers, all or none: what is kept, added, taken over
 * and refused.
 */
#include "hub.h"

static const struct worker_list no_workers;

static void give(struct route_list *routes, struct route r)
{
	struct err e;

	ck_assert_int_eq(route_list_take(&e, routes, &r), 0);
}

static struct route document_route(const char *container, uint16_t cport, const char *public, const char *real)
{
	struct route r = given_route(container, cport, public);

	r.opened_at = 0;
	given_server(&r, real, 100);
	return r;
}

/* What a document has: two gateway routes, one with two real servers, and a direct one. */
static struct route_list document(void)
{
	struct route_list routes = { 0 };
	struct route dns = document_route("dns", 53, "127.0.0.1:32800", "10.0.0.11:53");
	struct route direct = document_route("abc", 80, "203.0.113.7:80", "203.0.113.7:80");
	struct route web = document_route("web", 80, "127.0.0.1:32800", "10.0.0.11:80");

	dns.protocol = IPPROTO_UDP;
	direct.kind = ROUTE_DIRECT;
	strcpy(direct.worker, "w1");
	given_server(&web, "10.0.0.12:80", 50);
	web.persistence = 300;
	give(&routes, web);
	give(&routes, dns);
	give(&routes, direct);
	return routes;
}

static struct worker_list document_workers(void)
{
	static struct worker workers[2];

	workers[0] = (struct worker){ .name = "w1", .nat = NAT_NONE, .is_public = true, .n_addresses = 1 };
	workers[0].addresses[0] = given_addr("203.0.113.7");
	workers[1] = (struct worker){ .name = "w2", .nat = NAT_SYMMETRIC };
	return (struct worker_list){ .items = workers, .n = 2 };
}

static struct restored must_restore(struct hub *h, struct route_list *routes, const struct worker_list *workers,
				    bool adopt)
{
	struct restored out = { 0 };
	struct err e = { 0 };

	ck_assert_msg(gateway_restore(&e, h->g, routes, workers, adopt, &out) == 0, "%s", e.msg);
	check_in_sync(h);
	return out;
}

static void refused(struct hub *h, struct route_list *routes, const struct worker_list *workers, bool adopt,
		    int code, const char *text)
{
	CLEANUP_FREE char *before = hub_picture(h);
	CLEANUP_FREE char *after = NULL;
	struct restored out = { .added = 77 };
	struct err e = { 0 };

	ck_assert_msg(gateway_restore(&e, h->g, routes, workers, adopt, &out) == -code, "%d instead of %d: %s",
		      e.code, code, e.msg);
	ck_assert_msg(strstr(e.msg, text), "'%s' is not in '%s'", text, e.msg);
	ck_assert_uint_eq(out.added, 77);
	after = hub_picture(h);
	ck_assert_str_eq(before, after);
}

START_TEST(what_is_restored_is_there_and_the_same_again_is_kept)
{
	struct worker_list workers = document_workers();
	CLEANUP_FREE char *first = NULL;
	CLEANUP_FREE char *second = NULL;
	struct restored out;
	struct hub h;

	hub_open(&h);
	for (int i = 0; i < 2; i++) {
		CLEANUP(route_list_clear) struct route_list routes = document();

		out = must_restore(&h, &routes, &workers, false);
		ck_assert_uint_eq(out.added, i == 0 ? 3 : 0);
		ck_assert_uint_eq(out.kept, i == 0 ? 0 : 3);
		ck_assert_uint_eq(out.workers, i == 0 ? 2 : 0);
		ck_assert_uint_eq(out.adopted, 0);
		for (size_t k = 0; k < 3; k++) {
			ck_assert_int_gt(routes.items[k].id, 0);
			ck_assert_int_gt(routes.items[k].opened_at, time(NULL) - 60);
		}
		*(i == 0 ? &first : &second) = hub_picture(&h);
	}
	ck_assert_str_eq(first, second);
	ck_assert_uint_eq(count_destinations(&h), 3);
	hub_close(&h);
}
END_TEST

START_TEST(a_worker_that_is_known_otherwise_is_changed)
{
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	struct worker_list workers = document_workers();
	struct worker w;
	struct hub h;
	struct err e;

	hub_open(&h);
	must_restore(&h, &routes, &workers, false);
	workers.items[1].nat = NAT_FULL;
	ck_assert_uint_eq(must_restore(&h, &routes, &workers, false).workers, 1);
	ck_assert_int_eq(store_worker(&e, h.g->store, "w2", &w), 1);
	ck_assert_int_eq(w.nat, NAT_FULL);
	workers.items[0].n_addresses = 0;
	refused(&h, &routes, &workers, false, EINVAL, "has no public address");
	hub_close(&h);
}
END_TEST

START_TEST(a_kept_route_that_the_kernel_has_lost_is_made_again)
{
	CLEANUP(route_list_clear) struct route_list first = document();
	CLEANUP(route_list_clear) struct route_list routes = document();
	struct hub h;

	hub_open(&h);
	must_restore(&h, &first, &no_workers, false);
	service_list_clear(&h.kernel.services);
	ck_assert_uint_eq(must_restore(&h, &routes, &no_workers, false).kept, 3);
	ck_assert_uint_eq(h.kernel.services.n, 2);
	hub_close(&h);
}
END_TEST

START_TEST(a_closing_route_opens_again_with_its_account)
{
	CLEANUP(route_list_clear) struct route_list first = document();
	CLEANUP(route_list_clear) struct route_list routes = document();
	CLEANUP(route_clear) struct route r = { 0 };
	CLEANUP(reading_list_clear) struct reading_list readings = { 0 };
	struct hub h;
	struct err e;

	hub_open(&h);
	must_restore(&h, &first, &no_workers, false);
	transfer(&h, 10);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	ck_assert_uint_eq(must_restore(&h, &routes, &no_workers, false).added, 1);
	r = hub_route(&h, "web", 80);
	ck_assert_int_eq(r.state, ROUTE_OPEN);
	ck_assert_int_eq(gateway_read(&e, h.g, "web", &readings), 0);
	ck_assert_uint_eq(readings.items[0].total.inbytes, 10);
	hub_close(&h);
}
END_TEST

struct spoiled {
	const char *what; /* in the message */
	int code;
	void (*spoil)(struct route *web);
};

static void move_out_of_pool(struct route *r)
{
	r->public.port = 80;
}

static void move_to_a_stranger(struct route *r)
{
	r->public = given_endpoint("192.0.2.1:32800");
}

static void take_the_others_endpoint(struct route *r)
{
	r->protocol = IPPROTO_UDP;
}

static void have_no_server(struct route *r)
{
	r->n_servers = 0;
}

static void mix_families(struct route *r)
{
	given_server(r, "[fd00::11]:80", 1);
}

static void have_no_scheduler(struct route *r)
{
	r->scheduler[0] = '\0';
}

static void have_a_strange_scheduler(struct route *r)
{
	strcpy(r->scheduler, "nosuch");
}

static void have_no_name(struct route *r)
{
	r->container[0] = '\0';
}

static void have_a_strange_worker(struct route *r)
{
	strcpy(r->worker, "-");
}

static const struct spoiled spoiled[] = {
	{ "port", EINVAL, move_out_of_pool },
	{ "192.0.2.1", EINVAL, move_to_a_stranger },
	{ "", EEXIST, take_the_others_endpoint },
	{ "container web, port 80/tcp: it has no real server", EINVAL, have_no_server },
	{ "IPv4 and IPv6", EINVAL, mix_families },
	{ "scheduler", EINVAL, have_no_scheduler },
	{ "no scheduler 'nosuch'", EINVAL, have_a_strange_scheduler },
	{ "the container ID is empty", EINVAL, have_no_name },
	{ "worker's name", EINVAL, have_a_strange_worker },
};

START_TEST(one_bad_route_and_nothing_is_restored)
{
	struct worker_list workers = document_workers();

	for (size_t i = 0; i < ARRAY_LEN(spoiled); i++) {
		CLEANUP(route_list_clear) struct route_list routes = document();
		struct hub h;

		hub_open(&h);
		spoiled[i].spoil(&routes.items[0]);
		refused(&h, &routes, &workers, false, spoiled[i].code, spoiled[i].what);
		hub_close(&h);
	}
}
END_TEST

START_TEST(a_gateway_route_needs_a_hub_that_is_a_gateway)
{
	CLEANUP(route_list_clear) struct route_list routes = document();
	struct hub h;

	hub_open(&h);
	h.config.is_gateway = false;
	refused(&h, &routes, &no_workers, false, EINVAL, "this hub is not a gateway");
	hub_close(&h);
}
END_TEST

START_TEST(what_is_published_differently_is_a_conflict)
{
	CLEANUP(route_list_clear) struct route_list first = document();
	CLEANUP(route_list_clear) struct route_list routes = document();
	CLEANUP(route_list_clear) struct route_list twice = document();
	struct hub h;

	hub_open(&h);
	must_restore(&h, &first, &no_workers, false);
	ck_assert_str_eq(routes.items[0].container, "web");
	routes.items[0].public.port++;
	refused(&h, &routes, &no_workers, false, EEXIST, "is published as [80/tcp->127.0.0.1:32800] already");
	routes.items[2].public.port--; /* sorted meanwhile: web is the last */
	routes.items[2].servers[0].weight++;
	refused(&h, &routes, &no_workers, false, EEXIST, "with other settings");
	strcpy(twice.items[0].container, "other");
	refused(&h, &twice, &no_workers, false, EEXIST, "web");
	give(&twice, document_route("other", 80, "127.0.0.1:32801", "10.0.0.11:80"));
	refused(&h, &twice, &no_workers, false, EINVAL, "it is there twice");
	hub_close(&h);
}
END_TEST

/* The services of the document, as somebody else has made them; 10 bytes each. */
static void make_services(struct hub *h)
{
	CLEANUP(route_list_clear) struct route_list routes = document();
	struct err e;

	for (size_t i = 0; i < 2; i++) {
		const struct route *r = &routes.items[i];
		struct service s = { .key = route_service_key(r), .persistence = r->persistence, .scheduler = "wrr" };

		for (size_t k = 0; k < r->n_servers; k++) {
			ck_assert_int_eq(base_reserve((void **)&s.destinations, k, sizeof(*s.destinations)), 0);
			s.destinations[s.n_destinations++] =
				(struct destination){ .real = r->servers[k].real, .weight = r->servers[k].weight,
						      .method = IP_VS_CONN_F_MASQ };
		}
		ck_assert_int_eq(service_list_add(&e, &h->kernel.services, &s), 0);
	}
	transfer(h, 10);
}

START_TEST(services_in_the_kernel_are_adopted_as_they_are_with_what_they_have_counted)
{
	CLEANUP(route_list_clear) struct route_list routes = document();
	CLEANUP(reading_list_clear) struct reading_list readings = { 0 };
	struct restored out;
	struct hub h;
	struct err e;

	hub_open(&h);
	make_services(&h);
	refused(&h, &routes, &no_workers, false, EEXIST, "take it over with --adopt");
	out = must_restore(&h, &routes, &no_workers, true);
	ck_assert_uint_eq(out.adopted, 2);
	ck_assert_uint_eq(out.added, 1);
	ck_assert_int_eq(gateway_read(&e, h.g, NULL, &readings), 0);
	ck_assert_uint_eq(readings.n, 3);
	for (size_t i = 0; i < readings.n; i++)
		ck_assert_uint_eq(readings.items[i].total.inbytes,
				  readings.items[i].kind == ROUTE_GATEWAY ? 10 : 0);
	hub_close(&h);
}
END_TEST

static void another_scheduler(struct service *s)
{
	strcpy(s->scheduler, "rr");
}

static void one_packet(struct service *s)
{
	s->flags = IP_VS_SVC_F_ONEPACKET;
}

static void another_persistence(struct service *s)
{
	s->persistence++;
}

static void another_weight(struct service *s)
{
	s->destinations[1].weight = 1;
}

static void another_method(struct service *s)
{
	s->destinations[1].method = IP_VS_CONN_F_DROUTE;
}

static void one_less(struct service *s)
{
	s->n_destinations--;
}

static void one_more(struct service *s)
{
	ck_assert_int_eq(base_reserve((void **)&s->destinations, 2, sizeof(*s->destinations)), 0);
	s->destinations[2] = s->destinations[1];
	s->destinations[2].real.port++;
	s->n_destinations++;
}

START_TEST(a_service_that_differs_is_not_adopted_and_the_difference_is_named)
{
	static const struct {
		const char *text;
		void (*change)(struct service *s);
	} cases[] = {
		{ "has scheduler rr in the kernel and wrr in the document", another_scheduler },
		{ "has flags in the kernel that a route cannot have", one_packet },
		{ "has persistence 301 in the kernel and 300 in the document", another_persistence },
		{ "10.0.0.12:80 with weight 1 in the kernel and 50 in the document", another_weight },
		{ "does not masquerade to real server 10.0.0.12:80", another_method },
		{ "10.0.0.12:80 in the document and not in the kernel", one_less },
		{ "10.0.0.12:81 in the kernel and not in the document", one_more },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(route_list_clear) struct route_list routes = document();
		struct hub h;

		hub_open(&h);
		make_services(&h);
		cases[i].change(hub_service(&h, &routes.items[0]));
		refused(&h, &routes, &no_workers, true, EEXIST, cases[i].text);
		hub_close(&h);
	}
}
END_TEST

/* One service is there, one route is there already, one closes; a worker is known otherwise. */
static void prepare(struct hub *h)
{
	CLEANUP(route_list_clear) struct route_list routes = { 0 };
	struct err e;

	hub_set_worker(h, "w2", "203.0.113.8");
	give(&routes, document_route("web", 8080, "127.0.0.1:32810", "10.0.0.11:80"));
	give(&routes, document_route("kept", 80, "127.0.0.1:32811", "10.0.0.11:80"));
	must_restore(h, &routes, &no_workers, false);
	ck_assert_int_eq(remove_web(&e, h), 0);
	make_services(h);
}

static int restore_all(struct err *e, struct hub *h)
{
	CLEANUP(route_list_clear) struct route_list routes = document();
	struct worker_list workers = document_workers();
	struct restored out;

	give(&routes, document_route("web", 8080, "127.0.0.1:32810", "10.0.0.12:80"));
	give(&routes, document_route("kept", 80, "127.0.0.1:32811", "10.0.0.11:80"));
	give(&routes, document_route("new", 80, "127.0.0.1:32812", "10.0.0.11:80"));
	give(&routes, document_route("new", 81, "127.0.0.1:32813", "10.0.0.11:81"));
	if (gateway_restore(e, h->g, &routes, &workers, true, &out) < 0)
		return -e->code;
	ck_assert_uint_eq(out.added + out.kept + out.adopted, 7);
	return 0;
}

START_TEST(a_restore_is_made_or_leaves_everything_as_it_was)
{
	ck_assert_uint_gt(hub_refuse_each(prepare, restore_all), 10);
}
END_TEST

START_TEST(a_restore_that_hears_no_answer_is_healed)
{
	hub_silence_each(prepare, restore_all);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, what_is_restored_is_there_and_the_same_again_is_kept);
	tcase_add_test(tc, a_worker_that_is_known_otherwise_is_changed);
	tcase_add_test(tc, a_kept_route_that_the_kernel_has_lost_is_made_again);
	tcase_add_test(tc, a_closing_route_opens_again_with_its_account);
	tcase_add_test(tc, one_bad_route_and_nothing_is_restored);
	tcase_add_test(tc, a_gateway_route_needs_a_hub_that_is_a_gateway);
	tcase_add_test(tc, what_is_published_differently_is_a_conflict);
	tcase_add_test(tc, services_in_the_kernel_are_adopted_as_they_are_with_what_they_have_counted);
	tcase_add_test(tc, a_service_that_differs_is_not_adopted_and_the_difference_is_named);
	tcase_add_test(tc, a_restore_is_made_or_leaves_everything_as_it_was);
	tcase_add_test(tc, a_restore_that_hears_no_answer_is_healed);
}

int main(void)
{
	return unit_main("gateway_restore", add_tests);
}
