#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A table that somebody made with ipvsadm is taken over while clients download
# through it: nothing changes in the kernel, and from then on it is ours, with
# all that it has counted.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

lab_network
lab_slow_client
lab_hub
head -c 8000000 /dev/urandom >/tmp/content
sent=$(sha256 /tmp/content)
serve worker1 /tmp/content 8080
serve worker2 /tmp/content 8080
modprobe ip_vs_rr
modprobe ip_vs_wlc

say "A table of another hand"
ipvsadm -R <<-END
	-A -t 198.51.100.1:33001 -s rr
	-a -t 198.51.100.1:33001 -r 10.0.0.11:8080 -m -w 5
	-A -u 198.51.100.1:33001 -s wlc -p 120
	-a -u 198.51.100.1:33001 -r 10.0.0.11:8080 -m -w 1
	-a -u 198.51.100.1:33001 -r 10.0.0.12:8080 -m -w 2
	-A -t [2001:db8:1::1]:33002 -s wlc -p 60
	-a -t [2001:db8:1::1]:33002 -r [fd00::11]:8080 -m -w 100
	-A --sctp-service 198.51.100.1:33003 -s rr
END
table=$(ipvsadm -Sn)
count client tcp 33001
count worker1 tcp 8080
slow_download /tmp/got 198.51.100.1:33001
first=$download
slow_download /tmp/got6 '[2001:db8:1::1]:33002'
second=$download

say "Without --adopt it is not ours to take; what is no route, is named"
ipvsadm -Sn >/tmp/table
expect_error 2 'table.*33003.*no real server' sonm-vs -R /tmp/table
ipvsadm -D --sctp-service 198.51.100.1:33003
table=$(ipvsadm -Sn)
ipvsadm -Sn >/tmp/table
expect_error 4 'adopt' sonm-vs -R /tmp/table
check_equal "$(ipvsadm -Sn)" "$table" "the table"

say "Only what is in the kernel as the document says is taken over"
sed 's/-w 5/-w 6/' /tmp/table >/tmp/other
expect_error 4 '33001.*weight' sonm-vs -R --adopt /tmp/other
sed 's/-s rr/-s wrr/' /tmp/table >/tmp/other
expect_error 4 '33001.*scheduler' sonm-vs -R --adopt /tmp/other
check_equal "$(ipvsadm -Sn)" "$table" "the table"
[ ! -e "$state" ] || check_equal "$(sqlite3 "$state" 'select count(*) from route')" 0 "routes"

say "Taken over, under a name of its own"
ipvsadm -Sn | sonm-vs -R --dry-run >/tmp/named.yaml
sed -i '/^routes:/,$ s/container: .*33002.*/container: web6/' /tmp/named.yaml
cat /tmp/named.yaml
sonm-vs -R --adopt /tmp/named.yaml
check_equal "$(ipvsadm -Sn)" "$table" "the table"
check_state_is_kernel
sonm-vs -L
expect 0 sonm-vs --sync --dry-run
kill -0 $first $second || fail "the downloads were too short for this"

say "The downloads end well, and the account has them from their beginning"
finish_download /tmp/got $first
finish_download /tmp/got6 $second
check_equal "$(sha256 /tmp/got)" "$sent" "content"
check_equal "$(sha256 /tmp/got6)" "$sent" "content over IPv6"
check_equal "$(counted client RST) $(counted worker1 RST)" "0 0" "bytes of resets"
tcp=$(sonm-vs -L -j | jq -r '.routes[] | select(.protocol == "tcp" and .port == 33001) | .container')
sonm-vs -D "$tcp" --wait
check_equal "$(ledger outbytes "$tcp")" "$(counted client spt 33001)" "bytes out, as the client got them"
check_equal "$(ledger inbytes "$tcp")" "$(counted client dpt 33001)" "bytes in, as the client sent them"
