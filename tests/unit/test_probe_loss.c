/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A probe on links that lose, reorder and double: 3000 runs of every class and
 * link, always the same ones. Half of them lose between client and gateway,
 * half beyond it. In valgrind they are too few to judge how many are right.
 */
#include "stun_world.h"

#define RUNS 3000

struct count {
	unsigned right, unknown, wrong;
	unsigned most_sent;
	int64_t longest;
};

/* What is neither what the gateway is, nor unknown. */
static bool is_wrong(const struct stun_world *w, enum nat_type type)
{
	const struct nat_verdict *v = &w->verdict;

	return (v->type != NAT_UNKNOWN && v->type != type) ||
	       (v->mapping != NAT_BEHAVIOUR_UNKNOWN && v->mapping != w->gateway.mapping) ||
	       (v->filtering != NAT_BEHAVIOUR_UNKNOWN && v->filtering != w->gateway.filtering);
}

static void count_run(struct count *c, const struct stun_world *w, enum nat_type type)
{
	if (is_wrong(w, type))
		c->wrong++;
	else if (w->verdict.type == NAT_UNKNOWN)
		c->unknown++;
	else
		c->right++;
	if (w->n_sent > c->most_sent)
		c->most_sent = (unsigned)w->n_sent;
	if (w->took > c->longest)
		c->longest = w->took;
}

static struct count run_all(const char *what, struct stun_world model, enum nat_type type)
{
	const unsigned runs = unit_many(RUNS);
	struct count c = { 0 };

	for (uint64_t run = 0; run < runs; run++) {
		struct stun_world w = model;

		w.seed = run * 8 + type;
		w.link.near = run % 2;
		w.tcp = NAT_TCP_ANSWERED;
		stun_world_run(&w);
		count_run(&c, &w, type);
	}
	printf("%-36s %-22s right %u, unknown %u, wrong %u; at most %u datagrams, %.2f s\n", what,
	       nat_type_name(type), c.right, c.unknown, c.wrong, c.most_sent, (double)c.longest / 1e6);
	fflush(stdout); /* the process of a test that fails does not come to its end */
	return c;
}

/* Every type that answers, and blocked, on this link. right: at least so many of a thousand. */
static void expect_of_all(const char *what, const struct stun_link *link, unsigned right, unsigned wrong)
{
	for (enum nat_type type = NAT_NONE; type <= NAT_SYMMETRIC_UDP_FIREWALL; type++) {
		struct stun_world w = stun_world_behind(type);
		struct count c;

		w.link = *link;
		c = run_all(what, w, type);
		ck_assert_msg(c.wrong <= wrong, "%s, %s: %u wrong", what, nat_type_name(type), c.wrong);
		ck_assert_msg(unit_in_valgrind() || 1000 * c.right >= right * RUNS, "%s, %s: %u right", what, nat_type_name(type),
			      c.right);
	}
}

#define DELAY .delay = { 25 * STUN_MS, 25 * STUN_MS }

START_TEST(five_per_cent_loss)
{
	expect_of_all("5 % loss", &(struct stun_link){ DELAY, .loss = 50 }, 995, 0);
}
END_TEST

START_TEST(five_per_cent_loss_in_bursts_of_four)
{
	expect_of_all("5 % loss in bursts of four", &(struct stun_link){ DELAY, .loss = 50, .bursts = true },
		      995, 0);
}
END_TEST

START_TEST(ten_per_cent_loss)
{
	expect_of_all("10 % loss", &(struct stun_link){ DELAY, .loss = 100 }, 950, 3);
}
END_TEST

/* More than a verdict can be had from: it must say so. */
START_TEST(twenty_per_cent_loss)
{
	expect_of_all("20 % loss", &(struct stun_link){ DELAY, .loss = 200 }, 500, 3);
}
END_TEST

START_TEST(jitter_that_reorders)
{
	expect_of_all("jitter of 30 %", &(struct stun_link){ DELAY, .jitter = 30 }, 1000, 0);
}
END_TEST

START_TEST(duplicates)
{
	expect_of_all("20 % twice", &(struct stun_link){ DELAY, .duplicates = 200 }, 1000, 0);
}
END_TEST

START_TEST(jitter_and_duplicates_and_five_per_cent_loss)
{
	expect_of_all("5 % loss, jitter of 30 %, 5 % twice",
		      &(struct stun_link){ DELAY, .loss = 50, .jitter = 30, .duplicates = 50 }, 995, 0);
}
END_TEST

START_TEST(five_per_cent_loss_at_an_rtt_of_300_ms)
{
	expect_of_all("5 % loss, RTT 300 ms",
		      &(struct stun_link){ .delay = { 150 * STUN_MS, 150 * STUN_MS }, .loss = 50 }, 995, 0);
}
END_TEST

START_TEST(five_per_cent_loss_at_an_rtt_of_1200_ms)
{
	expect_of_all("5 % loss, RTT 1.2 s",
		      &(struct stun_link){ .delay = { 600 * STUN_MS, 600 * STUN_MS }, .loss = 50 }, 995, 0);
}
END_TEST

/* Mappings and filters that no classic class names. */
START_TEST(five_per_cent_loss_and_a_mapping_by_address)
{
	for (int i = 0; i < 4; i++) {
		struct stun_world w = stun_world_behind(NAT_SYMMETRIC);
		struct count c;

		w.link.loss = 50;
		w.link.bursts = i / 2;
		w.gateway.mapping = NAT_ADDRESS_DEPENDENT;
		w.gateway.filtering = i % 2 ? NAT_ADDRESS_DEPENDENT : NAT_ENDPOINT_INDEPENDENT;
		c = run_all(i / 2 ? "5 % in bursts, mapping by address" : "5 % loss, mapping by address", w,
			    NAT_SYMMETRIC);
		ck_assert_uint_eq(c.wrong, 0);
		ck_assert(unit_in_valgrind() || 1000 * c.right >= 995 * RUNS);
	}
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, five_per_cent_loss);
	tcase_add_test(tc, five_per_cent_loss_in_bursts_of_four);
	tcase_add_test(tc, ten_per_cent_loss);
	tcase_add_test(tc, twenty_per_cent_loss);
	tcase_add_test(tc, jitter_that_reorders);
	tcase_add_test(tc, duplicates);
	tcase_add_test(tc, jitter_and_duplicates_and_five_per_cent_loss);
	tcase_add_test(tc, five_per_cent_loss_at_an_rtt_of_300_ms);
	tcase_add_test(tc, five_per_cent_loss_at_an_rtt_of_1200_ms);
	tcase_add_test(tc, five_per_cent_loss_and_a_mapping_by_address);
}

int main(void)
{
	return unit_main("probe_loss", add);
}
