/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is not known of the time and the containers that are shown. */
#include "gwstat.h"

#include <stdio.h>

/* Takes out what began after the period. */
static void drop_later(struct uncertain_list *list, int64_t until)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].since < until)
			list->items[n++] = list->items[i];
	list->n = n;
}

int uncertain_read(struct err *e, struct store *s, const struct cmd_line *line, const struct period *p,
		   struct uncertain_list *out)
{
	int ret = line->n_args == 0 ? store_uncertain(e, s, NULL, p->since, out) : 0;

	for (size_t i = 0; ret == 0 && i < line->n_args; i++)
		if (!tool_is_repeated(line, i))
			ret = store_uncertain(e, s, line->args[i], p->since, out);
	drop_later(out, p->until);
	return ret;
}

void gwstat_warn_csv(const struct uncertain_list *list)
{
	if (list->n > 0)
		fprintf(stderr, GWSTAT_PROG ": warning: of %zu times it is not known what passed; text and JSON name them\n",
			list->n);
}
