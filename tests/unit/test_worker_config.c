/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"
#include "worker_config.h"

#include <unistd.h>

#define DIR_TEMPLATE "/tmp/test_worker_config-XXXXXX"

static char dir[sizeof(DIR_TEMPLATE)];
static char file[sizeof(dir) + 8];

static void make_dir(void)
{
	strcpy(dir, DIR_TEMPLATE);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/w.yaml", dir);
}

static void remove_dir(void)
{
	unlink(file);
	rmdir(dir);
}

static int load(struct err *e, const char *text, struct worker_config *c)
{
	FILE *f = fopen(file, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(text, 1, strlen(text), f), strlen(text));
	ck_assert_int_eq(fclose(f), 0);
	return worker_config_load(e, file, true, c);
}

/* The whole configuration in one text. */
static const char *describe(const struct worker_config *c, char *buf, size_t size)
{
	char server[SERVER_STRLEN], addr[ADDR_STRLEN];
	size_t n = (size_t)snprintf(buf, size, "%s [", c->has_firewall ? "firewall" : "no firewall");

	for (size_t i = 0; i < c->n_servers; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s", i ? " " : "",
				      server_format(&c->servers[i], server));
	n += (size_t)snprintf(buf + n, size - n, "] [");
	for (size_t i = 0; i < c->n_addresses; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s", i ? " " : "",
				      addr_format(&c->addresses[i], addr));
	snprintf(buf + n, size - n, "] url=%s token=%s ca=%s", c->report_url, c->token_file, c->ca_file);
	return buf;
}

#define NO_REPORT "url= token= ca="
#define NOTHING "no firewall [] [] " NO_REPORT

static const struct {
	const char *text, *meaning;
} good[] = {
	{ "", NOTHING },
	{ "# nothing\n", NOTHING },
	{ "~\n", NOTHING },
	{ "{}", NOTHING },
	{ "gateway: {ports: 1}\nreports: 5\nfirewalls_of_mine: ~\nrule: x\nserver: y\n", NOTHING },
	{ "worker: {firewall: {server: 1}, report: 2}\n? [firewall]\n: 1\n? {report: x}\n: 2\n", NOTHING },
	{ "other: 1\nother: again\n", NOTHING },
	/* firewall */
	{ "firewall:\n  server: \"stun.ekiga.net:3478\"\n", "firewall [stun.ekiga.net:3478] [] " NO_REPORT },
	{ "firewall:\nx: y\n", NOTHING },
	{ "firewall: null\n", NOTHING },
	{ "firewall: {server: stun.example.net}", "firewall [stun.example.net] [] " NO_REPORT },
	{ "firewall: {server: 192.0.2.1}", "firewall [192.0.2.1] [] " NO_REPORT },
	{ "firewall:\n  server:\n  - stun.example.net\n  - 'stun.example.net:3478'\n"
	  "  - stun.example.net:3479\n  - \"[2001:DB8::1]:3478\"\n  - 2001:db8::1\n",
	  "firewall [stun.example.net stun.example.net:3478 stun.example.net:3479 [2001:db8::1]:3478 "
	  "2001:db8::1] [] " NO_REPORT },
	{ "firewall: {server: [stun.example.net]}", "firewall [stun.example.net] [] " NO_REPORT },
	{ "list: &s [a.example, b.example:1]\nfirewall: &f {'server': *s}\nagain: *f\n",
	  "firewall [a.example b.example:1] [] " NO_REPORT },
	/* public_ip_addrs */
	{ "public_ip_addrs: [\"203.0.113.7\"]\n", "no firewall [] [203.0.113.7] " NO_REPORT },
	{ "public_ip_addrs:\n- 203.0.113.7\n- 2001:DB8:0::1\n- 10.0.0.1\n",
	  "no firewall [] [203.0.113.7 2001:db8::1 10.0.0.1] " NO_REPORT },
	{ "public_ip_addrs: []\n", NOTHING },
	/* report */
	{ "report: https://hub.example:8443/workers/w1\n",
	  "no firewall [] [] url=https://hub.example:8443/workers/w1 token= ca=" },
	{ "report: 'http://[2001:db8::1]:80/?a=b@c#d'\n",
	  "no firewall [] [] url=http://[2001:db8::1]:80/?a=b@c#d token= ca=" },
	{ "report: Https://Hub\n", "no firewall [] [] url=Https://Hub token= ca=" },
	{ "report: http://h?a@b\n", "no firewall [] [] url=http://h?a@b token= ca=" },
	{ "report: http://h#a@b\n", "no firewall [] [] url=http://h#a@b token= ca=" },
	{ "report: {url: \"https://hub.example/\\u00fc\"}\n",
	  "no firewall [] [] url=https://hub.example/\xc3\xbc token= ca=" },
	{ "report: {ca_file: /etc/sonm/hub.pem, url: https://hub.example, token_file: /etc/sonm/token}\n",
	  "no firewall [] [] url=https://hub.example token=/etc/sonm/token ca=/etc/sonm/hub.pem" },
	/* all of it, amid a worker's other sections */
	{ "hub: {eth_addr: 0x8125721C2413d99a33E351e1F6Bb4e56b6b633FD}\n"
	  "firewall:\n"
	  "  server: [stun1.example.net, \"stun2.example.net:3478\"]\n"
	  "public_ip_addrs: [203.0.113.7]   # the firewall's\n"
	  "logging: {level: -1}\n"
	  "report:\n"
	  "  url: https://hub.example:8443/workers/w1\n"
	  "  token_file: /etc/sonm/token\n"
	  "gateway: {}\n",
	  "firewall [stun1.example.net stun2.example.net:3478] [203.0.113.7] "
	  "url=https://hub.example:8443/workers/w1 token=/etc/sonm/token ca=" },
};

START_TEST(reads_a_file)
{
	struct worker_config c;
	struct err e;
	char meaning[1024];

	memset(&c, 0xff, sizeof(c));
	ck_assert_msg(load(&e, good[_i].text, &c) == 0, "%s", e.msg);
	ck_assert_str_eq(describe(&c, meaning, sizeof(meaning)), good[_i].meaning);
}
END_TEST

#define NO_SERVER                                                                          \
	"firewall: there is no server; write server: \"stun.example.net:3478\" below it, " \
	"indented, or remove the section"
#define NO_URL "this is not the URL of a hub; write one such as https://hub.example/workers/w1"
#define BLANK "there is a blank or a control character in the URL; remove it"
#define USER "there is a user in the URL; remove it, and put a token into token_file"

/* Every message starts with the file's name and a colon. */
static const struct {
	const char *text, *message;
} bad[] = {
	{ "- firewall\n", "1:1: the file is not a mapping; write 'firewall:' and its keys below" },
	{ "firewall: {server: a.example}\nx: y\nfirewall: {server: a.example}\n",
	  "3:1: there are two firewall sections; keep one" },
	{ "public_ip_addrs: []\n\"public_ip_addrs\": []\n",
	  "2:1: there are two public_ip_addrs sections; keep one" },
	{ "report: http://h\nreport: {url: http://h}\n", "2:1: there are two report sections; keep one" },
	{ "report: [1, 2}\n", "1:14: not valid YAML: did not find expected ',' or ']'; "
			      "correct it there (indent with spaces, not tabs)" },
	/* what would be missed in silence */
	{ "firewal: {server: a.example}\n", "1:1: 'firewal' is like firewall, but is not; correct it, or rename it" },
	{ "x: y\nFirewall: {server: a.example}\n",
	  "2:1: 'Firewall' is like firewall, but is not; correct it, or rename it" },
	{ "FIREWALL: {server: a.example}\n",
	  "1:1: 'FIREWALL' is like firewall, but is not; correct it, or rename it" },
	{ "public_ip_adrs: [203.0.113.7]\n",
	  "1:1: 'public_ip_adrs' is like public_ip_addrs, but is not; correct it, or rename it" },
	/* firewall */
	{ "firewall: {}\n", "1:11: " NO_SERVER },
	{ "firewall:\n  server: []\n", "2:3: " NO_SERVER },
	{ "firewall:\n  server:\n",
	  "2:10: firewall.server: there is no value; give one, or remove the key" },
	{ "firewall: stun.example.net\n",
	  "1:11: firewall is not a mapping; write its keys below it, indented" },
	{ "firewall: [stun.example.net]\n",
	  "1:11: firewall is not a mapping; write its keys below it, indented" },
	{ "firewall:\n  servers: [a.example]\n",
	  "2:3: firewall has no key 'servers'; did you mean server?" },
	{ "firewall:\n  server: a.example\n  port: 3478\n",
	  "3:3: firewall has no key 'port'; remove it, or move it out of this section" },
	{ "firewall:\n  server: a.example\n  server: b.example\n",
	  "3:3: firewall.server is given twice; give it once" },
	{ "firewall: {server: {host: a.example}}",
	  "1:20: firewall.server: this is a mapping; give one value" },
	{ "firewall: {server: [a.example, [b.example]]}",
	  "1:32: firewall.server: this is a list; give one value" },
	{ "firewall: {server: [\"a.example\\0\"]}",
	  "1:21: firewall.server: there is a NUL character in the value; remove it" },
	{ "firewall: {server: a.example:99999}",
	  "1:20: firewall.server: 'a.example:99999' is not a STUN server; "
	  "write HOST, HOST:PORT or [IPV6]:PORT" },
	{ "firewall: {server: [a.example, ~]}", "1:32: firewall.server: '~' is not a STUN server; "
						"write HOST, HOST:PORT or [IPV6]:PORT" },
	{ "firewall: {server: [a.example, b.example, A.Example]}",
	  "1:43: firewall.server: A.Example is given twice; give it once" },
	{ "firewall: {server: ['2001:db8::1', '2001:DB8:0::1']}",
	  "1:36: firewall.server: 2001:db8::1 is given twice; give it once" },
	{ "firewall: {server: ['a.example:80', 'a.example:80']}",
	  "1:37: firewall.server: a.example:80 is given twice; give it once" },
	/* public_ip_addrs */
	{ "public_ip_addrs:\n", "1:17: public_ip_addrs: this is not a list; write [ADDRESS, ...]" },
	{ "public_ip_addrs: 203.0.113.7\n",
	  "1:18: public_ip_addrs: this is not a list; write [ADDRESS, ...]" },
	{ "public_ip_addrs: {a: b}\n", "1:18: public_ip_addrs: this is not a list; write [ADDRESS, ...]" },
	{ "public_ip_addrs: [203.0.113.7, w1.example]\n",
	  "1:32: public_ip_addrs: 'w1.example' is not an IPv4 or IPv6 address; "
	  "write one such as 198.51.100.1" },
	{ "public_ip_addrs: [0.0.0.0]\n",
	  "1:19: public_ip_addrs: 0.0.0.0 is not the address of one host; give a unicast address" },
	{ "public_ip_addrs:\n- 203.0.113.7\n- 203.0.113.7\n",
	  "3:3: public_ip_addrs: 203.0.113.7 is given twice; give it once" },
	/* report */
	{ "report:\n", "1:8: report: " NO_URL },
	{ "report: ''\n", "1:9: report: " NO_URL },
	{ "report: [http://h]\n", "1:9: report: this is a list; give one value" },
	{ "report: hub.example\n", "1:9: report: " NO_URL },
	{ "report: ftp://hub.example/\n", "1:9: report: " NO_URL },
	{ "report: https:/hub.example/\n", "1:9: report: " NO_URL },
	{ "report: HTTPS//hub.example/\n", "1:9: report: " NO_URL },
	{ "report: https://\n", "1:9: report: " NO_URL },
	{ "report: http:///workers/w1\n", "1:9: report: " NO_URL },
	{ "report: http://?w1\n", "1:9: report: " NO_URL },
	{ "report: http://:8443/\n", "1:9: report: " NO_URL },
	{ "report: {url: //hub.example/}\n", "1:15: report.url: " NO_URL },
	{ "report: https://w1:secret@hub.example/\n", "1:9: report: " USER },
	{ "report: {url: https://@hub.example}\n", "1:15: report.url: " USER },
	{ "report: https://hub.example/a b\n", "1:9: report: " BLANK },
	{ "report: \"https://hub.example/\\n\"\n", "1:9: report: " BLANK },
	{ "report: \"https://hub.example/\\t\"\n", "1:9: report: " BLANK },
	{ "report: \"https://hub.\\x7fexample/\"\n", "1:9: report: " BLANK },
	{ "report: \"https://hub.example/\\0\"\n",
	  "1:9: report: there is a NUL character in the value; remove it" },
	{ "report: {}\n", "1:9: report: there is no url; write url: https://hub.example/workers/w1 "
			  "below it, indented" },
	{ "report:\n  token_file: /etc/sonm/token\n",
	  "2:3: report: there is no url; write url: https://hub.example/workers/w1 below it, indented" },
	{ "report: {url: }\n", "1:15: report.url: there is no value; give one, or remove the key" },
	{ "report: {url: [http://h]}\n", "1:15: report.url: this is a list; give one value" },
	{ "report: {url: http://h, url: http://h}\n", "1:25: report.url is given twice; give it once" },
	{ "report: {url: http://h, token: x}\n",
	  "1:25: report has no key 'token'; did you mean token_file?" },
	{ "report: {url: http://h, tokenfile: x}\n",
	  "1:25: report has no key 'tokenfile'; did you mean token_file?" },
	{ "report: {url: http://h, timeout: 5}\n",
	  "1:25: report has no key 'timeout'; remove it, or move it out of this section" },
	{ "report: {url: http://h, token_file: token}\n",
	  "1:37: report.token_file: 'token' is not the absolute path of a file; "
	  "write one such as /etc/sonm/token" },
	{ "report: {url: http://h, token_file: ~}\n",
	  "1:37: report.token_file: there is no value; give one, or remove the key" },
	{ "report: {url: http://h, ca_file: /etc/ssl/}\n",
	  "1:34: report.ca_file: '/etc/ssl/' is not the absolute path of a file; "
	  "write one such as /etc/sonm/hub.pem" },
	{ "report: &r {url: *r}\n", "1:9: report.url: this is a mapping; give one value" },
};

START_TEST(refuses_a_file_with_line_and_column)
{
	struct worker_config c = { .n_servers = 77 };
	struct err e = { 0 };

	ck_assert_int_eq(load(&e, bad[_i].text, &c), -EINVAL);
	ck_assert_int_eq(e.code, EINVAL);
	ck_assert_int_eq(strncmp(e.msg, file, strlen(file)), 0);
	ck_assert_str_eq(e.msg + strlen(file) + 1, bad[_i].message);
	ck_assert_uint_eq(c.n_servers, 77);
}
END_TEST

START_TEST(a_missing_file_is_an_error_only_if_it_must_exist)
{
	char meaning[1024], message[256];
	struct worker_config c;
	struct err e;

	memset(&c, 0xff, sizeof(c));
	ck_assert_int_eq(worker_config_load(&e, file, false, &c), 0);
	ck_assert_str_eq(describe(&c, meaning, sizeof(meaning)), NOTHING);
	ck_assert_int_eq(worker_config_load(&e, file, true, &c), -ENOENT);
	snprintf(message, sizeof(message),
		 "cannot read %s: No such file or directory; name a readable YAML file", file);
	ck_assert_str_eq(e.msg, message);
}
END_TEST

START_TEST(a_directory_is_no_file)
{
	struct worker_config c;
	struct err e;

	ck_assert_int_eq(worker_config_load(&e, dir, false, &c), -EISDIR);
}
END_TEST

START_TEST(keeps_name_address_and_port_of_each_server)
{
	struct worker_config c;
	struct err e;

	ck_assert_int_eq(load(&e, "firewall: {server: [a.example, '192.0.2.1:80', '::1']}", &c), 0);
	ck_assert_uint_eq(c.n_servers, 3);
	ck_assert_str_eq(c.servers[0].host, "a.example");
	ck_assert_uint_eq(c.servers[0].addr.family, AF_UNSPEC);
	ck_assert_uint_eq(c.servers[0].port, 0);
	ck_assert_uint_eq(c.servers[1].addr.family, AF_INET);
	ck_assert_uint_eq(c.servers[1].port, 80);
	ck_assert_uint_eq(c.servers[2].addr.family, AF_INET6);
}
END_TEST

START_TEST(takes_16_servers_and_no_more)
{
	char text[1024];
	struct worker_config c;
	struct err e;
	size_t n = (size_t)snprintf(text, sizeof(text), "firewall:\n  server:\n");

	for (int i = 1; i <= WORKER_SERVERS_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "  - stun%d.example\n", i);
	ck_assert_int_eq(load(&e, text, &c), 0);
	ck_assert_uint_eq(c.n_servers, 16);
	ck_assert_str_eq(c.servers[15].host, "stun16.example");
	snprintf(text + n, sizeof(text) - n, "  - stun17.example\n");
	ck_assert_int_eq(load(&e, text, &c), -EINVAL);
	ck_assert_str_eq(e.msg + strlen(file),
			 ":19:5: firewall.server: there are more than 16 servers; give fewer");
}
END_TEST

START_TEST(takes_64_addresses_and_no_more)
{
	char text[4096];
	struct worker_config c;
	struct err e;
	size_t n = (size_t)snprintf(text, sizeof(text), "public_ip_addrs:\n");

	for (int i = 1; i <= WORKER_ADDRESSES_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "- 192.0.2.%d\n", i);
	ck_assert_int_eq(load(&e, text, &c), 0);
	ck_assert_uint_eq(c.n_addresses, 64);
	snprintf(text + n, sizeof(text) - n, "- 192.0.2.65\n");
	ck_assert_int_eq(load(&e, text, &c), -EINVAL);
	ck_assert_str_eq(e.msg + strlen(file),
			 ":66:3: public_ip_addrs: there are more than 64 addresses; give fewer");
}
END_TEST

/* Texts that are as long as they may be, and one byte longer. */
static const struct {
	const char *before;
	size_t longest;
	const char *message;
} bounds[] = {
	{ "report: http://h/", WORKER_URL_MAX - strlen("http://h/"),
	  ":1:9: report: the URL is longer than 2047 bytes; choose a shorter one" },
	{ "report:\n  url: http://h\n  token_file: /", WORKER_PATH_MAX - 1,
	  ":3:15: report.token_file: the path is longer than 4095 bytes; choose a shorter one" },
	{ "report:\n  url: http://h\n  ca_file: /", WORKER_PATH_MAX - 1,
	  ":3:12: report.ca_file: the path is longer than 4095 bytes; choose a shorter one" },
};

START_TEST(bounds_the_length_of_a_text)
{
	char text[5000];
	struct worker_config c;
	struct err e;
	size_t n = (size_t)snprintf(text, sizeof(text), "%s", bounds[_i].before);

	memset(text + n, 'x', bounds[_i].longest + 1);
	text[n + bounds[_i].longest] = '\0';
	ck_assert_int_eq(load(&e, text, &c), 0);
	ck_assert_uint_eq(strlen(_i == 0 ? c.report_url : _i == 1 ? c.token_file : c.ca_file),
			  _i == 0 ? WORKER_URL_MAX : WORKER_PATH_MAX);
	text[n + bounds[_i].longest] = 'x';
	text[n + bounds[_i].longest + 1] = '\0';
	ck_assert_int_eq(load(&e, text, &c), -EINVAL);
	ck_assert_str_eq(e.msg + strlen(file), bounds[_i].message);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_dir, remove_dir);
	tcase_add_loop_test(tc, reads_a_file, 0, ARRAY_LEN(good));
	tcase_add_loop_test(tc, refuses_a_file_with_line_and_column, 0, ARRAY_LEN(bad));
	tcase_add_test(tc, a_missing_file_is_an_error_only_if_it_must_exist);
	tcase_add_test(tc, a_directory_is_no_file);
	tcase_add_test(tc, keeps_name_address_and_port_of_each_server);
	tcase_add_test(tc, takes_16_servers_and_no_more);
	tcase_add_test(tc, takes_64_addresses_and_no_more);
	tcase_add_loop_test(tc, bounds_the_length_of_a_text, 0, ARRAY_LEN(bounds));
}

int main(void)
{
	return unit_main("worker_config", add);
}
