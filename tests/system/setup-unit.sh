#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A real systemd starts the units, in the sandboxes that they ask for: all that
# they have to do can be done there, and little else. systemd-analyze has
# nothing to say against them.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

units='sonm-gateway.service sonm-gateway-checkpoint.service sonm-gateway-checkpoint.timer'

# A systemd as in a container: the first process of a namespace of its own, with this network.
start_systemd()
{
	# What it would start besides is not needed here.
	rm -rf /etc/systemd/system/*.wants
	for unit in /lib/systemd/system/sysinit.target.wants/*; do
		ln -sf /dev/null "/etc/systemd/system/${unit##*/}"
	done
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	printf '[Unit]\nDescription=the lab\n' >/etc/systemd/system/lab.target
	env -i container=lab PATH="$PATH" unshare --pid --mount --fork --mount-proc \
		/lib/systemd/systemd --system --unit=lab.target --log-target=null >/run/systemd.log 2>&1 &
	wait_for 180 lab_runs_systemd
}

lab_runs_systemd()
{
	systemd=$(pgrep -x systemd | head -n 1)
	[ "$systemd" ] && inside systemctl is-active lab.target
}

# inside COMMAND...: where systemd is.
inside()
{
	nsenter -t "$systemd" -p -m "$@"
}

# restart UNIT: and what it says from here on is in /run/said. Not from the journal: that does not know whose the last
# words of a process are that has gone when it reads them.
restart()
{
	mkdir -p "/run/systemd/system/$1.d"
	printf '[Service]\nStandardOutput=append:/run/said\nStandardError=inherit\n' >"/run/systemd/system/$1.d/said.conf"
	rm -f /run/said
	inside systemctl daemon-reload
	inside systemctl reset-failed # not too often
	inside systemctl restart "$1"
}

started()
{
	restart "$1" || { cat /run/said; fail "$1"; }
}

# What the unit has to do anew: rules and services.
forget()
{
	"$iptables" -t nat -F POSTROUTING
	"ip6${iptables#ip}" -t nat -F POSTROUTING
	ipvsadm -C
	sysctl -qw net.ipv4.ip_forward=0
}

install -m 755 "${builddir:?}"/sonm-gw-setup "$builddir"/sonm-vs "$builddir"/sonm-gwstat /usr/local/sbin
lab_network
lab_configure
start_systemd

say "Persisted while systemd runs"
inside sonm-gw-setup --apply --persist >/run/output || { cat /run/output; fail "apply"; }
grep -E '^set +(file|unit)' /run/output
iptables=$(sonm-gw-setup -j | jq -r '.steps[] | select(.name == "snat ipv4") | .via')
for unit in sonm-gateway.service sonm-gateway-checkpoint.timer; do
	check_equal "$(inside systemctl is-enabled $unit)" enabled "$unit"
done
check_equal "$(inside systemctl is-active sonm-gateway-checkpoint.timer)" active "the timer"
check_equal "$(inside systemctl show -P NeedDaemonReload sonm-gateway.service)" no "needs to be reloaded"

say "systemd-analyze"
for unit in $units; do
	check_equal "$(systemd-analyze verify --man=no "/etc/systemd/system/$unit" 2>&1)" "" "complaints about $unit"
done
# exposure UNIT AT-MOST: in tenths; sonm-gw-setup(8) quotes them.
exposure()
{
	systemd-analyze security --offline=yes --threshold="$2" "/etc/systemd/system/$1" >/run/output ||
		fail "$(grep Overall /run/output)"
	grep Overall /run/output
}
exposure sonm-gateway.service 25
exposure sonm-gateway-checkpoint.service 20

say "The service does all that a boot needs, in its sandbox"
head -c 100000 /dev/urandom >/tmp/content
serve worker1 /tmp/content 8080
endpoint=$(publish web -t 80=10.0.0.11:8080)
forget
rm -f /run/xtables.lock
modprobe -r xt_ipvs ip_vs_wrr
! download "$endpoint" 2>/dev/null || fail "it works without"
started sonm-gateway.service
grep -v '^ok' /run/said
download "$endpoint" | cmp - /tmp/content
[ -e /sys/module/xt_ipvs ] || fail "no module xt_ipvs"
expect 0 inside sonm-gw-setup --check >/run/output

say "There, what is to be written in /etc is left to the admin, and is no failure"
echo '# mine' >>/etc/sysctl.d/90-sonm-gateway.conf
rm /etc/modules-load.d/sonm-gateway.conf
forget
started sonm-gateway.service
grep -A2 /etc/ /run/said
check_equal "$(grep -cE '^(cannot tell) .*/etc/' /run/said)" 2 "what is left"
[ ! -e /etc/modules-load.d/sonm-gateway.conf ] || fail "it wrote to /etc"
download "$endpoint" | cmp - /tmp/content
sed -i '/mine/d' /etc/sysctl.d/90-sonm-gateway.conf
inside sonm-gw-setup --apply >/run/output

say "What can only be reported and cannot be told in there is no failure"
lab_configure 'ports: [1000, 1001]'
python3 -c 'import socket, time
s = socket.socket(); s.bind(("198.51.100.1", 1000)); s.listen(); open("/run/listens", "w"); time.sleep(1000)' &
wait_for 20 test -e /run/listens
started sonm-gateway.service
grep -A2 'local listeners' /run/said
grep -q CAP_NET_BIND_SERVICE /run/said || fail "it could tell"
kill $!
lab_configure
inside sonm-gw-setup --apply >/run/output

say "The timer's service takes a checkpoint"
counters_settle
started sonm-gateway-checkpoint.service
check_equal "$(sqlite3 -cmd '.timeout 20000' $state 'select last_conns from route')" 1 "connections in the account"

# without WORD: does the service fail without one of its capabilities?
without()
{
	mkdir -p /etc/systemd/system/sonm-gateway.service.d
	printf '[Service]\nCapabilityBoundingSet=~%s\n' "$1" >/etc/systemd/system/sonm-gateway.service.d/less.conf
	forget
	modprobe -r xt_ipvs ip_vs_wrr
	! restart sonm-gateway.service 2>/dev/null || fail "$1 is not needed"
	grep '^sonm-' /run/said >/run/output || fail "it fails without a word"
	echo "  without $1: $(cat /run/output)"
	rm -r /etc/systemd/system/sonm-gateway.service.d
}

say "It needs each of its capabilities"
without CAP_NET_ADMIN
without CAP_SYS_MODULE
[ "$iptables" != iptables-legacy ] || without CAP_NET_RAW # the others speak netlink
started sonm-gateway.service
download "$endpoint" | cmp - /tmp/content

say "A file that somebody has changed since is neither replaced nor removed"
echo '# an admin wrote this' >/etc/systemd/system/sonm-gateway.service
status=0
inside sonm-gw-setup --apply >/run/output 2>/run/stderr || status=$?
cat /run/stderr
check_equal "$status, $(wc -l </run/stderr) line" "4, 1 line" "exit status"
expect 6 inside sonm-gw-setup --check >/run/output
grep -A3 'differs.*sonm-gateway.service' /run/output

say "Undo: his file stays, and the units are stopped"
expect 0 inside sonm-gw-setup --undo >/run/output
grep -A1 'sonm-gateway.service' /run/output
check_equal "$(cat /etc/systemd/system/sonm-gateway.service)" '# an admin wrote this' "his file"
check_equal "$(inside systemctl show -P ActiveState sonm-gateway-checkpoint.timer)" inactive "the timer is"
check_equal "$(find /etc/sysctl.d /etc/modules-load.d /etc/systemd/system -name '*sonm*')" \
	/etc/systemd/system/sonm-gateway.service "what is left"
