/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * yamlfile: loads a file of one YAML document with libyaml, within bounds that
 * keep any file harmless. Knows no key's meaning.
 */
#ifndef SONM_YAMLFILE_H
#define SONM_YAMLFILE_H

#include "err.h"

#include <yaml.h>

/*
 * Loads the file: at most 1 MiB, 64 levels, 1000 anchors and aliases. Aliases
 * become references to the same node, not copies: a walk that follows them
 * blindly may never end. An empty file has no root node. -EINVAL with
 * "FILE:LINE:COLUMN: what" for bad YAML; -EFBIG; another errno when the file
 * cannot be read. The caller frees with yaml_document_delete.
 */
int yamlfile_load(struct err *e, const char *path, yaml_document_t *out) MUST_CHECK;

/* Puts "FILE:LINE:COLUMN" (from 1) before the message. Returns -e->code. */
int yamlfile_locate(struct err *e, const char *path, yaml_mark_t at);

#endif
