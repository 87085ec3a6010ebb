/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "discovery_internal.h"

#include <sys/random.h>

#define DATAGRAMS_AT_A_TIME 64 /* of one socket, before the timers have their turn */

/* What F uses M never does, in no run: see probe.h. Both are above what Linux gives to other programs. */
static const struct udp_ports ports[PROBE_SOCKETS] = {
	[PROBE_F] = { 61000, 63267 },
	[PROBE_M] = { 63268, 65535 },
};

void exam_end(struct exam *x)
{
	probe_free(x->probe);
	tcp_control_end(&x->tcp);
	for (size_t i = 0; i < PROBE_SOCKETS; i++)
		if (x->fds[i] >= 0)
			close(x->fds[i]);
}

static void unpredictable(void *context, void *buf, size_t len)
{
	(void)context;
	while (getrandom(buf, len, 0) != (ssize_t)len)
		; /* up to 256 bytes come whole, unless a signal came first: getrandom(2) */
}

/* --- who watches ----------------------------------------------------------- */

static void tell(const struct run *r, const struct discovery_event *event)
{
	struct discovery_event ev = *event;

	ev.time = r->now - r->start;
	if (r->plan->watch)
		r->plan->watch(r->plan->context, &ev);
}

static char letter(enum probe_socket socket)
{
	return socket == PROBE_F ? 'F' : 'M';
}

static void tell_tcp(const struct run *r, const struct exam *x, const char *note)
{
	tell(r, &(struct discovery_event){ .what = DISCOVERY_TCP, .socket = 'T', .peer = x->server,
					   .local = { .addr = x->local[PROBE_M].addr }, .note = note });
}

/* --- one server ------------------------------------------------------------ */

int exam_start(struct err *e, struct run *r, const struct discovery_candidate *server)
{
	struct exam *x = &r->exams[r->n++];

	*x = (struct exam){ .server = server->endpoint, .group = server->group, .fds = { -1, -1 },
			    .tcp = TCP_CONTROL_INIT, .started = r->now };
	for (size_t i = 0; i < PROBE_SOCKETS; i++)
		if (udp_open(e, &x->server, &r->plan->from, &ports[i], &x->fds[i], &x->local[i]) < 0)
			return -e->code;
	x->probe = probe_new(&x->server, x->local, unpredictable, NULL, r->now);
	return x->probe ? 0 : err_set(e, ENOMEM, "out of memory");
}

bool exam_is_active(const struct run *r, const struct exam *x)
{
	return x->probe && !probe_is_done(x->probe, r->now);
}

bool exam_has_answer(const struct exam *x)
{
	return x->probe && probe_has_answer(x->probe);
}

static enum nat_bar bar_of(enum udp_event event)
{
	switch (event) {
	case UDP_PORT_UNREACHABLE:
		return NAT_BAR_DOWN;
	case UDP_PROHIBITED:
		return NAT_BAR_PROHIBITED;
	default:
		return NAT_BAR_UNREACHABLE;
	}
}

static void barred(struct run *r, struct exam *x, enum probe_socket socket, const struct endpoint *to,
		   enum nat_bar bar)
{
	static const char *const notes[] = {
		[NAT_BAR_DOWN] = "ICMP: port unreachable",
		[NAT_BAR_UNREACHABLE] = "ICMP: unreachable",
		[NAT_BAR_PROHIBITED] = "ICMP: administratively prohibited",
		[NAT_BAR_LOCAL] = "this host's own firewall refuses to send it",
	};

	tell(r, &(struct discovery_event){ .what = DISCOVERY_ICMP, .socket = letter(socket), .peer = *to,
					   .local = x->local[socket], .note = notes[bar] });
	probe_barred(x->probe, r->now, socket, to, bar);
}

static void send_due(struct run *r, struct exam *x)
{
	struct probe_datagram d;

	while (probe_next(x->probe, r->now, &d)) {
		enum udp_event event = udp_send(x->fds[d.socket], &d.to, d.bytes, d.len);

		tell(r, &(struct discovery_event){ .what = DISCOVERY_SENT, .socket = letter(d.socket),
						   .local = x->local[d.socket], .peer = d.to,
						   .bytes = d.bytes, .len = d.len, .note = d.test });
		if (event != UDP_NOTHING)
			barred(r, x, d.socket, &d.to, event == UDP_PROHIBITED ? NAT_BAR_LOCAL : bar_of(event));
	}
}

void exam_receive(struct run *r, struct exam *x, enum probe_socket socket)
{
	uint8_t bytes[STUN_MESSAGE_MAX + 1]; /* what is cut off is too long for a message, but an answer */
	struct endpoint peer;
	enum udp_event event;

	for (int i = 0; i < DATAGRAMS_AT_A_TIME && exam_is_active(r, x); i++) {
		struct discovery_event ev = { .what = DISCOVERY_RECEIVED, .socket = letter(socket),
					      .local = x->local[socket], .bytes = bytes };
		size_t len = sizeof(bytes);
		bool counted;

		event = udp_receive(x->fds[socket], &peer, bytes, &len);
		if (event == UDP_NOTHING)
			return;
		discovery_tick(r);
		if (event != UDP_DATAGRAM) {
			barred(r, x, socket, &peer, bar_of(event));
			continue;
		}
		ev.note = probe_receive(x->probe, r->now, socket, &peer, bytes, len, &counted);
		ev.ignored = !counted;
		ev.peer = peer;
		ev.len = len;
		tell(r, &ev);
	}
}

static void tcp_is_over(struct run *r, struct exam *x, enum nat_tcp outcome)
{
	static const char *const notes[] = {
		[NAT_TCP_SILENT] = "no way to connect",
		[NAT_TCP_REFUSED] = "no STUN over TCP there, but the host answers",
		[NAT_TCP_ANSWERED] = "STUN over TCP answers",
	};

	tell_tcp(r, x, notes[outcome]);
	probe_tcp(x->probe, r->now, outcome, x->tcp.rtt, &x->tcp.mapped);
}

static void start_tcp(struct run *r, struct exam *x)
{
	struct stun_id id;

	unpredictable(NULL, &id, sizeof(id));
	tell_tcp(r, x, "connecting, as a control");
	if (!tcp_control_start(&x->tcp, &x->server, &x->local[PROBE_M].addr, r->plan->from.device, &id, r->now))
		tcp_is_over(r, x, NAT_TCP_SILENT);
}

void exam_step(struct run *r, struct exam *x)
{
	send_due(r, x);
	if (probe_wants_tcp(x->probe, r->now))
		start_tcp(r, x);
	if (x->tcp.fd >= 0) {
		enum nat_tcp outcome = tcp_control_step(&x->tcp, r->now);

		if (outcome != NAT_TCP_NOT_TRIED)
			tcp_is_over(r, x, outcome);
	}
	if (probe_is_done(x->probe, r->now))
		tcp_control_end(&x->tcp);
}

int64_t exam_wake(const struct exam *x)
{
	int64_t wake = probe_wake(x->probe);

	return x->tcp.fd >= 0 && x->tcp.deadline < wake ? x->tcp.deadline : wake;
}
