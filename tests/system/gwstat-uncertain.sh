#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Other hands remove services and set counters back. What passed since the last
# checkpoint nobody knows: the state file says from when until when, once, and
# nothing of the kind when all goes its usual way. Every byte that the account
# has is in the history, too.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

uncertain()
{
	sqlite3 "${state:?}" "select container, why from uncertain order by until, container" | tr '\n' ' '
}

# last uncertain time: does it begin before the checkpoint, and end now?
check_time()
{
	sqlite3 "$state" "select $1 - since = 3 and until - $(date +%s) between -30 and 0
		from uncertain order by until desc limit 1" >/tmp/fits
	check_equal "$(cat /tmp/fits)" 1 "the time is that since the last checkpoint"
}

checkpoint_time()
{
	sqlite3 "$state" "select at from checkpoint"
}

checkpoint()
{
	counters_settle
	sonm-gwstat --checkpoint
}

check_history()
{
	check_equal "$(sqlite3 "$state" 'select sum(inbytes), sum(outbytes), sum(conns) from traffic')" \
		"$(sonm-gwstat --total -j | jq -r '.total | "\(.inbytes)|\(.outbytes)|\(.conns)"')" "bytes and connections of history and account"
}

lab_network
lab_hub
head -c 200000 /dev/urandom >/tmp/content
serve worker1 /tmp/content 8080

say "Containers come and go"
web=$(publish web -t 80=10.0.0.11:8080)
api=$(publish api -t 80=10.0.0.11:8080)
gone=$(publish gone -t 80=10.0.0.11:8080)
for endpoint in "$web" "$api" "$gone"; do
	download "$endpoint" | cmp - /tmp/content
done
sonm-vs -D gone --wait
checkpoint
check_equal "$(uncertain)" "" "nothing is uncertain"
check_history

say "Another program removes a service"
at=$(checkpoint_time)
ipvsadm -D -t "$web"
checkpoint
checkpoint
check_equal "$(uncertain)" "web|removed " "uncertain"
check_time "$at"
sonm-vs --sync
download "$web" | cmp - /tmp/content
checkpoint
check_equal "$(uncertain)" "web|removed " "uncertain"

say "Another program sets all counters back"
at=$(checkpoint_time)
ipvsadm -Z
checkpoint
check_equal "$(uncertain)" "web|removed api|reset web|reset " "uncertain"
check_time "$at"
check_history

say "While the counters stand still, the account is not complete"
at=$(checkpoint_time)
sysctl -qw net.ipv4.vs.run_estimation=0
sleep 1
sonm-gwstat --checkpoint
check_equal "$(checkpoint_time)" "$at" "the last complete checkpoint"
sysctl -qw net.ipv4.vs.run_estimation=1
checkpoint
[ "$(checkpoint_time)" -gt "$at" ] || fail "no checkpoint"

say "Everything is removed; whoever bills by what is closed is told, too"
sonm-vs -D api --wait >/run/final
cat /run/final
[ "$(grep -c '^uncertain: api .*set back' /run/final)" -eq 1 ] || fail "the totals do not say what is uncertain"
sonm-vs -C --yes
checkpoint
check_equal "$(sonm-gwstat --closed web -j | jq -r '[.uncertain[] | .container, .why] | join(" ")')" \
	"web removed web reset" "uncertain of what is closed"
sonm-gwstat --closed --format csv 2>/run/said >/dev/null
grep -q 'of 3 times it is not known' /run/said || fail "CSV's warning: $(cat /run/said)"
check_equal "$(uncertain)" "web|removed api|reset web|reset " "uncertain"
check_history
