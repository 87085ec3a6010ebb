#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# sonm-gwstat --watch: what a person sees on a terminal (tmux is the witness),
# keys, windows of any size, and a terminal that is afterwards as it was.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

# The screen, as text, and a line of it.
screen()
{
	tmux capture-pane -p
}

screen_line()
{
	screen | sed -n "$1p"
}

# on_screen PATTERN: somewhere.
on_screen()
{
	screen | grep -Eq -- "$1"
}

# sees PATTERN: waits until it is on the screen.
sees()
{
	wait_for 20 on_screen "$1"
}

# misses PATTERN: waits until it is not.
misses()
{
	wait_for 20 not_on_screen "$1"
}

not_on_screen()
{
	! on_screen "$1"
}

press()
{
	tmux send-keys "$@"
}

resize()
{
	tmux resize-window -x "$1" -y "$2"
}

# in_shell COMMAND: types it.
in_shell()
{
	press -l "$1"
	press Enter
}

# watches [OPTION...]: in the terminal's shell, where other things are on the screen.
watches()
{
	in_shell "clear; echo what was before; stty -g >/run/before; sonm-gwstat --watch $*"
	sees '^[0-9:]{8}Z  '
	not_on_screen 'what was before' || fail "the screen is not empty"
}

# terminal_as_before: in its settings.
terminal_as_before()
{
	rm -f /run/after
	in_shell 'stty -g >/run/now; mv /run/now /run/after'
	wait_for 20 test -e /run/after
	cmp /run/before /run/after
}

# left STATUS: the terminal is as it was.
left()
{
	sees '^what was before$'
	in_shell 'echo "status $?"'
	sees "^status $1\$"
	terminal_as_before
	check_equal "$(tmux display -p '#{alternate_on} #{cursor_flag}')" "0 1" "the screen and the cursor"
}

# busiest: the container on top, if bytes go to its clients now.
busiest()
{
	screen_line 3 | awk '$6 != "0" { print $1 }'
}

is_busiest()
{
	[ "$(busiest)" = "$1" ]
}

mkdir -p /dev/pts
mount -t devpts -o ptmxmode=666 devpts /dev/pts
lab_network
lab_hub
head -c 1000000 /dev/urandom >/run/file
serve worker1 /run/file 8080
publish cache -t 80=10.0.0.11:8080 >/run/cache
publish web -t 80=10.0.0.11:8080 -u 53=10.0.0.11:8080 >/run/web
for i in $(seq 20); do
	publish "idle$i" -t 80=10.0.0.12:8080 >/dev/null
done
export TMUX_TMPDIR=/run NO_COLOR=1
tmux -f /dev/null new-session -d -x 80 -y 24 'exec sh'

say "Traffic is seen where it flows, the busiest route on top"
touch /run/hears
hear_stream "$(tail -n 1 /run/web)" /run/hears &
watches
wait_for 20 is_busiest web
sees '^[0-9:]{8}Z  22 containers 23 routes \(1-22\)  in .*K?/s out [0-9.]+K/s  sum in '
sees '^Container +Port +Endpoint +State +InBPS\* +OutBPS\* +Minute$'
sees "^web +53/udp +$(tail -n 1 /run/web) +open +[0-9.]+ +[0-9.]+[KM] +[^ ]"
screen | head -n 6

say "A steady stream has a steady rate"
sleep 6
for i in $(seq 8); do
	screen_line 3 | awk '{ print $6 }'
	sleep 1
done >/run/rates
xargs </run/rates
numfmt --from si </run/rates | awk '
	NR == 1 || $1 < least { least = $1 }
	$1 > most { most = $1 }
	END { exit NR < 8 || least == 0 || most > 3 * least }' || fail "the rate jumps"

say "Keys: totals and rates, the order, help"
press r
sees '^Container +Port +Endpoint +State +InBytes\* +OutBytes\*'
press s
sees '^Container\* .* InBytes +OutBytes '
check_equal "$(screen_line 3 | cut -c 1-5)" cache "the first by name"
press s
sees ' Conns\* '
press r
sees ' CPS\* '
press '?'
sees '^q quit '
press h
misses '^q quit '

say "Scrolling"
press r s s s s s s
sees '^Container\*'
press Down
sees '\(2-23\)'
press End
sees '\(2-23\)'
press Home
sees '\(1-22\)'
resize 80 7
sees '\(1-5\)'
press NPage
sees '\(6-10\)'
press Down Down PPage
sees '\(3-7\)'
press Up
sees '\(2-6\)'
press End
sees '\(19-23\)'
press Home

say "Windows of any size"
for size in 1x1 10x2 20x3 200x50 79x24; do
	resize "${size%x*}" "${size#*x}"
	sleep 1.5
	check_equal "$(tmux display -p '#{alternate_on} #{pane_dead}')" "1 0" "$size"
	[ $size = 1x1 ] || check_equal "$(screen_line 2 | cut -c 1-9)" Container "the second line" # none is broken
done
resize 80 24
sees '^Container\* +Port +Endpoint +State +InBytes +OutBytes +Minute$'

say "What changes is followed"
publish zebra -t 80=10.0.0.12:8080 >/dev/null
sees ' 23 containers 24 routes '
press r s s s s s s
sees 'OutBPS\*'
sonm-vs -D idle7 --wait >/run/closed
sees ' 22 containers 23 routes '
sysctl -qw net.ipv4.vs.run_estimation=0
sees '^counters are frozen: '
sysctl -qw net.ipv4.vs.run_estimation=1
misses 'frozen'

say "What cannot be read is said, and it goes on"
sqlite3 $state '.timeout 20000' 'begin exclusive' '.shell touch /run/locked' '.shell until [ -e /run/unlock ]; do sleep 0.1; done' commit &
locker=$!
wait_for 20 test -e /run/locked
sees 'locked|busy'
touch /run/unlock
wait $locker
misses 'locked|busy'
sees '^web .*[0-9.]K'

say "It ends, and the terminal is as it was"
press q
left 0
watches web
sees ' 1 container 2 routes  '
press C-c
left 130
for signal in TERM:143 HUP:129 USR1:138 ALRM:142; do
	watches --rate
	pkill "-${signal%:*}" -x sonm-gwstat
	left "${signal#*:}"
done

say "Stopped, and in the foreground again"
watches
press C-z
sees 'topped'
terminal_as_before
in_shell fg
sees '^[0-9:]{8}Z  '
press q
sees '^what was before$'
terminal_as_before

say "At no terminal, or at one that cannot"
expect_error 2 'terminal.*--format' sh -c 'sonm-gwstat --watch </dev/null'
in_shell 'clear; TERM=dumb sonm-gwstat --watch; echo "status $?"'
sees '^status 2$'
on_screen '^sonm-gwstat: .* terminal on which text can be' || fail "it does not say why"
expect_error 2 "whole number" sonm-gwstat --watch=0
expect_error 2 "whole number" sonm-gwstat --watch=3601
expect_error 2 "whole number" sonm-gwstat --watch=fast
expect_error 2 "--watch and --total" sonm-gwstat --watch --total
expect_error 2 "--watch and --exact" sonm-gwstat --watch --exact

say "Where colour is wanted, there is some; in another locale, ASCII"
in_shell 'unset NO_COLOR; clear; echo gone; sonm-gwstat --watch=2'
sees '^Container'
tmux capture-pane -p -e | grep -q "$(printf '\033\\[7m')Container" || fail "no colour"
press q
sees '^gone$'
in_shell 'export LC_ALL=C; clear; sonm-gwstat --watch=2'
sees '^web .* [%#*+=:.-]+$'
! screen | grep -q "$(printf '\342\226')" || fail "not ASCII"
press q
rm /run/hears
end_stream worker1 8080
