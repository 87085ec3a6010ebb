/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe_internal.h"

#define MS INT64_C(1000)

/*
 * A round is the tests I, II and III, sent together: I is the control. That II
 * or III do not come back means something only if I did, and often enough: of
 * 6 rounds a passing test is lost in all with a chance of 1e-6 at 5 % loss each
 * way. Every control that is lost itself asks for two more that are answered.
 * The interval keeps the whole below a third of a second at an RTT of 50 ms,
 * yet is not so short that one gap of 0.1 s swallows the rounds of a test.
 */
#define ROUND_INTERVAL (40 * MS)
#define ROUNDS 6
#define ROUNDS_AT_LEAST 5 /* answered, when rounds or datagrams run out: a chance of 1e-5 */

/* The first rounds go without CHANGE-REQUEST, later ones with an empty one, until a server answers. */
#define BARE_ROUNDS 3

#define TCP_START (250 * MS)
#define SILENCE_MIN (900 * MS)
#define SILENCE_MAX (2900 * MS) /* with all around it, within 3 s */

/* When M asks A1:P1 while nobody answers. Before SILENCE_MIN there is time for a short outage to end. */
static const int64_t blind[] = { 0, 80 * MS, 160 * MS, 400 * MS, 700 * MS, 1100 * MS, 1600 * MS, 2300 * MS };
#define BLIND_LAST (700 * MS) /* the last one that must have had its time when TCP works */

const struct probe_test_row probe_tests[PROBE_TESTS] = {
	[PROBE_TEST_I] = { "I", PROBE_F, NAT_A1P1, NAT_A1P1, STUN_CHANGE_ABSENT },
	[PROBE_TEST_II] = { "II", PROBE_F, NAT_A1P1, NAT_A2P2, STUN_CHANGE_BOTH },
	[PROBE_TEST_III] = { "III", PROBE_F, NAT_A1P1, NAT_A1P2, STUN_CHANGE_PORT },
	[PROBE_TEST_A1P1] = { "map A1:P1", PROBE_M, NAT_A1P1, NAT_A1P1, STUN_CHANGE_ABSENT },
	[PROBE_TEST_A1P2] = { "map A1:P2", PROBE_M, NAT_A1P2, NAT_A1P2, STUN_CHANGE_ABSENT },
	[PROBE_TEST_A2P1] = { "map A2:P1", PROBE_M, NAT_A2P1, NAT_A2P1, STUN_CHANGE_ABSENT },
	[PROBE_TEST_A2P2] = { "map A2:P2", PROBE_M, NAT_A2P2, NAT_A2P2, STUN_CHANGE_ABSENT },
	[PROBE_TEST_PROOF_BOTH] = { "proof II", PROBE_M, NAT_A1P1, NAT_A2P2, STUN_CHANGE_BOTH },
	[PROBE_TEST_PROOF_PORT] = { "proof III", PROBE_M, NAT_A1P1, NAT_A1P2, STUN_CHANGE_PORT },
};

struct probe *probe_new(const struct endpoint *server, const struct endpoint local[static PROBE_SOCKETS],
			probe_random *random, void *context, int64_t now)
{
	struct probe *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->ev.server = p->sites[NAT_A1P1] = *server;
	p->ev.local_f = local[PROBE_F];
	p->ev.local_m = local[PROBE_M];
	p->start = p->next_round = p->round_wake = now;
	p->random = random;
	p->context = context;
	for (enum probe_test t = 0; t < PROBE_TESTS; t++) {
		p->progress[t].due = PROBE_NEVER;
		p->progress[t].left = PROBE_MAPPING_TRIES;
	}
	p->progress[PROBE_TEST_A1P1].due = now;
	p->progress[PROBE_TEST_A1P1].left = ARRAY_LEN(blind);
	return p;
}

void probe_free(struct probe *p)
{
	free(p);
}

enum nat_reply *probe_reply_to(struct probe *p, enum probe_test t)
{
	switch (t) {
	case PROBE_TEST_I:
		return &p->ev.plain.reply;
	case PROBE_TEST_II:
		return &p->ev.change_both;
	case PROBE_TEST_III:
		return &p->ev.change_port;
	case PROBE_TEST_PROOF_BOTH:
		return &p->ev.proof_both;
	case PROBE_TEST_PROOF_PORT:
		return &p->ev.proof_port;
	default:
		return &p->ev.mapping[t - PROBE_TEST_A1P1].reply;
	}
}

static bool is_answered(struct probe *p, enum probe_test t)
{
	return *probe_reply_to(p, t) == NAT_ANSWERED;
}

void probe_end_test(struct probe *p, enum probe_test t, enum nat_reply reply)
{
	*probe_reply_to(p, t) = reply;
	p->progress[t].over = true;
	p->progress[t].due = PROBE_NEVER;
}

/* No more rounds are needed once II came through, or the server was found not to do what II asks for. */
static bool filtering_is_over(const struct probe *p)
{
	return p->progress[PROBE_TEST_II].over;
}

int64_t probe_patience(const struct probe *p)
{
	return p->rtt_max + (p->rtt_max / 2 > 20 * MS ? p->rtt_max / 2 : 20 * MS);
}

bool probe_is_usable_mapped(const struct probe *p, const struct endpoint *mapped)
{
	enum addr_scope scope = addr_scope(&mapped->addr);

	if (mapped->addr.family != p->ev.server.addr.family || mapped->port == 0 || scope == ADDR_SPECIAL)
		return false;
	/* Nobody is seen there but by who is there himself. */
	return (scope != ADDR_LOOPBACK && scope != ADDR_LINK_LOCAL) || scope == addr_scope(&p->ev.server.addr);
}

/* Does the NAT change our endpoint? Unless known, assume it does. */
static bool is_translated(const struct probe *p)
{
	if (p->ev.mapping[NAT_A1P1].reply == NAT_ANSWERED)
		return !endpoint_equal(&p->ev.mapping[NAT_A1P1].mapped, &p->ev.local_m);
	if (p->ev.plain.reply == NAT_ANSWERED)
		return !endpoint_equal(&p->ev.plain.mapped, &p->ev.local_f);
	return true;
}

/* --- what to ask next ------------------------------------------------------ */

static bool is_needed(struct probe *p, enum probe_test t)
{
	switch (t) {
	case PROBE_TEST_A1P2:
	case PROBE_TEST_A2P1:
	case PROBE_TEST_A2P2:
		/* Without translation they only prepare the proofs. */
		return is_translated(p) || (t != PROBE_TEST_A2P1 && !is_answered(p, PROBE_TEST_II));
	case PROBE_TEST_PROOF_BOTH:
		return !is_answered(p, PROBE_TEST_II);
	case PROBE_TEST_PROOF_PORT:
		return !is_answered(p, PROBE_TEST_II) && !is_answered(p, PROBE_TEST_III);
	default:
		return true;
	}
}

static unsigned left_for_mapping(struct probe *p)
{
	unsigned n = 1;

	for (enum probe_test t = PROBE_TEST_A1P1; t < PROBE_TESTS; t++)
		n += !p->progress[t].over;
	return n;
}

static bool may_have_another_round(struct probe *p)
{
	return p->n_rounds < PROBE_ROUNDS_MAX && p->ev.sent + 3 + left_for_mapping(p) <= PROBE_DATAGRAMS_MAX;
}

static void start_round(struct probe *p, int64_t now)
{
	p->rounds[p->n_rounds++].sent = now;
	p->next_round = now + ROUND_INTERVAL;
	for (enum probe_test t = PROBE_TEST_I; t <= PROBE_TEST_III; t++)
		if (t == PROBE_TEST_I || !p->progress[t].over)
			p->progress[t].due = now;
}

void probe_stop_rounds(struct probe *p)
{
	for (enum probe_test t = PROBE_TEST_I; t <= PROBE_TEST_III; t++)
		p->progress[t].due = PROBE_NEVER;
	p->round_wake = PROBE_NEVER;
}

static void conclude_filtering(struct probe *p, enum nat_reply reply)
{
	for (enum probe_test t = PROBE_TEST_II; t <= PROBE_TEST_III; t++)
		if (!p->progress[t].over)
			probe_end_test(p, t, reply);
	probe_stop_rounds(p);
}

/* Is it time for another round, or is the silence of II and III proven? */
static void update_rounds(struct probe *p, int64_t now)
{
	unsigned heard = 0, lost = 0;

	p->round_wake = PROBE_NEVER;
	for (unsigned i = 0; p->answered && i < p->n_rounds; i++) {
		if (now < p->rounds[i].sent + probe_patience(p)) {
			p->round_wake = p->rounds[i].sent + probe_patience(p);
			break;
		}
		if (p->rounds[i].answered && !p->rounds[i].spoilt)
			heard++;
		else
			lost++;
	}
	if (p->answered && heard >= ROUNDS + 2 * lost) {
		conclude_filtering(p, NAT_SILENT);
	} else if (p->n_rounds < ROUNDS + 3 * lost && may_have_another_round(p)) {
		if (now >= p->next_round)
			start_round(p, now);
		p->round_wake = probe_earlier(p->round_wake, p->next_round);
	} else if (p->answered && heard + lost == p->n_rounds) {
		conclude_filtering(p, heard >= ROUNDS_AT_LEAST ? NAT_SILENT : NAT_UNDECIDED);
	}
}

static void ask(struct probe *p, enum probe_test t, int64_t now)
{
	if (*probe_reply_to(p, t) == NAT_NOT_ASKED && p->progress[t].due == PROBE_NEVER)
		p->progress[t].due = now;
}

static bool same_mapping(struct probe *p, enum nat_site site)
{
	return is_answered(p, (enum probe_test)(PROBE_TEST_A1P1 + site)) && is_answered(p, PROBE_TEST_A1P1) &&
	       endpoint_equal(&p->ev.mapping[site].mapped, &p->ev.mapping[NAT_A1P1].mapped);
}

/*
 * M's turn: the other three sites; and when one has answered, its filter is
 * open to M, so that a changed reply from there must get through. Not if the
 * mapping is another one there: that reply would come to the first.
 */
static void update_mapping(struct probe *p, int64_t now)
{
	for (enum probe_test t = PROBE_TEST_A1P1; t < PROBE_TESTS; t++) {
		struct probe_progress *g = &p->progress[t];

		if (g->due <= now && (g->left == 0 || p->ev.sent == PROBE_DATAGRAMS_MAX))
			probe_end_test(p, t, g->left == 0 && g->errors == 0 ? NAT_SILENT : NAT_UNDECIDED);
	}
	if (p->ev.other_state != NAT_OTHER_USABLE)
		return;
	for (enum probe_test t = PROBE_TEST_A1P2; t < PROBE_TEST_PROOF_BOTH; t++)
		if (is_needed(p, t))
			ask(p, t, now);
	if (same_mapping(p, NAT_A2P2) && is_needed(p, PROBE_TEST_PROOF_BOTH))
		ask(p, PROBE_TEST_PROOF_BOTH, now);
	if (same_mapping(p, NAT_A1P2) && is_needed(p, PROBE_TEST_PROOF_PORT))
		ask(p, PROBE_TEST_PROOF_PORT, now);
}

/* When silence over UDP is believed. */
static int64_t silence_end(const struct probe *p)
{
	int64_t time = BLIND_LAST + 3 * p->tcp_rtt;

	/* A reset may come from a firewall that is near: it says nothing of the time that the server needs. */
	if (p->ev.tcp != NAT_TCP_ANSWERED)
		time = SILENCE_MAX;
	else if (time < SILENCE_MIN)
		time = SILENCE_MIN;
	return p->start + (time < SILENCE_MAX ? time : SILENCE_MAX);
}

static bool has_open_test(struct probe *p)
{
	for (enum probe_test t = PROBE_TEST_A1P1; t < PROBE_TESTS; t++)
		if (p->progress[t].due != PROBE_NEVER && is_needed(p, t))
			return true;
	return false;
}

static bool has_finished(struct probe *p, int64_t now)
{
	if (p->ev.bar != NAT_BAR_NONE)
		return true;
	if (!p->answered)
		return now >= silence_end(p);
	if (p->ev.other_state != NAT_OTHER_USABLE)
		return true;
	return filtering_is_over(p) && !has_open_test(p);
}

static void finish(struct probe *p)
{
	if (!p->answered && p->ev.bar == NAT_BAR_NONE) {
		probe_end_test(p, PROBE_TEST_I, NAT_SILENT);
		probe_end_test(p, PROBE_TEST_A1P1, NAT_SILENT);
		if (p->heard) /* UDP gets through; what comes is of no use */
			p->ev.bar = NAT_BAR_ERROR;
	}
	if (p->tcp_asked && !p->tcp_told && !p->answered)
		p->ev.tcp = NAT_TCP_SILENT;
	p->done = true;
}

void probe_update(struct probe *p, int64_t now)
{
	if (!p->done && !filtering_is_over(p) && p->ev.bar == NAT_BAR_NONE)
		update_rounds(p, now);
	if (!p->done)
		update_mapping(p, now);
	if (!p->done && has_finished(p, now))
		finish(p);
}

/* --- sending --------------------------------------------------------------- */

/* When M asks again, if nobody answers this time. */
static int64_t next_try(const struct probe *p, enum probe_test t, int64_t now)
{
	unsigned left = p->progress[t].left;
	unsigned sent = left < PROBE_MAPPING_TRIES ? PROBE_MAPPING_TRIES - left : 1;

	if (p->answered) /* 1, 1, 2, 3, 4 times: five in a row would be lost in one short outage */
		return now + probe_patience(p) * (sent > 2 ? sent - 1 : 1);
	return left > 0 ? p->start + blind[ARRAY_LEN(blind) - left] : silence_end(p);
}

/* The oldest servers fail on requests with attributes; a few others answer only those with CHANGE-REQUEST. */
static enum stun_change change_of(const struct probe *p, enum probe_test t)
{
	unsigned tries;

	if (!probe_is_plain(t))
		return probe_tests[t].change;
	if (p->answered)
		return p->plain;
	/* This one is counted already. */
	tries = t == PROBE_TEST_I ? p->n_rounds - 1 : (unsigned)ARRAY_LEN(blind) - p->progress[t].left - 1;
	return tries < BARE_ROUNDS ? STUN_CHANGE_ABSENT : STUN_CHANGE_NOTHING;
}

static void compose(struct probe *p, enum probe_test t, int64_t now, struct probe_datagram *out)
{
	struct probe_request *r = &p->requests[p->ev.sent++];

	*r = (struct probe_request){ .test = t, .change = change_of(p, t), .sent = now };
	if (probe_tests[t].socket == PROBE_F)
		r->round = p->n_rounds - 1;
	p->random(p->context, &r->id, sizeof(r->id));
	out->socket = probe_tests[t].socket;
	out->to = p->sites[probe_tests[t].to];
	out->test = probe_tests[t].name;
	out->len = stun_msg_request(&r->id, r->change, out->bytes);
	if (*probe_reply_to(p, t) == NAT_NOT_ASKED)
		*probe_reply_to(p, t) = NAT_UNDECIDED;
}

/*
 * Each round begins with another test: who drops the end of every burst would
 * let the control through each time, and II and III never.
 */
static enum probe_test nth_test(const struct probe *p, unsigned i)
{
	return (enum probe_test)(i <= PROBE_TEST_III ? (i + p->n_rounds + 2) % 3 : i);
}

bool probe_next(struct probe *p, int64_t now, struct probe_datagram *out)
{
	probe_update(p, now);
	for (unsigned i = 0; !p->done && i < PROBE_TESTS; i++) {
		enum probe_test t = nth_test(p, i);
		struct probe_progress *g = &p->progress[t];

		if (g->due > now || p->ev.sent == PROBE_DATAGRAMS_MAX)
			continue;
		g->due = PROBE_NEVER;
		if (!is_needed(p, t))
			continue;
		if (probe_tests[t].socket == PROBE_M)
			g->left--;
		compose(p, t, now, out);
		if (probe_tests[t].socket == PROBE_M)
			g->due = next_try(p, t, now);
		return true;
	}
	return false;
}

int64_t probe_wake(const struct probe *p)
{
	int64_t wake = p->answered ? PROBE_NEVER : silence_end(p);

	if (p->done)
		return PROBE_NEVER;
	for (enum probe_test t = 0; t < PROBE_TESTS; t++)
		wake = probe_earlier(wake, p->progress[t].due);
	if (!p->answered && !p->tcp_asked)
		wake = probe_earlier(wake, p->start + TCP_START);
	return probe_earlier(wake, p->round_wake);
}

/*
 * "Unreachable" is a hint only, as routes change (RFC 1122 3.2.2.1), and our own
 * kernel refuses a datagram also when its connection table is full: either has to
 * be said again in a later round.
 */
static bool is_believed(struct probe *p, int64_t now, enum nat_bar bar)
{
	if (bar == NAT_BAR_DOWN || bar == NAT_BAR_PROHIBITED)
		return true;
	if (p->hint != bar) {
		p->hint = bar;
		p->hint_time = now;
	}
	return now - p->hint_time >= ROUND_INTERVAL / 2;
}

void probe_barred(struct probe *p, int64_t now, enum probe_socket socket, const struct endpoint *to,
		  enum nat_bar bar)
{
	if (p->done)
		return;
	if (endpoint_equal(to, &p->ev.server)) {
		if (!p->heard && is_believed(p, now, bar)) /* who has answered is not down */
			p->ev.bar = bar;
	} else if (socket == PROBE_M && p->ev.other_state == NAT_OTHER_USABLE) {
		for (enum probe_test t = PROBE_TEST_A1P2; t < PROBE_TEST_PROOF_BOTH; t++)
			if (!p->progress[t].over && endpoint_equal(to, &p->sites[probe_tests[t].to]))
				probe_end_test(p, t, NAT_NO_ENTRY);
	}
	probe_update(p, now);
}

bool probe_wants_tcp(struct probe *p, int64_t now)
{
	if (p->done || p->answered || p->tcp_asked || now < p->start + TCP_START)
		return false;
	p->tcp_asked = true;
	return true;
}

void probe_tcp(struct probe *p, int64_t now, enum nat_tcp outcome, int64_t rtt, const struct endpoint *mapped)
{
	if (p->done || p->tcp_told)
		return;
	p->tcp_told = true;
	p->tcp_rtt = rtt;
	p->ev.tcp = outcome;
	if (!p->answered && (outcome == NAT_TCP_ANSWERED || outcome == NAT_TCP_REFUSED)) {
		/* The host is there: one more chance for UDP, between those of the plan. */
		p->progress[PROBE_TEST_A1P1].left++;
		p->progress[PROBE_TEST_A1P1].due = now;
	}
	if (outcome == NAT_TCP_ANSWERED && mapped && probe_is_usable_mapped(p, mapped))
		p->ev.tcp_mapped = *mapped;
	probe_update(p, now);
}

bool probe_is_done(struct probe *p, int64_t now)
{
	probe_update(p, now);
	return p->done;
}

bool probe_has_answer(const struct probe *p)
{
	return p->answered;
}

const struct nat_evidence *probe_evidence(const struct probe *p)
{
	return &p->ev;
}
