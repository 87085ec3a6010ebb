/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "json.h"
#include "utf8.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

/* Most of what is written are some bytes at a time, and stdio takes longer for these than we for making them. */
#define BUFFER_SIZE 32768

struct json {
	FILE *out;
	size_t depth;
	char closers[JSON_DEPTH_MAX]; /* '}' or ']' for each open level */
	bool empty; /* nothing is written yet at this level */
	size_t len; /* of what is in the buffer */
	char buffer[BUFFER_SIZE];
};

static void flush(struct json *j)
{
	fwrite(j->buffer, 1, j->len, j->out);
	j->len = 0;
}

/* Where so many bytes fit, at most BUFFER_SIZE; who writes them adds to j->len. */
static char *room(struct json *j, size_t len)
{
	if (BUFFER_SIZE - j->len < len)
		flush(j);
	return j->buffer + j->len;
}

static void put(struct json *j, const char *text, size_t len)
{
	for (; len > BUFFER_SIZE; text += BUFFER_SIZE, len -= BUFFER_SIZE) {
		memcpy(room(j, BUFFER_SIZE), text, BUFFER_SIZE);
		j->len = BUFFER_SIZE;
	}
	memcpy(room(j, len), text, len);
	j->len += len;
}

static void put_text(struct json *j, const char *text)
{
	put(j, text, strlen(text));
}

static void put_char(struct json *j, char c)
{
	*room(j, 1) = c;
	j->len++;
}

struct json *json_new(FILE *out)
{
	struct json *j = malloc(sizeof(*j));

	if (!j)
		return NULL;
	j->out = out;
	j->depth = 0;
	j->len = 0;
	j->empty = true;
	return j;
}

void json_free(struct json *j)
{
	if (!j)
		return;
	assert(j->depth == 0);
	if (!j->empty)
		put_char(j, '\n');
	flush(j);
	free(j);
}

/* How many bytes from here on stand for themselves. A table: a list has a million of them. */
static size_t plain_length(const unsigned char *s)
{
	static const bool is_special[256] = {
		[0 ... 0x1f] = true, ['"'] = true, ['\\'] = true, [0x7f ... 0xff] = true,
	};
	size_t len = 0;

	while (!is_special[s[len]])
		len++;
	return len;
}

/* A character that does not: len bytes, or 0 for one that is no UTF-8. */
static void put_special(struct json *j, const unsigned char *s, size_t len, uint32_t c)
{
	if (len == 0)
		put_text(j, UTF8_REPLACEMENT);
	else if (c == '"')
		put_text(j, "\\\"");
	else if (c == '\\')
		put_text(j, "\\\\");
	else if (c == '\n')
		put_text(j, "\\n");
	else if (c == '\t')
		put_text(j, "\\t");
	else if (c < 0x20 || (c >= 0x7f && c <= 0x9f)) /* a terminal obeys the latter too */
		j->len += (size_t)sprintf(room(j, sizeof("\\u0000")), "\\u%04" PRIx32, c);
	else
		put(j, (const char *)s, len);
}

static void put_quoted(struct json *j, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	uint32_t c = 0;
	size_t len;

	put_char(j, '"');
	while (*s) {
		len = plain_length(s);
		put(j, (const char *)s, len);
		s += len;
		if (*s == '\0')
			break;
		len = utf8_decode((const char *)s, &c);
		put_special(j, s, len, c);
		s += len ? len : 1;
	}
	put_char(j, '"');
}

static void new_line(struct json *j)
{
	char *at = room(j, 1 + 2 * JSON_DEPTH_MAX);

	*at = '\n';
	memset(at + 1, ' ', 2 * j->depth);
	j->len += 1 + 2 * j->depth;
}

/* What stands before every value: comma, new line, key. */
static void begin_value(struct json *j, const char *key)
{
	assert((key != NULL) == (j->depth > 0 && j->closers[j->depth - 1] == '}'));
	assert(j->depth > 0 || j->empty); /* a document has one root */
	if (!j->empty)
		put_char(j, ',');
	if (j->depth > 0)
		new_line(j);
	if (key) {
		put_quoted(j, key);
		put(j, ": ", 2);
	}
	j->empty = false;
}

static void begin_level(struct json *j, const char *key, char opener, char closer)
{
	begin_value(j, key);
	assert(j->depth < JSON_DEPTH_MAX);
	put_char(j, opener);
	j->closers[j->depth++] = closer;
	j->empty = true;
}

static void end_level(struct json *j, char closer)
{
	assert(j->depth > 0 && j->closers[j->depth - 1] == closer);
	j->depth--;
	if (!j->empty)
		new_line(j);
	put_char(j, closer);
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
	put_quoted(j, value);
}

void json_uint(struct json *j, const char *key, uint64_t value)
{
	char *at;

	begin_value(j, key);
	at = room(j, BASE_NUMBER_STRLEN);
	j->len += (size_t)(base_put_number(at, value) - at);
}

void json_int(struct json *j, const char *key, int64_t value)
{
	if (value >= 0) {
		json_uint(j, key, (uint64_t)value);
		return;
	}
	begin_value(j, key);
	j->len += (size_t)sprintf(room(j, 1 + BASE_NUMBER_STRLEN), "%" PRId64, value);
}

void json_bool(struct json *j, const char *key, bool value)
{
	begin_value(j, key);
	put_text(j, value ? "true" : "false");
}

void json_null(struct json *j, const char *key)
{
	begin_value(j, key);
	put_text(j, "null");
}
