/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "routing.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#define MESSAGE_SIZE 256
#define ERRNO_MAX 4095    /* what is beyond is no errno (the kernel's MAX_ERRNO) */
#define RULE_PREFERENCE 1 /* right after the rule for local addresses */
#define RULE_OWNER 83     /* FRA_PROTOCOL, "who made it": none of rtnetlink.h's */

struct rule {
	uint8_t protocol;
	struct endpoint from;
};

struct routing {
	struct nl_sock *sock; /* NULL: blind */
	struct rule *rules;   /* owned; what is held, if blind */
	size_t n_rules;
	int error;         /* the last answer's errno, 0 for none */
	uint8_t type;      /* the last route's type, RTN_ */
	unsigned ways[ROUTING_WAYS_MAX]; /* the last route's interfaces */
	size_t n_ways;
	bool holds;        /* a rule of ours was among the last answers */
};

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *answer, void *arg)
{
	struct routing *r = arg;

	(void)from;
	r->error = answer->error < 0 && answer->error >= -ERRNO_MAX ? -answer->error : EPROTO;
	return NL_STOP;
}

static bool is_ours(struct nlmsghdr *rule)
{
	const struct nlattr *owner = nlmsg_find_attr(rule, sizeof(struct fib_rule_hdr), FRA_PROTOCOL);
	const struct nlattr *preference = nlmsg_find_attr(rule, sizeof(struct fib_rule_hdr), FRA_PRIORITY);

	return owner && nla_len(owner) >= 1 && nla_get_u8(owner) == RULE_OWNER && preference &&
	       nla_len(preference) >= 4 && nla_get_u32(preference) == RULE_PREFERENCE;
}

static void add_way(struct routing *r, unsigned index)
{
	if (r->n_ways < ROUTING_WAYS_MAX)
		r->ways[r->n_ways++] = index;
}

static void read_route(struct nlmsghdr *route, struct routing *r)
{
	const struct nlattr *out = nlmsg_find_attr(route, sizeof(struct rtmsg), RTA_OIF);
	const struct nlattr *several = nlmsg_find_attr(route, sizeof(struct rtmsg), RTA_MULTIPATH);
	const struct rtnexthop *hop = several ? nla_data(several) : NULL;
	int left = several ? nla_len(several) : 0;

	r->type = ((struct rtmsg *)nlmsg_data(route))->rtm_type;
	if (out && nla_len(out) >= 4)
		add_way(r, nla_get_u32(out));
	/* RTNH_OK looks at the length of a next hop before it knows that there is one. */
	for (; hop && left >= (int)sizeof(*hop) && RTNH_OK(hop, left);
	     left -= RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop))
		add_way(r, (unsigned)hop->rtnh_ifindex);
}

static int on_answer(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *header = nlmsg_hdr(msg);
	struct routing *r = arg;

	if (header->nlmsg_type == RTM_NEWROUTE && nlmsg_valid_hdr(header, sizeof(struct rtmsg)))
		read_route(header, r);
	if (header->nlmsg_type == RTM_NEWRULE && nlmsg_valid_hdr(header, sizeof(struct fib_rule_hdr)))
		r->holds = r->holds || is_ours(header);
	return NL_OK;
}

/* libnl's code as an error; the system's own word is more than it says of these. Comes right after it. */
static int refused_by_libnl(struct err *e, const char *what, int code)
{
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
		return err_sys(e, errno, "%s", what);
	return err_set(e, EIO, "%s: %s", what, nl_geterror(code));
}

int routing_open(struct err *e, struct routing **out)
{
	struct routing *r = calloc(1, sizeof(*r));
	int ret;

	if (!r || !(r->sock = nl_socket_alloc())) {
		free(r);
		return err_set(e, ENOMEM, "out of memory");
	}
	nl_socket_modify_cb(r->sock, NL_CB_VALID, NL_CB_CUSTOM, on_answer, r);
	nl_socket_modify_err_cb(r->sock, NL_CB_CUSTOM, on_error, r);
	nl_socket_disable_auto_ack(r->sock); /* what is asked is answered, what is changed asks for its ACK */
	errno = 0;
	ret = nl_connect(r->sock, NETLINK_ROUTE);
	if (ret < 0) {
		refused_by_libnl(e, "cannot open a netlink socket", ret);
		routing_close(r);
		return -e->code;
	}
	*out = r;
	return 0;
}

int routing_open_blind(struct err *e, struct routing **out)
{
	struct routing *r = calloc(1, sizeof(*r));

	if (!r)
		return err_set(e, ENOMEM, "out of memory");
	*out = r;
	return 0;
}

void routing_close(struct routing *r)
{
	if (!r)
		return;
	nl_socket_free(r->sock);
	free(r->rules);
	free(r);
}

void routing_closep(struct routing **r)
{
	routing_close(*r);
}

/* Sends a message, which it frees, and reads its answer: 0, or the kernel's errno. */
static int ask(struct err *e, struct routing *r, struct nl_msg *msg)
{
	int ret;

	do {
		errno = 0;
		ret = nl_send_auto(r->sock, msg);
	} while (ret == -NLE_INTR);
	nlmsg_free(msg);
	r->error = 0;
	r->type = RTN_UNSPEC;
	r->n_ways = 0;
	r->holds = false;
	if (ret >= 0)
		ret = nl_recvmsgs_default(r->sock);
	if (ret == -NLE_DUMP_INTR) {
		r->holds = true; /* the list of rules changed meanwhile: there may be one */
		return 0;
	}
	if (ret < 0 && r->error == 0)
		return refused_by_libnl(e, "the kernel's routing does not answer", ret);
	return r->error;
}

int routing_is_local(struct err *e, struct routing *r, const struct addr *a, bool *out)
{
	struct rtmsg header = { .rtm_family = (unsigned char)a->family,
				.rtm_dst_len = (unsigned char)(8 * addr_size(a)) };
	struct nl_msg *msg;
	int error;

	if (!r->sock) {
		*out = true;
		return 0;
	}
	msg = nlmsg_alloc_size(MESSAGE_SIZE);
	if (!msg || !nlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, RTM_GETROUTE, 0, 0) ||
	    nlmsg_append(msg, &header, sizeof(header), NLMSG_ALIGNTO) < 0 ||
	    nla_put(msg, RTA_DST, (int)addr_size(a), a->bytes) < 0) {
		nlmsg_free(msg);
		return err_set(e, ENOMEM, "out of memory");
	}
	error = ask(e, r, msg);
	if (error < 0)
		return error;
	/* An error is an address that cannot be reached, so it is not here. */
	*out = error == 0 && r->type == RTN_LOCAL;
	return 0;
}

int routing_ways(struct err *e, struct routing *r, const struct addr *from, const struct addr *to,
		 unsigned ways[static ROUTING_WAYS_MAX], size_t *n)
{
	/* The route as it is in the table: looked up for sending, there would be one next hop of several. */
	struct rtmsg header = { .rtm_family = (unsigned char)to->family, .rtm_flags = RTM_F_FIB_MATCH,
				.rtm_src_len = (unsigned char)(8 * addr_size(from)),
				.rtm_dst_len = (unsigned char)(8 * addr_size(to)) };
	struct nl_msg *msg;
	int error;

	*n = 0;
	if (!r->sock)
		return 0;
	msg = nlmsg_alloc_size(MESSAGE_SIZE);
	if (!msg || !nlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, RTM_GETROUTE, 0, 0) ||
	    nlmsg_append(msg, &header, sizeof(header), NLMSG_ALIGNTO) < 0 ||
	    nla_put(msg, RTA_SRC, (int)addr_size(from), from->bytes) < 0 ||
	    nla_put(msg, RTA_DST, (int)addr_size(to), to->bytes) < 0) {
		nlmsg_free(msg);
		return err_set(e, ENOMEM, "out of memory");
	}
	error = ask(e, r, msg);
	if (error < 0)
		return error;
	*n = error == 0 ? r->n_ways : 0;
	memcpy(ways, r->ways, *n * sizeof(*ways));
	return 0;
}

/* A kernel that does not know protocol and port in a rule ignores them, and would drop everything. */
static bool knows_ports(void)
{
	unsigned major = 0, minor = 0;
	struct utsname name;

	return uname(&name) == 0 && sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 4 || (major == 4 && minor >= 17));
}

static int change_rule(struct err *e, struct routing *r, int type, int flags, uint8_t protocol,
		       const struct endpoint *from)
{
	const struct fib_rule_hdr header = { .family = (uint8_t)from->addr.family,
					     .src_len = (uint8_t)(8 * addr_size(&from->addr)),
					     .action = FR_ACT_BLACKHOLE };
	const struct fib_rule_port_range port = { from->port, from->port };
	struct nl_msg *msg = nlmsg_alloc_size(MESSAGE_SIZE);

	if (!msg || !nlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, type, 0, flags) ||
	    nlmsg_append(msg, (void *)&header, sizeof(header), NLMSG_ALIGNTO) < 0 ||
	    nla_put(msg, FRA_SRC, (int)addr_size(&from->addr), from->addr.bytes) < 0 ||
	    nla_put_u32(msg, FRA_PRIORITY, RULE_PREFERENCE) < 0 ||
	    nla_put_u8(msg, FRA_PROTOCOL, RULE_OWNER) < 0 || nla_put_u8(msg, FRA_IP_PROTO, protocol) < 0 ||
	    nla_put(msg, FRA_SPORT_RANGE, sizeof(port), &port) < 0) {
		nlmsg_free(msg);
		return err_set(e, ENOMEM, "out of memory");
	}
	return ask(e, r, msg);
}

static int refused(struct err *e, const char *what, int error)
{
	return err_sys(e, error, "cannot %s a real server's answers with a routing rule", what);
}

static int hold_blindly(struct err *e, struct routing *r, uint8_t protocol, const struct endpoint *from)
{
	if (base_reserve((void **)&r->rules, r->n_rules, sizeof(*r->rules)) < 0)
		return err_set(e, ENOMEM, "out of memory");
	r->rules[r->n_rules++] = (struct rule){ .protocol = protocol, .from = *from };
	return 1;
}

static void release_blindly(struct routing *r, uint8_t protocol, const struct endpoint *from)
{
	for (size_t i = r->n_rules; i-- > 0;)
		if (r->rules[i].protocol == protocol && endpoint_equal(&r->rules[i].from, from))
			r->rules[i] = r->rules[--r->n_rules];
}

int routing_hold(struct err *e, struct routing *r, uint8_t protocol, const struct endpoint *from)
{
	int error;

	if (!r->sock)
		return hold_blindly(e, r, protocol, from);
	if (!knows_ports())
		return 0;
	error = change_rule(e, r, RTM_NEWRULE, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, protocol, from);
	if (error == EOPNOTSUPP || error == EAFNOSUPPORT)
		return 0;
	if (error > 0 && error != EEXIST)
		return refused(e, "hold back", error);
	return error < 0 ? error : 1;
}

int routing_holds_any(struct err *e, struct routing *r, bool *out)
{
	const struct fib_rule_hdr header = { .family = AF_UNSPEC };
	struct nl_msg *msg;
	int error;

	if (!r->sock || !knows_ports()) {
		*out = r->n_rules > 0;
		return 0;
	}
	msg = nlmsg_alloc_size(MESSAGE_SIZE);
	if (!msg || !nlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, RTM_GETRULE, 0, NLM_F_DUMP) ||
	    nlmsg_append(msg, (void *)&header, sizeof(header), NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		return err_set(e, ENOMEM, "out of memory");
	}
	error = ask(e, r, msg);
	if (error > 0 && error != EOPNOTSUPP && error != EAFNOSUPPORT)
		return err_sys(e, error, "cannot list routing rules");
	if (error >= 0)
		*out = r->holds;
	return error < 0 ? error : 0;
}

int routing_release(struct err *e, struct routing *r, uint8_t protocol, const struct endpoint *from)
{
	int error;

	if (!r->sock)
		release_blindly(r, protocol, from);
	if (!r->sock || !knows_ports())
		return 0;
	error = change_rule(e, r, RTM_DELRULE, NLM_F_ACK, protocol, from);
	if (error > 0 && error != ENOENT && error != EOPNOTSUPP && error != EAFNOSUPPORT)
		return refused(e, "release", error);
	return error < 0 ? error : 0;
}
