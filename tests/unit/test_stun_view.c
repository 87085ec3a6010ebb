/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stun_view.h"
#include "stun_msg.h"
#include "unit.h"

#define CONFIG "/etc/sonm/gateway.yaml"

/* Port 0: not known. */
static struct endpoint at(const char *address, uint16_t port)
{
	struct endpoint ep = { .port = port };
	struct err e;

	ck_assert_int_eq(addr_parse(&e, address, &ep.addr), 0);
	return ep;
}

static void add_address(struct stun_result *r, const char *address, uint16_t port)
{
	r->addresses[r->n_addresses++] = at(address, port);
	r->verdict.public[r->verdict.n_public++] = at(address, port);
}

/* What one server led to. */
static struct stun_result asked(struct discovery *d, enum nat_type type, enum nat_behaviour mapping,
				enum nat_behaviour filtering)
{
	*d = (struct discovery){ .n_servers = 1, .local = at("10.0.0.11", 0).addr };
	d->servers[0].server = at("198.51.100.10", 3478);
	return (struct stun_result){ .source = STUN_FROM_SERVERS,
				     .verdict = { .type = type, .mapping = mapping, .filtering = filtering },
				     .discovery = d,
				     .config_path = CONFIG,
				     .took = 284999 };
}

static struct stun_result unasked(enum stun_source source)
{
	return (struct stun_result){ .source = source,
				     .verdict = { .type = NAT_NONE, .reasons = NAT_REASON_CONFIGURED },
				     .config_path = CONFIG,
				     .took = 1999 };
}

static void expect_text(const struct stun_result *r, const char *text)
{
	struct unit_out out = { 0 };

	stun_view_text(unit_open(&out), r);
	unit_expect(&out, text);
}

static void expect_json(const struct stun_result *r, const char *text)
{
	struct unit_out out = { 0 };
	struct err e;

	ck_assert_int_eq(stun_view_json(&e, unit_open(&out), r), 0);
	unit_expect(&out, text);
}

/* --- text -------------------------------------------------------------------- */

START_TEST(tells_people_of_a_nat)
{
	struct discovery d;
	struct stun_result r = asked(&d, NAT_PORT_RESTRICTED, NAT_ENDPOINT_INDEPENDENT,
				     NAT_ADDRESS_AND_PORT_DEPENDENT);

	add_address(&r, "203.0.113.7", 40012);
	expect_text(&r, "Public address:  203.0.113.7 (port 40012)\n"
			"NAT type:        Port restricted NAT\n"
			"Mapping:         endpoint independent\n"
			"Filtering:       address and port dependent\n"
			"Gateway needed:  yes: the hub must be a gateway for this worker\n"
			"Time taken:      0.28 s, asked 198.51.100.10:3478\n");
}
END_TEST

START_TEST(tells_people_that_no_gateway_is_needed)
{
	struct discovery d;
	struct stun_result r = asked(&d, NAT_NONE, NAT_BEHAVIOUR_NONE, NAT_BEHAVIOUR_NONE);

	add_address(&r, "2001:db8::7", 61000);
	d.servers[0].server = at("2001:db8:1::10", 3478);
	expect_text(&r, "Public address:  2001:db8::7 (port 61000)\n"
			"NAT type:        Not behind a NAT\n"
			"Mapping:         none\n"
			"Filtering:       none\n"
			"Gateway needed:  no: clients can reach this worker itself\n"
			"Time taken:      0.28 s, asked [2001:db8:1::10]:3478\n");
}
END_TEST

START_TEST(tells_people_why_nothing_is_known)
{
	struct discovery d;
	struct stun_result r = asked(&d, NAT_UNKNOWN, NAT_BEHAVIOUR_UNKNOWN, NAT_BEHAVIOUR_UNKNOWN);

	r.verdict.reasons = NAT_REASON_LOSS | NAT_REASON_CONTRADICT;
	d.servers[d.n_servers++].server = at("198.51.100.20", 3488);
	expect_text(&r, "Public address:  unknown\n"
			"NAT type:        Unknown\n"
			"Mapping:         unknown\n"
			"Filtering:       unknown\n"
			"Gateway needed:  yes, as long as no more is known\n"
			"Time taken:      0.28 s, asked 198.51.100.10:3478, 198.51.100.20:3488\n"
			"Note:            too little came back to conclude more: packets were lost, "
			"or the time was too short\n"
			"Note:            servers lead to different types\n");
}
END_TEST

START_TEST(tells_people_that_udp_is_blocked)
{
	struct discovery d;
	struct stun_result r = asked(&d, NAT_BLOCKED, NAT_BEHAVIOUR_UNKNOWN, NAT_BEHAVIOUR_UNKNOWN);

	r.verdict.reasons = NAT_REASON_ALL_SILENT;
	expect_text(&r, "Public address:  unknown\n"
			"NAT type:        UDP is blocked\n"
			"Mapping:         unknown\n"
			"Filtering:       unknown\n"
			"Gateway needed:  yes: the hub must be a gateway for this worker\n"
			"Time taken:      0.28 s, asked 198.51.100.10:3478\n"
			"Note:            nothing answers: UDP is blocked, or the servers are down\n");
}
END_TEST

START_TEST(lists_all_addresses_and_says_which_are_not_public)
{
	struct discovery d;
	struct stun_result r = asked(&d, NAT_SYMMETRIC, NAT_ADDRESS_DEPENDENT, NAT_ADDRESS_DEPENDENT);

	add_address(&r, "100.64.0.9", 40012);
	add_address(&r, "203.0.113.8", 40013);
	add_address(&r, "203.0.113.9", 0);
	add_address(&r, "192.168.0.9", 0);
	expect_text(&r, "Address:         100.64.0.9 (shared, port 40012)\n"
			"                 203.0.113.8 (port 40013)\n"
			"                 203.0.113.9\n"
			"                 192.168.0.9 (private)\n"
			"NAT type:        Symmetric NAT\n"
			"Mapping:         address dependent\n"
			"Filtering:       address dependent\n"
			"Gateway needed:  yes: the hub must be a gateway for this worker\n"
			"Time taken:      0.28 s, asked 198.51.100.10:3478\n");
}
END_TEST

START_TEST(says_that_nothing_was_asked_and_how_to_ask)
{
	struct stun_result r = unasked(STUN_FROM_INTERFACES);

	add_address(&r, "10.0.0.11", 0);
	expect_text(&r, "Address:         10.0.0.11 (private)\n"
			"NAT type:        Not behind a NAT\n"
			"Gateway needed:  yes: the hub must be a gateway for this worker\n"
			"Note:            no server is configured: nothing was asked\n"
			"Note:            name a STUN server with -s, or in the firewall section of " CONFIG "\n");
}
END_TEST

START_TEST(does_not_teach_who_has_configured_the_addresses)
{
	struct stun_result r = unasked(STUN_FROM_CONFIGURATION);

	add_address(&r, "203.0.113.7", 0);
	expect_text(&r, "Public address:  203.0.113.7\n"
			"NAT type:        Not behind a NAT\n"
			"Gateway needed:  no, if nothing stands before this worker: nobody was asked\n"
			"Note:            no server is configured: nothing was asked\n");
}
END_TEST

/* --- JSON -------------------------------------------------------------------- */

START_TEST(tells_programs_everything)
{
	struct discovery d;
	struct stun_result r = asked(&d, NAT_PORT_RESTRICTED, NAT_ENDPOINT_INDEPENDENT,
				     NAT_ADDRESS_AND_PORT_DEPENDENT);
	struct discovery_server *s = &d.servers[0];

	add_address(&r, "203.0.113.7", 40012);
	add_address(&r, "100.64.0.9", 0);
	r.verdict.reasons = NAT_REASON_POOL | NAT_REASON_DISAGREE;
	s->verdict = r.verdict;
	s->evidence = (struct nat_evidence){ .other_state = NAT_OTHER_USABLE, .other = at("198.51.100.11", 3479),
					     .rtt = 50759, .sent = 24, .received = 12 };
	s = &d.servers[d.n_servers++];
	s->server = at("198.51.100.20", 3488);
	s->evidence = (struct nat_evidence){ .other_state = NAT_OTHER_UNUSABLE, .other = at("10.0.0.1", 1),
					     .sent = 7, .tcp = NAT_TCP_REFUSED };
	expect_json(&r,
		    "{\n"
		    "  \"nat\": \"port_restricted\",\n"
		    "  \"text\": \"Port restricted NAT\",\n"
		    "  \"mapping\": \"endpoint_independent\",\n"
		    "  \"filtering\": \"address_and_port_dependent\",\n"
		    "  \"gateway\": true,\n"
		    "  \"family\": \"IPv4\",\n"
		    "  \"source\": \"stun\",\n"
		    "  \"address\": \"203.0.113.7\",\n"
		    "  \"port\": 40012,\n"
		    "  \"addresses\": [\n"
		    "    {\n"
		    "      \"address\": \"203.0.113.7\",\n"
		    "      \"scope\": \"global\"\n"
		    "    },\n"
		    "    {\n"
		    "      \"address\": \"100.64.0.9\",\n"
		    "      \"scope\": \"shared\"\n"
		    "    }\n"
		    "  ],\n"
		    "  \"local\": \"10.0.0.11\",\n"
		    "  \"reasons\": [\n"
		    "    {\n"
		    "      \"reason\": \"address_pool\",\n"
		    "      \"text\": \"the NAT uses several public addresses\"\n"
		    "    },\n"
		    "    {\n"
		    "      \"reason\": \"servers_disagree\",\n"
		    "      \"text\": \"servers see different public addresses\"\n"
		    "    }\n"
		    "  ],\n"
		    "  \"servers\": [\n"
		    "    {\n"
		    "      \"address\": \"198.51.100.10\",\n"
		    "      \"port\": 3478,\n"
		    "      \"nat\": \"port_restricted\",\n"
		    "      \"other_address\": \"198.51.100.11\",\n"
		    "      \"other_port\": 3479,\n"
		    "      \"mapped_address\": \"203.0.113.7\",\n"
		    "      \"mapped_port\": 40012,\n"
		    "      \"rtt_us\": 50759,\n"
		    "      \"sent\": 24,\n"
		    "      \"received\": 12,\n"
		    "      \"tcp\": \"not_tried\"\n"
		    "    },\n"
		    "    {\n"
		    "      \"address\": \"198.51.100.20\",\n"
		    "      \"port\": 3488,\n"
		    "      \"nat\": \"unknown\",\n"
		    "      \"other_address\": null,\n"
		    "      \"other_port\": null,\n"
		    "      \"mapped_address\": null,\n"
		    "      \"mapped_port\": null,\n"
		    "      \"rtt_us\": null,\n"
		    "      \"sent\": 7,\n"
		    "      \"received\": 0,\n"
		    "      \"tcp\": \"refused\"\n"
		    "    }\n"
		    "  ],\n"
		    "  \"took_ms\": 284\n"
		    "}\n");
}
END_TEST

START_TEST(tells_programs_null_where_nothing_is_known)
{
	struct discovery d;
	struct stun_result r = asked(&d, NAT_BLOCKED, NAT_BEHAVIOUR_UNKNOWN, NAT_BEHAVIOUR_UNKNOWN);

	d.servers[0].server = at("2001:db8:1::10", 3478);
	d.local = (struct addr){ 0 };
	d.servers[0].evidence.tcp = NAT_TCP_SILENT;
	d.servers[0].verdict.type = NAT_BLOCKED;
	expect_json(&r, "{\n"
			"  \"nat\": \"blocked\",\n"
			"  \"text\": \"UDP is blocked\",\n"
			"  \"mapping\": \"unknown\",\n"
			"  \"filtering\": \"unknown\",\n"
			"  \"gateway\": true,\n"
			"  \"family\": \"IPv6\",\n"
			"  \"source\": \"stun\",\n"
			"  \"address\": null,\n"
			"  \"port\": null,\n"
			"  \"addresses\": [],\n"
			"  \"local\": null,\n"
			"  \"reasons\": [],\n"
			"  \"servers\": [\n"
			"    {\n"
			"      \"address\": \"2001:db8:1::10\",\n"
			"      \"port\": 3478,\n"
			"      \"nat\": \"blocked\",\n"
			"      \"other_address\": null,\n"
			"      \"other_port\": null,\n"
			"      \"mapped_address\": null,\n"
			"      \"mapped_port\": null,\n"
			"      \"rtt_us\": null,\n"
			"      \"sent\": 0,\n"
			"      \"received\": 0,\n"
			"      \"tcp\": \"silent\"\n"
			"    }\n"
			"  ],\n"
			"  \"took_ms\": 284\n"
			"}\n");
}
END_TEST

START_TEST(tells_programs_the_same_members_when_nothing_was_asked)
{
	struct stun_result r = unasked(STUN_FROM_CONFIGURATION);

	add_address(&r, "2001:db8::7", 0);
	expect_json(&r, "{\n"
			"  \"nat\": \"none\",\n"
			"  \"text\": \"Not behind a NAT\",\n"
			"  \"mapping\": \"unknown\",\n"
			"  \"filtering\": \"unknown\",\n"
			"  \"gateway\": false,\n"
			"  \"family\": \"IPv6\",\n"
			"  \"source\": \"configuration\",\n"
			"  \"address\": \"2001:db8::7\",\n"
			"  \"port\": null,\n"
			"  \"addresses\": [\n"
			"    {\n"
			"      \"address\": \"2001:db8::7\",\n"
			"      \"scope\": \"global\"\n"
			"    }\n"
			"  ],\n"
			"  \"local\": null,\n"
			"  \"reasons\": [\n"
			"    {\n"
			"      \"reason\": \"configured\",\n"
			"      \"text\": \"no server is configured: nothing was asked\"\n"
			"    }\n"
			"  ],\n"
			"  \"servers\": [],\n"
			"  \"took_ms\": 1\n"
			"}\n");
}
END_TEST

static void expect_member(const struct stun_result *r, const char *line)
{
	struct unit_out out = { 0 };
	struct err e;

	ck_assert_int_eq(stun_view_json(&e, unit_open(&out), r), 0);
	fclose(out.stream);
	ck_assert_msg(strstr(out.text, line) != NULL, "no %s in\n%s", line, out.text);
	free(out.text);
}

START_TEST(has_a_name_for_every_source_and_every_outcome_over_tcp)
{
	static const char *const outcomes[] = { [NAT_TCP_NOT_TRIED] = "\"tcp\": \"not_tried\"\n",
						[NAT_TCP_SILENT] = "\"tcp\": \"silent\"\n",
						[NAT_TCP_REFUSED] = "\"tcp\": \"refused\"\n",
						[NAT_TCP_ANSWERED] = "\"tcp\": \"answered\"\n" };
	static const char *const sources[] = { [STUN_FROM_SERVERS] = "\"source\": \"stun\",\n",
					       [STUN_FROM_CONFIGURATION] = "\"source\": \"configuration\",\n",
					       [STUN_FROM_INTERFACES] = "\"source\": \"interfaces\",\n" };
	struct discovery d;
	struct stun_result r = asked(&d, NAT_FULL, NAT_ENDPOINT_INDEPENDENT, NAT_ENDPOINT_INDEPENDENT);

	for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
		d.servers[0].evidence.tcp = (enum nat_tcp)i;
		expect_member(&r, outcomes[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		r.source = (enum stun_source)i;
		expect_member(&r, sources[i]);
	}
}
END_TEST

/* --- datagrams --------------------------------------------------------------- */

#define HEADER(type, len) 0x01, type, 0, len, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12

static const uint8_t request[] = { 0x00, 0x01, 0, 8, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3,
				   4,    5,    6, 7, 8,    9,    10,   11,   12, 0, 3,
				   0,    4,    0, 0, 0,    6 };
/* 203.0.113.7:40012 and OTHER-ADDRESS 198.51.100.11:3479 */
static const uint8_t response[] = { HEADER(0x01, 24), 0x00, 0x20, 0, 8, 0, 1, 0xbd, 0x5e, 0xea, 0x12,
				    0xd5, 0x45, 0x80, 0x2c, 0, 8, 0, 1, 0x0d, 0x97, 198, 51, 100, 11 };
static const uint8_t old_response[] = { HEADER(0x01, 12), 0, 1, 0, 8, 0, 1, 0x9c, 0x4c, 203, 0, 113, 7 };
static const uint8_t refusal[] = { HEADER(0x11, 28), 0, 9,   0,   21,  0,   0,   4,   20,  'U', 'n', 'k', 'n',
				   'o', 'w', 'n', ' ', 'A', 't', 't', 'r', 'i', 'b', 'u', 't', 'e', 0, 0, 0 };
static const uint8_t noise[] = { 0x80, 0x0a, 0x1b };

static const struct {
	enum discovery_what what;
	int64_t time;
	char socket;
	bool ignored;
	const char *note;
	const uint8_t *bytes;
	size_t len;
	const char *line, *attributes;
} events[] = {
	{ DISCOVERY_SENT, 0, 'F', false, "II", request, sizeof(request),
	  "   0.000 s  F > 198.51.100.10:3478  II: Binding request\n",
	  "            CHANGE-REQUEST address and port\n" },
	{ DISCOVERY_RECEIVED, 52300, 'F', false, "II", response, sizeof(response),
	  "   0.052 s  F < 198.51.100.10:3478  II: Binding response, mapped 203.0.113.7:40012\n",
	  "            XOR-MAPPED-ADDRESS 203.0.113.7:40012\n"
	  "            OTHER-ADDRESS 198.51.100.11:3479\n" },
	{ DISCOVERY_RECEIVED, 1052300, 'M', false, "map A2:P2", old_response, sizeof(old_response),
	  "   1.052 s  M < 198.51.100.10:3478  map A2:P2: Binding response, mapped 203.0.113.7:40012\n",
	  "            MAPPED-ADDRESS 203.0.113.7:40012\n" },
	{ DISCOVERY_RECEIVED, 59999999, 'M', false, "proof II", refusal, sizeof(refusal),
	  "  60.000 s  M < 198.51.100.10:3478  proof II: Binding error response, 420 Unknown Attribute\n",
	  "            ERROR-CODE 420 Unknown Attribute\n" },
	{ DISCOVERY_RECEIVED, 60000, 'F', true, "no request of ours has this transaction ID", response,
	  sizeof(response),
	  "   0.060 s  F < 198.51.100.10:3478  ignored: no request of ours has this transaction ID: "
	  "Binding response, mapped 203.0.113.7:40012\n",
	  "            XOR-MAPPED-ADDRESS 203.0.113.7:40012\n"
	  "            OTHER-ADDRESS 198.51.100.11:3479\n" },
	{ DISCOVERY_ICMP, 10000, 'F', false, "ICMP: port unreachable", NULL, 0,
	  "   0.010 s  F ! 198.51.100.10:3478  ICMP: port unreachable\n", "" },
	{ DISCOVERY_TCP, 600000, 'T', false, "connected", NULL, 0,
	  "   0.600 s  T = 198.51.100.10:3478  connected\n", "" },
};

static void expect_event(const struct discovery_event *event, bool attributes, const char *first,
			 const char *second)
{
	struct unit_out out = { 0 };
	char expected[512];

	snprintf(expected, sizeof(expected), "%s%s", first, second);
	stun_view_event(unit_open(&out), event, attributes);
	unit_expect(&out, expected);
}

START_TEST(shows_a_datagram_in_a_line_and_its_attributes_below)
{
	const struct discovery_event event = {
		.what = events[_i].what, .time = events[_i].time, .socket = events[_i].socket,
		.peer = at("198.51.100.10", 3478), .bytes = events[_i].bytes, .len = events[_i].len,
		.note = events[_i].note, .ignored = events[_i].ignored,
	};

	expect_event(&event, false, events[_i].line, "");
	expect_event(&event, true, events[_i].line, events[_i].attributes);
}
END_TEST

START_TEST(shows_noise_without_letting_it_through)
{
	const struct discovery_event event = {
		.what = DISCOVERY_RECEIVED, .socket = 'F', .peer = at("2001:db8::1", 9), .bytes = noise,
		.len = sizeof(noise), .note = "shorter than a header", .ignored = true,
	};
	struct unit_out out = { 0 };

	stun_view_event(unit_open(&out), &event, true);
	fclose(out.stream);
	ck_assert_ptr_nonnull(strstr(out.text, "  F < [2001:db8::1]:9  ignored: shorter than a header: "));
	for (size_t i = 0; i < out.len; i++)
		ck_assert_msg(out.text[i] >= ' ' || i == out.len - 1, "byte %zu is %d", i, out.text[i]);
	free(out.text);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, tells_people_of_a_nat);
	tcase_add_test(tc, tells_people_that_no_gateway_is_needed);
	tcase_add_test(tc, tells_people_why_nothing_is_known);
	tcase_add_test(tc, tells_people_that_udp_is_blocked);
	tcase_add_test(tc, lists_all_addresses_and_says_which_are_not_public);
	tcase_add_test(tc, says_that_nothing_was_asked_and_how_to_ask);
	tcase_add_test(tc, does_not_teach_who_has_configured_the_addresses);
	tcase_add_test(tc, tells_programs_everything);
	tcase_add_test(tc, tells_programs_null_where_nothing_is_known);
	tcase_add_test(tc, tells_programs_the_same_members_when_nothing_was_asked);
	tcase_add_test(tc, has_a_name_for_every_source_and_every_outcome_over_tcp);
	tcase_add_loop_test(tc, shows_a_datagram_in_a_line_and_its_attributes_below, 0, ARRAY_LEN(events));
	tcase_add_test(tc, shows_noise_without_letting_it_through);
}

int main(void)
{
	return unit_main("stun_view", add);
}
