/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gwstat_trend.h"

#include <string.h>

/* A service that is gone leaves what was last stored, which may be less. */
static uint64_t gained(uint64_t before, uint64_t now)
{
	return now > before ? now - before : 0;
}

static struct counters counters_gained(const struct counters *before, const struct counters *now)
{
	return (struct counters){ .conns = gained(before->conns, now->conns),
				  .inpkts = gained(before->inpkts, now->inpkts),
				  .outpkts = gained(before->outpkts, now->outpkts),
				  .inbytes = gained(before->inbytes, now->inbytes),
				  .outbytes = gained(before->outbytes, now->outbytes) };
}

static uint64_t per_second(uint64_t gain, int64_t ms)
{
	return (uint64_t)((double)gain * 1000 / (double)ms + 0.5);
}

/* Of two readings, as one may have a period more than the other; not of two that are minutes apart. */
static int64_t window_ms(const struct trend *t, int64_t before, int64_t now)
{
	int64_t window = 2 * (now - before);

	if (window < TREND_WINDOW_MS)
		window = TREND_WINDOW_MS;
	if (window > TREND_WINDOW_MAX_MS)
		window = TREND_WINDOW_MAX_MS;
	return window < now - t->since ? window : now - t->since;
}

static struct rates window_rates(const struct trend *t, int64_t before, int64_t now)
{
	int64_t end = now - t->gains[0].at < TREND_PAUSE_MS ? t->gains[0].at : now;
	/* A reading that comes between two of the kernel's has nothing; the gain before it counts instead. */
	int64_t slack = now - before < TREND_PAUSE_MS ? now - before : 0;
	int64_t window = window_ms(t, before, now), took = 0;
	struct counters sum = { 0 };

	for (size_t i = 0; i < TREND_GAINS && t->gains[i].took > 0 && t->gains[i].at > end - window - slack; i++) {
		counters_add(&sum, &t->gains[i].more);
		took += t->gains[i].took;
	}
	if (took < window)
		took = window;
	return (struct rates){ .cps = per_second(sum.conns, took),
			       .inpps = per_second(sum.inpkts, took),
			       .outpps = per_second(sum.outpkts, took),
			       .inbps = per_second(sum.inbytes, took),
			       .outbps = per_second(sum.outbytes, took) };
}

/* The marks that begin between the two times, and the present one, have the rate of now. */
static void mark(struct trend *t, int64_t before, int64_t now)
{
	int64_t passed = now / TREND_PERIOD_MS - before / TREND_PERIOD_MS;
	size_t n = passed < TREND_MARKS ? (size_t)passed : TREND_MARKS;
	uint64_t rate = t->rates.inbps + t->rates.outbps;

	memmove(t->marks + n, t->marks, (TREND_MARKS - n) * sizeof(t->marks[0]));
	for (size_t i = 0; i < n; i++)
		t->marks[i] = rate;
	t->marks[0] = rate;
}

static void follow(struct trend *t, const struct reading *r, int64_t before, int64_t now)
{
	static const struct counters none;
	struct gain gain = { .at = now, .took = now - before, .more = counters_gained(&t->total, &r->total) };

	if (gain.took < TREND_PERIOD_MS)
		gain.took = TREND_PERIOD_MS;
	if (!counters_equal(&gain.more, &none)) {
		memmove(t->gains + 1, t->gains, (TREND_GAINS - 1) * sizeof(t->gains[0]));
		t->gains[0] = gain;
	}
	t->total = r->total;
	t->rates = now - t->since < TREND_WINDOW_MS ? r->rates : window_rates(t, before, now);
	mark(t, before, now);
}

static struct trend begin(const struct reading *r, int64_t now)
{
	struct trend t = { .route = r->route, .since = now, .total = r->total, .rates = r->rates };

	mark(&t, now, now);
	return t;
}

static int by_route(const void *a, const void *b)
{
	const struct trend *x = a, *y = b;

	return (x->route > y->route) - (x->route < y->route);
}

const struct trend *trends_find(const struct trends *t, int64_t route)
{
	const struct trend key = { .route = route };

	return t->n == 0 ? NULL : bsearch(&key, t->items, t->n, sizeof(key), by_route);
}

int trends_add(struct err *e, struct trends *t, const struct reading_list *readings, int64_t at)
{
	struct trend *items = calloc(readings->n + 1, sizeof(*items));

	if (!items)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < readings->n; i++) {
		const struct reading *r = &readings->items[i];
		const struct trend *known = trends_find(t, r->route);

		items[i] = known ? *known : begin(r, at);
		if (known)
			follow(&items[i], r, t->at, at);
	}
	qsort(items, readings->n, sizeof(*items), by_route);
	trends_clear(t);
	*t = (struct trends){ .items = items, .n = readings->n, .at = at };
	return 0;
}

void trends_clear(struct trends *t)
{
	free(t->items);
	*t = (struct trends){ 0 };
}
