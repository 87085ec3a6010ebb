#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What one addition asks of the machine: instructions outside the kernel, and
# system calls. Both are the same on every machine, emulated or not, but for the
# processor's variants of memcpy and the like.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"
# shellcheck source=tests/bench/bench.sh
. "$(dirname "$0")/bench.sh"

instructions()
{
	valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>&1 | awk '/Collected/ { print $NF }'
}

system_calls()
{
	strace -f -o /run/trace "$@" >/dev/null 2>&1
	grep -c '(' /run/trace
}

if [ $# -eq 1 ]; then # inside the namespace: how to count
	our_add 1000 >/dev/null
	echo $(($("$1" ipvsadm -A -t "$vip:1001" -s wrr) + $("$1" ipvsadm -a -t "$vip:1001" -r 10.0.0.11:1001 -m -w 100))) \
		"$("$1" sonm-vs -A c1002 -t 80=10.0.0.11:1002)"
	exit 0
fi

for program in valgrind strace; do
	command -v $program >/dev/null || fail "$program is missing"
done
lab_configure
modprobe ip_vs_wrr
table_head
for how in instructions system_calls; do
	fresh our
	read -r peer ours < <(inside our $how)
	row "add one container, ${how/_/ }" "$peer" "$ours" ''
done
