/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "given.h"
#include "server.h"

#define LABEL_63 "abcdefghijklmnopqrstuvwxyz-0123456789_ABCDEFGHIJKLMNOPQRSTUVWXY"
#define LABEL_61 "abcdefghijklmnopqrstuvwxyz-0123456789_ABCDEFGHIJKLMNOPQRSTUVW"
#define NAME_253 LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_61

START_TEST(reads_a_name_or_an_address_and_perhaps_a_port)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
		sa_family_t family;
		const char *again; /* as it is written; NULL: like text */
	} cases[] = {
		{ "stun.example.net", "stun.example.net", 0, AF_UNSPEC, NULL },
		{ "stun.example.net:3478", "stun.example.net", 3478, AF_UNSPEC, NULL },
		{ "Stun.Example.NET", "Stun.Example.NET", 0, AF_UNSPEC, NULL },
		{ "localhost:1", "localhost", 1, AF_UNSPEC, NULL },
		{ "localhost:65535", "localhost", 65535, AF_UNSPEC, NULL },
		{ "localhost:03478", "localhost", 3478, AF_UNSPEC, "localhost:3478" },
		{ "a", "a", 0, AF_UNSPEC, NULL },
		{ "stun.example.net.", "stun.example.net.", 0, AF_UNSPEC, NULL },
		{ "stun.example.net.:3478", "stun.example.net.", 3478, AF_UNSPEC, NULL },
		{ "my_stun-1.example.net", "my_stun-1.example.net", 0, AF_UNSPEC, NULL },
		{ "_stun", "_stun", 0, AF_UNSPEC, NULL },
		{ "xn--bcher-kva.example", "xn--bcher-kva.example", 0, AF_UNSPEC, NULL },
		{ "1.2.3.example", "1.2.3.example", 0, AF_UNSPEC, NULL },
		{ "3com", "3com", 0, AF_UNSPEC, NULL },
		{ "0xcafe.example", "0xcafe.example", 0, AF_UNSPEC, NULL },
		{ "0xyz", "0xyz", 0, AF_UNSPEC, NULL },
		{ "0x", "0x", 0, AF_UNSPEC, NULL },
		{ "cafe", "cafe", 0, AF_UNSPEC, NULL },
		{ "stun:3478", "stun", 3478, AF_UNSPEC, NULL }, /* a host named stun */
		{ LABEL_63 ".example", LABEL_63 ".example", 0, AF_UNSPEC, NULL },
		{ NAME_253, NAME_253, 0, AF_UNSPEC, NULL },
		{ NAME_253 ":65535", NAME_253, 65535, AF_UNSPEC, NULL },
		{ "192.0.2.1", "192.0.2.1", 0, AF_INET, NULL },
		{ "192.0.2.1:3478", "192.0.2.1", 3478, AF_INET, NULL },
		{ "127.0.0.1:3488", "127.0.0.1", 3488, AF_INET, NULL },
		{ "2001:db8::1", "2001:db8::1", 0, AF_INET6, NULL },
		{ "2001:DB8:0::0:1", "2001:db8::1", 0, AF_INET6, "2001:db8::1" },
		{ "[2001:db8::1]", "2001:db8::1", 0, AF_INET6, "2001:db8::1" },
		{ "[2001:db8::1]:3478", "2001:db8::1", 3478, AF_INET6, NULL },
		{ "2001:db8::1:3478", "2001:db8::1:3478", 0, AF_INET6, NULL }, /* no port: no brackets */
		{ "::1", "::1", 0, AF_INET6, NULL },
		{ "[2001:DB8:1111:2222:3333:4444:5555:6666]:65535", "2001:db8:1111:2222:3333:4444:5555:6666",
		  65535, AF_INET6, "[2001:db8:1111:2222:3333:4444:5555:6666]:65535" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char buf[SERVER_STRLEN];
		struct server s;
		struct err e;

		ck_assert_msg(server_parse(&e, cases[i].text, &s) == 0, "%s: %s", cases[i].text, e.msg);
		ck_assert_str_eq(s.host, cases[i].host);
		ck_assert_msg(s.port == cases[i].port, "%s: port %u", cases[i].text, s.port);
		ck_assert_msg(s.addr.family == cases[i].family, "%s: family %d", cases[i].text, s.addr.family);
		if (s.addr.family != AF_UNSPEC) {
			struct addr a = given_addr(s.host);

			ck_assert(addr_equal(&s.addr, &a));
		}
		ck_assert_ptr_eq(server_format(&s, buf), buf);
		ck_assert_str_eq(buf, cases[i].again ? cases[i].again : cases[i].text);
	}
}
END_TEST

static void expect_refused(const char *text, const char *message)
{
	struct server s = { .port = 7 };
	struct err e = { 0 };

	ck_assert_msg(server_parse(&e, text, &s) == -EINVAL, "accepts '%s'", text);
	ck_assert_int_eq(e.code, EINVAL);
	ck_assert_uint_eq(s.port, 7);
	ck_assert_str_eq(s.host, "");
	ck_assert_msg(strstr(e.msg, message), "'%s': %s", text, e.msg);
}

START_TEST(refuses_what_is_no_server)
{
	static const char *const texts[] = {
		"", " ", "\n", ":", ":3478", "[", "]", "[]", "[]:3478", "[:", "::3478:", "a b", " a", "a ",
		"a\t", "a\nb", "a\x7f", "a\x01.example", "m\xc3\xbcller.example", "a/b", "a@b", "a,b",
		"user@stun.example", "a%b", "*",
		/* labels */
		".", "..", ".a", "a..b", "a..", "-a", "a-", "a.-b", "a-.b", "-", LABEL_63 "x",
		"a." LABEL_63 "x", "x" NAME_253, NAME_253 ".", "x" NAME_253 ":3478",
		/* ports */
		"host:", "host:0", "host:65536", "host:-1", "host:+1", "host: 1", "host:1 ", "host:stun",
		"host:3478x", "host:000001", "192.0.2.1:", "192.0.2.1:0", "[::1]:", "[::1]:0",
		"[::1]:65536", "a:b:c", "host:1:2",
		/* brackets */
		"[::1", "::1]", "[::1]3478", "[::1]x:3478", "[[::1]]", "[::1]]", "[192.0.2.1]",
		"[192.0.2.1]:3478", "[stun.example]", "[stun.example]:3478", "x[::1]:3478",
		/* a mistyped address is no name */
		"1", "1.2.3", "1.2.3.", "192.0.2", "192.0.2.256", "192.0.2.1.", "192.0.2.1.1",
		"192.0.2.1:3478:1", "127.1", "3478", "a.7", "0x7f000001", "0X7F000001", "0x7f.1", "1.0xff",
		"127.0.0.0x1", "192.0.2.01x.8", "1.2.3:3478", "2001:db8:::1", "2001:db8", "12345::",
		"fe80::1%eth0", "[fe80::1%eth0]:3478", "192.0.2.0/24",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		expect_refused(texts[i], "is not a STUN server; write HOST, HOST:PORT or [IPV6]:PORT");
}
END_TEST

START_TEST(says_what_to_write_instead)
{
	struct server s;
	struct err e;

	ck_assert_int_eq(server_parse(&e, "host:\n", &s), -EINVAL);
	ck_assert_str_eq(e.msg, "'host:?' is not a STUN server; write HOST, HOST:PORT or [IPV6]:PORT");
}
END_TEST

START_TEST(says_that_a_uri_is_not_wanted)
{
	static const char *const uris[] = {
		"stun:stun.example.net", "stun:stun.example.net:3478", "STUN:192.0.2.1",
		"stuns:stun.example.net", "stun://stun.example.net", "turn:[::1]:3478",
		"turns:turn.example.net?transport=tcp", "https://stun.example.net/",
	};

	for (size_t i = 0; i < ARRAY_LEN(uris); i++)
		expect_refused(uris[i], "write HOST, HOST:PORT or [IPV6]:PORT, not a URI");
}
END_TEST

START_TEST(refuses_an_address_that_is_not_unicast)
{
	static const char *const texts[] = {
		"0.0.0.0", "0.0.0.0:3478", "224.0.0.1", "255.255.255.255:3478", "::", "[::]:3478",
		"ff02::1", "[ff02::1]:3478", "::ffff:192.0.2.1", "[::ffff:192.0.2.1]:3478",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		expect_refused(texts[i], "' is not a STUN server; name a unicast address");
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, reads_a_name_or_an_address_and_perhaps_a_port);
	tcase_add_test(tc, refuses_what_is_no_server);
	tcase_add_test(tc, says_what_to_write_instead);
	tcase_add_test(tc, says_that_a_uri_is_not_wanted);
	tcase_add_test(tc, refuses_an_address_that_is_not_unicast);
}

int main(void)
{
	return unit_main("server", add);
}
