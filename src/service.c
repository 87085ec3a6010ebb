/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service.h"

#include <stdio.h>
#include <string.h>

bool service_key_equal(const struct service_key *a, const struct service_key *b)
{
	return a->protocol == b->protocol && endpoint_equal(&a->vip, &b->vip);
}

static int key_compare(const struct service_key *a, const struct service_key *b)
{
	int order = addr_compare(&a->vip.addr, &b->vip.addr);

	if (order == 0)
		order = (a->vip.port > b->vip.port) - (a->vip.port < b->vip.port);
	if (order == 0)
		order = (a->protocol > b->protocol) - (a->protocol < b->protocol);
	return order;
}

int service_compare(const void *a, const void *b)
{
	const struct service *sa = a, *sb = b;

	if ((sa->fwmark != 0) != (sb->fwmark != 0))
		return sa->fwmark ? 1 : -1;
	if (sa->fwmark != sb->fwmark)
		return sa->fwmark < sb->fwmark ? -1 : 1;
	return key_compare(&sa->key, &sb->key);
}

const struct service *service_find(const struct service_list *sorted, const struct service_key *key)
{
	struct service wanted = { .key = *key };

	if (sorted->n == 0)
		return NULL;
	return bsearch(&wanted, sorted->items, sorted->n, sizeof(wanted), service_compare);
}

struct destination *service_find_destination(const struct service *s, const struct endpoint *real)
{
	for (size_t i = 0; s && i < s->n_destinations; i++)
		if (endpoint_equal(&s->destinations[i].real, real))
			return &s->destinations[i];
	return NULL;
}

const char *protocol_name(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_SCTP:
		return "sctp";
	default:
		return "ip";
	}
}

const char *service_key_format(const struct service_key *key, char buf[static SERVICE_KEY_STRLEN])
{
	char vip[ENDPOINT_STRLEN];

	snprintf(buf, SERVICE_KEY_STRLEN, "%s %s", protocol_name(key->protocol),
		 endpoint_format(&key->vip, vip));
	return buf;
}

int service_list_add(struct err *e, struct service_list *list, const struct service *s)
{
	if (base_reserve((void **)&list->items, list->n, sizeof(*s)) < 0)
		return err_set(e, ENOMEM, "out of memory");
	list->items[list->n++] = *s;
	return 0;
}

int change_list_add(struct err *e, struct change_list *list, const struct change *c)
{
	if (base_reserve((void **)&list->items, list->n, sizeof(*c)) < 0)
		return err_set(e, ENOMEM, "out of memory");
	list->items[list->n++] = *c;
	return 0;
}

const char *change_format(const struct change *c, char buf[static CHANGE_STRLEN])
{
	static const struct {
		const char *verb, *preposition;
	} words[] = {
		[CHANGE_ADD_SERVICE] = { "add", NULL },
		[CHANGE_EDIT_SERVICE] = { "edit", NULL },
		[CHANGE_DELETE_SERVICE] = { "delete", NULL },
		[CHANGE_ADD_DESTINATION] = { "add", "to" },
		[CHANGE_EDIT_DESTINATION] = { "edit", "of" },
		[CHANGE_DELETE_DESTINATION] = { "delete", "from" },
	};
	char key[SERVICE_KEY_STRLEN], real[ENDPOINT_STRLEN], detail[64] = "";

	service_key_format(&c->key, key);
	if (c->op == CHANGE_ADD_SERVICE || c->op == CHANGE_EDIT_SERVICE)
		snprintf(detail, sizeof(detail), c->persistence ? " (%s, persistent %u)" : " (%s)",
			 c->scheduler, c->persistence);
	if (c->op == CHANGE_ADD_DESTINATION || c->op == CHANGE_EDIT_DESTINATION)
		snprintf(detail, sizeof(detail), " (weight %u)", c->destination.weight);
	if (words[c->op].preposition)
		snprintf(buf, CHANGE_STRLEN, "%s real server %s %s %s%s", words[c->op].verb,
			 endpoint_format(&c->destination.real, real), words[c->op].preposition, key, detail);
	else
		snprintf(buf, CHANGE_STRLEN, "%s service %s%s", words[c->op].verb, key, detail);
	return buf;
}

void service_clear(struct service *s)
{
	free(s->destinations);
	s->destinations = NULL;
	s->n_destinations = 0;
}

void service_list_clear(struct service_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		service_clear(&list->items[i]);
	free(list->items);
	*list = (struct service_list){ 0 };
}

void change_list_clear(struct change_list *list)
{
	free(list->items);
	*list = (struct change_list){ 0 };
}

bool scheduler_is_name(const char *text)
{
	size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.");

	return len > 0 && len <= SCHEDULER_MAX && text[len] == '\0';
}
