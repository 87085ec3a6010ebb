#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The state file's disk is full or cannot be read, others hold its locks for too long, it is damaged,
# the clock is set back: each is said in one line, nothing is changed or lost, and
# the same command succeeds when the fault is gone.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

real=10.0.0.11:8080

everything()
{
	ipvsadm -Sn
	sqlite3 "$state" .dump | grep -v sqlite_sequence
}

# refused PATTERN COMMAND...
refused()
{
	pattern=$1
	shift
	before=$(everything)
	expect_error 1 "$pattern" "$@"
	[ "$(everything)" = "$before" ] || fail "something changed: $*"
}

# use FILE: as the state file from now on, with those services in the kernel that it has.
use()
{
	state=$1
	lab_configure 'ports: [32768, 32867]' 'quarantine: 0' "state: $state"
	sonm-vs --sync >/run/synced
}

# gives_up COMMAND...: in the background, into /run/gives-up.N. All wait at the same time.
waiting=0
gives_up()
{
	waiting=$((waiting + 1))
	{
		status=0
		"$@" >/run/gives-up.$waiting 2>&1 || status=$?
		echo $status >>/run/gives-up.$waiting
	} &
	waiters="${waiters-} $!"
}

lab_network
lab_hub 'ports: [32768, 32867]' 'quarantine: 0'
publish web -t 80=$real -u 53=$real >/run/web
publish leaves -t 80=10.0.0.12:8080 >/run/leaves
sonm-vs -S >/run/saved.yaml

say "Others hold the lock of a state file, and keep reading another"
for name in locked read; do
	cp -a "$state" /var/lib/sonm/$name.db
	lab_configure 'ports: [32768, 32867]' 'quarantine: 0' "state: /var/lib/sonm/$name.db"
	mv /etc/sonm/gateway.yaml /etc/sonm/$name.yaml
done
flock -F /var/lib/sonm/locked.db sleep 300 &
locker=$!
python3 -c '
import sqlite3, time
db = sqlite3.connect("/var/lib/sonm/read.db", isolation_level=None)
db.execute("begin")
db.execute("select * from route").fetchone()
print("reads", flush=True)
time.sleep(300)' >/run/reads &
reader=$!
wait_for 20 grep -q reads /run/reads
wait_for 20 sh -c '! flock -n /var/lib/sonm/locked.db true'
others=$(sha256 /var/lib/sonm/locked.db /var/lib/sonm/read.db)
gives_up sonm-vs -c /etc/sonm/read.yaml -A more -t 81=$real
gives_up sonm-vs -c /etc/sonm/locked.yaml -A more -t 81=$real
gives_up env --block-signal sonm-vs -c /etc/sonm/locked.yaml -D web
gives_up sonm-vs -c /etc/sonm/locked.yaml -R /run/saved.yaml
gives_up sonm-vs -c /etc/sonm/locked.yaml --sync
gives_up sonm-gwstat -c /etc/sonm/locked.yaml --checkpoint
use $state
in_time='import os, signal, sys; signal.alarm(3); os.execvp(sys.argv[1], sys.argv[1:])'
expect 142 python3 -IS -c "$in_time" sonm-vs -c /etc/sonm/locked.yaml -D web # killed by the caller's own alarm

say "A disk with sectors that cannot be read"
modprobe -a loop dm-mod
head -c 16M /dev/zero >/tmp/disk
mkfs.ext4 -q /tmp/disk
mkdir /run/disk
loop=$(losetup -f --show /tmp/disk)
sectors=$(blockdev --getsz "$loop")
mount "$loop" /run/disk
chmod 700 /run/disk
cp -a "$state" /run/disk/gateway.db
sync
first=$(filefrag -b512 -v /run/disk/gateway.db | awk '$1 == "0:" { print $4 + 8 }') # all but the first page
umount /run/disk
dmsetup create disk <<END
0 $first linear $loop 0
$first 80 error
$((first + 80)) $((sectors - first - 80)) linear $loop $((first + 80))
END
mount -t ext4 /dev/dm-0 /run/disk
services=$(services_of_kernel)
sed "s,^  state:.*,  state: /run/disk/gateway.db," /etc/sonm/locked.yaml >/etc/sonm/disk.yaml
unreadable='Input/output error; see with df and dmesg'
for command in sonm-vs\ -L sonm-vs\ -S sonm-gwstat "sonm-gwstat --closed" "sonm-vs -A one -t 80=$real" \
	"sonm-vs -D web" "sonm-vs --sync" "sonm-gwstat --checkpoint"; do
	set -- $command
	program=$1
	shift
	expect_error 1 "$unreadable" $program -c /etc/sonm/disk.yaml "$@"
done
check_equal "$(services_of_kernel)" "$services" "services"
dmsetup suspend disk
echo "0 $sectors linear $loop 0" | dmsetup reload disk
dmsetup resume disk
expect 0 sonm-vs -c /etc/sonm/disk.yaml -L >/run/listed
umount /run/disk

say "A full disk"
mkdir /run/small
mount -t tmpfs -o size=256k,mode=700 small /run/small
cp -a "$state" /run/small/gateway.db
use /run/small/gateway.db
head -c 1M /dev/zero >/run/small/filler 2>/dev/null || :
full='full.*make room on the disk'
set --
for port in $(seq 40); do
	set -- "$@" -t "$port=$real"
done
refused "$full" sonm-vs -A many "$@"
for command in "sonm-vs -A one -t 80=$real" "sonm-vs -D leaves" "sonm-gwstat --checkpoint" "sonm-vs --sync"; do
	before=$(everything)
	status=0
	$command >/run/out 2>&1 || status=$?
	sed 's/^/  /' /run/out
	case $status in
	0) echo "  there was room for: $command" ;;
	1)
		grep -Eq "$full" /run/out || fail "says something else: $command"
		check_equal "$(everything)" "$before" "nothing changed"
		;;
	*) fail "exit status $status: $command" ;;
	esac
done
rm /run/small/filler
expect 0 sonm-vs -A many "$@" >/run/out
sonm-vs --sync >/run/synced
check_state_is_kernel
sonm-vs -C --yes >/run/out
counters_settle
sonm-gwstat --checkpoint
state=/var/lib/sonm/gateway.db
use $state

say "A state file that is damaged, and what the error says to do"
services=$(services_of_kernel)
cp -a "$state" /run/whole.db
damaged="damaged.*move it away.*'sonm-vs -R FILE --adopt'"
for damage in 0 20 4096 cut; do
	cp -a /run/whole.db "$state"
	case $damage in
	cut) truncate -s 20000 "$state" ;;
	*) dd if=/dev/urandom of="$state" bs=1 seek=$damage count=3000 conv=notrunc 2>/dev/null ;;
	esac
	sum=$(sha256 "$state")
	expect_error 1 "$damaged" sonm-vs -A more -t 81=$real
	expect_error 1 "$damaged" sonm-vs -D web
	expect_error 1 "$damaged" sonm-vs -R /run/saved.yaml
	expect_error 1 "$damaged" sonm-vs --sync
	expect_error 1 "$damaged" sonm-gwstat --checkpoint
	check_equal "$(sha256 "$state")" "$sum" "the file is as it was"
	check_equal "$(services_of_kernel)" "$services" "services"
done
mv "$state" /run/damaged.db
expect 0 sonm-vs -R /run/saved.yaml --adopt
check_equal "$(services_of_kernel)" "$services" "services"
check_state_is_kernel
say "The same after a boot"
rm "$state"
ipvsadm -C
expect 0 sonm-vs -R /run/saved.yaml --adopt
check_equal "$(services_of_kernel)" "$services" "services"
check_state_is_kernel

say "The clock is set back"
date -u -s "1970-01-01 00:10:00" >/dev/null
expect 0 sonm-vs -A more -t 81=$real
expect 0 sonm-vs -D leaves --wait
expect 0 sonm-vs -R /run/saved.yaml
expect 0 sonm-vs --sync
expect 0 sonm-gwstat --checkpoint
check_state_is_kernel

say "Who has waited for the locks has given up"
for pid in $waiters; do
	wait "$pid"
done
for i in $(seq $waiting); do
	sed 's/^/  /' /run/gives-up."$i"
	check_equal "$(sed -n 2,9p /run/gives-up."$i")" 1 "exit status, after one line"
	grep -Eq "(been in use by another program for 60 seconds|another program keeps reading it).*'fuser -v" /run/gives-up."$i" ||
		fail "the error does not say who is in the way"
done
check_equal "$(sha256 /var/lib/sonm/locked.db /var/lib/sonm/read.db)" "$others" "both files are as they were"
kill $locker $reader
wait_for 20 flock -n /var/lib/sonm/locked.db true
for name in locked read; do
	expect 0 sonm-vs -c /etc/sonm/$name.yaml -A more -t 82=$real
	expect 0 sonm-vs -c /etc/sonm/$name.yaml -D web
done
