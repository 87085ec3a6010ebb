/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables of sonm-vs, against themselves and against the manual; what --sync says. */
#include "given.h"
#include "vs.h"
#include "vs_sync.h"

#include <ctype.h>

/* --- the tables -------------------------------------------------------------------- */

static const struct cmd_option *option_of(int id)
{
	for (const struct cmd_option *o = vs_table.options; o->id; o++)
		if (o->id == id)
			return o;
	return NULL;
}

static bool command_takes(const struct cmd_command *c, int id)
{
	for (const int *o = c->options; o && *o; o++)
		if (*o == id)
			return true;
	return false;
}

/* Does the synopsis name it, by its letter or its long name? */
static bool synopsis_names(const char *synopsis, const struct cmd_option *o)
{
	char name[64];
	const char *at;

	snprintf(name, sizeof(name), "--%s", o->name);
	for (at = synopsis; (at = strstr(at, name)); at++)
		if (!isalnum((unsigned char)at[strlen(name)]) && at[strlen(name)] != '-')
			return true;
	snprintf(name, sizeof(name), "-%c", o->letter);
	for (at = synopsis; o->letter && (at = strstr(at, name)); at++)
		if ((at == synopsis || strchr("([| ", at[-1])) && !isalnum((unsigned char)at[2]))
			return true;
	return false;
}

START_TEST(a_synopsis_names_the_options_that_the_command_takes_and_no_others)
{
	for (const struct cmd_command *c = vs_table.commands; c->name; c++) {
		for (const struct cmd_option *o = vs_table.options; o->id; o++) {
			if (o->id == 'j' || !o->name || o->hidden)
				continue; /* said once for all, or not at all */
			ck_assert_msg(command_takes(c, o->id) == synopsis_names(c->synopsis, o), "%s: --%s",
				      c->name, o->name);
		}
	}
}
END_TEST

START_TEST(every_option_belongs_to_a_command_and_every_id_to_an_option)
{
	for (const struct cmd_command *c = vs_table.commands; c->name; c++)
		for (const int *id = c->options; id && *id; id++)
			ck_assert_msg(option_of(*id) != NULL, "%s: %d", c->name, *id);
	for (const struct cmd_option *o = vs_table.options; o->id; o++) {
		bool taken = false;

		for (const int *id = vs_table.common; *id; id++)
			taken = taken || *id == o->id;
		for (const struct cmd_command *c = vs_table.commands; c->name; c++)
			taken = taken || command_takes(c, o->id);
		ck_assert_msg(taken, "--%s", o->name);
	}
}
END_TEST

/* getopt would take the first, silently. */
START_TEST(names_and_letters_and_ids_are_there_once)
{
	const char *names[64];
	char letters[64];
	int ids[64];
	size_t n = 0;

	for (const struct cmd_command *c = vs_table.commands; c->name; c++, n++)
		names[n] = c->name, letters[n] = c->letter, ids[n] = c->id;
	for (const struct cmd_option *o = vs_table.options; o->id; o++, n++)
		names[n] = o->name, letters[n] = o->letter, ids[n] = o->id;
	ck_assert_uint_lt(n, ARRAY_LEN(names));
	for (size_t i = 0; i < n; i++) {
		ck_assert_msg(letters[i] == 0 || letters[i] == ids[i], "%s", names[i]);
		for (size_t k = 0; k < i; k++) {
			ck_assert_str_ne(names[i], names[k]);
			ck_assert_int_ne(ids[i], ids[k]);
		}
	}
}
END_TEST

static char *read_manual(void)
{
	char *text = calloc(1, 1 << 20);
	FILE *in = fopen(MANUAL, "r");

	ck_assert_ptr_nonnull(in);
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_gt(fread(text, 1, (1 << 20) - 1, in), 0);
	fclose(in);
	return text;
}

/* Each stands at the head of a paragraph: ".It Fl A , Fl \-add ..." */
static void check_described(const char *manual, char letter, const char *name)
{
	char line[128];

	if (letter)
		snprintf(line, sizeof(line), ".It Fl %c , Fl \\-%s", letter, name);
	else
		snprintf(line, sizeof(line), ".It Fl \\-%s", name);
	for (const char *at = manual; (at = strstr(at, line)); at++)
		if (strchr(" \n", at[strlen(line)]))
			return;
	ck_abort_msg("the manual does not have '%s'", line);
}

START_TEST(the_manual_describes_every_command_and_option)
{
	CLEANUP_FREE char *manual = read_manual();

	for (const struct cmd_command *c = vs_table.commands; c->name; c++)
		if (c->help)
			check_described(manual, c->letter, c->name);
	for (const struct cmd_option *o = vs_table.options; o->id; o++)
		if (!o->hidden)
			check_described(manual, o->letter, o->name);
}
END_TEST

static const struct {
	const char *const words[10];
	int command;
} lines[] = {
	{ { "-A", "web", "-t", "80=10.0.0.11:8080", "--sctp", "80=10.0.0.11:8080", "--worker", "w1" }, 'A' },
	{ { "edit", "web", "-t", "80", "-w", "0", "--replace", "10.0.0.11:8080" }, 'E' },
	{ { "-D", "web", "-t", "80=10.0.0.11:8080", "--drain", "60", "--wait" }, 'D' },
	{ { "clear", "--yes" }, 'C' },
	{ { "-L", "--workers", "w1" }, 'L' },
	{ { "-S" }, 'S' },
	{ { "-R" }, 'R' },
	{ { "-R", "-", "--adopt" }, 'R' },
	{ { "--sync" }, CMD_SYNC },
	{ { "--set-worker", "w1", "--report", "-" }, CMD_SET_WORKER },
	{ { "set-worker", "w1", "--nat", "none", "--address", "::1", "--address", "::2" }, CMD_SET_WORKER },
	{ { "--delete-worker", "w1" }, CMD_DELETE_WORKER },
	{ { "-i" }, 'i' },
	{ { "-c", "/dev/null", "--complete-values", "CONTAINER" }, CMD_VALUES },
};

START_TEST(understands_every_command)
{
	CLEANUP(cmd_line_free) struct cmd_line line = { 0 };
	char *argv[12] = { (char *)"sonm-vs" };
	struct err e;
	int argc = 1;

	for (; lines[_i].words[argc - 1]; argc++)
		argv[argc] = (char *)lines[_i].words[argc - 1];
	ck_assert_msg(cmd_parse(&e, &vs_table, argc, argv, &line) == 0, "%s", e.msg);
	ck_assert_int_eq(line.command->id, lines[_i].command);
}
END_TEST

/* --- what --sync says ----------------------------------------------------------------- */

static void put_line(void *to, const char *text)
{
	fprintf(to, "%s\n", text);
}

/* As sync_result_clear, which would want the gateway's libraries. */
static void clear_result(struct sync_result *r)
{
	free(r->moves);
	change_list_clear(&r->changes);
	service_list_clear(&r->orphans);
	service_list_clear(&r->resets);
}

/* Prints the texts of what was found, and checks them. */
static void expect_texts(struct sync_result *r, const char *texts)
{
	struct unit_out out = { 0 };

	vs_sync_texts(r, put_line, unit_open(&out));
	unit_expect(&out, texts);
	clear_result(r);
}

static void given_move(struct sync_result *r, const char *from, const char *to, enum route_kind kind)
{
	struct move *m;

	ck_assert_int_eq(base_reserve((void **)&r->moves, r->n_moves, sizeof(*r->moves)), 0);
	m = &r->moves[r->n_moves++];
	*m = (struct move){ .from = given_route("web", 80, from), .kind = kind };
	if (to)
		m->public = given_endpoint(to);
}

static void given_change(struct sync_result *r, enum change_op op, const char *vip)
{
	struct change c = { .op = op, .key = given_key(IPPROTO_TCP, vip), .scheduler = "wrr" };
	struct err e;

	ck_assert_int_eq(change_list_add(&e, &r->changes, &c), 0);
}

static void given_service(struct service_list *list, const char *vip)
{
	struct service s = { .key = given_key(IPPROTO_TCP, vip) };
	struct err e;

	ck_assert_int_eq(service_list_add(&e, list, &s), 0);
}

START_TEST(says_where_routes_move)
{
	struct sync_result r = { 0 };

	given_move(&r, "198.51.100.1:33000", "203.0.113.7:8080", ROUTE_DIRECT);
	given_move(&r, "203.0.113.7:8080", "198.51.100.1:33001", ROUTE_GATEWAY);
	given_move(&r, "[2001:db8::7]:8080", NULL, ROUTE_GATEWAY);
	expect_texts(&r, "move web 80/tcp from 198.51.100.1:33000 to 203.0.113.7:8080 (direct)\n"
			 "move web 80/tcp from 203.0.113.7:8080 to 198.51.100.1:33001\n"
			 "move web 80/tcp from [2001:db8::7]:8080 to a port of this hub\n");
}
END_TEST

START_TEST(tells_orphans_from_what_else_is_deleted)
{
	struct sync_result r = { 0 };

	given_service(&r.orphans, "198.51.100.1:33009");
	given_service(&r.orphans, "198.51.100.1:33001");
	given_service(&r.orphans, "198.51.100.1:33005");
	given_change(&r, CHANGE_DELETE_SERVICE, "198.51.100.1:33001");
	given_change(&r, CHANGE_DELETE_SERVICE, "198.51.100.1:33002");
	given_change(&r, CHANGE_ADD_SERVICE, "198.51.100.1:33005");
	given_change(&r, CHANGE_DELETE_SERVICE, "198.51.100.1:33009");
	expect_texts(&r, "delete service tcp 198.51.100.1:33001 (orphan: no route has it)\n"
			 "delete service tcp 198.51.100.1:33002\n"
			 "add service tcp 198.51.100.1:33005 (wrr)\n"
			 "delete service tcp 198.51.100.1:33009 (orphan: no route has it)\n");
}
END_TEST

START_TEST(says_moves_and_resets_before_the_changes_in_the_kernel)
{
	struct sync_result r = { 0 };

	given_change(&r, CHANGE_DELETE_SERVICE, "198.51.100.1:33002");
	given_service(&r.resets, "[2001:db8::1]:33003");
	given_move(&r, "198.51.100.1:33002", "203.0.113.7:8080", ROUTE_DIRECT);
	expect_texts(&r, "move web 80/tcp from 198.51.100.1:33002 to 203.0.113.7:8080 (direct)\n"
			 "count tcp [2001:db8::1]:33003 anew: another program set it back or made it\n"
			 "delete service tcp 198.51.100.1:33002\n");
}
END_TEST

START_TEST(says_nothing_of_nothing)
{
	struct sync_result r = { 0 };

	expect_texts(&r, "");
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, a_synopsis_names_the_options_that_the_command_takes_and_no_others);
	tcase_add_test(tc, every_option_belongs_to_a_command_and_every_id_to_an_option);
	tcase_add_test(tc, names_and_letters_and_ids_are_there_once);
	tcase_add_test(tc, the_manual_describes_every_command_and_option);
	tcase_add_loop_test(tc, understands_every_command, 0, ARRAY_LEN(lines));
	tcase_add_test(tc, says_where_routes_move);
	tcase_add_test(tc, tells_orphans_from_what_else_is_deleted);
	tcase_add_test(tc, says_moves_and_resets_before_the_changes_in_the_kernel);
	tcase_add_test(tc, says_nothing_of_nothing);
}

int main(void)
{
	return unit_main("vs", add);
}
