/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "json.h"
#include "utf8.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

/* A pipe has room for so much. A stream that has no buffer hands it on undivided. */
#define BLOCK 65536

/* Strings of no more bytes, all of which stand for themselves, are written at once. */
#define SHORT_MAX 64

/* A comma, a new line, two blanks for each level, then a key, a colon, and a value that is short. */
#define ROOM_MAX (1 + 1 + 2 * JSON_DEPTH_MAX + (JSON_KEY_MAX + 4) + (SHORT_MAX + 2))

struct json {
	FILE *out;
	size_t depth;
	char closers[JSON_DEPTH_MAX]; /* '}' or ']' for each open level */
	bool empty; /* nothing is written yet at this level */
	size_t len; /* of what is in the buffer; a block of it, or more, only inside of one function */
	char buffer[BLOCK + ROOM_MAX];
};

/* Writes the first block, once it is full. */
static void flush_block(struct json *j)
{
	if (j->len < BLOCK)
		return;
	fwrite(j->buffer, 1, BLOCK, j->out);
	j->len -= BLOCK;
	memcpy(j->buffer, j->buffer + BLOCK, j->len);
}

/* Where ROOM_MAX bytes fit; who has written some of them says with end_at() up to where. */
static char *begin_at(struct json *j)
{
	return j->buffer + j->len;
}

static void end_at(struct json *j, const char *at)
{
	j->len = (size_t)(at - j->buffer);
	flush_block(j);
}

static void put(struct json *j, const char *text, size_t len)
{
	while (len > 0) {
		size_t left = BLOCK - j->len, part = len < left ? len : left;

		memcpy(j->buffer + j->len, text, part);
		j->len += part;
		flush_block(j);
		text += part;
		len -= part;
	}
}

static void put_text(struct json *j, const char *text)
{
	put(j, text, strlen(text));
}

static void put_char(struct json *j, char c)
{
	put(j, &c, 1);
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
	fwrite(j->buffer, 1, j->len, j->out);
	free(j);
}

void json_abandon(struct json *j)
{
	free(j);
}

/* What does not stand for itself. A table: a list has a million of bytes. */
static const bool is_special[256] = {
	[0 ... 0x1f] = true, ['"'] = true, ['\\'] = true, [0x7f ... 0xff] = true,
};

static size_t plain_length(const unsigned char *s)
{
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
		end_at(j, begin_at(j) + sprintf(begin_at(j), "\\u%04" PRIx32, c));
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

/* At a place that begin_at() gave, or some bytes after it; returns the place behind it. */
static char *put_string(struct json *j, char *at, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	char *to = at;

	*to++ = '"';
	for (size_t i = 0; i < SHORT_MAX && !is_special[*s]; i++)
		*to++ = (char)*s++;
	if (*s != '\0') {
		end_at(j, at);
		put_quoted(j, text);
		return begin_at(j);
	}
	*to++ = '"';
	return to;
}

/* Up to 16 bytes without a call, as two halves that may overlap; keys rarely have more. */
static void copy_key(char *to, const char *key, size_t len)
{
	if (len > 16 || len < 4) {
		memcpy(to, key, len);
	} else if (len >= 8) {
		memcpy(to, key, 8);
		memcpy(to + len - 8, key + len - 8, 8);
	} else {
		memcpy(to, key, 4);
		memcpy(to + len - 4, key + len - 4, 4);
	}
}

static char *new_line(const struct json *j, char *at)
{
	*at = '\n';
	memset(at + 1, ' ', 2 * JSON_DEPTH_MAX); /* of one size: no call of memset(3) */
	return at + 1 + 2 * j->depth;
}

/* What stands before every value: comma, new line, key. Returns where the value goes, as begin_at() does. */
static char *begin_value(struct json *j, const char *key)
{
	char *at = begin_at(j);
	size_t len;

	assert((key != NULL) == (j->depth > 0 && j->closers[j->depth - 1] == '}'));
	assert(j->depth > 0 || j->empty); /* a document has one root */
	if (!j->empty)
		*at++ = ',';
	if (j->depth > 0)
		at = new_line(j, at);
	j->empty = false;
	if (!key)
		return at;
	len = strlen(key);
	assert(len <= JSON_KEY_MAX);
	*at++ = '"';
	copy_key(at, key, len);
	memcpy(at + len, "\": ", 3);
	return at + len + 3;
}

static void begin_level(struct json *j, const char *key, char opener, char closer)
{
	char *at = begin_value(j, key);

	assert(j->depth < JSON_DEPTH_MAX);
	*at = opener;
	end_at(j, at + 1);
	j->closers[j->depth++] = closer;
	j->empty = true;
}

static void end_level(struct json *j, char closer)
{
	char *at = begin_at(j);

	assert(j->depth > 0 && j->closers[j->depth - 1] == closer);
	j->depth--;
	if (!j->empty)
		at = new_line(j, at);
	*at = closer;
	end_at(j, at + 1);
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
	end_at(j, put_string(j, begin_value(j, key), value));
}

void json_uint(struct json *j, const char *key, uint64_t value)
{
	end_at(j, base_put_number(begin_value(j, key), value));
}

void json_int(struct json *j, const char *key, int64_t value)
{
	char *at = begin_value(j, key);

	if (value < 0)
		*at++ = '-';
	end_at(j, base_put_number(at, value < 0 ? -(uint64_t)value : (uint64_t)value));
}

void json_bool(struct json *j, const char *key, bool value)
{
	end_at(j, begin_value(j, key));
	put_text(j, value ? "true" : "false");
}

void json_null(struct json *j, const char *key)
{
	end_at(j, begin_value(j, key));
	put_text(j, "null");
}
