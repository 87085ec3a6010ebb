#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Filter rules that stop the traffic are reported, with a rule that really
# helps; nothing is added unasked.
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
	ipvsadm -A -$protocol 198.51.100.1:32800 -s wrr
	ipvsadm -a -$protocol 198.51.100.1:32800 -r 10.0.0.11:80 -m
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
	iptables-legacy -F
	iptables-legacy -P $chain ACCEPT
done

say "Where a chain of others decides, it does not guess"
iptables-legacy -N DOCKER-USER
iptables-legacy -A FORWARD -j DOCKER-USER
expect 0 sonm-gw-setup >/run/output
grep -A3 "cannot tell filter FORWARD ipv4" /run/output
