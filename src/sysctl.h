/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sysctl: reads and writes one value under /proc/sys. Knows no key's meaning.
 */
#ifndef SONM_SYSCTL_H
#define SONM_SYSCTL_H

#include "err.h"

/* What the kernel takes in one write(2) is a page less one, the newline included. */
#define SYSCTL_VALUE_MAX 4095

/*
 * key with slashes: "net/ipv4/ip_forward". The value without its newline; tabs
 * between numbers become spaces. -ENOENT: this kernel has no such key; -E2BIG:
 * longer than SYSCTL_VALUE_MAX.
 */
int sysctl_read(struct err *e, const char *key, char value[static SYSCTL_VALUE_MAX]) MUST_CHECK;

/*
 * A list of numbers and ranges, of which the kernel takes no more than
 * SYSCTL_VALUE_MAX at once, but gives all. Read: *value is the caller's to free.
 * Written in as many parts as it takes: for a moment the list is incomplete.
 */
int sysctl_read_list(struct err *e, const char *key, char **value) MUST_CHECK;
int sysctl_write_list(struct err *e, const char *key, const char *value) MUST_CHECK;

/* -EPERM, -EACCES: not root; -EROFS: /proc/sys is read-only (a container); -ENOENT. */
int sysctl_write(struct err *e, const char *key, const char *value) MUST_CHECK;

/*
 * May this process write the key? 0, or -EROFS, -EACCES, -ENOENT as above. Even
 * root may not write what belongs to the initial network namespace from another
 * one: -EACCES.
 */
int sysctl_may_write(const char *key) MUST_CHECK;

#endif
