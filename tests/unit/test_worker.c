/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "given.h"
#include "worker.h"

#define LETTERS_128                                                          \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* addresses: separated by spaces. */
static struct worker given_worker(enum nat_type nat, bool is_public, const char *addresses)
{
	struct worker w = { .name = "w1", .nat = nat, .is_public = is_public };
	char copy[256], *rest = copy;
	const char *word;

	snprintf(copy, sizeof(copy), "%s", addresses);
	while ((word = strsep(&rest, " ")))
		if (word[0])
			w.addresses[w.n_addresses++] = given_addr(word);
	return w;
}

START_TEST(names_workers_like_containers)
{
	static const char *const good[] = { "w", "worker-1.example:9_", LETTERS_128 };
	static const char *const bad[] = { "", "-w", "a b", "a/b", "a\n", "caf\xc3\xa9", LETTERS_128 "x" };
	struct err e = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ck_assert_msg(worker_check_name(&e, good[i]) == 0, "%s", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ck_assert_msg(worker_check_name(&e, bad[i]) == -EINVAL, "%s", bad[i]);
		ck_assert_msg(strstr(e.msg, "worker's name"), "%s", e.msg);
	}
}
END_TEST

static const struct {
	enum nat_type nat;
	bool is_public;
	const char *addresses;
	const char *error; /* NULL: it is one */
} workers[] = {
	{ NAT_NONE, true, "203.0.113.7", NULL },
	{ NAT_NONE, true, "203.0.113.7 2001:db8::7 203.0.113.8", NULL },
	{ NAT_NONE, true, "10.0.0.7", NULL }, /* public to its clients: it is not for us to say */
	{ NAT_NONE, false, "203.0.113.7", NULL },
	{ NAT_NONE, false, "", NULL },
	{ NAT_SYMMETRIC, false, "203.0.113.7", NULL },
	{ NAT_UNKNOWN, false, "", NULL },
	{ NAT_BLOCKED, false, "", NULL },
	{ NAT_NONE, true, "", "no public address" },
	{ NAT_FULL, true, "203.0.113.7", "behind a NAT or firewall (full)" },
	{ NAT_UNKNOWN, true, "203.0.113.7", "(unknown)" },
	{ NAT_NONE, true, "203.0.113.7 203.0.113.7", "203.0.113.7 is there twice" },
	{ NAT_NONE, true, "2001:db8::7 203.0.113.7 2001:db8::7", "2001:db8::7 is there twice" },
	{ NAT_NONE, true, "203.0.113.7 0.0.0.0", "0.0.0.0 is not a unicast" },
	{ NAT_NONE, true, "224.0.0.1", "224.0.0.1 is not a unicast" },
	{ NAT_SYMMETRIC, false, "255.255.255.255", "is not a unicast" },
	{ NAT_SYMMETRIC, false, "ff02::1", "ff02::1 is not a unicast" },
};

START_TEST(tells_a_worker_from_what_is_none)
{
	struct worker w = given_worker(workers[_i].nat, workers[_i].is_public, workers[_i].addresses);
	struct err e = { 0 };
	int ret = worker_check(&e, &w);

	if (!workers[_i].error) {
		ck_assert_msg(ret == 0, "%s", e.msg);
		return;
	}
	ck_assert_int_eq(ret, -EINVAL);
	ck_assert_int_eq(e.code, EINVAL);
	ck_assert_msg(strstr(e.msg, workers[_i].error), "%s", e.msg);
	ck_assert_ptr_nonnull(strstr(e.msg, "worker w1"));
}
END_TEST

START_TEST(a_worker_without_a_good_name_is_none)
{
	struct worker w = given_worker(NAT_NONE, true, "203.0.113.7");
	struct err e;

	strcpy(w.name, "w 1");
	ck_assert_int_eq(worker_check(&e, &w), -EINVAL);
	w.name[0] = '\0';
	ck_assert_int_eq(worker_check(&e, &w), -EINVAL);
}
END_TEST

START_TEST(takes_as_many_addresses_as_there_is_room_for)
{
	struct worker w = given_worker(NAT_NONE, true, "");
	struct err e;

	for (uint8_t i = 0; i < WORKER_ADDRESSES_MAX; i++) {
		w.addresses[i] = given_addr("203.0.113.1");
		w.addresses[i].bytes[3] = (uint8_t)(i + 1);
	}
	w.n_addresses = WORKER_ADDRESSES_MAX;
	ck_assert_int_eq(worker_check(&e, &w), 0);
	w.addresses[WORKER_ADDRESSES_MAX - 1] = w.addresses[0];
	ck_assert_int_eq(worker_check(&e, &w), -EINVAL);
}
END_TEST

START_TEST(gives_the_first_address_of_a_family)
{
	struct worker both = given_worker(NAT_NONE, true, "2001:db8::7 203.0.113.7 2001:db8::8 203.0.113.8");
	struct worker v4 = given_worker(NAT_NONE, true, "203.0.113.7");
	struct worker none = given_worker(NAT_FULL, false, "");

	ck_assert_ptr_eq(worker_address(&both, AF_INET6), &both.addresses[0]);
	ck_assert_ptr_eq(worker_address(&both, AF_INET), &both.addresses[1]);
	ck_assert_ptr_null(worker_address(&v4, AF_INET6));
	ck_assert_ptr_null(worker_address(&none, AF_INET));
}
END_TEST

START_TEST(a_worker_is_in_the_same_place_when_clients_reach_it_as_before)
{
	static const struct {
		bool a_public, b_public;
		const char *a, *b;
		bool same;
	} pairs[] = {
		{ true, true, "203.0.113.7", "203.0.113.7", true },
		{ true, true, "203.0.113.7 2001:db8::7", "203.0.113.7 2001:db8::7", true },
		{ true, true, "203.0.113.7", "203.0.113.8", false },
		{ true, true, "203.0.113.7", "203.0.113.7 203.0.113.8", false },
		{ true, true, "203.0.113.7 203.0.113.8", "203.0.113.7", false },
		{ true, true, "203.0.113.7 203.0.113.8", "203.0.113.8 203.0.113.7", false },
		{ true, false, "203.0.113.7", "203.0.113.7", false },
		{ false, true, "203.0.113.7", "203.0.113.7", false },
		{ false, false, "203.0.113.7", "203.0.113.8", true }, /* through the hub, either way */
		{ false, false, "", "203.0.113.8", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct worker a = given_worker(NAT_NONE, pairs[i].a_public, pairs[i].a);
		struct worker b = given_worker(NAT_NONE, pairs[i].b_public, pairs[i].b);

		b.reported_at = 9;
		ck_assert_msg(worker_same_place(&a, &b) == pairs[i].same, "pair %zu", i);
	}
}
END_TEST

START_TEST(finds_workers_in_a_list_by_name)
{
	CLEANUP(worker_list_clear) struct worker_list list = { 0 };
	struct err e;

	ck_assert_ptr_null(worker_find(&list, "w1"));
	for (int i = 0; i < 100; i++) {
		struct worker w = given_worker(NAT_NONE, true, "203.0.113.7");

		snprintf(w.name, sizeof(w.name), "w%d", i);
		w.reported_at = i;
		ck_assert_int_eq(worker_list_add(&e, &list, &w), 0);
	}
	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "w%d", i);
		ck_assert_ptr_eq(worker_find(&list, name), &list.items[i]);
		ck_assert_int_eq(list.items[i].reported_at, i);
	}
	ck_assert_ptr_null(worker_find(&list, "w100"));
	ck_assert_ptr_null(worker_find(&list, "w"));
	ck_assert_ptr_null(worker_find(&list, ""));
	worker_list_clear(&list);
	ck_assert_ptr_null(worker_find(&list, "w1"));
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, names_workers_like_containers);
	tcase_add_loop_test(tc, tells_a_worker_from_what_is_none, 0, ARRAY_LEN(workers));
	tcase_add_test(tc, a_worker_without_a_good_name_is_none);
	tcase_add_test(tc, takes_as_many_addresses_as_there_is_room_for);
	tcase_add_test(tc, gives_the_first_address_of_a_family);
	tcase_add_test(tc, a_worker_is_in_the_same_place_when_clients_reach_it_as_before);
	tcase_add_test(tc, finds_workers_in_a_list_by_name);
}

int main(void)
{
	return unit_main("worker", add);
}
