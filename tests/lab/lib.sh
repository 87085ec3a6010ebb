# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# lib.sh: what scenarios are made of. A scenario begins with
#
#	#!/bin/sh
#	# shellcheck source=tests/lab/lib.sh
#	. "${tools:?}/lib.sh"
#
# and ends with success unless a command fails, or a check does. Witnesses are
# programs of others: ipvsadm, iptables, sqlite3, sha256sum, ss.
#
#	              198.51.100.0/24               10.0.0.0/24
#	 client ------------------------- hub ---------------------- worker1, worker2
#	      .2     2001:db8:1::/64       .1       fd00::/64         .11      .12
#
# The hub is the machine itself; the others are network namespaces. The workers
# have no route to the public network: what reaches them from there they can
# only answer if the hub puts its own address in the place of the client's.

set -eu

: "${tools:?}"
public4=198.51.100.1 public6=2001:db8:1::1
state=/var/lib/sonm/gateway.db
step=

trap 'lab_ended $?' EXIT

# --- The story ---------------------------------------------------------------

say()
{
	step=$*
	echo "* $*"
}

fail()
{
	echo "FAILED: $*"
	exit 1
}

# What is needed to see why.
lab_ended()
{
	[ "$1" -ne 0 ] || return 0
	echo "ended with status $1 in: $step"
	for command in 'ipvsadm -Ln --stats --exact' 'sonm-vs -L' 'dmesg'; do
		echo "--- $command"
		$command 2>&1 | tail -n 12
	done
}

# lab_boots FUNCTION...: plays each in a boot of its own. In between the power
# is cut; what is on /var/lib/sonm stays.
lab_boots()
{
	boots=$(cat /lab/boots 2>/dev/null || echo 0)
	echo $((boots + 1)) >/lab/boots
	shift "$boots"
	"$1"
	[ $# -eq 1 ] || touch /lab/again
	sync /lab/boots
}

# --- The network -------------------------------------------------------------

lab_network()
{
	ip link add lan type bridge
	lab_namespace client hub-client 198.51.100.2/24 2001:db8:1::2/64
	lab_namespace worker1 hub-worker1 10.0.0.11/24 fd00::11/64
	lab_namespace worker2 hub-worker2 10.0.0.12/24 fd00::12/64
	ip -batch - <<-END
		link set hub-worker1 master lan
		link set hub-worker2 master lan
		addr add $public4/24 dev hub-client
		addr add $public6/64 dev hub-client nodad
		addr add 10.0.0.1/24 dev lan
		addr add fd00::1/64 dev lan nodad
		link set hub-worker1 up
		link set hub-worker2 up
		link set hub-client up
		link set lan up
	END
	ip -batch - -netns client <<-END
		route add default via $public4
		route add default via $public6
	END
}

# lab_namespace NAME HUB-SIDE ADDRESS4 ADDRESS6
lab_namespace()
{
	ip netns add "$1"
	ip link add "$2" type veth peer name eth0 netns "$1"
	ip -netns "$1" -batch - <<-END
		link set lo up
		addr add $3 dev eth0
		addr add $4 dev eth0 nodad
		link set eth0 up
	END
}

# on PLACE COMMAND...: at the client, a worker or the hub.
on()
{
	place=$1
	shift
	case $place in
	hub) "$@" ;;
	*) ip netns exec "$place" "$@" ;;
	esac
}

# lab_slow_client: what the client has not read yet waits at the worker, not in buffers on the way.
lab_slow_client()
{
	on client sysctl -qw net.ipv4.tcp_rmem='4096 65536 65536'
	on worker1 sysctl -qw net.ipv4.tcp_wmem='4096 65536 65536'
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for()
{
	read -r uptime _ </proc/uptime
	deadline=$((${uptime%.*} + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		read -r uptime _ </proc/uptime
		[ "${uptime%.*}" -lt $deadline ] || fail "waited in vain for: $*"
		sleep 0.1
	done
}

# --- Traffic -----------------------------------------------------------------

# serve WORKER FILE PORT: over TCP and UDP, in the background.
serve()
{
	on "$1" python3 "$tools/peer.py" serve "$2" "$3" &
	wait_for 20 lab_listens "$1" "$3"
}

lab_listens()
{
	[ -n "$(on "$1" ss -Hlnu "sport = :$2")" ]
}

# download URL-HOST:PORT [CURL-OPTION...]: by the client, over TCP, to stdout.
download()
{
	where=$1
	shift
	on client curl -sS --http1.0 --connect-timeout 5 --max-time 60 "$@" "http://$where/"
}

# slow_download FILE HOST:PORT [CURL-OPTION...]: the same in the background and into
# FILE, and slowly, until finish_download: it neither ends before on a machine that is
# busy nor takes longer than it must. $download is the client.
slow_download()
{
	into=$1
	shift
	rm -f "$into" "$into.pipe" "$into.hurry"
	mkfifo "$into.pipe"
	lab_trickle "$into.hurry" <"$into.pipe" >"$into" &
	echo $! >"$into.reader"
	download "$@" --max-time 300 --keepalive-time 1 >"$into.pipe" &
	download=$!
	wait_for 20 test -s "$into"
}

# At most 200 kB a second.
lab_trickle()
{
	until [ -e "$1" ]; do
		head -c 20000
		sleep 0.1
	done
	cat
}

# finish_download FILE CLIENT: at full speed. Fails if the client did.
finish_download()
{
	touch "$1.hurry"
	wait "$2" || return
	wait "$(cat "$1.reader")"
}

# download_udp HOST:PORT
download_udp()
{
	on client python3 "$tools/peer.py" fetch "$(lab_host "$1")" "${1##*:}"
}

# serve_sctp WORKER FILE PORT: over SCTP, in the background.
serve_sctp()
{
	modprobe sctp
	on "$1" python3 "$tools/peer.py" serve-sctp "$2" "$3" &
	wait_for 20 lab_listens_sctp "$1" "$3"
}

lab_listens_sctp()
{
	on "$1" grep -Eq "^( *[^ ]+){5} +$2 " /proc/net/sctp/eps
}

# download_sctp HOST:PORT
download_sctp()
{
	on client python3 "$tools/peer.py" fetch-sctp "$(lab_host "$1")" "${1##*:}"
}

# hear_stream HOST:PORT FILE: asks for a stream over UDP and sends nothing more, while there is FILE.
hear_stream()
{
	on client python3 "$tools/peer.py" hear "$(lab_host "$1")" "${1##*:}" "$2"
}

# end_stream WORKER PORT
end_stream()
{
	on "$1" bash -c "printf stop >/dev/udp/127.0.0.1/$2"
}

lab_host()
{
	host=${1%:*} host=${host#[}
	echo "${host%]}"
}

# count_ports PLACE FIRST-LAST: begins to count the IP bytes that arrive there at each of these ports,
# in the sets tcp and udp. Resets are counted apart.
count_ports()
{
	on "$1" ipset restore <<-END
		create tcp bitmap:port range $2 counters
		create udp bitmap:port range $2 counters
		add tcp $2
		add udp $2
	END
	for family in '' 6; do
		on "$1" "ip${family}tables-legacy-restore" --noflush <<-END
			*filter
			-A INPUT -p tcp --tcp-flags RST RST -j ACCEPT
			-A INPUT -p tcp -m set --match-set tcp dst
			-A INPUT -p udp -m set --match-set udp dst
			COMMIT
		END
	done
}

sha256()
{
	sha256sum "$@" | cut -d' ' -f1
}

# count PLACE (tcp|udp) PORT: begins to count the IP bytes of that port there.
# Resets are counted apart.
count()
{
	for family in '' 6; do
		on "$1" "ip${family}tables-legacy-restore" --noflush <<-END
			*filter
			-A INPUT -p tcp --tcp-flags RST RST -j ACCEPT
			-A OUTPUT -p tcp --tcp-flags RST RST -j ACCEPT
			-A INPUT -p $2 --dport $3
			-A INPUT -p $2 --sport $3
			-A OUTPUT -p $2 --dport $3
			-A OUTPUT -p $2 --sport $3
			COMMIT
		END
	done
}

# counted PLACE (dpt|spt|RST) [PORT]: IP bytes to the port, from it, or of resets.
counted()
{
	{
		on "$1" iptables-legacy -nvxL
		on "$1" ip6tables-legacy -nvxL
	} | awk -v what="$2:${3-}" '
		what == "RST:" && /flags:0x04/ || index($0 " ", what " ") { sum += $2 }
		END { print sum + 0 }'
}

# --- The programs under test -------------------------------------------------

# lab_hub [GATEWAY-KEY: VALUE]...: configures the hub and prepares its kernel.
lab_hub()
{
	lab_configure "$@"
	say "The hub's kernel is prepared"
	sonm-gw-setup --apply >/run/setup || { cat /run/setup; fail "sonm-gw-setup --apply"; }
}

lab_configure()
{
	mkdir -p /etc/sonm
	{
		echo "gateway:"
		echo "  addresses: [$public4, \"$public6\"]"
		[ $# -eq 0 ] || printf '  %s\n' "$@"
	} >/etc/sonm/gateway.yaml
}

# publish CONTAINER OPTION...: prints the endpoint, ADDRESS:PORT, of each route.
publish()
{
	sonm-vs -A "$@" >/run/published || fail "cannot publish: $*"
	sed 's/.*->\(.*\)]/\1/' /run/published
}

# ledger COLUMN CONTAINER: what its closed routes transferred.
ledger()
{
	sqlite3 "$state" "select coalesce(sum($1), 0) from ledger where container = '$2'"
}

# A line a service: protocol, endpoint, connections, packets and bytes in and out.
counters_of_kernel()
{
	ipvsadm -Ln --stats --exact | awk '/^(TCP|UDP|SCTP)/ { $1 = tolower($1); print $1, $2, $3, $4, $5, $6, $7 }' | sort
}

counters_of_gwstat()
{
	sonm-gwstat -j | jq -r '.containers[].routes[]
		| (if .address | contains(":") then "[\(.address)]" else .address end) as $address
		| "\(.protocol) \($address):\(.port) \(.conns) \(.inpkts) \(.outpkts) \(.inbytes) \(.outbytes)"' | sort
}

# The kernel takes a snapshot of its counters every 2 s; one cannot see when.
counters_settle()
{
	sleep 3
}

# What the kernel should do according to the state file, as ipvsadm would say it.
services_of_state()
{
	sqlite3 "$state" "
		create temp view endpoint as select *,
			case protocol when 6 then '-t ' when 17 then '-u ' else '--sctp-service ' end ||
			case instr(address, ':') when 0 then address else '[' || address || ']' end ||
			':' || port as service from route where kind = 'gateway';
		select '-A ' || service || ' -s ' || scheduler ||
			case persistence when 0 then '' else ' -p ' || persistence end from endpoint union all
		select '-a ' || service || ' -r ' ||
			case instr(r.address, ':') when 0 then r.address else '[' || r.address || ']' end ||
			':' || r.port || ' -m -w ' || case when drain_boot is null then weight else 0 end
		from endpoint e join real_server r on r.route = e.id where e.state = 'open'" | sort
}

services_of_kernel()
{
	ipvsadm -Sn | sort
}

# services_on PORT: what ipvsadm -Sn says of the services with that virtual port, real servers sorted.
services_on()
{
	ipvsadm -Sn | grep -E "^-[Aa] [^ ]+ [^ ]*:$1 " | sort
}

check_state_is_kernel()
{
	check_equal "$(services_of_state)" "$(services_of_kernel)" "state file and kernel agree"
}

# --- Checks ------------------------------------------------------------------

# check_equal A B WHAT
check_equal()
{
	[ "$1" = "$2" ] || fail "$3:
$1
is not
$2"
	case $1 in
	*'
'*) echo "  $3" ;;
	*) echo "  $3: $1" ;;
	esac
}

# expect STATUS COMMAND...: shows its output, checks its exit status.
expect()
{
	wanted=$1
	shift
	status=0
	"$@" || status=$?
	[ "$status" -eq "$wanted" ] || fail "exit status $status, not $wanted: $*"
}

# expect_error STATUS PATTERN COMMAND...: that it fails with that status and a
# single line that matches the extended regular expression.
expect_error()
{
	wanted=$1 pattern=$2
	shift 2
	status=0
	"$@" >/run/stdout 2>/run/stderr || status=$?
	sed 's/^/  /' /run/stderr
	[ "$status" -eq "$wanted" ] || fail "exit status $status, not $wanted: $*"
	[ ! -s /run/stdout ] || fail "prints a result in spite of the error: $*"
	[ "$(wc -l </run/stderr)" -eq 1 ] || fail "the error is not one line: $*"
	grep -Eq -- "$pattern" /run/stderr || fail "the error does not say '$pattern': $*"
}
