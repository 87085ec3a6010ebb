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
	passes=0
	printf '%s\n' download datagrams download datagrams | paste -d ' ' - /run/endpoints |
		sed 's/[][]//g; s/\(.*\):/\1 /; s/^download\( .*\)/&\nupload\1/' >/run/traffic
}

# traffic_passes: the content comes through each, and gets to the worker over TCP.
traffic_passes()
{
	while read -r question; do
		echo "$question" >&3
		read -r answer <&4
		check_equal "$answer" "$sent" "$question"
	done </run/traffic
	passes=$((passes + 1))
}

# traffic_counted: all that has passed so far, by each service. Once for several passes, as it takes long.
traffic_counted()
{
	counters_settle
	counters_of_kernel >/run/kernel
	check_equal "$(counters_of_gwstat)" "$(cat /run/kernel)" "sonm-gwstat counts what ipvsadm counts"
	check_equal "$(traffic_times)" "4 2" "services that sent the content $passes times, and that received it"
}

# How many services sent the content as often as it has passed, and how many received it; not once more or less.
traffic_times()
{
	awk -v bytes="$bytes" -v passes="$passes" '
		function times(n) { return int(n / bytes) }
		times($7) == passes { sent++ }
		times($6) == passes { got++ }
		END { print sent + 0, got + 0 }' /run/kernel
}
