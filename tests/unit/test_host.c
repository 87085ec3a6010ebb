/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "module.h"
#include "step.h"
#include "sysctl.h"
#include "unit.h"

static bool has_step(const struct config *c, const char *name)
{
	struct step steps[STEPS_MAX];
	size_t n = step_list(c, steps);

	for (size_t i = 0; i < n; i++)
		if (strcmp(steps[i].name, name) == 0)
			return true;
	return false;
}

START_TEST(needs_ipv6_only_for_an_ipv6_address)
{
	struct config c;
	struct err e;

	config_default(&c); /* and no addresses: those of the default routes, which differ from host to host */
	ck_assert_int_eq(addr_parse(&e, "192.0.2.1", &c.addresses[c.n_addresses++]), 0);
	ck_assert(has_step(&c, "net.ipv4.ip_forward"));
	ck_assert(has_step(&c, "snat ipv4"));
	ck_assert(!has_step(&c, "net.ipv6.conf.all.forwarding"));
	ck_assert(!has_step(&c, "snat ipv6"));
	ck_assert_int_eq(addr_parse(&e, "2001:db8::1", &c.addresses[c.n_addresses++]), 0);
	ck_assert(has_step(&c, "net.ipv6.conf.all.forwarding"));
	ck_assert(has_step(&c, "snat ipv6"));
	ck_assert(has_step(&c, "filter FORWARD ipv6"));
	ck_assert(has_step(&c, "snat ipv4"));
}
END_TEST

START_TEST(needs_the_configured_scheduler_and_no_idle_module)
{
	struct config c;

	config_default(&c);
	strcpy(c.scheduler, "lc");
	ck_assert(has_step(&c, "module ip_vs_lc"));
	ck_assert(!has_step(&c, "module ip_vs_wrr"));
	ck_assert(has_step(&c, "module xt_ipvs"));
	c.snat = SNAT_MASQUERADE;
	ck_assert(!has_step(&c, "module xt_ipvs"));
	c.snat = SNAT_NONE;
	ck_assert(!has_step(&c, "module xt_ipvs"));
}
END_TEST

START_TEST(knows_every_steps_kind_by_its_name)
{
	struct step steps[STEPS_MAX];
	struct config c;
	struct err e;
	size_t n;

	config_default(&c);
	ck_assert_int_eq(addr_parse(&e, "2001:db8::1", &c.addresses[c.n_addresses++]), 0);
	n = step_list(&c, steps);
	ck_assert_uint_gt(n, 10);
	for (size_t i = 0; i < n; i++) {
		ck_assert_ptr_nonnull(steps[i].kind);
		ck_assert(steps[i].kind->look);
		ck_assert_msg(steps[i].kind->makes == STEP_MAKES_NEVER || (steps[i].kind->record && steps[i].kind->set &&
							     steps[i].kind->restore), "%s", steps[i].name);
		ck_assert_uint_lt(strlen(steps[i].name), sizeof(((struct setup_record *)0)->step));
	}
	ck_assert_ptr_eq(step_kind_of("module ip_vs"), &step_module);
	ck_assert_ptr_eq(step_kind_of("net.ipv4.vs.conntrack"), &step_sysctl);
	ck_assert_ptr_eq(step_kind_of("net.ipv4.ip_local_reserved_ports"), &step_ports);
	ck_assert_ptr_null(step_kind_of("something of a later version"));
}
END_TEST

static struct step_report report(const char *name, const char *present, const char *wanted)
{
	struct step_report r = { .reason = "" };

	strcpy(r.name, name);
	strcpy(r.present, present);
	strcpy(r.wanted, wanted);
	return r;
}

START_TEST(keeps_the_first_former_value)
{
	struct step_report r = report("net.ipv4.vs.conntrack", "0", "1");
	struct setup_record rec = { 0 };
	struct err e;

	ck_assert_int_eq(step_sysctl.record(&e, &r, &rec), 0);
	r = report("net.ipv4.vs.conntrack", "2", "3");
	ck_assert_int_eq(step_sysctl.record(&e, &r, &rec), 0);
	ck_assert_str_eq(rec.former, "0");
	ck_assert_str_eq(rec.applied, "3");
}
END_TEST

START_TEST(counts_ports_that_others_added_as_there_before)
{
	struct step_report r = report("net.ipv4.ip_local_reserved_ports", "8080", "8080,32768-33768");
	struct setup_record rec = { 0 };
	struct err e;

	ck_assert_int_eq(step_ports.record(&e, &r, &rec), 0);
	ck_assert_str_eq(rec.former, "8080");
	ck_assert_str_eq(rec.applied, "8080,32768-33768");
	r = report("net.ipv4.ip_local_reserved_ports", "9000,32768-33768", "9000,32768-33768,40000");
	ck_assert_int_eq(step_ports.record(&e, &r, &rec), 0);
	ck_assert_str_eq(rec.former, "8080,9000");
	ck_assert_str_eq(rec.applied, "9000,32768-33768,40000");
}
END_TEST

START_TEST(reads_a_kernel_setting)
{
	char value[SYSCTL_VALUE_MAX] = "unchanged";
	struct err e;

	ck_assert_int_eq(sysctl_read(&e, "net/no_such_setting", value), -ENOENT);
	ck_assert_str_eq(value, "unchanged");
	ck_assert_int_eq(sysctl_write(&e, "net/no_such_setting", "1"), -ENOENT);
	ck_assert(!sysctl_writable("net/no_such_setting"));
	ck_assert_int_eq(sysctl_read(&e, "kernel/ostype", value), 0);
	ck_assert_str_eq(value, "Linux");
	ck_assert_int_eq(sysctl_read(&e, "net/ipv4/ip_local_port_range", value), 0);
	ck_assert_ptr_null(strpbrk(value, "\t\n"));
}
END_TEST

START_TEST(knows_which_modules_are_there)
{
	char name[256];
	struct err e;

	ck_assert_int_eq(module_present(&e, "no_such_module"), 0);
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	ck_assert_int_eq(module_present(&e, name), -EINVAL);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, needs_ipv6_only_for_an_ipv6_address);
	tcase_add_test(tc, needs_the_configured_scheduler_and_no_idle_module);
	tcase_add_test(tc, knows_every_steps_kind_by_its_name);
	tcase_add_test(tc, keeps_the_first_former_value);
	tcase_add_test(tc, counts_ports_that_others_added_as_there_before);
	tcase_add_test(tc, reads_a_kernel_setting);
	tcase_add_test(tc, knows_which_modules_are_there);
}

int main(void)
{
	return unit_main("host", add);
}
