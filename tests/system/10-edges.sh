#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Where an account or a state file could be lost: counters that stand still,
# a removal that died halfway, streams that are closed.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

lab_network
lab_hub
head -c 1000000 /dev/urandom >/tmp/content
serve worker1 /tmp/content 8080

say "The counters stand still while a route closes"
endpoint=$(publish frozen -t 80=10.0.0.11:8080)
count client tcp "${endpoint##*:}"
sysctl -qw net.ipv4.vs.run_estimation=0
download "$endpoint" >/dev/null
expect_error 1 'run_estimation is 0.*sonm-gw-setup --apply' sonm-vs -D frozen --wait
sleep 4
sonm-gwstat --checkpoint
check_equal "$(sonm-vs -L frozen -j | jq -r '.routes[0].state')" closing "still"

say "and run again: not a byte is lost"
sonm-gw-setup --apply >/dev/null
sonm-gwstat --checkpoint
check_equal "$(sonm-vs -L frozen -j | jq -r '.routes[0].state')" closing "not before they have been read"
sonm-vs -D frozen --wait
check_equal "$(ledger inbytes frozen)" "$(counted client dpt "${endpoint##*:}")" "bytes in"
check_equal "$(ledger outbytes frozen)" "$(counted client spt "${endpoint##*:}")" "bytes out"

say "A removal that died before it reached the kernel is finished by the next"
endpoint=$(publish died -t 80=10.0.0.11:8080)
sonm-vs -A probe -t 80=10.0.0.11:8080 >/dev/null
sqlite3 "$state" "update route set state = 'closing', closing_ms = 0,
	closing_boot = '$(cat /proc/sys/kernel/random/boot_id)' where container = 'died'"
sonm-vs -D died
check_equal "$(ipvsadm -Ln -t "$endpoint" | grep -c Masq)" 0 "real servers"
sleep 3.2
sonm-gwstat --checkpoint
check_equal "$(sqlite3 "$state" "select count(*) from ledger where container = 'died'")" 1 "in the ledger"

say "A removal that died while it held the answers back: the container comes back elsewhere"
endpoint=$(publish held -t 80=10.0.0.11:7000)
strace -qq -o /dev/null -e inject=clock_nanosleep:signal=KILL:when=1 sonm-vs -D held 2>/dev/null || :
check_equal "$(ip rule | grep -c blackhole)" 1 "rules that hold back"
check_equal "$(publish held -t 80=10.0.0.11:8080)" "$endpoint" "endpoint"
check_equal "$(ip rule | grep -c blackhole)" 0 "rules that hold back"
check_equal "$(download "$endpoint" | sha256)" "$(sha256 /tmp/content)" "content"

say "An error finds its way into no file when stderr is closed"
status=0
sonm-vs -D nobody1 nobody2 2>&- || status=$?
check_equal "$status" 3 "exit status"
sonm-vs -D nobody1 nobody2 >&- 2>&- <&- || :
check_equal "$(sqlite3 "$state" 'pragma integrity_check')" ok "state file"
expect 0 sonm-vs -L probe

say "What is named twice is counted once"
expect 0 sonm-gwstat probe probe -j | jq -e '.containers | length == 1'
sonm-vs -D probe probe -t 80 -t 80 --wait -j | jq -e '.closed | length == 1'

say "Nothing is made by what changes nothing"
cat >/tmp/other.yaml <<-END
	gateway: {addresses: [$public4], state: /var/lib/sonm/other/gateway.db}
END
expect 3 sonm-vs -c /tmp/other.yaml -D nobody
expect 0 sonm-vs -c /tmp/other.yaml --sync
expect 0 sonm-gwstat -c /tmp/other.yaml --checkpoint
expect 0 sonm-gw-setup -c /tmp/other.yaml --undo
[ ! -e /var/lib/sonm/other ] || fail "the state file's directory was made"

say "Of several VIPs, one that is not here is passed over, a secondary address is as good as another"
ip addr add 198.51.100.9/24 dev hub-client
cat >/tmp/several.yaml <<-END
	gateway: {addresses: [203.0.113.9, 198.51.100.9, $public4], ports: [40000, 40000]}
END
# Nobody had this port before, so chance decides which VIP is first.
sonm-vs -c /tmp/several.yaml -A s1 -t 80=10.0.0.11:8080 >/tmp/endpoints
sonm-vs -c /tmp/several.yaml -A s2 -t 80=10.0.0.11:8080 --vport 40000 >>/tmp/endpoints
check_equal "$(sort /tmp/endpoints | paste -sd' ')" \
	"[80/tcp->$public4:40000] [80/tcp->198.51.100.9:40000]" "each has one route"
expect_error 5 'no tcp port is free' sonm-vs -c /tmp/several.yaml -A s3 -t 80=10.0.0.11:8080
check_equal "$(download 198.51.100.9:40000 | sha256)" "$(sha256 /tmp/content)" "content"

say "What was set before a boot is not undone after it"
sqlite3 "$state" "update setup set boot = 'another'"
sonm-gw-setup --undo >/tmp/undone
grep -c 'lost at a boot' /tmp/undone
check_equal "$(sysctl -n net.ipv4.ip_forward)" 1 "forwarding"
sonm-gw-setup --apply >/dev/null

say "The sum of a container has what is closed, and what is open"
sonm-vs -A sum -t 80=10.0.0.11:8080 -t 81=10.0.0.11:8080 >/dev/null
endpoint=$(sonm-vs -L sum -j | jq -r '.routes[] | "\(.address):\(.port)"')
for each in $endpoint; do
	download "$each" >/dev/null
done
sonm-vs -D sum -t 80 --wait >/dev/null
counters_settle
check_equal "$(sonm-gwstat sum -j | jq .total.outbytes)" \
	"$(($(ledger outbytes sum) + $(sonm-gwstat sum -j | jq '.containers[0].routes[0].outbytes')))" "sum"
[ "$(sonm-gwstat sum -j | jq .total.outbytes)" -gt 2000000 ] || fail "too little"

say "A real server named twice, or one too many, is the request's fault"
expect_error 2 '10.0.0.11:80 .*twice' sonm-vs -A twice -t 80=10.0.0.11:80 -t 80=10.0.0.11:80
set --
for i in $(seq 65); do
	set -- "$@" -t "80=10.0.0.11:$i"
done
expect_error 2 '64 real servers' sonm-vs -A many "$@"

say "A VIP is this host's own, whatever may be bound to"
cat >/tmp/own.yaml <<-END
	gateway: {state: /var/lib/sonm/gateway.db}
END
sysctl -qw net.ipv4.ip_nonlocal_bind=1
expect_error 2 'not an address of this host' sonm-vs -c /tmp/own.yaml -A x -t 80=10.0.0.11:80 --vip 203.0.113.9
expect_error 2 'not an address of this host' sonm-vs -c /tmp/own.yaml -A x -t 80=10.0.0.11:80 --vip 198.51.100.255
expect_error 2 "not among the 'addresses:'" sonm-vs -A x -t 80=10.0.0.11:80 --vip 203.0.113.9
