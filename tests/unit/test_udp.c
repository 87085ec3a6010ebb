/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "given.h"
#include "udp.h"

#include <poll.h>

#define WAIT 20000 /* milliseconds; only a failure takes that long */

static const struct udp_ports many_ports = { 20000, 60000 };
static const struct udp_from anywhere;

static const char *const loopbacks[] = { "127.0.0.1", "::1" };

struct sock {
	int fd;
	struct endpoint local;
};

static void sock_close(struct sock *s)
{
	close(s->fd);
}

static struct endpoint port_9_of(const char *address)
{
	return (struct endpoint){ .addr = given_addr(address), .port = 9 };
}

static struct sock given_sock(const char *address)
{
	struct endpoint to = port_9_of(address);
	struct err e = { 0 };
	struct sock s;

	ck_assert_msg(udp_open(&e, &to, &anywhere, &many_ports, &s.fd, &s.local) == 0, "%s", e.msg);
	return s;
}

static void send_text(const struct sock *s, const struct endpoint *to, const char *text)
{
	ck_assert_int_eq(udp_send(s->fd, to, text, strlen(text)), UDP_NOTHING);
}

/* Waits until there is something. */
static enum udp_event receive(const struct sock *s, struct endpoint *peer, void *buf, size_t *len)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };

	ck_assert_int_eq(poll(&p, 1, WAIT), 1);
	return udp_receive(s->fd, peer, buf, len);
}

static void expect_datagram(const struct sock *s, const struct endpoint *from, const char *text)
{
	struct endpoint peer;
	char buf[200];
	size_t len = sizeof(buf);

	ck_assert_int_eq(receive(s, &peer, buf, &len), UDP_DATAGRAM);
	ck_assert(endpoint_equal(&peer, from));
	ck_assert_uint_eq(len, strlen(text));
	ck_assert_mem_eq(buf, text, len);
}

static void expect_port_unreachable(const struct sock *s, const struct endpoint *where)
{
	struct endpoint peer;
	char buf[200];
	size_t len = sizeof(buf);

	ck_assert_int_eq(receive(s, &peer, buf, &len), UDP_PORT_UNREACHABLE);
	ck_assert(endpoint_equal(&peer, where));
}

static void expect_nothing(const struct sock *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };
	struct endpoint peer;
	char buf[200];
	size_t len = sizeof(buf);

	ck_assert_int_eq(udp_receive(s->fd, &peer, buf, &len), UDP_NOTHING);
	ck_assert_int_eq(poll(&p, 1, 0), 0);
}

/* A port at which nobody listens. */
static struct endpoint closed_port(const char *address)
{
	CLEANUP(sock_close) struct sock s = given_sock(address);

	return s.local;
}

START_TEST(finds_the_source_of_the_route)
{
	struct endpoint to = port_9_of(loopbacks[_i]);
	struct err e = { 0 };
	struct addr source;

	ck_assert_msg(udp_source(&e, &to, &anywhere, &source) == 0, "%s", e.msg);
	ck_assert(addr_equal(&source, &to.addr));
}
END_TEST

START_TEST(sends_from_the_address_and_device_that_are_named)
{
	struct udp_from from = { .address = given_addr("127.0.0.2"), .device = "lo" };
	CLEANUP(sock_close) struct sock b = given_sock("127.0.0.1");
	CLEANUP(sock_close) struct sock a = { .fd = -1 };
	struct endpoint to = b.local;
	struct addr source;
	struct err e = { 0 };

	ck_assert_msg(udp_source(&e, &to, &from, &source) == 0, "%s", e.msg);
	ck_assert(addr_equal(&source, &from.address));
	ck_assert_msg(udp_open(&e, &to, &from, &many_ports, &a.fd, &a.local) == 0, "%s", e.msg);
	ck_assert(addr_equal(&a.local.addr, &from.address));
	send_text(&a, &b.local, "from .2");
	expect_datagram(&b, &a.local, "from .2");
}
END_TEST

/* Both calls fail with that code, and leave their results alone. */
static void expect_refusal(const char *to_text, const struct udp_from *from, int code, const char *says)
{
	struct endpoint to = port_9_of(to_text), local = { .port = 7 };
	struct addr source = { .family = 7 };
	struct err e = { 0 };
	int fd = 7;

	ck_assert_int_eq(udp_source(&e, &to, from, &source), -code);
	ck_assert_int_eq(e.code, code);
	ck_assert_msg(strstr(e.msg, says), "'%s' does not say '%s'", e.msg, says);
	ck_assert_int_eq(udp_open(&e, &to, from, &many_ports, &fd, &local), -code);
	ck_assert_int_eq(source.family, 7);
	ck_assert_int_eq(fd, 7);
	ck_assert_int_eq(local.port, 7);
}

START_TEST(refuses_addresses_that_are_not_ours)
{
	struct udp_from from4 = { .address = given_addr("203.0.113.77") };
	struct udp_from from6 = { .address = given_addr("2001:db8:ffff::77") };

	expect_refusal("127.0.0.1", &from4, EADDRNOTAVAIL, "203.0.113.77");
	expect_refusal("::1", &from6, EADDRNOTAVAIL, "2001:db8:ffff::77");
}
END_TEST

START_TEST(refuses_unknown_devices)
{
	struct udp_from from = { .device = "nosuchdevice99" };

	expect_refusal("127.0.0.1", &from, ENODEV, "there is no network interface 'nosuchdevice99'");
	expect_refusal("::1", &from, ENODEV, "there is no network interface 'nosuchdevice99'");
}
END_TEST

START_TEST(refuses_an_address_of_the_other_family)
{
	struct udp_from from4 = { .address = given_addr("127.0.0.1") }, from6 = { .address = given_addr("::1") };

	expect_refusal("::1", &from4, ENETUNREACH, "IPv6");
	expect_refusal("127.0.0.1", &from6, ENETUNREACH, "IPv4");
}
END_TEST

START_TEST(refuses_a_loopback_address_for_the_world)
{
	struct udp_from from4 = { .address = given_addr("127.0.0.1") };

	expect_refusal("198.51.100.1", &from4, ENETUNREACH, "198.51.100.1:9");
}
END_TEST

START_TEST(binds_to_the_source_and_a_port_of_the_range)
{
	struct endpoint to = port_9_of(loopbacks[_i]);
	struct udp_ports ports = { 30000, 30019 };
	struct err e = { 0 };
	struct sock s;

	for (size_t run = 0; run < 100; run++) {
		struct sockaddr_storage ss = { 0 };
		socklen_t ss_len = sizeof(ss);
		struct endpoint bound;

		ck_assert_msg(udp_open(&e, &to, &anywhere, &ports, &s.fd, &s.local) == 0, "%s", e.msg);
		ck_assert(addr_equal(&s.local.addr, &to.addr));
		ck_assert_uint_ge(s.local.port, 30000);
		ck_assert_uint_le(s.local.port, 30019);
		ck_assert_int_eq(getsockname(s.fd, (struct sockaddr *)&ss, &ss_len), 0);
		ck_assert_int_eq(endpoint_from_sockaddr(&ss, &bound), 0);
		ck_assert(endpoint_equal(&bound, &s.local));
		sock_close(&s);
	}
}
END_TEST

START_TEST(takes_ports_at_random)
{
	uint16_t first = 0;
	bool differs = false;

	for (size_t run = 0; run < 20; run++) {
		CLEANUP(sock_close) struct sock s = given_sock("127.0.0.1");

		if (run == 0)
			first = s.local.port;
		differs = differs || s.local.port != first;
	}
	ck_assert(differs);
}
END_TEST

START_TEST(passes_over_ports_that_are_taken)
{
	CLEANUP(sock_close) struct sock s = given_sock(loopbacks[_i]);
	struct udp_ports ports = { s.local.port, (uint16_t)(s.local.port + 3) };
	struct endpoint to = port_9_of(loopbacks[_i]);
	struct err e = { 0 };

	for (size_t run = 0; run < 50; run++) {
		CLEANUP(sock_close) struct sock other = { .fd = -1 };

		ck_assert_msg(udp_open(&e, &to, &anywhere, &ports, &other.fd, &other.local) == 0, "%s", e.msg);
		ck_assert_uint_ne(other.local.port, s.local.port);
	}
}
END_TEST

START_TEST(says_that_no_port_is_free)
{
	CLEANUP(sock_close) struct sock s = given_sock(loopbacks[_i]);
	struct udp_ports taken = { s.local.port, s.local.port };
	struct endpoint to = port_9_of(loopbacks[_i]), local = { .port = 7 };
	struct err e = { 0 };
	int fd = 7;

	ck_assert_int_eq(udp_open(&e, &to, &anywhere, &taken, &fd, &local), -EADDRINUSE);
	ck_assert_int_eq(e.code, EADDRINUSE);
	ck_assert_int_eq(fd, 7);
	ck_assert_uint_eq(local.port, 7);
}
END_TEST

START_TEST(datagrams_arrive)
{
	CLEANUP(sock_close) struct sock a = given_sock(loopbacks[_i]);
	CLEANUP(sock_close) struct sock b = given_sock(loopbacks[_i]);

	expect_nothing(&b);
	send_text(&a, &b.local, "ping");
	send_text(&a, &b.local, "");
	expect_datagram(&b, &a.local, "ping");
	expect_datagram(&b, &a.local, "");
	send_text(&b, &a.local, "pong");
	expect_datagram(&a, &b.local, "pong");
	expect_nothing(&a);
	expect_nothing(&b);
}
END_TEST

START_TEST(cuts_off_datagrams_longer_than_the_buffer)
{
	CLEANUP(sock_close) struct sock a = given_sock(loopbacks[_i]);
	CLEANUP(sock_close) struct sock b = given_sock(loopbacks[_i]);
	struct endpoint peer;
	char buf[5];
	size_t len = 4;

	send_text(&a, &b.local, "abcde");
	send_text(&a, &b.local, "1234");
	buf[4] = 'x';
	ck_assert_int_eq(receive(&b, &peer, buf, &len), UDP_DATAGRAM);
	ck_assert_uint_eq(len, 4);
	ck_assert_mem_eq(buf, "abcdx", 5);
	ck_assert_int_eq(receive(&b, &peer, buf, &len), UDP_DATAGRAM);
	ck_assert_mem_eq(buf, "1234x", 5);
	expect_nothing(&b);
}
END_TEST

START_TEST(reports_closed_ports_and_loses_no_datagram)
{
	CLEANUP(sock_close) struct sock a = given_sock(loopbacks[_i]);
	CLEANUP(sock_close) struct sock b = given_sock(loopbacks[_i]);
	struct endpoint closed = closed_port(loopbacks[_i]);

	send_text(&b, &a.local, "before");
	send_text(&a, &closed, "anybody?");
	send_text(&b, &a.local, "after");
	expect_port_unreachable(&a, &closed);
	expect_datagram(&a, &b.local, "before");
	expect_datagram(&a, &b.local, "after");
	expect_nothing(&a);
}
END_TEST

START_TEST(sends_in_spite_of_errors_of_former_datagrams)
{
	CLEANUP(sock_close) struct sock a = given_sock(loopbacks[_i]);
	CLEANUP(sock_close) struct sock b = given_sock(loopbacks[_i]);
	struct endpoint closed = closed_port(loopbacks[_i]);

	send_text(&a, &closed, "1");
	send_text(&a, &closed, "2");
	send_text(&a, &b.local, "3");
	expect_datagram(&b, &a.local, "3");
	/* Both errors are still to be had. */
	expect_port_unreachable(&a, &closed);
	expect_port_unreachable(&a, &closed);
	expect_nothing(&a);
}
END_TEST

START_TEST(reports_what_this_host_does_not_send)
{
	CLEANUP(sock_close) struct sock a = given_sock("127.0.0.1");
	struct endpoint broadcast = port_9_of("127.255.255.255"), elsewhere = port_9_of("198.51.100.1");

	ck_assert_int_eq(udp_send(a.fd, &broadcast, "x", 1), UDP_PROHIBITED);
	ck_assert_int_eq(udp_send(a.fd, &elsewhere, "x", 1), UDP_UNREACHABLE);
	expect_nothing(&a);
}
END_TEST

static void add(TCase *tc)
{
	const int both = ARRAY_LEN(loopbacks);

	tcase_add_loop_test(tc, finds_the_source_of_the_route, 0, both);
	tcase_add_test(tc, sends_from_the_address_and_device_that_are_named);
	tcase_add_test(tc, refuses_addresses_that_are_not_ours);
	tcase_add_test(tc, refuses_unknown_devices);
	tcase_add_test(tc, refuses_an_address_of_the_other_family);
	tcase_add_test(tc, refuses_a_loopback_address_for_the_world);
	tcase_add_loop_test(tc, binds_to_the_source_and_a_port_of_the_range, 0, both);
	tcase_add_test(tc, takes_ports_at_random);
	tcase_add_loop_test(tc, passes_over_ports_that_are_taken, 0, both);
	tcase_add_loop_test(tc, says_that_no_port_is_free, 0, both);
	tcase_add_loop_test(tc, datagrams_arrive, 0, both);
	tcase_add_loop_test(tc, cuts_off_datagrams_longer_than_the_buffer, 0, both);
	tcase_add_loop_test(tc, reports_closed_ports_and_loses_no_datagram, 0, both);
	tcase_add_loop_test(tc, sends_in_spite_of_errors_of_former_datagrams, 0, both);
	tcase_add_test(tc, reports_what_this_host_does_not_send);
}

int main(void)
{
	return unit_main("udp", add);
}
