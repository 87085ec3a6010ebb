/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * json: writes one JSON document (RFC 8259) to a stream as it goes, indented
 * by two spaces. Keeps no tree and parses nothing. Knows no domain. What is
 * written may reach the stream as late as json_free.
 */
#ifndef SONM_JSON_H
#define SONM_JSON_H

#include "base.h"

#include <stdio.h>

#define JSON_DEPTH_MAX 16
#define JSON_KEY_MAX 63

struct json;

/* Returns a writer on a stream that the caller keeps, or NULL when out of memory. */
struct json *json_new(FILE *out);

/* Ends the document, if it has a root, with a newline; frees the writer. NULL is fine. */
void json_free(struct json *j);

/* Frees the writer amid a document, of which the stream has some, or nothing yet. NULL is fine. */
void json_abandon(struct json *j);

/*
 * key: the member's name inside an object; NULL inside an array and for the
 * document's root. It is written as it is, so of what needs no escape, and no longer
 * than JSON_KEY_MAX. Every begin needs its end before json_free; wrong nesting, a longer
 * key, or more than JSON_DEPTH_MAX levels, is an assertion.
 */
void json_begin_object(struct json *j, const char *key);
void json_end_object(struct json *j);
void json_begin_array(struct json *j, const char *key);
void json_end_array(struct json *j);

/* Strings are UTF-8; control characters are escaped, invalid bytes become U+FFFD. NULL: null. */
void json_string(struct json *j, const char *key, const char *value);
void json_uint(struct json *j, const char *key, uint64_t value);
void json_int(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);

#endif
