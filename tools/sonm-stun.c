/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sonm-stun: finds this host's public address and what NAT or firewall stands before it, and reports it. */
#include "discovery.h"
#include "interfaces.h"
#include "resolver.h"
#include "stun_job.h"
#include "stun_view.h"

#include <assert.h>
#include <signal.h>
#include <string.h>
#include <time.h>

/* Microseconds of a clock that nobody sets. */
static int64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* --- asking servers ------------------------------------------------------------- */

/* IPv4 if one of the endpoints can be reached over it, else IPv6. The errors of udp_source. */
static int choose_family(struct err *e, const struct resolver_list *list, const struct udp_from *from,
			 sa_family_t *out)
{
	static const sa_family_t families[] = { AF_INET, AF_INET6 };
	struct err first = { 0 };
	struct addr source;

	for (size_t f = 0; f < ARRAY_LEN(families); f++) {
		for (size_t i = 0; i < list->n; i++) {
			const struct endpoint *to = &list->items[i].endpoint;

			if (to->addr.family != families[f])
				continue;
			if (udp_source(e, to, from, &source) == 0) {
				*out = families[f];
				return 0;
			}
			if (first.code == 0)
				first = *e;
		}
	}
	*e = first;
	return -e->code;
}

static bool is_among(const struct discovery_candidate list[], size_t n, const struct endpoint *ep)
{
	for (size_t i = 0; i < n; i++)
		if (endpoint_equal(&list[i].endpoint, ep))
			return true;
	return false;
}

/* The endpoints of that family, each once, one of each server in turn. Returns how many. */
static size_t order_endpoints(const struct resolver_list *list, sa_family_t family,
			      struct discovery_candidate out[static RESOLVER_ENDPOINTS_MAX])
{
	bool taken[RESOLVER_ENDPOINTS_MAX] = { false };
	size_t n = 0;
	bool turned;

	do {
		turned = false;
		for (size_t server = 0; server < WORKER_SERVERS_MAX; server++) {
			const struct resolver_endpoint *items = list->items;
			size_t i = 0;

			while (i < list->n && (taken[i] || items[i].server != server ||
					       items[i].endpoint.addr.family != family))
				i++;
			if (i == list->n)
				continue;
			taken[i] = true;
			if (!is_among(out, n, &items[i].endpoint))
				out[n++] = (struct discovery_candidate){ items[i].endpoint, server };
			turned = true;
		}
	} while (turned);
	return n;
}

static bool has_endpoint(const struct resolver_list *list, size_t server, sa_family_t family)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].server == server && list->items[i].endpoint.addr.family == family)
			return true;
	return false;
}

/* A server that is not asked is missed only if somebody says so. */
static void warn_of_unasked(const struct worker_config *c, const struct resolver_list *list,
			    const struct err failures[], sa_family_t family)
{
	char name[SERVER_STRLEN];

	for (size_t i = 0; i < c->n_servers; i++) {
		if (failures[i].code != 0)
			fprintf(stderr, STUN_PROG ": warning: %s\n", failures[i].msg);
		else if (!has_endpoint(list, i, family))
			fprintf(stderr, STUN_PROG ": warning: %s is not asked: it has no %s address\n",
				server_format(&c->servers[i], name), addr_family_name(family));
	}
}

static void show_event(void *context, const struct discovery_event *event)
{
	const struct stun_job *job = context;

	stun_view_event(stderr, event, job->verbose > 1);
}

/* deadline: of clock_now. */
static int ask_servers(struct err *e, struct stun_job *job, int64_t deadline, struct discovery *out)
{
	const struct worker_config *c = &job->config;
	struct discovery_candidate candidates[RESOLVER_ENDPOINTS_MAX];
	struct err failures[WORKER_SERVERS_MAX];
	struct resolver_list list;
	sa_family_t family = job->family;
	/* Names have half of the time, so that one that nobody knows leaves the others theirs. */
	int timeout = (int)(job->limit / 2 / 1000);

	if (resolver_lookup(e, c->servers, c->n_servers, family, timeout, &list, failures) < 0)
		return -e->code;
	if (family == AF_UNSPEC && choose_family(e, &list, &job->from, &family) < 0)
		return -e->code;
	warn_of_unasked(c, &list, failures, family);
	return discovery_run(e,
			     &(const struct discovery_plan){
				     .servers = candidates,
				     .n_servers = order_endpoints(&list, family, candidates),
				     .from = job->from,
				     .limit = deadline - clock_now(),
				     .watch = job->verbose > 0 ? show_event : NULL,
				     .context = job,
			     },
			     out);
}

/* What the network refuses is its failure, whatever the number means elsewhere; what -b names, the user's. */
static int blame_network(struct err *e, const struct udp_from *from)
{
	if (from->address.family != AF_UNSPEC && e->code == EADDRNOTAVAIL)
		e->code = ERR_USAGE;
	else if (from->device[0] != '\0' && e->code == ENODEV)
		e->code = ERR_USAGE;
	else
		e->code = EIO;
	return -e->code;
}

static int find_out(struct err *e, struct stun_job *job, int64_t deadline, struct discovery *discovery,
		    struct stun_result *r)
{
	if (ask_servers(e, job, deadline, discovery) < 0)
		return blame_network(e, &job->from);
	r->source = STUN_FROM_SERVERS;
	r->discovery = discovery;
	r->verdict = discovery->verdict;
	r->n_addresses = r->verdict.n_public;
	memcpy(r->addresses, r->verdict.public, r->n_addresses * sizeof(*r->addresses));
	return 0;
}

/* --- without a server ------------------------------------------------------------ */

/* Those of the family that is asked for, the global ones first. */
static void take_addresses(const struct addr *list, size_t n, sa_family_t family, struct stun_result *r)
{
	for (int global = 1; global >= 0; global--)
		for (size_t i = 0; i < n; i++)
			if ((addr_scope(&list[i]) == ADDR_GLOBAL) == global &&
			    (family == AF_UNSPEC || family == list[i].family))
				r->addresses[r->n_addresses++].addr = list[i];
}

static int find_addresses(struct err *e, const struct stun_job *job, struct stun_result *r)
{
	const struct worker_config *c = &job->config;
	const char *family = job->family == AF_UNSPEC ? "" : addr_family_name(job->family);
	struct addr found[INTERFACES_ADDRESSES_MAX];
	size_t n;

	static_assert(WORKER_ADDRESSES_MAX <= STUN_ADDRESSES_MAX, "they fit");
	static_assert(INTERFACES_ADDRESSES_MAX <= STUN_ADDRESSES_MAX, "they fit");
	if (c->n_addresses > 0) {
		r->source = STUN_FROM_CONFIGURATION;
		take_addresses(c->addresses, c->n_addresses, job->family, r);
		if (r->n_addresses == 0)
			return err_set(e, ERR_USAGE, "public_ip_addrs in %.300s has no %s address; add one",
				       job->config_path, family);
		return 0;
	}
	r->source = STUN_FROM_INTERFACES;
	if (interfaces_addresses(e, job->family, found, &n) < 0)
		return blame_network(e, &job->from);
	take_addresses(found, n, job->family, r);
	if (n == 0)
		return err_set(e, EIO, "no network interface has an %s%saddress for others; bring one up",
			       family, family[0] ? " " : "");
	return 0;
}

/* The admin says by naming no server that nothing stands before this host. */
static int believe(struct err *e, const struct stun_job *job, struct stun_result *r)
{
	struct nat_verdict *v = &r->verdict;

	if (find_addresses(e, job, r) < 0)
		return -e->code;
	if (r->source == STUN_FROM_INTERFACES && (job->json || job->report))
		fprintf(stderr, STUN_PROG ": warning: no STUN server is named, by -s or firewall in %s: nothing is "
					  "asked, this worker counts as public\n", job->config_path);
	v->type = NAT_NONE;
	v->reasons = NAT_REASON_CONFIGURED;
	v->n_public = r->n_addresses < NAT_PUBLIC_MAX ? r->n_addresses : NAT_PUBLIC_MAX;
	memcpy(v->public, r->addresses, v->n_public * sizeof(*v->public));
	return 0;
}

/* --- the result ------------------------------------------------------------------ */

static int make_document(struct err *e, const struct stun_result *r, char **text, size_t *len)
{
	FILE *stream = open_memstream(text, len);
	int ret;

	if (!stream)
		return err_set(e, ENOMEM, "out of memory");
	ret = stun_view_json(e, stream, r);
	if (fclose(stream) != 0 && ret == 0)
		ret = err_set(e, ENOMEM, "out of memory");
	return ret;
}

static int post_report(struct err *e, const struct stun_job *job, const char *document, size_t len)
{
	const struct http_post http = {
		.content_type = "application/json",
		.body = document,
		.len = len,
		.user_agent = STUN_PROG "/" PACKAGE_VERSION,
	};
	long status;

	if (job->post.token_in_clear)
		fprintf(stderr, STUN_PROG ": warning: the token can be read by everybody on the way; use https\n");
	if (post_send(e, &job->post, http, &status) < 0)
		return -e->code;
	if (job->verbose > 0)
		fprintf(stderr, "reported, HTTP status %ld\n", status);
	return 0;
}

/* The result is printed first: a hub that does not answer must not keep it back. */
static int tell(struct err *e, const struct stun_job *job, const struct stun_result *r)
{
	CLEANUP_FREE char *document = NULL;
	size_t len = 0;
	int failure = 0, ret;

	if (make_document(e, r, &document, &len) < 0)
		return -e->code;
	if (job->report)
		signal(SIGPIPE, SIG_IGN); /* nor must a reader that has gone */
	if (job->json)
		fwrite(document, 1, len, stdout);
	else
		stun_view_text(stdout, r);
	if (!job->report)
		return 0; /* who ends looks after the output */
	if (fflush(stdout) != 0) {
		failure = errno;
		clearerr(stdout);
	}
	ret = post_report(e, job, document, len);
	return ret == 0 && failure ? err_sys(e, failure, "cannot write the output") : ret;
}

static int run(struct err *e, const struct cmd_line *line)
{
	int64_t start = clock_now();
	struct stun_result result = { 0 };
	struct discovery discovery;
	struct stun_job job;
	int ret;

	if (stun_job_read(e, line, &job) < 0)
		return -e->code;
	if (job.config.has_firewall)
		ret = find_out(e, &job, start + job.limit, &discovery, &result);
	else
		ret = believe(e, &job, &result);
	if (ret < 0)
		return ret;
	result.config_path = job.config_path;
	result.took = clock_now() - start;
	return tell(e, &job, &result);
}

int main(int argc, char **argv)
{
	CLEANUP(cmd_line_free) struct cmd_line line = { 0 };
	struct err e;
	int status = tool_start(&stun_job_table, argc, argv, &line);

	if (status >= 0)
		return status;
	return tool_end(STUN_PROG, run(&e, &line) < 0 ? tool_fail(STUN_PROG, &e) : EXIT_DONE);
}
