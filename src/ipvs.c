/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ipvs.h"

#include "ipvs_msg.h"
#include "ipvs_talk.h"

/*
 * As IPVS_BATCH, of services that are asked for: one that is found may take 4.4 KiB
 * of the receive buffer (nlmsg_new() in ip_vs_ctl.c).
 */
#define GET_BATCH 12

static void message_free(struct nl_msg **msg)
{
	nlmsg_free(*msg);
}

/* One request, whose answers on_answer reads. 0, or the kernel's negative errno in *status. */
static int ask(struct err *e, struct ipvs *k, struct nl_msg *msg, ipvs_answer_fn *on_answer, void *ctx,
	       int *status)
{
	unsigned char datagram[IPVS_MSG_SIZE];
	struct ipvs_talk t = { .on_answer = on_answer, .ctx = ctx };
	size_t len = 0;

	ipvs_talk_add(k, msg, true, &t, datagram, &len);
	if (ipvs_talk_send(e, k, datagram, len) < 0 || ipvs_talk_hear(e, k, &t) < 0)
		return -e->code;
	*status = t.statuses[0];
	return 0;
}

static int not_permitted(struct err *e)
{
	return err_set(e, EPERM, "not permitted: IPVS needs CAP_NET_ADMIN; run as root");
}

static int refused(struct err *e, const char *what, int status)
{
	if (status == -EPERM)
		return not_permitted(e);
	return err_sys(e, -status, "the kernel refuses to %s", what);
}

static int on_service(struct nlmsghdr *answer, void *ctx)
{
	struct service_list *list = ctx;
	struct service s;
	struct err e;
	int ret = ipvs_msg_read_service(answer, &s);

	return ret < 0 ? ret : service_list_add(&e, list, &s);
}

static int on_destination(struct nlmsghdr *answer, void *ctx)
{
	struct service *s = ctx;
	struct destination d;
	int ret = ipvs_msg_read_destination(answer, s->key.vip.addr.family, &d);

	if (ret == 0)
		ret = base_reserve((void **)&s->destinations, s->n_destinations, sizeof(d));
	if (ret == 0)
		s->destinations[s->n_destinations++] = d;
	return ret;
}

int ipvs_get_destinations(struct err *e, struct ipvs *k, struct service *s)
{
	CLEANUP(message_free) struct nl_msg *msg = nlmsg_alloc_size(IPVS_MSG_SIZE);
	int status;

	if (!msg || ipvs_msg_dump_destinations(msg, ipvs_talk_family(k), &s->key) < 0)
		return ipvs_talk_no_memory(e);
	if (ask(e, k, msg, on_destination, s, &status) < 0)
		return -e->code;
	return status == 0 ? 0 : refused(e, "list real servers", status);
}

/* What came from place n on are those of the keys that were found, in their order. */
static bool are_found(const struct ipvs_talk *t, const struct service_key *keys, const struct service_list *found,
		      size_t n)
{
	for (size_t i = 0; i < t->n_requests; i++)
		if (t->statuses[i] == 0 && (n == found->n || !service_key_equal(&found->items[n++].key, &keys[i])))
			return false;
	return n == found->n;
}

/* Up to GET_BATCH services, with one datagram; what is found is appended without destinations. */
static int get_batch(struct err *e, struct ipvs *k, const struct service_key *keys, size_t n, struct service_list *out)
{
	unsigned char datagram[GET_BATCH * IPVS_MSG_SIZE];
	struct ipvs_talk t = { .on_answer = on_service, .ctx = out };
	size_t len = 0, n_before = out->n;

	for (size_t i = 0; i < n; i++) {
		CLEANUP(message_free) struct nl_msg *msg = nlmsg_alloc_size(IPVS_MSG_SIZE);

		if (!msg || ipvs_msg_get_service(msg, ipvs_talk_family(k), &keys[i]) < 0)
			return ipvs_talk_no_memory(e);
		ipvs_talk_add(k, msg, i + 1 == n, &t, datagram, &len);
	}
	if (ipvs_talk_send(e, k, datagram, len) < 0 || ipvs_talk_hear(e, k, &t) < 0)
		return -e->code;
	for (size_t i = 0; i < n; i++)
		if (t.statuses[i] < 0 && t.statuses[i] != -ESRCH)
			return refused(e, "show a service", t.statuses[i]);
	return are_found(&t, keys, out, n_before) ? 0 : ipvs_talk_garbled(e);
}

int ipvs_get_each(struct err *e, struct ipvs *k, const struct service_key *keys, size_t n, struct service_list *out)
{
	size_t n_before = out->n;

	for (size_t i = 0; i < n; i += GET_BATCH)
		if (get_batch(e, k, &keys[i], n - i < GET_BATCH ? n - i : GET_BATCH, out) < 0)
			return -e->code;
	for (size_t i = n_before; i < out->n; i++)
		if (ipvs_get_destinations(e, k, &out->items[i]) < 0)
			return -e->code;
	return 0;
}

int ipvs_get(struct err *e, struct ipvs *k, const struct service_key *key, struct service *out)
{
	CLEANUP(service_list_clear) struct service_list found = { 0 };

	if (ipvs_get_each(e, k, key, 1, &found) < 0)
		return -e->code;
	if (found.n == 0)
		return 0;
	*out = found.items[0];
	found.n = 0;
	return 1;
}

/* A dump that raced with changes may show a service twice: keep the later, larger reading. */
static void sort_unique(struct service_list *list)
{
	size_t n = 0;

	if (list->n == 0)
		return;
	qsort(list->items, list->n, sizeof(*list->items), service_compare);
	for (size_t i = 1; i < list->n; i++) {
		struct service *kept = &list->items[n];

		if (service_compare(kept, &list->items[i]) != 0)
			list->items[++n] = list->items[i];
		else if (list->items[i].counters.inbytes >= kept->counters.inbytes)
			*kept = list->items[i];
	}
	list->n = n + 1;
}

static int dump_services(struct err *e, struct ipvs *k, ipvs_answer_fn *on_answer, void *ctx)
{
	CLEANUP(message_free) struct nl_msg *msg = nlmsg_alloc_size(IPVS_MSG_SIZE);
	int status;

	if (!msg || ipvs_msg_dump_services(msg, ipvs_talk_family(k)) < 0)
		return ipvs_talk_no_memory(e);
	if (ask(e, k, msg, on_answer, ctx, &status) < 0)
		return -e->code;
	return status == 0 ? 0 : refused(e, "list services", status);
}

int ipvs_list(struct err *e, struct ipvs *k, bool with_destinations, struct service_list *out)
{
	CLEANUP(service_list_clear) struct service_list list = { 0 };

	if (dump_services(e, k, on_service, &list) < 0)
		return -e->code;
	sort_unique(&list);
	for (size_t i = 0; with_destinations && i < list.n; i++)
		if (list.items[i].fwmark == 0 && ipvs_get_destinations(e, k, &list.items[i]) < 0)
			return -e->code;
	*out = list;
	list = (struct service_list){ 0 };
	return 0;
}

static int on_count(struct nlmsghdr *answer, void *ctx)
{
	struct service s;
	struct err e;
	int ret = ipvs_msg_read_service(answer, &s);

	return ret < 0 ? ret : counts_add(&e, ctx, &s);
}

int ipvs_count(struct err *e, struct ipvs *k, struct counts *out)
{
	return dump_services(e, k, on_count, out);
}

/* Makes up to IPVS_BATCH changes with one datagram. */
static int run_batch(struct err *e, struct ipvs *k, struct change *changes, size_t n)
{
	unsigned char datagram[IPVS_BATCH * IPVS_MSG_SIZE];
	struct ipvs_talk t = { 0 };
	size_t len = 0;
	int ret;

	for (size_t i = 0; i < n; i++) {
		CLEANUP(message_free) struct nl_msg *msg = nlmsg_alloc_size(IPVS_MSG_SIZE);

		if (!msg || ipvs_msg_change(msg, ipvs_talk_family(k), &changes[i]) < 0)
			return ipvs_talk_no_memory(e);
		ipvs_talk_add(k, msg, i + 1 == n, &t, datagram, &len);
	}
	if (ipvs_talk_send(e, k, datagram, len) < 0)
		return -e->code;
	ret = ipvs_talk_hear(e, k, &t);
	for (size_t i = 0; i < n; i++)
		changes[i].status = i < t.n_answered ? t.statuses[i] : -EIO;
	return ret;
}

int ipvs_run(struct err *e, struct ipvs *k, struct change_list *changes)
{
	int n_refused = 0;

	for (size_t i = 0; i < changes->n; i++)
		changes->items[i].status = -ECANCELED;
	for (size_t i = 0; i < changes->n; i += IPVS_BATCH) {
		size_t left = changes->n - i;

		if (run_batch(e, k, &changes->items[i], left < IPVS_BATCH ? left : IPVS_BATCH) < 0)
			return -e->code;
	}
	for (size_t i = 0; i < changes->n; i++)
		n_refused += changes->items[i].status < 0;
	return n_refused;
}

int ipvs_explain(struct err *e, const struct change *c)
{
	char what[CHANGE_STRLEN];
	bool adds_service = c->op == CHANGE_ADD_SERVICE;

	change_format(c, what);
	if (c->status == -EPERM)
		return not_permitted(e);
	if (c->status == -EEXIST && adds_service)
		return err_set(e, ERR_CONFLICT, "cannot %s: someone else has just made this service; try again",
			       what);
	if (c->status == -ENOENT && (adds_service || c->op == CHANGE_EDIT_SERVICE))
		return err_set(e, ERR_USAGE,
			       "cannot %s: this kernel has no scheduler '%s'; load module ip_vs_%s or choose another",
			       what, c->scheduler, c->scheduler);
	if (c->status == -EAFNOSUPPORT)
		return err_set(e, ERR_NO_KERNEL, "cannot %s: this kernel's IPVS has no %s", what,
			       addr_family_name(c->key.vip.addr.family));
	if (c->status == -EINVAL && c->op == CHANGE_ADD_DESTINATION)
		return err_set(e, ERR_USAGE, "cannot %s: the kernel says that it is no address to forward to",
			       what);
	return err_sys(e, -c->status, "cannot %s", what);
}
