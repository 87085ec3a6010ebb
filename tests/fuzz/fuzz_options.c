/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz_options: takes libFuzzer's bytes for a command line of one of the four
 * programs, and aborts where a promise of cmd.h is broken, or one of those who
 * read an option's argument. Nothing is run. The first byte says which program
 * is meant, the words that follow end with NUL.
 */
#include "cmd.h"
#include "fuzz.h"
#include "moment.h"
#include "route.h"
#include "server.h"

#define WORDS_MAX 32
#define NOW 1793527200

/* What the programs' headers call so; two of them do not go into one file. */
extern const struct cmd_table vs_table, gwstat_table, setup_table, stun_job_table;
static const struct cmd_table *const tables[] = { &vs_table, &gwstat_table, &setup_table, &stun_job_table };

/* Every argument to everybody who reads some. */
static void read_value(const char *text)
{
	struct port_spec port = { .protocol = IPPROTO_TCP };
	struct server server;
	struct addr addr;
	int64_t at;
	uint64_t n;
	struct err e;
	int ret = port_spec_parse(&e, text, &port);

	if (ret == 0)
		require(port.cport > 0 && (!port.has_real || port.real.port > 0));
	else
		require_error(&e, ret);
	ret = cmd_number(&e, "number", text, 1, 65535, &n);
	if (ret == 0)
		require(n >= 1 && n <= 65535);
	else
		require_error(&e, ret);
	ret = moment_parse(&e, "--since", text, NOW, &at);
	if (ret == 0)
		require(at >= 0 && at <= MOMENT_MAX);
	else
		require_error(&e, ret);
	ret = addr_parse(&e, text, &addr);
	if (ret < 0)
		require_error(&e, ret);
	ret = server_parse(&e, text, &server);
	if (ret < 0)
		require_error(&e, ret);
	ret = container_check(&e, text);
	if (ret == 0)
		require(strlen(text) <= CONTAINER_MAX && text[0] != '-' && is_line(text, CONTAINER_MAX + 1));
	else
		require_error(&e, ret);
}

/* last: the words' end. */
static void check_line(const struct cmd_line *line, char *const argv[], const char *last)
{
	const struct cmd_command *c = line->command;

	require(c != NULL && line->n_args >= (size_t)c->min_args);
	require(c->max_args < 0 || line->n_args <= (size_t)c->max_args);
	for (size_t i = 0; i < line->n_values; i++) {
		require(cmd_has(line, line->values[i].id));
		if (!line->values[i].value)
			continue;
		require(line->values[i].value >= argv[1] && line->values[i].value <= last);
		read_value(line->values[i].value);
	}
	for (size_t i = 0; i < line->n_args; i++) {
		require(line->args[i] >= argv[1] && line->args[i] <= last);
		read_value(line->args[i]);
	}
}

static void parse(const struct cmd_table *table, int argc, char *const argv[], const char *last)
{
	CLEANUP(cmd_line_free) struct cmd_line line = { 0 };
	struct err e;
	int ret = cmd_parse(&e, table, argc, argv, &line);

	cmd_named(table, argc, argv);
	if (ret == 0) {
		check_line(&line, argv, last);
		return;
	}
	require_error(&e, ret);
	require(ret == -EINVAL && line.values == NULL && line.args == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP_FREE char *text = malloc(len + 1);
	char *argv[WORDS_MAX + 2] = { 0 };
	int argc = 1;

	require(text != NULL);
	if (len == 0)
		return 0;
	memcpy(text, bytes, len);
	text[len] = '\0';
	argv[0] = (char *)(uintptr_t)"fuzz";
	for (char *word = text + 1; word < text + len && argc <= WORDS_MAX; word += strlen(word) + 1)
		argv[argc++] = word;
	parse(tables[bytes[0] % ARRAY_LEN(tables)], argc, argv, text + len);
	return 0;
}
