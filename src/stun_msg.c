/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stun_msg.h"

#include <stdio.h>
#include <string.h>

#define ATTRIBUTE_HEADER_SIZE 4

/* RFC 8489 5: a message's type is its method (Binding is 1) with two bits for the class between. */
enum message_type {
	BINDING_REQUEST = 0x0001,
	BINDING_INDICATION = 0x0011,
	BINDING_RESPONSE = 0x0101,
	BINDING_ERROR = 0x0111,
};

/* Attributes that are read or written here. */
enum {
	MAPPED_ADDRESS = 0x0001,
	CHANGE_REQUEST = 0x0003,
	SOURCE_ADDRESS = 0x0004,
	CHANGED_ADDRESS = 0x0005,
	ERROR_CODE = 0x0009,
	XOR_MAPPED_ADDRESS = 0x0020,
	COMPREHENSION_OPTIONAL = 0x8000, /* from here on */
	OLD_XOR_MAPPED_ADDRESS = 0x8020, /* of the drafts before RFC 5389 */
	SOFTWARE = 0x8022,
	RESPONSE_ORIGIN = 0x802b,
	OTHER_ADDRESS = 0x802c,
};

/* What CHANGE-REQUEST asks for: RFC 5780 7.2. */
#define CHANGE_FLAG_ADDRESS 0x04
#define CHANGE_FLAG_PORT 0x02

enum form { FORM_OTHER, FORM_ADDRESS, FORM_XOR_ADDRESS, FORM_TEXT, FORM_ERROR, FORM_CHANGE };

struct known {
	uint16_t type;
	enum form form;
	const char *name;
};

/* Of RFC 8489 18.3, RFC 5780 9.1 and RFC 3489 11.2: what a server may send that we understand. */
static const struct known known_attributes[] = {
	{ MAPPED_ADDRESS, FORM_ADDRESS, "MAPPED-ADDRESS" },
	{ 0x0002, FORM_ADDRESS, "RESPONSE-ADDRESS" },
	{ CHANGE_REQUEST, FORM_CHANGE, "CHANGE-REQUEST" },
	{ SOURCE_ADDRESS, FORM_ADDRESS, "SOURCE-ADDRESS" },
	{ CHANGED_ADDRESS, FORM_ADDRESS, "CHANGED-ADDRESS" },
	{ 0x0006, FORM_TEXT, "USERNAME" },
	{ 0x0007, FORM_OTHER, "PASSWORD" },
	{ 0x0008, FORM_OTHER, "MESSAGE-INTEGRITY" },
	{ ERROR_CODE, FORM_ERROR, "ERROR-CODE" },
	{ 0x000a, FORM_OTHER, "UNKNOWN-ATTRIBUTES" },
	{ 0x000b, FORM_ADDRESS, "REFLECTED-FROM" },
	{ 0x0014, FORM_TEXT, "REALM" },
	{ 0x0015, FORM_TEXT, "NONCE" },
	{ 0x001c, FORM_OTHER, "MESSAGE-INTEGRITY-SHA256" },
	{ 0x001d, FORM_OTHER, "PASSWORD-ALGORITHM" },
	{ 0x001e, FORM_OTHER, "USERHASH" },
	{ XOR_MAPPED_ADDRESS, FORM_XOR_ADDRESS, "XOR-MAPPED-ADDRESS" },
	{ 0x0026, FORM_OTHER, "PADDING" },
	{ 0x0027, FORM_OTHER, "RESPONSE-PORT" },
	{ 0x8002, FORM_OTHER, "PASSWORD-ALGORITHMS" },
	{ 0x8003, FORM_TEXT, "ALTERNATE-DOMAIN" },
	{ OLD_XOR_MAPPED_ADDRESS, FORM_XOR_ADDRESS, "XOR-MAPPED-ADDRESS" },
	{ SOFTWARE, FORM_TEXT, "SOFTWARE" },
	{ 0x8023, FORM_ADDRESS, "ALTERNATE-SERVER" },
	{ 0x8027, FORM_OTHER, "CACHE-TIMEOUT" },
	{ 0x8028, FORM_OTHER, "FINGERPRINT" },
	{ RESPONSE_ORIGIN, FORM_ADDRESS, "RESPONSE-ORIGIN" },
	{ OTHER_ADDRESS, FORM_ADDRESS, "OTHER-ADDRESS" },
};

static const uint8_t magic_cookie[] = { 0x21, 0x12, 0xa4, 0x42 };

struct message {
	const uint8_t *bytes;
	size_t len;
};

struct attribute {
	unsigned type;
	const struct known *known; /* NULL: not one of the table */
	const uint8_t *value;
	size_t len; /* without padding */
};

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

size_t stun_msg_request(const struct stun_id *id, enum stun_change change,
			uint8_t buf[static STUN_REQUEST_MAX])
{
	static const uint8_t flags[] = {
		[STUN_CHANGE_NOTHING] = 0,
		[STUN_CHANGE_PORT] = CHANGE_FLAG_PORT,
		[STUN_CHANGE_BOTH] = CHANGE_FLAG_ADDRESS | CHANGE_FLAG_PORT,
	};
	size_t len = change == STUN_CHANGE_ABSENT ? STUN_HEADER_SIZE : STUN_REQUEST_MAX;

	put16(buf, BINDING_REQUEST);
	put16(buf + 2, (uint16_t)(len - STUN_HEADER_SIZE));
	memcpy(buf + 4, magic_cookie, sizeof(magic_cookie));
	memcpy(buf + 8, id->bytes, sizeof(id->bytes));
	if (change != STUN_CHANGE_ABSENT) {
		put16(buf + 20, CHANGE_REQUEST);
		put16(buf + 22, 4);
		put16(buf + 24, 0);
		put16(buf + 26, flags[change]);
	}
	return len;
}

static const struct known *find_known(unsigned type)
{
	for (size_t i = 0; i < ARRAY_LEN(known_attributes); i++)
		if (known_attributes[i].type == type)
			return &known_attributes[i];
	return NULL;
}

/* The attribute at *offset, which moves behind its padding. False at the end, or if it is truncated. */
static bool next_attribute(const struct message *m, size_t *offset, struct attribute *out)
{
	size_t rest = m->len > *offset ? m->len - *offset : 0;
	const uint8_t *at;
	size_t len, padded;

	if (rest < ATTRIBUTE_HEADER_SIZE)
		return false;
	at = m->bytes + *offset;
	len = get16(at + 2);
	padded = (len + 3) / 4 * 4;
	if (padded > rest - ATTRIBUTE_HEADER_SIZE)
		return false;
	*out = (struct attribute){
		.type = get16(at),
		.known = find_known(get16(at)),
		.value = at + ATTRIBUTE_HEADER_SIZE,
		.len = len,
	};
	*offset += ATTRIBUTE_HEADER_SIZE + padded;
	return true;
}

/* The first attribute of that type. */
static bool find_attribute(const struct message *m, unsigned type, struct attribute *out)
{
	size_t offset = STUN_HEADER_SIZE;

	while (next_attribute(m, &offset, out))
		if (out->type == type)
			return true;
	return false;
}

static int refuse_value(struct err *e, const struct attribute *a)
{
	return err_set(e, EBADMSG, "%s is malformed", a->known->name);
}

/*
 * RFC 8489 14.1 and 14.2. What is XORed has the bytes of cookie and
 * transaction ID, which stand at offset 4, laid over port and address.
 */
static int read_address(struct err *e, const struct message *m, const struct attribute *a,
			struct endpoint *out)
{
	bool xored = a->known->form == FORM_XOR_ADDRESS;
	struct endpoint ep;

	memset(&ep, 0, sizeof(ep)); /* the whole union */
	if (a->len == 8 && a->value[1] == 1)
		ep.addr.family = AF_INET;
	else if (a->len == 20 && a->value[1] == 2)
		ep.addr.family = AF_INET6;
	else
		return refuse_value(e, a);
	ep.port = (uint16_t)(get16(a->value + 2) ^ (xored ? get16(m->bytes + 4) : 0));
	for (size_t i = 0; i < addr_size(&ep.addr); i++)
		ep.addr.bytes[i] = (uint8_t)(a->value[4 + i] ^ (xored ? m->bytes[4 + i] : 0));
	*out = ep;
	return 0;
}

/* Where it is, *out is written; type counts more than its older form. */
static int read_either(struct err *e, const struct message *m, unsigned type, unsigned older,
		       struct endpoint *out)
{
	struct attribute a;

	if (!find_attribute(m, type, &a) && !find_attribute(m, older, &a))
		return 0;
	return read_address(e, m, &a, out);
}

/* A NUL ends the text: RFC 3489's servers, and coturn in ERROR-CODE, pad with them. */
static void read_text(const uint8_t *value, size_t len, char text[static STUN_TEXT_MAX + 1])
{
	size_t n;

	for (n = 0; n < len && n < STUN_TEXT_MAX && value[n] != '\0'; n++)
		text[n] = value[n] >= 0x20 && value[n] < 0x7f ? (char)value[n] : '?';
	text[n] = '\0';
}

static int read_error(struct err *e, const struct attribute *a, unsigned *code,
		      char reason[static STUN_TEXT_MAX + 1])
{
	unsigned hundreds;

	if (a->len < 4)
		return refuse_value(e, a);
	hundreds = a->value[2] & 7; /* the bits before are reserved */
	if (hundreds < 3 || hundreds > 6 || a->value[3] > 99)
		return refuse_value(e, a);
	*code = hundreds * 100 + a->value[3];
	read_text(a->value + 4, a->len - 4, reason);
	return 0;
}

int stun_msg_length(struct err *e, const uint8_t header[static STUN_HEADER_SIZE])
{
	size_t len = STUN_HEADER_SIZE + (size_t)get16(header + 2);

	if (header[0] & 0xc0)
		return err_set(e, EBADMSG, "its first two bits are not 0, as STUN's are");
	if (memcmp(header + 4, magic_cookie, sizeof(magic_cookie)) != 0)
		return err_set(e, EBADMSG, "it has no magic cookie");
	if (len % 4 != 0)
		return err_set(e, EBADMSG, "its length field is not a multiple of 4");
	if (len > STUN_MESSAGE_MAX)
		return err_set(e, EBADMSG, "its length field says %zu bytes, more than %d", len,
			       STUN_MESSAGE_MAX);
	return (int)len;
}

static int check_header(struct err *e, const struct message *m)
{
	int len;

	if (m->len < STUN_HEADER_SIZE)
		return err_set(e, EBADMSG, "it is shorter than a header");
	len = stun_msg_length(e, m->bytes);
	if (len < 0)
		return len;
	if ((size_t)len != m->len)
		return err_set(e, EBADMSG, "it has %zu bytes, its length field says %d", m->len, len);
	if (get16(m->bytes) != BINDING_RESPONSE && get16(m->bytes) != BINDING_ERROR)
		return err_set(e, EBADMSG, "it is no Binding response: %s", stun_msg_kind(m->bytes, m->len));
	return 0;
}

static int check_attributes(struct err *e, const struct message *m)
{
	size_t offset = STUN_HEADER_SIZE;
	struct attribute a;

	while (next_attribute(m, &offset, &a))
		if (!a.known && a.type < COMPREHENSION_OPTIONAL)
			return err_set(e, EBADMSG,
				       "it has an unknown attribute that must be comprehended, 0x%04x",
				       a.type);
	if (offset != m->len)
		return err_set(e, EBADMSG, "an attribute is truncated");
	return 0;
}

static int read_addresses(struct err *e, const struct message *m, struct stun_response *r)
{
	int ret = read_either(e, m, XOR_MAPPED_ADDRESS, OLD_XOR_MAPPED_ADDRESS, &r->xor_mapped);

	if (ret == 0)
		ret = read_either(e, m, MAPPED_ADDRESS, MAPPED_ADDRESS, &r->mapped);
	if (ret == 0)
		ret = read_either(e, m, OTHER_ADDRESS, CHANGED_ADDRESS, &r->other);
	return ret;
}

static int read_outcome(struct err *e, const struct message *m, struct stun_response *r)
{
	struct attribute a;

	if (get16(m->bytes) != BINDING_ERROR)
		return 0;
	if (!find_attribute(m, ERROR_CODE, &a))
		return err_set(e, EBADMSG, "it is an error response without ERROR-CODE");
	return read_error(e, &a, &r->error, r->reason);
}

int stun_msg_decode(struct err *e, const uint8_t *bytes, size_t len, struct stun_response *out)
{
	const struct message m = { bytes, len };
	struct stun_response r;
	int ret = check_header(e, &m);

	memset(&r, 0, sizeof(r));
	if (ret == 0)
		ret = check_attributes(e, &m);
	if (ret == 0)
		ret = read_addresses(e, &m, &r);
	if (ret == 0)
		ret = read_outcome(e, &m, &r);
	if (ret < 0)
		return ret;
	memcpy(r.id.bytes, bytes + 8, sizeof(r.id.bytes));
	*out = r;
	return 0;
}

/* The text of an attribute's value; "" for a form that has none. */
#define VALUE_STRLEN (STUN_TEXT_MAX + 8)

static int describe_address(struct err *e, const struct message *m, const struct attribute *a,
			    char text[static VALUE_STRLEN])
{
	struct endpoint ep;
	int ret = read_address(e, m, a, &ep);

	if (ret == 0)
		endpoint_format(&ep, text);
	return ret;
}

static int describe_error(struct err *e, const struct attribute *a, char text[static VALUE_STRLEN])
{
	char reason[STUN_TEXT_MAX + 1];
	unsigned code;
	int ret = read_error(e, a, &code, reason);

	if (ret == 0)
		snprintf(text, VALUE_STRLEN, "%u%s%s", code, reason[0] ? " " : "", reason);
	return ret;
}

static int describe_change(struct err *e, const struct attribute *a, char text[static VALUE_STRLEN])
{
	static const char *const words[] = { "nothing", "port", "address", "address and port" };

	if (a->len != 4)
		return refuse_value(e, a);
	strcpy(text, words[(a->value[3] & (CHANGE_FLAG_ADDRESS | CHANGE_FLAG_PORT)) / CHANGE_FLAG_PORT]);
	return 0;
}

static int describe_value(struct err *e, const struct message *m, const struct attribute *a,
			  char text[static VALUE_STRLEN])
{
	text[0] = '\0';
	switch (a->known->form) {
	case FORM_ADDRESS:
	case FORM_XOR_ADDRESS:
		return describe_address(e, m, a, text);
	case FORM_TEXT:
		read_text(a->value, a->len, text);
		return 0;
	case FORM_ERROR:
		return describe_error(e, a, text);
	case FORM_CHANGE:
		return describe_change(e, a, text);
	case FORM_OTHER:
		break;
	}
	return 0;
}

bool stun_msg_next_attribute(const uint8_t *bytes, size_t len, size_t *offset,
			     char text[static STUN_ATTRIBUTE_STRLEN])
{
	struct message m = { bytes, len };
	char value[VALUE_STRLEN];
	struct attribute a;
	struct err e;

	if (len < STUN_HEADER_SIZE)
		return false;
	if (m.len > STUN_HEADER_SIZE + (size_t)get16(bytes + 2))
		m.len = STUN_HEADER_SIZE + (size_t)get16(bytes + 2);
	if (*offset == 0)
		*offset = STUN_HEADER_SIZE;
	if (!next_attribute(&m, offset, &a))
		return false;
	if (!a.known)
		snprintf(text, STUN_ATTRIBUTE_STRLEN, "0x%04x (%zu bytes)", a.type, a.len);
	else if (describe_value(&e, &m, &a, value) < 0)
		snprintf(text, STUN_ATTRIBUTE_STRLEN, "%s (malformed)", a.known->name);
	else
		snprintf(text, STUN_ATTRIBUTE_STRLEN, "%s%s%s", a.known->name, value[0] ? " " : "", value);
	return true;
}

const char *stun_msg_kind(const uint8_t *bytes, size_t len)
{
	if (len < 2 || bytes[0] & 0xc0)
		return "not STUN";
	switch ((enum message_type)get16(bytes)) {
	case BINDING_REQUEST:
		return "Binding request";
	case BINDING_INDICATION:
		return "Binding indication";
	case BINDING_RESPONSE:
		return "Binding response";
	case BINDING_ERROR:
		return "Binding error response";
	}
	return "STUN message of another method";
}
