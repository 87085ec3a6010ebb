/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "counts.h"

#include <string.h>

#define MIX UINT64_C(0x9e3779b97f4a7c15) /* Knuth's multiplicative hashing */

/* Places are tried one after the other from here on. A quarter of them is free, so this ends soon. */
static size_t first_place(const struct counts *c, const struct service_key *key)
{
	uint64_t words[2], hash;

	memcpy(words, key->vip.addr.bytes, sizeof(words));
	hash = (words[0] ^ words[1] << 1) * MIX;
	hash = (hash ^ hash >> 32 ^ key->vip.port ^ (uint64_t)key->protocol << 16) * MIX;
	return (size_t)(hash >> 32) & (c->n_places - 1);
}

/* Where this key is, or where it would be. */
static uint32_t *find_place(const struct counts *c, const struct service_key *key)
{
	size_t at = first_place(c, key);

	while (c->places[at] != 0 && !service_key_equal(&c->items[c->places[at] - 1].key, key))
		at = (at + 1) & (c->n_places - 1);
	return &c->places[at];
}

static int make_places(struct counts *c)
{
	struct counts larger = *c;

	if (c->n < c->n_places / 4 * 3)
		return 0;
	larger.n_places = c->n_places ? c->n_places * 2 : 64;
	larger.places = calloc(larger.n_places, sizeof(*larger.places));
	if (!larger.places || c->n == UINT32_MAX) {
		free(larger.places);
		return -ENOMEM;
	}
	for (size_t i = 0; i < c->n; i++)
		*find_place(&larger, &c->items[i].key) = (uint32_t)i + 1;
	free(c->places);
	*c = larger;
	return 0;
}

int counts_add(struct err *e, struct counts *c, const struct service *s)
{
	const struct count new = { .key = s->key, .counters = s->counters, .rates = s->rates };
	uint32_t *place;

	if (s->fwmark != 0)
		return 0;
	if (make_places(c) < 0 || base_reserve((void **)&c->items, c->n, sizeof(new)) < 0)
		return err_set(e, ENOMEM, "out of memory");
	place = find_place(c, &s->key);
	if (*place == 0) {
		c->items[c->n++] = new;
		*place = (uint32_t)c->n;
	} else if (s->counters.inbytes >= c->items[*place - 1].counters.inbytes) {
		c->items[*place - 1] = new;
	}
	return 0;
}

const struct count *counts_find(const struct counts *c, const struct service_key *key)
{
	const uint32_t *place = c->n > 0 ? find_place(c, key) : NULL;

	return place && *place != 0 ? &c->items[*place - 1] : NULL;
}

void counts_clear(struct counts *c)
{
	free(c->items);
	free(c->places);
	*c = (struct counts){ 0 };
}
