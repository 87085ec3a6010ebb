/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prometheus: writes metrics in Prometheus's text format 0.0.4 to a stream as it
 * goes: what Prometheus scrapes, node_exporter's textfile collector reads and a
 * Pushgateway takes. Knows no domain.
 */
#ifndef SONM_PROMETHEUS_H
#define SONM_PROMETHEUS_H

#include "base.h"

#include <stdio.h>

#define PROMETHEUS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Metrics of one name; statically allocated. */
struct prometheus_family {
	const char *name; /* [a-zA-Z_:][a-zA-Z0-9_:]* */
	const char *type; /* "counter", "gauge" */
	const char *help;
};

struct prometheus_label {
	const char *name;  /* [a-zA-Z_][a-zA-Z0-9_]* */
	const char *value; /* UTF-8 */
};

struct prometheus {
	FILE *out;
	const struct prometheus_family *family; /* the latest sample's; NULL: there is none */
};

/*
 * One sample. The samples of a family must follow one another; HELP and TYPE are
 * written before the first, and not at all for a family without samples.
 */
void prometheus_sample(struct prometheus *p, const struct prometheus_family *family,
		       const struct prometheus_label *labels, size_t n_labels, uint64_t value);

#endif
