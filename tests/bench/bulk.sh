#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A whole table: restored, ours durably, and listed. Ours from the document that
# sonm-vs -S writes, and from the very text that ipvsadm -R reads.
#
#   routes  (environment) how many (default: 10000)
#   runs    (environment) of each (default: 3)
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"
# shellcheck source=tests/bench/bench.sh
. "$(dirname "$0")/bench.sh"

routes=${routes:-10000}
runs=${runs:-3}

# The same services, as ipvsadm -R and as sonm-vs -R read them.
make_texts()
{
	awk -v n="$routes" -v vip="$vip" 'BEGIN { for (i = 0; i < n; i++) {
		printf "-A -t %s:%d -s wrr\n", vip, 20000 + i
		printf "-a -t %s:%d -r 10.0.%d.%d:8080 -m -w 100\n", vip, 20000 + i, i / 250, i % 250 + 1
	} }' >/run/table.ipvsadm
	awk -v n="$routes" -v vip="$vip" 'BEGIN {
		print "version: 1\nroutes:"
		for (i = 0; i < n; i++) {
			printf "  - container: c%05d\n    port: 80/tcp\n", i
			printf "    endpoint: %s:%d\n    scheduler: wrr\n    real_servers:\n", vip, 20000 + i
			printf "      - {address: 10.0.%d.%d:8080, weight: 100}\n", i / 250, i % 250 + 1
		} }' >/run/table.yaml
}

peer_restore()
{
	ipvsadm -R </run/table.ipvsadm
}

our_restore()
{
	sonm-vs -R /run/table.yaml
}

our_same()
{
	sonm-vs -R /run/table.ipvsadm
}

peer_list()
{
	ipvsadm -Ln
}

our_list()
{
	sonm-vs -L
}

peer_show()
{
	ipvsadm -Ln --stats
}

our_show()
{
	sonm-gwstat --format json
}

peer_pipe()
{
	ipvsadm -Ln --stats | cat
}

# Then all is read before any is printed: who reads slowly must not keep others from publishing.
our_pipe()
{
	sonm-gwstat --format json | cat
}

# How often we ask the kernel's IPVS for that: for the family, and for one dump.
our_requests()
{
	strace -f -e trace=sendto,sendmsg -o /run/trace sonm-gwstat --format json
	grep -c NETLINK /run/trace >/run/requests
}

# alone NAME: gives it a namespace like new and takes away the other's, with all services: the kernel hashes
# those of all namespaces into one table of 256 chains, so thousands elsewhere make every search longer.
alone()
{
	ip netns delete our 2>/dev/null || :
	ip netns delete peer 2>/dev/null || :
	wait_for 60 grep -qx 0 /sys/module/ip_vs_wrr/refcnt # the kernel cleans up when it likes
	fresh "$1"
}

if [ $# -eq 2 ]; then # inside the namespace: WHO WORK
	stopwatch "/run/all.$1.$2" "$1_$2"
	exit 0
fi

lab_configure 'ports: [20000, 59999]'
modprobe ip_vs_wrr
make_texts
for _ in $(seq "$runs"); do
	alone peer
	inside peer peer restore
	inside peer peer list
	inside peer peer show
	inside peer peer pipe
	alone our
	inside our our same
	alone our
	inside our our restore
	inside our our list
	inside our our show
	inside our our pipe
	[ "$(on our ipvsadm -Ln | grep -c '^TCP')" -eq "$routes" ] || fail "not all routes were restored"
done
table_head
rows "restore $routes routes" /run/all.peer.restore /run/all.our.restore '<= 0.125'
rows "restore them from ipvsadm's own text" /run/all.peer.restore /run/all.our.same '<= 0.125'
rows "list them" /run/all.peer.list /run/all.our.list '<= 0.050'
rows "show them with their traffic" /run/all.peer.show /run/all.our.show '<= 0.033'
rows "show them through a pipe" /run/all.peer.pipe /run/all.our.pipe ''
inside our our requests
check_equal "$(cat /run/requests)" 2 "netlink requests: for the family, and one dump"
