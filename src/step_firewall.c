/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the steps about the packet filter share: which program this host uses. */
#include "step_firewall.h"

#include <stdio.h>
#include <string.h>

sa_family_t step_family(const char *name)
{
	return name[strlen(name) - 1] == '6' ? AF_INET6 : AF_INET;
}

const struct firewall *step_find_firewall(struct step_host *h, sa_family_t family, struct step_report *r)
{
	struct step_firewall *found = &h->found[family == AF_INET6];

	if (found->ret > 0)
		found->ret = firewall_find(&found->err, family, &found->firewall);
	if (found->ret < 0) {
		step_text(r->why, "%.500s", found->err.msg);
		return NULL;
	}
	strcpy(r->via, found->firewall.name);
	return &found->firewall;
}

int step_delete_tagged(struct err *e, const struct firewall *fw, const char *table, const char *chain,
		       const struct rule_list *rules, bool dry_run)
{
	int ret = 0, deleted = 0;

	for (size_t i = 0; ret == 0 && i < rules->n; i++) {
		if (!rule_is_tagged(&rules->items[i], chain, STEP_TAG))
			continue;
		ret = dry_run ? 0 : firewall_delete(e, fw, table, &rules->items[i]);
		deleted++;
	}
	return ret < 0 ? ret : deleted;
}
