/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * config_reader: reads a YAML text's mappings by tables of keys: types are
 * checked, and what is wrong is refused with its place, its key and what to
 * write. Knows no key and nobody's configuration. Only who owns a table of keys
 * includes it.
 */
#ifndef SONM_CONFIG_READER_H
#define SONM_CONFIG_READER_H

#include "addr.h"
#include "yamlfile.h"

/* The text, and which of its values is being read. */
struct reader {
	struct err *e;
	const char *path; /* or another name, for errors */
	const struct yamlfile *doc;
	const char *section; /* the one that key is in; NULL: key is of the document itself */
	const char *key;     /* the one whose value is read; NULL: the section as such is */
};

/* Reads the value of a key into the caller's configuration. 0, or the error that it set. */
typedef int reader_set(const struct reader *r, const struct yamlfile_node *node, void *config);

/* A table has at most 32 of these. */
struct reader_key {
	const char *name;
	reader_set *set;
};

/*
 * Reads the file at path: calls set for the document's keys that are in the
 * table, in the file's order, also when there is no value (null). Other keys may
 * be anything, but no misspelling of one of the first n_guarded keys, which
 * would be missed in silence. -EINVAL with "FILE:LINE:COLUMN: what" for bad YAML,
 * no mapping, or one of these keys twice or misspelt; set's error; another errno
 * when the file cannot be read. config may be half written then.
 *
 * Returns 1, or 0 if there is no file and must_exist is false.
 */
int reader_load(struct err *e, const char *path, bool must_exist, const struct reader_key keys[], size_t n,
		size_t n_guarded, void *config) MUST_CHECK;

/*
 * For the setter of a section: reads the mapping below the key, null being an
 * empty one, and calls set for each of its keys. All must be in the table (the
 * nearest is advised), be there once, and have a value.
 */
int reader_section(const struct reader *r, const struct yamlfile_node *node, const struct reader_key keys[], size_t n,
		   void *config) MUST_CHECK;

/*
 * The same for the mapping that is the whole document: its keys belong to no
 * section, and may be without a value (null). what is the document, for errors:
 * "the document".
 */
int reader_root(const struct reader *r, const char *what, const struct reader_key keys[], size_t n,
		void *config) MUST_CHECK;

/* For a mapping, in or out of a section: reads only the keys in the table, each once at most. */
int reader_pick(const struct reader *r, const struct yamlfile_node *node, const struct reader_key keys[], size_t n,
		void *config) MUST_CHECK;

/* A text, quoted or not, without NUL characters; it lives as long as the document. */
int reader_text(const struct reader *r, const struct yamlfile_node *node, const char **out) MUST_CHECK;

/* JSON's: a text, in quotes; true or false, without. */
int reader_string(const struct reader *r, const struct yamlfile_node *node, const char **out) MUST_CHECK;
int reader_bool(const struct reader *r, const struct yamlfile_node *node, bool *out) MUST_CHECK;

/* A whole number from min to max, in plain decimal without quotes; max < 10^9. */
int reader_number(const struct reader *r, const struct yamlfile_node *node, uint32_t min, uint32_t max,
		  uint32_t *out) MUST_CHECK;

/* The absolute path of a file into buf; example is one, for the error. */
int reader_path(const struct reader *r, const struct yamlfile_node *node, const char *example, char *buf,
		size_t size) MUST_CHECK;

/* A unicast address. */
int reader_address(const struct reader *r, const struct yamlfile_node *node, struct addr *out) MUST_CHECK;

/* A list of unicast addresses, each once, max at most; there may be none. */
int reader_addresses(const struct reader *r, const struct yamlfile_node *node, struct addr out[], size_t max,
		     size_t *n) MUST_CHECK;

/* YAML's null: no value, ~, null. */
bool reader_is_null(const struct yamlfile_node *node);

bool reader_is_list(const struct yamlfile_node *node);

/* Calls set for each element of a list, until one fails. */
int reader_each(const struct reader *r, const struct yamlfile_node *list, reader_set *set, void *into) MUST_CHECK;

/* Sets EINVAL and "FILE:LINE:COLUMN: SECTION.KEY: what", with the node's place; returns -EINVAL. */
int reader_refuse(const struct reader *r, const struct yamlfile_node *node, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Puts place and key likewise before the message that r->e has. Returns -r->e->code. */
int reader_locate(const struct reader *r, const struct yamlfile_node *node);

#endif
