/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * probe_internal: what probe.c, which asks, and probe_reply.c, which takes what
 * comes back, have in common. For them only.
 */
#ifndef SONM_PROBE_INTERNAL_H
#define SONM_PROBE_INTERNAL_H

#include "probe.h"

#define PROBE_ROUNDS_MAX 16 /* PROBE_DATAGRAMS_MAX ends most earlier */
#define PROBE_MAPPING_TRIES 5 /* of each of M's tests, once an RTT is known */

enum probe_test {
	PROBE_TEST_I,
	PROBE_TEST_II,
	PROBE_TEST_III,
	PROBE_TEST_A1P1, /* M's, in the order of enum nat_site */
	PROBE_TEST_A1P2,
	PROBE_TEST_A2P1,
	PROBE_TEST_A2P2,
	PROBE_TEST_PROOF_BOTH,
	PROBE_TEST_PROOF_PORT,
	PROBE_TESTS,
};

/* The tests as a table. */
struct probe_test_row {
	const char *name;
	enum probe_socket socket;
	enum nat_site to, from; /* where it goes, whence the reply should come */
	enum stun_change change;
};
extern const struct probe_test_row probe_tests[PROBE_TESTS];

struct probe_progress {
	int64_t due;      /* when to send it (again); PROBE_NEVER: not */
	unsigned left;    /* how often it may still be sent; M's only */
	unsigned errors;
	bool over;        /* nothing more is expected */
	bool early;       /* a reply came before we knew A2:P2 */
	struct endpoint early_from;
};

struct probe_request {
	struct stun_id id;
	enum probe_test test;
	enum stun_change change;
	unsigned round; /* of F's tests */
	int64_t sent;
	bool answered;
};

struct probe {
	struct nat_evidence ev;
	struct endpoint sites[NAT_SITES]; /* those but A1:P1 are known once other_state is USABLE */
	struct probe_progress progress[PROBE_TESTS];
	struct probe_request requests[PROBE_DATAGRAMS_MAX]; /* ev.sent of them */
	struct {
		int64_t sent;
		bool answered;
		bool spoilt; /* II or III had an error for an answer: silence means nothing */
	} rounds[PROBE_ROUNDS_MAX];
	unsigned n_rounds;
	int64_t next_round;
	int64_t round_wake;      /* when something may change about the rounds */
	int64_t start;
	int64_t rtt_max;         /* 0: unknown */
	enum stun_change plain;  /* what plain requests carry, once one was answered */
	bool answered;           /* a plain request was, by A1:P1 */
	bool heard;              /* something of the server's came, of use or not */
	unsigned useless;        /* responses without a mapped address, while not answered */
	enum nat_bar hint;       /* what came and may pass, first at hint_time */
	int64_t hint_time;
	bool tcp_asked, tcp_told;
	int64_t tcp_rtt;
	bool done;
	probe_random *random;
	void *context;
};

enum nat_reply *probe_reply_to(struct probe *p, enum probe_test t);

/* The test has its reply, and is not sent any more. */
void probe_end_test(struct probe *p, enum probe_test t, enum nat_reply reply);

/* No more rounds: II is settled. */
void probe_stop_rounds(struct probe *p);

/* For how long to wait for a reply, once an RTT is known. */
int64_t probe_patience(const struct probe *p);

/* Could a server have seen us there? Not at an address of another family, or at none. */
bool probe_is_usable_mapped(const struct probe *p, const struct endpoint *mapped);

/* Draws conclusions from what has happened until now, and from time itself. */
void probe_update(struct probe *p, int64_t now);

/* M's tests but the proofs, and I: they ask for nothing special, and are after the mapped endpoint. */
static inline bool probe_is_plain(enum probe_test t)
{
	return probe_tests[t].change == STUN_CHANGE_ABSENT;
}

static inline int64_t probe_earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

#endif
