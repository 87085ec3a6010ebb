/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view: routes and counters as sonm-vs and sonm-gwstat both show them. The
 * JSON member names are an interface: sonm-vs(8), sonm-gwstat(8).
 */
#ifndef SONM_VIEW_H
#define SONM_VIEW_H

#include "json.h"
#include "route.h"
#include "uncertain.h"

/* "gateway", "direct". */
const char *view_kind(enum route_kind kind);

/* container, container_port, protocol, kind, address, port: into the object that j is in. */
void view_json_name(struct json *j, const char *container, uint16_t cport, uint8_t protocol,
		    enum route_kind kind, const struct endpoint *public);

/* The member routes: a list of whole routes: name, worker, state, scheduler, persistence, real_servers. */
void view_json_routes(struct json *j, const struct route_list *routes);

/* conns, inpkts, outpkts, inbytes, outbytes. */
void view_json_counters(struct json *j, const struct counters *c);

/* cps, inpps, outpps, inbps, outbps. */
void view_json_rates(struct json *j, const struct rates *r);

/*
 * Prints entries of the ledger and what is uncertain of them: a table, or
 * {"closed": [...], "total": {...}, "uncertain": [...]}, where opened_at and
 * closed_at are seconds since 1970. -ENOMEM.
 */
int view_ledger(struct err *e, FILE *out, const struct ledger_list *ledger, const struct uncertain_list *uncertain,
		bool as_json, bool exact) MUST_CHECK;

#endif
