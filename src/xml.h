/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * xml: text for XML and HTML, so that it cannot be taken for anything else.
 * Knows no domain.
 */
#ifndef SONM_XML_H
#define SONM_XML_H

#include "base.h"

#include <stdio.h>

/*
 * Writes UTF-8 as the content of an element, or of an attribute in quotes of
 * either kind. What XML 1.0 cannot have at all (control characters, invalid
 * bytes, U+FFFE and U+FFFF) becomes U+FFFD.
 */
void xml_text(FILE *out, const char *text);

/* Likewise at most so many characters; of longer ones the last is an ellipsis. */
void xml_short_text(FILE *out, const char *text, size_t most);

#endif
