#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A container is drained: who is connected finishes, nobody new gets in, and the
# account is exact. The deadline is in the state file: if the one who waits is
# killed, whoever comes next finishes it.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

# begin CONTAINER SERVER [OPTION...]: publishes it and begins a download.
begin()
{
	name=$1 server=$2
	shift 2
	endpoint=$(publish "$name" -t "80=$server" "$@")
	port=${endpoint##*:}
	count client tcp "$port"
	slow_download /tmp/got "$endpoint" 2>/tmp/complaint
}

state_of()
{
	sonm-vs -L "$1" -j 2>/dev/null | jq -r '.routes[].state'
}

is_draining()
{
	[ "$(state_of "$1")" = draining ]
}

# Whoever comes next.
is_closed()
{
	sonm-gwstat --checkpoint
	[ "$(sqlite3 "$state" "select count(*) from ledger where container = '$1'")" -eq 1 ]
}

check_ledger()
{
	check_equal "$(ledger outbytes "$1")" "$(counted client spt "$port")" "bytes out, as the client got them"
}

lab_network
lab_slow_client
lab_hub
head -c 6000000 /dev/urandom >/tmp/content
sent=$(sha256 /tmp/content)
serve worker1 /tmp/content 8080
serve worker2 /tmp/content 8080

for server in 10.0.0.11:8080 '[fd00::11]:8080'; do
	say "The download from $server ends well, while new clients are refused"
	begin web "$server" -p 300 # the client that is kept there counts as new, too
	sonm-vs -D web --drain 60 --wait >/tmp/totals &
	drain=$!
	wait_for 10 is_draining web
	sonm-vs -L web
	check_equal "$(ipvsadm -Ln | awk '$1 == "->" && $3 == "Masq" { print $4 }')" 0 "weight"
	expect 7 download "$endpoint" --max-time 5
	check_state_is_kernel
	kill -0 $download || fail "the download is over already"
	kill -0 $drain || fail "the drain did not wait"
	finish_download /tmp/got $download
	check_equal "$(sha256 /tmp/got)" "$sent" "content"
	wait $drain
	cat /tmp/totals
	grep -Fqw "$(ledger outbytes web)" /tmp/totals || fail "the totals printed are not the ledger's"
	check_ledger web
	sqlite3 "$state" "update ledger set container = 'former' where container = 'web'"
	on client iptables-legacy -F
	on client ip6tables-legacy -F
done

say "Whoever takes longer than the deadline is cut off"
begin late 10.0.0.11:8080
began=$(date +%s)
sonm-vs -D late --drain 3
took=$(($(date +%s) - began))
[ $took -ge 3 ] || fail "closed after $took s"
expect 56 finish_download /tmp/got $download
wait_for 10 is_closed late
check_ledger late

say "A killed drain is finished by whoever comes next"
begin killed 10.0.0.11:8080
sonm-vs -D killed --drain 600 &
drain=$!
wait_for 10 is_draining killed
kill -9 $drain
sonm-gwstat --checkpoint
is_draining killed || fail "it does not drain any more"
finish_download /tmp/got $download
check_equal "$(sha256 /tmp/got)" "$sent" "content"
wait_for 20 is_closed killed
check_ledger killed

say "Published again, a draining container opens at its endpoint"
begin again 10.0.0.11:8080
sonm-vs -D again --drain 600 &
drain=$!
wait_for 10 is_draining again
kill -9 $drain
check_equal "$(publish again -t 80=10.0.0.11:8080)" "$endpoint" "endpoint"
check_equal "$(state_of again)" open "state"
check_equal "$(download "$endpoint" | sha256)" "$sent" "content for a new client"
finish_download /tmp/got $download
check_equal "$(sha256 /tmp/got)" "$sent" "content for the old one"
sonm-vs -D again --wait
check_ledger again

say "What was lost at the end is sent again, though the worker has closed already"
head -c 8000 /tmp/content >/tmp/small
serve worker1 /tmp/small 8081
endpoint=$(publish lost -t 80=10.0.0.11:8081)
on client python3 - "${endpoint%:*}" "${endpoint##*:}" <<-'END' >/tmp/got &
	import os, socket, sys, time
	server = socket.create_connection((sys.argv[1], int(sys.argv[2])))
	server.settimeout(30)
	while not os.path.exists("/run/ask"):
	    time.sleep(0.05)
	server.sendall(b"GET / HTTP/1.0\r\n\r\n")
	data = b""
	while part := server.recv(65536):
	    data += part
	sys.stdout.buffer.write(data.split(b"\r\n\r\n", 1)[1])
END
client=$!
wait_for 10 sh -c 'ipvsadm -Ln | grep -q "Masq *100 *1 "'
on client iptables-legacy -A INPUT -p tcp -m length --length 100:65535 -j DROP
sonm-vs -D lost --drain 60 &
drain=$!
wait_for 10 is_draining lost
touch /run/ask
wait_for 10 sh -c 'ipvsadm -Ln | grep -q "Masq *0 *0 *1 "'
sleep 0.3 # the drain has seen it; its grace of 5 s has time for several retransmissions
on client iptables-legacy -F
wait $client
wait $drain
check_equal "$(sha256 /tmp/got)" "$(sha256 /tmp/small)" "content"

say "One real server of two"
pair=$(publish pair -t 80=10.0.0.11:8080 -t 80=10.0.0.12:8080)
sonm-vs -D pair -t 80=10.0.0.11:8080 --drain 60
check_equal "$(services_on "${pair##*:}" | sed -n 's/.*-r //p')" "10.0.0.12:8080 -m -w 100" "what is left"
check_equal "$(state_of pair)" open "state"
check_equal "$(download "$pair" | sha256)" "$sent" "content"
sonm-vs -D pair -t 80=10.0.0.12:8080 --wait
expect 3 sonm-vs -L pair 2>/dev/null

say "UDP has no connections to wait for"
publish dns -u 53=10.0.0.11:8080
began=$(date +%s)
sonm-vs -D dns --drain 60 2>/run/said
cat /run/said
grep -Eq 'dns.*UDP.*at once' /run/said || fail "it does not say so"
[ $(($(date +%s) - began)) -lt 30 ] || fail "it waited"
wait_for 10 is_closed dns

say "Nothing is left in the kernel"
check_equal "$(ipvsadm -Sn)" "" "services"
