/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The world's STUN server: reads requests and writes responses, as RFC 8489, 5780 and 3489 say. */
#include "stun_world.h"

#define BINDING_REQUEST 0x0001
#define BINDING_RESPONSE 0x0101
#define BINDING_ERROR 0x0111

#define MAPPED_ADDRESS 0x0001
#define CHANGE_REQUEST 0x0003
#define SOURCE_ADDRESS 0x0004
#define CHANGED_ADDRESS 0x0005
#define ERROR_CODE 0x0009
#define UNKNOWN_ATTRIBUTES 0x000a
#define XOR_MAPPED_ADDRESS 0x0020
#define OLD_XOR_MAPPED_ADDRESS 0x8020
#define SOFTWARE 0x8022
#define RESPONSE_ORIGIN 0x802b
#define OTHER_ADDRESS 0x802c
#define SOME_REQUIRED 0x7f42
#define SOME_OPTIONAL 0xff42

#define CHANGE_ADDRESS_FLAG 4
#define CHANGE_PORT_FLAG 2

static const uint8_t cookie[] = { 0x21, 0x12, 0xa4, 0x42 };

static unsigned get16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void begin_message(struct stun_message *m, uint16_t type, const uint8_t *id)
{
	*m = (struct stun_message){ .len = STUN_HEADER_SIZE };
	put16(m->bytes, type);
	memcpy(m->bytes + 4, cookie, sizeof(cookie));
	memcpy(m->bytes + 8, id, 12);
}

static void add_attribute(struct stun_message *m, uint16_t type, const void *value, size_t len)
{
	size_t padded = (len + 3) / 4 * 4;

	STUN_MUST(m->len + 4 + padded <= sizeof(m->bytes), "a response is too long");
	put16(m->bytes + m->len, type);
	put16(m->bytes + m->len + 2, (unsigned)len);
	memset(m->bytes + m->len + 4, 0, padded);
	memcpy(m->bytes + m->len + 4, value, len);
	m->len += 4 + padded;
	put16(m->bytes + 2, (unsigned)(m->len - STUN_HEADER_SIZE));
}

/* The XOR pattern is the header's cookie and transaction ID (RFC 8489 14.2). */
static void add_endpoint(struct stun_message *m, uint16_t attribute, const struct endpoint *ep)
{
	bool xor = attribute == XOR_MAPPED_ADDRESS || attribute == OLD_XOR_MAPPED_ADDRESS;
	size_t size = addr_size(&ep->addr);
	uint8_t value[20] = { 0, ep->addr.family == AF_INET6 ? 2 : 1 };

	put16(value + 2, ep->port);
	memcpy(value + 4, ep->addr.bytes, size);
	for (size_t i = 0; xor && i < 2; i++)
		value[2 + i] ^= m->bytes[4 + i];
	for (size_t i = 0; xor && i < size; i++)
		value[4 + i] ^= m->bytes[4 + i];
	add_attribute(m, attribute, value, 4 + size);
}

void stun_message_success(struct stun_message *m, const uint8_t *request, const struct endpoint *mapped,
			  const struct endpoint *other)
{
	begin_message(m, BINDING_RESPONSE, request + 8);
	add_endpoint(m, XOR_MAPPED_ADDRESS, mapped);
	if (other)
		add_endpoint(m, OTHER_ADDRESS, other);
}

static void add_error(struct stun_message *m, unsigned code)
{
	static const uint8_t unknown[] = { 0, CHANGE_REQUEST };
	uint8_t value[] = { 0, 0, (uint8_t)(code / 100), (uint8_t)(code % 100), 'n', 'o', 't', ' ', 's', 'o' };

	add_attribute(m, ERROR_CODE, value, sizeof(value));
	if (code == 420)
		add_attribute(m, UNKNOWN_ATTRIBUTES, unknown, sizeof(unknown));
}

enum stun_change stun_request_change(const uint8_t *bytes, size_t len)
{
	static const uint8_t change[] = { 0, CHANGE_REQUEST, 0, 4, 0, 0, 0 };

	STUN_MUST(len == 20 || len == 28, "a request of %zu bytes", len);
	STUN_MUST(get16(bytes) == BINDING_REQUEST && get16(bytes + 2) == len - STUN_HEADER_SIZE &&
			  memcmp(bytes + 4, cookie, sizeof(cookie)) == 0,
		  "a request with a bad header");
	if (len == 20)
		return STUN_CHANGE_ABSENT;
	STUN_MUST(memcmp(bytes + 20, change, sizeof(change)) == 0, "a request with a bad attribute");
	switch (bytes[27]) {
	case 0:
		return STUN_CHANGE_NOTHING;
	case CHANGE_PORT_FLAG:
		return STUN_CHANGE_PORT;
	case CHANGE_ADDRESS_FLAG | CHANGE_PORT_FLAG:
		return STUN_CHANGE_BOTH;
	}
	ck_abort_msg("CHANGE-REQUEST with flags %#x", bytes[27]);
}

#define SITE4(last, port) { { AF_INET, { .bytes = { 198, 51, 100, last } } }, port }
#define SITE6(last, port) { { AF_INET6, { .bytes = { 0x20, 1, 0xd, 0xb8, [15] = last } } }, port }

struct endpoint stun_world_site(const struct stun_world *w, enum nat_site site)
{
	static const struct endpoint sites[][NAT_SITES] = {
		{ SITE4(1, 3478), SITE4(1, 3479), SITE4(2, 3478), SITE4(2, 3479) },
		{ SITE6(1, 3478), SITE6(1, 3479), SITE6(2, 3478), SITE6(2, 3479) },
	};

	return sites[w->ipv6][site];
}

/* Another port: the low bit of the site; another address: the high one. */
static enum nat_site answering_site(const struct stun_server *s, enum nat_site asked, enum stun_change change)
{
	unsigned both = NAT_A2P2, port = NAT_A1P2;

	if (s->change == STUN_IGNORES || change == STUN_CHANGE_ABSENT || change == STUN_CHANGE_NOTHING)
		return asked;
	if (s->change == STUN_PORT_ONLY || change == STUN_CHANGE_PORT)
		return (enum nat_site)(asked ^ port);
	return (enum nat_site)(asked ^ both);
}

static struct endpoint mapped_address(struct stun_world *w, const struct endpoint *from)
{
	struct endpoint ep = *from;

	if (w->server.mapped.addr.family)
		return w->server.mapped;
	if (w->server.random_mapped) {
		ep.addr.bytes[addr_size(&ep.addr) - 1] = (uint8_t)(1 + given_below(&w->seed, 254));
		ep.port = (uint16_t)(1024 + given_below(&w->seed, 60000));
	}
	return ep;
}

static void add_addresses(struct stun_world *w, struct stun_message *m, enum nat_site asked,
			  const struct endpoint *source, const struct endpoint *from)
{
	const struct stun_server *s = &w->server;
	struct endpoint mapped = mapped_address(w, from);
	struct endpoint other = stun_world_site(w, (enum nat_site)(asked ^ NAT_A2P2));

	if (s->other.addr.family)
		other = s->other;
	if (!s->rfc3489)
		add_endpoint(m, s->old_xor ? OLD_XOR_MAPPED_ADDRESS : XOR_MAPPED_ADDRESS, &mapped);
	add_endpoint(m, MAPPED_ADDRESS, &mapped);
	add_endpoint(m, s->rfc3489 ? SOURCE_ADDRESS : RESPONSE_ORIGIN, source);
	if (!s->no_other)
		add_endpoint(m, s->rfc3489 ? CHANGED_ADDRESS : OTHER_ADDRESS, &other);
}

/* None of this may count, or take the place of the response itself. */
static void flood(struct stun_world *w, const struct endpoint *source, const struct endpoint *from,
		  const struct stun_message *m)
{
	for (unsigned i = 0; i < 5; i++) {
		struct stun_message bad = *m;

		switch (i) {
		case 0: /* of another transaction */
			for (size_t k = 8; k < STUN_HEADER_SIZE; k++)
				bad.bytes[k] = (uint8_t)given_below(&w->seed, 256);
			break;
		case 1: /* cut off */
			bad.len = given_below(&w->seed, (uint32_t)m->len);
			break;
		case 2: /* its length is wrong */
			put16(bad.bytes + 2, (unsigned)m->len);
			break;
		case 3: /* noise */
			for (size_t k = 0; k < m->len; k++)
				bad.bytes[k] = (uint8_t)given_below(&w->seed, 256);
			break;
		case 4: /* the request, mirrored */
			put16(bad.bytes, BINDING_REQUEST);
			break;
		}
		stun_world_reply(w, 0, source, from, &bad);
	}
}

static unsigned error_for(const struct stun_server *s, enum stun_change change)
{
	bool errs = change != STUN_CHANGE_ABSENT || !s->change_errs;

	if (s->error && errs && (s->n_errors == 0 || s->n_answers < s->n_errors))
		return s->error;
	return s->change == STUN_REFUSES && change != STUN_CHANGE_ABSENT ? 420 : 0;
}

static void add_extras(struct stun_world *w, struct stun_message *m)
{
	const struct stun_server *s = &w->server;

	add_attribute(m, SOFTWARE, "a server", 8);
	if (s->optional)
		add_attribute(m, SOME_OPTIONAL, "\1\2\3", 3);
	if (s->required && (s->n_required == 0 || s->n_answers < s->n_required))
		add_attribute(m, SOME_REQUIRED, "\1\2\3", 3);
}

static bool can_answer(const struct stun_server *s, enum nat_site asked, enum nat_site answering,
		       enum stun_change change)
{
	if (s->site[asked] != STUN_SITE_UP)
		return false;
	if (s->site[answering] != STUN_SITE_UP && s->site[answering] != STUN_SITE_DEAF)
		return false;
	if (s->wants_change && change == STUN_CHANGE_ABSENT)
		return false;
	return s->change != STUN_CHANGE_LOST || change == STUN_CHANGE_ABSENT || change == STUN_CHANGE_NOTHING;
}

void stun_server_hear(struct stun_world *w, enum nat_site site, const struct endpoint *from,
		      const uint8_t *bytes, size_t len)
{
	struct stun_server *s = &w->server;
	enum stun_change change = stun_request_change(bytes, len);
	unsigned error = error_for(s, change);
	enum nat_site answering = error ? site : answering_site(s, site, change);
	struct endpoint source = s->source.addr.family ? s->source : stun_world_site(w, answering);
	int64_t delay = s->slow + (answering >= NAT_A2P1 ? s->slow_other : 0);
	struct stun_message m;

	if (!can_answer(s, site, answering, change))
		return;
	begin_message(&m, error ? BINDING_ERROR : BINDING_RESPONSE, bytes + 8);
	if (error)
		add_error(&m, error);
	else
		add_addresses(w, &m, site, &source, from);
	add_extras(w, &m);
	s->n_answers++;
	for (unsigned i = 0; s->floods && i < 2; i++) {
		flood(w, &source, from, &m);
		stun_world_reply(w, 0, &source, from, &m);
	}
	stun_world_reply(w, delay, &source, from, &m);
}
