/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "given.h"
#include "persist.h"
#include "units.h"

static char text[PERSIST_TEXT_MAX];
static struct err e;

START_TEST(lists_modules)
{
	static const char *const names[] = { "ip_vs", "ip_vs_wrr" };

	ck_assert_int_eq(persist_modules(&e, names, 2, text), 0);
	ck_assert_str_eq(text, "# sonm-gw-setup(8)\nip_vs\nip_vs_wrr\n");
}
END_TEST

START_TEST(lets_a_setting_be_absent_that_comes_with_a_module)
{
	static const struct persist_setting settings[] = {
		{ "net.ipv4.ip_forward", "1" },
		{ "net.ipv6.conf.all.forwarding", "1" },
		{ "net.ipv4.vs.conntrack", "1" },
	};

	ck_assert_int_eq(persist_settings(&e, settings, 3, text), 0);
	ck_assert_str_eq(text, "# sonm-gw-setup(8)\nnet.ipv4.ip_forward = 1\n-net.ipv6.conf.all.forwarding = 1\n"
			       "-net.ipv4.vs.conntrack = 1\n");
}
END_TEST

START_TEST(reserves_the_pool_and_nothing_else)
{
	struct config c = { .port_first = 32768, .port_last = 33768 };

	ck_assert_int_eq(persist_ports(&e, &c, text), 0);
	ck_assert_str_eq(text, "# sonm-gw-setup(8)\nnet.ipv4.ip_local_reserved_ports = 32768-33768\n");
	c.port_last = c.port_first;
	ck_assert_int_eq(persist_ports(&e, &c, text), 0);
	ck_assert_str_eq(text, "# sonm-gw-setup(8)\nnet.ipv4.ip_local_reserved_ports = 32768\n");
}
END_TEST

START_TEST(fills_a_unit_in)
{
	static const char unit[] = "A=x@config@\nB=@state@ @module\nC=y@config@\n@";
	struct config c = { .state = "/srv/gateway/state.db" };

	ck_assert_int_eq(persist_unit(&e, unit, &c, NULL, text), 0);
	ck_assert_str_eq(text, "A=x\nB=/srv/gateway @module\nC=y\n@");
	ck_assert_int_eq(persist_unit(&e, unit, &c, "/etc/hub.yaml", text), 0);
	ck_assert_str_eq(text, "A=x --config /etc/hub.yaml\nB=/srv/gateway @module\nC=y --config /etc/hub.yaml\n@");
}
END_TEST

START_TEST(refuses_paths_that_mean_something_else_to_systemd)
{
	static const char *const paths[] = { "/a b", "/a%n", "/a$b", "/a\"b", "/a'b", "/a\\b", "/a\nb", "/a;b", "/\xc3\xa4" };
	struct config usual, c;

	config_default(&usual);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		c = usual;
		ck_assert_int_eq(persist_unit(&e, "", &c, paths[i], text), -ERR_USAGE);
		strcpy(c.state, paths[i]);
		ck_assert_int_eq(persist_unit(&e, "", &c, NULL, text), -ERR_USAGE);
	}
}
END_TEST

START_TEST(refuses_paths_that_the_sandbox_hides_or_that_open_it)
{
	static const char *const hidden[] = { "/home/a/x", "/root/x", "/run/user/0/x", "/tmp/x", "/var/tmp/x" };
	static const char *const seen[] = { "/homes/x", "/rootless/x", "/srv/tmp/x", "/run/x" };
	struct config c;

	config_default(&c);
	for (size_t i = 0; i < ARRAY_LEN(hidden); i++)
		ck_assert_int_eq(persist_unit(&e, "", &c, hidden[i], text), -ERR_USAGE);
	for (size_t i = 0; i < ARRAY_LEN(seen); i++)
		ck_assert_int_eq(persist_unit(&e, "", &c, seen[i], text), 0);
	strcpy(c.state, "/state.db");
	ck_assert_int_eq(persist_unit(&e, "", &c, NULL, text), -ERR_USAGE);
	strcpy(c.state, "/tmp/state.db");
	ck_assert_int_eq(persist_unit(&e, "", &c, NULL, text), -ERR_USAGE);
}
END_TEST

START_TEST(refuses_what_would_not_fit)
{
	static const char *names[PERSIST_TEXT_MAX / 64];
	char name[65];

	memset(name, 'a', 64);
	name[64] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		names[i] = name;
	ck_assert_int_eq(persist_modules(&e, names, ARRAY_LEN(names), text), -E2BIG);
	ck_assert_uint_lt(strlen(text), PERSIST_TEXT_MAX);
}
END_TEST

START_TEST(says_what_an_admin_would_type)
{
	char command[64], tight[20];

	persist_command("# a\nb = 1\n", "/etc/x", command, sizeof(command));
	ck_assert_str_eq(command, "printf '%s\\n' '# a' 'b = 1' >/etc/x");
	persist_command("# a\nb = 1\n", "/etc/x", tight, sizeof(tight));
	ck_assert_str_eq(tight, "");
}
END_TEST

START_TEST(every_unit_fits_and_is_filled_in)
{
	struct config c;
	size_t n = 0;

	config_default(&c);
	memset(c.state, 'a', 200);
	c.state[0] = c.state[2] = '/';
	for (const struct unit *u = units; u->name; u++, n++) {
		ck_assert_int_eq(persist_unit(&e, u->text, &c, c.state, text), 0);
		ck_assert_msg(!strstr(text, "@config@") && !strstr(text, "@state@") && !strstr(text, "@sbindir@"), "%s",
			      u->name);
		ck_assert_msg(strncmp(text, "# SPDX", 6) == 0 && text[strlen(text) - 1] == '\n', "%s", u->name);
	}
	ck_assert_uint_eq(n, 3);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, lists_modules);
	tcase_add_test(tc, lets_a_setting_be_absent_that_comes_with_a_module);
	tcase_add_test(tc, reserves_the_pool_and_nothing_else);
	tcase_add_test(tc, fills_a_unit_in);
	tcase_add_test(tc, refuses_paths_that_mean_something_else_to_systemd);
	tcase_add_test(tc, refuses_paths_that_the_sandbox_hides_or_that_open_it);
	tcase_add_test(tc, refuses_what_would_not_fit);
	tcase_add_test(tc, says_what_an_admin_would_type);
	tcase_add_test(tc, every_unit_fits_and_is_filled_in);
}

int main(void)
{
	return unit_main("persist", add);
}
