/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a probe sends, and whom it believes. */
#include "stun_world.h"

/* --- what is sent --- */

START_TEST(begins_with_the_three_tests_of_f_and_one_of_m)
{
	static const enum stun_change changes[] = { STUN_CHANGE_ABSENT, STUN_CHANGE_BOTH, STUN_CHANGE_PORT };
	struct stun_world w = stun_world_behind(NAT_PORT_RESTRICTED);
	size_t n_f[ARRAY_LEN(changes)] = { 0 }, n_m = 0, n = 0;

	stun_world_run(&w);
	for (; w.sent[n].time == 0; n++) {
		for (size_t k = 0; k < ARRAY_LEN(changes); k++)
			n_f[k] += w.sent[n].socket == PROBE_F && w.sent[n].change == changes[k];
		n_m += w.sent[n].socket == PROBE_M && w.sent[n].change == STUN_CHANGE_ABSENT;
	}
	ck_assert_uint_eq(n, 4);
	ck_assert_uint_eq(n_m, 1);
	for (size_t k = 0; k < ARRAY_LEN(changes); k++)
		ck_assert_uint_eq(n_f[k], 1);
}
END_TEST

START_TEST(f_sends_to_the_server_only_whatever_happens)
{
	for (uint64_t run = 0; run < 1000; run++) {
		struct stun_world w = stun_world_behind(stun_answering[run % STUN_ANSWERING]);
		struct endpoint server = stun_world_site(&w, NAT_A1P1);

		w.seed = run;
		w.link.loss = 200;
		stun_world_run(&w);
		for (size_t i = 0; i < w.n_sent; i++)
			ck_assert(w.sent[i].socket == PROBE_M || endpoint_equal(&w.sent[i].to, &server));
	}
}
END_TEST

/* A filter that M's request has opened is what the proof needs; before that its reply would prove nothing. */
START_TEST(m_asks_for_a_change_only_after_it_has_sent_to_where_that_comes_from)
{
	for (size_t i = 0; i < STUN_ANSWERING; i++) {
		struct stun_world w = stun_world_behind(stun_answering[i]);
		enum stun_change opened[] = { [STUN_CHANGE_BOTH] = 0 };
		struct endpoint both = stun_world_site(&w, NAT_A2P2), port = stun_world_site(&w, NAT_A1P2);

		stun_world_run(&w);
		for (size_t k = 0; k < w.n_sent; k++) {
			if (w.sent[k].socket != PROBE_M)
				continue;
			if (w.sent[k].change == STUN_CHANGE_BOTH || w.sent[k].change == STUN_CHANGE_PORT)
				ck_assert(opened[w.sent[k].change]);
			opened[STUN_CHANGE_BOTH] |= endpoint_equal(&w.sent[k].to, &both);
			opened[STUN_CHANGE_PORT] |= endpoint_equal(&w.sent[k].to, &port);
		}
	}
}
END_TEST

/* The world checks the limits in every run; this makes runs in which they are near. */
START_TEST(keeps_its_limits_in_the_worst_networks)
{
	static const unsigned losses[] = { 100, 300, 500, 700, 900, 1000 };
	static const int64_t rtts[] = { 100, 50 * STUN_MS, 1200 * STUN_MS };

	for (uint64_t run = 0; run < unit_many(6000); run++) {
		enum nat_type type = stun_answering[run % STUN_ANSWERING];
		struct stun_world w = stun_world_behind_at(type, rtts[run / 6 % 3]);

		w.seed = run;
		w.link.loss = losses[run / 18 % ARRAY_LEN(losses)];
		w.link.bursts = run / 108 % 2;
		w.link.jitter = 100 * (run / 216 % 2);
		w.link.duplicates = 200;
		w.late = run / 432 % 2 ? 50 * STUN_MS : 0;
		w.tcp = run / 864 % 2 ? NAT_TCP_ANSWERED : NAT_TCP_NOT_TRIED;
		stun_world_run(&w);
		ck_assert_int_le(w.took, 40000 * STUN_MS);
	}
}
END_TEST

/* --- what is believed --- */

START_TEST(icmp_does_not_silence_a_server_that_has_answered)
{
	static const enum nat_bar bars[] = { NAT_BAR_DOWN, NAT_BAR_UNREACHABLE, NAT_BAR_PROHIBITED };

	for (size_t i = 0; i < STUN_ANSWERING * ARRAY_LEN(bars) * PROBE_SOCKETS; i++) {
		enum nat_type type = stun_answering[i % STUN_ANSWERING];
		enum nat_bar bar = bars[i / STUN_ANSWERING % ARRAY_LEN(bars)];
		enum probe_socket socket = i / STUN_ANSWERING / ARRAY_LEN(bars) ? PROBE_M : PROBE_F;
		struct stun_world w = stun_world_behind(type);
		struct endpoint server = stun_world_site(&w, NAT_A1P1);

		stun_world_icmp(&w, STUN_RTT + 1, socket, &server, bar);
		stun_world_icmp(&w, 3 * STUN_RTT, socket, &server, bar);
		stun_world_run(&w);
		stun_world_expect_truth(&w, type);
		ck_assert_int_eq(w.evidence.bar, NAT_BAR_NONE);
	}
}
END_TEST

START_TEST(icmp_about_what_was_never_asked_says_nothing)
{
	static const char *const strangers[] = { "198.51.100.2:3479", "198.51.100.1:3479", "192.0.2.99:3478",
						 "198.51.100.1:1" };

	for (size_t i = 0; i < STUN_ANSWERING * ARRAY_LEN(strangers); i++) {
		enum nat_type type = stun_answering[i % STUN_ANSWERING];
		struct endpoint stranger = given_endpoint(strangers[i / STUN_ANSWERING]);
		struct stun_world w = stun_world_behind(type);

		/* M's first requests to the other sites are lost: it must ask again. */
		w.link.outage = STUN_RTT;
		w.link.outage_length = STUN_MS;
		stun_world_icmp(&w, STUN_MS, PROBE_F, &stranger, NAT_BAR_DOWN);
		stun_world_icmp(&w, STUN_MS, PROBE_M, &stranger, NAT_BAR_PROHIBITED);
		stun_world_icmp(&w, STUN_RTT + 1, PROBE_F, &stranger, NAT_BAR_DOWN);
		if (i >= 2 * STUN_ANSWERING) /* the first two M does ask */
			stun_world_icmp(&w, STUN_RTT + 1, PROBE_M, &stranger, NAT_BAR_DOWN);
		stun_world_run(&w);
		stun_world_expect_truth(&w, type);
	}
}
END_TEST

/* A probe, and the first request of each kind, to be answered by hand. */
struct hand {
	struct probe *probe;
	struct probe_datagram plain, both, m;
	struct endpoint mapped, other;
	uint64_t seed;
};

static void hand_chance(void *context, void *buf, size_t len)
{
	struct hand *h = context;

	for (size_t i = 0; i < len; i++)
		((uint8_t *)buf)[i] = (uint8_t)given_random(&h->seed);
}

static void hand_begin_with(struct hand *h, const char *server)
{
	struct endpoint a1p1 = given_endpoint(server);
	struct endpoint local[] = { given_endpoint("192.168.1.10:40001"),
				    given_endpoint("192.168.1.10:50002") };
	struct probe_datagram d;

	*h = (struct hand){ .mapped = given_endpoint("203.0.113.7:1234"),
			    .other = given_endpoint("198.51.100.2:3479") };
	h->probe = probe_new(&a1p1, local, hand_chance, h, 0);
	while (probe_next(h->probe, 0, &d)) {
		enum stun_change change = stun_request_change(d.bytes, d.len);

		if (d.socket == PROBE_M)
			h->m = d;
		else if (change == STUN_CHANGE_ABSENT)
			h->plain = d;
		else if (change == STUN_CHANGE_BOTH)
			h->both = d;
	}
	ck_assert(h->plain.len && h->both.len && h->m.len);
}

static void hand_begin(struct hand *h)
{
	hand_begin_with(h, "198.51.100.1:3478");
}

static void hand_end(struct hand *h)
{
	probe_free(h->probe);
}

static bool hand_counts(struct hand *h, enum probe_socket socket, const char *from,
			const struct stun_message *m)
{
	struct endpoint source = given_endpoint(from);
	bool counted = true;

	ck_assert_ptr_nonnull(probe_receive(h->probe, STUN_RTT, socket, &source, m->bytes, m->len, &counted));
	return counted;
}

static void expect_nothing_known(const struct hand *h)
{
	const struct nat_evidence *ev = probe_evidence(h->probe);

	ck_assert(!probe_has_answer(h->probe));
	ck_assert_uint_eq(ev->received, 0);
	ck_assert_int_ne(ev->plain.reply, NAT_ANSWERED);
	ck_assert_int_ne(ev->mapping[NAT_A1P1].reply, NAT_ANSWERED);
	ck_assert_int_ne(ev->change_both, NAT_ANSWERED);
	ck_assert_int_eq(ev->other_state, NAT_OTHER_UNASKED);
}

START_TEST(a_reply_with_one_wrong_bit_in_its_transaction_id_never_counts)
{
	CLEANUP(hand_end) struct hand h;
	struct stun_message m;

	hand_begin(&h);
	for (size_t bit = 0; bit < 96; bit++) {
		stun_message_success(&m, h.plain.bytes, &h.mapped, &h.other);
		m.bytes[8 + bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert(!hand_counts(&h, PROBE_F, "198.51.100.1:3478", &m));
	}
	expect_nothing_known(&h);
	m.bytes[19] ^= 0x80;
	ck_assert(hand_counts(&h, PROBE_F, "198.51.100.1:3478", &m));
	ck_assert(probe_has_answer(h.probe));
}
END_TEST

START_TEST(a_reply_on_the_other_socket_never_counts)
{
	CLEANUP(hand_end) struct hand h;
	struct stun_message f, m;

	hand_begin(&h);
	stun_message_success(&f, h.plain.bytes, &h.mapped, &h.other);
	stun_message_success(&m, h.m.bytes, &h.mapped, &h.other);
	ck_assert(!hand_counts(&h, PROBE_M, "198.51.100.1:3478", &f));
	ck_assert(!hand_counts(&h, PROBE_F, "198.51.100.1:3478", &m));
	expect_nothing_known(&h);
	ck_assert(hand_counts(&h, PROBE_M, "198.51.100.1:3478", &m));
	ck_assert(hand_counts(&h, PROBE_F, "198.51.100.1:3478", &f));
}
END_TEST

START_TEST(a_plain_reply_from_another_source_never_counts)
{
	static const char *const sources[] = { "198.51.100.1:3479", "198.51.100.2:3478", "198.51.100.2:3479",
					       "192.0.2.99:3478", "[2001:db8::1]:3478",
					       "[::ffff:198.51.100.1]:3478" };
	CLEANUP(hand_end) struct hand h;
	struct stun_message m;

	hand_begin(&h);
	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		stun_message_success(&m, h.plain.bytes, &h.mapped, &h.other);
		ck_assert(!hand_counts(&h, PROBE_F, sources[i], &m));
		stun_message_success(&m, h.m.bytes, &h.mapped, &h.other);
		ck_assert(!hand_counts(&h, PROBE_M, sources[i], &m));
	}
	expect_nothing_known(&h);
	ck_assert(hand_counts(&h, PROBE_M, "198.51.100.1:3478", &m));
}
END_TEST

/* II's reply may overtake that of I, which says where it should come from. */
START_TEST(a_changed_reply_is_held_against_the_address_that_is_learnt_later)
{
	static const struct {
		const char *from;
		enum nat_reply reply;
	} rows[] = {
		{ "198.51.100.2:3479", NAT_ANSWERED },
		{ "198.51.100.1:3478", NAT_WRONG_SOURCE },
		{ "198.51.100.2:3478", NAT_WRONG_SOURCE },
		{ "192.0.2.99:3479", NAT_WRONG_SOURCE },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(hand_end) struct hand h;
		struct stun_message m;

		hand_begin(&h);
		stun_message_success(&m, h.both.bytes, &h.mapped, &h.other);
		hand_counts(&h, PROBE_F, rows[i].from, &m);
		ck_assert_int_ne(probe_evidence(h.probe)->change_both, NAT_ANSWERED);
		stun_message_success(&m, h.plain.bytes, &h.mapped, &h.other);
		hand_counts(&h, PROBE_F, "198.51.100.1:3478", &m);
		ck_assert_int_eq(probe_evidence(h.probe)->change_both, rows[i].reply);
	}
}
END_TEST

/* --- what ends it at once --- */

/* How often, and when, it must be said: a route may change, a table may be full for a moment. */
START_TEST(what_may_pass_is_believed_when_it_is_said_twenty_milliseconds_later_too)
{
	static const struct {
		enum nat_bar bar;
		bool first, second; /* is it believed then? */
		int64_t later;
	} rows[] = {
		{ NAT_BAR_DOWN, true, true, 0 },
		{ NAT_BAR_PROHIBITED, true, true, 0 },
		{ NAT_BAR_UNREACHABLE, false, false, 0 },
		{ NAT_BAR_UNREACHABLE, false, false, 20 * STUN_MS - 1 },
		{ NAT_BAR_UNREACHABLE, false, true, 20 * STUN_MS },
		{ NAT_BAR_UNREACHABLE, false, true, 700 * STUN_MS },
		{ NAT_BAR_LOCAL, false, false, 0 },
		{ NAT_BAR_LOCAL, false, false, 20 * STUN_MS - 1 },
		{ NAT_BAR_LOCAL, false, true, 20 * STUN_MS },
		{ NAT_BAR_LOCAL, false, true, 700 * STUN_MS },
	};

	for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
		enum probe_socket socket = i % 2 ? PROBE_M : PROBE_F;
		struct endpoint server = given_endpoint("198.51.100.1:3478");
		enum nat_bar bar = rows[i / 2].bar;
		CLEANUP(hand_end) struct hand h;

		hand_begin(&h);
		probe_barred(h.probe, STUN_MS, socket, &server, bar);
		ck_assert_int_eq(probe_evidence(h.probe)->bar, rows[i / 2].first ? bar : NAT_BAR_NONE);
		ck_assert_int_eq(probe_is_done(h.probe, STUN_MS), rows[i / 2].first);
		probe_barred(h.probe, STUN_MS + rows[i / 2].later, socket, &server, bar);
		ck_assert_int_eq(probe_evidence(h.probe)->bar, rows[i / 2].second ? bar : NAT_BAR_NONE);
		ck_assert_int_eq(probe_is_done(h.probe, STUN_MS + rows[i / 2].later), rows[i / 2].second);
	}
}
END_TEST

START_TEST(two_things_that_may_pass_do_not_confirm_each_other)
{
	struct endpoint server = given_endpoint("198.51.100.1:3478");
	CLEANUP(hand_end) struct hand h;

	hand_begin(&h);
	probe_barred(h.probe, STUN_MS, PROBE_F, &server, NAT_BAR_UNREACHABLE);
	probe_barred(h.probe, 41 * STUN_MS, PROBE_F, &server, NAT_BAR_LOCAL);
	ck_assert_int_eq(probe_evidence(h.probe)->bar, NAT_BAR_NONE);
	probe_barred(h.probe, 81 * STUN_MS, PROBE_F, &server, NAT_BAR_LOCAL);
	ck_assert_int_eq(probe_evidence(h.probe)->bar, NAT_BAR_LOCAL);
}
END_TEST

START_TEST(nothing_is_believed_after_the_end)
{
	struct endpoint server = given_endpoint("198.51.100.1:3478");
	CLEANUP(hand_end) struct hand h;
	struct stun_message m;

	hand_begin(&h);
	probe_barred(h.probe, STUN_MS, PROBE_F, &server, NAT_BAR_DOWN);
	probe_barred(h.probe, STUN_MS, PROBE_F, &server, NAT_BAR_PROHIBITED);
	ck_assert_int_eq(probe_evidence(h.probe)->bar, NAT_BAR_DOWN);
	stun_message_success(&m, h.plain.bytes, &h.mapped, &h.other);
	ck_assert(!hand_counts(&h, PROBE_F, "198.51.100.1:3478", &m));
	expect_nothing_known(&h);
}
END_TEST

/* Lets it wait in vain for more. */
static void hand_judge(struct hand *h, struct nat_verdict *v)
{
	struct probe_datagram d;
	int64_t now = STUN_RTT;

	for (; !probe_is_done(h->probe, now); now = probe_wake(h->probe)) {
		while (probe_next(h->probe, now, &d))
			continue;
		if (probe_wants_tcp(h->probe, now))
			probe_tcp(h->probe, now, NAT_TCP_SILENT, 0, NULL);
	}
	nat_judge(probe_evidence(h->probe), v);
}

/* Garbage, nothing at all, and a response to somebody else. */
static void make_useless(const struct hand *h, size_t i, struct stun_message *m)
{
	stun_message_success(m, h->plain.bytes, &h->mapped, &h->other);
	if (i == 2)
		m->bytes[STUN_HEADER_SIZE - 1] ^= 1;
	else
		*m = (struct stun_message){ .bytes = "?", .len = i };
}

START_TEST(whatever_comes_from_the_server_udp_is_not_blocked)
{
	for (size_t i = 0; i < 3 * PROBE_SOCKETS; i++) {
		struct endpoint server = given_endpoint("198.51.100.1:3478");
		CLEANUP(hand_end) struct hand h;
		struct stun_message m;
		struct nat_verdict v;

		hand_begin(&h);
		make_useless(&h, i / 2, &m);
		ck_assert(!hand_counts(&h, i % 2 ? PROBE_M : PROBE_F, "198.51.100.1:3478", &m));
		probe_barred(h.probe, STUN_RTT, PROBE_F, &server, NAT_BAR_PROHIBITED);
		expect_nothing_known(&h);
		hand_judge(&h, &v);
		ck_assert_int_eq(v.type, NAT_UNKNOWN);
		ck_assert_int_eq(probe_evidence(h.probe)->bar, NAT_BAR_ERROR);
	}
}
END_TEST

START_TEST(what_comes_from_elsewhere_does_not_say_that_udp_gets_through)
{
	static const char *const elsewhere[] = { "198.51.100.1:3479", "198.51.100.2:3478", "192.0.2.99:3478" };

	for (size_t i = 0; i < 3 * ARRAY_LEN(elsewhere); i++) {
		CLEANUP(hand_end) struct hand h;
		struct stun_message m;
		struct nat_verdict v;

		hand_begin(&h);
		make_useless(&h, i % 3, &m);
		ck_assert(!hand_counts(&h, PROBE_F, elsewhere[i / 3], &m));
		hand_judge(&h, &v);
		ck_assert_int_eq(v.type, NAT_BLOCKED);
		ck_assert_int_eq(probe_evidence(h.probe)->bar, NAT_BAR_NONE);
	}
}
END_TEST

/* --- mapped addresses --- */

static const struct {
	const char *server, *mapped;
	bool usable;
} mapped_rows[] = {
	{ "198.51.100.1:3478", "203.0.113.7:1234", true },
	{ "198.51.100.1:3478", "192.168.1.10:1234", true }, /* a server inside, with a public address */
	{ "198.51.100.1:3478", "127.0.0.1:1234", false },
	{ "198.51.100.1:3478", "127.255.255.254:1234", false },
	{ "198.51.100.1:3478", "169.254.0.1:1234", false },
	{ "192.168.1.1:3478", "127.0.0.1:1234", false },
	{ "[2001:db8::1]:3478", "[::1]:1234", false },
	{ "[2001:db8::1]:3478", "[fe80::1]:1234", false },
	{ "[2001:db8::1]:3478", "[2001:db8::7]:1234", true },
	{ "127.0.0.1:3478", "127.0.0.1:1234", true },
	{ "127.0.0.1:3478", "169.254.0.1:1234", false },
	{ "127.0.0.1:3478", "192.168.1.10:1234", true },
	{ "169.254.0.9:3478", "169.254.0.1:1234", true },
	{ "169.254.0.9:3478", "127.0.0.1:1234", false },
	{ "[::1]:3478", "[::1]:1234", true },
	{ "[fe80::9]:3478", "[fe80::1]:1234", true },
};

START_TEST(only_who_is_on_this_host_or_link_himself_can_see_us_there)
{
	for (size_t i = 0; i < ARRAY_LEN(mapped_rows); i++) {
		struct endpoint mapped = given_endpoint(mapped_rows[i].mapped);
		bool usable = mapped_rows[i].usable;
		CLEANUP(hand_end) struct hand h;
		struct stun_message m;

		hand_begin_with(&h, mapped_rows[i].server);
		stun_message_success(&m, h.plain.bytes, &mapped, NULL);
		ck_assert_msg(hand_counts(&h, PROBE_F, mapped_rows[i].server, &m) == usable, "row %zu", i);
		ck_assert_int_eq(probe_has_answer(h.probe), usable);
		ck_assert_int_eq(probe_evidence(h.probe)->odd_mapped, !usable);
	}
}
END_TEST

START_TEST(nor_can_he_over_tcp)
{
	for (size_t i = 0; i < ARRAY_LEN(mapped_rows); i++) {
		struct endpoint mapped = given_endpoint(mapped_rows[i].mapped);
		CLEANUP(hand_end) struct hand h;

		hand_begin_with(&h, mapped_rows[i].server);
		probe_tcp(h.probe, STUN_RTT, NAT_TCP_ANSWERED, STUN_RTT, &mapped);
		ck_assert_msg(endpoint_equal(&probe_evidence(h.probe)->tcp_mapped, &mapped) ==
				      mapped_rows[i].usable, "row %zu", i);
	}
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, begins_with_the_three_tests_of_f_and_one_of_m);
	tcase_add_test(tc, f_sends_to_the_server_only_whatever_happens);
	tcase_add_test(tc, m_asks_for_a_change_only_after_it_has_sent_to_where_that_comes_from);
	tcase_add_test(tc, keeps_its_limits_in_the_worst_networks);
	tcase_add_test(tc, icmp_does_not_silence_a_server_that_has_answered);
	tcase_add_test(tc, icmp_about_what_was_never_asked_says_nothing);
	tcase_add_test(tc, a_reply_with_one_wrong_bit_in_its_transaction_id_never_counts);
	tcase_add_test(tc, a_reply_on_the_other_socket_never_counts);
	tcase_add_test(tc, a_plain_reply_from_another_source_never_counts);
	tcase_add_test(tc, a_changed_reply_is_held_against_the_address_that_is_learnt_later);
	tcase_add_test(tc, what_may_pass_is_believed_when_it_is_said_twenty_milliseconds_later_too);
	tcase_add_test(tc, two_things_that_may_pass_do_not_confirm_each_other);
	tcase_add_test(tc, nothing_is_believed_after_the_end);
	tcase_add_test(tc, whatever_comes_from_the_server_udp_is_not_blocked);
	tcase_add_test(tc, what_comes_from_elsewhere_does_not_say_that_udp_gets_through);
	tcase_add_test(tc, only_who_is_on_this_host_or_link_himself_can_see_us_there);
	tcase_add_test(tc, nor_can_he_over_tcp);
}

int main(void)
{
	return unit_main("probe_rules", add);
}
