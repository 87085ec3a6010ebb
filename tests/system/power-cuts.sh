#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The power is cut at random moments while a hub adds and removes routes, and the
# disk loses what was not flushed. What had been said to be done is done, what was
# being done is done or not, the state file opens, sync brings every route back,
# and the account goes on.
#
# A cut disk of this machine keeps all that was written to it, which real ones do not.
# So the state file is on a disk within that disk: what is written there waits in
# the kernel's memory, and is kept when that disk is flushed, or when the kernel has
# time; in every other boot it takes its time at once.
#
#   cuts    (environment) how many (default: 4)
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

cuts=${cuts:-4}
open_at_once=5 # containers that the hub has published at a time
pool=64        # ports
outer=/run/outer # where the machine's own disk is

# outside LINE: known there before anything else happens here, and whatever becomes of this machine.
outside()
{
	echo "$*" >/dev/tty2
}

# --- What has been said outside: "try WORD CONTAINER", "done WORD CONTAINER [ENDPOINTS]" ---

# heard WORD...: has a line that begins like this been written there? It takes a moment.
heard()
{
	grep -Eq "^$*( |\$)" /lab/outside
}

# The containers that were published, with their endpoints; but for the one that was being removed.
published()
{
	awk '$1 == "done" && $2 == "add" { at[$3] = $4 }
		$2 == "remove" { delete at[$3] }
		END { for (container in at) print container, at[container] }' /lab/outside | sort
}

removed()
{
	awk '$1 == "done" && $2 == "remove" { print $3 }' /lab/outside | sort
}

# What had begun, and was not said to be done: WORD CONTAINER.
unfinished()
{
	awk '$1 == "try" { begun = $2 " " $3 } $1 == "done" { begun = "" } END { if (begun) print begun }' /lab/outside
}

# last WORD: what the last line of that kind says.
last()
{
	awk -v word="$1" '$1 == word { found = $2 } END { print found + 0 }' /lab/outside
}

# --- The hub ---

endpoints_of()
{
	jq -r '[.routes[] | select(.state == "open") | "\(.protocol):\(.port)"] | sort | join(",")'
}

add()
{
	outside try add "$1"
	sonm-vs -A "$1" -t "80=10.0.0.11:$((10000 + ${1#c}))" -u 53=10.0.0.11:5353 -j >/run/added
	outside 'done' add "$1" "$(endpoints_of </run/added)"
}

# Who is not sure asks once more: 3 means that it is gone.
remove()
{
	outside try remove "$1"
	status=0
	sonm-vs -D "$1" >/run/removed 2>&1 || status=$?
	case $status in
	0 | 3) ;;
	*) fail "cannot remove $1: $(cat /run/removed)" ;;
	esac
	outside 'done' remove "$1"
}

# conns: of the route that stays, as the account has it.
conns()
{
	sqlite3 "$state" "select base_conns + last_conns from route where container = 'stays'"
}

checkpoint()
{
	sonm-gwstat --checkpoint
	outside counted "$(conns)"
}

hub_works()
{
	next=$(awk '$2 == "add" && $3 ~ /^c/ { newest = substr($3, 2) } END { print newest + 0 }' /lab/outside)
	# shellcheck disable=SC2046 # words
	set -- $(published | sed '/^stays /d; s/ .*//')
	while :; do
		next=$((next + 1))
		add c$next
		set -- "$@" c$next
		if [ $# -gt $open_at_once ]; then
			remove "$1"
			shift
		fi
		[ $((next % 3)) -ne 0 ] || checkpoint
	done
}

# --- What is found after a cut ---

check_unfinished()
{
	sonm-vs -L "$2" -j >/run/unfinished 2>/run/stderr || [ $? -eq 3 ] || fail "$(cat /run/stderr)"
	n=$(jq -s '[.[].routes[] | select(.state == "open")] | length' /run/unfinished)
	case $n in
	0 | 2) echo "  cut while it did: $1 $2; $n ports are open" ;;
	*) fail "$1 $2 was done by half" ;;
	esac
}

check_state_file()
{
	sonm-vs -L -j >/run/routes
	check_equal "$(sqlite3 "$state" 'pragma integrity_check; pragma foreign_key_check')" ok "the state file"
	published >/run/published
	jq -r '.routes | map(select(.state == "open")) | group_by(.container)[]
		| "\(.[0].container) \(map("\(.protocol):\(.port)") | sort | join(","))"' /run/routes >/run/open
	begun=$(unfinished)
	grep -v "^${begun#* } " /run/open | sort >/run/open.sure || :
	check_equal "$(cat /run/open.sure)" "$(cat /run/published)" "all that was done is there, and no more"
	# shellcheck disable=SC2086 # two words
	[ -z "$begun" ] || check_unfinished $begun
}

# Every connection is counted once at most, and each that was counted stays so.
check_account()
{
	now=$(conns) counted=$(last counted) connected=$(last connected)
	if [ "$now" -lt "$counted" ] || [ "$now" -gt "$connected" ]; then
		fail "the account has $now connections, after $counted, of $connected that there were"
	fi
	echo "  connections: $now in the account, $counted at the last checkpoint that was seen, $connected made"
	outside counted "$now"
	check_equal "$(sqlite3 "$state" "select container, container_port, protocol from ledger
		group by 1, 2, 3 having count(*) > 1")" "" "entered twice"
}

check_sync()
{
	sonm-gw-setup --apply >/run/setup || { cat /run/setup; fail "sonm-gw-setup --apply"; }
	sonm-vs --sync >/run/synced
	[ "$(services_of_state)" = "$(services_of_kernel)" ] || check_state_is_kernel
	sonm-vs --sync --dry-run >/run/synced || fail "sync is needed again: $(cat /run/synced)"
}

finish_unfinished()
{
	# shellcheck disable=SC2046 # two words
	set -- $(unfinished)
	[ $# -ne 0 ] || return 0
	"$1" "$2"
	wait_for 20 heard 'done' "$1" "$2"
}

# --- The boots ---

# Nobody is there but the hub, which is its own client: what passes through is of no interest here.
start()
{
	ip -batch - <<-END
		link add lan type bridge
		link set lan up
		addr add $public4/24 dev lan
		addr add $public6/64 dev lan nodad
		addr add 10.0.0.1/24 dev lan
	END
	lab_configure "ports: [32768, $((32767 + pool))]" 'quarantine: 0'
}

# Five datagrams, each from a port that was not used yet, are as many connections.
connect()
{
	connected=$(last connected)
	python3 -c "
import socket
for i in range(5):
	socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('$public4', ${1##*:}))"
	outside connected $((connected + 5))
}

chance()
{
	python3 -c 'import random, sys
random.seed(sys.argv[1])
print(random.random() * float(sys.argv[2]))' "$seed $boots" "$1"
}

# In every third boot there is time for a checkpoint that has read the connections' count.
work_until_the_cut()
{
	echo "$boots" >>$outer/control # and nobody flushes it
	connect "$(published | sed -n 's/^stays //p')"
	[ $((boots % 3)) -ne 0 ] || { counters_settle; checkpoint; }
	outside cut "$(chance 2.5)"
	hub_works
}

first_boot()
{
	check_sync
	outside try add stays
	sonm-vs -A stays -u 53=10.0.0.12:5353 -j >/run/added
	outside 'done' add stays "$(endpoints_of </run/added)"
	wait_for 20 heard 'done' add stays
	work_until_the_cut
}

later_boot()
{
	check_state_file
	check_account
	[ $((boots % 4)) -ne 0 ] || outside cut "$(chance 1.5)"
	check_sync
	finish_unfinished
	work_until_the_cut
}

last_boot()
{
	check_state_file
	check_account
	check_sync
	finish_unfinished
	say "Nothing is left of what was removed, and no port is lost"
	for container in $(published | sed 's/ .*//'); do
		remove "$container"
	done
	counters_settle
	sonm-gwstat --checkpoint
	check_equal "$(ipvsadm -Sn)" "" "services"
	check_equal "$(sqlite3 "$state" "select distinct container from ledger" | sort)" "$(removed | sort -u)" "the ledger"
	set --
	for port in $(seq $pool); do
		set -- "$@" -t "$port=10.0.0.11:$port" -u "$port=10.0.0.11:$port"
	done
	expect 0 sonm-vs -A all "$@" >/run/all
	check_equal "$(ipvsadm -Sn | grep -c '^-A')" $((2 * pool)) "services"

	say "What the cuts did"
	kept=$(grep -c . $outer/control) || :
	[ "$kept" -lt "$cuts" ] || fail "nothing was lost that was not flushed"
	counted=$(ledger conns stays)
	[ "$counted" -gt 0 ] || fail "nothing was ever counted"
	echo "  cuts: $cuts; calls that were done: $(grep -c '^done' /lab/outside)"
	echo "  connections: $counted counted of $(last connected)"
	echo "  of what was not flushed, lost: $((cuts - kept)) of $cuts"
}

# --- The boots ---

boots=$(cat /lab/boots 2>/dev/null || echo 0)
echo $((boots + 1)) >/lab/boots
modprobe loop
mkdir $outer
mount --move /var/lib/sonm $outer
if [ "$boots" -eq 0 ]; then
	touch /lab/outside
	echo "${seed:-$(date +%s)}" >/lab/seed
	head -c 16M /dev/zero >$outer/disk
	mkfs.ext4 -q $outer/disk
	sync
fi
sync /lab/boots
seed=$(cat /lab/seed)
mount -o loop $outer/disk /var/lib/sonm
chmod 700 /var/lib/sonm
[ $((boots % 2)) -eq 0 ] || sysctl -qw vm.dirty_writeback_centisecs=1 vm.dirty_expire_centisecs=1
stty -onlcr </dev/tty2
start
if [ "$boots" -eq "$cuts" ]; then
	say "After the last cut"
	last_boot
	exit
fi
touch /lab/again
sync /lab/again
if [ "$boots" -eq 0 ]; then
	say "The hub begins; seed=$seed"
	first_boot
else
	say "After cut $boots of $cuts"
	later_boot
fi
