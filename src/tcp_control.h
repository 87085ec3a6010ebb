/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tcp_control: one Binding over TCP (RFC 8489 6.2.2), the control for silence
 * over UDP. Does not block: the caller polls the descriptor. Passes no judgement.
 */
#ifndef SONM_TCP_CONTROL_H
#define SONM_TCP_CONTROL_H

#include "nat.h"
#include "stun_msg.h"

struct tcp_control {
	int fd;          /* -1: not started, or ended */
	short events;    /* to poll for */
	int64_t started; /* microseconds, the caller's clock */
	int64_t asked;   /* when the request was sent */
	int64_t rtt;     /* of the handshake, or of the answer if that took longer; 0: not connected */
	int64_t deadline; /* INT64_MAX until connected */
	struct endpoint mapped; /* what the server said; AF_UNSPEC: nothing */
	struct stun_id id;
	uint8_t buf[STUN_MESSAGE_MAX];
	size_t len;      /* bytes received */
};

#define TCP_CONTROL_INIT { .fd = -1 }

/*
 * Begins to connect, from that address or device. False: it cannot even begin, and
 * is over as NAT_TCP_SILENT. id: the request's, not to be predicted.
 */
bool tcp_control_start(struct tcp_control *c, const struct endpoint *server, const struct addr *from,
		       const char *device, const struct stun_id *id, int64_t now);

/*
 * To be called when the descriptor is ready, and when the deadline has passed. Returns
 * NAT_TCP_NOT_TRIED while it goes on, else the outcome; the descriptor is closed then.
 * Connected, but no STUN there: NAT_TCP_REFUSED.
 */
enum nat_tcp tcp_control_step(struct tcp_control *c, int64_t now);

/* Closes what is open. */
void tcp_control_end(struct tcp_control *c);

#endif
