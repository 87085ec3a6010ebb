/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * yamlfile: loads one YAML document with libyaml, from a file or from memory,
 * within bounds that keep any text harmless, as a tree of its own: libyaml's
 * takes five times the memory, and most of the time to fill it. Knows no key's
 * meaning.
 */
#ifndef SONM_YAMLFILE_H
#define SONM_YAMLFILE_H

#include "err.h"

#include <stdio.h>

/* What may be in a text. */
enum yamlfile_form {
	YAMLFILE_YAML,    /* any YAML */
	YAMLFILE_PLAIN,   /* no anchors and aliases */
	YAMLFILE_JSON,    /* an object of JSON; of YAML only what looks like it */
};

/* A place in the text, from 0. */
struct yamlfile_mark {
	uint32_t line, column;
};

enum yamlfile_kind {
	YAMLFILE_SCALAR,
	YAMLFILE_LIST,
	YAMLFILE_MAPPING,
	YAMLFILE_ALIAS,
};

/* What a node contains follows it, so that it and all that is below it are neighbours. */
struct yamlfile_node {
	uint8_t kind;  /* enum yamlfile_kind */
	bool is_plain; /* a scalar that is not in quotes, nor a block */
	struct yamlfile_mark at;
	uint32_t n; /* a scalar's length, a list's elements, a mapping's keys and values together */
	union {
		const char *text; /* a scalar's; a NUL follows it */
		size_t size;      /* of a list or mapping: how many nodes it is with all that are below it */
		size_t back;      /* of an alias: so many nodes before it is what it refers to */
	};
};

/* One document; { 0 } is an empty one. */
struct yamlfile {
	struct yamlfile_node *nodes; /* owned; the first is the root */
	size_t n_nodes;
	char *texts; /* owned */
};

void yamlfile_clear(struct yamlfile *y); /* a CLEANUP function */

/* NULL if the document is empty. */
const struct yamlfile_node *yamlfile_root(const struct yamlfile *y);

/*
 * Walk the elements of a list, or the keys and values of a mapping in turn, of
 * which there are n: the first, and the next one after another. Each may be an
 * alias: yamlfile_target is what it refers to, or else itself.
 */
const struct yamlfile_node *yamlfile_first(const struct yamlfile_node *parent);
const struct yamlfile_node *yamlfile_next(const struct yamlfile_node *node);
const struct yamlfile_node *yamlfile_target(const struct yamlfile_node *node);

/*
 * Loads the file, any YAML: at most 1 MiB, 64 levels, 1000 anchors and aliases.
 * Aliases refer to a node, they are no copies of it: a walk that follows
 * them blindly may never end. An empty file has no root node. -EINVAL with
 * "FILE:LINE:COLUMN: what" for bad YAML; -EFBIG; another errno when the file
 * cannot be read. The caller frees with yamlfile_clear.
 */
int yamlfile_load(struct err *e, const char *path, struct yamlfile *out) MUST_CHECK;

/* The same of a text in memory, in this form; name is what errors call it. */
int yamlfile_parse(struct err *e, const char *name, const char *text, size_t len, enum yamlfile_form form,
		   struct yamlfile *out) MUST_CHECK;

/*
 * Reads a stream to its end; *text is the caller's, and a NUL follows it. -EFBIG
 * above max bytes, whole KiB; another errno when it cannot be read.
 */
int yamlfile_read(struct err *e, FILE *in, const char *name, size_t max, char **text, size_t *len) MUST_CHECK;

/* Puts "FILE:LINE:COLUMN" (from 1) before the message. Returns -e->code. */
int yamlfile_locate(struct err *e, const char *path, struct yamlfile_mark at);

#endif
