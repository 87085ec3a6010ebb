/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * worker_config: what a worker's configuration file (YAML) says to us:
 * firewall, public_ip_addrs, report. Other keys are ignored; inside these
 * everything is checked. Knows nothing of the network.
 */
#ifndef SONM_WORKER_CONFIG_H
#define SONM_WORKER_CONFIG_H

#include "server.h"

#define WORKER_SERVERS_MAX 16
#define WORKER_ADDRESSES_MAX 64
#define WORKER_PATH_MAX 4095
#define WORKER_URL_MAX 2047

struct worker_config {
	bool has_firewall; /* there is a firewall section, and it is not null: ask its servers */
	struct server servers[WORKER_SERVERS_MAX]; /* firewall.server, one or a list; at least one if has_firewall */
	size_t n_servers;
	struct addr addresses[WORKER_ADDRESSES_MAX]; /* public_ip_addrs */
	size_t n_addresses;
	char report_url[WORKER_URL_MAX + 1];  /* report, or report.url; "": none */
	char token_file[WORKER_PATH_MAX + 1]; /* report.token_file, absolute; "": none */
	char ca_file[WORKER_PATH_MAX + 1];    /* report.ca_file, absolute; "": none */
};

/*
 * Reads the file at path. With must_exist false a missing file is as an empty
 * one: nothing is configured. -EINVAL with "FILE:LINE:COLUMN: what" for bad
 * YAML, an unknown key inside firewall or report, a top-level key that looks like
 * firewall or public_ip_addrs misspelt, a wrong type, an impossible or duplicate value; another errno when the file cannot be read.
 *
 *   firewall:
 *     server: "stun.example.net:3478"     # or a list; required in the section
 *   public_ip_addrs: ["203.0.113.7"]
 *   report: https://hub.example:8443/workers/w1
 *   # or: report: {url: ..., token_file: /etc/sonm/token, ca_file: /etc/sonm/hub.pem}
 */
int worker_config_load(struct err *e, const char *path, bool must_exist, struct worker_config *out) MUST_CHECK;

#endif
