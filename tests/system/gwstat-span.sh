#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What came through in a span of time is what the account grew by; the ledger
# can be asked for a time, and handed out for good: what is deleted there is in
# the file, whatever happens to the disk or to the program. A picture shows it.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

members='[.conns, .inpkts, .outpkts, .inbytes, .outbytes]'

# total OPTION...: the five counters.
total()
{
	sonm-gwstat -j "$@" | jq -c ".total | $members"
}

# history WHERE: the same, as the state file has it.
history()
{
	sqlite3 "$state" "select json_array(sum(conns), sum(inpkts), sum(outpkts), sum(inbytes), sum(outbytes))
		from traffic where $1"
}

containers()
{
	jq -r '[(.containers // .closed)[].container] | join(" ")'
}

seconds()
{
	date -u -d "$1" +%s
}

lab_network
lab_hub
head -c 1000000 /dev/urandom >/tmp/content
serve worker1 /tmp/content 8080
began=@$(date +%s)
web=$(publish web -t 80=10.0.0.11:8080)
db=$(publish db -u 53=10.0.0.11:8080)

say "What no checkpoint has seen yet counts"
download "$web" >/dev/null
counters_settle
check_equal "$(total --since -1h)" "$(total)" "the last hour and the account"
check_equal "$(sqlite3 "$state" 'select count(*) from traffic')" 0 "rows of the history"
check_equal "$(sonm-gwstat --since "$began" -j | jq ".until - .since < 300")" true "since the route was opened"

say "and what a checkpoint has seen counts once"
sonm-gwstat --checkpoint
check_equal "$(total --since -1h)" "$(total)" "the last hour and the account"
check_equal "$(total --since -1h)" "$(history 1)" "and the history"
download "$web" >/dev/null
download_udp "$db" >/dev/null
counters_settle
check_equal "$(total --since -1h)" "$(total)" "with what came since"
check_equal "$(total --since -1h web)" "$(total web)" "of one container"
check_equal "$(total --since -1h web web)" "$(total web)" "named twice"
sonm-gwstat --checkpoint
check_equal "$(total --since -1h)" "$(history 1)" "all of it, in the history"

say "An hour three days ago counts as a whole, and is said to"
hour=$(seconds "3 days ago 12:00")
sqlite3 "$state" "insert into traffic select 3600, $hour, container, sum(conns), sum(inpkts), sum(outpkts),
		sum(inbytes), sum(outbytes) from traffic where container = 'web';
	delete from traffic where container = 'web' and span = 60"
check_equal "$(sonm-gwstat --since -2d -j | containers)" db "two days"
check_equal "$(sonm-gwstat --since -4d -j | containers)" "db web" "four days"
check_equal "$(total --since -4d)" "$(history 1)" "four days"
sonm-gwstat --since @$((hour + 600)) --until @$((hour + 660)) -j >/tmp/minute
check_equal "$(jq -c .since,.until /tmp/minute | paste -sd' ')" "$hour $((hour + 3600))" "a minute of it"
check_equal "$(jq -c ".total | $members" /tmp/minute)" "$(history "at = $hour")" "what came through"
check_equal "$(containers </tmp/minute)" web "containers"
sonm-gwstat --since @$((hour + 600)) --until @$((hour + 660)) | tee /tmp/text
grep -q "^From $(date -u -d @"$hour" +%FT%TZ) until $(date -u -d @$((hour + 3600)) +%FT%TZ)$" /tmp/text
check_equal "$(sonm-gwstat --since -9d --until -8d db -j | jq -c ".containers[].total | $members")" "[0,0,0,0,0]" \
	"of one that was quiet"
expect_error 3 'no such container: nobody' sonm-gwstat --since -1h nobody

say "The ledger of a time"
sonm-vs -D web --wait >/dev/null
sonm-vs -D db --wait >/dev/null
sqlite3 "$state" "update ledger set closed_at = closed_at - 2 * 86400 where container = 'web'"
check_equal "$(sonm-gwstat --closed --since -1d -j | containers)" db "since yesterday"
check_equal "$(sonm-gwstat --closed --until -1d -j | containers)" web "before"
check_equal "$(sonm-gwstat --closed --since -3d --until -1d web -j | jq .total.outbytes)" "$(ledger outbytes web)" "bytes"
expect 0 sonm-gwstat --closed --since -1d web
expect_error 3 'nobody has no closed route' sonm-gwstat --closed --since -1d nobody

say "What makes no sense is refused"
expect_error 2 'not a time' sonm-gwstat --since yesterday
expect_error 2 'not a time' sonm-gwstat --since 2026-02-30
expect_error 2 'no time that has passed' sonm-gwstat --since -1h --until -2h
expect_error 2 'rate and --since' sonm-gwstat --rate --since -1h
expect_error 2 'lacks its argument' sonm-gwstat --prune
expect_error 2 'takes no container' sonm-gwstat --prune -1d web

say "What cannot be written is not deleted"
before=$(sqlite3 "$state" 'select * from ledger')
expect_error 1 'No space left' sonm-gwstat --prune -1d --output /dev/full
expect_error 1 'No space left' sh -c 'sonm-gwstat --prune -1d >/dev/full'
mkdir /tmp/small
mount -t tmpfs -o size=4k none /tmp/small
head -c 4096 /dev/zero >/tmp/small/filler
expect_error 1 'No space left' sonm-gwstat --prune -1d --output /tmp/small/ledger.json
[ ! -e /tmp/small/ledger.json ] || fail "a part of a file is left"
expect_error 2 'No such file' sonm-gwstat --prune -1d --output /tmp/nowhere/ledger.json
expect_error 2 'for --push' sonm-gwstat --prune -1d --token-file /etc/hostname
check_equal "$(sqlite3 "$state" 'select * from ledger')" "$before" "the ledger"

say "Killed at any moment, what is not in the ledger is in the file"
cp "$state" /tmp/kept.db
all=$(sqlite3 "$state" 'select group_concat(id) from (select id from ledger order by id)')
moment=0 status=137
while [ $status -eq 137 ]; do
	moment=$((moment + 1)) status=0
	sqlite3 "$state" '.restore /tmp/kept.db'
	rm -f /tmp/archive
	strace -qq -o /dev/null -e trace=write,pwrite64,fsync,fdatasync,flock \
		-e inject=write,pwrite64,fsync,fdatasync,flock:signal=KILL:when=$moment \
		sonm-gwstat --prune -1d --output /tmp/archive 2>/dev/null || status=$?
	left=$(sqlite3 "$state" 'select id from ledger')
	written=$(jq -r '.closed | length' /tmp/archive 2>/dev/null || echo 0)
	[ "$(echo "$left" | wc -l)" -eq 2 ] || [ "$written" -eq 1 ] || fail "an entry is lost at moment $moment"
done
check_equal $status 0 "exit status when it was not killed"
echo "  moments: $((moment - 1)), entries: $all"
[ $moment -gt 8 ] || fail "too few moments"

say "What was deleted is in the file, to the byte"
check_equal "$(jq -c ".closed[] | $members" /tmp/archive)" \
	"$(sqlite3 /tmp/kept.db "select json_array(conns, inpkts, outpkts, inbytes, outbytes) from ledger
		where container = 'web'")" "web"
check_equal "$(stat -c %a /tmp/archive)" 600 "permissions"
check_equal "$(sonm-gwstat --closed -j | containers)" db "the ledger has"
check_equal "$(total --since -4d)" "$(history 1)" "the history still has it"
expect_error 4 'archive is there already' sonm-gwstat --prune -1d --output /tmp/archive

say "Whose port is in quarantine stays"
sonm-gwstat --prune -0s >/tmp/pruned 2>/tmp/note
grep -q '1 closed route.*quarantine' /tmp/note
check_equal "$(jq -c .closed /tmp/pruned)" "[]" "pruned"
sqlite3 "$state" "update ledger set closed_at = closed_at - 400"
check_equal "$(sonm-gwstat --prune -0s | containers)" db "pruned when it is over"
check_equal "$(sonm-gwstat --total -j | jq .total.outbytes)" 0 "the account of what is left"

say "A picture"
for picture in svg html; do
	sonm-gwstat --report "/tmp/report.$picture" --since -4d
	xmllint --noout "/tmp/report.$picture"
	for text in '>web<' '>db<' 'bit/s<' "$(uname -n)"; do
		grep -q -- "$text" "/tmp/report.$picture" || fail "$picture lacks $text"
	done
done
check_equal "$(xmllint --html --xpath 'count(//tr)' /tmp/report.html 2>/dev/null)" 4 "rows of the table"
sonm-gwstat --report /tmp/web.svg --since -4d web
! grep -q '>db<' /tmp/web.svg || fail "db was not asked for"
sonm-gwstat --report /tmp/none.svg --since 2020-01-01 --until 2020-02-01
grep -q 'No checkpoint has recorded any traffic' /tmp/none.svg
xmllint --noout /tmp/none.svg
expect_error 2 'cannot draw.*neither FILE.svg nor FILE.html' sonm-gwstat --report /tmp/report.png
expect_error 2 'cannot draw.*No such file' sonm-gwstat --report /tmp/nowhere/report.svg
expect_error 2 'for --push' sonm-gwstat --report /tmp/report.svg --ca-file /etc/hostname
expect_error 3 'no such container: nobody' sonm-gwstat --report /tmp/nobody.svg nobody
sysctl -qw net.ipv4.vs.run_estimation=0
sonm-gwstat --report /tmp/frozen.svg 2>/tmp/warning
grep -q 'the kernel does not count' /tmp/warning || fail "a report of numbers that stand still has no warning"
sysctl -qw net.ipv4.vs.run_estimation=1
[ ! -e /tmp/nobody.svg ] || fail "a file is made in spite of the error"
