/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "similar.h"

#include <string.h>

#define LENGTH_MAX 32 /* longer ones are like nothing; bounds the work too */
#define UNLIKE SIZE_MAX

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Letters to insert, delete, replace or swap with their neighbour (optimal string alignment). */
static size_t distance(const char *a, size_t len_a, const char *b, size_t len_b)
{
	size_t d[LENGTH_MAX + 1][LENGTH_MAX + 1];

	for (size_t i = 0; i <= len_a; i++)
		d[i][0] = i;
	for (size_t k = 0; k <= len_b; k++)
		d[0][k] = k;
	for (size_t i = 1; i <= len_a; i++) {
		for (size_t k = 1; k <= len_b; k++) {
			d[i][k] = least(d[i - 1][k - 1] + (a[i - 1] != b[k - 1]),
					least(d[i - 1][k], d[i][k - 1]) + 1);
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
				d[i][k] = least(d[i][k], d[i - 2][k - 2] + 1);
		}
	}
	return d[len_a][len_b];
}

static size_t unlikeness(const char *word, const char *name)
{
	size_t len_word = strnlen(word, LENGTH_MAX + 1);
	size_t len_name = name ? strnlen(name, LENGTH_MAX + 1) : 0;
	size_t d;

	if (len_word == 0 || len_word > LENGTH_MAX || len_name == 0 || len_name > LENGTH_MAX)
		return UNLIKE;
	if (len_word > 1 && strncmp(word, name, len_word) == 0)
		return 1; /* begun rightly, not ended */
	d = distance(word, len_word, name, len_name);
	return d <= (len_word + 1) / 3 ? d : UNLIKE;
}

const char *similar_nearer(const char *word, const char *a, const char *b)
{
	size_t unlike_a = unlikeness(word, a), unlike_b = unlikeness(word, b);

	if (unlike_b < unlike_a)
		return b;
	return unlike_a == UNLIKE ? NULL : a;
}
