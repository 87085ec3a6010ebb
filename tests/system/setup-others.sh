#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What others have done counts, and what they did since is left alone.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

rules()
{
	iptables-legacy -t nat -S POSTROUTING | sed 1d
}

lab_network
lab_configure

say "An admin's own unconditional MASQUERADE is as good as ours"
iptables-legacy -t nat -A POSTROUTING -m comment --comment mine -j MASQUERADE
expect 0 sonm-gw-setup --apply
check_equal "$(rules)" '-A POSTROUTING -m comment --comment mine -j MASQUERADE' "no rule is added"
expect 0 sonm-gw-setup --undo
check_equal "$(rules)" '-A POSTROUTING -m comment --comment mine -j MASQUERADE' "none is removed"

say "Rules of others that keep packets from ours: ours comes before them"
iptables-legacy -t nat -F POSTROUTING
iptables-legacy -t nat -A POSTROUTING -d 10.0.0.0/8 -j ACCEPT
iptables-legacy -t nat -A POSTROUTING -j MASQUERADE
lab_configure 'snat: 10.0.0.1'
sonm-gw-setup --apply >/run/output
check_equal "$(rules | sed -n 1p)" \
	'-A POSTROUTING -m ipvs --vdir ORIGINAL --vmethod MASQ -m comment --comment sonm-gateway -j SNAT --to-source 10.0.0.1' "the first rule"

say "One that somebody puts before ours is seen, and named"
iptables-legacy -t nat -I POSTROUTING -d 10.0.0.0/8 -j ACCEPT
expect 0 sonm-gw-setup >/run/output
grep -A4 '^cannot tell *snat ipv4' /run/output
grep -q 'this rule comes before it, and may take the packets: -A POSTROUTING -d 10.0.0.0/8 -j ACCEPT' /run/output
iptables-legacy -t nat -R POSTROUTING 1 -j MASQUERADE
expect 6 sonm-gw-setup >/run/output
grep -A4 '^differs *snat ipv4' /run/output
sonm-gw-setup --apply >/run/output
expect 0 sonm-gw-setup >/run/output
check_equal "$(rules | grep -n sonm-gateway | cut -d: -f1)" 1 "ours is the first, and there once"
expect 0 sonm-gw-setup --undo >/run/output
check_equal "$(rules)" '-A POSTROUTING -j MASQUERADE
-A POSTROUTING -d 10.0.0.0/8 -j ACCEPT
-A POSTROUTING -j MASQUERADE' "his rules stay"
lab_configure

say "One of ours that a change to this mode has left behind, as it was killed: it is seen, and goes"
iptables-legacy -t nat -F POSTROUTING
sonm-gw-setup --apply >/run/output
ours=$(rules)
iptables-legacy -t nat -A POSTROUTING -m comment --comment sonm-gateway -j MASQUERADE
expect 6 sonm-gw-setup >/run/output
grep -A1 '^differs *snat ipv4' /run/output
grep -q 'and still -A POSTROUTING -m comment --comment sonm-gateway -j MASQUERADE' /run/output
stray=$(rules)
sed -n '/^differs *snat ipv4/,/do:/s/^ *do: *//p' /run/output >/run/advice
cat /run/advice
sh -e /run/advice
check_equal "$(rules)" "$ours" "rules after the command that it prints"
eval "iptables-legacy -t nat $(echo "$stray" | sed -n 2p)"
sonm-gw-setup --apply >/run/output
check_equal "$(rules)" "$ours" "rules after --apply"
expect 0 sonm-gw-setup --undo >/run/output
check_equal "$(rules)" "" "rules after undo"

say "Our rule that somebody has narrowed since is his: undo leaves it, and says so"
iptables-legacy -t nat -F POSTROUTING
sonm-gw-setup --apply >/run/output
iptables-legacy -t nat -R POSTROUTING 1 -s 198.51.100.0/24 -m ipvs --ipvs --vdir ORIGINAL --vmethod MASQ \
	-m comment --comment sonm-gateway -j MASQUERADE
narrow=$(rules)
expect 0 sonm-gw-setup --undo >/run/output
grep -A1 'snat ipv4' /run/output | grep 'somebody has changed a rule of ours since: it stays'
check_equal "$(rules)" "$narrow" "rules"

say "His own rule for IPVS is as good as ours, too"
modprobe ip_vs
iptables-legacy -t nat -F POSTROUTING
iptables-legacy -t nat -A POSTROUTING -m ipvs --ipvs --vdir ORIGINAL --vmethod MASQ -j MASQUERADE
own=$(rules)
sonm-gw-setup --apply >/run/output
check_equal "$(rules)" "$own" "no rule is added"

say "Someone changes what we had set"
sysctl -q net.ipv4.vs.expire_nodest_conn=2 net.ipv4.ip_local_reserved_ports=53,32768-33768,40000
sysctl -q net.ipv4.ip_forward=0
expect 0 sonm-gw-setup --undo
check_equal "$(sysctl -n net.ipv4.vs.expire_nodest_conn)" 2 "his value stays"
check_equal "$(sysctl -n net.ipv4.ip_local_reserved_ports)" 53,40000 "only our ports are taken out"
check_equal "$(rules)" "$own" "his rule stays"
grep -q '^ip_vs ' /proc/modules || fail "the module that he uses is gone"

say "What others reserve between two runs of ours is theirs"
sonm-gw-setup --apply >/run/output
sysctl -q net.ipv4.ip_local_reserved_ports=53,77,32768-33768,40000
lab_configure 'ports: [40000, 40010]'
sonm-gw-setup --apply >/run/output
check_equal "$(sysctl -n net.ipv4.ip_local_reserved_ports)" 53,77,32768-33768,40000-40010 "both pools"
sonm-gw-setup --undo >/run/output
check_equal "$(sysctl -n net.ipv4.ip_local_reserved_ports)" 53,77,40000 "after undo"

say "Foreign services are named and left alone"
ipvsadm -A -t 198.51.100.1:32770 -s rr
ipvsadm -A -f 7 -s rr
before=$(ipvsadm -Sn)
sonm-gw-setup --apply >/run/output
grep foreign /run/output
grep -q '^foreign     tcp 198.51.100.1:32770:' /run/output
grep -q '^foreign     fwmark 7:' /run/output
expect 0 sonm-gw-setup --undo
check_equal "$(ipvsadm -Sn)" "$before" "services"
