/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a document is read as, and how it is written. What is refused: test_document_refusals. */
#include "document.h"
#include "given.h"

#include <time.h>

static int read_text(struct err *e, const char *text, struct document *out)
{
	FILE *in = fmemopen((char *)(uintptr_t)text, strlen(text), "r");
	int ret;

	ck_assert_ptr_nonnull(in);
	ret = document_read(e, in, "D", out);
	fclose(in);
	return ret;
}

static struct document given_document(const char *text)
{
	struct document d = { 0 };
	struct err e = { 0 };

	ck_assert_msg(read_text(&e, text, &d) == 0, "%s", e.msg);
	return d;
}

static void expect_written(const struct document *d, const char *text)
{
	struct unit_out o = { 0 };
	struct err e = { 0 };

	ck_assert_msg(document_write(&e, d, unit_open(&o)) == 0, "%s", e.msg);
	unit_expect(&o, text);
}

/* Everything there is, as it is written. */
static const char everything[] = "# sonm-vs --save\n"
				 "version: 1\n"
				 "workers:\n"
				 "- name: '7'\n"
				 "  nat: unknown\n"
				 "  kind: private\n"
				 "- name: w1\n"
				 "  nat: none\n"
				 "  kind: public\n"
				 "  addresses: [203.0.113.7, '2001:db8::7']\n"
				 "  reported_at: '2026-11-01T10:00:00Z'\n"
				 "- name: w2\n"
				 "  nat: symmetric_udp_firewall\n"
				 "  kind: private\n"
				 "  reported_at: '1970-01-01T00:00:01Z'\n"
				 "routes:\n"
				 "- container: '1e3'\n"
				 "  port: 53/udp\n"
				 "  kind: direct\n"
				 "  endpoint: 203.0.113.7:8053\n"
				 "  worker: w1\n"
				 "  scheduler: wrr\n"
				 "  real_servers:\n"
				 "  - {address: '10.0.0.11:8053', weight: 100}\n"
				 "- container: web\n"
				 "  port: 80/tcp\n"
				 "  kind: gateway\n"
				 "  endpoint: 198.51.100.1:33000\n"
				 "  scheduler: wlc\n"
				 "  persistence: 300\n"
				 "  real_servers:\n"
				 "  - {address: '10.0.0.11:8080', weight: 0}\n"
				 "  - {address: '10.0.0.12:8080', weight: 65535}\n"
				 "- container: web\n"
				 "  port: 80/sctp\n"
				 "  kind: gateway\n"
				 "  endpoint: '[2001:db8::1]:33000'\n"
				 "  worker: '7'\n"
				 "  scheduler: wrr\n"
				 "  real_servers:\n"
				 "  - {address: '[fd00::11]:8080', weight: 1}\n"
				 "- container: web\n"
				 "  port: 443/tcp\n"
				 "  kind: gateway\n"
				 "  endpoint: 198.51.100.1:33001\n"
				 "  scheduler: wrr\n"
				 "  real_servers:\n"
				 "  - {address: '10.0.0.11:8443', weight: 100}\n";

START_TEST(is_written_as_it_was_read)
{
	struct document d = given_document(everything);

	expect_written(&d, everything);
	document_clear(&d);
}
END_TEST

START_TEST(is_written_in_the_same_order_whatever_it_was)
{
	struct document d = given_document(everything);

	for (size_t i = 0; i < d.routes.n / 2; i++) {
		struct route r = d.routes.items[i];

		d.routes.items[i] = d.routes.items[d.routes.n - 1 - i];
		d.routes.items[d.routes.n - 1 - i] = r;
	}
	for (size_t i = 0; i < d.workers.n / 2; i++) {
		struct worker w = d.workers.items[i];

		d.workers.items[i] = d.workers.items[d.workers.n - 1 - i];
		d.workers.items[d.workers.n - 1 - i] = w;
	}
	expect_written(&d, everything);
	document_clear(&d);
}
END_TEST

START_TEST(reads_every_key)
{
	struct document d = given_document(everything);
	const struct worker *w = worker_find(&d.workers, "w1");
	const struct route *r = &d.routes.items[1];
	struct endpoint second = given_endpoint("10.0.0.12:8080"),
			public = given_endpoint("198.51.100.1:33000");
	struct addr addresses[] = { given_addr("203.0.113.7"), given_addr("2001:db8::7") };

	ck_assert_uint_eq(d.workers.n, 3);
	ck_assert_ptr_nonnull(w);
	ck_assert(w->nat == NAT_NONE && w->is_public && w->n_addresses == 2);
	ck_assert(addr_equal(&w->addresses[0], &addresses[0]) && addr_equal(&w->addresses[1], &addresses[1]));
	ck_assert_int_eq(w->reported_at, 1793527200);
	ck_assert_uint_eq(d.routes.n, 4);
	ck_assert_str_eq(r->container, "web");
	ck_assert(r->id == 0 && r->cport == 80 && r->protocol == IPPROTO_TCP && r->state == ROUTE_OPEN);
	ck_assert(r->kind == ROUTE_GATEWAY && endpoint_equal(&r->public, &public));
	ck_assert_str_eq(r->worker, "");
	ck_assert_str_eq(r->scheduler, "wlc");
	ck_assert(r->persistence == 300 && r->n_servers == 2);
	ck_assert(endpoint_equal(&r->servers[1].real, &second) && r->servers[1].weight == 65535);
	ck_assert(!server_is_draining(&r->servers[1]));
	ck_assert(d.routes.items[0].kind == ROUTE_DIRECT);
	ck_assert_str_eq(d.routes.items[2].worker, "7");
	ck_assert_uint_eq(d.routes.items[2].protocol, IPPROTO_SCTP);
	document_clear(&d);
}
END_TEST

#define EMPTY "# sonm-vs --save\nversion: 1\nworkers: []\nroutes: []\n"
#define ONE                                                                                                  \
	"# sonm-vs --save\n"                                                                                 \
	"version: 1\n"                                                                                       \
	"workers: []\n"                                                                                      \
	"routes:\n"                                                                                          \
	"- container: c\n"                                                                                   \
	"  port: 1/tcp\n"                                                                                    \
	"  kind: gateway\n"                                                                                  \
	"  endpoint: 192.0.2.1:2\n"                                                                          \
	"  scheduler: wrr\n"                                                                                 \
	"  real_servers:\n"                                                                                  \
	"  - {address: '10.0.0.1:1', weight: 100}\n"

/* What people may write, and what it means. */
static const struct {
	const char *text, *meaning;
} written[] = {
	{ "version: 1", EMPTY },
	{ "{version: 1}", EMPTY },
	{ "\n  \n# version: 2\n\n  # more\nversion: 1\nroutes:\nworkers: ~\n", EMPTY },
	{ "---\nworkers: []\nversion: 1\nroutes: []\n...\n", EMPTY },
	{ "\xef\xbb\xbfversion: 1\r\nroutes: []\r\n", EMPTY },
	{ EMPTY, EMPTY },
	{ ONE, ONE },
	{ "version: 1\nroutes: [{container: c, port: 1/tcp, endpoint: '192.0.2.1:2', real_servers: "
	  "[{address: "
	  "'10.0.0.1:1'}]}]",
	  ONE },
	{ "routes:\n  - real_servers:\n      - address: 10.0.0.1:1\n        weight: 100\n    endpoint: "
	  "\"192.0.2.1:2\"\n"
	  "    persistence: 0\n    port: '1/tcp'\n    container: !!str c\nversion: 1\n",
	  ONE },
	/* a name is a text, whatever YAML takes it for */
	{ "version: 1\nworkers: [name: 'null', name: 0x10, name: 12:30:45, name: on, name: .inf, name: 1e3, "
	  "name: "
	  "2026-11-01]",
	  "# sonm-vs --save\nversion: 1\nworkers:\n"
	  "- name: '.inf'\n  nat: unknown\n  kind: private\n"
	  "- name: '0x10'\n  nat: unknown\n  kind: private\n"
	  "- name: '12:30:45'\n  nat: unknown\n  kind: private\n"
	  "- name: '1e3'\n  nat: unknown\n  kind: private\n"
	  "- name: '2026-11-01'\n  nat: unknown\n  kind: private\n"
	  "- name: 'null'\n  nat: unknown\n  kind: private\n"
	  "- name: 'on'\n  nat: unknown\n  kind: private\n"
	  "routes: []\n" },
	{ "-A -t 192.0.2.1:2 -s wrr\n-a -t 192.0.2.1:2 -r 10.0.0.1:1 -m -w 100\n",
	  "# sonm-vs --save\nversion: 1\nworkers: []\nroutes:\n- container: tcp:192.0.2.1:2\n  port: 2/tcp\n"
	  "  kind: gateway\n  endpoint: 192.0.2.1:2\n  scheduler: wrr\n  real_servers:\n"
	  "  - {address: '10.0.0.1:1', weight: 100}\n" },
	{ "\n# adopted\n  --add-service --udp-service=[2001:db8::1]:53 -p 60\n"
	  "-a -u [2001:db8::1]:53 -r [fd00::1]:53 -m\n-a -u [2001:db8::1]:53 -m -r [fd00::1]:52",
	  "# sonm-vs --save\nversion: 1\nworkers: []\nroutes:\n- container: udp:2001:db8::1:53\n  port: "
	  "53/udp\n"
	  "  kind: gateway\n  endpoint: '[2001:db8::1]:53'\n  scheduler: wlc\n  persistence: 60\n  "
	  "real_servers:\n"
	  "  - {address: '[fd00::1]:52', weight: 1}\n  - {address: '[fd00::1]:53', weight: 1}\n" },
};

START_TEST(reads_what_people_write)
{
	struct document d = given_document(written[_i].text);

	expect_written(&d, written[_i].meaning);
	document_clear(&d);
}
END_TEST

START_TEST(writes_nothing_of_what_ends)
{
	struct document d = { 0 };
	struct route r;
	struct err e;

	r = given_route("c", 1, "192.0.2.1:2");
	given_server(&r, "10.0.0.1:1", 100);
	given_server(&r, "10.0.0.2:1", 100);
	strcpy(r.servers[1].drain.boot_id, "x");
	ck_assert_int_eq(route_list_take(&e, &d.routes, &r), 0);
	r = given_route("drains", 1, "192.0.2.1:3");
	given_server(&r, "10.0.0.2:1", 100);
	strcpy(r.servers[0].drain.boot_id, "x");
	ck_assert_int_eq(route_list_take(&e, &d.routes, &r), 0);
	r = given_route("closes", 1, "192.0.2.1:4");
	given_server(&r, "10.0.0.2:1", 100);
	r.state = ROUTE_CLOSING;
	ck_assert_int_eq(route_list_take(&e, &d.routes, &r), 0);
	expect_written(&d, ONE);
	document_clear(&d);
}
END_TEST

START_TEST(a_full_disk_is_an_error)
{
	struct document d = given_document(ONE);
	FILE *full = fopen("/dev/full", "w");
	struct err e;

	ck_assert_ptr_nonnull(full);
	ck_assert_int_eq(document_write(&e, &d, full), -EIO);
	ck_assert_str_eq(e.msg, "cannot write YAML: Input/output error");
	fclose(full);
	document_clear(&d);
}
END_TEST

START_TEST(a_stream_that_cannot_be_read_is_an_error)
{
	FILE *in = fopen("/", "r");
	struct document d;
	struct err e;

	ck_assert_ptr_nonnull(in);
	ck_assert_int_eq(document_read(&e, in, "D", &d), -EISDIR);
	ck_assert_str_eq(e.msg, "cannot read D: Is a directory");
	fclose(in);
	in = fopen("/dev/zero", "r");
	ck_assert_int_eq(document_read(&e, in, "D", &d), -EFBIG);
	ck_assert_str_eq(e.msg, "D is larger than 64 MiB");
	fclose(in);
}
END_TEST

/* Eight times as much takes some eight times as long, not 64 times: nothing is quadratic. */
START_TEST(a_large_document_takes_no_more_than_its_share)
{
	static const unsigned sizes[] = { 3000, 18000 };
	double took[2];

	for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
		struct document d = { 0 };
		struct unit_out o = { 0 };
		struct err e;
		clock_t begin;

		fputs("version: 1\nroutes:\n", unit_open(&o));
		for (unsigned i = 0; i < sizes[k]; i++)
			fprintf(o.stream,
				"- {container: c%u, port: 80/tcp, endpoint: '192.0.2.%u:%u', worker: w%u,"
				" real_servers: [{address: '10.0.0.1:80'}]}\n",
				i, i / 1000, i % 1000 + 1, i);
		fputs("workers:\n", o.stream);
		for (unsigned i = 0; i < sizes[k]; i++)
			fprintf(o.stream, "- name: w%u\n", i);
		fclose(o.stream);
		begin = clock();
		ck_assert_int_eq(read_text(&e, o.text, &d), 0);
		took[k] = (double)(clock() - begin);
		ck_assert_uint_eq(d.routes.n, sizes[k]);
		ck_assert_uint_eq(d.workers.n, sizes[k]);
		document_clear(&d);
		free(o.text);
	}
	ck_assert_double_lt(took[1], took[0] * 32);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, is_written_as_it_was_read);
	tcase_add_test(tc, is_written_in_the_same_order_whatever_it_was);
	tcase_add_test(tc, reads_every_key);
	tcase_add_loop_test(tc, reads_what_people_write, 0, ARRAY_LEN(written));
	tcase_add_test(tc, writes_nothing_of_what_ends);
	tcase_add_test(tc, a_full_disk_is_an_error);
	tcase_add_test(tc, a_stream_that_cannot_be_read_is_an_error);
	tcase_add_test(tc, a_large_document_takes_no_more_than_its_share);
}

int main(void)
{
	return unit_main("document", add);
}
