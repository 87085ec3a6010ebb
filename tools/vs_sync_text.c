/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vs_sync.h"

#include <stdio.h>

#define TEXT_STRLEN 512

static const char *move_format(const struct move *m, char buf[static TEXT_STRLEN])
{
	char port[ROUTE_STRLEN], from[ENDPOINT_STRLEN], to[ENDPOINT_STRLEN];

	route_port_format(m->from.cport, m->from.protocol, port);
	endpoint_format(&m->from.public, from);
	if (m->public.port == 0)
		snprintf(buf, TEXT_STRLEN, "move %s %s from %s to a port of this hub", m->from.container,
			 port, from);
	else
		snprintf(buf, TEXT_STRLEN, "move %s %s from %s to %s%s", m->from.container, port, from,
			 endpoint_format(&m->public, to), m->kind == ROUTE_DIRECT ? " (direct)" : "");
	return buf;
}

static const char *reset_format(const struct service *s, char buf[static TEXT_STRLEN])
{
	char key[SERVICE_KEY_STRLEN];

	snprintf(buf, TEXT_STRLEN, "count %s anew: another program set it back or made it", service_key_format(&s->key, key));
	return buf;
}

static const char *kernel_change_format(const struct sync_result *r, const struct change *c,
					char buf[static TEXT_STRLEN])
{
	bool orphan = c->op == CHANGE_DELETE_SERVICE && service_find(&r->orphans, &c->key);
	char change[CHANGE_STRLEN];

	snprintf(buf, TEXT_STRLEN, "%s%s", change_format(c, change),
		 orphan ? " (orphan: no route has it)" : "");
	return buf;
}

void vs_sync_texts(struct sync_result *r, void (*put)(void *to, const char *text), void *to)
{
	char text[TEXT_STRLEN];

	if (r->orphans.n > 0)
		qsort(r->orphans.items, r->orphans.n, sizeof(*r->orphans.items), service_compare);
	for (size_t i = 0; i < r->n_moves; i++)
		put(to, move_format(&r->moves[i], text));
	for (size_t i = 0; i < r->resets.n; i++)
		put(to, reset_format(&r->resets.items[i], text));
	for (size_t i = 0; i < r->changes.n; i++)
		put(to, kernel_change_format(r, &r->changes.items[i], text));
}
