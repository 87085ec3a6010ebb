/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz_stun_msg: gives libFuzzer's bytes to everything that reads STUN
 * messages, and aborts where a promise of stun_msg.h is broken.
 */
#include "stun_msg.h"
#include "fuzz.h"

static bool is_printable(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	for (size_t i = 0; i < len; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
	return len < size;
}

static bool is_endpoint(const struct endpoint *ep)
{
	sa_family_t family = ep->addr.family;

	return family == AF_INET || family == AF_INET6 || (family == AF_UNSPEC && ep->port == 0);
}

static void decode(const uint8_t *bytes, size_t len)
{
	struct stun_response r;
	struct err e;
	int ret = stun_msg_decode(&e, bytes, len, &r);

	if (ret < 0) {
		require(ret == -EBADMSG && e.code == EBADMSG && is_printable(e.msg, sizeof(e.msg)));
		return;
	}
	require(r.error == 0 || (r.error >= 300 && r.error <= 699));
	require(is_printable(r.reason, sizeof(r.reason)));
	require(is_endpoint(&r.xor_mapped) && is_endpoint(&r.mapped));
	require(is_endpoint(&r.other));
	require(stun_msg_length(&e, bytes) == (int)len);
}

static void walk(const uint8_t *bytes, size_t len)
{
	char text[STUN_ATTRIBUTE_STRLEN];
	size_t offset = 0, last = 0;

	for (; stun_msg_next_attribute(bytes, len, &offset, text); last = offset)
		require(is_printable(text, sizeof(text)) && offset > last && offset <= len);
}

static void read_all(const uint8_t *bytes, size_t len)
{
	struct err e;

	decode(bytes, len);
	walk(bytes, len);
	require(is_printable(stun_msg_kind(bytes, len), STUN_ATTRIBUTE_STRLEN));
	if (len >= STUN_HEADER_SIZE) {
		int whole = stun_msg_length(&e, bytes);

		require(whole == -EBADMSG || (whole >= STUN_HEADER_SIZE && whole <= STUN_MESSAGE_MAX));
	}
}

/* Once as they are, and once with a good header, which chance would seldom make. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP_FREE uint8_t *repaired = NULL;
	size_t rest = len - STUN_HEADER_SIZE;

	read_all(bytes, len);
	if (len < STUN_HEADER_SIZE)
		return 0;
	repaired = malloc(len);
	require(repaired != NULL);
	memcpy(repaired, bytes, len);
	memcpy(repaired, (const uint8_t[]){ 1, bytes[0] & 1 ? 0x11 : 0x01 }, 2);
	memcpy(repaired + 2, (const uint8_t[]){ (uint8_t)(rest >> 8), (uint8_t)rest }, 2);
	memcpy(repaired + 4, (const uint8_t[]){ 0x21, 0x12, 0xa4, 0x42 }, 4);
	read_all(repaired, len);
	return 0;
}
