/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table traffic: what containers transferred, and when. */
#include "store_traffic.h"

#define MINUTE 60
#define HOUR 3600
#define DAY 86400

#define COUNTERS "conns, inpkts, outpkts, inbytes, outbytes"
/* Integers of SQLite that become too large become inexact ones: such a row is left as it is. */
#define FITS(counter) counter " <= 9223372036854775807 - excluded." counter
#define ADD_TO_ROW                                                                                    \
	" ON CONFLICT (span, at, container) DO UPDATE SET conns = conns + excluded.conns,"             \
	" inpkts = inpkts + excluded.inpkts, outpkts = outpkts + excluded.outpkts,"                    \
	" inbytes = inbytes + excluded.inbytes, outbytes = outbytes + excluded.outbytes"               \
	" WHERE " FITS("conns") " AND " FITS("inpkts") " AND " FITS("outpkts") " AND " FITS("inbytes") \
	" AND " FITS("outbytes")

/* Has the latest statement changed so many rows? */
static int check_changes(struct err *e, struct store *s, int n)
{
	if (sqlite3_changes(s->db) == n)
		return 0;
	return err_set(e, EOVERFLOW, "the traffic of a container is larger than the state file can hold (2^63-1)");
}

int traffic_add_growth(struct err *e, struct store *s, const char *container, const struct counters *before,
		       const struct counters *total)
{
	struct counters growth = counters_minus(total, before);
	int64_t now;

	if (counters_equal(before, total))
		return 0;
	now = store_time(s);
	if (sql_check_counters(e, &growth) < 0) /* below zero */
		return err_set(e, EIO, "a route of container %s would have transferred less than state file %s says",
			       container, s->path);
	if (sql_run(e, s,
		    "INSERT INTO traffic (span, at, container, " COUNTERS ") VALUES (60, ?, ?, ?, ?, ?, ?, ?)"
		    ADD_TO_ROW,
		    SQL_VALUES(SQL_INT(now - now % MINUTE), SQL_TEXT(container), SQL_COUNTERS(growth))) < 0)
		return -e->code;
	return check_changes(e, s, 1);
}

/* --- Long ago -------------------------------------------------------------------- */

/*
 * Row by row as its time comes, and not a whole hour at once: a checkpoint has to
 * fold what one of a day ago has added, and no more.
 */
static int thin(struct err *e, struct store *s, int64_t span, int64_t into, int64_t before)
{
	int64_t last = before - span;
	int added;

	if (sql_run(e, s,
		    "INSERT INTO traffic SELECT ?2, at - at % ?2, container, " COUNTERS " FROM traffic"
		    " WHERE span = ?1 AND at <= ?3" ADD_TO_ROW,
		    SQL_VALUES(SQL_INT(span), SQL_INT(into), SQL_INT(last))) < 0)
		return -e->code;
	added = sqlite3_changes(s->db);
	if (sql_run(e, s, "DELETE FROM traffic WHERE span = ? AND at <= ?",
		    SQL_VALUES(SQL_INT(span), SQL_INT(last))) < 0)
		return -e->code;
	return check_changes(e, s, added);
}

int store_thin_traffic(struct err *e, struct store *s)
{
	int64_t now = store_time(s);

	if (thin(e, s, MINUTE, HOUR, now - DAY) < 0)
		return -e->code;
	return thin(e, s, HOUR, DAY, now - 31 * DAY);
}

/* --- Reading --------------------------------------------------------------------- */

/* For each span one stretch of the key; they come merged in its order. */
#define PART(span)                                                                                    \
	"SELECT span, at, container, " COUNTERS " FROM traffic WHERE span = " span " AND at > ?2 - " span    \
	" AND at < ?3 AND (?1 IS NULL OR container = ?1)"
#define PARTS PART("60") " UNION ALL " PART("3600") " UNION ALL " PART("86400")

static int read_traffic(struct err *e, struct store *s, sqlite3_stmt *q, struct traffic *t)
{
	int64_t span;

	if (sql_int(e, s, q, 0, 0, DAY, &span) < 0 || sql_int(e, s, q, 1, INT64_MIN, INT64_MAX, &t->at) < 0 ||
	    sql_text(e, s, q, 2, t->container, sizeof(t->container)) < 0 || sql_counters(e, s, q, 3, &t->sum) < 0)
		return -e->code;
	t->span = (uint32_t)span;
	return 0;
}

static int call_each(struct err *e, struct store *s, sqlite3_stmt *q, store_traffic_fn *fn, void *ctx)
{
	struct traffic t;
	int ret;

	while ((ret = sql_sum_row(e, s, q)) > 0)
		if (read_traffic(e, s, q, &t) < 0 || fn(e, ctx, &t) < 0)
			return -e->code;
	return ret;
}

int store_each_traffic(struct err *e, struct store *s, const char *container, int64_t since, int64_t until,
		       store_traffic_fn *fn, void *ctx)
{
	CLEANUP(sql_end) sqlite3_stmt *q = NULL;

	if (sql_query(e, s, PARTS " ORDER BY at, container",
		      SQL_VALUES(SQL_TEXT(container), SQL_INT(since), SQL_INT(until)), &q) < 0)
		return -e->code;
	return call_each(e, s, q, fn, ctx);
}

int store_each_traffic_sum(struct err *e, struct store *s, const char *container, int64_t since, int64_t until,
			   store_traffic_fn *fn, void *ctx)
{
	CLEANUP(sql_end) sqlite3_stmt *q = NULL;

	if (sql_query(e, s,
		      "SELECT 0, min(at), container, " SQL_SUMS " FROM (" PARTS ") GROUP BY container ORDER BY container",
		      SQL_VALUES(SQL_TEXT(container), SQL_INT(since), SQL_INT(until)), &q) < 0)
		return -e->code;
	return call_each(e, s, q, fn, ctx);
}
