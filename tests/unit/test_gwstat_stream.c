/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The document that is printed while it is read is the one that is read first. */
#include "gwstat.h"
#include "synced.h"

/* A route of a container, with its service unless it is direct or is_missing. */
static void add_route(struct hub *h, const char *container, uint16_t port, enum route_kind kind, bool is_missing)
{
	struct route r = given_route(container, port, "127.0.0.1:1");
	struct service s = { .key = { .protocol = IPPROTO_TCP }, .scheduler = "wrr", .rates.inbps = port };
	struct err e;

	r.public.port = (uint16_t)(33000 + port);
	r.kind = kind;
	r.account.last.inbytes = 7;
	given_server(&r, "10.0.0.11:80", 100);
	s.key = route_service_key(&r);
	s.counters.inbytes = 1000 * port;
	if (kind == ROUTE_GATEWAY && !is_missing)
		ck_assert_int_eq(service_list_add(&e, &h->kernel.services, &s), 0);
	hub_store(h, &r);
}

static void close_one(struct hub *h, const char *container, uint16_t port)
{
	struct route r = given_route(container, port, "127.0.0.1:1");
	struct err e;

	r.public.port = (uint16_t)(34000 + port);
	r.account.last.outbytes = port;
	ck_assert_int_eq(store_close_route(&e, h->g->store, hub_store(h, &r), 2000), 0);
}

static void note_uncertain(struct hub *h, const char *container, int64_t since)
{
	struct uncertain u = { .route = 1, .cport = 80, .protocol = IPPROTO_TCP, .since = since, .until = since + 9 };
	struct err e;

	strcpy(u.container, container);
	ck_assert_int_eq(store_add_uncertain(&e, h->g->store, &u), 0);
}

static void print_read(struct hub *h, FILE *out, const struct usage_look *look)
{
	CLEANUP(usage_clear) struct usage u = { 0 };
	const struct usage_query all = { 0 };
	struct err e;

	ck_assert_int_eq(usage_read(&e, h->g, &all, &u), 0);
	ck_assert_int_eq(usage_print_json(&e, out, &u, look), 0);
}

static void expect_same(struct hub *h)
{
	for (int rate = 0; rate < 2; rate++) {
		const struct usage_look look = { .rate = rate };
		struct unit_out read = { 0 }, streamed = { 0 };
		struct err e;

		print_read(h, unit_open(&read), &look);
		fflush(read.stream);
		ck_assert_int_eq(usage_stream_json(&e, h->g, unit_open(&streamed), &look), 0);
		unit_expect(&streamed, read.text);
		fclose(read.stream);
		free(read.text);
	}
}

START_TEST(it_is_the_same_whatever_there_is)
{
	static const char *const names[] = { "aa", "bb", "cc", "dd", "ee" };
	struct hub h;

	hub_open(&h);
	expect_same(&h);
	for (uint16_t i = 0; i < ARRAY_LEN(names); i++) {
		close_one(&h, names[i], (uint16_t)(i + 1));
		close_one(&h, names[i], (uint16_t)(i + 10));
		note_uncertain(&h, names[i], 10 * i);
		note_uncertain(&h, names[i], 10 * i + 5);
	}
	expect_same(&h);
	add_route(&h, "bb", 1, ROUTE_GATEWAY, false);
	expect_same(&h);
	add_route(&h, "bb", 2, ROUTE_DIRECT, false);
	add_route(&h, "b", 3, ROUTE_GATEWAY, true);
	add_route(&h, "dd", 4, ROUTE_GATEWAY, false);
	add_route(&h, "zz", 5, ROUTE_GATEWAY, false);
	expect_same(&h);
	hub_close(&h);
}
END_TEST

START_TEST(what_cannot_be_read_prints_no_end)
{
	const struct usage_look look = { 0 };
	struct unit_out o = { 0 };
	struct err e;
	struct hub h;

	hub_open(&h);
	add_route(&h, "web", 1, ROUTE_GATEWAY, false);
	h.kernel.dump_error = EPERM;
	ck_assert_int_eq(usage_stream_json(&e, h.g, unit_open(&o), &look), -EPERM);
	unit_expect(&o, "");
	h.kernel.dump_error = 0;
	expect_same(&h); /* the state file's transaction is over */
	hub_close(&h);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, it_is_the_same_whatever_there_is);
	tcase_add_test(tc, what_cannot_be_read_prints_no_end);
}

int main(void)
{
	return unit_main("gwstat_stream", add);
}
