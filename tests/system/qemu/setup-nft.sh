#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A host without iptables: SNAT by a table of nft of our own, in all modes, for
# what IPVS forwards and nothing else; filters of others are judged, opened when
# that is asked for, and all of it is taken back.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"
# shellcheck source=tests/lab/snat.sh
. "${tools:?}/snat.sh"
# shellcheck source=tests/lab/traffic.sh
. "${tools:?}/traffic.sh"

# expect_setup_error PATTERN: that --apply fails with one line like that.
expect_setup_error()
{
	! sonm-gw-setup --apply >/run/output 2>/run/error || fail "it does not fail"
	check_equal "$(wc -l </run/error)" 1 "lines of error"
	grep "$1" /run/error
}

mount --bind /dev/null /usr/sbin/xtables-legacy-multi
mount --bind /dev/null /usr/sbin/xtables-nft-multi
snat_network
lab_configure
modprobe -a ip_vs ip_vs_wrr nf_conntrack
nft -f - <<-END
	table inet mine {
		chain postrouting {
			type nat hook postrouting priority srcnat
			oifname "hub-client" meta l4proto icmp masquerade comment "the admin's"
		}
	}
END
kernel >/run/before

say "Looking changes nothing, and says with what it would be done"
check_steps
check_equal "$(state_of 'snat ipv4')" 'missing nft no rule of ours' "snat ipv4"
check_equal "$(state_of 'filter FORWARD ipv4')" 'ok nft passes' "filter FORWARD ipv4"
check_equal "$(nft list tables)" 'table inet mine' "tables"

{ snat_publish; traffic_publish 100000; } 2>/dev/null
mode '"fd00::99"' '10.0.0.1 fd00::99 ' '10.0.0.11 fd00::11 '
modes

say "Applied again, nothing changes; what is printed can be read again"
nft list ruleset >/run/rules
check_equal "$(grep -c 'table ip.* sonm_gateway' /run/rules)" 2 "tables of ours"
sonm-gw-setup --apply | grep -v '^ok' && fail "not all is ok"
nft list ruleset | cmp - /run/rules
nft -c -f /run/rules

say "What others' DNAT sends from a port of the pool is none of IPVS's"
nft 'table ip port_forward { chain prerouting { type nat hook prerouting priority dstnat; tcp dport 33001 dnat to 10.0.0.11:80; }; }'
check_equal "$(echo "tcp $public4 33001" | client_asks 20)" 198.51.100.2 "the worker sees"
nft delete table ip port_forward

say "Other VIPs, and other ports, are another table"
ip addr add 203.0.113.1/32 dev lan
sed -i 's/198.51.100.1,/203.0.113.1, &/; s/gateway:/&\n  ports: [32768, 33000]/' /etc/sonm/gateway.yaml
check_steps
state_of 'snat ipv4' | grep '^differs nft'
sonm-gw-setup --apply >/run/output
nft list table ip sonm_gateway >/run/table
check_equal "$(sed -n 's/.*elements = //p' /run/table)" '{ 198.51.100.1, 203.0.113.1 }' "VIPs"
check_equal "$(grep -c 'proto-dst 32768-33000' /run/table)" 3 "rules for these ports"

say "Without configured VIPs it is the address of the default route"
lab_configure
sed -i '/addresses/d' /etc/sonm/gateway.yaml
ip route add default via 198.51.100.2
sonm-gw-setup --apply >/run/output
ip route replace default via 198.51.100.2 src 203.0.113.1
check_steps
state_of 'snat ipv4' | grep '^differs nft vips { 198.51.100.1 }'
ip route del default
expect_setup_error 'no default route'
lab_configure

sed -i '/^sctp/d' /run/questions # is not judged, and not opened

say "Filters of others, as firewalld has them, stop the traffic: that is seen"
nft -f - <<-END
	table inet firewalld {
		chain filter_INPUT {
			type filter hook input priority filter + 10; policy accept;
			ct state { established, related } accept
			ct status dnat accept
			iifname "lo" accept
			ct state invalid drop
			jump filter_INPUT_ZONES
			reject with icmpx admin-prohibited
		}
		chain filter_INPUT_ZONES {
			tcp dport 22 accept
			meta l4proto { icmp, ipv6-icmp } accept
		}
		chain filter_FORWARD {
			type filter hook forward priority filter + 10; policy accept;
			ct state vmap { established : accept, related : accept, invalid : drop }
			reject with icmpx admin-prohibited
		}
		chain filter_OUTPUT {
			type filter hook output priority filter + 10; policy drop;
			ct state { established, related } accept
			oifname "lo" accept
			oifname "hub-client" accept
			fib saddr type local accept
		}
	}
END
check_equal "$(seen 5)" 'nothing ' "the worker sees"
check_steps
check_equal "$(state_of 'filter INPUT ipv4')" \
	'differs nft tcp stopped: inet firewalld filter_INPUT: reject' "INPUT"
check_equal "$(state_of 'filter FORWARD ipv6')" 'ok nft passes' "FORWARD"
state_of 'filter OUTPUT ipv4' | grep -E '^(unknown|cannot_tell) nft tcp unclear: inet firewalld filter_OUTPUT: oifname hub-client accept'
nft delete rule inet firewalld filter_OUTPUT handle \
	"$(nft -a list chain inet firewalld filter_OUTPUT | sed -n 's/.*hub-client.* # handle //p')"
check_steps
check_equal "$(state_of 'filter OUTPUT ipv6')" \
	'differs nft tcp stopped: inet firewalld filter_OUTPUT: policy DROP' "OUTPUT"
nft list table inet firewalld >/run/closed

say "--open-firewall opens them, once, and one with unusual names"
nft 'table inet other/one { chain in/put { type filter hook input priority 0; policy drop;
	meta l4proto != { tcp, udp } accept; ct state established accept; }; }'
sonm-gw-setup --apply --open-firewall >/run/output
grep '^set' /run/output
check_equal "$(seen)" '10.0.0.1 fd00::1 ' "the worker sees"
nft delete table inet other/one
check_equal "$(nft list table inet firewalld | grep -c sonm-gateway)" 3 "rules of ours"
expect 0 sonm-gw-setup --apply --open-firewall >/run/output
check_equal "$(nft list table inet firewalld | grep -c sonm-gateway)" 3 "rules of ours, after a second time"

say "Rules of ours that somebody changes are his then; one that he only counts is not"
ours='comment "sonm-gateway"'
nft -a list table inet firewalld | sed -n "s/.*sonm-gateway.*# handle //p" | xargs >/run/handles
read -r input udp tcp </run/handles
nft "replace rule inet firewalld filter_INPUT handle $input ip saddr 198.51.100.0/24 meta l4proto { tcp, udp } th dport 32768-33768 accept $ours;
	replace rule inet firewalld filter_OUTPUT handle $tcp fib saddr type != local meta l4proto tcp ct original proto-dst 32768-33768 counter accept $ours;
	replace rule inet firewalld filter_OUTPUT handle $udp fib saddr type != local meta l4proto udp ct original proto-dst 32768-33000 accept $ours"
expect 0 sonm-gw-setup --undo --dry-run -j >/run/json
check_equal "$(jq -r '.steps[] | select(.name | test("filter (IN|OUT)PUT ipv4")) | "\(.outcome) \(.why)"' /run/json)" \
	"changed somebody has changed a rule of ours since: it stays
left somebody has changed a rule of ours since: it stays" "OUTPUT and INPUT"

say "While somebody's own rule is in our table, it is left; one that he has changed stays as well"
nft "insert rule ip6 sonm_gateway postrouting ip6 saddr 2001:db8:2::/64 return $ours"
nft 'add rule ip sonm_gateway postrouting oifname lan counter comment "mine"'
expect_setup_error 'somebody has added rules to table sonm_gateway'
expect 0 sonm-gw-setup --undo >/run/output 2>&1
grep -A3 '^left *snat ipv4' /run/output | grep 'somebody has added rules to table sonm_gateway'
check_equal "$(grep -c 'somebody has changed a rule of ours since' /run/output)" 2 "filters with a rule that stays"
nft list table inet firewalld | sed -n 's/^\t*\(.*\) comment "sonm-gateway"$/\1/p' >/run/left
check_equal "$(cat /run/left)" "ip saddr 198.51.100.0/24 meta l4proto { tcp, udp } th dport 32768-33768 accept
fib saddr type != local meta l4proto udp ct original proto-dst 32768-33000 accept" "rules that stay"
for chain in filter_INPUT filter_OUTPUT; do
	nft delete rule inet firewalld $chain handle \
		"$(nft -a list chain inet firewalld $chain | sed -n 's/.*sonm-gateway.*# handle //p')"
done
check_equal "$(nft list table ip sonm_gateway | grep -c 'sonm-gateway\|mine')" 7 "rules in it"
grep -A3 '^left *snat ipv6' /run/output | grep 'somebody has changed table sonm_gateway since: it stays'
check_equal "$(nft list table ip6 sonm_gateway | grep -c sonm-gateway)" 7 "rules in that of IPv6"
nft delete table ip6 sonm_gateway
nft delete rule ip sonm_gateway postrouting handle \
	"$(nft -a list chain ip sonm_gateway postrouting | sed -n 's/.*"mine" # handle //p')"

say "Undo"
expect 0 sonm-gw-setup --undo >/run/output 2>&1
nft list table inet firewalld >/run/opened
nft delete table inet firewalld
ip addr del 203.0.113.1/32 dev lan
unchanged "after undo"
cmp /run/closed /run/opened || fail "the filter of others is not as before"
