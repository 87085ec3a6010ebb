/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "addr.h"
#include "unit.h"

#include <arpa/inet.h>

static struct addr addr_of(const char *text)
{
	struct addr a;
	struct err e;

	ck_assert_msg(addr_parse(&e, text, &a) == 0, "%s", text);
	return a;
}

START_TEST(writes_an_address_in_its_canonical_form)
{
	static const char *const forms[][2] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "2001:DB8:0:0:0:0:0:1", "2001:db8::1" },
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "::", "::" },
		{ "::1", "::1" },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
	};
	char buf[ADDR_STRLEN];

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct addr a = addr_of(forms[i][0]);

		ck_assert_str_eq(addr_format(&a, buf), forms[i][1]);
		ck_assert_int_eq(a.family, strchr(forms[i][0], ':') ? AF_INET6 : AF_INET);
	}
}
END_TEST

/* As inet_ntop(3) has it, with many zeros: those are what the canonical form is about. */
START_TEST(writes_any_address_and_endpoint_as_libc_does)
{
	unsigned seed = 1;

	for (int i = 0; i < (int)unit_many(200000); i++) {
		struct endpoint ep = { .addr.family = i % 2 ? AF_INET : AF_INET6 };
		char theirs[ADDR_STRLEN], expected[ENDPOINT_STRLEN], buf[ENDPOINT_STRLEN];

		for (size_t k = 0; k < addr_size(&ep.addr); k++)
			ep.addr.bytes[k] = rand_r(&seed) % 2 ? (uint8_t)rand_r(&seed) : 0;
		ep.port = (uint16_t)rand_r(&seed);
		inet_ntop(ep.addr.family, ep.addr.bytes, theirs, sizeof(theirs));
		snprintf(expected, sizeof(expected), i % 2 ? "%s:%u" : "[%s]:%u", theirs, (unsigned)ep.port);
		ck_assert_str_eq(addr_format(&ep.addr, buf), theirs);
		ck_assert_str_eq(endpoint_format(&ep, buf), expected);
	}
}
END_TEST

START_TEST(writes_the_ends_of_the_ranges)
{
	struct endpoint ep = { .addr = addr_of("255.255.255.255"), .port = 65535 };
	const struct endpoint none = { 0 };
	char buf[ENDPOINT_STRLEN];

	ck_assert_str_eq(endpoint_format(&ep, buf), "255.255.255.255:65535");
	ck_assert_str_eq(endpoint_format(&none, buf), "-:0");
	ep.addr = addr_of("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	ck_assert_str_eq(endpoint_format(&ep, buf), "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}
END_TEST

START_TEST(rejects_what_is_no_literal)
{
	static const char *const texts[] = { "",
					     " ",
					     "localhost",
					     "192.0.2",
					     "192.0.2.256",
					     "192.0.2.1 ",
					     "192.0.2.01x",
					     "0x7f.1",
					     "2001:db8::1::2",
					     "[::1]",
					     "fe80::1%eth0",
					     "192.0.2.1:80",
					     "12345::",
					     "1.2.3.4/24",
					     "\n" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct addr a = { .family = 77 };
		struct err e = { 0 };

		ck_assert_msg(addr_parse(&e, texts[i], &a) == -EINVAL, "%s", texts[i]);
		ck_assert_int_eq(e.code, EINVAL);
		ck_assert_int_eq(a.family, 77);
	}
}
END_TEST

START_TEST(names_the_text_that_is_no_address)
{
	struct addr a;
	struct err e;

	ck_assert_int_eq(addr_parse(&e, "192.0.2.\n", &a), -EINVAL);
	ck_assert_str_eq(e.msg, "'192.0.2.?' is not an IPv4 or IPv6 address");
}
END_TEST

START_TEST(keeps_the_bytes_in_network_order_and_the_rest_zero)
{
	static const uint8_t bytes[16] = { 192, 0, 2, 1 };
	struct addr a = addr_of("192.0.2.1");

	ck_assert_mem_eq(a.bytes, bytes, sizeof(bytes));
	ck_assert_uint_eq(addr_size(&a), 4);
	a = addr_of("102:304::f10");
	ck_assert_uint_eq(addr_size(&a), 16);
	ck_assert_mem_eq(a.bytes, "\1\2\3\4\0\0\0\0\0\0\0\0\0\0\17\20", 16);
	ck_assert_str_eq(addr_family_name(AF_INET), "IPv4");
	ck_assert_str_eq(addr_family_name(AF_INET6), "IPv6");
}
END_TEST

START_TEST(orders_by_family_then_bytes)
{
	static const char *const rising[] = { "0.0.0.0", "9.255.255.255", "10.0.0.0", "192.0.2.1",
					      "::", "::1", "2001:db8::1", "ff02::1" };

	for (size_t i = 0; i < ARRAY_LEN(rising); i++) {
		for (size_t k = 0; k < ARRAY_LEN(rising); k++) {
			struct addr a = addr_of(rising[i]), b = addr_of(rising[k]);
			int order = addr_compare(&a, &b);

			ck_assert_int_eq((order > 0) - (order < 0), (i > k) - (i < k));
			ck_assert_int_eq(addr_equal(&a, &b), i == k);
		}
	}
}
END_TEST

START_TEST(tells_unicast_from_the_rest)
{
	static const char *const unicast[] = { "198.51.100.1", "10.0.0.1", "127.0.0.1", "223.255.255.255",
					       "240.0.0.1", "::1", "2001:db8::1", "fe80::1" };
	static const char *const others[] = { "0.0.0.0", "224.0.0.1", "239.255.255.255", "255.255.255.255",
					      "::", "ff02::1", "::ffff:192.0.2.1" };
	struct addr a = { 0 };

	ck_assert(!addr_is_unicast(&a));
	for (size_t i = 0; i < ARRAY_LEN(unicast); i++) {
		a = addr_of(unicast[i]);
		ck_assert_msg(addr_is_unicast(&a), "%s", unicast[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		a = addr_of(others[i]);
		ck_assert_msg(!addr_is_unicast(&a), "%s", others[i]);
	}
}
END_TEST

START_TEST(knows_where_an_address_can_be_used)
{
	/* The first and last address of every range, and their neighbours. */
	static const struct {
		const char *text, *scope;
	} rows[] = {
		{ "0.0.0.0", "special" },            { "0.255.255.255", "special" },
		{ "1.0.0.0", "global" },             { "9.255.255.255", "global" },
		{ "10.0.0.0", "private" },           { "10.255.255.255", "private" },
		{ "11.0.0.0", "global" },            { "100.63.255.255", "global" },
		{ "100.64.0.0", "shared" },          { "100.127.255.255", "shared" },
		{ "100.128.0.0", "global" },         { "126.255.255.255", "global" },
		{ "127.0.0.0", "loopback" },         { "127.255.255.255", "loopback" },
		{ "128.0.0.0", "global" },           { "169.253.255.255", "global" },
		{ "169.254.0.0", "link_local" },     { "169.254.255.255", "link_local" },
		{ "169.255.0.0", "global" },         { "172.15.255.255", "global" },
		{ "172.16.0.0", "private" },         { "172.31.255.255", "private" },
		{ "172.32.0.0", "global" },          { "192.167.255.255", "global" },
		{ "192.168.0.0", "private" },        { "192.168.255.255", "private" },
		{ "192.169.0.0", "global" },         { "198.51.100.1", "global" },
		{ "223.255.255.255", "global" },     { "224.0.0.0", "special" },
		{ "239.255.255.255", "special" },    { "240.0.0.0", "special" },
		{ "255.255.255.255", "special" },    { "::", "special" },
		{ "::1", "loopback" },               { "::2", "global" },
		{ "::ffff:198.51.100.1", "special" }, { "64:ff9b::1", "global" },
		{ "2001:db8::1", "global" },         { "fbff::1", "global" },
		{ "fc00::", "private" },             { "fdff:ffff::1", "private" },
		{ "fe00::1", "global" },             { "fe7f::1", "global" },
		{ "fe80::", "link_local" },          { "febf:ffff::1", "link_local" },
		{ "fec0::1", "global" },             { "ff00::", "special" },
		{ "ff02::1", "special" },
	};
	struct addr none = { 0 };

	ck_assert_int_eq(addr_scope(&none), ADDR_SPECIAL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct addr a = addr_of(rows[i].text);
		const char *scope = addr_scope_name(addr_scope(&a));

		ck_assert_msg(strcmp(scope, rows[i].scope) == 0, "%s: %s", rows[i].text, scope);
	}
}
END_TEST

START_TEST(accepts_every_port_from_1_to_65535)
{
	static const uint16_t ports[] = { 1, 80, 1023, 32768, 65535 };
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
		char text[8];
		uint16_t port = 0;

		snprintf(text, sizeof(text), "%u", ports[i]);
		ck_assert_int_eq(addr_parse_port(&e, text, &port), 0);
		ck_assert_uint_eq(port, ports[i]);
	}
}
END_TEST

START_TEST(rejects_a_port_that_is_not_one)
{
	static const char *const texts[] = { "", "0", "00000", "65536", "99999", "100000", "4294967376", "-1",
					     "+80", " 80", "80 ", "0x50", "80a", "8.0", "80\n" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct err e = { 0 };
		uint16_t port = 7;

		ck_assert_msg(addr_parse_port(&e, texts[i], &port) == -EINVAL, "%s", texts[i]);
		ck_assert_uint_eq(port, 7);
		ck_assert_ptr_nonnull(strstr(e.msg, "is not a port number from 1 to 65535"));
	}
}
END_TEST

START_TEST(reads_and_writes_endpoints)
{
	static const char *const texts[] = { "192.0.2.1:80", "[2001:db8::1]:65535", "[::]:1", "0.0.0.0:53" };
	char buf[ENDPOINT_STRLEN];

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct endpoint ep;
		struct err e;

		ck_assert_msg(endpoint_parse(&e, texts[i], &ep) == 0, "%s", texts[i]);
		ck_assert_str_eq(endpoint_format(&ep, buf), texts[i]);
	}
}
END_TEST

START_TEST(the_longest_endpoint_fits)
{
	struct endpoint ep = { .port = 65535 };
	char buf[ENDPOINT_STRLEN];

	ep.addr = addr_of("2001:1111:2222:3333:4444:5555:6666:7777");
	ck_assert_str_eq(endpoint_format(&ep, buf), "[2001:1111:2222:3333:4444:5555:6666:7777]:65535");
}
END_TEST

START_TEST(rejects_what_is_no_endpoint)
{
	static const char *const texts[] = {
		"", ":", ":80", "80", "192.0.2.1", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536",
		"2001:db8::1:80", "[192.0.2.1]:80", "[]:80", "[2001:db8::1]", "[2001:db8::1]80",
		"[2001:db8::1]:", "[2001:db8::1", "2001:db8::1]:80", "host:80", "192.0.2.1:80:80",
		"[[::1]]:80", " 192.0.2.1:80", "[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb]:80",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct endpoint ep = { .port = 7 };
		struct err e = { 0 };

		ck_assert_msg(endpoint_parse(&e, texts[i], &ep) == -EINVAL, "%s", texts[i]);
		ck_assert_int_eq(e.code, EINVAL);
		ck_assert_uint_eq(ep.port, 7);
	}
}
END_TEST

START_TEST(endpoints_differ_by_address_or_port)
{
	static const char *const texts[] = { "192.0.2.1:80", "192.0.2.1:81", "192.0.2.2:80", "[::1]:80" };
	struct endpoint a, b;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
			ck_assert_int_eq(endpoint_parse(&e, texts[i], &a), 0);
			ck_assert_int_eq(endpoint_parse(&e, texts[k], &b), 0);
			ck_assert_int_eq(endpoint_equal(&a, &b), i == k);
		}
	}
}
END_TEST

START_TEST(makes_a_socket_address)
{
	struct sockaddr_storage ss;
	const struct sockaddr_in *in = (const void *)&ss;
	const struct sockaddr_in6 *in6 = (const void *)&ss;
	struct endpoint ep = { .addr = addr_of("192.0.2.1"), .port = 8080 };

	ck_assert_uint_eq(endpoint_to_sockaddr(&ep, &ss), sizeof(*in));
	ck_assert_int_eq(in->sin_family, AF_INET);
	ck_assert_uint_eq(ntohs(in->sin_port), 8080);
	ck_assert_uint_eq(ntohl(in->sin_addr.s_addr), 0xc0000201);
	ep.addr = addr_of("2001:db8::1");
	ck_assert_uint_eq(endpoint_to_sockaddr(&ep, &ss), sizeof(*in6));
	ck_assert_int_eq(in6->sin6_family, AF_INET6);
	ck_assert_uint_eq(ntohs(in6->sin6_port), 8080);
	ck_assert_mem_eq(&in6->sin6_addr, ep.addr.bytes, 16);
	ck_assert_uint_eq(in6->sin6_scope_id, 0);
}
END_TEST

START_TEST(reads_what_it_made_as_a_socket_address)
{
	static const char *const texts[] = { "192.0.2.1:80", "255.255.255.255:65535", "[2001:db8::1]:256",
					     "[::]:1" };
	struct sockaddr_storage ss;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct endpoint ep, back;
		struct err e;

		memset(&back, 0xff, sizeof(back));
		ck_assert_int_eq(endpoint_parse(&e, texts[i], &ep), 0);
		endpoint_to_sockaddr(&ep, &ss);
		ck_assert_int_eq(endpoint_from_sockaddr(&ss, &back), 0);
		ck_assert_msg(endpoint_equal(&ep, &back), "%s", texts[i]);
		ck_assert_mem_eq(back.addr.bytes, ep.addr.bytes, sizeof(ep.addr.bytes));
	}
}
END_TEST

START_TEST(drops_the_scope_of_a_socket_address)
{
	struct sockaddr_storage ss;
	struct sockaddr_in6 *in6 = (void *)&ss;
	struct endpoint ep = { .addr = addr_of("fe80::1"), .port = 9 }, back;

	endpoint_to_sockaddr(&ep, &ss);
	in6->sin6_scope_id = 3;
	in6->sin6_flowinfo = 5;
	ck_assert_int_eq(endpoint_from_sockaddr(&ss, &back), 0);
	ck_assert(endpoint_equal(&ep, &back));
}
END_TEST

START_TEST(rejects_a_socket_address_of_another_family)
{
	static const sa_family_t families[] = { AF_UNSPEC, AF_UNIX, AF_NETLINK, AF_PACKET };

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		struct sockaddr_storage ss = { .ss_family = families[i] };
		struct endpoint ep = { .port = 7 };

		ck_assert_int_eq(endpoint_from_sockaddr(&ss, &ep), -EAFNOSUPPORT);
		ck_assert_uint_eq(ep.port, 7);
	}
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, writes_an_address_in_its_canonical_form);
	tcase_add_test(tc, writes_any_address_and_endpoint_as_libc_does);
	tcase_add_test(tc, writes_the_ends_of_the_ranges);
	tcase_add_test(tc, rejects_what_is_no_literal);
	tcase_add_test(tc, names_the_text_that_is_no_address);
	tcase_add_test(tc, keeps_the_bytes_in_network_order_and_the_rest_zero);
	tcase_add_test(tc, orders_by_family_then_bytes);
	tcase_add_test(tc, tells_unicast_from_the_rest);
	tcase_add_test(tc, knows_where_an_address_can_be_used);
	tcase_add_test(tc, accepts_every_port_from_1_to_65535);
	tcase_add_test(tc, rejects_a_port_that_is_not_one);
	tcase_add_test(tc, reads_and_writes_endpoints);
	tcase_add_test(tc, the_longest_endpoint_fits);
	tcase_add_test(tc, rejects_what_is_no_endpoint);
	tcase_add_test(tc, endpoints_differ_by_address_or_port);
	tcase_add_test(tc, makes_a_socket_address);
	tcase_add_test(tc, reads_what_it_made_as_a_socket_address);
	tcase_add_test(tc, drops_the_scope_of_a_socket_address);
	tcase_add_test(tc, rejects_a_socket_address_of_another_family);
}

int main(void)
{
	return unit_main("addr", add);
}
