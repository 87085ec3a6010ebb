/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "uncertain.h"

#include "moment.h"

#include <stdlib.h>
#include <string.h>

static int compare_ids(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Keeps what is of these routes. */
static int keep_of(struct err *e, struct uncertain_list *list, const struct ledger_list *ledger)
{
	CLEANUP_FREE int64_t *ids = calloc(ledger->n + 1, sizeof(*ids));
	size_t n = 0;

	if (!ids)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < ledger->n; i++)
		ids[i] = ledger->items[i].id;
	qsort(ids, ledger->n, sizeof(*ids), compare_ids);
	for (size_t i = 0; i < list->n; i++)
		if (bsearch(&list->items[i].route, ids, ledger->n, sizeof(*ids), compare_ids))
			list->items[n++] = list->items[i];
	list->n = n;
	return 0;
}

/* The container of all entries; NULL if they are of several. */
static const char *only_container(const struct ledger_list *ledger)
{
	for (size_t i = 1; i < ledger->n; i++)
		if (strcmp(ledger->items[i].container, ledger->items[0].container) != 0)
			return NULL;
	return ledger->items[0].container;
}

int uncertain_of_closed(struct err *e, struct store *s, const struct ledger_list *ledger,
			struct uncertain_list *out)
{
	CLEANUP(uncertain_list_clear) struct uncertain_list list = { 0 };

	if (ledger->n == 0)
		return 0;
	/* After a reboot there is an entry for every route: who removes one container is not to read them all. */
	if (store_uncertain(e, s, only_container(ledger), INT64_MIN, &list) < 0 || keep_of(e, &list, ledger) < 0)
		return -e->code;
	*out = list;
	list = (struct uncertain_list){ 0 };
	return 0;
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
