/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker.h"

#include <string.h>

int worker_check_name(struct err *e, const char *name)
{
	if (container_check(e, name) == 0)
		return 0;
	return err_set(e, ERR_USAGE,
		       "'%.80s' is not a worker's name: use 1-%d letters, digits and . _ : -, no '-' first", name,
		       CONTAINER_MAX);
}

static int check_addresses(struct err *e, const struct worker *w)
{
	char text[ADDR_STRLEN];

	for (size_t i = 0; i < w->n_addresses; i++) {
		addr_format(&w->addresses[i], text);
		if (!addr_is_unicast(&w->addresses[i]))
			return err_set(e, ERR_USAGE,
				       "worker %s: %s is not a unicast address; give that of one host",
				       w->name, text);
		for (size_t k = 0; k < i; k++)
			if (addr_equal(&w->addresses[k], &w->addresses[i]))
				return err_set(e, ERR_USAGE,
					       "worker %s: address %s is there twice; give it once",
					       w->name, text);
	}
	return 0;
}

int worker_check(struct err *e, const struct worker *w)
{
	if (worker_check_name(e, w->name) < 0 || check_addresses(e, w) < 0)
		return -e->code;
	if (w->is_public && w->nat != NAT_NONE)
		return err_set(e, ERR_USAGE,
			       "worker %s is said to be public, but behind a NAT or firewall (%s); "
			       "correct one of these",
			       w->name, nat_type_name(w->nat));
	if (w->is_public && w->n_addresses == 0)
		return err_set(e, ERR_USAGE,
			       "worker %s is said to be public, but has no public address; give one",
			       w->name);
	return 0;
}

const struct addr *worker_address(const struct worker *w, sa_family_t family)
{
	for (size_t i = 0; i < w->n_addresses; i++)
		if (w->addresses[i].family == family)
			return &w->addresses[i];
	return NULL;
}

bool worker_same_place(const struct worker *a, const struct worker *b)
{
	if (a->is_public != b->is_public)
		return false;
	if (!a->is_public)
		return true;
	if (a->n_addresses != b->n_addresses)
		return false;
	for (size_t i = 0; i < a->n_addresses; i++)
		if (!addr_equal(&a->addresses[i], &b->addresses[i]))
			return false;
	return true;
}

int worker_list_add(struct err *e, struct worker_list *list, const struct worker *w)
{
	if (base_reserve((void **)&list->items, list->n, sizeof(*w)) < 0)
		return err_set(e, ENOMEM, "out of memory");
	list->items[list->n++] = *w;
	return 0;
}

const struct worker *worker_find(const struct worker_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i].name, name) == 0)
			return &list->items[i];
	return NULL;
}

void worker_list_clear(struct worker_list *list)
{
	free(list->items);
	*list = (struct worker_list){ 0 };
}
