#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Every example of the manual pages works as it is printed, and every name in
# the JSON is explained.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

manual=$tools/../../man

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

# try PAGE
try()
{
	say "$1"
	examples "$1" >/tmp/examples
	[ -s /tmp/examples ] || fail "there are no examples"
	while read -r promised line; do
		echo "  # $line"
		expect "$promised" sh -c "$line" >/run/output || { cat /run/output; fail "$line"; }
	done </tmp/examples
}

# explained PAGE: the names in the JSON on stdin.
explained()
{
	jq -r '[paths | .[] | strings] | unique[]' | while read -r name; do
		grep -Eq "^\.(It )?Va (.*[ ,])?$name( |$)" "$manual/$1" || fail "$1 does not explain $name"
	done
}

lab_network
mkdir -p /etc/sonm
awk '/^\.Ed/ { inside = 0 } /^gateway:/ { inside = 1 } inside' "$manual/sonm-gateway.yaml.5" >/etc/sonm/gateway.yaml
cat /etc/sonm/gateway.yaml

try sonm-gw-setup.8
sonm-gw-setup --apply >/run/setup
try sonm-gateway.yaml.5
try sonm-vs.8
try sonm-gwstat.8
try sonm-gateway-state.5

say "The JSON is explained"
sonm-vs -L -j | explained sonm-vs.8
sonm-vs --sync -j | explained sonm-vs.8
sonm-gw-setup --apply -j | explained sonm-gw-setup.8
sonm-gwstat -j | explained sonm-gwstat.8
sonm-gwstat --rate -j | explained sonm-gwstat.8
sonm-gwstat --closed -j | explained sonm-gwstat.8
