/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Usage as metrics. "Received" is what the gateway receives from clients: in. */
#include "gwstat.h"
#include "prometheus.h"

#include <string.h>

/* What is counted, by route and by container. */
static const struct {
	struct prometheus_family of_route, of_container;
	size_t offset; /* in struct counters */
} counted[] = {
#define COUNTED(name, member, what)                                                                             \
	{ { "sonm_gateway_" name "_total", "counter", what " through a route since it was opened." },              \
	  { "sonm_gateway_container_" name "_total", "counter",                                                    \
	    what " through all routes that a container has and had." },                                            \
	  offsetof(struct counters, member) }
	COUNTED("connections", conns, "Connections"),
	COUNTED("received_packets", inpkts, "Packets from clients"),
	COUNTED("sent_packets", outpkts, "Packets to clients"),
	COUNTED("received_bytes", inbytes, "Bytes from clients (lengths of IP packets)"),
	COUNTED("sent_bytes", outbytes, "Bytes to clients (lengths of IP packets)"),
};

static uint64_t number_at(const struct counters *c, size_t offset)
{
	return *(const uint64_t *)((const char *)c + offset);
}

static void put_route(struct prometheus *p, const struct reading *r, size_t what)
{
	char cport[BASE_NUMBER_STRLEN], vip[ADDR_STRLEN], port[BASE_NUMBER_STRLEN];
	const struct prometheus_label labels[] = {
		{ "container", r->container },
		{ "container_port", cport },
		{ "protocol", protocol_name(r->protocol) },
		{ "vip", addr_format(&r->public.addr, vip) },
		{ "port", port },
	};

	if (r->kind == ROUTE_DIRECT)
		return; /* nobody counts */
	base_put_number(cport, r->cport);
	base_put_number(port, r->public.port);
	prometheus_sample(p, &counted[what].of_route, labels, ARRAY_LEN(labels),
			  number_at(&r->total, counted[what].offset));
}

static void put_containers(struct prometheus *p, const struct usage *u, size_t what)
{
	for (size_t i = 0; i < u->n_containers; i++) {
		const struct container_sum sum = container_sum(&u->containers[i]);

		prometheus_sample(p, &counted[what].of_container,
				  &(struct prometheus_label){ "container", u->containers[i].name }, 1,
				  number_at(&sum.total, counted[what].offset));
	}
}

static void put_counted(struct prometheus *p, const struct usage *u)
{
	for (size_t what = 0; what < ARRAY_LEN(counted); what++)
		for (size_t i = 0; i < u->n_containers; i++)
			for (size_t k = 0; k < u->containers[i].n_routes; k++)
				put_route(p, &u->containers[i].routes[k], what);
	for (size_t what = 0; what < ARRAY_LEN(counted); what++)
		put_containers(p, u, what);
}

static void put_states(struct prometheus *p, const struct usage *u)
{
	static const struct prometheus_family family = { "sonm_gateway_routes", "gauge", "Routes, by state." };
	static const char *const states[] = { "open", "draining", "closing", "missing", "direct" };

	for (size_t s = 0; s < ARRAY_LEN(states); s++) {
		uint64_t n = 0;

		for (size_t i = 0; i < u->readings.n; i++)
			n += strcmp(usage_state(&u->readings.items[i]), states[s]) == 0;
		prometheus_sample(p, &family, &(struct prometheus_label){ "state", states[s] }, 1, n);
	}
}

/* Of each container that has any, one or another number. The list is ordered by container. */
static void put_uncertain(struct prometheus *p, const struct prometheus_family *family,
			  const struct uncertain_list *list, bool seconds)
{
	for (size_t i = 0, next; i < list->n; i = next) {
		const char *container = list->items[i].container;
		uint64_t sum = 0;

		for (next = i; next < list->n && strcmp(list->items[next].container, container) == 0; next++)
			sum += seconds ? (uint64_t)(list->items[next].until - list->items[next].since) : 1;
		prometheus_sample(p, family, &(struct prometheus_label){ "container", container }, 1, sum);
	}
}

void usage_print_metrics(FILE *out, const struct usage *u)
{
	static const struct prometheus_family periods = {
		"sonm_gateway_uncertain_periods", "gauge",
		"Periods of which it is not known what passed through a container's route."
	}, seconds = {
		"sonm_gateway_uncertain_seconds", "gauge", "The length of these periods, at most."
	}, counting = {
		"sonm_gateway_counting", "gauge", "Whether the kernel counts; 0: net.ipv4.vs.run_estimation is 0."
	}, checkpoint = {
		"sonm_gateway_checkpoint_timestamp_seconds", "gauge",
		"When the last complete checkpoint was taken, in seconds since 1970."
	};
	struct prometheus p = { .out = out };

	put_counted(&p, u);
	put_states(&p, u);
	put_uncertain(&p, &periods, &u->uncertain, false);
	put_uncertain(&p, &seconds, &u->uncertain, true);
	prometheus_sample(&p, &counting, NULL, 0, u->counting);
	if (u->checkpoint > 0)
		prometheus_sample(&p, &checkpoint, NULL, 0, (uint64_t)u->checkpoint);
}
