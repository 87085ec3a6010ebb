#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# sonm-gw-setup --interactive: a walk from one change to the next, each of which
# is asked about. What nobody said yes to is not made.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

# walk OPTION...: standard input is what typist.py is to do.
walk()
{
	python3 "$tools/typist.py" sonm-gw-setup --interactive "$@"
}

# differing: the steps that are not as they should be.
differing()
{
	sonm-gw-setup -j | jq -r '.steps[] | select(.status == "differs" or .status == "missing").name'
}

recorded()
{
	sqlite3 "$state" 'select step from setup order by seq'
}

lab_network
lab_configure
export TERM=xterm INPUTRC=/dev/null NO_COLOR=1
prompt='apply, skip, explain, quit, help?\x20'
sonm-gw-setup -j >/run/before || :

say "Where nobody can be asked, nothing is done"
expect_error 2 'standard input is none; --apply makes all' sonm-gw-setup --interactive
expect_error 2 'prints no JSON; give --apply -j' sonm-gw-setup -i -j
printf '%s\n' 'see standard output is none' 'end 2' |
	python3 "$tools/typist.py" sh -c 'sonm-gw-setup -i >/run/output'
echo apply | sonm-gw-setup --interactive >/run/output 2>&1 && fail "answers from a pipe"
[ ! -e $state ] || fail "it made the state file"

say "Who is not root is told so before he is asked"
chmod 755 /run
printf '%s\n' 'see as root' 'end 7' | python3 "$tools/typist.py" setpriv --reuid 65534 --clear-groups sonm-gw-setup -i

say "Quit, ^D, ^C: nothing is changed"
for key in 'quit\r' 'q\r' '\x04' '\x03'; do
	walk <<-END >/run/output
		see module ip_vs: missing
		see $prompt
		type $key
		see not reached: module ip_vs, module ip_vs_wrr
		see To go on: sonm-gw-setup --interactive
		end 0
	END
	grep -q 'set:' /run/output && fail "something is set"
done
sonm-gw-setup -j | cmp - /run/before
check_equal "$(recorded)" "" "on record"

say "A rehearsal"
walk --dry-run <<-END
	see module ip_vs: missing
	see $prompt
	type a\r
	see would set   module ip_vs: not loaded -> loaded
	see $prompt
	type all\r
	see would set   snat ipv6
	see would set:
	see Nothing was changed.
	end 0
END
sonm-gw-setup -j | cmp - /run/before

say "Help, a mistake, an explanation; applied, skipped, and the rest left"
walk <<-END
	see module ip_vs: missing
	see Command modprobe ip_vs
	see $prompt
	type help\r
	see skip     s, leave it
	see $prompt
	type aply\r
	see 'aply' is not an answer; did you mean apply?
	see $prompt
	type yes please\r
	see 'yes please' is not an answer; type apply, skip
	see $prompt
	type \r
	see Nothing is changed unless you say so
	see $prompt
	type explain\r
	see IPVS is the kernel's own load balancer
	see Read    modprobe(8), ipvsadm(8)
	see $prompt
	type ap\t\r
	see set         module ip_vs: not loaded -> loaded
	see module ip_vs_wrr: missing
	see $prompt
	type s\r
	see skipped     module ip_vs_wrr
	see $prompt
	type SKIP\r
	see skipped     module xt_ipvs
	see net.ipv4.ip_forward: differs
	see $prompt
	type a\r
	see set         net.ipv4.ip_forward: 0 -> 1
	see net.ipv6.conf.all.forwarding: differs
	see $prompt
	type q\r
	see set:         module ip_vs, net.ipv4.ip_forward
	see skipped:     module ip_vs_wrr, module xt_ipvs
	see not reached: net.ipv6.conf.all.forwarding, net.ipv4.vs.conntrack
	see To take back what is set: sonm-gw-setup --undo
	see To go on: sonm-gw-setup --interactive
	end 0
END
check_equal "$(recorded)" "module ip_vs
net.ipv4.ip_forward" "on record"
check_equal "$(sysctl -n net.ipv4.ip_forward) $(sysctl -n net.ipv6.conf.all.forwarding)" "1 0" "forwarding"
[ ! -e /sys/module/ip_vs_wrr ] || fail "what was skipped is there"

say "A step that fails ends the walk; the rest is named, and the next walk goes on"
mount --bind -o ro /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
walk <<-END
	see module ip_vs_wrr: missing
	see $prompt
	type a\r
	see set         module ip_vs_wrr
	see $prompt
	type s\r
	see net.ipv6.conf.all.forwarding: differs
	see $prompt
	type a\r
	see failed      net.ipv6.conf.all.forwarding: 0, wanted 1
	see set:         module ip_vs_wrr
	see skipped:     module xt_ipvs
	see failed:      net.ipv6.conf.all.forwarding
	see not reached: net.ipv4.vs.conntrack
	see sonm-gw-setup: cannot write
	see Read-only file system
	end 1
END
umount /proc/sys

say "All the rest at once"
iptables-legacy -P FORWARD DROP
walk <<-END
	see module xt_ipvs: missing
	see $prompt
	type a\r
	see net.ipv6.conf.all.forwarding: differs
	see $prompt
	type all\r
	see set         net.ipv4.vs.conntrack
	unseen $prompt
	see set         snat ipv6
	see differs     filter FORWARD ipv4
	see by hand:     filter FORWARD ipv4
	end 0
END
check_equal "$(differing)" "filter FORWARD ipv4" "what differs still"
iptables-legacy -P FORWARD ACCEPT

say "Nothing to ask about"
walk <<-END
	see ok          snat ipv4
	see There was nothing to ask about.
	end 0
END

say "What somebody else does while the question stands is not done twice"
iptables-legacy -t nat -F POSTROUTING
walk <<-END
	see snat ipv4 (iptables-legacy): missing
	see $prompt
	run iptables-legacy -t nat -A POSTROUTING -j MASQUERADE
	type apply\r
	see ok          snat ipv4 (iptables-legacy): -A POSTROUTING -j MASQUERADE
	see There is nothing left to do.
	end 0
END
check_equal "$(iptables-legacy -t nat -S POSTROUTING | grep -c '^-A')" 1 "rules"
iptables-legacy -t nat -F POSTROUTING

say "Taken back"
sonm-gw-setup --undo
# nf_conntrack, which came along with ip_vs, stays.
of_others='.steps[] | select(.name != "net.netfilter.nf_conntrack_max" and .name != "conntrack usage") | [.name, .status, .present]'
sonm-gw-setup -j | jq -c "$of_others" >/run/after || :
jq -c "$of_others" /run/before | diff - /run/after

say "Without readline"
mount --bind /dev/null "$(ldconfig -p | awk '/libreadline.so.8 / { print $NF; exit }')"
printf '%s\n' 'see sonm-gw-setup: readline is not installed' 'end 1' | walk
