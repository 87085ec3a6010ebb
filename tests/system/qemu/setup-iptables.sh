#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A host whose iptables is that of nf_tables, with rules of others, as Docker
# makes them: SNAT in all modes, filters judged and opened, all of it taken
# back, tables that came into being with our rule included. Hosts whose rules
# are in the legacy tables are recognized.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"
# shellcheck source=tests/lab/snat.sh
. "${tools:?}/snat.sh"
# shellcheck source=tests/lab/traffic.sh
. "${tools:?}/traffic.sh"

snat_network
lab_configure
modprobe -a ip_vs ip_vs_wrr nf_conntrack
sysctl -qw net.ipv4.ip_forward=1

say "Nobody has a rule, and looking makes no table"
check_steps
check_equal "$(state_of 'snat ipv4')" 'missing iptables no rule' "snat ipv4"
check_equal "$(nft list tables)" '' "tables"
kernel >/run/before

{ snat_publish; traffic_publish 100000; } 2>/dev/null
modes
say "Never a second rule, and all is taken back with the tables that came with it"
check_equal "$(iptables-save -t nat | grep -c sonm-gateway)" 1 "rules"
expect 0 sonm-gw-setup --undo >/run/output 2>&1
cat /run/output
modprobe -a ip_vs ip_vs_wrr
unchanged "after undo"

say "Docker's rules and an admin's, whose filter stops the answers"
iptables-restore <<-END
	*nat
	:PREROUTING ACCEPT [0:0]
	:INPUT ACCEPT [0:0]
	:OUTPUT ACCEPT [0:0]
	:POSTROUTING ACCEPT [0:0]
	:DOCKER - [0:0]
	-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
	-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
	-A DOCKER -i docker0 -j RETURN
	COMMIT
	*filter
	:INPUT ACCEPT [0:0]
	:FORWARD DROP [0:0]
	:OUTPUT ACCEPT [0:0]
	:DOCKER-USER - [0:0]
	:DOCKER-FORWARD - [0:0]
	-A FORWARD -j DOCKER-USER
	-A FORWARD -j DOCKER-FORWARD
	-A DOCKER-FORWARD -i docker0 -j ACCEPT
	-A DOCKER-USER -j RETURN
	COMMIT
END
nft -f - <<-END
	table inet mine {
		chain input {
			type filter hook input priority filter; policy drop;
			ct state { established, related } accept
			iifname "lo" accept
			ip protocol icmp accept
			ip6 nexthdr icmpv6 accept
		}
	}
END
kernel >/run/before
check_steps
check_equal "$(state_of 'filter INPUT ipv4')" 'differs nft tcp stopped: inet mine input: policy DROP' "INPUT"
state_of 'filter FORWARD ipv4' | grep -E '^(unknown|cannot_tell) iptables tcp unclear: -A DOCKER-FORWARD -i docker0 -j ACCEPT$'
iptables -D DOCKER-FORWARD -i docker0 -j ACCEPT
check_steps
check_equal "$(state_of 'filter FORWARD ipv4')" 'differs iptables tcp stopped: policy DROP' "FORWARD"
sonm-gw-setup --apply >/run/output
check_equal "$(seen 5)" 'nothing ' "the worker sees"
sonm-gw-setup --apply --open-firewall >/run/output
grep '^set' /run/output
sed -i '/^sctp/d' /run/questions # is not judged, and not opened
check_equal "$(seen)" '10.0.0.1 fd00::1 ' "the worker sees"
sonm-gw-setup --apply --open-firewall | grep -v '^ok' && fail "not all is ok"
expect 0 sonm-gw-setup --undo >/run/output 2>&1
iptables -A DOCKER-FORWARD -i docker0 -j ACCEPT
modprobe -a ip_vs ip_vs_wrr
unchanged "after undo"

# alternative nft|legacy: what iptables means here
alternative()
{
	for program in iptables ip6tables; do
		ln -sfn "/usr/sbin/$program-$1" "/etc/alternatives/$program"
	done
}

say "Between apply and undo the name iptables comes to mean the other one: our rules are found all the same"
nft flush ruleset
iptables-legacy -P INPUT DROP
kernel >/run/before
alternative legacy
sonm-gw-setup --apply --open-firewall >/run/output
check_equal "$(iptables-legacy-save | grep -c sonm-gateway)" 3 "rules in the legacy tables"
alternative nft
expect 0 sonm-gw-setup --undo >/run/output 2>&1
grep -E '(snat|filter).*->' /run/output
modprobe -a ip_vs ip_vs_wrr
unchanged "after undo"
iptables-legacy -P INPUT ACCEPT

say "Rules in the legacy tables only: then it is iptables-legacy"
iptables-legacy -A FORWARD -s 192.0.2.7 -j DROP
check_steps
check_equal "$(state_of 'snat ipv4')" 'missing iptables-legacy no rule' "snat ipv4"
check_equal "$(state_of 'snat ipv6')" 'missing ip6tables no rule' "snat ipv6"

say "Rules in both: the packets pass both"
iptables -A FORWARD -j ACCEPT
check_steps
check_equal "$(state_of 'snat ipv4')" 'missing iptables no rule' "snat ipv4"
state_of 'filter FORWARD ipv4' | grep -E '^(unknown|cannot_tell) iptables-legacy tcp unclear: -A FORWARD -s 192.0.2.7'
