/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * route: the model of what the hub publishes. A route is one published port
 * of one container: (container, container port, protocol). Pure: names,
 * checks, text forms. Knows nothing of where routes are kept or made.
 */
#ifndef SONM_ROUTE_H
#define SONM_ROUTE_H

#include "ledger.h"
#include "service.h"

#define CONTAINER_MAX 128
#define REAL_SERVERS_MAX 64 /* per route */

enum route_kind {
	ROUTE_GATEWAY, /* through IPVS */
	ROUTE_DIRECT,  /* the worker's own address is the endpoint; no service */
};

enum route_state {
	ROUTE_OPEN,
	ROUTE_CLOSING, /* no real servers any more; the service waits for its last count */
};

/* The instant a route began to close, by a clock that nobody sets. */
struct boottime {
	char boot_id[BOOT_ID_MAX + 1];
	int64_t ms;       /* CLOCK_BOOTTIME, or BOOTTIME_NEVER */
};

/* Not yet: the kernel's counters stood still. Far from overflow. */
#define BOOTTIME_NEVER (INT64_MAX / 2)

/*
 * A real server that drains takes no new connections and leaves when it has
 * none any more, or at this instant; in another boot it has none.
 */
struct real_server {
	struct endpoint real;
	uint32_t weight;       /* when it does not drain: see server_weight */
	struct boottime drain; /* boot_id "": it does not */
};

struct route {
	int64_t id;       /* the state file's; 0: not stored yet */
	char container[CONTAINER_MAX + 1];
	uint16_t cport;   /* container port, host order */
	uint8_t protocol; /* IPPROTO_ */
	char worker[CONTAINER_MAX + 1]; /* its name; "": not known */
	enum route_kind kind;
	enum route_state state;
	struct endpoint public; /* where clients connect: VIP and virtual port, or the worker's own */
	char scheduler[SCHEDULER_MAX + 1];
	uint32_t persistence; /* seconds; 0: none */
	struct real_server *servers; /* owned; sorted by address and port */
	size_t n_servers;
	struct account account;
	int64_t opened_at;    /* seconds since 1970 */
	struct boottime closing; /* for ROUTE_CLOSING */
};

struct route_list {
	struct route *items;
	size_t n;
};

/* What a closed route transferred. */
struct ledger_entry {
	int64_t id; /* the route's */
	char container[CONTAINER_MAX + 1];
	uint16_t cport;
	uint8_t protocol;
	enum route_kind kind;
	struct endpoint public;
	int64_t opened_at, closed_at; /* seconds since 1970 */
	struct counters total;
};

struct ledger_list {
	struct ledger_entry *items;
	size_t n;
};

/* 1-128 characters of [A-Za-z0-9._:-], the first no '-'. -EINVAL. */
int container_check(struct err *e, const char *id) MUST_CHECK;

/* A container's port, and one of its real servers. */
struct port_spec {
	uint16_t cport;
	uint8_t protocol; /* IPPROTO_ */
	struct endpoint real;
	bool has_real;    /* false: no real server is named */
};

/* Parses "CPORT=ADDR:PORT", or "CPORT" alone, and leaves the protocol as it is. -EINVAL. */
int port_spec_parse(struct err *e, const char *text, struct port_spec *out) MUST_CHECK;

struct service_key route_service_key(const struct route *r);

#define ROUTE_STRLEN (ENDPOINT_STRLEN + 24)

/* "10053/tcp". Returns buf. */
const char *route_port_format(uint16_t cport, uint8_t protocol, char buf[static ROUTE_STRLEN]);

/* "[10053/tcp->198.51.100.1:32898]". Returns buf. */
const char *route_format(const struct route *r, char buf[static ROUTE_STRLEN]);

/* Same real servers with the same weights, scheduler, persistence and kind? */
bool route_same_target(const struct route *a, const struct route *b);

/* Adds a real server in order. -EEXIST when it is there, -E2BIG past REAL_SERVERS_MAX, -ENOMEM. */
int route_add_server(struct err *e, struct route *r, const struct real_server *rs) MUST_CHECK;

/* The real server at this endpoint, or NULL. */
struct real_server *route_find_server(const struct route *r, const struct endpoint *real);

/* Removes the real server at this endpoint, if it is there. */
void route_drop_server(struct route *r, const struct endpoint *real);

bool server_is_draining(const struct real_server *rs);

/* What the kernel is to be told: 0 while it drains. */
uint32_t server_weight(const struct real_server *rs);

/* Open, and every one of its real servers drains: it takes no new connections. */
bool route_is_draining(const struct route *r);

/* "open", "draining", "closing". */
const char *route_state_name(const struct route *r);

/* Deep copy. -ENOMEM. */
int route_copy(struct err *e, const struct route *from, struct route *to) MUST_CHECK;

/* Appends and takes over what r owns (r becomes empty), on success only. -ENOMEM. */
int route_list_take(struct err *e, struct route_list *list, struct route *r) MUST_CHECK;

/* The first route of this container port, or NULL: for a list of one container's. */
struct route *route_list_find(const struct route_list *list, uint16_t cport, uint8_t protocol);

/* CLEANUP functions. */
void route_clear(struct route *r);
void route_list_clear(struct route_list *list);
void ledger_list_clear(struct ledger_list *list);

#endif
