/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * nat: judges what stands between this host and a STUN server: observations
 * in; mapping and filtering behaviour (RFC 4787), the classic class (RFC 3489)
 * and the reasons out. Pure. Knows no message and no socket. What cannot be
 * known is unknown; nothing is guessed.
 *
 * A1:P1 is the server, A2:P2 its other address. Two sockets ask: F (filtering)
 * never sends anywhere but to A1:P1; M (mapping) asks all four.
 */
#ifndef SONM_NAT_H
#define SONM_NAT_H

#include "addr.h"

enum nat_type {
	NAT_UNKNOWN,
	NAT_NONE,
	NAT_BLOCKED,
	NAT_FULL,
	NAT_RESTRICTED,
	NAT_PORT_RESTRICTED,
	NAT_SYMMETRIC,
	NAT_SYMMETRIC_UDP_FIREWALL,
};

/* How a NAT chooses the public endpoint, and whom it lets in (RFC 4787 4.1, 5). */
enum nat_behaviour {
	NAT_BEHAVIOUR_UNKNOWN,
	NAT_BEHAVIOUR_NONE, /* mapping: does not translate; filtering: is not used */
	NAT_ENDPOINT_INDEPENDENT,
	NAT_ADDRESS_DEPENDENT,
	NAT_ADDRESS_AND_PORT_DEPENDENT,
};

enum nat_reply {
	NAT_NOT_ASKED,
	NAT_SILENT,       /* asked often enough to know: no reply gets here */
	NAT_UNDECIDED,    /* asked, no reply, too little to conclude from (loss, time, datagrams spent) */
	NAT_ANSWERED,     /* as it should be, from where it should come */
	NAT_WRONG_SOURCE, /* answered from elsewhere: the server does not do what was asked (RFC 5780 4.4) */
	NAT_REFUSED,      /* an error response (420: CHANGE-REQUEST is not supported) */
	NAT_NO_ENTRY,     /* ICMP: nobody is there */
};

enum nat_site { NAT_A1P1, NAT_A1P2, NAT_A2P1, NAT_A2P2, NAT_SITES };

/* What the server says of its other address. */
enum nat_other {
	NAT_OTHER_UNASKED, /* no response so far */
	NAT_OTHER_ABSENT,
	NAT_OTHER_UNUSABLE, /* same address or port, other family, private, zero, loopback (RFC 5780 7.4) */
	NAT_OTHER_USABLE,
};

/* Why a server was given up at once. */
enum nat_bar {
	NAT_BAR_NONE,
	NAT_BAR_DOWN,       /* ICMP port unreachable from the server */
	NAT_BAR_UNREACHABLE, /* ICMP: no way to its host or network */
	NAT_BAR_PROHIBITED, /* ICMP: administratively prohibited */
	NAT_BAR_LOCAL,      /* this host's own firewall refused to send (EPERM) */
	NAT_BAR_ERROR,      /* it answers with an error, error, or with what is of no use */
};

/* STUN over TCP, the control for silence over UDP. */
enum nat_tcp {
	NAT_TCP_NOT_TRIED,
	NAT_TCP_SILENT,
	NAT_TCP_REFUSED,  /* a reset: the host is there, the service is not */
	NAT_TCP_ANSWERED,
};

struct nat_observation {
	enum nat_reply reply;
	struct endpoint mapped; /* if answered */
};

/* What is known of one server. All zero: nothing yet. */
struct nat_evidence {
	struct endpoint server;         /* A1:P1 */
	struct endpoint other;          /* A2:P2, if usable */
	enum nat_other other_state;
	enum nat_bar bar;
	unsigned error;                 /* the last error response's code, before it answered; for NAT_BAR_ERROR, 0: no such */
	struct endpoint local_f, local_m; /* the sockets' own: the route's source address, never 0.0.0.0 */
	struct nat_observation plain;   /* F, test I */
	struct nat_observation mapping[NAT_SITES]; /* M */
	enum nat_reply change_both;     /* F, test II: from A2:P2 */
	enum nat_reply change_port;     /* F, test III: from A1:P2 */
	enum nat_reply proof_both;      /* M's test II, when A2:P2 had answered M: is it honoured? */
	enum nat_reply proof_port;      /* M's test III, when A1:P2 had answered M */
	/* XOR-MAPPED-ADDRESS and MAPPED-ADDRESS differed: a helper rewrites (RFC 8489 14.2). */
	bool rewritten;
	/* A mapped address was none: other family, not unicast, port 0. Such responses are ignored. */
	bool unstable;                  /* the same question from the same socket was answered differently */
	bool odd_mapped;
	enum nat_tcp tcp;
	struct endpoint tcp_mapped;     /* if it answered and said so */
	unsigned sent, received;        /* datagrams; received: those that counted */
	int64_t rtt;                    /* microseconds, the first reply's; 0: none */
};

/* Why the verdict is what it is, and what to know about it. A set of bits. */
enum nat_reason {
	NAT_REASON_NO_OTHER = 1 << 0,      /* the server has one address only */
	NAT_REASON_BAD_OTHER = 1 << 1,     /* its other address cannot be used */
	NAT_REASON_CHANGE_REFUSED = 1 << 2, /* it does not support CHANGE-REQUEST */
	NAT_REASON_CHANGE_IGNORED = 1 << 3, /* it answered from the wrong address, to whatever was asked */
	NAT_REASON_CHANGE_UNPROVEN = 1 << 4, /* M could not prove that it honours CHANGE-REQUEST */
	NAT_REASON_OTHER_SILENT = 1 << 5,  /* its other address does not answer */
	NAT_REASON_LOSS = 1 << 6,          /* too little came back to conclude, or to conclude more */
	NAT_REASON_REWRITTEN = 1 << 7,     /* a helper (ALG) rewrites addresses in packets */
	NAT_REASON_ODD_MAPPED = 1 << 8,    /* the server gave a mapped address that is none */
	NAT_REASON_POOL = 1 << 9,          /* the NAT uses several public addresses */
	NAT_REASON_SHARED = 1 << 10,       /* the public address is in 100.64.0.0/10: carrier-grade NAT */
	NAT_REASON_PRIVATE = 1 << 11,      /* the public address is none: another NAT follows, or it is inside */
	NAT_REASON_PROHIBITED = 1 << 12,   /* ICMP: administratively prohibited */
	NAT_REASON_LOCAL_FIREWALL = 1 << 13, /* this host's own firewall refuses to send */
	NAT_REASON_TCP_ANSWERS = 1 << 14,  /* over TCP the server answers, over UDP it does not */
	NAT_REASON_TCP_REFUSED = 1 << 15,  /* its host answers over TCP, without STUN there */
	NAT_REASON_ALL_SILENT = 1 << 16,   /* nothing answers, nor over TCP if tried; or servers are down */
	NAT_REASON_DISAGREE = 1 << 17,     /* servers see different public addresses */
	NAT_REASON_CONTRADICT = 1 << 18,   /* servers lead to different types */
	NAT_REASON_DOWN = 1 << 19,         /* ICMP: nobody listens at the server, or it cannot be reached */
	NAT_REASON_SERVER_ERROR = 1 << 20, /* the server answers with an error */
	NAT_REASON_CONFIGURED = 1 << 21,   /* no server is configured: nothing was asked */
	NAT_REASON_UNSTABLE = 1 << 22,     /* the server answers the same question differently each time */
	NAT_REASONS = 23,                  /* how many there are */
};

#define NAT_PUBLIC_MAX 8

struct nat_verdict {
	enum nat_type type;
	enum nat_behaviour mapping, filtering;
	struct endpoint public[NAT_PUBLIC_MAX]; /* as servers saw them, each address once, likeliest first */
	size_t n_public;
	uint32_t reasons; /* bits of enum nat_reason */
};

/*
 * Judges one server's evidence, which may be incomplete: then less is known.
 *
 *   mapped    mapping         filtering     type
 *   = local   none            independent   none             (open: filtering "none")
 *   = local   none            dependent     symmetric_udp_firewall
 *   else      independent     independent   full
 *   else      independent     address       restricted
 *   else      independent     address+port  port_restricted
 *   else      dependent       any           symmetric
 *   any       no reply, and a bar PROHIBITED or LOCAL, or silence          blocked
 *   anything else                           unknown
 *
 * Address and port are compared: the same address with another port is a NAT.
 * Filtering is dependent only if the server was proven to honour
 * CHANGE-REQUEST, or, behind a NAT that maps by destination, where that cannot
 * be proven, did nothing against it (NAT_REASON_CHANGE_UNPROVEN says so). A host
 * that is not translated is behind a firewall as soon as one filter is proven,
 * even if it stays unknown which.
 *
 * A dependent mapping is said to depend on the address if no more is certain:
 * where it could not be seen whether on the port too, NAT_REASON_LOSS is set.
 */
void nat_judge(const struct nat_evidence *evidence, struct nat_verdict *out);

/*
 * Joins the verdicts of n > 0 servers, in the order of preference. Those that
 * saw the public address that most servers saw vote on the type (of two with as
 * many votes rather not none); of those that found it, the first that knows the
 * filtering too is taken. A mapping by
 * destination that one has seen disproves all others. A server that saw a
 * private or shared address has no vote if another one saw a global one: it is
 * on this side of a NAT. Returns its index; *out is that verdict with all public
 * addresses, and with DISAGREE or CONTRADICT if so. Blocked only if no server
 * answered, not even by ICMP that it is down, and then rather the one that TCP or
 * ICMP confirms. Servers that see different addresses through
 * a NAT that maps by destination, or that showed several to one server, do not
 * disagree: that is a pool. Addresses seen over TCP count only if there are no
 * others, and never disagree.
 */
size_t nat_combine(const struct nat_verdict verdicts[], size_t n, struct nat_verdict *out);

/* Does it say what was looked for: a type, and not only that nothing comes back? */
bool nat_has_type(const struct nat_verdict *verdict);

/* Do these two need a third opinion? Both saw a public address, and not the same; or types that differ. */
bool nat_disagree(const struct nat_verdict *a, const struct nat_verdict *b);

/* Must the hub be a gateway for this host? No only for NAT_NONE with a global address (addr_scope) as the likeliest. */
bool nat_needs_gateway(const struct nat_verdict *verdict);

/* For JSON ("port_restricted") and for people ("Port restricted NAT"). */
const char *nat_type_name(enum nat_type type);
const char *nat_type_text(enum nat_type type);
/* The type of this name. -EINVAL: there is none. */
int nat_type_parse(struct err *e, const char *name, enum nat_type *out) MUST_CHECK;
/* "none", "endpoint_independent", "address_dependent", "address_and_port_dependent", "unknown". */
const char *nat_behaviour_name(enum nat_behaviour behaviour);
/* The same for people: "endpoint independent". */
const char *nat_behaviour_text(enum nat_behaviour behaviour);
/* One bit: "carrier_grade_nat", and a sentence for people without its full stop. */
const char *nat_reason_name(enum nat_reason reason);
const char *nat_reason_text(enum nat_reason reason);

#endif
