/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "utf8.h"

#include <string.h>

size_t utf8_decode(const char *text, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *s = (const unsigned char *)text;
	size_t len = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 : s[0] >> 3 == 30 ? 4 : 0;
	uint32_t c = len == 1 ? s[0] : s[0] & (0x7fU >> len);

	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (len == 0 || c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*code = c;
	return len;
}

/* The length of what stands at text, of which *shown says whether it may be. */
static size_t look(const char *text, bool *shown)
{
	uint32_t c = 0;
	size_t len;

	*shown = *text >= 0x20 && *text < 0x7f;
	if (*shown)
		return 1;
	len = utf8_decode(text, &c);
	*shown = len > 0 && c >= 0xa0;
	return len ? len : 1;
}

void utf8_clean(char *text)
{
	bool shown;

	for (size_t len; *text; text += len) {
		len = look(text, &shown);
		if (!shown)
			memset(text, '?', len);
	}
}

/* In as few pieces as may be. */
void utf8_write(FILE *out, const char *text, size_t len)
{
	size_t from = 0;
	bool shown;

	for (size_t at = 0, next; at < len; at = next) {
		next = at + look(text + at, &shown);
		if (shown)
			continue;
		fwrite(text + from, 1, at - from, out);
		fwrite("????", 1, next - at, out);
		from = next;
	}
	fwrite(text + from, 1, len - from, out);
}

size_t utf8_width(const char *text)
{
	size_t width = 0;
	bool shown;

	for (size_t len; *text; text += len) {
		len = look(text, &shown);
		width += shown ? 1 : len;
	}
	return width;
}
