/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * store: the state file: routes, the ledger of closed ones, when they transferred
 * what, workers, and what sonm-gw-setup changed. The only module that knows SQLite; knows nothing of
 * netlink. Narrow, so that another implementation can stand behind it.
 *
 * Readers see the last committed state; they and a commit wait for one another
 * for moments. Writers take the writer's lock first (store_lock) and hold it over as many transactions, and
 * as much work outside the file, as belong together. A killed writer's lock
 * is gone, its uncommitted transaction too.
 *
 * Counters are unsigned 64-bit here and signed in the file: more than 2^63-1
 * is an error (-EOVERFLOW), never a wrap.
 */
#ifndef SONM_STORE_H
#define SONM_STORE_H

#include "route.h"
#include "worker.h"

#define STORE_VERSION 3 /* user_version of the file */
#define STORE_LOCK_SECONDS 60

struct store;

enum store_mode {
	STORE_READ,   /* a file that does not exist reads as an empty one */
	STORE_GLANCE, /* the same, and who has locked it is not waited for: -ETIMEDOUT */
	STORE_UPDATE, /* the same, and what exists may be changed */
	STORE_WRITE,  /* creates the file (0600), and its directory (0700) if only that is missing */
};

/*
 * A file of an older version is brought up to date first, under the writer's
 * lock. STORE_READ leaves it as it is, and reads a copy of this moment.
 * -EACCES: not permitted; -EINVAL: not our file, newer than this program, or
 * a directory or file that others can write to; -EIO: damaged.
 */
int store_open(struct err *e, const char *path, enum store_mode mode, struct store **out) MUST_CHECK;
void store_close(struct store *s); /* drops the lock; NULL is fine */
void store_closep(struct store **s); /* a CLEANUP function */

/* Waits for the writer's lock; -ETIMEDOUT after STORE_LOCK_SECONDS. */
int store_lock(struct err *e, struct store *s) MUST_CHECK;
void store_unlock(struct store *s);

/*
 * A transaction. Commit is durable when it returns; if it fails, nothing was written, or its message
 * says that this is not known. Rollback without begin does nothing.
 */
int store_begin(struct err *e, struct store *s) MUST_CHECK;
int store_commit(struct err *e, struct store *s) MUST_CHECK;

/* What is read from here until store_rollback is of one moment; commits wait for it. */
int store_begin_read(struct err *e, struct store *s) MUST_CHECK;
void store_rollback(struct store *s);

/* Seconds since 1970, by which the store notes what it notes; tests set it (0: the system's clock). */
int64_t store_time(const struct store *s);
void store_set_time(struct store *s, int64_t now);

/* Which routes are meant. */
struct route_filter {
	const char *container; /* NULL: all */
	uint16_t cport;        /* 0: all */
	uint8_t protocol;      /* 0: all */
	int state;             /* an enum route_state, or -1: all */
};

/* Appends the routes, ordered by container, container port, protocol, id. */
int store_routes(struct err *e, struct store *s, const struct route_filter *f, struct route_list *out) MUST_CHECK;

/*
 * For who shows a long list: calls fn for each route of a container (NULL: all),
 * open or closing, in the same order, without its account. The route is fn's
 * until it returns. What fn fails with ends it.
 */
typedef int store_route_fn(struct err *e, void *ctx, const struct route *r);
int store_each_route(struct err *e, struct store *s, const char *container, store_route_fn *fn,
		     void *ctx) MUST_CHECK;

/*
 * For who counts: the same with its account, but its real servers only if one of them drains, and neither
 * worker, scheduler, persistence nor when it began to close, but only in which boot.
 */
int store_each_account(struct err *e, struct store *s, const char *container, store_route_fn *fn,
		       void *ctx) MUST_CHECK;

/*
 * Appends the closing routes that began to close at or before this instant, in
 * another boot, or never (BOOTTIME_NEVER); the oldest first, and so many at most
 * (0: all).
 */
int store_settled_routes(struct err *e, struct store *s, const struct boottime *instant, size_t limit,
			 struct route_list *out) MUST_CHECK;

/* Stores a new route and sets its id. -EEXIST: its endpoint or its name is taken. */
int store_add_route(struct err *e, struct store *s, struct route *r) MUST_CHECK;

/*
 * Stores everything of a route again, by id. What its account has grown by is
 * added to the traffic of this minute, here and wherever an account is stored.
 */
int store_set_route(struct err *e, struct store *s, const struct route *r) MUST_CHECK;

/* Stores a as the account of a route, which is as it is stored now. */
int store_set_account(struct err *e, struct store *s, const struct route *r, const struct account *a) MUST_CHECK;

/* Forgets a route as if it had never been: for undoing store_add_route. */
int store_forget_route(struct err *e, struct store *s, int64_t id) MUST_CHECK;

/* Moves a route into the ledger with its account's total. closed_at: seconds since 1970. */
int store_close_route(struct err *e, struct store *s, int64_t id, int64_t closed_at) MUST_CHECK;

/* Has any open gateway route but the one with this id (0: any) this real server for this protocol? */
int store_server_is_used(struct err *e, struct store *s, uint8_t protocol, const struct endpoint *real,
			 int64_t but, bool *out) MUST_CHECK;

/*
 * Appends the open routes with a real server that drains: its wait is over at
 * this instant or the boot is another one, or, with due_only false, all of them.
 * limit: so many routes at most; 0: all.
 */
int store_draining_routes(struct err *e, struct store *s, const struct boottime *instant, bool due_only,
			  size_t limit, struct route_list *out) MUST_CHECK;

/* Is there any closing route, or real server that drains? If not, nothing can be due. */
int store_has_leaving(struct err *e, struct store *s, bool *out) MUST_CHECK;

/* How many gateway routes, open or closing, this VIP has with a port first..last. */
int store_count_ports(struct err *e, struct store *s, const struct addr *vip, uint16_t first, uint16_t last,
		      uint64_t *out) MUST_CHECK;

/* Was any route ever stored here? False: what has no route is not known to be an orphan. */
int store_has_history(struct err *e, struct store *s, bool *out) MUST_CHECK;

/* Workers. Appends them all, ordered by name. */
int store_workers(struct err *e, struct store *s, struct worker_list *out) MUST_CHECK;

/* 1: found, 0: none. */
int store_worker(struct err *e, struct store *s, const char *name, struct worker *out) MUST_CHECK;
int store_set_worker(struct err *e, struct store *s, const struct worker *w) MUST_CHECK;
int store_delete_worker(struct err *e, struct store *s, const char *name) MUST_CHECK;

/* Appends the routes, open or closing, that name this worker; ordered as store_routes does. */
int store_worker_routes(struct err *e, struct store *s, const char *name, struct route_list *out) MUST_CHECK;

enum store_port {
	STORE_PORT_FREE,
	STORE_PORT_ROUTED,      /* a route has it, open or closing */
	STORE_PORT_QUARANTINED, /* a closed route of another container had it since `since` */
};

/*
 * May container have this endpoint? since..now: seconds since 1970; ledger
 * entries closed in it keep their port. holder, if not NULL: who has it.
 */
int store_port(struct err *e, struct store *s, const struct service_key *key, const char *container,
	       int64_t since, int64_t now, enum store_port *out, char holder[CONTAINER_MAX + 1]) MUST_CHECK;

/* The virtual port that (container, cport, protocol) had last on this VIP since then; 1 or 0. */
int store_former_port(struct err *e, struct store *s, const char *container, uint16_t cport,
		      uint8_t protocol, const struct addr *vip, int64_t since, int64_t now,
		      uint16_t *out) MUST_CHECK;

/* Which entries of the ledger are meant. */
struct ledger_filter {
	const char *container; /* NULL: all */
	int64_t since, before; /* closed at or after, and before; seconds since 1970 */
};
#define LEDGER_ALL ((struct ledger_filter){ .since = INT64_MIN, .before = INT64_MAX })

/* Appends the entries, oldest first. */
int store_ledger(struct err *e, struct store *s, const struct ledger_filter *f, struct ledger_list *out) MUST_CHECK;

/* The sum over a container's ledger entries (NULL: all) and their number. */
int store_ledger_sum(struct err *e, struct store *s, const char *container, struct counters *sum,
		     uint64_t *entries) MUST_CHECK;

/*
 * The same for one container after the other, in one walk through the ledger: each name that is asked for
 * comes after the former one. 1: found, 0: it has no entry. Only one walk at a time.
 */
struct closed_walk;
int store_walk_closed(struct err *e, struct store *s, struct closed_walk **out) MUST_CHECK;
int closed_walk_find(struct err *e, struct closed_walk *w, const char *container, struct counters *sum,
		     uint64_t *entries) MUST_CHECK;
void closed_walk_free(struct closed_walk *w); /* NULL is fine */

/*
 * Deletes what was closed before this from the ledger; *n: how many entries.
 * Traffic stays, and what is not known of it. Ports whose entry goes are in
 * quarantine no more.
 */
int store_prune(struct err *e, struct store *s, int64_t before, uint64_t *n) MUST_CHECK;

/*
 * What a container transferred in a span of time. Every byte of an account, since
 * the file has this version, is in one row: that of the time when it was read.
 * Spans are minutes, hours and days of UTC; store_thin_traffic makes the long ones.
 */
struct traffic {
	uint32_t span; /* seconds: 60, 3600, 86400 */
	int64_t at;    /* its beginning: seconds since 1970, a multiple of span */
	char container[CONTAINER_MAX + 1];
	struct counters sum;
};

/*
 * Calls fn for each row of a container's (NULL: all) traffic that ends after since
 * and begins before until (seconds since 1970), ordered by at, container. The row is
 * fn's until it returns. What fn fails with ends it.
 */
typedef int store_traffic_fn(struct err *e, void *ctx, const struct traffic *t);
int store_each_traffic(struct err *e, struct store *s, const char *container, int64_t since, int64_t until,
		       store_traffic_fn *fn, void *ctx) MUST_CHECK;

/* The sums of these rows by container, ordered by container: span 0, and at of the earliest row that counts. */
int store_each_traffic_sum(struct err *e, struct store *s, const char *container, int64_t since, int64_t until,
			   store_traffic_fn *fn, void *ctx) MUST_CHECK;

/* In a transaction: folds minutes older than a day into hours, and hours older than 31 days into days. */
int store_thin_traffic(struct err *e, struct store *s) MUST_CHECK;

/* What passed through a route in this time, beyond what its account has, is not known. */
struct uncertain {
	int64_t route; /* its id */
	char container[CONTAINER_MAX + 1];
	uint16_t cport;
	uint8_t protocol;
	int64_t since, until; /* seconds since 1970 */
	enum uncertain_why why;
};

struct uncertain_list {
	struct uncertain *items;
	size_t n;
};

/*
 * Appends those of a container (NULL: all) that do not end before since, ordered by
 * container, since. The second in which one ends is part of it.
 */
int store_uncertain(struct err *e, struct store *s, const char *container, int64_t since,
		    struct uncertain_list *out) MUST_CHECK;

/* The same once more is no second one. */
int store_add_uncertain(struct err *e, struct store *s, const struct uncertain *u) MUST_CHECK;
void uncertain_list_clear(struct uncertain_list *list); /* a CLEANUP function */

/* 1: when the last complete checkpoint was (seconds since 1970), 0: never. */
int store_last_checkpoint(struct err *e, struct store *s, int64_t *out) MUST_CHECK;

int store_set_checkpoint(struct err *e, struct store *s, int64_t at) MUST_CHECK;

#define SETUP_RECORD_MAX 4096

/* What sonm-gw-setup changed: a step's value before and the value it set. */
struct setup_record {
	char step[64];
	char boot_id[37]; /* in which boot it was made; "" if that does not matter */
	char former[SETUP_RECORD_MAX];
	char applied[SETUP_RECORD_MAX];
};

/* 1: found, 0: none. */
int store_setup_get(struct err *e, struct store *s, const char *step, struct setup_record *out) MUST_CHECK;
/* Adds, or replaces the record of that step; the order of first addition is kept. */
int store_setup_put(struct err *e, struct store *s, const struct setup_record *r) MUST_CHECK;
int store_setup_delete(struct err *e, struct store *s, const char *step) MUST_CHECK;
/* All, newest first; *out is freed by the caller. Returns 0. */
int store_setup_list(struct err *e, struct store *s, struct setup_record **out, size_t *n) MUST_CHECK;

#endif
