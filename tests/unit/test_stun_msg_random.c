/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages that chance has damaged: what must hold of whatever is read, whoever sent it. */
#include "given.h"
#include "stun_msg.h"
#include "stun_samples.h"

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
		CLEANUP_FREE uint8_t *bytes = given_block(s->bytes, len);

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
	ck_assert_uint_lt(good, runs / 5 * 4);
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, reads_200000_mutations_without_harm);
}

int main(void)
{
	return unit_main("stun_msg_random", add);
}
