/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base.h"

#include <errno.h>

int base_reserve(void **items, size_t n, size_t size)
{
	void *grown;

	if (*items && (n < 4 || (n & (n - 1)) != 0))
		return 0;
	grown = reallocarray(*items, n < 4 ? 4 : n * 2, size);
	if (!grown)
		return -ENOMEM;
	*items = grown;
	return 0;
}
