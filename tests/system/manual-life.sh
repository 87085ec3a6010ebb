#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The life of a hub, as sonm-gateway(7) tells it: every command works as it is
# printed, in that order, with the configuration that is printed.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"
# shellcheck source=tests/lab/home.sh
. "$tools/home.sh"

page=$tools/../../man/sonm-gateway.7
printed=198.51.100.1:33706

# block KEY: the example that begins with this key.
block()
{
	awk -v key="$1:" '/^\.Ed/ { inside = 0 } $0 == key { inside = 1 } inside' "$page"
}

# story: the command lines, each behind the exit status that is promised and who types it.
story()
{
	awk '
		/^\.\\" status/ { status = $3 }
		/^(hub#|worker\$|client\$) / { print status + 0, $0; status = 0 }
	' "$page"
}

# shellcheck disable=SC2016 # $1 is for the inner shell
# The worker has one configuration and the hub another, under the same name.
as_worker()
{
	unshare -m sh -c 'mount --bind /run/worker.yaml /etc/sonm/gateway.yaml && exec ip netns exec worker1 sh -c "$1"' sh "$1"
}

# types STATUS WHO COMMAND-LINE; the port is chosen at random, and not the one that is printed.
types()
{
	line=$3
	[ ! "${endpoint-}" ] || line=$(echo "$3" | sed "s/$printed/$endpoint/")
	echo "  $2 $line"
	status=0
	case $2 in
	hub#) sh -c "$line" ;;
	worker\$) as_worker "$line" ;;
	client\$) on client sh -c "$line" ;;
	esac </dev/null >/run/output || status=$?
	cat /run/output
	[ $status -eq "$1" ] || fail "exit status $status, not $1: $line"
	case $line in
	sonm-vs\ -A*) endpoint=$(sed 's/.*->\(.*\)]/\1/' /run/output) ;;
	esac
}

lab_network
home
head -c 100000 /dev/urandom >/run/content
serve worker1 /run/content 32801
serve worker2 /run/content 32801
echo "203.0.113.10 stun.example.net" >>/etc/hosts
mkdir -p /etc/sonm
block gateway >/etc/sonm/gateway.yaml
block firewall >/run/worker.yaml
cat /etc/sonm/gateway.yaml /run/worker.yaml

say "The life of a hub"
story >/run/story
[ "$(wc -l </run/story)" -ge 25 ] || fail "the page has lost its story"
while read -r promised who line; do
	types "$promised" "$who" "$line"
	case $line in
	curl*) cmp /run/content /tmp/got && rm /tmp/got ;;
	esac
done </run/story

say "It left nothing"
check_equal "$(ipvsadm -Sn)" "" "services"
check_equal "$(sonm-vs -L | tail -n +2)" "" "routes"
check_equal "$(ledger "outbytes > 0" 755fe2a8)" 1 "accounts in the ledger with traffic"
if { iptables-save; iptables-legacy-save; } 2>/dev/null | grep sonm-gateway; then fail "a rule of ours"; fi
sonm-gw-setup --undo >/run/output
check_equal "$(cat /run/output)" "" "what is left to undo"
