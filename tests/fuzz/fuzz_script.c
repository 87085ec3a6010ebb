/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz_script: takes libFuzzer's bytes for what is written to the standard
 * input of 'sonm-vs -i': lines, words, commands. Nothing is run. Each line's
 * words are also completed. Aborts where a promise of vs.h, vs_shell.h or
 * cmd.h is broken.
 */
#include "fuzz.h"
#include "vs_shell.h"
#include "words.h"

static const struct config config;

/* In the place of the commands themselves: the line is whole, and is one that the prompt has. */
int vs_run(struct err *e, const struct config *c, const struct cmd_line *line)
{
	require(c == &config && line->command != NULL && vs_is_for_prompt(line->command));
	require(!cmd_has(line, 'c') && !cmd_has(line, 'h'));
	/* So that some of them end the script. */
	return line->command->id == 'C' ? err_set(e, ERR_ABSENT, "nothing is there") : 0;
}

/* In the place of the state file. */
void vs_values(const struct config *c, const char *name, void (*add)(void *to, const char *value), void *to)
{
	require(c == &config);
	add(to, name);
}

static void take_candidate(void *to, const char *candidate)
{
	size_t *n = to;

	require(is_line(candidate, 128));
	++*n;
}

static void complete(const char *line)
{
	CLEANUP(words_clear) struct words w = { 0 };
	struct err e;
	size_t n = 0;

	if (words_split(&e, line, &w) == 0)
		vs_complete((void *)(uintptr_t)&config, (const char *const *)w.items, w.n, take_candidate, &n);
	require(w.n > 0 || w.items == NULL || n > 0);
}

static void complete_each(char *text)
{
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		complete(line);
}

/* What help prints is for nobody; input is no terminal, whatever make has been started from. */
static void prepare(void)
{
	static bool is_prepared;

	if (is_prepared)
		return;
	require(freopen("/dev/null", "r", stdin) && freopen("/dev/null", "w", stdout));
	is_prepared = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP_FREE char *text = text_of(bytes, len);
	struct cmd_line line = { 0 };
	FILE *before;
	struct err e;
	int ret;

	if (len == 0)
		return 0;
	prepare();
	before = stdin;
	stdin = stream_of(bytes, len);
	ret = vs_shell(&e, &config, &line);
	fclose(stdin);
	stdin = before;
	if (ret < 0)
		require_error(&e, ret);
	complete_each(text);
	return 0;
}
