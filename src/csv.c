/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "csv.h"
#include "utf8.h"

#include <string.h>

static void begin_value(struct csv *c)
{
	if (c->in_line)
		fputc(',', c->out);
	c->in_line = true;
}

void csv_text(struct csv *c, const char *value)
{
	begin_value(c);
	if (!value)
		return;
	if (!value[strcspn(value, ",\"\r\n")]) {
		utf8_write(c->out, value, strlen(value));
		return;
	}
	fputc('"', c->out);
	for (;;) {
		size_t len = strcspn(value, "\"\r\n");

		utf8_write(c->out, value, len);
		value += len;
		if (!*value)
			break;
		if (*value == '"')
			fputc('"', c->out);
		fputc(*value++, c->out);
	}
	fputc('"', c->out);
}

void csv_uint(struct csv *c, uint64_t value)
{
	char text[BASE_NUMBER_STRLEN];

	base_put_number(text, value);
	csv_text(c, text);
}

void csv_end_line(struct csv *c)
{
	fputs("\r\n", c->out);
	c->in_line = false;
}

void csv_line(struct csv *c, const char *const values[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		csv_text(c, values[i]);
	csv_end_line(c);
}
