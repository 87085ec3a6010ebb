/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hostnet.h"

#include <netinet/tcp.h>
#include <stdio.h>

static int socket_type(uint8_t protocol)
{
	return protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
}

/*
 * socket(2) would load the module sctp, and whoever only looks must not change
 * the kernel. This directory is made in every network namespace before the
 * protocol can be used, and is gone with the module (net/sctp/protocol.c).
 */
static bool has_protocol(uint8_t protocol)
{
	return protocol != IPPROTO_SCTP || access("/proc/net/sctp", F_OK) == 0;
}

/* What the system said of binding to the endpoint. */
static int read_refusal(struct err *e, int code, const char *text, enum hostnet_port *out)
{
	switch (code) {
	case EADDRINUSE:
		*out = HOSTNET_IN_USE;
		return 0;
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
		*out = HOSTNET_NOT_LOCAL;
		return 0;
	case EACCES:
		return err_set(e, EACCES,
			       "cannot check whether a local program has %s: ports below 1024 need "
			       "CAP_NET_BIND_SERVICE; run as root or choose a higher port", text);
	default:
		return err_sys(e, code, "cannot check whether a local program has %s", text);
	}
}

/* -errno */
static int try_to_bind(uint8_t protocol, const struct endpoint *at)
{
	CLEANUP_CLOSE int fd = socket(at->addr.family, socket_type(protocol) | SOCK_CLOEXEC, protocol);
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(at, &ss);

	return fd < 0 || bind(fd, (struct sockaddr *)&ss, len) < 0 ? -errno : 0;
}

int hostnet_probe(struct err *e, uint8_t protocol, const struct endpoint *at, enum hostnet_port *out)
{
	const struct endpoint any_port = { .addr = at->addr };
	char text[ENDPOINT_STRLEN];
	int ret = has_protocol(protocol) ? try_to_bind(protocol, at) : -EPROTONOSUPPORT;

	/* Nobody can listen with what this kernel does not have. */
	if (ret == -EPROTONOSUPPORT)
		ret = try_to_bind(IPPROTO_UDP, &any_port);
	if (ret < 0)
		return read_refusal(e, -ret, endpoint_format(at, text), out);
	*out = HOSTNET_FREE;
	return 0;
}

/* Reads the local port and the state, TCP's or as TCP's, of one line of a table; false: it is its heading. */
typedef bool read_line(const char *line, unsigned *port, unsigned *state);

/* As tcp4_seq_show, udp6_seq_show and so on have written it. */
static bool read_socket(const char *line, unsigned *port, unsigned *state)
{
	return sscanf(line, " %*u: %*[0-9A-F]:%4x %*[0-9A-F]:%*4x %2x", port, state) == 2;
}

/* sctp_eps_seq_show; the first three are addresses and a type. */
static bool read_endpoint(const char *line, unsigned *port, unsigned *state)
{
	return sscanf(line, " %*s %*s %*s %u %*s %u", state, port) == 2;
}

/* Adds the local ports of the sockets in this state; 0: in any. */
static int read_table(struct err *e, const char *path, read_line *read, unsigned wanted, struct portset *out)
{
	FILE *table = fopen(path, "re");
	char line[512]; /* they have 200 characters */
	int ret = 0;

	if (!table) /* without IPv6, or SCTP, there are fewer of them */
		return errno == ENOENT && access("/proc/net", F_OK) == 0 ? 0 : err_sys(e, errno, "cannot read %s", path);
	while (fgets(line, sizeof(line), table)) {
		unsigned port, state;

		if (read(line, &port, &state) && (wanted == 0 || state == wanted))
			portset_add_range(out, (uint16_t)port, (uint16_t)port);
	}
	if (ferror(table))
		ret = err_sys(e, errno, "cannot read %s", path);
	fclose(table);
	return ret;
}

static int read_tcp(struct err *e, unsigned state, struct portset *out)
{
	int ret = read_table(e, "/proc/net/tcp", read_socket, state, out);

	return ret < 0 ? ret : read_table(e, "/proc/net/tcp6", read_socket, state, out);
}

static int read_udp(struct err *e, unsigned state, struct portset *out)
{
	int ret = read_table(e, "/proc/net/udp", read_socket, state, out);

	return ret < 0 ? ret : read_table(e, "/proc/net/udp6", read_socket, state, out);
}

int hostnet_survey(struct err *e, struct hostnet_survey *out)
{
	struct hostnet_survey s = { 0 };

	/* Twice, as a socket that closes between two reads takes a line with it that comes after (udp_get_idx). */
	for (int i = 0; i < 2; i++)
		if (read_tcp(e, 0, &s.tcp) < 0 || read_udp(e, 0, &s.udp) < 0)
			return -e->code;
	*out = s;
	return 0;
}

int hostnet_listeners(struct err *e, struct hostnet_listeners *out)
{
	struct hostnet_listeners l = { 0 };

	/* UDP's that are not connected are TCP_CLOSE. */
	if (read_tcp(e, TCP_LISTEN, &l.tcp) < 0 || read_udp(e, TCP_CLOSE, &l.udp) < 0 ||
	    read_table(e, "/proc/net/sctp/eps", read_endpoint, TCP_LISTEN, &l.sctp) < 0)
		return -e->code;
	*out = l;
	return 0;
}

bool hostnet_is_unused(const struct hostnet_survey *s, uint8_t protocol, uint16_t port)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return !portset_has(&s->tcp, port);
	case IPPROTO_UDP:
		return !portset_has(&s->udp, port);
	default:
		return false;
	}
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
