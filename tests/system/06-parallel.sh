#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# 32 at a time: no command fails, no port is given twice, and in the end state
# file and kernel agree.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

# all_at_once COMMAND...: runs it 32 times with 1..32 in the place of %.
all_at_once()
{
	processes=
	for i in $(seq 32); do
		sh -c "$(echo "$*" | sed "s/%/$i/")" >"/tmp/output.$i" 2>&1 &
		processes="$processes $!"
	done
	for process in $processes; do
		wait "$process" || fail "$* ($(cat /tmp/output.*))"
	done
}

lab_network
lab_hub

say "32 containers are added"
all_at_once sonm-vs -A c% -t 80=10.0.0.11:8080 -u 53=10.0.0.12:53
check_equal "$(ipvsadm -Sn | grep -c '^-A')" 64 "services"
check_equal "$(cat /tmp/output.* | sort -u | wc -l)" 64 "different endpoints"
check_equal "$(cat /tmp/output.* | sed 's/.*\/\(.\).*->\(.*\)]/-A -\1 \2/' | sort)" \
	"$(ipvsadm -Sn | sed -n 's/^\(-A .*\) -s .*/\1/p' | sort)" "the kernel has each"
check_state_is_kernel

say "32 containers are removed"
all_at_once sonm-vs -D c%
check_equal "$(ipvsadm -Sn | grep -c '^-a')" 0 "real servers"
counters_settle
sonm-gwstat --checkpoint
check_equal "$(ipvsadm -Sn)" "" "services"
check_equal "$(sqlite3 "$state" 'select count(*) from route')" 0 "routes in the state file"
check_equal "$(sqlite3 "$state" 'select count(*), count(distinct port || "/" || protocol) from ledger')" "64|64" "entries in the ledger, and their ports"
