/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hostnet.h"

static int socket_type(uint8_t protocol)
{
	return protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
}

int hostnet_probe(struct err *e, uint8_t protocol, const struct endpoint *at, enum hostnet_port *out)
{
	char text[ENDPOINT_STRLEN];
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(at, &ss);
	CLEANUP_CLOSE int fd = -1;

	endpoint_format(at, text);
	fd = socket(at->addr.family, socket_type(protocol) | SOCK_CLOEXEC, protocol);
	if (fd < 0 && (errno == EPROTONOSUPPORT || errno == EAFNOSUPPORT)) {
		/* Nobody can listen with what this kernel does not have. */
		*out = errno == EAFNOSUPPORT ? HOSTNET_NOT_LOCAL : HOSTNET_FREE;
		return 0;
	}
	if (fd < 0)
		return err_sys(e, errno, "cannot open a socket to check %s", text);
	if (bind(fd, (struct sockaddr *)&ss, len) == 0)
		*out = HOSTNET_FREE;
	else if (errno == EADDRINUSE)
		*out = HOSTNET_IN_USE;
	else if (errno == EADDRNOTAVAIL)
		*out = HOSTNET_NOT_LOCAL;
	else if (errno == EACCES)
		return err_set(e, EACCES,
			       "cannot check whether a local program has %s: ports below 1024 need "
			       "CAP_NET_BIND_SERVICE; run as root or choose a higher port", text);
	else
		return err_sys(e, errno, "cannot check whether a local program has %s", text);
	return 0;
}

/* The address that a socket gets when it is connected to far. Nothing is sent. */
static int source_towards(const struct endpoint *far, struct addr *out)
{
	CLEANUP_CLOSE int fd = socket(far->addr.family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(far, &ss);
	struct endpoint source;
	int ret;

	if (fd < 0 || connect(fd, (struct sockaddr *)&ss, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&ss, &len) < 0)
		return -errno;
	ret = endpoint_from_sockaddr(&ss, &source);
	if (ret == 0)
		*out = source.addr;
	return ret;
}

int hostnet_default_source(struct err *e, sa_family_t family, struct addr *out)
{
	/*
	 * Nobody routes these two but by the default route: class E (RFC 1112)
	 * and the discard prefix (RFC 6666).
	 */
	struct endpoint far = { .port = 9 };
	struct addr source;
	int ret;

	if (addr_parse(e, family == AF_INET6 ? "100::1" : "240.0.0.1", &far.addr) < 0)
		return -e->code;
	ret = source_towards(&far, &source);
	if (ret < 0)
		return err_sys(e, -ret, "there is no default route for %s", addr_family_name(family));
	*out = source;
	return 0;
}
