#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# How often sonm-stun is right where packets are lost, at a round trip of 50 ms:
# 5 % each way, one by one, and in bursts of four. Fails if a verdict is wrong,
# fewer than 99.5 % are right, or more than 40 datagrams are sent to the server. Run it
# with tests/lab/here.
#
#   runs    (environment) in each class (default: 400)
#   seed    (environment) what chance begins with (default: 1)
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"
# shellcheck source=tests/lab/nat.sh
. "$tools/nat.sh"

runs=${runs:-400}
at_a_time=20

row()
{
	printf '%-16s %8s %8s %8s %14s\n' "$@"
}

# play CLASS NAT
play()
{
	nat_class "$1"
	nat_count
	rm -rf /run/found
	mkdir /run/found
	# shellcheck disable=SC2016 # expanded by the shells that it starts
	seq "$runs" | on client xargs -P $at_a_time -I{} \
		sh -c 'sonm-stun -j -s "$0" >"/run/found/$1"' $server4 {}
	cat /run/found/* | jq -r '"\(.nat) \(.servers[0].sent)"' >/run/results
	# shellcheck disable=SC2046 # four numbers
	set -- "$1" $(awk -v nat="$2" '
		$1 == nat { right++ }
		$1 == "unknown" { unknown++ }
		$2 > most { most = $2 }
		END { print right + 0, unknown + 0, NR - right - unknown, most }' /run/results)
	row "$@"
	[ "$(wc -l </run/results)" -eq "$runs" ] || fail "not every run had a result"
	[ "$(awk '{ sum += $2 } END { print sum }' /run/results)" -eq "$(nat_counted $server4)" ] ||
		fail "it did not send as many datagrams as it says"
	[ "$4" -eq 0 ] && [ $(($2 * 1000)) -ge $((runs * 995)) ] && [ "$5" -le 40 ] || failed=1
}

failed=
nat_network
nat_coturn $server4 $server4_other
link_delay 50
for burst in 1 4; do
	link_loss 5 $burst
	printf '\n%s\n' "5 % lost each way, $burst in a row, $runs runs each"
	row class right unknown wrong 'most datagrams'
	play open none
	play firewall symmetric_udp_firewall
	play full full
	play restricted restricted
	play port_restricted port_restricted
	play symmetric symmetric
	play blocked blocked
done
[ ! "$failed" ] || fail "that is not what it should be"
