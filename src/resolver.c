/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "resolver.h"
#include "srv.h"
#include "stun_msg.h"

#include <arpa/nameser.h>
#include <netdb.h>
#include <pthread.h>
#include <resolv.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define ANSWER_MAX 8192 /* bytes of a DNS answer: some hundred SRV records */

/* What is asked about one server and has been found so far. */
struct job {
	struct lookup *lookup;
	struct server server;
	/* From here on under the lookup's lock. */
	struct err err; /* code 0: none */
	struct endpoint found[RESOLVER_ENDPOINTS_MAX];
	size_t n_found;
	bool ended;
};

/*
 * The system's resolver can be neither interrupted nor given a time limit. So
 * each name has a thread of its own, which may live longer than the call that
 * started it; who lets go of the lookup last frees it.
 */
struct lookup {
	pthread_mutex_t lock;
	pthread_cond_t released;
	size_t holders; /* the threads, and the call while it waits */
	sa_family_t family;
	size_t n;
	struct job jobs[];
};

static struct lookup *lookup_new(const struct server servers[], size_t n, sa_family_t family)
{
	struct lookup *l = calloc(1, sizeof(*l) + n * sizeof(l->jobs[0]));
	pthread_condattr_t clock;

	if (!l)
		return NULL;
	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&l->released, &clock);
	pthread_condattr_destroy(&clock);
	l->holders = 1;
	l->family = family;
	l->n = n;
	for (size_t i = 0; i < n; i++) {
		l->jobs[i].lookup = l;
		l->jobs[i].server = servers[i];
	}
	return l;
}

/* Lets go of it; the caller has the lock. */
static void lookup_release(struct lookup *l)
{
	bool last = --l->holders == 0;

	pthread_cond_signal(&l->released);
	pthread_mutex_unlock(&l->lock);
	if (!last)
		return;
	pthread_cond_destroy(&l->released);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static void add_found(struct job *job, const struct endpoint *ep)
{
	pthread_mutex_lock(&job->lookup->lock);
	if (job->n_found < ARRAY_LEN(job->found))
		job->found[job->n_found++] = *ep;
	pthread_mutex_unlock(&job->lookup->lock);
}

static int refuse_name(struct err *e, int eai, const char *name, sa_family_t family)
{
	int code = errno;

	switch (eai) {
	case EAI_NONAME:
		return err_set(e, ENOENT, "there is no host named '%s'; check the name", name);
	case EAI_NODATA:
	case EAI_ADDRFAMILY:
		if (family == AF_UNSPEC)
			return err_set(e, ENOENT, "%s has no address; name another server", name);
		return err_set(e, ENOENT, "%s has no %s address; name another server", name, addr_family_name(family));
	case EAI_MEMORY:
		return err_set(e, ENOMEM, "out of memory");
	case EAI_SYSTEM:
		err_sys(e, code, "cannot look up %s", name);
		e->code = EAGAIN;
		return -EAGAIN;
	default:
		return err_set(e, EAGAIN, "cannot look up %s: %s; check the name servers (resolv.conf)", name,
			       gai_strerror(eai));
	}
}

/* Nobody shall make us talk to this host itself by a name that he answers for. */
static bool is_for_names(const struct addr *a)
{
	enum addr_scope scope = addr_scope(a);

	return scope != ADDR_LOOPBACK && scope != ADDR_SPECIAL;
}

/* Adds the addresses of a host, as the system's resolver knows it. */
static int add_host(struct err *e, struct job *job, const char *host, uint16_t port)
{
	const struct addrinfo hints = { .ai_family = job->lookup->family, .ai_socktype = SOCK_DGRAM };
	struct addrinfo *all;
	bool any = false;
	int eai = getaddrinfo(host, NULL, &hints, &all);

	if (eai != 0)
		return refuse_name(e, eai, host, job->lookup->family);
	for (const struct addrinfo *i = all; i; i = i->ai_next) {
		struct sockaddr_storage ss = { 0 };
		struct endpoint ep;

		memcpy(&ss, i->ai_addr, i->ai_addrlen);
		if (endpoint_from_sockaddr(&ss, &ep) < 0 || !is_for_names(&ep.addr))
			continue;
		ep.port = port;
		add_found(job, &ep);
		any = true;
	}
	freeaddrinfo(all);
	if (any)
		return 0;
	return err_set(e, ENOENT, "%s has only addresses that a name must not have (loopback or not unicast); "
		       "write the address itself if it is meant", host);
}

/*
 * Asks the DNS for a service's SRV records. None is a result; -EAGAIN: nobody
 * answered, and asking for another service would take as long in vain.
 */
static int ask_srv(struct err *e, const char *service, const char *host, struct srv_list *out)
{
	struct __res_state state = { 0 };
	uint8_t answer[ANSWER_MAX];
	char name[NS_MAXDNAME];
	int len, code;

	*out = (struct srv_list){ 0 };
	snprintf(name, sizeof(name), "%s.%s", service, host);
	if (res_ninit(&state) < 0)
		return err_set(e, EAGAIN, "cannot read the resolver's configuration");
	/* There are routers that never answer this; time is needed for the host's addresses. */
	state.retrans = 1;
	state.retry = 1;
	if (state.nscount > 2)
		state.nscount = 2;
	/* A name with a dot is whole; the service's dots must not make one of those without. */
	if (strchr(host, '.'))
		state.options &= ~(unsigned long)RES_DNSRCH;
	len = res_nsearch(&state, name, ns_c_in, ns_t_srv, answer, sizeof(answer));
	code = state.res_h_errno;
	res_nclose(&state);
	if (len < 0)
		return code == TRY_AGAIN ? err_set(e, EAGAIN, "no answer about %s", name) : 0;
	/* What cannot be read counts as none. */
	if (srv_parse(e, answer, (size_t)len < sizeof(answer) ? (size_t)len : sizeof(answer), out) < 0)
		*out = (struct srv_list){ 0 };
	return 0;
}

/* From 0 to max, without the preference for small numbers that a remainder has. */
static uint32_t random_upto(void *context, uint32_t max)
{
	const uint64_t n = (uint64_t)max + 1;
	uint64_t random;

	(void)context;
	do {
		if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
			return 0; /* then by the order of the answer */
	} while (random >= UINT64_MAX - UINT64_MAX % n);
	return (uint32_t)(random % n);
}

/* The targets' addresses; the first target's error if there are none at all. */
static int add_targets(struct err *e, struct job *job, struct srv_list *list)
{
	struct err first = { 0 };
	bool any = false;

	srv_order(list, random_upto, NULL);
	for (size_t i = 0; i < list->n; i++) {
		if (add_host(e, job, list->items[i].target, list->items[i].port) == 0)
			any = true;
		else if (first.code == 0)
			first = *e;
	}
	if (any)
		return 0;
	*e = first;
	return err_wrap(e, "%s", job->server.host);
}

static int look_up_server(struct err *e, struct job *job)
{
	static const char *const services[] = { "_stun-behavior._udp", "_stun._udp" };
	const struct server *s = &job->server;
	struct srv_list list = { 0 };

	if (s->port != 0)
		return add_host(e, job, s->host, s->port);
	for (size_t i = 0; i < ARRAY_LEN(services) && list.n == 0; i++)
		if (ask_srv(e, services[i], s->host, &list) < 0)
			break;
	if (list.n > 0)
		return add_targets(e, job, &list);
	/* Refused is the last service that was asked for: STUN itself. */
	if (list.refused)
		return err_set(e, ENOENT, "%s says in the DNS that it has no STUN service over UDP; name another server", s->host);
	return add_host(e, job, s->host, STUN_PORT);
}

static void *run_job(void *arg)
{
	struct job *job = arg;
	struct err e = { 0 };
	int ret = look_up_server(&e, job);

	pthread_mutex_lock(&job->lookup->lock);
	if (ret < 0)
		job->err = e;
	job->ended = true;
	lookup_release(job->lookup);
	return NULL;
}

static int start_thread(struct job *job)
{
	pthread_attr_t detached;
	pthread_t thread;
	int code;

	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	code = pthread_create(&thread, &detached, run_job, job);
	pthread_attr_destroy(&detached);
	return -code;
}

static void answer_literal(struct job *job, sa_family_t family)
{
	const struct server *s = &job->server;

	if (family != AF_UNSPEC && family != s->addr.family)
		err_set(&job->err, ENOENT, "%s is not an %s address; name another server", s->host, addr_family_name(family));
	else
		job->found[job->n_found++] = (struct endpoint){ s->addr, s->port ? s->port : STUN_PORT };
	job->ended = true;
}

/* Answers literals and starts a thread for each name. The caller has the lock. */
static void start_jobs(struct lookup *l)
{
	sigset_t all, before;

	/* A signal is for those who started us. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (size_t i = 0; i < l->n; i++) {
		struct job *job = &l->jobs[i];
		int ret;

		if (job->server.addr.family != AF_UNSPEC) {
			answer_literal(job, l->family);
			continue;
		}
		ret = start_thread(job);
		if (ret == 0) {
			l->holders++;
			continue;
		}
		err_sys(&job->err, -ret == ENOMEM ? ENOMEM : EAGAIN, "cannot start a thread to look up %s",
			job->server.host);
		job->ended = true;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static struct timespec now_and(int milliseconds)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += milliseconds / 1000;
	t.tv_nsec += milliseconds % 1000 * 1000000L;
	if (t.tv_nsec >= 1000000000L) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000L;
	}
	return t;
}

static bool is_among(const struct resolver_list *list, const struct endpoint *ep, size_t server)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].server == server && endpoint_equal(&list->items[i].endpoint, ep))
			return true;
	return false;
}

static void collect(const struct lookup *l, struct resolver_list *out)
{
	out->n = 0;
	for (size_t server = 0; server < l->n; server++) {
		const struct job *job = &l->jobs[server];

		for (size_t i = 0; i < job->n_found && out->n < RESOLVER_ENDPOINTS_MAX; i++)
			if (!is_among(out, &job->found[i], server))
				out->items[out->n++] = (struct resolver_endpoint){ job->found[i], server };
	}
}

/* What went wrong with a server. Nothing has if there is an endpoint, even if more might have come. */
static void judge(const struct job *job, struct err *out)
{
	*out = job->err;
	if (!job->ended && job->n_found == 0)
		err_set(out, ETIMEDOUT, "the name servers did not say in time where %s is; check resolv.conf, or give an address", job->server.host);
}

/* As resolver_lookup; the caller has the lock. */
static int conclude(struct err *e, const struct lookup *l, struct resolver_list *out, struct err failures[])
{
	for (size_t i = 0; failures && i < l->n; i++)
		judge(&l->jobs[i], &failures[i]);
	for (size_t i = 0; i < l->n; i++) {
		if (l->jobs[i].n_found > 0) {
			collect(l, out);
			return 0;
		}
	}
	judge(&l->jobs[0], e);
	return -e->code;
}

static bool has_endpoint(const struct lookup *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->jobs[i].ended && l->jobs[i].n_found > 0)
			return true;
	return false;
}

static bool is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

/* Until all have answered, or the time is over. The caller has the lock. */
static void wait_for_jobs(struct lookup *l, int timeout)
{
	struct timespec deadline = now_and(timeout), patience;
	bool patient = true;
	int ret = 0;

	while (l->holders > 1 && ret == 0) {
		if (patient && has_endpoint(l)) {
			patient = false;
			patience = now_and(RESOLVER_PATIENCE);
			if (is_before(&patience, &deadline))
				deadline = patience;
		}
		ret = pthread_cond_timedwait(&l->released, &l->lock, &deadline);
	}
}

int resolver_lookup(struct err *e, const struct server servers[], size_t n, sa_family_t family, int timeout,
		    struct resolver_list *out, struct err failures[])
{
	struct lookup *l = lookup_new(servers, n, family);
	int ret;

	if (!l)
		return err_set(e, ENOMEM, "out of memory");
	pthread_mutex_lock(&l->lock);
	start_jobs(l);
	wait_for_jobs(l, timeout);
	ret = conclude(e, l, out, failures);
	lookup_release(l);
	return ret;
}
