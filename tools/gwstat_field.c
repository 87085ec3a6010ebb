/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gwstat_field.h"
#include "similar.h"

#include <string.h>

const char *const gwstat_formats[] = { "text", "json", "csv", "openmetrics", NULL };

const char *const gwstat_fields[] = { "name", "conns", "inpkts", "outpkts", "inbytes", "outbytes", "bytes",
				      "cps",  "inpps", "outpps", "inbps",   "outbps",  "bps",      NULL };

int gwstat_word(struct err *e, const char *what, const char *const words[], const char *text)
{
	const char *best = NULL;

	for (int i = 0; words[i]; i++) {
		if (strcmp(text, words[i]) == 0)
			return i;
		best = similar_nearer(text, best, words[i]);
	}
	if (best)
		return err_set(e, ERR_USAGE, "'%.60s' is no %s; did you mean %s?", text, what, best);
	return err_set(e, ERR_USAGE, "'%.60s' is no %s; see 'sonm-gwstat --help'", text, what);
}
