/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What can be typed next at the prompt, by the tables and the state file. */
#include "vs_shell.h"

#include <string.h>

/* What the words before say. */
struct typed {
	const struct cmd_command *command;
	const struct cmd_option *open; /* the last word: its argument is to follow */
	size_t n_args;
	bool workers; /* arguments are workers, not containers */
};

/* Is the word "-s" or "--scheduler"? */
static bool is_option(const char *word, char letter, const char *name)
{
	if (strncmp(word, "--", 2) == 0)
		return name && strcmp(word + 2, name) == 0;
	return letter && word[0] == '-' && word[1] == letter && word[2] == '\0';
}

const struct cmd_command *vs_find_command(const char *word)
{
	for (const struct cmd_command *c = vs_table.commands; c->name; c++)
		if (strcmp(word, c->name) == 0 || is_option(word, c->letter, c->name))
			return c;
	return NULL;
}

bool vs_is_for_prompt(const struct cmd_command *command)
{
	return command->help && command->id != 'i';
}

static const struct cmd_option *find_option(const char *word)
{
	for (const struct cmd_option *o = vs_table.options; o->id; o++)
		if (is_option(word, o->letter, o->name))
			return o;
	return NULL;
}

static void read_word(struct typed *t, const char *word)
{
	const struct cmd_option *option = find_option(word);
	const struct cmd_command *command = t->command && word[0] != '-' ? NULL : vs_find_command(word);

	if (t->open)
		t->open = NULL;
	else if (option)
		t->open = option->arg && option->arg[0] != '[' ? option : NULL;
	else if (command)
		t->command = command;
	else if (word[0] != '-')
		t->n_args++;
	if (option && option->id == OPT_WORKERS)
		t->workers = true;
}

static bool is_among(const struct cmd_option *option, const char *const words[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_option(words[i], option->letter, option->name))
			return true;
	return false;
}

/* The options of the command, as --name, except what is there already and may not be given again. */
static void add_options(const struct cmd_command *command, const char *const words[], size_t n,
			void (*add)(void *to, const char *candidate), void *to)
{
	for (const struct cmd_option *o = vs_table.options; o->id; o++) {
		const int *id = command->options;
		char name[64];

		while (id && *id && *id != o->id)
			id++;
		if (!id || !*id || !o->name || (!o->many && is_among(o, words, n)))
			continue;
		snprintf(name, sizeof(name), "--%s", o->name);
		add(to, name);
	}
	add(to, "--help");
}

/* The name of the command's arguments: "CONTAINER" of "[CONTAINER...] [-n]"; "" if it takes no more. */
static const char *argument_name(const struct typed *t, char buf[static 16])
{
	const char *name = t->command->synopsis + strspn(t->command->synopsis, "[");
	bool full = t->command->max_args >= 0 && t->n_args >= (size_t)t->command->max_args;

	if (t->workers)
		return "WORKER";
	snprintf(buf, 16, "%.*s", full ? 0 : (int)strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"), name);
	return buf;
}

static void add_commands(void (*add)(void *to, const char *candidate), void *to)
{
	for (const struct cmd_command *c = vs_table.commands; c->name; c++)
		if (vs_is_for_prompt(c))
			add(to, c->name);
}

static void add_first_words(void (*add)(void *to, const char *candidate), void *to)
{
	static const char *const ours[] = { "help", "quit", "exit" };

	add_commands(add, to);
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		add(to, ours[i]);
}

bool vs_complete(void *ctx, const char *const words[], size_t n, void (*add)(void *to, const char *candidate),
		 void *to)
{
	struct typed t = { 0 };
	char buf[16];
	const char *name;

	while (n > 0 && strcmp(words[0], vs_table.prog) == 0)
		words++, n--;
	if (n == 0)
		add_first_words(add, to);
	if (n == 1 && strcmp(words[0], "help") == 0)
		add_commands(add, to);
	for (size_t i = 0; i < n && strcmp(words[0], "help") != 0; i++)
		read_word(&t, words[i]);
	if (!t.command)
		return false;
	if (!t.open)
		add_options(t.command, words, n, add, to);
	name = t.open ? t.open->arg : argument_name(&t, buf);
	vs_values(ctx, name, add, to);
	return strcmp(name, "FILE") == 0;
}
