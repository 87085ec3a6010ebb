#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Several STUN servers at once, some on this side of the NAT, some that cannot
# tell or are silent: one answer, the right one, soon, and from few datagrams.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"
# shellcheck source=tests/lab/nat.sh
. "$tools/nat.sh"

# ask SERVER...: all in one run.
ask()
{
	for server; do
		set -- "$@" -s "$server"
		shift
	done
	discover "$@"
}

# check RIGHT SERVER...: nat, gateway and address, whatever else is said.
check()
{
	right=$1
	shift
	ask "$@"
	check_equal "$(found nat gateway address)" "$right" "$*"
}

# check_both RIGHT SERVER SERVER: in both orders.
check_both()
{
	check "$1" "$2" "$3"
	check "$1" "$3" "$2"
}

reasons()
{
	found 'reasons|map(.reason)|join(" ")'
}

has_reason()
{
	case " $(reasons) " in
	*" $1 "*) ;;
	*) fail "no reason $1, but: $(reasons)" ;;
	esac
}

# check_took MILLISECONDS: at most; with room for a machine that is busy, but for no time-out more.
check_took()
{
	echo "  took $(found took_ms) ms"
	[ "$(found took_ms)" -le "$1" ] || fail "that took $(found took_ms) ms, not $1"
}

# check_firewall SERVER...
check_firewall()
{
	check "symmetric_udp_firewall true $client4_public" "$@"
	has_reason servers_contradict
}

# seven: as many servers at two hosts, none of which has another address.
seven()
{
	echo $second4 $second4:3479 $second4_other $second4_other:3479 $third4 $third4:3479 $third4_other
}

nat_network
nat_coturn $server4 $server4_other
ip -netns gateway addr add 10.0.0.3/24 dev lan
ip -netns gateway addr add 192.0.2.3/24 dev lan
nat_trickster 10.0.0.1 10.0.0.3 honest gateway
nat_trickster 192.0.2.1 192.0.2.3 honest gateway
nat_trickster $second4 $second4_other honest
nat_trickster $third4 $third4_other honest

say "A server on this side of the NAT sees no NAT; one beyond it knows better"
nat_class port_restricted
check_both "port_restricted true $gateway4" 10.0.0.1 $server4
has_reason servers_disagree
check "port_restricted true $gateway4" 10.0.0.1 $server4 10.0.0.1:3479
nat_class symmetric
check_both "symmetric true $gateway4" 10.0.0.1 $server4
check "none true $client4" 10.0.0.1
has_reason private_address

say "A server on this side of the firewall sees none; that is no reason to go without a gateway"
nat_class firewall
check_firewall $server4 192.0.2.1
check_firewall 192.0.2.1 $server4
check_firewall 192.0.2.1 $server4 $second4
check_equal "$(found 'servers|length')" 3 "asked, the third for its opinion"

say "A public address for each destination: most servers see only one of them"
nat_class pool
for servers in "$server4 $second4" "$second4 $server4" "$server4 $second4 $third4" "$second4 $server4 $third4"; do
	# shellcheck disable=SC2086 # many
	ask $servers
	check_equal "$(found nat gateway)" "symmetric true" "$servers"
	has_reason address_pool
done

say "One that is named twice is asked once, and that is nothing to warn of"
nat_class port_restricted
ask $server4 $server4:3478 2>/run/stderr
[ ! -s /run/stderr ] || fail "it warns: $(cat /run/stderr)"
check_equal "$(found nat 'servers|length')" "port_restricted 1" "found, and asked"

say "Two that agree are enough"
ask $server4 $second4 $third4
check_equal "$(found nat 'servers|length')" "port_restricted 2" "found, and asked"

say "From the loopback interface nobody can be asked: an error, and at once"
began=$(date +%s)
expect_error 1 "$server4" on client sonm-stun -b lo -s $server4 -s $second4
[ $(($(date +%s) - began)) -le 2 ] || fail "that took $(($(date +%s) - began)) s"

say "A name that is one server's two addresses, while 10 % is lost each way"
printf '%s twin.example.net\n' $server4 $server4_other >>/etc/hosts
echo multi on >/etc/host.conf
check_equal "$(on client getent ahostsv4 twin.example.net | awk '$2 == "DGRAM"' | wc -l)" 2 "addresses"
link_loss 10
for _ in 1 2 3 4 5 6; do
	nat_count
	ask twin.example.net:$coturn_port
	check_equal "$(found 'servers|length')" 1 "examined"
	sent=$(nat_counted $server4)
	echo "  $(found nat), after $sent datagrams"
	[ "$sent" -le 40 ] || fail "more than 40 datagrams"
	case $(found nat) in
	port_restricted | unknown) ;;
	*) fail "a wrong verdict: $(found nat)" ;;
	esac
done
link_loss 0

say "Seven that have no other address, and one that has"
nat_trickster $second4 $second4_other no-other
nat_trickster $third4 $third4_other no-other
# shellcheck disable=SC2046 # many
check "port_restricted true $gateway4" $server4 $(seven)
check_took 3000
# shellcheck disable=SC2046 # many
check "port_restricted true $gateway4" $(seven) $server4
check_took 3000

say "Four that are silent over UDP"
nat_class blocked
check "blocked true $gateway4" $server4 $server4:3479 $server4_other $server4_other:3479
has_reason tcp_answers
check_took 2000
nat_class dark
check "blocked true null" $server4 $server4:3479 $server4_other $server4_other:3479
has_reason all_silent
check_equal "$(found 'servers|length')" 4 "asked"
check_took 4500

say "A gateway that says of every port beyond it that nobody listens"
nat_class port_restricted
on gateway $iptables -A FORWARD -i lan -p udp -j REJECT
on gateway "$ip6tables" -A FORWARD -i lan -p udp -j REJECT
check "blocked true null" $server4 $second4
check_equal "$(reasons)" prohibited "reasons"
check "blocked true null" "[$server6]" "[$server6_other]"
check_equal "$(reasons)" prohibited "reasons"

say "A gateway that refuses TCP at once, while the server is 1.2 s away"
link_delay 1200
nat_class open
on gateway $iptables -A FORWARD -p tcp -j REJECT --reject-with tcp-reset
check "none false $client4_public" $server4
