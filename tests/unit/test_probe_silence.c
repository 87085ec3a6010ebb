/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a probe concludes from silence, and how soon: short outages, policers, late answers. */
#include "stun_world.h"

/* Less may be known than there is, but nothing else. */
static void expect_no_wrong_type(const struct stun_world *w, enum nat_type type)
{
	ck_assert_msg(w->verdict.type == type || w->verdict.type == NAT_UNKNOWN, "%s, not %s",
		      nat_type_name(w->verdict.type), nat_type_name(type));
}

/* --- bursts --- */

/* Of three that are sent together one gets through, the first: it must not be the control each time. */
START_TEST(a_policer_that_drops_the_end_of_each_burst_is_no_filter)
{
	for (size_t i = 0; i < STUN_ANSWERING; i++) {
		struct stun_world w = stun_world_behind(stun_answering[i]);

		w.link.policed = 3 * STUN_MS;
		stun_world_run(&w);
		if (w.gateway.filtering <= NAT_ENDPOINT_INDEPENDENT)
			stun_world_expect_truth(&w, stun_answering[i]);
		else
			expect_no_wrong_type(&w, stun_answering[i]);
	}
}
END_TEST

START_TEST(no_policer_makes_a_wrong_class)
{
	static const int64_t rtts[] = { 2, 20 * STUN_MS, 50 * STUN_MS, 150 * STUN_MS, 600 * STUN_MS };

	for (size_t i = 0; i < ARRAY_LEN(rtts) * STUN_ANSWERING; i++) {
		enum nat_type type = stun_answering[i % STUN_ANSWERING];

		for (int64_t policed = 1; policed < 130 * STUN_MS; policed += 3 * STUN_MS) {
			struct stun_world w = stun_world_behind_at(type, rtts[i / STUN_ANSWERING]);

			w.seed = i;
			w.late = policed % 2 ? 0 : 10 * STUN_MS;
			w.link.policed = policed;
			w.tcp = NAT_TCP_ANSWERED;
			stun_world_run(&w);
			expect_no_wrong_type(&w, type);
		}
	}
}
END_TEST

/* --- late answers --- */

static struct stun_world behind_with_slow_other(enum nat_type type, int64_t rtt, int64_t slow)
{
	struct stun_world w = stun_world_behind_at(type, rtt);

	w.server.slow_other = slow;
	return w;
}

/* A2 is farther away than A1, whose answers tell how long to wait. */
START_TEST(an_answer_overrides_the_silence_that_was_concluded_before_it_came)
{
	for (size_t i = 0; i < 4; i++) {
		enum nat_type type = i % 2 ? NAT_FULL : NAT_NONE;
		int64_t rtt = (i / 2 ? 20 : 50) * STUN_MS;

		for (int64_t slow = 180 * STUN_MS; slow <= 400 * STUN_MS; slow += 5 * STUN_MS) {
			struct stun_world w = behind_with_slow_other(type, rtt, slow);

			stun_world_run(&w);
			stun_world_expect_truth(&w, type);
		}
	}
}
END_TEST

START_TEST(an_answer_that_comes_too_late_leaves_it_unknown)
{
	static const int64_t rtts[] = { 2, 10 * STUN_MS, 20 * STUN_MS, 50 * STUN_MS, 150 * STUN_MS };

	for (size_t i = 0; i < ARRAY_LEN(rtts) * STUN_ANSWERING; i++) {
		enum nat_type type = stun_answering[i % STUN_ANSWERING];

		for (int64_t slow = 0; slow <= 1500 * STUN_MS; slow += 10 * STUN_MS) {
			struct stun_world w = behind_with_slow_other(type, rtts[i / STUN_ANSWERING], slow);

			stun_world_run(&w);
			expect_no_wrong_type(&w, type);
		}
	}
}
END_TEST

/* The policer lets too few controls through to conclude anything, and III is silent. Then II is answered. */
START_TEST(an_answer_overrides_that_too_little_was_known)
{
	struct stun_world w = behind_with_slow_other(NAT_NONE, STUN_RTT, 600 * STUN_MS);

	w.link.policed = 3 * STUN_MS;
	w.server.site[NAT_A1P2] = STUN_SITE_SILENT;
	stun_world_run(&w);
	stun_world_expect_truth(&w, NAT_NONE);
}
END_TEST

/* --- lost controls --- */

static size_t count_rounds(const struct stun_world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_sent; i++)
		n += w->sent[i].socket == PROBE_F && w->sent[i].change == STUN_CHANGE_BOTH;
	return n;
}

/* Behind both filters, near and farther away than a round takes. */
static void expect_rounds(unsigned lost_outwards, unsigned lost_inwards, size_t rounds)
{
	static const enum nat_type types[] = { NAT_PORT_RESTRICTED, NAT_SYMMETRIC_UDP_FIREWALL };

	for (size_t i = 0; i < 2 * ARRAY_LEN(types); i++) {
		struct stun_world w = stun_world_behind_at(types[i / 2], i % 2 ? 5 * STUN_MS : STUN_RTT);

		w.link.lost[STUN_OUTWARDS] = lost_outwards;
		w.link.lost[STUN_INWARDS] = lost_inwards;
		stun_world_run(&w);
		stun_world_expect_truth(&w, types[i / 2]);
		ck_assert_uint_eq(count_rounds(&w), rounds);
	}
}

START_TEST(six_answered_controls_are_enough)
{
	expect_rounds(0, 0, 6);
}
END_TEST

/* The first datagram that is sent is I's, the first reply is the one to it. */
START_TEST(a_lost_control_asks_for_two_more_that_are_answered)
{
	expect_rounds(1, 0, 9);
	expect_rounds(0, 1, 9);
}
END_TEST

/* An error that passes, to II and III of the first round. */
START_TEST(a_round_with_an_error_counts_as_lost)
{
	for (size_t i = 0; i < 2; i++) {
		enum nat_type type = i ? NAT_PORT_RESTRICTED : NAT_SYMMETRIC_UDP_FIREWALL;
		struct stun_world w = stun_world_behind(type);

		w.server.error = 500;
		w.server.n_errors = 3;
		w.server.change_errs = true;
		stun_world_run(&w);
		stun_world_expect_truth(&w, type);
		ck_assert_uint_eq(count_rounds(&w), 9);
	}
}
END_TEST

/* --- outages --- */

/* slow: by how much the server is slower over UDP than over TCP, where it answers at once. */
static void expect_got_over(enum nat_type type, int64_t rtt, int64_t slow)
{
	struct stun_world w = stun_world_behind_at(type, rtt);

	w.link.outage_length = 600 * STUN_MS;
	w.server.slow = slow;
	w.tcp = NAT_TCP_ANSWERED;
	w.handshake = 1;
	stun_world_run(&w);
	ck_assert(w.tried_tcp);
	ck_assert_uint_gt(w.evidence.received, 0);
	expect_no_wrong_type(&w, type);
	if (w.gateway.filtering <= NAT_ENDPOINT_INDEPENDENT || type == NAT_SYMMETRIC)
		ck_assert_int_eq(w.verdict.type, type);
}

START_TEST(an_outage_at_the_start_is_not_blocked_though_tcp_answers_at_once)
{
	static const struct {
		int64_t rtt, slow;
	} rows[] = {
		{ 2, 0 },
		{ 2, 180 * STUN_MS },
		{ 5 * STUN_MS, 0 },
		{ 5 * STUN_MS, 180 * STUN_MS },
		{ 50 * STUN_MS, 0 },
		{ 50 * STUN_MS, 80 * STUN_MS },
		{ 150 * STUN_MS, 0 },
		{ 150 * STUN_MS, 100 * STUN_MS },
		{ 600 * STUN_MS, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows) * STUN_ANSWERING; i++)
		expect_got_over(stun_answering[i % STUN_ANSWERING], rows[i / STUN_ANSWERING].rtt,
				rows[i / STUN_ANSWERING].slow);
}
END_TEST

/* A firewall that is near resets what it does not forward. */
START_TEST(a_reset_at_once_does_not_shorten_the_wait_for_a_far_server)
{
	static const int64_t rtts[] = { 600 * STUN_MS, 1200 * STUN_MS, 2500 * STUN_MS };

	for (size_t i = 0; i < ARRAY_LEN(rtts) * STUN_ANSWERING; i++) {
		struct stun_world w = stun_world_behind_at(stun_answering[i % STUN_ANSWERING],
							   rtts[i / STUN_ANSWERING]);

		w.tcp = NAT_TCP_REFUSED;
		w.handshake = STUN_MS;
		stun_world_run(&w);
		ck_assert(w.tried_tcp);
		stun_world_expect_truth(&w, stun_answering[i % STUN_ANSWERING]);
	}
}
END_TEST

/* M's requests to the other sites are spread over more time than that. */
START_TEST(an_outage_of_a_quarter_of_a_second_does_not_silence_the_other_address)
{
	for (int64_t outage = 0; outage < 100 * STUN_MS; outage += STUN_MS / 2) {
		struct stun_world w = stun_world_behind_at(NAT_FULL, 20 * STUN_MS);

		w.link.outage = outage;
		w.link.outage_length = 250 * STUN_MS;
		stun_world_run(&w);
		stun_world_expect_truth(&w, NAT_FULL);
		ck_assert(!(w.verdict.reasons & NAT_REASON_OTHER_SILENT));
	}
}
END_TEST

/* Once, once, twice, three and four times the RTT and what is allowed for. */
START_TEST(m_waits_longer_and_longer_for_a_site_that_is_silent)
{
	static const int64_t times[] = { 20, 60, 100, 180, 300 };
	struct stun_world w = stun_world_behind_at(NAT_FULL, 20 * STUN_MS);
	struct endpoint silent = stun_world_site(&w, NAT_A2P2);
	size_t n = 0;

	w.server.site[NAT_A2P2] = STUN_SITE_SILENT;
	stun_world_run(&w);
	for (size_t i = 0; i < w.n_sent; i++) {
		if (!endpoint_equal(&w.sent[i].to, &silent))
			continue;
		ck_assert_uint_lt(n, ARRAY_LEN(times));
		ck_assert_int_eq(w.sent[i].time, times[n++] * STUN_MS);
	}
	ck_assert_uint_eq(n, ARRAY_LEN(times));
	ck_assert_int_eq(w.took, 460 * STUN_MS);
	ck_assert(w.verdict.reasons & NAT_REASON_OTHER_SILENT);
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_policer_that_drops_the_end_of_each_burst_is_no_filter);
	tcase_add_test(tc, no_policer_makes_a_wrong_class);
	tcase_add_test(tc, an_answer_overrides_the_silence_that_was_concluded_before_it_came);
	tcase_add_test(tc, an_answer_that_comes_too_late_leaves_it_unknown);
	tcase_add_test(tc, an_answer_overrides_that_too_little_was_known);
	tcase_add_test(tc, six_answered_controls_are_enough);
	tcase_add_test(tc, a_lost_control_asks_for_two_more_that_are_answered);
	tcase_add_test(tc, a_round_with_an_error_counts_as_lost);
	tcase_add_test(tc, an_outage_at_the_start_is_not_blocked_though_tcp_answers_at_once);
	tcase_add_test(tc, a_reset_at_once_does_not_shorten_the_wait_for_a_far_server);
	tcase_add_test(tc, an_outage_of_a_quarter_of_a_second_does_not_silence_the_other_address);
	tcase_add_test(tc, m_waits_longer_and_longer_for_a_site_that_is_silent);
}

int main(void)
{
	return unit_main("probe_silence", add);
}
