/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random evidence: what must hold of every verdict, whatever was seen. */
#include "nat_given.h"

#define RUNS 1000000

/* Parsed once: local of F and of M, and what both may be mapped to. */
struct endpoints {
	struct endpoint local_f, local_m, mapped[4];
};

static struct endpoints given_endpoints(void)
{
	struct endpoints all = { .local_f = given_endpoint(LOCAL_F), .local_m = given_endpoint(LOCAL_M) };

	for (size_t i = 0; i < ARRAY_LEN(all.mapped); i++)
		all.mapped[i] = given_endpoint(given_mapped("abxs"[i]));
	return all;
}

static enum nat_reply random_reply(uint64_t *seed)
{
	static const enum nat_reply likely[] = { NAT_ANSWERED, NAT_SILENT };

	return given_below(seed, 4) ? likely[given_below(seed, 2)]
				    : (enum nat_reply)given_below(seed, NAT_NO_ENTRY + 1);
}

/* Mapped to itself or one of few, so that some agree; mostly to the usual one. */
static struct nat_observation random_observation(uint64_t *seed, const struct endpoints *all,
						 const struct endpoint *local, uint32_t usual)
{
	uint32_t which = given_below(seed, 6) ? usual : given_below(seed, 5);

	return (struct nat_observation){ random_reply(seed), which ? all->mapped[which - 1] : *local };
}

static void add_replies(uint64_t *seed, const struct endpoints *all, struct nat_evidence *e)
{
	uint32_t usual = given_below(seed, 5);

	e->other_state = NAT_OTHER_USABLE;
	e->plain = random_observation(seed, all, &e->local_f, usual);
	for (size_t i = 0; i < NAT_SITES; i++)
		e->mapping[i] = random_observation(seed, all, &e->local_m, usual);
	e->change_both = random_reply(seed);
	e->change_port = random_reply(seed);
	e->proof_both = random_reply(seed);
	e->proof_port = random_reply(seed);
}

static struct nat_evidence random_evidence(uint64_t *seed, const struct endpoints *all)
{
	struct nat_evidence e = { .local_f = all->local_f, .local_m = all->local_m };

	if (given_below(seed, 20))
		add_replies(seed, all, &e);
	else
		e.plain.reply = NAT_SILENT;
	if (given_below(seed, 10) == 0)
		e.other_state = (enum nat_other)given_below(seed, NAT_OTHER_USABLE + 1);
	if (given_below(seed, 20) == 0)
		e.bar = (enum nat_bar)given_below(seed, NAT_BAR_ERROR + 1);
	e.rewritten = given_below(seed, 50) == 0;
	e.odd_mapped = given_below(seed, 50) == 0;
	e.tcp = (enum nat_tcp)given_below(seed, NAT_TCP_ANSWERED + 1);
	e.received = given_below(seed, 50) == 0;
	return e;
}

/* Assertions cost more than what they look at: only one that fails is made. */
static void check(bool ok, int run, const char *what)
{
	if (!ok)
		ck_abort_msg("run %d: %s", run, what);
}

static bool has(const struct nat_observation *o)
{
	return o->reply == NAT_ANSWERED;
}

static bool is_local(const struct nat_evidence *e, size_t site)
{
	return endpoint_equal(&e->mapping[site].mapped, &e->local_m);
}

static void check_mapping(const struct nat_evidence *e, const struct nat_verdict *v, int run)
{
	bool any = has(&e->plain), local = !any || endpoint_equal(&e->plain.mapped, &e->local_f);
	bool differ = false;

	for (size_t i = 0; i < NAT_SITES; i++) {
		any |= has(&e->mapping[i]);
		local &= !has(&e->mapping[i]) || is_local(e, i);
		for (size_t k = 0; k < i; k++)
			differ |= has(&e->mapping[i]) && has(&e->mapping[k]) &&
				  !endpoint_equal(&e->mapping[i].mapped, &e->mapping[k].mapped);
	}
	check((v->mapping == NAT_BEHAVIOUR_NONE) == (any && local), run, "none");
	check((v->type == NAT_SYMMETRIC) == (differ && e->other_state == NAT_OTHER_USABLE), run, "symmetric");
	if (v->mapping == NAT_ENDPOINT_INDEPENDENT)
		check(has(&e->mapping[NAT_A1P1]) && has(&e->mapping[NAT_A2P2]) && !differ && !local &&
			      e->other_state == NAT_OTHER_USABLE,
		      run, "independent without proof");
}

static void check_filtering(const struct nat_evidence *e, const struct nat_verdict *v, int run)
{
	bool both = e->proof_both == NAT_ANSWERED || v->type == NAT_SYMMETRIC;
	bool port = e->proof_port == NAT_ANSWERED || v->type == NAT_SYMMETRIC;
	bool filtered = has(&e->plain) && e->change_both == NAT_SILENT;
	bool ok = e->other_state == NAT_OTHER_USABLE;

	switch (v->filtering) {
	case NAT_BEHAVIOUR_NONE:
		ok &= e->change_both == NAT_ANSWERED && v->mapping == NAT_BEHAVIOUR_NONE;
		break;
	case NAT_ENDPOINT_INDEPENDENT:
		ok &= e->change_both == NAT_ANSWERED && v->mapping != NAT_BEHAVIOUR_NONE;
		break;
	case NAT_ADDRESS_DEPENDENT:
		ok &= filtered && e->change_port == NAT_ANSWERED && both;
		break;
	case NAT_ADDRESS_AND_PORT_DEPENDENT:
		ok &= filtered && e->change_port == NAT_SILENT && port;
		break;
	case NAT_BEHAVIOUR_UNKNOWN:
		ok = true;
		break;
	}
	check(ok, run, nat_behaviour_name(v->filtering));
}

/* The n-th reply of the evidence, in no order that matters. */
static enum nat_reply *nth_reply(struct nat_evidence *e, size_t n)
{
	enum nat_reply *const replies[] = { &e->plain.reply, &e->proof_both, &e->proof_port, &e->change_both,
					    &e->change_port };

	return n < NAT_SITES ? &e->mapping[n].reply : replies[n - NAT_SITES];
}

#define REPLIES (NAT_SITES + 5)
#define TESTS_OF_FILTER (NAT_SITES + 3) /* II and III are the last two */

static bool heard_anything(const struct nat_evidence *e)
{
	struct nat_evidence copy = *e;

	for (size_t n = 0; n < REPLIES; n++) {
		enum nat_reply reply = *nth_reply(&copy, n);

		if (reply == NAT_ANSWERED || reply == NAT_WRONG_SOURCE || reply == NAT_REFUSED)
			return true;
	}
	return e->received || e->odd_mapped || e->rewritten || e->bar == NAT_BAR_ERROR;
}

static void check_type(const struct nat_evidence *e, const struct nat_verdict *v, int run)
{
	static const struct {
		enum nat_behaviour mapping, filtering;
	} of[] = {
		[NAT_NONE] = { NAT_BEHAVIOUR_NONE, NAT_BEHAVIOUR_NONE },
		[NAT_BLOCKED] = { NAT_BEHAVIOUR_UNKNOWN, NAT_BEHAVIOUR_UNKNOWN },
		[NAT_FULL] = { NAT_ENDPOINT_INDEPENDENT, NAT_ENDPOINT_INDEPENDENT },
		[NAT_RESTRICTED] = { NAT_ENDPOINT_INDEPENDENT, NAT_ADDRESS_DEPENDENT },
		[NAT_PORT_RESTRICTED] = { NAT_ENDPOINT_INDEPENDENT, NAT_ADDRESS_AND_PORT_DEPENDENT },
	};

	if (v->type == NAT_SYMMETRIC_UDP_FIREWALL)
		check(v->mapping == NAT_BEHAVIOUR_NONE && e->change_both == NAT_SILENT &&
			      (e->proof_both == NAT_ANSWERED || e->proof_port == NAT_ANSWERED),
		      run, "firewall without proof");
	else if (v->type != NAT_UNKNOWN && v->type != NAT_SYMMETRIC)
		check(v->mapping == of[v->type].mapping && v->filtering == of[v->type].filtering, run,
		      nat_type_name(v->type));
	check(v->type != NAT_BLOCKED || !heard_anything(e), run, "blocked, but heard");
	check(v->type != NAT_UNKNOWN || v->reasons || e->plain.reply == NAT_NOT_ASKED, run,
	      "unknown without a reason");
	check(v->reasons >> NAT_REASONS == 0, run, "a reason that is none");
}

static void check_public(const struct nat_evidence *e, const struct nat_verdict *v, int run)
{
	for (size_t i = 0; i < v->n_public; i++) {
		bool seen = has(&e->plain) && endpoint_equal(&v->public[i], &e->plain.mapped);

		for (size_t k = 0; k < NAT_SITES; k++)
			seen |= has(&e->mapping[k]) && endpoint_equal(&v->public[i], &e->mapping[k].mapped);
		check(seen, run, "nobody saw this address");
		for (size_t k = 0; k < i; k++)
			check(!addr_equal(&v->public[i].addr, &v->public[k].addr), run, "twice");
	}
	check((v->n_public > 1) == !!(v->reasons & NAT_REASON_POOL), run, "pool");
}

START_TEST(no_verdict_says_more_than_the_evidence)
{
	const int runs = (int)unit_many(RUNS);
	unsigned met[NAT_SYMMETRIC_UDP_FIREWALL + 1] = { 0 };
	const struct endpoints all = given_endpoints();
	uint64_t seed = 1;

	for (int run = 0; run < runs; run++) {
		struct nat_evidence e = random_evidence(&seed, &all);
		struct nat_verdict v;

		nat_judge(&e, &v);
		check_mapping(&e, &v, run);
		check_filtering(&e, &v, run);
		check_type(&e, &v, run);
		check_public(&e, &v, run);
		met[v.type]++;
	}
	for (enum nat_type type = NAT_UNKNOWN; type <= NAT_SYMMETRIC_UDP_FIREWALL; type++)
		ck_assert_msg(met[type] > (unsigned)runs / 1000, "%s only %u times", nat_type_name(type), met[type]);
}
END_TEST

/*
 * Do all sockets and sites tell the same story? What contradicts the rest is
 * evidence against an open verdict, and without it the verdict may open.
 */
static bool is_consistent(const struct nat_evidence *e)
{
	int translated = has(&e->plain) ? !endpoint_equal(&e->plain.mapped, &e->local_f) : -1;

	for (size_t i = 0; i < NAT_SITES; i++) {
		if (!has(&e->mapping[i]))
			continue;
		if (translated == !is_local(e, i))
			continue;
		if (translated >= 0)
			return false;
		translated = !is_local(e, i);
	}
	for (size_t i = 0; i < NAT_SITES; i++)
		for (size_t k = 0; k < i; k++)
			if (has(&e->mapping[i]) && has(&e->mapping[k]) &&
			    !endpoint_equal(&e->mapping[i].mapped, &e->mapping[k].mapped))
				return false;
	return true;
}

/* Does the verdict after let in no more than the one before? Unknown may turn out to be any filter. */
static bool narrows(enum nat_type before, enum nat_type after)
{
	static const int openness[] = {
		[NAT_BLOCKED] = 0,
		[NAT_SYMMETRIC] = 1,
		[NAT_SYMMETRIC_UDP_FIREWALL] = 1,
		[NAT_PORT_RESTRICTED] = 2,
		[NAT_RESTRICTED] = 3,
		[NAT_UNKNOWN] = 3,
		[NAT_FULL] = 4,
		[NAT_NONE] = 5,
	};

	return after == NAT_UNKNOWN || openness[after] <= openness[before];
}

static void check_without(const struct nat_evidence *e, const struct nat_verdict *before, size_t n, int run)
{
	static const enum nat_reply instead[] = { NAT_SILENT, NAT_UNDECIDED, NAT_NOT_ASKED };

	for (size_t i = 0; i < ARRAY_LEN(instead); i++) {
		struct nat_evidence less = *e;
		struct nat_verdict v;

		*nth_reply(&less, n) = instead[i];
		nat_judge(&less, &v);
		/*
		 * Silence to II and III is a statement itself, of a narrower
		 * filter; elsewhere less is known, or the last reply is gone.
		 */
		if (n >= TESTS_OF_FILTER && instead[i] == NAT_SILENT)
			check(narrows(before->type, v.type), run, "more open with silence");
		else
			check(v.type == before->type || v.type == NAT_UNKNOWN || v.type == NAT_BLOCKED, run,
			      "another type without an answer");
	}
}

START_TEST(no_verdict_becomes_more_open_when_an_answer_is_missing)
{
	const struct endpoints all = given_endpoints();
	const int runs = (int)unit_many(RUNS / 4);
	uint64_t seed = 2;
	int n_checked = 0;

	for (int run = 0; run < runs; run++) {
		struct nat_evidence e = random_evidence(&seed, &all);
		struct nat_verdict before;

		if (!is_consistent(&e))
			continue;
		nat_judge(&e, &before);
		for (size_t n = 0; n < REPLIES; n++)
			if (*nth_reply(&e, n) == NAT_ANSWERED) {
				check_without(&e, &before, n, run);
				n_checked++;
			}
	}
	ck_assert_int_gt(n_checked, runs * 2 / 5);
}
END_TEST

/* Did the server tell something that its verdict has to keep? */
static bool is_told(const struct nat_evidence *e)
{
	bool told = has(&e->plain) || e->odd_mapped || e->rewritten || e->bar == NAT_BAR_ERROR;

	for (size_t i = 0; i < NAT_SITES; i++)
		told |= has(&e->mapping[i]);
	return told;
}

START_TEST(joined_verdicts_are_one_of_them_and_blocked_only_if_nobody_answered)
{
	const struct endpoints all = given_endpoints();
	uint64_t seed = 3;

	for (int run = 0; run < (int)unit_many(RUNS / 10); run++) {
		struct nat_verdict verdicts[4], v;
		size_t n = 1 + given_below(&seed, 4), chosen;
		bool told = false;

		for (size_t i = 0; i < n; i++) {
			struct nat_evidence e = random_evidence(&seed, &all);

			nat_judge(&e, &verdicts[i]);
			told |= is_told(&e);
		}
		chosen = nat_combine(verdicts, n, &v);
		check(chosen < n && v.type == verdicts[chosen].type, run, "not one of them");
		check(v.type != NAT_BLOCKED || !told, run, "blocked, but heard");
		check(!(verdicts[chosen].reasons & ~v.reasons), run, "reason lost");
		check(v.n_public > 0 || verdicts[chosen].n_public == 0, run, "address lost");
	}
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, no_verdict_says_more_than_the_evidence);
	tcase_add_test(tc, no_verdict_becomes_more_open_when_an_answer_is_missing);
	tcase_add_test(tc, joined_verdicts_are_one_of_them_and_blocked_only_if_nobody_answered);
}

int main(void)
{
	return unit_main("nat_random", add);
}
