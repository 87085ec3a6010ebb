/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * yamlwriter: writes one YAML document to a stream as it goes, with libyaml.
 * Knows no key's meaning, and reads nothing.
 */
#ifndef SONM_YAMLWRITER_H
#define SONM_YAMLWRITER_H

#include "err.h"

#include <stdio.h>

struct yamlwriter;

/* YAMLWRITER_LINE: all of it in one line, in braces or brackets. */
enum yamlwriter_style { YAMLWRITER_BLOCK, YAMLWRITER_LINE };

/* Returns a writer on a stream that the caller keeps, or NULL when out of memory. */
struct yamlwriter *yamlwriter_new(FILE *out);

/*
 * key: the value's name inside a mapping; NULL inside a list and for the
 * document's root. Every begin needs its end. What fails is said by
 * yamlwriter_end.
 */
void yamlwriter_begin_mapping(struct yamlwriter *w, const char *key, enum yamlwriter_style style);
void yamlwriter_end_mapping(struct yamlwriter *w);
void yamlwriter_begin_list(struct yamlwriter *w, const char *key, enum yamlwriter_style style);
void yamlwriter_end_list(struct yamlwriter *w);

/* A text in UTF-8, in quotes where anyone could take it for something else, such as a number. */
void yamlwriter_text(struct yamlwriter *w, const char *key, const char *text);
void yamlwriter_uint(struct yamlwriter *w, const char *key, uint64_t n);

/* Ends the document and flushes the stream. -EIO: it failed; -EINVAL: a text is not UTF-8; -ENOMEM. */
int yamlwriter_end(struct err *e, struct yamlwriter *w) MUST_CHECK;

void yamlwriter_free(struct yamlwriter *w);   /* NULL is fine */
void yamlwriter_freep(struct yamlwriter **w); /* a CLEANUP function */

#endif
