/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random documents: read back they are the same, and written again the same bytes. */
#include "document.h"
#include "given.h"

#define ROUNDS 300

static const char letters[] = "abcxyzABCXYZ0123456789eE._:-";

/* A name of any kind, of those too that YAML could take for something else. */
static void random_name(uint64_t *seed, char out[static CONTAINER_MAX + 1])
{
	static const char *const traps[] = {
		"null",
		"Null",
		"~",
		"true",
		"NO",
		"off",
		"y",
		"1e3",
		"0x10",
		"0o17",
		"010",
		"12:30:45",
		"1_000",
		".inf",
		".nan",
		".",
		"..",
		"...",
		":",
		"::1",
		"a:",
		"1.5",
		"-0",
		"2026-11-01",
		"190:20:30",
		"0",
		"web",
		"755fe2a8",
		"2026-11-01T10:00:00Z",
		"_",
		"=",
		"<<",
		"a.b",
		"0b1",
		"1e",
		"e1",
		"123:",
	};
	struct err e;
	size_t len;

	do {
		strcpy(out, traps[given_below(seed, ARRAY_LEN(traps))]);
		if (given_below(seed, 2) == 0) {
			len = 1 + given_below(seed, given_below(seed, 4) ? 6 : CONTAINER_MAX);
			for (size_t i = 0; i < len; i++)
				out[i] = letters[given_below(seed, sizeof(letters) - 1)];
			out[len] = '\0';
		}
	} while (container_check(&e, out) < 0);
}

static struct addr random_addr(uint64_t *seed, bool v6)
{
	struct addr a = given_addr(v6 ? "2001:db8::" : "10.0.0.0");

	for (size_t i = addr_size(&a) - 1 - given_below(seed, 3); i < addr_size(&a); i++)
		a.bytes[i] = (uint8_t)given_random(seed);
	return a;
}

static struct worker random_worker(uint64_t *seed)
{
	struct worker w = { .nat = (enum nat_type)given_below(seed, NAT_SYMMETRIC_UDP_FIREWALL + 1) };

	random_name(seed, w.name);
	w.is_public = w.nat == NAT_NONE && given_below(seed, 2);
	for (uint32_t n = w.is_public ? 1 + given_below(seed, 3) : 0; w.n_addresses < n; w.n_addresses++) {
		w.addresses[w.n_addresses] = random_addr(seed, given_below(seed, 2));
		w.addresses[w.n_addresses].bytes[3] = (uint8_t)w.n_addresses; /* each once */
	}
	if (given_below(seed, 2))
		w.reported_at = 1 + (int64_t)(given_random(seed) % 253402300799); /* to the year 9999 */
	return w;
}

static struct route random_route(uint64_t *seed, uint16_t number)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP };
	static const char *const schedulers[] = { "wrr", "rr", "null", "1e3", "A-b_c.0" };
	bool v6 = given_below(seed, 2);
	struct route r = { .kind = given_below(seed, 4) ? ROUTE_GATEWAY : ROUTE_DIRECT, .cport = number };
	struct real_server rs = { 0 };
	struct err e;

	random_name(seed, r.container);
	if (given_below(seed, 2))
		random_name(seed, r.worker);
	r.protocol = protocols[given_below(seed, ARRAY_LEN(protocols))];
	r.public.addr = random_addr(seed, r.kind == ROUTE_DIRECT ? given_below(seed, 2) : v6);
	r.public.port = number;
	strcpy(r.scheduler, schedulers[given_below(seed, ARRAY_LEN(schedulers))]);
	r.persistence = given_below(seed, 2) ? given_below(seed, 3153601) : 0;
	for (uint32_t n = 1 + given_below(seed, given_below(seed, 8) ? 3 : REAL_SERVERS_MAX);
	     r.n_servers < n;) {
		rs.real = (struct endpoint){ random_addr(seed, v6), (uint16_t)(1 + r.n_servers) };
		rs.weight = given_below(seed, 65536);
		ck_assert_int_eq(route_add_server(&e, &r, &rs), 0);
	}
	return r;
}

static struct document random_document(uint64_t *seed)
{
	struct document d = { 0 };
	struct route r;
	struct worker w;
	struct err e;

	for (uint32_t n = given_below(seed, 6); n > 0; n--) {
		w = random_worker(seed);
		if (!worker_find(&d.workers, w.name))
			ck_assert_int_eq(worker_list_add(&e, &d.workers, &w), 0);
	}
	for (uint32_t n = given_below(seed, 8); n > 0; n--) {
		r = random_route(seed, (uint16_t)(n + given_below(seed, 60000)));
		for (size_t i = 0; i < d.routes.n; i++) /* each once */
			if (d.routes.items[i].cport == r.cport)
				route_clear(&r);
		if (r.cport != 0)
			ck_assert_int_eq(route_list_take(&e, &d.routes, &r), 0);
	}
	return d;
}

static char *written(const struct document *d)
{
	struct unit_out o = { 0 };
	struct err e = { 0 };

	ck_assert_msg(document_write(&e, d, unit_open(&o)) == 0, "%s", e.msg);
	fclose(o.stream);
	return o.text;
}

static struct document read_back(char *text)
{
	FILE *in = fmemopen(text, strlen(text), "r");
	struct document d = { 0 };
	struct err e = { 0 };

	ck_assert_msg(document_read(&e, in, "D", &d) == 0, "%s\n%s", e.msg, text);
	fclose(in);
	return d;
}

static void expect_same_worker(const struct worker *a, const struct worker *b)
{
	ck_assert_ptr_nonnull(b);
	ck_assert(a->nat == b->nat && a->is_public == b->is_public);
	ck_assert_int_eq(a->reported_at, b->reported_at);
	ck_assert_uint_eq(a->n_addresses, b->n_addresses);
	for (size_t i = 0; i < a->n_addresses; i++)
		ck_assert(addr_equal(&a->addresses[i], &b->addresses[i]));
}

static const struct route *route_named(const struct document *d, const struct route *like)
{
	for (size_t i = 0; i < d->routes.n; i++)
		if (d->routes.items[i].cport == like->cport &&
		    d->routes.items[i].protocol == like->protocol &&
		    strcmp(d->routes.items[i].container, like->container) == 0)
			return &d->routes.items[i];
	return NULL;
}

static void expect_same(const struct document *a, const struct document *b)
{
	ck_assert_uint_eq(a->workers.n, b->workers.n);
	for (size_t i = 0; i < a->workers.n; i++)
		expect_same_worker(&a->workers.items[i], worker_find(&b->workers, a->workers.items[i].name));
	ck_assert_uint_eq(a->routes.n, b->routes.n);
	for (size_t i = 0; i < a->routes.n; i++) {
		const struct route *ra = &a->routes.items[i], *rb = route_named(b, ra);

		ck_assert_ptr_nonnull(rb);
		ck_assert(route_same_target(ra, rb) && endpoint_equal(&ra->public, &rb->public));
		ck_assert_str_eq(ra->worker, rb->worker);
		ck_assert(rb->id == 0 && rb->state == ROUTE_OPEN);
	}
}

START_TEST(a_document_survives_being_written_and_read)
{
	for (uint64_t seed = (uint64_t)_i * ROUNDS, end = seed + unit_many(ROUNDS); seed < end; seed++) {
		uint64_t state = seed;
		struct document d = random_document(&state);
		char *text = written(&d), *again;
		struct document back = read_back(text);

		expect_same(&d, &back);
		again = written(&back);
		ck_assert_str_eq(text, again);
		free(again);
		free(text);
		document_clear(&back);
		document_clear(&d);
	}
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, a_document_survives_being_written_and_read, 0, 4);
}

int main(void)
{
	return unit_main("document_random", add);
}
