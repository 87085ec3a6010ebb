#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A worker without any route back to the client answers through the hub, which
# puts its own address in the place of the client's, for that traffic only.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

lab_network
lab_hub
head -c 100000 /dev/urandom >/tmp/content
sent=$(sha256 /tmp/content)
serve worker1 /tmp/content 8080
serve client /tmp/content 9090
tcp4=$(publish web4 -t 80=10.0.0.11:8080)
tcp6=$(publish web6 -t "80=[fd00::11]:8080")

say "The worker cannot reach the client"
expect 2 on worker1 ip route get 198.51.100.2
expect 2 on worker1 ip route get 2001:db8:1::2

say "Without vs/conntrack the client waits in vain"
sysctl -q net.ipv4.vs.conntrack=0
expect 28 download "$tcp4" --connect-timeout 3
sysctl -q net.ipv4.vs.conntrack=1

say "With it the worker answers"
check_equal "$(download "$tcp4" | sha256)" "$sent" "IPv4"
check_equal "$(download "$tcp6" | sha256)" "$sent" "IPv6"

say "The hub's own connections keep their source address"
ip addr add 203.0.113.9/32 dev lo
ip addr add 2001:db8:9::9/128 dev lo nodad
on client iptables-legacy -A INPUT -p tcp --syn --dport 9090 -s 203.0.113.9
on client ip6tables-legacy -A INPUT -p tcp --syn --dport 9090 -s 2001:db8:9::9
check_equal "$(curl -sS --interface 203.0.113.9 http://198.51.100.2:9090/ | sha256)" "$sent" "IPv4"
check_equal "$(curl -sS --interface 2001:db8:9::9 'http://[2001:db8:1::2]:9090/' | sha256)" "$sent" "IPv6"
on client iptables-legacy -nvxL INPUT | grep -Fw 203.0.113.9 | awk '{ exit $1 != 1 }' || fail "the client saw another source address"
on client ip6tables-legacy -nvxL INPUT | grep -Fw 2001:db8:9::9 | awk '{ exit $1 != 1 }' || fail "the client saw another source address"
