/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "portset.h"

#include <stdio.h>
#include <string.h>

#define PORTS 65536U

bool portset_has(const struct portset *s, uint16_t port)
{
	return s->bits[port / 64] >> port % 64 & 1;
}

void portset_add_range(struct portset *s, uint16_t first, uint16_t last)
{
	for (unsigned port = first; port <= last; port++)
		s->bits[port / 64] |= UINT64_C(1) << port % 64;
}

void portset_add(struct portset *s, const struct portset *more)
{
	for (size_t i = 0; i < ARRAY_LEN(s->bits); i++)
		s->bits[i] |= more->bits[i];
}

void portset_remove(struct portset *s, const struct portset *less)
{
	for (size_t i = 0; i < ARRAY_LEN(s->bits); i++)
		s->bits[i] &= ~less->bits[i];
}

bool portset_equal(const struct portset *a, const struct portset *b)
{
	return memcmp(a->bits, b->bits, sizeof(a->bits)) == 0;
}

bool portset_includes(const struct portset *s, const struct portset *part)
{
	for (size_t i = 0; i < ARRAY_LEN(s->bits); i++)
		if (part->bits[i] & ~s->bits[i])
			return false;
	return true;
}

bool portset_overlaps(const struct portset *a, const struct portset *b)
{
	for (size_t i = 0; i < ARRAY_LEN(a->bits); i++)
		if (a->bits[i] & b->bits[i])
			return true;
	return false;
}

/* A decimal number up to 65535 at *text, which moves past it. */
static bool take_port(const char **text, uint16_t *out)
{
	size_t digits = strspn(*text, "0123456789");
	unsigned long n;

	if (digits == 0 || digits > 5 || (n = strtoul(*text, NULL, 10)) >= PORTS)
		return false;
	*text += digits;
	*out = (uint16_t)n;
	return true;
}

static bool take_range(const char **text, struct portset *s)
{
	uint16_t first, last;

	if (!take_port(text, &first))
		return false;
	last = first;
	if (**text == '-') {
		++*text;
		if (!take_port(text, &last) || last < first)
			return false;
	}
	portset_add_range(s, first, last);
	return true;
}

int portset_parse(struct err *e, const char *text, struct portset *out)
{
	struct portset s = { 0 };
	const char *at = text;

	while (*at) {
		if (!take_range(&at, &s) || (*at == ',' && at[1] == '\0') || (*at && *at != ','))
			return err_set(e, EINVAL, "'%.80s' is not a list of port ranges", text);
		at += *at == ',';
	}
	*out = s;
	return 0;
}

int portset_format(struct err *e, const struct portset *s, char *buf, size_t size)
{
	size_t len = 0;

	if (size > 0)
		buf[0] = '\0';
	for (unsigned first = 0, last; first < PORTS; first = last + 1) {
		last = first;
		if (!portset_has(s, (uint16_t)first))
			continue;
		while (last + 1 < PORTS && portset_has(s, (uint16_t)(last + 1)))
			last++;
		if (len < size)
			len += (size_t)snprintf(buf + len, size - len, "%s%u", len ? "," : "", first);
		if (len < size && last > first)
			len += (size_t)snprintf(buf + len, size - len, "-%u", last);
	}
	if (len >= size)
		return err_set(e, E2BIG, "a list of port ranges is longer than %zu characters", size);
	return 0;
}
