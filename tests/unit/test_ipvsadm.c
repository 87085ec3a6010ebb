/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ipvsadm.h"
#include "unit.h"

#include <linux/ip_vs.h>

/* All services in one text. */
static void describe(const struct service_list *list, FILE *out)
{
	char key[SERVICE_KEY_STRLEN], real[ENDPOINT_STRLEN];

	for (size_t i = 0; i < list->n; i++) {
		const struct service *s = &list->items[i];

		fprintf(out, "%s %s %u [", service_key_format(&s->key, key), s->scheduler, s->persistence);
		for (size_t k = 0; k < s->n_destinations; k++) {
			ck_assert_uint_eq(s->destinations[k].method, IP_VS_CONN_F_MASQ);
			fprintf(out, "%s%s %u", k ? ", " : "",
				endpoint_format(&s->destinations[k].real, real), s->destinations[k].weight);
		}
		fputs("]\n", out);
	}
}

static const struct {
	const char *text, *meaning;
} good[] = {
	{ "", "" },
	{ "\n \t\r\n# -A -f 1\n  # x\n", "" },
	/* as ipvsadm 1.31 prints it */
	{ "-A -t 198.51.100.1:80 -s rr\n"
	  "-a -t 198.51.100.1:80 -r 10.0.0.12:8080 -m -w 7\n"
	  "-a -t 198.51.100.1:80 -r 10.0.0.13:8080 -m -w 0\n"
	  "-A -t 198.51.100.1:81 -s wrr -p 360\n"
	  "-A -u 198.51.100.1:53 -s wlc\n"
	  "-a -u 198.51.100.1:53 -r 10.0.0.12:53 -m -w 1\n"
	  "-A --sctp-service 198.51.100.1:53 -s sh\n"
	  "-a --sctp-service 198.51.100.1:53 -r 10.0.0.12:53 -m -w 65535\n"
	  "-A -t [2001:db8:1::1]:80 -s wrr -p 100\n"
	  "-a -t [2001:db8:1::1]:80 -r [fd00::11]:80 -m -w 100\n",
	  "udp 198.51.100.1:53 wlc 0 [10.0.0.12:53 1]\n"
	  "sctp 198.51.100.1:53 sh 0 [10.0.0.12:53 65535]\n"
	  "tcp 198.51.100.1:80 rr 0 [10.0.0.12:8080 7, 10.0.0.13:8080 0]\n"
	  "tcp 198.51.100.1:81 wrr 360 []\n"
	  "tcp [2001:db8:1::1]:80 wrr 100 [[fd00::11]:80 100]\n" },
	/* ipvsadm's defaults */
	{ "-A -t 192.0.2.1:1\n-a -t 192.0.2.1:1 -r 10.0.0.1:1 -m", "tcp 192.0.2.1:1 wlc 0 [10.0.0.1:1 1]\n" },
	{ "-A -p -t 192.0.2.1:1\n", "tcp 192.0.2.1:1 wlc 360 []\n" },
	{ "-A -t 192.0.2.1:1 -p\n", "tcp 192.0.2.1:1 wlc 360 []\n" },
	{ "-A -t 192.0.2.1:1 -p # for ever\n", "tcp 192.0.2.1:1 wlc 360 []\n" },
	/* long names, other orders, blanks */
	{ "--add-service --scheduler=rr --persistent=9 --tcp-service=192.0.2.1:1\n"
	  "--add-server --masquerading --weight 5 --real-server 10.0.0.1:1 --tcp-service 192.0.2.1:1\n",
	  "tcp 192.0.2.1:1 rr 9 [10.0.0.1:1 5]\n" },
	{ " \t-A\t-t  192.0.2.1:1 \r\n-a -m -w 2 -r 10.0.0.9:1 -t 192.0.2.1:1\n-a -r 10.0.0.1:1 -t "
	  "192.0.2.1:1 "
	  "-m\n",
	  "tcp 192.0.2.1:1 wlc 0 [10.0.0.1:1 1, 10.0.0.9:1 2]\n" },
	/* real servers need not follow their service at once */
	{ "-A -t 192.0.2.1:2\n-A -t 192.0.2.1:1\n-a -t 192.0.2.1:2 -r 10.0.0.1:1 -m\n-a -t 192.0.2.1:1 -r "
	  "10.0.0.1:1 -m\n",
	  "tcp 192.0.2.1:1 wlc 0 [10.0.0.1:1 1]\ntcp 192.0.2.1:2 wlc 0 [10.0.0.1:1 1]\n" },
};

START_TEST(reads_services)
{
	struct service_list list = { 0 };
	struct unit_out o = { 0 };
	struct err e = { 0 };

	ck_assert_msg(ipvsadm_parse(&e, "F", good[_i].text, strlen(good[_i].text), &list) == 0, "%s", e.msg);
	for (size_t i = 1; i < list.n; i++)
		ck_assert_int_lt(service_compare(&list.items[i - 1], &list.items[i]), 0);
	describe(&list, unit_open(&o));
	unit_expect(&o, good[_i].meaning);
	service_list_clear(&list);
}
END_TEST

#define A "-A -t 192.0.2.1:1\n"
#define LONG_NAME "abcdefghij_12345"
#define HUNDRED                                                                                              \
	"                                                                                                  " \
	"  "
#define IN_NUMBERS "; write address and port in numbers, or remove the line"

static const struct {
	const char *text, *message;
} bad[] = {
	/* lines */
	{ "-D -t 192.0.2.1:1", "F:1: '-D' is neither -A nor -a; write what 'ipvsadm -Sn' prints" },
	{ "\n\n-C\n", "F:3: '-C' is neither -A nor -a; write what 'ipvsadm -Sn' prints" },
	{ "-E -t 192.0.2.1:1 -s rr", "F:1: '-E' is neither -A nor -a; write what 'ipvsadm -Sn' prints" },
	{ "-t 192.0.2.1:1 -A", "F:1: '-t' is neither -A nor -a; write what 'ipvsadm -Sn' prints" },
	{ "ipvsadm -A", "F:1: 'ipvsadm' is neither -A nor -a; write what 'ipvsadm -Sn' prints" },
	{ "-A", "F:1: there is no service; write -t, -u or --sctp-service ADDRESS:PORT" },
	{ "-A " HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED,
	  "F:1: the line is longer than 511 characters; write what 'ipvsadm -Sn' prints" },
	/* words */
	{ A "-A -t 192.0.2.1:2 rr", "F:2: 'rr' is not understood; write what 'ipvsadm -Sn' prints" },
	{ "-A -t192.0.2.1:2", "F:1: '-t192.0.2.1:2' is not understood; write what 'ipvsadm -Sn' prints" },
	{ "-A --tcp 192.0.2.1:2", "F:1: '--tcp' is not understood; write what 'ipvsadm -Sn' prints" },
	{ "-A -t", "F:1: there is no value after -t; add it" },
	{ "-A -t # 192.0.2.1:1", "F:1: there is no value after -t; add it" },
	{ "-A -t 192.0.2.1:1 -t 192.0.2.1:1", "F:1: -t is there twice; keep one" },
	{ "-A -t 192.0.2.1:1 -u 192.0.2.1:1",
	  "F:1: -u: there is a second service in the line; write a line for each" },
	{ "-A -t 192.0.2.1:1 -w 1", "F:1: -w does not belong to -A; remove it" },
	{ A "-a -t 192.0.2.1:1 -r 10.0.0.1:1 -m -s rr", "F:2: -s does not belong to -a; remove it" },
	{ A "-a -t 192.0.2.1:1 -r 10.0.0.1:1 --masquerading=1",
	  "F:2: --masquerading takes no value; remove it" },
	/* endpoints */
	{ "-A -t 192.0.2.1", "F:1: -t: '192.0.2.1' is not ADDRESS:PORT or [IPV6-ADDRESS]:PORT" IN_NUMBERS },
	{ "-A -t www:80", "F:1: -t: 'www' is not an IPv4 or IPv6 address" IN_NUMBERS },
	{ "-A -t 192.0.2.1:http", "F:1: -t: 'http' is not a port number from 1 to 65535" IN_NUMBERS },
	{ "-A -t 192.0.2.1:0", "F:1: -t: '0' is not a port number from 1 to 65535" IN_NUMBERS },
	{ "-A -u 239.0.0.1:1", "F:1: -u: 239.0.0.1:1 is not the address of one host; remove the line" },
	{ A "-a -t 192.0.2.1:1 -m -r 0.0.0.0:1",
	  "F:2: -r: 0.0.0.0:1 is not the address of one host; remove the line" },
	{ A "-a -t 192.0.2.1:1 -m -r [::1]:1",
	  "F:2: real server [::1]:1 is not of the service's family; remove the line" },
	{ A "-a -t 192.0.2.1:1 -m", "F:2: there is no real server; write -r ADDRESS:PORT" },
	/* numbers and names */
	{ "-A -t 192.0.2.1:1 -p 0", "F:1: -p: '0' is not a number from 1 to 3153600; correct it" },
	{ "-A -t 192.0.2.1:1 -p 3153601",
	  "F:1: -p: '3153601' is not a number from 1 to 3153600; correct it" },
	{ "-A -t 192.0.2.1:1 -p 18446744073709551617",
	  "F:1: -p: '18446744073709551617' is not a number from 1 to 3153600; correct it" },
	{ A "-a -t 192.0.2.1:1 -r 10.0.0.1:1 -m -w 65536",
	  "F:2: -w: '65536' is not a number from 0 to 65535; correct it" },
	{ A "-a -t 192.0.2.1:1 -r 10.0.0.1:1 -m -w -1",
	  "F:2: -w: '-1' is not a number from 0 to 65535; correct it" },
	{ "-A -t 192.0.2.1:1 -s " LONG_NAME,
	  "F:1: -s: '" LONG_NAME "' is not the name of a scheduler; correct it" },
	{ "-A -t 192.0.2.1:1 -s \xff", "F:1: -s: '?' is not the name of a scheduler; correct it" },
	/* what there is no route for */
	{ A "-A -f 77 -s rr", "F:2: -f: a service with a firewall mark is not supported; remove the line" },
	{ A "-a --fwmark-service 77 -r 10.0.0.1:0 -g -w 1",
	  "F:2: --fwmark-service: a service with a firewall mark is not supported; remove the line" },
	{ A "-a -t 192.0.2.1:1 -r 10.0.0.1:1 -g -w 1",
	  "F:2: -g: a real server that is not masqueraded (-m) is not supported; remove the line" },
	{ A "-a -t 192.0.2.1:1 -r 10.0.0.1:1 -i -w 1 --tun-type ipip",
	  "F:2: -i: a real server that is not masqueraded (-m) is not supported; remove the line" },
	{ A "-a -t 192.0.2.1:1 -r 10.0.0.1:1",
	  "F:2: real server 10.0.0.1:1 is not masqueraded (-m), which is not supported; remove the line" },
	{ "-A -t 192.0.2.1:1 -s wrr -p 77 -M 255.255.255.0",
	  "F:1: -M: persistence for a whole network is not supported; remove the line" },
	{ "-A -u 192.0.2.1:1 -s wlc -o", "F:1: -o: one-packet scheduling is not supported; remove the line" },
	{ "-A -t 192.0.2.1:1 -s sh -b sh-port",
	  "F:1: -b: a scheduler with flags is not supported; remove the line" },
	{ "-A -u 192.0.2.1:1 -s rr -p 60 --pe sip",
	  "F:1: --pe: a persistence engine is not supported; remove the line" },
	{ A "-a -t 192.0.2.1:1 -r 10.0.0.1:1 -m -x 100",
	  "F:2: -x: a limit of connections is not supported; remove the line" },
	{ A "-a -t 192.0.2.1:1 -r 10.0.0.1:1 -m --l-threshold=50",
	  "F:2: --l-threshold: a limit of connections is not supported; remove the line" },
	/* what does not fit together */
	{ A "\n" A, "F:3: service tcp 192.0.2.1:1 is added twice; keep one" },
	{ A "-a -t 192.0.2.1:1 -r 10.0.0.1:1 -m\n-a -t 192.0.2.1:1 -r 10.0.0.2:1 -m\n"
	    "-a -t 192.0.2.1:1 -r 10.0.0.1:1 -m -w 2\n",
	  "F:4: real server 10.0.0.1:1 is added twice to service tcp 192.0.2.1:1; keep one" },
	{ A "-a -u 192.0.2.1:1 -r 10.0.0.1:1 -m\n",
	  "F:2: no line above this one adds service udp 192.0.2.1:1; put -A before -a" },
	{ "-a -t 192.0.2.1:1 -r 10.0.0.1:1 -m\n" A,
	  "F:1: no line above this one adds service tcp 192.0.2.1:1; put -A before -a" },
};

START_TEST(refuses_with_the_line)
{
	struct service_list list = { .n = 77 };
	struct err e = { 0 };

	ck_assert_int_eq(ipvsadm_parse(&e, "F", bad[_i].text, strlen(bad[_i].text), &list), -EINVAL);
	ck_assert_int_eq(e.code, EINVAL);
	ck_assert_str_eq(e.msg, bad[_i].message);
	ck_assert_uint_eq(list.n, 77);
}
END_TEST

START_TEST(reads_no_further_than_it_is_told)
{
	static const char text[] = "-A -t 192.0.2.1:1\n-A -t 192.0.2.1:2\n";
	struct service_list list = { 0 };
	struct err e;

	ck_assert_int_eq(ipvsadm_parse(&e, "F", text, 18, &list), 0);
	ck_assert_uint_eq(list.n, 1);
	service_list_clear(&list);
	ck_assert_int_eq(ipvsadm_parse(&e, "F", text, 34, &list), -EINVAL);
	ck_assert_int_eq(ipvsadm_parse(&e, "F", "-A\0", 3, &list), -EINVAL);
	ck_assert_str_eq(e.msg, "F:1: there is a NUL character in the line; remove it");
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, reads_services, 0, ARRAY_LEN(good));
	tcase_add_loop_test(tc, refuses_with_the_line, 0, ARRAY_LEN(bad));
	tcase_add_test(tc, reads_no_further_than_it_is_told);
}

int main(void)
{
	return unit_main("ipvsadm", add);
}
