/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "table.h"

#include <inttypes.h>
#include <string.h>

struct widths {
	size_t by_exact[2]; /* of the widest cell, printed human [0] and exact [1] */
};

struct table {
	const struct column *columns;
	size_t n_columns;
	struct widths *widths; /* a column each */
	union cell *cells;     /* row after row */
	size_t n_rows;
};

/* Characters, not bytes, of UTF-8. */
static size_t text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

struct table *table_new(const struct column *columns, size_t n_columns)
{
	CLEANUP_FREE struct table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->widths = calloc(n_columns, sizeof(*t->widths));
	if (!t->widths)
		return NULL;
	t->columns = columns;
	t->n_columns = n_columns;
	for (size_t i = 0; i < n_columns; i++)
		if (columns[i].title)
			t->widths[i].by_exact[0] = t->widths[i].by_exact[1] = text_width(columns[i].title);
	return steal_ptr(t);
}

static union cell *row_at(const struct table *t, size_t row)
{
	return t->cells + row * t->n_columns;
}

static void free_texts(const struct table *t, union cell *row, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (t->columns[i].type == COLUMN_TEXT)
			free((char *)row[i].text);
}

void table_free(struct table *t)
{
	if (!t)
		return;
	for (size_t row = 0; row < t->n_rows; row++)
		free_texts(t, row_at(t, row), t->n_columns);
	free(t->cells);
	free(t->widths);
	free(t);
}

const char *table_human(uint64_t n, char buf[static TABLE_HUMAN_STRLEN])
{
	/* ipvsadm's thresholds (print_largenum): its users know these columns. */
	if (n < 100000000)
		snprintf(buf, TABLE_HUMAN_STRLEN, "%" PRIu64, n);
	else if (n < 1000000000)
		snprintf(buf, TABLE_HUMAN_STRLEN, "%" PRIu64 "K", n / 1000);
	else if (n < 100000000000)
		snprintf(buf, TABLE_HUMAN_STRLEN, "%" PRIu64 "M", n / 1000000);
	else if (n < 100000000000000)
		snprintf(buf, TABLE_HUMAN_STRLEN, "%" PRIu64 "G", n / 1000000000);
	else
		snprintf(buf, TABLE_HUMAN_STRLEN, "%" PRIu64 "T", n / 1000000000000);
	return buf;
}

/* What a cell shows; buf serves a count. */
static const char *cell_text(const struct column *column, const union cell *cell, bool exact,
			     char buf[static TABLE_HUMAN_STRLEN])
{
	if (column->type == COLUMN_TEXT)
		return cell->text && *cell->text ? cell->text : "-";
	if (!exact)
		return table_human(cell->count, buf);
	snprintf(buf, TABLE_HUMAN_STRLEN, "%" PRIu64, cell->count);
	return buf;
}

static void widen(const struct column *column, const union cell *cell, struct widths *widths)
{
	char buf[TABLE_HUMAN_STRLEN];

	for (int exact = 0; exact <= 1; exact++) {
		size_t width = text_width(cell_text(column, cell, exact, buf));

		if (width > widths->by_exact[exact])
			widths->by_exact[exact] = width;
	}
}

int table_add(struct err *e, struct table *t, const union cell *cells)
{
	void *grown = t->cells;
	union cell *row;

	if (base_reserve(&grown, t->n_rows, t->n_columns * sizeof(*cells)) < 0)
		return err_set(e, ENOMEM, "out of memory");
	t->cells = grown;
	row = row_at(t, t->n_rows);
	for (size_t i = 0; i < t->n_columns; i++) {
		row[i] = cells[i];
		if (t->columns[i].type != COLUMN_TEXT || !cells[i].text)
			continue;
		row[i].text = strdup(cells[i].text);
		if (!row[i].text) {
			free_texts(t, row, i);
			return err_set(e, ENOMEM, "out of memory");
		}
	}
	for (size_t i = 0; i < t->n_columns; i++)
		widen(&t->columns[i], &row[i], &t->widths[i]);
	t->n_rows++;
	return 0;
}

size_t table_rows(const struct table *t)
{
	return t->n_rows;
}

static void put_spaces(FILE *out, size_t n)
{
	while (n-- > 0)
		fputc(' ', out);
}

static void put_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		fputc(c < 0x20 || c == 0x7f ? '?' : c, out);
	}
}

/* Prints one line: a row's cells, or the titles when row is NULL. */
static void print_line(const struct table *t, FILE *out, const union cell *row, bool exact)
{
	char buf[TABLE_HUMAN_STRLEN];
	size_t owed = 0; /* spaces before the next cell; never paid at the end of a line */

	for (size_t i = 0; i < t->n_columns; i++) {
		const struct column *column = &t->columns[i];
		const char *text;
		size_t pad;

		if (!column->title)
			continue;
		text = row ? cell_text(column, &row[i], exact, buf) : column->title;
		pad = t->widths[i].by_exact[exact] - text_width(text);
		put_spaces(out, owed + (column->type == COLUMN_COUNT ? pad : 0));
		put_text(out, text);
		owed = 2 + (column->type == COLUMN_TEXT ? pad : 0);
	}
	fputc('\n', out);
}

void table_print(const struct table *t, FILE *out, bool exact)
{
	print_line(t, out, NULL, exact);
	for (size_t row = 0; row < t->n_rows; row++)
		print_line(t, out, row_at(t, row), exact);
}

static void write_cell(struct json *j, const struct column *column, const union cell *cell)
{
	if (column->type == COLUMN_TEXT)
		json_string(j, column->key, cell->text);
	else
		json_uint(j, column->key, cell->count);
}

void table_json(const struct table *t, struct json *j)
{
	for (size_t row = 0; row < t->n_rows; row++) {
		json_begin_object(j, NULL);
		for (size_t i = 0; i < t->n_columns; i++)
			if (t->columns[i].key)
				write_cell(j, &t->columns[i], &row_at(t, row)[i]);
		json_end_object(j);
	}
}
