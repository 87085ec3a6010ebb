/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * config: the hub's configuration file (YAML). Keys that are not ours are
 * ignored; inside our section everything is checked. Knows nothing of the
 * kernel or of the state file.
 */
#ifndef SONM_CONFIG_H
#define SONM_CONFIG_H

#include "service.h"

#define CONFIG_DEFAULT_PATH "/etc/sonm/gateway.yaml"

#define CONFIG_ADDRESSES_MAX 64

enum snat_mode {
	SNAT_IPVS,       /* masquerade only what IPVS forwards (default) */
	SNAT_MASQUERADE, /* masquerade every packet */
	SNAT_ADDRESS,    /* source address of snat_address, only what IPVS forwards */
	SNAT_NONE,       /* workers route back through this hub */
};

struct config {
	bool is_gateway;          /* the file has a gateway section, or there is no file */
	uint16_t port_first;      /* the pool, both ends included; host order */
	uint16_t port_last;
	struct addr addresses[CONFIG_ADDRESSES_MAX]; /* the VIPs as configured; may be none */
	size_t n_addresses;
	enum snat_mode snat;
	struct addr snat_address; /* for SNAT_ADDRESS */
	char scheduler[SCHEDULER_MAX + 1];
	uint32_t weight;          /* 0..65535 */
	uint32_t quarantine;      /* seconds, 0..31536000 */
	char state[4096];         /* absolute path of the state file */
};

/* The defaults: a gateway, 32768-33768, no addresses, SNAT_IPVS, wrr, 100, 300, /var/lib/sonm/gateway.db. */
void config_default(struct config *out);

/*
 * Reads the file at path. With must_exist false a missing file means all
 * defaults. -EINVAL with "FILE:LINE:COLUMN: what" for bad YAML, an unknown
 * key inside gateway, a wrong type, an impossible or duplicate value; another
 * errno when the file cannot be read (1 MiB at most).
 */
int config_load(struct err *e, const char *path, bool must_exist, struct config *out) MUST_CHECK;

#endif
