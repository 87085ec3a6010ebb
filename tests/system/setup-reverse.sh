#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A hub with two uplinks: clients come in by one, the default route leaves by
# the other. A strict reverse path filter drops them; it is found, the command
# that is advised helps, and nothing is said where there is no harm.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

# The second uplink's name has a dot, as VLANs have.
second=up.2
key=net/ipv4/conf/$second/rp_filter

network()
{
	lab_network
	ip link add $second type veth peer name far netns client
	ip -batch - <<-END
		addr add 203.0.113.1/24 dev $second
		link set $second up
		route add default via $public4_client
	END
	# The client comes from far away by the second uplink, and hears by whichever.
	ip -batch - -netns client <<-END
		addr add 203.0.113.2/24 dev far
		addr add 192.0.2.9/32 dev far
		link set far up
		route add 203.0.113.1/32 dev far src 192.0.2.9
	END
	on client sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.far.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0
	sysctl -qw net.ipv4.conf.all.rp_filter=0 net/ipv4/conf/$second/rp_filter=0
}

get()
{
	download "$endpoint" --connect-timeout 2
}

state_of()
{
	sonm-gw-setup -j | jq -r ".steps[] | select(.name == \"$key\") | \"\(.status) \(.present) \(.wanted)\"" || :
}

public4_client=198.51.100.2
network
mkdir -p /etc/sonm
printf 'gateway:\n  addresses: [203.0.113.1, 198.51.100.1]\n' >/etc/sonm/gateway.yaml
sonm-gw-setup --apply >/run/setup || { cat /run/setup; fail "apply"; }
head -c 100000 /dev/urandom >/tmp/content
serve worker1 /tmp/content 8080
endpoint=$(publish web -t 80=10.0.0.11:8080 --vip 203.0.113.1)
get | cmp - /tmp/content
check_equal "$(sonm-gw-setup -j | jq -r '.steps[].name' | grep -c rp_filter)" 2 "steps, one for each interface"
check_equal "$(state_of)" "ok 0 0" "not strict"

# strict KEY: makes it so; the client is not served, which is found, and the command that is advised helps.
strict()
{
	say "Strict by $1"
	sysctl -qw "$1=1"
	! get >/tmp/got 2>/run/stderr || fail "the client is served"
	cat /run/stderr
	grep -q 'timed out\|Timeout' /run/stderr || fail "the client hears something"
	expect 6 sonm-gw-setup -j >/run/json
	check_equal "$(jq -r '.steps[] | select(.status != "ok") | .name' /run/json)" "$key" "what differs"
	jq -r --arg name $key '.steps[] | select(.name == $name) | .command' /run/json >/run/advice
	check_equal "$(cat /run/advice)" "sysctl -w $key=2" "what to do"
	expect 0 sonm-gw-setup --apply >/run/output
	! get >/tmp/got 2>/dev/null || fail "it was changed without being asked for"
	sh /run/advice
	get | cmp - /tmp/content
	expect 0 sonm-gw-setup >/run/output
	sysctl -qw net.ipv4.conf.all.rp_filter=0 "$key=0"
}
strict $key
strict net.ipv4.conf.all.rp_filter

say "With --open-firewall it is changed, and taken back"
sysctl -qw "$key=1"
sonm-gw-setup --undo >/run/output
sonm-gw-setup --apply --open-firewall >/run/output || { cat /run/output; fail "apply"; }
grep '^set.*rp_filter' /run/output
check_equal "$(sysctl -n $key)" 2 "opened"
sonm-vs --sync >/run/output
get | cmp - /tmp/content
sonm-gw-setup --undo >/run/output 2>&1
check_equal "$(sysctl -n $key)" 1 "after undo"
sysctl -qw "$key=0"
sonm-gw-setup --apply >/run/output || { cat /run/output; fail "apply"; }

say "A rule that routes the answers back the same way is as good"
sysctl -qw net.ipv4.conf.all.rp_filter=1
ip route add default via 203.0.113.2 dev $second table 100
ip rule add from 203.0.113.1 table 100
get | cmp - /tmp/content
check_equal "$(state_of)" "ok 0 0" "with a rule"
ip rule del from 203.0.113.1 table 100

say "So is a default route by both"
ip route replace default nexthop via $public4_client dev hub-client nexthop via 203.0.113.2 dev $second
get | cmp - /tmp/content
check_equal "$(state_of)" "ok 0 0" "with two next hops"

say "Without a default route there are no clients from far away"
ip route del default
check_equal "$(state_of)" "ok 0 0" "without"

say "What was recorded is put back, whatever the interface is called"
sysctl -qw "$key=2"
sqlite3 $state "insert into setup (step, boot, former, applied)
	values ('$key', '$(cat /proc/sys/kernel/random/boot_id)', '1', '2')"
sonm-gw-setup --undo >/run/output
grep rp_filter /run/output
check_equal "$(sysctl -n $key)" 1 "after undo"
