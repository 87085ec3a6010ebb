/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * synced: a hub whose routes are written into its state file by hand, what a
 * sync says of it as text, and what its kernel has, as text too.
 */
#ifndef SONM_SYNCED_H
#define SONM_SYNCED_H

#include "hub.h"

/* Stores a route; its id. */
static inline int64_t hub_store(struct hub *h, struct route *r)
{
	int64_t id;
	struct err e;

	ck_assert_msg(store_begin(&e, h->g->store) == 0 && store_add_route(&e, h->g->store, r) == 0 &&
		      store_commit(&e, h->g->store) == 0, "%s", e.msg);
	id = r->id;
	route_clear(r);
	return id;
}

/* Two routes of one container: web 80/tcp with two real servers, and 53/udp. No services. */
static inline void hub_store_web(struct hub *h)
{
	struct route tcp = given_route("web", 80, "127.0.0.1:33000");
	struct route udp = given_route("web", 53, "127.0.0.1:33001");

	udp.protocol = IPPROTO_UDP;
	given_server(&tcp, "10.0.0.11:80", 100);
	given_server(&tcp, "10.0.0.12:80", 50);
	given_server(&udp, "10.0.0.11:53", 100);
	hub_store(h, &tcp);
	hub_store(h, &udp);
}

/* address NULL: behind a NAT. */
static inline struct worker given_worker(const char *name, const char *address)
{
	struct worker w = { .nat = address ? NAT_NONE : NAT_SYMMETRIC, .reported_at = 1 };

	ck_assert_uint_le(strlen(name), CONTAINER_MAX);
	strcpy(w.name, name);
	w.is_public = address != NULL;
	if (address)
		w.addresses[w.n_addresses++] = given_addr(address);
	return w;
}

/* Returns how many routes are wrong for it. */
static inline size_t synced_set_worker(struct hub *h, const struct worker *w)
{
	CLEANUP(route_list_clear) struct route_list wrong = { 0 };
	struct err e = { 0 };

	ck_assert_msg(gateway_set_worker(&e, h->g, w, &wrong) >= 0, "%s", e.msg);
	return wrong.n;
}

static inline void hub_add_service(struct hub *h, uint8_t protocol, const char *vip)
{
	struct service s = { .key = given_key(protocol, vip), .scheduler = "rr" };
	struct err e;

	ck_assert_int_eq(service_list_add(&e, &h->kernel.services, &s), 0);
}

static inline struct service *synced_service(struct hub *h, uint8_t protocol, const char *vip)
{
	const struct service_key key = given_key(protocol, vip);
	struct service *s = fake_kernel_find(&h->kernel, &key);

	ck_assert_msg(s, "no service %s", vip);
	return s;
}

/* The kernel forgets a service and what it had counted. */
static inline void hub_lose_service(struct hub *h, uint8_t protocol, const char *vip)
{
	struct service *s = synced_service(h, protocol, vip);

	service_clear(s);
	*s = h->kernel.services.items[--h->kernel.services.n];
}

static inline void print_services(FILE *out, const char *what, const struct service_list *list)
{
	char text[SERVICE_KEY_STRLEN];

	for (size_t i = 0; i < list->n; i++)
		fprintf(out, "%s %s\n", what, service_key_format(&list->items[i].key, text));
}

/* All that a sync says, a line each. The caller's. */
static inline char *sync_text(const struct sync_result *r)
{
	struct unit_out o = { 0 };
	FILE *out = unit_open(&o);
	char text[CHANGE_STRLEN];

	for (size_t i = 0; i < r->n_moves; i++) {
		const struct move *m = &r->moves[i];

		fprintf(out, "move %s %s ", m->from.container, route_format(&m->from, text));
		fprintf(out, "%s %s\n", m->kind == ROUTE_DIRECT ? "direct" : "gateway",
			m->kind == ROUTE_DIRECT ? endpoint_format(&m->public, text) : "");
	}
	print_services(out, "reset", &r->resets);
	for (size_t i = 0; i < r->changes.n; i++)
		fprintf(out, "%s\n", change_format(&r->changes.items[i], text));
	print_services(out, "orphan", &r->orphans);
	print_services(out, "foreign", &r->foreign);
	fclose(out);
	return o.text;
}

/* The kernel's services and real servers, without what they count. The caller's. */
static inline char *kernel_text(const struct hub *h)
{
	struct unit_out o = { 0 };
	FILE *out = unit_open(&o);

	for (size_t i = 0; i < h->kernel.services.n; i++) {
		const struct service *s = &h->kernel.services.items[i];
		char text[SERVICE_KEY_STRLEN];

		fprintf(out, "%s %u %s %u\n", service_key_format(&s->key, text), s->fwmark, s->scheduler,
			s->persistence);
		for (size_t k = 0; k < s->n_destinations; k++)
			fprintf(out, " %s %u %u\n", endpoint_format(&s->destinations[k].real, text),
				s->destinations[k].weight, s->destinations[k].method);
	}
	fclose(out);
	return o.text;
}

/* A sync that succeeds, and says this. */
static inline void expect_sync(struct hub *h, bool dry_run, int n, const char *text)
{
	CLEANUP(sync_result_clear) struct sync_result found = { 0 };
	CLEANUP_FREE char *said = NULL;
	struct err e = { 0 };
	int ret = gateway_sync(&e, h->g, dry_run, &found);

	ck_assert_msg(ret >= 0, "%s", e.msg);
	said = sync_text(&found);
	ck_assert_str_eq(said, text);
	ck_assert_int_eq(ret, n);
}

static inline void must_sync(struct hub *h)
{
	CLEANUP(sync_result_clear) struct sync_result found = { 0 };
	struct err e = { 0 };

	ck_assert_msg(gateway_sync(&e, h->g, false, &found) >= 0, "%s", e.msg);
}

/* A hub that publishes web, as it should. */
static inline void hub_open_synced(struct hub *h)
{
	hub_open(h);
	hub_store_web(h);
	must_sync(h);
	ck_assert_uint_eq(h->kernel.services.n, 2);
	ck_assert_uint_eq(count_destinations(h), 3);
}

/* What the container has transferred into its routes and the ledger, open and closed. */
static inline uint64_t all_bytes(struct hub *h, const char *container)
{
	CLEANUP(reading_list_clear) struct reading_list readings = { 0 };
	struct counters sum;
	uint64_t entries;
	struct err e;

	ck_assert_int_eq(store_ledger_sum(&e, h->g->store, container, &sum, &entries), 0);
	ck_assert_msg(gateway_read(&e, h->g, container, &readings) == 0, "%s", e.msg);
	for (size_t i = 0; i < readings.n; i++)
		sum.inbytes += readings.items[i].total.inbytes;
	return sum.inbytes;
}

#endif
