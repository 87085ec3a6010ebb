#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Nobody needs to be root who publishes: a user with CAP_NET_ADMIN alone, from
# the program's file, can do all that sonm-vs does; who has not even that is
# told so, and changes nothing. The account is read by who is in its group, and
# others become that user by sudo. All of it is set up by the very lines that
# sonm-vs(8) prints.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"
# shellcheck source=tests/lab/manual.sh
. "$tools/manual.sh"

hub=990 billing=991 reader=992 stranger=993
with=/usr/local/sbin without=/usr/local/bin

# as USER GROUPS CAPABILITIES COMMAND...: the most that it could ever get are these capabilities.
as()
{
	local user=$1 groups=--clear-groups most=$3
	[ ! "$2" ] || groups=--groups=$2
	shift 3
	setpriv --reuid "$user" --regid "$user" "$groups" \
		--inh-caps=-all --bounding-set="$most" env -i PATH="$with:/usr/bin:/bin" HOME=/nonexistent "$@"
}

# The hub itself: what the program's file gives, and of that no more than CAP_NET_ADMIN.
as_hub()
{
	as $hub '' -all,+net_admin "$@"
}

# The users and groups of the manual, and a shadow file: the host's cannot be read here by who is not root there.
users()
{
	sed -i '/^\(sonm\|billing\):/d' /etc/passwd /etc/group
	echo "sonm:x:$hub:$hub::/nonexistent:/usr/sbin/nologin" >>/etc/passwd
	printf '%s\n' "sonm:x:$hub:" "billing:x:$billing:" >>/etc/group
	rm -f /etc/shadow /etc/gshadow
	awk -F : '{ print $1 ":*:1::::::" }' /etc/passwd >/etc/shadow
}

# displayed N: what sonm-vs(8) tells one who has no root.
displayed()
{
	literal sonm-vs.8 PRIVILEGES "$1" >/run/displayed
	sed 's/^/  /' /run/displayed
	[ -s /run/displayed ] || fail "sonm-vs(8), PRIVILEGES, has no display $1"
}

files_of_state()
{
	stat -c '%n %U:%G %a' "$state" "$state"-journal
}

lab_network
lab_configure
say "Root prepares the kernel, and remembers that in a place of its own"
mkdir -m 700 /var/lib/sonm-setup
sed '$a\  state: /var/lib/sonm-setup/gateway.db' /etc/sonm/gateway.yaml >/etc/sonm/setup.yaml
sonm-gw-setup -c /etc/sonm/setup.yaml --apply >/run/setup || { cat /run/setup; fail "sonm-gw-setup --apply"; }
install -m 755 "${builddir:?}"/sonm-vs "$builddir"/sonm-gwstat $with
install -m 755 "$builddir"/sonm-vs "$builddir"/sonm-gwstat "$builddir"/sonm-gw-setup $without
users
displayed 1
sh -e /run/displayed || fail "these commands"
cp /etc/hostname /tmp/served
serve worker1 /tmp/served 8080

say "A user who is not root publishes, with CAP_NET_ADMIN alone"
as_hub grep -E '^Cap(Eff|Bnd)' /proc/self/status | tee /run/caps
check_equal "$(sed -n 's/^CapEff:\t0*//p' /run/caps)" "" "capabilities of that user"
check_equal "$(sed -n 's/^CapBnd:\t0*//p' /run/caps)" 1000 "the most that a program's file can give it"
as_hub sonm-vs -A web -t 80=10.0.0.11:8080 >/run/published
endpoint=$(sed 's/.*->\(.*\)]/\1/' /run/published)
check_equal "$(download "$endpoint")" "$(cat /tmp/served)" "what a client gets"
as_hub sonm-vs -E web -t 80=10.0.0.12:8080 -w 50
check_state_is_kernel
ipvsadm -C
expect 6 as_hub sonm-vs --sync --dry-run
as_hub sonm-vs --sync
check_state_is_kernel
as_hub sonm-vs -D web -t 80=10.0.0.12:8080
check_equal "$(download "$endpoint")" "$(cat /tmp/served)" "what a client gets after all that"
counters_settle
as_hub sonm-gwstat --checkpoint
as_hub sonm-gwstat -j | jq -e '.containers[0].total.outbytes > 0' >/dev/null || fail "nothing is counted"
check_equal "$(find /var/lib/sonm -newer /run/setup -not -user $hub -not -name lost+found)" "" "files of others than that user's"

say "Who lacks the capability is told so, and changes nothing"
before=$(sqlite3 "$state" .dump | sha256) kernel=$(ipvsadm -Sn)
expect_error 7 'CAP_NET_ADMIN' as $hub '' -all $without/sonm-vs -A other -t 80=10.0.0.11:8080
expect_error 7 'CAP_NET_ADMIN' as $hub '' -all $without/sonm-vs -D web
expect_error 7 'CAP_NET_ADMIN' as $hub '' -all $without/sonm-gwstat --checkpoint
expect_error 7 CAP_NET_ADMIN as $hub '' -all $without/sonm-gw-setup --apply
check_equal "$(sqlite3 "$state" .dump | sha256)" "$before" "the state file is as it was"
check_equal "$(ipvsadm -Sn)" "$kernel" "the kernel has what it had"

say "A stranger may not even start what has the capability, nor look into the state file"
for groups in '' $billing; do
	status=0
	as $stranger "$groups" -all,+net_admin $with/sonm-vs -L 2>/run/stderr || status=$?
	check_equal "$status" 126 "exit status of what may not be executed"
done
expect_error 7 'ermission denied' as $stranger '' -all $without/sonm-vs -L

say "Who is in the group of the state file reads the account, without any capability"
as_hub sonm-vs -D web --wait >/dev/null
displayed 3
sh -e /run/displayed || fail "this command"
files_of_state
as_reader()
{
	as $reader $billing -all,+net_admin "$@"
}
billed=$(ledger outbytes web)
[ "$billed" -gt 0 ] || fail "nothing is on the bill"
check_equal "$(as_reader $without/sonm-gwstat --closed -j | jq '.closed[0].outbytes')" "$billed" "bytes that sonm-gwstat tells"
sqlite3 "$state" 'update traffic set at = at - 7200'
check_equal "$(as_reader $without/sonm-gwstat --since -4h --until -1h -j | jq .total.outbytes)" "$billed" \
	"bytes of a time that is over"
expect_error 7 'CAP_NET_ADMIN' as_reader $without/sonm-gwstat --since -4h
check_equal "$(as_reader sqlite3 "$state" 'select sum(outbytes) from ledger')" "$billed" "bytes that SQL tells"
as_reader sqlite3 "$state" 'delete from ledger' 2>/dev/null && fail "a reader can write"
expect_error 2 'belongs to another user' as_reader $without/sonm-vs -D web
expect_error 2 'belongs to another user' as_reader $without/sonm-gwstat --prune -1h
check_equal "$(ledger outbytes web)" "$billed" "bytes on the bill, after all that"

say "A command that was killed while it wrote leaves that to the next who may write"
# strace gives its child no capabilities of a file's.
traced()
{
	setpriv --reuid $hub --regid $hub --clear-groups --inh-caps=-all,+net_admin --ambient-caps=-all,+net_admin \
		strace -qq -o /run/calls/of "$@" $without/sonm-gwstat --checkpoint
}
install -d -o $hub /run/calls
traced -e trace=pwrite64
pages=$(grep -c pwrite64 /run/calls/of)
[ "$pages" -gt 4 ] || fail "only $pages pages are written"
expect 137 traced -e inject=pwrite64:signal=KILL:when="$pages"
expect_error 1 'a command was cut off while it wrote.*sonm-gwstat --checkpoint' as_reader $without/sonm-gwstat --closed
expect 0 as_hub sonm-gwstat --checkpoint
check_equal "$(as_reader $without/sonm-gwstat --closed -j | jq '.closed[0].outbytes')" "$billed" "bytes that sonm-gwstat tells"

say "Root relies on nothing that another user has written"
expect_error 2 'belongs to another user' sonm-vs -L
expect_error 2 'belongs to another user' sonm-gw-setup --undo

say "And while the hub goes on"
as_hub sonm-vs -A next -t 80=10.0.0.11:8080 >/dev/null
check_equal "$(as_reader sqlite3 "$state" 'select container from route')" next "what is published"
check_equal "$(as_reader $without/sonm-gwstat --closed -j | jq '.closed[0].outbytes')" "$billed" "bytes that sonm-gwstat tells"

say "The web server becomes that user for sonm-vs, by what the manual has for sudoers, and for nothing else"
hostname localhost # sudo(8) wants to find it
rm -rf /etc/sudoers /etc/sudoers.d # the host's
mkdir -m 755 /etc/sudoers.d
displayed 2
install -m 440 /run/displayed /etc/sudoers.d/sonm
printf '%s\n' 'Defaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"' \
	'root ALL=(ALL:ALL) ALL' '@includedir /etc/sudoers.d' >/etc/sudoers
chmod 440 /etc/sudoers
visudo -c
as_www()
{
	setpriv --reuid www-data --regid www-data --clear-groups env -i PATH=$with:/usr/bin:/bin "$@"
}
expect_error 126 'ermission denied' as_www sonm-vs -L
as_www sudo -n -u sonm sonm-vs -A asked -t 80=10.0.0.11:8080 >/run/published
check_equal "$(download "$(sed 's/.*->\(.*\)]/\1/' /run/published)")" "$(cat /tmp/served)" "what a client gets"
check_equal "$(files_of_state | cut -d ' ' -f 2 | uniq)" sonm:billing "whose the state file is"
before=$(sqlite3 "$state" .dump | sha256) kernel=$(ipvsadm -Sn)
expect_error 1 'password is required' as_www sudo -n sonm-vs -D asked
expect_error 1 'password is required' as_www sudo -n -u sonm sonm-gwstat --checkpoint
expect_error 1 'password is required' as_www sudo -n -u sonm /bin/sh -c "sonm-vs -D asked"
expect_error 1 'password is required' as_www sudo -n -u sonm $without/sonm-vs -D asked
expect_error 1 'password is required' setpriv --reuid nobody --regid nogroup --clear-groups sudo -n -u sonm $with/sonm-vs -D asked
check_equal "$(sqlite3 "$state" .dump | sha256)" "$before" "the state file is as it was"
check_equal "$(ipvsadm -Sn)" "$kernel" "the kernel has what it had"

say "Root uses it as that user, too"
sudo -u sonm sonm-vs -D asked
