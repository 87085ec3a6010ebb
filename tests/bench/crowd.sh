#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Many callers at once, each adding a container, beside as many one after the
# other. None may fail, and none is to wait long.
#
#   callers (environment) how many (default: 64)
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"
# shellcheck source=tests/bench/bench.sh
. "$(dirname "$0")/bench.sh"

callers=${callers:-64}

# Each in a shell of its own, here as there.
one_by_one()
{
	for i in $(seq "$callers"); do
		(stopwatch /run/single our_add $((1000 + i)))
	done
}

at_once()
{
	local pids=()
	for i in $(seq "$callers"); do
		(stopwatch /run/crowd our_add $((1000 + i))) &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
}

if [ $# -eq 1 ]; then # inside the namespace
	stopwatch "/run/$1" "$1"
	exit 0
fi

lab_configure
modprobe ip_vs_wrr
for work in one_by_one at_once; do
	rm -f /run/$work /run/single /run/crowd
	fresh our
	inside our $work
	check_equal "$(sqlite3 "$state" 'select count(*) from route')" "$callers" "routes of the callers" >/dev/null
	[ $work = at_once ] || cp /run/one_by_one /run/total
done
table_head
row "$callers callers: one by one, at once, us" "$(cat /run/total)" "$(cat /run/at_once)" '<= 1.3'
printf '%-48s %9s %9s\n' "  the longest wait, us" '' "$(sort -n /run/crowd | tail -n 1)"
