/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a request to publish finds there already: workers, routes that drain or
 * close, the same container port for another protocol, other people's services.
 */
#include "hub.h"

#define TCP(port, real) { port, IPPROTO_TCP, given_endpoint(real), true }
#define UDP(port, real) { port, IPPROTO_UDP, given_endpoint(real), true }

static struct add_request request(struct port_spec *ports, size_t n)
{
	return (struct add_request){ .container = "web", .ports = ports, .n_ports = n, .weight = -1,
				     .persistence = -1 };
}

static void refused(struct hub *h, const struct add_request *rq, int code, const char *text)
{
	CLEANUP_FREE char *before = hub_picture(h);
	CLEANUP_FREE char *after = NULL;
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	struct err e = { 0 };

	ck_assert_int_eq(gateway_add(&e, h->g, rq, &out), -code);
	ck_assert_msg(strstr(e.msg, text), "'%s' is not in '%s'", text, e.msg);
	ck_assert_uint_eq(out.n, 0);
	after = hub_picture(h);
	ck_assert_str_eq(before, after);
}

START_TEST(a_public_worker_is_reached_at_its_own_address_without_the_kernel)
{
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	struct port_spec port = TCP(80, "10.0.0.11:8080");
	struct add_request rq = request(&port, 1);
	struct hub h;

	hub_open(&h);
	hub_set_worker(&h, "w1", "203.0.113.7");
	rq.worker = "w1";
	hub_add(&h, &rq, &out);
	rq.worker = NULL;
	hub_add(&h, &rq, &out);
	for (size_t i = 0; i < 2; i++) {
		char text[ROUTE_STRLEN];

		ck_assert_str_eq(route_format(&out.items[i], text), "[80/tcp->203.0.113.7:8080]");
		ck_assert_int_eq(out.items[i].kind, ROUTE_DIRECT);
		ck_assert_str_eq(out.items[i].worker, "w1");
	}
	ck_assert_uint_eq(h.kernel.n_requests, 0);
	ck_assert_uint_eq(count_routes(&h, -1), 1);
	hub_close(&h);
}
END_TEST

START_TEST(a_private_worker_is_reached_through_this_hub)
{
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	struct port_spec port = TCP(80, "10.0.0.11:80");
	struct add_request rq = request(&port, 1);
	struct hub h;

	hub_open(&h);
	hub_set_worker(&h, "w1", NULL);
	rq.worker = "w1";
	hub_add(&h, &rq, &out);
	ck_assert_int_eq(out.items[0].kind, ROUTE_GATEWAY);
	ck_assert_uint_eq(h.kernel.services.n, 1);
	h.config.is_gateway = false;
	port.cport = 81;
	refused(&h, &rq, EINVAL, "this hub is none");
	hub_close(&h);
}
END_TEST

START_TEST(what_a_worker_cannot_have_is_refused)
{
	struct port_spec ports[] = { TCP(80, "10.0.0.11:80"), TCP(80, "10.0.0.12:80") };
	struct add_request rq = request(ports, 2);
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	struct hub h;

	hub_open(&h);
	hub_set_worker(&h, "w1", "203.0.113.7");
	rq.worker = "w1";
	refused(&h, &rq, EINVAL, "its worker is public");
	rq.n_ports = 1;
	hub_add(&h, &rq, &out);
	rq.n_ports = 2;
	rq.worker = NULL; /* which it has, for the hub is a gateway */
	refused(&h, &rq, EINVAL, "its worker is public");
	rq.n_ports = 1;
	rq.worker = "w1";
	ports[0].real = given_endpoint("[fd00::11]:80");
	refused(&h, &rq, EINVAL, "no IPv6 address");
	rq.worker = "w2";
	refused(&h, &rq, ESRCH, "w2");
	rq.worker = "a worker";
	refused(&h, &rq, EINVAL, "not a worker's name");
	hub_close(&h);
}
END_TEST

START_TEST(a_route_has_one_worker_and_may_learn_it_later)
{
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	struct port_spec port = TCP(80, "10.0.0.11:80");
	struct add_request rq = request(&port, 1);
	struct hub h;

	hub_open(&h);
	hub_set_worker(&h, "w1", NULL);
	hub_set_worker(&h, "w2", NULL);
	hub_set_worker(&h, "public", "203.0.113.7");
	hub_add(&h, &rq, &out);
	rq.worker = "public";
	refused(&h, &rq, EEXIST, "with other settings");
	rq.worker = "w1";
	hub_add(&h, &rq, &out);
	ck_assert_str_eq(out.items[1].worker, "w1");
	rq.worker = NULL;
	hub_add(&h, &rq, &out);
	ck_assert_str_eq(out.items[2].worker, "w1");
	rq.worker = "w2";
	refused(&h, &rq, EEXIST, "is published on worker w1, not on w2");
	hub_close(&h);
}
END_TEST

START_TEST(the_same_container_port_has_the_same_endpoint_for_every_protocol)
{
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	struct port_spec ports[] = { TCP(53, "10.0.0.11:53"), TCP(80, "10.0.0.11:80"), UDP(53, "10.0.0.11:53") };
	struct port_spec later = { 80, IPPROTO_SCTP, given_endpoint("10.0.0.11:80"), true };
	struct add_request rq = request(ports, 3);
	struct hub h;

	hub_open(&h);
	hub_add(&h, &rq, &out);
	rq.ports = &later;
	rq.n_ports = 1;
	hub_add(&h, &rq, &out);
	ck_assert_uint_eq(out.items[1].cport, 80);
	ck_assert(endpoint_equal(&out.items[0].public, &out.items[2].public));
	ck_assert(!endpoint_equal(&out.items[0].public, &out.items[1].public));
	ck_assert(endpoint_equal(&out.items[3].public, &out.items[1].public));
	ck_assert_uint_eq(h.kernel.services.n, 4);
	check_in_sync(&h);
	hub_close(&h);
}
END_TEST

START_TEST(a_virtual_port_can_be_asked_for_once_for_each_protocol)
{
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	struct port_spec ports[] = { TCP(53, "10.0.0.11:53"), UDP(53, "10.0.0.11:53"), UDP(54, "10.0.0.11:54") };
	struct add_request rq = request(ports, 3);
	struct hub h;

	hub_open(&h);
	rq.vport = 32801;
	refused(&h, &rq, EINVAL, "--vport is for one port of a protocol");
	rq.n_ports = 2;
	hub_add(&h, &rq, &out);
	ck_assert_uint_eq(out.items[0].public.port, 32801);
	ck_assert_uint_eq(out.items[1].public.port, 32801);
	hub_close(&h);
}
END_TEST

/* web's port 80 with two real servers, and 10 bytes on its account. */
static void publish_two_servers(struct hub *h)
{
	struct port_spec ports[] = { TCP(80, "10.0.0.11:80"), TCP(80, "10.0.0.12:80") };
	struct add_request rq = request(ports, 2);
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	struct err e;

	hub_add(h, &rq, &out);
	transfer(h, 10);
	ck_assert_int_eq(gateway_checkpoint(&e, h->g), 1);
}

static int add_both(struct err *e, struct hub *h)
{
	struct port_spec ports[] = { TCP(80, "10.0.0.11:80"), TCP(80, "10.0.0.12:80") };
	struct add_request rq = request(ports, 2);
	CLEANUP(route_list_clear) struct route_list out = { 0 };

	return gateway_add(e, h->g, &rq, &out);
}

static void drain_all(struct hub *h)
{
	publish_two_servers(h);
	hub_drain(h, "web", NULL);
	check_in_sync(h);
}

static void drain_one(struct hub *h)
{
	publish_two_servers(h);
	hub_drain(h, "web", "10.0.0.12:80");
}

/* All drain, and one has left. */
static void drain_and_leave(struct hub *h)
{
	CLEANUP(route_clear) struct route r = { 0 };
	struct endpoint gone = given_endpoint("10.0.0.11:80");
	struct service *s;
	struct err e;

	drain_all(h);
	r = hub_route(h, "web", 80);
	route_drop_server(&r, &gone);
	ck_assert_int_eq(store_set_route(&e, h->g->store, &r), 0);
	s = hub_service(h, &r);
	for (size_t i = 0; i < s->n_destinations; i++)
		if (endpoint_equal(&s->destinations[i].real, &gone))
			s->destinations[i] = s->destinations[--s->n_destinations];
	check_in_sync(h);
}

START_TEST(a_route_that_drains_opens_again_with_its_account)
{
	static hub_setup_fn *const drained[] = { drain_all, drain_one, drain_and_leave };

	for (size_t i = 0; i < ARRAY_LEN(drained); i++) {
		CLEANUP(route_clear) struct route r = { 0 };
		struct err e = { 0 };
		struct hub h;

		hub_open(&h);
		drained[i](&h);
		ck_assert_msg(add_both(&e, &h) == 0, "%zu: %s", i, e.msg);
		r = hub_route(&h, "web", 80);
		ck_assert_uint_eq(account_total(&r.account).inbytes, 10);
		ck_assert_uint_eq(r.n_servers, 2);
		for (size_t k = 0; k < 2; k++) {
			ck_assert(!server_is_draining(&r.servers[k]));
			ck_assert_uint_eq(r.servers[k].weight, 100);
			ck_assert_uint_eq(hub_service(&h, &r)->destinations[k].weight, 100);
		}
		check_in_sync(&h);
		hub_close(&h);
	}
}
END_TEST

START_TEST(a_route_that_drains_takes_other_real_servers_beside_those_that_leave)
{
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	CLEANUP(route_clear) struct route r = { 0 };
	struct port_spec port = TCP(80, "10.0.0.13:80");
	struct add_request rq = request(&port, 1);
	struct hub h;

	hub_open(&h);
	drain_all(&h);
	rq.scheduler = "rr";
	hub_add(&h, &rq, &out);
	r = hub_route(&h, "web", 80);
	ck_assert_uint_eq(r.n_servers, 3);
	ck_assert(server_is_draining(&r.servers[0]) && server_is_draining(&r.servers[1]));
	ck_assert(!server_is_draining(&r.servers[2]));
	ck_assert_str_eq(hub_service(&h, &r)->scheduler, "rr");
	check_in_sync(&h);
	hub_close(&h);
}
END_TEST

START_TEST(a_route_of_which_one_real_server_drains_is_not_changed_by_an_add)
{
	struct port_spec ports[] = { TCP(80, "10.0.0.11:80"), TCP(80, "10.0.0.13:80") };
	CLEANUP_FREE char *before = NULL;
	CLEANUP_FREE char *after = NULL;
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	struct add_request rq = request(ports, 2);
	struct hub h;

	hub_open(&h);
	drain_one(&h);
	refused(&h, &rq, EEXIST, "with other settings");
	rq.n_ports = 1; /* what does not drain, the same: the other goes on leaving */
	before = hub_picture(&h);
	hub_add(&h, &rq, &out);
	after = hub_picture(&h);
	ck_assert_str_eq(before, after);
	hub_close(&h);
}
END_TEST

/* One port is there, one has lost its service, one closes, one drains. */
static void publish_some(struct hub *h)
{
	const struct route_filter one = { .container = "web", .cport = 443, .state = -1 };
	CLEANUP(route_list_clear) struct route_list closed = { 0 };
	struct port_spec port = TCP(443, "10.0.0.11:443");
	struct add_request rq = request(&port, 1);
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	struct err e;

	drain_all(h);
	hub_add(h, &rq, &out);
	ck_assert_int_eq(gateway_remove(&e, h->g, &one, &closed), 0);
	port = (struct port_spec)UDP(53, "10.0.0.11:53");
	hub_add(h, &rq, &out);
}

static int add_to_some(struct err *e, struct hub *h)
{
	struct port_spec ports[] = { TCP(80, "10.0.0.11:80"),   TCP(80, "10.0.0.13:80"), TCP(22, "10.0.0.11:22"),
				     TCP(443, "10.0.0.12:443"), UDP(53, "10.0.0.11:53"), UDP(22, "10.0.0.11:22") };
	struct add_request rq = request(ports, 6);
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	int ret = gateway_add(e, h->g, &rq, &out);

	ck_assert_uint_eq(out.n, ret == 0 ? 5 : 0);
	return ret;
}

START_TEST(an_add_to_what_is_there_is_made_or_leaves_everything_as_it_was)
{
	ck_assert_uint_ge(hub_refuse_each(publish_some, add_to_some), 15);
}
END_TEST

START_TEST(an_add_to_what_is_there_that_hears_no_answer_is_healed)
{
	hub_silence_each(publish_some, add_to_some);
}
END_TEST

/* Somebody makes the service after it was looked for. */
START_TEST(nothing_of_ours_reaches_a_service_that_somebody_else_has_just_made)
{
	CLEANUP(transition_clear) struct transition t = { 0 };
	CLEANUP_FREE char *before = NULL;
	CLEANUP_FREE char *after = NULL;
	struct service foreign = { .scheduler = "rr", .key = given_key(IPPROTO_TCP, "127.0.0.1:32801") };
	struct route none = { 0 };
	struct hub h;
	struct err e;

	hub_open(&h);
	ck_assert_int_eq(service_list_add(&e, &h.kernel.services, &foreign), 0);
	before = hub_picture(&h);
	for (uint16_t port = 80; port < 83; port++) {
		struct route r = given_route("web", port, "127.0.0.1:32800");

		r.public.port = (uint16_t)(32720 + port);
		given_server(&r, "10.0.0.11:80", 100);
		ck_assert_int_eq(route_list_take(&e, &t.wanted, &r), 0);
		ck_assert_int_eq(route_list_take(&e, &t.former, &none), 0);
	}
	ck_assert_int_eq(store_lock(&e, h.g->store), 0);
	ck_assert_int_eq(gateway_make(&e, h.g, &t), -EEXIST);
	store_unlock(h.g->store);
	after = hub_picture(&h);
	ck_assert_str_eq(before, after);
	ck_assert_int_eq(t.wanted.items[0].id, 0);
	hub_close(&h);
}
END_TEST

struct progress {
	size_t calls, done;
};

static void on_progress(void *ctx, size_t done, size_t total)
{
	struct progress *p = ctx;

	ck_assert_uint_gt(done, p->done);
	ck_assert_uint_eq(total, 2500);
	p->calls++;
	p->done = done;
}

START_TEST(a_long_work_says_how_far_it_is)
{
	CLEANUP(change_list_clear) struct change_list changes = { 0 };
	struct progress p = { 0 };
	struct hub h;
	struct err e;

	hub_open(&h);
	for (int i = 0; i < 2500; i++) {
		struct change c = { .op = CHANGE_DELETE_SERVICE, .key = given_key(IPPROTO_TCP, "127.0.0.1:1") };

		ck_assert_int_eq(change_list_add(&e, &changes, &c), 0);
	}
	gateway_on_progress(h.g, on_progress, &p);
	ck_assert_int_eq(gateway_run(&e, h.g, &changes), 2500);
	ck_assert_uint_eq(p.done, 2500);
	ck_assert_uint_eq(p.calls, 3);
	for (size_t i = 0; i < changes.n; i++)
		ck_assert_int_eq(changes.items[i].status, -ESRCH);
	hub_close(&h);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, a_public_worker_is_reached_at_its_own_address_without_the_kernel);
	tcase_add_test(tc, a_private_worker_is_reached_through_this_hub);
	tcase_add_test(tc, what_a_worker_cannot_have_is_refused);
	tcase_add_test(tc, a_route_has_one_worker_and_may_learn_it_later);
	tcase_add_test(tc, the_same_container_port_has_the_same_endpoint_for_every_protocol);
	tcase_add_test(tc, a_virtual_port_can_be_asked_for_once_for_each_protocol);
	tcase_add_test(tc, a_route_that_drains_opens_again_with_its_account);
	tcase_add_test(tc, a_route_that_drains_takes_other_real_servers_beside_those_that_leave);
	tcase_add_test(tc, a_route_of_which_one_real_server_drains_is_not_changed_by_an_add);
	tcase_add_test(tc, an_add_to_what_is_there_is_made_or_leaves_everything_as_it_was);
	tcase_add_test(tc, an_add_to_what_is_there_that_hears_no_answer_is_healed);
	tcase_add_test(tc, nothing_of_ours_reaches_a_service_that_somebody_else_has_just_made);
	tcase_add_test(tc, a_long_work_says_how_far_it_is);
}

int main(void)
{
	return unit_main("gateway_add", add_tests);
}
