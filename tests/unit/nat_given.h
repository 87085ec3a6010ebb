/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * nat_given: evidence and verdicts as short text, for the tests of nat.
 */
#ifndef SONM_NAT_GIVEN_H
#define SONM_NAT_GIVEN_H

#include "given.h"
#include "nat.h"

/* Behaviours' names, to keep tables narrow. */
#define EI "endpoint_independent"
#define AD "address_dependent"
#define APD "address_and_port_dependent"

#define LOCAL_F "192.0.2.2:40000"
#define LOCAL_M "192.0.2.2:50000"

/* Mapped endpoints by their letter; L is the socket's own. */
static inline const char *given_mapped(char letter)
{
	switch (letter) {
	case 'a':
		return "203.0.113.7:1001";
	case 'b':
		return "203.0.113.7:1002";
	case 'c':
		return "203.0.113.7:1003";
	case 'd':
		return "203.0.113.7:1004";
	case 'f':
		return "203.0.113.7:999";
	case 'x':
		return "203.0.113.8:1001"; /* another address */
	case 'y':
		return "203.0.113.9:1002";
	case 'l':
		return "192.0.2.2:1001"; /* the socket's address with another port */
	case 'p':
		return "192.168.1.5:1001";
	case 's':
		return "100.64.0.9:1001";
	default:
		return NULL;
	}
}

/* A reply by its letter: A answered, and those that are none. */
static inline enum nat_reply given_reply(char letter)
{
	static const char letters[] = ".-?Awrn"; /* in the order of enum nat_reply */
	const char *at = strchr(letters, letter);

	ck_assert_msg(letter && at, "'%c' is no reply", letter);
	return (enum nat_reply)(at - letters);
}

static inline struct nat_observation given_observation(char letter, const char *local)
{
	const char *mapped = letter == 'L' ? local : given_mapped(letter);
	struct nat_observation o = { .reply = mapped ? NAT_ANSWERED : given_reply(letter) };

	if (mapped)
		o.mapped = given_endpoint(mapped);
	return o;
}

/*
 * Evidence as text of 12 characters, "F MMMM 23 23": what F and M were mapped
 * to (A1:P1, A1:P2, A2:P1, A2:P2), the replies to II and III, and the proofs of
 * them. The server's other address is usable if it replied to anything.
 */
static inline struct nat_evidence given_evidence(const char *text)
{
	struct nat_evidence e = { 0 };

	ck_assert_msg(strlen(text) == 12, "'%s'", text);
	e.other_state = strspn(text, " .-?n") == 12 ? NAT_OTHER_UNASKED : NAT_OTHER_USABLE;
	e.server = given_endpoint("198.51.100.1:3478");
	e.other = given_endpoint("198.51.100.2:3479");
	e.local_f = given_endpoint(LOCAL_F);
	e.local_m = given_endpoint(LOCAL_M);
	e.plain = given_observation(text[0], LOCAL_F);
	for (size_t i = 0; i < NAT_SITES; i++)
		e.mapping[i] = given_observation(text[2 + i], LOCAL_M);
	e.change_both = given_reply(text[7]);
	e.change_port = given_reply(text[8]);
	e.proof_both = given_reply(text[10]);
	e.proof_port = given_reply(text[11]);
	return e;
}

/* "TYPE MAPPING FILTERING REASON...". */
static inline void verdict_text(const struct nat_verdict *v, char buf[static 1024])
{
	int len = snprintf(buf, 1024, "%s %s %s", nat_type_name(v->type), nat_behaviour_name(v->mapping),
			   nat_behaviour_name(v->filtering));

	for (unsigned bit = 0; bit < NAT_REASONS; bit++)
		if (v->reasons >> bit & 1)
			len += snprintf(buf + len, 1024 - (size_t)len, " %s",
					nat_reason_name((enum nat_reason)(1U << bit)));
}

static inline void expect_verdict(const char *what, const struct nat_verdict *v, const char *want)
{
	char text[1024];

	verdict_text(v, text);
	ck_assert_msg(strcmp(text, want) == 0, "%s: %s, not %s", what, text, want);
}

static inline void expect(const struct nat_evidence *e, const char *want)
{
	struct nat_verdict v;

	memset(&v, 0xff, sizeof(v));
	nat_judge(e, &v);
	expect_verdict("evidence", &v, want);
}

struct row {
	const char *evidence, *want;
};

static inline void expect_rows(const struct row rows[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct nat_evidence e = given_evidence(rows[i].evidence);
		struct nat_verdict v;

		nat_judge(&e, &v);
		expect_verdict(rows[i].evidence, &v, rows[i].want);
	}
}

#define EXPECT_ROWS(rows) expect_rows(rows, ARRAY_LEN(rows))

/* The verdict's public endpoints, in this order: "203.0.113.7:1001 203.0.113.8:1001". */
static inline void expect_public(const struct nat_verdict *v, const char *want)
{
	char text[NAT_PUBLIC_MAX * (ENDPOINT_STRLEN + 1)] = "";

	for (size_t i = 0; i < v->n_public; i++) {
		char one[ENDPOINT_STRLEN];

		if (i > 0)
			strcat(text, " ");
		strcat(text, endpoint_format(&v->public[i], one));
	}
	ck_assert_str_eq(text, want);
}

#endif
