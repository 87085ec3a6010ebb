/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Requests byte by byte, as linux/ip_vs.h defines them. ipvsadm 1.31 sends the
 * same attributes for the same services (strace -xx -e sendmsg ipvsadm -A ...).
 */
#include "given.h"
#include "ipvs_msg.h"
#include "wire.h"

#include <linux/ip_vs.h>

#define FAMILY 0x1c
#define ACK 0x4
#define DUMP 0x300

#define KEY4 "198.51.100.1:32898"
#define KEY6 "[2001:db8::1]:32898"

/* 44 bytes each: the service that is meant. 32898 is 0x8082. */
#define KEY4_BYTES                                                          \
	/* AF: 2 */ ATTR(6, 1), U16(2), 0, 0,                               \
	/* PROTOCOL: 6, tcp */ ATTR(6, 2), U16(6), 0, 0,                    \
	/* ADDR */ ATTR(20, 3), 198, 51, 100, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, \
	/* PORT */ ATTR(6, 4), 0x80, 0x82, 0, 0
#define KEY6_BYTES                                                          \
	/* AF: 10 */ ATTR(6, 1), U16(10), 0, 0,                             \
	/* PROTOCOL: 17, udp */ ATTR(6, 2), U16(17), 0, 0,                  \
	/* ADDR */ ATTR(20, 3), 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, \
	/* PORT */ ATTR(6, 4), 0x80, 0x82, 0, 0

static const uint8_t new_service_4[] = {
	HEADER(104, FAMILY, ACK, 1), /* NEW_SERVICE */
	ATTR(84, 0x8001), KEY4_BYTES, /* SERVICE */
	ATTR(8, 6), 'w', 'r', 'r', 0, /* SCHED_NAME */
	ATTR(12, 7), U32(0), U32(0xffffffff), /* FLAGS: none of all */
	ATTR(8, 8), U32(0), /* TIMEOUT */
	ATTR(8, 9), 255, 255, 255, 255, /* NETMASK */
};
static const uint8_t new_service_6[] = {
	HEADER(108, FAMILY, ACK, 1), /* NEW_SERVICE */
	ATTR(88, 0x8001), KEY6_BYTES, /* SERVICE */
	ATTR(10, 6), 'w', 'l', 'c', '-', 'x', 0, 0, 0, /* SCHED_NAME, padded */
	ATTR(12, 7), U32(1), U32(0xffffffff), /* FLAGS: persistent */
	ATTR(8, 8), U32(300), /* TIMEOUT */
	ATTR(8, 9), U32(128), /* NETMASK: a prefix length */
};
static const uint8_t set_service_4[] = {
	HEADER(104, FAMILY, ACK, 2), /* SET_SERVICE */
	ATTR(84, 0x8001), KEY4_BYTES, /* SERVICE */
	ATTR(7, 6), 'r', 'r', 0, 0, /* SCHED_NAME, padded */
	ATTR(12, 7), U32(1), U32(0xffffffff), /* FLAGS: persistent */
	ATTR(8, 8), U32(0x10000), /* TIMEOUT */
	ATTR(8, 9), 255, 255, 255, 255, /* NETMASK */
};
static const uint8_t del_service_4[] = {
	HEADER(68, FAMILY, ACK, 3), /* DEL_SERVICE */
	ATTR(48, 0x8001), KEY4_BYTES, /* SERVICE */
};
static const uint8_t del_service_6[] = {
	HEADER(68, FAMILY, ACK, 3), /* DEL_SERVICE */
	ATTR(48, 0x8001), KEY6_BYTES, /* SERVICE */
};
static const uint8_t new_destination_4[] = {
	HEADER(140, FAMILY, ACK, 5), /* NEW_DEST */
	ATTR(48, 0x8001), KEY4_BYTES, /* SERVICE */
	ATTR(72, 0x8002), /* DEST */
	ATTR(6, 11), U16(2), 0, 0, /* ADDR_FAMILY */
	ATTR(20, 1), 10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* ADDR */
	ATTR(6, 2), 0, 80, 0, 0, /* PORT */
	ATTR(8, 3), U32(0), /* FWD_METHOD: masquerade */
	ATTR(8, 4), U32(100), /* WEIGHT */
	ATTR(8, 5), U32(0), /* U_THRESH */
	ATTR(8, 6), U32(0), /* L_THRESH */
};
static const uint8_t new_destination_6[] = {
	HEADER(140, FAMILY, ACK, 5), /* NEW_DEST */
	ATTR(48, 0x8001), KEY6_BYTES, /* SERVICE */
	ATTR(72, 0x8002), /* DEST */
	ATTR(6, 11), U16(10), 0, 0, /* ADDR_FAMILY */
	ATTR(20, 1), 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, /* ADDR */
	ATTR(6, 2), 0x1f, 0x90, 0, 0, /* PORT: 8080 */
	ATTR(8, 3), U32(0), /* FWD_METHOD: masquerade */
	ATTR(8, 4), U32(0x7fffffff), /* WEIGHT */
	ATTR(8, 5), U32(0), /* U_THRESH */
	ATTR(8, 6), U32(0), /* L_THRESH */
};
static const uint8_t set_destination_4[] = {
	HEADER(140, FAMILY, ACK, 6), /* SET_DEST */
	ATTR(48, 0x8001), KEY4_BYTES, /* SERVICE */
	ATTR(72, 0x8002), /* DEST */
	ATTR(6, 11), U16(2), 0, 0, /* ADDR_FAMILY */
	ATTR(20, 1), 10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* ADDR */
	ATTR(6, 2), 0, 80, 0, 0, /* PORT */
	ATTR(8, 3), U32(2), /* FWD_METHOD: tunnel */
	ATTR(8, 4), U32(0), /* WEIGHT */
	ATTR(8, 5), U32(0), /* U_THRESH */
	ATTR(8, 6), U32(0), /* L_THRESH */
};
static const uint8_t del_destination_4[] = {
	HEADER(108, FAMILY, ACK, 7), /* DEL_DEST */
	ATTR(48, 0x8001), KEY4_BYTES, /* SERVICE */
	ATTR(40, 0x8002), /* DEST */
	ATTR(6, 11), U16(2), 0, 0, /* ADDR_FAMILY */
	ATTR(20, 1), 10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* ADDR */
	ATTR(6, 2), 0, 80, 0, 0, /* PORT */
};
static const uint8_t del_destination_6[] = {
	HEADER(108, FAMILY, ACK, 7), /* DEL_DEST */
	ATTR(48, 0x8001), KEY6_BYTES, /* SERVICE */
	ATTR(40, 0x8002), /* DEST */
	ATTR(6, 11), U16(10), 0, 0, /* ADDR_FAMILY */
	ATTR(20, 1), 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, /* ADDR */
	ATTR(6, 2), 0, 80, 0, 0, /* PORT */
};
static const uint8_t get_service_4[] = {
	HEADER(68, FAMILY, ACK, 4), /* GET_SERVICE */
	ATTR(48, 0x8001), KEY4_BYTES, /* SERVICE */
};
static const uint8_t get_service_6[] = {
	HEADER(68, FAMILY, ACK, 4), /* GET_SERVICE */
	ATTR(48, 0x8001), KEY6_BYTES, /* SERVICE */
};
static const uint8_t dump_services[] = {
	HEADER(20, FAMILY, DUMP, 4), /* GET_SERVICE */
};
static const uint8_t dump_destinations_4[] = {
	HEADER(68, FAMILY, DUMP, 8), /* GET_DEST */
	ATTR(48, 0x8001), KEY4_BYTES, /* SERVICE */
};
static const uint8_t dump_destinations_6[] = {
	HEADER(68, FAMILY, DUMP, 8), /* GET_DEST */
	ATTR(48, 0x8001), KEY6_BYTES, /* SERVICE */
};

static struct service_key key_of(const char *vip)
{
	return given_key(vip[0] == '[' ? IPPROTO_UDP : IPPROTO_TCP, vip);
}

#define GOLDEN(bytes) bytes, sizeof(bytes)

static const struct {
	const uint8_t *bytes;
	size_t len;
	enum change_op op;
	const char *vip, *scheduler;
	uint32_t persistence;
	const char *real;
	uint32_t weight, method;
} changes[] = {
	{ GOLDEN(new_service_4), CHANGE_ADD_SERVICE, KEY4, "wrr", 0, NULL, 0, 0 },
	{ GOLDEN(new_service_6), CHANGE_ADD_SERVICE, KEY6, "wlc-x", 300, NULL, 0, 0 },
	{ GOLDEN(set_service_4), CHANGE_EDIT_SERVICE, KEY4, "rr", 0x10000, NULL, 0, 0 },
	{ GOLDEN(del_service_4), CHANGE_DELETE_SERVICE, KEY4, "wrr", 300, NULL, 0, 0 },
	{ GOLDEN(del_service_6), CHANGE_DELETE_SERVICE, KEY6, "", 0, NULL, 0, 0 },
	{ GOLDEN(new_destination_4), CHANGE_ADD_DESTINATION, KEY4, "wrr", 300, "10.0.0.2:80", 100,
	  IP_VS_CONN_F_MASQ },
	{ GOLDEN(new_destination_6), CHANGE_ADD_DESTINATION, KEY6, "", 0, "[fd00::2]:8080", 0x7fffffff,
	  IP_VS_CONN_F_MASQ },
	{ GOLDEN(set_destination_4), CHANGE_EDIT_DESTINATION, KEY4, "", 0, "10.0.0.2:80", 0,
	  IP_VS_CONN_F_TUNNEL },
	{ GOLDEN(del_destination_4), CHANGE_DELETE_DESTINATION, KEY4, "", 0, "10.0.0.2:80", 100, 0 },
	{ GOLDEN(del_destination_6), CHANGE_DELETE_DESTINATION, KEY6, "", 0, "[fd00::2]:80", 0, 0 },
};

static struct change change_at(size_t i)
{
	struct change c = { .op = changes[i].op, .key = key_of(changes[i].vip),
			    .persistence = changes[i].persistence };

	strcpy(c.scheduler, changes[i].scheduler);
	if (changes[i].real)
		c.destination = (struct destination){ .real = given_endpoint(changes[i].real),
						      .weight = changes[i].weight,
						      .method = changes[i].method };
	return c;
}

static void expect_bytes(struct nl_msg *msg, const uint8_t *bytes, size_t len)
{
	const struct nlmsghdr *header = nlmsg_hdr(msg);
	const uint8_t *got = (const void *)header;

	ck_assert_uint_eq(header->nlmsg_len, len);
	for (size_t i = 0; i < len; i++)
		ck_assert_msg(got[i] == bytes[i], "byte %zu is %02x, not %02x", i, got[i], bytes[i]);
}

START_TEST(encodes_each_change)
{
	struct nl_msg *msg = nlmsg_alloc_size(IPVS_MSG_SIZE);
	struct change c = change_at((size_t)_i);

	ck_assert_int_eq(ipvs_msg_change(msg, FAMILY, &c), 0);
	expect_bytes(msg, changes[_i].bytes, changes[_i].len);
	nlmsg_free(msg);
}
END_TEST

static const struct {
	const uint8_t *bytes;
	size_t len;
	int (*encode)(struct nl_msg *msg, int family, const struct service_key *key);
	const char *vip;
} questions[] = {
	{ GOLDEN(get_service_4), ipvs_msg_get_service, KEY4 },
	{ GOLDEN(get_service_6), ipvs_msg_get_service, KEY6 },
	{ GOLDEN(dump_destinations_4), ipvs_msg_dump_destinations, KEY4 },
	{ GOLDEN(dump_destinations_6), ipvs_msg_dump_destinations, KEY6 },
};

START_TEST(encodes_each_question)
{
	struct nl_msg *msg = nlmsg_alloc_size(IPVS_MSG_SIZE);
	struct service_key key = key_of(questions[_i].vip);

	ck_assert_int_eq(questions[_i].encode(msg, FAMILY, &key), 0);
	expect_bytes(msg, questions[_i].bytes, questions[_i].len);
	nlmsg_free(msg);
}
END_TEST

START_TEST(encodes_the_question_for_all_services)
{
	struct nl_msg *msg = nlmsg_alloc_size(IPVS_MSG_SIZE);

	ck_assert_int_eq(ipvs_msg_dump_services(msg, FAMILY), 0);
	expect_bytes(msg, GOLDEN(dump_services));
	nlmsg_free(msg);
}
END_TEST

/* A message with room for this many bytes in all. */
static struct nl_msg *small_message(size_t room)
{
	struct nl_msg *msg = nlmsg_alloc_size(room);

	ck_assert_ptr_nonnull(msg);
	return msg;
}

START_TEST(a_change_that_does_not_fit_is_refused_at_every_size)
{
	struct change c = change_at((size_t)_i);

	for (size_t room = NLMSG_HDRLEN; room <= changes[_i].len; room++) {
		struct nl_msg *msg = small_message(room);
		int want = room < changes[_i].len ? -ENOMEM : 0;

		ck_assert_msg(ipvs_msg_change(msg, FAMILY, &c) == want, "room for %zu", room);
		nlmsg_free(msg);
	}
}
END_TEST

START_TEST(a_question_that_does_not_fit_is_refused_at_every_size)
{
	struct service_key key = key_of(questions[_i].vip);

	for (size_t room = NLMSG_HDRLEN; room <= questions[_i].len; room++) {
		struct nl_msg *msg = small_message(room);
		int want = room < questions[_i].len ? -ENOMEM : 0;

		ck_assert_msg(questions[_i].encode(msg, FAMILY, &key) == want, "room for %zu", room);
		nlmsg_free(msg);
	}
}
END_TEST

START_TEST(the_longest_change_fits_into_the_size_promised)
{
	static const enum change_op ops[] = { CHANGE_ADD_SERVICE, CHANGE_ADD_DESTINATION };

	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		struct nl_msg *msg = nlmsg_alloc_size(IPVS_MSG_SIZE);
		struct change c = { .op = ops[i], .key = key_of(KEY6), .scheduler = "fifteen_letters",
				    .persistence = UINT32_MAX };

		c.destination.real = c.key.vip;
		ck_assert_int_eq(ipvs_msg_change(msg, FAMILY, &c), 0);
		nlmsg_free(msg);
	}
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, encodes_each_change, 0, ARRAY_LEN(changes));
	tcase_add_loop_test(tc, encodes_each_question, 0, ARRAY_LEN(questions));
	tcase_add_test(tc, encodes_the_question_for_all_services);
	tcase_add_loop_test(tc, a_change_that_does_not_fit_is_refused_at_every_size, 0, ARRAY_LEN(changes));
	tcase_add_loop_test(tc, a_question_that_does_not_fit_is_refused_at_every_size, 0, ARRAY_LEN(questions));
	tcase_add_test(tc, the_longest_change_fits_into_the_size_promised);
}

int main(void)
{
	return unit_main("ipvs_msg", add);
}
