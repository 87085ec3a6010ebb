/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "given.h"
#include "gwstat_frame.h"
#include "gwstat_line.h"

#define BLOCK "\xe2\x96"

/* A hub with routes whose rates and totals are known. */
static struct {
	struct reading readings[100];
	struct trend trends_[100];
	struct trends trends;
	struct usage usage;
	struct frame_facts facts;
	struct frame_look look;
	struct frame frame;
} given;

static void setup(void)
{
	memset(&given, 0, sizeof(given));
	given.usage.readings.items = given.readings;
	given.usage.counting = true;
	given.trends.items = given.trends_;
	given.facts = (struct frame_facts){ .usage = &given.usage, .trends = &given.trends, .at = 1795341605 };
	given.look = (struct frame_look){ .columns = 80, .rows = 24, .rate = true, .sort = FIELD_BPS };
}

static void teardown(void)
{
	frame_clear(&given.frame);
	for (size_t i = 0; i < given.usage.readings.n; i++)
		free((char *)given.readings[i].container);
}

static struct reading *given_reading(const char *container, uint16_t port, uint64_t inbps, uint64_t outbps)
{
	size_t i = given.usage.readings.n++;
	struct reading *r = &given.readings[i];

	*r = (struct reading){
		.route = (int64_t)i + 1, .container = strdup(container), .cport = port, .protocol = IPPROTO_TCP,
		.public = given_endpoint("198.51.100.1:32898"), .state = "open", .in_kernel = true,
		.rates = { .inbps = 1, .outbps = 1 }, /* the kernel's: not shown */
	};
	given.trends_[i] = (struct trend){ .route = r->route,
					   .rates = { .cps = 1, .inbps = inbps, .outbps = outbps } };
	given.trends.n = given.usage.readings.n;
	return r;
}

static void given_three(void)
{
	given_reading("cache", 6379, 0, 0);
	given_reading("db", 5432, 1500, 2500000)->total = (struct counters){ 1, 2, 3, 1000, 1 };
	given_reading("web", 80, 2000, 300)->total = (struct counters){ 7, 8, 9, 10, 123456789 };
	given.usage.n_containers = 3;
	given.usage.total = (struct counters){ .inbytes = 1010, .outbytes = 123456790 };
}

static void make(void)
{
	struct err e;

	frame_clear(&given.frame);
	ck_assert_int_eq(frame_make(&e, &given.facts, &given.look, &given.frame), 0);
}

/* The line without the blanks at its end. */
static const char *line(size_t i)
{
	static char text[1024];
	size_t len;

	ck_assert_uint_lt(i, given.frame.n_lines);
	len = strlen(given.frame.lines[i]);
	ck_assert_uint_lt(len, sizeof(text));
	strcpy(text, given.frame.lines[i]);
	while (len > 0 && text[len - 1] == ' ')
		text[--len] = '\0';
	return text;
}

START_TEST(shows_routes_the_busiest_first)
{
	given_three();
	make();
	ck_assert_uint_eq(given.frame.n_lines, 5);
	ck_assert_str_eq(line(0), "10:00:05Z  3 containers 3 routes  in 3.50K/s out 2.50M/s  sum in 1.01K out 123M");
	ck_assert_str_eq(line(1), "Container   Port      Endpoint            State  InBPS*  OutBPS*  Minute");
	ck_assert_str_eq(line(2), "db          5432/tcp  198.51.100.1:32898  open    1.50K    2.50M");
	ck_assert_str_eq(line(3), "web         80/tcp    198.51.100.1:32898  open    2.00K      300");
	ck_assert_str_eq(line(4), "cache       6379/tcp  198.51.100.1:32898  open        0        0");
}
END_TEST

START_TEST(shows_totals)
{
	given_three();
	frame_turn(&given.look);
	make();
	ck_assert_str_eq(line(1), "Container   Port      Endpoint            State  InBytes*  OutBytes*  Minute");
	ck_assert_str_eq(line(2), "web         80/tcp    198.51.100.1:32898  open         10       123M");
	ck_assert_str_eq(line(3), "db          5432/tcp  198.51.100.1:32898  open      1.00K          1");
}
END_TEST

static const struct {
	enum gwstat_field sort;
	const char *first, *marked;
} orders[] = {
	{ FIELD_NAME, "cache", "Container*" }, { FIELD_CONNS, "web", "Conns*" },
	{ FIELD_INPKTS, "web", "InPkts*" },    { FIELD_OUTPKTS, "web", "OutPkts*" },
	{ FIELD_INBYTES, "db", "InBytes*" },   { FIELD_OUTBYTES, "web", "OutBytes*" },
	{ FIELD_BYTES, "web", "OutBytes*" },   { FIELD_CPS, "cache", "CPS*" }, /* equals: as they were */
	{ FIELD_INPPS, "cache", "InPPS*" },    { FIELD_OUTPPS, "cache", "OutPPS*" },
	{ FIELD_INBPS, "web", "InBPS*" },      { FIELD_OUTBPS, "db", "OutBPS*" },
	{ FIELD_BPS, "db", "OutBPS*" },
};

START_TEST(sorts_by_any_field_and_shows_its_column)
{
	given_three();
	given.look.sort = orders[_i].sort;
	given.look.rate = orders[_i].sort >= FIELD_CPS;
	for (given.look.columns = 48; given.look.columns < 200; given.look.columns += 8) {
		make();
		ck_assert_ptr_nonnull(strstr(line(1), orders[_i].marked));
		ck_assert_msg(strncmp(line(2), orders[_i].first, strlen(orders[_i].first)) == 0, "%s", line(2));
	}
}
END_TEST

START_TEST(the_next_order_is_one_of_the_same_view)
{
	enum gwstat_field begin = given.look.sort;

	for (int turns = 0; turns < 2; turns++) {
		size_t n = 0;

		begin = given.look.sort;
		do {
			given.look.sort = frame_next_sort(&given.look);
			ck_assert(given.look.sort == FIELD_NAME || (given.look.sort >= FIELD_CPS) == given.look.rate);
			n++;
		} while (given.look.sort != begin);
		ck_assert_uint_eq(n, 7);
		frame_turn(&given.look);
	}
	ck_assert_int_eq(given.look.sort, FIELD_BPS);
	given.look.sort = FIELD_NAME;
	frame_turn(&given.look);
	ck_assert_int_eq(given.look.sort, FIELD_NAME);
}
END_TEST

/* The number of columns, counted apart from how they are made: sequences have none. */
static size_t width(const char *text)
{
	size_t n = 0;

	for (; *text; text++) {
		if (*text == '\033')
			text += strcspn(text, "m");
		else
			n += ((unsigned char)*text & 0xc0) != 0x80;
	}
	return n;
}

START_TEST(fits_into_every_size)
{
	struct uncertain u = { .until = 1795341600 };

	given_three();
	for (uint16_t i = 0; i < 30; i++)
		given_reading("a-container-whose-name-is-as-long-as-that-of-some-orchestrators-0123456789", i,
			      UINT64_MAX, UINT64_MAX / 2)
			->public = given_endpoint("[2001:db8:1111:2222:3333:4444:5555:6666]:65535");
	for (size_t i = 0; i < TREND_MARKS; i++)
		given.trends_[5].marks[i] = i;
	given.usage.uncertain = (struct uncertain_list){ &u, 1 };
	given.facts.trouble = "the state file is locked, and this is a long story that does not fit";
	for (size_t i = 0; i < 600; i++) {
		given.look.columns = 1 + i % 300;
		given.look.rows = 1 + i % 50;
		given.look.utf8 = i % 2;
		given.look.colour = i / 2 % 2;
		given.look.help = i / 4 % 2;
		given.look.first = i;
		make();
		ck_assert_uint_ge(given.frame.n_lines, 1);
		ck_assert_uint_le(given.frame.n_lines, given.look.rows);
		for (size_t k = 0; k < given.frame.n_lines; k++)
			ck_assert_uint_eq(width(given.frame.lines[k]), given.look.columns);
	}
}
END_TEST

static const struct {
	size_t columns;
	const char *heading, *row;
} sizes[] = {
	{ 1, "+", "+" },
	{ 9, "Containe+", "a-contai+" },
	{ 17, "Container*  State", "a-contain+  open" },
	{ 20, "Container*     InBPS", "a-container+       1" },
	{ 30, "Container*      InBPS   OutBPS", "a-container-+       1        2" },
};

START_TEST(leaves_out_what_is_less_important)
{
	given_reading("a-container-long-one-x", 80, 1, 2);
	given.look.sort = FIELD_NAME;
	given.look.columns = sizes[_i].columns;
	make();
	ck_assert_str_eq(line(1), sizes[_i].heading);
	ck_assert_str_eq(line(2), sizes[_i].row);
}
END_TEST

START_TEST(shows_the_last_minute)
{
	struct trend *t;

	given_reading("web", 80, 1, 2);
	t = &given.trends_[0];
	for (size_t i = 0; i < 9; i++)
		t->marks[8 - i] = i * 1000;
	given.look.columns = 200;
	make();
	ck_assert_str_eq(strrchr(line(2), ' ') + 1, ".:-=+*#%"); /* a little more than none is seen */
	given.look.utf8 = true;
	make();
	ck_assert_ptr_nonnull(strstr(line(2), " " BLOCK "\x81" BLOCK "\x82" BLOCK "\x83" BLOCK "\x84" BLOCK "\x85" BLOCK
					      "\x86" BLOCK "\x87" BLOCK "\x88"));
	given.look.columns = 75; /* three in one place: the highest */
	make();
	ck_assert_ptr_nonnull(strstr(line(2), " " BLOCK "\x82" BLOCK "\x85" BLOCK "\x88"));
}
END_TEST

static void given_many(void)
{
	for (uint16_t i = 0; i < 50; i++)
		given_reading("web", i, 50u - i, 0);
	given.look.rows = 12;
}

static const struct {
	size_t first, rows, top, real;
	const char *place;
} places[] = {
	{ 0, 12, 0, 0, " (1-10)" },
	{ 1, 12, 0, 1, " (2-11)" },
	{ 40, 12, 0, 40, " (41-50)" },
	{ 41, 12, 0, 40, " (41-50)" },
	{ SIZE_MAX, 12, 0, 40, " (41-50)" },
	{ 7, 52, 0, 0, "routes  in" },
	{ 7, 2, 0, 7, "routes  in" },
	{ 0, 12, 5, 0, " (1-5)" },
	{ 9, 12, 12, 2, " (3-12)" },
	{ 0, 12, 99, 0, " (1-10)" },
};

START_TEST(scrolls)
{
	char first[32];

	given_many();
	given.look.first = places[_i].first;
	given.look.rows = places[_i].rows;
	given.look.top = places[_i].top;
	make();
	ck_assert_uint_eq(given.frame.page, given.look.rows - 2);
	ck_assert_uint_eq(given.frame.first, places[_i].real);
	ck_assert_msg(strstr(line(0), places[_i].place), "%s", line(0));
	snprintf(first, sizeof(first), "web         %zu/tcp ", places[_i].real);
	if (given.look.rows > 2)
		ck_assert_int_eq(strncmp(line(2), first, strlen(first)), 0);
}
END_TEST

START_TEST(says_what_is_wrong)
{
	struct uncertain u[] = { { .until = 1795341600 }, { .until = 1795000000 } };

	given_three();
	given.usage.counting = false;
	make();
	ck_assert_str_eq(line(1), "counters are frozen: net.ipv4.vs.run_estimation is 0");
	given.facts.trouble = "database is locked";
	given.look.columns = 90;
	given.usage.uncertain = (struct uncertain_list){ u, 2 };
	make();
	ck_assert_str_eq(line(1),
			 "database is locked; counters are frozen: net.ipv4.vs.run_estimation is 0; 1 uncertain");
	given.usage.counting = true;
	given.facts.trouble = NULL;
	make();
	ck_assert_str_eq(line(1), "1 uncertain");
	given.usage.uncertain.items++;
	given.usage.uncertain.n = 1; /* long ago */
	make();
	ck_assert_int_eq(strncmp(line(1), "Container", 9), 0);
}
END_TEST

START_TEST(helps_where_there_is_room)
{
	given_three();
	given.look.help = true;
	make();
	ck_assert_int_eq(strncmp(line(1), "q quit", 6), 0);
	ck_assert_uint_eq(given.frame.n_lines, 6);
	given.look.rows = 3;
	make();
	ck_assert_int_eq(strncmp(line(1), "Container", 9), 0);
	ck_assert_int_eq(strncmp(line(2), "db", 2), 0);
}
END_TEST

START_TEST(colours_little)
{
	given_three();
	given.readings[1].in_kernel = false;
	given.readings[2].state = "closing";
	make();
	for (size_t i = 0; i < given.frame.n_lines; i++)
		ck_assert_ptr_null(strchr(given.frame.lines[i], '\033'));
	given.look.colour = true;
	make();
	ck_assert_int_eq(strncmp(line(1), "\033[7mContainer", 13), 0);
	ck_assert_ptr_nonnull(strstr(line(2), "\033[1;31mmissing\033[0m"));
	ck_assert_ptr_nonnull(strstr(line(3), "\033[33mclosing\033[0m"));
}
END_TEST

START_TEST(has_nothing_to_show)
{
	make();
	ck_assert_uint_eq(given.frame.n_lines, 2);
	ck_assert_str_eq(line(0), "10:00:05Z  0 containers 0 routes  in 0/s out 0/s  sum in 0 out 0");
	ck_assert_uint_eq(given.frame.first, 0);
}
END_TEST

static const struct {
	uint64_t n;
	const char *text;
} counts[] = {
	{ 0, "0" },           { 999, "999" },           { 1000, "1.00K" },
	{ 9999, "9.99K" },    { 10000, "10.0K" },       { 99999, "99.9K" },
	{ 999999, "999K" },   { 1000000, "1.00M" },     { 123456789, "123M" },
	{ 1234567890123, "1.23T" }, { UINT64_MAX, "18.4E" },
};

START_TEST(counts_in_five_columns)
{
	char buf[COUNT_STRLEN];

	ck_assert_str_eq(count_short(counts[_i].n, buf), counts[_i].text);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, shows_routes_the_busiest_first);
	tcase_add_test(tc, shows_totals);
	tcase_add_loop_test(tc, sorts_by_any_field_and_shows_its_column, 0, ARRAY_LEN(orders));
	tcase_add_test(tc, the_next_order_is_one_of_the_same_view);
	tcase_add_test(tc, fits_into_every_size);
	tcase_add_loop_test(tc, leaves_out_what_is_less_important, 0, ARRAY_LEN(sizes));
	tcase_add_test(tc, shows_the_last_minute);
	tcase_add_loop_test(tc, scrolls, 0, ARRAY_LEN(places));
	tcase_add_test(tc, says_what_is_wrong);
	tcase_add_test(tc, helps_where_there_is_room);
	tcase_add_test(tc, colours_little);
	tcase_add_test(tc, has_nothing_to_show);
	tcase_add_loop_test(tc, counts_in_five_columns, 0, ARRAY_LEN(counts));
}

int main(void)
{
	return unit_main("gwstat_frame", add);
}
