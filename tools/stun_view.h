/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stun_view: what sonm-stun has found, for people and for programs, and its
 * datagrams one by one. The JSON member names are an interface: sonm-stun(1).
 */
#ifndef SONM_STUN_VIEW_H
#define SONM_STUN_VIEW_H

#include "discovery.h"

#include <stdio.h>

#define STUN_ADDRESSES_MAX 64

/* Where the addresses come from. */
enum stun_source {
	STUN_FROM_SERVERS,
	STUN_FROM_CONFIGURATION,
	STUN_FROM_INTERFACES,
};

struct stun_result {
	enum stun_source source;
	struct nat_verdict verdict;
	struct endpoint addresses[STUN_ADDRESSES_MAX]; /* this host's, the best first; port 0: not known */
	size_t n_addresses;
	const struct discovery *discovery; /* NULL: no server was asked */
	const char *config_path;           /* where a server can be named */
	int64_t took;                      /* microseconds */
};

/* Prints it for people, one fact a line. */
void stun_view_text(FILE *out, const struct stun_result *r);

/* Prints it as one JSON object. -ENOMEM. */
int stun_view_json(struct err *e, FILE *out, const struct stun_result *r) MUST_CHECK;

/* Prints one line, and below it, if asked for, the message's attributes, one a line. */
void stun_view_event(FILE *out, const struct discovery_event *event, bool attributes);

#endif
