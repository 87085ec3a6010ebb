/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nat.h"

#include <string.h>

struct words {
	const char *name, *text;
};

static const struct words types[] = {
	[NAT_UNKNOWN] = { "unknown", "Unknown" },
	[NAT_NONE] = { "none", "Not behind a NAT" },
	[NAT_BLOCKED] = { "blocked", "UDP is blocked" },
	[NAT_FULL] = { "full", "Full cone NAT" },
	[NAT_RESTRICTED] = { "restricted", "Restricted NAT" },
	[NAT_PORT_RESTRICTED] = { "port_restricted", "Port restricted NAT" },
	[NAT_SYMMETRIC] = { "symmetric", "Symmetric NAT" },
	[NAT_SYMMETRIC_UDP_FIREWALL] = { "symmetric_udp_firewall", "Symmetric UDP firewall" },
};

static const struct words behaviours[] = {
	[NAT_BEHAVIOUR_UNKNOWN] = { "unknown", "unknown" },
	[NAT_BEHAVIOUR_NONE] = { "none", "none" },
	[NAT_ENDPOINT_INDEPENDENT] = { "endpoint_independent", "endpoint independent" },
	[NAT_ADDRESS_DEPENDENT] = { "address_dependent", "address dependent" },
	[NAT_ADDRESS_AND_PORT_DEPENDENT] = { "address_and_port_dependent", "address and port dependent" },
};

static const struct {
	enum nat_reason reason;
	struct words words;
} reasons[] = {
	{ NAT_REASON_NO_OTHER,
	  { "no_other_address",
	    "the server has one address only (or RFC 5780 switched off): it cannot tell the type" } },
	{ NAT_REASON_BAD_OTHER,
	  { "bad_other_address", "the server names another address of its own that cannot be used" } },
	{ NAT_REASON_CHANGE_REFUSED,
	  { "change_request_refused",
	    "the server does not support CHANGE-REQUEST: it cannot test the filter" } },
	{ NAT_REASON_CHANGE_IGNORED,
	  { "change_request_ignored", "the server answered from another address than it should" } },
	{ NAT_REASON_CHANGE_UNPROVEN,
	  { "change_request_unproven",
	    "there is no proof that the server honours CHANGE-REQUEST: its silence may not be a filter's" } },
	{ NAT_REASON_OTHER_SILENT, { "other_address_silent", "the server's other address does not answer" } },
	{ NAT_REASON_LOSS,
	  { "loss", "too little came back to conclude more: packets were lost, or the time was too short" } },
	{ NAT_REASON_REWRITTEN,
	  { "rewritten", "something on the way (an ALG) rewrites addresses inside packets" } },
	{ NAT_REASON_ODD_MAPPED,
	  { "odd_mapped_address", "the server gave a mapped address that cannot be one" } },
	{ NAT_REASON_POOL, { "address_pool", "the NAT uses several public addresses" } },
	{ NAT_REASON_SHARED,
	  { "carrier_grade_nat",
	    "the address that the server sees is in 100.64.0.0/10: behind a carrier's NAT" } },
	{ NAT_REASON_PRIVATE,
	  { "private_address",
	    "the address that the server sees is not public: another NAT follows, or it is inside" } },
	{ NAT_REASON_PROHIBITED,
	  { "prohibited", "a firewall on the way says that this is prohibited (ICMP)" } },
	{ NAT_REASON_LOCAL_FIREWALL, { "local_firewall", "this host's own firewall refuses to send" } },
	{ NAT_REASON_TCP_ANSWERS, { "tcp_answers", "the server answers over TCP, but not over UDP" } },
	{ NAT_REASON_TCP_REFUSED,
	  { "tcp_refused", "the server's host answers over TCP, without STUN there, but not over UDP" } },
	{ NAT_REASON_ALL_SILENT,
	  { "all_silent", "nothing answers: UDP is blocked, or the servers are down" } },
	{ NAT_REASON_DISAGREE, { "servers_disagree", "servers see different public addresses" } },
	{ NAT_REASON_CONTRADICT, { "servers_contradict", "servers lead to different types" } },
	{ NAT_REASON_DOWN,
	  { "server_down", "nobody listens at the server, or it cannot be reached (ICMP)" } },
	{ NAT_REASON_SERVER_ERROR, { "server_error", "the server answers with an error, or with what is of no use" } },
	{ NAT_REASON_CONFIGURED, { "configured", "no server is configured: nothing was asked" } },
	{ NAT_REASON_UNSTABLE,
	  { "unstable_address", "the server answers the same question differently each time: do not trust it" } },
};

_Static_assert(ARRAY_LEN(reasons) == NAT_REASONS, "every reason has words");

const char *nat_type_name(enum nat_type type)
{
	return types[type].name;
}

const char *nat_type_text(enum nat_type type)
{
	return types[type].text;
}

int nat_type_parse(struct err *e, const char *name, enum nat_type *out)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (strcmp(types[i].name, name) == 0) {
			*out = (enum nat_type)i;
			return 0;
		}
	}
	return err_set(e, ERR_USAGE,
		       "'%.30s' is no kind of NAT; known are none, blocked, full, restricted, port_restricted, "
		       "symmetric, symmetric_udp_firewall and unknown", name);
}

const char *nat_behaviour_name(enum nat_behaviour behaviour)
{
	return behaviours[behaviour].name;
}

const char *nat_behaviour_text(enum nat_behaviour behaviour)
{
	return behaviours[behaviour].text;
}

static const struct words *words_of(enum nat_reason reason)
{
	size_t i = 0;

	while (i < NAT_REASONS - 1 && reasons[i].reason != reason)
		i++;
	return &reasons[i].words;
}

const char *nat_reason_name(enum nat_reason reason)
{
	return words_of(reason)->name;
}

const char *nat_reason_text(enum nat_reason reason)
{
	return words_of(reason)->text;
}
