/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * document: routes and workers as a text that people keep: writes and reads
 * YAML (sonm-gateway-save(5)), and reads what 'ipvsadm -Sn' prints. Knows
 * neither state file nor kernel.
 */
#ifndef SONM_DOCUMENT_H
#define SONM_DOCUMENT_H

#include "route.h"
#include "worker.h"

#include <stdio.h>

#define DOCUMENT_VERSION 1
#define DOCUMENT_SIZE_MAX (64 << 20) /* bytes */

struct document {
	struct route_list routes; /* open, ids 0, no account */
	struct worker_list workers;
};

/*
 * Reads a document to its end; name is what errors call it. YAML or ipvsadm's
 * lines, as its first word says. Everything is checked as far as it can be
 * without state file and kernel: syntax, keys, types, names, families, and that
 * no route, worker or endpoint of a gateway route is there twice. -EINVAL with
 * "NAME:LINE: what" (and the column for YAML; of what is about a whole text or
 * service, only the name); -EFBIG; another errno when it cannot be read.
 *
 * A service of ipvsadm's becomes a route of the container
 * "PROTOCOL:ADDRESS:PORT" with the virtual port as container port. Services
 * with firewall marks or without real servers, and real servers that are not
 * masqueraded, are refused.
 */
int document_read(struct err *e, FILE *in, const char *name, struct document *out) MUST_CHECK;

/*
 * Writes YAML in a stable order: workers by name, routes by container,
 * container port, protocol. Of routes that close, of real servers that drain,
 * and of routes that have no others, nothing is written. The stream is flushed.
 * -EIO: it failed; -EINVAL: a name is not UTF-8; -ENOMEM.
 */
int document_write(struct err *e, const struct document *d, FILE *out) MUST_CHECK;

void document_clear(struct document *d); /* also a CLEANUP function */

#endif
