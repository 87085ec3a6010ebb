/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The world's gateway: translates and filters as RFC 4787 4.1 and 5 name it. */
#include "stun_world.h"

#define FIRST_PUBLIC_PORT 20000

static void add_session(struct stun_gateway *g, const struct endpoint *inside, const struct endpoint *public,
			const struct endpoint *remote)
{
	STUN_MUST(g->n_sessions < ARRAY_LEN(g->sessions), "too many sessions");
	g->sessions[g->n_sessions++] = (struct stun_session){ *inside, *public, *remote };
}

/* Would the gateway use the same public endpoint for this other remote one? */
static bool shares_mapping(const struct stun_gateway *g, const struct stun_session *s,
			   const struct endpoint *inside, const struct endpoint *remote)
{
	if (!endpoint_equal(&s->inside, inside))
		return false;
	switch (g->mapping) {
	case NAT_ENDPOINT_INDEPENDENT:
		return true;
	case NAT_ADDRESS_DEPENDENT:
		return addr_equal(&s->remote.addr, &remote->addr);
	default:
		return endpoint_equal(&s->remote, remote);
	}
}

/* Whose public endpoint is it? NULL: nobody's. */
static const struct endpoint *owner(const struct stun_gateway *g, const struct endpoint *public)
{
	for (size_t i = 0; i < g->n_sessions; i++)
		if (g->sessions[i].inside.addr.family && endpoint_equal(&g->sessions[i].public, public))
			return &g->sessions[i].inside;
	return NULL;
}

static bool is_strangers(const struct stun_gateway *g, const struct endpoint *public,
			 const struct endpoint *remote)
{
	for (size_t i = 0; i < g->n_sessions; i++)
		if (!g->sessions[i].inside.addr.family && endpoint_equal(&g->sessions[i].public, public) &&
		    endpoint_equal(&g->sessions[i].remote, remote))
			return true;
	return false;
}

static bool is_taken(const struct stun_gateway *g, const struct endpoint *public,
		     const struct endpoint *remote)
{
	return owner(g, public) || is_strangers(g, public, remote);
}

static struct endpoint new_mapping(struct stun_world *w, const struct endpoint *inside,
				   const struct endpoint *remote)
{
	struct stun_gateway *g = &w->gateway;
	struct endpoint public = { .addr = g->public[g->n_mappings++ % g->n_public], .port = inside->port };

	if (!g->keeps_port || is_taken(g, &public, remote))
		do
			public.port = (uint16_t)(FIRST_PUBLIC_PORT + given_below(&w->seed, 10000));
		while (is_taken(g, &public, remote));
	return public;
}

static struct endpoint translate(struct stun_world *w, const struct endpoint *inside,
				 const struct endpoint *remote)
{
	const struct stun_gateway *g = &w->gateway;

	if (g->mapping == NAT_BEHAVIOUR_NONE)
		return *inside;
	for (size_t i = 0; i < g->n_sessions; i++)
		if (shares_mapping(g, &g->sessions[i], inside, remote) &&
		    !is_strangers(g, &g->sessions[i].public, remote))
			return g->sessions[i].public;
	return new_mapping(w, inside, remote);
}

struct endpoint stun_gateway_out(struct stun_world *w, const struct endpoint *inside,
				 const struct endpoint *remote)
{
	struct stun_gateway *g = &w->gateway;
	struct endpoint public;

	for (size_t i = 0; i < g->n_sessions; i++)
		if (endpoint_equal(&g->sessions[i].inside, inside) &&
		    endpoint_equal(&g->sessions[i].remote, remote))
			return g->sessions[i].public;
	public = translate(w, inside, remote);
	add_session(g, inside, &public, remote);
	return public;
}

/* Does this session, in which somebody was sent to, let in what remote sends? */
static bool lets_in(const struct stun_gateway *g, const struct stun_session *s, const struct endpoint *remote)
{
	switch (g->filtering) {
	case NAT_BEHAVIOUR_NONE:
	case NAT_ENDPOINT_INDEPENDENT:
		return true;
	case NAT_ADDRESS_DEPENDENT:
		return addr_equal(&s->remote.addr, &remote->addr);
	default:
		return endpoint_equal(&s->remote, remote);
	}
}

static bool is_let_in(const struct stun_gateway *g, const struct endpoint *inside,
		      const struct endpoint *remote, const struct endpoint *public)
{
	for (size_t i = 0; i < g->n_sessions; i++) {
		const struct stun_session *s = &g->sessions[i];

		if (endpoint_equal(&s->inside, inside) &&
		    (g->filters_by_inside || endpoint_equal(&s->public, public)) && lets_in(g, s, remote))
			return true;
	}
	return false;
}

/* As a helper does that takes STUN for something else: it knows MAPPED-ADDRESS, but not the XORed one. */
static void rewrite(struct stun_message *m, const struct endpoint *inside)
{
	for (size_t at = STUN_HEADER_SIZE; at + 4 <= m->len;) {
		size_t len = (size_t)m->bytes[at + 2] << 8 | m->bytes[at + 3];

		if (m->bytes[at] == 0 && m->bytes[at + 1] == 1) {
			m->bytes[at + 6] = (uint8_t)(inside->port >> 8);
			m->bytes[at + 7] = (uint8_t)inside->port;
			memcpy(m->bytes + at + 8, inside->addr.bytes, addr_size(&inside->addr));
		}
		at += 4 + (len + 3) / 4 * 4;
	}
}

bool stun_gateway_in(struct stun_world *w, const struct endpoint *remote, const struct endpoint *public,
		     struct stun_message *m, struct endpoint *inside)
{
	struct stun_gateway *g = &w->gateway;
	const struct endpoint *whose = owner(g, public);

	if (whose && is_let_in(g, whose, remote, public)) {
		*inside = *whose;
		if (g->rewrites)
			rewrite(m, inside);
		return true;
	}
	if (g->accepts_strangers && !is_strangers(g, public, remote))
		add_session(g, &(struct endpoint){ 0 }, public, remote);
	return false;
}

struct stun_gateway stun_gateway_of(enum nat_type type)
{
	switch (type) {
	case NAT_BLOCKED:
		return (struct stun_gateway){ .block = STUN_DROP };
	case NAT_FULL:
		return (struct stun_gateway){ .mapping = NAT_ENDPOINT_INDEPENDENT,
					      .filtering = NAT_ENDPOINT_INDEPENDENT };
	case NAT_RESTRICTED:
		return (struct stun_gateway){ .mapping = NAT_ENDPOINT_INDEPENDENT,
					      .filtering = NAT_ADDRESS_DEPENDENT };
	case NAT_PORT_RESTRICTED:
		return (struct stun_gateway){ .mapping = NAT_ENDPOINT_INDEPENDENT,
					      .filtering = NAT_ADDRESS_AND_PORT_DEPENDENT };
	case NAT_SYMMETRIC:
		return (struct stun_gateway){ .mapping = NAT_ADDRESS_AND_PORT_DEPENDENT,
					      .filtering = NAT_ADDRESS_AND_PORT_DEPENDENT };
	case NAT_SYMMETRIC_UDP_FIREWALL:
		return (struct stun_gateway){ .mapping = NAT_BEHAVIOUR_NONE,
					      .filtering = NAT_ADDRESS_AND_PORT_DEPENDENT };
	default:
		return (struct stun_gateway){ .mapping = NAT_BEHAVIOUR_NONE, .filtering = NAT_BEHAVIOUR_NONE };
	}
}
