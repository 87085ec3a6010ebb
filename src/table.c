/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "table.h"
#include "utf8.h"

#include <string.h>

struct widths {
	size_t by_exact[2]; /* of the widest cell, printed human [0] and exact [1] */
};

/* Where texts are kept: many in one piece of memory. */
struct chunk {
	struct chunk *next;
	size_t used;
	char texts[];
};

#define CHUNK_SIZE 65536 /* or what one text needs that is longer */

struct table {
	const struct column *columns;
	size_t n_columns;
	struct widths *widths; /* a column each */
	union cell *cells;     /* row after row */
	size_t n_rows;
	struct chunk *chunks;  /* the latest first */
};

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
			t->widths[i].by_exact[0] = t->widths[i].by_exact[1] = utf8_width(columns[i].title);
	return steal_ptr(t);
}

static union cell *row_at(const struct table *t, size_t row)
{
	return t->cells + row * t->n_columns;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	while (t->chunks) {
		struct chunk *next = t->chunks->next;

		free(t->chunks);
		t->chunks = next;
	}
	free(t->cells);
	free(t->widths);
	free(t);
}

/* NULL: out of memory. */
static const char *keep_text(struct table *t, const char *text)
{
	size_t size = strlen(text) + 1;
	size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
	char *kept;

	if (!t->chunks || t->chunks->used + size > CHUNK_SIZE) {
		struct chunk *c = malloc(sizeof(*c) + room);

		if (!c)
			return NULL;
		*c = (struct chunk){ .next = t->chunks };
		t->chunks = c;
	}
	kept = t->chunks->texts + t->chunks->used;
	t->chunks->used += size;
	return memcpy(kept, text, size);
}

const char *table_human(uint64_t n, char buf[static TABLE_HUMAN_STRLEN])
{
	/* ipvsadm's thresholds (print_largenum): its users know these columns. */
	static const struct {
		uint64_t below, unit;
		char letter[2];
	} steps[] = {
		{ 100000000, 1, "" },
		{ 1000000000, 1000, "K" },
		{ 100000000000, 1000000, "M" },
		{ 100000000000000, 1000000000, "G" },
		{ UINT64_MAX, 1000000000000, "T" },
	};
	size_t i = 0;

	while (i + 1 < ARRAY_LEN(steps) && n >= steps[i].below)
		i++;
	strcpy(base_put_number(buf, n / steps[i].unit), steps[i].letter);
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
	base_put_number(buf, cell->count);
	return buf;
}

static void widen(const struct column *column, const union cell *cell, struct widths *widths)
{
	char buf[TABLE_HUMAN_STRLEN];
	size_t width = 0;

	for (int exact = 0; exact <= 1; exact++) {
		if (!exact || column->type == COLUMN_COUNT)
			width = utf8_width(cell_text(column, cell, exact, buf));
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
		row[i].text = keep_text(t, cells[i].text);
		if (!row[i].text)
			return err_set(e, ENOMEM, "out of memory");
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
	static const char spaces[] = "                                                                ";
	const size_t most = sizeof(spaces) - 1;

	for (; n > most; n -= most)
		fwrite(spaces, 1, most, out);
	fwrite(spaces, 1, n, out);
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
		pad = t->widths[i].by_exact[exact] - utf8_width(text);
		put_spaces(out, owed + (column->type == COLUMN_COUNT ? pad : 0));
		utf8_write(out, text, strlen(text));
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
