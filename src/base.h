/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * base: macros that every other file may use. Knows nothing of the domain,
 * does no I/O.
 */
#ifndef SONM_BASE_H
#define SONM_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define MUST_CHECK __attribute__((warn_unused_result))

/* Declares a variable that is freed, or closed, when it goes out of scope. */
#define CLEANUP_FREE CLEANUP(base_free_)
#define CLEANUP_CLOSE CLEANUP(base_close_)

/* steal_ptr(p): the value of p, which becomes NULL; ends a cleanup's claim. */
#define steal_ptr(p)                  \
	({                            \
		__auto_type p_ = (p); \
		(p) = NULL;           \
		p_;                   \
	})

static inline void base_free_(void *p)
{
	free(*(void **)p);
}

static inline void base_close_(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline int steal_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/*
 * Makes room for one more element in a growing array: *items holds n elements
 * of the given size. Capacity is the next power of two, so it needs no
 * variable of its own. Returns 0, or -ENOMEM with *items unchanged.
 */
int base_reserve(void **items, size_t n, size_t size) MUST_CHECK;

#define BASE_NUMBER_STRLEN 21

/*
 * Writes a number in decimal, with a NUL, and returns where that is. For what
 * thousands of lines are made of; snprintf(3) takes some twenty times as long.
 */
char *base_put_number(char *at, uint64_t n);

#endif
