/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ipvs.h"

#include "ipvs_msg.h"

#include <linux/ip_vs.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <string.h>

/*
 * Requests in one datagram. All may be refused, and what the kernel says to each
 * must fit into the socket's receive buffer, 64 KiB with libnl; what does not
 * repeat the request (NETLINK_CAP_ACK) takes less than 800 bytes.
 */
#define BATCH 64

/* Likewise, of services that are asked for: one that is found may take 4.4 KiB of that (nlmsg_new() in ip_vs_ctl.c). */
#define GET_BATCH 12

#define ANSWER_SECONDS 10

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

typedef int answer_fn(struct nlmsghdr *answer, void *ctx);

/*
 * A conversation: requests that were sent, and where their answers go. The kernel
 * takes the requests of a datagram in order, goes on after one that fails, and
 * answers that one in any case, the others only if they ask for an ACK
 * (netlink_rcv_skb in af_netlink.c). So an answer says of all before it that they
 * have succeeded, and the last one alone has to ask. An answer that is lost is
 * ENOBUFS at the next recv(2), before any other.
 */
struct talk {
	uint32_t first_seq; /* requests are numbered from here */
	size_t n_requests, n_answered;
	int statuses[BATCH]; /* of those answered: 0 or the kernel's negative errno */
	answer_fn *on_answer; /* for messages with content; NULL: none expected */
	void *ctx;
};

static void message_free(struct nl_msg **msg)
{
	nlmsg_free(*msg);
}

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

static int garbled(struct err *e)
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
		return no_memory(e);
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

static int send_requests(struct err *e, struct ipvs *k, void *buf, size_t len)
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

static void answered(struct talk *t, size_t i, int status)
{
	if (i < t->n_answered)
		return;
	while (t->n_answered < i)
		t->statuses[t->n_answered++] = 0;
	t->statuses[t->n_answered++] = status;
}

static int handle_answer(struct err *e, struct talk *t, struct nlmsghdr *answer)
{
	size_t i = answer->nlmsg_seq - t->first_seq;

	if (i >= t->n_requests)
		return 0; /* of an earlier conversation that was given up */
	switch (answer->nlmsg_type) {
	case NLMSG_ERROR:
		if (!nlmsg_valid_hdr(answer, sizeof(struct nlmsgerr)))
			return garbled(e);
		answered(t, i, ((struct nlmsgerr *)nlmsg_data(answer))->error);
		return 0;
	case NLMSG_DONE:
		/* It carries how the dump ended (netlink_dump in af_netlink.c). */
		answered(t, i, nlmsg_datalen(answer) >= (int)sizeof(int) ? *(int *)nlmsg_data(answer) : 0);
		return 0;
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
		return no_memory(e);
	default:
		return garbled(e);
	}
}

/* The messages of one datagram. */
static int handle_datagram(struct err *e, struct talk *t, void *buf, int len)
{
	struct nlmsghdr *answer = buf;

	for (; nlmsg_ok(answer, len); answer = nlmsg_next(answer, &len))
		if (handle_answer(e, t, answer) < 0)
			return -e->code;
	return len > 0 ? garbled(e) : 0;
}

/* Reads until it is known of every request of the talk how it went. */
static int hear(struct err *e, struct ipvs *k, struct talk *t)
{
	while (t->n_answered < t->n_requests) {
		CLEANUP_FREE unsigned char *buf = NULL;
		int len = recv_answers(e, k, &buf);

		if (len < 0)
			return len;
		if (handle_datagram(e, t, buf, len) < 0)
			return -e->code;
	}
	return 0;
}

/* Numbers a finished request and appends it to a datagram. */
static void append_request(struct ipvs *k, struct nl_msg *msg, bool is_last, struct talk *t,
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

/* One request, whose answers on_answer reads. 0, or the kernel's negative errno in *status. */
static int ask(struct err *e, struct ipvs *k, struct nl_msg *msg, answer_fn *on_answer, void *ctx,
	       int *status)
{
	unsigned char datagram[IPVS_MSG_SIZE];
	struct talk t = { .on_answer = on_answer, .ctx = ctx };
	size_t len = 0;

	append_request(k, msg, true, &t, datagram, &len);
	if (send_requests(e, k, datagram, len) < 0 || hear(e, k, &t) < 0)
		return -e->code;
	*status = t.statuses[0];
	return 0;
}

static int not_permitted(struct err *e)
{
	return err_set(e, EPERM, "not permitted: IPVS needs CAP_NET_ADMIN; run as root");
}

static int refused(struct err *e, const char *what, int status)
{
	if (status == -EPERM)
		return not_permitted(e);
	return err_sys(e, -status, "the kernel refuses to %s", what);
}

static int on_service(struct nlmsghdr *answer, void *ctx)
{
	struct service_list *list = ctx;
	struct service s;
	struct err e;
	int ret = ipvs_msg_read_service(answer, &s);

	return ret < 0 ? ret : service_list_add(&e, list, &s);
}

static int on_destination(struct nlmsghdr *answer, void *ctx)
{
	struct service *s = ctx;
	struct destination d;
	int ret = ipvs_msg_read_destination(answer, s->key.vip.addr.family, &d);

	if (ret == 0)
		ret = base_reserve((void **)&s->destinations, s->n_destinations, sizeof(d));
	if (ret == 0)
		s->destinations[s->n_destinations++] = d;
	return ret;
}

int ipvs_get_destinations(struct err *e, struct ipvs *k, struct service *s)
{
	CLEANUP(message_free) struct nl_msg *msg = nlmsg_alloc_size(IPVS_MSG_SIZE);
	int status;

	if (!msg || ipvs_msg_dump_destinations(msg, k->family, &s->key) < 0)
		return no_memory(e);
	if (ask(e, k, msg, on_destination, s, &status) < 0)
		return -e->code;
	return status == 0 ? 0 : refused(e, "list real servers", status);
}

/* What came are those of the keys that were found, in their order. */
static bool are_found(const struct talk *t, const struct service_key *keys, const struct service *found, size_t n_found)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_requests; i++)
		if (t->statuses[i] == 0 && (n == n_found || !service_key_equal(&found[n++].key, &keys[i])))
			return false;
	return n == n_found;
}

/* Up to GET_BATCH services, with one datagram; what is found is appended without destinations. */
static int get_batch(struct err *e, struct ipvs *k, const struct service_key *keys, size_t n, struct service_list *out)
{
	unsigned char datagram[GET_BATCH * IPVS_MSG_SIZE];
	struct talk t = { .on_answer = on_service, .ctx = out };
	size_t len = 0, n_before = out->n;

	for (size_t i = 0; i < n; i++) {
		CLEANUP(message_free) struct nl_msg *msg = nlmsg_alloc_size(IPVS_MSG_SIZE);

		if (!msg || ipvs_msg_get_service(msg, k->family, &keys[i]) < 0)
			return no_memory(e);
		append_request(k, msg, i + 1 == n, &t, datagram, &len);
	}
	if (send_requests(e, k, datagram, len) < 0 || hear(e, k, &t) < 0)
		return -e->code;
	for (size_t i = 0; i < n; i++)
		if (t.statuses[i] < 0 && t.statuses[i] != -ESRCH)
			return refused(e, "show a service", t.statuses[i]);
	return are_found(&t, keys, out->items + n_before, out->n - n_before) ? 0 : garbled(e);
}

int ipvs_get_each(struct err *e, struct ipvs *k, const struct service_key *keys, size_t n, struct service_list *out)
{
	size_t n_before = out->n;

	for (size_t i = 0; i < n; i += GET_BATCH)
		if (get_batch(e, k, &keys[i], n - i < GET_BATCH ? n - i : GET_BATCH, out) < 0)
			return -e->code;
	for (size_t i = n_before; i < out->n; i++)
		if (ipvs_get_destinations(e, k, &out->items[i]) < 0)
			return -e->code;
	return 0;
}

int ipvs_get(struct err *e, struct ipvs *k, const struct service_key *key, struct service *out)
{
	CLEANUP(service_list_clear) struct service_list found = { 0 };

	if (ipvs_get_each(e, k, key, 1, &found) < 0)
		return -e->code;
	if (found.n == 0)
		return 0;
	*out = found.items[0];
	found.n = 0;
	return 1;
}

/* A dump that raced with changes may show a service twice: keep the later, larger reading. */
static void sort_unique(struct service_list *list)
{
	size_t n = 0;

	if (list->n == 0)
		return;
	qsort(list->items, list->n, sizeof(*list->items), service_compare);
	for (size_t i = 1; i < list->n; i++) {
		struct service *kept = &list->items[n];

		if (service_compare(kept, &list->items[i]) != 0)
			list->items[++n] = list->items[i];
		else if (list->items[i].counters.inbytes >= kept->counters.inbytes)
			*kept = list->items[i];
	}
	list->n = n + 1;
}

static int dump_services(struct err *e, struct ipvs *k, answer_fn *on_answer, void *ctx)
{
	CLEANUP(message_free) struct nl_msg *msg = nlmsg_alloc_size(IPVS_MSG_SIZE);
	int status;

	if (!msg || ipvs_msg_dump_services(msg, k->family) < 0)
		return no_memory(e);
	if (ask(e, k, msg, on_answer, ctx, &status) < 0)
		return -e->code;
	return status == 0 ? 0 : refused(e, "list services", status);
}

int ipvs_list(struct err *e, struct ipvs *k, bool with_destinations, struct service_list *out)
{
	CLEANUP(service_list_clear) struct service_list list = { 0 };

	if (dump_services(e, k, on_service, &list) < 0)
		return -e->code;
	sort_unique(&list);
	for (size_t i = 0; with_destinations && i < list.n; i++)
		if (list.items[i].fwmark == 0 && ipvs_get_destinations(e, k, &list.items[i]) < 0)
			return -e->code;
	*out = list;
	list = (struct service_list){ 0 };
	return 0;
}

static int on_count(struct nlmsghdr *answer, void *ctx)
{
	struct service s;
	struct err e;
	int ret = ipvs_msg_read_service(answer, &s);

	return ret < 0 ? ret : counts_add(&e, ctx, &s);
}

int ipvs_count(struct err *e, struct ipvs *k, struct counts *out)
{
	return dump_services(e, k, on_count, out);
}

/* Makes up to BATCH changes with one datagram. */
static int run_batch(struct err *e, struct ipvs *k, struct change *changes, size_t n)
{
	unsigned char datagram[BATCH * IPVS_MSG_SIZE];
	struct talk t = { 0 };
	size_t len = 0;
	int ret;

	for (size_t i = 0; i < n; i++) {
		CLEANUP(message_free) struct nl_msg *msg = nlmsg_alloc_size(IPVS_MSG_SIZE);

		if (!msg || ipvs_msg_change(msg, k->family, &changes[i]) < 0)
			return no_memory(e);
		append_request(k, msg, i + 1 == n, &t, datagram, &len);
	}
	if (send_requests(e, k, datagram, len) < 0)
		return -e->code;
	ret = hear(e, k, &t);
	for (size_t i = 0; i < n; i++)
		changes[i].status = i < t.n_answered ? t.statuses[i] : -EIO;
	return ret;
}

int ipvs_run(struct err *e, struct ipvs *k, struct change_list *changes)
{
	int n_refused = 0;

	for (size_t i = 0; i < changes->n; i++)
		changes->items[i].status = -ECANCELED;
	for (size_t i = 0; i < changes->n; i += BATCH) {
		size_t left = changes->n - i;

		if (run_batch(e, k, &changes->items[i], left < BATCH ? left : BATCH) < 0)
			return -e->code;
	}
	for (size_t i = 0; i < changes->n; i++)
		n_refused += changes->items[i].status < 0;
	return n_refused;
}

int ipvs_explain(struct err *e, const struct change *c)
{
	char what[CHANGE_STRLEN];
	bool adds_service = c->op == CHANGE_ADD_SERVICE;

	change_format(c, what);
	if (c->status == -EPERM)
		return not_permitted(e);
	if (c->status == -EEXIST && adds_service)
		return err_set(e, ERR_CONFLICT, "cannot %s: someone else has just made this service; try again",
			       what);
	if (c->status == -ENOENT && (adds_service || c->op == CHANGE_EDIT_SERVICE))
		return err_set(e, ERR_USAGE,
			       "cannot %s: this kernel has no scheduler '%s'; load module ip_vs_%s or choose another",
			       what, c->scheduler, c->scheduler);
	if (c->status == -EAFNOSUPPORT)
		return err_set(e, ERR_NO_KERNEL, "cannot %s: this kernel's IPVS has no %s", what,
			       addr_family_name(c->key.vip.addr.family));
	if (c->status == -EINVAL && c->op == CHANGE_ADD_DESTINATION)
		return err_set(e, ERR_USAGE, "cannot %s: the kernel says that it is no address to forward to",
			       what);
	return err_sys(e, -c->status, "cannot %s", what);
}
