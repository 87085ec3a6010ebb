/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * similar: which known name a mistyped word was meant to be, for "did you
 * mean". Pure.
 */
#ifndef SONM_SIMILAR_H
#define SONM_SIMILAR_H

#include "base.h"

/*
 * The one of the names a and b that is more like word; a when they are equally
 * like it. NULL when neither is near enough to be meant. a and b may be NULL,
 * so that a loop can keep the best: best = similar_nearer(word, best, name).
 */
const char *similar_nearer(const char *word, const char *a, const char *b);

#endif
