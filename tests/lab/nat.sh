# shellcheck shell=sh disable=SC2034 # scenarios use what is defined here
# SPDX-License-Identifier: GPL-3.0-or-later
#
# nat.sh: a client behind a gateway that may be any kind of NAT, and STUN
# servers in the public network. A scenario sources it after lib.sh. It needs
# nothing but iptables, ipset, TUN devices and network namespaces, so it works
# in the lab's kernel (tests/lab/run) and in this machine's own (tests/lab/here).
#
#	 client ------------- gateway ============= server
#	      eth0         lan       wan   cable   wan
#
#	client   10.0.0.2    fd00::2         where the gateway translates
#	         192.0.2.2   2001:db8:2::2   where it does not
#	gateway  203.0.113.7 2001:db8:7::7   and 203.0.113.8, 100.64.0.7
#	server   198.51.100.10 and .11, .20 and .21, .30 and .31; 2001:db8:1:: likewise
#
# Each pair of addresses is a STUN server's. Its host has no route to private
# addresses: what leaves the gateway untranslated is never answered.

: "${tools:?}" "${builddir:?}"
client4=10.0.0.2 client6=fd00::2
client4_public=192.0.2.2 client6_public=2001:db8:2::2
gateway4=203.0.113.7 gateway6=2001:db8:7::7
server4=198.51.100.10 server4_other=198.51.100.11
server6=2001:db8:1::10 server6_other=2001:db8:1::11
second4=198.51.100.20 second4_other=198.51.100.21
third4=198.51.100.30 third4_other=198.51.100.31
coturn_port=3478 stund_port=3488

# Kernels have the one kind of iptables, or the other, or both.
iptables=
for command in iptables-legacy iptables-nft; do
	if [ ! "$iptables" ] && ip6=ip6${command#ip} && $command -nL >/dev/null 2>&1 && $ip6 -nL >/dev/null 2>&1; then
		iptables=$command ip6tables=$ip6
	fi
done
: "${iptables:?this kernel has no iptables}"

# --- The network -------------------------------------------------------------

nat_network()
{
	[ -e /dev/net/tun ] || modprobe tun
	for place in client gateway server; do
		ip netns add $place
		ip -netns $place link set lo up
	done
	ip -netns client link add eth0 type veth peer name lan netns gateway
	ip -netns gateway tuntap add wan mode tun
	ip -netns server tuntap add wan mode tun
	ip -netns client -batch - <<-END
		addr add $client4/24 dev eth0
		addr add $client4_public/24 dev eth0
		addr add $client6/64 dev eth0 nodad
		addr add $client6_public/64 dev eth0 nodad
		link set eth0 up
	END
	ip -netns gateway -batch - <<-END
		addr add 10.0.0.1/24 dev lan
		addr add 192.0.2.1/24 dev lan
		addr add fd00::1/64 dev lan nodad
		addr add 2001:db8:2::1/64 dev lan nodad
		addr add $gateway4/24 dev wan
		addr add 203.0.113.8/24 dev wan
		addr add 100.64.0.7/10 dev wan
		addr add $gateway6/64 dev wan nodad
		link set lan up
		link set wan up
		route add 198.51.100.0/24 dev wan
		route add 2001:db8:1::/64 dev wan
	END
	ip -netns server -batch - <<-END
		link set wan up
		route add 192.0.2.0/24 dev wan
		route add 203.0.113.0/24 dev wan
		route add 100.64.0.0/10 dev wan
		route add 2001:db8:2::/64 dev wan
		route add 2001:db8:7::/64 dev wan
	END
	for pair in 1 2 3; do
		ip -netns server -batch - <<-END
			addr add 198.51.100.${pair}0/32 dev lo
			addr add 198.51.100.${pair}1/32 dev lo
			addr add 2001:db8:1::${pair}0/128 dev lo
			addr add 2001:db8:1::${pair}1/128 dev lo
		END
	done
	on gateway sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	nat_sets
	link_lay
}

# What the gateway has learned, each for one family: ports that were sent from;
# remote addresses that a port has sent to.
nat_sets()
{
	on gateway ipset restore <<-END
		create ports4 bitmap:port range 0-65535
		create ports6 bitmap:port range 0-65535
		create peers4 hash:ip,port family inet
		create peers6 hash:ip,port family inet6
	END
}

# The public network: everything between gateway and server.
link_rtt=0 link_percent=0 link_burst=1 link_cable=

link_lay()
{
	if [ "$link_cable" ]; then
		kill "$link_cable"
		wait_for 20 link_is_loose gateway
		wait_for 20 link_is_loose server
	fi
	link_cable=$("$builddir/tests/lab/cable" -d $((link_rtt / 2)).$((link_rtt % 2 * 5)) \
		-l "$link_percent" -b "$link_burst" -s "${seed:-1}" gateway:wan server:wan)
}

# link_is_loose PLACE: can another cable be attached there? A process that ends
# lets go of one end after the other.
link_is_loose()
{
	! ip -netns "$1" link show dev wan | grep LOWER_UP
}

# link_delay MILLISECONDS: there and back.
link_delay()
{
	link_rtt=$1
	link_lay
}

# link_loss PERCENT [PACKETS]: each way; so many in a row.
link_loss()
{
	link_percent=$1 link_burst=${2:-1}
	link_lay
}

# --- Classes -----------------------------------------------------------------

# nat_class CLASS: what the gateway is from now on, for IPv4 and IPv6. It forgets
# all that it has learned.
#
#	open             forwards
#	firewall         forwards; from outside only what answers
#	full             translates; a port that was sent from is open to all
#	restricted       ... to addresses that it has sent to
#	port_restricted  ... to addresses and ports that it has sent to
#	shifted          the same, with other ports outside than inside; IPv4
#	symmetric        another port outside for each destination
#	blocked          port_restricted that drops UDP
#	dark             drops TCP too
#	rejected         says by ICMP that UDP is prohibited
#	trap             port_restricted that lets unsolicited UDP in to itself, and so
#	                 takes a remote endpoint's port away from the client
#	carrier          port_restricted with an address that carriers share; IPv4
#	pool             another address outside for each destination; IPv4
nat_class()
{
	for set in ports4 ports6 peers4 peers6; do
		echo flush $set
	done | on gateway ipset restore
	nat_rules "$1" 4 "$client4" "$gateway4" icmp-admin-prohibited | on gateway $iptables-restore
	nat_rules "$1" 6 "$client6" "$gateway6" icmp6-adm-prohibited | on gateway "$ip6tables-restore"
	on gateway conntrack -F 2>/dev/null
	case $1 in
	open | firewall) nat_source "$client4_public" "$client6_public" ;;
	*) nat_source "$client4" "$client6" ;;
	esac
}

# nat_source ADDRESS4 ADDRESS6: what the client sends from.
nat_source()
{
	ip -netns client -batch - <<-END
		route replace default via ${1%.*}.1 src $1
		route replace default via ${2%::*}::1 src $2
	END
}

# nat_rules CLASS FAMILY INSIDE OUTSIDE ICMP: for iptables-restore.
nat_rules()
{
	forward='' before='' learn=''
	deaf='-A INPUT -i wan -p udp -j DROP'
	after='-A POSTROUTING -o wan -j MASQUERADE'
	case $1:$2 in
	open:* | firewall:*) after='' ;;
	full:*)
		learn="-A POSTROUTING -o wan -p udp -j SET --add-set ports$2 src"
		before="-A PREROUTING -i wan -p udp -m set --match-set ports$2 dst -j DNAT --to-destination $3"
		;;
	restricted:*)
		learn="-A POSTROUTING -o wan -p udp -j SET --add-set peers$2 dst,src"
		before="-A PREROUTING -i wan -p udp -m set --match-set peers$2 src,dst -j DNAT --to-destination $3"
		;;
	shifted:4) # by source port, that of each of sonm-stun's two sockets (src/discovery_exam.c)
		after="-A POSTROUTING -o wan -p udp --sport 61000:63267 -j SNAT --to-source $4:41000
			-A POSTROUTING -o wan -p udp --sport 63268:65535 -j SNAT --to-source $4:42000"
		;;
	symmetric:*) after="$after --random-fully" ;;
	trap:*) deaf='' ;;
	carrier:4) after='-A POSTROUTING -o wan -j SNAT --to-source 100.64.0.7' ;;
	pool:4)
		after="-A POSTROUTING -o wan -d $server4 -j SNAT --to-source $4
			-A POSTROUTING -o wan -j SNAT --to-source 203.0.113.8"
		;;
	esac
	case $1 in
	firewall) forward='-A FORWARD -i wan -m conntrack ! --ctstate ESTABLISHED,RELATED -j DROP' ;;
	blocked) forward='-A FORWARD -p udp -j DROP' ;;
	dark) forward='-A FORWARD -j DROP' ;;
	rejected) forward="-A FORWARD -i lan -p udp -j REJECT --reject-with $5" ;;
	esac
	cat <<-END
		*filter
		$deaf
		$forward
		COMMIT
		*nat
		$before
		$after
		COMMIT
		*mangle
		$learn
		COMMIT
	END
}

# --- STUN servers ------------------------------------------------------------

# nat_coturn A1 A2 [A1 A2]: RFC 5780, UDP and TCP; the second pair of the other family.
nat_coturn()
{
	for address; do
		set -- "$@" -L "$address"
		shift
	done
	on server turnserver -n --stun-only "$@" -p $coturn_port --alt-listening-port $((coturn_port + 1)) \
		--no-tls --no-dtls --no-cli --log-file stdout --simple-log >/run/coturn.log 2>&1 &
	wait_for 20 nat_listens "$address" $coturn_port
}

# nat_stund A1 A2: RFC 3489, UDP over IPv4.
nat_stund()
{
	on server stund -h "$1" -a "$2" -p $stund_port -o $((stund_port + 1)) >/run/stund.log 2>&1 &
	wait_for 20 nat_listens "$2" $stund_port
}

# nat_trickster A1 A2 TRICK[,TRICK]... [PLACE]: instead of the one that is there;
# at the server's place unless another one is said.
nat_trickster()
{
	if [ -e "/run/trickster-$1" ]; then
		kill "$(cat "/run/trickster-$1")"
		wait "$(cat "/run/trickster-$1")" 2>/dev/null || : # until its sockets are closed
	fi
	ip netns exec "${4:-server}" python3 "$tools/trickster.py" "$3" "$1" "$2" &
	echo $! >"/run/trickster-$1"
	wait_for 20 nat_hears "${4:-server}" "/run/trickster-$1"
}

# nat_listens ADDRESS PORT: at the next port too?
nat_listens()
{
	[ "$(on server ss -Hlnu "sport = :$2 or sport = :$(($2 + 1))" | awk '{ print $4 }' | sort -u | grep -Fc "$1")" -eq 2 ]
}

# nat_hears PLACE PID-FILE: are its sockets open, all four?
nat_hears()
{
	[ "$(on "$1" ss -Hlnup | grep -c "pid=$(cat "$2"),")" -eq 4 ]
}

# --- What the client finds and sends -----------------------------------------

# discover OPTION...: what sonm-stun finds at the client, into /run/found.
discover()
{
	on client sonm-stun -j "$@" >/run/found || fail "exit status $? of sonm-stun $*"
}

# found FIELD...: the values of these fields, in one line.
found()
{
	for field; do
		jq -r ".$field | tostring" /run/found
	done | paste -sd ' '
}

# nat_count: from now on the client's kernel counts what it sends: in all, and to
# each server, over UDP.
nat_count()
{
	on client $iptables-restore <<-END
		*filter
		-A OUTPUT -o eth0
		-A OUTPUT -p udp -d $server4/31
		-A OUTPUT -p udp -d $second4/31
		-A OUTPUT -p udp -d $third4/31
		COMMIT
	END
}

# nat_counted [SERVER]: packets.
nat_counted()
{
	on client $iptables -nvxL OUTPUT | awk -v to="${1:-0.0.0.0}/" 'NR > 2 && index($0, to) { print $1; exit }'
}
