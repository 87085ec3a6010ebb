/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * probe: one STUN server's examination as a machine without I/O: it says what
 * to send and when to wake it, is told what came, and gathers the evidence.
 * Pure: time and chance are given. Knows no socket and passes no judgement.
 *
 * The caller owns two UDP sockets for each probe, F and M (nat.h), with local
 * ports that the other kind never uses: a filter that an earlier M opened
 * must not let anything in to F.
 */
#ifndef SONM_PROBE_H
#define SONM_PROBE_H

#include "nat.h"
#include "stun_msg.h"

/* All times: microseconds of one clock that never goes back. */
#define PROBE_NEVER INT64_MAX

#define PROBE_DATAGRAMS_MAX 40 /* sent, in all: public servers ban who sends more than 60 a minute */

enum probe_socket { PROBE_F, PROBE_M, PROBE_SOCKETS };

struct probe_datagram {
	enum probe_socket socket;
	struct endpoint to;
	const char *test; /* for people: "I", "II", "III", "map A2:P2", "proof II" */
	uint8_t bytes[STUN_REQUEST_MAX];
	size_t len;
};

/* Fills the buffer with what nobody can predict: transaction IDs are all that protects us from forged replies. */
typedef void probe_random(void *context, void *buf, size_t len);

struct probe;

/* server: A1:P1; local: what the sockets are bound to, no wildcard. NULL when out of memory. */
struct probe *probe_new(const struct endpoint *server, const struct endpoint local[static PROBE_SOCKETS],
			probe_random *random, void *context, int64_t now);
void probe_free(struct probe *p);   /* NULL is fine */

/* The next datagram that is due; false: none before probe_wake. */
bool probe_next(struct probe *p, int64_t now, struct probe_datagram *out);

/*
 * A datagram came. Returns for people what it was ("II"), or why it was
 * ignored ("no request of ours has this transaction ID"); *counted says which.
 */
const char *probe_receive(struct probe *p, int64_t now, enum probe_socket socket, const struct endpoint *from,
			  const uint8_t *bytes, size_t len, bool *counted);

/* An ICMP error for what was sent to that endpoint, or its sending was refused. bar: DOWN to LOCAL. */
void probe_barred(struct probe *p, int64_t now, enum probe_socket socket, const struct endpoint *to,
		  enum nat_bar bar);

/* Should the caller try STUN over TCP now, as a control? True once. */
bool probe_wants_tcp(struct probe *p, int64_t now);

/* How that went. rtt: how long the server takes there; mapped: what the server said, or NULL. */
void probe_tcp(struct probe *p, int64_t now, enum nat_tcp outcome, int64_t rtt, const struct endpoint *mapped);

/*
 * When to call probe_next, probe_wants_tcp and probe_is_done again at the
 * latest, after they and probe_next in particular have said no. PROBE_NEVER if
 * done.
 */
int64_t probe_wake(const struct probe *p);

/* Has it ended? Then nothing is sent any more. */
bool probe_is_done(struct probe *p, int64_t now);

/* Has the server answered over UDP at all? */
bool probe_has_answer(const struct probe *p);

/* What is known so far; valid while the probe lives. */
const struct nat_evidence *probe_evidence(const struct probe *p);

#endif
