/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * portset: a set of port numbers, and its text as a list of ranges in the form
 * of net.ipv4.ip_local_reserved_ports: "8080,32768-33768". Pure.
 */
#ifndef SONM_PORTSET_H
#define SONM_PORTSET_H

#include "err.h"

/* The longest text of a set, with its end: every third port is left out. */
#define PORTSET_TEXT_MAX (65536 / 3 * sizeof("65533-65534") + 1)

struct portset {
	uint64_t bits[65536 / 64]; /* port n is bit n % 64 of word n / 64; { 0 } is empty */
};

void portset_add_range(struct portset *s, uint16_t first, uint16_t last);
void portset_add(struct portset *s, const struct portset *more);
void portset_remove(struct portset *s, const struct portset *less);

bool portset_has(const struct portset *s, uint16_t port);
bool portset_equal(const struct portset *a, const struct portset *b);
bool portset_includes(const struct portset *s, const struct portset *part);
bool portset_overlaps(const struct portset *a, const struct portset *b);

/* Numbers and ranges in any order, separated by commas; "" is the empty set. -EINVAL. */
int portset_parse(struct err *e, const char *text, struct portset *out) MUST_CHECK;

/* As the kernel prints it: ascending, neighbours joined (kernel/sysctl.c, proc_do_large_bitmap). -E2BIG. */
int portset_format(struct err *e, const struct portset *s, char *buf, size_t size) MUST_CHECK;

#endif
