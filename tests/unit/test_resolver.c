/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * With the system's own resolver: what needs no name server, and names that no
 * name server has.
 */
#include "given.h"
#include "resolver.h"

#define PATIENCE 60000 /* milliseconds; longer than any resolver tries */

static struct server given_stun_server(const char *text)
{
	struct server s;
	struct err e = { 0 };

	ck_assert_msg(server_parse(&e, text, &s) == 0, "%s", e.msg);
	return s;
}

/* The endpoints are exactly these, "SERVER ENDPOINT", up to a NULL. */
static void expect_list(const struct resolver_list *list, const char *const texts[])
{
	for (size_t i = 0; i < list->n; i++) {
		char ep[ENDPOINT_STRLEN], text[ENDPOINT_STRLEN + 10];

		ck_assert_ptr_nonnull(texts[i]);
		snprintf(text, sizeof(text), "%zu %s", list->items[i].server,
			 endpoint_format(&list->items[i].endpoint, ep));
		ck_assert_str_eq(text, texts[i]);
	}
	ck_assert_ptr_null(texts[list->n]);
}

static const char *const literals[] = { "192.0.2.1:1000", "2001:db8::1", "192.0.2.2",	   "[2001:db8::1]:3478",
					"127.0.0.1",	  "192.0.2.2",	 "192.0.2.2:3478", "10.0.0.1" };

static int look_up_literals(sa_family_t family, struct resolver_list *out, struct err *failures)
{
	struct server servers[ARRAY_LEN(literals)];
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(literals); i++)
		servers[i] = given_stun_server(literals[i]);
	return resolver_lookup(&e, servers, ARRAY_LEN(literals), family, 0, out, failures);
}

START_TEST(literals_keep_their_order)
{
	static const char *const both[] = { "0 192.0.2.1:1000", "1 [2001:db8::1]:3478", "2 192.0.2.2:3478",
					    "3 [2001:db8::1]:3478", "4 127.0.0.1:3478", "5 192.0.2.2:3478",
					    "6 192.0.2.2:3478", "7 10.0.0.1:3478", NULL };
	struct err failures[ARRAY_LEN(literals)];
	struct resolver_list list;

	ck_assert_int_eq(look_up_literals(AF_UNSPEC, &list, failures), 0);
	expect_list(&list, both);
	for (size_t i = 0; i < ARRAY_LEN(failures); i++)
		ck_assert_int_eq(failures[i].code, 0);
}
END_TEST

START_TEST(literals_of_the_other_family_are_failures)
{
	static const char *const ipv6[] = { "1 [2001:db8::1]:3478", "3 [2001:db8::1]:3478", NULL };
	struct err failures[ARRAY_LEN(literals)];
	struct resolver_list list;

	ck_assert_int_eq(look_up_literals(AF_INET6, &list, failures), 0);
	expect_list(&list, ipv6);
	for (size_t i = 0; i < ARRAY_LEN(failures); i++)
		ck_assert_int_eq(failures[i].code, i == 1 || i == 3 ? 0 : ENOENT);
	ck_assert_int_eq(look_up_literals(AF_INET6, &list, NULL), 0);
}
END_TEST

START_TEST(the_first_servers_error_is_everyones)
{
	struct server servers[] = { given_stun_server("192.0.2.1"), given_stun_server("192.0.2.2") };
	struct resolver_list list = { .n = 7 };
	struct err e, failures[2];

	ck_assert_int_eq(resolver_lookup(&e, servers, 2, AF_INET6, 0, &list, failures), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.msg, "192.0.2.1"));
	ck_assert_ptr_nonnull(strstr(failures[1].msg, "192.0.2.2"));
	ck_assert_uint_eq(list.n, 7);
}
END_TEST

START_TEST(takes_no_more_than_there_is_room_for)
{
	struct server servers[RESOLVER_ENDPOINTS_MAX + 5];
	struct resolver_list list;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(servers); i++) {
		servers[i] = given_stun_server("192.0.2.1");
		servers[i].port = (uint16_t)(1 + i);
	}
	ck_assert_int_eq(resolver_lookup(&e, servers, ARRAY_LEN(servers), AF_UNSPEC, 0, &list, NULL), 0);
	ck_assert_uint_eq(list.n, RESOLVER_ENDPOINTS_MAX);
	ck_assert_uint_eq(list.items[RESOLVER_ENDPOINTS_MAX - 1].endpoint.port, RESOLVER_ENDPOINTS_MAX);
}
END_TEST

START_TEST(a_name_of_this_host_is_refused)
{
	static const char *const names[] = { "localhost:3478", "127.1:3478", "0x7f000001:3478", "0:3478" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct server s = given_stun_server("example.net:3478");
		struct resolver_list list = { .n = 7 };
		struct err e;

		strcpy(s.host, names[i]);
		*strchr(s.host, ':') = '\0';
		ck_assert_int_eq(resolver_lookup(&e, &s, 1, AF_UNSPEC, PATIENCE, &list, NULL), -ENOENT);
		ck_assert_msg(strstr(e.msg, "loopback"), "%s: %s", names[i], e.msg);
		ck_assert_uint_eq(list.n, 7);
	}
}
END_TEST

/* RFC 6761 6.4. Without any name server the answer is that it cannot be known. */
START_TEST(a_name_that_does_not_exist_leaves_the_others_alone)
{
	static const char *const found[] = { "1 192.0.2.1:3478", NULL };
	struct server servers[] = { given_stun_server("stun.invalid:3478"), given_stun_server("192.0.2.1") };
	struct resolver_list list;
	struct err e, failures[2];

	ck_assert_int_eq(resolver_lookup(&e, servers, 2, AF_UNSPEC, PATIENCE, &list, failures), 0);
	expect_list(&list, found);
	ck_assert_msg(failures[0].code == ENOENT || failures[0].code == EAGAIN, "%s", failures[0].msg);
	ck_assert_ptr_nonnull(strstr(failures[0].msg, "stun.invalid"));
	ck_assert_int_eq(failures[1].code, 0);
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 2 * PATIENCE / 1000);
	tcase_add_test(tc, literals_keep_their_order);
	tcase_add_test(tc, literals_of_the_other_family_are_failures);
	tcase_add_test(tc, the_first_servers_error_is_everyones);
	tcase_add_test(tc, takes_no_more_than_there_is_room_for);
	tcase_add_test(tc, a_name_of_this_host_is_refused);
	tcase_add_test(tc, a_name_that_does_not_exist_leaves_the_others_alone);
}

int main(void)
{
	return unit_main("resolver", add);
}
