/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The world's clock, what travels and arrives, and the client that runs the probe. */
#include "stun_world.h"

#define SECOND (1000 * STUN_MS)
#define BEGIN (7 * SECOND)    /* of a clock that has run before */
#define LONGEST (60 * SECOND) /* no probe may take that long */
#define GATEWAY_DELAY STUN_MS /* of what the gateway itself says */
#define SPREAD (5 * STUN_MS)  /* by how much a second copy comes later */

enum what { AT_SERVER, AT_GATEWAY, AT_CLIENT, ICMP, TCP };

struct stun_event {
	int64_t time;
	uint64_t number; /* of the same time, the first one first */
	enum what what;
	enum probe_socket socket;
	enum nat_bar bar;
	struct endpoint from, to; /* ICMP: to whom it was sent */
	struct stun_message message;
};

const enum nat_type stun_answering[STUN_ANSWERING] = {
	NAT_NONE,	     NAT_SYMMETRIC_UDP_FIREWALL, NAT_FULL, NAT_RESTRICTED,
	NAT_PORT_RESTRICTED, NAT_SYMMETRIC,
};

struct stun_world stun_world_behind_at(enum nat_type type, int64_t rtt)
{
	return (struct stun_world){ .link.delay = { rtt / 2, rtt - rtt / 2 },
				    .gateway = stun_gateway_of(type) };
}

struct stun_world stun_world_behind(enum nat_type type)
{
	return stun_world_behind_at(type, STUN_RTT);
}

static struct stun_event *add_event(struct stun_world *w, enum what what, int64_t time)
{
	struct stun_event *e;

	STUN_MUST(base_reserve((void **)&w->events, w->n_events, sizeof(*e)) == 0, "out of memory");
	e = &w->events[w->n_events++];
	*e = (struct stun_event){ .time = time, .number = w->n_events_ever++, .what = what };
	return e;
}

static void set_bytes(struct stun_message *m, const uint8_t *bytes, size_t len)
{
	STUN_MUST(len <= sizeof(m->bytes), "a datagram of %zu bytes", len);
	memcpy(m->bytes, bytes, len);
	m->len = len;
}

void stun_world_icmp(struct stun_world *w, int64_t time, enum probe_socket socket, const struct endpoint *to,
		     enum nat_bar bar)
{
	struct stun_event *e = add_event(w, ICMP, w->now + time);

	e->socket = socket;
	e->to = *to;
	e->bar = bar;
}

/* --- the link --- */

static void travel(struct stun_world *w, enum stun_direction direction, const struct stun_event *model)
{
	unsigned copies = stun_link_copies(w);

	if (!w->link.near && stun_link_loses(w, direction))
		return;
	for (unsigned i = 0; i < copies; i++) {
		int64_t spread = i ? 1 + (int64_t)given_below(&w->seed, SPREAD) : 0;
		int64_t time = model->time + stun_link_delay(w, direction) + spread;
		struct stun_event *e = add_event(w, direction == STUN_OUTWARDS ? AT_SERVER : AT_GATEWAY, time);

		e->from = model->from;
		e->to = model->to;
		e->message = model->message;
	}
}

void stun_world_reply(struct stun_world *w, int64_t delay, const struct endpoint *from,
		      const struct endpoint *to, const struct stun_message *m)
{
	struct stun_event model = { .time = w->now + delay, .from = *from, .to = *to, .message = *m };

	travel(w, STUN_INWARDS, &model);
}

/* --- what arrives --- */

static enum probe_socket socket_of(const struct stun_world *w, const struct endpoint *local)
{
	return endpoint_equal(local, &w->local[PROBE_F]) ? PROBE_F : PROBE_M;
}

static void at_client(struct stun_world *w, const struct stun_event *e)
{
	bool counted = false;
	const char *what = probe_receive(w->probe, w->now, e->socket, &e->from, e->message.bytes,
					 e->message.len, &counted);

	STUN_MUST(what && *what, "no word about what came");
	w->n_arrived++;
	w->n_counted += counted;
}

static void at_gateway(struct stun_world *w, struct stun_event *e)
{
	struct stun_event *arrival;
	struct endpoint inside;

	if (!stun_gateway_in(w, &e->from, &e->to, &e->message, &inside))
		return;
	if (w->link.near && stun_link_loses(w, STUN_INWARDS))
		return;
	arrival = add_event(w, AT_CLIENT, w->now);
	arrival->socket = socket_of(w, &inside);
	arrival->from = e->from;
	arrival->message = e->message;
}

/* The ICMP error of a server's host comes back as the datagram came: the gateway knows what it is about. */
static void port_unreachable(struct stun_world *w, const struct stun_event *e)
{
	for (size_t i = 0; i < w->gateway.n_sessions; i++) {
		const struct stun_session *s = &w->gateway.sessions[i];

		if (s->inside.addr.family && endpoint_equal(&s->public, &e->from) &&
		    endpoint_equal(&s->remote, &e->to) && !stun_link_loses(w, STUN_INWARDS)) {
			struct stun_event *icmp = add_event(w, ICMP, w->now + w->link.delay[STUN_INWARDS]);

			icmp->socket = socket_of(w, &s->inside);
			icmp->to = s->remote;
			icmp->bar = NAT_BAR_DOWN;
			return;
		}
	}
}

static void at_server(struct stun_world *w, const struct stun_event *e)
{
	for (enum nat_site site = 0; site < NAT_SITES; site++) {
		struct endpoint ep = stun_world_site(w, site);

		if (!endpoint_equal(&ep, &e->to))
			continue;
		if (w->server.site[site] == STUN_SITE_DOWN)
			port_unreachable(w, e);
		else
			stun_server_hear(w, site, &e->from, e->message.bytes, e->message.len);
	}
}

static int64_t link_rtt(const struct stun_world *w)
{
	return w->link.delay[STUN_OUTWARDS] + w->link.delay[STUN_INWARDS];
}

static int64_t handshake(const struct stun_world *w)
{
	return w->handshake ? w->handshake : link_rtt(w);
}

static void tcp_ends(struct stun_world *w)
{
	struct endpoint mapped = { .addr = w->gateway.public[0], .port = 43210 };

	if (w->tcp == NAT_TCP_ANSWERED)
		probe_tcp(w->probe, w->now, w->tcp, link_rtt(w), &mapped);
	else
		probe_tcp(w->probe, w->now, w->tcp, w->tcp == NAT_TCP_REFUSED ? handshake(w) : 0, NULL);
}

static void happen(struct stun_world *w, struct stun_event *e)
{
	switch (e->what) {
	case AT_SERVER:
		at_server(w, e);
		break;
	case AT_GATEWAY:
		at_gateway(w, e);
		break;
	case AT_CLIENT:
		at_client(w, e);
		break;
	case ICMP:
		probe_barred(w->probe, w->now, e->socket, &e->to, e->bar);
		break;
	case TCP:
		tcp_ends(w);
		break;
	}
}

static struct stun_event *next_event(struct stun_world *w)
{
	struct stun_event *next = NULL;

	for (size_t i = 0; i < w->n_events; i++) {
		struct stun_event *e = &w->events[i];

		if (!next || e->time < next->time || (e->time == next->time && e->number < next->number))
			next = e;
	}
	return next;
}

static bool is_for_client(const struct stun_event *e)
{
	return e->what == AT_CLIENT || e->what == ICMP || e->what == TCP;
}

/* What is for the client waits until it looks; now is the event's own time otherwise. */
static void take_event(struct stun_world *w, struct stun_event *e, int64_t now)
{
	struct stun_event taken = *e;

	*e = w->events[--w->n_events];
	w->now = now;
	happen(w, &taken);
}

/* Runs the network until something is there for the client, and returns when; at most until that time. */
static int64_t run_network(struct stun_world *w, int64_t until)
{
	struct stun_event *e;

	while ((e = next_event(w)) && e->time <= until && !is_for_client(e))
		take_event(w, e, e->time);
	return e && e->time <= until ? e->time : until;
}

/* The client looks at this time, and takes what has come. */
static void let_look(struct stun_world *w, int64_t time)
{
	for (struct stun_event *e; (e = next_event(w)) && e->time <= time;)
		take_event(w, e, is_for_client(e) ? time : e->time);
	w->now = time;
}

/* --- the client --- */

static void check_recipient(const struct stun_world *w, const struct probe_datagram *d)
{
	char to[ENDPOINT_STRLEN];

	for (enum nat_site site = 0; site < (d->socket == PROBE_F ? NAT_A1P2 : NAT_SITES); site++) {
		struct endpoint ep = stun_world_site(w, site);

		if (endpoint_equal(&ep, &d->to))
			return;
	}
	ck_abort_msg("%s sends to %s", d->socket == PROBE_F ? "F" : "M", endpoint_format(&d->to, to));
}

/* The gateway or the host itself says no. */
static bool is_blocked(struct stun_world *w, const struct probe_datagram *d)
{
	static const enum nat_bar bars[] = { [STUN_PROHIBIT] = NAT_BAR_PROHIBITED,
					     [STUN_NO_ROUTE] = NAT_BAR_UNREACHABLE };

	switch (w->gateway.block) {
	case STUN_PASS:
		return false;
	case STUN_DROP:
		return true;
	case STUN_NOT_SENT:
		probe_barred(w->probe, w->now, d->socket, &d->to, NAT_BAR_LOCAL);
		return true;
	default:
		stun_world_icmp(w, GATEWAY_DELAY, d->socket, &d->to, bars[w->gateway.block]);
		return true;
	}
}

static void client_sends(struct stun_world *w, const struct probe_datagram *d)
{
	struct stun_event model = { .time = w->now, .to = d->to };

	STUN_MUST(w->n_sent < PROBE_DATAGRAMS_MAX, "too many datagrams");
	STUN_MUST(d->test && *d->test, "a test without a name");
	check_recipient(w, d);
	w->sent[w->n_sent++] = (struct stun_sent){ .time = w->now - w->begin, .socket = d->socket, .to = d->to,
						   .change = stun_request_change(d->bytes, d->len) };
	if (is_blocked(w, d) || stun_link_polices(w, d->socket))
		return;
	if (w->link.near && stun_link_loses(w, STUN_OUTWARDS))
		return;
	model.from = stun_gateway_out(w, &w->local[d->socket], &d->to);
	set_bytes(&model.message, d->bytes, d->len);
	travel(w, STUN_OUTWARDS, &model);
}

/* Somebody near may shake hands in the server's place; to answer is the server's own. */
static void client_tries_tcp(struct stun_world *w)
{
	STUN_MUST(!w->tried_tcp, "TCP is wanted twice");
	w->tried_tcp = true;
	if (w->tcp == NAT_TCP_ANSWERED)
		add_event(w, TCP, w->now + handshake(w) + link_rtt(w));
	else if (w->tcp == NAT_TCP_REFUSED)
		add_event(w, TCP, w->now + handshake(w));
	else if (w->tcp == NAT_TCP_SILENT)
		add_event(w, TCP, w->now + 2 * SECOND);
}

static void client_acts(struct stun_world *w)
{
	struct probe_datagram d;

	while (probe_next(w->probe, w->now, &d))
		client_sends(w, &d);
	if (probe_wants_tcp(w->probe, w->now))
		client_tries_tcp(w);
}

/* A client that is ready may be kept from running. */
static int64_t delayed(struct stun_world *w, int64_t time)
{
	int64_t stop = w->begin + w->stop;

	if (w->late)
		time += (int64_t)given_below(&w->seed, (uint32_t)w->late);
	if (time >= stop && time < stop + w->stopped)
		time = stop + w->stopped;
	return time;
}

/* Waits for the probe's time, or for something to come. */
static void client_waits(struct stun_world *w)
{
	int64_t wake = probe_wake(w->probe);
	int64_t before = w->now;
	int64_t ready = run_network(w, wake);

	STUN_MUST(ready != PROBE_NEVER, "not done, and nothing to wait for");
	w->n_timers += ready == wake;
	STUN_MUST(w->n_timers <= 2 * w->n_sent + 10, "woken up %zu times for %zu datagrams", w->n_timers,
		  w->n_sent);
	let_look(w, delayed(w, ready > before ? ready : before));
}

static void check_silence(struct stun_world *w)
{
	struct probe_datagram d;

	STUN_MUST(!probe_next(w->probe, w->now, &d), "it sends though it is done");
	STUN_MUST(!probe_wants_tcp(w->probe, w->now), "it wants TCP though it is done");
	STUN_MUST(probe_is_done(w->probe, w->now), "it is no longer done");
	STUN_MUST(probe_wake(w->probe) == PROBE_NEVER, "it wants to be woken up though it is done");
}

/* Whatever comes when it is done: what it found stays as it is. */
static void check_deafness(struct stun_world *w)
{
	const struct endpoint mapped = { .addr = w->gateway.public[0], .port = 43210 };

	for (enum nat_site site = 0; site < NAT_SITES; site++) {
		struct endpoint to = stun_world_site(w, site);

		for (enum nat_bar bar = NAT_BAR_DOWN; bar <= NAT_BAR_LOCAL; bar++) {
			probe_barred(w->probe, w->now, PROBE_F, &to, bar);
			probe_barred(w->probe, w->now, PROBE_M, &to, bar);
		}
	}
	probe_tcp(w->probe, w->now, NAT_TCP_ANSWERED, link_rtt(w), &mapped);
	STUN_MUST(memcmp(probe_evidence(w->probe), &w->evidence, sizeof(w->evidence)) == 0,
		  "the evidence changes though it is done");
}

/* What is still on its way comes in, and time goes by: it says nothing any more. */
static void let_quiet_down(struct stun_world *w)
{
	check_silence(w);
	for (const struct stun_event *e; (e = next_event(w));) {
		let_look(w, e->time > w->now ? e->time : w->now);
		check_silence(w);
	}
	for (int i = 0; i < 5; i++, w->now += SECOND) {
		check_deafness(w);
		check_silence(w);
	}
}

static void probe_chance(void *context, void *buf, size_t len)
{
	struct stun_world *w = context;

	for (size_t i = 0; i < len; i++)
		((uint8_t *)buf)[i] = (uint8_t)given_random(&w->seed);
}

static void settle_gateway(struct stun_world *w, const struct addr *client)
{
	if (w->gateway.mapping == NAT_BEHAVIOUR_NONE) {
		w->gateway.public[0] = *client;
	} else if (w->gateway.n_public == 0) {
		w->gateway.public[0] = given_addr(w->ipv6 ? "2001:db8:7::7" : "203.0.113.7");
		w->gateway.n_public = 1;
	}
}

static void settle(struct stun_world *w)
{
	bool inside = w->gateway.mapping != NAT_BEHAVIOUR_NONE;
	struct addr a = w->ipv6 ? given_addr(inside ? "fd00::10" : "2001:db8:6::10") :
				  given_addr(inside ? "192.168.1.10" : "192.0.2.10");
	const struct endpoint local[] = { [PROBE_F] = { a, 40001 }, [PROBE_M] = { a, 50002 } };
	struct endpoint server = stun_world_site(w, NAT_A1P1);

	memcpy(w->local, local, sizeof(local));
	settle_gateway(w, &a);
	for (size_t i = 0; i < w->n_events; i++)
		w->events[i].time += BEGIN;
	w->now = w->begin = BEGIN;
	w->probe = probe_new(&server, local, probe_chance, w, w->now);
	STUN_MUST(w->probe, "out of memory");
}

static void clear(struct stun_world *w)
{
	probe_free(w->probe);
	free(w->events);
	w->probe = NULL;
	w->events = NULL;
	w->n_events = 0;
}

void stun_world_run(struct stun_world *w)
{
	settle(w);
	for (;;) {
		client_acts(w);
		if (probe_is_done(w->probe, w->now))
			break;
		client_waits(w);
		STUN_MUST(w->now - w->begin < LONGEST, "it is not done after a minute");
	}
	w->took = w->now - w->begin;
	memcpy(&w->evidence, probe_evidence(w->probe), sizeof(w->evidence)); /* every byte: to be compared */
	nat_judge(&w->evidence, &w->verdict);
	STUN_MUST(w->evidence.sent == w->n_sent, "%zu sent, not %u", w->n_sent, w->evidence.sent);
	STUN_MUST(w->evidence.received == w->n_counted, "%zu counted, not %u", w->n_counted,
		  w->evidence.received);
	let_quiet_down(w);
	clear(w);
}

void stun_world_expect(const struct stun_world *w, enum nat_type type, enum nat_behaviour mapping,
		       enum nat_behaviour filtering)
{
	const struct nat_verdict *v = &w->verdict;

	ck_assert_msg(v->type == type && v->mapping == mapping && v->filtering == filtering,
		      "%s, %s, %s; should be %s, %s, %s", nat_type_name(v->type),
		      nat_behaviour_name(v->mapping), nat_behaviour_name(v->filtering), nat_type_name(type),
		      nat_behaviour_name(mapping), nat_behaviour_name(filtering));
}

void stun_world_expect_truth(const struct stun_world *w, enum nat_type type)
{
	stun_world_expect(w, type, w->gateway.mapping, w->gateway.filtering);
}
