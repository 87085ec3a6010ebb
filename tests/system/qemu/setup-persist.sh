#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What sonm-gw-setup --persist writes brings all of it back on Debian's kernel
# where nothing is left of it, as after a boot, and the traffic with it.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"
# shellcheck source=tests/lab/snat.sh
. "${tools:?}/snat.sh"

snat_network
lab_configure
modprobe -a ip_vs ip_vs_wrr
sysctl -qw net.ipv4.ip_forward=1
snat_publish 2>/dev/null
sed -i '/^sctp/d' /run/questions

# As when the kernel has just started: no rules, services, modules and settings.
start_anew()
{
	ipvsadm -C
	nft flush ruleset
	wait_for 20 modprobe -r xt_ipvs ip_vs_wrr ip_vs
	sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0 net.ipv4.ip_local_reserved_ports=
}

say "A boot with the commands of the unit that --persist writes"
start_anew
install -m 755 "${builddir:?}"/sonm-gw-setup "$builddir"/sonm-vs /usr/local/sbin
sonm-gw-setup --apply --persist >/run/output || { cat /run/output; fail "apply"; }
check_equal "$(grep -c '^set *\(file\|unit\)' /run/output)" 8 "files and units that are set"
start_anew
expect 6 sonm-gw-setup --check >/run/output
/lib/systemd/systemd-modules-load
/lib/systemd/systemd-sysctl
sed -n 's/^ExecStart=//p' /etc/systemd/system/sonm-gateway.service >/run/commands
check_equal "$(wc -l </run/commands)" 2 "commands"
sh -e /run/commands >/run/output || { cat /run/output; fail "the unit"; }
grep -v '^ok' /run/output
check_equal "$(seen)" '10.0.0.1 fd00::1 ' "the worker sees"
expect 0 sonm-gw-setup --check >/run/output

say "Undo leaves nothing of it"
sonm-vs -D v4 v6 --wait >/run/output
expect 0 sonm-gw-setup --undo >/run/output
check_equal "$(find /etc/sysctl.d /etc/modules-load.d /etc/systemd/system -name '*sonm*')" "" "files"
check_equal "$(nft list ruleset | grep -c sonm)" 0 "rules"
check_equal "$(sysctl -n net.ipv4.ip_forward net.ipv6.conf.all.forwarding | xargs)" "0 0" "forwarding"
[ ! -e /sys/module/ip_vs ] || fail "ip_vs is still loaded"
