/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "discovery_internal.h"

#include <poll.h>
#include <stdio.h>
#include <time.h>

#define MS INT64_C(1000)
#define AT_A_TIME 2             /* servers that are examined */
#define AT_A_TIME_IN_SILENCE 4  /* when none of those has said a word for SILENCE */
#define SILENCE (500 * MS)
#define PATIENCE (1000 * MS)    /* with a verdict in hand, or for a third opinion */

static void run_end(struct run *r)
{
	for (size_t i = 0; i < r->n; i++)
		exam_end(&r->exams[i]);
}

void discovery_tick(struct run *r)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	r->now = (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* --- all servers ----------------------------------------------------------- */

static void judge(const struct exam *x, struct nat_verdict *out)
{
	static const struct nat_evidence nothing;

	nat_judge(x->probe ? probe_evidence(x->probe) : &nothing, out);
}

/* Does any server contradict another one, so far? */
static bool is_disputed(const struct nat_verdict verdicts[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n; k++)
			if (nat_disagree(&verdicts[i], &verdicts[k]))
				return true;
	return false;
}

/* How the examinations stand. */
struct standing {
	size_t active;  /* go on */
	size_t mute;    /* of these: have had no answer yet */
	size_t typed;   /* have ended with a type */
	size_t blocked; /* have ended: nothing comes back */
	size_t seen;    /* their servers have told where they see us */
	bool disputed;
};

static struct standing stand(struct run *r)
{
	struct nat_verdict verdicts[DISCOVERY_SERVERS_MAX];
	struct standing s = { 0 };

	for (size_t i = 0; i < r->n; i++) {
		struct exam *x = &r->exams[i];
		bool active = exam_is_active(r, x); /* first: it may end by this, and conclude */

		judge(x, &verdicts[i]);
		s.seen += exam_has_answer(x);
		if (active) {
			s.active++;
			s.mute += !exam_has_answer(x);
		} else {
			s.typed += nat_has_type(&verdicts[i]);
			s.blocked += verdicts[i].type == NAT_BLOCKED;
		}
	}
	s.disputed = is_disputed(verdicts, r->n);
	return s;
}

/* How many servers should be in examination, or have been to some end. */
static size_t wanted(const struct run *r, const struct standing *s)
{
	if (s->disputed)
		return AT_A_TIME + 1;
	if (s->typed > 0 && s->seen > 1)
		return 0;
	if (s->seen == 0 && r->now >= r->start + SILENCE)
		return AT_A_TIME_IN_SILENCE;
	return AT_A_TIME;
}

/* Two addresses of one server are no second opinion: the second is for when the first says nothing. */
static bool may_start(struct run *r, size_t index)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct exam *x = &r->exams[i];

		if (r->plan->servers[index].group == x->group &&
		    (exam_has_answer(x) || (exam_is_active(r, x) && r->now < x->started + SILENCE)))
			return false;
	}
	return !r->asked[index];
}

/* The first server by preference that may be asked, or n_servers. */
static size_t next_server(struct run *r)
{
	size_t i = 0;

	while (i < r->plan->n_servers && !may_start(r, i))
		i++;
	return i;
}

/* Starts examinations; errors of single servers are kept for the case that all fail. */
static void start_more(struct err *e, struct run *r)
{
	for (;;) {
		struct standing s = stand(r);
		size_t next = next_server(r);
		struct err failure;

		if (s.active + s.typed + s.blocked >= wanted(r, &s) || next == r->plan->n_servers ||
		    r->n == DISCOVERY_SERVERS_MAX)
			return;
		r->asked[next] = true;
		if (exam_start(&failure, r, &r->plan->servers[next]) < 0 && e->code == 0)
			*e = failure;
	}
}

/*
 * Who has answered may come to an end, so that the quickest verdict, which is
 * the most open one, is not taken for the only one; and with a verdict in hand
 * the others are waited for as long again as that took, if there is nobody yet
 * to compare with. All that within reason.
 */
static bool is_over(struct run *r, const struct standing *s)
{
	int64_t took = r->now - r->start;

	if (s->active == 0 || took >= r->plan->limit)
		return true;
	if (s->typed == 0)
		return s->seen == 0 && s->blocked >= AT_A_TIME;
	if (r->compare_end == 0) {
		r->compare_end = r->now + (took < 100 * MS ? 100 * MS : took < 500 * MS ? took : 500 * MS);
		r->end = r->now + PATIENCE;
	}
	if (s->disputed && !r->disputed) {
		r->disputed = true;
		r->end = r->now + PATIENCE;
	}
	if (r->now >= r->end)
		return true;
	if (s->active > s->mute)
		return false;
	return s->disputed ? s->typed > AT_A_TIME : s->seen > 1 || r->now >= r->compare_end;
}

static int64_t wake_time(struct run *r)
{
	int64_t wake = r->start + r->plan->limit;

	if (r->compare_end > r->now && r->compare_end < wake)
		wake = r->compare_end;
	if (r->end > r->now && r->end < wake)
		wake = r->end;
	if (r->now < r->start + SILENCE && r->start + SILENCE < wake)
		wake = r->start + SILENCE;
	for (size_t i = 0; i < r->n; i++)
		if (exam_is_active(r, &r->exams[i]) && exam_wake(&r->exams[i]) < wake)
			wake = exam_wake(&r->exams[i]);
	return wake;
}

/* Waits for datagrams until the next timer, and takes them. */
static int wait_and_receive(struct err *e, struct run *r)
{
	struct pollfd fds[DISCOVERY_SERVERS_MAX * (PROBE_SOCKETS + 1)];
	int64_t left = wake_time(r) - r->now;
	struct timespec timeout;
	nfds_t n = 0;

	for (size_t i = 0; i < r->n; i++) {
		struct exam *x = &r->exams[i];
		bool active = exam_is_active(r, x);

		for (size_t k = 0; k < PROBE_SOCKETS; k++)
			fds[n++] = (struct pollfd){ .fd = active ? x->fds[k] : -1, .events = POLLIN };
		fds[n++] = (struct pollfd){ .fd = active ? x->tcp.fd : -1, .events = x->tcp.events };
	}
	left = left > 0 ? left : 0;
	timeout = (struct timespec){ .tv_sec = left / 1000000, .tv_nsec = left % 1000000 * 1000 };
	if (ppoll(fds, n, &timeout, NULL) < 0)
		return err_sys(e, errno, "cannot wait for the servers");
	discovery_tick(r);
	for (size_t i = 0; i < r->n; i++)
		for (size_t k = 0; k < PROBE_SOCKETS; k++)
			if (fds[i * (PROBE_SOCKETS + 1) + k].revents && exam_is_active(r, &r->exams[i]))
				exam_receive(r, &r->exams[i], (enum probe_socket)k);
	return 0;
}

/* --- the outcome ----------------------------------------------------------- */

static const char *bar_text(const struct nat_evidence *ev, char *buf, size_t size)
{
	switch (ev->bar) {
	case NAT_BAR_DOWN:
		return "nobody listens there (ICMP port unreachable)";
	case NAT_BAR_UNREACHABLE:
		return "there is no way to it (ICMP unreachable)";
	default:
		if (ev->error)
			snprintf(buf, size, "it answers with error %u", ev->error);
		else
			snprintf(buf, size, "what it answers is of no use");
		return buf;
	}
}

/* Fails if there is nothing to judge from: all servers are down, or answer with errors. */
static int check_answers(struct err *e, const struct discovery *d)
{
	const struct nat_evidence *first = &d->servers[0].evidence;
	char text[ENDPOINT_STRLEN], why[64];
	bool error = false;

	for (size_t i = 0; i < d->n_servers; i++) {
		enum nat_bar bar = d->servers[i].evidence.bar;

		if (bar != NAT_BAR_DOWN && bar != NAT_BAR_UNREACHABLE && bar != NAT_BAR_ERROR)
			return 0;
		error |= bar == NAT_BAR_ERROR;
	}
	return err_set(e, error ? EPROTO : EHOSTUNREACH, "no STUN server is of use: %s: %s%s; name another one",
		       endpoint_format(&first->server, text), bar_text(first, why, sizeof(why)),
		       d->n_servers > 1 ? ", nor are the others" : "");
}

static void gather(struct run *r, struct discovery *d)
{
	struct nat_verdict verdicts[DISCOVERY_SERVERS_MAX];
	size_t from[DISCOVERY_SERVERS_MAX], n = 0;

	*d = (struct discovery){ .took = r->now - r->start };
	for (size_t i = 0; i < r->n; i++) {
		if (!r->exams[i].probe)
			continue;
		d->servers[n].server = r->exams[i].server;
		d->servers[n].evidence = *probe_evidence(r->exams[i].probe);
		judge(&r->exams[i], &d->servers[n].verdict);
		verdicts[n] = d->servers[n].verdict;
		from[n++] = i;
	}
	if (n == 0)
		return;
	d->n_servers = n;
	d->chosen = nat_combine(verdicts, n, &d->verdict);
	d->local = r->exams[from[d->chosen]].local[PROBE_M].addr;
}

int discovery_run(struct err *e, const struct discovery_plan *plan, struct discovery *out)
{
	CLEANUP(run_end) struct run r = { .plan = plan };
	struct err failure = { 0 };
	struct discovery d;

	discovery_tick(&r);
	r.start = r.now;
	for (;;) {
		struct standing s;

		start_more(&failure, &r);
		for (size_t i = 0; i < r.n; i++)
			if (exam_is_active(&r, &r.exams[i]))
				exam_step(&r, &r.exams[i]);
		s = stand(&r);
		if (is_over(&r, &s))
			break;
		if (wait_and_receive(e, &r) < 0)
			return -e->code;
	}
	gather(&r, &d);
	if (d.n_servers == 0) {
		*e = failure;
		return -e->code;
	}
	if (check_answers(e, &d) < 0)
		return -e->code;
	*out = d;
	return 0;
}
