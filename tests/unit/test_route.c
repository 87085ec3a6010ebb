/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "given.h"
#include "route.h"

#define LETTERS_128                                                          \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

START_TEST(accepts_container_ids)
{
	static const char *const ids[] = { "a", "Z9", "755fe2a8", "web_1.example:80-x", ".", "_", ":", LETTERS_128 };
	struct err e = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		ck_assert_msg(container_check(&e, ids[i]) == 0, "%s", ids[i]);
	ck_assert_uint_eq(strlen(LETTERS_128), CONTAINER_MAX);
}
END_TEST

START_TEST(rejects_what_is_no_container_id)
{
	static const char *const ids[] = { "", "-a", "-", "a b", "a/b", "a\n", "caf\xc3\xa9", "a'b", "a*", "a@b",
					   "a+b", LETTERS_128 "x" };

	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		struct err e = { 0 };

		ck_assert_msg(container_check(&e, ids[i]) == -EINVAL, "%s", ids[i]);
		ck_assert_int_eq(e.code, EINVAL);
		ck_assert_ptr_nonnull(strstr(e.msg, "container ID"));
	}
}
END_TEST

START_TEST(reads_a_port_specification)
{
	static const struct {
		const char *text;
		uint16_t cport;
		const char *real;
	} specs[] = {
		{ "80=10.0.0.2:8080", 80, "10.0.0.2:8080" },
		{ "65535=10.0.0.2:1", 65535, "10.0.0.2:1" },
		{ "1=[fd00::2]:53", 1, "[fd00::2]:53" },
		{ "80", 80, NULL },
		{ "65535", 65535, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
		struct endpoint want = specs[i].real ? given_endpoint(specs[i].real) : (struct endpoint){ 0 };
		struct port_spec spec = { .protocol = 17 };
		struct err e;

		ck_assert_msg(port_spec_parse(&e, specs[i].text, &spec) == 0, "%s", specs[i].text);
		ck_assert_uint_eq(spec.cport, specs[i].cport);
		ck_assert_uint_eq(spec.protocol, 17);
		ck_assert(spec.has_real == (specs[i].real != NULL));
		ck_assert(endpoint_equal(&spec.real, &want));
	}
}
END_TEST

START_TEST(rejects_what_is_no_port_specification)
{
	static const char *const texts[] = {
		"", "=", "80=", "0", "65536", "123456789", "x", "=10.0.0.2:80", "80=10.0.0.2", "80=10.0.0.2:", "80=10.0.0.2:0",
		"0=10.0.0.2:80", "65536=10.0.0.2:80", "123456789=10.0.0.2:80", "80=host:80", "80=fd00::2:80",
		"80 =10.0.0.2:80", "80= 10.0.0.2:80", "80==10.0.0.2:80", "80=0.0.0.0:80", "80=224.0.0.1:80",
		"80=255.255.255.255:80", "80=[::]:80", "80=[ff02::1]:80",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct port_spec spec = { .cport = 7, .real = { .port = 7 } };
		struct err e = { 0 };

		ck_assert_msg(port_spec_parse(&e, texts[i], &spec) == -EINVAL, "%s", texts[i]);
		ck_assert_int_eq(e.code, EINVAL);
		ck_assert_uint_eq(spec.cport, 7);
		ck_assert_msg(spec.real.port == 7, "'%s' was written", texts[i]);
	}
}
END_TEST

START_TEST(writes_routes_for_a_person)
{
	struct route r = given_route("c", 10053, "198.51.100.1:32898");
	char buf[ROUTE_STRLEN];

	ck_assert_str_eq(route_format(&r, buf), "[10053/tcp->198.51.100.1:32898]");
	ck_assert_str_eq(route_port_format(53, IPPROTO_UDP, buf), "53/udp");
	r = given_route("c", 65535, "[2001:1111:2222:3333:4444:5555:6666:7777]:65535");
	r.protocol = IPPROTO_SCTP;
	ck_assert_str_eq(route_format(&r, buf), "[65535/sctp->[2001:1111:2222:3333:4444:5555:6666:7777]:65535]");
}
END_TEST

START_TEST(its_service_is_its_public_endpoint)
{
	struct route r = given_route("c", 80, "[2001:db8::1]:32898");
	struct service_key key = route_service_key(&r);

	ck_assert(endpoint_equal(&key.vip, &r.public));
	ck_assert_uint_eq(key.protocol, IPPROTO_TCP);
}
END_TEST

START_TEST(keeps_real_servers_in_order)
{
	static const char *const rising[] = { "9.0.0.1:99", "10.0.0.2:80", "10.0.0.2:256", "10.0.0.3:1", "[::1]:1",
					      "[fd00::2]:80" };
	static const size_t orders[][ARRAY_LEN(rising)] = {
		{ 0, 1, 2, 3, 4, 5 }, { 5, 4, 3, 2, 1, 0 }, { 3, 0, 5, 1, 4, 2 }
	};

	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		CLEANUP(route_clear) struct route r = given_route("c", 80, "198.51.100.1:1");

		for (size_t k = 0; k < ARRAY_LEN(rising); k++)
			given_server(&r, rising[orders[i][k]], (uint32_t)orders[i][k]);
		ck_assert_uint_eq(r.n_servers, ARRAY_LEN(rising));
		for (size_t k = 0; k < ARRAY_LEN(rising); k++) {
			struct endpoint want = given_endpoint(rising[k]);

			ck_assert(endpoint_equal(&r.servers[k].real, &want));
			ck_assert_uint_eq(r.servers[k].weight, k);
		}
	}
}
END_TEST

START_TEST(refuses_a_real_server_twice)
{
	CLEANUP(route_clear) struct route r = given_route("c", 80, "198.51.100.1:1");
	struct real_server again = { .real = given_endpoint("10.0.0.2:80"), .weight = 9 };
	struct err e = { 0 };

	given_server(&r, "10.0.0.1:80", 1);
	given_server(&r, "10.0.0.2:80", 2);
	given_server(&r, "10.0.0.3:80", 3);
	ck_assert_int_eq(route_add_server(&e, &r, &again), -EEXIST);
	ck_assert_int_eq(e.code, EEXIST);
	ck_assert_str_eq(e.msg, "real server 10.0.0.2:80 is given twice for port 80/tcp");
	ck_assert_uint_eq(r.n_servers, 3);
	ck_assert_uint_eq(r.servers[1].weight, 2);
}
END_TEST

START_TEST(refuses_more_real_servers_than_the_limit)
{
	CLEANUP(route_clear) struct route r = given_route("c", 80, "198.51.100.1:1");
	struct real_server rs = { .real = given_endpoint("10.0.0.2:1000") };
	struct err e = { 0 };

	for (int i = 0; i < REAL_SERVERS_MAX; i++, rs.real.port++)
		ck_assert_int_eq(route_add_server(&e, &r, &rs), 0);
	ck_assert_int_eq(route_add_server(&e, &r, &rs), -E2BIG);
	ck_assert_int_eq(e.code, E2BIG);
	ck_assert_uint_eq(r.n_servers, REAL_SERVERS_MAX);
	rs.real.port--;
	ck_assert_int_eq(route_add_server(&e, &r, &rs), -EEXIST);
}
END_TEST

START_TEST(same_target_means_all_that_the_kernel_would_do)
{
	CLEANUP(route_clear) struct route a = given_route("a", 80, "198.51.100.1:1");
	struct route b;
	struct err e;

	given_server(&a, "10.0.0.2:80", 100);
	given_server(&a, "10.0.0.3:80", 100);
	for (int difference = 0; difference <= 7; difference++) {
		ck_assert_int_eq(route_copy(&e, &a, &b), 0);
		switch (difference) {
		case 0: /* none that counts */
			strcpy(b.container, "b");
			b.cport = 81;
			b.id = 5;
			b.public.port = 2;
			b.opened_at = 7;
			b.account.last.inbytes = 3;
			break;
		case 1:
			b.kind = ROUTE_DIRECT;
			break;
		case 2:
			strcpy(b.scheduler, "rr");
			break;
		case 3:
			b.persistence = 1;
			break;
		case 4:
			b.servers[1].weight = 99;
			break;
		case 5:
			b.servers[1].real.port = 81;
			break;
		case 6:
			b.servers[0].real.addr = given_addr("10.0.0.1");
			break;
		case 7:
			b.n_servers = 1;
			break;
		}
		ck_assert_msg(route_same_target(&a, &b) == (difference == 0), "difference %d", difference);
		ck_assert_msg(route_same_target(&b, &a) == (difference == 0), "difference %d", difference);
		route_clear(&b);
	}
}
END_TEST

START_TEST(a_copy_is_deep)
{
	CLEANUP(route_clear) struct route a = given_route("a", 80, "198.51.100.1:1");
	CLEANUP(route_clear) struct route b = { 0 };
	struct err e;

	given_server(&a, "10.0.0.2:80", 100);
	a.id = 9;
	a.account.base.conns = 4;
	ck_assert_int_eq(route_copy(&e, &a, &b), 0);
	ck_assert(route_same_target(&a, &b));
	ck_assert_str_eq(b.container, "a");
	ck_assert_int_eq(b.id, 9);
	ck_assert_uint_eq(b.account.base.conns, 4);
	given_server(&b, "10.0.0.1:80", 1);
	b.servers[1].weight = 5;
	ck_assert_uint_eq(a.n_servers, 1);
	ck_assert_uint_eq(a.servers[0].weight, 100);
	ck_assert_uint_eq(b.n_servers, 2);
}
END_TEST

START_TEST(a_list_takes_over_what_a_route_owns)
{
	struct route_list list = { 0 };
	struct err e;

	for (uint16_t i = 1; i <= 20; i++) {
		struct route r = given_route("a", i, "198.51.100.1:1");

		given_server(&r, "10.0.0.2:80", i);
		ck_assert_int_eq(route_list_take(&e, &list, &r), 0);
		ck_assert_ptr_null(r.servers);
		ck_assert_uint_eq(r.n_servers, 0);
		ck_assert_str_eq(r.container, "");
	}
	ck_assert_uint_eq(list.n, 20);
	for (uint16_t i = 1; i <= 20; i++) {
		ck_assert_uint_eq(list.items[i - 1].cport, i);
		ck_assert_uint_eq(list.items[i - 1].servers[0].weight, i);
	}
	route_list_clear(&list);
	ck_assert_ptr_null(list.items);
	ck_assert_uint_eq(list.n, 0);
	route_list_clear(&list);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, accepts_container_ids);
	tcase_add_test(tc, rejects_what_is_no_container_id);
	tcase_add_test(tc, reads_a_port_specification);
	tcase_add_test(tc, rejects_what_is_no_port_specification);
	tcase_add_test(tc, writes_routes_for_a_person);
	tcase_add_test(tc, its_service_is_its_public_endpoint);
	tcase_add_test(tc, keeps_real_servers_in_order);
	tcase_add_test(tc, refuses_a_real_server_twice);
	tcase_add_test(tc, refuses_more_real_servers_than_the_limit);
	tcase_add_test(tc, same_target_means_all_that_the_kernel_would_do);
	tcase_add_test(tc, a_copy_is_deep);
	tcase_add_test(tc, a_list_takes_over_what_a_route_owns);
}

int main(void)
{
	return unit_main("route", add);
}
