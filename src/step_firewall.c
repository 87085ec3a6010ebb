/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the steps about the packet filter share: which programs this host uses, and what they list. */
#include "step_firewall.h"

#include "module.h"
#include "sysctl.h"

#include <string.h>

sa_family_t step_family(const char *name)
{
	return name[strlen(name) - 1] == '6' ? AF_INET6 : AF_INET;
}

/* The name of the program that we have used for a family before, or "". */
static void recall_program(struct store *s, sa_family_t family, char name[static 32])
{
	struct setup_record rec = { 0 };
	struct err none;

	if (!s || store_setup_get(&none, s, family == AF_INET6 ? "snat ipv6" : "snat ipv4", &rec) < 0)
		rec.applied[0] = '\0';
	snprintf(name, 32, "%.*s", (int)strcspn(rec.applied, " "), rec.applied);
}

const struct step_firewall *step_find_firewall(struct step_host *h, sa_family_t family)
{
	struct step_firewall *found = &h->found[family == AF_INET6];
	char before[32];

	if (found->ret <= 0)
		return found;
	recall_program(h->store, family, before);
	found->ret = firewall_find(&found->err, family, before, &found->firewall);
	found->has_legacy = found->ret == 0 && firewall_has_legacy_too(&found->firewall, &found->legacy);
	return found;
}

/* Asking would load nf_tables where it is not: then there are no rules of it. */
int step_list_ruleset(struct err *e, struct nft *nft, struct ruleset *out)
{
	struct ruleset none = { 0 };
	struct err ignored;
	int ret;

	if (nft_find(&ignored, nft) < 0 || module_present(&ignored, "nf_tables") <= 0) {
		*out = none;
		return 0;
	}
	ret = nft_list(e, nft, out);
	return ret < 0 ? ret : 1;
}

const struct step_ruleset *step_ruleset(struct step_host *h)
{
	struct step_ruleset *known = &h->ruleset;
	struct nft nft;

	if (!known->is_known)
		known->ret = step_list_ruleset(&known->err, &nft, &known->rules);
	known->is_known = true;
	return known;
}

void step_host_refresh(struct step_host *h)
{
	ruleset_clear(&h->ruleset.rules);
	h->ruleset.is_known = false;
}

int step_find_nft(struct err *e, struct step_host *h, sa_family_t family, struct nft *out)
{
	struct step_firewall *found = &h->found[family == AF_INET6];
	int ret = nft_find(e, out);

	if (ret < 0)
		return ret;
	if (found->nft_ret > 0)
		found->nft_ret = nft_takes_rules(&found->nft_err, out, family);
	if (found->nft_ret < 0)
		*e = found->nft_err;
	return found->nft_ret;
}

int step_put_off(const struct err *e, int ret, struct step_report *r)
{
	if (ret != -ERR_NO_KERNEL)
		return ret;
	step_text(r->why, "%.400s; install it again and repeat --undo", e->msg);
	if (r->outcome != STEP_CHANGED)
		strcpy(r->present, "not known");
	r->pending = true;
	return 0;
}

/* Does it list that table? Asking the one for nf_tables would load it where it is not. */
static bool has_table(const struct firewall *fw, const char *table)
{
	CLEANUP(rule_list_clear) struct rule_list rules = { 0 };
	struct err ignored;

	if (!fw->legacy && module_present(&ignored, "nf_tables") <= 0)
		return false;
	return firewall_has_table(fw, table) && firewall_list(&ignored, fw, table, NULL, &rules) == 0;
}

size_t step_variants(const struct firewall *fw, const char *table, struct firewall out[static 2])
{
	bool is_ipv6 = fw->family == AF_INET6;
	const char *name = fw->legacy ? (is_ipv6 ? "ip6tables-nft" : "iptables-nft")
				      : (is_ipv6 ? "ip6tables-legacy" : "iptables-legacy");
	struct err ignored;

	out[0] = *fw;
	if (firewall_named(&ignored, name, &out[1]) < 0 || out[1].legacy == fw->legacy)
		return 1;
	return has_table(&out[1], table) ? 2 : 1;
}

bool step_is_of_this_boot(const struct setup_record *rec)
{
	char boot_id[SYSCTL_VALUE_MAX];
	struct err ignored;

	return sysctl_read(&ignored, "kernel/random/boot_id", boot_id) == 0 && strcmp(rec->boot_id, boot_id) == 0;
}
