#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# TCP and UDP, over IPv4 and IPv6: what arrives is what was sent, and
# sonm-gwstat counts what ipvsadm counts.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

# A line a service: protocol, endpoint, and a second's connections, packets and bytes.
rates_of_kernel()
{
	ipvsadm -Ln --rate --exact | awk '/^(TCP|UDP)/ { $1 = tolower($1); print $1, $2, $3, $4, $5, $6, $7 }' | sort
}

rates_of_gwstat()
{
	sonm-gwstat --rate --exact | awk '$4 == "open" { split($2, port, "/"); print port[2], $3, $5, $6, $7, $8, $9 }' | sort
}

lab_has_rate()
{
	rates_of_kernel | awk '$7 > 1000 { found = 1 } END { exit !found }'
}

lab_network
lab_hub
head -c 2000000 /dev/urandom >/tmp/content
sent=$(sha256 /tmp/content)
serve worker1 /tmp/content 8080

say "Four ports are published"
tcp4=$(publish web4 -t 80=10.0.0.11:8080)
udp4=$(publish dns4 -u 53=10.0.0.11:8080)
tcp6=$(publish web6 -t "80=[fd00::11]:8080")
udp6=$(publish dns6 -u "53=[fd00::11]:8080")
ipvsadm -Ln

say "The client gets the content through each"
for endpoint in "$tcp4" "$tcp6"; do
	check_equal "$(download "$endpoint" | sha256)" "$sent" "TCP $endpoint"
done
for endpoint in "$udp4" "$udp6"; do
	check_equal "$(download_udp "$endpoint" | sha256)" "$sent" "UDP $endpoint"
done

say "sonm-gwstat says what ipvsadm says"
counters_settle
check_equal "$(counters_of_gwstat)" "$(counters_of_kernel)" "counters agree"
counters_of_kernel
[ "$(counters_of_kernel | awk '$7 > 2000000' | wc -l)" -eq 4 ] || fail "too few bytes"

say "and counts as much in sum"
check_equal "$(sonm-gwstat -j | jq -r '.total | "\(.conns) \(.inbytes) \(.outbytes)"')" \
	"$(counters_of_kernel | awk '{ c += $3; i += $6; o += $7 } END { print c, i, o }')" "sum"

say "and its rates are those of ipvsadm, between two snapshots of the kernel"
download "$tcp4" >/dev/null
wait_for 5 lab_has_rate
for _ in 1 2 3 4 5; do
	kernel=$(rates_of_kernel) ours=$(rates_of_gwstat)
	[ "$kernel" != "$(rates_of_kernel)" ] || break
done
check_equal "$ours" "$kernel" "rates agree"
