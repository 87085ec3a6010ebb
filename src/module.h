/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * module: kernel modules: present (loaded or built in), load, unload. Knows
 * /sys/module, modules.builtin and modprobe(8); nothing of what a module is for.
 */
#ifndef SONM_MODULE_H
#define SONM_MODULE_H

#include "err.h"

/* MODULE_LOADED, MODULE_BUILT_IN, or 0: neither. Name with '_' (ip_vs_wrr). */
enum { MODULE_LOADED = 1, MODULE_BUILT_IN };
int module_present(struct err *e, const char *name) MUST_CHECK;

/* -ERR_NO_KERNEL: not built for this kernel, or no modprobe program; -EPERM. */
int module_load(struct err *e, const char *name) MUST_CHECK;

/*
 * Unloads this module alone, not those that it needed. -EBUSY: in use;
 * -ENOENT: not loaded; -EPERM.
 */
int module_unload(struct err *e, const char *name) MUST_CHECK;

#endif
