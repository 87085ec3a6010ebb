/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stun_world: a network for one probe, in virtual time: a link that loses,
 * doubles and reorders, a gateway (NAT, firewall), and a STUN server with two
 * addresses and two ports. They exchange real bytes, which the world reads and
 * writes by itself, from the RFCs. The same seed gives the same run.
 *
 *   client (probe) -- gateway -- link -- A1:P1, A1:P2, A2:P1, A2:P2
 */
#ifndef SONM_STUN_WORLD_H
#define SONM_STUN_WORLD_H

#include "given.h"
#include "probe.h"

#define STUN_MS INT64_C(1000) /* microseconds */

/* ck_assert writes to a file whenever it is passed: too slow for what is checked a million times. */
#define STUN_MUST(expr, ...) ((expr) ? (void)0 : ck_abort_msg(__VA_ARGS__))

enum stun_direction { STUN_OUTWARDS, STUN_INWARDS, STUN_DIRECTIONS };

struct stun_link {
	int64_t delay[STUN_DIRECTIONS]; /* microseconds, one way */
	unsigned loss;       /* of a thousand datagrams, in each direction */
	bool bursts;         /* they are lost four in a row; loss is still the average */
	bool near;           /* they are lost between client and gateway, else beyond the gateway */
	unsigned duplicates; /* of a thousand */
	unsigned jitter;     /* per cent of the delay, more or less */
	int64_t outage, outage_length; /* from this time on, everything is lost for so long */
	unsigned lost[STUN_DIRECTIONS]; /* this one is lost, the first is 1; 0: none is */
	int64_t policed; /* what a socket sends less than so long after the one before is dropped */
	unsigned burst_left[STUN_DIRECTIONS]; /* from here on: the world's own */
	unsigned passed[STUN_DIRECTIONS];
	int64_t last_sent[PROBE_SOCKETS]; /* 0: nothing so far */
};

/* What happens to a datagram that the client sends. */
enum stun_block {
	STUN_PASS,
	STUN_DROP,
	STUN_PROHIBIT,    /* ICMP: administratively prohibited */
	STUN_NO_ROUTE,    /* ICMP: host unreachable */
	STUN_NOT_SENT,    /* the client's own firewall refuses */
};

/* What the gateway remembers of one conversation. */
struct stun_session {
	struct endpoint inside, public, remote; /* inside: unspecified, if a stranger began it */
};

struct stun_gateway {
	enum stun_block block;
	enum nat_behaviour mapping;   /* NONE: does not translate */
	enum nat_behaviour filtering; /* NONE: lets everything in */
	bool keeps_port;              /* the public port is the inside one, if it can be */
	bool filters_by_inside;       /* lets in by inside endpoint, whichever public one it was */
	bool accepts_strangers;       /* what it does not forward it takes as its own, and remembers */
	bool rewrites;                /* a helper writes the inside endpoint into MAPPED-ADDRESS */
	struct addr public[3];        /* its addresses: each new mapping takes the next one */
	size_t n_public;              /* 0: the world gives it one */
	struct stun_session sessions[32]; /* the world's own */
	size_t n_sessions, n_mappings;
};

enum stun_site_state {
	STUN_SITE_UP,
	STUN_SITE_SILENT, /* neither hears nor speaks */
	STUN_SITE_DEAF,   /* hears nothing; what CHANGE-REQUEST wants from there is sent */
	STUN_SITE_DOWN,   /* ICMP: port unreachable */
};

enum stun_obedience {
	STUN_OBEYS,
	STUN_IGNORES,    /* CHANGE-REQUEST: answers from where it was asked */
	STUN_REFUSES,    /* error 420 */
	STUN_PORT_ONLY,  /* changes the port, whatever it was asked for */
	STUN_CHANGE_LOST, /* does not answer it at all */
};

/* All zero: it is as RFC 5780 wants it. */
struct stun_server {
	bool rfc3489;          /* knows MAPPED-ADDRESS, SOURCE-ADDRESS and CHANGED-ADDRESS only */
	bool old_xor;          /* XOR-MAPPED-ADDRESS as 0x8020 */
	bool no_other;         /* has no other address to tell */
	struct endpoint other; /* tells this one; unspecified: the truth */
	enum stun_obedience change;
	bool wants_change;     /* answers requests with CHANGE-REQUEST only */
	enum stun_site_state site[NAT_SITES];
	unsigned error;        /* answers with this error ... */
	unsigned n_errors;     /* ... so many requests; 0: all */
	bool change_errs;      /* not those without CHANGE-REQUEST, though they count */
	int64_t slow;          /* microseconds that it thinks */
	int64_t slow_other;    /* so much longer if it answers from A2 */
	struct endpoint source; /* sends everything from here; unspecified: from where it should */
	bool required;         /* adds an attribute that must be understood, and nobody does ... */
	unsigned n_required;   /* ... to so many responses; 0: all */
	bool optional;         /* adds an unknown one that may be ignored */
	bool floods;           /* sends garbage and copies before each response */
	bool random_mapped;    /* makes mapped addresses up */
	struct endpoint mapped; /* says this one always; unspecified: the truth */
	unsigned n_answers;    /* the world's own */
};

struct stun_sent {
	int64_t time; /* since the beginning */
	enum probe_socket socket;
	struct endpoint to;
	enum stun_change change;
};

struct stun_event;

struct stun_world {
	bool ipv6;
	uint64_t seed;
	struct stun_link link;
	struct stun_gateway gateway;
	struct stun_server server;
	enum nat_tcp tcp;     /* what comes of a try over TCP; NOT_TRIED: a silence that nobody ends */
	int64_t handshake;    /* TCP's; 0: the link's RTT. To answer takes one more RTT */
	int64_t late;         /* the client wakes up to this much too late */
	int64_t stop, stopped; /* at this time, the client stops for so long */

	struct endpoint local[PROBE_SOCKETS]; /* from here on: the world's own */
	int64_t begin, now;
	struct stun_event *events;
	size_t n_events;
	uint64_t n_events_ever;
	struct probe *probe;

	/* What was seen. */
	struct stun_sent sent[PROBE_DATAGRAMS_MAX];
	size_t n_sent;
	size_t n_arrived, n_counted; /* datagrams that reached the client */
	size_t n_timers; /* how often the probe's own time came */
	bool tried_tcp;
	int64_t took;
	struct nat_evidence evidence;
	struct nat_verdict verdict;
};

#define STUN_RTT (50 * STUN_MS)

/* The types that are found by answers: all but blocked. */
#define STUN_ANSWERING 6
extern const enum nat_type stun_answering[STUN_ANSWERING];

/* A gateway of that type, as most of them are. */
struct stun_gateway stun_gateway_of(enum nat_type type);

/* A working server behind it. The second one: as far away as that. */
struct stun_world stun_world_behind(enum nat_type type);
struct stun_world stun_world_behind_at(enum nat_type type, int64_t rtt);

/* One of the four endpoints. */
struct endpoint stun_world_site(const struct stun_world *w, enum nat_site site);

/* To be called before the run: an ICMP error that will reach the client at this time. */
void stun_world_icmp(struct stun_world *w, int64_t time, enum probe_socket socket, const struct endpoint *to,
		     enum nat_bar bar);

/*
 * Runs a probe until it is done and the network is quiet, and fails the test
 * when it breaks a rule that always holds: F asks A1:P1 only and M the four,
 * at most PROBE_DATAGRAMS_MAX datagrams, none after it is done, and nothing
 * changes the evidence then; no busy loop.
 */
void stun_world_run(struct stun_world *w);

/* Fails the test unless the run led to this. */
void stun_world_expect(const struct stun_world *w, enum nat_type type, enum nat_behaviour mapping,
		       enum nat_behaviour filtering);

/* The same for what the gateway is. */
void stun_world_expect_truth(const struct stun_world *w, enum nat_type type);

/* Parts of the world, for one another and for tests of single messages. */

#define STUN_ANSWER_MAX 256

struct stun_message {
	uint8_t bytes[STUN_ANSWER_MAX];
	size_t len;
};

/* A success response to the request, with XOR-MAPPED-ADDRESS, and OTHER-ADDRESS unless other is NULL. */
void stun_message_success(struct stun_message *m, const uint8_t *request, const struct endpoint *mapped,
			  const struct endpoint *other);

/* A request that was sent; fails the test unless it is a bare Binding request, or one with CHANGE-REQUEST. */
enum stun_change stun_request_change(const uint8_t *bytes, size_t len);

/* Is the datagram that now comes to the lossy place lost? */
bool stun_link_loses(struct stun_world *w, enum stun_direction direction);

/* The client sends from this socket: is that dropped for being too soon after the one before? */
bool stun_link_polices(struct stun_world *w, enum probe_socket socket);

/* For how long a datagram travels, and in how many copies it arrives. */
int64_t stun_link_delay(struct stun_world *w, enum stun_direction direction);
unsigned stun_link_copies(struct stun_world *w);

/* A request reached the site: answers. */
void stun_server_hear(struct stun_world *w, enum nat_site site, const struct endpoint *from,
		      const uint8_t *bytes, size_t len);

/* Sends over the link to the client, at a time after now. */
void stun_world_reply(struct stun_world *w, int64_t delay, const struct endpoint *from,
		      const struct endpoint *to, const struct stun_message *m);

/* The public endpoint of a datagram that goes out. */
struct endpoint stun_gateway_out(struct stun_world *w, const struct endpoint *inside,
				 const struct endpoint *remote);

/* Does a datagram get in, and to whom? May rewrite it. */
bool stun_gateway_in(struct stun_world *w, const struct endpoint *remote, const struct endpoint *public,
		     struct stun_message *m, struct endpoint *inside);

#endif
