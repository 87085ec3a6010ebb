/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ipvs_msg.h"

#include <linux/ip_vs.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <string.h>

/* A netlink header in host order, an address of 16 bytes, a port in network order. */
static void put_key(struct nl_msg *msg, const struct service_key *key, int *failed)
{
	*failed |= nla_put_u16(msg, IPVS_SVC_ATTR_AF, key->vip.addr.family);
	*failed |= nla_put_u16(msg, IPVS_SVC_ATTR_PROTOCOL, key->protocol);
	*failed |= nla_put(msg, IPVS_SVC_ATTR_ADDR, sizeof(key->vip.addr.bytes), key->vip.addr.bytes);
	*failed |= nla_put_u16(msg, IPVS_SVC_ATTR_PORT, htons(key->vip.port));
}

static void put_service_details(struct nl_msg *msg, const struct change *c, int *failed)
{
	struct ip_vs_flags flags = { .flags = c->persistence ? IP_VS_SVC_F_PERSISTENT : 0, .mask = ~0U };
	/* Persistence is per client address: /32, or a prefix length for IPv6, which must not be 0. */
	uint32_t netmask = c->key.vip.addr.family == AF_INET6 ? 128 : ~0U;

	*failed |= nla_put_string(msg, IPVS_SVC_ATTR_SCHED_NAME, c->scheduler);
	*failed |= nla_put(msg, IPVS_SVC_ATTR_FLAGS, sizeof(flags), &flags);
	*failed |= nla_put_u32(msg, IPVS_SVC_ATTR_TIMEOUT, c->persistence);
	*failed |= nla_put_u32(msg, IPVS_SVC_ATTR_NETMASK, netmask);
}

static void put_destination(struct nl_msg *msg, const struct destination *d, bool whole, int *failed)
{
	*failed |= nla_put_u16(msg, IPVS_DEST_ATTR_ADDR_FAMILY, d->real.addr.family);
	*failed |= nla_put(msg, IPVS_DEST_ATTR_ADDR, sizeof(d->real.addr.bytes), d->real.addr.bytes);
	*failed |= nla_put_u16(msg, IPVS_DEST_ATTR_PORT, htons(d->real.port));
	if (!whole)
		return;
	*failed |= nla_put_u32(msg, IPVS_DEST_ATTR_FWD_METHOD, d->method);
	*failed |= nla_put_u32(msg, IPVS_DEST_ATTR_WEIGHT, d->weight);
	*failed |= nla_put_u32(msg, IPVS_DEST_ATTR_U_THRESH, 0);
	*failed |= nla_put_u32(msg, IPVS_DEST_ATTR_L_THRESH, 0);
}

static int put_header(struct nl_msg *msg, int family, int flags, uint8_t cmd)
{
	return genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, flags, cmd, IPVS_GENL_VERSION)
		       ? 0
		       : -ENOMEM;
}

/* A header and the service that is meant; its details too when details is not NULL. */
static int put_service(struct nl_msg *msg, int family, int flags, uint8_t cmd, const struct service_key *key,
		       const struct change *details)
{
	struct nlattr *nest;
	int failed = 0;

	if (put_header(msg, family, flags, cmd) < 0)
		return -ENOMEM;
	nest = nla_nest_start(msg, IPVS_CMD_ATTR_SERVICE);
	if (!nest)
		return -ENOMEM;
	put_key(msg, key, &failed);
	if (details)
		put_service_details(msg, details, &failed);
	nla_nest_end(msg, nest);
	return failed ? -ENOMEM : 0;
}

static bool is_whole(enum change_op op)
{
	return op != CHANGE_DELETE_SERVICE && op != CHANGE_DELETE_DESTINATION;
}

static bool is_of_destination(enum change_op op)
{
	return op == CHANGE_ADD_DESTINATION || op == CHANGE_EDIT_DESTINATION || op == CHANGE_DELETE_DESTINATION;
}

int ipvs_msg_change(struct nl_msg *msg, int family, const struct change *c)
{
	static const uint8_t cmds[] = {
		[CHANGE_ADD_SERVICE] = IPVS_CMD_NEW_SERVICE,
		[CHANGE_EDIT_SERVICE] = IPVS_CMD_SET_SERVICE,
		[CHANGE_DELETE_SERVICE] = IPVS_CMD_DEL_SERVICE,
		[CHANGE_ADD_DESTINATION] = IPVS_CMD_NEW_DEST,
		[CHANGE_EDIT_DESTINATION] = IPVS_CMD_SET_DEST,
		[CHANGE_DELETE_DESTINATION] = IPVS_CMD_DEL_DEST,
	};
	bool of_destination = is_of_destination(c->op);
	struct nlattr *nest;
	int failed = 0;

	if (put_service(msg, family, NLM_F_ACK, cmds[c->op], &c->key,
			is_whole(c->op) && !of_destination ? c : NULL) < 0)
		return -ENOMEM;
	if (!of_destination)
		return 0;
	nest = nla_nest_start(msg, IPVS_CMD_ATTR_DEST);
	if (!nest)
		return -ENOMEM;
	put_destination(msg, &c->destination, is_whole(c->op), &failed);
	nla_nest_end(msg, nest);
	return failed ? -ENOMEM : 0;
}

int ipvs_msg_get_service(struct nl_msg *msg, int family, const struct service_key *key)
{
	return put_service(msg, family, NLM_F_ACK, IPVS_CMD_GET_SERVICE, key, NULL);
}

int ipvs_msg_dump_services(struct nl_msg *msg, int family)
{
	return put_header(msg, family, NLM_F_DUMP, IPVS_CMD_GET_SERVICE);
}

int ipvs_msg_dump_destinations(struct nl_msg *msg, int family, const struct service_key *key)
{
	return put_service(msg, family, NLM_F_DUMP, IPVS_CMD_GET_DEST, key, NULL);
}

#define ATTR_HEADER ((int)sizeof(struct nlattr))

/*
 * The attributes by type, of which the last one counts. As nla_parse(3) does it without a policy, but
 * within this file: a dump of thousands of services has half a million of them.
 */
static void parse(const struct nlattr *attrs[], int max, const void *first, int len)
{
	const unsigned char *at = first;

	memset(attrs, 0, ((size_t)max + 1) * sizeof(*attrs));
	while (len >= ATTR_HEADER) {
		const struct nlattr *attr = (const void *)at;
		int type = attr->nla_type & NLA_TYPE_MASK, taken = NLA_ALIGN(attr->nla_len);

		if (attr->nla_len < ATTR_HEADER || attr->nla_len > len)
			return;
		if (type <= max)
			attrs[type] = attr;
		if (taken >= len)
			return;
		at += taken;
		len -= taken;
	}
}

static int size_of(const struct nlattr *attr)
{
	return attr->nla_len - ATTR_HEADER;
}

static const void *data_of(const struct nlattr *attr)
{
	return (const unsigned char *)attr + sizeof(*attr);
}

static void parse_nested(const struct nlattr *attrs[], int max, const struct nlattr *nest)
{
	parse(attrs, max, data_of(nest), size_of(nest));
}

static bool has(const struct nlattr *const attrs[], int type, size_t size)
{
	return attrs[type] && (size_t)size_of(attrs[type]) >= size;
}

static uint16_t get_u16(const struct nlattr *attr)
{
	uint16_t n;

	memcpy(&n, data_of(attr), sizeof(n));
	return n;
}

static uint32_t get_u32(const struct nlattr *attr)
{
	uint32_t n;

	memcpy(&n, data_of(attr), sizeof(n));
	return n;
}

/* As much as there is room for, with a NUL. */
static void read_text(const struct nlattr *attr, char *buf, size_t size)
{
	size_t len = strnlen(data_of(attr), (size_t)size_of(attr));

	if (len >= size)
		len = size - 1;
	memcpy(buf, data_of(attr), len);
	buf[len] = '\0';
}

/* A counter that is 64 bits wide in STATS64 and perhaps 32 in STATS; absent: 0. */
static uint64_t read_number(const struct nlattr *const attrs[], int type)
{
	uint64_t n;

	if (!has(attrs, type, sizeof(n)))
		return has(attrs, type, sizeof(uint32_t)) ? get_u32(attrs[type]) : 0;
	memcpy(&n, data_of(attrs[type]), sizeof(n));
	return n;
}

static int read_stats(const struct nlattr *nest, struct counters *c, struct rates *r)
{
	const struct nlattr *attrs[IPVS_STATS_ATTR_MAX + 1];

	parse_nested(attrs, IPVS_STATS_ATTR_MAX, nest);
	/* A counter that reads as 0 would look like one that went back, and be billed again. */
	for (int type = IPVS_STATS_ATTR_CONNS; type <= IPVS_STATS_ATTR_OUTBYTES; type++)
		if (!has(attrs, type, sizeof(uint32_t)))
			return -EBADMSG;
	*c = (struct counters){
		.conns = read_number(attrs, IPVS_STATS_ATTR_CONNS),
		.inpkts = read_number(attrs, IPVS_STATS_ATTR_INPKTS),
		.outpkts = read_number(attrs, IPVS_STATS_ATTR_OUTPKTS),
		.inbytes = read_number(attrs, IPVS_STATS_ATTR_INBYTES),
		.outbytes = read_number(attrs, IPVS_STATS_ATTR_OUTBYTES),
	};
	*r = (struct rates){
		.cps = read_number(attrs, IPVS_STATS_ATTR_CPS),
		.inpps = read_number(attrs, IPVS_STATS_ATTR_INPPS),
		.outpps = read_number(attrs, IPVS_STATS_ATTR_OUTPPS),
		.inbps = read_number(attrs, IPVS_STATS_ATTR_INBPS),
		.outbps = read_number(attrs, IPVS_STATS_ATTR_OUTBPS),
	};
	return 0;
}

static bool is_family(uint16_t family)
{
	return family == AF_INET || family == AF_INET6;
}

static int read_addr(const struct nlattr *attr, uint16_t family, struct addr *out)
{
	struct addr a;

	memset(&a, 0, sizeof(a));
	a.family = (sa_family_t)family;
	if (!is_family(family) || (size_t)size_of(attr) < addr_size(&a))
		return -EBADMSG;
	memcpy(a.bytes, data_of(attr), addr_size(&a));
	*out = a;
	return 0;
}

static int read_key(const struct nlattr *const attrs[], struct service *s)
{
	uint16_t family;

	if (!has(attrs, IPVS_SVC_ATTR_AF, sizeof(family)))
		return -EBADMSG;
	family = get_u16(attrs[IPVS_SVC_ATTR_AF]);
	if (has(attrs, IPVS_SVC_ATTR_FWMARK, sizeof(uint32_t))) {
		s->fwmark = get_u32(attrs[IPVS_SVC_ATTR_FWMARK]);
		s->key.vip.addr.family = (sa_family_t)family;
		return s->fwmark && is_family(family) ? 0 : -EBADMSG;
	}
	if (!has(attrs, IPVS_SVC_ATTR_PROTOCOL, sizeof(uint16_t)) || !has(attrs, IPVS_SVC_ATTR_ADDR, 4) ||
	    !has(attrs, IPVS_SVC_ATTR_PORT, sizeof(uint16_t)))
		return -EBADMSG;
	s->key.protocol = (uint8_t)get_u16(attrs[IPVS_SVC_ATTR_PROTOCOL]);
	s->key.vip.port = ntohs(get_u16(attrs[IPVS_SVC_ATTR_PORT]));
	return read_addr(attrs[IPVS_SVC_ATTR_ADDR], family, &s->key.vip.addr);
}

/* The attributes of the nested attribute `type` of an answer. */
static int read_nest(struct nlmsghdr *answer, int type, const struct nlattr *attrs[], int max)
{
	const struct nlattr *outer[IPVS_CMD_ATTR_MAX + 1];

	if (!genlmsg_valid_hdr(answer, 0))
		return -EBADMSG;
	parse(outer, IPVS_CMD_ATTR_MAX, (const unsigned char *)nlmsg_data(answer) + GENL_HDRLEN,
	      nlmsg_datalen(answer) - (int)GENL_HDRLEN);
	if (!outer[type])
		return -EBADMSG;
	parse_nested(attrs, max, outer[type]);
	return 0;
}

int ipvs_msg_read_service(struct nlmsghdr *answer, struct service *out)
{
	const struct nlattr *attrs[IPVS_SVC_ATTR_MAX + 1];
	struct service s = { 0 };
	struct ip_vs_flags flags;
	const struct nlattr *stats;

	if (read_nest(answer, IPVS_CMD_ATTR_SERVICE, attrs, IPVS_SVC_ATTR_MAX) < 0 ||
	    read_key(attrs, &s) < 0 || !attrs[IPVS_SVC_ATTR_SCHED_NAME] ||
	    !has(attrs, IPVS_SVC_ATTR_FLAGS, sizeof(flags)) ||
	    !has(attrs, IPVS_SVC_ATTR_TIMEOUT, sizeof(uint32_t)))
		return -EBADMSG;
	read_text(attrs[IPVS_SVC_ATTR_SCHED_NAME], s.scheduler, sizeof(s.scheduler));
	memcpy(&flags, data_of(attrs[IPVS_SVC_ATTR_FLAGS]), sizeof(flags));
	s.flags = flags.flags & ~(uint32_t)(IP_VS_SVC_F_PERSISTENT | IP_VS_SVC_F_HASHED);
	if (flags.flags & IP_VS_SVC_F_PERSISTENT)
		s.persistence = get_u32(attrs[IPVS_SVC_ATTR_TIMEOUT]);
	s.is_narrow = !attrs[IPVS_SVC_ATTR_STATS64];
	stats = attrs[s.is_narrow ? IPVS_SVC_ATTR_STATS : IPVS_SVC_ATTR_STATS64];
	if (!stats || read_stats(stats, &s.counters, &s.rates) < 0)
		return -EBADMSG;
	*out = s;
	return 0;
}

int ipvs_msg_read_destination(struct nlmsghdr *answer, sa_family_t vip_family, struct destination *out)
{
	const struct nlattr *attrs[IPVS_DEST_ATTR_MAX + 1];
	struct destination d = { 0 };
	uint16_t family = vip_family;

	if (read_nest(answer, IPVS_CMD_ATTR_DEST, attrs, IPVS_DEST_ATTR_MAX) < 0 ||
	    !has(attrs, IPVS_DEST_ATTR_ADDR, 4) || !has(attrs, IPVS_DEST_ATTR_PORT, sizeof(uint16_t)) ||
	    !has(attrs, IPVS_DEST_ATTR_WEIGHT, sizeof(uint32_t)) ||
	    !has(attrs, IPVS_DEST_ATTR_FWD_METHOD, sizeof(uint32_t)))
		return -EBADMSG;
	if (has(attrs, IPVS_DEST_ATTR_ADDR_FAMILY, sizeof(uint16_t)))
		family = get_u16(attrs[IPVS_DEST_ATTR_ADDR_FAMILY]);
	if (read_addr(attrs[IPVS_DEST_ATTR_ADDR], family, &d.real.addr) < 0)
		return -EBADMSG;
	d.real.port = ntohs(get_u16(attrs[IPVS_DEST_ATTR_PORT]));
	d.weight = get_u32(attrs[IPVS_DEST_ATTR_WEIGHT]);
	d.method = get_u32(attrs[IPVS_DEST_ATTR_FWD_METHOD]);
	d.active = (uint32_t)read_number(attrs, IPVS_DEST_ATTR_ACTIVE_CONNS);
	d.inactive = (uint32_t)read_number(attrs, IPVS_DEST_ATTR_INACT_CONNS);
	*out = d;
	return 0;
}
