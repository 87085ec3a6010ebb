/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wrap.h"

#include "utf8.h"

#include <string.h>

/* The length of the word at s; a blank inside quotes is part of it where quotes count. */
static size_t word_len(const char *s, bool quotes)
{
	char quote = '\0';
	size_t n = 0;

	for (; s[n] && (quote || s[n] != ' '); n++) {
		if (!quotes || (s[n] != '\'' && s[n] != '"'))
			continue;
		if (!quote)
			quote = s[n];
		else if (quote == s[n])
			quote = '\0';
	}
	return n;
}

static size_t columns(const char *s, size_t len)
{
	size_t n = 0;
	uint32_t code;

	for (size_t i = 0; i < len; n++) {
		size_t step = utf8_decode(s + i, &code);

		i += step ? step : 1;
	}
	return n;
}

/* How much of a long word fits into that many columns, up to a '/'; all of it if there is no such place. */
static size_t part_len(const char *s, size_t len, size_t room)
{
	size_t best = len;

	for (size_t i = 0; i + 1 < len && columns(s, i + 1) <= room; i++)
		if (s[i] == '/')
			best = i + 1;
	return best;
}

/* What is being written. */
struct line {
	FILE *out;
	const struct wrap *how;
	size_t column;
	bool first; /* no word stands on it yet */
};

static void line_end(struct line *l)
{
	fprintf(l->out, "%s\n%*s", l->how->more ? l->how->more : "", (int)l->how->indent, "");
	l->column = l->how->indent;
	l->first = true;
}

static void line_add(struct line *l, const char *word, size_t len)
{
	if (!l->first)
		putc(' ', l->out);
	fwrite(word, 1, len, l->out);
	l->column += !l->first + columns(word, len);
	l->first = false;
}

void wrap_text(FILE *out, const struct wrap *how, const char *text)
{
	struct line line = { .out = out, .how = how, .column = how->column, .first = true };
	size_t spare = how->more ? strlen(how->more) : 0;

	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		size_t len = word_len(text, how->more);
		bool last = text[len + strspn(text + len, " ")] == '\0';
		size_t room = how->width - (last ? 0 : spare);

		if (!line.first && line.column + 1 + columns(text, len) > room)
			line_end(&line);
		while (!how->more && line.column < room && line.column + columns(text, len) > room) {
			size_t part = part_len(text, len, room - line.column);

			if (part == len)
				break;
			line_add(&line, text, part);
			line_end(&line);
			text += part;
			len -= part;
		}
		line_add(&line, text, len);
		text += len;
	}
	putc('\n', out);
}
