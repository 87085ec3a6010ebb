#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# sonm-vs -i: the same commands at a prompt, where an error does not end it,
# and from a pipe, where it does.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

real=10.0.0.11:8080

# at_terminal OPTION...: sonm-vs -i; standard input is what typist.py is to do.
at_terminal()
{
	python3 "$tools/typist.py" sonm-vs -i "$@"
}

# script STATUS LINE...: runs the lines; its output is in /run/stdout and /run/stderr.
script()
{
	wanted=$1
	shift
	printf '%s\n' "$@" >/run/script
	status=0
	sonm-vs -i </run/script >/run/stdout 2>/run/stderr || status=$?
	sed 's/^/  /' /run/stdout /run/stderr
	[ "$status" -eq "$wanted" ] || fail "exit status $status, not $wanted"
}

# says PATTERN: the one line of the error.
says()
{
	[ "$(wc -l </run/stderr)" -eq 1 ] || fail "the error is not one line"
	grep -Eq -- "^sonm-vs: $1" /run/stderr || fail "the error does not say '$1'"
}

containers()
{
	sonm-vs -L -j | jq -r '[.routes[].container] | unique | join(" ")'
}

lab_network
lab_hub
export HOME=/run/home TERM=xterm INPUTRC=/dev/null NO_COLOR=1
mkdir -m 700 $HOME

say "Commands from a pipe, as words or options, quoted or not"
script 0 '# three containers' '' "sonm-vs add 'ca'che -t 81=$real --vport 33000" "add web -t 80=$real" \
	"	-A 'db' -u \"53=$real\"  # a comment"
check_equal "$(grep -c '^\[' /run/stdout)" 3 "endpoints"
check_equal "$(containers)" "cache db web" "containers"
printf 'list web' | sonm-vs -i | grep -q '^web ' || fail "the last line lacks a newline, and is not run"
printf 'list web\r\nlist db\r\n' | sonm-vs -i >/run/stdout
check_equal "$(grep -c -e '^web ' -e '^db ' /run/stdout)" 2 "lines that end as on Windows"
check_state_is_kernel

say "A warning is said once"
sysctl -qw net.ipv4.ip_forward=0
script 0 "add w1 -t 80=$real" "add w2 -t 80=$real"
says 'warning: this hub is not set up'
sysctl -qw net.ipv4.ip_forward=1
script 0 'delete w1 w2 --wait'

say "The first error ends it, with its line and its exit status"
script 3 'list' '# -' 'delete nobody' 'delete web'
says 'line 3: .*nobody'
script 2 'lists' 'delete web'
says "line 1: .*did you mean list"
script 2 'list "web' 'delete web'
says 'line 1: a quote is not closed'
script 4 "add web -t 80=10.0.0.12:8080" 'delete web'
says 'line 1: .*web'
service=$(sonm-vs -L cache -j | jq -r '.routes[0] | "\(.address):\(.port)"')
ipvsadm -D -t "$service"
script 6 'list web' 'sync --dry-run' 'delete web'
says 'line 2: .*status 6'
script 0 'sync' 'sync --dry-run' 'quit' 'nonsense'
check_equal "$(containers)" "cache db web" "containers: nothing behind an error was run"
check_state_is_kernel

say "What is no script is refused"
{ echo list; printf 'list\0web\n'; } >/run/script
sonm-vs -i </run/script >/dev/null 2>/run/stderr && fail "a NUL byte"
says 'line 2: a NUL byte'
head -c 65537 /dev/zero | tr '\0' x | sonm-vs -i 2>/run/stderr && fail "a line of 65537 bytes"
says 'line 1: longer than 65536'
script 2 'restore'
says 'line 1: .*standard input'
script 2 'set-worker w1 --report -'
says 'line 1: .*standard input'
script 2 '-i'
says 'line 1: '
script 2 'list -c /tmp/other.yaml'
says 'line 1: -c '
sonm-vs -i </ 2>/run/stderr && fail "a directory"
says '.*directory'

say "What is printed is seen before the next line, and a failed write ends it"
mkfifo /run/lines
sonm-vs -i </run/lines >/run/seen &
exec 7>/run/lines
echo 'list web' >&7
wait_for 20 grep -q '^web ' /run/seen
exec 7>&-
wait $!
printf 'list\ndelete web\n' | sonm-vs -i >/dev/full 2>/run/stderr && fail "a full device"
says 'line 1: cannot write the output'
check_equal "$(containers)" "cache db web" "containers"

say "At a terminal: history, help, and an error that does not end it"
at_terminal <<-'END'
	see sonm-vs>\x20
	type add shop -t 80=10.0.0.11:8080\r
	see [80/tcp->198.51.100.1:
	see sonm-vs>\x20
	type delete nobody\r
	see sonm-vs:
	see nobody
	see sonm-vs>\x20
	type list "shop"\r
	see shop\x20
	see open
	see sonm-vs>\x20
	type help delete\r
	see --drain SECONDS
	see sonm-vs>\x20
	type help\r
	see delete-worker
	see sonm-vs>\x20
	type list nobody\x03
	see sonm-vs>\x20
	type \x04
	end 0
END
check_equal "$(containers)" "cache db shop web" "containers"
check_equal "$(stat -c '%a %U' $HOME/.sonm_vs_history)" "600 root" "mode and owner of the history"
check_equal "$(tr '\n' ';' <$HOME/.sonm_vs_history)" \
	'add shop -t 80=10.0.0.11:8080;delete nobody;list "shop";help delete;help;' "history"

say "Completion: commands, options, containers, workers, schedulers"
sonm-vs --set-worker homer --nat symmetric
at_terminal <<-'END'
	see sonm-vs>\x20
	type \x10\x10\x10\r
	see shop\x20
	see sonm-vs>\x20
	type li\tsh\t\r
	see list shop
	see shop\x20
	see sonm-vs>\x20
	type de\t\t\t
	see delete-worker
	see sonm-vs> delete
	type \x20ca\t--wa\t\r
	see --wait
	see cache
	see sonm-vs>\x20
	type add new -t 80=10.0.0.11:8080 --worker ho\t--sch\tsed\t\r
	see --worker homer --scheduler sed
	see [80/tcp->
	see sonm-vs>\x20
	type list /et\t\r
	see sonm-vs:
	see '/et'
	see sonm-vs>\x20
	type exit\r
	end 0
END
check_equal "$(containers)" "db new shop web" "containers"
check_equal "$(sonm-vs -L new -j | jq -r '.routes[] | "\(.scheduler) \(.worker)"')" "sed homer" "what was completed"

say "Colour only where it is wanted"
coloured='see \x1b[1;32msonm-vs> \x1b[0m
type frob\r
see \x1b[1;31msonm-vs:\x1b[0m '"'frob'"'
see sonm-vs>\x20
type \x04
end 0'
plain='see sonm-vs>\x20
unseen \x1b[1;3
type frob\r
see sonm-vs: '"'frob'"'
see sonm-vs>\x20
unseen \x1b[1;3
type \x04
end 0'
printf '%s\n' "$coloured" | NO_COLOR='' at_terminal
printf '%s\n' "$plain" | NO_COLOR=1 at_terminal
printf '%s\n' "$plain" | TERM=dumb NO_COLOR='' at_terminal
printf '%s\n' "$plain" | TERM='' NO_COLOR='' at_terminal
printf 'frob\n' | NO_COLOR='' sonm-vs -i 2>/run/stderr || :
says "line 1: 'frob'"

say "The history is nobody else's, and goes nowhere else"
rm $HOME/.sonm_vs_history
echo precious >/run/precious
ln -s /run/precious $HOME/.sonm_vs_history
printf '%s\n' 'see sonm-vs>\x20' 'type list\r' 'see Container' 'see sonm-vs>\x20' 'type \x10\x10\r' \
	'unseen precious' 'see sonm-vs>\x20' 'type quit\r' 'end 0' | at_terminal
check_equal "$(cat /run/precious)" precious "what a link leads to"
printf '%s\n' 'see sonm-vs>\x20' 'type list\r' 'see Container' 'see sonm-vs>\x20' 'type \x04' 'end 0' >/run/keys
(unset HOME && at_terminal </run/keys)
HOME=relative at_terminal </run/keys
[ ! -e relative ] || fail "a history in the working directory"

say "Results into a file, the conversation at the terminal"
printf '%s\n' 'see sonm-vs>\x20' 'type list web\r' 'see sonm-vs>\x20' 'type quit\r' 'end 0' |
	python3 "$tools/typist.py" sh -c 'sonm-vs -i >/run/results'
grep -q '^web ' /run/results || fail "no results"
grep -q 'sonm-vs>' /run/results && fail "the conversation is among the results"

say "Somebody who may not read the state file is not told so by a completion"
printf '%s\n' 'see sonm-vs>\x20' 'type list we\t\r' 'see sonm-vs: ' 'see root' 'see sonm-vs>\x20' 'type \x04' 'end 0' |
	python3 "$tools/typist.py" setpriv --reuid 65534 --clear-groups sonm-vs -i

say "readline is loaded for a prompt, and for nothing else"
program=$(command -v sonm-vs)
ldd "$program" | grep -q readline && fail "it is linked"
! strace -f -e trace=openat sonm-vs -L 2>&1 | grep readline || fail "it is loaded to list"
! echo list | strace -f -e trace=openat sonm-vs -i 2>&1 | grep readline || fail "it is loaded for a pipe"
mount --bind /dev/null "$(ldconfig -p | awk '/libreadline.so.8 / { print $NF; exit }')"
printf '%s\n' 'see sonm-vs: readline is not installed' 'see install it' 'see pipe' 'end 1' | at_terminal
echo 'list web' | sonm-vs -i | grep '^web '
