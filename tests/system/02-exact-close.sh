#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The account of a removed route is exact, to the byte: counting rules at both
# ends saw what the ledger says, though removal came right after a download, or
# in the middle of one. Resets, which the hub sends itself, are counted apart.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

# check_ledger CONTAINER PORT-AT-CLIENT PORT-AT-WORKER
check_ledger()
{
	check_equal "$(ledger inbytes "$1")" "$(counted worker1 dpt "$3")" "bytes in, as the worker got them"
	check_equal "$(ledger outbytes "$1")" "$(counted client spt "$2")" "bytes out, as the client got them"
}

# count_both tcp|udp PORT-AT-CLIENT PORT-AT-WORKER: begins to count anew.
count_both()
{
	for place in client worker1; do
		on "$place" iptables-legacy -F
		on "$place" ip6tables-legacy -F
	done
	count worker1 "$1" "$3"
	count client "$1" "$2"
}

# removed_after_download CONTAINER tcp|udp SERVER
removed_after_download()
{
	say "$2 from $3: removal right after a download"
	endpoint=$(publish "$1" "-$(expr "$2" : '\(.\)')" "80=$3")
	count_both "$2" "${endpoint##*:}" 8080
	if [ "$2" = tcp ]; then
		download "$endpoint" >/tmp/got
	else
		download_udp "$endpoint" >/tmp/got
	fi
	sonm-vs -D "$1" --wait
	check_equal "$(sha256 /tmp/got)" "$sent" "content"
	check_ledger "$1" "${endpoint##*:}" 8080
	check_equal "$(ledger inbytes "$1")" "$(counted client dpt "${endpoint##*:}")" "bytes in, as the client sent them"
	check_equal "$(ledger outbytes "$1")" "$(counted worker1 spt 8080)" "bytes out, as the worker sent them"
	check_equal "$(counted client RST) $(counted worker1 RST)" "0 0" "bytes of resets"
}

# removed_amid_download CONTAINER SERVER SIZE-OF-A-RESET RATE
removed_amid_download()
{
	say "tcp from $2: removal in the middle of a download, $4 bytes a second at most"
	endpoint=$(publish "$1" -t "80=$2")
	count_both tcp "${endpoint##*:}" 9090
	# Who waits for more and has nothing to say learns of the end by its keepalive at the latest.
	download "$endpoint" --limit-rate "$4" --keepalive-time 1 >/tmp/got 2>/tmp/complaint &
	wait_for 20 lab_received "${endpoint##*:}" 1000000
	sonm-vs -D "$1"
	expect 56 wait $! # the client was told: connection reset
	[ "$(wc -c </tmp/got)" -lt 80000000 ] || fail "the download was over"
	wait_for 10 lab_closed "$1"
	check_ledger "$1" "${endpoint##*:}" 9090
	for place in client worker1; do
		resets=$(counted $place RST)
		echo "  bytes of resets at $place: $resets"
		if [ "$resets" -eq 0 ] || [ $((resets % $3)) -ne 0 ]; then
			fail "not resets of $3 bytes each"
		fi
	done
}

# What the worker sends on its own goes on for a moment in the kernel, uncounted, if one lets it.
removed_amid_stream()
{
	say "udp from $2: removal in the middle of a stream from the worker"
	endpoint=$(publish "$1" -u "53=$2")
	count_both udp "${endpoint##*:}" 8080
	touch /run/hears
	hear_stream "$endpoint" /run/hears &
	hearer=$!
	wait_for 20 lab_received "${endpoint##*:}" 300000
	sonm-vs -D "$1" --wait
	check_ledger "$1" "${endpoint##*:}" 8080
	rm /run/hears
	wait $hearer
	end_stream worker1 8080
}

lab_received()
{
	[ "$(counted client spt "$1")" -gt "$2" ]
}

# The next who comes finishes what -D began.
lab_closed()
{
	sonm-gwstat --checkpoint
	[ "$(sqlite3 "$state" "select count(*) from ledger where container = '$1'")" -eq 1 ]
}

lab_network
lab_hub
rules=$(ip rule; ip -6 rule)
head -c 5000000 /dev/urandom >/tmp/content
sent=$(sha256 /tmp/content)
serve worker1 /tmp/content 8080
# More than the buffers of both ends hold.
head -c 80000000 /dev/zero >/tmp/long
serve worker1 /tmp/long 9090

removed_after_download tcp4 tcp 10.0.0.11:8080
removed_after_download tcp6 tcp "[fd00::11]:8080"
removed_after_download udp4 udp 10.0.0.11:8080
removed_after_download udp6 udp "[fd00::11]:8080"
removed_amid_download amid4 10.0.0.11:9090 40 1M
removed_amid_download amid6 "[fd00::11]:9090" 60 1M
# A client at some distance, as they are: it has data on the way when the worker is cut off.
tc -n client qdisc add dev eth0 root netem delay 25ms limit 10000
for trial in 1 2 3; do
	removed_amid_download fast$trial 10.0.0.11:9090 40 1G
	removed_amid_stream stream$trial 10.0.0.11:8080
done
removed_amid_stream stream6 "[fd00::11]:8080"

say "Nothing is left in the kernel"
check_equal "$(ipvsadm -Sn)" "" "services"
check_equal "$(ip rule; ip -6 rule)" "$rules" "routing rules"
