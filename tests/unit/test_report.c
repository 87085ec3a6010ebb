/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report.h"
#include "given.h"

static int read_bytes(struct err *e, const char *text, size_t len, struct worker *out)
{
	FILE *in = fmemopen((char *)(uintptr_t)text, len, "r");
	int ret;

	ck_assert_ptr_nonnull(in);
	ret = report_read(e, in, "R", out);
	fclose(in);
	return ret;
}

/* Behind a NAT, as sonm-stun -j prints it. */
static const char behind_nat[] = "{\n"
				 "  \"nat\": \"port_restricted\",\n"
				 "  \"text\": \"Port restricted NAT\",\n"
				 "  \"mapping\": \"endpoint_independent\",\n"
				 "  \"filtering\": \"address_and_port_dependent\",\n"
				 "  \"gateway\": true,\n"
				 "  \"family\": \"IPv4\",\n"
				 "  \"source\": \"stun\",\n"
				 "  \"address\": \"203.0.113.7\",\n"
				 "  \"port\": 40012,\n"
				 "  \"addresses\": [\n"
				 "    {\n"
				 "      \"address\": \"203.0.113.7\",\n"
				 "      \"scope\": \"global\"\n"
				 "    }\n"
				 "  ],\n"
				 "  \"local\": null,\n"
				 "  \"reasons\": [],\n"
				 "  \"servers\": [\n"
				 "    {\n"
				 "      \"address\": \"198.51.100.10\",\n"
				 "      \"nat\": \"port_restricted\",\n"
				 "      \"rtt_us\": 280\n"
				 "    }\n"
				 "  ],\n"
				 "  \"took_ms\": -2.5e+1\n"
				 "}\n";

/* A report with these addresses, which are objects of JSON. */
#define WITH(addresses) "{\"nat\":\"none\",\"gateway\":false,\"addresses\":[" addresses "]}"
#define ADDRESS(text) "{\"address\":\"" text "\"}"

static const struct {
	const char *text, *meaning;
} good[] = {
	{ behind_nat, "port_restricted private" },
	{ WITH(ADDRESS("203.0.113.7")), "none public 203.0.113.7" },
	{ WITH(ADDRESS("2001:db8::7") "," ADDRESS("203.0.113.7")), "none public 2001:db8::7 203.0.113.7" },
	/* what it says of the scope is not believed */
	{ WITH("{\"scope\":\"global\",\"address\":\"10.0.0.1\"}, "
	       "{\"address\":\"203.0.113.7\",\"scope\":\"private\"}"),
	  "none public 203.0.113.7" },
	{ WITH(ADDRESS("127.0.0.1") "," ADDRESS("100.64.0.1") "," ADDRESS("fd00::1") "," ADDRESS(
		  "::ffff:8.8.8.8") "," ADDRESS("0.0.0.0") "," ADDRESS("203.0.113.7") "," ADDRESS("203.0.113."
												  "7")),
	  "none public 203.0.113.7" },
	{ WITH(ADDRESS("203.0.113.1") "," ADDRESS(
		  "203.0.113.2") "," ADDRESS("203.0.113.3") "," ADDRESS("203.0.113."
									"4") "," ADDRESS("203.0.113.5") "," ADDRESS("203.0.113.6") "," ADDRESS("203.0.113.7") "," ADDRESS("203.0.113.8") "," ADDRESS("203.0.113.9") "," ADDRESS("203.0.113.10") "," ADDRESS("203.0.113.11") "," ADDRESS("203.0.113."
																																			"12") "," ADDRESS("203.0.113.13") "," ADDRESS("203.0.113.14") "," ADDRESS("203.0.113.15") "," ADDRESS("203.0.113.16") "," ADDRESS("203.0.113.17")),
	  "none public 203.0.113.1 203.0.113.2 203.0.113.3 203.0.113.4 203.0.113.5 203.0.113.6 203.0.113.7 "
	  "203.0.113.8 "
	  "203.0.113.9 203.0.113.10 203.0.113.11 203.0.113.12 203.0.113.13 203.0.113.14 203.0.113.15 "
	  "203.0.113.16" },
	{ "{\"addresses\":[],\"gateway\":true,\"nat\":\"unknown\"}", "unknown private" },
	{ "{\"nat\":\"none\",\"gateway\":true,\"addresses\":[{\"address\":\"10.0.0.1\"}]}", "none private" },
	/* members that are not known may be anything, even twice */
	{ "{\"x\":{\"nat\":1},\"x\":[0,-1,1.5,2E9,1e-3,true,null,\"\"],\"nat\":\"blocked\",\"gateway\":true,"
	  "\"addresses\":[]}",
	  "blocked private" },
	{ " {\"nat\"\t:\t\"\\u0066ull\",\r\n\"gateway\" :true,\"addresses\":[ ]}\r\n", "full private" },
};

START_TEST(reads_a_report)
{
	struct worker w = { 0 };
	struct err e = { 0 };
	struct unit_out o = { 0 };
	char text[ADDR_STRLEN];

	ck_assert_msg(read_bytes(&e, good[_i].text, strlen(good[_i].text), &w) == 0, "%s", e.msg);
	fprintf(unit_open(&o), "%s %s", nat_type_name(w.nat), w.is_public ? "public" : "private");
	for (size_t i = 0; i < w.n_addresses; i++)
		fprintf(o.stream, " %s", addr_format(&w.addresses[i], text));
	unit_expect(&o, good[_i].meaning);
	ck_assert_str_eq(w.name, "");
	ck_assert_int_eq(w.reported_at, 0);
	strcpy(w.name, "w");
	ck_assert_int_eq(worker_check(&e, &w), 0);
}
END_TEST

#define SIXTY "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefgh"
#define ADVICE "; give what 'sonm-stun -j' prints"
#define NO_OBJECT ":1:1: not valid JSON: this is not an object in braces"
#define REST "\"gateway\":true,\"addresses\":[]}"
#define DEEP "[[[[[[[[[[[[[[[["

static const struct {
	const char *text, *message;
} bad[] = {
	/* not an object of JSON */
	{ " \n", ": is empty" ADVICE },
	{ "[]", NO_OBJECT },
	{ "5", NO_OBJECT },
	{ "\"nat\"", NO_OBJECT },
	{ "nat: none\ngateway: false\n", NO_OBJECT },
	{ "--- {}", NO_OBJECT },
	{ "%YAML 1.1\n--- {}", NO_OBJECT },
	{ "<html>", NO_OBJECT },
	{ "{} {}", ":1:4: not valid JSON: did not find expected <document start>" },
	{ "{}\n--- {}\n", ":2:1: not valid JSON: this is not an object in braces" },
	{ "{}\n...\n", ":2:1: not valid JSON: something follows the object" },
	{ "{", ":2:1: not valid JSON: did not find expected node content" },
	{ "{nat: \"none\"," REST, ":1:2: not valid JSON: a name is not in double quotes" },
	{ "{'nat': \"none\"," REST, ":1:2: not valid JSON: a name is not in double quotes" },
	{ "{5: \"none\"," REST, ":1:2: not valid JSON: a name is not in double quotes" },
	{ "{[]: \"none\"," REST, ":1:2: not valid JSON: a name is not a text" },
	{ "{\"nat\": none," REST, ":1:9: not valid JSON: this is no value; write text in double quotes" },
	{ "{\"nat\": 'none'," REST, ":1:9: not valid JSON: this is no value; write text in double quotes" },
	{ "{\"nat\"," REST, ":1:7: not valid JSON: this is no value; write text in double quotes" },
	{ "{\"nat\": !!str \"none\"," REST, ":1:9: not valid JSON: there is a tag" },
	{ "{\"x\": ! []," REST, ":1:7: not valid JSON: there is a tag" },
	{ "{\"x\": !!map {}," REST, ":1:7: not valid JSON: there is a tag" },
	{ "{\"nat\": &a \"none\"," REST,
	  ":1:9: aliases are not supported; write the value itself, without & and *" },
	{ "{\"x\": [&a {}]," REST,
	  ":1:8: aliases are not supported; write the value itself, without & and *" },
	{ "{\"nat\": *a ," REST, ":1:9: aliases are not supported; write the value itself, without & and *" },
	{ "{\"x\":01," REST, ":1:6: not valid JSON: this is no value; write text in double quotes" },
	{ "{\"x\":.5," REST, ":1:6: not valid JSON: this is no value; write text in double quotes" },
	{ "{\"x\":1.," REST, ":1:6: not valid JSON: this is no value; write text in double quotes" },
	{ "{\"x\":1e," REST, ":1:6: not valid JSON: this is no value; write text in double quotes" },
	{ "{\"x\":+1," REST, ":1:6: not valid JSON: this is no value; write text in double quotes" },
	{ "{\"x\":0x1," REST, ":1:6: not valid JSON: this is no value; write text in double quotes" },
	{ "{\"x\":NaN," REST, ":1:6: not valid JSON: this is no value; write text in double quotes" },
	{ "{\"x\":True," REST, ":1:6: not valid JSON: this is no value; write text in double quotes" },
	{ "{\"x\":\"\xff\"," REST, ":1:7: not valid JSON: invalid leading UTF-8 octet" },
	{ "{\"x\":\"\x1b[2J\"," REST, ":1:7: not valid JSON: control characters are not allowed" },
	{ "{\"x\":" DEEP DEEP DEEP DEEP, ":1:69: this is nested deeper than 64 levels; make it flatter" },
	/* members */
	{ "{}", ": there is no \"nat\"" ADVICE },
	{ "{\"nat\":\"none\",\"addresses\":[]}",
	  ": there is no \"gateway\"" ADVICE },
	{ "{\"nat\":\"none\",\"gateway\":true}",
	  ": there is no \"addresses\"" ADVICE },
	{ "{\"nat\":\"none\",\"nat\":\"full\"," REST, ":1:15: nat is given twice; give it once" },
	{ "{\"nat\":\"full\",\"gateway\":true," REST, ":1:30: gateway is given twice; give it once" },
	{ "{\"nat\":\"full\",\"gateway\":true,\"addresses\":[],\"addresses\":[]}",
	  ":1:45: addresses is given twice; give it once" },
	{ "{\"nat\":5," REST, ":1:8: nat: this is no text; write one, in quotes" },
	{ "{\"nat\":null," REST, ":1:8: nat: this is no text; write one, in quotes" },
	{ "{\"nat\":[\"none\"]," REST, ":1:8: nat: this is a list; give one value" },
	{ "{\"nat\":\"none\\u0000\"," REST, ":1:8: nat: there is a NUL character in the value; remove it" },
	{ "{\"nat\":\"\"," REST, ":1:8: nat: '' is not a type of NAT" ADVICE },
	{ "{\"nat\":\"None\"," REST, ":1:8: nat: 'None' is not a type of NAT" ADVICE },
	{ "{\"nat\":\"\\u001b[2J\\u202e\\u009b\\n\"," REST,
	  ":1:8: nat: '?[2J?\?\?\?\?\?' is not a type of NAT" ADVICE },
	{ "{\"nat\":\"" SIXTY "\"," REST, ":1:8: nat: '" SIXTY "' is not a type of NAT" ADVICE },
	{ "{\"nat\":\"" SIXTY "i\"," REST, ":1:8: nat: '" SIXTY "...' is not a type of NAT" ADVICE },
	{ "{\"nat\":\"" SIXTY SIXTY SIXTY SIXTY "\"," REST,
	  ":1:8: nat: '" SIXTY "...' is not a type of NAT" ADVICE },
	{ "{\"gateway\":\"true\"}",
	  ":1:12: gateway: this is neither true nor false; write one of them, without quotes" },
	{ "{\"gateway\":1}",
	  ":1:12: gateway: this is neither true nor false; write one of them, without quotes" },
	{ "{\"gateway\":null}",
	  ":1:12: gateway: this is neither true nor false; write one of them, without quotes" },
	{ "{\"gateway\":{}}",
	  ":1:12: gateway: this is neither true nor false; write one of them, without quotes" },
	{ "{\"addresses\":\"203.0.113.7\"}", ":1:14: addresses: this is not a list" ADVICE },
	{ "{\"addresses\":null}", ":1:14: addresses: this is not a list" ADVICE },
	{ "{\"addresses\":{}}", ":1:14: addresses: this is not a list" ADVICE },
	{ "{\"addresses\":[\"203.0.113.7\"]}",
	  ":1:15: addresses: this is not a mapping; write its keys and values" },
	{ WITH("{}"), ":1:44: addresses: there is no \"address\" in this object" ADVICE },
	{ WITH("{\"address\":null}"), ":1:55: address: this is no text; write one, in quotes" },
	{ WITH("{\"address\":[]}"), ":1:55: address: this is a list; give one value" },
	{ WITH("{\"address\":\"192.0.2.1\",\"address\":\"192.0.2.2\"}"),
	  ":1:67: addresses: address is given twice; give it once" },
	{ WITH(ADDRESS("hub.example")), ":1:55: address: 'hub.example' is not an IPv4 or IPv6 address" ADVICE },
	{ WITH(ADDRESS("\\u0007" SIXTY)),
	  ":1:55: address: '?abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"
	  "abcdefg...' is not an IPv4 or IPv6 address" ADVICE },
	/* what cannot be */
	{ WITH(""), ": it says that the worker needs no gateway, but has no public address for it" ADVICE },
	{ WITH(ADDRESS("10.0.0.1")),
	  ": it says that the worker needs no gateway, but has no public address for it" ADVICE },
	{ "{\"nat\":\"symmetric_udp_firewall\",\"gateway\":false,\"addresses\":[{\"address\":\"203.0.113.7\"}"
	  "]}",
	  ": it says that the worker needs no gateway, but is behind a NAT or firewall "
	  "(symmetric_udp_firewall)" ADVICE },
};

START_TEST(refuses_what_is_no_report)
{
	struct worker w = { .n_addresses = 77 };
	struct err e = { 0 };

	ck_assert_int_eq(read_bytes(&e, bad[_i].text, strlen(bad[_i].text), &w), -EINVAL);
	ck_assert_int_eq(e.code, EINVAL);
	ck_assert_str_eq(e.msg + 1, bad[_i].message);
	ck_assert_uint_eq(w.n_addresses, 77);
}
END_TEST

START_TEST(a_report_has_an_end)
{
	size_t len = 10 << 20;
	char *text = malloc(len);
	struct worker w;
	struct err e;

	ck_assert_ptr_nonnull(text);
	memset(text, ' ', len);
	memcpy(text, behind_nat, sizeof(behind_nat) - 1);
	ck_assert_int_eq(read_bytes(&e, text, REPORT_SIZE_MAX, &w), 0);
	ck_assert_int_eq(read_bytes(&e, text, REPORT_SIZE_MAX + 1, &w), -EFBIG);
	ck_assert_str_eq(e.msg, "R is larger than 256 KiB" ADVICE);
	ck_assert_int_eq(read_bytes(&e, text, len, &w), -EFBIG);
	free(text);
}
END_TEST

START_TEST(refuses_bytes_behind_the_object)
{
	char text[sizeof(behind_nat) + 1];
	struct worker w;
	struct err e;

	memcpy(text, behind_nat, sizeof(behind_nat)); /* with its NUL */
	ck_assert_int_eq(read_bytes(&e, text, sizeof(behind_nat), &w), -EINVAL);
	ck_assert_str_eq(e.msg, "R:28:1: not valid JSON: control characters are not allowed");
}
END_TEST

/* Hostile shapes that some parsers spend their life on. */
START_TEST(is_quick_whatever_it_is_given)
{
	static const char *const units[] = { "[",  "{", "\"",     "[],", "{\"a\":", "0,", "? ",
					     "- ", "#", "\"a\":", "\\",  "a: ",     "!",  "&a " };

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		char *text = malloc(REPORT_SIZE_MAX);
		size_t len = strlen(units[i]), head = i % 2 ? 6 : 0;
		struct worker w;
		struct err e;

		ck_assert_ptr_nonnull(text);
		memcpy(text, "{\"x\":[", head);
		for (size_t at = head; at < REPORT_SIZE_MAX; at++)
			text[at] = units[i][(at - head) % len];
		ck_assert_int_lt(read_bytes(&e, text, REPORT_SIZE_MAX, &w), 0);
		free(text);
	}
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 10);
	tcase_add_loop_test(tc, reads_a_report, 0, ARRAY_LEN(good));
	tcase_add_loop_test(tc, refuses_what_is_no_report, 0, ARRAY_LEN(bad));
	tcase_add_test(tc, a_report_has_an_end);
	tcase_add_test(tc, refuses_bytes_behind_the_object);
	tcase_add_test(tc, is_quick_whatever_it_is_given);
}

int main(void)
{
	return unit_main("report", add);
}
