/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * discovery_internal: what discovery.c, which has all servers in view, and
 * discovery_exam.c, which examines one, have in common. For them only.
 */
#ifndef SONM_DISCOVERY_INTERNAL_H
#define SONM_DISCOVERY_INTERNAL_H

#include "discovery.h"
#include "probe.h"
#include "tcp_control.h"

/* One server's examination. */
struct exam {
	struct endpoint server;
	size_t group;
	struct probe *probe; /* NULL: its sockets could not be opened */
	int fds[PROBE_SOCKETS];
	struct endpoint local[PROBE_SOCKETS];
	struct tcp_control tcp;
	int64_t started;
};

struct run {
	const struct discovery_plan *plan;
	struct exam exams[DISCOVERY_SERVERS_MAX];
	size_t n;            /* started */
	int64_t start, now;
	bool asked[DISCOVERY_SERVERS_LISTED]; /* which of the plan's servers */
	int64_t compare_end; /* when to stop waiting for the mute; 0: there is no verdict yet */
	int64_t end;         /* and for all */
	bool disputed;       /* they were seen to disagree, and end was put off for a third opinion */
};

/* Reads the clock into r->now. */
void discovery_tick(struct run *r);

/*
 * Opens the sockets of the next examination and counts it. The errors of
 * udp_open, -ENOMEM: it is counted as one that has ended without evidence.
 */
int exam_start(struct err *e, struct run *r, const struct discovery_candidate *server) MUST_CHECK;

/* Closes and frees what it has. */
void exam_end(struct exam *x);

/* Does it go on? As of r->now, by which it may come to its end. */
bool exam_is_active(const struct run *r, const struct exam *x);

/* Has its server answered over UDP? */
bool exam_has_answer(const struct exam *x);

/* Sends what is due, and looks after the control over TCP. For active ones. */
void exam_step(struct run *r, struct exam *x);

/* Takes what has come to that socket, without waiting. */
void exam_receive(struct run *r, struct exam *x, enum probe_socket socket);

/* When exam_step wants to be called at the latest; PROBE_NEVER. For active ones. */
int64_t exam_wake(const struct exam *x);

#endif
