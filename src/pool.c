/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pool.h"

static uint32_t gcd(uint32_t a, uint32_t b)
{
	while (b) {
		uint32_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* Steps by a stride that has no factor in common with the size: visits every port once. */
int pool_pick(struct err *e, uint16_t first, uint16_t last, const uint32_t random[static 2],
	      pool_is_free *is_free, void *ctx, uint16_t *out)
{
	uint32_t size = (uint32_t)last - first + 1;
	uint32_t at = random[0] % size;
	uint32_t stride = size > 1 ? 1 + random[1] % (size - 1) : 1;

	while (gcd(stride, size) != 1)
		stride++;
	for (uint32_t i = 0; i < size; i++, at = (at + stride) % size) {
		uint16_t port = (uint16_t)(first + at);
		int ret = is_free(e, ctx, port);

		if (ret < 0)
			return ret;
		if (ret > 0) {
			*out = port;
			return 0;
		}
	}
	return 1;
}
