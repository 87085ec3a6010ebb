/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "json.h"
#include "unit.h"

#include <signal.h>
#include <string.h>

START_TEST(writes_nothing_for_a_document_without_a_root)
{
	struct unit_out out = { 0 };
	struct json *j = json_new(unit_open(&out));

	ck_assert_ptr_nonnull(j);
	json_free(j);
	json_free(NULL);
	unit_expect(&out, "");
}
END_TEST

START_TEST(writes_empty_containers_on_one_line)
{
	struct unit_out out = { 0 };
	struct json *j = json_new(unit_open(&out));

	ck_assert_ptr_nonnull(j);
	json_begin_array(j, NULL);
	json_begin_object(j, NULL);
	json_end_object(j);
	json_begin_array(j, NULL);
	json_end_array(j);
	json_end_array(j);
	json_free(j);
	unit_expect(&out, "[\n  {},\n  []\n]\n");
}
END_TEST

START_TEST(nests_and_indents)
{
	struct unit_out out = { 0 };
	struct json *j = json_new(unit_open(&out));

	ck_assert_ptr_nonnull(j);
	json_begin_object(j, NULL);
	json_string(j, "container", "755fe2a8");
	json_begin_array(j, "ports");
	json_uint(j, NULL, 80);
	json_begin_object(j, NULL);
	json_bool(j, "open", true);
	json_bool(j, "closing", false);
	json_end_object(j);
	json_end_array(j);
	json_null(j, "worker");
	json_string(j, "vip", NULL);
	json_end_object(j);
	json_free(j);
	unit_expect(&out, "{\n"
			  "  \"container\": \"755fe2a8\",\n"
			  "  \"ports\": [\n"
			  "    80,\n"
			  "    {\n"
			  "      \"open\": true,\n"
			  "      \"closing\": false\n"
			  "    }\n"
			  "  ],\n"
			  "  \"worker\": null,\n"
			  "  \"vip\": null\n"
			  "}\n");
}
END_TEST

START_TEST(writes_the_greatest_and_least_numbers_whole)
{
	struct unit_out out = { 0 };
	struct json *j = json_new(unit_open(&out));

	ck_assert_ptr_nonnull(j);
	json_begin_array(j, NULL);
	json_uint(j, NULL, UINT64_MAX);
	json_int(j, NULL, INT64_MIN);
	json_int(j, NULL, INT64_MAX);
	json_uint(j, NULL, 0);
	json_end_array(j);
	json_free(j);
	unit_expect(&out,
		    "[\n  18446744073709551615,\n  -9223372036854775808,\n  9223372036854775807,\n  0\n]\n");
}
END_TEST

/* Strings and the JSON that they become. */
static const struct {
	const char *text, *json;
} strings[] = {
	{ "", "" },
	{ "plain /text", "plain /text" },
	{ "\"\\", "\\\"\\\\" },
	{ "a\nb\tc\rd", "a\\nb\\tc\\u000dd" },
	{ "\x01\x1b[31m\x7f", "\\u0001\\u001b[31m\\u007f" },
	{ "\xc2\x9b" "31m", "\\u009b31m" },
	{ "\xc2\xa0", "\xc2\xa0" },
	{ "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x98\x80", "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x98\x80" },
	{ "\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf",
	  "\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf" },
#define BAD "\xef\xbf\xbd"
	{ "a\x80z", "a" BAD "z" },                     /* continuation alone */
	{ "a\xffz\xfe", "a" BAD "z" BAD },             /* never in UTF-8 */
	{ "a\xc3", "a" BAD },                          /* cut short by the end */
	{ "\xe2\x82", BAD BAD },
	{ "\xf0\x9f\x98", BAD BAD BAD },
	{ "\xc3z", BAD "z" },                          /* cut short by a letter */
	{ "\xe2\x82\"", BAD BAD "\\\"" },
	{ "\xc0\x80\xc1\xbf", BAD BAD BAD BAD },       /* overlong */
	{ "\xe0\x80\xaf", BAD BAD BAD },
	{ "\xf0\x8f\xbf\xbf", BAD BAD BAD BAD },
	{ "\xed\xa0\x80", BAD BAD BAD },               /* a surrogate */
	{ "\xf4\x90\x80\x80", BAD BAD BAD BAD },       /* above U+10FFFF */
	{ "\xf8\x88\x80\x80\x80", BAD BAD BAD BAD BAD }, /* five bytes */
};

START_TEST(escapes_control_characters_and_replaces_invalid_bytes)
{
	char expected[128];

	for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
		struct unit_out out = { 0 };
		struct json *j = json_new(unit_open(&out));

		ck_assert_ptr_nonnull(j);
		json_string(j, NULL, strings[i].text);
		json_free(j);
		snprintf(expected, sizeof(expected), "\"%s\"\n", strings[i].json);
		unit_expect(&out, expected);
	}
}
END_TEST

START_TEST(nests_up_to_the_limit)
{
	struct unit_out out = { 0 };
	struct json *j = json_new(unit_open(&out));

	ck_assert_ptr_nonnull(j);
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		json_begin_array(j, NULL);
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		json_end_array(j);
	json_free(j);
	fflush(out.stream);
	ck_assert_uint_eq(strspn(out.text, "[\n "), strcspn(out.text, "]"));
	ck_assert_ptr_nonnull(strstr(out.text, "[]\n"));
	fclose(out.stream);
	free(out.text);
}
END_TEST

/* Each breaks the nesting in another way and must not come back. */
static void end_twice(struct json *j)
{
	json_begin_array(j, NULL);
	json_end_array(j);
	json_end_array(j);
}

static void end_an_array_as_an_object(struct json *j)
{
	json_begin_array(j, NULL);
	json_end_object(j);
}

static void value_without_key(struct json *j)
{
	json_begin_object(j, NULL);
	json_uint(j, NULL, 1);
}

static void key_in_an_array(struct json *j)
{
	json_begin_array(j, NULL);
	json_uint(j, "key", 1);
}

static void two_roots(struct json *j)
{
	json_uint(j, NULL, 1);
	json_uint(j, NULL, 2);
}

static void free_unended(struct json *j)
{
	json_begin_array(j, NULL);
	json_free(j);
}

static void too_deep(struct json *j)
{
	for (int i = 0; i <= JSON_DEPTH_MAX; i++)
		json_begin_array(j, NULL);
}

static void (*const wrongs[])(struct json *) = {
	end_twice, end_an_array_as_an_object, value_without_key, key_in_an_array,
	two_roots, free_unended,	      too_deep,
};

START_TEST(wrong_nesting_is_an_assertion)
{
	struct json *j = json_new(stdout);

	ck_assert_ptr_nonnull(j);
	fclose(stderr); /* the assertion's own words */
	wrongs[_i](j);
}
END_TEST

/* Every place in a document of several blocks is the end of one, for some of the lengths. */
START_TEST(writes_all_of_a_long_document)
{
	static char expected[1 << 19], text[3000];

	for (size_t step = 1; step < 70; step += 3) {
		struct unit_out out = { 0 };
		struct json *j = json_new(unit_open(&out));
		char *at = stpcpy(expected, "[");

		ck_assert_ptr_nonnull(j);
		json_begin_array(j, NULL);
		for (size_t i = 0, len = step; i < 4000; i++, len = (len + step) % (i % 64 ? 40 : sizeof(text))) {
			memset(text, 'a', len);
			text[len] = '\0';
			json_string(j, NULL, text);
			json_uint(j, NULL, i);
			at += sprintf(at, "%s\n  \"%s\",\n  %zu", i ? "," : "", text, i);
		}
		json_end_array(j);
		json_free(j);
		strcpy(at, "\n]\n");
		unit_expect(&out, expected);
	}
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, writes_nothing_for_a_document_without_a_root);
	tcase_add_test(tc, writes_empty_containers_on_one_line);
	tcase_add_test(tc, nests_and_indents);
	tcase_add_test(tc, writes_the_greatest_and_least_numbers_whole);
	tcase_add_test(tc, escapes_control_characters_and_replaces_invalid_bytes);
	tcase_add_test(tc, nests_up_to_the_limit);
	tcase_add_test(tc, writes_all_of_a_long_document);
	tcase_add_loop_test_raise_signal(tc, wrong_nesting_is_an_assertion, SIGABRT, 0, ARRAY_LEN(wrongs));
}

int main(void)
{
	return unit_main("json", add);
}
