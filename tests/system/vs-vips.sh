#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A hub with several public addresses of both families: routes are spread over
# them, a port of a container has one number for TCP and UDP.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

# spread ADDRESS...: how many services ipvsadm shows at each, the fewest first.
spread()
{
	for vip; do
		ipvsadm -Sn | grep -E '^-A' | grep -c -F -e " $vip:"
	done | sort -n | paste -sd' '
}

lab_network
ip -batch - <<-END
	addr add 198.51.100.3/24 dev hub-client
	addr add 198.51.100.4/24 dev hub-client
	addr add 2001:db8:1::3/64 dev hub-client nodad
END
mkdir -p /etc/sonm
cat >/etc/sonm/gateway.yaml <<-END
	gateway:
	  addresses: [198.51.100.1, "2001:db8:1::1", 198.51.100.3, "2001:db8:1::3", 198.51.100.4, 198.51.100.99]
END
sonm-gw-setup --apply >/run/setup || { cat /run/setup; fail "sonm-gw-setup --apply"; }

say "Thirty containers, TCP and UDP, one of six over IPv6"
for i in $(seq 30); do
	real=10.0.0.11:8080
	[ $((i % 6)) -ne 0 ] || real='[fd00::11]:8080'
	publish "c$i" -t "80=$real" -u "80=$real"
done >/run/endpoints
check_equal "$(spread 198.51.100.1 198.51.100.3 198.51.100.4)" "16 16 18" "services at the IPv4 addresses"
check_equal "$(spread '[2001:db8:1::1]' '[2001:db8:1::3]')" "4 6" "services at the IPv6 addresses"
check_equal "$(sort /run/endpoints | uniq -c | awk '$1 != 2' | wc -l)" 0 "containers with two numbers"

say "One goes where it is told to"
check_equal "$(publish told -t 80=10.0.0.11:8080 --vip 198.51.100.4 | cut -d: -f1)" 198.51.100.4 "VIP"
expect_error 2 '198.51.100.99' sonm-vs -A lost -t 80=10.0.0.11:8080 --vip 198.51.100.99
expect_error 2 '198.51.100.5' sonm-vs -A lost -t 80=10.0.0.11:8080 --vip 198.51.100.5
expect_error 2 'family' sonm-vs -A lost -t 80=10.0.0.11:8080 --vip 2001:db8:1::3

say "Every address works"
printf hello >/tmp/content
serve worker1 /tmp/content 8080
for vip in 198.51.100.1 198.51.100.3 198.51.100.4 '\[2001:db8:1::1\]' '\[2001:db8:1::3\]'; do
	endpoint=$(grep -m1 "^$vip:" /run/endpoints)
	check_equal "$(download "$endpoint") $(download_udp "$endpoint")" "hello hello" "$endpoint"
done
