# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# home.sh: worker1's home: a router that masquerades, and in the public network
# behind it a STUN server with two addresses. A scenario sources it after lib.sh.
#
#	worker1 ----------------- router ------------------- stun
#	  192.168.1.2        .1        203.0.113.7      203.0.113.10 and .11

home()
{
	ip netns add router
	ip netns add stun
	ip -netns worker1 link add eth1 type veth peer name home netns router
	ip -netns router link add internet type veth peer name eth0 netns stun
	ip -netns worker1 addr add 192.168.1.2/24 dev eth1
	ip -netns router addr add 192.168.1.1/24 dev home
	ip -netns router addr add 203.0.113.7/24 dev internet
	ip -netns stun addr add 203.0.113.10/24 dev eth0
	ip -netns stun addr add 203.0.113.11/24 dev eth0
	ip -netns worker1 link set eth1 up
	ip -netns router link set home up
	ip -netns router link set internet up
	ip -netns stun link set eth0 up
	ip -netns worker1 route add 203.0.113.0/24 via 192.168.1.1
	on router sysctl -qw net.ipv4.ip_forward=1
	on router iptables-legacy -t nat -A POSTROUTING -o internet -j MASQUERADE
	on router iptables-legacy -A INPUT -i internet -j DROP
	on stun turnserver -n --stun-only -L 203.0.113.10 -L 203.0.113.11 --no-tls --no-dtls --no-cli >/dev/null 2>&1 &
	wait_for 20 lab_listens stun 3479
}
