#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The power is cut. The state file stays, the kernel forgets: set-up and sync
# bring back every route, and the account goes on from the last checkpoint.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

start()
{
	lab_network
	lab_hub
	head -c 1000000 /dev/urandom >/tmp/content
	serve worker1 /tmp/content 8080
}

routes()
{
	sonm-vs -L -j | jq -c '.routes[]'
}

bytes()
{
	sonm-gwstat -j | jq -r '.total | "\(.conns) \(.inbytes) \(.outbytes)"'
}

before_the_cut()
{
	start
	say "Routes are published and used"
	tcp4=$(publish web -t 80=10.0.0.11:8080)
	publish dns -u 53=10.0.0.11:8080 -t 53=10.0.0.11:8080
	tcp6=$(publish web6 -t "80=[fd00::11]:8080" -s rr -w 5)
	publish gone -t 80=10.0.0.11:8080
	download "$tcp4" >/tmp/got
	download "$tcp6" >/tmp/got
	sonm-vs -D gone
	counters_settle
	sonm-gwstat --checkpoint
	bytes >/lab/bytes
	routes >/lab/routes
	services_of_kernel >/lab/services
	echo "$tcp4" >/lab/tcp4
	sync /lab/bytes /lab/routes /lab/services /lab/tcp4
	say "The power is cut"
}

after_the_cut()
{
	say "It is back; the kernel has forgotten"
	start
	check_equal "$(ipvsadm -Sn)" "" "services"
	expect 6 sonm-vs --sync --dry-run
	sonm-vs --sync
	check_equal "$(routes)" "$(cat /lab/routes)" "routes are as before"
	check_equal "$(services_of_kernel)" "$(cat /lab/services)" "services are as before"

	say "The account goes on"
	check_equal "$(bytes)" "$(cat /lab/bytes)" "connections, bytes in and out"
	download "$(cat /lab/tcp4)" | cmp - /tmp/content
	counters_settle
	{
		cat /lab/bytes
		counters_of_kernel | cut -d' ' -f3,6,7
	} | awk '{ c += $1; i += $2; o += $3 } END { print c, i, o }' >/tmp/sum
	check_equal "$(bytes)" "$(cat /tmp/sum)" "what was, and what the kernel counted since"
	[ "$(cut -d' ' -f3 /tmp/sum)" -gt 3000000 ] || fail "too few bytes"
}

lab_boots before_the_cut after_the_cut
