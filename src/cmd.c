/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd.h"
#include "similar.h"

#include <ctype.h>
#include <getopt.h>
#include <inttypes.h>
#include <string.h>

#define LONG_BASE 0x10000 /* what getopt returns for a long name: this plus its place in the table */
#define LABEL_STRLEN 64

/* A row of either list, so that one loop serves commands and options. */
struct entry {
	char letter;
	const char *name, *arg, *help;
	bool hidden;
	const struct cmd_command *command; /* one of these two is set */
	const struct cmd_option *option;
};

static struct entry command_entry(const struct cmd_command *c)
{
	return (struct entry){ .letter = c->letter, .name = c->name, .help = c->help, .hidden = !c->help,
			       .command = c };
}

static struct entry option_entry(const struct cmd_option *o)
{
	return (struct entry){ .letter = o->letter, .name = o->name, .arg = o->arg,
			       .help = o->help, .hidden = o->hidden, .option = o };
}

/* The row at this place, commands first; false behind the last. */
static bool entry_at(const struct cmd_table *table, size_t place, struct entry *out)
{
	for (const struct cmd_command *c = table->commands; c->name; c++) {
		if (place-- == 0) {
			*out = command_entry(c);
			return true;
		}
	}
	for (const struct cmd_option *o = table->options; o->id; o++) {
		if (place-- == 0) {
			*out = option_entry(o);
			return true;
		}
	}
	return false;
}

/* The row for what getopt returned or left in optopt. */
static bool entry_find(const struct cmd_table *table, int value, struct entry *out)
{
	if (value >= LONG_BASE)
		return entry_at(table, (size_t)(value - LONG_BASE), out);
	for (size_t i = 0; entry_at(table, i, out); i++)
		if (out->letter && out->letter == value)
			return true;
	return false;
}

/* An argument is required, or, in brackets, may be left out. */
static int arg_mode(const char *arg)
{
	if (!arg)
		return no_argument;
	return arg[0] == '[' ? optional_argument : required_argument;
}

/* "-A|--add", "--sync" or "-4". Returns buf. */
static const char *label(struct entry entry, char buf[static LABEL_STRLEN])
{
	char letter[3] = { '-', entry.letter, '\0' };

	snprintf(buf, LABEL_STRLEN, "%s%s%s%s", entry.letter ? letter : "",
		 entry.letter && entry.name ? "|" : "", entry.name ? "--" : "", entry.name ? entry.name : "");
	return buf;
}

static const struct cmd_command *command_by_word(const struct cmd_table *table, const char *word)
{
	for (const struct cmd_command *c = table->commands; c->name; c++)
		if (strcmp(c->name, word) == 0)
			return c;
	return NULL;
}

static const struct cmd_command *default_command(const struct cmd_table *table)
{
	if (!table->commands->name)
		return table->commands;
	for (const struct cmd_command *c = table->commands; c->name; c++)
		if (c->id == table->default_command)
			return c;
	return NULL;
}

static const struct cmd_option *option_by_id(const struct cmd_table *table, int id)
{
	const struct cmd_option *o = table->options;

	while (o->id && o->id != id)
		o++;
	return o;
}

static bool has_id(const int *ids, int id)
{
	for (; ids && *ids; ids++)
		if (*ids == id)
			return true;
	return false;
}

/* The table in getopt's form. */
struct names {
	char *letters;
	struct option *longs;
};

static void names_clear(struct names *names)
{
	free(names->letters);
	free(names->longs);
}

static int names_init(struct err *e, struct names *names, const struct cmd_table *table)
{
	static const char *const colons[] = {
		[no_argument] = "", [required_argument] = ":", [optional_argument] = "::"
	};
	struct option *lng;
	struct entry entry;
	size_t n = 0;
	char *p;

	while (entry_at(table, n, &entry))
		n++;
	names->letters = calloc(3 * n + 3, 1);
	names->longs = calloc(n + 1, sizeof(*names->longs));
	if (!names->letters || !names->longs)
		return err_set(e, ENOMEM, "out of memory");
	/*
	 * '-': words come in the order given, so argv is not permuted and
	 * POSIXLY_CORRECT not asked. ':': a missing argument is told apart.
	 */
	p = stpcpy(names->letters, "-:");
	lng = names->longs;
	for (size_t i = 0; entry_at(table, i, &entry); i++) {
		if (entry.letter)
			p += sprintf(p, "%c%s", entry.letter, colons[arg_mode(entry.arg)]);
		if (entry.name)
			*lng++ = (struct option){ entry.name, arg_mode(entry.arg), NULL, LONG_BASE + (int)i };
	}
	return 0;
}

struct parser {
	struct err *e;
	const struct cmd_table *table;
	const char *word; /* the one of argv that getopt is at */
	bool only_args;   /* the line's first argument stands behind "--": no command */
	struct cmd_line line;
};

static void parser_clear(struct parser *p)
{
	cmd_line_free(&p->line);
}

/* Adds what to do about an unknown word: the nearest name, or where to look. */
static int advise(struct parser *p, const char *dashes, const char *nearest)
{
	if (nearest)
		return err_advise(p->e, "did you mean %s%s?", dashes, nearest);
	return err_advise(p->e, "see %s --help", p->table->prog);
}

/* Says that getopt does not know p->word, "--name" or "--name=value": no such name, or several. */
static int refuse_long(struct parser *p)
{
	size_t len = strcspn(p->word + 2, "=");
	const char *match = NULL, *nearest = NULL;
	struct entry entry;
	char name[LABEL_STRLEN];

	snprintf(name, sizeof(name), "%.*s", (int)(len < sizeof(name) ? len : sizeof(name)), p->word + 2);
	for (size_t i = 0; entry_at(p->table, i, &entry); i++) {
		if (!entry.name || entry.hidden)
			continue;
		nearest = similar_nearer(name, nearest, entry.name);
		if (len == 0 || strncmp(entry.name, name, len) != 0)
			continue;
		if (match)
			return err_set(p->e, ERR_USAGE, "'%.60s' can mean --%s or --%s; write more of it",
				       p->word, match, entry.name);
		match = entry.name;
	}
	err_set(p->e, ERR_USAGE, "unknown option '%.60s'", p->word);
	return advise(p, "--", nearest);
}

/* Says that getopt does not know a letter of p->word; "-list" and "-a" for "-A" are usual slips. */
static int refuse_letter(struct parser *p, int letter)
{
	char shown[2] = { isascii(letter) ? (char)letter : '\0', '\0' }, other[2] = { 0 };
	const char *nearest = NULL;
	struct entry entry;

	for (size_t i = 0; entry_at(p->table, i, &entry); i++) {
		if (entry.name && !entry.hidden && strcmp(p->word + 1, entry.name) == 0)
			nearest = entry.name;
		if (entry.letter && entry.letter != letter && tolower(entry.letter) == tolower(shown[0]))
			other[0] = entry.letter;
	}
	if (strlen(p->word) <= 2 || !shown[0])
		err_set(p->e, ERR_USAGE, "unknown option '%.60s'", p->word);
	else
		err_set(p->e, ERR_USAGE, "unknown option '-%s' in '%.60s'", shown, p->word);
	return nearest ? advise(p, "--", nearest) : advise(p, "-", other[0] ? other : NULL);
}

/* Turns getopt's '?' or ':' into an error. */
static int refuse(struct parser *p, int why)
{
	char buf[LABEL_STRLEN];
	struct entry entry;

	if (why == ':' && entry_find(p->table, optopt, &entry))
		return err_set(p->e, ERR_USAGE, "'%.60s' lacks its argument; write %s %s", p->word,
			       label(entry, buf), entry.arg);
	if (optopt >= LONG_BASE && entry_find(p->table, optopt, &entry))
		return err_set(p->e, ERR_USAGE, "'%.60s' has an argument, but --%s takes none; leave it out",
			       p->word, entry.name);
	return strncmp(p->word, "--", 2) == 0 ? refuse_long(p) : refuse_letter(p, optopt);
}

static int take_command(struct parser *p, const struct cmd_command *command)
{
	char a[LABEL_STRLEN], b[LABEL_STRLEN];

	if (p->line.command == command)
		return err_set(p->e, ERR_USAGE, "%s is given twice; give it once",
			       label(command_entry(command), a));
	if (p->line.command)
		return err_set(p->e, ERR_USAGE, "%s and %s are two commands; give one",
			       label(command_entry(p->line.command), a), label(command_entry(command), b));
	p->line.command = command;
	return 0;
}

static int take_option(struct parser *p, const struct cmd_option *option, const char *value)
{
	struct cmd_line *line = &p->line;
	void *grown = line->values;
	char buf[LABEL_STRLEN];

	if (!option->many && cmd_has(line, option->id))
		return err_set(p->e, ERR_USAGE, "%s is given twice; give it once",
			       label(option_entry(option), buf));
	if (base_reserve(&grown, line->n_values, sizeof(*line->values)) < 0)
		return err_set(p->e, ENOMEM, "out of memory");
	line->values = grown;
	line->values[line->n_values++] = (struct cmd_value){ option->id, value };
	return 0;
}

static int take_words(struct parser *p, int argc, char *const argv[], const struct names *names)
{
	struct entry entry;
	int at, c, ret = 0;

	opterr = 0;
	optind = 0; /* glibc: forget the last line */
	while (ret == 0) {
		at = optind > 0 ? optind : 1;
		p->word = at < argc ? argv[at] : NULL;
		c = getopt_long(argc, argv, names->letters, names->longs, NULL);
		if (c == -1)
			break;
		if (c == 1) /* neither an option nor an option's argument */
			p->line.args[p->line.n_args++] = optarg;
		else if (c == '?' || c == ':' || !entry_find(p->table, c, &entry))
			ret = refuse(p, c);
		else
			ret = entry.command ? take_command(p, entry.command)
					    : take_option(p, entry.option, optarg);
	}
	p->only_args = p->line.n_args == 0;
	for (int i = optind; ret == 0 && i < argc; i++)
		p->line.args[p->line.n_args++] = argv[i];
	return ret;
}

static int refuse_word(struct parser *p, const char *word)
{
	const char *nearest = NULL;

	for (const struct cmd_command *c = p->table->commands; c->name; c++)
		if (c->help)
			nearest = similar_nearer(word, nearest, c->name);
	err_set(p->e, ERR_USAGE, "'%.60s' is not a command", word);
	for (const struct cmd_option *o = p->table->options; !nearest && o->id; o++)
		if (o->name && !o->hidden && strcmp(o->name, word) == 0)
			return advise(p, "--", word); /* "help", "version" */
	return advise(p, "", nearest);
}

/* No option named the command: the first word does, or the default is meant. */
static int find_command(struct parser *p)
{
	const struct cmd_command *fallback = default_command(p->table);
	struct cmd_line *line = &p->line;
	bool has_commands = p->table->commands->name != NULL;
	bool has_word = has_commands && line->n_args > 0 && !p->only_args && !p->table->options_only;

	if (has_word)
		line->command = command_by_word(p->table, line->args[0]);
	if (line->command) {
		memmove(line->args, line->args + 1, --line->n_args * sizeof(*line->args));
		return 0;
	}
	/* A word that the default could not take was meant to be a command. */
	if (has_word && (!fallback || fallback->max_args == 0))
		return refuse_word(p, line->args[0]);
	if (!fallback)
		return err_set(p->e, ERR_USAGE, "no command is given; see %s --help", p->table->prog);
	line->command = fallback;
	return 0;
}

static bool takes(const struct parser *p, int id)
{
	return has_id(p->line.command->options, id) || has_id(p->table->common, id);
}

/* Says that the command does not take an option: perhaps one with a similar name was meant. */
static int refuse_option(struct parser *p, int id)
{
	const struct cmd_option *option = option_by_id(p->table, id);
	const char *nearest = NULL;
	char a[LABEL_STRLEN], b[LABEL_STRLEN];

	err_set(p->e, ERR_USAGE, "%s does not take %s", label(command_entry(p->line.command), a),
		label(option_entry(option), b));
	for (const struct cmd_option *o = p->table->options; option->name && o->id; o++)
		if (o->name && !o->hidden && takes(p, o->id))
			nearest = similar_nearer(option->name, nearest, o->name);
	return advise(p, "--", nearest);
}

static int check_options(struct parser *p)
{

	for (size_t i = 0; i < p->line.n_values; i++) {
		int id = p->line.values[i].id;

		if (!takes(p, id))
			return refuse_option(p, id);
	}
	return 0;
}

static int check_args(struct parser *p)
{
	const struct cmd_command *command = p->line.command;
	size_t n = p->line.n_args;
	char buf[LABEL_STRLEN];

	if (command->name)
		label(command_entry(command), buf);
	else
		snprintf(buf, sizeof(buf), "%s", p->table->prog);
	if (n < (size_t)command->min_args)
		err_set(p->e, ERR_USAGE, "%s lacks an argument", buf);
	else if (command->max_args >= 0 && n > (size_t)command->max_args)
		err_set(p->e, ERR_USAGE, "argument '%.60s' is one too many for %s",
			p->line.args[command->max_args], buf);
	else
		return 0;
	if (!command->name)
		return err_advise(p->e, "see %s --help", p->table->prog);
	return err_advise(p->e, "write %s %s%s%s", p->table->prog, buf, command->synopsis[0] ? " " : "",
			  command->synopsis);
}

int cmd_parse(struct err *e, const struct cmd_table *table, int argc, char *const argv[],
	      struct cmd_line *out)
{
	CLEANUP(parser_clear) struct parser p = { .e = e, .table = table };
	CLEANUP(names_clear) struct names names = { 0 };
	int ret = names_init(e, &names, table);

	if (ret == 0) {
		p.line.args = calloc((size_t)argc + 1, sizeof(*p.line.args));
		ret = p.line.args ? take_words(&p, argc, argv, &names) : err_set(e, ENOMEM, "out of memory");
	}
	if (ret == 0 && !p.line.command)
		ret = find_command(&p);
	if (ret == 0)
		ret = check_options(&p);
	if (ret == 0)
		ret = check_args(&p);
	if (ret == 0) {
		*out = p.line;
		p.line = (struct cmd_line){ 0 };
	}
	return ret;
}

void cmd_line_free(struct cmd_line *line)
{
	free(line->values);
	free(line->args);
	*line = (struct cmd_line){ 0 };
}

bool cmd_has(const struct cmd_line *line, int id)
{
	return cmd_count(line, id) > 0;
}

size_t cmd_count(const struct cmd_line *line, int id)
{
	size_t n = 0;

	for (size_t i = 0; i < line->n_values; i++)
		n += line->values[i].id == id;
	return n;
}

const char *cmd_get(const struct cmd_line *line, int id, const char *fallback)
{
	for (size_t i = line->n_values; i-- > 0;)
		if (line->values[i].id == id)
			return line->values[i].value;
	return fallback;
}

int cmd_number(struct err *e, const char *what, const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long long n = 0;

	errno = 0;
	if (digits > 0 && text[digits] == '\0')
		n = strtoull(text, NULL, 10);
	else
		errno = EINVAL;
	if (errno || n < min || n > max)
		return err_set(e, ERR_USAGE, "%s '%.60s' is not a whole number from %" PRIu64 " to %" PRIu64,
			       what, text, min, max);
	*out = n;
	return 0;
}
