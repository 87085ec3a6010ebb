#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What a call costs, beside what an admin would type into ipvsadm for the same
# without any state file: one container added, one removed, all listed. Both in
# the same kernel, by turns, each in a network namespace of its own (IPVS
# searches a list of removed real servers for two minutes).
#
# A process takes some 30 ms to start in user-mode Linux, many times what it
# does elsewhere, and it starts slower the more libraries it loads: only the
# ratios mean something. Ours write a file durably, and a removal waits some
# clock ticks (hold_ms in src/gateway_remove.c), 30 ms in this kernel.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

calls=${calls:-60}
vip=198.51.100.1

lab_configure
modprobe ip_vs_wrr

now()
{
	date +%s%N
}

# measure NAME FUNCTION: milliseconds for each of the calls, into /tmp/NAME.
measure()
{
	began=$(now)
	i=0
	while [ $i -lt "$calls" ]; do
		"$2" $i
		i=$((i + 1))
	done >/dev/null
	echo $((($(now) - began) / calls / 1000)) >"/tmp/$1"
}

peer_add()
{
	ipvsadm -A -t $vip:$((32768 + $1)) -s wrr
	ipvsadm -a -t $vip:$((32768 + $1)) -r 10.0.0.11:$((1000 + $1)) -m -w 100
}

peer_remove()
{
	ipvsadm -D -t $vip:$((32768 + $1))
}

peer_list()
{
	ipvsadm -Ln --stats
}

our_add()
{
	sonm-vs -A "c$1" -t 80=10.0.0.11:$((1000 + $1))
}

our_remove()
{
	sonm-vs -D "c$1"
}

our_list()
{
	sonm-gwstat
}

# play WHO: everything, in a namespace of its own.
play()
{
	ip netns add "$1"
	ip -netns "$1" link set lo up
	ip -netns "$1" addr add $vip/32 dev lo
	for work in add list remove; do
		ip netns exec "$1" "$0" "$1" $work
	done
}

row()
{
	printf '%-34s %8s %8s %8s\n' "$@"
}

if [ $# -eq 2 ]; then # inside the namespace
	measure "$1.$2" "$1_$2"
	exit 0
fi

play peer
play our
echo
row "$calls calls each, microseconds a call" ipvsadm ours ratio
for work in add remove list; do
	peer=$(cat /tmp/peer.$work) our=$(cat /tmp/our.$work)
	row "$work" "$peer" "$our" "$(awk "BEGIN { printf \"%.2f\", $our / $peer }")"
done
