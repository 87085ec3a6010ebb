/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns.h"
#include "srv.h"

#define OWNER "_stun._udp.example.net"

/* As a name server sends it: names compressed, an address in the additional section. */
static const uint8_t golden[] = {
	0x12, 0x34, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 1,
	/* 12: _stun._udp.example.net, SRV, IN; example.net is at 23 */
	5, '_', 's', 't', 'u', 'n', 4, '_', 'u', 'd', 'p', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 3, 'n', 'e', 't', 0,
	0, 33, 0, 1,
	/* 40: 10 5 3478 stun1.example.net */
	0xc0, 12, 0, 33, 0, 1, 0, 0, 14, 16, 0, 14, 0, 10, 0, 5, 0x0d, 0x96, 5, 's', 't', 'u', 'n', '1', 0xc0, 23,
	/* 66: 20 65535 443 x.y; its type is at 68, class at 70, length at 76 */
	0xc0, 12, 0, 33, 0, 1, 0, 0, 14, 16, 0, 11, 0, 20, 0xff, 0xff, 1, 0xbb, 1, 'x', 1, 'y', 0,
	/* 89: stun1.example.net, A, 192.0.2.1 */
	0xc0, 58, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4, 192, 0, 2, 1,
};

/* Parses a copy that ends where its memory ends, so that the sanitizer sees every byte too many. */
static int parse(const uint8_t *bytes, size_t len, struct srv_list *out)
{
	uint8_t *copy = malloc(len ? len : 1);
	struct err e = { 0 };
	int ret;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, bytes, len);
	ret = srv_parse(&e, copy, len, out);
	ck_assert_int_eq(e.code, -ret);
	free(copy);
	return ret;
}

static struct srv_list parsed(const struct dns_message *m)
{
	struct srv_list list;

	ck_assert_int_eq(parse(m->bytes, m->len, &list), 0);
	return list;
}

static void expect_record(const struct srv_record *r, unsigned priority, unsigned weight, unsigned port,
			  const char *target)
{
	ck_assert_uint_eq(r->priority, priority);
	ck_assert_uint_eq(r->weight, weight);
	ck_assert_uint_eq(r->port, port);
	ck_assert_str_eq(r->target, target);
}

START_TEST(reads_a_compressed_answer)
{
	struct srv_list list;

	ck_assert_int_eq(parse(golden, sizeof(golden), &list), 0);
	ck_assert_uint_eq(list.n, 2);
	ck_assert(!list.refused);
	expect_record(&list.items[0], 10, 5, 3478, "stun1.example.net");
	expect_record(&list.items[1], 20, 65535, 443, "x.y");
}
END_TEST

START_TEST(passes_over_an_alias)
{
	struct dns_message m;
	struct srv_list list;

	dns_begin(&m, OWNER);
	dns_add_cname(&m, OWNER, "_stun._udp.example.org");
	dns_add_srv(&m, "_stun._udp.example.org", 1, 2, 3, "stun.example.org");
	list = parsed(&m);
	ck_assert_uint_eq(list.n, 1);
	expect_record(&list.items[0], 1, 2, 3, "stun.example.org");
}
END_TEST

START_TEST(an_answer_without_records_is_none)
{
	struct dns_message m;
	struct srv_list list;

	dns_begin(&m, OWNER);
	list = parsed(&m);
	ck_assert_uint_eq(list.n, 0);
	ck_assert(!list.refused);
}
END_TEST

START_TEST(the_target_dot_is_a_refusal)
{
	struct dns_message m;
	struct srv_list list;

	dns_begin(&m, OWNER);
	dns_add_srv(&m, OWNER, 0, 0, 0, ".");
	list = parsed(&m);
	ck_assert_uint_eq(list.n, 0);
	ck_assert(list.refused);
	dns_add_srv(&m, OWNER, 0, 0, 3478, "stun.example.net");
	list = parsed(&m);
	ck_assert_uint_eq(list.n, 1);
	ck_assert(!list.refused);
}
END_TEST

START_TEST(passes_over_port_0_and_names_that_are_too_long)
{
	char label[41] = "";
	struct dns_message m;
	char target[256];
	struct srv_list list;

	memset(label, '\1', sizeof(label) - 1);
	snprintf(target, sizeof(target), "%s.%s.example.net", label, label);
	dns_begin(&m, OWNER);
	dns_add_srv(&m, OWNER, 0, 0, 0, "stun.example.net");
	dns_add_srv(&m, OWNER, 0, 0, 3478, target); /* as text each byte is \001 */
	dns_add_srv(&m, OWNER, 0, 0, 3478, "stun2.example.net");
	list = parsed(&m);
	ck_assert_uint_eq(list.n, 1);
	ck_assert_str_eq(list.items[0].target, "stun2.example.net");
}
END_TEST

START_TEST(takes_the_longest_name)
{
	struct dns_message m;
	char target[SERVER_HOST_MAX + 1];
	struct srv_list list;

	memset(target, 'a', sizeof(target));
	target[63] = target[127] = target[191] = '.';
	target[SERVER_HOST_MAX] = '\0'; /* 63 + 63 + 63 + 61, and three dots */
	dns_begin(&m, OWNER);
	dns_add_srv(&m, OWNER, 0, 0, 3478, target);
	list = parsed(&m);
	ck_assert_uint_eq(list.n, 1);
	ck_assert_str_eq(list.items[0].target, target);
}
END_TEST

START_TEST(takes_no_more_records_than_there_is_room_for)
{
	struct dns_message m;
	struct srv_list list;

	dns_begin(&m, OWNER);
	for (unsigned i = 0; i < SRV_RECORDS_MAX + 5; i++)
		dns_add_srv(&m, OWNER, i, 0, 3478, "stun.example.net");
	list = parsed(&m);
	ck_assert_uint_eq(list.n, SRV_RECORDS_MAX);
	ck_assert_uint_eq(list.items[SRV_RECORDS_MAX - 1].priority, SRV_RECORDS_MAX - 1);
}
END_TEST

START_TEST(rejects_malformed_answers)
{
	static const struct {
		const char *what;
		size_t at;
		uint8_t byte;
	} changes[] = {
		{ "a question", 2, 0x01 },
		{ "NXDOMAIN", 3, 0x83 },
		{ "more answers than there are", 7, 4 },
		{ "a data length too small", 77, 10 },
		{ "no target", 77, 6 },
		{ "data too short for a port", 77, 5 },
		{ "a name that points to itself", 65, 64 },
		{ "a name that points beyond the end", 65, 200 },
		{ "a label beyond the end", 84, 60 },
	};

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		struct srv_list list = { .n = 7 };
		uint8_t bytes[sizeof(golden)];

		memcpy(bytes, golden, sizeof(golden));
		bytes[changes[i].at] = changes[i].byte;
		ck_assert_msg(parse(bytes, sizeof(bytes), &list) == -EBADMSG, "%s", changes[i].what);
		ck_assert_uint_eq(list.n, 7);
	}
}
END_TEST

START_TEST(rejects_data_after_the_target)
{
	struct srv_list list = { .n = 7 };
	struct dns_message m;
	size_t at;

	dns_begin(&m, OWNER);
	at = dns_begin_record(&m, OWNER, ns_t_srv);
	for (unsigned number = 1; number <= 3; number++)
		dns_put16(&m, number);
	dns_put_name(&m, "stun.example.net");
	dns_end_record(&m, at);
	ck_assert_int_eq(parse(m.bytes, m.len, &list), 0);
	m.bytes[m.len++] = 0;
	dns_end_record(&m, at);
	list.n = 7;
	ck_assert_int_eq(parse(m.bytes, m.len, &list), -EBADMSG);
	ck_assert_uint_eq(list.n, 7);
}
END_TEST

START_TEST(passes_over_other_types_and_classes)
{
	static const size_t low_bytes[] = { 69, 71 };

	for (size_t i = 0; i < ARRAY_LEN(low_bytes); i++) {
		struct srv_list list;
		uint8_t bytes[sizeof(golden)];

		memcpy(bytes, golden, sizeof(golden));
		bytes[low_bytes[i]] = 16;
		ck_assert_int_eq(parse(bytes, sizeof(bytes), &list), 0);
		ck_assert_uint_eq(list.n, 1);
		ck_assert_str_eq(list.items[0].target, "stun1.example.net");
	}
}
END_TEST

START_TEST(rejects_every_truncation)
{
	struct srv_list list = { .n = 7 };

	for (size_t len = 0; len < sizeof(golden); len++)
		ck_assert_msg(parse(golden, len, &list) == -EBADMSG, "%zu bytes", len);
	ck_assert_uint_eq(list.n, 7);
}
END_TEST

START_TEST(survives_every_change_of_one_byte)
{
	for (size_t i = 0; i < sizeof(golden) * 256; i++) {
		struct srv_list list = { 0 };
		uint8_t bytes[sizeof(golden)];

		memcpy(bytes, golden, sizeof(golden));
		bytes[i / 256] = (uint8_t)i;
		if (parse(bytes, sizeof(bytes), &list) < 0)
			continue;
		ck_assert_uint_le(list.n, SRV_RECORDS_MAX);
		for (size_t k = 0; k < list.n; k++) {
			ck_assert_uint_le(strnlen(list.items[k].target, SERVER_HOST_MAX + 1), SERVER_HOST_MAX);
			ck_assert_uint_ne(list.items[k].port, 0);
		}
	}
}
END_TEST

/* Chance as a test wants it: these numbers in turn, or the largest that is allowed. */
struct chance {
	uint32_t numbers[SRV_RECORDS_MAX];
	uint32_t asked[SRV_RECORDS_MAX];
	size_t n;
};

static uint32_t next_number(void *context, uint32_t max)
{
	struct chance *c = context;
	size_t i = c->n++;

	ck_assert_uint_lt(i, SRV_RECORDS_MAX);
	c->asked[i] = max;
	return c->numbers[i] < max ? c->numbers[i] : max;
}

/* Records of that priority and weight; the target's first letter is a, b, c... */
static struct srv_list given_records(const uint16_t of[][2], size_t n)
{
	struct srv_list list = { .n = n };

	for (size_t i = 0; i < n; i++)
		list.items[i] = (struct srv_record){ .priority = of[i][0], .weight = of[i][1], .port = 1,
						     .target = { (char)('a' + i) } };
	return list;
}

static void expect_order(const struct srv_list *list, const char *letters)
{
	char got[SRV_RECORDS_MAX + 1] = "";

	for (size_t i = 0; i < list->n; i++)
		got[i] = list->items[i].target[0];
	ck_assert_str_eq(got, letters);
}

START_TEST(lower_priorities_come_first)
{
	static const uint16_t records[][2] = { { 30, 9 }, { 10, 1 }, { 65535, 9 }, { 20, 65535 }, { 0, 0 } };
	struct srv_list list = given_records(records, ARRAY_LEN(records));
	struct chance chance = { 0 };

	srv_order(&list, next_number, &chance);
	expect_order(&list, "ebdac");
}
END_TEST

START_TEST(weights_are_chances)
{
	static const uint16_t records[][2] = { { 1, 3 }, { 1, 0 }, { 1, 5 }, { 1, 2 } };
	uint32_t first[4] = { 0 };

	for (uint32_t number = 0; number <= 10; number++) {
		struct srv_list list = given_records(records, ARRAY_LEN(records));
		struct chance chance = { .numbers = { number } };

		srv_order(&list, next_number, &chance);
		ck_assert_uint_eq(chance.asked[0], 10);
		first[list.items[0].target[0] - 'a']++;
	}
	ck_assert_uint_eq(first[0], 3);
	ck_assert_uint_eq(first[1], 1); /* RFC 2782: a very small chance */
	ck_assert_uint_eq(first[2], 5);
	ck_assert_uint_eq(first[3], 2);
}
END_TEST

START_TEST(each_choice_is_among_those_that_are_left)
{
	static const uint16_t records[][2] = { { 1, 3 }, { 2, 7 }, { 1, 5 }, { 2, 1 }, { 1, 2 } };
	struct srv_list list = given_records(records, ARRAY_LEN(records));
	struct chance chance = { .numbers = { 8, 5, 1, 8, 0 } };

	/* a c e: 8 of 10 is c; a e: 5 of 5 is e; a. b d: 8 of 8 is d; b. */
	srv_order(&list, next_number, &chance);
	expect_order(&list, "ceadb");
	ck_assert_uint_eq(chance.n, 5);
	ck_assert_uint_eq(chance.asked[0], 10);
	ck_assert_uint_eq(chance.asked[1], 5);
	ck_assert_uint_eq(chance.asked[2], 3);
	ck_assert_uint_eq(chance.asked[3], 8);
	ck_assert_uint_eq(chance.asked[4], 7);
}
END_TEST

START_TEST(without_weights_the_order_stays)
{
	static const uint16_t records[][2] = { { 1, 0 }, { 1, 0 }, { 1, 0 } };
	struct srv_list list = given_records(records, ARRAY_LEN(records));
	struct chance chance = { .numbers = { 9, 9, 9 } };

	srv_order(&list, next_number, &chance);
	expect_order(&list, "abc");
	list.n = 0;
	srv_order(&list, next_number, &chance);
}
END_TEST

START_TEST(the_heaviest_records_do_not_overflow)
{
	struct srv_list list = { .n = SRV_RECORDS_MAX };
	struct chance chance = { 0 };

	for (size_t i = 0; i < SRV_RECORDS_MAX; i++) {
		list.items[i] = (struct srv_record){ .weight = 65535, .port = 1, .target = { (char)('a' + i) } };
		chance.numbers[i] = UINT32_MAX;
	}
	srv_order(&list, next_number, &chance);
	ck_assert_uint_eq(chance.asked[0], SRV_RECORDS_MAX * 65535);
	expect_order(&list, "ponmlkjihgfedcba");
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, reads_a_compressed_answer);
	tcase_add_test(tc, passes_over_an_alias);
	tcase_add_test(tc, an_answer_without_records_is_none);
	tcase_add_test(tc, the_target_dot_is_a_refusal);
	tcase_add_test(tc, passes_over_port_0_and_names_that_are_too_long);
	tcase_add_test(tc, takes_the_longest_name);
	tcase_add_test(tc, takes_no_more_records_than_there_is_room_for);
	tcase_add_test(tc, rejects_malformed_answers);
	tcase_add_test(tc, rejects_data_after_the_target);
	tcase_add_test(tc, passes_over_other_types_and_classes);
	tcase_add_test(tc, rejects_every_truncation);
	tcase_add_test(tc, survives_every_change_of_one_byte);
	tcase_add_test(tc, lower_priorities_come_first);
	tcase_add_test(tc, weights_are_chances);
	tcase_add_test(tc, each_choice_is_among_those_that_are_left);
	tcase_add_test(tc, without_weights_the_order_stays);
	tcase_add_test(tc, the_heaviest_records_do_not_overflow);
}

int main(void)
{
	return unit_main("srv", add);
}
