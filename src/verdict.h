/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * verdict: what chains of rules do to a packet, jumps followed, as far as one
 * can tell. Knows no packet filter: whose rules these are judges each of them.
 * Pure.
 */
#ifndef SONM_VERDICT_H
#define SONM_VERDICT_H

#include "portset.h"

#include <sys/socket.h>

/* A packet that has to get through. */
struct packet {
	sa_family_t family;           /* AF_INET or AF_INET6 */
	const char *protocol;         /* "tcp" or "udp" */
	const char *state;            /* conntrack's: "NEW" or "ESTABLISHED" */
	const struct portset *dports; /* all of which have to get through; NULL: any port */
	const struct portset
	    *pool; /* to which ports its connection was made, before IPVS took it; NULL: unknown */
	bool ipvs;                    /* IPVS has handled it already, which -m ipvs looks for */
};

enum verdict {
	VERDICT_PASS,
	VERDICT_STOP,
	VERDICT_UNKNOWN, /* a rule may or may not match, or nobody knows what it does */
};

/* In this order: a rule matches as well as the worst of its conditions. */
enum match { MATCH_NEVER, MATCH_MAYBE, MATCH_ALWAYS };

enum effect {
	EFFECT_NONE,
	EFFECT_PASS,
	EFFECT_STOP,
	EFFECT_RETURN,
	EFFECT_JUMP, /* to target, and back */
	EFFECT_GOTO, /* to target, and back to where this chain was called */
	EFFECT_UNKNOWN,
};

/* A rule as far as the packet is concerned. */
struct judgement {
	enum match match;
	enum effect effect;
	const char *target; /* a chain's name, for EFFECT_JUMP and EFFECT_GOTO */
	const char *text;   /* the rule, for people */
};

/*
 * Judges the first rule of the chain from *at on, and moves *at behind it; false:
 * there is none. *at is 0 at first, and the function's own business.
 */
typedef bool verdict_rule(const void *rules, const char *chain, const struct packet *p, size_t *at,
			  struct judgement *out);

/*
 * Walks the chain to the first rule that decides, or to its policy. *decider: the
 * text of that, or of the first that one cannot tell; points to what the function
 * gave, or to a literal.
 */
enum verdict verdict_walk(verdict_rule *next, const void *rules, const char *chain, bool policy_stops,
			  const struct packet *p, const char **decider);

/* How well a set of ports (a condition) fits those of the packet; NULL: it may be any. */
enum match verdict_match_ports(const struct portset *condition, const struct portset *ports);

#endif
