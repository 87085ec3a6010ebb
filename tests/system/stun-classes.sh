#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Every kind of NAT and firewall is recognised, over IPv4 with servers of
# RFC 5780 (coturn) and RFC 3489 (stund), and over IPv6; the public address is
# the one that another STUN client sees.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"
# shellcheck source=tests/lab/nat.sh
. "$tools/nat.sh"

# The address that coturn's own client gets to see, from a server there. Then it
# goes on to ask for answers from elsewhere, and would wait for them in vain.
witness()
{
	rm -f /run/witness
	ip netns exec client stdbuf -oL turnutils_stunclient "$1" >/run/witness &
	wait_for 10 grep -Eq 'reflexive addr: .+' /run/witness
	kill $! 2>/dev/null || :
	sed -n 's/.*reflexive addr: \(.*\):[0-9]*$/\1/p' /run/witness | head -n 1
}

# check_class CLASS SERVER RIGHT: nat, mapping, filtering and gateway.
check_class()
{
	nat_class "$1"
	discover -s "$2"
	check_equal "$(found nat mapping filtering gateway)" "$3" "$2"
}

# check_address SERVER ADDRESS
check_address()
{
	check_equal "$(witness "$1")" "$2" "what another client sees"
	check_equal "$(found address)" "$2" "public address"
}

# play CLASS ADDRESS4 ADDRESS6 NAT MAPPING FILTERING GATEWAY
play()
{
	class=$1 address4=$2 address6=$3
	shift 3
	say "A gateway of the class $class"
	check_class "$class" "$server4:$stund_port" "$*"
	check_class "$class" "$server4:$coturn_port" "$*"
	check_address "$server4" "$address4"
	check_class "$class" "[$server6]:$coturn_port" "$*"
	check_address "$server6" "$address6"
}

# play_blocked CLASS REASON STUND-REASON: nothing else can be known. stund has no TCP.
play_blocked()
{
	say "A gateway of the class $1"
	check_class "$1" "$server4:$stund_port" "blocked unknown unknown true"
	check_equal "$(found 'reasons[0].reason')" "$3" "reason"
	for server in "$server4:$coturn_port" "[$server6]:$coturn_port"; do
		check_class "$1" "$server" "blocked unknown unknown true"
		check_equal "$(found 'reasons[0].reason')" "$2" "reason"
	done
}

# check_text CLASS LINE...: of the output for people.
check_text()
{
	nat_class "$1"
	shift
	on client sonm-stun -s "$server4" >/run/text || fail "exit status $? of sonm-stun"
	for line; do
		grep -Eq "^$line$" /run/text || fail "it does not say '$line': $(cat /run/text)"
		echo "  $line"
	done
}

nat_network
nat_coturn "$server4" "$server4_other" "$server6" "$server6_other"
nat_stund "$server4" "$server4_other"
independent=endpoint_independent dependent=address_and_port_dependent

play open $client4_public $client6_public none none none false
play firewall $client4_public $client6_public symmetric_udp_firewall none $dependent true
play full $gateway4 $gateway6 full $independent $independent true
play restricted $gateway4 $gateway6 restricted $independent address_dependent true
play port_restricted $gateway4 $gateway6 port_restricted $independent $dependent true
play symmetric $gateway4 $gateway6 symmetric $dependent $dependent true
play_blocked blocked tcp_answers tcp_refused
play_blocked dark all_silent all_silent
play_blocked rejected prohibited prohibited

say "The same for people"
check_text open "Public address: +$client4_public .*" 'NAT type: +Not behind a NAT' 'Gateway needed: +no:.*'
check_text firewall 'NAT type: +Symmetric UDP firewall' 'Gateway needed: +yes:.*'
check_text port_restricted "Public address: +$gateway4 .*" 'NAT type: +Port restricted NAT' \
	'Mapping: +endpoint independent' 'Filtering: +address and port dependent'
check_text blocked 'NAT type: +UDP is blocked' 'Gateway needed: +yes:.*'
