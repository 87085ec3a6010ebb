/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "module.h"
#include "step.h"
#include "sysctl.h"
#include "unit.h"

static bool has_step(const struct config *c, const char *name)
{
	struct step steps[STEPS_MAX];
	size_t n = step_list(c, false, steps);

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
	n = step_list(&c, true, steps);
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

/* The steps of a hub that needs all of them. */
static size_t all_steps(struct step steps[static STEPS_MAX])
{
	struct config c;
	struct err e;

	config_default(&c);
	ck_assert_int_eq(addr_parse(&e, "192.0.2.1", &c.addresses[c.n_addresses++]), 0);
	ck_assert_int_eq(addr_parse(&e, "2001:db8::1", &c.addresses[c.n_addresses++]), 0);
	return step_list(&c, true, steps);
}

/* A paragraph in one line, of whole sentences. */
static bool is_paragraph(const char *text)
{
	size_t len = strlen(text);

	return len > 40 && !strchr(text, '\n') && !strstr(text, "  ") && text[len - 1] == '.';
}

static bool is_of_the_kernel(const struct step *s)
{
	return strncmp(s->name, "module ", 7) == 0 || strncmp(s->name, "net.", 4) == 0 ||
	       strncmp(s->name, "snat ", 5) == 0 || strncmp(s->name, "filter ", 7) == 0;
}

START_TEST(says_of_every_step_what_an_admin_wants_to_know)
{
	struct step steps[STEPS_MAX];
	size_t n = all_steps(steps);

	for (size_t i = 0; i < n; i++) {
		const struct step *s = &steps[i];
		size_t len = strlen(s->reason);

		/* One line that is not wrapped. */
		ck_assert_msg(len > 20 && len < 100 && s->reason[len - 1] != '.', "%s: %s", s->name, s->reason);
		ck_assert_msg(is_paragraph(s->detail), "%s: %s", s->name, s->detail);
		ck_assert_msg(!is_of_the_kernel(s) || strstr(s->detail, "Without"), "%s: what happens without it?",
			      s->name);
		ck_assert_msg(strchr(s->manual, '(') && !strchr(s->manual, '\n'), "%s: %s", s->name, s->manual);
		ck_assert_msg(s->kind->makes == STEP_MAKES_NEVER || (s->kind->undo && is_paragraph(s->kind->undo)),
			      "%s: how is it put back?", s->name);
	}
}
END_TEST

/* Which steps does the manual's item speak of? "filter INPUT" is that of either family. */
static int mark_steps(const struct step steps[], size_t n, const char *item, bool *told)
{
	size_t len = strlen(item);
	int marked = 0;

	for (size_t i = 0; i < n; i++) {
		if (strncmp(steps[i].name, item, len) != 0 || (steps[i].name[len] && steps[i].name[len] != ' '))
			continue;
		told[i] = true;
		marked++;
	}
	return marked;
}

/* Puts by, which is no longer, in the place of what, if that is there. */
static void replace(char *text, const char *what, const char *by)
{
	char *at = strstr(text, what);

	if (!at)
		return;
	memmove(at + strlen(by), at + strlen(what), strlen(at + strlen(what)) + 1);
	memcpy(at, by, strlen(by));
}

/* The next of "module ip_vs , module ip_vs_ Ns Ar scheduler", as a step's name; NULL: none. */
static char *next_item(char **rest)
{
	char *item = strsep(rest, ","), *end;

	if (!item)
		return NULL;
	item += strspn(item, " ");
	replace(item, "Cm file", "file");
	replace(item, "file Pa ", "file ");
	replace(item, " Ns Ar scheduler", "wrr");
	replace(item, " Ns Ar interface Ns Cm ", "lo");
	for (end = item + strlen(item); end > item && end[-1] == ' ';)
		*--end = '\0';
	return item;
}

START_TEST(has_the_steps_of_the_manual_and_no_others)
{
	struct step steps[STEPS_MAX];
	size_t n = all_steps(steps);
	bool told[STEPS_MAX] = { false }, inside = false;
	FILE *manual = fopen(MANUAL, "re");
	char line[256];

	ck_assert_ptr_nonnull(manual);
	while (fgets(line, sizeof(line), manual)) {
		char *rest = line + strlen(".It Cm ");
		const char *item;

		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, ".Ss ", 4) == 0)
			inside = strcmp(line, ".Ss Steps") == 0 || strcmp(line, ".Ss Surviving a boot") == 0;
		if (!inside || strncmp(line, ".It Cm ", strlen(".It Cm ")) != 0)
			continue;
		while ((item = next_item(&rest))) /* those of interfaces depend on what this host has */
			ck_assert_msg(mark_steps(steps, n, item, told) > 0 || step_kind_of(item) == &step_reverse,
				      "the manual has a step '%s'", item);
	}
	fclose(manual);
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(told[i] || steps[i].kind == &step_reverse, "the manual lacks %s", steps[i].name);
}
END_TEST

static void add_report(void *ctx, const struct step_report *r)
{
	size_t *n = ctx;

	ck_assert(r->status == STEP_UNKNOWN && r->outcome == STEP_LEFT && !r->present[0]);
	ck_assert(r->reason[0] && r->detail[0] && r->manual[0]);
	(*n)++;
}

START_TEST(lists_steps_without_looking)
{
	struct step steps[STEPS_MAX];
	struct config c;
	struct err e;
	size_t n = 0;

	config_default(&c);
	ck_assert_int_eq(host_list(&e, &c, NULL, &(struct host_options){ .report = add_report, .ctx = &n }),
			 (int)step_list(&c, false, steps));
	ck_assert_uint_eq(n, step_list(&c, false, steps));
}
END_TEST

START_TEST(shows_the_arithmetic_of_the_conntrack_table)
{
	struct step step = { .name = "net.netfilter.nf_conntrack_max" };
	struct step_report r = { .reason = "" };
	struct config c;
	struct step_host h = { .config = &c };
	struct err e;

	config_default(&c);
	c.n_addresses = 2;
	ck_assert_int_eq(step_at_least.look(&e, &h, &step, &r), 0);
	ck_assert_str_eq(r.note, "4 connections x 1001 ports x 2 addresses = 8008, but at least 65536");
	c.port_first = 10000;
	c.port_last = 59999;
	c.n_addresses = 1;
	ck_assert_int_eq(step_at_least.look(&e, &h, &step, &r), 0);
	ck_assert_str_eq(r.note, "4 connections x 50000 ports x 1 address = 200000");
	ck_assert_str_eq(r.wanted, "200000");
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
	ck_assert_int_eq(sysctl_may_write("net/no_such_setting"), -ENOENT);
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
	tcase_add_test(tc, says_of_every_step_what_an_admin_wants_to_know);
	tcase_add_test(tc, has_the_steps_of_the_manual_and_no_others);
	tcase_add_test(tc, lists_steps_without_looking);
	tcase_add_test(tc, shows_the_arithmetic_of_the_conntrack_table);
	tcase_add_test(tc, keeps_the_first_former_value);
	tcase_add_test(tc, counts_ports_that_others_added_as_there_before);
	tcase_add_test(tc, reads_a_kernel_setting);
	tcase_add_test(tc, knows_which_modules_are_there);
}

int main(void)
{
	return unit_main("host", add);
}
