/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "given.h"
#include "service.h"

START_TEST(keys_differ_by_protocol_address_or_port)
{
	const struct service_key keys[] = {
		given_key(IPPROTO_TCP, "198.51.100.1:80"), given_key(IPPROTO_UDP, "198.51.100.1:80"),
		given_key(IPPROTO_TCP, "198.51.100.2:80"), given_key(IPPROTO_TCP, "198.51.100.1:81"),
		given_key(IPPROTO_TCP, "[c633:6401::]:80"),
	};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		for (size_t k = 0; k < ARRAY_LEN(keys); k++)
			ck_assert_int_eq(service_key_equal(&keys[i], &keys[k]), i == k);
}
END_TEST

/* In rising order. */
static size_t given_services(struct service *s)
{
	size_t n = 0;

	s[n++] = (struct service){ .key = given_key(IPPROTO_TCP, "9.255.255.255:65535") };
	s[n++] = (struct service){ .key = given_key(IPPROTO_TCP, "198.51.100.1:80") };
	s[n++] = (struct service){ .key = given_key(IPPROTO_UDP, "198.51.100.1:80") };
	s[n++] = (struct service){ .key = given_key(IPPROTO_SCTP, "198.51.100.1:80") };
	s[n++] = (struct service){ .key = given_key(IPPROTO_TCP, "198.51.100.1:256") };
	s[n++] = (struct service){ .key = given_key(IPPROTO_TCP, "198.51.100.2:1") };
	s[n++] = (struct service){ .key = given_key(IPPROTO_TCP, "[::1]:1") };
	s[n++] = (struct service){ .key = given_key(IPPROTO_TCP, "[2001:db8::1]:80") };
	s[n++] = (struct service){ .fwmark = 1, .key.vip.addr.family = AF_INET };
	s[n++] = (struct service){ .fwmark = 1, .key.vip.addr.family = AF_INET6 };
	s[n++] = (struct service){ .fwmark = 300, .key.vip.addr.family = AF_INET };
	return n;
}

START_TEST(orders_by_address_port_protocol_and_firewall_marks_last)
{
	struct service s[16];
	size_t n = given_services(s);

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < n; k++) {
			int order = service_compare(&s[i], &s[k]);

			ck_assert_msg((order > 0) - (order < 0) == (i > k) - (i < k), "%zu and %zu", i, k);
		}
	}
}
END_TEST

START_TEST(finds_each_service_of_a_sorted_list_and_no_other)
{
	struct service s[16];
	struct service_list list = { .items = s, .n = given_services(s) };
	const struct service_key absent[] = {
		given_key(IPPROTO_UDP, "9.255.255.255:65535"), given_key(IPPROTO_TCP, "198.51.100.1:81"),
		given_key(IPPROTO_TCP, "1.1.1.1:1"), given_key(IPPROTO_TCP, "[ff00::]:1"), { 0 },
	};

	for (size_t i = 0; i < list.n; i++)
		ck_assert_ptr_eq(service_find(&list, &s[i].key), s[i].fwmark ? NULL : &s[i]);
	for (size_t i = 0; i < ARRAY_LEN(absent); i++)
		ck_assert_ptr_null(service_find(&list, &absent[i]));
	ck_assert_ptr_null(service_find(&(struct service_list){ 0 }, &s[0].key));
}
END_TEST

START_TEST(finds_a_destination_by_address_and_port)
{
	struct destination d[] = { { .real = given_endpoint("10.0.0.1:80") }, { .real = given_endpoint("10.0.0.2:80") } };
	const struct service s = { .destinations = d, .n_destinations = 2 };
	const struct endpoint second = given_endpoint("10.0.0.2:80"), other_port = given_endpoint("10.0.0.2:81");

	ck_assert_ptr_eq(service_find_destination(&s, &second), &d[1]);
	ck_assert_ptr_null(service_find_destination(&s, &other_port));
	ck_assert_ptr_null(service_find_destination(NULL, &second));
}
END_TEST

START_TEST(writes_a_key_for_a_person)
{
	const struct {
		uint8_t protocol;
		const char *vip, *text;
	} keys[] = {
		{ IPPROTO_TCP, "198.51.100.1:32898", "tcp 198.51.100.1:32898" },
		{ IPPROTO_UDP, "[2001:db8::1]:53", "udp [2001:db8::1]:53" },
		{ IPPROTO_SCTP, "[2001:1111:2222:3333:4444:5555:6666:7777]:65535",
		  "sctp [2001:1111:2222:3333:4444:5555:6666:7777]:65535" },
		{ IPPROTO_ESP, "192.0.2.1:1", "ip 192.0.2.1:1" },
	};
	char buf[SERVICE_KEY_STRLEN];

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct service_key key = given_key(keys[i].protocol, keys[i].vip);

		ck_assert_str_eq(service_key_format(&key, buf), keys[i].text);
	}
}
END_TEST

START_TEST(says_what_a_change_does)
{
	static const struct {
		enum change_op op;
		uint32_t persistence;
		const char *text;
	} changes[] = {
		{ CHANGE_ADD_SERVICE, 0, "add service tcp 198.51.100.1:32898 (wrr)" },
		{ CHANGE_ADD_SERVICE, 300, "add service tcp 198.51.100.1:32898 (wrr, persistent 300)" },
		{ CHANGE_EDIT_SERVICE, 0, "edit service tcp 198.51.100.1:32898 (wrr)" },
		{ CHANGE_DELETE_SERVICE, 300, "delete service tcp 198.51.100.1:32898" },
		{ CHANGE_ADD_DESTINATION, 0,
		  "add real server 10.0.0.2:80 to tcp 198.51.100.1:32898 (weight 100)" },
		{ CHANGE_EDIT_DESTINATION, 0,
		  "edit real server 10.0.0.2:80 of tcp 198.51.100.1:32898 (weight 100)" },
		{ CHANGE_DELETE_DESTINATION, 0, "delete real server 10.0.0.2:80 from tcp 198.51.100.1:32898" },
	};
	char buf[CHANGE_STRLEN];

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		struct change c = { .op = changes[i].op,
				    .key = given_key(IPPROTO_TCP, "198.51.100.1:32898"),
				    .scheduler = "wrr",
				    .persistence = changes[i].persistence,
				    .destination = { .real = given_endpoint("10.0.0.2:80"), .weight = 100 } };

		ck_assert_str_eq(change_format(&c, buf), changes[i].text);
	}
}
END_TEST

START_TEST(the_longest_change_fits)
{
	struct change c = { .op = CHANGE_DELETE_DESTINATION,
			    .key = given_key(IPPROTO_SCTP, "[2001:1111:2222:3333:4444:5555:6666:7777]:65535"),
			    .scheduler = "fifteen_letters",
			    .persistence = UINT32_MAX };
	char buf[CHANGE_STRLEN];

	c.destination.real = c.key.vip;
	c.destination.weight = UINT32_MAX;
	ck_assert_str_eq(change_format(&c, buf),
			 "delete real server [2001:1111:2222:3333:4444:5555:6666:7777]:65535 from "
			 "sctp [2001:1111:2222:3333:4444:5555:6666:7777]:65535");
	c.op = CHANGE_EDIT_DESTINATION;
	ck_assert_str_eq(change_format(&c, buf),
			 "edit real server [2001:1111:2222:3333:4444:5555:6666:7777]:65535 of "
			 "sctp [2001:1111:2222:3333:4444:5555:6666:7777]:65535 (weight 4294967295)");
	c.op = CHANGE_ADD_SERVICE;
	ck_assert_str_eq(change_format(&c, buf),
			 "add service sctp [2001:1111:2222:3333:4444:5555:6666:7777]:65535 "
			 "(fifteen_letters, persistent 4294967295)");
}
END_TEST

START_TEST(lists_grow_and_keep_their_order)
{
	CLEANUP(service_list_clear) struct service_list services = { 0 };
	CLEANUP(change_list_clear) struct change_list changes = { 0 };
	struct err e;

	for (uint32_t i = 0; i < 100; i++) {
		struct service s = { .fwmark = i + 1 };
		struct change c = { .persistence = i };

		s.destinations = calloc(1, sizeof(*s.destinations));
		s.n_destinations = 1;
		ck_assert_int_eq(service_list_add(&e, &services, &s), 0);
		ck_assert_int_eq(change_list_add(&e, &changes, &c), 0);
	}
	ck_assert_uint_eq(services.n, 100);
	ck_assert_uint_eq(changes.n, 100);
	for (uint32_t i = 0; i < 100; i++) {
		ck_assert_uint_eq(services.items[i].fwmark, i + 1);
		ck_assert_uint_eq(changes.items[i].persistence, i);
	}
}
END_TEST

START_TEST(clearing_makes_empty_and_may_be_repeated)
{
	struct service_list services = { 0 };
	struct change_list changes = { 0 };
	struct service s = { .destinations = calloc(2, sizeof(struct destination)), .n_destinations = 2 };
	struct err e;

	service_clear(&s);
	service_clear(&s);
	ck_assert_ptr_null(s.destinations);
	ck_assert_uint_eq(s.n_destinations, 0);
	ck_assert_int_eq(service_list_add(&e, &services, &s), 0);
	ck_assert_int_eq(change_list_add(&e, &changes, &(struct change){ 0 }), 0);
	for (int i = 0; i < 2; i++) {
		service_list_clear(&services);
		change_list_clear(&changes);
		ck_assert_ptr_null(services.items);
		ck_assert_uint_eq(services.n, 0);
		ck_assert_ptr_null(changes.items);
		ck_assert_uint_eq(changes.n, 0);
	}
}
END_TEST

START_TEST(knows_what_may_be_the_name_of_a_scheduler)
{
	static const char *const names[] = { "rr", "ip_vs.Old-1", "fifteen_letters" };
	static const char *const others[] = { "", "sixteen__letters", "r r", "r\033r", "../rr", "rr\n", "r\xc3\xa4" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		ck_assert_msg(scheduler_is_name(names[i]), "%s", names[i]);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		ck_assert_msg(!scheduler_is_name(others[i]), "%s", others[i]);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, knows_what_may_be_the_name_of_a_scheduler);
	tcase_add_test(tc, keys_differ_by_protocol_address_or_port);
	tcase_add_test(tc, orders_by_address_port_protocol_and_firewall_marks_last);
	tcase_add_test(tc, finds_each_service_of_a_sorted_list_and_no_other);
	tcase_add_test(tc, finds_a_destination_by_address_and_port);
	tcase_add_test(tc, writes_a_key_for_a_person);
	tcase_add_test(tc, says_what_a_change_does);
	tcase_add_test(tc, the_longest_change_fits);
	tcase_add_test(tc, lists_grow_and_keep_their_order);
	tcase_add_test(tc, clearing_makes_empty_and_may_be_repeated);
}

int main(void)
{
	return unit_main("service", add);
}
