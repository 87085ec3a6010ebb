/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ipvs_talk.h"

#include <linux/ip_vs.h>
#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <string.h>

#define ANSWER_SECONDS 10
#define ERRNO_MAX 4095

/*
 * The kernel makes no datagram of a dump larger than 32 KiB (netlink_dump in
 * af_netlink.c), and fills them as far as it has seen room for. So libnl need
 * not look at the length of each first, which is another system call.
 */
#define ANSWER_MAX 32768

struct ipvs {
	struct nl_sock *sock;
	int family;
	struct ipvs_peer peer; /* send NULL: the kernel */
};

int ipvs_talk_no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

int ipvs_talk_garbled(struct err *e)
{
	return err_set(e, EBADMSG, "the kernel's IPVS answered with a message that makes no sense");
}

/* libnl calls the first three a failure, and the others a lack of memory. */
static bool says_more(int system)
{
	return system == EMFILE || system == ENFILE || system == EIO || system == ENOBUFS || system == ENOMEM;
}

/* libnl's own codes do not leave this file. Comes right after what has failed. */
static int refused_by_libnl(struct err *e, const char *what, int code)
{
	int system = errno;

	if (code == -NLE_PERM)
		return err_set(e, EPERM, "%s: not permitted", what);
	if ((code == -NLE_FAILURE || code == -NLE_NOMEM) && says_more(system))
		return err_sys(e, system, "%s", what);
	return err_set(e, code == -NLE_AGAIN ? ETIMEDOUT : EIO, "%s: %s", what, nl_geterror(code));
}

/* To ask for the family would load the module; that is for sonm-gw-setup to do and to undo. */
static bool is_missing(void)
{
	return access("/proc/net/ip_vs", F_OK) < 0 && access("/proc/net", F_OK) == 0;
}

static int no_ipvs(struct err *e)
{
	return err_set(e, ERR_NO_KERNEL,
		       "this kernel has no IPVS (module ip_vs is not loaded); run 'sonm-gw-setup --apply' as root");
}

/* libnl says that the family is not found whatever has failed: what the system refused has an errno. */
static int resolve_family(struct err *e, struct ipvs *k)
{
	if (is_missing())
		return no_ipvs(e);
	errno = 0;
	k->family = genl_ctrl_resolve(k->sock, IPVS_GENL_NAME);
	if (k->family == -NLE_OBJ_NOTFOUND && errno != 0)
		return err_sys(e, errno, "cannot find IPVS in the kernel");
	if (k->family == -NLE_OBJ_NOTFOUND)
		return no_ipvs(e);
	if (k->family < 0)
		return refused_by_libnl(e, "cannot find IPVS in the kernel", k->family);
	return 0;
}

static int connect_kernel(struct err *e, struct ipvs *k)
{
	const struct timeval limit = { .tv_sec = ANSWER_SECONDS };
	int ret = nl_socket_set_msg_buf_size(k->sock, ANSWER_MAX), on = 1;

	nl_socket_disable_msg_peek(k->sock);
	if (ret == 0)
		ret = genl_connect(k->sock);
	if (ret < 0)
		return refused_by_libnl(e, "cannot open a netlink socket", ret);
	/* A kernel before 4.3 repeats the requests, which is no harm but for the room. */
	(void)!setsockopt(nl_socket_get_fd(k->sock), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	if (setsockopt(nl_socket_get_fd(k->sock), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0)
		return err_sys(e, errno, "cannot set up a netlink socket");
	return resolve_family(e, k);
}

static int open_with(struct err *e, const struct ipvs_peer *peer, struct ipvs **out)
{
	CLEANUP(ipvs_closep) struct ipvs *k = calloc(1, sizeof(*k));

	if (!k || !(k->sock = nl_socket_alloc()))
		return ipvs_talk_no_memory(e);
	if (peer) {
		k->peer = *peer;
		k->family = IPVS_PEER_FAMILY;
	} else if (connect_kernel(e, k) < 0) {
		return -e->code;
	}
	*out = steal_ptr(k);
	return 0;
}

int ipvs_open(struct err *e, struct ipvs **out)
{
	return open_with(e, NULL, out);
}

int ipvs_open_peer(struct err *e, const struct ipvs_peer *peer, struct ipvs **out)
{
	return open_with(e, peer, out);
}

void ipvs_close(struct ipvs *k)
{
	if (!k)
		return;
	nl_socket_free(k->sock);
	free(k);
}

void ipvs_closep(struct ipvs **k)
{
	ipvs_close(*k);
}

int ipvs_talk_family(const struct ipvs *k)
{
	return k->family;
}

int ipvs_talk_send(struct err *e, struct ipvs *k, void *buf, size_t len)
{
	int ret;

	do {
		ret = k->peer.send ? k->peer.send(k->peer.ctx, buf, len) : nl_sendto(k->sock, buf, len);
	} while (!k->peer.send && ret == -NLE_INTR);
	if (ret >= 0)
		return 0;
	if (k->peer.send)
		return err_sys(e, -ret, "cannot send to the kernel's IPVS");
	return refused_by_libnl(e, "cannot send to the kernel's IPVS", ret);
}

/* One datagram from the kernel and from nobody else; *buf is the caller's. Returns its length. */
static int recv_answers(struct err *e, struct ipvs *k, unsigned char **buf)
{
	struct sockaddr_nl from = { 0 };
	int len;

	if (k->peer.recv) {
		len = k->peer.recv(k->peer.ctx, buf);
		return len >= 0 ? len : err_sys(e, -len, "the kernel's IPVS does not answer");
	}
	len = nl_recv(k->sock, &from, buf, NULL);
	if (len <= 0)
		return refused_by_libnl(e, "the kernel's IPVS does not answer", len ? len : -NLE_FAILURE);
	if (from.nl_pid == 0)
		return len;
	free(*buf);
	*buf = NULL;
	return 0;
}

/* How request i went: 0 or a negative errno, of which the kernel has no others (MAX_ERRNO in linux/err.h). */
static int answered(struct err *e, struct ipvs_talk *t, size_t i, int status)
{
	if (status > 0 || status < -ERRNO_MAX)
		return ipvs_talk_garbled(e);
	if (i < t->n_answered)
		return 0;
	while (t->n_answered < i)
		t->statuses[t->n_answered++] = 0;
	t->statuses[t->n_answered++] = status;
	return 0;
}

static int handle_answer(struct err *e, struct ipvs_talk *t, struct nlmsghdr *answer)
{
	size_t i = answer->nlmsg_seq - t->first_seq;

	if (i >= t->n_requests)
		return 0; /* of an earlier conversation that was given up */
	switch (answer->nlmsg_type) {
	case NLMSG_ERROR:
		if (!nlmsg_valid_hdr(answer, sizeof(struct nlmsgerr)))
			return ipvs_talk_garbled(e);
		return answered(e, t, i, ((struct nlmsgerr *)nlmsg_data(answer))->error);
	case NLMSG_DONE:
		/* It carries how the dump ended (netlink_dump in af_netlink.c). */
		return answered(e, t, i, nlmsg_datalen(answer) >= (int)sizeof(int) ? *(int *)nlmsg_data(answer) : 0);
	case NLMSG_OVERRUN:
		return err_set(e, ENOBUFS, "the kernel's IPVS lost an answer; try again");
	case NLMSG_NOOP:
		return 0;
	default:
		break;
	}
	if (!t->on_answer)
		return 0;
	switch (t->on_answer(answer, t->ctx)) {
	case 0:
		return 0;
	case -ENOMEM:
		return ipvs_talk_no_memory(e);
	default:
		return ipvs_talk_garbled(e);
	}
}

/* The messages of one datagram. */
static int handle_datagram(struct err *e, struct ipvs_talk *t, void *buf, int len)
{
	struct nlmsghdr *answer = buf;

	for (; nlmsg_ok(answer, len); answer = nlmsg_next(answer, &len))
		if (handle_answer(e, t, answer) < 0)
			return -e->code;
	return len > 0 ? ipvs_talk_garbled(e) : 0;
}

int ipvs_talk_hear(struct err *e, struct ipvs *k, struct ipvs_talk *t)
{
	while (t->n_answered < t->n_requests) {
		CLEANUP_FREE unsigned char *buf = NULL;
		int len = recv_answers(e, k, &buf);

		if (len < 0)
			return len;
		if (len > 0 && handle_datagram(e, t, buf, len) < 0)
			return -e->code;
	}
	return 0;
}

void ipvs_talk_add(struct ipvs *k, struct nl_msg *msg, bool is_last, struct ipvs_talk *t,
		   unsigned char *datagram, size_t *len)
{
	struct nlmsghdr *header = nlmsg_hdr(msg);

	nl_complete_msg(k->sock, msg); /* which asks for an ACK */
	if (!is_last)
		header->nlmsg_flags &= (uint16_t)~NLM_F_ACK;
	if (t->n_requests++ == 0)
		t->first_seq = header->nlmsg_seq;
	memcpy(datagram + *len, header, header->nlmsg_len);
	*len += NLMSG_ALIGN(header->nlmsg_len);
}
