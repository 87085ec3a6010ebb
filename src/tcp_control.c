/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tcp_control.h"

#include <poll.h>
#include <string.h>

#define PATIENCE INT64_C(500000) /* for the answer, once connected; at least 3 RTT */

static bool bind_from(int fd, const struct addr *from, const char *device)
{
	struct endpoint at = { .addr = *from };
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&at, &ss);

	if (device[0] && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device)) < 0)
		return false;
	return bind(fd, (struct sockaddr *)&ss, len) == 0;
}

bool tcp_control_start(struct tcp_control *c, const struct endpoint *server, const struct addr *from,
		       const char *device, const struct stun_id *id, int64_t now)
{
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(server, &ss);

	*c = (struct tcp_control){ .events = POLLOUT, .started = now, .deadline = INT64_MAX, .id = *id };
	c->fd = socket(server->addr.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	if (c->fd >= 0 && bind_from(c->fd, from, device) &&
	    (connect(c->fd, (struct sockaddr *)&ss, len) == 0 || errno == EINPROGRESS))
		return true;
	tcp_control_end(c);
	return false;
}

static enum nat_tcp end(struct tcp_control *c, enum nat_tcp outcome)
{
	tcp_control_end(c);
	return outcome;
}

static enum nat_tcp connected(struct tcp_control *c, int64_t now)
{
	uint8_t request[STUN_REQUEST_MAX];
	ssize_t size = (ssize_t)stun_msg_request(&c->id, STUN_CHANGE_ABSENT, request);
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	c->rtt = now > c->started ? now - c->started : 1;
	if (error)
		return end(c, error == ECONNREFUSED ? NAT_TCP_REFUSED : NAT_TCP_SILENT);
	c->deadline = now + (3 * c->rtt > PATIENCE ? 3 * c->rtt : PATIENCE);
	c->events = POLLIN;
	c->asked = now;
	/* A connection that is new takes these few bytes at once. */
	if (send(c->fd, request, (size_t)size, MSG_NOSIGNAL) != size)
		return end(c, NAT_TCP_REFUSED);
	return NAT_TCP_NOT_TRIED;
}

static enum nat_tcp read_message(struct tcp_control *c, int64_t now)
{
	struct stun_response m;
	struct err e;
	int whole;

	if (c->len < STUN_HEADER_SIZE)
		return NAT_TCP_NOT_TRIED;
	whole = stun_msg_length(&e, c->buf);
	if (whole < 0)
		return end(c, NAT_TCP_REFUSED);
	if (c->len < (size_t)whole)
		return NAT_TCP_NOT_TRIED;
	if (stun_msg_decode(&e, c->buf, (size_t)whole, &m) < 0 || memcmp(&m.id, &c->id, sizeof(m.id)) != 0)
		return end(c, NAT_TCP_REFUSED);
	/* A handshake may be answered by something nearer than the server. */
	if (c->rtt < now - c->asked)
		c->rtt = now - c->asked;
	c->mapped = m.xor_mapped.addr.family != AF_UNSPEC ? m.xor_mapped : m.mapped;
	return end(c, NAT_TCP_ANSWERED); /* an error is an answer as well: the way is open */
}

enum nat_tcp tcp_control_step(struct tcp_control *c, int64_t now)
{
	struct pollfd ready = { .fd = c->fd, .events = c->events };
	ssize_t n;

	if (poll(&ready, 1, 0) <= 0)
		return now >= c->deadline ? end(c, NAT_TCP_REFUSED) : NAT_TCP_NOT_TRIED;
	if (c->events == POLLOUT)
		return connected(c, now);
	n = recv(c->fd, c->buf + c->len, sizeof(c->buf) - c->len, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return NAT_TCP_NOT_TRIED;
	if (n <= 0)
		return end(c, NAT_TCP_REFUSED);
	c->len += (size_t)n;
	return read_message(c, now);
}

void tcp_control_end(struct tcp_control *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->deadline = INT64_MAX;
}
