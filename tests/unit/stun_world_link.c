/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The world's link: what is lost or doubled on it, and how long it takes. */
#include "stun_world.h"

static bool by_chance(struct stun_world *w, unsigned of_thousand)
{
	return of_thousand && given_below(&w->seed, 1000000) < of_thousand * 1000;
}

/*
 * A burst of four begins with a chance of q at each datagram that is not in one;
 * 4q / (1 + 3q) of all are lost then.
 */
bool stun_link_loses(struct stun_world *w, enum stun_direction direction)
{
	struct stun_link *l = &w->link;
	int64_t since_outage = w->now - w->begin - l->outage;

	if (++l->passed[direction] == l->lost[direction])
		return true;
	if (since_outage >= 0 && since_outage < l->outage_length)
		return true;
	if (!l->bursts)
		return by_chance(w, l->loss);
	if (l->burst_left[direction] == 0) {
		if (l->loss == 0 || given_below(&w->seed, 4000 - 3 * l->loss) >= l->loss)
			return false;
		l->burst_left[direction] = 4;
	}
	l->burst_left[direction]--;
	return true;
}

int64_t stun_link_delay(struct stun_world *w, enum stun_direction direction)
{
	int64_t delay = w->link.delay[direction];
	int64_t jitter = delay * w->link.jitter / 100;

	if (jitter == 0)
		return delay;
	return delay - jitter + (int64_t)given_below(&w->seed, (uint32_t)(2 * jitter + 1));
}

unsigned stun_link_copies(struct stun_world *w)
{
	return by_chance(w, w->link.duplicates) ? 2 : 1;
}

bool stun_link_polices(struct stun_world *w, enum probe_socket socket)
{
	int64_t last = w->link.last_sent[socket];

	w->link.last_sent[socket] = w->now;
	return last && w->now - last < w->link.policed;
}
