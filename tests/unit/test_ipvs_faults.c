/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A kernel that refuses, fails, or talks nonsense. */
#include "talk.h"

#include <linux/netlink.h>

#define VIP "198.51.100.1:32768"

START_TEST(says_that_it_is_not_permitted)
{
	CLEANUP(talk_clear) struct talk t;
	CLEANUP(change_list_clear) struct change_list changes = { 0 };
	struct service_key key = given_key(IPPROTO_TCP, VIP);
	struct service_list list = { .n = 77 };
	struct service s = { .fwmark = 77 };
	struct err e = { 0 };

	given_talk(&t);
	talk_service(&t, IPPROTO_TCP, VIP, 1);
	t.kernel.refuse = EPERM;
	ck_assert_int_eq(ipvs_get(&e, t.ipvs, &key, &s), -EPERM);
	ck_assert_int_eq(e.code, EPERM);
	ck_assert_str_eq(e.msg, "not permitted: IPVS needs CAP_NET_ADMIN; run as root");
	ck_assert_uint_eq(s.fwmark, 77);
	e = (struct err){ 0 };
	ck_assert_int_eq(ipvs_list(&e, t.ipvs, true, &list), -EPERM);
	ck_assert_int_eq(e.code, EPERM);
	ck_assert_uint_eq(list.n, 77);
	talk_change(&changes, CHANGE_DELETE_SERVICE, VIP, NULL);
	ck_assert_int_eq(ipvs_run(&e, t.ipvs, &changes), 1);
	ck_assert_int_eq(changes.items[0].status, -EPERM);
	ck_assert_int_eq(ipvs_explain(&e, &changes.items[0]), -EPERM);
}
END_TEST

START_TEST(a_list_fails_when_its_destinations_do)
{
	CLEANUP(talk_clear) struct talk t;
	struct service_list list = { .n = 77 };
	struct service s = { .fwmark = 77 };
	struct err e;

	given_talk(&t);
	for (int i = 0; i < 5; i++)
		talk_service(&t, IPPROTO_TCP, VIP, 2)->key.vip.port = (uint16_t)(i + 1);
	t.kernel.refuse = ENOMEM;
	t.kernel.refuse_at = 4;
	ck_assert_int_eq(ipvs_list(&e, t.ipvs, true, &list), -ENOMEM);
	ck_assert_uint_eq(list.n, 77);
	t.kernel.refuse_at = t.kernel.n_requests + 2;
	ck_assert_int_eq(ipvs_get(&e, t.ipvs, &t.kernel.services.items[0].key, &s), -ENOMEM);
	ck_assert_uint_eq(s.fwmark, 77);
}
END_TEST

START_TEST(an_error_of_sending_is_kept)
{
	CLEANUP(talk_clear) struct talk t;
	CLEANUP(change_list_clear) struct change_list changes = { 0 };
	struct service_list list = { .n = 77 };
	struct err e;

	given_talk(&t);
	t.kernel.send_error = ENOBUFS;
	ck_assert_int_eq(ipvs_list(&e, t.ipvs, false, &list), -ENOBUFS);
	ck_assert_int_eq(e.code, ENOBUFS);
	talk_change(&changes, CHANGE_ADD_SERVICE, VIP, NULL);
	ck_assert_int_eq(ipvs_run(&e, t.ipvs, &changes), -ENOBUFS);
	ck_assert_int_eq(changes.items[0].status, -ECANCELED);
}
END_TEST

/* Three datagrams of requests with 64, 64 and 22 of them. */
static void give_many(struct change_list *changes)
{
	for (uint16_t i = 0; i < 150; i++) {
		talk_change(changes, CHANGE_ADD_SERVICE, VIP, NULL);
		changes->items[i].key.vip.port = (uint16_t)(i + 1);
	}
}

START_TEST(changes_whose_answer_is_lost_are_marked)
{
	CLEANUP(talk_clear) struct talk t;
	CLEANUP(change_list_clear) struct change_list changes = { 0 };
	struct err e;

	given_talk(&t);
	give_many(&changes);
	t.kernel.recv_error = ENOBUFS;
	t.kernel.recv_error_at = 1;
	ck_assert_int_eq(ipvs_run(&e, t.ipvs, &changes), -ENOBUFS);
	ck_assert_int_eq(e.code, ENOBUFS);
	for (size_t i = 0; i < changes.n; i++)
		ck_assert_msg(changes.items[i].status == (i < 64 ? 0 : i < 128 ? -EIO : -ECANCELED),
			      "change %zu: %d", i, changes.items[i].status);
}
END_TEST

/* The first of a datagram, one amid it, those before its last and its last, and the very last. */
static const size_t refused_at[] = { 0, 1, 62, 63, 64, 100, 127, 128, 149 };

START_TEST(one_refused_change_does_not_speak_for_others)
{
	CLEANUP(talk_clear) struct talk t;
	CLEANUP(change_list_clear) struct change_list changes = { 0 };
	size_t at = refused_at[_i];
	struct err e;

	given_talk(&t);
	give_many(&changes);
	t.kernel.refuse = ENOMEM;
	t.kernel.refuse_at = at + 1;
	ck_assert_int_eq(ipvs_run(&e, t.ipvs, &changes), 1);
	for (size_t i = 0; i < changes.n; i++)
		ck_assert_int_eq(changes.items[i].status, i == at ? -ENOMEM : 0);
	ck_assert_uint_eq(t.kernel.services.n, changes.n - 1);
	ck_assert_uint_eq(t.kernel.n_queued, t.kernel.n_taken);
	ck_assert_uint_le(t.kernel.n_received, 3 + 1); /* an ACK for each datagram, and the refusal */
}
END_TEST

START_TEST(what_came_before_a_refusal_has_succeeded_though_the_last_answer_is_lost)
{
	CLEANUP(talk_clear) struct talk t;
	CLEANUP(change_list_clear) struct change_list changes = { 0 };
	struct err e;

	given_talk(&t);
	give_many(&changes);
	t.kernel.refuse = ENOMEM;
	t.kernel.refuse_at = 101;
	t.kernel.recv_error = ENOBUFS;
	t.kernel.recv_error_at = 2; /* the ACK of the first datagram, the refusal, this */
	ck_assert_int_eq(ipvs_run(&e, t.ipvs, &changes), -ENOBUFS);
	for (size_t i = 0; i < changes.n; i++)
		ck_assert_msg(changes.items[i].status ==
				      (i < 100 ? 0 : i == 100 ? -ENOMEM : i < 128 ? -EIO : -ECANCELED),
			      "change %zu: %d", i, changes.items[i].status);
}
END_TEST

START_TEST(all_of_many_changes_can_be_refused)
{
	CLEANUP(talk_clear) struct talk t;
	CLEANUP(change_list_clear) struct change_list changes = { 0 };
	struct err e;

	given_talk(&t);
	give_many(&changes);
	t.kernel.refuse = EPERM;
	ck_assert_int_eq(ipvs_run(&e, t.ipvs, &changes), (int)changes.n);
	for (size_t i = 0; i < changes.n; i++)
		ck_assert_int_eq(changes.items[i].status, -EPERM);
}
END_TEST

/* What the first conversation left unread must not be taken for answers to the second. */
START_TEST(late_answers_to_an_earlier_question_are_ignored)
{
	CLEANUP(talk_clear) struct talk t;
	CLEANUP(service_list_clear) struct service_list list = { 0 };
	CLEANUP(change_list_clear) struct change_list changes = { 0 };
	struct err e;

	given_talk(&t);
	for (uint16_t i = 1; i <= 20; i++)
		talk_service(&t, IPPROTO_TCP, VIP, 1)->key.vip.port = i;
	t.kernel.recv_error = ENOBUFS;
	t.kernel.recv_error_at = 1;
	ck_assert_int_eq(ipvs_list(&e, t.ipvs, false, &list), -ENOBUFS);
	ck_assert_uint_gt(t.kernel.n_queued, t.kernel.n_taken);
	t.kernel.recv_error = 0;
	talk_change(&changes, CHANGE_ADD_SERVICE, VIP, NULL);
	changes.items[0].key.vip.port = 20;
	ck_assert_int_eq(ipvs_run(&e, t.ipvs, &changes), 1);
	ck_assert_int_eq(changes.items[0].status, -EEXIST);
	ck_assert_int_eq(ipvs_list(&e, t.ipvs, true, &list), 0);
	ck_assert_uint_eq(list.n, 20);
}
END_TEST

static int other_seq(unsigned char *bytes, int len, void *ctx)
{
	struct nlmsghdr *header = (void *)bytes;

	header->nlmsg_seq += *(uint32_t *)ctx;
	return len;
}

START_TEST(an_answer_with_a_wrong_number_is_no_answer)
{
	static uint32_t off[] = { 1, 0xffffffff, 100000, 0x80000000 };

	for (size_t i = 0; i < ARRAY_LEN(off); i++) {
		CLEANUP(talk_clear) struct talk t;
		CLEANUP(change_list_clear) struct change_list changes = { 0 };
		struct err e;

		given_talk(&t);
		t.kernel.spoil = other_seq;
		t.kernel.spoil_ctx = &off[i];
		talk_change(&changes, CHANGE_ADD_SERVICE, VIP, NULL);
		ck_assert_int_eq(ipvs_run(&e, t.ipvs, &changes), -ETIMEDOUT);
		ck_assert_int_eq(changes.items[0].status, -EIO);
	}
}
END_TEST

static int cut(unsigned char *bytes, int len, void *ctx)
{
	(void)bytes;
	return len - *(int *)ctx;
}

/* Half a list must never look like a whole one: what is missing from it would be made again. */
START_TEST(a_truncated_answer_is_an_error)
{
	for (int less = 1; less < 2 * 360; less += 13) {
		CLEANUP(talk_clear) struct talk t;
		struct service_list list = { .n = 77 };
		struct err e = { 0 };

		given_talk(&t);
		for (uint16_t i = 1; i <= 5; i++)
			talk_service(&t, IPPROTO_TCP, VIP, 1)->key.vip.port = i;
		t.kernel.spoil = cut;
		t.kernel.spoil_ctx = &less;
		ck_assert_msg(ipvs_list(&e, t.ipvs, false, &list) < 0, "%d bytes less", less);
		ck_assert_int_gt(e.code, 0);
		ck_assert_uint_eq(list.n, 77);
	}
}
END_TEST

START_TEST(a_dump_that_ends_in_an_error_is_an_error)
{
	CLEANUP(talk_clear) struct talk t;
	struct service_list list = { .n = 77 };
	struct err e = { 0 };

	given_talk(&t);
	talk_service(&t, IPPROTO_TCP, VIP, 1);
	t.kernel.dump_error = ENOMEM;
	ck_assert_int_eq(ipvs_list(&e, t.ipvs, false, &list), -ENOMEM);
	ck_assert_int_eq(e.code, ENOMEM);
	ck_assert_uint_eq(list.n, 77);
}
END_TEST

static int set_type(unsigned char *bytes, int len, void *ctx)
{
	struct nlmsghdr *header = (void *)bytes;

	header->nlmsg_type = *(uint16_t *)ctx;
	return len;
}

START_TEST(a_service_that_is_never_shown_is_an_error)
{
	CLEANUP(talk_clear) struct talk t;
	uint16_t type = NLMSG_NOOP;
	struct service s = { .fwmark = 77 };
	struct err e;

	given_talk(&t);
	talk_service(&t, IPPROTO_TCP, VIP, 1);
	t.kernel.spoil = set_type;
	t.kernel.spoil_ctx = &type;
	ck_assert_int_eq(ipvs_get(&e, t.ipvs, &t.kernel.services.items[0].key, &s), -EBADMSG);
	ck_assert_int_eq(e.code, EBADMSG);
	ck_assert_uint_eq(s.fwmark, 77);
}
END_TEST

START_TEST(an_overrun_is_an_error)
{
	CLEANUP(talk_clear) struct talk t;
	uint16_t type = NLMSG_OVERRUN;
	struct service_list list = { .n = 77 };
	struct err e;

	given_talk(&t);
	talk_service(&t, IPPROTO_TCP, VIP, 1);
	t.kernel.spoil = set_type;
	t.kernel.spoil_ctx = &type;
	ck_assert_int_eq(ipvs_list(&e, t.ipvs, false, &list), -ENOBUFS);
	ck_assert_uint_eq(list.n, 77);
}
END_TEST

static int set_errno(unsigned char *bytes, int len, void *ctx)
{
	struct nlmsgerr *error = (void *)(bytes + NLMSG_HDRLEN);

	error->error = *(int *)ctx;
	return len;
}

/* Neither 0 nor a negative errno. */
static int no_errnos[] = { 1, INT32_MAX, -4096, INT32_MIN };

START_TEST(a_number_that_is_no_errno_is_an_error)
{
	CLEANUP(talk_clear) struct talk t;
	CLEANUP(change_list_clear) struct change_list changes = { 0 };
	struct service_list list = { .n = 77 };
	struct err e;

	given_talk(&t);
	talk_service(&t, IPPROTO_TCP, VIP, 1);
	t.kernel.dump_error = -ENOMEM;
	ck_assert_int_eq(ipvs_list(&e, t.ipvs, false, &list), -EBADMSG);
	ck_assert_uint_eq(list.n, 77);
	t.kernel.refuse = ENOMEM;
	t.kernel.spoil = set_errno;
	t.kernel.spoil_ctx = &no_errnos[_i];
	t.kernel.spoil_at = t.kernel.n_received;
	talk_change(&changes, CHANGE_ADD_SERVICE, VIP, NULL);
	ck_assert_int_eq(ipvs_run(&e, t.ipvs, &changes), -EBADMSG);
	ck_assert_int_eq(changes.items[0].status, -EIO);
}
END_TEST

/* An ACK of 18 bytes has no room for an errno. */
static int stump(unsigned char *bytes, int len, void *ctx)
{
	(void)ctx;
	(void)len;
	((struct nlmsghdr *)(void *)bytes)->nlmsg_len = 18;
	return 18;
}

START_TEST(an_acknowledgement_without_an_errno_is_an_error)
{
	CLEANUP(talk_clear) struct talk t;
	CLEANUP(change_list_clear) struct change_list changes = { 0 };
	struct err e;

	given_talk(&t);
	t.kernel.spoil = stump;
	talk_change(&changes, CHANGE_ADD_SERVICE, VIP, NULL);
	ck_assert_int_eq(ipvs_run(&e, t.ipvs, &changes), -EBADMSG);
	ck_assert_int_eq(changes.items[0].status, -EIO);
}
END_TEST

/* The right message, about another service. */
static int other_port(unsigned char *bytes, int len, void *ctx)
{
	static const unsigned char port[] = { 0x80, 0x00 };

	(void)ctx;
	for (int i = 16; i + 2 <= len; i++) {
		if (memcmp(bytes + i, port, sizeof(port)) == 0 && bytes[i - 2] == 4) { /* IPVS_SVC_ATTR_PORT */
			bytes[i + 1] = 1;
			return len;
		}
	}
	ck_abort_msg("no port");
}

START_TEST(another_service_than_the_one_asked_for_is_an_error)
{
	CLEANUP(talk_clear) struct talk t;
	struct service s = { .fwmark = 77 };
	struct err e;

	given_talk(&t);
	talk_service(&t, IPPROTO_TCP, VIP, 0);
	t.kernel.spoil = other_port;
	ck_assert_int_eq(ipvs_get(&e, t.ipvs, &t.kernel.services.items[0].key, &s), -EBADMSG);
	ck_assert_uint_eq(s.fwmark, 77);
}
END_TEST

static int garble(unsigned char *bytes, int len, void *ctx)
{
	uint64_t *seed = ctx;

	if (given_below(seed, 4) == 0) {
		for (int i = 0; i < len; i++)
			bytes[i] = (unsigned char)given_random(seed);
		return len;
	}
	for (uint32_t n = 1 + given_below(seed, 8); n > 0; n--)
		bytes[given_below(seed, (uint32_t)len)] = (unsigned char)given_random(seed);
	return given_below(seed, 2) ? len : (int)given_below(seed, (uint32_t)len);
}

START_TEST(survives_garbage)
{
	for (int run = 0; run < 1000; run++) {
		CLEANUP(talk_clear) struct talk t;
		CLEANUP(service_list_clear) struct service_list list = { 0 };
		CLEANUP(change_list_clear) struct change_list changes = { 0 };
		uint64_t seed = (uint64_t)run;
		struct err e = { 0 };
		int ret;

		given_talk(&t);
		for (uint16_t i = 1; i <= 4; i++)
			talk_service(&t, IPPROTO_TCP, VIP, 2)->key.vip.port = i;
		t.kernel.spoil = garble;
		t.kernel.spoil_ctx = &seed;
		t.kernel.spoil_at = given_below(&seed, 10);
		ret = ipvs_list(&e, t.ipvs, true, &list);
		ck_assert_msg(ret == 0 || (ret < 0 && ret == -e.code), "seed %d: %d", run, ret);
		t.kernel.spoil_at = t.kernel.n_received;
		talk_change(&changes, CHANGE_DELETE_SERVICE, VIP, NULL);
		ret = ipvs_run(&e, t.ipvs, &changes);
		ck_assert_msg(ret >= -EHWPOISON && ret <= 1, "seed %d: %d", run, ret);
	}
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, says_that_it_is_not_permitted);
	tcase_add_test(tc, a_list_fails_when_its_destinations_do);
	tcase_add_test(tc, an_error_of_sending_is_kept);
	tcase_add_test(tc, changes_whose_answer_is_lost_are_marked);
	tcase_add_loop_test(tc, one_refused_change_does_not_speak_for_others, 0, ARRAY_LEN(refused_at));
	tcase_add_test(tc, what_came_before_a_refusal_has_succeeded_though_the_last_answer_is_lost);
	tcase_add_test(tc, all_of_many_changes_can_be_refused);
	tcase_add_test(tc, late_answers_to_an_earlier_question_are_ignored);
	tcase_add_test(tc, an_answer_with_a_wrong_number_is_no_answer);
	tcase_add_test(tc, a_truncated_answer_is_an_error);
	tcase_add_test(tc, a_dump_that_ends_in_an_error_is_an_error);
	tcase_add_test(tc, a_service_that_is_never_shown_is_an_error);
	tcase_add_test(tc, an_overrun_is_an_error);
	tcase_add_loop_test(tc, a_number_that_is_no_errno_is_an_error, 0, ARRAY_LEN(no_errnos));
	tcase_add_test(tc, an_acknowledgement_without_an_errno_is_an_error);
	tcase_add_test(tc, another_service_than_the_one_asked_for_is_an_error);
	tcase_add_test(tc, survives_garbage);
}

int main(void)
{
	return unit_main("ipvs_faults", add);
}
