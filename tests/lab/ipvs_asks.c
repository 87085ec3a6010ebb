/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ipvs_asks: leads what a program asks the kernel's IPVS to the socket
 * $ipvs_socket, where ipvs_answers.c is. Loaded before the C library, with
 * LD_PRELOAD. There is one such conversation at a time; rtnetlink is the kernel's.
 */
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int line = -1;
static struct sockaddr_nl own = { .nl_family = AF_NETLINK };

int socket(int domain, int type, int protocol)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const char *path = getenv("ipvs_socket");
	int fd;

	if (domain != AF_NETLINK || protocol != NETLINK_GENERIC || !path)
		return (int)syscall(SYS_socket, domain, type, protocol);
	fd = (int)syscall(SYS_socket, AF_UNIX, SOCK_SEQPACKET | (type & SOCK_CLOEXEC), 0);
	if (fd < 0)
		return fd;
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	if (syscall(SYS_connect, fd, &at, sizeof(at)) < 0)
		abort();
	line = fd;
	return fd;
}

int close(int fd)
{
	if (fd == line)
		line = -1;
	return (int)syscall(SYS_close, fd);
}

int bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	if (fd != line)
		return (int)syscall(SYS_bind, fd, addr, len);
	memcpy(&own, addr, sizeof(own));
	return 0;
}

int getsockname(int fd, struct sockaddr *restrict addr, socklen_t *restrict len)
{
	if (fd != line)
		return (int)syscall(SYS_getsockname, fd, addr, len);
	memcpy(addr, &own, sizeof(own));
	*len = sizeof(own);
	return 0;
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	return fd == line && level == SOL_NETLINK ? 0 : (int)syscall(SYS_setsockopt, fd, level, name, value, len);
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct msghdr copy = *msg;

	if (fd == line) {
		copy.msg_name = NULL;
		copy.msg_namelen = 0;
	}
	return syscall(SYS_sendmsg, fd, &copy, flags);
}

/* All that comes is from the kernel, which has no port. */
ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	void *name = msg->msg_name;
	ssize_t len;

	if (fd != line)
		return syscall(SYS_recvmsg, fd, msg, flags);
	msg->msg_name = NULL;
	len = syscall(SYS_recvmsg, fd, msg, flags);
	msg->msg_name = name;
	if (len >= 0 && name) {
		memcpy(name, &kernel, sizeof(kernel));
		msg->msg_namelen = sizeof(kernel);
	}
	return len;
}

/* The module is there. */
int access(const char *path, int mode)
{
	return strcmp(path, "/proc/net/ip_vs") == 0 ? 0 : (int)syscall(SYS_faccessat, AT_FDCWD, path, mode);
}
