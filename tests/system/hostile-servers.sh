#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Servers that mean no good: STUN servers whose answers are cut off, far too long,
# from somebody else or never end, and hubs that send gigabytes. A worker says what it
# knows, or what is wrong in one line, within its time and in little memory.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"
# shellcheck source=tests/lab/nat.sh
. "$tools/nat.sh"
# shellcheck source=tests/lab/hub.sh
. "$tools/hub.sh"

most_memory=32768 # KiB

# measured COMMAND...: its output to /run/found, what it took to /run/took: seconds, KiB.
measured()
{
	on client python3 -c '
import resource
import subprocess
import sys
import time

start = time.monotonic()
status = subprocess.run(sys.argv[1:], check=False).returncode
took = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
with open("/run/took", "w", encoding="ascii") as file:
    file.write("%d %d\n" % took)
sys.exit(status)' "$@" >/run/found 2>/run/stderr
}

# check_took SECONDS: no longer than that, and no more memory than any.
check_took()
{
	read -r seconds memory </run/took
	echo "  in $seconds s, $memory KiB"
	[ "$seconds" -le "$1" ] || fail "it took longer than $1 s"
	[ "$memory" -le $most_memory ] || fail "it took more than $most_memory KiB"
}

# tricked TRICK STATUS [RIGHT]: what comes of that server, alone: filtering and address, or an error's text.
tricked()
{
	nat_trickster $third4 $third4_other "$1"
	status=0
	measured sonm-stun -j -t 5 -s $third4 || status=$?
	sed 's/^/  /' /run/stderr
	check_equal $status "$2" "exit status with $1"
	if [ "$2" -eq 0 ]; then
		check_equal "$(found nat address)" "$3" "$1"
	else
		check_equal "$(wc -l </run/stderr)" 1 "lines of error"
		grep -Eq "$3" /run/stderr || fail "$(cat /run/stderr)"
	fi
	check_took 6
}

# floods PORT BEGIN AGAIN: a server that answers with the one, and then the other for ever; says how much it sent.
floods()
{
	on server python3 -c '
import socket
import sys

begin, again = (text.encode().decode("unicode_escape").encode("latin-1") for text in sys.argv[2:])
server = socket.create_server(("", int(sys.argv[1])))
while True:
    peer, _ = server.accept()
    peer.recv(65536)
    sent = 0
    try:
        peer.sendall(begin)
        while True:
            sent += peer.send(again * (65536 // len(again)))
    except OSError:
        with open("/run/sent." + sys.argv[1], "w", encoding="ascii") as file:
            file.write("%d\n" % sent)' "$@" &
	wait_for 20 listens "$1"
}

nat_network
nat_class open

say "Answers that are cut off"
tricked short=1 1 'of no use'
tricked short=30 1 'of no use'

say "Answers that are longer, and that are longer than any"
tricked long=1000 0 "none $client4_public"
tricked long=60000 1 'of no use'

say "Answers from somebody whom nobody has asked"
tricked stranger 1 'of no use'

say "Answers that never end"
tricked endless=2000 0 "none $client4_public"

say "A silent server whose TCP never ends"
nat_trickster $third4 $third4_other silent
floods 3478 '\x01\x01\xff\xfc' '\x00'
measured sonm-stun -j -t 5 -s $third4
check_equal "$(found nat)" blocked "nat"
check_took 6

say "A hub that sends gigabytes"
nat_trickster $third4 $third4_other honest
floods 8080 'HTTP/1.1 200 OK\r\n\r\n' 'gigabytes'
measured sonm-stun -j -s $third4 --report=http://$third4:8080/
check_took 6
wait_for 20 test -s /run/sent.8080
[ "$(cat /run/sent.8080)" -le 16000000 ] || fail "it took $(cat /run/sent.8080) bytes"

say "A hub whose headers never end"
floods 8081 'HTTP/1.1 200 OK\r\n' 'X-Header: gigabytes\r\n'
status=0
measured sonm-stun -j -s $third4 --report=http://$third4:8081/ || status=$?
check_equal "$status $(wc -l </run/stderr)" "1 1" "exit status and lines of error"
grep -q 'headers without end' /run/stderr || fail "$(cat /run/stderr)"
check_equal "$(found nat address)" "none $client4_public" "found"
check_took 6

say "A hub that sends us elsewhere with an order to the terminal"
floods 8082 'HTTP/1.1 307 Elsewhere\r\nLocation: http://hub.example.net/\x1b]0;title\x07\r\nContent-Length: 0\r\n\r\n' ' '
status=0
measured sonm-stun -j -s $third4 --report=http://$third4:8082/ || status=$?
check_equal "$status $(wc -l </run/stderr)" "1 1" "exit status and lines of error"
! LC_ALL=C grep -q '[^ -~]' /run/stderr || fail "$(od -c /run/stderr)"
