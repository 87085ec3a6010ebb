/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "given.h"
#include "stun_msg.h"
#include "stun_samples.h"

/* Bytes in a block of exactly their size, so that the sanitizer sees who reads beyond. */
static uint8_t *block_of(const uint8_t *bytes, size_t len)
{
	uint8_t *block = malloc(len ? len : 1);

	ck_assert_ptr_nonnull(block);
	memcpy(block, bytes, len);
	return block;
}

static int decode(struct err *e, const uint8_t *bytes, size_t len, struct stun_response *out)
{
	CLEANUP_FREE uint8_t *block = block_of(bytes, len);
	int ret;

	*e = (struct err){ 0 };
	ret = stun_msg_decode(e, block, len, out);
	ck_assert_int_eq(e->code, -ret);
	return ret;
}

static void print_endpoint(FILE *out, const char *name, const struct endpoint *ep)
{
	char text[ENDPOINT_STRLEN];

	if (ep->addr.family != AF_UNSPEC)
		fprintf(out, " %s %s", name, endpoint_format(ep, text));
}

static void print_response(FILE *out, const struct stun_response *r)
{
	fprintf(out, "id ");
	for (size_t i = 0; i < sizeof(r->id.bytes); i++)
		fprintf(out, "%02x", r->id.bytes[i]);
	if (r->error || r->reason[0])
		fprintf(out, " error %u '%s'", r->error, r->reason);
	print_endpoint(out, "xor_mapped", &r->xor_mapped);
	print_endpoint(out, "mapped", &r->mapped);
	print_endpoint(out, "other", &r->other);
}

/* Everything that a sample says, field by field. */
START_TEST(reads_what_servers_send)
{
	for (size_t i = 0; i < ARRAY_LEN(stun_samples); i++) {
		const struct stun_sample *s = &stun_samples[i];
		struct unit_out text = { 0 };
		struct stun_response r;
		struct err e;
		int ret = decode(&e, s->bytes, s->len, &r);

		if (!s->response) {
			ck_assert_msg(ret == -EBADMSG, "%s", s->name);
			continue;
		}
		ck_assert_msg(ret == 0, "%s: %s", s->name, e.msg);
		print_response(unit_open(&text), &r);
		unit_expect(&text, s->response);
	}
}
END_TEST

START_TEST(names_every_attribute_and_its_value)
{
	for (size_t i = 0; i < ARRAY_LEN(stun_samples); i++) {
		const struct stun_sample *s = &stun_samples[i];
		CLEANUP_FREE uint8_t *block = block_of(s->bytes, s->len);
		char line[STUN_ATTRIBUTE_STRLEN];
		struct unit_out text = { 0 };
		size_t offset = 0;

		unit_open(&text);
		while (stun_msg_next_attribute(block, s->len, &offset, line))
			fprintf(text.stream, "%s\n", line);
		ck_assert_msg(offset == s->len, "%s: ends at %zu", s->name, offset);
		unit_expect(&text, s->attributes);
		ck_assert(!stun_msg_next_attribute(block, s->len, &offset, line));
	}
}
END_TEST

START_TEST(writes_each_request_byte_for_byte)
{
	const struct {
		enum stun_change change;
		const char *attribute;
		const uint8_t *bytes;
		size_t len;
	} cases[] = {
		{ STUN_CHANGE_ABSENT, NULL, BYTES(0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, ID) },
		{ STUN_CHANGE_NOTHING, "CHANGE-REQUEST nothing",
		  BYTES(0, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42, ID, 0, 3, 0, 4, 0, 0, 0, 0) },
		{ STUN_CHANGE_PORT, "CHANGE-REQUEST port",
		  BYTES(0, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42, ID, 0, 3, 0, 4, 0, 0, 0, 2) },
		{ STUN_CHANGE_BOTH, "CHANGE-REQUEST address and port",
		  BYTES(0, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42, ID, 0, 3, 0, 4, 0, 0, 0, 6) },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t buf[STUN_REQUEST_MAX];
		char text[STUN_ATTRIBUTE_STRLEN];
		size_t offset = 0;

		memset(buf, 0xee, sizeof(buf));
		ck_assert_uint_eq(stun_msg_request(&(struct stun_id){ { ID } }, cases[i].change, buf),
				  cases[i].len);
		ck_assert_mem_eq(buf, cases[i].bytes, cases[i].len);
		for (size_t k = cases[i].len; k < sizeof(buf); k++)
			ck_assert_uint_eq(buf[k], 0xee);
		ck_assert_str_eq(stun_msg_kind(buf, cases[i].len), "Binding request");
		if (cases[i].attribute) {
			ck_assert(stun_msg_next_attribute(buf, cases[i].len, &offset, text));
			ck_assert_str_eq(text, cases[i].attribute);
		}
		ck_assert(!stun_msg_next_attribute(buf, cases[i].len, &offset, text));
	}
}
END_TEST

START_TEST(refuses_malformed_messages_and_says_why)
{
	const struct {
		const char *why;
		const uint8_t *bytes;
		size_t len;
	} cases[] = {
		{ "shorter than a header", .bytes = (const uint8_t *)"", .len = 0 },
		{ "shorter than a header", BYTES(0x01, 0x01, 0, 0, COOKIE) },
		{ "shorter than a header", BYTES(0x01, 0x01, 0, 0, COOKIE, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11) },
		{ "first two bits", BYTES(HEADER(0x4101, 0)) },
		{ "first two bits", BYTES(HEADER(0x8101, 0)) },
		{ "first two bits", BYTES(HEADER(0xc101, 0)) },
		{ "no magic cookie", BYTES(U16(0x0101), U16(0), 0x20, 0x12, 0xa4, 0x42, ID) },
		{ "no magic cookie", BYTES(U16(0x0101), U16(0), 0x21, 0x12, 0xa4, 0x43, ID) },
		{ "length field says 24", BYTES(RESPONSE(4)) },
		{ "length field says 20", BYTES(RESPONSE(0), ATTR(0x8000, 0)) },
		{ "length field says 24", BYTES(RESPONSE(4), ATTR(0x8000, 0), 0) },
		{ "multiple of 4", BYTES(RESPONSE(5), ATTR(0x8022, 1), 'a') },
		{ "multiple of 4", BYTES(RESPONSE(3), 0x80, 0x22, 0) },
		{ "no Binding response: Binding request", BYTES(HEADER(0x0001, 0)) },
		{ "no Binding response: Binding indication", BYTES(HEADER(0x0011, 0)) },
		{ "of another method", BYTES(HEADER(0x0103, 0)) },
		{ "of another method", BYTES(HEADER(0x0113, 0)) },
		{ "of another method", BYTES(HEADER(0x0102, 0)) },
		{ "of another method", BYTES(HEADER(0x0301, 0)) },
		{ "of another method", BYTES(HEADER(0x2101, 0)) },
		{ "of another method", BYTES(HEADER(0x0000, 0)) },
		{ "truncated", BYTES(RESPONSE(4), ATTR(0x8000, 1)) },
		{ "truncated", BYTES(RESPONSE(8), ATTR(0x8022, 5), 'a', 'b', 'c', 'd') },
		{ "truncated", BYTES(RESPONSE(8), ATTR(0x8022, 0xffff), 'a', 'b', 'c', 'd') },
		{ "truncated", BYTES(RESPONSE(16), ATTR(0x0001, 8), V4(1, 1), ATTR(0x8000, 4)) },
		{ "comprehended, 0x0000", BYTES(RESPONSE(4), ATTR(0x0000, 0)) },
		{ "comprehended, 0x0024", BYTES(RESPONSE(8), ATTR(0x0024, 4), 0, 0, 0, 0) },
		{ "comprehended, 0x7fff", BYTES(RESPONSE(16), ATTR(0x0001, 8), V4(1, 1), ATTR(0x7fff, 0)) },
		{ "comprehended, 0x0021", BYTES(ERROR(12), ATTR(0x0009, 4), 0, 0, 4, 0, ATTR(0x0021, 0)) },
		/* addresses */
		{ "MAPPED-ADDRESS is malformed", BYTES(RESPONSE(4), ATTR(0x0001, 0)) },
		{ "MAPPED-ADDRESS is malformed", BYTES(RESPONSE(8), ATTR(0x0001, 1), 0, 0, 0, 0) },
		{ "MAPPED-ADDRESS is malformed", BYTES(RESPONSE(8), ATTR(0x0001, 4), 0, 1, 0, 1) },
		{ "MAPPED-ADDRESS is malformed", BYTES(RESPONSE(12), ATTR(0x0001, 7), V4(1, 1)) },
		{ "MAPPED-ADDRESS is malformed", BYTES(RESPONSE(16), ATTR(0x0001, 9), V4(1, 1), 0, 0, 0, 0) },
		{ "MAPPED-ADDRESS is malformed",
		  BYTES(RESPONSE(12), ATTR(0x0001, 8), 0, 0, 0, 1, 1, 2, 3, 4) },
		{ "MAPPED-ADDRESS is malformed",
		  BYTES(RESPONSE(12), ATTR(0x0001, 8), 0, 2, 0, 1, 1, 2, 3, 4) },
		{ "MAPPED-ADDRESS is malformed",
		  BYTES(RESPONSE(12), ATTR(0x0001, 8), 0, 3, 0, 1, 1, 2, 3, 4) },
		{ "MAPPED-ADDRESS is malformed", BYTES(RESPONSE(24), ATTR(0x0001, 20), 0, 1, 0, 1, 1, 2, 3, 4,
						       0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) },
		{ "MAPPED-ADDRESS is malformed", BYTES(RESPONSE(24), ATTR(0x0001, 20), 0, 0x12, 0, 1, 1, 2, 3,
						       4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) },
		{ "MAPPED-ADDRESS is malformed",
		  BYTES(RESPONSE(24), ATTR(0x0001, 8), 0, 3, 0, 1, 1, 2, 3, 4, ATTR(0x0001, 8), V4(1, 1)) },
		{ "XOR-MAPPED-ADDRESS is malformed", BYTES(RESPONSE(4), ATTR(0x0020, 0)) },
		{ "XOR-MAPPED-ADDRESS is malformed", BYTES(RESPONSE(4), ATTR(0x8020, 0)) },
		{ "OTHER-ADDRESS is malformed", BYTES(RESPONSE(4), ATTR(0x802c, 0)) },
		{ "CHANGED-ADDRESS is malformed", BYTES(RESPONSE(4), ATTR(0x0005, 0)) },
		/* errors */
		{ "without ERROR-CODE", BYTES(ERROR(0)) },
		{ "without ERROR-CODE", BYTES(ERROR(12), ATTR(0x0001, 8), V4(1, 1)) },
		{ "ERROR-CODE is malformed", BYTES(ERROR(4), ATTR(0x0009, 0)) },
		{ "ERROR-CODE is malformed", BYTES(ERROR(8), ATTR(0x0009, 3), 0, 0, 4, 20) },
		{ "ERROR-CODE is malformed", BYTES(ERROR(8), ATTR(0x0009, 4), 0, 0, 0, 0) },
		{ "ERROR-CODE is malformed", BYTES(ERROR(8), ATTR(0x0009, 4), 0, 0, 2, 99) },
		{ "ERROR-CODE is malformed", BYTES(ERROR(8), ATTR(0x0009, 4), 0, 0, 7, 0) },
		{ "ERROR-CODE is malformed", BYTES(ERROR(8), ATTR(0x0009, 4), 0, 0, 4, 100) },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct stun_response r = { .error = 7 };
		struct err e;

		ck_assert_msg(decode(&e, cases[i].bytes, cases[i].len, &r) == -EBADMSG, "%zu: %s", i,
			      cases[i].why);
		ck_assert_msg(strstr(e.msg, cases[i].why), "%zu: '%s' instead of '%s'", i, e.msg,
			      cases[i].why);
		ck_assert_uint_eq(r.error, 7);
	}
}
END_TEST

/* Does an attribute of the sample end there? */
static bool is_boundary(const struct stun_sample *s, size_t at)
{
	char text[STUN_ATTRIBUTE_STRLEN];
	size_t offset = 0;

	if (at == STUN_HEADER_SIZE)
		return true;
	while (stun_msg_next_attribute(s->bytes, s->len, &offset, text))
		if (offset == at)
			return true;
	return false;
}

START_TEST(refuses_every_truncation)
{
	for (size_t i = 0; i < ARRAY_LEN(stun_samples); i++) {
		const struct stun_sample *s = &stun_samples[i];

		for (size_t len = 0; s->response && len < s->len; len++) {
			struct stun_response r;
			struct err e;

			ck_assert_msg(decode(&e, s->bytes, len, &r) == -EBADMSG, "%s: %zu bytes", s->name,
				      len);
		}
	}
}
END_TEST

/* Only where an attribute ends is the rest a message again. */
START_TEST(refuses_truncation_that_the_length_field_hides)
{
	for (size_t i = 0; i < ARRAY_LEN(stun_samples); i++) {
		const struct stun_sample *s = &stun_samples[i];

		for (size_t len = STUN_HEADER_SIZE; s->response && len < s->len; len++) {
			CLEANUP_FREE uint8_t *bytes = block_of(s->bytes, len);
			struct stun_response r;
			struct err e;
			int ret;

			bytes[2] = (uint8_t)((len - STUN_HEADER_SIZE) >> 8);
			bytes[3] = (uint8_t)(len - STUN_HEADER_SIZE);
			ret = decode(&e, bytes, len, &r);
			if (is_boundary(s, len))
				ck_assert_msg(ret == 0 || strstr(e.msg, "without ERROR-CODE"), "%s: %s",
					      s->name, e.msg);
			else
				ck_assert_msg(ret == -EBADMSG, "%s: %zu bytes", s->name, len);
		}
	}
}
END_TEST

/* A response of len bytes whose one attribute is PADDING. */
static uint8_t *long_message(size_t len)
{
	const uint8_t head[] = { RESPONSE((unsigned)len - STUN_HEADER_SIZE),
				 ATTR(0x0026, (unsigned)len - 24) };
	uint8_t *bytes = calloc(1, len);

	ck_assert_ptr_nonnull(bytes);
	memcpy(bytes, head, sizeof(head));
	return bytes;
}

START_TEST(refuses_an_overlong_message)
{
	static const size_t lengths[] = { 2044, STUN_MESSAGE_MAX, STUN_MESSAGE_MAX + 4, 65552 };

	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		CLEANUP_FREE uint8_t *bytes = long_message(lengths[i]);
		struct stun_response r;
		struct err e;

		if (lengths[i] <= STUN_MESSAGE_MAX) {
			ck_assert_int_eq(decode(&e, bytes, lengths[i], &r), 0);
			ck_assert_int_eq(stun_msg_length(&e, bytes), (int)lengths[i]);
			continue;
		}
		ck_assert_int_eq(decode(&e, bytes, lengths[i], &r), -EBADMSG);
		ck_assert_ptr_nonnull(strstr(e.msg, "more than 2048"));
		ck_assert_int_eq(stun_msg_length(&e, bytes), -EBADMSG);
	}
}
END_TEST

START_TEST(tells_a_messages_length_from_its_header)
{
	static const uint8_t bad[][STUN_HEADER_SIZE] = {
		{ HEADER(0x4101, 0) },
		{ HEADER(0x8101, 0) },
		{ RESPONSE(1) },
		{ RESPONSE(2) },
		{ RESPONSE(0xffff) },
		{ RESPONSE(0xfffc) },
		{ U16(0x0101), U16(0), 0x21, 0x12, 0xa4, 0, ID },
		{ 'H', 'T', 'T', 'P', '/', '1', '.', '1', ' ', '4',
		  '0', '0', ' ', 'B', 'a', 'd', ' ', 'R', 'e', 'q' },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(stun_samples); i++)
		ck_assert_int_eq(stun_msg_length(&e, stun_samples[i].bytes), (int)stun_samples[i].len);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		e = (struct err){ 0 };
		ck_assert_msg(stun_msg_length(&e, bad[i]) == -EBADMSG, "%zu", i);
		ck_assert_int_eq(e.code, EBADMSG);
	}
}
END_TEST

START_TEST(keeps_a_servers_text_printable_and_short)
{
	static const struct {
		const char *value, *text;
	} cases[] = {
		{ "a\x01\n\x1b[31m\x7f\x80\xc2\x9b\xffz", "a??\?[31m?????z" },
		{ " ~ %s%n \\ ", " ~ %s%n \\ " },
		{ "\n", "?" },
		{ "", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		unsigned n = (unsigned)strlen(cases[i].value), padded = (n + 3) / 4 * 4;
		const uint8_t head[] = { ERROR(8 + padded), ATTR(0x0009, 4 + n), 0, 0, 4, 20 };
		uint8_t bytes[128] = { 0 };
		struct stun_response r;
		struct err e;

		memcpy(bytes, head, sizeof(head));
		memcpy(bytes + 28, cases[i].value, n);
		ck_assert_msg(decode(&e, bytes, 28 + (size_t)padded, &r) == 0, "%zu: %s", i, e.msg);
		ck_assert_str_eq(r.reason, cases[i].text);
	}
}
END_TEST

START_TEST(cuts_a_text_that_is_too_long)
{
	static const unsigned lengths[] = { STUN_TEXT_MAX - 1, STUN_TEXT_MAX, STUN_TEXT_MAX + 1, 763, 1900 };

	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		unsigned n = lengths[i], padded = (n + 3) / 4 * 4;
		const uint8_t head[] = { RESPONSE(4 + padded), ATTR(0x8022, n) };
		size_t kept = n < STUN_TEXT_MAX ? n : STUN_TEXT_MAX, offset = 0;
		char line[STUN_ATTRIBUTE_STRLEN];
		uint8_t bytes[STUN_MESSAGE_MAX];
		struct stun_response r;
		struct err e;

		memset(bytes, 'x', sizeof(bytes));
		memcpy(bytes, head, sizeof(head));
		ck_assert_int_eq(decode(&e, bytes, 24 + (size_t)padded, &r), 0);
		ck_assert(stun_msg_next_attribute(bytes, 24 + (size_t)padded, &offset, line));
		ck_assert_uint_eq(strlen(line), strlen("SOFTWARE ") + kept);
	}
}
END_TEST

START_TEST(walks_a_malformed_message_as_far_as_it_goes)
{
	const struct {
		const char *attributes;
		const uint8_t *bytes;
		size_t len;
	} cases[] = {
		{ "", .bytes = (const uint8_t *)"", .len = 0 },
		{ "", BYTES(0x01, 0x01, 0, 8, COOKIE) },
		{ "", BYTES(RESPONSE(4)) },
		{ "", BYTES(RESPONSE(0), ATTR(0x8000, 0)) },
		{ "", BYTES(RESPONSE(3), 0x80, 0, 0) },
		{ "0x8000 (0 bytes)\n", BYTES(RESPONSE(8), ATTR(0x8000, 0), ATTR(0x8000, 1)) },
		{ "0x8000 (0 bytes)\n", BYTES(RESPONSE(9), ATTR(0x8000, 0), ATTR(0x8000, 1), 0) },
		{ "0x8000 (0 bytes)\n", BYTES(RESPONSE(6), ATTR(0x8000, 0), 0x80, 0) },
		{ "0x8000 (0 bytes)\n", BYTES(HEADER(0xffff, 8), ATTR(0x8000, 0), ATTR(0x8000, 0xffff)) },
		{ "XOR-MAPPED-ADDRESS (malformed)\nCHANGE-REQUEST address\nCHANGE-REQUEST (malformed)\n",
		  BYTES(HEADER(0x0001, 24), ATTR(0x0020, 3), 0, 1, 0, 0, ATTR(0x0003, 4), 0xff, 0xff, 0xff,
			0xfd, ATTR(0x0003, 3), 0, 0, 0, 0) },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP_FREE uint8_t *block = block_of(cases[i].bytes, cases[i].len);
		char line[STUN_ATTRIBUTE_STRLEN];
		struct unit_out text = { 0 };
		size_t offset = 0;

		unit_open(&text);
		while (stun_msg_next_attribute(block, cases[i].len, &offset, line))
			fprintf(text.stream, "%s\n", line);
		unit_expect(&text, cases[i].attributes);
	}
}
END_TEST

START_TEST(says_what_kind_of_message_it_is)
{
	const struct {
		const char *kind;
		const uint8_t *bytes;
		size_t len;
	} cases[] = {
		{ "not STUN", .bytes = (const uint8_t *)"", .len = 0 },
		{ "not STUN", BYTES(0x01) },
		{ "not STUN", BYTES(HEADER(0x4001, 0)) },
		{ "not STUN", BYTES(HEADER(0x8001, 0)) },
		{ "Binding request", BYTES(0x00, 0x01) },
		{ "Binding indication", BYTES(HEADER(0x0011, 0)) },
		{ "Binding response", BYTES(HEADER(0x0101, 0)) },
		{ "Binding error response", BYTES(HEADER(0x0111, 0)) },
		{ "STUN message of another method", BYTES(HEADER(0x0002, 0)) },
		{ "STUN message of another method", BYTES(HEADER(0x0113, 0)) },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP_FREE uint8_t *block = block_of(cases[i].bytes, cases[i].len);

		ck_assert_str_eq(stun_msg_kind(block, cases[i].len), cases[i].kind);
	}
	for (size_t i = 0; i < ARRAY_LEN(stun_samples); i++)
		ck_assert_str_eq(stun_msg_kind(stun_samples[i].bytes, stun_samples[i].len),
				 stun_samples[i].kind);
}
END_TEST

/* Like ck_assert, which writes to a pipe each time: too slow for what is asked millions of times. */
static void require(bool kept, const char *what)
{
	if (!kept)
		ck_abort_msg("broken: %s", what);
}

static bool is_printable(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	for (size_t i = 0; i < len; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
	return len < size;
}

static bool decode_anything(const uint8_t *bytes, size_t len)
{
	struct stun_response r;
	struct err e;
	int ret = stun_msg_decode(&e, bytes, len, &r);

	if (ret < 0) {
		require(ret == -EBADMSG && e.code == EBADMSG, "the code of an error");
		require(is_printable(e.msg, sizeof(e.msg)), "an error is one line");
		return false;
	}
	require(is_printable(r.reason, sizeof(r.reason)), "a reason is printable");
	require(r.error == 0 || (r.error >= 300 && r.error <= 699), "the range of error codes");
	require(stun_msg_length(&e, bytes) == (int)len, "a response has the length that it says");
	return true;
}

/* Reads what may be anything with every function; 1 if it is a response. */
static unsigned read_anything(const uint8_t *bytes, size_t len)
{
	char line[STUN_ATTRIBUTE_STRLEN];
	size_t offset = 0, last = 0;
	struct err e;

	for (; stun_msg_next_attribute(bytes, len, &offset, line); last = offset) {
		require(is_printable(line, sizeof(line)), "an attribute's line is printable");
		require(offset > last && offset <= len, "the walk goes on, and not too far");
	}
	require(is_printable(stun_msg_kind(bytes, len), sizeof(line)), "a kind is printable");
	if (len >= STUN_HEADER_SIZE)
		require(stun_msg_length(&e, bytes) <= STUN_MESSAGE_MAX, "no message is longer than that");
	return decode_anything(bytes, len);
}

/* Changes a byte or a bit, makes a number extreme, or moves a few bytes elsewhere. */
static void mutate(uint64_t *seed, uint8_t *bytes, size_t len)
{
	size_t at = given_below(seed, (uint32_t)len);

	switch (given_below(seed, 5)) {
	case 0:
		bytes[at] = (uint8_t)given_random(seed);
		break;
	case 1:
		bytes[at] ^= (uint8_t)(1U << given_below(seed, 8));
		break;
	case 2:
		bytes[at] = given_below(seed, 2) ? 0xff : 0;
		break;
	case 3: /* the low byte of an attribute's or the message's length, perhaps */
		bytes[(at | 3) < len ? at | 3 : at] = (uint8_t)given_below(seed, 32);
		break;
	default:
		for (size_t i = at; i < len && i < at + 8; i++)
			bytes[i] = bytes[given_below(seed, (uint32_t)len)];
		break;
	}
}

/* All in blocks of exactly their size: the sanitizers tell whether anything beyond is read. */
START_TEST(reads_200000_mutations_without_harm)
{
	const unsigned runs = unit_many(200000);
	unsigned good = 0;

	for (uint64_t run = 0; run < runs; run++) {
		const struct stun_sample *s = &stun_samples[run % ARRAY_LEN(stun_samples)];
		uint64_t seed = run;
		bool cut = given_below(&seed, 4) == 0;
		size_t len = cut ? given_below(&seed, (uint32_t)s->len + 1) : s->len;
		CLEANUP_FREE uint8_t *bytes = block_of(s->bytes, len);

		for (uint32_t n = given_below(&seed, 4); len > 0 && n > 0; n--)
			mutate(&seed, bytes, len);
		if (cut && len >= STUN_HEADER_SIZE && given_below(&seed, 2)) {
			bytes[2] = (uint8_t)((len - STUN_HEADER_SIZE) >> 8);
			bytes[3] = (uint8_t)(len - STUN_HEADER_SIZE);
		}
		good += read_anything(bytes, len);
	}
	/* Both ways are taken often. */
	ck_assert_uint_gt(good, runs / 5);
	ck_assert_uint_lt(good, 160000);
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, writes_each_request_byte_for_byte);
	tcase_add_test(tc, reads_what_servers_send);
	tcase_add_test(tc, names_every_attribute_and_its_value);
	tcase_add_test(tc, refuses_malformed_messages_and_says_why);
	tcase_add_test(tc, refuses_every_truncation);
	tcase_add_test(tc, refuses_truncation_that_the_length_field_hides);
	tcase_add_test(tc, refuses_an_overlong_message);
	tcase_add_test(tc, tells_a_messages_length_from_its_header);
	tcase_add_test(tc, keeps_a_servers_text_printable_and_short);
	tcase_add_test(tc, cuts_a_text_that_is_too_long);
	tcase_add_test(tc, walks_a_malformed_message_as_far_as_it_goes);
	tcase_add_test(tc, says_what_kind_of_message_it_is);
	tcase_add_test(tc, reads_200000_mutations_without_harm);
}

int main(void)
{
	return unit_main("stun_msg", add);
}
