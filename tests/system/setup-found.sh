#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What stands in the way of the traffic at run time is found and named, with
# what to do, and left as it is.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

# only NAME PRESENT COMMAND: --check says that this step differs, or is missing, and no other; what it
# finds, as an extended regular expression, and what it advises.
only()
{
	expect 6 sonm-gw-setup -j >/run/json
	check_equal "$(jq -r '.steps[] | select(.status != "ok") | .name' /run/json)" "$1" "not ok"
	present=$(jq -r --arg name "$1" '.steps[] | select(.name == $name) | .present' /run/json)
	echo "  $present"
	echo "$present" | grep -Eqx "$2" || fail "not what was expected"
	jq -r --arg name "$1" '.steps[] | select(.name == $name) | .command' /run/json >/run/advice
	check_equal "$(cat /run/advice)" "$3" "what to do"
}

# state NAME: status and present value.
state()
{
	sonm-gw-setup -j >/run/json || :
	jq -r --arg name "$1" '.steps[] | select(.name == $name) | "\(.status): \(.present)"' /run/json
}

fine()
{
	expect 0 sonm-gw-setup >/run/output || { grep -v ^ok /run/output; fail "$1"; }
}

listen()
{
	python3 - "$@" <<-'END' &
		import socket, sys, time
		family = socket.AF_INET6 if ":" in sys.argv[2] else socket.AF_INET
		for port in map(int, sys.argv[3:]):
		    s = socket.socket(family, socket.SOCK_STREAM if sys.argv[1] == "t" else socket.SOCK_DGRAM)
		    s.bind((sys.argv[2], port))
		    sys.argv[1] == "u" or s.listen()
		    globals()[f"s{port}"] = s
		open("/run/listens", "w").close()
		time.sleep(1000)
	END
	listener=$!
	wait_for 20 test -e /run/listens
	rm /run/listens
}

stop_listening()
{
	kill $listener
	wait $listener || :
}

lab_network
say "The pool is not reserved among this host's own ports"
lab_configure
sonm-gw-setup -j >/run/json || :
jq -r '.steps[] | select(.name == "net.ipv4.ip_local_reserved_ports").note' /run/json >/run/note
cat /run/note
grep -q 'ports of 32768-60999 (ip_local_port_range), among them 32768-33768 of the pool$' /run/note || fail "not said"

say "After --apply"
lab_hub
fine "after --apply"
check_equal "$(sonm-gw-setup -j | jq -r '.steps[] | select(.name == "net.ipv4.ip_local_reserved_ports").note' | grep -c port_range)" 0 \
	"what overlaps"
tail -n 4 /run/output

say "A VIP that is on no interface"
ip address del 198.51.100.1/24 dev hub-client
only 'missing addresses' '198\.51\.100\.1' 'ip address add 198.51.100.1/32 dev INTERFACE'
say "On lo is as good"
ip address add 198.51.100.1/32 dev lo
fine "with the address on lo"
ip address del 198.51.100.1/32 dev lo
ip address add 198.51.100.1/24 dev hub-client

say "Services of others in the pool, before there is a route"
ipvsadm -A -t 198.51.100.1:32770 -s wrr
ipvsadm -A -t 198.51.100.1:80 -s wrr   # not in the pool
ipvsadm -A -t 192.0.2.1:32771 -s wrr   # not an address of ours
ipvsadm -A -f 7 -s wrr
services=$(ipvsadm -Sn)
only 'foreign services' 'tcp 198\.51\.100\.1:32770' 'ipvsadm -Sn | sonm-vs -R --adopt'
say "Many of them, and there are routes"
sonm-vs -A web -t 80=10.0.0.11:8080 --vport 32800 >/run/published
for port in 32771 32772 32773 32774; do
	ipvsadm -A -u 198.51.100.1:$port -s wrr
done
only 'foreign services' '(tcp|udp) [^ ]*, udp [^ ]*, udp [^ ]* and 2 more' 'sonm-vs --sync'
expect 0 sonm-gw-setup --apply >/run/output
check_equal "$(ipvsadm -Sn | grep -c 3277)" 6 "--apply leaves them"
sonm-vs --sync >/run/output
fine "after --sync"
check_equal "$(ipvsadm -Sn | grep -v 32800)" "$(echo "$services" | grep -v 32770)" "the others are as before"

say "Local listeners in the pool"
listen t 0.0.0.0 33000 33500 40000
only 'local listeners' 'tcp 198\.51\.100\.1:33000, tcp 198\.51\.100\.1:33500' "ss -Hlnpt 'sport = :33000'"
sh /run/advice | tee /run/output
grep -q ':33000.*python3' /run/output || fail "the command does not name the program"
stop_listening
listen u :: 33001
only 'local listeners' 'udp 198\.51\.100\.1:33001, udp \[2001:db8:1::1\]:33001' "ss -Hlnpu 'sport = :33001'"
stop_listening
say "At other addresses they are in nobody's way; connections are no listeners"
listen t 127.0.0.1 33002
fine "on loopback"
stop_listening
serve worker1 /etc/passwd 8080
python3 -c 'import socket, time
s = socket.socket(); s.bind(("10.0.0.1", 33003)); s.connect(("10.0.0.11", 8080)); open("/run/connected", "w"); time.sleep(1000)' &
listener=$!
wait_for 20 test -e /run/connected
fine "with a connection"
stop_listening
say "SCTP"
modprobe sctp
python3 -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132); s.bind(("198.51.100.1", 33004)); s.listen(); open("/run/listens", "w"); time.sleep(1000)' &
listener=$!
wait_for 20 test -e /run/listens
only 'local listeners' 'sctp 198\.51\.100\.1:33004' "ss -HlnpS 'sport = :33004'"
stop_listening

say "A conntrack table that is nearly full"
max=$(sysctl -n net.netfilter.nf_conntrack_max)
conntrack -F 2>/dev/null
fill()
{
	i=0
	while [ $i -lt "$1" ]; do
		echo "-I -p udp -s 10.0.0.11 -d 10.0.0.12 --sport $((2000 + i)) --dport 53 -t 600"
		i=$((i + 1))
	done >/run/entries
	conntrack -R /run/entries >/dev/null 2>&1 || while read -r entry; do
		# shellcheck disable=SC2086
		conntrack $entry >/dev/null 2>&1
	done </run/entries
}
fill 95
count=$(sysctl -n net.netfilter.nf_conntrack_count)
[ "$count" -ge 95 ] || fail "only $count entries"
sysctl -qw net.netfilter.nf_conntrack_max=$((count + 4))
check_equal "$(state 'conntrack usage')" "differs: $count of $((count + 4))" "nearly full"
check_equal "$(jq -r '.steps[] | select(.name == "conntrack usage") | .command' /run/json)" \
	"sysctl -w net.netfilter.nf_conntrack_max=$((2 * (count + 4)))" "what to do"
sysctl -qw net.netfilter.nf_conntrack_max=$((count * 2))
check_equal "$(state 'conntrack usage')" "ok: $count of $((count * 2))" "half full"
sysctl -qw "net.netfilter.nf_conntrack_max=$max"

say "The JSON has them, last"
check_equal "$(sonm-gw-setup -j | jq -r '.steps[-4:][] | "\(.name) \(.report_only)"' | xargs)" \
	"missing addresses true foreign services true local listeners true conntrack usage true" "steps"

say "Without IPVS in the kernel there is nothing of it to find, and looking loads nothing"
sonm-vs -D web --wait >/run/output
sonm-gw-setup --undo >/run/output
ipvsadm -C
modprobe -r ip_vs_wrr xt_ipvs ip_vs
check_equal "$(state 'foreign services')" "ok: none" "foreign services"
[ ! -e /sys/module/ip_vs ] || fail "ip_vs is loaded"
