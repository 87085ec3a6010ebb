#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# How long it takes until a worker knows what stands before it, at a round trip
# of 50 ms: sonm-stun beside stund's `stun` and coturn's turnutils_natdiscovery,
# by turns, each with its own project's server (sonm-stun with coturn). Run it
# with tests/lab/here.
#
#   runs    (environment) of each program in each class (default: 10)
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"
# shellcheck source=tests/lab/nat.sh
. "$tools/nat.sh"

runs=${runs:-10}
rtt=50

# A program that waits for what never comes is stopped after 30 s.
run_sonm_stun()
{
	sonm-stun -j -s $server4 >>/run/verdicts
}

run_stun()
{
	timeout 30 stun $server4:$stund_port
}

run_natdiscovery()
{
	timeout 30 turnutils_natdiscovery -m -f $server4
}

# measure PROGRAM: adds a run's milliseconds to /run/PROGRAM.
measure()
{
	began=$(date +%s%N)
	"run_$1" >/run/output 2>&1 || :
	echo $((($(date +%s%N) - began) / 1000000)) >>"/run/$1"
}

if [ $# -gt 0 ]; then # inside the client's namespace
	for program; do
		measure "$program"
	done
	exit 0
fi

for peer in stun turnutils_natdiscovery; do
	command -v $peer >/dev/null || fail "$peer is missing: install stun-client and coturn"
done

median()
{
	sort -n "/run/$1" | sed -n "$(((runs + 1) / 2))p"
}

slowest()
{
	sort -n "/run/$1" | tail -n 1
}

row()
{
	printf '%-16s %6s %6s %10s %6s %6s %18s %6s %6s\n' "$@"
}

# play CLASS NAT: all programs by turns.
play()
{
	nat_class "$1"
	rm -f /run/sonm_stun /run/stun /run/natdiscovery /run/verdicts
	for _ in $(seq "$runs"); do
		on client "$0" sonm_stun stun natdiscovery
	done
	[ "$(jq -r .nat /run/verdicts | sort -u)" = "$2" ] || fail "wrong verdicts in the class $1: $(cat /run/verdicts)"
	ours=$(median sonm_stun)
	set -- "$1" "$ours" "$(slowest sonm_stun)"
	for program in stun natdiscovery; do
		set -- "$@" "$(median $program)" "$(slowest $program)" "$(awk "BEGIN { printf \"%.1f\", $(median $program) / $ours }")"
	done
	row "$@"
}

nat_network
nat_coturn $server4 $server4_other
nat_stund $server4 $server4_other
link_delay $rtt
echo "$runs runs each, milliseconds, round trip $rtt ms"
row class sonm-stun max stun max ratio natdiscovery max ratio
play open none
play full full
play restricted restricted
play port_restricted port_restricted
play symmetric symmetric
play firewall symmetric_udp_firewall
play blocked blocked
play dark blocked
