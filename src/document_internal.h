/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * document_internal: what the document's own files share. Only document*.c
 * include it.
 */
#ifndef SONM_DOCUMENT_INTERNAL_H
#define SONM_DOCUMENT_INTERNAL_H

#include "document.h"

/* As document_read says, of a text of len bytes that is YAML and not empty. */
int document_yaml_parse(struct err *e, const char *name, const char *text, size_t len,
			struct document *out) MUST_CHECK;

/* Total orders of routes, by container, container port, protocol, and of workers, by name. */
int document_order_routes(const void *a, const void *b);
int document_order_workers(const void *a, const void *b);

struct document_place {
	bool is_worker; /* false: a route */
	size_t index;   /* in its list */
};

/*
 * Is every worker, route, and endpoint of a gateway route, there once?
 * -EINVAL if not: *second says where it is for the second time. -ENOMEM.
 */
int document_check_once(struct err *e, const struct document *d, struct document_place *second) MUST_CHECK;

#endif
