# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# traffic.sh: what the gateway is for. TCP and UDP, over IPv4 and IPv6, in both
# directions: what arrives is what was sent, and sonm-gwstat counts what ipvsadm
# counts. A scenario sources it after lib.sh. The client is one process for all
# rounds, as starting programs takes long in an emulated computer.

# traffic_publish BYTES: worker1 has so much to serve; four endpoints become /run/endpoints, TCP first, and what
# is to be asked there /run/traffic.
traffic_publish()
{
	bytes=$1
	head -c "$bytes" /dev/urandom >/tmp/content
	sent=$(sha256 /tmp/content)
	mkfifo /run/traffic.asks /run/traffic.hears
	on client python3 -IS "${tools:?}/peer.py" ask /tmp/content </run/traffic.asks >/run/traffic.hears &
	exec 3>/run/traffic.asks 4</run/traffic.hears
	serve worker1 /tmp/content 8080
	publish web4 -t 80=10.0.0.11:8080 -u 80=10.0.0.11:8080 >/run/endpoints
	publish web6 -t '80=[fd00::11]:8080' -u '80=[fd00::11]:8080' >>/run/endpoints
	: >/run/counters
	printf '%s\n' download datagrams download datagrams | paste -d ' ' - /run/endpoints |
		sed 's/[][]//g; s/\(.*\):/\1 /; s/^download\( .*\)/&\nupload\1/' >/run/traffic
}

# traffic_passes: the content comes through each, and gets to the worker over TCP; the counters grow by it.
traffic_passes()
{
	while read -r question; do
		echo "$question" >&3
		read -r answer <&4
		check_equal "$answer" "$sent" "$question"
	done </run/traffic
	counters_settle
	counters_of_kernel >/run/kernel
	check_equal "$(counters_of_gwstat)" "$(cat /run/kernel)" "sonm-gwstat counts what ipvsadm counts"
	check_equal "$(traffic_grown)" "4 2" "services that grew by the downloads, and by the uploads"
	cp /run/kernel /run/counters
}

# How many services sent the content since /run/counters, and how many received it.
traffic_grown()
{
	awk -v bytes="$bytes" '
		FILENAME == ARGV[1] { in_[$1 $2] = $6; out[$1 $2] = $7; next }
		$7 - out[$1 $2] > bytes { sent++ }
		$6 - in_[$1 $2] > bytes { got++ }
		END { print sent + 0, got + 0 }' /run/counters /run/kernel
}
