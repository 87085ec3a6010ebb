/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What only routes, other hosts, firewalls or a full buffer bring about: the
 * system calls that tell of them are the test's own here.
 */
#include "given.h"
#include "udp.h"

#include <linux/errqueue.h>

#define ICMP SO_EE_ORIGIN_ICMP
#define ICMP6 SO_EE_ORIGIN_ICMP6

/* The kernel's side; an errno of 0 is success. */
static struct {
	int connect_error;
	const char *source; /* what the routing table says */

	int send_errors[16];
	size_t n_sends;

	struct sock_extended_err errors[4]; /* the error queue */
	size_t n_errors, errors_taken;
	const char *offender; /* whose word they are; NULL: the destination's */
	int receive_errors[4]; /* of the datagrams' queue; then it is empty */
	size_t n_receives;
} kernel;

int connect(int fd, const struct sockaddr *to, socklen_t len)
{
	(void)fd, (void)to, (void)len;
	errno = kernel.connect_error;
	return errno ? -1 : 0;
}

int getsockname(int fd, struct sockaddr *restrict out, socklen_t *restrict len)
{
	struct endpoint source = { .addr = given_addr(kernel.source), .port = 40000 };
	struct sockaddr_storage ss;

	(void)fd;
	*len = endpoint_to_sockaddr(&source, &ss);
	memcpy(out, &ss, *len);
	return 0;
}

ssize_t sendto(int fd, const void *bytes, size_t len, int flags, const struct sockaddr *to, socklen_t to_len)
{
	int code;

	(void)fd, (void)bytes, (void)flags, (void)to, (void)to_len;
	ck_assert_uint_lt(kernel.n_sends, ARRAY_LEN(kernel.send_errors));
	code = kernel.send_errors[kernel.n_sends++];
	errno = code;
	return code ? -1 : (ssize_t)len;
}

/* The destination of every datagram that an error is about: 192.0.2.1:3478 or [2001:db8::1]:3478. */
static struct endpoint destination(const struct sock_extended_err *ee)
{
	return given_endpoint(ee->ee_origin == ICMP6 ? "[2001:db8::1]:3478" : "192.0.2.1:3478");
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	const struct sock_extended_err *ee = &kernel.errors[kernel.errors_taken];
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	struct sockaddr_storage ss;
	struct endpoint to, from;

	(void)fd;
	ck_assert_int_eq(flags, MSG_ERRQUEUE);
	if (kernel.errors_taken == kernel.n_errors) {
		errno = EAGAIN;
		return -1;
	}
	kernel.errors_taken++;
	to = destination(ee);
	msg->msg_namelen = endpoint_to_sockaddr(&to, msg->msg_name);
	ck_assert_uint_ge(msg->msg_controllen, CMSG_SPACE(sizeof(*ee) + sizeof(struct sockaddr_in6)));
	c->cmsg_level = to.addr.family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
	c->cmsg_type = to.addr.family == AF_INET6 ? IPV6_RECVERR : IP_RECVERR;
	c->cmsg_len = CMSG_LEN(sizeof(*ee) + sizeof(struct sockaddr_in6));
	memcpy(CMSG_DATA(c), ee, sizeof(*ee));
	from = (struct endpoint){ .addr = kernel.offender ? given_addr(kernel.offender) : to.addr };
	endpoint_to_sockaddr(&from, &ss);
	memcpy(CMSG_DATA(c) + sizeof(*ee), &ss, sizeof(struct sockaddr_in6));
	msg->msg_controllen = CMSG_SPACE(sizeof(*ee) + sizeof(struct sockaddr_in6));
	msg->msg_flags = MSG_ERRQUEUE | MSG_TRUNC;
	return 0;
}

ssize_t recvfrom(int fd, void *restrict buf, size_t size, int flags, struct sockaddr *restrict from,
		 socklen_t *restrict from_len)
{
	struct endpoint peer = given_endpoint("192.0.2.9:9");
	struct sockaddr_storage ss;

	(void)fd, (void)flags;
	errno = kernel.n_receives < ARRAY_LEN(kernel.receive_errors) ? kernel.receive_errors[kernel.n_receives++] :
								       EAGAIN;
	if (errno)
		return -1;
	ck_assert_uint_ge(size, 2);
	memcpy(buf, "hi", 2);
	*from_len = endpoint_to_sockaddr(&peer, &ss);
	memcpy(from, &ss, *from_len);
	return 2;
}

START_TEST(knows_when_there_is_nothing_to_send_from)
{
	static const struct {
		const char *to;
		int connect_error;
		const char *source;
		int code; /* 0: found */
	} cases[] = {
		{ "192.0.2.1:1", 0, "198.51.100.2", 0 },
		{ "192.0.2.1:1", 0, "10.0.0.2", 0 },
		{ "127.0.0.2:1", 0, "127.0.0.1", 0 },
		{ "192.0.2.1:1", 0, "127.0.0.1", ENETUNREACH }, /* from the device "lo" */
		{ "10.0.0.1:1", 0, "127.0.0.1", ENETUNREACH },
		{ "192.0.2.1:1", 0, "0.0.0.0", ENETUNREACH },
		{ "192.0.2.1:1", ENETUNREACH, NULL, ENETUNREACH },
		{ "192.0.2.1:1", EINVAL, NULL, ENETUNREACH }, /* a blackhole */
		{ "192.0.2.1:1", EACCES, NULL, EACCES },
		{ "192.0.2.1:1", EHOSTUNREACH, NULL, EHOSTUNREACH },
		{ "[2001:db8::1]:1", 0, "2001:db8::2", 0 },
		{ "[2001:db8::1]:1", 0, "fd00::2", 0 },
		{ "[::1]:1", 0, "::1", 0 },
		{ "[2001:db8::1]:1", 0, "::", ENETUNREACH },
		{ "[2001:db8::1]:1", 0, "::1", ENETUNREACH },
		{ "[2001:db8::1]:1", 0, "fe80::1", ENETUNREACH },
		{ "[2001:db8::1]:1", EADDRNOTAVAIL, NULL, ENETUNREACH },
	};
	const struct udp_from anywhere = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct endpoint to = given_endpoint(cases[i].to);
		struct addr source = { .family = 7 };
		char text[ADDR_STRLEN];
		struct err e = { 0 };

		kernel.connect_error = cases[i].connect_error;
		kernel.source = cases[i].source;
		ck_assert_msg(udp_source(&e, &to, &anywhere, &source) == -cases[i].code, "case %zu: %s", i, e.msg);
		ck_assert_int_eq(e.code, cases[i].code);
		if (cases[i].code == 0)
			ck_assert_str_eq(addr_format(&source, text), cases[i].source);
		else
			ck_assert_int_eq(source.family, 7);
	}
}
END_TEST

START_TEST(tells_its_own_errors_from_those_of_former_datagrams)
{
	static const struct {
		int errors[16];
		enum udp_event event;
		size_t sends; /* at most; 0: do not care */
	} cases[] = {
		{ { 0 }, UDP_NOTHING, 1 },
		{ { ECONNREFUSED, 0 }, UDP_NOTHING, 2 },
		{ { EACCES, EHOSTUNREACH, ENETUNREACH, EMSGSIZE, EPROTO, 0 }, UDP_NOTHING, 6 },
		{ { EAGAIN }, UDP_NOTHING, 1 },
		{ { ENOBUFS }, UDP_NOTHING, 1 },
		{ { ENOMEM }, UDP_NOTHING, 1 },
		{ { ECONNREFUSED, EAGAIN }, UDP_NOTHING, 2 },
		{ { EPERM }, UDP_PROHIBITED, 1 },
		{ { ECONNREFUSED, EPERM }, UDP_PROHIBITED, 2 },
		{ { EACCES, EACCES, EACCES, EACCES, EACCES, EACCES, EACCES, EACCES, EACCES, EACCES },
		  UDP_PROHIBITED, 0 },
		{ { ENETUNREACH, ENETUNREACH, ENETUNREACH, ENETUNREACH, ENETUNREACH, ENETUNREACH, ENETUNREACH,
		    ENETUNREACH, ENETUNREACH, ENETUNREACH }, UDP_UNREACHABLE, 0 },
		{ { EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL },
		  UDP_UNREACHABLE, 0 },
	};
	struct endpoint to = given_endpoint("192.0.2.1:3478");

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		memset(&kernel, 0, sizeof(kernel));
		memcpy(kernel.send_errors, cases[i].errors, sizeof(cases[i].errors));
		ck_assert_msg(udp_send(3, &to, "x", 1) == cases[i].event, "case %zu", i);
		ck_assert_msg(cases[i].sends == 0 || kernel.n_sends == cases[i].sends, "case %zu: %zu", i,
			      kernel.n_sends);
	}
}
END_TEST

static void given_error(uint8_t origin, uint8_t type, uint8_t code)
{
	kernel.errors[kernel.n_errors++] = (struct sock_extended_err){
		.ee_errno = ECONNREFUSED, .ee_origin = origin, .ee_type = type, .ee_code = code,
	};
}

static enum udp_event receive(struct endpoint *peer)
{
	char buf[16];
	size_t len = sizeof(buf);

	return udp_receive(3, peer, buf, &len);
}

/* A host knows its ports; a router that says so rejects. Of reachability a router may speak. */
START_TEST(port_unreachable_said_by_another_is_a_refusal)
{
	static const struct {
		uint8_t origin, type, code;
		const char *offender;
		enum udp_event event;
	} cases[] = {
		{ ICMP, 3, 3, "192.0.2.1", UDP_PORT_UNREACHABLE },
		{ ICMP, 3, 3, "192.0.2.254", UDP_PROHIBITED },
		{ ICMP, 3, 3, "10.0.0.1", UDP_PROHIBITED },
		{ ICMP, 3, 1, "10.0.0.1", UDP_UNREACHABLE },
		{ ICMP, 3, 13, "192.0.2.1", UDP_PROHIBITED },
		{ ICMP6, 1, 4, "2001:db8::1", UDP_PORT_UNREACHABLE },
		{ ICMP6, 1, 4, "2001:db8::2", UDP_PROHIBITED },
		{ ICMP6, 1, 0, "2001:db8::2", UDP_UNREACHABLE },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct endpoint peer;

		memset(&kernel, 0, sizeof(kernel));
		kernel.offender = cases[i].offender;
		given_error(cases[i].origin, cases[i].type, cases[i].code);
		ck_assert_msg(receive(&peer) == cases[i].event, "case %zu", i);
	}
}
END_TEST

START_TEST(knows_what_icmp_errors_mean)
{
	static const struct {
		uint8_t origin, type, code;
		enum udp_event event;
	} cases[] = {
		{ ICMP, 3, 0, UDP_UNREACHABLE }, /* network */
		{ ICMP, 3, 1, UDP_UNREACHABLE }, /* host */
		{ ICMP, 3, 2, UDP_UNREACHABLE }, /* protocol */
		{ ICMP, 3, 3, UDP_PORT_UNREACHABLE },
		{ ICMP, 3, 4, UDP_NOTHING }, /* fragmentation needed */
		{ ICMP, 3, 9, UDP_PROHIBITED },
		{ ICMP, 3, 10, UDP_PROHIBITED },
		{ ICMP, 3, 11, UDP_UNREACHABLE },
		{ ICMP, 3, 12, UDP_UNREACHABLE },
		{ ICMP, 3, 13, UDP_PROHIBITED },
		{ ICMP, 3, 255, UDP_UNREACHABLE },
		{ ICMP, 11, 0, UDP_NOTHING }, /* time exceeded */
		{ ICMP, 11, 3, UDP_NOTHING },
		{ ICMP6, 1, 0, UDP_UNREACHABLE }, /* no route */
		{ ICMP6, 1, 1, UDP_PROHIBITED },
		{ ICMP6, 1, 2, UDP_UNREACHABLE },
		{ ICMP6, 1, 3, UDP_UNREACHABLE }, /* address */
		{ ICMP6, 1, 4, UDP_PORT_UNREACHABLE },
		{ ICMP6, 1, 5, UDP_PROHIBITED },
		{ ICMP6, 1, 6, UDP_PROHIBITED },
		{ ICMP6, 1, 7, UDP_UNREACHABLE },
		{ ICMP6, 2, 0, UDP_NOTHING }, /* packet too big */
		{ ICMP6, 3, 0, UDP_NOTHING }, /* time exceeded */
		{ ICMP6, 4, 1, UDP_NOTHING }, /* unknown next header */
		{ SO_EE_ORIGIN_LOCAL, 3, 3, UDP_NOTHING }, /* no ICMP at all */
		{ SO_EE_ORIGIN_TIMESTAMPING, 3, 3, UDP_NOTHING },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct endpoint peer = { .port = 7 }, want;

		memset(&kernel, 0, sizeof(kernel));
		kernel.receive_errors[0] = EAGAIN;
		given_error(cases[i].origin, cases[i].type, cases[i].code);
		ck_assert_msg(receive(&peer) == cases[i].event, "%u: %u/%u", cases[i].origin, cases[i].type,
			      cases[i].code);
		want = destination(&kernel.errors[0]);
		ck_assert(cases[i].event == UDP_NOTHING ? peer.port == 7 : endpoint_equal(&peer, &want));
		ck_assert_uint_eq(kernel.errors_taken, 1);
	}
}
END_TEST

START_TEST(what_is_of_no_interest_hides_nothing)
{
	struct endpoint peer, want = given_endpoint("192.0.2.1:3478"), sender = given_endpoint("192.0.2.9:9");

	memset(&kernel, 0, sizeof(kernel));
	given_error(ICMP, 3, 4);
	given_error(ICMP, 3, 3);
	given_error(ICMP, 3, 4);
	kernel.receive_errors[0] = ECONNREFUSED; /* an error that comes just now */
	kernel.receive_errors[2] = EAGAIN;
	ck_assert_int_eq(receive(&peer), UDP_PORT_UNREACHABLE);
	ck_assert(endpoint_equal(&peer, &want));
	ck_assert_int_eq(receive(&peer), UDP_DATAGRAM);
	ck_assert(endpoint_equal(&peer, &sender));
	ck_assert_int_eq(receive(&peer), UDP_NOTHING);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, knows_when_there_is_nothing_to_send_from);
	tcase_add_test(tc, tells_its_own_errors_from_those_of_former_datagrams);
	tcase_add_test(tc, port_unreachable_said_by_another_is_a_refusal);
	tcase_add_test(tc, knows_what_icmp_errors_mean);
	tcase_add_test(tc, what_is_of_no_interest_hides_nothing);
}

int main(void)
{
	return unit_main("udp_faults", add);
}
