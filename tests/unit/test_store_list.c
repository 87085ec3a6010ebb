/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Routes as who shows a long list reads them: one after the other. */
#include "state.h"

static void expect_same(const struct route *a, const struct route *b)
{
	ck_assert_str_eq(a->container, b->container);
	ck_assert_uint_eq(a->cport, b->cport);
	ck_assert_uint_eq(a->protocol, b->protocol);
	ck_assert_int_eq(a->state, b->state);
	ck_assert(endpoint_equal(&a->public, &b->public));
	ck_assert_int_eq(a->opened_at, b->opened_at);
	ck_assert_str_eq(a->closing.boot_id, b->closing.boot_id);
	ck_assert_int_eq(a->closing.ms, b->closing.ms);
	ck_assert_str_eq(a->worker, b->worker);
	ck_assert(route_same_target(a, b)); /* kind, scheduler, persistence, real servers */
	for (size_t i = 0; i < a->n_servers; i++) {
		ck_assert_str_eq(a->servers[i].drain.boot_id, b->servers[i].drain.boot_id);
		ck_assert_int_eq(a->servers[i].drain.ms, b->servers[i].drain.ms);
	}
}

/* What store_each_route shows; left: so many it may show until it fails. */
struct shown {
	struct route_list routes;
	size_t left;
};

static int show(struct err *e, void *ctx, const struct route *r)
{
	CLEANUP(route_clear) struct route copy = { 0 };
	struct shown *shown = ctx;

	if (shown->left-- == 0)
		return err_set(e, EXDEV, "enough");
	ck_assert_int_eq(route_copy(e, r, &copy), 0);
	return route_list_take(e, &shown->routes, &copy);
}

START_TEST(shows_each_route_as_it_lists_it_but_for_the_account)
{
	static const char *const containers[] = { "b", "a", "c", "a" };
	CLEANUP(store_closep) struct store *s = NULL;
	struct state state;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	for (size_t i = 0; i < ARRAY_LEN(containers); i++) {
		CLEANUP(route_clear) struct route r = given_route(containers[i], (uint16_t)(80 + i), VIP);

		r.public.port = (uint16_t)(1000 + i);
		r.opened_at = 5;
		r.state = i % 2 ? ROUTE_CLOSING : ROUTE_OPEN;
		strcpy(r.closing.boot_id, i % 2 ? "boot" : "");
		r.closing.ms = 7;
		strcpy(r.worker, i == 1 ? "w" : "");
		r.account.last.conns = 3;
		for (size_t k = 0; k < i; k++) { /* the first has none */
			char real[32];

			snprintf(real, sizeof(real), "10.0.0.%zu:80", k + 1);
			given_server(&r, real, 7);
			strcpy(r.servers[k].drain.boot_id, k ? "" : "-");
		}
		state_add(s, &r);
	}
	for (size_t i = 0; i < 2; i++) {
		CLEANUP(route_list_clear) struct route_list listed = { 0 };
		struct route_filter f = { .container = i ? "a" : NULL, .state = -1 };
		struct shown shown = { .left = SIZE_MAX };
		struct err e;

		ck_assert_int_eq(store_routes(&e, s, &f, &listed), 0);
		ck_assert_int_eq(store_each_route(&e, s, f.container, show, &shown), 0);
		ck_assert_uint_eq(shown.routes.n, i ? 2 : 4);
		ck_assert_uint_eq(listed.n, shown.routes.n);
		for (size_t k = 0; k < listed.n; k++) {
			ck_assert_uint_eq(shown.routes.items[k].account.last.conns, 0);
			expect_same(&shown.routes.items[k], &listed.items[k]);
		}
		route_list_clear(&shown.routes);
	}
}
END_TEST

START_TEST(shows_accounts_with_real_servers_only_where_one_drains)
{
	static const struct {
		const char *boots[2]; /* in which the real servers drain; "": not, NULL: there is none */
		size_t n_shown;
		const char *state;
	} cases[] = {
		{ { NULL }, 0, "open" },
		{ { "" }, 0, "open" },
		{ { "boot", "" }, 2, "open" },
		{ { "boot", "boot" }, 2, "draining" },
	};
	CLEANUP(store_closep) struct store *s = NULL;
	struct shown shown = { .left = SIZE_MAX };
	struct state state;
	struct err e;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	for (uint16_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(route_clear) struct route r = given_route("a", i + 1, VIP);

		r.public.port = i + 1;
		r.account = (struct account){ { 1, 2, 3, 4, i }, { 5, 6, 7, 8, 9 }, "boot" };
		for (size_t k = 0; k < 2 && cases[i].boots[k]; k++) {
			given_server(&r, k ? "10.0.0.2:80" : "10.0.0.1:80", 7);
			strcpy(r.servers[k].drain.boot_id, cases[i].boots[k]);
		}
		state_add(s, &r);
	}
	ck_assert_int_eq(store_each_account(&e, s, "a", show, &shown), 0);
	ck_assert_int_eq(store_each_account(&e, s, NULL, show, &shown), 0);
	ck_assert_uint_eq(shown.routes.n, 2 * ARRAY_LEN(cases));
	for (size_t i = 0; i < shown.routes.n; i++) {
		const struct route *r = &shown.routes.items[i];
		size_t at = i % ARRAY_LEN(cases);

		ck_assert_uint_eq(r->cport, at + 1);
		ck_assert_uint_eq(r->n_servers, cases[at].n_shown);
		ck_assert_str_eq(route_state_name(r), cases[at].state);
		ck_assert_str_eq(r->account.boot, "boot");
		ck_assert_uint_eq(r->account.base.outbytes, at);
		ck_assert_uint_eq(r->account.last.outbytes, 9);
	}
	route_list_clear(&shown.routes);
}
END_TEST

START_TEST(shows_no_more_routes_after_a_failure)
{
	CLEANUP(store_closep) struct store *s = NULL;
	struct shown shown = { .left = 1 };
	struct state state;
	struct err e;

	given_state(&state);
	s = state_open(&state, STORE_WRITE);
	for (uint16_t port = 1; port <= 3; port++) {
		CLEANUP(route_clear) struct route r = given_route("a", port, VIP);

		r.public.port = port;
		state_add(s, &r);
	}
	ck_assert_int_eq(store_each_route(&e, s, NULL, show, &shown), -EXDEV);
	ck_assert_str_eq(e.msg, "enough");
	ck_assert_uint_eq(shown.routes.n, 1);
	route_list_clear(&shown.routes);
	ck_assert_int_eq(store_each_route(&e, s, "nobody", show, &shown), 0);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_unchecked_fixture(tc, state_make_root, state_remove_root);
	tcase_add_test(tc, shows_each_route_as_it_lists_it_but_for_the_account);
	tcase_add_test(tc, shows_accounts_with_real_servers_only_where_one_drains);
	tcase_add_test(tc, shows_no_more_routes_after_a_failure);
}

int main(void)
{
	return unit_main("store_list", add);
}
