/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "moment.h"

#include <string.h>
#include <time.h>

/* Takes exactly so many digits from *at. */
static bool take_digits(const char **at, size_t n, int *out)
{
	int value = 0;

	if (strspn(*at, "0123456789") < n)
		return false;
	for (size_t i = 0; i < n; i++)
		value = value * 10 + *(*at)++ - '0';
	*out = value;
	return true;
}

static bool take_char(const char **at, char c)
{
	if (**at != c)
		return false;
	++*at;
	return true;
}

/* timegm(3) takes the 30th of February for one in March. */
static bool is_in_calendar(struct tm tm, int64_t *out)
{
	struct tm normal = tm;
	time_t t = timegm(&normal);

	if (t < 0 || normal.tm_mday != tm.tm_mday || normal.tm_mon != tm.tm_mon ||
	    normal.tm_hour != tm.tm_hour || normal.tm_min != tm.tm_min || normal.tm_sec != tm.tm_sec)
		return false;
	*out = t;
	return true;
}

static bool parse_date(const char *text, int64_t *out)
{
	const char *at = text;
	struct tm tm = { 0 };

	if (!take_digits(&at, 4, &tm.tm_year) || !take_char(&at, '-') || !take_digits(&at, 2, &tm.tm_mon) ||
	    !take_char(&at, '-') || !take_digits(&at, 2, &tm.tm_mday))
		return false;
	if (take_char(&at, 'T')) {
		if (!take_digits(&at, 2, &tm.tm_hour) || !take_char(&at, ':') ||
		    !take_digits(&at, 2, &tm.tm_min) || !take_char(&at, ':') ||
		    !take_digits(&at, 2, &tm.tm_sec))
			return false;
		take_char(&at, 'Z');
	}
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	return *at == '\0' && is_in_calendar(tm, out);
}

/* A number up to MOMENT_MAX; *at is then behind it. */
static bool take_number(const char **at, int64_t *out)
{
	int64_t n = 0;
	size_t digits = strspn(*at, "0123456789");

	if (digits == 0 || digits > 12)
		return false;
	for (size_t i = 0; i < digits; i++)
		n = n * 10 + *(*at)++ - '0';
	*out = n;
	return n <= MOMENT_MAX;
}

static int64_t unit_seconds(char unit)
{
	switch (unit) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return 86400;
	case 'w':
		return 7 * 86400;
	default:
		return 0;
	}
}

/* "24h" before now. */
static bool parse_age(const char *text, int64_t now, int64_t *out)
{
	const char *at = text;
	int64_t n, unit;

	if (!take_number(&at, &n))
		return false;
	unit = unit_seconds(*at);
	if (unit == 0 || at[1] != '\0' || n > now / unit)
		return false;
	*out = now - n * unit;
	return true;
}

static bool parse_seconds(const char *text, int64_t *out)
{
	const char *at = text;

	return take_number(&at, out) && *at == '\0';
}

int moment_parse(struct err *e, const char *what, const char *text, int64_t now, int64_t *out)
{
	int64_t found;
	bool ok;

	if (text[0] == '@')
		ok = parse_seconds(text + 1, &found);
	else if (text[0] == '-')
		ok = parse_age(text + 1, now, &found);
	else
		ok = parse_date(text, &found);
	if (!ok)
		return err_set(
			e, ERR_USAGE,
			"%s '%.60s' is not a time; write 2026-11-01, 2026-11-01T10:00:00Z, @SECONDS, or -24h "
			"(s, m, h, d, w) for so long ago",
			what, text);
	*out = found;
	return 0;
}

const char *moment_format(int64_t at, char buf[static MOMENT_STRLEN])
{
	time_t t = (time_t)at;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(buf, MOMENT_STRLEN, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		strcpy(buf, "-");
	return buf;
}
