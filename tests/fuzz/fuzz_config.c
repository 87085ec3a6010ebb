/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz_config: gives libFuzzer's bytes to what reads the hub's configuration,
 * and aborts where a promise of config.h is broken.
 */
#include "config.h"
#include "memory_file.h"

static void check(const struct config *c)
{
	require(c->port_first > 0 && c->port_first <= c->port_last);
	require(c->n_addresses <= CONFIG_ADDRESSES_MAX && c->snat <= SNAT_NONE);
	for (size_t i = 0; i < c->n_addresses; i++) {
		require(addr_is_unicast(&c->addresses[i]));
		for (size_t k = 0; k < i; k++)
			require(!addr_equal(&c->addresses[i], &c->addresses[k]));
	}
	require(c->snat != SNAT_ADDRESS || addr_is_unicast(&c->snat_address));
	require(c->scheduler[0] != '\0' && is_line(c->scheduler, sizeof(c->scheduler)));
	require(c->weight <= 65535 && c->quarantine <= 31536000);
	require(c->state[0] == '/' && strnlen(c->state, sizeof(c->state)) < sizeof(c->state));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *path = memory_file(bytes, len);
	struct config c;
	struct err e;
	int ret = config_load(&e, path, true, &c);

	if (ret == 0)
		check(&c);
	else
		require_blame(path, &e, ret);
	return 0;
}
