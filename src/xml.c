/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "xml.h"
#include "utf8.h"

#define ELLIPSIS "\xe2\x80\xa6"

static void put_char(FILE *out, uint32_t c, const char *bytes, size_t len)
{
	if (c == '&')
		fputs("&amp;", out);
	else if (c == '<')
		fputs("&lt;", out);
	else if (c == '>')
		fputs("&gt;", out);
	else if (c == '"')
		fputs("&quot;", out);
	else if (c == '\'')
		fputs("&#39;", out);
	else if (len == 0 || c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0xfffe || c == 0xffff)
		fputs(UTF8_REPLACEMENT, out);
	else
		fwrite(bytes, 1, len, out);
}

static size_t count_chars(const char *text)
{
	size_t n = 0, len;
	uint32_t c;

	for (; *text; text += len ? len : 1, n++)
		len = utf8_decode(text, &c);
	return n;
}

void xml_short_text(FILE *out, const char *text, size_t most)
{
	bool fits = count_chars(text) <= most;
	size_t len;

	for (size_t n = fits ? 0 : 1; *text && n < most; text += len ? len : 1, n++) {
		uint32_t c = 0;

		len = utf8_decode(text, &c);
		put_char(out, c, text, len);
	}
	if (!fits)
		fputs(ELLIPSIS, out);
}

void xml_text(FILE *out, const char *text)
{
	xml_short_text(out, text, SIZE_MAX);
}
