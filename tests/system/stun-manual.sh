#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Every example of sonm-stun(1) works as it is printed, and every name in the
# JSON is explained.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"
# shellcheck source=tests/lab/nat.sh
. "$tools/nat.sh"
# shellcheck source=tests/lab/hub.sh
. "$tools/hub.sh"
# shellcheck source=tests/lab/manual.sh
. "$tools/manual.sh"

nat_network
nat_class port_restricted
nat_coturn $server4 $server4_other
printf '%s\n' "$server4 stun.example.net" "$second4 hub.example" >>/etc/hosts
mkdir /etc/sonm
certify hub.example
cp /run/hub.example.pem /etc/sonm/hub.pem
(umask 077 && echo a-secret-token >/etc/sonm/token)
hub 8443 --cert /run/hub.example.pem --key /run/hub.example.key --token a-secret-token

try sonm-stun.1 client
[ -s /run/body.8443 ] || fail "the hub has no report"

say "The JSON is explained, with a server and without"
explained sonm-stun.1 </run/body.8443
on client sonm-stun -j | explained sonm-stun.1
on client sonm-stun -j -s $server4 -s $second4 | explained sonm-stun.1

say "The worker's examples of the configuration are read"
awk '/^\.Ed/ { inside = 0 } inside; /^\.Bd/ { inside = 1; print "---" }' "$manual/sonm-gateway.yaml.5" >/run/blocks
awk '/^---/ { n++; next } { print >"/run/block." n }' /run/blocks
grep -lE '^(firewall|public_ip_addrs|report):' /run/block.* >/run/worker-blocks
[ "$(wc -l </run/worker-blocks)" -ge 3 ] || fail "there are no examples for a worker"
while read -r block; do
	cat "$block"
	# That name is nobody's here; but the file was right, and a wrong one is status 2.
	status=0
	on client sonm-stun -t 1 -c "$block" >/run/output 2>&1 || status=$?
	[ $status -le 1 ] || fail "exit status $status: $(cat /run/output)"
done </run/worker-blocks
