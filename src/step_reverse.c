/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Steps that are the reverse path filter of an interface: in its strict mode
 * (1) it drops what comes in where the way back does not go out. What counts is
 * the maximum of conf/all and the interface's own (ip-sysctl.rst, rp_filter).
 */
#include "interfaces.h"
#include "routing.h"
#include "step.h"
#include "sysctl.h"

#include <stdio.h>
#include <string.h>

#define SUFFIX "/rp_filter"

size_t step_reverse_names(const struct config *c, char names[][64], size_t max)
{
	char interface[IF_NAMESIZE];
	struct err none;
	size_t n = 0;

	for (size_t i = 0; i < c->n_addresses && n < max; i++) {
		bool known = false;

		if (c->addresses[i].family != AF_INET || interfaces_holding(&none, &c->addresses[i], interface) <= 0)
			continue;
		snprintf(names[n], sizeof(names[n]), "%s%s" SUFFIX, step_reverse.prefix, interface);
		for (size_t k = 0; k < n; k++)
			known = known || strcmp(names[k], names[n]) == 0;
		n += !known;
	}
	return n;
}

static void interface_of(const char *name, char out[static IF_NAMESIZE])
{
	size_t len = strlen(name) - strlen(step_reverse.prefix) - strlen(SUFFIX);

	snprintf(out, IF_NAMESIZE, "%.*s", (int)len, name + strlen(step_reverse.prefix));
}

static bool is_among(const unsigned ways[], size_t n, unsigned index)
{
	for (size_t i = 0; i < n; i++)
		if (ways[i] == index)
			return true;
	return false;
}

/*
 * Does what this address sends to the clients leave by other interfaces only?
 * Clients are where the default route leads: class E (RFC 1112), which nobody
 * routes otherwise, stands for them. Without a default route there are none.
 */
static int leaves_elsewhere(struct err *e, struct routing *r, const struct addr *vip, const char *interface,
			    struct step_report *report)
{
	unsigned ways[ROUTING_WAYS_MAX];
	char text[ADDR_STRLEN], way[IF_NAMESIZE];
	struct addr clients;
	size_t n;

	if (addr_parse(e, "240.0.0.1", &clients) < 0 || routing_ways(e, r, vip, &clients, ways, &n) < 0)
		return -e->code;
	if (n == 0 || is_among(ways, n, if_nametoindex(interface)))
		return 0;
	step_text(report->note, "from %s the way back to the clients goes by %s", addr_format(vip, text),
		  if_indextoname(ways[0], way) ? way : "another interface");
	return 1;
}

/* 1: clients of one of the interface's addresses would be dropped if the filter is strict. */
static int would_drop(struct err *e, const struct config *c, const char *interface, struct step_report *report)
{
	CLEANUP(routing_closep) struct routing *routing = NULL;
	char holder[IF_NAMESIZE];
	int ret = routing_open(e, &routing);

	for (size_t i = 0; ret == 0 && i < c->n_addresses; i++) {
		const struct addr *vip = &c->addresses[i];

		if (vip->family != AF_INET)
			continue;
		ret = interfaces_holding(e, vip, holder);
		if (ret > 0)
			ret = strcmp(holder, interface) == 0 ? leaves_elsewhere(e, routing, vip, interface, report) : 0;
	}
	return ret;
}

bool step_is_strict(const char *all, const char *own)
{
	return strcmp(strcmp(all, own) > 0 ? all : own, "1") == 0; /* one digit each */
}

static int look_at_filter(struct err *e, struct step_host *h, const struct step *step, struct step_report *r)
{
	char all[SYSCTL_VALUE_MAX], interface[IF_NAMESIZE];
	int ret = sysctl_read(e, "net/ipv4/conf/all/rp_filter", all);

	if (ret == 0)
		ret = sysctl_read(e, step->name, r->present);
	if (ret < 0)
		return ret;
	interface_of(step->name, interface);
	ret = would_drop(e, h->config, interface, r);
	if (ret < 0)
		return ret;
	strcpy(r->wanted, r->present);
	r->status = ret > 0 && step_is_strict(all, r->present) ? STEP_DIFFERS : STEP_OK;
	if (r->status == STEP_OK)
		return 0;
	strcpy(r->wanted, "2");
	step_text(r->command, "sysctl -w %s=2", step->name);
	return 0;
}

const struct step_kind step_reverse = {
	.lost_at_boot = true,
	.prefix = "net/ipv4/conf/",
	.makes = STEP_MAKES_IF_OPEN,
	.undo = STEP_UNDO_SETTING,
	.look = look_at_filter,
	.record = step_record_once,
	.set = step_write_sysctl,
	.restore = step_restore_sysctl,
};
