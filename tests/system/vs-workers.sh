#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What a worker's sonm-stun reports decides how its containers are published: at
# the worker's own address, or through the hub. When that changes, --sync moves
# them, and the account goes on.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

# report PLACE ADDRESS: what sonm-stun says there, where no firewall is configured.
report()
{
	printf 'public_ip_addrs: ["%s"]\n' "$2" >/run/worker.yaml
	on "$1" sonm-stun -c /run/worker.yaml -j
}

kind_of()
{
	sonm-vs -L "$1" -j | jq -r '[.routes[] | select(.state == "open") | .kind] | unique | .[]'
}

# The container's bytes, closed and open, by the state file's witness.
transferred()
{
	sqlite3 "$state" "select coalesce(sum(o), 0) from (select outbytes o from ledger where container = '$1'
		union all select base_outbytes + last_outbytes from route where container = '$1')"
}

# Clients reach the worker at its public address, too.
lab_network
ip -netns worker1 link add public type dummy
ip -netns worker1 addr add 203.0.113.7/32 dev lo
ip -netns worker1 route add default via 10.0.0.1
ip route add 203.0.113.7/32 via 10.0.0.11
lab_hub
head -c 300000 /dev/urandom >/tmp/content
sent=$(sha256 /tmp/content)
serve worker1 /tmp/content 8080

say "A public worker: the container's endpoint is its own, the kernel gets nothing"
report worker1 203.0.113.7 | sonm-vs --set-worker w1 --report -
check_equal "$(publish web --worker w1 -t 80=10.0.0.11:8080)" 203.0.113.7:8080 "endpoint"
check_equal "$(kind_of web)" direct "kind"
check_equal "$(ipvsadm -Sn)" "" "services"
check_equal "$(download 203.0.113.7:8080 | sha256)" "$sent" "content"
expect 0 sonm-vs --sync --dry-run

say "It moves behind a NAT: its routes are named, --sync moves them"
sonm-vs --set-worker w1 --nat symmetric | tee /run/said
grep -q 'web' /run/said || fail "the route is not named"
expect 6 sonm-vs --sync --dry-run
check_equal "$(kind_of web)" direct "kind after the dry run"
expect 0 sonm-vs --sync
expect 0 sonm-vs --sync --dry-run
check_equal "$(sonm-vs --sync)" "" "what a second sync does"
check_equal "$(kind_of web)" gateway "kind"
gateway=$(sonm-vs -L web -j | jq -r '.routes[] | select(.state == "open") | "\(.address):\(.port)"')
check_state_is_kernel
count client tcp "${gateway##*:}"
check_equal "$(download "$gateway" | sha256)" "$sent" "content"
check_equal "$(publish web --worker w1 -t 80=10.0.0.11:8080)" "$gateway" "published again, the endpoint"

say "And back, with its account"
report worker1 203.0.113.7 >/run/report
sonm-vs --set-worker w1 --report /run/report
expect 0 sonm-vs --sync
check_equal "$(kind_of web)" direct "kind"
check_equal "$(download 203.0.113.7:8080 | sha256)" "$sent" "content"
sleep 3
sonm-gwstat --checkpoint
check_equal "$(ipvsadm -Sn)" "" "services"
check_equal "$(transferred web)" "$(counted client spt "${gateway##*:}")" "bytes out, as the client got them"

say "Its address changes"
report worker1 203.0.113.8 | sonm-vs --set-worker w1 --report -
expect 0 sonm-vs --sync
check_equal "$(sonm-vs -L web -j | jq -r '.routes[] | select(.state == "open") | .address')" 203.0.113.8 "address"

say "Workers are listed, and removed when nothing needs them"
sonm-vs --set-worker w2 --nat full
sonm-vs -L --workers
check_equal "$(sonm-vs -L --workers -j | jq -c '[.workers[] | {name, nat, kind, addresses, routes}]')" \
	'[{"name":"w1","nat":"none","kind":"public","addresses":["203.0.113.8"],"routes":1},{"name":"w2","nat":"full","kind":"private","addresses":[],"routes":0}]' \
	"as JSON"
expect_error 4 'w1' sonm-vs --delete-worker w1
sonm-vs --delete-worker w2
expect_error 3 'w2' sonm-vs --delete-worker w2
expect_error 3 'w2' sonm-vs -A other --worker w2 -t 80=10.0.0.11:8080

say "What a report must not do"
before=$(sonm-vs -L --workers -j)
hostile()
{
	expect_error 2 'report|standard input|/run/' sonm-vs --set-worker w1 --report "$1"
	check_equal "$(sonm-vs -L --workers -j)" "$before" "workers"
}
printf '' >/run/bad
hostile /run/bad
printf '{"nat": "none", "gateway": false, "addresses": [{"address": "10.0.0.11"}]}' >/run/bad
hostile /run/bad
printf '{"nat": "none", "gateway": "no", "addresses": [{"address": "203.0.113.7"}]}' >/run/bad
hostile /run/bad
printf '{"nat": "no\\nne", "gateway": true, "addresses": []}' >/run/bad
hostile /run/bad
printf '{"nat": "symmetric", "gateway": true, "addresses": [' >/run/bad
hostile /run/bad
head -c 10000000 /dev/zero | tr '\0' '[' >/run/bad
hostile /run/bad
head -c 100000 /dev/urandom >/run/bad
hostile /run/bad
expect_error 2 'w1|/run/none' sonm-vs --set-worker w1 --report /run/none
expect_error 2 'worker' sonm-vs --set-worker ../w1 --nat full
expect_error 2 'symmetrical' sonm-vs --set-worker w1 --nat symmetrical
expect_error 2 'address' sonm-vs --set-worker w1 --nat none
check_equal "$(sonm-vs -L --workers -j)" "$before" "workers"
