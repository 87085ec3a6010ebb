/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nat_internal.h"

static bool is_answered(const struct nat_observation *o)
{
	return o->reply == NAT_ANSWERED;
}

static bool is_reply(enum nat_reply reply)
{
	return reply == NAT_ANSWERED || reply == NAT_WRONG_SOURCE || reply == NAT_REFUSED;
}

/* Did anything at all come over UDP? Even a response that is no use shows that UDP is not blocked. */
static bool is_heard(const struct nat_evidence *e)
{
	bool heard = e->received > 0 || e->rewritten || e->unstable || e->odd_mapped || e->bar == NAT_BAR_ERROR ||
		     e->other_state != NAT_OTHER_UNASKED || is_reply(e->plain.reply) ||
		     is_reply(e->change_both) || is_reply(e->change_port) || is_reply(e->proof_both) ||
		     is_reply(e->proof_port);

	for (size_t i = 0; i < NAT_SITES; i++)
		heard |= is_reply(e->mapping[i].reply);
	return heard;
}

/* Did the server tell over UDP where from it sees us? */
static bool is_mapped(const struct nat_evidence *e)
{
	bool mapped = is_answered(&e->plain);

	for (size_t i = 0; i < NAT_SITES; i++)
		mapped |= is_answered(&e->mapping[i]);
	return mapped;
}

/* Is any mapped endpoint another than the socket's own? The same address with another port is. */
static bool is_translated(const struct nat_evidence *e)
{
	bool translated = is_answered(&e->plain) && !endpoint_equal(&e->plain.mapped, &e->local_f);

	for (size_t i = 0; i < NAT_SITES; i++)
		translated |= is_answered(&e->mapping[i]) &&
			      !endpoint_equal(&e->mapping[i].mapped, &e->local_m);
	return translated;
}

static bool sites_agree(const struct nat_evidence *e, enum nat_site a, enum nat_site b)
{
	return is_answered(&e->mapping[a]) && is_answered(&e->mapping[b]) &&
	       endpoint_equal(&e->mapping[a].mapped, &e->mapping[b].mapped);
}

static bool sites_differ(const struct nat_evidence *e, enum nat_site a, enum nat_site b)
{
	return is_answered(&e->mapping[a]) && is_answered(&e->mapping[b]) &&
	       !endpoint_equal(&e->mapping[a].mapped, &e->mapping[b].mapped);
}

/* One socket, two destinations, two mapped endpoints. */
static bool maps_by_destination(const struct nat_evidence *e)
{
	for (enum nat_site a = NAT_A1P1; a < NAT_SITES; a++)
		for (enum nat_site b = a + 1; b < NAT_SITES; b++)
			if (sites_differ(e, a, b))
				return true;
	return false;
}

/* Why the server's other address was no help. */
static uint32_t other_reasons(enum nat_other state)
{
	switch (state) {
	case NAT_OTHER_ABSENT:
		return NAT_REASON_NO_OTHER;
	case NAT_OTHER_UNUSABLE:
		return NAT_REASON_BAD_OTHER;
	case NAT_OTHER_UNASKED:
		return NAT_REASON_LOSS;
	case NAT_OTHER_USABLE:
		break;
	}
	return 0;
}

/* Why a plain request was no help. */
static uint32_t plain_reasons(enum nat_reply reply)
{
	switch (reply) {
	case NAT_ANSWERED:
		return 0;
	case NAT_WRONG_SOURCE:
		return NAT_REASON_CHANGE_IGNORED;
	case NAT_REFUSED:
		return NAT_REASON_SERVER_ERROR;
	case NAT_NO_ENTRY:
		return NAT_REASON_DOWN;
	case NAT_NOT_ASKED:
	case NAT_SILENT:
	case NAT_UNDECIDED:
		break;
	}
	return NAT_REASON_LOSS;
}

/* Why the one to A2:P2 was not. */
static uint32_t far_reasons(enum nat_reply reply)
{
	return reply == NAT_SILENT || reply == NAT_NO_ENTRY ? NAT_REASON_OTHER_SILENT : plain_reasons(reply);
}

/* Why a request with CHANGE-REQUEST was not. Silence is one that nobody can explain. */
static uint32_t change_reasons(enum nat_reply reply)
{
	switch (reply) {
	case NAT_ANSWERED:
		return 0;
	case NAT_WRONG_SOURCE:
		return NAT_REASON_CHANGE_IGNORED;
	case NAT_REFUSED:
		return NAT_REASON_CHANGE_REFUSED;
	case NAT_NO_ENTRY:
		return NAT_REASON_DOWN;
	case NAT_SILENT:
		return NAT_REASON_CHANGE_UNPROVEN;
	case NAT_NOT_ASKED:
	case NAT_UNDECIDED:
		break;
	}
	return NAT_REASON_LOSS;
}

/*
 * On what a mapping by destination depends. Sites that differ in their port
 * only and are mapped differently prove that it is the port too; two such
 * pairs mapped alike, that it is not. With less it is certain only that it
 * depends on the address, and LOSS says that there may be more.
 */
static enum nat_behaviour judge_dependence(const struct nat_evidence *e, uint32_t *reasons)
{
	if (sites_differ(e, NAT_A1P1, NAT_A1P2) || sites_differ(e, NAT_A2P1, NAT_A2P2))
		return NAT_ADDRESS_AND_PORT_DEPENDENT;
	if (!sites_agree(e, NAT_A1P1, NAT_A1P2) || !sites_agree(e, NAT_A2P1, NAT_A2P2))
		*reasons |= NAT_REASON_LOSS;
	return NAT_ADDRESS_DEPENDENT;
}

static enum nat_behaviour judge_mapping(const struct nat_evidence *e, uint32_t *reasons)
{
	if (!is_mapped(e)) {
		/* Where only odd ones came, that is the reason, not that none did. */
		if (!e->odd_mapped && e->bar == NAT_BAR_NONE)
			*reasons |= plain_reasons(e->plain.reply) | plain_reasons(e->mapping[NAT_A1P1].reply);
		return NAT_BEHAVIOUR_UNKNOWN;
	}
	if (e->unstable) { /* then differences between the sites say nothing about destinations */
		*reasons |= NAT_REASON_UNSTABLE;
		return NAT_BEHAVIOUR_UNKNOWN;
	}
	if (!is_translated(e))
		return NAT_BEHAVIOUR_NONE;
	if (e->other_state != NAT_OTHER_USABLE) {
		*reasons |= other_reasons(e->other_state);
		return NAT_BEHAVIOUR_UNKNOWN;
	}
	if (maps_by_destination(e))
		return judge_dependence(e, reasons);
	/* Other address and other port: nothing less proves that neither matters (RFC 5780 4.3). */
	if (sites_agree(e, NAT_A1P1, NAT_A2P2))
		return NAT_ENDPOINT_INDEPENDENT;
	*reasons |= plain_reasons(e->mapping[NAT_A1P1].reply) | far_reasons(e->mapping[NAT_A2P2].reply);
	return NAT_BEHAVIOUR_UNKNOWN;
}

static bool is_dependent(enum nat_behaviour b)
{
	return b == NAT_ADDRESS_DEPENDENT || b == NAT_ADDRESS_AND_PORT_DEPENDENT;
}

/* Has M seen that the server does not do what was asked? */
static bool is_disproved(enum nat_reply proof)
{
	return proof == NAT_WRONG_SOURCE || proof == NAT_REFUSED || proof == NAT_NO_ENTRY;
}

/* Can silence to F be taken for a filter's? */
static bool is_proven(enum nat_reply proof, enum nat_behaviour mapping)
{
	/*
	 * Behind a mapping by destination M has no hope of a proof: the reply
	 * comes from where M has sent to, but to another mapping.
	 */
	return proof == NAT_ANSWERED || (is_dependent(mapping) && !is_disproved(proof));
}

static uint32_t proof_reasons(enum nat_reply proof)
{
	if (proof == NAT_ANSWERED)
		return 0;
	if (is_disproved(proof))
		return change_reasons(proof);
	return NAT_REASON_CHANGE_UNPROVEN | (proof == NAT_UNDECIDED ? NAT_REASON_LOSS : 0);
}

/* Why II's silence proves nothing: M asks for a proof only when A2:P2 has answered it. */
static uint32_t proof_both_reasons(const struct nat_evidence *e)
{
	return proof_reasons(e->proof_both) |
	       (e->proof_both == NAT_NOT_ASKED ? far_reasons(e->mapping[NAT_A2P2].reply) : 0);
}

/* II and III are silent. Which filter is it, if it is one? */
static enum nat_behaviour judge_silent_changes(const struct nat_evidence *e, enum nat_behaviour mapping,
					       uint32_t *reasons)
{
	/*
	 * That III is filtered proves the narrower filter. Were only II's
	 * silence proven, the address would matter and the port might: unknown.
	 */
	if (!is_proven(e->proof_port, mapping) || is_disproved(e->proof_both)) {
		*reasons |= proof_reasons(e->proof_port) | proof_both_reasons(e);
		return NAT_BEHAVIOUR_UNKNOWN;
	}
	if (e->proof_port != NAT_ANSWERED)
		*reasons |= NAT_REASON_CHANGE_UNPROVEN;
	return NAT_ADDRESS_AND_PORT_DEPENDENT;
}

/* II is silent, III answered: a filter by address, or a server that does not do II. */
static enum nat_behaviour judge_silent_both(const struct nat_evidence *e, enum nat_behaviour mapping,
					    uint32_t *reasons)
{
	*reasons |= proof_both_reasons(e);
	return is_proven(e->proof_both, mapping) ? NAT_ADDRESS_DEPENDENT : NAT_BEHAVIOUR_UNKNOWN;
}

static enum nat_behaviour judge_filtering(const struct nat_evidence *e, enum nat_behaviour mapping,
					  uint32_t *reasons)
{
	if (e->other_state != NAT_OTHER_USABLE) {
		if (is_mapped(e))
			*reasons |= other_reasons(e->other_state);
		return NAT_BEHAVIOUR_UNKNOWN;
	}
	if (e->change_both == NAT_ANSWERED)
		return mapping == NAT_BEHAVIOUR_NONE ? NAT_BEHAVIOUR_NONE : NAT_ENDPOINT_INDEPENDENT;
	if (e->change_both != NAT_SILENT) {
		*reasons |= change_reasons(e->change_both);
		return NAT_BEHAVIOUR_UNKNOWN;
	}
	if (!is_answered(&e->plain)) {
		/* Where the control is not answered either, silence says nothing. */
		*reasons |= plain_reasons(e->plain.reply);
		return NAT_BEHAVIOUR_UNKNOWN;
	}
	if (e->change_port == NAT_ANSWERED)
		return judge_silent_both(e, mapping, reasons);
	if (e->change_port == NAT_SILENT)
		return judge_silent_changes(e, mapping, reasons);
	*reasons |= change_reasons(e->change_port);
	return NAT_BEHAVIOUR_UNKNOWN;
}

/* Something filters, whether by address or by port too. */
static bool is_filtered(const struct nat_evidence *e)
{
	return e->other_state == NAT_OTHER_USABLE && is_answered(&e->plain) && e->change_both == NAT_SILENT &&
	       e->proof_both == NAT_ANSWERED;
}

static enum nat_type type_of_open_mapping(enum nat_behaviour filtering)
{
	switch (filtering) {
	case NAT_ENDPOINT_INDEPENDENT:
		return NAT_FULL;
	case NAT_ADDRESS_DEPENDENT:
		return NAT_RESTRICTED;
	case NAT_ADDRESS_AND_PORT_DEPENDENT:
		return NAT_PORT_RESTRICTED;
	case NAT_BEHAVIOUR_NONE:
	case NAT_BEHAVIOUR_UNKNOWN:
		break;
	}
	return NAT_UNKNOWN;
}

static enum nat_type judge_type(const struct nat_evidence *e, enum nat_behaviour mapping,
				enum nat_behaviour filtering)
{
	if (is_dependent(mapping))
		return NAT_SYMMETRIC;
	if (mapping == NAT_ENDPOINT_INDEPENDENT)
		return type_of_open_mapping(filtering);
	if (mapping == NAT_BEHAVIOUR_NONE && filtering == NAT_BEHAVIOUR_NONE)
		return NAT_NONE;
	if (mapping == NAT_BEHAVIOUR_NONE && (is_dependent(filtering) || is_filtered(e)))
		return NAT_SYMMETRIC_UDP_FIREWALL;
	return NAT_UNKNOWN;
}

static uint32_t bar_reasons(enum nat_bar bar)
{
	switch (bar) {
	case NAT_BAR_DOWN:
	case NAT_BAR_UNREACHABLE:
		return NAT_REASON_DOWN;
	case NAT_BAR_PROHIBITED:
		return NAT_REASON_PROHIBITED;
	case NAT_BAR_LOCAL:
		return NAT_REASON_LOCAL_FIREWALL;
	case NAT_BAR_ERROR:
		return NAT_REASON_SERVER_ERROR;
	case NAT_BAR_NONE:
		break;
	}
	return 0;
}

/* What TCP says of silence over UDP. */
static uint32_t silence_reasons(enum nat_tcp tcp)
{
	if (tcp == NAT_TCP_ANSWERED)
		return NAT_REASON_TCP_ANSWERS;
	return tcp == NAT_TCP_REFUSED ? NAT_REASON_TCP_REFUSED : NAT_REASON_ALL_SILENT;
}

/* Nothing came over UDP. */
static enum nat_type judge_unheard(const struct nat_evidence *e, uint32_t *reasons)
{
	if (e->tcp == NAT_TCP_ANSWERED)
		*reasons |= NAT_REASON_TCP_ANSWERS;
	if (e->bar != NAT_BAR_NONE)
		return e->bar == NAT_BAR_PROHIBITED || e->bar == NAT_BAR_LOCAL ? NAT_BLOCKED : NAT_UNKNOWN;
	if (e->plain.reply == NAT_SILENT) {
		*reasons |= silence_reasons(e->tcp);
		return NAT_BLOCKED;
	}
	if (e->plain.reply != NAT_NOT_ASKED)
		*reasons |= plain_reasons(e->plain.reply);
	return NAT_UNKNOWN;
}

/* What is to be said of the addresses themselves. */
static uint32_t public_reasons(const struct nat_verdict *v)
{
	uint32_t reasons = v->n_public > 1 ? NAT_REASON_POOL : 0;

	for (size_t i = 0; i < v->n_public; i++) {
		enum addr_scope scope = addr_scope(&v->public[i].addr);

		if (scope == ADDR_SHARED)
			reasons |= NAT_REASON_SHARED;
		else if (scope != ADDR_GLOBAL)
			reasons |= NAT_REASON_PRIVATE;
	}
	return reasons;
}

static void list_public(const struct nat_evidence *e, struct nat_verdict *v)
{
	struct nat_tally t = { 0 };

	if (is_answered(&e->plain))
		nat_tally_add(&t, &e->plain.mapped);
	for (size_t i = 0; i < NAT_SITES; i++)
		if (is_answered(&e->mapping[i]))
			nat_tally_add(&t, &e->mapping[i].mapped);
	if (!is_heard(e) && e->tcp == NAT_TCP_ANSWERED && e->tcp_mapped.addr.family != AF_UNSPEC)
		nat_tally_add(&t, &e->tcp_mapped);
	nat_tally_list(&t, v);
}

void nat_judge(const struct nat_evidence *evidence, struct nat_verdict *out)
{
	const struct nat_evidence *e = evidence;
	struct nat_verdict v = { 0 };

	list_public(e, &v);
	v.reasons = public_reasons(&v) | bar_reasons(e->bar);
	if (e->rewritten)
		v.reasons |= NAT_REASON_REWRITTEN;
	if (e->odd_mapped)
		v.reasons |= NAT_REASON_ODD_MAPPED;
	if (is_heard(e)) {
		v.mapping = judge_mapping(e, &v.reasons);
		v.filtering = judge_filtering(e, v.mapping, &v.reasons);
		v.type = judge_type(e, v.mapping, v.filtering);
	} else {
		v.type = judge_unheard(e, &v.reasons);
	}
	*out = v;
}
