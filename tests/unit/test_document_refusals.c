/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is refused of a document, and what is said: the place, what is wrong, what to write. */
#include "document.h"
#include "unit.h"

#define R                                                                                                    \
	"version: 1\n"                                                                                       \
	"routes:\n"                                                                                          \
	"- container: c\n"                                                                                   \
	"  port: 1/tcp\n"                                                                                    \
	"  endpoint: 192.0.2.1:2\n"                                                                          \
	"  real_servers: [{address: '10.0.0.1:1'}]\n"

/* Every message begins with the document's name and a colon. */
static const struct {
	const char *text, *message;
} bad[] = {
	{ "\n # x\n", " is empty; give what 'sonm-vs --save' or 'ipvsadm -Sn' prints" },
	{ "version: 2\nfuture: [",
	  "3:1: not valid YAML: did not find expected node content; correct it there "
	  "(indent with spaces, not tabs)" },
	{ "version: 2\nfuture: 1", "1:10: version: this document is of version 2, and this program reads "
				   "version 1; upgrade sonm-gateway" },
	{ "version: '1'", "1:10: version: '1' is in quotes; write it without" },
	{ "version: 1.0",
	  "1:10: version: '1.0' is not a number; write a whole one from 1 to 999999999 in decimal" },
	{ "version: 0",
	  "1:10: version: '0' is not a number; write a whole one from 1 to 999999999 in decimal" },
	{ "version:", "1:9: version: '' is not a number; write a whole one from 1 to 999999999 in decimal" },
	{ "routes: []", "1:1: there is no version; write 'version: 1' as the first line" },
	{ "[1]", "1:1: the document is not a mapping; write 'version:' and its other keys" },
	{ "web", "1:1: the document is not a mapping; write 'version:' and its other keys" },
	{ "version: 1\nversion: 1", "2:1: version is given twice; give it once" },
	{ "version: 1\nroutse: []", "2:1: the document has no key 'routse'; did you mean routes?" },
	{ "version: 1\nother: []", "2:1: the document has no key 'other'; remove it" },
	{ "version: 1\nroutes: 5",
	  "2:9: routes: this is not a list; write '- container: NAME' for each, below it" },
	{ "version: 1\nroutes: {a: b}",
	  "2:9: routes: this is not a list; write '- container: NAME' for each, below it" },
	{ "version: 1\nroutes: [a]",
	  "2:10: routes: this is not a mapping; write '- container: NAME' and so on" },
	{ "version: 1\nworkers:\n- ~",
	  "3:3: workers: this is not a mapping; write '- name: NAME' and so on" },
	{ "version: 1\nroutes:\n- contaner: c\n  port: 1/tcp\n  endpoint: 192.0.2.1:2\n  real_servers: "
	  "[{address: "
	  "'10.0.0.1:1'}]\n",
	  "3:3: routes has no key 'contaner'; did you mean container?" },
	{ "version: 1\nroutes:\n- container: -c\n  port: 1/tcp\n  endpoint: 192.0.2.1:2\n  real_servers: "
	  "[{address: '10.0.0.1:1'}]\n",
	  "3:14: routes.container: '-c' is not a container ID: use letters, digits and . _ : -, no '-' "
	  "first" },
	{ "version: 1\nroutes:\n- container: 'a b'\n  port: 1/tcp\n  endpoint: 192.0.2.1:2\n  real_servers: "
	  "[{address: '10.0.0.1:1'}]\n",
	  "3:14: routes.container: 'a b' is not a container ID: use letters, digits and . _ : -, no '-' "
	  "first" },
	{ "version: 1\nroutes:\n- container:\n  port: 1/tcp\n  endpoint: 192.0.2.1:2\n  real_servers: "
	  "[{address: "
	  "'10.0.0.1:1'}]\n",
	  "3:13: routes.container: there is no value; give one, or remove the key" },
	{ "version: 1\nroutes:\n- container: [c]\n  port: 1/tcp\n  endpoint: 192.0.2.1:2\n  real_servers: "
	  "[{address: '10.0.0.1:1'}]\n",
	  "3:14: routes.container: this is a list; give one value" },
	{ "version: 1\nroutes:\n- port: 1/tcp\n  endpoint: 192.0.2.1:2\n  real_servers: [{address: "
	  "'10.0.0.1:1'}]\n",
	  "3:3: routes: the route has no container; write container: NAME" },
	{ "version: 1\nroutes:\n- container: c\n  port: 80\n  endpoint: 192.0.2.1:2\n  real_servers: "
	  "[{address: "
	  "'10.0.0.1:1'}]\n",
	  "4:9: routes.port: '80' is not a container port; write its number from 1 to 65535 with /tcp, /udp "
	  "or "
	  "/sctp" },
	{ "version: 1\nroutes:\n- container: c\n  port: 0/tcp\n  endpoint: 192.0.2.1:2\n  real_servers: "
	  "[{address: '10.0.0.1:1'}]\n",
	  "4:9: routes.port: '0/tcp' is not a container port; write its number from 1 to 65535 with /tcp, "
	  "/udp or "
	  "/sctp" },
	{ "version: 1\nroutes:\n- container: c\n  port: 65536/tcp\n  endpoint: 192.0.2.1:2\n  real_servers: "
	  "[{address: '10.0.0.1:1'}]\n",
	  "4:9: routes.port: '65536/tcp' is not a container port; write its number from 1 to 65535 with "
	  "/tcp, "
	  "/udp or /sctp" },
	{ "version: 1\nroutes:\n- container: c\n  port: 1/TCP\n  endpoint: 192.0.2.1:2\n  real_servers: "
	  "[{address: '10.0.0.1:1'}]\n",
	  "4:9: routes.port: '1/TCP' is not a container port; write its number from 1 to 65535 with /tcp, "
	  "/udp or "
	  "/sctp" },
	{ "version: 1\nroutes:\n- container: c\n  port: 1/icmp\n  endpoint: 192.0.2.1:2\n  real_servers: "
	  "[{address: '10.0.0.1:1'}]\n",
	  "4:9: routes.port: '1/icmp' is not a container port; write its number from 1 to 65535 with /tcp, "
	  "/udp "
	  "or /sctp" },
	{ "version: 1\nroutes:\n- container: c\n  port: 123456789/tcp\n  endpoint: 192.0.2.1:2\n  "
	  "real_servers: "
	  "[{address: '10.0.0.1:1'}]\n",
	  "4:9: routes.port: '123456789/tcp' is not a container port; write its number from 1 to 65535 with "
	  "/tcp, "
	  "/udp or /sctp" },
	{ "version: 1\nroutes:\n- container: c\n  port: /tcp\n  endpoint: 192.0.2.1:2\n  real_servers: "
	  "[{address: "
	  "'10.0.0.1:1'}]\n",
	  "4:9: routes.port: '/tcp' is not a container port; write its number from 1 to 65535 with /tcp, "
	  "/udp or "
	  "/sctp" },
	{ "version: 1\nroutes:\n- container: c\n  endpoint: 192.0.2.1:2\n  real_servers: [{address: "
	  "'10.0.0.1:1'}]\n",
	  "3:3: routes: the route has no port; write one such as port: 80/tcp" },
	{ "version: 1\nroutes:\n- container: c\n  port: 1/tcp\n  endpoint: 192.0.2.1\n  real_servers: "
	  "[{address: "
	  "'10.0.0.1:1'}]\n",
	  "5:13: routes.endpoint: '192.0.2.1' is not ADDRESS:PORT or [IPV6-ADDRESS]:PORT; write one such as "
	  "198.51.100.1:33000 or '[2001:db8::1]:33000'" },
	{ "version: 1\nroutes:\n- container: c\n  port: 1/tcp\n  endpoint: 224.0.0.1:2\n  real_servers: "
	  "[{address: '10.0.0.1:1'}]\n",
	  "5:13: routes.endpoint: 224.0.0.1:2 is not the address of one host; give a unicast address" },
	{ "version: 1\nroutes:\n- container: c\n  port: 1/tcp\n  endpoint: '[::ffff:1.2.3.4]:2'\n  "
	  "real_servers: "
	  "[{address: '10.0.0.1:1'}]\n",
	  "5:13: routes.endpoint: [::ffff:1.2.3.4]:2 is not the address of one host; give a unicast "
	  "address" },
	{ "version: 1\nroutes:\n- container: c\n  port: 1/tcp\n  endpoint: '[2001:db8::1]:2'\n  "
	  "real_servers: "
	  "[{address: '10.0.0.1:1'}]\n",
	  "3:3: routes: the endpoint is IPv6 and the real servers are IPv4; choose one family" },
	{ "version: 1\nroutes:\n- container: c\n  port: 1/tcp\n  endpoint: [2001:db8::1]:2\n  real_servers: "
	  "[{address: '10.0.0.1:1'}]\n",
	  "5:26: not valid YAML: did not find expected key; correct it there (indent with spaces, not "
	  "tabs)" },
	{ "version: 1\nroutes:\n- container: c\n  port: 1/tcp\n  endpoint: 192.0.2.1:0\n  real_servers: "
	  "[{address: '10.0.0.1:1'}]\n",
	  "5:13: routes.endpoint: '0' is not a port number from 1 to 65535; write one such as "
	  "198.51.100.1:33000 "
	  "or '[2001:db8::1]:33000'" },
	{ "version: 1\nroutes:\n- container: c\n  port: 1/tcp\n  real_servers: [{address: '10.0.0.1:1'}]\n",
	  "3:3: routes: the route has no endpoint; write one such as endpoint: 198.51.100.1:33000" },
	{ "version: 1\nroutes:\n- container: c\n  port: 1/tcp\n  kind: Direct\n  endpoint: 192.0.2.1:2\n  "
	  "real_servers: [{address: '10.0.0.1:1'}]\n",
	  "5:9: routes.kind: 'Direct' is unknown; write gateway or direct" },
	{ "version: 1\nroutes:\n- container: c\n  port: 1/tcp\n  scheduler: abcdefghij_12345\n  endpoint: "
	  "192.0.2.1:2\n  real_servers: [{address: '10.0.0.1:1'}]\n",
	  "5:14: routes.scheduler: 'abcdefghij_12345' is not the name of a scheduler; write one such as "
	  "wrr" },
	{ "version: 1\nroutes:\n- container: c\n  port: 1/tcp\n  scheduler: a b\n  endpoint: 192.0.2.1:2\n  "
	  "real_servers: [{address: '10.0.0.1:1'}]\n",
	  "5:14: routes.scheduler: 'a b' is not the name of a scheduler; write one such as wrr" },
	{ "version: 1\nroutes:\n- container: c\n  port: 1/tcp\n  persistence: 3153601\n  endpoint: "
	  "192.0.2.1:2\n  "
	  "real_servers: [{address: '10.0.0.1:1'}]\n",
	  "5:16: routes.persistence: '3153601' is not a number; write a whole one from 0 to 3153600 in "
	  "decimal" },
	{ "version: 1\nroutes:\n- container: c\n  port: 1/tcp\n  persistence: 5m\n  endpoint: 192.0.2.1:2\n  "
	  "real_servers: [{address: '10.0.0.1:1'}]\n",
	  "5:16: routes.persistence: '5m' is not a number; write a whole one from 0 to 3153600 in decimal" },
	{ "version: 1\nroutes:\n- container: c\n  port: 1/tcp\n  worker: ''\n  endpoint: 192.0.2.1:2\n  "
	  "real_servers: [{address: '10.0.0.1:1'}]\n",
	  "5:11: routes.worker: '' is not a worker's name: use 1-128 letters, digits and . _ : -, no '-' "
	  "first" },
	{ "version: 1\nroutes:\n- container: c\n  port: 1/tcp\n  port: 1/tcp\n  endpoint: 192.0.2.1:2\n  "
	  "real_servers: [{address: '10.0.0.1:1'}]\n",
	  "5:3: routes.port is given twice; give it once" },
	{ "version: 1\nroutes:\n- container: c\n  port: 1/tcp\n  endpoint: 192.0.2.1:2\n  real_servers: []\n",
	  "3:3: routes: the route has no real server; write one below real_servers:, such as - {address: "
	  "'10.0.0.11:8080', weight: 100}" },
	{ "version: 1\nroutes:\n- container: c\n  port: 1/tcp\n  endpoint: 192.0.2.1:2\n",
	  "3:3: routes: the route has no real server; write one below real_servers:, such as - {address: "
	  "'10.0.0.11:8080', weight: 100}" },
	{ "version: 1\nroutes:\n- container: c\n  port: 1/tcp\n  endpoint: 192.0.2.1:2\n  real_servers: "
	  "10.0.0.1:1\n",
	  "6:17: routes.real_servers: this is not a list; write '- {address: '10.0.0.11:8080', weight: 100}' "
	  "for "
	  "each, below it" },
	{ "version: 1\nroutes:\n- container: c\n  port: 1/tcp\n  endpoint: 192.0.2.1:2\n  real_servers: "
	  "[10.0.0.1]\n",
	  "6:18: routes.real_servers: this is not a mapping; write '- {address: '10.0.0.11:8080', weight: "
	  "100}' "
	  "and so on" },
	{ "version: 1\nroutes:\n- container: c\n  port: 1/tcp\n  endpoint: 192.0.2.1:2\n  real_servers: "
	  "[{weight: "
	  "1}]\n",
	  "6:18: routes.real_servers: the real server has no address; write address: '10.0.0.11:8080'" },
	{ "version: 1\nroutes:\n- container: c\n  port: 1/tcp\n  endpoint: 192.0.2.1:2\n  real_servers: "
	  "[{address: '10.0.0.1:1', weight: 65536}]\n",
	  "6:50: real_servers.weight: '65536' is not a number; write a whole one from 0 to 65535 in "
	  "decimal" },
	{ "version: 1\nroutes:\n- container: c\n  port: 1/tcp\n  endpoint: 192.0.2.1:2\n  real_servers: "
	  "[{address: '10.0.0.1:1', weight: -1}]\n",
	  "6:50: real_servers.weight: '-1' is not a number; write a whole one from 0 to 65535 in decimal" },
	{ "version: 1\nroutes:\n- container: c\n  port: 1/tcp\n  endpoint: 192.0.2.1:2\n  real_servers: "
	  "[{address: '10.0.0.1:1'}, {address: '10.0.0.1:1'}]\n",
	  "6:43: routes.real_servers: real server 10.0.0.1:1 is given twice for port 1/tcp" },
	{ "version: 1\nroutes:\n- container: c\n  port: 1/tcp\n  endpoint: 192.0.2.1:2\n  real_servers: "
	  "[{address: '10.0.0.1:1'}, {address: '[::1]:1'}]\n",
	  "6:43: routes.real_servers: real servers are IPv4 and IPv6; choose one family" },
	{ "version: 1\nroutes:\n- container: c\n  port: 1/tcp\n  endpoint: 192.0.2.1:2\n  real_servers: "
	  "[{address: '0.0.0.0:1'}]\n",
	  "6:28: real_servers.address: 0.0.0.0:1 is not the address of one host; give a unicast address" },
	{ R "- container: c\n  port: 1/tcp\n  endpoint: 192.0.2.1:3\n  real_servers: [{address: "
	    "'10.0.0.1:1'}]\n",
	  "7:3: port 1/tcp of container c is there twice; give it once, with all its real servers" },
	{ R "- container: d\n  port: 1/tcp\n  endpoint: 192.0.2.1:2\n  real_servers: [{address: "
	    "'10.0.0.1:1'}]\n",
	  "7:3: the endpoint tcp 192.0.2.1:2 is there twice; give container d another one" },
	{ "version: 1\nworkers:\n- nat: none", "3:3: workers: the worker has no name; write name: NAME" },
	{ "version: 1\nworkers:\n- name: w\n  nat: cone",
	  "4:8: workers.nat: 'cone' is unknown; write unknown, none, blocked, full, restricted, "
	  "port_restricted, "
	  "symmetric or symmetric_udp_firewall" },
	{ "version: 1\nworkers:\n- name: w\n  kind: direct",
	  "4:9: workers.kind: 'direct' is unknown; write private or public" },
	{ "version: 1\nworkers:\n- name: w\n  kind: public",
	  "3:3: workers: worker w is said to be public, but behind a NAT or firewall (unknown); "
	  "correct one of these" },
	{ "version: 1\nworkers:\n- name: w\n  kind: public\n  nat: full\n  addresses: [192.0.2.1]",
	  "3:3: workers: worker w is said to be public, but behind a NAT or firewall (full); "
	  "correct one of these" },
	{ "version: 1\nworkers:\n- name: w\n  addresses: 192.0.2.1",
	  "4:14: workers.addresses: this is not a list; write [ADDRESS, ...]" },
	{ "version: 1\nworkers:\n- name: w\n  addresses: [192.0.2.1, 192.0.2.1]",
	  "4:26: workers.addresses: 192.0.2.1 is given twice; give it once" },
	{ "version: 1\nworkers:\n- name: w\n  reported_at: 2026-02-30T00:00:00Z",
	  "4:16: workers.reported_at: '2026-02-30T00:00:00Z' is not a time in UTC; write it as "
	  "2026-11-01T10:00:00Z" },
	{ "version: 1\nworkers:\n- name: w\n  reported_at: 2026-02-20T00:00:00+01:00",
	  "4:16: workers.reported_at: '2026-02-20T00:00:00+01:00' is not a time in UTC; write it as "
	  "2026-11-01T10:00:00Z" },
	{ "version: 1\nworkers:\n- name: w\n  reported_at: 1969-12-31T23:59:59Z",
	  "4:16: workers.reported_at: '1969-12-31T23:59:59Z' is not a time in UTC; write it as 2026-11-01T10:00:00Z" },
	{ "version: 1\nworkers:\n- name: w\n  reported_at: 1793527200",
	  "4:16: workers.reported_at: '1793527200' is not a time in UTC; write it as 2026-11-01T10:00:00Z" },
	{ "version: 1\nworkers:\n- name: w\n- name: x\n- name: w",
	  "5:3: worker w is there twice; give it once" },
	{ "version: 1\nworkers:\n- name: w w", "3:9: workers.name: 'w w' is not a worker's name: use 1-128 "
					       "letters, digits and . _ : -, no '-' first" },
	{ "version: 1\nroutes: &a []",
	  "2:9: aliases are not supported; write the value itself, without & and *" },
	{ "version: 1\nroutes: *a",
	  "2:9: aliases are not supported; write the value itself, without & and *" },
	{ "version: 1\n---\nversion: 1\n", "2:1: there is a second document in the file; keep one" },
	{ "\tversion: 1",
	  "1:1: not valid YAML: found character that cannot start any token; correct it there "
	  "(indent with spaces, not tabs)" },
	{ "version: \xff", "1:10: not valid YAML: invalid leading UTF-8 octet; correct it there (indent with "
			   "spaces, not tabs)" },
	{ "version: 1\nx: \x01", "2:4: not valid YAML: control characters are not allowed; correct it there "
				 "(indent with spaces, not tabs)" },
	{ "-D -t 192.0.2.1:2", "1: '-D' is neither -A nor -a; write what 'ipvsadm -Sn' prints" },
	{ "-A -t 192.0.2.1:2 -s wrr",
	  " service tcp 192.0.2.1:2 has no real server; add one (-a), or remove the service" },
	{ "-A -t 239.0.0.1:2 -s wrr", "1: -t: 239.0.0.1:2 is not the address of one host; remove the line" },
};

static int read_bytes(struct err *e, const char *text, size_t len, struct document *out)
{
	FILE *in = fmemopen((char *)(uintptr_t)text, len, "r");
	int ret;

	ck_assert_ptr_nonnull(in);
	ret = document_read(e, in, "D", out);
	fclose(in);
	return ret;
}

START_TEST(refuses_with_place_and_advice)
{
	struct document d = { .routes.n = 77 };
	struct err e = { 0 };

	ck_assert_int_eq(read_bytes(&e, bad[_i].text, strlen(bad[_i].text), &d), -EINVAL);
	ck_assert_int_eq(e.code, EINVAL);
	ck_assert_str_eq(e.msg + 2, bad[_i].message);
	ck_assert_uint_eq(d.routes.n, 77);
}
END_TEST

START_TEST(refuses_nul_characters)
{
	static const struct {
		const char *text, *message;
		size_t len;
	} texts[] = {
		{ .message = "D:1:10: not valid YAML: control characters are not allowed; correct it there "
			     "(indent with spaces, not tabs)",
		  .text = "version: \0",
		  .len = 10 },
		{ .message = "D:1:10: version: there is a NUL character in the value; remove it",
		  .text = "version: \"\\0\"",
		  .len = 13 },
		{ .message = "D:1: there is a NUL character in the line; remove it",
		  .text = "-A -t \0",
		  .len = 7 },
		{ .message = "D:1:1: not valid YAML: control characters are not allowed; correct it there "
			     "(indent with spaces, not tabs)",
		  .text = "\0-A",
		  .len = 3 },
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct document d;
		struct err e;

		ck_assert_int_eq(read_bytes(&e, texts[i].text, texts[i].len, &d), -EINVAL);
		ck_assert_str_eq(e.msg, texts[i].message);
	}
}
END_TEST

/* A route with n real servers, in YAML or as ipvsadm says it. */
static char *with_servers(unsigned n, bool is_yaml)
{
	struct unit_out o = { 0 };

	fputs(is_yaml ? "version: 1\nroutes:\n- container: c\n  port: 1/tcp\n  endpoint: 192.0.2.1:2\n"
			"  real_servers:\n"
		      : "-A -t 192.0.2.1:2 -s rr\n",
	      unit_open(&o));
	for (unsigned i = 1; i <= n; i++)
		fprintf(o.stream,
			is_yaml ? "  - {address: '10.0.0.1:%u'}\n" : "-a -t 192.0.2.1:2 -r 10.0.0.1:%u -m\n",
			i);
	fclose(o.stream);
	return o.text;
}

START_TEST(takes_64_real_servers_and_no_more)
{
	static const char *const messages[] = {
		"D: service tcp 192.0.2.1:2 has more than 64 real servers; remove some",
		"D:71:5: routes.real_servers: port 1/tcp has more than 64 real servers",
	};

	for (int is_yaml = 0; is_yaml < 2; is_yaml++) {
		char *fits = with_servers(64, is_yaml), *too_many = with_servers(65, is_yaml);
		struct document d = { 0 };
		struct err e = { 0 };

		ck_assert_msg(read_bytes(&e, fits, strlen(fits), &d) == 0, "%s", e.msg);
		ck_assert_uint_eq(d.routes.items[0].n_servers, 64);
		document_clear(&d);
		ck_assert_int_eq(read_bytes(&e, too_many, strlen(too_many), &d), -EINVAL);
		ck_assert_str_eq(e.msg, messages[is_yaml]);
		free(fits);
		free(too_many);
	}
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, refuses_with_place_and_advice, 0, ARRAY_LEN(bad));
	tcase_add_test(tc, refuses_nul_characters);
	tcase_add_test(tc, takes_64_real_servers_and_no_more);
}

int main(void)
{
	return unit_main("document_refusals", add);
}
