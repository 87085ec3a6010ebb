#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Every way of SNAT, from one to the next: never a second rule of ours, the
# traffic flows with each, and undo takes the last one away. qemu/setup-iptables.sh
# and setup-nft.sh do so with nf_tables.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"
# shellcheck source=tests/lab/traffic.sh
. "${tools:?}/traffic.sh"

# mode VALUE IPV4-RULE IPV6-RULE
mode()
{
	say "snat: $1"
	lab_configure "snat: $1"
	sonm-gw-setup --apply >/run/output || { cat /run/output; fail "apply"; }
	grep snat /run/output
	check_equal "$(iptables-legacy -t nat -S POSTROUTING | sed 1d)" "$2" "IPv4"
	check_equal "$(ip6tables-legacy -t nat -S POSTROUTING | sed 1d)" "$3" "IPv6"
	expect 0 sonm-gw-setup >/run/output
	traffic_passes
}

lab_network
tables=$(cat /proc/net/ip_tables_names /proc/net/ip6_tables_names 2>/dev/null || :)
lab_hub
traffic_publish 1000000

tag='-m comment --comment sonm-gateway'
ipvs='-A POSTROUTING -m ipvs --vdir ORIGINAL --vmethod MASQ'
mode ipvs "$ipvs $tag -j MASQUERADE" "$ipvs $tag -j MASQUERADE"
mode masquerade "-A POSTROUTING $tag -j MASQUERADE" "-A POSTROUTING $tag -j MASQUERADE"
mode 10.0.0.1 "$ipvs $tag -j SNAT --to-source 10.0.0.1" "$ipvs $tag -j MASQUERADE"
mode '"fd00::1"' "$ipvs $tag -j MASQUERADE" "$ipvs $tag -j SNAT --to-source fd00::1"

say "Without SNAT the worker's answers need a way back by the hub"
ip -netns worker1 route add default via 10.0.0.1
ip -netns worker1 route add default via fd00::1
mode none '' ''
traffic_counted

say "Undo takes the tables away that came with our rules"
lab_configure
sonm-gw-setup --apply >/run/output
sonm-gw-setup --undo >/run/output
check_equal "$(cat /proc/net/ip_tables_names /proc/net/ip6_tables_names 2>/dev/null || :)" "$tables" "tables in use"

say "but not if somebody else has a rule in them by now"
sonm-gw-setup --apply >/run/output
iptables-legacy -t nat -A PREROUTING -p tcp --dport 7 -j ACCEPT
sonm-gw-setup --undo >/run/output
grep -A1 'snat ipv4' /run/output
grep -q 'others use table nat by now' /run/output
check_equal "$(iptables-legacy -t nat -S PREROUTING | sed 1d)" '-A PREROUTING -p tcp -m tcp --dport 7 -j ACCEPT' "his rule"
check_equal "$(iptables-legacy -t nat -S POSTROUTING | sed 1d)" '' "ours"
