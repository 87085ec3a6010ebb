#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Whom sonm-stun asks, and from where: names and their records, configuration
# files, families, routes, and nobody at all.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"
# shellcheck source=tests/lab/nat.sh
. "$tools/nat.sh"

# nameserver LINE...: these are the lines of its configuration; it is on the gateway's inside.
nameserver()
{
	printf '%s\n' bind-interfaces listen-address=10.0.0.1 no-resolv no-hosts \
		local=/example.net/example.org/ "$@" >/run/dnsmasq.conf
	on gateway dnsmasq -d -C /run/dnsmasq.conf 2>/run/dnsmasq.log & # -d: remains whose it is
	wait_for 20 nameserver_listens
	mkdir -p /etc/netns/client
	echo 'nameserver 10.0.0.1' >/etc/netns/client/resolv.conf
}

nameserver_listens()
{
	[ -n "$(on gateway ss -Hlnu 'src 10.0.0.1:53')" ]
}

# asked OPTION...: where the servers were that it asked.
asked()
{
	discover "$@"
	found 'servers|map("\(.address) \(.port)")|sort|join(", ")'
}

# config LINE...
config()
{
	printf '%s\n' "$@" >/run/worker.yaml
}

# check_silent RIGHT OPTION...: sends no packet; source, nat, gateway and addresses.
check_silent()
{
	right=$1
	shift
	nat_count
	discover "$@"
	check_equal "$(found source nat gateway 'addresses|map("\(.address) \(.scope)")|join(", ")')" "$right" "believed"
	check_equal "$(nat_counted)" 0 "packets"
}

nat_network
nat_class open
nat_coturn $server4 $server4_other $server6 $server6_other
nat_stund $server4 $server4_other
nameserver \
	"host-record=both.example.net,$server4,$server6" \
	"host-record=six.example.net,$server6" \
	"address=/two.example.net/$server4" "address=/two.example.net/$second4" \
	'host-record=loop.example.net,127.0.0.1,::1' \
	"srv-host=_stun._udp.example.net,both.example.net,$stund_port" \
	"srv-host=_stun._udp.example.org,two.example.net,9" \
	"srv-host=_stun-behavior._udp.example.org,both.example.net,$coturn_port"

say "Names: addresses of either family, SRV records"
check_equal "$(asked -s both.example.net)" "$server4 3478" "A and AAAA"
check_equal "$(asked -6 -s both.example.net)" "$server6 3478" "A and AAAA, IPv6"
check_equal "$(asked -s six.example.net)" "$server6 3478" "AAAA"
check_equal "$(asked -s example.net)" "$server4 $stund_port" "_stun._udp"
check_equal "$(asked -s example.org)" "$server4 3478" "_stun-behavior._udp"
check_equal "$(asked -s both.example.net:$stund_port)" "$server4 $stund_port" "no SRV for a name with a port"
check_equal "$(asked -s two.example.net)" "$server4 3478, $second4 3478" "all addresses"
expect_error 1 'loop.example.net' on client sonm-stun -s loop.example.net
expect_error 1 'nobody.example.net' on client sonm-stun -s nobody.example.net
discover -s nobody.example.net -s both.example.net
check_equal "$(found nat)" none "after a name that nobody knows"

say "The servers of the configuration"
config 'firewall:' "  server: \"$server4:$stund_port\""
check_equal "$(asked -c /run/worker.yaml)" "$server4 $stund_port" "one"
config 'firewall:' '  server:' "    - \"$second4\"" '    - both.example.net'
check_equal "$(asked -c /run/worker.yaml)" "$server4 3478, $second4 3478" "a list"
check_equal "$(asked -c /run/worker.yaml -s $server4:$stund_port)" "$server4 $stund_port" "the command line's"
expect_error 2 'worker.yaml' on client sonm-stun -c /run/no-worker.yaml
config 'firewal:' "  server: $server4"
expect_error 2 ':1:1: .*firewall' on client sonm-stun -c /run/worker.yaml

say "Nobody waits for libraries that are for the hub, or for a report"
program=$(command -v sonm-stun)
libraries=$(ldd "$program")
case $libraries in
*libnl* | *libsqlite* | *libcurl*) fail "$libraries" ;;
*libc.so*) ;;
*) fail "ldd does not tell: $libraries" ;;
esac
! grep -qa 'SQLite format 3' "$program" || fail "SQLite is linked in"
grep -qa 'SQLite format 3' "$(command -v sonm-vs)" || ldd "$(command -v sonm-vs)" | grep -q libsqlite ||
	fail "it would not be seen"

say "The address and the interface to ask from"
discover -s $server4 -b eth0
check_equal "$(found nat local)" "none $client4_public" "eth0"
discover -s $server4 -b $client4_public
check_equal "$(found nat local)" "none $client4_public" "$client4_public"
expect_error 2 '192.0.2.99' on client sonm-stun -s $server4 -b 192.0.2.99
expect_error 2 'IPv6' on client sonm-stun -s $server4 -6
expect_error 2 'IPv6' on client sonm-stun -s $server4 -b ::1
expect_error 2 '-b is for asking' on client sonm-stun -b nosuch0

say "Who asks for help gets it, and nothing else"
nat_count
for question in -jh -hv --hel; do
	on client sonm-stun -s $server4 $question | grep -q '^usage\|^Usage' || fail "no help for $question"
done
check_equal "$(on client sonm-stun --vers -j)" "$(sonm-stun --version)" "version"
check_equal "$(nat_counted)" 0 "packets"

say "Without a firewall section no packet is sent"
config 'other: 1'
check_silent "interfaces none false $client4_public global, $client6_public global" -c /run/worker.yaml
on client sonm-stun -j -c /run/worker.yaml 2>&1 >/dev/null | grep -q 'warning: .*nothing is asked' || fail "no warning"
on client sonm-stun -c /run/worker.yaml | grep -q 'nobody was asked' || fail "it claims to know"
config 'public_ip_addrs: ["203.0.113.99", "2001:db8:9::9"]'
check_silent "configuration none false 203.0.113.99 global, 2001:db8:9::9 global" -c /run/worker.yaml
ip -netns client addr del $client4_public/24 dev eth0
ip -netns client addr del $client6_public/64 dev eth0
check_silent "interfaces none true $client4 private, $client6 private"

say "No route to the server, or none of that family: an error, and at once"
nat_class port_restricted
ip -netns client route del default
ip -netns client -6 route del default
began=$(date +%s)
expect_error 1 "$server4" on client sonm-stun -s $server4
expect_error 1 "$server6" on client sonm-stun -6 -s $server6
[ $(($(date +%s) - began)) -lt 5 ] || fail "that took $(($(date +%s) - began)) s"
