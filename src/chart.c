/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "chart.h"
#include "axis.h"
#include "xml.h"

#include <string.h>

/* In pixels. */
#define WIDTH 960
#define LEFT 96
#define RIGHT 936
#define TOP 96
#define BOTTOM 416
#define LEGEND 472 /* the heading's line */
#define LINE 22
#define UP_RIGHT 640 /* where the legend's columns end */
#define DOWN_RIGHT 788

#define NAME_MAX_CHARS 44
#define NAME_WIDE_CHARS 36 /* of so many, the widest fit before the first number */
#define VALUE_TICKS 10
#define TIME_TICKS 12

#define INK "#222222"
#define PALE "#666666"
#define GRID "#dddddd"
#define REST "#bbbbbb"

/* Paul Tol's "muted", for all kinds of colour vision. */
static const char *const colours[CHART_COLOURS] = {
	"#332288", "#88ccee", "#cc6677", "#ddcc77", "#117733", "#882255", "#44aa99", "#999933", "#aa4499",
};

struct drawing {
	const struct chart *c;
	FILE *out;
	double *ground; /* of each interval, what is drawn already */
	double step;    /* between two lines of the grid */
	int up, down;   /* so many steps go there */
	double zero;    /* the y of 0 */
};

static void drawing_clear(struct drawing *d)
{
	free(d->ground);
}

static bool is_empty(const struct drawing *d)
{
	return d->up + d->down == 0;
}

/* --- places -------------------------------------------------------------------- */

/* The highest of all intervals. */
static double highest(const struct chart *c, bool up)
{
	double most = 0;

	for (size_t i = 0; i < c->n_intervals; i++) {
		double sum = 0;

		for (size_t s = 0; s < c->n_series; s++)
			sum += up ? c->series[s].up[i] : c->series[s].down[i];
		if (sum > most)
			most = sum;
	}
	return most;
}

static int steps_to(double value, double step)
{
	int n = (int)(value / step);

	return n * step < value ? n + 1 : n;
}

static void find_scale(struct drawing *d)
{
	double up = highest(d->c, true), down = highest(d->c, false);

	d->zero = (TOP + BOTTOM) / 2.0;
	if (up + down <= 0)
		return;
	d->step = axis_step(up + down, VALUE_TICKS);
	d->up = steps_to(up, d->step);
	d->down = steps_to(down, d->step);
	d->zero = TOP + (double)(BOTTOM - TOP) * d->up / (d->up + d->down);
}

/* Downwards from 0 for what is negative. */
static double y_of(const struct drawing *d, double value)
{
	return d->zero - value / d->step * (BOTTOM - TOP) / (d->up + d->down);
}

static double x_of(const struct drawing *d, double interval)
{
	return LEFT + interval * (RIGHT - LEFT) / (double)d->c->n_intervals;
}

/* --- parts --------------------------------------------------------------------- */

/* anchor: "start", "middle" or "end" of the text is at x. */
static void open_text(FILE *out, double x, double y, int size, const char *anchor, const char *colour)
{
	fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%d\" text-anchor=\"%s\" fill=\"%s\">", x, y,
		size, anchor, colour);
}

static void put_text(FILE *out, double x, double y, int size, const char *anchor, const char *colour,
		     const char *text)
{
	open_text(out, x, y, size, anchor, colour);
	xml_text(out, text);
	fputs("</text>\n", out);
}

static void put_line(FILE *out, double x1, double y1, double x2, double y2, const char *colour)
{
	fprintf(out, "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"%s\"/>\n", x1, y1, x2, y2, colour);
}

static void put_head(const struct drawing *d, int height)
{
	const struct chart *c = d->c;

	fprintf(d->out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
		"font-family=\"sans-serif\" role=\"img\">\n<title>",
		WIDTH, height, WIDTH, height);
	xml_text(d->out, c->title);
	fputs("</title>\n<desc>", d->out);
	xml_text(d->out, c->subtitle);
	fprintf(d->out, "</desc>\n<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n", WIDTH, height);
	put_text(d->out, 24, 36, 18, "start", INK, c->title);
	put_text(d->out, 24, 58, 13, "start", PALE, c->subtitle);
	put_text(d->out, RIGHT, TOP - 10, 12, "end", PALE, c->note);
}

static void put_value_axis(const struct drawing *d)
{
	char label[AXIS_LABEL_STRLEN];

	for (int n = -d->down; n <= d->up; n++) {
		double y = y_of(d, n * d->step);

		put_line(d->out, LEFT, y, RIGHT, y, GRID);
		axis_amount((n < 0 ? -n : n) * d->step, d->c->unit, label);
		put_text(d->out, LEFT - 8, y + 4, 12, "end", PALE, label);
	}
}

static void put_time_axis(const struct drawing *d)
{
	const struct chart *c = d->c;
	int64_t end = c->begin + c->interval * (int64_t)c->n_intervals;
	struct axis_times steps = axis_times(c->begin, end, TIME_TICKS);
	char label[AXIS_LABEL_STRLEN];

	for (int64_t at = axis_tick(&steps, c->begin); at <= end; at = axis_tick(&steps, at + 1)) {
		double x = x_of(d, (double)(at - c->begin) / (double)c->interval);

		put_line(d->out, x, TOP, x, BOTTOM + 5, GRID);
		put_text(d->out, x, BOTTOM + 20, 12, "middle", PALE, axis_tick_label(&steps, at, label));
	}
}

static const char *colour_of(const struct chart *c, size_t s)
{
	return c->series[s].is_rest ? REST : colours[s % CHART_COLOURS];
}

/* The upper edge to the right, the lower one back; sign -1: below the axis. Equal steps are one. */
static void put_outline(const struct drawing *d, const double *values, int sign)
{
	size_t n = d->c->n_intervals;

	fprintf(d->out, "M%.1f %.1f", x_of(d, 0), y_of(d, sign * (d->ground[0] + values[0])));
	for (size_t i = 1; i < n; i++)
		if (d->ground[i] + values[i] != d->ground[i - 1] + values[i - 1])
			fprintf(d->out, "H%.1fV%.1f", x_of(d, (double)i),
				y_of(d, sign * (d->ground[i] + values[i])));
	fprintf(d->out, "H%.1fV%.1f", x_of(d, (double)n), y_of(d, sign * d->ground[n - 1]));
	for (size_t i = n - 1; i > 0; i--)
		if (d->ground[i] != d->ground[i - 1])
			fprintf(d->out, "H%.1fV%.1f", x_of(d, (double)i), y_of(d, sign * d->ground[i - 1]));
	fprintf(d->out, "H%.1fZ", x_of(d, 0));
}

static void put_area(const struct drawing *d, size_t s, const double *values, int sign)
{
	fprintf(d->out, "<path fill=\"%s\" d=\"", colour_of(d->c, s));
	put_outline(d, values, sign);
	fputs("\"><title>", d->out);
	xml_text(d->out, d->c->series[s].name);
	fputs("</title></path>\n", d->out);
}

static bool has_any(const double *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (values[i] > 0)
			return true;
	return false;
}

/* One half of the picture, each series on those before it. */
static void put_half(struct drawing *d, int sign)
{
	const struct chart *c = d->c;

	for (size_t i = 0; i < c->n_intervals; i++)
		d->ground[i] = 0;
	for (size_t s = 0; s < c->n_series; s++) {
		const double *values = sign > 0 ? c->series[s].up : c->series[s].down;

		if (!has_any(values, c->n_intervals))
			continue;
		put_area(d, s, values, sign);
		for (size_t i = 0; i < c->n_intervals; i++)
			d->ground[i] += values[i];
	}
}

static void put_plot(struct drawing *d)
{
	put_time_axis(d);
	if (is_empty(d)) {
		put_text(d->out, (LEFT + RIGHT) / 2.0, d->zero - 12, 15, "middle", PALE, d->c->if_empty);
	} else {
		put_value_axis(d);
		fputs("<g shape-rendering=\"crispEdges\">\n", d->out);
		put_half(d, 1);
		put_half(d, -1);
		fputs("</g>\n", d->out);
	}
	put_line(d->out, LEFT, d->zero, RIGHT, d->zero, INK);
}

/* --- legend -------------------------------------------------------------------- */

static void put_sums(const struct drawing *d, double y, double up, double down)
{
	char label[AXIS_LABEL_STRLEN];

	put_text(d->out, UP_RIGHT, y, 13, "end", INK, axis_amount(up, d->c->sum_unit, label));
	put_text(d->out, DOWN_RIGHT, y, 13, "end", INK, axis_amount(down, d->c->sum_unit, label));
	put_text(d->out, RIGHT, y, 13, "end", INK, axis_amount(up + down, d->c->sum_unit, label));
}

static void put_entry(const struct drawing *d, double y, const char *colour, const struct chart_series *s)
{
	if (colour)
		fprintf(d->out, "<rect x=\"%d\" y=\"%.1f\" width=\"14\" height=\"14\" fill=\"%s\"/>\n", LEFT,
			y - 12, colour);
	open_text(d->out, LEFT + 24, y, strlen(s->name) > NAME_WIDE_CHARS ? 10 : 13, "start", INK);
	xml_short_text(d->out, s->name, NAME_MAX_CHARS);
	fputs("</text>\n", d->out);
	put_sums(d, y, s->up_sum, s->down_sum);
}

static void put_legend(const struct drawing *d)
{
	struct chart_series total = { .name = "total" };
	double y = LEGEND;

	put_text(d->out, UP_RIGHT, y, 13, "end", PALE, d->c->up);
	put_text(d->out, DOWN_RIGHT, y, 13, "end", PALE, d->c->down);
	put_text(d->out, RIGHT, y, 13, "end", PALE, "Sum");
	for (size_t i = 0; i < d->c->n_series; i++) {
		const struct chart_series *s = &d->c->series[i];

		put_entry(d, y += LINE, colour_of(d->c, i), s);
		total.up_sum += s->up_sum;
		total.down_sum += s->down_sum;
	}
	put_line(d->out, LEFT, y + 7, RIGHT, y + 7, GRID);
	put_entry(d, y + LINE + 3, NULL, &total);
}

int chart_print(struct err *e, FILE *out, const struct chart *c)
{
	CLEANUP(drawing_clear) struct drawing d = { .c = c, .out = out };

	d.ground = calloc(c->n_intervals, sizeof(*d.ground));
	if (!d.ground)
		return err_set(e, ENOMEM, "out of memory");
	find_scale(&d);
	put_head(&d, LEGEND + LINE * ((int)c->n_series + 2));
	put_plot(&d);
	put_legend(&d);
	fputs("</svg>\n", out);
	return 0;
}
