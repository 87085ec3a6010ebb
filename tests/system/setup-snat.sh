#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Every way of SNAT, from one to the next: never a second rule of ours, the
# traffic flows with each, and undo takes the last one away.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

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
	[ "$1" = none ] && return
	check_equal "$(download 198.51.100.1:32800 | sha256)" "$sent" "download, IPv4"
	check_equal "$(download '[2001:db8:1::1]:32800' | sha256)" "$sent" "download, IPv6"
}

lab_network
tables=$(cat /proc/net/ip_tables_names /proc/net/ip6_tables_names 2>/dev/null || :)
lab_hub
head -c 100000 /dev/urandom >/tmp/content
sent=$(sha256 /tmp/content)
serve worker1 /tmp/content 80
sonm-vs -A web -t 80=10.0.0.11:80 --vip 198.51.100.1 --vport 32800
sonm-vs -A web6 -t '80=[fd00::11]:80' --vip 2001:db8:1::1 --vport 32800

tag='-m comment --comment sonm-gateway'
ipvs='-A POSTROUTING -m ipvs --vdir ORIGINAL --vmethod MASQ'
mode ipvs "$ipvs $tag -j MASQUERADE" "$ipvs $tag -j MASQUERADE"
mode masquerade "-A POSTROUTING $tag -j MASQUERADE" "-A POSTROUTING $tag -j MASQUERADE"
mode 10.0.0.1 "$ipvs $tag -j SNAT --to-source 10.0.0.1" "$ipvs $tag -j MASQUERADE"
mode '"fd00::1"' "$ipvs $tag -j MASQUERADE" "$ipvs $tag -j SNAT --to-source fd00::1"
mode none '' ''

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
