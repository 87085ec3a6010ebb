#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Of several calls of sonm-gw-setup at a time one has done all that it does before
# the next one looks: what is made is on record, and undo leaves nothing.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

# slowly COMMAND...: each program that it runs begins half a second late; $slow is its process.
slowly()
{
	strace -qq -f -o /dev/null -e trace=execve -e inject=execve:delay_enter=500000 "$@" >/run/slow 2>&1 &
	slow=$!
	wait_for 20 is_locked
}

is_locked()
{
	! flock -n "$state" true
}

# gone WHEN
gone()
{
	for module in ip_vs ip_vs_wrr xt_ipvs; do
		[ ! -e /sys/module/$module ] || fail "$1: module $module is loaded"
	done
	check_equal "$(sqlite3 "$state" 'select count(*) from setup')" 0 "$1: records"
	check_equal "$(sysctl -n net.ipv4.ip_forward)" 0 "$1: ip_forward"
}

lab_network
lab_configure

say "Undo, while apply is at its first steps of a setup that is there"
expect 0 sonm-gw-setup --apply >/dev/null
slowly sonm-gw-setup --apply
expect 0 sonm-gw-setup --undo >/run/undone
wait $slow || fail "apply: $(cat /run/slow)"
gone "after both"

say "Apply, while undo is at work"
expect 0 sonm-gw-setup --apply >/dev/null
slowly sonm-gw-setup --undo
expect 0 sonm-gw-setup --apply >/run/applied
wait $slow || fail "undo: $(cat /run/slow)"
expect 0 sonm-gw-setup --check >/dev/null
expect 0 sonm-gw-setup --undo >/dev/null
gone "after undo"

say "All at once"
all=
for i in 1 2 3 4; do
	sonm-gw-setup --apply >/run/apply.$i 2>&1 &
	all="$all $!"
	sonm-gw-setup --undo >/run/undo.$i 2>&1 &
	all="$all $!"
done
for pid in $all; do
	wait "$pid" || fail "one of them: $(cat /run/apply.? /run/undo.?)"
done
expect 0 sonm-gw-setup --undo >/dev/null
gone "after the last undo"
