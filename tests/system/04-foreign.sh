#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Services of others outlive every command untouched, and their ports are never
# given away. Inside the pool, at an address of ours, only --sync touches what
# no route has, and says so.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

foreign()
{
	ipvsadm -Sn | grep -E -e '-t [^ ]*:(32770|9999) |-u [^ ]*:32771 |-t [^ ]*.77:32772 |-f 77 '
}

# untouched COMMAND...: succeeds and leaves the foreign services as they were.
untouched()
{
	echo "  $*"
	"$@" >/run/output || { cat /run/output; fail "$*"; }
	[ "$(foreign)" = "$before" ] || fail "foreign services are touched:
$(foreign)"
}

lab_network
say "Somebody else has services, two of them in our pool, one at an address that is not ours"
modprobe ip_vs
ipvsadm -A -t 198.51.100.1:32770 -s rr
ipvsadm -a -t 198.51.100.1:32770 -r 10.0.0.12:8080 -m -w 7
ipvsadm -A -u 198.51.100.1:32771 -s wlc -p 90
ipvsadm -A -t 198.51.100.77:32772 -s rr
ipvsadm -a -t 198.51.100.77:32772 -r 10.0.0.12:8080 -m
ipvsadm -A -t 198.51.100.1:9999 -s sh
ipvsadm -a -t 198.51.100.1:9999 -r 10.0.0.12:8080 -i
ipvsadm -A -f 77 -s rr
ipvsadm -a -f 77 -r 10.9.9.9 -g
before=$(foreign)
echo "$before"

say "Nothing that we do touches them"
lab_configure 'ports: [32768, 32777]' 'quarantine: 0'
untouched sonm-gw-setup --apply
untouched expect 6 sonm-gw-setup --check
grep -q 'foreign services: .*:3277[01]' /run/output || fail "they are not named"
untouched sonm-vs --sync
untouched sonm-vs --sync --dry-run
for i in 1 2 3 4 5 6 7 8 9; do
	untouched sonm-vs -A "c$i" -t 80=10.0.0.11:8080 -u 53=10.0.0.11:8080
done
untouched sonm-vs -L
untouched sonm-gwstat
untouched sonm-gwstat --checkpoint

say "Nine of ten ports are ours for each protocol; the tenth is not given away"
expect_error 5 'c10.*no port|c10.*pool' sonm-vs -A c10 -t 80=10.0.0.11:8080
expect_error 5 'c10.*no port|c10.*pool' sonm-vs -A c10 -u 53=10.0.0.11:8080
expect_error 4 32770 sonm-vs -A c10 -t 80=10.0.0.11:8080 --vport 32770
ports_of()
{
	sqlite3 "$state" "select port from route where protocol = $1 order by port" | paste -sd' '
}
check_equal "$(ports_of 6)" "32768 32769 32771 32772 32773 32774 32775 32776 32777" "our TCP ports"
check_equal "$(ports_of 17)" "32768 32769 32770 32772 32773 32774 32775 32776 32777" "our UDP ports"

say "What puts things back deletes the two that nobody has a route for, after saying so"
expect 6 sonm-vs --sync --dry-run >/run/told
cat /run/told
check_equal "$(grep -c orphan /run/told)" 2 "orphans"
check_equal "$(grep -v orphan /run/told)" "leave alone tcp 198.51.100.77:32772: inside the pool, but not ours" "what else"
check_equal "$(foreign)" "$before" "after a dry run"
sonm-vs --sync
before=$(echo "$before" | grep -Ev -e '198.51.100.1:3277[01]')
check_equal "$(foreign)" "$before" "what is left"

say "And nothing else"
ipvsadm -Sn | grep -A1 -E '^-A -t 198.51.100.1:3276[89]' | sed -n 's/^-A \(-t [^ ]*\).*/ipvsadm -D \1/p' | sh
expect 6 sonm-vs --sync --dry-run
untouched sonm-vs --sync
untouched sonm-vs --sync --dry-run
untouched sonm-vs -D c1 c2 c3 c4 c5 c6 c7 c8 c9 --wait
untouched sonm-gw-setup --undo
check_equal "$(ipvsadm -Sn | sort)" "$(echo "$before" | sort)" "only theirs are left"
