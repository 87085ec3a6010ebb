/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "err.h"
#include "utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A character in whose place '?' stays: a terminal obeys C0 and C1, and some take a byte that is no UTF-8 for C1. */
static bool is_raw(uint32_t c, size_t len)
{
	return len == 0 || c < 0x20 || (c >= 0x7f && c < 0xa0);
}

static void keep_one_line(char *s)
{
	uint32_t c = 0;
	size_t len;

	for (; *s; s += len) {
		len = utf8_decode(s, &c);
		if (!is_raw(c, len))
			continue;
		len = len ? len : 1;
		memset(s, '?', len);
	}
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	keep_one_line(e->msg);
	e->code = code;
	return -code;
}

int err_sys(struct err *e, int code, const char *fmt, ...)
{
	char text[128];
	va_list ap;
	size_t len;

	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	len = strlen(e->msg);
	/* _GNU_SOURCE: strerror_r returns the text, in the buffer or not. */
	snprintf(e->msg + len, sizeof(e->msg) - len, ": %s",
		 strerror_r(code, text, sizeof(text)));
	keep_one_line(e->msg);
	e->code = code;
	return -code;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	char old[sizeof(e->msg)];
	va_list ap;
	size_t len;

	memcpy(old, e->msg, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	len = strlen(e->msg);
	snprintf(e->msg + len, sizeof(e->msg) - len, ": %s", old);
	keep_one_line(e->msg);
	return -e->code;
}

int err_advise(struct err *e, const char *fmt, ...)
{
	size_t len = strlen(e->msg);
	va_list ap;

	if (len + 2 >= sizeof(e->msg))
		return -e->code;
	memcpy(e->msg + len, "; ", 3);
	va_start(ap, fmt);
	vsnprintf(e->msg + len + 2, sizeof(e->msg) - len - 2, fmt, ap);
	va_end(ap);
	keep_one_line(e->msg);
	return -e->code;
}
