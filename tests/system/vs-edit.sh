#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A published port is edited while a client downloads through it: scheduler,
# weights, persistence, further real servers, one in the place of another. The
# download does not notice, and the account is exact in the end.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

# edit OPTION...: what is printed is the endpoint, as it was.
edit()
{
	echo "  sonm-vs -E $*"
	sonm-vs -E "$@" >/run/edited || fail "cannot edit"
	check_equal "$(sed 's/.*->\(.*\)]/\1/' /run/edited)" "$web" "endpoint"
	kill -0 $download || fail "the download has ended"
}

# check_service TEXT: what ipvsadm says of the service now, without its endpoint.
check_service()
{
	check_equal "$(services_on "$port" | sed "s/ -t $public4:$port//")" "$1" "as ipvsadm sees it"
}

# who: the worker that a new connection reaches; both documents begin with its name.
who()
{
	download "$web" 2>/dev/null | head -c 7
}

# Whoever comes next looks whether a real server that drains may leave.
left()
{
	sonm-gwstat --checkpoint
	! ipvsadm -Sn | grep -Fw "$1"
}

lab_network
lab_slow_client
lab_hub 'scheduler: rr'
{ printf worker1; head -c 12000000 /dev/urandom; } >/tmp/one
printf worker2 >/tmp/two
serve worker1 /tmp/one 8080
serve worker2 /tmp/two 8080
web=$(publish web -t 80=10.0.0.11:8080)
port=${web##*:}
count client tcp "$port"

say "A client downloads, slowly"
slow_download /tmp/got "$web"

say "Scheduler, weight, persistence"
edit web -s wlc
check_service "-A -s wlc
-a -r 10.0.0.11:8080 -m -w 100"
edit web -t 80 -w 7
edit web -p 60
check_service "-A -s wlc -p 60
-a -r 10.0.0.11:8080 -m -w 7"
edit web -t 80 -p 0 -s wrr
edit web -t 80=10.0.0.11:8080 -w 1
check_service "-A -s wrr
-a -r 10.0.0.11:8080 -m -w 1"
check_state_is_kernel

say "A second real server, edited on its own, and removed"
edit web -t 80=10.0.0.12:8080 -w 3
check_service "-A -s wrr
-a -r 10.0.0.11:8080 -m -w 1
-a -r 10.0.0.12:8080 -m -w 3"
edit web -t 80=10.0.0.12:8080 -w 50
check_service "-A -s wrr
-a -r 10.0.0.11:8080 -m -w 1
-a -r 10.0.0.12:8080 -m -w 50"
sonm-vs -L web
sonm-vs -D web -t 80=10.0.0.12:8080
check_service "-A -s wrr
-a -r 10.0.0.11:8080 -m -w 1"
check_state_is_kernel

say "One in the place of the other: new connections reach the new one, the download goes on"
edit web -t 80=10.0.0.12:8080 --replace 10.0.0.11:8080
check_service "-A -s wrr
-a -r 10.0.0.11:8080 -m -w 0
-a -r 10.0.0.12:8080 -m -w 100"
check_equal "$(who)$(who)$(who)" worker2worker2worker2 "who answers"
check_state_is_kernel

say "What is wrong changes nothing"
before=$(services_on "$port")
expect_error 2 'scheduler' sonm-vs -E web -s nosuch
expect_error 2 '-s|-w|nothing' sonm-vs -E web
expect_error 3 'web2' sonm-vs -E web2 -s rr
expect_error 3 '81/tcp' sonm-vs -E web -t 81 -s rr
expect_error 3 '10.0.0.13' sonm-vs -E web -t 80=10.0.0.12:8080 --replace 10.0.0.13:8080
expect_error 2 'IPv6' sonm-vs -E web -t '80=[fd00::11]:8080'
expect_error 2 'weight' sonm-vs -E web -w 65536
expect_error 3 '10.0.0.13' sonm-vs -D web -t 80=10.0.0.13:8080
check_equal "$(services_on "$port")" "$before" "as before"
check_state_is_kernel

say "The download ends well; then its real server leaves"
kill -0 $download || fail "the download was too short for this"
finish_download /tmp/got $download
check_equal "$(sha256 /tmp/got)" "$(sha256 /tmp/one)" "content"
wait_for 30 left 10.0.0.11
check_service "-A -s wrr
-a -r 10.0.0.12:8080 -m -w 100"
check_state_is_kernel

say "The account has all of it"
sonm-vs -D web --wait
check_equal "$(ledger outbytes web)" "$(counted client spt "$port")" "bytes out, as the client got them"
check_equal "$(ledger inbytes web)" "$(counted client dpt "$port")" "bytes in, as the client sent them"
check_equal "$(counted client RST)" 0 "bytes of resets"
check_equal "$(ipvsadm -Sn)" "" "services"
