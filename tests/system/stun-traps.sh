#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Gateways that mislead, and ways to the server that are long, bad or not there.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"
# shellcheck source=tests/lab/nat.sh
. "$tools/nat.sh"

# check_class CLASS RIGHT: nat, mapping, filtering, address and gateway.
check_class()
{
	nat_class "$1"
	nat_count
	discover -s "$server4"
	check_equal "$(found nat mapping filtering address gateway)" "$2" "$1"
	check_sent "$(found 'servers[0].sent')"
}

# check_sent SENT: are as many as the kernel counted, and not too many.
check_sent()
{
	check_equal "$1" "$(nat_counted $server4)" "datagrams to the server"
	[ "$1" -le 40 ] || fail "more than 40 datagrams"
}

has_reason()
{
	jq -e --arg reason "$1" 'any(.reasons[]; .reason == $reason)' /run/found >/dev/null || fail "no reason $1:
$(cat /run/found)"
	echo "  reason: $1"
}

mapped_port()
{
	found 'servers[0].mapped_port'
}

# verdicts CLASS N: of as many runs at a time, sorted.
verdicts()
{
	nat_class "$1"
	rm -f /run/verdict.*
	runs=
	for run in $(seq "$2"); do
		on client sonm-stun -j -s "$server4" >"/run/verdict.$run" &
		runs="$runs $!"
	done
	# shellcheck disable=SC2086 # many
	wait $runs
	cat /run/verdict.* | jq -r .nat | sort
}

# check_lossy CLASS RIGHT: what is not right is unknown.
check_lossy()
{
	verdicts "$1" 20 >/run/verdicts
	check_equal "$(wc -l </run/verdicts)" 20 "results"
	! grep -Evx "$2|unknown" /run/verdicts || fail "a wrong verdict in the class $1"
	echo "  $1: $(grep -cx "$2" /run/verdicts) of 20 right, none wrong"
}

nat_network
nat_coturn "$server4" "$server4_other"
independent=endpoint_independent dependent=address_and_port_dependent

say "A gateway that accepts what nobody asked for, and so takes a port away"
check_class trap "port_restricted $independent $dependent $gateway4 true"
on gateway conntrack -L -p udp 2>/dev/null | grep -F "src=$server4_other dst=$gateway4" | grep -F UNREPLIED ||
	fail "the trap was not laid"

say "A gateway that has an address of a carrier's network"
check_class carrier "port_restricted $independent $dependent 100.64.0.7 true"
has_reason carrier_grade_nat

say "A gateway with a public address for each destination"
check_class pool "symmetric address_dependent $dependent $gateway4 true"
has_reason address_pool
check_equal "$(found 'addresses|map(.address)|sort|join(" ")')" "$gateway4 203.0.113.8" "addresses"

say "A gateway that keeps ports, and one that does not" # they are 61000 and above
check_class port_restricted "port_restricted $independent $dependent $gateway4 true"
[ "$(mapped_port)" -ge 61000 ] || fail "port $(mapped_port)"
check_class shifted "port_restricted $independent $dependent $gateway4 true"
[ "$(mapped_port)" -lt 61000 ] || fail "port $(mapped_port)"

say "The client itself translates: its own address, another port"
nat_class open
on client $iptables -t nat -A POSTROUTING -p udp -j MASQUERADE --random-fully
discover -s "$server4"
check_equal "$(found nat mapping address gateway)" "symmetric $dependent $client4_public true" "symmetric"
on client $iptables -t nat -F

for rtt in 300 1200; do
	say "A round trip of $rtt ms"
	link_delay $rtt
	check_class open "none none none $client4_public false"
	check_class full "full $independent $independent $gateway4 true"
	check_class restricted "restricted $independent address_dependent $gateway4 true"
	check_class port_restricted "port_restricted $independent $dependent $gateway4 true"
	check_class symmetric "symmetric $dependent $dependent $gateway4 true"
done

say "Of all datagrams 5 % are lost, each way"
link_delay 20
link_loss 5
check_lossy open none
check_lossy firewall symmetric_udp_firewall
check_lossy full full
check_lossy restricted restricted
check_lossy port_restricted port_restricted
check_lossy symmetric symmetric
check_lossy rejected blocked
