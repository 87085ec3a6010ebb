/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "udp.h"
#include "pool.h"

#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>

/* How many errors of former datagrams udp_send puts up with: each try takes one away. */
#define SEND_TRIES 8

/* How much udp_receive drops in one call before the caller may look at its clock again. */
#define RECEIVE_TRIES 64

/* One family only, ICMP errors into the queue, and one device if it is named. */
static int restrict_socket(struct err *e, int fd, sa_family_t family, const char *device)
{
	const int on = 1;
	int ret;

	if (family == AF_INET6)
		ret = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0 ||
		      setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on)) < 0;
	else
		ret = setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)) < 0;
	if (ret)
		return err_sys(e, errno, "cannot prepare a UDP socket");
	if (device[0] == '\0' ||
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strnlen(device, IF_NAMESIZE)) == 0)
		return 0;
	if (errno == ENODEV)
		return err_set(e, ENODEV, "there is no network interface '%.15s'; see 'ip link'", device);
	if (errno == EPERM)
		return err_set(e, EPERM, "may not use the interface '%.15s': kernels before 5.7 want CAP_NET_RAW; "
			       "run as root or name an address instead", device);
	return err_sys(e, errno, "cannot use the interface '%.15s'", device);
}

static int open_socket(struct err *e, sa_family_t family, const char *device, int *out)
{
	CLEANUP_CLOSE int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
	int ret;

	if (fd < 0 && errno == EAFNOSUPPORT)
		return err_set(e, ENETUNREACH, "this host has no %s", addr_family_name(family));
	if (fd < 0)
		return err_sys(e, errno, "cannot open a UDP socket");
	ret = restrict_socket(e, fd, family, device);
	if (ret == 0)
		*out = steal_fd(&fd);
	return ret;
}

/* Binds to the address, and to the port unless it is 0. The negative errno only. */
static int bind_to(int fd, const struct addr *address, uint16_t port)
{
	const struct endpoint at = { .addr = *address, .port = port };
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&at, &ss);

	return bind(fd, (struct sockaddr *)&ss, len) < 0 ? -errno : 0;
}

static int refuse_source(struct err *e, int code, const struct addr *source)
{
	char text[ADDR_STRLEN];

	addr_format(source, text);
	if (code == EADDRNOTAVAIL)
		return err_set(e, code, "%s is not an address of this host; see 'ip address'", text);
	return err_sys(e, code, "cannot send from %s", text);
}

/* Asks the routing table by connecting; for UDP nothing is sent. */
static int connect_to(struct err *e, int fd, const struct endpoint *to)
{
	char text[ENDPOINT_STRLEN];
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(to, &ss);
	int code;

	if (connect(fd, (struct sockaddr *)&ss, len) == 0)
		return 0;
	code = errno;
	/*
	 * EADDRNOTAVAIL: a route, but no IPv6 address to send from. EINVAL: a
	 * blackhole route, or a loopback source for a destination elsewhere.
	 */
	if (code == EADDRNOTAVAIL || code == EINVAL)
		code = ENETUNREACH;
	err_sys(e, code, "no datagram can be sent to %s", endpoint_format(to, text));
	return err_advise(e, "check this host's routes");
}

/*
 * With a route but no address of its own, or from the device "lo", a host would
 * send from a loopback address, or IPv6 from one of the link: answers from
 * elsewhere do not come there.
 */
static bool is_source_for(const struct addr *source, const struct addr *to)
{
	enum addr_scope scope = addr_scope(source);

	if (scope == ADDR_SPECIAL)
		return false;
	if (scope == ADDR_LOOPBACK)
		return addr_scope(to) == ADDR_LOOPBACK;
	return scope != ADDR_LINK_LOCAL || source->family != AF_INET6;
}

/* The address of a socket that has been connected. */
static int source_of(struct err *e, int fd, const struct endpoint *to, struct addr *out)
{
	char text[ENDPOINT_STRLEN];
	struct sockaddr_storage ss;
	struct endpoint source;
	socklen_t len = sizeof(ss);
	int ret;

	memset(&ss, 0, sizeof(ss));
	if (getsockname(fd, (struct sockaddr *)&ss, &len) < 0)
		return err_sys(e, errno, "cannot read a socket's address");
	ret = endpoint_from_sockaddr(&ss, &source);
	if (ret < 0)
		return err_sys(e, -ret, "cannot read a socket's address");
	if (!is_source_for(&source.addr, &to->addr))
		return err_set(e, ENETUNREACH, "this host has no %s address to send to %s from",
			       addr_family_name(to->addr.family), endpoint_format(to, text));
	*out = source.addr;
	return 0;
}

/* Nothing for others leaves by the loopback device, whatever source the kernel offers. */
static bool leads_nowhere(int fd, const char *device, const struct addr *to)
{
	struct ifreq r = { 0 };

	if (device[0] == '\0' || addr_scope(to) == ADDR_LOOPBACK)
		return false;
	memccpy(r.ifr_name, device, '\0', sizeof(r.ifr_name));
	return ioctl(fd, SIOCGIFFLAGS, &r) == 0 && r.ifr_flags & IFF_LOOPBACK;
}

int udp_source(struct err *e, const struct endpoint *to, const struct udp_from *from, struct addr *out)
{
	const struct addr *wanted = &from->address;
	char text[ENDPOINT_STRLEN];
	CLEANUP_CLOSE int fd = -1;
	int ret;

	if (wanted->family != AF_UNSPEC && wanted->family != to->addr.family)
		return err_set(e, ENETUNREACH, "an %s address cannot send to an %s server",
			       addr_family_name(wanted->family), addr_family_name(to->addr.family));
	ret = open_socket(e, to->addr.family, from->device, &fd);
	if (ret == 0 && wanted->family != AF_UNSPEC) {
		ret = bind_to(fd, wanted, 0);
		if (ret < 0)
			refuse_source(e, -ret, wanted);
	}
	if (ret == 0 && leads_nowhere(fd, from->device, &to->addr))
		ret = err_set(e, ENETUNREACH, "%s is not reached through %s; name another network interface",
			      endpoint_format(to, text), from->device);
	if (ret == 0)
		ret = connect_to(e, fd, to);
	if (ret == 0)
		ret = source_of(e, fd, to, out);
	return ret;
}

struct binding {
	int fd;
	struct addr source;
};

/* A port is free if the socket can be bound to it, and then it is. */
static int try_port(struct err *e, void *ctx, uint16_t port)
{
	const struct binding *b = ctx;
	int ret = bind_to(b->fd, &b->source, port);

	if (ret == -EADDRINUSE)
		return 0;
	return ret < 0 ? refuse_source(e, -ret, &b->source) : 1;
}

static int bind_at_random(struct err *e, struct binding *b, const struct udp_ports *ports, uint16_t *port)
{
	uint32_t random[2];
	int ret;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return err_sys(e, errno, "cannot get random numbers");
	ret = pool_pick(e, ports->first, ports->last, random, try_port, b, port);
	if (ret > 0)
		return err_set(e, EADDRINUSE, "no UDP port from %u to %u is free", ports->first, ports->last);
	return ret;
}

int udp_open(struct err *e, const struct endpoint *to, const struct udp_from *from, const struct udp_ports *ports,
	     int *out, struct endpoint *local)
{
	struct binding b = { .fd = -1 };
	CLEANUP_CLOSE int fd = -1;
	uint16_t port;
	int ret = udp_source(e, to, from, &b.source);

	if (ret == 0)
		ret = open_socket(e, to->addr.family, from->device, &fd);
	if (ret == 0) {
		b.fd = fd;
		ret = bind_at_random(e, &b, ports, &port);
	}
	if (ret == 0) {
		*local = (struct endpoint){ .addr = b.source, .port = port };
		*out = steal_fd(&fd);
	}
	return ret;
}

enum udp_event udp_send(int fd, const struct endpoint *to, const void *bytes, size_t len)
{
	struct sockaddr_storage ss;
	socklen_t ss_len = endpoint_to_sockaddr(to, &ss);

	/*
	 * The error may be that of a former datagram, with any errno that the
	 * kernel translates ICMP to (EACCES too, but not EPERM): only what
	 * remains is about this one.
	 */
	for (int i = 0; i < SEND_TRIES; i++) {
		if (sendto(fd, bytes, len, 0, (struct sockaddr *)&ss, ss_len) >= 0)
			return UDP_NOTHING;
		if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM)
			return UDP_NOTHING;
		if (errno == EPERM)
			return UDP_PROHIBITED;
	}
	return errno == EACCES ? UDP_PROHIBITED : UDP_UNREACHABLE;
}

static enum udp_event judge_icmp(const struct sock_extended_err *ee)
{
	if (ee->ee_type != ICMP_DEST_UNREACH)
		return UDP_NOTHING;
	switch (ee->ee_code) {
	case ICMP_PORT_UNREACH:
		return UDP_PORT_UNREACHABLE;
	case ICMP_NET_ANO:
	case ICMP_HOST_ANO:
	case ICMP_PKT_FILTERED:
		return UDP_PROHIBITED;
	case ICMP_FRAG_NEEDED:
		return UDP_NOTHING;
	default:
		return UDP_UNREACHABLE;
	}
}

static enum udp_event judge_icmp6(const struct sock_extended_err *ee)
{
	if (ee->ee_type != ICMP6_DST_UNREACH)
		return UDP_NOTHING;
	switch (ee->ee_code) {
	case ICMP6_DST_UNREACH_NOPORT:
		return UDP_PORT_UNREACHABLE;
	case ICMP6_DST_UNREACH_ADMIN:
	case 5: /* source address failed ingress/egress policy, RFC 4443 3.1 */
	case 6: /* reject route to destination */
		return UDP_PROHIBITED;
	default:
		return UDP_UNREACHABLE;
	}
}

/*
 * Only the host itself knows its ports: when somebody on the way says that one is
 * unreachable, it is a firewall that rejects (iptables -j REJECT does it so).
 * The kernel puts whose word it is behind the error: SO_EE_OFFENDER, ip(7).
 */
static enum udp_event check_offender(const struct cmsghdr *c, const struct addr *peer)
{
	struct sockaddr_storage ss = { 0 };
	struct endpoint offender;
	size_t len = c->cmsg_len - CMSG_LEN(sizeof(struct sock_extended_err));

	memcpy(&ss, CMSG_DATA(c) + sizeof(struct sock_extended_err), len < sizeof(ss) ? len : sizeof(ss));
	if (endpoint_from_sockaddr(&ss, &offender) == 0 && !addr_equal(&offender.addr, peer))
		return UDP_PROHIBITED;
	return UDP_PORT_UNREACHABLE;
}

/* UDP_NOTHING for an error that says nothing about who is there: "too big", "time exceeded". */
static enum udp_event judge(struct msghdr *msg, const struct addr *peer)
{
	enum udp_event event = UDP_NOTHING;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		struct sock_extended_err ee;

		if (!(c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) &&
		    !(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
			continue;
		memcpy(&ee, CMSG_DATA(c), sizeof(ee));
		if (ee.ee_origin == SO_EE_ORIGIN_ICMP)
			event = judge_icmp(&ee);
		else if (ee.ee_origin == SO_EE_ORIGIN_ICMP6)
			event = judge_icmp6(&ee);
		return event == UDP_PORT_UNREACHABLE ? check_offender(c, peer) : event;
	}
	return UDP_NOTHING;
}

/* Takes one error from the queue. -EAGAIN when it is empty; UDP_NOTHING if it is of no interest. */
static int receive_error(int fd, struct endpoint *peer)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct sock_extended_err) + sizeof(struct sockaddr_in6))];
	} control;
	struct sockaddr_storage ss;
	struct msghdr msg = { .msg_name = &ss, .msg_namelen = sizeof(ss),
			      .msg_control = &control, .msg_controllen = sizeof(control) };
	struct endpoint to;
	enum udp_event event;

	memset(&ss, 0, sizeof(ss));
	if (recvmsg(fd, &msg, MSG_ERRQUEUE) < 0)
		return -errno;
	if (endpoint_from_sockaddr(&ss, &to) < 0)
		return UDP_NOTHING;
	event = judge(&msg, &to.addr);
	if (event != UDP_NOTHING)
		*peer = to;
	return (int)event;
}

/* Likewise a datagram; other errors than -EAGAIN tell what is in the error queue as well. */
static int receive_datagram(int fd, struct endpoint *peer, void *buf, size_t *len)
{
	struct sockaddr_storage ss;
	socklen_t ss_len = sizeof(ss);
	ssize_t n;

	memset(&ss, 0, sizeof(ss));
	n = recvfrom(fd, buf, *len, 0, (struct sockaddr *)&ss, &ss_len);
	if (n < 0)
		return -errno;
	if (endpoint_from_sockaddr(&ss, peer) < 0)
		return UDP_NOTHING;
	*len = (size_t)n;
	return UDP_DATAGRAM;
}

enum udp_event udp_receive(int fd, struct endpoint *peer, void *buf, size_t *len)
{
	for (int i = 0; i < RECEIVE_TRIES; i++) {
		int ret = receive_error(fd, peer);

		if (ret == -EAGAIN)
			ret = receive_datagram(fd, peer, buf, len);
		if (ret == -EAGAIN)
			return UDP_NOTHING;
		if (ret > UDP_NOTHING)
			return (enum udp_event)ret;
	}
	return UDP_NOTHING;
}
