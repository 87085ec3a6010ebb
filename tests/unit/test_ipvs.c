/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "talk.h"

#define VIP "198.51.100.1:32768"

START_TEST(makes_a_service_and_reads_it_back)
{
	static const char *const pairs[][2] = { { VIP, "10.0.0.2:80" }, { "[2001:db8::1]:32768", "[fd00::2]:80" } };

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		CLEANUP(talk_clear) struct talk t;
		CLEANUP(change_list_clear) struct change_list changes = { 0 };
		CLEANUP(service_clear) struct service s = { 0 };
		struct endpoint real = given_endpoint(pairs[i][1]);
		struct err e;

		given_talk(&t);
		talk_change(&changes, CHANGE_ADD_SERVICE, pairs[i][0], NULL);
		changes.items[0].persistence = 300;
		talk_change(&changes, CHANGE_ADD_DESTINATION, pairs[i][0], pairs[i][1]);
		ck_assert_int_eq(ipvs_run(&e, t.ipvs, &changes), 0);
		ck_assert_int_eq(ipvs_get(&e, t.ipvs, &changes.items[0].key, &s), 1);
		ck_assert(service_key_equal(&s.key, &changes.items[0].key));
		ck_assert_str_eq(s.scheduler, "wrr");
		ck_assert_uint_eq(s.persistence, 300);
		ck_assert_uint_eq(s.n_destinations, 1);
		ck_assert(endpoint_equal(&s.destinations[0].real, &real));
		ck_assert_uint_eq(s.destinations[0].weight, 100);
		ck_assert_uint_eq(s.destinations[0].method, IP_VS_CONN_F_MASQ);
	}
}
END_TEST

START_TEST(makes_every_kind_of_change)
{
	CLEANUP(talk_clear) struct talk t;
	CLEANUP(change_list_clear) struct change_list changes = { 0 };
	const struct service *s;
	struct err e;

	given_talk(&t);
	talk_service(&t, IPPROTO_TCP, VIP, 2);
	talk_service(&t, IPPROTO_TCP, "198.51.100.1:1", 0);
	talk_change(&changes, CHANGE_EDIT_SERVICE, VIP, NULL);
	strcpy(changes.items[0].scheduler, "rr");
	talk_change(&changes, CHANGE_EDIT_DESTINATION, VIP, "10.0.0.2:80");
	changes.items[1].destination.weight = 0;
	talk_change(&changes, CHANGE_DELETE_DESTINATION, VIP, "10.0.0.2:81");
	talk_change(&changes, CHANGE_DELETE_SERVICE, "198.51.100.1:1", NULL);
	ck_assert_int_eq(ipvs_run(&e, t.ipvs, &changes), 0);
	for (size_t i = 0; i < changes.n; i++)
		ck_assert_int_eq(changes.items[i].status, 0);
	ck_assert_uint_eq(t.kernel.services.n, 1);
	s = fake_kernel_find(&t.kernel, &changes.items[0].key);
	ck_assert_str_eq(s->scheduler, "rr");
	ck_assert_uint_eq(s->n_destinations, 1);
	ck_assert_uint_eq(s->destinations[0].real.port, 80);
	ck_assert_uint_eq(s->destinations[0].weight, 0);
}
END_TEST

START_TEST(gets_counters_and_connections)
{
	CLEANUP(talk_clear) struct talk t;
	CLEANUP(service_clear) struct service s = { 0 };
	struct err e;

	given_talk(&t);
	talk_service(&t, IPPROTO_UDP, VIP, 3);
	ck_assert_int_eq(ipvs_get(&e, t.ipvs, &t.kernel.services.items[0].key, &s), 1);
	ck_assert(counters_equal(&s.counters, &t.kernel.services.items[0].counters));
	ck_assert_uint_eq(s.rates.outbps, 10);
	ck_assert_uint_eq(s.n_destinations, 3);
	ck_assert_uint_eq(s.destinations[2].active, 2);
}
END_TEST

START_TEST(getting_what_is_not_there_is_no_error)
{
	CLEANUP(talk_clear) struct talk t;
	struct service_key key = given_key(IPPROTO_UDP, VIP);
	struct service s = { .fwmark = 77 };
	struct err e;

	given_talk(&t);
	talk_service(&t, IPPROTO_TCP, VIP, 1);
	ck_assert_int_eq(ipvs_get(&e, t.ipvs, &key, &s), 0);
	ck_assert_uint_eq(s.fwmark, 77);
}
END_TEST

/* Every third of 100 is there, so that the last of a datagram is, and is not. */
START_TEST(asks_for_many_in_few_datagrams)
{
	CLEANUP(talk_clear) struct talk t;
	CLEANUP(service_list_clear) struct service_list list = { 0 };
	struct service_key keys[100];
	struct err e;

	given_talk(&t);
	for (uint16_t i = 0; i < ARRAY_LEN(keys); i++) {
		keys[i] = given_key(IPPROTO_UDP, VIP);
		keys[i].vip.port = (uint16_t)(2000 - i);
		if (i % 3 == 0)
			talk_service(&t, IPPROTO_UDP, VIP, 2)->key = keys[i];
	}
	ck_assert_int_eq(ipvs_get_each(&e, t.ipvs, keys, ARRAY_LEN(keys), &list), 0);
	ck_assert_uint_eq(list.n, 34);
	for (size_t i = 0; i < list.n; i++) {
		ck_assert(service_key_equal(&list.items[i].key, &keys[3 * i]));
		ck_assert_uint_eq(list.items[i].n_destinations, 2);
	}
	ck_assert_uint_eq(t.kernel.n_requests, 100 + 34);
	ck_assert_uint_le(t.kernel.n_sent, 100 / 12 + 1 + 34); /* real servers are asked for one by one */
	/* Answers, up to 4.4 KiB each, must fit into a socket's buffer of 64 KiB. */
	ck_assert_uint_le(t.kernel.most_requests, 14);
}
END_TEST

START_TEST(asking_for_many_takes_no_refusal_for_an_absence)
{
	CLEANUP(talk_clear) struct talk t;
	CLEANUP(service_list_clear) struct service_list list = { 0 };
	struct service_key keys[5];
	struct err e;

	given_talk(&t);
	for (uint16_t i = 0; i < ARRAY_LEN(keys); i++)
		keys[i] = given_key(IPPROTO_UDP, VIP);
	t.kernel.refuse = ENOMEM;
	t.kernel.refuse_at = 3;
	ck_assert_int_eq(ipvs_get_each(&e, t.ipvs, keys, ARRAY_LEN(keys), &list), -ENOMEM);
}
END_TEST

START_TEST(lists_an_empty_kernel)
{
	CLEANUP(talk_clear) struct talk t;
	struct service_list list = { 0 };
	struct err e;

	given_talk(&t);
	ck_assert_int_eq(ipvs_list(&e, t.ipvs, true, &list), 0);
	ck_assert_uint_eq(list.n, 0);
}
END_TEST

START_TEST(lists_all_services_sorted_with_firewall_marks_last)
{
	static const char *const vips[] = { "[2001:db8::1]:80", "198.51.100.1:80", "198.51.100.1:79", "9.0.0.1:80",
					    "198.51.100.1:81", "192.0.2.1:80", "203.0.113.1:80" };
	CLEANUP(talk_clear) struct talk t;
	struct err e;

	given_talk(&t);
	talk_service(&t, IPPROTO_TCP, "0.0.0.1:1", 0)->fwmark = 9;
	for (size_t i = 0; i < ARRAY_LEN(vips); i++)
		talk_service(&t, IPPROTO_TCP, vips[i], (uint32_t)i);
	for (int with_destinations = 0; with_destinations <= 1; with_destinations++) {
		CLEANUP(service_list_clear) struct service_list list = { 0 };
		size_t n_destinations = 0;

		ck_assert_int_eq(ipvs_list(&e, t.ipvs, with_destinations, &list), 0);
		ck_assert_uint_eq(list.n, ARRAY_LEN(vips) + 1);
		for (size_t i = 1; i < list.n; i++)
			ck_assert_int_lt(service_compare(&list.items[i - 1], &list.items[i]), 0);
		ck_assert_uint_eq(list.items[list.n - 1].fwmark, 9);
		for (size_t i = 0; i < list.n; i++)
			n_destinations += list.items[i].n_destinations;
		ck_assert_uint_eq(n_destinations, with_destinations ? 1 + 2 + 3 + 4 + 5 + 6 : 0);
	}
}
END_TEST

START_TEST(lists_a_service_once_with_its_later_reading)
{
	CLEANUP(talk_clear) struct talk t;
	CLEANUP(service_list_clear) struct service_list list = { 0 };
	struct err e;

	given_talk(&t);
	talk_service(&t, IPPROTO_TCP, VIP, 1);
	talk_service(&t, IPPROTO_UDP, VIP, 1);
	t.kernel.repeat = true;
	ck_assert_int_eq(ipvs_list(&e, t.ipvs, false, &list), 0);
	ck_assert_uint_eq(list.n, 2);
	ck_assert_uint_eq(list.items[0].key.protocol, IPPROTO_TCP);
	ck_assert_uint_eq(list.items[0].counters.inbytes, 1004);
	ck_assert_uint_eq(list.items[1].counters.inbytes, 4);
}
END_TEST

START_TEST(sends_many_changes_in_few_datagrams)
{
	CLEANUP(talk_clear) struct talk t;
	CLEANUP(change_list_clear) struct change_list changes = { 0 };
	CLEANUP(service_list_clear) struct service_list list = { 0 };
	struct err e;

	given_talk(&t);
	for (uint16_t i = 0; i < 500; i++) {
		talk_change(&changes, CHANGE_ADD_SERVICE, VIP, NULL);
		changes.items[2 * i].key.vip.port = (uint16_t)(1000 + i);
		talk_change(&changes, CHANGE_ADD_DESTINATION, VIP, "10.0.0.2:80");
		changes.items[2 * i + 1].key.vip.port = (uint16_t)(1000 + i);
	}
	ck_assert_int_eq(ipvs_run(&e, t.ipvs, &changes), 0);
	ck_assert_uint_eq(t.kernel.n_requests, 1000);
	ck_assert_uint_le(t.kernel.n_sent, 20);
	/* Their ACKs, less than 1 KiB each, must fit into a socket's buffer of 208 KiB. */
	ck_assert_uint_le(t.kernel.most_requests, 200);
	ck_assert_int_eq(ipvs_list(&e, t.ipvs, true, &list), 0);
	ck_assert_uint_eq(list.n, 500);
	for (uint16_t i = 0; i < 500; i++) {
		ck_assert_uint_eq(list.items[i].key.vip.port, 1000 + i);
		ck_assert_uint_eq(list.items[i].n_destinations, 1);
	}
}
END_TEST

START_TEST(making_no_changes_sends_nothing)
{
	CLEANUP(talk_clear) struct talk t;
	struct change_list changes = { 0 };
	struct err e;

	given_talk(&t);
	ck_assert_int_eq(ipvs_run(&e, t.ipvs, &changes), 0);
	ck_assert_uint_eq(t.kernel.n_sent, 0);
}
END_TEST

START_TEST(a_refused_change_does_not_stop_the_others)
{
	CLEANUP(talk_clear) struct talk t;
	CLEANUP(change_list_clear) struct change_list changes = { 0 };
	struct err e;

	given_talk(&t);
	for (uint16_t i = 0; i < 300; i++) {
		talk_change(&changes, CHANGE_ADD_SERVICE, VIP, NULL);
		changes.items[i].key.vip.port = (uint16_t)(1000 + i - (i % 7 == 3)); /* then the one before again */
	}
	ck_assert_int_eq(ipvs_run(&e, t.ipvs, &changes), 43);
	for (uint16_t i = 0; i < 300; i++)
		ck_assert_int_eq(changes.items[i].status, i % 7 == 3 ? -EEXIST : 0);
	ck_assert_uint_eq(t.kernel.services.n, 257);
}
END_TEST

START_TEST(keeps_the_kernels_own_errno)
{
	static const struct {
		enum change_op op;
		const char *vip, *real, *scheduler;
		int status;
	} refused[] = {
		{ CHANGE_ADD_SERVICE, VIP, NULL, "wrr", -EEXIST },
		{ CHANGE_ADD_SERVICE, "198.51.100.1:1", NULL, "nosuch", -ENOENT },
		{ CHANGE_EDIT_SERVICE, VIP, NULL, "nosuch", -ENOENT },
		{ CHANGE_EDIT_SERVICE, "198.51.100.1:1", NULL, "wrr", -ESRCH },
		{ CHANGE_DELETE_SERVICE, "198.51.100.1:1", NULL, "", -ESRCH },
		{ CHANGE_ADD_DESTINATION, VIP, "10.0.0.2:80", "", -EEXIST },
		{ CHANGE_ADD_DESTINATION, VIP, "224.0.0.1:80", "", -EINVAL },
		{ CHANGE_ADD_DESTINATION, VIP, "[fd00::2]:80", "", -EINVAL },
		{ CHANGE_ADD_DESTINATION, "198.51.100.1:1", "10.0.0.2:80", "", -ESRCH },
		{ CHANGE_EDIT_DESTINATION, VIP, "10.0.0.3:80", "", -ENOENT },
		{ CHANGE_DELETE_DESTINATION, VIP, "10.0.0.3:80", "", -ENOENT },
		{ CHANGE_DELETE_DESTINATION, "198.51.100.1:1", "10.0.0.2:80", "", -ESRCH },
	};
	CLEANUP(talk_clear) struct talk t;
	CLEANUP(change_list_clear) struct change_list changes = { 0 };
	struct err e;

	given_talk(&t);
	talk_service(&t, IPPROTO_TCP, VIP, 1);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		talk_change(&changes, refused[i].op, refused[i].vip, refused[i].real);
		strcpy(changes.items[i].scheduler, refused[i].scheduler);
	}
	ck_assert_int_eq(ipvs_run(&e, t.ipvs, &changes), ARRAY_LEN(refused));
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		ck_assert_msg(changes.items[i].status == refused[i].status, "change %zu: %d", i,
			      changes.items[i].status);
}
END_TEST

START_TEST(explains_what_a_refusal_means)
{
	static const struct {
		enum change_op op;
		int status, code;
		const char *text;
	} cases[] = {
		{ CHANGE_ADD_SERVICE, -EPERM, EPERM, "not permitted: IPVS needs CAP_NET_ADMIN; run as root" },
		{ CHANGE_ADD_SERVICE, -EEXIST, ERR_CONFLICT,
		  "cannot add service tcp " VIP " (wrr): someone else has just made this service; try again" },
		{ CHANGE_ADD_SERVICE, -ENOENT, ERR_USAGE,
		  "cannot add service tcp " VIP " (wrr): this kernel has no scheduler 'wrr'; "
		  "load module ip_vs_wrr or choose another" },
		{ CHANGE_EDIT_SERVICE, -ENOENT, ERR_USAGE,
		  "cannot edit service tcp " VIP " (wrr): this kernel has no scheduler 'wrr'; "
		  "load module ip_vs_wrr or choose another" },
		{ CHANGE_ADD_SERVICE, -EAFNOSUPPORT, ERR_NO_KERNEL,
		  "cannot add service tcp " VIP " (wrr): this kernel's IPVS has no IPv4" },
		{ CHANGE_ADD_DESTINATION, -EINVAL, ERR_USAGE,
		  "cannot add real server 10.0.0.2:80 to tcp " VIP " (weight 100): "
		  "the kernel says that it is no address to forward to" },
		{ CHANGE_DELETE_DESTINATION, -ENOENT, ENOENT,
		  "cannot delete real server 10.0.0.2:80 from tcp " VIP ": No such file or directory" },
		{ CHANGE_DELETE_SERVICE, -ESRCH, ESRCH, "cannot delete service tcp " VIP ": No such process" },
		{ CHANGE_ADD_DESTINATION, -EEXIST, EEXIST,
		  "cannot add real server 10.0.0.2:80 to tcp " VIP " (weight 100): File exists" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(change_list_clear) struct change_list changes = { 0 };
		struct err e = { 0 };

		talk_change(&changes, cases[i].op, VIP, "10.0.0.2:80");
		changes.items[0].status = cases[i].status;
		ck_assert_int_eq(ipvs_explain(&e, &changes.items[0]), -cases[i].code);
		ck_assert_int_eq(e.code, cases[i].code);
		ck_assert_str_eq(e.msg, cases[i].text);
	}
}
END_TEST

START_TEST(closing_nothing_is_fine)
{
	struct ipvs *none = NULL;

	ipvs_close(NULL);
	ipvs_closep(&none);
	ck_assert_ptr_null(none);
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, makes_a_service_and_reads_it_back);
	tcase_add_test(tc, makes_every_kind_of_change);
	tcase_add_test(tc, gets_counters_and_connections);
	tcase_add_test(tc, getting_what_is_not_there_is_no_error);
	tcase_add_test(tc, asks_for_many_in_few_datagrams);
	tcase_add_test(tc, asking_for_many_takes_no_refusal_for_an_absence);
	tcase_add_test(tc, lists_an_empty_kernel);
	tcase_add_test(tc, lists_all_services_sorted_with_firewall_marks_last);
	tcase_add_test(tc, lists_a_service_once_with_its_later_reading);
	tcase_add_test(tc, sends_many_changes_in_few_datagrams);
	tcase_add_test(tc, making_no_changes_sends_nothing);
	tcase_add_test(tc, a_refused_change_does_not_stop_the_others);
	tcase_add_test(tc, keeps_the_kernels_own_errno);
	tcase_add_test(tc, explains_what_a_refusal_means);
	tcase_add_test(tc, closing_nothing_is_fine);
}

int main(void)
{
	return unit_main("ipvs", add);
}
