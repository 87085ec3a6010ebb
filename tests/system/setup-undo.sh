#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What sonm-gw-setup --apply changed, --undo puts back, byte for byte; applying
# twice changes nothing the second time; looking and dry runs change nothing.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

# All network settings and rules; what counts or only dates is left out.
kernel()
{
	sysctl -a -r '^net\.' 2>/dev/null | grep -v nf_conntrack_count
	for save in iptables-legacy-save ip6tables-legacy-save; do
		$save | sed '/^#/d; s/\[[0-9:]*\]//'
	done
}

# unchanged WHAT
unchanged()
{
	kernel >/run/now
	cmp -s /run/before /run/now || fail "$1: the kernel is not as before:
$(diff /run/before /run/now)"
	echo "  $1: the kernel is as before, in $(wc -l </run/now) lines"
}

lab_network
lab_configure
say "An admin has settings and rules of his own, some of which forwarding carries away"
iptables-legacy -t nat -A POSTROUTING -o hub-client -p icmp -j MASQUERADE
iptables-legacy -A FORWARD -o lan -m comment --comment 'the "lan", it is' -j ACCEPT
ip6tables-legacy -t nat -A PREROUTING -j ACCEPT
ip6tables-legacy -A INPUT -p udp --dport 7 -j ACCEPT
sysctl -q net.ipv4.conf.all.accept_redirects=0 net.ipv4.conf.hub-client.forwarding=1 \
	net.ipv6.conf.lan.forwarding=1 net.ipv4.ip_local_reserved_ports=9148,8080 net.netfilter.nf_conntrack_max=5000
kernel >/run/before

say "Looking and dry runs change nothing"
expect 6 sonm-gw-setup
expect 0 sonm-gw-setup --explain
expect 0 sonm-gw-setup --apply --dry-run
expect 0 sonm-gw-setup --undo --dry-run
unchanged "after looking"
[ ! -e $state ] || fail "a dry run made the state file"
[ ! -e /sys/module/ip_vs ] || fail "a dry run loaded ip_vs"

say "Apply"
expect 0 sonm-gw-setup --apply
expect 0 sonm-gw-setup --check
for setting in ip_forward vs.conntrack vs.expire_nodest_conn vs.expire_quiescent_template vs.run_estimation; do
	check_equal "$(sysctl -n net.ipv4.$setting)" 1 "$setting"
done
check_equal "$(sysctl -n net.ipv6.conf.all.forwarding)" 1 "IPv6 forwarding"
check_equal "$(sysctl -n net.ipv4.ip_local_reserved_ports)" 8080,9148,32768-33768 "reserved ports"
check_equal "$(sysctl -n net.netfilter.nf_conntrack_max)" 65536 "conntrack table"

say "Apply again"
kernel >/run/applied
sqlite3 $state .dump >/run/recorded
expect 0 sonm-gw-setup --apply >/run/again
grep -v '^ok' /run/again && fail "the second time is not all ok"
kernel | cmp - /run/applied
sqlite3 $state .dump | cmp - /run/recorded
echo "  nothing changed"

say "Somebody changes a setting, and it is applied once more: the first former value is the one that counts"
sysctl -q net.netfilter.nf_conntrack_max=6000
expect 0 sonm-gw-setup --apply | grep nf_conntrack_max
check_equal "$(sqlite3 $state "select former from setup where step = 'net.netfilter.nf_conntrack_max'")" 5000 "former value"
sysctl -q net.netfilter.nf_conntrack_max=70000
expect 0 sonm-gw-setup --check
check_equal "$(sysctl -n net.netfilter.nf_conntrack_max)" 70000 "a larger conntrack table is left alone"
sysctl -q net.netfilter.nf_conntrack_max=65536

say "Undo"
expect 0 sonm-gw-setup --undo
unchanged "after undo"
for module in ip_vs ip_vs_wrr xt_ipvs; do
	[ ! -e /sys/module/$module ] || fail "module $module is still loaded"
done
check_equal "$(sqlite3 $state 'select count(*) from setup')" 0 "records left"
expect 0 sonm-gw-setup --undo
unchanged "after a second undo"

say "What forwarding carries along and somebody changed since stays as he made it"
expect 0 sonm-gw-setup --apply >/run/output
sysctl -q net.ipv4.conf.all.accept_redirects=1 net.ipv6.conf.lan.forwarding=0
expect 0 sonm-gw-setup --undo >/run/output
grep -A1 'ip_forward\|all.forwarding' /run/output | tee /run/left
grep -q 'someone changed it since: net/ipv4/conf/all/accept_redirects=1' /run/left || fail "not said of redirects"
grep -q 'someone changed it since: net/ipv6/conf/lan/forwarding=0' /run/left || fail "not said of lan"
check_equal "$(sysctl -n net.ipv4.conf.all.accept_redirects net.ipv4.conf.hub-client.forwarding \
	net.ipv6.conf.lan.forwarding net.ipv4.ip_forward | xargs)" "1 1 0 0" "after undo"

say "A list of reserved ports that is longer than a write of it may be: the pool is taken out of it, and all else put back"
sysctl -q net.ipv4.ip_local_reserved_ports=8080
expect 0 sonm-gw-setup --apply >/run/output
python3 -c 'import os
for part in "8080,32768-33768", ",".join(map(str, range(10000, 11000, 2))), ",".join(map(str, range(11000, 12000, 2))):
    os.write(1, part.encode())' >/proc/sys/net/ipv4/ip_local_reserved_ports
check_equal "$(sonm-gw-setup -j | jq -r '.steps[] | select(.name == "net.ipv4.ip_local_reserved_ports") | "\(.status) \(.present)"')" \
	"ok a long list" "with the pool in it"
expect 0 sonm-gw-setup --undo --dry-run >/run/output
grep 'ip_local_reserved_ports: a long list -> a long list without 32768-33768' /run/output
expect 0 sonm-gw-setup --undo >/run/output
grep -A1 'ip_local_reserved_ports' /run/output | tee /run/left
grep -q 'only the ports that we added are taken out' /run/left || fail "not said that others have changed it"
sysctl -n net.ipv4.ip_local_reserved_ports >/run/list
[ "$(wc -c </run/list)" -gt 4096 ] || fail "a list of $(wc -c </run/list) characters"
echo "8080,$(seq -s , 10000 2 11998)" | cmp - /run/list
check_equal "$(sysctl -n net.ipv4.ip_forward net.ipv4.vs.conntrack 2>&1 | sed 's/.*No such.*/gone/' | xargs)" "0 gone" "other settings"
check_equal "$(sqlite3 $state 'select count(*) from setup')" 0 "records left"
