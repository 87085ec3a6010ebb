/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gwstat_frame.h"
#include "gwstat_line.h"
#include "moment.h"

#include <stdio.h>
#include <string.h>

#define GAP 2       /* between columns */
#define NAME_MIN 10 /* a name is cut before a column is left out, but its title is not */
#define MINUTE_MIN 10

#define HELP "q quit   s sort   r rates or totals   Up Down PgUp PgDn Home End scroll   h help"

/* As they stand. */
enum column_id { NAME, PORT, ENDPOINT, STATE, CONNS, INPKTS, OUTPKTS, INBYTES, OUTBYTES, MINUTE, N_COLUMNS };

/* Two titles: with totals, and with rates. */
static const char *const titles[N_COLUMNS][2] = {
	[NAME] = { "Container", "Container" },
	[PORT] = { "Port", "Port" },
	[ENDPOINT] = { "Endpoint", "Endpoint" },
	[STATE] = { "State", "State" },
	[CONNS] = { "Conns", "CPS" },
	[INPKTS] = { "InPkts", "InPPS" },
	[OUTPKTS] = { "OutPkts", "OutPPS" },
	[INBYTES] = { "InBytes", "InBPS" },
	[OUTBYTES] = { "OutBytes", "OutBPS" },
	[MINUTE] = { "Minute", "Minute" },
};

/* The columns that an order goes by; there are two for a sum. */
static const enum column_id sorted_columns[][2] = {
	[FIELD_NAME] = { NAME, NAME },
	[FIELD_CONNS] = { CONNS, CONNS },	   [FIELD_CPS] = { CONNS, CONNS },
	[FIELD_INPKTS] = { INPKTS, INPKTS },	   [FIELD_INPPS] = { INPKTS, INPKTS },
	[FIELD_OUTPKTS] = { OUTPKTS, OUTPKTS },	   [FIELD_OUTPPS] = { OUTPKTS, OUTPKTS },
	[FIELD_INBYTES] = { INBYTES, INBYTES },	   [FIELD_INBPS] = { INBYTES, INBYTES },
	[FIELD_OUTBYTES] = { OUTBYTES, OUTBYTES }, [FIELD_OUTBPS] = { OUTBYTES, OUTBYTES },
	[FIELD_BYTES] = { INBYTES, OUTBYTES },	   [FIELD_BPS] = { INBYTES, OUTBYTES },
};

struct row {
	const struct reading *reading;
	const struct trend *trend;
	uint64_t sorted_by;
};

struct layout {
	size_t width[N_COLUMNS]; /* 0: not shown */
};

struct painter {
	const struct frame_facts *facts;
	const struct frame_look *look;
	struct row *rows; /* in their order */
	size_t n_rows, n_listed; /* of which those that can be scrolled to come first */
	struct layout layout;
	bool has_help;
	struct frame frame;
};

/* --- Rows ---------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->sorted_by != y->sorted_by)
		return x->sorted_by < y->sorted_by ? 1 : -1;
	return (x->reading > y->reading) - (x->reading < y->reading);
}

static int make_rows(struct err *e, struct painter *p)
{
	const struct reading_list *readings = &p->facts->usage->readings;
	static const struct trend unknown;

	p->rows = calloc(readings->n + 1, sizeof(*p->rows));
	if (!p->rows)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < readings->n; i++) {
		const struct reading *r = &readings->items[i];
		const struct trend *t = trends_find(p->facts->trends, r->route);
		struct row row = { .reading = r, .trend = t ? t : &unknown };

		row.sorted_by = usage_field(p->look->sort, &r->total, &row.trend->rates);
		p->rows[p->n_rows++] = row;
	}
	qsort(p->rows, p->n_rows, sizeof(*p->rows), by_value);
	p->n_listed = p->look->top > 0 && p->look->top < p->n_rows ? p->look->top : p->n_rows;
	return 0;
}

/* --- Columns ------------------------------------------------------------------- */

static size_t max(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* Of all rows, not only those that are to be seen: or columns would jump when the order changes. */
static void measure(const struct painter *p, size_t width[N_COLUMNS])
{
	/* A sorted column's title has an asterisk; a count has 5 digits. */
	for (size_t c = 0; c < N_COLUMNS; c++)
		width[c] = max(strlen(titles[c][p->look->rate]) + (c == NAME || c >= CONNS), c >= CONNS ? 5 : 0);
	for (size_t i = 0; i < p->n_rows; i++) {
		const struct reading *r = p->rows[i].reading;
		char port[ROUTE_STRLEN], endpoint[ENDPOINT_STRLEN];

		width[NAME] = max(width[NAME], strlen(r->container));
		width[PORT] = max(width[PORT],
				  strlen(route_port_format(r->cport, r->protocol, port)));
		width[ENDPOINT] = max(width[ENDPOINT], strlen(endpoint_format(&r->public, endpoint)));
		width[STATE] = max(width[STATE], strlen(usage_state(r)));
	}
	width[MINUTE] = MINUTE_MIN;
}

/* Gives a column its width if that many are left; takes them from what is left. */
static void grant(struct layout *l, enum column_id c, size_t width, size_t *left)
{
	size_t needed = width + (c == NAME ? 0 : GAP);

	if (l->width[c] > 0 || needed > *left)
		return;
	l->width[c] = width;
	*left -= needed;
}

static void widen(size_t *width, size_t wanted, size_t *left)
{
	size_t more = wanted > *width ? wanted - *width : 0;

	if (*width == 0 || more > *left)
		return;
	*width += more;
	*left -= more;
}

/* What a screen is too narrow for is left out, the least important first. */
static struct layout lay_out(const struct painter *p)
{
	static const enum column_id important[] = { PORT, MINUTE, ENDPOINT, STATE, CONNS, INPKTS, OUTPKTS };
	const enum column_id *sorted = sorted_columns[p->look->sort];
	size_t wanted[N_COLUMNS], left = p->look->columns, name;
	struct layout l = { 0 };

	measure(p, wanted);
	name = wanted[NAME] < NAME_MIN ? wanted[NAME] : NAME_MIN;
	grant(&l, NAME, name < left ? name : left, &left);
	grant(&l, sorted[0], wanted[sorted[0]], &left);
	grant(&l, INBYTES, wanted[INBYTES], &left);
	grant(&l, OUTBYTES, wanted[OUTBYTES], &left);
	for (size_t i = 0; i < ARRAY_LEN(important); i++)
		grant(&l, important[i], wanted[important[i]], &left);
	widen(&l.width[NAME], wanted[NAME] < l.width[NAME] + left ? wanted[NAME] : l.width[NAME] + left, &left);
	widen(&l.width[MINUTE], TREND_MARKS / 2, &left);
	widen(&l.width[MINUTE], TREND_MARKS, &left);
	return l;
}

static void put_heading(const struct painter *p, struct line *line)
{
	const enum column_id *sorted = sorted_columns[p->look->sort];

	line_style(line, LINE_REVERSE);
	for (size_t c = 0; c < N_COLUMNS; c++) {
		bool is_sorted = c == sorted[0] || c == sorted[1];
		char title[32];

		if (p->layout.width[c] == 0)
			continue;
		snprintf(title, sizeof(title), "%s%s", titles[c][p->look->rate], is_sorted ? "*" : "");
		line_gap(line, c == NAME ? 0 : GAP);
		line_cell(line, title, p->layout.width[c], c >= CONNS && c <= OUTBYTES);
	}
}

static enum line_style state_style(const struct reading *r)
{
	if (r->kind == ROUTE_DIRECT)
		return LINE_PLAIN;
	if (!r->in_kernel)
		return LINE_ALARM;
	return strcmp(r->state, "open") == 0 ? LINE_PLAIN : LINE_NOTICE;
}

/* The last minute, the present at its end; several marks in one place: the highest. */
static void put_minute(struct line *line, const struct trend *t, size_t width)
{
	size_t together = TREND_MARKS / width;
	uint64_t highest = 0;

	for (size_t i = 0; i < TREND_MARKS; i++)
		if (t->marks[i] > highest)
			highest = t->marks[i];
	line_style(line, LINE_GRAPH);
	for (size_t i = TREND_MARKS; i > 0; i -= together) {
		uint64_t mark = 0;

		for (size_t k = i - together; k < i; k++)
			if (t->marks[k] > mark)
				mark = t->marks[k];
		line_bar(line, mark, highest);
	}
	line_style(line, LINE_PLAIN);
}

static void put_count(struct line *line, uint64_t n, size_t width)
{
	char buf[COUNT_STRLEN];

	line_cell(line, count_short(n, buf), width, true);
}

static void put_cell(struct line *line, const struct row *row, enum column_id c, bool rate, size_t width)
{
	const struct reading *r = row->reading;
	const struct counters *total = &r->total;
	const struct rates *rates = &row->trend->rates;
	char port[ROUTE_STRLEN], endpoint[ENDPOINT_STRLEN];

	switch (c) {
	case NAME:
		line_cell(line, r->container, width, false);
		break;
	case PORT:
		line_cell(line, route_port_format(r->cport, r->protocol, port), width, false);
		break;
	case ENDPOINT:
		line_cell(line, endpoint_format(&r->public, endpoint), width, false);
		break;
	case STATE:
		line_style(line, state_style(r));
		line_cell(line, usage_state(r), width, false);
		line_style(line, LINE_PLAIN);
		break;
	case CONNS:
		put_count(line, rate ? rates->cps : total->conns, width);
		break;
	case INPKTS:
		put_count(line, rate ? rates->inpps : total->inpkts, width);
		break;
	case OUTPKTS:
		put_count(line, rate ? rates->outpps : total->outpkts, width);
		break;
	case INBYTES:
		put_count(line, rate ? rates->inbps : total->inbytes, width);
		break;
	case OUTBYTES:
		put_count(line, rate ? rates->outbps : total->outbytes, width);
		break;
	default:
		put_minute(line, row->trend, width);
	}
}

static void put_row(const struct painter *p, struct line *line, const struct row *row)
{
	for (enum column_id c = NAME; c < N_COLUMNS; c++) {
		if (p->layout.width[c] == 0)
			continue;
		line_gap(line, c == NAME ? 0 : GAP);
		put_cell(line, row, c, p->look->rate, p->layout.width[c]);
	}
}

/* --- Above the table ----------------------------------------------------------- */

/* "1-20" of those that there are, unless all are to be seen. */
static void put_place(const struct painter *p, struct line *line)
{
	size_t last = p->frame.first + p->frame.page;
	char text[64];

	if (last > p->n_listed)
		last = p->n_listed;
	if (last - p->frame.first == p->n_rows || p->frame.page == 0)
		return;
	snprintf(text, sizeof(text), " (%zu-%zu)", p->frame.first + 1, last);
	line_put(line, text);
}

static void put_summary(const struct painter *p, struct line *line)
{
	const struct usage *u = p->facts->usage;
	char now[MOMENT_STRLEN], in[COUNT_STRLEN], out[COUNT_STRLEN], text[128];
	uint64_t inbps = 0, outbps = 0;

	for (size_t i = 0; i < p->n_rows; i++) {
		inbps += p->rows[i].trend->rates.inbps;
		outbps += p->rows[i].trend->rates.outbps;
	}
	moment_format(p->facts->at, now);
	snprintf(text, sizeof(text), "%s  %zu container%s %zu route%s", strlen(now) > 11 ? now + 11 : now,
		 u->n_containers, u->n_containers == 1 ? "" : "s", p->n_rows, p->n_rows == 1 ? "" : "s");
	line_put(line, text);
	put_place(p, line);
	snprintf(text, sizeof(text), "  in %s/s out %s/s", count_short(inbps, in), count_short(outbps, out));
	line_put(line, text);
	snprintf(text, sizeof(text), "  sum in %s out %s", count_short(u->total.inbytes, in),
		 count_short(u->total.outbytes, out));
	line_put(line, text);
}

/* Spans of time that end within the last day: what is longer ago is not news. */
static size_t count_uncertain(const struct frame_facts *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->usage->uncertain.n; i++)
		n += f->usage->uncertain.items[i].until > f->at - 86400;
	return n;
}

static bool has_alarm(const struct frame_facts *f)
{
	return f->trouble || !f->usage->counting || count_uncertain(f) > 0;
}

static void put_alarm(const struct painter *p, struct line *line)
{
	const struct frame_facts *f = p->facts;
	size_t n_uncertain = count_uncertain(f);
	const char *between = "";
	char text[64];

	line_style(line, LINE_ALARM);
	if (f->trouble) {
		line_put(line, f->trouble);
		between = "; ";
	}
	if (!f->usage->counting) {
		line_put(line, between);
		line_put(line, "counters are frozen: net.ipv4.vs.run_estimation is 0");
		between = "; ";
	}
	if (n_uncertain > 0) {
		snprintf(text, sizeof(text), "%s%zu uncertain", between, n_uncertain);
		line_put(line, text);
	}
}

/* --- The frame ----------------------------------------------------------------- */

static void put_help(const struct painter *p, struct line *line)
{
	(void)p;
	line_put(line, HELP);
}

/* Adds what put writes, or row, as a line, if there is a place for one. */
static int add_line(struct err *e, struct painter *p, void (*put)(const struct painter *p, struct line *line),
		    const struct row *row)
{
	struct line line;

	if (p->frame.n_lines == p->look->rows)
		return 0;
	if (line_begin(&line, p->look->columns, p->look->utf8, p->look->colour) < 0)
		return err_set(e, ENOMEM, "out of memory");
	if (row)
		put_row(p, &line, row);
	else
		put(p, &line);
	p->frame.lines[p->frame.n_lines++] = line_end(&line);
	return 0;
}

/* Which routes are to be seen. */
static void turn_page(struct painter *p)
{
	size_t above = has_alarm(p->facts) ? 3 : 2;
	struct frame *f = &p->frame;

	p->has_help = p->look->help && p->look->rows > above + 1; /* before the last route that is to be seen */
	above += p->has_help;
	f->page = p->look->rows > above ? p->look->rows - above : 0;
	f->first = p->n_listed > f->page ? p->n_listed - f->page : 0;
	if (p->look->first < f->first)
		f->first = p->look->first;
}

static int paint(struct err *e, struct painter *p)
{
	struct frame *f = &p->frame;

	if (make_rows(e, p) < 0)
		return -e->code;
	turn_page(p);
	p->layout = lay_out(p);
	f->lines = calloc(p->look->rows + 1, sizeof(*f->lines));
	if (!f->lines)
		return err_set(e, ENOMEM, "out of memory");
	if (add_line(e, p, put_summary, NULL) < 0 ||
	    (has_alarm(p->facts) && add_line(e, p, put_alarm, NULL) < 0) ||
	    (p->has_help && add_line(e, p, put_help, NULL) < 0) || add_line(e, p, put_heading, NULL) < 0)
		return -e->code;
	for (size_t i = f->first; i < p->n_listed && f->n_lines < p->look->rows; i++)
		if (add_line(e, p, NULL, &p->rows[i]) < 0)
			return -e->code;
	return 0;
}

int frame_make(struct err *e, const struct frame_facts *facts, const struct frame_look *look, struct frame *out)
{
	struct painter p = { .facts = facts, .look = look };
	int ret = paint(e, &p);

	free(p.rows);
	if (ret < 0)
		frame_clear(&p.frame);
	else
		*out = p.frame;
	return ret;
}

void frame_clear(struct frame *f)
{
	for (size_t i = 0; i < f->n_lines; i++)
		free(f->lines[i]);
	free(f->lines);
	*f = (struct frame){ 0 };
}

enum gwstat_field frame_next_sort(const struct frame_look *look)
{
	if (look->sort == FIELD_NAME)
		return look->rate ? FIELD_CPS : FIELD_CONNS;
	return look->sort == FIELD_BYTES || look->sort == FIELD_BPS ? FIELD_NAME : look->sort + 1;
}

void frame_turn(struct frame_look *look)
{
	look->rate = !look->rate;
	if (look->sort >= FIELD_CPS)
		look->sort -= FIELD_CPS - FIELD_CONNS;
	else if (look->sort != FIELD_NAME)
		look->sort += FIELD_CPS - FIELD_CONNS;
}
