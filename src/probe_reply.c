/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe_internal.h"

#include <string.h>

#define ERRORS_MAX 3 /* of an error that may pass (5xx), or an answer without use, until we believe it */

static struct probe_request *find_request(struct probe *p, enum probe_socket socket, const struct stun_id *id)
{
	for (unsigned i = 0; i < p->ev.sent; i++)
		if (probe_tests[p->requests[i].test].socket == socket &&
		    memcmp(&p->requests[i].id, id, sizeof(*id)) == 0)
			return &p->requests[i];
	return NULL;
}

/* A server in a private network, or on this host, may have its other address there too. */
static bool is_usable_other(const struct endpoint *server, const struct endpoint *other)
{
	enum addr_scope scope = addr_scope(&other->addr);

	return other->addr.family == server->addr.family && other->port != 0 && other->port != server->port &&
	       !addr_equal(&other->addr, &server->addr) && scope != ADDR_SPECIAL &&
	       (scope == ADDR_GLOBAL || scope == addr_scope(&server->addr));
}

/* Is it a reply from where the test wants one? Ends the test, one way or the other. */
static bool check_source(struct probe *p, enum probe_test t, const struct endpoint *from)
{
	bool right = endpoint_equal(from, &p->sites[probe_tests[t].from]);

	probe_end_test(p, t, right ? NAT_ANSWERED : NAT_WRONG_SOURCE);
	if (t == PROBE_TEST_II)
		probe_stop_rounds(p);
	return right;
}

static void learn_other(struct probe *p, const struct endpoint *other)
{
	if (p->ev.other_state != NAT_OTHER_UNASKED)
		return;
	if (other->addr.family == AF_UNSPEC) {
		p->ev.other_state = NAT_OTHER_ABSENT;
		return;
	}
	if (!is_usable_other(&p->ev.server, other)) {
		p->ev.other_state = NAT_OTHER_UNUSABLE;
		return;
	}
	p->ev.other_state = NAT_OTHER_USABLE;
	p->ev.other = p->sites[NAT_A2P2] = *other;
	p->sites[NAT_A1P2] = (struct endpoint){ .addr = p->ev.server.addr, .port = other->port };
	p->sites[NAT_A2P1] = (struct endpoint){ .addr = other->addr, .port = p->ev.server.port };
	for (enum probe_test t = PROBE_TEST_II; t <= PROBE_TEST_III; t++)
		if (p->progress[t].early)
			check_source(p, t, &p->progress[t].early_from);
}

static void learn_rtt(struct probe *p, const struct probe_request *r, int64_t now)
{
	int64_t rtt = now > r->sent ? now - r->sent : 1;

	if (p->ev.rtt == 0)
		p->ev.rtt = rtt;
	if (p->rtt_max < rtt)
		p->rtt_max = rtt;
}

/* The server's first answer of use: from now on we know how long a reply takes, and what it wants to be asked. */
static void begin_to_know(struct probe *p, const struct probe_request *r, int64_t now)
{
	struct probe_progress *first = &p->progress[PROBE_TEST_A1P1];

	if (r->change == STUN_CHANGE_ABSENT || !p->answered)
		p->plain = r->change;
	if (p->answered)
		return;
	p->answered = true;
	first->left = PROBE_MAPPING_TRIES;
	first->due = probe_earlier(first->due, now + probe_patience(p));
}

static const char *take_plain(struct probe *p, struct probe_request *r, int64_t now, const struct endpoint *from,
			      const struct stun_response *m, bool *counted)
{
	const struct endpoint *mapped = m->xor_mapped.addr.family != AF_UNSPEC ? &m->xor_mapped : &m->mapped;
	struct nat_observation *o = r->test == PROBE_TEST_I ? &p->ev.plain : &p->ev.mapping[r->test - PROBE_TEST_A1P1];

	if (!endpoint_equal(from, &p->sites[probe_tests[r->test].from]))
		return "not from where it was sent to";
	if (!probe_is_usable_mapped(p, mapped)) {
		p->ev.odd_mapped = true;
		if (!p->answered && ++p->useless >= ERRORS_MAX)
			p->ev.bar = NAT_BAR_ERROR;
		return "without a mapped address of use";
	}
	if (m->mapped.addr.family != AF_UNSPEC && m->xor_mapped.addr.family != AF_UNSPEC &&
	    !endpoint_equal(&m->mapped, &m->xor_mapped))
		p->ev.rewritten = true;
	*counted = r->answered = true;
	learn_rtt(p, r, now);
	if (probe_tests[r->test].to == NAT_A1P1) {
		begin_to_know(p, r, now);
		learn_other(p, &m->other);
	}
	if (r->test == PROBE_TEST_I)
		p->rounds[r->round].answered = true;
	if (o->reply != NAT_ANSWERED)
		o->mapped = *mapped;
	else if (!endpoint_equal(&o->mapped, mapped))
		p->ev.unstable = true;
	if (r->test == PROBE_TEST_I)
		o->reply = NAT_ANSWERED; /* it goes on as the rounds' control */
	else
		probe_end_test(p, r->test, NAT_ANSWERED);
	return probe_tests[r->test].name;
}

/* Silence was a conclusion; an answer that comes later after all is a fact. */
static bool is_open(struct probe *p, enum probe_test t)
{
	return *probe_reply_to(p, t) == NAT_SILENT || *probe_reply_to(p, t) == NAT_UNDECIDED;
}

static const char *take_changed(struct probe *p, struct probe_request *r, const struct endpoint *from, bool *counted)
{
	*counted = r->answered = true;
	if (p->progress[r->test].over && !is_open(p, r->test))
		return probe_tests[r->test].name;
	if (p->ev.other_state == NAT_OTHER_UNASKED) {
		p->progress[r->test].early = true;
		p->progress[r->test].early_from = *from;
		return probe_tests[r->test].name;
	}
	return check_source(p, r->test, from) ? probe_tests[r->test].name : "not from the address that was asked for";
}

/*
 * An error response never is an answer (RFC 5780 5). 420 to an empty
 * CHANGE-REQUEST says nothing about bare requests, 3xx and 5xx may pass.
 */
static const char *take_error(struct probe *p, struct probe_request *r, const struct stun_response *m)
{
	bool passes = m->error < 400 || m->error >= 500;
	struct probe_progress *g = &p->progress[r->test];

	r->answered = true;
	if (probe_tests[r->test].socket == PROBE_F)
		p->rounds[r->round].spoilt = true;
	if (!p->answered)
		p->ev.error = m->error;
	if ((passes && ++g->errors < ERRORS_MAX) || (r->change == STUN_CHANGE_NOTHING && m->error == 420) || g->over)
		return "an error response";
	if (!probe_is_plain(r->test) || (r->test != PROBE_TEST_I && r->test != PROBE_TEST_A1P1)) {
		probe_end_test(p, r->test, NAT_REFUSED);
		if (r->test == PROBE_TEST_II)
			probe_stop_rounds(p);
	} else if (!p->answered) {
		p->ev.bar = NAT_BAR_ERROR;
	}
	return "an error response";
}

const char *probe_receive(struct probe *p, int64_t now, enum probe_socket socket, const struct endpoint *from,
			  const uint8_t *bytes, size_t len, bool *counted)
{
	struct stun_response m;
	struct probe_request *r;
	const char *note;
	struct err e;

	*counted = false;
	if (p->done)
		return "it is over";
	if (endpoint_equal(from, &p->ev.server))
		p->heard = true; /* whatever it is: UDP is not blocked */
	if (stun_msg_decode(&e, bytes, len, &m) < 0)
		return "no Binding response that can be read";
	r = find_request(p, socket, &m.id);
	if (!r)
		return "no request of ours has this transaction ID";
	if (r->answered)
		return "a repetition";
	p->heard = true;
	if (m.error)
		note = take_error(p, r, &m);
	else if (probe_is_plain(r->test))
		note = take_plain(p, r, now, from, &m, counted);
	else
		note = take_changed(p, r, from, counted);
	p->ev.received += *counted;
	probe_update(p, now);
	return note;
}
