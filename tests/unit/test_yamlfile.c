/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Texts in memory and streams. Files, and bad YAML: test_config. */
#include "unit.h"
#include "yamlfile.h"

/* The tree in one line; the references in it as they were resolved. */
static void describe(const struct yamlfile_node *node, FILE *out)
{
	const struct yamlfile_node *child = yamlfile_first(node);
	bool is_list = node->kind == YAMLFILE_LIST;

	if (node->kind == YAMLFILE_SCALAR) {
		fprintf(out, "%s@%u:%u", node->text, node->at.line, node->at.column);
		ck_assert_uint_eq(node->n, strlen(node->text));
		return;
	}
	ck_assert_int_ne(node->kind, YAMLFILE_ALIAS);
	fputs(is_list ? "[ " : "{ ", out);
	for (uint32_t i = 0; i < node->n; i++, child = yamlfile_next(child)) {
		describe(yamlfile_target(child), out);
		fputs(is_list || i % 2 ? " " : ": ", out);
	}
	fputc(is_list ? ']' : '}', out);
}

static const struct {
	const char *text, *tree;
	enum yamlfile_form form;
} trees[] = {
	{ "a: b\nc: [d, {e: f}]\n", "{ a@0:0: b@0:3 c@1:0: [ d@1:4 { e@1:8: f@1:11 } ] }", YAMLFILE_PLAIN },
	{ "- - a\n  -\n- {}\n- []\n", "[ [ a@0:4 @1:3 ] { } [ ] ]", YAMLFILE_PLAIN },
	{ "? [a]\n: {? {b: c} : d}\n", "{ [ a@0:3 ]: { { b@1:6: c@1:9 }: d@1:14 } }", YAMLFILE_PLAIN },
	{ "word", "word@0:0", YAMLFILE_PLAIN },
	{ "a: !!int 5\nb: !x y\n", "{ a@0:0: 5@0:3 b@1:0: y@1:3 }", YAMLFILE_PLAIN },
	{ "a: &x {b: [c]}\nd: [*x, e]\nf: g\n",
	  "{ a@0:0: { b@0:7: [ c@0:11 ] } d@1:0: [ { b@0:7: [ c@0:11 ] } e@1:8 ] f@2:0: g@2:3 }", YAMLFILE_YAML },
	{ "a: &x [1]\nb: *x\n&k c: *k\n", "{ a@0:0: [ 1@0:7 ] b@1:0: [ 1@0:7 ] c@2:0: c@2:0 }",
	  YAMLFILE_YAML },
	{ "{\"a\": [1, \"b\", {}], \"c\": null}", "{ a@0:1: [ 1@0:7 b@0:10 { } ] c@0:20: null@0:25 }",
	  YAMLFILE_JSON },
};

START_TEST(builds_the_tree)
{
	struct yamlfile doc = { 0 };
	struct unit_out o = { 0 };
	struct err e = { 0 };

	ck_assert_msg(yamlfile_parse(&e, "N", trees[_i].text, strlen(trees[_i].text), trees[_i].form, &doc) ==
			      0,
		      "%s", e.msg);
	describe(yamlfile_root(&doc), unit_open(&o));
	unit_expect(&o, trees[_i].tree);
	yamlfile_clear(&doc);
}
END_TEST

START_TEST(a_text_without_a_document_has_no_root)
{
	static const char *const texts[] = { "", "\n", "# a\n" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		for (int form = YAMLFILE_YAML; form <= YAMLFILE_JSON; form++) {
			struct yamlfile doc = { 0 };
			struct err e = { 0 };

			ck_assert_msg(yamlfile_parse(&e, "N", texts[i], strlen(texts[i]),
						     (enum yamlfile_form)form, &doc) == 0,
				      "%s", e.msg);
			ck_assert_ptr_null(yamlfile_root(&doc));
			yamlfile_clear(&doc);
		}
	}
}
END_TEST

START_TEST(plain_yaml_has_no_aliases)
{
	static const struct {
		const char *text, *place;
	} texts[] = { { "a: &x 1", "N:1:4" },
		      { "&x a: 1", "N:1:1" },
		      { "- [&x []]", "N:1:4" },
		      { "{a: &x {}}", "N:1:5" },
		      { "a: *x", "N:1:4" } };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct yamlfile doc;
		struct err e;

		ck_assert_int_eq(
			yamlfile_parse(&e, "N", texts[i].text, strlen(texts[i].text), YAMLFILE_PLAIN, &doc),
			-EINVAL);
		ck_assert_int_eq(strncmp(e.msg, texts[i].place, 5), 0);
		ck_assert_str_eq(e.msg + 5,
				 ": aliases are not supported; write the value itself, without & and *");
	}
}
END_TEST

START_TEST(takes_64_levels_and_no_more)
{
	char text[131];
	struct yamlfile doc;
	struct err e;

	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	ck_assert_int_eq(yamlfile_parse(&e, "N", text + 1, 128, YAMLFILE_YAML, &doc), 0);
	yamlfile_clear(&doc);
	ck_assert_int_eq(yamlfile_parse(&e, "N", text, 130, YAMLFILE_YAML, &doc), -EINVAL);
	ck_assert_str_eq(e.msg, "N:1:65: this is nested deeper than 64 levels; make it flatter");
}
END_TEST

START_TEST(reads_a_stream_to_its_end)
{
	static const size_t sizes[] = { 0, 1, 16383, 16384, 16385, 100000, 262143, 262144 };
	char *text = malloc(262145), *got;
	struct err e;
	size_t len;

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < 262145; i++)
		text[i] = (char)(i % 251);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		FILE *in = tmpfile();

		ck_assert_uint_eq(fwrite(text, 1, sizes[i], in), sizes[i]);
		rewind(in);
		ck_assert_int_eq(yamlfile_read(&e, in, "N", 262144, &got, &len), 0);
		ck_assert_uint_eq(len, sizes[i]);
		ck_assert_int_eq(memcmp(got, text, len), 0);
		ck_assert_int_eq(got[len], '\0');
		free(got);
		fclose(in);
	}
	FILE *in = fmemopen(text, 262145, "r");

	ck_assert_int_eq(yamlfile_read(&e, in, "N", 262144, &got, &len), -EFBIG);
	ck_assert_str_eq(e.msg, "N is larger than 256 KiB");
	fclose(in);
	free(text);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, builds_the_tree, 0, ARRAY_LEN(trees));
	tcase_add_test(tc, a_text_without_a_document_has_no_root);
	tcase_add_test(tc, plain_yaml_has_no_aliases);
	tcase_add_test(tc, takes_64_levels_and_no_more);
	tcase_add_test(tc, reads_a_stream_to_its_end);
}

int main(void)
{
	return unit_main("yamlfile", add);
}
