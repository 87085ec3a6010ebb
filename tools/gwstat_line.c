/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gwstat_line.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COLUMN_BYTES 3 /* U+2588 in UTF-8 */
#define STYLES 12      /* changes of style in a line */
#define STYLE_BYTES 8
#define BAR_LEVELS 8

int line_begin(struct line *line, size_t columns, bool utf8, bool colour)
{
	char *text = malloc(columns * COLUMN_BYTES + STYLES * STYLE_BYTES + 1);

	if (!text)
		return -ENOMEM;
	*line = (struct line){ .text = text, .left = columns, .utf8 = utf8, .colour = colour };
	return 0;
}

static void append(struct line *line, const char *bytes, size_t n)
{
	memcpy(line->text + line->len, bytes, n);
	line->len += n;
}

static void put_char(struct line *line, char c)
{
	if (line->left == 0)
		return;
	append(line, &c, 1);
	line->left--;
}

char *line_end(struct line *line)
{
	line_gap(line, line->left);
	line_style(line, LINE_PLAIN);
	line->text[line->len] = '\0';
	return line->text;
}

void line_style(struct line *line, enum line_style style)
{
	static const char *const sequences[] = {
		[LINE_PLAIN] = "\033[0m",   [LINE_REVERSE] = "\033[7m", [LINE_ALARM] = "\033[1;31m",
		[LINE_NOTICE] = "\033[33m", [LINE_GRAPH] = "\033[36m",
	};

	if (line->colour)
		append(line, sequences[style], strlen(sequences[style]));
}

void line_put(struct line *line, const char *text)
{
	for (; *text; text++)
		put_char(line, *text >= ' ' && *text <= '~' ? *text : '?');
}

void line_gap(struct line *line, size_t columns)
{
	for (; columns > 0 && line->left > 0; columns--)
		put_char(line, ' ');
}

void line_cell(struct line *line, const char *text, size_t width, bool right)
{
	size_t len = strlen(text);

	if (len > width) {
		for (size_t i = 0; i + 1 < width; i++)
			put_char(line, text[i]);
		if (width > 0)
			put_char(line, '+');
		return;
	}
	if (right)
		line_gap(line, width - len);
	line_put(line, text);
	if (!right)
		line_gap(line, width - len);
}

void line_bar(struct line *line, uint64_t n, uint64_t max)
{
	static const char ascii[] = " .:-=+*#%";
	size_t level = n == 0 ? 0 : 1 + (size_t)((double)n / (double)max * (BAR_LEVELS - 0.01));
	char utf8[] = { (char)0xe2, (char)0x96, (char)(0x80 + level) };

	if (!line->utf8 || level == 0 || line->left == 0) {
		put_char(line, ascii[level]);
		return;
	}
	append(line, utf8, sizeof(utf8));
	line->left--;
}

const char *count_short(uint64_t n, char buf[static COUNT_STRLEN])
{
	static const char units[] = "KMGTPE";
	const char *unit = units;
	unsigned value, rest;

	if (n < 1000) {
		snprintf(buf, COUNT_STRLEN, "%u", (unsigned)n);
		return buf;
	}
	for (; n >= 1000000; unit++)
		n /= 1000;
	value = (unsigned)(n / 1000);
	rest = (unsigned)(n % 1000);
	if (value < 10)
		snprintf(buf, COUNT_STRLEN, "%u.%02u%c", value, rest / 10, *unit);
	else if (value < 100)
		snprintf(buf, COUNT_STRLEN, "%u.%u%c", value, rest / 100, *unit);
	else
		snprintf(buf, COUNT_STRLEN, "%u%c", value, *unit);
	return buf;
}
