/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz: what the fuzzers share. Each of them is given bytes, hands them to what
 * reads such bytes, and aborts where a promise of its header is broken. See
 * RUNNING THINGS in HACKING.
 */
#ifndef SONM_FUZZ_H
#define SONM_FUZZ_H

#include "err.h"
#include "utf8.h"

#include <stdio.h>
#include <string.h>

/* What libFuzzer, or replay.c in its place, calls. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static inline void require(bool kept)
{
	if (!kept)
		abort();
}

/* One line of UTF-8 that no terminal obeys, and that ends in its buffer. */
static inline bool is_line(const char *text, size_t size)
{
	uint32_t c;

	if (strnlen(text, size) == size)
		return false;
	for (size_t len; *text; text += len) {
		len = 1;
		if (*text >= 0x20 && *text < 0x7f)
			continue;
		len = utf8_decode(text, &c);
		if (len == 0 || c < 0x20 || (c >= 0x7f && c < 0xa0))
			return false;
	}
	return true;
}

/* A failure is told by one code in both places, in a line. */
static inline void require_error(const struct err *e, int ret)
{
	require(ret < 0 && e->code == -ret && e->msg[0] != '\0' && is_line(e->msg, sizeof(e->msg)));
}

/* The bytes as a text, which ends at a NUL among them. The caller frees. */
static inline char *text_of(const uint8_t *bytes, size_t len)
{
	char *text = strndup((const char *)bytes, len);

	require(text != NULL);
	return text;
}

/* A stream of the bytes, which are not nothing; the caller closes it. */
static inline FILE *stream_of(const void *bytes, size_t len)
{
	FILE *in = fmemopen((void *)(uintptr_t)bytes, len, "r");

	require(in != NULL);
	return in;
}

#endif
