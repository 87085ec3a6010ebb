#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What a call costs: one container added, one removed, all of a few listed; by
# turns, the median of many. And an addition when the state file knows many
# routes. Ours write a file durably, and a removal waits some clock ticks on
# purpose (hold_ms in src/gateway_remove.c).
#
#   calls   (environment) of each kind (default: 20)
#   many    (environment) how many routes are many (default: 60000)
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"
# shellcheck source=tests/bench/bench.sh
. "$(dirname "$0")/bench.sh"

calls=${calls:-20}
many=${many:-60000}

peer_remove()
{
	ipvsadm -D -t "$vip:$1"
}

our_remove()
{
	sonm-vs -D "c$1"
}

peer_list()
{
	ipvsadm -Ln --stats
}

our_list()
{
	sonm-gwstat
}

# by_turns WORK: both, each in its namespace, five calls at a time.
by_turns()
{
	for from in $(seq 1 5 "$calls"); do
		inside peer peer "$1" "$from" peer
		inside our our "$1" "$from" our
	done
}

# compare TEXT WORK TARGET
compare()
{
	by_turns "$2"
	rows "$1" "/run/peer.$2" "/run/our.$2" "$3"
}

if [ $# -eq 4 ]; then # inside the namespace: WHO WORK FROM FILE
	for i in $(seq "$3" $(($3 + 4))); do
		stopwatch "/run/$4.$2" "$1_$2" $((1000 + i))
	done
	exit 0
fi

lab_configure 'ports: [2000, 65000]'
modprobe ip_vs_wrr
fresh peer our
table_head
for i in $(seq 10); do # so that nothing is done for the first time
	inside our our add $((1000 + i * 5)) first
done
compare 'add one container' add '<= 1.0'
compare 'list them with their traffic' list ''
compare 'remove one container' remove ''
inside our our add 2000 first
fill "$many"
for from in $(seq 1 5 "$calls"); do
	inside our our add $((3000 + from)) many
done
rows "add one: few routes stored, $many" /run/our.add /run/many.add '<= 1.2'
