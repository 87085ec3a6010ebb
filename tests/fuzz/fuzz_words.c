/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz_words: gives libFuzzer's bytes to what splits a line into words, and
 * aborts where a promise of words.h is broken: words in quotes come back as
 * they were.
 */
#include "words.h"
#include "fuzz.h"

static void put_quoted(FILE *out, const char *word)
{
	fputs(" '", out);
	for (; *word; word++)
		if (*word == '\'')
			fputs("'\\''", out);
		else
			fputc(*word, out);
	fputc('\'', out);
}

static char *quote(const struct words *w)
{
	char *line = NULL;
	size_t size;
	FILE *out = open_memstream(&line, &size);

	require(out != NULL);
	for (size_t i = 0; i < w->n; i++)
		put_quoted(out, w->items[i]);
	fclose(out);
	return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(words_clear) struct words w = { 0 }, again = { 0 };
	CLEANUP_FREE char *line = text_of(bytes, len), *quoted = NULL;
	struct err e;
	int ret;

	ret = words_split(&e, line, &w);
	if (ret < 0) {
		require_error(&e, ret);
		require(ret == -EINVAL && w.items == NULL);
		return 0;
	}
	require(w.items[w.n] == NULL);
	quoted = quote(&w);
	require(words_split(&e, quoted, &again) == 0 && again.n == w.n);
	for (size_t i = 0; i < w.n; i++)
		require(strcmp(w.items[i], again.items[i]) == 0);
	return 0;
}
