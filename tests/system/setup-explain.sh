#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# sonm-gw-setup --explain: a page to read, for root and for others, that
# changes nothing; and the commands that it prints do what it says.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

as_nobody()
{
	setpriv --reuid 65534 --clear-groups "$@"
}

# longest FILE: the characters of its longest line.
longest()
{
	LC_ALL=C.UTF-8 awk 'length > n { n = length } END { print n + 0 }' "$1"
}

lab_network
lab_configure
sonm-gw-setup -j >/run/check || :

say "Every step is there, and nothing is changed"
expect 0 sonm-gw-setup --explain >/run/page
cat /run/page
jq -r '.steps[] | "\(.name) \(.status | sub("_"; " "))"' /run/check >/run/steps
sed -En 's/^([a-z][^(:]*[^ (:])( \([a-z0-9-]+\))?: (ok|differs|missing|cannot tell)$/\1 \3/p' /run/page | cmp - /run/steps
n=$(wc -l </run/steps)
for label in Why More Undo Read; do
	check_equal "$(grep -c "^  $label  " /run/page)" "$n" "$label"
done
grep -q 'Value   4 connections x 1001 ports x 2 addresses = 8008, but at least 65536' /run/page
[ ! -e $state ] || fail "it made the state file"
[ ! -e /sys/module/ip_vs ] || fail "it loaded a module"
sonm-gw-setup -j | cmp - /run/check

say "It fits 80 columns, and a terminal of 40"
[ "$(longest /run/page)" -le 80 ] || fail "a line of $(longest /run/page)"
NO_COLOR=1 TERM=xterm python3 "$tools/typist.py" sh -c 'stty cols 40; exec sonm-gw-setup --explain' >/run/narrow <<-END
	end 0
END
sed -n 1,40p /run/narrow
# Steps' names are not broken, nor is a word that is too long; a command's may have a \ behind it.
awk 'length > 40 && NF > 2 && !/^[a-z]/' /run/narrow >/run/wide
check_equal "$(cat /run/wide)" "" "lines that could be shorter"
grep -q '\^\[' /run/narrow && fail "colours in spite of NO_COLOR"
TERM=xterm python3 "$tools/typist.py" sonm-gw-setup --explain ip_forward <<-END | grep -F '^[[1mnet.ipv4.ip_forward^[[0m: ^[[31mdiffers^[[0m'
	end 0
END
grep -q "$(printf '\033')" /run/page && fail "colours in a file"

say "One step, or some"
expect 0 sonm-gw-setup --explain net.ipv4.ip_forward >/run/one
check_equal "$(head -n 1 /run/one)" "net.ipv4.ip_forward: differs" "its first line"
check_equal "$(sonm-gw-setup --explain snat ipv6 ip_forward -j | jq -r '.steps[].name')" "net.ipv4.ip_forward
snat ipv6" "two"
expect_error 2 'did you mean net.ipv4.ip_forward' sonm-gw-setup --explain net.ipv4.ip_forwrd
expect_error 2 'did you mean net.ipv4.ip_forward' sonm-gw-setup --explain ip_forwad -j
expect_error 2 'not a step of this configuration; ' sonm-gw-setup --explain ip_forward nonsense

say "Who is not root learns what he can"
chmod 755 /run /etc/sonm
chmod 644 /etc/sonm/gateway.yaml
as_nobody sonm-gw-setup --explain >/run/page
as_nobody sonm-gw-setup --explain -j >/run/json
check_equal "$(jq -r '.steps[] | select(.name | startswith("net.ipv4.ip_forward")) | .present' /run/json)" 0 "ip_forward"
check_equal "$(jq -r '.steps[] | select(.name | startswith("snat") or startswith("filter")) | .status' /run/json | sort -u)" \
	cannot_tell "rules"
check_equal "$(jq -r '.steps[] | select(.status == "cannot_tell" and .why == null).name' /run/json)" "" "without a reason"
grep -A1 '^snat ipv4' /run/page
check_equal "$(jq -r '.steps[] | select(.name | startswith("snat")) | .why' /run/json | sort -u)" \
	"only root can read the rules of the packet filter" "why"

say "The books that it names are there, and speak of it"
jq -r '.steps[].manual' /run/json | grep -Eo '[a-z0-9.-]+\([0-9]\)' | sort -u >/run/books
for section in 5 8; do
	sed -n "s/($section)//p" /run/books | while read -r page; do
		case $page in
		sonm-*) [ -e "$tools/../../man/$page.$section" ] || fail "no such page: $page" ;;
		*) [ ! -d /usr/share/man/man8 ] || [ ! -e /usr/share/man/man8/iptables.8.gz ] ||
			[ -e "/usr/share/man/man$section/$page.$section.gz" ] || fail "no such page: $page($section)" ;;
		esac
	done
done
cat /run/books
extensions=/usr/share/man/man8/iptables-extensions.8.gz
[ -e $extensions ] || echo "  (this machine has no manual pages)"
for word in ipvs conntrack MASQUERADE SNAT; do
	jq -r '.steps[].manual' /run/json | grep -q "$word" || fail "nobody is sent to $word"
	[ ! -e $extensions ] || zgrep -q "^\.SS $word\$" $extensions || fail "no such section: $word"
done

say "The commands that it prints, typed one after another, do it"
sonm-gw-setup --explain -j | jq -r '.steps[] | select(.status != "ok").command' >/run/commands
cat /run/commands
sh -e /run/commands
expect 0 sonm-gw-setup >/run/output
sonm-gw-setup --explain >/run/page
check_equal "$(tail -n 1 /run/page)" "All $n steps are as they should be, or cannot be told." "what is left"

say "A long list of reserved ports is printed whole"
former=$(sysctl -n net.ipv4.ip_local_reserved_ports)
seq -s , 10000 2 10370 >/run/singles
sysctl -qw "net.ipv4.ip_local_reserved_ports=$(cat /run/singles)"
sonm-gw-setup --explain ip_local_reserved_ports -j | jq -r '.steps[].command' >/run/command
check_equal "$(tr , '\n' </run/singles | wc -l)" 186 "single ports"
sh -e /run/command
check_equal "$(sysctl -n net.ipv4.ip_local_reserved_ports)" "$(cat /run/singles),32768-33768" "reserved"

say "One that is longer than a write of it may be is left, and keeps nothing from being set"
python3 -c 'import os
for part in ",".join(map(str, range(10000, 11000, 2))), ",".join(map(str, range(11000, 12000, 2))):
    os.write(1, part.encode())' >/proc/sys/net/ipv4/ip_local_reserved_ports
list=$(sysctl -n net.ipv4.ip_local_reserved_ports)
[ ${#list} -gt 4095 ] || fail "only ${#list} characters"
sysctl -qw net.ipv4.vs.conntrack=0 net.netfilter.nf_conntrack_max=5000
sonm-gw-setup --apply >/run/output || { cat /run/output; fail "apply"; }
grep -A3 'ip_local_reserved_ports' /run/output
grep -q 'reserve ranges such as 1000-1100' /run/output || fail "what to do is not said"
check_equal "$(sysctl -n net.ipv4.vs.conntrack net.netfilter.nf_conntrack_max | xargs)" "1 65536" "what follows is set"
check_equal "$(sysctl -n net.ipv4.ip_local_reserved_ports)" "$list" "reserved"
sysctl -qw "net.ipv4.ip_local_reserved_ports=$former"

say "As they are broken on the page, too"
iptables-legacy -t nat -F POSTROUTING
sonm-gw-setup --explain snat ipv4 | sed -n '/^  Command /,/^  Undo /{ /^  Undo/d; s/^  Command//; p }' >/run/command
cat /run/command
sh -e /run/command
check_equal "$(sonm-gw-setup -j | jq -r '.steps[] | select(.name == "snat ipv4").status')" ok "snat ipv4"
