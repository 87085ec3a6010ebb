/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What names become, with a DNS of the test's own: getaddrinfo and res_nsearch
 * answer from the tables below, and not before the test lets them.
 */
#include "dns.h"
#include "given.h"
#include "resolver.h"

#include <dirent.h>
#include <limits.h>
#include <netdb.h>
#include <pthread.h>
#include <resolv.h>
#include <signal.h>

#define PATIENCE 60000 /* milliseconds; only a failure takes that long */

/* --- The DNS --- */

static const struct {
	const char *name;
	int error; /* EAI_ */
	const char *addresses[5];
} hosts[] = {
	{ .name = "one.test", .addresses = { "192.0.2.1" } },
	{ .name = "two.test", .addresses = { "2001:db8::2", "192.0.2.2", "192.0.2.22" } },
	{ .name = "odd.test", .addresses = { "127.0.0.1", "0.0.0.0", "192.0.2.3", "224.0.0.1", "::1" } },
	{ .name = "mapped.test", .addresses = { "::ffff:192.0.2.3", "ff02::1", "127.8.8.8", "255.255.255.255" } },
	{ .name = "broken.test", .error = EAI_AGAIN },
	{ .name = "refused.test", .error = EAI_FAIL },
	{ .name = "system.test", .error = EAI_SYSTEM },
	{ .name = "memory.test", .error = EAI_MEMORY },
	{ .name = "slow.test", .addresses = { "192.0.2.4" } },
	{ .name = "srv.test", .addresses = { "192.0.2.99" } },
	{ .name = "both.test", .addresses = { "192.0.2.99" } },
	{ .name = "plain.test", .addresses = { "192.0.2.99" } },
	{ .name = "refuses.test", .addresses = { "192.0.2.99" } },
	{ .name = "no-behavior.test", .addresses = { "192.0.2.99" } },
	{ .name = "garbage.test", .addresses = { "192.0.2.99" } },
	{ .name = "silent.test", .addresses = { "192.0.2.99" } },
};

static const struct {
	const char *name;
	unsigned priority, weight, port;
	const char *target; /* NULL: nobody answers; "garbage": no DNS message */
} services[] = {
	{ "_stun._udp.srv.test", 20, 0, 1111, "one.test" },
	{ "_stun._udp.srv.test", 10, 0, 2222, "two.test" },
	{ "_stun._udp.srv.test", 15, 0, 3333, "missing.test" },
	{ "_stun-behavior._udp.both.test", 0, 0, 4444, "one.test" },
	{ "_stun._udp.both.test", 0, 0, 5555, "two.test" },
	{ "_stun._udp.refuses.test", 0, 0, 0, "." },
	{ "_stun-behavior._udp.no-behavior.test", 0, 0, 0, "." },
	{ "_stun._udp.no-behavior.test", 0, 0, 6666, "one.test" },
	{ "_stun-behavior._udp.garbage.test", 0, 0, 0, "garbage" },
	{ "_stun-behavior._udp.silent.test", 0, 0, 0, NULL },
	{ "_stun._udp.silent.test", 0, 0, 7777, "one.test" },
	{ "_stun._udp.dead.test", 0, 0, 1, "missing.test" },
	{ "_stun._udp.dead.test", 1, 0, 1, "broken.test" },
	{ "_stun._udp.partly.test", 0, 0, 8888, "one.test" },
	{ "_stun._udp.partly.test", 1, 0, 9999, "slow.test" },
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t change;
	bool slow_may_answer;
	unsigned asked_slow, asked_srv;
	bool searched;    /* for a dotted name with the search list */
	bool signal_open; /* a thread would take SIGTERM */
} dns = { .lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER };

static void wait_if_slow(const char *name)
{
	sigset_t blocked;

	pthread_sigmask(SIG_BLOCK, NULL, &blocked);
	pthread_mutex_lock(&dns.lock);
	dns.signal_open = dns.signal_open || !sigismember(&blocked, SIGTERM);
	if (strcmp(name, "slow.test") == 0) {
		dns.asked_slow++;
		pthread_cond_broadcast(&dns.change);
		while (!dns.slow_may_answer)
			pthread_cond_wait(&dns.change, &dns.lock);
	}
	pthread_mutex_unlock(&dns.lock);
}

static void add_address(struct addrinfo **last, const char *text, sa_family_t family)
{
	struct addrinfo *i = calloc(1, sizeof(*i) + sizeof(struct sockaddr_storage));
	struct endpoint ep = { .addr = given_addr(text) };

	ck_assert_ptr_nonnull(i);
	if (family != AF_UNSPEC && ep.addr.family != family) {
		free(i);
		return;
	}
	i->ai_family = ep.addr.family;
	i->ai_addr = (struct sockaddr *)(i + 1);
	i->ai_addrlen = endpoint_to_sockaddr(&ep, (struct sockaddr_storage *)(i + 1));
	while (*last)
		last = &(*last)->ai_next;
	*last = i;
}

int getaddrinfo(const char *restrict name, const char *restrict service, const struct addrinfo *restrict hints,
		struct addrinfo **restrict out)
{
	ck_assert_ptr_null(service);
	ck_assert_int_eq(hints->ai_socktype, SOCK_DGRAM); /* or each address would come three times */
	wait_if_slow(name);
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		if (strcmp(name, hosts[i].name) != 0)
			continue;
		errno = EMFILE;
		*out = NULL;
		for (size_t k = 0; k < ARRAY_LEN(hosts[i].addresses) && hosts[i].addresses[k]; k++)
			add_address(out, hosts[i].addresses[k], (sa_family_t)hints->ai_family);
		return hosts[i].error ? hosts[i].error : *out ? 0 : EAI_NODATA;
	}
	return EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *list)
{
	while (list) {
		struct addrinfo *next = list->ai_next;

		free(list);
		list = next;
	}
}

static int answer(const struct dns_message *m, size_t n_found, uint8_t *buf, int size)
{
	if (n_found == 0)
		return -1;
	ck_assert_uint_le(m->len, (size_t)size);
	memcpy(buf, m->bytes, m->len);
	return (int)m->len;
}

int res_nsearch(res_state state, const char *name, int class, int type, unsigned char *buf, int size)
{
	struct dns_message m;
	size_t n_found = 0;

	ck_assert_int_eq(class, ns_c_in);
	ck_assert_int_eq(type, ns_t_srv);
	pthread_mutex_lock(&dns.lock);
	dns.asked_srv++;
	dns.searched = dns.searched || (state->options & RES_DNSRCH);
	pthread_mutex_unlock(&dns.lock);
	state->res_h_errno = HOST_NOT_FOUND;
	dns_begin(&m, name);
	for (size_t i = 0; i < ARRAY_LEN(services); i++) {
		if (strcmp(name, services[i].name) != 0)
			continue;
		if (!services[i].target) {
			state->res_h_errno = TRY_AGAIN;
			return -1;
		}
		if (strcmp(services[i].target, "garbage") == 0)
			m.bytes[7] = 77; /* answers that are not there */
		else
			dns_add_srv(&m, name, services[i].priority, services[i].weight, services[i].port,
				    services[i].target);
		n_found++;
	}
	return answer(&m, n_found, buf, size);
}

/* --- The tests --- */

static void forget(void)
{
	dns.slow_may_answer = dns.searched = dns.signal_open = false;
	dns.asked_slow = dns.asked_srv = 0;
}

static struct server given_stun_server(const char *text)
{
	struct server s;
	struct err e = { 0 };

	ck_assert_msg(server_parse(&e, text, &s) == 0, "%s", e.msg);
	return s;
}

static void expect_list(const struct resolver_list *list, const char *const texts[])
{
	for (size_t i = 0; i < list->n; i++) {
		char ep[ENDPOINT_STRLEN], text[ENDPOINT_STRLEN + 10];

		ck_assert_ptr_nonnull(texts[i]);
		snprintf(text, sizeof(text), "%zu %s", list->items[i].server,
			 endpoint_format(&list->items[i].endpoint, ep));
		ck_assert_str_eq(text, texts[i]);
	}
	ck_assert_msg(!texts[list->n], "%s is missing", texts[list->n]);
}

/* That name becomes exactly these endpoints, "0 ENDPOINT", up to a NULL. */
static void expect_found(const char *name, sa_family_t family, const char *const texts[])
{
	struct server s = given_stun_server(name);
	struct resolver_list list;
	struct err e = { 0 }, failure = { .code = 7 };

	ck_assert_msg(resolver_lookup(&e, &s, 1, family, PATIENCE, &list, &failure) == 0, "%s", e.msg);
	expect_list(&list, texts);
	ck_assert_int_eq(failure.code, 0);
}

static void expect_error(const char *name, sa_family_t family, int code, const char *says)
{
	struct server s = given_stun_server(name);
	struct resolver_list list = { .n = 7 };
	struct err e = { 0 };

	ck_assert_int_eq(resolver_lookup(&e, &s, 1, family, PATIENCE, &list, NULL), -code);
	ck_assert_int_eq(e.code, code);
	ck_assert_msg(strstr(e.msg, says), "'%s' does not say '%s'", e.msg, says);
	ck_assert_uint_eq(list.n, 7);
}

START_TEST(a_name_has_all_its_addresses)
{
	static const char *const both[] = { "0 [2001:db8::2]:1000", "0 192.0.2.2:1000", "0 192.0.2.22:1000", NULL };
	static const char *const ipv4[] = { "0 192.0.2.2:1000", "0 192.0.2.22:1000", NULL };
	static const char *const ipv6[] = { "0 [2001:db8::2]:1000", NULL };

	expect_found("two.test:1000", AF_UNSPEC, both);
	expect_found("two.test:1000", AF_INET, ipv4);
	expect_found("two.test:1000", AF_INET6, ipv6);
	ck_assert_uint_eq(dns.asked_srv, 0); /* there is a port */
}
END_TEST

START_TEST(a_name_never_has_loopback_or_multicast_addresses)
{
	static const char *const one[] = { "0 192.0.2.3:1000", NULL };

	expect_found("odd.test:1000", AF_UNSPEC, one);
	expect_error("mapped.test:1000", AF_UNSPEC, ENOENT, "mapped.test");
}
END_TEST

START_TEST(says_what_is_wrong_with_a_name)
{
	expect_error("missing.test:1000", AF_UNSPEC, ENOENT, "missing.test");
	expect_error("one.test:1000", AF_INET6, ENOENT, "IPv6");
	expect_error("broken.test:1000", AF_UNSPEC, EAGAIN, "broken.test");
	expect_error("refused.test:1000", AF_UNSPEC, EAGAIN, "refused.test");
	expect_error("system.test:1000", AF_UNSPEC, EAGAIN, "Too many open files");
	expect_error("memory.test:1000", AF_UNSPEC, ENOMEM, "memory");
}
END_TEST

START_TEST(targets_come_by_priority)
{
	static const char *const both[] = { "0 [2001:db8::2]:2222", "0 192.0.2.2:2222", "0 192.0.2.22:2222",
					    "0 192.0.2.1:1111", NULL };

	expect_found("srv.test", AF_UNSPEC, both);
}
END_TEST

START_TEST(servers_that_tell_behaviour_are_preferred)
{
	static const char *const one[] = { "0 192.0.2.1:4444", NULL };

	expect_found("both.test", AF_UNSPEC, one);
	ck_assert_uint_eq(dns.asked_srv, 1);
}
END_TEST

START_TEST(without_records_the_name_is_the_server)
{
	static const char *const itself[] = { "0 192.0.2.99:3478", NULL };

	expect_found("plain.test", AF_UNSPEC, itself);
	ck_assert_uint_eq(dns.asked_srv, 2);
	ck_assert(!dns.searched);
	expect_found("garbage.test", AF_UNSPEC, itself);
}
END_TEST

START_TEST(when_nobody_answers_about_services_it_asks_for_no_other)
{
	static const char *const itself[] = { "0 192.0.2.99:3478", NULL };

	expect_found("silent.test", AF_UNSPEC, itself);
	ck_assert_uint_eq(dns.asked_srv, 1);
}
END_TEST

START_TEST(the_target_dot_means_none)
{
	static const char *const one[] = { "0 192.0.2.1:6666", NULL };

	expect_found("no-behavior.test", AF_UNSPEC, one);
	expect_error("refuses.test", AF_UNSPEC, ENOENT, "refuses.test");
}
END_TEST

START_TEST(when_no_target_has_an_address_it_tells_of_the_first)
{
	expect_error("dead.test", AF_UNSPEC, ENOENT, "missing.test");
}
END_TEST

START_TEST(several_names_keep_the_order_of_the_servers)
{
	static const char *const texts[] = { "0 192.0.2.1:1", "2 192.0.2.7:3478", "3 [2001:db8::2]:1",
					     "3 192.0.2.2:1", "3 192.0.2.22:1", "4 192.0.2.1:1", NULL };
	const struct server servers[] = { given_stun_server("one.test:1"), given_stun_server("missing.test"),
					  given_stun_server("192.0.2.7"), given_stun_server("two.test:1"),
					  given_stun_server("one.test:1") };
	struct err e, failures[ARRAY_LEN(servers)];
	struct resolver_list list;

	ck_assert_int_eq(resolver_lookup(&e, servers, ARRAY_LEN(servers), AF_UNSPEC, PATIENCE, &list, failures), 0);
	expect_list(&list, texts);
	for (size_t i = 0; i < ARRAY_LEN(servers); i++)
		ck_assert_int_eq(failures[i].code, i == 1 ? ENOENT : 0);
}
END_TEST

START_TEST(signals_are_left_to_the_callers_thread)
{
	static const char *const one[] = { "0 192.0.2.1:1", NULL };
	sigset_t ours;

	expect_found("one.test:1", AF_UNSPEC, one);
	ck_assert(!dns.signal_open);
	pthread_sigmask(SIG_BLOCK, NULL, &ours);
	ck_assert_int_eq(sigismember(&ours, SIGTERM), 0);
}
END_TEST

static size_t count_threads(void)
{
	DIR *d = opendir("/proc/self/task");
	size_t n = 0;

	ck_assert_ptr_nonnull(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* Lets the slow answer come, and waits until all threads have done with it. */
static void slow_answers(size_t threads_before)
{
	pthread_mutex_lock(&dns.lock);
	dns.slow_may_answer = true;
	pthread_cond_broadcast(&dns.change);
	pthread_mutex_unlock(&dns.lock);
	while (count_threads() > threads_before)
		usleep(1000);
}

static void wait_until_slow_is_asked(unsigned times)
{
	pthread_mutex_lock(&dns.lock);
	while (dns.asked_slow < times)
		pthread_cond_wait(&dns.change, &dns.lock);
	pthread_mutex_unlock(&dns.lock);
}

/* An answer that comes too late finds nobody, and harms nobody: the sanitizers look on. */
START_TEST(the_time_limit_holds)
{
	static const int limits[] = { 0, 1, 30 };
	size_t threads = count_threads();

	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct server servers[2] = { given_stun_server("slow.test:1"), given_stun_server("slow.test:2") };
		struct err e, failures[2];
		struct resolver_list list = { .n = 7 };

		ck_assert_int_eq(resolver_lookup(&e, servers, 2, AF_UNSPEC, limits[i], &list, failures),
				 -ETIMEDOUT);
		ck_assert_ptr_nonnull(strstr(e.msg, "slow.test"));
		ck_assert_int_eq(failures[0].code, ETIMEDOUT);
		ck_assert_int_eq(failures[1].code, ETIMEDOUT);
		ck_assert_uint_eq(list.n, 7);
	}
	wait_until_slow_is_asked(2 * ARRAY_LEN(limits));
	slow_answers(threads);
}
END_TEST

/* Nor does a name that nobody knows keep a server waiting that is known. */
START_TEST(at_the_limit_it_takes_what_there_is)
{
	static const int limits[] = { 30, INT_MAX };
	static const char *const texts[] = { "1 192.0.2.7:3478", NULL };
	const struct server servers[] = { given_stun_server("slow.test:1"), given_stun_server("192.0.2.7") };
	size_t threads = count_threads();
	struct err e, failures[2];
	struct resolver_list list;

	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		ck_assert_int_eq(resolver_lookup(&e, servers, 2, AF_UNSPEC, limits[i], &list, failures), 0);
		expect_list(&list, texts);
		ck_assert_int_eq(failures[0].code, ETIMEDOUT);
		ck_assert_int_eq(failures[1].code, 0);
	}
	slow_answers(threads);
}
END_TEST

/*
 * The second target is late, the first one counts. How long the first one takes
 * is the machine's affair: the limit grows until it is there.
 */
START_TEST(at_the_limit_some_targets_are_enough)
{
	static const char *const texts[] = { "0 192.0.2.1:8888", NULL };
	struct server s = given_stun_server("partly.test");
	struct resolver_list list = { 0 };
	size_t threads = count_threads();
	struct err e, failure;
	int ret = -ETIMEDOUT;

	for (int limit = 20; ret == -ETIMEDOUT && limit < PATIENCE; limit *= 2)
		ret = resolver_lookup(&e, &s, 1, AF_UNSPEC, limit, &list, &failure);
	ck_assert_int_eq(ret, 0);
	expect_list(&list, texts);
	ck_assert_int_eq(failure.code, 0);
	slow_answers(threads);
}
END_TEST

START_TEST(waits_for_an_answer_in_time)
{
	static const char *const texts[] = { "0 192.0.2.4:1", NULL };

	dns.slow_may_answer = true;
	expect_found("slow.test:1", AF_UNSPEC, texts);
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 2 * PATIENCE / 1000);
	tcase_add_checked_fixture(tc, forget, NULL);
	tcase_add_test(tc, a_name_has_all_its_addresses);
	tcase_add_test(tc, a_name_never_has_loopback_or_multicast_addresses);
	tcase_add_test(tc, says_what_is_wrong_with_a_name);
	tcase_add_test(tc, targets_come_by_priority);
	tcase_add_test(tc, servers_that_tell_behaviour_are_preferred);
	tcase_add_test(tc, without_records_the_name_is_the_server);
	tcase_add_test(tc, when_nobody_answers_about_services_it_asks_for_no_other);
	tcase_add_test(tc, the_target_dot_means_none);
	tcase_add_test(tc, when_no_target_has_an_address_it_tells_of_the_first);
	tcase_add_test(tc, several_names_keep_the_order_of_the_servers);
	tcase_add_test(tc, signals_are_left_to_the_callers_thread);
	tcase_add_test(tc, the_time_limit_holds);
	tcase_add_test(tc, at_the_limit_it_takes_what_there_is);
	tcase_add_test(tc, at_the_limit_some_targets_are_enough);
	tcase_add_test(tc, waits_for_an_answer_in_time);
}

int main(void)
{
	return unit_main("resolver_dns", add);
}
