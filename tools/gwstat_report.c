/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --report: traffic over time, from the history in the state file, as a picture that can be mailed. */
#include "axis.h"
#include "chart.h"
#include "gwstat.h"
#include "moment.h"
#include "outfile.h"
#include "xml.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#define DAY INT64_C(86400)
#define MOST_INTERVALS 400 /* two pixels each */
#define DEFAULT_TOP 8

/* A container, or what all others have together. */
struct share {
	char container[CONTAINER_MAX + 1];
	struct counters sum;
	double *in, *out; /* bits per second, of each interval; NULL: not drawn on its own */
};

struct report {
	struct period p; /* whole intervals, and whole rows of the history */
	int64_t interval;
	size_t n_intervals;
	struct share *shares; /* the largest first */
	size_t n;
	size_t n_drawn;      /* so many of them on their own */
	struct share others; /* the rest of them together */
	struct uncertain_list uncertain;
};

static void report_clear(struct report *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->shares[i].in);
	free(r->shares);
	free(r->others.in);
	uncertain_list_clear(&r->uncertain);
}

/* --- what there is ------------------------------------------------------------- */

/* The history has hours of what is older than a day, and days of what is older than a month. */
static int64_t least_interval(int64_t age)
{
	if (age > 32 * DAY)
		return DAY;
	return age > DAY + 2 * 3600 ? 3600 : 60;
}

static void find_intervals(struct report *r, int64_t now)
{
	int64_t least = least_interval(now - r->p.since);
	int64_t interval = axis_interval(r->p.until - r->p.since, MOST_INTERVALS);

	r->interval = interval < least ? least : interval;
	r->p.since -= r->p.since % r->interval;
	r->n_intervals = (size_t)((r->p.until - r->p.since + r->interval - 1) / r->interval);
	r->p.until = r->p.since + (int64_t)r->n_intervals * r->interval;
}

static int add_share(struct err *e, void *ctx, const struct traffic *t)
{
	struct report *r = ctx;
	struct share s = { .sum = t->sum };

	strcpy(s.container, t->container);
	if (base_reserve((void **)&r->shares, r->n, sizeof(s)) < 0)
		return err_set(e, ENOMEM, "out of memory");
	r->shares[r->n++] = s;
	return 0;
}

static uint64_t size_of(const struct share *s)
{
	return s->sum.inbytes + s->sum.outbytes;
}

static int larger_first(const void *a, const void *b)
{
	const struct share *x = a, *y = b;

	if (size_of(x) != size_of(y))
		return size_of(x) > size_of(y) ? -1 : 1;
	return strcmp(x->container, y->container);
}

/* Both directions are one allocation, in's. */
static int make_series(struct err *e, const struct report *r, struct share *s)
{
	s->in = calloc(r->n_intervals, 2 * sizeof(*s->in));
	if (!s->in)
		return err_set(e, ENOMEM, "out of memory");
	s->out = s->in + r->n_intervals;
	return 0;
}

static int choose_drawn(struct err *e, struct report *r, size_t top)
{
	if (r->n > 0)
		qsort(r->shares, r->n, sizeof(*r->shares), larger_first);
	r->n_drawn = r->n < top ? r->n : top;
	for (size_t i = 0; i < r->n_drawn; i++)
		if (make_series(e, r, &r->shares[i]) < 0)
			return -e->code;
	for (size_t i = r->n_drawn; i < r->n; i++)
		counters_add(&r->others.sum, &r->shares[i].sum);
	snprintf(r->others.container, sizeof(r->others.container), "%zu other%s", r->n - r->n_drawn,
		 r->n - r->n_drawn == 1 ? "" : "s");
	return make_series(e, r, &r->others);
}

static struct share *series_of(struct report *r, const char *container)
{
	for (size_t i = 0; i < r->n_drawn; i++)
		if (strcmp(r->shares[i].container, container) == 0)
			return &r->shares[i];
	return &r->others;
}

/* Over the intervals that it is of, evenly: more is not known. */
static int add_traffic(struct err *e, void *ctx, const struct traffic *t)
{
	struct report *r = ctx;
	struct share *s = series_of(r, t->container);
	int64_t begin = t->at > r->p.since ? t->at : r->p.since;
	int64_t end = t->at + t->span < r->p.until ? t->at + t->span : r->p.until;

	(void)e;
	for (int64_t at = begin, next; at < end; at = next) {
		size_t i = (size_t)((at - r->p.since) / r->interval);
		double part;

		next = r->p.since + (int64_t)(i + 1) * r->interval;
		part = (double)((next < end ? next : end) - at) / (double)(end - begin) * 8 /
		       (double)r->interval;
		s->in[i] += (double)t->sum.inbytes * part;
		s->out[i] += (double)t->sum.outbytes * part;
	}
	return 0;
}

/* Calls a query for the line's containers, or once for all. */
typedef int each_fn(struct err *e, struct store *s, const char *container, int64_t since, int64_t until,
		    store_traffic_fn *fn, void *ctx);

static int for_containers(struct err *e, struct store *s, const struct cmd_line *line, struct report *r,
			  each_fn *each, store_traffic_fn *fn)
{
	int ret = line->n_args == 0 ? each(e, s, NULL, r->p.since, r->p.until, fn, r) : 0;

	for (size_t i = 0; ret == 0 && i < line->n_args; i++)
		if (!tool_is_repeated(line, i))
			ret = each(e, s, line->args[i], r->p.since, r->p.until, fn, r);
	return ret;
}

static bool has_share(const struct report *r, const char *container)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->shares[i].container, container) == 0)
			return true;
	return false;
}

static int check_names(struct err *e, struct store *s, const struct cmd_line *line, const struct report *r)
{
	for (size_t i = 0; i < line->n_args; i++)
		if (container_check(e, line->args[i]) < 0 ||
		    (!has_share(r, line->args[i]) && gwstat_check_container(e, s, line->args[i]) < 0))
			return -e->code;
	return 0;
}

static int read_moment(struct err *e, struct store *s, const struct cmd_line *line, int64_t now, size_t top,
		       struct report *r)
{
	if (gwstat_cover(e, s, &r->p) < 0)
		return -e->code;
	find_intervals(r, now);
	if (for_containers(e, s, line, r, store_each_traffic_sum, add_share) < 0 ||
	    check_names(e, s, line, r) < 0 || choose_drawn(e, r, top) < 0 ||
	    for_containers(e, s, line, r, store_each_traffic, add_traffic) < 0)
		return -e->code;
	return uncertain_read(e, s, line, &r->p, &r->uncertain);
}

static int report_read(struct err *e, struct store *s, const struct cmd_line *line, int64_t now, size_t top,
		       struct report *r)
{
	int ret = store_begin_read(e, s);

	if (ret == 0)
		ret = read_moment(e, s, line, now, top, r);
	store_rollback(s);
	return ret;
}

/* --- the picture --------------------------------------------------------------- */

static struct chart_series series(const struct share *s, bool is_rest)
{
	return (struct chart_series){
		s->container, s->in, s->out, (double)s->sum.inbytes, (double)s->sum.outbytes, is_rest
	};
}

static int print_chart(struct err *e, FILE *out, const struct report *r, const char *title,
		       const char *subtitle)
{
	struct chart_series all[CHART_COLOURS + 1];
	struct chart c = { .title = title,
			   .subtitle = subtitle,
			   .note = "above the axis: in, from clients; below: out, to clients",
			   .up = "In",
			   .down = "Out",
			   .unit = "bit/s",
			   .sum_unit = "B",
			   .begin = r->p.since,
			   .interval = r->interval,
			   .n_intervals = r->n_intervals,
			   .series = all,
			   .if_empty = "No checkpoint has recorded any traffic in this time" };

	for (size_t i = 0; i < r->n_drawn; i++)
		all[c.n_series++] = series(&r->shares[i], false);
	if (r->n > r->n_drawn)
		all[c.n_series++] = series(&r->others, true);
	return chart_print(e, out, &c);
}

static void print_row(FILE *out, const char *name, const struct counters *c)
{
	char in[AXIS_LABEL_STRLEN], sent[AXIS_LABEL_STRLEN];

	fputs("<tr style=\"border-top:1px solid #dddddd\">"
	      "<td align=\"left\" style=\"white-space:normal;word-break:break-all\">",
	      out);
	xml_text(out, name);
	fprintf(out,
		"</td><td>%" PRIu64 "</td><td>%s</td><td>%s</td><td>%" PRIu64 "</td><td>%" PRIu64
		"</td></tr>\n",
		c->conns, axis_amount((double)c->inbytes, "B", in),
		axis_amount((double)c->outbytes, "B", sent), c->inbytes, c->outbytes);
}

static void print_table(FILE *out, const struct report *r)
{
	struct counters total = { 0 };

	fputs("<table width=\"100%\" cellpadding=\"5\" style=\"border-collapse:collapse;text-align:right;"
	      "white-space:nowrap;font-size:13px\">\n<tr><th align=\"left\">Container</th><th>Connections</th>"
	      "<th>In</th><th>Out</th><th>In, bytes</th><th>Out, bytes</th></tr>\n",
	      out);
	for (size_t i = 0; i < r->n; i++) {
		print_row(out, r->shares[i].container, &r->shares[i].sum);
		counters_add(&total, &r->shares[i].sum);
	}
	print_row(out, "total", &total);
	fputs("</table>\n", out);
}

static void print_uncertain(FILE *out, const struct uncertain_list *list)
{
	char line[UNCERTAIN_STRLEN];

	if (list->n == 0)
		return;
	fputs("<h3>Not known</h3>\n<ul style=\"font-size:13px;overflow-wrap:anywhere\">\n", out);
	for (size_t i = 0; i < list->n; i++) {
		fputs("<li>", out);
		xml_text(out, uncertain_format(&list->items[i], line));
		fputs("</li>\n", out);
	}
	fputs("</ul>\n", out);
}

static int print_html(struct err *e, FILE *out, const struct report *r, const char *title,
		      const char *subtitle)
{
	fputs("<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n"
	      "<meta charset=\"utf-8\"/>\n<title>",
	      out);
	xml_text(out, title);
	fputs("</title>\n</head>\n<body bgcolor=\"#ffffff\" text=\"#222222\" "
	      "style=\"background:#ffffff;color:#222222;font-family:sans-serif\">\n"
	      "<div style=\"max-width:960px;margin:0 auto\">\n",
	      out);
	if (print_chart(e, out, r, title, subtitle) < 0)
		return -e->code;
	print_table(out, r);
	print_uncertain(out, &r->uncertain);
	fputs("</div>\n</body>\n</html>\n", out);
	return 0;
}

static int print_svg(struct err *e, FILE *out, const struct report *r, const char *title,
		     const char *subtitle)
{
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", out);
	return print_chart(e, out, r, title, subtitle);
}

static int print(struct err *e, FILE *out, const struct report *r, int64_t now, bool as_html)
{
	char from[MOMENT_STRLEN], to[MOMENT_STRLEN], each[AXIS_LABEL_STRLEN], title[160], subtitle[256];
	struct utsname host;

	if (uname(&host) < 0)
		return err_sys(e, errno, "cannot find out this host's name");
	snprintf(title, sizeof(title), "Traffic of containers at %s", host.nodename);
	snprintf(subtitle, sizeof(subtitle), "%s to %s, averages over %s%s", moment_format(r->p.since, from),
		 moment_format(r->p.until < now ? r->p.until : now, to), axis_duration(r->interval, each),
		 r->uncertain.n > 0 ? "; not all of it is known" : "");
	return as_html ? print_html(e, out, r, title, subtitle) : print_svg(e, out, r, title, subtitle);
}

/* --- the file ------------------------------------------------------------------ */

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), tail = strlen(end);

	return len > tail && strcmp(text + len - tail, end) == 0;
}

static int read_options(struct err *e, const struct cmd_line *line, int64_t now, struct period *p,
			size_t *top)
{
	uint64_t n = DEFAULT_TOP;

	*p = (struct period){ INT64_MIN, now };
	if (cmd_has(line, OPT_TOP) &&
	    cmd_number(e, "--top", cmd_get(line, OPT_TOP, ""), 1, CHART_COLOURS, &n) < 0)
		return -e->code;
	if (gwstat_period(e, line, now, p) < 0)
		return -e->code;
	if (p->since == INT64_MIN)
		p->since = p->until > DAY ? p->until - DAY : 0;
	if (p->until >= now)
		p->until = now + 1; /* with what was read in this second */
	*top = (size_t)n;
	return 0;
}

int report_write(struct err *e, struct gateway *g, const struct config *c, const struct cmd_line *line, int64_t now)
{
	CLEANUP(report_clear) struct report r = { 0 };
	CLEANUP(outfile_abandon) struct outfile file = { 0 };
	const char *path = cmd_get(line, OPT_REPORT, "");
	bool as_html = ends_with(path, ".html");
	size_t top = 0;

	if (!as_html && !ends_with(path, ".svg"))
		return err_set(e, ERR_USAGE, "'%.60s' is neither FILE.svg nor FILE.html", path);
	if (read_options(e, line, now, &r.p, &top) < 0 ||
	    report_read(e, gateway_store(g), line, now, top, &r) < 0)
		return -e->code;
	if (outfile_begin(e, path, &file) < 0)
		return tool_blame_file(e);
	if (gwstat_spare_own(e, c, line, file.path) < 0 || print(e, file.stream, &r, now, as_html) < 0)
		return -e->code;
	return outfile_end(e, &file);
}
