#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# SCTP besides TCP and UDP: published at the same number in one call, used,
# counted to the byte, removed.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

lab_network
lab_hub 'quarantine: 0'
head -c 500000 /dev/urandom >/tmp/content
sent=$(sha256 /tmp/content)
serve_sctp worker1 /tmp/content 8080
serve worker1 /tmp/content 8080

for real in 10.0.0.11:8080 '[fd00::11]:8080'; do
	say "All three protocols of port 80 at $real"
	endpoint=$(publish three -t "80=$real" -u "80=$real" --sctp "80=$real" | sort -u)
	check_equal "$(echo "$endpoint" | wc -l)" 1 "endpoints"
	port=${endpoint##*:}
	check_state_is_kernel
	check_equal "$(services_on "$port" | grep -c '^-A')" 3 "services, as ipvsadm sees them"
	count client sctp "$port"
	check_equal "$(download_sctp "$endpoint" | sha256)" "$sent" "content over SCTP"
	check_equal "$(download "$endpoint" | sha256)" "$sent" "content over TCP"
	check_equal "$(download_udp "$endpoint" | sha256)" "$sent" "content over UDP"

	say "Removed, with an exact account"
	sonm-vs -D three --sctp 80 --wait
	check_equal "$(services_on "$port" | grep -c '^-A')" 2 "services that are left"
	check_equal "$(ledger outbytes "three' and protocol = '132")" "$(counted client spt "$port")" "bytes out"
	check_equal "$(ledger inbytes "three' and protocol = '132")" "$(counted client dpt "$port")" "bytes in"
	sonm-vs -D three --wait
	on client iptables-legacy -F
	on client ip6tables-legacy -F
	sqlite3 "$state" "delete from ledger"
done

say "A port on which a local program listens over SCTP is not given away"
python3 "$tools/peer.py" serve-sctp /tmp/content 33000 &
wait_for 20 lab_listens_sctp hub 33000
expect_error 4 '33000.*local program' sonm-vs -A taken --sctp 80=10.0.0.11:8080 --vport 33000
check_equal "$(ipvsadm -Sn)" "" "services"
