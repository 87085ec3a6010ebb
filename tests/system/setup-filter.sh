#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Filter rules that stop the traffic are reported, with a rule that really
# helps; nothing is added unasked. Who asks (--open-firewall) gets that very
# rule, once, and undo takes it back.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

# traffic: does it flow, over TCP and UDP?
traffic()
{
	[ "$(download 198.51.100.1:32800 --connect-timeout 2 2>/dev/null | sha256)" = "$sent" ] &&
		[ "$(download_udp 198.51.100.1:32800 2>/dev/null | sha256)" = "$sent" ]
}

lab_network
lab_hub
head -c 30000 /dev/urandom >/tmp/content
sent=$(sha256 /tmp/content)
serve worker1 /tmp/content 80
for protocol in t u; do
	sonm-vs -A web -$protocol 80=10.0.0.11:80 --vip 198.51.100.1 --vport 32800
done
traffic || fail "there is no traffic to begin with"

for chain in INPUT OUTPUT FORWARD; do
	say "Policy DROP of $chain stops the traffic"
	iptables-legacy -P $chain DROP
	! traffic || fail "$chain does not stop the traffic"
	expect 6 sonm-gw-setup >/run/output
	grep -A2 "differs     filter $chain ipv4" /run/output
	check_equal "$(grep -c '^[a-z]' /run/output)" "$(grep -c '^ok' /run/output | awk '{ print $1 + 1 }')" "lines but one that are ok"

	say "Applying reports it and adds nothing"
	expect 0 sonm-gw-setup --apply >/run/output
	grep -q "differs     filter $chain ipv4" /run/output
	check_equal "$(iptables-legacy -S | grep -c '^-A' || :)" 0 "rules"

	say "The rule that it prints helps"
	sed -n "/differs     filter $chain ipv4/,/do:/s/^ *do: *//p" /run/output >/run/advice
	cat /run/advice
	sh /run/advice
	expect 0 sonm-gw-setup >/run/output
	traffic || fail "it does not help"
	advised=$(iptables-legacy -S)
	iptables-legacy -F

	say "--open-firewall adds that rule, and once"
	closed=$(iptables-legacy -S)
	expect 0 sonm-gw-setup --apply --open-firewall --dry-run >/run/output
	grep -E "^would set +filter $chain ipv4" /run/output
	check_equal "$(iptables-legacy -S)" "$closed" "a dry run adds nothing"
	expect 0 sonm-gw-setup --apply --open-firewall >/run/output
	check_equal "$(iptables-legacy -S)" "$advised" "rules"
	traffic || fail "it does not help"
	expect 0 sonm-gw-setup --apply --open-firewall >/run/output
	check_equal "$(iptables-legacy -S)" "$advised" "rules, after a second time"

	say "Undo takes it back, and nothing else"
	iptables-legacy -A $chain -m comment --comment mine -j ACCEPT
	expect 0 sonm-gw-setup --undo >/run/output
	grep -E "^restored +filter $chain ipv4" /run/output
	iptables-legacy -D $chain -m comment --comment mine -j ACCEPT
	check_equal "$(iptables-legacy -S)" "$closed" "rules"
	expect 0 sonm-gw-setup --apply >/run/output
	iptables-legacy -P $chain ACCEPT
done

say "Another pool wants another rule: ours are replaced"
iptables-legacy -P INPUT DROP
sonm-gw-setup --apply --open-firewall >/run/output
lab_configure 'ports: [40000, 40010]'
expect 6 sonm-gw-setup >/run/output
sonm-gw-setup --apply --open-firewall >/run/output
check_equal "$(iptables-legacy -S INPUT | grep -c sonm-gateway)" 2 "rules"
check_equal "$(iptables-legacy -S INPUT | grep -c 40000:40010)" 2 "rules for the new pool"
expect 0 sonm-gw-setup --undo >/run/output
check_equal "$(iptables-legacy -S INPUT)" '-P INPUT DROP' "after undo"
iptables-legacy -P INPUT ACCEPT
sonm-gw-setup --apply >/run/output

say "A pool of one port: its rules are known again"
iptables-legacy -P INPUT DROP
lab_configure 'ports: [40000, 40000]'
sonm-gw-setup --apply --open-firewall >/run/output
check_equal "$(iptables-legacy -S INPUT | grep -c -e '--dport 40000 ')" 2 "rules"
expect 0 sonm-gw-setup --undo >/run/output
check_equal "$(iptables-legacy -S INPUT)" '-P INPUT DROP' "after undo"
lab_configure

say "A rule of ours that somebody narrowed since is his: undo leaves it, and says so"
iptables-legacy -P INPUT DROP
sonm-gw-setup --apply --open-firewall >/run/output
narrow=$(iptables-legacy -S INPUT | sed 1d | sed -n 1p | sed 's/^-A INPUT/-R INPUT 1 -s 198.51.100.2/')
eval "iptables-legacy $narrow"
iptables-legacy -S INPUT
expect 0 sonm-gw-setup --undo --dry-run >/run/output
expect 0 sonm-gw-setup --undo >/run/output
grep 'filter INPUT ipv4' /run/output
grep -q 'somebody has changed a rule of ours since: it stays' /run/output
check_equal "$(iptables-legacy -S INPUT | sed 1d | cut -d ' ' -f 1-4)" '-A INPUT -s 198.51.100.2/32' "rules left"
iptables-legacy -F INPUT
iptables-legacy -P INPUT ACCEPT
sonm-gw-setup --apply >/run/output

say "Chains of others that it jumps to are followed"
iptables-legacy -N DOCKER-USER
iptables-legacy -A FORWARD -j DOCKER-USER
expect 0 sonm-gw-setup >/run/output
grep "^ok *filter FORWARD ipv4" /run/output

say "Where a rule of theirs decides that it cannot judge, it does not guess"
iptables-legacy -A DOCKER-USER -o docker0 -j DROP
expect 0 sonm-gw-setup >/run/output
grep -A3 "^cannot tell *filter FORWARD ipv4" /run/output
grep -q 'it depends on this rule: -A DOCKER-USER -o docker0 -j DROP' /run/output
