/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vs_sync: what gateway_sync found, as texts for people: --sync prints them,
 * its JSON has them in "changes". Prints nothing.
 */
#ifndef SONM_VS_SYNC_H
#define SONM_VS_SYNC_H

#include "gateway.h"

/*
 * Calls put for each difference, in the order: moves, counts that begin anew,
 * changes in the kernel. Sorts r->orphans.
 */
void vs_sync_texts(struct sync_result *r, void (*put)(void *to, const char *text), void *to);

#endif
