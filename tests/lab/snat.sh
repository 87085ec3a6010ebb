# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# snat.sh: who sees whom. A scenario about the packet filter sources it after
# lib.sh, and with traffic.sh if it plays the modes of SNAT. Here the workers have
# a route to the public network: they would answer without SNAT as well, and say
# from which address they were asked.

# snat_network: the network, a mirror at worker1 and at the client, and ports that are published.
snat_network()
{
	lab_network
	modprobe sctp || :
	ip -batch - <<-END
		addr add 10.0.0.99/32 dev lan
		addr add fd00::99/128 dev lan nodad preferred_lft 0
	END
	ip -netns worker1 -batch - <<-END
		route add default via 10.0.0.1
		route add default via fd00::1
	END
	on worker1 python3 -IS "${tools:?}/mirror.py" serve 80 &
	on client python3 -IS "$tools/mirror.py" serve 32800 &
	mkfifo /run/client.asks /run/client.hears /run/worker.asks /run/worker.hears
	on client python3 -IS "$tools/mirror.py" ask </run/client.asks >/run/client.hears &
	exec 5>/run/client.asks 6</run/client.hears
	on worker1 python3 -IS "$tools/mirror.py" ask </run/worker.asks >/run/worker.hears &
	exec 7>/run/worker.asks 8</run/worker.hears
	wait_for 120 lab_listens worker1 80
	wait_for 120 lab_listens client 32800
}

# snat_publish: what the client is to ask becomes /run/questions.
snat_publish()
{
	publish v4 -t 80=10.0.0.11:80 -u 80=10.0.0.11:80 --sctp 80=10.0.0.11:80 >/run/v4
	publish v6 -t '80=[fd00::11]:80' -u '80=[fd00::11]:80' >/run/v6
	printf '%s\n' tcp udp sctp tcp udp >/run/protocols
	sed 's/[][]//g; s/\(.*\):/\1 /' /run/v4 /run/v6 | paste -d ' ' /run/protocols - >/run/questions
}

# client_asks SECONDS, worker_asks SECONDS: asks the questions of the standard input, all at once, and prints the
# answers that come within that time, or "nothing" for each, in a line.
client_asks()
{
	one_line "$1" >&5
	read -r answers <&6
	echo "$answers"
}

worker_asks()
{
	one_line "$1" >&7
	read -r answers <&8
	echo "$answers"
}

# one_line WORD: and what comes from the standard input.
one_line()
{
	line=$1
	while read -r next; do
		line="$line $next"
	done
	echo "$line"
}

# agreed ANSWER...: one word for those in a row that are the same.
agreed()
{
	last=
	for answer; do
		[ "$answer" = "$last" ] || printf '%s ' "$answer"
		last=$answer
	done
}

# seen [SECONDS]: from which address the worker says that it was asked; one word where all of a family agree. What is
# lost on a busy machine is sent again; where nothing is expected, 5 s are enough for TCP to ask three times.
seen()
{
	# shellcheck disable=SC2046 # words
	agreed $(client_asks "${1-20}" </run/questions)
}

# seen_outside: the same of the client, asked by worker1 at a port of the pool's: ordinary traffic of the LAN.
seen_outside()
{
	# shellcheck disable=SC2046 # words
	agreed $(printf '%s\n' 'tcp 198.51.100.2 32800' 'udp 198.51.100.2 32800' 'tcp 2001:db8:1::2 32800' \
		'udp 2001:db8:1::2 32800' | worker_asks 20)
}

# All network settings and rules of whoever has any; what counts or only dates is left out.
kernel()
{
	sysctl -a -r '^net\.' 2>/dev/null | grep -v nf_conntrack_count
	for save in iptables-save ip6tables-save iptables-legacy-save ip6tables-legacy-save; do
		echo "- $save"
		$save 2>/dev/null | sed '/^#/d; s/\[[0-9:]*\]//'
	done
	echo "- nft"
	nft list ruleset 2>/dev/null | sed 's/packets [0-9]* bytes [0-9]*//'
}

# unchanged WHAT: since "kernel >/run/before".
unchanged()
{
	kernel >/run/now
	cmp -s /run/before /run/now || fail "$1: the kernel is not as before:
$(diff /run/before /run/now)"
	echo "  $1: the kernel is as before, in $(wc -l </run/now) lines"
}

# mode VALUE WORKERS-SEE LAN-IS-SEEN-AS: applies that kind of SNAT, and plays the traffic.
mode()
{
	say "snat: $1"
	lab_configure "snat: $1"
	sonm-gw-setup --apply >/run/output || { cat /run/output; fail "apply"; }
	grep 'snat ipv4' /run/output
	check_equal "$(seen)" "$2" "the worker sees"
	check_equal "$(seen_outside)" "$3" "ordinary traffic is seen from"
	traffic_passes
}

# Each of them: what IPVS forwards gets the address that it should, and ordinary
# traffic only with "masquerade". All of it is counted.
modes()
{
	mode none '198.51.100.2 2001:db8:1::2 ' '10.0.0.11 fd00::11 '
	mode masquerade '10.0.0.1 fd00::1 ' '198.51.100.1 2001:db8:1::1 '
	mode 10.0.0.99 '10.0.0.99 fd00::1 ' '10.0.0.11 fd00::11 '
	mode ipvs '10.0.0.1 fd00::1 ' '10.0.0.11 fd00::11 '
	traffic_counted
}

# check_steps: how --check finds the steps becomes /run/states.
check_steps()
{
	sonm-gw-setup -j >/run/json || [ $? -eq 6 ] || fail "sonm-gw-setup --check"
	jq -r '.steps[] | "\(.name)=\(.status) \(.via) \(.present)"' /run/json >/run/states
}

# state_of STEP: its status, what it is done with, and what there is.
state_of()
{
	sed -n "s/^$1=//p" /run/states
}
