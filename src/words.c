/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "words.h"

#include <string.h>

#define BLANKS " \t\r\n"

/* What a backslash takes the meaning from between double quotes; before others it stands for itself. */
#define ESCAPED_IN_QUOTES "\"\\$`"

static bool is_blank(char c)
{
	return c && strchr(BLANKS, c);
}

/* One word: from here it is read, and to there written without quotes. */
struct cursor {
	const char *from;
	char *to;
};

static int take_quoted(struct err *e, struct cursor *c)
{
	char quote = *c->from++;

	while (*c->from && *c->from != quote) {
		if (quote == '"' && c->from[0] == '\\' && c->from[1] && strchr(ESCAPED_IN_QUOTES, c->from[1]))
			c->from++;
		*c->to++ = *c->from++;
	}
	if (!*c->from)
		return err_set(e, ERR_USAGE,
			       "a quote is not closed; write another %c, or \\%c for the character itself", quote,
			       quote);
	c->from++;
	return 0;
}

static int take_word(struct err *e, struct cursor *c)
{
	while (*c->from && !is_blank(*c->from)) {
		if (*c->from == '\'' || *c->from == '"') {
			if (take_quoted(e, c) < 0)
				return -e->code;
			continue;
		}
		if (*c->from == '\\' && !*++c->from)
			return err_set(e, ERR_USAGE,
				       "nothing follows the backslash at the end; leave it out, or write \\\\");
		*c->to++ = *c->from++;
	}
	*c->to++ = '\0';
	return 0;
}

/*
 * Pointers and text are one block. n words have n - 1 blanks between them at
 * least, and each is shorter than what it is made of: the text fits.
 */
int words_split(struct err *e, const char *line, struct words *out)
{
	size_t len = strlen(line), max = len / 2 + 2;
	CLEANUP_FREE char **items = malloc(max * sizeof(*items) + len + 1);
	struct cursor c = { .from = line };
	size_t n = 0;

	if (!items)
		return err_set(e, ENOMEM, "out of memory");
	c.to = (char *)(items + max);
	while (*(c.from += strspn(c.from, BLANKS)) && *c.from != '#') {
		items[n++] = c.to;
		if (take_word(e, &c) < 0)
			return -e->code;
	}
	items[n] = NULL;
	*out = (struct words){ .items = steal_ptr(items), .n = n };
	return 0;
}

void words_clear(struct words *w)
{
	free(w->items);
	*w = (struct words){ 0 };
}
