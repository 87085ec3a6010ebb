/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which VIP routes get, which addresses may be one, and which endpoints a route may have. */
#include "asked.h"

/* --- balance -------------------------------------------------------------------------------- */

static bool is_first_vip(struct hub *h)
{
	const struct addr first = given_addr("127.0.0.1");
	CLEANUP(asked_clear) struct asked a;
	struct err e;

	ask(&a, 1);
	ck_assert_msg(choose(&e, h, &a) == 0, "%s", e.msg);
	return addr_equal(&a.routes[0].public.addr, &first);
}

START_TEST(the_vip_with_the_fewest_routes_is_taken)
{
	struct hub h;

	given_hub(&h, 20600, 21623);
	given_stored(&h, "other", IPPROTO_UDP, "127.0.0.1:20600");
	given_stored(&h, "other", IPPROTO_UDP, "127.0.0.1:20599"); /* out of the pool: does not count */
	given_stored(&h, "other", IPPROTO_UDP, "127.0.0.1:21624");
	given_stored(&h, "other", IPPROTO_TCP, "127.0.0.2:20650");
	given_stored(&h, "other", IPPROTO_UDP, "127.0.0.2:21623");
	for (int i = 0; i < 10; i++)
		ck_assert(is_first_vip(&h));
	given_stored(&h, "other", IPPROTO_SCTP, "127.0.0.1:20650");
	given_stored(&h, "other", IPPROTO_TCP, "127.0.0.1:20651");
	for (int i = 0; i < 10; i++)
		ck_assert(!is_first_vip(&h));
	hub_close(&h);
}
END_TEST

START_TEST(chance_decides_between_equals)
{
	struct hub h;
	int first = 0;

	given_hub(&h, 20600, 20700);
	for (int i = 0; i < 64; i++)
		first += is_first_vip(&h);
	ck_assert_int_gt(first, 8); /* fails by chance once in 10^9 */
	ck_assert_int_lt(first, 56);
	hub_close(&h);
}
END_TEST

START_TEST(if_its_pool_is_full_the_next_is_taken)
{
	CLEANUP(asked_clear) struct asked a;
	struct hub h;

	given_hub(&h, 20710, 20710);
	given_stored(&h, "other", IPPROTO_TCP, "127.0.0.1:20710");
	given_stored(&h, "other", IPPROTO_UDP, "127.0.0.2:20710");
	given_stored(&h, "other", IPPROTO_SCTP, "127.0.0.2:20710");
	ask(&a, 1);
	expect_choice(&h, &a, "127.0.0.2:20710");
	given_stored(&h, "other", IPPROTO_TCP, "127.0.0.2:20710");
	expect_refusal(&h, &a, EADDRNOTAVAIL, "no tcp port is free in the pool 20710-20710 of any IPv4 VIP");
	hub_close(&h);
}
END_TEST

START_TEST(a_large_pool_is_compared_by_a_sample)
{
	struct hub h;

	given_hub(&h, 1024, 65535); /* none of 256 ports in a row is without a route */
	for (unsigned port = 1024; port < 65536; port += 256) {
		char public[32];

		snprintf(public, sizeof(public), "127.0.0.1:%u", port);
		given_stored(&h, "other", IPPROTO_SCTP, public);
	}
	for (int i = 0; i < 20; i++)
		ck_assert(!is_first_vip(&h));
	hub_close(&h);
}
END_TEST

/* --- which addresses ---------------------------------------------------------------------------- */

START_TEST(an_address_that_cannot_be_a_vip_is_refused)
{
	static const struct {
		const char *vip, *listed, *text;
	} cases[] = {
		{ "127.0.0.3", "127.0.0.1", "VIP 127.0.0.3 is not among the 'addresses:'" },
		{ "::1", "::1", "VIP ::1 is IPv6 but the real server is IPv4" },
		{ NULL, "::1", "the real server is IPv4 but no VIP of that family is known; name one" },
		{ "224.0.0.1", "224.0.0.1", "VIP 224.0.0.1 is not a unicast address" },
		{ "192.0.2.1", "192.0.2.1", "VIP 192.0.2.1 is not an address of this host" },
		{ NULL, "192.0.2.1", "VIP 192.0.2.1 is not an address of this host" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(asked_clear) struct asked a;
		struct addr vip;
		struct hub h;

		given_hub(&h, 20800, 20810);
		routing_close(steal_ptr(h.g->routing)); /* let the kernel be asked */
		h.config.addresses[0] = given_addr(cases[i].listed);
		h.config.n_addresses = 1;
		ask(&a, 2);
		if (cases[i].vip) {
			vip = given_addr(cases[i].vip);
			a.wish.vip = &vip;
		}
		expect_refusal(&h, &a, EINVAL, cases[i].text);
		hub_close(&h);
	}
}
END_TEST

static const struct {
	const char *public, *real;
	uint8_t protocol;
	int code;
	const char *text;
} checks[] = {
	{ "127.0.0.1:20900", "10.0.0.11:80", IPPROTO_TCP, 0, "" },
	{ "127.0.0.2:20910", "10.0.0.11:80", IPPROTO_UDP, 0, "" },
	{ "127.0.0.2:20900", "10.0.0.11:80", IPPROTO_SCTP, 0, "" },
	{ "[::1]:20900", "[fd00::11]:80", IPPROTO_TCP, 0, "" },
	{ "127.0.0.1:20901", "10.0.0.11:80", IPPROTO_UDP, 0, "" }, /* of another protocol */
	{ "127.0.0.1:20901", "10.0.0.11:80", IPPROTO_TCP, EEXIST, "tcp 127.0.0.1:20901 belongs to container other" },
	{ "127.0.0.1:20902", "10.0.0.11:80", IPPROTO_TCP, EEXIST, "is in quarantine after container other" },
	{ "127.0.0.1:20903", "10.0.0.11:80", IPPROTO_TCP, 0, "" }, /* its own quarantine */
	{ "127.0.0.1:20904", "10.0.0.11:80", IPPROTO_TCP, EEXIST, "is in use by a local program" },
	{ "127.0.0.1:20905", "10.0.0.11:80", IPPROTO_TCP, 0, "" }, /* a service is not looked at */
	{ "127.0.0.1:20899", "10.0.0.11:80", IPPROTO_TCP, EINVAL, "port 20899 is outside the pool" },
	{ "127.0.0.1:20911", "10.0.0.11:80", IPPROTO_TCP, EINVAL, "port 20911 is outside the pool" },
	{ "127.0.0.3:20900", "10.0.0.11:80", IPPROTO_TCP, EINVAL, "is not among the 'addresses:'" },
	{ "[::1]:20900", "10.0.0.11:80", IPPROTO_TCP, EINVAL, "must be of one family" },
	{ "127.0.0.1:20900", "[fd00::11]:80", IPPROTO_TCP, EINVAL, "must be of one family" },
	{ "192.0.2.1:20900", "10.0.0.11:80", IPPROTO_TCP, EINVAL, "is not an address of this host" },
	{ "224.0.0.1:20900", "10.0.0.11:80", IPPROTO_TCP, EINVAL, "is not a unicast address" },
};

START_TEST(an_endpoint_that_is_given_is_checked)
{
	struct hub h;
	int fd;

	given_hub(&h, 20900, 20910);
	routing_close(steal_ptr(h.g->routing));
	h.config.addresses[3] = given_addr("192.0.2.1");
	h.config.addresses[4] = given_addr("224.0.0.1");
	h.config.n_addresses = 5;
	given_stored(&h, "other", IPPROTO_TCP, "127.0.0.1:20901");
	given_closed(&h, "other", IPPROTO_TCP, "127.0.0.1:20902", 10);
	given_closed(&h, "web", IPPROTO_TCP, "127.0.0.1:20903", 10);
	fd = given_program("127.0.0.1:20904");
	given_foreign(&h, IPPROTO_TCP, "127.0.0.1:20905");
	for (size_t i = 0; i < 2 * ARRAY_LEN(checks); i++) { /* twice: what was found is remembered */
		size_t k = i % ARRAY_LEN(checks);
		CLEANUP(route_clear) struct route r = given_route("web", 80, checks[k].public);
		struct err e = { .msg = "" };
		int ret;

		r.protocol = checks[k].protocol;
		given_server(&r, checks[k].real, 100);
		ret = gateway_check_endpoint(&e, h.g, &r, NULL, NOW);
		ck_assert_msg(ret == -checks[k].code && e.code == checks[k].code, "check %zu: %d: %s", k, ret, e.msg);
		ck_assert_msg(strstr(e.msg, checks[k].text), "'%s' is not in '%s'", checks[k].text, e.msg);
	}
	ck_assert_uint_eq(h.kernel.n_requests, 0);
	close(fd);
	hub_close(&h);
}
END_TEST

/* That an address is this host's is known for the time of one call. */
START_TEST(the_kernel_is_asked_again_by_the_next_call)
{
	CLEANUP(route_clear) struct route r = given_route("web", 80, "192.0.2.1:20920");
	struct hub h;
	struct err e;

	given_hub(&h, 20920, 20920);
	h.config.addresses[0] = given_addr("192.0.2.1");
	given_server(&r, "10.0.0.11:80", 100);
	ck_assert_int_eq(gateway_check_endpoint(&e, h.g, &r, NULL, NOW), -EEXIST); /* ours, but not to be bound to */
	routing_close(steal_ptr(h.g->routing)); /* it is taken away */
	ck_assert_int_eq(gateway_check_endpoint(&e, h.g, &r, NULL, NOW), -EEXIST);
	ck_assert_ptr_null(h.g->routing);
	ck_assert_int_eq(gateway_check_endpoint(&e, h.g, &r, NULL, NOW + 1), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "is not an address of this host"));
	hub_close(&h);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, the_vip_with_the_fewest_routes_is_taken);
	tcase_add_test(tc, chance_decides_between_equals);
	tcase_add_test(tc, if_its_pool_is_full_the_next_is_taken);
	tcase_add_test(tc, a_large_pool_is_compared_by_a_sample);
	tcase_add_test(tc, an_address_that_cannot_be_a_vip_is_refused);
	tcase_add_test(tc, an_endpoint_that_is_given_is_checked);
	tcase_add_test(tc, the_kernel_is_asked_again_by_the_next_call);
}

int main(void)
{
	return unit_main("gateway_vip", add_tests);
}
