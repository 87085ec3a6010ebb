#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Names that nobody means well with: control characters, blanks, what looks like an
# option, megabytes of them, on the command line, in a document, in a script and in
# files' names. Each gets one line that a terminal shows and does not obey, and
# changes nothing.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

real=10.0.0.11:8080

everything()
{
	ipvsadm -Sn
	sqlite3 "$state" .dump
}

# is_text FILE: printable ASCII, and no line longer than a message is.
is_text()
{
	! LC_ALL=C grep -q '[^ -~]' "$1" || fail "a terminal would obey: $(od -c "$1" | head -n 5)"
	[ "$(wc -L <"$1")" -le 1100 ] || fail "a line of $(wc -L <"$1") characters"
}

# refused PATTERN COMMAND...: as a mistake in usage. What is said is kept.
refused()
{
	expect_error 2 "$@" >>/run/said
}

# refused_as_name NAME: by everything that takes one.
refused_as_name()
{
	refused "cannot delete" sonm-vs -D -- "$1"
	refused "cannot delete" sonm-vs --delete-worker -- "$1"
	refused "cannot list" sonm-vs -L -- "$1"
	refused "cannot add" sonm-vs -A -t 80=$real -- "$1"
	refused "cannot add" sonm-vs -A web2 -t 80=$real --worker="$1"
	refused "cannot edit" sonm-vs -E -w 5 -- "$1"
	refused "cannot list" sonm-vs -L --workers -- "$1"
	refused "cannot set worker" sonm-vs --set-worker --nat full -- "$1"
	refused "cannot show" sonm-gwstat -- "$1"
	refused "cannot show" sonm-gwstat --closed --format csv -- "$1"
	refused "cannot show" sonm-gwstat --since -1h -j -- "$1"
}

# megabytes N: of one letter.
megabytes()
{
	head -c "$1"000000 /dev/zero | tr '\0' a
}

lab_network
lab_hub
sonm-vs -A web -t 80=$real
sonm-vs --set-worker w1 --nat full
before=$(everything)
escape=$(printf '\033]0;title\007\033[2J')

say "Control characters: ESC, a new line, C1 as UTF-8 and as a byte, a character cut off"
refused_as_name "$escape"
for name in "$(printf 'a\nb')" "$(printf 'a\302\233[2J')" "$(printf 'a\233[2J')" "$(printf 'a\303')"; do
	refused 'not a container ID' sonm-vs -D "$name"
done

say "Blanks, and what other programs would take for something else"
# shellcheck disable=SC2016 # nobody expands them
for name in 'a b' ../../etc/passwd '$(reboot)' "a'b" '*'; do
	refused 'not a container ID' sonm-vs -A "$name" -t 80=$real
done

say "What looks like an option"
refused_as_name --yes
refused "does not take" sonm-vs -D --yes
refused "unknown option" sonm-vs -D --y"$escape"

say "As long as an argument may be"
long=$(head -c 130000 /dev/zero | tr '\0' a)
refused_as_name "$long"

say "Other arguments"
refused 'time' sonm-gwstat --since "$escape"
refused 'field' sonm-gwstat --sort "$escape"
refused 'step' sonm-gw-setup --explain "$escape"
refused 'scheduler' sonm-vs -A x -t 80=$real -s "$escape"
refused 'weight' sonm-vs -A x -t 80=$real -w "$escape"
refused 'address' sonm-vs -A x -t 80="$escape":1
refused 'STUN server' sonm-stun -s "$escape"
refused 'interface' sonm-stun -s 192.0.2.1 -b "$long"
refused 'URL' sonm-gwstat --push "http://$escape/"
refused 'cannot read' sonm-vs -c "$escape" -L
refused 'cannot read' sonm-vs -R "$escape"

say "A file that has such a name"
name="/run/$escape.yaml"
echo 'other: 1' >"$name"
status=0
sonm-stun -j -c "$name" >/run/stdout 2>/run/stderr || status=$?
is_text /run/stderr
grep -q 'run/?]0;title??\[2J' /run/stderr || fail "$(cat /run/stderr)"
sonm-stun -c "$name" >/run/stdout
is_text /run/stdout

say "Ten megabytes in a document, and in a script"
{
	printf 'version: 1\nroutes:\n- container: "'
	megabytes 10
	printf '"\n  port: 80/tcp\n  kind: gateway\n  endpoint: %s:32770\n  real_servers: [{address: "%s"}]\n' $public4 $real
} >/run/document
refused 'longer than 128' sonm-vs -R /run/document
refused 'longer than 128' sh -c 'sonm-vs -R </run/document'
refused 'longer than 128' sonm-vs -R --dry-run /run/document
{
	printf -- '-A -t %s:80 -s ' $public4
	megabytes 10
} >/run/document
refused 'longer than 511' sonm-vs -R /run/document
{
	printf 'delete web '
	megabytes 10
	echo
} >/run/script
refused 'line 1: longer than 65536' sh -c 'sonm-vs -i </run/script'
{
	printf 'delete '
	head -c 60000 /dev/zero | tr '\0' a
	echo
} >/run/script
refused 'line 1: .*longer than 128' sh -c 'sonm-vs -i </run/script'
truncate -s 70M /run/document
refused 'larger than 64 MiB' sonm-vs -R /run/document
refused 'larger than 256 KiB' sonm-vs --set-worker w2 --report /run/document
refused 'larger than 1 MiB' sonm-vs -c /run/document -L

say "Such names in a document, a script, a report and a configuration"
printf 'version: 1\nroutes:\n- container: "a\\e[2J"\n  port: 80/tcp\n' >/run/document
refused 'not a container ID' sonm-vs -R /run/document
printf -- '-A -t %s:80 -s r\033r\n' $public4 >/run/document
refused 'scheduler' sonm-vs -R /run/document
printf 'delete a\033[2J\n' >/run/script
refused 'not a container ID' sh -c 'sonm-vs -i </run/script'
printf '\233[2J\n' >/run/script
refused 'not a command' sh -c 'sonm-vs -i </run/script'
printf '{"nat": "\\u001b[2J", "gateway": true, "addresses": []}\n' >/run/document
refused 'nat' sonm-vs --set-worker w2 --report /run/document
printf 'gateway: {scheduler: "a\\e[2J"}\n' >/run/document
refused 'scheduler' sonm-vs -c /run/document -L

check_equal "$(everything)" "$before" "nothing has changed"
is_text /run/said
[ -s /run/said ] || fail "nothing was said"

say "Names in the state file that nobody can have given us"
sqlite3 "$state" "update route set container = 'a' || char(27) || '[2J' || char(155) || 'b'"
for format in text json csv openmetrics; do
	sonm-gwstat --format $format | tr -d '\r' >/run/stdout
	grep -q 'a.*\[2J.*b' /run/stdout || fail "nothing is shown: $(cat /run/stdout)"
	is_text /run/stdout
done
sonm-vs -L >/run/stdout
is_text /run/stdout
sonm-vs -L -j >/run/stdout
is_text /run/stdout
sqlite3 "$state" "update route set container = 'web'"

say "A rule of somebody else's whose comment is meant for the terminal"
iptables-legacy -P FORWARD DROP
iptables-legacy -A FORWARD -m comment --comment "$escape" -j DROP
sonm-gw-setup --check >/run/stdout || :
is_text /run/stdout
sonm-gw-setup --explain >/run/stdout
is_text /run/stdout
sonm-gw-setup --check -j >/run/stdout || :
is_text /run/stdout
jq -e . /run/stdout >/dev/null
