/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Editing what is published: all that is asked for, or nothing, in state file and
 * kernel alike; the account goes on.
 */
#include "hub.h"

#define EDIT { .container = "web", .weight = -1, .persistence = -1 }

static const struct port_spec tcp80 = { .cport = 80, .protocol = IPPROTO_TCP };

/* web: 80/tcp with two real servers, 53/udp; 10 bytes each. */
static void publish(struct hub *h)
{
	struct port_spec ports[] = { { 80, IPPROTO_TCP, given_endpoint("10.0.0.11:80"), true },
				     { 80, IPPROTO_TCP, given_endpoint("10.0.0.12:80"), true },
				     { 53, IPPROTO_UDP, given_endpoint("10.0.0.11:53"), true } };
	struct add_request rq = { .container = "web", .ports = ports, .n_ports = 3, .weight = -1,
				  .persistence = -1 };
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	struct err e;

	hub_add(h, &rq, &out);
	transfer(h, 10);
	ck_assert_int_eq(gateway_checkpoint(&e, h->g), 2);
}

static void refused(struct hub *h, const struct edit_request *rq, int code, const char *text)
{
	CLEANUP_FREE char *before = hub_picture(h);
	CLEANUP_FREE char *after = NULL;
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	struct err e = { 0 };

	ck_assert_msg(gateway_edit(&e, h->g, rq, &out) == -code, "%d instead of %d: %s", e.code, code, e.msg);
	ck_assert_msg(strstr(e.msg, text), "'%s' is not in '%s'", text, e.msg);
	ck_assert_uint_eq(out.n, 0);
	after = hub_picture(h);
	ck_assert_str_eq(before, after);
}

static void must_edit(struct hub *h, const struct edit_request *rq, size_t n)
{
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	struct err e = { 0 };

	ck_assert_msg(gateway_edit(&e, h->g, rq, &out) == 0, "%s", e.msg);
	ck_assert_uint_eq(out.n, n);
	check_in_sync(h);
}

START_TEST(scheduler_weight_and_persistence_are_edited_where_they_are_meant)
{
	CLEANUP(route_clear) struct route web = { 0 };
	CLEANUP(route_clear) struct route dns = { 0 };
	struct edit_request rq = EDIT;
	struct hub h;

	hub_open(&h);
	publish(&h);
	rq.scheduler = "rr";
	must_edit(&h, &rq, 2);
	rq = (struct edit_request)EDIT;
	rq.ports = &tcp80;
	rq.n_ports = 1;
	rq.weight = 7;
	rq.persistence = 300;
	must_edit(&h, &rq, 1);
	web = hub_route(&h, "web", 80);
	dns = hub_route(&h, "web", 53);
	ck_assert_str_eq(hub_service(&h, &web)->scheduler, "rr");
	ck_assert_uint_eq(hub_service(&h, &web)->persistence, 300);
	ck_assert_uint_eq(hub_service(&h, &web)->destinations[0].weight, 7);
	ck_assert_uint_eq(hub_service(&h, &web)->destinations[1].weight, 7);
	ck_assert_uint_eq(account_total(&web.account).inbytes, 10);
	ck_assert_uint_eq(hub_service(&h, &web)->counters.inbytes, 10); /* it is the same service */
	ck_assert_str_eq(hub_service(&h, &dns)->scheduler, "rr");
	ck_assert_uint_eq(hub_service(&h, &dns)->persistence, 0);
	ck_assert_uint_eq(hub_service(&h, &dns)->destinations[0].weight, 100);
	rq.weight = -1;
	rq.persistence = 0;
	must_edit(&h, &rq, 1);
	ck_assert_uint_eq(hub_service(&h, &web)->persistence, 0);
	hub_close(&h);
}
END_TEST

START_TEST(a_real_server_that_is_named_is_edited_or_added)
{
	struct port_spec port = tcp80;
	struct edit_request rq = EDIT;
	CLEANUP(route_clear) struct route r = { 0 };
	struct hub h;

	hub_open(&h);
	publish(&h);
	rq.ports = &port;
	rq.n_ports = 1;
	port.has_real = true;
	port.real = given_endpoint("10.0.0.12:80");
	rq.weight = 50;
	must_edit(&h, &rq, 1);
	port.real = given_endpoint("10.0.0.13:80");
	rq.weight = -1;
	must_edit(&h, &rq, 1);
	r = hub_route(&h, "web", 80);
	ck_assert_uint_eq(r.n_servers, 3);
	ck_assert_uint_eq(r.servers[0].weight, 100);
	ck_assert_uint_eq(r.servers[1].weight, 50);
	ck_assert_uint_eq(r.servers[2].weight, 100);
	ck_assert_uint_eq(hub_service(&h, &r)->n_destinations, 3);
	hub_close(&h);
}
END_TEST

START_TEST(a_real_server_that_drains_and_is_named_drains_no_more)
{
	struct port_spec port = { 80, IPPROTO_TCP, given_endpoint("10.0.0.12:80"), true };
	struct edit_request rq = EDIT;
	CLEANUP(route_clear) struct route r = { 0 };
	struct hub h;

	hub_open(&h);
	hub_publish(&h, "web", "10.0.0.12:80");
	hub_drain(&h, "web", NULL);
	check_in_sync(&h);
	rq.ports = &port;
	rq.n_ports = 1;
	must_edit(&h, &rq, 1);
	r = hub_route(&h, "web", 80);
	ck_assert(!server_is_draining(&r.servers[0]));
	ck_assert_uint_eq(hub_service(&h, &r)->destinations[0].weight, 100);
	hub_close(&h);
}
END_TEST

START_TEST(a_real_server_that_is_replaced_drains_until_it_is_idle)
{
	const struct endpoint old = given_endpoint("10.0.0.12:80");
	struct port_spec port = { 80, IPPROTO_TCP, given_endpoint("10.0.0.13:80"), true };
	struct edit_request rq = EDIT;
	struct hub h;

	for (uint32_t active = 0; active < 2; active++) {
		CLEANUP(route_clear) struct route r = { 0 };

		hub_open(&h);
		hub_publish(&h, "web", "10.0.0.12:80");
		h.kernel.services.items[0].destinations[0].active = active;
		rq.ports = &port;
		rq.n_ports = 1;
		rq.replace = &old;
		must_edit(&h, &rq, 1);
		r = hub_route(&h, "web", 80);
		ck_assert_uint_eq(r.n_servers, 1 + active);
		ck_assert_uint_eq(hub_service(&h, &r)->n_destinations, 1 + active);
		ck_assert(route_find_server(&r, &port.real));
		if (active) {
			ck_assert(server_is_draining(&r.servers[0]));
			ck_assert_int_eq(r.servers[0].drain.ms, BOOTTIME_NEVER);
		}
		hub_close(&h);
	}
}
END_TEST

START_TEST(what_cannot_be_edited_is_refused_and_said_why)
{
	const struct endpoint old = given_endpoint("10.0.0.12:80"), stranger = given_endpoint("10.0.0.99:80");
	struct port_spec port = tcp80;
	struct edit_request rq = EDIT;
	struct hub h;

	hub_open(&h);
	publish(&h);
	refused(&h, &rq, EINVAL, "nothing to edit");
	rq.scheduler = "nosuch";
	refused(&h, &rq, EINVAL, "no scheduler 'nosuch'");
	rq.scheduler = "a-name-that-is-too-long";
	refused(&h, &rq, EINVAL, "not the name of a scheduler");
	rq.scheduler = "r\033r";
	refused(&h, &rq, EINVAL, "not the name of a scheduler");
	rq.scheduler = "rr";
	rq.container = "nobody";
	refused(&h, &rq, ESRCH, "container nobody has no open route");
	rq.container = "web";
	rq.ports = &port;
	rq.n_ports = 1;
	port.cport = 81;
	refused(&h, &rq, ESRCH, "no open route for port 81/tcp");
	port.cport = 80;
	rq.replace = &old;
	refused(&h, &rq, EINVAL, "write 80=ADDRESS:PORT");
	port.has_real = true;
	port.real = old;
	refused(&h, &rq, EINVAL, "cannot take its own place");
	rq.replace = &stranger;
	refused(&h, &rq, ESRCH, "has no real server 10.0.0.99:80 to replace");
	rq.replace = NULL;
	port.real = given_endpoint("[fd00::11]:80");
	refused(&h, &rq, EINVAL, "must be of one family");
	rq.n_ports = 0;
	rq.replace = &old;
	refused(&h, &rq, EINVAL, "no real server to take the place of 10.0.0.12:80");
	hub_close(&h);
}
END_TEST

START_TEST(a_direct_route_has_nothing_to_edit)
{
	struct edit_request rq = EDIT;
	struct hub h;

	hub_open(&h);
	h.config.is_gateway = false;
	hub_publish(&h, "web", "203.0.113.7:80");
	rq.weight = 1;
	refused(&h, &rq, EINVAL, "is direct");
	hub_close(&h);
}
END_TEST

START_TEST(a_closing_route_is_not_edited)
{
	struct edit_request rq = EDIT;
	struct hub h;
	struct err e;

	hub_open(&h);
	publish(&h);
	ck_assert_int_eq(remove_web(&e, &h), 0);
	rq.weight = 1;
	refused(&h, &rq, ESRCH, "no open route");
	hub_close(&h);
}
END_TEST

START_TEST(a_route_has_so_many_real_servers_and_no_more)
{
	struct port_spec ports[REAL_SERVERS_MAX + 1];
	struct edit_request rq = EDIT;
	struct hub h;

	hub_open(&h);
	hub_publish(&h, "web", "10.0.0.12:80");
	for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
		ports[i] = (struct port_spec){ 80, IPPROTO_TCP, given_endpoint("10.0.0.12:80"), true };
		ports[i].real.port = (uint16_t)(80 + i);
	}
	rq.ports = ports;
	rq.n_ports = ARRAY_LEN(ports);
	refused(&h, &rq, EINVAL, "64 real servers already");
	rq.n_ports--;
	must_edit(&h, &rq, 1);
	ck_assert_uint_eq(count_destinations(&h), REAL_SERVERS_MAX);
	hub_close(&h);
}
END_TEST

static int edit_much(struct err *e, struct hub *h)
{
	const struct port_spec ports[] = { { 80, IPPROTO_TCP, given_endpoint("10.0.0.11:80"), true },
					   { 80, IPPROTO_TCP, given_endpoint("10.0.0.13:80"), true },
					   { 80, IPPROTO_TCP, given_endpoint("10.0.0.14:80"), true },
					   { .cport = 53, .protocol = IPPROTO_UDP } };
	const struct edit_request rq = { .container = "web", .ports = ports, .n_ports = ARRAY_LEN(ports),
					 .scheduler = "lc", .weight = 9, .persistence = 60 };
	CLEANUP(route_list_clear) struct route_list out = { 0 };
	int ret = gateway_edit(e, h->g, &rq, &out);

	ck_assert_uint_eq(out.n, ret == 0 ? 2 : 0);
	return ret;
}

START_TEST(an_edit_is_made_or_leaves_everything_as_it_was)
{
	ck_assert_uint_gt(hub_refuse_each(publish, edit_much), 8);
}
END_TEST

START_TEST(an_edit_that_hears_no_answer_is_healed)
{
	hub_silence_each(publish, edit_much);
}
END_TEST

/* The service is gone: its account begins a new epoch, once, whatever happens. */
static void publish_and_lose(struct hub *h)
{
	publish(h);
	service_list_clear(&h->kernel.services);
}

START_TEST(an_edit_of_a_lost_service_makes_it_and_counts_on)
{
	size_t n = hub_count_requests(publish_and_lose, edit_much);

	for (size_t at = 0; at <= n; at++) {
		CLEANUP(sync_result_clear) struct sync_result found = { 0 };
		CLEANUP(reading_list_clear) struct reading_list readings = { 0 };
		struct err e = { 0 };
		struct hub h;

		hub_open(&h);
		publish_and_lose(&h);
		mend(&h.kernel);
		h.kernel.refuse = at ? ENOMEM : 0;
		h.kernel.refuse_at = at;
		ck_assert_int_eq(edit_much(&e, &h), at ? -ENOMEM : 0);
		mend(&h.kernel);
		ck_assert_msg(gateway_sync(&e, h.g, false, &found) >= 0, "%s", e.msg);
		transfer(&h, 50);
		ck_assert_int_eq(gateway_read(&e, h.g, "web", &readings), 0);
		ck_assert_msg(readings.items[0].total.inbytes == 60, "request %zu: %" PRIu64, at,
			      readings.items[0].total.inbytes);
		hub_close(&h);
	}
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, scheduler_weight_and_persistence_are_edited_where_they_are_meant);
	tcase_add_test(tc, a_real_server_that_is_named_is_edited_or_added);
	tcase_add_test(tc, a_real_server_that_drains_and_is_named_drains_no_more);
	tcase_add_test(tc, a_real_server_that_is_replaced_drains_until_it_is_idle);
	tcase_add_test(tc, what_cannot_be_edited_is_refused_and_said_why);
	tcase_add_test(tc, a_direct_route_has_nothing_to_edit);
	tcase_add_test(tc, a_closing_route_is_not_edited);
	tcase_add_test(tc, a_route_has_so_many_real_servers_and_no_more);
	tcase_add_test(tc, an_edit_is_made_or_leaves_everything_as_it_was);
	tcase_add_test(tc, an_edit_that_hears_no_answer_is_healed);
	tcase_add_test(tc, an_edit_of_a_lost_service_makes_it_and_counts_on);
}

int main(void)
{
	return unit_main("gateway_edit", add_tests);
}
