# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# manual.sh: what the manual pages show as a test. A scenario sources it
# after lib.sh.

manual=${tools:?}/../../man

# examples PAGE: its command lines, each behind the exit status that a comment
# (.\" status N) promises, 0 without one.
examples()
{
	awk '
		/^\.Sh/ { inside = /EXAMPLES/; next }
		!inside { next }
		/^\.\\" status/ { status = $3; next }
		/^# / { line = status + 0 " "; status = 0; more = 1; sub(/^# /, "") }
		more { more = sub(/\\e$/, ""); gsub(/\\e/, "\\"); line = line $0; if (!more) print line }
	' "$manual/$1"
}

# What the pages show as the service of somebody else. Until it is made, no route may get its port at random.
shown=198.51.100.1:33100

# as_printed PLACE COMMAND-LINE: a port that sonm-vs chooses is another than the one of the service that is shown.
as_printed()
{
	case $2 in
	*'sonm-vs -A '*) ;;
	*) on "$1" sh -c "$2"; return ;;
	esac
	ipvsadm -A -t $shown
	as_printed_status=0
	on "$1" sh -c "$2" || as_printed_status=$?
	ipvsadm -D -t $shown
	return $as_printed_status
}

# try PAGE [PLACE]: at the hub unless another place is said.
try()
{
	say "$1"
	examples "$1" >/tmp/examples
	[ -s /tmp/examples ] || fail "there are no examples"
	while read -r promised line; do
		echo "  # $line"
		status=0
		as_printed "${2:-hub}" "$line" >/run/output || status=$?
		[ $status -eq "$promised" ] || { cat /run/output; fail "exit status $status, not $promised: $line"; }
	done </tmp/examples
}

# literal PAGE SECTION N: the Nth display of that section, as it is printed.
literal()
{
	awk -v heading=".Sh $2" -v n="$3" '
		/^\.Sh/ { wanted = $0 == heading }
		/^\.Ed/ { inside = 0 }
		inside
		/^\.Bd -literal/ { inside = wanted && ++seen == n }
	' "$manual/$1"
}

# explained PAGE: the names in the JSON on stdin.
explained()
{
	jq -r '[paths | .[] | strings] | unique[]' | while read -r name; do
		grep -Eq "^\.(It )?Va (.*[ ,])?$name( |$)" "$manual/$1" || fail "$1 does not explain $name"
	done
}
