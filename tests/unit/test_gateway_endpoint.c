/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which virtual port routes get: one for all, a former one, the one that is asked for. */
#include "asked.h"

/* --- one number for all protocols ------------------------------------------------- */

START_TEST(protocols_of_a_container_port_get_the_same_endpoint)
{
	for (int round = 0; round < 20; round++) {
		CLEANUP(asked_clear) struct asked a;
		struct hub h;
		struct err e;

		given_hub(&h, 20000, 20500);
		ask(&a, round % 2 ? 2 : 3);
		ck_assert_msg(choose(&e, &h, &a) == 0, "%s", e.msg);
		ck_assert(gateway_in_pool(&h.config, a.routes[0].public.port));
		for (size_t i = 1; i < a.n; i++)
			ck_assert(endpoint_equal(&a.routes[i].public, &a.routes[0].public));
		hub_close(&h);
	}
}
END_TEST

START_TEST(a_number_that_is_taken_for_one_protocol_is_taken_for_all)
{
	CLEANUP(asked_clear) struct asked a;
	struct hub h;
	int fd;

	given_hub(&h, 20010, 20014);
	h.config.n_addresses = 1;
	given_stored(&h, "other", IPPROTO_TCP, "127.0.0.1:20010");
	given_closed(&h, "other", IPPROTO_SCTP, "127.0.0.1:20011", 10);
	given_foreign(&h, IPPROTO_UDP, "127.0.0.1:20012");
	fd = given_program("127.0.0.1:20013");
	ask(&a, 3);
	for (int round = 0; round < 10; round++)
		expect_choice(&h, &a, "127.0.0.1:20014 127.0.0.1:20014 127.0.0.1:20014");
	close(fd);
	hub_close(&h);
}
END_TEST

START_TEST(another_vip_is_better_than_another_number)
{
	CLEANUP(asked_clear) struct asked a;
	struct hub h;

	given_hub(&h, 20020, 20021);
	given_stored(&h, "other", IPPROTO_TCP, "127.0.0.1:20020");
	given_stored(&h, "other", IPPROTO_UDP, "127.0.0.1:20021");
	given_stored(&h, "other", IPPROTO_TCP, "127.0.0.2:20020");
	given_stored(&h, "other", IPPROTO_SCTP, "127.0.0.2:20020");
	given_stored(&h, "other", IPPROTO_SCTP, "127.0.0.2:20021");
	ask(&a, 2);
	expect_choice(&h, &a, "127.0.0.2:20021 127.0.0.2:20021");
	hub_close(&h);
}
END_TEST

START_TEST(without_a_common_number_each_gets_its_own)
{
	CLEANUP(asked_clear) struct asked a;
	struct hub h;

	given_hub(&h, 20030, 20031);
	h.config.n_addresses = 1;
	given_stored(&h, "other", IPPROTO_TCP, "127.0.0.1:20030");
	given_stored(&h, "other", IPPROTO_UDP, "127.0.0.1:20031");
	ask(&a, 2);
	expect_choice(&h, &a, "127.0.0.1:20031 127.0.0.1:20030");
	given_stored(&h, "other", IPPROTO_UDP, "127.0.0.1:20030");
	expect_refusal(&h, &a, EADDRNOTAVAIL, "no udp port is free in the pool 20030-20031 of any IPv4 VIP");
	hub_close(&h);
}
END_TEST

START_TEST(real_servers_of_two_families_get_a_vip_each)
{
	CLEANUP(asked_clear) struct asked a;
	struct hub h;

	given_hub(&h, 20040, 20040);
	h.config.addresses[1] = given_addr("::1");
	h.config.n_addresses = 2;
	ask(&a, 1);
	a.routes[1] = (struct route){ .container = "web", .cport = 80, .protocol = IPPROTO_UDP };
	given_server(&a.routes[1], "[fd00::11]:80", 100);
	a.pointers[1] = &a.routes[1];
	a.n = 2;
	expect_choice(&h, &a, "127.0.0.1:20040 [::1]:20040");
	hub_close(&h);
}
END_TEST

/* --- what the container port has, or had ---------------------------------------------- */

START_TEST(what_another_protocol_has_is_taken_if_it_can_be)
{
	static const struct {
		const char *like, *vip, *taken;
		bool same;
	} cases[] = {
		{ "127.0.0.2:20105", NULL, NULL, true },
		{ "127.0.0.2:20105", "127.0.0.2", NULL, true },
		{ "127.0.0.2:20105", NULL, "127.0.0.1:20105", true },
		{ "127.0.0.2:20105", NULL, "127.0.0.2:20105", false },
		{ "127.0.0.2:20105", "127.0.0.1", NULL, false }, /* another VIP is asked for */
		{ "127.0.0.3:20105", NULL, NULL, false },	 /* no VIP any more */
		{ "127.0.0.2:20099", NULL, NULL, false },	 /* not in the pool any more */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct endpoint like = given_endpoint(cases[i].like);
		CLEANUP(asked_clear) struct asked a;
		struct addr vip = { 0 };
		struct hub h;
		struct err e;

		given_hub(&h, 20100, 20300);
		if (cases[i].taken)
			given_stored(&h, "other", IPPROTO_UDP, cases[i].taken);
		ask(&a, 2);
		a.wish.like = &like;
		if (cases[i].vip) {
			vip = given_addr(cases[i].vip);
			a.wish.vip = &vip;
		}
		ck_assert_msg(choose(&e, &h, &a) == 0, "case %zu: %s", i, e.msg);
		ck_assert(endpoint_equal(&a.routes[1].public, &a.routes[0].public));
		ck_assert_msg(endpoint_equal(&a.routes[0].public, &like) == cases[i].same, "case %zu", i);
		ck_assert(!cases[i].vip || addr_equal(&a.routes[0].public.addr, &vip));
		hub_close(&h);
	}
}
END_TEST

struct past {
	uint8_t protocol;
	const char *public;
	int ago;
};

static const struct {
	struct past past[3];
	const char *taken_udp, *like, *want;
} pasts[] = {
	/* each its own, though they differ */
	{ { { IPPROTO_TCP, "127.0.0.1:20401", 10 }, { IPPROTO_UDP, "127.0.0.2:20402", 20 } }, NULL, NULL,
	  "127.0.0.1:20401 127.0.0.2:20402" },
	/* what one had, both get */
	{ { { IPPROTO_UDP, "127.0.0.2:20403", 10 } }, NULL, NULL, "127.0.0.2:20403 127.0.0.2:20403" },
	/* the newest of several */
	{ { { IPPROTO_UDP, "127.0.0.2:20403", 20 }, { IPPROTO_UDP, "127.0.0.2:20404", 10 } }, NULL, NULL,
	  "127.0.0.2:20404 127.0.0.2:20404" },
	/* rather what it had than what another protocol has, which the other gets */
	{ { { IPPROTO_TCP, "127.0.0.1:20405", 10 } }, NULL, "127.0.0.2:20406", "127.0.0.1:20405 127.0.0.2:20406" },
	/* a former port that is somebody else's is none */
	{ { { IPPROTO_UDP, "127.0.0.2:20407", 10 } }, "127.0.0.2:20407", "127.0.0.1:20408",
	  "127.0.0.1:20408 127.0.0.1:20408" },
	/* out of quarantine */
	{ { { IPPROTO_UDP, "127.0.0.2:20409", 300 } }, NULL, "127.0.0.1:20410", "127.0.0.1:20410 127.0.0.1:20410" },
	{ { { IPPROTO_UDP, "127.0.0.2:20409", 299 } }, NULL, "127.0.0.1:20410", "127.0.0.1:20410 127.0.0.2:20409" },
	/* of a pool or a VIP that is no more */
	{ { { IPPROTO_UDP, "127.0.0.2:20399", 10 } }, NULL, "127.0.0.1:20411", "127.0.0.1:20411 127.0.0.1:20411" },
	{ { { IPPROTO_UDP, "127.0.0.3:20401", 10 } }, NULL, "127.0.0.1:20411", "127.0.0.1:20411 127.0.0.1:20411" },
};

START_TEST(former_ports_come_first)
{
	struct endpoint like;
	CLEANUP(asked_clear) struct asked a;
	struct hub h;

	given_hub(&h, 20400, 20450);
	for (size_t i = 0; i < 3 && pasts[_i].past[i].public; i++)
		given_closed(&h, "web", pasts[_i].past[i].protocol, pasts[_i].past[i].public, pasts[_i].past[i].ago);
	if (pasts[_i].taken_udp)
		given_stored(&h, "other", IPPROTO_UDP, pasts[_i].taken_udp);
	ask(&a, 2);
	if (pasts[_i].like) {
		like = given_endpoint(pasts[_i].like);
		a.wish.like = &like;
	}
	expect_choice(&h, &a, pasts[_i].want);
	hub_close(&h);
}
END_TEST

START_TEST(who_cannot_follow_a_former_port_gets_its_own)
{
	CLEANUP(asked_clear) struct asked a;
	struct hub h;

	given_hub(&h, 20460, 20461);
	h.config.n_addresses = 1;
	given_closed(&h, "web", IPPROTO_TCP, "127.0.0.1:20460", 10);
	given_stored(&h, "other", IPPROTO_UDP, "127.0.0.1:20460");
	ask(&a, 3);
	expect_choice(&h, &a, "127.0.0.1:20460 127.0.0.1:20461 127.0.0.1:20461");
	hub_close(&h);
}
END_TEST

/* --- the port that is asked for ----------------------------------------------------------- */

START_TEST(the_port_that_is_asked_for_is_for_all_or_says_who_has_it)
{
	CLEANUP(asked_clear) struct asked a;
	struct addr first;
	struct hub h;
	int fd;

	given_hub(&h, 20500, 20510);
	first = given_addr("127.0.0.1");
	fd = given_program("127.0.0.1:20504");
	given_stored(&h, "other", IPPROTO_UDP, "127.0.0.1:20501");
	given_closed(&h, "third", IPPROTO_UDP, "127.0.0.1:20502", 10);
	given_foreign(&h, IPPROTO_UDP, "127.0.0.1:20503");
	given_closed(&h, "web", IPPROTO_UDP, "127.0.0.1:20505", 10); /* former, but not what is asked for */
	ask(&a, 2);
	a.wish.vip = &first;
	a.wish.vport = 20500;
	expect_choice(&h, &a, "127.0.0.1:20500 127.0.0.1:20500");
	a.wish.vport = 20501;
	expect_refusal(&h, &a, EEXIST, "udp 127.0.0.1:20501 belongs to container other; choose another with --vport");
	a.wish.vport = 20502;
	expect_refusal(&h, &a, EEXIST, "udp 127.0.0.1:20502 is in quarantine after container third");
	a.wish.vport = 20503;
	expect_refusal(&h, &a, EEXIST, "udp 127.0.0.1:20503 is an IPVS service that is not ours");
	a.wish.vport = 20504;
	expect_refusal(&h, &a, EEXIST, "tcp 127.0.0.1:20504 is in use by a local program");
	a.wish.vport = 20511;
	expect_refusal(&h, &a, EINVAL, "port 20511 is outside the pool 20500-20510");
	close(fd);
	hub_close(&h);
}
END_TEST

START_TEST(the_port_that_is_asked_for_may_be_another_vips)
{
	struct endpoint like = given_endpoint("127.0.0.2:20520");
	CLEANUP(asked_clear) struct asked a;
	struct hub h;

	given_hub(&h, 20520, 20530);
	ask(&a, 1);
	a.wish.vport = 20520;
	a.wish.like = &like;
	given_stored(&h, "other", IPPROTO_UDP, "127.0.0.2:20521"); /* the other VIP has fewer routes */
	expect_choice(&h, &a, "127.0.0.2:20520"); /* where its other protocol is */
	a.wish.like = NULL;
	expect_choice(&h, &a, "127.0.0.1:20520");
	given_stored(&h, "other", IPPROTO_TCP, "127.0.0.1:20520");
	given_stored(&h, "other", IPPROTO_UDP, "127.0.0.2:20522");
	expect_choice(&h, &a, "127.0.0.2:20520");
	given_stored(&h, "other", IPPROTO_TCP, "127.0.0.2:20520");
	expect_refusal(&h, &a, EEXIST, "127.0.0.2:20520 belongs to container other");
	hub_close(&h);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, protocols_of_a_container_port_get_the_same_endpoint);
	tcase_add_test(tc, a_number_that_is_taken_for_one_protocol_is_taken_for_all);
	tcase_add_test(tc, another_vip_is_better_than_another_number);
	tcase_add_test(tc, without_a_common_number_each_gets_its_own);
	tcase_add_test(tc, real_servers_of_two_families_get_a_vip_each);
	tcase_add_test(tc, what_another_protocol_has_is_taken_if_it_can_be);
	tcase_add_loop_test(tc, former_ports_come_first, 0, ARRAY_LEN(pasts));
	tcase_add_test(tc, who_cannot_follow_a_former_port_gets_its_own);
	tcase_add_test(tc, the_port_that_is_asked_for_is_for_all_or_says_who_has_it);
	tcase_add_test(tc, the_port_that_is_asked_for_may_be_another_vips);
}

int main(void)
{
	return unit_main("gateway_endpoint", add_tests);
}
