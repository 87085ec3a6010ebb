/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ipvs_answers SOCKET: the fake kernel of the unit tests as a process, for programs
 * that are run as they are: what ipvs_asks.c leads to this socket is answered here,
 * one datagram after the other. It outlives whoever asks, as a kernel does.
 *
 * Two datagrams are for the test itself, which speaks ipvsadm -Sn: "load" and
 * lines replace all services, "save" is answered with such lines.
 */
#include "../unit/fake_kernel.h"
#include "ipvsadm.h"

#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	CLIENTS = 8, /* at a time; those that have been killed are noticed at once */
	DATAGRAM_MAX = 128 << 10,
};

static void give_up(const char *what)
{
	perror(what);
	exit(1);
}

static void say(int client, const void *bytes, size_t len)
{
	(void)!send(client, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* --- ipvsadm's text --- */

static void load(struct fake_kernel *k, int client, const char *text, size_t len)
{
	struct service_list services = { 0 };
	struct err e = { 0 };

	if (ipvsadm_parse(&e, "load", text, len, &services) < 0) {
		say(client, e.msg, strlen(e.msg));
		return;
	}
	for (size_t i = 0; i < services.n; i++)
		for (size_t d = 0; d < services.items[i].n_destinations; d++)
			services.items[i].destinations[d].method = IP_VS_CONN_F_MASQ;
	service_list_clear(&k->services);
	k->services = services;
	say(client, "done", 4);
}

static const char *option_of(uint8_t protocol)
{
	return protocol == IPPROTO_TCP ? "-t" : protocol == IPPROTO_UDP ? "-u" : "--sctp-service";
}

static void print_service(FILE *out, const struct service *s)
{
	char vip[ENDPOINT_STRLEN], real[ENDPOINT_STRLEN];

	endpoint_format(&s->key.vip, vip);
	fprintf(out, "-A %s %s -s %s", option_of(s->key.protocol), vip, s->scheduler);
	if (s->persistence)
		fprintf(out, " -p %u", s->persistence);
	fputc('\n', out);
	for (size_t i = 0; i < s->n_destinations; i++)
		fprintf(out, "-a %s %s -r %s -m -w %u\n", option_of(s->key.protocol), vip,
			endpoint_format(&s->destinations[i].real, real), s->destinations[i].weight);
}

static void save(const struct fake_kernel *k, int client)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		give_up("save");
	for (size_t i = 0; i < k->services.n; i++)
		print_service(out, &k->services.items[i]);
	fclose(out);
	say(client, text, len);
	free(text);
}

/* --- netlink --- */

/* Whoever asks for the family by its name (CTRL_CMD_GETFAMILY) gets its number, and an ACK. */
static void name_family(int client, const struct nlmsghdr *asked)
{
	struct nl_msg *msg = nlmsg_alloc();
	struct nlmsgerr ack = { .msg = *asked };
	struct nlmsghdr *header;

	genlmsg_put(msg, asked->nlmsg_pid, asked->nlmsg_seq, GENL_ID_CTRL, 0, 0, CTRL_CMD_NEWFAMILY, 2);
	nla_put_u16(msg, CTRL_ATTR_FAMILY_ID, IPVS_PEER_FAMILY);
	nla_put_string(msg, CTRL_ATTR_FAMILY_NAME, IPVS_GENL_NAME);
	say(client, nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len);
	nlmsg_free(msg);

	msg = nlmsg_alloc();
	header = nlmsg_put(msg, asked->nlmsg_pid, asked->nlmsg_seq, NLMSG_ERROR, sizeof(ack), 0);
	memcpy(nlmsg_data(header), &ack, sizeof(ack));
	say(client, header, header->nlmsg_len);
	nlmsg_free(msg);
}

static void answer(struct fake_kernel *k, int client, const void *request, size_t len)
{
	struct ipvs_peer peer = fake_kernel_peer(k);
	unsigned char *bytes = NULL;
	int n;

	(void)!peer.send(peer.ctx, request, len);
	while ((n = peer.recv(peer.ctx, &bytes)) >= 0) {
		say(client, bytes, (size_t)n);
		free(bytes);
		bytes = NULL;
	}
}

/* false: the client is gone. */
static bool serve(struct fake_kernel *k, int client)
{
	static char bytes[DATAGRAM_MAX];
	const struct nlmsghdr *header = (void *)bytes;
	ssize_t len = recv(client, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (len <= 0)
		return false;
	if (strncmp(bytes, "load", 4) == 0)
		load(k, client, bytes + 4, (size_t)len - 4);
	else if (strncmp(bytes, "save", 4) == 0)
		save(k, client);
	else if (nlmsg_ok(header, (int)len) && header->nlmsg_type == GENL_ID_CTRL)
		name_family(client, header);
	else
		answer(k, client, bytes, (size_t)len);
	return true;
}

static int listen_at(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	if (fd < 0 || bind(fd, (void *)&at, sizeof(at)) < 0 || listen(fd, CLIENTS) < 0)
		give_up(path);
	return fd;
}

int main(int argc, char **argv)
{
	struct fake_kernel k = { 0 };
	struct pollfd fds[1 + CLIENTS] = { { .events = POLLIN } };

	if (argc != 2)
		return 2;
	fds[0].fd = listen_at(argv[1]);
	for (size_t i = 1; i <= CLIENTS; i++)
		fds[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	while (poll(fds, 1 + CLIENTS, -1) > 0) {
		/* Who was there first is served first: what a killed process has sent is done. */
		for (size_t i = 1; i <= CLIENTS; i++)
			if (fds[i].fd >= 0 && fds[i].revents && !serve(&k, fds[i].fd)) {
				close(fds[i].fd);
				fds[i].fd = -1;
			}
		for (size_t i = 1; fds[0].revents && i <= CLIENTS; i++)
			if (fds[i].fd < 0) {
				fds[i].fd = accept(fds[0].fd, NULL, NULL);
				fds[i].revents = 0;
				break;
			}
	}
	return 1;
}
