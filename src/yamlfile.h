/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * yamlfile: loads one YAML document with libyaml, from a file or from memory,
 * within bounds that keep any text harmless. Knows no key's meaning.
 */
#ifndef SONM_YAMLFILE_H
#define SONM_YAMLFILE_H

#include "err.h"

#include <stdio.h>
#include <yaml.h>

/* What may be in a text. */
enum yamlfile_form {
	YAMLFILE_YAML,    /* any YAML */
	YAMLFILE_PLAIN,   /* no anchors and aliases */
	YAMLFILE_JSON,    /* an object of JSON; of YAML only what looks like it */
};

/*
 * Loads the file, any YAML: at most 1 MiB, 64 levels, 1000 anchors and aliases.
 * Aliases become references to the same node, not copies: a walk that follows
 * them blindly may never end. An empty file has no root node. -EINVAL with
 * "FILE:LINE:COLUMN: what" for bad YAML; -EFBIG; another errno when the file
 * cannot be read. The caller frees with yaml_document_delete.
 */
int yamlfile_load(struct err *e, const char *path, yaml_document_t *out) MUST_CHECK;

/* The same of a text in memory, in this form; name is what errors call it. */
int yamlfile_parse(struct err *e, const char *name, const char *text, size_t len, enum yamlfile_form form,
		   yaml_document_t *out) MUST_CHECK;

/*
 * Reads a stream to its end; *text is the caller's, and a NUL follows it. -EFBIG
 * above max bytes, whole KiB; another errno when it cannot be read.
 */
int yamlfile_read(struct err *e, FILE *in, const char *name, size_t max, char **text, size_t *len) MUST_CHECK;

/* Puts "FILE:LINE:COLUMN" (from 1) before the message. Returns -e->code. */
int yamlfile_locate(struct err *e, const char *path, yaml_mark_t at);

#endif
