#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# sonm-vs is killed at 50 moments of its work, each at a system call of its
# own. What it leaves, sync heals; whoever tries again succeeds; no port is
# lost for good.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

moments=28 # of adding, and as many of removing

# moments_of COMMAND...: runs it and prints moments of its work, evenly spread
# from the writer's lock on: a system call and its how-manieth. What only looks
# at the state file is left out: how often depends on what is in it.
moments_of()
{
	strace -qq -o /tmp/trace "$@" >/dev/null
	awk -F'(' -v wanted=$moments '
		{ nth[$1]++ }
		$1 == "flock" { found = 1 }
		found && /^[a-z]/ && $1 !~ /^(pread64|newfstatat|getpid|exit_group)$/ { moment[n++] = $1 " " nth[$1] }
		END { for (i = 0; i < wanted; i++) print moment[int(i * n / wanted)] }' /tmp/trace
}

# killed_at SYSCALL NTH COMMAND...: if it goes that far.
killed_at()
{
	injection="$1:signal=KILL:when=$2"
	shift 2
	status=0
	strace -qq -o /dev/null -e "inject=$injection" "$@" >/dev/null 2>&1 || status=$?
	case $status in
	137) killed=$((killed + 1)) ;;
	0) echo "  not reached: $injection" ;;
	*) fail "exit status $status at $injection: $*" ;;
	esac
}

healed()
{
	sonm-vs --sync >/dev/null
	sonm-vs --sync --dry-run >/tmp/differences || fail "sync is needed again: $(cat /tmp/differences)"
	[ "$(services_of_state)" = "$(services_of_kernel)" ] || check_state_is_kernel
}

# add NUMBER COMMAND...: each container has real servers of its own, so that the answers of no
# other are meant when they are held back.
add()
{
	number=$1
	shift
	"$@" sonm-vs -A "c$number" -t "80=10.0.0.11:$((8000 + number))" -u "53=10.0.0.11:$((5000 + number))"
}

lab_network
lab_hub "ports: [32768, $((32768 + moments))]" 'quarantine: 0'

rules=$(ip rule; ip -6 rule)
killed=0
say "Killed while it adds"
add 0 moments_of >/tmp/moments
check_equal "$(sort -u /tmp/moments | wc -l)" $moments "different moments"
i=0
while read -r syscall nth; do
	i=$((i + 1))
	echo "  $syscall $nth"
	add $i killed_at "$syscall" "$nth"
	healed
	add $i env >/dev/null
done </tmp/moments
healed
check_equal "$(ipvsadm -Sn | grep -c '^-a')" $((2 * moments + 2)) "real servers"

say "Killed while it removes"
moments_of sonm-vs -D c0 >/tmp/moments
check_equal "$(sort -u /tmp/moments | wc -l)" $moments "different moments"
i=0
while read -r syscall nth; do
	i=$((i + 1))
	echo "  $syscall $nth"
	killed_at "$syscall" "$nth" sonm-vs -D c$i
	healed
	sonm-vs -D c$i >/dev/null
done </tmp/moments
[ $killed -ge 50 ] || fail "killed $killed times only"
counters_settle
sonm-gwstat --checkpoint
check_equal "$(ipvsadm -Sn)" "" "services"
check_equal "$(ip rule; ip -6 rule)" "$rules" "routing rules"

say "Every port of the pool is there for others"
for i in $(seq 0 $moments); do
	add $((100 + i)) env >/dev/null
done
check_equal "$(ipvsadm -Sn | grep -c '^-A')" $((2 * moments + 2)) "services"
healed
