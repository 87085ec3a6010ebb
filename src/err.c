/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "err.h"
#include "utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	utf8_clean(e->msg);
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
	utf8_clean(e->msg);
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
	utf8_clean(e->msg);
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
	utf8_clean(e->msg);
	return -e->code;
}
