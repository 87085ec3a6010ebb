# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# bench.sh: what the measurements of the hub share: its own work beside what an
# admin would type into ipvsadm for the same without any state file, in one
# kernel. Each is played in a network namespace like new, because IPVS searches
# a list of removed real servers for two minutes. A script begins as lib.sh
# says, in bash, and sources this too.
#
# Play them in the emulated computer (tests/lab/qemu), with processors=2: in
# user-mode Linux a process takes many times as long to start as it should beside
# the rest.

: "${state:?}"

vip=198.51.100.1

# Of a table that all measurements share: hub.sh prints the head once.
table_head()
{
	[ -z "${in_table-}" ] || return 0
	export in_table=1
	printf '\n%-48s %9s %9s %7s  %s\n' work ipvsadm ours ratio target
}

# row WORK PEER OURS TARGET: numbers of one unit; the ratio is OURS / PEER.
row()
{
	awk -v work="$1" -v peer="$2" -v ours="$3" -v target="$4" \
		'BEGIN { printf "%-48s %9s %9s %7.3f  %s\n", work, peer, ours, ours / peer, target }'
}

# rows WORK PEER-FILE OUR-FILE TARGET: of what stopwatch has written, the medians; below, the least of each,
# which other work of the machine spoils least.
rows()
{
	row "$1, us" "$(median "$2")" "$(median "$3")" "$4"
	row '  at best' "$(sort -n "$2" | head -n 1)" "$(sort -n "$3" | head -n 1)" "$4"
}

# fresh NAME...: network namespaces like new, with the hub's address; and no state file.
fresh()
{
	rm -f "$state"*
	for name; do
		ip netns delete "$name" 2>/dev/null || :
		ip netns add "$name"
		ip -netns "$name" link set lo up
		ip -netns "$name" addr add $vip/32 dev lo
		ip netns exec "$name" sysctl -qw net.ipv4.vs.conntrack=1
	done
}

# stopwatch FILE COMMAND...: adds the microseconds that it takes to the file. It must succeed.
stopwatch()
{
	local file=$1 began errors=/run/stderr.$BASHPID
	shift
	began=${EPOCHREALTIME/./}
	"$@" >/dev/null 2>"$errors" || fail "$*: $(cat "$errors")" >&2
	echo $((${EPOCHREALTIME/./} - began)) >>"$file"
}

median()
{
	sort -n "$1" | awk '{ line[NR] = $1 } END { print line[int((NR + 1) / 2)] }'
}

peer_add()
{
	ipvsadm -A -t "$vip:$1" -s wrr
	ipvsadm -a -t "$vip:$1" -r "10.0.0.11:$1" -m -w 100
}

our_add()
{
	sonm-vs -A "c$1" -t "80=10.0.0.11:$1"
}

# fill N: N routes more in the state file, copies of one that is there but for
# UDP, so that its port is free. The kernel has no services for them: an
# addition does not ask for those.
fill()
{
	sqlite3 "$state" "
		create temp table wanted as select route.*, value as n
			from (select * from route where state = 'open' limit 1) route, generate_series(1, $1);
		update wanted set id = 100000 + n, container = 'filled' || n, port = 2000 + n, protocol = 17;
		create temp table server as select real_server.*, value as n
			from (select * from real_server limit 1) real_server, generate_series(1, $1);
		update server set route = 100000 + n;
		alter table wanted drop column n;
		alter table server drop column n;
		begin;
		insert into route select * from wanted;
		insert into real_server select * from server;
		commit;"
}

# The scripts play parts of themselves inside a namespace.
inside()
{
	local place=$1
	shift
	ip netns exec "$place" "$0" "$@"
}
