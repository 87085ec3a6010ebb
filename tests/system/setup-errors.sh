#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What stands in the way of sonm-gw-setup has a line and an exit status of its
# own; what was done before stays, and the next run goes on from there.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

lab_network
lab_configure

say "Somebody who is not root"
chmod 755 /run
for command in --check --apply --undo; do
	expect_error 7 'run (it )?as root' setpriv --reuid 65534 --clear-groups sonm-gw-setup -j $command
done

say "Words that it does not know"
expect_error 2 '' sonm-gw-setup --aply
expect_error 2 '' sonm-gw-setup --apply --undo

say "A hub that is not a gateway"
echo 'other: 1' >/etc/sonm/other.yaml
expect 0 sonm-gw-setup --apply -c /etc/sonm/other.yaml
check_equal "$(sonm-gw-setup --apply -c /etc/sonm/other.yaml | wc -l)" 1 "lines"
[ ! -e $state ] || fail "it made the state file"
[ ! -e /sys/module/ip_vs ] || fail "it loaded a module"

say "No modprobe"
mv "$(command -v modprobe)" /run/modprobe
setup_fails()
{
	status=0
	sonm-gw-setup --apply >/run/stdout 2>/run/stderr || status=$?
	sed 's/^/  /' /run/stderr
	check_equal $status "$1" "exit status"
	check_equal "$(wc -l </run/stderr)" 1 "lines of error"
	grep -Eq "$2" /run/stderr || fail "the error does not say '$2'"
}
setup_fails 8 'install kmod'
mv /run/modprobe /usr/sbin/modprobe

say "A scheduler that this kernel does not have"
lab_configure 'scheduler: nosuch'
setup_fails 8 'ip_vs_nosuch is not there for kernel'
check_equal "$(cut -c1-8 /run/stdout | sort -u)" "set     " "what was done before is named"
[ -e /sys/module/ip_vs ] || fail "what was done before is gone"
lab_configure

say "Settings that are read-only"
mount --bind -o ro /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
setup_fails 1 'in a container, set it on the host'
umount /proc/sys

say "Neither iptables nor nft"
mkdir /run/none
mount --bind /dev/null /usr/sbin/xtables-legacy-multi
mount --bind /dev/null /usr/sbin/xtables-nft-multi
mount --bind /dev/null /usr/sbin/nft
setup_fails 8 'neither iptables nor nft works here: .* nft is not installed; install iptables or nftables'
expect 6 sonm-gw-setup >/run/output
grep -A4 '^missing  snat ipv4' /run/output
umount /usr/sbin/xtables-legacy-multi
umount /usr/sbin/xtables-nft-multi /usr/sbin/nft

say "The next run goes on"
sonm-gw-setup --apply
expect 0 sonm-gw-setup -j --check >/run/json
python3 -c 'import json; d = json.load(open("/run/json")); assert all(s["status"] == "ok" for s in d["steps"]); print(" ", len(d["steps"]), "steps")'
sonm-gw-setup -j --undo >/run/json
python3 -m json.tool </run/json >/run/output
check_equal "$(sysctl -n net.ipv4.ip_forward)" 0 "ip_forward"
check_equal "$(sqlite3 $state 'select count(*) from setup')" 0 "records left"
