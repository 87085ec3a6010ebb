/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "srv.h"

#include <arpa/nameser.h>
#include <string.h>

#define SRV_FIXED_SIZE 6 /* priority, weight and port, before the target */

static int malformed(struct err *e)
{
	return err_set(e, EBADMSG, "the DNS server's answer is malformed");
}

/* Adds a record's data to the list, unless it is not to be used. */
static int add_record(struct err *e, ns_msg *msg, const ns_rr *rr, struct srv_list *list)
{
	const uint8_t *data = ns_rr_rdata(*rr);
	struct srv_record *r = &list->items[list->n];
	char target[NS_MAXDNAME];
	int used;

	if (ns_rr_rdlen(*rr) <= SRV_FIXED_SIZE)
		return malformed(e);
	used = ns_name_uncompress(ns_msg_base(*msg), ns_msg_end(*msg), data + SRV_FIXED_SIZE, target, sizeof(target));
	if (used != ns_rr_rdlen(*rr) - SRV_FIXED_SIZE)
		return malformed(e);
	if (strcmp(target, ".") == 0)
		list->refused = true;
	r->priority = (uint16_t)ns_get16(data);
	r->weight = (uint16_t)ns_get16(data + 2);
	r->port = (uint16_t)ns_get16(data + 4);
	/* Escapes for what no host's name has can make it longer than any name. */
	if (strcmp(target, ".") == 0 || r->port == 0 || strlen(target) >= sizeof(r->target))
		return 0;
	strcpy(r->target, target);
	list->n++;
	return 0;
}

int srv_parse(struct err *e, const uint8_t *answer, size_t len, struct srv_list *out)
{
	struct srv_list list = { 0 };
	ns_msg msg;

	if (len > NS_MAXMSG || ns_initparse(answer, (int)len, &msg) < 0 || !ns_msg_getflag(msg, ns_f_qr) ||
	    ns_msg_getflag(msg, ns_f_rcode) != ns_r_noerror)
		return malformed(e);
	for (int i = 0; i < ns_msg_count(msg, ns_s_an) && list.n < SRV_RECORDS_MAX; i++) {
		ns_rr rr;

		if (ns_parserr(&msg, ns_s_an, i, &rr) < 0)
			return malformed(e);
		if (ns_rr_type(rr) != ns_t_srv || ns_rr_class(rr) != ns_c_in)
			continue;
		if (add_record(e, &msg, &rr, &list) < 0)
			return -e->code;
	}
	list.refused = list.refused && list.n == 0;
	*out = list;
	return 0;
}

/* Within a priority records of weight 0 come first: then they have a small chance, not none. */
static bool goes_before(const struct srv_record *a, const struct srv_record *b)
{
	if (a->priority != b->priority)
		return a->priority < b->priority;
	return a->weight == 0 && b->weight != 0;
}

/* Takes the record at from out and puts it in at to, which is before it. */
static void move(struct srv_list *list, size_t from, size_t to)
{
	struct srv_record r = list->items[from];

	memmove(&list->items[to + 1], &list->items[to], (from - to) * sizeof(r));
	list->items[to] = r;
}

static void sort(struct srv_list *list)
{
	for (size_t i = 1; i < list->n; i++) {
		size_t to = i;

		while (to > 0 && goes_before(&list->items[i], &list->items[to - 1]))
			to--;
		move(list, i, to);
	}
}

/* Which of those from first that share its priority comes next. */
static size_t choose(const struct srv_list *list, size_t first, srv_random *random, void *context)
{
	uint32_t sum = 0, chosen;
	size_t i = first;

	for (; i < list->n && list->items[i].priority == list->items[first].priority; i++)
		sum += list->items[i].weight;
	chosen = random(context, sum);
	for (i = first; chosen > list->items[i].weight; i++)
		chosen -= list->items[i].weight;
	return i;
}

void srv_order(struct srv_list *list, srv_random *random, void *context)
{
	sort(list);
	for (size_t i = 0; i < list->n; i++)
		move(list, choose(list, i, random, context), i);
}
