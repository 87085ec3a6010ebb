/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nat_internal.h"

/* Reasons that nobody has to whom nothing came over UDP. */
#define HEARD_REASONS                                                                 \
	(NAT_REASON_NO_OTHER | NAT_REASON_BAD_OTHER | NAT_REASON_CHANGE_REFUSED |      \
	 NAT_REASON_CHANGE_IGNORED | NAT_REASON_CHANGE_UNPROVEN |                      \
	 NAT_REASON_OTHER_SILENT | NAT_REASON_REWRITTEN | NAT_REASON_ODD_MAPPED |      \
	 NAT_REASON_SERVER_ERROR | NAT_REASON_UNSTABLE)

static unsigned most_votes(const struct nat_tally *t)
{
	unsigned most = 0;

	for (size_t i = 0; i < t->n; i++)
		if (t->items[i].votes > most)
			most = t->items[i].votes;
	return most;
}

void nat_tally_add(struct nat_tally *t, const struct endpoint *seen)
{
	size_t i = 0;

	while (i < t->n && !addr_equal(&t->items[i].seen.addr, &seen->addr))
		i++;
	if (i == NAT_TALLY_MAX)
		return;
	if (i == t->n) {
		t->items[i].seen = *seen;
		t->n++;
	}
	t->items[i].votes++;
}

bool nat_tally_leads(const struct nat_tally *t, const struct addr *a)
{
	for (size_t i = 0; i < t->n; i++)
		if (addr_equal(&t->items[i].seen.addr, a))
			return t->items[i].votes == most_votes(t);
	return false;
}

void nat_tally_list(const struct nat_tally *t, struct nat_verdict *v)
{
	v->n_public = 0;
	for (unsigned votes = most_votes(t); votes > 0; votes--)
		for (size_t i = 0; i < t->n && v->n_public < NAT_PUBLIC_MAX; i++)
			if (t->items[i].votes == votes)
				v->public[v->n_public++] = t->items[i].seen;
}

/* Did the server tell over UDP where from it sees us? What it says over TCP may be another way out. */
static bool saw_public(const struct nat_verdict *v)
{
	return v->n_public > 0 && !(v->reasons & NAT_REASON_TCP_ANSWERS);
}

bool nat_has_type(const struct nat_verdict *v)
{
	return v->type != NAT_UNKNOWN && v->type != NAT_BLOCKED;
}

/* Does this NAT show different addresses to different servers by its nature? */
static bool is_pool(const struct nat_verdict *v)
{
	return v->type == NAT_SYMMETRIC || v->reasons & NAT_REASON_POOL;
}

static bool share_address(const struct nat_verdict *a, const struct nat_verdict *b)
{
	for (size_t i = 0; i < a->n_public; i++)
		for (size_t k = 0; k < b->n_public; k++)
			if (addr_equal(&a->public[i].addr, &b->public[k].addr))
				return true;
	return false;
}

/* DISAGREE, POOL, CONTRADICT, or nothing: what is to be said of these two together. */
static uint32_t compare(const struct nat_verdict *a, const struct nat_verdict *b)
{
	uint32_t reasons = 0;

	if (saw_public(a) && saw_public(b) && !share_address(a, b))
		reasons |= is_pool(a) || is_pool(b) ? NAT_REASON_POOL : NAT_REASON_DISAGREE;
	if (nat_has_type(a) && nat_has_type(b) && a->type != b->type)
		reasons |= NAT_REASON_CONTRADICT;
	return reasons;
}

bool nat_disagree(const struct nat_verdict *a, const struct nat_verdict *b)
{
	return compare(a, b) & (NAT_REASON_DISAGREE | NAT_REASON_CONTRADICT);
}

/* From the worst to the best. */
enum rank {
	RANK_UNASKED,
	RANK_NOTHING, /* asked, and nothing to conclude */
	RANK_SILENT,  /* blocked, or the server is down */
	RANK_NO_STUN, /* blocked, or its host has no STUN */
	RANK_DOWN,    /* an ICMP error came for what went out: hardly blocked, but no more is known */
	RANK_BLOCKED, /* blocked for certain */
	RANK_HEARD,   /* something came over UDP: not blocked */
	RANK_SAW,     /* it saw the address that most servers saw */
	RANK_POOL,    /* another one, but it knows the type and that the NAT has several */
	RANK_TYPE,    /* the one that most saw, and it knows the type */
	RANK_WHOLE,   /* and the filtering */
};

/* Did anything come over UDP? */
static bool is_heard(const struct nat_verdict *v)
{
	return nat_has_type(v) || saw_public(v) || v->filtering != NAT_BEHAVIOUR_UNKNOWN ||
	       v->reasons & HEARD_REASONS;
}

static enum rank rank_blocked(const struct nat_verdict *v)
{
	if (v->reasons & NAT_REASON_ALL_SILENT)
		return RANK_SILENT;
	return v->reasons & NAT_REASON_TCP_REFUSED ? RANK_NO_STUN : RANK_BLOCKED;
}

static enum rank rank_verdict(const struct nat_verdict *v, const struct nat_tally *votes)
{
	bool leads = false;

	for (size_t i = 0; i < v->n_public && saw_public(v); i++)
		leads |= nat_tally_leads(votes, &v->public[i].addr);
	if (leads && nat_has_type(v))
		return v->filtering != NAT_BEHAVIOUR_UNKNOWN ? RANK_WHOLE : RANK_TYPE;
	if (leads)
		return RANK_SAW;
	if (nat_has_type(v) && is_pool(v))
		return RANK_POOL;
	if (is_heard(v))
		return RANK_HEARD;
	if (v->type == NAT_BLOCKED)
		return rank_blocked(v);
	if (v->reasons & NAT_REASON_DOWN)
		return RANK_DOWN;
	return v->reasons ? RANK_NOTHING : RANK_UNASKED;
}

/* Votes of the servers that saw an address over UDP, or of the others; those of that one first. */
static void add_votes(struct nat_tally *t, const struct nat_verdict verdicts[], size_t n, size_t first,
		      bool udp)
{
	for (size_t turn = 0; turn <= n; turn++) {
		const struct nat_verdict *v = &verdicts[turn == 0 ? first : turn - 1];

		if ((turn > 0 && turn - 1 == first) || saw_public(v) != udp)
			continue;
		for (size_t i = 0; i < v->n_public; i++)
			nat_tally_add(t, &v->public[i]);
	}
}

/* Moves the addresses that others can use to the front; the order is kept otherwise. */
static void put_global_first(struct nat_verdict *v)
{
	struct endpoint sorted[NAT_PUBLIC_MAX];
	size_t n = 0;

	for (int global = 1; global >= 0; global--)
		for (size_t i = 0; i < v->n_public; i++)
			if ((addr_scope(&v->public[i].addr) == ADDR_GLOBAL) == global)
				sorted[n++] = v->public[i];
	for (size_t i = 0; i < n; i++)
		v->public[i] = sorted[i];
}

/* By votes, and the chosen server's first among equals. What was seen over TCP only if there is no more. */
static void list_public(const struct nat_verdict verdicts[], size_t n, size_t chosen, struct nat_verdict *v)
{
	struct nat_tally votes = { 0 };

	add_votes(&votes, verdicts, n, chosen, true);
	if (votes.n == 0)
		add_votes(&votes, verdicts, n, chosen, false);
	nat_tally_list(&votes, v);
	put_global_first(v);
}

/*
 * The votes on where the public sees us. A server inside our own network, or the
 * carrier's, sees us elsewhere: it has none, if another one saw a global address.
 */
static void count_votes(struct nat_tally *t, const struct nat_verdict verdicts[], size_t n)
{
	struct nat_tally all = { 0 };
	bool any_global = false;

	add_votes(&all, verdicts, n, 0, true);
	for (size_t i = 0; i < all.n; i++)
		any_global |= addr_scope(&all.items[i].seen.addr) == ADDR_GLOBAL;
	*t = (struct nat_tally){ 0 };
	for (size_t i = 0; i < all.n; i++)
		if (!any_global || addr_scope(&all.items[i].seen.addr) == ADDR_GLOBAL)
			t->items[t->n++] = all.items[i];
}

/*
 * How many of those that saw what most saw found the type of this one? That a
 * NAT maps by destination is no opinion: seen once, it disproves what others,
 * with addresses that were mapped alike by chance, have found.
 */
static size_t count_type(const struct nat_verdict verdicts[], size_t n, const struct nat_tally *votes,
			 const struct nat_verdict *one)
{
	size_t found = 0;

	if (one->type == NAT_SYMMETRIC)
		return n + 1;
	if (rank_verdict(one, votes) < RANK_TYPE)
		return 0;
	for (size_t i = 0; i < n; i++)
		found += rank_verdict(&verdicts[i], votes) >= RANK_TYPE && verdicts[i].type == one->type;
	return found;
}

/* What speaks for one verdict. */
struct claim {
	size_t found; /* count_type */
	bool closed;  /* the type is any but none: a server on this side of a firewall sees none */
	enum rank rank;
};

/* By the number that found the type, then what is safer to believe, then how much it knows. */
static bool is_stronger(const struct claim *a, const struct claim *b)
{
	if (a->found != b->found)
		return a->found > b->found;
	if (a->found > 0 && a->closed != b->closed)
		return a->closed;
	return a->rank > b->rank;
}

/* The strongest; the first of those that are alike. */
static size_t choose(const struct nat_verdict verdicts[], size_t n)
{
	struct claim best = { 0 };
	struct nat_tally votes;
	size_t chosen = 0;

	count_votes(&votes, verdicts, n);
	for (size_t i = 0; i < n; i++) {
		struct claim claim = { .found = count_type(verdicts, n, &votes, &verdicts[i]),
				       .closed = verdicts[i].type != NAT_NONE,
				       .rank = rank_verdict(&verdicts[i], &votes) };

		if (is_stronger(&claim, &best)) {
			best = claim;
			chosen = i;
		}
	}
	return chosen;
}

size_t nat_combine(const struct nat_verdict verdicts[], size_t n, struct nat_verdict *out)
{
	size_t chosen = choose(verdicts, n);
	struct nat_verdict v = verdicts[chosen];

	list_public(verdicts, n, chosen, &v);
	for (size_t a = 0; a < n; a++)
		for (size_t b = a + 1; b < n; b++)
			v.reasons |= compare(&verdicts[a], &verdicts[b]);
	*out = v;
	return chosen;
}

bool nat_needs_gateway(const struct nat_verdict *verdict)
{
	if (verdict->type != NAT_NONE)
		return true;
	return verdict->n_public == 0 || addr_scope(&verdict->public[0].addr) != ADDR_GLOBAL;
}
