/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "counts.h"

#include <string.h>

/* A service_key without holes, to be compared as bytes. */
struct key {
	uint8_t address[16];
	uint16_t port;
	uint8_t family, protocol;
};

struct counted {
	struct key key;
	uint32_t rates; /* where they are, from 1; 0: it has none */
	struct counters counters;
};

_Static_assert(sizeof(struct key) == 20 && sizeof(struct counted) == 64, "no holes");

static struct key pack(const struct service_key *from)
{
	struct key key = { .port = from->vip.port, .family = (uint8_t)from->vip.addr.family, .protocol = from->protocol };

	memcpy(key.address, from->vip.addr.bytes, sizeof(key.address));
	return key;
}

#define MIX UINT64_C(0x9e3779b97f4a7c15) /* Knuth's multiplicative hashing */

/* Places are tried one after the other from here on. A quarter of them is free, so this ends soon. */
static size_t first_place(const struct counts *c, const struct key *key)
{
	uint64_t words[2], hash;

	memcpy(words, key->address, sizeof(words));
	hash = (words[0] ^ words[1] << 1) * MIX;
	hash = (hash ^ hash >> 32 ^ key->port ^ (uint64_t)key->protocol << 16) * MIX;
	return (size_t)(hash >> 32) & (c->n_places - 1);
}

/* Where this key is, or where it would be. */
static uint32_t *find_place(const struct counts *c, const struct key *key)
{
	size_t at = first_place(c, key);

	while (c->places[at] != 0 && memcmp(&c->items[c->places[at] - 1].key, key, sizeof(*key)) != 0)
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

static bool has_rates(const struct rates *r)
{
	return (r->cps | r->inpps | r->outpps | r->inbps | r->outbps) != 0;
}

/* Sets *at to where the rates are kept. */
static int keep_rates(struct counts *c, const struct rates *rates, uint32_t *at)
{
	if (*at == 0 && !has_rates(rates))
		return 0;
	if (*at == 0) {
		if (base_reserve((void **)&c->rates, c->n_rates, sizeof(*rates)) < 0)
			return -ENOMEM;
		*at = (uint32_t)++c->n_rates;
	}
	c->rates[*at - 1] = *rates;
	return 0;
}

/* Where a service of this key is kept; it is made if there is none. */
static int find_or_make(struct counts *c, const struct key *key, struct counted **out)
{
	uint32_t *place;

	if (make_places(c) < 0 || base_reserve((void **)&c->items, c->n, sizeof(**out)) < 0)
		return -ENOMEM;
	place = find_place(c, key);
	if (*place == 0) {
		c->items[c->n++] = (struct counted){ .key = *key };
		*place = (uint32_t)c->n;
	}
	*out = &c->items[*place - 1];
	return 0;
}

int counts_add(struct err *e, struct counts *c, const struct service *s)
{
	const struct key key = pack(&s->key);
	struct counted *to;

	if (s->fwmark != 0)
		return 0;
	if (find_or_make(c, &key, &to) < 0)
		return err_set(e, ENOMEM, "out of memory");
	if (s->counters.inbytes < to->counters.inbytes)
		return 0;
	to->counters = s->counters;
	c->are_narrow = s->is_narrow;
	return keep_rates(c, &s->rates, &to->rates) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

bool counts_find(const struct counts *c, const struct service_key *key, struct count *out)
{
	const struct key packed = pack(key);
	const struct counted *found;
	uint32_t at = c->n > 0 ? *find_place(c, &packed) : 0;

	if (at == 0)
		return false;
	found = &c->items[at - 1];
	*out = (struct count){ .counters = found->counters, .is_narrow = c->are_narrow };
	if (found->rates != 0)
		out->rates = c->rates[found->rates - 1];
	return true;
}

void counts_clear(struct counts *c)
{
	free(c->items);
	free(c->rates);
	free(c->places);
	*c = (struct counts){ 0 };
}
