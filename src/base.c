/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base.h"

#include <errno.h>

int base_reserve(void **items, size_t n, size_t size)
{
	void *grown;

	if (*items && (n == 0 || (n & (n - 1)) != 0))
		return 0;
	grown = reallocarray(*items, n ? n * 2 : 1, size);
	if (!grown)
		return -ENOMEM;
	*items = grown;
	return 0;
}

char *base_put_number(char *at, uint64_t n)
{
	char *end = at + 1;

	if (n < 10) { /* most are 0 */
		*at = (char)('0' + n);
		*end = '\0';
		return end;
	}
	for (uint64_t rest = n; rest >= 10; rest /= 10)
		end++;
	*end = '\0';
	for (char *digit = end; digit > at; n /= 10)
		*--digit = (char)('0' + n % 10);
	return end;
}
