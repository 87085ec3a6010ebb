#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# TCP and UDP, over IPv4 and IPv6: what arrives is what was sent, and
# sonm-gwstat counts what ipvsadm counts. With every other kind of SNAT the same
# is played by setup-snat.sh and qemu/setup-*.sh.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"
# shellcheck source=tests/lab/traffic.sh
. "${tools:?}/traffic.sh"

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

say "Four ports are published"
traffic_publish 2000000
ipvsadm -Ln

say "The client gets the content through each, and sonm-gwstat says what ipvsadm says"
traffic_passes
traffic_counted
counters_of_kernel

say "and counts as much in sum"
check_equal "$(sonm-gwstat -j | jq -r '.total | "\(.conns) \(.inbytes) \(.outbytes)"')" \
	"$(counters_of_kernel | awk '{ c += $3; i += $6; o += $7 } END { print c, i, o }')" "sum"

say "and its rates are those of ipvsadm, between two snapshots of the kernel"
check_equal "$(download "$(head -n 1 /run/endpoints)" | sha256)" "${sent:?}" "download by curl"
wait_for 5 lab_has_rate
for _ in $(seq 30); do
	kernel=$(rates_of_kernel) ours=$(rates_of_gwstat)
	[ "$kernel" != "$(rates_of_kernel)" ] || break
done
check_equal "$ours" "$kernel" "rates agree"
