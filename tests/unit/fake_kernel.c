/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fake_kernel.h"

#include <linux/ip_vs.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <string.h>

#define MESSAGE_SIZE 1024
#define DUMP_MESSAGES 3 /* in a datagram, so that dumps take several */

/* A request as the kernel understands it. */
struct request {
	struct nlmsghdr *header;
	uint8_t cmd;
	struct service_key key;
	struct nlattr *service[IPVS_SVC_ATTR_MAX + 1];
	struct nlattr *destination[IPVS_DEST_ATTR_MAX + 1];
	struct destination d;
};

static void out_of_memory(const void *p)
{
	if (!p)
		abort();
}

/* Queues a message; join: in the datagram before it, while that has room. */
static void answer(struct fake_kernel *k, struct nl_msg *msg, bool join)
{
	const struct nlmsghdr *header = nlmsg_hdr(msg);
	size_t len = NLMSG_ALIGN(header->nlmsg_len);
	struct fake_datagram *last = k->n_queued > k->n_taken ? &k->queue[k->n_queued - 1] : NULL;

	if (!join || !last || last->n_messages == DUMP_MESSAGES) {
		out_of_memory(base_reserve((void **)&k->queue, k->n_queued, sizeof(*last)) < 0 ? NULL : k);
		last = &k->queue[k->n_queued++];
		*last = (struct fake_datagram){ 0 };
	}
	last->bytes = realloc(last->bytes, last->len + len);
	out_of_memory(last->bytes);
	memset(last->bytes + last->len, 0, len);
	memcpy(last->bytes + last->len, header, header->nlmsg_len);
	last->len += len;
	last->n_messages++;
	nlmsg_free(msg);
}

static struct nl_msg *new_message(void)
{
	struct nl_msg *msg = nlmsg_alloc_size(MESSAGE_SIZE);

	out_of_memory(msg);
	return msg;
}

/* netlink_ack: an error brings the whole request back, success its header. */
static void acknowledge(struct fake_kernel *k, const struct nlmsghdr *request, int code)
{
	struct nl_msg *msg = new_message();
	size_t echo = code ? request->nlmsg_len : sizeof(*request);
	struct nlmsghdr *header = nlmsg_put(msg, request->nlmsg_pid, request->nlmsg_seq, NLMSG_ERROR,
					    (int)(sizeof(struct nlmsgerr) - sizeof(*request) + echo),
					    code ? 0 : 0x100 /* NLM_F_CAPPED */);
	struct nlmsgerr *error = nlmsg_data(header);

	error->error = code;
	memcpy(&error->msg, request, echo);
	answer(k, msg, false);
}

static void put_stats(struct nl_msg *msg, int type, const struct service *s, bool wide)
{
	const uint64_t counts[] = { s->counters.conns, s->counters.inpkts,  s->counters.outpkts,
				    s->counters.inbytes, s->counters.outbytes, s->rates.cps,
				    s->rates.inpps, s->rates.outpps, s->rates.inbps, s->rates.outbps };
	struct nlattr *nest = nla_nest_start(msg, type);

	for (int i = 0; i < (int)ARRAY_LEN(counts); i++) {
		int attr = IPVS_STATS_ATTR_CONNS + i;

		if (wide || attr == IPVS_STATS_ATTR_INBYTES || attr == IPVS_STATS_ATTR_OUTBYTES)
			nla_put_u64(msg, attr, counts[i]);
		else
			nla_put_u32(msg, attr, (uint32_t)counts[i]);
	}
	nla_nest_end(msg, nest);
}

/* ip_vs_genl_fill_service */
static void put_service(struct nl_msg *msg, const struct service *s)
{
	struct ip_vs_flags flags = { .flags = IP_VS_SVC_F_HASHED, .mask = ~0U };
	struct nlattr *nest = nla_nest_start(msg, IPVS_CMD_ATTR_SERVICE);

	nla_put_u16(msg, IPVS_SVC_ATTR_AF, s->key.vip.addr.family);
	if (s->fwmark) {
		nla_put_u32(msg, IPVS_SVC_ATTR_FWMARK, s->fwmark);
	} else {
		nla_put_u16(msg, IPVS_SVC_ATTR_PROTOCOL, s->key.protocol);
		nla_put(msg, IPVS_SVC_ATTR_ADDR, sizeof(s->key.vip.addr.bytes), s->key.vip.addr.bytes);
		nla_put_u16(msg, IPVS_SVC_ATTR_PORT, htons(s->key.vip.port));
	}
	flags.flags |= s->flags | (s->persistence ? IP_VS_SVC_F_PERSISTENT : 0);
	nla_put_string(msg, IPVS_SVC_ATTR_SCHED_NAME, s->scheduler);
	nla_put(msg, IPVS_SVC_ATTR_FLAGS, sizeof(flags), &flags);
	nla_put_u32(msg, IPVS_SVC_ATTR_TIMEOUT, s->persistence);
	nla_put_u32(msg, IPVS_SVC_ATTR_NETMASK, ~0U);
	put_stats(msg, IPVS_SVC_ATTR_STATS, s, false);
	put_stats(msg, IPVS_SVC_ATTR_STATS64, s, true);
	nla_nest_end(msg, nest);
}

/* ip_vs_genl_fill_dest */
static void put_destination(struct nl_msg *msg, const struct destination *d)
{
	struct nlattr *nest = nla_nest_start(msg, IPVS_CMD_ATTR_DEST);

	nla_put(msg, IPVS_DEST_ATTR_ADDR, sizeof(d->real.addr.bytes), d->real.addr.bytes);
	nla_put_u16(msg, IPVS_DEST_ATTR_PORT, htons(d->real.port));
	nla_put_u32(msg, IPVS_DEST_ATTR_FWD_METHOD, d->method);
	nla_put_u32(msg, IPVS_DEST_ATTR_WEIGHT, d->weight);
	nla_put_u32(msg, IPVS_DEST_ATTR_U_THRESH, 0);
	nla_put_u32(msg, IPVS_DEST_ATTR_L_THRESH, 0);
	nla_put_u32(msg, IPVS_DEST_ATTR_ACTIVE_CONNS, d->active);
	nla_put_u32(msg, IPVS_DEST_ATTR_INACT_CONNS, d->inactive);
	nla_put_u32(msg, IPVS_DEST_ATTR_PERSIST_CONNS, 0);
	nla_put_u16(msg, IPVS_DEST_ATTR_ADDR_FAMILY, d->real.addr.family);
	nla_nest_end(msg, nest);
}

static struct nl_msg *reply(const struct request *rq, int flags, uint8_t cmd)
{
	struct nl_msg *msg = new_message();

	genlmsg_put(msg, rq->header->nlmsg_pid, rq->header->nlmsg_seq, IPVS_PEER_FAMILY, 0, flags, cmd,
		    IPVS_GENL_VERSION);
	return msg;
}

static void end_dump(struct fake_kernel *k, const struct request *rq)
{
	struct nl_msg *msg = new_message();
	struct nlmsghdr *header = nlmsg_put(msg, rq->header->nlmsg_pid, rq->header->nlmsg_seq, NLMSG_DONE,
					    sizeof(int), NLM_F_MULTI);
	int code = -k->dump_error;

	memcpy(nlmsg_data(header), &code, sizeof(code));
	answer(k, msg, false);
}

static void dump_services(struct fake_kernel *k, const struct request *rq)
{
	for (size_t i = 0; i < k->services.n + (k->repeat && k->services.n); i++) {
		struct nl_msg *msg;
		struct service s = k->services.items[i % k->services.n];

		if (i + 1 == k->omit)
			continue;
		msg = reply(rq, NLM_F_MULTI, IPVS_CMD_NEW_SERVICE);
		if (i == k->services.n)
			s.counters.inbytes += 1000;
		put_service(msg, &s);
		answer(k, msg, i > 0);
	}
	end_dump(k, rq);
}

/* An unknown service has an empty list, as in the kernel. */
static void dump_destinations(struct fake_kernel *k, const struct request *rq, const struct service *s)
{
	for (size_t i = 0; s && i < s->n_destinations; i++) {
		struct nl_msg *msg = reply(rq, NLM_F_MULTI, IPVS_CMD_NEW_DEST);

		put_destination(msg, &s->destinations[i]);
		answer(k, msg, i > 0);
	}
	end_dump(k, rq);
}

static bool has(struct nlattr *const attrs[], int type, size_t size)
{
	return attrs[type] && (size_t)nla_len(attrs[type]) >= size;
}

static struct endpoint read_endpoint(sa_family_t family, struct nlattr *addr, struct nlattr *port)
{
	struct endpoint ep = { .addr.family = family, .port = ntohs(nla_get_u16(port)) };

	memcpy(ep.addr.bytes, nla_data(addr), addr_size(&ep.addr));
	return ep;
}

/* ip_vs_genl_parse_service. Firewall marks are beyond this kernel's requests. */
static int parse_service(struct request *rq, struct nlattr *nest)
{
	struct nlattr **attrs = rq->service;
	uint16_t family;

	if (!nest || nla_parse_nested(attrs, IPVS_SVC_ATTR_MAX, nest, NULL) < 0 ||
	    !has(attrs, IPVS_SVC_ATTR_AF, 2) || !has(attrs, IPVS_SVC_ATTR_PROTOCOL, 2) ||
	    !has(attrs, IPVS_SVC_ATTR_ADDR, 16) || !has(attrs, IPVS_SVC_ATTR_PORT, 2))
		return -EINVAL;
	family = nla_get_u16(attrs[IPVS_SVC_ATTR_AF]);
	if (family != AF_INET && family != AF_INET6)
		return -EAFNOSUPPORT;
	rq->key.protocol = (uint8_t)nla_get_u16(attrs[IPVS_SVC_ATTR_PROTOCOL]);
	rq->key.vip = read_endpoint((sa_family_t)family, attrs[IPVS_SVC_ATTR_ADDR], attrs[IPVS_SVC_ATTR_PORT]);
	return 0;
}

static bool has_details(const struct request *rq)
{
	return rq->service[IPVS_SVC_ATTR_SCHED_NAME] && has(rq->service, IPVS_SVC_ATTR_FLAGS, 8) &&
	       has(rq->service, IPVS_SVC_ATTR_TIMEOUT, 4) && has(rq->service, IPVS_SVC_ATTR_NETMASK, 4);
}

/* ip_vs_genl_parse_dest, and what __ip_vs_update_dest and its callers refuse. */
static int parse_destination(struct request *rq, struct nlattr *nest)
{
	struct nlattr **attrs = rq->destination;
	uint16_t family = rq->key.vip.addr.family;

	if (!nest || nla_parse_nested(attrs, IPVS_DEST_ATTR_MAX, nest, NULL) < 0 ||
	    !has(attrs, IPVS_DEST_ATTR_ADDR, 16) || !has(attrs, IPVS_DEST_ATTR_PORT, 2))
		return -EINVAL;
	if (has(attrs, IPVS_DEST_ATTR_ADDR_FAMILY, 2))
		family = nla_get_u16(attrs[IPVS_DEST_ATTR_ADDR_FAMILY]);
	if (family != AF_INET && family != AF_INET6)
		return -EAFNOSUPPORT;
	rq->d.real = read_endpoint((sa_family_t)family, attrs[IPVS_DEST_ATTR_ADDR], attrs[IPVS_DEST_ATTR_PORT]);
	if (rq->cmd == IPVS_CMD_DEL_DEST)
		return 0;
	if (!has(attrs, IPVS_DEST_ATTR_FWD_METHOD, 4) || !has(attrs, IPVS_DEST_ATTR_WEIGHT, 4) ||
	    !has(attrs, IPVS_DEST_ATTR_U_THRESH, 4) || !has(attrs, IPVS_DEST_ATTR_L_THRESH, 4))
		return -EINVAL;
	rq->d.method = nla_get_u32(attrs[IPVS_DEST_ATTR_FWD_METHOD]);
	rq->d.weight = nla_get_u32(attrs[IPVS_DEST_ATTR_WEIGHT]);
	if (rq->d.weight > INT32_MAX)
		return -ERANGE;
	if (family != rq->key.vip.addr.family && rq->d.method != IP_VS_CONN_F_TUNNEL)
		return -EINVAL;
	return addr_is_unicast(&rq->d.real.addr) ? 0 : -EINVAL;
}

struct service *fake_kernel_find(struct fake_kernel *k, const struct service_key *key)
{
	for (size_t i = 0; i < k->services.n; i++)
		if (!k->services.items[i].fwmark && service_key_equal(&k->services.items[i].key, key))
			return &k->services.items[i];
	return NULL;
}

/* ip_vs_add_service and ip_vs_edit_service */
static int set_service(struct fake_kernel *k, const struct request *rq, struct service *s)
{
	static const char *const schedulers[] = { "rr", "wrr", "lc", "wlc", "sh" };
	struct service fresh = { .key = rq->key };
	struct ip_vs_flags flags;
	uint32_t netmask;
	bool known = false;
	struct err e;

	if (!has_details(rq))
		return -EINVAL;
	if (rq->cmd == IPVS_CMD_NEW_SERVICE && s)
		return -EEXIST;
	s = s ? s : &fresh;
	nla_strlcpy(fresh.scheduler, rq->service[IPVS_SVC_ATTR_SCHED_NAME], sizeof(fresh.scheduler));
	for (size_t i = 0; i < ARRAY_LEN(schedulers); i++)
		known |= strcmp(schedulers[i], fresh.scheduler) == 0;
	if (!known)
		return -ENOENT;
	netmask = nla_get_u32(rq->service[IPVS_SVC_ATTR_NETMASK]);
	if (rq->key.vip.addr.family == AF_INET6 && (netmask < 1 || netmask > 128))
		return -EINVAL;
	memcpy(&flags, nla_data(rq->service[IPVS_SVC_ATTR_FLAGS]), sizeof(flags));
	memmove(s->scheduler, fresh.scheduler, sizeof(s->scheduler));
	s->persistence = 0;
	s->flags = flags.flags & flags.mask & ~(uint32_t)(IP_VS_SVC_F_PERSISTENT | IP_VS_SVC_F_HASHED);
	if (flags.flags & flags.mask & IP_VS_SVC_F_PERSISTENT)
		s->persistence = nla_get_u32(rq->service[IPVS_SVC_ATTR_TIMEOUT]);
	if (s == &fresh && service_list_add(&e, &k->services, s) < 0)
		return -ENOMEM;
	return 0;
}

static void delete_service(struct fake_kernel *k, struct service *s)
{
	size_t at = (size_t)(s - k->services.items);

	service_clear(s);
	memmove(s, s + 1, (k->services.n - at - 1) * sizeof(*s));
	k->services.n--;
}

static int change_destination(const struct request *rq, struct service *s)
{
	size_t i = 0;

	while (i < s->n_destinations && !endpoint_equal(&s->destinations[i].real, &rq->d.real))
		i++;
	if (rq->cmd == IPVS_CMD_NEW_DEST) {
		if (i < s->n_destinations)
			return -EEXIST;
		if (base_reserve((void **)&s->destinations, i, sizeof(rq->d)) < 0)
			return -ENOMEM;
		s->destinations[s->n_destinations++] = rq->d;
		return 0;
	}
	if (i == s->n_destinations)
		return -ENOENT;
	if (rq->cmd == IPVS_CMD_SET_DEST) {
		s->destinations[i].weight = rq->d.weight;
		s->destinations[i].method = rq->d.method;
	} else {
		s->destinations[i] = s->destinations[--s->n_destinations];
	}
	return 0;
}

/* ip_vs_genl_set_cmd */
static int change(struct fake_kernel *k, struct request *rq, struct nlattr *const outer[])
{
	struct service *s = fake_kernel_find(k, &rq->key);
	int ret;

	if (rq->cmd != IPVS_CMD_NEW_SERVICE && !s)
		return -ESRCH;
	switch (rq->cmd) {
	case IPVS_CMD_NEW_SERVICE:
	case IPVS_CMD_SET_SERVICE:
		return set_service(k, rq, s);
	case IPVS_CMD_DEL_SERVICE:
		delete_service(k, s);
		return 0;
	case IPVS_CMD_NEW_DEST:
	case IPVS_CMD_SET_DEST:
	case IPVS_CMD_DEL_DEST:
		ret = parse_destination(rq, outer[IPVS_CMD_ATTR_DEST]);
		return ret < 0 ? ret : change_destination(rq, s);
	default:
		return -EOPNOTSUPP;
	}
}

/* A request for one service. Its ACK follows, as the request asks for one. */
static int show_service(struct fake_kernel *k, const struct request *rq)
{
	const struct service *s = fake_kernel_find(k, &rq->key);
	struct nl_msg *msg;

	if (!s)
		return -ESRCH;
	msg = reply(rq, 0, IPVS_CMD_NEW_SERVICE);
	put_service(msg, s);
	answer(k, msg, false);
	return 0;
}

static int refusal(const struct fake_kernel *k)
{
	return k->refuse && (!k->refuse_at || k->refuse_at == k->n_requests) ? -k->refuse : 0;
}

/* 1: a dump, which is not acknowledged; else the errno to acknowledge with. */
static int handle(struct fake_kernel *k, struct nlmsghdr *header)
{
	struct nlattr *outer[IPVS_CMD_ATTR_MAX + 1];
	struct request rq = { .header = header };
	bool dump = (header->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	int ret = refusal(k);

	if (ret < 0)
		return ret;
	if (header->nlmsg_type != IPVS_PEER_FAMILY || !genlmsg_valid_hdr(header, 0) ||
	    genlmsg_parse(header, 0, outer, IPVS_CMD_ATTR_MAX, NULL) < 0)
		return -EINVAL;
	rq.cmd = ((struct genlmsghdr *)nlmsg_data(header))->cmd;
	if (dump && rq.cmd == IPVS_CMD_GET_SERVICE) {
		dump_services(k, &rq);
		return 1;
	}
	ret = parse_service(&rq, outer[IPVS_CMD_ATTR_SERVICE]);
	if (dump && rq.cmd == IPVS_CMD_GET_DEST) {
		dump_destinations(k, &rq, ret == 0 ? fake_kernel_find(k, &rq.key) : NULL);
		return 1;
	}
	if (ret < 0)
		return ret;
	return rq.cmd == IPVS_CMD_GET_SERVICE ? show_service(k, &rq) : change(k, &rq, outer);
}

/* netlink_rcv_skb: every request in the datagram, in order. */
static int on_send(void *ctx, const void *buf, size_t len)
{
	CLEANUP_FREE unsigned char *copy = malloc(len);
	struct fake_kernel *k = ctx;
	struct nlmsghdr *header = (void *)copy;
	size_t before = k->n_requests;
	int left = (int)len;

	if (k->send_error)
		return -k->send_error;
	out_of_memory(copy);
	memcpy(copy, buf, len);
	k->n_sent++;
	for (; nlmsg_ok(header, left); header = nlmsg_next(header, &left)) {
		int ret;

		if (!(header->nlmsg_flags & NLM_F_REQUEST))
			continue;
		k->n_requests++;
		ret = handle(k, header);
		if (ret < 0 || (ret == 0 && header->nlmsg_flags & NLM_F_ACK))
			acknowledge(k, header, ret);
	}
	if (k->n_requests - before > k->most_requests)
		k->most_requests = k->n_requests - before;
	return 0;
}

/* A kernel that has nothing more to say lets the caller's timeout pass. */
static int on_recv(void *ctx, unsigned char **buf)
{
	struct fake_kernel *k = ctx;
	size_t number = k->n_received;
	struct fake_datagram *d;
	int len;

	if (k->recv_error && number == k->recv_error_at && k->n_queued > k->n_taken) {
		free(k->queue[k->n_taken].bytes);
		k->queue[k->n_taken++].bytes = NULL;
		k->n_received++;
		return -k->recv_error;
	}
	if (k->n_taken == k->n_queued)
		return -ETIMEDOUT;
	d = &k->queue[k->n_taken++];
	k->n_received++;
	len = (int)d->len;
	if (k->spoil && number == k->spoil_at)
		len = k->spoil(d->bytes, len, k->spoil_ctx);
	/* Exactly as long as it says, so that a read past its end is noticed. */
	*buf = realloc(d->bytes, (size_t)(len ? len : 1));
	out_of_memory(*buf);
	d->bytes = NULL;
	return len;
}

struct ipvs_peer fake_kernel_peer(struct fake_kernel *k)
{
	return (struct ipvs_peer){ .send = on_send, .recv = on_recv, .ctx = k };
}

void fake_kernel_clear(struct fake_kernel *k)
{
	service_list_clear(&k->services);
	for (size_t i = k->n_taken; i < k->n_queued; i++)
		free(k->queue[i].bytes);
	free(k->queue);
	*k = (struct fake_kernel){ 0 };
}
