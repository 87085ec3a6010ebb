/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz_routing: takes libFuzzer's bytes for what a kernel answers to each of
 * routing's questions, and aborts where a promise of routing.h is broken. The
 * first byte says what is asked; then come datagrams, each with its length before
 * it. Their messages get the numbers of the requests, which chance would seldom hit.
 */
#include "fuzz.h"
#include "routing.h"

#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum question { ASK_LOCAL, ASK_WAYS, ASK_HOLD, ASK_HOLDS_ANY, ASK_RELEASE, QUESTIONS };

#define IS_V6 0x80

/* What is still to be answered. libnl hands its functions nothing of ours. */
static struct {
	const uint8_t *bytes;
	size_t len;
	uint32_t seq; /* of the last request */
} kernel;

/* The C library's, as libnl calls it. */
ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct nlmsghdr header;

	(void)fd, (void)flags;
	require(msg->msg_iovlen == 1 && msg->msg_iov[0].iov_len >= sizeof(header));
	memcpy(&header, msg->msg_iov[0].iov_base, sizeof(header));
	require(header.nlmsg_len == msg->msg_iov[0].iov_len);
	kernel.seq = header.nlmsg_seq;
	return (ssize_t)msg->msg_iov[0].iov_len;
}

/* Their numbers are relative to the request's. */
static void number_messages(unsigned char *buf, size_t len)
{
	struct nlmsghdr header;

	for (size_t at = 0, step; at + sizeof(header) <= len; at += step) {
		memcpy(&header, buf + at, sizeof(header));
		header.nlmsg_seq += kernel.seq;
		memcpy(buf + at, &header, sizeof(header));
		step = NLMSG_ALIGN((size_t)header.nlmsg_len);
		step = step ? step : len;
	}
}

/* The same. It may be asked how long the next datagram is (MSG_PEEK | MSG_TRUNC) before that is taken. */
ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	const struct sockaddr_nl from = { .nl_family = AF_NETLINK };
	struct iovec *to = msg->msg_iov;
	uint16_t len;
	size_t n;

	(void)fd;
	if (kernel.len < sizeof(len)) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(&len, kernel.bytes, sizeof(len));
	n = kernel.len - sizeof(len);
	n = len < n ? len : n;
	memcpy(msg->msg_name, &from, sizeof(from));
	msg->msg_namelen = sizeof(from);
	msg->msg_controllen = 0;
	msg->msg_flags = n > to->iov_len ? MSG_TRUNC : 0;
	if (!(flags & MSG_PEEK)) {
		n = n < to->iov_len ? n : to->iov_len;
		memcpy(to->iov_base, kernel.bytes + sizeof(len), n);
		number_messages(to->iov_base, n);
		kernel.bytes += sizeof(len) + n;
		kernel.len -= sizeof(len) + n;
	}
	return (ssize_t)n;
}

static struct endpoint endpoint_at(const char *text)
{
	struct endpoint ep;
	struct err e;

	require(endpoint_parse(&e, text, &ep) == 0);
	return ep;
}

static int ask_ways(struct err *e, struct routing *r, const struct addr *from, const struct addr *to)
{
	unsigned ways[ROUTING_WAYS_MAX];
	size_t n = 77;
	int ret = routing_ways(e, r, from, to, ways, &n);

	require(ret <= 0 && (ret < 0 || n <= ROUTING_WAYS_MAX));
	return ret;
}

static int ask(struct err *e, struct routing *r, enum question what, bool v6)
{
	const struct endpoint real = endpoint_at(v6 ? "[fd00::2]:8080" : "10.0.0.2:8080");
	const struct endpoint to = endpoint_at(v6 ? "[2001:db8::1]:80" : "198.51.100.1:80");
	bool answer;
	int ret;

	switch (what) {
	case ASK_LOCAL:
		return routing_is_local(e, r, &to.addr, &answer);
	case ASK_WAYS:
		return ask_ways(e, r, &real.addr, &to.addr);
	case ASK_HOLD:
		ret = routing_hold(e, r, IPPROTO_TCP, &real);
		require(ret <= 1);
		return ret < 0 ? ret : 0;
	case ASK_HOLDS_ANY:
		return routing_holds_any(e, r, &answer);
	default:
		return routing_release(e, r, IPPROTO_UDP, &real);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(routing_closep) struct routing *r = NULL;
	struct err e = { 0 };
	int ret;

	if (len == 0)
		return 0;
	kernel.bytes = bytes + 1;
	kernel.len = len - 1;
	require(routing_open(&e, &r) == 0);
	ret = ask(&e, r, (enum question)((bytes[0] & ~IS_V6) % QUESTIONS), bytes[0] & IS_V6);
	require(ret <= 0);
	if (ret < 0)
		require_error(&e, ret);
	return 0;
}
