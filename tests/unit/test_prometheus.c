/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "prometheus.h"
#include "unit.h"

static const struct prometheus_family bytes = { "sent_bytes_total", "counter", "Bytes\\packets\nof clients \"out\"." };
static const struct prometheus_family routes = { "routes", "gauge", "Routes." };

START_TEST(writes_a_family_s_head_once)
{
	struct unit_out out = { 0 };
	struct prometheus p = { .out = unit_open(&out) };

	prometheus_sample(&p, &bytes, &(struct prometheus_label){ "container", "web" }, 1, 1);
	prometheus_sample(&p, &bytes, &(struct prometheus_label){ "container", "tiger" }, 1, UINT64_MAX);
	prometheus_sample(&p, &routes, NULL, 0, 2);
	unit_expect(&out, "# HELP sent_bytes_total Bytes\\\\packets\\nof clients \"out\".\n"
			  "# TYPE sent_bytes_total counter\n"
			  "sent_bytes_total{container=\"web\"} 1\n"
			  "sent_bytes_total{container=\"tiger\"} 18446744073709551615\n"
			  "# HELP routes Routes.\n"
			  "# TYPE routes gauge\n"
			  "routes 2\n");
}
END_TEST

START_TEST(escapes_label_values)
{
	static const struct prometheus_label labels[] = { { "a", "\"\\\n" }, { "b", "" }, { "c", "x\"y\033\x9b" } };
	struct unit_out out = { 0 };
	struct prometheus p = { .out = unit_open(&out), .family = &routes };

	prometheus_sample(&p, &routes, labels, ARRAY_LEN(labels), 0);
	unit_expect(&out, "routes{a=\"\\\"\\\\\\n\",b=\"\",c=\"x\\\"y??\"} 0\n");
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, writes_a_family_s_head_once);
	tcase_add_test(tc, escapes_label_values);
}

int main(void)
{
	return unit_main("prometheus", add_tests);
}
