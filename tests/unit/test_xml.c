/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"
#include "xml.h"

START_TEST(escapes_what_has_a_meaning)
{
	static const char *const texts[][2] = {
		{ "", "" },
		{ "web-1.example:80", "web-1.example:80" },
		{ "<script>alert('x & \"y\"')</script>",
		  "&lt;script&gt;alert(&#39;x &amp; &quot;y&quot;&#39;)&lt;/script&gt;" },
		{ "]]>", "]]&gt;" },
		{ "&amp;", "&amp;amp;" },
		{ "h\xc3\xbc" "b", "h\xc3\xbc" "b" },
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct unit_out o = { 0 };

		xml_text(unit_open(&o), texts[i][0]);
		unit_expect(&o, texts[i][1]);
	}
}
END_TEST

START_TEST(replaces_what_xml_cannot_have)
{
#define FFFD "\xef\xbf\xbd"
	/* Each byte of what is no character stands for itself. */
	static const char *const texts[][2] = {
		{ "\x01", FFFD },	   { "\n", FFFD },	      { "\x1b", FFFD },
		{ "\x7f", FFFD },	   { "\xc2\x80", FFFD },     { "\xff", FFFD },
		{ "\xc0\xaf", FFFD FFFD }, { "\xed\xa0\x80", FFFD FFFD FFFD }, { "\xef\xbf\xbe", FFFD },
		{ "\xef\xbf\xbf", FFFD },
	};
#undef FFFD

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct unit_out o = { 0 };

		xml_text(unit_open(&o), texts[i][0]);
		unit_expect(&o, texts[i][1]);
	}
}
END_TEST

START_TEST(shortens_by_characters)
{
	static const struct {
		const char *text;
		size_t most;
		const char *shown;
	} texts[] = {
		{ "abc", 3, "abc" },
		{ "abcd", 3, "ab\xe2\x80\xa6" },
		{ "\xc3\xa4\xc3\xb6\xc3\xbc", 3, "\xc3\xa4\xc3\xb6\xc3\xbc" },
		{ "\xc3\xa4\xc3\xb6\xc3\xbc!", 3, "\xc3\xa4\xc3\xb6\xe2\x80\xa6" },
		{ "&&&&", 3, "&amp;&amp;\xe2\x80\xa6" },
		{ "", 3, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct unit_out o = { 0 };

		xml_short_text(unit_open(&o), texts[i].text, texts[i].most);
		unit_expect(&o, texts[i].shown);
	}
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, escapes_what_has_a_meaning);
	tcase_add_test(tc, replaces_what_xml_cannot_have);
	tcase_add_test(tc, shortens_by_characters);
}

int main(void)
{
	return unit_main("xml", add);
}
