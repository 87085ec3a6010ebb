/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sonm-gw-setup: which steps are meant, what an answer means, how a step is shown. */
#include "setup.h"
#include "unit.h"

/* --- which steps ------------------------------------------------------------------- */

static const char *const names[] = {
	"module ip_vs", "module ip_vs_wrr", "net.ipv4.ip_forward", "net.ipv4.vs.conntrack",
	"snat ipv4", "snat ipv6", "filter INPUT ipv4", "filter INPUT ipv6", "file /etc/x.conf",
};

/* The indices of what is marked, as digits: "45". */
static const char *selected(const char *const args[], size_t n)
{
	static char digits[ARRAY_LEN(names) + 1];
	bool marks[ARRAY_LEN(names)] = { false };
	struct err e;
	size_t len = 0;

	ck_assert_msg(setup_select(&e, names, ARRAY_LEN(names), args, n, marks) == 0, "%s", e.msg);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (marks[i])
			digits[len++] = (char)('0' + i);
	digits[len] = '\0';
	return digits;
}

#define SELECTED(...) \
	selected((const char *const[]){ __VA_ARGS__ }, ARRAY_LEN(((const char *const[]){ __VA_ARGS__ })))

START_TEST(finds_steps_by_name_by_first_words_and_by_last_part)
{
	ck_assert_str_eq(SELECTED("net.ipv4.ip_forward"), "2");
	ck_assert_str_eq(SELECTED("ip_forward"), "2");
	ck_assert_str_eq(SELECTED("snat ipv4"), "4");
	ck_assert_str_eq(SELECTED("snat", "ipv6"), "5");
	ck_assert_str_eq(SELECTED("snat"), "45");
	ck_assert_str_eq(SELECTED("filter", "INPUT"), "67");
	ck_assert_str_eq(SELECTED("filter", "INPUT", "ipv4", "snat", "ipv4", "conntrack"), "346");
	ck_assert_str_eq(SELECTED("module", "ip_vs"), "0");
	ck_assert_str_eq(SELECTED("module"), "01");
}
END_TEST

static void expect_refusal(const char *const args[], size_t n, const char *says)
{
	bool marks[ARRAY_LEN(names)] = { false };
	struct err e;

	ck_assert_int_eq(setup_select(&e, names, ARRAY_LEN(names), args, n, marks), -EINVAL);
	ck_assert_msg(strstr(e.msg, says) != NULL, "'%s' does not say '%s'", e.msg, says);
}

START_TEST(suggests_the_step_that_was_meant)
{
	char longest[300];

	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	expect_refusal((const char *const[]){ "net.ipv4.ip_forwrd" }, 1, "did you mean net.ipv4.ip_forward?");
	expect_refusal((const char *const[]){ "contrack" }, 1, "did you mean net.ipv4.vs.conntrack?");
	expect_refusal((const char *const[]){ "snat", "ipv5" }, 2, "'ipv5' is not a step");
	expect_refusal((const char *const[]){ "snt", "ipv4" }, 2, "did you mean snat ipv4?");
	expect_refusal((const char *const[]){ "conf" }, 1, "'conf' is not a step");
	expect_refusal((const char *const[]){ "nonsense" }, 1, "--explain lists them");
	expect_refusal((const char *const[]){ "" }, 1, "--explain lists them");
	expect_refusal((const char *const[]){ longest }, 1, "--explain lists them");
}
END_TEST

/* --- answers ----------------------------------------------------------------------- */

START_TEST(understands_words_and_their_first_letters)
{
	static const struct {
		const char *line;
		enum setup_answer answer;
	} rows[] = {
		{ "apply", SETUP_ANSWER_APPLY }, { "a", SETUP_ANSWER_APPLY }, { " Apply\t", SETUP_ANSWER_APPLY },
		{ "skip", SETUP_ANSWER_SKIP }, { "s", SETUP_ANSWER_SKIP },
		{ "explain", SETUP_ANSWER_EXPLAIN }, { "e", SETUP_ANSWER_EXPLAIN },
		{ "quit", SETUP_ANSWER_QUIT }, { "Q", SETUP_ANSWER_QUIT },
		{ "help", SETUP_ANSWER_HELP }, { "h", SETUP_ANSWER_HELP }, { "?", SETUP_ANSWER_HELP },
		{ "all", SETUP_ANSWER_ALL },
		/* Nothing is made by mistake. */
		{ "", SETUP_ANSWER_NONE }, { "  ", SETUP_ANSWER_NONE }, { "al", SETUP_ANSWER_NONE },
		{ "ap", SETUP_ANSWER_NONE }, { "applying", SETUP_ANSWER_NONE }, { "yes", SETUP_ANSWER_NONE },
		{ "apply all", SETUP_ANSWER_NONE }, { "l", SETUP_ANSWER_NONE },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_msg(setup_answer_of(rows[i].line) == rows[i].answer, "'%s'", rows[i].line);
	ck_assert_str_eq(setup_answer_meant("aply"), "apply");
	ck_assert_ptr_null(setup_answer_meant(""));
}
END_TEST

/* --- how a step is shown ------------------------------------------------------------- */

static struct step_report given(void)
{
	return (struct step_report){
		.name = "net.ipv4.ip_forward", .reason = "answers pass", .detail = "More of it.",
		.manual = "ip-sysctl.rst; sysctl(8)", .undo = "The former value comes back.",
		.command = "sysctl -w net.ipv4.ip_forward=1", .present = "0", .wanted = "1",
		.status = STEP_DIFFERS,
	};
}

START_TEST(writes_a_page_of_a_step)
{
	struct step_report r = given();
	struct unit_out o = { 0 };
	struct setup_look look = { .out = unit_open(&o), .columns = 40 };

	setup_explain_step(&look, &r, false);
	unit_expect(&o,
		    "net.ipv4.ip_forward: differs\n"
		    "  Now     0, wanted 1\n"
		    "  Why     answers pass\n"
		    "  More    More of it.\n"
		    "  Command sysctl -w \\\n"
		    "          net.ipv4.ip_forward=1\n"
		    "  Undo    The former value comes back.\n"
		    "  Read    ip-sysctl.rst; sysctl(8)\n");
	look.out = unit_open(&o);
	r.status = STEP_OK;
	strcpy(r.present, "2"); /* as good as what is wanted */
	setup_explain_step(&look, &r, true);
	unit_expect(&o,
		    "net.ipv4.ip_forward: ok\n"
		    "  Now     2\n"
		    "  Why     answers pass\n"
		    "  Command sysctl -w \\\n"
		    "          net.ipv4.ip_forward=1\n");
}
END_TEST

START_TEST(says_on_the_page_that_it_cannot_tell_and_why)
{
	struct step_report r = given();
	struct unit_out o = { 0 };
	struct setup_look look = { .out = unit_open(&o), .columns = 80 };

	r.status = STEP_UNKNOWN;
	r.present[0] = '\0';
	r.report_only = true;
	r.undo = "";
	strcpy(r.via, "nft");
	strcpy(r.why, "you are not root");
	setup_explain_step(&look, &r, false);
	unit_expect(&o,
		    "net.ipv4.ip_forward (nft): cannot tell\n"
		    "  But     you are not root\n"
		    "  Why     answers pass\n"
		    "  More    More of it.\n"
		    "  Command sysctl -w net.ipv4.ip_forward=1\n"
		    "  Undo    Nothing to put back: this is reported, and never changed.\n"
		    "  Read    ip-sysctl.rst; sysctl(8)\n");
}
END_TEST

START_TEST(colours_the_name_and_the_state_only)
{
	struct step_report r = given();
	struct unit_out o = { 0 };
	struct setup_look look = { .out = unit_open(&o), .columns = 80, .colour = true };

	setup_explain_step(&look, &r, true);
	unit_expect(&o,
		    "\033[1mnet.ipv4.ip_forward\033[0m: \033[31mdiffers\033[0m\n"
		    "  Now     0, wanted 1\n"
		    "  Why     answers pass\n"
		    "  Command sysctl -w net.ipv4.ip_forward=1\n");
}
END_TEST

static void expect_line(enum step_outcome outcome, int command, const char *text)
{
	struct step_report r = given();
	struct unit_out o = { 0 };
	struct setup s = { .command = command };

	s.look = (struct setup_look){ .out = unit_open(&o), .columns = 80 };
	r.outcome = outcome;
	setup_print_step(&s, &r);
	unit_expect(&o, text);
}

/* A comment of somebody's rule, for example. */
START_TEST(shows_nothing_that_a_terminal_obeys)
{
	struct step_report r = given();
	struct unit_out o = { 0 }, page = { 0 };
	struct setup s = { .command = SETUP_CHECK };
	struct setup_look look = { .out = unit_open(&page), .columns = 80 };

	r.status = STEP_UNKNOWN;
	strcpy(r.present, "\033]0;a\007");
	strcpy(r.why, "\x9b[2J");
	strcpy(r.command, "b\n\033c");
	s.look = (struct setup_look){ .out = unit_open(&o), .columns = 80 };
	setup_print_step(&s, &r);
	unit_expect(&o,
		    "cannot tell net.ipv4.ip_forward: ?]0;a?, wanted 1\n"
		    "            why: answers pass\n"
		    "            but: ?[2J\n"
		    "            do:  b??c\n");
	setup_explain_step(&look, &r, true);
	unit_expect(&page,
		    "net.ipv4.ip_forward: cannot tell\n"
		    "  Now     ?]0;a?, wanted 1\n"
		    "  But     ?[2J\n"
		    "  Why     answers pass\n"
		    "  Command b??c\n");
}
END_TEST

START_TEST(tells_what_became_of_a_step)
{
	expect_line(STEP_CHANGED, SETUP_APPLY, "set         net.ipv4.ip_forward: 0 -> 1\n");
	expect_line(STEP_CHANGED, SETUP_UNDO, "restored    net.ipv4.ip_forward: 0 -> 1\n");
	expect_line(STEP_FAILED, SETUP_APPLY, "failed      net.ipv4.ip_forward: 0, wanted 1\n");
	expect_line(STEP_NOT_REACHED, SETUP_APPLY, "not reached net.ipv4.ip_forward\n");
	expect_line(STEP_SKIPPED, SETUP_INTERACTIVE, "skipped     net.ipv4.ip_forward: 0\n");
	expect_line(STEP_LEFT, SETUP_UNDO, "left        net.ipv4.ip_forward: 0, as before\n");
	expect_line(STEP_LEFT, SETUP_CHECK,
		    "differs     net.ipv4.ip_forward: 0, wanted 1\n"
		    "            why: answers pass\n"
		    "            do:  sysctl -w net.ipv4.ip_forward=1\n");
}
END_TEST

/* What is not looked at is not "ok". */
START_TEST(writes_null_for_what_was_not_looked_at)
{
	struct step_report r = { .name = "x", .reason = "y", .detail = "", .manual = "", .undo = "",
				 .status = STEP_UNKNOWN, .outcome = STEP_NOT_REACHED };
	struct unit_out o = { 0 };
	struct setup s = { .command = SETUP_APPLY, .json = json_new(unit_open(&o)) };

	setup_write_step(&s, &r);
	json_end_array(s.json);
	json_end_object(s.json);
	json_free(s.json);
	unit_expect(&o,
		    "{\n  \"gateway\": false,\n  \"steps\": [\n    {\n      \"name\": \"x\",\n"
		    "      \"status\": null,\n      \"outcome\": \"not_reached\",\n      \"present\": null,\n"
		    "      \"wanted\": null,\n      \"note\": null,\n      \"changed\": false,\n"
		    "      \"report_only\": false,\n      \"reason\": \"y\",\n      \"command\": null,\n"
		    "      \"via\": null,\n      \"why\": null\n    }\n  ]\n}\n");
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, finds_steps_by_name_by_first_words_and_by_last_part);
	tcase_add_test(tc, suggests_the_step_that_was_meant);
	tcase_add_test(tc, understands_words_and_their_first_letters);
	tcase_add_test(tc, writes_a_page_of_a_step);
	tcase_add_test(tc, says_on_the_page_that_it_cannot_tell_and_why);
	tcase_add_test(tc, colours_the_name_and_the_state_only);
	tcase_add_test(tc, shows_nothing_that_a_terminal_obeys);
	tcase_add_test(tc, tells_what_became_of_a_step);
	tcase_add_test(tc, writes_null_for_what_was_not_looked_at);
}

int main(void)
{
	return unit_main("setup", add);
}
