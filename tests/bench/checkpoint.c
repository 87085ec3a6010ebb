/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * checkpoint: what a checkpoint of many routes costs, all of which have grown,
 * without what the kernel does: that is a fake, whose time is taken off.
 */
#include "../unit/hub.h"

#include <sys/resource.h>

#define ROUTES 60000
#define DAY 86400
#define BEGIN (INT64_C(20000) * DAY)

/* The fake kernel, and what it takes of our time. */
struct timed {
	struct ipvs_peer kernel;
	double seconds;
};

/* This process's, in user space and in the kernel. */
static double processor_time(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int on_send(void *ctx, const void *buf, size_t len)
{
	struct timed *t = ctx;
	double begin = processor_time();
	int ret = t->kernel.send(t->kernel.ctx, buf, len);

	t->seconds += processor_time() - begin;
	return ret;
}

static int on_recv(void *ctx, unsigned char **buf)
{
	struct timed *t = ctx;

	return t->kernel.recv(t->kernel.ctx, buf); /* hands over what was made before */
}

/* So many routes of as many containers, and their services. */
static void fill(struct hub *h)
{
	struct err e;

	ck_assert_int_eq(store_begin(&e, h->g->store), 0);
	for (int i = 0; i < ROUTES; i++) {
		CLEANUP(route_clear) struct route r = given_route("", 80, "127.0.0.1:1");
		struct service s = { .scheduler = "wrr" };

		snprintf(r.container, sizeof(r.container), "container-%08d", i * 7919 % ROUTES);
		r.protocol = i % 2 ? IPPROTO_UDP : IPPROTO_TCP;
		r.public.port = (uint16_t)(i / 2 + 1);
		given_server(&r, "10.0.0.11:80", 100);
		ck_assert_int_eq(store_add_route(&e, h->g->store, &r), 0);
		s.key = route_service_key(&r);
		ck_assert_int_eq(service_list_add(&e, &h->kernel.services, &s), 0);
	}
	ck_assert_int_eq(store_commit(&e, h->g->store), 0);
}

static void measure(struct hub *h, struct timed *t, const char *what)
{
	struct err e = { 0 };
	double begin;

	mend(&h->kernel);
	t->seconds = 0;
	begin = processor_time();
	ck_assert_msg(gateway_checkpoint(&e, h->g) == ROUTES, "%s", e.msg);
	printf("%-40s %7.3f s, %zu request%s to the kernel\n", what, processor_time() - begin - t->seconds,
	       h->kernel.n_requests, h->kernel.n_requests == 1 ? "" : "s");
}

START_TEST(checkpoints)
{
	struct timed t = { 0 };
	struct ipvs_peer peer = { .send = on_send, .recv = on_recv, .ctx = &t };
	struct err e;
	struct hub h;

	hub_open(&h);
	t.kernel = fake_kernel_peer(&h.kernel);
	ipvs_close(steal_ptr(h.g->kernel));
	ck_assert_int_eq(ipvs_open_peer(&e, &peer, &h.g->kernel), 0);
	fill(&h);
	printf("%d routes: processor time, user and system\n", ROUTES);
	store_set_time(h.g->store, BEGIN);
	transfer(&h, 1000);
	measure(&h, &t, "all have grown, the first time");
	store_set_time(h.g->store, BEGIN + 60);
	transfer(&h, 1000);
	measure(&h, &t, "all have grown");
	measure(&h, &t, "none has grown");
	store_set_time(h.g->store, BEGIN + DAY + 60);
	transfer(&h, 1000);
	measure(&h, &t, "all have grown, now and a day ago");
	hub_close(&h);
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 600);
	tcase_add_test(tc, checkpoints);
}

int main(void)
{
	return unit_main("checkpoint", add);
}
