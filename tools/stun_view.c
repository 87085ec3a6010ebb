/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stun_view.h"
#include "json.h"
#include "stun_msg.h"

/* --- text -------------------------------------------------------------------- */

#define LABEL_WIDTH 17 /* where the facts stand */
#define ATTRIBUTE_INDENT 12

/* "Mapping:         "; a further fact of the same kind has none. */
static void put_label(FILE *out, const char *label)
{
	fprintf(out, "%-*s", LABEL_WIDTH, label);
}

static void put_fact(FILE *out, const char *label, const char *fact)
{
	put_label(out, label);
	fprintf(out, "%s\n", fact);
}

/* "203.0.113.7 (port 40012)", "10.0.0.11 (private)", "100.64.0.9 (shared, port 40012)". */
static void put_address(FILE *out, const struct endpoint *ep)
{
	enum addr_scope scope = addr_scope(&ep->addr);
	char text[ADDR_STRLEN];

	fputs(addr_format(&ep->addr, text), out);
	if (scope != ADDR_GLOBAL)
		fprintf(out, " (%s", addr_scope_name(scope));
	if (ep->port != 0)
		fprintf(out, "%sport %u", scope != ADDR_GLOBAL ? ", " : " (", ep->port);
	fputs(scope != ADDR_GLOBAL || ep->port != 0 ? ")\n" : "\n", out);
}

static void put_addresses(FILE *out, const struct stun_result *r)
{
	const char *label = "Public address:";

	if (r->n_addresses == 0)
		put_fact(out, label, "unknown");
	else if (addr_scope(&r->addresses[0].addr) != ADDR_GLOBAL)
		label = "Address:";
	for (size_t i = 0; i < r->n_addresses; i++) {
		put_label(out, i == 0 ? label : "");
		put_address(out, &r->addresses[i]);
	}
}

static const char *gateway_text(const struct stun_result *r)
{
	const struct nat_verdict *verdict = &r->verdict;

	if (!nat_needs_gateway(verdict) && !r->discovery)
		return "no, if nothing stands before this worker: nobody was asked";
	if (!nat_needs_gateway(verdict))
		return "no: clients can reach this worker itself";
	if (verdict->type == NAT_UNKNOWN)
		return "yes, as long as no more is known";
	return "yes: the hub must be a gateway for this worker";
}

/* "0.28 s, asked 198.51.100.10:3478, 198.51.100.20:3478" */
static void put_time(FILE *out, const struct stun_result *r)
{
	const struct discovery *d = r->discovery;
	char text[ENDPOINT_STRLEN];

	put_label(out, "Time taken:");
	fprintf(out, "%.2f s", (double)r->took / 1e6);
	for (size_t i = 0; i < d->n_servers; i++)
		fprintf(out, "%s %s", i == 0 ? ", asked" : ",", endpoint_format(&d->servers[i].server, text));
	fputc('\n', out);
}

static void put_notes(FILE *out, uint32_t reasons)
{
	for (unsigned i = 0; i < NAT_REASONS; i++)
		if (reasons & 1U << i)
			put_fact(out, "Note:", nat_reason_text((enum nat_reason)(1U << i)));
}

void stun_view_text(FILE *out, const struct stun_result *r)
{
	put_addresses(out, r);
	put_fact(out, "NAT type:", nat_type_text(r->verdict.type));
	if (r->discovery) {
		put_fact(out, "Mapping:", nat_behaviour_text(r->verdict.mapping));
		put_fact(out, "Filtering:", nat_behaviour_text(r->verdict.filtering));
	}
	put_fact(out, "Gateway needed:", gateway_text(r));
	if (r->discovery)
		put_time(out, r);
	put_notes(out, r->verdict.reasons);
	if (r->source == STUN_FROM_INTERFACES) {
		put_label(out, "Note:");
		fprintf(out, "name a STUN server with -s, or in the firewall section of %s\n", r->config_path);
	}
}

/* --- JSON -------------------------------------------------------------------- */

static const char *source_name(enum stun_source source)
{
	static const char *const names[] = {
		[STUN_FROM_SERVERS] = "stun",
		[STUN_FROM_CONFIGURATION] = "configuration",
		[STUN_FROM_INTERFACES] = "interfaces",
	};

	return names[source];
}

static const char *tcp_name(enum nat_tcp tcp)
{
	static const char *const names[] = {
		[NAT_TCP_NOT_TRIED] = "not_tried",
		[NAT_TCP_SILENT] = "silent",
		[NAT_TCP_REFUSED] = "refused",
		[NAT_TCP_ANSWERED] = "answered",
	};

	return names[tcp];
}

/* NULL or AF_UNSPEC: null. */
static void json_addr(struct json *j, const char *key, const struct addr *a)
{
	char text[ADDR_STRLEN];

	json_string(j, key, a && a->family != AF_UNSPEC ? addr_format(a, text) : NULL);
}

/* 0: null. */
static void json_positive(struct json *j, const char *key, int64_t n)
{
	if (n > 0)
		json_int(j, key, n);
	else
		json_null(j, key);
}

static void json_endpoint(struct json *j, const char *address_key, const char *port_key,
			  const struct endpoint *ep)
{
	json_addr(j, address_key, ep ? &ep->addr : NULL);
	json_positive(j, port_key, ep ? ep->port : 0);
}

static void json_addresses(struct json *j, const struct stun_result *r)
{
	json_begin_array(j, "addresses");
	for (size_t i = 0; i < r->n_addresses; i++) {
		json_begin_object(j, NULL);
		json_addr(j, "address", &r->addresses[i].addr);
		json_string(j, "scope", addr_scope_name(addr_scope(&r->addresses[i].addr)));
		json_end_object(j);
	}
	json_end_array(j);
}

static void json_reasons(struct json *j, uint32_t reasons)
{
	json_begin_array(j, "reasons");
	for (unsigned i = 0; i < NAT_REASONS; i++) {
		if (!(reasons & 1U << i))
			continue;
		json_begin_object(j, NULL);
		json_string(j, "reason", nat_reason_name((enum nat_reason)(1U << i)));
		json_string(j, "text", nat_reason_text((enum nat_reason)(1U << i)));
		json_end_object(j);
	}
	json_end_array(j);
}

static void json_server(struct json *j, const struct discovery_server *s)
{
	const struct nat_evidence *evidence = &s->evidence;

	json_begin_object(j, NULL);
	json_endpoint(j, "address", "port", &s->server);
	json_string(j, "nat", nat_type_name(s->verdict.type));
	json_endpoint(j, "other_address", "other_port",
		      evidence->other_state == NAT_OTHER_USABLE ? &evidence->other : NULL);
	json_endpoint(j, "mapped_address", "mapped_port",
		      s->verdict.n_public > 0 ? &s->verdict.public[0] : NULL);
	json_positive(j, "rtt_us", evidence->rtt);
	json_uint(j, "sent", evidence->sent);
	json_uint(j, "received", evidence->received);
	json_string(j, "tcp", tcp_name(evidence->tcp));
	json_end_object(j);
}

static void json_servers(struct json *j, const struct discovery *d)
{
	json_begin_array(j, "servers");
	for (size_t i = 0; d && i < d->n_servers; i++)
		json_server(j, &d->servers[i]);
	json_end_array(j);
}

/* That of the address; without one, that in which the servers were asked. */
static const char *family_of(const struct stun_result *r)
{
	if (r->n_addresses > 0)
		return addr_family_name(r->addresses[0].addr.family);
	return r->discovery ? addr_family_name(r->discovery->servers[0].server.addr.family) : NULL;
}

static void json_result(struct json *j, const struct stun_result *r)
{
	json_begin_object(j, NULL);
	json_string(j, "nat", nat_type_name(r->verdict.type));
	json_string(j, "text", nat_type_text(r->verdict.type));
	json_string(j, "mapping", nat_behaviour_name(r->verdict.mapping));
	json_string(j, "filtering", nat_behaviour_name(r->verdict.filtering));
	json_bool(j, "gateway", nat_needs_gateway(&r->verdict));
	json_string(j, "family", family_of(r));
	json_string(j, "source", source_name(r->source));
	json_endpoint(j, "address", "port", r->n_addresses > 0 ? &r->addresses[0] : NULL);
	json_addresses(j, r);
	json_addr(j, "local", r->discovery ? &r->discovery->local : NULL);
	json_reasons(j, r->verdict.reasons);
	json_servers(j, r->discovery);
	json_int(j, "took_ms", r->took / 1000);
	json_end_object(j);
}

int stun_view_json(struct err *e, FILE *out, const struct stun_result *r)
{
	struct json *j = json_new(out);

	if (!j)
		return err_set(e, ENOMEM, "out of memory");
	json_result(j, r);
	json_free(j);
	return 0;
}

/* --- datagrams --------------------------------------------------------------- */

/* ", mapped 203.0.113.7:40012", or what the server objects to. */
static void put_response(FILE *out, const uint8_t *bytes, size_t len)
{
	struct stun_response response;
	struct err e;
	char text[ENDPOINT_STRLEN];

	if (stun_msg_decode(&e, bytes, len, &response) < 0)
		return;
	if (response.error != 0)
		fprintf(out, ", %u %s", response.error, response.reason);
	else if (response.xor_mapped.addr.family != AF_UNSPEC)
		fprintf(out, ", mapped %s", endpoint_format(&response.xor_mapped, text));
	else if (response.mapped.addr.family != AF_UNSPEC)
		fprintf(out, ", mapped %s", endpoint_format(&response.mapped, text));
}

static void put_attributes(FILE *out, const uint8_t *bytes, size_t len)
{
	char text[STUN_ATTRIBUTE_STRLEN];
	size_t offset = 0;

	while (stun_msg_next_attribute(bytes, len, &offset, text))
		fprintf(out, "%*s%s\n", ATTRIBUTE_INDENT, "", text);
}

void stun_view_event(FILE *out, const struct discovery_event *event, bool attributes)
{
	static const char signs[] = {
		[DISCOVERY_SENT] = '>', [DISCOVERY_RECEIVED] = '<', [DISCOVERY_ICMP] = '!', [DISCOVERY_TCP] = '='
	};
	char peer[ENDPOINT_STRLEN];

	fprintf(out, "%8.3f s  %c %c %s  %s%s", (double)event->time / 1e6, event->socket, signs[event->what],
		endpoint_format(&event->peer, peer), event->ignored ? "ignored: " : "", event->note);
	if (event->bytes) {
		fprintf(out, ": %s", stun_msg_kind(event->bytes, event->len));
		put_response(out, event->bytes, event->len);
	}
	fputc('\n', out);
	if (attributes && event->bytes)
		put_attributes(out, event->bytes, event->len);
}
