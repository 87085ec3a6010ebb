/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "setup.h"

struct host_options setup_options(const struct setup *s, host_report *report, void *ctx)
{
	return (struct host_options){
		.open_firewall = s->open_firewall,
		.persist = s->persist,
		.config_path = s->config_path,
		.dry_run = s->dry_run,
		.report = report,
		.ctx = ctx,
	};
}

int setup_open_to_look(struct err *e, const struct setup *s, struct store **out)
{
	int ret = store_open(e, s->config.state, STORE_READ, out);

	return ret == -EACCES || ret == -EPERM ? 0 : ret;
}
