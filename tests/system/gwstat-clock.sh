#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The clock is set back, and forth, and the hub begins in 1970: the account does
# not care, and what came through since the beginning is what the account has.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

# total OPTION...: bytes in and out.
total()
{
	sonm-gwstat -j "$@" | jq -c '.total | [.inbytes, .outbytes]'
}

# Everything that came through, at this moment, is in the history and what is recent.
check_spans()
{
	check_equal "$(total --since 1970-01-01)" "$(total --total)" "since the beginning, $1"
}

# It is this time; a container transfers something, with a checkpoint in between.
live_at()
{
	date -u -s "$1" >/dev/null
	check_spans "as it becomes $1"
	download "$web" | cmp - /tmp/content
	counters_settle
	check_spans "$1, before a checkpoint"
	sonm-gwstat --checkpoint
	check_spans "$1, after one"
}

lab_network
date -u -s "2026-11-01" >/dev/null # whatever the day is: all that follows is later
lab_hub
head -c 200000 /dev/urandom >/tmp/content
serve worker1 /tmp/content 8080

say "A checkpoint in the first second of a minute"
web=$(publish web -t 80=10.0.0.11:8080)
download "$web" | cmp - /tmp/content
counters_settle
date -u -s "2026-12-01 00:00:00" >/dev/null
sonm-gwstat --checkpoint
check_equal "$(total --since -1h)" "$(total --total)" "the last hour"
sonm-gwstat --report /tmp/minute.html
grep -q '>web<' /tmp/minute.html || fail "the report lacks what was read in this second"

say "The clock goes back and forth"
live_at "2026-11-30 22:59:00"
live_at "2027-11-30 12:00:00"
live_at "2026-11-30 12:00:00"
live_at "1970-01-01 00:10:00"
live_at "2026-11-30 12:10:00"
check_equal "$(sqlite3 "$state" 'select count(*) from uncertain')" 0 "uncertain"

say "What is lost while it is set back is noted, and shown in a span up to now"
date -u -s "2026-11-30 11:00:00" >/dev/null
ipvsadm -C
sonm-gwstat --checkpoint
check_equal "$(sonm-gwstat --since -1h -j | jq -c '[.uncertain[] | .why, .until > .since]')" '["removed",true]' "uncertain"
sonm-vs --sync
live_at "2026-11-30 12:20:00"

say "The last count, too"
date -u -s "2026-11-29" >/dev/null
sonm-vs -D web --wait >/dev/null
check_spans "closed"
check_equal "$(total --closed)" "$(total --total)" "the ledger"
