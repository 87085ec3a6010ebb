/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "table.h"
#include "unit.h"

static const struct column columns[] = {
	{ "Container", "container", COLUMN_TEXT },
	{ "Conns", "conns", COLUMN_COUNT },
	{ NULL, "id", COLUMN_COUNT },
	{ "InBytes", "in_bytes", COLUMN_COUNT },
	{ "Endpoint", "endpoint", COLUMN_TEXT },
	{ "Shown", NULL, COLUMN_TEXT },
};

static struct table *filled(void)
{
	struct table *t = table_new(columns, ARRAY_LEN(columns));
	struct err e;

	ck_assert_ptr_nonnull(t);
	ck_assert_int_eq(table_add(&e, t,
				   (union cell[]){ { .text = "755fe2a8-long" },
						   { .count = 7 },
						   { .count = 1 },
						   { .count = 123456789 },
						   { .text = "198.51.100.1:32898" },
						   { .text = "yes" } }),
			 0);
	ck_assert_int_eq(table_add(&e, t,
				   (union cell[]){ { .text = "b" },
						   { .count = 12345678 },
						   { .count = 2 },
						   { .count = 0 },
						   { .text = NULL },
						   { .text = "" } }),
			 0);
	return t;
}

START_TEST(aligns_every_column_to_its_widest_cell)
{
	struct unit_out out = { 0 };
	struct table *t = filled();

	ck_assert_uint_eq(table_rows(t), 2);
	table_print(t, unit_open(&out), false);
	table_free(t);
	unit_expect(&out, "Container         Conns  InBytes  Endpoint            Shown\n"
			  "755fe2a8-long         7  123456K  198.51.100.1:32898  yes\n"
			  "b              12345678        0  -                   -\n");
}
END_TEST

START_TEST(prints_counts_whole_when_exact)
{
	struct unit_out out = { 0 };
	struct table *t = filled();

	ck_assert_ptr_nonnull(t);
	table_print(t, unit_open(&out), true);
	table_free(t);
	unit_expect(&out, "Container         Conns    InBytes  Endpoint            Shown\n"
			  "755fe2a8-long         7  123456789  198.51.100.1:32898  yes\n"
			  "b              12345678          0  -                   -\n");
}
END_TEST

START_TEST(writes_each_row_as_a_json_object)
{
	struct unit_out out = { 0 };
	struct table *t = filled();
	struct json *j = json_new(unit_open(&out));

	ck_assert_ptr_nonnull(j);
	json_begin_array(j, NULL);
	table_json(t, j);
	json_end_array(j);
	json_free(j);
	table_free(t);
	unit_expect(&out, "[\n"
			  "  {\n"
			  "    \"container\": \"755fe2a8-long\",\n"
			  "    \"conns\": 7,\n"
			  "    \"id\": 1,\n"
			  "    \"in_bytes\": 123456789,\n"
			  "    \"endpoint\": \"198.51.100.1:32898\"\n"
			  "  },\n"
			  "  {\n"
			  "    \"container\": \"b\",\n"
			  "    \"conns\": 12345678,\n"
			  "    \"id\": 2,\n"
			  "    \"in_bytes\": 0,\n"
			  "    \"endpoint\": null\n"
			  "  }\n"
			  "]\n");
}
END_TEST

START_TEST(prints_the_heading_only_when_there_are_no_rows)
{
	struct unit_out out = { 0 };
	struct table *t = table_new(columns, ARRAY_LEN(columns));

	ck_assert_uint_eq(table_rows(t), 0);
	table_print(t, unit_open(&out), false);
	table_free(t);
	table_free(NULL);
	unit_expect(&out, "Container  Conns  InBytes  Endpoint  Shown\n");
}
END_TEST

START_TEST(copies_the_text_of_its_cells)
{
	static const struct column one[] = { { "T", "t", COLUMN_TEXT } };
	struct table *t = table_new(one, 1);
	struct unit_out out = { 0 };
	char text[4];
	struct err e;

	for (int i = 0; i < 9; i++) {
		snprintf(text, sizeof(text), "r%d", i);
		ck_assert_int_eq(table_add(&e, t, &(union cell){ .text = text }), 0);
	}
	memset(text, 'x', sizeof(text));
	table_print(t, unit_open(&out), false);
	table_free(t);
	unit_expect(&out, "T\nr0\nr1\nr2\nr3\nr4\nr5\nr6\nr7\nr8\n");
}
END_TEST

START_TEST(aligns_by_characters_and_prints_no_control_character)
{
	static const struct column two[] = { { "Name", "name", COLUMN_TEXT }, { "N", "n", COLUMN_COUNT } };
	struct table *t = table_new(two, 2);
	struct unit_out out = { 0 };
	struct err e;

	ck_assert_int_eq(table_add(&e, t, (union cell[]){ { .text = "na\xc3\xafve" }, { .count = 1 } }), 0);
	ck_assert_int_eq(table_add(&e, t, (union cell[]){ { .text = "a\nb\x1b\x9b" }, { .count = 2 } }), 0);
	table_print(t, unit_open(&out), false);
	table_free(t);
	unit_expect(&out, "Name   N\nna\xc3\xafve  1\na?b??  2\n");
}
END_TEST

/* Longer than the piece of memory that texts share, and many of them. */
START_TEST(keeps_texts_of_any_length)
{
	static const struct column two[] = { { "A", "a", COLUMN_TEXT }, { "B", "b", COLUMN_TEXT } };
	static const size_t lengths[] = { 1, 70000, 65535, 65536, 3, 65530, 10, 0 };
	struct table *t = table_new(two, 2);
	struct unit_out out = { 0 };
	CLEANUP_FREE char *text = malloc(70001);
	struct err e;
	char *at;

	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		memset(text, (int)('a' + i), lengths[i]);
		text[lengths[i]] = '\0';
		ck_assert_int_eq(table_add(&e, t, (union cell[]){ { .text = text }, { .text = "b" } }), 0);
	}
	table_print(t, unit_open(&out), false);
	table_free(t);
	fclose(out.stream);
	at = strchr(out.text, '\n') + 1;
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		char c = lengths[i] ? (char)('a' + i) : '-';
		size_t n = lengths[i] ? lengths[i] : 1;

		for (size_t k = 0; k < n; k++)
			ck_assert_int_eq(at[k], c);
		ck_assert_uint_eq(strspn(at + n, " "), 70000 - n + 2);
		ck_assert_int_eq(strncmp(at + 70002, "b\n", 2), 0);
		at += 70004;
	}
	ck_assert_int_eq(*at, '\0');
	free(out.text);
}
END_TEST

START_TEST(shortens_counts_as_ipvsadm_does)
{
	static const struct {
		uint64_t n;
		const char *text;
	} counts[] = {
		{ 0, "0" },
		{ 12345678, "12345678" },
		{ 99999999, "99999999" },
		{ 100000000, "100000K" },
		{ 123456789, "123456K" },
		{ 999999999, "999999K" },
		{ 1000000000, "1000M" },
		{ 99999999999, "99999M" },
		{ 100000000000, "100G" },
		{ 99999999999999, "99999G" },
		{ 100000000000000, "100T" },
		{ UINT64_MAX, "18446744T" },
	};
	char buf[TABLE_HUMAN_STRLEN];

	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		ck_assert_str_eq(table_human(counts[i].n, buf), counts[i].text);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, aligns_every_column_to_its_widest_cell);
	tcase_add_test(tc, prints_counts_whole_when_exact);
	tcase_add_test(tc, writes_each_row_as_a_json_object);
	tcase_add_test(tc, prints_the_heading_only_when_there_are_no_rows);
	tcase_add_test(tc, copies_the_text_of_its_cells);
	tcase_add_test(tc, aligns_by_characters_and_prints_no_control_character);
	tcase_add_test(tc, keeps_texts_of_any_length);
	tcase_add_test(tc, shortens_counts_as_ipvsadm_does);
}

int main(void)
{
	return unit_main("table", add);
}
