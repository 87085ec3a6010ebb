/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What passed and is not known. */
#include "gwstat.h"
#include "moment.h"

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

static const char *reason(enum uncertain_why why)
{
	switch (why) {
	case UNCERTAIN_REMOVED:
		return "service removed by another program";
	case UNCERTAIN_RESET:
		return "counters set back by another program";
	case UNCERTAIN_REBOOT:
		return "the hub stopped";
	}
	return "";
}

const char *uncertain_format(const struct uncertain *u, char buf[static UNCERTAIN_STRLEN])
{
	char port[ROUTE_STRLEN], since[MOMENT_STRLEN], until[MOMENT_STRLEN];

	snprintf(buf, UNCERTAIN_STRLEN, "%s %s: what passed between %s and %s is not known (%s)",
		 u->container, route_port_format(u->cport, u->protocol, port), moment_format(u->since, since),
		 moment_format(u->until, until), reason(u->why));
	return buf;
}

void uncertain_text(FILE *out, const struct uncertain_list *list)
{
	char line[UNCERTAIN_STRLEN];

	for (size_t i = 0; i < list->n; i++)
		fprintf(out, "uncertain: %s\n", uncertain_format(&list->items[i], line));
}

void uncertain_json(struct json *j, const struct uncertain_list *list)
{
	json_begin_array(j, "uncertain");
	for (size_t i = 0; i < list->n; i++) {
		const struct uncertain *u = &list->items[i];

		json_begin_object(j, NULL);
		json_string(j, "container", u->container);
		json_uint(j, "container_port", u->cport);
		json_string(j, "protocol", protocol_name(u->protocol));
		json_int(j, "since", u->since);
		json_int(j, "until", u->until);
		json_string(j, "why", uncertain_why_name(u->why));
		json_end_object(j);
	}
	json_end_array(j);
}
