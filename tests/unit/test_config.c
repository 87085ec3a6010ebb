/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIR_TEMPLATE "/tmp/test_config-XXXXXX"

static char dir[sizeof(DIR_TEMPLATE)];
static char file[sizeof(dir) + 8];

static void make_dir(void)
{
	strcpy(dir, DIR_TEMPLATE);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/c.yaml", dir);
}

static void remove_dir(void)
{
	unlink(file);
	rmdir(dir);
}

static void write_file(const char *text, size_t len)
{
	FILE *f = fopen(file, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(text, 1, len, f), len);
	ck_assert_int_eq(fclose(f), 0);
}

static int load(struct err *e, const char *text, struct config *c)
{
	write_file(text, strlen(text));
	return config_load(e, file, true, c);
}

/* The whole configuration in one text. */
static const char *describe(const struct config *c, char *buf, size_t size)
{
	static const char *const modes[] = { "ipvs", "masquerade", "address", "none" };
	char addr[ADDR_STRLEN];
	size_t n;

	n = (size_t)snprintf(buf, size, "%s %u-%u [", c->is_gateway ? "gateway" : "no gateway", c->port_first,
			     c->port_last);
	for (size_t i = 0; i < c->n_addresses; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s", i ? " " : "",
				      addr_format(&c->addresses[i], addr));
	n += (size_t)snprintf(buf + n, size - n, "] %s", modes[c->snat]);
	if (c->snat == SNAT_ADDRESS)
		n += (size_t)snprintf(buf + n, size - n, "=%s", addr_format(&c->snat_address, addr));
	snprintf(buf + n, size - n, " %s %u %u %s", c->scheduler, c->weight, c->quarantine, c->state);
	return buf;
}

#define DEFAULTS "32768-33768 [] ipvs wrr 100 300 /var/lib/sonm/gateway.db"

static const struct {
	const char *text, *meaning;
} good[] = {
	{ "", "no gateway " DEFAULTS },
	{ "# nothing\n", "no gateway " DEFAULTS },
	{ "---\n...\n", "no gateway " DEFAULTS },
	{ "null\n", "no gateway " DEFAULTS },
	{ "{}", "no gateway " DEFAULTS },
	{ "firewall:\n  server: x\nroutes: {ports: 1}\n", "no gateway " DEFAULTS },
	{ "hub: {gateway: {ports: 1}}\n", "no gateway " DEFAULTS },
	{ "gateway:\n", "gateway " DEFAULTS },
	{ "gateway: ~\n", "gateway " DEFAULTS },
	{ "gateway: null", "gateway " DEFAULTS },
	{ "gateway: {}\n", "gateway " DEFAULTS },
	{ "\xef\xbb\xbfgateway:\r\n  weight: 5\r\n",
	  "gateway 32768-33768 [] ipvs wrr 5 300 /var/lib/sonm/gateway.db" },
	{ "%YAML 1.1\n---\ngateway:\n  weight: 0\n...\n",
	  "gateway 32768-33768 [] ipvs wrr 0 300 /var/lib/sonm/gateway.db" },
	{ "? [a, complex, key]\n: 1\n? {b: c}\n: 2\nother: [1, {x: y}]\nother: again\n'gateway': {}\n",
	  "gateway " DEFAULTS },
	{ "gateway:\n"
	  "  ports: [40000, 50000]          # the pool\n"
	  "  addresses: [198.51.100.1, 2001:db8::1]\n"
	  "  snat: masquerade\n"
	  "  scheduler: lblcr\n"
	  "  weight: 65535\n"
	  "  quarantine: 31536000\n"
	  "  state: /srv/state.db\n",
	  "gateway 40000-50000 [198.51.100.1 2001:db8::1] masquerade lblcr 65535 31536000 /srv/state.db" },
	{ "gateway:\n  ports: [1, 65535]\n  quarantine: 0\n",
	  "gateway 1-65535 [] ipvs wrr 100 0 /var/lib/sonm/gateway.db" },
	{ "gateway:\n  ports:\n  - 7\n  - 7\n  snat: none",
	  "gateway 7-7 [] none wrr 100 300 /var/lib/sonm/gateway.db" },
	{ "{gateway: {snat: 10.0.0.1, addresses: ['::1', \"10.0.0.1\"]}}",
	  "gateway 32768-33768 [::1 10.0.0.1] address=10.0.0.1 wrr 100 300 /var/lib/sonm/gateway.db" },
	{ "gateway: {snat: '2001:db8::9', scheduler: 'mh', addresses: []}",
	  "gateway 32768-33768 [] address=2001:db8::9 mh 100 300 /var/lib/sonm/gateway.db" },
	{ "gateway: {scheduler: abcdefghij_1234, snat: \"ip\\x76s\"}",
	  "gateway 32768-33768 [] ipvs abcdefghij_1234 100 300 /var/lib/sonm/gateway.db" },
	{ "pool: &p [5, 6]\nn: &n 9\ngateway: &g {ports: *p, weight: *n, quarantine: *n}\nagain: *g\n",
	  "gateway 5-6 [] ipvs wrr 9 9 /var/lib/sonm/gateway.db" },
	{ "a: &a [*a, &b {*b : *a}]\n", "no gateway " DEFAULTS },
	/* 9^9 nodes if aliases were expanded */
	{ "a: &a [x,x,x,x,x,x,x,x,x]\n"
	  "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
	  "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
	  "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
	  "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"
	  "f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"
	  "g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n"
	  "h: &h [*g,*g,*g,*g,*g,*g,*g,*g,*g]\n"
	  "i: &i [*h,*h,*h,*h,*h,*h,*h,*h,*h]\n",
	  "no gateway " DEFAULTS },
};

START_TEST(reads_a_file)
{
	struct config c;
	struct err e;
	char meaning[1024];

	ck_assert_msg(load(&e, good[_i].text, &c) == 0, "%s", e.msg);
	ck_assert_str_eq(describe(&c, meaning, sizeof(meaning)), good[_i].meaning);
}
END_TEST

/* Every message starts with the file's name and a colon. */
static const struct {
	const char *text, *message;
} bad[] = {
	{ "gateway: 5\n", "1:10: gateway is not a mapping; write its keys below it, indented" },
	{ "gateway: ''\n", "1:10: gateway is not a mapping; write its keys below it, indented" },
	{ "gateway:\n- ports\n", "2:1: gateway is not a mapping; write its keys below it, indented" },
	{ "- gateway\n", "1:1: the file is not a mapping; write 'gateway:' and its keys below" },
	{ "gateway", "1:1: the file is not a mapping; write 'gateway:' and its keys below" },
	{ "gateway: {}\na: b\ngateway: {}\n", "3:1: there are two gateway sections; keep one" },
	{ "gateway: {}\n---\na: b\n", "2:1: there is a second document in the file; keep one" },
	{ "gatewya:\n  ports: [1, 2]\n",
	  "1:1: 'gatewya' is like gateway, but is not; correct it, or rename it" },
	{ "a: b\nGateway: {}\n", "2:1: 'Gateway' is like gateway, but is not; correct it, or rename it" },
	{ "gateway:\n  prots: [1, 2]\n", "2:3: gateway has no key 'prots'; did you mean ports?" },
	{ "gateway:\n  frobnicate: 1\n",
	  "2:3: gateway has no key 'frobnicate'; remove it, or move it out of this section" },
	{ "gateway:\n  Ports: [1, 2]\n", "2:3: gateway has no key 'Ports'; did you mean ports?" },
	{ "gateway: {<<: {}}\n", "1:11: gateway has no key '<<'; remove it, or move it out of this section" },
	{ "gateway: {\"ports\\0x\": 1}", "1:11: there is a NUL character in the value; remove it" },
	{ "gateway: {? [a] : 1}", "1:13: this is a list; give one value" },
	{ "gateway: {? {a: b} : 1}", "1:13: this is a mapping; give one value" },
	{ "gateway:\n  weight: 1\n  snat: none\n  weight: 1\n",
	  "4:3: gateway.weight is given twice; give it once" },
	{ "gateway:\n  weight:\n  snat: none\n",
	  "2:10: gateway.weight: there is no value; give one, or remove the key" },
	{ "gateway: {scheduler: null}",
	  "1:22: gateway.scheduler: there is no value; give one, or remove the key" },
	/* ports */
	{ "gateway: {ports: 80}",
	  "1:18: gateway.ports: the pool is a list of two ports; write [FIRST, LAST]" },
	{ "gateway: {ports: {a: b}}",
	  "1:18: gateway.ports: the pool is a list of two ports; write [FIRST, LAST]" },
	{ "gateway: {ports: [80]}",
	  "1:18: gateway.ports: the pool is a list of two ports; write [FIRST, LAST]" },
	{ "gateway: {ports: [1, 2, 3]}",
	  "1:18: gateway.ports: the pool is a list of two ports; write [FIRST, LAST]" },
	{ "gateway: {ports: []}",
	  "1:18: gateway.ports: the pool is a list of two ports; write [FIRST, LAST]" },
	{ "gateway: {ports: [0, 80]}",
	  "1:19: gateway.ports: '0' is not a number; write a whole one from 1 to 65535 in decimal" },
	{ "gateway: {ports: [80, 65536]}",
	  "1:23: gateway.ports: '65536' is not a number; write a whole one from 1 to 65535 in decimal" },
	{ "gateway: {ports: [80, [90]]}", "1:23: gateway.ports: this is a list; give one value" },
	{ "gateway: {ports: [81, 80]}",
	  "1:18: gateway.ports: the first port, 81, is above the last, 80; swap them" },
	{ "gateway: {ports: &p [*p, *p]}", "1:18: gateway.ports: this is a list; give one value" },
	/* numbers */
	{ "gateway: {weight: \"80\"}", "1:19: gateway.weight: '80' is in quotes; write it without" },
	{ "gateway: {weight: '80'}", "1:19: gateway.weight: '80' is in quotes; write it without" },
	{ "gateway: {weight: 65536}",
	  "1:19: gateway.weight: '65536' is not a number; write a whole one from 0 to 65535 in decimal" },
	{ "gateway: {weight: -1}",
	  "1:19: gateway.weight: '-1' is not a number; write a whole one from 0 to 65535 in decimal" },
	{ "gateway: {weight: +1}",
	  "1:19: gateway.weight: '+1' is not a number; write a whole one from 0 to 65535 in decimal" },
	{ "gateway: {weight: 0x50}",
	  "1:19: gateway.weight: '0x50' is not a number; write a whole one from 0 to 65535 in decimal" },
	{ "gateway: {weight: 010}",
	  "1:19: gateway.weight: '010' begins with 0; write it in decimal without" },
	{ "gateway: {weight: 1.0}",
	  "1:19: gateway.weight: '1.0' is not a number; write a whole one from 0 to 65535 in decimal" },
	{ "gateway: {weight: 1e3}",
	  "1:19: gateway.weight: '1e3' is not a number; write a whole one from 0 to 65535 in decimal" },
	{ "gateway: {weight: 1_000}",
	  "1:19: gateway.weight: '1_000' is not a number; write a whole one from 0 to 65535 in decimal" },
	{ "gateway: {weight: .inf}",
	  "1:19: gateway.weight: '.inf' is not a number; write a whole one from 0 to 65535 in decimal" },
	{ "gateway: {weight: true}",
	  "1:19: gateway.weight: 'true' is not a number; write a whole one from 0 to 65535 in decimal" },
	{ "gateway: {weight: ''}",
	  "1:19: gateway.weight: '' is not a number; write a whole one from 0 to 65535 in decimal" },
	{ "gateway: {weight: \"8\\n\"}",
	  "1:19: gateway.weight: '8?' is not a number; write a whole one from 0 to 65535 in decimal" },
	{ "gateway: {weight: 18446744073709551617}", "1:19: gateway.weight: '18446744073709551617' is not a "
						     "number; write a whole one from 0 to 65535 in decimal" },
	{ "gateway: {weight: [1]}", "1:19: gateway.weight: this is a list; give one value" },
	{ "gateway: {weight: {a: 1}}", "1:19: gateway.weight: this is a mapping; give one value" },
	{ "gateway: {quarantine: 31536001}", "1:23: gateway.quarantine: '31536001' is not a number; write a "
					     "whole one from 0 to 31536000 in decimal" },
	/* addresses */
	{ "gateway: {addresses: 10.0.0.1}",
	  "1:22: gateway.addresses: this is not a list; write [ADDRESS, ...]" },
	{ "gateway: {addresses: [hub.example]}", "1:23: gateway.addresses: 'hub.example' is not an IPv4 or "
						 "IPv6 address; write one such as 198.51.100.1" },
	{ "gateway: {addresses: [[10.0.0.1]]}", "1:23: gateway.addresses: this is a list; give one value" },
	{ "gateway: {addresses: [~]}",
	  "1:23: gateway.addresses: '~' is not an IPv4 or IPv6 address; write one such as 198.51.100.1" },
	{ "gateway: {addresses: [\"10.0.0.1\\0\"]}",
	  "1:23: gateway.addresses: there is a NUL character in the value; remove it" },
	{ "gateway: {addresses: [10.0.0.1, 224.0.0.1]}",
	  "1:33: gateway.addresses: 224.0.0.1 is not the address of one host; give a unicast address" },
	{ "gateway: {addresses: ['2001:db8::1', '2001:DB8:0::1']}",
	  "1:38: gateway.addresses: 2001:db8::1 is given twice; give it once" },
	/* snat */
	{ "gateway: {snat: IPVS}",
	  "1:17: gateway.snat: 'IPVS' is unknown; write ipvs, masquerade, none or an address" },
	{ "gateway: {snat: false}",
	  "1:17: gateway.snat: 'false' is unknown; write ipvs, masquerade, none or an address" },
	{ "gateway: {snat: 0.0.0.0}",
	  "1:17: gateway.snat: 0.0.0.0 is not the address of one host; give a unicast address" },
	{ "gateway: {snat: [none]}", "1:17: gateway.snat: this is a list; give one value" },
	/* scheduler */
	{ "gateway: {scheduler: WRR}",
	  "1:22: gateway.scheduler: 'WRR' is not the name of a scheduler; write one such as wrr" },
	{ "gateway: {scheduler: abcdefghij_12345}", "1:22: gateway.scheduler: 'abcdefghij_12345' is not the "
						    "name of a scheduler; write one such as wrr" },
	{ "gateway: {scheduler: ''}",
	  "1:22: gateway.scheduler: '' is not the name of a scheduler; write one such as wrr" },
	{ "gateway: {scheduler: \"wrr\\0\"}",
	  "1:22: gateway.scheduler: there is a NUL character in the value; remove it" },
	/* state */
	{ "gateway: {state: state.db}", "1:18: gateway.state: 'state.db' is not the absolute path of a file; "
					"write one such as /var/lib/sonm/gateway.db" },
	{ "gateway: {state: ''}", "1:18: gateway.state: '' is not the absolute path of a file; "
				  "write one such as /var/lib/sonm/gateway.db" },
	{ "gateway: {state: /var/lib/}",
	  "1:18: gateway.state: '/var/lib/' is not the absolute path of a file; "
	  "write one such as /var/lib/sonm/gateway.db" },
	/* YAML itself */
#define CORRECT "; correct it there (indent with spaces, not tabs)"
	{ "gateway:\n\tports: [1, 2]\n",
	  "2:1: not valid YAML: found character that cannot start any token" CORRECT },
	{ "gateway: {ports: [1, 2}\n", "1:23: not valid YAML: did not find expected ',' or ']'" CORRECT },
	{ "gateway: *nowhere\n", "1:10: not valid YAML: found undefined alias" CORRECT },
	{ "a: &x 1\nb: &x 2\n", "2:4: not valid YAML: second occurrence" CORRECT },
	{ "gateway: \"open\n", "2:1: not valid YAML: found unexpected end of stream" CORRECT },
	{ "a: b\n\x01", "2:1: not valid YAML: control characters are not allowed" CORRECT },
	{ "a: b\nc: \xff\n", "2:4: not valid YAML: invalid leading UTF-8 octet" CORRECT },
	{ "%YAML 9.9\n---\na: b\n", "1:1: not valid YAML: found incompatible YAML document" CORRECT },
	{ "%FOO\n", "1:5: not valid YAML: found unknown directive name" CORRECT },
};

START_TEST(refuses_a_file_with_line_and_column)
{
	struct config c = { .weight = 77 };
	struct err e = { 0 };

	ck_assert_int_eq(load(&e, bad[_i].text, &c), -EINVAL);
	ck_assert_int_eq(e.code, EINVAL);
	ck_assert_int_eq(strncmp(e.msg, file, strlen(file)), 0);
	ck_assert_str_eq(e.msg + strlen(file) + 1, bad[_i].message);
	ck_assert_uint_eq(c.weight, 77);
}
END_TEST

START_TEST(the_defaults_are_a_gateway)
{
	struct config c;
	char meaning[1024];

	memset(&c, 0xff, sizeof(c));
	config_default(&c);
	ck_assert_str_eq(describe(&c, meaning, sizeof(meaning)), "gateway " DEFAULTS);
}
END_TEST

START_TEST(a_missing_file_is_an_error_only_if_it_must_exist)
{
	char meaning[1024], message[256];
	struct config c;
	struct err e;

	ck_assert_int_eq(config_load(&e, file, false, &c), 0);
	ck_assert_str_eq(describe(&c, meaning, sizeof(meaning)), "gateway " DEFAULTS);
	ck_assert_int_eq(config_load(&e, file, true, &c), -ENOENT);
	snprintf(message, sizeof(message),
		 "cannot read %s: No such file or directory; name a readable YAML file", file);
	ck_assert_str_eq(e.msg, message);
}
END_TEST

START_TEST(a_directory_is_no_file)
{
	char message[256];
	struct config c;
	struct err e;

	ck_assert_int_eq(config_load(&e, dir, false, &c), -EISDIR);
	snprintf(message, sizeof(message), "cannot read %s: Is a directory; name a readable YAML file", dir);
	ck_assert_str_eq(e.msg, message);
}
END_TEST

START_TEST(reads_at_most_1_mib)
{
	size_t len = 1 << 20;
	char *text = malloc(len + 1), message[256];
	struct config c;
	struct err e;

	ck_assert_ptr_nonnull(text);
	memset(text, '#', len + 1);
	memcpy(text, "gateway:\n", 9);
	write_file(text, len);
	ck_assert_int_eq(config_load(&e, file, true, &c), 0);
	ck_assert(c.is_gateway);
	write_file(text, len + 1);
	ck_assert_int_eq(config_load(&e, file, true, &c), -EFBIG);
	snprintf(message, sizeof(message), "%s is larger than 1 MiB; name a YAML file", file);
	ck_assert_str_eq(e.msg, message);
	ck_assert_int_eq(config_load(&e, "/dev/zero", true, &c), -EFBIG);
	free(text);
}
END_TEST

START_TEST(reads_a_pipe_that_comes_in_pieces)
{
	char path[32], meaning[1024];
	struct config c;
	struct err e;
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	if (fork() == 0) {
		ck_assert_int_eq(write(fds[1], "gateway:\n  wei", 14), 14);
		usleep(50000);
		ck_assert_int_eq(write(fds[1], "ght: 8\n", 7), 7);
		_exit(0);
	}
	close(fds[1]);
	snprintf(path, sizeof(path), "/dev/fd/%d", fds[0]);
	ck_assert_int_eq(config_load(&e, path, true, &c), 0);
	ck_assert_str_eq(describe(&c, meaning, sizeof(meaning)),
			 "gateway 32768-33768 [] ipvs wrr 8 300 /var/lib/sonm/gateway.db");
	close(fds[0]);
}
END_TEST

START_TEST(takes_64_addresses_and_no_more)
{
	char text[4096];
	struct config c;
	struct err e;
	size_t n = (size_t)snprintf(text, sizeof(text), "gateway:\n  addresses:\n");

	for (int i = 1; i <= CONFIG_ADDRESSES_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "  - 10.0.0.%d\n", i);
	ck_assert_int_eq(load(&e, text, &c), 0);
	ck_assert_uint_eq(c.n_addresses, CONFIG_ADDRESSES_MAX);
	snprintf(text + n, sizeof(text) - n, "  - 10.0.1.1\n");
	ck_assert_int_eq(load(&e, text, &c), -EINVAL);
	ck_assert_str_eq(e.msg + strlen(file),
			 ":67:5: gateway.addresses: there are more than 64 addresses; give fewer");
}
END_TEST

START_TEST(bounds_the_path_of_the_state_file)
{
	char text[5000];
	struct config c;
	struct err e;
	size_t n = (size_t)snprintf(text, sizeof(text), "gateway: {state: ");

	memset(text + n, '/', 4095);
	memset(text + n + 4094, 'x', 2);
	strcpy(text + n + 4095, "}");
	ck_assert_int_eq(load(&e, text, &c), 0);
	ck_assert_uint_eq(strlen(c.state), 4095);
	strcpy(text + n + 4095, "x}");
	ck_assert_int_eq(load(&e, text, &c), -EINVAL);
	ck_assert_str_eq(e.msg + strlen(file),
			 ":1:18: gateway.state: the path is longer than 4095 bytes; choose a shorter one");
}
END_TEST

START_TEST(refuses_deep_nesting_without_a_crash)
{
	size_t len = 1 << 20;
	char *text = malloc(len);
	struct config c;
	struct err e;

	ck_assert_ptr_nonnull(text);
	memset(text, _i ? '{' : '[', len);
	write_file(text, len);
	ck_assert_int_eq(config_load(&e, file, true, &c), -EINVAL);
	ck_assert_str_eq(e.msg + strlen(file),
			 ":1:65: this is nested deeper than 64 levels; make it flatter");
	free(text);
}
END_TEST

START_TEST(refuses_more_anchors_than_anyone_writes)
{
	static const char head[] = "a: &a b\nc: [";
	size_t len = 1 << 20;
	char *text = malloc(len);
	struct config c;
	struct err e;

	ck_assert_ptr_nonnull(text);
	memcpy(text, head, sizeof(head) - 1);
	for (size_t i = sizeof(head) - 1; i + 4 <= len; i += 4)
		memcpy(text + i, "*a ,", 4);
	write_file(text, len - len % 4);
	ck_assert_int_eq(config_load(&e, file, true, &c), -EINVAL);
	ck_assert_str_eq(e.msg + strlen(file),
			 ":2:4001: there are more than 1000 anchors and aliases; use fewer");
	free(text);
}
END_TEST

START_TEST(refuses_binary_files)
{
	struct config c;
	struct err e;

	ck_assert_int_eq(config_load(&e, "/proc/self/exe", true, &c) == 0, 0);
	write_file("gateway:\0\n", 10);
	ck_assert_int_eq(config_load(&e, file, true, &c), -EINVAL);
	ck_assert_str_eq(e.msg + strlen(file),
			 ":1:9: not valid YAML: control characters are not allowed" CORRECT);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_dir, remove_dir);
	tcase_add_loop_test(tc, reads_a_file, 0, ARRAY_LEN(good));
	tcase_add_loop_test(tc, refuses_a_file_with_line_and_column, 0, ARRAY_LEN(bad));
	tcase_add_test(tc, the_defaults_are_a_gateway);
	tcase_add_test(tc, a_missing_file_is_an_error_only_if_it_must_exist);
	tcase_add_test(tc, a_directory_is_no_file);
	tcase_add_test(tc, reads_at_most_1_mib);
	tcase_add_test(tc, reads_a_pipe_that_comes_in_pieces);
	tcase_add_test(tc, takes_64_addresses_and_no_more);
	tcase_add_test(tc, bounds_the_path_of_the_state_file);
	tcase_add_loop_test(tc, refuses_deep_nesting_without_a_crash, 0, 2);
	tcase_add_test(tc, refuses_more_anchors_than_anyone_writes);
	tcase_add_test(tc, refuses_binary_files);
}

int main(void)
{
	return unit_main("config", add);
}
