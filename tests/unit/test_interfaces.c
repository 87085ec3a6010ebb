/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which addresses of a host are chosen. The host is the test's own: its
 * interfaces come from here, not from getifaddrs(3) of the system.
 */
#include "given.h"
#include "interfaces.h"

#include <ifaddrs.h>
#include <net/if.h>

#define ADDRESSES_MAX 200

/* What getifaddrs says. */
static struct {
	struct ifaddrs list[ADDRESSES_MAX];
	struct sockaddr_storage addresses[ADDRESSES_MAX];
	size_t n;
	int error;
	int given; /* lists that have not been freed */
} host;

int getifaddrs(struct ifaddrs **out)
{
	if (host.error) {
		errno = host.error;
		return -1;
	}
	for (size_t i = 0; i < host.n; i++)
		host.list[i].ifa_next = i + 1 < host.n ? &host.list[i + 1] : NULL;
	*out = host.n ? host.list : NULL;
	host.given++;
	return 0;
}

void freeifaddrs(struct ifaddrs *list)
{
	ck_assert_ptr_eq(list, host.n ? host.list : NULL);
	host.given--;
}

static void given_host(void)
{
	memset(&host, 0, sizeof(host));
}

static struct ifaddrs *given_entry(unsigned flags)
{
	static char name[] = "eth0";
	struct ifaddrs *i = &host.list[host.n];

	ck_assert_uint_lt(host.n, ADDRESSES_MAX);
	i->ifa_name = name;
	i->ifa_flags = flags;
	i->ifa_addr = (struct sockaddr *)&host.addresses[host.n++];
	return i;
}

static void given_address(const char *text, unsigned flags)
{
	struct endpoint ep = { .addr = given_addr(text) };
	struct ifaddrs *i = given_entry(flags);

	(void)endpoint_to_sockaddr(&ep, (struct sockaddr_storage *)i->ifa_addr);
}

static void given_addresses(const char *const texts[])
{
	for (; *texts; texts++)
		given_address(*texts, IFF_UP);
}

/* The addresses are exactly these, up to a NULL. */
static void expect(sa_family_t family, const char *const texts[])
{
	struct addr out[INTERFACES_ADDRESSES_MAX];
	struct err e = { 0 };
	size_t n = 77;

	ck_assert_int_eq(interfaces_addresses(&e, family, out, &n), 0);
	ck_assert_int_eq(host.given, 0);
	for (size_t i = 0; i < n; i++) {
		char text[ADDR_STRLEN];

		ck_assert_ptr_nonnull(texts[i]);
		ck_assert_str_eq(addr_format(&out[i], text), texts[i]);
	}
	ck_assert_ptr_null(texts[n]);
}

static const char *const nothing[] = { NULL };

START_TEST(global_addresses_go_first)
{
	static const char *const all[] = { "127.0.0.1", "10.0.0.2", "198.51.100.2", "100.64.0.1", "192.0.2.1",
					   "::1", "fd00::2", "2001:db8::2", "fe80::1", NULL };
	static const char *const both[] = { "198.51.100.2", "192.0.2.1", "2001:db8::2", NULL };
	static const char *const ipv4[] = { "198.51.100.2", "192.0.2.1", NULL };
	static const char *const ipv6[] = { "2001:db8::2", NULL };

	given_host();
	given_addresses(all);
	expect(AF_UNSPEC, both);
	expect(AF_INET, ipv4);
	expect(AF_INET6, ipv6);
}
END_TEST

START_TEST(private_and_shared_ones_serve_if_there_are_no_global_ones)
{
	static const char *const all[] = { "127.0.0.1", "192.168.7.1", "100.64.0.1", "169.254.1.1", "fe80::1",
					   "fd00::2", "172.31.0.1", NULL };
	static const char *const both[] = { "192.168.7.1", "100.64.0.1", "fd00::2", "172.31.0.1", NULL };
	static const char *const ipv6[] = { "fd00::2", NULL };

	given_host();
	given_addresses(all);
	expect(AF_UNSPEC, both);
	expect(AF_INET6, ipv6);
	/* A global one of the other family changes nothing. */
	given_address("198.51.100.2", IFF_UP);
	expect(AF_INET6, ipv6);
}
END_TEST

START_TEST(some_are_never_chosen)
{
	static const char *const all[] = { "127.0.0.1", "::1", "169.254.1.1", "fe80::1", "0.0.0.0", "::",
					   "224.0.0.1", "ff02::1", "255.255.255.255", "::ffff:192.0.2.1", NULL };

	given_host();
	given_addresses(all);
	expect(AF_UNSPEC, nothing);
}
END_TEST

START_TEST(passes_over_interfaces_that_are_down)
{
	static const char *const up[] = { "10.0.0.2", NULL };

	given_host();
	given_address("198.51.100.2", IFF_BROADCAST);
	given_address("10.0.0.2", IFF_UP | IFF_BROADCAST);
	given_address("10.0.0.3", 0);
	expect(AF_UNSPEC, up);
}
END_TEST

START_TEST(passes_over_what_is_no_ip_address)
{
	static const char *const ip[] = { "198.51.100.2", NULL };

	given_host();
	given_entry(IFF_UP)->ifa_addr = NULL; /* a tunnel that has none */
	given_entry(IFF_UP)->ifa_addr->sa_family = AF_PACKET;
	given_address("198.51.100.2", IFF_UP);
	expect(AF_UNSPEC, ip);
}
END_TEST

START_TEST(names_each_once)
{
	static const char *const all[] = { "198.51.100.2", "2001:db8::2", "198.51.100.2", "2001:db8::2", NULL };
	static const char *const once[] = { "198.51.100.2", "2001:db8::2", NULL };

	given_host();
	given_addresses(all);
	expect(AF_UNSPEC, once);
}
END_TEST

START_TEST(takes_no_more_than_there_is_room_for)
{
	const char *first[INTERFACES_ADDRESSES_MAX + 1] = { NULL };
	char texts[INTERFACES_ADDRESSES_MAX + 10][ADDR_STRLEN];

	given_host();
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		snprintf(texts[i], sizeof(texts[i]), "198.51.100.%zu", i + 1);
		given_address(texts[i], IFF_UP);
		if (i < INTERFACES_ADDRESSES_MAX)
			first[i] = texts[i];
	}
	expect(AF_UNSPEC, first);
}
END_TEST

START_TEST(a_host_may_have_none)
{
	given_host();
	expect(AF_UNSPEC, nothing);
}
END_TEST

START_TEST(says_that_the_system_does_not_tell)
{
	struct addr out[INTERFACES_ADDRESSES_MAX];
	struct err e = { 0 };
	size_t n = 77;

	given_host();
	host.error = ENOBUFS;
	ck_assert_int_eq(interfaces_addresses(&e, AF_UNSPEC, out, &n), -ENOBUFS);
	ck_assert_int_eq(e.code, ENOBUFS);
	ck_assert_uint_eq(n, 77);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, global_addresses_go_first);
	tcase_add_test(tc, private_and_shared_ones_serve_if_there_are_no_global_ones);
	tcase_add_test(tc, some_are_never_chosen);
	tcase_add_test(tc, passes_over_interfaces_that_are_down);
	tcase_add_test(tc, passes_over_what_is_no_ip_address);
	tcase_add_test(tc, names_each_once);
	tcase_add_test(tc, takes_no_more_than_there_is_room_for);
	tcase_add_test(tc, a_host_may_have_none);
	tcase_add_test(tc, says_that_the_system_does_not_tell);
}

int main(void)
{
	return unit_main("interfaces", add);
}
