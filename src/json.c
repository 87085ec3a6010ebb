/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "json.h"

#include <assert.h>
#include <inttypes.h>

struct json {
	FILE *out;
	size_t depth;
	char closers[JSON_DEPTH_MAX]; /* '}' or ']' for each open level */
	bool empty; /* nothing is written yet at this level */
};

struct json *json_new(FILE *out)
{
	struct json *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->out = out;
	j->empty = true;
	return j;
}

void json_free(struct json *j)
{
	if (!j)
		return;
	assert(j->depth == 0);
	if (!j->empty)
		fputc('\n', j->out);
	free(j);
}

/*
 * The length in bytes of the UTF-8 sequence at s and its code point; 0 when
 * there is none (Unicode 15, table 3-7). Never looks beyond a NUL.
 */
static size_t utf8_decode(const unsigned char *s, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
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

static void write_quoted(FILE *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	uint32_t c;
	size_t len;

	fputc('"', out);
	for (; *s; s += len ? len : 1) {
		len = utf8_decode(s, &c);
		if (len == 0)
			fputs("\xef\xbf\xbd", out);
		else if (c == '"' || c == '\\')
			fprintf(out, "\\%c", (char)c);
		else if (c == '\n')
			fputs("\\n", out);
		else if (c == '\t')
			fputs("\\t", out);
		else if (c < 0x20 || (c >= 0x7f && c <= 0x9f)) /* a terminal obeys the latter too */
			fprintf(out, "\\u%04" PRIx32, c);
		else
			fwrite(s, 1, len, out);
	}
	fputc('"', out);
}

static void new_line(struct json *j)
{
	fprintf(j->out, "\n%*s", (int)j->depth * 2, "");
}

/* What stands before every value: comma, new line, key. */
static void begin_value(struct json *j, const char *key)
{
	assert((key != NULL) == (j->depth > 0 && j->closers[j->depth - 1] == '}'));
	assert(j->depth > 0 || j->empty); /* a document has one root */
	if (!j->empty)
		fputc(',', j->out);
	if (j->depth > 0)
		new_line(j);
	if (key) {
		write_quoted(j->out, key);
		fputs(": ", j->out);
	}
	j->empty = false;
}

static void begin_level(struct json *j, const char *key, char opener, char closer)
{
	begin_value(j, key);
	assert(j->depth < JSON_DEPTH_MAX);
	fputc(opener, j->out);
	j->closers[j->depth++] = closer;
	j->empty = true;
}

static void end_level(struct json *j, char closer)
{
	assert(j->depth > 0 && j->closers[j->depth - 1] == closer);
	j->depth--;
	if (!j->empty)
		new_line(j);
	fputc(closer, j->out);
	j->empty = false;
}

void json_begin_object(struct json *j, const char *key)
{
	begin_level(j, key, '{', '}');
}

void json_end_object(struct json *j)
{
	end_level(j, '}');
}

void json_begin_array(struct json *j, const char *key)
{
	begin_level(j, key, '[', ']');
}

void json_end_array(struct json *j)
{
	end_level(j, ']');
}

void json_string(struct json *j, const char *key, const char *value)
{
	if (!value) {
		json_null(j, key);
		return;
	}
	begin_value(j, key);
	write_quoted(j->out, value);
}

void json_uint(struct json *j, const char *key, uint64_t value)
{
	begin_value(j, key);
	fprintf(j->out, "%" PRIu64, value);
}

void json_int(struct json *j, const char *key, int64_t value)
{
	begin_value(j, key);
	fprintf(j->out, "%" PRId64, value);
}

void json_bool(struct json *j, const char *key, bool value)
{
	begin_value(j, key);
	fputs(value ? "true" : "false", j->out);
}

void json_null(struct json *j, const char *key)
{
	begin_value(j, key);
	fputs("null", j->out);
}
