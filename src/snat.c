/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "snat.h"

#include <stdio.h>
#include <string.h>

#define ONLY_IPVS "-m ipvs --ipvs --vdir ORIGINAL --vmethod MASQ "
#define NFT_CHAIN "postrouting"
#define NFT_PRIORITY "100" /* srcnat: iptables' own */

/* Texts of a table: "vips { A, B }; RULE; RULE". */
#define VIPS "vips { "
#define VIPS_END " }; "

const char *snat_family(sa_family_t family)
{
	return family == AF_INET6 ? "ip6" : "ip";
}

void snat_target(const struct config *c, sa_family_t family, char target[static 96])
{
	char text[ADDR_STRLEN];

	strcpy(target, "MASQUERADE");
	if (c->snat == SNAT_ADDRESS && c->snat_address.family == family)
		snprintf(target, 96, "SNAT --to-source %s", addr_format(&c->snat_address, text));
}

void snat_rule(const struct config *c, sa_family_t family, char text[static SNAT_TEXT_MAX])
{
	char target[96];

	snat_target(c, family, target);
	snprintf(text, SNAT_TEXT_MAX, "-A " SNAT_CHAIN " %s-m comment --comment " SNAT_TAG " -j %s",
		 c->snat == SNAT_MASQUERADE ? "" : ONLY_IPVS, target);
}

/* Appends both to a text; what does not fit is cut, and seen by its length. */
static void append(char *text, size_t size, const char *a, const char *b)
{
	const char *const parts[] = { a, b };
	size_t len = strlen(text);

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		for (const char *at = parts[i]; *at && len + 1 < size; at++)
			text[len++] = *at;
	text[len] = '\0';
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Sorted as texts, as in a ruleset. */
static void append_vips(char text[static SNAT_TEXT_MAX], const struct addr vips[], size_t n)
{
	char names[CONFIG_ADDRESSES_MAX][ADDR_STRLEN];

	for (size_t i = 0; i < n; i++)
		addr_format(&vips[i], names[i]);
	qsort(names, n, sizeof(names[0]), compare);
	append(text, SNAT_TEXT_MAX, VIPS, "");
	for (size_t i = 0; i < n; i++)
		append(text, SNAT_TEXT_MAX, i > 0 ? ", " : "", names[i]);
	append(text, SNAT_TEXT_MAX, VIPS_END, "");
}

static void append_rules(char text[static SNAT_TEXT_MAX], const struct config *c, const char *ip,
			 const char *target)
{
	static const char *const protocols[] = { "tcp", "udp", "sctp" };
	char rule[256], ports[16];

	snprintf(ports, sizeof(ports), "%u-%u", c->port_first, c->port_last);
	if (c->port_first == c->port_last)
		ports[strcspn(ports, "-")] = '\0';
	snprintf(rule, sizeof(rule),
		 "ct original %s daddr != @vips return; %s daddr @vips return; ct status dnat return", ip,
		 ip);
	append(text, SNAT_TEXT_MAX, rule, "");
	/* A rule each: nft 1.0 does not print one for several protocols so that it could be read again. */
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		snprintf(rule, sizeof(rule), "meta l4proto %s ct original proto-dst %s %s", protocols[i],
			 ports, target);
		append(text, SNAT_TEXT_MAX, "; ", rule);
	}
}

int snat_table(struct err *e, const struct config *c, sa_family_t family, const struct addr vips[], size_t n,
	       char text[static SNAT_TEXT_MAX])
{
	char target[ADDR_STRLEN + 16] = "masquerade", address[ADDR_STRLEN], made[SNAT_TEXT_MAX] = "";

	if (c->snat == SNAT_ADDRESS && c->snat_address.family == family)
		snprintf(target, sizeof(target), "snat to %s", addr_format(&c->snat_address, address));
	if (c->snat == SNAT_MASQUERADE) {
		strcpy(made, target);
	} else {
		append_vips(made, vips, n);
		append_rules(made, c, snat_family(family), target);
	}
	if (strlen(made) == sizeof(made) - 1)
		return err_set(e, E2BIG,
			       "%zu addresses are too many for SNAT with nft; install iptables, or set "
			       "'snat: none' and route the workers' answers",
			       n);
	strcpy(text, made);
	return 0;
}

bool snat_is_made(const char *text, sa_family_t family)
{
	char target[ADDR_STRLEN + 16], made[SNAT_TEXT_MAX] = "";
	struct config c = { 0 };
	const char *at;

	if (strcmp(text, "masquerade") == 0)
		return true;
	at = strncmp(text, VIPS, strlen(VIPS)) == 0 ? strstr(text, VIPS_END) : NULL;
	if (!at)
		return false;
	at += strlen(VIPS_END);
	text = strstr(at, " proto-dst ");
	if (!text || sscanf(text, " proto-dst %hu", &c.port_first) != 1)
		return false;
	if (sscanf(text, " proto-dst %*u-%hu", &c.port_last) != 1)
		c.port_last = c.port_first;
	strcpy(target, "masquerade");
	if (strstr(at, " snat to "))
		snprintf(target, sizeof(target), "snat to%s", strrchr(at, ' '));
	append_rules(made, &c, snat_family(family), target);
	return strcmp(at, made) == 0;
}

/* "add table ip T; delete table ip T; table ip T { ": whatever is there goes, in the same transaction. */
static void begin_commands(char *commands, size_t size, const char *ip)
{
	append(commands, size, "add table ", ip);
	append(commands, size, " " SNAT_TABLE "; delete table ", ip);
	append(commands, size, " " SNAT_TABLE "; table ", ip);
	append(commands, size, " " SNAT_TABLE " { ", "");
}

int snat_commands(struct err *e, sa_family_t family, const char *text, char commands[static SNAT_COMMAND_MAX])
{
	char made[SNAT_COMMAND_MAX] = "", part[SNAT_TEXT_MAX];
	const char *rules = text, *end;

	begin_commands(made, sizeof(made), snat_family(family));
	if (strncmp(text, VIPS, strlen(VIPS)) == 0) {
		end = text + strcspn(text, "}");
		snprintf(part, sizeof(part), "%.*s}; }; ", (int)(end - text - (long)strlen(VIPS)),
			 text + strlen(VIPS));
		append(made, sizeof(made), "set vips { type ",
		       family == AF_INET6 ? "ipv6_addr" : "ipv4_addr");
		append(made, sizeof(made), "; elements = { ", part);
		rules = end + strlen(VIPS_END) - 1;
	}
	append(made, sizeof(made),
	       "chain " NFT_CHAIN " { type nat hook postrouting priority " NFT_PRIORITY "; ", "");
	for (; *rules; rules = end + strspn(end, "; ")) {
		end = rules + strcspn(rules, ";");
		snprintf(part, sizeof(part), "%.*s", (int)(end - rules), rules);
		append(made, sizeof(made), part, " comment \"" SNAT_TAG "\"; ");
	}
	append(made, sizeof(made), "}; }", "");
	if (strlen(made) == sizeof(made) - 1)
		return err_set(e, E2BIG, "the rules for SNAT with nft are too long");
	strcpy(commands, made);
	return 0;
}

/* The chain as we make it? */
static bool is_our_chain(const struct ruleset_chain *c)
{
	return strcmp(c->name, NFT_CHAIN) == 0 && strcmp(c->type, "nat") == 0 &&
	       strcmp(c->hook, "postrouting") == 0 && c->priority == atoi(NFT_PRIORITY) && !c->drops;
}

void snat_describe(const struct ruleset *r, sa_family_t family, char text[static SNAT_TEXT_MAX])
{
	const char *ip = snat_family(family);
	size_t written = 0;

	if (!ruleset_table(r, ip, SNAT_TABLE)) {
		strcpy(text, "no rule of ours");
		return;
	}
	text[0] = '\0';
	for (size_t i = 0; i < r->n_sets; i++) {
		const struct ruleset_set *s = &r->sets[i];

		if (strcmp(s->table, SNAT_TABLE) == 0 && strcmp(s->family, ip) == 0) {
			append(text, SNAT_TEXT_MAX, s->name, " { ");
			append(text, SNAT_TEXT_MAX, s->text, VIPS_END);
		}
	}
	for (size_t i = 0; i < r->n_chains; i++)
		if (strcmp(r->chains[i].table, SNAT_TABLE) == 0 && !is_our_chain(&r->chains[i]))
			append(text, SNAT_TEXT_MAX, "another chain ", r->chains[i].name);
	for (size_t i = 0; i < r->n_rules; i++) {
		const struct ruleset_rule *rule = &r->rules[i];

		if (strcmp(rule->table, SNAT_TABLE) == 0 && strcmp(rule->family, ip) == 0)
			append(text, SNAT_TEXT_MAX, written++ > 0 ? "; " : "", rule->text);
	}
}
