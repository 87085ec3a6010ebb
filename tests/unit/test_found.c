/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What sonm-gw-setup finds in the traffic's way, as far as no kernel is needed. */
#include "given.h"
#include "interfaces.h"
#include "step.h"

static const struct {
	const char *all, *own;
	bool strict;
} filters[] = {
	{ "0", "0", false }, { "1", "0", true }, { "0", "1", true }, { "1", "1", true }, { "2", "1", false },
	{ "1", "2", false }, { "2", "0", false }, { "0", "2", false },
};

START_TEST(the_larger_value_of_the_reverse_path_filter_counts)
{
	for (size_t i = 0; i < ARRAY_LEN(filters); i++)
		ck_assert_msg(step_is_strict(filters[i].all, filters[i].own) == filters[i].strict, "case %zu", i);
}
END_TEST

static const struct {
	uint16_t first, last;
	const char *range, *shared; /* NULL: nothing */
} overlaps[] = {
	{ 32768, 33768, "32768 60999", "32768-33768" }, { 32768, 33768, "33000 60999", "33000-33768" },
	{ 32768, 33768, "1024 33000", "32768-33000" },	{ 32768, 33768, "33000 33001", "33000-33001" },
	{ 32768, 33768, "33768 60999", "33768-33768" }, { 32768, 33768, "1024 32768", "32768-32768" },
	{ 32768, 33768, "33769 60999", NULL },		{ 32768, 33768, "1024 32767", NULL },
	{ 1, 65535, "1024 65535", "1024-65535" },	{ 32768, 33768, "", NULL },
};

START_TEST(says_which_ports_of_the_pool_the_kernel_gives_away)
{
	for (size_t i = 0; i < ARRAY_LEN(overlaps); i++) {
		const struct config c = { .port_first = overlaps[i].first, .port_last = overlaps[i].last };
		char note[256] = "before";
		bool overlap = step_overlap(&c, overlaps[i].range, note);

		ck_assert_msg(overlap == (overlaps[i].shared != NULL), "case %zu", i);
		ck_assert_msg(overlap ? strstr(note, overlaps[i].shared) != NULL : note[0] == '\0', "case %zu: %s", i, note);
	}
}
END_TEST

START_TEST(a_table_is_nearly_full_above_nine_tenths)
{
	ck_assert(!step_is_nearly_full(0, 65536));
	ck_assert(!step_is_nearly_full(90, 100));
	ck_assert(step_is_nearly_full(91, 100));
	ck_assert(step_is_nearly_full(100, 100));
	ck_assert(step_is_nearly_full(5, 5));
	ck_assert(!step_is_nearly_full(1000, 0)); /* no limit */
	ck_assert(!step_is_nearly_full(0, 4294967295UL));
}
END_TEST

START_TEST(findings_come_last_and_are_never_changed)
{
	static const char *const names[] = { "missing addresses", "foreign services", "local listeners", "conntrack usage" };
	struct step steps[STEPS_MAX];
	struct config c;

	config_default(&c);
	for (int persist = 0; persist < 2; persist++) {
		size_t n = step_list(&c, persist, steps);

		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			const struct step *s = &steps[n - ARRAY_LEN(names) + i];

			ck_assert_str_eq(s->name, names[i]);
			ck_assert_int_eq(s->kind->makes, STEP_MAKES_NEVER);
			ck_assert_uint_gt(strlen(s->detail), 0);
			ck_assert_uint_gt(strlen(s->manual), 0);
		}
	}
}
END_TEST

START_TEST(files_and_units_are_steps_only_when_asked_for)
{
	struct step steps[STEPS_MAX];
	size_t without, with, files = 0, units = 0;
	struct config c;

	config_default(&c);
	without = step_list(&c, false, steps);
	with = step_list(&c, true, steps);
	for (size_t i = 0; i < with; i++) {
		files += steps[i].kind == &step_file;
		units += steps[i].kind == &step_unit;
	}
	ck_assert_uint_eq(files, 6);
	ck_assert_uint_eq(units, 2);
	ck_assert_uint_eq(with, without + files + units);
}
END_TEST

START_TEST(what_the_files_set_again_is_kept_over_a_boot)
{
	static const char *const kept[] = { "module ip_vs", "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding",
					    "net.ipv4.vs.conntrack", "net.ipv4.ip_local_reserved_ports" };
	static const char *const lost[] = { "net.netfilter.nf_conntrack_max", "net/ipv4/conf/eth0/rp_filter" };

	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		ck_assert_msg(step_kind_of(kept[i])->persists, "%s", kept[i]);
	for (size_t i = 0; i < ARRAY_LEN(lost); i++)
		ck_assert_msg(step_kind_of(lost[i])->lost_at_boot && !step_kind_of(lost[i])->persists, "%s", lost[i]);
}
END_TEST

static struct step_report file_report(const char *content)
{
	struct step_report r = { .reason = "", .content = content };

	strcpy(r.name, "file /etc/x");
	return r;
}

START_TEST(a_file_that_is_replaced_is_recorded_with_its_former_text)
{
	struct step_report one = file_report("one"), two = file_report("two");
	struct setup_record rec = { 0 };
	struct err e;

	ck_assert_int_eq(step_file.record(&e, &one, &rec), 0);
	ck_assert_str_eq(rec.former, "");
	ck_assert_str_eq(rec.applied, "one");
	ck_assert_int_eq(step_file.record(&e, &one, &rec), 0);
	ck_assert_str_eq(rec.former, "");
	ck_assert_int_eq(step_file.record(&e, &two, &rec), 0);
	ck_assert_str_eq(rec.former, "one");
	ck_assert_str_eq(rec.applied, "two");
}
END_TEST

START_TEST(a_filter_is_recorded_like_any_setting)
{
	struct step_report r = { .reason = "", .present = "1", .wanted = "2" };
	struct setup_record rec = { 0 };
	struct err e;

	strcpy(r.name, "net/ipv4/conf/no.such/rp_filter");
	ck_assert_ptr_eq(step_kind_of(r.name), &step_reverse);
	ck_assert_int_eq(step_reverse.record(&e, &r, &rec), 0);
	ck_assert_str_eq(rec.former, "1");
	ck_assert_str_eq(rec.applied, "2");
	ck_assert_int_eq(step_reverse.set(&e, &r), -ERR_NO_KERNEL);
	ck_assert_ptr_nonnull(strstr(e.msg, r.name));
}
END_TEST

START_TEST(loopback_takes_no_packets_from_others)
{
	struct addr here = given_addr("127.0.0.1"), elsewhere = given_addr("192.0.2.77");
	char name[IF_NAMESIZE] = "untouched";
	struct err e;

	ck_assert_int_eq(interfaces_holding(&e, &here, name), 0);
	ck_assert_int_eq(interfaces_holding(&e, &elsewhere, name), 0);
	ck_assert_str_eq(name, "untouched");
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, the_larger_value_of_the_reverse_path_filter_counts);
	tcase_add_test(tc, says_which_ports_of_the_pool_the_kernel_gives_away);
	tcase_add_test(tc, a_table_is_nearly_full_above_nine_tenths);
	tcase_add_test(tc, findings_come_last_and_are_never_changed);
	tcase_add_test(tc, files_and_units_are_steps_only_when_asked_for);
	tcase_add_test(tc, what_the_files_set_again_is_kept_over_a_boot);
	tcase_add_test(tc, a_file_that_is_replaced_is_recorded_with_its_former_text);
	tcase_add_test(tc, a_filter_is_recorded_like_any_setting);
	tcase_add_test(tc, loopback_takes_no_packets_from_others);
}

int main(void)
{
	return unit_main("found", add);
}
