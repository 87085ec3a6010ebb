/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "axis.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define MINUTE 60
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static const int64_t round_seconds[] = {
	MINUTE,   2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR,
	2 * HOUR, 3 * HOUR,   6 * HOUR,   12 * HOUR,   DAY,         2 * DAY,     7 * DAY,
};

static const unsigned round_months[] = { 1, 2, 3, 6, 12, 24, 60, 120 };

double axis_step(double length, unsigned n)
{
	static const double factors[] = { 2, 2.5, 2 }; /* 1, 2, 5, 10 */
	double step = 1e-3;

	for (size_t i = 0; step * n < length; i++)
		step *= factors[i % 3];
	return step;
}

const char *axis_amount(double amount, const char *unit, char buf[static AXIS_LABEL_STRLEN])
{
	static const char *const prefixes[] = { "", "k", "M", "G", "T", "P", "E" };
	size_t i = 0;

	/* What "%.3g" would round to 1000 belongs to the next one. */
	while (amount >= 999.5 && i + 1 < ARRAY_LEN(prefixes)) {
		amount /= 1000;
		i++;
	}
	snprintf(buf, AXIS_LABEL_STRLEN, "%.*g %s%s", amount >= 999.5 ? 15 : 3, amount, prefixes[i], unit);
	return buf;
}

static bool covers(int64_t step, unsigned n, int64_t seconds)
{
	return step >= (seconds + n - 1) / n;
}

int64_t axis_interval(int64_t seconds, unsigned n)
{
	int64_t weeks = 1;

	for (size_t i = 0; i < ARRAY_LEN(round_seconds); i++)
		if (covers(round_seconds[i], n, seconds))
			return round_seconds[i];
	while (!covers(weeks * 7 * DAY, n, seconds))
		weeks *= 2;
	return weeks * 7 * DAY;
}

const char *axis_duration(int64_t interval, char buf[static AXIS_LABEL_STRLEN])
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = { { DAY, "day" }, { HOUR, "hour" }, { MINUTE, "minute" } };
	size_t u = 0;

	while (u + 1 < ARRAY_LEN(units) && interval % units[u].seconds != 0)
		u++;
	snprintf(buf, AXIS_LABEL_STRLEN, "%" PRId64 " %s%s", interval / units[u].seconds, units[u].name,
		 interval == units[u].seconds ? "" : "s");
	return buf;
}

struct axis_times axis_times(int64_t since, int64_t until, unsigned n)
{
	int64_t seconds = until - since;
	size_t i;

	for (i = 0; i < ARRAY_LEN(round_seconds); i++)
		if (covers(round_seconds[i], n, seconds))
			return (struct axis_times){ .seconds = round_seconds[i] };
	for (i = 0; i + 1 < ARRAY_LEN(round_months); i++)
		if (covers(round_months[i] * INT64_C(28) * DAY, n, seconds))
			break;
	return (struct axis_times){ .months = round_months[i] };
}

/* Of months, those since the year 0 count. */
static int64_t month_tick(unsigned months, int64_t at)
{
	time_t t = (time_t)at;
	struct tm tm;
	int n;

	if (!gmtime_r(&t, &tm))
		return at;
	n = (tm.tm_year + 1900) * 12 + tm.tm_mon;
	n -= n % (int)months;
	for (;; n += (int)months) {
		struct tm first = { .tm_year = n / 12 - 1900, .tm_mon = n % 12, .tm_mday = 1 };

		if (timegm(&first) >= at)
			return timegm(&first);
	}
}

int64_t axis_tick(const struct axis_times *steps, int64_t at)
{
	if (steps->seconds == 0)
		return month_tick(steps->months, at);
	return (at + steps->seconds - 1) / steps->seconds * steps->seconds;
}

const char *axis_tick_label(const struct axis_times *steps, int64_t tick, char buf[static AXIS_LABEL_STRLEN])
{
	const char *form = steps->seconds == 0 ? "%b %Y" : tick % DAY == 0 ? "%-d %b" : "%H:%M";
	time_t t = (time_t)tick;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(buf, AXIS_LABEL_STRLEN, form, &tm) == 0)
		buf[0] = '\0';
	return buf;
}
