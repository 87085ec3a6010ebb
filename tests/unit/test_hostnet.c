/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What this host's sockets say. SCTP is tested where the kernel has it; where
 * it has not, looking must not load it.
 */
#include "given.h"
#include "hostnet.h"

#include <unistd.h>

/* Listens at an endpoint; port 0: any, which is written there. */
static int listen_at(uint8_t protocol, struct endpoint *at)
{
	int fd = socket(at->addr.family, (protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, protocol);
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(at, &ss);
	struct addr addr = at->addr;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&ss, len), 0);
	ck_assert(protocol == IPPROTO_UDP || listen(fd, 1) == 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
	ck_assert_int_eq(endpoint_from_sockaddr(&ss, at), 0);
	at->addr = addr;
	return fd;
}

static enum hostnet_port probe(uint8_t protocol, const struct endpoint *at)
{
	enum hostnet_port state;
	struct err e;

	ck_assert_msg(hostnet_probe(&e, protocol, at, &state) == 0, "%s", e.msg);
	return state;
}

static bool has_sctp(void)
{
	return access("/proc/net/sctp", F_OK) == 0;
}

static const struct {
	const char *listener, *vip;
	enum hostnet_port state;
} cases[] = {
	{ "127.0.0.1", "127.0.0.1", HOSTNET_IN_USE }, { "0.0.0.0", "127.0.0.1", HOSTNET_IN_USE },
	{ "0.0.0.0", "127.0.0.2", HOSTNET_IN_USE },   { "127.0.0.2", "127.0.0.1", HOSTNET_FREE },
	{ "::1", "::1", HOSTNET_IN_USE },	      { "::", "::1", HOSTNET_IN_USE },
	{ "::", "127.0.0.1", HOSTNET_IN_USE }, /* of both families */
	{ "127.0.0.1", "::1", HOSTNET_FREE },
};

static void expect_listeners_seen(uint8_t protocol)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct endpoint at = { .addr = given_addr(cases[i].listener) };
		int fd = listen_at(protocol, &at);

		at.addr = given_addr(cases[i].vip);
		ck_assert_msg(probe(protocol, &at) == cases[i].state, "case %zu, protocol %u", i, (unsigned)protocol);
		close(fd);
		ck_assert_int_eq(probe(protocol, &at), HOSTNET_FREE); /* and looking leaves nothing */
	}
}

START_TEST(sees_who_listens_at_an_address_or_at_all)
{
	expect_listeners_seen(IPPROTO_TCP);
	expect_listeners_seen(IPPROTO_UDP);
	if (has_sctp())
		expect_listeners_seen(IPPROTO_SCTP);
}
END_TEST

START_TEST(a_listener_of_one_protocol_is_none_of_another)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP };

	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		struct endpoint at = { .addr = given_addr("127.0.0.1") };
		int fd;

		if (protocols[i] == IPPROTO_SCTP && !has_sctp())
			continue;
		fd = listen_at(protocols[i], &at);
		for (size_t k = 0; k < ARRAY_LEN(protocols); k++)
			ck_assert_int_eq(probe(protocols[k], &at), k == i ? HOSTNET_IN_USE : HOSTNET_FREE);
		close(fd);
	}
}
END_TEST

START_TEST(an_address_of_somebody_else_is_not_local)
{
	static const char *const elsewhere[] = { "192.0.2.1:20000", "[2001:db8::1]:20000" };
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP };

	for (size_t i = 0; i < 2 * ARRAY_LEN(protocols); i++) {
		struct endpoint at = given_endpoint(elsewhere[i % 2]);

		ck_assert_int_eq(probe(protocols[i / 2], &at), HOSTNET_NOT_LOCAL);
	}
}
END_TEST

START_TEST(looking_does_not_load_sctp)
{
	struct endpoint at = given_endpoint("127.0.0.1:20000");
	bool before = has_sctp();

	ck_assert_int_eq(probe(IPPROTO_SCTP, &at), HOSTNET_FREE);
	ck_assert_int_eq(has_sctp(), before);
}
END_TEST

static bool is_unused(uint8_t protocol, uint16_t port)
{
	struct hostnet_survey s;
	struct err e;

	ck_assert_msg(hostnet_survey(&e, &s) == 0, "%s", e.msg);
	return hostnet_is_unused(&s, protocol, port);
}

START_TEST(a_survey_finds_who_listens_at_any_address)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP };

	for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
		struct endpoint at = { .addr = given_addr(cases[i / 2].listener) };
		int fd = listen_at(protocols[i % 2], &at);

		ck_assert(!is_unused(protocols[i % 2], at.port));
		ck_assert(is_unused(protocols[(i + 1) % 2], at.port));
		close(fd);
		ck_assert(is_unused(protocols[i % 2], at.port));
	}
}
END_TEST

START_TEST(a_survey_finds_each_of_a_thousand)
{
	enum { LISTENERS = 1000 };
	struct endpoint at[LISTENERS];
	struct hostnet_survey s;
	int fds[LISTENERS];
	struct err e;

	for (size_t i = 0; i < LISTENERS; i++) {
		at[i] = (struct endpoint){ .addr = given_addr("127.0.0.1") };
		fds[i] = listen_at(i % 2 ? IPPROTO_TCP : IPPROTO_UDP, &at[i]);
	}
	ck_assert_int_eq(hostnet_survey(&e, &s), 0);
	for (size_t i = 0; i < LISTENERS; i++) {
		ck_assert(!hostnet_is_unused(&s, i % 2 ? IPPROTO_TCP : IPPROTO_UDP, at[i].port));
		close(fds[i]);
	}
}
END_TEST

/* A connection of this host's own, and what is left of it, which keeps others from binding to its port. */
START_TEST(a_survey_finds_connections_and_what_is_left_of_them)
{
	struct endpoint far = { .addr = given_addr("127.0.0.1") }, near;
	int listener = listen_at(IPPROTO_TCP, &far), client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), server;
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&far, &ss);
	char byte;

	ck_assert_int_eq(connect(client, (struct sockaddr *)&ss, len), 0);
	ck_assert_int_eq(getsockname(client, (struct sockaddr *)&ss, &len), 0);
	ck_assert_int_eq(endpoint_from_sockaddr(&ss, &near), 0);
	ck_assert(!is_unused(IPPROTO_TCP, near.port));
	server = accept(listener, NULL, NULL);
	close(client);
	ck_assert_int_eq(read(server, &byte, 1), 0);
	close(server);
	close(listener);
	ck_assert(!is_unused(IPPROTO_TCP, near.port)); /* TIME_WAIT */
}
END_TEST

static bool listens(uint8_t protocol, uint16_t port)
{
	struct hostnet_listeners l;
	struct err e;

	ck_assert_msg(hostnet_listeners(&e, &l) == 0, "%s", e.msg);
	return portset_has(protocol == IPPROTO_TCP ? &l.tcp : protocol == IPPROTO_UDP ? &l.udp : &l.sctp, port);
}

START_TEST(finds_listeners_of_every_protocol_and_no_connections)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP };
	struct endpoint far = { .addr = given_addr("127.0.0.1") }, near;
	int listener = listen_at(IPPROTO_TCP, &far), client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&far, &ss);

	for (size_t i = 0; i < ARRAY_LEN(protocols) - !has_sctp(); i++) {
		struct endpoint at = { .addr = given_addr("::1") };
		int fd = listen_at(protocols[i], &at);

		ck_assert(listens(protocols[i], at.port));
		close(fd);
		ck_assert(!listens(protocols[i], at.port));
	}
	ck_assert_int_eq(connect(client, (struct sockaddr *)&ss, len), 0);
	ck_assert_int_eq(getsockname(client, (struct sockaddr *)&ss, &len), 0);
	ck_assert_int_eq(endpoint_from_sockaddr(&ss, &near), 0);
	ck_assert(listens(IPPROTO_TCP, far.port));
	ck_assert(!listens(IPPROTO_TCP, near.port));
	close(client);
	close(listener);
}
END_TEST

START_TEST(a_survey_does_not_vouch_for_what_it_cannot_see)
{
	struct hostnet_survey nobody = { 0 };

	ck_assert(hostnet_is_unused(&nobody, IPPROTO_TCP, 65535));
	ck_assert(!hostnet_is_unused(&nobody, IPPROTO_SCTP, 65535));
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, sees_who_listens_at_an_address_or_at_all);
	tcase_add_test(tc, a_listener_of_one_protocol_is_none_of_another);
	tcase_add_test(tc, an_address_of_somebody_else_is_not_local);
	tcase_add_test(tc, looking_does_not_load_sctp);
	tcase_add_test(tc, a_survey_finds_who_listens_at_any_address);
	tcase_add_test(tc, a_survey_finds_each_of_a_thousand);
	tcase_add_test(tc, a_survey_finds_connections_and_what_is_left_of_them);
	tcase_add_test(tc, finds_listeners_of_every_protocol_and_no_connections);
	tcase_add_test(tc, a_survey_does_not_vouch_for_what_it_cannot_see);
}

int main(void)
{
	return unit_main("hostnet", add);
}
