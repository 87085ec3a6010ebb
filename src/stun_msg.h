/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stun_msg: STUN's wire format (RFC 8489, RFC 5780, and RFC 3489 as old servers
 * speak it): writes Binding requests, reads what comes back. Pure: no I/O, no
 * clock, no chance. Knows nothing of tests or verdicts.
 */
#ifndef SONM_STUN_MSG_H
#define SONM_STUN_MSG_H

#include "addr.h"

#define STUN_PORT 3478
#define STUN_HEADER_SIZE 20
#define STUN_REQUEST_MAX 28  /* a header and CHANGE-REQUEST */
#define STUN_MESSAGE_MAX 2048 /* longer ones are refused */
#define STUN_TEXT_MAX 128    /* of SOFTWARE and of an error's reason: RFC 8489 has at most 127 characters */

/* The transaction ID, without the magic cookie. */
struct stun_id {
	uint8_t bytes[12];
};

/* CHANGE-REQUEST: RFC 5780 7.2. */
enum stun_change {
	STUN_CHANGE_ABSENT,  /* no such attribute: a bare request, as the oldest servers want it */
	STUN_CHANGE_NOTHING, /* the attribute with no flag set */
	STUN_CHANGE_PORT,
	STUN_CHANGE_BOTH,    /* address and port */
};

/* Writes a Binding request without other attributes; returns its length, 20 or 28. */
size_t stun_msg_request(const struct stun_id *id, enum stun_change change, uint8_t buf[static STUN_REQUEST_MAX]);

/* A success or error response to a Binding request. Endpoints that are absent have family AF_UNSPEC. */
struct stun_response {
	struct stun_id id;
	unsigned error;  /* 0: success; else the code, 300 to 699 (RFC 8489 14.8) */
	char reason[STUN_TEXT_MAX + 1];   /* printable ASCII, '?' for the rest, up to a NUL; may be "" */
	struct endpoint xor_mapped; /* XOR-MAPPED-ADDRESS, 0x0020 or the older 0x8020 */
	struct endpoint mapped;     /* MAPPED-ADDRESS */
	struct endpoint other;      /* OTHER-ADDRESS, 0x802C, else CHANGED-ADDRESS, 0x0005 */
};

/*
 * Reads a message of exactly len bytes. Of an attribute that is there twice the
 * first one counts (RFC 8489 14). -EBADMSG, and why, for anything but a
 * well-formed Binding response: shorter than a header, no magic cookie, wrong
 * length, a truncated or malformed attribute that we read, an unknown
 * attribute that must be comprehended (below 0x8000), an error response
 * without ERROR-CODE. MESSAGE-INTEGRITY and FINGERPRINT are not verified: we
 * have no key, and UDP and TCP have checksums of their own.
 */
int stun_msg_decode(struct err *e, const uint8_t *bytes, size_t len, struct stun_response *out) MUST_CHECK;

/*
 * How long the message is that begins with these bytes of a stream (RFC 8489
 * 6.2.2): its whole length, 20 to STUN_MESSAGE_MAX. Needs STUN_HEADER_SIZE
 * bytes. -EBADMSG when it is no STUN message, or a longer one.
 */
int stun_msg_length(struct err *e, const uint8_t header[static STUN_HEADER_SIZE]) MUST_CHECK;

/*
 * For people: one attribute after the other. *offset begins with 0 and is kept
 * by the caller between calls. False at the end, or where the rest is
 * malformed. Writes "XOR-MAPPED-ADDRESS 203.0.113.7:40000", the name alone for
 * what has no text, "... (malformed)", or "0x8042 (12 bytes)" for what we do not
 * know; printable ASCII only.
 */
#define STUN_ATTRIBUTE_STRLEN 200
bool stun_msg_next_attribute(const uint8_t *bytes, size_t len, size_t *offset,
			     char text[static STUN_ATTRIBUTE_STRLEN]);

/* "Binding request", "Binding response", "Binding error response", or what else its first two bytes say. */
const char *stun_msg_kind(const uint8_t *bytes, size_t len);

#endif
