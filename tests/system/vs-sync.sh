#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Every way in which the kernel can differ from the state file is told by
# --sync --dry-run and mended by --sync, which then finds nothing more. A
# download through a service that is right goes on meanwhile.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

# mended WHAT PATTERN: the difference is told in a line like that, mended, and gone.
mended()
{
	say "$1"
	expect 6 sonm-vs --sync --dry-run | grep -v '^leave alone' >/run/told
	sed 's/^/  /' /run/told
	check_equal "$(wc -l </run/told)" "$(grep -Ec -- "$2" /run/told)" "differences"
	[ -s /run/told ] || fail "nothing is told"
	expect 0 sonm-vs --sync | grep -v '^leave alone' >/run/done
	check_equal "$(sed 's/^would //' /run/told)" "$(cat /run/done)" "what was done is what was told"
	check_equal "$(sonm-vs --sync | grep -v '^leave alone')" "" "a second time"
	expect 0 sonm-vs --sync --dry-run
	check_equal "$(ipvsadm -Sn | sort)" "$right" "as ipvsadm sees it"
}

lab_network
lab_slow_client
lab_hub
head -c 20000000 /dev/urandom >/tmp/content
sent=$(sha256 /tmp/content)
serve worker1 /tmp/content 8080
modprobe ip_vs_rr
busy=$(publish busy -t 80=10.0.0.11:8080)
web=$(publish web -t 80=10.0.0.11:8080 -t 80=10.0.0.12:8080 -p 60)
six=$(publish six -t '80=[fd00::11]:8080')
dns=$(publish dns -u 53=10.0.0.11:8080)
ipvsadm -A -t 198.51.100.1:9999 -s rr          # outside the pool
ipvsadm -A -t 198.51.100.77:33333 -s rr        # of another address
ipvsadm -A -f 7 -s rr
right=$(ipvsadm -Sn | sort)
slow_download /tmp/got "$busy"
count client tcp "${busy##*:}"
expect 0 sonm-vs --sync --dry-run

ipvsadm -D -t "$web"
mended "A service is missing" 'add.*'"$web"

ipvsadm -d -t "$web" -r 10.0.0.12:8080
mended "A real server is missing" 'add real server 10.0.0.12:8080'

ipvsadm -a -u "$dns" -r 10.0.0.13:8080 -m
mended "One is too many" 'delete real server 10.0.0.13:8080'

ipvsadm -e -t "$six" -r '[fd00::11]:8080' -m -w 3
mended "A wrong weight" 'edit real server.*weight 100'

ipvsadm -E -t "$web" -s rr -p 60
mended "A wrong scheduler" 'edit service.*wrr'

ipvsadm -E -t "$web" -s wrr
mended "A wrong persistence" 'edit service.*persistent 60'

free=33700
while ipvsadm -Sn | grep -q ":$free "; do free=$((free + 1)); done
ipvsadm -A -t "$public4:$free" -s rr
ipvsadm -a -t "$public4:$free" -r 10.0.0.12:8080 -m
mended "An orphan in the pool" "delete service.*$public4:$free.*orphan"

say "The download has not noticed"
kill -0 $download || fail "the download was too short for this"
finish_download /tmp/got $download
check_equal "$(sha256 /tmp/got)" "$sent" "content"
check_equal "$(counted client RST)" 0 "bytes of resets"

sleep 3
sonm-gwstat --checkpoint
ipvsadm -Z
sleep 3
mended "Counters were zeroed" 'anew'

say "All at once, after a flush: in the pool of a route that is there"
ipvsadm -C
ipvsadm -A -t 198.51.100.1:9999 -s rr
ipvsadm -A -t 198.51.100.77:33333 -s rr
ipvsadm -A -f 7 -s rr
mended "Everything is missing" 'add '

# slowly COMMAND...: at a terminal, with a kernel that takes its time for each datagram; what is to be seen is read.
slowly()
{
	python3 "$tools/typist.py" strace -qq -o /dev/null -e inject=sendto:delay_exit=100000 "$@" >/run/seen ||
		{ cat /run/seen; fail "$*"; }
	tr '\r' '\n' </run/seen | tail -n 4 | sed 's/^/  /'
}

say "At a terminal a bar shows how far many services are"
sonm-vs -C --yes --wait >/run/totals
lab_configure 'ports: [32768, 33767]' 'quarantine: 0'
sonm-gw-setup --apply >/run/setup
awk 'BEGIN { print "version: 1\nroutes:"; for (i = 0; i < 600; i++)
	printf "  - {container: m%d, port: 80/tcp, endpoint: \"198.51.100.1:%d\", scheduler: wrr, real_servers: [{address: \"10.0.0.11:80\", weight: 1}]}\n",
		i, 33000 + i }' >/run/many.yaml
slowly sonm-vs -R /run/many.yaml <<-'EOF'
	see [#
	see % 
	see /1200
	see restored 600 routes
	unseen /1200
	end 0
EOF
ipvsadm -C
slowly sonm-vs --sync <<-'EOF'
	see [#
	see /1200
	see add 
	unseen [#
	end 0
EOF
check_equal "$(ipvsadm -Ln | grep -c '^TCP')" 600 "services"
sonm-vs --sync --dry-run
ipvsadm -C
strace -qq -o /dev/null -e inject=sendto:delay_exit=100000 sonm-vs --sync >/run/said 2>/run/stderr
check_equal "$(grep -c '^add ' /run/said), $(grep -c '#' /run/stderr)" "1200, 0" "lines without a terminal, bars"

say "Without any route ever stored nothing is known to be ours: a table is left alone"
sonm-vs -C --yes --wait >/run/totals
rm "$state" "$state-journal"
ipvsadm -C
ipvsadm -A -t "$public4:33000" -s rr
right=$(ipvsadm -Sn | sort)
sonm-gw-setup --apply >/run/setup
sonm-vs --sync | tee /run/said
grep -q 'leave alone.*33000' /run/said || fail "it is not named"
check_equal "$(ipvsadm -Sn | sort)" "$right" "as ipvsadm sees it"
