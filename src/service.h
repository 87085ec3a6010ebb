/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * service: IPVS's own model: virtual services, destinations, and changes to
 * them. Plain data and comparisons; knows nothing of netlink or of routes.
 */
#ifndef SONM_SERVICE_H
#define SONM_SERVICE_H

#include "addr.h"
#include "ledger.h"

#define SCHEDULER_MAX 15 /* IP_VS_SCHEDNAME_MAXLEN - 1 */

struct service_key {
	uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP */
	struct endpoint vip;
};

struct destination {
	struct endpoint real;
	uint32_t weight;    /* 0: no new connections */
	uint32_t method;    /* IP_VS_CONN_F_MASQ ... (linux/ip_vs.h) */
	uint32_t active, inactive; /* connections; from the kernel only */
};

struct service {
	struct service_key key;
	uint32_t fwmark;    /* non-zero: the key is a firewall mark, not an endpoint */
	char scheduler[SCHEDULER_MAX + 1];
	uint32_t persistence; /* seconds; 0: not persistent */
	uint32_t flags;       /* what else it has of IP_VS_SVC_F_: one-packet and the like. We set none */
	struct counters counters; /* from the kernel only */
	struct rates rates;       /* from the kernel only */
	bool is_narrow;           /* the counters are an old kernel's: account_widen() */
	struct destination *destinations; /* owned */
	size_t n_destinations;
};

struct service_list {
	struct service *items;
	size_t n;
};

enum change_op {
	CHANGE_ADD_SERVICE,
	CHANGE_EDIT_SERVICE,
	CHANGE_DELETE_SERVICE,
	CHANGE_ADD_DESTINATION,
	CHANGE_EDIT_DESTINATION,
	CHANGE_DELETE_DESTINATION,
};

struct change {
	enum change_op op;
	struct service_key key;
	char scheduler[SCHEDULER_MAX + 1]; /* ADD_, EDIT_SERVICE */
	uint32_t persistence;              /* ADD_, EDIT_SERVICE */
	struct destination destination;    /* ..._DESTINATION */
	int status; /* after ipvs_run: 0, or the kernel's negative errno */
};

struct change_list {
	struct change *items;
	size_t n;
};

bool service_key_equal(const struct service_key *a, const struct service_key *b);

/* Total order: address, port, protocol; a qsort(3) comparison of struct service by key. */
int service_compare(const void *a, const void *b);

/* The service with this key in a list sorted with service_compare, or NULL. */
const struct service *service_find(const struct service_list *sorted, const struct service_key *key);

/* The destination at this endpoint, or NULL; a service that is NULL has none. */
struct destination *service_find_destination(const struct service *s, const struct endpoint *real);

#define SERVICE_KEY_STRLEN (ENDPOINT_STRLEN + 8)

/* "tcp 198.51.100.1:32898". Returns buf. */
const char *service_key_format(const struct service_key *key, char buf[static SERVICE_KEY_STRLEN]);

/* Append; a service's destinations then belong to the list. -ENOMEM. */
int service_list_add(struct err *e, struct service_list *list, const struct service *s) MUST_CHECK;
int change_list_add(struct err *e, struct change_list *list, const struct change *c) MUST_CHECK;

/* One line for a person: "add real server 10.0.0.2:80 to tcp 198.51.100.1:32898 (weight 100)". */
#define CHANGE_STRLEN 256
const char *change_format(const struct change *c, char buf[static CHANGE_STRLEN]);

/* CLEANUP functions: free what the value owns and make it empty. */
void service_clear(struct service *s);
void service_list_clear(struct service_list *list);
void change_list_clear(struct change_list *list);

/*
 * Can it be the name of a scheduler? Letters, digits and _ - . only: the kernel looks for a module that is
 * called so.
 */
bool scheduler_is_name(const char *text);

/* "tcp", "udp", "sctp"; "ip" otherwise. */
const char *protocol_name(uint8_t protocol);

#endif
