#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# sonm-vs and sonm-gwstat are killed at moments of their work, each at a system call of
# its own. What is left, sync heals; whoever tries again succeeds; no port is
# lost for good. calls.py has the details; tests/lab/calls.sh kills at many more moments.
#
#   every=N  (environment) only at every Nth call (default: 340; there are 5800)
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

pool=32

mount -t tmpfs -o mode=700 tmpfs /var/lib/sonm # no power is cut here: it need not be a disk
lab_network
lab_hub "ports: [32768, $((32767 + pool))]" 'quarantine: 0'

say "Killed while it adds, edits, removes, restores, syncs, and takes a checkpoint"
every=${every:-340} python3 "$tools/calls.py" kill

say "Every port of the pool is there for others"
sonm-vs -C --yes >/run/cleared
counters_settle
sonm-gwstat --checkpoint
check_equal "$(ipvsadm -Sn)" "" "services"
set --
for port in $(seq $pool); do
	set -- "$@" -t "$port=10.0.0.11:$port" -u "$port=10.0.0.11:$port"
done
expect 0 sonm-vs -A all "$@" >/run/all
check_equal "$(ipvsadm -Sn | grep -c '^-A')" $((2 * pool)) "services"
check_state_is_kernel
