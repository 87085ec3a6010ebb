#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What stands in the way of sonm-gw-setup has a line and an exit status of its
# own; what was done before stays, and is named with what is not; the next run
# goes on from there.
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

say "A root who may not, as in a container"
expect_error 7 'CAP_NET_ADMIN; this root lacks it.*run it as root of the host' \
	setpriv --bounding-set -net_admin --inh-caps -net_admin sonm-gw-setup

say "Words that it does not know"
expect_error 2 'did you mean --apply' sonm-gw-setup --aply
expect_error 2 'two commands' sonm-gw-setup --apply --undo

say "A hub that is not a gateway"
echo 'other: 1' >/etc/sonm/other.yaml
expect 0 sonm-gw-setup --apply -c /etc/sonm/other.yaml
for command in --check --apply --explain; do
	check_equal "$(sonm-gw-setup $command -c /etc/sonm/other.yaml | wc -l)" 1 "lines of $command"
	check_equal "$(sonm-gw-setup $command -j -c /etc/sonm/other.yaml | jq -c .)" '{"gateway":false,"steps":[]}' "JSON"
done
[ ! -e $state ] || fail "it made the state file"
[ ! -e /sys/module/ip_vs ] || fail "it loaded a module"

# setup_fails STATUS PATTERN: --apply does, with one line like that; what it printed is in /run/stdout.
setup_fails()
{
	status=0
	sonm-gw-setup --apply >/run/stdout 2>/run/stderr || status=$?
	sed 's/^/  /' /run/stdout /run/stderr
	check_equal $status "$1" "exit status"
	check_equal "$(wc -l </run/stderr)" 1 "lines of error"
	grep -Eq "$2" /run/stderr || fail "the error does not say '$2'"
}

# all_named: each step is, once, and at most one failed.
all_named()
{
	sonm-gw-setup -j | jq -r '.steps[].name' | sort >/run/steps
	sed -En 's/^(set|ok|failed|not reached|cannot tell) +((module|snat|filter [A-Z]+|missing|foreign|local|conntrack) [^: ]+|net[^: ]+).*/\2/p' /run/stdout |
		sort | cmp - /run/steps || fail "a step is not named, or twice"
	check_equal "$(grep -c ^failed /run/stdout)" 1 "steps that failed"
}

say "No modprobe"
mv "$(command -v modprobe)" /run/modprobe
setup_fails 8 'cannot load kernel module ip_vs: there is no modprobe; install kmod'
all_named
check_equal "$(grep -c '^set' /run/stdout || :)" 0 "steps that are set"
mv /run/modprobe /usr/sbin/modprobe

say "A module that is not built for this kernel: a scheduler"
lab_configure 'scheduler: nosuch'
setup_fails 8 'ip_vs_nosuch is not there for kernel [^ ]+; install the modules .*; or name another scheduler'
all_named
check_equal "$(grep -c '^set' /run/stdout)" 1 "steps that are set"
grep -q '^set  *module ip_vs:' /run/stdout
grep -q '^failed  *module ip_vs_nosuch' /run/stdout
grep -q '^not reached snat ipv4' /run/stdout
grep -q 'to go on, repeat --apply' /run/stdout
[ -e /sys/module/ip_vs ] || fail "what was done before is gone"
check_equal "$(sqlite3 $state 'select step from setup order by seq')" "module ip_vs" "on record"

say "In JSON, the document is whole even then"
status=0
sonm-gw-setup --apply -j >/run/json 2>/run/stderr || status=$?
check_equal $status 8 "exit status"
check_equal "$(jq -r '[.steps[].outcome] | group_by(.) | map("\(.[0]) \(length)") | join(", ")' /run/json)" \
	"failed 1, left 1, not_reached $(($(wc -l </run/steps) - 2))" "outcomes"
check_equal "$(jq -r '.steps[] | select(.outcome == "failed").why' /run/json)" \
	"$(sed 's/^sonm-gw-setup: //' /run/stderr)" "why"
check_equal "$(jq -c '.steps[-1] | [.status, .present, .wanted, .changed]' /run/json)" '[null,null,null,false]' \
	"what was not looked at"
lab_configure

say "Settings that are read-only"
mount --bind -o ro /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
setup_fails 1 '/proc/sys/net/ipv4/ip_forward: Read-only file system; in a container, set it on the host'
all_named
check_equal "$(sonm-gw-setup -j | jq -r '.steps[] | select(.name == "net.netfilter.nf_conntrack_max") | .status, .why')" \
	"cannot_tell
too small, but /proc/sys is read-only here; set it on the host" "the conntrack table"
umount /proc/sys

say "A setting whose module is not there"
modprobe -r xt_ipvs ip_vs_wrr ip_vs
mkdir /run/empty
mount --bind /run/empty /sys/module
mkdir -p /sys/module/ip_vs /sys/module/ip_vs_wrr /sys/module/xt_ipvs
setup_fails 8 'has no setting net.ipv4.vs.conntrack; it comes with the module ip_vs'
umount /sys/module

say "Neither iptables nor nft"
mkdir /run/none
mount --bind /dev/null /usr/sbin/xtables-legacy-multi
mount --bind /dev/null /usr/sbin/xtables-nft-multi
mount --bind /dev/null /usr/sbin/nft
setup_fails 8 'neither iptables nor nft works here: .* nft is not installed; install iptables or nftables'
all_named
expect 6 sonm-gw-setup >/run/output
grep -A4 '^missing  *snat ipv4' /run/output
umount /usr/sbin/xtables-legacy-multi
umount /usr/sbin/xtables-nft-multi /usr/sbin/nft

say "The next run goes on"
sonm-gw-setup --apply
expect 0 sonm-gw-setup -j --check >/run/json
check_equal "$(jq -c '[.steps[].status] | unique' /run/json)" '["ok"]' "status of every step"
sonm-gw-setup -j --undo >/run/json
jq . </run/json >/run/output
check_equal "$(sysctl -n net.ipv4.ip_forward)" 0 "ip_forward"
check_equal "$(sqlite3 $state 'select count(*) from setup')" 0 "records left"

say "Programs for rules that are gone when it is undone: the rest is undone, and they are named"
iptables-legacy -P INPUT DROP
sonm-gw-setup --apply --open-firewall >/run/output
mount --bind /dev/null /usr/sbin/xtables-legacy-multi
mount --bind /dev/null /usr/sbin/xtables-nft-multi
expect 0 sonm-gw-setup --undo >/run/output
cat /run/output
for step in 'snat ipv4' 'snat ipv6' 'filter INPUT ipv4'; do
	grep -A3 "^left *$step" /run/output | grep -q 'not installed; install it again and repeat --undo' ||
		fail "it does not say why it left $step"
done
check_equal "$(sysctl -n net.ipv4.ip_forward)" 0 "ip_forward"
umount /usr/sbin/xtables-legacy-multi /usr/sbin/xtables-nft-multi
expect 0 sonm-gw-setup --undo >/run/output
check_equal "$(iptables-legacy-save | grep -c sonm-gateway || :)" 0 "rules left"
check_equal "$(sqlite3 $state 'select count(*) from setup')" 0 "records left"
iptables-legacy -P INPUT ACCEPT

say "What is only reported ends nothing"
iptables-legacy -nL >/run/output # from now on there is a table filter
rm /usr/sbin/iptables-legacy
cat >/usr/sbin/iptables-legacy <<-'END'
	#!/bin/sh
	case "$*" in *filter*) echo 'the table is broken' >&2; exit 1 ;; esac
	exec xtables-legacy-multi iptables "$@"
END
chmod +x /usr/sbin/iptables-legacy
expect 0 sonm-gw-setup --apply >/run/output
grep -A2 '^cannot tell filter INPUT ipv4' /run/output
grep -q 'but: .*the table is broken' /run/output
grep -q '^ok  *filter FORWARD ipv6' /run/output
sonm-gw-setup --undo >/run/output

say "What is built in counts as present"
"${builddir:?}/tests/lab/builtin"
list=/lib/modules/$(uname -r)/modules.builtin
{ cat "$list"; echo kernel/net/netfilter/ipvs/ip_vs_rr.ko; } >/run/builtin
mount --bind /run/builtin "$(realpath "$list")"
lab_configure 'scheduler: rr'
check_equal "$(sonm-gw-setup -j | jq -c '.steps[] | select(.name == "module ip_vs_rr") | [.status, .present]')" \
	'["ok","built in"]' "a scheduler that is"
sonm-gw-setup --apply >/run/output
grep '^ok  *module ip_vs_rr: built in' /run/output
check_equal "$(sqlite3 $state "select count(*) from setup where step = 'module ip_vs_rr'")" 0 "records of it"

say "When undoing fails, the rest is named too"
sqlite3 $state "insert into setup (step, former, applied, boot) values ('future', '0', '1', 'x')"
status=0
sonm-gw-setup --undo >/run/stdout 2>/run/stderr || status=$?
cat /run/stdout /run/stderr
check_equal $status 4 "exit status"
check_equal "$(grep -c '^failed  *future' /run/stdout)" 1 "steps that failed"
check_equal "$(grep -c '^not reached' /run/stdout)" "$(sqlite3 $state "select count(*) - 1 from setup")" "the others"
