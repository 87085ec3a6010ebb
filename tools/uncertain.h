/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * uncertain: times of which it is not known what passed, as sonm-vs and
 * sonm-gwstat both tell of them. The JSON member names are an interface:
 * sonm-gwstat(8).
 */
#ifndef SONM_UNCERTAIN_H
#define SONM_UNCERTAIN_H

#include "json.h"
#include "store.h"

/* Those of the routes that these entries of the ledger are of. */
int uncertain_of_closed(struct err *e, struct store *s, const struct ledger_list *ledger,
			struct uncertain_list *out) MUST_CHECK;

#define UNCERTAIN_STRLEN 384

/* "web 80/tcp: what passed between ... and ... is not known (...)". Returns buf. */
const char *uncertain_format(const struct uncertain *u, char buf[static UNCERTAIN_STRLEN]);

/* A line each; the member uncertain, a list. */
void uncertain_text(FILE *out, const struct uncertain_list *list);
void uncertain_json(struct json *j, const struct uncertain_list *list);

#endif
